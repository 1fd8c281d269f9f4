/* SPDX-License-Identifier: MIT */

/*
 * trim - forgets what is older than the retention, and the oldest when the
 * file grows too big. A bounded number of rows at a time: a commit waits
 * behind it.
 */

#include <errno.h>
#include <stdbool.h>
#include <time.h>

#include "schema.h"
#include "store.h"

#define ROWS		256	/* per table and pass */
#define CLOCK_LEAST_MS	1704067200000	/* 2024: earlier is no clock at all */

/*
 * ?1: the time before which all goes; ?2: how many at most; ?3: the time
 * before which a time only tells that there was no clock. How old such rows
 * are nobody knows, so that only the size of the file ends them.
 */
static const char *const old_rows[] = {
	"DELETE FROM sessions WHERE id IN (SELECT id FROM sessions"
	" WHERE opened < ?1 AND opened >= ?3 AND closed IS NOT NULL"
	" ORDER BY opened LIMIT ?2)",
	"DELETE FROM events WHERE id IN (SELECT id FROM events"
	" WHERE at < ?1 AND at >= ?3 ORDER BY at LIMIT ?2)",
	"DELETE FROM network_sessions WHERE id IN"
	" (SELECT id FROM network_sessions WHERE opened < ?1 AND opened >= ?3"
	" AND closed IS NOT NULL ORDER BY opened LIMIT ?2)",
	NULL
};

static const char *const first_rows[] = {
	"DELETE FROM sessions WHERE id IN (SELECT id FROM sessions"
	" WHERE closed IS NOT NULL ORDER BY id LIMIT ?2)",
	"DELETE FROM events WHERE id IN (SELECT id FROM events"
	" ORDER BY id LIMIT ?2)",
	"DELETE FROM network_sessions WHERE id IN"
	" (SELECT id FROM network_sessions"
	" WHERE closed IS NOT NULL ORDER BY id LIMIT ?2)",
	NULL
};

/* Ended runs that no row needs any more; looked at when rows went. */
static const char empty_runs[] =
	"DELETE FROM runs WHERE id IN (SELECT id FROM runs AS r"
	" WHERE ended IS NOT NULL AND ended < ?1"
	" AND NOT EXISTS (SELECT 1 FROM sessions WHERE run = r.id)"
	" AND NOT EXISTS (SELECT 1 FROM events WHERE run = r.id)"
	" AND NOT EXISTS (SELECT 1 FROM network_sessions WHERE run = r.id)"
	" ORDER BY id LIMIT ?2)";

static int delete(struct store *s, const char *sql, int64_t before_ms,
		  int64_t *deleted)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL);

	if (rc != SQLITE_OK)
		return store_fail(s, rc, "cannot use");
	sqlite3_bind_int64(stmt, 1, before_ms);
	sqlite3_bind_int64(stmt, 2, ROWS);
	sqlite3_bind_int64(stmt, 3, CLOCK_LEAST_MS);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_DONE)
		*deleted += sqlite3_changes(s->db);
	sqlite3_finalize(stmt);

	return rc == SQLITE_DONE ? 0 : store_fail(s, rc, "cannot delete");
}

/*
 * What is too old, by the more careful of two clocks: one that jumps ahead
 * must not cost a history (E8). 0: nothing can be told to be old.
 */
static int64_t too_old_ms(const struct store *s)
{
	struct timespec now;
	int64_t wall_ms, slow_ms = store_mono_ms() + s->offset_ms;

	if (s->retention_ms == 0)
		return 0;
	clock_gettime(CLOCK_REALTIME, &now);
	wall_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	if (slow_ms < wall_ms)
		wall_ms = slow_ms;

	return wall_ms < CLOCK_LEAST_MS ? 0 : wall_ms - s->retention_ms;
}

struct pages {
	int64_t size, all, unused;
};

static int count_pages(struct store *s, struct pages *p)
{
	int rc = schema_number(s->db, "PRAGMA page_size", &p->size);

	if (rc == SQLITE_OK)
		rc = schema_number(s->db, "PRAGMA page_count", &p->all);
	if (rc == SQLITE_OK)
		rc = schema_number(s->db, "PRAGMA freelist_count", &p->unused);

	return rc == SQLITE_OK ? 0 : store_fail(s, rc, "cannot read");
}

/* In use, and more than 15/16 of what is allowed? */
static bool too_big(const struct store *s, const struct pages *p)
{
	return (uint64_t)((p->all - p->unused) * p->size) >
	       s->max_size / 16 * 15;
}

static int delete_all(struct store *s, const char *const *sql,
		      int64_t before_ms, int64_t *deleted)
{
	int err = 0;

	for (; *sql && !err; sql++)
		err = delete(s, *sql, before_ms, deleted);

	return err;
}

/*
 * Gives unused pages back, some at a time, once they are many. Returns 1
 * when that helped.
 */
static int shrink(struct store *s, const struct pages *p)
{
	struct pages now;
	int rc, err;

	if (p->unused < 64 || (p->unused < p->all / 4 &&
			       (uint64_t)(p->all * p->size) <= s->max_size))
		return 0;
	rc = sqlite3_exec(s->db, "PRAGMA incremental_vacuum(64)", NULL, NULL,
			  NULL);
	if (rc != SQLITE_OK)
		return store_fail(s, rc, "cannot shrink");
	err = count_pages(s, &now);

	return err ? err : now.all < p->all;
}

static int pass(struct store *s, bool *more)
{
	int64_t old_ms = too_old_ms(s), deleted = 0;
	struct pages p = { 0, 0, 0 };
	int err = count_pages(s, &p);

	*more = false;
	if (!err && old_ms > 0)
		err = delete_all(s, old_rows, old_ms, &deleted);
	if (!err && too_big(s, &p))
		err = delete_all(s, first_rows, 0, &deleted);
	*more = deleted >= ROWS;
	if (!err && deleted > 0)
		err = delete(s, empty_runs, old_ms > 0 ? old_ms : INT64_MAX,
			     &deleted);
	if (!err)
		err = shrink(s, &p);
	if (err > 0)
		*more = true;

	return err < 0 ? err : 0;
}

int store_trim(struct store *s)
{
	bool more = false;
	int err = store_begin(s);

	if (err)
		return err;
	err = pass(s, &more);
	if (!err)
		err = store_commit(s);
	if (err) {
		store_rollback(s);
		return err;
	}

	return more;
}
