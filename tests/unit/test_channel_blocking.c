/* SPDX-License-Identifier: MIT */

/*
 * The channel with a modem that does one command at a time: "busy", OK in the
 * place of a prompt, headers that end within their line, +++ instead of
 * padding. On a virtual clock, with a modem that is a few lines of this file.
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

#include "at/channel.h"
#include "at/trace.h"
#include "base/config.h"
#include "driver/w800_private.h"
#include "fake_port.h"
#include "fake_timer.h"
#include "fake_world.h"

#define TIMEOUT_MS	5000

struct bench {
	struct fake_world world;
	struct timers *ts;
	struct config_modem set;
	struct at_channel *ch;
	struct port *port;
	char log[8192];
	size_t len;
};

__attribute__((format(printf, 2, 3)))
static void note(struct bench *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	b->len += (size_t)vsnprintf(b->log + b->len, sizeof(b->log) - b->len,
				    fmt, ap);
	va_end(ap);
	assert_true(b->len < sizeof(b->log));
}

/* What happened since the last look. */
static void expect(struct bench *b, const char *want)
{
	assert_string_equal(b->log, want);
	b->log[0] = '\0';
	b->len = 0;
}

static void expect_line(struct bench *b, const char *want)
{
	struct evbuffer *out = fake_port_written(b->port);
	size_t have = evbuffer_get_length(out), len = strlen(want);
	uint8_t *got = evbuffer_pullup(out, -1);

	if (have != len || (len > 0 && memcmp(got, want, len) != 0))
		fail_msg("written %zu bytes <%.*s>, wanted %zu <%s>", have,
			 (int)have, got, len, want);
	evbuffer_drain(out, have);
}

static void on_urc(void *ctx, const struct at_line *line)
{
	note(ctx, "urc{%s} ", line->text);
}

static void on_data(void *ctx, const uint8_t *data, size_t len, bool last)
{
	if (len == 0)
		note(ctx, "input-lost ");
	else
		note(ctx, "pushed[%.*s%s ", (int)len, (const char *)data,
		     last ? "]" : "");
}

static void on_idle(void *ctx)
{
	(void)ctx;
}

static void on_silent(void *ctx)
{
	note(ctx, "silent ");
}

static void on_echoed(void *ctx)
{
	note(ctx, "echoed ");
}

static void on_lost(void *ctx, int err)
{
	note(ctx, "lost(%d) ", err);
}

static const struct at_channel_ops channel_ops = {
	on_urc, on_data, on_idle, on_silent, on_echoed, on_lost,
};

static void cmd_line(void *ctx, const struct at_line *line)
{
	note(ctx, "line{%s} ", line->text);
}

static void cmd_data(void *ctx, const uint8_t *data, size_t len, bool last)
{
	note(ctx, "data[%.*s%s ", (int)len, (const char *)data,
	     last ? "]" : "");
}

static void cmd_done(void *ctx, int err, const struct at_answer *a)
{
	note(ctx, "done(%s,%s%s%s) ", err ? strerrorname_np(-err) : "ok",
	     a->final, a->detail[0] ? "," : "", a->detail);
}

static struct at_command command(struct bench *b, const char *text)
{
	return (struct at_command){
		.text = text,
		.timeout_ms = TIMEOUT_MS,
		.line = cmd_line,
		.data = cmd_data,
		.done = cmd_done,
		.ctx = b,
	};
}

static void start(struct bench *b, const char *text)
{
	struct at_command c = command(b, text);
	char line[80];

	assert_int_equal(at_channel_send(b->ch, &c), 0);
	snprintf(line, sizeof(line), "%s\r\n", text);
	expect_line(b, line);
}

static void start_send(struct bench *b, const char *data)
{
	struct at_command c = command(b, "AT+CIPSEND=0,5");

	c.payload = (const uint8_t *)data;
	c.payload_len = strlen(data);
	c.ok_prompts = true;
	assert_int_equal(at_channel_send(b->ch, &c), 0);
	expect_line(b, "AT+CIPSEND=0,5\r\n");
}

