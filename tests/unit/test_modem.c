/* SPDX-License-Identifier: MIT */

/*
 * From power to an open network, and back there after every fault: each
 * failure is a state with a reason and a next try, and heals.
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
#include <sys/stat.h>
#include <unistd.h>

#include "at/channel.h"
#include "driver/driver.h"
#include "fake_port.h"
#include "fake_timer.h"
#include "modem_bench.h"

static void expect_open(struct bench *b)
{
	bench_expect_state(b, MODEM_READY, NULL);
	assert_int_equal(bench_status(b).network, NETWORK_OPEN);
	assert_string_equal(bench_status(b).reason, "");
	assert_false(bench_status(b).will_try);
}

/* Within a round of tries: it waits, says why, and when it tries again. */
static void expect_wait(struct bench *b, enum modem_state state,
			const char *in_reason)
{
	struct modem_status st = bench_status(b);
	int i;

	for (i = 0; i < 6000 && !(st.will_try && st.next_try_ms > 0 &&
	     st.state == state); i++) {
		bench_wait(b, 10);
		st = bench_status(b);
	}
	bench_expect_state(b, state, in_reason);
	assert_true(st.will_try);
	assert_true(st.network != NETWORK_OPEN);
}

/* ---------------------------------------------------------------- bring-up */

static void brings_up(void **state)
{
	struct bench *b = *state;
	struct modem_status st;

	bench_start(b);
	bench_wait(b, 3000);
	expect_open(b);
	assert_string_equal(b->states, "starting sim registering ready ");
	assert_string_equal(b->networks, "opening open ");
	st = bench_status(b);
	assert_string_equal(st.info->manufacturer, "SIMCOM INCORPORATED");
	assert_string_equal(st.info->model, "A7670E-FASE");
	assert_string_equal(st.info->revision, "A011B07A7670M7");
	assert_string_equal(st.info->imei, "861234567890123");
	assert_string_equal(st.info->iccid, "8949000012345678901");
	assert_string_equal(st.info->sim, "ready");
	assert_string_equal(st.info->registration, "home");
	assert_string_equal(st.info->operator_name, "Tele, 2");
	assert_string_equal(st.info->address, "10.148.0.17");
	assert_int_equal(st.info->signal_dbm, -63);
	assert_int_equal(st.slots_used, 0);
	assert_int_equal(st.slots_total, 10);
	assert_int_equal(st.losses, 0);
	assert_int_equal(st.restarts, 0);
	assert_int_equal(script_heard(b->script,
				      "AT+CGDCONT=1,\"IP\",\"internet\""), 1);
	assert_int_equal(script_heard(b->script, "AT+CIPRXGET=1"), 1);
	assert_int_equal(script_heard(b->script, "AT+NETOPEN"), 2);
	assert_int_equal(script_heard(b->script, "AT+CPIN="), 0);
	assert_false(script_set(b->script)->echo);
}

/* House 4: an idle daemon wakes nobody. */
static void idle_is_idle(void **state)
{
	struct bench *b = *state;
	uint64_t runs;

	bench_wait(b, 1000);
	assert_int_equal(fake_timers_pending(b->ts), 0);
	runs = fake_timers_runs(b->ts);
	bench_wait(b, 86400000);
	assert_int_equal(fake_timers_runs(b->ts), runs);
	assert_int_equal(script_heard(b->script, ""), 0);
	/* and again after a link has come and gone */
	assert_int_equal(modem_link_close(b->m, bench_opened(b), false,
					  "local"), 0);
	bench_wait(b, 1000);
	assert_int_equal(fake_timers_pending(b->ts), 0);
}

static void probe_is_one_line_each_time(void **state)
{
	struct bench *b = *state;

	b->cfg.recovery.probe_ms = 60000;
	bench_start(b);
	bench_wait(b, 3000);
	script_forget_heard(b->script);
	bench_wait(b, 600000);
	assert_in_range(script_heard(b->script, ""), 9, 10);
	assert_in_range(script_heard(b->script, "AT+CSQ"), 9, 10);
	/* a silent modem is found by it */
	script_set(b->script)->mute = true;
	bench_wait(b, 60000 + 10000);
	assert_int_equal(bench_status(b).network, NETWORK_LOST);
}

/* Probes that cannot go out while the network is lost do not pile up. */
static void probes_do_not_pile_up(void **state)
{
	struct bench *b = *state;
	uint32_t query;

	b->cfg.recovery.probe_ms = 1000;
	b->cfg.recovery.backoff_min_ms = 300000;
	b->cfg.recovery.backoff_max_ms = 300000;
	bench_start(b);
	bench_wait(b, 3000);
	script_answer(b->script, "AT+NETOPEN", "\r\nERROR\r\n", 0);
	script_set(b->script)->net_open = false;
	script_say(b->script, "\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n");
	bench_wait(b, 290000);
	script_answer(b->script, "AT+NETOPEN", "*", 0);
	script_forget_heard(b->script);
	bench_wait(b, 20000);
	modem_try_now(b->m);
	bench_wait(b, 3000);
	expect_open(b);
	assert_int_equal(modem_resolve(b->m, "x", DRIVER_ANY, &query), 0);
	assert_in_range(script_heard(b->script, "AT+CSQ"), 0, 30);
}

static void no_device(void **state)
{
	struct bench *b = *state;
	unsigned int opens;

	/* the port is made by modem_new(): fail it from the first open on */
	bench_start(b);
	fake_port_lose(b->world.port, -EIO);
	bench_expect_state(b, MODEM_NO_DEVICE, "went away");
	fake_port_fail_open(b->world.port, -ENOENT, "no device /dev/fake");
	bench_wait(b, 2000);
	expect_wait(b, MODEM_NO_DEVICE, "no device /dev/fake");
	opens = fake_port_opens(b->world.port);
	bench_wait(b, 60000);
	assert_in_range(fake_port_opens(b->world.port) - opens, 55, 65);
	fake_port_fail_open(b->world.port, 0, "");
	bench_wait(b, 4000);
	expect_open(b);
}

