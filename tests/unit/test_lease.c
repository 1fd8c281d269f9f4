/* SPDX-License-Identifier: MIT */

/*
 * The exclusive session, modem layer and driver over a scripted modem: the way
 * in and out, every byte between, whatever fails and whenever.
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
#include "scripted_data.h"

#define SESSION_MS	120000
#define ALL_IN_MS	200	/* the way in, of this modem */

static uint64_t lease_with(struct bench *b, const struct lease_args *with)
{
	struct lease_args args = *with;
	uint64_t id = 0;

	if (!args.host)
		args.host = "peer.example";
	if (!args.port)
		args.port = 7;
	if (!args.duration_ms)
		args.duration_ms = SESSION_MS;
	if (!args.has_credit) {
		args.has_credit = true;
		args.credit = 65536;
	}
	assert_int_equal(modem_lease(b->m, &args, &id), 0);

	return id;
}

static uint64_t lease(struct bench *b)
{
	struct lease_args args = { 0 };

	return lease_with(b, &args);
}

__attribute__((format(printf, 2, 3)))
static void expectf(struct bench *b, const char *fmt, ...)
{
	char want[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(want, sizeof(want), fmt, ap);
	va_end(ap);
	bench_expect(b, want);
}

static uint64_t leased(struct bench *b)
{
	uint64_t id = lease(b);

	bench_wait(b, ALL_IN_MS);
	expectf(b, "opened(%u) ", (unsigned int)id);
	assert_true(script_data_on(script_data(b->script)));
	(void)script_data_writes(script_data(b->script));
	script_forget_heard(b->script);

	return id;
}

static void expect_peer(struct bench *b, const void *data, size_t len)
{
	struct evbuffer *peer = script_data_peer(script_data(b->script));

	if (evbuffer_get_length(peer) != len ||
	    (len && memcmp(evbuffer_pullup(peer, -1), data, len) != 0))
		fail_msg("the peer got %zu bytes <%.*s>, not %zu",
			 evbuffer_get_length(peer),
			 (int)evbuffer_get_length(peer),
			 evbuffer_pullup(peer, -1), len);
	evbuffer_drain(peer, len);
}

static void expect_writes(struct bench *b, const char *want)
{
	assert_string_equal(script_data_writes(script_data(b->script)), want);
}

static void send_text(struct bench *b, uint64_t id, const char *text)
{
	assert_int_equal(bench_send(b, id, text, strlen(text)), 0);
}

static void stream(struct bench *b, const char *text)
{
	script_stream(b->script, text, strlen(text));
}

/* The modem is everybody's again, and as it was. */
static void expect_back(struct bench *b)
{
	struct modem_status st;
	unsigned int i;

	for (i = 0; i < 3000; i++) {
		st = bench_status(b);
		if (st.network == NETWORK_OPEN)
			break;
		bench_wait(b, 20);
	}
	assert_int_equal(st.network, NETWORK_OPEN);
	assert_int_equal(st.lease, 0);
	bench_wait(b, 500);
	assert_int_equal(script_set(b->script)->mode, 0);
	assert_false(script_data_on(script_data(b->script)));
	bench_forget(b);
	(void)bench_opened(b);
}

/* -------------------------------------------------------------- in and out */

static void there_and_back(void **state)
{
	static const char *const in[] = {
		"AT+NETOPEN?", "AT+NETCLOSE", "AT+NETOPEN?", "AT+CIPMODE?",
		"AT+CIPMODE=1", "AT+CIPMODE?", "AT+CIPRXGET=1",
		"AT+CIPTIMEOUT=30000,30000,20000",
		"AT+CIPDNSSET=0,3000,1", "AT+CIPSENDMODE=0", "AT+NETOPEN?",
		"AT+NETOPEN", "AT+IPADDR", "AT&D1",
		"AT+CIPOPEN=0,\"TCP\",\"peer.example\",7",
	};
	static const char *const out[] = {
		"AT+CIPCLOSE=0", "AT+NETOPEN?", "AT+NETCLOSE", "AT+NETOPEN?",
		"AT&D0", "AT+CIPMODE=0", "AT+CIPMODE?", "AT+NETOPEN?",
	};
	struct bench *b = *state;
	uint64_t id = lease(b);
	unsigned int i;

	assert_int_equal(bench_info(b, id).kind, LINK_LEASE);
	assert_string_equal(link_kind_name(LINK_LEASE), "lease");
	bench_wait(b, ALL_IN_MS);
	bench_expect(b, "opened(1) ");
	for (i = 0; i < sizeof(in) / sizeof(in[0]); i++)
		assert_string_equal(script_command(b->script, i), in[i]);
	assert_int_equal(bench_status(b).network, NETWORK_CLOSED);
	assert_int_equal(bench_status(b).lease, id);
	assert_true(bench_status(b).lease_connected);
	assert_in_range(bench_status(b).lease_left_ms, SESSION_MS - 1000,
			SESSION_MS);
	script_forget_heard(b->script);

	send_text(b, id, "to the peer");
	bench_wait(b, 10);
	bench_expect(b, "sent(1/1,11) ");
	expect_peer(b, "to the peer", 11);
	stream(b, "from the peer");
	bench_wait(b, 10);
	bench_expect(b, "data(1,13) ");
	bench_expect_got(b, id, "from the peer", 13);

	assert_int_equal(modem_link_close(b->m, id, false, "local"), 0);
	bench_wait(b, 5000);
	bench_expect(b, "closed(1/1,ok,local,11/11/13) ");
	for (i = 0; i < sizeof(out) / sizeof(out[0]); i++)
		assert_string_equal(script_command(b->script, i), out[i]);
	assert_int_equal(script_set(b->script)->mode, 0);
	expect_back(b);
}

static void one_at_a_time(void **state)
{
	struct lease_args args = { .host = "x", .port = 1,
				   .duration_ms = 1000 };
	struct bench *b = *state;
	uint64_t id = leased(b), other;

	assert_int_equal(modem_lease(b->m, &args, &other), -EBUSY);
	assert_int_equal(bench_open(b), -ENETDOWN);
	(void)modem_link_close(b->m, id, true, "local");
	bench_wait(b, 10);
	assert_int_equal(modem_lease(b->m, &args, &other), -EBUSY);
	expect_back(b);
	modem_stop(b->m);
	assert_int_equal(modem_lease(b->m, &args, &other), -ESHUTDOWN);
}

/* An id that was given before others is found among them. */
static void id_of_its_own(void **state)
{
	struct bench *b = *state;
	struct lease_args args = { .id = modem_new_id(b->m) };
	struct link_args waits = { .host = "h", .port = 1, .wait_ms = 90000 };
	struct link_info info;
	int later;

	script_answer(b->script, "AT+CIPOPEN=", "", 0);
	(void)bench_open(b);
	later = bench_open_args(b, &waits);
	assert_int_equal(lease_with(b, &args), args.id);
	assert_true(later > (int)args.id);
	assert_int_equal(modem_link_next(b->m, args.id - 1, &info), 0);
	assert_int_equal(info.id, args.id);
	assert_int_equal(modem_link_next(b->m, args.id, &info), 0);
	assert_true(info.id > args.id);
}

/* What is open is lost, what may come back does so, what waits goes on. */
static void others_make_room(void **state)
{
	struct bench *b = *state;
	struct link_args with = { .host = "h", .port = 1, .restore = true,
				  .wait_ms = 30000 };
	uint64_t id;

	(void)bench_opened(b);				/* 1 */
	assert_int_equal(bench_open_args(b, &with), 2);
	bench_wait(b, 100);
	bench_expect(b, "opened(2) ");
	id = lease(b);
	bench_wait(b, ALL_IN_MS);
	bench_expect(b, "lost(2/1,ENETRESET,lease,0/0/0) "
		     "closed(1/1,ENETRESET,lease,0/0/0) opened(3) ");
	assert_int_equal(bench_open_args(b, &with), 4);
	bench_wait(b, 1000);
	bench_expect(b, "queued(4) ");
	(void)modem_link_close(b->m, id, false, "local");
	bench_wait(b, 8000);
	bench_expect_prefix(b, "closed(3/1,ok,local,0/0/0) ");
	assert_int_equal(bench_info(b, 2).state, LINK_OPEN);
	assert_int_equal(bench_info(b, 2).epoch, 2);
	assert_int_equal(bench_info(b, 4).state, LINK_OPEN);
}

/* CONNECT ends at its LF: what stands behind it is the peer's, wherever the
 * reads are cut. */
static void first_byte(void **state)
{
	/* some firmware says OK first */
	static const char *const texts[] = {
		"\r\nCONNECT 115200\r\n\r\nOK\r\nhi",
		"\r\nOK\r\n\r\nCONNECT\r\n\r\nOK\r\nhi",
	};
	struct bench *b = *state;
	size_t cut, len;
	const char *text;
	uint64_t id;

	for (cut = 0; cut <= strlen(texts[1]); cut++) {
		text = texts[cut % 2];
		len = strlen(text);
		if (cut > len)
			break;
		script_answer(b->script, "AT+CIPOPEN=0", "", 1);
		id = lease(b);
		bench_wait(b, ALL_IN_MS);
		script_data_enter(script_data(b->script));
		fake_port_feed(b->world.port, text, cut);
		fake_port_feed(b->world.port, text + cut, len - cut);
		bench_wait(b, 10);
		bench_expect_got(b, id, "\r\nOK\r\nhi", 8);
		(void)modem_link_close(b->m, id, true, "local");
		bench_wait(b, 200);
		script_stream_ends(b->script, "");
		expect_back(b);
		bench_restart(b);
		bench_wait(b, 3000);
	}
}

static void every_step_fails(void **state)
{
	static const struct {
		const char *command, *answer, *end;
	} steps[] = {
		{ "AT+CIPMODE=1", "\r\nERROR\r\n", "EREMOTEIO,open-failed" },
		{ "AT+CIPMODE?", "\r\nERROR\r\n", "EREMOTEIO,open-failed" },
		{ "AT+NETOPEN", "\r\nOK\r\n\r\n+NETOPEN: 1\r\n",
		  "EREMOTEIO,open-failed" },
		{ "AT+NETOPEN", "", "ETIMEDOUT,open-timeout" },
		{ "AT+IPADDR", "\r\nERROR\r\n", "EREMOTEIO,open-failed" },
		{ "AT+CIPOPEN=0", "\r\nCONNECT FAIL\r\n",
		  "ECONNREFUSED,refused" },
		{ "AT+CIPOPEN=0", "\r\n+CIPOPEN: 0,11\r\n\r\nERROR\r\n",
		  "EADDRNOTAVAIL,name-not-found" },
		{ "AT+CIPOPEN=0", "\r\nERROR\r\n", "EREMOTEIO,open-failed" },
		{ "AT+CIPOPEN=0", "\r\nOK\r\n\r\n+CIPOPEN: 0,10\r\n",
		  "ETIMEDOUT,open-timeout" },
		{ "AT+CIPOPEN=0", "\r\nOK\r\n", "ETIMEDOUT,open-timeout" },
		{ "AT+CIPOPEN=0", "", "ETIMEDOUT,open-timeout" },
	};
	struct bench *b = *state;
	char want[80];
	unsigned int i;
	uint64_t id;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		/* NETOPEN? has the same beginning: it is as it was */
		script_answer(b->script, steps[i].command, steps[i].answer, 0);
		if (strcmp(steps[i].command, "AT+NETOPEN") == 0)
			script_answer(b->script, "AT+NETOPEN?", "*", 0);
		id = lease(b);
		bench_wait(b, 45000);
		snprintf(want, sizeof(want), "opened(%d,%s) ", (int)id,
			 steps[i].end);
		bench_expect_prefix(b, want);
		script_answer(b->script, steps[i].command, "*", 0);
		expect_back(b);
		bench_restart(b);
		bench_wait(b, 3000);
		bench_forget(b);
	}
}

