/* SPDX-License-Identifier: MIT */

/*
 * What admins decide, network up and down and a restart; and the ladder for
 * a network that does not open:
 *
 *   NETCLOSE and NETOPEN, with backoff; after NET_FAILS of them
 *   a look at the contexts, where those that are not ours are deleted; then
 *   a restart by command, at most one in RESTART_MS, and more and more rarely.
 *
 * Power is the last step and not here: nobody cuts it without being asked to.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "at/channel.h"
#include "base/config.h"
#include "base/log.h"
#include "base/timer.h"
#include "modem/private.h"

#define NET_FAILS	5
#define RESTART_MS	600000
#define RESTART_DOUBLE	3	/* at most 80 min */
/* A network that is away for a moment comes back by itself, and a restart
 * then makes it longer. */
#define SERVICE_MS	45000

/* --------------------------------------------------------------- up, down */

bool network_usable(const struct modem *m)
{
	return m->network == NETWORK_OPEN && !m->net_down;
}

/* It is said to be closed when NETOPEN? says so: the links first. */
static void begin_down(struct modem *m)
{
	char text[sizeof(m->net_text) + 16];
	struct link *l;

	m->down_by_ms = timers_mono_ms(m->timers) +
			m->cfg->recovery.stop_timeout_ms;
	TAILQ_FOREACH(l, &m->links, entry) {
		l->close_by_ms = m->down_by_ms;
		if (l->state == LINK_OPEN)
			l->going_down = !l->want_close;
		else if (l->state == LINK_OPENING)
			link_lose(l, -ENETDOWN, "network-down", "");
	}
	snprintf(text, sizeof(text), "being %s", m->net_text);
	life_set_network(m, NETWORK_OPEN, text);
	modem_kick_soon(m);
}

static bool opens_now(const struct modem *m)
{
	return m->staging && m->next_stage == DRIVER_NET_OPEN;
}

static void go_down(struct modem *m)
{
	m->net_up_after = false;
	if (m->net_down)
		return;

	m->net_down = true;
	log_info("network: is to be %s", m->net_text);
	if (m->network == NETWORK_OPEN) {
		begin_down(m);
	} else if (!opens_now(m)) {
		/* What the modem thinks of it is asked on its way up. */
		life_set_network(m, NETWORK_CLOSED, m->net_text);
		modem_try_now(m);
	}
}

static void come_up(struct modem *m)
{
	m->net_down = false;
	m->net_up_after = false;
	log_info("network: is opened again");
	if (m->network == NETWORK_CLOSED)
		life_set_network(m, NETWORK_CLOSED, "");
	backoff_reset(&m->backoff);
	if (m->state == MODEM_READY && !m->staging && !m->have_stage) {
		timer_stop(m->retry);
		life_want_stage(m, DRIVER_REGISTER);
	}
	modem_try_now(m);
}

static void go_up(struct modem *m)
{
	if (!m->net_down)
		modem_try_now(m);
	else if (m->network == NETWORK_OPEN)
		m->net_up_after = true;		/* on its way down */
	else
		come_up(m);
}

/* Runs from the loop: what is told of it must not come within the asking. */
void network_wish(struct modem *m)
{
	bool up = m->net_wish == WISH_UP;

	if (m->net_wish == WISH_NONE)
		return;
	m->net_wish = WISH_NONE;
	if (up)
		go_up(m);
	else
		go_down(m);
}

int modem_network(struct modem *m, bool up, const char *who)
{
	bool is_open = m->network == NETWORK_OPEN && !m->net_down;
	bool is_down = m->net_down && m->network == NETWORK_CLOSED;

	if (m->net_wish == WISH_NONE && (up ? is_open : is_down))
		return -EALREADY;

	if (!up)
		snprintf(m->net_text, sizeof(m->net_text),
			 "closed by %s (modemctl network down)", who);
	m->net_wish = up ? WISH_UP : WISH_DOWN;
	modem_kick_soon(m);

	return 0;
}

static bool links_leave(const struct modem *m)
{
	const struct slot *s;

	for (s = m->slots; s < m->slots + m->driver->max_links; s++) {
		if (s->closing || s->must_close ||
		    (s->link && (s->link->state == LINK_OPEN ||
				 s->link->state == LINK_CLOSING)))
			return true;
	}

	return false;
}

/* Nothing else goes over the line while it is going down. */
bool network_down_step(struct modem *m)
{
	if (m->have_stage || m->staging)
		return false;
	if (links_leave(m) && timers_mono_ms(m->timers) < m->down_by_ms)
		return false;

	links_lost(m, -ENETDOWN, "network-down", false);
	m->driver->reset(m->d, false);
	queries_fail(m, -ENETDOWN);
	life_want_stage(m, DRIVER_NET_CLOSE);

	return false;
}

/* ------------------------------------------------------------- the ladder */

static bool restart_is_due(const struct modem *m)
{
	int64_t now = timers_mono_ms(m->timers);

	return m->contexts_done && m->net_fails > NET_FAILS &&
	       now >= m->restart_after_ms &&
	       (!m->no_service_ms || now >= m->no_service_ms + SERVICE_MS);
}

