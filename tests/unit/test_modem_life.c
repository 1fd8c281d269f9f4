/* SPDX-License-Identifier: MIT */

/*
 * Network up and down, restarts, the ladder to them, the audit in both
 * directions, and what is said of it all: on a virtual clock.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at/channel.h"
#include "driver/driver.h"
#include "fake_port.h"
#include "fake_timer.h"
#include "modem_bench.h"

#define FIRST	9U	/* the slot of the first link */

static void expect_open(struct bench *b)
{
	bench_expect_state(b, MODEM_READY, NULL);
	assert_int_equal(bench_status(b).network, NETWORK_OPEN);
}

static struct modem_step step_of(struct bench *b, const char *name)
{
	static struct modem_step steps[MODEM_STEPS];
	unsigned int i, n = modem_get_steps(b->m, steps);

	assert_int_equal(n, MODEM_STEPS);
	for (i = 0; i < n; i++) {
		if (strcmp(steps[i].name, name) == 0)
			return steps[i];
	}
	fail_msg("there is no step %s", name);

	return steps[0];
}

static void expect_step(struct bench *b, const char *name, const char *state,
			const char *in_text)
{
	struct modem_step s = step_of(b, name);

	if (strcmp(s.state, state) != 0 || !strstr(s.text, in_text))
		fail_msg("%s is %s: %s", name, s.state, s.text);
}

/* A table of links as the modem would print it, without what is open. */
static const char *empty_table(void)
{
	return "\r\n+CIPOPEN: 0\r\n+CIPOPEN: 1\r\n+CIPOPEN: 2\r\n"
	       "+CIPOPEN: 3\r\n+CIPOPEN: 4\r\n+CIPOPEN: 5\r\n+CIPOPEN: 6\r\n"
	       "+CIPOPEN: 7\r\n+CIPOPEN: 8\r\n+CIPOPEN: 9\r\n\r\nOK\r\n";
}

static uint64_t restored_link(struct bench *b)
{
	struct link_args args = { .host = "host", .port = 80, .restore = true,
				  .wait_ms = 1000 };
	int id = bench_open_args(b, &args);

	bench_wait(b, 100);
	bench_forget(b);

	return (uint64_t)id;
}

/* ------------------------------------------------------------ network down */

static void down_closes_links_politely(void **state)
{
	struct bench *b = *state;
	uint64_t plain = bench_opened(b), again = restored_link(b);

	assert_int_equal(bench_send(b, plain, "last words", 10), 0);
	assert_int_equal(modem_network(b->m, false, "op"), 0);
	bench_expect(b, "");		/* nothing from within the call */
	bench_wait(b, 1000);
	bench_expect(b, "sent(1/1,10) lost(2/1,ENETDOWN,network-down,0/0/0) "
		     "closed(1/1,ENETDOWN,network-down,10/10/0) ");
	bench_expect_sent(b, FIRST, "last words", 10);
	assert_int_equal(bench_status(b).network, NETWORK_CLOSED);
	assert_string_equal(bench_status(b).network_reason,
			    "closed by op (modemctl network down)");
	assert_int_equal(bench_status(b).losses, 0);
	assert_false(script_set(b->script)->net_open);
	/* both were closed before the network was */
	assert_int_equal(script_heard(b->script, "AT+CIPCLOSE="), 2);
	/* NETCLOSE's own word is not enough */
	assert_int_equal(script_heard(b->script, "AT+NETOPEN?"), 2);
	assert_int_equal(modem_network(b->m, false, "op"), -EALREADY);
	expect_step(b, "network", "waiting", "modemctl network up opens it");

	assert_int_equal(bench_open(b), -ENETDOWN);
	bench_wait(b, 3600000);
	assert_int_equal(bench_status(b).network, NETWORK_CLOSED);
	assert_int_equal(modem_network(b->m, true, "op"), 0);
	bench_wait(b, 3000);
	bench_expect(b, "restored(2/2) ");
	assert_int_equal(bench_info(b, again).state, LINK_OPEN);
	assert_int_equal(modem_network(b->m, true, "op"), -EALREADY);
}

/* A link that waits for a network waits for this one, too. */
static void down_and_who_waits(void **state)
{
	struct bench *b = *state;
	struct link_args args = { .host = "h", .port = 1, .wait_ms = 60000 };

	assert_int_equal(modem_network(b->m, false, "op"), 0);
	bench_wait(b, 1000);
	assert_int_equal(bench_open_args(b, &args), 1);
	bench_wait(b, 1000);
	bench_expect(b, "queued(1) ");
	assert_int_equal(modem_network(b->m, true, "op"), 0);
	bench_wait(b, 3000);
	bench_expect(b, "opened(1) ");
}

/* Being opened when the network is closed: it was not open, and is not. */
static void down_while_opening(void **state)
{
	struct bench *b = *state;

	script_answer(b->script, "AT+CIPOPEN=", "\r\nOK\r\n", 1);
	assert_int_equal(bench_open(b), 1);
	bench_wait(b, 100);
	assert_int_equal(modem_network(b->m, false, "op"), 0);
	bench_wait(b, 1000);
	bench_expect(b, "opened(1,ENETDOWN,network-down) ");
	assert_int_equal(bench_status(b).network, NETWORK_CLOSED);
	assert_int_equal(bench_status(b).slots_used, 0);
}

/* Asked for in the same moment, before any command of it is out. */
static void down_before_an_open(void **state)
{
	struct bench *b = *state;

	assert_int_equal(bench_open(b), 1);
	assert_int_equal(modem_network(b->m, false, "op"), 0);
	bench_wait(b, 1000);
	bench_expect(b, "opened(1,ENETDOWN,network-down) ");
	assert_int_equal(script_heard(b->script, "AT+CIPOPEN="), 0);
}

