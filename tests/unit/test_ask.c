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

#include "base/log.h"
#include "driver/simcom_private.h"
#include "fake_timer.h"
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

	assert_int_equal(modem_ping(b->m, "host", DRIVER_ANY, &usual, &query), 0);
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
	assert_int_equal(modem_ping(b->m, "192.0.2.1", DRIVER_ANY, &usual, &query), 0);
	bench_wait(b, 20);
	bench_expect(b, "answered(2,ENETDOWN,no packet was sent) ");
}

/* One that nobody knows of may run: it is stopped, then ours begins. */
static void ping_after_a_forgotten_one(void **state)
{
	struct bench *b = *state;

	script_answer(b->script, "AT+CPING=", OK, 0);
	script_answer(b->script, "AT+CPINGSTOP",
		      "\r\n+CPING: 3,9,9,0,1,1,1\r\n" OK, 0);
	script_forget_heard(b->script);
	ping(b);
	bench_wait(b, 50);
	bench_expect(b, "");
	assert_string_equal(script_command(b->script, 0), "AT+CPINGSTOP");
	assert_int_equal(script_heard(b->script, "AT+CPING="), 1);
	script_say(b->script, "\r\n+CPING: 3,3,3,0,1,2,1\r\n");
	bench_wait(b, 20);
	bench_expect(b, "answered(1,ok,3/3/0,1/1/2) ");
	/* that one has ended: none is in the way of the next */
	ping(b);
	assert_int_equal(script_heard(b->script, "AT+CPINGSTOP"), 1);
	assert_int_equal(script_heard(b->script, "AT+CPING="), 2);
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
		query = ping(b);
		script_answer(b->script, "AT+CPINGSTOP", cases[i].answer, 1);
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
	assert_int_equal(script_heard(b->script, "AT+CPINGSTOP"), 5);
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
	assert_int_equal(script_heard(b->script, "AT+CPINGSTOP"), 1);
	/* a name is looked up meanwhile */
	assert_int_equal(modem_resolve(b->m, "x", DRIVER_ANY, &third), 0);
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
	assert_int_equal(modem_ping(b->m, "host", DRIVER_ANY, &usual, &query), -ENETDOWN);
	bench_wait(b, 3000);
	bench_forget(b);
	ping(b);
	script_reboot(b->script, "\r\nRDY\r\n");
	bench_wait(b, 10);
	bench_expect(b, "answered(3,ENODEV,) ");
}

/* --------------------------------------------------------- confirmed bytes */

#define ACK(sent, acked, received) \
	"\r\n+CIPACK: " #sent "," #acked "," #received "\r\n" OK

/* A link on which 5 bytes were taken. */
static uint64_t link_with_bytes(struct bench *b)
{
	uint64_t link = bench_opened(b);

	assert_int_equal(bench_send(b, link, "12345", 5), 0);
	bench_wait(b, 100);
	bench_forget(b);
	script_forget_heard(b->script);

	return link;
}

static void confirmed_on_demand(void **state)
{
	struct bench *b = *state;
	uint64_t link = link_with_bytes(b);
	uint32_t query;

	assert_int_equal(bench_info(b, link).counts.confirmed, -1);
	script_answer(b->script, "AT+CIPACK=9", ACK(5, 3, 0), 1);
	assert_int_equal(modem_confirmed(b->m, link, &query), 0);
	bench_wait(b, 20);
	bench_expect(b, "confirmed(1/1,3) answered(1,ok,) ");
	/* nothing new, and then less than before: no news */
	script_answer(b->script, "AT+CIPACK=9", ACK(5, 3, 0), 1);
	assert_int_equal(modem_confirmed(b->m, link, &query), 0);
	bench_wait(b, 20);
	script_answer(b->script, "AT+CIPACK=9", ACK(5, 2, 0), 1);
	assert_int_equal(modem_confirmed(b->m, link, &query), 0);
	bench_wait(b, 20);
	bench_expect(b, "answered(2,ok,) answered(3,ok,) ");
	/* more than it was given is not believed */
	script_answer(b->script, "AT+CIPACK=9", ACK(5, 99999, 0), 1);
	assert_int_equal(modem_confirmed(b->m, link, &query), 0);
	bench_wait(b, 20);
	bench_expect(b, "confirmed(1/1,5) answered(4,ok,) ");
	assert_int_equal(bench_info(b, link).counts.confirmed, 5);
	assert_int_equal(modem_confirmed(b->m, 77, &query), -EBADF);
}

/* Until all is acknowledged. */
static void confirmed_before_a_close(void **state)
{
	struct bench *b = *state;
	uint64_t link = link_with_bytes(b);

	script_answer(b->script, "AT+CIPACK=9", ACK(5, 0, 0), 1);
	modem_link_close(b->m, link, false, "local");
	bench_wait(b, 500);
	bench_expect(b, "confirmed(1/1,0) ");
	assert_int_equal(script_heard(b->script, "AT+CIPCLOSE"), 0);
	script_answer(b->script, "AT+CIPACK=9", ACK(5, 5, 0), 1);
	bench_wait(b, 500);
	bench_expect(b, "confirmed(1/1,5) closed(1/1,ok,local,5/5/0) ");
	assert_int_equal(script_heard(b->script, "AT+CIPACK"), 2);
}

