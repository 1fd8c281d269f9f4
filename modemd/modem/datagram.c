/* SPDX-License-Identifier: MIT */

/*
 * Datagrams on their way to the modem: bytes in a link's buffer and, beside
 * it, where each begins and whom it is for. One is sent, or dropped, whole.
 */

#include <errno.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/timer.h"
#include "modem/private.h"

/* The dynamic ports of RFC 6335. */
#define PORT_FIRST	49152U
#define PORT_COUNT	16384U

struct cut *cut_add(struct cut_list *list, size_t len, const char *address,
		    unsigned int port)
{
	struct cut *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;

	c->len = len;
	c->port = port;
	snprintf(c->address, sizeof(c->address), "%s", address);
	TAILQ_INSERT_TAIL(list, c, entry);

	return c;
}

void cut_drop(struct cut_list *list)
{
	struct cut *c = TAILQ_FIRST(list);

	if (!c)
		return;
	TAILQ_REMOVE(list, c, entry);
	free(c);
}

void cuts_free(struct cut_list *list)
{
	while (!TAILQ_EMPTY(list))
		cut_drop(list);
}

int datagram_queue(struct link *l, const void *data, size_t len,
		   const struct driver_to *to)
{
	bool follows = l->udp_remote != DRIVER_UDP_FIXED;
	struct cut *c;

	if (len > l->modem->driver->max_datagram)
		return -EMSGSIZE;
	if (!to && !l->host[0])
		return -EDESTADDRREQ;
	/* Whom a link follows only the modem knows. */
	c = cut_add(&l->tx_cuts, len, to ? to->address : follows ? "" : l->host,
		    to ? to->port : l->port);
	if (!c)
		return -ENOMEM;
	if (evbuffer_add(l->tx, data, len) == 0)
		return 0;
	TAILQ_REMOVE(&l->tx_cuts, c, entry);
	free(c);

	return -ENOMEM;
}

/* The datagram that is next, and whom it is for (address NULL: the modem
 * knows); 0: none. */
size_t datagram_next(const struct link *l, struct driver_to *to)
{
	const struct cut *c = TAILQ_FIRST(&l->tx_cuts);

	if (!c)
		return 0;
	*to = (struct driver_to){
		.address = c->address[0] ? c->address : NULL,
		.port = c->port,
	};

	return c->len;
}

/* True when it was refused for its own sake: it is dropped, told, and the
 * link goes on. */
bool datagram_refused(struct link *l, int err)
{
	struct modem *m = l->modem;
	size_t len = l->inflight;

	if (l->kind != LINK_UDP)
		return false;
	cut_drop(&l->tx_cuts);
	if (err != -EMSGSIZE && err != -EINVAL)
		return false;

	log_info("modem: link %llu: a datagram of %zu bytes was refused",
		 (unsigned long long)l->id, len);
	l->inflight = 0;
	evbuffer_drain(l->tx, len);
	m->ops->sent(m->ctx, l->id, l->epoch, len, err);

	return true;
}

static bool port_is_used(const struct modem *m, unsigned int port)
{
	const struct link *l;

	TAILQ_FOREACH(l, &m->links, entry) {
		if (l->local_port == port)
			return true;
	}

	return false;
}

/* Some modems want to be told one. */
unsigned int datagram_port(struct modem *m)
{
	unsigned int port;

	do {
		port = PORT_FIRST + timers_random(m->timers, PORT_COUNT);
	} while (port_is_used(m, port));

	return port;
}

int modem_link_send(struct modem *m, uint64_t id, uint32_t epoch,
		    const void *data, size_t len)
{
	return modem_link_send_to(m, id, epoch, data, len, NULL);
}
