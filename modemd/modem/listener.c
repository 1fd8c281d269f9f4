/* SPDX-License-Identifier: MIT */

/*
 * Listeners: their states and how they end. They live as links do: what has
 * ended is told and freed when the loop is at rest. A listener outlives its
 * server: after a network loss it gets another one.
 */

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/log.h"
#include "base/timer.h"
#include "modem/private.h"

#define TRIES		2	/* of a first start */
#define NEVER		INT64_MAX

const char *listener_state_name(enum listener_state state)
{
	static const char *const names[] = {
		[LISTENER_WAITING]	= "waiting",
		[LISTENER_STARTING]	= "starting",
		[LISTENER_LISTENING]	= "listening",
		[LISTENER_STOPPING]	= "stopping",
		[LISTENER_LOST]		= "lost",
		[LISTENER_ENDED]	= "ended",
	};

	return names[state];
}

static bool may_go(enum listener_state from, enum listener_state to)
{
	switch (from) {
	case LISTENER_WAITING:
		return to == LISTENER_STARTING || to == LISTENER_ENDED;
	case LISTENER_STARTING:
		return to != LISTENER_STARTING;
	case LISTENER_LISTENING:
		return to == LISTENER_STOPPING || to == LISTENER_LOST ||
		       to == LISTENER_ENDED;
	case LISTENER_STOPPING:
		return to == LISTENER_ENDED;
	case LISTENER_LOST:
		return to == LISTENER_STARTING || to == LISTENER_ENDED;
	case LISTENER_ENDED:
		break;
	}

	return false;
}

/* The one place where a listener changes its state. */
void listener_set_state(struct listener *l, enum listener_state to)
{
	assert(may_go(l->state, to));
	log_debug("listener %llu (port %u, server %d): %s -> %s",
		  (unsigned long long)l->id, l->port, l->index,
		  listener_state_name(l->state), listener_state_name(to));
	l->state = to;
}

struct listener *listener_find(struct modem *m, uint64_t id)
{
	struct listener *l;

	TAILQ_FOREACH(l, &m->listeners, entry) {
		if (l->id == id)
			return l->state == LISTENER_ENDED ? NULL : l;
	}

	return NULL;
}

bool listener_exists(const struct modem *m)
{
	const struct listener *l;

	TAILQ_FOREACH(l, &m->listeners, entry) {
		if (l->state != LISTENER_ENDED)
			return true;
	}

	return false;
}

static void release_server(struct listener *l)
{
	if (l->index >= 0)
		l->modem->servers[l->index].listener = NULL;
	l->index = -1;
}

/* -------------------------------------------------------------------- ends */

void listener_end(struct listener *l, int err, const char *reason,
		  const char *text)
{
	l->end_err = err || l->was_listening ? err : -ECANCELED;
	l->end_reason = reason;
	snprintf(l->end_text, sizeof(l->end_text), "%s", text);
	release_server(l);
	listener_set_state(l, LISTENER_ENDED);
	timer_start(l->modem->reaper, 0);
	modem_kick_soon(l->modem);
}

void listener_is_up(struct listener *l)
{
	struct modem *m = l->modem;
	bool again = l->was_listening;

	if (l->want_stop) {
		listener_set_state(l, LISTENER_STOPPING);
		return;
	}
	listener_set_state(l, LISTENER_LISTENING);
	l->was_listening = true;
	l->opened_mono_ms = timers_mono_ms(m->timers);
	l->opened_wall_ms = timers_wall_ms(m->timers);
	backoff_reset(&l->backoff);
	if (again)
		m->ops->listener_restored(m->ctx, l->id);
	else
		m->ops->listening(m->ctx, l->id, 0, "");
}

static void try_later(struct listener *l)
{
	const struct config_recovery *r = &l->modem->cfg->recovery;

	l->retry_at_ms = timers_mono_ms(l->modem->timers) +
		backoff_next(&l->backoff, l->modem->timers, r->backoff_min_ms,
			     r->backoff_max_ms);
}

/* The modem did not start it. Once it did, it will do so again some time; at
 * first an old server may be in the way, which is then stopped. */
void listener_failed(struct listener *l, int err, const char *text)
{
	struct modem *m = l->modem;
	int64_t until = timers_mono_ms(m->timers) + LISTENER_WAIT_MS;

	release_server(l);
	if (l->want_stop) {
		listener_end(l, 0, l->end_reason, "");
	} else if (l->was_listening) {
		listener_set_state(l, LISTENER_LOST);
		try_later(l);
		log_info("listener %llu: port %u is not restored: %s",
			 (unsigned long long)l->id, l->port, text);
	} else if (err != -EINVAL && ++l->tries < TRIES) {
		listener_set_state(l, LISTENER_WAITING);
		if (l->wait_until_ms < until)
			l->wait_until_ms = until;
	} else {
		listener_end(l, err, "listen-failed", text);
	}
	modem_kick_soon(m);
}

