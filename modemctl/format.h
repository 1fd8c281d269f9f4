/* SPDX-License-Identifier: MIT */

/*
 * format - numbers and times as people and programs read them.
 *
 * Pure. Called by: the commands.   Calls: jansson.
 */

#ifndef MODEMCTL_FORMAT_H
#define MODEMCTL_FORMAT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define FORMAT_MAX 48		/* bytes that any of these needs */

/* "812", "1.4K", "23M": for tables. */
const char *format_bytes(char out[FORMAT_MAX], uint64_t bytes);

/* "0s", "12s", "3m 05s", "2h 14m", "5d 3h". */
const char *format_duration(char out[FORMAT_MAX], int64_t ms);

/* "2026-11-20 10:00:01" UTC; "~" in front when not @confirmed; "-" for 0. */
const char *format_time(char out[FORMAT_MAX], int64_t wall_ms, bool confirmed);

/* "10:00:01.123" UTC. */
const char *format_clock(char out[FORMAT_MAX], int64_t wall_ms);

/* "2026-11-20T10:00:01.123Z"; null for 0. */
json_t *format_json_time(int64_t wall_ms);

/* Text of any bytes: what is not UTF-8 becomes \xNN. */
json_t *format_json_text(const char *text);

/* Now, milliseconds since 1970. */
int64_t format_now_ms(void);

/*
 * A time as people type it: 90s 5m 2h 3d 1w (ago), now, today, yesterday,
 * 2026-11-20, 2026-11-20T10:00[:01[.123]][Z], @SECONDS. UTC. False: it is none.
 */
bool format_parse_time(const char *text, int64_t now_ms, int64_t *wall_ms);

#endif