static void port_busy(void **state)
{
	static const struct { int err; enum modem_state state; } cases[] = {
		{ -EBUSY, MODEM_PORT_BUSY },
		{ -EACCES, MODEM_NO_DEVICE },
		{ -ENOTTY, MODEM_NO_DEVICE },
	};
	struct bench *b = *state;
	unsigned int opens;
	size_t i;

	bench_start(b);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_port_fail_open(b->world.port, cases[i].err, "held by 77");
		fake_port_lose(b->world.port, -EIO);
		bench_wait(b, 1000);
		expect_wait(b, cases[i].state, "held by 77");
		opens = fake_port_opens(b->world.port);
		bench_wait(b, 600000);
		/* backs off to a minute */
		assert_in_range(fake_port_opens(b->world.port) - opens, 10, 40);
		fake_port_fail_open(b->world.port, 0, "");
		bench_wait(b, 65000);
		expect_open(b);
	}
}

/* B10: a modem at another rate is found within 15 s, and remembered. */
static void other_rates(void **state)
{
	static const unsigned int rates[] = { 115200, 9600, 921600, 460800 };
	struct bench *b = *state;
	size_t i;

	b->cfg.modem.target_baud = 460800;
	for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		script_set(b->script)->baud = rates[i];
		/* it keeps its rate, whatever it is told */
		script_answer(b->script, "AT+IPR", "\r\nERROR\r\n", 0);
		unlink(b->path);
		if (i == 0)
			bench_start(b);
		else
			bench_restart(b);
		bench_wait(b, 15000);
		expect_open(b);
		assert_int_equal(port_baud(b->world.port), rates[i]);
		bench_restart(b);
		bench_wait(b, 5000);
		expect_open(b);
	}
}

static void raises_its_rate(void **state)
{
	struct bench *b = *state;

	b->cfg.modem.target_baud = 460800;
	script_set(b->script)->baud = 115200;
	script_answer(b->script, "AT+IPR=460800", "\r\nOK\r\n", 1);
	bench_start(b);
	bench_wait(b, 20);
	/* after the OK it is there, as V.250 says */
	while (!script_heard(b->script, "AT+IPR=460800"))
		bench_wait(b, 1);
	bench_wait(b, 5);
	script_set(b->script)->baud = 460800;
	bench_wait(b, 5000);
	expect_open(b);
	assert_int_equal(port_baud(b->world.port), 460800);
}

static void rate_that_does_not_work(void **state)
{
	struct bench *b = *state;

	b->cfg.modem.target_baud = 460800;
	script_set(b->script)->baud = 115200;
	script_answer(b->script, "AT+IPR", "\r\nOK\r\n", 0);
	bench_start(b);
	bench_wait(b, 15000);
	expect_open(b);
	assert_int_equal(port_baud(b->world.port), 115200);
	assert_int_equal(script_heard(b->script, "AT+IPR"), 1);
}

static void no_answer(void **state)
{
	struct bench *b = *state;

	script_set(b->script)->mute = true;
	bench_start(b);
	bench_wait(b, 15000);
	expect_wait(b, MODEM_SILENT, "is it powered");
	bench_wait(b, 3600000);
	expect_wait(b, MODEM_SILENT, "is it powered");
	script_set(b->script)->mute = false;
	modem_try_now(b->m);		/* SIGHUP */
	bench_wait(b, 4000);
	expect_open(b);
}

/* Q20, Q21: it needs half a minute, and says nothing when it has come. */
static void slow_start(void **state)
{
	struct bench *b = *state;

	script_set(b->script)->mute = true;
	bench_start(b);
	bench_wait(b, 30000);
	script_set(b->script)->mute = false;
	bench_wait(b, 70000);
	expect_open(b);
}

/* A banner of a modem that was silent: no need to wait any longer. */
static void banner_wakes(void **state)
{
	struct bench *b = *state;

	script_set(b->script)->mute = true;
	bench_start(b);
	bench_wait(b, 200000);
	expect_wait(b, MODEM_SILENT, "");
	script_set(b->script)->mute = false;
	script_reboot(b->script, "\r\n*ATREADY: 1\r\n");
	bench_wait(b, 4000);
	expect_open(b);
}

/* ---------------------------------------------------------------------- SIM */

/* Q23 */
static void sim_busy_then_ready(void **state)
{
	static const char *const answers[] = {
		"\r\n+CME ERROR: SIM busy\r\n", "\r\n+CME ERROR: 13\r\n",
		"\r\n+CME ERROR: SIM failure\r\n", "\r\nERROR\r\n",
	};
	struct bench *b = *state;
	size_t i;

	bench_start(b);
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		script_answer(b->script, "AT+CPIN?", answers[i], 0);
		bench_restart(b);
		bench_wait(b, 10000);
		bench_expect_state(b, MODEM_SIM, NULL);
		assert_string_equal(bench_status(b).info->sim, "busy");
		script_answer(b->script, "AT+CPIN?", "*", 0);
		script_say(b->script, "\r\n+CPIN: READY\r\n");
		bench_wait(b, 2000);
		expect_open(b);
	}
}

