/* SPDX-License-Identifier: MIT */

/* CIFSR, CIPDNS: W800 manual; CIPSTA, CIPSTAMAC: W800 guide. */

#include <stdio.h>
#include <string.h>

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
	reply_text(m, "%s:ip:\"%s\"", m->cmd.row->name,
		   up ? m->opt.address : "0.0.0.0");
	reply_text(m, "%s:gateway:\"%s\"", m->cmd.row->name,
		   up ? "10.0.0.1" : "0.0.0.0");
	reply_text(m, "%s:netmask:\"%s\"", m->cmd.row->name,
		   up ? "255.255.255.0" : "0.0.0.0");
	if (up && m->w800->flash.ipv6)
		reply_text(m, "%s:ip6ll:\"%s\"", m->cmd.row->name,
		   ip6_ll);
	reply_ok(m);
}

static void cipstamac(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "%s:\"%s\"", m->cmd.row->name, mac);
}

/* --address is what the access point's DHCP server gives. */
static void cipsta_write(struct modem *m, struct args *a)
{
	struct address ip;
	size_t i;

	for (i = 0; i < a->count; i++) {
		if (args_str(a, i) == NULL ||
		    !address_parse(&ip, args_str(a, i)) || i > 2)
			break;
	}
	if (i == 0 || i < a->count)
		w800_bad(m);
	else
		reply_ok(m);
}

/* "The DNS server will revert to 208.67.222.222 and 8.8.8.8" */
static void set_dns(struct w800_dns *dns, const char *first,
		    const char *second)
{
	snprintf(dns->ip[0], sizeof(dns->ip[0]), "%s",
		 first != NULL ? first : "208.67.222.222");
	snprintf(dns->ip[1], sizeof(dns->ip[1]), "%s",
		 second != NULL ? second : "8.8.8.8");
}

void w800_dns_defaults(struct w800_dns *dns)
{
	dns->manual = 0;
	set_dns(dns, NULL, NULL);
}

static void dns_read(struct modem *m, struct args *a)
{
	const struct w800_dns *dns = &m->w800->flash.dns;

	(void)a;
	reply_text_ok(m, "%s:%d,\"%s\",\"%s\"", m->cmd.row->name,
		      dns->manual, dns->ip[0], dns->ip[1]);
}

static bool is_address(const char *text)
{
	struct address a;

	return text == NULL || address_parse(&a, text);
}

/* Stored; names are asked of the host's name servers all the same. */
static void dns_write(struct modem *m, struct args *a)
{
	const char *first = args_str(a, 1), *second = args_str(a, 2);
	struct w800_dns *dns = &m->w800->flash.dns;
	int manual;

	if (!args_int(a, 0, 0, 1, &manual) || a->count > 3 ||
	    (manual == 0 && a->count > 1) || !is_address(first) ||
	    !is_address(second) || args_present(a, 1) != (first != NULL) ||
	    args_present(a, 2) != (second != NULL)) {
		w800_bad(m);
		return;
	}
	/* "cannot be set on the same server" */
	if (first != NULL && second != NULL && strcmp(first, second) == 0) {
		reply_error(m);
		return;
	}
	dns->manual = manual;
	set_dns(dns, first, second);
	w800_save(m);
	reply_ok(m);
}

const struct command_row w800_address_rows[] = {
	{ "+CIPDNS", COMMAND_TCP, "", dns_read, dns_write, NULL },
	{ "+CIPDNS_CUR", W800_RELATIVES, "", dns_read, dns_write, NULL },
	{ "+CIPDNS_DEF", W800_RELATIVES, "", dns_read, dns_write, NULL },
	{ "+CIFSR", 0, "", NULL, NULL, cifsr },
	{ "+CIPSTA", 0, "", cipsta, cipsta_write, NULL },
	{ "+CIPSTA_CUR", W800_RELATIVES, "", cipsta, cipsta_write, NULL },
	{ "+CIPSTAMAC", 0, "", cipstamac, NULL, NULL },
	{ "+CIPSTAMAC_CUR", W800_RELATIVES, "", cipstamac, NULL, NULL },
	{ .name = NULL }
};
