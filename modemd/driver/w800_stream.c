/* SPDX-License-Identifier: MIT */

/*
 * The bytes of passthrough: W800 manual, CIPSEND and +++. All that comes is
 * payload, until +++ has taken effect: then the module frames it again, as in
 * active mode.
 *
 * Down, three pluses with 30 ms of silence around them would take the module
 * out of data mode. They do so only when they are ours: a client's third plus
 * waits until it cannot belong to the two before it any more.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/timer.h"
#include "driver/w800_private.h"

/* Firmware without one, and a peer that begins with "\r\n>": these three are
 * taken for it. */
#define PROMPT_MS	200	/* for a '>', which not all have (Q96) */
#define GUARD_MS	100	/* more than 30 ms, and what a port may add */
#define REST_MS		1200	/* "wait at least 1 second" */
#define DRAIN_MS	5000	/* our output may wait so long */
#define PLUS_BEFORE_MS	10	/* a shorter pause cannot be taken for 30 */
#define PLUS_PAUSE_MS	100	/* more than 30 ms between two of them */
#define WRITE_MAX	2048
#define KERNEL_MAX	4096	/* bytes that a tty holds */
#define BACKLOG_MAX	65536	/* bytes that kernel and module may hold */

static int64_t now_ms(const struct w800 *w)
{
	return timers_mono_ms(w->env.timers);
}

static void give(struct w800 *w, const uint8_t *data, size_t len)
{
	if (len > 0)
		w->env.events->lease_data(w->env.up, data, len);
}

/* ----------------------------------------------------------- the beginning */

static void begin_data(struct w800 *w)
{
	struct w800_stream *st = &w->stream;

	timer_stop(st->timer);
	st->state = STREAM_DATA;
	w800_lease_begun(w);
}

/* "\r\n>" is the prompt; all else is payload, and no prompt came. Returns the
 * bytes that were used up. */
static size_t skip_prompt(struct w800 *w, const uint8_t *data, size_t len)
{
	static const uint8_t prompt[] = { '\r', '\n', '>' };
	struct w800_stream *st = &w->stream;
	unsigned int kept;
	size_t i;

	for (i = 0; i < len; i++) {
		if (data[i] == '>') {
			begin_data(w);
			return i + 1;
		}
		if (data[i] != prompt[st->matched])
			break;
		st->matched++;
	}
	if (i == len)
		return len;
	kept = st->matched;
	begin_data(w);
	give(w, prompt, kept < 2 ? kept : 2);

	return i;
}

/* ------------------------------------------------------------------- escape */

static void note_written(struct w800 *w, size_t len)
{
	struct w800_stream *st = &w->stream;
	int64_t now = now_ms(w);
	int64_t most = now + at_channel_line_ms(w->env.channel, BACKLOG_MAX);

	st->wrote_ms = now;
	if (st->left_ms < now)
		st->left_ms = now;
	st->left_ms += at_channel_line_ms(w->env.channel, len);
	if (st->left_ms > most)
		st->left_ms = most;
}

/* Bytes still wait, or the last one has not been gone for long enough. */
static uint32_t pause_left(struct w800 *w)
{
	struct w800_stream *st = &w->stream;
	int64_t now = now_ms(w), until = st->left_ms + GUARD_MS;

	if (at_channel_raw_unsent(w->env.channel) > 0) {
		st->left_ms = now;
		return GUARD_MS;
	}

	return until > now ? (uint32_t)(until - now) : 0;
}

void w800_stream_escape(struct w800 *w)
{
	struct w800_stream *st = &w->stream;

	if (st->state != STREAM_DATA)	/* it is on its way already */
		return;
	timer_stop(st->pause);
	st->waited_from_ms = now_ms(w);
	st->state = STREAM_PAUSE;
	timer_start(st->timer, pause_left(w));
}

static void left_data(struct w800 *w)
{
	timer_stop(w->stream.timer);
	w->stream.state = STREAM_OFF;
	(void)at_channel_set_raw(w->env.channel, NULL, NULL);
	w800_lease_escaped(w);
}

static void write_escape(struct w800 *w)
{
	struct w800_stream *st = &w->stream;
	uint32_t left = pause_left(w);

	if (left > 0 && now_ms(w) - st->waited_from_ms < DRAIN_MS +
	    (int64_t)at_channel_line_ms(w->env.channel, BACKLOG_MAX)) {
		timer_start(st->timer, left);
		return;
	}
	if (at_channel_write_raw(w->env.channel, "+++", 3)) {
		left_data(w);
		return;
	}
	note_written(w, 3);
	st->state = STREAM_REST;
	timer_start(st->timer, REST_MS);
}

void w800_stream_timer(void *ctx)
{
	struct w800 *w = ctx;
	static const uint8_t start[] = { '\r', '\n' };
	unsigned int kept = w->stream.matched;

	switch (w->stream.state) {
	case STREAM_PROMPT:		/* this firmware has none */
		begin_data(w);
		give(w, start, kept < 2 ? kept : 2);
		break;
	case STREAM_PAUSE:
		write_escape(w);
		break;
	case STREAM_REST:
		left_data(w);
		break;
	case STREAM_DATA:
	case STREAM_OFF:
		break;
	}
}

