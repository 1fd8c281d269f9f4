/* SPDX-License-Identifier: MIT */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "modem.h"

static void forget_open(struct link *l)
{
	if (l->resolve != NULL)
		resolve_cancel(l->resolve);
	l->resolve = NULL;
	if (l->open_timer != NULL)
		evtimer_del(l->open_timer);
	if (l->result_timer != NULL)
		evtimer_del(l->result_timer);
	if (l->ack_timer != NULL)
		evtimer_del(l->ack_timer);
}

/* The link's connection is over; @rx stays unless @drop_rx. */
static void release(struct link *l, enum tcp_how how, const char *cause,
		    bool drop_rx)
{
	bool was_open = l->state == LINK_OPEN;

	forget_open(l);
	l->state = LINK_FREE;
	if (l->transparent && l->m->data.on)
		data_link_gone(l->m);
	l->transparent = false;
	if (was_open)
		closed_add(&l->m->closed, l, cause);
	tcp_close(&l->tcp, how);
	udp_close(&l->udp);
	if (drop_rx)
		link_drain(l, evbuffer_get_length(l->tcp.rx));
	l->broken = false;
	l->ended = false;
	if (evbuffer_get_length(l->tcp.rx) == 0)
		l->announced = false;
	if (was_open)
		server_resume(l->m);
}

static void open_failed(struct link *l, int err)
{
	release(l, TCP_RST, "open failed", true);
	l->m->dialect->opened(l->m, l->id, err);
}

