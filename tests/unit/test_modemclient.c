/* SPDX-License-Identifier: MIT */

/* The library's connection: greeting, nonsense, loss, questions. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "caller.h"

/* A program that is not connected, and a fake that listens. */
static struct caller *stranger(void)
{
	struct caller *c = caller_new(0, 0, true);

	modemclient_free(c->mc);
	c->mc = NULL;
	fake_hang_up(c->f);
	c->opts.timeout_ms = 2000;

	return c;
}

static void test_connect(void **state)
{
	struct caller *c = caller_new(0, 0, false);

	(void)state;
	assert_true(modemclient_is_connected(c->mc));
	assert_string_equal(modemclient_instance(c->mc), "modem");
	assert_string_equal(modemclient_server_version(c->mc), "9.8.7");
	assert_string_equal(modemclient_dialect(c->mc), "simcom");
	assert_true(modemclient_has_capability(c->mc, "confirmed"));
	assert_false(modemclient_has_capability(c->mc, "confirme"));
	assert_false(modemclient_is_admin(c->mc));
	assert_int_equal(modemclient_get_timeout_ms(c->mc), -1);
	assert_int_equal(modemclient_get_events(c->mc), POLLIN);
	caller_free(c);
}

static void test_hello_content(void **state)
{
	struct caller *c = stranger();
	Modemd__V1__Request *req;

	(void)state;
	c->opts.name = "telemetry";
	caller_start(c, call_connect);
	fake_accept(c->f);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_HELLO);
	assert_int_equal(req->hello->client_name.len, strlen("telemetry"));
	assert_memory_equal(req->hello->client_name.data, "telemetry", 9);
	assert_int_equal(req->hello->protocol_version, 1);
	fake_error(c->f, req->id, MODEMD__V1__STATUS__LIMIT,
		   "1024 clients are connected (ipc.max-clients)", NULL);
	fake_done(req);
	assert_int_equal(caller_finish(c), -EDQUOT);
	assert_null(c->mc);
	assert_true(fake_hung_up(c->f));
	caller_free(c);
}

static void test_connect_sentence(void **state)
{
	struct caller *c = stranger();
	struct modemclient *mc;
	char name[80];

	(void)state;
	close(c->f->listener);
	c->f->listener = -1;
	assert_int_equal(modemclient_connect(&c->opts, &mc), -ECONNREFUSED);
	assert_non_null(strstr(modemclient_error(NULL), "not running"));
	unlink(c->f->path);
	assert_int_equal(modemclient_connect(&c->opts, &mc), -ENOENT);
	assert_null(mc);
	assert_non_null(strstr(modemclient_error(NULL), c->f->path));

	memset(name, 'n', sizeof(name));
	name[65] = '\0';
	c->opts.name = name;
	assert_int_equal(modemclient_connect(&c->opts, &mc), -EINVAL);
	name[64] = '\0';
	assert_int_equal(modemclient_connect(&c->opts, &mc), -ENOENT);
	c->opts.name = "";
	assert_int_equal(modemclient_connect(&c->opts, &mc), -EINVAL);
	c->opts.name = "a\nb";
	assert_int_equal(modemclient_connect(&c->opts, &mc), -EINVAL);
	caller_free(c);
}

static void test_connect_environment(void **state)
{
	struct caller *c = stranger();

	(void)state;
	setenv("MODEMD_SOCKET", c->f->path, 1);
	c->opts.socket = NULL;
	caller_start(c, call_connect);
	fake_greet(c->f);
	assert_int_equal(caller_finish(c), 0);
	unsetenv("MODEMD_SOCKET");
	caller_free(c);
}

static void test_connect_silence(void **state)
{
	struct caller *c = stranger();

	(void)state;
	c->opts.timeout_ms = 100;
	caller_start(c, call_connect);
	assert_int_equal(caller_finish(c), -ETIMEDOUT);
	assert_in_range(c->took_ms, 95, 1000);
	caller_free(c);
}

static void test_connect_hang_up(void **state)
{
	struct caller *c = stranger();

	(void)state;
	caller_start(c, call_connect);
	fake_accept(c->f);
	fake_take(c->f, MODEMD__V1__REQUEST__KIND_HELLO);
	fake_hang_up(c->f);
	assert_int_equal(caller_finish(c), -ENOTCONN);
	caller_free(c);
}

