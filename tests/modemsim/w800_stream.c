/* SPDX-License-Identifier: MIT */

/*
 * Passthrough: when its link ends it is opened again, for as long as data
 * mode lasts (W800 manual, CIPRECONNINTV). The host is told nothing.
 */

#include <string.h>

#include "w800.h"

static void on_reopen(evutil_socket_t fd, short what, void *ctx);

static void again(struct modem *m)
{
	modem_after(m, &m->w800->reopen_timer,
		    (unsigned int)m->w800->flash.recon_100ms * 100,
		    on_reopen, m);
}

static void on_reopen(evutil_socket_t fd, short what, void *ctx)
{
	struct modem *m = ctx;
	struct w800_request *r = &m->w800->stream;

	(void)fd;
	(void)what;
	if (!m->data.on)
		return;
	if (!w800_has_ip(m) || m->links[DATA_LINK].state != LINK_FREE) {
		again(m);
		return;
	}
	m->w800->reopening = true;
	w800_open(m, r);
}

void w800_stream_ended(struct modem *m)
{
	if (quirk_on(m->opt.quirks, QUIRK_STREAM_WORDS))
		urc_now(m, "CLOSED");
	again(m);
}

void w800_stream_opened(struct modem *m, int err)
{
	m->w800->reopening = false;
	if (!m->data.on) {
		if (err == NET_OK)	/* escaped from meanwhile */
			w800_tell_link(m, DATA_LINK, "CONNECT");
		return;
	}
	if (err != NET_OK) {
		again(m);
		return;
	}
	m->links[DATA_LINK].transparent = true;
	if (quirk_on(m->opt.quirks, QUIRK_STREAM_WORDS))
		urc_now(m, "CONNECT");
}
