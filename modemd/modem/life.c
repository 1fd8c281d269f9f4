/* SPDX-License-Identifier: MIT */

/*
 * From power to an open network, and back there after every fault:
 *
 *   no-device, port-busy -> silent -> starting -> sim -> registering -> ready
 *
 * and, once ready, the network: closed -> opening -> open -> lost -> open.
 * A stage that fails is tried again with backoff; what the modem says about
 * registration or SIM cuts the waiting short. Nothing here ever gives up.
 */

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at/channel.h"
#include "at/trace.h"
#include "base/config.h"
#include "base/log.h"
#include "base/state.h"
#include "base/timer.h"
#include "modem/private.h"
#include "port/port.h"

#define DEVICE_MS	1000	/* how often to look for a missing device */
#define TRY_MS		400	/* for an OK, when nobody knows the rate */
#define TRIES		3
#define SILENT_TRY_MS	1000
#define RESTART_WAIT_MS	5000	/* until the banner of a wanted restart */
#define ANEW_MS		100	/* it may be answering what it echoed */
#define LEASE_KEY	"lease"	/* "1": the modem may be in data mode */

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

static void retry_later(struct modem *m)
{
	const struct config_recovery *r = &m->cfg->recovery;

	timer_start(m->retry, backoff_next(&m->backoff, m->timers,
					   r->backoff_min_ms,
					   r->backoff_max_ms));
}

/* ------------------------------------------------------- port and its rate */

static void add_baud(struct modem *m, unsigned int baud)
{
	unsigned int i;

	for (i = 0; i < m->baud_count; i++) {
		if (m->bauds[i] == baud)
			return;
	}
	if (baud > 0 && m->baud_count < MODEM_BAUDS)
		m->bauds[m->baud_count++] = baud;
}

/* The rates to try, the likeliest first. */
void life_init(struct modem *m)
{
	const char *last = state_get(m->store, "baud");

	add_baud(m, m->cfg->modem.baud);
	if (last)
		add_baud(m, (unsigned int)strtoul(last, NULL, 10));
	add_baud(m, m->cfg->modem.target_baud);
	add_baud(m, 115200);
	add_baud(m, 9600);
	add_baud(m, 921600);
	at_channel_set_max_silence(m->channel, m->cfg->recovery.max_silence);
}

static void start_sync(struct modem *m, unsigned int tries, uint32_t wait_ms)
{
	m->syncing = true;
	at_channel_sync(m->channel, tries, wait_ms, m->driver->max_send);
}

/* A lease began and its end was not seen, by this run or the one before. */
static bool may_be_in_data_mode(const struct modem *m)
{
	const char *lease = state_get(m->store, LEASE_KEY);

	return lease && strcmp(lease, "1") == 0;
}

static void note_lease(struct modem *m, const char *value)
{
	if (may_be_in_data_mode(m) == (value[0] == '1'))
		return;
	if (state_set(m->store, LEASE_KEY, value))
		log_warn("state: cannot keep that there is a lease");
}

/* At this rate; every second round also after somebody else's session. */
static void look_for_modem(struct modem *m, unsigned int tries,
			   uint32_t wait_ms)
{
	if (!may_be_in_data_mode(m) && m->rounds % 2 == 0) {
		start_sync(m, tries, wait_ms);
		return;
	}
	m->syncing = true;
	at_channel_escape(m->channel, tries, wait_ms);
}

static void try_baud(struct modem *m)
{
	struct port *port = at_channel_port(m->channel);
	unsigned int baud = m->bauds[m->baud_index];

	port_flush(port);	/* first: what is unwritten keeps the rate */
	if (port_set_baud(port, baud))
		log_warn("port: cannot be set to %u baud", baud);
	look_for_modem(m, TRIES, TRY_MS);
}

static void open_port(struct modem *m)
{
	struct port *port = at_channel_port(m->channel);
	int err;

	speak_anew(m);
	m->baud_index = 0;
	err = port_open(port, m->bauds[0]);
	if (!err) {
		life_set_state(m, MODEM_STARTING, "asking for an answer");
		m->rounds = 0;
		look_for_modem(m, TRIES, TRY_MS);
		return;
	}
	if (err == -EBUSY) {
		life_set_state(m, MODEM_PORT_BUSY, port_reason(port));
		retry_later(m);
		return;
	}
	life_set_state(m, MODEM_NO_DEVICE, port_reason(port));
	if (err == -ENOENT || err == -ENODEV || err == -ENXIO)
		timer_start(m->retry, DEVICE_MS);
	else
		retry_later(m);
}

static void note_baud(struct modem *m)
{
	unsigned int baud = port_baud(at_channel_port(m->channel));
	char text[16];

	snprintf(text, sizeof(text), "%u", baud);
	if (state_get(m->store, "baud") &&
	    strcmp(state_get(m->store, "baud"), text) == 0)
		return;
	if (baud != m->cfg->modem.baud)
		log_info("modem: answers at %s baud", text);
	if (state_set(m->store, "baud", text))
		log_warn("state: cannot keep the rate");
}