static void test_connect_version(void **state)
{
	Modemd__V1__HelloReply hello = MODEMD__V1__HELLO_REPLY__INIT;
	Modemd__V1__Reply reply = MODEMD__V1__REPLY__INIT;
	struct caller *c = stranger();

	(void)state;
	caller_start(c, call_connect);
	fake_accept(c->f);
	reply.request_id = fake_take(c->f, MODEMD__V1__REQUEST__KIND_HELLO);
	reply.result_case = MODEMD__V1__REPLY__RESULT_HELLO;
	reply.hello = &hello;
	hello.has_protocol_version = 1;
	hello.protocol_version = 2;
	fake_reply(c->f, &reply);
	assert_int_equal(caller_finish(c), -EPROTONOSUPPORT);
	caller_free(c);
}

/* All that happens to a link, as one piece of bytes. */
static void tell_a_life(struct fake *f, uint64_t request)
{
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;

	f->collect = true;
	f->out_len = 0;
	fake_open_reply(f, request, 7);
	fake_opened(f, 7, 1, MODEMD__V1__STATUS__OK, NULL);
	fake_data(f, 7, "hello", 5);
	fake_event(f, &event);			/* an event we do not know */
	fake_ok(f, 987654);			/* a reply nobody waits for */
	fake_data(f, 99, "not mine", 8);
	fake_link_lost(f, 7, 1, 0, 0, 5);
	fake_link_restored(f, 7, 2);
	fake_data(f, 7, "again", 5);
	fake_closed(f, 7, 2, MODEMD__V1__STATUS__PEER_CLOSED, "peer-closed",
		    0, 0, 5);
	f->collect = false;
}

static const char *const a_life =
	"opened:0 read:hello lost:1 taken:0 restored:2 read:again "
	"closed:-32 taken:0 ";

static void check_cut(size_t cut, bool drip)
{
	struct modemclient_open_options o = MODEMCLIENT_OPEN_OPTIONS_INIT;
	struct caller *c = caller_new(0, 0, true);
	struct modemclient_link *link;
	size_t i;

	o.host = "host";
	o.port = 80;
	o.restore = true;
	assert_int_equal(modemclient_open_start(c->mc, &o, &link), 0);
	tell_a_life(c->f, fake_take(c->f, MODEMD__V1__REQUEST__KIND_OPEN));
	if (drip) {
		for (i = 0; i < c->f->out_len; i++) {
			fake_raw(c->f, c->f->out + i, 1);
			assert_int_equal(caller_process(c), 0);
		}
	} else {
		cut = cut < c->f->out_len ? cut : c->f->out_len;
		fake_raw(c->f, c->f->out, cut);
		assert_int_equal(caller_process(c), 0);
		fake_raw(c->f, c->f->out + cut, c->f->out_len - cut);
		assert_int_equal(caller_process(c), 0);
	}
	assert_string_equal(c->heard, a_life);
	modemclient_link_free(link);
	caller_free(c);
}

/* The daemon's bytes may be cut anywhere; the meaning may not change. */
static void test_any_cut(void **state)
{
	size_t cut;

	(void)state;
	for (cut = 0; cut < 260; cut++)
		check_cut(cut, false);
	check_cut(0, true);
}

static void check_nonsense(const char *what, const void *bytes, size_t len)
{
	struct caller *c = caller_new(1024, 1024, true);

	print_message("%s\n", what);
	caller_open(c, 7);
	if (bytes)
		fake_raw(c->f, bytes, len);
	else if (strcmp(what, "data above the credit") == 0)
		fake_data(c->f, 7, c->buf, 1025);
	else if (strcmp(what, "more sent than was written") == 0)
		fake_sent(c->f, 7, 1, 1);
	assert_int_equal(caller_process(c), -EPROTO);
	assert_string_equal(c->heard, "closed:-71 taken:0 disconnected:-71 ");
	assert_int_equal(modemclient_write(c->link, "x", 1, 0), -EPROTO);
	assert_true(fake_hung_up(c->f));
	caller_free(c);
}

static void test_nonsense(void **state)
{
	(void)state;
	check_nonsense("length above the cap", "\x81\x80\x04", 3);
	check_nonsense("length of four bytes", "\xff\xff\xff\xff\x0f", 5);
	check_nonsense("not protobuf", "\x02\xff\xff", 3);
	check_nonsense("text of 2^31 bytes", "\x08\x0a\x06\xff\xff\xff\xff\x0f"
		       "x", 9);
	check_nonsense("data above the credit", NULL, 0);
	check_nonsense("more sent than was written", NULL, 0);
}

