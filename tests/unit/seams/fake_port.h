/* SPDX-License-Identifier: MIT */

/*
 * fake_port - port/port.h without a tty: the test is the modem.
 *
 * What the core writes goes to the hook, or is kept until it is taken; what
 * the modem says is fed from the test or from a timer, never from within the
 * hook.
 *
 * Called by: tests.   Calls: fake_timer, libevent's buffers.
 */

#ifndef MODEMD_FAKE_PORT_H
#define MODEMD_FAKE_PORT_H

#include <stdarg.h>

#include "port/port.h"

struct evbuffer;
struct fake_world;

/* In the world before port_new(). Each may be NULL. */
struct fake_port_hooks {
	void (*opened)(void *ctx, struct port *p);
	void (*closed)(void *ctx, struct port *p);
	void (*written)(void *ctx, struct port *p, const uint8_t *data,
			size_t len);
	void (*dtr)(void *ctx, struct port *p, bool on);
};

/* What was written and taken by nobody; without a written() hook. */
struct evbuffer *fake_port_written(struct port *p);

/* The modem says this. Bytes for a port that is not open are lost. */
void fake_port_feed(struct port *p, const void *data, size_t len);
void fake_port_say(struct port *p, const char *text);

/* The next opens fail with @err (0: succeed) and this sentence. */
void fake_port_fail_open(struct port *p, int err, const char *reason);
unsigned int fake_port_opens(const struct port *p);	/* tries so far */

/* Hangs up: the port is closed, lost() told. */
void fake_port_lose(struct port *p, int err);

/* The next write finds the port gone; lost() follows from the loop. */
void fake_port_lose_at_write(struct port *p, int err);

/* CTS low: what is written stays unwritten until it is high again. */
void fake_port_hold(struct port *p, bool hold);
void fake_port_stalled(struct port *p, bool stalled);

/* Bytes fed that the core does not read: port_hold_input(). */
size_t fake_port_unread(const struct port *p);

#endif
