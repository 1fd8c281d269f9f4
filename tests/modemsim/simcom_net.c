/* SPDX-License-Identifier: MIT */

/* NETOPEN, NETCLOSE, IPADDR: A7600 manual 2.1, 2.2, 2.7. */

#include "simcom.h"

static void netopen_read(struct modem *m, struct args *a)
{
	int open = m->net.state == NET_STATE_OPEN;

	(void)a;
	if (quirk_on(m->opt.quirks, QUIRK_NETOPEN_TWO_FIELDS))
		reply_text_ok(m, "+NETOPEN: %d, 0", open);
	else
		reply_text_ok(m, "+NETOPEN: %d", open);
}

/* OK comes first, but for the quirk. */
static void start(struct modem *m)
{
	m->net.ok_after = quirk_on(m->opt.quirks,
				   QUIRK_NETOPEN_RESULT_FIRST);
	if (!m->net.ok_after)
		reply_ok(m);
}

static void netopen(struct modem *m, struct args *a)
{
	(void)a;
	if (quirk_take(m->opt.quirks, QUIRK_REBOOT_ON_NETOPEN)) {
		modem_reboot(m);
	} else if (m->net.state == NET_STATE_OPEN) {
		if (quirk_on(m->opt.quirks, QUIRK_NETOPEN_AGAIN_ERROR))
			reply_error(m);
		else
			reply_ip_error(m, IP_INFO_ALREADY_OPENED);
	} else if (m->net.state != NET_STATE_CLOSED ||
		   m->card.state != CARD_READY ||
		   quirk_take(m->opt.quirks, QUIRK_NETOPEN_ERROR)) {
		reply_error(m);		/* "other", also A7600 appnote 1.5.1 */
	} else {
		start(m);
		net_open(m);
	}
}

static void netclose(struct modem *m, struct args *a)
{
	(void)a;
	if (m->net.state == NET_STATE_OPEN) {
		start(m);
		if (m->links[DATA_LINK].transparent) {
			urc(m, "CLOSED");	/* A7600 manual 2.2, case 2 */
			urc(m, "+CIPCLOSE: %d,0", DATA_LINK);
		}
		net_close(m);
	} else if (m->net.state == NET_STATE_OPENING ||
		   m->net.state == NET_STATE_CLOSING) {
		reply_error(m);
	} else if (quirk_on(m->opt.quirks, QUIRK_NETCLOSE_LEGACY)) {
		reply_text(m, "+IP ERROR: %d", IP_INFO_ALREADY_CLOSED);
		reply_error(m);
	} else {
		reply_text(m, "+NETCLOSE: %d", NET_NOT_OPENED);	/* Q35 */
		reply_error(m);
	}
}

static void ipaddr(struct modem *m, struct args *a)
{
	(void)a;
	if (m->net.state == NET_STATE_OPEN) {
		reply_text_ok(m, "+IPADDR: %s", m->opt.address);
	} else if (quirk_on(m->opt.quirks, QUIRK_IPADDR_SPELLING)) {
		/* A7600 appnote 3.1.4 */
		reply_text(m, "+IPADDR: Network not opened");
		reply_error(m);
	} else {
		reply_ip_error(m, IP_INFO_NOT_OPENED);
	}
}

const struct command_row simcom_net_rows[] = {
	{ "+NETOPEN", COMMAND_TCP, NULL, netopen_read, NULL, netopen },
	{ "+NETCLOSE", COMMAND_TCP, NULL, NULL, NULL, netclose },
	{ "+IPADDR", COMMAND_TCP, NULL, NULL, NULL, ipaddr },
	{ .name = NULL }
};
