/* SPDX-License-Identifier: MIT */

/*
 * From power to an open network, and back there after every fault:
 *
 *   no-device, port-busy -> silent -> starting -> sim -> registering -> ready
 *
 * and, once ready, the network: closed -> opening -> open -> lost -> open.
 * A stage that fails is tried again with backoff; what the modem says about
 * registration or SIM cuts the waiting short. Nothing here ever gives up.
 * Up to starting, the modem is looked for: find.c.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "at/channel.h"
#include "base/config.h"
#include "base/log.h"
#include "base/timer.h"
#include "modem/private.h"

#define RESTART_WAIT_MS	5000	/* until the banner of a wanted restart */
#define ANEW_MS		100	/* it may be answering what it echoed */

static void set_times(struct modem *m, int64_t *wall, int64_t *mono)
{
	*wall = timers_wall_ms(m->timers);
	*mono = timers_mono_ms(m->timers);
}

/* The one place where the modem changes its state. */
void life_set_state(struct modem *m, enum modem_state to, const char *reason)
{
	struct modem_status st;
	bool same = m->state == to;

	m->reason_waits = false;
	if (same && strcmp(m->reason, reason) == 0)
		return;

	snprintf(m->reason, sizeof(m->reason), "%s", reason);
	if (!same) {
		m->state = to;
		set_times(m, &m->since_wall_ms, &m->since_mono_ms);
	}
	steps_note(m);
	modem_get_status(m, &st);
	log_info("modem: %s%s%s", st.state_name, reason[0] ? ": " : "",
		 reason);
	m->ops->modem_changed(m->ctx);
}

/* The one place where the network changes its state. Closed by an admin, it
 * is closed, whatever else happens to the modem. */
void life_set_network(struct modem *m, enum network_state to,
		      const char *reason)
{
	struct modem_status st;
	bool same;

	if (m->net_down && to != NETWORK_OPEN) {
		to = NETWORK_CLOSED;
		reason = m->net_text;
	}
	same = m->network == to;
	if (same && strcmp(m->network_reason, reason) == 0)
		return;

	snprintf(m->network_reason, sizeof(m->network_reason), "%s", reason);
	if (m->network == NETWORK_OPEN && to == NETWORK_LOST) {
		m->losses++;
		m->loss_mono_ms = timers_mono_ms(m->timers);
		snprintf(m->loss_text, sizeof(m->loss_text), "%s", reason);
	}
	if (!same) {
		m->network = to;
		set_times(m, &m->network_since_wall_ms,
			  &m->network_since_mono_ms);
	}
	steps_note(m);
	modem_get_status(m, &st);
	log_info("network: %s%s%s", st.network_name, reason[0] ? ": " : "",
		 reason);
	m->ops->network_changed(m->ctx);
}

void life_retry_later(struct modem *m)
{
	const struct config_recovery *r = &m->cfg->recovery;

	timer_start(m->retry, backoff_next(&m->backoff, m->timers,
					   r->backoff_min_ms,
					   r->backoff_max_ms));
}

/* ------------------------------------------------------------------ stages */

void life_want_stage(struct modem *m, enum driver_stage stage)
{
	m->have_stage = true;
	m->next_stage = stage;
	modem_kick_soon(m);
}

static const enum modem_state stage_state[DRIVER_STAGES] = {
	[DRIVER_IDENTIFY]	= MODEM_STARTING,
	[DRIVER_RATE]		= MODEM_STARTING,
	[DRIVER_SIM]		= MODEM_SIM,
	[DRIVER_REGISTER]	= MODEM_REGISTERING,
	[DRIVER_NET_OPEN]	= MODEM_READY,
	[DRIVER_NET_CLOSE]	= MODEM_READY,
	[DRIVER_CONTEXTS]	= MODEM_READY,
	[DRIVER_CHECK]		= MODEM_READY,
};

