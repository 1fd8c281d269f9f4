/* SPDX-License-Identifier: MIT */

/* Links come to be: by name, over TCP or TLS, or accepted by a server. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "modem.h"

static void open_failed(struct link *l, int err)
{
	/* a TLS peer shall get the alert that says why */
	enum tcp_how how = l->type == LINK_TLS ? TCP_FIN : TCP_RST;

	link_release(l, how, "open failed", true);
	l->m->dialect->opened(l->m, l->id, err);
}

static void tell_opened(struct link *l)
{
	struct modem *m = l->m;

	if (l->result != NET_OK) {
		open_failed(l, l->result);
		return;
	}
	l->state = LINK_OPEN;
	l->lied_open = true;
	if (l->open_timer != NULL)
		evtimer_del(l->open_timer);
	m->dialect->opened(m, l->id, NET_OK);
	if (evbuffer_get_length(l->tcp.rx) > 0)
		link_announce(m, l->id);
	push_run(m);
	if (quirk_take(m->opt.quirks, QUIRK_CIPOPEN_THEN_LOSS))
		net_lose(m, false, TCP_RST, 0);
	else if (l->ended)
		link_peer_ended(l);
}

static void tell_accepted(struct link *l)
{
	struct modem *m = l->m;

	l->state = LINK_OPEN;
	l->lied_open = true;
	l->transparent = m->set.mode == 1 && l->id == DATA_LINK;
	m->dialect->accepted(m, l->id);
	if (l->transparent)
		data_enter_unasked(m);
}

static void on_result_timer(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	tell_opened(ctx);
}

static void open_result(struct link *l, int err)
{
	struct modem *m = l->m;
	unsigned int ms = m->opt.open_ms;

	l->result = err;
	ms += resolver_delay(m, l->host);
	if (quirk_take(m->opt.quirks, QUIRK_CIPOPEN_LATE)) {
		ms += m->opt.late_ms;
		/* late means: also after the modem's own timeout */
		if (l->open_timer != NULL)
			evtimer_del(l->open_timer);
	}
	if (ms == 0)
		tell_opened(l);
	else
		modem_after(m, &l->result_timer, ms, on_result_timer, l);
}

void link_connected(void *ctx, int err)
{
	struct link *l = ctx;

	if (l->type == LINK_TLS)
		link_tls_note(l, err);
	if (l->server == LINK_NO_SERVER)
		open_result(l, err == 0 ? NET_OK : NET_FAILURE);
	else if (err == 0)
		tell_accepted(l);
	else
		link_release(l, TCP_FIN, "handshake failed", true);
}

static void on_open_timeout(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	open_failed(ctx, NET_TIMEOUT);
}

static void start_timeout(struct link *l)
{
	if (l->timeout_ms > 0)
		modem_after(l->m, &l->open_timer, l->timeout_ms,
			    on_open_timeout, l);
	else if (l->open_timer != NULL)
		evtimer_del(l->open_timer);
}

static void on_dns_timeout(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	open_failed(ctx, NET_DNS);
}

/* What the modem believes to have; on this host that is any address. */
static bool is_own(const struct modem *m, const struct address *a)
{
	struct address own;

	if (address_is_v6(a))
		return IN6_IS_ADDR_LINKLOCAL(&a->in6.sin6_addr);
	return address_parse(&own, m->opt.address) &&
	       address_same_host(&own, a);
}

/* Where the modem's end is on this host. NET_OK, or what is in the way. */
int link_local(struct link *l, struct address *at)
{
	struct address named;

	if (!net_own_address(l->m, l->family, l->local_port, at))
		return NET_BIND;
	if (l->local_address[0] == '\0')
		return NET_OK;
	if (!address_parse(&named, l->local_address) ||
	    !address_fits(&named, l->family))
		return NET_BIND;
	if (is_own(l->m, &named))
		return NET_OK;
	if (!(l->m->opt.allow_network || address_is_loopback(&named)))
		return NET_BIND;
	address_set_port(&named, address_port(at));
	*at = named;
	return NET_OK;
}

