/* SPDX-License-Identifier: MIT */

/*
 * The W800 driver against the law of driver.h: one event for each operation,
 * whatever happens in its middle; and what it believes of the module after an
 * answer was lost. A test is a dialogue: what must be written, and what the
 * module says to it.
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
#include "driver/driver.h"
#include "fake_port.h"
#include "fake_timer.h"
#include "fake_world.h"

struct bench {
	struct fake_world world;
	struct timers *ts;
	struct at_channel *ch;
	struct config_modem modem;
	struct config_links links;
	void *d;
	char log[8192];
	size_t len;
	unsigned int ends;	/* events that end an operation */
};

static const struct driver *const drv = &driver_w800;

__attribute__((format(printf, 2, 3)))
static void note(void *ctx, const char *fmt, ...)
{
	struct bench *b = ctx;
	va_list ap;

	va_start(ap, fmt);
	b->len += (size_t)vsnprintf(b->log + b->len, sizeof(b->log) - b->len,
				    fmt, ap);
	va_end(ap);
	assert_true(b->len < sizeof(b->log));
}

static const char *name_of(int err)
{
	return err ? strerrorname_np(-err) : "ok";
}

/* What happened since the last look. */
static void expect(struct bench *b, const char *want)
{
	assert_string_equal(b->log, want);
	b->len = 0;
	b->log[0] = '\0';
}

/* ------------------------------------------------------------------ events */

static void ended(void *up)
{
	struct bench *b = up;

	b->ends++;
}

static void on_staged(void *up, enum driver_stage stage, int err,
		      const char *text)
{
	(void)text;
	ended(up);
	note(up, "staged(%d,%s) ", (int)stage, name_of(err));
}

static void on_waiting(void *up, const char *text, uint32_t again_ms)
{
	(void)up;
	(void)text;
	(void)again_ms;
}

static void on_opened(void *up, unsigned int slot, int err, const char *text)
{
	(void)text;
	ended(up);
	note(up, "opened(%u,%s) ", slot, name_of(err));
}

static void on_sent(void *up, unsigned int slot, size_t taken, int err,
		    const char *text)
{
	(void)text;
	ended(up);
	note(up, "sent(%u,%zu,%s) ", slot, taken, name_of(err));
}

static void on_pulled(void *up, unsigned int slot, long rest, int err)
{
	ended(up);
	note(up, "pulled(%u,%ld,%s) ", slot, rest, name_of(err));
}

static void on_closed(void *up, unsigned int slot, enum driver_close why,
		      const char *text)
{
	(void)text;
	if (why != DRIVER_CLOSE_PEER)	/* that was no operation */
		ended(up);
	note(up, "closed(%u,%d) ", slot, (int)why);
}

static void on_audited(void *up, const struct driver_table *t, int err)
{
	(void)t;
	ended(up);
	note(up, "audited(%s) ", name_of(err));
}

static void on_listening(void *up, unsigned int index, int err,
			 const char *text)
{
	(void)text;
	ended(up);
	note(up, "listening(%u,%s) ", index, name_of(err));
}

static void on_unlistened(void *up, unsigned int index, int err,
			  const char *text)
{
	(void)text;
	ended(up);
	note(up, "unlistened(%u,%s) ", index, name_of(err));
}

static void on_receiving(void *up, enum driver_receive mode, int err)
{
	ended(up);
	note(up, "receiving(%s,%s) ", mode == DRIVER_PUSH ? "push" : "pull",
	     name_of(err));
}

static void on_answered(void *up, unsigned int id, int err,
			const struct driver_answer *a)
{
	ended(up);
	note(up, "answered(%u,%s,%s) ", id, name_of(err), a->text);
}

static void on_progress(void *up, unsigned int id,
			const struct driver_echo *e)
{
	note(up, "echo(%u,%s) ", id, e->timeout ? "timeout" : "ok");
}

static void on_leased(void *up, int err, const char *text)
{
	(void)text;
	ended(up);
	note(up, "leased(%s) ", name_of(err));
}

static void on_unleased(void *up, int err, const char *text)
{
	(void)text;
	ended(up);
	note(up, "unleased(%s) ", name_of(err));
}

static void on_lease_data(void *up, const uint8_t *data, size_t len)
{
	note(up, "lease_data(%.*s) ", (int)len, (const char *)data);
}

static void on_readable(void *up, unsigned int slot)
{
	assert_true(slot < drv->max_links);
	note(up, "readable(%u) ", slot);
}

static void on_data(void *up, unsigned int slot, const uint8_t *data,
		    size_t len, const char *from, bool end)
{
	(void)from;
	(void)end;
	assert_true(slot < drv->max_links && len > 0);
	note(up, "data(%u,%.*s) ", slot, (int)len, (const char *)data);
}

