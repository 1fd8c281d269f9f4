/* SPDX-License-Identifier: MIT */

/*
 * Questions of clients, what they may watch, and what admins decide: names,
 * pings, raw AT, options, history, trace, status, network and restart.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "broker_bench.h"

static void ask_reverse(struct bench *b, unsigned int c, uint64_t id,
			const char *address)
{
	Modemd__V1__Reverse m = MODEMD__V1__REVERSE__INIT;
	REQUEST(r);

	m.has_address = true;
	m.address = chars(address);
	r.reverse = &m;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_REVERSE);
}

/* --------------------------------------------------------- queries, history */

static void resolve_and_cancel(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "tool");

	ask_resolve(b, c, 2, "good.example");
	wait_ms(b, 50);
	assert_string_equal(heard(b, c), "2:OK=93.184.216.34 ");
	script_answer(b->script, "AT+CDNSGIP",
		      "\r\n+CDNSGIP: 0,10\r\n\r\nERROR\r\n", 1);
	ask_resolve(b, c, 3, "bad.example");
	wait_ms(b, 50);
	assert_string_equal(heard(b, c), "3:NAME_NOT_FOUND ");
	script_answer(b->script, "AT+CDNSGIP", "", 1);
	ask_resolve(b, c, 4, "slow.example");
	wait_ms(b, 50);
	ask_cancel(b, c, 5, 4);
	assert_string_equal(heard(b, c), "4:CANCELLED 5:OK ");
	ask_cancel(b, c, 6, 4);
	assert_string_equal(heard(b, c), "6:INVALID ");
	script_say(b->script, "\r\n+CDNSGIP: 1,\"a\",\"1.2.3.4\"\r\n"
		   "\r\nOK\r\n");
	wait_ms(b, 1000);
	assert_string_equal(heard(b, c), "");
	fake_history_answer(b->history, 0, NULL, 0, 5000);
	ask_history(b, c, 7, NULL);
	ask_cancel(b, c, 8, 7);
	wait_ms(b, 10000);
	assert_string_equal(heard(b, c), "7:CANCELLED 8:OK ");
}

/* S1: only an address gets as far as the modem. */
static void reverse_takes_addresses(void **state)
{
	static const char *const bad[] = {
		"", "x", "192.0.2", "192.0.2.256", "192.0.2.1\r", "::1",
		"192.0.2.1\"", "0192.000.002.001",
	};
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ask_reverse(b, c, 2, bad[i]);
		wait_ms(b, 50);
		assert_string_equal(heard(b, c), "2:INVALID ");
	}
	assert_int_equal(script_heard(b->script, "AT+CDNSGHNAME"), 0);
	script_answer(b->script, "AT+CDNSGHNAME=\"192.0.2.1\"",
		      "\r\n+CDNSGHNAME: 1,\"a.example\",\"192.0.2.1\"\r\n"
		      "\r\nOK\r\n", 0);
	ask_reverse(b, c, 3, "192.0.2.1");
	wait_ms(b, 50);
	assert_string_equal(heard(b, c), "3:OK=a.example ");
}

/* A request with these numbers; 0: absent. */
static void ask_ping(struct bench *b, unsigned int c, uint64_t id,
		     const char *host, const uint32_t number[5])
{
	Modemd__V1__Ping m = MODEMD__V1__PING__INIT;
	REQUEST(r);

	m.has_host = true;
	m.host = chars(host);
	m.has_count = number[0] > 0;
	m.count = number[0];
	m.has_size = number[1] > 0;
	m.size = number[1];
	m.has_interval_ms = number[2] > 0;
	m.interval_ms = number[2];
	m.has_wait_ms = number[3] > 0;
	m.wait_ms = number[3];
	m.has_ttl = number[4] > 0;
	m.ttl = number[4];
	r.ping = &m;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_PING);
}

static const uint32_t usual[5] = { 0 };

