/* SPDX-License-Identifier: MIT */

/*
 * The bytes of a transparent session: A7600 manual 1.2, 4.
 *
 * Up, all of it is payload. What looks like the modem's last words (CLOSED,
 * NO CARRIER, ...) alone in a line and with silence behind it is held back
 * until a query in command mode has shown whether the session has ended.
 *
 * Down, three pluses with a pause around them would take the modem out of data
 * mode. They do so only when they are ours: a client's third plus waits until
 * it cannot belong to the two before it any more.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/timer.h"
#include "driver/simcom_private.h"

#define GUARD_MS	1100	/* more than 1000 ms before and after +++ */
#define OK_EARLY_MS	900	/* an OK before that is payload */
#define OK_MS		800	/* for the OK, after the second pause */
#define ESCAPES		2
#define DTR_MS		1000
#define DRAIN_MS	5000	/* our output may wait so long */
#define PLUS_BEFORE_MS	700	/* a shorter pause cannot be taken for 1000 */
#define PLUS_PAUSE_MS	1000	/* more than 900 ms between two of them */
#define WORDS_MS	300	/* silence after what may be last words */
#define PART_MS		40	/* a line comes in one piece */
#define WRITE_MAX	4096
#define KERNEL_MAX	4096	/* bytes that a tty holds */
#define BACKLOG_MAX	65536	/* bytes that kernel and modem may hold */
#define HELD_MAX	1048576

/* ------------------------------------------------------------- what is held */

static size_t find_words(const struct simcom_stream *st, enum simcom_fit *fit,
			 enum simcom_words *what)
{
	return simcom_find_words(st->held, st->held_len, st->at_start, fit,
				 what);
}

static void give(struct simcom *s, size_t len)
{
	struct simcom_stream *st = &s->stream;

	if (len == 0)
		return;
	st->at_start = false;
	s->env.events->lease_data(s->env.up, st->held, len);
	st->held_len -= len;
	memmove(st->held, st->held + len, st->held_len);
	st->ok_from = st->ok_from > len ? st->ok_from - len : 0;
}

static bool hold(struct simcom_stream *st, const uint8_t *data, size_t len)
{
	size_t size = st->held_size ? st->held_size : 4096;
	uint8_t *p;

	while (size < st->held_len + len)
		size *= 2;
	if (size > st->held_size) {
		p = realloc(st->held, size);
		if (!p)
			return false;
		st->held = p;
		st->held_size = size;
	}
	memcpy(st->held + st->held_len, data, len);
	st->held_len += len;

	return true;
}

enum simcom_words simcom_stream_words(const struct simcom *s)
{
	enum simcom_words what;
	enum simcom_fit fit;

	(void)find_words(&s->stream, &fit, &what);

	return what;
}

enum simcom_words simcom_stream_deliver(struct simcom *s, bool alive)
{
	struct simcom_stream *st = &s->stream;
	enum simcom_words what = WORDS_NONE;
	size_t len = st->held_len;
	enum simcom_fit fit;

	if (!alive)
		len = find_words(st, &fit, &what);
	give(s, len);
	st->held_len = 0;

	return what;
}

/* What cannot be last words goes up at once. */
static void sift(struct simcom *s)
{
	struct simcom_stream *st = &s->stream;
	enum simcom_words what;
	enum simcom_fit fit;

	give(s, find_words(st, &fit, &what));
	if (fit == FIT_ALL)
		timer_start(st->timer, WORDS_MS);
	else if (fit == FIT_PART)
		timer_start(st->timer, PART_MS);
	else
		timer_stop(st->timer);
}

/* ------------------------------------------------------------------- escape */

static int64_t now_ms(const struct simcom *s)
{
	return timers_mono_ms(s->env.timers);
}

static void note_written(struct simcom *s, size_t len)
{
	struct simcom_stream *st = &s->stream;
	int64_t now = now_ms(s);
	int64_t most = now + at_channel_line_ms(s->env.channel, BACKLOG_MAX);

	st->wrote_ms = now;
	if (st->left_ms < now)
		st->left_ms = now;
	st->left_ms += at_channel_line_ms(s->env.channel, len);
	if (st->left_ms > most)
		st->left_ms = most;
}