/* A peer that acknowledges nothing delays a close by 2 s at most. */
static void close_without_acks(void **state)
{
	struct bench *b = *state;
	uint64_t link = link_with_bytes(b);

	script_answer(b->script, "AT+CIPACK=9", ACK(5, 1, 0), 0);
	modem_link_close(b->m, link, false, "local");
	bench_wait(b, 1700);
	bench_expect(b, "confirmed(1/1,1) ");
	bench_wait(b, 400);
	bench_expect(b, "closed(1/1,ok,local,5/5/0) ");
	assert_int_equal(script_heard(b->script, "AT+CIPACK"), 3);
	assert_int_equal(fake_timers_pending(b->ts), 0);
}

static void close_asks_not(void **state)
{
	struct bench *b = *state;
	uint64_t link = link_with_bytes(b);

	script_answer(b->script, "AT+CIPACK", ACK(5, 1, 0), 0);
	modem_link_close(b->m, link, true, "local");
	bench_wait(b, 100);
	bench_expect(b, "closed(1/1,ok,local,5/5/0) ");
	/* no byte went either way */
	link = bench_opened(b);
	modem_link_close(b->m, link, false, "local");
	bench_wait(b, 100);
	bench_expect(b, "closed(2/1,ok,local,0/0/0) ");
	assert_int_equal(script_heard(b->script, "AT+CIPACK"), 0);
}

/* It is asked once, then never again; the link is closed at once. */
static void firmware_without_cipack(void **state)
{
	static const char *const answers[] = {
		ERROR,
		"\r\n+CME ERROR: unknown\r\n",
		"\r\n+IP ERROR: Operation not supported\r\n" ERROR,
		"\r\n+IP ERROR: 13\r\n" ERROR,
	};
	struct bench *b = *state;
	uint32_t query;
	uint64_t link;
	char want[64];
	size_t i;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		link = link_with_bytes(b);
		script_answer(b->script, "AT+CIPACK", answers[i], 0);
		modem_link_close(b->m, link, false, "local");
		bench_wait(b, 50);
		snprintf(want, sizeof(want), "closed(%d/1,ok,local,5/5/0) ",
			 (int)link);
		bench_expect(b, want);
		assert_int_equal(script_heard(b->script, "AT+CIPACK"), 1);
		link = link_with_bytes(b);
		assert_int_equal(modem_confirmed(b->m, link, &query),
				 -EOPNOTSUPP);
		modem_link_close(b->m, link, false, "local");
		bench_wait(b, 50);
		assert_int_equal(script_heard(b->script, "AT+CIPACK"), 0);
		/* another firmware may be on it after a restart */
		script_reboot(b->script, "\r\nRDY\r\n");
		bench_wait(b, 5000);
		bench_forget(b);
	}
}

/* This link's is not there, or the line with it was lost; that says nothing
 * of others. */
static void cipack_of_no_link(void **state)
{
	struct bench *b = *state;
	uint64_t link = link_with_bytes(b);
	uint32_t query;

	script_answer(b->script, "AT+CIPACK", OK, 0);
	modem_link_close(b->m, link, false, "local");
	bench_wait(b, 50);
	bench_expect(b, "closed(1/1,ok,local,5/5/0) ");
	link = link_with_bytes(b);

	script_answer(b->script, "AT+CIPACK",
		      "\r\n+IP ERROR: Connection is not created\r\n" ERROR, 0);
	modem_link_close(b->m, link, false, "local");
	bench_wait(b, 50);
	bench_expect(b, "closed(2/1,ok,local,5/5/0) ");
	link = link_with_bytes(b);
	assert_int_equal(modem_confirmed(b->m, link, &query), 0);
	bench_wait(b, 50);
	bench_expect_prefix(b, "answered(3,ENOTCONN,+IP ERROR: Connection");
}

/* Some firmware still knows; then the end carries it. */
static void peer_closed_asks_once(void **state)
{
	struct bench *b = *state;

	(void)link_with_bytes(b);
	script_answer(b->script, "AT+CIPACK=9", ACK(5, 4, 3), 0);
	script_peer_sends(b->script, 9, "abc", 3);
	script_peer_closes(b->script, 9);
	bench_wait(b, 200);
	bench_expect(b, "data(1,3) confirmed(1/1,4) "
		     "closed(1/1,EPIPE,peer,5/5/3) ");
	assert_int_equal(script_heard(b->script, "AT+CIPACK"), 1);
}