static void peer_ended(struct link *l)
{
	if (l->m->set.rxget != 0 && !l->transparent &&
	    !l->m->dialect->ends_empty)
		link_end(l->m, l->id, TCP_FIN, LINK_CLOSED_BY_PEER);
	else
		link_end_if_empty(l);
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
		peer_ended(l);
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

static void on_connected(void *ctx, int err)
{
	open_result(ctx, err == 0 ? NET_OK : NET_FAILURE);
}

static void on_open_timeout(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	open_failed(ctx, NET_TIMEOUT);
}

static void start_timeout(struct link *l)
{
	modem_after(l->m, &l->open_timer,
		    (unsigned int)l->m->set.timeout_ms[1], on_open_timeout, l);
}

static void on_dns_timeout(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	open_failed(ctx, NET_DNS);
}

static void on_resolved(void *ctx, bool ok, struct in_addr addr)
{
	struct link *l = ctx;
	struct sockaddr_in to = { .sin_family = AF_INET }, own;
	int err;

	l->resolve = NULL;
	if (!ok) {
		open_result(l, NET_DNS);
		return;
	}
	start_timeout(l);
	inet_ntop(AF_INET, &addr, l->address, sizeof(l->address));
	if (!resolver_answers(l->m, l->host, addr))
		return;		/* until the open timer ends it */
	to.sin_addr = addr;
	to.sin_port = htons((uint16_t)l->port);
	if (!net_own_address(l->m, l->local_port, &own))
		err = -EADDRINUSE;
	else
		err = tcp_connect(&l->tcp, &to, ntohs(own.sin_port));
	if (err == -EADDRINUSE || err == -EACCES)
		open_result(l, NET_BIND);
	else if (err == -EMFILE)
		open_result(l, NET_SOCKET);
	else if (err < 0)
		open_result(l, NET_FAILURE);
}

void link_begin(struct link *l, const char *host, unsigned int port,
		unsigned int local_port)
{
	link_drain(l, evbuffer_get_length(l->tcp.rx));
	snprintf(l->host, sizeof(l->host), "%s", host);
	l->address[0] = '\0';
	l->port = port;
	l->local_port = local_port;
	l->host_port = 0;
	l->is_udp = false;
	l->transparent = false;
	l->server = LINK_NO_SERVER;
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
}

void link_open(struct modem *m, unsigned int id, const char *host,
	       unsigned int port, unsigned int local_port)
{
	struct link *l = &m->links[id];

	struct in_addr addr;

	link_begin(l, host, port, local_port);
	l->state = LINK_OPENING;
	/* by name CIPDNSSET's time limits the look-up, A7600 manual 2.3 */
	if (inet_pton(AF_INET, host, &addr) == 1)
		start_timeout(l);
	else
		modem_after(m, &l->open_timer, (unsigned int)m->set.dns[1],
			    on_dns_timeout, l);
	l->resolve = resolve_start(m, host, on_resolved, l);
}

void link_accept(struct modem *m, unsigned int id, int fd,
		 const struct sockaddr_in *from, int server)
{
	struct link *l = &m->links[id];
	char address[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &from->sin_addr, address, sizeof(address));
	link_begin(l, address, ntohs(from->sin_port), m->servers[server].port);
	snprintf(l->address, sizeof(l->address), "%s", address);
	l->server = server;
	l->state = LINK_OPEN;
	l->lied_open = true;
	tcp_adopt(&l->tcp, fd);
	l->transparent = m->set.mode == 1 && id == DATA_LINK;
	m->dialect->accepted(m, id);
	if (l->transparent)
		data_enter_unasked(m);
}

void link_forget(struct modem *m, unsigned int id)
{
	release(&m->links[id], TCP_RST, "link taken", true);
}

void link_close(struct modem *m, unsigned int id)
{
	struct link *l = &m->links[id];

	link_send_fail_all(l, true);
	l->lied_open = false;
	release(l, TCP_FIN, "closed by command", true);
}

static void on_ended(void *ctx)
{
	struct link *l = ctx;

	l->ended = true;
	/* before --open-time has let us say "open": then tell_opened() */
	if (l->state == LINK_OPEN)
		peer_ended(l);
}

void link_end_if_empty(struct link *l)
{
	if (l->ended && l->state == LINK_OPEN &&
	    evbuffer_get_length(l->tcp.rx) == 0)
		link_end(l->m, l->id, TCP_FIN, LINK_CLOSED_BY_PEER);
}

void link_end(struct modem *m, unsigned int id, enum tcp_how how, int reason)
{
	struct link *l = &m->links[id];
	bool in_stream = l->transparent && m->data.on;

	link_send_fail_all(l, true);
	release(l, how, reason == LINK_CLOSED_BY_PEER ? "closed by peer"
						      : "closed by modem",
		false);
	if (!in_stream)		/* else the stream has said it */
		m->dialect->closed(m, id, reason);
}

void link_announce(struct modem *m, unsigned int id)
{
	struct link *l = &m->links[id];

	if (l->announced || m->set.rxget == 0 || l->transparent)
		return;
	l->announced = true;
	if (!quirk_take(m->opt.quirks, QUIRK_NOTIFY_LOST))
		m->dialect->readable(m, id);
}

void link_received(struct link *l, bool was_empty)
{
	if (l->state != LINK_OPEN)
		return;
	if (was_empty || l->m->dialect->ends_empty)
		link_announce(l->m, l->id);
	push_arrived(l->m);
}

static void on_received(void *ctx, bool was_empty)
{
	link_received(ctx, was_empty);
}

void link_taken(struct modem *m, unsigned int id, size_t n)
{
	struct link *l = &m->links[id];

	link_drain(l, n);
	if (evbuffer_get_length(l->tcp.rx) == 0)
		l->announced = false;
}

static void on_progress(void *ctx)
{
	struct link *l = ctx;

	link_send_progress(l);
	if (l->transparent)
		data_progress(l->m);
}

static const struct tcp_ops tcp_ops = {
	.connected	= on_connected,
	.received	= on_received,
	.progress	= on_progress,
	.ended		= on_ended,
};

void link_drop_all(struct modem *m, enum tcp_how how, const char *cause)
{
	unsigned int i;

	for (i = 0; i < LINKS; i++) {
		link_send_fail_all(&m->links[i], false);
		m->links[i].lied_open = false;
		m->links[i].ok_after = false;
		m->links[i].close_ok_after = false;
		if (m->links[i].close_timer != NULL)
			evtimer_del(m->links[i].close_timer);
		release(&m->links[i], how, cause, true);
	}
}

void link_lose_all(struct modem *m, enum tcp_how how)
{
	struct link *l;

	for (l = m->links; l < m->links + LINKS; l++) {
		bool opening = l->state == LINK_OPENING;

		link_send_fail_all(l, true);
		release(l, how, "network lost", true);
		if (opening)
			m->dialect->opened(m, l->id, NET_FAILURE);
	}
}

void links_init(struct modem *m)
{
	unsigned int i;

	for (i = 0; i < LINKS; i++) {
		struct link *l = &m->links[i];

		*l = (struct link){ .m = m, .id = i };
		l->udp.fd = -1;
		l->server = LINK_NO_SERVER;
		STAILQ_INIT(&l->datagrams);
		TAILQ_INIT(&l->sends);
		tcp_init(&l->tcp, m->base, m->opt.buffer, &tcp_ops, l);
	}
}

void links_free(struct modem *m)
{
	unsigned int i;

	for (i = 0; i < LINKS; i++) {
		if (m->links[i].open_timer != NULL)
			event_free(m->links[i].open_timer);
		if (m->links[i].result_timer != NULL)
			event_free(m->links[i].result_timer);
		if (m->links[i].close_timer != NULL)
			event_free(m->links[i].close_timer);
		if (m->links[i].ack_timer != NULL)
			event_free(m->links[i].ack_timer);
		tcp_free(&m->links[i].tcp);
	}
}
