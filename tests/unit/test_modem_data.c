/* SPDX-License-Identifier: MIT */

/*
 * How bytes travel: datagrams, coded sends, pulled digits, pushed blocks, and
 * the change between pull and push. No byte goes to the wrong link.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/state.h"
#include "driver/driver.h"
#include "modem_bench.h"

static uint8_t bytes[400000];

static bool heard(struct bench *b, const char *command)
{
	return script_heard(b->script, command) > 0;
}

static bool pushes(struct bench *b)
{
	return strcmp(bench_status(b).receive, "push") == 0;
}

/* modem.receive is push; the network is open. */
static int set_up_push(void **state)
{
	struct bench *b;

	bench_set_up(state);
	b = *state;
	b->cfg.modem.receive = CONFIG_RECEIVE_PUSH;
	bench_start(b);
	bench_wait(b, 3000);
	assert_true(pushes(b));
	bench_expect(b, "");

	return 0;
}

static uint64_t opened(struct bench *b, const struct link_args *args)
{
	int id = bench_open_args(b, args);
	char want[32];

	assert_true(id > 0);
	bench_wait(b, 200);
	snprintf(want, sizeof(want), "opened(%d) ", id);
	bench_expect(b, want);

	return (uint64_t)id;
}

static uint64_t opened_udp(struct bench *b, const char *host)
{
	return opened(b, &(struct link_args){ .kind = LINK_UDP, .host = host,
					      .port = host[0] ? 53 : 0 });
}

static uint64_t opened_credit(struct bench *b, uint32_t credit)
{
	return opened(b, &(struct link_args){ .host = "host", .port = 80,
					      .has_credit = true,
					      .credit = credit });
}

static unsigned int slot_of(struct bench *b, uint64_t link)
{
	return (unsigned int)bench_info(b, link).slot;
}

/* --------------------------------------------------------------- datagrams */

static void udp_opens_in_every_order(void **state)
{
	static const char *const answers[] = {
		"\r\n+CIPOPEN: 9,0\r\n\r\nOK\r\n",
		"\r\nOK\r\n\r\n+CIPOPEN: 8,0\r\n",	/* Q8 */
	};
	struct bench *b = *state;
	unsigned int i, port;
	uint64_t link;
	char want[64];

	for (i = 0; i < 2; i++) {
		script_answer(b->script, "AT+CIPOPEN=", answers[i], 1);
		link = opened_udp(b, "");
		port = bench_info(b, link).local_port;
		assert_in_range(port, 49152, 65535);
		assert_int_equal(bench_info(b, link).kind, LINK_UDP);
		snprintf(want, sizeof(want), "AT+CIPOPEN=%u,\"UDP\",,,%u",
			 9 - i, port);
		assert_true(heard(b, want));
	}
	link = opened(b, &(struct link_args){ .kind = LINK_UDP, .host = "",
					      .local_port = 5000 });
	assert_true(heard(b, "AT+CIPOPEN=7,\"UDP\",,,5000"));
}

static void udp_open_fails(void **state)
{
	struct bench *b = *state;
	struct link_args args = { .kind = LINK_UDP, .host = "" };

	script_answer(b->script, "AT+CIPOPEN=",
		      "\r\n+CIPOPEN: 9,6\r\n\r\nERROR\r\n", 1);
	assert_int_equal(bench_open_args(b, &args), 1);
	bench_wait(b, 100);
	bench_expect(b, "opened(1,EADDRINUSE,open-failed) ");
}

static void each_send_is_one(void **state)
{
	struct bench *b = *state;
	uint64_t link = opened_udp(b, "192.0.2.9");
	struct driver_to to = { .address = "192.0.2.1", .port = 65535 };

	bench_fill(bytes, 1500, 1);
	script_forget_heard(b->script);
	assert_int_equal(bench_send(b, link, "first", 5), 0);
	assert_int_equal(modem_link_send_to(b->m, link, 1, "x", 1, &to), 0);
	assert_int_equal(bench_send(b, link, bytes, 1500), 0);
	assert_int_equal(bench_send(b, link, bytes, 1501), -EMSGSIZE);
	bench_wait(b, 500);
	assert_string_equal(script_command(b->script, 0),
			    "AT+CIPSEND=9,5,\"192.0.2.9\",53");
	assert_string_equal(script_command(b->script, 1),
			    "AT+CIPSEND=9,1,\"192.0.2.1\",65535");
	assert_string_equal(script_command(b->script, 2),
			    "AT+CIPSEND=9,1500,\"192.0.2.9\",53");
	bench_expect(b, "sent(1/1,5) sent(1/1,1) sent(1/1,1500) ");
	assert_int_equal(bench_info(b, link).counts.taken, 1506);
}

static void sends_to_nobody(void **state)
{
	struct bench *b = *state;
	uint64_t link = opened_udp(b, ""), tcp = bench_opened(b);
	struct driver_to to = { .address = "192.0.2.1", .port = 5 };

	assert_int_equal(bench_send(b, link, "x", 1), -EDESTADDRREQ);
	assert_int_equal(modem_link_send_to(b->m, tcp, 1, "x", 1, &to),
			 -EINVAL);
	bench_wait(b, 100);
	assert_false(heard(b, "AT+CIPSEND="));
	assert_int_equal(bench_info(b, link).counts.accepted, 0);
}

/* It is dropped and told, whatever is queued behind it goes; no other link
 * sends less for it. */
