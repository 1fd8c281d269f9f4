/* SPDX-License-Identifier: MIT */

/*
 * data_watch - what of a data mode's bytes looks like a host's mistake.
 *
 * Notes, not violations: all of it may be payload. Bytes that come without a
 * pause are a burst; "AT...<CR>" is a command that was written too early or
 * too late, "+++" alone an escape that lacked its guard time.
 *
 * Called by: data.   Calls: record.
 */

#ifndef MODEMSIM_DATA_WATCH_H
#define MODEMSIM_DATA_WATCH_H

#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>

struct modem;

struct data_watch {
	char burst[64];
	size_t len;		/* may be more than the array holds */
	struct event *timer;	/* nothing must follow "+++" */
};

/* A byte of the host, @gap ns after the one before; @held: a plus held back. */
void data_watch_byte(struct modem *m, uint8_t byte, int64_t gap, int held);
void data_watch_reset(struct modem *m);
void data_watch_free(struct modem *m);

#endif
