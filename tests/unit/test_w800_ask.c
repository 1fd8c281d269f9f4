/* SPDX-License-Identifier: MIT */

/*
 * The W800 driver's pages beside links: server, names, ping, clock, settings,
 * raw commands, passthrough. A test is a dialogue: what must be written, and
 * what the module says to it.
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
	struct driver_time time;	/* of the last answer */
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

static void on_listening(void *up, unsigned int index, int err,
			 const char *text)
{
	note(up, "listening(%u,%s,%s) ", index, name_of(err), text);
}

static void on_unlistened(void *up, unsigned int index, int err,
			  const char *text)
{
	note(up, "unlistened(%u,%s,%s) ", index, name_of(err), text);
}

static void on_accepted(void *up, unsigned int index, unsigned int slot,
			const char *peer)
{
	assert_true(index == DRIVER_LISTENER_UNKNOWN || index == 0);
	note(up, "accepted(%u,%s) ", slot, peer ? peer : "?");
}

static void on_audited(void *up, const struct driver_table *t, int err)
{
	unsigned int i;

	note(up, "audited(%s", name_of(err));
	for (i = 0; t && i < drv->max_links; i++) {
		if (t->slots[i].open)
			note(up, " %u:%s/%d", i, t->slots[i].remote,
			     t->slots[i].listener);
	}
	if (t)
		note(up, " port %u%s", t->listeners[0],
		     t->listeners_known ? "" : "?");
	note(up, ") ");
}

static void on_progress(void *up, unsigned int id,
			const struct driver_echo *e)
{
	if (e->timeout)
		note(up, "echo(%u,timeout) ", id);
	else
		note(up, "echo(%u,%s,%u ms) ", id, e->address, e->rtt_ms);
}

static void on_answered(void *up, unsigned int id, int err,
			const struct driver_answer *a)
{
	struct bench *b = up;

	note(up, "answered(%u,%s,%s", id, name_of(err), a->text);
	if (a->pings_sent)
		note(up, "%u/%u/%u,%u/%u/%u", a->pings_sent,
		     a->pings_received, a->pings_lost, a->min_ms, a->avg_ms,
		     a->max_ms);
	if (a->time && !err)
		b->time = *a->time;
	note(up, ") ");
}

static void on_leased(void *up, int err, const char *text)
{
	note(up, "leased(%s,%s) ", name_of(err), text);
}

static void on_unleased(void *up, int err, const char *text)
{
	note(up, "unleased(%s,%s) ", name_of(err), text);
}

static void on_lease_data(void *up, const uint8_t *data, size_t len)
{
	note(up, "lease_data(%.*s) ", (int)len, (const char *)data);
}

static void on_writable(void *up)
{
	note(up, "writable ");
}

static void on_closed(void *up, unsigned int slot, enum driver_close why,
		      const char *text)
{
	(void)why;
	(void)text;
	note(up, "closed(%u) ", slot);
}

static void on_slot(void *up, unsigned int slot)
{
	note(up, "readable(%u) ", slot);
}

static void on_text(void *up, const char *text)
{
	note(up, "news(%s) ", text);
}

static void on_pulled(void *up, unsigned int slot, long rest, int err)
{
	(void)rest;
	(void)err;
	note(up, "pulled(%u) ", slot);
}

static void on_nothing(void *up)
{
	(void)up;
}

static void on_data(void *up, unsigned int slot, const uint8_t *data,
		    size_t len, const char *from, bool end)
{
	(void)from;
	(void)end;
	note(up, "data(%u,%.*s) ", slot, (int)len, (const char *)data);
}

