/* SPDX-License-Identifier: MIT */

/*
 * history - the loop's side: it copies, queues, and never waits.
 */

#include "history.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/config.h"
#include "base/log.h"
#include "base/timer.h"
#include "private.h"

/* Under the lock. The writer wakes for the first row and for a full batch. */
static void enqueue(struct history *h, struct op *op)
{
	if (op->kind == OP_BYTES && queue_renew(&h->queue, op)) {
		free(op);
		return;
	}
	if (h->queue.count + h->in_flight >= HISTORY_QUEUE_MAX &&
	    op->kind != OP_CLOCK) {
		h->dropped++;
		free(op);
		return;
	}
	if (h->queue.count == 0)
		h->oldest_ms = op->mono_ms;
	queue_push(&h->queue, op);
	h->told++;
	if (h->queue.count == 1 || h->queue.count == BATCH_ROWS)
		pthread_cond_signal(&h->work);
}

static void tell(struct history *h, struct op *op)
{
	pthread_mutex_lock(&h->lock);
	if (op) {
		op->wall_ms = timers_wall_ms(h->ts);
		op->mono_ms = timers_mono_ms(h->ts);
		op->clock_confirmed = h->clock_confirmed;
		enqueue(h, op);
	} else {
		h->dropped++;
	}
	pthread_mutex_unlock(&h->lock);
}

void history_session_open(struct history *h, const struct history_session *s)
{
	tell(h, op_new(OP_OPEN, s, NULL, NULL));
}

static struct op *counts_op(enum op_kind kind, uint64_t link, uint32_t epoch,
			    const struct history_counts *counts,
			    const char *reason, const char *modem_text)
{
	struct history_session ids = { .link = link, .epoch = epoch };
	struct op *op = op_new(kind, &ids, reason, modem_text);

	if (op)
		op->counts = *counts;

	return op;
}

void history_session_bytes(struct history *h, uint64_t link, uint32_t epoch,
			   const struct history_counts *counts)
{
	tell(h, counts_op(OP_BYTES, link, epoch, counts, NULL, NULL));
}

void history_session_close(struct history *h, uint64_t link, uint32_t epoch,
			   const struct history_counts *counts,
			   const char *reason, const char *modem_text)
{
	tell(h, counts_op(OP_CLOSE, link, epoch, counts, reason, modem_text));
}

void history_network_open(struct history *h, const char *address,
			  const char *operator)
{
	tell(h, op_new(OP_NETWORK_OPEN, NULL, address, operator));
}

void history_network_close(struct history *h, const char *reason)
{
	tell(h, op_new(OP_NETWORK_CLOSE, NULL, reason, NULL));
}

void history_event(struct history *h, const char *kind, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	tell(h, op_new(OP_EVENT, NULL, kind, text));
}

void history_clock_confirmed(struct history *h)
{
	struct op *op = h->clock_confirmed ? NULL :
		op_new(OP_CLOCK, NULL, NULL, NULL);

	if (!op)
		return;
	h->clock_confirmed = true;
	tell(h, op);
}

void history_get_status(struct history *h, struct history_status *out)
{
	pthread_mutex_lock(&h->lock);
	out->committed = h->committed;
	out->queued = (uint32_t)(h->queue.count + h->in_flight);
	out->dropped = h->dropped;
	memcpy(h->status_error, h->error, sizeof(h->status_error));
	pthread_mutex_unlock(&h->lock);
	out->error = h->status_error[0] ? h->status_error : NULL;
	out->database = h->path;
}

static void log_changes(struct history *h)
{
	struct history_status now;

	history_get_status(h, &now);
	if (strcmp(h->logged_error, h->status_error) == 0)
		return;
	if (now.error)
		log_warn("history: %s", now.error);
	else
		log_info("history: %s: in order again", h->path);
	memcpy(h->logged_error, h->status_error, sizeof(h->logged_error));
}

static void on_news(evutil_socket_t fd, short what, void *ctx)
{
	struct history *h = ctx;
	uint64_t times;

	(void)what;
	if (read(fd, &times, sizeof(times)) < 0)
		return;
	log_changes(h);
	question_deliver(h);
}