/* Nor does a close that is not answered. */
static void down_in_spite_of_a_lost_close(void **state)
{
	struct bench *b = *state;

	b->cfg.recovery.stop_timeout_ms = 2000;
	bench_opened(b);
	script_answer(b->script, "AT+CIPCLOSE=", "\r\nOK\r\n", 0);
	assert_int_equal(modem_network(b->m, false, "op"), 0);
	bench_wait(b, 1900);
	assert_int_equal(bench_status(b).network, NETWORK_OPEN);
	bench_wait(b, 1000);
	assert_int_equal(bench_status(b).network, NETWORK_CLOSED);
	assert_int_equal(bench_status(b).slots_used, 0);
}

/* A peer that sends without end does not hold it up for ever. */
static void down_in_spite_of_a_flood(void **state)
{
	static uint8_t bytes[60000];
	struct bench *b = *state;
	int i;

	bench_opened(b);
	assert_int_equal(modem_link_credit(b->m, 1, 1, LINK_CREDIT_MAX), 0);
	script_peer_sends(b->script, FIRST, bytes, sizeof(bytes));
	assert_int_equal(modem_network(b->m, false, "op"), 0);
	for (i = 0; i < 130; i++) {
		script_peer_sends(b->script, FIRST, bytes, 2000);
		bench_wait(b, 100);
	}
	assert_int_equal(bench_status(b).network, NETWORK_CLOSED);
	assert_non_null(strstr(b->log, "closed(1/1,ENETDOWN,network-down,"));
}

/* A modem that goes silent meanwhile is found. */
static void down_and_the_modem_hangs(void **state)
{
	struct bench *b = *state;

	b->cfg.recovery.probe_ms = 60000;
	assert_int_equal(modem_network(b->m, false, "op"), 0);
	bench_wait(b, 1000);
	script_forget_heard(b->script);
	bench_wait(b, 300000);
	assert_in_range(script_heard(b->script, "AT+CSQ"), 4, 5);
	assert_int_equal(script_heard(b->script, "AT+CIPOPEN?"), 0);
	script_set(b->script)->mute = true;
	bench_wait(b, 75000);
	assert_int_not_equal(bench_status(b).state, MODEM_READY);
	script_set(b->script)->mute = false;
	bench_wait(b, 90000);
	bench_expect_state(b, MODEM_READY, "closed by op");
}

static void down_survives_a_restart(void **state)
{
	struct bench *b = *state;

	assert_int_equal(modem_network(b->m, false, "op"), 0);
	bench_wait(b, 1000);
	script_reboot(b->script, "\r\nRDY\r\n");
	bench_wait(b, 5000);
	bench_expect_state(b, MODEM_READY, "closed by op");
	assert_int_equal(bench_status(b).network, NETWORK_CLOSED);
	/* and so does a replug, with a network that is open by itself */
	script_set(b->script)->net_open = true;
	fake_port_lose(b->world.port, -ENODEV);
	bench_wait(b, 1);
	assert_string_equal(bench_status(b).network_reason,
			    "closed by op (modemctl network down)");
	expect_step(b, "device", "failed", "went away");
	assert_true(step_of(b, "device").will_try);
	expect_step(b, "network", "waiting", "closed by op");
	assert_false(step_of(b, "network").will_try);
	bench_wait(b, 10000);
	bench_expect_state(b, MODEM_READY, "closed by op");
	assert_false(script_set(b->script)->net_open);
	assert_int_equal(script_heard(b->script, "AT+NETOPEN"),
			 script_heard(b->script, "AT+NETOPEN?"));
}

/* The wanted state in other words: success only when a query confirms it. */
static void down_in_other_words(void **state)
{
	static const char *const answers[] = {
		"\r\n+NETCLOSE: 2\r\n\r\nERROR\r\n",
		"\r\n+IP ERROR: Network is already closed\r\n\r\nERROR\r\n",
		"\r\n+IP ERROR: 5\r\n\r\nERROR\r\n", "\r\nERROR\r\n",
		"\r\n+NETCLOSE: 0\r\n\r\nOK\r\n",
	};
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		script_answer(b->script, "AT+NETCLOSE", answers[i], 0);
		assert_int_equal(modem_network(b->m, false, "op"), 0);
		bench_wait(b, 3000);
		/* it is not: NETOPEN? says so */
		assert_int_equal(bench_status(b).network, NETWORK_OPEN);
		bench_wait(b, 10000);
		assert_non_null(strstr(bench_status(b).network_reason,
				       "cannot be closed"));
		script_set(b->script)->net_open = false;
		bench_wait(b, 70000);
		assert_int_equal(bench_status(b).network, NETWORK_CLOSED);
		script_answer(b->script, "AT+NETCLOSE", "*", 0);
		assert_int_equal(modem_network(b->m, true, "op"), 0);
		bench_wait(b, 5000);
		expect_open(b);
	}
}

static void up_and_down_in_quick_turn(void **state)
{
	struct bench *b = *state;

	bench_opened(b);
	bench_forget(b);
	assert_int_equal(modem_network(b->m, false, "op"), 0);
	bench_wait(b, 1);
	assert_int_equal(modem_network(b->m, true, "op"), 0);
	bench_wait(b, 3000);
	expect_open(b);
	assert_string_equal(b->networks, "open closed opening open ");
	assert_int_equal(modem_network(b->m, true, "op"), -EALREADY);
	assert_int_equal(modem_network(b->m, false, "op"), 0);
	assert_int_equal(modem_network(b->m, true, "op"), 0);
	bench_wait(b, 3000);
	expect_open(b);
}