/* The modem received 9, we got 4, and it holds no more: 5 are lost. */
static void bytes_lost_on_the_line(void **state)
{
	struct bench *b = *state;
	uint64_t link = link_with_bytes(b);
	uint32_t query;

	script_peer_sends(b->script, 9, "abcd", 4);
	bench_wait(b, 50);
	script_answer(b->script, "AT+CIPACK=9", ACK(5, 5, 9), 0);
	assert_int_equal(modem_confirmed(b->m, link, &query), 0);
	bench_wait(b, 50);
	assert_int_equal(bench_info(b, link).counts.lost, 5);
	assert_int_equal(bench_status(b).lost_bytes, 5);
	/* counted once */
	assert_int_equal(modem_confirmed(b->m, link, &query), 0);
	bench_wait(b, 50);
	assert_int_equal(bench_info(b, link).counts.lost, 5);
	assert_int_equal(bench_status(b).lost_bytes, 5);
}

/* An answer with bytes did not arrive whole: the link ends, and the modem
 * tells how many it had. */
static void bytes_lost_with_the_link(void **state)
{
	struct bench *b = *state;
	struct modem_status st;

	(void)link_with_bytes(b);
	script_peer_sends(b->script, 9, "abcd", 4);
	bench_wait(b, 50);
	script_answer(b->script, "AT+CIPACK=9", ACK(5, 5, 104), 0);
	script_answer(b->script, "AT+CIPRXGET=2,9",
		      "\r\n+CIPRXGET: 2,9,100,0\r\nabc\r\n\r\nOK\r\n", 1);
	script_peer_sends(b->script, 9, "efgh", 4);
	bench_wait(b, 9000);
	bench_expect(b, "data(1,4) confirmed(1/1,5) "
		     "closed(1/1,ECONNABORTED,line-loss,5/5/4) ");
	st = bench_status(b);
	assert_int_equal(st.lost_bytes, 100);
	assert_int_equal(st.slots_used, 0);
}

/* What it still holds, announced or not, is not lost. */
static void bytes_still_in_the_modem(void **state)
{
	struct bench *b = *state;
	uint64_t link = link_with_bytes(b);
	uint32_t query;

	script_peer_sends_unheard(b->script, 9, "abcd", 4);
	script_answer(b->script, "AT+CIPACK=9", ACK(5, 5, 4), 0);
	assert_int_equal(modem_confirmed(b->m, link, &query), 0);
	bench_wait(b, 50);
	bench_expect_got(b, link, "abcd", 4);
	assert_int_equal(bench_info(b, link).counts.lost, 0);
}

/* ------------------------------------------------------------ wait for ACK */

static void wait_ack_while_a_link_wants_it(void **state)
{
	struct link_args args = { .host = "host", .port = 80,
				  .wait_ack = true };
	struct bench *b = *state;
	int one, two;

	script_answer(b->script, "AT+CIPSENDMODE?",
		      "\r\n+CIPSENDMODE: 1\r\n" OK, 0);
	one = bench_open_args(b, &args);
	two = bench_open_args(b, &args);
	bench_wait(b, 100);
	bench_expect(b, "opened(2) opened(1) ");
	assert_string_equal(script_command(b->script, 0), "AT+CIPSENDMODE=1");
	assert_string_equal(script_command(b->script, 1), "AT+CIPSENDMODE?");
	assert_int_equal(script_heard(b->script, "AT+CIPSENDMODE="), 1);
	modem_link_close(b->m, (uint64_t)one, false, "local");
	bench_wait(b, 100);
	assert_int_equal(script_heard(b->script, "AT+CIPSENDMODE=0"), 0);
	script_answer(b->script, "AT+CIPSENDMODE?",
		      "\r\n+CIPSENDMODE: 0\r\n" OK, 0);
	modem_link_close(b->m, (uint64_t)two, false, "local");
	bench_wait(b, 100);
	assert_int_equal(script_heard(b->script, "AT+CIPSENDMODE=0"), 1);
}

/* A7600 manual 2.11: not fully implemented. The link is opened all the same,
 * and nobody asks again and again. */
static void wait_ack_is_not_there(void **state)
{
	static const char *const answers[] = {
		ERROR, ("\r\n+CIPSENDMODE: 0\r\n" OK), OK,
	};
	struct link_args args = { .host = "host", .port = 80,
				  .wait_ack = true };
	struct bench *b = *state;
	char want[32];
	size_t i;
	int id;

	log_init("test", LOG_TARGET_STDERR, LOG_LEVEL_ERROR);
	for (i = 0; i < 3; i++) {
		script_answer(b->script, "AT+CIPSENDMODE", answers[i], 0);
		script_forget_heard(b->script);
		id = bench_open_args(b, &args);
		bench_wait(b, 1000);
		snprintf(want, sizeof(want), "opened(%d) ", id);
		bench_expect(b, want);
		assert_int_equal(script_heard(b->script, "AT+CIPSENDMODE"),
				 2);
		modem_link_close(b->m, (uint64_t)id, true, "local");
		bench_wait(b, 100);
		bench_forget(b);
	}
}

