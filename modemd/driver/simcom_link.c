/* SPDX-License-Identifier: MIT */

/* Links: A7600 manual 2.3 to 2.6. */

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

static void set_text(struct simcom_link *l, const char *text)
{
	snprintf(l->text, sizeof(l->text), "%s", text);
}

static void begin(struct simcom_link *l, bool *what)
{
	*what = true;
	l->close_pending = false;
	l->final_seen = false;
	l->result_seen = false;
	l->text[0] = '\0';
}

/* -------------------------------------------------------------------- open */

static void end_close(struct simcom_link *l)
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
		end_close(l);
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
		set_text(l, simcom_err_text(l->result));
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
	set_text(l, simcom_words(a));
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

	if (a->udp)
		return -EOPNOTSUPP;
	if (a->local_port > 0)
		err = simcom_send(s, &cmd, "AT+CIPOPEN=%u,\"TCP\",%q,%u,%u",
				  slot, a->host, a->port, a->local_port);
	else
		err = simcom_send(s, &cmd, "AT+CIPOPEN=%u,\"TCP\",%q,%u",
				  slot, a->host, a->port);
	if (!err) {
		begin(l, &l->opening);
		l->inbound = false;
	}

	return err;
}

/* -------------------------------------------------------------------- send */

/* The peer's close first: then a send that failed does not end the link
 * before what the modem still holds for it was read. */
static void end_send(struct simcom_link *l, size_t taken, int err)
{
	if (!l->closing)
		timer_stop(l->deadline);
	l->sending = false;
	if (l->close_pending)
		end_close(l);
	events(l)->sent(l->s->env.up, l->slot, taken, err, l->text);
}

/* cnf: -1 the connection is gone, 0 buffers full, less than asked: the socket
 * cannot be used further (A7600 manual 2.4). */
static void judge_send(struct simcom_link *l, long confirmed)
{
	size_t taken = confirmed > 0 ? (size_t)confirmed : 0;

	if (taken > l->send_len)
		taken = l->send_len;
	if (taken != l->send_len && !l->text[0])
		snprintf(l->text, sizeof(l->text),
			 "%ld bytes confirmed of %zu", confirmed, l->send_len);
	end_send(l, taken, taken == l->send_len ? 0 : -ECONNABORTED);
}

static void check_send(struct simcom_link *l)
{
	if (l->final_seen && l->result_seen)
		judge_send(l, l->result);
}

static void on_sent(struct simcom_link *l, const struct at_line *line)
{
	if (!l->sending || line->args[1] != (long)l->send_len)
		return;
	if (l->closing) {	/* overtaken: its OK was seen long ago */
		judge_send(l, line->args[2]);
		return;
	}
	l->result_seen = true;
	l->result = line->args[2];
	check_send(l);
}

static int refused_errno(const struct simcom_link *l, int err,
			 const struct at_answer *a)
{
	if (err != -EREMOTEIO)
		return err;
	if (a->rule != &simcom_rules[R_CIPERROR])
		return -ECONNABORTED;
	/* Some firmware refuses the manual's 1500 bytes with error 3. */
	if (a->args[0] == 3 && l->send_len > 512)
		return -EMSGSIZE;

	return a->args[0] == 8 ? -EBUSY : -ECONNABORTED;
}

static void send_done(void *ctx, int err, const struct at_answer *a)
{
	struct simcom_link *l = ctx;

	if (!l->sending)
		return;
	l->final_seen = true;
	if (!err) {
		if (!l->close_pending && !l->closing)
			timer_start(l->deadline, MARGIN_MS +
				    l->s->env.links->send_timeout_ms);
		check_send(l);
		return;
	}
	set_text(l, simcom_words(a));
	end_send(l, 0, refused_errno(l, err, a));
}

int simcom_send_data(void *d, unsigned int slot, const uint8_t *b, size_t len,
		     const struct driver_to *to)
{
	struct simcom *s = d;
	struct simcom_link *l = &s->links[slot];
	struct at_command cmd = {
		.timeout_ms = SIMCOM_FINAL_MS,
		.payload = b,
		.payload_len = len,
		.done = send_done,
		.ctx = l,
	};
	int err;

	if (to)
		return -EOPNOTSUPP;
	err = simcom_send(s, &cmd, "AT+CIPSEND=%u,%u", slot,
			  (unsigned int)len);
	if (!err) {
		begin(l, &l->sending);
		l->send_len = len;
	}

	return err;
}

/* -------------------------------------------------------------------- pull */

