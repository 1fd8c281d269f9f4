/* SPDX-License-Identifier: MIT */

/*
 * Who may have the modem for itself: the broker over the real modem layer,
 * with a scripted modem below and played clients above. Who owns a listener is
 * said by the test: __wrap_listen_owns().
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <event2/buffer.h>
#include <stdio.h>
#include <string.h>

#include "broker/private.h"
#include "broker_bench.h"

bool __wrap_listen_owns(const struct client *c);

/* Clients of that name listen. */
bool __wrap_listen_owns(const struct client *c)
{
	return strncmp(c->name, "listener", 8) == 0;
}

/* -------------------------------------------------- messages as one string */

static void add_reply(struct bench *b, const Modemd__V1__Reply *r)
{
	add(b, "%d:%d", (int)r->request_id, (int)r->status);
	if (r->result_case == MODEMD__V1__REPLY__RESULT_OPEN)
		add(b, "=%d", (int)r->open->link);
	add(b, " ");
}

/* Others are not looked at. */
static void add_event(struct bench *b, const Modemd__V1__Event *e)
{
	const Modemd__V1__LeaseEvent *l = e->lease;

	switch (e->kind_case) {
	case MODEMD__V1__EVENT__KIND_LEASE:
		b->lease = l->link;
		add(b, "lease(%d,%s,%s%s%s) ", (int)l->link, l->client,
		    l->state, l->reason ? "," : "", l->reason ? l->reason : "");
		break;
	case MODEMD__V1__EVENT__KIND_OPENED:
		add(b, "opened(%d,%d) ", (int)e->opened->link,
		    (int)e->opened->status);
		break;
	case MODEMD__V1__EVENT__KIND_CLOSED:
		add(b, "closed(%d,%s) ", (int)e->closed->link,
		    e->closed->reason);
		break;
	case MODEMD__V1__EVENT__KIND_DATA:
		add(b, "data(%zu) ", e->data->data.len);
		break;
	case MODEMD__V1__EVENT__KIND_SENT:
		add(b, "sent(%u) ", e->sent->bytes);
		break;
	default:
		break;
	}
}

#define EXPECT(b, c, want)	assert_string_equal(heard(b, c), want)

/* ------------------------------------------------------------------ asking */

static void ask_lease(struct bench *b, unsigned int c, uint64_t id,
		      uint32_t wait)
{
	Modemd__V1__Lease l = MODEMD__V1__LEASE__INIT;
	REQUEST(r);

	l.has_host = l.has_port = l.has_wait_ms = true;
	l.host = chars("peer.example");
	l.port = 7;
	l.wait_ms = wait;
	r.lease = &l;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_LEASE);
}

static void ask_unlease(struct bench *b, unsigned int c, uint64_t id,
			uint64_t link)
{
	Modemd__V1__Unlease u = MODEMD__V1__UNLEASE__INIT;
	REQUEST(r);

	u.has_link = true;
	u.link = link;
	r.unlease = &u;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_UNLEASE);
}

static void answer(struct bench *b, unsigned int c, uint64_t id, uint64_t link,
		   bool agree)
{
	Modemd__V1__LeaseAnswer a = MODEMD__V1__LEASE_ANSWER__INIT;
	REQUEST(r);

	a.has_link = a.has_agree = true;
	a.link = link;
	a.agree = agree;
	r.lease_answer = &a;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_LEASE_ANSWER);
}

static void subscribe(struct bench *b, unsigned int c)
{
	Modemd__V1__Subscribe s = MODEMD__V1__SUBSCRIBE__INIT;
	REQUEST(r);

	s.has_network = s.network = true;
	r.subscribe = &s;
	ask(b, c, &r, 2, MODEMD__V1__REQUEST__KIND_SUBSCRIBE);
	EXPECT(b, c, "2:0 ");
}

/* "client state left_ms" of the lease that status tells, "" for none. */
static const char *status(struct bench *b, unsigned int c)
{
	Modemd__V1__StatusRequest s = MODEMD__V1__STATUS_REQUEST__INIT;
	Modemd__V1__ServerMessage *msg;
	const Modemd__V1__LeaseInfo *l;
	REQUEST(r);

	r.status = &s;
	ask(b, c, &r, 99, MODEMD__V1__REQUEST__KIND_STATUS);
	msg = fake_client_next(b->conns[c]);
	assert_non_null(msg);
	l = msg->reply->status_reply->lease;
	b->text[0] = '\0';
	if (l)
		snprintf(b->text, sizeof(b->text), "%s %s %s %u", l->client,
			 l->remote, l->state, l->left_ms / 1000);
	modemd__v1__server_message__free_unpacked(msg, NULL);

	return b->text;
}

