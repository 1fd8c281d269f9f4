/* SPDX-License-Identifier: MIT */

/*
 * server - the modem's listening sockets.
 *
 * An accepted connection takes the lowest free link; with none free it waits
 * in the host's queue. Listeners die with the network.
 *
 * Called by: simcom_server, w800_server, net, link, modem, stats,
 * control_links.
 * Calls: link.
 */

#ifndef MODEMSIM_SERVER_H
#define MODEMSIM_SERVER_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "address.h"

#define SERVERS		4

struct modem;

struct server_args {
	unsigned int port;
	int backlog;
	enum family family;	/* FAMILY_V4 or FAMILY_V6 */
	unsigned int max_links;	/* open at a time; 0: as many as there are */
	bool refuses;		/* what it has no link for, else that waits */
	bool tls;		/* certificate 0 is shown */
	bool verify;		/* ... and one of the client wanted, by CA 0 */
};

struct server {
	struct modem *m;
	unsigned int index;
	struct server_args args;
	int fd;			/* -1: not listening */
	unsigned int port;	/* as the command said it */
	unsigned int host_port;	/* where it really is */
	struct event *ev;
	struct event *timer;	/* --close-time of SERVERSTOP */
	uint64_t accepted;
	uint64_t refused;
};

void servers_init(struct modem *m);
void servers_free(struct modem *m);

/* NET_OK or the <err> of +CIPERROR. */
int server_start(struct modem *m, unsigned int index,
		 const struct server_args *a);
void server_stop(struct modem *m, unsigned int index);
void server_drop_all(struct modem *m);

/* Are links of it open? */
bool server_has_links(const struct modem *m, unsigned int index);

/* A link has become free: those who wait may come in. */
void server_resume(struct modem *m);

#endif
