/* SPDX-License-Identifier: MIT */

/*
 * udp - one UDP socket of the host, never blocking.
 *
 * Knows no AT and keeps no data: each datagram is handed on as it comes.
 *
 * Called by: link_udp.   Calls: nothing.
 */

#ifndef MODEMSIM_UDP_H
#define MODEMSIM_UDP_H

#include <event2/event.h>
#include <stddef.h>

#include "address.h"

#define UDP_MAX		65536

struct udp {
	int fd;				/* -1: none */
	struct event *read_ev;
	void (*received)(void *ctx, const void *data, size_t len,
			 const struct address *from);
	void *ctx;
};

/*
 * Bind to @local; its port is filled in if it was 0. @shared: others of this
 * host may have the same port. 0 or -errno.
 */
int udp_open(struct udp *u, struct event_base *base, struct address *local,
	     bool shared);

/* Multicast and broadcast go by the loopback interface alone. */
void udp_stay_here(struct udp *u, enum family family);

/* What is sent to @group comes in; only on the loopback if @here. */
int udp_join(struct udp *u, const struct address *group, bool here);

void udp_close(struct udp *u);

/* 0 or -errno. */
int udp_send(struct udp *u, const void *data, size_t len,
	     const struct address *to);

#endif
