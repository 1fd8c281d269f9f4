/* SPDX-License-Identifier: MIT */

/*
 * Links: opening, sending, reading, closing, in every order that a modem is
 * known for; and who gets a slot. All counts are exact.
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

#include "driver/driver.h"
#include "fake_port.h"
#include "fake_timer.h"
#include "modem_bench.h"

static uint8_t bytes[300000];

static unsigned int slot_of(struct bench *b, uint64_t link)
{
	return (unsigned int)bench_info(b, link).slot;
}

/* The first link gets the highest slot: what tests without asking rely on. */
#define FIRST	9U

static unsigned int count(const char *text, const char *what)
{
	unsigned int n = 0;

	for (text = strstr(text, what); text; text = strstr(text + 1, what))
		n++;

	return n;
}

/* @template with the slot's digit for each '@'. */
static void with_slot(char *out, size_t size, const char *template,
		      unsigned int slot)
{
	char *c;

	assert_true(strlen(template) < size);
	strcpy(out, template);
	for (c = strchr(out, '@'); c; c = strchr(c, '@'))
		*c = (char)('0' + slot);
}

/* --------------------------------------------------------------------- open */

static void open_in_every_order(void **state)
{
	static const char *const answers[] = {
		"\r\nOK\r\n\r\n+CIPOPEN: @,0\r\n",
		"\r\n+CIPOPEN: @,0\r\n\r\nOK\r\n",	/* Q8 */
		"\r\n\r\nOK\r\n+CIPRXGET: 1,3\r\n+CIPOPEN:@,0\r\n",
		"\r\n+CGEV: X\r\n+CIPOPEN: @,0\r\n+CGEV: X\r\nOK\r\n",
	};
	struct bench *b = *state;
	char text[128], want[64];
	unsigned int slot;
	size_t i;
	int id;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		slot = FIRST - (unsigned int)i;
		text[0] = '\0';
		with_slot(text, sizeof(text), answers[i], slot);
		script_answer(b->script, "AT+CIPOPEN=", text, 1);
		id = bench_open(b);
		bench_wait(b, 50);
		snprintf(want, sizeof(want), "opened(%d) ", id);
		bench_expect(b, want);
		assert_int_equal(bench_info(b, (uint64_t)id).slot, slot);
		assert_int_equal(bench_info(b, (uint64_t)id).state, LINK_OPEN);
	}
}

/* House 3: it ends when both its lines were seen. */
static void result_alone_opens_nothing(void **state)
{
	struct bench *b = *state;

	script_answer(b->script, "AT+CIPOPEN=", "\r\n+CIPOPEN: 9,0\r\n", 1);
	assert_int_equal(bench_open(b), 1);
	bench_wait(b, 1000);
	bench_expect(b, "");
	script_say(b->script, "\r\nOK\r\n");
	bench_wait(b, 10);
	bench_expect(b, "opened(1) ");
}

static void open_fails(void **state)
{
	static const struct {
		const char *answer, *want;
		int close_after;	/* the modem may hold it */
	} cases[] = {
		{ "\r\nOK\r\n\r\n+CIPOPEN: @,1\r\n",
		  "ECONNREFUSED,refused", 0 },
		{ "\r\n+CIPOPEN: @,1\r\n\r\nERROR\r\n",
		  "ECONNREFUSED,refused", 0 },
		{ "\r\nOK\r\n\r\n+CIPOPEN: @,10\r\n", "ETIMEDOUT,open-timeout",
		  1 },
		{ "\r\nOK\r\n\r\n+CIPOPEN: @,11\r\n",
		  "EADDRNOTAVAIL,name-not-found", 0 },
		{ "\r\n+CIPOPEN: @,3\r\n\r\nERROR\r\n",
		  "EINVAL,open-failed", 0 },
		{ "\r\n+CIPOPEN: @,4\r\n\r\nERROR\r\n",
		  "EREMOTEIO,open-failed", 1 },	/* Q43: still open */
		{ "\r\nOK\r\n\r\n+CIPOPEN: @,8\r\n", "EBUSY,open-failed",
		  1 },
		{ "\r\nOK\r\n\r\n+CIPOPEN: @,255\r\n",
		  "EREMOTEIO,open-failed", 1 },
		/* both tables of errors, as words and as numbers */
		{ "\r\n+IP ERROR: Invalid parameter\r\n\r\nERROR\r\n",
		  "EINVAL,open-failed", 0 },
		{ "\r\n+IP ERROR: 12\r\n\r\nERROR\r\n",
		  "EINVAL,open-failed", 0 },
		{ "\r\n+IP ERROR: dns query failed\r\n\r\nERROR\r\n",
		  "EADDRNOTAVAIL,name-not-found", 0 },
		{ "\r\n+IP ERROR: 0\r\n\r\nERROR\r\n",
		  "ETIMEDOUT,open-timeout", 1 },
		{ "\r\n+IP ERROR: 99\r\n\r\nERROR\r\n",
		  "EREMOTEIO,open-failed", 1 },
		{ "\r\n+CIPERROR: 6\r\n\r\nERROR\r\n",
		  "EADDRINUSE,open-failed", 0 },
		{ "\r\n+CME ERROR: 50\r\n", "EINVAL,open-failed", 0 },
		{ "\r\n+CME ERROR: operation not supported\r\n",
		  "EOPNOTSUPP,open-failed", 0 },
		{ "\r\nERROR\r\n", "EREMOTEIO,open-failed", 1 },
	};
	struct bench *b = *state;
	char text[128], want[128];
	unsigned int slot = FIRST;
	size_t i;
	int id;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		with_slot(text, sizeof(text), cases[i].answer, slot);
		script_answer(b->script, "AT+CIPOPEN=", text, 1);
		id = bench_open(b);
		bench_wait(b, 50);
		snprintf(want, sizeof(want), "opened(%d,%s) ", id,
			 cases[i].want);
		bench_expect(b, want);
		if (script_heard(b->script, "AT+CIPCLOSE=") !=
		    (unsigned int)cases[i].close_after)
			fail_msg("case %zu: %u closes", i,
				 script_heard(b->script, "AT+CIPCLOSE="));
		script_forget_heard(b->script);
		assert_int_equal(bench_status(b).slots_used, 0);
		slot = slot == 0 ? FIRST : slot - 1;
	}
}

/* The network is gone, and an open is how one hears of it. */
static void open_says_network_down(void **state)
{
	struct bench *b = *state;
	uint64_t other = bench_opened(b);

	(void)other;
	script_set(b->script)->net_open = false;
	assert_true(bench_open(b) > 0);
	bench_wait(b, 50);
	assert_non_null(strstr(b->log, "opened(2,ENETDOWN,open-failed) "));
	assert_non_null(strstr(b->log, "closed(1/1,ENETRESET,network-lost,"));
	bench_wait(b, 12000);
	assert_int_equal(bench_status(b).network, NETWORK_OPEN);
}

/* C3, Q42: no result; what comes late closes that slot and reaches nobody. */
static void open_without_result(void **state)
{
	struct bench *b = *state;
	int late;

	for (late = 0; late <= 1; late++) {
		char want[64];
		int id;

		script_answer(b->script, "AT+CIPOPEN=", "\r\nOK\r\n", 1);
		id = bench_open(b);
		bench_wait(b, 34000);
		bench_expect(b, "");
		assert_int_equal(bench_status(b).slots_used, 1);
		bench_wait(b, 2000);
		snprintf(want, sizeof(want), "opened(%d,ETIMEDOUT,"
			 "open-timeout) ", id);
		bench_expect(b, want);
		assert_int_equal(script_heard(b->script, "AT+CIPCLOSE=9"),
				 1 - late);
		assert_int_equal(script_heard(b->script, "AT+CIPCLOSE=8"),
				 late);
		assert_int_equal(bench_status(b).slots_used, 0);
		script_forget_heard(b->script);
		if (!late)
			continue;
		script_say(b->script, "\r\n+CIPOPEN: 8,0\r\n");
		bench_wait(b, 100);
		bench_expect(b, "");
		assert_int_equal(script_heard(b->script, "AT+CIPCLOSE=8"), 1);
		assert_int_equal(bench_status(b).slots_used, 0);
		/* an error that comes late is nothing to anybody */
		script_forget_heard(b->script);
		script_say(b->script, "\r\n+CIPOPEN: 8,10\r\n");
		bench_wait(b, 100);
		assert_int_equal(script_heard(b->script, ""), 0);
	}
}

