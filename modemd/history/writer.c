/* SPDX-License-Identifier: MIT */

/*
 * writer - the thread that waits for the disk, so that nobody else has to.
 *
 * It sleeps without a limit while nothing is queued. The first row wakes it;
 * it waits 200 ms for more and commits them together.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "private.h"

static void tell_loop(struct history *h)
{
	uint64_t one = 1;

	/* Only a counter that is full fails, and that one wakes as well. */
	if (write(h->news_fd, &one, sizeof(one)) < 0)
		return;
}

static void set_error(struct history *h, const char *error)
{
	bool news;

	pthread_mutex_lock(&h->lock);
	news = strcmp(h->error, error) != 0;
	if (news)
		snprintf(h->error, sizeof(h->error), "%s", error);
	pthread_mutex_unlock(&h->lock);
	if (news)
		tell_loop(h);
}

/* Called by sqlite while it waits or works: must we go? */
static bool give_up(void *ctx)
{
	struct history *h = ctx;
	bool late;

	pthread_mutex_lock(&h->lock);
	late = h->stop && store_mono_ms() >= h->stop_by_ms;
	pthread_mutex_unlock(&h->lock);

	return late;
}

/* Open and sound, or -errno with store.error. */
static int make_ready(struct history *h)
{
	struct store *s = &h->store;
	int err = 0;

	if (h->damaged)
		err = store_set_aside(s);
	else if (store_moved(s))
		store_close(s);
	if (err)
		return err;
	h->damaged = false;
	if (s->db)
		return 0;
	err = store_open(s);
	if (err == -EBADMSG) {
		err = store_set_aside(s);
		if (!err)
			err = store_open(s);
	}

	return err;
}

/* In the transaction of the rows that follow a loss. */
static int tell_loss(struct history *h, uint64_t dropped)
{
	struct timespec now;
	char text[128];
	struct op *op;
	int err;

	snprintf(text, sizeof(text), "%llu rows were lost%s",
		 (unsigned long long)(dropped - h->dropped_told),
		 h->failing ? ": the disk did not take them" : "");
	op = op_new(OP_EVENT, NULL, "history", text);
	if (!op)
		return -EIO;
	clock_gettime(CLOCK_REALTIME, &now);
	op->wall_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	op->mono_ms = store_mono_ms();
	err = store_put(&h->store, op);
	free(op);

	return err;
}

/* All of them in one transaction; @refused: rows that cannot be rows. */
static int write_ops(struct history *h, const struct queue *batch,
		     uint64_t dropped, uint64_t *refused)
{
	struct store *s = &h->store;
	const struct op *op;
	int err = store_begin(s);

	*refused = 0;
	if (!err && dropped > h->dropped_told)
		err = tell_loss(h, dropped);
	TAILQ_FOREACH(op, &batch->ops, next) {
		if (err)
			break;
		err = store_put(s, op);
		if (err == -EINVAL) {
			++*refused;
			err = 0;
		}
	}
	if (!err)
		err = store_commit(s);
	if (err)
		store_rollback(s);
	else
		h->dropped_told = dropped;

	return err;
}

static uint64_t count_rows(const struct queue *batch)
{
	const struct op *op;
	uint64_t rows = 0;

	TAILQ_FOREACH(op, &batch->ops, next)
		rows += op->kind != OP_CLOCK;

	return rows;
}

/*
 * A full disk or a lock may pass with the file open; after anything else it
 * is opened anew, for it may be another one by then. Between two tries for a
 * lock questions have their turn.
 */
static void fail(struct history *h)
{
	int64_t now_ms = store_mono_ms();
	int rc = h->store.last_rc;

	if (rc != SQLITE_FULL && rc != SQLITE_BUSY)
		store_close(&h->store);
	if (!h->failing)
		h->failing_since_ms = now_ms;
	h->failing = true;
	h->retry_at_ms = now_ms + (rc == SQLITE_BUSY ? BUSY_RETRY_MS :
				   RETRY_MS);
	if (rc != SQLITE_BUSY || now_ms - h->failing_since_ms >= BUSY_TOLD_MS)
		set_error(h, h->store.error);
}

/* The batch is on the disk, or back at the head of the queue. */
static void settle(struct history *h, struct queue *batch, int err,
		   uint64_t refused)
{
	pthread_mutex_lock(&h->lock);
	h->in_flight = 0;
	if (err) {
		queue_put_back(batch, &h->queue);
	} else {
		h->committed += count_rows(batch) - refused;
		h->dropped += refused;
		h->settled += batch->count;
	}
	pthread_mutex_unlock(&h->lock);
	queue_clear(batch);
}

static int write_batch(struct history *h)
{
	uint64_t dropped, refused = 0;
	struct queue batch;
	int err;

	queue_init(&batch);
	pthread_mutex_lock(&h->lock);
	queue_take(&h->queue, &batch, BATCH_ROWS);
	h->in_flight = batch.count;
	dropped = h->dropped;
	pthread_mutex_unlock(&h->lock);

	err = make_ready(h);
	if (!err)
		err = write_ops(h, &batch, dropped, &refused);
	if (err == -EBADMSG) {
		h->damaged = true;
		err = make_ready(h);
		if (!err)
			err = write_ops(h, &batch, dropped, &refused);
	}
	settle(h, &batch, err, refused);
	if (err) {
		fail(h);
		return err;
	}
	h->failing = false;
	set_error(h, "");

	return 0;
}