static const struct driver_events events = {
	.listening = on_listening, .unlistened = on_unlistened,
	.accepted = on_accepted, .audited = on_audited,
	.progress = on_progress, .answered = on_answered,
	.leased = on_leased, .unleased = on_unleased,
	.lease_data = on_lease_data, .lease_writable = on_writable,
	.closed = on_closed, .readable = on_slot, .network_lost = on_text,
	.rebooted = on_text, .hopeful = on_text, .informed = on_nothing,
	.push_lost = on_nothing, .data = on_data, .pulled = on_pulled,
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

static void silent(struct bench *b, uint32_t ms)
{
	fake_timers_advance(b->ts, ms);
	assert_int_equal(evbuffer_get_length(
				 fake_port_written(b->world.port)), 0);
}

/* "> AT+X" must be written, "< OK" is said; NULL ends it. */
static void play(struct bench *b, ...)
{
	char text[512];
	const char *s;
	va_list ap;

	va_start(ap, b);
	while ((s = va_arg(ap, const char *))) {
		snprintf(text, sizeof(text), *s == '>' ? "%s\r\n" :
			 "\r\n%s\r\n", s + 2);
		if (*s == '>')
			written(b, text);
		else
			fake_port_say(b->world.port, text);
		turn(b);
	}
	va_end(ap);
}

static int set_up_with(void **state, const char *servers, int zone)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct driver_env env = {
		.modem = &b->modem, .links = &b->links, .events = &events,
		.up = b,
	};

	*state = b;
	b->modem.wifi_ssid = b->modem.wifi_password = strdup("");
	b->modem.options = strdup("reconnect-interval=7,dns-retries=2");
	b->modem.sntp_servers = strdup(servers);
	b->modem.dns_servers = NULL;
	b->modem.zone_min = zone;
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

static int set_up(void **state)
{
	return set_up_with(state, "", 0);
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
	free(b->modem.sntp_servers);
	free(b);

	return 0;
}

/* ------------------------------------------------------------------ server */

static void listen_to(struct bench *b, unsigned int port)
{
	struct driver_listen_args a = { .port = port, .idle_s = 60 };

	assert_int_equal(drv->listen(b->d, 0, &a), 0);
	expect(b, "");
}

static void server_starts(void **state)
{
	struct bench *b = *state;

	listen_to(b, 80);
	play(b, "> AT+CIPSERVERMAXCONN=5", "< OK", "> AT+CIPSERVER=1,80",
	     "< OK", "> AT+CIPSERVER?", "< +CIPSERVER:1,80,\"TCP\",0", "< OK",
	     "> AT+CIPSTO=60", NULL);
	expect(b, "");
	play(b, "< OK", NULL);
	expect(b, "listening(0,ok,) ");
	assert_int_equal(drv->setting(b->d, 3), 5);
	assert_int_equal(drv->setting(b->d, 4), 60);
	play(b, "< 0,CONNECT", NULL);
	expect(b, "accepted(0,?) ");
}

static void server_types(void **state)
{
	static const struct {
		struct driver_listen_args args;
		const char *command;
	} rows[] = {
		{ { .port = 1, .family = DRIVER_IPV6 },
		  "> AT+CIPSERVER=1,1,\"TCPv6\"" },
		{ { .port = 2, .tls = true },
		  "> AT+CIPSERVER=1,2,\"SSL\",0" },
		{ { .port = 3, .tls = true, .verify = true,
		    .family = DRIVER_IPV6 },
		  "> AT+CIPSERVER=1,3,\"SSLv6\",1" },
		{ { .port = 4, .max_links = 2, .idle_s = 9999 },
		  "> AT+CIPSERVER=1,4" },
	};
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < 4; i++) {
		assert_int_equal(drv->listen(b->d, 0, &rows[i].args), 0);
		play(b, i == 3 ? "> AT+CIPSERVERMAXCONN=2" :
		     "> AT+CIPSERVERMAXCONN=5", "< OK", rows[i].command,
		     "< OK", "> AT+CIPSERVER?", "< ERROR", "> AT+CIPSTO=0",
		     "< ERROR", NULL);
		expect(b, "listening(0,ok,) ");
	}
	assert_int_equal(drv->listen(b->d, 1, &rows[0].args), -EINVAL);
}

/* "no change" and OK, for another port. */
static void server_of_another_port(void **state)
{
	struct bench *b = *state;

	listen_to(b, 81);
	play(b, "> AT+CIPSERVERMAXCONN=5", "< CIPSERVER must be 0", "< ERROR",
	     "> AT+CIPSERVER=1,81", "< no change", "< OK",
	     "> AT+CIPSERVER?", "< +CIPSERVER:1,80,\"TCP\",0", "< OK", NULL);
	expect(b, "listening(0,EADDRINUSE,the module listens to port 80, and "
	       "has one server) ");
	listen_to(b, 81);
	play(b, "> AT+CIPSERVERMAXCONN=5", "< OK", "> AT+CIPSERVER=1,81",
	     "< OK", "> AT+CIPSERVER?", "< +CIPSERVER:0", "< OK", NULL);
	expect(b, "listening(0,EREMOTEIO,OK, but the module has no server) ");
	listen_to(b, 81);
	play(b, "> AT+CIPSERVERMAXCONN=5", "< OK", "> AT+CIPSERVER=1,81",
	     "< no ip", "< ERROR", NULL);
	expect(b, "listening(0,ENETDOWN,AT+CIPSERVER=1,81 was refused: no ip)"
	       " ");
}

