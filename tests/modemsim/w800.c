/* SPDX-License-Identifier: MIT */

/* The dialect as a whole: its tables, its boot, its defaults. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "w800.h"

static void booted(struct modem *m)
{
	/* Q119: what the ROM says at another rate looks like this */
	static const uint8_t noise[] = {
		0x00, 0x7f, 0x9c, 0xe0, 0x1c, 0x73, 'r', 's', 't', 0x8e, 0xff,
		'\r', '\n', 0xc3, 0x07,
	};

	if (m->opt.family == W800_OLD)
		return;
	if (quirk_on(m->opt.quirks, QUIRK_NUL_BANNER))
		line_out(&m->line, "", 1, false);
	if (quirk_on(m->opt.quirks, QUIRK_BOOT_NOISE))
		line_out(&m->line, noise, sizeof(noise), false);
	/* W800's source prints it without a CR LF in front (Q119) */
	if (m->opt.banner != BANNER_NONE)
		urc(m, m->opt.family == W800_ESP ? "\r\nready" : "ready");
	w800_wifi_start(m);
}

/* What SIM cards and packet contexts have to tell: there are none. */
static void nothing(struct modem *m)
{
	(void)m;
}

static void net_opened(struct modem *m, int err)
{
	(void)m;
	(void)err;
}

static void streamed(struct modem *m, const struct address *from)
{
	(void)m;
	(void)from;
}

static void close_done(struct modem *m, unsigned int link)
{
	(void)m;
	(void)link;
}

void w800_factory(struct modem *m)
{
	m->w800->saved = (struct w800_flash){
		.sysstore = 1, .cwmode = 1, .autoconn = 1, .reconn_s = 1,
		.ipv6 = 1, .dhcp = 3, .recon_100ms = 1,
	};
	w800_dns_defaults(&m->w800->saved.dns);
	w800_softap_defaults(&m->w800->saved.softap);
}

static void defaults(struct modem *m)
{
	struct w800 *w = m->w800;

	m->set = (struct settings){ .timeout_ms = { 0, 0, 0 } };
	w->flash = w->saved;
	if (w->saved.baud != 0)
		m->line.modem_baud = w->saved.baud;
	m->cmd.echo = m->opt.family == W800_ESP ||
		      m->opt.family == W800_TIGHT;
	w->sending = -1;
	w800_wifi_stop(m);
	w800_open_cancel(m);
	w800_settings_defaults(m);
	w800_tls_defaults(m);
	w800_server_defaults(m);
	w800_sntp_defaults(m);
	w800_ping_cancel(m);
	w800_send_reset();
	w->hanging = false;
	w->waiting[0] = '\0';
	strcpy(w->hostname, "modemsim");
	if (m->boots == 0 && !m->booting && m->opt.open_at_start)
		w->wifi = W800_WIFI_UP;
}

static int init(struct modem *m)
{
	m->w800 = calloc(1, sizeof(*m->w800));
	if (m->w800 == NULL)
		return -ENOMEM;
	m->w800->m = m;
	w800_factory(m);
	return 0;
}

static void w800_free(struct modem *m)
{
	struct w800 *w = m->w800;

	if (w->wifi_timer != NULL)
		event_free(w->wifi_timer);
	if (w->sntp_timer != NULL)
		event_free(w->sntp_timer);
	if (w->reopen_timer != NULL)
		event_free(w->reopen_timer);
	w800_server_free(m);
	free(w);
	m->w800 = NULL;
}

static const char *const foreign_urcs[] = {
	"+STA_CONNECTED:\"02:00:00:00:00:01\"", "WIFI GOT IPv6 GL",
	"to read 75 bytes", "local port:2390", "change type:2",
	"+DIST_STA_IP:\"02:00:00:00:00:01\",\"192.168.4.2\"", NULL
};

static const struct command_row *const tables[] = {
	w800_general_rows,
	w800_relatives_rows,
	w800_cw_rows,
	w800_softap_rows,
	w800_address_rows,
	w800_open_rows,
	w800_link_rows,
	w800_send_rows,
	w800_receive_rows,
	w800_settings_rows,
	w800_tls_rows,
	w800_server_rows,
	w800_sntp_rows,
	w800_ping_rows,
	NULL
};

const struct dialect w800_dialect = {
	.name		= "w800",
	.links		= W800_LINKS,
	.servers	= 1,
	.buffer		= 5760,
	.push_max	= W800_PUSH_MAX,
	.datagram_max	= W800_DATAGRAM_MAX,
	.urcs_pass	= true,
	.end_when_read	= true,
	.exact_case	= true,
	.boot_urc	= "WIFI GOT IPv6 GL",
	.odd_urc	= "+STA_CONNECTED:\"02:00:00:00:00:01\"",
	.foreign_urcs	= foreign_urcs,
	.stream		= {
		/* W800 manual, +++ and CIPSEND */
		.guard_ms = 30, .between_ms = 30,
		.packet_max = 512, .packet_ms = 30,
		.blocks = true, .stays = true, .silent = true,
	},
	.take_byte	= w800_take_byte,
	.cut		= w800_cut,
	.parse		= w800_parse,
	.head		= w800_head,
	.unknown	= w800_unknown,
	.malformed	= w800_bad,
	.test		= w800_test,
	.done		= w800_done,
	.init		= init,
	.free		= w800_free,
	.tables		= tables,
	.refuses	= w800_refuses,
	.defaults	= defaults,
	.booted		= booted,
	.sim_ready	= nothing,
	.registered	= w800_registered,
	.attached	= nothing,
	.net_opened	= net_opened,
	.net_closed	= nothing,
	.net_lost	= nothing,
	.lose		= w800_wifi_lose,
	.back		= w800_wifi_back,
	.opened		= w800_opened,
	.accepted	= w800_accepted,
	.sent		= w800_sent,
	.readable	= w800_readable,
	.pushed		= w800_pushed,
	.streamed	= streamed,
	.stream_ended	= w800_stream_ended,
	.closed		= w800_closed,
	.close_done	= close_done,
};