static void a_refused_datagram(void **state)
{
	struct bench *b = *state;
	uint64_t link = opened_udp(b, "192.0.2.9"), tcp;

	script_set(b->script)->send_max = 1400;
	bench_fill(bytes, 1500, 1);
	assert_int_equal(bench_send(b, link, bytes, 1401), 0);
	assert_int_equal(bench_send(b, link, "next", 4), 0);
	bench_wait(b, 500);
	bench_expect(b, "sent(1/1,1401,EMSGSIZE) sent(1/1,4) ");
	bench_expect_sent(b, 9, "next", 4);
	assert_int_equal(bench_info(b, link).counts.accepted, 1405);
	assert_int_equal(bench_info(b, link).counts.taken, 4);
	assert_int_equal(bench_info(b, link).queued_up, 0);
	/* an address that the firmware does not like */
	script_answer(b->script, "AT+CIPSEND=",
		      "\r\n+CIPERROR: 3\r\n\r\nERROR\r\n", 1);
	assert_int_equal(bench_send(b, link, "far", 3), 0);
	bench_wait(b, 500);
	bench_expect(b, "sent(1/1,3,EINVAL) ");

	script_set(b->script)->send_max = 0;
	tcp = bench_opened(b);
	assert_int_equal(bench_send(b, tcp, bytes, 1500), 0);
	bench_wait(b, 500);
	bench_expect(b, "sent(2/1,1500) ");
}

/* A pull takes a datagram or a part of one, whose rest would be another:
 * never less than the largest is asked for. */
static void a_pull_waits_for_credit(void **state)
{
	struct bench *b = *state;
	uint64_t link = opened(b, &(struct link_args){ .kind = LINK_UDP,
			       .host = "", .has_credit = true,
			       .credit = 1499 });

	script_forget_heard(b->script);
	bench_fill(bytes, 700, 1);
	script_peer_sends(b->script, 9, bytes, 700);
	bench_wait(b, 1000);
	assert_false(heard(b, "AT+CIPRXGET=2"));
	modem_link_credit(b->m, link, 1, 1);
	bench_wait(b, 200);
	assert_true(heard(b, "AT+CIPRXGET=2,9,1500"));
	bench_expect(b, "data(1,700) ");
	bench_expect_got(b, link, bytes, 700);
	assert_int_equal(bench_info(b, link).credit, 800);
}

/* A bare ERROR says nothing of what the modem still holds. */
static void last_bytes_and_an_error(void **state)
{
	struct bench *b = *state;

	bench_opened(b);
	script_answer(b->script, "AT+CIPRXGET=2", "\r\nERROR\r\n", 2);
	script_peer_sends(b->script, 9, "the end", 7);
	script_peer_closes(b->script, 9);
	bench_wait(b, 500);
	bench_expect(b, "data(1,7) closed(1/1,EPIPE,peer,0/0/7) ");
	/* and nobody asks for ever */
	bench_opened(b);
	script_answer(b->script, "AT+CIPRXGET=2", "\r\nERROR\r\n", 0);
	script_peer_sends(b->script, 8, "the end", 7);
	script_peer_closes(b->script, 8);
	bench_wait(b, 500);
	bench_expect(b, "closed(2/1,EPIPE,peer,0/0/0) ");
	assert_in_range(script_heard(b->script, "AT+CIPRXGET=2"), 3, 4);
}

/* ------------------------------------------------------------------- sends */

static int set_up_coded(void **state)
{
	struct bench *b;

	bench_set_up(state);
	b = *state;
	b->cfg.modem.send_coding = CONFIG_CODING_CTRLZ;
	bench_start(b);
	bench_wait(b, 3000);
	bench_expect(b, "");

	return 0;
}

static void all_values_coded(void **state)
{
	struct bench *b = *state;
	uint64_t link = bench_opened(b), udp;
	unsigned int i;

	for (i = 0; i < 1500; i++)
		bytes[i] = (uint8_t)i;
	script_forget_heard(b->script);
	assert_int_equal(bench_send(b, link, bytes, 1500), 0);
	bench_wait(b, 500);
	assert_string_equal(script_command(b->script, 0), "AT+CIPSEND=9");
	bench_expect(b, "sent(1/1,1500) ");
	bench_expect_sent(b, 9, bytes, 1500);

	udp = opened_udp(b, "192.0.2.9");
	script_forget_heard(b->script);
	assert_int_equal(bench_send(b, udp, "\x03\x1a\x1b", 3), 0);
	bench_wait(b, 500);
	assert_string_equal(script_command(b->script, 0),
			    "AT+CIPSEND=8,,\"192.0.2.9\",53");
	bench_expect(b, "sent(2/1,3) ");
	bench_expect_sent(b, 8, "\x03\x1a\x1b", 3);
}