/* ----------------------------------------------------------------- its life */

static int set_up_lease(void **state)
{
	struct bench *b;

	set_up_open(state);
	b = *state;
	b->add_reply = add_reply;
	b->add_event = add_event;

	return 0;
}

/* Whatever it was, with its clients it ends, and the history knows. */
static int tear_down_lease(void **state)
{
	struct bench *b = *state;
	unsigned int i;

	for (i = 0; i < b->count; i++)
		fake_client_free(b->conns[i]);
	b->count = 0;
	wait_ms(b, 30000);
	assert_int_equal(fake_history_open_sessions(b->history), 0);

	return tear_down(state);
}

/* ------------------------------------------------------------------- tests */

static void granted(void **state)
{
	struct bench *b = *state;
	unsigned int a = client(b, "a"), w = client(b, "w");
	const struct fake_session *s;

	subscribe(b, w);
	ask_lease(b, a, 5, 10000);
	EXPECT(b, w, "lease(1,a,granted) ");
	assert_string_equal(status(b, w), "a peer.example:7 starting 300");
	wait_ms(b, 300);
	EXPECT(b, a, "5:0=1 ");
	assert_string_equal(status(b, a), "a peer.example:7 connected 299");
	ask_open(b, w, 3, 0);
	EXPECT(b, w, "3:11 ");
	assert_string_equal(b->message, "the modem is leased to a (pid 1000) "
			    "for 300 s more");
	ask_lease(b, w, 4, 0);
	EXPECT(b, w, "4:6 ");
	ask_close(b, a, 6, 1, false);
	EXPECT(b, a, "6:0 ");
	wait_ms(b, 8000);
	EXPECT(b, a, "closed(1,local) ");
	EXPECT(b, w, "lease(1,a,ended,local) ");
	assert_string_equal(status(b, w), "");
	s = fake_history_session(b->history, 1, 1);
	assert_non_null(s);
	assert_string_equal(s->reason, "local");
	ask_open(b, w, 7, 0);
	wait_ms(b, 100);
	EXPECT(b, w, "7:0=3 opened(3,0) ");
}

static void waits_for_links(void **state)
{
	struct bench *b = *state;
	unsigned int a = client(b, "a"), o = client(b, "o");

	ask_open(b, o, 2, 0);
	ask_open(b, a, 2, 0);
	ask_lease(b, a, 4, 0);	/* they are on their way */
	wait_ms(b, 100);
	EXPECT(b, o, "2:0=1 opened(1,0) ");
	EXPECT(b, a, "2:0=2 4:6 opened(2,0) ");
	ask_lease(b, a, 5, 500);
	wait_ms(b, 490);
	assert_string_equal(status(b, o), "a peer.example:7 asked 0");
	EXPECT(b, a, "");
	wait_ms(b, 20);
	EXPECT(b, a, "5:6 ");
	assert_string_equal(b->message, "the modem is in use by a (pid 1000): "
			    "1 link, o (pid 1001): 1 link");
	ask_lease(b, a, 6, 60000);
	ask_close(b, o, 3, 1, false);
	wait_ms(b, 100);
	EXPECT(b, o, "3:0 closed(1,local) ");
	EXPECT(b, a, "");
	ask_close(b, a, 7, 2, false);		/* one's own count, too */
	wait_ms(b, 300);
	EXPECT(b, a, "7:0 closed(2,local) 6:0=5 ");
}

static void admin_forces(void **state)
{
	struct bench *b = *state;
	unsigned int a = admin(b, "a"), o = client(b, "o");

	ask_open(b, o, 2, 0);
	wait_ms(b, 100);
	EXPECT(b, o, "2:0=1 opened(1,0) ");
	ask_lease(b, a, 5, 1000);
	wait_ms(b, 990);
	EXPECT(b, o, "");
	wait_ms(b, 300);
	EXPECT(b, o, "closed(1,lease) ");
	EXPECT(b, a, "5:0=2 ");
}

