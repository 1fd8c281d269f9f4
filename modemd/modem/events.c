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

#include "base/config.h"
#include "base/log.h"
#include "base/timer.h"
#include "modem/private.h"


static const size_t send_steps[] = { 2048, 1460, 1400, 1024, 512 };

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

static void on_identified(void *up, const struct driver *driver)
{
	speak_found(up, driver);
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
	l->drained = false;
	l->line_loss = false;
	l->acks_asked = 0;
	l->ack_next_ms = 0;
	l->claimed = 0;
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

/* The result of an open whose slot an accepted connection has now. */
static void opened_in_vain(struct modem *m, struct slot *s, int err)
{
	s->opening = false;
	if (!err)
		s->look = true;	/* both cannot be: the modem must tell */
	modem_kick_soon(m);
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

	if (s->opening)
		blocking_answered(m);
	l = s->link;
	if (l && l->kind == LINK_INBOUND) {
		opened_in_vain(m, s, err);
		return;
	}
	if (!s->opening) {
		/* Late, and nobody waits: it must not stay taken. */
		if (!err && !l)
			s->must_close = true;
		modem_kick_soon(m);
		return;
	}
	s->opening = false;
	if (accept_explains(m, err))
		s->look = true;
	else if (may_be_open(err) || (!err && !l))
		s->must_close = true;
	if (err == -ETIMEDOUT)
		audit_want(m);
	if (l && !err) {
		link_is_open(l);
	} else if (l && accept_explains(m, err) && !l->moved) {
		l->moved = true;	/* once: it may be a true failure */
		accept_move(l);
	} else if (l) {
		link_lose(l, err, open_reason(err), text);
	}
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
			firmware_learn(m, "max-send", m->max_send);
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
	if (datagram_refused(l, err)) {
		modem_kick_soon(m);
		return;
	}
	if (taken > l->inflight)
		taken = l->inflight;
	l->inflight = 0;
	evbuffer_drain(l->tx, taken);
	l->counts.taken += taken;
	if (taken > 0) {
		l->busy_since_ms = 0;
		l->active_ms = timers_mono_ms(m->timers);
		m->ops->sent(m->ctx, l->id, l->epoch, taken, 0);
	}
	if (err == -EMSGSIZE)
		send_less(m, l);
	else if (err == -EBUSY)
		link_send_later(l, text);
	else if (err && err != -ENODEV && err != -EAGAIN &&
		 l->state == LINK_OPEN && !l->peer_closed)
		link_send_failed(l, err, text);
	link_check_drained(l);
	modem_kick_soon(m);
}

static void on_readable(void *up, unsigned int n)
{
	struct modem *m = up;
	struct slot *s = find_slot(m, n, "data");

	if (!s)
		return;
	if (s->arrived)
		early_readable(s);
	else if (s->link)
		s->link->readable = s->link->announced = true;
	else if (slot_is_free(s) && listener_exists(m))
		s->look = true;	/* its +CLIENT is late, or was lost */
	modem_kick_soon(m);
}

static void on_data(void *up, unsigned int n, const uint8_t *data, size_t len,
		    const char *from, bool end)
{
	struct modem *m = up;
	struct slot *s = find_slot(m, n, "data");
	struct link *l = s ? s->link : NULL;

	if (s && s->arrived)
		early_data(m, s, data, len);
	else if (l && l->state != LINK_ENDED)
		receive_data(l, data, len, from, end);
	else
		m->lost_bytes += len;
}

static void on_receiving(void *up, enum driver_receive mode, int err)
{
	receive_switched(up, mode, err);
}

static void on_push_unnamed(void *up, const uint8_t *data, size_t len,
			    const char *from)
{
	receive_unnamed(up, data, len, from);
}

static void on_push_lost(void *up)
{
	receive_lost(up);
}

static void on_pulled(void *up, unsigned int n, long rest, int err)
{
	struct modem *m = up;
	struct slot *s = find_slot(m, n, "a pull");
	struct link *l = s ? s->link : NULL;

	if (s)
		s->pulling = false;
	/* -ENODEV: the modem is gone, and that ends all links at once. */
	if (!l || l->state == LINK_ENDED || err == -ENODEV)
		return;

	l->checked_ms = timers_mono_ms(m->timers);
	l->readable |= !err && rest > 0;	/* or announced meanwhile */
	l->announced |= !err && rest > 0;
	l->pull_errors = err == -EREMOTEIO ? l->pull_errors + 1 : 0;
	if (l->peer_closed && err == -EREMOTEIO &&
	    l->pull_errors < PULL_ERRORS_MAX && !accept_may_have(l))
		l->readable = true;	/* "No data" is no error */
	if (l->peer_closed && !l->readable && (err == -EREMOTEIO || !err)) {
		if (!err)
			confirm_drained(l);
		link_is_drained(l);
	} else if (l->pull_errors == PULL_ERRORS_MAX) {
		audit_want(m);
	} else if (err && !(err == -EREMOTEIO && rest < 0)) {
		link_line_lost(l);
	} else if (!err && !l->readable) {
		confirm_drained(l);
	}
	modem_kick_soon(m);
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
		s->freed_ms = timers_mono_ms(m->timers);
		if (why == DRIVER_CLOSE_UNSURE)
			audit_want(m);
		if (l)
			link_end(l, l->end_err, l->end_reason, text);
	} else if (s->arrived) {
		early_closed(s, why, text);
	} else if (l && (l->state == LINK_OPEN || l->state == LINK_CLOSING)) {
		link_peer_closed(l, why, text);
	}
	modem_kick_soon(m);
}

static void on_audited(void *up, const struct driver_table *table, int err)
{
	audit_done(up, table, err);
}

static void on_progress(void *up, unsigned int id,
			const struct driver_echo *echo)
{
	ping_progress(up, id, echo);
}

static void on_answered(void *up, unsigned int id, int err,
			const struct driver_answer *answer)
{
	if (id == RESTART_QUERY)
		restart_answered(up, err, answer->text);
	else
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

	steps_note(m);
	m->ops->modem_changed(m->ctx);
}

const struct driver_events modem_driver_events = {
	.staged		= on_staged,
	.identified	= on_identified,
	.waiting	= on_waiting,
	.opened		= on_opened,
	.sent		= on_sent,
	.pulled		= on_pulled,
	.closed		= on_closed,
	.audited	= on_audited,
	.progress	= on_progress,
	.answered	= on_answered,
	.readable	= on_readable,
	.data		= on_data,
	.listening	= server_on_listening,
	.unlistened	= server_on_unlistened,
	.accepted	= accept_on_accepted,
	.listener_lost	= server_on_lost,
	.receiving	= on_receiving,
	.push_unnamed	= on_push_unnamed,
	.push_lost	= on_push_lost,
	.leased		= on_leased,
	.unleased	= on_unleased,
	.lease_data	= on_lease_data,
	.lease_writable	= on_lease_writable,
	.network_lost	= on_network_lost,
	.rebooted	= on_rebooted,
	.hopeful	= on_hopeful,
	.informed	= on_informed,
};
