/* SPDX-License-Identifier: MIT */

/*
 * Links: what is asked of them from above, and what becomes of them all at
 * once. Here their ends are told.
 */

#include <errno.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <string.h>

#include "base/config.h"
#include "base/timer.h"
#include "modem/private.h"

#define AUDIT_MS	2000	/* an open waits so long for the audit */

/* Of one listener, 0: of all. */
unsigned int links_inbound(const struct modem *m, uint64_t listener)
{
	const struct link *l;
	unsigned int n = 0;

	TAILQ_FOREACH(l, &m->links, entry)
		n += l->kind == LINK_INBOUND && l->state != LINK_ENDED &&
		     (listener == 0 || l->listener == listener);

	return n;
}

/* Every socket is gone. Links that may wait go on waiting, unless @all. */
void links_lost(struct modem *m, int err, const char *reason, bool all)
{
	struct link *l;
	unsigned int i;

	TAILQ_FOREACH(l, &m->links, entry) {
		if (!all && l == m->lease && m->lease_phase == LEASE_CLEARING)
			continue;	/* it is what they are lost for */
		if (!all && (l->state == LINK_LOST ||
			     (l->state == LINK_WAITING && l->wait_until_ms)))
			link_release_slot(l);
		else if (l->hurry)	/* what came first is why */
			link_lose(l, l->end_err, l->end_reason, l->end_text);
		else
			link_lose(l, err, reason, "");
	}
	for (i = 0; i < m->driver->max_links; i++) {
		early_drop(m, &m->slots[i]);
		memset(&m->slots[i], 0, sizeof(m->slots[i]));
	}
	m->blocking = false;
	listeners_lost(m, err, reason, all);
}

static void tell_end(struct link *l)
{
	struct modem *m = l->modem;
	bool was_open = l->was_open;
	uint64_t id = l->id;
	struct link_end how;
	char text[sizeof(l->end_text)];

	link_fill_end(l, &how);
	memcpy(text, l->end_text, sizeof(text));
	how.modem_text = text;
	link_free(l);
	if (was_open)
		m->ops->closed(m->ctx, id, &how);
	else
		m->ops->opened(m->ctx, id, &how);
}

static const char *why_queued(const struct modem *m)
{
	if (!network_usable(m))
		return "the network is not open";

	return link_slots_are_kept(m) ?
	       "the free sockets of the modem are kept for accepted "
	       "connections" : "all sockets of the modem are taken";
}

/* Runs when the loop is at rest. */
void links_reap(void *ctx)
{
	struct modem *m = ctx;
	struct link *l, *next;

	for (l = TAILQ_FIRST(&m->links); l; l = next) {
		next = TAILQ_NEXT(l, entry);
		if (l->tell_queued && l->state == LINK_WAITING) {
			l->tell_queued = false;
			m->ops->queued(m->ctx, l->id, why_queued(m));
			/* The callee may have closed any link. */
			next = TAILQ_FIRST(&m->links);
		} else if (l->state == LINK_ENDED) {
			tell_end(l);
			next = TAILQ_FIRST(&m->links);
		}
	}
	listeners_reap(m);
	if (m->stopping && TAILQ_EMPTY(&m->links) &&
	    TAILQ_EMPTY(&m->listeners) && m->lease_phase != LEASE_RUNNING)
		timer_start(m->stop_timer, 0);
}

/* The daemon stops: open links are closed politely, the others end. */
void links_stop(struct modem *m)
{
	struct link *l;

	TAILQ_FOREACH(l, &m->links, entry) {
		if (l->state == LINK_OPEN)
			(void)modem_link_close(m, l->id, false, "daemon-stop");
		else if (l->state != LINK_CLOSING && l->state != LINK_ENDED)
			link_end(l, -ESHUTDOWN, "daemon-stop", "");
	}
	listeners_stop(m);
}

void links_free(struct modem *m)
{
	struct slot *s;

	for (s = m->slots; s < m->slots + DRIVER_LINKS_MAX; s++)
		early_drop(m, s);
	while (!TAILQ_EMPTY(&m->links))
		link_free(TAILQ_FIRST(&m->links));
}

/* ------------------------------------------------------- asked from above */