static void start_pull(struct bench *b, size_t max, unsigned int variant)
{
	static const signed char accept[] = {
		R_RECVDATA, R_RECVDATA_COMMA, R_RECVDATA_LINK,
		R_RECVDATA_FROM, -1
	};
	struct at_command c = command(b, "AT+CIPRECVDATA=0,9");

	c.accept = accept;
	c.answer_max = max;
	c.variant = variant;
	assert_int_equal(at_channel_send(b->ch, &c), 0);
	expect_line(b, "AT+CIPRECVDATA=0,9\r\n");
}

static void say(struct bench *b, const char *text)
{
	fake_port_say(b->port, text);
}

static void wait_ms(struct bench *b, uint32_t ms)
{
	fake_timers_advance(b->ts, ms);
}

static const struct at_channel_stats *stats(struct bench *b)
{
	return at_channel_get_stats(b->ch);
}

static int set_up(void **state)
{
	static const struct at_dialect dialect = {
		.rules = w800_rules, .eol = "\r\n", .urc_payload_max = 2920,
		.entry = AT_ENTRY_PLUSES, .guard_ms = 60, .rest_ms = 1100,
	};
	struct bench *b = calloc(1, sizeof(*b));

	b->ts = fake_timers_new(1, &b->world);
	assert_int_equal(at_channel_new(b->ts, &b->set, &channel_ops, b,
					&b->ch), 0);
	assert_int_equal(at_channel_set_dialect(b->ch, &dialect), 0);
	b->port = b->world.port;
	assert_int_equal(port_open(b->port, 115200), 0);
	at_channel_sync(b->ch, 3, 1000, 0);
	expect_line(b, "AT\r\n");
	say(b, "\r\nOK\r\n");
	wait_ms(b, 100);
	assert_true(at_channel_ready(b->ch));
	*state = b;

	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	at_channel_free(b->ch);
	timers_free(b->ts);
	free(b);

	return 0;
}

/* -------------------------------------------------------------------- busy */

/* The line is lost; it goes out again when the other command has ended. */
static void busy_is_repeated(void **state)
{
	static const char *const words[] = {
		"\r\nbusy p...\r\n", "\r\nbusy s...\r\n", "busy ...\r\n",
	};
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		start(b, "AT+CIPMUX=1");
		say(b, words[i]);
		expect_line(b, "");
		wait_ms(b, 50);
		say(b, "\r\nERROR\r\n");	/* of the other one */
		expect_line(b, "AT+CIPMUX=1\r\n");
		expect(b, "");
		say(b, "\r\nOK\r\n");
		expect(b, "done(ok,OK) ");
	}
	assert_int_equal(stats(b)->timeouts, 0);
	assert_int_equal(stats(b)->stray_finals, 0);
	assert_int_equal(stats(b)->resyncs, 0);
}

/* The other one has ended already, or never says so. */
static void busy_without_an_end(void **state)
{
	struct bench *b = *state;

	start(b, "AT+CIPMUX=1");
	say(b, "\r\nbusy p...\r\n");
	wait_ms(b, 299);
	expect_line(b, "");
	wait_ms(b, 2);
	expect_line(b, "AT+CIPMUX=1\r\n");
	say(b, "\r\nbusy p...\r\n");
	wait_ms(b, 301);
	expect_line(b, "AT+CIPMUX=1\r\n");
	say(b, "\r\nOK\r\n");
	expect(b, "done(ok,OK) ");
	assert_int_equal(stats(b)->timeouts, 0);
}

/* Q102: it was taken all the same. */
static void busy_and_then_the_answer(void **state)
{
	static const signed char accept[] = { R_CIPSTATE, -1 };
	struct bench *b = *state;
	struct at_command c = command(b, "AT+CIPSTATE?");

	c.accept = accept;
	assert_int_equal(at_channel_send(b->ch, &c), 0);
	expect_line(b, "AT+CIPSTATE?\r\n");
	say(b, "ERR CODE:0x010b0000\r\nbusy p...\r\n"
	    "+CIPSTATE:0,\"TCP\",\"192.0.2.1\",80,1025,0\r\n");
	wait_ms(b, 1000);		/* the rest is late */
	expect_line(b, "");
	say(b, "\r\nOK\r\n");
	expect(b, "line{+CIPSTATE:0,\"TCP\",\"192.0.2.1\",80,1025,0} "
	       "done(ok,OK,ERR CODE:0x010b0000) ");
}

