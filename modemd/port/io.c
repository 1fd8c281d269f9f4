/* SPDX-License-Identifier: MIT */

/*
 * io - the bytes of an open tty: in, out, and the watch over output that
 * does not flow.
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "base/log.h"
#include "base/timer.h"
#include "port/private.h"
#include "port/tty.h"

#define READ_SIZE	16384
#define READS_PER_TURN	4	/* then others have their turn */
#define TTY_READ_MAX	4095	/* the line discipline's: less means empty */
#define STALLED_LOOK_MS	1000	/* while stalled: does it flow again? */

static void lose(struct port *p, int err)
{
	log_warn("port: %s is gone: %s", p->path, strerror(-err));
	port_close(p);
	p->ops->lost(p->ctx, err);
}

void port_on_gone(void *ctx)
{
	struct port *p = ctx;

	p->ops->lost(p->ctx, p->gone_err);
}

/* The writer is inside port_write(): he is told from the loop. */
static void lose_later(struct port *p, int err)
{
	log_warn("port: %s is gone: %s", p->path, strerror(-err));
	port_close(p);
	p->gone_err = err;
	timer_start(p->gone, 0);
}

/* False: nothing more to read now, or no port to read from. */
static bool read_once(struct port *p)
{
	uint8_t data[READ_SIZE];
	unsigned int opens = p->opens;
	ssize_t n = read(p->fd, data, sizeof(data));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		/* VMIN is 1: no data would have said EAGAIN. */
		lose(p, n < 0 ? -errno : -ENODEV);
		return false;
	}
	p->bytes_in += (uint64_t)n;
	p->ops->input(p->ctx, data, (size_t)n);

	return n >= TTY_READ_MAX && p->fd >= 0 && p->opens == opens;
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct port *p = ctx;
	int i;

	(void)fd;
	(void)what;
	for (i = 0; i < READS_PER_TURN && read_once(p); i++)
		;
}

static void set_stalled(struct port *p, bool stalled)
{
	if (p->stalled == stalled)
		return;

	p->stalled = stalled;
	log_info("port: %s: output %s", p->path,
		 stalled ? "stalled" : "flows again");
	p->ops->stalled(p->ctx, stalled);
}

/* What has left the machine: not what only waits in the kernel. */
static void note_progress(struct port *p)
{
	uint64_t drained = p->bytes_out - tty_queued(p->fd);

	if (drained == p->drained)
		return;
	p->drained = drained;
	p->moved_at_ms = timers_mono_ms(p->ts);
}

/* Before bytes are added: a wait that begins now is not an old one. */
void port_watch_stall(struct port *p)
{
	if (port_unwritten(p) == 0 && tty_queued(p->fd) == 0)
		p->moved_at_ms = timers_mono_ms(p->ts);
	if (!timer_pending(p->stall))
		timer_start(p->stall, PORT_STALL_MS);
}

/*
 * Short output never fills the kernel's buffer: with CTS low an AT command
 * just stays in there. So the look is at both queues; none when both are
 * empty.
 */
void port_on_stall(void *ctx)
{
	struct port *p = ctx;
	bool waits = port_unwritten(p) > 0 || tty_queued(p->fd) > 0;
	int64_t still_ms;

	note_progress(p);
	still_ms = timers_mono_ms(p->ts) - p->moved_at_ms;
	if (waits && still_ms >= PORT_STALL_MS)
		timer_start(p->stall, STALLED_LOOK_MS);
	else if (waits)
		timer_start(p->stall, (uint32_t)(PORT_STALL_MS - still_ms));
	set_stalled(p, waits && still_ms >= PORT_STALL_MS);
}

void port_flush_out(struct port *p)
{
	uint64_t before = p->bytes_out;
	int n;

	if (p->next_baud > 0)
		return;
	while (evbuffer_get_length(p->out) > 0) {
		n = evbuffer_write(p->out, p->fd);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN) {
			lose_later(p, -errno);
			return;
		}
		if (n <= 0)
			break;
		p->bytes_out += (uint64_t)n;
	}
	if (p->bytes_out != before)
		note_progress(p);
	if (evbuffer_get_length(p->out) > 0)
		event_add(p->writable, NULL);
	else
		event_del(p->writable);
}

static void on_writable(evutil_socket_t fd, short what, void *ctx)
{
	struct port *p = ctx;
	uint64_t before = p->bytes_out;

	(void)fd;
	(void)what;
	port_flush_out(p);
	if (p->fd >= 0 && p->bytes_out != before)
		set_stalled(p, false);
	if (p->fd >= 0 && port_unwritten(p) == 0 && p->ops->drained)
		p->ops->drained(p->ctx);
}

size_t port_unsent(const struct port *p)
{
	return p->fd < 0 ? 0 : port_unwritten(p) + tty_queued(p->fd);
}

void port_hold_input(struct port *p, bool hold)
{
	if (p->fd < 0)
		return;
	if (hold)
		event_del(p->readable);
	else
		event_add(p->readable, NULL);
}

int port_io_start(struct port *p)
{
	struct event_base *base = timers_base(p->ts);

	p->readable = event_new(base, p->fd, EV_READ | EV_PERSIST,
				on_readable, p);
	p->writable = event_new(base, p->fd, EV_WRITE | EV_PERSIST,
				on_writable, p);
	p->stalled = false;
	p->drained = p->bytes_out;
	if (!p->readable || !p->writable || event_add(p->readable, NULL) < 0)
		return -ENOMEM;

	return 0;
}

/* At once: a descriptor that hung up would wake the loop for ever. */
void port_io_stop(struct port *p)
{
	if (p->readable)
		event_free(p->readable);
	if (p->writable)
		event_free(p->writable);
	p->readable = NULL;
	p->writable = NULL;
	evbuffer_drain(p->out, evbuffer_get_length(p->out));
	timer_stop(p->stall);
	timer_stop(p->settle);
	timer_stop(p->gone);
	p->next_baud = 0;
}
