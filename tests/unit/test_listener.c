/* SPDX-License-Identifier: MIT */

/*
 * Listeners and what they accept, in every order that a modem may tell it in:
 * who gets in, who gets the slot, how servers end and come back.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "driver/driver.h"
#include "base/prefix.h"
#include "modem_bench.h"

#define PEER	"10.1.2.3:5000"

static int ask(struct bench *b, const struct listener_args *args)
{
	uint64_t id = 0;
	int err = modem_listen(b->m, args, &id);

	return err ? err : (int)id;
}

static int listen_to(struct bench *b, unsigned int port)
{
	struct listener_args args = { .port = port, .backlog = 3 };

	return ask(b, &args);
}

/* It listens; what was reported is forgotten. */
static uint64_t listening(struct bench *b, unsigned int port)
{
	int id = listen_to(b, port);
	char want[32];

	assert_true(id > 0);
	bench_wait(b, 100);
	snprintf(want, sizeof(want), "listening(%d,ok) ", id);
	bench_expect(b, want);
	script_forget_heard(b->script);

	return (uint64_t)id;
}

/* Of the listener that was made as number @id. */
static struct listener_info info_of(struct bench *b, uint64_t id)
{
	struct listener_info info;

	assert_int_equal(modem_listener_next(b->m, id - 1, &info), 0);
	assert_int_equal(info.id, id);

	return info;
}

/* @allow NULL: everybody. */
static void set_allow(struct bench *b, uint64_t id, const char *allow,
		      unsigned int max_links)
{
	struct listener_policy policy = {
		.max_links = max_links,
		.allow_count = allow ? 1 : 0,
	};

	if (allow)
		assert_null(prefix_parse(allow, &policy.allow[0]));
	assert_int_equal(modem_set_policy(b->m, id, &policy), 0);
}

/* The n-th command that begins with @prefix comes before that with @other. */
static void expect_before(struct bench *b, const char *first,
			  const char *second)
{
	const char *command;
	unsigned int n;
	bool seen = false;

	for (n = 0; (command = script_command(b->script, n)); n++) {
		seen |= strncmp(command, first, strlen(first)) == 0;
		if (strncmp(command, second, strlen(second)) == 0)
			break;
	}
	if (!seen || !command)
		fail_msg("no %s before %s", first, second);
}

/* ------------------------------------------------------------ straight line */

static void bytes_both_ways(void **state)
{
	struct bench *b = *state;
	uint64_t id = listening(b, 8080);
	struct link_info info;
	unsigned int slot;

	assert_int_equal(script_listens(b->script, 0), 8080);
	slot = script_connect(b->script, -1, 0, PEER);
	assert_int_equal(slot, 0);
	bench_wait(b, 50);
	bench_expect(b, "accepted(1,1,10.1.2.3:5000) ");
	info = bench_info(b, 1);
	assert_int_equal(info.kind, LINK_INBOUND);
	assert_string_equal(link_kind_name(info.kind), "tcp-in");
	assert_int_equal(info.listener, id);
	assert_int_equal(info.local_port, 8080);
	assert_string_equal(info.host, "10.1.2.3");
	assert_int_equal(info.port, 5000);
	/* the buffer is looked at once: the announcement may be lost */
	assert_int_equal(script_heard(b->script, "AT+CIPRXGET=2,0"), 1);

	script_peer_sends(b->script, 0, "hello", 5);
	assert_int_equal(bench_send(b, 1, "welcome", 7), 0);
	bench_wait(b, 100);
	bench_expect_got(b, 1, "hello", 5);
	bench_expect_sent(b, 0, "welcome", 7);
	bench_forget(b);
	script_peer_closes(b->script, 0);
	bench_wait(b, 100);
	bench_expect(b, "closed(1/1,EPIPE,peer,7/7/5) ");
	assert_int_equal(info_of(b, id).links, 0);
	assert_int_equal(info_of(b, id).accepted, 1);
}

static void command_text(void **state)
{
	struct bench *b = *state;
	struct listener_args args = { .port = 65535, .backlog = 1 };

	assert_int_equal(ask(b, &args), 1);
	bench_wait(b, 50);
	assert_int_equal(script_heard(b->script, "AT+SERVERSTART=65535,0,1"),
			 1);
	bench_forget(b);
	listening(b, 80);
	assert_int_equal(script_listens(b->script, 1), 80);
	assert_int_equal(modem_unlisten(b->m, 2), 0);
	bench_wait(b, 50);
	assert_int_equal(script_heard(b->script, "AT+SERVERSTOP=1"), 1);
}

/* Q77 */
static void forms_of_client(void **state)
{
	static const char *const lines[] = {
		"+CLIENT: 0,0,10.1.2.3:5000", "+CLIENT: 0,0,\"10.1.2.3\":5000",
		"+CLIENT: 0,0,\"10.1.2.3:5000\"", "+CLIENT: 0,10.1.2.3:5000",
		"+CLIENT: 0,\"10.1.2.3\":5000", "+CLIENT:0,0,10.1.2.3:5000",
		"+CLIENT: 0, 0, \"10.1.2.3\",5000",
	};
	struct bench *b = *state;
	char want[96];
	size_t i;

	listening(b, 8080);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		script_connect_unheard(b->script, 0, 0, PEER);
		script_say(b->script, "\r\n%s\r\n", lines[i]);
		bench_wait(b, 50);
		snprintf(want, sizeof(want), "accepted(1,%d,10.1.2.3:5000) ",
			 (int)i + 1);
		bench_expect(b, want);
		modem_link_close(b->m, i + 1, false, "local");
		bench_wait(b, 50);
		bench_forget(b);
	}
	/* the line was enough */
	assert_int_equal(script_heard(b->script, "AT+CIPOPEN?"), 0);
}

/* The modem's own table names the server. */
static void no_index_and_two_listeners(void **state)
{
	struct bench *b = *state;

	listening(b, 80);
	listening(b, 81);
	script_connect_unheard(b->script, 0, 1, PEER);
	script_say(b->script, "\r\n+CLIENT: 0," PEER "\r\n");
	bench_wait(b, 100);
	bench_expect(b, "accepted(2,1,10.1.2.3:5000) ");
	assert_true(script_slot_open(b->script, 0));
}

static void numbers_that_cannot_be(void **state)
{
	struct bench *b = *state;

	listening(b, 80);
	script_say(b->script, "\r\n+CLIENT: 10,0," PEER "\r\n"
		   "\r\n+CLIENT: 0,4," PEER "\r\n"
		   "\r\n+CLIENT: -1,0," PEER "\r\n"
		   "\r\n+CLIENT: 0,-1," PEER "\r\n"
		   "\r\n+CLIENT: 4000000000,0," PEER "\r\n"
		   "\r\n+SERVERSTOP: 4,0\r\n\r\n+SERVERSTOP: -1,0\r\n"
		   "\r\n+SERVERSTOP: 3,0\r\n\r\n+CLIENT: 3,3," PEER "\r\n"
		   "\r\n+CLIENT: 0,0\r\n\r\n+CLIENT: \r\n");
	bench_wait(b, 1000);
	bench_expect(b, "");
	assert_int_equal(bench_status(b).slots_used, 0);
	assert_int_equal(bench_status(b).listeners_used, 1);
	assert_int_equal(script_listens(b->script, 0), 80);
}

/* ------------------------------------------------- lost and crossing lines */

/* No +CLIENT: the first data shows that somebody is there. */
static void client_line_lost(void **state)
{
	struct bench *b = *state;

	listening(b, 80);
	script_connect_unheard(b->script, -1, 0, PEER);
	bench_wait(b, 100);
	bench_expect(b, "");
	script_peer_sends(b->script, 0, "hello", 5);
	bench_wait(b, 100);
	bench_expect(b, "accepted(1,1,10.1.2.3:5000) data(1,5) ");
	/* one look at the table is enough */
	assert_int_equal(script_heard(b->script, "AT+CIPOPEN?"), 1);
	assert_int_equal(script_heard(b->script, "AT+SERVERSTART?"), 1);
}

