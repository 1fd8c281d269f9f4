/* SPDX-License-Identifier: MIT */

/*
 * Questions beside names: ping, confirmed bytes, options, raw AT. They wait in
 * the queue of query.c; but a ping, once begun, runs beside all else, until
 * its summary or until nobody wants it.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "modem/private.h"

/* -------------------------------------------------------------------- ping */

int modem_ping(struct modem *m, const char *host,
	       const struct driver_ping *how, uint32_t *query)
{
	struct driver_query_args args = { .text = host, .ping = *how };

	if (!(m->driver->caps & DRIVER_CAP_PING))
		return -EOPNOTSUPP;
	if (m->network != NETWORK_OPEN || m->stopping)
		return -ENETDOWN;

	return query_add_args(m, DRIVER_Q_PING, &args, query);
}

/* Those that are not wanted any more before they began. */
void pings_end_cancelled(struct modem *m)
{
	struct query *q;

again:
	TAILQ_FOREACH(q, &m->queries, entry) {
		if (q->what != DRIVER_Q_PING || !q->cancelled)
			continue;
		query_end(m, q, -ECANCELED, NULL);
		goto again;	/* the callee may have asked or cancelled */
	}
}

/* True when the running one is being stopped by a command. */
bool ping_step(struct modem *m)
{
	struct query *q = m->pinging;

	if (!q || !q->cancelled || q->stopping ||
	    m->driver->ping_stop(m->d))
		return false;
	q->stopping = true;

	return true;
}

/* A modem may tell of more packets than were asked for: not we. */
void ping_progress(struct modem *m, uint32_t id,
		   const struct driver_echo *echo)
{
	struct query *q = m->pinging;

	if (!q || q->id != id || q->echoes >= q->args.ping.count)
		return;
	q->echoes++;
	m->ops->progress(m->ctx, q->id, q->echoes, echo);
}