/* The late result crosses the CIPCLOSE that was to clear it. */
static void late_result_crosses_the_close(void **state)
{
	struct bench *b = *state;

	script_answer(b->script, "AT+CIPOPEN=", "\r\nOK\r\n", 1);
	assert_true(bench_open(b) > 0);
	script_answer(b->script, "AT+CIPCLOSE=9", "\r\n+CIPOPEN: 9,0\r\n"
		      "\r\n+CIPCLOSE: 9,4\r\n\r\nERROR\r\n", 1);
	bench_wait(b, 36000);
	bench_expect(b, "opened(1,ETIMEDOUT,open-timeout) ");
	assert_int_equal(script_heard(b->script, "AT+CIPCLOSE=9"), 2);
	assert_int_equal(bench_status(b).slots_used, 0);
}

/* The final line is lost with it: the line is found, the slot is cleared. */
static void open_without_any_answer(void **state)
{
	static const char *const answers[] = {
		"", "\r\n+CIPRXGET: 2,0,9,0\r\n"	/* a header of nobody */
	};
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < 2; i++) {
		unsigned int slot = FIRST - (unsigned int)i;
		char close[32];

		snprintf(close, sizeof(close), "AT+CIPCLOSE=%u", slot);
		script_answer(b->script, "AT+CIPOPEN=", answers[i], 1);
		assert_true(bench_open(b) > 0);
		bench_wait(b, 7000);
		assert_non_null(strstr(b->log, "opened("));
		assert_null(strstr(b->log, "opened(1) "));
		bench_forget(b);
		assert_int_equal(script_heard(b->script, close), 1);
		assert_int_equal(bench_status(b).slots_used, 0);
	}
}

static void close_while_opening(void **state)
{
	static const char *const results[] = {
		"\r\n+CIPOPEN: 9,0\r\n", "\r\n+CIPOPEN: 8,1\r\n",
	};
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < 2; i++) {
		char want[64];
		int id;

		script_answer(b->script, "AT+CIPOPEN=", "\r\nOK\r\n", 1);
		id = bench_open(b);
		bench_wait(b, 100);
		assert_int_equal(modem_link_close(b->m, (uint64_t)id, true,
						  "local"), 0);
		bench_wait(b, 10);
		snprintf(want, sizeof(want), "opened(%d,ECANCELED,local) ", id);
		bench_expect(b, want);
		/* the slot is not free before the result */
		assert_int_equal(bench_status(b).slots_used, 1);
		script_say(b->script, "%s", results[i]);
		bench_wait(b, 100);
		assert_int_equal(script_heard(b->script, "AT+CIPCLOSE=9"), 1);
		assert_int_equal(bench_status(b).slots_used, 0);
		bench_expect(b, "");
	}
}

/* House 3: a dead host on nine links costs the tenth nothing. */
static void dead_hosts_delay_nobody(void **state)
{
	struct bench *b = *state;
	int i;

	script_answer(b->script, "AT+CIPOPEN=", "\r\nOK\r\n", 9);
	for (i = 0; i < 9; i++)
		assert_true(bench_open(b) > 0);
	bench_wait(b, 1000);
	bench_expect(b, "");
	script_forget_heard(b->script);
	assert_int_equal(bench_open(b), 10);
	bench_wait(b, 10);
	bench_expect(b, "opened(10) ");
	assert_string_equal(script_command(b->script, 0),
			    "AT+CIPOPEN=0,\"TCP\",\"host\",80");
	bench_send(b, 10, "hello", 5);
	bench_wait(b, 10);
	bench_expect(b, "sent(10/1,5) ");
	assert_int_equal(script_heard(b->script, ""), 2);
}

static void local_port_and_long_host(void **state)
{
	struct bench *b = *state;
	char host[254];
	struct link_args args = { .host = host, .port = 65535,
				  .local_port = 5000 };

	memset(host, 'a', 253);
	host[63] = host[127] = host[191] = '.';
	host[253] = '\0';
	assert_true(bench_open_args(b, &args) > 0);
	bench_wait(b, 200);
	assert_non_null(strstr(script_command(b->script, 0), host));
	assert_non_null(strstr(script_command(b->script, 0),
			       "\",65535,5000"));
}

/* --------------------------------------------------------------------- send */

static void sends_in_pieces(void **state)
{
	struct bench *b = *state;
	uint64_t id = bench_opened(b);

	bench_fill(bytes, 4000, 1);
	assert_int_equal(bench_send(b, id, bytes, 1), 0);
	assert_int_equal(bench_send(b, id, bytes + 1, 3999), 0);
	bench_wait(b, 1000);
	bench_expect(b, "sent(1/1,1500) sent(1/1,1500) sent(1/1,1000) ");
	bench_expect_sent(b, FIRST, bytes, 4000);
	assert_int_equal(bench_info(b, id).counts.accepted, 4000);
	assert_int_equal(bench_info(b, id).counts.taken, 4000);
	assert_int_equal(bench_info(b, id).queued_up, 0);
}

static void window(void **state)
{
	struct bench *b = *state;
	uint64_t id = bench_opened(b);
	size_t n = b->cfg.links.window;

	bench_fill(bytes, sizeof(bytes), 2);
	assert_int_equal(bench_send(b, id, bytes, n + 1), -EAGAIN);
	assert_int_equal(bench_send(b, id, bytes, n), 0);
	assert_int_equal(bench_send(b, id, bytes, 1), -EAGAIN);
	bench_wait(b, 10);
	bench_expect(b, "sent(1/1,1500) ");
	assert_int_equal(bench_send(b, id, bytes + n, 1501), -EAGAIN);
	assert_int_equal(bench_send(b, id, bytes + n, 1500), 0);
	bench_wait(b, 10000);
	bench_expect_sent(b, FIRST, bytes, n + 1500);
	assert_int_equal(modem_link_send(b->m, id, 2, "x", 1), -ESTALE);
	assert_int_equal(modem_link_send(b->m, id, 0, "x", 1), -ESTALE);
	assert_int_equal(modem_link_send(b->m, 99, 1, "x", 1), -EBADF);
}

static void send_before_open(void **state)
{
	struct bench *b = *state;

	script_answer(b->script, "AT+CIPOPEN=", "\r\nOK\r\n", 1);
	assert_int_equal(bench_open(b), 1);
	bench_wait(b, 100);
	assert_int_equal(modem_link_send(b->m, 1, 1, "x", 1), -EBUSY);
}

static void send_results_in_every_order(void **state)
{
	struct bench *b = *state;
	uint64_t id = bench_opened(b);

	script_answer(b->script, "AT+CIPSEND=",
		      "\r\n>\r\n+CIPSEND: 9,5,5\r\n\r\nOK\r\n", 1);
	bench_send(b, id, "hello", 5);
	bench_wait(b, 100);
	bench_expect(b, "sent(1/1,5) ");
	script_send_result(b->script, "\r\n+IPCLOSE: 3,1\r\n\r\n"
			   "+CIPSEND: 8,5,5\r\n+CIPSEND: 9,4,4\r\n");
	bench_send(b, id, "hello", 5);
	bench_wait(b, 100);
	bench_expect(b, "");		/* another link's, another length */
	script_say(b->script, "\r\n+CIPSEND: 9,5,5\r\n");
	bench_wait(b, 10);
	bench_expect(b, "sent(1/1,5) ");
	script_say(b->script, "\r\n+CIPSEND: 9,5,5\r\n");
	bench_wait(b, 10);
	bench_expect(b, "");
}

/* C6: the link is broken; counts are exact, nothing is sent again. */
static void short_sends(void **state)
{
	static const struct { const char *result; int taken; } cases[] = {
		{ "\r\n+CIPSEND: @,1000,512\r\n", 512 },
		{ "\r\n+CIPSEND: @,1000,0\r\n", 0 },
		{ "\r\n+CIPSEND: @,1000,-1\r\n", 0 },
		{ "\r\n+CIPSEND: @,1000,999\r\n", 999 },
	};
	struct bench *b = *state;
	char text[64], want[128];
	size_t i;

	bench_fill(bytes, 1000, 3);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t id = bench_opened(b);
		unsigned int slot = slot_of(b, id);

		with_slot(text, sizeof(text), cases[i].result, slot);
		bench_send(b, id, bytes, 300);
		bench_wait(b, 100);
		bench_forget(b);
		script_send_result(b->script, text);
		bench_send(b, id, bytes, 1000);
		bench_wait(b, 1);
		bench_send(b, id, bytes, 77);
		bench_wait(b, 1000);
		if (cases[i].taken)
			snprintf(want, sizeof(want), "sent(%d/1,%d) "
				 "closed(%d/1,ECONNABORTED,send-failed,"
				 "1377/%d/0) ", (int)id,
				 cases[i].taken, (int)id, 300 + cases[i].taken);
		else
			snprintf(want, sizeof(want), "closed(%d/1,ECONNABORTED,"
				 "send-failed,1377/300/0) ", (int)id);
		bench_expect(b, want);
		assert_int_equal(script_heard(b->script, "AT+CIPSEND="), 2);
		assert_false(script_slot_open(b->script, slot));
		assert_int_equal(bench_status(b).slots_used, 0);
		script_send_result(b->script, NULL);
	}
}

