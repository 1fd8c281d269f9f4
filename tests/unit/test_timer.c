/* SPDX-License-Identifier: MIT */

/* The real clocks: order, deferral, and that nothing runs too early. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/timer.h"

struct bench {
	struct event_base *base;
	struct timers *ts;
	char order[64];
	struct timer *a, *b, *c;
	int64_t ran_us;
	int fds[2];
};

static int set_up(void **state)
{
	static struct bench b;

	memset(&b, 0, sizeof(b));
	b.base = event_base_new();
	b.ts = timers_new(b.base, 0);
	*state = &b;

	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	timer_free(b->a);
	timer_free(b->b);
	timer_free(b->c);
	timers_free(b->ts);
	event_base_free(b->base);

	return 0;
}

static void note(struct bench *b, const char *what)
{
	strcat(b->order, what);
	b->ran_us = timers_mono_us(b->ts);
}

static void on_a(void *ctx)
{
	note(ctx, "a");
}

static void on_b(void *ctx)
{
	note(ctx, "b");
}

static void on_c(void *ctx)
{
	note(ctx, "c");
}

static void deferred_run_in_order(void **state)
{
	struct bench *b = *state;

	b->a = timer_new(b->ts, on_a, b);
	b->b = timer_new(b->ts, on_b, b);
	b->c = timer_new(b->ts, on_c, b);
	timer_start(b->c, 0);
	timer_start(b->a, 0);
	timer_start(b->b, 0);
	timer_start(b->c, 0);		/* moves to the end */
	assert_string_equal(b->order, "");
	assert_true(timer_pending(b->a));
	event_base_loop(b->base, EVLOOP_ONCE);
	assert_string_equal(b->order, "abc");
	assert_false(timer_pending(b->a));
	assert_int_equal(timer_left_ms(b->a), 0);
}

static void on_stop_others(void *ctx)
{
	struct bench *b = ctx;

	note(b, "s");
	timer_stop(b->b);
	timer_free(b->c);
	b->c = NULL;
}

static void deferred_may_be_stopped_and_freed(void **state)
{
	struct bench *b = *state;

	b->a = timer_new(b->ts, on_stop_others, b);
	b->b = timer_new(b->ts, on_b, b);
	b->c = timer_new(b->ts, on_c, b);
	timer_start(b->a, 0);
	timer_start(b->b, 0);
	timer_start(b->c, 0);
	event_base_loop(b->base, EVLOOP_ONCE);
	event_base_loop(b->base, EVLOOP_NONBLOCK);
	assert_string_equal(b->order, "s");
}

static void on_again(void *ctx)
{
	struct bench *b = ctx;

	if (!*b->order)
		assert_int_equal(write(b->fds[1], "r", 1), 1);
	if (strlen(b->order) < 5)
		timer_start(b->a, 0);
	note(b, "x");
}

static void on_pipe(evutil_socket_t fd, short what, void *ctx)
{
	struct bench *b = ctx;
	char byte;

	(void)what;
	if (read(fd, &byte, 1) == 1)
		note(b, "R");
}

/* Who defers himself again and again must not shut out the port. */
static void deferral_lets_others_run(void **state)
{
	struct bench *b = *state;
	struct event *ev;

	assert_int_equal(pipe(b->fds), 0);
	ev = event_new(b->base, b->fds[0], EV_READ, on_pipe, b);
	event_add(ev, NULL);
	b->a = timer_new(b->ts, on_again, b);
	timer_start(b->a, 0);
	while (timer_pending(b->a))
		event_base_loop(b->base, EVLOOP_ONCE);
	event_free(ev);
	close(b->fds[0]);
	close(b->fds[1]);
	assert_int_equal(strncmp(b->order, "xRx", 3), 0);
}