static void server_stops(void **state)
{
	static const struct {
		const char *said, *is, *want;
	} rows[] = {
		{ "< OK", "< +CIPSERVER:0", "unlistened(0,ok,) " },
		{ "< ERROR", "< +CIPSERVER:0", "unlistened(0,ok,) " },
		{ "< OK", "< +CIPSERVER:1,80,\"TCP\",0", "unlistened(0,"
		  "EREMOTEIO,OK, but it goes on listening to port 80) " },
		{ "< ERROR", "< +CIPSERVER:1,80,\"TCP\",0", "unlistened(0,"
		  "EREMOTEIO,AT+CIPSERVER=0 was refused: ERROR) " },
	};
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < 4; i++) {
		assert_int_equal(drv->unlisten(b->d, 0), 0);
		play(b, "> AT+CIPSERVER=0", rows[i].said, "> AT+CIPSERVER?",
		     rows[i].is, "< OK", NULL);
		expect(b, rows[i].want);
	}
}

static void server_of_a_table(void **state)
{
	struct bench *b = *state;

	assert_int_equal(drv->audit(b->d), 0);
	play(b, "> AT+CIPSTATE?",
	     "< +CIPSTATE:0,\"TCP\",\"192.0.2.1\",5000,8080,1",
	     "< +CIPSTATE:4,\"TCPv6\",\"2001:db8::1\",80,1025,0", "< OK",
	     "> AT+CIPSERVER?", "< +CIPSERVER:1,8080,\"TCP\",0", "< OK",
	     "> AT+CIPRECVLEN?", "< +CIPRECVLEN:0,-1,-1,-1,0", "< OK", NULL);
	assert_non_null(strstr(b->log, "0:192.0.2.1:5000/0 "));
	assert_non_null(strstr(b->log, "port 8080)"));
	expect(b, b->log);
	assert_int_equal(drv->audit(b->d), 0);
	play(b, "> AT+CIPSTATE?", "< OK", "> AT+CIPSERVER?", "< ERROR",
	     "> AT+CIPRECVLEN?", "< OK", NULL);
	expect(b, "audited(ok port 0?) ");
}

/* ------------------------------------------------------------------- names */

static void resolve(struct bench *b, enum driver_family family,
		    const char *command)
{
	struct driver_query_args a = { .text = "a.example",
				       .family = family };

	assert_int_equal(drv->query(b->d, 7, DRIVER_Q_RESOLVE, &a), 0);
	play(b, command, NULL);
}

static void names(void **state)
{
	struct bench *b = *state;

	resolve(b, DRIVER_ANY, "> AT+CIPDOMAIN=\"a.example\"");
	play(b, "< +CIPDOMAIN:\"192.0.2.1\"", "< OK", NULL);
	expect(b, "answered(7,ok,192.0.2.1) ");
	resolve(b, DRIVER_IPV6, "> AT+CIPDOMAIN=\"a.example\",3");
	play(b, "< +CIPDOMAIN:2001:db8::1", "< OK", NULL);
	expect(b, "answered(7,ok,2001:db8::1) ");
	/* firmware that knows no family */
	resolve(b, DRIVER_IPV6, "> AT+CIPDOMAIN=\"a.example\",3");
	play(b, "< +CIPDOMAIN:\"192.0.2.1\"", "< OK", NULL);
	expect(b, "answered(7,EADDRNOTAVAIL,it answers without such an "
	       "address) ");
	resolve(b, DRIVER_IPV4, "> AT+CIPDOMAIN=\"a.example\",2");
	play(b, "< DNS Fail", "< ERROR", NULL);
	expect(b, "answered(7,EADDRNOTAVAIL,DNS Fail) ");
	resolve(b, DRIVER_ANY, "> AT+CIPDOMAIN=\"a.example\"");
	play(b, "< ERROR", NULL);
	expect(b, "answered(7,EADDRNOTAVAIL,ERROR) ");
	resolve(b, DRIVER_ANY, "> AT+CIPDOMAIN=\"a.example\"");
	play(b, "< no ip", "< ERROR", NULL);
	expect(b, "answered(7,ENETDOWN,no ip) ");
	resolve(b, DRIVER_ANY, "> AT+CIPDOMAIN=\"a.example\"");
	play(b, "< OK", NULL);
	expect(b, "answered(7,EADDRNOTAVAIL,it answers without such an "
	       "address) ");
}

static void the_signal(void **state)
{
	static const struct {
		const char *line;
		int dbm;
	} rows[] = {
		{ "< +CWJAP:\"net\",\"18:6d:cd:55:e5:7b\",6,-50,0,1", -50 },
		{ "< +CWJAP:\"a, b\",\"18:6d:cd:55:e5:7b\",6,-61", -61 },
		{ "< +CWJAP:\"a\\\"\\,b\",\"18:6d:cd:55:e5:7b\",6,-62", -62 },
		{ "< +CWJAP:\"net\"", -62 },
		{ "< No AP", -62 },
		{ "< +CWJAP:\"net\",\"x\",6,0", -62 },
	};
	struct driver_query_args none = { 0 };
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(drv->query(b->d, 1, DRIVER_Q_SIGNAL, &none),
				 0);
		play(b, "> AT+CWJAP?", rows[i].line, "< OK", NULL);
		expect(b, "answered(1,ok,) ");
		assert_int_equal(drv->info(b->d)->signal_dbm, rows[i].dbm);
	}
}

