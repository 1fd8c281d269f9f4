/* SPDX-License-Identifier: MIT */

/*
 * timer - the clocks of the real world, on libevent.
 */

#include "timer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <time.h>

#include <event2/event.h>
#include <event2/event_struct.h>

struct timer {
	struct timers *ts;
	struct event event;
	TAILQ_ENTRY(timer) next;	/* while deferred */
	void (*fn)(void *ctx);
	void *ctx;
	int64_t due_us;
	uint64_t turn;		/* of the deferral */
	bool deferred;		/* waits in ts->deferred, not in libevent */
	bool pending;
};

struct timers {
	struct event_base *base;
	struct event rest;	/* runs what is deferred */
	TAILQ_HEAD(, timer) deferred;
	uint64_t turn;
	uint64_t chance;
};

static int64_t clock_us(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);

	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t timers_mono_us(const struct timers *ts)
{
	(void)ts;

	return clock_us(CLOCK_MONOTONIC);
}

int64_t timers_mono_ms(const struct timers *ts)
{
	return timers_mono_us(ts) / 1000;
}

int64_t timers_wall_ms(const struct timers *ts)
{
	(void)ts;

	return clock_us(CLOCK_REALTIME) / 1000;
}

struct event_base *timers_base(const struct timers *ts)
{
	return ts->base;
}

/* splitmix64: any seed is a good one. */
static uint32_t next_random(struct timers *ts)
{
	uint64_t z = ts->chance += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;

	return (uint32_t)((z ^ (z >> 31)) >> 32);
}

uint32_t timers_random(struct timers *ts, uint32_t below)
{
	uint32_t number, spare;

	assert(below > 0);
	/* What is left over of the range would favour small numbers. */
	spare = (uint32_t)(((uint64_t)1 << 32) % below);
	do {
		number = next_random(ts);
	} while (number < spare);

	return number % below;
}

/*
 * Each deferral of this turn once, in the order of their start. What they
 * defer themselves runs in the next turn, so the port gets its turn between.
 */
static void run_deferred(evutil_socket_t fd, short what, void *arg)
{
	struct timers *ts = arg;
	uint64_t turn = ts->turn++;
	struct timer *t;

	(void)fd;
	(void)what;
	while ((t = TAILQ_FIRST(&ts->deferred)) && t->turn <= turn) {
		timer_stop(t);
		t->fn(t->ctx);
	}
}

static void arm(struct event *event, int64_t delay_us)
{
	struct timeval delay = {
		.tv_sec = delay_us / 1000000,
		.tv_usec = delay_us % 1000000,
	};

	event_add(event, &delay);
}

/* libevent counts from a coarse, cached clock: early ones wait again. */
static void run_timer(evutil_socket_t fd, short what, void *arg)
{
	struct timer *t = arg;
	int64_t left = t->due_us - timers_mono_us(t->ts);

	(void)fd;
	(void)what;
	if (left > 0) {
		arm(&t->event, left);
		return;
	}
	t->pending = false;
	t->fn(t->ctx);
}

struct timers *timers_new(struct event_base *base, uint64_t seed)
{
	struct timers *ts = calloc(1, sizeof(*ts));

	if (!ts)
		return NULL;

	ts->base = base;
	ts->chance = seed;
	if (seed == 0 && getrandom(&ts->chance, sizeof(ts->chance), 0) < 0)
		ts->chance = (uint64_t)clock_us(CLOCK_REALTIME);
	TAILQ_INIT(&ts->deferred);
	evtimer_assign(&ts->rest, base, run_deferred, ts);

	return ts;
}

void timers_free(struct timers *ts)
{
	if (!ts)
		return;

	assert(TAILQ_EMPTY(&ts->deferred));
	event_del(&ts->rest);
	free(ts);
}

struct timer *timer_new(struct timers *ts, void (*fn)(void *ctx), void *ctx)
{
	struct timer *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;

	t->ts = ts;
	t->fn = fn;
	t->ctx = ctx;
	evtimer_assign(&t->event, ts->base, run_timer, t);

	return t;
}

void timer_free(struct timer *t)
{
	if (!t)
		return;

	timer_stop(t);
	free(t);
}

void timer_start(struct timer *t, uint32_t delay_ms)
{
	struct timers *ts = t->ts;

	timer_stop(t);
	t->pending = true;
	t->due_us = timers_mono_us(ts) + (int64_t)delay_ms * 1000;
	if (delay_ms > 0) {
		arm(&t->event, (int64_t)delay_ms * 1000);
		return;
	}

	t->deferred = true;
	t->turn = ts->turn;
	if (!evtimer_pending(&ts->rest, NULL))
		arm(&ts->rest, 0);
	TAILQ_INSERT_TAIL(&ts->deferred, t, next);
}

void timer_stop(struct timer *t)
{
	if (t->deferred)
		TAILQ_REMOVE(&t->ts->deferred, t, next);
	else if (t->pending)
		event_del(&t->event);
	t->deferred = false;
	t->pending = false;
}

bool timer_pending(const struct timer *t)
{
	return t->pending;
}

uint32_t timer_left_ms(const struct timer *t)
{
	int64_t left;

	if (!t->pending)
		return 0;
	left = t->due_us - timers_mono_us(t->ts);

	return left > 0 ? (uint32_t)((left + 999) / 1000) : 0;
}
