/* SPDX-License-Identifier: MIT */

/*
 * simcom - the dialect of the SIMCom A7600 and SIM7600 families.
 *
 * Commands of two kinds. Two-phase: OK means "accepted", the result follows
 * as a line of its own (CIPOPEN, CIPSEND, CIPCLOSE, SERVERSTOP, NETOPEN,
 * NETCLOSE).
 * Blocking: the answer comes before OK (CIPRXGET, CDNSGIP, IPADDR, queries).
 *
 * What these modules are known to do:
 * - echo is on after each start, also after one nobody asked for;
 * - one result line serves several questions: +NETOPEN: is the result (0 is
 *   good) and the answer to the query (1 is open), +CIPCLOSE: has 2 or 10
 *   fields, +CIPRXGET: has 1, 2, 3 or 4;
 * - a result may stand before its final line (errors, and UDP);
 * - +CIPRXGET: 1,n comes once until the buffer was read empty;
 * - a link's number may be given to an accepted connection while it is being
 *   opened, and as soon as +IPCLOSE was said for it.
 */

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at/text.h"
#include "base/log.h"
#include "base/timer.h"
#include "driver/simcom_private.h"

const struct at_rule simcom_rules[] = {
	[R_OPENED]	= { "+CIPOPEN: #,#",		AT_URC },
	[R_CLOSED]	= { "+CIPCLOSE: #,#",		AT_URC },
	[R_CLOSE_STATES] = { "+CIPCLOSE: #,#,#,#,#,#,#,#,#,#", AT_REPLY },
	[R_SENT]	= { "+CIPSEND: #,#,#",		AT_URC },
	[R_READABLE]	= { "+CIPRXGET: 1,#",		AT_URC },
	[R_PULLED]	= { "+CIPRXGET: 2,#,#,#",	AT_REPLY, .payload = 2 },
	/* then a line of digits; their count is not defined (Q68) */
	[R_PULLED_HEX]	= { "+CIPRXGET: 3,#,#,#",	AT_REPLY },
	[R_REST]	= { "+CIPRXGET: 4,#,#",		AT_REPLY },
	[R_RXGET_MODE]	= { "+CIPRXGET: #",		AT_REPLY },
	[R_RECV_FROM]	= { "RECV FROM: $",		AT_URC,
			    .announces = true },
	/* as in the text of A7600 manual 1.2, without plus in its examples */
	[R_RECV_FROM_PLUS] = { "+RECV FROM: $",		AT_URC,
			    .announces = true },
	[R_RECEIVE]	= { "+RECEIVE,#,#",		AT_URC, .payload = 2 },
	/* seen by a driver of the SIM7600 */
	[R_RECEIVE_COLON] = { "+RECEIVE,#,#:",	AT_URC, .payload = 2 },
	/* A7600 manual 2.13 and 6.2; with parentheses in its 1.2 and 2.8 */
	[R_IPD]		= { "+IPD #",			AT_URC, .payload = 1 },
	[R_IPD_PARENS]	= { "+IPD(#)",			AT_URC, .payload = 1 },
	[R_NETOPEN]	= { "+NETOPEN: #",		AT_URC },
	/* SIM5320 and the example of A7600 manual 6.4.2 */
	[R_NETOPEN_PAIR] = { "+NETOPEN: #, #",		AT_URC },
	[R_NETCLOSE]	= { "+NETCLOSE: #",		AT_URC },
	[R_OPEN_FREE]	= { "+CIPOPEN: #",		AT_REPLY },
	[R_OPEN_USED]	= { "+CIPOPEN: #,$,$,#,#",	AT_REPLY },
	/* with its server or, from some firmware, without; behind it a peer,
	 * plain or with its address in quotes */
	[R_CLIENT]	= { "+CLIENT: #, #, *",	AT_URC },
	[R_CLIENT_BARE]	= { "+CLIENT: #, *",		AT_URC },
	[R_SERVERS]	= { "+SERVERSTART: #,#",	AT_REPLY },
	[R_SERVERSTOP]	= { "+SERVERSTOP: #,#",		AT_URC },
	[R_IPCLOSE]	= { "+IPCLOSE: #, #",		AT_URC },
	/* without its colon: seen by drivers of the SIM7600 */
	[R_IPCLOSE_BARE] = { "+IPCLOSE #, #",		AT_URC },
	[R_CIPEVENT]	= { "+CIPEVENT: NETWORK CLOSED*", AT_URC },
	[R_CIPEVENT_BARE] = { "+CIPEVENT NETWORK CLOSED*", AT_URC },
	[R_IPADDR]	= { "+IPADDR: $",		AT_REPLY },
	[R_CPIN]	= { "+CPIN: *",			AT_URC },
	[R_ICCID]	= { "+ICCID: $",		AT_REPLY },
	[R_CSQ]		= { "+CSQ: #,#",		AT_REPLY },
	[R_CFUN]	= { "+CFUN: #",			AT_REPLY },
	[R_CPSI]	= { "+CPSI: *",			AT_REPLY },
	[R_CGATT]	= { "+CGATT: #",		AT_REPLY },
	[R_CGDCONT]	= { "+CGDCONT: #,*",		AT_REPLY },
	[R_CGACT]	= { "+CGACT: #,#",		AT_REPLY },
	[R_CGPADDR]	= { "+CGPADDR: #,$*",		AT_REPLY },
	[R_COPS]	= { "+COPS: #,#,$*",		AT_REPLY },
	[R_COPS_NONE]	= { "+COPS: #",			AT_REPLY },
	[R_CREG]	= { "+CREG: #",			AT_URC },
	[R_CGREG]	= { "+CGREG: #",		AT_URC },
	[R_CEREG]	= { "+CEREG: #",		AT_URC },
	[R_CREG_Q]	= { "+CREG: #,#",		AT_REPLY },
	[R_CGREG_Q]	= { "+CGREG: #,#",		AT_REPLY },
	[R_CEREG_Q]	= { "+CEREG: #,#",		AT_REPLY },
	/* with location, as mode 2 of another host may have left it */
	[R_CREG_URC_LONG] = { "+CREG: #,\"*",		AT_URC },
	[R_CGREG_URC_LONG] = { "+CGREG: #,\"*",		AT_URC },
	[R_CEREG_URC_LONG] = { "+CEREG: #,\"*",		AT_URC },
	[R_CREG_LONG]	= { "+CREG: #,#,*",		AT_REPLY },
	[R_CGREG_LONG]	= { "+CGREG: #,#,*",		AT_REPLY },
	[R_CEREG_LONG]	= { "+CEREG: #,#,*",		AT_REPLY },
	[R_DNS_FOUND]	= { "+CDNSGIP: 1,$,$",		AT_REPLY },
	[R_DNS_FAILED]	= { "+CDNSGIP: 0,#",		AT_DETAIL },
	[R_RDNS_FOUND]	= { "+CDNSGHNAME: #,$,$",	AT_REPLY },
	/* with OK or with ERROR behind it: SIMCom ref L1132 */
	[R_RDNS_FAILED]	= { "+CDNSGHNAME: 0,#",		AT_DETAIL },
	[R_PING_ECHO]	= { "+CPING: 1,$,#,#,#",	AT_URC },
	[R_PING_TIMEOUT] = { "+CPING: 2",		AT_URC },
	[R_PING_SUMMARY] = { "+CPING: 3,#,#,#,#,#,#",	AT_URC },
	/* the example of SIMCom ref L1134 */
	[R_PING_SUMMARY_OLD] = { "+PING: 3,#,#,#,#,#,#", AT_URC },
	[R_CIPACK]	= { "+CIPACK: #,#,#",		AT_REPLY },
	[R_CIPTIMEOUT]	= { "+CIPTIMEOUT: #,#,#",	AT_REPLY },
	[R_CIPCCFG]	= { "+CIPCCFG: #,#,#,#,#,#,#",	AT_REPLY },
	[R_CIPSENDMODE]	= { "+CIPSENDMODE: #",		AT_REPLY },
	[R_CIPDNSSET]	= { "+CIPDNSSET: #,#,#",	AT_REPLY },
	[R_CIPERROR]	= { "+CIPERROR: #",		AT_DETAIL },
	[R_IP_ERROR_NUM] = { "+IP ERROR: #",		AT_DETAIL },
	[R_IP_ERROR]	= { "+IP ERROR: *",		AT_DETAIL },
	[R_CME_ERROR_NUM] = { "+CME ERROR: #",		AT_FAIL },
	[R_CME_ERROR]	= { "+CME ERROR: *",		AT_FAIL },
	[R_CIPMODE]	= { "+CIPMODE: #",		AT_REPLY },
	/* SIMCom ref L1110 */
	[R_CIPMODE_BARE] = { "CIPMODE: #",		AT_REPLY },
	[R_CONNECT_FAIL] = { "CONNECT FAIL",		AT_FAIL },
	[R_CONNECT]	= { "CONNECT*",			AT_CONNECT },
	/* PB DONE and SMS DONE are no sign of a start: they also follow a
	 * re-attach */
	[R_BOOT_RDY]	= { "RDY",			AT_URC },
	[R_BOOT_ATREADY] = { "*ATREADY: #",		AT_URC },
	[R_BOOT_QCRDY]	= { "QCRDY",			AT_URC },
	{ "OK",			AT_OK },
	{ "ERROR",		AT_FAIL },
	{ "+CMS ERROR: *",	AT_FAIL },
	/* what else is known to come by itself, and means nothing to us */
	{ "CLOSED",		AT_URC },
	{ "PB DONE",		AT_URC },
	{ "SMS DONE",		AT_URC },
	{ "+CGEV: *",		AT_URC },
	{ "+CMTI: *",		AT_URC },
	{ "+CUSD: *",		AT_URC },
	{ "+SIMCARD: *",	AT_URC },
	{ "+CTZV: *",		AT_URC },
	{ NULL }
};

