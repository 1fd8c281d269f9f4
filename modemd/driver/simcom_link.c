/* SPDX-License-Identifier: MIT */

/* Links, how they open and close: A7600 manual 2.3, 2.6. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/log.h"
#include "base/timer.h"
#include "driver/simcom_private.h"

#define MARGIN_MS	5000	/* beyond the modem's own deadline */
#define CLOSE_MS	10000
#define LATE_SENT_MS	2000	/* for +CIPSEND after +IPCLOSE */

static const struct driver_events *events(const struct simcom_link *l)
{
	return l->s->env.events;
}

void simcom_link_set_text(struct simcom_link *l, const char *text)
{
	snprintf(l->text, sizeof(l->text), "%s", text);
}

void simcom_link_begin(struct simcom_link *l, bool *what)
{
	*what = true;
	l->close_pending = false;
	l->final_seen = false;
	l->result_seen = false;
	l->text[0] = '\0';
}

/* -------------------------------------------------------------------- open */

void simcom_link_end_close(struct simcom_link *l)
{
	l->close_pending = false;
	events(l)->closed(l->s->env.up, l->slot, l->why, l->text);
}

static void end_open(struct simcom_link *l, int err)
{
	timer_stop(l->deadline);
	l->opening = false;
	events(l)->opened(l->s->env.up, l->slot, err, l->text);
	if (l->close_pending)
		simcom_link_end_close(l);
}

static void check_open(struct simcom_link *l)
{
	if (l->final_seen && l->result_seen)
		end_open(l, simcom_errno(l->result));
}

static void on_opened(struct simcom_link *l, const struct at_line *line)
{
	if (!l->opening) {
		/* Late: nobody waits for it, but the slot is taken. */
		if (line->args[1] == 0)
			events(l)->opened(l->s->env.up, l->slot, 0, "late");
		return;
	}
	l->result_seen = true;
	l->result = line->args[1];
	if (l->result != 0)
		simcom_link_set_text(l, simcom_err_text(l->result));
	check_open(l);
}

static void open_done(void *ctx, int err, const struct at_answer *a)
{
	struct simcom_link *l = ctx;

	if (!l->opening)
		return;
	l->final_seen = true;
	if (!err) {
		timer_start(l->deadline, l->inbound ? SIMCOM_COLLISION_MS :
			    l->s->env.links->open_timeout_ms + MARGIN_MS);
		check_open(l);
		return;
	}
	if (l->result_seen && l->result != 0) {
		end_open(l, simcom_errno(l->result));
		return;
	}
	simcom_link_set_text(l, simcom_words(a));
	end_open(l, simcom_answer_errno(err, a));
}

int simcom_open(void *d, unsigned int slot, const struct driver_open_args *a)
{
	struct simcom *s = d;
	struct simcom_link *l = &s->links[slot];
	struct at_command cmd = {
		.timeout_ms = SIMCOM_FINAL_MS,
		.done = open_done,
		.ctx = l,
	};
	int err;

	if (a->udp)		/* where to, each send says (Q45) */
		err = simcom_send(s, &cmd, "AT+CIPOPEN=%u,\"UDP\",,,%u", slot,
				  a->local_port);
	else if (a->local_port > 0)
		err = simcom_send(s, &cmd, "AT+CIPOPEN=%u,\"TCP\",%q,%u,%u",
				  slot, a->host, a->port, a->local_port);
	else
		err = simcom_send(s, &cmd, "AT+CIPOPEN=%u,\"TCP\",%q,%u",
				  slot, a->host, a->port);
	if (err)
		return err;
	simcom_link_begin(l, &l->opening);
	l->udp = a->udp;
	l->inbound = false;
	snprintf(l->to, sizeof(l->to), "%s", a->udp ? a->host : "");
	l->to_port = a->port;

	return 0;
}

/* ------------------------------------------------------------------- close */

/* Whatever it says, the slot is not connected any more: an error means that
 * it was not before. */
static void closing_ends(struct simcom_link *l, bool answered)
{
	timer_stop(l->deadline);
	l->closing = false;
	l->close_pending = false;
	if (l->sending)
		simcom_end_send(l, 0, -ECONNRESET);
	l->udp = false;
	l->inbound = false;
	l->why = answered ? DRIVER_CLOSE_ASKED : DRIVER_CLOSE_UNSURE;
	simcom_link_end_close(l);
}

