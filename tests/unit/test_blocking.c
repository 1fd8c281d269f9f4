/* SPDX-License-Identifier: MIT */

/*
 * Commands that keep the line until they are answered: what they do to the
 * other links. The modem is the scripted one, which leaves a CIPOPEN or a
 * CDNSGIP without an answer until the test gives it.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "able_driver.h"
#include "fake_timer.h"
#include "modem_bench.h"

#define BLOCK_MS	3000

static uint8_t bytes[65536];

static int set_up_caps(void **state, unsigned int caps, unsigned int links)
{
	able_caps = caps;
	able_links = links;

	return bench_set_up_open(state);
}

static int set_up(void **state)
{
	return set_up_caps(state, DRIVER_CAP_BLOCKING_OPEN, 5);
}

static int set_up_joins(void **state)
{
	return set_up_caps(state, DRIVER_CAP_PULL_JOINS, 5);
}

static int set_up_free(void **state)
{
	return set_up_caps(state, 0, 5);
}

/* An open that goes out now, or as soon as it may, and keeps the line. */
static uint64_t open_dead(struct bench *b)
{
	int id;

	script_answer(b->script, "AT+CIPOPEN=", "", 1);
	id = bench_open(b);
	assert_true(id > 0);

	return (uint64_t)id;
}

/* The host is dead. */
static void end_dead(struct bench *b, uint64_t link)
{
	script_say(b->script, "\r\nOK\r\n\r\n+CIPOPEN: %d,3\r\n",
		   bench_info(b, link).slot);
	bench_wait(b, 20);
}

/* The one of them that is being opened, which is not the first necessarily. */
static uint64_t find_opening(struct bench *b, const uint64_t *links, size_t n)
{
	struct link_info info;

	while (n-- > 0) {
		if (modem_link_info(b->m, links[n], &info) == 0 &&
		    info.state == LINK_OPENING)
			return links[n];
	}

	return 0;
}

static void push_goes_on_during_an_open(void **state)
{
	struct bench *b = *state;
	uint64_t a = bench_opened(b), dead;

	script_forget_heard(b->script);
	dead = open_dead(b);
	bench_wait(b, 1000);
	assert_string_equal(bench_status(b).receive, "push");
	assert_int_equal(bench_info(b, dead).state, LINK_OPENING);
	script_peer_sends(b->script, 4, "hello", 5);
	bench_wait(b, 100);
	bench_expect(b, "data(1,5) ");
	script_forget_heard(b->script);
	bench_wait(b, BLOCK_MS);
	assert_null(script_command(b->script, 0));	/* nothing meanwhile */

	end_dead(b, dead);
	bench_wait(b, 200);
	bench_expect_prefix(b, "opened(2,");
	bench_forget(b);
	assert_string_equal(bench_status(b).receive, "pull");
	script_peer_sends(b->script, 4, "again", 5);
	bench_wait(b, 100);
	bench_expect(b, "data(1,5) ");
	assert_true(script_heard(b->script, "AT+CIPRXGET=2,4") > 0);
	(void)a;
}

/* Nothing is switched where nobody gains, or somebody would lose. */
static void pull_stays(void **state)
{
	struct bench *b = *state;
	struct link_args never = { .host = "h", .port = 1, .never_push = true };
	struct link_args paused = { .host = "h", .port = 1,
				    .has_credit = true };
	const struct link_args *other[] = { NULL, &never, &paused };
	uint64_t id, dead;
	size_t i;

	for (i = 0; i < 3; i++) {
		id = other[i] ? (uint64_t)bench_open_args(b, other[i]) : 0;
		bench_wait(b, 500);
		dead = open_dead(b);
		bench_wait(b, 1000);
		assert_int_equal(bench_info(b, dead).state, LINK_OPENING);
		assert_string_equal(bench_status(b).receive, "pull");
		assert_int_equal(script_heard(b->script, "AT+CIPRXGET=0"), 0);
		end_dead(b, dead);
		if (id)
			modem_link_close(b->m, id, true, "local");
		bench_wait(b, 3000);
		bench_forget(b);
	}
}

