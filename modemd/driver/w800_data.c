/* SPDX-License-Identifier: MIT */

/* The bytes of links: CIPSEND and CIPRECVDATA. What is pushed is in
 * w800_receive.c. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/config.h"
#include "driver/w800_private.h"

#define SEND_MARGIN_MS	5000	/* beyond CIPTCPOPT's own deadline */

/* ------------------------------------------------------------------ sending */

/* OK means "write it now", SEND OK "in the stack": W800 manual, CIPSEND. A
 * ">" may come as well (Q96). */
int w800_send_command(struct w800 *w, struct at_command *cmd,
		      const char *suffix, size_t len)
{
	const struct w800_send *s = &w->sending;
	uint32_t send_ms = w->links[s->slot].send_ms;

	/* What is set in the slot holds for an accepted one, too. */
	if (send_ms < w->tcp_left[s->slot].send_timeout_ms)
		send_ms = w->tcp_left[s->slot].send_timeout_ms;
	cmd->timeout_ms = w->env.links->send_timeout_ms + send_ms +
			  SEND_MARGIN_MS;
	cmd->ok_prompts = true;

	if (s->to.address)
		return w800_send_line(w, cmd, "AT+CIPSEND%s=%u,%u,%q,%u",
				      suffix, s->slot, (unsigned int)len,
				      s->to.address, s->to.port);

	return w800_send_line(w, cmd, "AT+CIPSEND%s=%u,%u", suffix, s->slot,
			      (unsigned int)len);
}

static int send_bytes(struct w800 *w, struct at_command *cmd)
{
	const struct w800_send *s = &w->sending;

	cmd->payload = s->data;
	cmd->payload_len = s->len;

	return w800_send_command(w, cmd, "", s->len);
}

/* Some firmware takes less than the manual's 5760. Anything else is the end
 * of the link. */
enum w800_verdict w800_judge_send(struct w800 *w, int err,
				  const struct at_answer *a)
{
	if (!err) {
		w->sending.taken = w->sending.len;
		return V_DONE;
	}
	w800_say(&w->job, "%s", w800_words(a));
	w->job.err = w->sending.len > 512 && w->sending.taken == 0 &&
		     strcmp(a->detail, "too long") == 0 ? -EMSGSIZE :
		     -ECONNABORTED;

	return V_FAIL;
}

static const struct w800_step send_steps[] = {
	{ .send = send_bytes, .judge = w800_judge_send },
	{ NULL }
};

/* The peer's close first: then a send that failed does not end the link
 * before what the module still holds for it was read. */
static void end_send(struct w800 *w, int err)
{
	struct w800_send *s = &w->sending;
	struct w800_link *l = &w->links[s->slot];
	const struct driver_events *ev = w->env.events;
	bool closed = l->close_pending;

	s->running = false;
	l->close_pending = false;
	if (closed && err != -ENODEV)
		ev->closed(w->env.up, s->slot, DRIVER_CLOSE_PEER, "CLOSED");
	ev->sent(w->env.up, s->slot, s->taken, err,
		 err ? w->job.text : "");
}

int w800_send(void *d, unsigned int slot, const uint8_t *buf, size_t len,
	      const struct driver_to *to)
{
	struct w800 *w = d;
	bool coded = w->env.modem->send_coding == CONFIG_CODING_CTRLZ;
	struct w800_send *s = &w->sending;
	int err;

	if (len > W800_BLOCK)
		return -EINVAL;
	if (w->job.list || w800_ping_due(w))
		return -EBUSY;

	s->slot = slot;
	s->len = len;
	s->taken = 0;
	s->data = buf;
	s->to.address = NULL;
	if (coded)
		memcpy(s->copy, buf, len);
	if (to && !w800_udp_is_remote(w, slot, to))
		s->to = *to;
	err = w800_run(w, coded ? w800_coded : send_steps, end_send);
	s->running = !err;
	s->data = NULL;		/* the channel has copies */
	s->to.address = NULL;

	return err;
}

