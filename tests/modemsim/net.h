/* SPDX-License-Identifier: MIT */

/*
 * net - the PDP context of the socket service: NETOPEN, NETCLOSE, and loss.
 * Of a W800: has it an address?
 *
 * Called by: simcom_net, modem, link, control.   Calls: link, radio, dialect.
 */

#ifndef MODEMSIM_NET_H
#define MODEMSIM_NET_H

#include <event2/event.h>
#include <stdbool.h>

#include "tcp.h"

struct modem;

enum net_state {
	NET_STATE_CLOSED,
	NET_STATE_OPENING,
	NET_STATE_OPEN,
	NET_STATE_CLOSING,
};

struct net {
	enum net_state state;
	bool ok_after;		/* quirk netopen-result-first */
	bool dead;		/* lost, though the state still says open */
	struct event *timer;		/* of NETOPEN, NETCLOSE */
	struct event *back_timer;	/* of network-loss for MS */
	unsigned int host;	/* which one did NETOPEN, see line.hosts */
};

void net_init(struct modem *m);
void net_free(struct modem *m);
void net_reset(struct modem *m);

/* Start; the dialect's net_opened(), net_closed() tell the result. */
void net_open(struct modem *m);
void net_close(struct modem *m);

/*
 * Where the modem's own @port is on this host: 127.0.0.1 or ::1, or anywhere
 * with --allow-network. False: beyond 65535.
 */
bool net_own_address(const struct modem *m, enum family family,
		     unsigned int port, struct address *at);

/* Open, and it was the host of today who did it. */
bool net_opened_by_host(const struct modem *m);

/* Open, and packets would get through. */
bool net_works(const struct modem *m);

/*
 * The network goes away unexpectedly, back after @ms if that is not 0.
 * @stays_open: NETOPEN? goes on saying 1 until NETCLOSE.
 */
void net_lose(struct modem *m, bool stays_open, enum tcp_how how,
	      unsigned int ms);
void net_back(struct modem *m);

#endif