static void every_order_of_the_end(void **state)
{
	static const struct {
		const char *command, *answer;
	} ends[] = {
		{ "AT+CIPCLOSE=0", "\r\nOK\r\n\r\nCLOSED\r\n"
		  "\r\n+CIPCLOSE: 0,0\r\n" },
		{ "AT+CIPCLOSE=0", "\r\nCLOSED\r\n\r\n+CIPCLOSE: 0,0\r\n"
		  "\r\nOK\r\n" },
		{ "AT+CIPCLOSE=0", "\r\n+CIPCLOSE: 0,4\r\n\r\nERROR\r\n" },
		{ "AT+CIPCLOSE=0", "\r\nOK\r\n" },
		{ "AT+CIPCLOSE=0", "" },
		{ "AT+NETCLOSE", "\r\nCLOSED\r\n\r\n+CIPCLOSE: 0,0\r\n"
		  "\r\n+NETCLOSE: 0\r\n\r\nOK\r\n" },
		{ "AT+NETCLOSE", "\r\n+NETCLOSE: 2\r\n\r\nERROR\r\n" },
		{ "AT&D0", "\r\nERROR\r\n" },
	};
	struct bench *b = *state;
	unsigned int i;
	uint64_t id;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		id = leased(b);
		script_answer(b->script, ends[i].command, ends[i].answer, 1);
		(void)modem_link_close(b->m, id, true, "local");
		bench_wait(b, 60000);
		expectf(b, "closed(%u/1,ok,local,0/0/0) ", (unsigned int)id);
		expect_back(b);
		bench_restart(b);
		bench_wait(b, 3000);
		bench_forget(b);
	}
}

