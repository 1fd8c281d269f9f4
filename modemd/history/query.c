/* SPDX-License-Identifier: MIT */

#include "query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define TEXTS_MAX	12	/* of a row */

/*
 * One statement for all questions would scan: an unused filter hides the
 * index of a used one. So the text is put together from these, which are all
 * constants; what the user says is only ever bound.
 */
#define SESSIONS							\
	"SELECT id, clock_confirmed, instance, boot_id, opened,"	\
	" opened_mono, closed, closed_mono, link, epoch, client, pid,"	\
	" uid, comm, unit, exe, type, remote, slot, rule, accepted,"	\
	" taken, confirmed, received, lost, reason, modem_text"		\
	" FROM sessions WHERE 1"
#define EVENTS								\
	"SELECT id, clock_confirmed, instance, boot_id, at, at_mono,"	\
	" kind, text FROM events WHERE 1"

/* "host" finds "host:1" and, of an IPv6 address, "[host]:1" */
#define REMOTE								\
	" AND (remote = :remote"					\
	" OR (remote > :remote || ':' AND remote < :remote || ';')"	\
	" OR (remote > '[' || :remote || ']:'"				\
	"     AND remote < '[' || :remote || '];'))"

static void build(const struct history_query *q, char *sql, size_t size)
{
	bool e = q->events;

	snprintf(sql, size, "%s%s%s%s%s%s%s%s ORDER BY id DESC LIMIT :limit",
		 e ? EVENTS : SESSIONS,
		 q->since_wall_ms == INT64_MIN ? "" :
		 e ? " AND at >= :since" : " AND opened >= :since",
		 q->until_wall_ms == INT64_MAX ? "" :
		 e ? " AND at < :until" : " AND opened < :until",
		 e || !q->client ? "" : " AND client = :client",
		 e || !q->remote ? "" : REMOTE,
		 !q->reason ? "" :
		 e ? " AND kind = :reason" : " AND reason = :reason",
		 q->before_id > 0 ? " AND id < :before" : "",
		 !q->own_uid_only ? "" :
		 e ? " AND kind <> 'client'" : " AND uid = :uid");
}

/* A filter that the statement does not have has no parameter either. */
static void bind_number(sqlite3_stmt *stmt, const char *name, int64_t value)
{
	int i = sqlite3_bind_parameter_index(stmt, name);

	if (i > 0)
		sqlite3_bind_int64(stmt, i, value);
}

static void bind_text(sqlite3_stmt *stmt, const char *name, const char *value)
{
	int i = sqlite3_bind_parameter_index(stmt, name);

	if (i > 0)
		sqlite3_bind_text(stmt, i, value, -1, SQLITE_STATIC);
}

static int prepare(sqlite3 *db, const struct history_query *q,
		   sqlite3_stmt **stmt)
{
	char sql[1536];
	int rc;

	build(q, sql, sizeof(sql));
	rc = sqlite3_prepare_v2(db, sql, -1, stmt, NULL);
	if (rc != SQLITE_OK)
		return rc;
	bind_number(*stmt, ":since", q->since_wall_ms);
	bind_number(*stmt, ":until", q->until_wall_ms);
	bind_text(*stmt, ":client", q->client);
	bind_text(*stmt, ":remote", q->remote);
	bind_text(*stmt, ":reason", q->reason);
	bind_number(*stmt, ":before", q->before_id);
	bind_number(*stmt, ":uid", q->uid);
	bind_number(*stmt, ":limit", q->limit);

	return SQLITE_OK;
}

/* Columns one after the other; texts are copied behind each other. */
struct taker {
	sqlite3_stmt *stmt;
	int column;
	char *at;
};

static int64_t number(struct taker *t)
{
	return sqlite3_column_int64(t->stmt, t->column++);
}

static const char *text(struct taker *t)
{
	const void *value = sqlite3_column_text(t->stmt, t->column);
	int len = sqlite3_column_bytes(t->stmt, t->column++);
	char *begin = t->at;

	if (value && len > 0)
		memcpy(begin, value, (size_t)len);
	begin[value ? len : 0] = '\0';
	t->at += (value ? len : 0) + 1;

	return begin;
}