/* One manual has a comma there: it is tried once. */
static void coded_with_a_comma(void **state)
{
	struct bench *b = *state;
	uint64_t link = bench_opened(b), other;

	/* a dead link says nothing of the form */
	script_answer(b->script, "AT+CIPSEND=9",
		      "\r\n+CIPERROR: 4\r\n\r\nERROR\r\n", 1);
	assert_int_equal(bench_send(b, link, "x", 1), 0);
	bench_wait(b, 500);
	bench_expect(b, "closed(1/1,ECONNABORTED,send-failed,1/0/0) ");
	/* and what refuses both forms does not choose one */
	link = bench_opened(b);
	script_answer(b->script, "AT+CIPSEND=8",
		      "\r\n+CIPERROR: 3\r\n\r\nERROR\r\n", 2);
	assert_int_equal(bench_send(b, link, "x", 1), 0);
	bench_wait(b, 500);
	assert_int_equal(script_heard(b->script, "AT+CIPSEND=8,"), 1);
	bench_expect(b, "closed(2/1,ECONNABORTED,send-failed,1/0/0) ");

	link = bench_opened(b);
	script_answer(b->script, "AT+CIPSEND=7",
		      "\r\n+CIPERROR: 3\r\n\r\nERROR\r\n", 1);
	assert_int_equal(bench_send(b, link, "a\x1b", 2), 0);
	bench_wait(b, 500);
	assert_string_equal(script_command(b->script, 0), "AT+CIPSEND=7");
	assert_int_equal(script_heard(b->script, "AT+CIPSEND=7,"), 1);
	bench_expect(b, "sent(3/1,2) ");
	bench_expect_sent(b, 7, "a\x1b", 2);

	other = bench_opened(b);
	script_answer(b->script, "AT+CIPSEND=6",
		      "\r\n+CIPERROR: 4\r\n\r\nERROR\r\n", 1);
	assert_int_equal(bench_send(b, other, "x", 1), 0);
	bench_wait(b, 500);
	assert_string_equal(script_command(b->script, 0), "AT+CIPSEND=6,");
	bench_expect(b, "closed(4/1,ECONNABORTED,send-failed,1/0/0) ");
}

/* cnf short, 0, -1: the link is broken, and the counts say where. */
static void coded_results(void **state)
{
	static const struct {
		const char *result, *want;
	} cases[] = {
		{ "\r\n+CIPSEND: 9,5,3\r\n",
		  "sent(1/1,3) closed(1/1,ECONNABORTED,send-failed,5/3/0) " },
		{ "\r\n+CIPSEND: 8,5,0\r\n",
		  "closed(2/1,ECONNABORTED,send-failed,5/0/0) " },
		{ "\r\n+CIPSEND: 7,5,-1\r\n",
		  "closed(3/1,ECONNABORTED,send-failed,5/0/0) " },
	};
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < 3; i++) {
		uint64_t link = bench_opened(b);

		script_send_result(b->script, cases[i].result);
		assert_int_equal(bench_send(b, link, "a\x1b" "b\x03" "c", 5),
				 0);
		bench_wait(b, 500);
		bench_expect(b, cases[i].want);
	}
}

/* What the firmware takes is known at the next start. */
static void largest_send_is_kept(void **state)
{
	struct bench *b = *state;
	uint64_t link = bench_opened(b);

	script_set(b->script)->send_max = 1300;
	assert_int_equal(bench_send(b, link, bytes, 5000), 0);
	bench_wait(b, 2000);
	assert_int_equal(bench_info(b, link).counts.taken, 5000);
	assert_true(heard(b, "AT+CIPSEND=9,1500"));
	assert_true(heard(b, "AT+CIPSEND=9,1460"));
	assert_true(heard(b, "AT+CIPSEND=9,1400"));
	assert_true(heard(b, "AT+CIPSEND=9,1024"));
	assert_string_equal(state_get(b->state, "max-send.A011B07A7670M7"),
			    "1024");

	bench_restart(b);
	bench_wait(b, 3000);
	bench_forget(b);
	link = bench_opened(b);
	assert_int_equal(bench_send(b, link, bytes, 5000), 0);
	bench_wait(b, 2000);
	assert_int_equal(bench_info(b, link).counts.taken, 5000);
	assert_string_equal(script_command(b->script, 0), "AT+CIPSEND=9,1024");
}

/* ------------------------------------------------------------------ digits */

static int set_up_hex(void **state)
{
	struct bench *b;

	bench_set_up(state);
	b = *state;
	b->cfg.modem.pull_form = CONFIG_PULL_HEX;
	bench_start(b);
	bench_wait(b, 3000);
	bench_expect(b, "");

	return 0;
}

static void digits(void **state)
{
	struct bench *b = *state;
	uint64_t link = bench_opened(b);

	bench_fill(bytes, 2000, 1);
	script_peer_sends(b->script, 9, bytes, 2000);
	bench_wait(b, 500);
	assert_true(heard(b, "AT+CIPRXGET=3,9,750"));
	bench_expect(b, "data(1,750) data(1,750) data(1,500) ");
	bench_expect_got(b, link, bytes, 2000);
}

/* Q68: bytes or digits are counted; lower case; lines between. */
static void digits_in_other_words(void **state)
{
	static const char *const answers[] = {
		"\r\n+CIPRXGET: 3,9,6,0\r\n616203\r\n\r\nOK\r\n",
		"\r\n+CIPRXGET: 3,9,3,0\r\n61620a\r\n\r\nOK\r\n",
		("\r\n+CIPRXGET:3,9,3,0\r\n\r\n+CGEV: X\r\n*NEW: 1\r\n"
		 "616203\r\nOK\r\n"),
	};
	static const char *const want[] = { "ab\x03", "ab\n", "ab\x03" };
	struct bench *b = *state;
	uint64_t link = bench_opened(b);
	size_t i;

	for (i = 0; i < 3; i++) {
		script_answer(b->script, "AT+CIPRXGET=3", answers[i], 1);
		script_say(b->script, "\r\n+CIPRXGET: 1,9\r\n");
		bench_wait(b, 200);
		bench_expect(b, "data(1,3) ");
		bench_expect_got(b, link, want[i], 3);
	}
}

