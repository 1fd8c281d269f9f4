/* SPDX-License-Identifier: MIT */

/* Packet contexts: CGDCONT, CGAUTH, CGATT, CGACT, CGPADDR and their like. */

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "simcom.h"

#define LIST_MAX	2048

static void copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from != NULL ? from : "");
}

/* Lines of one block, then OK; nothing but OK if there are none. */
static void reply_list(struct modem *m, const char *list)
{
	if (*list != '\0')
		reply_text(m, "%s", list);
	reply_ok(m);
}

static size_t add_separator(char *list, size_t at)
{
	return at > 0 ? at + (size_t)sprintf(list + at, "\r\n") : 0;
}

static void cgdcont_read(struct modem *m, struct args *a)
{
	char list[LIST_MAX] = "";
	size_t at = 0, i;

	(void)a;
	for (i = 1; i < SETTINGS_CONTEXTS; i++) {
		const struct context *c = &m->profile.ctx[i];

		if (!c->defined || at > LIST_MAX - 256)
			continue;
		at = add_separator(list, at);
		at += (size_t)sprintf(list + at,
				"+CGDCONT: %zu,\"%s\",\"%s\",\"%s\",0,0",
				i, c->type, c->apn, c->address);
	}
	reply_list(m, list);
}

static bool is_type(const char *type)
{
	return strcasecmp(type, "IP") == 0 || strcasecmp(type, "IPV6") == 0 ||
	       strcasecmp(type, "IPV4V6") == 0 || strcasecmp(type, "PPP") == 0;
}

static void cgdcont_write(struct modem *m, struct args *a)
{
	struct context *c;
	const char *type = args_str(a, 1);
	int cid;

	if (!args_int(a, 0, 1, SETTINGS_CONTEXTS - 1, &cid) ||
	    (a->count > 1 && (type == NULL || !is_type(type))) ||
	    (args_str(a, 2) && strlen(args_str(a, 2)) >= sizeof(c->apn))) {
		reply_error(m);
		return;
	}
	c = &m->profile.ctx[cid];
	memset(c, 0, offsetof(struct context, auth));
	if (type != NULL) {
		c->defined = true;
		copy(c->type, sizeof(c->type), type);
		copy(c->apn, sizeof(c->apn), args_str(a, 2));
		copy(c->address, sizeof(c->address), args_str(a, 3));
	}
	reply_ok(m);
}

static void cgauth_read(struct modem *m, struct args *a)
{
	char list[LIST_MAX] = "";
	size_t at = 0, i;

	(void)a;
	for (i = 1; i < SETTINGS_CONTEXTS; i++) {
		const struct context *c = &m->profile.ctx[i];

		if (c->auth == 0 || at > LIST_MAX - 256)
			continue;
		at = add_separator(list, at);
		at += (size_t)sprintf(list + at,
				      "+CGAUTH: %zu,%d,\"%s\",\"%s\"",
				      i, c->auth, c->user, c->password);
	}
	reply_list(m, list);
}

/* AT+CGAUTH=<cid>[,<type>[,<password>[,<user>]]], in SIMCom's order */
static void cgauth_write(struct modem *m, struct args *a)
{
	const char *password = args_str(a, 2), *user = args_str(a, 3);
	int cid, type = 0;
	struct context *c;

	if (!args_int(a, 0, 1, SETTINGS_CONTEXTS - 1, &cid) ||
	    !args_opt_int(a, 1, 0, 3, &type) ||
	    (type > 0 && password == NULL) ||
	    (password && strlen(password) > 64) ||
	    (user && strlen(user) > 64)) {
		reply_error(m);
		return;
	}
	c = &m->profile.ctx[cid];
	c->auth = type;
	copy(c->user, sizeof(c->user), type ? user : NULL);
	copy(c->password, sizeof(c->password), type ? password : NULL);
	reply_ok(m);
}

static void cgatt_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CGATT: %d", radio_registered(m));
}

void simcom_attached(struct modem *m)
{
	if (radio_registered(m))
		reply_ok(m);
	else
		reply_cme(m, CME_NO_SERVICE);
}

/* The final line tells whether one is attached, 27.007 10.1.9. */
static void cgatt_write(struct modem *m, struct args *a)
{
	int on;

	if (!args_int(a, 0, 0, 1, &on)) {
		reply_error(m);
		return;
	}
	if (on) {
		command_block(m);
		radio_attach(m);
		return;
	}
	reply_ok(m);
	if (m->net.state == NET_STATE_OPEN)
		net_lose(m, false, TCP_RST, 0);
	m->radio.away = false;
	radio_set(m, RADIO_NONE);
}