/* So it is without the capability. */
static void opens_that_do_not_block(void **state)
{
	struct bench *b = *state;

	bench_opened(b);
	script_answer(b->script, "AT+CIPOPEN=", "\r\nOK\r\n", 1);
	assert_true(bench_open(b) > 0);
	bench_wait(b, 1000);
	assert_string_equal(bench_status(b).receive, "pull");
	assert_int_equal(script_heard(b->script, "AT+CIPRXGET=0"), 0);
}

/* Always something to send: what was taken is given again. */
static void feed(struct bench *b, const char *event, uint64_t link)
{
	if (strncmp(event, "sent(", 5) == 0 && bench_info(b, link).state ==
	    LINK_OPEN && bench_info(b, link).queued_up < 32768)
		assert_int_equal(modem_link_send(b->m, link, 1, bytes, 16384),
				 0);
}

/* Three opens that take 3 s each, one after another: the upload of another
 * link gets as long a time behind each, and they do get their turn. */
static void half_of_the_time(void **state)
{
	struct bench *b = *state;
	uint64_t a = bench_opened(b), dead[3];
	uint64_t taken, before, link;
	size_t i;

	b->on_event = feed;
	assert_int_equal(bench_send(b, a, bytes, sizeof(bytes)), 0);
	for (i = 0; i < 3; i++)
		dead[i] = open_dead(b);
	for (i = 0; i < 3; i++) {
		bench_wait(b, 100);
		link = find_opening(b, dead, 3);
		assert_true(link);
		before = bench_info(b, a).counts.taken;
		bench_wait(b, BLOCK_MS - 100);
		taken = bench_info(b, a).counts.taken;
		assert_true(taken - before <= 1500);
		script_answer(b->script, "AT+CIPOPEN=", "", 1);
		end_dead(b, link);
		bench_wait(b, BLOCK_MS - 40);
		/* 1500 bytes need some 130 ms of an instant line */
		assert_true(bench_info(b, a).counts.taken - taken > 60000);
		assert_int_equal(find_opening(b, dead, 3), 0);
		b->log[b->len = 0] = '\0';
		bench_wait(b, 40);
	}
	b->on_event = NULL;
}

/* Who does not want the line does not keep others from it. */
static void quiet_links_delay_nothing(void **state)
{
	struct bench *b = *state;
	uint64_t dead[3], link;
	size_t i;

	bench_opened(b);
	for (i = 0; i < 3; i++)
		dead[i] = open_dead(b);
	for (i = 0; i < 3; i++) {
		bench_wait(b, 100);
		link = find_opening(b, dead, 3);
		assert_true(link);
		bench_wait(b, BLOCK_MS);
		script_answer(b->script, "AT+CIPOPEN=", "", 1);
		end_dead(b, link);
	}
}

/* What was asked meanwhile is done first, in less than the time it waited. */
static void uplink_follows_at_once(void **state)
{
	struct bench *b = *state;
	uint64_t a = bench_opened(b), first = open_dead(b), second;

	bench_wait(b, 1000);
	script_answer(b->script, "AT+CIPOPEN=", "", 2);
	second = (uint64_t)bench_open(b);
	bench_wait(b, 1000);
	assert_int_equal(bench_send(b, a, "hello", 5), 0);
	bench_wait(b, 1000);
	bench_expect(b, "");
	end_dead(b, first);
	bench_wait(b, 100);
	assert_non_null(strstr(b->log, "opened(2,"));
	assert_non_null(strstr(b->log, "sent(1/1,5) "));
	assert_int_equal(bench_info(b, second).state, LINK_WAITING);
	bench_wait(b, 2700);
	assert_int_equal(bench_info(b, second).state, LINK_WAITING);
	bench_wait(b, 500);
	assert_int_equal(bench_info(b, second).state, LINK_OPENING);
}