static void busy_until_its_time_is_over(void **state)
{
	struct bench *b = *state;
	unsigned int i;

	start(b, "AT+CIPMUX=1");
	for (i = 0; i < 16; i++) {
		say(b, "busy p...\r\n");
		wait_ms(b, 301);
		expect_line(b, "AT+CIPMUX=1\r\n");
	}
	say(b, "busy p...\r\n");
	wait_ms(b, 400);
	expect(b, "done(ETIMEDOUT,) ");
}

/* One try only, and yet it does not count as silent. */
static void busy_while_syncing(void **state)
{
	struct bench *b = *state;

	at_channel_sync(b->ch, 1, 1000, 0);
	expect_line(b, "AT\r\n");
	say(b, "busy p...\r\n");
	wait_ms(b, 200);
	say(b, "\r\nSEND OK\r\n");
	expect_line(b, "AT\r\n");
	say(b, "busy p...\r\n");
	wait_ms(b, 1100);
	expect_line(b, "AT\r\n");
	say(b, "\r\nOK\r\n");
	wait_ms(b, 100);
	assert_true(at_channel_ready(b->ch));
	expect(b, "");
}

/* Q130: but one that is busy for ever is as good as silent. */
static void busy_for_ever(void **state)
{
	struct bench *b = *state;
	unsigned int i;

	at_channel_sync(b->ch, 3, 1000, 0);
	for (i = 0; i < 70 && !b->len; i++) {
		say(b, "busy p...\r\n");
		wait_ms(b, 1002);	/* until the next AT is out */
	}
	expect(b, "silent ");
	assert_in_range(i, 50, 65);
}

/* ----------------------------------------------------- OK for the prompt */

static void ok_is_the_prompt(void **state)
{
	struct bench *b = *state;

	start_send(b, "hello");
	say(b, "\r\nOK\r\n");
	expect_line(b, "");
	wait_ms(b, 60);			/* once: does a > follow? */
	expect_line(b, "hello");
	say(b, "\r\nSEND OK\r\n");
	expect(b, "done(ok,SEND OK) ");
	start_send(b, "again");
	say(b, "\r\nOK\r\n");
	expect_line(b, "again");
	say(b, "\r\nRecv 5 bytes\r\n\r\nOK\r\n\r\nSEND OK\r\n");
	expect(b, "urc{Recv 5 bytes} done(ok,SEND OK) ");
	assert_int_equal(stats(b)->stray_finals, 0);
}

/* Q96: with a blank, without; it is waited for by then, but not for ever. */
static void sign_behind_the_ok(void **state)
{
	struct bench *b = *state;

	start_send(b, "hello");
	say(b, "\r\nOK\r\n");
	wait_ms(b, 20);
	say(b, "\r\n>");
	expect_line(b, "hello");
	say(b, "\r\nRecv 5 bytes\r\n\r\nSEND OK\r\n");
	expect(b, "urc{Recv 5 bytes} done(ok,SEND OK) ");
	start_send(b, "again");
	say(b, "\r\nOK\r\n");
	wait_ms(b, 500);
	expect_line(b, "");
	say(b, "> ");
	expect_line(b, "again");
	say(b, "SEND OK\r\n");
	expect(b, "done(ok,SEND OK) ");
	start_send(b, "third");
	say(b, "\r\nOK\r\n");
	wait_ms(b, 1100);
	expect_line(b, "third");
	say(b, "SEND OK\r\n");
	expect(b, "done(ok,SEND OK) ");
}