static void on_accepted(void *up, unsigned int index, unsigned int slot,
			const char *peer)
{
	(void)index;
	(void)peer;
	assert_true(slot < drv->max_links);
	note(up, "accepted(%u) ", slot);
}

static void on_push_lost(void *up)
{
	note(up, "push_lost ");
}

static void on_text(void *up, const char *text)
{
	(void)text;
	note(up, "news ");
}

static void on_nothing(void *ctx)
{
	(void)ctx;
}

static const struct driver_events events = {
	.staged = on_staged, .waiting = on_waiting, .opened = on_opened,
	.sent = on_sent, .pulled = on_pulled, .closed = on_closed,
	.audited = on_audited, .listening = on_listening,
	.unlistened = on_unlistened, .receiving = on_receiving,
	.answered = on_answered, .progress = on_progress, .leased = on_leased,
	.unleased = on_unleased, .lease_data = on_lease_data,
	.lease_writable = on_nothing, .readable = on_readable, .data = on_data,
	.accepted = on_accepted, .push_lost = on_push_lost,
	.network_lost = on_text, .rebooted = on_text, .hopeful = on_text,
	.informed = on_nothing,
};

static void on_urc(void *ctx, const struct at_line *line)
{
	struct bench *b = ctx;

	drv->line(b->d, line);
}

static void on_urc_data(void *ctx, const uint8_t *data, size_t len, bool last)
{
	struct bench *b = ctx;

	drv->data(b->d, data, len, last);
}

static void on_lost(void *ctx, int err)
{
	(void)ctx;
	(void)err;
}

static const struct at_channel_ops channel_ops = {
	.urc = on_urc, .data = on_urc_data, .idle = on_nothing,
	.silent = on_nothing, .echoed = on_nothing, .lost = on_lost,
};

/* --------------------------------------------------------------- dialogues */

static void turn(struct bench *b)
{
	while (fake_timers_turn(b->ts))
		;
}

/* The next that is written is this. */
static void written(struct bench *b, const char *want)
{
	struct evbuffer *out = fake_port_written(b->world.port);
	char got[600] = "";
	size_t len;

	turn(b);
	if (evbuffer_get_length(out) == 0)
		fake_timers_advance(b->ts, 100);
	len = evbuffer_get_length(out);
	assert_true(len < sizeof(got));
	evbuffer_remove(out, got, len);
	got[len] = '\0';
	assert_string_equal(got, want);
}

/* "> AT+X" must be written, "< OK" is said in a line, "= x" as it is; NULL
 * ends it. */
static void play(struct bench *b, ...)
{
	char text[512];
	const char *s;
	va_list ap;

	va_start(ap, b);
	while ((s = va_arg(ap, const char *))) {
		snprintf(text, sizeof(text), *s == '>' ? "%s\r\n" :
			 *s == '=' ? "%s" : "\r\n%s\r\n", s + 2);
		if (*s == '>')
			written(b, text);
		else
			fake_port_say(b->world.port, text);
		turn(b);
	}
	va_end(ap);
}

static void silent(struct bench *b, uint32_t ms)
{
	fake_timers_advance(b->ts, ms);
	assert_int_equal(evbuffer_get_length(
				 fake_port_written(b->world.port)), 0);
}

static int begin_send(struct bench *b)
{
	return drv->send(b->d, 4, (const uint8_t *)"hello", 5, NULL);
}

/* No answer comes to what was written; then the line is found again. */
static void unanswered(struct bench *b, uint32_t ms)
{
	struct evbuffer *out = fake_port_written(b->world.port);
	unsigned int i;

	fake_timers_advance(b->ts, ms);
	for (i = 0; i < 50 && !at_channel_ready(b->ch); i++) {
		if (evbuffer_get_length(out) > 0) {
			evbuffer_drain(out, evbuffer_get_length(out));
			fake_port_say(b->world.port, "\r\nOK\r\n");
		}
		fake_timers_advance(b->ts, 100);
	}
	assert_true(at_channel_ready(b->ch));
}

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct driver_env env = {
		.modem = &b->modem, .links = &b->links, .events = &events,
		.up = b,
	};

	*state = b;
	b->modem.wifi_ssid = b->modem.wifi_password = strdup("");
	b->modem.options = strdup("");
	b->links.open_timeout_ms = 3000;
	b->links.send_timeout_ms = 3000;
	b->ts = fake_timers_new(1, &b->world);
	env.timers = b->ts;
	assert_int_equal(at_channel_new(b->ts, &b->modem, &channel_ops, b,
					&b->ch), 0);
	assert_int_equal(at_channel_set_dialect(b->ch, drv->dialect), 0);
	env.channel = b->ch;
	b->d = drv->new(&env);
	assert_non_null(b->d);
	port_open(b->world.port, 115200);
	at_channel_sync(b->ch, 3, 1000, 0);
	play(b, "> AT", "< OK", NULL);
	fake_timers_advance(b->ts, 1000);
	assert_true(at_channel_ready(b->ch));

	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	drv->reset(b->d, true);
	drv->free(b->d);
	at_channel_free(b->ch);
	timers_free(b->ts);
	free(b->modem.wifi_ssid);
	free(b->modem.options);
	free(b);

	return 0;
}

