/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdlib.h>

#include "at/channel.h"
#include "base/config.h"
#include "base/log.h"
#include "base/timer.h"
#include "modem/private.h"
#include "port/port.h"

#define SIGNAL_OLD_MS	30000

/* ------------------------------------------------------ from the channel */

static void on_urc(void *ctx, const struct at_line *line)
{
	struct modem *m = ctx;

	m->driver->line(m->d, line);
}

static void on_data(void *ctx, const uint8_t *data, size_t len, bool last)
{
	struct modem *m = ctx;

	m->driver->data(m->d, data, len, last);
}

static void on_idle(void *ctx)
{
	struct modem *m = ctx;

	m->heard_ms = timers_mono_ms(m->timers);
	if (m->syncing)
		find_synced(m);
	audit_look_at_line(m);
	modem_kick(m);
}

static void on_silent(void *ctx)
{
	find_silent(ctx);
}

static void on_echoed(void *ctx)
{
	life_rebooted(ctx, "its echo is on again");
}

static void on_lost(void *ctx, int err)
{
	find_port_lost(ctx, err);
}

static const struct at_channel_ops channel_ops = {
	.urc	= on_urc,
	.data	= on_data,
	.idle	= on_idle,
	.silent	= on_silent,
	.echoed	= on_echoed,
	.lost	= on_lost,
};

/* ---------------------------------------------------------------- its life */

/* All links have ended, or the time for their ending is over. */
static void on_stop(void *ctx)
{
	struct modem *m = ctx;

	if (m->state == MODEM_STOPPED)
		return;
	m->state = MODEM_STOPPED;
	links_lost(m, -ESHUTDOWN, "daemon-stop", true);
	links_reap(m);
	port_close(at_channel_port(m->channel));
	at_channel_reset(m->channel);
	m->ops->stopped(m->ctx);
}

static int make_parts(struct modem *m)
{
	int err;

	m->retry = timer_new(m->timers, life_retry, m);
	m->reaper = timer_new(m->timers, links_reap, m);
	m->kick = timer_new(m->timers, schedule_kick, m);
	m->due = timer_new(m->timers, due_now, m);
	m->lease_timer = timer_new(m->timers, lease_expired, m);
	m->stop_timer = timer_new(m->timers, on_stop, m);
	if (!m->retry || !m->reaper || !m->kick || !m->due || !m->stop_timer ||
	    !m->lease_timer)
		return -ENOMEM;
	err = at_channel_new(m->timers, &m->cfg->modem, &channel_ops, m,
			     &m->channel);
	if (err)
		return err;

	return speak_begin(m);
}

/* What this version can do with this modem, in the words of the protocol. */
void modem_list_capabilities(struct modem *m)
{
	unsigned int caps = m->driver->caps;
	size_t n = 0;

	if (m->push_unnamed || m->cfg->modem.receive == CONFIG_RECEIVE_PULL)
		caps &= ~(unsigned int)DRIVER_CAP_PUSH;

	m->capabilities[0] = NULL;
	if (!speak_knows(m))
		return;
	m->capabilities[n++] = "tcp";
	m->capabilities[n++] = "resolve";
	if (m->driver->caps & DRIVER_CAP_REVERSE_DNS)
		m->capabilities[n++] = "reverse";
	if (m->driver->caps & DRIVER_CAP_PING)
		m->capabilities[n++] = "ping";
	if (m->driver->caps & DRIVER_CAP_SNTP)
		m->capabilities[n++] = "time";
	if (m->driver->caps & DRIVER_CAP_TLS_SERVER)
		m->capabilities[n++] = "tls-server";
	if (m->driver->caps & DRIVER_CAP_CONFIRMED)
		m->capabilities[n++] = "confirmed";
	if (m->driver->settings)
		m->capabilities[n++] = "config";
	if (m->driver->forbids)
		m->capabilities[n++] = "at";
	m->capabilities[n++] = "restore";
	if (m->driver->max_listeners > 0)
		m->capabilities[n++] = "listen";
	if (caps & DRIVER_CAP_UDP)
		m->capabilities[n++] = "udp";
	if (caps & DRIVER_CAP_PUSH)
		m->capabilities[n++] = "push";
	if ((caps & DRIVER_CAP_PUSH) && (caps & DRIVER_CAP_PUSH_SOURCE) &&
	    (caps & DRIVER_CAP_UDP))
		m->capabilities[n++] = "udp-source";
	if (m->driver->caps & DRIVER_CAP_TRANSPARENT)
		m->capabilities[n++] = "lease";
	if (caps & DRIVER_CAP_TLS)
		m->capabilities[n++] = "tls";
	if (caps & DRIVER_CAP_IPV6)
		m->capabilities[n++] = "ipv6";
	if (caps & DRIVER_CAP_TCP_OPTIONS)
		m->capabilities[n++] = "tcp-options";
	if (caps & DRIVER_CAP_LOCAL_ADDRESS)
		m->capabilities[n++] = "local-address";
	if (caps & DRIVER_CAP_TCP_LOCAL_PORT)
		m->capabilities[n++] = "tcp-local-port";
	if ((caps & DRIVER_CAP_UDP_FOLLOW) && (caps & DRIVER_CAP_UDP))
		m->capabilities[n++] = "udp-follow";
	m->capabilities[n] = NULL;
}