/* ----------------------------------------------------------------------- up */

/* Where the module begins to frame again: at "+IPD," at the start of a line,
 * or @len. */
static size_t find_frame(const uint8_t *data, size_t len)
{
	const uint8_t *p = memmem(data, len, "\r\n+IPD,", 7);

	if (len >= 5 && memcmp(data, "+IPD,", 5) == 0)
		return 0;

	return p ? (size_t)(p - data) : len;
}

static size_t on_input(void *ctx, const uint8_t *data, size_t len)
{
	struct w800 *w = ctx;
	size_t used = 0, n;

	if (w->stream.state == STREAM_PROMPT)
		used = skip_prompt(w, data, len);
	if (w->stream.state != STREAM_REST) {
		give(w, data + used, len - used);
		return len;
	}
	n = find_frame(data, len);
	give(w, data, n);
	if (n < len)
		left_data(w);	/* what follows are lines */

	return n;
}

/* --------------------------------------------------------------------- down */

/* How many of @len may go now: not the third plus after a silence. */
static size_t may_write(struct w800 *w, const uint8_t *data, size_t len,
			unsigned int *pluses)
{
	struct w800_stream *st = &w->stream;
	bool silence = now_ms(w) - st->wrote_ms >= PLUS_BEFORE_MS;
	bool apart = now_ms(w) - st->left_ms >= PLUS_PAUSE_MS;
	size_t i;

	*pluses = st->pluses;
	for (i = 0; i < len; i++, silence = false, apart = false) {
		if (data[i] != '+')
			*pluses = 0;
		else if (*pluses == 2 && !apart)
			break;
		else if (*pluses > 0 && !apart)
			++*pluses;
		else if (silence)
			*pluses = 1;
	}

	return i;
}

/* From when the two before it have left. */
static void pause_before_plus(struct w800 *w)
{
	int64_t now = now_ms(w), until = w->stream.left_ms;

	timer_start(w->stream.pause, PLUS_PAUSE_MS +
		    (until > now ? (uint32_t)(until - now) : 0));
}

size_t w800_lease_write(void *d, const uint8_t *data, size_t len)
{
	struct w800 *w = d;
	struct w800_stream *st = &w->stream;
	unsigned int pluses;
	size_t n;

	st->full = true;
	if (st->state != STREAM_DATA || timer_pending(st->pause) ||
	    at_channel_raw_unwritten(w->env.channel) > 0)
		return 0;

	n = may_write(w, data, len < WRITE_MAX ? len : WRITE_MAX, &pluses);
	if (n > 0 && at_channel_write_raw(w->env.channel, data, n))
		return 0;
	if (n > 0) {
		st->pluses = pluses;
		note_written(w, n);
	}
	if (n < len && n < WRITE_MAX)
		pause_before_plus(w);
	else
		st->full = n == 0;

	return n;
}

static void writable(struct w800 *w)
{
	if (!w->stream.full || w->stream.state != STREAM_DATA)
		return;
	w->stream.full = false;
	w->env.events->lease_writable(w->env.up);
}

void w800_stream_pause_timer(void *ctx)
{
	struct w800 *w = ctx;

	if (at_channel_raw_unsent(w->env.channel) > 0)
		pause_before_plus(w);
	else
		writable(w);
}

/* The kernel still has some of it, and may have had none for a while. */
static void on_drained(void *ctx)
{
	struct w800 *w = ctx;
	struct w800_stream *st = &w->stream;
	int64_t left = now_ms(w) + at_channel_line_ms(w->env.channel,
						      KERNEL_MAX);

	if (st->left_ms < left)
		st->left_ms = left;
	if (timer_pending(st->pause))
		pause_before_plus(w);
	else
		writable(w);
}

/* ----------------------------------------------------------------- its life */

static const struct at_raw_ops raw_ops = {
	.input		= on_input,
	.drained	= on_drained,
};

int w800_stream_begin(struct w800 *w)
{
	struct w800_stream *st = &w->stream;
	int err;

	err = at_channel_set_raw(w->env.channel, &raw_ops, w);
	if (err)
		return err;

	st->state = STREAM_PROMPT;
	st->matched = 0;
	st->pluses = 0;
	st->full = false;
	/* What we wrote last was a command: count it as silence, which is the
	 * careful side. */
	st->wrote_ms = now_ms(w) - GUARD_MS;
	st->left_ms = now_ms(w);
	timer_start(st->timer, PROMPT_MS);

	return 0;
}

void w800_stream_reset(struct w800 *w)
{
	struct w800_stream *st = &w->stream;

	timer_stop(st->timer);
	timer_stop(st->pause);
	if (st->state != STREAM_OFF)
		(void)at_channel_set_raw(w->env.channel, NULL, NULL);
	st->state = STREAM_OFF;
	st->full = false;
}
