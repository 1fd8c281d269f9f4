/* SPDX-License-Identifier: MIT */

/*
 * clock - monotonic nanoseconds and the conversions the event loop wants.
 *
 * Called by: everybody who waits.   Calls: nothing.
 */

#ifndef MODEMSIM_CLOCK_H
#define MODEMSIM_CLOCK_H

#include <stdint.h>
#include <sys/time.h>
#include <time.h>

#define NS_PER_S	1000000000LL
#define NS_PER_MS	1000000LL

static inline int64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static inline struct timeval clock_tv_ms(unsigned int ms)
{
	return (struct timeval){ ms / 1000, (ms % 1000) * 1000 };
}

/* Rounded up: a timer that fires early would only have to be set again. */
static inline struct timeval clock_tv_ns(int64_t ns)
{
	int64_t us = ns > 0 ? (ns + 999) / 1000 : 0;

	return (struct timeval){ us / 1000000, us % 1000000 };
}

#endif
