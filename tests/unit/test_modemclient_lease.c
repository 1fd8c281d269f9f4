/* SPDX-License-Identifier: MIT */

/* The library's lease: asked for, connected late, taken back, answered. */

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

#define OK	MODEMD__V1__STATUS__OK
#define LEASE	MODEMD__V1__REQUEST__KIND_LEASE

static struct modemclient_lease_options options(void)
{
	struct modemclient_lease_options o = MODEMCLIENT_LEASE_OPTIONS_INIT;

	o.host = "peer.example";
	o.port = 7;

	return o;
}

static ssize_t call_lease(struct caller *c)
{
	struct modemclient_lease_options o = options();

	o.wait_ms = 1500;
	o.duration_ms = 60000;
	o.credit = 2000;

	return modemclient_lease(c->mc, &o, c->timeout_ms, &c->link);
}

static void test_request(void **state)
{
	struct caller *c = caller_new(0, 0, false);
	Modemd__V1__Request *req;

	(void)state;
	caller_start(c, call_lease);
	req = fake_expect(c->f, LEASE);
	assert_int_equal(req->lease->host.len, 12);
	assert_memory_equal(req->lease->host.data, "peer.example", 12);
	assert_int_equal(req->lease->port, 7);
	assert_int_equal(req->lease->type, MODEMD__V1__LINK_TYPE__TCP);
	assert_false(req->lease->has_local_port);
	assert_false(req->lease->listen);
	assert_int_equal(req->lease->duration_ms, 60000);
	assert_int_equal(req->lease->wait_ms, 1500);
	assert_int_equal(req->lease->credit, 2000);
	/* connected, and bytes in the same breath */
	fake_open_reply(c->f, req->id, 7);
	fake_data(c->f, 7, "hello", 5);
	fake_done(req);
	assert_int_equal(caller_finish(c), 0);
	assert_int_equal(modemclient_link_id(c->link), 7);
	assert_int_equal(modemclient_link_epoch(c->link), 1);
	c->len = 5;
	c->timeout_ms = 2000;
	caller_start(c, call_read);
	assert_int_equal(caller_finish(c), 5);
	assert_memory_equal(c->buf, "hello", 5);
	assert_int_equal(modemclient_write(c->link, "x", 1, 0), 1);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_SEND);
	assert_int_equal(req->send->link, 7);
	assert_int_equal(req->send->epoch, 1);
	fake_done(req);
	fake_closed(c->f, 7, 1, MODEMD__V1__STATUS__LIMIT, "lease-expired", 1,
		    1, 5);
	assert_int_equal(caller_process(c), 0);
	assert_int_equal(modemclient_link_error(c->link), -EDQUOT);
	caller_free(c);
}

static void test_listen_and_udp(void **state)
{
	struct caller *c = caller_new(0, 0, true);
	struct modemclient_lease_options o = options();
	struct modemclient_link *link;
	Modemd__V1__Request *req;

	(void)state;
	o.host = NULL;
	o.listen = true;
	assert_int_equal(modemclient_lease_start(c->mc, &o, &link), 0);
	req = fake_expect(c->f, LEASE);
	assert_true(req->lease->listen);
	assert_false(req->lease->has_host);
	fake_done(req);
	o = options();
	o.udp = true;
	o.local_port = 5000;
	assert_int_equal(modemclient_lease_start(c->mc, &o, &link), 0);
	req = fake_expect(c->f, LEASE);
	assert_int_equal(req->lease->type, MODEMD__V1__LINK_TYPE__UDP);
	assert_int_equal(req->lease->local_port, 5000);
	fake_error(c->f, req->id, MODEMD__V1__STATUS__BUSY, "in use by a",
		   NULL);
	fake_done(req);
	assert_int_equal(caller_process(c), 0);
	assert_string_equal(c->heard, "opened:-16 ");
	assert_string_equal(modemclient_link_reason(link), "in use by a");
	caller_free(c);
}

static void test_bad_options(void **state)
{
	struct caller *c = caller_new(0, 0, false);
	struct modemclient_lease_options o;
	struct modemclient_link *link;

	(void)state;
#define BAD(what) do {							\
		o = options();						\
		what;							\
		assert_int_equal(modemclient_lease(c->mc, &o, 10, &link), \
				 -EINVAL);				\
		assert_null(link);					\
		assert_non_null(strstr(modemclient_error(c->mc), "lease"));\
	} while (0)
	BAD(o.host = NULL);
	BAD(o.host = "");
	BAD(o.port = 0);
	BAD(o.listen = true);
	BAD(o.host = NULL; o.listen = true; o.udp = true);
	BAD(o.duration_ms = 999);
	BAD(o.duration_ms = 3600001);
	BAD(o.wait_ms = 600001);
	BAD(o.credit = 1);
#undef BAD
	assert_true(fake_silent(c->f));
	caller_free(c);
}

static uint64_t take_cancel(struct caller *c)
{
	Modemd__V1__Request *req;
	uint64_t id;

	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_CANCEL);
	id = req->cancel->request_id;
	fake_ok(c->f, req->id);
	fake_done(req);

	return id;
}

static void test_deadline(void **state)
{
	struct caller *c = caller_new(0, 0, true);
	Modemd__V1__Request *req;
	uint64_t id;

	(void)state;
	c->timeout_ms = 60;
	caller_start(c, call_lease);
	id = fake_take(c->f, LEASE);
	assert_int_equal(caller_finish(c), -ETIMEDOUT);
	assert_null(c->link);
	caller_process(c);
	assert_int_equal(take_cancel(c), id);
	/* it was granted in that moment: given back */
	fake_open_reply(c->f, id, 9);
	assert_int_equal(caller_process(c), 0);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_UNLEASE);
	assert_int_equal(req->unlease->link, 9);
	fake_done(req);
	caller_free(c);
}

