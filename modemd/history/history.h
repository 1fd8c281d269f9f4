/* SPDX-License-Identifier: MIT */

/*
 * history - what happened, kept in sqlite, written by a thread of its own.
 *
 * One of the seams of the core. Nothing here waits for the disk: writes are
 * queued (4096 rows; what does not fit is dropped and counted), questions are
 * answered later from the loop. Where the disk fails, the daemon goes on, the
 * failure is counted and told in history_get_status(), and writing is tried
 * again every 5 s while rows wait. An idle history wakes nobody up.
 *
 * Called by: broker, main.   Calls: base, sqlite3, libevent.
 */

#ifndef MODEMD_HISTORY_H
#define MODEMD_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config_history;
struct history;
struct timers;

#define HISTORY_QUEUE_MAX	4096	/* rows */

struct history_counts {
	uint64_t accepted;
	uint64_t taken;
	int64_t confirmed;	/* -1: unknown */
	uint64_t received;
	uint64_t lost;		/* the modem had them, modemd did not */
};

/* A link's life opens. All text is borrowed until the call returns. */
struct history_session {
	uint64_t link;
	uint32_t epoch;
	const char *client;
	int32_t pid;
	uint32_t uid;
	const char *comm, *unit, *exe;	/* "" where unreadable */
	const char *type;		/* tcp udp tls */
	const char *remote;		/* host:port */
	int32_t slot;
	const char *rule;		/* access rule, "": none */
};

struct history_status {
	uint64_t committed;	/* rows safe on the disk since the start */
	uint32_t queued;
	uint64_t dropped;
	const char *error;	/* NULL: in order; borrowed until next call */
	const char *database;
};

/*
 * Opens or makes the database, migrates it, and marks the sessions that an
 * earlier daemon left open as ended by its crash ("daemon-crash", closed when
 * last heard of). A damaged file is renamed NAME.corrupt-N and a new one is
 * begun; one with a newer schema is left alone and refused. None of these
 * fail the call: *@out is NULL only for -ENOMEM. @boot_id is the kernel's.
 */
int history_new(struct timers *ts, const struct config_history *set,
		const char *instance, const char *boot_id,
		struct history **out);

/* Writes what is queued, for at most @wait_ms, then lets go. */
void history_free(struct history *h, uint32_t wait_ms);

/* A session is known by (link, epoch) of this daemon. */
void history_session_open(struct history *h, const struct history_session *s);
void history_session_bytes(struct history *h, uint64_t link, uint32_t epoch,
			   const struct history_counts *counts);
void history_session_close(struct history *h, uint64_t link, uint32_t epoch,
			   const struct history_counts *counts,
			   const char *reason, const char *modem_text);

/* The network opened, and was lost or closed: one row of its own. */
void history_network_open(struct history *h, const char *address,
			  const char *operator_name);
void history_network_close(struct history *h, const char *reason);

/*
 * The time that the modem's network is open; an open one is closed by the
 * next. @address and @operator may be "".
 */
void history_network_open(struct history *h, const char *address,
			  const char *operator);
void history_network_close(struct history *h, const char *reason);

/* @kind: modem network client daemon history. */
__attribute__((format(printf, 3, 4)))
void history_event(struct history *h, const char *kind, const char *fmt, ...);

void history_get_status(struct history *h, struct history_status *out);

/*
 * The wall clock is believed now: corrects this boot's rows in one statement
 * per table. Later calls do nothing.
 */
void history_clock_confirmed(struct history *h);

struct history_query {
	bool events;			/* else sessions */
	int64_t since_wall_ms;		/* INT64_MIN: from the first */
	int64_t until_wall_ms;		/* INT64_MAX: to the last */
	const char *client;		/* NULL: any */
	const char *remote;		/* host or host:port; NULL: any */
	const char *reason;		/* or kind of event; NULL: any */
	int64_t before_id;		/* 0: from the newest */
	uint32_t limit;			/* rows, 1..1000 */
	bool own_uid_only;		/* rows of @uid; no client events */
	uint32_t uid;
};

struct history_row {
	int64_t id;
	bool clock_confirmed;
	const char *instance, *boot_id;
	int64_t opened_wall_ms, opened_mono_ms;	/* of an event: its time */
	/* sessions */
	bool closed;
	int64_t closed_wall_ms, closed_mono_ms;
	struct history_session session;
	struct history_counts counts;
	const char *reason, *modem_text;
	/* events */
	const char *kind, *text;
};

/*
 * Answers later, from the loop, newest first, with all that was told before:
 * @rows is borrowed until @answer returns. @err 0, -EIO (see the status),
 * -ETIMEDOUT (searched for 2 s: narrow it down), -ECANCELED (history_free).
 * Returns an id > 0 for history_cancel(), -EINVAL for a bad limit, -ENOMEM,
 * or -EBUSY when 64 questions wait.
 */
int history_query(struct history *h, const struct history_query *q,
		  void (*answer)(void *ctx, int err,
				 const struct history_row *rows, size_t count),
		  void *ctx);
void history_cancel(struct history *h, int id);	/* @answer never runs */

/*
 * The same question to a file, read-only, in the caller's thread, while no
 * daemon need run (modemctl history --db). 0 or -errno; *@error a sentence,
 * free() it.
 */
int history_read_file(const char *path, const struct history_query *q,
		      void (*answer)(void *ctx, int err,
				     const struct history_row *rows,
				     size_t count),
		      void *ctx, char **error);

#endif
