/* SPDX-License-Identifier: MIT */

/*
 * What a connection does before anybody knows who it is: some modems say only
 * that there is one, and their table tells the rest when the line is free. Its
 * bytes wait here, within a bound, until its owner has heard of it; beyond the
 * bound there would be a gap, and the link ends behind what was kept.
 */

#include <errno.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>

#include "modem/private.h"

#define KEEP_MAX	65536	/* bytes of one connection */

struct early {
	struct evbuffer *data;		/* pushed */
	bool overflow;			/* more came than was kept */
	bool readable;			/* the modem holds some */
	bool closed;
	enum driver_close why;
	char text[96];
};

static struct early *get(struct slot *s)
{
	if (s->early)
		return s->early;
	s->early = calloc(1, sizeof(*s->early));
	if (s->early)
		s->early->data = evbuffer_new();
	if (s->early && !s->early->data) {
		free(s->early);
		s->early = NULL;
	}

	return s->early;
}

/* Nothing more is kept behind a gap. */
void early_data(struct modem *m, struct slot *s, const uint8_t *data,
		size_t len)
{
	struct early *e = get(s);

	if (e && !e->overflow &&
	    evbuffer_get_length(e->data) + len <= KEEP_MAX &&
	    evbuffer_add(e->data, data, len) == 0)
		return;
	if (e)
		e->overflow = true;
	m->lost_bytes += len;
}

void early_readable(struct slot *s)
{
	struct early *e = get(s);

	if (e)
		e->readable = true;
}

void early_closed(struct slot *s, enum driver_close why, const char *text)
{
	struct early *e = get(s);

	if (!e)
		return;
	e->closed = true;
	e->why = why;
	snprintf(e->text, sizeof(e->text), "%s", text);
}

/* Somebody wants to have them, even if it has gone already. */
bool early_has_data(const struct slot *s)
{
	return s->early && (s->early->readable || s->early->overflow ||
			    evbuffer_get_length(s->early->data) > 0);
}

static void early_free(struct early *e)
{
	evbuffer_free(e->data);
	free(e);
}

static void lose_rest(struct link *l)
{
	if (l->slot >= 0)
		l->modem->slots[l->slot].must_close = true;
	link_lose(l, -ECONNABORTED, "line-loss", "more was pushed than can be "
		  "kept before its peer is known");
}

/* To the link that it has become, and whose owner has heard of it; he may
 * have ended it meanwhile. */
void early_deliver(struct modem *m, unsigned int n)
{
	struct slot *s = &m->slots[n];
	struct early *e = s->early;
	struct link *l = s->link;
	uint64_t id = l ? l->id : 0;
	size_t len;

	s->early = NULL;
	s->arrived = false;
	if (!e)
		return;
	len = evbuffer_get_length(e->data);
	if (l && e->readable)
		l->readable = l->announced = true;
	if (l && len > 0)
		receive_data(l, evbuffer_pullup(e->data, -1), len, NULL, true);
	else
		m->lost_bytes += len;
	l = link_find(m, id);
	if (l && e->overflow)
		lose_rest(l);
	else if (l && e->closed)
		link_peer_closed(l, e->why, e->text);
	early_free(e);
}

/* It never became a link. */
void early_drop(struct modem *m, struct slot *s)
{
	s->arrived = false;
	if (!s->early)
		return;
	m->lost_bytes += evbuffer_get_length(s->early->data);
	early_free(s->early);
	s->early = NULL;
}
