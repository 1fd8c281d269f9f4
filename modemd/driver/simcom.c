/* SPDX-License-Identifier: MIT */

/*
 * simcom - the dialect of the SIMCom A7600 and SIM7600 families.
 *
 * Commands of two kinds. Two-phase: OK means "accepted", the result follows
 * as a line of its own (CIPOPEN, CIPSEND, CIPCLOSE, NETOPEN, NETCLOSE).
 * Blocking: the answer comes before OK (CIPRXGET, CDNSGIP, IPADDR, queries).
 *
 * What these modules are known to do:
 * - echo is on after each start, also after one nobody asked for;
 * - one result line serves several questions: +NETOPEN: is the result (0 is
 *   good) and the answer to the query (1 is open), +CIPCLOSE: has 2 or 10
 *   fields, +CIPRXGET: has 1, 2, 3 or 4;
 * - a result may stand before its final line (errors, and UDP);
 * - +CIPRXGET: 1,n comes once until the buffer was read empty.
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
	[R_REST]	= { "+CIPRXGET: 4,#,#",		AT_REPLY },
	[R_RXGET_MODE]	= { "+CIPRXGET: #",		AT_REPLY },
	[R_NETOPEN]	= { "+NETOPEN: #",		AT_URC },
	/* SIM5320 and the example of A7600 manual 6.4.2 */
	[R_NETOPEN_PAIR] = { "+NETOPEN: #, #",		AT_URC },
	[R_NETCLOSE]	= { "+NETCLOSE: #",		AT_URC },
	[R_OPEN_FREE]	= { "+CIPOPEN: #",		AT_REPLY },
	[R_OPEN_USED]	= { "+CIPOPEN: #,$,$,#,#",	AT_REPLY },
	[R_IPCLOSE]	= { "+IPCLOSE: #,#",		AT_URC },
	/* without its colon: seen by drivers of the SIM7600 */
	[R_IPCLOSE_BARE] = { "+IPCLOSE #,#",		AT_URC },
	[R_CIPEVENT]	= { "+CIPEVENT: NETWORK CLOSED*", AT_URC },
	[R_IPADDR]	= { "+IPADDR: $",		AT_REPLY },
	[R_CPIN]	= { "+CPIN: *",			AT_URC },
	[R_ICCID]	= { "+ICCID: $",		AT_REPLY },
	[R_CSQ]		= { "+CSQ: #,#",		AT_REPLY },
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

/* A7600 manual 4, the table of <err>. */
static const struct {
	const char *text;
	int err;
} errors[] = {
	[0]	= { "operation succeeded",		0 },
	[1]	= { "Network failure",			-ECONNREFUSED },
	[2]	= { "Network not opened",		-ENETDOWN },
	[3]	= { "Wrong parameter",			-EINVAL },
	[4]	= { "Operation not supported",		-EREMOTEIO },
	[5]	= { "Failed to create socket",		-EREMOTEIO },
	[6]	= { "Failed to bind socket",		-EADDRINUSE },
	[7]	= { "TCP server is already listening",	-EADDRINUSE },
	[8]	= { "Busy",				-EBUSY },
	[9]	= { "Sockets opened",			-EBUSY },
	[10]	= { "Timeout",				-ETIMEDOUT },
	[11]	= { "DNS parse failed for AT+CIPOPEN",	-EADDRNOTAVAIL },
	[12]	= { "Unknown error",			-EREMOTEIO },
};

static bool is_known(long err)
{
	return err >= 0 && err < (long)(sizeof(errors) / sizeof(errors[0]));
}

const char *simcom_err_text(long err)
{
	return is_known(err) ? errors[err].text : "unknown error number";
}

int simcom_errno(long err)
{
	return is_known(err) ? errors[err].err : -EREMOTEIO;
}

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
	if (simcom_boot_line(s, line) || simcom_lease_line(s, line))
		return;

	switch (line->rule - simcom_rules) {
	case R_CIPEVENT:
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
	default:
		simcom_link_line(s, line);
	}
}

/* Nothing is pushed yet: the modem is kept in pull mode. */
static void on_data(void *d, const uint8_t *data, size_t len, bool last)
{
	(void)d;
	(void)data;
	(void)len;
	(void)last;
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
	if (!modem_gone)
		return;
	simcom_boot_reset(s);
	simcom_lease_reset(s);
	s->context_set = false;
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
	timer_free(s->boot.timer);
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
	s->lease.timer = timer_new(env->timers, simcom_lease_timer, s);
	s->stream.timer = timer_new(env->timers, simcom_stream_timer, s);
	s->stream.pause = timer_new(env->timers, simcom_stream_pause_timer, s);
	if (!s->boot.timer || !s->lease.timer || !s->stream.timer ||
	    !s->stream.pause)
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

const struct driver driver_simcom = {
	.name		= "simcom",
	.rules		= simcom_rules,
	.eol		= "\r",		/* a LF could be taken for payload */
	.max_links	= SIMCOM_LINKS,
	.max_listeners	= 4,
	.max_send	= 1500,		/* A7600 manual 2.4 */
	.max_pull	= 1500,		/* A7600 manual 2.5 */
	.max_push	= 0,
	.caps		= DRIVER_CAP_REVERSE_DNS | DRIVER_CAP_TRANSPARENT,
	.new		= create,
	.free		= destroy,
	.stage		= simcom_stage,
	.open		= simcom_open,
	.send		= simcom_send_data,
	.pull		= simcom_pull,
	.close		= simcom_close,
	.audit		= simcom_audit,
	.query		= simcom_query,
	.lease		= simcom_lease,
	.lease_write	= simcom_lease_write,
	.unlease	= simcom_unlease,
	.line		= on_line,
	.data		= on_data,
	.reset		= reset,
	.info		= info,
};