/* -------------------------------------------------------------------- ping */

static void ping(struct bench *b, unsigned int count, const char *host,
		 enum driver_family family)
{
	struct driver_query_args a = {
		.text = host, .family = family,
		.ping = { .count = count, .interval_ms = 1000,
			  .wait_ms = 10000 },
	};

	assert_int_equal(drv->query(b->d, 9, DRIVER_Q_PING, &a), 0);
}

static void pings(void **state)
{
	struct bench *b = *state;

	ping(b, 3, "h", DRIVER_ANY);
	play(b, "> AT+PING=\"h\"", "< +PING:40", "< OK", NULL);
	expect(b, "echo(9,h,40 ms) ");
	silent(b, 900);
	fake_timers_advance(b->ts, 100);
	play(b, "> AT+PING=\"h\"", "< +PING:TIMEOUT", "< ERROR", NULL);
	expect(b, "echo(9,timeout) ");
	fake_timers_advance(b->ts, 1000);
	play(b, "> AT+PING=\"h\"", "< +21", "< OK", NULL);
	expect(b, "echo(9,h,21 ms) answered(9,ok,3/2/1,21/30/40) ");
	silent(b, 5000);

	ping(b, 2, "h", DRIVER_IPV6);
	play(b, "> AT+CIPDOMAIN=\"h\",3", "< +CIPDOMAIN:\"2001:db8::1\"",
	     "< OK", "> AT+PING=\"2001:db8::1\"", "< +PING:0", "< OK", NULL);
	expect(b, "echo(9,2001:db8::1,0 ms) ");
	fake_timers_advance(b->ts, 1000);
	play(b, "> AT+PING=\"2001:db8::1\"", "< no ip", "< ERROR", NULL);
	expect(b, "answered(9,ENETDOWN,no ip1/1/0,0/0/0) ");

	ping(b, 2, "h", DRIVER_IPV4);
	play(b, "> AT+CIPDOMAIN=\"h\",2", "< ERROR", NULL);
	expect(b, "answered(9,EADDRNOTAVAIL,ERROR) ");
}

static void ping_that_is_stopped(void **state)
{
	struct bench *b = *state;

	assert_int_equal(drv->ping_stop(b->d), -EBUSY);
	ping(b, 5, "h", DRIVER_ANY);
	play(b, "> AT+PING=\"h\"", "< +PING:40", "< OK", NULL);
	assert_int_equal(drv->ping_stop(b->d), 0);
	expect(b, "echo(9,h,40 ms) ");		/* not from within */
	turn(b);
	expect(b, "answered(9,ECANCELED,1/1/0,40/40/40) ");
	/* in the middle of one */
	ping(b, 5, "h", DRIVER_ANY);
	play(b, "> AT+PING=\"h\"", NULL);
	assert_int_equal(drv->ping_stop(b->d), 0);
	play(b, "< +PING:41", "< OK", NULL);
	expect(b, "echo(9,h,41 ms) answered(9,ECANCELED,1/1/0,41/41/41) ");
	/* with its network, between two */
	ping(b, 5, "h", DRIVER_ANY);
	play(b, "> AT+PING=\"h\"", "< +PING:42", "< OK", NULL);
	b->len = 0;
	drv->reset(b->d, false);
	expect(b, "answered(9,ENETDOWN,1/1/0,42/42/42) ");
	silent(b, 5000);
}

/* Whoever sends gives it the line. */
static void ping_gets_its_turn(void **state)
{
	struct bench *b = *state;
	unsigned int i;

	ping(b, 2, "h", DRIVER_ANY);
	play(b, "> AT+PING=\"h\"", "< +PING:40", "< OK", NULL);
	b->len = 0;
	fake_timers_advance(b->ts, 500);
	assert_int_equal(drv->pull(b->d, 0, 100), 0);
	fake_timers_advance(b->ts, 600);	/* its time has come */
	for (i = 0; i < 3; i++)
		assert_int_equal(drv->pull(b->d, 0, 100), -EBUSY);
	play(b, "> AT+CIPRECVDATA=0,100", "< ERROR", NULL);
	b->len = 0;
	/* the pull is over, the line is free: the ping goes first */
	(void)drv->pull(b->d, 0, 100);
	play(b, "> AT+PING=\"h\"", "< +PING:40", "< OK", NULL);
	assert_non_null(strstr(b->log, "answered(9,ok,"));
	expect(b, b->log);
}

/* ------------------------------------------------------------------- clock */

static void ask_time(struct bench *b, const struct driver_time *set)
{
	struct driver_query_args a = { .time = set };

	memset(&b->time, 0xee, sizeof(b->time));
	assert_int_equal(drv->query(b->d, 3, DRIVER_Q_TIME, &a), 0);
}