static void damaged_digits(void **state)
{
	static const char *const answers[] = {
		"\r\n+CIPRXGET: 3,9,3,0\r\n61620\r\n\r\nOK\r\n",
		"\r\n+CIPRXGET: 3,8,3,0\r\n6162\r\n\r\nOK\r\n",
		"\r\n+CIPRXGET: 3,7,3,0\r\n6162x3\r\n\r\nOK\r\n",
		"\r\n+CIPRXGT: 3,6,3,0\r\n616203\r\n\r\nOK\r\n",
		"\r\n+CIPRXGET: 3,5,3,0\r\n\r\nOK\r\n",
		"\r\n+CIPRXGET: 3,4,3,0\r\n616203\r\n616203\r\n\r\nOK\r\n",
		"\r\n+CIPRXGET: 3,4,3,0\r\n616203\r\n\r\nOK\r\n", /* another */
		"\r\n+CIPRXGET: 3,2,-1,0\r\n616203\r\n\r\nOK\r\n",
	};
	struct bench *b = *state;
	char want[64];
	size_t i;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		uint64_t link = bench_opened(b);

		script_answer(b->script, "AT+CIPRXGET=3", answers[i], 1);
		script_say(b->script, "\r\n+CIPRXGET: 1,%zu\r\n", 9 - i);
		bench_wait(b, 300);
		snprintf(want, sizeof(want), "closed(%d/1,ECONNABORTED,"
			 "line-loss,0/0/0) ", (int)link);
		bench_expect(b, want);
		bench_wait(b, 3000);
	}
}

/* -------------------------------------------------------------------- push */

static void the_way_to_push(void **state)
{
	static const char *const commands[] = {
		"AT+CIPHEAD=1", "AT+CIPSRIP=1", "AT+CIPCCFG=,,,,1",
		"AT+CIPCCFG?", "AT+CIPRXGET=0", "AT+CIPRXGET?",
	};
	struct bench *b = *state;
	unsigned int i, n = 0;

	while (script_command(b->script, n) &&
	       strcmp(script_command(b->script, n), commands[0]) != 0)
		n++;
	for (i = 0; i < 6; i++)
		assert_string_equal(script_command(b->script, n + i),
				    commands[i]);
}

static void pushed(void **state)
{
	struct bench *b = *state;
	uint64_t a = bench_opened(b), c = bench_opened(b);
	uint64_t udp = opened_udp(b, "");

	bench_fill(bytes, 3000, 1);
	script_peer_sends(b->script, slot_of(b, c), bytes, 1500);
	script_peer_sends(b->script, slot_of(b, a), bytes + 1500, 1500);
	script_peer_sends(b->script, slot_of(b, udp), "datagram", 8);
	script_peer_sends(b->script, slot_of(b, udp), "another", 7);
	bench_wait(b, 100);
	bench_expect(b, "data(2,1500) data(1,1500) "
		     "data(3,8,192.0.2.7:53) data(3,7,192.0.2.7:53) ");
	bench_expect_got(b, c, bytes, 1500);
	bench_expect_got(b, a, bytes + 1500, 1500);
	assert_false(heard(b, "AT+CIPRXGET=2"));
	bench_wait(b, 100000);
	assert_false(heard(b, "AT+CIPRXGET=2"));	/* nor looked for */
}

/* Q74, Q76 */
static void pushed_in_other_words(void **state)
{
	static const char *const heads[] = {
		"\r\n+RECV FROM:192.0.2.7:53\r\n+RECEIVE,9,2\r\n",
		"\r\nRECV FROM: 192.0.2.7:53\r\n\r\n+RECEIVE,9,2:\r\n",
		"\r\nRECV FROM:192.0.2.7:53\r\n+CGEV: X\r\n+RECEIVE,9,2\r\n",
	};
	struct bench *b = *state;
	size_t i;

	opened_udp(b, "");
	for (i = 0; i < 3; i++) {
		script_say(b->script, "%sOK", heads[i]);
		bench_wait(b, 100);
		bench_expect(b, "data(1,2,192.0.2.7:53) ");
	}
	script_say(b->script, "\r\n+RECEIVE,9,2\r\nOK");
	bench_wait(b, 100);
	bench_expect(b, "data(1,2) ");	/* the address was of another */
	script_say(b->script, "\r\nRECV FROM:nobody\r\n+RECEIVE,9,2\r\nOK");
	bench_wait(b, 100);
	bench_expect(b, "data(1,2) ");
}

static void for_no_link(void **state)
{
	struct bench *b = *state;
	uint64_t link = bench_opened(b);

	script_say(b->script, "\r\nRECV FROM:192.0.2.7:53\r\n+RECEIVE,3,5\r\n"
		   "hello");
	script_peer_sends(b->script, 9, "mine", 4);
	bench_wait(b, 100);
	bench_expect(b, "data(1,4) ");
	bench_expect_got(b, link, "mine", 4);
	assert_int_equal(bench_status(b).lost_bytes, 5);
	/* no such link: the header was damaged, and it may be ours */
	script_say(b->script, "\r\nRECV FROM:192.0.2.7:53\r\n+RECEIVE,93,3\r\n"
		   "hel");
	bench_wait(b, 100);
	bench_expect(b, "closed(1/1,ECONNABORTED,line-loss,0/0/4) ");
}

