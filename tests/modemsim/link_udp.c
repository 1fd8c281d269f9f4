/* SPDX-License-Identifier: MIT */

/* UDP links, and the buffer of every link cut into datagrams. */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modem.h"

static void on_datagram(void *ctx, const void *data, size_t len,
			const struct sockaddr_in *from)
{
	struct link *l = ctx;
	struct evbuffer *rx = l->tcp.rx;
	size_t have = evbuffer_get_length(rx);
	struct datagram *d;

	l->datagrams_in++;
	l->tcp.received += len;
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

/* "The remote IP address and port is not necessary", A7600 manual 6.3.1.1 */
int link_open_udp(struct modem *m, unsigned int id, const char *host,
		  unsigned int port, unsigned int local_port)
{
	struct link *l = &m->links[id];
	struct in_addr to = { 0 };
	struct sockaddr_in at;
	int err;

	if (host != NULL && !resolver_knows(m, host, &to))
		return NET_DNS;
	if (!net_own_address(m, local_port, &at))
		return NET_BIND;
	link_begin(l, host != NULL ? host : "", port, local_port);
	inet_ntop(AF_INET, &to, l->address, sizeof(l->address));
	l->udp.received = on_datagram;
	l->udp.ctx = l;
	err = net_err(udp_open(&l->udp, m->base, &at));
	if (err != NET_OK)
		return err;
	l->is_udp = true;
	l->host_port = ntohs(at.sin_port);
	l->state = LINK_OPEN;
	l->lied_open = true;
	return NET_OK;
}

void link_udp_send(struct link *l, const void *data, size_t len,
		   const struct sockaddr_in *to)
{
	struct sockaddr_in named = { .sin_family = AF_INET };
	struct modem *m = l->m;
	char address[INET_ADDRSTRLEN];

	if (to == NULL) {
		inet_pton(AF_INET, l->address, &named.sin_addr);
		named.sin_port = htons((uint16_t)l->port);
		to = &named;
	}
	l->tcp.sent += len;
	l->datagrams_out++;
	inet_ntop(AF_INET, &to->sin_addr, address, sizeof(address));
	/* as on the way: nobody is told what becomes of it */
	if (!quirk_take(m->opt.quirks, QUIRK_UDP_LOST) &&
	    resolver_answers(m, address, to->sin_addr))
		udp_send(&l->udp, data, len, to);
}

size_t link_block(const struct modem *m, unsigned int id,
		  struct sockaddr_in *from)
{
	const struct link *l = &m->links[id];
	const struct datagram *d = STAILQ_FIRST(&l->datagrams);

	if (d != NULL) {
		*from = d->from;
		if (!quirk_on(m->opt.quirks, QUIRK_UDP_MERGED))
			return d->left;
	} else {
		*from = (struct sockaddr_in){ .sin_family = AF_INET };
		inet_pton(AF_INET, l->address, &from->sin_addr);
		from->sin_port = htons((uint16_t)l->port);
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