static void read_time(struct bench *b, const char *config, const char *time)
{
	ask_time(b, NULL);
	play(b, "> AT+CIPSNTPCFG?", config, "< OK", "> AT+CIPSNTPINTV?",
	     "< +CIPSNTPINTV:600", "< OK", "> AT+CIPSNTPTIME?", time, "< OK",
	     NULL);
	expect(b, "answered(3,ok,) ");
}

static void clock_is_read(void **state)
{
	struct bench *b = *state;
	struct driver_time *t = &b->time;

	/* the manual's example: noon and some in Beijing */
	read_time(b, "< +CIPSNTPCFG:1,8,\"cn.ntp.org.cn\",\"b.example\"",
		  "< +CIPSNTPTIME:Tue Oct 19 17:47:56 2021");
	assert_int_equal(t->now_s, 1634636876);
	assert_int_equal(t->zone_min, 480);
	assert_true(t->sntp);
	assert_string_equal(t->servers[0], "cn.ntp.org.cn");
	assert_string_equal(t->servers[1], "b.example");
	assert_string_equal(t->servers[2], "");
	assert_int_equal(t->interval_s, 600);
	assert_string_equal(t->text, "Tue Oct 19 17:47:56 2021");
	/* other forms of a zone; names without quotes; one digit of a day */
	read_time(b, "< +CIPSNTPCFG:0,-330,a,b,c,d",
		  "< +CIPSNTPTIME:Fri Jan  1 00:00:00 2021");
	assert_int_equal(t->zone_min, -210);
	assert_int_equal(t->now_s, 1609459200 + 210 * 60);
	assert_false(t->sntp);
	assert_string_equal(t->servers[2], "c");
	read_time(b, "< +CIPSNTPCFG:1,-5", "< +CIPSNTPTIME:Thu Jan  1 "
		  "00:00:05 1970");
	assert_int_equal(t->zone_min, -300);
	assert_int_equal(t->now_s, -1);
	read_time(b, "< +CIPSNTPCFG:1,0", "< +CIPSNTPTIME:nonsense");
	assert_int_equal(t->now_s, -1);
	read_time(b, "< +CIPSNTPCFG:1,0",
		  "< +CIPSNTPTIME:Fri Foo  1 00:00:00 2021");
	assert_int_equal(t->now_s, -1);
}

static void clock_is_set(void **state)
{
	static const struct {
		int zone;
		const char *command, *told;
	} rows[] = {
		{ 480, "> AT+CIPSNTPCFG=1,8,\"a.example\"", "8" },
		{ -300, "> AT+CIPSNTPCFG=1,-5,\"a.example\"", "-5" },
		{ 765, "> AT+CIPSNTPCFG=1,1245,\"a.example\"", "12" },
		{ 330, "> AT+CIPSNTPCFG=1,530,\"a.example\"", "5" },
		{ -210, "> AT+CIPSNTPCFG=1,-330,\"a.example\"", "-3" },
		{ 15, "> AT+CIPSNTPCFG=1,15,\"a.example\"", "0" },
		{ -30, "> AT+CIPSNTPCFG=1,-30,\"a.example\"", "0" },
		{ 840, "> AT+CIPSNTPCFG=1,14,\"a.example\"", "14" },
		{ 0, "> AT+CIPSNTPCFG=1,0,\"a.example\"", "0" },
	};
	struct driver_query_args bad = { 0 };
	struct bench *b = *state;
	struct driver_time set = { .sntp = true };
	char told[64];
	size_t i;

	strcpy(set.servers[0], "a.example");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		set.zone_min = rows[i].zone;
		ask_time(b, &set);
		snprintf(told, sizeof(told), "< +CIPSNTPCFG:1,%s,\"a.example\"",
			 rows[i].told);
		play(b, rows[i].command, "< OK", "> AT+CIPSNTPCFG?", told,
		     "< OK", "> AT+CIPSNTPINTV?", "< ERROR",
		     "> AT+CIPSNTPTIME?",
		     "< +CIPSNTPTIME:Fri Jan  1 00:00:00 2021", "< OK", NULL);
		expect(b, "answered(3,ok,) ");
		assert_int_equal(b->time.zone_min, rows[i].zone);
		assert_int_equal(b->time.now_s, 1609459200 -
				 rows[i].zone * 60);
	}
	set.zone_min = 10;	/* would be taken for hours */
	bad.time = &set;
	assert_int_equal(drv->query(b->d, 3, DRIVER_Q_TIME, &bad), -EINVAL);
	set.zone_min = 60;
	set.interval_s = 90;
	ask_time(b, &set);
	play(b, "> AT+CIPSNTPCFG=1,1,\"a.example\"", "< OK",
	     "> AT+CIPSNTPINTV=90", "< CMD PARSE ERR", NULL);
	assert_non_null(strstr(b->log, "answered(3,EINVAL,"));
	expect(b, b->log);
}

