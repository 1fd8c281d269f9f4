/* SPDX-License-Identifier: MIT */

/*
 * Listeners at the broker: whose they are, what is refused and with which
 * words, what their owners hear, what a client that goes leaves behind.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "broker_bench.h"

/* ------------------------------------------------ messages as one string */

static void add_listeners(struct bench *b,
			  const Modemd__V1__ListenersReply *r)
{
	const Modemd__V1__ListenerInfo *i;
	size_t n, k;

	for (n = 0; n < r->n_listener; n++) {
		i = r->listener[n];
		add(b, "[%d %d %s %u %s %d %u/%u %u %u", (int)i->listener,
		    i->index, i->state, i->port, i->client, i->pid, i->links,
		    i->max_links, (unsigned int)i->accepted,
		    (unsigned int)i->refused);
		for (k = 0; k < i->n_allow; k++)
			add(b, " %s", i->allow[k]);
		add(b, "]");
	}
}

static void add_reply(struct bench *b, const Modemd__V1__Reply *r)
{
	if (r->status != MODEMD__V1__STATUS__OK)
		assert_true(r->message && r->message[0]);
	add(b, "%d:%s", (int)r->request_id, status_name(r->status));
	if (r->result_case == MODEMD__V1__REPLY__RESULT_LISTEN)
		add(b, "=%d", (int)r->listen->listener);
	if (r->result_case == MODEMD__V1__REPLY__RESULT_OPEN)
		add(b, "=%d", (int)r->open->link);
	if (r->result_case == MODEMD__V1__REPLY__RESULT_LISTENERS)
		add_listeners(b, r->listeners);
	if (r->result_case == MODEMD__V1__REPLY__RESULT_STATUS_REPLY)
		add(b, "=%u/%u", r->status_reply->listeners_used,
		    r->status_reply->listeners_total);
	if (r->result_case == MODEMD__V1__REPLY__RESULT_LINKS)
		add(b, "=%d by %d from %u", (int)r->links->link[0]->link,
		    (int)r->links->link[0]->listener,
		    r->links->link[0]->local_port);
	add(b, " ");
}

static void add_accepted(struct bench *b, const Modemd__V1__Accepted *a)
{
	if (a->status != MODEMD__V1__STATUS__OK) {
		assert_false(a->has_link);
		keep_message(b, a->message);
		add(b, "refused(%d,%s,%s) ", (int)a->listener, a->peer,
		    status_name(a->status));
		return;
	}
	add(b, "accepted(%d,%d,%s) ", (int)a->listener, (int)a->link,
	    a->peer);
}

static void add_event(struct bench *b, const Modemd__V1__Event *e)
{
	switch (e->kind_case) {
	case MODEMD__V1__EVENT__KIND_ACCEPTED:
		add_accepted(b, e->accepted);
		break;
	case MODEMD__V1__EVENT__KIND_LISTENER_LOST:
		add(b, "listener_lost(%d,%s) ", (int)e->listener_lost->listener,
		    e->listener_lost->reason);
		break;
	case MODEMD__V1__EVENT__KIND_LISTENER_RESTORED:
		add(b, "listener_restored(%d) ",
		    (int)e->listener_restored->listener);
		break;
	case MODEMD__V1__EVENT__KIND_OPENED:
		add(b, "opened(%d,%s) ", (int)e->opened->link,
		    status_name(e->opened->status));
		break;
	case MODEMD__V1__EVENT__KIND_DATA:
		add(b, "data(%d,%zu) ", (int)e->data->link,
		    e->data->data.len);
		break;
	case MODEMD__V1__EVENT__KIND_CLOSED:
		add(b, "closed(%d,%s,%s) ", (int)e->closed->link,
		    status_name(e->closed->status), e->closed->reason);
		break;
	case MODEMD__V1__EVENT__KIND_LINK_NEWS:
		add(b, "news(%d,%s,%s) ", (int)e->link_news->link->link,
		    e->link_news->what, e->link_news->link->remote);
		break;
	case MODEMD__V1__EVENT__KIND_EVENTS_LOST:
		add(b, "missed(%d) ", (int)e->events_lost->count);
		break;
	case MODEMD__V1__EVENT__KIND_STOPPING:
		add(b, "stopping ");
		break;
	default:
		add(b, "event %d? ", (int)e->kind_case);
	}
}