/* Credit bounds what a client is given; the rest waits, in order. */
static void beyond_its_credit(void **state)
{
	struct bench *b = *state;
	uint64_t link = opened_credit(b, 100);

	bench_fill(bytes, 3000, 1);
	script_peer_sends(b->script, 9, bytes, 60);
	script_peer_sends(b->script, 9, bytes + 60, 1440);
	script_peer_sends(b->script, 9, bytes + 1500, 1500);
	bench_wait(b, 100);
	bench_expect(b, "data(1,60) data(1,40) ");
	assert_int_equal(bench_info(b, link).counts.received, 100);
	modem_link_credit(b->m, link, 1, 1000);
	bench_wait(b, 10);
	bench_expect(b, "data(1,1000) ");
	modem_link_credit(b->m, link, 1, 100000);
	bench_wait(b, 10);
	bench_expect(b, "data(1,1900) ");
	bench_expect_got(b, link, bytes, 3000);
	assert_true(pushes(b));
}

static void datagrams_beyond_credit(void **state)
{
	struct bench *b = *state;
	uint64_t link = opened(b, &(struct link_args){ .kind = LINK_UDP,
			       .host = "", .has_credit = true,
			       .credit = 1510 });

	script_peer_sends(b->script, 9, "a first one", 11);
	script_peer_sends(b->script, 9, "2", 1);
	script_peer_sends(b->script, 9, "three", 5);
	bench_wait(b, 100);
	bench_expect(b, "data(1,11,192.0.2.7:53) ");
	modem_link_credit(b->m, link, 1, 1);
	bench_wait(b, 10);
	bench_expect(b, "data(1,1,192.0.2.7:53) ");
	modem_link_credit(b->m, link, 1, 1);
	bench_wait(b, 10);
	bench_expect(b, "data(1,5,192.0.2.7:53) ");
	bench_expect_got(b, link, "a first one2three", 17);
}

/* 32 KiB wait: the modem keeps the rest, others are pulled; below 8: push. */
static void one_is_behind(void **state)
{
	struct bench *b = *state;
	uint64_t slow = opened_credit(b, 0), other = bench_opened(b);
	unsigned int i;

	bench_fill(bytes, 60000, 1);
	for (i = 0; i < 40; i++)
		script_peer_sends(b->script, 9, bytes + i * 1000, 1000);
	bench_wait(b, 500);
	assert_false(pushes(b));
	script_peer_sends(b->script, 9, bytes + 40000, 20000);
	script_peer_sends(b->script, slot_of(b, other), "pulled", 6);
	bench_wait(b, 500);
	bench_expect(b, "data(2,6) ");
	assert_int_equal(script_unread(b->script, 9), 20000);
	/* what waits goes first, then what the modem has */
	modem_link_credit(b->m, slow, 1, 30000);
	bench_wait(b, 500);
	assert_false(pushes(b));
	script_forget_heard(b->script);
	modem_link_credit(b->m, slow, 1, 200000);
	bench_wait(b, 2000);
	assert_true(pushes(b));
	assert_true(script_heard(b->script, "AT+CIPRXGET=2,9,1500") >= 13);
	bench_expect_got(b, slow, bytes, 60000);
	assert_int_equal(bench_status(b).lost_bytes, 0);
}

/* A modem that does not stop pushing cannot fill our memory. */
static void far_behind(void **state)
{
	struct bench *b = *state;
	unsigned int i;

	opened_credit(b, 0);
	script_answer(b->script, "AT+CIPRXGET=1", "\r\nERROR\r\n", 0);
	for (i = 0; i < 180; i++)
		script_say(b->script, "\r\nRECV FROM:192.0.2.7:53\r\n"
			   "+RECEIVE,9,1500\r\n%01500u", i);
	bench_wait(b, 500);
	bench_expect(b, "closed(1/1,ECONNABORTED,line-loss,0/0/0) ");
	assert_true(bench_status(b).lost_bytes >= 262144);
}

static void closed_by_the_peer(void **state)
{
	struct bench *b = *state;
	uint64_t link = opened_credit(b, 10);

	script_peer_sends(b->script, 9, "twelve bytes", 12);
	script_peer_closes(b->script, 9);
	bench_wait(b, 1000);
	bench_expect(b, "data(1,10) ");
	modem_link_credit(b->m, link, 1, 1);
	bench_wait(b, 10);
	bench_expect(b, "data(1,1) ");
	modem_link_credit(b->m, link, 1, 1);
	bench_wait(b, 1000);
	bench_expect(b, "data(1,1) closed(1/1,EPIPE,peer,0/0/12) ");
	assert_true(heard(b, "AT+CIPCLOSE=9"));
	assert_true(pushes(b));
}

static void closed_by_us(void **state)
{
	struct bench *b = *state;
	uint64_t link = opened_credit(b, 10);

	script_peer_sends(b->script, 9, "twelve bytes", 12);
	bench_wait(b, 100);
	modem_link_close(b->m, link, false, "local");
	bench_wait(b, 1000);
	bench_expect(b, "data(1,10) closed(1/1,ok,local,0/0/10) ");
	assert_int_equal(bench_status(b).lost_bytes, 2);
}

/* ---------------------------------------------------------- nobody's bytes */

static int set_up_unnamed(void **state)
{
	struct bench *b;

	set_up_push(state);
	b = *state;
	script_set(b->script)->header_type = false;	/* it only said so */

	return 0;
}

