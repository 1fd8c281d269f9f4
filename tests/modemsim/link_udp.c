/* SPDX-License-Identifier: MIT */

/* UDP links, and the buffer of every link cut into datagrams. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modem.h"

#define HERE_BROADCAST	0x7fffffff	/* 127.255.255.255: of the loopback */

static void remote_end(const struct link *l, struct address *a)
{
	if (!address_parse(a, l->address))
		address_any(a, l->family);
	address_set_port(a, l->port);
}

/* Several ends of the network: a group, or everybody. */
static bool is_shared(const struct address *a)
{
	return address_is_multicast(a) || address_is_broadcast(a);
}

/* Not from outside, and not our own one that a group gave back. */
static bool is_for_us(const struct link *l, const struct address *from)
{
	if (!l->m->opt.allow_network && !address_is_loopback(from))
		return false;
	return !l->shared || address_port(from) != l->host_port ||
	       !address_is_loopback(from);
}

/* W800 manual, CIPSTART, <mode> of UDP */
static void follow(struct link *l, const struct address *from)
{
	struct address remote;

	remote_end(l, &remote);
	if (l->remote == LINK_REMOTE_FIXED || address_same(&remote, from) ||
	    (l->remote == LINK_REMOTE_FIRST && l->remote_changed))
		return;
	l->remote_changed = true;
	address_text(from, l->address);
	l->port = address_port(from);
}

static void on_datagram(void *ctx, const void *data, size_t len,
			const struct address *from)
{
	struct link *l = ctx;
	struct evbuffer *rx = l->tcp.rx;
	size_t have = evbuffer_get_length(rx);
	struct datagram *d;

	if (!is_for_us(l, from))
		return;
	l->datagrams_in++;
	l->tcp.received += len;
	if (l->m->dialect->datagram_max > 0 &&
	    len > l->m->dialect->datagram_max) {
		l->datagrams_long++;
		return;
	}
	follow(l, from);
	if (len == 0)
		return;		/* there is no way to tell the host */
	d = have + len <= l->tcp.rx_max ? calloc(1, sizeof(*d)) : NULL;
	if (d == NULL) {
		l->datagrams_lost++;
		return;
	}
	d->from = *from;
	d->left = len;
	STAILQ_INSERT_TAIL(&l->datagrams, d, entry);
	evbuffer_add(rx, data, len);
	link_received(l, have == 0);
}

static int net_err(int err)
{
	switch (err) {
	case 0:
		return NET_OK;
	case -EMFILE:
	case -ENFILE:
		return NET_SOCKET;
	}
	return NET_BIND;
}

static int open_socket(struct link *l, struct address *at)
{
	int err;

	l->udp.received = on_datagram;
	l->udp.ctx = l;
	err = net_err(udp_open(&l->udp, l->m->base, at, l->shared));
	if (err == NET_OK && !l->m->opt.allow_network)
		udp_stay_here(&l->udp, l->family);
	return err;
}

/*
 * To hear the others the port has to be theirs, unless the host has chosen
 * one, and the address everybody's.
 */
static int open_shared(struct link *l, const struct address *to,
		       struct address *at)
{
	unsigned int port = l->local_port != 0 ? address_port(at) : l->port;
	int err;

	address_any(at, l->family);
	address_set_port(at, port);
	err = open_socket(l, at);
	if (err != NET_OK || !address_is_multicast(to))
		return err;
	err = udp_join(&l->udp, to, !l->m->opt.allow_network);
	if (err < 0)
		udp_close(&l->udp);
	return net_err(err);
}

/* "The remote IP address and port is not necessary", A7600 manual 6.3.1.1 */
int link_open_udp(struct modem *m, unsigned int id, const struct link_args *a)
{
	struct link *l = &m->links[id];
	struct address to, at;
	int err;

	address_any(&to, a->family);
	if (a->host != NULL && !resolver_knows(m, a->host, a->family, &to))
		return NET_DNS;
	link_begin(l, a);
	l->family = address_is_v6(&to) ? FAMILY_V6 : FAMILY_V4;
	err = link_local(l, &at);
	if (err != NET_OK)
		return err;
	address_text(&to, l->address);
	l->shared = is_shared(&to);
	err = l->shared ? open_shared(l, &to, &at) : open_socket(l, &at);
	if (err != NET_OK)
		return err;
	l->host_port = address_port(&at);
	l->state = LINK_OPEN;
	l->lied_open = true;
	return NET_OK;
}

void link_udp_send(struct link *l, const void *data, size_t len,
		   const struct address *to)
{
	struct modem *m = l->m;
	char text[ADDRESS_TEXT];
	struct address there;

	if (to == NULL)
		remote_end(l, &there);
	else
		there = *to;
	l->tcp.sent += len;
	l->datagrams_out++;
	/* as on the way: nobody is told what becomes of it */
	if (!quirk_take(m->opt.quirks, QUIRK_UDP_LOST) &&
	    (is_shared(&there) ||
	     resolver_answers(m, address_text(&there, text), &there))) {
		if (address_is_broadcast(&there) && !m->opt.allow_network)
			there.in4.sin_addr.s_addr = htonl(HERE_BROADCAST);
		udp_send(&l->udp, data, len, &there);
	}
}

size_t link_block(const struct modem *m, unsigned int id,
		  struct address *from)
{
	const struct link *l = &m->links[id];
	const struct datagram *d = STAILQ_FIRST(&l->datagrams);

	if (d != NULL) {
		*from = d->from;
		if (!quirk_on(m->opt.quirks, QUIRK_UDP_MERGED))
			return d->left;
	} else {
		remote_end(l, from);
	}
	return evbuffer_get_length(l->tcp.rx);
}

/* @n bytes leave the buffer, and the cuts between them. */
void link_drain(struct link *l, size_t n)
{
	struct datagram *d;
	size_t left = n;

	while (left > 0 && (d = STAILQ_FIRST(&l->datagrams)) != NULL) {
		if (d->left > left) {
			d->left -= left;
			break;
		}
		left -= d->left;
		STAILQ_REMOVE_HEAD(&l->datagrams, entry);
		free(d);
	}
	tcp_taken(&l->tcp, n);
}
