/* SPDX-License-Identifier: MIT */

/*
 * What becomes due without anybody saying so: one timer for all of it, set
 * anew after every decision of schedule.c.
 */

#include <errno.h>
#include <event2/buffer.h>

#include "base/config.h"
#include "base/timer.h"
#include "modem/private.h"

/*
 * The announcement of data comes once until the buffer was read empty, and
 * lines get lost: a link that was silent so long is asked.
 */
#define CHECK_MS	5000
#define CHECK_MAX_MS	60000
#define NEVER		INT64_MAX

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* What is overdue already waits for the line, not for the time. */
static int64_t not_past(int64_t at, int64_t now)
{
	return at > now ? at : NEVER;
}

static int64_t link_due(const struct modem *m, const struct link *l)
{
	int64_t now = timers_mono_ms(m->timers);
	int64_t at = NEVER;

	if (l->kind == LINK_LEASE)
		return lease_due(m, l);
	switch (l->state) {
	case LINK_WAITING:
		return l->wait_until_ms && l->slot < 0 ? l->wait_until_ms :
		       NEVER;
	case LINK_LOST:
		return m->network == NETWORK_OPEN && l->slot < 0 ?
		       not_past(l->retry_at_ms, now) : NEVER;
	case LINK_OPEN:
		break;
	case LINK_OPENING:
	case LINK_CLOSING:
	case LINK_ENDED:
		return NEVER;
	}

	if (l->want_close || l->going_down)
		at = earlier(not_past(l->close_by_ms, now),
			     not_past(l->ack_next_ms, now));
	if (evbuffer_get_length(l->tx) > 0)
		at = earlier(at, not_past(l->send_after_ms, now));
	if (l->idle_timeout_ms && !l->want_close && !m->blocking)
		at = earlier(at, l->active_ms + l->idle_timeout_ms);
	if (!l->readable && link_takes_data(l) && !l->peer_closed &&
	    m->receive == DRIVER_PULL)
		at = earlier(at, l->checked_ms + l->check_every_ms);

	return at;
}

static void link_is_due(struct modem *m, struct link *l, int64_t now)
{
	if (l->state == LINK_WAITING) {
		link_end(l, m->network != NETWORK_OPEN ? -ENETDOWN :
			 m->want_audit ? -ETIMEDOUT : -EMFILE,
			 "wait-timeout", "");
		return;
	}
	if (l->state != LINK_OPEN)
		return;
	if (l->idle_timeout_ms && !l->want_close && !m->blocking &&
	    now >= l->active_ms + l->idle_timeout_ms) {
		l->want_close = true;
		l->abort = true;
		l->end_err = -ETIME;
		l->end_reason = "idle";
	} else if (!l->readable && link_takes_data(l) &&
		   m->receive == DRIVER_PULL &&
		   now >= l->checked_ms + l->check_every_ms) {
		l->readable = true;
		l->check_every_ms = l->check_every_ms * 2 < CHECK_MAX_MS ?
				    l->check_every_ms * 2 : CHECK_MAX_MS;
	}
}

static int64_t probe_due(const struct modem *m)
{
	if (m->cfg->recovery.probe_ms == 0 || m->state != MODEM_READY ||
	    m->lease_phase == LEASE_RUNNING)
		return NEVER;

	return m->heard_ms + m->cfg->recovery.probe_ms;
}

void due_arm(struct modem *m)
{
	int64_t now = timers_mono_ms(m->timers);
	int64_t at = earlier(probe_due(m), not_past(receive_due(m), now));
	struct link *l;

	at = earlier(at, listeners_due(m));
	TAILQ_FOREACH(l, &m->links, entry) {
		if (l->check_every_ms == 0)
			l->check_every_ms = CHECK_MS;
		at = earlier(at, link_due(m, l));
	}
	if (m->net_down && m->network == NETWORK_OPEN)
		at = earlier(at, not_past(m->down_by_ms, now));
	at = earlier(at, audit_due(m));
	at = earlier(at, blocking_due(m));
	if (m->query_count > 0 && m->query_not_before_ms > now)
		at = earlier(at, m->query_not_before_ms);

	if (at == NEVER)
		timer_stop(m->due);
	else
		timer_start(m->due, at > now ? (uint32_t)(at - now) : 0);
}

void due_now(void *ctx)
{
	struct modem *m = ctx;
	int64_t now = timers_mono_ms(m->timers);
	struct link *l;

	TAILQ_FOREACH(l, &m->links, entry) {
		if (now >= link_due(m, l))
			link_is_due(m, l, now);
	}
	if (now >= audit_due(m))
		audit_want(m);
	listeners_are_due(m);
	if (now >= probe_due(m)) {
		m->heard_ms = now;
		if (m->query_count == 0)
			(void)query_add(m, DRIVER_Q_SIGNAL, "", NULL);
	}
	modem_kick(m);
}
