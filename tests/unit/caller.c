/* SPDX-License-Identifier: MIT */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "caller.h"

static void hear(struct caller *c, const char *what, const char *detail)
{
	size_t len = strlen(c->heard);

	snprintf(c->heard + len, sizeof(c->heard) - len, "%s%s ", what, detail);
}

static void hear_number(struct caller *c, const char *what, int64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), ":%lld", (long long)number);
	hear(c, what, text);
}

static void hear_data(struct caller *c, struct modemclient_link *link)
{
	char data[70000];
	ssize_t n;

	while ((n = modemclient_read(link, data, sizeof(data) - 1, 0)) > 0) {
		data[n] = '\0';
		hear(c, n < 40 ? "read:" : "read", n < 40 ? data : "-much");
	}
}

static void on_event(void *ctx, const struct modemclient_event *ev)
{
	struct caller *c = ctx;

	if (c->in_callback) {
		c->in_callback(c, ev);
		return;
	}
	switch (ev->type) {
	case MODEMCLIENT_EVENT_OPENED:
		hear_number(c, "opened", ev->err);
		break;
	case MODEMCLIENT_EVENT_QUEUED:
		hear(c, "queued", "");
		break;
	case MODEMCLIENT_EVENT_READABLE:
		hear_data(c, ev->link);
		break;
	case MODEMCLIENT_EVENT_SENT:
		hear_number(c, "sent", ev->bytes);
		break;
	case MODEMCLIENT_EVENT_CLOSED:
		hear_number(c, "closed", ev->err);
		hear_number(c, "taken", (int64_t)ev->counts->taken);
		break;
	case MODEMCLIENT_EVENT_LINK_LOST:
		hear_number(c, "lost", ev->epoch);
		hear_number(c, "taken", (int64_t)ev->counts->taken);
		break;
	case MODEMCLIENT_EVENT_LINK_RESTORED:
		hear_number(c, "restored", ev->epoch);
		break;
	case MODEMCLIENT_EVENT_NETWORK:
		hear(c, "network:", ev->state);
		break;
	case MODEMCLIENT_EVENT_MODEM:
		hear(c, "modem:", ev->state);
		break;
	case MODEMCLIENT_EVENT_LINK_NEWS:
		hear(c, "news:", ev->info->remote);
		break;
	case MODEMCLIENT_EVENT_TRACE:
		hear(c, "trace:", ev->trace->text);
		break;
	case MODEMCLIENT_EVENT_STOPPING:
		hear_number(c, "stopping", ev->deadline_ms);
		break;
	case MODEMCLIENT_EVENT_EVENTS_LOST:
		hear_number(c, "events-lost", (int64_t)ev->count);
		break;
	case MODEMCLIENT_EVENT_DISCONNECTED:
		hear_number(c, "disconnected", ev->err);
		break;
	case MODEMCLIENT_EVENT_CONNECTED:
		hear(c, "connected", "");
		break;
	case MODEMCLIENT_EVENT_REPLY:
		hear_number(c, "reply", ev->err);
		if (ev->addresses && ev->addresses[0])
			hear(c, "address:", ev->addresses[0]);
		if (ev->status)
			hear(c, "instance:", ev->status->instance);
		break;
	case MODEMCLIENT_EVENT_ACCEPTED:
		hear(c, "accepted", "");
		break;
	case MODEMCLIENT_EVENT_REFUSED:
		hear_number(c, "refused", ev->err);
		break;
	case MODEMCLIENT_EVENT_LISTENER_LOST:
		hear(c, "listener-lost", ev->reason);
		break;
	case MODEMCLIENT_EVENT_LISTENER_RESTORED:
		hear(c, "listener-restored", "");
		break;
	case MODEMCLIENT_EVENT_PING:
		hear_number(c, "ping", ev->echo->seq);
		break;
	case MODEMCLIENT_EVENT_LEASE:
		hear(c, "lease:", ev->state);
		break;
	case MODEMCLIENT_EVENT_CONFIRMED:
		hear_number(c, "confirmed", (int64_t)ev->count);
		break;
	}
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);

	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void *run_call(void *arg)
{
	struct caller *c = arg;
	int64_t from = now_ms();

	c->ret = c->call(c);
	c->took_ms = now_ms() - from;

	return NULL;
}

void caller_start(struct caller *c, ssize_t (*call)(struct caller *c))
{
	c->call = call;
	assert_int_equal(pthread_create(&c->thread, NULL, run_call, c), 0);
}

ssize_t caller_finish(struct caller *c)
{
	assert_int_equal(pthread_join(c->thread, NULL), 0);

	return c->ret;
}

ssize_t call_connect(struct caller *c)
{
	return modemclient_connect(&c->opts, &c->mc);
}

ssize_t call_wait_connected(struct caller *c)
{
	return modemclient_wait_connected(c->mc, c->timeout_ms);
}

ssize_t call_open(struct caller *c)
{
	if (!c->open.host)
		return modemclient_open(c->mc, "host", 80, c->timeout_ms,
					&c->link);

	return modemclient_open_with(c->mc, &c->open, c->timeout_ms, &c->link);
}

ssize_t call_read(struct caller *c)
{
	return modemclient_read(c->link, c->buf, c->len, c->timeout_ms);
}

ssize_t call_write(struct caller *c)
{
	return modemclient_write(c->link, c->buf, c->len, c->timeout_ms);
}

ssize_t call_drain(struct caller *c)
{
	return modemclient_drain(c->link, c->timeout_ms);
}

ssize_t call_close(struct caller *c)
{
	return modemclient_close(c->link, c->timeout_ms, &c->counts);
}

ssize_t call_abort(struct caller *c)
{
	return modemclient_abort(c->link, c->timeout_ms, &c->counts);
}

ssize_t call_wait_restored(struct caller *c)
{
	return modemclient_wait_restored(c->link, c->timeout_ms);
}

ssize_t call_subscribe(struct caller *c)
{
	return modemclient_subscribe(c->mc, (unsigned int)c->len,
				     c->timeout_ms);
}

struct caller *caller_new(uint32_t window, uint32_t credit, bool events)
{
	struct caller *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->f = calloc(1, sizeof(*c->f));
	assert_non_null(c->f);
	c->f->window = window;
	c->f->credit = credit;
	c->timeout_ms = 5000;
	c->opts.size = sizeof(c->opts);
	c->opts.socket = c->f->path;
	c->opts.event = events ? on_event : NULL;
	c->opts.ctx = c;
	c->open.size = sizeof(c->open);
	fake_listen(c->f);
	caller_start(c, call_connect);
	fake_greet(c->f);
	assert_int_equal(caller_finish(c), 0);

	return c;
}

void caller_free(struct caller *c)
{
	modemclient_free(c->mc);
	fake_free(c->f);
	free(c);
}

void caller_open(struct caller *c, uint64_t id)
{
	struct modemclient_open_options o = MODEMCLIENT_OPEN_OPTIONS_INIT;
	uint64_t request;

	if (c->open.host)
		o = c->open;
	else
		o.host = "host";
	o.port = 80;
	assert_int_equal(modemclient_open_start(c->mc, &o, &c->link), 0);
	request = fake_take(c->f, MODEMD__V1__REQUEST__KIND_OPEN);
	fake_open_reply(c->f, request, id);
	fake_opened(c->f, id, 1, MODEMD__V1__STATUS__OK, NULL);
	assert_int_equal(modemclient_process(c->mc), 0);
	assert_int_equal(modemclient_link_error(c->link), 0);
	c->heard[0] = '\0';
}

int caller_process(struct caller *c)
{
	return modemclient_process(c->mc);
}
