/* SPDX-License-Identifier: MIT */

/* The library's questions to the modem: ping, confirmed bytes, options, AT. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "caller.h"

static struct modemclient_ping_options ping;
static struct modemclient_ping_result result;
static char heard[1024];
static unsigned int enough;	/* rows after which it has seen enough */

static char *literal(const char *text)
{
	return (char *)(uintptr_t)text;
}

__attribute__((format(printf, 1, 2)))
static bool note(const char *fmt, ...)
{
	size_t len = strlen(heard);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(heard + len, sizeof(heard) - len, fmt, ap);
	va_end(ap);

	return enough == 0 || --enough > 0;
}

/* -------------------------------------------------------------------- ping */

static bool on_echo(void *ctx, const struct modemclient_echo *e)
{
	struct caller *c = ctx;

	/* it runs where a call waits: none may wait in it */
	assert_int_equal(modemclient_wait_connected(c->mc, 10), -EDEADLK);

	return e->timeout ? note("%u:timeout ", e->seq) :
	       note("%u:%s/%u/%u/%u ", e->seq, e->address, e->size, e->rtt_ms,
		    e->ttl);
}

static ssize_t call_ping(struct caller *c)
{
	return modemclient_ping(c->mc, &ping, c->timeout_ms, on_echo, c,
				&result);
}

static void say_echo(struct fake *f, uint64_t id, uint32_t seq, bool timeout)
{
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;
	Modemd__V1__PingEcho echo = MODEMD__V1__PING_ECHO__INIT;

	echo.has_request_id = echo.has_seq = echo.has_timeout = 1;
	echo.request_id = id;
	echo.seq = seq;
	echo.timeout = timeout;
	if (!timeout) {
		echo.address = literal("192.0.2.1");
		echo.has_size = echo.has_rtt_ms = echo.has_ttl = 1;
		echo.size = 64;
		echo.rtt_ms = 40;
		echo.ttl = 255;
	}
	event.kind_case = MODEMD__V1__EVENT__KIND_PING;
	event.ping = &echo;
	fake_event(f, &event);
}

static void say_ping_reply(struct fake *f, uint64_t id,
			   Modemd__V1__Status status)
{
	Modemd__V1__Reply reply = MODEMD__V1__REPLY__INIT;
	Modemd__V1__PingReply p = MODEMD__V1__PING_REPLY__INIT;

	p.has_sent = p.has_received = p.has_lost = 1;
	p.sent = 3;
	p.received = 2;
	p.lost = 1;
	p.has_min_ms = p.has_max_ms = p.has_avg_ms = 1;
	p.min_ms = 30;
	p.max_ms = 50;
	p.avg_ms = 40;
	p.address = literal("192.0.2.1");
	reply.has_request_id = reply.has_status = 1;
	reply.request_id = id;
	reply.status = status;
	reply.message = literal(status ? "cancelled" : "");
	reply.result_case = MODEMD__V1__REPLY__RESULT_PING;
	reply.ping = &p;
	fake_reply(f, &reply);
}

static void expect_result(void)
{
	assert_int_equal(result.sent, 3);
	assert_int_equal(result.received, 2);
	assert_int_equal(result.lost, 1);
	assert_int_equal(result.min_ms, 30);
	assert_int_equal(result.max_ms, 50);
	assert_int_equal(result.avg_ms, 40);
	assert_string_equal(result.address, "192.0.2.1");
}

static void ping_blocks(void **state)
{
	struct caller *c = *state;
	Modemd__V1__Request *req;

	ping.host = "host";
	ping.count = 3;
	ping.interval_ms = 1000;
	c->timeout_ms = 5000;
	caller_start(c, call_ping);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_PING);
	assert_int_equal(req->ping->host.len, 4);
	assert_memory_equal(req->ping->host.data, "host", 4);
	assert_true(req->ping->has_count && req->ping->count == 3);
	assert_true(req->ping->has_interval_ms);
	assert_int_equal(req->ping->interval_ms, 1000);
	assert_false(req->ping->has_size || req->ping->has_wait_ms ||
		     req->ping->has_ttl);
	say_echo(c->f, req->id, 1, false);
	say_echo(c->f, req->id + 77, 9, false);	/* another's: nobody's */
	say_echo(c->f, req->id, 2, true);
	say_ping_reply(c->f, req->id, MODEMD__V1__STATUS__OK);
	fake_done(req);
	assert_int_equal(caller_finish(c), 0);
	assert_string_equal(heard, "1:192.0.2.1/64/40/255 2:timeout ");
	expect_result();
}

