/* SPDX-License-Identifier: MIT */

/*
 * Clients: who may say what, what the frames may hold, how many there may be,
 * and what they leave behind.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <event2/buffer.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "broker_bench.h"

static void hello(void **state)
{
	struct bench *b = *state;
	unsigned int c = connect_as(b, 500, false);
	Modemd__V1__ServerMessage *msg;

	say_hello(b, c, "logger", 1);
	msg = reply_of(b, c);
	assert_string_equal(msg->reply->hello->server_version, MODEMD_VERSION);
	assert_int_equal(msg->reply->hello->protocol_version, 1);
	assert_string_equal(msg->reply->hello->instance, "test");
	assert_string_equal(msg->reply->hello->boot_id, "boot");
	assert_int_equal(msg->reply->hello->max_frame, 65536);
	assert_int_equal(msg->reply->hello->window, 65536);
	assert_int_equal(msg->reply->hello->credit, 65536);
	assert_string_equal(msg->reply->hello->dialect, "simcom");
	assert_true(msg->reply->hello->n_capabilities >= 1);
	assert_false(msg->reply->hello->admin);
	free_reply(msg);
	say_hello(b, c, "logger", 1);
	assert_string_equal(heard(b, c), "1:INVALID ");
	wait_ms(b, 60000);
	assert_null(fake_client_closed(b->conns[c]));
}

static void hello_is_required(void **state)
{
	struct bench *b = *state;
	unsigned int c = connect_as(b, 500, false);

	ask_open(b, c, 5, 0);
	assert_string_equal(heard(b, c), "5:BAD_PROTOCOL ");
	assert_non_null(fake_client_closed(b->conns[c]));
	/* what it had sent behind it is not looked at */
	say_hello(b, c, "late", 1);
	wait_ms(b, 1);
	assert_string_equal(heard(b, c), "");
	assert_true(fake_client_gone(b->conns[c]));
	assert_int_equal(script_heard(b->script, "AT+CIPOPEN="), 0);
}

static void hello_in_time(void **state)
{
	struct bench *b = *state;
	unsigned int quick = client(b, "quick"), slow;

	slow = connect_as(b, 500, false);
	wait_ms(b, 4990);
	assert_null(fake_client_closed(b->conns[slow]));
	wait_ms(b, 20);
	assert_true(fake_client_gone(b->conns[slow]));
	assert_null(fake_client_closed(b->conns[quick]));
}

static void other_versions(void **state)
{
	static const uint32_t versions[] = { 0, 2, 4294967295U };
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < 3; i++) {
		unsigned int c = connect_as(b, 500, false);

		say_hello(b, c, "tool", versions[i]);
		assert_string_equal(heard(b, c), "1:BAD_PROTOCOL ");
		wait_ms(b, 1);
		assert_true(fake_client_gone(b->conns[c]));
	}
}

static void names(void **state)
{
	static const char *const bad[] = {
		"", "a\nb", "\x1b[2J", "caf\xc3\xa9",
		("1234567890123456789012345678901234567890123456789012345678"
		 "9012345"),
	};
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		unsigned int c = connect_as(b, 500, false);

		say_hello(b, c, bad[i], 1);
		assert_string_equal(heard(b, c), "1:INVALID ");
		wait_ms(b, 1);
		assert_true(fake_client_gone(b->conns[c]));
	}
	client(b, "12345678901234567890123456789012"
	       "34567890123456789012345678901234");
}

/* D2, D10, I4: it, and no other. */
static void malformed_frame(void **state)
{
	static const struct { const char *frame; size_t len; } bad[] = {
		{ "\xff", 1 }, { "\x12\x7f", 2 }, { "\x08", 1 },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11 },
		{ "\x1a\x05\x12\xff", 4 },
	};
	struct bench *b = *state;
	unsigned int good = client(b, "good");
	uint64_t link = opened(b, good);
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		unsigned int c = i % 2 ? client(b, "bad") :
				 connect_as(b, 500, false);

		fake_client_send_bytes(b->conns[c], bad[i].frame, bad[i].len);
		wait_ms(b, 1);
		assert_true(fake_client_gone(b->conns[c]));
	}
	ask_send(b, good, 3, link, 1, "hello", 5);
	wait_ms(b, 50);
	assert_string_equal(heard(b, good), "3:OK sent(1/1,5) ");
}

