/* SPDX-License-Identifier: MIT */

/*
 * Datagrams: W800 manual, CIPSTART of UDP, CIPSEND. A group or 255.255.255.255
 * as the remote is no other command: the module then hears it, too. Where a
 * datagram is from is told when it is pushed, with CIPDINFO=1.
 */

#include <string.h>

#include "driver/w800_private.h"

/* To nobody yet: the manual wants a remote in any case. What is sent names its
 * own. */
void w800_udp_begin(struct w800 *w)
{
	struct w800_open *o = &w->opening;

	if (o->host[0])
		return;
	strcpy(o->host, o->v6 ? "::" : "0.0.0.0");
	o->port = o->local_port;
}

/* Kept to save the line an address in each CIPSEND. */
void w800_udp_opened(struct w800 *w)
{
	const struct w800_open *o = &w->opening;
	struct w800_link *l = &w->links[o->slot];

	if (strlen(o->host) >= sizeof(l->host))
		return;
	strcpy(l->host, o->host);
	l->port = o->port;
}

bool w800_udp_is_remote(const struct w800 *w, unsigned int slot,
			const struct driver_to *to)
{
	const struct w800_link *l = &w->links[slot];

	return !l->follows && l->host[0] && to->port == l->port &&
	       strcmp(to->address, l->host) == 0;
}
