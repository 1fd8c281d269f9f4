/* SPDX-License-Identifier: MIT */

/*
 * What the driver reports. Every number it brings is checked here, once: a
 * hostile or garbled modem can close links, but not make us believe in an
 * eleventh one.
 */

#include <errno.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/timer.h"
#include "modem/private.h"

#define AUDITS_MAX	3	/* that are not answered */

static const size_t send_steps[] = { 1460, 1400, 1024, 512 };

/* The slot, or NULL after a word in the log. */
static struct slot *find_slot(struct modem *m, unsigned int n,
			      const char *what)
{
	if (n < m->driver->max_links)
		return &m->slots[n];

	log_warn("modem: %s for slot %u, which does not exist", what, n);

	return NULL;
}

static void on_staged(void *up, enum driver_stage stage, int err,
		      const char *text)
{
	life_staged(up, stage, err, text);
}

static void on_waiting(void *up, const char *text, uint32_t again_ms)
{
	life_waiting(up, text, again_ms);
}

void link_is_open(struct link *l)
{
	struct modem *m = l->modem;
	struct link_end how = { 0 };
	bool again = l->was_open;

	l->was_open = true;
	if (again)
		l->epoch++;
	memset(&l->counts, 0, sizeof(l->counts));
	l->counts.confirmed = -1;
	l->credit = l->first_credit;
	l->opened_mono_ms = timers_mono_ms(m->timers);
	l->opened_wall_ms = timers_wall_ms(m->timers);
	l->active_ms = l->opened_mono_ms;
	l->checked_ms = l->opened_mono_ms;
	backoff_reset(&l->backoff);
	link_set_state(l, LINK_OPEN);
	if (again) {
		m->ops->restored(m->ctx, l->id, l->epoch);
		return;
	}
	link_fill_end(l, &how);
	m->ops->opened(m->ctx, l->id, &how);
}

const char *open_reason(int err)
{
	switch (err) {
	case -ECONNREFUSED:	return "refused";
	case -ETIMEDOUT:	return "open-timeout";
	case -EADDRNOTAVAIL:		return "name-not-found";
	case -ENODEV:		return "modem-gone";
	}

	return "open-failed";
}

/* The modem may hold it open all the same, or held it before. */
static bool may_be_open(int err)
{
	return err == -ETIMEDOUT || err == -EBADMSG || err == -EREMOTEIO ||
	       err == -EBUSY;
}

static void on_opened(void *up, unsigned int n, int err, const char *text)
{
	struct modem *m = up;
	struct slot *s = find_slot(m, n, "an open");
	struct link *l;

	if (!s)
		return;

	l = s->link;
	if (!s->opening) {
		/* Late, and nobody waits: it must not stay taken. */
		if (!err && !l)
			s->must_close = true;
		modem_kick_soon(m);
		return;
	}
	s->opening = false;
	if (may_be_open(err) || (!err && !l))
		s->must_close = true;
	if (l && !err)
		link_is_open(l);
	else if (l)
		link_lose(l, err, open_reason(err), text);
	if (err == -ENETDOWN)
		life_network_lost(m, text);
	modem_kick_soon(m);
}

/* The firmware takes less at a time than its manual says. */
static void send_less(struct modem *m, struct link *l)
{
	size_t i;

	for (i = 0; i < sizeof(send_steps) / sizeof(send_steps[0]); i++) {
		if (send_steps[i] < m->max_send) {
			m->max_send = send_steps[i];
			log_info("modem: refuses a long send, now at most %zu "
				 "bytes", m->max_send);
			return;
		}
	}
	link_lose(l, -ECONNABORTED, "send-failed", "no length of a send is taken");
}

static void on_sent(void *up, unsigned int n, size_t taken, int err,
		    const char *text)
{
	struct modem *m = up;
	struct slot *s = find_slot(m, n, "a send");
	struct link *l = s ? s->link : NULL;

	if (!l || l->inflight == 0)
		return;
	if (taken > l->inflight)
		taken = l->inflight;
	l->inflight = 0;
	evbuffer_drain(l->tx, taken);
	l->counts.taken += taken;
	if (taken > 0) {
		l->active_ms = timers_mono_ms(m->timers);
		m->ops->sent(m->ctx, l->id, l->epoch, taken, 0);
	}
	if (err == -EMSGSIZE) {
		send_less(m, l);
	} else if (err && err != -ENODEV && l->state == LINK_OPEN &&
		   !l->peer_closed) {
		s->must_close = true;
		link_lose(l, err, err == -ETIMEDOUT ? "send-timeout" :
			  "send-failed", text);
	}
	modem_kick_soon(m);
}

static void on_readable(void *up, unsigned int n)
{
	struct modem *m = up;
	struct slot *s = find_slot(m, n, "data");

	if (!s || !s->link)
		return;
	s->link->readable = true;
	modem_kick_soon(m);
}

static void on_data(void *up, unsigned int n, const uint8_t *data, size_t len,
		    const char *from, bool end)
{
	struct modem *m = up;
	struct slot *s = find_slot(m, n, "data");
	struct link *l = s ? s->link : NULL;

	(void)end;
	if (!l || l->state == LINK_ENDED || len > l->credit)
		return;

	l->credit -= (uint32_t)len;
	l->counts.received += len;
	l->active_ms = timers_mono_ms(m->timers);
	l->check_every_ms = 0;
	m->ops->data(m->ctx, l->id, data, len, from);
}

