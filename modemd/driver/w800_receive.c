/* SPDX-License-Identifier: MIT */

/*
 * Pull or push, and what is pushed: W800 manual, CIPRECVMODE, CIPDINFO.
 *
 *	+IPD,3,100:<100 bytes>
 *	+IPD,3,100,"192.0.2.1",53:<100 bytes>	CIPDINFO=1
 *
 * What the module has buffered when push begins, it sends then.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "at/text.h"
#include "base/timer.h"
#include "driver/w800_private.h"

#define SETTLE_MS	2	/* behind a block something would have come */
#define LINE_TRIES	50	/* so long for the line that has begun there */

/* ---------------------------------------------------------- change of mode */

static void take_mode(struct w800 *w, const struct at_line *line)
{
	w->push.said = line->args[0];
}

/* As long as nobody has answered, it may be either. */
static int send_source(struct w800 *w, struct at_command *cmd, bool on)
{
	int err = w800_send_line(w, cmd, "AT+CIPDINFO=%u", on ? 1U : 0U);

	w->dinfo_unsure |= !err;

	return err;
}

static int send_source_on(struct w800 *w, struct at_command *cmd)
{
	return send_source(w, cmd, true);
}

int w800_send_source_off(struct w800 *w, struct at_command *cmd)
{
	return send_source(w, cmd, false);
}

/* Refused it is what it was: where it was not known, as at the start. */
static enum w800_verdict judge_source(struct w800 *w, int err, bool on)
{
	if (!err)
		w->dinfo = on;
	w->dinfo_unsure = false;

	return V_NEXT;
}

static enum w800_verdict judge_source_on(struct w800 *w, int err,
					 const struct at_answer *a)
{
	(void)a;

	return judge_source(w, err, true);
}

enum w800_verdict w800_judge_source_off(struct w800 *w, int err,
					const struct at_answer *a)
{
	(void)a;

	return judge_source(w, err, false);
}

static enum w800_verdict judge_set(struct w800 *w, int err,
				   const struct at_answer *a)
{
	if (err) {
		w800_say(&w->job, "%s", w800_words(a));
		return V_FAIL;
	}
	w->push.mode = w->push.want;
	w->push.said = -1;

	return V_NEXT;
}

/* Not every firmware knows the question; its OK before must do. */
static enum w800_verdict judge_said(struct w800 *w, int err,
				    const struct at_answer *a)
{
	struct w800_push *p = &w->push;

	(void)a;
	if (err || p->said < 0 || (p->said == 0) == (p->want == DRIVER_PUSH))
		return V_NEXT;
	p->mode = p->said == 0 ? DRIVER_PUSH : DRIVER_PULL;
	w->job.err = -EREMOTEIO;

	return V_FAIL;
}

#define SAID \
	{ .text = "AT+CIPRECVMODE?", .accept = { R_RECVMODE + 1 }, \
	  .line = take_mode, .judge = judge_said }

static const struct w800_step to_push[] = {
	{ .send = send_source_on, .judge = judge_source_on },
	{ .text = "AT+CIPRECVMODE=0", .judge = judge_set },
	SAID,
	{ NULL }
};

/* In pull mode an address would only cost the line. */
static const struct w800_step to_pull[] = {
	{ .text = "AT+CIPRECVMODE=1", .judge = judge_set },
	SAID,
	{ .send = w800_send_source_off, .judge = w800_judge_source_off },
	{ NULL }
};

static void end_switch(struct w800 *w, int err)
{
	w800_push_settled(w);
	w->env.events->receiving(w->env.up, w->push.mode, err);
}

int w800_receive(void *d, enum driver_receive mode)
{
	struct w800 *w = d;

	if (w->job.list)
		return -EBUSY;
	w->push.want = mode;

	return w800_run(w, mode == DRIVER_PUSH ? to_push : to_pull,
			end_switch);
}

/* ---------------------------------------------------------- what is pushed */

static void forget(struct w800_push *p)
{
	timer_stop(p->settle);
	p->due = false;
	p->held = false;
}

static void lost(struct w800 *w)
{
	forget(&w->push);
	w->env.events->push_lost(w->env.up);
}

/* A block that has lost a byte ends in what comes after it: it is given on
 * when a line was read behind it, or nothing came. */
void w800_push_settled(void *ctx)
{
	struct w800 *w = ctx;
	struct w800_push *p = &w->push;

	if (!p->held)
		return;
	forget(p);
	w->env.events->data(w->env.up, p->slot, p->buf, p->len,
			    p->from[0] ? p->from : NULL, true);
}

/* A line that has begun behind a block may tell that it was torn. */
void w800_push_due(void *ctx)
{
	struct w800 *w = ctx;

	if (w->push.held && w->push.tries++ < LINE_TRIES &&
	    at_channel_in_line(w->env.channel))
		timer_start(w->push.settle, SETTLE_MS);
	else
		w800_push_settled(w);
}

/* "" when it is not an address and a port. */
static void take_from(struct w800_push *p, const struct at_line *line)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr any;
	long port = line->args[2];

	p->from[0] = '\0';
	if (line->rule != &w800_rules[R_IPD_FROM] || port < 0 || port > 65535)
		return;
	at_text_copy(text, sizeof(text), &line->strs[0]);
	if (inet_pton(AF_INET, text, &any) == 1)
		snprintf(p->from, sizeof(p->from), "%s:%ld", text, port);
	else if (inet_pton(AF_INET6, text, &any) == 1)
		snprintf(p->from, sizeof(p->from), "[%s]:%ld", text, port);
}

/* The parser has checked the count, and brings as many bytes. */
bool w800_push_line(struct w800 *w, const struct at_line *line)
{
	struct w800_push *p = &w->push;
	long slot = line->args[0];

	w800_push_settled(w);
	if (line->rule != &w800_rules[R_IPD] &&
	    line->rule != &w800_rules[R_IPD_FROM])
		return false;
	p->slot = slot >= 0 && slot < W800_LINKS ? (unsigned int)slot :
		  W800_LINKS;
	p->len = 0;
	p->due = line->args[1] > 0;
	take_from(p, line);

	return true;
}

/* One that is cut, or has no such link, is nobody's. No bytes at all: input
 * was lost. */
void w800_push_data(void *d, const uint8_t *data, size_t len, bool last)
{
	struct w800 *w = d;
	struct w800_push *p = &w->push;

	if (!p->due || len > sizeof(p->buf) - p->len || len == 0 ||
	    p->slot >= W800_LINKS) {
		lost(w);
		return;
	}
	memcpy(p->buf + p->len, data, len);
	p->len += len;
	if (!last)
		return;
	p->due = false;
	p->held = true;
	p->tries = 0;
	timer_start(p->settle, SETTLE_MS);
}

void w800_push_reset(struct w800 *w)
{
	w->push.mode = DRIVER_PULL;
	forget(&w->push);
}