static void more_confirmed_than_sent(void **state)
{
	struct bench *b = *state;
	uint64_t id = bench_opened(b);

	script_send_result(b->script, "\r\n+CIPSEND: 9,5,4294967296\r\n");
	bench_send(b, id, "hello", 5);
	bench_wait(b, 100);
	bench_expect(b, "sent(1/1,5) ");
}

static void send_never_answered(void **state)
{
	struct bench *b = *state;
	uint64_t id = bench_opened(b), other = bench_opened(b);

	script_send_result(b->script, "");
	bench_send(b, id, "hello", 5);
	bench_wait(b, 1000);
	/* others go on meanwhile */
	script_peer_sends(b->script, slot_of(b, other), "ho", 2);
	bench_wait(b, 100);
	bench_expect(b, "data(2,2) ");
	bench_wait(b, 25000);
	bench_expect(b, "closed(1/1,ETIMEDOUT,send-timeout,5/0/0) ");
	assert_false(script_slot_open(b->script, FIRST));
	assert_int_equal(bench_status(b).slots_used, 1);
}

static void send_refused(void **state)
{
	static const char *const answers[] = {
		"\r\n+CIPERROR: 4\r\n\r\nERROR\r\n",
		"\r\n+CIPERROR: 4\r\n\r\nERROR\r\nERROR\r\n",
		"\r\nERROR\r\n", "\r\nOK\r\n",
		"\r\n+CIPERROR: 99999\r\n\r\nERROR\r\n",
	};
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		uint64_t id = bench_opened(b), other = bench_opened(b);
		char want[128];

		script_answer(b->script, "AT+CIPSEND=", answers[i], 1);
		bench_send(b, id, "AT+CFUN=0\r", 10);
		bench_wait(b, 1);
		bench_send(b, other, "hello", 5);
		bench_wait(b, 3000);
		snprintf(want, sizeof(want), "closed(%d/1,ECONNABORTED,"
			 "send-failed,10/0/0) ", (int)id);
		assert_non_null(strstr(b->log, want));
		snprintf(want, sizeof(want), "sent(%d/1,5) ", (int)other);
		assert_non_null(strstr(b->log, want));
		assert_int_equal(script_heard(b->script, "AT+CFUN"), 0);
		bench_forget(b);
		modem_link_close(b->m, other, true, "local");
		bench_wait(b, 100);
		bench_forget(b);
	}
}

/* Q52: less at a time, and nothing is lost by it. */
static void long_sends_refused(void **state)
{
	static const unsigned int limits[] = { 1460, 1400, 1024, 512, 1200 };
	struct bench *b = *state;
	size_t i;

	bench_fill(bytes, 10000, 4);
	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		uint64_t id;

		bench_restart(b);	/* learns anew */
		script_set(b->script)->send_max = limits[i];
		bench_wait(b, 3000);
		bench_forget(b);
		id = bench_opened(b);
		assert_int_equal(bench_send(b, id, bytes, 10000), 0);
		bench_wait(b, 5000);
		bench_expect_sent(b, slot_of(b, id), bytes, 10000);
		assert_int_equal(bench_info(b, id).counts.taken, 10000);
		/* and is remembered */
		script_forget_heard(b->script);
		bench_send(b, id, bytes, 3000);
		bench_wait(b, 1000);
		assert_in_range(script_heard(b->script, "AT+CIPSEND="), 3, 6);
		bench_expect_sent(b, slot_of(b, id), bytes, 3000);
		script_set(b->script)->send_max = 0;
	}
	/* so short that it cannot be the length */
	script_set(b->script)->send_max = 100;
	bench_restart(b);
	bench_wait(b, 3000);
	bench_forget(b);
	bench_opened(b);
	bench_send(b, 1, bytes, 3000);
	bench_wait(b, 5000);
	bench_expect(b, "closed(1/1,ECONNABORTED,send-failed,3000/0/0) ");
	assert_int_equal(script_open_slots(b->script), 0);
}

/* --------------------------------------------------------------------- read */

static void reads_all(void **state)
{
	struct bench *b = *state;
	uint64_t id = bench_opened(b);

	bench_fill(bytes, 40000, 5);
	script_peer_sends(b->script, FIRST, bytes, 40000);
	bench_wait(b, 5000);
	bench_expect_got(b, id, bytes, 40000);
	assert_int_equal(bench_info(b, id).counts.received, 40000);
	assert_int_equal(bench_info(b, id).credit, 65536 - 40000);
}

/* S10: beyond its credit nothing is pulled; with more it goes on. */
static void credit(void **state)
{
	struct bench *b = *state;
	struct link_args args = { .host = "h", .port = 1, .has_credit = true,
				  .credit = 2000 };
	uint64_t id;

	id = (uint64_t)bench_open_args(b, &args);
	bench_wait(b, 100);
	bench_forget(b);
	bench_fill(bytes, 10000, 6);
	script_peer_sends(b->script, FIRST, bytes, 10000);
	bench_wait(b, 60000);
	bench_expect(b, "data(1,1500) data(1,500) ");
	bench_expect_got(b, id, bytes, 2000);
	assert_int_equal(script_unread(b->script, FIRST), 8000);
	assert_int_equal(bench_info(b, id).credit, 0);
	/* that of the next audit */
	assert_int_equal(fake_timers_pending(b->ts), 1);
	assert_int_equal(modem_link_credit(b->m, id, 2, 1), -ESTALE);
	assert_int_equal(modem_link_credit(b->m, 99, 1, 1), -EBADF);
	assert_int_equal(modem_link_credit(b->m, id, 1, 3), 0);
	bench_wait(b, 1000);
	bench_expect(b, "data(1,3) ");
	assert_int_equal(modem_link_credit(b->m, id, 1, UINT32_MAX), 0);
	assert_int_equal(bench_info(b, id).credit, LINK_CREDIT_MAX);
	bench_wait(b, 5000);
	bench_expect_got(b, id, bytes + 2000, 8000);
}

/* Lesson 17: what comes during a pull is not announced again. */
static void data_during_a_pull(void **state)
{
	static const char *const answers[] = {
		/* the announcement stands inside the answer */
		"\r\n+CIPRXGET: 2,9,3,0\r\nabc\r\n+CIPRXGET: 1,9\r\n\r\nOK\r\n",
		"\r\n+CIPRXGET: 1,9\r\n+CIPRXGET: 2,9,3,0\r\nabc\r\n\r\nOK\r\n",
		"\r\n+CIPRXGET: 1,9\r\n+IP ERROR: No data\r\n\r\nERROR\r\n",
	};
	struct bench *b = *state;
	size_t i;

	bench_opened(b);
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		script_answer(b->script, "AT+CIPRXGET=2", answers[i], 1);
		script_peer_sends(b->script, FIRST, "def", 3);
		bench_wait(b, 200);	/* well before the slow check */
		bench_expect_got(b, 1, &"abcdef"[i == 2 ? 3 : 0],
				 i == 2 ? 3 : 6);
		bench_forget(b);
	}
}

/* Q67: the announcement was lost. */
static void lost_announcement(void **state)
{
	struct bench *b = *state;

	bench_opened(b);
	bench_wait(b, 100);
	script_peer_sends_unheard(b->script, FIRST, "hello", 5);
	bench_wait(b, 6000);
	bench_expect_got(b, 1, "hello", 5);
	/* rarer while nothing comes, but at least once a minute */
	bench_wait(b, 600000);
	script_peer_sends_unheard(b->script, FIRST, "hello", 5);
	bench_wait(b, 61000);
	bench_expect_got(b, 1, "hello", 5);
	script_forget_heard(b->script);
	bench_wait(b, 3600000);
	assert_in_range(script_heard(b->script, "AT+CIPRXGET=2"), 60, 70);
	/* and the table of links every five minutes */
	assert_int_equal(script_heard(b->script, "AT+CIPOPEN?"), 12);
}

