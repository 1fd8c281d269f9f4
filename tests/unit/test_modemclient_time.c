/* SPDX-License-Identifier: MIT */

/* The library: the modem's clock, and families of addresses. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "caller.h"

static struct modemclient_time_options change;
static const struct modemclient_time_options *set;
static char heard[512];
static enum modemclient_family family;

static char *literal(const char *text)
{
	return (char *)(uintptr_t)text;
}

static bool on_row(void *ctx, const struct modemclient_time *t)
{
	(void)ctx;
	snprintf(heard, sizeof(heard), "%d %s,%s,%s %d %u %lld %s", t->sntp,
		 t->servers[0] ? t->servers[0] : "-",
		 t->servers[1] ? t->servers[1] : "-",
		 t->servers[2] ? t->servers[2] : "-", t->zone_min,
		 t->interval_s, (long long)t->time_ms, t->text);

	return true;
}

static ssize_t call_time(struct caller *c)
{
	return modemclient_time(c->mc, set, 1000, on_row, NULL);
}

static void say_time(struct fake *f, uint64_t id, bool known)
{
	Modemd__V1__Reply reply = MODEMD__V1__REPLY__INIT;
	Modemd__V1__TimeReply t = MODEMD__V1__TIME_REPLY__INIT;
	char *servers[4] = { literal("a"), literal("b"), literal("c"),
			     literal("one too many") };

	t.has_sntp = t.sntp = 1;
	t.n_server = 4;
	t.server = servers;
	t.has_zone_min = 1;
	t.zone_min = -330;
	t.has_interval_s = 1;
	t.interval_s = 3600;
	t.has_time_ms = known;
	t.time_ms = 1634665676000;
	t.text = literal("Tue Oct 19");
	reply.has_request_id = reply.has_status = 1;
	reply.request_id = id;
	reply.result_case = MODEMD__V1__REPLY__RESULT_TIME;
	reply.time = &t;
	fake_reply(f, &reply);
}

static void clock_is_read(void **state)
{
	struct caller *c = *state;
	Modemd__V1__Request *req;

	set = NULL;
	caller_start(c, call_time);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_TIME);
	assert_false(req->time->has_sntp || req->time->has_zone_min ||
		     req->time->has_interval_s || req->time->n_server);
	say_time(c->f, req->id, true);
	fake_done(req);
	assert_int_equal(caller_finish(c), 0);
	assert_string_equal(heard, "1 a,b,c -330 3600 1634665676000 "
			    "Tue Oct 19");

	caller_start(c, call_time);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_TIME);
	say_time(c->f, req->id, false);
	fake_done(req);
	assert_int_equal(caller_finish(c), 0);
	assert_string_equal(heard, "1 a,b,c -330 3600 -1 Tue Oct 19");
}

static void clock_is_set(void **state)
{
	struct caller *c = *state;
	Modemd__V1__Request *req;

	change = (struct modemclient_time_options)
		 MODEMCLIENT_TIME_OPTIONS_INIT;
	change.set_sntp = true;
	change.servers[0] = "one";
	change.servers[1] = "two";
	change.set_zone = true;
	change.zone_min = 0;
	change.interval_s = 60;
	set = &change;
	caller_start(c, call_time);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_TIME);
	assert_true(req->time->has_sntp && !req->time->sntp);
	assert_true(req->time->has_zone_min && req->time->zone_min == 0);
	assert_true(req->time->has_interval_s);
	assert_int_equal(req->time->interval_s, 60);
	assert_int_equal(req->time->n_server, 2);
	assert_memory_equal(req->time->server[1].data, "two", 3);
	fake_error(c->f, req->id, MODEMD__V1__STATUS__NOT_SUPPORTED, "no",
		   NULL);
	fake_done(req);
	assert_int_equal(caller_finish(c), -EOPNOTSUPP);

	/* a program of an earlier version: what it has no room for is not */
	change.size = offsetof(struct modemclient_time_options, set_zone);
	caller_start(c, call_time);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_TIME);
	assert_true(req->time->has_sntp);
	assert_false(req->time->has_zone_min || req->time->has_interval_s);
	fake_error(c->f, req->id, MODEMD__V1__STATUS__NOT_SUPPORTED, "no",
		   NULL);
	fake_done(req);
	assert_int_equal(caller_finish(c), -EOPNOTSUPP);

	change.size = sizeof(change);
	change.servers[0] = "";
	caller_start(c, call_time);
	assert_int_equal(caller_finish(c), -EINVAL);
}

static ssize_t call_resolve(struct caller *c)
{
	char **addresses;

	return modemclient_resolve_family(c->mc, "name", family, 1000,
					  &addresses);
}

static ssize_t call_ping(struct caller *c)
{
	struct modemclient_ping_options o = MODEMCLIENT_PING_OPTIONS_INIT;
	struct modemclient_ping_result result;

	o.host = "name";
	o.family = family;

	return modemclient_ping(c->mc, &o, 1000, NULL, NULL, &result);
}

static ssize_t call_listen(struct caller *c)
{
	struct modemclient_listen_options o = MODEMCLIENT_LISTEN_OPTIONS_INIT;
	struct modemclient_listener *l;

	o.port = 443;
	o.family = family;
	o.tls = family != MODEMCLIENT_IPV4;
	o.verify = true;

	return modemclient_listen(c->mc, &o, 1000, &l);
}

static void expect_no(struct caller *c, Modemd__V1__Request *req)
{
	fake_error(c->f, req->id, MODEMD__V1__STATUS__NOT_SUPPORTED, "no",
		   NULL);
	fake_done(req);
	assert_int_equal(caller_finish(c), -EOPNOTSUPP);
}

static void families(void **state)
{
	struct caller *c = *state;
	Modemd__V1__Request *req;

	family = MODEMCLIENT_IPV6;
	caller_start(c, call_resolve);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_RESOLVE);
	assert_true(req->resolve->has_family);
	assert_int_equal(req->resolve->family, MODEMD__V1__FAMILY__IPV6);
	expect_no(c, req);

	caller_start(c, call_ping);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_PING);
	assert_int_equal(req->ping->family, MODEMD__V1__FAMILY__IPV6);
	expect_no(c, req);

	caller_start(c, call_listen);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_LISTEN);
	assert_int_equal(req->listen->family, MODEMD__V1__FAMILY__IPV6);
	assert_true(req->listen->tls && req->listen->verify);
	expect_no(c, req);

	family = MODEMCLIENT_ANY;	/* nothing is said of it */
	caller_start(c, call_resolve);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_RESOLVE);
	assert_false(req->resolve->has_family);
	expect_no(c, req);

	family = MODEMCLIENT_IPV4;	/* verify, but no TLS */
	caller_start(c, call_listen);
	assert_int_equal(caller_finish(c), -EINVAL);
}

static int set_up(void **state)
{
	*state = caller_new(65536, 65536, false);

	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	caller_free(*state);

	return 0;
}

#define T(test)	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(clock_is_read), T(clock_is_set), T(families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