static void datagrams(void **state)
{
	struct bench *b = *state;
	struct lease_args args = { .udp = true };
	unsigned int port = 0;
	uint64_t id = lease_with(b, &args);

	bench_wait(b, ALL_IN_MS);
	expectf(b, "opened(%u) ", (unsigned int)id);
	assert_int_equal(sscanf(script_command(b->script, 14), "AT+CIPOPEN=0,"
				"\"UDP\",\"peer.example\",7,%u", &port), 1);
	assert_in_range(port, 49152, 65535);
}

static void listens(void **state)
{
	struct bench *b = *state;
	struct lease_args args = { .listen = true, .host = "", .port = 8080 };
	uint64_t id = lease_with(b, &args);

	bench_wait(b, 20000);
	bench_expect(b, "");
	assert_int_equal(script_heard(b->script, "AT+CIPSRIP=0"), 1);
	assert_int_equal(script_heard(b->script, "AT+CIPHEAD=0"), 1);
	assert_int_equal(script_heard(b->script, "AT+SERVERSTART=8080,0"), 1);
	script_accept(b->script);
	stream(b, "hello");
	bench_wait(b, 10);
	expectf(b, "opened(%u) data(1,5) ", (unsigned int)id);
	script_forget_heard(b->script);
	(void)modem_link_close(b->m, id, true, "local");
	bench_wait(b, 5000);
	expectf(b, "closed(%u/1,ok,local,0/0/5) ", (unsigned int)id);
	assert_int_equal(script_heard(b->script, "AT+CIPCLOSE"), 0);
	assert_string_equal(script_command(b->script, 0), "AT+SERVERSTOP=0");
	expect_back(b);
}