/* By the callback: the counts come all the same, and no echo after it. */
static void ping_stopped_by_the_callback(void **state)
{
	struct caller *c = *state;
	Modemd__V1__Request *req;
	uint64_t id;

	enough = 1;
	caller_start(c, call_ping);
	id = fake_take(c->f, MODEMD__V1__REQUEST__KIND_PING);
	say_echo(c->f, id, 1, true);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_CANCEL);
	assert_int_equal(req->cancel->request_id, id);
	fake_ok(c->f, req->id);
	fake_done(req);
	say_echo(c->f, id, 2, true);
	say_ping_reply(c->f, id, MODEMD__V1__STATUS__CANCELLED);
	assert_int_equal(caller_finish(c), -ECANCELED);
	assert_string_equal(heard, "1:timeout ");
	expect_result();
}

static void ping_ends_badly(void **state)
{
	struct caller *c = *state;
	uint64_t id;

	caller_start(c, call_ping);
	id = fake_take(c->f, MODEMD__V1__REQUEST__KIND_PING);
	fake_error(c->f, id, MODEMD__V1__STATUS__INVALID, "ttl is not in 16-255",
		   "");
	assert_int_equal(caller_finish(c), -EINVAL);
	assert_string_equal(modemclient_error(c->mc),
			    "host: ttl is not in 16-255");
	/* its deadline: modemd need not go on */
	c->timeout_ms = 100;
	caller_start(c, call_ping);
	id = fake_take(c->f, MODEMD__V1__REQUEST__KIND_PING);
	assert_int_equal(caller_finish(c), -ETIMEDOUT);
	fake_take(c->f, MODEMD__V1__REQUEST__KIND_CANCEL);
	say_echo(c->f, id, 1, true);		/* late: nobody's */
	say_ping_reply(c->f, id, MODEMD__V1__STATUS__OK);
	/* another answer than that of a ping */
	c->timeout_ms = 5000;
	caller_start(c, call_ping);
	id = fake_take(c->f, MODEMD__V1__REQUEST__KIND_PING);
	fake_ok(c->f, id);
	assert_int_equal(caller_finish(c), -EPROTO);
	/* and none at all */
	caller_start(c, call_ping);
	fake_take(c->f, MODEMD__V1__REQUEST__KIND_PING);
	fake_hang_up(c->f);
	assert_int_equal(caller_finish(c), -ENOTCONN);
	ping.host = "";
	assert_int_equal(call_ping(c), -ENOTCONN);
	assert_string_equal(heard, "");
}

/* In an event loop: PING events, then REPLY with the counts. */
static void note_event(struct caller *c, const struct modemclient_event *ev)
{
	(void)c;
	if (ev->type == MODEMCLIENT_EVENT_PING)
		note("ping:%u ", ev->echo->seq);
	if (ev->type == MODEMCLIENT_EVENT_REPLY)
		note("reply:%d:%u/%u ", ev->err, ev->ping->sent,
		     ev->ping->received);
}

static void ping_with_events(void **state)
{
	struct caller *c = *state;
	uint64_t request = 0, id;

	c->in_callback = note_event;
	ping.host = "host";
	assert_int_equal(modemclient_ping_start(c->mc, &ping, &request), 0);
	id = fake_take(c->f, MODEMD__V1__REQUEST__KIND_PING);
	assert_int_equal(id, request);
	say_echo(c->f, id, 1, false);
	caller_process(c);
	assert_int_equal(modemclient_cancel(c->mc, request), 0);
	modemclient_process(c->mc);
	fake_take(c->f, MODEMD__V1__REQUEST__KIND_CANCEL);
	say_ping_reply(c->f, id, MODEMD__V1__STATUS__CANCELLED);
	caller_process(c);
	assert_string_equal(heard, "ping:1 reply:-125:3/2 ");
	assert_int_equal(modemclient_cancel(c->mc, request), -ENOENT);
}

/* --------------------------------------------------------- confirmed bytes */

static struct modemclient_confirmed confirmed;

static ssize_t call_confirmed(struct caller *c)
{
	return modemclient_confirmed(c->link, c->timeout_ms, &confirmed);
}