static void never_early(void **state)
{
	static const uint32_t delays[] = { 1, 2, 3, 7, 20, 33 };
	struct bench *b = *state;
	int64_t start, late;
	size_t i;

	b->a = timer_new(b->ts, on_a, b);
	for (i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
		start = timers_mono_us(b->ts);
		timer_start(b->a, delays[i]);
		assert_in_range(timer_left_ms(b->a), 1, delays[i]);
		while (timer_pending(b->a))
			event_base_loop(b->base, EVLOOP_ONCE);
		late = b->ran_us - start - (int64_t)delays[i] * 1000;
		assert_true(late >= 0);
		assert_true(late < 50000);
	}
}

static void on_busy(void *ctx)
{
	struct bench *b = ctx;
	int64_t until = timers_mono_us(b->ts) + 30000;

	while (timers_mono_us(b->ts) < until)
		;
	timer_start(b->b, 20);
	b->ran_us = timers_mono_us(b->ts);
	timer_start(b->c, 0);	/* wakes the loop, which looks at its clock */
}

static void on_rest(void *ctx)
{
	(void)ctx;
}

static void on_after_busy(void *ctx)
{
	struct bench *b = ctx;

	assert_true(timers_mono_us(b->ts) - b->ran_us >= 20000);
	note(b, "b");
}

/* libevent's idea of now is that of the turn's begin. */
static void long_turn_shortens_nothing(void **state)
{
	struct bench *b = *state;

	b->a = timer_new(b->ts, on_busy, b);
	b->b = timer_new(b->ts, on_after_busy, b);
	b->c = timer_new(b->ts, on_rest, b);
	timer_start(b->a, 1);
	event_base_dispatch(b->base);
	assert_string_equal(b->order, "b");
}

static void moving_and_stopping(void **state)
{
	struct bench *b = *state;

	b->a = timer_new(b->ts, on_a, b);
	b->b = timer_new(b->ts, on_b, b);
	timer_start(b->a, 5);
	timer_start(b->a, 40);
	timer_start(b->b, 20);
	event_base_dispatch(b->base);
	assert_string_equal(b->order, "ba");
	timer_start(b->a, 5);
	timer_stop(b->a);
	timer_start(b->a, 0);
	timer_stop(b->a);
	assert_false(timer_pending(b->a));
	event_base_dispatch(b->base);
	assert_string_equal(b->order, "ba");
}

static void chance(void **state)
{
	struct bench *b = *state;
	struct timers *x = timers_new(b->base, 7), *y = timers_new(b->base, 7);
	unsigned int counts[6] = { 0 }, i, differ = 0;

	for (i = 0; i < 6000; i++)
		counts[timers_random(b->ts, 6)]++;
	for (i = 0; i < 6; i++)
		assert_in_range(counts[i], 800, 1200);
	for (i = 0; i < 100; i++)
		assert_int_equal(timers_random(x, 1000000),
				 timers_random(y, 1000000));
	for (i = 0; i < 100; i++)
		differ += timers_random(x, 1000000) !=
			  timers_random(b->ts, 1000000);
	assert_true(differ > 90);
	assert_int_equal(timers_random(x, 1), 0);
	timers_free(y);
	y = timers_new(b->base, 8);
	for (i = differ = 0; i < 100; i++)
		differ += timers_random(x, 1000000) !=
			  timers_random(y, 1000000);
	assert_true(differ > 90);
	timers_free(x);
	timers_free(y);
}

static void clocks(void **state)
{
	struct bench *b = *state;
	int64_t mono = timers_mono_us(b->ts);

	usleep(3000);
	assert_in_range(timers_mono_us(b->ts) - mono, 3000, 500000);
	assert_true(timers_wall_ms(b->ts) / 1000 - time(NULL) <= 1);
	assert_true(time(NULL) - timers_wall_ms(b->ts) / 1000 <= 1);
	assert_true(timers_mono_us(b->ts) / 1000 - timers_mono_ms(b->ts) <= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		T(deferred_run_in_order), T(deferred_may_be_stopped_and_freed),
		T(deferral_lets_others_run), T(never_early),
		T(long_turn_shortens_nothing), T(moving_and_stopping),
		T(chance), T(clocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