static void sim_busy_for_long(void **state)
{
	struct bench *b = *state;

	script_answer(b->script, "AT+CPIN?", "\r\n+CME ERROR: SIM busy\r\n", 0);
	bench_start(b);
	bench_wait(b, 33000);
	expect_wait(b, MODEM_SIM, "SIM busy");
	bench_wait(b, 600000);
	bench_expect_state(b, MODEM_SIM, "SIM busy");
	script_answer(b->script, "AT+CPIN?", "*", 0);
	bench_wait(b, 120000);
	expect_open(b);
}

static void no_sim(void **state)
{
	static const char *const answers[] = {
		"\r\n+CME ERROR: SIM not inserted\r\n",
		"\r\n+CME ERROR: 10\r\n",
	};
	struct bench *b = *state;
	size_t i;

	bench_start(b);
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		script_answer(b->script, "AT+CPIN?", answers[i], 0);
		bench_restart(b);
		bench_wait(b, 3000);
		expect_wait(b, MODEM_SIM, "no SIM");
		assert_string_equal(bench_status(b).info->sim, "absent");
		script_forget_heard(b->script);
		bench_wait(b, 600000);
		/* no storm (C9) */
		assert_in_range(script_heard(b->script, "AT+CPIN?"), 8, 25);
		script_answer(b->script, "AT+CPIN?", "*", 0);
		script_say(b->script, "\r\n+CPIN: READY\r\n");
		bench_wait(b, 3000);
		expect_open(b);
	}
}

static void puk(void **state)
{
	struct bench *b = *state;

	b->cfg.modem.pin = (char *)(uintptr_t)"1234";
	script_set(b->script)->sim = "SIM PUK";
	bench_start(b);
	bench_wait(b, 300000);
	expect_wait(b, MODEM_SIM, "PUK");
	assert_int_equal(script_set(b->script)->pin_tries, 0);
}

static void pin_wanted_and_none(void **state)
{
	struct bench *b = *state;

	script_set(b->script)->sim = "SIM PIN";
	bench_start(b);
	bench_wait(b, 3000);
	expect_wait(b, MODEM_SIM, "pin-file");
	assert_int_equal(script_set(b->script)->pin_tries, 0);
	b->cfg.modem.pin = (char *)(uintptr_t)"1234";	/* SIGHUP */
	modem_try_now(b->m);
	bench_wait(b, 3000);
	expect_open(b);
	assert_int_equal(script_set(b->script)->pin_tries, 1);
}

static void good_pin_each_start(void **state)
{
	struct bench *b = *state;
	unsigned int i;

	b->cfg.modem.pin = (char *)(uintptr_t)"1234";
	for (i = 1; i <= 5; i++) {
		script_set(b->script)->sim = "SIM PIN";
		if (i == 1)
			bench_start(b);
		else
			bench_restart(b);
		bench_wait(b, 3000);
		expect_open(b);
		assert_int_equal(script_set(b->script)->pin_tries, i);
	}
}

/* C9: once ever, whatever is restarted. */
static void wrong_pin_once(void **state)
{
	struct bench *b = *state;
	int i;

	b->cfg.modem.pin = (char *)(uintptr_t)"9999";
	script_set(b->script)->sim = "SIM PIN";
	bench_start(b);
	bench_wait(b, 3000);
	expect_wait(b, MODEM_SIM, "not tried again");
	for (i = 0; i < 5; i++) {
		bench_wait(b, 600000);
		expect_wait(b, MODEM_SIM, "pin-file");
		script_reboot(b->script, "\r\nRDY\r\n");
		bench_wait(b, 10000);
		bench_restart(b);
		bench_wait(b, 10000);
		modem_try_now(b->m);
	}
	assert_int_equal(script_set(b->script)->pin_tries, 1);
	/* a corrected one is another PIN */
	b->cfg.modem.pin = (char *)(uintptr_t)"1234";
	bench_restart(b);
	bench_wait(b, 5000);
	expect_open(b);
	assert_int_equal(script_set(b->script)->pin_tries, 2);
}

/* Whatever the modem says of the SIM's number, and whenever. */
static void wrong_pin_once_without_iccid(void **state)
{
	struct bench *b = *state;
	int i;

	b->cfg.modem.pin = (char *)(uintptr_t)"9999";
	script_set(b->script)->sim = "SIM PIN";
	script_answer(b->script, "AT+CICCID", "\r\nERROR\r\n", 0);
	bench_start(b);
	bench_wait(b, 60000);
	assert_in_range(script_set(b->script)->pin_tries, 0, 1);
	for (i = 0; i < 4; i++) {
		script_answer(b->script, "AT+CICCID", i % 2 ?
			      "\r\nERROR\r\n" : "*", 0);
		bench_restart(b);
		bench_wait(b, 60000);
	}
	assert_in_range(script_set(b->script)->pin_tries, 0, 1);
}

static void known_then_unknown_sim(void **state)
{
	struct bench *b = *state;

	b->cfg.modem.pin = (char *)(uintptr_t)"9999";
	script_set(b->script)->sim = "SIM PIN";
	bench_start(b);
	bench_wait(b, 60000);
	assert_int_equal(script_set(b->script)->pin_tries, 1);
	script_answer(b->script, "AT+CICCID", "\r\nERROR\r\n", 0);
	bench_restart(b);
	bench_wait(b, 60000);
	assert_int_equal(script_set(b->script)->pin_tries, 1);
}

/* The outcome is unknown: the answer never came, or the power went. */
static void pin_without_an_answer(void **state)
{
	struct bench *b = *state;

	b->cfg.modem.pin = (char *)(uintptr_t)"1234";
	script_set(b->script)->sim = "SIM PIN";
	script_answer(b->script, "AT+CPIN=", "", 0);
	bench_start(b);
	bench_wait(b, 60000);
	bench_restart(b);
	bench_wait(b, 60000);
	bench_expect_state(b, MODEM_SIM, "tried");
	assert_int_equal(script_heard(b->script, "AT+CPIN=\"1234\""), 1);
}