int modem_new(struct timers *ts, const struct config *cfg, struct state *state,
	      const struct modem_ops *ops, void *ctx, struct modem **out)
{
	struct modem *m;
	int err;

	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;

	m->timers = ts;
	m->cfg = cfg;
	m->store = state;
	m->ops = ops;
	m->ctx = ctx;
	TAILQ_INIT(&m->links);
	TAILQ_INIT(&m->listeners);
	TAILQ_INIT(&m->queries);
	err = make_parts(m);
	if (err) {
		modem_free(m);
		return err;
	}

	find_init(m);
	*out = m;

	return 0;
}

void modem_free(struct modem *m)
{
	if (!m)
		return;

	links_free(m);
	listeners_free(m);
	queries_free(m);
	speak_end(m);
	if (m->d)
		m->driver->free(m->d);
	at_channel_free(m->channel);
	timer_free(m->lease_timer);
	timer_free(m->stop_timer);
	timer_free(m->due);
	timer_free(m->kick);
	timer_free(m->reaper);
	timer_free(m->retry);
	free(m);
}

void modem_start(struct modem *m)
{
	life_start(m);
}

void modem_stop(struct modem *m)
{
	if (m->stopping)
		return;

	m->stopping = true;
	links_stop(m);
	timer_start(m->reaper, 0);
	timer_start(m->stop_timer, m->cfg->recovery.stop_timeout_ms);
}

/* ------------------------------------------------------------------ status */

static const char *const state_names[] = {
	[MODEM_STOPPED]		= "stopped",
	[MODEM_NO_DEVICE]	= "no-device",
	[MODEM_PORT_BUSY]	= "port-busy",
	[MODEM_SILENT]		= "silent",
	[MODEM_STARTING]	= "starting",
	[MODEM_SIM]		= "sim",
	[MODEM_REGISTERING]	= "registering",
	[MODEM_READY]		= "ready",
};

static const char *const network_names[] = {
	[NETWORK_CLOSED]	= "closed",
	[NETWORK_OPENING]	= "opening",
	[NETWORK_OPEN]		= "open",
	[NETWORK_LOST]		= "lost",
};

static void count_slots(const struct modem *m, struct modem_status *out)
{
	const struct link *l;
	unsigned int i;

	for (i = 0; i < m->driver->max_links; i++) {
		if (!slot_is_free(&m->slots[i]))
			out->slots_used++;
	}
	out->slots_total = m->driver->max_links;
	out->listeners_used = servers_used(m);
	out->listeners_total = m->driver->max_listeners;
	TAILQ_FOREACH(l, &m->links, entry) {
		if (l->state == LINK_WAITING && l->slot < 0 &&
		    l->kind != LINK_LEASE)
			out->waiting++;
	}
}

/* Ours, or that of a stage which waits for the modem. */
static void fill_next_try(const struct modem *m, struct modem_status *out)
{
	int64_t left = m->again_ms - timers_mono_ms(m->timers);

	out->will_try = timer_pending(m->retry) || (m->staging && left > 0);
	if (timer_pending(m->retry))
		out->next_try_ms = timer_left_ms(m->retry);
	else if (out->will_try)
		out->next_try_ms = (uint32_t)left;
}

void modem_get_status(struct modem *m, struct modem_status *out)
{
	*out = (struct modem_status){
		.state = m->state,
		.state_name = state_names[m->state],
		.reason = m->reason,
		.since_wall_ms = m->since_wall_ms,
		.since_mono_ms = m->since_mono_ms,
		.network = m->network,
		.network_name = network_names[m->network],
		.network_reason = m->network_reason,
		.network_since_wall_ms = m->network_since_wall_ms,
		.network_since_mono_ms = m->network_since_mono_ms,
		.losses = m->losses,
		.restarts = m->restarts,
		.info = m->driver->info(m->d),
		.dialect = m->driver->name,
		.receive = m->receive == DRIVER_PUSH ? "push" : "pull",
		.capabilities = m->capabilities,
		.line = at_channel_get_stats(m->channel),
		.port = at_channel_port(m->channel),
		.lost_bytes = m->lost_bytes,
		.datagram_max = m->driver->max_datagram,
	};
	fill_next_try(m, out);
	count_slots(m, out);
	lease_fill_status(m, out);
}

void modem_refresh(struct modem *m)
{
	int64_t now = timers_mono_ms(m->timers);

	if (m->network == NETWORK_OPEN && m->query_count == 0 &&
	    now - m->signal_ms > SIGNAL_OLD_MS) {
		m->signal_ms = now;
		(void)query_add(m, DRIVER_Q_SIGNAL, "", NULL);
	}
}

struct at_trace *modem_trace(struct modem *m)
{
	return at_channel_trace(m->channel);
}
