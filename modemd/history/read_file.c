/* SPDX-License-Identifier: MIT */

/*
 * read_file - a question to a file, in the caller's thread and at his pace.
 */

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "query.h"
#include "schema.h"

__attribute__((format(printf, 3, 4)))
static int refuse(char **error, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(error, fmt, ap) < 0)
		*error = NULL;
	va_end(ap);

	return err;
}

/* Bytes that mean something in a file: name go as %XX. */
static void put_uri(const char *path, char *out, size_t size)
{
	size_t used = (size_t)snprintf(out, size, "file:");

	for (; *path && used + 32 < size; path++) {
		if (isalnum((unsigned char)*path) || strchr("/._-", *path))
			out[used++] = *path;
		else
			used += (size_t)sprintf(out + used, "%%%02x",
						(unsigned char)*path);
	}
	snprintf(out + used, size - used, "?immutable=1");
}

/*
 * A reader of a WAL file wants to write beside it. Where this user may not,
 * and no daemon left anything in a log, the file alone says it all.
 */
static int open_alone(const char *path, sqlite3 **db)
{
	char name[PATH_MAX], uri[3 * PATH_MAX];
	struct stat st;

	snprintf(name, sizeof(name), "%s-wal", path);
	if (stat(name, &st) == 0 && st.st_size > 0)
		return SQLITE_CANTOPEN;
	put_uri(path, uri, sizeof(uri));

	return query_open(uri, db);
}

static int open_readable(const char *path, sqlite3 **db)
{
	int64_t tables;
	int rc = query_open(path, db);

	if (rc == SQLITE_OK)
		rc = schema_number(*db, "SELECT count(*) FROM sqlite_schema",
				   &tables);
	if ((rc & 0xff) != SQLITE_CANTOPEN && (rc & 0xff) != SQLITE_READONLY)
		return rc;
	sqlite3_close(*db);
	*db = NULL;

	return open_alone(path, db);
}

static int check(sqlite3 *db, const char *path, char **error)
{
	int64_t id = 0, version = 0;
	int rc = schema_number(db, "PRAGMA application_id", &id);

	if (rc == SQLITE_OK)
		rc = schema_number(db, "PRAGMA user_version", &version);
	if (rc != SQLITE_OK)
		return refuse(error, -EIO, "%s: %s", path,
			      sqlite3_errstr(rc));
	if (id != SCHEMA_APPLICATION_ID)
		return refuse(error, -EPROTO, "%s: not a history of modemd",
			      path);
	if (version != schema_version)
		return refuse(error, -EPROTO, "%s: written by %s modemd "
			      "(schema %lld, here %d)", path,
			      version > schema_version ? "a newer" : "an older",
			      (long long)version, schema_version);

	return 0;
}

int history_read_file(const char *path, const struct history_query *q,
		      void (*answer)(void *ctx, int err,
				     const struct history_row *rows,
				     size_t count),
		      void *ctx, char **error)
{
	struct rows rows = { 0 };
	sqlite3 *db = NULL;
	int rc, err;

	*error = NULL;
	if (q->limit < 1 || q->limit > 1000)
		return refuse(error, -EINVAL, "the limit is 1 to 1000 rows");
	if (access(path, R_OK) < 0) {
		err = -errno;
		return refuse(error, err, "%s: %s", path, strerror(-err));
	}
	rc = open_readable(path, &db);
	err = rc == SQLITE_OK ? check(db, path, error) :
		refuse(error, -EIO, "%s: %s", path, sqlite3_errstr(rc));
	if (!err) {
		rc = query_run(db, q, &rows);
		if (rc == SQLITE_OK)
			answer(ctx, 0, rows.row, rows.count);
		else
			err = refuse(error, -EIO, "%s: %s", path,
				     sqlite3_errstr(rc));
	}
	rows_free(&rows);
	sqlite3_close(db);

	return err;
}
