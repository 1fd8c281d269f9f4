/* SPDX-License-Identifier: MIT */

/*
 * One command in flight, and what ends it; payload only after its prompt; and
 * how the line is found again. All on a virtual clock, with a modem that is a
 * few lines of this file.
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
#include "base/log.h"
#include "driver/simcom_private.h"
#include "fake_port.h"
#include "fake_timer.h"
#include "fake_world.h"

#define TIMEOUT_MS	5000
#define ENTRY_MAX	40	/* payload of the bad schedules */

struct bench {
	struct fake_world world;
	struct timers *ts;
	struct config_modem set;
	struct at_channel *ch;
	struct port *port;
	char log[8192];
	size_t len;
	const struct at_command *next;	/* sent from idle() */
	int next_err;
	bool log_idle;
};

static const signed char accept_pulled[] = { R_PULLED, -1 };

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

static void expect_written(struct bench *b, const void *want, size_t len)
{
	struct evbuffer *out = fake_port_written(b->port);
	size_t have = evbuffer_get_length(out);
	uint8_t *got = evbuffer_pullup(out, -1);

	if (have != len || (len > 0 && memcmp(got, want, len) != 0))
		fail_msg("written %zu bytes <%.*s>, wanted %zu <%.*s>", have,
			 (int)have, got, len, (int)len, (const char *)want);
	evbuffer_drain(out, have);
}

static void expect_line(struct bench *b, const char *want)
{
	expect_written(b, want, strlen(want));
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
	struct bench *b = ctx;
	const struct at_command *next = b->next;

	assert_true(at_channel_ready(b->ch));
	if (b->log_idle)
		note(b, "idle ");
	if (next) {
		b->next = NULL;
		b->next_err = at_channel_send(b->ch, next);
	}
}