static void pin_needs_the_state_file(void **state)
{
	struct bench *b = *state;

	b->cfg.modem.pin = (char *)(uintptr_t)"1234";
	script_set(b->script)->sim = "SIM PIN";
	bench_start(b);
	/* as if on a medium that fails: also for root */
	unlink(b->path);
	assert_int_equal(rmdir(b->dir), 0);
	bench_wait(b, 300000);
	expect_wait(b, MODEM_SIM, "state file");
	assert_int_equal(script_set(b->script)->pin_tries, 0);
	assert_int_equal(mkdir(b->dir, 0700), 0);
	bench_wait(b, 65000);
	expect_open(b);
	assert_int_equal(script_set(b->script)->pin_tries, 1);
}

/* ------------------------------------------------------------- registration */

static void registration_states(void **state)
{
	static const struct {
		unsigned int reg;
		const char *word;
		const char *in_reason;
	} cases[] = {
		{ 0, "none", "not registered" },
		{ 2, "searching", "searching" },
		{ 3, "denied", "refused the registration" },
		{ 4, "none", "not registered" },
		{ 9, "none", "not registered" },
	};
	struct bench *b = *state;
	size_t i;

	bench_start(b);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		script_set(b->script)->reg = cases[i].reg;
		bench_restart(b);
		bench_wait(b, 70000);
		bench_expect_state(b, MODEM_REGISTERING, cases[i].in_reason);
		assert_string_equal(bench_status(b).info->registration,
				    cases[i].word);
		script_forget_heard(b->script);
		bench_wait(b, 600000);
		assert_in_range(script_heard(b->script, "AT+CEREG?"), 8, 125);
		/* told unasked: at once (house: hopeful) */
		script_set(b->script)->reg = 1;
		script_say(b->script, "\r\n+CEREG: 1\r\n");
		bench_wait(b, 1500);
		expect_open(b);
	}
}

static void roaming(void **state)
{
	struct bench *b = *state;

	b->cfg.modem.allow_roaming = false;
	script_set(b->script)->reg = 5;
	bench_start(b);
	bench_wait(b, 3000);
	expect_wait(b, MODEM_REGISTERING, "allow-roaming");
	b->cfg.modem.allow_roaming = true;
	modem_try_now(b->m);
	bench_wait(b, 3000);
	expect_open(b);
	assert_string_equal(bench_status(b).info->registration, "roaming");
}

static void registered_by_gprs_alone(void **state)
{
	struct bench *b = *state;

	script_set(b->script)->reg = 0;
	script_answer(b->script, "AT+CEREG", "\r\nERROR\r\n", 0);
	script_answer(b->script, "AT+CGREG?",
		      "\r\n+CGREG: 2,1,\"1816\",\"0273\",7\r\n\r\nOK\r\n", 0);
	bench_start(b);
	bench_wait(b, 3000);
	expect_open(b);
}

static void credentials_and_operator(void **state)
{
	struct bench *b = *state;

	b->cfg.modem.apn = (char *)(uintptr_t)"m2m.example";
	b->cfg.modem.apn_user = (char *)(uintptr_t)"u";
	b->cfg.modem.apn_password = (char *)(uintptr_t)"secret";
	b->cfg.modem.apn_auth = CONFIG_AUTH_CHAP;
	b->cfg.modem.operator = (char *)(uintptr_t)"26201";
	script_answer(b->script, "AT+CGAUTH", "\r\nOK\r\n", 0);
	script_answer(b->script, "AT+COPS=", "\r\nOK\r\n", 0);
	bench_start(b);
	bench_wait(b, 3000);
	expect_open(b);
	assert_int_equal(script_heard(b->script,
			 "AT+CGAUTH=1,2,\"u\",\"secret\""), 1);
	assert_int_equal(script_heard(b->script, "AT+COPS=1,2,\"26201\""), 1);
	script_answer(b->script, "AT+CGAUTH", "\r\nERROR\r\n", 0);
	bench_restart(b);
	bench_wait(b, 3000);
	expect_wait(b, MODEM_REGISTERING, "user or password");
}

/* ------------------------------------------------------------------ NETOPEN */

static void netopen_fails(void **state)
{
	static const struct { const char *answer, *in_reason; } cases[] = {
		{ "\r\nOK\r\n\r\n+NETOPEN: 1\r\n", "+NETOPEN: 1" },
		{ "\r\n+NETOPEN: 1\r\n\r\nOK\r\n", "+NETOPEN: 1" },
		{ "\r\nERROR\r\n", "ERROR" },			/* Q32 */
		{ "\r\n+IP ERROR: Operation failed\r\n\r\nERROR\r\n",
		  "Operation failed" },
		{ "\r\nOK\r\n", "no result" },
	};
	struct bench *b = *state;
	size_t i;

	bench_start(b);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		script_set(b->script)->net_open = false;
		script_answer(b->script, "AT+NETOPEN", cases[i].answer, 0);
		script_answer(b->script, "AT+NETOPEN?",
			      "\r\n+NETOPEN: 0\r\n\r\nOK\r\n", 0);
		bench_restart(b);
		bench_wait(b, 38000);
		expect_wait(b, MODEM_READY, cases[i].in_reason);
		bench_wait(b, 600000);
		script_answer(b->script, "AT+NETOPEN", "*", 0);
		script_answer(b->script, "AT+NETOPEN?", "*", 0);
		bench_wait(b, 110000);
		expect_open(b);
	}
}

