/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_history.h"
#include "fake_timer.h"
#include "fake_world.h"

#define QUESTIONS_MAX	64

struct question {
	TAILQ_ENTRY(question) entry;
	struct history *history;
	struct timer *timer;
	int id;
	void (*answer)(void *ctx, int err, const struct history_row *rows,
		       size_t count);
	void *ctx;
};

struct history {
	struct timers *timers;
	struct fake_world *world;
	struct fake_session_list sessions;
	struct fake_event_list events;
	TAILQ_HEAD(, question) questions;
	unsigned int question_count;
	unsigned int wrong;
	unsigned int networks_opened, networks_closed;
	uint64_t rows;
	int next_id;
	struct history_query asked;	/* its texts are not kept */
	int err;
	const struct history_row *answer_rows;
	size_t answer_count;
	uint32_t delay_ms;
};

int history_new(struct timers *ts, const struct config_history *set,
		const char *instance, const char *boot_id,
		struct history **out)
{
	struct history *h = calloc(1, sizeof(*h));

	(void)set;
	(void)instance;
	(void)boot_id;
	if (!h)
		return -ENOMEM;
	h->timers = ts;
	h->world = fake_timers_world(ts);
	TAILQ_INIT(&h->sessions);
	TAILQ_INIT(&h->events);
	TAILQ_INIT(&h->questions);
	if (h->world)
		h->world->history = h;
	*out = h;

	return 0;
}

static void drop_question(struct question *q)
{
	TAILQ_REMOVE(&q->history->questions, q, entry);
	q->history->question_count--;
	timer_free(q->timer);
	free(q);
}

void history_free(struct history *h, uint32_t wait_ms)
{
	struct fake_session *s;
	struct fake_event *e;
	struct question *q;

	(void)wait_ms;
	if (!h)
		return;
	while ((q = TAILQ_FIRST(&h->questions))) {
		q->answer(q->ctx, -ECANCELED, NULL, 0);
		drop_question(q);
	}
	while ((s = TAILQ_FIRST(&h->sessions))) {
		TAILQ_REMOVE(&h->sessions, s, entry);
		free(s);
	}
	while ((e = TAILQ_FIRST(&h->events))) {
		TAILQ_REMOVE(&h->events, e, entry);
		free(e);
	}
	if (h->world && h->world->history == h)
		h->world->history = NULL;
	free(h);
}

/* ---------------------------------------------------------------- sessions */

static struct fake_session *find(const struct history *h, uint64_t link,
				 uint32_t epoch)
{
	struct fake_session *s;

	TAILQ_FOREACH(s, &h->sessions, entry) {
		if (s->link == link && s->epoch == epoch)
			return s;
	}

	return NULL;
}

void history_session_open(struct history *h, const struct history_session *in)
{
	struct fake_session *s;

	if (find(h, in->link, in->epoch)) {
		h->wrong++;
		return;
	}
	s = calloc(1, sizeof(*s));
	s->link = in->link;
	s->epoch = in->epoch;
	s->slot = in->slot;
	s->uid = in->uid;
	snprintf(s->client, sizeof(s->client), "%s", in->client);
	snprintf(s->type, sizeof(s->type), "%s", in->type);
	snprintf(s->remote, sizeof(s->remote), "%s", in->remote);
	snprintf(s->type, sizeof(s->type), "%s", in->type);
	TAILQ_INSERT_TAIL(&h->sessions, s, entry);
	h->rows++;
}

static struct fake_session *open_session(struct history *h, uint64_t link,
					 uint32_t epoch)
{
	struct fake_session *s = find(h, link, epoch);

	if (s && !s->closed)
		return s;
	h->wrong++;

	return NULL;
}

void history_session_bytes(struct history *h, uint64_t link, uint32_t epoch,
			   const struct history_counts *counts)
{
	struct fake_session *s = open_session(h, link, epoch);

	if (s)
		s->counts = *counts;
}

