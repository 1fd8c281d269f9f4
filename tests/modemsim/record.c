/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "record.h"

static const char *const names[VIOLATIONS] = {
	[VIOLATION_COMMAND_WHILE_RUNNING] = "command-while-running",
	[VIOLATION_PAYLOAD_WITHOUT_PROMPT] = "payload-without-prompt",
	[VIOLATION_PAYLOAD_BEFORE_PROMPT] = "payload-before-prompt",
	[VIOLATION_CONTROL_BYTE_IN_LINE] = "control-byte-in-line",
	[VIOLATION_LINE_TOO_LONG] = "line-too-long",
	[VIOLATION_SEND_TOO_LONG] = "send-too-long",
	[VIOLATION_CHANGEABLE_ON_ACCEPTED] = "changeable-length-on-accepted",
	[VIOLATION_READ_TOO_LONG] = "read-too-long",
	[VIOLATION_CIPMODE_WHILE_OPEN] = "cipmode-while-open",
	[VIOLATION_CPING_WHILE_RUNNING] = "cping-while-running",
	[VIOLATION_BUSY] = "busy",
	[VIOLATION_CIPMUX_WHILE_OPEN] = "cipmux-while-open",
	[VIOLATION_MAXCONN_WHILE_SERVING] = "maxconn-while-serving",
};

static const char *const note_names[NOTES] = {
	[NOTE_ESCAPE_WITHOUT_GUARD] = "escape-without-guard",
	[NOTE_COMMAND_IN_DATA] = "command-in-data",
};

const char *record_violation_name(enum violation v)
{
	return names[v];
}

int record_open(struct record *r, const char *path)
{
	*r = (struct record){ .log = NULL };
	if (path == NULL)
		return 0;
	r->log = fopen(path, "ae");
	if (r->log == NULL)
		return -errno;
	setvbuf(r->log, NULL, _IOLBF, 0);
	return 0;
}

void record_close(struct record *r)
{
	if (r->log != NULL)
		fclose(r->log);
	r->log = NULL;
}

static void stamp(struct record *r)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	fprintf(r->log, "%lld.%06ld ", (long long)ts.tv_sec,
		ts.tv_nsec / 1000);
}

void record_bytes(struct record *r, const char *what, const void *data,
		  size_t len)
{
	const unsigned char *p = data;
	size_t i;

	if (r->log == NULL)
		return;
	stamp(r);
	fprintf(r->log, "%s ", what);
	for (i = 0; i < len; i++) {
		if (p[i] < 0x20 || p[i] > 0x7e || p[i] == '\\')
			fprintf(r->log, "\\x%02x", p[i]);
		else
			putc(p[i], r->log);
	}
	putc('\n', r->log);
}

void record_event(struct record *r, const char *fmt, ...)
{
	va_list ap;

	if (r->log == NULL)
		return;
	stamp(r);
	va_start(ap, fmt);
	vfprintf(r->log, fmt, ap);
	va_end(ap);
	putc('\n', r->log);
}

void record_violation(struct record *r, enum violation v, const void *data,
		      size_t len)
{
	char what[64];

	r->violations[v]++;
	snprintf(what, sizeof(what), "violation %s", names[v]);
	record_bytes(r, what, data, len);
}

void record_note(struct record *r, enum note n)
{
	r->notes[n]++;
	record_event(r, "note %s", note_names[n]);
}

const char *record_note_name(enum note n)
{
	return note_names[n];
}

uint64_t record_violations(const struct record *r)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < VIOLATIONS; i++)
		sum += r->violations[i];
	return sum;
}

void record_reset(struct record *r)
{
	memset(r->violations, 0, sizeof(r->violations));
	memset(r->notes, 0, sizeof(r->notes));
	r->escapes = 0;
}