static void netopen_in_other_words(void **state)
{
	static const char *const answers[] = {
		"\r\n+NETOPEN: 0\r\n\r\nOK\r\n",
		"\r\nOK\r\n\r\n+NETOPEN: 0,0\r\n",
		"\r\nOK\r\n+NETOPEN:0\r\n",
		"\r\n+IP ERROR: Network is already opened\r\n\r\nERROR\r\n",
	};
	struct bench *b = *state;
	size_t i;

	bench_start(b);
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		script_set(b->script)->net_open = true;	/* for IPADDR */
		script_answer(b->script, "AT+NETOPEN", answers[i], 0);
		script_answer(b->script, "AT+NETOPEN?",
			      "\r\n+NETOPEN: 0\r\n\r\nOK\r\n", 0);
		bench_restart(b);
		bench_wait(b, 3000);
		expect_open(b);
		assert_int_equal(bench_status(b).losses, 0);
	}
}

/* By an earlier run, and said with two fields. */
static void already_open(void **state)
{
	struct bench *b = *state;

	script_set(b->script)->net_open = true;
	script_answer(b->script, "AT+NETOPEN?",
		      "\r\n+NETOPEN: 1, 0\r\n\r\nOK\r\n", 0);
	bench_start(b);
	bench_wait(b, 3000);
	expect_open(b);
	assert_int_equal(script_heard(b->script, "AT+NETOPEN"), 1);
}

/* Q34: success, and no bearer. */
static void no_address(void **state)
{
	struct bench *b = *state;

	script_answer(b->script, "AT+IPADDR",
		      "\r\n+IP ERROR: Network not opened\r\n\r\nERROR\r\n", 0);
	bench_start(b);
	bench_wait(b, 3000);
	expect_wait(b, MODEM_READY, "no address");
	script_answer(b->script, "AT+IPADDR", "*", 0);
	bench_wait(b, 3000);
	expect_open(b);
	/* closed before it was opened anew */
	assert_true(script_heard(b->script, "AT+NETCLOSE") > 0);
}

/* ------------------------------------------------------------------- faults */

/* What was open when the daemon was killed belongs to nobody (F1). */
static void audit_closes_foreign_links(void **state)
{
	struct bench *b = *state;

	bench_opened(b);
	bench_opened(b);
	assert_int_equal(script_open_slots(b->script), 2);
	bench_restart(b);
	bench_wait(b, 5000);
	expect_open(b);
	assert_int_equal(script_open_slots(b->script), 0);
	assert_int_equal(script_heard(b->script, "AT+CIPCLOSE="), 2);
	bench_expect(b, "");
	assert_int_equal(bench_status(b).slots_used, 0);
}

static void send_bytes(struct bench *b, uint64_t link, size_t len)
{
	static uint8_t bytes[65536];

	bench_fill(bytes, len, 1);
	assert_int_equal(bench_send(b, link, bytes, len), 0);
}

/* C1, lesson 32: NETCLOSE only where NETOPEN? says that it is needed. */
static void network_lost(void **state)
{
	struct bench *b = *state;
	int still;

	for (still = 0; still <= 1; still++) {
		uint64_t a = bench_opened(b), c = bench_opened(b);
		char want[256];

		send_bytes(b, a, 100);
		script_peer_sends(b->script,
				  (unsigned int)bench_info(b, c).slot,
				  "hello", 5);
		bench_wait(b, 200);
		bench_forget(b);
		/* these will not be taken any more */
		script_answer(b->script, "AT+CIPSEND=", "", 1);
		send_bytes(b, a, 50);
		bench_wait(b, 1);
		script_set(b->script)->net_open = still;
		script_forget_heard(b->script);
		script_say(b->script,
			   "\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n");
		bench_wait(b, 10);
		snprintf(want, sizeof(want), "closed(%d/1,ENETRESET,"
			 "network-lost,150/100/0) closed(%d/1,ENETRESET,"
			 "network-lost,0/0/5) ", (int)a, (int)c);
		bench_expect(b, want);
		assert_int_equal(bench_status(b).network, NETWORK_LOST);
		assert_true(strstr(bench_status(b).network_reason,
				   "NETWORK CLOSED"));
		bench_wait(b, 12000);
		expect_open(b);
		assert_int_equal(script_heard(b->script, "AT+NETCLOSE"), still);
		assert_int_equal(bench_status(b).losses, still + 1);
		bench_expect(b, "");
	}
}

/* NETCLOSE is done when it says so, not at its OK; nor is it waited for
 * for ever. */
static void netclose_takes_its_time(void **state)
{
	struct bench *b = *state;
	int answered;

	for (answered = 0; answered <= 1; answered++) {
		script_forget_heard(b->script);
		script_answer(b->script, "AT+NETCLOSE", "\r\nOK\r\n", 1);
		script_say(b->script,
			   "\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n");
		bench_wait(b, 20000);
		assert_int_equal(script_heard(b->script, ""), 2);
		assert_string_equal(script_command(b->script, 1),
				    "AT+NETCLOSE");
		if (answered) {
			script_set(b->script)->net_open = false;
			script_say(b->script, "\r\n+NETCLOSE: 0\r\n");
		}
		bench_wait(b, answered ? 5000 : 20000);
		expect_open(b);
	}
}

static void network_lost_twice_is_once(void **state)
{
	struct bench *b = *state;

	bench_opened(b);
	script_set(b->script)->net_open = false;
	script_say(b->script, "\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n"
		   "\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n"
		   "\r\n+IPCLOSE: 9,1\r\n");
	bench_wait(b, 20);
	bench_expect(b, "closed(1/1,ENETRESET,network-lost,0/0/0) ");
	bench_wait(b, 10000);
	expect_open(b);
	assert_int_equal(bench_status(b).losses, 1);
}

