/* SPDX-License-Identifier: MIT */

/*
 * timer - the clocks, everything that waits on them, and chance.
 *
 * One of the seams of the core: the daemon links timer.c (libevent), a
 * simulation links another one with a virtual clock. Nothing in the core asks
 * the time, waits or rolls dice in any other way.
 *
 * Called by: all layers.   Calls: libevent.
 */

#ifndef MODEMD_TIMER_H
#define MODEMD_TIMER_H

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct timers;
struct timer;

/* @seed 0: from the kernel's randomness. @base is borrowed. */
struct timers *timers_new(struct event_base *base, uint64_t seed);
void timers_free(struct timers *ts);

/* The loop behind it, for base, port, history and client_socket alone. */
struct event_base *timers_base(const struct timers *ts);

/* CLOCK_MONOTONIC, in ms and in us. Not cached: right also in a long turn. */
int64_t timers_mono_ms(const struct timers *ts);
int64_t timers_mono_us(const struct timers *ts);

/* CLOCK_REALTIME in ms; jumps, and may say 1970. For people and history. */
int64_t timers_wall_ms(const struct timers *ts);

/* A number in 0..@below-1; @below > 0. */
uint32_t timers_random(struct timers *ts, uint32_t below);

/*
 * One waiting thing. @fn runs from the loop, never from timer_start(); with
 * a delay of 0 it runs when the loop is next at rest, which is how the core
 * defers. Starting a pending timer moves it.
 */
struct timer *timer_new(struct timers *ts, void (*fn)(void *ctx), void *ctx);
void timer_free(struct timer *t);	/* NULL is fine; also a pending one */
void timer_start(struct timer *t, uint32_t delay_ms);
void timer_stop(struct timer *t);
bool timer_pending(const struct timer *t);

/* ms until a pending timer runs; 0 when it is not pending. */
uint32_t timer_left_ms(const struct timer *t);

#endif
