/* SPDX-License-Identifier: MIT */

/*
 * The exclusive session: a link that has the line for itself. The driver takes
 * the network down, connects, and is then a pipe; when it has taken commands
 * again, bring-up goes on from DRIVER_NET_CLOSE, which sets and verifies all
 * that the session has changed. What is owed to the driver (unlease, once) is
 * kept apart from the link, which may end at any moment.
 */

#include <errno.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <string.h>

#include "at/channel.h"
#include "base/config.h"
#include "base/log.h"
#include "base/timer.h"
#include "modem/private.h"

/* Bytes that its client has no credit for, until the modem has to wait: where
 * it cannot, they would be lost. */
#define RX_HIGH		65536
#define RX_HIGH_NO_RTS	1048576
#define RX_LOW		16384
#define NEVER		INT64_MAX
#define PORT_FIRST	49152	/* of those for anybody: RFC 6335 6 */

uint64_t modem_new_id(struct modem *m)
{
	return ++m->next_id;
}

/* ------------------------------------------------------- asked from above */

/* Ids rise along the list. */
static void put_in_order(struct link *l, uint64_t id)
{
	struct modem *m = l->modem;
	struct link *other;

	l->id = id;
	TAILQ_REMOVE(&m->links, l, entry);
	TAILQ_FOREACH(other, &m->links, entry) {
		if (other->id > id) {
			TAILQ_INSERT_BEFORE(other, l, entry);
			return;
		}
	}
	TAILQ_INSERT_TAIL(&m->links, l, entry);
}

bool modem_can_lease(const struct modem *m, bool listen)
{
	unsigned int caps = m->driver->caps;

	return (caps & DRIVER_CAP_TRANSPARENT) &&
	       (!listen || (caps & DRIVER_CAP_LEASE_LISTEN));
}

static int check(const struct modem *m, bool listen)
{
	if (m->stopping)
		return -ESHUTDOWN;
	if (!modem_can_lease(m, listen))
		return -EOPNOTSUPP;
	if (m->lease_phase != LEASE_IDLE)
		return -EBUSY;
	if (m->state < MODEM_STARTING)
		return -ENODEV;

	return network_usable(m) ? 0 : -ENETDOWN;
}

int modem_lease(struct modem *m, const struct lease_args *args, uint64_t *id)
{
	struct link_args link = {
		.kind = LINK_LEASE,
		.host = args->host,
		.port = args->port,
		.local_port = args->local_port,
		.has_credit = args->has_credit,
		.credit = args->credit,
	};
	struct link *l;
	int err;

	err = check(m, args->listen);
	if (err)
		return err;
	l = link_new(m, &link);
	if (!l)
		return -ENOMEM;
	if (args->id)
		put_in_order(l, args->id);
	/* for UDP the local port is no option */
	if (args->udp && !args->local_port)
		l->local_port = PORT_FIRST + timers_random(m->timers,
							   65536 - PORT_FIRST);

	m->lease = l;
	m->lease_udp = args->udp;
	m->lease_listen = args->listen;
	m->lease_ending = false;
	m->lease_phase = LEASE_WANTED;
	m->lease_until_ms = timers_mono_ms(m->timers) + args->duration_ms;
	timer_start(m->lease_timer, args->duration_ms);
	*id = l->id;
	modem_kick_soon(m);

	return 0;
}

int modem_lease_end(struct modem *m, uint64_t id, int err, const char *reason)
{
	struct link *l = m->lease;

	if (!l || l->id != id)
		return -EBADF;
	if (l->state != LINK_OPEN && l->state != LINK_CLOSING) {
		link_end(l, err, reason, "");
		return 0;
	}
	if (!l->want_close) {
		l->end_err = err;
		l->end_reason = reason;
	}
	l->want_close = true;
	l->abort = true;
	modem_kick_soon(m);

	return 0;
}

/* Its time is over. */
void lease_expired(void *ctx)
{
	struct modem *m = ctx;

	if (!m->lease)
		return;
	log_info("lease: its time is over");
	(void)modem_lease_end(m, m->lease->id, -EDQUOT, "lease-expired");
}

