/* SPDX-License-Identifier: MIT */

/*
 * Links: what is asked of them from above, and how they end. What has ended
 * is told and freed when the loop is at rest, never under its caller.
 */

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/log.h"
#include "base/timer.h"
#include "modem/private.h"

#define AUDIT_MS	2000	/* an open waits so long for the audit */
#define REST_MS		2000	/* of a slot, when there are others */

const char *link_kind_name(enum link_kind kind)
{
	static const char *const names[] = {
		[LINK_TCP]	= "tcp",
		[LINK_UDP]	= "udp",
		[LINK_INBOUND]	= "tcp-in",
		[LINK_LEASE]	= "lease",
	};

	return names[kind];
}

const char *link_state_name(enum link_state state)
{
	static const char *const names[] = {
		[LINK_WAITING]	= "waiting",
		[LINK_OPENING]	= "opening",
		[LINK_OPEN]	= "open",
		[LINK_CLOSING]	= "closing",
		[LINK_LOST]	= "lost",
		[LINK_ENDED]	= "ended",
	};

	return names[state];
}

static bool link_may_go(enum link_state from, enum link_state to)
{
	switch (from) {
	case LINK_WAITING:
		return to == LINK_OPENING || to == LINK_ENDED;
	case LINK_OPENING:
		return to == LINK_OPEN || to == LINK_LOST ||
		       to == LINK_WAITING || to == LINK_ENDED;
	case LINK_OPEN:
		return to == LINK_CLOSING || to == LINK_LOST ||
		       to == LINK_ENDED;
	case LINK_CLOSING:
		return to == LINK_ENDED;
	case LINK_LOST:
		return to == LINK_OPENING || to == LINK_ENDED;
	case LINK_ENDED:
		break;
	}

	return false;
}

/* The one place where a link changes its state. */
void link_set_state(struct link *l, enum link_state to)
{
	assert(link_may_go(l->state, to));
	log_debug("link %llu (slot %d, epoch %u): %s -> %s",
		  (unsigned long long)l->id, l->slot, l->epoch,
		  link_state_name(l->state), link_state_name(to));
	l->state = to;
}

struct link *link_find(struct modem *m, uint64_t id)
{
	struct link *l;

	TAILQ_FOREACH(l, &m->links, entry) {
		if (l->id == id)
			return l->state == LINK_ENDED ? NULL : l;
	}

	return NULL;
}

/* ------------------------------------------------------------------- slots */

/* Of one listener, 0: of all. */
unsigned int links_inbound(const struct modem *m, uint64_t listener)
{
	const struct link *l;
	unsigned int n = 0;

	TAILQ_FOREACH(l, &m->links, entry)
		n += l->kind == LINK_INBOUND && l->state != LINK_ENDED &&
		     (listener == 0 || l->listener == listener);

	return n;
}

/* What links.reserve-inbound keeps free now. */
static unsigned int kept_free(const struct modem *m)
{
	unsigned int want = m->cfg->links.reserve_inbound;
	unsigned int have = links_inbound(m, 0);

	return listener_exists(m) && want > have ? want - have : 0;
}

static unsigned int free_slots(const struct modem *m)
{
	unsigned int i, n = 0;

	for (i = 0; i < m->driver->max_links; i++)
		n += slot_is_free(&m->slots[i]);

	return n;
}

static bool rests(const struct modem *m, const struct slot *s)
{
	return s->freed_ms &&
	       timers_mono_ms(m->timers) - s->freed_ms < REST_MS;
}

/*
 * The one that rested longest, in case an old result is still on its way. As
 * long as connections may come, from the top: the modem puts them into its
 * lowest free slot.
 */
static bool is_better(const struct modem *m, const struct slot *s,
		      const struct slot *best)
{
	if (listener_exists(m) && rests(m, s) != rests(m, best))
		return rests(m, best);
	if (listener_exists(m) && !rests(m, s))
		return false;

	return s->used < best->used;
}

bool link_take_slot(struct link *l)
{
	struct modem *m = l->modem;
	struct slot *best = NULL;
	unsigned int i;

	if (free_slots(m) <= kept_free(m))
		return false;
	for (i = m->driver->max_links; i-- > 0;) {
		if (slot_is_free(&m->slots[i]) &&
		    (!best || is_better(m, &m->slots[i], best)))
			best = &m->slots[i];
	}

	best->link = l;
	best->used = ++m->opens;
	best->server = 0;
	l->slot = (int)(best - m->slots);

	return true;
}