/* A NET_ number; the result comes later if it is NET_OK. */
static int connect_to(struct link *l, struct address *to)
{
	bool bound = l->local_address[0] != '\0' || l->local_port != 0;
	struct address own;
	int err;

	l->family = address_is_v6(to) ? FAMILY_V6 : FAMILY_V4;
	address_set_port(to, l->port);
	tcp_set_options(&l->tcp, &l->options);
	if (link_local(l, &own) != NET_OK)
		return NET_BIND;
	if (l->type == LINK_TLS && link_tls_begin(l) != NET_OK) {
		link_tls_note(l, EINVAL);
		return NET_FAILURE;
	}
	err = tcp_connect(&l->tcp, to, bound ? &own : NULL);
	switch (err) {
	case 0:
		return NET_OK;
	case -EADDRINUSE:
	case -EADDRNOTAVAIL:
	case -EACCES:
		return NET_BIND;
	case -EMFILE:
		return NET_SOCKET;
	}
	return NET_FAILURE;
}

static void on_resolved(void *ctx, const struct address *addr)
{
	struct link *l = ctx;
	struct address to;
	int err;

	l->resolve = NULL;
	if (addr == NULL) {
		open_result(l, NET_DNS);
		return;
	}
	start_timeout(l);
	address_text(addr, l->address);
	if (!resolver_answers(l->m, l->host, addr))
		return;		/* until the open timer ends it */
	to = *addr;
	err = connect_to(l, &to);
	if (err != NET_OK)
		open_result(l, err);
}

void link_begin(struct link *l, const struct link_args *a)
{
	link_drain(l, evbuffer_get_length(l->tcp.rx));
	snprintf(l->host, sizeof(l->host), "%s", a->host ? a->host : "");
	snprintf(l->local_address, sizeof(l->local_address), "%s",
		 a->local_address != NULL ? a->local_address : "");
	l->address[0] = '\0';
	l->type = a->type;
	l->family = a->family;
	l->port = a->port;
	l->local_port = a->local_port;
	l->timeout_ms = a->timeout_ms;
	l->options = a->options;
	if (a->tls != NULL)
		l->tls = *a->tls;
	tcp_use_tls(&l->tcp, NULL, 0);
	l->stray = 0;
	l->remote = a->remote;
	l->remote_changed = false;
	l->host_port = 0;
	l->transparent = false;
	l->server = LINK_NO_SERVER;
	l->why[0] = '\0';
	l->announced = false;
	l->broken = false;
	l->queued = 0;
	l->ack_told = 0;
	memset(l->ack_error, 0, sizeof(l->ack_error));
	l->tcp.sent = 0;
	l->tcp.received = 0;
	l->datagrams_in = 0;
	l->datagrams_out = 0;
	l->datagrams_lost = 0;
	l->datagrams_long = 0;
}

void link_open(struct modem *m, unsigned int id, const struct link_args *a)
{
	struct link *l = &m->links[id];
	struct address addr;

	link_begin(l, a);
	l->state = LINK_OPENING;
	/* by name CIPDNSSET's time limits the look-up, A7600 manual 2.3 */
	if (address_parse(&addr, a->host))
		start_timeout(l);
	else if (a->dns_timeout_ms > 0)
		modem_after(m, &l->open_timer, a->dns_timeout_ms,
			    on_dns_timeout, l);
	l->resolve = resolve_start(m, a->host, a->family, on_resolved, l);
}

/* It is nobody's business until the handshake is over. */
static void accept_tls(struct link *l, int fd)
{
	if (link_tls_begin(l) != NET_OK) {
		link_tls_note(l, EINVAL);
		close(fd);
		return;
	}
	l->state = LINK_OPENING;
	tcp_adopt(&l->tcp, fd);
}

void link_accept(struct modem *m, unsigned int id, int fd,
		 const struct address *from, int server)
{
	struct link *l = &m->links[id];
	char address[ADDRESS_TEXT];
	struct link_args a = {
		.type = m->servers[server].args.tls ? LINK_TLS : LINK_TCP,
		.host = address_text(from, address),
		.family = address_is_v6(from) ? FAMILY_V6 : FAMILY_V4,
		.port = address_port(from),
		.local_port = m->servers[server].port,
		.options = TCP_OPTIONS_DEFAULT,
	};

	link_begin(l, &a);
	snprintf(l->address, sizeof(l->address), "%s", address);
	l->server = server;
	tcp_set_options(&l->tcp, &l->options);
	if (a.type == LINK_TLS) {
		accept_tls(l, fd);
		return;
	}
	tcp_adopt(&l->tcp, fd);
	tell_accepted(l);
}

void link_set_options(struct modem *m, unsigned int id,
		      const struct tcp_options *o)
{
	m->links[id].options = *o;
	tcp_set_options(&m->links[id].tcp, o);
}

