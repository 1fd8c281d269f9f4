/* SPDX-License-Identifier: MIT */

/*
 * rows - from what was told to rows, by prepared statements alone.
 */

#include <errno.h>
#include <string.h>

#include "queue.h"
#include "store.h"

static const char *const sql[STMT_COUNT] = {
	[STMT_OPEN] =
	"INSERT INTO sessions (run, link, epoch, instance, boot_id, client,"
	" pid, uid, comm, unit, exe, type, remote, slot, rule, opened,"
	" opened_mono, updated, updated_mono, clock_confirmed)"
	" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?16, ?17,"
	" ?16, ?17, ?18)",
	/* the wall clock may jump; a session never ends before it begins */
	[STMT_BYTES] =
	"UPDATE sessions SET updated = max(?4, opened),"
	" updated_mono = max(?5, opened_mono), accepted = ?6, taken = ?7,"
	" confirmed = ?8, received = ?9, lost = ?10"
	" WHERE run = ?1 AND link = ?2 AND epoch = ?3 AND closed IS NULL",
	[STMT_CLOSE] =
	"UPDATE sessions SET closed = max(?4, opened),"
	" closed_mono = max(?5, opened_mono), updated = max(?4, opened),"
	" updated_mono = max(?5, opened_mono), accepted = ?6, taken = ?7,"
	" confirmed = ?8, received = ?9, lost = ?10, reason = ?11,"
	" modem_text = ?12"
	" WHERE run = ?1 AND link = ?2 AND epoch = ?3 AND closed IS NULL",
	[STMT_NETWORK_OPEN] =
	"INSERT INTO network_sessions (run, instance, boot_id, address,"
	" operator, opened, opened_mono, clock_confirmed)"
	" VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
	[STMT_NETWORK_CLOSE] =
	"UPDATE network_sessions SET closed = max(?2, opened),"
	" closed_mono = max(?3, opened_mono), reason = ?4"
	" WHERE run = ?1 AND closed IS NULL",
	[STMT_EVENT] =
	("INSERT INTO events (run, instance, boot_id, at, at_mono, kind, text,"
	 " clock_confirmed) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"),
	[STMT_BEGIN] = "BEGIN IMMEDIATE",
	[STMT_COMMIT] = "COMMIT",
};

/* All of this boot, also those of daemons before us. */
static const char clock_sql[] =
	"UPDATE sessions SET opened = opened_mono + ?2,"
	" closed = closed_mono + ?2, updated = updated_mono + ?2,"
	" clock_confirmed = 1 WHERE boot_id = ?1 AND clock_confirmed = 0;"
	"UPDATE network_sessions SET opened = opened_mono + ?2,"
	" closed = closed_mono + ?2, clock_confirmed = 1"
	" WHERE boot_id = ?1 AND clock_confirmed = 0;"
	"UPDATE events SET at = at_mono + ?2, clock_confirmed = 1"
	" WHERE boot_id = ?1 AND clock_confirmed = 0;"
	"UPDATE runs SET started = started_mono + ?2,"
	" ended = ended_mono + ?2, clock_confirmed = 1"
	" WHERE boot_id = ?1 AND clock_confirmed = 0";

int store_prepare(struct store *s)
{
	size_t i;
	int rc;

	for (i = 0; i < STMT_COUNT; i++) {
		rc = sqlite3_prepare_v3(s->db, sql[i], -1,
					SQLITE_PREPARE_PERSISTENT,
					&s->stmts[i], NULL);
		if (rc != SQLITE_OK)
			return store_fail(s, rc, "cannot use");
	}

	return 0;
}

/* Parameters one after the other. */
struct binder {
	sqlite3_stmt *stmt;
	int at;
};

static void number(struct binder *b, int64_t value)
{
	sqlite3_bind_int64(b->stmt, ++b->at, value);
}

static void text(struct binder *b, const char *value)
{
	sqlite3_bind_text(b->stmt, ++b->at, value, -1, SQLITE_STATIC);
}

static void bind_open(struct binder *b, const struct store *s,
		      const struct op *op)
{
	const struct history_session *x = &op->session;

	number(b, s->run);
	number(b, (int64_t)x->link);
	number(b, x->epoch);
	text(b, s->instance);
	text(b, s->boot_id);
	text(b, x->client);
	number(b, x->pid);
	number(b, x->uid);
	text(b, x->comm);
	text(b, x->unit);
	text(b, x->exe);
	text(b, x->type);
	text(b, x->remote);
	number(b, x->slot);
	text(b, x->rule);
	number(b, op->wall_ms);
	number(b, op->mono_ms);
	number(b, op->clock_confirmed);
}

