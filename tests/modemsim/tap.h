/* SPDX-License-Identifier: MIT */

/*
 * tap - faults that wait for a byte position in one direction of the line.
 *
 * Only the list: the line applies what is due.
 *
 * Called by: line, line_out, control_commands.   Calls: nothing.
 */

#ifndef MODEMSIM_TAP_H
#define MODEMSIM_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

enum tap_kind {
	TAP_DROP,		/* n bytes vanish */
	TAP_FLIP,		/* bit n of one byte */
	TAP_TEXT,		/* a line of text comes in between */
};

struct tap {
	TAILQ_ENTRY(tap) entry;
	enum tap_kind kind;
	uint64_t at;		/* stream position, from the start */
	size_t n;
	bool in_raw;		/* TAP_TEXT: also inside payload */
	char text[];
};

TAILQ_HEAD(tap_list, tap);

/* Sorted by position, equal ones in order of arrival. 0 or -ENOMEM. */
int tap_add(struct tap_list *list, enum tap_kind kind, uint64_t at, size_t n,
	    const char *text, bool in_raw);

/* How many of @n bytes from @pos may pass before the next tap is due. */
size_t tap_limit(const struct tap_list *list, uint64_t pos, size_t n);

/* The one that is due at @pos, or NULL. */
struct tap *tap_due(const struct tap_list *list, uint64_t pos);

void tap_remove(struct tap_list *list, struct tap *t);
void tap_clear(struct tap_list *list);

#endif