static void confirmed_bytes(void **state)
{
	Modemd__V1__Reply reply = MODEMD__V1__REPLY__INIT;
	Modemd__V1__ConfirmedReply r = MODEMD__V1__CONFIRMED_REPLY__INIT;
	struct caller *c = *state;
	Modemd__V1__Request *req;

	caller_open(c, 7);
	c->timeout_ms = 5000;
	caller_start(c, call_confirmed);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_CONFIRMED);
	assert_int_equal(req->confirmed->link, 7);
	r.has_sent = r.has_confirmed = r.has_received = 1;
	r.has_delivered = r.has_lost = 1;
	r.sent = 9000000000;
	r.confirmed = 8;
	r.received = 7;
	r.delivered = 6;
	r.lost = 1;
	reply.has_request_id = reply.has_status = 1;
	reply.request_id = req->id;
	reply.result_case = MODEMD__V1__REPLY__RESULT_CONFIRMED;
	reply.confirmed = &r;
	fake_reply(c->f, &reply);
	fake_done(req);
	assert_int_equal(caller_finish(c), 0);
	assert_int_equal(confirmed.sent, 9000000000);
	assert_int_equal(confirmed.confirmed, 8);
	assert_int_equal(confirmed.received, 7);
	assert_int_equal(confirmed.delivered, 6);
	assert_int_equal(confirmed.lost, 1);
	caller_start(c, call_confirmed);
	fake_error(c->f, fake_take(c->f, MODEMD__V1__REQUEST__KIND_CONFIRMED),
		   MODEMD__V1__STATUS__NOT_SUPPORTED, "cannot", "");
	assert_int_equal(caller_finish(c), -EOPNOTSUPP);
	assert_int_equal(confirmed.sent, 0);
}

static void confirmed_event(void **state)
{
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;
	Modemd__V1__Confirmed ev = MODEMD__V1__CONFIRMED__INIT;
	struct modemclient_counts counts;
	struct caller *c = *state;

	caller_open(c, 7);
	ev.has_link = ev.has_epoch = ev.has_confirmed = 1;
	ev.link = 7;
	ev.epoch = 1;
	ev.confirmed = 42;
	event.kind_case = MODEMD__V1__EVENT__KIND_CONFIRMED;
	event.confirmed = &ev;
	fake_event(c->f, &event);
	caller_process(c);
	modemclient_link_counts(c->link, &counts);
	assert_int_equal(counts.confirmed, 42);
	assert_non_null(strstr(c->heard, "confirmed:42 "));
	/* of an epoch that has ended: no news */
	c->heard[0] = '\0';
	ev.epoch = 9;
	ev.confirmed = 43;
	fake_event(c->f, &event);
	caller_process(c);
	modemclient_link_counts(c->link, &counts);
	assert_int_equal(counts.confirmed, 42);
	assert_string_equal(c->heard, "");
}

/* --------------------------------------------------------------------- AT */

static bool on_line(void *ctx, const char *line)
{
	assert_ptr_equal(ctx, heard);

	return note("%s|", line);
}

static char final[32];

static ssize_t call_at(struct caller *c)
{
	return modemclient_at(c->mc, c->text, c->len != 0, c->timeout_ms,
			      on_line, heard, final, sizeof(final));
}

static void say_at(struct fake *f, uint64_t id, Modemd__V1__Status status,
		   const char *last)
{
	Modemd__V1__Reply reply = MODEMD__V1__REPLY__INIT;
	Modemd__V1__AtReply at = MODEMD__V1__AT_REPLY__INIT;
	char *lines[] = { literal("+CSQ: 1,2"), literal("more") };

	at.n_line = 2;
	at.line = lines;
	at.final = literal(last);
	reply.has_request_id = reply.has_status = 1;
	reply.request_id = id;
	reply.status = status;
	reply.message = literal("words");
	reply.result_case = MODEMD__V1__REPLY__RESULT_AT;
	reply.at = &at;
	fake_reply(f, &reply);
}