static void left_data(struct simcom *s, bool ok)
{
	timer_stop(s->stream.timer);
	if (s->stream.state == STREAM_DTR)
		(void)at_channel_set_dtr(s->env.channel, true);
	s->stream.state = STREAM_OFF;
	(void)at_channel_set_raw(s->env.channel, NULL, NULL);
	simcom_lease_escaped(s, ok);
}

/* Bytes still wait, or the last one has not been gone for long enough. */
static uint32_t pause_left(struct simcom *s)
{
	struct simcom_stream *st = &s->stream;
	int64_t now = now_ms(s), until = st->left_ms + GUARD_MS;

	/* By then they may have gone, and then for so long. */
	if (at_channel_raw_unsent(s->env.channel) > 0) {
		st->left_ms = now;
		return GUARD_MS;
	}

	return until > now ? (uint32_t)(until - now) : 0;
}

static void begin_pause(struct simcom *s)
{
	s->stream.state = STREAM_PAUSE;
	timer_start(s->stream.timer, pause_left(s));
}

void simcom_stream_escape(struct simcom *s)
{
	struct simcom_stream *st = &s->stream;

	if (st->state != STREAM_DATA)	/* it is on its way already */
		return;
	timer_stop(st->pause);
	st->tries = 0;
	st->waited_from_ms = now_ms(s);
	begin_pause(s);
}

static void write_escape(struct simcom *s)
{
	struct simcom_stream *st = &s->stream;
	uint32_t left = pause_left(s);

	if (left > 0 && now_ms(s) - st->waited_from_ms < DRAIN_MS +
	    (int64_t)at_channel_line_ms(s->env.channel, BACKLOG_MAX)) {
		timer_start(st->timer, left);
		return;
	}
	st->tries++;
	st->ok_from = st->held_len;
	if (at_channel_write_raw(s->env.channel, "+++", 3)) {
		left_data(s, false);
		return;
	}
	note_written(s, 3);
	st->pluses = 0;
	st->state = STREAM_ESCAPE;
	timer_start(st->timer, GUARD_MS + OK_MS);
}

/* A port that has no such line says so: then it was no use. */
static void drop_dtr(struct simcom *s)
{
	if (!s->lease.dtr || at_channel_set_dtr(s->env.channel, false)) {
		left_data(s, false);
		return;
	}
	s->stream.state = STREAM_DTR;
	s->stream.ok_from = s->stream.held_len;
	timer_start(s->stream.timer, DTR_MS);
}

void simcom_stream_timer(void *ctx)
{
	struct simcom *s = ctx;
	struct simcom_stream *st = &s->stream;
	enum simcom_words what;
	enum simcom_fit fit;

	switch (st->state) {
	case STREAM_DATA:
		(void)find_words(st, &fit, &what);
		/* Silence that we make ourselves tells nothing. */
		if (fit != FIT_NOT && at_channel_raw_held(s->env.channel))
			timer_start(st->timer, WORDS_MS);
		else if (fit == FIT_ALL)
			simcom_lease_suspect(s);
		else
			give(s, st->held_len);
		break;
	case STREAM_PAUSE:
		write_escape(s);
		break;
	case STREAM_ESCAPE:
		if (st->tries < ESCAPES)
			begin_pause(s);
		else
			drop_dtr(s);
		break;
	case STREAM_DTR:
		left_data(s, false);
		break;
	case STREAM_OFF:
		break;
	}
}

/* ----------------------------------------------------------------------- up */

/* The OK of the escape; what stands before it is payload, and what follows it
 * are lines. Returns the bytes of @len that are used up. */
static size_t look_for_ok(struct simcom *s, size_t len)
{
	struct simcom_stream *st = &s->stream;
	static const char ok[] = "\r\nOK\r\n";
	size_t rest;
	uint8_t *p;

	if (st->state == STREAM_ESCAPE &&
	    now_ms(s) < st->wrote_ms + OK_EARLY_MS) {
		st->ok_from = st->held_len;
		return len;
	}
	p = memmem(st->held + st->ok_from, st->held_len - st->ok_from, ok,
		   sizeof(ok) - 1);
	if (!p)
		return len;
	rest = st->held_len - (size_t)(p - st->held) - (sizeof(ok) - 1);
	st->held_len = (size_t)(p - st->held);
	if (s->lease.ending)
		(void)simcom_stream_deliver(s, true);
	left_data(s, true);

	return len - rest;
}