/* The announcement comes before +CLIENT, or not at all. */
static void data_before_client(void **state)
{
	struct bench *b = *state;

	listening(b, 80);
	script_connect_unheard(b->script, -1, 0, PEER);
	script_peer_sends(b->script, 0, "early", 5);
	script_say(b->script, "\r\n+CLIENT: 0,0," PEER "\r\n");
	bench_wait(b, 200);
	bench_expect(b, "accepted(1,1,10.1.2.3:5000) data(1,5) ");
	script_connect_unheard(b->script, -1, 0, "10.1.2.4:1");
	script_peer_sends_unheard(b->script, 1, "mute", 4);
	script_say(b->script, "\r\n+CLIENT: 1,0,10.1.2.4:1\r\n");
	bench_wait(b, 200);
	bench_expect(b, "accepted(1,2,10.1.2.4:1) data(2,4) ");
}

/* Said before SERVERSTART has had its OK: the owner hears of the listener
 * first. */
static void connection_before_ok(void **state)
{
	struct bench *b = *state;

	script_answer(b->script, "AT+SERVERSTART=", "\r\n+CLIENT: 0,0," PEER
		      "\r\n\r\nOK\r\n", 1);
	script_set_server(b->script, 0, 80);
	script_connect_unheard(b->script, 0, 0, PEER);
	assert_int_equal(listen_to(b, 80), 1);
	bench_wait(b, 100);
	bench_expect(b, "listening(1,ok) accepted(1,1,10.1.2.3:5000) ");
	assert_true(script_slot_open(b->script, 0));
}

/* The end of the link before was not heard: its number has a new owner. */
static void slot_of_a_dead_link(void **state)
{
	struct bench *b = *state;
	uint64_t id;

	listening(b, 80);
	id = bench_opened(b);
	assert_int_equal(bench_info(b, id).slot, 9);
	script_connect(b->script, 9, 0, PEER);
	bench_wait(b, 100);
	bench_expect(b, "accepted(1,2,10.1.2.3:5000) "
		     "closed(1/1,ECONNABORTED,modem-closed,0/0/0) ");
	assert_true(script_slot_open(b->script, 9));
	/* the same with a connection in it, to another peer */
	script_connect(b->script, 9, 0, "10.9.9.9:9");
	bench_wait(b, 6000);	/* so long is the check of the buffer */
	bench_expect(b, "accepted(1,3,10.9.9.9:9) "
		     "closed(2/1,ECONNABORTED,modem-closed,0/0/0) ");
}

/* A line that is not true: the modem's table is. */
static void client_line_for_an_open_link(void **state)
{
	struct bench *b = *state;
	uint64_t id;

	listening(b, 80);
	id = bench_opened(b);
	script_say(b->script, "\r\n+CLIENT: 9,0," PEER "\r\n");
	bench_wait(b, 200);
	bench_expect(b, "");
	assert_int_equal(bench_send(b, id, "on", 2), 0);
	bench_wait(b, 100);
	bench_expect_sent(b, 9, "on", 2);
}

/* Between our CIPCLOSE and its result: which was first? */
static void connection_while_closing(void **state)
{
	struct bench *b = *state;
	uint64_t id;

	listening(b, 80);
	id = bench_opened(b);
	script_answer(b->script, "AT+CIPCLOSE=9", "\r\nOK\r\n", 1);
	modem_link_close(b->m, id, true, "local");
	bench_wait(b, 50);
	script_connect(b->script, 9, 0, PEER);
	bench_wait(b, 50);
	bench_expect(b, "");
	script_say(b->script, "\r\n+CIPCLOSE: 9,0\r\n");
	bench_wait(b, 100);
	bench_expect(b, "closed(1/1,ok,local,0/0/0) "
		     "accepted(1,2,10.1.2.3:5000) ");
	assert_true(script_slot_open(b->script, 9));
}

/* The slot was to be closed, for all that was known: it is in use again. */
static void connection_instead_of_a_close(void **state)
{
	struct bench *b = *state;

	listening(b, 80);
	bench_wait(b, 31000);
	script_answer(b->script, "AT+CSQ", "", 1);
	modem_refresh(b->m);		/* the line is busy with it */
	bench_wait(b, 20);
	script_say(b->script, "\r\n+CIPOPEN: 8,0\r\n");	/* a late one */
	bench_wait(b, 20);
	script_connect(b->script, 8, 0, PEER);
	bench_wait(b, 20);
	bench_expect(b, "accepted(1,1,10.1.2.3:5000) ");
	script_say(b->script, "\r\nOK\r\n");
	bench_wait(b, 500);
	assert_int_equal(script_heard(b->script, "AT+CIPCLOSE"), 0);
	assert_int_equal(bench_info(b, 1).state, LINK_OPEN);
}

/* ... and here a link was about to be opened: the line is busy. */
static void connection_before_the_open(void **state)
{
	struct bench *b = *state;
	uint64_t id = listening(b, 80);
	int i;

	for (i = 0; i < 2; i++) {
		uint64_t link = i ? 3 : 1;

		bench_wait(b, 31000);
		script_answer(b->script, "AT+CSQ", "", 1);
		modem_refresh(b->m);
		bench_wait(b, 20);
		assert_int_equal(bench_open(b), link);
		assert_int_equal(bench_info(b, link).slot, 9);
		script_connect(b->script, 9, 0, PEER);
		bench_wait(b, 20);
		assert_int_equal(bench_info(b, link).slot, 8);
		script_say(b->script, "\r\nOK\r\n");
		bench_wait(b, 500);
		bench_expect(b, i ? "refused(1,10.1.2.3:5000,EACCES) "
			     "opened(3) " : "accepted(1,2,10.1.2.3:5000) "
			     "opened(1) ");
		assert_int_equal(bench_info(b, link).state, LINK_OPEN);
		assert_int_equal(script_slot_open(b->script, 9), !i);
		modem_link_close(b->m, 1, true, "local");
		modem_link_close(b->m, 2, true, "local");
		bench_wait(b, 500);
		bench_forget(b);
		set_allow(b, id, "10.9.0.0/16", 0);
	}
}

/* The same with the last free slot: it cannot be had twice. */
static void connection_before_the_last_open(void **state)
{
	struct bench *b = *state;
	int i;

	listening(b, 80);
	for (i = 0; i < 9; i++)
		bench_opened(b);
	set_allow(b, 1, "10.9.0.0/16", 0);
	for (i = 0; i < 2; i++) {
		uint64_t link = i ? 11 : 10;

		bench_wait(b, 31000);
		script_answer(b->script, "AT+CSQ", "", 1);
		modem_refresh(b->m);
		bench_wait(b, 20);
		assert_int_equal(bench_open(b), link);
		assert_int_equal(bench_info(b, link).slot, 0);
		script_connect(b->script, 0, 0, PEER);
		bench_wait(b, 20);
		assert_int_equal(bench_info(b, link).slot, -1);
		script_say(b->script, "\r\nOK\r\n");
		bench_wait(b, 5000);
		bench_expect(b, i ? "accepted(1,12,10.1.2.3:5000) "
			     "opened(11,EMFILE,wait-timeout) " :
			     "refused(1,10.1.2.3:5000,EACCES) opened(10) ");
		if (i == 0)
			modem_link_close(b->m, 10, true, "local");
		bench_wait(b, 500);
		bench_forget(b);
		set_allow(b, 1, NULL, 0);
	}
	assert_int_equal(script_open_slots(b->script), 10);
}

/* What an old pull brings is not the new link's. */
static void connection_while_pulling(void **state)
{
	struct bench *b = *state;

	listening(b, 80);
	bench_opened(b);
	script_answer(b->script, "AT+CIPRXGET=2,9", "", 1);
	script_say(b->script, "\r\n+CIPRXGET: 1,9\r\n");
	bench_wait(b, 50);
	script_say(b->script, "\r\n+IPCLOSE: 9,1\r\n");
	script_connect(b->script, 9, 0, PEER);
	bench_wait(b, 50);
	bench_expect(b, "");
	script_say(b->script, "\r\n+CIPRXGET: 2,9,3,0\r\nold\r\n\r\nOK\r\n");
	bench_wait(b, 200);
	bench_expect_got(b, 1, "old", 3);
	bench_expect_got(b, 2, NULL, 0);
	bench_expect(b, "data(1,3) closed(1/1,EPIPE,peer,0/0/3) "
		     "accepted(1,2,10.1.2.3:5000) ");
	assert_true(script_slot_open(b->script, 9));
}