/* ---------------------------------------------------------- what is in the way */

/* Its owner has agreed, or an admin insists: it comes back by itself. */
static void listener_comes_back(void **state)
{
	struct bench *b = *state;
	struct listener_args args = { .port = 8080, .backlog = 3 };
	uint64_t listener = 0, id;

	assert_int_equal(modem_listen(b->m, &args, &listener), 0);
	bench_wait(b, 100);
	bench_expect(b, "listening(1,ok) ");
	id = lease(b);
	bench_wait(b, ALL_IN_MS);
	expectf(b, "listener_lost(1,lease) opened(%u) ", (unsigned int)id);
	script_forget_heard(b->script);
	bench_wait(b, 5000);
	bench_expect(b, "");
	assert_int_equal(script_heard(b->script, "AT+SERVERSTART"), 0);

	assert_int_equal(modem_link_close(b->m, id, false, "local"), 0);
	bench_wait(b, 10000);
	expectf(b, "closed(%u/1,ok,local,0/0/0) listener_restored(1) ",
		(unsigned int)id);
	assert_int_equal(script_heard(b->script, "AT+SERVERSTART=8080,0,3"), 1);
	expect_back(b);
}

/* Nothing but the way out is said in between. */
static void network_goes_down(void **state)
{
	struct bench *b = *state;
	struct lease_args args = { .udp = false };
	uint64_t id = leased(b);

	assert_int_equal(modem_network(b->m, false, "an admin"), 0);
	bench_wait(b, 5000);
	expectf(b, "closed(%u/1,ENETDOWN,network-down,0/0/0) ",
		(unsigned int)id);
	assert_int_equal(bench_status(b).network, NETWORK_CLOSED);
	assert_false(script_set(b->script)->net_open);
	assert_false(script_data_on(script_data(b->script)));
	args.host = "peer.example";
	args.port = 7;
	args.duration_ms = SESSION_MS;
	assert_int_equal(modem_lease(b->m, &args, &id), -ENETDOWN);
	assert_int_equal(modem_network(b->m, true, "an admin"), 0);
	expect_back(b);
}

static void restart_is_asked_for(void **state)
{
	struct bench *b = *state;
	uint64_t id = leased(b);

	script_forget_heard(b->script);
	assert_int_equal(modem_reset(b->m, false, "an admin"), 0);
	bench_wait(b, 5000);
	expectf(b, "closed(%u/1,ENODEV,modem-restarted,0/0/0) ",
		(unsigned int)id);
	assert_int_equal(script_heard(b->script, "AT+CFUN=1,1"), 1);
}

/* ------------------------------------------------------------------- pluses */

/* When each byte is written, in ms from the first. */
static void pluses(void **state)
{
	static const struct {
		const char *pieces[4];
		const char *writes;
	} runs[] = {
		{ { "+++" }, "0:++ 1001:+ " },
		{ { "+", "++" }, "0:+ 10:+ 1011:+ " },
		{ { "++", "+" }, "0:++ 1010:+ " },
		{ { "+", "+", "+" }, "0:+ 10:+ 1020:+ " },
		{ { "+++++++" }, "0:++ 1001:++ 2002:++ 3003:+ " },
		{ { "+++x" }, "0:++ 1001:+x " },
		{ { "a+++" }, "0:a+++ " },
		{ { "a", "+++" }, "0:a 10:+++ " },
		{ { "++a+++" }, "0:++a+++ " },
	};
	struct bench *b = *state;
	uint64_t id = leased(b);
	char all[32];
	unsigned int i, p;

	for (i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		bench_wait(b, 2000);
		all[0] = '\0';
		for (p = 0; p < 4 && runs[i].pieces[p]; p++) {
			send_text(b, id, runs[i].pieces[p]);
			strcat(all, runs[i].pieces[p]);
			bench_wait(b, 10);
		}
		bench_wait(b, 5000);
		expect_writes(b, runs[i].writes);
		expect_peer(b, all, strlen(all));
		assert_true(script_data_on(script_data(b->script)));
	}
}

/* However the client spaces them, none is an escape, and none is lost. */
static void pluses_at_any_pace(void **state)
{
	struct bench *b = *state;
	uint64_t id = leased(b);
	unsigned int gap, i, n;

	for (gap = 0; gap <= 2200; gap += 11) {
		bench_wait(b, 3000);
		n = gap % 3 + 2;
		for (i = 0; i < n; i++) {
			send_text(b, id, "+");
			bench_wait(b, i % 2 ? gap : gap / 2);
		}
		bench_wait(b, 6000);
		expect_peer(b, "++++", n);
		assert_true(script_data_on(script_data(b->script)));
		if (bench_status(b).lease_left_ms > 30000)
			continue;
		(void)modem_link_close(b->m, id, true, "local");
		expect_back(b);
		bench_restart(b);
		bench_wait(b, 3000);
		bench_forget(b);
		id = leased(b);
	}
}

