/* SPDX-License-Identifier: MIT */

#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "run.h"
#include "schema.h"

#define BUSY_MS		50	/* somebody's lock; then the rows wait */
#define CHECK_MS	2000	/* a big file is not looked through */
#define KEPT_MAX	9	/* damaged files, then the last is replaced */
#define PROGRESS_STEPS	10000	/* of sqlite's machine, some 100 us */

int64_t store_mono_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);

	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int errno_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
	case SQLITE_ERROR:	/* our SQL is sound: the schema is not */
	case SQLITE_SCHEMA:
		return -EBADMSG;
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_TOOBIG:
	case SQLITE_RANGE:
		return -EINVAL;
	}

	return -EIO;
}

int store_fail(struct store *s, int rc, const char *what)
{
	int kind = rc & 0xff, sys = 0;

	if (s->db && (kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN))
		sys = sqlite3_system_errno(s->db);
	s->last_rc = kind;
	snprintf(s->error, sizeof(s->error), "%.300s: %s: %s%s%s%s", s->path,
		 what, sqlite3_errstr(rc), sys ? " (" : "",
		 sys ? strerror(sys) : "", sys ? ")" : "");

	return errno_of(rc);
}

/* Sleeps little at first; whoever has the lock mostly is quick. */
static int on_busy(void *ctx, int tries)
{
	struct store *s = ctx;
	struct timespec pause = {
		.tv_nsec = (tries < 10 ? 2 : 20) * 1000000L,
	};

	if (tries == 0)
		s->busy_since_ms = store_mono_ms();
	if (store_mono_ms() - s->busy_since_ms >= BUSY_MS ||
	    s->give_up(s->ctx))
		return 0;
	nanosleep(&pause, NULL);

	return 1;
}

static int on_check_progress(void *ctx)
{
	struct store *s = ctx;

	return store_mono_ms() >= s->check_until_ms || s->give_up(s->ctx);
}

/* A file that is not ours, or damaged, is closed as it is found. */
static void keep_log(struct store *s, bool keep)
{
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep,
			  NULL);
}

static int exec(struct store *s, const char *sql)
{
	int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : store_fail(s, rc, "cannot set up");
}

/* Ours, or empty? Nothing is written before that is known. */
static int check_identity(struct store *s, bool *empty)
{
	int64_t id = 0, version = 0, tables = 0;
	int rc = schema_number(s->db, "PRAGMA application_id", &id);

	if (rc == SQLITE_OK)
		rc = schema_number(s->db, "PRAGMA user_version", &version);
	if (rc == SQLITE_OK)
		rc = schema_number(s->db, "SELECT count(*) FROM sqlite_schema",
				   &tables);
	if (rc != SQLITE_OK)
		return store_fail(s, rc, "cannot read");

	*empty = tables == 0 && version == 0;
	if (!*empty && id != SCHEMA_APPLICATION_ID) {
		snprintf(s->error, sizeof(s->error), "%.300s: not a history "
			 "of modemd; move it away", s->path);
		return -EPROTO;
	}
	if (version > schema_version) {
		snprintf(s->error, sizeof(s->error), "%.300s: written by a "
			 "newer modemd (schema %lld, here %d); left alone",
			 s->path, (long long)version, schema_version);
		return -EPROTO;
	}

	return 0;
}