static void any_bytes(void **state)
{
	struct bench *b = *state;
	unsigned int good = client(b, "good"), c = UINT_MAX;
	uint64_t seed = 1;
	uint8_t frame[64];
	size_t len, i;
	int n;

	for (n = 0; n < 20000; n++) {
		if (c == UINT_MAX || fake_client_closed(b->conns[c])) {
			wait_ms(b, 1);
			if (c != UINT_MAX) {
				fake_client_free(b->conns[c]);
				b->count--;
			}
			c = client(b, "fuzzer");
		}
		len = (size_t)(n % (int)sizeof(frame));
		for (i = 0; i < len; i++) {
			seed = seed * 6364136223846793005ULL +
			       1442695040888963407ULL;
			frame[i] = (uint8_t)(seed >> 40);
		}
		/* often something that looks like a request */
		if (len > 2 && n % 3) {
			frame[0] = (uint8_t)(((n % 29) << 3 | 2) & 0x7f);
			frame[1] = (uint8_t)(len - 2);
		}
		fake_client_send_bytes(b->conns[c], frame, len);
		heard(b, c);
	}
	assert_null(fake_client_closed(b->conns[good]));
	ask_status(b, good, 9);
	assert_string_equal(heard(b, good), "9:OK ");
}

/* D11: fields that only a newer client knows, requests too. */
static void unknown_requests_and_fields(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "newer");

	/* id 9, and field 99 (varint) */
	fake_client_send_bytes(b->conns[c], "\x08\x09\x98\x06\x01", 5);
	assert_string_equal(heard(b, c), "9:NOT_SUPPORTED ");
	/* id 9, request 20 (reserved), empty */
	fake_client_send_bytes(b->conns[c], "\x08\x09\xa2\x01\x00", 5);
	assert_string_equal(heard(b, c), "9:NOT_SUPPORTED ");
	/* no id, no kind */
	fake_client_send_bytes(b->conns[c], "", 0);
	assert_string_equal(heard(b, c), "0:NOT_SUPPORTED ");
	/* status, with an unknown field inside */
	fake_client_send_bytes(b->conns[c], "\x08\x04\x7a\x03\x98\x06\x01", 7);
	assert_string_equal(heard(b, c), "4:OK ");
	assert_null(fake_client_closed(b->conns[c]));
}

/* ---------------------------------------------------------------- ownership */

/* S12, D8 */
static void links_of_others(void **state)
{
	struct bench *b = *state;
	unsigned int a = client(b, "a"), c = client(b, "c");
	uint64_t link = opened(b, a), ids[4];
	size_t i;

	ids[0] = link;			/* a's */
	ids[1] = 0;
	ids[2] = link + 1;		/* not yet */
	ids[3] = UINT64_MAX;
	for (i = 0; i < 4; i++) {
		ask_send(b, c, 1, ids[i], 1, "evil", 4);
		ask_credit(b, c, 2, ids[i], 1);
		ask_close(b, c, 3, ids[i], true);
		wait_ms(b, 100);
		assert_string_equal(heard(b, c), "1:NO_SUCH_LINK "
				    "2:NO_SUCH_LINK 3:NO_SUCH_LINK ");
	}
	assert_string_equal(heard(b, a), "");
	assert_int_equal(evbuffer_get_length(script_sent(b->script, 9)), 0);
	/* also for an admin: it is about whose it is */
	c = connect_as(b, 0, true);
	say_hello(b, c, "root", 1);
	heard(b, c);
	ask_send(b, c, 1, link, 1, "evil", 4);
	assert_string_equal(heard(b, c), "1:NO_SUCH_LINK ");
	/* and one's own that has ended */
	ask_close(b, a, 4, link, true);
	wait_ms(b, 100);
	assert_string_equal(heard(b, a), "4:OK closed(1/1,OK,local,0/0/0) ");
	ask_send(b, a, 5, link, 1, "x", 1);
	ask_close(b, a, 6, link, true);
	assert_string_equal(heard(b, a), "5:NO_SUCH_LINK 6:NO_SUCH_LINK ");
}

/* ---------------------------------------------- what a client leaves behind */