/* The escape has its pauses, and what comes in them is payload. */
static void escape_with_pauses(void **state)
{
	struct bench *b = *state;
	uint64_t id = leased(b);

	send_text(b, id, "bye");
	bench_wait(b, 10);
	(void)modem_link_close(b->m, id, false, "local");
	bench_wait(b, 500);
	stream(b, "before");
	bench_wait(b, 1000);
	stream(b, "\r\nOK\r\nafter");	/* the pluses are out; too early */
	bench_wait(b, 4000);
	expect_writes(b, "0:bye 1101:+++ ");
	expect_peer(b, "bye", 3);
	bench_expect_got(b, id, "before\r\nOK\r\nafter", 17);
	bench_expect_prefix(b, "sent(1/1,3) data(1,17) closed(1/1,ok,local,3/3/17) ");
	expect_back(b);
}

static void escape_is_lost(void **state)
{
	struct bench *b = *state;
	uint64_t id = leased(b);

	script_data_lose_escapes(script_data(b->script), 1);
	(void)modem_link_close(b->m, id, true, "local");
	bench_wait(b, 10000);
	expect_writes(b, "0:+++ 1900:+++ ");
	bench_expect(b, "closed(1/1,ok,local,0/0/0) ");
	expect_back(b);
}

static void escape_by_dtr(void **state)
{
	struct bench *b = *state;
	uint64_t id = leased(b);

	script_data_lose_escapes(script_data(b->script), 9);
	(void)modem_link_close(b->m, id, true, "local");
	bench_wait(b, 10000);
	bench_expect(b, "closed(1/1,ok,local,0/0/0) ");
	assert_false(script_set(b->script)->dtr_off);	/* high again */
	expect_back(b);
}

/* Neither helps: the line is looked for as after any silence. */
static void escape_fails(void **state)
{
	struct bench *b = *state;
	uint64_t id;

	script_answer(b->script, "AT&D1", "\r\nERROR\r\n", 0);
	id = leased(b);
	script_data_lose_escapes(script_data(b->script), 2);
	(void)modem_link_close(b->m, id, true, "local");
	bench_wait(b, 20000);
	bench_expect_prefix(b, "closed(1/1,ENODEV,modem-gone,0/0/0) ");
	expect_back(b);
}

/* --------------------------------------------------------------- last words */

static const char *const words[] = {
	"\r\nCLOSED\r\n", "\r\nNO CARRIER\r\n", "\r\n+IPCLOSE: 0,1\r\n",
	"\r\n+CIPCLOSE: 0,0\r\n", "\r\n+IPCLOSE 0,12\r\n",
	"\r\nCLOSED\r\n\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n",
	"\r\nCLOSED\r\n\r\n+CREG: 0\r\n\r\n+CGREG: 0\r\n",
};

#define WORDS	(sizeof(words) / sizeof(words[0]))

static void words_are_payload(void **state)
{
	struct bench *b = *state;
	char all[256];
	uint64_t id;
	unsigned int i;

	for (i = 0; i < WORDS; i++) {
		id = leased(b);
		stream(b, "text");
		stream(b, words[i]);
		bench_wait(b, 100);
		bench_expect_got(b, id, "text", 4);
		bench_wait(b, 1000);
		send_text(b, id, "meanwhile");	/* waits */
		stream(b, "behind");
		bench_wait(b, 5000);
		snprintf(all, sizeof(all), "%sbehind", words[i]);
		bench_expect_got(b, id, all, strlen(all));
		assert_int_equal(script_heard(b->script, "ATO"), 1);
		expect_peer(b, "meanwhile", 9);
		(void)modem_link_close(b->m, id, true, "local");
		expect_back(b);
		bench_restart(b);
		bench_wait(b, 3000);
		bench_forget(b);
	}
}

static void words_are_true(void **state)
{
	struct bench *b = *state;
	char want[80];
	unsigned int i;
	uint64_t id;

	for (i = 0; i < WORDS; i++) {
		id = leased(b);
		stream(b, "text\r\n");
		script_stream_ends(b->script, words[i]);
		bench_wait(b, 10000);
		bench_expect_got(b, id, "text\r\n", 6);
		snprintf(want, sizeof(want), "data(%d,6) closed(%d/1,%s,0/0/6) ",
			 (int)id, (int)id, strstr(words[i], "+CIPEVENT") ?
			 "ENETRESET,network-lost" : "EPIPE,peer");
		bench_expect_prefix(b, want);
		assert_int_equal(script_heard(b->script, "ATO"), 0);
		expect_back(b);
		bench_restart(b);
		bench_wait(b, 3000);
		bench_forget(b);
	}
}

