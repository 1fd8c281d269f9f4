/* SPDX-License-Identifier: MIT */

/* The CW... commands: W800 guide, Wi-Fi AT. Their aliases: older ESP-AT. */

#include <string.h>

#include "w800.h"

static void cwmode_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "%s:%d", m->cmd.row->name, m->w800->flash.cwmode);
}

static void cwmode(struct modem *m, struct args *a)
{
	struct w800 *w = m->w800;
	int mode, join = 1;
	bool had = w->flash.cwmode & 1;

	if (!args_int(a, 0, 0, 3, &mode) || a->count > 2 ||
	    !args_opt_int(a, 1, 0, 1, &join)) {
		w800_bad(m);
		return;
	}
	w->flash.cwmode = mode;
	w800_save(m);
	reply_ok(m);
	if (had && !(mode & 1))
		w800_wifi_leave(m);
	else if (!had && join && (mode & 1))
		w800_wifi_start(m);
}

static void cwjap_read(struct modem *m, struct args *a)
{
	const struct w800_flash *f = &m->w800->flash;

	(void)a;
	if (m->w800->wifi == W800_WIFI_UP)
		reply_text_ok(m, "%s:\"%s\",\"18:6d:cd:55:e5:7b\",6,-50,0,"
			      "%d,3,0,1", m->cmd.row->name, f->ssid,
			      f->reconn_s);
	else if (m->opt.family == W800_OWN)
		reply_ok(m);
	else
		reply_text_ok(m, "No AP");
}

/* W800 guide: "8 to 63 bytes in ASCII (or 64 bytes in HEX)", or none */
static bool is_password(const char *text)
{
	size_t len = strlen(text);

	return len == 0 || (len >= 8 && len <= W800_PASSWORD_MAX);
}

/* <ssid>,<pwd>[,<bssid>][,<pci_en>][,<reconn_interval>]
 * [,<listen_interval>][,<scan_mode>][,<jap_timeout>][,<pmf>] */
static void cwjap(struct modem *m, struct args *a)
{
	struct w800_flash *f = &m->w800->flash;
	const char *ssid = args_str(a, 0), *password = args_str(a, 1);
	int reconn = 1, unused;

	if (a->count >= 2 && a->arg[1].quoted)
		password = a->arg[1].text;
	if (ssid == NULL || password == NULL || a->count > 9 ||
	    strlen(ssid) > W800_SSID_MAX || !is_password(password) ||
	    !args_opt_int(a, 3, 0, 1, &unused) ||
	    !args_opt_int(a, 4, 0, 7200, &reconn) ||
	    !args_opt_int(a, 5, 1, 100, &unused) ||
	    !args_opt_int(a, 6, 0, 1, &unused) ||
	    !args_opt_int(a, 7, 3, 600, &unused) ||
	    !args_opt_int(a, 8, 0, 3, &unused)) {
		w800_bad(m);
		return;
	}
	if (!(f->cwmode & 1)) {
		reply_error(m);
		return;
	}
	strcpy(f->ssid, ssid);
	strcpy(f->password, password);
	f->reconn_s = reconn;
	w800_wifi_join(m, true);
}

static void cwjap_again(struct modem *m, struct args *a)
{
	const struct w800_flash *f = &m->w800->flash;

	(void)a;
	if (f->ssid[0] == '\0' || !(f->cwmode & 1))
		reply_error(m);
	else
		w800_wifi_join(m, true);
}

static void cwqap(struct modem *m, struct args *a)
{
	(void)a;
	reply_ok(m);
	w800_wifi_leave(m);
}

static void cwstate(struct modem *m, struct args *a)
{
	static const int states[] = {
		[W800_WIFI_OFF] = 0, [W800_WIFI_JOINING] = 3,
		[W800_WIFI_UP] = 1, [W800_WIFI_LOST] = 4,
		[W800_WIFI_LEFT] = 4,
	};
	int state = states[m->w800->wifi];

	(void)a;
	if (m->w800->wifi == W800_WIFI_LOST && m->w800->flash.reconn_s > 0)
		state = 3;
	if (w800_has_ip(m))
		state = 2;
	reply_text_ok(m, "+CWSTATE:%d,\"%s\"", state, m->w800->flash.ssid);
}