/* D5: in every state that a link can have. */
static void client_gone(void **state)
{
	static const char *const states[] = {
		"waiting for a slot", "opening", "open", "sending", "reading",
		"closing", "lost", "closed by the peer",
	};
	struct bench *b = *state;
	unsigned int other = client(b, "other");
	size_t i;

	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		unsigned int c = client(b, "gone");
		struct open_options with = { .restore = i == 6 };
		const struct fake_session *s;
		unsigned int link = 0;

		if (i == 0) {
			int n;

			for (n = 0; n < 10; n++)
				opened(b, other);
			with.wait_ms = 60000;
		}
		if (i == 1)
			script_answer(b->script, "AT+CIPOPEN=",
				      "\r\nOK\r\n", 1);
		ask_open_with(b, c, 2, &with);
		wait_ms(b, 50);
		assert_int_equal(sscanf(heard(b, c), "2:OK=%u", &link), 1);
		if (i == 3)
			script_send_result(b->script, "");
		if (i == 3)
			ask_send(b, c, 3, link, 1, "hello", 5);
		if (i == 4)
			script_answer(b->script, "AT+CIPRXGET=2", "", 1);
		if (i == 4)
			script_say(b->script, "\r\n+CIPRXGET: 1,9\r\n"
				   "\r\n+CIPRXGET: 1,8\r\n");
		if (i == 5) {
			script_answer(b->script, "AT+CIPCLOSE=",
				      "\r\nOK\r\n", 1);
			ask_close(b, c, 4, link, false);
		}
		if (i == 6) {
			script_set(b->script)->net_open = false;
			script_answer(b->script, "AT+NETOPEN",
				      "\r\nERROR\r\n", 1);
			script_say(b->script, "\r\n+CIPEVENT: NETWORK CLOSED "
				   "UNEXPECTEDLY\r\n");
		}
		if (i == 7) {
			script_peer_sends(b->script, 9, "x", 1);
			script_answer(b->script, "AT+CIPRXGET=2", "", 1);
			script_say(b->script, "\r\n+IPCLOSE: 9,1\r\n");
		}
		wait_ms(b, 15);
		fake_client_disconnect(b->conns[c]);
		if (i == 0)
			fake_client_disconnect(b->conns[other]);
		wait_ms(b, 60000);
		script_send_result(b->script, NULL);
		s = fake_history_session(b->history, link, 1);
		if (!s || !s->closed)
			fail_msg("%s: its row is open", states[i]);
		if (i < 5)
			assert_string_equal(s->reason, "client-gone");
		assert_int_equal(fake_history_open_sessions(b->history), 0);
		/* a result that comes now reaches nobody */
		if (i == 1)
			script_say(b->script, "\r\n+CIPOPEN: 9,0\r\n");
		wait_ms(b, 1000);
		if (script_open_slots(b->script))
			fail_msg("%s: a slot stays open", states[i]);
	}
	other = client(b, "after");
	ask_status(b, other, 5);
	heard(b, other);
	assert_int_equal(opened(b, other) > 0, true);
}

static void client_gone_with_queries(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "gone"), d = client(b, "stays");

	script_answer(b->script, "AT+CDNSGIP", "", 1);
	fake_history_answer(b->history, 0, NULL, 0, 5000);
	ask_resolve(b, c, 2, "a.example");
	ask_resolve(b, c, 3, "b.example");
	ask_history(b, c, 4, NULL);
	ask_resolve(b, d, 2, "c.example");
	wait_ms(b, 100);
	fake_client_disconnect(b->conns[c]);
	assert_int_equal(fake_history_waiting(b->history), 0);
	script_say(b->script, "\r\n+CDNSGIP: 1,\"a\",\"1.2.3.4\"\r\n"
		   "\r\nOK\r\n");
	wait_ms(b, 10000);
	assert_string_equal(heard(b, d), "2:OK=93.184.216.34 ");
}

/* Whoever kills the others' connection takes only his own with him. */
static void crowd_goes_at_random(void **state)
{
	struct bench *b = *state;
	unsigned int i, c, round;
	uint64_t seed = 5;

	for (round = 0; round < 300; round++) {
		c = client(b, "crowd");
		ask_open(b, c, 2, 3000);
		wait_ms(b, (uint32_t)(seed >> 40) % 30);
		ask_send(b, c, 3, round + 1, 1, "hello", 5);
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		i = (unsigned int)((seed >> 33) % b->count);
		fake_client_disconnect(b->conns[i]);
		wait_ms(b, (uint32_t)(seed >> 50) % 20);
	}
	for (i = 0; i < b->count; i++)
		fake_client_disconnect(b->conns[i]);
	wait_ms(b, 60000);
	assert_int_equal(script_open_slots(b->script), 0);
	assert_int_equal(fake_history_open_sessions(b->history), 0);
}

