/* SPDX-License-Identifier: MIT */

/* Listeners of the library: what waits for accept(), and what nobody takes. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "caller.h"

static struct modemclient_listener *listener;
static struct modemclient_listen_options opts;

static char *literal(const char *text)
{
	return (char *)(uintptr_t)text;
}

static int set_up(void **state)
{
	*state = caller_new(0, 0, true);
	listener = NULL;
	opts = (struct modemclient_listen_options)
		MODEMCLIENT_LISTEN_OPTIONS_INIT;
	opts.port = 8080;

	return 0;
}

static int tear_down(void **state)
{
	caller_free(*state);

	return 0;
}

static ssize_t call_listen(struct caller *c)
{
	return modemclient_listen(c->mc, &opts, c->timeout_ms, &listener);
}

static ssize_t call_accept(struct caller *c)
{
	return modemclient_accept(listener, c->timeout_ms, &c->link);
}

static ssize_t call_close_listener(struct caller *c)
{
	return modemclient_listener_close(listener, c->timeout_ms);
}

static ssize_t call_policy(struct caller *c)
{
	static const char *const allow[] = { "10.0.0.0/8", NULL };

	return modemclient_accept_policy(listener, 2, c->len ? allow : NULL,
					 c->timeout_ms);
}

static void say_listening(struct caller *c, uint64_t request, uint64_t id)
{
	Modemd__V1__ListenReply listen = MODEMD__V1__LISTEN_REPLY__INIT;
	Modemd__V1__Reply reply = MODEMD__V1__REPLY__INIT;

	listen.has_listener = 1;
	listen.listener = id;
	reply.request_id = request;
	reply.result_case = MODEMD__V1__REPLY__RESULT_LISTEN;
	reply.listen = &listen;
	fake_reply(c->f, &reply);
}

static void say_accepted(struct caller *c, uint64_t id, uint64_t link,
			 const char *peer, Modemd__V1__Status status)
{
	Modemd__V1__Accepted accepted = MODEMD__V1__ACCEPTED__INIT;
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;

	accepted.has_listener = 1;
	accepted.listener = id;
	accepted.has_link = link != 0;
	accepted.link = link;
	accepted.peer = literal(peer);
	accepted.has_status = 1;
	accepted.status = status;
	event.kind_case = MODEMD__V1__EVENT__KIND_ACCEPTED;
	event.accepted = &accepted;
	fake_event(c->f, &event);
}

static void say_lost(struct caller *c, uint64_t id)
{
	Modemd__V1__ListenerLost lost = MODEMD__V1__LISTENER_LOST__INIT;
	Modemd__V1__ListenerRestored restored =
		MODEMD__V1__LISTENER_RESTORED__INIT;
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;

	lost.has_listener = restored.has_listener = 1;
	lost.listener = restored.listener = id;
	lost.reason = literal("network-lost");
	event.kind_case = MODEMD__V1__EVENT__KIND_LISTENER_LOST;
	event.listener_lost = &lost;
	fake_event(c->f, &event);
	event.kind_case = MODEMD__V1__EVENT__KIND_LISTENER_RESTORED;
	event.listener_restored = &restored;
	fake_event(c->f, &event);
}

static void listen_as(struct caller *c, uint64_t id)
{
	caller_start(c, call_listen);
	say_listening(c, fake_take(c->f, MODEMD__V1__REQUEST__KIND_LISTEN),
		      id);
	assert_int_equal(caller_finish(c), 0);
	assert_int_equal(modemclient_listener_id(listener), id);
}

static void expect_close(struct caller *c, uint64_t link)
{
	Modemd__V1__Request *req;

	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_CLOSE);
	assert_int_equal(req->close->link, link);
	assert_true(req->close->abort);
	fake_done(req);
}

static void finish_listener(struct caller *c)
{
	caller_start(c, call_close_listener);
	fake_ok(c->f, fake_take(c->f, MODEMD__V1__REQUEST__KIND_UNLISTEN));
	assert_int_equal(caller_finish(c), 0);
}

/* -------------------------------------------------------------------- tests */