static void on_silent(void *ctx)
{
	struct bench *b = ctx;

	assert_false(at_channel_ready(b->ch));
	note(b, "silent ");
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

static const char *err_name(int err)
{
	switch (err) {
	case 0:			return "ok";
	case -EREMOTEIO:	return "refused";
	case -ETIMEDOUT:	return "timeout";
	case -EBADMSG:		return "bad";
	case -ECONNRESET:	return "reset";
	case -ENODEV:		return "gone";
	}

	return "?";
}

static void cmd_done(void *ctx, int err, const struct at_answer *a)
{
	struct bench *b = ctx;
	struct at_command again = { .text = "AT+AGAIN", .done = cmd_done };

	/* A driver must wait for idle(): not even its own end is early. */
	assert_false(at_channel_ready(b->ch));
	assert_int_not_equal(at_channel_send(b->ch, &again), 0);
	note(b, "done(%s,%s,%s) ", err_name(err), a->final, a->detail);
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

	assert_int_equal(at_channel_send(b->ch, &c), 0);
}

static void start_pull(struct bench *b, size_t max)
{
	struct at_command c = command(b, "AT+CIPRXGET=2,0,20");

	c.accept = accept_pulled;
	c.answer_max = max;
	assert_int_equal(at_channel_send(b->ch, &c), 0);
	expect_line(b, "AT+CIPRXGET=2,0,20\r");
}

static void start_send(struct bench *b, const void *data, size_t len)
{
	struct at_command c = command(b, "AT+CIPSEND=0,n");

	c.payload = data;
	c.payload_len = len;
	assert_int_equal(at_channel_send(b->ch, &c), 0);
	expect_line(b, "AT+CIPSEND=0,n\r");
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

/* The first dialect; @pushed: bytes that unasked payload may count. */
static int speak(struct at_channel *ch, size_t pushed)
{
	struct at_dialect dialect = {
		.rules = simcom_rules, .eol = "\r", .urc_payload_max = pushed,
		.entry = AT_ENTRY_ESC, .guard_ms = 1100, .rest_ms = 1100,
	};

	return at_channel_set_dialect(ch, &dialect);
}

static void begin(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	b->ts = fake_timers_new(1, &b->world);
	assert_int_equal(at_channel_new(b->ts, &b->set, &channel_ops, b,
					&b->ch), 0);
	assert_int_equal(speak(b->ch, 0), 0);
	b->port = b->world.port;
}

static void bring_up(struct bench *b)
{
	assert_int_equal(port_open(b->port, 115200), 0);
	at_channel_sync(b->ch, 3, 1000, 0);
	expect_line(b, "AT\r");
	say(b, "AT\r\r\nOK\r\n");
	wait_ms(b, 100);
	assert_true(at_channel_ready(b->ch));
	expect(b, "");
}

static int set_up(void **state)
{
	static struct bench b;

	begin(&b);
	bring_up(&b);
	*state = &b;

	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	at_channel_free(b->ch);
	assert_int_equal(fake_timers_pending(b->ts), 0);
	timers_free(b->ts);

	return 0;
}

/* ------------------------------------------------------------- one command */

static void one_at_a_time(void **state)
{
	struct bench *b = *state;
	struct at_command c = command(b, "AT+TWO");

	start(b, "AT+ONE");
	expect_line(b, "AT+ONE\r");
	assert_false(at_channel_ready(b->ch));
	assert_int_equal(at_channel_send(b->ch, &c), -EBUSY);
	say(b, "\r\n");
	assert_int_equal(at_channel_send(b->ch, &c), -EBUSY);
	say(b, "OK");		/* not a line yet (Q6) */
	assert_int_equal(at_channel_send(b->ch, &c), -EBUSY);
	expect(b, "");
	b->log_idle = true;
	b->next = &c;
	say(b, "\r\n");
	expect(b, "done(ok,OK,) idle ");
	assert_int_equal(b->next_err, 0);
	expect_line(b, "AT+TWO\r");
	say(b, "\r\n+IP ERROR: No data\r\n\r\nERROR\r\n");
	expect(b, "done(refused,ERROR,+IP ERROR: No data) idle ");
	assert_int_equal(fake_timers_pending(b->ts), 0);
	assert_int_equal(stats(b)->commands, 2);
}

/* Q55: what stands in the same read is not the next one's answer. */
static void stray_final(void **state)
{
	struct bench *b = *state;
	struct at_command c = command(b, "AT+TWO");

	start(b, "AT+ONE");
	b->next = &c;
	say(b, "\r\n+CIPERROR: 4\r\n\r\nERROR\r\nERROR\r\n\r\nOK\r\n");
	expect(b, "done(refused,ERROR,+CIPERROR: 4) ");
	assert_int_equal(stats(b)->stray_finals, 2);
	expect_line(b, "AT+ONE\rAT+TWO\r");
	say(b, "\r\nOK\r\n");
	expect(b, "done(ok,OK,) ");
	say(b, "\r\nOK\r\n");
	assert_int_equal(stats(b)->stray_finals, 3);
	assert_true(at_channel_ready(b->ch));
}

/* Half of it was there when the next command went out. */
static void stray_final_in_two_reads(void **state)
{
	struct bench *b = *state;

	start(b, "AT+ONE");
	say(b, "\r\n+CIPERROR: 4\r\n\r\nERROR\r\nERR");
	start(b, "AT+TWO");
	expect_line(b, "AT+ONE\rAT+TWO\r");
	say(b, "OR\r\n");
	say(b, "\r\nOK\r\n");
	expect(b, "done(refused,ERROR,+CIPERROR: 4) done(ok,OK,) ");
	assert_int_equal(stats(b)->stray_finals, 1);
	/* its LF never came: our answer's CR LF ends it */
	say(b, "\r\nERROR\r");
	start_send(b, "hello", 5);
	say(b, "\r\n>");
	expect_written(b, "hello", 5);
	say(b, "\r\nERROR\r\n");
	expect(b, "done(refused,ERROR,) ");
	assert_int_equal(stats(b)->stray_finals, 2);
}

static void final_before_our_bytes_left(void **state)
{
	struct bench *b = *state;

	fake_port_hold(b->port, true);
	start(b, "AT+ONE");
	say(b, "\r\nERROR\r\n");
	expect(b, "");
	assert_int_equal(stats(b)->stray_finals, 1);
	fake_port_hold(b->port, false);
	expect_line(b, "AT+ONE\r");
	say(b, "\r\nOK\r\n");
	expect(b, "done(ok,OK,) ");
}

/* S1: no byte may end the line early, whoever put it there. */
static void control_bytes_refused(void **state)
{
	static const char bad[] = "\x01\x03\x08\t\n\v\f\r\x1a\x1b\x1f\x7f";
	struct bench *b = *state;
	struct at_command c = command(b, NULL);
	char text[16];
	size_t i;

	for (i = 0; i < sizeof(bad) - 1; i++) {
		snprintf(text, sizeof(text), "AT+X=%c1", bad[i]);
		c.text = text;
		assert_int_equal(at_channel_send(b->ch, &c), -EINVAL);
	}
	expect_line(b, "");
	expect(b, "");
	assert_int_equal(stats(b)->commands, 0);
	assert_true(at_channel_ready(b->ch));
}

static void sizes(void **state)
{
	static uint8_t payload[AT_PAYLOAD_OUT_MAX + 1];
	char text[520] = "";
	struct bench *b = *state;
	struct at_command c = command(b, text);

	memset(text, 'x', sizeof(text));
	text[513] = '\0';
	assert_int_equal(at_channel_send(b->ch, &c), -EMSGSIZE);
	text[512] = '\0';
	c.payload = payload;
	c.payload_len = sizeof(payload);
	assert_int_equal(at_channel_send(b->ch, &c), -EMSGSIZE);
	c.payload_len--;
	assert_int_equal(at_channel_send(b->ch, &c), 0);
	text[512] = '\r';
	expect_written(b, text, 513);
	say(b, ">");
	expect_written(b, payload, AT_PAYLOAD_OUT_MAX);
	say(b, "OK\r\n");
	expect(b, "done(ok,OK,) ");
}

static void no_port(void **state)
{
	struct bench *b = *state;
	struct at_command c = command(b, "AT+ONE");

	fake_port_lose(b->port, -EIO);
	expect(b, "lost(-5) ");
	assert_int_equal(at_channel_send(b->ch, &c), -ENODEV);
	at_channel_sync(b->ch, 3, 1000, 0);
	wait_ms(b, 60000);
	expect(b, "");
}

/* ------------------------------------------------------- lines in between */

static void urcs_anywhere(void **state)
{
	struct bench *b = *state;

	start_pull(b, 20);
	say(b, "\r\n+CGEV: X\r\nAT+CIPRXGET=2,0,20\r\r\n\r\nPB DONE\r\n"
	    "\r\n+CIPRXGET: 1,0\r\n+CIPRXGET: 2,0,4,0\r\nO\r\nK"
	    "\r\n+IPCLOSE: 7,1\r\n\r\nOK\r\n\r\n+CIPOPEN: 3,0\r\n");
	expect(b, "urc{+CGEV: X} urc{PB DONE} urc{+CIPRXGET: 1,0} "
	       "line{+CIPRXGET: 2,0,4,0} data[O\r\nK] urc{+IPCLOSE: 7,1} "
	       "done(ok,OK,) urc{+CIPOPEN: 3,0} ");
	assert_int_equal(stats(b)->unknown_lines, 0);
}

static void urcs_around_the_prompt(void **state)
{
	struct bench *b = *state;

	start_send(b, "hello", 5);
	say(b, "\r\n+CIPRXGET: 1,4\r\n\r\n>");
	expect_line(b, "hello");
	say(b, "hello\r\n+IPCLOSE: 4,1\r\n\r\nOK\r\n\r\n+CIPSEND: 0,5,5\r\n");
	expect(b, "urc{+CIPRXGET: 1,4} urc{+IPCLOSE: 4,1} done(ok,OK,) "
	       "urc{+CIPSEND: 0,5,5} ");
}

static void unknown_lines_consumed(void **state)
{
	struct bench *b = *state;

	start(b, "AT+ONE");
	say(b, "\r\nwhat?\r\n$GNRMC,1\r\n+CIPRXGET: 4,0,7\r\nOK\r\n");
	expect(b, "done(ok,OK,) ");
	assert_int_equal(stats(b)->unknown_lines, 3);
}

static void wanted_text(void **state)
{
	struct bench *b = *state;
	struct at_command c = command(b, "AT+CGMM");

	c.want_text = true;
	assert_int_equal(at_channel_send(b->ch, &c), 0);
	say(b, "AT+CGMM\r\r\nA7670E-FASE\r\n+CGEV: X\r\nOK\r\n");
	expect(b, "line{A7670E-FASE} urc{+CGEV: X} done(ok,OK,) ");
}

/* ----------------------------------------------------- prompt and payload */

/* S3: any byte, and exactly as many as were announced. */
static void payload_after_prompt(void **state)
{
	struct bench *b = *state;
	uint8_t all[256];
	int i;

	for (i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	start_send(b, all, sizeof(all));
	wait_ms(b, 1000);
	expect_written(b, "", 0);
	say(b, "\r\n> ");
	expect_written(b, all, sizeof(all));
	say(b, "\r\nOK\r\n");
	expect(b, "done(ok,OK,) ");
}

/* S4: the highest-value one. */
static void error_instead_of_prompt(void **state)
{
	static const char *const answers[] = {
		"\r\n+CIPERROR: 4\r\n\r\nERROR\r\n",
		"\r\nERROR\r\nERROR\r\n",
		"\r\nERROR\r\n>",
		"\r\nERROR\r\n\r\n> \r\n",
		"\r\nOK\r\n",			/* without a prompt */
		"\r\nOK\r\n>",
		"\r\n+CME ERROR: 3\r\n>",
	};
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		start_send(b, "AT+CFUN=0\r", 10);
		say(b, answers[i]);
		assert_non_null(strstr(b->log, "done(refused,"));
		assert_null(strstr(b->log + 5, "done("));
		b->log[0] = '\0';
		b->len = 0;
		expect_line(b, "AT\r");	/* makes sure, before all else */
		say(b, ">\r\n");
		assert_false(at_channel_ready(b->ch));
		say(b, "\r\nOK\r\n");
		assert_true(at_channel_ready(b->ch));
		say(b, ">");
		wait_ms(b, 10000);
		expect_line(b, "");
		say(b, "\r\n");
	}
	assert_int_equal(stats(b)->timeouts, 0);
}

/* A reason makes it an answer; what then wants bytes is a fault after all. */
static void refused_with_a_reason(void **state)
{
	struct bench *b = *state;

	start_send(b, "0123456789", 10);
	say(b, "\r\n+CIPERROR: 8\r\n\r\nERROR\r\n");
	expect_line(b, "AT\r");
	say(b, "\r\nOK\r\n");
	assert_true(at_channel_ready(b->ch));
	assert_int_equal(stats(b)->resyncs, 0);
	start_send(b, "0123456789", 10);
	say(b, "\r\n+CIPERROR: 8\r\n\r\nERROR\r\n\r\n>");
	expect_line(b, "AT\r");
	wait_ms(b, 1010);
	expect_line(b, "\x1b" "AT\r");
	assert_int_equal(stats(b)->resyncs, 1);
	wait_ms(b, 1010);
	expect_line(b, "\r\r\r\r\r\r\r\r\r\rAT\r");
	say(b, "\r\nOK\r\n");
	assert_true(at_channel_ready(b->ch));
	assert_int_equal(stats(b)->resyncs, 1);
	/* without one it may be another's */
	start_send(b, "0123456789", 10);
	say(b, "\r\nERROR\r\n\r\nOK\r\n");
	assert_int_equal(stats(b)->resyncs, 2);
}

/* The ERROR was another's: the modem prompts after it, and waits. */
static void error_of_another_before_the_prompt(void **state)
{
	struct bench *b = *state;

	start_send(b, "0123456789", 10);
	say(b, "\r\nERROR\r\n");
	say(b, "\r\n>");		/* takes all that follows for payload */
	expect(b, "done(refused,ERROR,) ");
	expect_line(b, "AT\r");
	wait_ms(b, 1010);
	expect_line(b, "\x1b" "AT\r");
	wait_ms(b, 1010);
	expect_line(b, "\r\r\r\r\r\r\r\r\r\rAT\r");
	say(b, "\r\nOK\r\n");
	assert_true(at_channel_ready(b->ch));
}

static void prompt_of_nobody(void **state)
{
	struct bench *b = *state;

	start(b, "AT+ONE");
	say(b, ">");
	expect_line(b, "AT+ONE\r");
	say(b, "\r\nOK\r\n");
	expect(b, "done(ok,OK,) ");
	/* not kept for the next one */
	say(b, ">\r\n");
	start_send(b, "hello", 5);
	wait_ms(b, 1000);
	expect_line(b, "");
	say(b, "\r\n>");
	expect_line(b, "hello");
	say(b, ">");			/* once */
	expect_line(b, "");
}

static void late_prompt(void **state)
{
	struct bench *b = *state;

	start_send(b, "AT+CFUN=0\r", 10);
	wait_ms(b, TIMEOUT_MS + 10);
	expect(b, "done(timeout,,) ");
	say(b, "\r\n>");
	wait_ms(b, 150);
	expect_line(b, "\x1b" "AT\r");
	say(b, "\r\nERROR\r\n");	/* the send was cancelled */
	expect_line(b, "\r\r\r\r\r\r\r\r\r\rAT\r");
	say(b, "\r\nOK\r\n");		/* of the first AT */
	wait_ms(b, 20);
	say(b, "\r\nOK\r\n");
	expect_line(b, "AT\r");
	say(b, "\r\nOK\r\n");
	wait_ms(b, 150);
	assert_true(at_channel_ready(b->ch));
	expect_line(b, "");
	expect(b, "");
}

/* The prompt was lost: what the modem still wants is fed, at last. */
static void lost_prompt(void **state)
{
	struct bench *b = *state;
	char want[64];

	start_send(b, "0123456789", 10);
	wait_ms(b, TIMEOUT_MS + 150);
	expect(b, "done(timeout,,) ");
	expect_line(b, "\x1b" "AT\r");
	wait_ms(b, 1010);
	snprintf(want, sizeof(want), "%.*sAT\r", 10, "\r\r\r\r\r\r\r\r\r\r");
	expect_line(b, want);
	say(b, "\r\nOK\r\n\r\n+CIPSEND: 0,10,10\r\n");
	wait_ms(b, 100);
	expect(b, "urc{+CIPSEND: 0,10,10} ");
	assert_true(at_channel_ready(b->ch));
	/* and the next trouble has nothing to feed */
	start(b, "AT+ONE");
	expect_line(b, "AT+ONE\r");
	wait_ms(b, TIMEOUT_MS + 150);
	expect_line(b, "AT\r");
}

/* Where a byte ends the payload, ESC gives it up; when that one was taken for
 * a quoted one, the next does. */
static void lost_prompt_of_coded_payload(void **state)
{
	struct at_command c = command(*state, "AT+CIPSEND=0,");
	struct bench *b = *state;

	c.payload = (const uint8_t *)"hello\x1a";
	c.payload_len = 6;
	c.coded = true;
	assert_int_equal(at_channel_send(b->ch, &c), 0);
	expect_line(b, "AT+CIPSEND=0,\r");
	wait_ms(b, TIMEOUT_MS + 150);
	expect(b, "done(timeout,,) ");
	expect_line(b, "\x1b" "AT\r");
	wait_ms(b, 1010);
	expect_line(b, "\x1b" "AT\r");
	say(b, "\r\nERROR\r\n\r\nOK\r\n");
	wait_ms(b, 1200);
	expect_line(b, "AT\r");
	say(b, "\r\nOK\r\n");
	wait_ms(b, 100);
	assert_true(at_channel_ready(b->ch));
}

/* ------------------------------------------------------------------- pushed */

/* As in push mode: payload of up to 64 bytes comes unasked. */
static void may_push(struct bench *b)
{
	assert_int_equal(speak(b->ch, 64), 0);
	at_channel_set_echo_off(b->ch, true);
	start(b, "AT");
	say(b, "\r\nOK\r\n");
	expect(b, "done(ok,OK,) ");
	expect_line(b, "AT\r");
}

#define FROM	"\r\nRECV FROM:1.2.3.4:5\r\n"
#define URCS	"urc{RECV FROM:1.2.3.4:5} urc{+RECEIVE,0,5} "

static void pushed_at_any_time(void **state)
{
	struct bench *b = *state;

	may_push(b);
	say(b, FROM "+RECEIVE,0,5\r\n\r\nOK\r" FROM "+RECEIVE,0,5\r\nabcde");
	expect(b, URCS "pushed[\r\nOK\r] " URCS "pushed[abcde] ");
	start_send(b, "hello", 5);
	say(b, FROM "+RECEIVE,0,5\r\nabcde\r\n>");
	expect(b, URCS "pushed[abcde] ");
	expect_line(b, "hello");
	say(b, FROM "\r\n+CGEV: X\r\n+RECEIVE,0,5\r\nabcde\r\nOK\r\n");
	expect(b, "urc{RECV FROM:1.2.3.4:5} urc{+CGEV: X} "
	       "urc{+RECEIVE,0,5} pushed[abcde] done(ok,OK,) ");
	assert_true(at_channel_ready(b->ch));
	assert_int_equal(stats(b)->resyncs, 0);
}

/* What then comes may be payload: nothing of it is heard. */
static void announced_and_no_header(void **state)
{
	static const char *const lines[] = {
		FROM "+RECxIVE,0,12\r\n\r\nRDY\r\nOK\r\n",
		FROM FROM "+RECEIVE,0,5\r\nabcde",
		FROM "\r\nOK\r\n+IPCLOSE: 0,1\r\n",
		FROM "+RECEIVE,0,65\r\n\r\nRDY\r\n",
	};
	struct bench *b = *state;
	size_t i;

	may_push(b);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		start(b, "AT+ONE");
		say(b, lines[i]);
		expect(b, "urc{RECV FROM:1.2.3.4:5} done(bad,,) input-lost ");
		expect_line(b, "AT+ONE\r");
		wait_ms(b, 110);
		expect_line(b, "AT\r");
		say(b, "\r\nOK\r\n");
		wait_ms(b, 100);
		assert_true(at_channel_ready(b->ch));
	}
}

/* A byte was lost: the block ends in what comes after it. */
static void pushed_and_too_short(void **state)
{
	struct bench *b = *state;

	may_push(b);
	say(b, FROM "+RECEIVE,0,5\r\nabcd" FROM "+RECEIVE,0,5\r\nabcde");
	expect(b, URCS "pushed[abcd\r] input-lost ");
	wait_ms(b, 110);
	expect_line(b, "AT\r");
	say(b, "\r\nOK\r\n");
	wait_ms(b, 100);
	assert_true(at_channel_ready(b->ch));
	/* and where nothing comes, the next command finds out */
	say(b, FROM "+RECEIVE,0,50\r\nabcd");
	start(b, "AT+ONE");
	say(b, "\r\nOK\r\n");
	wait_ms(b, TIMEOUT_MS + 10);
	expect(b, "urc{RECV FROM:1.2.3.4:5} urc{+RECEIVE,0,50} "
	       "pushed[abcd pushed[\r\nOK\r\n done(timeout,,) ");
	wait_ms(b, 100);
	expect(b, "input-lost ");
}

/* An echo may follow a block at once: that is no sign of anything. */
static void pushed_before_an_echo(void **state)
{
	struct bench *b = *state;

	speak(b->ch, 64);
	start(b, "AT+ONE");
	say(b, "\r\n" FROM "+RECEIVE,0,5\r\nabcdeAT+ONE\r\r\nOK\r\n");
	expect(b, URCS "pushed[abcde] done(ok,OK,) ");
}

/* --------------------------------------------------------- finding the line */

/* A daemon that died may have left it so: nothing is known then. */
static void lost_prompt_of_another(void **state)
{
	struct bench *b = *state;

	at_channel_sync(b->ch, 3, 400, 5);
	expect_line(b, "AT\r");
	wait_ms(b, 410);
	expect_line(b, "\x1b" "AT\r");
	wait_ms(b, 410);
	expect_line(b, "\r\r\r\r\rAT\r");
	say(b, "\r\nOK\r\n");
	wait_ms(b, 100);
	assert_true(at_channel_ready(b->ch));
}

static void timeout_and_resync(void **state)
{
	struct bench *b = *state;

	start(b, "AT+ONE");
	expect_line(b, "AT+ONE\r");
	wait_ms(b, TIMEOUT_MS - 1);
	expect(b, "");
	wait_ms(b, 3);
	expect(b, "done(timeout,,) ");
	/* quiet first: the late answer is nobody's */
	wait_ms(b, 60);
	say(b, "\r\n+ONE: 1\r\n");
	wait_ms(b, 60);
	say(b, "\r\nOK\r\n");
	expect_line(b, "");
	wait_ms(b, 90);
	expect_line(b, "");
	wait_ms(b, 20);
	expect_line(b, "AT\r");
	say(b, "\r\nOK\r\n");
	wait_ms(b, 70);
	assert_false(at_channel_ready(b->ch));	/* listens for a second OK */
	b->log_idle = true;
	wait_ms(b, 20);
	expect(b, "idle ");
	assert_int_equal(stats(b)->timeouts, 1);
	assert_int_equal(stats(b)->resyncs, 1);
	assert_int_equal(fake_timers_pending(b->ts), 0);
}

static void one_ok_too_many(void **state)
{
	struct bench *b = *state;

	start(b, "AT+ONE");
	wait_ms(b, TIMEOUT_MS + 110);
	expect_line(b, "AT+ONE\rAT\r");
	say(b, "\r\nOK\r\n");			/* of AT+ONE */
	wait_ms(b, 50);
	say(b, "\r\nOK\r\n");			/* of AT */
	expect_line(b, "AT\r");
	wait_ms(b, 200);
	assert_false(at_channel_ready(b->ch));
	say(b, "\r\nERROR\r\n");
	expect_line(b, "AT\r");
	say(b, "\r\nOK\r\n");
	wait_ms(b, 100);
	assert_true(at_channel_ready(b->ch));
}

static void never_falls_silent(void **state)
{
	struct bench *b = *state;
	int i;

	start(b, "AT+ONE");
	wait_ms(b, TIMEOUT_MS + 2);
	expect_line(b, "AT+ONE\r");
	for (i = 0; i < 50; i++) {
		say(b, "+CGEV: ME PDN DEACT 1\r\n");	/* Q26 */
		wait_ms(b, 50);
	}
	expect_line(b, "AT\r");
	say(b, "\r\nOK\r\n+CGEV: ME PDN DEACT 1\r\n");
	wait_ms(b, 100);
	assert_true(at_channel_ready(b->ch));
}

static void silence(void **state)
{
	struct bench *b = *state;
	struct at_command c = command(b, "AT+TWO");

	start(b, "AT+ONE");
	wait_ms(b, TIMEOUT_MS + 110 + 2 * 1003);
	expect(b, "done(timeout,,) ");
	expect_line(b, "AT+ONE\rAT\rAT\rAT\r");
	wait_ms(b, 1003);
	expect(b, "silent ");
	assert_int_equal(fake_timers_pending(b->ts), 0);
	assert_int_equal(at_channel_send(b->ch, &c), -ENODEV);
	/* at rest only what comes by itself is heard: a banner, say */
	say(b, "\r\nOK\r\nAT+ONE\r\r\nRDY\r\n");
	expect(b, "urc{RDY} ");
	assert_false(at_channel_ready(b->ch));
	at_channel_sync(b->ch, 2, 400, 0);
	expect_line(b, "AT\r");
	wait_ms(b, 410);
	expect_line(b, "AT\r");
	say(b, "\r\nOK\r\n");
	wait_ms(b, 100);
	assert_true(at_channel_ready(b->ch));
}

static void patience_is_set(void **state)
{
	struct bench *b = *state;

	at_channel_set_max_silence(b->ch, 5);
	start(b, "AT+ONE");
	wait_ms(b, TIMEOUT_MS + 110 + 5 * 1005);
	expect_line(b, "AT+ONE\rAT\rAT\rAT\rAT\rAT\r");
	expect(b, "done(timeout,,) silent ");
}

/* The time that bytes need on the line is added. */
static void slow_line(void **state)
{
	struct bench *b = *state;

	assert_int_equal(port_set_baud(b->port, 9600), 0);
	start_pull(b, 1500);
	wait_ms(b, TIMEOUT_MS + 1500);
	expect(b, "");
	wait_ms(b, 150);
	expect(b, "done(timeout,,) ");
}

static void header_that_cannot_be(void **state)
{
	static const char *const headers[] = {
		"+CIPRXGET: 2,0,21,0\r\n",
		"+CIPRXGET: 2,0,-1,0\r\n",
		"+CIPRXGET: 2,0,4294967300,0\r\n",
	};
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		start_pull(b, 20);
		say(b, headers[i]);
		expect(b, "done(bad,,) input-lost ");
		say(b, "\r\nOK\r\n\r\nERROR\r\nabc");
		expect(b, "");
		wait_ms(b, 90);
		expect_line(b, "");
		wait_ms(b, 20);
		expect_line(b, "AT\r");
		say(b, "\r\nOK\r\n");
		wait_ms(b, 100);
		assert_true(at_channel_ready(b->ch));
	}
	assert_int_equal(stats(b)->resyncs, 3);
}