static void init_locks(struct history *h)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->work, &monotonic);
	pthread_cond_init(&h->gone, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

static void init_store(struct history *h, const struct config_history *set)
{
	struct store *s = &h->store;

	s->path = h->path;
	s->instance = h->instance;
	s->boot_id = h->boot_id;
	s->started_ms = timers_wall_ms(h->ts);
	s->started_mono_ms = timers_mono_ms(h->ts);
	s->offset_ms = s->started_ms - s->started_mono_ms;
	s->retention_ms = set->retention_ms;
	s->max_size = set->max_size;
}

/* Signals are for the loop's thread. */
static int start_thread(struct history *h)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&h->thread, NULL, writer_run, h);
	pthread_sigmask(SIG_SETMASK, &old, NULL);

	return -err;
}

int history_new(struct timers *ts, const struct config_history *set,
		const char *instance, const char *boot_id,
		struct history **out)
{
	struct history *h = calloc(1, sizeof(*h));

	*out = NULL;
	if (!h)
		return -ENOMEM;
	h->ts = ts;
	h->next_id = 1;
	h->instance = strdup(instance);
	h->boot_id = strdup(boot_id);
	h->path = strdup(set->database);
	h->news_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	queue_init(&h->queue);
	TAILQ_INIT(&h->asked);
	TAILQ_INIT(&h->done);
	init_locks(h);
	if (h->news_fd >= 0)
		h->news = event_new(timers_base(ts), h->news_fd,
				    EV_READ | EV_PERSIST, on_news, h);
	if (!h->instance || !h->boot_id || !h->path || !h->news)
		goto fail;
	init_store(h, set);
	if (event_add(h->news, NULL) < 0 || start_thread(h) < 0)
		goto fail;
	*out = h;

	return 0;

fail:
	if (h->news)
		event_free(h->news);
	history_destroy(h);

	return -ENOMEM;
}

void history_destroy(struct history *h)
{
	struct question *q;

	while ((q = TAILQ_FIRST(&h->done))) {
		TAILQ_REMOVE(&h->done, q, next);
		question_free(q);
	}
	queue_clear(&h->queue);
	if (h->news_fd >= 0)
		close(h->news_fd);
	pthread_cond_destroy(&h->gone);
	pthread_cond_destroy(&h->work);
	pthread_mutex_destroy(&h->lock);
	free(h->instance);
	free(h->boot_id);
	free(h->path);
	free(h);
}

/* True: the thread has ended. Else the disk hangs, and the rest is its. */
static bool stop_thread(struct history *h, uint32_t wait_ms)
{
	int64_t until_ms;
	struct timespec until;
	bool ended;
	int err = 0;

	pthread_mutex_lock(&h->lock);
	h->stop = true;
	h->stop_by_ms = store_mono_ms() + wait_ms;
	until_ms = h->stop_by_ms + 100;	/* for what give_up() lets finish */
	until.tv_sec = until_ms / 1000;
	until.tv_nsec = until_ms % 1000 * 1000000;
	pthread_cond_signal(&h->work);
	while (!h->ended && err == 0)
		err = pthread_cond_timedwait(&h->gone, &h->lock, &until);
	ended = h->ended;
	pthread_mutex_unlock(&h->lock);

	return ended;
}

void history_free(struct history *h, uint32_t wait_ms)
{
	pthread_t thread;
	bool ended;

	if (!h)
		return;

	ended = stop_thread(h, wait_ms);
	event_free(h->news);
	question_cancel_all(h);
	thread = h->thread;
	if (ended) {
		pthread_join(thread, NULL);
		history_destroy(h);
		return;
	}

	log_warn("history: %s: the disk did not answer in time; rows may be "
		 "lost", h->path);
	pthread_detach(thread);
	pthread_mutex_lock(&h->lock);
	h->abandoned = true;
	ended = h->ended;
	pthread_mutex_unlock(&h->lock);
	if (ended)	/* just now: it did not see that it was abandoned */
		history_destroy(h);
}
