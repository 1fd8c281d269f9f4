/* SPDX-License-Identifier: MIT */

/* Families of addresses and the clock, on the way to a driver. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "modem/private.h"
#include "modem_bench.h"

static struct driver can;
static unsigned int asked;
static enum driver_query what_asked;
static struct driver_query_args args_asked;
static struct driver_time time_asked;

static int hear(void *d, unsigned int id, enum driver_query what,
		const struct driver_query_args *args)
{
	(void)d;
	asked = id;
	what_asked = what;
	args_asked = *args;
	if (args->time)
		time_asked = *args->time;

	return 0;
}

static void use(struct bench *b, unsigned int caps)
{
	can = driver_simcom;
	can.caps |= caps;
	can.query = hear;
	b->m->driver = &can;
	asked = 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	b->m->driver = &driver_simcom;

	return bench_tear_down(state);
}

static void no_clock(void **state)
{
	struct bench *b = *state;
	uint32_t query;

	assert_int_equal(modem_time(b->m, NULL, &query), -EOPNOTSUPP);
}

static void clock_is_read(void **state)
{
	struct driver_time is = { .now_s = 1634665676, .zone_min = 480 };
	struct driver_answer answer = { .text = "", .time = &is };
	struct bench *b = *state;
	uint32_t query;

	use(b, DRIVER_CAP_SNTP);
	assert_int_equal(modem_time(b->m, NULL, &query), 0);
	bench_wait(b, 10);
	assert_int_equal(asked, query);
	assert_int_equal(what_asked, DRIVER_Q_TIME);
	assert_null(args_asked.time);
	modem_driver_events.answered(b->m, asked, 0, &answer);
	bench_expect_prefix(b, "answered(");
}

/* The caller's is his own: it is copied. */
static void clock_is_set(void **state)
{
	struct driver_time set = { .sntp = true, .zone_min = -330,
				   .interval_s = 60 };
	struct bench *b = *state;
	uint32_t query;

	use(b, DRIVER_CAP_SNTP);
	strcpy(set.servers[1], "pool.example");
	assert_int_equal(modem_time(b->m, &set, &query), 0);
	memset(&set, 0xee, sizeof(set));
	bench_wait(b, 10);
	assert_int_equal(what_asked, DRIVER_Q_TIME);
	assert_non_null(args_asked.time);
	assert_true(time_asked.sntp);
	assert_int_equal(time_asked.zone_min, -330);
	assert_int_equal(time_asked.interval_s, 60);
	assert_string_equal(time_asked.servers[1], "pool.example");
	modem_driver_events.answered(b->m, asked, -EREMOTEIO,
				     &(struct driver_answer){ .text = "" });
	bench_expect_prefix(b, "answered(");
}

static void families(void **state)
{
	struct driver_answer answer = { .text = "2001:db8::1" };
	struct driver_ping how = { .count = 1 };
	struct bench *b = *state;
	uint32_t query, other;

	assert_int_equal(modem_resolve(b->m, "a", DRIVER_IPV6, &query),
			 -EOPNOTSUPP);
	assert_int_equal(modem_ping(b->m, "a", DRIVER_IPV6, &how, &query),
			 -EOPNOTSUPP);
	use(b, DRIVER_CAP_IPV6);
	assert_int_equal(modem_resolve(b->m, "a", DRIVER_IPV6, &query), 0);
	bench_wait(b, 10);
	assert_int_equal(args_asked.family, DRIVER_IPV6);
	modem_driver_events.answered(b->m, asked, 0, &answer);
	bench_forget(b);

	/* what is known of one family is not of another */
	assert_int_equal(modem_resolve(b->m, "a", DRIVER_IPV6, &other), 0);
	bench_wait(b, 10);
	assert_int_equal(asked, query);
	bench_expect_prefix(b, "answered(");
	assert_int_equal(modem_resolve(b->m, "a", DRIVER_IPV4, &other), 0);
	bench_wait(b, 10);
	assert_int_equal(asked, other);
	assert_int_equal(args_asked.family, DRIVER_IPV4);
	modem_driver_events.answered(b->m, asked, 0, &answer);

	assert_int_equal(modem_ping(b->m, "a", DRIVER_IPV6, &how, &query), 0);
	bench_wait(b, 10);
	assert_int_equal(what_asked, DRIVER_Q_PING);
	assert_int_equal(args_asked.family, DRIVER_IPV6);
	modem_driver_events.answered(b->m, asked, 0, &answer);
	bench_forget(b);
}

#define O(test)	cmocka_unit_test_setup_teardown(test, bench_set_up_open, \
						tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		O(no_clock), O(clock_is_read), O(clock_is_set), O(families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
