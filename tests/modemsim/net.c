/* SPDX-License-Identifier: MIT */

#include <string.h>

#include "modem.h"

void net_init(struct modem *m)
{
	m->net = (struct net){ .state = NET_STATE_CLOSED };
	radio_reset(m);
}

void net_free(struct modem *m)
{
	if (m->net.timer != NULL)
		event_free(m->net.timer);
	if (m->net.back_timer != NULL)
		event_free(m->net.back_timer);
}

void net_reset(struct modem *m)
{
	if (m->net.timer != NULL)
		evtimer_del(m->net.timer);
	m->net.state = NET_STATE_CLOSED;
	m->net.dead = false;
	m->net.ok_after = false;
}

bool net_works(const struct modem *m)
{
	return m->net.state == NET_STATE_OPEN && !m->net.dead;
}

bool net_opened_by_host(const struct modem *m)
{
	return m->net.state == NET_STATE_OPEN &&
	       m->net.host == m->line.hosts + 1;
}

bool net_own_address(const struct modem *m, enum family family,
		     unsigned int port, struct address *at)
{
	if (m->opt.allow_network)
		address_any(at, family);
	else
		address_loopback(at, family);
	if (port == 0 || m->opt.free_ports)
		return true;
	port += m->opt.port_offset;
	address_set_port(at, port);
	return port <= 65535;
}

static bool same(const char *want, const char *got)
{
	return want == NULL || strcmp(want, got) == 0;
}

/* Does the network accept the context as it is configured? */
static bool apn_matches(const struct modem *m)
{
	const struct context *c = &m->profile.ctx[m->set.socket_cid];

	if (m->opt.apn != NULL && !c->defined)
		return false;
	return same(m->opt.apn, c->apn) && same(m->opt.apn_user, c->user) &&
	       same(m->opt.apn_password, c->password);
}

/* Q39 */
static bool extra_contexts(const struct modem *m)
{
	return quirk_on(m->opt.quirks, QUIRK_EXTRA_CONTEXTS) &&
	       (m->profile.ctx[2].defined || m->profile.ctx[3].defined);
}

static int open_err(struct modem *m)
{
	if (quirk_take(m->opt.quirks, QUIRK_NETOPEN_STUCK) ||
	    extra_contexts(m) ||
	    quirk_take(m->opt.quirks, QUIRK_NETOPEN_FAILS))
		return NET_FAILURE;
	if (m->opt.netopen_ms >= (unsigned int)m->set.timeout_ms[0])
		return NET_TIMEOUT;
	if (!radio_registered(m) || !apn_matches(m))
		return NET_FAILURE;
	return NET_OK;
}

static void on_opened(evutil_socket_t fd, short what, void *ctx)
{
	struct modem *m = ctx;
	int err = open_err(m);

	(void)fd;
	(void)what;
	m->net.state = err == NET_OK ? NET_STATE_OPEN : NET_STATE_CLOSED;
	m->net.dead = false;
	if (!quirk_take(m->opt.quirks, QUIRK_NETOPEN_SILENT))
		m->dialect->net_opened(m, err);
}

void net_open(struct modem *m)
{
	unsigned int ms = m->opt.netopen_ms;

	if (ms > (unsigned int)m->set.timeout_ms[0])
		ms = (unsigned int)m->set.timeout_ms[0];
	if (quirk_take(m->opt.quirks, QUIRK_NETOPEN_LATE))
		ms += m->opt.late_ms;
	m->net.state = NET_STATE_OPENING;
	m->net.host = m->line.hosts + 1;
	if (ms == 0)
		on_opened(-1, 0, m);
	else
		modem_after(m, &m->net.timer, ms, on_opened, m);
}

static void on_closed(evutil_socket_t fd, short what, void *ctx)
{
	struct modem *m = ctx;

	(void)fd;
	(void)what;
	m->net.state = NET_STATE_CLOSED;
	m->dialect->net_closed(m);
}

void net_close(struct modem *m)
{
	unsigned int i;

	server_drop_all(m);
	for (i = 0; i < LINKS; i++)
		link_close(m, i);
	m->net.state = NET_STATE_CLOSING;
	m->net.dead = false;
	if (m->opt.close_ms == 0)
		on_closed(-1, 0, m);
	else
		modem_after(m, &m->net.timer, m->opt.close_ms, on_closed, m);
}

static void on_back(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	net_back(ctx);
}

static void lose_context(struct modem *m, bool stays_open, enum tcp_how how)
{
	bool was_open = m->net.state == NET_STATE_OPEN && !m->net.dead;

	if (m->net.state == NET_STATE_OPEN) {
		m->net.dead = stays_open;
		if (!stays_open)
			m->net.state = NET_STATE_CLOSED;
	}
	server_drop_all(m);
	link_lose_all(m, how);
	if (was_open)
		m->dialect->net_lost(m);
}

void net_lose(struct modem *m, bool stays_open, enum tcp_how how,
	      unsigned int ms)
{
	record_event(&m->record, "network lost");
	m->radio.away = true;
	if (m->dialect->lose != NULL)
		m->dialect->lose(m, how);
	else
		lose_context(m, stays_open, how);
	m->radio.was_away = true;
	if (radio_registered(m))
		radio_set(m, RADIO_SEARCHING);
	if (ms > 0)
		modem_after(m, &m->net.back_timer, ms, on_back, m);
}

void net_back(struct modem *m)
{
	if (m->net.back_timer != NULL)
		evtimer_del(m->net.back_timer);
	m->radio.away = false;
	if (m->dialect->back != NULL)
		m->dialect->back(m);
	radio_search(m);
}