/* The question is open when the client closes: it is not taken back up. */
static void closed_while_in_doubt(void **state)
{
	struct bench *b = *state;
	unsigned int at, back, undecided = 0;
	uint64_t id;

	for (at = 350; at < 2600; at += 10) {
		id = leased(b);
		stream(b, words[0]);
		bench_wait(b, at);
		back = script_heard(b->script, "ATO");
		undecided += !back;
		(void)modem_link_close(b->m, id, true, "local");
		bench_wait(b, 5000);
		assert_int_equal(script_heard(b->script, "ATO"), back);
		bench_expect_got(b, id, words[0], strlen(words[0]));
		expectf(b, "data(%d,10) closed(%d/1,ok,local,0/0/10) ",
			(int)id, (int)id);
		expect_back(b);
		bench_restart(b);
		bench_wait(b, 3000);
		bench_forget(b);
	}
	assert_in_range(undecided, 100, 200);
}

/* In pieces, with a pause within: payload, and nobody is asked. */
static void words_in_pieces(void **state)
{
	static const char text[] = "\r\nCLOSED\r\n";
	struct bench *b = *state;
	uint64_t id = leased(b);
	size_t cut;

	for (cut = 1; cut < strlen(text); cut++) {
		script_stream(b->script, text, cut);
		bench_wait(b, 100);
		script_stream(b->script, text + cut, strlen(text) - cut);
		stream(b, ".");
		bench_wait(b, 100);
		bench_expect_got(b, id, "\r\nCLOSED\r\n.", 11);
	}
	/* ... and at once: they are found wherever the reads are cut */
	for (cut = 1; cut < strlen(text); cut++) {
		fake_port_feed(b->world.port, "x", 1);
		fake_port_feed(b->world.port, text, cut);
		fake_port_feed(b->world.port, text + cut, strlen(text) - cut);
		bench_expect_got(b, id, "x", 1);
		bench_wait(b, 200);
		stream(b, ".");		/* no silence behind them */
		bench_wait(b, 10);
		bench_expect_got(b, id, "\r\nCLOSED\r\n.", 11);
	}
	assert_int_equal(script_heard(b->script, "AT"), 0);
	assert_true(script_data_on(script_data(b->script)));
}

/* Silence alone tells nothing; an end of line does not wait for long. */
static void silence_is_nothing(void **state)
{
	struct bench *b = *state;
	uint64_t id = leased(b);

	stream(b, "a line\r\n");
	bench_wait(b, 60);
	bench_expect_got(b, id, "a line\r\n", 8);
	bench_wait(b, 30000);
	expect_writes(b, "");
	stream(b, "CLOSED\r\n");	/* not in a line of its own */
	bench_wait(b, 2000);
	bench_expect_got(b, id, "CLOSED\r\n", 8);
	expect_writes(b, "");
}

static void banner_in_the_stream(void **state)
{
	struct bench *b = *state;
	uint64_t id = leased(b);

	script_reboot(b->script, "\r\n*ATREADY: 1\r\n\r\n+CPIN: READY\r\n");
	bench_wait(b, 10000);
	bench_expect_got(b, id, "", 0);
	bench_expect_prefix(b, "closed(1/1,ENODEV,modem-restarted,0/0/0) ");
	assert_int_equal(bench_status(b).restarts, 1);
	expect_back(b);
}

/* All byte values, each in front of what may be held back. */
static void any_bytes(void **state)
{
	struct bench *b = *state;
	uint64_t id = leased(b);
	uint8_t data[4096];
	size_t len, done;
	unsigned int i;

	for (i = 0; i < 40; i++) {
		len = 1 + i * 97 % sizeof(data);
		bench_fill(data, len, i);
		for (done = 0; done + 6 < len; done += 251)
			memcpy(data + done, "\r\nCLO\r", 6);
		for (done = 0; done < len; done += 100)
			fake_port_feed(b->world.port, data + done,
				       len - done < 100 ? len - done : 100);
		assert_int_equal(bench_send(b, id, data, len), 0);
		bench_wait(b, 1000);
		bench_expect_got(b, id, data, len);
		expect_peer(b, data, len);
		(void)modem_link_credit(b->m, id, 1, (uint32_t)len);
	}
}

/* -------------------------------------------------------- credit, full lines */

static void credit_holds_the_line(void **state)
{
	struct bench *b = *state;
	struct lease_args args = { .has_credit = true, .credit = 100 };
	uint8_t data[70000];
	uint64_t id;

	b->cfg.modem.rtscts = true;
	id = lease_with(b, &args);
	bench_wait(b, ALL_IN_MS);
	bench_fill(data, sizeof(data), 1);
	fake_port_feed(b->world.port, data, sizeof(data));
	bench_wait(b, 10);
	bench_expect_got(b, id, data, 100);
	fake_port_feed(b->world.port, "more", 4);
	assert_int_equal(fake_port_unread(b->world.port), 4);
	bench_wait(b, 5000);
	assert_int_equal(fake_port_unread(b->world.port), 4);
	(void)modem_link_credit(b->m, id, 1, 100000);
	bench_wait(b, 10);
	assert_int_equal(fake_port_unread(b->world.port), 0);
	bench_wait(b, 100);
	assert_int_equal(bench_info(b, id).counts.received, 70004);
	evbuffer_drain(b->got[id], 69900);
	bench_expect_got(b, id, "more", 4);
	/* held again, and ended: the escape is heard */
	fake_port_feed(b->world.port, data, sizeof(data));
	fake_port_feed(b->world.port, data, sizeof(data));
	bench_forget(b);
	(void)modem_link_close(b->m, id, true, "local");
	bench_wait(b, 5000);
	assert_non_null(strstr(b->log, "ok,local"));
	expect_back(b);
}

