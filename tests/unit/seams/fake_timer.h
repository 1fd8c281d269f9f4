/* SPDX-License-Identifier: MIT */

/*
 * fake_timer - base/timer.h on a clock that moves only when it is told to.
 *
 * The order is that of the daemon's loop: a timer never runs from within
 * timer_start(), what is started with 0 ms runs in the next turn, and timers
 * of the same moment run in the order of their start.
 *
 * Called by: tests.   Calls: the C library.
 */

#ifndef MODEMD_FAKE_TIMER_H
#define MODEMD_FAKE_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/timer.h"

struct fake_world;

/* timers_new(NULL, seed), and @w (borrowed) is what the fakes share. */
struct timers *fake_timers_new(uint64_t seed, struct fake_world *w);
struct fake_world *fake_timers_world(const struct timers *ts);

/*
 * Runs all that becomes due within @ms, in order, each at its own moment;
 * advance(0) runs what is due now. Aborts the test when the clock stands
 * still for a hundred thousand turns: in the daemon that is a busy loop.
 */
void fake_timers_advance(struct timers *ts, uint32_t ms);

/* One turn of the loop, without moving the clock; false: nothing was due. */
bool fake_timers_turn(struct timers *ts);

/* Timers that are waiting. */
size_t fake_timers_pending(const struct timers *ts);

/* ms until the next one is due, -1: none waits. */
int64_t fake_timers_next_ms(const struct timers *ts);

/* Times that any timer ran. */
uint64_t fake_timers_runs(const struct timers *ts);

void fake_timers_set_wall(struct timers *ts, int64_t wall_ms);

#endif