/* ------------------------------------------------------------------ pulling */

static int send_pull(struct w800 *w, struct at_command *cmd);
static void pull_line(struct w800 *w, const struct at_line *line);

/* ERROR: there is nothing. */
static enum w800_verdict judge_pull(struct w800 *w, int err,
				    const struct at_answer *a)
{
	(void)a;
	if (err)
		w->pulling.none = true;
	else if (w->pulling.bad)
		w->job.err = -EBADMSG;

	return w->job.err ? V_FAIL : V_DONE;
}

/* An address may stand before the data, or not: it must be known. */
static int settle_source(struct w800 *w, struct at_command *cmd)
{
	return w->dinfo_unsure ? w800_send_source_off(w, cmd) : 1;
}

static const struct w800_step pull_steps[] = {
	{ .send = settle_source, .judge = w800_judge_source_off },
	{ .send = send_pull, .line = pull_line, .judge = judge_pull,
	  .accept = { R_RECVDATA + 1, R_RECVDATA_COMMA + 1,
		      R_RECVDATA_COLON + 1, R_RECVDATA_LINK + 1,
		      R_RECVDATA_FROM + 1 } },
	{ NULL }
};

static void pull_data(void *ctx, const uint8_t *data, size_t len, bool last)
{
	struct w800_job *job = ctx;
	struct w800_pull *p = &job->w->pulling;

	(void)last;
	if (!w800_runs(job, pull_steps))
		return;
	if (len > sizeof(p->buf) - p->len) {	/* answered twice */
		p->bad = true;
		return;
	}
	memcpy(p->buf + p->len, data, len);
	p->len += len;
}

static int send_pull(struct w800 *w, struct at_command *cmd)
{
	const struct w800_pull *p = &w->pulling;

	cmd->answer_max = p->max;
	cmd->variant = w->dinfo ? W800_SOURCE : W800_BARE;
	cmd->data = pull_data;

	return w800_send_line(w, cmd, "AT+CIPRECVDATA=%u,%u", p->slot,
			      (unsigned int)p->max);
}

static void pull_line(struct w800 *w, const struct at_line *line)
{
	struct w800_pull *p = &w->pulling;

	if (line->rule == &w800_rules[R_RECVDATA_LINK])
		p->bad |= line->args[0] != (long)p->slot;
}

/*
 * More is announced; or may be there, since all that was asked for has come:
 * what follows an announcement has none until all was read. A whole window is
 * all that the module has had.
 */
static long rest_of(const struct w800 *w)
{
	const struct w800_pull *p = &w->pulling;

	if (p->none || p->len == 0)
		return 0;
	if (p->had > p->len)
		return (long)(p->had - p->len);

	return p->len == p->max && (p->had == 0 || p->max < W800_BLOCK);
}

static void end_pull(struct w800 *w, int err)
{
	struct w800_pull *p = &w->pulling;
	const struct driver_events *ev = w->env.events;
	long rest = err ? -1 : rest_of(w);

	/* What a notice has told meanwhile is of now. */
	if (rest > 0 && w->links[p->slot].cached == 0)
		w->links[p->slot].cached = (size_t)rest;
	if (!err && p->len > 0)
		ev->data(w->env.up, p->slot, p->buf, p->len, NULL, true);
	ev->pulled(w->env.up, p->slot, rest, err);
}

int w800_pull(void *d, unsigned int slot, size_t max)
{
	struct w800 *w = d;
	struct w800_pull *p = &w->pulling;
	int err;

	if (w->job.list || w800_ping_due(w))
		return -EBUSY;
	p->slot = slot;
	p->max = max < W800_BLOCK ? max : W800_BLOCK;
	p->len = 0;
	p->bad = false;
	p->none = false;
	p->had = w->links[slot].cached;
	err = w800_run(w, pull_steps, end_pull);
	if (!err)
		w->links[slot].cached = 0;

	return err;
}
