/* SPDX-License-Identifier: MIT */

/*
 * Questions to the modem: ping, confirmed bytes, socket options, raw AT; with
 * all the answers that firmware is known for.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "driver/driver.h"
#include "modem_bench.h"

#define OK	"\r\nOK\r\n"
#define ERROR	"\r\nERROR\r\n"

/* -------------------------------------------------------------------- ping */

static const struct driver_ping usual = {
	.count = 3, .size = 64, .ttl = 255, .interval_ms = 1000,
	.wait_ms = 10000,
};

static uint32_t ping(struct bench *b)
{
	uint32_t query = 0;

	assert_int_equal(modem_ping(b->m, "host", &usual, &query), 0);
	bench_wait(b, 20);

	return query;
}

static void ping_in_both_spellings(void **state)
{
	static const char *const answers[] = {
		"\r\n+CPING: 1,192.0.2.1,64,40,255\r\n\r\n+CPING: 2\r\n"
		"\r\n+CPING: 3,2,1,1,40,40,40\r\n",
		"\r\n+CPING:1,\"192.0.2.1\",64,40,255\r\n\r\n+CPING:2\r\n"
		"\r\n+PING: 3,2,1,1,40,40,40\r\n",
	};
	struct bench *b = *state;
	char want[128];
	uint32_t query;
	size_t i;

	for (i = 0; i < 2; i++) {
		script_answer(b->script, "AT+CPING=", OK, 1);
		query = ping(b);
		bench_expect(b, "");
		script_say(b->script, "%s", answers[i]);
		bench_wait(b, 20);
		snprintf(want, sizeof(want), "progress(%u,1,192.0.2.1) "
			 "progress(%u,2,timeout) "
			 "answered(%u,ok,2/1/1,40/40/40) ", query,
			 query, query);
		bench_expect(b, want);
	}
	assert_int_equal(script_heard(b->script,
		"AT+CPING=\"host\",1,3,64,1000,10000,255"), 2);
}

/* Q81: a summary of no packets, for names and without a network. */
static void ping_of_nothing(void **state)
{
	struct bench *b = *state;
	uint32_t query;

	script_answer(b->script, "AT+CPING=", "\r\n+CPING: 3,0,0,0,0,0,0\r\n"
		      OK, 0);
	ping(b);
	bench_expect(b, "answered(1,EADDRNOTAVAIL,no packet was sent) ");
	assert_int_equal(modem_ping(b->m, "192.0.2.1", &usual, &query), 0);
	bench_wait(b, 20);
	bench_expect(b, "answered(2,ENETDOWN,no packet was sent) ");
}

/* One that nobody knows of runs: it is stopped, then ours begins. */
static void ping_after_a_forgotten_one(void **state)
{
	struct bench *b = *state;

	script_answer(b->script, "AT+CPING=", OK, 0);
	script_answer(b->script, "AT+CPING=\"host", ERROR, 1);
	script_answer(b->script, "AT+CPINGSTOP",
		      "\r\n+CPING: 3,9,9,0,1,1,1\r\n" OK, 0);
	ping(b);
	bench_wait(b, 50);
	bench_expect(b, "");
	assert_int_equal(script_heard(b->script, "AT+CPINGSTOP"), 1);
	assert_int_equal(script_heard(b->script, "AT+CPING="), 2);
	script_say(b->script, "\r\n+CPING: 3,3,3,0,1,2,1\r\n");
	bench_wait(b, 20);
	bench_expect(b, "answered(1,ok,3/3/0,1/1/2) ");
}

static void ping_is_refused(void **state)
{
	struct bench *b = *state;

	script_answer(b->script, "AT+CPING", ERROR, 0);
	ping(b);
	bench_wait(b, 100);
	bench_expect(b, "answered(1,EREMOTEIO,ERROR) ");
	assert_int_equal(script_heard(b->script, "AT+CPING="), 1);
}

static void ping_without_end(void **state)
{
	struct bench *b = *state;

	script_answer(b->script, "AT+CPING=", OK, 0);
	ping(b);
	bench_wait(b, 3 * 11000 + 14000);
	bench_expect(b, "");
	bench_wait(b, 2000);
	bench_expect(b, "answered(1,ETIMEDOUT,no summary came) ");
}