/* For at most CHECK_MS: a file that takes longer is believed. */
static int check_pages(struct store *s)
{
	sqlite3_stmt *stmt = NULL;
	const char *said;
	int rc, err = 0;

	if (s->checked)
		return 0;
	s->check_until_ms = store_mono_ms() + CHECK_MS;
	sqlite3_progress_handler(s->db, PROGRESS_STEPS, on_check_progress, s);
	rc = sqlite3_prepare_v2(s->db, "PRAGMA quick_check(1)", -1, &stmt,
				NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	said = rc == SQLITE_ROW ?
		(const char *)sqlite3_column_text(stmt, 0) : NULL;
	if (said && strcmp(said, "ok") != 0)
		rc = SQLITE_CORRUPT;
	if (rc != SQLITE_ROW && rc != SQLITE_INTERRUPT)
		err = store_fail(s, rc, "cannot check");
	sqlite3_finalize(stmt);
	sqlite3_progress_handler(s->db, 0, NULL, NULL);
	s->checked = !err;

	return err;
}

static int set_up_new(struct store *s)
{
	char sql[64];
	int err = exec(s, "PRAGMA auto_vacuum = INCREMENTAL");

	snprintf(sql, sizeof(sql), "PRAGMA application_id = %d",
		 SCHEMA_APPLICATION_ID);

	return err ? err : exec(s, sql);
}

/*
 * The log is moved into the file at 2 MiB, so that with one batch on top it
 * stays below 4 MiB.
 */
static int set_up(struct store *s)
{
	bool empty = false;
	int err, rc;

	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	keep_log(s, true);
	sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, 1 << 16);
	sqlite3_busy_handler(s->db, on_busy, s);
	err = exec(s, "PRAGMA cell_size_check = ON;"
		   "PRAGMA foreign_keys = ON;"
		   "PRAGMA temp_store = MEMORY;"
		   "PRAGMA cache_size = -1024;"
		   "PRAGMA synchronous = FULL;"
		   "PRAGMA wal_autocheckpoint = 512;"
		   "PRAGMA journal_size_limit = 2097152");
	if (!err)
		err = check_identity(s, &empty);
	if (!err && empty)
		err = set_up_new(s);
	if (!err)
		err = check_pages(s);
	if (!err)
		err = exec(s, "PRAGMA journal_mode = WAL");
	if (err)
		return err;

	/* It is ours and sound. */
	keep_log(s, false);

	rc = schema_migrate(s->db, schema_steps, schema_version);
	if (rc != SQLITE_OK)
		return store_fail(s, rc, "cannot migrate");
	err = store_prepare(s);

	return err ? err : run_begin(s);
}

/* sqlite would make it readable for all; -wal and -shm take its mode. */
static int make_file(struct store *s)
{
	int fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK |
		      O_NOCTTY, 0640);

	if (fd < 0 && errno != EACCES && errno != EROFS) {
		snprintf(s->error, sizeof(s->error), "%.300s: cannot open: %s",
			 s->path, strerror(errno));
		return -EIO;
	}
	/* Before sqlite opens it: a close later would drop sqlite's locks. */
	if (fd >= 0)
		close(fd);

	return 0;
}

int store_open(struct store *s)
{
	int err = make_file(s), rc;

	if (err)
		return err;
	s->error[0] = '\0';
	s->last_rc = SQLITE_OK;
	rc = sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE |
			     SQLITE_OPEN_NOMUTEX, NULL);
	err = rc == SQLITE_OK ? set_up(s) : store_fail(s, rc, "cannot open");
	if (err)
		store_close(s);

	return err;
}

void store_close(struct store *s)
{
	size_t i;

	for (i = 0; i < STMT_COUNT; i++) {
		sqlite3_finalize(s->stmts[i]);
		s->stmts[i] = NULL;
	}
	sqlite3_close(s->reader);
	sqlite3_close(s->db);
	s->reader = NULL;
	s->db = NULL;
}

static void rename_with(const char *from, const char *to, const char *suffix)
{
	char old[PATH_MAX], fresh[PATH_MAX];

	if (snprintf(old, sizeof(old), "%s%s", from, suffix) <
	    (int)sizeof(old) &&
	    snprintf(fresh, sizeof(fresh), "%s%s", to, suffix) <
	    (int)sizeof(fresh))
		rename(old, fresh);
}

int store_set_aside(struct store *s)
{
	unsigned int n;

	if (s->db)
		keep_log(s, true);
	store_close(s);
	for (n = 1; n <= KEPT_MAX; n++) {
		if (snprintf(s->kept_as, sizeof(s->kept_as), "%s.corrupt-%u",
			     s->path, n) >= (int)sizeof(s->kept_as))
			break;
		if (access(s->kept_as, F_OK) < 0)
			break;
	}
	if (rename(s->path, s->kept_as) < 0) {
		snprintf(s->error, sizeof(s->error), "%.300s: damaged, and "
			 "cannot be renamed: %s", s->path, strerror(errno));
		s->kept_as[0] = '\0';
		return -EIO;
	}
	rename_with(s->path, s->kept_as, "-wal");
	rename_with(s->path, s->kept_as, "-shm");
	s->checked = false;

	return 0;
}

bool store_moved(struct store *s)
{
	int moved = 0;

	if (s->db)
		sqlite3_file_control(s->db, "main", SQLITE_FCNTL_HAS_MOVED,
				     &moved);

	return moved;
}
