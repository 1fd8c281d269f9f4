/* SPDX-License-Identifier: MIT */

/*
 * modem_clock - the modem's own time of day.
 *
 * It starts with 1970 at every boot and is right only once a time server has
 * answered (or with --clock-set). Certificates are judged by it.
 *
 * Called by: modem, tls, dialects.   Calls: nothing.
 */

#ifndef MODEMSIM_MODEM_CLOCK_H
#define MODEMSIM_MODEM_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct modem_clock {
	bool set;
	time_t start;		/* what it said ... */
	int64_t start_ns;	/* ... at this point of clock_ns() */
};

/* Boot: 1970, or the host's time if @right. */
void modem_clock_reset(struct modem_clock *c, bool right);

/* A time server has said: it is @now, UTC. */
void modem_clock_set(struct modem_clock *c, time_t now);

/* UTC, as far as the modem knows. */
time_t modem_clock_now(const struct modem_clock *c);

#endif
