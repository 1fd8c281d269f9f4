/* SPDX-License-Identifier: MIT */

/* The steps of the stages, but for the SIM: who the modem is, registration,
 * network open and closed. */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "at/text.h"
#include "base/config.h"
#include "driver/simcom_private.h"

#define REG_PATIENCE_MS	60000
#define CLOSED_PATIENCE_MS 5000
#define REG_AGAIN_MS	5000	/* registration is also told unasked */

/* ---------------------------------------------------------------- identify */

static enum simcom_verdict judge_echo(struct simcom *s, int err,
				      const struct at_answer *a)
{
	(void)a;
	if (!err)
		at_channel_set_echo_off(s->env.channel, true);

	return V_NEXT;
}

/* "+CGMR: A1" and "Manufacturer: X" lose their label. */
static void take_text(char *field, size_t size, const struct at_line *line)
{
	const char *s = line->text;
	const char *colon = strstr(s, ": ");

	if (field[0])	/* a revision may take two lines: the first counts */
		return;
	if (*s == '+' && colon)
		s = colon + 2;
	snprintf(field, size, "%s", s);
}

static void take_manufacturer(struct simcom *s, const struct at_line *line)
{
	take_text(s->info.manufacturer, sizeof(s->info.manufacturer), line);
}

static void take_model(struct simcom *s, const struct at_line *line)
{
	take_text(s->info.model, sizeof(s->info.model), line);
}

static void take_revision(struct simcom *s, const struct at_line *line)
{
	take_text(s->info.revision, sizeof(s->info.revision), line);
}

static void take_imei(struct simcom *s, const struct at_line *line)
{
	take_text(s->info.imei, sizeof(s->info.imei), line);
}

const struct simcom_step simcom_identify[] = {
	{ .text = "ATE0", .judge = judge_echo },
	{ .text = "AT+CMEE=2", .optional = true },
	{ .text = "AT+CGMI", .want_text = true, .line = take_manufacturer,
	  .optional = true },
	{ .text = "AT+CGMM", .want_text = true, .line = take_model,
	  .optional = true },
	{ .text = "AT+CGMR", .want_text = true, .line = take_revision,
	  .optional = true },
	{ .text = "AT+CGSN", .want_text = true, .line = take_imei,
	  .optional = true },
	/* some firmware repeats +CGEV: ME PDN DEACT without end */
	{ .text = "AT+CGEREP=0,0", .optional = true },
	{ NULL }
};

/* -------------------------------------------------------------------- rate */

/* ITU-T V.250 6.2.10; the new rate holds after its OK. */
static int send_rate(struct simcom *s, struct at_command *cmd)
{
	return simcom_send(s, cmd, "AT+IPR=%u", s->env.modem->target_baud);
}

const struct simcom_step simcom_rate[] = {
	{ .send = send_rate },
	{ NULL }
};

/* ---------------------------------------------------------------- register */

static int send_context(struct simcom *s, struct at_command *cmd)
{
	const struct config_modem *m = s->env.modem;

	if (s->context_set)	/* again could cost the bearer */
		return 1;

	return simcom_send(s, cmd, "AT+CGDCONT=%u,%q,%q", m->cid, m->pdp_type,
			   m->apn);
}

/* TS 27.007 10.1.31: 0 none, 1 PAP, 2 CHAP. */
static int send_auth(struct simcom *s, struct at_command *cmd)
{
	const struct config_modem *m = s->env.modem;

	if (m->apn_auth == CONFIG_AUTH_NONE || s->context_set)
		return 1;

	cmd->secret = true;

	return simcom_send(s, cmd, "AT+CGAUTH=%u,%u,%q,%q", m->cid,
			   m->apn_auth == CONFIG_AUTH_PAP ? 1U : 2U,
			   m->apn_user, m->apn_password);
}

static int send_operator(struct simcom *s, struct at_command *cmd)
{
	if (!s->env.modem->operator[0] || s->context_set)
		return 1;

	return simcom_send(s, cmd, "AT+COPS=1,2,%q", s->env.modem->operator);
}