static void bind_counts(struct binder *b, const struct store *s,
			const struct op *op)
{
	number(b, s->run);
	number(b, (int64_t)op->session.link);
	number(b, op->session.epoch);
	number(b, op->wall_ms);
	number(b, op->mono_ms);
	number(b, (int64_t)op->counts.accepted);
	number(b, (int64_t)op->counts.taken);
	number(b, op->counts.confirmed);
	number(b, (int64_t)op->counts.received);
	number(b, (int64_t)op->counts.lost);
}

static void bind_network_open(struct binder *b, const struct store *s,
			      const struct op *op)
{
	number(b, s->run);
	text(b, s->instance);
	text(b, s->boot_id);
	text(b, op->first);
	text(b, op->second);
	number(b, op->wall_ms);
	number(b, op->mono_ms);
	number(b, op->clock_confirmed);
}

static void bind_network_close(struct binder *b, const struct store *s,
			       const struct op *op, const char *reason)
{
	number(b, s->run);
	number(b, op->wall_ms);
	number(b, op->mono_ms);
	text(b, reason);
}

static void bind_event(struct binder *b, const struct store *s,
		       const struct op *op)
{
	number(b, s->run);
	text(b, s->instance);
	text(b, s->boot_id);
	number(b, op->wall_ms);
	number(b, op->mono_ms);
	text(b, op->first);
	text(b, op->second);
	number(b, op->clock_confirmed);
}

static int step(struct store *s, sqlite3_stmt *stmt)
{
	int rc = sqlite3_step(stmt);

	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);

	return rc == SQLITE_DONE ? 0 : store_fail(s, rc, "cannot write");
}

/* An update that finds no row: its beginning was lost before. */
static int step_one(struct store *s, sqlite3_stmt *stmt)
{
	int err = step(s, stmt);

	return err ? err : sqlite3_changes(s->db) == 1 ? 0 : -EINVAL;
}

static int confirm_clock(struct store *s, const struct op *op)
{
	int64_t offset_ms = op->wall_ms - op->mono_ms;
	const char *at = clock_sql;
	sqlite3_stmt *stmt;
	int err = 0, rc;

	while (*at && !err) {
		rc = sqlite3_prepare_v2(s->db, at, -1, &stmt, &at);
		if (rc != SQLITE_OK)
			return store_fail(s, rc, "cannot use");
		sqlite3_bind_text(stmt, 1, s->boot_id, -1, SQLITE_STATIC);
		sqlite3_bind_int64(stmt, 2, offset_ms);
		err = step(s, stmt);
		sqlite3_finalize(stmt);
	}
	if (!err)
		s->offset_ms = offset_ms;

	return err;
}

int store_put(struct store *s, const struct op *op)
{
	struct binder b = { s->stmts[op->kind == OP_CLOCK ? STMT_BEGIN :
				     (enum store_stmt)op->kind], 0 };
	struct binder before = { s->stmts[STMT_NETWORK_CLOSE], 0 };
	int err;

	switch (op->kind) {
	case OP_OPEN:
		bind_open(&b, s, op);
		return step(s, b.stmt);
	case OP_BYTES:
		bind_counts(&b, s, op);
		return step_one(s, b.stmt);
	case OP_CLOSE:
		bind_counts(&b, s, op);
		text(&b, op->first);
		text(&b, op->second);
		return step_one(s, b.stmt);
	case OP_NETWORK_OPEN:
		bind_network_close(&before, s, op, "replaced");
		err = step(s, before.stmt);
		bind_network_open(&b, s, op);
		return err ? err : step(s, b.stmt);
	case OP_NETWORK_CLOSE:
		bind_network_close(&b, s, op, op->first);
		return step_one(s, b.stmt);
	case OP_EVENT:
		bind_event(&b, s, op);
		return step(s, b.stmt);
	case OP_CLOCK:
		return confirm_clock(s, op);
	}

	return -EINVAL;
}

int store_begin(struct store *s)
{
	return step(s, s->stmts[STMT_BEGIN]);
}

int store_commit(struct store *s)
{
	return step(s, s->stmts[STMT_COMMIT]);
}

/* Some errors have rolled back already. */
void store_rollback(struct store *s)
{
	if (s->db && !sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}
