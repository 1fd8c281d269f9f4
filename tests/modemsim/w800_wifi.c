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

/* Not into the stream of passthrough (ESP-AT: SYSMSG's bit 2). */
static void news(struct modem *m, const char *text)
{
	if (!m->data.on || (m->w800->sysmsg & 4) ||
	    quirk_on(m->opt.quirks, QUIRK_STREAM_WORDS))
		urc(m, "%s", text);
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
	news(m, "WIFI GOT IP");
	if (m->w800->flash.ipv6)
		news(m, "WIFI GOT IPv6 LL");
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
	news(m, "WIFI CONNECTED");
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
		news(m, "WIFI DISCONNECT");
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

/* The access point of control command registration. */
void w800_registered(struct modem *m)
{
	if (radio_registered(m))
		w800_wifi_back(m);
	else if (m->radio.stat == RADIO_NONE || m->radio.stat == RADIO_DENIED)
		w800_wifi_lose(m, TCP_RST);
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
