/* SPDX-License-Identifier: MIT */

/*
 * w800 - the dialect of the WinnerMicro W800 and its relatives of ESP-AT.
 *
 * It does one command at a time, and each blocks it until its final line:
 * what is sent meanwhile is answered with "busy", and lost. So there are no
 * results that follow later, but for what a module tells by itself.
 *
 * Three families of answers are seen, and none is asked which it is: relatives
 * of ESP-AT (details before ERROR, "busy p...", OK and ">"), the W800's own
 * (CMD FORMAT ERR, "busy ...", neither ATE nor AT+GMR, OK of CWJAP before
 * WIFI GOT IP), and tight ones (no blank lines, CR LF behind pushed data).
 *
 * What these modules are known to do:
 * - "n,CLOSED" comes for both ends, and in passive mode only when all was read;
 * - +IPD of passive mode comes once until the buffer was read;
 * - a read answers ERROR when there is nothing;
 * - CIPRECVMODE and CIPDINFO hold for all links.
 */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/timer.h"
#include "driver/w800_private.h"

const struct at_rule w800_rules[] = {
	[R_LINK_CONNECT] = { "#,CONNECT",		AT_URC },
	[R_LINK_CLOSED]	= { "#,CLOSED",			AT_URC },
	/* Q117: <status>,<link>,"TCP",<server>,"<ip>",<port>,<local port> */
	[R_LINK_CONN]	= { "+LINK_CONN:#,#,$,#,$,#,#",	AT_URC },
	[R_IPD]		= { "+IPD,#,#",			AT_URC, .payload = 2,
			    .end = ':' },
	[R_IPD_FROM]	= { "+IPD,#,#,$,#",		AT_URC, .payload = 2,
			    .end = ':' },
	[R_IPD_NOTICE]	= { "+IPD,#,#",			AT_URC },
	/* Q106, Q107: the address is not counted */
	[R_RECVDATA]	= { "+CIPRECVDATA:#",		AT_REPLY, .payload = 1,
			    .end = ',', .variant = W800_BARE },
	[R_RECVDATA_COMMA] = { "+CIPRECVDATA,#",	AT_REPLY, .payload = 1,
			    .end = ',', .variant = W800_BARE },
	/* AT 1.7, as a driver for it reads */
	[R_RECVDATA_COLON] = { "+CIPRECVDATA,#",	AT_REPLY, .payload = 1,
			    .end = ':', .variant = W800_BARE },
	[R_RECVDATA_LINK] = { "+CIPRECVDATA=#,#",	AT_REPLY, .payload = 2,
			    .end = ',', .variant = W800_BARE },
	[R_RECVDATA_FROM] = { "+CIPRECVDATA:#,$,#",	AT_REPLY, .payload = 1,
			    .end = ',', .variant = W800_SOURCE },
	[R_RECVLEN]	= { "+CIPRECVLEN:*",		AT_REPLY },
	[R_RECVMODE]	= { "+CIPRECVMODE:#",		AT_REPLY },
	[R_DINFO]	= { "+CIPDINFO:$",		AT_REPLY },
	[R_CIPSTATE]	= { "+CIPSTATE:#,$,$,#,#,#",	AT_REPLY },
	/* older relatives (Q129), which also say STATUS:# */
	[R_CIPSTATUS]	= { "+CIPSTATUS:#,$,$,#,#,#",	AT_REPLY },
	[R_STATUS]	= { "STATUS:#",			AT_REPLY },
	[R_CIPMUX]	= { "+CIPMUX:#",		AT_REPLY },
	[R_CIPMODE]	= { "+CIPMODE:#",		AT_REPLY },
	[R_CIPSERVER]	= { "+CIPSERVER:#*",		AT_REPLY },
	[R_CIFSR]	= { "+CIFSR:$,$",		AT_REPLY },
	[R_CWMODE]	= { "+CWMODE:#",		AT_REPLY },
	/* numbers behind it differ; an SSID may hold a comma */
	[R_CWJAP_CODE]	= { "+CWJAP:#",			AT_DETAIL },
	[R_CWJAP]	= { "+CWJAP:*",			AT_REPLY },
	[R_NO_AP]	= { "No AP",			AT_REPLY },
	[R_CIPDOMAIN]	= { "+CIPDOMAIN:$",		AT_REPLY },
	[R_PING]	= { "+PING:#",			AT_REPLY },
	[R_PING_BARE]	= { "+#",			AT_REPLY },
	[R_PING_TIMEOUT] = { "+PING:TIMEOUT",		AT_DETAIL },
	[R_CIPDNS]	= { "+CIPDNS:*",		AT_REPLY },
	[R_TCPOPT]	= { "+CIPTCPOPT:#,#,#,#,#",	AT_REPLY },
	[R_SNTPCFG]	= { "+CIPSNTPCFG:*",		AT_REPLY },
	[R_SNTPTIME]	= { "+CIPSNTPTIME:*",		AT_REPLY },
	[R_SNTPINTV]	= { "+CIPSNTPINTV:#",		AT_REPLY },
	[R_MAXCONN]	= { "+CIPSERVERMAXCONN:#",	AT_REPLY },
	[R_CIPSTO]	= { "+CIPSTO:#",		AT_REPLY },
	[R_CIPV6]	= { "+CIPV6:#",			AT_REPLY },
	/* of CIPMUX=0 */
	[R_BARE_CONNECT] = { "CONNECT",			AT_URC, .alone = true },
	[R_BARE_CLOSED]	= { "CLOSED",			AT_URC, .alone = true },
	[R_IPD_ONE]	= { "+IPD,#",			AT_URC, .payload = 1,
			    .end = ':' },
	[R_RECONNINTV]	= { "+CIPRECONNINTV:#",		AT_REPLY },
	[R_WIFI_CONNECTED] = { "WIFI CONNECTED",	AT_URC },
	[R_WIFI_GOT_IP]	= { "WIFI GOT IP",		AT_URC },
	[R_WIFI_DISCONNECT] = { "WIFI DISCONNECT",	AT_URC },
	/* at another rate the ROM says something on the same line (Q119) */
	[R_READY]	= { "~ready",			AT_URC },
	[R_ALREADY]	= { "ALREADY CONNECT*",		AT_DETAIL },
	[R_ALREADY_TYPO] = { "ALREAY CONNECT*",		AT_DETAIL },
	[R_NOT_VALID]	= { "link is not valid",	AT_DETAIL },
	[R_NO_IP]	= { "no ip",			AT_DETAIL },
	[R_DNS_FAIL]	= { "DNS Fail*",		AT_DETAIL },
	[R_ID_ERROR]	= { "ID ERROR",			AT_DETAIL },
	[R_IP_ERROR]	= { "IP ERROR",			AT_DETAIL },
	[R_NO_CHANGE]	= { "no change",		AT_DETAIL },
	[R_DETAIL_REST]	= { "link is builded",		AT_DETAIL },
	{ "link type ERROR",	AT_DETAIL },
	{ "Link type ERROR",	AT_DETAIL },
	{ "UNLINK",		AT_DETAIL },
	{ "too long",		AT_DETAIL },
	{ "MUX=#",		AT_DETAIL },
	{ "IPMODE=#",		AT_DETAIL },
	{ "CIPSERVER must be #", AT_DETAIL },
	{ "ERR CODE:*",		AT_DETAIL },
	{ "OK",			AT_OK },
	{ "ERROR",		AT_FAIL },
	{ "FAIL",		AT_FAIL },
	{ "SEND OK",		AT_SENT },
	{ "SEND FAIL",		AT_FAIL },
	/* W800 guide, AT responses */
	{ "CMD FORMAT ERR",	AT_FAIL },
	{ "CMD PARSE ERR",	AT_FAIL },
	{ "busy p...",		AT_BUSY },
	{ "busy s...",		AT_BUSY },
	{ "busy ...",		AT_BUSY },
	{ "busy*",		AT_BUSY },
	/* what else is known to come by itself, and means nothing (Q105) */
	{ "WIFI GOT IPv6*",	AT_URC },
	{ "Recv # bytes",	AT_URC },
	{ "to read # bytes",	AT_URC },
	{ "local port:#",	AT_URC },
	{ "change type:#",	AT_URC },
	{ "Will force to restart!!!", AT_URC },
	{ "+STA_CONNECTED:*",	AT_URC },
	{ "+STA_DISCONNECTED:*", AT_URC },
	{ "+DIST_STA_IP:*",	AT_URC },
	{ "+TIME_UPDATED",	AT_URC },
	{ NULL }
};

