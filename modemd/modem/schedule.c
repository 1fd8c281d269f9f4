/* SPDX-License-Identifier: MIT */

/*
 * What goes over the line next. Decided from the state of the links alone,
 * whenever the channel is ready, so that there is no job to cancel when a
 * client or the modem goes away. Here is also the one timer for all that
 * becomes due without anybody saying so.
 */

#include <errno.h>
#include <event2/buffer.h>
#include <string.h>

#include "at/channel.h"
#include "base/config.h"
#include "base/log.h"
#include "base/timer.h"
#include "modem/private.h"

/*
 * The announcement of data comes once until the buffer was read empty, and
 * lines get lost: a link that was silent so long is asked.
 */
#define CHECK_MS	5000
#define CHECK_MAX_MS	60000
#define NEVER		INT64_MAX

bool slot_is_free(const struct slot *s)
{
	return !s->link && !s->opening && !s->closing && !s->must_close;
}

/* ------------------------------------------------------------- one command */

static bool step_open(struct modem *m, struct link *l)
{
	struct driver_open_args args = {
		.host = l->host,
		.port = l->port,
		.local_port = l->local_port,
	};
	int err;

	err = m->driver->open(m->d, (unsigned int)l->slot, &args);
	if (err) {
		link_lose(l, err, "open-failed", strerror(-err));
		return false;
	}
	m->slots[l->slot].opening = true;
	link_set_state(l, LINK_OPENING);

	return true;
}

static bool step_close(struct modem *m, unsigned int n)
{
	struct slot *s = &m->slots[n];

	if (m->driver->close(m->d, n))
		return false;
	s->closing = true;
	s->must_close = false;
	if (s->link && s->link->state == LINK_OPEN)
		link_set_state(s->link, LINK_CLOSING);

	return true;
}

static bool step_pull(struct modem *m, struct link *l)
{
	size_t max = m->driver->max_pull;

	if (!l->readable || l->credit == 0)
		return false;
	if (max > l->credit)
		max = l->credit;

	if (m->driver->pull(m->d, (unsigned int)l->slot, max))
		return false;
	l->pull_next = false;
	l->readable = false;	/* what is announced from now on is new */
	l->checked_ms = timers_mono_ms(m->timers);

	return true;
}

static bool step_send(struct modem *m, struct link *l)
{
	size_t len = evbuffer_get_length(l->tx);
	unsigned char *data;

	if (len == 0 || l->inflight > 0 || l->peer_closed)
		return false;
	if (len > m->max_send)
		len = m->max_send;
	data = evbuffer_pullup(l->tx, (ssize_t)len);
	if (!data ||
	    m->driver->send(m->d, (unsigned int)l->slot, data, len, NULL))
		return false;

	l->inflight = len;
	l->pull_next = true;

	return true;
}

/* All that a polite close waits for is done, or it waited long enough; for
 * data that the client will not take it does not wait. */
static bool may_close(const struct modem *m, const struct link *l)
{
	if (l->abort || timers_mono_ms(m->timers) >= l->close_by_ms)
		return true;

	return evbuffer_get_length(l->tx) == 0 &&
	       (!l->readable || l->credit == 0);
}

/* The one thing that the link in slot @n needs most. False: none. */
static bool slot_step(struct modem *m, unsigned int n)
{
	struct slot *s = &m->slots[n];
	struct link *l = s->link;

	if (s->opening || s->closing)
		return false;
	if (s->must_close)
		return step_close(m, n);
	if (!l)
		return false;
	if (l->state == LINK_WAITING || l->state == LINK_LOST)
		return step_open(m, l);
	if (l->state != LINK_OPEN)
		return false;
	if (l->want_close && may_close(m, l))
		return step_close(m, n);
	if (l->pull_next)
		return step_pull(m, l) || step_send(m, l);

	return step_send(m, l) || step_pull(m, l);
}

static bool any_slot_step(struct modem *m)
{
	unsigned int i, n;

	for (i = 0; i < m->driver->max_links; i++) {
		n = (m->next_slot + i) % m->driver->max_links;
		if (slot_step(m, n)) {
			m->next_slot = n + 1;
			return true;
		}
	}

	return false;
}

/* Free slots go to those who wait, in the order of their asking. */
static void give_slots(struct modem *m)
{
	int64_t now = timers_mono_ms(m->timers);
	struct link *l;

	TAILQ_FOREACH(l, &m->links, entry) {
		if (l->slot >= 0 || l->kind == LINK_LEASE)
			continue;
		if (l->state != LINK_WAITING &&
		    (l->state != LINK_LOST || now < l->retry_at_ms))
			continue;
		if (!link_take_slot(l))
			return;
	}
}

static bool network_step(struct modem *m)
{
	int64_t now = timers_mono_ms(m->timers);

	if (m->want_audit)
		return m->driver->audit(m->d) == 0;

	give_slots(m);
	if (now >= m->query_not_before_ms && query_start(m))
		return true;

	return any_slot_step(m) || query_start(m);
}

/* ------------------------------------------------------------ what is due */

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

	if (l->want_close)
		at = not_past(l->close_by_ms, now);
	if (l->idle_timeout_ms && !l->want_close)
		at = earlier(at, l->active_ms + l->idle_timeout_ms);
	if (!l->readable && l->credit > 0 && !l->peer_closed)
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
	if (l->idle_timeout_ms && !l->want_close &&
	    now >= l->active_ms + l->idle_timeout_ms) {
		l->want_close = true;
		l->abort = true;
		l->end_err = -ETIME;
		l->end_reason = "idle";
	} else if (!l->readable && l->credit > 0 &&
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

static void arm_due(struct modem *m)
{
	int64_t now = timers_mono_ms(m->timers);
	int64_t at = probe_due(m);
	struct link *l;

	TAILQ_FOREACH(l, &m->links, entry) {
		if (l->check_every_ms == 0)
			l->check_every_ms = CHECK_MS;
		at = earlier(at, link_due(m, l));
	}
	if (m->query_count > 0 && m->query_not_before_ms > now)
		at = earlier(at, m->query_not_before_ms);

	if (at == NEVER)
		timer_stop(m->due);
	else
		timer_start(m->due, at > now ? (uint32_t)(at - now) : 0);
}

void schedule_due(void *ctx)
{
	struct modem *m = ctx;
	int64_t now = timers_mono_ms(m->timers);
	struct link *l;

	TAILQ_FOREACH(l, &m->links, entry) {
		if (now >= link_due(m, l))
			link_is_due(m, l, now);
	}
	if (now >= probe_due(m)) {
		m->heard_ms = now;
		if (m->query_count == 0)
			(void)query_add(m, DRIVER_Q_SIGNAL, "", NULL);
	}
	modem_kick(m);
}

/* ------------------------------------------------------------------- kicks */

/*
 * After every change. One command at most goes out; the next decision is
 * made when its final line was read.
 */
void modem_kick(struct modem *m)
{
	lease_pump(m);
	if (at_channel_ready(m->channel) && !m->staging && !m->syncing &&
	    !lease_step(m) && !life_step(m) && m->network == NETWORK_OPEN)
		(void)network_step(m);
	arm_due(m);
}

/* From where the channel or a caller is in the middle of something. */
void modem_kick_soon(struct modem *m)
{
	if (!timer_pending(m->kick))
		timer_start(m->kick, 0);
}

void schedule_kick(void *ctx)
{
	modem_kick(ctx);
}
