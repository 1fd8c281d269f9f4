/* SPDX-License-Identifier: MIT */

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
#include <unistd.h>

#include "base/log.h"
#include "base/state.h"
#include "core_config.h"
#include "fake_timer.h"
#include "driver/driver.h"
#include "modem_bench.h"

/* -------------------------------------------------------------- its reports */

__attribute__((format(printf, 3, 4)))
static void note(struct bench *b, uint64_t link, const char *fmt, ...)
{
	char *start = b->log + b->len;
	va_list ap;

	va_start(ap, fmt);
	b->len += (size_t)vsnprintf(start, sizeof(b->log) - b->len, fmt, ap);
	va_end(ap);
	assert_true(b->len < sizeof(b->log));
	if (b->on_event)
		b->on_event(b, start, link);
}

static const char *err_name(int err)
{
	return err ? strerrorname_np(-err) : "ok";
}

static void on_queued(void *ctx, uint64_t link, const char *reason)
{
	assert_true(strlen(reason) > 0);
	note(ctx, link, "queued(%d) ", (int)link);
}

static void on_opened(void *ctx, uint64_t link, const struct link_end *how)
{
	if (how->err)
		note(ctx, link, "opened(%d,%s,%s) ", (int)link,
		     err_name(how->err), how->reason);
	else
		note(ctx, link, "opened(%d) ", (int)link);
}

static void on_data(void *ctx, uint64_t link, const uint8_t *data, size_t len,
		    const char *from)
{
	struct bench *b = ctx;

	if (!b->got[link % BENCH_LINKS])
		b->got[link % BENCH_LINKS] = evbuffer_new();
	evbuffer_add(b->got[link % BENCH_LINKS], data, len);
	note(b, link, "data(%d,%zu%s%s) ", (int)link, len, from ? "," : "",
	     from ? from : "");
}

static void on_sent(void *ctx, uint64_t link, uint32_t epoch, size_t len,
		    int err)
{
	note(ctx, link, "sent(%d/%u,%zu%s%s) ", (int)link, epoch, len,
	     err ? "," : "", err ? err_name(err) : "");
}

static void on_confirmed(void *ctx, uint64_t link, uint32_t epoch,
			 uint64_t confirmed)
{
	note(ctx, link, "confirmed(%d/%u,%d) ", (int)link, epoch,
	     (int)confirmed);
}

static void on_listening(void *ctx, uint64_t listener, int err,
			 const char *text)
{
	(void)text;
	note(ctx, 0, "listening(%d,%s) ", (int)listener, err_name(err));
}

static void on_accepted(void *ctx, uint64_t listener, uint64_t link,
			const char *peer)
{
	note(ctx, link, "accepted(%d,%d,%s) ", (int)listener, (int)link, peer);
}

static void on_refused(void *ctx, uint64_t listener, const char *peer, int err)
{
	note(ctx, 0, "refused(%d,%s,%s) ", (int)listener, peer, err_name(err));
}

static void on_listener_lost(void *ctx, uint64_t listener, const char *reason)
{
	note(ctx, 0, "listener_lost(%d,%s) ", (int)listener, reason);
}

static void on_listener_restored(void *ctx, uint64_t listener)
{
	note(ctx, 0, "listener_restored(%d) ", (int)listener);
}

static void on_unlistened(void *ctx, uint64_t listener, int err,
			  const char *reason)
{
	note(ctx, 0, "unlistened(%d,%s,%s) ", (int)listener, err_name(err),
	     reason);
}

static void on_progress(void *ctx, uint32_t query, unsigned int seq,
			const struct driver_echo *echo)
{
	note(ctx, 0, "progress(%u,%u,%s) ", query, seq,
	     echo->timeout ? "timeout" : echo->address);
}

static void note_end(struct bench *b, const char *what, uint64_t link,
		     const struct link_end *how)
{
	note(b, link, "%s(%d/%u,%s,%s,%d/%d/%d) ", what, (int)link, how->epoch,
	     err_name(how->err), how->reason, (int)how->counts.accepted,
	     (int)how->counts.taken, (int)how->counts.received);
}