/* --------------------------------------------------------- hostile numbers */

static void push_to_no_slot(void **state)
{
	struct bench *b = *state;

	play(b, "= \r\n+IPD,10,5:hello\r\n", NULL);
	expect(b, "push_lost ");
	play(b, "= \r\n+IPD,-1,5:hello\r\n", NULL);
	expect(b, "push_lost ");
	/* not slot 0, cut to 32 bits */
	play(b, "= \r\n+IPD,4294967296,5:hello\r\n", NULL);
	expect(b, "push_lost ");
	play(b, "< 4294967296,CONNECT", "< 4294967296,CLOSED",
	     "< +IPD,4294967296,5", "< -1,CLOSED", "< 10,CONNECT", NULL);
	expect(b, "");
}

/* ------------------------------------------------------------------- pulls */

/* W800 manual, CIPRECVMODE: what comes behind an announcement is not
 * announced until all was read. */
static void pull_of_more_than_announced(void **state)
{
	struct bench *b = *state;

	play(b, "< +IPD,3,2", NULL);
	assert_int_equal(drv->pull(b->d, 3, 5), 0);
	play(b, "> AT+CIPRECVDATA=3,5",
	     "= \r\n+CIPRECVDATA:5,hello\r\n\r\nOK\r\n", NULL);
	expect(b, "readable(3) data(3,hello) pulled(3,1,ok) ");
	/* and as much as announced may not be all */
	play(b, "< +IPD,3,5", NULL);
	assert_int_equal(drv->pull(b->d, 3, 5), 0);
	play(b, "> AT+CIPRECVDATA=3,5",
	     "= \r\n+CIPRECVDATA:5,hello\r\n\r\nOK\r\n", NULL);
	expect(b, "readable(3) data(3,hello) pulled(3,1,ok) ");
	assert_int_equal(drv->pull(b->d, 3, 5), 0);
	play(b, "> AT+CIPRECVDATA=3,5",
	     "= \r\n+CIPRECVDATA:4,last\r\n\r\nOK\r\n", NULL);
	expect(b, "data(3,last) pulled(3,0,ok) ");
}

/* CIPDINFO was taken, and its OK lost: an address stands before the data. */
static void source_without_ok(void **state)
{
	struct bench *b = *state;

	assert_int_equal(drv->receive(b->d, DRIVER_PUSH), 0);
	play(b, "> AT+CIPDINFO=1", NULL);
	unanswered(b, 6000);
	expect(b, "receiving(pull,ETIMEDOUT) ");
	assert_int_equal(drv->pull(b->d, 3, 100), 0);
	play(b, "> AT+CIPDINFO=0", "< OK", "> AT+CIPRECVDATA=3,100",
	     "= \r\n+CIPRECVDATA:5,hello\r\n\r\nOK\r\n", NULL);
	expect(b, "data(3,hello) pulled(3,0,ok) ");
	/* once is enough */
	assert_int_equal(drv->pull(b->d, 3, 100), 0);
	play(b, "> AT+CIPRECVDATA=3,100", "< ERROR", NULL);
	expect(b, "pulled(3,0,ok) ");
}

/* ------------------------------------------------- what a slot's user leaves */

static void open_tls(struct bench *b, const char *sni)
{
	struct driver_tls tls = { 0 };
	struct driver_open_args a = {
		.host = "192.0.2.1", .port = 443, .tls = &tls,
		.tcp = { .linger_s = -1 },
	};

	snprintf(tls.sni, sizeof(tls.sni), "%s", sni);
	assert_int_equal(drv->open(b->d, 4, &a), 0);
}

