/* SPDX-License-Identifier: MIT */

/*
 * Connections whose line names no peer: the modem's table tells before the
 * owner hears of them, and what they do meanwhile is kept in order.
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

#include "base/prefix.h"
#include "modem/private.h"
#include "modem_bench.h"

#define PEER	"10.1.2.3:5000"
#define EVENTS	(&modem_driver_events)

/* It listens to 8080; what was reported is forgotten. */
static uint64_t listening(struct bench *b, const char *allow)
{
	struct listener_args args = { .port = 8080, .backlog = 3 };
	uint64_t id;

	if (allow) {
		assert_null(prefix_parse(allow, &args.policy.allow[0]));
		args.policy.allow_count = 1;
	}
	assert_int_equal(modem_listen(b->m, &args, &id), 0);
	bench_wait(b, 100);
	bench_expect(b, "listening(1,ok) ");
	script_forget_heard(b->script);

	return id;
}

/* The modem has it, and says no more than that there is one. */
static void connects(struct bench *b, unsigned int slot)
{
	script_connect_unheard(b->script, (int)slot, 0, PEER);
	EVENTS->accepted(b->m, 0, slot, NULL);
}

static void pushes(struct bench *b, unsigned int slot, const char *text)
{
	EVENTS->data(b->m, slot, (const uint8_t *)text, strlen(text), NULL,
		     true);
}

/* As the log of the bench says it. */
static void table_tells_first(void **state)
{
	struct bench *b = *state;
	struct link_info info;

	listening(b, NULL);
	connects(b, 0);
	bench_expect(b, "");
	bench_wait(b, 100);
	assert_int_equal(script_heard(b->script, "AT+CIPOPEN?"), 1);
	bench_expect(b, "accepted(1,1," PEER ") ");
	info = bench_info(b, 1);
	assert_string_equal(info.host, "10.1.2.3");
	assert_int_equal(info.port, 5000);
}

static void allow_list_waits_for_it(void **state)
{
	struct bench *b = *state;

	listening(b, "10.9.0.0/16");
	connects(b, 0);
	pushes(b, 0, "secret");
	bench_expect(b, "");
	bench_wait(b, 200);
	bench_expect(b, "refused(1," PEER ",EACCES) ");
	assert_false(script_slot_open(b->script, 0));
	assert_int_equal(bench_status(b).lost_bytes, 6);
}

static void data_is_kept_in_order(void **state)
{
	struct bench *b = *state;

	listening(b, NULL);
	connects(b, 0);
	pushes(b, 0, "first ");
	pushes(b, 0, "second ");
	bench_expect(b, "");
	bench_wait(b, 100);
	bench_expect(b, "accepted(1,1," PEER ") data(1,13) ");
	pushes(b, 0, "third");
	bench_expect_got(b, 1, "first second third", 18);
	assert_int_equal(bench_status(b).lost_bytes, 0);
}

/* Also data that the modem holds itself. */
static void announced_data_is_pulled(void **state)
{
	struct bench *b = *state;

	listening(b, NULL);
	connects(b, 0);
	script_peer_sends_unheard(b->script, 0, "hello", 5);
	EVENTS->readable(b->m, 0);
	bench_wait(b, 100);
	bench_expect(b, "accepted(1,1," PEER ") data(1,5) ");
	bench_expect_got(b, 1, "hello", 5);
}

/* It came, sent and went before the table was read: its bytes are its
 * owner's all the same, but nobody can say whose they were. */
static void gone_before_the_table(void **state)
{
	struct bench *b = *state;

	listening(b, NULL);
	connects(b, 0);
	pushes(b, 0, "bye");
	script_close_slot(b->script, 0);
	EVENTS->closed(b->m, 0, DRIVER_CLOSE_PEER, "0,CLOSED");
	bench_wait(b, 100);
	bench_expect_prefix(b, "accepted(1,1,) data(1,3) "
			    "closed(1/1,EPIPE,peer,0/0/3) ");
	bench_expect_got(b, 1, "bye", 3);
	assert_int_equal(bench_status(b).slots_used, 0);
}