/* On LTE the default bearer is up as soon as one is registered. */
static bool is_active(const struct modem *m, int cid)
{
	return cid == 1 && radio_registered(m) &&
	       !quirk_on(m->opt.quirks, QUIRK_NETOPEN_NO_BEARER);
}

static void cgact_read(struct modem *m, struct args *a)
{
	char list[LIST_MAX] = "";
	size_t at = 0;
	int i;

	(void)a;
	for (i = 1; i < SETTINGS_CONTEXTS; i++) {
		if (!m->profile.ctx[i].defined)
			continue;
		at = add_separator(list, at);
		at += (size_t)sprintf(list + at, "+CGACT: %d,%d", i,
				      is_active(m, i));
	}
	reply_list(m, list);
}

static void cgact_write(struct modem *m, struct args *a)
{
	int on, cid = 1;

	if (!args_int(a, 0, 0, 1, &on) ||
	    !args_opt_int(a, 1, 1, SETTINGS_CONTEXTS - 1, &cid) ||
	    !m->profile.ctx[cid].defined)
		reply_error(m);
	else if (on && !is_active(m, 1))
		reply_cme(m, CME_UNKNOWN);
	else
		reply_ok(m);
}

static void cgpaddr(struct modem *m, struct args *a)
{
	char list[LIST_MAX] = "";
	size_t at = 0;
	int i, cid = 0;

	if (!args_opt_int(a, 0, 1, SETTINGS_CONTEXTS - 1, &cid)) {
		reply_error(m);
		return;
	}
	for (i = 1; i < SETTINGS_CONTEXTS; i++) {
		if (!m->profile.ctx[i].defined || (cid != 0 && cid != i))
			continue;
		at = add_separator(list, at);
		at += (size_t)sprintf(list + at, "+CGPADDR: %d,%s", i,
				is_active(m, i) ? m->opt.address : "0.0.0.0");
	}
	reply_list(m, list);
}

/* Which context NETOPEN activates. */
static void csocksetpn_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CSOCKSETPN: %d", m->set.socket_cid);
}

static void csocksetpn_write(struct modem *m, struct args *a)
{
	if (a->count == 1 && args_int(a, 0, 1, SETTINGS_CONTEXTS - 1,
				      &m->set.socket_cid))
		reply_ok(m);
	else
		reply_error(m);
}

static void cgerep_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CGEREP: %d,%d", m->set.cgerep, m->set.cgerep_bfr);
}

static void cgerep_write(struct modem *m, struct args *a)
{
	struct settings *s = &m->set;

	if (!args_opt_int(a, 0, 0, 2, &s->cgerep) ||
	    !args_opt_int(a, 1, 0, 1, &s->cgerep_bfr)) {
		reply_error(m);
		return;
	}
	reply_ok(m);
	modem_flood(m);
}

static void cgerep_exec(struct modem *m, struct args *a)
{
	(void)a;
	m->set.cgerep = 0;
	m->set.cgerep_bfr = 0;
	reply_ok(m);
}

const struct command_row simcom_pdp_rows[] = {
	{ "+CGDCONT", 0, "+CGDCONT: (1-15),\"IP\",,,(0-1),(0-1)\r\n"
	  "+CGDCONT: (1-15),\"IPV6\",,,(0-1),(0-1)\r\n"
	  "+CGDCONT: (1-15),\"IPV4V6\",,,(0-1),(0-1)",
	  cgdcont_read, cgdcont_write, NULL },
	{ "+CGAUTH", 0, "+CGAUTH: (1-15),(0-3),64,64",
	  cgauth_read, cgauth_write, NULL },
	{ "+CGATT", 0, "+CGATT: (0,1)", cgatt_read, cgatt_write, NULL },
	{ "+CGACT", 0, "+CGACT: (0,1)", cgact_read, cgact_write, NULL },
	{ "+CGPADDR", 0, "+CGPADDR: (1-15)", NULL, cgpaddr, cgpaddr },
	{ "+CSOCKSETPN", 0, "+CSOCKSETPN: (1-15)",
	  csocksetpn_read, csocksetpn_write, NULL },
	{ "+CGEREP", 0, "+CGEREP: (0-2),(0-1)",
	  cgerep_read, cgerep_write, cgerep_exec },
	{ .name = NULL }
};
