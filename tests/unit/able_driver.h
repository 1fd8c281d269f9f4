/* SPDX-License-Identifier: MIT */

/*
 * able_driver - the driver of the scripted modem with more capabilities than
 * that dialect has, and a look at what it was asked to open.
 *
 * With -Wl,--wrap=driver_find, which then finds this one. A blocking open is
 * made by the script: it leaves CIPOPEN without an answer for a while.
 *
 * Called by: test_broker_open, test_blocking.   Calls: driver.
 */

#ifndef MODEMD_ABLE_DRIVER_H
#define MODEMD_ABLE_DRIVER_H

#include "driver/driver.h"

/* To be set before the modem is made. */
extern unsigned int able_caps;
extern unsigned int able_lacks;	/* of what it has */
extern unsigned int able_links;		/* 0: as many as it has */
extern size_t able_datagram;		/* 0: as long as it can */

/* Of the last open, copied; tls.psk "" when there was no TLS. */
struct able_open {
	struct driver_open_args args;
	struct driver_tls tls;
	char host[DRIVER_HOST_MAX + 1];
	char local_address[64];
	unsigned int count;		/* of all */
	bool sent_to;			/* the last send named an address */
};

extern struct able_open able_open;

#endif