static enum simcom_verdict judge_setting(struct simcom *s, int err,
					 const struct at_answer *a)
{
	static const char *const what[] = {	/* as in simcom_register[] */
		"the context (apn, cid, pdp-type)",
		"the APN's user or password",
		"the operator",
	};

	s->info.context_bad = err && s->boot.step < 2;
	if (!err)
		return V_NEXT;

	simcom_say(s, "%s was refused (%s)", what[s->boot.step],
		   simcom_words(a));
	if (s->info.context_bad)
		snprintf(s->info.context, sizeof(s->info.context), "%.*s",
			 (int)sizeof(s->info.context) - 1, s->boot.text);
	return V_FAIL;
}

static const char *const reg_name[] = {
	"none", "home", "searching", "denied", "none", "roaming",
};

/* TS 27.007 7.2: the field after <n> in an answer, the first unasked. */
void simcom_parse_registration(struct simcom *s, const struct at_line *line)
{
	long rule = line->rule - simcom_rules;
	bool asked = rule == R_CREG_Q || rule == R_CGREG_Q ||
		     rule == R_CEREG_Q || rule == R_CREG_LONG ||
		     rule == R_CGREG_LONG || rule == R_CEREG_LONG;
	int domain = line->text[2] == 'R' ? 0 : line->text[2] == 'G' ? 1 : 2;
	long stat = line->args[asked ? 1 : 0];
	int ps;

	s->boot.reg[domain] = stat >= 0 && stat <= 5 ? (int)stat : 0;
	ps = s->boot.reg[2] == 1 || s->boot.reg[2] == 5 ? s->boot.reg[2] :
	     s->boot.reg[1] > 0 ? s->boot.reg[1] : s->boot.reg[2];
	if (!simcom_set(s->info.registration, sizeof(s->info.registration),
			ps >= 0 ? reg_name[ps] : "none") || asked)
		return;

	s->env.events->informed(s->env.up);
	if (ps == 1 || ps == 5)
		s->env.events->hopeful(s->env.up, line->text);
}

static enum simcom_verdict judge_registration(struct simcom *s, int err,
					      const struct at_answer *a)
{
	const char *reg = s->info.registration;

	(void)err;
	(void)a;
	s->context_set = true;
	if (strcmp(reg, "home") == 0 || s->boot.stage == DRIVER_CHECK)
		return V_NEXT;
	if (strcmp(reg, "roaming") == 0) {
		if (s->env.modem->allow_roaming)
			return V_NEXT;
		simcom_say(s, "registered abroad, but allow-roaming is false");
		return V_FAIL;
	}
	if (strcmp(reg, "denied") == 0) {
		simcom_say(s, "the network refused the registration: check the "
			   "SIM's subscription");
		return V_FAIL;
	}
	simcom_say(s, "%s", strcmp(reg, "searching") == 0 ?
		   "searching for a network" :
		   "not registered in a network: check antenna and coverage");

	return V_AGAIN;
}

static void take_signal(struct simcom *s, const struct at_line *line)
{
	/* TS 27.007 8.5 */
	if (line->args[0] >= 0 && line->args[0] <= 31)
		s->info.signal_dbm = (int)(-113 + 2 * line->args[0]);
}

static void take_operator(struct simcom *s, const struct at_line *line)
{
	if (line->rule == &simcom_rules[R_COPS])
		at_text_copy(s->info.operator_name,
			     sizeof(s->info.operator_name), &line->strs[0]);
}

const struct simcom_step simcom_register[] = {
	{ .send = send_context, .judge = judge_setting },
	{ .send = send_auth, .judge = judge_setting },
	{ .send = send_operator, .judge = judge_setting, .timeout_ms = 120000 },
	{ .text = "AT+CFUN?", .accept = { R_CFUN + 1 },
	  .line = simcom_take_radio, .optional = true },
	{ .send = simcom_send_radio_on, .optional = true,
	  .timeout_ms = 10000 },
	{ .text = "AT+CREG=1", .optional = true },
	{ .text = "AT+CGREG=1", .optional = true },
	{ .text = "AT+CEREG=1", .optional = true },
	{ .text = "AT+CSQ", .accept = { R_CSQ + 1 }, .line = take_signal,
	  .optional = true },
	{ .text = "AT+CPSI?", .accept = { R_CPSI + 1 },
	  .line = simcom_take_service, .optional = true },
	{ .text = "AT+CREG?", .accept = { R_CREG_Q + 1, R_CREG_LONG + 1 },
	  .line = simcom_parse_registration, .optional = true },
	{ .text = "AT+CGREG?", .accept = { R_CGREG_Q + 1, R_CGREG_LONG + 1 },
	  .line = simcom_parse_registration, .optional = true },
	{ .text = "AT+CEREG?", .accept = { R_CEREG_Q + 1, R_CEREG_LONG + 1 },
	  .line = simcom_parse_registration, .judge = judge_registration,
	  .patience_ms = REG_PATIENCE_MS, .again_ms = REG_AGAIN_MS,
	  .back = 4 },
	{ .text = "AT+CGATT?", .accept = { R_CGATT + 1 },
	  .line = simcom_take_attached, .optional = true },
	{ .text = "AT+COPS?", .accept = { R_COPS + 1, R_COPS_NONE + 1 },
	  .line = take_operator, .optional = true },
	{ NULL }
};

