/* SPDX-License-Identifier: MIT */

/* Doubling with jitter, never above the cap, never stuck at nothing. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_timer.h"
#include "fake_world.h"
#include "modem/backoff.h"

static void doubles_up_to_the_cap(void **state)
{
	struct fake_world w = { 0 };
	struct timers *ts = fake_timers_new(3, &w);
	uint32_t most, ms, low, high;
	struct backoff b = { 0 };
	int i, n;

	(void)state;
	for (n = 0, most = 1000; n < 12; n++) {
		low = UINT32_MAX;
		high = 0;
		for (i = 0; i < 500; i++) {
			b.tries = (unsigned int)n;
			ms = backoff_next(&b, ts, 1000, 60000);
			assert_int_equal(b.tries, n + 1);
			low = ms < low ? ms : low;
			high = ms > high ? ms : high;
		}
		assert_in_range(low, most / 2, most / 2 + most / 20);
		assert_in_range(high, most - most / 20, most);
		most = most * 2 < 60000 ? most * 2 : 60000;
	}
	backoff_reset(&b);
	assert_in_range(backoff_next(&b, ts, 1000, 60000), 500, 1000);
	timers_free(ts);
}

static void strange_limits(void **state)
{
	struct fake_world w = { 0 };
	struct timers *ts = fake_timers_new(3, &w);
	struct backoff b = { .tries = 4000000000U };

	(void)state;
	assert_in_range(backoff_next(&b, ts, 1000, 60000), 30000, 60000);
	b.tries = 50;
	assert_in_range(backoff_next(&b, ts, UINT32_MAX, UINT32_MAX),
			UINT32_MAX / 2, UINT32_MAX);
	backoff_reset(&b);
	assert_in_range(backoff_next(&b, ts, 90000, 60000), 30000, 60000);
	backoff_reset(&b);
	assert_in_range(backoff_next(&b, ts, 1, 1), 0, 1);
	timers_free(ts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(doubles_up_to_the_cap),
		cmocka_unit_test(strange_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
