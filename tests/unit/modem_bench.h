/* SPDX-License-Identifier: MIT */

/*
 * modem_bench - the modem layer and its driver between a scripted modem and a
 * log of what they report, on a virtual clock.
 *
 * Called by: test_modem*.c.   Calls: scripted_modem, test-seams, modem.
 */

#ifndef MODEMD_MODEM_BENCH_H
#define MODEMD_MODEM_BENCH_H

#include <stdint.h>

#include "base/config.h"
#include "fake_world.h"
#include "modem/modem.h"
#include "scripted_modem.h"

#define BENCH_LINKS	64	/* whose data is kept */

struct evbuffer;
struct state;

struct bench {
	struct fake_world world;
	struct timers *ts;
	struct config cfg;
	struct state *state;
	struct script *script;
	struct modem *m;
	char dir[32], path[64];
	char log[16384];
	size_t len;
	char states[1024];	/* of the modem, in turn */
	char networks[1024];
	struct evbuffer *got[BENCH_LINKS];
	/* called with each event's text */
	void (*on_event)(struct bench *b, const char *event, uint64_t link);
};

/* A modem that is not started; the test may still change cfg and script. */
int bench_set_up(void **state);
/* Brought up to an open network, and all that is settled. */
int bench_set_up_open(void **state);
int bench_tear_down(void **state);

void bench_start(struct bench *b);
/* The daemon ends and starts anew: the modem and its script stay. */
void bench_restart(struct bench *b);
void bench_wait(struct bench *b, uint32_t ms);

/* What was reported since the last look. */
void bench_expect(struct bench *b, const char *want);
void bench_expect_prefix(struct bench *b, const char *want);
void bench_forget(struct bench *b);

struct modem_status bench_status(struct bench *b);
void bench_expect_state(struct bench *b, enum modem_state state,
			const char *in_reason);

/* A link to "host":80. wait_ms 0; its id, or -errno. */
int bench_open(struct bench *b);
int bench_open_args(struct bench *b, const struct link_args *args);
/* The same, and it is open; what was reported is forgotten. */
uint64_t bench_opened(struct bench *b);
struct link_info bench_info(struct bench *b, uint64_t link);
int bench_send(struct bench *b, uint64_t link, const void *data, size_t len);
/* What the link received so far, and takes it away. */
void bench_expect_got(struct bench *b, uint64_t link, const void *data,
		      size_t len);
/* What the modem was given for that slot. */
void bench_expect_sent(struct bench *b, unsigned int slot, const void *data,
		       size_t len);
/* Bytes that differ all along. */
void bench_fill(void *data, size_t len, unsigned int seed);

#endif