/* Nobody asked for payload: it is a fault also while nothing runs. */
static void header_of_nobody(void **state)
{
	struct bench *b = *state;

	say(b, "+CIPRXGET: 2,0,5,0\r\nhello\r\nOK\r\n");
	assert_false(at_channel_ready(b->ch));
	wait_ms(b, 110);
	expect_line(b, "AT\r");
	say(b, "\r\nOK\r\n");
	wait_ms(b, 100);
	assert_true(at_channel_ready(b->ch));
	expect(b, "input-lost ");
	/* and ends a command that has not asked for it */
	start(b, "AT+ONE");
	say(b, "+CIPRXGET: 2,0,5,0\r\n");
	expect(b, "done(bad,,) input-lost ");
}

static void payload_cut_short(void **state)
{
	struct bench *b = *state;

	start_pull(b, 20);
	say(b, "+CIPRXGET: 2,0,20,0\r\nhello\r\n\r\nOK\r\n");
	expect(b, "line{+CIPRXGET: 2,0,20,0} data[hello\r\n\r\nOK\r\n ");
	wait_ms(b, TIMEOUT_MS + 110);
	expect(b, "done(timeout,,) ");
	assert_int_equal(stats(b)->lost_payloads, 1);
	expect_line(b, "AT\r");
	say(b, "\r\nOK\r\n");
	wait_ms(b, 100);
	assert_true(at_channel_ready(b->ch));
}