static void pings_are_checked(void **state)
{
	static const struct {
		uint32_t number[5];
		const char *want;
	} cases[] = {
		{ { 100, 4, 1000, 10000, 16 }, "" },
		{ { 1, 188, 10000, 100000, 255 }, "" },
		{ { 101 }, "2:INVALID " }, { { 1, 3 }, "2:INVALID " },
		{ { 1, 189 }, "2:INVALID " }, { { 1, 4, 999 }, "2:INVALID " },
		{ { 1, 4, 10001 }, "2:INVALID " },
		{ { 1, 4, 1000, 9999 }, "2:INVALID " },
		{ { 1, 4, 1000, 100001 }, "2:INVALID " },
		{ { 1, 4, 1000, 10000, 15 }, "2:INVALID " },
		{ { 1, 4, 1000, 10000, 256 }, "2:INVALID " },
		{ { UINT32_MAX }, "2:INVALID " },
	};
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	size_t i;

	script_answer(b->script, "AT+CPING", "\r\nOK\r\n", 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ask_ping(b, c, 2, "host", cases[i].number);
		wait_ms(b, 20);
		assert_string_equal(heard(b, c), cases[i].want);
		if (*cases[i].want)
			continue;
		ask_cancel(b, c, 3, 2);
		wait_ms(b, 20);
		assert_string_equal(heard(b, c), "3:OK 2:CANCELLED=0/0/0 ");
	}
	assert_int_equal(script_heard(b->script, "AT+CPING="), 2);
	ask_ping(b, c, 2, "host\",1\r", usual);
	assert_string_equal(heard(b, c), "2:INVALID ");
}

/* Each client hears of its own; the counts come with a cancel too. */
static void pings_of_two(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "one"), d = client(b, "two");

	script_answer(b->script, "AT+CPING", "\r\nOK\r\n", 0);
	ask_ping(b, c, 2, "host", usual);
	ask_ping(b, d, 2, "host", usual);
	wait_ms(b, 20);
	script_say(b->script, "\r\n+CPING: 1,192.0.2.1,64,40,255\r\n"
		   "\r\n+CPING: 2\r\n");
	wait_ms(b, 20);
	assert_string_equal(heard(b, c), "ping(2,1,192.0.2.1) "
			    "ping(2,2,timeout) ");
	ask_cancel(b, c, 3, 2);
	wait_ms(b, 20);
	assert_string_equal(heard(b, c), "3:OK 2:CANCELLED=2/1/1 ");
	wait_ms(b, 20);
	script_say(b->script, "\r\n+CPING: 3,4,4,0,1,1,1\r\n");
	wait_ms(b, 20);
	assert_string_equal(heard(b, d), "2:OK=4/4/0 ");
	assert_string_equal(heard(b, c), "");
}

static void ping_of_a_gone_client(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "one"), d = client(b, "two");

	script_answer(b->script, "AT+CPING", "\r\nOK\r\n", 0);
	ask_ping(b, c, 2, "host", usual);
	wait_ms(b, 20);
	ask_ping(b, d, 2, "host", usual);
	script_forget_heard(b->script);
	fake_client_disconnect(b->conns[c]);
	wait_ms(b, 50);
	assert_int_equal(script_heard(b->script, "AT+CPINGSTOP"), 1);
	assert_int_equal(script_heard(b->script, "AT+CPING="), 1);
}

/* ----------------------------------------------- raw AT, options, confirmed */

static void ask_at(struct bench *b, unsigned int c, uint64_t id,
		   const char *command, bool force, uint32_t timeout_ms)
{
	Modemd__V1__At m = MODEMD__V1__AT__INIT;
	REQUEST(r);

	m.has_command = true;
	m.command = chars(command);
	m.has_force = force;
	m.force = force;
	m.has_timeout_ms = timeout_ms > 0;
	m.timeout_ms = timeout_ms;
	r.at = &m;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_AT);
}