static void raw_at(void **state)
{
	struct caller *c = *state;
	Modemd__V1__Request *req;
	uint64_t id;

	c->text = "AT+CSQ";
	c->len = 1;
	c->timeout_ms = 5000;
	caller_start(c, call_at);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_AT);
	assert_int_equal(req->at->command.len, 6);
	assert_true(req->at->force);
	/* modemd gives up before we do */
	assert_in_range(req->at->timeout_ms, 4000, 4999);
	say_at(c->f, req->id, MODEMD__V1__STATUS__OK, "OK");
	fake_done(req);
	assert_int_equal(caller_finish(c), 0);
	assert_string_equal(heard, "+CSQ: 1,2|more|");
	assert_string_equal(final, "OK");
	/* the modem says no: its lines count too; two are enough, one is not */
	heard[0] = '\0';
	enough = 1;
	c->len = 0;
	caller_start(c, call_at);
	id = fake_take(c->f, MODEMD__V1__REQUEST__KIND_AT);
	say_at(c->f, id, MODEMD__V1__STATUS__MODEM_ERROR, "ERROR");
	assert_int_equal(caller_finish(c), -EREMOTEIO);
	assert_string_equal(heard, "+CSQ: 1,2|");
	assert_string_equal(final, "ERROR");
	/* refused by modemd: it has no final line */
	caller_start(c, call_at);
	id = fake_take(c->f, MODEMD__V1__REQUEST__KIND_AT);
	fake_error(c->f, id, MODEMD__V1__STATUS__INVALID, "not sent", "");
	assert_int_equal(caller_finish(c), -EINVAL);
	assert_string_equal(final, "");
	assert_string_equal(modemclient_error(c->mc), "AT+CSQ: not sent");
	c->text = "";
	assert_int_equal(call_at(c), -EINVAL);
}

/* ----------------------------------------------------------------- options */

static bool on_setting(void *ctx, const struct modemclient_setting *s)
{
	assert_ptr_equal(ctx, heard);

	return note("%s=%s(%s,%lld-%lld,%lld,%s,%s,%d) ", s->name, s->value,
		    s->wanted, (long long)s->min, (long long)s->max,
		    (long long)s->default_value, s->command, s->by, s->fixed);
}

static const char *const *wishes;

static ssize_t call_config(struct caller *c)
{
	return modemclient_config(c->mc, wishes, c->timeout_ms, on_setting,
				  heard);
}

static void options(void **state)
{
	static const char *const two[] = { "a=1", "dns-retries=2", NULL };
	static const char *const bad[] = { "a=1", "no equals sign", NULL };
	Modemd__V1__Reply reply = MODEMD__V1__REPLY__INIT;
	Modemd__V1__ConfigReply config = MODEMD__V1__CONFIG_REPLY__INIT;
	Modemd__V1__Setting one = MODEMD__V1__SETTING__INIT;
	Modemd__V1__Setting empty = MODEMD__V1__SETTING__INIT;
	Modemd__V1__Setting *list[] = { &one, &empty };
	struct caller *c = *state;
	Modemd__V1__Request *req;

	wishes = two;
	c->timeout_ms = 5000;
	caller_start(c, call_config);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_CONFIG);
	assert_int_equal(req->config->n_set, 2);
	assert_string_equal(req->config->set[0]->name, "a");
	assert_string_equal(req->config->set[0]->value, "1");
	assert_string_equal(req->config->set[1]->name, "dns-retries");
	assert_string_equal(req->config->set[1]->value, "2");
	one.name = literal("dns-retries");
	one.value = literal("7");
	one.wanted = literal("2");
	one.has_max = one.has_default_value = one.has_fixed = 1;
	one.max = 9;
	one.default_value = 5;
	one.fixed = 1;
	one.command = literal("AT+X");
	one.by = literal("modem");
	config.n_setting = 2;
	config.setting = list;
	reply.has_request_id = reply.has_status = 1;
	reply.request_id = req->id;
	reply.result_case = MODEMD__V1__REPLY__RESULT_CONFIG;
	reply.config = &config;
	fake_reply(c->f, &reply);
	fake_done(req);
	assert_int_equal(caller_finish(c), 0);
	assert_string_equal(heard, "dns-retries=7(2,0-9,5,AT+X,modem,1) "
			    "=(,0-0,0,,,0) ");
	wishes = bad;
	assert_int_equal(call_config(c), -EINVAL);
	assert_true(fake_silent(c->f));
}

static int set_up(void **state)
{
	memset(&ping, 0, sizeof(ping));
	ping.size = sizeof(ping);
	ping.host = "host";
	memset(&result, 0xff, sizeof(result));
	heard[0] = '\0';
	enough = 0;
	*state = caller_new(65536, 65536, true);
	((struct caller *)*state)->timeout_ms = 5000;

	return 0;
}

static int tear_down(void **state)
{
	caller_free(*state);

	return 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(ping_blocks), T(ping_stopped_by_the_callback),
		T(ping_ends_badly), T(ping_with_events), T(confirmed_bytes),
		T(confirmed_event), T(raw_at), T(options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