static void what_it_asks(void **state)
{
	static const char *const allow[] = { "10.0.0.0/8", "192.0.2.1", NULL };
	struct caller *c = *state;
	Modemd__V1__Request *req;

	opts.backlog = 2;
	opts.max_links = 5;
	opts.idle_timeout_ms = 7000;
	opts.credit = 4096;
	opts.wait_ms = 100;
	opts.allow = allow;
	opts.data = c;
	caller_start(c, call_listen);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_LISTEN);
	assert_int_equal(req->listen->port, 8080);
	assert_int_equal(req->listen->backlog, 2);
	assert_int_equal(req->listen->max_links, 5);
	assert_int_equal(req->listen->idle_timeout_ms, 7000);
	assert_int_equal(req->listen->credit, 4096);
	assert_int_equal(req->listen->wait_ms, 100);
	assert_int_equal(req->listen->n_allow, 2);
	assert_memory_equal(req->listen->allow[1].data, "192.0.2.1", 9);
	say_listening(c, req->id, 3);
	fake_done(req);
	assert_int_equal(caller_finish(c), 0);
	assert_ptr_equal(modemclient_listener_get_data(listener), c);
	finish_listener(c);
}

static void bytes_of_a_connection(void **state)
{
	struct caller *c = *state;

	listen_as(c, 3);
	caller_start(c, call_accept);
	say_accepted(c, 3, 9, "10.1.2.3:4", MODEMD__V1__STATUS__OK);
	fake_data(c->f, 9, "hello", 5);
	assert_int_equal(caller_finish(c), 0);
	assert_string_equal(modemclient_link_remote(c->link), "10.1.2.3:4");
	assert_int_equal(modemclient_link_id(c->link), 9);
	assert_int_equal(modemclient_link_epoch(c->link), 1);
	c->len = 5;
	assert_int_equal(call_read(c), 5);
	assert_memory_equal(c->buf, "hello", 5);
	assert_int_equal(modemclient_write(c->link, "hi", 2, 0), 2);
	fake_ok(c->f, fake_take(c->f, MODEMD__V1__REQUEST__KIND_SEND));
	fake_sent(c->f, 9, 1, 2);
	assert_int_equal(modemclient_drain(c->link, 5000), 0);
	/* its events are told from accept() on */
	fake_closed(c->f, 9, 1, MODEMD__V1__STATUS__PEER_CLOSED, "peer", 2, 2,
		    5);
	caller_process(c);
	assert_string_equal(c->heard, "accepted sent:2 closed:-32 taken:2 ");
	modemclient_link_free(c->link);
	finish_listener(c);
	assert_true(fake_silent(c->f));
}

/* In the order of their coming; also what has ended meanwhile. */
static void several_wait(void **state)
{
	struct caller *c = *state;
	struct modemclient_link *one, *two;

	listen_as(c, 3);
	say_accepted(c, 3, 9, "10.0.0.1:1", MODEMD__V1__STATUS__OK);
	say_accepted(c, 3, 10, "10.0.0.1:2", MODEMD__V1__STATUS__OK);
	fake_data(c->f, 9, "late", 4);
	fake_closed(c->f, 9, 1, MODEMD__V1__STATUS__PEER_CLOSED, "peer", 0, 0,
		    4);
	say_accepted(c, 3, 0, "10.0.0.1:3", MODEMD__V1__STATUS__LIMIT);
	caller_process(c);
	assert_string_equal(c->heard, "accepted accepted refused:-122 ");
	assert_int_equal(modemclient_accept(listener, 0, &one), 0);
	assert_int_equal(modemclient_accept(listener, 0, &two), 0);
	assert_string_equal(modemclient_link_remote(two), "10.0.0.1:2");
	assert_int_equal(modemclient_accept(listener, 0, &c->link), -EAGAIN);
	assert_null(c->link);
	assert_int_equal(modemclient_read(one, c->buf, 10, 0), 4);
	assert_int_equal(modemclient_read(one, c->buf, 10, 0), 0);
	modemclient_link_free(one);
	assert_true(fake_silent(c->f));
	modemclient_link_free(two);
	expect_close(c, 10);
	finish_listener(c);
}

