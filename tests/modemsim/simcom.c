/* SPDX-License-Identifier: MIT */

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

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

static void on_done(evutil_socket_t fd, short what, void *ctx)
{
	struct modem *m = ctx;
	bool pb_first = quirk_on(m->opt.quirks, QUIRK_SMS_AFTER_PB);

	(void)fd;
	(void)what;
	urc(m, pb_first ? "PB DONE" : "SMS DONE");
	urc(m, pb_first ? "SMS DONE" : "PB DONE");
}

static void sim_ready(struct modem *m)
{
	/* nothing is announced to a host that comes to a running modem */
	if (m->boots == 0 || m->opt.banner == BANNER_NONE)
		return;
	urc(m, "+CPIN: %s", simcom_pin_text(m->card.state));
	if (m->card.state != CARD_READY ||
	    quirk_on(m->opt.quirks, QUIRK_NO_PB_DONE))
		return;
	if (quirk_on(m->opt.quirks, QUIRK_PB_DONE_LATE))
		modem_after(m, &m->done_timer, m->opt.late_ms, on_done, m);
	else
		on_done(-1, 0, m);
}

static void net_opened(struct modem *m, int err)
{
	/* A7600 manual 6.4.2 prints the second form once (Q30) */
	const char *more = quirk_on(m->opt.quirks, QUIRK_NETOPEN_RESULT_TWO) ?
			   ",0" : "";

	if (m->net.ok_after) {
		m->net.ok_after = false;
		reply_text_ok(m, "+NETOPEN: %d%s", err, more);
		return;
	}
	urc(m, "+NETOPEN: %d%s", err, more);
}

static void net_closed(struct modem *m)
{
	if (m->net.ok_after) {
		m->net.ok_after = false;
		reply_text_ok(m, "+NETCLOSE: 0");
		return;
	}
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
	if (m->links[link].wants_connect) {
		m->links[link].wants_connect = false;
		if (err == NET_OK)
			data_enter(m);
		else
			reply_connect_fail(m);
		return;
	}
	if (m->links[link].ok_after) {
		m->links[link].ok_after = false;
		reply_text_ok(m, "+CIPOPEN: %u,%d", link, err);
		return;
	}
	urc(m, "+CIPOPEN: %u,%d", link, err);
}

/* Q77 */
static void accepted(struct modem *m, unsigned int link)
{
	const struct link *l = &m->links[link];

	if (quirk_take(m->opt.quirks, QUIRK_CLIENT_LOST))
		return;
	if (quirk_on(m->opt.quirks, QUIRK_CLIENT_QUOTED))
		urc(m, "+CLIENT: %u,%d,\"%s\":%u", link, l->server,
		    l->address, l->port);
	else if (quirk_on(m->opt.quirks, QUIRK_CLIENT_NO_INDEX))
		urc(m, "+CLIENT: %u,%s:%u", link, l->address, l->port);
	else
		urc(m, "+CLIENT: %u,%d,%s:%u", link, l->server, l->address,
		    l->port);
}

static void sent(struct modem *m, unsigned int link, int req, int cnf)
{
	urc(m, "+CIPSEND: %u,%d,%d", link, req, cnf);
}

static void readable(struct modem *m, unsigned int link)
{
	urc(m, "+CIPRXGET: 1,%u", link);
}

/* A7600 manual 1.2, 2.8, 2.9, 2.13; spelling: Q74 to Q76 */
static char *data_header(struct modem *m, char *p, unsigned int link, size_t n)
{
	bool receive = m->set.ccfg[4] == 1 &&
		       !quirk_on(m->opt.quirks, QUIRK_HEADER_TYPE_IGNORED);

	if (receive && quirk_on(m->opt.quirks, QUIRK_RECEIVE_SPACED))
		return p + sprintf(p, "\r\n+RECEIVE: %u,%zu", link, n);
	if (receive && quirk_on(m->opt.quirks, QUIRK_RECEIVE_COLON))
		return p + sprintf(p, "\r\n+RECEIVE,%u,%zu:", link, n);
	if (receive)
		return p + sprintf(p, "\r\n+RECEIVE,%u,%zu", link, n);
	if (quirk_on(m->opt.quirks, QUIRK_IPD_PARENS))
		return p + sprintf(p, "\r\n+IPD(%zu)", n);
	return p + sprintf(p, "\r\n+IPD%zu", n);
}

static char *sender(struct modem *m, char *p, const struct address *from)
{
	char address[ADDRESS_TEXT];
	bool plus = quirk_on(m->opt.quirks, QUIRK_RECV_FROM_PLUS);
	bool blank = quirk_on(m->opt.quirks, QUIRK_RECV_FROM_BLANK);

	return p + sprintf(p, "\r\n%sRECV FROM:%s%s:%u", plus ? "+" : "",
			   blank ? " " : "", address_text(from, address),
			   address_port(from));
}

static void pushed(struct modem *m, unsigned int link,
		   const struct address *from, const void *data, size_t n)
{
	char head[128], *p = head;

	if (m->set.srip)
		p = sender(m, p, from);
	if (m->set.head)
		p = data_header(m, p, link, n);
	if (p > head)
		p += sprintf(p, "\r\n");
	line_out(&m->line, head, (size_t)(p - head), false);
	reply_raw(m, data, n);
}