/* Starts the stage that is due, unless its time has not come. True: did. */
bool life_step(struct modem *m)
{
	if (!m->have_stage || timer_pending(m->retry) || m->stopping)
		return false;
	if (m->driver->stage(m->d, m->next_stage))
		return false;

	m->have_stage = false;
	m->staging = true;
	/* A reason from the try before stays until this one is decided. */
	if (m->state != stage_state[m->next_stage])
		life_set_state(m, stage_state[m->next_stage], "");
	if (m->next_stage == DRIVER_NET_OPEN && m->network == NETWORK_CLOSED)
		life_set_network(m, NETWORK_OPENING, "");

	return true;
}

static void network_is_open(struct modem *m)
{
	backoff_reset(&m->backoff);
	m->net_fails = 0;
	m->contexts_done = false;
	m->ladder_restarts = 0;
	audit_want(m);
	names_forget(m);
	find_note_lease(m, "0");
	m->wait_ack = false;	/* as the stage has left it */
	firmware_recall(m);
	receive_reset(m);
	modem_list_capabilities(m);
	m->heard_ms = timers_mono_ms(m->timers);
	life_set_state(m, MODEM_READY, "");
	life_set_network(m, NETWORK_OPEN, "");
	modem_kick_soon(m);
}

static void stage_failed(struct modem *m, enum driver_stage stage,
			 const char *text)
{
	enum driver_stage again = stage;

	if (stage == DRIVER_NET_OPEN) {
		m->net_fails++;
		life_set_network(m, m->network == NETWORK_LOST ? NETWORK_LOST :
			    NETWORK_CLOSED, text);
		again = DRIVER_NET_CLOSE;
	} else {
		if (stage == DRIVER_IDENTIFY)
			speak_fails(m);
		if (stage == DRIVER_REGISTER)
			m->no_service_ms = timers_mono_ms(m->timers);
		life_set_state(m, stage_state[stage], text);
	}
	/* life_want_stage() after the timer runs: life_step() waits for it. */
	life_retry_later(m);
	life_want_stage(m, again);
}

void life_staged(struct modem *m, enum driver_stage stage, int err,
		 const char *text)
{
	if (!m->staging)
		return;

	m->staging = false;
	m->again_ms = 0;
	m->rate_refused |= err && stage == DRIVER_RATE;
	if (err && stage != DRIVER_NET_CLOSE && stage != DRIVER_RATE &&
	    stage != DRIVER_CONTEXTS && stage != DRIVER_CHECK) {
		stage_failed(m, stage, text);
		return;
	}
	switch (stage) {
	case DRIVER_IDENTIFY:
		life_want_stage(m, find_wants_raise(m) ? DRIVER_RATE :
				DRIVER_SIM);
		break;
	case DRIVER_RATE:
		if (err)
			life_want_stage(m, DRIVER_SIM);
		else
			find_raise(m);
		break;
	case DRIVER_SIM:
		life_want_stage(m, DRIVER_REGISTER);
		break;
	case DRIVER_NET_CLOSE:
		network_closed(m, err, text);
		break;
	case DRIVER_CONTEXTS:
		network_contexts_done(m, text);
		break;
	case DRIVER_REGISTER:
		life_want_stage(m, m->net_down ? DRIVER_NET_CLOSE :
				DRIVER_NET_OPEN);
		break;
	case DRIVER_NET_OPEN:
		if (m->net_down)
			life_want_stage(m, DRIVER_NET_CLOSE);
		else
			network_is_open(m);
		break;
	case DRIVER_CHECK:
		check_done(m, err, text);
		break;
	case DRIVER_STAGES:
		break;
	}
	if (m->want_check) {
		m->want_check = false;
		modem_check(m, "asked for meanwhile");
	}
	steps_note(m);
	m->ops->modem_changed(m->ctx);
}

/* What the stage asks for is not there yet. */
void life_waiting(struct modem *m, const char *text, uint32_t again_ms)
{
	m->again_ms = timers_mono_ms(m->timers) + again_ms;
	if (m->state == MODEM_REGISTERING)
		m->no_service_ms = timers_mono_ms(m->timers);
	if (m->state == MODEM_READY)	/* NETCLOSE, or a check: no news */
		return;
	life_set_state(m, m->state, text);
	m->reason_waits = true;
}

/* ------------------------------------------------------------------ faults */