/* Not open yet, and it does not get to be. */
static void down_before_it_was_open(void **state)
{
	struct bench *b = *state;

	script_set(b->script)->reg = 2;
	bench_start(b);
	bench_wait(b, 3000);
	bench_expect_state(b, MODEM_REGISTERING, "searching");
	assert_int_equal(modem_network(b->m, false, "op"), 0);
	bench_wait(b, 100);
	assert_int_equal(bench_status(b).network, NETWORK_CLOSED);
	script_set(b->script)->reg = 1;
	bench_wait(b, 20000);
	bench_expect_state(b, MODEM_READY, "closed by op");
	assert_int_equal(bench_status(b).network, NETWORK_CLOSED);
	assert_int_equal(modem_network(b->m, true, "op"), 0);
	bench_wait(b, 3000);
	expect_open(b);
}

/* NETOPEN is out: it is not closed before that has ended. */
static void down_while_netopen_runs(void **state)
{
	struct bench *b = *state;

	script_answer(b->script, "AT+NETOPEN", "\r\nOK\r\n", 1);
	script_answer(b->script, "AT+NETOPEN?",
		      "\r\n+NETOPEN: 0\r\n\r\nOK\r\n", 1);
	bench_start(b);
	bench_wait(b, 3000);
	assert_int_equal(bench_status(b).network, NETWORK_OPENING);
	assert_int_equal(modem_network(b->m, false, "op"), 0);
	bench_wait(b, 1000);
	assert_int_equal(bench_status(b).network, NETWORK_OPENING);
	script_set(b->script)->net_open = true;
	script_say(b->script, "\r\n+NETOPEN: 0\r\n");
	bench_wait(b, 1000);
	assert_int_equal(bench_status(b).network, NETWORK_CLOSED);
	assert_false(script_set(b->script)->net_open);
	assert_string_equal(b->networks, "opening closed ");
}

/* ------------------------------------------------------------------- reset */

static void reset_by_command(void **state)
{
	struct bench *b = *state;

	bench_opened(b);
	restored_link(b);
	assert_int_equal(modem_reset(b->m, true, "op"), -EOPNOTSUPP);
	script_answer(b->script, "AT+CFUN=1,1", "\r\nOK\r\n", 1);
	assert_int_equal(modem_reset(b->m, false, "op"), 0);
	bench_wait(b, 500);
	/* not told before it is known to be down */
	bench_expect(b, "lost(2/1,ENODEV,modem-restarted,0/0/0) "
		     "closed(1/1,ENODEV,modem-restarted,0/0/0) ");
	bench_expect_state(b, MODEM_STARTING, "restarted by op");
	script_reboot(b->script, "\r\nRDY\r\n");
	bench_wait(b, 100);
	bench_expect(b, "restarted(ok) ");
	bench_wait(b, 5000);
	expect_open(b);
	assert_int_equal(bench_status(b).restarts, 0);	/* by itself */
	assert_int_equal(script_heard(b->script, "AT+CRESET"), 0);
}

/* The banner comes before the OK, or instead of it. */
static void reset_banner_first(void **state)
{
	struct bench *b = *state;

	bench_opened(b);
	script_answer(b->script, "AT+CFUN=1,1", "\r\nRDY\r\n", 1);
	script_set(b->script)->net_open = false;
	assert_int_equal(modem_reset(b->m, false, "op"), 0);
	bench_wait(b, 5000);
	bench_expect(b, "restarted(ok) "
		     "closed(1/1,ENODEV,modem-restarted,0/0/0) ");
	expect_open(b);
	assert_int_equal(bench_status(b).restarts, 0);
}

/* Without a banner: silence tells. */
static void reset_without_banner(void **state)
{
	struct bench *b = *state;

	script_answer(b->script, "AT+CFUN=1,1", "\r\nERROR\r\n", 1);
	assert_int_equal(modem_reset(b->m, false, "op"), 0);
	bench_wait(b, 500);
	assert_int_equal(script_heard(b->script, "AT+CRESET"), 1);
	bench_expect(b, "");
	script_set(b->script)->mute = true;
	bench_wait(b, 10000);
	bench_expect(b, "restarted(ok) ");
	script_reboot(b->script, "");
	script_set(b->script)->mute = false;
	bench_wait(b, 60000);
	expect_open(b);
}

static void reset_refused(void **state)
{
	struct bench *b = *state;

	bench_opened(b);
	script_answer(b->script, "AT+CFUN=1,1", "\r\nERROR\r\n", 0);
	script_answer(b->script, "AT+CRESET", "\r\nERROR\r\n", 0);
	assert_int_equal(modem_reset(b->m, false, "op"), 0);
	bench_wait(b, 1000);
	bench_expect(b, "restarted(EREMOTEIO,ERROR) ");
	expect_open(b);
	assert_int_equal(bench_info(b, 1).state, LINK_OPEN);
	/* gone before it was asked, or between the two commands */
	script_answer(b->script, "AT+CFUN=1,1", "", 0);
	assert_int_equal(modem_reset(b->m, false, "op"), 0);
	bench_wait(b, 100);
	fake_port_lose(b->world.port, -ENODEV);
	bench_wait(b, 1);
	assert_non_null(strstr(b->log, "restarted("));
	assert_int_equal(modem_reset(b->m, false, "op"), -ENODEV);
}

/* ------------------------------------------------------------------ ladder */

static void fail_netopen(struct bench *b)
{
	script_answer(b->script, "AT+NETOPEN", "\r\nOK\r\n\r\n+NETOPEN: 1\r\n",
		      0);
	script_answer(b->script, "AT+NETOPEN?",
		      "\r\n+NETOPEN: 0\r\n\r\nOK\r\n", 0);
}