/* An empty message and unknown fields are a newer daemon's, not nonsense. */
static void test_newer_daemon(void **state)
{
	struct caller *c = caller_new(0, 0, true);

	(void)state;
	fake_raw(c->f, "\x00", 1);
	fake_raw(c->f, "\x04\xfa\x3e\x01x", 5);		/* field 1007 */
	fake_raw(c->f, "\x02\x0a\x00", 3);		/* an empty reply */
	fake_raw(c->f, "\x02\x12\x00", 3);		/* an empty event */
	assert_int_equal(caller_process(c), 0);
	assert_string_equal(c->heard, "");
	caller_free(c);
}

/* Whatever comes: an error or not, never a crash (run with sanitizers). */
static void test_broken_bytes(void **state)
{
	struct modemclient_open_options o = MODEMCLIENT_OPEN_OPTIONS_INIT;
	unsigned int round, i;

	(void)state;
	srand(20261121);
	o.host = "host";
	o.port = 80;
	for (round = 0; round < 1500; round++) {
		struct caller *c = caller_new(0, 0, true);
		struct modemclient_link *link;

		assert_int_equal(modemclient_open_start(c->mc, &o, &link), 0);
		tell_a_life(c->f,
			    fake_take(c->f, MODEMD__V1__REQUEST__KIND_OPEN));
		for (i = 0; i <= round % 4; i++)
			c->f->out[(size_t)rand() % c->f->out_len] =
				(uint8_t)rand();
		fake_raw(c->f, c->f->out, c->f->out_len);
		caller_process(c);
		caller_free(c);
	}
}

static void test_daemon_gone(void **state)
{
	struct caller *c = caller_new(0, 0, true);

	(void)state;
	caller_open(c, 6);
	caller_open(c, 7);
	fake_data(c->f, 7, "last", 4);
	fake_hang_up(c->f);
	assert_int_equal(caller_process(c), -ENOTCONN);
	assert_string_equal(c->heard, "read:last closed:-107 taken:0 "
			    "closed:-107 taken:0 disconnected:-107 ");
	assert_int_equal(caller_process(c), -ENOTCONN);
	assert_int_equal(modemclient_get_fd(c->mc), -1);
	assert_int_equal(modemclient_open(c->mc, "host", 80, 10, &c->link),
			 -ENOTCONN);
	assert_null(c->link);
	assert_int_equal(modemclient_wait_connected(c->mc, 50), -ENOTCONN);
	caller_free(c);
}

/* What modemd said before it went counts, also when we could not write. */
static void test_last_words(void **state)
{
	struct caller *c = caller_new(0, 0, true);

	(void)state;
	caller_open(c, 7);
	fake_closed(c->f, 7, 1, MODEMD__V1__STATUS__STOPPING, "stopping",
		    3, 3, 0);
	fake_hang_up(c->f);
	assert_int_equal(modemclient_open_start(c->mc, &c->open, &c->link),
			 -EINVAL);
	c->open.host = "other";
	c->open.port = 1;
	assert_int_equal(modemclient_open_start(c->mc, &c->open, &c->link), 0);
	assert_int_equal(caller_process(c), -ENOTCONN);
	assert_string_equal(c->heard, "closed:-108 taken:3 opened:-107 "
			    "disconnected:-107 ");
	caller_free(c);
}

static void test_reconnect(void **state)
{
	struct caller *c = stranger();
	Modemd__V1__Request *req;

	(void)state;
	c->opts.reconnect = true;
	caller_start(c, call_connect);
	fake_greet(c->f);
	assert_int_equal(caller_finish(c), 0);
	caller_open(c, 7);
	c->len = MODEMCLIENT_NETWORK;
	caller_start(c, call_subscribe);
	fake_ok(c->f, fake_take(c->f, MODEMD__V1__REQUEST__KIND_SUBSCRIBE));
	assert_int_equal(caller_finish(c), 0);

	fake_hang_up(c->f);
	fake_unlisten(c->f);
	assert_int_equal(caller_process(c), 0);
	assert_string_equal(c->heard,
			    "closed:-107 taken:0 disconnected:-107 ");
	assert_int_equal(modemclient_read(c->link, c->buf, 1, 10), -ENOTCONN);
	assert_int_equal(modemclient_open_start(c->mc, &c->open, &c->link),
			 -EINVAL);
	assert_in_range(modemclient_get_timeout_ms(c->mc), 1, 200);
	assert_int_equal(modemclient_wait_connected(c->mc, 250), -ETIMEDOUT);

	c->heard[0] = '\0';
	fake_listen(c->f);
	caller_start(c, call_wait_connected);
	fake_greet(c->f);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_SUBSCRIBE);
	assert_true(req->subscribe->network);
	assert_false(req->subscribe->links);
	fake_done(req);
	assert_int_equal(caller_finish(c), 0);
	assert_string_equal(c->heard, "connected ");
	caller_open(c, 1);
	caller_free(c);
}