/* Reopened with backoff; a registration told unasked cuts the wait. */
static void network_comes_back(void **state)
{
	struct bench *b = *state;
	unsigned int tries;

	script_answer(b->script, "AT+NETOPEN",
		      "\r\nOK\r\n\r\n+NETOPEN: 1\r\n", 0);
	script_answer(b->script, "AT+NETOPEN?",
		      "\r\n+NETOPEN: 0\r\n\r\nOK\r\n", 0);
	script_set(b->script)->net_open = false;
	script_say(b->script, "\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n");
	bench_wait(b, 600000);
	tries = script_heard(b->script, "AT+NETOPEN") -
		script_heard(b->script, "AT+NETOPEN?");
	assert_in_range(tries, 9, 30);
	assert_int_equal(bench_status(b).network, NETWORK_LOST);
	/* just before, the next try is far away */
	while (bench_status(b).next_try_ms < 20000)
		bench_wait(b, 1000);
	script_answer(b->script, "AT+NETOPEN", "*", 0);
	script_answer(b->script, "AT+NETOPEN?", "*", 0);
	script_say(b->script, "\r\n+CEREG: 2\r\n\r\n+CEREG: 1\r\n");
	bench_wait(b, 5000);
	expect_open(b);
}

/* B7: a banner at any time, and the quiet one that only echoes. */
static void restarts(void **state)
{
	static const char *const banners[] = {
		"\r\nRDY\r\n\r\n+CPIN: READY\r\n\r\nPB DONE\r\n",
		"\r\n*ATREADY: 1\r\n",
		"\r\nQCRDY\r\n",
		"",
	};
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < sizeof(banners) / sizeof(banners[0]); i++) {
		uint64_t id = bench_opened(b);
		char want[128];

		send_bytes(b, id, 10);
		bench_wait(b, 100);
		bench_forget(b);
		script_reboot(b->script, banners[i]);
		if (!banners[i][0])	/* found by the next command */
			send_bytes(b, id, 10);
		bench_wait(b, 1000);
		snprintf(want, sizeof(want), "closed(%d/1,ENODEV,"
			 "modem-restarted,%d/10/0) ", (int)id,
			 banners[i][0] ? 10 : 20);
		bench_expect(b, want);
		bench_wait(b, 5000);
		expect_open(b);
		assert_int_equal(bench_status(b).restarts, i + 1);
		assert_false(script_set(b->script)->echo);
		bench_expect(b, "");
	}
}

/* In the middle of everything, and more than once. */
static void restart_in_the_middle(void **state)
{
	struct bench *b = *state;
	int ms;

	for (ms = 0; ms < 120; ms += 3) {
		bench_restart(b);
		bench_wait(b, (uint32_t)ms);
		script_reboot(b->script, "\r\nRDY\r\n\r\nRDY\r\n");
		bench_wait(b, 2);
		script_reboot(b->script, "\r\nRDY\r\n");
		bench_wait(b, 8000);
		expect_open(b);
	}
}

static void restart_while_sending(void **state)
{
	struct bench *b = *state;
	uint64_t id = bench_opened(b);

	send_bytes(b, id, 100);
	script_answer(b->script, "AT+CIPSEND=", "\r\n>", 1);
	bench_wait(b, 7);		/* payload is out */
	script_reboot(b->script, "\r\nRDY\r\n");
	bench_wait(b, 10);
	bench_expect(b, "closed(1/1,ENODEV,modem-restarted,100/0/0) ");
	bench_wait(b, 8000);
	expect_open(b);
}

/* These alone are no start (Q19). */
static void no_restart(void **state)
{
	struct bench *b = *state;

	bench_opened(b);
	script_say(b->script, "\r\nPB DONE\r\n\r\nSMS DONE\r\n"
		   "\r\n+CPIN: READY\r\n\r\nREADY\r\nRDY?\r\n");
	bench_wait(b, 1000);
	bench_expect(b, "");
	expect_open(b);
	assert_int_equal(bench_status(b).restarts, 0);
}

/* B8: told within 10 s of the first command that is not answered. */
static void hangs(void **state)
{
	static const struct {
		const char *what;
		size_t send;
		bool peer;
		bool resolve;
	} cases[] = {
		{ "a send", 100, false, false },
		{ "a pull", 0, true, false },
		{ "an open", 0, false, false },
	};
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t a = bench_opened(b), c = bench_opened(b);

		if (cases[i].peer)
			script_peer_sends(b->script,
					  (unsigned int)bench_info(b, c).slot,
					  "hello", 5);
		script_set(b->script)->mute = true;
		if (cases[i].send)
			send_bytes(b, c, cases[i].send);
		else if (!cases[i].peer)
			assert_true(bench_open(b) > 0);
		bench_wait(b, 10000);
		assert_int_equal(modem_link_info(b->m, a, &(struct link_info){
						 0 }), -EBADF);
		assert_int_equal(modem_link_info(b->m, c, &(struct link_info){
						 0 }), -EBADF);
		assert_int_equal(bench_status(b).network, NETWORK_LOST);
		bench_wait(b, 30000);
		expect_wait(b, MODEM_SILENT, "no answer");
		script_set(b->script)->mute = false;
		bench_wait(b, 90000);
		expect_open(b);
		assert_int_equal(script_open_slots(b->script), 0);
		bench_forget(b);
	}
}

static unsigned int count(const char *text, const char *what)
{
	unsigned int n = 0;

	for (text = strstr(text, what); text; text = strstr(text + 1, what))
		n++;

	return n;
}