/* ------------------------------------------------------------------- limits */

static void sixty_four_links(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "greedy"), d = client(b, "modest");
	unsigned int i;

	for (i = 0; i < 64; i++)
		ask_open(b, c, 2, 600000);
	wait_ms(b, 1000);
	assert_int_equal(count(heard(b, c), "2:OK="), 64);
	ask_open(b, c, 3, 600000);
	assert_string_equal(heard(b, c), "3:LIMIT ");
	ask_open(b, d, 3, 600000);
	assert_int_equal(count(heard(b, d), "3:OK="), 1);
	ask_close(b, c, 4, 64, true);
	wait_ms(b, 10);
	assert_non_null(strstr(heard(b, c), "opened(64,CANCELLED)"));
	ask_open(b, c, 5, 600000);
	assert_int_equal(count(heard(b, c), "5:OK="), 1);
}

static void client_limits(void **state)
{
	struct bench *b = *state;
	unsigned int i;

	b->cfg.ipc.max_clients = 10;
	b->cfg.ipc.max_clients_per_user = 4;
	for (i = 0; i < 4; i++)
		assert_int_not_equal(connect_as(b, 500, false), UINT_MAX);
	assert_int_equal(connect_as(b, 500, false), UINT_MAX);
	for (i = 0; i < 6; i++)
		assert_int_not_equal(connect_as(b, 600 + i, false), UINT_MAX);
	assert_int_equal(connect_as(b, 700, false), UINT_MAX);
	fake_client_disconnect(b->conns[0]);
	assert_int_not_equal(connect_as(b, 500, false), UINT_MAX);
}

/* A3: a thousand of them, idle. */
static void a_thousand_clients(void **state)
{
	struct bench *b = *state;
	Modemd__V1__ServerMessage *msg;
	Modemd__V1__ClientsRequest m = MODEMD__V1__CLIENTS_REQUEST__INIT;
	REQUEST(r);
	unsigned int i;

	for (i = 0; i < 1000; i++)
		client(b, "idle");
	wait_ms(b, 60000);
	ask_status(b, 999, 2);
	msg = reply_of(b, 999);
	assert_int_equal(msg->reply->status_reply->clients, 1000);
	free_reply(msg);
	r.clients = &m;
	ask(b, 999, &r, 3, MODEMD__V1__REQUEST__KIND_CLIENTS);
	msg = reply_of(b, 999);
	assert_true(msg->reply->clients->n_client > 500);
	free_reply(msg);
}

/* D13 */
static void pipelined_requests(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "eager"), i;
	char want[4096] = "";

	for (i = 10; i < 110; i++)
		ask_status(b, c, i);
	for (i = 10; i < 110; i++)
		snprintf(want + strlen(want), sizeof(want) - strlen(want),
			 "%u:OK ", i);
	assert_string_equal(heard(b, c), want);
	/* without reading: it is not read either, and nothing is lost */
	fake_client_hold(b->conns[c], true);
	for (i = 0; i < 2000; i++)
		ask_status(b, c, i);
	assert_true(fake_client_paused(b->conns[c]));
	assert_true(client_queued(b->conns[c]) < 80000);
	assert_null(fake_client_closed(b->conns[c]));
	fake_client_hold(b->conns[c], false);
	assert_int_equal(count(heard(b, c), ":OK "), 2000);
}

static void too_many_pending(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "eager"), i;

	fake_history_answer(b->history, 0, NULL, 0, 1000);
	for (i = 0; i < 64; i++)
		ask_history(b, c, 100 + i, NULL);
	assert_string_equal(heard(b, c), "");
	ask_history(b, c, 2, NULL);
	ask_resolve(b, c, 3, "x.example");
	assert_string_equal(heard(b, c), "2:BUSY 3:BUSY ");
	wait_ms(b, 1000);
	assert_int_equal(count(heard(b, c), ":OK "), 64);
	ask_history(b, c, 2, NULL);
	wait_ms(b, 1000);
	assert_string_equal(heard(b, c), "2:OK ");
}

