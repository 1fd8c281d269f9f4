/* SPDX-License-Identifier: MIT */

/*
 * Data that comes unasked: A7600 manual 1.2, 2.5, 2.8, 2.9, 2.13.
 *
 *	RECV FROM:192.0.2.1:53		CIPSRIP=1: where it is from
 *	+RECEIVE,3,100			CIPCCFG HeaderType 1: of link 3
 *	<100 bytes>
 *
 * HeaderType 0 is "+IPD100" and names no link. Without CIPHEAD=1 there is no
 * count at all, and bytes could not be told from lines.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "at/text.h"
#include "base/timer.h"
#include "driver/simcom_private.h"

#define SETTLE_MS	2	/* behind a block something would have come */

/* ---------------------------------------------------------- what is pushed */

static void forget(struct simcom_push *p)
{
	timer_stop(p->settle);
	p->announced = false;
	p->due = false;
	p->held = false;
	p->from[0] = '\0';
}

static void lost(struct simcom *s)
{
	forget(&s->push);
	s->env.events->push_lost(s->env.up);
}

/*
 * A block that lost a byte ends in what comes after it, and that is noticed at
 * the next byte: it is given on when a line was read behind it, or none came.
 */
void simcom_push_settled(void *ctx)
{
	struct simcom *s = ctx;
	struct simcom_push *p = &s->push;
	const struct driver_events *ev = s->env.events;
	char from[DRIVER_ADDRESS_MAX];

	if (!p->held)
		return;
	memcpy(from, p->from, sizeof(from));
	forget(p);
	if (p->slot == SIMCOM_LINKS)
		lost(s);	/* there is none: the header was damaged */
	else if (p->named)
		ev->data(s->env.up, p->slot, p->buf, p->len,
			 from[0] ? from : NULL, true);
	else
		ev->push_unnamed(s->env.up, p->buf, p->len,
				 from[0] ? from : NULL);
}

/* ---------------------------------------------------------- change of mode */

/* One command; its answer's field must have that value. */
struct step {
	const char *text;
	signed char rule;	/* of its answer, R_ + 1; 0: only OK */
	unsigned char field;
	long value;
	bool sets_mode;
};

/* Empty fields leave the other settings of CIPCCFG as they are. */
static const struct step to_push[] = {
	{ .text = "AT+CIPHEAD=1" },
	{ .text = "AT+CIPSRIP=1" },
	{ .text = "AT+CIPCCFG=,,,,1" },
	{ "AT+CIPCCFG?", R_CIPCCFG + 1, .field = 4, .value = 1 },
	{ .text = "AT+CIPRXGET=0", .sets_mode = true },
	{ "AT+CIPRXGET?", R_RXGET_MODE + 1, .field = 0, .value = 0 },
	{ NULL }
};
#define PREPARED	4	/* where the mode itself begins */

static const struct step to_pull[] = {
	{ .text = "AT+CIPRXGET=1", .sets_mode = true },
	{ "AT+CIPRXGET?", R_RXGET_MODE + 1, .field = 0, .value = 1 },
	{ NULL }
};

static const struct step *current(const struct simcom_push *p)
{
	return &(p->want == DRIVER_PUSH ? to_push : to_pull)[p->step];
}

static void end_switch(struct simcom *s, int err)
{
	simcom_push_settled(s);
	timer_stop(s->push.turn);
	s->push.running = false;
	s->env.events->receiving(s->env.up, s->push.mode, err);
}

static void switch_line(void *ctx, const struct at_line *line)
{
	struct simcom *s = ctx;

	if (s->push.running)
		s->push.answer = line->args[current(&s->push)->field];
}

static void switch_done(void *ctx, int err, const struct at_answer *a)
{
	struct simcom *s = ctx;
	struct simcom_push *p = &s->push;
	const struct step *step = current(p);

	(void)a;
	if (!p->running)
		return;
	/* Not every firmware knows the question; its OK before must do. */
	if (err == -EREMOTEIO && step->rule == R_RXGET_MODE + 1)
		err = 0;
	else if (!err && step->rule && p->answer != step->value)
		err = -EREMOTEIO;
	if (!err && step->sets_mode)
		p->mode = p->want;
	if (err) {
		/* It said OK, and is not in that mode. */
		if (step->rule && err == -EREMOTEIO && p->step >= PREPARED)
			p->mode = DRIVER_PULL;
		end_switch(s, err);
		return;
	}
	p->step++;
	timer_start(p->turn, 0);	/* when this input was read */
}