/* Before: it said OK to the target rate. */
static void raise_baud(struct modem *m)
{
	m->raising = true;
	(void)port_set_baud(at_channel_port(m->channel),
			    m->cfg->modem.target_baud);
	start_sync(m, TRIES, TRY_MS);
}

/* Silence at the target rate: back to where it answered, and stay there. */
static void lower_baud(struct modem *m)
{
	m->raising = false;
	m->rate_refused = true;
	log_warn("modem: does not answer at %u baud, stays at %u",
		 m->cfg->modem.target_baud, m->bauds[m->baud_index]);
	try_baud(m);
}

static bool wants_raise(const struct modem *m)
{
	unsigned int target = m->cfg->modem.target_baud;

	return target > 0 && !m->rate_refused &&
	       port_baud(at_channel_port(m->channel)) != target;
}

void life_silent(struct modem *m)
{
	char reason[160];

	m->syncing = false;
	if (m->raising) {
		lower_baud(m);
		return;
	}
	restart_went_down(m, m->restarting ? 0 : -ENODEV);
	if (m->state > MODEM_STARTING) {	/* it answered before */
		links_lost(m, -ENODEV, "modem-gone", false);
		m->driver->reset(m->d, true);
		queries_fail(m, -ENODEV);
		life_set_network(m, m->network == NETWORK_CLOSED ?
				 NETWORK_CLOSED : NETWORK_LOST, "the modem does not answer");
		life_set_state(m, MODEM_STARTING, "it stopped answering");
		m->staging = false;
		m->baud_index = 0;
		m->rounds = 0;
		speak_anew(m);
		try_baud(m);
		return;
	}
	speak_anew(m);
	if (++m->baud_index < m->baud_count) {
		try_baud(m);
		return;
	}

	snprintf(reason, sizeof(reason), "no answer at %u or %u other rates: "
		 "is it powered, and is this its AT port?", m->bauds[0],
		 m->baud_count - 1);
	queries_fail(m, -ENODEV);
	m->rounds++;
	life_set_state(m, MODEM_SILENT, reason);
	retry_later(m);
}

void life_port_lost(struct modem *m, int err)
{
	char reason[96];

	m->syncing = false;
	m->staging = false;
	m->have_stage = false;
	snprintf(reason, sizeof(reason), "the device went away (%s)",
		 strerror(-err));
	links_lost(m, -ENODEV, "modem-gone", false);
	m->driver->reset(m->d, true);
	queries_fail(m, -ENODEV);
	life_set_network(m, m->network == NETWORK_CLOSED ?
			 NETWORK_CLOSED : NETWORK_LOST, reason);
	life_set_state(m, MODEM_NO_DEVICE, reason);
	backoff_reset(&m->backoff);
	restart_went_down(m, m->restarting ? 0 : -ENODEV);
	timer_start(m->retry, DEVICE_MS / 4);
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
	note_lease(m, "0");
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
		if (stage == DRIVER_REGISTER)
			m->no_service_ms = timers_mono_ms(m->timers);
		life_set_state(m, stage_state[stage], text);
	}
	/* life_want_stage() after the timer runs: life_step() waits for it. */
	retry_later(m);
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
		life_want_stage(m, wants_raise(m) ? DRIVER_RATE : DRIVER_SIM);
		break;
	case DRIVER_RATE:
		if (err)
			life_want_stage(m, DRIVER_SIM);
		else
			raise_baud(m);
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

/* The channel and the modem mean the same line again. */
void life_synced(struct modem *m)
{
	m->syncing = false;
	m->raising = false;
	restart_went_down(m, 0);
	m->no_confirmed = false;
	m->rounds = 0;
	note_baud(m);
	life_set_state(m, MODEM_STARTING, "");
	backoff_reset(&m->backoff);
	timer_stop(m->retry);
	life_want_stage(m, DRIVER_IDENTIFY);
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
	note_lease(m, "1");
	life_set_network(m, NETWORK_CLOSED,
			 "an exclusive session has the modem");
}

void life_unleased(struct modem *m, bool sure)
{
	if (sure)
		note_lease(m, "0");
	backoff_reset(&m->backoff);
	life_want_stage(m, DRIVER_NET_CLOSE);
}

/* In a session an echo may be the peer's. */
static void look_again(struct modem *m)
{
	look_for_modem(m, m->cfg->recovery.max_silence, SILENT_TRY_MS);
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
	if (!speak_may_change(m)) {
		look_again(m);
		return;
	}
	/* The driver may be what tells this: it goes when it has done so. */
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
		open_port(m);
		break;
	case MODEM_SILENT:
		m->baud_index = 0;
		try_baud(m);
		break;
	case MODEM_STARTING:
		if (m->speak_anew) {
			speak_anew(m);
			look_again(m);
		} else if (m->restarting) {
			speak_anew(m);
			start_sync(m, m->cfg->recovery.max_silence,
				   SILENT_TRY_MS);
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
	open_port(m);
}

void modem_try_now(struct modem *m)
{
	backoff_reset(&m->backoff);
	if (timer_pending(m->retry))
		timer_start(m->retry, 0);
}