static void no_data_in_all_words(void **state)
{
	static const char *const answers[] = {
		"\r\n+IP ERROR: No data\r\n\r\nERROR\r\n",
		"\r\n+IP ERROR: NO DATA\r\n\r\nERROR\r\n",
		"\r\n+IP ERROR: 22\r\n\r\nERROR\r\n",
		"\r\n+CIPRXGET: 2,9,0,0\r\n\r\nOK\r\n",
		"\r\nERROR\r\n", "\r\nOK\r\n",
	};
	struct bench *b = *state;
	size_t i;

	bench_opened(b);
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		script_answer(b->script, "AT+CIPRXGET=2", answers[i], 1);
		script_say(b->script, "\r\n+CIPRXGET: 1,9\r\n");
		bench_wait(b, 200);
		bench_expect(b, "");
		assert_int_equal(script_heard(b->script, "AT+CIPRXGET=2"), 1);
		script_forget_heard(b->script);
	}
	script_peer_sends(b->script, FIRST, "hello", 5);
	bench_wait(b, 100);
	bench_expect_got(b, 1, "hello", 5);
}

/* A gap in a stream is worse than its end. */
static void pull_that_lost_bytes(void **state)
{
	static const char *const answers[] = {
		/* too few, too many */
		"\r\n+CIPRXGET: 2,9,100,0\r\nabc\r\n\r\nOK\r\n",
		"\r\n+CIPRXGET: 2,9,1501,0\r\nabc\r\n\r\nOK\r\n",
		"\r\n+CIPRXGET: 2,3,3,0\r\nabc\r\n\r\nOK\r\n",	/* another's */
		"\r\n+CIPRXGT: 2,9,3,0\r\nabc\r\n\r\nOK\r\n",	/* damaged */
		"\r\n+CIPRXGET: 2,9,900,0\r\n",
		"\r\n+CIPRXGET: 2,9,3,0\r\nabc\r\n+CIPRXGET: 2,9,1498,0\r\n",
	};
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		uint64_t id = bench_opened(b);
		unsigned int slot = slot_of(b, id);
		char text[200], want[128], *nine;

		snprintf(text, sizeof(text), "%s", answers[i]);
		for (nine = strstr(text, ",9,"); nine;
		     nine = strstr(nine + 1, ",9,"))
			nine[1] = (char)('0' + slot);
		script_answer(b->script, "AT+CIPRXGET=2", text, 1);
		script_say(b->script, "\r\n+CIPRXGET: 1,%u\r\n", slot);
		bench_wait(b, 9000);
		snprintf(want, sizeof(want), "closed(%d/1,ECONNABORTED,"
			 "line-loss,0/0/0) ", (int)id);
		if (strcmp(b->log, want) != 0)
			fail_msg("case %zu: %s", i, b->log);
		bench_forget(b);
		assert_false(script_slot_open(b->script, slot));
	}
}

/* S5: what a peer sends is nothing but data. */
static void data_that_imitates_lines(void **state)
{
	static const char evil[] = "\r\nOK\r\n\r\nERROR\r\n+IPCLOSE: 9,1\r\n"
		"+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\nRDY\r\n> \r\n"
		"+CIPRXGET: 2,9,1500,0\r\n\x1a\x1b\0+++";
	struct bench *b = *state;
	uint64_t id = bench_opened(b);

	script_peer_sends(b->script, FIRST, evil, sizeof(evil));
	bench_wait(b, 1000);
	bench_expect_got(b, id, evil, sizeof(evil));
	bench_send(b, id, evil, sizeof(evil));
	bench_wait(b, 1000);
	bench_expect_sent(b, FIRST, evil, sizeof(evil));
	assert_int_equal(bench_info(b, id).state, LINK_OPEN);
}

/* -------------------------------------------------------------------- close */

static void close_in_every_order(void **state)
{
	static const struct { const char *answer; bool stays; } cases[] = {
		{ "\r\nOK\r\n\r\n+CIPCLOSE: @,0\r\n", false },
		{ "\r\n+CIPCLOSE: @,0\r\n\r\nOK\r\n", false },
		/* Q56 */
		{ "\r\n+CIPCLOSE: @,4\r\n\r\nERROR\r\n", false },
		{ "\r\n+IP ERROR: 8\r\n\r\nERROR\r\n", false },	/* Q57 */
		{ "\r\nERROR\r\n", false },
		{ "\r\nOK\r\n", false },		/* no result */
		{ "", false },
	};
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t id = bench_opened(b);
		unsigned int slot = slot_of(b, id);
		char text[64], want[64];

		with_slot(text, sizeof(text), cases[i].answer, slot);
		script_answer(b->script, "AT+CIPCLOSE=", text, 1);
		assert_int_equal(modem_link_close(b->m, id, false, "local"), 0);
		assert_int_equal(modem_link_send(b->m, id, 1, "x", 1), -EBADF);
		bench_wait(b, 16000);
		snprintf(want, sizeof(want), "closed(%d/1,ok,local,0/0/0) ",
			 (int)id);
		bench_expect(b, want);
		assert_int_equal(modem_link_close(b->m, id, false, "local"),
				 -EBADF);
		assert_int_equal(bench_status(b).slots_used, 0);
	}
}

static void polite_close_sends_first(void **state)
{
	struct bench *b = *state;
	uint64_t id = bench_opened(b);

	bench_fill(bytes, 5000, 7);
	bench_send(b, id, bytes, 5000);
	assert_int_equal(modem_link_close(b->m, id, false, "local"), 0);
	bench_wait(b, 1000);
	assert_non_null(strstr(b->log, "closed(1/1,ok,local,5000/5000/0) "));
	bench_expect_sent(b, FIRST, bytes, 5000);
	assert_int_equal(script_open_slots(b->script), 0);
}

static void abort_drops(void **state)
{
	struct bench *b = *state;
	uint64_t id = bench_opened(b);

	bench_fill(bytes, 5000, 7);
	bench_send(b, id, bytes, 5000);
	bench_wait(b, 1);
	assert_int_equal(modem_link_close(b->m, id, true, "local"), 0);
	assert_int_equal(modem_link_close(b->m, id, true, "local"), -EBADF);
	bench_wait(b, 1000);
	bench_expect(b, "sent(1/1,1500) closed(1/1,ok,local,5000/1500/0) ");
}

/* A send whose result never comes does not hold up an abort. */
static void close_overtakes_a_send(void **state)
{
	struct bench *b = *state;
	uint64_t id = bench_opened(b);
	int with_result;

	for (with_result = 0; with_result <= 1; with_result++) {
		char want[128], text[128];
		unsigned int slot;

		if (with_result)
			id = bench_opened(b);
		slot = slot_of(b, id);
		script_send_result(b->script, "");
		bench_send(b, id, "hello", 5);
		bench_wait(b, 100);
		snprintf(text, sizeof(text), "\r\nOK\r\n%.*s\r\n"
			 "+CIPCLOSE: %u,0\r\n", with_result ? 40 : 0,
			 slot == 8 ? "\r\n+CIPSEND: 8,5,5\r\n" : "", slot);
		script_answer(b->script, "AT+CIPCLOSE=", text, 1);
		modem_link_close(b->m, id, true, "local");
		bench_wait(b, 1000);
		if (with_result)
			snprintf(want, sizeof(want), "sent(%d/1,5) closed(%d/1,"
				 "ok,local,5/5/0) ", (int)id, (int)id);
		else
			snprintf(want, sizeof(want), "closed(%d/1,ok,local,"
				 "5/0/0) ", (int)id);
		bench_expect(b, want);
	}
}

/* C2: all data first, then the end. */
static void peer_closes_with_unread_data(void **state)
{
	static const size_t sizes[] = { 0, 1, 1500, 1501, 65536 };
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t id = bench_opened(b);
		unsigned int slot = slot_of(b, id);
		char want[64];

		bench_fill(bytes, sizes[i], 8);
		if (sizes[i] > 0)
			script_peer_sends(b->script, slot, bytes, sizes[i]);
		script_peer_closes(b->script, slot);
		bench_wait(b, 5000);
		bench_expect_got(b, id, bytes, sizes[i]);
		snprintf(want, sizeof(want), "closed(%d/1,EPIPE,peer,0/0/%zu) ",
			 (int)id, sizes[i]);
		assert_non_null(strstr(b->log, want));
		assert_string_equal(strstr(b->log, "closed("), want);
		bench_forget(b);
		assert_int_equal(bench_status(b).slots_used, 0);
	}
}