/* The name was taken, and its OK lost: it is not for the next link. */
static void sni_without_ok(void **state)
{
	struct bench *b = *state;

	open_tls(b, "");
	play(b, "> AT+CIPTCPOPT=4,-1,0,5000,0", "< OK",
	     "> AT+CIPSSLCCONF=4,0", "< OK", "> AT+CIPSSLCCN=4,\"\"", "< OK",
	     "> AT+CIPSSLCSNI=4,\"\"", "< OK", "> AT+CIPSSLCALPN=4,0", "< OK",
	     "> AT+CIPSSLCPSK=4,\"\",\"\"", "< OK",
	     "> AT+CIPSTART=4,\"SSL\",\"192.0.2.1\",443", "< ERROR",
	     "> AT+CIPCLOSE=4", "< ERROR", "> AT+CIFSR",
	     "< +CIFSR:STAIP,\"192.0.2.9\"", "< OK", NULL);
	expect(b, "opened(4,ECONNREFUSED) ");
	open_tls(b, "secret.example");
	play(b, "> AT+CIPSSLCCONF=4,0", "< OK",
	     "> AT+CIPSSLCSNI=4,\"secret.example\"", NULL);
	unanswered(b, 6000);
	expect(b, "opened(4,ETIMEDOUT) ");
	open_tls(b, "");
	play(b, "> AT+CIPSSLCCONF=4,0", "< OK", "> AT+CIPSSLCSNI=4,\"\"",
	     "< OK", "> AT+CIPSTART=4,\"SSL\",\"192.0.2.1\",443", NULL);
}

/* Refused it was not set: firmware without it serves who does without. */
static void sni_refused(void **state)
{
	struct bench *b = *state;

	open_tls(b, "x.example");
	play(b, "> AT+CIPTCPOPT=4,-1,0,5000,0", "< OK",
	     "> AT+CIPSSLCCONF=4,0", "< OK", "> AT+CIPSSLCCN=4,\"\"", "< OK",
	     "> AT+CIPSSLCSNI=4,\"x.example\"", "< ERROR", NULL);
	expect(b, "opened(4,EREMOTEIO) ");
	open_tls(b, "");
	play(b, "> AT+CIPSSLCCONF=4,0", "< OK", "> AT+CIPSSLCSNI=4,\"\"",
	     "< ERROR", "> AT+CIPSSLCALPN=4,0", NULL);
}

static void open_tcp(struct bench *b, unsigned int send_ms)
{
	struct driver_open_args a = {
		.host = "192.0.2.1", .port = 80,
		.tcp = { .linger_s = -1, .send_timeout_ms = send_ms },
	};

	assert_int_equal(drv->open(b->d, 4, &a), 0);
}

static void opened(struct bench *b)
{
	play(b, "> AT+CIPSTART=4,\"TCP\",\"192.0.2.1\",80", "< 4,CONNECT",
	     "< OK", NULL);
	expect(b, "opened(4,ok) ");
}

/* CIPTCPOPT=5 of a network that is opened again changes all slots. */
static void options_after_the_network(void **state)
{
	struct bench *b = *state;

	open_tcp(b, 30000);
	play(b, "> AT+CIPTCPOPT=4,-1,0,30000,0", "< OK", NULL);
	opened(b);
	drv->reset(b->d, false);
	expect(b, "");
	assert_int_equal(drv->stage(b->d, DRIVER_NET_OPEN), 0);
	play(b, "> AT+CIPMODE=0", "< OK", "> AT+CIPMUX?", "< +CIPMUX:1",
	     "< OK", "> AT+CIPSERVER=0,1", "< OK", "> AT+CIPSTATE?", "< OK",
	     "> AT+CIPRECVMODE=1", "< OK", "> AT+CIPDINFO=0", "< OK",
	     "> AT+CIPV6=1", "< OK", "> AT+CIPTCPOPT=5,,,3000", "< OK",
	     "> AT+CIFSR", "< +CIFSR:STAIP,\"192.0.2.9\"", "< OK", NULL);
	expect(b, "staged(4,ok) ");
	open_tcp(b, 30000);
	play(b, "> AT+CIPTCPOPT=4,-1,0,30000,0", "< OK", NULL);
	opened(b);
}

/* The same of those whose OK was lost. */
static void options_without_ok(void **state)
{
	struct bench *b = *state;

	open_tcp(b, 30000);
	play(b, "> AT+CIPTCPOPT=4,-1,0,30000,0", "< OK", NULL);
	opened(b);
	assert_int_equal(drv->close(b->d, 4), 0);
	play(b, "> AT+CIPCLOSE=4", "< 4,CLOSED", "< OK", NULL);
	expect(b, "closed(4,0) ");
	open_tcp(b, 100);
	play(b, "> AT+CIPTCPOPT=4,-1,0,100,0", NULL);
	unanswered(b, 6000);
	expect(b, "opened(4,ETIMEDOUT) ");
	open_tcp(b, 30000);
	play(b, "> AT+CIPTCPOPT=4,-1,0,30000,0", "< OK", NULL);
	opened(b);
}