/* ------------------------------------------- a slot that changes its owner */

/* After +IPCLOSE the modem may give the slot to the next at once: no CIPCLOSE
 * may hit that one, and what comes from there is its own. */
static void slot_is_reused_at_once(void **state)
{
	struct bench *b = *state;

	listening(b, 80);
	script_connect(b->script, 0, 0, "10.0.0.1:1");
	bench_wait(b, 100);
	bench_forget(b);
	script_forget_heard(b->script);
	script_peer_closes(b->script, 0);
	script_connect_unheard(b->script, 0, 0, "10.0.0.1:2");
	script_peer_sends_unheard(b->script, 0, "mine", 4);
	bench_wait(b, 2);	/* its line is still to come */
	script_say(b->script, "\r\n+CLIENT: 0,0,10.0.0.1:2\r\n"
		   "\r\n+CIPRXGET: 1,0\r\n");
	bench_wait(b, 500);
	bench_expect(b, "accepted(1,2,10.0.0.1:2) "
		     "closed(1/1,EPIPE,peer,0/0/0) data(2,4) ");
	assert_int_equal(script_heard(b->script, "AT+CIPCLOSE"), 0);
	assert_true(script_slot_open(b->script, 0));
	/* and where its line is lost */
	script_peer_closes(b->script, 0);
	script_connect_unheard(b->script, 0, 0, "10.0.0.1:3");
	bench_wait(b, 500);
	bench_expect(b, "closed(2/1,EPIPE,peer,0/0/4) "
		     "accepted(1,3,10.0.0.1:3) ");
	assert_int_equal(script_heard(b->script, "AT+CIPCLOSE"), 0);
}

/* What was announced before the end is read. */
static void last_words_are_read(void **state)
{
	struct bench *b = *state;

	listening(b, 80);
	script_connect(b->script, 0, 0, "10.0.0.1:1");
	bench_wait(b, 100);
	bench_forget(b);
	script_peer_sends(b->script, 0, "last", 4);
	script_peer_closes(b->script, 0);
	bench_wait(b, 200);
	bench_expect(b, "data(1,4) closed(1/1,EPIPE,peer,0/0/4) ");
	assert_int_equal(bench_status(b).slots_used, 0);
	/* also of a connection that was over before its line came */
	script_connect_unheard(b->script, 0, 0, "10.0.0.1:2");
	script_peer_sends(b->script, 0, "brief", 5);
	script_say(b->script, "\r\n+CLIENT: 0,0,10.0.0.1:2\r\n");
	script_peer_closes(b->script, 0);
	bench_wait(b, 200);
	bench_expect(b, "accepted(1,2,10.0.0.1:2) data(2,5) "
		     "closed(2/1,EPIPE,peer,0/0/5) ");
}

/* A send that was under way is counted to its end. */
static void last_send_is_counted(void **state)
{
	struct bench *b = *state;

	listening(b, 80);
	script_connect(b->script, 0, 0, "10.0.0.1:1");
	bench_wait(b, 100);
	bench_forget(b);
	script_send_result(b->script, "");
	assert_int_equal(bench_send(b, 1, "hello", 5), 0);
	bench_wait(b, 50);
	script_peer_closes(b->script, 0);
	bench_wait(b, 50);
	bench_expect(b, "");
	script_say(b->script, "\r\n+CIPSEND: 0,5,5\r\n");
	bench_wait(b, 100);
	bench_expect(b, "sent(1/1,5) closed(1/1,EPIPE,peer,5/5/0) ");
	assert_int_equal(bench_status(b).slots_used, 0);
}

/* A firmware that wants a CIPCLOSE all the same gets it; so does one that
 * does not tell. */
static void slot_that_stays_open(void **state)
{
	struct bench *b = *state;
	int i;

	listening(b, 80);
	for (i = 0; i < 2; i++) {
		if (i == 1)
			script_answer(b->script, "AT+CIPOPEN?",
				      "\r\nERROR\r\n", 0);
		script_connect(b->script, 0, 0, "10.0.0.1:1");
		bench_wait(b, 100);
		script_say(b->script, "\r\n+IPCLOSE: 0,1\r\n");
		bench_wait(b, 500);
		assert_int_equal(script_heard(b->script, "AT+CIPCLOSE=0"),
				 i + 1);
		assert_false(script_slot_open(b->script, 0));
		assert_int_equal(bench_status(b).slots_used, 0);
		assert_int_equal(info_of(b, 1).accepted, i + 1);
	}
}

/* The owner wants it closed while it is being emptied. */
static void close_after_the_peer(void **state)
{
	struct listener_args args = { .port = 80, .backlog = 3,
				      .has_credit = true, .credit = 0 };
	struct bench *b = *state;

	assert_int_equal(ask(b, &args), 1);
	bench_wait(b, 100);
	script_connect(b->script, 0, 0, "10.0.0.1:1");
	script_peer_sends(b->script, 0, "unread", 6);
	script_peer_closes(b->script, 0);
	bench_wait(b, 100);
	bench_forget(b);
	assert_int_equal(modem_link_close(b->m, 1, true, "local"), 0);
	bench_wait(b, 200);
	bench_expect(b, "closed(1/1,EPIPE,peer,0/0/0) ");
	assert_int_equal(script_heard(b->script, "AT+CIPCLOSE"), 0);
	assert_int_equal(bench_status(b).slots_used, 0);
}

/* A table that was read before the slot changed hands is not believed. */
static void table_that_is_too_old(void **state)
{
	struct bench *b = *state;

	listening(b, 80);
	script_connect(b->script, 0, 0, "10.0.0.1:1");
	bench_wait(b, 100);
	bench_forget(b);
	script_forget_heard(b->script);
	script_answer(b->script, "AT+SERVERSTART?", "", 1);
	script_say(b->script, "\r\n+CIPRXGET: 1,5\r\n");	/* an audit */
	while (!script_heard(b->script, "AT+SERVERSTART?"))
		bench_wait(b, 1);
	script_peer_closes(b->script, 0);
	script_connect(b->script, 0, 0, "10.0.0.1:2");
	bench_wait(b, 20);
	script_say(b->script, "\r\n+SERVERSTART: 0,80\r\n\r\nOK\r\n");
	bench_wait(b, 500);
	bench_expect(b, "accepted(1,2,10.0.0.1:2) "
		     "closed(1/1,EPIPE,peer,0/0/0) ");
	assert_true(script_slot_open(b->script, 0));
	assert_int_equal(info_of(b, 1).accepted, 2);
}

/* ------------------------------------------------------------- collisions */

/* The modem gives the connection the slot that is being opened. Both are kept:
 * the connection there, what was to be opened in another slot. */
static void collision_with(struct bench *b, const char *before,
			   const char *after, bool heard)
{
	int id;

	script_connect_unheard(b->script, 9, 0, PEER);
	script_answer(b->script, "AT+CIPOPEN=9", before, 1);
	id = bench_open(b);
	bench_wait(b, 20);
	if (heard)
		script_say(b->script, "\r\n+CLIENT: 9,0," PEER "\r\n");
	script_peer_sends(b->script, 9, "hello", 5);
	script_say(b->script, "%s", after);
	bench_wait(b, 3000);
	assert_true(id > 0);
	assert_int_equal(bench_info(b, (uint64_t)id).state, LINK_OPEN);
	assert_int_equal(bench_info(b, (uint64_t)id).slot, 8);
	assert_int_equal(bench_info(b, (uint64_t)id + 1).kind, LINK_INBOUND);
	assert_int_equal(bench_info(b, (uint64_t)id + 1).slot, 9);
	bench_expect_got(b, (uint64_t)id + 1, "hello", 5);
	assert_int_equal(bench_send(b, (uint64_t)id + 1, "in", 2), 0);
	assert_int_equal(bench_send(b, (uint64_t)id, "out", 3), 0);
	bench_wait(b, 100);
	bench_expect_sent(b, 9, "in", 2);
	bench_expect_sent(b, 8, "out", 3);
	assert_int_equal(script_heard(b->script, "AT+CIPCLOSE=9"), 0);
	assert_null(strstr(b->log, "closed("));
	assert_null(strstr(b->log, "opened(1,E"));
}