/* Its bytes are lines then: none of them may end it well, or be a prompt. */
static void header_not_to_be_read(void **state)
{
	static const char *const answers[] = {
		"\r\n+CIPRXGT: 2,0,20,0\r\n\r\nOK\r\nabc",
		"\r\n+CIPRXGET: 2,0,20,\r\nERROR\r\n> ",
	};
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		start_pull(b, 20);
		say(b, answers[i]);
		expect(b, "done(bad,,) input-lost ");
		say(b, "\r\n> 1234\r\nOK\r\n");
		wait_ms(b, 110);
		expect_line(b, "AT\r");
		say(b, "\r\nOK\r\n");
		wait_ms(b, 100);
		assert_true(at_channel_ready(b->ch));
	}
	/* as long as it is known why there is no header, all is well */
	start_pull(b, 20);
	say(b, "$GNRMC,1\r\n+IP ERROR: No data\r\n\r\nERROR\r\n");
	expect(b, "done(refused,ERROR,+IP ERROR: No data) ");
	start_pull(b, 20);
	say(b, "\r\nOK\r\n");
	expect(b, "done(ok,OK,) ");
	start_pull(b, 20);
	say(b, "$GNRMC,1\r\n+CIPRXGET: 2,0,1,0\r\na\r\n$GNRMC,1\r\nOK\r\n");
	expect(b, "line{+CIPRXGET: 2,0,1,0} data[a] done(ok,OK,) ");
}

