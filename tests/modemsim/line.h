/* SPDX-License-Identifier: MIT */

/*
 * line - the serial line: a pty paced in both directions at the baud rate.
 *
 * Each direction has a clock of its own that tells when its next byte is due.
 * Bytes move when due, at the latest every LINE_SLICE_NS while there are any,
 * and with no timer at all while there are none. A late timer is caught up
 * with (a UART would not have been late), at most by LINE_CATCH_UP_NS.
 *
 * Knows nothing of AT. Faults of the wire itself live here: garbling at a
 * wrong rate, lost and flipped bytes, a host that is not drained.
 *
 * Called by: modem, reply, control_commands, stats.
 * Calls: pty, baud, host_watch, tap.
 */

#ifndef MODEMSIM_LINE_H
#define MODEMSIM_LINE_H

#include <event2/buffer.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "host_watch.h"
#include "options.h"
#include "pty.h"
#include "tap.h"

#define LINE_SLICE_NS		1000000LL
/* and one byte more, which may take longer than that */
#define LINE_CATCH_UP_NS	4000000LL
/* then the host's writes fill the tty */
#define LINE_IN_MAX		4096
#define LINE_RAW_RANGES		64
#define LINE_LOW_NS		5000000LL
#define LINE_LOW_UNPACED	4096

struct line_chunk {
	TAILQ_ENTRY(line_chunk) entry;
	int64_t at_ns;		/* when the host wrote it */
	uint64_t mark;		/* what it could have read by then */
	size_t off;
	size_t len;
	uint8_t data[];
};

struct line_ops {
	/* @mark: output position that had been sent when @data was written. */
	void (*input)(void *ctx, const uint8_t *data, size_t len,
		      uint64_t mark);
	/* line_is_low() has become true, or still is. */
	void (*room)(void *ctx);
};

struct line {
	const struct options *opt;
	const struct line_ops *ops;
	void *ctx;
	struct event_base *base;
	struct pty pty;
	struct host_watch watch;
	unsigned int hosts;	/* that have come and gone */
	bool plugged;
	bool stalled;		/* the host's bytes are not taken */
	bool held;		/* the same, by flow control */
	unsigned int modem_baud;	/* 0: auto-baud */
	unsigned int next_baud;		/* AT+IPR, in force by the timer */
	struct event *baud_timer;
	uint32_t rng;
	unsigned int noise_in_ppm;
	unsigned int noise_out_ppm;
	uint64_t garbled;	/* bytes, both ways */

	/* host to modem */
	TAILQ_HEAD(, line_chunk) chunks;
	size_t in_len;
	int64_t in_clock;
	uint64_t in_pos;
	struct event *read_ev;
	struct event *in_timer;
	struct tap_list in_taps;

	/* modem to host; positions count what was queued in @out */
	struct evbuffer *out;
	struct evbuffer *inject;	/* comes first, has no position */
	uint64_t queued;
	uint64_t done;
	int64_t out_clock;
	int64_t out_late;	/* by how much the last slice came late */
	uint64_t wire_out;	/* bytes given to the pty */
	struct event *write_ev;
	struct event *out_timer;
	struct tap_list out_taps;
	struct {
		uint64_t start;
		uint64_t end;
	} raw[LINE_RAW_RANGES];	/* payload, a ring */
	unsigned int raw_next;

	/* while input is handled: when its last byte came, else 0 */
	int64_t now;
};

/* 0 or -errno, reported. */
int line_init(struct line *l, const struct options *opt,
	      struct event_base *base, const struct line_ops *ops, void *ctx);
void line_free(struct line *l);

/* A pulled and a returning USB plug. line_plug returns 0 or -errno. */
void line_unplug(struct line *l);
int line_plug(struct line *l);

/* The rate in force: --baud, else the host's. 0: unpaced. */
unsigned int line_baud(const struct line *l);

/* The time to count delays from: of the byte in hand, else of the clock. */
int64_t line_now(const struct line *l);

void line_stall(struct line *l, bool on);

/* Flow control: the modem cannot take more now. */
void line_hold(struct line *l, bool on);

/* Milliseconds until all that is queued has left. */
unsigned int line_drain_ms(struct line *l);

/* Bytes on the way are lost, both ways (a reboot). */
void line_reset(struct line *l);

/* Queue for the host. @raw: payload, no tap text goes inside. */
void line_out(struct line *l, const void *data, size_t len, bool raw);

/* Is so little queued that the line would run dry soon? */
bool line_is_low(const struct line *l);

/* Ahead of everything queued, at the next byte. */
void line_inject(struct line *l, const void *data, size_t len);

uint32_t line_random(struct line *l);

/* Between line.c and line_out.c. */
int64_t line_byte_ns(const struct line *l);
bool line_is_garbled(const struct line *l);
void line_noise(struct line *l, uint8_t *data, size_t len, unsigned int ppm);
void line_out_timer(evutil_socket_t fd, short what, void *ctx);

#endif