static void sign_before_the_ok(void **state)
{
	struct bench *b = *state;

	start_send(b, "hello");
	say(b, "\r\n>");
	expect_line(b, "");
	say(b, "\r\nOK\r\n");
	wait_ms(b, 60);
	expect_line(b, "hello");
	say(b, "SEND OK\r\n");
	expect(b, "done(ok,SEND OK) ");
}

/* Q98; and ">" within what is pushed is none. */
static void news_in_the_middle_of_a_send(void **state)
{
	struct bench *b = *state;

	start_send(b, "hello");
	say(b, "+IPD,0,5:\r\n>ab1,CLOSED\r\n\r\nOK\r\n+IPD,2,4:\r\n> "
	    "2,CONNECT\r\n\r\n>+IPD,0,9\r\n");
	expect_line(b, "hello");
	say(b, "+IPD,0,9:\r\nSEND OKRecv 5 bytes\r\n3,CLOSED\r\nSEND OK\r\n"
	    "+IPD,0,3:bye0,CLOSED\r\n");
	expect(b, "urc{+IPD,0,5} pushed[\r\n>ab] urc{1,CLOSED} "
	       "urc{+IPD,2,4} pushed[\r\n> ] urc{2,CONNECT} urc{+IPD,0,9} "
	       "urc{+IPD,0,9} pushed[\r\nSEND OK] urc{Recv 5 bytes} "
	       "urc{3,CLOSED} done(ok,SEND OK) urc{+IPD,0,3} pushed[bye] "
	       "urc{0,CLOSED} ");
}

/* Q100: one of them is nobody's, and never the next send's. */
static void send_fail_and_then_ok(void **state)
{
	struct bench *b = *state;

	start_send(b, "hello");
	say(b, "\r\nOK\r\n\r\n>");
	expect_line(b, "hello");
	say(b, "\r\nSEND FAIL\r\n");
	expect(b, "done(EREMOTEIO,SEND FAIL) ");
	expect_line(b, "AT\r\n");
	say(b, "\r\nSEND OK\r\n");
	assert_false(at_channel_ready(b->ch));
	assert_int_equal(stats(b)->stray_finals, 1);
	say(b, "\r\nOK\r\n");
	assert_true(at_channel_ready(b->ch));
	start_send(b, "again");
	say(b, "\r\nOK\r\n\r\n>");
	expect_line(b, "again");
	say(b, "\r\nSEND OK\r\n");
	expect(b, "done(ok,SEND OK) ");
}

static void error_instead_of_ok(void **state)
{
	struct bench *b = *state;

	start_send(b, "hello");
	say(b, "link is not valid\r\n\r\nERROR\r\n");
	expect(b, "done(EREMOTEIO,ERROR,link is not valid) ");
	expect_line(b, "AT\r\n");
	say(b, "\r\nOK\r\n");
	assert_true(at_channel_ready(b->ch));
}

/* A modem that may wait for payload gets +++, and nothing else. */
static void bytes_lost_on_their_way(void **state)
{
	struct bench *b = *state;

	start_send(b, "hello");
	say(b, "\r\nOK\r\n\r\n>");
	expect_line(b, "hello");
	wait_ms(b, TIMEOUT_MS + 10);
	expect(b, "done(ETIMEDOUT,) ");
	expect_line(b, "");
	wait_ms(b, 100);	/* quiet */
	expect_line(b, "");
	wait_ms(b, 61);
	expect_line(b, "+++");
	wait_ms(b, 1000);
	expect_line(b, "");
	wait_ms(b, 110);
	expect_line(b, "AT\r\n");
	say(b, "\r\nOK\r\n");
	wait_ms(b, 100);
	assert_true(at_channel_ready(b->ch));
}

/* It did not wait for any: then +++ stands before our AT. */
static void pluses_in_command_mode(void **state)
{
	struct bench *b = *state;

	start_send(b, "hello");
	say(b, "\r\nOK\r\n\r\n>");
	wait_ms(b, TIMEOUT_MS + 10 + 100 + 61 + 1110);
	expect_line(b, "hello+++AT\r\n");
	say(b, "\r\nERROR\r\n");
	expect_line(b, "AT\r\n");	/* and no +++ once more */
	say(b, "\r\nOK\r\n");
	wait_ms(b, 100);
	assert_true(at_channel_ready(b->ch));
	expect(b, "done(ETIMEDOUT,) ");
}