static void take_session(struct taker *t, struct history_row *row)
{
	struct history_session *s = &row->session;

	row->closed = sqlite3_column_type(t->stmt, t->column) != SQLITE_NULL;
	row->closed_wall_ms = number(t);
	row->closed_mono_ms = number(t);
	s->link = (uint64_t)number(t);
	s->epoch = (uint32_t)number(t);
	s->client = text(t);
	s->pid = (int32_t)number(t);
	s->uid = (uint32_t)number(t);
	s->comm = text(t);
	s->unit = text(t);
	s->exe = text(t);
	s->type = text(t);
	s->remote = text(t);
	s->slot = (int32_t)number(t);
	s->rule = text(t);
	row->counts.accepted = (uint64_t)number(t);
	row->counts.taken = (uint64_t)number(t);
	row->counts.confirmed = number(t);
	row->counts.received = (uint64_t)number(t);
	row->counts.lost = (uint64_t)number(t);
	row->reason = text(t);
	row->modem_text = text(t);
	row->kind = "";
	row->text = "";
}

static void take_event(struct taker *t, struct history_row *row)
{
	struct history_session *s = &row->session;

	row->kind = text(t);
	row->text = text(t);
	row->reason = "";
	row->modem_text = "";
	s->client = s->comm = s->unit = s->exe = "";
	s->type = s->remote = s->rule = "";
}

static int take_row(sqlite3_stmt *stmt, bool events, struct rows *out)
{
	struct history_row *row = &out->row[out->count];
	struct taker t = { .stmt = stmt };
	size_t size = TEXTS_MAX + 1;
	int i;

	for (i = 0; i < sqlite3_column_count(stmt); i++) {
		if (sqlite3_column_type(stmt, i) == SQLITE_TEXT)
			size += (size_t)sqlite3_column_bytes(stmt, i);
	}
	t.at = malloc(size);
	if (!t.at)
		return SQLITE_NOMEM;
	out->texts[out->count++] = t.at;

	row->id = number(&t);
	row->clock_confirmed = number(&t) != 0;
	row->instance = text(&t);
	row->boot_id = text(&t);
	row->opened_wall_ms = number(&t);
	row->opened_mono_ms = number(&t);
	if (events)
		take_event(&t, row);
	else
		take_session(&t, row);

	return SQLITE_ROW;
}

int query_run(sqlite3 *db, const struct history_query *q, struct rows *out)
{
	sqlite3_stmt *stmt;
	int rc;

	memset(out, 0, sizeof(*out));
	out->row = calloc(q->limit, sizeof(*out->row));
	out->texts = calloc(q->limit, sizeof(*out->texts));
	if (!out->row || !out->texts)
		return SQLITE_NOMEM;
	rc = prepare(db, q, &stmt);
	if (rc != SQLITE_OK)
		return rc;
	do {
		rc = sqlite3_step(stmt);
		if (rc == SQLITE_ROW)
			rc = take_row(stmt, q->events, out);
	} while (rc == SQLITE_ROW && out->count < q->limit);
	sqlite3_finalize(stmt);

	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

void rows_free(struct rows *r)
{
	size_t i;

	for (i = 0; i < r->count; i++)
		free(r->texts[i]);
	free(r->texts);
	free(r->row);
	memset(r, 0, sizeof(*r));
}

static void guard(sqlite3 *db)
{
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 1 << 16);
	sqlite3_exec(db, "PRAGMA cell_size_check = ON;"
		     "PRAGMA temp_store = MEMORY; PRAGMA query_only = ON;"
		     "PRAGMA cache_size = -1024", NULL, NULL, NULL);
}

int query_open(const char *path, sqlite3 **db)
{
	int rc = sqlite3_open_v2(path, db, SQLITE_OPEN_READONLY |
				 SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL);

	if (rc != SQLITE_OK) {
		sqlite3_close(*db);
		*db = NULL;
		return rc;
	}
	guard(*db);

	return SQLITE_OK;
}
