/* SPDX-License-Identifier: MIT */

/*
 * host_watch - is a host there, and clean up after one that has gone.
 *
 * inotify on the slave's node tells every open and close, so nothing is
 * polled. When the host has gone TIOCEXCL is cleared: it would outlive a
 * killed daemon and refuse the next one for ever (EBUSY unless root).
 *
 * Called by: line.   Calls: pty.
 */

#ifndef MODEMSIM_HOST_WATCH_H
#define MODEMSIM_HOST_WATCH_H

#include <event2/event.h>
#include <stdbool.h>

#include "pty.h"

struct host_watch {
	struct pty *pty;
	struct event *ev;
	struct event *again;	/* once after a look that found somebody */
	int fd;
	int wd;
	bool present;
	void (*gone)(void *ctx);
	void *ctx;
};

void host_watch_start(struct host_watch *w, struct event_base *base,
		      struct pty *pty, void (*gone)(void *ctx), void *ctx);
void host_watch_stop(struct host_watch *w);

#endif