/* ----------------------------------------------------------- settings, raw */

static void settings(void **state)
{
	struct driver_query_args a = { .setting = 6, .number = 90 };
	struct bench *b = *state;

	assert_int_equal(drv->wanted(b->d, 5), 7);	/* of modem.options */
	assert_int_equal(drv->wanted(b->d, 6), -1);
	assert_int_equal(drv->query(b->d, 2, DRIVER_Q_SET, &a), 0);
	play(b, "> AT+CIPSNTPINTV=90", "< OK", "> AT+CIPSNTPINTV?",
	     "< +CIPSNTPINTV:90", "< OK", NULL);
	expect(b, "answered(2,ok,) ");
	assert_int_equal(drv->setting(b->d, 6), 90);
	assert_int_equal(drv->wanted(b->d, 6), 90);
	/* refused: it is read all the same, and not wanted */
	a.number = 91;
	assert_int_equal(drv->query(b->d, 2, DRIVER_Q_SET, &a), 0);
	play(b, "> AT+CIPSNTPINTV=91", "< ERROR", "> AT+CIPSNTPINTV?",
	     "< +CIPSNTPINTV:90", "< OK", NULL);
	expect(b, "answered(2,EREMOTEIO,ERROR) ");
	assert_int_equal(drv->wanted(b->d, 6), 90);
	a.setting = 0;
	assert_int_equal(drv->query(b->d, 2, DRIVER_Q_SET, &a), -EINVAL);
	a.setting = 99;
	assert_int_equal(drv->query(b->d, 2, DRIVER_Q_SET, &a), -EINVAL);
	assert_int_equal(drv->query(b->d, 2, DRIVER_Q_CONFIG, &a), 0);
	assert_int_equal(drv->setting(b->d, 6), -1);
	play(b, "> AT+CIPMUX?", "< +CIPMUX:1", "< OK", "> AT+CIPRECVMODE?",
	     "< ERROR", "> AT+CIPDINFO?", "< +CIPDINFO:true", "< OK",
	     "> AT+CIPSERVERMAXCONN?", "< +CIPSERVERMAXCONN:5", "< OK",
	     "> AT+CIPSTO?", "< CMD FORMAT ERR", "> AT+CIPRECONNINTV?",
	     "< +CIPRECONNINTV:1", "< OK", "> AT+CIPSNTPINTV?",
	     "< +CIPSNTPINTV:3600", "< OK", "> AT+CIPV6?", "< +CIPV6:0",
	     "< OK", NULL);
	expect(b, "answered(2,ok,) ");
	assert_int_equal(drv->setting(b->d, 0), 1);
	assert_int_equal(drv->setting(b->d, 1), -1);
	assert_int_equal(drv->setting(b->d, 2), 1);
	assert_int_equal(drv->setting(b->d, 4), -1);
	assert_int_equal(drv->setting(b->d, 7), 0);
}

static void what_is_forbidden(void **state)
{
	static const char *const good[] = {
		"AT", "AT+CIPMUX?", "AT+CIPSTART=?", "AT+CWLAP", "AT+GMR",
		"AT+CIPSEND=?", "AT+CIPDOMAIN=\"a\"", "at+cifsr", "ATI",
	};
	static const char *const bad[] = {
		"AT+CIPMUX=0", "at+cipmux=0", "AT +CIPMUX = 0", "AT+CIPCLOSE",
		"AT+CIPSEND", "AT+CIPSENDEX=0,1", "AT+CIPSSLCSNI=0,\"a\"",
		"AT+RST", "AT+RESTORE", "ATE1", "ATE0", "AT+++", "+++",
		"AT+CWJAP=\"a?\",\"b\"", "AT+MQTTCONN=0", "AT+CIUPDATE",
		"AT+CIPSENDL=0,9", "AT+CIPFWVER", "AT+SYSSTORE=1",
		"AT+CWQAP", "AT+UART=9600,8,1,0,0",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_null(drv->forbids(good[i]));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (!drv->forbids(bad[i]))
			fail_msg("%s is allowed", bad[i]);
	}
}