/* What came before the peer's close is read first, however late. */
static void peer_closes_without_credit(void **state)
{
	struct bench *b = *state;
	struct lease_args args = { .has_credit = true };
	uint64_t id = lease_with(b, &args);

	bench_wait(b, ALL_IN_MS);
	bench_expect(b, "opened(1) ");
	stream(b, "text");
	script_stream_ends(b->script, "\r\nCLOSED\r\n");
	bench_wait(b, 20000);
	bench_expect(b, "");
	assert_int_equal(bench_status(b).network, NETWORK_OPEN);
	(void)modem_link_credit(b->m, id, 1, 3);
	bench_wait(b, 10);
	bench_expect(b, "data(1,3) ");
	(void)modem_link_credit(b->m, id, 1, 3);
	bench_wait(b, 10);
	bench_expect(b, "data(1,1) closed(1/1,EPIPE,peer,0/0/4) ");
	expect_back(b);
}

static void line_is_full(void **state)
{
	struct bench *b = *state;
	uint64_t id = leased(b);
	uint8_t data[9000];

	bench_fill(data, sizeof(data), 3);
	fake_port_hold(b->world.port, true);
	assert_int_equal(bench_send(b, id, data, sizeof(data)), 0);
	bench_wait(b, 1000);
	assert_int_equal(bench_info(b, id).counts.taken, 4096);
	fake_port_hold(b->world.port, false);
	bench_wait(b, 10);
	assert_int_equal(bench_info(b, id).counts.taken, 9000);
	expect_peer(b, data, sizeof(data));
	/* two pluses that are held up come no nearer to the third */
	bench_wait(b, 2000);
	fake_port_hold(b->world.port, true);
	send_text(b, id, "+++");
	bench_wait(b, 3000);
	fake_port_hold(b->world.port, false);
	bench_wait(b, 5000);
	expect_peer(b, "+++", 3);
	assert_true(script_data_on(script_data(b->script)));
	/* the escape waits for what is in front of it */
	fake_port_hold(b->world.port, true);
	assert_int_equal(bench_send(b, id, "last", 4), 0);
	bench_wait(b, 10);
	(void)script_data_writes(script_data(b->script));
	(void)modem_link_close(b->m, id, true, "local");
	bench_wait(b, 4000);
	fake_port_hold(b->world.port, false);
	expect_writes(b, "0:last ");
	bench_wait(b, 900);
	expect_peer(b, "last", 4);
	assert_true(script_data_on(script_data(b->script)));
	bench_wait(b, 4000);
	assert_false(script_data_on(script_data(b->script)));
	expect_back(b);
}

/* ------------------------------------------------------------ at every moment */

static void expires(void **state)
{
	struct bench *b = *state;
	struct lease_args args = { .duration_ms = 5000 };
	uint64_t id = lease_with(b, &args);

	bench_wait(b, ALL_IN_MS);
	bench_expect(b, "opened(1) ");
	send_text(b, id, "x");
	bench_wait(b, 10000);
	bench_expect_prefix(b, "sent(1/1,1) closed(1/1,EDQUOT,lease-expired,1/1/0) ");
	expect_back(b);
	bench_restart(b);
	bench_wait(b, 3000);
	bench_forget(b);
	script_answer(b->script, "AT+CIPOPEN=0", "", 1);
	args.duration_ms = 1000;
	id = lease_with(b, &args);
	bench_wait(b, 1100);
	expectf(b, "opened(%u,EDQUOT,lease-expired) ", (unsigned int)id);
	expect_back(b);
}

enum moment { CLOSE, PORT, REBOOT, NETWORK, STOP, MUTE, MOMENTS };

static void happen(struct bench *b, enum moment what, uint64_t id)
{
	switch (what) {
	case CLOSE:
		(void)modem_link_close(b->m, id, true, "local");
		break;
	case PORT:
		fake_port_lose(b->world.port, -EIO);
		break;
	case REBOOT:
		script_reboot(b->script, "\r\n*ATREADY: 1\r\n");
		break;
	case NETWORK:
		script_set(b->script)->net_open = false;
		script_stream_ends(b->script, "\r\nCLOSED\r\n\r\n+CIPEVENT: "
				   "NETWORK CLOSED UNEXPECTEDLY\r\n");
		break;
	case STOP:
		modem_stop(b->m);
		break;
	case MUTE:
		script_set(b->script)->mute = true;
		bench_wait(b, 30000);
		script_set(b->script)->mute = false;
		break;
	case MOMENTS:
		break;
	}
}

static unsigned int count(const char *text, const char *what)
{
	unsigned int n = 0;

	for (text = strstr(text, what); text; text = strstr(text + 1, what))
		n++;

	return n;
}