static size_t on_input(void *ctx, const uint8_t *data, size_t len)
{
	struct simcom *s = ctx;
	struct simcom_stream *st = &s->stream;

	if (!hold(st, data, len)) {
		/* Out of memory: what there is goes up as it is. */
		give(s, st->held_len);
		s->env.events->lease_data(s->env.up, data, len);
		return len;
	}
	if (st->state == STREAM_DATA) {
		sift(s);
		return len;
	}
	if (st->held_len > HELD_MAX)
		give(s, st->held_len);

	return st->state == STREAM_PAUSE ? len : look_for_ok(s, len);
}

/* --------------------------------------------------------------------- down */

/* How many of @len may go now: not the third plus after a silence. */
static size_t may_write(struct simcom *s, const uint8_t *data, size_t len,
			unsigned int *pluses)
{
	struct simcom_stream *st = &s->stream;
	bool silence = now_ms(s) - st->wrote_ms >= PLUS_BEFORE_MS;
	bool apart = now_ms(s) - st->left_ms >= PLUS_PAUSE_MS;
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
static void pause_before_plus(struct simcom *s)
{
	int64_t now = now_ms(s), until = s->stream.left_ms;

	timer_start(s->stream.pause, PLUS_PAUSE_MS +
		    (until > now ? (uint32_t)(until - now) : 0));
}

size_t simcom_lease_write(void *d, const uint8_t *data, size_t len)
{
	struct simcom *s = d;
	struct simcom_stream *st = &s->stream;
	unsigned int pluses;
	size_t n;

	st->full = true;
	if (s->lease.phase != LEASE_DATA || st->state != STREAM_DATA ||
	    timer_pending(st->pause) ||
	    at_channel_raw_unwritten(s->env.channel) > 0)
		return 0;

	n = may_write(s, data, len < WRITE_MAX ? len : WRITE_MAX, &pluses);
	if (n > 0 && at_channel_write_raw(s->env.channel, data, n))
		return 0;
	if (n > 0) {
		st->pluses = pluses;
		note_written(s, n);
	}
	if (n < len && n < WRITE_MAX)
		pause_before_plus(s);
	else
		st->full = n == 0;

	return n;
}

static void writable(struct simcom *s)
{
	if (!s->stream.full || s->stream.state != STREAM_DATA)
		return;
	s->stream.full = false;
	s->env.events->lease_writable(s->env.up);
}

void simcom_stream_pause_timer(void *ctx)
{
	struct simcom *s = ctx;

	if (at_channel_raw_unsent(s->env.channel) > 0)
		pause_before_plus(s);
	else
		writable(s);
}

/* The kernel still has some of it, and may have had none for a while. */
static void on_drained(void *ctx)
{
	struct simcom *s = ctx;
	struct simcom_stream *st = &s->stream;
	int64_t left = now_ms(s) + at_channel_line_ms(s->env.channel,
						      KERNEL_MAX);

	if (st->left_ms < left)
		st->left_ms = left;
	if (timer_pending(st->pause))
		pause_before_plus(s);
	else
		writable(s);
}

/* ----------------------------------------------------------------- its life */

static const struct at_raw_ops raw_ops = {
	.input		= on_input,
	.drained	= on_drained,
};

int simcom_stream_begin(struct simcom *s)
{
	struct simcom_stream *st = &s->stream;
	int err;

	err = at_channel_set_raw(s->env.channel, &raw_ops, s);
	if (err)
		return err;

	st->state = STREAM_DATA;
	st->at_start = s->lease.phase == LEASE_CONNECT;
	st->pluses = 0;
	/* What we wrote last was a command, some time ago: count it as
	 * silence, which is the careful side. */
	st->wrote_ms = now_ms(s) - GUARD_MS;
	st->left_ms = now_ms(s);

	return 0;
}

void simcom_stream_reset(struct simcom *s)
{
	struct simcom_stream *st = &s->stream;

	timer_stop(st->timer);
	timer_stop(st->pause);
	if (st->state != STREAM_OFF)
		(void)at_channel_set_raw(s->env.channel, NULL, NULL);
	st->state = STREAM_OFF;
	free(st->held);
	st->held = NULL;
	st->held_len = st->held_size = 0;
	st->full = false;
}
