/* SPDX-License-Identifier: MIT */

/*
 * Which receive mode the modem is to be in, and data that comes.
 *
 * Pushed bytes come whether their client wants them or not: what is beyond its
 * credit waits here. So that this stays small, the modem is told to keep the
 * bytes (pull) as soon as one client is behind, until it has caught up. Like
 * the next step, the mode is decided from the state of the links alone.
 */

#include <errno.h>
#include <event2/buffer.h>
#include <string.h>

#include "base/config.h"
#include "base/log.h"
#include "base/timer.h"
#include "modem/private.h"

#define BEHIND		(32 * 1024)	/* bytes that wait: pull */
#define CAUGHT_UP	(8 * 1024)	/* and the modem has none: push */
#define WAITING_MAX	(256 * 1024)	/* more than a modem flushes at once */
#define DELIVER_MAX	16384		/* bytes at a time */
#define AGAIN_MS	1000		/* after a switch that failed */

/* ----------------------------------------------------------------- the mode */

static bool can_push(const struct modem *m)
{
	return (m->driver->caps & DRIVER_CAP_PUSH) && !m->push_unnamed &&
	       !m->push_refused &&
	       m->cfg->modem.receive != CONFIG_RECEIVE_PULL;
}

/* Links count from when they have a slot: the mode is right before they are
 * open. What a closed one has left is pulled: it says when that is all. */
static enum driver_receive wanted(const struct modem *m)
{
	bool push = m->cfg->modem.receive == CONFIG_RECEIVE_PUSH;
	bool joins = m->driver->caps & DRIVER_CAP_PULL_JOINS;
	const struct link *l;

	if (!can_push(m))
		return DRIVER_PULL;
	TAILQ_FOREACH(l, &m->links, entry) {
		if (l->slot < 0)
			continue;
		if (l->never_push || l->behind ||
		    (l->peer_closed && l->readable))
			return DRIVER_PULL;
		push |= l->kind == LINK_UDP &&
			(l->want_source || joins);
	}

	return push || blocking_wants_push(m) ? DRIVER_PUSH : DRIVER_PULL;
}

/* What the modem kept for them is drained, too: in push it would all come at
 * once. */
static void catch_up(struct modem *m)
{
	struct link *l;

	TAILQ_FOREACH(l, &m->links, entry) {
		if (l->behind && !l->readable &&
		    evbuffer_get_length(l->rx) < CAUGHT_UP)
			l->behind = false;
	}
}

bool receive_step(struct modem *m)
{
	enum driver_receive want;

	if (m->receive == DRIVER_PULL && !m->receive_unsure)
		catch_up(m);
	want = wanted(m);
	if (want == m->receive && !m->receive_unsure)
		return false;
	if (timers_mono_ms(m->timers) < m->receive_after_ms ||
	    m->driver->receive(m->d, want))
		return false;
	m->switching = true;
	m->receive_unsure = false;
	m->receive_asked = want;

	return true;
}

/* When to try to switch again. */
int64_t receive_due(const struct modem *m)
{
	return m->network == NETWORK_OPEN && !m->switching &&
	       (m->receive_unsure || wanted(m) != m->receive) ?
	       m->receive_after_ms : INT64_MAX;
}

/* What was announced in the other mode means nothing any more. */
static void look_again(struct modem *m)
{
	struct link *l;

	TAILQ_FOREACH(l, &m->links, entry) {
		if (l->state == LINK_OPEN && !l->peer_closed)
			l->readable = m->receive == DRIVER_PULL;
	}
}