/* Said in one breath with the reply: it is not lost. */
static void accepted_with_the_reply(void **state)
{
	struct caller *c = *state;
	uint64_t request;

	caller_start(c, call_listen);
	request = fake_take(c->f, MODEMD__V1__REQUEST__KIND_LISTEN);
	c->f->collect = true;
	say_listening(c, request, 3);
	say_accepted(c, 3, 9, "10.0.0.1:1", MODEMD__V1__STATUS__OK);
	fake_data(c->f, 9, "x", 1);
	c->f->collect = false;
	fake_raw(c->f, c->f->out, c->f->out_len);
	assert_int_equal(caller_finish(c), 0);
	assert_int_equal(modemclient_accept(listener, 1000, &c->link), 0);
	c->len = 1;
	assert_int_equal(call_read(c), 1);
	modemclient_link_free(c->link);
	expect_close(c, 9);
	finish_listener(c);
}

/* Nobody may keep a socket of the modem without knowing. */
static void what_nobody_takes_is_closed(void **state)
{
	struct caller *c = *state;
	uint64_t request;

	listen_as(c, 3);
	say_accepted(c, 3, 9, "10.0.0.1:1", MODEMD__V1__STATUS__OK);
	caller_process(c);
	caller_start(c, call_close_listener);
	request = fake_take(c->f, MODEMD__V1__REQUEST__KIND_UNLISTEN);
	say_accepted(c, 3, 10, "10.0.0.1:2", MODEMD__V1__STATUS__OK);
	fake_ok(c->f, request);
	assert_int_equal(caller_finish(c), 0);
	expect_close(c, 9);
	expect_close(c, 10);
	say_accepted(c, 3, 11, "10.0.0.1:3", MODEMD__V1__STATUS__OK);
	caller_process(c);
	caller_process(c);
	expect_close(c, 11);
}

static void gives_up_waiting(void **state)
{
	struct caller *c = *state;
	uint64_t request;
	Modemd__V1__Request *req;

	c->timeout_ms = 50;
	caller_start(c, call_listen);
	request = fake_take(c->f, MODEMD__V1__REQUEST__KIND_LISTEN);
	assert_int_equal(caller_finish(c), -ETIMEDOUT);
	assert_null(listener);
	/* the answer crossed the cancel: it is taken back */
	say_listening(c, request, 3);
	caller_process(c);
	caller_process(c);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_CANCEL);
	assert_int_equal(req->cancel->request_id, request);
	fake_done(req);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_UNLISTEN);
	assert_int_equal(req->unlisten->listener, 3);
	fake_done(req);
}

static void refusals(void **state)
{
	static const struct { Modemd__V1__Status status; int err; } cases[] = {
		{ MODEMD__V1__STATUS__ADDRESS_IN_USE, -EADDRINUSE },
		{ MODEMD__V1__STATUS__NO_SLOT, -EMFILE },
		{ MODEMD__V1__STATUS__NETWORK_DOWN, -ENETDOWN },
		{ MODEMD__V1__STATUS__INVALID, -EINVAL },
	};
	struct caller *c = *state;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		caller_start(c, call_listen);
		fake_error(c->f, fake_take(c->f,
					   MODEMD__V1__REQUEST__KIND_LISTEN),
			   cases[i].status, "taken by x", NULL);
		assert_int_equal(caller_finish(c), cases[i].err);
		assert_null(listener);
		assert_string_equal(modemclient_error(c->mc),
				    "listen: taken by x");
	}
}