static void raw(void **state)
{
	struct driver_query_args a = { .text = "AT+X", .timeout_ms = 1000 };
	struct bench *b = *state;

	assert_int_equal(drv->query(b->d, 4, DRIVER_Q_AT, &a), 0);
	play(b, "> AT+X", "< +X:1", "< some words", "< OK", NULL);
	expect(b, "answered(4,ok,+X:1\nsome words\nOK) ");
	assert_int_equal(drv->query(b->d, 4, DRIVER_Q_AT, &a), 0);
	play(b, "> AT+X", "< DNS Fail", "< ERROR", NULL);
	expect(b, "answered(4,EREMOTEIO,DNS Fail\nERROR) ");
	a.text = "AT+CIPSENDL=0,5";	/* whoever insists */
	assert_int_equal(drv->query(b->d, 4, DRIVER_Q_AT, &a), -EOPNOTSUPP);
	silent(b, 100);
	assert_int_equal(drv->query(b->d, 5, DRIVER_Q_RESTART, &a), 0);
	play(b, "> AT+RST", "< OK", NULL);
	expect(b, "answered(5,ok,AT+RST) ");
	assert_int_equal(drv->query(b->d, 5, DRIVER_Q_REVERSE, &a),
			 -EOPNOTSUPP);
}

/* ------------------------------------------------------------- passthrough */

static void way_in(struct bench *b)
{
	struct driver_lease_args a = { .host = "h", .port = 80 };

	assert_int_equal(drv->lease(b->d, &a), 0);
	play(b, "> AT+CIPSERVER=0,1", "< no change", "< OK",
	     "> AT+CIPSTATE?", "< +CIPSTATE:2,\"TCP\",\"192.0.2.1\",1,2,0",
	     "< OK", "> AT+CIPCLOSE=5", "< 2,CLOSED", "< OK",
	     "> AT+CIPRECVMODE=0", "< OK", "> AT+CIPDINFO=0", "< OK",
	     "> AT+CIPMUX=0", "< OK", "> AT+CIPSTART=\"TCP\",\"h\",80",
	     "< CONNECT", "< OK", "> AT+CIPMODE=1", "< OK",
	     "> AT+CIPSEND", NULL);
	expect(b, "");
}

/* Leaves what was written for @want: without a line's end. */
static void expect_written(struct bench *b, const char *want)
{
	written(b, want);
}

static void way_out(struct bench *b, const char *state)
{
	if (state)
		play(b, "> AT", "< OK", "> AT+CIPSTATE?", state, "< OK",
		     "> AT+CIPCLOSE", "< CLOSED", "< OK", NULL);
	else
		play(b, "> AT", "< OK", "> AT+CIPSTATE?", "< OK", NULL);
	play(b, "> AT+CIPMODE=0", "< OK", "> AT+CIPMODE?", "< +CIPMODE:0",
	     "< OK", NULL);
}

static void escape(struct bench *b)
{
	assert_int_equal(drv->unlease(b->d), 0);
	turn(b);
	fake_timers_advance(b->ts, 110);
	expect_written(b, "+++");
	silent(b, 1000);
	fake_timers_advance(b->ts, 210);
}

static void session(void **state)
{
	struct bench *b = *state;

	way_in(b);
	fake_port_say(b->world.port, "\r\nOK\r\n\r\n>hello\r\nCLOSED\r\n");
	expect(b, "leased(ok,) lease_data(hello\r\nCLOSED\r\n) ");
	assert_int_equal(drv->lease_write(b->d, (const uint8_t *)"up", 2), 2);
	expect_written(b, "up");
	escape(b);
	/* what is under way when it takes effect is payload; then frames */
	expect(b, "");
	way_out(b, "< +CIPSTATE:0,\"TCP\",\"192.0.2.1\",80,1025,0");
	expect(b, "unleased(ok,) ");
}

static void session_without_a_prompt(void **state)
{
	struct bench *b = *state;

	way_in(b);
	fake_port_say(b->world.port, "\r\nOK\r\n");
	turn(b);
	expect(b, "");
	fake_timers_advance(b->ts, 200);
	expect(b, "leased(ok,) ");
	fake_port_say(b->world.port, ">payload");
	expect(b, "lease_data(>payload) ");
	escape(b);
	way_out(b, NULL);
	expect(b, "unleased(ok,the connection had ended before) ");
	/* payload at once, which begins as a prompt's line does */
	way_in(b);
	fake_port_say(b->world.port, "\r\nOK\r\n\r");
	fake_port_say(b->world.port, "\nab");
	expect(b, "leased(ok,) lease_data(\r\n) lease_data(ab) ");
	escape(b);
	way_out(b, NULL);
	expect(b, "unleased(ok,the connection had ended before) ");
}

/* Before CIPSEND, and after +++, the module frames what comes. */
static void framed_bytes(void **state)
{
	struct bench *b = *state;

	way_in(b);
	fake_port_say(b->world.port, "\r\n+IPD,5:early\r\nOK\r\n\r\n>");
	turn(b);
	expect(b, "leased(ok,) lease_data(early) ");
	assert_int_equal(drv->unlease(b->d), 0);
	turn(b);
	fake_timers_advance(b->ts, 110);
	expect_written(b, "+++");
	fake_port_say(b->world.port, "late");
	fake_port_say(b->world.port, "r\r\n+IPD,3:end");
	turn(b);
	expect(b, "lease_data(late) lease_data(r) lease_data(end) ");
	way_out(b, "< +CIPSTATE:0,\"TCP\",\"192.0.2.1\",80,1025,0");
	expect(b, "unleased(ok,) ");
}

