/* SPDX-License-Identifier: MIT */

#include "table.h"

#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>

#define CUT_MIN 10		/* characters that are not cut */
#define BATCH_ROWS 1000		/* columns line up within so many rows */

struct table {
	const struct table_column *columns;
	bool json;
	size_t rows;
	size_t cell;			/* the next one of the present row */
	struct libscols_table *cols;
	struct libscols_line *line;
};

static void table_begin(struct table *t)
{
	const struct table_column *c;
	int flags;

	t->cols = scols_new_table();
	if (!t->cols)
		return;
	scols_table_enable_noheadings(t->cols, t->rows > 0);
	for (c = t->columns; c->name; c++) {
		flags = c->align == TABLE_RIGHT ? SCOLS_FL_RIGHT :
			c->align == TABLE_CUT ? SCOLS_FL_TRUNC : 0;
		scols_table_new_column(t->cols, c->name,
				       c->align == TABLE_CUT ? CUT_MIN : 0,
				       flags);
	}
}

static void table_flush(struct table *t)
{
	if (t->cols && t->line)
		scols_print_table(t->cols);
	scols_unref_table(t->cols);
	t->cols = NULL;
	t->line = NULL;
}

struct table *table_new(const struct table_column *columns, bool json)
{
	struct table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->columns = columns;
	t->json = json;
	if (!json)
		table_begin(t);

	return t;
}

void table_finish(struct table *t, const char *empty)
{
	if (!t)
		return;

	if (t->json && t->rows > 0)
		fputs("\n]\n", stdout);
	else if (empty && t->rows == 0)
		puts(t->json ? "[]" : empty);
	table_flush(t);
	free(t);
}

bool table_is_json(const struct table *t)
{
	return t->json;
}

void table_json(struct table *t, json_t *object)
{
	fputs(t->rows++ ? ",\n" : "[\n", stdout);
	json_dumpf(object ? object : json_null(), stdout, JSON_COMPACT);
	json_decref(object);
}

void table_row(struct table *t)
{
	if (t->rows > 0 && t->rows % BATCH_ROWS == 0) {
		table_flush(t);
		table_begin(t);
	}
	t->rows++;
	t->cell = 0;
	t->line = t->cols ? scols_table_new_line(t->cols, NULL) : NULL;
}

void table_cell(struct table *t, const char *text)
{
	if (t->line)
		scols_line_set_data(t->line, t->cell++, text);
}

void table_number(struct table *t, long long number)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", number);
	table_cell(t, text);
}