/* S10: what one merely watches is dropped and counted, D6: what is his own
 * is not. */
static void slow_reader(void **state)
{
	struct bench *b = *state;
	unsigned int slow = client(b, "slow"), busy = client(b, "busy");
	uint64_t own = opened(b, slow), link = opened(b, busy);
	unsigned int i, missed;
	size_t most;

	ask_subscribe(b, slow, 2, true, true, true, false);
	assert_string_equal(heard(b, slow), "2:OK ");
	fake_client_hold(b->conns[slow], true);
	for (i = 0; i < 6000; i++) {
		ask_send(b, busy, 3, link, 1, "x", 1);
		wait_ms(b, 11);
		heard(b, busy);
	}
	most = client_queued(b->conns[slow]);
	assert_in_range(most, 262144, 262144 + 65536 + 1000);
	script_peer_sends(b->script, 9, "mine", 4);
	wait_ms(b, 100);
	assert_true(client_queued(b->conns[slow]) > most);
	(void)own;
	assert_null(fake_client_closed(b->conns[slow]));
	fake_client_hold(b->conns[slow], false);
	heard(b, slow);
	assert_non_null(strstr(b->text, "data(1,4) "));
	assert_null(strstr(b->text, "missed("));
	/* told with the next that it can hear */
	ask_send(b, busy, 3, link, 1, "x", 1);
	wait_ms(b, 50);
	heard(b, slow);
	assert_int_equal(sscanf(b->text, "missed(%u)", &missed), 1);
	assert_true(missed > 1000);
	assert_int_equal(count(b->text, "missed("), 1);
}

/* One that asks and never reads is not kept for ever. */
static void never_reads(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "deaf"), i;

	ask_subscribe(b, c, 2, false, false, true, false);
	heard(b, c);
	fake_client_hold(b->conns[c], true);
	for (i = 0; i < 3000; i++)
		ask_status(b, c, i);
	assert_true(client_queued(b->conns[c]) < 262144 + 65536);
}

/* ----------------------------------------------------------------- stopping */

static void stops(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "tool"), d = connect_as(b, 500, false);

	opened(b, c);
	opened(b, c);
	ask_send(b, c, 3, 1, 1, "hello", 5);
	heard(b, c);
	broker_stop(b->broker);
	broker_stop(b->broker);
	assert_false(fake_client_listening(b->world.listener));
	assert_string_equal(heard(b, d), "");
	ask_open(b, c, 4, 1000);
	wait_ms(b, 1000);
	heard(b, c);
	assert_non_null(strstr(b->text, "stopping(10000) 4:STOPPING "));
	assert_non_null(strstr(b->text, "closed(1/1,OK,daemon-stop,5/5/0) "));
	assert_non_null(strstr(b->text, "closed(2/1,OK,daemon-stop,0/0/0) "));
	assert_int_equal(b->stopped, 1);
	assert_int_equal(fake_history_open_sessions(b->history), 0);
	wait_ms(b, 60000);
	assert_int_equal(b->stopped, 1);
}

/* I8: no row stays open, even when the modem does not do as it is told. */
static void stops_although_the_modem_hangs(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	uint64_t link = opened(b, c);

	script_send_result(b->script, "");
	ask_send(b, c, 3, link, 1, "hello", 5);
	wait_ms(b, 50);
	broker_stop(b->broker);
	wait_ms(b, 10100);
	assert_int_equal(b->stopped, 1);
	assert_non_null(strstr(heard(b, c), "closed(1/1,STOPPING,daemon-stop,"
			       "5/0/0) "));
	assert_int_equal(fake_history_open_sessions(b->history), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define O(f) cmocka_unit_test_setup_teardown(f, set_up_open, tear_down)
		O(hello), O(hello_is_required), O(hello_in_time),
		O(other_versions), O(names), O(malformed_frame), O(any_bytes),
		O(unknown_requests_and_fields), O(links_of_others),
		O(client_gone), O(client_gone_with_queries),
		O(crowd_goes_at_random), O(sixty_four_links), O(client_limits),
		O(a_thousand_clients), O(pipelined_requests),
		O(too_many_pending), O(slow_reader), O(never_reads), O(stops),
		O(stops_although_the_modem_hangs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