#define COLLISION(name, before, after, heard) \
	static void collision_##name(void **state) \
	{ \
		struct bench *b = *state; \
		\
		listening(b, 80); \
		collision_with(b, before, after, heard); \
	}

COLLISION(result_last, "\r\nOK\r\n", "\r\n+CIPOPEN: 9,4\r\n", true)
COLLISION(error_9, "\r\nOK\r\n", "\r\n+CIPOPEN: 9,9\r\n", true)
COLLISION(refused, "\r\nOK\r\n", "\r\n+CIPOPEN: 9,1\r\n", true)
COLLISION(no_result, "\r\nOK\r\n", "", true)
COLLISION(no_result_after_it, "\r\n+CLIENT: 9,0," PEER "\r\n\r\nOK\r\n", "",
	  false)
COLLISION(before_final, "", "\r\n+CIPOPEN: 9,4\r\n\r\nERROR\r\n", true)
COLLISION(bare_error, "", "\r\nERROR\r\n", true)
COLLISION(client_inside, "\r\n+CLIENT: 9,0," PEER "\r\n\r\n+CIPOPEN: 9,4\r\n"
	  "\r\nERROR\r\n", "", false)
COLLISION(result_first, "\r\n+CIPOPEN: 9,4\r\n\r\nERROR\r\n\r\n+CLIENT: 9,0,"
	  PEER "\r\n", "", false)
COLLISION(line_lost, "\r\n+CIPOPEN: 9,4\r\n\r\nERROR\r\n", "", false)
COLLISION(line_lost_ok, "\r\nOK\r\n\r\n+CIPOPEN: 9,9\r\n", "", false)
/* In spite of it all it says 0: the table shows whose it is. */
COLLISION(says_0, "\r\nOK\r\n", "\r\n+CIPOPEN: 9,0\r\n", true)

/* +CLIENT was not true, the open was. */
static void collision_that_was_none(void **state)
{
	struct bench *b = *state;

	listening(b, 80);
	script_answer(b->script, "AT+CIPOPEN=9", "\r\nOK\r\n", 1);
	assert_int_equal(bench_open(b), 1);
	bench_wait(b, 20);
	script_connect_unheard(b->script, 9, 0, PEER);
	script_say(b->script, "\r\n+CLIENT: 9,0," PEER "\r\n");
	bench_wait(b, 20);
	bench_expect(b, "accepted(1,2,10.1.2.3:5000) opened(1) ");
	script_close_slot(b->script, 9);
	script_say(b->script, "\r\n+IPCLOSE: 9,1\r\n\r\n+CIPOPEN: 9,4\r\n");
	bench_wait(b, 200);
	bench_expect(b, "closed(2/1,EPIPE,peer,0/0/0) ");
	assert_int_equal(bench_info(b, 1).slot, 8);
	assert_int_equal(bench_status(b).slots_used, 1);
}

/* The line of a connection was not true, and the open has worked. */
static void collision_with_nobody(void **state)
{
	struct bench *b = *state;

	listening(b, 80);
	assert_int_equal(bench_open(b), 1);
	script_answer(b->script, "AT+CIPOPEN=9", "*", 0);
	script_say(b->script, "\r\n+CLIENT: 9,0," PEER "\r\n");
	bench_wait(b, 500);
	bench_expect(b, "accepted(1,2,10.1.2.3:5000) "
		     "closed(2/1,ECONNABORTED,modem-closed,0/0/0) "
		     "opened(1) ");
	assert_int_equal(bench_info(b, 1).slot, 8);
	assert_false(script_slot_open(b->script, 9));
	assert_int_equal(bench_status(b).slots_used, 1);
}

/* Nobody who may: the slot is closed, what was to be opened goes elsewhere. */
static void collision_with_a_refused_one(void **state)
{
	struct bench *b = *state;
	uint64_t id = listening(b, 80);

	set_allow(b, id, "10.9.0.0/16", 0);
	script_connect_unheard(b->script, 9, 0, PEER);
	script_answer(b->script, "AT+CIPOPEN=9", "\r\nOK\r\n", 1);
	assert_int_equal(bench_open(b), 1);
	bench_wait(b, 20);
	script_say(b->script, "\r\n+CLIENT: 9,0," PEER "\r\n"
		   "\r\n+CIPOPEN: 9,4\r\n");
	bench_wait(b, 500);
	bench_expect(b, "refused(1,10.1.2.3:5000,EACCES) opened(1) ");
	assert_int_equal(bench_info(b, 1).slot, 8);
	assert_false(script_slot_open(b->script, 9));
	assert_int_equal(bench_status(b).slots_used, 1);
}

/* All others are taken: it waits a while, and then says so. */
static void collision_without_another_slot(void **state)
{
	struct bench *b = *state;
	unsigned int i;

	b->cfg.links.reserve_inbound = 0;
	listening(b, 80);
	for (i = 0; i < 9; i++)
		bench_opened(b);
	script_connect_unheard(b->script, 0, 0, PEER);
	script_answer(b->script, "AT+CIPOPEN=0", "\r\nOK\r\n", 1);
	assert_int_equal(bench_open(b), 10);
	bench_wait(b, 20);
	script_say(b->script, "\r\n+CLIENT: 0,0," PEER "\r\n"
		   "\r\n+CIPOPEN: 0,4\r\n");
	bench_wait(b, 5000);
	bench_expect(b, "accepted(1,11,10.1.2.3:5000) "
		     "opened(10,EMFILE,wait-timeout) ");
	assert_int_equal(script_open_slots(b->script), 10);
}

/* A link that is being restored goes elsewhere as well. */
static void collision_of_a_restored_link(void **state)
{
	struct link_args args = { .host = "host", .port = 80, .restore = true };
	struct bench *b = *state;

	listening(b, 80);
	assert_int_equal(bench_open_args(b, &args), 1);
	bench_wait(b, 100);
	script_set(b->script)->net_open = false;
	script_say(b->script, "\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY"
		   "\r\n");
	script_reboot(b->script, "");
	script_set(b->script)->echo = false;
	script_answer(b->script, "AT+CIPOPEN=", "\r\nOK\r\n", 1);
	script_say(b->script, "\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY"
		   "\r\n");
	while (!script_heard(b->script, "AT+CIPOPEN=9"))
		bench_wait(b, 10);
	script_forget_heard(b->script);
	while (bench_info(b, 1).state != LINK_OPENING)
		bench_wait(b, 10);
	bench_forget(b);
	script_connect_unheard(b->script, bench_info(b, 1).slot, 0, PEER);
	script_say(b->script, "\r\n+CLIENT: %d,0," PEER "\r\n"
		   "\r\n+CIPOPEN: %d,4\r\n", bench_info(b, 1).slot,
		   bench_info(b, 1).slot);
	bench_wait(b, 500);
	bench_expect(b, "accepted(1,2,10.1.2.3:5000) restored(1/2) ");
}

/* ------------------------------------------------------------ who gets in */

static void allow_list(void **state)
{
	static const struct { const char *peer; bool in; } cases[] = {
		{ "10.1.2.3:1", true }, { "10.1.3.3:1", false },
		{ "11.1.2.3:1", false }, { "nonsense", false },
		{ ":80", false }, { "fe80::1:80", false },
		{ "10.1.2.3.4:80", false }, { "10.1.2.255:65535", true },
		{ "10.1.2.3", true },
	};
	struct bench *b = *state;
	uint64_t id = listening(b, 80);
	unsigned int refused = 0;
	size_t i;

	set_allow(b, id, "10.1.2.0/24", 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		script_connect(b->script, 0, 0, cases[i].peer);
		bench_wait(b, 50);
		refused += !cases[i].in;
		bench_expect_prefix(b, cases[i].in ? "accepted(1," :
				    "refused(1,");
		assert_int_equal(script_slot_open(b->script, 0), cases[i].in);
		assert_int_equal(info_of(b, id).refused, refused);
		if (cases[i].in)
			modem_link_close(b->m, info_of(b, id).accepted, true,
					 "local");
		bench_wait(b, 50);
		bench_forget(b);
		assert_int_equal(bench_status(b).slots_used, 0);
	}
	set_allow(b, id, NULL, 0);	/* everybody, also who is not known */
	script_connect(b->script, 0, 0, "nonsense");
	bench_wait(b, 50);
	bench_expect_prefix(b, "accepted(1,");
	assert_true(script_slot_open(b->script, 0));
	/* and an audit takes it for what it is */
	script_say(b->script, "\r\n+CIPRXGET: 1,5\r\n");
	bench_wait(b, 200);
	bench_expect(b, "");
	assert_true(script_slot_open(b->script, 0));
}