static void on_lost(void *ctx, uint64_t link, const struct link_end *how)
{
	note_end(ctx, "lost", link, how);
}

static void on_restored(void *ctx, uint64_t link, uint32_t epoch)
{
	note(ctx, link, "restored(%d/%u) ", (int)link, epoch);
}

static void on_closed(void *ctx, uint64_t link, const struct link_end *how)
{
	note_end(ctx, "closed", link, how);
}

static void on_answered(void *ctx, uint32_t query, int err,
			const struct driver_answer *answer)
{
	char pings[96] = "";

	if (answer->pings_sent > 0)
		snprintf(pings, sizeof(pings), "%u/%u/%u,%u/%u/%u",
			 answer->pings_sent, answer->pings_received,
			 answer->pings_lost, answer->min_ms, answer->avg_ms,
			 answer->max_ms);
	note(ctx, 0, "answered(%u,%s,%s%s) ", query, err_name(err),
	     answer->text, pings);
}

static void add_name(char *list, size_t size, const char *name)
{
	size_t len = strlen(list), n = strlen(name);

	/* each once in a row */
	if (len > n && strncmp(list + len - n - 1, name, n) == 0 &&
	    (len == n + 1 || list[len - n - 2] == ' '))
		return;
	snprintf(list + len, size - len, "%s ", name);
}

static void on_modem_changed(void *ctx)
{
	struct bench *b = ctx;

	if (b->m)
		add_name(b->states, sizeof(b->states),
			 bench_status(b).state_name);
}

static void on_network_changed(void *ctx)
{
	struct bench *b = ctx;

	add_name(b->networks, sizeof(b->networks),
		 bench_status(b).network_name);
}

static void on_restarted(void *ctx, int err, const char *text)
{
	note(ctx, 0, "restarted(%s%s%s) ", err_name(err), text[0] ? "," : "",
	     text);
}

static void on_stopped(void *ctx)
{
	note(ctx, 0, "stopped ");
}

static const struct modem_ops ops = {
	.queued = on_queued, .opened = on_opened, .data = on_data,
	.sent = on_sent, .lost = on_lost, .restored = on_restored,
	.closed = on_closed, .answered = on_answered,
	.confirmed = on_confirmed, .listening = on_listening,
	.accepted = on_accepted, .refused = on_refused,
	.listener_lost = on_listener_lost,
	.listener_restored = on_listener_restored,
	.unlistened = on_unlistened, .progress = on_progress,
	.restarted = on_restarted,
	.modem_changed = on_modem_changed,
	.network_changed = on_network_changed, .stopped = on_stopped,
};

/* ----------------------------------------------------------------- its life */