/* W800 manual, CIPTCPOPT: a close blocks as long as its link lingers. */
static void close_that_lingers(void **state)
{
	struct driver_open_args a = {
		.host = "192.0.2.1", .port = 80, .tcp = { .linger_s = 60 },
	};
	struct bench *b = *state;

	assert_int_equal(drv->open(b->d, 4, &a), 0);
	play(b, "> AT+CIPTCPOPT=4,60,0,5000,0", "< OK", NULL);
	opened(b);
	assert_int_equal(drv->close(b->d, 4), 0);
	play(b, "> AT+CIPCLOSE=4", NULL);
	silent(b, 60000);
	play(b, "< 4,CLOSED", "< OK", NULL);
	expect(b, "closed(4,0) ");
}

/* An accepted connection has what the last user of its slot has set. */
static void send_in_a_slot_of_another(void **state)
{
	struct bench *b = *state;

	open_tcp(b, 30000);
	play(b, "> AT+CIPTCPOPT=4,-1,0,30000,0", "< OK", NULL);
	opened(b);
	play(b, "< 4,CLOSED", "< 4,CONNECT", NULL);
	expect(b, "closed(4,3) accepted(4) ");
	assert_int_equal(begin_send(b), 0);
	play(b, "> AT+CIPSEND=4,5", "< OK", "= \r\n>", NULL);
	evbuffer_drain(fake_port_written(b->world.port), 5);
	silent(b, 30000);
	play(b, "< SEND FAIL", NULL);
	expect(b, "sent(4,0,ECONNABORTED) ");
}

/* ------------------------------------------------------------ raw commands */

static void ask_raw(struct bench *b, const char *text)
{
	struct driver_query_args a = { .text = text, .timeout_ms = 1000 };

	assert_int_equal(drv->query(b->d, 7, DRIVER_Q_AT, &a), 0);
}

/* What an earlier answer said is not part of this one. */
static void raw_without_a_final_line(void **state)
{
	struct bench *b = *state;

	ask_raw(b, "AT+X");
	play(b, "> AT+X", "< of the one before, and long", "< OK", NULL);
	expect(b, "answered(7,ok,of the one before, and long\nOK) ");
	ask_raw(b, "AT+Y");
	play(b, "> AT+Y", "< half", NULL);
	unanswered(b, 2000);
	expect(b, "answered(7,ETIMEDOUT,half\n) ");
}

/* Words that nobody knows, behind a push that is whole: an answer. */
static void raw_behind_a_push(void **state)
{
	struct bench *b = *state;

	ask_raw(b, "AT+X");
	play(b, "> AT+X", "= \r\n+IPD,0,5:hello\r\nsome words\r\n\r\nOK\r\n",
	     NULL);
	fake_timers_advance(b->ts, 10);
	expect(b, "answered(7,ok,some words\nOK) data(0,hello) ");
	/* one that is not: it has eaten what was the head of that */
	ask_raw(b, "AT+X");
	play(b, "> AT+X", "= \r\n+IPD,0,9:hello\r\nsome words\r\n", NULL);
	assert_non_null(strstr(b->log, "push_lost "));
	b->len = 0;
}

/* Its own access point's password is in the answer, not in the trace. */
static void raw_question_for_a_secret(void **state)
{
	struct at_trace_row row = { 0 };
	struct bench *b = *state;
	uint64_t seq = 0;

	ask_raw(b, "AT+CWSAP?");
	play(b, "> AT+CWSAP?", "< +CWSAP:\"me\",\"pass-word\",1,3", "< OK",
	     NULL);
	expect(b, "answered(7,ok,+CWSAP:\"me\",\"pass-word\",1,3\nOK) ");
	while (at_trace_next(at_channel_trace(b->ch), seq, &row)) {
		seq = row.seq;
		assert_null(memmem(row.data, row.len, "pass-word", 9));
	}
	assert_true(seq > 0);
}

/* A mark at its end makes no question of it. */
static void forbidden_with_a_mark(void **state)
{
	(void)state;
	assert_non_null(drv->forbids("AT+CIPSEND=4,5?"));
	assert_non_null(drv->forbids("AT+CIPMUX=0 ?"));
	assert_non_null(drv->forbids("AT+CWJAP=net,what?"));
	assert_null(drv->forbids("AT+CIPMUX?"));
	assert_null(drv->forbids("AT+CIPMUX=? "));
	assert_null(drv->forbids("AT+CIPSEND = ?"));
}

/* ------------------------------------------------------------ of one slot */

/* A peer takes the slot before CIPSTART is out, and stays: the open needs
 * another one, and what was accepted is not closed for it. */