static void max_links_of_one(void **state)
{
	struct bench *b = *state;
	uint64_t id = listening(b, 80);

	listening(b, 81);
	set_allow(b, id, NULL, 2);
	script_connect(b->script, -1, 0, "10.0.0.1:1");
	script_connect(b->script, -1, 0, "10.0.0.1:2");
	script_connect(b->script, -1, 0, "10.0.0.1:3");
	script_connect(b->script, -1, 1, "10.0.0.1:4");
	bench_wait(b, 200);
	bench_expect(b, "accepted(1,1,10.0.0.1:1) accepted(1,2,10.0.0.1:2) "
		     "refused(1,10.0.0.1:3,EDQUOT) "
		     "accepted(2,3,10.0.0.1:4) ");
	assert_false(script_slot_open(b->script, 2));
	/* one goes, one may come */
	modem_link_close(b->m, 1, true, "local");
	bench_wait(b, 100);
	bench_forget(b);
	script_connect(b->script, -1, 0, "10.0.0.1:5");
	bench_wait(b, 100);
	bench_expect(b, "accepted(1,4,10.0.0.1:5) ");
}

/* The world floods: what is left is for links of our own. */
static void max_inbound_of_all(void **state)
{
	struct bench *b = *state;
	char peer[32];
	unsigned int i;

	b->cfg.links.max_inbound = 8;
	listening(b, 80);
	listening(b, 81);
	for (i = 0; i < 30; i++) {
		snprintf(peer, sizeof(peer), "10.0.0.1:%u", i + 1);
		if (script_open_slots(b->script) < 10)
			script_connect(b->script, -1, i % 2, peer);
		bench_wait(b, 50);
		if (script_open_slots(b->script) > 9)
			fail_msg("all slots are taken");
	}
	assert_int_equal(script_open_slots(b->script), 8);
	assert_int_equal(info_of(b, 1).accepted + info_of(b, 2).accepted, 8);
	assert_int_equal(info_of(b, 1).refused + info_of(b, 2).refused, 22);
	bench_forget(b);
	assert_true(bench_open(b) > 0);
	assert_true(bench_open(b) > 0);
	bench_wait(b, 100);
	assert_int_equal(script_open_slots(b->script), 10);
	assert_int_equal(bench_open(b), -EMFILE);
}

/* links.reserve-inbound: while anybody listens. */
static void reserve(void **state)
{
	struct link_args waits = { .host = "h", .port = 1, .wait_ms = 5000 };
	struct bench *b = *state;
	unsigned int i;
	int id;

	b->cfg.links.reserve_inbound = 2;
	listening(b, 80);
	for (i = 0; i < 8; i++)
		bench_opened(b);
	assert_false(script_slot_open(b->script, 0));
	assert_false(script_slot_open(b->script, 1));
	assert_int_equal(bench_open(b), -EMFILE);
	id = bench_open_args(b, &waits);
	assert_true(id > 0);
	bench_wait(b, 100);
	bench_expect(b, "queued(10) ");
	/* those that came count: the reserve is used, not doubled */
	script_connect(b->script, -1, 0, "10.0.0.1:1");
	script_connect(b->script, -1, 0, "10.0.0.1:2");
	bench_wait(b, 100);
	bench_expect(b, "accepted(1,11,10.0.0.1:1) "
		     "accepted(1,12,10.0.0.1:2) ");
	modem_link_close(b->m, 8, true, "local");
	bench_wait(b, 200);
	bench_expect(b, "closed(8/1,ok,local,0/0/0) opened(10) ");
	/* nobody listens: all are for everybody */
	modem_link_close(b->m, 10, true, "local");
	assert_int_equal(modem_unlisten(b->m, 1), 0);
	bench_wait(b, 500);
	bench_forget(b);
	for (i = 0; i < 3; i++)
		assert_true(bench_open(b) > 0);
	assert_int_equal(bench_open(b), -EMFILE);
}

/* The last slot is on its way back from one that was refused. */
static void open_beside_a_refused_one(void **state)
{
	struct bench *b = *state;
	unsigned int i;

	listening(b, 80);
	set_allow(b, 1, "10.9.0.0/16", 0);
	for (i = 0; i < 9; i++)
		bench_opened(b);
	script_answer(b->script, "AT+CIPCLOSE=0", "\r\nOK\r\n", 1);
	script_connect(b->script, 0, 0, PEER);
	bench_wait(b, 50);
	bench_forget(b);
	assert_int_equal(bench_open(b), 10);
	bench_wait(b, 50);
	script_close_slot(b->script, 0);
	script_say(b->script, "\r\n+CIPCLOSE: 0,0\r\n");
	bench_wait(b, 200);
	bench_expect(b, "queued(10) opened(10) ");
}

/* From the top, where connections come last; but not at once the same. */
static void outbound_from_the_top(void **state)
{
	struct bench *b = *state;
	uint64_t id;
	int i;

	listening(b, 80);
	for (i = 0; i < 20; i++) {
		id = bench_opened(b);
		assert_in_range(bench_info(b, id).slot, 6, 9);
		modem_link_close(b->m, id, true, "local");
		bench_wait(b, 700);
		bench_forget(b);
	}
}

/* --------------------------------------------------------------------- end */

/* The modem refuses to stop a server with links: they go first. */
static void stop_closes_links_first(void **state)
{
	struct bench *b = *state;

	listening(b, 80);
	listening(b, 81);
	script_connect(b->script, -1, 0, "10.0.0.1:1");
	script_connect(b->script, -1, 1, "10.0.0.1:2");
	script_connect(b->script, -1, 0, "10.0.0.1:3");
	bench_wait(b, 200);
	bench_forget(b);
	script_forget_heard(b->script);
	assert_int_equal(bench_send(b, 1, "last words", 10), 0);
	assert_int_equal(modem_unlisten(b->m, 1), 0);
	assert_int_equal(modem_unlisten(b->m, 1), -EBADF);
	assert_string_equal(listener_state_name(info_of(b, 1).state),
			    "stopping");
	bench_wait(b, 500);
	bench_expect_sent(b, 0, "last words", 10);
	bench_expect(b, "sent(1/1,10) closed(3/1,ok,listener-closed,0/0/0) "
		     "closed(1/1,ok,listener-closed,10/10/0) "
		     "unlistened(1,ok,listener-closed) ");
	expect_before(b, "AT+CIPCLOSE=0", "AT+SERVERSTOP=0");
	expect_before(b, "AT+CIPCLOSE=2", "AT+SERVERSTOP=0");
	assert_int_equal(script_heard(b->script, "AT+SERVERSTOP"), 1);
	assert_true(script_slot_open(b->script, 1));	/* of the other */
	assert_int_equal(bench_status(b).listeners_used, 1);
}