/* Neither idle nor slow is who had no line. */
static void time_without_the_line_does_not_count(void **state)
{
	struct bench *b = *state;
	struct link_args idle = { .host = "h", .port = 1,
				  .idle_timeout_ms = 2000 };
	uint64_t a, c, dead;

	a = (uint64_t)bench_open_args(b, &idle);
	bench_wait(b, 500);
	bench_forget(b);
	b->cfg.links.send_timeout_ms = 2000;
	c = bench_opened(b);
	dead = open_dead(b);
	bench_wait(b, 100);
	assert_int_equal(bench_send(b, c, "last words", 10), 0);
	modem_link_close(b->m, c, false, "local");
	bench_wait(b, BLOCK_MS);
	assert_int_equal(bench_info(b, a).state, LINK_OPEN);
	bench_forget(b);
	end_dead(b, dead);
	bench_wait(b, 1000);
	assert_non_null(strstr(b->log, "sent(2/1,10) "));
	assert_non_null(strstr(b->log, "closed(2/1,ok,local,10/10/0) "));
	assert_int_equal(bench_info(b, a).state, LINK_OPEN);
	bench_wait(b, 2000);
	assert_non_null(strstr(b->log, "closed(1/1,ETIME,idle,"));
}

/* Also when its buffer was to be looked at meanwhile. */
static void idle_and_due(void **state)
{
	struct bench *b = *state;
	struct link_args idle = { .host = "h", .port = 1, .never_push = true,
				  .idle_timeout_ms = 4000 };
	uint64_t a = (uint64_t)bench_open_args(b, &idle), dead;

	bench_wait(b, 3000);
	dead = open_dead(b);
	bench_wait(b, BLOCK_MS);
	assert_int_equal(bench_info(b, a).state, LINK_OPEN);
	end_dead(b, dead);
	assert_int_equal(bench_info(b, a).state, LINK_OPEN);
	bench_forget(b);
	bench_wait(b, 2000);
	assert_non_null(strstr(b->log, "closed(1/1,ETIME,idle,"));
}

/* The modem restarts in the middle: nothing is blocked any more. */
static void lost_while_it_blocks(void **state)
{
	struct bench *b = *state;
	struct link_args idle = { .host = "h", .port = 1,
				  .idle_timeout_ms = 3000 };
	int a;

	bench_opened(b);
	open_dead(b);
	bench_wait(b, 1000);
	script_reboot(b->script, "\r\nRDY\r\n");
	bench_wait(b, 20000);
	assert_int_equal(bench_status(b).network, NETWORK_OPEN);
	bench_forget(b);
	a = bench_open_args(b, &idle);
	assert_true(a > 0);
	bench_wait(b, 5000);
	assert_non_null(strstr(b->log, "ETIME,idle"));
}

static void questions_block_too(void **state)
{
	struct bench *b = *state;
	uint32_t q;

	bench_opened(b);
	script_answer(b->script, "AT+CDNSGIP=", "", 1);
	assert_int_equal(modem_resolve(b->m, "name.example", DRIVER_ANY, &q),
			 0);
	bench_wait(b, 1000);
	assert_string_equal(bench_status(b).receive, "push");
	assert_int_equal(script_heard(b->script, "AT+CDNSGIP="), 1);
	script_peer_sends(b->script, 4, "hello", 5);
	bench_wait(b, 100);
	bench_expect(b, "data(1,5) ");
	script_say(b->script, "\r\n+CDNSGIP: 1,\"name.example\","
		   "\"192.0.2.1\"\r\n\r\nOK\r\n");
	bench_wait(b, 500);
	assert_string_equal(bench_status(b).receive, "pull");
	/* what is known asks nobody, and switches nothing */
	script_forget_heard(b->script);
	assert_int_equal(modem_resolve(b->m, "name.example", DRIVER_ANY, &q),
			 0);
	bench_wait(b, 500);
	assert_null(script_command(b->script, 0));
}

/* What is answered at once need not wait so long, nor does it make what blocks
 * go sooner. */
static void quick_questions(void **state)
{
	struct bench *b = *state;
	uint64_t a = bench_opened(b), first = open_dead(b), second;
	const char *why;
	uint32_t q;

	b->on_event = feed;
	bench_wait(b, 100);
	assert_int_equal(bench_send(b, a, bytes, sizeof(bytes)), 0);
	bench_wait(b, BLOCK_MS - 100);
	end_dead(b, first);
	script_answer(b->script, "AT+CIPOPEN=", "", 1);
	second = (uint64_t)bench_open(b);
	assert_true(second > 0);
	bench_wait(b, 100);
	assert_int_equal(modem_at(b->m, "AT+CSQ", 1000, false, &q, &why), 0);
	bench_wait(b, 200);
	assert_int_equal(script_heard(b->script, "AT+CSQ"), 1);
	bench_wait(b, BLOCK_MS - 500);
	assert_int_equal(bench_info(b, second).state, LINK_WAITING);
	bench_wait(b, 400);
	assert_int_equal(bench_info(b, second).state, LINK_OPENING);
	b->on_event = NULL;
}

