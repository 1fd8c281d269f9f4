/* SPDX-License-Identifier: MIT */

/*
 * Sending: A7600 manual 2.4. A length is announced, unless the line cannot
 * carry it: then the end is a Ctrl-Z, and what could be taken for one is
 * coded. Accepted links take a length only (A7600 manual 6.4.2).
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/config.h"
#include "base/timer.h"
#include "driver/simcom_private.h"

#define MARGIN_MS	5000	/* beyond the modem's own deadline */
#define ETX		0x03
#define CTRL_Z		0x1a
#define ESC		0x1b

/* The peer's close first: then a send that failed does not end the link
 * before what the modem still holds for it was read. */
void simcom_end_send(struct simcom_link *l, size_t taken, int err)
{
	if (!l->closing)
		timer_stop(l->deadline);
	l->sending = false;
	if (l->close_pending)
		simcom_link_end_close(l);
	l->s->env.events->sent(l->s->env.up, l->slot, taken, err, l->text);
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
	simcom_end_send(l, taken, taken == l->send_len ? 0 : -ECONNABORTED);
}

static void check_send(struct simcom_link *l)
{
	if (l->final_seen && l->result_seen)
		judge_send(l, l->result);
}

void simcom_on_sent(struct simcom_link *l, const struct at_line *line)
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

/* A7600 manual 2.4 has no comma in AT+CIPSEND=0, SIMCom ref L1105 has: until
 * one form was taken, the other is tried, once. */
static bool try_other_form(struct simcom_link *l, int err,
			   const struct at_answer *a)
{
	struct simcom *s = l->s;

	if (err != -EREMOTEIO || !l->coded || l->udp || s->coded_proven ||
	    (a->rule && !(a->rule == &simcom_rules[R_CIPERROR] &&
			  a->args[0] == 3)))
		return false;
	s->coded_comma = !s->coded_comma;

	return s->coded_comma;
}

/* Some firmware refuses the manual's 1500 bytes with error 3; of a datagram
 * that is also a bad address. Anything else is the link's end. */
static int refusal(const struct simcom_link *l, int err,
		   const struct at_answer *a)
{
	if (err != -EREMOTEIO)
		return err;
	if (a->rule != &simcom_rules[R_CIPERROR])
		return -ECONNABORTED;
	if (a->args[0] == 8)
		return -EBUSY;
	if (a->args[0] != 3)
		return -ECONNABORTED;
	if (l->send_len > 512)
		return -EMSGSIZE;

	return l->udp ? -EINVAL : -ECONNABORTED;
}

static void send_done(void *ctx, int err, const struct at_answer *a)
{
	struct simcom_link *l = ctx;

	if (!l->sending)
		return;
	l->final_seen = true;
	if (!err) {
		l->s->coded_proven |= l->coded && !l->udp;
		if (!l->close_pending && !l->closing)
			timer_start(l->deadline, MARGIN_MS +
				    l->s->env.links->send_timeout_ms);
		check_send(l);
		return;
	}
	simcom_link_set_text(l, simcom_words(a));
	simcom_end_send(l, 0, try_other_form(l, err, a) ? -EAGAIN :
			      refusal(l, err, a));
}

/* A7600 manual 2.4. @out: twice @len and one more. */
static size_t encode(const uint8_t *b, size_t len, uint8_t *out)
{
	size_t i, n = 0;

	for (i = 0; i < len; i++) {
		if (b[i] == ETX || b[i] == CTRL_Z || b[i] == ESC)
			out[n++] = ETX;
		out[n++] = b[i];
	}
	out[n++] = CTRL_Z;

	return n;
}

static int send_datagram(struct simcom_link *l, struct at_command *cmd,
			 bool coded, const struct driver_to *to)
{
	struct driver_to named = { .address = l->to, .port = l->to_port };

	if (!to)
		to = &named;
	if (!to->address[0])
		return -EDESTADDRREQ;
	if (coded)
		return simcom_send(l->s, cmd, "AT+CIPSEND=%u,,%q,%u", l->slot,
				   to->address, to->port);

	return simcom_send(l->s, cmd, "AT+CIPSEND=%u,%u,%q,%u", l->slot,
			   (unsigned int)l->send_len, to->address, to->port);
}

static int send_stream(struct simcom_link *l, struct at_command *cmd,
		       bool coded)
{
	if (coded)
		return simcom_send(l->s, cmd, "AT+CIPSEND=%u%s", l->slot,
				   l->s->coded_comma ? "," : "");

	return simcom_send(l->s, cmd, "AT+CIPSEND=%u,%u", l->slot,
			   (unsigned int)l->send_len);
}

int simcom_send_data(void *d, unsigned int slot, const uint8_t *b, size_t len,
		     const struct driver_to *to)
{
	struct simcom *s = d;
	struct simcom_link *l = &s->links[slot];
	bool coded = s->env.modem->send_coding == CONFIG_CODING_CTRLZ &&
		     !l->inbound;
	uint8_t code[2 * SIMCOM_BLOCK + 1];
	struct at_command cmd = {
		.timeout_ms = SIMCOM_FINAL_MS,
		.payload = coded ? code : b,
		.payload_len = len,
		.coded = coded,
		.done = send_done,
		.ctx = l,
	};
	int err;

	if (len > SIMCOM_BLOCK || (to && !l->udp))
		return -EINVAL;
	if (coded)
		cmd.payload_len = encode(b, len, code);
	l->send_len = len;
	l->coded = coded;
	err = l->udp ? send_datagram(l, &cmd, coded, to) :
		       send_stream(l, &cmd, coded);
	if (!err)
		simcom_link_begin(l, &l->sending);

	return err;
}