bool w800_set(char *field, size_t size, const char *value)
{
	if (strncmp(field, value, size - 1) == 0)
		return false;

	snprintf(field, size, "%s", value);

	return true;
}

static void on_line(void *d, const struct at_line *line)
{
	struct w800 *w = d;

	if (line->rule == &w800_rules[R_READY]) {
		w800_push_settled(w);
		w->env.events->rebooted(w->env.up, line->text);
		return;
	}
	if (w800_lease_line(w, line))
		return;
	if (!w800_push_line(w, line) && !w800_wifi_line(w, line))
		(void)w800_link_line(w, line);
}

static void forget(struct w800 *w)
{
	memset(&w->info, 0, sizeof(w->info));
	w->info.signal_dbm = INT_MIN;
	memset(&w->boot, 0, sizeof(w->boot));
	w->boot.mux = -1;
	w->dinfo = false;
	w->dinfo_unsure = false;
	w800_tls_reset(w);
	w->time.zone_is_set = false;
	w800_config_forget(w);
}

static void reset(void *d, bool modem_gone)
{
	struct w800 *w = d;

	w800_lease_reset(w);
	w800_job_stop(&w->job, -ENODEV);
	w800_ping_reset(w, modem_gone);
	w800_link_reset(w);
	w800_push_reset(w);
	if (!modem_gone)
		return;
	w800_job_stop(&w->stage, -ENODEV);
	forget(w);
}