/* Freed or closed while it waits: the wish is taken back. */
static void test_taken_back(void **state)
{
	struct caller *c = caller_new(0, 0, true);
	struct modemclient_lease_options o = options();
	struct modemclient_link *link;
	uint64_t id;

	(void)state;
	assert_int_equal(modemclient_lease_start(c->mc, &o, &link), 0);
	id = fake_take(c->f, LEASE);
	modemclient_link_free(link);
	assert_int_equal(take_cancel(c), id);
	fake_error(c->f, id, MODEMD__V1__STATUS__CANCELLED, NULL, NULL);
	assert_int_equal(caller_process(c), 0);
	assert_string_equal(c->heard, "");
	assert_int_equal(modemclient_lease_start(c->mc, &o, &c->link), 0);
	id = fake_take(c->f, LEASE);
	caller_start(c, call_close);
	assert_int_equal(take_cancel(c), id);
	fake_error(c->f, id, MODEMD__V1__STATUS__CANCELLED, NULL, NULL);
	assert_int_equal(caller_finish(c), 0);
	c->link = NULL;
	assert_true(fake_silent(c->f));
	caller_free(c);
}

static ssize_t call_unlease(struct caller *c)
{
	return modemclient_unlease(c->mc, 77, 2000);
}

static void test_unlease(void **state)
{
	struct caller *c = caller_new(0, 0, false);
	Modemd__V1__Request *req;

	(void)state;
	caller_start(c, call_unlease);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_UNLEASE);
	assert_int_equal(req->unlease->link, 77);
	fake_error(c->f, req->id, MODEMD__V1__STATUS__NO_PERMISSION, "it is "
		   "a's", NULL);
	fake_done(req);
	assert_int_equal(caller_finish(c), -EPERM);
	assert_string_equal(modemclient_error(c->mc), "unlease: it is a's");
	caller_start(c, call_unlease);
	fake_ok(c->f, fake_take(c->f, MODEMD__V1__REQUEST__KIND_UNLEASE));
	assert_int_equal(caller_finish(c), 0);
	caller_free(c);
}

static void lease_event(struct caller *c, const char *state)
{
	Modemd__V1__LeaseEvent lease = MODEMD__V1__LEASE_EVENT__INIT;
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;

	lease.has_link = lease.has_left_ms = 1;
	lease.link = 77;
	lease.left_ms = 10000;
	lease.state = (char *)(uintptr_t)state;
	lease.client = (char *)(uintptr_t)"asker";
	event.kind_case = MODEMD__V1__EVENT__KIND_LEASE;
	event.lease = &lease;
	fake_event(c->f, &event);
}

static void agree(struct caller *c, const struct modemclient_event *ev)
{
	assert_int_equal(ev->type, MODEMCLIENT_EVENT_LEASE);
	assert_string_equal(ev->state, "asked");
	assert_string_equal(ev->reason, "asker");
	assert_int_equal(ev->deadline_ms, 10000);
	assert_int_equal(modemclient_lease_answer(c->mc, ev->count, true), 0);
}

static void test_answer(void **state)
{
	struct caller *c = caller_new(0, 0, true);
	Modemd__V1__Request *req;

	(void)state;
	c->in_callback = agree;
	lease_event(c, "asked");
	assert_int_equal(caller_process(c), 0);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_LEASE_ANSWER);
	assert_int_equal(req->lease_answer->link, 77);
	assert_true(req->lease_answer->agree);
	fake_done(req);
	c->in_callback = NULL;
	lease_event(c, "ended");
	assert_int_equal(caller_process(c), 0);
	assert_string_equal(c->heard, "lease:ended ");
	caller_free(c);
}

static ssize_t call_status(struct caller *c)
{
	struct modemclient_status *st;
	int err = modemclient_status(c->mc, c->timeout_ms, &st);

	if (err < 0)
		return err;
	c->buf[0] = '\0';
	if (st->lease)
		snprintf(c->buf, sizeof(c->buf), "%d %s %s %s %u",
			 (int)st->lease->link, st->lease->client,
			 st->lease->remote, st->lease->state,
			 st->lease->left_ms);
	modemclient_status_free(st);

	return 0;
}

static void test_status(void **state)
{
	Modemd__V1__StatusReply status = MODEMD__V1__STATUS_REPLY__INIT;
	Modemd__V1__LeaseInfo lease = MODEMD__V1__LEASE_INFO__INIT;
	Modemd__V1__Reply reply = MODEMD__V1__REPLY__INIT;
	struct caller *c = caller_new(0, 0, true);

	(void)state;
	lease.has_link = lease.has_left_ms = 1;
	lease.link = 5;
	lease.client = (char *)(uintptr_t)"a";
	lease.state = (char *)(uintptr_t)"connected";
	lease.left_ms = 1234;
	reply.has_request_id = 1;
	reply.result_case = MODEMD__V1__REPLY__RESULT_STATUS_REPLY;
	reply.status_reply = &status;
	caller_start(c, call_status);
	reply.request_id = fake_take(c->f, MODEMD__V1__REQUEST__KIND_STATUS);
	fake_reply(c->f, &reply);
	assert_int_equal(caller_finish(c), 0);
	assert_string_equal(c->buf, "");
	status.lease = &lease;
	caller_start(c, call_status);
	reply.request_id = fake_take(c->f, MODEMD__V1__REQUEST__KIND_STATUS);
	fake_reply(c->f, &reply);
	assert_int_equal(caller_finish(c), 0);
	assert_string_equal(c->buf, "5 a  connected 1234");
	caller_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_listen_and_udp),
		cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_taken_back),
		cmocka_unit_test(test_unlease),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
