/* SPDX-License-Identifier: MIT */

/*
 * Finding the modem: its device is opened, and every likely rate is tried
 * until it answers; then the rate is raised, where that is wanted. Where it
 * answers, and whether a session may still have it, is kept in the state file.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at/channel.h"
#include "base/config.h"
#include "base/log.h"
#include "base/state.h"
#include "base/timer.h"
#include "modem/private.h"
#include "port/port.h"

#define DEVICE_MS	1000	/* how often to look for a missing device */
#define TRY_MS		400	/* for an OK, when nobody knows the rate */
#define TRIES		3
#define SILENT_TRY_MS	1000	/* the same, at a rate that is known */
#define LEASE_KEY	"lease"	/* "1": the modem may be in data mode */

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
void find_init(struct modem *m)
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

void find_note_lease(struct modem *m, const char *value)
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

/* From the likeliest rate on. */
void find_rate(struct modem *m)
{
	m->baud_index = 0;
	try_baud(m);
}

/* It said OK to a restart: asked at the same rate until it is back. */
void find_restarting(struct modem *m)
{
	start_sync(m, m->cfg->recovery.max_silence, SILENT_TRY_MS);
}

/* Its banner was heard, or an echo, which in a session may be the peer's. */
void find_restarted(struct modem *m)
{
	look_for_modem(m, m->cfg->recovery.max_silence, SILENT_TRY_MS);
}

void find_port(struct modem *m)
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
		life_retry_later(m);
		return;
	}
	life_set_state(m, MODEM_NO_DEVICE, port_reason(port));
	if (err == -ENOENT || err == -ENODEV || err == -ENXIO)
		timer_start(m->retry, DEVICE_MS);
	else
		life_retry_later(m);
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
void find_raise(struct modem *m)
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

bool find_wants_raise(const struct modem *m)
{
	unsigned int target = m->cfg->modem.target_baud;

	return target > 0 && !m->rate_refused &&
	       port_baud(at_channel_port(m->channel)) != target;
}

/* The channel and the modem mean the same line again. */
void find_synced(struct modem *m)
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

void find_silent(struct modem *m)
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
				 NETWORK_CLOSED : NETWORK_LOST,
				 "the modem does not answer");
		life_set_state(m, MODEM_STARTING, "it stopped answering");
		m->staging = false;
		m->rounds = 0;
		speak_anew(m);
		find_rate(m);
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
	life_retry_later(m);
}

void find_port_lost(struct modem *m, int err)
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
