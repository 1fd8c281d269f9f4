/* SPDX-License-Identifier: MIT */

/* The ring of the conversation: newest rows, whole or marked as gone. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at/trace.h"
#include "fake_timer.h"
#include "fake_world.h"

struct bench {
	struct fake_world world;
	struct timers *ts;
	struct at_trace *t;
	uint64_t watched;
	bool add_more;
};

static int set_up(void **state)
{
	static struct bench b;

	memset(&b, 0, sizeof(b));
	b.ts = fake_timers_new(1, &b.world);
	b.t = at_trace_new(b.ts);
	*state = &b;

	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	at_trace_free(b->t);
	timers_free(b->ts);

	return 0;
}

static void keeps_what_was_said(void **state)
{
	struct bench *b = *state;
	struct at_trace_row row;

	assert_false(at_trace_next(b->t, 0, &row));
	fake_timers_set_wall(b->ts, 1234567890123);
	at_trace_add(b->t, AT_TRACE_COMMAND, "AT", 2);
	fake_timers_advance(b->ts, 7);
	at_trace_add(b->t, AT_TRACE_LINE, "OK", 2);
	at_trace_note(b->t, "%s %d", "note", 7);
	at_trace_add(b->t, AT_TRACE_PAYLOAD_IN, "", 0);
	assert_true(at_trace_next(b->t, 0, &row));
	assert_int_equal(row.seq, 1);
	assert_int_equal(row.kind, AT_TRACE_COMMAND);
	assert_int_equal(row.wall_ms, 1234567890123);
	assert_int_equal(row.len, 2);
	assert_memory_equal(row.data, "AT", 2);
	assert_true(at_trace_next(b->t, 1, &row));
	assert_int_equal(row.wall_ms, 1234567890130);
	assert_true(at_trace_next(b->t, 2, &row));
	assert_int_equal(row.kind, AT_TRACE_NOTE);
	assert_memory_equal(row.data, "note 7", 6);
	assert_true(at_trace_next(b->t, 3, &row));
	assert_int_equal(row.len, 0);
	assert_false(at_trace_next(b->t, 4, &row));
	assert_false(at_trace_next(b->t, 5, &row));
	assert_false(at_trace_next(b->t, UINT64_MAX, &row));
	assert_false(at_trace_next(b->t, UINT64_MAX - 1, &row));
}

static void bounded_in_rows(void **state)
{
	struct bench *b = *state;
	struct at_trace_row row;
	uint64_t seq, n = 3 * AT_TRACE_ROWS + 17;
	char text[24];

	for (seq = 1; seq <= n; seq++) {
		snprintf(text, sizeof(text), "%d", (int)seq);
		at_trace_add(b->t, AT_TRACE_LINE, text, strlen(text));
	}
	assert_true(at_trace_next(b->t, 0, &row));
	assert_int_equal(row.seq, n - AT_TRACE_ROWS + 1);
	for (seq = row.seq; seq <= n; seq++) {
		assert_true(at_trace_next(b->t, seq - 1, &row));
		assert_int_equal(row.seq, seq);
		snprintf(text, sizeof(text), "%d", (int)seq);
		assert_int_equal(row.len, strlen(text));
		assert_memory_equal(row.data, text, row.len);
	}
	assert_false(at_trace_next(b->t, n, &row));
}

/* Rows whose bytes were overwritten say so; the others are whole. */
static void bounded_in_bytes(void **state)
{
	static uint8_t piece[1777], whole[1777];
	struct bench *b = *state;
	struct at_trace_row row = { 0 };
	unsigned int kept = 0, gone = 0;
	uint64_t seq;
	int i;

	for (i = 1; i <= 1000; i++) {
		memset(piece, i & 0xff, sizeof(piece));
		at_trace_add(b->t, AT_TRACE_PAYLOAD_IN, piece, sizeof(piece) -
			     (size_t)i);
	}
	for (seq = 0; at_trace_next(b->t, seq, &row); seq = row.seq) {
		assert_int_equal(row.len, sizeof(piece) - row.seq);
		if (!row.data) {
			gone++;
			assert_int_equal(kept, 0);
			continue;
		}
		kept++;
		memset(whole, row.seq & 0xff, sizeof(whole));
		assert_memory_equal(row.data, whole, row.len);
	}
	assert_int_equal(kept + gone, 1000);
	assert_true(kept > AT_TRACE_BYTES / sizeof(piece) - 2);
	assert_true(gone > 700);
}

static void huge_rows_are_cut(void **state)
{
	struct bench *b = *state;
	uint8_t *huge = calloc(1, 2 * AT_TRACE_BYTES);
	struct at_trace_row row;
	int i;

	for (i = 1; i < 20; i++) {
		memset(huge, i, 2 * AT_TRACE_BYTES);
		at_trace_add(b->t, AT_TRACE_PAYLOAD_IN, huge,
			     2 * AT_TRACE_BYTES);
		assert_true(at_trace_next(b->t, (uint64_t)i - 1, &row));
		assert_int_equal(row.len, AT_TRACE_BYTES / 8);
		assert_memory_equal(row.data, huge, row.len);
	}
	memset(huge, 'x', 1000);
	huge[1000] = '\0';
	at_trace_note(b->t, "%s", (char *)huge);
	assert_true(at_trace_next(b->t, 19, &row));
	assert_int_equal(row.len, 255);
	free(huge);
}

static void on_row(void *ctx, const struct at_trace_row *row)
{
	struct bench *b = ctx;

	assert_int_equal(row->seq, b->watched + 1);
	assert_non_null(row->data);
	b->watched = row->seq;
	if (b->add_more) {
		b->add_more = false;
		at_trace_add(b->t, AT_TRACE_NOTE, "more", 4);
	}
}

static void each_row_is_told_once(void **state)
{
	struct bench *b = *state;
	int i;

	at_trace_watch(b->t, on_row, b);
	for (i = 0; i < 5000; i++)
		at_trace_add(b->t, AT_TRACE_LINE, "OK", 2);
	assert_int_equal(b->watched, 5000);
	b->add_more = true;		/* from within */
	at_trace_add(b->t, AT_TRACE_LINE, "OK", 2);
	assert_int_equal(b->watched, 5002);
	at_trace_watch(b->t, NULL, NULL);
	at_trace_add(b->t, AT_TRACE_LINE, "OK", 2);
	assert_int_equal(b->watched, 5002);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		T(keeps_what_was_said), T(bounded_in_rows), T(bounded_in_bytes),
		T(huge_rows_are_cut), T(each_row_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