/* Its end comes in the middle of the pull that seems to empty it. */
static void peer_closes_during_a_pull(void **state)
{
	struct bench *b = *state;
	uint64_t id = bench_opened(b);

	script_answer(b->script, "AT+CIPRXGET=2", "\r\n+CIPRXGET: 2,9,3,0\r\n"
		      "abc\r\n+IPCLOSE: 9,1\r\n\r\nOK\r\n", 1);
	script_peer_sends_unheard(b->script, FIRST, "def", 3);
	script_say(b->script, "\r\n+CIPRXGET: 1,9\r\n");
	bench_wait(b, 1000);
	bench_expect_got(b, id, "abcdef", 6);
	assert_non_null(strstr(b->log, "closed(1/1,EPIPE,peer,0/0/6) "));
}

static void peer_closes_without_credit(void **state)
{
	struct bench *b = *state;
	struct link_args args = { .host = "h", .port = 1, .has_credit = true,
				  .credit = 10 };
	uint64_t id = (uint64_t)bench_open_args(b, &args);

	bench_wait(b, 100);
	bench_forget(b);
	script_peer_sends(b->script, FIRST, "0123456789abcdef", 16);
	script_peer_closes(b->script, FIRST);
	bench_wait(b, 60000);
	bench_expect(b, "data(1,10) ");
	/* nobody is there any more to send to */
	bench_send(b, id, "x", 1);
	bench_wait(b, 1000);
	assert_int_equal(script_heard(b->script, "AT+CIPSEND="), 0);
	modem_link_credit(b->m, id, 1, 100);
	bench_wait(b, 100);
	bench_expect(b, "data(1,6) closed(1/1,EPIPE,peer,1/0/16) ");
}

static void close_reasons(void **state)
{
	static const struct { int n; const char *want; } cases[] = {
		{ 0, "ECONNABORTED,modem-closed" }, { 1, "EPIPE,peer" },
		{ 2, "ETIMEDOUT,send-timeout" }, { 3, "EPIPE,peer" },
		{ -1, "EPIPE,peer" },
	};
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t id = bench_opened(b);
		char want[64];

		script_say(b->script, i % 2 ? "\r\n+IPCLOSE %u,%d\r\n" :
			   "\r\n+IPCLOSE:%u,%d\r\n", slot_of(b, id),
			   cases[i].n);
		bench_wait(b, 100);
		snprintf(want, sizeof(want), "closed(%d/1,%s,0/0/0) ", (int)id,
			 cases[i].want);
		bench_expect(b, want);
		bench_wait(b, 100);
	}
}

/* The last send and the peer's end cross: its answer counts, and what the
 * peer had sent before is not lost. */
static void peer_closes_while_sending(void **state)
{
	static const struct {
		const char *result;
		int taken;
		uint32_t wait_ms;
	} cases[] = {
		{ "\r\n+IPCLOSE: @,1\r\n\r\n+CIPSEND: @,5,5\r\n", 5, 200 },
		{ "\r\n+IPCLOSE: @,1\r\n\r\n+CIPSEND: @,5,-1\r\n", 0, 200 },
		{ "\r\n+IPCLOSE: @,1\r\n", 0, 2200 },	/* no answer at all */
	};
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t id = bench_opened(b);
		unsigned int slot = slot_of(b, id);
		char text[128], want[128];

		with_slot(text, sizeof(text), cases[i].result, slot);
		script_peer_sends_unheard(b->script, slot, "bye", 3);
		script_send_result(b->script, text);
		bench_send(b, id, "hello", 5);
		bench_wait(b, cases[i].wait_ms);
		bench_expect_got(b, id, "bye", 3);
		snprintf(want, sizeof(want), "closed(%d/1,EPIPE,peer,5/%d/3) ",
			 (int)id, cases[i].taken);
		if (!strstr(b->log, want))
			fail_msg("case %zu: %s", i, b->log);
		assert_int_equal(count(b->log, "closed("), 1);
		assert_int_equal(count(b->log, "sent("), cases[i].taken > 0);
		bench_forget(b);
		script_send_result(b->script, NULL);
	}
}

static void peer_closes_before_the_prompt(void **state)
{
	struct bench *b = *state;
	uint64_t id = bench_opened(b);

	script_peer_sends_unheard(b->script, FIRST, "bye", 3);
	script_answer(b->script, "AT+CIPSEND=", "\r\n+IPCLOSE: 9,1\r\n\r\n"
		      "+CIPERROR: 4\r\n\r\nERROR\r\n", 1);
	bench_send(b, id, "hello", 5);
	bench_wait(b, 1000);
	bench_expect_got(b, id, "bye", 3);
	bench_expect(b, "data(1,3) closed(1/1,EPIPE,peer,5/0/3) ");
}

/* C4: both sides close at once; exactly one end, in every order. */
static void close_race(void **state)
{
	static const char *const answers[] = {
		"\r\n+IPCLOSE: @,1\r\n\r\n+CIPCLOSE: @,4\r\n\r\nERROR\r\n",
		"\r\nOK\r\n\r\n+IPCLOSE: @,1\r\n\r\n+CIPCLOSE: @,0\r\n",
		"\r\nOK\r\n\r\n+CIPCLOSE: @,0\r\n\r\n+IPCLOSE: @,1\r\n",
		"\r\n+IPCLOSE: @,1\r\nOK\r\n\r\n+IPCLOSE: @,0\r\n",
	};
	struct bench *b = *state;
	size_t i, early;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		for (early = 0; early <= 1; early++) {
			uint64_t id = bench_opened(b);
			unsigned int slot = slot_of(b, id);
			char text[128];

			with_slot(text, sizeof(text), answers[i], slot);
			script_answer(b->script, "AT+CIPCLOSE=", text, 1);
			if (early)	/* crosses our decision, too */
				script_say(b->script, "\r\n+IPCLOSE: %u,1\r\n",
					   slot);
			modem_link_close(b->m, id, true, "local");
			bench_wait(b, 20000);
			assert_int_equal(count(b->log, "closed("), 1);
			bench_forget(b);
			assert_int_equal(bench_status(b).slots_used, 0);
		}
	}
}

/* C5: what was said of a slot before belongs to nobody after. */
static void slot_reuse(void **state)
{
	struct bench *b = *state;
	uint64_t ids[10], id;
	int i;

	for (i = 0; i < 10; i++)
		ids[i] = bench_opened(b);
	/* only slot 9 is free for the next one */
	modem_link_close(b->m, ids[0], true, "local");
	bench_wait(b, 100);
	bench_forget(b);
	script_answer(b->script, "AT+CIPOPEN=9", "\r\nOK\r\n", 1);
	id = (uint64_t)bench_open(b);
	bench_wait(b, 100);
	script_say(b->script, "\r\n+CIPRXGET: 1,9\r\n\r\n+IPCLOSE: 9,1\r\n"
		   "\r\n+CIPSEND: 9,5,5\r\n\r\n+CIPCLOSE: 9,0\r\n");
	bench_wait(b, 1000);
	bench_expect(b, "");
	script_say(b->script, "\r\n+CIPOPEN: 9,0\r\n");
	bench_wait(b, 10);
	bench_expect(b, "opened(11) ");
	bench_wait(b, 1000);
	bench_expect(b, "");
	assert_int_equal(bench_info(b, id).state, LINK_OPEN);
}

/* With the result, before the final line, it is the new one's end. */
static void closed_as_soon_as_opened(void **state)
{
	struct bench *b = *state;

	script_answer(b->script, "AT+CIPOPEN=", "\r\n+CIPOPEN: 9,0\r\n\r\n"
		      "+IPCLOSE: 9,1\r\n\r\nOK\r\n", 1);
	assert_int_equal(bench_open(b), 1);
	bench_wait(b, 1000);
	bench_expect(b, "opened(1) closed(1/1,EPIPE,peer,0/0/0) ");
}

/* The slot that rested longest is used first. */
static void slots_rest(void **state)
{
	struct bench *b = *state;
	unsigned int i;

	for (i = 0; i < 20; i++) {
		uint64_t id = bench_opened(b);

		assert_int_equal(slot_of(b, id), 9 - i % 10);
		modem_link_close(b->m, id, true, "local");
		bench_wait(b, 100);
		bench_forget(b);
	}
}