/* A7600 manual 2.15: what the modem may say to it. */
static void orders_of_stop(void **state)
{
	static const struct {
		const char *answer;
		bool stopped;		/* in the modem, before it says so */
		unsigned int stops;	/* commands */
	} cases[] = {
		{ "\r\nOK\r\n\r\n+SERVERSTOP: 0,0\r\n", true, 1 },
		{ "\r\n+SERVERSTOP: 0,0\r\n\r\nOK\r\n", true, 1 },
		{ "\r\nOK\r\n", true, 1 },	/* the table tells */
		{ "\r\nOK\r\n", false, 2 },
		{ "\r\n+SERVERSTOP: 0,4\r\n\r\nERROR\r\n", true, 1 },
		{ "\r\nERROR\r\n", true, 1 },	/* was not open */
		{ "\r\nERROR\r\n", false, 2 },
		{ "\r\n+SERVERSTOP: 0,9\r\n\r\nERROR\r\n", false, 2 },
		{ "\r\nOK\r\n\r\n+SERVERSTOP: 0,9\r\n", false, 2 },
		{ "", true, 1 }, { "", false, 2 },
	};
	struct bench *b = *state;
	char want[48];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t id = listening(b, 80);

		script_answer(b->script, "AT+SERVERSTOP=0", cases[i].answer,
			      1);
		if (cases[i].stopped)
			script_set_server(b->script, 0, 0);
		assert_int_equal(modem_unlisten(b->m, id), 0);
		bench_wait(b, 20000);
		snprintf(want, sizeof(want), "unlistened(%d,ok,"
			 "listener-closed) ", (int)id);
		bench_expect(b, want);
		assert_int_equal(script_listens(b->script, 0), 0);
		if (script_heard(b->script, "AT+SERVERSTOP") != cases[i].stops)
			fail_msg("case %zu: %u stops", i,
				 script_heard(b->script, "AT+SERVERSTOP"));
		assert_int_equal(bench_status(b).listeners_used, 0);
	}
}

/* Its owner is told, and it is tried on and on. */
static void stop_that_never_works(void **state)
{
	struct bench *b = *state;

	listening(b, 80);
	script_answer(b->script, "AT+SERVERSTOP=0", "\r\nERROR\r\n", 0);
	assert_int_equal(modem_unlisten(b->m, 1), 0);
	bench_wait(b, 30000);
	bench_expect(b, "unlistened(1,EREMOTEIO,modem-error) ");
	assert_in_range(script_heard(b->script, "AT+SERVERSTOP"), 3, 9);
	assert_int_equal(bench_status(b).listeners_used, 1);
	script_answer(b->script, "AT+SERVERSTOP=0", "*", 0);
	bench_wait(b, 30000);
	assert_int_equal(script_listens(b->script, 0), 0);
	assert_int_equal(bench_status(b).listeners_used, 0);
}

/* A link that nobody knew of is in the way. */
static void stop_with_a_hidden_link(void **state)
{
	struct bench *b = *state;

	listening(b, 80);
	script_connect_unheard(b->script, -1, 0, PEER);
	assert_int_equal(modem_unlisten(b->m, 1), 0);
	bench_wait(b, 5000);
	bench_expect(b, "unlistened(1,ok,listener-closed) ");
	assert_int_equal(script_open_slots(b->script), 0);
	assert_int_equal(script_listens(b->script, 0), 0);
}

static void connection_during_the_stop(void **state)
{
	struct bench *b = *state;

	listening(b, 80);
	script_connect(b->script, -1, 0, "10.0.0.1:1");
	bench_wait(b, 100);
	bench_forget(b);
	script_answer(b->script, "AT+CIPCLOSE=0", "\r\nOK\r\n", 1);
	assert_int_equal(modem_unlisten(b->m, 1), 0);
	bench_wait(b, 50);
	script_connect(b->script, 1, 0, "10.0.0.1:2");
	bench_wait(b, 50);
	script_close_slot(b->script, 0);
	script_say(b->script, "\r\n+CIPCLOSE: 0,0\r\n");
	bench_wait(b, 500);
	bench_expect(b, "closed(1/1,ok,listener-closed,0/0/0) "
		     "unlistened(1,ok,listener-closed) ");
	assert_int_equal(script_open_slots(b->script), 0);
	expect_before(b, "AT+CIPCLOSE=1", "AT+SERVERSTOP=0");
}

static void server_ends_by_itself(void **state)
{
	struct bench *b = *state;

	listening(b, 80);
	script_connect(b->script, -1, 0, PEER);
	bench_wait(b, 100);
	bench_forget(b);
	script_say(b->script, "\r\n+SERVERSTOP: 0,0\r\n");
	bench_wait(b, 200);
	bench_expect(b, "");		/* says it, and listens on */
	script_set_server(b->script, 0, 0);
	script_say(b->script, "\r\n+SERVERSTOP: 0,0\r\n");
	bench_wait(b, 500);
	bench_expect(b, "listener_lost(1,modem-closed) "
		     "listener_restored(1) ");
	assert_int_equal(script_listens(b->script, 0), 80);
	assert_int_equal(bench_info(b, 1).state, LINK_OPEN);
}

/* ------------------------------------------------------------------- start */

static void limits(void **state)
{
	struct listener_args waits = { .port = 84, .backlog = 3,
				       .wait_ms = 20000 };
	struct bench *b = *state;
	unsigned int i;

	for (i = 0; i < 4; i++)
		listening(b, 80 + i);
	assert_int_equal(bench_status(b).listeners_used, 4);
	assert_int_equal(bench_status(b).listeners_total, 4);
	assert_int_equal(listen_to(b, 82), -EADDRINUSE);
	assert_int_equal(listen_to(b, 84), -EMFILE);
	assert_int_equal(ask(b, &waits), 5);
	bench_wait(b, 10000);
	bench_expect(b, "");
	assert_int_equal(modem_unlisten(b->m, 2), 0);
	bench_wait(b, 500);
	bench_expect(b, "unlistened(2,ok,listener-closed) listening(5,ok) ");
	assert_int_equal(script_listens(b->script, 1), 84);
	waits.port = 85;
	assert_int_equal(ask(b, &waits), 6);
	bench_wait(b, 19000);
	bench_expect(b, "");
	bench_wait(b, 2000);
	bench_expect(b, "listening(6,EMFILE) ");
}

/* One that is on its way out holds its port no longer than it must. */
static void port_of_one_that_stops(void **state)
{
	struct bench *b = *state;

	listening(b, 80);
	assert_int_equal(modem_unlisten(b->m, 1), 0);
	assert_int_equal(listen_to(b, 80), 2);
	bench_wait(b, 500);
	bench_expect(b, "unlistened(1,ok,listener-closed) listening(2,ok) ");
	assert_int_equal(script_listens(b->script, 0) +
			 script_listens(b->script, 1), 80);
}

static void start_refused(void **state)
{
	static const struct { const char *answer, *want; } cases[] = {
		{ "\r\n+CIPERROR: 6\r\n\r\nERROR\r\n", "EADDRINUSE" },
		{ "\r\n+CIPERROR: 7\r\n\r\nERROR\r\n", "EADDRINUSE" },
		{ "\r\n+CIPERROR: 3\r\n\r\nERROR\r\n", "EINVAL" },
		{ "\r\nERROR\r\n", "EREMOTEIO" },
		{ "", "ETIMEDOUT" },
	};
	struct bench *b = *state;
	char want[48];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int id;

		script_answer(b->script, "AT+SERVERSTART=", cases[i].answer,
			      0);
		id = listen_to(b, 80);
		bench_wait(b, 60000);
		snprintf(want, sizeof(want), "listening(%d,%s) ", id,
			 cases[i].want);
		bench_expect(b, want);
		assert_int_equal(bench_status(b).listeners_used, 0);
	}
}

/* The answer is lost, the server is there: it does not stay. */
static void start_unanswered(void **state)
{
	struct bench *b = *state;

	script_answer(b->script, "AT+SERVERSTART=", "", 1);
	script_set_server(b->script, 0, 80);
	assert_int_equal(listen_to(b, 80), 1);
	bench_wait(b, 20000);
	bench_expect(b, "listening(1,ok) ");
	assert_int_equal(script_listens(b->script, 0) +
			 script_listens(b->script, 1), 80);
	assert_int_equal(bench_status(b).listeners_used, 1);
}

/* Another host's server has the port, at an index that looks free. */
static void port_held_by_a_stranger(void **state)
{
	struct bench *b = *state;

	script_set_server(b->script, 2, 80);
	assert_int_equal(listen_to(b, 80), 1);
	bench_wait(b, 2000);
	bench_expect(b, "listening(1,ok) ");
	assert_int_equal(script_listens(b->script, 2), 0);
}

