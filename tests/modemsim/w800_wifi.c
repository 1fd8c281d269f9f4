/* SPDX-License-Identifier: MIT */

/* The station: joining, losing and leaving the access point. No radio. */

#include <string.h>

#include "w800.h"

/* <error code> of CWJAP, ESP-AT */
#define JAP_TIMEOUT	1
#define JAP_PASSWORD	2
#define JAP_NO_AP	3

bool w800_has_ip(const struct modem *m)
{
	return m->w800->wifi == W800_WIFI_UP &&
	       m->net.state == NET_STATE_OPEN;
}

static void after(struct modem *m, unsigned int ms, event_callback_fn fn)
{
	if (ms == 0)
		fn(-1, 0, m);
	else
		modem_after(m, &m->w800->wifi_timer, ms, fn, m);
}

static int refusal(const struct modem *m)
{
	const struct w800_flash *f = &m->w800->flash;

	if (m->radio.away || (m->opt.registration != RADIO_HOME &&
			      m->opt.registration != RADIO_ROAMING))
		return JAP_NO_AP;
	if (m->opt.ssid != NULL && strcmp(m->opt.ssid, f->ssid) != 0)
		return JAP_NO_AP;
	if (m->opt.wifi_password != NULL &&
	    strcmp(m->opt.wifi_password, f->password) != 0)
		return JAP_PASSWORD;
	return 0;
}

static void answer_ok(struct modem *m)
{
	if (m->w800->join_answers) {
		m->w800->join_answers = false;
		w800_save(m);
		reply_ok(m);
	}
}

/* W800 guide: OK before GOT IP; ESP-AT: behind it (Q127). */
static bool ok_first(const struct modem *m)
{
	bool own = m->opt.family == W800_OWN;

	return quirk_on(m->opt.quirks, QUIRK_GOT_IP_SWAPPED) ? !own : own;
}

static void on_ip(evutil_socket_t fd, short what, void *ctx)
{
	struct modem *m = ctx;

	(void)fd;
	(void)what;
	m->net.state = NET_STATE_OPEN;
	m->net.dead = false;
	urc(m, "WIFI GOT IP");
	if (m->w800->flash.ipv6)
		urc(m, "WIFI GOT IPv6 LL");
	answer_ok(m);
	w800_sntp_ask(m);
}

static void failed(struct modem *m, int code)
{
	struct w800 *w = m->w800;

	w->wifi = W800_WIFI_LOST;
	if (!w->join_answers)
		return;
	w->join_answers = false;
	if (m->opt.family != W800_OWN)
		reply_text(m, "+CWJAP:%d", code);
	if (quirk_on(m->opt.quirks, QUIRK_CWJAP_FAIL))
		reply_final(m, "FAIL");
	else
		reply_error(m);
}

static void on_joined(evutil_socket_t fd, short what, void *ctx)
{
	struct modem *m = ctx;
	int code = refusal(m);
	unsigned int ms = 0;

	(void)fd;
	(void)what;
	if (code != 0) {
		failed(m, code);
		return;
	}
	m->w800->wifi = W800_WIFI_UP;
	urc(m, "WIFI CONNECTED");
	if (ok_first(m))
		answer_ok(m);
	if (quirk_take(m->opt.quirks, QUIRK_GOT_IP_LATE))
		ms = m->opt.late_ms;
	after(m, ms, on_ip);
}

/* Sockets die; those who used them are told. */
static void lose_links(struct modem *m, enum tcp_how how)
{
	bool was_open[W800_LINKS];
	unsigned int i;

	for (i = 0; i < W800_LINKS; i++)
		was_open[i] = m->links[i].state == LINK_OPEN &&
			      !m->links[i].transparent;
	link_lose_all(m, how);
	for (i = 0; i < W800_LINKS; i++) {
		if (was_open[i])
			w800_closed(m, i, LINK_CLOSED_BY_PEER);
	}
}

static void down(struct modem *m, enum w800_wifi to, enum tcp_how how)
{
	struct w800 *w = m->w800;
	bool was_up = w->wifi == W800_WIFI_UP;

	if (w->wifi_timer != NULL)
		evtimer_del(w->wifi_timer);
	w->wifi = to;
	m->net.state = NET_STATE_CLOSED;
	if (was_up) {
		urc(m, "WIFI DISCONNECT");
		lose_links(m, how);
	}
	if (w->join_answers)
		failed(m, JAP_TIMEOUT);
}

void w800_wifi_join(struct modem *m, bool answers)
{
	struct w800 *w = m->w800;

	if (w->wifi == W800_WIFI_UP)
		down(m, W800_WIFI_LEFT, TCP_FIN);
	w->wifi = W800_WIFI_JOINING;
	w->join_answers = answers;
	if (answers)
		command_block(m);
	after(m, m->opt.register_ms, on_joined);
}

void w800_wifi_leave(struct modem *m)
{
	down(m, W800_WIFI_LEFT, TCP_FIN);
}

void w800_wifi_lose(struct modem *m, enum tcp_how how)
{
	if (m->w800->wifi == W800_WIFI_UP ||
	    m->w800->wifi == W800_WIFI_JOINING)
		down(m, W800_WIFI_LOST, how);
}

void w800_wifi_back(struct modem *m)
{
	if (m->w800->wifi == W800_WIFI_LOST && m->w800->flash.reconn_s > 0 &&
	    !quirk_on(m->opt.quirks, QUIRK_WIFI_STAYS_AWAY))
		w800_wifi_join(m, false);
}

void w800_wifi_start(struct modem *m)
{
	const struct w800_flash *f = &m->w800->flash;

	if (f->autoconn && f->ssid[0] != '\0' && (f->cwmode & 1))
		w800_wifi_join(m, false);
}

void w800_wifi_stop(struct modem *m)
{
	struct w800 *w = m->w800;

	if (w->wifi_timer != NULL)
		evtimer_del(w->wifi_timer);
	w->wifi = W800_WIFI_OFF;
	w->join_answers = false;
}

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

	if (refusal(m) != JAP_NO_AP || !m->radio.away) {
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
	reply_text_ok(m, "+CWHOSTNAME:\"%s\"", m->w800->hostname);
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

const struct command_row w800_wifi_rows[] = {
	{ "+CWLAPOPT", 0, "", NULL, cwlapopt, NULL },
	{ "+CWHOSTNAME", 0, "", hostname_read, hostname, NULL },
	{ "+CWMODE", 0, "", cwmode_read, cwmode, NULL },
	{ "+CWMODE_CUR", 0, "", cwmode_read, cwmode, NULL },
	{ "+CWMODE_DEF", 0, "", cwmode_read, cwmode, NULL },
	{ "+CWJAP", 0, "", cwjap_read, cwjap, cwjap_again },
	{ "+CWJAP_CUR", 0, "", cwjap_read, cwjap, cwjap_again },
	{ "+CWJAP_DEF", 0, "", cwjap_read, cwjap, cwjap_again },
	{ "+CWQAP", 0, "", NULL, NULL, cwqap },
	{ "+CWSTATE", 0, "", cwstate, NULL, NULL },
	{ "+CWLAP", 0, "", NULL, cwlap, cwlap },
	{ "+CWAUTOCONN", 0, "", cwautoconn_read, cwautoconn, NULL },
	{ "+CWRECONNCFG", 0, "", cwreconncfg_read, cwreconncfg, NULL },
	{ "+CWDHCP", 0, "", cwdhcp_read, cwdhcp, NULL },
	{ "+CWDHCP_CUR", 0, "", cwdhcp_read, cwdhcp, NULL },
	{ .name = NULL }
};
