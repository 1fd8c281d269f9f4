/* SPDX-License-Identifier: MIT */

/* CIPSNTPCFG, CIPSNTPTIME, CIPSNTPINTV: W800 manual. No packet is sent. */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "w800.h"

#define SERVERS_MAX	3

/* W800 manual: "one of ... will be used by default" */
static const char *const own_servers[SERVERS_MAX] = {
	"cn.ntp.org.cn", "ntp.sjtu.edu.cn", "us.pool.ntp.org",
};

/* A server has answered, as they always do while there is a network. */
static void on_time(evutil_socket_t fd, short what, void *ctx)
{
	struct modem *m = ctx;

	(void)fd;
	(void)what;
	if (!w800_has_ip(m) || !m->w800->sntp_on)
		return;
	modem_clock_set(&m->clock, time(NULL));
	if (quirk_on(m->opt.quirks, QUIRK_TIME_UPDATED))
		urc(m, "+TIME_UPDATED");
}

void w800_sntp_ask(struct modem *m)
{
	if (!m->w800->sntp_on || !w800_has_ip(m) ||
	    quirk_on(m->opt.quirks, QUIRK_SNTP_SILENT))
		return;
	modem_after(m, &m->w800->sntp_timer, m->opt.dns_ms, on_time, m);
}

static void cfg_read(struct modem *m, struct args *a)
{
	const struct w800 *w = m->w800;
	char list[SERVERS_MAX * 72] = "", *p = list;
	size_t i;

	(void)a;
	for (i = 0; i < SERVERS_MAX && w->sntp[i][0] != '\0'; i++)
		p += sprintf(p, ",\"%s\"", w->sntp[i]);
	reply_text_ok(m, "+CIPSNTPCFG:%d,%d%s", w->sntp_on, w->sntp_zone,
		      list);
}

/* Hours in [-12,14], or [+|-][hh]mm; leading zeros mean nothing. */
static bool take_zone(const struct args *a, size_t i, int *minutes)
{
	const char *text;
	char *end;
	long n;

	if (!args_present(a, i) || a->arg[i].quoted)
		return false;
	text = a->arg[i].text;
	if (!isdigit((unsigned char)text[*text == '-' || *text == '+']))
		return false;
	n = strtol(text, &end, 10);
	if (*end != '\0')
		return false;
	if (n >= -12 && n <= 14) {
		*minutes = (int)n * 60;
		return true;
	}
	if (n / 100 < -12 || n / 100 > 14 || labs(n) % 100 > 59)
		return false;
	*minutes = (int)(n / 100 * 60 + n % 100);
	return true;
}

static bool take_servers(struct w800 *w, const struct args *a)
{
	char names[SERVERS_MAX][sizeof(w->sntp[0])] = { "" };
	size_t i, n = 0;

	for (i = 2; i < a->count; i++) {
		const char *name = args_str(a, i);

		if (name == NULL || n == SERVERS_MAX ||
		    strlen(name) >= sizeof(names[0]))
			return false;
		strcpy(names[n++], name);
	}
	for (i = 0; n == 0 && i < SERVERS_MAX; i++)
		strcpy(names[i], own_servers[i]);
	memcpy(w->sntp, names, sizeof(names));
	return true;
}

static void cfg_write(struct modem *m, struct args *a)
{
	struct w800 *w = m->w800;
	int on, minutes = 0;

	if (!args_int(a, 0, 0, 1, &on)) {
		w800_bad(m);
		return;
	}
	/* ESP-AT: a zone is needed only to switch it on */
	if (!(on == 0 && a->count == 1 && m->opt.family != W800_OWN) &&
	    (!take_zone(a, 1, &minutes) || !take_servers(w, a))) {
		w800_bad(m);
		return;
	}
	w->sntp_on = on;
	w->sntp_minutes = minutes;
	w->sntp_zone = minutes / 60;
	reply_ok(m);
	w800_sntp_ask(m);
}

/* "asctime style" */
static void time_read(struct modem *m, struct args *a)
{
	time_t now = modem_clock_now(&m->clock) + m->w800->sntp_minutes * 60;
	char text[32];
	struct tm tm;

	(void)a;
	asctime_r(gmtime_r(&now, &tm), text);
	text[strcspn(text, "\n")] = '\0';
	reply_text_ok(m, "+CIPSNTPTIME:%s", text);
}

static void interval_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CIPSNTPINTV:%d", m->w800->sntp_interval);
}

static void interval_write(struct modem *m, struct args *a)
{
	if (args_int(a, 0, 15, 4294967, &m->w800->sntp_interval) &&
	    a->count == 1)
		reply_ok(m);
	else
		w800_bad(m);
}

void w800_sntp_defaults(struct modem *m)
{
	struct w800 *w = m->w800;
	size_t i;

	if (w->sntp_timer != NULL)
		evtimer_del(w->sntp_timer);
	w->sntp_on = 0;
	w->sntp_minutes = 0;
	w->sntp_zone = 0;
	w->sntp_interval = 3600;
	for (i = 0; i < SERVERS_MAX; i++)
		strcpy(w->sntp[i], own_servers[i]);
}

const struct command_row w800_sntp_rows[] = {
	{ "+CIPSNTPCFG", COMMAND_TCP, "", cfg_read, cfg_write, NULL },
	{ "+CIPSNTPTIME", COMMAND_TCP, "", time_read, NULL, NULL },
	{ "+CIPSNTPINTV", COMMAND_TCP, "", interval_read, interval_write,
	  NULL },
	{ .name = NULL }
};