void lease_link_ended(struct link *l)
{
	struct modem *m = l->modem;

	if (m->lease != l)
		return;
	m->lease = NULL;
	if (m->lease_phase != LEASE_WANTED)
		return;
	m->lease_phase = LEASE_IDLE;
	timer_stop(m->lease_timer);
}

/* ------------------------------------------------------------- what is next */

static bool start(struct modem *m)
{
	struct link *l = m->lease;
	struct driver_lease_args args = {
		.udp = m->lease_udp,
		.listen = m->lease_listen,
		.host = l->host,
		.port = l->port,
		.local_port = l->local_port,
	};
	int err;

	m->lease_phase = LEASE_CLEARING;
	links_lost(m, -ENETRESET, "lease", false);
	m->lease_phase = LEASE_WANTED;
	m->driver->reset(m->d, false);
	queries_fail(m, -ENETDOWN);
	err = m->driver->lease(m->d, &args);
	if (err) {
		link_end(l, err, "open-failed", strerror(-err));
		return false;
	}
	m->lease_phase = LEASE_RUNNING;
	link_set_state(l, LINK_OPENING);
	life_leased(m);

	return true;
}

/* True: the line is the session's, nobody else may say a word. */
bool lease_step(struct modem *m)
{
	if (m->lease_phase == LEASE_RUNNING)
		return true;
	if (m->lease_phase != LEASE_WANTED)
		return false;
	if (network_usable(m))
		return start(m);
	link_end(m->lease, -ENETDOWN, m->net_down ? "network-down" :
		 "network-lost", m->network_reason);

	return false;
}

/* Up, within its credit. */
static void give(struct link *l)
{
	struct modem *m = l->modem;
	size_t len = evbuffer_get_length(l->rx);
	unsigned char *data;

	if (len > l->credit)
		len = l->credit;
	if (len == 0)
		return;
	data = evbuffer_pullup(l->rx, (ssize_t)len);
	if (!data)
		return;
	l->credit -= (uint32_t)len;
	l->counts.received += len;
	l->active_ms = timers_mono_ms(m->timers);
	m->ops->data(m->ctx, l->id, data, len, NULL);
	evbuffer_drain(l->rx, len);
	if (l == m->lease && evbuffer_get_length(l->rx) < RX_LOW)
		at_channel_hold_raw(m->channel, false);
}

/* Down, what the line takes; that is all the modem tells: taken. */
static void take(struct link *l)
{
	struct modem *m = l->modem;
	unsigned char *data;
	size_t len, n;

	while ((len = evbuffer_get_contiguous_space(l->tx)) > 0) {
		data = evbuffer_pullup(l->tx, (ssize_t)len);
		n = data ? m->driver->lease_write(m->d, data, len) : 0;
		if (n == 0)
			return;
		evbuffer_drain(l->tx, n);
		l->counts.taken += n;
		l->active_ms = timers_mono_ms(m->timers);
		m->ops->sent(m->ctx, l->id, l->epoch, n, 0);
	}
}

static bool may_end(const struct modem *m, const struct link *l)
{
	if (l->abort || timers_mono_ms(m->timers) >= l->close_by_ms)
		return true;

	return evbuffer_get_length(l->tx) == 0 &&
	       (evbuffer_get_length(l->rx) == 0 || l->credit == 0);
}

static void unlease(struct modem *m)
{
	m->lease_ending = true;
	at_channel_hold_raw(m->channel, false);
	(void)m->driver->unlease(m->d);
}

/* The modem is rid of it; its client still has bytes to read. */
static void drain(struct link *l)
{
	if (evbuffer_get_length(l->rx) == 0 || l->want_close)
		link_end(l, l->end_err, l->end_reason, l->end_text);
}

/* An admin wants the network closed, or the modem restarted: neither can be
 * said to a modem in data mode. */
static void give_way(struct modem *m)
{
	struct link *l = m->lease;

	if (!l || l->want_close || (!m->net_down && !m->want_restart))
		return;
	(void)modem_lease_end(m, l->id, m->net_down ? -ENETDOWN : -ENODEV,
			      m->net_down ? "network-down" : "modem-restarted");
}