static void pluses(void **state)
{
	struct bench *b = *state;
	const uint8_t three[] = "+++";

	way_in(b);
	fake_port_say(b->world.port, "\r\nOK\r\n\r\n>");
	expect(b, "leased(ok,) ");
	fake_timers_advance(b->ts, 500);
	assert_int_equal(drv->lease_write(b->d, three, 3), 2);
	expect_written(b, "++");
	assert_int_equal(drv->lease_write(b->d, three, 1), 0);
	fake_timers_advance(b->ts, 200);
	expect(b, "writable ");
	assert_int_equal(drv->lease_write(b->d, three, 1), 1);
	expect_written(b, "+");
	/* among other bytes they are nothing special */
	assert_int_equal(drv->lease_write(b->d, (const uint8_t *)"a+++b", 5),
			 5);
	expect_written(b, "a+++b");
	escape(b);
	way_out(b, NULL);
	expect(b, "unleased(ok,the connection had ended before) ");
}

static void nobody_there(void **state)
{
	struct driver_lease_args a = { .host = "192.0.2.9", .port = 80 };
	struct driver_lease_args l = { .host = "", .port = 80,
				       .listen = true };
	struct bench *b = *state;

	assert_int_equal(drv->lease(b->d, &l), -EOPNOTSUPP);
	assert_int_equal(drv->lease(b->d, &a), 0);
	play(b, "> AT+CIPSERVER=0,1", "< ERROR", "> AT+CIPSTATE?", "< OK",
	     "> AT+CIPRECVMODE=0", "< OK", "> AT+CIPDINFO=0", "< OK",
	     "> AT+CIPMUX=0", "< OK",
	     "> AT+CIPSTART=\"TCP\",\"192.0.2.9\",80", "< ERROR", NULL);
	expect(b, "leased(ECONNREFUSED,ERROR) ");
	play(b, "> AT+CIPSTATE?", "< OK", "> AT+CIPMODE=0", "< OK",
	     "> AT+CIPMODE?", "< +CIPMODE:0", "< OK", NULL);
	expect(b, "unleased(ECONNREFUSED,ERROR) ");
}

/* Firmware without CIPSTATE: nobody can say whether it was there. */
static void session_of_old_firmware(void **state)
{
	struct bench *b = *state;

	way_in(b);
	fake_port_say(b->world.port, "\r\nOK\r\n\r\n>");
	expect(b, "leased(ok,) ");
	escape(b);
	play(b, "> AT", "< OK", "> AT+CIPSTATE?", "< ERROR", "> AT+CIPCLOSE",
	     "< CLOSED", "< OK", "> AT+CIPMODE=0", "< OK", "> AT+CIPMODE?",
	     "< +CIPMODE:0", "< OK", NULL);
	expect(b, "unleased(ok,) ");
}

/* It says that it stays: once more, for some seconds, then that is told. */
static void a_mode_that_stays(void **state)
{
	struct bench *b = *state;
	unsigned int i;

	way_in(b);
	fake_port_say(b->world.port, "\r\nOK\r\n\r\n>");
	expect(b, "leased(ok,) ");
	escape(b);
	play(b, "> AT", "< OK", "> AT+CIPSTATE?", "< OK", "> AT+CIPMODE=0",
	     "< OK", "> AT+CIPMODE?", "< +CIPMODE:1", "< OK", NULL);
	for (i = 0; i < 2; i++) {
		fake_timers_advance(b->ts, 300);
		play(b, "> AT+CIPMODE=0", "< OK", "> AT+CIPMODE?",
		     i == 1 ? "< +CIPMODE:0" : "< +CIPMODE:1", "< OK", NULL);
	}
	expect(b, "unleased(ok,the connection had ended before) ");
}

static void the_modem_is_gone(void **state)
{
	struct bench *b = *state;

	way_in(b);
	drv->reset(b->d, true);
	expect(b, "leased(ENODEV,the modem is gone) "
	       "unleased(ENODEV,the modem is gone) ");
}

#define T(test)	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(server_starts), T(server_types), T(server_of_another_port),
		T(server_stops), T(server_of_a_table), T(names),
		T(the_signal), T(pings), T(ping_that_is_stopped),
		T(ping_gets_its_turn), T(clock_is_read), T(clock_is_set),
		T(settings), T(what_is_forbidden), T(raw), T(session),
		T(session_without_a_prompt), T(framed_bytes), T(pluses),
		T(nobody_there), T(session_of_old_firmware), T(a_mode_that_stays), T(the_modem_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