static void check_close(struct simcom_link *l)
{
	if (l->final_seen && l->result_seen)
		closing_ends(l, true);
}

static void close_done(void *ctx, int err, const struct at_answer *a)
{
	struct simcom_link *l = ctx;

	if (!l->closing)
		return;
	l->final_seen = true;
	if (!err) {
		timer_start(l->deadline, CLOSE_MS);
		check_close(l);
		return;
	}
	if (!l->text[0])
		simcom_link_set_text(l, simcom_words(a));
	closing_ends(l, err == -EREMOTEIO);
}

static void on_closed(struct simcom_link *l, const struct at_line *line)
{
	if (!l->closing)
		return;

	l->result_seen = true;
	if (line->args[1] != 0)
		simcom_link_set_text(l, simcom_err_text(line->args[1]));
	check_close(l);
}

int simcom_close(void *d, unsigned int slot)
{
	struct simcom *s = d;
	struct simcom_link *l = &s->links[slot];
	struct at_command cmd = {
		.timeout_ms = SIMCOM_FINAL_MS,
		.done = close_done,
		.ctx = l,
	};
	int err;

	err = simcom_send(s, &cmd, "AT+CIPCLOSE=%u", slot);
	if (!err) {
		timer_stop(l->deadline);
		simcom_link_begin(l, &l->closing);
	}

	return err;
}

/* +IPCLOSE: the modem closed it; data may still wait to be pulled. */
static void on_ipclose(struct simcom_link *l, const struct at_line *line)
{
	static const enum driver_close reason[] = {
		DRIVER_CLOSE_LOCAL, DRIVER_CLOSE_PEER, DRIVER_CLOSE_TIMEOUT,
	};
	bool opening = l->opening && !l->inbound;
	long n = line->args[1];

	/* Before the result of an open it is that of the link before. */
	if (l->closing || (opening && !l->result_seen))
		return;
	simcom_link_set_text(l, line->text);
	l->why = n >= 0 && n <= 2 ? reason[n] : DRIVER_CLOSE_PEER;
	l->close_pending = opening || l->sending;
	if (l->sending)
		timer_start(l->deadline, LATE_SENT_MS);
	else if (!opening)
		simcom_link_end_close(l);
}

/* -------------------------------------------------- lines nobody asked for */

void simcom_link_line(struct simcom *s, const struct at_line *line)
{
	unsigned long slot = (unsigned long)line->args[0];
	struct simcom_link *l;

	switch (line->rule - simcom_rules) {
	case R_OPENED:
	case R_CLOSED:
	case R_SENT:
	case R_READABLE:
	case R_IPCLOSE:
	case R_IPCLOSE_BARE:
		break;
	default:
		return;
	}
	if (slot >= SIMCOM_LINKS) {
		log_warn("simcom: no such link: %s", line->text);
		return;
	}

	l = &s->links[slot];
	switch (line->rule - simcom_rules) {
	case R_OPENED:
		on_opened(l, line);
		break;
	case R_CLOSED:
		on_closed(l, line);
		break;
	case R_SENT:
		simcom_on_sent(l, line);
		break;
	case R_READABLE:
		events(l)->readable(s->env.up, (unsigned int)slot);
		break;
	default:
		on_ipclose(l, line);
	}
}

void simcom_link_deadline(void *ctx)
{
	struct simcom_link *l = ctx;

	simcom_link_set_text(l, "no result came");
	if (l->closing)
		closing_ends(l, false);
	else if (l->opening)
		end_open(l, -ETIMEDOUT);
	else if (l->sending)
		simcom_end_send(l, 0, -ETIMEDOUT);
}

void simcom_link_reset(struct simcom *s)
{
	struct simcom_link *l;

	for (l = s->links; l < s->links + SIMCOM_LINKS; l++) {
		simcom_link_set_text(l, "");
		if (l->closing)
			closing_ends(l, true);
		else if (l->opening)
			end_open(l, -ENODEV);
		else if (l->sending)
			simcom_end_send(l, 0, -ENODEV);
		timer_stop(l->deadline);
		l->close_pending = false;
		l->inbound = false;
	}
}