/* Every link hears it once, whatever it was doing. */
static void hang_tells_each_once(void **state)
{
	struct bench *b = *state;
	uint64_t a = bench_opened(b), c = bench_opened(b);
	int d;

	(void)a;
	script_answer(b->script, "AT+CIPOPEN=", "\r\nOK\r\n", 1);
	d = bench_open(b);
	assert_true(d > 0);
	bench_wait(b, 100);
	assert_int_equal(modem_link_close(b->m, c, false, "local"), 0);
	script_set(b->script)->mute = true;
	bench_wait(b, 12000);
	assert_int_equal(count(b->log, "closed(1/"), 1);
	assert_int_equal(count(b->log, "closed(2/"), 1);
	assert_int_equal(count(b->log, "(3"), 1);
	assert_non_null(strstr(b->log, "closed(1/1,ENODEV,modem-gone,0/0/0) "));
	assert_non_null(strstr(b->log, "opened(3,ENODEV,modem-gone) "));
}

/* B11 */
static void unplugged(void **state)
{
	struct bench *b = *state;
	int when;

	for (when = 0; when < 4; when++) {
		uint64_t id = bench_opened(b);
		unsigned int slot = (unsigned int)bench_info(b, id).slot;
		char text[128];

		switch (when) {
		case 1:			/* payload is on its way */
			script_answer(b->script, "AT+CIPSEND=", "\r\n>", 1);
			send_bytes(b, id, 100);
			bench_wait(b, 7);
			break;
		case 2:			/* a pull */
			script_answer(b->script, "AT+CIPRXGET=2", "", 1);
			script_say(b->script, "\r\n+CIPRXGET: 1,%u\r\n", slot);
			bench_wait(b, 7);
			break;
		case 3:			/* half a payload has come */
			script_answer(b->script, "AT+CIPRXGET=2",
				      "\r\n+CIPRXGET: 2,9,100,0\r\nabc", 1);
			script_say(b->script, "\r\n+CIPRXGET: 1,%u\r\n", slot);
			bench_wait(b, 12);
			break;
		}
		fake_port_fail_open(b->world.port, -ENOENT, "no device");
		fake_port_lose(b->world.port, -EIO);
		bench_wait(b, 10);
		snprintf(text, sizeof(text),
			 "closed(%d/1,ENODEV,modem-gone,%d/0/0) ", (int)id,
			 when == 1 ? 100 : 0);
		bench_expect(b, text);
		bench_wait(b, 60000);
		expect_wait(b, MODEM_NO_DEVICE, "no device");
		/* it had power all the time: its sockets are still there */
		script_set(b->script)->latency_ms = 5;
		fake_port_fail_open(b->world.port, 0, "");
		bench_wait(b, 5000);
		expect_open(b);
		assert_int_equal(script_open_slots(b->script), 0);
		bench_expect(b, "");
	}
}

static void unplugged_while_starting(void **state)
{
	struct bench *b = *state;
	int ms;

	for (ms = 0; ms < 200; ms += 7) {
		bench_restart(b);
		bench_wait(b, (uint32_t)ms);
		fake_port_lose(b->world.port, -EIO);
		bench_wait(b, 5000);
		expect_open(b);
	}
}

/* Questions that wait are answered also when the modem goes. */
static void queries_end_with_the_modem(void **state)
{
	struct bench *b = *state;
	uint32_t q1, q2;

	script_answer(b->script, "AT+CDNSGIP", "", 0);
	assert_int_equal(modem_resolve(b->m, "a.example", DRIVER_ANY, &q1), 0);
	assert_int_equal(modem_resolve(b->m, "b.example", DRIVER_ANY, &q2), 0);
	bench_wait(b, 100);
	fake_port_fail_open(b->world.port, -ENOENT, "no device");
	fake_port_lose(b->world.port, -EIO);
	bench_wait(b, 1000);
	assert_non_null(strstr(b->log, "answered(1,ENODEV,"));
	assert_non_null(strstr(b->log, "answered(2,"));
	bench_forget(b);
	fake_port_fail_open(b->world.port, 0, "");
	bench_wait(b, 5000);
	expect_open(b);
	assert_int_equal(modem_resolve(b->m, "c.example", DRIVER_ANY, &q1), 0);
	assert_int_equal(modem_resolve(b->m, "d.example", DRIVER_ANY, &q2), 0);
	bench_wait(b, 100);
	script_set(b->script)->mute = true;
	bench_wait(b, 30000);
	assert_non_null(strstr(b->log, "answered(3,ETIMEDOUT,"));
	assert_non_null(strstr(b->log, "answered(4,"));
}

/* CTS low (B9): the rate can be changed all the same when it is given up. */
static void stalled_line(void **state)
{
	struct bench *b = *state;
	bool tried = false;
	int i;

	bench_opened(b);
	fake_port_hold(b->world.port, true);
	fake_port_stalled(b->world.port, true);
	send_bytes(b, 1, 100);
	bench_wait(b, 10000);
	bench_expect(b, "closed(1/1,ETIMEDOUT,send-timeout,100/0/0) ");
	for (i = 0; i < 600; i++) {
		bench_wait(b, 100);
		tried |= port_baud(b->world.port) == 9600;
		/* what nobody takes does not grow */
		assert_in_range(port_unwritten(b->world.port), 0, 1700);
	}
	assert_true(tried);
	expect_wait(b, MODEM_SILENT, "no answer");
	assert_true(bench_status(b).line->stalled);
	/* flows again: what is still there must be but AT, at a rate tried */
	fake_port_hold(b->world.port, false);
	fake_port_stalled(b->world.port, false);
	bench_wait(b, 90000);
	expect_open(b);
	assert_int_equal(port_baud(b->world.port), 115200);
}

