/* SPDX-License-Identifier: MIT */

/*
 * question - the loop's side of a query: asked, answered, cancelled.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

static char *copy_text(char *at, const char **text)
{
	size_t size;

	if (!*text)
		return at;
	size = strlen(*text) + 1;
	memcpy(at, *text, size);
	*text = at;

	return at + size;
}

static struct question *question_new(const struct history_query *query)
{
	size_t size = sizeof(struct question);
	struct question *q;
	char *at;

	size += query->client ? strlen(query->client) + 1 : 0;
	size += query->remote ? strlen(query->remote) + 1 : 0;
	size += query->reason ? strlen(query->reason) + 1 : 0;
	q = calloc(1, size);
	if (!q)
		return NULL;
	q->query = *query;
	at = copy_text((char *)(q + 1), &q->query.client);
	at = copy_text(at, &q->query.remote);
	copy_text(at, &q->query.reason);

	return q;
}

void question_free(struct question *q)
{
	rows_free(&q->rows);
	free(q);
}

int history_query(struct history *h, const struct history_query *query,
		  void (*answer)(void *ctx, int err,
				 const struct history_row *rows, size_t count),
		  void *ctx)
{
	struct question *q;
	int id;

	if (query->limit < 1 || query->limit > 1000)
		return -EINVAL;
	q = question_new(query);
	if (!q)
		return -ENOMEM;
	id = h->next_id;
	q->id = id;
	q->answer = answer;
	q->ctx = ctx;

	pthread_mutex_lock(&h->lock);
	if (h->questions == QUESTIONS_MAX) {
		pthread_mutex_unlock(&h->lock);
		question_free(q);
		return -EBUSY;
	}
	h->questions++;
	q->after = h->told;
	TAILQ_INSERT_TAIL(&h->asked, q, next);
	pthread_cond_signal(&h->work);
	pthread_mutex_unlock(&h->lock);
	h->next_id = id == INT32_MAX ? 1 : id + 1;

	return id;
}

static struct question *take(struct question_list *list, int id)
{
	struct question *q;

	TAILQ_FOREACH(q, list, next) {
		if (q->id == id) {
			TAILQ_REMOVE(list, q, next);
			return q;
		}
	}

	return NULL;
}

void history_cancel(struct history *h, int id)
{
	struct question *q;

	pthread_mutex_lock(&h->lock);
	q = take(&h->asked, id);
	if (!q)
		q = take(&h->done, id);
	if (q)
		h->questions--;
	else if (h->running && h->running->id == id)
		h->running->cancelled = true;
	pthread_mutex_unlock(&h->lock);
	if (q)
		question_free(q);
}

static struct question *next_done(struct history *h)
{
	struct question *q;

	pthread_mutex_lock(&h->lock);
	q = TAILQ_FIRST(&h->done);
	if (q) {
		TAILQ_REMOVE(&h->done, q, next);
		h->questions--;
	}
	pthread_mutex_unlock(&h->lock);

	return q;
}

/* One by one: an answer may cancel another question. */
void question_deliver(struct history *h)
{
	struct question *q;

	while ((q = next_done(h))) {
		if (!q->cancelled)
			q->answer(q->ctx, q->err, q->rows.row, q->rows.count);
		question_free(q);
	}
}

/* The thread is gone, or will not be heard any more. */
void question_cancel_all(struct history *h)
{
	struct question *q, *running;

	pthread_mutex_lock(&h->lock);
	while ((q = TAILQ_FIRST(&h->asked))) {
		TAILQ_REMOVE(&h->asked, q, next);
		TAILQ_INSERT_TAIL(&h->done, q, next);
	}
	TAILQ_FOREACH(q, &h->done, next) {
		rows_free(&q->rows);
		q->err = -ECANCELED;
	}
	running = h->running && !h->running->cancelled ? h->running : NULL;
	if (running) {
		/* Its rows are the thread's; its answer is told now. */
		running->cancelled = true;
		pthread_mutex_unlock(&h->lock);
		running->answer(running->ctx, -ECANCELED, NULL, 0);
		pthread_mutex_lock(&h->lock);
	}
	pthread_mutex_unlock(&h->lock);
	question_deliver(h);
}