/* A byte of the payload was lost or came twice: its count ends elsewhere. */
static void payload_that_does_not_fit(void **state)
{
	static const char *const answers[] = {
		"\r\n+CIPRXGET: 2,0,5,0\r\nhell\r\nOK\r\n",
		"\r\n+CIPRXGET: 2,0,5,0\r\nhel\r\nOK\r\n",
		"\r\n+CIPRXGET: 2,0,5,0\r\nheello\r\nOK\r\n",
		"\r\n+CIPRXGET: 2,0,4,0\r\nhell+IPCLOSE: 0,1\r\nOK\r\n",
	};
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		start_pull(b, 20);
		say(b, answers[i]);
		assert_non_null(strstr(b->log, "done(bad,,) "));
		assert_null(strstr(b->log, "urc"));
		b->log[0] = '\0';
		b->len = 0;
		wait_ms(b, 110);
		expect_line(b, "AT\r");
		say(b, "\r\nOK\r\n");
		wait_ms(b, 100);
		assert_true(at_channel_ready(b->ch));
	}
}

static void answer_of_the_command_before(void **state)
{
	struct bench *b = *state;

	start_pull(b, 20);
	wait_ms(b, TIMEOUT_MS + 110);
	expect(b, "done(timeout,,) ");
	expect_line(b, "AT\r");
	say(b, "+CIPRXGET: 2,0,5,0\r\nhello\r\nOK\r\n\r\nOK\r\n");
	wait_ms(b, 1010);
	say(b, "\r\nOK\r\n");
	wait_ms(b, 1010);
	assert_true(at_channel_ready(b->ch));
	expect(b, "input-lost ");	/* no data for anybody */
}

static void sync_and_reset_end_a_command(void **state)
{
	struct bench *b = *state;

	start(b, "AT+ONE");
	at_channel_sync(b->ch, 3, 1000, 0);
	expect(b, "done(reset,,) ");
	expect_line(b, "AT+ONE\rAT\r");
	say(b, "\r\nOK\r\n");
	wait_ms(b, 100);
	start(b, "AT+TWO");
	at_channel_reset(b->ch);
	expect(b, "done(reset,,) ");
	say(b, "\r\nOK\r\n");
	wait_ms(b, 100000);
	expect(b, "");
	assert_false(at_channel_ready(b->ch));
}

/* --------------------------------------------------------------------- raw */

static void start_raw(struct bench *b, const char *text)
{
	struct at_command c = command(b, text);

	c.want_text = true;
	c.raw = true;
	assert_int_equal(at_channel_send(b->ch, &c), 0);
}

/* What is its answer is in it; URCs of others, and with its own name, are
 * heard by their owner. */
static void raw_answer(void **state)
{
	struct bench *b = *state;

	start_raw(b, "AT+X;+CIPRXGET?");
	say(b, "\r\nany text\r\n+CIPRXGET: 1,3\r\n+CIPEVENT: NETWORK CLOSED\r\n"
	    "\r\nOK\r\n");
	expect(b, "line{any text} line{+CIPRXGET: 1,3} urc{+CIPRXGET: 1,3} "
	       "urc{+CIPEVENT: NETWORK CLOSED} done(ok,OK,) ");
	/* the name of a longer one, and part of one, are not its own */
	start_raw(b, "AT+CIPRXGETX?");
	say(b, "\r\n+CIPRXGET: 1,3\r\n\r\nOK\r\n");
	expect(b, "urc{+CIPRXGET: 1,3} done(ok,OK,) ");
	start_raw(b, "AT+RXGET");
	say(b, "\r\n+CIPRXGET: 1,3\r\n\r\nOK\r\n");
	expect(b, "urc{+CIPRXGET: 1,3} done(ok,OK,) ");
	start_raw(b, "at+ciprxget?");
	say(b, "\r\n+CIPRXGET: 1,3\r\n\r\nOK\r\n");
	expect(b, "line{+CIPRXGET: 1,3} urc{+CIPRXGET: 1,3} done(ok,OK,) ");
}

/* It may have left the modem at a prompt: the AT that finds the line again
 * comes behind an ESC. */
static void raw_timeout(void **state)
{
	struct bench *b = *state;

	expect_line(b, "");
	start_raw(b, "AT+CMGS=1");
	expect_line(b, "AT+CMGS=1\r");
	say(b, "\r\n> ");
	fake_timers_advance(b->ts, TIMEOUT_MS + 300);
	expect(b, "done(timeout,,) ");
	expect_line(b, "\x1b" "AT\r");
}

/* ------------------------------------------------------------ echo, secrets */

static void echo_tells_a_restart(void **state)
{
	struct bench *b = *state;

	start(b, "ATE0");
	say(b, "ATE0\r\r\nOK\r\n");
	at_channel_set_echo_off(b->ch, true);
	start(b, "AT+ONE");
	say(b, "\r\nOK\r\n");
	expect(b, "done(ok,OK,) done(ok,OK,) ");
	start(b, "AT+TWO");
	say(b, "AT+TWO\r\r\n");
	expect(b, "echoed ");
	say(b, "AT+TWO\r\r\n\r\nOK\r\n");
	expect(b, "done(ok,OK,) ");		/* once */
	at_channel_set_echo_off(b->ch, true);
	start(b, "AT+TWO");
	say(b, "AT+ONE\r\r\nAT+TW\r\nAT+TWOO\r\n\r\nOK\r\n");
	expect(b, "done(ok,OK,) ");		/* not its own */
}

static void echo_of_the_probe(void **state)
{
	struct bench *b = *state;

	at_channel_set_echo_off(b->ch, true);
	start(b, "AT+ONE");
	wait_ms(b, TIMEOUT_MS + 110);
	expect(b, "done(timeout,,) ");
	say(b, "AT\r\r\nOK\r\n");
	expect(b, "echoed ");
}