/* ----------------------------------------------------------------- network */

static void take_net_state(struct simcom *s, const struct at_line *line)
{
	s->boot.net_open = line->args[0] == 1;
	s->boot.net_known = true;
}

/* A7600 manual 2.12, in ms. */
static int send_timeouts(struct simcom *s, struct at_command *cmd)
{
	const struct config_links *l = s->env.links;

	return simcom_send(s, cmd, "AT+CIPTIMEOUT=%u,%u,%u",
			   l->open_timeout_ms, l->open_timeout_ms,
			   l->send_timeout_ms);
}

static int send_dnsset(struct simcom *s, struct at_command *cmd)
{
	return simcom_config_write(s, cmd, GROUP_DNSSET);
}

static int send_ccfg(struct simcom *s, struct at_command *cmd)
{
	return simcom_config_write(s, cmd, GROUP_CCFG);
}

/* What people asked for is verified. */
static int read_dnsset(struct simcom *s, struct at_command *cmd)
{
	return simcom_config_wants(s, GROUP_DNSSET) ?
	       simcom_config_read(s, cmd, GROUP_DNSSET) : 1;
}

static int read_ccfg(struct simcom *s, struct at_command *cmd)
{
	return simcom_config_wants(s, GROUP_CCFG) ?
	       simcom_config_read(s, cmd, GROUP_CCFG) : 1;
}

static enum simcom_verdict judge_dnsset(struct simcom *s, int err,
					const struct at_answer *a)
{
	(void)err;
	(void)a;
	simcom_config_verify(s, GROUP_DNSSET);

	return V_NEXT;
}

static enum simcom_verdict judge_ccfg(struct simcom *s, int err,
				      const struct at_answer *a)
{
	(void)err;
	(void)a;
	simcom_config_verify(s, GROUP_CCFG);

	return V_NEXT;
}

static int send_netopen(struct simcom *s, struct at_command *cmd)
{
	if (s->boot.net_open)	/* by an earlier run of the daemon */
		return 1;
	if (s->boot.stage == DRIVER_CHECK) {	/* links would think it theirs */
		simcom_say(s, s->boot.net_known ? "NETOPEN? says that the "
			   "network is closed" : "NETOPEN? says nothing");
		return s->boot.net_known ? -ENETDOWN : -EBADMSG;
	}

	return simcom_send(s, cmd, "AT+NETOPEN");
}

static enum simcom_verdict judge_netopen(struct simcom *s, int err,
					 const struct at_answer *a)
{
	if (s->boot.have_result && s->boot.result == 0)
		return V_NEXT;
	if (s->boot.have_result) {
		simcom_say(s, "+NETOPEN: %ld (%s): check apn and its user",
			   s->boot.result, simcom_err_text(s->boot.result));
		return V_FAIL;
	}
	if (!err)
		return V_RESULT;
	if (simcom_answer_errno(err, a) == -EALREADY)
		return V_NEXT;	/* what we want; IPADDR confirms it */

	simcom_say(s, "NETOPEN failed: %s; check apn, or this firmware (%s)",
		   simcom_words(a), s->info.revision);
	return V_FAIL;
}

static void take_address(struct simcom *s, const struct at_line *line)
{
	char text[sizeof(s->info.address)];
	struct in6_addr any;

	at_text_copy(text, sizeof(text), &line->strs[0]);
	if (inet_pton(AF_INET, text, &any) == 1 ||
	    inet_pton(AF_INET6, text, &any) == 1)
		simcom_set(s->info.address, sizeof(s->info.address), text);
}