/* Nothing that a modem says may make more of it than it is (S6). */
static void hostile_numbers(void **state)
{
	static const char *const slots[] = {
		"10", "-1", "4294967296", "99", "255", "999999999999999999",
	};
	struct bench *b = *state;
	size_t i;

	bench_opened(b);
	for (i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
		script_say(b->script, "\r\n+CIPOPEN: %s,0\r\n"
			   "+CIPCLOSE: %s,0\r\n+IPCLOSE: %s,1\r\n"
			   "+CIPSEND: %s,1,1\r\n+CIPRXGET: 1,%s\r\n"
			   "+CLIENT: %s,0,1.2.3.4:5\r\n", slots[i], slots[i],
			   slots[i], slots[i], slots[i], slots[i]);
		script_say(b->script, "\r\n+IPCLOSE: 0,%s\r\n"
			   "+CIPSEND: 9,%s,%s\r\n+CREG: %s\r\n"
			   "+NETOPEN: %s\r\n", slots[i], slots[i], slots[i],
			   slots[i], slots[i]);
		bench_wait(b, 100);
	}
	bench_expect(b, "");
	expect_open(b);
	assert_int_equal(bench_status(b).slots_used, 1);
	/* the table of an audit too */
	script_answer(b->script, "AT+CIPOPEN?",
		      "\r\n+CIPOPEN: 10,\"TCP\",\"x\",1,-1\r\n"
		      "+CIPOPEN: -1,\"TCP\",\"x\",1,-1\r\n"
		      "+CIPOPEN: 4294967296,\"TCP\",\"x\",1,-1\r\n"
		      "\r\nOK\r\n", 0);
	bench_restart(b);
	bench_wait(b, 5000);
	expect_open(b);
	assert_int_equal(script_heard(b->script, "AT+CIPCLOSE="), 0);
}

/* An audit that is not answered is not the last word. */
static void audit_is_repeated(void **state)
{
	struct bench *b = *state;

	bench_opened(b);
	script_answer(b->script, "AT+CIPOPEN?", "", 1);
	bench_restart(b);
	bench_wait(b, 15000);
	expect_open(b);
	assert_int_equal(script_open_slots(b->script), 0);
}

static void stops_politely(void **state)
{
	struct bench *b = *state;
	struct link_args waits = { .host = "h", .port = 1, .wait_ms = 60000 };
	int i;

	for (i = 0; i < 10; i++)
		bench_opened(b);
	assert_true(bench_open_args(b, &waits) > 0);
	send_bytes(b, 1, 3000);
	bench_wait(b, 1);
	bench_forget(b);
	modem_stop(b->m);
	assert_int_equal(bench_open(b), -ESHUTDOWN);
	bench_wait(b, 1000);
	assert_non_null(strstr(b->log, "opened(11,ESHUTDOWN,daemon-stop) "));
	assert_non_null(strstr(b->log, "closed(1/1,ok,daemon-stop,"
			       "3000/3000/0) "));
	assert_non_null(strstr(b->log, "closed(10/1,ok,daemon-stop,0/0/0) "));
	assert_non_null(strstr(b->log, "stopped "));
	assert_int_equal(script_open_slots(b->script), 0);
	bench_wait(b, 60000);
	assert_int_equal(count(b->log, "stopped "), 1);
}

static void stops_in_time(void **state)
{
	struct bench *b = *state;

	bench_opened(b);
	send_bytes(b, 1, 3000);
	script_send_result(b->script, "");	/* it waits for one */
	bench_wait(b, 20);
	modem_stop(b->m);
	bench_wait(b, 9990);
	assert_null(strstr(b->log, "stopped "));
	bench_wait(b, 20);
	assert_non_null(strstr(b->log, "stopped "));
	assert_non_null(strstr(b->log, "closed(1/1,ESHUTDOWN,daemon-stop,"
			       "3000/0/0) "));
	bench_wait(b, 600000);
	assert_int_equal(count(b->log, "stopped "), 1);
}

static void stops_at_once_without_links(void **state)
{
	struct bench *b = *state;

	modem_stop(b->m);
	bench_wait(b, 1);
	bench_expect(b, "stopped ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define N(f) cmocka_unit_test_setup_teardown(f, bench_set_up, bench_tear_down)
#define O(f) cmocka_unit_test_setup_teardown(f, bench_set_up_open, \
					     bench_tear_down)
		N(brings_up), O(idle_is_idle), N(probe_is_one_line_each_time),
		N(probes_do_not_pile_up), N(no_device), N(port_busy),
		N(other_rates), N(raises_its_rate), N(rate_that_does_not_work),
		N(no_answer), N(slow_start), N(banner_wakes),
		N(sim_busy_then_ready), N(sim_busy_for_long), N(no_sim), N(puk),
		N(pin_wanted_and_none), N(good_pin_each_start),
		N(wrong_pin_once), N(wrong_pin_once_without_iccid),
		N(known_then_unknown_sim), N(pin_without_an_answer),
		N(pin_needs_the_state_file), N(registration_states), N(roaming),
		N(registered_by_gprs_alone), N(credentials_and_operator),
		N(netopen_fails), N(netopen_in_other_words), N(already_open),
		N(no_address), O(audit_closes_foreign_links), O(network_lost),
		O(netclose_takes_its_time), O(network_lost_twice_is_once),
		O(network_comes_back),
		O(restarts), O(restart_in_the_middle), O(restart_while_sending),
		O(no_restart), O(hangs), O(hang_tells_each_once), O(unplugged),
		O(unplugged_while_starting), O(queries_end_with_the_modem),
		O(stalled_line), O(hostile_numbers), O(audit_is_repeated),
		O(stops_politely), O(stops_in_time),
		O(stops_at_once_without_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