void receive_switched(struct modem *m, enum driver_receive mode, int err)
{
	if (!m->switching)
		return;
	m->switching = false;
	m->receive = mode;
	if (err) {
		m->receive_unsure = err != -ENODEV;
		m->receive_after_ms = timers_mono_ms(m->timers) + AGAIN_MS;
		log_info("modem: does not switch to %s: %s",
			 m->receive_asked == DRIVER_PUSH ? "push" : "pull",
			 strerror(-err));
	}
	if (err == -EREMOTEIO && m->receive_asked == DRIVER_PUSH) {
		m->push_refused = true;
		m->receive_after_ms = 0;
	}
	look_again(m);
	m->ops->modem_changed(m->ctx);
	modem_kick_soon(m);
}

/* The network was opened or checked, which includes pull mode. */
void receive_reset(struct modem *m)
{
	m->receive = DRIVER_PULL;
	m->switching = false;
	m->receive_unsure = false;
	m->push_refused = false;
	m->receive_after_ms = 0;
	look_again(m);
}

bool modem_tells_source(const struct modem *m, const struct link_args *args)
{
	bool pushed = args->want_source ||
		      (m->driver->caps & DRIVER_CAP_PULL_JOINS);

	return args->kind == LINK_UDP && pushed && !args->never_push &&
	       can_push(m) && (m->driver->caps & DRIVER_CAP_PUSH_SOURCE);
}

/* ---------------------------------------------------------------- delivery */

/* A datagram waits until any would fit, so that its length does not matter. */
bool link_takes_data(const struct link *l)
{
	return l->credit >= (l->kind == LINK_UDP ?
			     l->modem->driver->max_datagram : 1);
}

static void deliver(struct link *l, const uint8_t *data, size_t len,
		    const char *from)
{
	struct modem *m = l->modem;

	l->credit -= len < l->credit ? (uint32_t)len : l->credit;
	l->counts.received += len;
	if (l->kind != LINK_UDP || (from && !from[0]))
		from = NULL;
	m->ops->data(m->ctx, l->id, data, len, from);
}

/* How much of what waits may go now: a whole datagram, or some of a stream. */
static size_t next_piece(const struct link *l, const struct cut *c)
{
	size_t len = evbuffer_get_length(l->rx);

	if (!link_takes_data(l))
		return 0;
	if (l->kind == LINK_UDP)
		return c && c->whole ? c->len : 0;
	if (len > l->credit)
		len = l->credit;

	return len < DELIVER_MAX ? len : DELIVER_MAX;
}

/* Taken away before it is told: its client may end the link meanwhile. */
static void deliver_waiting(struct link *l)
{
	char from[DRIVER_ADDRESS_MAX];
	uint8_t data[DELIVER_MAX];
	struct cut *c;
	size_t n;

	for (;;) {
		c = TAILQ_FIRST(&l->rx_cuts);
		n = next_piece(l, c);
		if (n == 0 || l->state == LINK_ENDED)
			return;
		memcpy(from, c ? c->address : "", c ? sizeof(from) : 1);
		cut_drop(&l->rx_cuts);
		n = (size_t)evbuffer_remove(l->rx, data, n);
		deliver(l, data, n, from);
	}
}

static void judge_backlog(struct link *l)
{
	size_t len = evbuffer_get_length(l->rx);

	if (len > WAITING_MAX && l->slot >= 0) {
		l->modem->slots[l->slot].must_close = true;
		link_lose(l, -ECONNABORTED, "line-loss",
			  "more was pushed than can be kept for its client");
	} else if (len > BEHIND) {
		l->behind = true;
	}
}

/* After credit: what waits goes out; a link that the peer has closed ends
 * with its last byte. In pull mode the modem has the last word on that. */
void receive_run(struct modem *m)
{
	struct link *l;

	TAILQ_FOREACH(l, &m->links, entry) {
		if (l->kind == LINK_LEASE)
			continue;	/* lease_pump()'s */
		if (evbuffer_get_length(l->rx) > 0) {
			deliver_waiting(l);
			judge_backlog(l);
		}
		if (l->state == LINK_OPEN && l->peer_closed && !l->readable &&
		    m->receive == DRIVER_PUSH && !m->switching &&
		    evbuffer_get_length(l->rx) == 0 && !l->drained)
			link_is_drained(l);
	}
}

