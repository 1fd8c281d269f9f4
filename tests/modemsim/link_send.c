/* SPDX-License-Identifier: MIT */

/* Requests of CIPSEND: taken by the socket, confirmed, late or never. */

#include <stdlib.h>

#include "modem.h"

#define ACK_POLL_MS	2

static void forget(struct link *l, struct link_send *s)
{
	TAILQ_REMOVE(&l->sends, s, entry);
	if (s->timer != NULL)
		event_free(s->timer);
	free(s);
}

static void tell(struct link *l, struct link_send *s)
{
	unsigned int id = l->id;
	int req = s->req, cnf = s->cnf;

	bool silent = s->silent;

	if (cnf != req && l->m->dialect->short_breaks)
		l->broken = true;
	forget(l, s);
	if (!silent)
		l->m->dialect->sent(l->m, id, req, cnf);
}

static void on_late(evutil_socket_t fd, short what, void *ctx)
{
	struct link_send *s = ctx;

	(void)fd;
	(void)what;
	tell(&s->m->links[s->link], s);
}

static void complete(struct link *l, struct link_send *s)
{
	struct modem *m = l->m;

	if (quirk_take(m->opt.quirks, QUIRK_SEND_NEVER)) {
		forget(l, s);
	} else if (quirk_take(m->opt.quirks, QUIRK_SEND_LATE)) {
		s->end = UINT64_MAX;	/* now the timer has it */
		modem_after(m, &s->timer, m->opt.late_ms, on_late, s);
	} else {
		tell(l, s);
	}
}

static void on_ack_timer(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	link_send_progress(ctx);
}

/* The kernel does not tell when an ACK comes: ask again while one is due. */
static bool is_acked(struct link *l, const struct link_send *s)
{
	if (!s->wants_ack || s->end <= l->tcp.sent - tcp_unacked(&l->tcp))
		return true;
	modem_after(l->m, &l->ack_timer, ACK_POLL_MS, on_ack_timer, l);
	return false;
}

void link_send_progress(struct link *l)
{
	struct link_send *s;

	while ((s = TAILQ_FIRST(&l->sends)) != NULL) {
		if (s->end > l->tcp.sent || !is_acked(l, s))
			return;
		complete(l, s);
	}
}

/* The socket would not take it: say how much it took, take nothing more. */
static void on_timeout(evutil_socket_t fd, short what, void *ctx)
{
	struct link_send *s = ctx, *next;
	struct link *l = &s->m->links[s->link];
	uint64_t start = s->end - (uint64_t)s->cnf;

	(void)fd;
	(void)what;
	tcp_drop_queued(&l->tcp);
	if (l->tcp.sent > start)
		s->cnf = (int)(l->tcp.sent - start);
	else
		s->cnf = 0;
	/* the ones behind it lose their bytes with it */
	while ((next = TAILQ_NEXT(s, entry)) != NULL)
		forget(l, next);
	tell(l, s);
}

void link_send_fail_all(struct link *l, bool say)
{
	struct link_send *s;

	while ((s = TAILQ_FIRST(&l->sends)) != NULL) {
		s->cnf = -1;
		if (say)
			tell(l, s);
		else
			forget(l, s);
	}
}

/* How much of @len the quirks let through, and what is said about it. */
static size_t spoiled(struct modem *m, size_t len, int *cnf)
{
	size_t n = len;

	*cnf = (int)len;
	if (quirk_take(m->opt.quirks, QUIRK_SEND_SHORT)) {
		n = len / 2;
		*cnf = (int)n;
	} else if (quirk_take(m->opt.quirks, QUIRK_SEND_ZERO)) {
		n = 0;
		*cnf = 0;
	} else if (quirk_take(m->opt.quirks, QUIRK_SEND_MINUS_ONE)) {
		n = 0;
		*cnf = -1;
	}
	return n;
}

void link_send(struct modem *m, unsigned int id, const struct link_data *d)
{
	struct link *l = &m->links[id];
	struct link_send *s = calloc(1, sizeof(*s));
	size_t n;

	if (s == NULL)
		return;
	s->m = m;
	s->link = id;
	s->req = (int)d->len;
	s->silent = d->silent;
	s->wants_ack = d->wants_ack;
	n = spoiled(m, d->len, &s->cnf);
	/* a timeout may have dropped what was queued */
	if (TAILQ_EMPTY(&l->sends) && evbuffer_get_length(l->tcp.tx) == 0)
		l->queued = l->tcp.sent + l->tcp.in_wire;
	l->queued += n;
	s->end = l->queued;
	TAILQ_INSERT_TAIL(&l->sends, s, entry);
	if (n == 0) {
		tell(l, s);
		return;
	}
	if (l->type == LINK_UDP) {
		link_udp_send(l, d->data, n, d->to);
		complete(l, s);
		return;
	}
	if (d->timeout_ms > 0)
		modem_after(m, &s->timer, d->timeout_ms, on_timeout, s);
	tcp_send(&l->tcp, d->data, n);
}
