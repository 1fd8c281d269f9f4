/* SPDX-License-Identifier: MIT */

/* Links of clients: what they may ask of them, and what they hear. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "broker_bench.h"

static uint8_t bytes[WIRE_FRAME_MAX];

static void open_send_receive_close(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	const struct fake_session *s;
	uint64_t link;

	ask_open(b, c, 2, 0);
	assert_string_equal(heard(b, c), "2:OK=1 ");
	wait_ms(b, 50);
	assert_string_equal(heard(b, c), "opened(1,OK) ");
	link = 1;
	ask_send(b, c, 3, link, 1, "hello", 5);
	wait_ms(b, 50);
	assert_string_equal(heard(b, c), "3:OK sent(1/1,5) ");
	script_peer_sends(b->script, 9, "a\0b", 3);
	wait_ms(b, 50);
	assert_string_equal(heard(b, c), "data(1,3) ");
	assert_memory_equal(b->data, "a\0b", 3);
	s = fake_history_session(b->history, 1, 1);
	assert_non_null(s);
	assert_false(s->closed);
	assert_string_equal(s->client, "tool");
	assert_string_equal(s->remote, "host.example:80");
	assert_int_equal(s->slot, 9);
	assert_int_equal(s->uid, 500);
	ask_close(b, c, 4, link, false);
	wait_ms(b, 50);
	assert_string_equal(heard(b, c), "4:OK closed(1/1,OK,local,5/5/3) ");
	assert_true(s->closed);
	assert_string_equal(s->reason, "local");
	assert_int_equal(s->counts.accepted, 5);
	assert_int_equal(s->counts.taken, 5);
	assert_int_equal(s->counts.received, 3);
	assert_int_equal(s->counts.confirmed, -1);
}

static void open_fails(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	const struct fake_session *s;

	script_answer(b->script, "AT+CIPOPEN=",
		      "\r\nOK\r\n\r\n+CIPOPEN: 9,1\r\n", 1);
	ask_open(b, c, 2, 0);
	wait_ms(b, 50);
	assert_string_equal(heard(b, c), "2:OK=1 opened(1,REFUSED) ");
	s = fake_history_session(b->history, 1, 1);
	assert_true(s->closed);
	assert_string_equal(s->reason, "refused");
	assert_string_equal(s->text, "Network failure");
	ask_close(b, c, 3, 1, true);
	assert_string_equal(heard(b, c), "3:NO_SUCH_LINK ");
}

/* S1, C11: refused before any byte reaches the modem. */
static void bad_opens(void **state)
{
	static const struct {
		const char *host;
		size_t len;
		int64_t port, local_port;
		int type;
		const char *want;
	} cases[] = {
		{ "h\r\nAT+CFUN=0", 12, 80, 0, 0, "2:INVALID " },
		{ "h\"", 2, 80, 0, 0, "2:INVALID " },
		{ "h\0h", 3, 80, 0, 0, "2:INVALID " },
		{ "", 0, 80, 0, 0, "2:INVALID " },
		{ "h", 1, -1, 0, 0, "2:INVALID " },
		{ "h", 1, 0, 0, 0, "2:INVALID " },
		{ "h", 1, 65536, 0, 0, "2:INVALID " },
		{ "h", 1, 80, 65536, 0, "2:INVALID " },
		{ "h", 1, 80, 0, 2, "2:INVALID " },
		{ "h", 1, 80, 0, 3, "2:NOT_SUPPORTED " },
		{ "::g", 3, 80, 0, 0, "2:INVALID " },
		{ "::1", 3, 80, 0, 0, "2:NOT_SUPPORTED " },
	};
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		Modemd__V1__Open o = MODEMD__V1__OPEN__INIT;
		REQUEST(r);

		o.has_host = true;
		o.host = binary(cases[i].host, cases[i].len);
		o.has_port = cases[i].port >= 0;
		o.port = (uint32_t)cases[i].port;
		o.has_local_port = true;
		o.local_port = (uint32_t)cases[i].local_port;
		o.has_type = cases[i].type;
		o.type = (Modemd__V1__LinkType)cases[i].type;
		r.open = &o;
		ask(b, c, &r, 2, MODEMD__V1__REQUEST__KIND_OPEN);
		assert_string_equal(heard(b, c), cases[i].want);
	}
	wait_ms(b, 1000);
	assert_int_equal(script_heard(b->script, ""), 0);
	ask_resolve(b, c, 3, "a\rAT+CFUN=0");
	wait_ms(b, 1000);
	assert_string_equal(heard(b, c), "3:INVALID ");
	assert_int_equal(script_heard(b->script, ""), 0);
}

