/* SPDX-License-Identifier: MIT */

#include "run.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "store.h"

/*
 * Binds by a letter each: t text, n number. Yields what the first column of
 * the first row holds, if there is one, in @out.
 */
static int run_sql(struct store *s, int64_t *out, const char *sql,
		   const char *types, ...)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL), i;
	va_list ap;

	if (rc != SQLITE_OK)
		return rc;
	va_start(ap, types);
	for (i = 0; types[i]; i++) {
		if (types[i] == 't')
			sqlite3_bind_text(stmt, i + 1, va_arg(ap, char *), -1,
					  SQLITE_STATIC);
		else
			sqlite3_bind_int64(stmt, i + 1, va_arg(ap, int64_t));
	}
	va_end(ap);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW && out)
		*out = sqlite3_column_int64(stmt, 0);
	i = sqlite3_finalize(stmt);

	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : i;
}

/* Whose instance has our name, or whose boot is over, cannot be alive. */
#define DEAD	"(instance = ?2 OR boot_id <> ?3)"

/* A run was last heard of when one of its rows was. */
#define LAST(wall)							\
	"max(started" wall ","						\
	" coalesce((SELECT max(updated" wall ") FROM sessions"		\
	"  WHERE run = runs.id), started" wall "),"			\
	" coalesce((SELECT max(at" wall ") FROM events"			\
	"  WHERE run = runs.id), started" wall "))"

static const char *const sweep[] = {
	"UPDATE runs SET ended = " LAST("") ", ended_mono = " LAST("_mono")
	", how = 'crash' WHERE ended IS NULL AND id <> ?1 AND " DEAD,
	"UPDATE sessions SET closed = max(updated, opened),"
	" closed_mono = max(updated_mono, opened_mono),"
	" reason = 'daemon-crash'"
	" WHERE closed IS NULL AND run <> ?1 AND " DEAD,
	"UPDATE network_sessions SET (closed, closed_mono, reason) ="
	" (SELECT max(network_sessions.opened, ended),"
	"  max(network_sessions.opened_mono, ended_mono), 'daemon-crash'"
	"  FROM runs WHERE id = run)"
	" WHERE closed IS NULL AND run <> ?1 AND " DEAD,
};

static int insert_run(struct store *s)
{
	int rc = run_sql(s, NULL, "INSERT INTO runs (instance, boot_id, pid,"
			 " version, started, started_mono, clock_confirmed)"
			 " VALUES (?, ?, ?, ?, ?, ?, 0)", "ttntnn",
			 s->instance, s->boot_id, (int64_t)getpid(),
			 MODEMD_VERSION, s->started_ms, s->started_mono_ms);

	if (rc == SQLITE_OK)
		s->run = sqlite3_last_insert_rowid(s->db);

	return rc;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);

	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int tell_kept(struct store *s)
{
	char text[PATH_MAX + 64];

	snprintf(text, sizeof(text), "the database was damaged; kept as %s",
		 s->kept_as);

	return run_sql(s, NULL, "INSERT INTO events (run, instance, boot_id,"
		       " at, at_mono, kind, text, clock_confirmed)"
		       " VALUES (?, ?, ?, ?, ?, 'history', ?, 0)", "nttnnt",
		       s->run, s->instance, s->boot_id, now_ms(),
		       store_mono_ms(), text);
}

static int find_or_insert(struct store *s)
{
	int rc = run_sql(s, &s->run, "SELECT id FROM runs WHERE boot_id = ?"
			 " AND pid = ? AND started_mono = ?", "tnn",
			 s->boot_id, (int64_t)getpid(), s->started_mono_ms);

	return rc == SQLITE_OK && s->run == 0 ? insert_run(s) : rc;
}

int run_begin(struct store *s)
{
	int rc = sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	size_t i;

	if (rc != SQLITE_OK)
		return store_fail(s, rc, "cannot write");
	s->run = 0;
	rc = find_or_insert(s);
	for (i = 0; i < sizeof(sweep) / sizeof(sweep[0]); i++) {
		if (rc == SQLITE_OK)
			rc = run_sql(s, NULL, sweep[i], "ntt", s->run,
				     s->instance, s->boot_id);
	}
	if (rc == SQLITE_OK && s->kept_as[0])
		rc = tell_kept(s);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
	if (rc == SQLITE_OK) {
		s->kept_as[0] = '\0';
		return 0;
	}
	sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);

	return store_fail(s, rc, "cannot begin a run");
}

static const char *const ending[] = {
	"UPDATE sessions SET closed = max(?2, opened),"
	" closed_mono = max(?3, opened_mono), reason = 'daemon-stop'"
	" WHERE closed IS NULL AND run = ?1",
	"UPDATE network_sessions SET closed = max(?2, opened),"
	" closed_mono = max(?3, opened_mono), reason = 'daemon-stop'"
	" WHERE closed IS NULL AND run = ?1",
	("UPDATE runs SET ended = max(?2, started),"
	 " ended_mono = max(?3, started_mono), how = 'stop' WHERE id = ?1"),
};

int run_end(struct store *s)
{
	int rc = sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	size_t i;

	for (i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
		if (rc == SQLITE_OK)
			rc = run_sql(s, NULL, ending[i], "nnn", s->run,
				     now_ms(), store_mono_ms());
	}
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		return 0;
	sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);

	return store_fail(s, rc, "cannot end the run");
}