/* Q39: contexts that are not ours are deleted after five failures. */
static void ladder_deletes_contexts(void **state)
{
	struct bench *b = *state;
	unsigned int i;

	fail_netopen(b);
	script_answer(b->script, "AT+CGDCONT?",
		      "\r\n+CGDCONT: 1,\"IP\",\"internet\",\"\",0,0\r\n"
		      "+CGDCONT: 2,\"IP\",\"ims\",\"\",0,0\r\n"
		      "+CGDCONT: 3,\"IP\",\"sos\",\"\",0,0\r\n\r\nOK\r\n", 0);
	script_answer(b->script, "AT+CGACT?",
		      "\r\n+CGACT: 1,0\r\n+CGACT: 2,1\r\n\r\nOK\r\n", 0);
	bench_start(b);
	for (i = 0; i < 10000 &&
	     script_heard(b->script, "AT+CGDCONT=3") == 0; i++)
		bench_wait(b, 10);
	/* five, each with its question before and after */
	assert_int_equal(script_heard(b->script, "AT+NETOPEN") -
			 script_heard(b->script, "AT+NETOPEN?"), 5);
	assert_int_equal(script_heard(b->script, "AT+CGDCONT=2"), 1);
	script_answer(b->script, "AT+NETOPEN", "*", 0);
	script_answer(b->script, "AT+NETOPEN?", "*", 0);
	bench_wait(b, 2000);
	expect_open(b);
	/* ours is made anew */
	assert_int_equal(script_heard(b->script, "AT+CGDCONT=1,"), 2);
	assert_int_equal(script_heard(b->script, "AT+CFUN=1,1"), 0);
	expect_step(b, "context", "ok", "not active, no address");
}

/* Note 1.5.2: then the modem is restarted, but not again and again. */
static void ladder_restarts(void **state)
{
	struct bench *b = *state;
	unsigned int i, n = 0;

	fail_netopen(b);
	bench_start(b);
	for (i = 0; i < 30000 &&
	     script_heard(b->script, "AT+CFUN=1,1") == 0; i++)
		bench_wait(b, 10);
	assert_int_equal(script_heard(b->script, "AT+NETOPEN") -
			 script_heard(b->script, "AT+NETOPEN?"), 6);
	assert_int_equal(script_heard(b->script, "AT+CGDCONT?"), 1);
	bench_wait(b, 100);
	bench_expect_state(b, MODEM_STARTING, "NETOPEN failed 6 times");
	expect_step(b, "line", "waiting", "restarted by modemd");
	expect_step(b, "network", "unknown", "");
	/* 10, 20, 40, 80 min and so on */
	bench_wait(b, 580000);
	assert_int_equal(script_heard(b->script, "AT+CFUN=1,1"), 1);
	bench_wait(b, 120000);
	assert_int_equal(script_heard(b->script, "AT+CFUN=1,1"), 2);
	bench_wait(b, 1000000);
	assert_int_equal(script_heard(b->script, "AT+CFUN=1,1"), 2);
	bench_wait(b, 400000);
	assert_int_equal(script_heard(b->script, "AT+CFUN=1,1"), 3);
	for (i = 0; i < 24; i++) {
		script_forget_heard(b->script);
		bench_wait(b, 3600000);
		n += script_heard(b->script, "AT+CFUN=1,1");
	}
	assert_in_range(n, 16, 18);
	bench_expect(b, "");
}

/* Rule 34: a network that was away for a moment is waited for. */
static void ladder_waits_after_a_loss(void **state)
{
	struct bench *b = *state;

	b->cfg.recovery.backoff_max_ms = 1000;
	bench_start(b);
	bench_wait(b, 3000);
	expect_open(b);
	fail_netopen(b);
	script_set(b->script)->net_open = false;
	script_say(b->script, "\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n");
	bench_wait(b, 44000);
	assert_int_equal(script_heard(b->script, "AT+CFUN=1,1"), 0);
	assert_int_equal(script_heard(b->script, "AT+CGDCONT?"), 1);
	bench_wait(b, 4000);
	assert_int_equal(script_heard(b->script, "AT+CFUN=1,1"), 1);
}

/* The chart of the note: a radio that is off is switched on. */
static void radio_is_switched_on(void **state)
{
	struct bench *b = *state;

	script_answer(b->script, "AT+CFUN?", "\r\n+CFUN: 4\r\n\r\nOK\r\n", 1);
	bench_start(b);
	bench_wait(b, 3000);
	expect_open(b);
	assert_int_equal(script_heard(b->script, "AT+CFUN=1"), 1);
}

/* ------------------------------------------------------------------- audit */

/* The other direction: what the modem does not know is lost. */
static void vanished_links_are_lost(void **state)
{
	struct bench *b = *state;

	bench_opened(b);
	restored_link(b);
	bench_opened(b);		/* stays */
	script_close_slot(b->script, FIRST);
	script_close_slot(b->script, FIRST - 1);
	bench_wait(b, 299000);
	bench_expect(b, "");
	bench_wait(b, 5000);
	assert_non_null(strstr(b->log, "closed(1/1,ECONNABORTED,vanished,"));
	assert_non_null(strstr(b->log, "lost(2/1,ECONNABORTED,vanished,"));
	assert_non_null(strstr(b->log, "restored(2/2) "));
	assert_null(strstr(b->log, "(3/"));
	assert_int_equal(bench_info(b, 3).state, LINK_OPEN);
	expect_open(b);
}

