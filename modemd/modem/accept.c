/* SPDX-License-Identifier: MIT */

/*
 * Connections that listeners accept: who gets in, and which slot. The modem
 * chooses the slot, and may choose one that is being opened: then the
 * connection has it, and what was to be opened goes into another.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/log.h"
#include "base/prefix.h"
#include "base/timer.h"
#include "modem/private.h"

#define WAIT_MS		2000	/* for another slot, at least */

/* ------------------------------------------------------------- who gets in */

/* Who cannot be read is not on a list. */
static bool is_allowed(const struct listener_policy *p, const char *peer)
{
	unsigned int port, i;
	uint8_t address[16];

	if (p->allow_count == 0)
		return true;
	if (!prefix_parse_peer(peer, address, &port))
		return false;
	for (i = 0; i < p->allow_count; i++) {
		if (prefix_contains(&p->allow[i], address))
			return true;
	}

	return false;
}

static int check_policy(const struct modem *m, const struct listener *l,
			const char *peer)
{
	const struct listener_policy *p = &l->policy;

	if (!is_allowed(p, peer))
		return -EACCES;
	if (links_inbound(m, 0) >= m->cfg->links.max_inbound ||
	    (p->max_links > 0 && links_inbound(m, l->id) >= p->max_links))
		return -EDQUOT;

	return 0;
}

/* ------------------------------------------------------------- which slot */

/* An open may fail so because its slot was given to a connection whose line
 * is still to come, or was lost: the audit tells. */
bool accept_explains(const struct modem *m, int err)
{
	return (err == -EREMOTEIO || err == -EBUSY) && listener_exists(m);
}

/* Out of a slot that was given away, into another, without a word to its
 * client. */
void accept_move(struct link *l)
{
	struct modem *m = l->modem;
	int64_t until = timers_mono_ms(m->timers) + WAIT_MS;

	m->slots[l->slot].link = NULL;
	m->slots[l->slot].freed_ms = timers_mono_ms(m->timers);
	l->slot = -1;
	if (l->state == LINK_OPENING)
		link_set_state(l, l->was_open ? LINK_LOST : LINK_WAITING);
	l->retry_at_ms = 0;
	if (l->wait_until_ms < until)
		l->wait_until_ms = until;
	(void)link_take_slot(l);	/* or as soon as there is one */
	log_debug("link %llu: goes to slot %d, its own was given away",
		  (unsigned long long)l->id, l->slot);
}

/* What runs in it would be taken for the new link's. */
bool accept_is_busy(const struct slot *s)
{
	return s->closing || s->pulling || (s->link && s->link->inflight > 0);
}

/* A slot is free again as soon as a connection that was refused is closed. */
bool accept_passing(const struct modem *m)
{
	unsigned int i;

	for (i = 0; i < m->driver->max_links; i++) {
		const struct slot *s = &m->slots[i];

		if (s->server && !s->link && !slot_is_free(s))
			return true;
	}

	return false;
}

/* The slot is the connection's: whatever link had it has it no more. */
static void evict(struct slot *s)
{
	struct link *l = s->link;

	s->look = s->looking = s->left = false;
	s->must_close = true;	/* or the link might take it again */
	if (l && l->state != LINK_OPEN)
		accept_move(l);
	else if (l && l->peer_closed && !l->end_is_loss)
		link_end(l, l->end_err, l->end_reason, l->end_text);
	else if (l)
		link_lose(l, -ECONNABORTED, "modem-closed", "its slot was "
			  "given to an accepted connection");
	s->must_close = false;
}

/* ------------------------------------------------------------------ accept */

