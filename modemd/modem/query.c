/* SPDX-License-Identifier: MIT */

/*
 * Questions that are not about a link: a queue in the order of asking. Each
 * may block the line for seconds, so after one the links have the line for as
 * long as it took, while they want it. Names are kept for a while: ten clients
 * that ask for the same one cost one command.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/timer.h"
#include "modem/private.h"

#define KEEP_MS		60000	/* an answer; the modem tells no TTL */
#define KEEP_NONE_MS	10000	/* that there is none */

int query_add(struct modem *m, enum driver_query what, const char *text,
	      uint32_t *id)
{
	struct driver_query_args args = { .text = text };

	return query_add_args(m, what, &args, id);
}

/* At the end of the queue; NULL without memory. */
struct query *query_new(struct modem *m, enum driver_query what,
			const struct driver_query_args *args)
{
	struct query *q;

	q = calloc(1, sizeof(*q));
	if (!q)
		return NULL;

	q->id = ++m->next_query;
	q->what = what;
	q->args = *args;
	snprintf(q->text, sizeof(q->text), "%s", args->text ? args->text : "");
	q->args.text = q->text;
	if (args->time) {
		q->time = *args->time;
		q->args.time = &q->time;
	}
	TAILQ_INSERT_TAIL(&m->queries, q, entry);
	m->query_count++;

	return q;
}

int query_add_args(struct modem *m, enum driver_query what,
		   const struct driver_query_args *args, uint32_t *id)
{
	struct query *q;

	if (m->query_count >= MODEM_QUERIES)
		return -EBUSY;
	q = query_new(m, what, args);
	if (!q)
		return -ENOMEM;
	if (id)
		*id = q->id;
	modem_kick_soon(m);

	return 0;
}

/* One that was cancelled is not told of; but a ping is, with its counts. */
void query_end(struct modem *m, struct query *q, int err,
	       const struct driver_answer *answer)
{
	static const struct driver_answer none = { .text = "" };

	bool tell = !q->quiet && q->what != DRIVER_Q_SIGNAL &&
		    (!q->cancelled || q->what == DRIVER_Q_PING);
	uint32_t id = q->id;

	if (m->pinging == q) {
		m->pinging = NULL;
	} else {
		TAILQ_REMOVE(&m->queries, q, entry);
		m->query_count--;
	}
	if (m->asked == q)
		m->asked = NULL;
	free(q);
	if (tell)
		m->ops->answered(m->ctx, id, err, answer ? answer : &none);
}

static bool is_name(const struct query *q)
{
	return q->what == DRIVER_Q_RESOLVE || q->what == DRIVER_Q_REVERSE;
}

/* Names are the same in any case: RFC 4343. */
static const struct known *find_known(const struct modem *m,
				      const struct query *q)
{
	int64_t now = timers_mono_ms(m->timers);
	const struct known *k;

	if (!is_name(q))
		return NULL;
	for (k = m->known; k < m->known + MODEM_NAMES; k++) {
		if (k->until_ms > now && k->what == q->what &&
		    k->family == q->args.family &&
		    strcasecmp(k->text, q->text) == 0)
			return k;
	}

	return NULL;
}

static void keep(struct modem *m, const struct query *q, int err,
		 const char *answer)
{
	struct known *k = &m->known[m->next_known];

	if (!is_name(q) || (err && err != -EADDRNOTAVAIL))
		return;

	m->next_known = (m->next_known + 1) % MODEM_NAMES;
	k->what = q->what;
	k->family = q->args.family;
	k->err = err;
	k->until_ms = timers_mono_ms(m->timers) +
		      (err ? KEEP_NONE_MS : KEEP_MS);
	snprintf(k->text, sizeof(k->text), "%.*s", DRIVER_HOST_MAX, q->text);
	snprintf(k->answer, sizeof(k->answer), "%s", answer);
}

/* With another network may come other names. */
void names_forget(struct modem *m)
{
	memset(m->known, 0, sizeof(m->known));
}

/* What does not need a network, only a modem. */
static bool is_local(const struct query *q)
{
	return q->what == DRIVER_Q_AT || q->what == DRIVER_Q_CONFIG ||
	       q->what == DRIVER_Q_SET || q->what == DRIVER_Q_SIGNAL ||
	       q->what == DRIVER_Q_TIME;
}

/* The first that may go out now: one ping at a time. */
static struct query *next_query(const struct modem *m)
{
	struct query *q;

	TAILQ_FOREACH(q, &m->queries, entry) {
		if (q->what == DRIVER_Q_PING && m->pinging)
			continue;
		if (network_usable(m) || is_local(q))
			return q;
	}

	return NULL;
}

/* The same, after answering those before it that need no command. */
static struct query *next_unknown(struct modem *m)
{
	struct driver_answer answer = { 0 };
	const struct known *k;
	struct query *q;

