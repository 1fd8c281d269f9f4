/* SPDX-License-Identifier: MIT */

/* The direction modem to host. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "line.h"

#define RUN_MAX		4096

/* The end of the payload that position @pos lies inside of, else 0. */
static uint64_t raw_end(const struct line *l, uint64_t pos)
{
	size_t i;

	for (i = 0; i < LINE_RAW_RANGES; i++) {
		if (l->raw[i].start < pos && pos < l->raw[i].end)
			return l->raw[i].end;
	}
	return 0;
}

static void insert_text(struct line *l, struct tap *t)
{
	uint64_t end = t->in_raw ? 0 : raw_end(l, l->done);

	if (end != 0)
		tap_add(&l->out_taps, TAP_TEXT, end, 0, t->text, false);
	else
		evbuffer_add_printf(l->inject, "\r\n%s\r\n", t->text);
	tap_remove(&l->out_taps, t);
}

/* Taps due here, except a flip, which goes with its byte. */
static void apply_taps(struct line *l)
{
	struct tap *t;
	size_t n;

	while ((t = tap_due(&l->out_taps, l->done)) != NULL) {
		if (t->kind == TAP_FLIP)
			return;
		if (t->kind == TAP_TEXT) {
			insert_text(l, t);
			continue;
		}
		n = evbuffer_get_length(l->out);
		n = n < t->n ? n : t->n;
		if (n == 0)
			return;
		evbuffer_drain(l->out, n);
		l->done += n;
		t->n -= n;
		if (t->n == 0)
			tap_remove(&l->out_taps, t);
	}
}

static void spoil(struct line *l, uint8_t *buf, size_t n)
{
	size_t i;

	line_noise(l, buf, n, l->noise_out_ppm);
	if (!line_is_garbled(l))
		return;
	for (i = 0; i < n; i++)
		buf[i] = (uint8_t)line_random(l);
	l->garbled += n;
}

/* With nobody there the bytes leave the modem all the same. */
static ssize_t put(struct line *l, const uint8_t *buf, size_t n)
{
	ssize_t sent = (ssize_t)n;

	if (l->watch.present) {
		sent = write(l->pty.master, buf, n);
		if (sent < 0 && errno != EAGAIN)
			sent = (ssize_t)n;
	}
	if (sent > 0)
		l->wire_out += (size_t)sent;
	return sent;
}

/* Send at most @max bytes of one kind. 0: nothing there, -1: tty is full. */
static ssize_t send_run(struct line *l, size_t max)
{
	struct evbuffer *src = l->inject;
	struct tap *flip = NULL;
	uint8_t buf[RUN_MAX];
	ssize_t n;

	if (evbuffer_get_length(src) == 0) {
		apply_taps(l);
		if (evbuffer_get_length(l->inject) == 0)
			src = l->out;
	}
	if (max > RUN_MAX)
		max = RUN_MAX;
	if (src == l->out) {
		flip = tap_due(&l->out_taps, l->done);
		max = flip ? 1 : tap_limit(&l->out_taps, l->done, max);
	}
	n = evbuffer_copyout(src, buf, max);
	if (n <= 0)
		return 0;
	if (flip != NULL)
		buf[0] ^= (uint8_t)(1u << flip->n);
	spoil(l, buf, (size_t)n);
	n = put(l, buf, (size_t)n);
	if (n <= 0)
		return -1;
	if (flip != NULL)
		tap_remove(&l->out_taps, flip);
	evbuffer_drain(src, (size_t)n);
	if (src == l->out)
		l->done += (uint64_t)n;
	return n;
}

static size_t pending(const struct line *l)
{
	return evbuffer_get_length(l->inject) + evbuffer_get_length(l->out);
}

bool line_is_low(const struct line *l)
{
	int64_t byte_ns = line_byte_ns(l);

	if (byte_ns == 0)
		return pending(l) <= LINE_LOW_UNPACED;
	return (int64_t)pending(l) * byte_ns <= LINE_LOW_NS;
}

unsigned int line_drain_ms(struct line *l)
{
	return (unsigned int)((int64_t)pending(l) * line_byte_ns(l) /
			      NS_PER_MS);
}

static void schedule_out(struct line *l, int64_t byte_ns)
{
	int64_t wait = (int64_t)pending(l) * byte_ns;
	struct timeval tv;

	if (wait > LINE_SLICE_NS)
		wait = LINE_SLICE_NS < byte_ns ? byte_ns : LINE_SLICE_NS;
	tv = clock_tv_ns(l->out_clock + wait - clock_ns());
	evtimer_add(l->out_timer, &tv);
}

/* Also the write event's: room in the tty again. */
void line_out_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct line *l = ctx;
	int64_t byte_ns = line_byte_ns(l), now = clock_ns(), due;
	ssize_t n;

	(void)fd;
	if (!l->plugged) {
		line_reset(l);
		return;
	}
	/* what could not be sent while the tty was full is not caught up */
	if (what & EV_WRITE)
		l->out_clock = now;
	else if (l->out_clock < now - LINE_CATCH_UP_NS - byte_ns)
		l->out_clock = now - LINE_CATCH_UP_NS - byte_ns;
	while (pending(l) > 0) {
		due = byte_ns > 0 ? (now - l->out_clock) / byte_ns : RUN_MAX;
		if (due <= 0)
			break;
		n = send_run(l, (size_t)due);
		if (n < 0) {
			event_add(l->write_ev, NULL);
			return;
		}
		l->out_clock += n * byte_ns;
	}
	l->out_late = byte_ns > 0 ? now - l->out_clock : 0;
	if (line_is_low(l))
		l->ops->room(l->ctx);
	if (pending(l) > 0)
		schedule_out(l, byte_ns);
}

/* The line starts with the byte in hand, or goes on if it is busy. */
static void start(struct line *l)
{
	int64_t now = line_now(l);

	if (event_pending(l->write_ev, EV_WRITE, NULL) ||
	    evtimer_pending(l->out_timer, NULL))
		return;
	if (l->out_clock < now)
		l->out_clock = now;
	schedule_out(l, line_byte_ns(l));
}

void line_out(struct line *l, const void *data, size_t len, bool raw)
{
	if (!l->plugged || len == 0)
		return;
	if (raw) {
		l->raw[l->raw_next].start = l->queued;
		l->raw[l->raw_next].end = l->queued + len;
		l->raw_next = (l->raw_next + 1) % LINE_RAW_RANGES;
	}
	evbuffer_add(l->out, data, len);
	l->queued += len;
	start(l);
}

void line_inject(struct line *l, const void *data, size_t len)
{
	if (!l->plugged || len == 0)
		return;
	evbuffer_add(l->inject, data, len);
	start(l);
}