static bool traced(struct bench *b, const char *text)
{
	struct at_trace_row row;
	uint64_t seq = 0;

	while (at_trace_next(at_channel_trace(b->ch), seq, &row)) {
		seq = row.seq;
		if (row.data && memmem(row.data, row.len, text, strlen(text)))
			return true;
	}

	return false;
}

static void start_secret(struct bench *b)
{
	struct at_command c = command(b, "AT+CPIN=\"8421\"");

	c.secret = true;
	assert_int_equal(at_channel_send(b->ch, &c), 0);
	expect_line(b, "AT+CPIN=\"8421\"\r");
}

static void secrets_are_masked(void **state)
{
	static const char *const answers[] = {
		"AT+CPIN=\"8421\"\r\r\n\r\nOK\r\n",
		"\r\n+CGEV: X\r\nAT+CPIN=\"8421\"\r\r\nOK\r\n",
		"AT+CPIN=\"\r\n+CGEV: X\r\n8421\"\r\r\nOK\r\n",	/* cut */
		"AT+CPIN=\"8421\"OK\r\n\r\nERROR\r\n",
	};
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		start_secret(b);
		say(b, answers[i]);
		assert_true(at_channel_ready(b->ch));
		assert_false(traced(b, "8421"));
	}
	assert_true(traced(b, "AT+CPIN=<secret>"));
	assert_true(traced(b, "+CGEV: X"));
	/* what follows is seen again */
	start(b, "AT+ONE");
	say(b, "visible\r\nOK\r\n");
	assert_true(traced(b, "visible"));
}

/* A slow modem echoes when nobody waits any more. */
static void late_echo_of_a_secret(void **state)
{
	struct bench *b = *state;

	start_secret(b);
	wait_ms(b, TIMEOUT_MS + 10);
	expect(b, "done(timeout,,) ");
	say(b, "AT+CPIN=\"8421\"\r\r\n");
	wait_ms(b, 120);
	say(b, "AT+CPIN=\"8421\"\r\r\nOK\r\n");
	wait_ms(b, 100);
	assert_true(at_channel_ready(b->ch));
	say(b, "8421\r\n");
	assert_false(traced(b, "8421"));
	expect_line(b, "AT\r");
	start_secret(b);
	at_channel_reset(b->ch);
	at_channel_sync(b->ch, 3, 1000, 0);
	say(b, "AT+CPIN=\"8421\"\r\r\nOK\r\n");
	assert_false(traced(b, "8421"));
}

/* ---------------------------------------------------------------- raw mode */

/* A '!' ends it: what follows are lines again. */
static size_t on_raw(void *ctx, const uint8_t *data, size_t len)
{
	const uint8_t *end = memchr(data, '!', len);
	struct bench *b = ctx;

	if (end)
		len = (size_t)(end + 1 - data);
	note(b, "raw[%.*s] ", (int)len, (const char *)data);
	if (end)
		assert_int_equal(at_channel_set_raw(b->ch, NULL, NULL), 0);

	return len;
}

static void on_drained(void *ctx)
{
	note(ctx, "drained ");
}

static const struct at_raw_ops raw_ops = { on_raw, on_drained };

static void raw_done(void *ctx, int err, const struct at_answer *a)
{
	struct bench *b = ctx;

	note(b, "done(%s,%s) ", err_name(err), a->final);
	if (!err)
		assert_int_equal(at_channel_set_raw(b->ch, &raw_ops, b), 0);
}

static void raw_mode(void **state)
{
	struct bench *b = *state;
	struct at_command c = command(b, "AT+ONE");

	assert_int_equal(at_channel_write_raw(b->ch, "x", 1), -EPERM);
	start(b, "AT+ONE");
	assert_int_equal(at_channel_set_raw(b->ch, &raw_ops, b), -EBUSY);
	say(b, "OK\r\n");
	expect(b, "done(ok,OK,) ");
	assert_int_equal(at_channel_set_raw(b->ch, &raw_ops, b), 0);
	assert_int_equal(at_channel_send(b->ch, &c), -EBUSY);
	expect_line(b, "AT+ONE\r");
	assert_int_equal(at_channel_write_raw(b->ch, "+++\r", 4), 0);
	expect_line(b, "+++\r");
	say(b, "\r\nOK\r\n+CIPRXGET: 2,0,9999,0\r\n");
	expect(b, "raw[\r\nOK\r\n+CIPRXGET: 2,0,9999,0\r\n] ");
	assert_int_equal(at_channel_set_raw(b->ch, NULL, NULL), 0);
	start(b, "AT+ONE");
	say(b, "OK\r\n");
	expect(b, "done(ok,OK,) ");
}

/* CONNECT ends who asked for it; for others it is a line of its own. */
static void connect_is_final(void **state)
{
	struct bench *b = *state;
	struct at_command c = command(b, "ATO");

	start(b, "AT+ONE");
	say(b, "\r\nCONNECT 115200\r\n");
	expect(b, "urc{CONNECT 115200} ");
	say(b, "\r\nOK\r\n");
	expect(b, "done(ok,OK,) ");
	c.connect = true;
	assert_int_equal(at_channel_send(b->ch, &c), 0);
	say(b, "\r\nCONNECT FAIL\r\n");
	expect(b, "done(refused,CONNECT FAIL,) ");
	assert_int_equal(at_channel_send(b->ch, &c), 0);
	say(b, "\r\nCONNECT 115200\r\n");
	expect(b, "done(ok,CONNECT 115200,) ");
}

/* Raw mode begins at the very byte and ends at the very byte, however the
 * bytes come. */
static void raw_to_the_byte(void **state)
{
	static const char text[] = "\r\nCONNECT 115200\r\n\r\nOK\r\nxy!"
				   "\r\nRDY\r\n";
	struct bench *b = *state;
	size_t cut, len = strlen(text);
	char got[sizeof(b->log)], *p;

	for (cut = 0; cut <= len; cut++) {
		struct at_command c = command(b, "ATO");

		c.connect = true;
		c.done = raw_done;
		assert_int_equal(at_channel_send(b->ch, &c), 0);
		fake_port_feed(b->port, text, cut);
		fake_port_feed(b->port, text + cut, len - cut);
		/* one run of raw bytes, wherever it was cut */
		snprintf(got, sizeof(got), "%s", b->log);
		while ((p = strstr(got, "] raw[")))
			memmove(p, p + 6, strlen(p + 6) + 1);
		assert_string_equal(got, "done(ok,CONNECT 115200) "
				    "raw[\r\nOK\r\nxy!] urc{RDY} ");
		b->log[0] = '\0';
		b->len = 0;
		assert_true(at_channel_ready(b->ch));
	}
}

/* Some modems end their lines with CR alone. */
static void raw_behind_a_bare_cr(void **state)
{
	struct bench *b = *state;
	struct at_command c = command(b, "ATO");

	c.connect = true;
	c.done = raw_done;
	assert_int_equal(at_channel_send(b->ch, &c), 0);
	say(b, "\rCONNECT 115200\rxy!\r\nRDY\r\n");
	expect(b, "done(ok,CONNECT 115200) raw[xy!] urc{RDY} ");
}

static void raw_output(void **state)
{
	struct bench *b = *state;

	assert_int_equal(at_channel_set_raw(b->ch, &raw_ops, b), 0);
	expect_line(b, "");
	fake_port_hold(b->port, true);
	assert_int_equal(at_channel_write_raw(b->ch, "abc", 3), 0);
	assert_int_equal(at_channel_raw_unwritten(b->ch), 3);
	expect(b, "");
	fake_port_hold(b->port, false);
	expect(b, "drained ");
	assert_int_equal(at_channel_raw_unwritten(b->ch), 0);
	expect_line(b, "abc");
	at_channel_hold_raw(b->ch, true);
	say(b, "later");
	expect(b, "");
	assert_int_equal(fake_port_unread(b->port), 5);
	at_channel_reset(b->ch);	/* lets go of it */
	assert_int_equal(fake_port_unread(b->port), 0);
	assert_int_equal(at_channel_write_raw(b->ch, "x", 1), -EPERM);
}