static void destroy(void *d)
{
	struct w800 *w = d;

	if (!w)
		return;

	timer_free(w->stage.timer);
	timer_free(w->job.timer);
	timer_free(w->push.settle);
	timer_free(w->ping.timer);
	timer_free(w->lease.timer);
	free(w->lease.early);
	timer_free(w->stream.timer);
	timer_free(w->stream.pause);
	free(w);
}

static void *create(const struct driver_env *env)
{
	struct w800 *w;

	w = calloc(1, sizeof(*w));
	if (!w)
		return NULL;

	w->env = *env;
	w->stage.w = w;
	w->job.w = w;
	w->stage.timer = timer_new(env->timers, w800_job_timer, &w->stage);
	w->job.timer = timer_new(env->timers, w800_job_timer, &w->job);
	w->push.settle = timer_new(env->timers, w800_push_due, w);
	w->ping.timer = timer_new(env->timers, w800_ping_timer, w);
	w->lease.timer = timer_new(env->timers, w800_lease_timer, w);
	w->stream.timer = timer_new(env->timers, w800_stream_timer, w);
	w->stream.pause = timer_new(env->timers, w800_stream_pause_timer, w);
	if (!w->stage.timer || !w->job.timer || !w->push.settle ||
	    !w->ping.timer || !w->lease.timer || !w->stream.timer ||
	    !w->stream.pause) {
		destroy(w);
		return NULL;
	}
	forget(w);
	w800_link_reset(w);	/* nothing is being closed */
	w800_config_init(w);
	w800_time_init(w);

	return w;
}

static const struct driver_info *info(void *d)
{
	struct w800 *w = d;

	return &w->info;
}

/* Of a session that is over, or of what is pushed. */
static void on_data(void *d, const uint8_t *data, size_t len, bool last)
{
	if (!w800_lease_data(d, data, len))
		w800_push_data(d, data, len, last);
}

static const struct at_dialect dialect = {
	.rules		= w800_rules,
	.eol		= "\r\n",	/* a CR alone ends nothing */
	.urc_payload_max = W800_BLOCK,	/* 2920, says CIPRECVMODE */
	.entry		= AT_ENTRY_PLUSES,
	/* W800 manual, +++: 30 ms before and behind it, and 1 s of waiting */
	.guard_ms	= 60,
	.rest_ms	= 1100,
};

const struct driver driver_w800 = {
	.name		= "w800",
	.dialect	= &dialect,
	.max_links	= W800_LINKS,
	.max_listeners	= 1,		/* W800 manual, CIPSERVER */
	.max_send	= W800_BLOCK,	/* W800 manual, CIPSEND */
	.max_datagram	= W800_DATAGRAM,
	.max_pull	= W800_BLOCK,	/* its receive window */
	.max_push	= W800_PUSH,
	/* More with what is not written yet: ping, SNTP... */
	.caps		= DRIVER_CAP_WIFI | DRIVER_CAP_BLOCKING_OPEN |
			  DRIVER_CAP_UDP | DRIVER_CAP_UDP_FOLLOW |
			  DRIVER_CAP_TLS | DRIVER_CAP_TLS_SERVER |
			  DRIVER_CAP_IPV6 | DRIVER_CAP_TCP_OPTIONS |
			  DRIVER_CAP_LOCAL_ADDRESS | DRIVER_CAP_PUSH |
			  DRIVER_CAP_PUSH_SOURCE | DRIVER_CAP_PULL_JOINS |
			  DRIVER_CAP_PING | DRIVER_CAP_SNTP |
			  DRIVER_CAP_TRANSPARENT,
	.settings	= w800_settings,
	.new		= create,
	.free		= destroy,
	.stage		= w800_stage,
	.open		= w800_open,
	.send		= w800_send,
	.pull		= w800_pull,
	.close		= w800_close,
	.listen		= w800_listen,
	.unlisten	= w800_unlisten,
	.receive	= w800_receive,
	.audit		= w800_audit,
	.query		= w800_query,
	.ping_stop	= w800_ping_stop,
	.forbids	= w800_forbids,
	.lease		= w800_lease,
	.lease_write	= w800_lease_write,
	.unlease	= w800_unlease,
	.line		= on_line,
	.data		= on_data,
	.reset		= reset,
	.info		= info,
	.setting	= w800_setting,
	.wanted		= w800_setting_wanted,
};