/* Its server is gone; what it accepted may be open. */
void listener_lose(struct listener *l, const char *reason)
{
	struct modem *m = l->modem;

	release_server(l);
	listener_set_state(l, LISTENER_LOST);
	l->retry_at_ms = 0;
	m->ops->listener_lost(m->ctx, l->id, reason);
	modem_kick_soon(m);
}

static void lose_one(struct listener *l, int err, const char *reason, bool all)
{
	switch (l->state) {
	case LISTENER_LISTENING:
		if (all)
			listener_end(l, err, reason, "");
		else
			listener_lose(l, reason);
		break;
	case LISTENER_STOPPING:
		listener_end(l, 0, l->end_reason, "");
		break;
	case LISTENER_STARTING:
		if (!all && l->was_listening && !l->want_stop) {
			release_server(l);
			listener_set_state(l, LISTENER_LOST);
			break;
		}
		listener_end(l, l->want_stop ? 0 : err, reason, "");
		break;
	case LISTENER_WAITING:
	case LISTENER_LOST:
		release_server(l);
		if (all)
			listener_end(l, err, reason, "");
		break;
	case LISTENER_ENDED:
		break;
	}
}

/* Every server is gone, with the network or with the modem. */
void listeners_lost(struct modem *m, int err, const char *reason, bool all)
{
	struct listener *l;

	TAILQ_FOREACH(l, &m->listeners, entry)
		lose_one(l, err, reason, all || m->stopping);
	memset(m->servers, 0, sizeof(m->servers));
}

static void listener_free(struct listener *l)
{
	TAILQ_REMOVE(&l->modem->listeners, l, entry);
	free(l);
}

static void tell_end(struct listener *l)
{
	struct modem *m = l->modem;
	struct listener end = *l;

	listener_free(l);
	if (end.was_listening)
		m->ops->unlistened(m->ctx, end.id, end.end_err,
				   end.end_reason);
	else
		m->ops->listening(m->ctx, end.id, end.end_err, end.end_text);
}

void listeners_reap(struct modem *m)
{
	struct listener *l;
again:
	TAILQ_FOREACH(l, &m->listeners, entry) {
		if (l->state == LISTENER_ENDED) {
			tell_end(l);
			goto again;	/* the callee may have ended any */
		}
	}
}

/* The daemon stops; their links are closed by links_stop(). */
void listeners_stop(struct modem *m)
{
	struct listener *l;

	TAILQ_FOREACH(l, &m->listeners, entry) {
		if (l->state == LISTENER_LISTENING ||
		    l->state == LISTENER_STARTING) {
			l->end_reason = "daemon-stop";
			l->want_stop = true;
			if (l->state == LISTENER_LISTENING)
				listener_set_state(l, LISTENER_STOPPING);
		} else if (l->state != LISTENER_STOPPING &&
			   l->state != LISTENER_ENDED) {
			listener_end(l, -ESHUTDOWN, "daemon-stop", "");
		}
	}
	modem_kick_soon(m);
}

void listeners_free(struct modem *m)
{
	while (!TAILQ_EMPTY(&m->listeners))
		listener_free(TAILQ_FIRST(&m->listeners));
}

/* -------------------------------------------------------------------- time */

int64_t listeners_due(const struct modem *m)
{
	const struct listener *l;
	int64_t now = timers_mono_ms(m->timers);
	int64_t at = servers_due(m);

	TAILQ_FOREACH(l, &m->listeners, entry) {
		int64_t one = NEVER;

		if (l->index < 0 && l->state == LISTENER_WAITING)
			one = l->wait_until_ms;
		else if (l->index < 0 && l->state == LISTENER_LOST &&
			 l->retry_at_ms > now)
			one = l->retry_at_ms;
		if (one < at)
			at = one;
	}

	return at;
}

void listeners_are_due(struct modem *m)
{
	int64_t now = timers_mono_ms(m->timers);
	struct listener *l;

	TAILQ_FOREACH(l, &m->listeners, entry) {
		if (l->state == LISTENER_WAITING && l->index < 0 &&
		    now >= l->wait_until_ms)
			listener_end(l, m->network == NETWORK_OPEN ? -EMFILE :
				     -ENETDOWN, "wait-timeout", "");
	}
}