/* A modem that was left in data mode: a pause, three pluses, a pause, AT. */
static void escapes(void **state)
{
	struct bench *b = *state;

	at_channel_escape(b->ch, 3, 1000);
	wait_ms(b, 1050);
	expect_line(b, "");
	wait_ms(b, 100);
	expect_line(b, "+++");
	say(b, "payload\r\nRDY\r\n");	/* no line yet */
	wait_ms(b, 950);
	expect_line(b, "");
	say(b, "\r\nOK\r\n");
	wait_ms(b, 200);
	expect(b, "");
	expect_line(b, "AT\r");
	say(b, "\r\nOK\r\n");
	wait_ms(b, 100);
	assert_true(at_channel_ready(b->ch));
	at_channel_escape(b->ch, 2, 1000);
	wait_ms(b, 10000);
	expect_line(b, "+++AT\rAT\r");
	expect(b, "silent ");
}

/* --------------------------------------------------------------- port lost */

static void port_lost(void **state)
{
	struct bench *b = *state;

	start(b, "AT+ONE");
	fake_port_lose(b->port, -EIO);
	expect(b, "done(gone,,) lost(-5) ");
	assert_int_equal(fake_timers_pending(b->ts), 0);
	expect_line(b, "AT+ONE\r");
	bring_up(b);
	start_pull(b, 20);
	say(b, "+CIPRXGET: 2,0,20,0\r\nhel");
	fake_port_lose(b->port, -ENODEV);
	expect(b, "line{+CIPRXGET: 2,0,20,0} data[hel done(gone,,) "
	       "lost(-19) ");
	bring_up(b);		/* nothing of the payload is still wanted */
	start_send(b, "hello", 5);
	say(b, ">");
	fake_port_lose(b->port, -EIO);
	expect(b, "done(gone,,) lost(-5) ");
	expect_line(b, "hello");
	bring_up(b);
}

static void port_lost_while_finding(void **state)
{
	struct bench *b = *state;

	start(b, "AT+ONE");
	wait_ms(b, TIMEOUT_MS + 50);
	fake_port_lose(b->port, -EIO);
	expect(b, "done(timeout,,) lost(-5) ");
	wait_ms(b, 10000);
	expect(b, "");
	expect_line(b, "AT+ONE\r");
	bring_up(b);
}

static void port_lost_at_write(void **state)
{
	struct bench *b = *state;
	struct at_command c = command(b, "AT+ONE");

	fake_port_lose_at_write(b->port, -EIO);
	assert_int_equal(at_channel_send(b->ch, &c), -ENODEV);
	wait_ms(b, 0);
	expect(b, "lost(-5) ");		/* refused: no done() */
	bring_up(b);
	start_send(b, "hello", 5);
	fake_port_lose_at_write(b->port, -EIO);
	say(b, ">");
	wait_ms(b, 0);
	expect(b, "done(gone,,) lost(-5) ");
}

static void port_lost_in_raw_mode(void **state)
{
	struct bench *b = *state;

	assert_int_equal(at_channel_set_raw(b->ch, &raw_ops, b), 0);
	fake_port_lose(b->port, -EIO);
	expect(b, "lost(-5) ");
	assert_int_equal(at_channel_set_raw(b->ch, NULL, NULL), 0);
	bring_up(b);
}

/* --------------------------------------------------------- any bad schedule */

/*
 * A modem whose answers lose, double and delay bytes. What it hears is never
 * damaged, so that every line it takes for a command must be one of ours: a
 * payload that got there would be seen (S4).
 */
struct chaos {
	struct bench *b;
	uint64_t seed;
	bool faulty;
	bool esc_cancels;
	char line[600];
	size_t len;
	size_t payload_left;
	unsigned int prompts_since_write;
	struct timer *timer;
	struct evbuffer *out;
	int accepted, done;
	int last_err;
	bool silent, idle;
};

static struct at_channel_ops chaos_ops;

static uint32_t dice(struct chaos *c, uint32_t below)
{
	c->seed = c->seed * 6364136223846793005ULL + 1442695040888963407ULL;

	return (uint32_t)(c->seed >> 33) % below;
}

static void chaos_say(struct chaos *c, const char *text)
{
	for (; *text; text++) {
		if (c->faulty && dice(c, 60) == 0)
			continue;
		evbuffer_add(c->out, text, 1);
		if (c->faulty && dice(c, 60) == 0)
			evbuffer_add(c->out, text, 1);
	}
	if (!timer_pending(c->timer))
		timer_start(c->timer, dice(c, 20));
}

static void chaos_deliver(void *ctx)
{
	struct chaos *c = ctx;
	char piece[256];
	int n;

	n = evbuffer_remove(c->out, piece, 1 + dice(c, sizeof(piece)));
	if (evbuffer_get_length(c->out) > 0)
		timer_start(c->timer, dice(c, 4) ? dice(c, 5) : dice(c, 500));
	if (n > 0)
		fake_port_feed(c->b->port, piece, (size_t)n);
}

static void chaos_answer(struct chaos *c)
{
	char text[128];

	if (c->faulty && dice(c, 12) == 0)
		return;				/* no answer at all */
	if (c->faulty && dice(c, 8) == 0)
		chaos_say(c, "\r\n+CGEV: X\r\n+CIPRXGET: 1,3\r\n");
	if (c->faulty && dice(c, 10) == 0) {
		chaos_say(c, "\r\n+CIPERROR: 4\r\n\r\nERROR\r\n");
		if (dice(c, 2))
			chaos_say(c, "ERROR\r\n");
		return;
	}
	if (strncmp(c->line, "AT+CIPSEND=0,", 13) == 0) {
		c->payload_left = (size_t)atoi(c->line + 13);
		chaos_say(c, "\r\n>");
		return;
	}
	if (strncmp(c->line, "AT+CIPRXGET", 11) == 0) {
		snprintf(text, sizeof(text), "\r\n+CIPRXGET: 2,0,19,0\r\n"
			 "\r\nOK\r\nERROR\r\n> 1234\r\n\r\nOK\r\n");
		chaos_say(c, text);
		return;
	}
	chaos_say(c, "\r\nOK\r\n");
}

/* The last of the conversation, for whoever has to understand a failure. */
static void show_trace(struct bench *b, unsigned int rows)
{
	static const char *const kinds[] = { "->", "-> payload", "<-",
					     "<- payload", "<- prompt", "--" };
	struct at_trace *t = at_channel_trace(b->ch);
	struct at_trace_row row = { 0 };
	uint64_t seq = 0;

	while (at_trace_next(t, seq, &row))
		seq = row.seq;
	seq = seq > rows ? seq - rows : 0;
	for (; at_trace_next(t, seq, &row); seq = row.seq)
		print_message("%8lld %s %.*s\n", (long long)row.mono_us / 1000,
			      kinds[row.kind], (int)row.len, row.data ?
			      (const char *)row.data : "");
}