/* ---------------------------------------------------------------- asking */

/* With @allow, which ends with NULL; NULL: none. */
static void ask_listen_with(struct bench *b, unsigned int c, uint64_t id,
			    Modemd__V1__Listen *listen,
			    const char *const *allow)
{
	ProtobufCBinaryData list[64];
	REQUEST(r);

	for (; allow && allow[listen->n_allow]; listen->n_allow++)
		list[listen->n_allow] = chars(allow[listen->n_allow]);
	listen->allow = list;
	r.listen = listen;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_LISTEN);
}

static void ask_listen(struct bench *b, unsigned int c, uint64_t id,
		       uint32_t port)
{
	Modemd__V1__Listen listen = MODEMD__V1__LISTEN__INIT;

	listen.has_port = true;
	listen.port = port;
	ask_listen_with(b, c, id, &listen, NULL);
}

static void ask_unlisten(struct bench *b, unsigned int c, uint64_t id,
			 uint64_t listener)
{
	Modemd__V1__Unlisten unlisten = MODEMD__V1__UNLISTEN__INIT;
	REQUEST(r);

	unlisten.has_listener = true;
	unlisten.listener = listener;
	r.unlisten = &unlisten;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_UNLISTEN);
}

static void ask_policy(struct bench *b, unsigned int c, uint64_t id,
		       uint64_t listener, int max_links, const char *allow)
{
	Modemd__V1__AcceptPolicy policy = MODEMD__V1__ACCEPT_POLICY__INIT;
	ProtobufCBinaryData list[1] = { chars(allow ? allow : "") };
	REQUEST(r);

	policy.has_listener = true;
	policy.listener = listener;
	policy.has_max_links = max_links >= 0;
	policy.max_links = (uint32_t)max_links;
	policy.has_replace_allow = true;
	policy.replace_allow = allow != NULL;
	policy.n_allow = allow && allow[0];
	policy.allow = list;
	r.accept_policy = &policy;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_ACCEPT_POLICY);
}

static const char *ask_listeners(struct bench *b, unsigned int c)
{
	Modemd__V1__ListenersRequest listeners =
		MODEMD__V1__LISTENERS_REQUEST__INIT;
	REQUEST(r);

	r.listeners = &listeners;
	ask(b, c, &r, 99, MODEMD__V1__REQUEST__KIND_LISTENERS);

	return heard(b, c);
}

/* ----------------------------------------------------------------- its life */

static int set_up_listen(void **state)
{
	struct bench *b;

	set_up_open(state);
	b = *state;
	b->add_reply = add_reply;
	b->add_event = add_event;

	return 0;
}

static const char *status(struct bench *b, unsigned int c)
{
	ask_status(b, c, 98);

	return heard(b, c);
}

/* It listens to @port; the n-th listener of this test. */
static void listening(struct bench *b, unsigned int c, uint32_t port,
		      unsigned int n)
{
	char want[32];

	ask_listen(b, c, 2, port);
	wait_ms(b, 100);
	snprintf(want, sizeof(want), "2:OK=%u ", n);
	assert_string_equal(heard(b, c), want);
}

/* -------------------------------------------------------------------- tests */