static void gone_without_a_byte(void **state)
{
	struct bench *b = *state;

	listening(b, NULL);
	connects(b, 0);
	script_close_slot(b->script, 0);
	EVENTS->closed(b->m, 0, DRIVER_CLOSE_PEER, "0,CLOSED");
	bench_wait(b, 100);
	bench_expect(b, "");
	assert_int_equal(bench_status(b).slots_used, 0);
}

/* Who cannot be named is on no list. */
static void gone_and_not_allowed(void **state)
{
	struct bench *b = *state;

	listening(b, "10.0.0.0/8");
	connects(b, 0);
	pushes(b, 0, "bye");
	script_close_slot(b->script, 0);
	EVENTS->closed(b->m, 0, DRIVER_CLOSE_PEER, "0,CLOSED");
	bench_wait(b, 100);
	bench_expect(b, "refused(1,,EACCES) ");
	bench_wait(b, 1000);
	assert_int_equal(bench_status(b).slots_used, 0);
}

/* It closed after its last byte, and the table still has it. */
static void closed_before_accepted(void **state)
{
	struct bench *b = *state;

	listening(b, NULL);
	connects(b, 0);
	pushes(b, 0, "bye");
	EVENTS->closed(b->m, 0, DRIVER_CLOSE_PEER, "0,CLOSED");
	bench_wait(b, 2000);
	bench_expect_prefix(b, "accepted(1,1," PEER ") data(1,3) closed(1/1,");
	bench_expect_got(b, 1, "bye", 3);
}

/* More than is kept: the owner gets what came first, and then its end, not
 * bytes behind a gap. */
static void too_much(void **state)
{
	struct bench *b = *state;
	size_t size = 16384, n, len = 0;
	uint8_t *data = malloc(65536);

	listening(b, NULL);
	assert_non_null(data);
	bench_fill(data, 65536, 7);
	connects(b, 0);
	for (n = 0; n < 4; n++)
		EVENTS->data(b->m, 0, data + n * size, size, NULL, true);
	pushes(b, 0, "beyond");
	pushes(b, 0, "x");
	bench_wait(b, 300);
	assert_non_null(strstr(b->log, "accepted(1,1," PEER ") "));
	assert_non_null(strstr(b->log, "line-loss"));
	bench_forget(b);
	assert_false(script_slot_open(b->script, 0));
	/* beyond its credit is counted, too */
	len = evbuffer_get_length(b->got[1]);
	assert_true(len > 0);
	assert_int_equal(bench_status(b).lost_bytes, 65536 - len + 7);
	bench_expect_got(b, 1, data, len);
	free(data);
}

/* The slot of a link whose peer has closed is reused at once. */
static void slot_of_an_old_link(void **state)
{
	struct bench *b = *state;
	uint64_t old;
	int slot;

	old = bench_opened(b);
	listening(b, NULL);
	slot = bench_info(b, old).slot;
	script_close_slot(b->script, (unsigned int)slot);
	connects(b, (unsigned int)slot);
	pushes(b, (unsigned int)slot, "new");
	bench_wait(b, 300);
	assert_non_null(strstr(b->log, "closed(1/1,"));
	assert_non_null(strstr(b->log, "accepted(1,2," PEER ") data(2,3) "));
	bench_forget(b);
	bench_expect_got(b, old, "", 0);
	bench_expect_got(b, 2, "new", 3);
}