static void unnamed_of_two(void **state)
{
	struct bench *b = *state;
	char key[] = "push-unnamed.A011B07A7670M7";

	bench_opened(b);
	bench_opened(b);
	opened_udp(b, "");
	script_peer_sends(b->script, 9, "whose is it?", 12);
	bench_wait(b, 1000);
	bench_expect(b, "closed(1/1,ECONNABORTED,line-loss,0/0/0) "
		     "closed(2/1,ECONNABORTED,line-loss,0/0/0) "
		     "closed(3/1,ECONNABORTED,line-loss,0/0/0) ");
	assert_int_equal(script_open_slots(b->script), 0);
	assert_false(pushes(b));
	assert_int_equal(bench_status(b).lost_bytes, 12);
	assert_string_equal(state_get(b->state, key), "1");

	bench_restart(b);
	script_forget_heard(b->script);
	bench_wait(b, 3000);
	bench_opened(b);
	assert_false(pushes(b));
	assert_false(heard(b, "AT+CIPRXGET=0"));
	assert_string_equal(state_get(b->state, key), "1");
}

static void unnamed_of_one(void **state)
{
	struct bench *b = *state;
	uint64_t link = bench_opened(b);

	script_peer_sends(b->script, 9, "mine", 4);
	script_peer_sends(b->script, 9, ", too", 5);
	bench_wait(b, 500);
	bench_expect(b, "data(1,4) data(1,5) ");
	assert_false(pushes(b));
	script_peer_sends(b->script, 9, " and pulled", 11);
	bench_wait(b, 500);
	bench_expect_got(b, link, "mine, too and pulled", 20);
}

/* The one that is open, or the one that is being opened? */
static void unnamed_while_opening(void **state)
{
	struct bench *b = *state;

	bench_opened(b);
	script_answer(b->script, "AT+CIPOPEN=", "\r\nOK\r\n", 1);
	bench_open(b);
	bench_wait(b, 50);
	script_peer_sends(b->script, 9, "whose is it?", 12);
	bench_wait(b, 100);
	bench_expect_prefix(b, "closed(1/1,ECONNABORTED,line-loss,0/0/0) "
			    "opened(2,ECONNABORTED,line-loss) ");
}

/* Not open yet: nobody's. */
static void unnamed_and_only_opening(void **state)
{
	struct bench *b = *state;

	script_answer(b->script, "AT+CIPOPEN=", "\r\nOK\r\n", 1);
	bench_open(b);
	bench_wait(b, 50);
	script_peer_sends(b->script, 9, "whose is it?", 12);
	bench_wait(b, 100);
	bench_expect(b, "opened(1,ECONNABORTED,line-loss) ");
}

/* Bytes were lost on the line: streams have a gap, datagrams may. */
static void lost_on_the_line(void **state)
{
	static const char *const damage[] = {
		/* no header; a damaged one; a block without its start */
		("\r\nRECV FROM:192.0.2.7:53\r\nRECV FROM:192.0.2.7:53\r\n"
		 "+RECEIVE,9,2\r\nab"),
		"\r\nRECV FROM:192.0.2.7:53\r\n+RECxIVE,9,2\r\nab\r\n",
		"\r\nRECV FROM:192.0.2.7:53\r\n+RECEIVE,9,2000\r\nab\r\n",
		/* one byte is missing, or three */
		("\r\nRECV FROM:192.0.2.7:53\r\n+RECEIVE,9,5\r\nfour"
		 "\r\nRECV FROM:192.0.2.7:53\r\n+RECEIVE,9,1\r\nx"),
		("\r\nRECV FROM:192.0.2.7:53\r\n+RECEIVE,9,5\r\ntw"
		 "\r\nRECV FROM:192.0.2.7:53\r\n+RECEIVE,9,1\r\nx"),
	};
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
		uint64_t udp = opened_udp(b, ""), tcp = bench_opened(b);

		script_say(b->script, "%s", damage[i]);
		bench_wait(b, 5000);
		if (!strstr(b->log, "ECONNABORTED,line-loss") ||
		    strstr(b->log, "data("))
			fail_msg("%zu: <%s>", i, b->log);
		assert_int_equal(modem_link_credit(b->m, tcp, 1, 1), -EBADF);
		assert_int_equal(modem_link_credit(b->m, udp, 1, 1), 0);
		modem_link_close(b->m, udp, true, "local");
		bench_wait(b, 5000);
		bench_forget(b);
		script_forget_heard(b->script);
	}
}

/* A command that is not answered in the middle of a block does not cut it. */
static void timeout_within_a_block(void **state)
{
	struct bench *b = *state;
	uint64_t link = bench_opened(b), other = bench_opened(b);

	bench_fill(bytes, 100, 1);
	script_answer(b->script, "AT+CIPSEND=", "", 1);
	assert_int_equal(bench_send(b, other, "x", 1), 0);
	bench_wait(b, 4990);
	script_say(b->script, "\r\nRECV FROM:192.0.2.7:53\r\n"
		   "+RECEIVE,9,20\r\n0123456789");
	bench_wait(b, 50);
	script_say(b->script, "\r\nOK\r\n6789");
	bench_wait(b, 5000);
	bench_expect_got(b, link, "0123456789\r\nOK\r\n6789", 20);
	assert_int_equal(bench_info(b, link).state, LINK_OPEN);
}

/* ---------------------------------------------------------------- the mode */