/* An odd greeting of the restarted daemon only makes it wait longer. */
static void test_reconnect_refused(void **state)
{
	struct caller *c = stranger();

	(void)state;
	c->opts.reconnect = true;
	caller_start(c, call_connect);
	fake_greet(c->f);
	assert_int_equal(caller_finish(c), 0);
	fake_hang_up(c->f);
	assert_int_equal(caller_process(c), 0);
	c->heard[0] = '\0';
	caller_start(c, call_wait_connected);
	fake_accept(c->f);
	fake_error(c->f, fake_take(c->f, MODEMD__V1__REQUEST__KIND_HELLO),
		   MODEMD__V1__STATUS__STOPPING, "stopping", NULL);
	assert_true(fake_hung_up(c->f));
	fake_hang_up(c->f);
	fake_greet(c->f);
	assert_int_equal(caller_finish(c), 0);
	assert_string_equal(c->heard, "connected ");
	caller_free(c);
}

static void wait_in_callback(struct caller *c,
			     const struct modemclient_event *ev)
{
	char buf[8];

	assert_int_equal(ev->type, MODEMCLIENT_EVENT_READABLE);
	assert_int_equal(modemclient_process(c->mc), -EDEADLK);
	assert_int_equal(modemclient_drain(ev->link, 1), -EDEADLK);
	assert_int_equal(modemclient_close(ev->link, 1, NULL), -EDEADLK);
	assert_int_equal(modemclient_read(ev->link, buf, 8, 0), 1);
	assert_int_equal(modemclient_read(ev->link, buf, 8, 0), -EAGAIN);
	strcpy(c->heard, "done");
}

static void test_callback_rules(void **state)
{
	struct caller *c = caller_new(0, 0, true);

	(void)state;
	caller_open(c, 7);
	c->in_callback = wait_in_callback;
	fake_data(c->f, 7, "x", 1);
	assert_int_equal(caller_process(c), 0);
	assert_string_equal(c->heard, "done");
	caller_free(c);
}

static void free_in_callback(struct caller *c,
			     const struct modemclient_event *ev)
{
	modemclient_link_free(ev->link);
	c->link = NULL;
	strcat(c->heard, "freed ");
}

/* The link that an event is about may go while it is being told. */
static void test_free_in_callback(void **state)
{
	int which;

	(void)state;
	for (which = 0; which < 6; which++) {
		struct caller *c = caller_new(0, 0, true);

		caller_open(c, 7);
		c->in_callback = free_in_callback;
		if (which == 0)
			fake_data(c->f, 7, "x", 1);
		else if (which == 1)
			fake_closed(c->f, 7, 1, 0, "closed", 0, 0, 0);
		else if (which == 2)
			fake_link_lost(c->f, 7, 1, 0, 0, 0);
		else if (which == 3)
			fake_sent(c->f, 7, 1, 0);
		else if (which == 4)
			fake_hang_up(c->f);
		else {
			/* While a call waits for that very link. */
			c->len = 1;
			caller_start(c, call_read);
			c->f->collect = true;
			fake_link_lost(c->f, 7, 1, 0, 0, 0);
			fake_link_restored(c->f, 7, 2);
			c->f->collect = false;
			fake_raw(c->f, c->f->out, c->f->out_len);
			assert_int_equal(caller_finish(c), -ECANCELED);
		}
		caller_process(c);
		/* The hang-up is told once more, for the connection. */
		assert_string_equal(c->heard, which == 4 ? "freed freed " :
				    "freed ");
		assert_null(c->link);
		caller_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connect),
		cmocka_unit_test(test_hello_content),
		cmocka_unit_test(test_connect_sentence),
		cmocka_unit_test(test_connect_environment),
		cmocka_unit_test(test_connect_silence),
		cmocka_unit_test(test_connect_hang_up),
		cmocka_unit_test(test_connect_version),
		cmocka_unit_test(test_any_cut),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_newer_daemon),
		cmocka_unit_test(test_broken_bytes),
		cmocka_unit_test(test_daemon_gone),
		cmocka_unit_test(test_last_words),
		cmocka_unit_test(test_reconnect),
		cmocka_unit_test(test_reconnect_refused),
		cmocka_unit_test(test_callback_rules),
		cmocka_unit_test(test_free_in_callback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