/* ----------------------------------------------------------------- options */

static unsigned int option(struct bench *b, const char *name)
{
	const struct driver_setting *s = modem_settings(b->m);
	unsigned int i;

	for (i = 0; s[i].name; i++) {
		if (strcmp(s[i].name, name) == 0)
			return i;
	}
	fail_msg("there is no option %s", name);

	return 0;
}

/* The script's words for all four. */
static void answer_options(struct bench *b, const char *ccfg, const char *dns)
{
	script_answer(b->script, "AT+CIPTIMEOUT?",
		      "\r\n+CIPTIMEOUT: 30000,30000,20000\r\n" OK, 0);
	script_answer(b->script, "AT+CIPCCFG?", ccfg, 0);
	script_answer(b->script, "AT+CIPSENDMODE?",
		      "\r\n+CIPSENDMODE: 0\r\n" OK, 0);
	script_answer(b->script, "AT+CIPDNSSET?", dns, 0);
}

static void options_are_read(void **state)
{
	struct bench *b = *state;
	uint32_t query;

	answer_options(b, "\r\n+CIPCCFG: 3,20,0,1,0,1,700\r\n" OK, ERROR);
	assert_int_equal(modem_setting(b->m, option(b, "retransmissions")),
			 -1);
	assert_int_equal(modem_read_config(b->m, &query), 0);
	bench_wait(b, 100);
	bench_expect(b, "answered(1,ok,) ");
	assert_int_equal(modem_setting(b->m, option(b, "send-timeout")),
			 20000);
	assert_int_equal(modem_setting(b->m, option(b, "retransmissions")), 3);
	assert_int_equal(modem_setting(b->m, option(b, "async-mode")), 1);
	assert_int_equal(modem_setting(b->m,
			 option(b, "retransmission-timeout")), 700);
	assert_int_equal(modem_setting(b->m, option(b, "wait-ack")), 0);
	assert_int_equal(modem_setting(b->m, option(b, "dns-retries")), -1);
	assert_int_equal(modem_setting(b->m, 999), -1);
}

/* Empty fields keep their values; SIMCom ref L1133 misprints CIPDNSSET. */
static void options_are_set(void **state)
{
	struct bench *b = *state;
	uint32_t query;

	answer_options(b, "\r\n+CIPCCFG: 3,20,0,0,0,1,700\r\n" OK,
		       "\r\n+CIPDNSSET: 0,3000,4\r\n" OK);
	assert_int_equal(modem_set(b->m, option(b, "error-mode"), 0, &query),
			 0);
	assert_int_equal(modem_set(b->m, option(b, "dns-retries"), 4, &query),
			 0);
	bench_wait(b, 100);
	bench_expect(b, "answered(1,ok,) answered(2,ok,) ");
	assert_string_equal(script_command(b->script, 0), "AT+CIPCCFG=,,,0");
	assert_string_equal(script_command(b->script, 1), "AT+CIPCCFG?");
	assert_string_equal(script_command(b->script, 2), "AT+CIPDNSSET=,,4");
	assert_string_equal(script_command(b->script, 3), "AT+CIPDNSSET?");

	assert_int_equal(modem_set(b->m, option(b, "error-mode"), 2, &query),
			 -EINVAL);
	assert_int_equal(modem_set(b->m, option(b, "header-type"), 0, &query),
			 -EINVAL);
	assert_int_equal(modem_set(b->m, option(b, "open-timeout"), 5000,
				   &query), -EINVAL);
	assert_int_equal(modem_set(b->m, 999, 0, &query), -EINVAL);

	/* and again after a restart */
	script_forget_heard(b->script);
	script_reboot(b->script, "\r\nRDY\r\n");
	bench_wait(b, 5000);
	assert_int_equal(bench_status(b).network, NETWORK_OPEN);
	assert_int_equal(script_heard(b->script, "AT+CIPCCFG=,,,0"), 1);
	assert_int_equal(script_heard(b->script, "AT+CIPDNSSET=0,3000,4"), 1);
}

/* A name nobody answers for: it ends after @ms, and not before. */
static void expect_resolve_ends(struct bench *b, uint32_t ms)
{
	uint32_t query;
	char want[64];

	script_answer(b->script, "AT+CDNSGIP", "", 1);
	assert_int_equal(modem_resolve(b->m, "slow.example", DRIVER_ANY,
				       &query), 0);
	bench_wait(b, ms - 50);
	bench_expect(b, "");
	bench_wait(b, 200);
	snprintf(want, sizeof(want), "answered(%u,ETIMEDOUT,no answer) ",
		 query);
	bench_expect(b, want);
	bench_wait(b, 2000);
	bench_forget(b);
}