static void who_wants_what(void **state)
{
	struct bench *b = *state;
	struct link_args source = { .kind = LINK_UDP, .host = "",
				    .want_source = true };
	struct link_args never = { .host = "host", .port = 80,
				   .never_push = true };
	uint64_t a, c;

	bench_opened(b);
	assert_false(pushes(b));
	assert_true(modem_tells_source(b->m, &source));
	a = opened(b, &source);
	assert_true(pushes(b));
	script_forget_heard(b->script);
	c = opened(b, &never);
	assert_false(pushes(b));
	/* before it is open */
	assert_string_equal(script_command(b->script, 0), "AT+CIPRXGET=1");
	assert_string_equal(script_command(b->script, 1), "AT+CIPRXGET?");
	modem_link_close(b->m, c, true, "local");
	bench_wait(b, 200);
	assert_true(pushes(b));
	modem_link_close(b->m, a, true, "local");
	bench_wait(b, 200);
	assert_false(pushes(b));
}

static void pull_is_pull(void **state)
{
	struct bench *b = *state;
	struct link_args source = { .kind = LINK_UDP, .host = "",
				    .want_source = true };
	const char *const *cap;

	b->cfg.modem.receive = CONFIG_RECEIVE_PULL;
	bench_start(b);
	bench_wait(b, 3000);
	assert_false(modem_tells_source(b->m, &source));
	opened(b, &source);
	assert_false(pushes(b));
	for (cap = bench_status(b).capabilities; *cap; cap++)
		assert_true(strcmp(*cap, "push") != 0 &&
			    strcmp(*cap, "udp-source") != 0);
}

/* What is buffered when the mode changes is neither lost nor late. */
static void changes_with_data(void **state)
{
	struct bench *b = *state;
	struct link_args source = { .kind = LINK_UDP, .host = "",
				    .want_source = true };
	uint64_t link = opened_credit(b, 5), udp;

	script_peer_sends(b->script, 9, "0123456789", 10);
	bench_wait(b, 100);
	bench_expect(b, "data(1,5) ");
	udp = (uint64_t)bench_open_args(b, &source);
	bench_wait(b, 200);
	assert_true(pushes(b));
	script_peer_sends(b->script, 9, "abcde", 5);
	bench_wait(b, 100);
	bench_expect(b, "opened(2) ");
	modem_link_close(b->m, udp, true, "local");
	bench_wait(b, 200);
	assert_false(pushes(b));
	script_peer_sends(b->script, 9, "fghij", 5);
	modem_link_credit(b->m, link, 1, 100);
	bench_wait(b, 200);
	bench_expect_got(b, link, "0123456789abcdefghij", 20);
}

/* Only pull says when all of it was read. */
static void closed_links_are_pulled(void **state)
{
	struct bench *b = *state;
	struct link_args source = { .kind = LINK_UDP, .host = "",
				    .want_source = true };
	uint64_t link = opened_credit(b, 0);

	script_peer_sends(b->script, 9, "the end", 7);
	script_peer_closes(b->script, 9);
	bench_wait(b, 100);
	opened(b, &source);
	assert_false(pushes(b));
	modem_link_credit(b->m, link, 1, 100);
	bench_wait(b, 500);
	bench_expect(b, "data(1,7) closed(1/1,EPIPE,peer,0/0/7) ");
	assert_true(pushes(b));
}

/* An announcement from before the change would not come again. */
static void looked_for_after_a_change(void **state)
{
	struct bench *b = *state;
	struct link_args source = { .kind = LINK_UDP, .host = "",
				    .want_source = true };
	uint64_t udp;

	bench_opened(b);
	udp = opened(b, &source);
	script_peer_sends_unheard(b->script, 9, "hello", 5);
	modem_link_close(b->m, udp, true, "local");
	bench_wait(b, 500);
	bench_expect(b, "closed(2/1,ok,local,0/0/0) data(1,5) ");
}

/* The close comes in the middle of the change: what is left is pulled. */
static void closed_during_a_change(void **state)
{
	struct bench *b = *state;
	struct link_args never = { .host = "host", .port = 80,
				   .never_push = true };

	bench_opened(b);
	script_answer(b->script, "AT+CIPRXGET=1",
		      "\r\n+IPCLOSE: 9,1\r\n\r\nOK\r\n", 1);
	script_peer_sends_unheard(b->script, 9, "rest", 4);
	script_set(b->script)->pull = true;
	bench_open_args(b, &never);
	bench_wait(b, 500);
	bench_expect(b, "opened(2) data(1,4) closed(1/1,EPIPE,peer,0/0/4) ");
}

/* Pushed although it was never told to: that says nothing of the firmware. */
static void pushed_in_pull_mode(void **state)
{
	struct bench *b = *state;

	bench_opened(b);
	script_say(b->script, "\r\nRECV FROM:192.0.2.7:53\r\n+IPD2\r\nab");
	bench_wait(b, 100);
	bench_expect(b, "data(1,2) ");
	assert_null(state_get(b->state, "push-unnamed.A011B07A7670M7"));
}

static void the_modem_refuses(void **state)
{
	static const char *const refused[] = {
		"AT+CIPHEAD=", "AT+CIPSRIP=", "AT+CIPCCFG=", "AT+CIPCCFG?",
		"AT+CIPRXGET=0",
	};
	struct bench *b = *state;
	size_t i;

	b->cfg.modem.receive = CONFIG_RECEIVE_PUSH;
	for (i = 0; i < 5; i++) {
		script_answer(b->script, refused[i], "\r\nERROR\r\n", 0);
		if (i == 0)
			bench_start(b);
		else
			bench_restart(b);
		script_forget_heard(b->script);
		bench_wait(b, 10000);
		assert_int_equal(bench_status(b).network, NETWORK_OPEN);
		assert_false(pushes(b));
		assert_int_equal(script_heard(b->script, refused[i]), 1);
		script_answer(b->script, refused[i], "*", 0);
	}
}