static enum simcom_verdict judge_address(struct simcom *s, int err,
					 const struct at_answer *a)
{
	if (!err && s->info.address[0])
		return V_NEXT;

	simcom_say(s, "the network is open but has no address: %s",
		   simcom_words(a));
	return V_FAIL;
}

static enum simcom_verdict judge_netclose(struct simcom *s, int err,
					  const struct at_answer *a)
{
	(void)a;
	/* +NETCLOSE: 2 and ERROR: it was not open, which is what we want. */
	return err || s->boot.have_result ? V_NEXT : V_RESULT;
}

static int send_netclose(struct simcom *s, struct at_command *cmd)
{
	if (s->boot.net_known && !s->boot.net_open)
		return 1;

	return simcom_send(s, cmd, "AT+NETCLOSE");
}

/* Only a query proves it: an ERROR may mean anything. */
static int send_confirm(struct simcom *s, struct at_command *cmd)
{
	if (s->boot.net_known && !s->boot.net_open)
		return 1;

	return simcom_send(s, cmd, "AT+NETOPEN?");
}

static enum simcom_verdict judge_closed(struct simcom *s, int err,
					const struct at_answer *a)
{
	(void)err;
	(void)a;
	if (!s->boot.net_open || !s->boot.net_known)
		return V_NEXT;

	simcom_say(s, "after NETCLOSE the modem still says that the network is "
		   "open");
	return V_AGAIN;
}

/* A mode can be changed only while the network is closed: A7600 manual 2.10. */
static int send_net_if_left(struct simcom *s, struct at_command *cmd)
{
	if (!simcom_left_in_data_mode(s))
		return 1;
	s->boot.net_known = false;

	return simcom_send(s, cmd, "AT+NETOPEN?");
}

static enum simcom_verdict judge_left(struct simcom *s, int err,
				      const struct at_answer *a)
{
	(void)a;
	if (err || !s->boot.net_known || !s->boot.net_open)
		return V_NEXT;
	simcom_say(s, SIMCOM_LEFT_TEXT);

	return V_FAIL;
}

const struct simcom_step simcom_net_open[] = {
	{ .send = simcom_ask_mode,
	  .accept = { R_CIPMODE + 1, R_CIPMODE_BARE + 1 },
	  .line = simcom_take_mode, .optional = true },
	{ .send = send_net_if_left,
	  .accept = { R_NETOPEN + 1, R_NETOPEN_PAIR + 1 },
	  .line = take_net_state, .judge = judge_left },
	{ .send = simcom_change_mode, .optional = true },
	{ .send = simcom_verify_mode,
	  .accept = { R_CIPMODE + 1, R_CIPMODE_BARE + 1 },
	  .line = simcom_take_mode, .judge = simcom_judge_mode },
	{ .text = "AT+CIPRXGET=1" },
	{ .send = send_timeouts, .optional = true },
	{ .send = send_dnsset, .optional = true },
	{ .send = read_dnsset, .accept = { R_CIPDNSSET + 1 },
	  .line = simcom_config_line, .judge = judge_dnsset },
	{ .send = send_ccfg, .optional = true },
	{ .send = read_ccfg, .accept = { R_CIPCCFG + 1 },
	  .line = simcom_config_line, .judge = judge_ccfg },
	{ .text = "AT+CIPSENDMODE=0", .optional = true },
	{ .text = "AT+NETOPEN?", .accept = { R_NETOPEN + 1, R_NETOPEN_PAIR + 1 },
	  .line = take_net_state, .optional = true },
	{ .send = send_netopen, .result = R_NETOPEN + 1,
	  .judge = judge_netopen, .timeout_ms = 15000 },
	{ .text = "AT+IPADDR", .accept = { R_IPADDR + 1 },
	  .line = take_address, .judge = judge_address },
	{ NULL }
};

const struct simcom_step simcom_net_close[] = {
	{ .text = "AT+NETOPEN?", .accept = { R_NETOPEN + 1, R_NETOPEN_PAIR + 1 },
	  .line = take_net_state, .optional = true },
	{ .send = send_netclose, .result = R_NETCLOSE + 1,
	  .judge = judge_netclose, .timeout_ms = 15000 },
	{ .send = send_confirm,
	  .accept = { R_NETOPEN + 1, R_NETOPEN_PAIR + 1 },
	  .line = take_net_state, .judge = judge_closed,
	  .patience_ms = CLOSED_PATIENCE_MS, .again_ms = 1000 },
	{ NULL }
};