/* What its slot has under way goes on without the link. */
static void release_slot(struct link *l)
{
	if (l->slot < 0)
		return;

	l->modem->slots[l->slot].link = NULL;
	l->modem->slots[l->slot].freed_ms = timers_mono_ms(l->modem->timers);
	l->slot = -1;
}

void link_drop_unsent(struct link *l)
{
	evbuffer_drain(l->tx, evbuffer_get_length(l->tx));
	cuts_free(&l->tx_cuts);
	l->inflight = 0;
	receive_drop(l);
}

/* -------------------------------------------------------------------- ends */

static void set_end(struct link *l, int err, const char *reason,
		    const char *text)
{
	l->end_err = err;
	l->end_reason = reason;
	if (text != l->end_text)
		snprintf(l->end_text, sizeof(l->end_text), "%s", text);
}

/* Its last event is due; the slot, where it has one, is cut loose. */
void link_end(struct link *l, int err, const char *reason, const char *text)
{
	set_end(l, err, reason, text);
	link_drop_unsent(l);
	release_slot(l);
	link_set_state(l, LINK_ENDED);
	if (l->kind == LINK_LEASE)
		lease_link_ended(l);
	timer_start(l->modem->reaper, 0);
	modem_kick_soon(l->modem);
}

void link_fill_end(const struct link *l, struct link_end *end)
{
	*end = (struct link_end){
		.err = l->end_err,
		.reason = l->end_reason ? l->end_reason : "",
		.modem_text = l->end_text,
		.epoch = l->epoch,
		.counts = l->counts,
	};
}

static void wait_for_restore(struct link *l)
{
	const struct config_recovery *r = &l->modem->cfg->recovery;
	struct modem *m = l->modem;

	l->retry_at_ms = timers_mono_ms(m->timers) +
		backoff_next(&l->backoff, m->timers, r->backoff_min_ms,
			     r->backoff_max_ms);
	l->readable = false;
	l->peer_closed = false;
	l->gone = false;
	l->announced = false;
	l->end_is_loss = false;
	l->hurry = false;
	l->going_down = false;
	l->pull_errors = 0;
	l->send_after_ms = 0;
	l->busy_since_ms = 0;
}

/* Not as anybody wished: it ends, or waits to be restored. */
void link_lose(struct link *l, int err, const char *reason, const char *text)
{
	struct modem *m = l->modem;
	bool was_up = l->state == LINK_OPEN;
	struct link_end how;

	if (l->state == LINK_ENDED || l->state == LINK_LOST)
		return;
	if (!l->restore || !l->was_open || l->want_close || m->stopping) {
		link_end(l, err, reason, text);
		return;
	}

	set_end(l, err, reason, text);
	link_fill_end(l, &how);
	link_drop_unsent(l);
	release_slot(l);
	link_set_state(l, LINK_LOST);
	wait_for_restore(l);
	if (was_up)
		m->ops->lost(m->ctx, l->id, &how);
	set_end(l, 0, "", "");
	modem_kick_soon(m);
}

/* Every socket is gone. Links that may wait go on waiting, unless @all. */
void links_lost(struct modem *m, int err, const char *reason, bool all)
{
	struct link *l;
	unsigned int i;

	TAILQ_FOREACH(l, &m->links, entry) {
		if (!all && l == m->lease && m->lease_phase == LEASE_CLEARING)
			continue;	/* it is what they are lost for */
		if (!all && (l->state == LINK_LOST ||
			     (l->state == LINK_WAITING && l->wait_until_ms)))
			release_slot(l);
		else if (l->hurry)	/* what came first is why */
			link_lose(l, l->end_err, l->end_reason, l->end_text);
		else
			link_lose(l, err, reason, "");
	}
	for (i = 0; i < m->driver->max_links; i++) {
		early_drop(m, &m->slots[i]);
		memset(&m->slots[i], 0, sizeof(m->slots[i]));
	}
	listeners_lost(m, err, reason, all);
}

static void link_free(struct link *l)
{
	TAILQ_REMOVE(&l->modem->links, l, entry);
	evbuffer_free(l->tx);
	evbuffer_free(l->rx);
	cuts_free(&l->tx_cuts);
	cuts_free(&l->rx_cuts);
	free(l);
}