static void network_not_opened(void **state)
{
	struct bench *b = *state;

	script_answer(b->script, "AT+SERVERSTART=", "\r\n+CIPERROR: 2\r\n"
		      "\r\nERROR\r\n", 1);
	assert_int_equal(listen_to(b, 80), 1);
	bench_wait(b, 50);
	assert_int_equal(bench_status(b).network, NETWORK_LOST);
	bench_wait(b, 5000);
	bench_expect(b, "listening(1,ok) ");
}

static void network_not_opened_at_the_stop(void **state)
{
	struct bench *b = *state;

	listening(b, 80);
	listening(b, 81);
	script_answer(b->script, "AT+SERVERSTOP=", "\r\n+SERVERSTOP: 0,2\r\n"
		      "\r\nERROR\r\n", 1);
	assert_int_equal(modem_unlisten(b->m, 1), 0);
	bench_wait(b, 50);
	assert_int_equal(bench_status(b).network, NETWORK_LOST);
	bench_expect(b, "listener_lost(2,network-lost) "
		     "unlistened(1,ok,listener-closed) ");
}

/* Taken back before the modem has answered. */
static void unlisten_at_once(void **state)
{
	struct bench *b = *state;

	assert_int_equal(listen_to(b, 80), 1);
	assert_int_equal(modem_unlisten(b->m, 1), 0);
	bench_wait(b, 200);
	bench_expect(b, "listening(1,ECANCELED) ");
	script_answer(b->script, "AT+SERVERSTART=", "", 1);
	assert_int_equal(listen_to(b, 81), 2);
	bench_wait(b, 50);
	assert_int_equal(modem_unlisten(b->m, 2), 0);
	script_set_server(b->script, 0, 81);
	script_say(b->script, "\r\nOK\r\n");
	bench_wait(b, 500);
	bench_expect(b, "listening(2,ECANCELED) ");
	assert_int_equal(script_listens(b->script, 0), 0);
	assert_int_equal(bench_status(b).listeners_used, 0);
}

static void without_network(void **state)
{
	struct listener_args waits = { .port = 80, .backlog = 3,
				       .wait_ms = 20000 };
	struct bench *b = *state;

	script_set(b->script)->reg = 2;
	bench_start(b);
	bench_wait(b, 1000);
	assert_int_equal(listen_to(b, 80), -ENETDOWN);
	assert_int_equal(ask(b, &waits), 1);
	waits.port = 81;
	waits.wait_ms = 2000;
	assert_int_equal(ask(b, &waits), 2);
	bench_wait(b, 3000);
	bench_expect(b, "listening(2,ENETDOWN) ");
	script_set(b->script)->reg = 1;
	bench_wait(b, 10000);
	bench_expect(b, "listening(1,ok) ");
}

/* ------------------------------------------------------- losses and ends */

static void lose_network(struct bench *b)
{
	script_set(b->script)->net_open = false;
	script_set_server(b->script, 0, 0);
	script_set_server(b->script, 1, 0);
	script_say(b->script, "\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY"
		   "\r\n");
}

static void network_loss(void **state)
{
	struct bench *b = *state;

	listening(b, 80);
	listening(b, 81);
	script_connect(b->script, -1, 1, PEER);
	bench_wait(b, 100);
	bench_forget(b);
	lose_network(b);
	bench_wait(b, 20);
	bench_expect(b, "listener_lost(1,network-lost) "
		     "listener_lost(2,network-lost) "
		     "closed(1/1,ENETRESET,network-lost,0/0/0) ");
	assert_string_equal(listener_state_name(info_of(b, 1).state), "lost");
	assert_int_equal(info_of(b, 1).index, -1);
	bench_wait(b, 5000);
	bench_expect(b, "listener_restored(1) listener_restored(2) ");
	assert_int_equal(script_listens(b->script, 0), 80);
	assert_int_equal(script_listens(b->script, 1), 81);
	script_connect(b->script, -1, 0, PEER);
	bench_wait(b, 100);
	bench_expect(b, "accepted(1,2,10.1.2.3:5000) ");
}

static void reboot(void **state)
{
	struct bench *b = *state;

	listening(b, 80);
	script_reboot(b->script, "\r\nRDY\r\n");
	bench_wait(b, 20);
	bench_expect(b, "listener_lost(1,modem-restarted) ");
	bench_wait(b, 10000);
	bench_expect(b, "listener_restored(1) ");
	assert_int_equal(script_listens(b->script, 0), 80);
}

/* It comes back when the modem lets it, less and less often asked. */
static void restore_that_fails(void **state)
{
	struct bench *b = *state;
	unsigned int tries;

	listening(b, 80);
	script_answer(b->script, "AT+SERVERSTART=", "\r\nERROR\r\n", 0);
	lose_network(b);
	bench_wait(b, 120000);
	bench_expect(b, "listener_lost(1,network-lost) ");
	tries = script_heard(b->script, "AT+SERVERSTART=");
	assert_in_range(tries, 4, 30);
	script_answer(b->script, "AT+SERVERSTART=", "*", 0);
	bench_wait(b, 61000);
	bench_expect(b, "listener_restored(1) ");
}

static void unlisten_while_lost(void **state)
{
	struct bench *b = *state;

	listening(b, 80);
	lose_network(b);
	bench_wait(b, 20);
	bench_forget(b);
	assert_int_equal(modem_unlisten(b->m, 1), 0);
	bench_wait(b, 5000);
	bench_expect(b, "unlistened(1,ok,listener-closed) ");
	assert_int_equal(script_listens(b->script, 0), 0);
}

/* The server had gone alone: its links had not. */
static void unlisten_while_restoring(void **state)
{
	struct bench *b = *state;

	listening(b, 80);
	script_connect(b->script, -1, 0, PEER);
	bench_wait(b, 100);
	script_answer(b->script, "AT+SERVERSTART=80", "\r\nERROR\r\n", 0);
	script_set_server(b->script, 0, 0);
	script_say(b->script, "\r\n+SERVERSTOP: 0,0\r\n");
	bench_wait(b, 100);
	bench_expect(b, "accepted(1,1,10.1.2.3:5000) "
		     "listener_lost(1,modem-closed) ");
	assert_int_equal(modem_unlisten(b->m, 1), 0);
	bench_wait(b, 5000);
	bench_expect(b, "unlistened(1,ok,listener-closed) "
		     "closed(1/1,ok,listener-closed,0/0/0) ");
	assert_int_equal(bench_status(b).listeners_used, 0);
}

static void loss_while_stopping(void **state)
{
	struct bench *b = *state;

	listening(b, 80);
	script_answer(b->script, "AT+SERVERSTOP=", "\r\nOK\r\n", 1);
	assert_int_equal(modem_unlisten(b->m, 1), 0);
	bench_wait(b, 50);
	lose_network(b);
	bench_wait(b, 5000);
	bench_expect(b, "unlistened(1,ok,listener-closed) ");
	assert_int_equal(bench_status(b).listeners_used, 0);
	listening(b, 80);
}

static void loss_while_starting(void **state)
{
	struct bench *b = *state;

	script_answer(b->script, "AT+SERVERSTART=", "", 1);
	assert_int_equal(listen_to(b, 80), 1);
	bench_wait(b, 50);
	lose_network(b);
	bench_wait(b, 50);
	bench_expect(b, "listening(1,ENETRESET) ");
	bench_wait(b, 20000);
	bench_expect(b, "");
	assert_int_equal(bench_status(b).listeners_used, 0);
}

static void loss_while_restoring(void **state)
{
	struct bench *b = *state;

	listening(b, 80);
	lose_network(b);
	script_answer(b->script, "AT+SERVERSTART=80", "", 1);
	bench_wait(b, 20);
	while (!script_heard(b->script, "AT+SERVERSTART=80"))
		bench_wait(b, 10);
	bench_expect(b, "listener_lost(1,network-lost) ");
	lose_network(b);
	bench_wait(b, 20);
	bench_expect(b, "");
	bench_wait(b, 20000);
	bench_expect(b, "listener_restored(1) ");
}

