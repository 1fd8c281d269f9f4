/* SPDX-License-Identifier: MIT */

/*
 * record - what the host did: every command line, and what it did wrong.
 *
 * Called by: command, simcom_*, data_watch, control_commands, stats.
 * Calls: nothing.
 */

#ifndef MODEMSIM_RECORD_H
#define MODEMSIM_RECORD_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum violation {
	VIOLATION_COMMAND_WHILE_RUNNING,
	VIOLATION_PAYLOAD_WITHOUT_PROMPT,
	VIOLATION_PAYLOAD_BEFORE_PROMPT,
	VIOLATION_CONTROL_BYTE_IN_LINE,
	VIOLATION_LINE_TOO_LONG,
	VIOLATION_SEND_TOO_LONG,
	VIOLATION_CHANGEABLE_ON_ACCEPTED,
	VIOLATION_READ_TOO_LONG,
	VIOLATION_CIPMODE_WHILE_OPEN,
	VIOLATION_CPING_WHILE_RUNNING,
	VIOLATION_BUSY,
	VIOLATION_CIPMUX_WHILE_OPEN,
	VIOLATION_MAXCONN_WHILE_SERVING,
	VIOLATIONS,
};

/* What looks like a mistake, but may be payload. */
enum note {
	NOTE_ESCAPE_WITHOUT_GUARD,
	NOTE_COMMAND_IN_DATA,
	NOTES,
};

struct record {
	FILE *log;
	uint64_t commands;
	uint64_t escapes;	/* ESC where a line starts: not a violation */
	uint64_t violations[VIOLATIONS];
	uint64_t notes[NOTES];
};

/* @path may be NULL. 0 or -errno. */
int record_open(struct record *r, const char *path);
void record_close(struct record *r);

/* One line: time, @what, @data with every odd byte as \xNN. */
void record_bytes(struct record *r, const char *what, const void *data,
		  size_t len);
void record_event(struct record *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

void record_violation(struct record *r, enum violation v, const void *data,
		      size_t len);
void record_note(struct record *r, enum note n);
const char *record_note_name(enum note n);
uint64_t record_violations(const struct record *r);
void record_reset(struct record *r);
const char *record_violation_name(enum violation v);

#endif
