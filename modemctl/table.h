/* SPDX-License-Identifier: MIT */

/*
 * table - a list for people (columns) or for programs (a JSON array).
 *
 * Rows go out as they come: JSON at once, columns in batches, so that a
 * history of years needs no memory.
 *
 * Called by: the list commands.   Calls: libsmartcols, jansson.
 */

#ifndef MODEMCTL_TABLE_H
#define MODEMCTL_TABLE_H

#include <jansson.h>
#include <stdbool.h>

struct table;

enum table_align { TABLE_LEFT, TABLE_RIGHT,
		   TABLE_CUT };	/* left, and cut where the terminal ends */

struct table_column {
	const char *name;		/* NULL ends the columns */
	enum table_align align;
};

/* NULL without memory. @columns must outlive it. */
struct table *table_new(const struct table_column *columns, bool json);

/*
 * Ends the list. @empty is what people read when no row came; NULL: the list
 * failed, and no row is not an empty list. A NULL table is fine.
 */
void table_finish(struct table *t, const char *empty);

bool table_is_json(const struct table *t);

/* One row: for programs. Takes @object, also NULL (no memory). */
void table_json(struct table *t, json_t *object);

/* One row: for people, cell by cell in the order of the columns; copied. */
void table_row(struct table *t);
void table_cell(struct table *t, const char *text);
void table_number(struct table *t, long long number);

#endif