static void slot_is_given_away(void **state)
{
	struct bench *b = *state;

	open_tcp(b, 5000);
	play(b, "> AT+CIPTCPOPT=4,-1,0,5000,0", "< 4,CONNECT", "< OK", NULL);
	expect(b, "accepted(4) opened(4,EBUSY) ");
	silent(b, 30000);
}

/* A peer takes the slot before CIPSTART is out: it is no answer to that. */
static void accepted_before_cipstart(void **state)
{
	struct bench *b = *state;

	open_tcp(b, 0);
	play(b, "> AT+CIPTCPOPT=4,-1,0,5000,0", "< 4,CONNECT", "< 4,CLOSED",
	     "< OK", NULL);
	expect(b, "accepted(4) closed(4,3) ");
	opened(b);
	expect(b, "");
}

/* ------------------------------------------------- one end, whatever happens */

static int begin_open(struct bench *b)
{
	struct driver_open_args a = { .host = "h.example", .port = 80 };

	return drv->open(b->d, 4, &a);
}

static int begin_tls(struct bench *b)
{
	struct driver_tls tls = { .verify = true, .sni = "x", .psk = "p" };
	struct driver_open_args a = { .host = "h", .port = 80, .tls = &tls };

	return drv->open(b->d, 4, &a);
}

static int begin_coded(struct bench *b)
{
	static const uint8_t block[5760] = "hello";
	int err;

	b->modem.send_coding = CONFIG_CODING_CTRLZ;
	err = drv->send(b->d, 4, block, sizeof(block), NULL);
	b->modem.send_coding = 0;

	return err;
}

static int begin_pull(struct bench *b)
{
	return drv->pull(b->d, 4, 100);
}

static int begin_close(struct bench *b)
{
	return drv->close(b->d, 4);
}

static int begin_listen(struct bench *b)
{
	struct driver_listen_args a = { .port = 80, .backlog = 1 };

	return drv->listen(b->d, 0, &a);
}

static int begin_unlisten(struct bench *b)
{
	return drv->unlisten(b->d, 0);
}

static int begin_push(struct bench *b)
{
	return drv->receive(b->d, DRIVER_PUSH);
}

static int begin_to_pull(struct bench *b)
{
	return drv->receive(b->d, DRIVER_PULL);
}

static int begin_audit(struct bench *b)
{
	return drv->audit(b->d);
}

static int begin_lease(struct bench *b)
{
	struct driver_lease_args a = { .host = "192.0.2.1", .port = 80 };

	return drv->lease(b->d, &a);
}

static int begin_query(struct bench *b, enum driver_query what)
{
	struct driver_query_args a = {
		.text = "h", .timeout_ms = 1000, .setting = 7, .number = 1,
		.ping = { .count = 3, .interval_ms = 100, .wait_ms = 1000 },
		.family = what == DRIVER_Q_PING ? DRIVER_IPV4 : DRIVER_ANY,
	};

	return drv->query(b->d, 7, what, &a);
}

static const struct {
	const char *name;
	int (*begin)(struct bench *b);
	int query, stage;	/* instead, counted from 1 */
	unsigned int ends;	/* events: 0 is one */
} operations[] = {
	{ "open", begin_open }, { "tls", begin_tls }, { "send", begin_send },
	{ "coded", begin_coded }, { "pull", begin_pull },
	{ "close", begin_close }, { "listen", begin_listen },
	{ "unlisten", begin_unlisten }, { "push", begin_push },
	{ "to pull", begin_to_pull }, { "audit", begin_audit },
	{ "lease", begin_lease, .ends = 2 },
	{ "resolve", .query = DRIVER_Q_RESOLVE + 1 },
	{ "signal", .query = DRIVER_Q_SIGNAL + 1 },
	{ "ping", .query = DRIVER_Q_PING + 1 },
	{ "config", .query = DRIVER_Q_CONFIG + 1 },
	{ "set", .query = DRIVER_Q_SET + 1 },
	{ "at", .query = DRIVER_Q_AT + 1 },
	{ "restart", .query = DRIVER_Q_RESTART + 1 },
	{ "time", .query = DRIVER_Q_TIME + 1 },
	{ "identify", .stage = DRIVER_IDENTIFY + 1 },
	{ "rate", .stage = DRIVER_RATE + 1 },
	{ "sim", .stage = DRIVER_SIM + 1 },
	{ "register", .stage = DRIVER_REGISTER + 1 },
	{ "net open", .stage = DRIVER_NET_OPEN + 1 },
	{ "net close", .stage = DRIVER_NET_CLOSE + 1 },
	{ "check", .stage = DRIVER_CHECK + 1 },
};

#define OPERATIONS	(sizeof(operations) / sizeof(operations[0]))

