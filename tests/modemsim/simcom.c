/* SPDX-License-Identifier: MIT */

#include "simcom.h"

static void booted(struct modem *m)
{
	if (m->opt.banner == BANNER_NONE)
		return;
	if (quirk_on(m->opt.quirks, QUIRK_NUL_BANNER))
		line_out(&m->line, "", 1, false);
	switch (m->opt.banner) {
	case BANNER_RDY:
		urc(m, "RDY");
		break;
	case BANNER_ATREADY:
		urc(m, "*ATREADY: 1");
		break;
	case BANNER_QCRDY:
		urc(m, "QCRDY");
		break;
	case BANNER_NONE:
		break;
	}
	if (quirk_on(m->opt.quirks, QUIRK_STAR_URCS)) {
		urc(m, "*ISIMAID: \"A0000000871004FFFFFFFF89\"");
		urc(m, "*COPN:0,\"%s\"", m->opt.operator_name);
	}
}

static void sim_ready(struct modem *m)
{
	bool pb_first = quirk_on(m->opt.quirks, QUIRK_SMS_AFTER_PB);

	/* nothing is announced to a host that comes to a running modem */
	if (m->boots == 0 || m->opt.banner == BANNER_NONE)
		return;
	urc(m, "+CPIN: %s", simcom_pin_text(m->card.state));
	if (m->card.state != CARD_READY ||
	    quirk_on(m->opt.quirks, QUIRK_NO_PB_DONE))
		return;
	urc(m, pb_first ? "PB DONE" : "SMS DONE");
	urc(m, pb_first ? "SMS DONE" : "PB DONE");
}

static void net_opened(struct modem *m, int err)
{
	urc(m, "+NETOPEN: %d", err);
}

static void net_closed(struct modem *m)
{
	urc(m, "+NETCLOSE: 0");
}

static void net_lost(struct modem *m)
{
	if (quirk_on(m->opt.quirks, QUIRK_CIPEVENT_TIGHT))
		urc(m, "+CIPEVENT:NETWORK CLOSED UNEXPECTEDLY");
	else
		urc(m, "+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY");
	if (m->set.cgerep > 0)
		urc(m, "+CGEV: ME PDN DEACT 1");
}

static void opened(struct modem *m, unsigned int link, int err)
{
	if (m->links[link].ok_after) {
		m->links[link].ok_after = false;
		reply_text_ok(m, "+CIPOPEN: %u,%d", link, err);
		return;
	}
	urc(m, "+CIPOPEN: %u,%d", link, err);
}

static void sent(struct modem *m, unsigned int link, int req, int cnf)
{
	urc(m, "+CIPSEND: %u,%d,%d", link, req, cnf);
}

static void readable(struct modem *m, unsigned int link)
{
	urc(m, "+CIPRXGET: 1,%u", link);
}

static void closed(struct modem *m, unsigned int link, int reason)
{
	if (quirk_take(m->opt.quirks, QUIRK_IPCLOSE_LOST))
		return;
	if (quirk_on(m->opt.quirks, QUIRK_IPCLOSE_TIGHT))
		urc(m, "+IPCLOSE:%u,%d", link, reason);
	else if (quirk_on(m->opt.quirks, QUIRK_IPCLOSE_NO_COLON))
		urc(m, "+IPCLOSE %u,%d", link, reason);
	else
		urc(m, "+IPCLOSE: %u,%d", link, reason);
}

static void close_done(struct modem *m, unsigned int link)
{
	urc(m, "+CIPCLOSE: %u,0", link);
}

static const struct command_row *const tables[] = {
	simcom_general_rows,
	simcom_sim_rows,
	simcom_radio_rows,
	simcom_pdp_rows,
	simcom_net_rows,
	simcom_open_rows,
	simcom_send_rows,
	simcom_rxget_rows,
	simcom_settings_rows,
	simcom_dns_rows,
	NULL
};

const struct dialect simcom_dialect = {
	.tables		= tables,
	.defaults	= simcom_defaults,
	.booted		= booted,
	.sim_ready	= sim_ready,
	.registered	= simcom_registered,
	.net_opened	= net_opened,
	.net_closed	= net_closed,
	.net_lost	= net_lost,
	.opened		= opened,
	.sent		= sent,
	.readable	= readable,
	.closed		= closed,
	.close_done	= close_done,
};