static void raw_at(void **state)
{
	static const char *const bad[] = {
		"", "x", "AT\r", "AT\x7f", "\xc3\xa4", "AT+CFUN=0",
		"at+cipmode",
	};
	struct bench *b = *state;
	unsigned int c = client(b, "tool"), a = admin(b, "admin");
	char long_one[600];
	size_t i;

	ask_at(b, c, 2, "AT", false, 0);
	assert_string_equal(heard(b, c), "2:NO_PERMISSION ");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ask_at(b, a, 2, bad[i], false, 0);
		assert_string_equal(heard(b, a), "2:INVALID ");
	}
	memset(long_one, 'A', sizeof(long_one));
	memcpy(long_one, "AT", 2);
	long_one[513] = '\0';
	ask_at(b, a, 2, long_one, false, 0);
	assert_string_equal(heard(b, a), "2:INVALID ");
	ask_at(b, a, 2, "AT", false, 99);
	assert_string_equal(heard(b, a), "2:INVALID ");
	ask_at(b, a, 2, "AT", false, 180001);
	assert_string_equal(heard(b, a), "2:INVALID ");
	wait_ms(b, 100);
	assert_null(script_command(b->script, 0));

	long_one[512] = '\0';
	script_answer(b->script, "ATAAA", "\r\nA\x01\r\n\r\nERROR\r\n", 0);
	ask_at(b, a, 3, long_one, false, 0);
	wait_ms(b, 200);
	assert_string_equal(heard(b, a), "3:MODEM_ERROR=A\\x01,ERROR ");
	script_answer(b->script, "AT+X", "\r\nhalf\r\n", 0);
	ask_at(b, a, 4, "AT+X", false, 100);
	wait_ms(b, 500);
	assert_string_equal(heard(b, a), "4:TIMEOUT=half, ");
	ask_at(b, a, 5, "AT+CIPMODE=0", true, 0);
	wait_ms(b, 500);
	assert_string_equal(heard(b, a), "5:OK=,OK ");
}

static void ask_config(struct bench *b, unsigned int c, uint64_t id,
		       const char *name, const char *value)
{
	Modemd__V1__Config m = MODEMD__V1__CONFIG__INIT;
	Modemd__V1__Setting s = MODEMD__V1__SETTING__INIT;
	Modemd__V1__Setting *list[] = { &s };
	REQUEST(r);

	s.name = (char *)(uintptr_t)name;
	s.value = (char *)(uintptr_t)value;
	m.n_set = value ? 1 : 0;
	m.set = list;
	r.config = &m;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_CONFIG);
}

static const Modemd__V1__Setting *
setting_of(const Modemd__V1__ServerMessage *msg, const char *name)
{
	size_t i;

	assert_int_equal(msg->reply->status, MODEMD__V1__STATUS__OK);
	for (i = 0; i < msg->reply->config->n_setting; i++) {
		if (strcmp(msg->reply->config->setting[i]->name, name) == 0)
			return msg->reply->config->setting[i];
	}
	fail_msg("no %s", name);

	return NULL;
}

static void options(void **state)
{
	static const char *const bad[][2] = {
		{ "nope", "1" }, { "dns-retries", "8" }, { "dns-retries", "" },
		{ "dns-retries", "-1" }, { "dns-retries", "1\r" },
		{ "dns-retries", "9999999999" }, { "header-type", "0" },
		{ "open-timeout", "5000" }, { "", "1" },
		{ "a-name-that-is-much-longer-than-any-that-there-is-and-more-"
		  "of-it", "1" },
	};
	struct bench *b = *state;
	unsigned int c = client(b, "tool"), a = admin(b, "admin");
	Modemd__V1__ServerMessage *msg;
	const Modemd__V1__Setting *s;
	size_t i;

	script_answer(b->script, "AT+CIPDNSSET?",
		      "\r\n+CIPDNSSET: 0,3000,1\r\n\r\nOK\r\n", 0);
	script_answer(b->script, "AT+CIPCCFG?", "\r\nERROR\r\n", 0);
	ask_config(b, c, 2, "dns-retries", "1");
	assert_string_equal(heard(b, c), "2:NO_PERMISSION ");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ask_config(b, a, 2, bad[i][0], bad[i][1]);
		assert_string_equal(heard(b, a), "2:INVALID ");
	}
	wait_ms(b, 100);
	assert_null(script_command(b->script, 0));

	ask_config(b, c, 3, NULL, NULL);
	wait_ms(b, 200);
	msg = reply_of(b, c);
	s = setting_of(msg, "dns-retries");
	assert_string_equal(s->value, "1");
	assert_string_equal(s->by, "modemd");
	assert_null(s->wanted);
	assert_string_equal(setting_of(msg, "error-mode")->value, "");
	assert_string_equal(setting_of(msg, "error-mode")->by, "modem");
	assert_true(setting_of(msg, "header-type")->fixed);
	free_reply(msg);

	/* the modem says OK, and keeps its own */
	ask_config(b, a, 4, "dns-retries", "5");
	wait_ms(b, 200);
	msg = reply_of(b, a);
	s = setting_of(msg, "dns-retries");
	assert_string_equal(s->value, "1");
	assert_string_equal(s->wanted, "5");
	assert_string_equal(s->by, "modemctl");
	free_reply(msg);
	script_answer(b->script, "AT+CIPDNSSET=", "\r\nERROR\r\n", 0);
	ask_config(b, a, 5, "dns-retries", "6");
	wait_ms(b, 200);
	msg = reply_of(b, a);
	assert_int_equal(msg->reply->status, MODEMD__V1__STATUS__MODEM_ERROR);
	assert_non_null(strstr(msg->reply->message,
			       "dns-retries was not set to 6"));
	free_reply(msg);
}

