/* SPDX-License-Identifier: MIT */

#include "listener.h"

#include <errno.h>
#include <stdlib.h>

#include "link.h"
#include "rows.h"

static struct modemclient_listener *find(struct modemclient *mc, uint64_t id)
{
	struct modemclient_listener *l;

	TAILQ_FOREACH(l, &mc->listeners, entry) {
		if (l->id == id && id != 0)
			return l;
	}

	return NULL;
}

static void emit(struct modemclient_listener *l, struct modemclient_event *ev)
{
	if (l->freed)
		return;
	ev->listener = l;
	client_emit(l->mc, ev);
}

/* ------------------------------------------------------ what modemd tells */

static void emit_refused(struct modemclient_listener *l,
			 const Modemd__V1__Accepted *ev)
{
	struct modemclient_event news = {
		.type = MODEMCLIENT_EVENT_REFUSED,
		.err = wire_errno(ev->status),
		.address = ev->peer,
		.reason = ev->message,
	};

	emit(l, &news);
}

int listener_accepted(struct modemclient *mc, const Modemd__V1__Accepted *ev)
{
	struct modemclient_event news = {
		.type = MODEMCLIENT_EVENT_ACCEPTED,
		.address = ev->peer,
	};
	struct modemclient_listener *l = find(mc, ev->listener);
	struct modemclient_link *link;

	if (wire_errno(ev->status) < 0) {
		if (l)
			emit_refused(l, ev);
		return 0;
	}
	/* Of one that the program has freed, or gave up waiting for. */
	if (!l || l->freed) {
		link_close_orphan(mc, ev->link);
		return 0;
	}
	link = link_accepted(mc, ev->link, rows_text(ev->peer), l->credit);
	if (!link)
		return -ENOMEM;
	link->quiet = true;	/* the program does not know it yet */
	link->listener = l;
	TAILQ_INSERT_TAIL(&l->waiting, link, queue);
	emit(l, &news);

	return 0;
}

void listener_lost(struct modemclient *mc, const Modemd__V1__ListenerLost *ev)
{
	struct modemclient_event news = {
		.type = MODEMCLIENT_EVENT_LISTENER_LOST,
		.reason = ev->reason,
	};
	struct modemclient_listener *l = find(mc, ev->listener);

	if (l)
		emit(l, &news);
}

void listener_restored(struct modemclient *mc,
		       const Modemd__V1__ListenerRestored *ev)
{
	struct modemclient_event news = {
		.type = MODEMCLIENT_EVENT_LISTENER_RESTORED,
	};
	struct modemclient_listener *l = find(mc, ev->listener);

	if (l)
		emit(l, &news);
}

static void unqueue(struct modemclient_link *link)
{
	TAILQ_REMOVE(&link->listener->waiting, link, queue);
	link->listener = NULL;
	link->quiet = false;
}

void listener_forget_link(struct modemclient_link *l)
{
	if (l->listener)
		unqueue(l);
}

void listeners_end(struct modemclient *mc, int err)
{
	struct modemclient_listener *l;

	TAILQ_FOREACH(l, &mc->listeners, entry) {
		l->ended = true;
		l->err = err;
	}
}

void listener_destroy(struct modemclient_listener *l)
{
	struct modemclient_link *link;
	struct request *r;

	TAILQ_FOREACH(r, &l->mc->requests, entry) {
		if (r->listener == l)
			r->listener = NULL;
	}
	while ((link = TAILQ_FIRST(&l->waiting))) {
		unqueue(link);
		modemclient_link_free(link);
	}
	TAILQ_REMOVE(&l->mc->listeners, l, entry);
	free(l);
}

void listeners_free(struct modemclient *mc)
{
	while (!TAILQ_EMPTY(&mc->listeners))
		listener_destroy(TAILQ_FIRST(&mc->listeners));
}

int listener_wait(struct modemclient_listener *l, int timeout_ms,
		  bool (*done)(void *listener))
{
	int err;

	l->waits++;
	err = client_wait(l->mc, timeout_ms, done, l);
	l->waits--;
	if (l->freed && l->waits == 0) {
		err = client_fail(l->mc, -ECANCELED, "the listener was closed "
				  "while a call waited for it");
		listener_destroy(l);
	}

	return err == -ETIMEDOUT || err == -EAGAIN || err == -ECANCELED ?
		err : 0;
}

/* ------------------------------------------------------------------ accept */

static bool may_accept(void *listener)
{
	const struct modemclient_listener *l = listener;

	return l->freed || l->ended || !TAILQ_EMPTY(&l->waiting);
}

int modemclient_accept(struct modemclient_listener *listener, int timeout_ms,
		       struct modemclient_link **out)
{
	int err = client_may_wait(listener->mc, timeout_ms);

	*out = NULL;
	if (err < 0)
		return err;
	err = listener_wait(listener, timeout_ms, may_accept);
	if (err == -ECANCELED)
		return err;
	if (err < 0)
		return client_fail(listener->mc, err, "accept on port %u: "
				   "nobody connected", listener->port);
	*out = TAILQ_FIRST(&listener->waiting);
	if (!*out)
		return client_fail(listener->mc, listener->err ?
				   listener->err : -EPIPE, "accept on port "
				   "%u: the listener has ended",
				   listener->port);
	unqueue(*out);

	return 0;
}

uint64_t modemclient_listener_id(const struct modemclient_listener *listener)
{
	return listener->id;
}

void *modemclient_listener_get_data(const struct modemclient_listener *listener)
{
	return listener->data;
}
