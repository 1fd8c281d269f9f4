/* SPDX-License-Identifier: MIT */

/* UDP links, and the buffer of every link cut into datagrams. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modem.h"

static void on_datagram(void *ctx, const void *data, size_t len,
			const struct address *from)
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

static void remote_end(const struct link *l, struct address *a)
{
	if (!address_parse(a, l->address))
		address_any(a, l->family);
	address_set_port(a, l->port);
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
	l->udp.received = on_datagram;
	l->udp.ctx = l;
	err = net_err(udp_open(&l->udp, m->base, &at));
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
	struct address remote;

	if (to == NULL) {
		remote_end(l, &remote);
		to = &remote;
	}
	l->tcp.sent += len;
	l->datagrams_out++;
	/* as on the way: nobody is told what becomes of it */
	if (!quirk_take(m->opt.quirks, QUIRK_UDP_LOST) &&
	    resolver_answers(m, address_text(to, text), to))
		udp_send(&l->udp, data, len, to);
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