/* Wishes are for the modem that they were made to: the one that starts next
 * may be another, whose options are others. */
static void options_of_another_modem(void **state)
{
	static char dialect[] = "auto";
	struct bench *b = *state;
	unsigned int a = admin(b, "admin");
	Modemd__V1__ServerMessage *msg;

	b->cfg.modem.dialect = dialect;
	ask_config(b, a, 2, "dns-retries", "5");
	wait_ms(b, 200);
	free_reply(reply_of(b, a));
	script_forget_heard(b->script);
	script_set(b->script)->mute = true;
	script_reboot(b->script, "\r\nRDY\r\n");
	wait_ms(b, 20);
	ask_config(b, a, 3, "dns-retries", "6");
	wait_ms(b, 120000);
	assert_int_equal(script_heard(b->script, "AT+CIPDNSSET="), 0);
	msg = reply_of(b, a);
	assert_int_equal(msg->reply->status, MODEMD__V1__STATUS__MODEM_GONE);
	assert_non_null(strstr(msg->reply->message,
			       "dns-retries was not set to 6"));
	free_reply(msg);
	ask_config(b, a, 4, "dns-retries", "7");
	msg = reply_of(b, a);
	assert_int_equal(msg->reply->status, MODEMD__V1__STATUS__INVALID);
	assert_non_null(strstr(msg->reply->message, "dns-retries: "));
	free_reply(msg);
}

static void confirmed(void **state)
{
	Modemd__V1__ConfirmedRequest m = MODEMD__V1__CONFIRMED_REQUEST__INIT;
	struct bench *b = *state;
	unsigned int c = client(b, "tool"), d = client(b, "other");
	Modemd__V1__ServerMessage *msg;
	REQUEST(r);

	ask_open(b, c, 2, 0);
	wait_ms(b, 100);
	(void)heard(b, c);
	m.has_link = true;
	m.link = 1;
	r.confirmed = &m;
	ask(b, d, &r, 3, MODEMD__V1__REQUEST__KIND_CONFIRMED);
	assert_string_equal(heard(b, d), "3:NO_SUCH_LINK ");
	script_answer(b->script, "AT+CIPACK",
		      "\r\n+CIPACK: 0,0,0\r\n\r\nOK\r\n", 0);
	ask(b, c, &r, 3, MODEMD__V1__REQUEST__KIND_CONFIRMED);
	wait_ms(b, 100);
	msg = fake_client_next(b->conns[c]);
	assert_int_equal(msg->event->kind_case,
			 MODEMD__V1__EVENT__KIND_CONFIRMED);
	assert_true(msg->event->confirmed->has_confirmed);
	free_reply(msg);
	msg = reply_of(b, c);
	assert_int_equal(msg->reply->status, MODEMD__V1__STATUS__OK);
	assert_true(msg->reply->confirmed->has_lost);
	assert_int_equal(msg->reply->confirmed->confirmed, 0);
	free_reply(msg);
}

