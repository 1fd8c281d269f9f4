/* SPDX-License-Identifier: MIT */

/*
 * private - the inside of a history, shared by the loop's side (history.c,
 * question.c) and the writer's thread (writer.c).
 *
 * Called by: history/.   Calls: nothing.
 */

#ifndef MODEMD_HISTORY_PRIVATE_H
#define MODEMD_HISTORY_PRIVATE_H

#include <pthread.h>

#include "queue.h"
#include "query.h"
#include "run.h"
#include "store.h"

#define BATCH_ROWS	64
#define BATCH_MS	200	/* a row waits no longer for company */
#define RETRY_MS	5000
#define BUSY_RETRY_MS	200
#define BUSY_TOLD_MS	3000	/* a lock that lasts so long is a fault */
#define ANSWER_MS	2000	/* then a question is too big */
#define QUESTIONS_MAX	64
#define ERROR_SIZE	512

struct event;

struct question {
	TAILQ_ENTRY(question) next;
	int id;
	struct history_query query;	/* its text lies behind the question */
	void (*answer)(void *ctx, int err, const struct history_row *rows,
		       size_t count);
	void *ctx;
	uint64_t after;			/* what was told before comes first */
	bool cancelled;
	int err;
	struct rows rows;
};

TAILQ_HEAD(question_list, question);

struct history {
	/* the loop's */
	struct timers *ts;
	struct event *news;
	int next_id;
	bool clock_confirmed;
	char status_error[ERROR_SIZE];
	char logged_error[ERROR_SIZE];

	/* nobody changes it */
	char *instance;
	char *boot_id;
	char *path;
	int news_fd;			/* an eventfd: the writer has news */
	pthread_t thread;

	/* both sides', under the lock, which is never held across the disk */
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_cond_t gone;
	struct queue queue;
	size_t in_flight;		/* taken from it, not committed yet */
	int64_t oldest_ms;		/* when it was empty last */
	uint64_t told;			/* pushed since the start */
	uint64_t settled;		/* of these, written or refused */
	struct question_list asked;
	struct question_list done;
	struct question *running;
	size_t questions;		/* in all three */
	uint64_t committed;
	uint64_t dropped;
	char error[ERROR_SIZE];
	bool stop;
	int64_t stop_by_ms;
	bool ended;			/* the thread touches nothing more */
	bool abandoned;			/* the thread frees it all */

	/* the writer's */
	struct store store;
	bool failing;
	bool damaged;			/* a question found it out */
	bool trim_more;
	int64_t retry_at_ms;
	int64_t failing_since_ms;
	int64_t answer_by_ms;
	uint64_t dropped_told;		/* in an event row */
};

/* writer.c */
void *writer_run(void *history);

/* question.c; the list under the lock */
void question_free(struct question *q);
void question_deliver(struct history *h);
void question_cancel_all(struct history *h);

/* history.c */
void history_destroy(struct history *h);

#endif