/* Bytes of a datagram join those before, until its end. */
static int keep(struct link *l, const uint8_t *data, size_t len,
		const char *from, bool end)
{
	struct cut *c = TAILQ_LAST(&l->rx_cuts, cut_list);

	if (l->kind == LINK_UDP) {
		if (!c || c->whole)
			c = cut_add(&l->rx_cuts, 0, from ? from : "", 0);
		if (!c)
			return -ENOMEM;
		c->len += len;
		c->whole = end;
	}

	return evbuffer_add(l->rx, data, len) ? -ENOMEM : 0;
}

void receive_data(struct link *l, const uint8_t *data, size_t len,
		  const char *from, bool end)
{
	struct modem *m = l->modem;
	bool whole = l->kind == LINK_UDP ? end && link_takes_data(l) :
		     len <= l->credit;

	l->active_ms = timers_mono_ms(m->timers);
	l->check_every_ms = 0;
	if (whole && evbuffer_get_length(l->rx) == 0 &&
	    TAILQ_EMPTY(&l->rx_cuts)) {
		deliver(l, data, len, from);
		return;
	}
	if (keep(l, data, len, from, end)) {
		if (l->slot >= 0)
			m->slots[l->slot].must_close = true;
		link_lose(l, -ECONNABORTED, "line-loss", "out of memory");
		return;
	}
	deliver_waiting(l);
	judge_backlog(l);
	modem_kick_soon(m);
}

/* What waits for a link that is no more open. */
void receive_drop(struct link *l)
{
	l->counts.lost += evbuffer_get_length(l->rx);
	l->modem->lost_bytes += evbuffer_get_length(l->rx);
	evbuffer_drain(l->rx, evbuffer_get_length(l->rx));
	cuts_free(&l->rx_cuts);
	l->behind = false;
}

/* ------------------------------------------------------------------- losses */

/* Pushed bytes of which nobody can say whose they were: every link has a gap,
 * perhaps; a gap in a stream is worse than its end. */
static void lose_all(struct modem *m, bool datagrams, const char *text)
{
	struct link *l;

	TAILQ_FOREACH(l, &m->links, entry) {
		if (l->slot < 0 || (l->kind == LINK_UDP && !datagrams) ||
		    (l->state != LINK_OPEN && l->state != LINK_OPENING))
			continue;
		m->slots[l->slot].must_close = true;
		link_lose(l, -ECONNABORTED, "line-loss", text);
	}
}

/* The one link that the modem can have meant; NULL: there may be two. */
static struct link *only_link(struct modem *m)
{
	struct slot *found = NULL;
	unsigned int i;

	for (i = 0; i < m->driver->max_links; i++) {
		if (slot_is_free(&m->slots[i]))
			continue;
		if (found || m->slots[i].opening)
			return NULL;
		found = &m->slots[i];
	}

	return found ? found->link : NULL;
}

void receive_unnamed(struct modem *m, const uint8_t *data, size_t len,
		     const char *from)
{
	struct link *l = only_link(m);

	if (m->receive == DRIVER_PUSH || m->switching) {
		if (!m->push_unnamed)
			log_warn("modem: this firmware (%s) does not say for "
				 "which link it pushes data: from now on it "
				 "is asked for them",
				 m->driver->info(m->d)->revision);
		m->push_unnamed = true;
		firmware_learn(m, "push-unnamed", 1);
	}
	if (l) {
		receive_data(l, data, len, from, true);
	} else {
		m->lost_bytes += len;
		lose_all(m, true, "data came that could be this link's, or "
			 "another's");
	}
	modem_kick_soon(m);
}

void receive_lost(struct modem *m)
{
	if (m->receive == DRIVER_PUSH || m->switching)
		lose_all(m, false, "pushed data were lost on the line, "
			 "perhaps of this link");
}
