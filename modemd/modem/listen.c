/* SPDX-License-Identifier: MIT */

/* Listeners: what is asked of them from above. */

#include <errno.h>
#include <stdlib.h>

#include "base/timer.h"
#include "modem/private.h"

/* -EADDRINUSE, unless it is about to be free. */
static int check_free(const struct modem *m, unsigned int port, bool wait)
{
	const struct listener *l;
	unsigned int n = 0;

	TAILQ_FOREACH(l, &m->listeners, entry) {
		if (l->state == LISTENER_ENDED)
			continue;
		n++;
		if (l->port == port && l->state != LISTENER_STOPPING &&
		    !l->want_stop)
			return -EADDRINUSE;
		n -= l->state == LISTENER_STOPPING;
	}

	return n < m->driver->max_listeners || wait ? 0 : -EMFILE;
}

/* Has this modem such servers? */
bool listener_can_be(const struct modem *m, int family, bool tls)
{
	unsigned int caps = m->driver->caps;

	return m->driver->max_listeners > 0 &&
	       (family != DRIVER_IPV6 || (caps & DRIVER_CAP_IPV6)) &&
	       (!tls || (caps & DRIVER_CAP_TLS_SERVER));
}

int modem_listen(struct modem *m, const struct listener_args *args,
		 uint64_t *id)
{
	int64_t now = timers_mono_ms(m->timers);
	struct listener *l;
	int err;

	if (m->stopping)
		return -ESHUTDOWN;
	if (!listener_can_be(m, args->family, args->tls))
		return -EOPNOTSUPP;
	if (m->network != NETWORK_OPEN && args->wait_ms == 0)
		return m->state < MODEM_STARTING ? -ENODEV : -ENETDOWN;
	err = check_free(m, args->port, args->wait_ms > 0);
	if (err)
		return err;

	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->modem = m;
	l->id = ++m->next_listener;
	l->index = -1;
	l->port = args->port;
	l->backlog = args->backlog;
	l->family = args->family;
	l->tls = args->tls;
	l->verify = args->verify;
	l->idle_timeout_ms = args->idle_timeout_ms;
	l->has_credit = args->has_credit;
	l->credit = args->credit;
	l->policy = args->policy;
	l->opened_mono_ms = now;
	l->opened_wall_ms = timers_wall_ms(m->timers);
	l->wait_until_ms = now + (args->wait_ms > LISTENER_WAIT_MS ?
				  args->wait_ms : LISTENER_WAIT_MS);
	TAILQ_INSERT_TAIL(&m->listeners, l, entry);
	*id = l->id;
	modem_kick_soon(m);

	return 0;
}

static void close_links(struct modem *m, uint64_t listener)
{
	struct link *l;

	TAILQ_FOREACH(l, &m->links, entry) {
		if (l->kind == LINK_INBOUND && l->listener == listener)
			(void)modem_link_close(m, l->id, false,
					       "listener-closed");
	}
}

int modem_unlisten(struct modem *m, uint64_t id)
{
	struct listener *l = listener_find(m, id);

	if (!l || l->want_stop)
		return -EBADF;

	l->end_reason = "listener-closed";
	close_links(m, id);
	if (l->state == LISTENER_WAITING || l->state == LISTENER_LOST) {
		listener_end(l, 0, l->end_reason, "");
		return 0;
	}
	l->want_stop = true;
	if (l->state == LISTENER_LISTENING)
		listener_set_state(l, LISTENER_STOPPING);
	modem_kick_soon(m);

	return 0;
}

int modem_set_policy(struct modem *m, uint64_t id,
		     const struct listener_policy *policy)
{
	struct listener *l = listener_find(m, id);

	if (!l)
		return -EBADF;
	l->policy = *policy;

	return 0;
}

int modem_listener_next(struct modem *m, uint64_t after,
			struct listener_info *out)
{
	struct listener *l;

	TAILQ_FOREACH(l, &m->listeners, entry) {
		if (l->id > after && l->state != LISTENER_ENDED)
			break;
	}
	if (!l)
		return -ENOENT;
	*out = (struct listener_info){
		.id = l->id,
		.index = l->index,
		.state = l->state,
		.port = l->port,
		.backlog = l->backlog,
		.family = l->family,
		.tls = l->tls,
		.links = links_inbound(m, l->id),
		.accepted = l->accepted,
		.refused = l->refused,
		.opened_wall_ms = l->opened_wall_ms,
		.opened_mono_ms = l->opened_mono_ms,
		.policy = &l->policy,
	};

	return 0;
}
