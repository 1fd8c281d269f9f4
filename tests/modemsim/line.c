/* SPDX-License-Identifier: MIT */

/* Setting up, and the direction host to modem. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "baud.h"
#include "clock.h"
#include "line.h"

static void on_readable(evutil_socket_t fd, short what, void *ctx);

uint32_t line_random(struct line *l)
{
	l->rng ^= l->rng << 13;
	l->rng ^= l->rng >> 17;
	l->rng ^= l->rng << 5;
	return l->rng;
}

unsigned int line_baud(const struct line *l)
{
	int baud = l->opt->baud;

	if (baud == OPTIONS_BAUD_FOLLOW)
		baud = l->plugged ? baud_get(l->pty.master) : 0;
	return baud > 0 ? (unsigned int)baud : 0;
}

/* Ten bits a byte. */
int64_t line_byte_ns(const struct line *l)
{
	unsigned int baud = line_baud(l);

	return baud > 0 ? 10 * NS_PER_S / baud : 0;
}

bool line_is_garbled(const struct line *l)
{
	return l->modem_baud != 0 && l->plugged &&
	       baud_get(l->pty.master) != (int)l->modem_baud;
}

int64_t line_now(const struct line *l)
{
	return l->now != 0 ? l->now : clock_ns();
}

void line_noise(struct line *l, uint8_t *data, size_t len, unsigned int ppm)
{
	size_t i;

	for (i = 0; ppm > 0 && i < len; i++) {
		if (line_random(l) % 1000000 < ppm)
			data[i] ^= (uint8_t)(1u << (line_random(l) % 8));
	}
}

/* At a wrong rate the modem sees other bytes and the line means nothing. */
static void deliver(struct line *l, uint8_t *data, size_t len, uint64_t mark)
{
	if (line_is_garbled(l)) {
		l->garbled += len;
		return;
	}
	line_noise(l, data, len, l->noise_in_ppm);
	l->ops->input(l->ctx, data, len, mark);
}

static void apply_tap(struct line *l, struct tap *t, uint8_t *data, size_t len,
		      uint64_t mark)
{
	size_t n = 1;

	if (t->kind == TAP_DROP) {
		n = len < t->n ? len : t->n;
		t->n -= n;
	} else if (t->kind == TAP_FLIP) {
		data[0] ^= (uint8_t)(1u << t->n);
		t->n = 0;
		deliver(l, data, 1, mark);
	}
	l->in_pos += n;
	if (t->n == 0)
		tap_remove(&l->in_taps, t);
}

/* Up to a CR: what it causes must be timed by its own arrival. */
static size_t run_length(const struct line_chunk *c, size_t max)
{
	const uint8_t *from = c->data + c->off, *cr;

	if (max > c->len - c->off)
		max = c->len - c->off;
	cr = memchr(from, '\r', max);
	return cr != NULL ? (size_t)(cr - from) + 1 : max;
}

/* Hand on at most @max bytes of the first chunk; returns how many. */
static size_t take_run(struct line *l, size_t max, int64_t byte_ns)
{
	struct line_chunk *c = TAILQ_FIRST(&l->chunks);
	uint64_t mark = c->mark;
	struct tap *t = tap_due(&l->in_taps, l->in_pos);
	uint8_t buf[LINE_IN_MAX];
	size_t n = run_length(c, max);

	if (t == NULL)
		n = tap_limit(&l->in_taps, l->in_pos, n);
	else if (t->kind != TAP_DROP)
		n = 1;
	else if (n > t->n)
		n = t->n;
	memcpy(buf, c->data + c->off, n);
	c->off += n;
	l->in_len -= n;
	/* before the bytes have their effect, which may clear the queue */
	if (c->off == c->len) {
		TAILQ_REMOVE(&l->chunks, c, entry);
		free(c);
	}
	l->in_clock += (int64_t)n * byte_ns;
	l->now = byte_ns > 0 ? l->in_clock : 0;
	if (t != NULL) {
		apply_tap(l, t, buf, n, mark);
	} else {
		l->in_pos += n;
		deliver(l, buf, n, mark);
	}
	l->now = 0;
	return n;
}

static bool is_shut(const struct line *l)
{
	return l->stalled || l->held;
}

static void schedule_in(struct line *l, int64_t byte_ns)
{
	int64_t wait = (int64_t)l->in_len * byte_ns;
	struct timeval tv;

	if (wait > LINE_SLICE_NS)
		wait = LINE_SLICE_NS < byte_ns ? byte_ns : LINE_SLICE_NS;
	tv = clock_tv_ns(l->in_clock + wait - clock_ns());
	evtimer_add(l->in_timer, &tv);
}

