/* SPDX-License-Identifier: MIT */

#include "schema.h"

#include <stdio.h>

/*
 * Times are milliseconds of the wall clock, since 1970, and beside them those
 * of the monotonic clock of that boot: durations come from the latter. While
 * clock_confirmed is 0 nobody vouched for the former.
 */
const char *const schema_steps[] = {
	"CREATE TABLE runs ("
	" id INTEGER PRIMARY KEY,"
	" instance TEXT NOT NULL,"
	" boot_id TEXT NOT NULL,"
	" pid INTEGER NOT NULL,"
	" version TEXT NOT NULL,"
	" started INTEGER NOT NULL,"
	" started_mono INTEGER NOT NULL,"
	" ended INTEGER,"
	" ended_mono INTEGER,"
	" how TEXT,"		/* stop, crash; NULL: runs */
	" clock_confirmed INTEGER NOT NULL"
	") STRICT;"
	"CREATE TABLE sessions ("
	" id INTEGER PRIMARY KEY,"
	" run INTEGER NOT NULL REFERENCES runs (id),"
	" link INTEGER NOT NULL,"
	" epoch INTEGER NOT NULL,"
	" instance TEXT NOT NULL,"
	" boot_id TEXT NOT NULL,"
	" client TEXT NOT NULL,"
	" pid INTEGER NOT NULL,"
	" uid INTEGER NOT NULL,"
	" comm TEXT NOT NULL,"
	" unit TEXT NOT NULL,"
	" exe TEXT NOT NULL,"
	" type TEXT NOT NULL,"
	" remote TEXT NOT NULL,"
	" slot INTEGER NOT NULL,"
	" rule TEXT NOT NULL,"
	" opened INTEGER NOT NULL,"
	" opened_mono INTEGER NOT NULL,"
	" closed INTEGER,"
	" closed_mono INTEGER,"
	" updated INTEGER NOT NULL,"	/* when last heard of */
	" updated_mono INTEGER NOT NULL,"
	" accepted INTEGER NOT NULL DEFAULT 0,"
	" taken INTEGER NOT NULL DEFAULT 0,"
	" confirmed INTEGER NOT NULL DEFAULT -1,"	/* -1: unknown */
	" received INTEGER NOT NULL DEFAULT 0,"
	" reason TEXT,"
	" modem_text TEXT,"
	" clock_confirmed INTEGER NOT NULL,"
	" UNIQUE (run, link, epoch)"
	") STRICT;"
	"CREATE INDEX sessions_opened ON sessions (opened);"
	"CREATE INDEX sessions_client ON sessions (client);"
	"CREATE INDEX sessions_remote ON sessions (remote);"
	"CREATE INDEX sessions_open ON sessions (run) WHERE closed IS NULL;"
	"CREATE TABLE network_sessions ("
	" id INTEGER PRIMARY KEY,"
	" run INTEGER NOT NULL REFERENCES runs (id),"
	" instance TEXT NOT NULL,"
	" boot_id TEXT NOT NULL,"
	" address TEXT NOT NULL,"
	" operator TEXT NOT NULL,"
	" opened INTEGER NOT NULL,"
	" opened_mono INTEGER NOT NULL,"
	" closed INTEGER,"
	" closed_mono INTEGER,"
	" reason TEXT,"
	" clock_confirmed INTEGER NOT NULL"
	") STRICT;"
	"CREATE INDEX network_sessions_opened ON network_sessions (opened);"
	"CREATE INDEX network_sessions_run ON network_sessions (run);"
	"CREATE TABLE events ("
	" id INTEGER PRIMARY KEY,"
	" run INTEGER NOT NULL REFERENCES runs (id),"
	" instance TEXT NOT NULL,"
	" boot_id TEXT NOT NULL,"
	" at INTEGER NOT NULL,"
	" at_mono INTEGER NOT NULL,"
	" kind TEXT NOT NULL,"	/* modem network client daemon history */
	" text TEXT NOT NULL,"
	" clock_confirmed INTEGER NOT NULL"
	") STRICT;"
	"CREATE INDEX events_at ON events (at);"
	"CREATE INDEX events_run ON events (run);",
	/* bytes that the modem received and modemd did not get */
	"ALTER TABLE sessions ADD COLUMN lost INTEGER NOT NULL DEFAULT 0",
};

const int schema_version = sizeof(schema_steps) / sizeof(schema_steps[0]);

int schema_number(sqlite3 *db, const char *sql, int64_t *out)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(stmt, 0);
	else if (rc == SQLITE_DONE)
		rc = SQLITE_CORRUPT;

	return sqlite3_finalize(stmt) == SQLITE_OK && rc == SQLITE_ROW ?
		SQLITE_OK : rc;
}

static int run_steps(sqlite3 *db, const char *const *steps, int from, int to)
{
	char set[64];
	int rc = SQLITE_OK, i;

	for (i = from; i < to && rc == SQLITE_OK; i++)
		rc = sqlite3_exec(db, steps[i], NULL, NULL, NULL);
	if (rc == SQLITE_OK) {
		snprintf(set, sizeof(set), "PRAGMA user_version = %d", to);
		rc = sqlite3_exec(db, set, NULL, NULL, NULL);
	}

	return rc;
}

int schema_migrate(sqlite3 *db, const char *const *steps, int count)
{
	int64_t version = 0;
	int rc = schema_number(db, "PRAGMA user_version", &version);

	if (rc != SQLITE_OK || version >= count)
		return rc;
	if (version < 0)
		return SQLITE_CORRUPT;

	rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return rc;
	rc = run_steps(db, steps, (int)version, count);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);

	return rc;
}