static void connection_reaches_its_owner(void **state)
{
	struct bench *b = *state;
	unsigned int a = client(b, "a"), c = client(b, "b");
	Modemd__V1__LinksRequest links = MODEMD__V1__LINKS_REQUEST__INIT;
	const struct fake_session *s;
	REQUEST(r);

	listening(b, a, 80, 1);
	listening(b, c, 81, 2);
	script_connect(b->script, -1, 1, "10.1.2.3:4");
	script_peer_sends(b->script, 0, "hello", 5);
	wait_ms(b, 200);
	assert_string_equal(heard(b, a), "");
	assert_string_equal(heard(b, c), "accepted(2,1,10.1.2.3:4) "
			    "data(1,5) ");
	assert_string_equal(ask_listeners(b, a), "99:OK"
			    "[1 0 listening 80 a 1000 0/0 0 0]"
			    "[2 1 listening 81 b 1001 1/0 1 0] ");
	assert_string_equal(status(b, a), "98:OK=2/4 ");
	r.links = &links;
	ask(b, a, &r, 5, MODEMD__V1__REQUEST__KIND_LINKS);
	assert_string_equal(heard(b, a), "5:OK=1 by 2 from 81 ");
	s = fake_history_session(b->history, 1, 1);
	assert_non_null(s);
	assert_string_equal(s->type, "tcp-in");
	assert_string_equal(s->remote, "10.1.2.3:4");
	assert_string_equal(s->client, "b");
	assert_int_equal(s->slot, 0);
	script_peer_closes(b->script, 0);
	wait_ms(b, 200);
	assert_string_equal(heard(b, c), "closed(1,PEER_CLOSED,peer) ");
	assert_true(s->closed);
}

static void bad_arguments(void **state)
{
	static const struct {
		uint32_t port, backlog, max_links;
		const char *allow[4], *message;
	} cases[] = {
		{ 0, 3, 0, { NULL }, "port is not in 1-65535" },
		{ 65536, 3, 0, { NULL }, "port is not in 1-65535" },
		{ 80, 0, 0, { NULL }, "backlog is not in 1-3" },
		{ 80, 4, 0, { NULL }, "backlog is not in 1-3" },
		{ 80, 3, 11, { NULL }, "max_links is not in 0-10" },
		{ 80, 3, 0, { "10.0.0.1", "10.0.0" }, "allow, number 2: "
		  "10.0.0 is not of the form 192.0.2.1 or 192.0.2.0/24" },
		{ 80, 3, 0, { "10.0.0.0/33" }, "allow, number 1: 10.0.0.0/33 "
		  "has no length of 0-32 behind its /" },
		{ 80, 3, 0, { "10.0.0.0/" }, "allow, number 1: 10.0.0.0/ has "
		  "no length of 0-32 behind its /" },
		{ 80, 3, 0, { "10.0.0.0/-1" }, "allow, number 1: 10.0.0.0/-1 "
		  "has no length of 0-32 behind its /" },
		{ 80, 3, 0, { "10.0.0.0/8x" }, "allow, number 1: 10.0.0.0/8x "
		  "has no length of 0-32 behind its /" },
		{ 80, 3, 0, { "10.0.0.1/8" }, "allow, number 1: 10.0.0.1/8 "
		  "has bits set behind its length" },
		{ 80, 3, 0, { "fe80::1::" }, "allow, number 1: fe80::1:: is not "
		  "of the form 2001:db8::1 or 2001:db8::/32" },
		{ 80, 3, 0, { "fe80::1/129" }, "allow, number 1: fe80::1/129 "
		  "has no length of 0-128 behind its /" },
		{ 80, 3, 0, { "example.org/8" }, "allow, number 1: "
		  "example.org/8 is not of the form 192.0.2.1 or "
		  "192.0.2.0/24" },
	};
	struct bench *b = *state;
	unsigned int c = client(b, "a");
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		Modemd__V1__Listen listen = MODEMD__V1__LISTEN__INIT;

		listen.has_port = listen.has_backlog = true;
		listen.has_max_links = true;
		listen.port = cases[i].port;
		listen.backlog = cases[i].backlog;
		listen.max_links = cases[i].max_links;
		ask_listen_with(b, c, 7, &listen, cases[i].allow);
		assert_string_equal(heard(b, c), "7:INVALID ");
		assert_string_equal(b->message, cases[i].message);
	}
	assert_string_equal(ask_listeners(b, c), "99:OK ");
}

