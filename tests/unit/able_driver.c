/* SPDX-License-Identifier: MIT */

#include <stdio.h>
#include <string.h>

#include "able_driver.h"

unsigned int able_caps;
unsigned int able_lacks;
unsigned int able_links;
size_t able_datagram;
struct able_open able_open;

static struct driver able;

static int look_and_open(void *d, unsigned int slot,
			 const struct driver_open_args *args)
{
	unsigned int count = able_open.count;

	memset(&able_open, 0, sizeof(able_open));
	able_open.count = count + 1;
	able_open.args = *args;
	if (args->tls)
		able_open.tls = *args->tls;
	snprintf(able_open.host, sizeof(able_open.host), "%s", args->host);
	snprintf(able_open.local_address, sizeof(able_open.local_address),
		 "%s", args->local_address ? args->local_address : "");

	return driver_simcom.open(d, slot, args);
}

static int look_and_send(void *d, unsigned int slot, const uint8_t *buf,
			 size_t len, const struct driver_to *to)
{
	able_open.sent_to = to;

	return driver_simcom.send(d, slot, buf, len, to);
}

const struct driver *__wrap_driver_find(const char *dialect);

const struct driver *__wrap_driver_find(const char *dialect)
{
	(void)dialect;
	able = driver_simcom;
	able.caps |= able_caps;
	able.caps &= ~able_lacks;
	able.open = look_and_open;
	able.send = look_and_send;
	if (able_links)
		able.max_links = able_links;
	if (able_datagram)
		able.max_datagram = able_datagram;

	return &able;
}