/* SIMCom ref L1133: opens * their timeout, 3 s for each query more, 1 s. */
static void names_have_the_time_of_their_options(void **state)
{
	struct bench *b = *state;
	uint32_t query;

	expect_resolve_ends(b, 3000 + 3000 + 1000);
	answer_options(b, "\r\n+CIPCCFG: 10,0,0,1,0,0,500\r\n" OK,
		       "\r\n+CIPDNSSET: 1,4000,4\r\n" OK);
	assert_int_equal(modem_set(b->m, option(b, "dns-retries"), 4, &query),
			 0);
	bench_wait(b, 100);
	bench_forget(b);
	expect_resolve_ends(b, 2 * 4000 + 4 * 3000 + 1000);
	/* out of every range: the range's end */
	answer_options(b, "\r\n+CIPCCFG: 10,0,0,1,0,0,500\r\n" OK,
		       "\r\n+CIPDNSSET: 999999999,1,999999999\r\n" OK);
	assert_int_equal(modem_read_config(b->m, &query), 0);
	bench_wait(b, 100);
	bench_forget(b);
	expect_resolve_ends(b, 4 * 3000 + 7 * 3000 + 1000);
}

static void options_are_refused(void **state)
{
	struct bench *b = *state;
	uint32_t query;

	answer_options(b, "\r\n+CIPCCFG: 10,0,0,1,0,0,500\r\n" OK, ERROR);
	script_answer(b->script, "AT+CIPCCFG=", ERROR, 1);
	assert_int_equal(modem_set(b->m, option(b, "retransmissions"), 3,
				   &query), 0);
	bench_wait(b, 100);
	bench_expect(b, "answered(1,EREMOTEIO,ERROR) ");
	assert_int_equal(modem_setting_wanted(b->m,
			 option(b, "retransmissions")), -1);
	/* it says OK and does not do it: what it is, is told */
	assert_int_equal(modem_set(b->m, option(b, "retransmissions"), 3,
				   &query), 0);
	bench_wait(b, 100);
	bench_expect(b, "answered(2,ok,) ");
	assert_int_equal(modem_setting(b->m, option(b, "retransmissions")),
			 10);
	assert_int_equal(modem_setting_wanted(b->m,
			 option(b, "retransmissions")), 3);
	/* no answer at all, and the modem is gone in the middle */
	script_answer(b->script, "AT+CIPDNSSET", "", 0);
	assert_int_equal(modem_set(b->m, option(b, "dns-retries"), 3, &query),
			 0);
	bench_wait(b, 10);
	script_reboot(b->script, "\r\nRDY\r\n");
	bench_wait(b, 100);
	bench_expect(b, "answered(3,ENODEV,no answer) ");
}

/* It restarts between the two commands of one question. */
static void options_and_a_restart(void **state)
{
	struct bench *b = *state;
	uint32_t query;

	script_answer(b->script, "AT+CIPDNSSET=", OK "\r\nRDY\r\n", 1);
	assert_int_equal(modem_set(b->m, option(b, "dns-retries"), 3, &query),
			 0);
	bench_wait(b, 50);
	bench_expect(b, "answered(1,ENODEV,) ");
	script_reboot(b->script, "\r\nRDY\r\n");
	bench_wait(b, 5000);
	assert_int_equal(bench_status(b).network, NETWORK_OPEN);
	assert_int_equal(modem_read_config(b->m, &query), 0);
	bench_wait(b, 100);
	bench_expect(b, "answered(2,ok,) ");
}

/* From the file, before the network is opened, and verified. */
static void options_of_the_file(void **state)
{
	struct bench *b = *state;
	char options[] = "retransmissions=3,dns-retries=2,error-mode=0";

	b->cfg.modem.options = options;
	answer_options(b, "\r\n+CIPCCFG: 3,0,0,0,0,0,500\r\n" OK,
		       "\r\n+CIPDNSSET: 0,3000,2\r\n" OK);
	bench_start(b);
	bench_wait(b, 3000);
	assert_int_equal(bench_status(b).network, NETWORK_OPEN);
	assert_int_equal(script_heard(b->script, "AT+CIPCCFG=3,,,0"), 1);
	assert_int_equal(script_heard(b->script, "AT+CIPDNSSET=0,3000,2"), 1);
	assert_int_equal(script_heard(b->script, "AT+CIPCCFG?"), 1);
	assert_int_equal(modem_setting(b->m, option(b, "error-mode")), 0);
}

/* Firmware without them opens its network all the same. */
static void options_of_the_file_are_refused(void **state)
{
	struct bench *b = *state;
	char options[] = "retransmissions=3";

	log_init("test", LOG_TARGET_STDERR, LOG_LEVEL_ERROR);
	b->cfg.modem.options = options;
	script_answer(b->script, "AT+CIPCCFG", ERROR, 0);
	script_answer(b->script, "AT+CIPDNSSET", ERROR, 0);
	bench_start(b);
	bench_wait(b, 3000);
	assert_int_equal(bench_status(b).network, NETWORK_OPEN);
}

/* ------------------------------------------------------------------ raw AT */

