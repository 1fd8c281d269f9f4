/* SPDX-License-Identifier: MIT */

/* Which driver speaks with the modem, when nobody has named it. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "driver/driver.h"
#include "modem_bench.h"

#define REFUSED	"\r\nERROR\r\n"

/* The dialect is to be found out. */
static int set_up(void **state)
{
	static char dialect[] = "auto";
	struct bench *b;

	bench_set_up(state);
	b = *state;
	b->cfg.modem.dialect = dialect;

	return 0;
}

/* So much of the other dialect that the modem is taken for it. */
static void speak_other(struct bench *b)
{
	script_answer(b->script, "AT+CGMI", REFUSED, 0);
	script_answer(b->script, "AT+CIPMUX?", "+CIPMUX:0\r\n\r\nOK\r\n", 0);
	script_answer(b->script, "AT+CIFSR", REFUSED, 0);
}

static void expect_dialect(struct bench *b, const char *name)
{
	assert_string_equal(bench_status(b).dialect, name);
}

static bool has_capability(struct bench *b, const char *name)
{
	struct modem_status st = bench_status(b);
	size_t i;

	for (i = 0; st.capabilities[i]; i++) {
		if (strcmp(st.capabilities[i], name) == 0)
			return true;
	}

	return false;
}

static void by_its_maker(void **state)
{
	struct bench *b = *state;

	bench_start(b);
	expect_dialect(b, "auto");
	bench_wait(b, 3000);
	expect_dialect(b, "simcom");
	assert_int_equal(bench_status(b).network, NETWORK_OPEN);
	assert_int_equal(bench_status(b).slots_total, 10);
	assert_true(has_capability(b, "tcp"));
	assert_string_equal(script_command(b->script, 0), "AT");
	assert_string_equal(script_command(b->script, 1), "AT+CGMI");
	assert_string_equal(script_command(b->script, 2), "ATE0");
	bench_opened(b);
}

/* Some firmware says INCORPORATED alone (Q28). */
static void by_its_network(void **state)
{
	struct bench *b = *state;

	script_answer(b->script, "AT+CGMI", "\r\nINCORPORATED\r\n\r\nOK\r\n",
		      1);
	script_answer(b->script, "AT+CIPMUX?", REFUSED, 0);
	bench_start(b);
	bench_wait(b, 3000);
	expect_dialect(b, "simcom");
	assert_int_equal(bench_status(b).network, NETWORK_OPEN);
}

/* Its echo and what it says by itself stand between. */
static void the_other_one(void **state)
{
	struct bench *b = *state;

	speak_other(b);
	script_answer(b->script, "AT+CGMI",
		      "WIFI CONNECTED\r\nCMD FORMAT ERR\r\n", 0);
	script_answer(b->script, "AT+CIPMUX?",
		      "busy p...\r\n+CIPMUX:1\r\n\r\nOK\r\n", 0);
	bench_start(b);
	bench_wait(b, 1000);
	expect_dialect(b, "w800");
	assert_int_equal(bench_status(b).slots_total, 5);
}

/* Nothing is refused before it is known; what cannot be ends then. */
static void what_waits_meanwhile(void **state)
{
	bool has_udp = driver_w800.caps & DRIVER_CAP_UDP;
	struct link_args udp = { .host = "host", .port = 53,
				 .kind = LINK_UDP, .wait_ms = 60000 };
	struct link_args tcp = { .host = "host", .port = 80,
				 .wait_ms = 60000 };
	struct link_args local = { .host = "host", .port = 80,
				   .local_port = 5555, .wait_ms = 60000 };
	struct bench *b = *state;

	speak_other(b);
	script_set(b->script)->mute = true;
	bench_start(b);
	bench_wait(b, 500);
	expect_dialect(b, "auto");
	assert_int_equal(bench_status(b).slots_total, 0);
	assert_null(bench_status(b).capabilities[0]);
	assert_int_equal(bench_open_args(b, &udp), 1);
	assert_int_equal(bench_open_args(b, &tcp), 2);
	assert_int_equal(bench_open_args(b, &local), 3);
	bench_wait(b, 1000);
	bench_expect(b, "queued(1) queued(2) queued(3) ");
	script_set(b->script)->mute = false;
	bench_wait(b, 70000 - 1500);
	if (has_udp)
		bench_expect_prefix(b, "opened(3,EOPNOTSUPP,not-supported) "
				    "opened(1,ENETDOWN,wait-timeout) ");
	else
		bench_expect_prefix(b, "opened(1,EOPNOTSUPP,not-supported) "
				    "opened(2,ENETDOWN,wait-timeout) ");
	expect_dialect(b, "w800");
}