/* A CIPCLOSE that is not answered may leave a socket open in the modem. */
static void unanswered_close_leaks_no_slot(void **state)
{
	struct bench *b = *state;
	int i, failed = 0;

	bench_opened(b);
	script_answer(b->script, "AT+CIPCLOSE=9", "", 1);
	modem_link_close(b->m, 1, true, "local");
	bench_wait(b, 10000);
	assert_false(script_slot_open(b->script, 9));
	bench_forget(b);
	bench_opened(b);
	script_answer(b->script, "AT+CIPCLOSE=8", "\r\nOK\r\n", 1);
	modem_link_close(b->m, 2, true, "local");
	bench_wait(b, 20000);
	assert_int_equal(script_open_slots(b->script), 0);
	/* the audit says nothing: who gets that slot frees it */
	bench_forget(b);
	bench_opened(b);
	script_answer(b->script, "AT+CIPOPEN?", "\r\nERROR\r\n", 0);
	script_answer(b->script, "AT+CIPCLOSE=7", "", 1);
	modem_link_close(b->m, 3, true, "local");
	bench_wait(b, 10000);
	assert_true(script_slot_open(b->script, 7));
	for (i = 0; i < 30; i++) {
		int id = bench_open(b);

		bench_wait(b, 200);
		failed += count(b->log, "EREMOTEIO") > 0;
		if (!count(b->log, "EREMOTEIO"))
			modem_link_close(b->m, (uint64_t)id, true, "local");
		bench_wait(b, 200);
		bench_forget(b);
	}
	assert_in_range(failed, 0, 1);
	assert_int_equal(script_open_slots(b->script), 0);
}

static void idle_timeout(void **state)
{
	struct bench *b = *state;
	struct link_args args = { .host = "h", .port = 1,
				  .idle_timeout_ms = 10000 };
	uint64_t id = (uint64_t)bench_open_args(b, &args);

	bench_wait(b, 9000);
	bench_expect(b, "opened(1) ");
	bench_send(b, id, "x", 1);
	bench_wait(b, 9000);
	bench_expect(b, "sent(1/1,1) ");
	script_peer_sends(b->script, FIRST, "y", 1);
	bench_wait(b, 9900);
	bench_expect(b, "data(1,1) ");
	bench_wait(b, 300);
	bench_expect(b, "closed(1/1,ETIME,idle,1/1/1) ");
	assert_int_equal(script_open_slots(b->script), 0);
}

/* ---------------------------------------------------------- who gets a slot */

static void eleventh_link(void **state)
{
	struct bench *b = *state;
	struct link_args waits = { .host = "h", .port = 1, .wait_ms = 5000 };
	int i;

	for (i = 0; i < 10; i++)
		bench_opened(b);
	assert_int_equal(bench_open(b), -EMFILE);	/* A7: at once */
	assert_int_equal(bench_open_args(b, &waits), 12);
	bench_wait(b, 4990);
	bench_expect(b, "queued(12) ");
	assert_int_equal(bench_status(b).waiting, 1);
	bench_wait(b, 20);
	bench_expect(b, "opened(12,EMFILE,wait-timeout) ");
	assert_int_equal(bench_status(b).waiting, 0);
	assert_int_equal(bench_status(b).slots_used, 10);
}

/* A newcomer, as soon as the owner hears of the free slot. */
static void push_in(struct bench *b, const char *event, uint64_t link)
{
	if (strncmp(event, "closed(", 7) == 0) {
		b->on_event = NULL;
		assert_int_equal(bench_open(b), -EMFILE);
	}
	(void)link;
}

/* A7: first come, first served, and nobody pushes in. */
static void waiting_links_are_first_come_first_served(void **state)
{
	struct bench *b = *state;
	struct link_args waits = { .host = "h", .port = 1, .wait_ms = 600000 };
	char want[64];
	int i;

	for (i = 0; i < 10; i++)
		bench_opened(b);
	for (i = 11; i <= 20; i++)
		assert_int_equal(bench_open_args(b, &waits), i);
	bench_wait(b, 1000);
	bench_forget(b);
	modem_link_close(b->m, 15, false, "local");	/* one gives up */
	bench_wait(b, 10);
	bench_expect(b, "opened(15,ECANCELED,local) ");
	for (i = 1; i <= 9; i++) {
		int next = i + 10 + (i >= 5);

		b->on_event = push_in;
		modem_link_close(b->m, (uint64_t)i, true, "local");
		bench_wait(b, 100);
		snprintf(want, sizeof(want), "closed(%d/1,ok,local,0/0/0) "
			 "opened(%d) ", i, next);
		bench_expect(b, want);
	}
	assert_int_equal(bench_status(b).waiting, 0);
}

/* A slot becomes free, but the line is not: it is not the newcomer's. */
static void nobody_pushes_in(void **state)
{
	struct bench *b = *state;
	struct link_args waits = { .host = "h", .port = 1, .wait_ms = 600000 };
	int i;

	for (i = 0; i < 10; i++)
		bench_opened(b);
	assert_int_equal(bench_open_args(b, &waits), 11);
	script_answer(b->script, "AT+CIPCLOSE=9", "\r\nOK\r\n", 1);
	modem_link_close(b->m, 1, true, "local");
	bench_wait(b, 10);
	script_answer(b->script, "AT+CIPRXGET=2", "", 1);
	script_say(b->script, "\r\n+CIPRXGET: 1,8\r\n");
	bench_wait(b, 10);
	script_close_slot(b->script, 9);
	script_say(b->script, "\r\n+CIPCLOSE: 9,0\r\n");
	bench_wait(b, 10);
	bench_expect(b, "queued(11) closed(1/1,ok,local,0/0/0) ");
	assert_int_equal(bench_open(b), -EMFILE);
	script_say(b->script, "\r\n+IP ERROR: No data\r\n\r\nERROR\r\n");
	bench_wait(b, 100);
	bench_expect(b, "opened(11) ");
}

static void waiting_for_a_network(void **state)
{
	struct bench *b = *state;
	struct link_args waits = { .host = "h", .port = 1, .wait_ms = 120000 };
	struct link_args brief = { .host = "h", .port = 1, .wait_ms = 3000 };

	assert_int_equal(script_heard(b->script, ""), 0);
	script_answer(b->script, "AT+NETOPEN", "\r\nERROR\r\n", 0);
	script_set(b->script)->net_open = false;
	script_say(b->script, "\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n");
	bench_wait(b, 10);
	assert_int_equal(bench_open(b), -ENETDOWN);
	assert_int_equal(bench_open_args(b, &waits), 1);
	assert_int_equal(bench_open_args(b, &brief), 2);
	bench_wait(b, 4000);
	bench_expect(b, "queued(1) queued(2) opened(2,ENETDOWN,wait-timeout) ");
	script_answer(b->script, "AT+NETOPEN", "*", 0);
	bench_wait(b, 70000);
	bench_expect(b, "opened(1) ");
}

/* wait_ms 0 never waits, whatever happens between asking and opening. */
static void no_wait_never_waits(void **state)
{
	struct bench *b = *state;
	int id;

	id = bench_open(b);
	/* before the command could go out */
	script_answer(b->script, "AT+NETOPEN", "\r\nERROR\r\n", 0);
	script_set(b->script)->net_open = false;
	fake_port_say(b->world.port,
		      "\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n");
	bench_wait(b, 5000);
	assert_non_null(strstr(b->log, "opened(1,"));
	assert_int_equal(id, 1);
}

/* ---------------------------------------------------------------- restore */

static uint64_t open_restored(struct bench *b)
{
	struct link_args args = { .host = "h", .port = 1, .restore = true };
	int id = bench_open_args(b, &args);

	bench_wait(b, 100);
	bench_forget(b);
	script_forget_heard(b->script);

	return (uint64_t)id;
}

static void lose_network(struct bench *b)
{
	script_set(b->script)->net_open = false;
	script_say(b->script, "\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n");
}

static void restores(void **state)
{
	struct bench *b = *state;
	uint64_t id = open_restored(b), other = bench_opened(b);

	bench_send(b, id, "hello", 5);
	bench_wait(b, 100);
	script_answer(b->script, "AT+CIPSEND=", "", 1);
	bench_send(b, id, "lost", 4);
	bench_wait(b, 1);
	bench_forget(b);
	lose_network(b);
	bench_wait(b, 10);
	assert_non_null(strstr(b->log, "lost(1/1,ENETRESET,network-lost,"
			       "9/5/0) "));
	assert_non_null(strstr(b->log, "closed(2/1,ENETRESET,"));
	(void)other;
	assert_int_equal(modem_link_send(b->m, id, 1, "x", 1), -ESTALE);
	assert_int_equal(modem_link_credit(b->m, id, 1, 1), -ESTALE);
	bench_forget(b);
	bench_wait(b, 15000);
	bench_expect(b, "restored(1/2) ");
	assert_int_equal(modem_link_send(b->m, id, 1, "x", 1), -ESTALE);
	assert_int_equal(modem_link_send(b->m, id, 2, "again", 5), 0);
	bench_wait(b, 100);
	bench_expect(b, "sent(1/2,5) ");
	bench_expect_sent(b, slot_of(b, id), "again", 5);
	assert_int_equal(bench_info(b, id).counts.accepted, 5);
	assert_int_equal(bench_info(b, id).credit, 65536);
	/* the peer's own end is no loss */
	script_peer_closes(b->script, slot_of(b, id));
	bench_wait(b, 100);
	bench_expect(b, "closed(1/2,EPIPE,peer,5/5/0) ");
}