static void cwlap(struct modem *m, struct args *a)
{
	const char *ssid = m->opt.ssid ? m->opt.ssid : "modemsim";
	bool own = m->opt.family == W800_OWN;

	if (!m->radio.away) {
		if (args_str(a, 0) == NULL || strcmp(args_str(a, 0), ssid) == 0)
			reply_text(m, "+CWLAP:%s3,\"%s\",-50,"
				   "\"18:6d:cd:55:e5:7b\",6,4,4,5,0%s",
				   own ? "" : "(", ssid, own ? "" : ")");
	}
	reply_ok(m);
}

static void cwautoconn_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CWAUTOCONN:%d", m->w800->flash.autoconn);
}

/* W800 guide: "will always be saved in the NVS area" */
static void cwautoconn(struct modem *m, struct args *a)
{
	if (!args_int(a, 0, 0, 1, &m->w800->flash.autoconn) || a->count > 1) {
		w800_bad(m);
		return;
	}
	m->w800->saved.autoconn = m->w800->flash.autoconn;
	reply_ok(m);
}

static void cwreconncfg_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CWRECONNCFG:%d,0", m->w800->flash.reconn_s);
}

static void cwreconncfg(struct modem *m, struct args *a)
{
	int s, count;

	if (!args_int(a, 0, 0, 7200, &s) || !args_int(a, 1, 0, 1000, &count) ||
	    a->count > 2) {
		w800_bad(m);
		return;
	}
	m->w800->flash.reconn_s = s;
	w800_save(m);
	reply_ok(m);
}

static void cwdhcp_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "%s:%d", m->cmd.row->name, m->w800->flash.dhcp);
}

static void cwdhcp(struct modem *m, struct args *a)
{
	int on, mode;

	if (!args_int(a, 0, 0, 1, &on) || !args_int(a, 1, 0, 3, &mode) ||
	    a->count > 2) {
		w800_bad(m);
		return;
	}
	if (on)
		m->w800->flash.dhcp |= mode;
	else
		m->w800->flash.dhcp &= ~mode;
	w800_save(m);
	reply_ok(m);
}

/* What is listed is what there is. */
static void cwlapopt(struct modem *m, struct args *a)
{
	int mask;

	if (args_int(a, 0, 0, 0xffff, &mask))
		reply_ok(m);
	else
		w800_bad(m);
}

static void hostname_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CWHOSTNAME:%s", m->w800->hostname);
}

static void hostname(struct modem *m, struct args *a)
{
	const char *name = args_str(a, 0);

	if (name == NULL || strlen(name) >= sizeof(m->w800->hostname)) {
		w800_bad(m);
		return;
	}
	strcpy(m->w800->hostname, name);
	reply_ok(m);
}

const struct command_row w800_cw_rows[] = {
	{ "+CWLAPOPT", 0, "", NULL, cwlapopt, NULL },
	{ "+CWHOSTNAME", 0, "", hostname_read, hostname, NULL },
	{ "+CWMODE", 0, "", cwmode_read, cwmode, NULL },
	{ "+CWMODE_CUR", W800_RELATIVES, "", cwmode_read, cwmode, NULL },
	{ "+CWMODE_DEF", W800_RELATIVES, "", cwmode_read, cwmode, NULL },
	{ "+CWJAP", 0, "", cwjap_read, cwjap, cwjap_again },
	{ "+CWJAP_CUR", W800_RELATIVES, "", cwjap_read, cwjap, cwjap_again },
	{ "+CWJAP_DEF", W800_RELATIVES, "", cwjap_read, cwjap, cwjap_again },
	{ "+CWQAP", 0, "", NULL, NULL, cwqap },
	{ "+CWSTATE", 0, "", cwstate, NULL, NULL },
	{ "+CWLAP", 0, "", NULL, cwlap, cwlap },
	{ "+CWAUTOCONN", 0, "", cwautoconn_read, cwautoconn, NULL },
	{ "+CWRECONNCFG", 0, "", cwreconncfg_read, cwreconncfg, NULL },
	{ "+CWDHCP", 0, "", cwdhcp_read, cwdhcp, NULL },
	{ "+CWDHCP_CUR", W800_RELATIVES, "", cwdhcp_read, cwdhcp, NULL },
	{ "+CWDHCP_DEF", W800_RELATIVES, "", cwdhcp_read, cwdhcp, NULL },
	{ .name = NULL }
};