/* Who wants TLS never gets a server without it. */
static void what_cannot_listen(void **state)
{
	struct listener_args tls = { .port = 443, .backlog = 3, .tls = true,
				     .wait_ms = 60000 };
	struct listener_args v6 = { .port = 80, .backlog = 3,
				    .family = DRIVER_IPV6, .wait_ms = 60000 };
	struct listener_args plain = { .port = 8080, .backlog = 3,
				       .wait_ms = 60000 };
	struct bench *b = *state;
	uint64_t id;

	script_set(b->script)->mute = true;
	bench_start(b);
	bench_wait(b, 500);
	expect_dialect(b, "auto");
	assert_int_equal(modem_listen(b->m, &tls, &id), 0);
	assert_int_equal(modem_listen(b->m, &v6, &id), 0);
	assert_int_equal(modem_listen(b->m, &plain, &id), 0);
	script_set(b->script)->mute = false;
	bench_wait(b, 30000);
	expect_dialect(b, "simcom");
	bench_expect_prefix(b, "listening(1,EOPNOTSUPP) "
			    "listening(2,EOPNOTSUPP) listening(3,ok) ");
	assert_int_equal(script_heard(b->script, "AT+SERVERSTART=443"), 0);
}

static void the_older_set(void **state)
{
	struct bench *b = *state;

	script_answer(b->script, "AT", "+ERR=-1\r\n\r\n", 0);
	bench_start(b);
	bench_wait(b, 1000);
	expect_dialect(b, "auto");
	bench_expect_state(b, MODEM_STARTING, "older WinnerMicro");
	assert_int_equal(script_heard(b->script, "AT+"), 1);
	bench_wait(b, 20000);	/* it may be another one by then */
	assert_true(script_heard(b->script, "AT+") > 1);
}

static void neither(void **state)
{
	struct bench *b = *state;

	script_answer(b->script, "AT+CGMI", "\r\nQuectel\r\n\r\nOK\r\n", 0);
	script_answer(b->script, "AT+CIPMUX?", REFUSED, 0);
	script_answer(b->script, "AT+NETOPEN?", REFUSED, 0);
	bench_start(b);
	bench_wait(b, 1000);
	expect_dialect(b, "auto");
	bench_expect_state(b, MODEM_STARTING, "this modem (Quectel) answers "
			   "neither");
	assert_null(bench_status(b).capabilities[0]);
	/* somebody plugs in what we know */
	script_answer(b->script, "AT+CGMI", "*", 0);
	bench_wait(b, 70000);
	expect_dialect(b, "simcom");
}

/* A question waits until it is known who it is for; when that failed, it and
 * those that come are told at once. */
static void questions_meanwhile(void **state)
{
	struct bench *b = *state;
	uint32_t early, late;
	const char *why;

	script_answer(b->script, "AT", "+ERR=-1\r\n\r\n", 0);
	bench_start(b);
	assert_int_equal(modem_time(b->m, NULL, &early), 0);
	bench_wait(b, 1000);
	bench_expect_state(b, MODEM_STARTING, "older WinnerMicro");
	bench_expect(b, "answered(1,ENODEV,) ");
	assert_int_equal(modem_time(b->m, NULL, &late), -ENODEV);
	assert_int_equal(modem_read_config(b->m, &late), -ENODEV);
	assert_int_equal(modem_at(b->m, "ATI", 1000, false, &late, &why),
			 -ENODEV);
	(void)early;
}

/* Each start may be that of another modem, and of the same again. */
static void anew_after_each_start(void **state)
{
	struct bench *b = *state;
	const struct driver_info *info;

	bench_start(b);
	bench_wait(b, 3000);
	expect_dialect(b, "simcom");
	info = bench_status(b).info;
	script_forget_heard(b->script);
	script_reboot(b->script, "\r\nRDY\r\n");
	bench_wait(b, 120);
	expect_dialect(b, "auto");
	bench_wait(b, 5000);
	expect_dialect(b, "simcom");
	assert_int_equal(script_heard(b->script, "AT+CGMI"), 2);
	/* the same driver, with all that was set in it */
	assert_ptr_equal(bench_status(b).info, info);

	speak_other(b);
	script_reboot(b->script, "\r\nready\r\n");
	bench_wait(b, 20000);	/* those words mean nothing to it */
	bench_expect(b, "");
	script_reboot(b->script, "\r\nRDY\r\n");
	bench_wait(b, 1000);
	expect_dialect(b, "w800");
	script_reboot(b->script, "\x7f\xf0ready\r\n");
	bench_wait(b, 120);
	expect_dialect(b, "auto");
	bench_wait(b, 1000);
	expect_dialect(b, "w800");
}

/* While it is being asked, it starts anew. */
static void a_start_between_the_questions(void **state)
{
	struct bench *b = *state;

	script_answer(b->script, "AT+CGMI", "\r\nRDY\r\n", 1);
	bench_start(b);
	bench_wait(b, 4000);
	expect_dialect(b, "simcom");
	assert_int_equal(bench_status(b).network, NETWORK_OPEN);
}

static void named_is_not_asked(void **state)
{
	static char dialect[] = "simcom";
	struct bench *b = *state;

	b->cfg.modem.dialect = dialect;
	speak_other(b);
	bench_start(b);
	expect_dialect(b, "simcom");
	bench_wait(b, 1000);
	expect_dialect(b, "simcom");
	assert_int_equal(script_heard(b->script, "AT+CIPMUX?"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, bench_tear_down)
		T(by_its_maker), T(by_its_network), T(the_other_one),
		T(what_waits_meanwhile), T(what_cannot_listen),
		T(questions_meanwhile), T(the_older_set), T(neither),
		T(anew_after_each_start), T(a_start_between_the_questions),
		T(named_is_not_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