static void bad_sends(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	uint64_t link = opened(b, c);

	ask_send(b, c, 2, link, 1, "", 0);
	ask_send(b, c, 3, link, 1, bytes, WIRE_DATA_MAX + 1);
	ask_send(b, c, 4, link, 2, "x", 1);
	ask_send(b, c, 5, link, 0, "x", 1);
	assert_string_equal(heard(b, c), "2:INVALID 3:TOO_LONG 4:STALE_EPOCH "
			    "5:STALE_EPOCH ");
	ask_send(b, c, 6, link, 1, bytes, WIRE_DATA_MAX);
	assert_string_equal(heard(b, c), "6:OK ");
}

/* ---------------------------------------------------------------- datagrams */

static void ask_open_udp(struct bench *b, unsigned int c, uint64_t id,
			 const char *host, int port, bool want_source)
{
	Modemd__V1__Open o = MODEMD__V1__OPEN__INIT;
	REQUEST(r);

	o.has_type = true;
	o.type = MODEMD__V1__LINK_TYPE__UDP;
	o.has_host = host != NULL;
	if (host)
		o.host = chars(host);
	o.has_port = port >= 0;
	o.port = (uint32_t)port;
	o.has_want_source = o.want_source = want_source;
	r.open = &o;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_OPEN);
}

static void ask_send_to(struct bench *b, unsigned int c, uint64_t id,
			uint64_t link, const char *host, int port, size_t len)
{
	Modemd__V1__Send s = MODEMD__V1__SEND__INIT;
	REQUEST(r);

	s.has_link = s.has_epoch = s.has_data = true;
	s.link = link;
	s.epoch = 1;
	s.data = binary(bytes, len);
	s.has_to_host = host != NULL;
	if (host)
		s.to_host = chars(host);
	s.has_to_port = port >= 0;
	s.to_port = (uint32_t)port;
	r.send = &s;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_SEND);
}

static void datagrams(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	const struct fake_session *row;

	ask_open_udp(b, c, 2, NULL, -1, true);
	wait_ms(b, 500);
	assert_string_equal(heard(b, c), "2:OK=1+source opened(1,OK) ");
	ask_send_to(b, c, 3, 1, "192.0.2.1", 53, 5);
	wait_ms(b, 100);
	assert_string_equal(heard(b, c), "3:OK sent(1/1,5) ");
	assert_int_equal(script_heard(b->script, "AT+CIPSEND=9,5,"
				      "\"192.0.2.1\",53"), 1);
	script_peer_sends(b->script, 9, "ab", 2);
	script_peer_sends(b->script, 9, "c", 1);
	wait_ms(b, 100);
	assert_string_equal(heard(b, c), "data(1,2,192.0.2.7:53) "
			    "data(1,1,192.0.2.7:53) ");
	script_set(b->script)->send_max = 1000;
	ask_send_to(b, c, 4, 1, "192.0.2.1", 53, 1001);
	wait_ms(b, 100);
	assert_string_equal(heard(b, c), "4:OK sent(1/1,1001,TOO_LONG) ");
	row = TAILQ_LAST(fake_history_sessions(b->world.history),
			 fake_session_list);
	assert_string_equal(row->type, "udp");
	assert_string_equal(row->remote, "*:0");
}

static void bad_datagrams(void **state)
{
	static const struct {
		const char *host;
		int port;
	} opens[] = {
		{ "name.example", 53 }, { "192.0.2.1", -1 }, { "192.0.2.1", 0 },
		{ NULL, 53 }, { "192.0.2.1", 65536 }, { "192.0.2.1.", 53 },
		{ "::g", 53 }, { "", 53 }, { "192.0.2.1\r", 53 },
	};
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	uint64_t tcp = opened(b, c);
	size_t i;

	for (i = 0; i < sizeof(opens) / sizeof(opens[0]); i++) {
		ask_open_udp(b, c, 2, opens[i].host, opens[i].port, false);
		assert_string_equal(heard(b, c), "2:INVALID ");
	}
	ask_open_udp(b, c, 2, NULL, -1, false);
	wait_ms(b, 500);
	assert_string_equal(heard(b, c), "2:OK=2 opened(2,OK) ");
	for (i = 0; i < sizeof(opens) / sizeof(opens[0]); i++) {
		ask_send_to(b, c, 3, 2, opens[i].host, opens[i].port, 1);
		assert_string_equal(heard(b, c), "3:INVALID ");
	}
	ask_send_to(b, c, 3, 2, NULL, -1, 1);
	ask_send_to(b, c, 4, 2, "192.0.2.1", 53, 1501);
	ask_send_to(b, c, 5, tcp, "192.0.2.1", 53, 1);
	assert_string_equal(heard(b, c), "3:INVALID 4:TOO_LONG 5:INVALID ");
	wait_ms(b, 500);
	assert_int_equal(script_heard(b->script, "AT+CIPSEND="), 0);
}