/* Names that are asked for again and again, an upload that always goes on:
 * who wants to open a link has his turn all the same. */
static void questions_do_not_starve_opens(void **state)
{
	struct bench *b = *state;
	uint64_t a = bench_opened(b), link;
	char name[32];
	uint32_t q;
	int i;

	b->on_event = feed;
	assert_int_equal(bench_send(b, a, bytes, sizeof(bytes)), 0);
	script_answer(b->script, "AT+CDNSGIP=", "", 0);
	for (i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "name%d.example", i);
		assert_int_equal(modem_resolve(b->m, name, DRIVER_ANY, &q), 0);
	}
	bench_wait(b, 100);
	assert_int_equal(script_heard(b->script, "AT+CDNSGIP="), 1);
	link = (uint64_t)bench_open(b);
	for (i = 0; i < 2; i++) {
		bench_wait(b, BLOCK_MS);
		script_say(b->script, "\r\n+CDNSGIP: 1,\"a\",\"192.0.2.1\""
			   "\r\n\r\nOK\r\n");
		bench_wait(b, BLOCK_MS + 500);
		b->log[b->len = 0] = '\0';
	}
	assert_true(bench_info(b, link).state == LINK_OPEN);
	b->on_event = NULL;
}

/* Where a pull joins datagrams, they are pushed. */
static void datagrams_want_push(void **state)
{
	struct bench *b = *state;
	struct link_args udp = { .kind = LINK_UDP, .host = "" };
	int id = bench_open_args(b, &udp);

	bench_wait(b, 500);
	assert_string_equal(bench_status(b).receive, "push");
	modem_link_close(b->m, (uint64_t)id, true, "local");
	bench_wait(b, 500);
	assert_string_equal(bench_status(b).receive, "pull");
}

static void datagrams_elsewhere_do_not(void **state)
{
	struct bench *b = *state;
	struct link_args udp = { .kind = LINK_UDP, .host = "" };

	assert_true(bench_open_args(b, &udp) > 0);
	bench_wait(b, 500);
	assert_string_equal(bench_status(b).receive, "pull");
}

/* A modem with five sockets: the sixth waits, or hears it at once. */
static void five_sockets(void **state)
{
	struct bench *b = *state;
	struct link_args waits = { .host = "h", .port = 1, .wait_ms = 5000 };
	int i;

	for (i = 0; i < 5; i++)
		bench_opened(b);
	assert_int_equal(bench_status(b).slots_total, 5);
	assert_int_equal(bench_open(b), -EMFILE);
	assert_int_equal(bench_open_args(b, &waits), 7);
	bench_wait(b, 100);
	bench_expect(b, "queued(7) ");
	modem_link_close(b->m, 3, true, "local");
	bench_wait(b, 200);
	bench_expect(b, "closed(3/1,ok,local,0/0/0) opened(7) ");
}

/* From the top: the modem puts who connects into the lowest. */
static void slots_from_the_top(void **state)
{
	struct bench *b = *state;
	uint64_t id;
	int slot;

	for (slot = 4; slot >= 0; slot--) {
		id = bench_opened(b);
		assert_int_equal(bench_info(b, id).slot, slot);
	}
}

#define T(f, up)	cmocka_unit_test_setup_teardown(f, up, bench_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(push_goes_on_during_an_open, set_up),
		T(pull_stays, set_up),
		T(opens_that_do_not_block, set_up_free),
		T(half_of_the_time, set_up),
		T(quiet_links_delay_nothing, set_up),
		T(uplink_follows_at_once, set_up),
		T(time_without_the_line_does_not_count, set_up),
		T(idle_and_due, set_up),
		T(lost_while_it_blocks, set_up),
		T(questions_block_too, set_up),
		T(quick_questions, set_up),
		T(questions_do_not_starve_opens, set_up),
		T(datagrams_want_push, set_up_joins),
		T(datagrams_elsewhere_do_not, set_up_free),
		T(five_sockets, set_up),
		T(slots_from_the_top, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