static void tell_end(struct link *l)
{
	struct modem *m = l->modem;
	bool was_open = l->was_open;
	uint64_t id = l->id;
	struct link_end how;
	char text[sizeof(l->end_text)];

	link_fill_end(l, &how);
	memcpy(text, l->end_text, sizeof(text));
	how.modem_text = text;
	link_free(l);
	if (was_open)
		m->ops->closed(m->ctx, id, &how);
	else
		m->ops->opened(m->ctx, id, &how);
}

static const char *why_queued(const struct modem *m)
{
	if (!network_usable(m))
		return "the network is not open";

	return free_slots(m) > 0 && kept_free(m) > 0 ?
	       "the free sockets of the modem are kept for accepted "
	       "connections" : "all sockets of the modem are taken";
}

/* Runs when the loop is at rest. */
void links_reap(void *ctx)
{
	struct modem *m = ctx;
	struct link *l, *next;

	for (l = TAILQ_FIRST(&m->links); l; l = next) {
		next = TAILQ_NEXT(l, entry);
		if (l->tell_queued && l->state == LINK_WAITING) {
			l->tell_queued = false;
			m->ops->queued(m->ctx, l->id, why_queued(m));
			/* The callee may have closed any link. */
			next = TAILQ_FIRST(&m->links);
		} else if (l->state == LINK_ENDED) {
			tell_end(l);
			next = TAILQ_FIRST(&m->links);
		}
	}
	listeners_reap(m);
	if (m->stopping && TAILQ_EMPTY(&m->links) &&
	    TAILQ_EMPTY(&m->listeners) && m->lease_phase != LEASE_RUNNING)
		timer_start(m->stop_timer, 0);
}

/* The daemon stops: open links are closed politely, the others end. */
void links_stop(struct modem *m)
{
	struct link *l;

	TAILQ_FOREACH(l, &m->links, entry) {
		if (l->state == LINK_OPEN)
			(void)modem_link_close(m, l->id, false, "daemon-stop");
		else if (l->state != LINK_CLOSING && l->state != LINK_ENDED)
			link_end(l, -ESHUTDOWN, "daemon-stop", "");
	}
	listeners_stop(m);
}

void links_free(struct modem *m)
{
	struct slot *s;

	for (s = m->slots; s < m->slots + DRIVER_LINKS_MAX; s++)
		early_drop(m, s);
	while (!TAILQ_EMPTY(&m->links))
		link_free(TAILQ_FIRST(&m->links));
}

/* ------------------------------------------------------- asked from above */

static struct link *link_alloc(void)
{
	struct link *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->tx = evbuffer_new();
	l->rx = evbuffer_new();
	TAILQ_INIT(&l->tx_cuts);
	TAILQ_INIT(&l->rx_cuts);
	if (l->tx && l->rx)
		return l;
	if (l->tx)
		evbuffer_free(l->tx);
	free(l);

	return NULL;
}

struct link *link_new(struct modem *m, const struct link_args *args)
{
	const struct config_links *cfg = &m->cfg->links;
	struct link *l = link_alloc();

	if (!l)
		return NULL;

	l->modem = m;
	l->never_push = args->never_push;
	l->want_source = args->want_source;
	l->id = ++m->next_id;
	l->epoch = 1;
	l->state = LINK_WAITING;
	l->slot = -1;
	snprintf(l->host, sizeof(l->host), "%s", args->host);
	l->kind = args->kind;
	l->port = args->port;
	l->local_port = args->local_port;
	l->wait_ack = args->wait_ack;
	l->any_port = args->local_port == 0;
	l->restore = args->restore;
	l->idle_timeout_ms = args->idle_timeout_ms ? args->idle_timeout_ms :
			     cfg->idle_timeout_ms;
	l->first_credit = args->has_credit ? args->credit : cfg->credit;
	if (l->first_credit > LINK_CREDIT_MAX)
		l->first_credit = LINK_CREDIT_MAX;
	l->counts.confirmed = -1;
	l->opened_mono_ms = timers_mono_ms(m->timers);
	l->opened_wall_ms = timers_wall_ms(m->timers);
	l->active_ms = l->opened_mono_ms;
	TAILQ_INSERT_TAIL(&m->links, l, entry);

	return l;
}

static bool anybody_waits(const struct modem *m)
{
	const struct link *l;

	TAILQ_FOREACH(l, &m->links, entry) {
		if (l->state == LINK_WAITING && l->slot < 0 &&
		    l->kind != LINK_LEASE)
			return true;
	}

	return false;
}