/* What is tried next, for people. */
const char *network_ladder(const struct modem *m)
{
	if (!(m->driver->caps & DRIVER_CAP_SIM))
		return restart_is_due(m) ? "a restart of the modem" :
		       "it is closed, and opened again";
	if (m->net_fails < NET_FAILS)
		return "NETCLOSE, then NETOPEN";
	if (!m->contexts_done)
		return "a look at the contexts, then NETOPEN";

	return restart_is_due(m) ? "a restart of the modem" :
	       "NETOPEN; a restart of the modem when the last is long ago";
}

static void restart_by_ladder(struct modem *m)
{
	unsigned int doubled = m->ladder_restarts < RESTART_DOUBLE ?
			       m->ladder_restarts : RESTART_DOUBLE;

	snprintf(m->restart_text, sizeof(m->restart_text),
		 "restarted by modemd: NETOPEN failed %u times in a row",
		 m->net_fails);
	log_warn("modem: is to be %s", m->restart_text);
	m->restart_after_ms = timers_mono_ms(m->timers) +
			      ((int64_t)RESTART_MS << doubled);
	m->ladder_restarts++;
	m->want_restart = true;
}

static void next_after_close(struct modem *m)
{
	char text[160];

	if (m->net_fails >= NET_FAILS && !m->contexts_done) {
		snprintf(text, sizeof(text), "NETOPEN failed %u times in a "
			 "row: looking at the contexts", m->net_fails);
		life_set_network(m, m->network, text);
		life_want_stage(m, DRIVER_CONTEXTS);
		return;
	}
	if (restart_is_due(m))
		restart_by_ladder(m);
	life_want_stage(m, DRIVER_REGISTER);
}

void network_contexts_done(struct modem *m, const char *text)
{
	m->contexts_done = true;
	if (text[0]) {
		log_info("network: %s", text);
		life_set_network(m, m->network, text);
	}
	life_want_stage(m, DRIVER_REGISTER);
}

static void close_failed(struct modem *m, int err, const char *text)
{
	char reason[sizeof(m->network_reason)];

	if (m->network == NETWORK_OPEN) {
		snprintf(reason, sizeof(reason), "cannot be closed: %s",
			 text[0] ? text : strerror(-err));
		life_set_network(m, NETWORK_OPEN, reason);
	}
	timer_start(m->retry, backoff_next(&m->backoff, m->timers,
					   m->cfg->recovery.backoff_min_ms,
					   m->cfg->recovery.backoff_max_ms));
	life_want_stage(m, DRIVER_NET_CLOSE);
}

/* The stage NET_CLOSE has ended. On the way to NETOPEN its failure does not
 * matter: NETOPEN will say. */
void network_closed(struct modem *m, int err, const char *text)
{
	if (!m->net_down) {
		next_after_close(m);
	} else if (err) {
		close_failed(m, err, text);
	} else {
		backoff_reset(&m->backoff);
		life_set_state(m, MODEM_READY, "");
		life_set_network(m, NETWORK_CLOSED, m->net_text);
		if (m->net_up_after)
			come_up(m);
		/* where it was closed before, nothing above is news: */
		modem_kick_soon(m);	/* questions may wait */
	}
}

/* ---------------------------------------------------------------- restart */

int modem_reset(struct modem *m, bool hard, const char *who)
{
	if (hard)
		return -EOPNOTSUPP;
	if (m->state < MODEM_STARTING || m->stopping ||
	    (m->syncing && !m->restarting))
		return -ENODEV;

	m->restart_told = true;
	if (m->want_restart || m->restart_asked || m->restarting)
		return 0;
	snprintf(m->restart_text, sizeof(m->restart_text),
		 "restarted by %s (modemctl reset)", who);
	m->want_restart = true;
	modem_kick_soon(m);

	return 0;
}

/* True: the command is out. */
bool restart_step(struct modem *m)
{
	static const struct driver_query_args none = { .text = "" };
	int err;

	if (!m->want_restart)
		return false;

	err = m->driver->query(m->d, RESTART_QUERY, DRIVER_Q_RESTART, &none);
	if (err == -EBUSY)
		return false;
	m->want_restart = false;
	m->restart_asked = !err;
	if (err)
		restart_went_down(m, err);

	return !err;
}

static void tell_restarted(struct modem *m, int err, const char *text)
{
	m->want_restart = false;
	m->restart_asked = false;
	m->restarting = false;
	if (!m->restart_told)
		return;
	m->restart_told = false;
	m->ops->restarted(m->ctx, err, text);
}

void restart_answered(struct modem *m, int err, const char *text)
{
	if (!m->restart_asked)
		return;

	m->restart_asked = false;
	/* It may go down before its OK is out. */
	if (!err || err == -ETIMEDOUT) {
		m->restarting = true;
		life_restarting(m, m->restart_text);
		return;
	}
	log_warn("modem: does not restart by command: %s", text);
	tell_restarted(m, err, text);
	steps_note(m);
}

/* Banner or silence: it went down, as somebody wished, or without that. */
void restart_went_down(struct modem *m, int err)
{
	if (m->want_restart || m->restart_asked || m->restarting)
		tell_restarted(m, err, err ? strerror(-err) : "");
}