static void owners_must_agree(void **state)
{
	struct bench *b = *state;
	unsigned int a = client(b, "a"), l = client(b, "listener1");
	unsigned int l2 = client(b, "listener2"), x = client(b, "x");

	ask_lease(b, a, 5, 1000);
	EXPECT(b, l, "lease(1,a,asked) ");
	EXPECT(b, l2, "lease(1,a,asked) ");
	EXPECT(b, x, "");
	answer(b, x, 3, 1, true);		/* was not asked */
	EXPECT(b, x, "3:1 ");
	answer(b, l, 3, 77, true);		/* for another one */
	EXPECT(b, l, "3:1 ");
	answer(b, l, 4, 1, true);
	answer(b, l2, 4, 1, false);
	wait_ms(b, 1100);
	EXPECT(b, a, "5:6 ");
	assert_string_equal(b->message, "the modem is in use by listener2 "
			    "(pid 1002): a listener");
	EXPECT(b, l, "4:0 lease(1,a,ended,the modem is in use by listener2 "
	       "(pid 1002): a listener) ");
	heard(b, l2);
	/* what was said is forgotten; the one goes, the other agrees */
	ask_lease(b, a, 6, 10000);
	EXPECT(b, l, "lease(2,a,asked) ");
	fake_client_disconnect(b->conns[l2]);
	wait_ms(b, 100);
	EXPECT(b, l, "");
	answer(b, l, 5, 2, true);
	EXPECT(b, l, "5:0 lease(2,a,granted) ");
	wait_ms(b, 300);
	EXPECT(b, a, "6:0=2 ");
	ask_unlease(b, a, 7, 2);
	wait_ms(b, 8000);
	EXPECT(b, a, "7:0 closed(2,local) ");
	EXPECT(b, l, "lease(2,a,ended,local) ");
}

/* Who starts to listen while others wait for the owners is asked, too. */
static void late_owner_is_asked(void **state)
{
	Modemd__V1__Listen listen = MODEMD__V1__LISTEN__INIT;
	struct bench *b = *state;
	unsigned int a = client(b, "a"), l1 = client(b, "listener1");
	unsigned int l2;
	REQUEST(r);

	ask_lease(b, a, 5, 10000);
	EXPECT(b, l1, "lease(1,a,asked) ");
	l2 = client(b, "listener2");
	listen.has_port = true;
	listen.port = 80;
	r.listen = &listen;
	ask(b, l2, &r, 2, MODEMD__V1__REQUEST__KIND_LISTEN);
	wait_ms(b, 100);
	EXPECT(b, l2, "2:0 lease(1,a,asked) ");
	EXPECT(b, l1, "");
	answer(b, l1, 3, 1, true);
	wait_ms(b, 100);
	EXPECT(b, l1, "3:0 ");
	answer(b, l2, 3, 1, true);
	wait_ms(b, 100);
	EXPECT(b, l2, "3:0 lease(1,a,granted) ");
}

static void taken_back(void **state)
{
	struct bench *b = *state;
	unsigned int a = client(b, "a"), l = client(b, "listener");
	unsigned int d = admin(b, "admin");

	ask_lease(b, a, 5, 10000);
	ask_cancel(b, a, 6, 5);
	EXPECT(b, a, "5:18 6:0 ");
	EXPECT(b, l, "lease(1,a,asked) lease(1,a,ended,cancelled) ");
	ask_lease(b, a, 7, 10000);
	ask_unlease(b, l, 8, 2);
	EXPECT(b, l, "lease(2,a,asked) 8:3 ");
	ask_unlease(b, l, 9, 1);
	EXPECT(b, l, "9:4 ");
	ask_unlease(b, d, 8, 2);
	EXPECT(b, d, "8:0 ");
	EXPECT(b, a, "7:18 ");
	EXPECT(b, l, "lease(2,a,ended,taken back by an admin) ");
	ask_lease(b, a, 9, 10000);
	EXPECT(b, l, "lease(3,a,asked) ");
	fake_client_disconnect(b->conns[a]);
	EXPECT(b, l, "lease(3,a,ended,cancelled) ");
	assert_string_equal(status(b, l), "");
}