/* What it still holds is read first. */
static void vanished_link_is_drained(void **state)
{
	struct bench *b = *state;

	bench_opened(b);
	bench_opened(b);
	script_peer_sends_unheard(b->script, FIRST, "left", 4);
	script_answer(b->script, "AT+CIPRXGET=2,9", "\r\n+IP ERROR: No data"
		      "\r\n\r\nERROR\r\n", 0);
	script_answer(b->script, "AT+CIPOPEN?", empty_table(), 1);
	bench_wait(b, 299900);
	script_answer(b->script, "AT+CIPRXGET=2,9", "*", 0);
	bench_wait(b, 2000);
	bench_expect_prefix(b, "data(1,4) closed(");
	bench_expect_got(b, 1, "left", 4);
}

/* Lines that were lost prove nothing. */
static void garbled_table_kills_nothing(void **state)
{
	static const char *const tables[] = {
		"\r\nOK\r\n",
		"\r\n+CIPOPEN: 0\r\n+CIPOPEN: 1\r\n\r\nOK\r\n",
		/* 9 twice, 8 not at all */
		"\r\n+CIPOPEN: 0\r\n+CIPOPEN: 1\r\n+CIPOPEN: 2\r\n"
		"+CIPOPEN: 3\r\n+CIPOPEN: 4\r\n+CIPOPEN: 5\r\n+CIPOPEN: 6\r\n"
		"+CIPOPEN: 7\r\n+CIPOPEN: 9\r\n+CIPOPEN: 9\r\n\r\nOK\r\n",
		"\r\n+CIPOPEN: 0\r\n+CIPOPEN: 1\r\n+CIPOPEN: 2\r\n"
		"+CIPOPEN: 3\r\n+CIPOPEN: 4\r\n+CIPOPEN: 5\r\n+CIPOPEN: 6\r\n"
		"+CIPOPEN: 7\r\n+CIPOPEN: 8\r\n+CIPOPE: 9,\"TCP\"\r\n"
		"\r\nOK\r\n",
		"\r\nERROR\r\n", "",
	};
	struct bench *b = *state;
	size_t i;

	bench_opened(b);
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		script_answer(b->script, "AT+CIPOPEN?", tables[i], 0);
		bench_wait(b, 320000);
		bench_expect(b, "");
		assert_int_equal(bench_info(b, 1).state, LINK_OPEN);
	}
	/* unanswered ones are repeated, but not for ever */
	script_answer(b->script, "AT+CIPOPEN?", "", 0);
	script_forget_heard(b->script);
	bench_wait(b, 300000);
	assert_int_equal(script_heard(b->script, "AT+CIPOPEN?"), 3);
}

/* A link that changes while the table is on its way is not judged by it. */
static void table_is_older_than_a_change(void **state)
{
	struct bench *b = *state;
	char late[700];

	bench_opened(b);
	/* the result of an open stands before the table that lacks it */
	snprintf(late, sizeof(late), "\r\n+CIPOPEN: 8,0\r\n%s",
		 empty_table());
	/* the first link is in it */
	memcpy(strstr(late, "+CIPOPEN: 9"), "+CIPOPEN: 9,\"TCP\",\"h\",80,-1"
	       "\r\n\r\nOK\r\n", sizeof("+CIPOPEN: 9,\"TCP\",\"h\",80,-1"
	       "\r\n\r\nOK\r\n"));
	script_answer(b->script, "AT+CIPOPEN?", late, 1);
	script_answer(b->script, "AT+CIPOPEN=8", "\r\nOK\r\n", 1);
	bench_wait(b, 299000);
	assert_int_equal(bench_open(b), 2);
	bench_wait(b, 900);
	bench_expect(b, "");
	bench_wait(b, 300);
	assert_non_null(strstr(b->log, "opened(2) "));
	assert_null(strstr(b->log, "closed(2/"));
	assert_int_equal(bench_info(b, 2).state, LINK_OPEN);
}

/* Each of these is followed by a look at the table. */
static void audit_follows_a_fault(void **state)
{
	static const struct { const char *what, *says; } faults[] = {
		{ "AT+CDNSGIP", "" },			/* no answer */
		{ "AT+CDNSGIP", "\r\n+CIPRXGET: 2,1,9999,0\r\n" },
		{ "AT+CDNSGIP", "\r\nERROR\r\nERROR\r\n" },	/* stray */
	};
	struct bench *b = *state;
	uint32_t query;
	size_t i;

	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		script_forget_heard(b->script);
		script_answer(b->script, faults[i].what, faults[i].says, 1);
		assert_int_equal(modem_resolve(b->m, "host", DRIVER_ANY,
					       &query), 0);
		bench_wait(b, 30000);
		assert_int_equal(script_heard(b->script, "AT+CIPOPEN?"), 1);
		bench_wait(b, 120000);	/* names are forgotten */
		bench_forget(b);
	}
	/* an open without a result */
	script_forget_heard(b->script);
	script_answer(b->script, "AT+CIPOPEN=", "\r\nOK\r\n", 1);
	assert_true(bench_open(b) > 0);
	bench_wait(b, 40000);
	assert_int_equal(script_heard(b->script, "AT+CIPOPEN?"), 1);
}

/* All of them gone at once: perhaps it is the network. */
static void all_vanished_asks_for_the_network(void **state)
{
	struct bench *b = *state;

	bench_opened(b);
	bench_opened(b);
	script_close_slot(b->script, FIRST);
	script_close_slot(b->script, FIRST - 1);
	script_set(b->script)->net_open = false;
	bench_wait(b, 310000);
	assert_int_equal(bench_status(b).losses, 1);
	expect_open(b);
	assert_int_equal(bench_status(b).slots_used, 0);
}

/* ------------------------------------------------------------------- check */