/* The slot is being opened: it is the connection's, the link gets another. */
static void collision(void **state)
{
	struct bench *b = *state;
	int id, slot;

	listening(b, NULL);
	script_answer(b->script, "AT+CIPOPEN=9", "", 1);
	id = bench_open(b);
	assert_true(id > 0);
	bench_wait(b, 5);
	slot = bench_info(b, (uint64_t)id).slot;
	assert_int_equal(slot, 9);
	connects(b, 9);
	pushes(b, 9, "mine");
	script_say(b->script, "\r\nERROR\r\n");
	bench_wait(b, 500);
	assert_non_null(strstr(b->log, "accepted(1,2," PEER ") data(2,4) "));
	assert_non_null(strstr(b->log, "opened(1) "));
	bench_forget(b);
	assert_int_equal(bench_info(b, 2).slot, 9);
	assert_int_equal(bench_info(b, (uint64_t)id).slot, 8);
	bench_expect_got(b, 2, "mine", 4);
	bench_expect_got(b, (uint64_t)id, "", 0);
}

static void network_goes_first(void **state)
{
	struct bench *b = *state;

	listening(b, NULL);
	script_answer(b->script, "AT+CIPOPEN?", "", 0);
	connects(b, 0);
	pushes(b, 0, "lost");
	EVENTS->network_lost(b->m, "gone");
	bench_wait(b, 10);
	assert_null(strstr(b->log, "accepted("));
	bench_forget(b);
	assert_int_equal(bench_status(b).lost_bytes, 4);
}

/* The daemon ends while bytes wait. */
static void end_of_the_daemon(void **state)
{
	struct bench *b = *state;

	listening(b, NULL);
	connects(b, 0);
	pushes(b, 0, "lost");
	bench_expect(b, "");
}

static void capabilities(void **state)
{
	struct bench *b = *state;
	struct listener_args args = { .port = 80, .backlog = 3,
				      .family = DRIVER_IPV6 };
	struct driver can = *b->m->driver;
	uint64_t id;

	assert_int_equal(modem_listen(b->m, &args, &id), -EOPNOTSUPP);
	args.family = DRIVER_ANY;
	args.tls = true;
	assert_int_equal(modem_listen(b->m, &args, &id), -EOPNOTSUPP);
	can.caps |= DRIVER_CAP_TLS_SERVER | DRIVER_CAP_IPV6;
	b->m->driver = &can;
	args.family = DRIVER_IPV6;
	assert_int_equal(modem_listen(b->m, &args, &id), 0);
	b->m->driver = &driver_simcom;
}

/* What the driver is told. */
static struct driver_listen_args heard;

static int hear(void *d, unsigned int index,
		const struct driver_listen_args *args)
{
	heard = *args;

	return driver_simcom.listen(d, index, args);
}

static void what_is_asked(void **state)
{
	struct bench *b = *state;
	struct listener_args args = {
		.port = 80, .backlog = 2, .family = DRIVER_IPV6, .tls = true,
		.verify = true, .idle_timeout_ms = 60000,
	};
	struct driver can = *b->m->driver;
	struct listener_info info;
	uint64_t id;

	can.caps |= DRIVER_CAP_TLS_SERVER | DRIVER_CAP_IPV6;
	can.listen = hear;
	b->m->driver = &can;
	assert_int_equal(modem_listen(b->m, &args, &id), 0);
	bench_wait(b, 100);
	bench_expect(b, "listening(1,ok) ");
	assert_int_equal(heard.family, DRIVER_IPV6);
	assert_true(heard.tls && heard.verify);
	assert_int_equal(heard.max_links, b->cfg.links.max_inbound + 1);
	/* later than our own limit */
	assert_int_equal(heard.idle_s, 65);
	assert_int_equal(modem_listener_next(b->m, 0, &info), 0);
	assert_int_equal(info.family, DRIVER_IPV6);
	assert_true(info.tls);
	b->m->driver = &driver_simcom;
}

#define O(test)	cmocka_unit_test_setup_teardown(test, bench_set_up_open, \
						bench_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		O(table_tells_first), O(allow_list_waits_for_it),
		O(data_is_kept_in_order), O(announced_data_is_pulled),
		O(gone_before_the_table), O(gone_without_a_byte),
		O(gone_and_not_allowed), O(closed_before_accepted),
		O(too_much), O(slot_of_an_old_link), O(collision),
		O(network_goes_first), O(end_of_the_daemon), O(capabilities),
		O(what_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