/* The modem is everybody's: somebody opens a link and closes it. */
static void expect_ordinary(struct bench *b, unsigned int c)
{
	struct link_info info;

	ask_open(b, c, 3, 0);
	wait_ms(b, 200);
	assert_non_null(strstr(heard(b, c), "opened("));
	assert_int_equal(modem_link_next(b->broker->modem, 0, &info), 0);
	ask_close(b, c, 4, info.id, false);
	wait_ms(b, 200);
	assert_non_null(strstr(heard(b, c), "closed("));
}

enum way { CANCEL, UNLEASE, GO, WAYS };

/* At any moment, by any way: one reply, one end, and nothing is left. */
static void ends_at_any_moment(void **state)
{
	struct bench *b = *state;
	unsigned int at, c, w = client(b, "w");
	const char *text;
	enum way way;
	uint64_t id;

	for (at = 0; at < 160 * WAYS; at += 8) {
		way = at / 8 % WAYS;
		c = client(b, "a");
		ask_lease(b, c, 5, 0);
		wait_ms(b, at / WAYS);
		id = b->broker->lease->owned->link;
		if (way == CANCEL)
			ask_cancel(b, c, 6, 5);
		else if (way == UNLEASE)
			ask_unlease(b, c, 6, id);
		else
			fake_client_disconnect(b->conns[c]);
		wait_ms(b, 15000);
		text = way == GO ? "5:" : heard(b, c);
		if (!strstr(text, "5:") ||
		    strstr(strstr(text, "5:") + 1, " 5:"))
			fail_msg("way %u at %u: <%s>", (unsigned int)way, at,
				 text);
		if (way == CANCEL && b->broker->lease) {	/* too late */
			assert_non_null(strstr(text, "5:0="));
			ask_unlease(b, c, 7, id);
			wait_ms(b, 15000);
		}
		assert_null(b->broker->lease);
		assert_string_equal(status(b, w), "");
		expect_ordinary(b, w);
	}
}

static void bad_requests(void **state)
{
	struct bench *b = *state;
	unsigned int a = client(b, "a");
	Modemd__V1__Lease l;
	REQUEST(r);

#define BAD(what, status, part) do {					\
		modemd__v1__lease__init(&l);				\
		l.has_host = l.has_port = true;				\
		l.host = chars("h");					\
		l.port = 1;						\
		what;							\
		r.lease = &l;						\
		ask(b, a, &r, 9, MODEMD__V1__REQUEST__KIND_LEASE);	\
		EXPECT(b, a, "9:" #status " ");				\
		assert_non_null(strstr(b->message, part));		\
	} while (0)
	BAD(l.port = 0, 1, "port");
	BAD(l.port = 65536, 1, "port");
	BAD(MSG_SET(&l, local_port, 65536), 1, "local_port");
	BAD(MSG_SET(&l, duration_ms, 999), 1, "duration_ms");
	BAD(MSG_SET(&l, duration_ms, 3600001), 1, "duration_ms");
	BAD(MSG_SET(&l, wait_ms, 600001), 1, "wait_ms");
	BAD(l.host = chars("a b"), 1, "host");
	BAD(MSG_SET(&l, listen, true), 1, "host");
	BAD(MSG_SET(&l, type, MODEMD__V1__LINK_TYPE__TLS), 2, "TCP or UDP");
	BAD(l.has_host = false; l.host.len = 0; MSG_SET(&l, listen, true);
	    MSG_SET(&l, type, MODEMD__V1__LINK_TYPE__UDP), 1, "only TCP");
#undef BAD
	script_say(b->script, "\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n");
	wait_ms(b, 10);
	ask_lease(b, a, 10, 10000);
	EXPECT(b, a, "10:11 ");
	assert_null(b->broker->lease);
}

static void not_connected(void **state)
{
	struct bench *b = *state;
	unsigned int a = client(b, "a");

	script_answer(b->script, "AT+CIPOPEN=0", "\r\nCONNECT FAIL\r\n", 1);
	ask_lease(b, a, 5, 0);
	wait_ms(b, 10000);
	EXPECT(b, a, "5:8 ");
	assert_null(b->broker->lease);
}

#define T(f) \
	cmocka_unit_test_setup_teardown(f, set_up_lease, tear_down_lease)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(granted), T(waits_for_links), T(admin_forces),
		T(owners_must_agree), T(late_owner_is_asked), T(taken_back),
		T(ends_at_any_moment),
		T(bad_requests), T(not_connected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