static uint32_t raw(struct bench *b, const char *command, bool force)
{
	const char *why;
	uint32_t query = 0;

	assert_int_equal(modem_at(b->m, command, 2000, force, &query, &why),
			 0);
	bench_wait(b, 20);

	return query;
}

static void raw_answers(void **state)
{
	static const struct {
		const char *command, *answer, *want;
	} cases[] = {
		{ "AT+CGMR", "\r\n+CGMR: X\r\n" OK, "ok,+CGMR: X\nOK" },
		{ "ATI", "\r\nA\r\n\r\nB\r\n" OK, "ok,A\nB\nOK" },
		/* what others would take for a URC, or an answer of theirs */
		{ "AT+CREG?", "\r\n+CREG: 0,1\r\n" OK, "ok,+CREG: 0,1\nOK" },
		{ "at+creg=?", "\r\n+CREG: (0-2)\r\n" OK,
		  "ok,+CREG: (0-2)\nOK" },
		{ "AT+CSQ;+CPIN?", "\r\n+CSQ: 1,2\r\n\r\n+CPIN: READY\r\n" OK,
		  "ok,+CSQ: 1,2\n+CPIN: READY\nOK" },
		/* and those that came in between are not in it */
		{ "AT+CGMR", "\r\n+CIPRXGET: 1,9\r\n\r\n+CGMR: X\r\n"
		  "\r\n+CREG: 1\r\n" OK, "ok,+CGMR: X\nOK" },
		{ "AT+X", "\r\n+IP ERROR: No data\r\n" ERROR,
		  "EREMOTEIO,+IP ERROR: No data\nERROR" },
		{ "AT+X", "\r\n+CME ERROR: 3\r\n", "EREMOTEIO,+CME ERROR: 3" },
		{ "AT", OK, "ok,OK" },
	};
	struct bench *b = *state;
	char want[128];
	uint32_t query;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		script_answer(b->script, cases[i].command, cases[i].answer, 1);
		query = raw(b, cases[i].command, false);
		snprintf(want, sizeof(want), "answered(%u,%s) ", query,
			 cases[i].want);
		bench_expect(b, want);
	}
}

/* What came in between has reached its owner. */
static void raw_leaves_urcs_alone(void **state)
{
	struct bench *b = *state;
	uint64_t link = bench_opened(b);

	script_peer_sends_unheard(b->script, 9, "abc", 3);
	script_answer(b->script, "AT+CIPRXGET?",
		      "\r\n+CIPRXGET: 1,9\r\n\r\n+CIPRXGET: 1\r\n" OK, 1);
	raw(b, "AT+CIPRXGET?", false);
	bench_wait(b, 20);
	bench_expect_got(b, link, "abc", 3);
}

static void raw_without_an_answer(void **state)
{
	struct bench *b = *state;

	script_answer(b->script, "AT+X", "\r\n+X: 1\r\n", 1);
	raw(b, "AT+X", false);
	bench_wait(b, 3000);
	bench_expect(b, "answered(1,ETIMEDOUT,+X: 1\n) ");
	raw(b, "AT", false);
	bench_expect(b, "answered(2,ok,OK) ");
}

/* It would wait for payload: ESC ends that, and the next answer is whole. */
static void raw_prompt_is_ended(void **state)
{
	struct bench *b = *state;

	script_answer(b->script, "AT+CMGS", "\r\n> ", 1);
	raw(b, "AT+CMGS=\"1\"", true);
	bench_wait(b, 4000);
	bench_expect_prefix(b, "answered(1,ETIMEDOUT,");
	raw(b, "AT+CGMR", false);
	bench_expect_prefix(b, "answered(2,ok,+CGMR: A011B07A7670M7");
}

static void raw_long_answer(void **state)
{
	static char text[20000];
	struct bench *b = *state;
	int i;

	for (i = 0; i < 600; i++)
		strcat(text, "\r\nline of some length\r\n");
	strcat(text, OK);
	script_answer(b->script, "AT+CLAC", text, 1);
	raw(b, "AT+CLAC", false);
	bench_wait(b, 3000);
	assert_non_null(strstr(b->log, "\n(the rest of the answer is not "
			       "kept)\nOK) "));
	assert_true(b->len < 8500);
}

static void raw_is_refused(void **state)
{
	const char *why = NULL;
	struct bench *b = *state;
	uint32_t query;

	assert_int_equal(modem_at(b->m, "AT+NETCLOSE", 2000, false, &query,
				  &why), -EACCES);
	assert_non_null(strstr(why, "modemctl network"));
	/* by force: what is known is checked again */
	script_forget_heard(b->script);
	raw(b, "AT+CIPSENDMODE=0", true);
	bench_wait(b, 1000);
	bench_expect(b, "answered(1,ok,OK) ");
	assert_string_equal(script_command(b->script, 0), "AT+CIPSENDMODE=0");
	assert_string_equal(script_command(b->script, 1), "ATE0");
	assert_int_equal(script_heard(b->script, "AT+CIPOPEN?"), 1);
	assert_int_equal(bench_status(b).network, NETWORK_OPEN);
}