static void bad_arguments(void **state)
{
	static const char *many[34];
	struct caller *c = *state;
	size_t i;

	opts.port = 0;
	assert_int_equal(call_listen(c), -EINVAL);
	opts.port = 1;
	opts.backlog = 4;
	assert_int_equal(call_listen(c), -EINVAL);
	opts.backlog = 0;
	opts.max_links = 11;
	assert_int_equal(call_listen(c), -EINVAL);
	opts.max_links = 0;
	opts.credit = 5;
	assert_int_equal(call_listen(c), -EINVAL);
	opts.credit = 0;
	for (i = 0; i < 33; i++)
		many[i] = "10.0.0.1";
	opts.allow = many;
	assert_int_equal(call_listen(c), -EINVAL);
	opts.allow = NULL;
	c->timeout_ms = -1;
	assert_int_equal(call_listen(c), -EINVAL);
	assert_true(fake_silent(c->f));
}

static void policy(void **state)
{
	struct caller *c = *state;
	Modemd__V1__Request *req;

	listen_as(c, 3);
	c->len = 1;
	caller_start(c, call_policy);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_ACCEPT_POLICY);
	assert_int_equal(req->accept_policy->listener, 3);
	assert_int_equal(req->accept_policy->max_links, 2);
	assert_true(req->accept_policy->replace_allow);
	assert_int_equal(req->accept_policy->n_allow, 1);
	fake_ok(c->f, req->id);
	fake_done(req);
	assert_int_equal(caller_finish(c), 0);
	c->len = 0;
	caller_start(c, call_policy);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_ACCEPT_POLICY);
	assert_true(req->accept_policy->replace_allow);
	assert_int_equal(req->accept_policy->n_allow, 0);
	fake_error(c->f, req->id, MODEMD__V1__STATUS__NO_SUCH_LINK, "gone",
		   NULL);
	fake_done(req);
	assert_int_equal(caller_finish(c), -EBADF);
	finish_listener(c);
}

static void lost_and_restored(void **state)
{
	struct caller *c = *state;

	listen_as(c, 3);
	say_lost(c, 3);
	say_lost(c, 4);			/* not ours */
	caller_process(c);
	assert_string_equal(c->heard, "listener-lostnetwork-lost "
			    "listener-restored ");
	finish_listener(c);
}

static void daemon_goes(void **state)
{
	struct caller *c = *state;

	listen_as(c, 3);
	say_accepted(c, 3, 9, "10.0.0.1:1", MODEMD__V1__STATUS__OK);
	caller_process(c);
	caller_start(c, call_accept);
	assert_int_equal(caller_finish(c), 0);	/* the one that waited */
	modemclient_link_free(c->link);
	caller_start(c, call_accept);
	fake_hang_up(c->f);
	assert_int_equal(caller_finish(c), -ENOTCONN);
	assert_int_equal(modemclient_listener_close(listener, 100),
			 -ENOTCONN);
}

/* accept() and close from the callback. */
static void in_callback(struct caller *c, const struct modemclient_event *ev)
{
	if (ev->type == MODEMCLIENT_EVENT_ACCEPTED) {
		assert_ptr_equal(ev->listener, listener);
		assert_string_equal(ev->address, "10.0.0.1:1");
		assert_int_equal(modemclient_accept(listener, 100, &c->link),
				 -EDEADLK);
		assert_int_equal(modemclient_accept(listener, 0, &c->link), 0);
		assert_int_equal(modemclient_listener_close(listener, 0),
				 -EAGAIN);
	}
	if (ev->type == MODEMCLIENT_EVENT_READABLE)
		strcat(c->heard, "readable ");
}