int bench_set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	int err;

	log_init("test", LOG_TARGET_STDERR, getenv("TEST_LOG") ?
		 LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
	b->ts = fake_timers_new(1, &b->world);
	core_config(&b->cfg);
	strcpy(b->dir, "/tmp/modemd-test-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->path, sizeof(b->path), "%s/state", b->dir);
	b->script = script_new(&b->world);
	b->state = state_open(b->path, &err);
	assert_int_equal(err, 0);
	*state = b;

	return 0;
}

void bench_start(struct bench *b)
{
	assert_int_equal(modem_new(b->ts, &b->cfg, b->state, &ops, b, &b->m),
			 0);
	modem_start(b->m);
}

void bench_restart(struct bench *b)
{
	int err;

	modem_free(b->m);
	b->m = NULL;
	state_close(b->state);
	b->state = state_open(b->path, &err);
	assert_non_null(b->state);
	bench_forget(b);
	bench_start(b);
}

int bench_set_up_open(void **state)
{
	struct bench *b;

	bench_set_up(state);
	b = *state;
	bench_start(b);
	bench_wait(b, 3000);
	assert_int_equal(bench_status(b).network, NETWORK_OPEN);
	bench_expect(b, "");
	script_forget_heard(b->script);

	return 0;
}

int bench_tear_down(void **state)
{
	struct bench *b = *state;
	unsigned int i;

	modem_free(b->m);
	state_close(b->state);
	script_free(b->script);
	assert_int_equal(fake_timers_pending(b->ts), 0);
	timers_free(b->ts);
	for (i = 0; i < BENCH_LINKS; i++) {
		if (b->got[i])
			evbuffer_free(b->got[i]);
	}
	unlink(b->path);
	rmdir(b->dir);
	free(b);

	return 0;
}

void bench_wait(struct bench *b, uint32_t ms)
{
	fake_timers_advance(b->ts, ms);
}

/* ------------------------------------------------------------------ looking */

void bench_forget(struct bench *b)
{
	b->log[0] = '\0';
	b->len = 0;
	b->states[0] = '\0';
	b->networks[0] = '\0';
}

void bench_expect(struct bench *b, const char *want)
{
	assert_string_equal(b->log, want);
	b->log[0] = '\0';
	b->len = 0;
}

void bench_expect_prefix(struct bench *b, const char *want)
{
	if (strncmp(b->log, want, strlen(want)) != 0)
		fail_msg("<%s> does not begin with <%s>", b->log, want);
	b->log[0] = '\0';
	b->len = 0;
}

struct modem_status bench_status(struct bench *b)
{
	struct modem_status st;

	modem_get_status(b->m, &st);

	return st;
}

/* A state that waits says why, and when it tries again. */
void bench_expect_state(struct bench *b, enum modem_state state,
			const char *in_reason)
{
	struct modem_status st = bench_status(b);

	if (st.state != state)
		fail_msg("state is %s (%s)", st.state_name, st.reason);
	if (in_reason && !strstr(st.reason, in_reason) &&
	    !strstr(st.network_reason, in_reason))
		fail_msg("reason is <%s> <%s>, without <%s>", st.reason,
			 st.network_reason, in_reason);
}

int bench_open_args(struct bench *b, const struct link_args *args)
{
	uint64_t id = 0;
	int err;

	err = modem_link_open(b->m, args, &id);

	return err ? err : (int)id;
}

int bench_open(struct bench *b)
{
	struct link_args args = { .host = "host", .port = 80 };

	return bench_open_args(b, &args);
}

uint64_t bench_opened(struct bench *b)
{
	int id = bench_open(b);
	char want[32];

	assert_true(id > 0);
	bench_wait(b, 100);
	snprintf(want, sizeof(want), "opened(%d) ", id);
	bench_expect(b, want);
	script_forget_heard(b->script);

	return (uint64_t)id;
}

struct link_info bench_info(struct bench *b, uint64_t link)
{
	struct link_info info;

	assert_int_equal(modem_link_info(b->m, link, &info), 0);

	return info;
}

int bench_send(struct bench *b, uint64_t link, const void *data, size_t len)
{
	struct link_info info = { 0 };

	(void)modem_link_info(b->m, link, &info);

	return modem_link_send(b->m, link, info.epoch, data, len);
}

static void expect_bytes(struct evbuffer *have, const void *data, size_t len)
{
	size_t n = have ? evbuffer_get_length(have) : 0;

	assert_int_equal(n, len);
	if (len > 0)
		assert_memory_equal(evbuffer_pullup(have, -1), data, len);
	if (have)
		evbuffer_drain(have, n);
}

void bench_expect_got(struct bench *b, uint64_t link, const void *data,
		      size_t len)
{
	expect_bytes(b->got[link % BENCH_LINKS], data, len);
}

void bench_expect_sent(struct bench *b, unsigned int slot, const void *data,
		       size_t len)
{
	expect_bytes(script_sent(b->script, slot), data, len);
}

void bench_fill(void *data, size_t len, unsigned int seed)
{
	uint8_t *p = data;
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = (uint8_t)((i * 7 + seed * 31 + (i >> 8)) & 0xff);
}