int simcom_send(struct simcom *s, struct at_command *cmd, const char *fmt, ...)
{
	char text[AT_COMMAND_MAX + 1];
	va_list ap;
	int err;

	va_start(ap, fmt);
	err = at_text_vbuild(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (err)
		return err;

	cmd->text = text;
	err = at_channel_send(s->env.channel, cmd);
	explicit_bzero(text, sizeof(text));

	return err;
}

bool simcom_set(char *field, size_t size, const char *value)
{
	if (strncmp(field, value, size - 1) == 0)
		return false;

	snprintf(field, size, "%s", value);

	return true;
}

static void sim_changed(struct simcom *s, const struct at_line *line)
{
	const char *state = line->strs[0].s;

	if (strcmp(state, "READY") != 0)
		return;
	if (simcom_set(s->info.sim, sizeof(s->info.sim), "ready"))
		s->env.events->informed(s->env.up);
	s->env.events->hopeful(s->env.up, line->text);
}

static void on_line(void *d, const struct at_line *line)
{
	const struct driver_events *ev;
	struct simcom *s = d;

	ev = s->env.events;
	if ((s->lease.phase == LEASE_NONE && simcom_push_line(s, line)) ||
	    simcom_boot_line(s, line) || simcom_lease_line(s, line))
		return;

	switch (line->rule - simcom_rules) {
	case R_CIPEVENT:
	case R_CIPEVENT_BARE:
		ev->network_lost(s->env.up, line->text);
		break;
	case R_BOOT_RDY:
	case R_BOOT_ATREADY:
	case R_BOOT_QCRDY:
		ev->rebooted(s->env.up, line->text);
		break;
	case R_CPIN:
		sim_changed(s, line);
		break;
	case R_CREG:
	case R_CGREG:
	case R_CEREG:
	case R_CREG_URC_LONG:
	case R_CGREG_URC_LONG:
	case R_CEREG_URC_LONG:
		simcom_parse_registration(s, line);
		break;
	case R_PING_ECHO:
	case R_PING_TIMEOUT:
	case R_PING_SUMMARY:
	case R_PING_SUMMARY_OLD:
		simcom_ping_line(s, line);
		break;
	default:
		if (!simcom_server_line(s, line))
			simcom_link_line(s, line);
	}
}

static void forget(struct simcom *s)
{
	memset(&s->info, 0, sizeof(s->info));
	s->info.signal_dbm = INT_MIN;
}

static void reset(void *d, bool modem_gone)
{
	struct simcom *s = d;

	simcom_link_reset(s);
	simcom_ping_reset(s, modem_gone);
	simcom_server_reset(s);
	simcom_audit_reset(s);
	simcom_push_reset(s);
	if (!modem_gone)
		return;
	simcom_boot_reset(s);
	simcom_restart_reset(s);
	simcom_config_reset(s);
	simcom_lease_reset(s);
	s->context_set = false;
	s->coded_comma = false;
	s->coded_proven = false;
	forget(s);
}

static void destroy(void *d)
{
	struct simcom *s = d;
	unsigned int i;

	if (!s)
		return;

	for (i = 0; i < SIMCOM_LINKS; i++)
		timer_free(s->links[i].deadline);
	simcom_servers_free(s);
	timer_free(s->audit_timer);
	timer_free(s->boot.timer);
	timer_free(s->turn);
	timer_free(s->ping.timer);
	timer_free(s->config.timer);
	free(s->at.answer);
	timer_free(s->push.turn);
	timer_free(s->push.settle);
	timer_free(s->lease.timer);
	timer_free(s->stream.timer);
	timer_free(s->stream.pause);
	free(s->stream.held);
	free(s);
}

static void *create(const struct driver_env *env)
{
	struct simcom *s;
	unsigned int i;

	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;

	s->env = *env;
	forget(s);
	s->boot.timer = timer_new(env->timers, simcom_boot_timer, s);
	s->turn = timer_new(env->timers, simcom_restart_turn, s);
	s->ping.timer = timer_new(env->timers, simcom_ping_timer, s);
	s->audit_timer = timer_new(env->timers, simcom_audit_timer, s);
	s->push.turn = timer_new(env->timers, simcom_push_turn, s);
	s->push.settle = timer_new(env->timers, simcom_push_settled, s);
	s->lease.timer = timer_new(env->timers, simcom_lease_timer, s);
	s->stream.timer = timer_new(env->timers, simcom_stream_timer, s);
	s->stream.pause = timer_new(env->timers, simcom_stream_pause_timer, s);
	if (!s->boot.timer || !s->turn || !s->ping.timer || !s->audit_timer ||
	    !s->push.turn || !s->push.settle || !s->lease.timer ||
	    !s->stream.timer || !s->stream.pause || simcom_config_new(s) ||
	    simcom_servers_init(s))
		goto fail;
	for (i = 0; i < SIMCOM_LINKS; i++) {
		s->links[i].s = s;
		s->links[i].slot = i;
		s->links[i].deadline = timer_new(env->timers,
						 simcom_link_deadline,
						 &s->links[i]);
		if (!s->links[i].deadline)
			goto fail;
	}

	return s;

fail:
	destroy(s);
	return NULL;
}

static const struct driver_info *info(void *d)
{
	struct simcom *s = d;

	return &s->info;
}

static const struct at_dialect dialect = {
	.rules		= simcom_rules,
	.eol		= "\r",		/* a LF could be taken for payload */
	.urc_payload_max = SIMCOM_BLOCK,	/* A7600 manual 2.5, note 3 */
	.entry		= AT_ENTRY_ESC,
	/* A7600 appnote: 1000 ms; some want more */
	.guard_ms	= 1100,
	.rest_ms	= 1100,
};

const struct driver driver_simcom = {
	.name		= "simcom",
	.dialect	= &dialect,
	.max_links	= SIMCOM_LINKS,
	.max_listeners	= SIMCOM_SERVERS,
	.max_send	= SIMCOM_BLOCK,	/* A7600 manual 2.4 */
	.max_datagram	= SIMCOM_BLOCK,
	.max_pull	= SIMCOM_BLOCK,	/* A7600 manual 2.5 */
	.max_push	= SIMCOM_BLOCK,	/* A7600 manual 2.5, note 3 */
	.caps		= DRIVER_CAP_SIM |
			  DRIVER_CAP_REVERSE_DNS | DRIVER_CAP_PING |
			  DRIVER_CAP_CONFIRMED | DRIVER_CAP_WAIT_ACK |
			  DRIVER_CAP_UDP | DRIVER_CAP_PUSH |
			  DRIVER_CAP_PUSH_SOURCE | DRIVER_CAP_TRANSPARENT |
			  DRIVER_CAP_LEASE_LISTEN | DRIVER_CAP_TCP_LOCAL_PORT,
	.settings	= simcom_settings,
	.new		= create,
	.free		= destroy,
	.stage		= simcom_stage,
	.open		= simcom_open,
	.send		= simcom_send_data,
	.pull		= simcom_pull,
	.close		= simcom_close,
	.listen		= simcom_listen,
	.unlisten	= simcom_unlisten,
	.receive	= simcom_receive,
	.audit		= simcom_audit,
	.query		= simcom_query,
	.ping_stop	= simcom_ping_stop,
	.forbids	= simcom_forbids,
	.lease		= simcom_lease,
	.lease_write	= simcom_lease_write,
	.unlease	= simcom_unlease,
	.line		= on_line,
	.data		= simcom_push_data,
	.reset		= reset,
	.info		= info,
	.setting	= simcom_setting,
	.wanted		= simcom_setting_wanted,
};
