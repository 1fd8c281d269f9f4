/* SPDX-License-Identifier: MIT */

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "fake_timer.h"
#include "fake_world.h"

#define START_MONO_US	1000000000LL	/* no test may take 0 for "never" */
#define START_WALL_MS	1800000000000LL
#define TURNS_MAX	100000		/* without the clock moving */

struct timer {
	TAILQ_ENTRY(timer) entry;	/* by due_us, then by start */
	struct timers *ts;
	void (*fn)(void *ctx);
	void *ctx;
	int64_t due_us;
	uint64_t turn;			/* in which it was started */
	bool pending;
};

struct timers {
	struct fake_world *world;
	TAILQ_HEAD(timer_list, timer) waiting;
	int64_t now_us;
	int64_t wall_ms;		/* at now_us == 0 */
	uint64_t turn;
	uint64_t runs;
	uint64_t chance;
};

struct timers *fake_timers_new(uint64_t seed, struct fake_world *w)
{
	struct timers *ts = timers_new(NULL, seed);

	if (ts)
		ts->world = w;
	if (w)
		w->timers = ts;

	return ts;
}

struct fake_world *fake_timers_world(const struct timers *ts)
{
	return ts->world;
}

struct timers *timers_new(struct event_base *base, uint64_t seed)
{
	struct timers *ts = calloc(1, sizeof(*ts));

	(void)base;
	if (!ts)
		return NULL;
	TAILQ_INIT(&ts->waiting);
	ts->now_us = START_MONO_US;
	ts->chance = seed;
	fake_timers_set_wall(ts, START_WALL_MS);

	return ts;
}

void timers_free(struct timers *ts)
{
	if (!ts)
		return;
	assert(TAILQ_EMPTY(&ts->waiting));
	free(ts);
}

struct event_base *timers_base(const struct timers *ts)
{
	(void)ts;

	return NULL;
}

int64_t timers_mono_us(const struct timers *ts)
{
	return ts->now_us;
}

int64_t timers_mono_ms(const struct timers *ts)
{
	return ts->now_us / 1000;
}

int64_t timers_wall_ms(const struct timers *ts)
{
	return ts->wall_ms + ts->now_us / 1000;
}

void fake_timers_set_wall(struct timers *ts, int64_t wall_ms)
{
	ts->wall_ms = wall_ms - ts->now_us / 1000;
}

/* splitmix64 */
uint32_t timers_random(struct timers *ts, uint32_t below)
{
	uint64_t z = ts->chance += 0x9e3779b97f4a7c15ULL;

	assert(below > 0);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;

	return (uint32_t)((z ^ (z >> 31)) >> 32) % below;
}

/* -------------------------------------------------------------- one timer */

struct timer *timer_new(struct timers *ts, void (*fn)(void *ctx), void *ctx)
{
	struct timer *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->ts = ts;
	t->fn = fn;
	t->ctx = ctx;

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
	struct timer *later;

	timer_stop(t);
	t->pending = true;
	t->turn = ts->turn;
	t->due_us = ts->now_us + (int64_t)delay_ms * 1000;
	TAILQ_FOREACH_REVERSE(later, &ts->waiting, timer_list, entry) {
		if (later->due_us <= t->due_us) {
			TAILQ_INSERT_AFTER(&ts->waiting, later, t, entry);
			return;
		}
	}
	TAILQ_INSERT_HEAD(&ts->waiting, t, entry);
}

void timer_stop(struct timer *t)
{
	if (!t->pending)
		return;
	TAILQ_REMOVE(&t->ts->waiting, t, entry);
	t->pending = false;
}

bool timer_pending(const struct timer *t)
{
	return t->pending;
}

uint32_t timer_left_ms(const struct timer *t)
{
	return t->pending && t->due_us > t->ts->now_us ?
	       (uint32_t)((t->due_us - t->ts->now_us + 999) / 1000) : 0;
}

/* --------------------------------------------------------------- the loop */

/* Started before this turn, and due. */
static struct timer *next_of_turn(struct timers *ts, uint64_t turn)
{
	struct timer *t;

	TAILQ_FOREACH(t, &ts->waiting, entry) {
		if (t->due_us > ts->now_us)
			break;
		if (t->turn < turn)
			return t;
	}

	return NULL;
}

bool fake_timers_turn(struct timers *ts)
{
	uint64_t turn = ++ts->turn;
	bool any = false;
	struct timer *t;

	while ((t = next_of_turn(ts, turn))) {
		timer_stop(t);
		ts->runs++;
		any = true;
		t->fn(t->ctx);
	}

	return any;
}

static void run_due(struct timers *ts)
{
	unsigned int turns = 0;

	while (fake_timers_turn(ts)) {
		if (++turns < TURNS_MAX)
			continue;
		fputs("fake_timer: the clock stands still: a busy loop\n",
		      stderr);
		abort();
	}
}

void fake_timers_advance(struct timers *ts, uint32_t ms)
{
	int64_t until = ts->now_us + (int64_t)ms * 1000;
	struct timer *t;

	run_due(ts);
	while ((t = TAILQ_FIRST(&ts->waiting)) && t->due_us <= until) {
		if (t->due_us > ts->now_us)
			ts->now_us = t->due_us;
		run_due(ts);
	}
	ts->now_us = until;
}

size_t fake_timers_pending(const struct timers *ts)
{
	const struct timer *t;
	size_t n = 0;

	TAILQ_FOREACH(t, &ts->waiting, entry)
		n++;

	return n;
}

int64_t fake_timers_next_ms(const struct timers *ts)
{
	const struct timer *t = TAILQ_FIRST(&ts->waiting);

	return t ? (t->due_us - ts->now_us) / 1000 : -1;
}

uint64_t fake_timers_runs(const struct timers *ts)
{
	return ts->runs;
}