static void check_harms_no_link(void **state)
{
	struct bench *b = *state;

	bench_opened(b);
	bench_forget(b);
	modem_check(b->m, "a raw command");
	assert_int_equal(bench_send(b, 1, "x", 1), 0);
	bench_wait(b, 1000);
	bench_expect(b, "sent(1/1,1) ");
	assert_string_equal(b->states, "ready ");
	assert_string_equal(b->networks, "");
	assert_int_equal(script_heard(b->script, "ATE0"), 1);
	assert_int_equal(script_heard(b->script, "AT+CIPRXGET=1"), 1);
	assert_int_equal(script_heard(b->script, "AT+NETOPEN?"), 1);
	assert_int_equal(script_heard(b->script, "AT+NETOPEN"), 1);
	assert_int_equal(script_heard(b->script, "AT+CIPOPEN?"), 1);
	assert_int_equal(script_heard(b->script, "AT+CGDCONT="), 0);
}

static void check_finds_a_closed_network(void **state)
{
	struct bench *b = *state;

	bench_opened(b);
	bench_forget(b);
	script_set(b->script)->net_open = false;
	modem_check(b->m, "a raw command");
	bench_wait(b, 3000);
	bench_expect(b, "closed(1/1,ENETRESET,network-lost,0/0/0) ");
	assert_string_equal(b->networks, "lost open ");
	expect_open(b);
}

/* What came in the middle of one is asked for by another. */
static void check_while_checking(void **state)
{
	struct bench *b = *state;

	bench_opened(b);
	modem_check(b->m, "one");
	bench_wait(b, 20);
	modem_check(b->m, "two");
	bench_wait(b, 3000);
	assert_int_equal(script_heard(b->script, "ATE0"), 2);
	assert_int_equal(bench_info(b, 1).state, LINK_OPEN);
	expect_open(b);
}

/* No answer is no proof, but three times none is no network. */
static void check_without_an_answer(void **state)
{
	struct bench *b = *state;

	bench_opened(b);
	script_answer(b->script, "AT+NETOPEN?", "\r\nOK\r\n", 2);
	modem_check(b->m, "a raw command");
	bench_wait(b, 5000);
	bench_expect(b, "");
	assert_int_equal(script_heard(b->script, "ATE0"), 3);
	expect_open(b);
	script_answer(b->script, "AT+NETOPEN?", "\r\nOK\r\n", 3);
	modem_check(b->m, "a raw command");
	bench_wait(b, 5000);
	bench_expect(b, "closed(1/1,ENETRESET,network-lost,0/0/0) ");
	expect_open(b);
}

/* The network goes in the middle of it: that is dealt with, once. */
static void check_crosses_a_loss(void **state)
{
	struct bench *b = *state;

	bench_opened(b);
	modem_check(b->m, "a raw command");
	bench_wait(b, 20);
	script_set(b->script)->net_open = false;
	script_say(b->script, "\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n");
	bench_wait(b, 5000);
	bench_expect(b, "closed(1/1,ENETRESET,network-lost,0/0/0) ");
	expect_open(b);
	assert_int_equal(bench_status(b).losses, 1);
}

static void check_on_the_way_up(void **state)
{
	struct bench *b = *state;

	script_set(b->script)->sim = "SIM PUK";
	bench_start(b);
	bench_wait(b, 3000);
	bench_expect_state(b, MODEM_SIM, "PUK");
	script_forget_heard(b->script);
	modem_check(b->m, "a raw command");
	bench_wait(b, 100);
	assert_int_equal(script_heard(b->script, "ATE0"), 1);
}

/* --------------------------------------------------------------------- why */

static void steps_when_all_is_well(void **state)
{
	struct bench *b = *state;
	struct modem_step steps[MODEM_STEPS];
	unsigned int i;

	script_answer(b->script, "AT+CPSI?", "\r\n+CPSI: LTE,Online,460-00,"
		      "0x1816,27593483,139,EUTRAN-BAND39,38400,5,5,-88,-868,"
		      "-578,18\r\n\r\nOK\r\n", 0);
	bench_start(b);
	bench_wait(b, 3000);
	assert_int_equal(modem_get_steps(b->m, steps), MODEM_STEPS);
	for (i = 0; i < MODEM_STEPS; i++) {
		assert_string_equal(steps[i].state, "ok");
		assert_true(steps[i].text[0]);
		assert_false(steps[i].will_try);
		assert_true(steps[i].since_mono_ms > 0);
	}
	expect_step(b, "line", "ok", "115200 baud");
	expect_step(b, "registration", "ok", "home) in Tele, 2, signal -63 "
		    "dBm, LTE, EUTRAN-BAND39");
	expect_step(b, "network", "ok", "10.148.0.17");
	expect_step(b, "service", "ok", "never lost");
	script_say(b->script, "\r\n+CIPEVENT:NETWORK CLOSED UNEXPECTEDLY\r\n");
	bench_wait(b, 9000);
	expect_step(b, "service", "ok", "lost 1 time, 8 s ago (+CIPEVENT");
}