/* I3, when the modem goes in the middle. */
static void resolve_without_modem(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "tool");

	script_answer(b->script, "AT+CDNSGIP", "", 0);
	ask_resolve(b, c, 2, "a.example");
	ask_resolve(b, c, 3, "b.example");
	wait_ms(b, 50);
	fake_port_fail_open(b->world.port, -ENOENT, "no device");
	fake_port_lose(b->world.port, -EIO);
	wait_ms(b, 100);
	assert_string_equal(heard(b, c), "2:MODEM_GONE 3:MODEM_GONE ");
}

static void history_questions(void **state)
{
	static const struct history_row rows[] = {
		{ .id = 9, .instance = "test", .boot_id = "boot",
		  .opened_wall_ms = 1, .opened_mono_ms = 2, .closed = true,
		  .session = { .link = 3, .epoch = 1, .client = "x",
			       .comm = "", .unit = "", .exe = "", .type = "tcp",
			       .remote = "h:1", .rule = "" },
		  .reason = "peer", .modem_text = "+IPCLOSE: 1,1\x1b" },
	};
	struct bench *b = *state;
	unsigned int c = client(b, "tool"), root;
	Modemd__V1__ServerMessage *msg;

	fake_history_answer(b->history, 0, rows, 1, 10);
	ask_history(b, c, 2, "h:1");
	wait_ms(b, 20);
	msg = reply_of(b, c);
	assert_int_equal(msg->reply->history->n_session, 1);
	assert_string_equal(msg->reply->history->session[0]->modem_text,
			    "+IPCLOSE: 1,1\\x1b");
	free_reply(msg);
	assert_true(fake_history_asked(b->history)->own_uid_only);
	assert_int_equal(fake_history_asked(b->history)->uid, 500);
	assert_non_null(fake_history_asked(b->history)->remote);
	root = connect_as(b, 0, false);
	say_hello(b, root, "root", 1);
	heard(b, root);
	ask_history(b, root, 2, NULL);
	wait_ms(b, 20);
	heard(b, root);
	assert_false(fake_history_asked(b->history)->own_uid_only);
	fake_history_answer(b->history, -EIO, NULL, 0, 10);
	ask_history(b, c, 3, NULL);
	wait_ms(b, 20);
	assert_string_equal(heard(b, c), "3:UNAVAILABLE ");
	/* a filter that cannot be is a mistake, not "all" */
	ask_history(b, c, 4, "a\nb");
	wait_ms(b, 20);
	assert_string_equal(heard(b, c), "4:INVALID ");
}

static void history_of_losses(void **state)
{
	struct open_options with = { .restore = true };
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	const struct fake_session *s;

	ask_open_with(b, c, 2, &with);
	wait_ms(b, 50);
	ask_send(b, c, 3, 1, 1, "hello", 5);
	wait_ms(b, 50);
	script_set(b->script)->net_open = false;
	script_say(b->script, "\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n");
	wait_ms(b, 20);
	heard(b, c);
	assert_non_null(strstr(b->text, "lost(1/1,network-lost,5/5/0) "));
	s = fake_history_session(b->history, 1, 1);
	assert_true(s->closed);
	assert_string_equal(s->reason, "network-lost");
	assert_int_equal(s->counts.taken, 5);
	assert_int_equal(fake_history_networks(b->history, true), 0);
	wait_ms(b, 15000);
	assert_string_equal(heard(b, c), "restored(1/2) ");
	assert_int_equal(fake_history_networks(b->history, true), 1);
	s = fake_history_session(b->history, 1, 2);
	assert_false(s->closed);
	script_set(b->script)->net_open = false;
	script_answer(b->script, "AT+NETOPEN", "\r\nERROR\r\n", 0);
	script_say(b->script, "\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n");
	wait_ms(b, 20);
	fake_client_disconnect(b->conns[c]);
	wait_ms(b, 1000);
	assert_true(s->closed);
	assert_int_equal(fake_history_open_sessions(b->history), 0);
}

/* Counts are in the history at most a minute late. */
static void history_of_long_sessions(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	const struct fake_session *s;
	uint64_t link = opened(b, c);

	ask_send(b, c, 3, link, 1, "hello", 5);
	wait_ms(b, 61000);
	s = fake_history_session(b->history, link, 1);
	assert_false(s->closed);
	assert_int_equal(s->counts.accepted, 5);
}

