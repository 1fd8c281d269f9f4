/* SPDX-License-Identifier: MIT */

/* Datagrams: each Send is one, each Data event is one. Beside the bytes of the
 * link's buffer it is kept where one ends, and who sent it. */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link.h"

/* "192.0.2.1:53", "[2001:db8::1]:53". */
static void split_address(struct datagram *d, const char *from)
{
	const char *colon = from ? strrchr(from, ':') : NULL;
	size_t len;

	if (!colon)
		return;
	d->port = (uint16_t)strtoul(colon + 1, NULL, 10);
	if (from[0] == '[' && colon[-1] == ']') {
		from++;
		colon--;
	}
	len = (size_t)(colon - from);
	if (len < sizeof(d->address))
		memcpy(d->address, from, len);
}

int datagram_add(struct modemclient_link *l, size_t len, const char *from)
{
	struct datagram *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->len = len;
	split_address(d, from);
	TAILQ_INSERT_TAIL(&l->datagrams, d, entry);

	return 0;
}

static void datagram_remove(struct modemclient_link *l, struct datagram *d)
{
	TAILQ_REMOVE(&l->datagrams, d, entry);
	free(d);
}

/* Of the @len first bytes. */
void datagrams_drop(struct modemclient_link *l, size_t len)
{
	struct datagram *d;

	while ((d = TAILQ_FIRST(&l->datagrams)) && d->len <= len) {
		len -= d->len;
		datagram_remove(l, d);
	}
}

/* Leaves those of the @len first bytes. */
void datagrams_cut(struct modemclient_link *l, size_t len)
{
	struct datagram *d, *next;

	for (d = TAILQ_FIRST(&l->datagrams); d; d = next) {
		next = TAILQ_NEXT(d, entry);
		if (d->len <= len)
			len -= d->len;
		else
			datagram_remove(l, d);
	}
}

/* -------------------------------------------------------------------- send */

static bool is_address(const char *text)
{
	struct in6_addr any;

	return inet_pton(AF_INET, text, &any) == 1 ||
	       inet_pton(AF_INET6, text, &any) == 1;
}

static int check_send(struct modemclient_link *l, size_t len,
		      const char *address, uint16_t port)
{
	if (!l->udp)
		return client_fail(l->mc, -EINVAL, "send to %s: it is a "
				   "stream, not a link for datagrams",
				   l->remote);
	if (len < 1)
		return client_fail(l->mc, -EINVAL, "send to %s: a datagram has "
				   "at least one byte", l->remote);
	if (len > LINK_DATAGRAM_MAX)
		return client_fail(l->mc, -EMSGSIZE, "send to %s: a datagram "
				   "has at most %d bytes", l->remote,
				   LINK_DATAGRAM_MAX);
	if (!address && !l->has_remote)
		return client_fail(l->mc, -EDESTADDRREQ, "send to %s: no "
				   "address was named, nor when it was opened",
				   l->remote);
	if (address && (!is_address(address) || port == 0))
		return client_fail(l->mc, -EINVAL, "send to %s: an IP "
				   "address and a port are needed; "
				   "modemclient_resolve() finds an address",
				   address);

	return 0;
}

static bool has_room(void *link)
{
	struct modemclient_link *l = link;

	return l->freed || link_write_error(l) < 0 ||
		modemclient_link_writable(l) >= l->wanted;
}

ssize_t modemclient_sendto(struct modemclient_link *link, const void *buf,
			   size_t len, const char *address, uint16_t port,
			   int timeout_ms)
{
	int err = client_may_wait(link->mc, timeout_ms);

	if (err == 0)
		err = check_send(link, len, address, port);
	if (err < 0)
		return err;
	link->wanted = len;
	err = link_wait(link, timeout_ms, has_room);
	if (err == -ECANCELED)
		return err;
	if (err == 0)
		err = link_write_error(link);
	if (err == 0 && modemclient_link_writable(link) < len)
		err = -EAGAIN;
	if (err < 0)
		return link_fail(link, err, "send to");
	err = link_send(link, buf, len, address, port);
	if (err < 0)
		return err;
	connection_flush(&link->mc->conn);

	return (ssize_t)len;
}

/* ----------------------------------------------------------------- receive */

static ssize_t take(struct modemclient_link *l, void *buf, size_t len,
		    char *address, uint16_t *port)
{
	struct datagram *d = TAILQ_FIRST(&l->datagrams);
	size_t whole = d->len;

	if (address)
		memcpy(address, d->address, sizeof(d->address));
	if (port)
		*port = d->port;
	memcpy(buf, buffer_bytes(&l->rx), len < whole ? len : whole);
	datagram_remove(l, d);
	link_take(l, whole);

	return (ssize_t)whole;
}

ssize_t modemclient_recvfrom(struct modemclient_link *link, void *buf,
			     size_t len, char *address, uint16_t *port,
			     int timeout_ms)
{
	int err = client_may_wait(link->mc, timeout_ms);

	if (err == 0 && !link->udp)
		err = client_fail(link->mc, -EINVAL, "receive from %s: it is a "
				  "stream, not a link for datagrams",
				  link->remote);
	if (err < 0)
		return err;
	err = link_wait_data(link, timeout_ms);
	if (err == -ECANCELED)
		return err;
	if (modemclient_link_readable(link) > 0)
		return take(link, buf, len, address, port);

	return link_read_error(link, err);
}