int modem_link_open(struct modem *m, const struct link_args *args,
		    uint64_t *id)
{
	bool up = network_usable(m) && !m->want_audit;
	bool may_take = up && !anybody_waits(m);
	uint32_t wait_ms = args->wait_ms;
	struct link *l;

	if (m->stopping)
		return -ESHUTDOWN;
	if (!network_usable(m) && args->wait_ms == 0)
		return m->state < MODEM_STARTING ? -ENODEV : -ENETDOWN;

	l = link_new(m, args);
	if (!l)
		return -ENOMEM;
	if ((m->want_audit || accept_passing(m)) && wait_ms < AUDIT_MS)
		wait_ms = AUDIT_MS;	/* nobody knows yet what is free */
	if (wait_ms > 0)
		l->wait_until_ms = timers_mono_ms(m->timers) + wait_ms;
	if (!may_take || !link_take_slot(l)) {
		if (wait_ms == 0) {
			link_free(l);
			return -EMFILE;
		}
		l->tell_queued = true;
		timer_start(m->reaper, 0);
	}
	*id = l->id;
	modem_kick_soon(m);

	return 0;
}

int modem_link_send_to(struct modem *m, uint64_t id, uint32_t epoch,
		       const void *data, size_t len,
		       const struct driver_to *to)
{
	struct link *l = link_find(m, id);
	int err;

	if (!l || l->want_close)
		return -EBADF;
	if (!l->was_open)
		return -EBUSY;
	if (epoch != l->epoch || l->state != LINK_OPEN || l->going_down)
		return -ESTALE;
	if (len > m->cfg->links.window ||
	    evbuffer_get_length(l->tx) > m->cfg->links.window - len)
		return -EAGAIN;
	if (l->kind == LINK_UDP)
		err = datagram_queue(l, data, len, to);
	else if (to)
		err = -EINVAL;
	else
		err = evbuffer_add(l->tx, data, len) ? -ENOMEM : 0;
	if (err)
		return err;

	l->counts.accepted += len;
	l->active_ms = timers_mono_ms(m->timers);
	modem_kick_soon(m);

	return 0;
}

int modem_link_credit(struct modem *m, uint64_t id, uint32_t epoch,
		      uint32_t bytes)
{
	struct link *l = link_find(m, id);

	if (!l)
		return -EBADF;
	if (epoch != l->epoch || l->state == LINK_LOST)
		return -ESTALE;

	l->credit = bytes > LINK_CREDIT_MAX - l->credit ? LINK_CREDIT_MAX :
		    l->credit + bytes;
	modem_kick_soon(m);

	return 0;
}

int modem_link_close(struct modem *m, uint64_t id, bool abort,
		     const char *reason)
{
	struct link *l = link_find(m, id);

	if (!l || (l->want_close && l->abort))
		return -EBADF;
	if (l->state != LINK_OPEN && l->state != LINK_CLOSING) {
		link_end(l, l->was_open ? 0 : -ECANCELED, reason, "");
		return 0;
	}

	if (!l->want_close)
		l->close_by_ms = timers_mono_ms(m->timers) +
				 m->cfg->links.send_timeout_ms;
	l->want_close = true;
	l->abort |= abort;
	if (!l->peer_closed) {
		l->end_err = 0;
		l->end_reason = reason;
	}
	modem_kick_soon(m);

	return 0;
}

void link_fill_info(const struct link *l, struct link_info *info)
{
	*info = (struct link_info){
		.id = l->id,
		.kind = l->kind,
		.listener = l->listener,
		.local_port = l->local_port,
		.slot = l->slot,
		.epoch = l->epoch,
		.state = l->state,
		.host = l->host,
		.port = l->port,
		.counts = l->counts,
		.queued_up = evbuffer_get_length(l->tx),
		.credit = l->credit,
		.opened_wall_ms = l->opened_wall_ms,
		.opened_mono_ms = l->opened_mono_ms,
		.active_mono_ms = l->active_ms,
		.restore = l->restore,
		.readable = l->readable,
		.draining = l->state == LINK_OPEN && l->peer_closed,
	};
}

int modem_link_info(struct modem *m, uint64_t id, struct link_info *out)
{
	struct link *l = link_find(m, id);

	if (!l)
		return -EBADF;
	link_fill_info(l, out);

	return 0;
}

int modem_link_next(struct modem *m, uint64_t after, struct link_info *out)
{
	struct link *l;

	TAILQ_FOREACH(l, &m->links, entry) {
		if (l->id > after && l->state != LINK_ENDED) {
			link_fill_info(l, out);
			return 0;
		}
	}

	return -ENOENT;
}