/* ------------------------------------------------- slots, window and credit */

/* A7: the message names who holds them. */
static void no_slot(void **state)
{
	struct bench *b = *state;
	unsigned int a = client(b, "alpha"), c = client(b, "beta");
	Modemd__V1__ServerMessage *msg;
	int i;

	for (i = 0; i < 7; i++)
		opened(b, a);
	for (i = 0; i < 3; i++)
		opened(b, c);
	ask_open(b, c, 2, 0);
	msg = reply_of(b, c);
	assert_int_equal(msg->reply->status, MODEMD__V1__STATUS__NO_SLOT);
	assert_non_null(strstr(msg->reply->message, "alpha (pid 1000): 7"));
	assert_non_null(strstr(msg->reply->message, "beta (pid 1001): 3"));
	free_reply(msg);
	/* and waiting works, in turn */
	ask_open(b, c, 3, 60000);
	wait_ms(b, 100);
	assert_string_equal(heard(b, c), "3:OK=12 queued(12) ");
	fake_client_disconnect(b->conns[a]);
	wait_ms(b, 100);
	assert_string_equal(heard(b, c), "opened(12,OK) ");
}

static void no_network(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	Modemd__V1__ServerMessage *msg;

	ask_open(b, c, 2, 0);
	msg = reply_of(b, c);
	assert_int_equal(msg->reply->status, MODEMD__V1__STATUS__MODEM_GONE);
	free_reply(msg);
	script_set(b->script)->reg = 2;
	broker_start(b->broker);
	wait_ms(b, 2000);
	ask_open(b, c, 2, 0);
	msg = reply_of(b, c);
	assert_int_equal(msg->reply->status, MODEMD__V1__STATUS__NETWORK_DOWN);
	assert_non_null(strstr(msg->reply->message, "registering"));
	free_reply(msg);
	ask_resolve(b, c, 3, "x.example");
	assert_string_equal(heard(b, c), "3:NETWORK_DOWN ");
	ask_open(b, c, 4, 600000);
	wait_ms(b, 10);
	assert_string_equal(heard(b, c), "4:OK=1 queued(1) ");
	script_set(b->script)->reg = 1;
	script_say(b->script, "\r\n+CEREG: 1\r\n");
	wait_ms(b, 3000);
	assert_string_equal(heard(b, c), "opened(1,OK) ");
}

static void window_and_credit(void **state)
{
	struct open_options with = { .has_credit = true, .credit = 0 };
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	int i;

	/* nothing at all, as it asked */
	ask_open_with(b, c, 2, &with);
	wait_ms(b, 50);
	heard(b, c);
	memset(bytes, 'x', sizeof(bytes));
	script_peer_sends(b->script, 9, bytes, 20000);
	wait_ms(b, 10000);
	assert_string_equal(heard(b, c), "");
	ask_credit(b, c, 3, 1, 100);
	wait_ms(b, 100);
	assert_string_equal(heard(b, c), "3:OK data(1,100) ");
	ask_credit(b, c, 4, 1, 1501);
	wait_ms(b, 100);
	assert_string_equal(heard(b, c), "4:OK data(1,1500) data(1,1) ");
	/* up: 64 KiB, then it must wait for `sent` */
	for (i = 0; i < 4; i++)
		ask_send(b, c, 5, 1, 1, bytes, 16384);
	assert_string_equal(heard(b, c), "5:OK 5:OK 5:OK 5:OK ");
	ask_send(b, c, 6, 1, 1, "x", 1);
	assert_string_equal(heard(b, c), "6:WINDOW_FULL ");
	wait_ms(b, 10);
	ask_send(b, c, 7, 1, 1, bytes, 1500);
	assert_non_null(strstr(heard(b, c), "7:OK "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define N(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define O(f) cmocka_unit_test_setup_teardown(f, set_up_open, tear_down)
		O(open_send_receive_close), O(open_fails), O(bad_opens),
		O(bad_sends), O(datagrams), O(bad_datagrams), O(no_slot),
		N(no_network), O(window_and_credit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