static void text_that_is_no_text(void **state)
{
	Modemd__V1__Listen listen = MODEMD__V1__LISTEN__INIT;
	const char *many[34] = { NULL };
	struct bench *b = *state;
	unsigned int c = client(b, "a"), i;
	char longer[200];
	const char *list[] = { longer, NULL };

	memset(longer, '1', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	listen.has_port = true;
	listen.port = 80;
	ask_listen_with(b, c, 7, &listen, list);
	assert_string_equal(heard(b, c), "7:INVALID ");
	assert_non_null(strstr(b->message, "allow, number 1"));
	strcpy(longer, "10.0.0.1\n");
	listen.n_allow = 0;
	ask_listen_with(b, c, 8, &listen, list);
	assert_string_equal(heard(b, c), "8:INVALID ");
	longer[0] = '\0';
	listen.n_allow = 0;
	ask_listen_with(b, c, 9, &listen, list);
	assert_string_equal(heard(b, c), "9:INVALID ");
	for (i = 0; i < 33; i++)
		many[i] = "10.0.0.1";
	listen.n_allow = 0;
	ask_listen_with(b, c, 10, &listen, many);
	assert_string_equal(heard(b, c), "10:INVALID ");
	assert_string_equal(b->message, "allow has 33 prefixes, of at most 32");
	many[32] = NULL;
	listen.n_allow = 0;
	ask_listen_with(b, c, 11, &listen, many);
	wait_ms(b, 100);
	assert_string_equal(heard(b, c), "11:OK=1 ");
}

static void allow_list_and_limits(void **state)
{
	static const char *const allow[] = { "10.1.0.0/16", "192.0.2.1",
					     NULL };
	Modemd__V1__Listen listen = MODEMD__V1__LISTEN__INIT;
	struct bench *b = *state;
	unsigned int c = client(b, "a");

	listen.has_port = true;
	listen.port = 80;
	listen.has_max_links = true;
	listen.max_links = 1;
	ask_listen_with(b, c, 2, &listen, allow);
	wait_ms(b, 100);
	assert_string_equal(heard(b, c), "2:OK=1 ");
	script_connect(b->script, -1, 0, "10.2.0.1:1");
	wait_ms(b, 100);
	assert_string_equal(heard(b, c), "refused(1,10.2.0.1:1,"
			    "NO_PERMISSION) ");
	assert_string_equal(b->message, "it is not on the listener's allow "
			    "list");
	script_connect(b->script, -1, 0, "192.0.2.1:1");
	script_connect(b->script, -1, 0, "10.1.9.9:1");
	wait_ms(b, 100);
	assert_string_equal(heard(b, c), "accepted(1,1,192.0.2.1:1) "
			    "refused(1,10.1.9.9:1,LIMIT) ");
	assert_non_null(strstr(b->message, "max_links"));
	assert_non_null(strstr(b->message, "links.max-inbound"));
	assert_string_equal(ask_listeners(b, c), "99:OK[1 0 listening 80 a "
			    "1000 1/1 1 2 10.1.0.0/16 192.0.2.1/32] ");
	/* changed: only what is named */
	ask_policy(b, c, 3, 1, 3, NULL);
	assert_string_equal(heard(b, c), "3:OK ");
	assert_string_equal(ask_listeners(b, c), "99:OK[1 0 listening 80 a "
			    "1000 1/3 1 2 10.1.0.0/16 192.0.2.1/32] ");
	ask_policy(b, c, 4, 1, -1, "0.0.0.0/0");
	assert_string_equal(heard(b, c), "4:OK ");
	script_connect(b->script, -1, 0, "10.2.0.1:1");
	wait_ms(b, 100);
	assert_string_equal(heard(b, c), "accepted(1,2,10.2.0.1:1) ");
	ask_policy(b, c, 5, 1, -1, "");
	assert_string_equal(heard(b, c), "5:OK ");
	assert_string_equal(ask_listeners(b, c), "99:OK[1 0 listening 80 a "
			    "1000 2/3 2 2] ");
	ask_policy(b, c, 6, 1, 11, NULL);
	assert_string_equal(heard(b, c), "6:INVALID ");
	ask_policy(b, c, 7, 1, -1, "all");
	assert_string_equal(heard(b, c), "7:INVALID ");
}

static void only_its_owner(void **state)
{
	struct bench *b = *state;
	unsigned int a = client(b, "a"), c = client(b, "b");

	listening(b, a, 80, 1);
	ask_unlisten(b, c, 3, 1);
	ask_policy(b, c, 4, 1, 2, NULL);
	ask_unlisten(b, c, 5, 0);
	ask_unlisten(b, c, 6, 77);
	ask_policy(b, c, 7, 77, 2, NULL);
	assert_string_equal(heard(b, c), "3:NO_SUCH_LINK 4:NO_SUCH_LINK "
			    "5:NO_SUCH_LINK 6:NO_SUCH_LINK 7:NO_SUCH_LINK ");
	assert_non_null(strstr(b->message, "listener 77 is not yours"));
	wait_ms(b, 500);
	assert_int_equal(script_listens(b->script, 0), 80);
	ask_unlisten(b, a, 3, 1);
	ask_unlisten(b, a, 4, 1);
	assert_string_equal(heard(b, a), "4:NO_SUCH_LINK ");
	wait_ms(b, 500);
	assert_string_equal(heard(b, a), "3:OK ");
	ask_unlisten(b, a, 5, 1);
	assert_string_equal(heard(b, a), "5:NO_SUCH_LINK ");
}

static void holders_are_named(void **state)
{
	Modemd__V1__Listen listen = MODEMD__V1__LISTEN__INIT;
	struct bench *b = *state;
	unsigned int a = client(b, "first"), c = client(b, "second"), i;

	for (i = 0; i < 3; i++)
		listening(b, a, 80 + i, i + 1);
	listening(b, c, 83, 4);
	ask_listen(b, c, 5, 81);
	assert_string_equal(heard(b, c), "5:ADDRESS_IN_USE ");
	assert_string_equal(b->message, "port 81 is taken by first (pid "
			    "1000): port 81");
	ask_listen(b, c, 6, 90);
	assert_string_equal(heard(b, c), "6:NO_SLOT ");
	assert_string_equal(b->message, "all servers of the modem are taken "
			    "by first (pid 1000): port 80, first (pid 1000): "
			    "port 81, first (pid 1000): port 82, second (pid "
			    "1001): port 83");
	/* the same after waiting for one */
	listen.has_port = listen.has_wait_ms = true;
	listen.port = 90;
	listen.wait_ms = 5000;
	ask_listen_with(b, c, 7, &listen, NULL);
	wait_ms(b, 4000);
	assert_string_equal(heard(b, c), "");
	wait_ms(b, 2000);
	assert_string_equal(heard(b, c), "7:NO_SLOT ");
	assert_non_null(strstr(b->message, "second (pid 1001): port 83"));
}

/* Its servers are stopped, its links closed, and others live on. */
static void owner_gone(void **state)
{
	struct bench *b = *state;
	unsigned int a = client(b, "a"), c = client(b, "b");

	listening(b, a, 80, 1);
	listening(b, a, 81, 2);
	listening(b, c, 82, 3);
	script_connect(b->script, -1, 0, "10.0.0.1:1");
	script_connect(b->script, -1, 2, "10.0.0.1:2");
	wait_ms(b, 200);
	ask_listen(b, a, 9, 83);	/* no answer yet */
	fake_client_disconnect(b->conns[a]);
	script_connect(b->script, -1, 1, "10.0.0.1:3");
	wait_ms(b, 2000);
	assert_int_equal(script_listens(b->script, 0), 0);
	assert_int_equal(script_listens(b->script, 1), 0);
	assert_int_equal(script_listens(b->script, 2), 82);
	assert_int_equal(script_listens(b->script, 3), 0);
	assert_int_equal(script_open_slots(b->script), 1);
	assert_string_equal(heard(b, c), "accepted(3,2,10.0.0.1:2) ");
	assert_string_equal(fake_history_session(b->history, 1, 1)->reason,
			    "client-gone");
	assert_string_equal(status(b, c), "98:OK=1/4 ");
	/* its port may be had at once */
	fake_client_disconnect(b->conns[c]);
	a = client(b, "a again");
	ask_listen(b, a, 2, 82);
	wait_ms(b, 2000);
	assert_string_equal(heard(b, a), "2:OK=5 ");
}

static void cancelled(void **state)
{
	struct bench *b = *state;
	unsigned int a = client(b, "a");

	script_answer(b->script, "AT+SERVERSTART=", "", 1);
	ask_listen(b, a, 2, 80);
	wait_ms(b, 50);
	ask_cancel(b, a, 3, 2);
	assert_string_equal(heard(b, a), "2:CANCELLED 3:OK ");
	script_set_server(b->script, 0, 80);
	script_say(b->script, "\r\nOK\r\n");
	wait_ms(b, 1000);
	assert_string_equal(heard(b, a), "");
	assert_int_equal(script_listens(b->script, 0), 0);
	assert_string_equal(ask_listeners(b, a), "99:OK ");
	/* a stop goes on without anybody waiting for it */
	listening(b, a, 80, 2);
	ask_unlisten(b, a, 4, 2);
	ask_cancel(b, a, 5, 4);
	assert_string_equal(heard(b, a), "4:CANCELLED 5:OK ");
	wait_ms(b, 1000);
	assert_int_equal(script_listens(b->script, 0), 0);
}

static void refused_by_the_modem(void **state)
{
	struct bench *b = *state;
	unsigned int a = client(b, "a");

	script_answer(b->script, "AT+SERVERSTART=", "\r\n+CIPERROR: 5\r\n"
		      "\r\nERROR\r\n", 0);
	ask_listen(b, a, 2, 80);
	wait_ms(b, 5000);
	assert_string_equal(heard(b, a), "2:MODEM_ERROR ");
	script_set(b->script)->reg = 0;
	script_set(b->script)->net_open = false;
	script_say(b->script, "\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY"
		   "\r\n");
	wait_ms(b, 1000);
	ask_listen(b, a, 3, 80);
	assert_string_equal(heard(b, a), "3:NETWORK_DOWN ");
	assert_non_null(strstr(b->message, "network is lost"));
}

static void loss_and_restore(void **state)
{
	struct bench *b = *state;
	unsigned int a = client(b, "a");

	listening(b, a, 80, 1);
	script_connect(b->script, -1, 0, "10.0.0.1:1");
	wait_ms(b, 100);
	heard(b, a);
	script_set(b->script)->net_open = false;
	script_set_server(b->script, 0, 0);
	script_say(b->script, "\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY"
		   "\r\n");
	wait_ms(b, 10000);
	assert_string_equal(heard(b, a), "listener_lost(1,network-lost) "
			    "closed(1,NETWORK_LOST,network-lost) "
			    "listener_restored(1) ");
}

static void watchers_see_connections(void **state)
{
	Modemd__V1__Subscribe subscribe = MODEMD__V1__SUBSCRIBE__INIT;
	struct bench *b = *state;
	unsigned int a = client(b, "a"), w = client(b, "watcher");
	REQUEST(r);

	subscribe.has_links = true;
	subscribe.links = true;
	r.subscribe = &subscribe;
	ask(b, w, &r, 2, MODEMD__V1__REQUEST__KIND_SUBSCRIBE);
	listening(b, a, 80, 1);
	heard(b, w);
	script_connect(b->script, -1, 0, "10.0.0.1:1");
	wait_ms(b, 100);
	script_peer_closes(b->script, 0);
	wait_ms(b, 100);
	assert_string_equal(heard(b, w), "news(1,open,10.0.0.1:1) "
			    "news(1,closed,10.0.0.1:1) ");
}

/* The world cannot make the queue of an owner grow that does not read. */
static void owner_that_does_not_read(void **state)
{
	struct bench *b = *state;
	unsigned int a = client(b, "a"), c = client(b, "b"), i;
	char peer[32];

	listening(b, a, 80, 1);
	fake_client_hold(b->conns[a], true);
	for (i = 0; i < 6000; i++) {
		snprintf(peer, sizeof(peer), "10.0.0.1:%u", i + 1);
		script_connect(b->script, 0, 0, peer);
		wait_ms(b, 30);
		if (script_slot_open(b->script, 0))
			script_peer_closes(b->script, 0);
		wait_ms(b, 60);
		assert_int_equal(script_open_slots(b->script), 0);
	}
	assert_null(fake_client_closed(b->conns[a]));
	assert_in_range(client_queued(b->conns[a]), 200000, 350000);
	assert_non_null(strstr(status(b, c), "OK=1/4"));
	fake_client_hold(b->conns[a], false);
	wait_ms(b, 100);
	heard(b, a);
	script_connect(b->script, 0, 0, "10.0.0.2:2");
	wait_ms(b, 100);
	assert_non_null(strstr(heard(b, a), "10.0.0.2:2"));
}

/* Refusals are only counted for him. */
static void refusals_that_nobody_reads(void **state)
{
	struct bench *b = *state;
	unsigned int a = client(b, "a"), i;
	char peer[32];

	listening(b, a, 80, 1);
	ask_policy(b, a, 3, 1, -1, "192.0.2.1");
	fake_client_hold(b->conns[a], true);
	for (i = 0; i < 5000; i++) {
		snprintf(peer, sizeof(peer), "10.0.0.1:%u", i + 1);
		script_connect(b->script, 0, 0, peer);
		wait_ms(b, 30);
	}
	assert_null(fake_client_closed(b->conns[a]));
	assert_in_range(client_queued(b->conns[a]), 200000, 350000);
	fake_client_hold(b->conns[a], false);
	heard(b, a);
	script_connect(b->script, 0, 0, "10.0.0.1:9999");
	wait_ms(b, 100);
	assert_memory_equal(heard(b, a), "missed(", 7);
	assert_non_null(strstr(b->text, "refused(1,10.0.0.1:9999,"));
}

static void daemon_stops(void **state)
{
	struct bench *b = *state;
	unsigned int a = client(b, "a");

	listening(b, a, 80, 1);
	script_connect(b->script, -1, 0, "10.0.0.1:1");
	wait_ms(b, 100);
	heard(b, a);
	broker_stop(b->broker);
	ask_listen(b, a, 5, 81);
	wait_ms(b, 1000);
	assert_string_equal(heard(b, a), "stopping 5:STOPPING "
			    "closed(1,OK,daemon-stop) "
			    "listener_lost(1,daemon-stop) ");
	assert_int_equal(b->stopped, 1);
	assert_int_equal(script_listens(b->script, 0), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up_listen, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(connection_reaches_its_owner), T(bad_arguments),
		T(text_that_is_no_text), T(allow_list_and_limits),
		T(only_its_owner), T(holders_are_named), T(owner_gone),
		T(cancelled), T(refused_by_the_modem), T(loss_and_restore),
		T(watchers_see_connections), T(owner_that_does_not_read),
		T(refusals_that_nobody_reads), T(daemon_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