static void steps_of_each_failure(void **state)
{
	struct bench *b = *state;
	int64_t since;

	script_set(b->script)->mute = true;
	bench_start(b);
	bench_wait(b, 100);
	expect_step(b, "device", "ok", "/dev/fake");
	expect_step(b, "line", "waiting", "asking");
	bench_wait(b, 20000);
	expect_step(b, "line", "failed", "is it powered");
	expect_step(b, "modem", "unknown", "");
	while (!step_of(b, "line").will_try)
		bench_wait(b, 100);
	assert_true(strlen(step_of(b, "line").next) > 0);
	since = step_of(b, "line").since_mono_ms;
	bench_wait(b, 20000);
	assert_int_equal(step_of(b, "line").since_mono_ms, since);

	script_set(b->script)->mute = false;
	script_set(b->script)->sim = "SIM PIN";
	bench_wait(b, 90000);
	expect_step(b, "sim", "failed", "pin-file");
	expect_step(b, "modem", "ok", "A7670E-FASE");

	script_set(b->script)->sim = "READY";
	script_set(b->script)->reg = 2;
	bench_wait(b, 70000);
	expect_step(b, "registration", "waiting", "searching");
	expect_step(b, "registration", "waiting", "signal -63 dBm");
	expect_step(b, "sim", "ok", "ICCID");
	script_set(b->script)->reg = 3;
	bench_wait(b, 90000);
	expect_step(b, "registration", "failed", "refused");

	script_set(b->script)->reg = 1;
	fail_netopen(b);
	bench_wait(b, 70000);
	expect_step(b, "registration", "ok", "home");
	expect_step(b, "network", "failed", "+NETOPEN: 1");
	assert_true(strlen(step_of(b, "network").next) > 0);
	since = step_of(b, "network").since_mono_ms;
	bench_wait(b, 130000);		/* of one or two tries more */
	expect_step(b, "network", "failed", "times in a row");
	assert_int_equal(step_of(b, "network").since_mono_ms, since);
	assert_true(step_of(b, "registration").since_mono_ms <= since);
}

static void step_of_a_refused_context(void **state)
{
	struct bench *b = *state;

	script_answer(b->script, "AT+CGDCONT=", "\r\nERROR\r\n", 0);
	bench_start(b);
	bench_wait(b, 3000);
	expect_step(b, "context", "failed", "apn, cid, pdp-type");
	expect_step(b, "registration", "unknown", "");
}

/* ------------------------------------------------------------ other mending */

/* +CIPERROR: 8 is no reason to end a link. */
static void busy_send_is_repeated(void **state)
{
	struct bench *b = *state;
	unsigned int tables;

	bench_opened(b);
	tables = script_heard(b->script, "AT+CIPOPEN?");
	script_answer(b->script, "AT+CIPSEND", "\r\n+CIPERROR: 8\r\n\r\n"
		      "ERROR\r\n", 3);
	assert_int_equal(bench_send(b, 1, "hello", 5), 0);
	bench_wait(b, 1000);
	bench_expect(b, "");
	bench_wait(b, 2000);
	bench_expect(b, "sent(1/1,5) ");
	assert_int_equal(script_heard(b->script, "AT+CIPSEND"), 4);
	bench_expect_sent(b, FIRST, "hello", 5);
	/* nor of the line's: nothing is looked into */
	assert_int_equal(bench_status(b).line->resyncs, 0);
	assert_int_equal(script_heard(b->script, "AT+CIPOPEN?"), tables);
	/* but not for ever */
	script_answer(b->script, "AT+CIPSEND", "\r\n+CIPERROR: 8\r\n\r\n"
		      "ERROR\r\n", 0);
	assert_int_equal(bench_send(b, 1, "hello", 5), 0);
	bench_wait(b, 19000);
	bench_expect(b, "");
	bench_wait(b, 3000);
	bench_expect(b, "closed(1/1,ETIMEDOUT,send-timeout,10/5/0) ");
}

/* What the peer has sent before is not lost with our own bytes. */
static void failed_send_reads_first(void **state)
{
	struct bench *b = *state;

	bench_opened(b);
	script_peer_sends_unheard(b->script, FIRST, "why I go", 8);
	script_answer(b->script, "AT+CIPSEND", "\r\n+CIPERROR: 4\r\n\r\n"
		      "ERROR\r\n", 1);
	assert_int_equal(bench_send(b, 1, "hello", 5), 0);
	bench_wait(b, 1000);
	bench_expect(b, "data(1,8) "
		     "closed(1/1,ECONNABORTED,send-failed,5/0/8) ");
	bench_expect_got(b, 1, "why I go", 8);
	assert_int_equal(bench_status(b).slots_used, 0);
}

/* What the modem was fed to end the send was not ours, nor is the answer. */
static void unanswered_send_reads_nothing(void **state)
{
	struct bench *b = *state;

	bench_opened(b);
	script_peer_sends_unheard(b->script, FIRST, "what?", 5);
	script_answer(b->script, "AT+CIPSEND", "", 1);
	assert_int_equal(bench_send(b, 1, "hello", 5), 0);
	bench_wait(b, 20000);
	bench_expect(b, "closed(1/1,ETIMEDOUT,send-timeout,5/0/0) ");
	assert_int_equal(bench_status(b).slots_used, 0);
}

/* Nobody reads it: then it ends at once. */
static void failed_send_without_credit(void **state)
{
	struct link_args args = { .host = "h", .port = 1, .has_credit = true };
	struct bench *b = *state;

	assert_int_equal(bench_open_args(b, &args), 1);
	bench_wait(b, 100);
	bench_forget(b);
	script_peer_sends(b->script, FIRST, "why I go", 8);
	script_answer(b->script, "AT+CIPSEND", "\r\n+CIPERROR: 4\r\n\r\n"
		      "ERROR\r\n", 1);
	assert_int_equal(bench_send(b, 1, "hello", 5), 0);
	bench_wait(b, 1000);
	bench_expect(b, "closed(1/1,ECONNABORTED,send-failed,5/0/0) ");
}

static void pull_that_is_always_refused(void **state)
{
	struct bench *b = *state;

	bench_opened(b);
	script_answer(b->script, "AT+CIPRXGET=2", "\r\nERROR\r\n", 0);
	script_peer_sends(b->script, FIRST, "x", 1);
	bench_wait(b, 5000);
	bench_expect(b, "");
	bench_wait(b, 20000);
	bench_expect(b, "closed(1/1,ECONNABORTED,pull-failed,0/0/0) ");
	assert_int_equal(script_heard(b->script, "AT+CIPOPEN?"), 1);
	assert_int_equal(script_heard(b->script, "AT+CIPRXGET=2"), 3);
	assert_int_equal(bench_status(b).slots_used, 0);
}