static void restores_after_all_losses(void **state)
{
	struct bench *b = *state;
	uint64_t id = open_restored(b);
	unsigned int epoch = 1;
	char want[64];
	int how;

	for (how = 0; how < 4; how++) {
		switch (how) {
		case 0:
			script_reboot(b->script, "\r\nRDY\r\n");
			break;
		case 1:
			fake_port_lose(b->world.port, -EIO);
			break;
		case 2:		/* the modem closed it by itself */
			script_say(b->script, "\r\n+IPCLOSE: %u,0\r\n",
				   slot_of(b, id));
			break;
		case 3:
			lose_network(b);
			break;
		}
		bench_wait(b, 20000);
		snprintf(want, sizeof(want), "lost(1/%u,", epoch);
		assert_non_null(strstr(b->log, want));
		epoch++;
		snprintf(want, sizeof(want), "restored(1/%u) ", epoch);
		assert_non_null(strstr(b->log, want));
		assert_int_equal(count(b->log, "lost("), 1);
		bench_forget(b);
	}
}

/* The host is away for long: tried with backoff, never given up. */
static void restores_with_backoff(void **state)
{
	struct bench *b = *state;
	uint64_t id = open_restored(b);

	script_answer(b->script, "AT+CIPOPEN=", "\r\n+IP ERROR: Operation "
		      "failed\r\n\r\nERROR\r\n", 0);
	lose_network(b);
	bench_wait(b, 20000);
	script_forget_heard(b->script);
	bench_wait(b, 600000);
	assert_in_range(script_heard(b->script, "AT+CIPOPEN="), 9, 30);
	assert_int_equal(count(b->log, "lost("), 1);
	assert_int_equal(bench_info(b, id).state, LINK_LOST);
	script_answer(b->script, "AT+CIPOPEN=", "*", 0);
	bench_wait(b, 65000);
	assert_non_null(strstr(b->log, "restored(1/2) "));
}

static void close_while_lost(void **state)
{
	struct bench *b = *state;
	uint64_t id = open_restored(b);

	bench_send(b, id, "hello", 5);
	bench_wait(b, 100);
	bench_forget(b);
	lose_network(b);
	bench_wait(b, 10);
	bench_forget(b);
	assert_int_equal(modem_link_close(b->m, id, false, "local"), 0);
	bench_wait(b, 30000);
	bench_expect(b, "closed(1/1,ok,local,5/5/0) ");
	assert_int_equal(script_heard(b->script, "AT+CIPOPEN="), 0);
	assert_int_equal(bench_status(b).slots_used, 0);
}

/* Lost again in the very moment in which it has its slot, but no line. */
static void lost_again_while_it_waits_for_the_line(void **state)
{
	struct bench *b = *state;
	uint64_t ids[8];
	int i, round;

	for (i = 0; i < 8; i++)
		ids[i] = open_restored(b);
	lose_network(b);
	bench_wait(b, 10);
	for (round = 0; round < 40; round++) {
		/* the links come back one by one, 10 ms each */
		for (i = 0; i < 1000 &&
		     !script_heard(b->script, "AT+CIPOPEN="); i++)
			bench_wait(b, 10);
		bench_wait(b, (uint32_t)(round % 7));
		lose_network(b);
		bench_wait(b, 10);
		script_forget_heard(b->script);
	}
	bench_wait(b, 120000);
	for (i = 0; i < 8; i++)
		assert_int_equal(bench_info(b, ids[i]).state, LINK_OPEN);
	assert_int_equal(script_open_slots(b->script), 8);
}

/* ----------------------------------------------------------------- queries */

static void resolves(void **state)
{
	struct bench *b = *state;
	uint32_t q[4];

	script_answer(b->script, "AT+CDNSGIP=\"bad.example\"",
		      "\r\n+CDNSGIP: 0,10\r\n\r\nERROR\r\n", 0);
	script_answer(b->script, "AT+CDNSGIP=\"odd.example\"",
		      "\r\nOK\r\n", 0);
	assert_int_equal(modem_resolve(b->m, "good.example", DRIVER_ANY,
					       &q[0]), 0);
	assert_int_equal(modem_resolve(b->m, "bad.example", DRIVER_ANY,
					       &q[1]), 0);
	assert_int_equal(modem_resolve(b->m, "odd.example", DRIVER_ANY,
					       &q[2]), 0);
	assert_int_equal(modem_resolve(b->m, "gone.example", DRIVER_ANY,
					       &q[3]), 0);
	modem_query_cancel(b->m, q[3]);
	bench_wait(b, 1000);
	bench_expect(b, "answered(1,ok,93.184.216.34) answered(2,EADDRNOTAVAIL,"
		     "+CDNSGIP: 0,10) answered(3,EADDRNOTAVAIL,OK) ");
}

/* SIMCom ref L1132: "no name" is followed by OK or by ERROR. */
static void reverses(void **state)
{
	struct bench *b = *state;
	uint32_t q[3];

	script_answer(b->script, "AT+CDNSGHNAME=\"192.0.2.1\"",
		      "\r\n+CDNSGHNAME: 1,\"mail.example\",\"192.0.2.1\"\r\n"
		      "\r\nOK\r\n", 0);
	script_answer(b->script, "AT+CDNSGHNAME=\"192.0.2.2\"",
		      "\r\n+CDNSGHNAME: 0,10\r\n\r\nOK\r\n", 0);
	script_answer(b->script, "AT+CDNSGHNAME=\"192.0.2.3\"",
		      "\r\n+CDNSGHNAME: 0,10\r\n\r\nERROR\r\n", 0);
	assert_int_equal(modem_reverse(b->m, "192.0.2.1", &q[0]), 0);
	assert_int_equal(modem_reverse(b->m, "192.0.2.2", &q[1]), 0);
	assert_int_equal(modem_reverse(b->m, "192.0.2.3", &q[2]), 0);
	bench_wait(b, 1000);
	bench_expect(b, "answered(1,ok,mail.example) "
		     "answered(2,EADDRNOTAVAIL,+CDNSGHNAME: 0,10) "
		     "answered(3,EADDRNOTAVAIL,+CDNSGHNAME: 0,10) ");
}

/* One command for all who ask the same, and for those who ask soon after. */
static void names_are_kept(void **state)
{
	struct bench *b = *state;
	uint32_t q;
	int i;

	script_answer(b->script, "AT+CDNSGIP=\"bad.example\"",
		      "\r\n+CDNSGIP: 0,10\r\n\r\nERROR\r\n", 0);
	for (i = 0; i < 10; i++) {
		assert_int_equal(modem_resolve(b->m, i % 2 ? "A.example" :
					       "a.example", DRIVER_ANY, &q), 0);
		assert_int_equal(modem_resolve(b->m, "bad.example", DRIVER_ANY,
					       &q), 0);
	}
	bench_wait(b, 1000);
	assert_int_equal(script_heard(b->script, "AT+CDNSGIP=\"a.ex"), 1);
	assert_int_equal(script_heard(b->script, "AT+CDNSGIP=\"bad"), 1);
	assert_non_null(strstr(b->log, "answered(19,ok,93.184.216.34)"));
	assert_non_null(strstr(b->log, "answered(20,EADDRNOTAVAIL,"));
	bench_forget(b);
	/* an address is not a name, and each has its time */
	assert_int_equal(modem_reverse(b->m, "192.0.2.9", &q), 0);
	bench_wait(b, 15000);
	assert_int_equal(script_heard(b->script, "AT+CDNSGHNAME"), 1);
	assert_int_equal(modem_resolve(b->m, "a.example", DRIVER_ANY,
					       &q), 0);
	assert_int_equal(modem_resolve(b->m, "bad.example", DRIVER_ANY,
					       &q), 0);
	bench_wait(b, 50000);
	assert_int_equal(script_heard(b->script, "AT+CDNSGIP=\"a.ex"), 1);
	assert_int_equal(script_heard(b->script, "AT+CDNSGIP=\"bad"), 2);
	assert_int_equal(modem_resolve(b->m, "a.example", DRIVER_ANY,
					       &q), 0);
	bench_wait(b, 1000);
	assert_int_equal(script_heard(b->script, "AT+CDNSGIP=\"a.ex"), 2);
	/* another network may know other names */
	script_say(b->script,
		   "\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n");
	bench_wait(b, 10000);
	assert_int_equal(modem_resolve(b->m, "a.example", DRIVER_ANY,
					       &q), 0);
	bench_wait(b, 1000);
	assert_int_equal(script_heard(b->script, "AT+CDNSGIP=\"a.ex"), 3);
}