/* Whatever has changed: bytes both ways, and its end. */
void lease_pump(struct modem *m)
{
	struct link *l;

	TAILQ_FOREACH(l, &m->links, entry) {
		if (l->kind != LINK_LEASE || (l->state != LINK_OPEN &&
			       l->state != LINK_CLOSING))
			continue;
		give(l);
		if (l->peer_closed)
			drain(l);
	}
	if (m->lease_phase != LEASE_RUNNING || m->lease_ending)
		return;
	give_way(m);
	l = m->lease;
	if (!l) {
		unlease(m);
		return;
	}
	if (l->state != LINK_OPEN)
		return;
	if (!l->abort)
		take(l);
	if (l->want_close && may_end(m, l)) {
		link_set_state(l, LINK_CLOSING);
		unlease(m);
	}
}

int64_t lease_due(const struct modem *m, const struct link *l)
{
	int64_t now = timers_mono_ms(m->timers);

	if (l->state != LINK_OPEN)
		return NEVER;
	if (l->want_close)
		return l->close_by_ms > now ? l->close_by_ms : NEVER;

	return l->idle_timeout_ms ? l->active_ms + l->idle_timeout_ms : NEVER;
}

/* ----------------------------------------------------- what the driver says */

void lease_leased(struct modem *m, int err, const char *text)
{
	struct link *l = m->lease;

	if (!l || l->state != LINK_OPENING)
		return;
	log_info("lease: %s%s%s", err ? "not connected" : "connected",
		 text[0] ? ": " : "", text);
	if (err)
		link_end(l, err, open_reason(err), text);
	else
		link_is_open(l);
	modem_kick_soon(m);
}

static const char *end_reason(int err)
{
	switch (err) {
	case -EPIPE:		return "peer";
	case -ENETRESET:	return "network-lost";
	case -ENODEV:		return "modem-gone";
	}

	return "line-loss";
}

/* Not as its client asked. */
static void ended(struct link *l, int err, const char *text)
{
	l->end_err = err;
	l->end_reason = end_reason(err);
	snprintf(l->end_text, sizeof(l->end_text), "%s", text);
	evbuffer_drain(l->tx, evbuffer_get_length(l->tx));
	l->peer_closed = true;
	drain(l);
}

void lease_unleased(struct modem *m, int err, const char *text)
{
	struct link *l = m->lease;

	log_info("lease: over%s%s", text[0] ? ": " : "", text);
	m->lease_phase = LEASE_IDLE;
	m->lease = NULL;
	timer_stop(m->lease_timer);
	if (l && l->want_close)
		link_end(l, l->end_err, l->end_reason, text);
	else if (l)
		ended(l, err ? err : -ECONNABORTED, text);
	/* A modem that is gone begins from power. */
	if (err != -ENODEV)
		life_unleased(m, err != -ECONNABORTED && err != -ETIMEDOUT);
	timer_start(m->reaper, 0);	/* a stop may have waited for it */
}

void lease_data(struct modem *m, const uint8_t *data, size_t len)
{
	size_t high = m->cfg->modem.rtscts ? RX_HIGH : RX_HIGH_NO_RTS;
	struct link *l = m->lease;

	if (!l || (l->state != LINK_OPEN && l->state != LINK_CLOSING))
		return;
	if ((m->lease_ending && evbuffer_get_length(l->rx) >= high) ||
	    evbuffer_add(l->rx, data, len)) {
		l->counts.lost += len;
		return;
	}
	give(l);
	/* On its way out it must be read to the end, or no OK is seen. */
	if (!m->lease_ending && evbuffer_get_length(l->rx) >= high)
		at_channel_hold_raw(m->channel, true);
}

void lease_fill_status(const struct modem *m, struct modem_status *out)
{
	if (!m->lease)
		return;
	out->lease = m->lease->id;
	out->lease_left_ms = timer_left_ms(m->lease_timer);
	out->lease_connected = m->lease->state == LINK_OPEN;
}