/* ----------------------------------------------------- watching, permission */

static void watching(void **state)
{
	struct bench *b = *state;
	unsigned int w = client(b, "watch"), c = client(b, "tool");

	ask_subscribe(b, w, 2, true, true, false, false);
	assert_string_equal(heard(b, w), "2:OK ");
	opened(b, c);
	assert_non_null(strstr(heard(b, w), "news(1,open) "));
	script_set(b->script)->net_open = false;
	script_say(b->script, "\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n");
	wait_ms(b, 10000);
	heard(b, w);
	assert_non_null(strstr(b->text, "network(lost) "));
	assert_non_null(strstr(b->text, "news(1,closed) "));
	assert_non_null(strstr(b->text, "network(open) "));
	ask_subscribe(b, w, 3, false, false, false, false);
	heard(b, w);
	heard(b, c);
	opened(b, c);
	wait_ms(b, 1000);
	assert_string_equal(heard(b, w), "");
}

static void payload_is_for_admins(void **state)
{
	struct bench *b = *state;
	unsigned int user = client(b, "user"), admin = connect_as(b, 501, true);
	Modemd__V1__TraceRequest t = MODEMD__V1__TRACE_REQUEST__INIT;
	uint64_t link = opened(b, user);
	REQUEST(r);

	say_hello(b, admin, "admin", 1);
	heard(b, admin);
	ask_subscribe(b, user, 2, false, false, true, true);
	assert_string_equal(heard(b, user), "2:NO_PERMISSION ");
	t.has_payload = t.payload = true;
	r.trace = &t;
	ask(b, user, &r, 3, MODEMD__V1__REQUEST__KIND_TRACE);
	assert_string_equal(heard(b, user), "3:NO_PERMISSION ");
	ask(b, admin, &r, 3, MODEMD__V1__REQUEST__KIND_TRACE);
	assert_string_equal(heard(b, admin), "3:OK ");

	ask_subscribe(b, user, 4, false, false, true, false);
	ask_subscribe(b, admin, 4, false, false, true, true);
	heard(b, user);
	heard(b, admin);
	ask_send(b, user, 5, link, 1, "secret words", 12);
	wait_ms(b, 50);
	heard(b, user);
	assert_null(strstr(b->text, "secret words"));
	assert_non_null(strstr(b->text, "trace(<12 bytes>) "));
	assert_non_null(strstr(b->text, "trace(AT+CIPSEND=9,12) "));
	heard(b, admin);
	assert_non_null(strstr(b->text, "trace(secret words) "));
}

static void trace_pages(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	Modemd__V1__TraceRequest t = MODEMD__V1__TRACE_REQUEST__INIT;
	Modemd__V1__ServerMessage *msg;
	uint64_t seq = 0;
	unsigned int rows = 0, pages = 0;
	bool more = true;
	size_t i;
	REQUEST(r);

	r.trace = &t;
	while (more) {
		t.has_after_seq = true;
		t.after_seq = seq;
		ask(b, c, &r, 3, MODEMD__V1__REQUEST__KIND_TRACE);
		msg = reply_of(b, c);
		for (i = 0; i < msg->reply->trace->n_row; i++) {
			assert_int_equal(msg->reply->trace->row[i]->seq,
					 seq + 1);
			seq = msg->reply->trace->row[i]->seq;
			rows++;
		}
		more = msg->reply->trace->more;
		free_reply(msg);
		pages++;
	}
	assert_true(rows > 60);
	assert_true(pages > 1);
	/* beyond the last there is nothing, wherever */
	t.after_seq = UINT64_MAX;
	ask(b, c, &r, 4, MODEMD__V1__REQUEST__KIND_TRACE);
	msg = reply_of(b, c);
	assert_int_equal(msg->reply->trace->n_row, 0);
	assert_false(msg->reply->trace->more);
	free_reply(msg);
}