static void pull_line(void *ctx, const struct at_line *line)
{
	struct simcom *s = ctx;

	s->pulling.bad = line->args[0] != (long)s->pulling.slot;
	s->pulling.rest = line->args[2];
}

static void pull_data(void *ctx, const uint8_t *data, size_t len, bool last)
{
	struct simcom *s = ctx;
	struct simcom_pull *p = &s->pulling;

	(void)last;
	if (len > sizeof(p->buf) - p->len) {	/* answered twice */
		p->bad = true;
		return;
	}
	memcpy(p->buf + p->len, data, len);
	p->len += len;
}

static void pull_done(void *ctx, int err, const struct at_answer *a)
{
	struct simcom *s = ctx;
	struct simcom_pull *p = &s->pulling;
	const struct driver_events *ev = s->env.events;

	if (!err && p->bad)
		err = -EBADMSG;
	if (simcom_answer_errno(err, a) == -ENODATA) {
		p->len = 0;
		p->rest = 0;
		err = 0;
	}
	if (!err && p->len == 0)	/* whatever it says: not now */
		p->rest = 0;
	if (!err && p->len > 0)
		ev->data(s->env.up, p->slot, p->buf, p->len, NULL, true);
	ev->pulled(s->env.up, p->slot, p->rest, err);
}

int simcom_pull(void *d, unsigned int slot, size_t max)
{
	static const signed char accept[] = { R_PULLED, -1 };
	struct simcom *s = d;
	struct at_command cmd = {
		.accept = accept,
		.timeout_ms = SIMCOM_FINAL_MS,
		.answer_max = max,
		.line = pull_line,
		.data = pull_data,
		.done = pull_done,
		.ctx = s,
	};
	int err;

	err = simcom_send(s, &cmd, "AT+CIPRXGET=2,%u,%u", slot,
			  (unsigned int)max);
	if (!err) {
		s->pulling.slot = slot;
		s->pulling.bad = false;
		s->pulling.rest = -1;
		s->pulling.len = 0;
	}

	return err;
}

/* ------------------------------------------------------------------- close */

/* Whatever it says, the slot is not connected any more: an error means that
 * it was not before. */
static void closing_ends(struct simcom_link *l, bool answered)
{
	timer_stop(l->deadline);
	l->closing = false;
	l->close_pending = false;
	l->inbound = false;
	if (l->sending)
		end_send(l, 0, -ECONNRESET);
	l->why = answered ? DRIVER_CLOSE_ASKED : DRIVER_CLOSE_UNSURE;
	end_close(l);
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
		set_text(l, simcom_words(a));
	closing_ends(l, err == -EREMOTEIO);
}

static void on_closed(struct simcom_link *l, const struct at_line *line)
{
	if (!l->closing)
		return;

	l->result_seen = true;
	if (line->args[1] != 0)
		set_text(l, simcom_err_text(line->args[1]));
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
		begin(l, &l->closing);
	}

	return err;
}

/* +IPCLOSE: the modem closed it; data may still wait to be pulled. */
static void on_ipclose(struct simcom_link *l, const struct at_line *line)
{
	static const enum driver_close reason[] = {
		DRIVER_CLOSE_LOCAL, DRIVER_CLOSE_PEER, DRIVER_CLOSE_TIMEOUT,
	};
	long n = line->args[1];

	bool opening = l->opening && !l->inbound;

	/* Before the result of an open it is that of the link before. */
	if (l->closing || (opening && !l->result_seen))
		return;
	set_text(l, line->text);
	l->why = n >= 0 && n <= 2 ? reason[n] : DRIVER_CLOSE_PEER;
	l->close_pending = opening || l->sending;
	if (l->sending)
		timer_start(l->deadline, LATE_SENT_MS);
	else if (!opening)
		end_close(l);
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
		on_sent(l, line);
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

	set_text(l, "no result came");
	if (l->closing)
		closing_ends(l, false);
	else if (l->opening)
		end_open(l, -ETIMEDOUT);
	else if (l->sending)
		end_send(l, 0, -ETIMEDOUT);
}

void simcom_link_reset(struct simcom *s)
{
	struct simcom_link *l;

	for (l = s->links; l < s->links + SIMCOM_LINKS; l++) {
		set_text(l, "");
		if (l->closing)
			closing_ends(l, true);
		else if (l->opening)
			end_open(l, -ENODEV);
		else if (l->sending)
			end_send(l, 0, -ENODEV);
		timer_stop(l->deadline);
		l->close_pending = false;
		l->inbound = false;
	}
}
