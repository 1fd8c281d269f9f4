/* SPDX-License-Identifier: MIT */

/*
 * Questions that are not about a link: a queue in the order of asking. Each
 * may block the line for seconds, so after one the links have the line for as
 * long as it took, while they want it.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/timer.h"
#include "modem/private.h"

int query_add(struct modem *m, enum driver_query what, const char *text,
	      uint32_t *id)
{
	struct query *q;

	if (m->query_count >= MODEM_QUERIES)
		return -EBUSY;

	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;

	q->id = ++m->next_query;
	q->what = what;
	snprintf(q->text, sizeof(q->text), "%s", text);
	TAILQ_INSERT_TAIL(&m->queries, q, entry);
	m->query_count++;
	if (id)
		*id = q->id;
	modem_kick_soon(m);

	return 0;
}

static void query_end(struct modem *m, struct query *q, int err,
		      const char *answer)
{
	bool tell = !q->cancelled && q->what == DRIVER_Q_RESOLVE;
	uint32_t id = q->id;

	TAILQ_REMOVE(&m->queries, q, entry);
	m->query_count--;
	if (m->asked == q)
		m->asked = NULL;
	free(q);
	if (tell)
		m->ops->answered(m->ctx, id, err, answer);
}

/* True when one went out. */
bool query_start(struct modem *m)
{
	struct query *q = TAILQ_FIRST(&m->queries);
	int err;

	if (!q || m->asked)
		return false;

	err = m->driver->query(m->d, q->id, q->what, q->text);
	if (err) {
		query_end(m, q, err, "");
		return query_start(m);
	}
	m->asked = q;
	m->query_began_ms = timers_mono_ms(m->timers);

	return true;
}

void query_answered(struct modem *m, uint32_t id, int err, const char *answer)
{
	struct query *q = m->asked;
	int64_t now = timers_mono_ms(m->timers);

	if (!q || q->id != id)
		return;

	m->query_not_before_ms = now + (now - m->query_began_ms);
	if (q->what == DRIVER_Q_SIGNAL)
		m->signal_ms = now;
	query_end(m, q, err, answer);
}

/* Those that have not gone out; one under way ends by its command. */
void queries_fail(struct modem *m, int err)
{
	struct query *q, *next;

	for (q = TAILQ_FIRST(&m->queries); q; q = next) {
		next = TAILQ_NEXT(q, entry);
		if (q != m->asked)
			query_end(m, q, err, "");
	}
}

void queries_free(struct modem *m)
{
	struct query *q;

	while ((q = TAILQ_FIRST(&m->queries))) {
		TAILQ_REMOVE(&m->queries, q, entry);
		free(q);
	}
}

int modem_resolve(struct modem *m, const char *name, uint32_t *query)
{
	if (m->network != NETWORK_OPEN || m->stopping)
		return -ENETDOWN;

	return query_add(m, DRIVER_Q_RESOLVE, name, query);
}

void modem_query_cancel(struct modem *m, uint32_t query)
{
	struct query *q;

	TAILQ_FOREACH(q, &m->queries, entry) {
		if (q->id != query)
			continue;
		q->cancelled = true;
		if (q != m->asked)
			query_end(m, q, -ECANCELED, "");
		return;
	}
}
