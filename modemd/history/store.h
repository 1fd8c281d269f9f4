/* SPDX-License-Identifier: MIT */

/*
 * store - the database of one daemon's run: open, sound, and written to.
 *
 * All of it may wait for the disk, so it lives in the writer's thread. What
 * fails returns one of
 *   -EIO		the disk, or somebody's lock: the same may work later
 *   -EBADMSG		the file is damaged
 *   -EPROTO		the file is not ours, or from a newer modemd: leave it
 *   -EINVAL		this one row cannot be written; the others can
 * and leaves a sentence in @error.
 *
 * Called by: writer.   Calls: schema, rows, trim, sqlite3.
 */

#ifndef MODEMD_STORE_H
#define MODEMD_STORE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

struct op;

enum store_stmt { STMT_OPEN, STMT_BYTES, STMT_CLOSE, STMT_NETWORK_OPEN,
		  STMT_NETWORK_CLOSE, STMT_EVENT, STMT_BEGIN, STMT_COMMIT,
		  STMT_COUNT };

struct store {
	/* set by the owner before store_open() */
	const char *path;
	const char *instance;
	const char *boot_id;
	int64_t started_ms;
	int64_t started_mono_ms;
	int64_t retention_ms;		/* 0: for ever */
	uint64_t max_size;
	bool (*give_up)(void *ctx);	/* true: stop waiting */
	void *ctx;

	sqlite3 *db;			/* NULL: not open */
	sqlite3 *reader;		/* opened by the first question */
	sqlite3_stmt *stmts[STMT_COUNT];
	int64_t run;			/* our row in runs */
	bool checked;			/* quick_check, once per run */
	char kept_as[PATH_MAX];		/* a damaged file, not yet told */
	int64_t busy_since_ms;
	int64_t check_until_ms;

	/* the wall clock less the monotonic one, as far as it is believed */
	int64_t offset_ms;
	char error[512];
	int last_rc;		/* sqlite's, without its extension */
};

int64_t store_mono_ms(void);

/* Makes, checks and migrates the file, and begins the run. */
int store_open(struct store *s);
void store_close(struct store *s);

/* Renames a damaged file away (and its -wal and -shm). */
int store_set_aside(struct store *s);

/* Somebody moved or removed the file under us. */
bool store_moved(struct store *s);

/* Tells @rc of sqlite in s->error; its -errno. */
int store_fail(struct store *s, int rc, const char *what);

/* rows.c */
int store_prepare(struct store *s);
int store_begin(struct store *s);
int store_put(struct store *s, const struct op *op);
int store_commit(struct store *s);
void store_rollback(struct store *s);

/*
 * trim.c: deletes a bounded number of rows that are too old or too many.
 * Returns 1 when there is more to do, 0, or as above.
 */
int store_trim(struct store *s);

#endif