static void status(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	Modemd__V1__ServerMessage *msg;
	Modemd__V1__StatusReply *st;
	Modemd__V1__LinksRequest m = MODEMD__V1__LINKS_REQUEST__INIT;
	REQUEST(r);

	opened(b, c);
	ask_status(b, c, 2);
	msg = reply_of(b, c);
	st = msg->reply->status_reply;
	assert_string_equal(st->modem->state, "ready");
	assert_string_equal(st->modem->model, "A7670E-FASE");
	assert_string_equal(st->modem->operator_name, "Tele, 2");
	assert_int_equal(st->modem->signal_dbm, -63);
	assert_string_equal(st->network->state, "open");
	assert_string_equal(st->network->address, "10.148.0.17");
	assert_int_equal(st->line->baud, 115200);
	assert_true(st->line->commands > 20);
	assert_int_equal(st->links_used, 1);
	assert_int_equal(st->links_total, 10);
	assert_int_equal(st->clients, 1);
	free_reply(msg);
	r.links = &m;
	ask(b, c, &r, 3, MODEMD__V1__REQUEST__KIND_LINKS);
	msg = reply_of(b, c);
	assert_int_equal(msg->reply->links->n_link, 1);
	assert_string_equal(msg->reply->links->link[0]->state, "open");
	assert_string_equal(msg->reply->links->link[0]->remote,
			    "host.example:80");
	assert_string_equal(msg->reply->links->link[0]->client, "tool");
	free_reply(msg);
}

/* ----------------------------------------------------------------- admins */

static void ask_network(struct bench *b, unsigned int c, uint64_t id, bool up)
{
	Modemd__V1__Network m = MODEMD__V1__NETWORK__INIT;
	REQUEST(r);

	m.has_up = true;
	m.up = up;
	r.network = &m;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_NETWORK);
}

static void ask_reset(struct bench *b, unsigned int c, uint64_t id,
		      Modemd__V1__ResetKind kind)
{
	Modemd__V1__Reset m = MODEMD__V1__RESET__INIT;
	REQUEST(r);

	m.has_kind = true;
	m.kind = kind;
	r.reset = &m;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_RESET);
}

static void only_admins_decide(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "tool"), d = connect_as(b, 501, true);
	Modemd__V1__Network empty = MODEMD__V1__NETWORK__INIT;
	REQUEST(r);

	say_hello(b, d, "op", 1);
	heard(b, d);
	ask_network(b, c, 2, false);
	ask_network(b, c, 3, true);
	ask_reset(b, c, 4, MODEMD__V1__RESET_KIND__SOFT);
	assert_string_equal(heard(b, c), "2:NO_PERMISSION 3:NO_PERMISSION "
			    "4:NO_PERMISSION ");
	wait_ms(b, 1000);
	assert_true(script_set(b->script)->net_open);
	/* the group is enough; and no wish is a mistake */
	r.network = &empty;
	ask(b, d, &r, 2, MODEMD__V1__REQUEST__KIND_NETWORK);
	ask_reset(b, d, 3, MODEMD__V1__RESET_KIND__HARD);
	ask_network(b, d, 4, true);
	assert_string_equal(heard(b, d), "2:INVALID 3:NOT_SUPPORTED 4:OK ");
}

/* Each is answered once, when it is so. */
static void network_down_and_up(void **state)
{
	struct bench *b = *state;
	unsigned int a = admin(b, "admin"), c = client(b, "tool");
	uint64_t link = opened(b, c);

	script_answer(b->script, "AT+NETCLOSE", "\r\nOK\r\n", 1);
	ask_network(b, a, 2, false);
	ask_network(b, a, 3, false);
	wait_ms(b, 1000);
	assert_string_equal(heard(b, a), "");
	assert_non_null(strstr(heard(b, c), "closed(1/1,NETWORK_DOWN,"
			       "network-down,0/0/0) "));
	(void)link;
	script_set(b->script)->net_open = false;
	script_say(b->script, "\r\n+NETCLOSE: 0\r\n");
	wait_ms(b, 100);
	assert_string_equal(heard(b, a), "2:OK 3:OK ");
	ask_network(b, a, 4, false);
	assert_string_equal(heard(b, a), "4:OK ");
	ask_open(b, c, 5, 0);
	assert_string_equal(heard(b, c), "5:NETWORK_DOWN ");
	/* who waits for the opposite hears that it is not to be */
	script_answer(b->script, "AT+NETOPEN", "\r\nERROR\r\n", 0);
	ask_network(b, a, 5, true);
	wait_ms(b, 3000);
	assert_string_equal(heard(b, a), "");
	ask_network(b, a, 6, false);
	wait_ms(b, 1000);
	assert_string_equal(heard(b, a), "5:CANCELLED 6:OK ");
	script_answer(b->script, "AT+NETOPEN", "*", 0);
	/* taken back: one answer each, and it is opened all the same */
	ask_network(b, a, 7, true);
	ask_cancel(b, a, 8, 7);
	wait_ms(b, 5000);
	assert_string_equal(heard(b, a), "7:CANCELLED 8:OK ");
	assert_true(script_set(b->script)->net_open);
}

