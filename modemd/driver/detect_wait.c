/* SPDX-License-Identifier: MIT */

/* What has to wait until it is known which driver speaks with the modem. */

#include <errno.h>

#include "driver/detect_private.h"

static int open_link(void *d, unsigned int slot,
		     const struct driver_open_args *a)
{
	(void)d;
	(void)slot;
	(void)a;

	return -EBUSY;
}

static int send_data(void *d, unsigned int slot, const uint8_t *buf,
		     size_t len, const struct driver_to *to)
{
	(void)d;
	(void)slot;
	(void)buf;
	(void)len;
	(void)to;

	return -EBUSY;
}

static int pull(void *d, unsigned int slot, size_t max)
{
	(void)d;
	(void)slot;
	(void)max;

	return -EBUSY;
}

static int of_one(void *d, unsigned int n)
{
	(void)d;
	(void)n;

	return -EBUSY;
}

static int listen_to(void *d, unsigned int index,
		     const struct driver_listen_args *a)
{
	(void)d;
	(void)index;
	(void)a;

	return -EBUSY;
}

static int receive(void *d, enum driver_receive mode)
{
	(void)d;
	(void)mode;

	return -EBUSY;
}

static int of_all(void *d)
{
	(void)d;

	return -EBUSY;
}

static int query(void *d, unsigned int id, enum driver_query what,
		 const struct driver_query_args *args)
{
	(void)d;
	(void)id;
	(void)what;
	(void)args;

	return -EBUSY;
}

static const char *forbids(const char *command)
{
	(void)command;

	return NULL;
}

static int lease(void *d, const struct driver_lease_args *args)
{
	(void)d;
	(void)args;

	return -EBUSY;
}

static size_t lease_write(void *d, const uint8_t *data, size_t len)
{
	(void)d;
	(void)data;
	(void)len;

	return 0;
}

static void on_data(void *d, const uint8_t *data, size_t len, bool last)
{
	(void)d;
	(void)data;
	(void)len;
	(void)last;
}

static long setting(void *d, unsigned int n)
{
	(void)d;
	(void)n;

	return -1;
}

static const struct driver_setting no_settings[] = { { NULL } };

/* It can do nothing, and nothing is refused for that: all caps. */
const struct driver driver_auto = {
	.name		= "auto",
	.dialect	= &detect_dialect,
	.max_listeners	= DRIVER_LISTENERS_MAX,
	.max_send	= 1500,		/* bytes that a modem may wait for */
	.max_datagram	= SIZE_MAX,
	.max_pull	= 1,
	.caps		= ~0U,
	.settings	= no_settings,
	.new		= detect_new,
	.free		= detect_free,
	.stage		= detect_stage,
	.open		= open_link,
	.send		= send_data,
	.pull		= pull,
	.close		= of_one,
	.listen		= listen_to,
	.unlisten	= of_one,
	.receive	= receive,
	.audit		= of_all,
	.query		= query,
	.ping_stop	= of_all,
	.forbids	= forbids,
	.lease		= lease,
	.lease_write	= lease_write,
	.unlease	= of_all,
	.line		= detect_line,
	.data		= on_data,
	.reset		= detect_reset,
	.info		= detect_info,
	.setting	= setting,
	.wanted		= setting,
};