/* Without a summary it counts what it was told of. */
static void ping_stopped(void **state)
{
	static const struct {
		const char *answer, *want;
	} cases[] = {
		/* the example of SIMCom ref L1135, and its text */
		{ OK, "3/2/1,30/35/40" },
		{ "\r\n+CPING: 3,4,2,2,9,9,9\r\n" OK, "4/2/2,9/9/9" },
		{ OK "\r\n+CPING: 3,4,2,2,9,9,9\r\n", "3/2/1,30/35/40" },
		{ ERROR, "3/2/1,30/35/40" },	/* it has ended */
	};
	struct bench *b = *state;
	char want[64];
	uint32_t query;
	size_t i;

	script_answer(b->script, "AT+CPING=", OK, 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		script_answer(b->script, "AT+CPINGSTOP", cases[i].answer, 1);
		query = ping(b);
		script_say(b->script, "\r\n+CPING: 1,192.0.2.1,64,30,255\r\n"
			   "\r\n+CPING: 2\r\n"
			   "\r\n+CPING: 1,192.0.2.1,64,40,255\r\n");
		bench_wait(b, 20);
		bench_forget(b);
		modem_query_cancel(b->m, query);
		bench_expect(b, "");		/* not from within */
		bench_wait(b, 50);
		snprintf(want, sizeof(want), "answered(%u,ECANCELED,%s) ",
			 query, cases[i].want);
		bench_expect(b, want);
	}
	assert_int_equal(script_heard(b->script, "AT+CPINGSTOP"), 4);
}

static void pings_one_at_a_time(void **state)
{
	struct bench *b = *state;
	uint32_t third;

	script_answer(b->script, "AT+CPING=", OK, 0);
	ping(b);
	ping(b);
	third = ping(b);
	assert_int_equal(script_heard(b->script, "AT+CPING="), 1);
	modem_query_cancel(b->m, third);	/* before it began */
	bench_wait(b, 20);
	bench_expect(b, "answered(3,ECANCELED,) ");
	assert_int_equal(script_heard(b->script, "AT+CPINGSTOP"), 0);
	/* a name is looked up meanwhile */
	assert_int_equal(modem_resolve(b->m, "x", &third), 0);
	bench_wait(b, 20);
	bench_expect(b, "answered(4,ok,93.184.216.34) ");
	script_say(b->script, "\r\n+CPING: 3,3,3,0,1,2,1\r\n");
	bench_wait(b, 20);
	bench_expect(b, "answered(1,ok,3/3/0,1/1/2) ");
	assert_int_equal(script_heard(b->script, "AT+CPING="), 2);
}

/* It tells of more packets than were asked for, and of others' pings. */
static void ping_of_a_hostile_modem(void **state)
{
	struct bench *b = *state;
	int i;

	script_say(b->script, "\r\n+CPING: 1,192.0.2.1,64,40,255\r\n"
		   "\r\n+CPING: 3,-1,2,3,4,5,6\r\n");
	bench_wait(b, 20);
	bench_expect(b, "");
	script_answer(b->script, "AT+CPING=", OK, 0);
	ping(b);
	for (i = 0; i < 10; i++)
		script_say(b->script, "\r\n+CPING: 2\r\n");
	bench_wait(b, 20);
	bench_expect(b, "progress(1,1,timeout) progress(1,2,timeout) "
		     "progress(1,3,timeout) ");
	script_say(b->script, "\r\n+CPING: 3,-1,-1,-1,-1,-1,-1\r\n");
	bench_wait(b, 20);
	bench_expect(b, "answered(1,EADDRNOTAVAIL,no packet was sent) ");
}

static void ping_and_the_network_goes(void **state)
{
	struct bench *b = *state;
	uint32_t query;

	script_answer(b->script, "AT+CPING=", OK, 0);
	ping(b);
	ping(b);
	script_say(b->script, "\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n");
	bench_wait(b, 10);
	bench_expect(b, "answered(1,ENETDOWN,) answered(2,ENETDOWN,) ");
	assert_int_equal(modem_ping(b->m, "host", &usual, &query), -ENETDOWN);
	bench_wait(b, 3000);
	bench_forget(b);
	ping(b);
	script_reboot(b->script, "\r\nRDY\r\n");
	bench_wait(b, 10);
	bench_expect(b, "answered(3,ENODEV,) ");
}

#define O(f) cmocka_unit_test_setup_teardown(f, bench_set_up_open, \
					     bench_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		O(ping_in_both_spellings),
		O(ping_of_nothing),
		O(ping_after_a_forgotten_one),
		O(ping_is_refused),
		O(ping_without_end),
		O(ping_stopped),
		O(pings_one_at_a_time),
		O(ping_of_a_hostile_modem),
		O(ping_and_the_network_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