/* Without a network, also while a stage waits for registration. */
static void raw_without_a_network(void **state)
{
	struct bench *b = *state;
	const char *why;
	uint32_t query;

	script_set(b->script)->reg = 2;
	bench_start(b);
	bench_wait(b, 4000);
	bench_expect_state(b, MODEM_REGISTERING, "searching");
	raw(b, "AT+CGMR", false);
	bench_wait(b, 100);
	bench_expect_prefix(b, "answered(1,ok,+CGMR: A011");
	script_set(b->script)->reg = 1;
	bench_wait(b, 10000);
	assert_int_equal(bench_status(b).network, NETWORK_OPEN);
	script_set(b->script)->mute = true;
	raw(b, "AT+CGMR", false);
	bench_wait(b, 200000);
	bench_expect_prefix(b, "answered(2,E");
	assert_int_equal(modem_at(b->m, "AT", 2000, false, &query, &why),
			 -ENODEV);
}

/* The stage asks again while the raw command is still being answered. */
static void raw_while_a_stage_asks_again(void **state)
{
	struct bench *b = *state;
	int i;

	script_set(b->script)->reg = 2;
	bench_start(b);
	bench_wait(b, 4000);
	bench_expect_state(b, MODEM_REGISTERING, "searching");
	script_forget_heard(b->script);
	while (script_heard(b->script, "AT+CREG?") == 0)
		bench_wait(b, 100);	/* now it waits for 5 s */
	bench_wait(b, 4000);
	script_set(b->script)->latency_ms = 1900;
	raw(b, "AT+CGMR", false);
	for (i = 0; i < 40; i++) {
		bench_wait(b, 100);
		bench_expect_state(b, MODEM_REGISTERING, "searching");
	}
	bench_expect_prefix(b, "answered(1,ok,+CGMR: A011");
	script_set(b->script)->latency_ms = 5;
	script_set(b->script)->reg = 1;
	bench_wait(b, 10000);
	assert_int_equal(bench_status(b).network, NETWORK_OPEN);
	/* the stage went on where it was */
	assert_int_equal(script_heard(b->script, "AT+CREG=1"), 0);
}

/* ----------------------------------------------------------------- forbids */

static void forbidden_and_allowed(void **state)
{
	static const char *const forbidden[] = {
		"AT+CIPHEAD", "AT+CIPSRIP", "AT+CIPMODE", "AT+CIPCCFG",
		"AT+CIPHEAD=1", "at+ciphead=0", "AT + CIP HEAD = 1",
		"AT+CIPOPEN=0,\"TCP\",\"h\",1", "AT+CIPCLOSE=0",
		"AT+CIPSEND=0,5", "AT+CIPSEND=0", "AT+CIPRXGET=0",
		"AT+CIPRXGET=2,0,100", "AT+CIPRXGET=4,0;+CIPRXGET=0",
		"AT+SERVERSTART=80,0",
		"AT+SERVERSTOP=0", "AT+NETOPEN", "AT+NETCLOSE", "AT+CFUN=0",
		"AT+CFUN=1,1", "AT+CRESET", "AT+CPOF", "ATE1", "ATE", "ate1",
		"AT+IPR=9600", "AT+IFC=2,2", "ATV0", "ATQ1", "ATZ", "AT&F",
		"AT&D2", "AT+CPIN=1234", "AT+CGDCONT=1,\"IP\",\"x\"",
		"AT+CPING=\"h\",1", "AT+CPINGSTOP", "AT+CIPTIMEOUT=1,2,3",
		"AT+CIPDNSSET=1", "AT+CIPSENDMODE=1", "ATO", "ATD*99#",
		"AT+++", "+++", "AT+CMGS=\"1\"", "AT+CREG=2", "AT+CMEE=0",
		/* behind another one */
		"AT+CSQ;+CFUN=0", "AT+CREG?;+CIPMODE=1", "ATI;E1", "ATIE1",
		"AT;;+NETCLOSE", "AT+X=\";\";+NETCLOSE", "ATE0V1+NETCLOSE",
		"AT+CSQ; +CIPHEAD", "A T+NETCLOSE",
	};
	static const char *const allowed[] = {
		"AT", "ATI", "AT+CSQ", "AT+CREG?", "AT+CIPOPEN?",
		"AT+CIPOPEN=?", "at+cipmode ?", "AT+CIPCCFG = ?", "AT+CFUN?",
		"AT+CPIN?", "AT+CIPACK=0", "AT+CGMR;+CGSN", "AT+IPADDR",
		"AT+CIPRXGET=4,0", "at+ciprxget=4, 9",
		"AT+CDNSGIP=\"NETCLOSE\"", "AT+X=\";+NETCLOSE\"",
		"AT+CCLK?", "AT+CREG?;+CIPMODE?", "AT+NETOPEN?",
		"AT+CIPHEADX=1", "AT&W", "AT+CICCID",
	};
	const struct driver *d = driver_find("simcom");
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		if (!d->forbids(forbidden[i]))
			fail_msg("%s is allowed", forbidden[i]);
	}
	for (i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		if (d->forbids(allowed[i]))
			fail_msg("%s is not allowed: %s", allowed[i],
				 d->forbids(allowed[i]));
	}
}

