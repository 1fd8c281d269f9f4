/* SPDX-License-Identifier: MIT */

/*
 * query - from a question to rows in memory.
 *
 * Called by: writer, history_read_file().   Calls: sqlite3.
 */

#ifndef MODEMD_QUERY_H
#define MODEMD_QUERY_H

#include <sqlite3.h>

#include "history.h"

struct rows {
	struct history_row *row;
	size_t count;
	char **texts;		/* one block for each row */
};

/* Read-only, with all that keeps a hostile file from doing harm. */
int query_open(const char *path, sqlite3 **db);

/* A result code of sqlite, or SQLITE_OK; @out is freed by rows_free(). */
int query_run(sqlite3 *db, const struct history_query *q, struct rows *out);
void rows_free(struct rows *r);

#endif