static int begin_one(struct bench *b, size_t i)
{
	unsigned int before = b->ends;
	int err;

	if (operations[i].begin)
		err = operations[i].begin(b);
	else if (operations[i].query)
		err = begin_query(b, operations[i].query - 1);
	else
		err = drv->stage(b->d, operations[i].stage - 1);
	assert_int_equal(b->ends, before);	/* not from within */

	return err;
}

/* Every command is taken; false: nothing was written. */
static bool answer_one(struct bench *b, const char *answer)
{
	struct evbuffer *out = fake_port_written(b->world.port);

	turn(b);
	if (evbuffer_get_length(out) == 0)
		fake_timers_advance(b->ts, 100);
	if (evbuffer_get_length(out) == 0)
		return false;
	evbuffer_drain(out, evbuffer_get_length(out));
	fake_port_say(b->world.port, answer);
	turn(b);
	if (evbuffer_get_length(out) == 0)	/* a prompt that is waited for */
		fake_timers_advance(b->ts, 100);

	return true;
}

static const char *const answers[] = {
	"\r\nOK\r\n", "\r\nERROR\r\n",
	"\r\n4,CONNECT\r\n\r\nOK\r\n", "\r\n4,CLOSED\r\n\r\nERROR\r\n",
};

/* Ended by reset() after @n commands were answered; then the modem goes on
 * with what it was told before, and is asked the same again. */
static void reset_after(void **state, size_t i, unsigned int n,
			const char *answer, bool gone)
{
	struct bench *b;
	unsigned int done = 0, want = operations[i].ends;

	assert_int_equal(set_up(state), 0);
	b = *state;
	assert_int_equal(begin_one(b, i), 0);
	while (done < n && b->ends == 0 && answer_one(b, answer))
		done++;
	drv->reset(b->d, gone);
	if (!gone && operations[i].stage)	/* it goes on */
		drv->reset(b->d, true);
	if (b->ends < (want ? want : 1))
		print_error("%s, reset after %u of \"%s\": %s\n",
			    operations[i].name, n, answer, b->log);
	want = b->ends;
	assert_int_equal(want, operations[i].ends ? operations[i].ends : 1);
	/* whatever it says late */
	fake_port_say(b->world.port, answer);
	fake_timers_advance(b->ts, 100);
	fake_port_say(b->world.port, "\r\nSEND OK\r\n");
	unanswered(b, 1000);
	fake_timers_advance(b->ts, 200000);
	if (b->ends != want)
		print_error("%s, long after %u of \"%s\": %s\n",
			    operations[i].name, n, answer, b->log);
	assert_int_equal(b->ends, want);
	evbuffer_drain(fake_port_written(b->world.port), 100000);
	assert_int_equal(begin_one(b, i), 0);
	b->len = 0;
	tear_down(state);
}

static void one_end(void **state)
{
	unsigned int n;
	size_t i, a;

	for (i = 0; i < OPERATIONS; i++) {
		for (a = 0; a < sizeof(answers) / sizeof(answers[0]); a++) {
			for (n = 0; n < 14; n++) {
				reset_after(state, i, n, answers[a], false);
				reset_after(state, i, n, answers[a], true);
			}
		}
	}
}

/* Each ends by itself, too, also when nobody answers at all. */
static void end_in_silence(void **state)
{
	struct bench *b;
	unsigned int want;
	size_t i;

	for (i = 0; i < OPERATIONS; i++) {
		assert_int_equal(set_up(state), 0);
		b = *state;
		want = operations[i].ends ? operations[i].ends : 1;
		assert_int_equal(begin_one(b, i), 0);
		fake_timers_advance(b->ts, 400000);
		/* between their commands: somebody says that it is gone */
		if (want > 1 || operations[i].query == DRIVER_Q_PING + 1)
			drv->reset(b->d, true);
		if (b->ends != want)
			print_error("%s: %s\n", operations[i].name, b->log);
		assert_int_equal(b->ends, want);
		tear_down(state);
	}
}

/* ------------------------------------------------------- a hostile module */