static void process_in(struct line *l)
{
	int64_t byte_ns = line_byte_ns(l), now = clock_ns(), due;
	struct line_chunk *c;

	if (l->in_clock < now - LINE_CATCH_UP_NS - byte_ns)
		l->in_clock = now - LINE_CATCH_UP_NS - byte_ns;
	while ((c = TAILQ_FIRST(&l->chunks)) != NULL && !is_shut(l)) {
		if (l->in_clock < c->at_ns)
			l->in_clock = c->at_ns;
		due = byte_ns > 0 ? (now - l->in_clock) / byte_ns : LINE_IN_MAX;
		if (due <= 0)
			break;
		take_run(l, (size_t)due, byte_ns);
	}
	if (l->plugged && !is_shut(l) && l->in_len < LINE_IN_MAX)
		event_add(l->read_ev, NULL);
	if (l->in_len > 0 && !is_shut(l))
		schedule_in(l, byte_ns);
}

static void on_in_timer(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	process_in(ctx);
}

/*
 * The time the host wrote: when we learn of it, less the delay of the answer
 * it was waiting for, which was ours and not the line's.
 */
static int64_t written_at(struct line *l)
{
	int64_t late = l->out_late;

	l->out_late = 0;
	if (evbuffer_get_length(l->out) > 0 || late > LINE_SLICE_NS)
		late = 0;
	return clock_ns() - late;
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct line *l = ctx;
	size_t room = LINE_IN_MAX - l->in_len;
	struct line_chunk *c;
	ssize_t n;

	(void)what;
	c = malloc(sizeof(*c) + room);
	if (c == NULL)
		return;
	n = read(fd, c->data, room);
	if (n <= 0) {
		free(c);
		return;
	}
	l->watch.present = true;
	c->at_ns = written_at(l);
	c->mark = l->done;
	c->off = 0;
	c->len = (size_t)n;
	TAILQ_INSERT_TAIL(&l->chunks, c, entry);
	l->in_len += (size_t)n;
	if (l->in_len >= LINE_IN_MAX)
		event_del(l->read_ev);
	process_in(l);
}

void line_stall(struct line *l, bool on)
{
	l->stalled = on;
	if (!l->plugged)
		return;
	if (on)
		event_del(l->read_ev);
	else if (!l->held)
		process_in(l);
}

void line_hold(struct line *l, bool on)
{
	bool was = l->held;

	l->held = on;
	if (was && !on && l->plugged)
		process_in(l);
}

void line_reset(struct line *l)
{
	struct line_chunk *c;

	while ((c = TAILQ_FIRST(&l->chunks)) != NULL) {
		TAILQ_REMOVE(&l->chunks, c, entry);
		free(c);
	}
	l->in_len = 0;
	l->held = false;
	l->done = l->queued;
	evbuffer_drain(l->out, evbuffer_get_length(l->out));
	evbuffer_drain(l->inject, evbuffer_get_length(l->inject));
	if (l->plugged && !is_shut(l))
		event_add(l->read_ev, NULL);
}

/* Like a driver whose device is closed: nobody will read this any more. */
static void on_host_gone(void *ctx)
{
	struct line *l = ctx;

	evbuffer_drain(l->out, evbuffer_get_length(l->out));
	l->done = l->queued;
	l->hosts++;
}

int line_plug(struct line *l)
{
	int err;

	if (l->plugged)
		return -EALREADY;
	err = pty_open(&l->pty, l->opt);
	if (err < 0)
		return err;
	l->plugged = true;
	l->read_ev = event_new(l->base, l->pty.master, EV_READ | EV_PERSIST,
			       on_readable, l);
	l->write_ev = event_new(l->base, l->pty.master, EV_WRITE,
				line_out_timer, l);
	host_watch_start(&l->watch, l->base, &l->pty, on_host_gone, l);
	if (!is_shut(l))
		event_add(l->read_ev, NULL);
	return 0;
}

void line_unplug(struct line *l)
{
	if (!l->plugged)
		return;
	l->plugged = false;
	host_watch_stop(&l->watch);
	event_free(l->read_ev);
	event_free(l->write_ev);
	line_reset(l);
	pty_close(&l->pty);
}

int line_init(struct line *l, const struct options *opt,
	      struct event_base *base, const struct line_ops *ops, void *ctx)
{
	*l = (struct line){
		.opt = opt, .base = base, .ops = ops, .ctx = ctx,
		.modem_baud = opt->modem_baud, .rng = opt->seed * 2654435761u,
	};
	if (l->rng == 0)
		l->rng = 1;
	TAILQ_INIT(&l->chunks);
	TAILQ_INIT(&l->in_taps);
	TAILQ_INIT(&l->out_taps);
	l->out = evbuffer_new();
	l->inject = evbuffer_new();
	l->in_timer = evtimer_new(base, on_in_timer, l);
	l->out_timer = evtimer_new(base, line_out_timer, l);
	return line_plug(l);
}

void line_free(struct line *l)
{
	line_unplug(l);
	tap_clear(&l->in_taps);
	tap_clear(&l->out_taps);
	event_free(l->in_timer);
	event_free(l->out_timer);
	if (l->baud_timer != NULL)
		event_free(l->baud_timer);
	evbuffer_free(l->out);
	evbuffer_free(l->inject);
}