/* CIPDNSSET bounds a look-up, so a modem that hangs in one is found soon. */
static void hang_in_a_name(void **state)
{
	struct bench *b = *state;
	uint32_t query;

	bench_opened(b);
	script_set(b->script)->mute = true;
	assert_int_equal(modem_resolve(b->m, "host", DRIVER_ANY,
					       &query), 0);
	bench_wait(b, 11000);
	assert_non_null(strstr(b->log, "closed(1/1,ENODEV,modem-gone,"));
}

static void draining_is_shown(void **state)
{
	struct link_args args = { .host = "h", .port = 1, .has_credit = true };
	struct bench *b = *state;

	assert_int_equal(bench_open_args(b, &args), 1);
	bench_wait(b, 100);
	assert_false(bench_info(b, 1).draining);
	script_peer_sends(b->script, FIRST, "x", 1);
	script_peer_closes(b->script, FIRST);
	bench_wait(b, 1000);
	assert_true(bench_info(b, 1).draining);
}

/* ----------------------------------------------------------------- spelling */

static void ends_in_every_spelling(void **state)
{
	static const struct { const char *says, *want; } cases[] = {
		{ "+IPCLOSE: @,0", "closed(%d/1,ECONNABORTED,modem-closed,0/0/4) " },
		{ "+IPCLOSE:@,1", "closed(%d/1,EPIPE,peer,0/0/4) " },
		{ "+IPCLOSE @,1", "closed(%d/1,EPIPE,peer,0/0/4) " },
		{ "+IPCLOSE: @, 2", "closed(%d/1,ETIMEDOUT,send-timeout,0/0/4) " },
		{ "+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY",
		  "closed(%d/1,ENETRESET,network-lost,0/0/0) " },
		{ "+CIPEVENT:NETWORK CLOSED UNEXPECTEDLY",
		  "closed(%d/1,ENETRESET,network-lost,0/0/0) " },
		{ "+CIPEVENT NETWORK CLOSED UNEXPECTEDLY",
		  "closed(%d/1,ENETRESET,network-lost,0/0/0) " },
	};
	struct bench *b = *state;
	char says[64], *at;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t id = bench_opened(b);
		unsigned int slot = (unsigned int)bench_info(b, id).slot;

		snprintf(says, sizeof(says), "\r\n%s\r\n", cases[i].says);
		for (at = says; (at = strchr(at, '@'));)
			*at = (char)('0' + slot);
		script_peer_sends_unheard(b->script, slot, "last", 4);
		script_say(b->script, "%s", says);
		bench_wait(b, 5000);
		snprintf(says, sizeof(says), "(%d/1,", (int)id);
		if (!strstr(b->log, says))
			fail_msg("%s: <%s>", cases[i].says, b->log);
		assert_true((strstr(b->log, "data(") != NULL) == (i < 4));
		assert_non_null(strstr(b->log, strchr(cases[i].want, ',')));
		bench_forget(b);
		bench_wait(b, 5000);
	}
}

/* A7600 manual 2.3: a number of the table, and nothing else. */
static void open_refused_without_a_final_line(void **state)
{
	struct bench *b = *state;

	script_answer(b->script, "AT+CIPOPEN=", "\r\n+CIPOPEN: 9,4\r\n", 1);
	assert_int_equal(bench_open(b), 1);
	bench_wait(b, 8000);
	bench_expect(b, "opened(1,EREMOTEIO,open-failed) ");
	assert_int_equal(bench_status(b).slots_used, 0);
	expect_open(b);
}

#define T(f) cmocka_unit_test_setup_teardown(f, bench_set_up, bench_tear_down)
#define O(f) cmocka_unit_test_setup_teardown(f, bench_set_up_open, \
					     bench_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		O(down_closes_links_politely),
		O(down_and_who_waits),
		O(down_while_opening),
		O(down_before_an_open),
		O(down_in_spite_of_a_lost_close),
		O(down_in_spite_of_a_flood),
		O(down_and_the_modem_hangs),
		O(down_survives_a_restart),
		O(down_in_other_words),
		O(up_and_down_in_quick_turn),
		T(down_before_it_was_open),
		T(down_while_netopen_runs),
		O(reset_by_command),
		O(reset_banner_first),
		O(reset_without_banner),
		O(reset_refused),
		T(ladder_deletes_contexts),
		T(ladder_restarts),
		T(ladder_waits_after_a_loss),
		T(radio_is_switched_on),
		O(vanished_links_are_lost),
		O(vanished_link_is_drained),
		O(garbled_table_kills_nothing),
		O(table_is_older_than_a_change),
		O(audit_follows_a_fault),
		O(all_vanished_asks_for_the_network),
		O(check_harms_no_link),
		O(check_finds_a_closed_network),
		O(check_while_checking),
		O(check_without_an_answer),
		O(check_crosses_a_loss),
		T(check_on_the_way_up),
		T(steps_when_all_is_well),
		T(steps_of_each_failure),
		T(step_of_a_refused_context),
		O(busy_send_is_repeated),
		O(failed_send_reads_first),
		O(unanswered_send_reads_nothing),
		O(failed_send_without_credit),
		O(pull_that_is_always_refused),
		O(hang_in_a_name),
		O(draining_is_shown),
		O(ends_in_every_spelling),
		O(open_refused_without_a_final_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
