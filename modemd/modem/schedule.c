/* SPDX-License-Identifier: MIT */

/*
 * What goes over the line next. Decided from the state of the links alone,
 * whenever the channel is ready, so that there is no job to cancel when a
 * client or the modem goes away.
 */

#include <errno.h>
#include <event2/buffer.h>
#include <string.h>

#include "at/channel.h"
#include "base/config.h"
#include "base/log.h"
#include "base/timer.h"
#include "modem/private.h"

bool slot_is_free(const struct slot *s)
{
	return !s->link && !s->opening && !s->closing && !s->must_close &&
	       !s->look && !s->looking;
}

/* ------------------------------------------------------------- one command */

static bool step_open(struct modem *m, struct link *l)
{
	/* Another each time: it may be taken in the modem. */
	unsigned int port = l->kind == LINK_UDP && l->any_port ?
			    datagram_port(m) : l->local_port;
	struct driver_open_args args;
	int err;

	if (!blocking_may(m))
		return false;
	link_open_args(l, &args);
	args.local_port = port;
	err = link_check_options(l);
	if (!err)
		err = m->driver->open(m->d, (unsigned int)l->slot, &args);
	if (err == -EBUSY)
		return false;	/* the driver has something under way */
	if (err) {
		link_lose(l, err, "open-failed", strerror(-err));
		return false;
	}
	l->local_port = port;
	m->slots[l->slot].opening = true;
	if (blocking_open(m))
		blocking_begins(m, false);
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

	if (!l->readable || !link_takes_data(l) || m->receive != DRIVER_PULL ||
	    evbuffer_get_length(l->rx) > 0)
		return false;
	if (max > l->credit)
		max = l->credit;

	if (m->driver->pull(m->d, (unsigned int)l->slot, max))
		return false;
	m->slots[l->slot].pulling = true;
	l->pull_next = false;
	l->announced = false;
	l->readable = false;	/* what is announced from now on is new */
	l->checked_ms = timers_mono_ms(m->timers);

	return true;
}

static bool step_send(struct modem *m, struct link *l)
{
	size_t len = evbuffer_get_length(l->tx);
	struct driver_to to = { 0 };
	unsigned char *data;

	if (len == 0 || l->inflight > 0 || l->peer_closed ||
	    timers_mono_ms(m->timers) < l->send_after_ms)
		return false;
	if (l->kind == LINK_UDP)
		len = datagram_next(l, &to);
	else if (len > m->max_send)
		len = m->max_send;
	data = evbuffer_pullup(l->tx, (ssize_t)len);
	if (!data || m->driver->send(m->d, (unsigned int)l->slot, data, len,
				     to.address ? &to : NULL))
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
	       (!l->readable || !link_takes_data(l));
}

/* Does the link end by itself, before it is closed? Then its slot is to be. */
static bool link_gives_up(const struct modem *m, struct link *l)
{
	if (l->hurry && l->credit == 0) {
		link_drained(l);	/* nobody reads what is left */
		return true;
	}
	if (!l->going_down || !may_close(m, l))
		return false;
	if (!l->peer_closed) {
		l->end_err = -ENETDOWN;
		l->end_reason = "network-down";
		l->end_is_loss = true;
		l->end_text[0] = '\0';
	}
	link_drained(l);

	return true;
}

/* First what the peer acknowledged is asked, where that can be told. */
static bool step_polite_close(struct modem *m, struct link *l, unsigned int n)
{
	enum ask ask = confirm_step(l);

	return ask == ASK_SENT || (ask == ASK_DONE && step_close(m, n));
}

/* Its peer has closed, and all was read: one question more. */
static bool step_drained(struct link *l)
{
	if (confirm_step(l) == ASK_SENT)
		return true;
	link_drained(l);

	return false;
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
		return !m->net_down && step_open(m, l);
	if (l->state != LINK_OPEN)
		return false;
	if (link_gives_up(m, l))
		return step_close(m, n);
	if (l->drained)
		return step_drained(l);
	if (l->want_close && may_close(m, l)) {
		if (accept_leave(l)) {
			link_end(l, l->end_err, l->end_reason, l->end_text);
			return false;
		}
		return step_polite_close(m, l, n);
	}
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

	if (m->net_down)
		return any_slot_step(m) || network_down_step(m);
	if (!m->want_audit)
		accept_look(m);
	if (m->want_audit)
		return audit_start(m);
	if (ping_step(m))
		return true;

	if (servers_step(m))
		return true;
	give_slots(m);
	if (receive_step(m) || wait_ack_step(m))
		return true;
	if (now >= m->query_not_before_ms && blocking_may_ask(m) &&
	    !blocking_open_first(m) && query_start(m))
		return true;

	return any_slot_step(m) || (blocking_may_ask(m) && query_start(m));
}

/* ------------------------------------------------------------------- kicks */

/* A stage that waits leaves the line to questions that need no network. Nobody
 * is asked who may be another one by now. */
static bool line_is_free(const struct modem *m)
{
	if (!at_channel_ready(m->channel) || m->syncing || m->asked ||
	    m->switching || m->blocking || m->speak_anew)
		return false;

	return !m->staging || m->again_ms > timers_mono_ms(m->timers);
}

/*
 * After every change. One command at most goes out; the next decision is
 * made when its final line was read. A question may be several commands: the
 * line is its own until it is answered.
 */
void modem_kick(struct modem *m)
{
	blocking_settle(m);
	speak_run(m);
	network_wish(m);
	pings_end_cancelled(m);
	receive_run(m);
	lease_pump(m);
	if (line_is_free(m) && !lease_step(m) && !restart_step(m) &&
	    (m->staging || !life_step(m))) {
		if (m->network == NETWORK_OPEN && !m->staging)
			(void)network_step(m);
		else if (m->state >= MODEM_STARTING)
			(void)query_start(m);
	}
	due_arm(m);
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