void history_session_close(struct history *h, uint64_t link, uint32_t epoch,
			   const struct history_counts *counts,
			   const char *reason, const char *modem_text)
{
	struct fake_session *s = open_session(h, link, epoch);

	if (!s)
		return;
	s->closed = true;
	s->counts = *counts;
	snprintf(s->reason, sizeof(s->reason), "%s", reason);
	snprintf(s->text, sizeof(s->text), "%s", modem_text);
}

/* ------------------------------------------------------ networks and events */

void history_network_open(struct history *h, const char *address,
			  const char *operator_name)
{
	(void)address;
	(void)operator_name;
	h->networks_opened++;
}

void history_network_close(struct history *h, const char *reason)
{
	(void)reason;
	if (h->networks_closed++ >= h->networks_opened)
		h->wrong++;
}

void history_event(struct history *h, const char *kind, const char *fmt, ...)
{
	struct fake_event *e = calloc(1, sizeof(*e));
	va_list ap;

	snprintf(e->kind, sizeof(e->kind), "%s", kind);
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	TAILQ_INSERT_TAIL(&h->events, e, entry);
	h->rows++;
}

void history_get_status(struct history *h, struct history_status *out)
{
	*out = (struct history_status){
		.committed = h->rows,
		.database = "fake",
	};
}

void history_clock_confirmed(struct history *h)
{
	(void)h;
}

/* --------------------------------------------------------------- questions */

static void on_answer(void *ctx)
{
	struct question *q = ctx;
	struct history *h = q->history;

	q->answer(q->ctx, h->err, h->err ? NULL : h->answer_rows,
		  h->err ? 0 : h->answer_count);
	drop_question(q);
}

int history_query(struct history *h, const struct history_query *query,
		  void (*answer)(void *ctx, int err,
				 const struct history_row *rows, size_t count),
		  void *ctx)
{
	struct question *q;

	if (h->question_count >= QUESTIONS_MAX)
		return -EBUSY;
	h->asked = *query;
	q = calloc(1, sizeof(*q));
	q->history = h;
	q->id = ++h->next_id;
	q->answer = answer;
	q->ctx = ctx;
	q->timer = timer_new(h->timers, on_answer, q);
	TAILQ_INSERT_TAIL(&h->questions, q, entry);
	h->question_count++;
	timer_start(q->timer, h->delay_ms);

	return q->id;
}

void history_cancel(struct history *h, int id)
{
	struct question *q;

	TAILQ_FOREACH(q, &h->questions, entry) {
		if (q->id == id) {
			drop_question(q);
			return;
		}
	}
	h->wrong++;
}

int history_read_file(const char *path, const struct history_query *q,
		      void (*answer)(void *ctx, int err,
				     const struct history_row *rows,
				     size_t count),
		      void *ctx, char **error)
{
	(void)path;
	(void)q;
	(void)answer;
	(void)ctx;
	*error = NULL;

	return -ENOSYS;
}

/* ------------------------------------------------------------ for the test */

const struct fake_session_list *fake_history_sessions(const struct history *h)
{
	return &h->sessions;
}

const struct fake_event_list *fake_history_events(const struct history *h)
{
	return &h->events;
}

const struct fake_session *fake_history_session(const struct history *h,
						uint64_t link, uint32_t epoch)
{
	return find(h, link, epoch);
}

unsigned int fake_history_open_sessions(const struct history *h)
{
	const struct fake_session *s;
	unsigned int n = 0;

	TAILQ_FOREACH(s, &h->sessions, entry)
		n += !s->closed;

	return n;
}

unsigned int fake_history_wrong(const struct history *h)
{
	return h->wrong;
}

unsigned int fake_history_networks(const struct history *h, bool open)
{
	return open ? h->networks_opened - h->networks_closed :
		      h->networks_closed;
}

void fake_history_answer(struct history *h, int err,
			 const struct history_row *rows, size_t count,
			 uint32_t delay_ms)
{
	h->err = err;
	h->answer_rows = rows;
	h->answer_count = count;
	h->delay_ms = delay_ms;
}

const struct history_query *fake_history_asked(const struct history *h)
{
	return &h->asked;
}

unsigned int fake_history_waiting(const struct history *h)
{
	return h->question_count;
}
