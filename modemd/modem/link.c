/* SPDX-License-Identifier: MIT */

/*
 * One link: its states, its slot, and how it ends. What has ended is told and
 * freed when the loop is at rest, never under its caller (links.c).
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

static void link_dispose(struct link *l)
{
	evbuffer_free(l->tx);
	evbuffer_free(l->rx);
	cuts_free(&l->tx_cuts);
	cuts_free(&l->rx_cuts);
	link_forget_options(l);
	free(l);
}

struct link *link_new(struct modem *m, const struct link_args *args)
{
	const struct config_links *cfg = &m->cfg->links;
	struct link *l = link_alloc();

	if (!l)
		return NULL;

	if (link_keep_options(l, args)) {
		link_dispose(l);
		return NULL;
	}
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

void link_free(struct link *l)
{
	TAILQ_REMOVE(&l->modem->links, l, entry);
	link_dispose(l);
}

/* ------------------------------------------------------------------- slots */

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

/* A slot is free, but only for accepted connections. */
bool link_slots_are_kept(const struct modem *m)
{
	return free_slots(m) > 0 && kept_free(m) > 0;
}

/* What its slot has under way goes on without the link. */
void link_release_slot(struct link *l)
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
	link_release_slot(l);
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

void link_fill_info(const struct link *l, struct link_info *info)
{
	*info = (struct link_info){
		.id = l->id,
		.kind = l->kind,
		.tls = l->tls != NULL,
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
	link_release_slot(l);
	link_set_state(l, LINK_LOST);
	wait_for_restore(l);
	if (was_up)
		m->ops->lost(m->ctx, l->id, &how);
	set_end(l, 0, "", "");
	modem_kick_soon(m);
}