	while ((q = next_query(m)) && (k = find_known(m, q))) {
		answer.text = k->answer;
		query_end(m, q, k->err, &answer);
	}

	return q;
}

bool query_blocks(const struct modem *m)
{
	const struct query *q = next_query(m);

	return q && (is_name(q) || q->what == DRIVER_Q_PING) &&
	       !find_known(m, q);
}

/* A ping is answered at once, and then runs beside all else. */
static void under_way(struct modem *m, struct query *q)
{
	if (q->what == DRIVER_Q_PING) {
		TAILQ_REMOVE(&m->queries, q, entry);
		m->query_count--;
		m->pinging = q;
		return;
	}
	m->asked = q;
	m->query_began_ms = timers_mono_ms(m->timers);
	if (blocking_open(m) && is_name(q))
		blocking_begins(m, true);
}

/* Its slot may have changed since it was asked, or be another's. */
static int find_slot(struct modem *m, struct query *q)
{
	struct link *l = link_find(m, q->link);

	if (!l || l->epoch != q->epoch || l->state != LINK_OPEN)
		return -EBADF;
	q->args.slot = (unsigned int)l->slot;

	return 0;
}

/* Ends it at once when it cannot be asked; -EBUSY: not now. */
int query_begin(struct modem *m, struct query *q)
{
	int err = 0;

	if (q->what == DRIVER_Q_CONFIRMED)
		err = find_slot(m, q);
	if (!err)
		err = m->driver->query(m->d, q->id, q->what, &q->args);
	if (err == -EBUSY)
		return err;	/* the driver has something under way */
	if (err)
		query_end(m, q, err, NULL);
	else
		under_way(m, q);

	return err;
}

/* True when one went out. */
bool query_start(struct modem *m)
{
	struct query *q;
	int err;

	if (m->asked)
		return false;
	while ((q = next_unknown(m))) {
		err = query_begin(m, q);
		if (!err || err == -EBUSY)
			return !err;
	}

	return false;
}

void query_answered(struct modem *m, uint32_t id, int err,
		    const struct driver_answer *answer)
{
	struct query *q = m->asked;
	int64_t now = timers_mono_ms(m->timers);

	if (m->pinging && m->pinging->id == id) {
		query_end(m, m->pinging, err, answer);
		return;
	}
	if (!q || q->id != id)
		return;

	if (err == -ECONNRESET)		/* it restarted in the middle */
		err = -ENODEV;
	m->query_not_before_ms = now + (now - m->query_began_ms);
	if (is_name(q))
		blocking_answered(m);
	if (q->what == DRIVER_Q_SIGNAL)
		m->signal_ms = now;
	keep(m, q, err, answer->text);
	query_learn(m, q, err, answer);
	query_end(m, q, err, answer);
}

/* Those that have not gone out; one under way ends by its command. */
void queries_fail(struct modem *m, int err)
{
	struct query *q, *next;

	for (q = TAILQ_FIRST(&m->queries); q; q = next) {
		next = TAILQ_NEXT(q, entry);
		if (q != m->asked && (err != -ENETDOWN || !is_local(q)))
			query_end(m, q, err, NULL);
	}
}

void queries_free(struct modem *m)
{
	struct query *q;

	while ((q = TAILQ_FIRST(&m->queries))) {
		TAILQ_REMOVE(&m->queries, q, entry);
		free(q);
	}
	free(m->pinging);
}

int modem_resolve(struct modem *m, const char *name, int family,
		  uint32_t *query)
{
	struct driver_query_args args = {
		.text = name,
		.family = (enum driver_family)family,
	};

	if (family == DRIVER_IPV6 && !(m->driver->caps & DRIVER_CAP_IPV6))
		return -EOPNOTSUPP;
	if (!network_usable(m) || m->stopping)
		return -ENETDOWN;

	return query_add_args(m, DRIVER_Q_RESOLVE, &args, query);
}

int modem_reverse(struct modem *m, const char *address, uint32_t *query)
{
	if (!(m->driver->caps & DRIVER_CAP_REVERSE_DNS))
		return -EOPNOTSUPP;

	if (!network_usable(m) || m->stopping)
		return -ENETDOWN;

	return query_add(m, DRIVER_Q_REVERSE, address, query);
}

void modem_query_cancel(struct modem *m, uint32_t query)
{
	struct query *q;

	if (m->pinging && m->pinging->id == query)
		m->pinging->cancelled = true;
	TAILQ_FOREACH(q, &m->queries, entry) {
		if (q->id != query)
			continue;
		q->cancelled = true;
		if (q != m->asked && q->what != DRIVER_Q_PING)
			query_end(m, q, -ECANCELED, NULL);
		break;
	}
	modem_kick_soon(m);
}