static int send_step(struct simcom *s)
{
	struct simcom_push *p = &s->push;
	struct at_command cmd = {
		.accept = p->accept,
		.timeout_ms = SIMCOM_FINAL_MS,
		.line = switch_line,
		.done = switch_done,
		.ctx = s,
	};

	p->accept[0] = (signed char)(current(p)->rule - 1);
	p->accept[1] = -1;
	p->answer = -1;

	return simcom_send(s, &cmd, "%s", current(p)->text);
}

void simcom_push_turn(void *ctx)
{
	struct simcom *s = ctx;
	int err;

	if (!current(&s->push)->text) {
		s->push.prepared |= s->push.want == DRIVER_PUSH;
		end_switch(s, 0);
		return;
	}
	err = send_step(s);
	if (err)
		end_switch(s, err);
}

int simcom_receive(void *d, enum driver_receive mode)
{
	struct simcom *s = d;
	struct simcom_push *p = &s->push;
	int err;

	if (p->running)
		return -EBUSY;
	p->want = mode;
	p->step = mode == DRIVER_PUSH && p->prepared ? PREPARED : 0;
	err = send_step(s);
	p->running = !err;

	return err;
}

/* Pull is where the network begins. */
void simcom_push_begin(struct simcom *s)
{
	s->push.mode = DRIVER_PULL;
	s->push.prepared = false;
}

void simcom_push_reset(struct simcom *s)
{
	simcom_push_begin(s);
	forget(&s->push);
	if (s->push.running)
		end_switch(s, -ENODEV);
}

/* -------------------------------------------------------- headers and bytes */

/* "" when it is not an address and a port. */
static void take_from(struct simcom_push *p, const struct at_line *line)
{
	char text[DRIVER_ADDRESS_MAX], address[INET_ADDRSTRLEN];
	struct in_addr any;
	unsigned int port;

	p->announced = true;
	p->from[0] = '\0';
	at_text_copy(text, sizeof(text), &line->strs[0]);
	if (sscanf(text, "%15[0-9.]:%5u", address, &port) == 2 &&
	    inet_pton(AF_INET, address, &any) == 1 && port <= 65535)
		snprintf(p->from, sizeof(p->from), "%s:%u", address, port);
}

/* The parser has checked the count, and brings as many bytes. */
static void take_header(struct simcom_push *p, bool named, long slot,
			long count)
{
	p->named = named;
	p->slot = slot >= 0 && slot < SIMCOM_LINKS ? (unsigned int)slot :
		  SIMCOM_LINKS;
	p->len = 0;
	p->due = count > 0;
	p->announced = false;
	if (!p->due)
		p->from[0] = '\0';
}

bool simcom_push_line(struct simcom *s, const struct at_line *line)
{
	struct simcom_push *p = &s->push;
	long rule = line->rule - simcom_rules;

	simcom_push_settled(s);
	switch (rule) {
	case R_IPCLOSE:
	case R_IPCLOSE_BARE:
		/* Its header was lost, with what it counted. */
		if (p->announced)
			lost(s);
		break;
	case R_RECV_FROM:
	case R_RECV_FROM_PLUS:
		take_from(p, line);
		return true;
	case R_RECEIVE:
	case R_RECEIVE_COLON:
		take_header(p, true, line->args[0], line->args[1]);
		return true;
	case R_IPD:
	case R_IPD_PARENS:
		take_header(p, false, 0, line->args[0]);
		return true;
	}

	return false;
}

/* One that is cut is nobody's. No bytes at all: input was lost. */
void simcom_push_data(void *d, const uint8_t *data, size_t len, bool last)
{
	struct simcom *s = d;
	struct simcom_push *p = &s->push;

	if (!p->due || len > sizeof(p->buf) - p->len || len == 0) {
		lost(s);
		return;
	}
	memcpy(p->buf + p->len, data, len);
	p->len += len;
	if (!last)
		return;
	p->due = false;
	p->held = true;
	timer_start(p->settle, SETTLE_MS);
}