/* OK behind "busy": payload only to a modem that shows that it waits. */
static void ok_in_doubt(void **state)
{
	struct bench *b = *state;

	start_send(b, "hello");
	say(b, "busy p...\r\n\r\nOK\r\n");
	expect_line(b, "");
	say(b, "\r\n>");
	expect_line(b, "hello");
	say(b, "\r\nSEND OK\r\n");
	expect(b, "done(ok,SEND OK) ");

	start_send(b, "again");
	say(b, "busy p...\r\n\r\nOK\r\n");
	wait_ms(b, 201);
	expect_line(b, "");
	expect(b, "done(EBUSY,) ");
	wait_ms(b, 100 + 61 + 1110);
	expect_line(b, "+++AT\r\n");
	say(b, "\r\nOK\r\n");
	wait_ms(b, 100);
	assert_true(at_channel_ready(b->ch));
	assert_int_equal(stats(b)->timeouts, 0);
}

/* ------------------------------------------------------------ what is read */

/* Q106, Q107: the address stands before the bytes, and is not counted. */
static void headers_of_a_read(void **state)
{
	static const struct {
		const char *text, *head;
		unsigned int variant;
	} cases[] = {
		{ "+CIPRECVDATA:5,", "+CIPRECVDATA:5", W800_BARE },
		{ "+CIPRECVDATA,5,", "+CIPRECVDATA,5", W800_BARE },
		{ "+CIPRECVDATA=0,5,", "+CIPRECVDATA=0,5", W800_BARE },
		{ "+CIPRECVDATA:5,\"192.0.2.1\",80,",
		  "+CIPRECVDATA:5,\"192.0.2.1\",80", W800_SOURCE },
		{ "+CIPRECVDATA:5,192.0.2.1,80,",
		  "+CIPRECVDATA:5,192.0.2.1,80", W800_SOURCE },
	};
	struct bench *b = *state;
	char text[128], want[128];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start_pull(b, 9, cases[i].variant);
		snprintf(text, sizeof(text), "+IPD,1,7\r\n%s\"\r\n,>\r\n"
			 "\r\nOK\r\n", cases[i].text);
		say(b, text);
		snprintf(want, sizeof(want), "urc{+IPD,1,7} line{%s} "
			 "data[\"\r\n,>] done(ok,OK) ", cases[i].head);
		expect(b, want);
	}
	start_pull(b, 9, W800_BARE);
	say(b, "to read 75 bytes\r\n\r\nERROR\r\n");
	expect(b, "urc{to read 75 bytes} done(EREMOTEIO,ERROR) ");
	start_pull(b, 9, W800_BARE);
	say(b, "+CIPRECVDATA:0,\r\n\r\nOK\r\n");
	expect(b, "line{+CIPRECVDATA:0} done(ok,OK) ");
}

/* Longer than what was asked for: nothing of it is believed. */
static void header_that_cannot_be(void **state)
{
	struct bench *b = *state;

	start_pull(b, 9, W800_BARE);
	say(b, "+CIPRECVDATA:10,0123456789\r\n\r\nOK\r\n");
	expect(b, "done(EBADMSG,) input-lost ");
}

static void pushed_headers(void **state)
{
	struct bench *b = *state;

	say(b, "+IPD,0,3:a:b\r\n+IPD,1,2,\"192.0.2.1\",80:cd"
	    "\r\n+IPD,1,2,192.0.2.1,80:ef\r\n+IPD,1,1,\"fe80::1\",80:g"
	    "\r\n+IPD,1,1,fe80::1,80:h\r\n+IPD,2,100\r\n");
	expect(b, "urc{+IPD,0,3} pushed[a:b] "
	       "urc{+IPD,1,2,\"192.0.2.1\",80} pushed[cd] "
	       "urc{+IPD,1,2,192.0.2.1,80} pushed[ef] "
	       "urc{+IPD,1,1,\"fe80::1\",80} pushed[g] "
	       "urc{+IPD,1,1,fe80::1,80} pushed[h] urc{+IPD,2,100} ");
}