static void chaos_line(struct chaos *c)
{
	const char *s = c->line;

	c->line[c->len] = '\0';
	c->len = 0;
	s += strspn(s, "\x1b");
	if (!*s)
		return;
	if (strcmp(s, "T") == 0) {	/* the A went into a payload */
		chaos_say(c, "\r\nERROR\r\n");
		return;
	}
	if (strcmp(s, "AT") != 0 && strcmp(s, "AT+ONE") != 0 &&
	    strcmp(s, "AT+CIPSEND=0,40") != 0 &&
	    strcmp(s, "AT+CIPRXGET=2,0,20") != 0) {
		show_trace(c->b, 40);
		fail_msg("the modem was told <%s>", s);
	}
	if (s != c->line)
		memmove(c->line, s, strlen(s) + 1);
	chaos_answer(c);
}

static void chaos_written(void *ctx, struct port *p, const uint8_t *data,
			  size_t len)
{
	struct chaos *c = ctx;

	(void)p;
	for (; len > 0; len--, data++) {
		if (c->payload_left > 0) {
			if (*data == 0x1b && c->esc_cancels) {
				c->payload_left = 0;
				chaos_say(c, "\r\nERROR\r\n");
			} else if (--c->payload_left == 0) {
				chaos_say(c, "\r\nOK\r\n\r\n"
					  "+CIPSEND: 0,40,40\r\n");
			}
		} else if (*data == '\r') {
			chaos_line(c);
		} else {
			assert_true(c->len < sizeof(c->line) - 1);
			c->line[c->len++] = (char)*data;
		}
	}
}

static void chaos_done(void *ctx, int err, const struct at_answer *a)
{
	struct chaos *c = ctx;

	(void)a;
	c->done++;
	c->last_err = err;
}

static void chaos_urc(void *ctx, const struct at_line *line)
{
	(void)ctx;
	(void)line;
}

static void chaos_data(void *ctx, const uint8_t *data, size_t len, bool last)
{
	(void)ctx;
	(void)data;
	(void)len;
	(void)last;
}

static void chaos_idle(void *ctx)
{
	((struct chaos *)ctx)->idle = true;
}

static void chaos_silent(void *ctx)
{
	((struct chaos *)ctx)->silent = true;
}

static void chaos_echoed(void *ctx)
{
	(void)ctx;
}

static void chaos_lost(void *ctx, int err)
{
	(void)ctx;
	(void)err;
}

static void chaos_command(struct chaos *c)
{
	/* as a command this would be told above */
	static const uint8_t payload[40] = "\rAT+EVIL\rAT+CFUN=0\r\x1a";
	struct at_command cmd = {
		.text = "AT+ONE",
		.timeout_ms = 1000,
		.done = chaos_done,
		.data = chaos_data,
		.ctx = c,
	};

	switch (dice(c, 3)) {
	case 0:
		cmd.text = "AT+CIPSEND=0,40";
		cmd.payload = payload;
		cmd.payload_len = sizeof(payload);
		break;
	case 1:
		cmd.text = "AT+CIPRXGET=2,0,20";
		cmd.accept = accept_pulled;
		cmd.answer_max = 20;
		break;
	}
	if (at_channel_send(c->b->ch, &cmd) == 0)
		c->accepted++;
}

/* Until it is ready; a silent one is asked again, as the modem layer does. */
static void chaos_settle(struct chaos *c)
{
	int i;

	for (i = 0; i < 60 && !at_channel_ready(c->b->ch); i++) {
		if (c->silent)
			at_channel_sync(c->b->ch, 3, 1000, ENTRY_MAX);
		c->silent = false;
		fake_timers_advance(c->b->ts, 1000);
	}
	if (!at_channel_ready(c->b->ch))
		fail_msg("not ready after a minute (seed state %llu)",
			 (unsigned long long)c->seed);
	assert_int_equal(c->done, c->accepted);
}

static void chaos_run(struct chaos *c, uint64_t seed)
{
	int i;

	c->seed = seed * 7919 + 1;
	c->esc_cancels = dice(c, 2);
	c->faulty = true;
	for (i = 0; i < 4; i++) {
		chaos_command(c);
		fake_timers_advance(c->b->ts, dice(c, 3000));
		if (dice(c, 40) == 0)
			at_channel_sync(c->b->ch, 3, 1000, ENTRY_MAX);
	}
	c->faulty = false;
	chaos_settle(c);
	fake_timers_advance(c->b->ts, 2000);	/* the last of the late bytes */
	chaos_settle(c);

	/* What was heard does not spoil what comes. */
	chaos_command(c);
	fake_timers_advance(c->b->ts, 1000);
	chaos_settle(c);
	if (c->last_err)
		show_trace(c->b, 40);
	if (c->last_err)
		fail_msg("seed %llu: a clean command ended with %d",
			 (unsigned long long)seed, c->last_err);
}

static void any_schedule(void **state)
{
	static const struct fake_port_hooks hooks = {
		.written = chaos_written,
	};
	static struct bench b;
	static struct chaos c;
	uint64_t seed;

	(void)state;
	memset(&b, 0, sizeof(b));
	memset(&c, 0, sizeof(c));
	chaos_ops = (struct at_channel_ops){
		chaos_urc, chaos_data, chaos_idle, chaos_silent, chaos_echoed,
		chaos_lost,
	};
	c.b = &b;
	b.world.port_hooks = &hooks;
	b.world.port_ctx = &c;
	b.ts = fake_timers_new(1, &b.world);
	c.timer = timer_new(b.ts, chaos_deliver, &c);
	c.out = evbuffer_new();
	assert_int_equal(at_channel_new(b.ts, &b.set, &chaos_ops, &c, &b.ch),
			 0);
	speak(b.ch, 0);
	b.port = b.world.port;
	port_open(b.port, 115200);
	at_channel_sync(b.ch, 3, 1000, ENTRY_MAX);
	chaos_settle(&c);
	for (seed = 1; seed <= 20000; seed++)
		chaos_run(&c, seed);
	assert_true(c.accepted > 50000);
	assert_true(stats(&b)->timeouts > 1000);
	at_channel_free(b.ch);
	timer_free(c.timer);
	evbuffer_free(c.out);
	timers_free(b.ts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		T(one_at_a_time), T(stray_final),
		T(stray_final_in_two_reads),
		T(final_before_our_bytes_left), T(control_bytes_refused),
		T(sizes), T(no_port), T(urcs_anywhere),
		T(urcs_around_the_prompt), T(unknown_lines_consumed),
		T(wanted_text), T(payload_after_prompt),
		T(error_instead_of_prompt),
		T(error_of_another_before_the_prompt),
		T(refused_with_a_reason), T(prompt_of_nobody),
		T(late_prompt), T(lost_prompt), T(lost_prompt_of_another),
		T(lost_prompt_of_coded_payload), T(pushed_at_any_time),
		T(announced_and_no_header), T(pushed_and_too_short),
		T(pushed_before_an_echo),
		T(timeout_and_resync),
		T(one_ok_too_many), T(never_falls_silent), T(silence),
		T(patience_is_set), T(slow_line), T(header_that_cannot_be),
		T(header_of_nobody), T(payload_cut_short),
		T(header_not_to_be_read), T(payload_that_does_not_fit),
		T(answer_of_the_command_before),
		T(sync_and_reset_end_a_command), T(echo_tells_a_restart),
		T(raw_answer), T(raw_timeout), T(echo_of_the_probe),
		T(secrets_are_masked),
		T(late_echo_of_a_secret), T(raw_mode), T(connect_is_final),
		T(raw_to_the_byte), T(raw_behind_a_bare_cr), T(raw_output),
		T(escapes), T(port_lost),
		T(port_lost_while_finding), T(port_lost_at_write),
		T(port_lost_in_raw_mode),
		cmocka_unit_test(any_schedule),
	};

	log_init("test", LOG_TARGET_STDERR, LOG_LEVEL_ERROR);

	return cmocka_run_group_tests(tests, NULL, NULL);
}