static int on_progress(void *ctx)
{
	struct history *h = ctx;

	return store_mono_ms() >= h->answer_by_ms || give_up(h);
}

/* On a connection of its own, that cannot write whatever it is told. */
static int run_question(struct history *h, struct question *q)
{
	struct store *s = &h->store;
	int rc = s->db ? SQLITE_OK : SQLITE_CANTOPEN;

	if (rc == SQLITE_OK && !s->reader)
		rc = query_open(s->path, &s->reader);
	if (rc == SQLITE_OK) {
		h->answer_by_ms = store_mono_ms() + ANSWER_MS;
		sqlite3_progress_handler(s->reader, 10000, on_progress, h);
		rc = query_run(s->reader, &q->query, &q->rows);
	}
	if (rc == SQLITE_OK)
		return 0;
	if (rc == SQLITE_INTERRUPT)
		return -ETIMEDOUT;
	if (s->db && store_fail(s, rc, "cannot read") == -EBADMSG)
		h->damaged = true;

	return -EIO;
}

/* The first question, when all is written that was told before it. */
static bool question_is_due(const struct history *h)
{
	const struct question *q = TAILQ_FIRST(&h->asked);

	return q && (h->failing || h->settled >= q->after);
}

static void answer_one(struct history *h)
{
	struct question *q;

	pthread_mutex_lock(&h->lock);
	q = question_is_due(h) ? TAILQ_FIRST(&h->asked) : NULL;
	if (q)
		TAILQ_REMOVE(&h->asked, q, next);
	h->running = q;
	pthread_mutex_unlock(&h->lock);
	if (!q)
		return;

	q->err = run_question(h, q);
	if (h->damaged && make_ready(h))
		fail(h);
	pthread_mutex_lock(&h->lock);
	h->running = NULL;
	TAILQ_INSERT_TAIL(&h->done, q, next);
	pthread_mutex_unlock(&h->lock);
	tell_loop(h);
}

static void trim(struct history *h)
{
	int err;

	if (!h->store.db || h->failing || h->damaged)
		return;
	err = store_trim(&h->store);
	h->trim_more = err > 0;
	if (err == -EBADMSG)
		h->damaged = true;
	/* A lock or a full disk shows itself again at the next row. */
}

static void wait_until(struct history *h, int64_t at_ms)
{
	struct timespec until = {
		.tv_sec = at_ms / 1000,
		.tv_nsec = at_ms % 1000 * 1000000,
	};

	pthread_cond_timedwait(&h->work, &h->lock, &until);
}

/* When the rows that wait are to be written; they need not be due. */
static int64_t rows_due_ms(const struct history *h)
{
	if (h->failing)
		return h->retry_at_ms;
	if (h->queue.count >= BATCH_ROWS || !TAILQ_EMPTY(&h->asked))
		return 0;

	return h->oldest_ms + BATCH_MS;
}

/* Under the lock. Returns whether rows are to be written now. */
static bool wait_for_work(struct history *h)
{
	while (!h->stop) {
		if (question_is_due(h))
			return false;
		if (h->queue.count > 0 && store_mono_ms() >= rows_due_ms(h))
			return true;
		if (h->trim_more)
			return false;
		if (h->queue.count > 0)
			wait_until(h, rows_due_ms(h));
		else
			pthread_cond_wait(&h->work, &h->lock);
	}

	return false;
}

/* Is it worth another try? A lock goes away; the handler waited a little. */
static bool again(struct history *h, int err)
{
	return err && h->store.last_rc == SQLITE_BUSY && !give_up(h);
}

/* The last batches; what the disk does not take now is lost. */
static void finish(struct history *h)
{
	bool more = true;
	int err = 0;

	while (more && (!err || again(h, err)) && !give_up(h)) {
		pthread_mutex_lock(&h->lock);
		more = h->queue.count > 0;
		pthread_mutex_unlock(&h->lock);
		err = more ? write_batch(h) : 0;
	}
	do {
		err = h->store.db && !give_up(h) ? run_end(&h->store) : 0;
	} while (again(h, err));
	store_close(&h->store);
}

void *writer_run(void *history)
{
	struct history *h = history;
	bool write_now, abandoned;

	h->store.give_up = give_up;
	h->store.ctx = h;
	if (make_ready(h))
		fail(h);
	trim(h);

	pthread_mutex_lock(&h->lock);
	while (!h->stop) {
		write_now = wait_for_work(h);
		pthread_mutex_unlock(&h->lock);
		if (write_now)
			write_batch(h);
		else
			answer_one(h);
		if (write_now || h->trim_more)
			trim(h);
		pthread_mutex_lock(&h->lock);
	}
	pthread_mutex_unlock(&h->lock);

	finish(h);
	pthread_mutex_lock(&h->lock);
	h->ended = true;
	abandoned = h->abandoned;
	pthread_cond_signal(&h->gone);
	pthread_mutex_unlock(&h->lock);
	if (abandoned)
		history_destroy(h);

	return NULL;
}