static struct link *new_link(struct modem *m, const struct listener *l,
			     unsigned int n, const char *peer, bool announced)
{
	struct link_args args = {
		.kind = LINK_INBOUND,
		.host = peer,
		.local_port = l->port,
		.idle_timeout_ms = l->idle_timeout_ms ? l->idle_timeout_ms :
				   m->cfg->links.inbound_idle_timeout_ms,
		.has_credit = l->has_credit,
		.credit = l->credit,
	};
	struct link *link;
	char host[INET6_ADDRSTRLEN];
	uint8_t address[16];

	if (prefix_parse_peer(peer, address, &args.port)) {
		prefix_print_address(address, host, sizeof(host));
		args.host = host;
	}
	link = link_new(m, &args);
	if (!link)
		return NULL;

	link->listener = l->id;
	link->slot = (int)n;
	m->slots[n].link = link;
	link_set_state(link, LINK_OPENING);
	link_set_state(link, LINK_OPEN);
	link->was_open = true;
	link->credit = link->first_credit;
	link->checked_ms = link->opened_mono_ms;
	link->readable = true;	/* its announcement may have been lost */
	link->announced = announced;

	return link;
}

static void refuse(struct modem *m, struct listener *l, struct slot *s,
		   const char *peer, int err)
{
	s->must_close = true;
	early_drop(m, s);
	l->refused++;
	log_debug("listener %llu: refuses %s: %s", (unsigned long long)l->id,
		  peer, strerror(-err));
	if (l->state == LISTENER_LISTENING)
		m->ops->refused(m->ctx, l->id, peer, err);
}

/* A connection is in slot @n: it becomes a link, or is closed. */
void accept_take(struct modem *m, unsigned int index, unsigned int n,
		 const char *peer)
{
	struct listener *l = m->servers[index].listener;
	struct slot *s = &m->slots[n];
	bool announced = !s->link && (s->look || s->looking) && !s->left &&
			 !s->arrived;
	struct link *link;
	int err;

	s->changed = true;
	s->server = index + 1;
	evict(s);
	if (!l || l->state != LISTENER_LISTENING || m->stopping ||
	    m->net_down) {
		s->must_close = true;
		early_drop(m, s);
		if (l)
			l->refused++;
		return;
	}
	err = check_policy(m, l, peer);
	link = err ? NULL : new_link(m, l, n, peer, announced);
	if (!link) {
		refuse(m, l, s, peer, err ? err : -ENOMEM);
		return;
	}
	l->accepted++;
	m->ops->accepted(m->ctx, l->id, link->id, peer);
	early_deliver(m, n);
}

/* The one that listens, where the modem did not name it. */
unsigned int accept_only_listener(const struct modem *m)
{
	unsigned int i, found = DRIVER_LISTENER_UNKNOWN;

	for (i = 0; i < m->driver->max_listeners; i++) {
		if (!m->servers[i].listener)
			continue;
		if (found != DRIVER_LISTENER_UNKNOWN)
			return DRIVER_LISTENER_UNKNOWN;
		found = i;
	}

	return found;
}

/* At once, by what its line says; else the modem's table must tell. */
static bool may_take(const struct modem *m, unsigned int index,
		     const struct slot *s, const char *peer)
{
	const struct listener *l;
	unsigned int port;
	uint8_t address[16];

	if (index == DRIVER_LISTENER_UNKNOWN || accept_is_busy(s) || !peer ||
	    !prefix_parse_peer(peer, address, &port))
		return false;
	/* Not before its owner knows that it listens. */
	l = m->servers[index].listener;
	if (l && l->state == LISTENER_STARTING)
		return false;

	return !(s->link && s->link->state == LINK_OPEN &&
		 !s->link->peer_closed);
}

/* All that comes from this slot from now on is the new connection's. */
static void arrived(struct modem *m, struct slot *s)
{
	early_drop(m, s);	/* of one that came and went */
	s->arrived = true;
}

void accept_on_accepted(void *up, unsigned int index, unsigned int n,
			const char *peer)
{
	struct modem *m = up;

	if (n >= m->driver->max_links ||
	    (index >= m->driver->max_listeners &&
	     index != DRIVER_LISTENER_UNKNOWN)) {
		log_warn("modem: a connection of server %u in slot %u, which "
			 "does not exist", index, n);
		audit_want(m);
		modem_kick_soon(m);
		return;
	}
	if (index == DRIVER_LISTENER_UNKNOWN)
		index = accept_only_listener(m);
	if (may_take(m, index, &m->slots[n], peer))
		accept_take(m, index, n, peer);
	else
		m->slots[n].look = true;
	if (!peer)
		arrived(m, &m->slots[n]);
	modem_kick_soon(m);
}
