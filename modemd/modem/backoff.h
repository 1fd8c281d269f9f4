/* SPDX-License-Identifier: MIT */

/*
 * backoff - how long to wait before the next try: doubling, with jitter.
 *
 * Called by: modem.   Calls: base/timer (chance).
 */

#ifndef MODEMD_BACKOFF_H
#define MODEMD_BACKOFF_H

#include <stdint.h>

struct timers;

struct backoff {
	unsigned int tries;
};

/* Between half and all of min * 2^tries, at most @max_ms. */
uint32_t backoff_next(struct backoff *b, struct timers *ts, uint32_t min_ms,
		      uint32_t max_ms);
void backoff_reset(struct backoff *b);

#endif
