/* SPDX-License-Identifier: MIT */

#include "base/timer.h"
#include "modem/backoff.h"

uint32_t backoff_next(struct backoff *b, struct timers *ts, uint32_t min_ms,
		      uint32_t max_ms)
{
	uint64_t ms = min_ms;
	unsigned int i;

	for (i = 0; i < b->tries && ms < max_ms; i++)
		ms *= 2;
	if (ms > max_ms)
		ms = max_ms;
	b->tries++;

	return (uint32_t)(ms / 2 + timers_random(ts, (uint32_t)(ms / 2) + 1));
}

void backoff_reset(struct backoff *b)
{
	b->tries = 0;
}