/* All that the modem held for a link which the peer has closed was read. */
static void drained(struct link *l, struct slot *s)
{
	s->must_close = true;
	if (l->end_is_loss)
		link_lose(l, l->end_err, l->end_reason, l->end_text);
	else
		link_end(l, l->end_err, l->end_reason, l->end_text);
}

static void on_pulled(void *up, unsigned int n, long rest, int err)
{
	struct modem *m = up;
	struct slot *s = find_slot(m, n, "a pull");
	struct link *l = s ? s->link : NULL;

	/* -ENODEV: the modem is gone, and that ends all links at once. */
	if (!l || l->state == LINK_ENDED || err == -ENODEV)
		return;

	l->checked_ms = timers_mono_ms(m->timers);
	l->readable |= !err && rest > 0;	/* or announced meanwhile */
	if (l->peer_closed && (err == -EREMOTEIO || (!err && !l->readable))) {
		drained(l, s);
	} else if (err && !(err == -EREMOTEIO && rest < 0)) {
		/* Bytes may have been lost between modem and us: a gap in a
		 * stream is worse than its end. */
		s->must_close = true;
		link_lose(l, -ECONNABORTED, "line-loss", "an answer with data did "
			  "not arrive whole");
	}
	modem_kick_soon(m);
}

static void peer_closed(struct link *l, enum driver_close why,
			const char *text)
{
	static const struct {
		int err;
		const char *reason;
		bool loss;
	} reasons[] = {
		[DRIVER_CLOSE_ASKED]	= { 0, "local", false },
		[DRIVER_CLOSE_UNSURE]	= { 0, "local", false },
		[DRIVER_CLOSE_LOCAL]	= { -ECONNABORTED, "modem-closed", true },
		[DRIVER_CLOSE_PEER]	= { -EPIPE, "peer", false },
		[DRIVER_CLOSE_TIMEOUT]	= { -ETIMEDOUT, "send-timeout", true },
	};

	if (l->peer_closed)
		return;
	l->peer_closed = true;
	l->readable = true;		/* what is left is read first */
	l->end_err = reasons[why].err;
	l->end_reason = reasons[why].reason;
	l->end_is_loss = reasons[why].loss;
	snprintf(l->end_text, sizeof(l->end_text), "%s", text);
}

/* The modem may know of a link that we do not. */
static void want_audit(struct modem *m)
{
	m->want_audit = true;
	m->audits = 0;
}

static void on_closed(void *up, unsigned int n, enum driver_close why,
		      const char *text)
{
	struct modem *m = up;
	struct slot *s = find_slot(m, n, "a close");
	struct link *l = s ? s->link : NULL;

	if (!s)
		return;
	if (s->closing && (why == DRIVER_CLOSE_ASKED ||
			   why == DRIVER_CLOSE_UNSURE)) {
		s->closing = false;	/* a late open may want one more */
		if (why == DRIVER_CLOSE_UNSURE)
			want_audit(m);
		if (l)
			link_end(l, l->end_err, l->end_reason, text);
	} else if (l && (l->state == LINK_OPEN || l->state == LINK_CLOSING)) {
		peer_closed(l, why, text);
	}
	modem_kick_soon(m);
}

/* What the modem has open and nobody here knows is closed. */
static void on_audited(void *up, const struct driver_table *table, int err)
{
	struct modem *m = up;
	unsigned int i;

	/* Refused is an answer, a line that was lost is none. */
	m->want_audit = err && err != -EREMOTEIO && ++m->audits < AUDITS_MAX;
	for (i = 0; !err && i < m->driver->max_links; i++) {
		if (!table->slots[i].open || !slot_is_free(&m->slots[i]))
			continue;
		log_info("modem: slot %u is open to %s and nobody's: closing "
			 "it", i, table->slots[i].remote);
		m->slots[i].must_close = true;
	}
	modem_kick_soon(m);
}

static void on_answered(void *up, unsigned int id, int err,
			const struct driver_answer *answer)
{
	query_answered(up, id, err, answer);
	modem_kick_soon(up);
}

static void on_leased(void *up, int err, const char *text)
{
	lease_leased(up, err, text);
}

static void on_unleased(void *up, int err, const char *text)
{
	lease_unleased(up, err, text);
}

static void on_lease_data(void *up, const uint8_t *data, size_t len)
{
	lease_data(up, data, len);
}

static void on_lease_writable(void *up)
{
	modem_kick_soon(up);
}

static void on_network_lost(void *up, const char *text)
{
	life_network_lost(up, text);
}

static void on_rebooted(void *up, const char *text)
{
	life_rebooted(up, text);
}

static void on_hopeful(void *up, const char *text)
{
	life_hopeful(up, text);
}

static void on_informed(void *up)
{
	struct modem *m = up;

	m->ops->modem_changed(m->ctx);
}

const struct driver_events modem_driver_events = {
	.staged		= on_staged,
	.waiting	= on_waiting,
	.opened		= on_opened,
	.sent		= on_sent,
	.pulled		= on_pulled,
	.closed		= on_closed,
	.audited	= on_audited,
	.answered	= on_answered,
	.readable	= on_readable,
	.data		= on_data,
	.leased		= on_leased,
	.unleased	= on_unleased,
	.lease_data	= on_lease_data,
	.lease_writable	= on_lease_writable,
	.network_lost	= on_network_lost,
	.rebooted	= on_rebooted,
	.hopeful	= on_hopeful,
	.informed	= on_informed,
};