static bool anybody_waits(const struct modem *m)
{
	const struct link *l;

	TAILQ_FOREACH(l, &m->links, entry) {
		if (l->state == LINK_WAITING && l->slot < 0 &&
		    l->kind != LINK_LEASE)
			return true;
	}

	return false;
}

int modem_link_open(struct modem *m, const struct link_args *args,
		    uint64_t *id)
{
	bool up = network_usable(m) && !m->want_audit;
	bool may_take = up && !anybody_waits(m);
	uint32_t wait_ms = args->wait_ms;
	struct link *l;

	if (m->stopping)
		return -ESHUTDOWN;
	if (!network_usable(m) && args->wait_ms == 0)
		return m->state < MODEM_STARTING ? -ENODEV : -ENETDOWN;

	l = link_new(m, args);
	if (!l)
		return -ENOMEM;
	if ((m->want_audit || accept_passing(m)) && wait_ms < AUDIT_MS)
		wait_ms = AUDIT_MS;	/* nobody knows yet what is free */
	if (wait_ms > 0)
		l->wait_until_ms = timers_mono_ms(m->timers) + wait_ms;
	if (!may_take || !link_take_slot(l)) {
		if (wait_ms == 0) {
			link_free(l);
			return -EMFILE;
		}
		l->tell_queued = true;
		timer_start(m->reaper, 0);
	}
	*id = l->id;
	modem_kick_soon(m);

	return 0;
}

int modem_link_send_to(struct modem *m, uint64_t id, uint32_t epoch,
		       const void *data, size_t len,
		       const struct driver_to *to)
{
	struct link *l = link_find(m, id);
	int err;

	if (!l || l->want_close)
		return -EBADF;
	if (!l->was_open)
		return -EBUSY;
	if (epoch != l->epoch || l->state != LINK_OPEN || l->going_down)
		return -ESTALE;
	if (len > m->cfg->links.window ||
	    evbuffer_get_length(l->tx) > m->cfg->links.window - len)
		return -EAGAIN;
	if (l->kind == LINK_UDP)
		err = datagram_queue(l, data, len, to);
	else if (to)
		err = -EINVAL;
	else
		err = evbuffer_add(l->tx, data, len) ? -ENOMEM : 0;
	if (err)
		return err;

	l->counts.accepted += len;
	l->active_ms = timers_mono_ms(m->timers);
	modem_kick_soon(m);

	return 0;
}

int modem_link_credit(struct modem *m, uint64_t id, uint32_t epoch,
		      uint32_t bytes)
{
	struct link *l = link_find(m, id);

	if (!l)
		return -EBADF;
	if (epoch != l->epoch || l->state == LINK_LOST)
		return -ESTALE;

	l->credit = bytes > LINK_CREDIT_MAX - l->credit ? LINK_CREDIT_MAX :
		    l->credit + bytes;
	modem_kick_soon(m);

	return 0;
}

int modem_link_close(struct modem *m, uint64_t id, bool abort,
		     const char *reason)
{
	struct link *l = link_find(m, id);

	if (!l || (l->want_close && l->abort))
		return -EBADF;
	if (l->state != LINK_OPEN && l->state != LINK_CLOSING) {
		link_end(l, l->was_open ? 0 : -ECANCELED, reason, "");
		return 0;
	}

	if (!l->want_close)
		l->close_by_ms = timers_mono_ms(m->timers) +
				 m->cfg->links.send_timeout_ms;
	l->want_close = true;
	l->abort |= abort;
	if (!l->peer_closed) {
		l->end_err = 0;
		l->end_reason = reason;
	}
	modem_kick_soon(m);

	return 0;
}

int modem_link_info(struct modem *m, uint64_t id, struct link_info *out)
{
	struct link *l = link_find(m, id);

	if (!l)
		return -EBADF;
	link_fill_info(l, out);

	return 0;
}

int modem_link_next(struct modem *m, uint64_t after, struct link_info *out)
{
	struct link *l;

	TAILQ_FOREACH(l, &m->links, entry) {
		if (l->id > after && l->state != LINK_ENDED) {
			link_fill_info(l, out);
			return 0;
		}
	}

	return -ENOENT;
}
