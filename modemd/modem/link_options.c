/* SPDX-License-Identifier: MIT */

/* What its owner asked of a link when it was opened: kept as long as the link
 * is, since it is asked anew each time the link is restored. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modem/private.h"

/* No linger: a close that waits for the peer would keep everybody waiting. */
static const struct driver_tcp usual_tcp = { .linger_s = -1 };

int link_keep_options(struct link *l, const struct link_args *args)
{
	l->family = (enum driver_family)args->family;
	l->udp_remote = (enum driver_udp_remote)args->udp_remote;
	l->tcp = args->tcp ? *args->tcp : usual_tcp;
	snprintf(l->local_address, sizeof(l->local_address), "%s",
		 args->local_address ? args->local_address : "");
	if (!args->tls)
		return 0;
	l->tls = malloc(sizeof(*l->tls));
	if (!l->tls)
		return -ENOMEM;
	*l->tls = *args->tls;

	return 0;
}

void link_forget_options(struct link *l)
{
	if (l->tls)
		explicit_bzero(l->tls, sizeof(*l->tls));
	free(l->tls);
}

void link_open_args(const struct link *l, struct driver_open_args *out)
{
	*out = (struct driver_open_args){
		.udp = l->kind == LINK_UDP,
		.family = l->family,
		.local_address = l->local_address[0] ? l->local_address : NULL,
		.udp_remote = l->udp_remote,
		.tls = l->tls,
		.tcp = l->tcp,
		.host = l->host,
		.port = l->port,
		.local_port = l->local_port,
	};
}

static bool is_usual(const struct driver_tcp *t)
{
	return t->linger_s == usual_tcp.linger_s && !t->nodelay &&
	       t->send_timeout_ms == 0 && t->keepalive_s == 0;
}

/* It may have been asked before anybody knew which modem this is. */
int link_check_options(const struct link *l)
{
	unsigned int need = 0;

	if (l->tls)
		need |= DRIVER_CAP_TLS;
	if (l->family == DRIVER_IPV6)
		need |= DRIVER_CAP_IPV6;
	if (l->local_address[0])
		need |= DRIVER_CAP_LOCAL_ADDRESS;
	if (l->kind == LINK_TCP && !l->any_port)
		need |= DRIVER_CAP_TCP_LOCAL_PORT;
	if (l->udp_remote != DRIVER_UDP_FIXED)
		need |= DRIVER_CAP_UDP_FOLLOW;
	if (!is_usual(&l->tcp))
		need |= DRIVER_CAP_TCP_OPTIONS;

	return (l->modem->driver->caps & need) == need ? 0 : -EOPNOTSUPP;
}
