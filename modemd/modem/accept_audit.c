/* SPDX-License-Identifier: MIT */

/*
 * Connections that only the modem's table can tell of: whose line did not come,
 * was not to be trusted, or does not name the peer.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/prefix.h"
#include "modem/private.h"

/* Slots of which only the modem's table can tell. What is wanted after the
 * table was read needs another. */
void accept_look(struct modem *m)
{
	unsigned int i;

	for (i = 0; i < m->driver->max_links; i++) {
		struct slot *s = &m->slots[i];

		if (!s->look || accept_is_busy(s) || s->opening)
			continue;
		s->look = false;
		s->looking = true;
		audit_want(m);
	}
}

void accept_audit_begins(struct modem *m)
{
	unsigned int i;

	for (i = 0; i < m->driver->max_links; i++)
		m->slots[i].changed = false;
}

/* Another connection may have its slot. */
bool accept_may_have(const struct link *l)
{
	return l->gone && listener_exists(l->modem);
}

/*
 * The peer has closed: for the modem the slot is free, and it may be another
 * connection's before we hear of that. A CIPCLOSE would hit that one: so the
 * table is asked first. False: it is surely this link's, and may be closed.
 */
bool accept_leave(struct link *l)
{
	struct slot *s = &l->modem->slots[l->slot];

	if (!accept_may_have(l))
		return false;
	s->look = s->left = s->changed = true;
	s->left_peer[0] = '\0';
	if (l->kind == LINK_INBOUND)
		snprintf(s->left_peer, sizeof(s->left_peer), "%.40s:%u",
			 l->host, l->port);

	return true;
}

/* The same connection that we know, by its peer where we could read that. */
static bool is_known(const struct link *l, const char *remote)
{
	char have[DRIVER_HOST_MAX + 24];

	snprintf(have, sizeof(have), "%s:%u", l->host, l->port);

	return l->kind == LINK_INBOUND &&
	       (l->port == 0 || prefix_same_peer(have, remote));
}

static void adopt(struct modem *m, unsigned int n,
		  const struct driver_slot *row)
{
	struct slot *s = &m->slots[n];

	if (s->must_close && !s->arrived)
		return;
	if (s->link && is_known(s->link, row->remote)) {
		early_deliver(m, n);
		return;
	}
	if (s->left && !s->arrived &&
	    prefix_same_peer(s->left_peer, row->remote)) {
		s->must_close = true;	/* this firmware wants it closed */
		return;
	}
	if (accept_is_busy(s)) {
		s->look = true;
		return;
	}
	if (!s->arrived)
		log_info("modem: slot %u has a connection from %s that was "
			 "not announced", n, row->remote);
	accept_take(m, (unsigned int)row->listener, n, row->remote);
}

/* The modem opened it after all: what was announced there never was. */
static void disown(struct modem *m, unsigned int n)
{
	struct slot *s = &m->slots[n];

	if (!s->link || s->link->kind != LINK_INBOUND || s->closing)
		return;
	link_lose(s->link, -ECONNABORTED, "modem-closed", "its slot is not "
		  "that of an accepted connection");
	s->must_close = true;
}

/* It is not in the table, or there is none: it has gone again. What it left
 * is its owner's, who cannot learn from whom it is. */
static void adopt_gone(struct modem *m, unsigned int n, bool certain)
{
	unsigned int index = accept_only_listener(m);
	struct slot *s = &m->slots[n];

	if (accept_is_busy(s))
		s->look = true;
	else if (index != DRIVER_LISTENER_UNKNOWN &&
		 (!certain || early_has_data(s)))
		accept_take(m, index, n, "");
	else
		early_drop(m, s);
}

static void compare(struct modem *m, unsigned int n,
		    const struct driver_slot *row)
{
	struct slot *s = &m->slots[n];

	if (row->open && row->listener < 0) {
		disown(m, n);
		early_deliver(m, n);	/* what was announced is this one */
	} else if (row->open && row->listener < (int)m->driver->max_listeners) {
		adopt(m, n, row);
	} else if (s->arrived) {
		adopt_gone(m, n, true);
	}
}

/* @table NULL: the modem does not tell. */
void accept_audited(struct modem *m, const struct driver_table *table)
{
	unsigned int i;

	for (i = 0; i < m->driver->max_links; i++) {
		struct slot *s = &m->slots[i];

		if (s->look || s->changed) {	/* this table is too old */
			s->look = true;
			continue;
		}
		s->looking = false;
		if (table)
			compare(m, i, &table->slots[i]);
		else if (s->arrived)
			adopt_gone(m, i, false);
		else if (s->left && !s->link)
			s->must_close = true;
		s->left = false;
	}
}
