/* SPDX-License-Identifier: MIT */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at/trace.h"
#include "base/timer.h"

struct at_trace {
	struct timers *timers;
	void (*watch)(void *ctx, const struct at_trace_row *row);
	void *watch_ctx;
	uint64_t next_seq;
	uint64_t written;	/* bytes ever put into the ring */
	struct {
		struct at_trace_row row;	/* data is set when read */
		uint64_t start;			/* its place in @written */
	} rows[AT_TRACE_ROWS];
	uint8_t bytes[AT_TRACE_BYTES];
};

struct at_trace *at_trace_new(struct timers *ts)
{
	struct at_trace *t;

	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;

	t->timers = ts;
	t->next_seq = 1;

	return t;
}

void at_trace_free(struct at_trace *t)
{
	free(t);
}

void at_trace_watch(struct at_trace *t,
		    void (*fn)(void *ctx, const struct at_trace_row *row),
		    void *ctx)
{
	t->watch = fn;
	t->watch_ctx = ctx;
}

/* Rows are contiguous: what does not fit before the end skips it. */
static uint64_t reserve(struct at_trace *t, size_t len)
{
	size_t at = t->written % AT_TRACE_BYTES;
	uint64_t start;

	if (at + len > AT_TRACE_BYTES)
		t->written += AT_TRACE_BYTES - at;
	start = t->written;
	t->written += len;

	return start;
}

void at_trace_add(struct at_trace *t, enum at_trace_kind kind,
		  const void *data, size_t len)
{
	size_t keep = len < AT_TRACE_BYTES / 8 ? len : AT_TRACE_BYTES / 8;
	size_t i = t->next_seq % AT_TRACE_ROWS;
	struct at_trace_row row;

	t->rows[i].start = reserve(t, keep);
	if (keep > 0)
		memcpy(&t->bytes[t->rows[i].start % AT_TRACE_BYTES], data,
		       keep);
	t->rows[i].row = (struct at_trace_row){
		.seq = t->next_seq++,
		.wall_ms = timers_wall_ms(t->timers),
		.mono_us = timers_mono_us(t->timers),
		.kind = kind,
		.len = keep,
	};
	if (t->watch && at_trace_next(t, t->next_seq - 2, &row))
		t->watch(t->watch_ctx, &row);
}

void at_trace_note(struct at_trace *t, const char *fmt, ...)
{
	char text[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	at_trace_add(t, AT_TRACE_NOTE, text,
		     (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

bool at_trace_next(const struct at_trace *t, uint64_t after_seq,
		   struct at_trace_row *row)
{
	uint64_t seq = after_seq + 1;
	size_t i;

	if (after_seq >= t->next_seq - 1)
		return false;
	if (t->next_seq > AT_TRACE_ROWS && seq < t->next_seq - AT_TRACE_ROWS)
		seq = t->next_seq - AT_TRACE_ROWS;

	i = seq % AT_TRACE_ROWS;
	*row = t->rows[i].row;
	if (t->written - t->rows[i].start <= AT_TRACE_BYTES)
		row->data = &t->bytes[t->rows[i].start % AT_TRACE_BYTES];

	return true;
}
