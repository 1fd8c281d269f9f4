/* SPDX-License-Identifier: MIT */

/*
 * trace - the ring of the conversation with the modem.
 *
 * Keeps the newest rows, bounded in rows and in bytes. Secrets never enter
 * it: the channel masks them. Payload is kept, marked by its kind, and shown
 * only to those who may see it.
 *
 * Called by: channel (adds), modem and broker (read).   Calls: base/timer.
 */

#ifndef MODEMD_AT_TRACE_H
#define MODEMD_AT_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AT_TRACE_ROWS	2048
#define AT_TRACE_BYTES	262144

enum at_trace_kind {
	AT_TRACE_COMMAND,
	AT_TRACE_PAYLOAD_OUT,
	AT_TRACE_LINE,
	AT_TRACE_PAYLOAD_IN,
	AT_TRACE_PROMPT,
	AT_TRACE_NOTE,
};

/* Borrowed until the next row is added. */
struct at_trace_row {
	uint64_t seq;		/* 1, 2, 3, ... */
	int64_t wall_ms;
	int64_t mono_us;
	enum at_trace_kind kind;
	const uint8_t *data;	/* NULL with len > 0: no longer kept */
	size_t len;
};

struct timers;
struct at_trace;

struct at_trace *at_trace_new(struct timers *ts);
void at_trace_free(struct at_trace *t);

/* Each new row is also told to @fn; NULL: nobody listens. */
void at_trace_watch(struct at_trace *t,
		    void (*fn)(void *ctx, const struct at_trace_row *row),
		    void *ctx);

void at_trace_add(struct at_trace *t, enum at_trace_kind kind,
		  const void *data, size_t len);
__attribute__((format(printf, 2, 3)))
void at_trace_note(struct at_trace *t, const char *fmt, ...);

/* The oldest row kept whose seq is > @after_seq; false: none. */
bool at_trace_next(const struct at_trace *t, uint64_t after_seq,
		   struct at_trace_row *row);

#endif