/* A cancelled one that nobody has asked for yet need not be asked. */
static void cancelled_query_is_not_asked(void **state)
{
	struct bench *b = *state;
	uint32_t q1, q2;

	script_answer(b->script, "AT+CDNSGIP", "", 1);
	assert_int_equal(modem_resolve(b->m, "a.example", DRIVER_ANY,
					       &q1), 0);
	assert_int_equal(modem_resolve(b->m, "b.example", DRIVER_ANY,
					       &q2), 0);
	bench_wait(b, 100);
	modem_query_cancel(b->m, q1);	/* under way */
	modem_query_cancel(b->m, q2);
	script_say(b->script, "\r\n+CDNSGIP: 1,\"a\",\"1.2.3.4\"\r\n"
		   "\r\nOK\r\n");
	bench_wait(b, 60000);
	bench_expect(b, "");
	assert_int_equal(script_heard(b->script, "AT+CDNSGIP=\"b"), 0);
}

static void too_many_queries(void **state)
{
	struct bench *b = *state;
	uint32_t q;
	int i;

	for (i = 0; i < 64; i++)
		assert_int_equal(modem_resolve(b->m, "x.example", DRIVER_ANY,
					       &q), 0);
	assert_int_equal(modem_resolve(b->m, "x.example", DRIVER_ANY,
					       &q), -EBUSY);
	bench_wait(b, 5000);
	assert_int_equal(count(b->log, "answered("), 64);
	assert_int_equal(modem_resolve(b->m, "x.example", DRIVER_ANY,
					       &q), 0);
}

/* House 3: half of the line at most, while links want it. */
static void queries_share_the_line(void **state)
{
	struct bench *b = *state;
	uint64_t id = bench_opened(b);
	unsigned int answered = 0, asked_ms = 0, ms;
	char name[32];
	uint32_t q;
	int i;

	bench_fill(bytes, sizeof(bytes), 9);
	for (i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "x%d.example", i);
		assert_int_equal(modem_resolve(b->m, name, DRIVER_ANY, &q), 0);
	}
	/* each name takes a second, each send 5 ms */
	script_answer(b->script, "AT+CDNSGIP", "", 0);
	for (ms = 0; ms < 20000; ms += 10) {
		while (bench_send(b, id, bytes, 1500) == 0)
			;
		if (script_heard(b->script, "AT+CDNSGIP") == answered)
			asked_ms = ms;
		if (ms - asked_ms == 1000) {
			answered++;
			script_say(b->script, "\r\n+CDNSGIP: 1,\"x\","
				   "\"1.2.3.4\"\r\n\r\nOK\r\n");
		}
		bench_wait(b, 10);
		if (b->len > sizeof(b->log) / 2)
			bench_forget(b);
	}
	assert_in_range(answered, 9, 10);
	assert_true(bench_info(b, id).counts.taken > 20000 / 10 / 4 * 1500);
}

static void signal_is_asked_when_old(void **state)
{
	struct bench *b = *state;

	bench_wait(b, 60000);
	script_answer(b->script, "AT+CSQ",
		      "\r\n+CSQ: 10,99\r\n\r\nOK\r\n", 0);
	modem_refresh(b->m);
	modem_refresh(b->m);
	bench_wait(b, 100);
	assert_int_equal(bench_status(b).info->signal_dbm, -93);
	modem_refresh(b->m);
	bench_wait(b, 100);
	assert_int_equal(script_heard(b->script, "AT+CSQ"), 1);
	bench_expect(b, "");
}

/* ------------------------------------------------------ fairness, and chaos */

/* A5: who sends much does not shut out who sends little. */
static void bulk_and_chat(void **state)
{
	struct bench *b = *state;
	uint64_t one = bench_opened(b), two = bench_opened(b);
	int i;

	bench_fill(bytes, sizeof(bytes), 10);
	for (i = 0; i < 100; i++) {
		uint64_t bulk = i < 50 ? one : two, chat = i < 50 ? two : one;
		char want[32];

		if (i == 50)
			bench_wait(b, 2000);
		while (bench_send(b, bulk, bytes, 1500) == 0)
			;
		bench_send(b, chat, "x", 1);
		bench_forget(b);
		bench_wait(b, 35);	/* two commands of 10 ms, and one */
		snprintf(want, sizeof(want), "sent(%d/1,1) ", (int)chat);
		assert_non_null(strstr(b->log, want));
	}
}

/* Both directions of one link, too. */
static void upload_does_not_starve_download(void **state)
{
	struct bench *b = *state;
	uint64_t id = bench_opened(b);
	int i;

	bench_fill(bytes, sizeof(bytes), 11);
	script_peer_sends(b->script, FIRST, bytes, 30000);
	for (i = 0; i < 60; i++) {
		while (bench_send(b, id, bytes, 1500) == 0)
			;
		bench_wait(b, 20);
		bench_forget(b);
	}
	bench_expect_got(b, id, bytes, 30000);
	assert_true(bench_info(b, id).counts.taken >= 30000);
}

/* A4: no slot and no timer is left behind by ten thousand of them. */
static void many_links(void **state)
{
	struct bench *b = *state;
	int i;

	script_set(b->script)->latency_ms = 0;
	for (i = 0; i < 10000; i++) {
		int id = bench_open(b);

		assert_true(id > 0);
		if (i % 3 == 0)
			bench_wait(b, 1);
		if (i % 4 == 0)
			script_peer_closes(b->script, (unsigned int)i % 10);
		modem_link_close(b->m, (uint64_t)id, i % 2, "local");
		bench_wait(b, 2);
		script_forget_heard(b->script);
		bench_forget(b);
	}
	bench_wait(b, 5000);
	assert_int_equal(bench_status(b).slots_used, 0);
	assert_int_equal(script_open_slots(b->script), 0);
	assert_int_equal(fake_timers_pending(b->ts), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define O(f) cmocka_unit_test_setup_teardown(f, bench_set_up_open, \
					     bench_tear_down)
		O(open_in_every_order), O(result_alone_opens_nothing),
		O(open_fails), O(open_says_network_down),
		O(open_without_result), O(late_result_crosses_the_close),
		O(open_without_any_answer), O(close_while_opening),
		O(dead_hosts_delay_nobody), O(local_port_and_long_host),
		O(sends_in_pieces), O(window), O(send_before_open),
		O(send_results_in_every_order), O(short_sends),
		O(more_confirmed_than_sent), O(send_never_answered),
		O(send_refused), O(long_sends_refused), O(reads_all), O(credit),
		O(data_during_a_pull), O(lost_announcement),
		O(no_data_in_all_words), O(pull_that_lost_bytes),
		O(data_that_imitates_lines), O(close_in_every_order),
		O(polite_close_sends_first), O(abort_drops),
		O(close_overtakes_a_send), O(peer_closes_with_unread_data),
		O(peer_closes_during_a_pull), O(peer_closes_without_credit),
		O(close_reasons), O(peer_closes_while_sending),
		O(peer_closes_before_the_prompt), O(close_race), O(slot_reuse),
		O(closed_as_soon_as_opened), O(slots_rest),
		O(unanswered_close_leaks_no_slot), O(idle_timeout),
		O(eleventh_link), O(waiting_links_are_first_come_first_served),
		O(nobody_pushes_in),
		O(waiting_for_a_network), O(no_wait_never_waits), O(restores),
		O(restores_after_all_losses), O(restores_with_backoff),
		O(close_while_lost), O(lost_again_while_it_waits_for_the_line),
		O(resolves), O(reverses), O(names_are_kept),
		O(cancelled_query_is_not_asked),
		O(too_many_queries), O(queries_share_the_line),
		O(signal_is_asked_when_old), O(bulk_and_chat),
		O(upload_does_not_starve_download), O(many_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