/* The question is not known: what was said OK to holds. */
static void the_mode_cannot_be_asked(void **state)
{
	struct bench *b = *state;
	struct link_args never = { .host = "host", .port = 80,
				   .never_push = true };

	b->cfg.modem.receive = CONFIG_RECEIVE_PUSH;
	script_answer(b->script, "AT+CIPRXGET?", "\r\nERROR\r\n", 0);
	bench_start(b);
	bench_wait(b, 5000);
	assert_true(pushes(b));
	opened(b, &never);
	bench_wait(b, 5000);
	assert_false(pushes(b));
	assert_int_equal(script_heard(b->script, "AT+CIPRXGET=0"), 1);
	assert_int_equal(script_heard(b->script, "AT+CIPRXGET=1"), 2);
}

/* It says OK, and stays as it was. */
static void the_modem_lies(void **state)
{
	struct bench *b = *state;

	b->cfg.modem.receive = CONFIG_RECEIVE_PUSH;
	script_answer(b->script, "AT+CIPCCFG=", "\r\nOK\r\n", 0);
	bench_start(b);
	bench_wait(b, 5000);
	assert_false(pushes(b));
	assert_false(heard(b, "AT+CIPRXGET=0"));
	script_answer(b->script, "AT+CIPCCFG=", "*", 0);
	script_answer(b->script, "AT+CIPRXGET=0", "\r\nOK\r\n", 0);
	bench_restart(b);
	bench_wait(b, 5000);
	assert_false(pushes(b));
	assert_int_equal(script_heard(b->script, "AT+CIPRXGET=0"), 1);
}

/* An answer was lost: nobody knows the mode, so it is set again. */
static void an_answer_is_lost(void **state)
{
	struct bench *b = *state;
	struct link_args never = { .host = "host", .port = 80,
				   .never_push = true };
	int id;

	script_answer(b->script, "AT+CIPRXGET=1", "", 1);
	script_forget_heard(b->script);
	id = bench_open_args(b, &never);
	assert_true(id > 0);
	bench_wait(b, 20000);
	assert_int_equal(script_heard(b->script, "AT+CIPRXGET=1"), 2);
	assert_false(pushes(b));
	assert_int_equal(bench_info(b, (uint64_t)id).state, LINK_OPEN);
}

static void network_lost_while_switching(void **state)
{
	struct bench *b = *state;
	struct link_args never = { .host = "host", .port = 80,
				   .never_push = true };

	script_answer(b->script, "AT+CIPRXGET=1", "", 1);
	bench_open_args(b, &never);
	bench_wait(b, 20);
	script_set(b->script)->net_open = false;
	script_set(b->script)->pull = true;
	script_say(b->script, "\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n");
	bench_wait(b, 60000);
	assert_int_equal(bench_status(b).network, NETWORK_OPEN);
	assert_true(pushes(b));		/* the link is gone: push again */
}

int main(void)
{
#define T(fn)		cmocka_unit_test_setup_teardown(fn, \
				bench_set_up_open, bench_tear_down)
#define COLD(fn)	cmocka_unit_test_setup_teardown(fn, \
				bench_set_up, bench_tear_down)
#define PUSH(fn)	cmocka_unit_test_setup_teardown(fn, \
				set_up_push, bench_tear_down)
#define WITH(fn, up)	cmocka_unit_test_setup_teardown(fn, up, \
				bench_tear_down)
	const struct CMUnitTest tests[] = {
		T(udp_opens_in_every_order), T(udp_open_fails),
		T(each_send_is_one), T(sends_to_nobody), T(a_refused_datagram),
		T(a_pull_waits_for_credit), T(last_bytes_and_an_error),
		WITH(all_values_coded, set_up_coded),
		WITH(coded_with_a_comma, set_up_coded),
		WITH(coded_results, set_up_coded),
		T(largest_send_is_kept),
		WITH(digits, set_up_hex),
		WITH(digits_in_other_words, set_up_hex),
		WITH(damaged_digits, set_up_hex),
		PUSH(the_way_to_push), PUSH(pushed),
		PUSH(pushed_in_other_words), PUSH(for_no_link),
		PUSH(beyond_its_credit), PUSH(datagrams_beyond_credit),
		PUSH(one_is_behind), PUSH(far_behind),
		PUSH(closed_by_the_peer), PUSH(closed_by_us),
		WITH(unnamed_of_two, set_up_unnamed),
		WITH(unnamed_of_one, set_up_unnamed),
		WITH(unnamed_while_opening, set_up_unnamed),
		WITH(unnamed_and_only_opening, set_up_unnamed),
		PUSH(lost_on_the_line), PUSH(timeout_within_a_block),
		T(who_wants_what), COLD(pull_is_pull), T(changes_with_data),
		T(closed_links_are_pulled), T(looked_for_after_a_change),
		PUSH(closed_during_a_change), T(pushed_in_pull_mode),
		COLD(the_modem_refuses),
		COLD(the_mode_cannot_be_asked), COLD(the_modem_lies),
		PUSH(an_answer_is_lost), PUSH(network_lost_while_switching),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
