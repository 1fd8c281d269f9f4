/* SPDX-License-Identifier: MIT */

/* modemctl nc -l: a server in the modem, for one connection. */

#include <errno.h>
#include <stdio.h>

#include "nc.h"

/* modemd answers when the modem listens; a signal ends us until then. */
int nc_listen_start(struct nc *nc)
{
	struct modemclient_listen_options o = MODEMCLIENT_LISTEN_OPTIONS_INIT;
	int timeout_ms = CTL_TIMEOUT_MS + (int)nc->wait_s * 1000;

	o.port = (uint16_t)nc->port;
	o.max_links = 1;
	o.wait_ms = (uint32_t)nc->wait_s * 1000;
	o.family = nc->options.family;
	o.tls = nc->options.use_tls;
	o.verify = nc->options.tls.verify;
	if (modemclient_listen(nc->ctl->mc, &o, timeout_ms, &nc->listener) < 0)
		return ctl_fail_client(nc->ctl);

	return CTL_DONE;
}

int nc_listen(struct nc *nc, struct pollfd p[NC_FDS])
{
	int64_t deadline = 0;
	int err;

	if (nc->connect_s >= 0)
		deadline = nc_now_ms() + nc->connect_s * 1000;
	p[NC_INPUT].fd = p[NC_OUTPUT].fd = -1;
	while ((err = modemclient_accept(nc->listener, 0, &nc->link)) ==
	       -EAGAIN) {
		if (nc->interrupted)
			return ctl_fail(nc->ctl, "interrupted before anybody "
					"connected");
		if (deadline && nc_now_ms() >= deadline)
			return ctl_fail(nc->ctl, "port %ld: nobody connected "
					"within %ld s", nc->port,
					nc->connect_s);
		nc_step(nc, p, deadline);
	}
	if (err < 0)
		return ctl_fail_client(nc->ctl);
	snprintf(nc->peer, sizeof(nc->peer), "%s",
		 modemclient_link_remote(nc->link));
	nc->host = nc->peer;

	return CTL_DONE;
}