/* Q79 */
static void streamed(struct modem *m, const struct address *from)
{
	char head[64], *p;

	if (!quirk_on(m->opt.quirks, QUIRK_TRANSPARENT_RECV_FROM))
		return;
	p = sender(m, head, from);
	p += sprintf(p, "\r\n");
	line_out(&m->line, head, (size_t)(p - head), false);
}

static void stream_ended(struct modem *m)
{
	if (quirk_on(m->opt.quirks, QUIRK_END_NO_CARRIER))
		reply_no_carrier(m);
	else if (quirk_on(m->opt.quirks, QUIRK_END_IPCLOSE))
		urc_now(m, "+IPCLOSE: 0,1");
	else if (quirk_on(m->opt.quirks, QUIRK_END_CIPCLOSE))
		urc_now(m, "+CIPCLOSE: 0,0");
	else if (quirk_on(m->opt.quirks, QUIRK_END_SILENT))
		return;
	else
		urc_now(m, "CLOSED");
}

/* Q64, Q87: what one manual or the other prints */
static const char *misprint(struct modem *m, const char *name)
{
	static const char *const texts[][2] = {
		{ "+CIPRXGET", "+CIPRXGET: (0-4),(1-1500)" },
		{ "+CIPSEND", "AT+CIPSEND: (0-9),(1-1500)" },
		{ "+SERVERSTART", "+SERVERSTART: 0,1000" },
		{ "+CIPCCFG", "+CIPCCFG: (0-10),(0-1000),(0),(0-1),(0-1),(0),"
		  "(500-120000)" },
	};
	size_t i;

	if (!quirk_on(m->opt.quirks, QUIRK_MISPRINTS))
		return NULL;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strcmp(texts[i][0], name) == 0)
			return texts[i][1];
	}
	return NULL;
}

static void test(struct modem *m, const struct command_row *row)
{
	const char *text = misprint(m, row->name);

	if (row->test == NULL)
		reply_error(m);
	else if (text != NULL)
		reply_text_ok(m, "%s", text);
	else if (*row->test == '\0')
		reply_ok(m);
	else
		reply_text_ok(m, "%s", row->test);
}

static const char *head(const struct modem *m, enum reply_kind kind)
{
	(void)m;
	(void)kind;
	return "\r\n";
}

static int init(struct modem *m)
{
	(void)m;
	return 0;
}

static void done(struct modem *m)
{
	(void)m;
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
	if (m->links[link].close_ok_after) {
		m->links[link].close_ok_after = false;
		reply_text_ok(m, "+CIPCLOSE: %u,0", link);
		return;
	}
	urc(m, "+CIPCLOSE: %u,0", link);
}

static const char *const foreign_urcs[] = {
	"+CMTI: \"SM\",4", "+CGPS: 0", "+CUSD: 0,\"bye\",72",
	"+CGNSSPWR: READY!", "$GNRMC,,V,,,,,,,,,,N*4D", "$OK*04",
	"+SIMCARD: NOT AVAILABLE", "PB DONE", "*COPN: 0", NULL
};

static const struct command_row *const tables[] = {
	simcom_general_rows,
	simcom_uart_rows,
	simcom_stored_rows,
	simcom_sim_rows,
	simcom_radio_rows,
	simcom_pdp_rows,
	simcom_net_rows,
	simcom_open_rows,
	simcom_close_rows,
	simcom_send_rows,
	simcom_rxget_rows,
	simcom_settings_rows,
	simcom_dns_rows,
	simcom_server_rows,
	simcom_ping_rows,
	NULL
};

const struct dialect simcom_dialect = {
	.name		= "simcom",
	.links		= 10,
	.servers	= 4,
	.buffer		= 16384,
	.short_breaks	= true,		/* A7600 manual 2.4 */
	.push_max	= 1500,		/* A7600 manual 2.5, note 3 */
	.boot_urc	= "PB DONE",
	.odd_urc	= "+CGEV: EPS PDN ACT 1",
	.foreign_urcs	= foreign_urcs,
	.stream		= {
		/* A7600 manual 1.2, 4 */
		.guard_ms = 1000, .between_ms = 900,
		.packet_max = 1460, .packet_ms = 20,
	},
	.cut		= chain_next,
	.parse		= args_parse,
	.head		= head,
	.unknown	= reply_error,
	.malformed	= reply_error,
	.test		= test,
	.init		= init,
	.free		= done,
	.tables		= tables,
	.refuses	= simcom_refuses,
	.defaults	= simcom_defaults,
	.booted		= booted,
	.sim_ready	= sim_ready,
	.registered	= simcom_registered,
	.attached	= simcom_attached,
	.net_opened	= net_opened,
	.net_closed	= net_closed,
	.net_lost	= net_lost,
	.opened		= opened,
	.accepted	= accepted,
	.sent		= sent,
	.readable	= readable,
	.pushed		= pushed,
	.streamed	= streamed,
	.stream_ended	= stream_ended,
	.closed		= closed,
	.close_done	= close_done,
};