static const char *const sayings[] = {
	"OK", "OK", "OK", "ERROR", "FAIL", "SEND OK", "SEND FAIL", "busy p...",
	"busy ...", "CMD FORMAT ERR", ">", "ready", "WIFI DISCONNECT",
	"WIFI GOT IP", "%,CONNECT", "%,CLOSED",
	"+LINK_CONN:0,%,\"TCP\",1,\"192.0.2.1\",%,80", "+IPD,%,%",
	"+IPD,%,5:hello", "+IPD,%,%:hello",
	"+IPD,%,5,\"192.0.2.1\",%:hello", "+IPD,%:hello", "CONNECT", "CLOSED",
	"+CIPRECVDATA:5,hello", "+CIPRECVDATA:%,hello",
	"+CIPRECVDATA=%,5,hello", "+CIPRECVDATA:5,\"192.0.2.1\",%,hello",
	"+CIPRECVLEN:%,%,%,%,%,%,%", "+CIPRECVLEN:,,,", "+CIPRECVMODE:%",
	"+CIPSTATE:%,\"TCP\",\"192.0.2.1\",%,%,%", "+CIPMUX:%",
	"+CIPSERVER:%,%,\"TCP\",%", "+CIFSR:STAIP,\"192.0.2.9\"",
	"+CIPDOMAIN:\"192.0.2.1\"", "+PING:%", "+%", "+CIPMODE:%",
	"+CIPSNTPCFG:1,%,\"a\",\"b\",\"c\",\"d\"", "+CIPV6:%",
	"+CIPSNTPTIME:Tue Oct % 17:47:56 2021", "+CIPSNTPINTV:%",
	"+CIPTCPOPT:%,%,%,%,%", "+CWJAP:%", "+CWJAP:\"a\\", "DNS Fail",
	"+CWJAP:\"a\",\"b\",%,%", "link is not valid", "ALREADY CONNECTED",
	"too long", "no ip", "some words", "Recv % bytes",
};

static const char *const numbers[] = {
	"0", "1", "2", "3", "4", "4", "4", "5", "10", "-1", "5760", "5761",
	"65535", "4294967296", "999999999999999999", "1000000000000000000",
};

static unsigned int pick(uint32_t *seed, size_t n)
{
	*seed = *seed * 1664525 + 1013904223;

	return (unsigned int)((*seed >> 8) % n);
}

static void say_any(struct bench *b, uint32_t *seed)
{
	const char *s = sayings[pick(seed, sizeof(sayings) /
				     sizeof(sayings[0]))];
	char text[300] = "\r\n";
	const char *number;
	size_t n = pick(seed, 4) ? 2 : 0;

	for (; *s; s++) {
		number = numbers[pick(seed, sizeof(numbers) /
				      sizeof(numbers[0]))];
		if (*s == '%')
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s",
					      number);
		else
			text[n++] = *s;
	}
	strcpy(text + n, pick(seed, 16) ? "\r\n" : "");
	fake_port_say(b->world.port, text);
}

/* What it says, when, and what is asked of it is chance: the same each time. */
static void chance(void **state, uint32_t seed)
{
	struct evbuffer *out;
	unsigned int i, op, begun = 0;
	struct bench *b;

	assert_int_equal(set_up(state), 0);
	b = *state;
	out = fake_port_written(b->world.port);
	for (i = 0; i < 1500; i++) {
		op = pick(&seed, OPERATIONS);
		if (at_channel_ready(b->ch) && !begin_one(b, op))
			begun += operations[op].ends ? operations[op].ends : 1;
		if (pick(&seed, 8))
			say_any(b, &seed);
		if (pick(&seed, 3) == 0)
			fake_timers_advance(b->ts, pick(&seed, 8) ? 30 : 3000);
		if (pick(&seed, 100) == 0)
			drv->reset(b->d, pick(&seed, 2));
		turn(b);
		evbuffer_drain(out, evbuffer_get_length(out));
		b->len = 0;
		if (!port_is_open(b->world.port))
			break;
		if (!at_channel_ready(b->ch) && pick(&seed, 3) == 0) {
			fake_port_say(b->world.port, "\r\nOK\r\n");
			fake_timers_advance(b->ts, 200);
		}
		/* the modem layer begins anew */
		if (!at_channel_ready(b->ch) && pick(&seed, 50) == 0) {
			at_channel_reset(b->ch);
			drv->reset(b->d, true);
			at_channel_sync(b->ch, 3, 1000, 0);
		}
	}
	at_channel_reset(b->ch);
	drv->reset(b->d, true);
	if (b->ends != begun)
		print_error("%u begun, %u ended\n", begun, b->ends);
	assert_int_equal(b->ends, begun);
	tear_down(state);
}

static void hostile(void **state)
{
	uint32_t seed;

	for (seed = 1; seed <= 200; seed++)
		chance(state, seed);
}

#define T(test)	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(push_to_no_slot),
		T(pull_of_more_than_announced),
		T(source_without_ok),
		T(sni_without_ok),
		T(sni_refused),
		T(options_after_the_network),
		T(options_without_ok),
		T(close_that_lingers),
		T(send_in_a_slot_of_another),
		T(raw_without_a_final_line),
		T(raw_question_for_a_secret),
		T(raw_behind_a_push),
		T(forbidden_with_a_mark),
		T(slot_is_given_away), T(accepted_before_cipstart),
		cmocka_unit_test(one_end), cmocka_unit_test(end_in_silence),
		cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