static void admin_who_has_gone(void **state)
{
	struct bench *b = *state;
	unsigned int a = admin(b, "admin"), d = admin(b, "admin");

	ask_network(b, a, 2, false);
	ask_reset(b, d, 2, MODEMD__V1__RESET_KIND__SOFT);
	fake_client_disconnect(b->conns[a]);
	fake_client_disconnect(b->conns[d]);
	wait_ms(b, 20000);
	assert_false(script_set(b->script)->net_open);
}

static void reset_is_answered(void **state)
{
	struct bench *b = *state;
	unsigned int a = admin(b, "admin"), c = client(b, "tool");

	opened(b, c);
	ask_reset(b, a, 2, MODEMD__V1__RESET_KIND__SOFT);
	ask_reset(b, a, 3, MODEMD__V1__RESET_KIND__SOFT);
	wait_ms(b, 1000);
	assert_string_equal(heard(b, a), "");
	assert_non_null(strstr(heard(b, c), "closed(1/1,MODEM_GONE,"
			       "modem-restarted,0/0/0) "));
	script_reboot(b->script, "\r\nRDY\r\n");
	wait_ms(b, 100);
	assert_string_equal(heard(b, a), "2:OK 3:OK ");
	wait_ms(b, 5000);
	script_answer(b->script, "AT+C", "\r\nERROR\r\n", 0);
	ask_reset(b, a, 4, MODEMD__V1__RESET_KIND__SOFT);
	wait_ms(b, 1000);
	assert_string_equal(heard(b, a), "4:MODEM_ERROR ");
	script_answer(b->script, "AT+C", "*", 0);
	/* no modem: at once, with its state */
	fake_port_lose(b->world.port, -ENODEV);
	fake_port_fail_open(b->world.port, -ENOENT, "it is not there");
	wait_ms(b, 2000);
	ask_reset(b, a, 5, MODEMD__V1__RESET_KIND__SOFT);
	assert_string_equal(heard(b, a), "5:MODEM_GONE ");
}

static void steps_in_the_status(void **state)
{
	static const char *const names[] = { "device", "line", "modem", "sim",
		"registration", "context", "network", "service" };
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	Modemd__V1__ServerMessage *msg;
	Modemd__V1__StatusReply *st;
	size_t i;

	ask_status(b, c, 2);
	msg = reply_of(b, c);
	st = msg->reply->status_reply;
	assert_int_equal(st->n_step, 8);
	for (i = 0; i < 8; i++) {
		assert_string_equal(st->step[i]->name, names[i]);
		assert_string_equal(st->step[i]->state, "ok");
		assert_true(st->step[i]->text[0]);
		assert_false(st->step[i]->has_next_try_ms);
	}
	free_reply(msg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define O(f) cmocka_unit_test_setup_teardown(f, set_up_open, tear_down)
		O(resolve_and_cancel), O(reverse_takes_addresses),
		O(pings_are_checked), O(pings_of_two),
		O(ping_of_a_gone_client), O(raw_at), O(options),
		O(options_of_another_modem), O(confirmed),
		O(resolve_without_modem), O(history_questions),
		O(history_of_losses), O(history_of_long_sessions), O(watching),
		O(payload_is_for_admins), O(trace_pages), O(status),
		O(only_admins_decide), O(network_down_and_up),
		O(admin_who_has_gone), O(reset_is_answered),
		O(steps_in_the_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
