/* SPDX-License-Identifier: MIT */

/*
 * port - the life of a port and what is asked of it.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "base/log.h"
#include "base/timer.h"
#include "port/private.h"
#include "port/tty.h"

#define SETTLE_MS	2	/* between looks, while a new rate waits */

/* A rate is set when the kernel's buffer is empty, or will never be. */
static void on_settle(void *ctx)
{
	struct port *p = ctx;
	unsigned int baud = p->next_baud;
	int err;

	if (tty_queued(p->fd) > 0 &&
	    timers_mono_ms(p->ts) < p->settle_until_ms) {
		timer_start(p->settle, SETTLE_MS);
		return;
	}
	p->next_baud = 0;
	err = port_apply_baud(p, baud);
	if (err) {
		port_close(p);
		p->ops->lost(p->ctx, err);
		return;
	}
	port_flush_out(p);
}

struct port *port_new(struct timers *ts, const struct config_modem *set,
		      const struct port_ops *ops, void *ctx)
{
	struct port *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;

	p->ts = ts;
	p->set = set;
	p->ops = ops;
	p->ctx = ctx;
	p->fd = -1;
	p->out = evbuffer_new();
	p->stall = timer_new(ts, port_on_stall, p);
	p->settle = timer_new(ts, on_settle, p);
	p->gone = timer_new(ts, port_on_gone, p);
	if (!p->out || !p->stall || !p->settle || !p->gone) {
		port_free(p);
		return NULL;
	}

	return p;
}

void port_free(struct port *p)
{
	if (!p)
		return;

	if (p->out && p->stall && p->settle && p->gone)
		port_close(p);
	timer_free(p->stall);
	timer_free(p->settle);
	timer_free(p->gone);
	if (p->out)
		evbuffer_free(p->out);
	free(p);
}

int port_open(struct port *p, unsigned int baud)
{
	int err;

	port_close(p);
	err = port_open_device(p, baud);
	if (err)
		return err;

	p->opens++;
	err = port_io_start(p);
	if (err) {
		snprintf(p->reason, sizeof(p->reason), "%.200s: %s", p->path,
			 strerror(-err));
		port_close(p);
		return err;
	}
	log_info("port: %s open at %u baud (%s)", p->path, baud,
		 port_backend(p));

	return 0;
}

void port_close(struct port *p)
{
	port_io_stop(p);
	port_close_device(p);
}

bool port_is_open(const struct port *p)
{
	return p->fd >= 0;
}

const char *port_reason(const struct port *p)
{
	return p->reason;
}

int port_set_baud(struct port *p, unsigned int baud)
{
	if (p->fd < 0)
		return -ENOTCONN;
	if (baud == 0)
		return -EINVAL;
	if (port_unwritten(p) > 0)
		return -EBUSY;
	if (tty_queued(p->fd) == 0)
		return port_apply_baud(p, baud);

	/* What is written meanwhile waits too, and goes at the new rate. */
	p->next_baud = baud;
	p->settle_until_ms = timers_mono_ms(p->ts) + PORT_STALL_MS;
	timer_start(p->settle, SETTLE_MS);

	return 0;
}

unsigned int port_baud(const struct port *p)
{
	return p->fd < 0 ? 0 : p->next_baud ? p->next_baud : p->baud;
}

int port_write(struct port *p, const void *data, size_t len)
{
	if (p->fd < 0)
		return -ENOTCONN;
	if (len > PORT_OUT_MAX - port_unwritten(p))
		return -ENOBUFS;
	port_watch_stall(p);
	if (evbuffer_add(p->out, data, len) < 0)
		return -ENOBUFS;
	port_flush_out(p);

	return p->fd < 0 ? -ENOTCONN : 0;
}

size_t port_unwritten(const struct port *p)
{
	return evbuffer_get_length(p->out);
}

void port_flush(struct port *p)
{
	if (p->fd < 0)
		return;

	evbuffer_drain(p->out, evbuffer_get_length(p->out));
	event_del(p->writable);
	tty_flush(p->fd);
	/* Tells that it flows again, if anybody was told that it did not. */
	if (p->stalled)
		timer_start(p->stall, 0);
}

int port_set_dtr(struct port *p, bool on)
{
	int err = p->fd < 0 ? -ENOTCONN : tty_set_dtr(p->fd, on);

	return err == -EINVAL ? -ENOTTY : err;
}

const char *port_path(const struct port *p)
{
	return p->fd < 0 ? NULL : p->path;
}

const char *port_backend(const struct port *p)
{
	return p->fd < 0 ? "" : p->sp ? "libserialport" : "termios";
}

uint64_t port_bytes_in(const struct port *p)
{
	return p->bytes_in;
}

uint64_t port_bytes_out(const struct port *p)
{
	return p->bytes_out;
}