/* Bytes of it were lost: it ends in the head of what follows. */
static void pushed_and_too_short(void **state)
{
	struct bench *b = *state;

	say(b, "+IPD,0,8:abcde+IPD,1,4\r\n");
	expect(b, "urc{+IPD,0,8} pushed[abcde+IP] input-lost ");
	assert_int_equal(stats(b)->lost_payloads, 1);
}

/* What comes long after it has nothing to do with it. */
static void strange_words_after_a_push(void **state)
{
	struct bench *b = *state;

	say(b, "+IPD,0,3:abc");
	wait_ms(b, 60);
	say(b, "\r\nsome words\r\n");
	expect(b, "urc{+IPD,0,3} pushed[abc] ");
	assert_int_equal(stats(b)->unknown_lines, 1);
}

/* -------------------------------------------------------------------- echo */

/* Q99; where there is no ATE0 it is there for ever. */
static void echo_cut_in_two(void **state)
{
	struct bench *b = *state;

	start_send(b, "hello");
	say(b, "AT+CIPSEND=0,1,CONNECT\r\n5\r\r\n\r\nOK\r\n\r\n>");
	expect_line(b, "hello");
	say(b, "\r\nSEND OK\r\n");
	expect(b, "urc{1,CONNECT} done(ok,SEND OK) ");
	start(b, "AT+CIPCLOSE=1");
	say(b, "AT+CIPCLOSE=1\r\r\n1,CLOSED\r\n\r\nOK\r\n");
	expect(b, "urc{1,CLOSED} done(ok,OK) ");
	assert_int_equal(stats(b)->unknown_lines, 0);
}

static void echo_behind_a_push(void **state)
{
	struct bench *b = *state;

	start(b, "AT+CIPSTATE?");
	say(b, "+IPD,0,3:abcAT+CIPSTATE?\r\r\n\r\nOK\r\n");
	expect(b, "urc{+IPD,0,3} pushed[abc] done(ok,OK) ");
}

/* Q119: another rate's noise stands on its line. */
static void ready_with_noise(void **state)
{
	struct bench *b = *state;

	say(b, "\x7f\xfe\x01~\xf8ready\r\n");
	expect(b, "urc{\x7f\xfe\x01~\xf8ready} ");
	say(b, "already\r\n");
	expect(b, "");
}

static void other_finals(void **state)
{
	static const char *const finals[] = {
		"FAIL", "CMD FORMAT ERR", "CMD PARSE ERR", "ERROR",
	};
	struct bench *b = *state;
	char text[64];
	size_t i;

	for (i = 0; i < sizeof(finals) / sizeof(finals[0]); i++) {
		start(b, "AT+X");
		snprintf(text, sizeof(text), "%s\r\n", finals[i]);
		say(b, text);
		snprintf(text, sizeof(text), "done(EREMOTEIO,%s) ",
			 finals[i]);
		expect(b, text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		T(busy_is_repeated), T(busy_without_an_end),
		T(busy_and_then_the_answer), T(busy_until_its_time_is_over),
		T(busy_while_syncing), T(busy_for_ever),
		T(ok_is_the_prompt), T(sign_behind_the_ok),
		T(sign_before_the_ok), T(news_in_the_middle_of_a_send),
		T(send_fail_and_then_ok), T(error_instead_of_ok),
		T(bytes_lost_on_their_way), T(pluses_in_command_mode),
		T(ok_in_doubt), T(headers_of_a_read),
		T(header_that_cannot_be), T(pushed_headers),
		T(pushed_and_too_short), T(strange_words_after_a_push),
		T(echo_cut_in_two), T(echo_behind_a_push),
		T(ready_with_noise), T(other_finals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