/* ------------------------------------------------------------------ errors */

/* A7600 manual 3: one meaning in both modes, in any case. */
static void errors_mean_the_same(void **state)
{
	static const char *const words[] = {
		"Connection time out", "Bind port failed", "Port overflow",
		"Create socket failed", "Network is already opened",
		"Network is already closed", "No clients connected",
		"No active client", "Network not opened",
		"Client index overflow", "Connection is already created",
		"Connection is not created", "Invalid parameter",
		"Operation not supported", "DNS query failed", "TCP busy",
		"Net close failed for socket opened", "Sending time out",
		"Sending failure for network error",
		"Open failure for network error",
		"Server is already listening", "Operation failed", "No data",
	};
	static const int want[] = {
		-ETIMEDOUT, -EADDRINUSE, -EINVAL, -EREMOTEIO, -EALREADY,
		-ENETDOWN, -ENOTCONN, -ENOTCONN, -ENETDOWN, -EINVAL, -EBUSY,
		-ENOTCONN, -EINVAL, -EOPNOTSUPP, -EADDRNOTAVAIL, -EBUSY,
		-EBUSY, -ETIMEDOUT, -ECONNABORTED, -ECONNREFUSED, -EADDRINUSE,
		-EREMOTEIO, -ENODATA,
	};
	char text[96], number[32], *c;
	struct at_answer a = { .final = "ERROR" };
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		snprintf(text, sizeof(text), "+IP ERROR: %s", words[i]);
		snprintf(number, sizeof(number), "+IP ERROR:%u", i);
		a.detail = text;
		assert_int_equal(simcom_answer_errno(-EREMOTEIO, &a), want[i]);
		for (c = text + 11; *c; c++)
			*c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
		assert_int_equal(simcom_answer_errno(-EREMOTEIO, &a), want[i]);
		a.detail = number;
		assert_int_equal(simcom_answer_errno(-EREMOTEIO, &a), want[i]);
	}
	a.detail = "+IP ERROR: 23";
	assert_int_equal(simcom_answer_errno(-EREMOTEIO, &a), -EREMOTEIO);
	a.detail = "+IP ERROR: -1";
	assert_int_equal(simcom_answer_errno(-EREMOTEIO, &a), -EREMOTEIO);
	a.detail = "+IP ERROR: ";
	assert_int_equal(simcom_answer_errno(-EREMOTEIO, &a), -EREMOTEIO);
	a.detail = "+CIPERROR: 10";
	assert_int_equal(simcom_answer_errno(-EREMOTEIO, &a), -ETIMEDOUT);
	a.detail = "";
	a.final = "+CME ERROR: No Network Service";
	assert_int_equal(simcom_answer_errno(-EREMOTEIO, &a), -ENETDOWN);
	a.final = "+CME ERROR: 30";
	assert_int_equal(simcom_answer_errno(-EREMOTEIO, &a), -ENETDOWN);
	/* only what was refused is looked at */
	assert_int_equal(simcom_answer_errno(-ETIMEDOUT, &a), -ETIMEDOUT);
	assert_int_equal(simcom_answer_errno(0, &a), 0);
}

#define O(f) cmocka_unit_test_setup_teardown(f, bench_set_up_open, \
					     bench_tear_down)
#define N(f) cmocka_unit_test_setup_teardown(f, bench_set_up, bench_tear_down)

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
		O(confirmed_on_demand),
		O(confirmed_before_a_close),
		O(close_without_acks),
		O(close_asks_not),
		O(firmware_without_cipack),
		O(cipack_of_no_link),
		O(peer_closed_asks_once),
		O(bytes_lost_on_the_line),
		O(bytes_lost_with_the_link),
		O(bytes_still_in_the_modem),
		O(wait_ack_while_a_link_wants_it),
		O(wait_ack_is_not_there),
		O(options_are_read),
		O(options_are_set),
		O(names_have_the_time_of_their_options),
		O(options_are_refused),
		O(options_and_a_restart),
		N(options_of_the_file),
		N(options_of_the_file_are_refused),
		O(raw_answers),
		O(raw_leaves_urcs_alone),
		O(raw_without_an_answer),
		O(raw_prompt_is_ended),
		O(raw_long_answer),
		O(raw_is_refused),
		N(raw_without_a_network),
		N(raw_while_a_stage_asks_again),
		cmocka_unit_test(forbidden_and_allowed),
		cmocka_unit_test(errors_mean_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