void life_network_lost(struct modem *m, const char *text)
{
	char why[sizeof(m->network_reason)];

	if (m->network != NETWORK_OPEN)
		return;

	/* The text may be the driver's, which forgets it in its reset. */
	snprintf(why, sizeof(why), "%s", text);

	/* The links first: what the driver then ends is nobody's any more. */
	links_lost(m, -ENETRESET, "network-lost", false);
	m->driver->reset(m->d, false);
	queries_fail(m, -ENETDOWN);
	backoff_reset(&m->backoff);
	m->no_service_ms = timers_mono_ms(m->timers);
	life_set_network(m, NETWORK_LOST, why);
	life_want_stage(m, DRIVER_NET_CLOSE);
}

/* Whatever it knew, it knows no more. */
static void forget_modem(struct modem *m, const char *reason)
{
	m->staging = false;
	m->have_stage = false;
	timer_stop(m->retry);
	links_lost(m, -ENODEV, "modem-restarted", false);
	m->driver->reset(m->d, true);
	queries_fail(m, -ENODEV);
	m->net_fails = 0;
	m->contexts_done = false;
	life_set_network(m, m->network == NETWORK_OPEN ||
			 m->network == NETWORK_LOST ? NETWORK_LOST :
			 NETWORK_CLOSED, reason);
	life_set_state(m, MODEM_STARTING, reason);
}

/* It said OK to a restart: a banner tells that it has come back, and where
 * there is none it is asked after a while. */
void life_restarting(struct modem *m, const char *reason)
{
	forget_modem(m, reason);
	at_channel_reset(m->channel);
	timer_start(m->retry, RESTART_WAIT_MS);
}

/* Before: the line is the session's. */
void life_leased(struct modem *m)
{
	find_note_lease(m, "1");
	life_set_network(m, NETWORK_CLOSED,
			 "an exclusive session has the modem");
}

void life_unleased(struct modem *m, bool sure)
{
	if (sure)
		find_note_lease(m, "0");
	backoff_reset(&m->backoff);
	life_want_stage(m, DRIVER_NET_CLOSE);
}

/* A banner, or an echo that had been switched off. */
void life_rebooted(struct modem *m, const char *text)
{
	if (m->state == MODEM_STOPPED || m->state == MODEM_NO_DEVICE ||
	    m->state == MODEM_PORT_BUSY)
		return;

	if (m->restart_asked || m->restarting) {
		log_info("modem: has restarted, as asked (%s)", text);
	} else if (m->state > MODEM_STARTING) {
		m->restarts++;
		log_warn("modem: has restarted by itself (%s)", text);
	}
	restart_went_down(m, 0);
	forget_modem(m, "the modem restarted");
	/* It may still answer what it was asked before; and the driver that
	 * tells this may have to go, which it cannot yet. */
	at_channel_reset(m->channel);
	m->speak_anew = true;
	timer_start(m->retry, ANEW_MS);
}

/* Something changed for the better: no need to wait any longer. */
void life_hopeful(struct modem *m, const char *text)
{
	if (!timer_pending(m->retry) || m->state < MODEM_STARTING)
		return;

	log_debug("modem: tries at once: %s", text);
	modem_try_now(m);
}

void life_retry(void *ctx)
{
	struct modem *m = ctx;

	switch (m->state) {
	case MODEM_NO_DEVICE:
	case MODEM_PORT_BUSY:
		find_port(m);
		break;
	case MODEM_SILENT:
		find_rate(m);
		break;
	case MODEM_STARTING:
		if (m->speak_anew) {
			speak_anew(m);
			find_restarted(m);
		} else if (m->restarting) {
			speak_anew(m);
			find_restarting(m);
		}
		modem_kick(m);
		break;
	case MODEM_STOPPED:
	case MODEM_SIM:
	case MODEM_REGISTERING:
	case MODEM_READY:
		modem_kick(m);
		break;
	}
}

void life_start(struct modem *m)
{
	m->state = MODEM_NO_DEVICE;
	set_times(m, &m->network_since_wall_ms, &m->network_since_mono_ms);
	find_port(m);
}

void modem_try_now(struct modem *m)
{
	backoff_reset(&m->backoff);
	if (timer_pending(m->retry))
		timer_start(m->retry, 0);
}
