/* SPDX-License-Identifier: MIT */

/*
 * private - the inside of a port, shared by its three files: port.c (life and
 * questions), open.c (from a name to a locked, set up tty), io.c (the bytes).
 *
 * Called by: port/.   Calls: nothing.
 */

#ifndef MODEMD_PORT_PRIVATE_H
#define MODEMD_PORT_PRIVATE_H

#include <limits.h>

#include "port.h"

struct event;
struct evbuffer;
struct sp_port;
struct timer;

struct port {
	struct timers *ts;
	const struct config_modem *set;
	const struct port_ops *ops;
	void *ctx;

	/*
	 * @fd holds the lock and carries all bytes; it is opened first and
	 * closed last. @sp, where libserialport accepts the device, is a
	 * second way in, for settings only.
	 */
	int fd;
	struct sp_port *sp;
	struct event *readable;
	struct event *writable;		/* pending only while @out is filled */
	struct evbuffer *out;
	unsigned int baud;
	unsigned int opens;		/* tells a reopening during an upcall */
	char path[PATH_MAX];
	char reason[512];

	struct timer *stall;		/* runs only while output may wait */
	uint64_t drained;		/* bytes that left, when last seen */
	int64_t moved_at_ms;		/* when that number last grew */
	bool stalled;

	struct timer *settle;		/* polls until a new rate may be set */
	unsigned int next_baud;		/* 0: none waits */
	int64_t settle_until_ms;

	struct timer *gone;		/* tells of a loss that a write found */
	int gone_err;

	uint64_t bytes_in;
	uint64_t bytes_out;		/* taken by the kernel */
};

/* open.c: all on p->fd and p->sp; 0 or -errno with p->reason set. */
int port_open_device(struct port *p, unsigned int baud);
void port_close_device(struct port *p);
int port_apply_baud(struct port *p, unsigned int baud);

/* io.c */
int port_io_start(struct port *p);
void port_io_stop(struct port *p);
void port_flush_out(struct port *p);	/* writes what the kernel takes now */
void port_watch_stall(struct port *p);
void port_on_stall(void *ctx);
void port_on_gone(void *ctx);

#endif
