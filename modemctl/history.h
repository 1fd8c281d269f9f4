/* SPDX-License-Identifier: MIT */

/*
 * history - what `history` prints, wherever the rows come from.
 *
 * Called by: history.c, history_db.c.   Calls: table.
 */

#ifndef MODEMCTL_HISTORY_H
#define MODEMCTL_HISTORY_H

#include "modemclient.h"
#include "modemctl.h"

/* The question, as the options put it. */
struct history_ask {
	struct ctl *ctl;
	bool events;
	struct modemclient_history_query query;
	const char *db;			/* NULL: ask modemd */
	/* Print one row; false: it is enough. */
	bool (*session)(void *table, const struct modemclient_session *s);
	bool (*event)(void *table, const struct modemclient_history_event *e);
	void *table;
};

/* Reads the database file; returns the exit code after it has complained. */
int history_db_read(const struct history_ask *ask);

#endif
