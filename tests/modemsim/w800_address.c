/* SPDX-License-Identifier: MIT */

/* CIFSR, CIPSTA, CIPSTAMAC: W800 manual, W800 guide. */

#include "w800.h"

static const char mac[] = "28:6d:cd:00:00:01";
static const char ap_mac[] = "28:6d:cd:00:00:02";
static const char ip6_ll[] = "fe80::2a6d:cdff:fe00:1";

/* "Only when ... obtained valid interface information": those that there are */
static void cifsr(struct modem *m, struct args *a)
{
	bool up = w800_has_ip(m);

	(void)a;
	if (m->w800->flash.cwmode & 2) {
		reply_text(m, "+CIFSR:APIP,\"192.168.4.1\"");
		reply_text(m, "+CIFSR:APMAC,\"%s\"", ap_mac);
	}
	if (m->w800->flash.cwmode & 1) {
		reply_text(m, "+CIFSR:STAIP,\"%s\"",
			   up ? m->opt.address : "0.0.0.0");
		if (up && m->w800->flash.ipv6)
			reply_text(m, "+CIFSR:STAIP6LL,\"%s\"", ip6_ll);
		reply_text(m, "+CIFSR:STAMAC,\"%s\"", mac);
	}
	reply_ok(m);
}

static void cipsta(struct modem *m, struct args *a)
{
	bool up = w800_has_ip(m);

	(void)a;
	reply_text(m, "+CIPSTA:ip:\"%s\"", up ? m->opt.address : "0.0.0.0");
	reply_text(m, "+CIPSTA:gateway:\"%s\"", up ? "10.0.0.1" : "0.0.0.0");
	reply_text(m, "+CIPSTA:netmask:\"%s\"",
		   up ? "255.255.255.0" : "0.0.0.0");
	if (up && m->w800->flash.ipv6)
		reply_text(m, "+CIPSTA:ip6ll:\"%s\"", ip6_ll);
	reply_ok(m);
}

static void cipstamac(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CIPSTAMAC:\"%s\"", mac);
}

const struct command_row w800_address_rows[] = {
	{ "+CIFSR", 0, "", NULL, NULL, cifsr },
	{ "+CIPSTA", 0, "", cipsta, NULL, NULL },
	{ "+CIPSTA_CUR", 0, "", cipsta, NULL, NULL },
	{ "+CIPSTAMAC", 0, "", cipstamac, NULL, NULL },
	{ "+CIPSTAMAC_CUR", 0, "", cipstamac, NULL, NULL },
	{ .name = NULL }
};