/* An earlier run of the daemon left it so. */
static void left_over_servers(void **state)
{
	struct bench *b = *state;

	script_set_server(b->script, 1, 80);
	script_set_server(b->script, 3, 81);
	script_connect_unheard(b->script, 4, 1, PEER);
	script_set(b->script)->net_open = true;
	bench_start(b);
	bench_wait(b, 5000);
	assert_int_equal(script_listens(b->script, 1), 0);
	assert_int_equal(script_listens(b->script, 3), 0);
	assert_int_equal(script_open_slots(b->script), 0);
	bench_expect(b, "");
	listening(b, 80);
}

static void listen_while_old_ones_stop(void **state)
{
	struct listener_args args = { .port = 80, .backlog = 3,
				      .wait_ms = 10000 };
	struct bench *b = *state;

	script_set_server(b->script, 0, 80);
	script_connect_unheard(b->script, 4, 0, PEER);
	script_set(b->script)->net_open = true;
	bench_start(b);
	bench_wait(b, 10);
	assert_int_equal(ask(b, &args), 1);
	bench_wait(b, 5000);
	bench_expect(b, "listening(1,ok) ");
	assert_int_equal(script_open_slots(b->script), 0);
}

static void polite_end(void **state)
{
	struct bench *b = *state;

	listening(b, 80);
	listening(b, 81);
	script_connect(b->script, -1, 0, PEER);
	bench_wait(b, 100);
	bench_forget(b);
	script_forget_heard(b->script);
	assert_int_equal(bench_send(b, 1, "bye", 3), 0);
	modem_stop(b->m);
	assert_int_equal(listen_to(b, 81), -ESHUTDOWN);
	bench_wait(b, 1000);
	bench_expect(b, "unlistened(2,ok,daemon-stop) sent(1/1,3) "
		     "closed(1/1,ok,daemon-stop,3/3/0) "
		     "unlistened(1,ok,daemon-stop) stopped ");
	expect_before(b, "AT+CIPCLOSE=0", "AT+SERVERSTOP=0");
	assert_int_equal(script_listens(b->script, 0), 0);
	assert_int_equal(script_listens(b->script, 1), 0);
}

static void polite_end_without_links(void **state)
{
	struct bench *b = *state;

	listening(b, 80);
	listening(b, 81);
	modem_stop(b->m);
	bench_wait(b, 1000);
	bench_expect(b, "unlistened(1,ok,daemon-stop) "
		     "unlistened(2,ok,daemon-stop) stopped ");
	assert_int_equal(script_listens(b->script, 0), 0);
	assert_int_equal(script_listens(b->script, 1), 0);
}

/* The time for it is bounded. */
static void end_without_an_answer(void **state)
{
	struct bench *b = *state;

	listening(b, 80);
	script_set(b->script)->mute = true;
	modem_stop(b->m);
	bench_wait(b, b->cfg.recovery.stop_timeout_ms + 10);
	bench_expect(b, "unlistened(1,ok,daemon-stop) stopped ");
}

static void idle_limit(void **state)
{
	struct listener_args args = { .port = 81, .backlog = 3,
				      .idle_timeout_ms = 5000 };
	struct bench *b = *state;

	b->cfg.links.inbound_idle_timeout_ms = 20000;
	listening(b, 80);
	assert_int_equal(ask(b, &args), 2);
	bench_wait(b, 100);
	script_connect(b->script, -1, 0, "10.0.0.1:1");
	script_connect(b->script, -1, 1, "10.0.0.1:2");
	bench_wait(b, 100);
	bench_forget(b);
	bench_wait(b, 6000);
	bench_expect(b, "closed(2/1,ETIME,idle,0/0/0) ");
	bench_wait(b, 15000);
	bench_expect(b, "closed(1/1,ETIME,idle,0/0/0) ");
}

/* A firmware that does not list its servers. */
static void table_that_is_refused(void **state)
{
	struct bench *b = *state;

	script_answer(b->script, "AT+SERVERSTART?", "\r\nERROR\r\n", 0);
	listening(b, 80);
	script_connect_unheard(b->script, -1, 0, PEER);
	script_peer_sends(b->script, 0, "hello", 5);
	bench_wait(b, 200);
	bench_expect(b, "accepted(1,1,10.1.2.3:5000) data(1,5) ");
	script_answer(b->script, "AT+SERVERSTOP=0", "\r\nOK\r\n", 1);
	assert_int_equal(modem_unlisten(b->m, 1), 0);
	bench_wait(b, 20000);
	bench_expect(b, "closed(1/1,ok,listener-closed,0/0/5) "
		     "unlistened(1,ok,listener-closed) ");
	script_set_server(b->script, 0, 0);
	listening(b, 81);
	script_answer(b->script, "AT+SERVERSTOP=0", "\r\nERROR\r\n", 0);
	assert_int_equal(modem_unlisten(b->m, 2), 0);
	bench_wait(b, 20000);
	bench_expect(b, "unlistened(2,EREMOTEIO,modem-error) ");
	bench_wait(b, 60000);
	assert_int_equal(bench_status(b).listeners_used, 0);
}

/* Q78 */
static void server_cannot_send(void **state)
{
	struct bench *b = *state;

	listening(b, 80);
	script_connect(b->script, -1, 0, PEER);
	bench_wait(b, 100);
	bench_forget(b);
	script_answer(b->script, "AT+CIPSEND=0", "\r\n+CIPERROR: 4\r\n"
		      "\r\nERROR\r\n", 0);
	assert_int_equal(bench_send(b, 1, "hello", 5), 0);
	bench_wait(b, 200);
	bench_expect(b, "closed(1/1,ECONNABORTED,send-failed,5/0/0) ");
	assert_int_equal(script_open_slots(b->script), 0);
}

#define O(f) cmocka_unit_test_setup_teardown(f, bench_set_up_open, \
					     bench_tear_down)
#define T(f) cmocka_unit_test_setup_teardown(f, bench_set_up, bench_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		O(bytes_both_ways), O(command_text), O(forms_of_client),
		O(no_index_and_two_listeners), O(numbers_that_cannot_be),
		O(client_line_lost), O(data_before_client),
		O(connection_before_ok), O(slot_of_a_dead_link),
		O(client_line_for_an_open_link), O(connection_while_closing),
		O(connection_instead_of_a_close), O(connection_before_the_open),
		O(connection_before_the_last_open),
		O(connection_while_pulling),
		O(slot_is_reused_at_once), O(last_words_are_read),
		O(last_send_is_counted), O(slot_that_stays_open),
		O(close_after_the_peer),
		O(table_that_is_too_old),
		O(collision_result_last), O(collision_error_9),
		O(collision_refused), O(collision_no_result),
		O(collision_no_result_after_it),
		O(collision_before_final), O(collision_bare_error),
		O(collision_client_inside), O(collision_result_first),
		O(collision_line_lost), O(collision_line_lost_ok),
		O(collision_says_0), O(collision_that_was_none),
		O(collision_with_nobody),
		O(collision_with_a_refused_one),
		O(collision_without_another_slot),
		O(collision_of_a_restored_link),
		O(allow_list), O(max_links_of_one), O(max_inbound_of_all),
		O(reserve), O(open_beside_a_refused_one),
		O(outbound_from_the_top),
		O(stop_closes_links_first), O(orders_of_stop),
		O(stop_that_never_works), O(stop_with_a_hidden_link),
		O(connection_during_the_stop), O(server_ends_by_itself),
		O(limits), O(port_of_one_that_stops), O(start_refused),
		O(start_unanswered), O(port_held_by_a_stranger),
		O(network_not_opened), O(network_not_opened_at_the_stop),
		O(unlisten_at_once),
		T(without_network), O(network_loss), O(reboot),
		O(restore_that_fails), O(unlisten_while_lost),
		O(unlisten_while_restoring),
		O(loss_while_stopping), O(loss_while_starting),
		O(loss_while_restoring),
		T(left_over_servers), T(listen_while_old_ones_stop),
		O(polite_end), O(polite_end_without_links),
		O(end_without_an_answer), O(idle_limit),
		O(table_that_is_refused), O(server_cannot_send),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
