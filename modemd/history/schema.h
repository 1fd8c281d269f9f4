/* SPDX-License-Identifier: MIT */

/*
 * schema - the tables, and how an older file becomes one of today.
 *
 * Called by: store, tests.   Calls: sqlite3.
 */

#ifndef MODEMD_SCHEMA_H
#define MODEMD_SCHEMA_H

#include <stdint.h>

#include <sqlite3.h>

/* "modh": tells our files from other people's. */
#define SCHEMA_APPLICATION_ID	0x6d6f6468

/* Step i brings user_version i to i + 1. Never changed, only added to. */
extern const char *const schema_steps[];
extern const int schema_version;	/* their number */

/*
 * Runs what is missing of @steps in one transaction: all or nothing. Returns
 * a result code of sqlite.
 */
int schema_migrate(sqlite3 *db, const char *const *steps, int count);

/* One number that "PRAGMA ..." or "SELECT ..." yields. */
int schema_number(sqlite3 *db, const char *sql, int64_t *out);

#endif