/* One end, told once; and then all is as it was. */
static void at_any_moment(void **state)
{
	struct bench *b = *state;
	char bad[32];
	unsigned int at;
	enum moment what;
	uint64_t id;

	for (what = 0; what < MOMENTS; what++) {
		for (at = 0; at < 120; at += 4) {
			id = lease(b);
			bench_wait(b, at);
			happen(b, what, id);
			/* REBOOT and what leaves no trace: its time ends it */
			bench_wait(b, SESSION_MS + 20000);
			snprintf(bad, sizeof(bad), "opened(%d,", (int)id);
			if (count(b->log, bad) + count(b->log, "closed(") != 1)
				fail_msg("moment %u at %u ms: <%s>",
					 (unsigned int)what, at, b->log);
			if (what == STOP)
				assert_int_equal(bench_status(b).state,
						 MODEM_STOPPED);
			else
				expect_back(b);
			bench_restart(b);
			bench_wait(b, 8000);
			assert_int_equal(bench_status(b).network, NETWORK_OPEN);
			bench_forget(b);
		}
	}
}

/* The same on the way out, with the pauses of the escape. */
static void at_any_moment_of_the_end(void **state)
{
	struct bench *b = *state;
	unsigned int at;
	enum moment what;
	uint64_t id;

	for (what = PORT; what < MOMENTS; what++) {
		for (at = 0; at < 2400; at += at < 2000 ? 130 : 7) {
			id = leased(b);
			(void)modem_link_close(b->m, id, true, "local");
			bench_wait(b, at);
			/* a network lost in bring-up is not the lease's */
			if (what != NETWORK || !count(b->log, "closed("))
				happen(b, what, id);
			bench_wait(b, 60000);
			if (count(b->log, "closed(") != 1)
				fail_msg("moment %u at %u ms: <%s>",
					 (unsigned int)what, at, b->log);
			if (what != STOP)
				expect_back(b);
			bench_restart(b);
			bench_wait(b, 8000);
			assert_int_equal(bench_status(b).network, NETWORK_OPEN);
			bench_forget(b);
		}
	}
}

/* A stop waits for it, on the way in, too; and no trace is left. */
static void stops(void **state)
{
	struct bench *b = *state;
	unsigned int at;

	for (at = 0; at < 400; at += 20) {
		(void)lease(b);
		bench_wait(b, at);
		modem_stop(b->m);
		bench_wait(b, 9000);	/* less than stop-timeout */
		assert_int_equal(bench_status(b).state, MODEM_STOPPED);
		assert_int_equal(script_set(b->script)->mode, 0);
		assert_false(script_data_on(script_data(b->script)));
		script_forget_heard(b->script);
		bench_restart(b);
		bench_wait(b, 10);
		assert_string_equal(script_command(b->script, 0), "AT");
		bench_wait(b, 8000);
		bench_forget(b);
	}
}

/* The daemon was killed: the next one says +++ before it says AT. */
static void left_in_data_mode(void **state)
{
	struct bench *b = *state;
	uint64_t id = leased(b);

	send_text(b, id, "text");
	bench_wait(b, 10);
	expect_peer(b, "text", 4);
	bench_restart(b);
	bench_wait(b, 6000);
	expect_peer(b, "", 0);
	assert_int_equal(script_set(b->script)->mode, 0);
	expect_back(b);
	/* and only then */
	bench_restart(b);
	bench_wait(b, 10);
	assert_string_equal(script_command(b->script, 0), "AT");
}

/* By whom it is not known: then it is tried when nothing else has helped. */
static void left_by_somebody(void **state)
{
	struct bench *b = *state;

	script_set(b->script)->mode = 1;
	script_set(b->script)->net_open = true;
	script_data_enter(script_data(b->script));
	bench_start(b);
	bench_wait(b, 60000);
	assert_int_equal(bench_status(b).network, NETWORK_OPEN);
	assert_int_equal(script_set(b->script)->mode, 0);
}

#define O(f) cmocka_unit_test_setup_teardown(f, bench_set_up_open, \
					     bench_tear_down)
#define N(f) cmocka_unit_test_setup_teardown(f, bench_set_up, bench_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		O(there_and_back), O(one_at_a_time), O(id_of_its_own),
		O(others_make_room), O(first_byte), O(every_step_fails),
		O(every_order_of_the_end), O(datagrams), O(listens),
		O(listener_comes_back), O(network_goes_down),
		O(restart_is_asked_for),
		O(pluses), O(pluses_at_any_pace), O(escape_with_pauses),
		O(escape_is_lost), O(escape_by_dtr), O(escape_fails),
		O(words_are_payload), O(words_are_true), O(closed_while_in_doubt), O(words_in_pieces),
		O(silence_is_nothing), O(banner_in_the_stream), O(any_bytes),
		O(credit_holds_the_line), O(peer_closes_without_credit),
		O(line_is_full), O(expires), O(at_any_moment),
		O(at_any_moment_of_the_end), O(stops),
		O(left_in_data_mode), N(left_by_somebody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
