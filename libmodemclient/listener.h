/* SPDX-License-Identifier: MIT */

/*
 * listener - a TCP server in the modem, and the connections that wait to be
 * taken by the program.
 *
 * Called by: event, client, link.   Calls: client, link.
 */

#ifndef MODEMCLIENT_LISTENER_H
#define MODEMCLIENT_LISTENER_H

#include "client.h"

struct modemclient_listener {
	TAILQ_ENTRY(modemclient_listener) entry;
	struct modemclient *mc;
	uint64_t id;			/* 0: modemd has not told it yet */
	bool ended;
	int err;			/* of the end */
	uint16_t port;
	uint32_t credit;
	struct link_list waiting;	/* accepted, by their .queue */
	unsigned int waits;		/* calls that wait for it */
	bool freed;			/* by the callback, while waited for */
	void *data;
};

/* What modemd tells. All may run the callback. 0, -ENOMEM. */
int listener_accepted(struct modemclient *mc, const Modemd__V1__Accepted *ev);
void listener_lost(struct modemclient *mc, const Modemd__V1__ListenerLost *ev);
void listener_restored(struct modemclient *mc,
		       const Modemd__V1__ListenerRestored *ev);

/* The link goes away before accept() took it. */
void listener_forget_link(struct modemclient_link *l);

/* The connection is lost: none of them is there any more. */
void listeners_end(struct modemclient *mc, int err);
void listeners_free(struct modemclient *mc);

/* Connections that nobody took go with it. */
void listener_destroy(struct modemclient_listener *l);

/* As link_wait(): -ECANCELED when the callback freed it. */
int listener_wait(struct modemclient_listener *l, int timeout_ms,
		  bool (*done)(void *listener));

#endif