static void accept_in_the_callback(void **state)
{
	struct caller *c = *state;

	listen_as(c, 3);
	c->in_callback = in_callback;
	say_accepted(c, 3, 9, "10.0.0.1:1", MODEMD__V1__STATUS__OK);
	fake_data(c->f, 9, "x", 1);
	while (!c->heard[0])
		caller_process(c);
	assert_string_equal(c->heard, "readable ");
	fake_take(c->f, MODEMD__V1__REQUEST__KIND_UNLISTEN);
	modemclient_link_free(c->link);
	expect_close(c, 9);
}

static void accept_while_it_is_closed(void **state)
{
	struct caller *c = *state;

	listen_as(c, 3);
	c->in_callback = in_callback;
	caller_start(c, call_accept);
	say_accepted(c, 3, 9, "10.0.0.1:1", MODEMD__V1__STATUS__OK);
	/* the callback took the link, and closed the listener */
	assert_int_equal(caller_finish(c), -ECANCELED);
}

static bool on_row(void *ctx, const struct modemclient_listener_info *i)
{
	struct caller *c = ctx;

	strcat(c->heard, i->state);
	strcat(c->heard, i->client);
	assert_int_equal(i->index, i->listener == 1 ? 2 : -1);
	assert_int_equal(i->port, 80);
	strcat(c->heard, i->allow[0] ? i->allow[0] : "all");

	return c->len == 0;
}

static ssize_t call_listeners(struct caller *c)
{
	return modemclient_listeners(c->mc, c->timeout_ms, on_row, c);
}

static void say_listeners(struct caller *c, uint64_t request)
{
	Modemd__V1__ListenerInfo info[2] = {
		MODEMD__V1__LISTENER_INFO__INIT,
		MODEMD__V1__LISTENER_INFO__INIT,
	};
	Modemd__V1__ListenerInfo *list[2] = { &info[0], &info[1] };
	Modemd__V1__ListenersReply listeners =
		MODEMD__V1__LISTENERS_REPLY__INIT;
	Modemd__V1__Reply reply = MODEMD__V1__REPLY__INIT;
	char *allow[1] = { literal("10.0.0.0/8") };

	info[0].has_listener = info[1].has_listener = 1;
	info[0].listener = 1;
	info[1].listener = 2;
	info[0].has_index = 1;
	info[0].index = 2;
	info[0].has_port = info[1].has_port = 1;
	info[0].port = info[1].port = 80;
	info[0].state = literal("listening ");
	info[1].n_allow = 1;
	info[1].allow = allow;
	listeners.n_listener = 2;
	listeners.listener = list;
	reply.request_id = request;
	reply.result_case = MODEMD__V1__REPLY__RESULT_LISTENERS;
	reply.listeners = &listeners;
	fake_reply(c->f, &reply);
}

static void list(void **state)
{
	struct caller *c = *state;

	caller_start(c, call_listeners);
	say_listeners(c, fake_take(c->f, MODEMD__V1__REQUEST__KIND_LISTENERS));
	assert_int_equal(caller_finish(c), 0);
	assert_string_equal(c->heard, "listening all10.0.0.0/8");
	c->heard[0] = '\0';
	c->len = 1;			/* enough after one */
	caller_start(c, call_listeners);
	say_listeners(c, fake_take(c->f, MODEMD__V1__REQUEST__KIND_LISTENERS));
	assert_int_equal(caller_finish(c), 0);
	assert_string_equal(c->heard, "listening all");
	caller_start(c, call_listeners);
	fake_ok(c->f, fake_take(c->f, MODEMD__V1__REQUEST__KIND_LISTENERS));
	assert_int_equal(caller_finish(c), -EPROTO);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_it_asks), T(bytes_of_a_connection), T(several_wait),
		T(accepted_with_the_reply), T(what_nobody_takes_is_closed),
		T(gives_up_waiting), T(refusals), T(bad_arguments), T(policy),
		T(lost_and_restored), T(daemon_goes),
		T(accept_in_the_callback), T(accept_while_it_is_closed),
		T(list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
