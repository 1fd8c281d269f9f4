/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "fake_port.h"
#include "fake_timer.h"
#include "fake_world.h"

struct port {
	const struct config_modem *set;
	const struct port_ops *ops;
	void *ctx;
	const struct fake_port_hooks *hooks;
	void *hook_ctx;
	struct fake_world *world;
	struct timer *gone;		/* tells lost() from the loop */
	struct evbuffer *held;		/* unwritten */
	struct evbuffer *written;
	bool open, hold, lose_at_write, hold_input;
	struct evbuffer *unread;
	int gone_err;
	int open_err;
	unsigned int opens;
	unsigned int baud;
	uint64_t in, out;
	char reason[160];
};

static const struct fake_port_hooks no_hooks;

static void tell_lost(void *ctx)
{
	struct port *p = ctx;

	p->ops->lost(p->ctx, p->gone_err);
}

struct port *port_new(struct timers *ts, const struct config_modem *set,
		      const struct port_ops *ops, void *ctx)
{
	struct fake_world *w = fake_timers_world(ts);
	struct port *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->set = set;
	p->ops = ops;
	p->ctx = ctx;
	p->world = w;
	p->hooks = w && w->port_hooks ? w->port_hooks : &no_hooks;
	p->hook_ctx = w ? w->port_ctx : NULL;
	p->gone = timer_new(ts, tell_lost, p);
	p->held = evbuffer_new();
	p->written = evbuffer_new();
	p->unread = evbuffer_new();
	if (w)
		w->port = p;

	return p;
}

void port_free(struct port *p)
{
	if (!p)
		return;
	port_close(p);
	timer_free(p->gone);
	evbuffer_free(p->held);
	evbuffer_free(p->written);
	evbuffer_free(p->unread);
	if (p->world && p->world->port == p)
		p->world->port = NULL;
	free(p);
}

int port_open(struct port *p, unsigned int baud)
{
	p->opens++;
	if (p->open_err)
		return p->open_err;
	p->open = true;
	p->baud = baud;
	if (p->hooks->opened)
		p->hooks->opened(p->hook_ctx, p);

	return 0;
}

void port_close(struct port *p)
{
	timer_stop(p->gone);
	if (!p->open)
		return;
	p->open = false;
	evbuffer_drain(p->held, evbuffer_get_length(p->held));
	evbuffer_drain(p->unread, evbuffer_get_length(p->unread));
	p->hold_input = false;
	if (p->hooks->closed)
		p->hooks->closed(p->hook_ctx, p);
}

bool port_is_open(const struct port *p)
{
	return p->open;
}

const char *port_reason(const struct port *p)
{
	return p->reason;
}

int port_set_baud(struct port *p, unsigned int baud)
{
	if (port_unwritten(p) > 0)
		return -EBUSY;
	p->baud = baud;

	return 0;
}

unsigned int port_baud(const struct port *p)
{
	return p->baud;
}

static void pass_on(struct port *p, const void *data, size_t len)
{
	p->out += len;
	if (p->hooks->written)
		p->hooks->written(p->hook_ctx, p, data, len);
	else
		evbuffer_add(p->written, data, len);
}

int port_write(struct port *p, const void *data, size_t len)
{
	if (!p->open)
		return -ENOTCONN;
	if (p->lose_at_write) {
		p->lose_at_write = false;
		port_close(p);
		timer_start(p->gone, 0);
		return 0;
	}
	if (evbuffer_get_length(p->held) + len > PORT_OUT_MAX)
		return -ENOBUFS;
	if (p->hold)
		evbuffer_add(p->held, data, len);
	else
		pass_on(p, data, len);

	return 0;
}

size_t port_unwritten(const struct port *p)
{
	return evbuffer_get_length(p->held);
}

size_t port_unsent(const struct port *p)
{
	return port_unwritten(p);
}

void port_flush(struct port *p)
{
	evbuffer_drain(p->held, evbuffer_get_length(p->held));
}

int port_set_dtr(struct port *p, bool on)
{
	if (p->hooks->dtr)
		p->hooks->dtr(p->hook_ctx, p, on);

	return 0;
}

const char *port_path(const struct port *p)
{
	return p->open ? p->set->device : NULL;
}

const char *port_backend(const struct port *p)
{
	(void)p;

	return "fake";
}

uint64_t port_bytes_in(const struct port *p)
{
	return p->in;
}

uint64_t port_bytes_out(const struct port *p)
{
	return p->out;
}

/* ------------------------------------------------------------ for the test */

struct evbuffer *fake_port_written(struct port *p)
{
	return p->written;
}

void fake_port_feed(struct port *p, const void *data, size_t len)
{
	uint8_t *copy;

	if (!p->open || len == 0)
		return;
	if (p->hold_input) {
		evbuffer_add(p->unread, data, len);
		return;
	}
	/* exact, so that ASan sees a byte read too many */
	copy = malloc(len);
	memcpy(copy, data, len);
	p->in += len;
	p->ops->input(p->ctx, copy, len);
	free(copy);
}

void fake_port_say(struct port *p, const char *text)
{
	fake_port_feed(p, text, strlen(text));
}

void fake_port_fail_open(struct port *p, int err, const char *reason)
{
	p->open_err = err;
	snprintf(p->reason, sizeof(p->reason), "%s", reason);
}

unsigned int fake_port_opens(const struct port *p)
{
	return p->opens;
}

void fake_port_lose(struct port *p, int err)
{
	if (!p->open)
		return;
	port_close(p);
	p->ops->lost(p->ctx, err);
}

void fake_port_lose_at_write(struct port *p, int err)
{
	p->lose_at_write = true;
	p->gone_err = err;
}

void fake_port_hold(struct port *p, bool hold)
{
	size_t len = evbuffer_get_length(p->held);
	uint8_t *data;

	p->hold = hold;
	if (hold || len == 0)
		return;
	data = malloc(len);
	evbuffer_remove(p->held, data, len);
	pass_on(p, data, len);
	free(data);
	if (p->ops->drained)
		p->ops->drained(p->ctx);
}

void port_hold_input(struct port *p, bool hold)
{
	size_t len = evbuffer_get_length(p->unread);
	uint8_t *data;

	p->hold_input = hold;
	if (hold || len == 0)
		return;
	data = malloc(len);
	evbuffer_remove(p->unread, data, len);
	fake_port_feed(p, data, len);
	free(data);
}

size_t fake_port_unread(const struct port *p)
{
	return evbuffer_get_length(p->unread);
}

void fake_port_stalled(struct port *p, bool stalled)
{
	p->ops->stalled(p->ctx, stalled);
}
