/* SPDX-License-Identifier: MIT */

/*
 * Raw AT commands: what may be sent, and what would upset us. Asking ("?",
 * "=?") is always allowed; so is what nobody here depends on.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "at/text.h"
#include "driver/w800_private.h"

#define LINKS	"modemd owns the modem's sockets: use modemctl nc, or " \
		"the library"
#define MODES	"modemd needs it as it is to tell payload from answers"
#define OPTIONS	"it would be undone when the modem restarts: use " \
		"modemctl config NAME=VALUE"
#define LINE	"it changes the line that modemd talks through: see " \
		"modem.target-baud and modem.flow-control"
#define POWER	"use modemctl reset, which tells those who use the modem"
#define WIFI	"modemd joins the access point of modem.wifi-ssid"
#define FLASH	"what is set would then outlive modemd, and wear the flash"
#define LEASE	"it leaves the command mode"
#define SLEEP	"the modem would not answer"
#define TLS	"links ask for it when they are opened: see modemctl nc --tls"
#define CLOCK	"it would be undone when the modem restarts: use modemctl time"
#define PROMPT	"the modem would wait for payload that cannot be given here"
#define OTHERS	"it opens sockets that modemd does not know of"

/* Names without "AT", upper case; one that ends with '*' is a prefix. */
static const struct {
	const char *name, *why;
} forbidden[] = {
	{ "+CIPSTART", LINKS },
	{ "+CIPSTARTEX", LINKS },
	{ "+CIPCLOSE", LINKS },
	{ "+CIPRECVDATA", LINKS },
	{ "+CIPTCPOPT", "links ask for it when they are opened" },
	{ "+CIPSERVER", "modemd owns the modem's server: use modemctl nc -l" },
	{ "+CIPSERVERMAXCONN", "see links.max-inbound" },
	{ "+CIPSTO", "see links.inbound-idle-timeout" },
	{ "+CIPMUX", MODES },
	{ "+CIPRECVMODE", MODES },
	{ "+CIPRECVTYPE", MODES },
	{ "+CIPDINFO", MODES },
	{ "+CIPMODE", MODES },
	{ "+SAVETRANSLINK", LEASE },
	{ "+TRANSINTVL", LEASE },
	{ "+CIPRECONNINTV", OPTIONS },
	{ "+CIPV6", OPTIONS },
	{ "+CIPDNS", "see modem.dns-servers" },
	{ "+CIPSNTPCFG", CLOCK },
	{ "+CIPSNTPINTV", CLOCK },
	{ "+CIPSSL*", TLS },
	{ "+CWMODE", WIFI },
	{ "+CWJAP", WIFI },
	{ "+CWQAP", "modemd opens and closes the network: use modemctl "
	  "network" },
	{ "+CWRECONNCFG", WIFI },
	{ "+CWAUTOCONN", WIFI },
	{ "+CWSTARTSMART", WIFI },
	{ "+CWDHCP", "modemd waits for the address that DHCP gives" },
	{ "+CIPSTA", "modemd waits for the address that DHCP gives" },
	{ "+CWINIT", WIFI },
	{ "+SYSSTORE", FLASH },
	{ "+SYSMSG", MODES },
	{ "+SYSROLLBACK", POWER },
	{ "+RESTORE", POWER },
	{ "+RST", POWER },
	{ "+GSLP", SLEEP },
	{ "+SLEEP", SLEEP },
	{ "+UART", LINE },
	{ "+UART_CUR", LINE },
	{ "+UART_DEF", LINE },
	{ "+IPR", LINE },
	{ "+MQTT*", OTHERS },
	{ "+HTTP*", OTHERS },
	{ "+BLE*", "it shares the radio, and breaks passthrough" },
	{ "+BT*", "it shares the radio, and breaks passthrough" },
	{ "E", "modemd knows by the echo when the modem restarts" },
	{ "+++", LEASE },
};

/* "(Not Supported)", says the manual; or they wait for bytes that cannot be
 * given here, and would take the next command for these: by force neither. */
static const struct {
	const char *name, *why;
} never[] = {
	{ "+CIPSEND", PROMPT },
	{ "+CIPSENDEX", PROMPT },
	{ "+CIPSENDL", "the module does not support it, and would wait for "
	  "payload" },
	{ "+CIPSENDLCFG", "the module does not support it" },
	{ "+CIPFWVER", "the module does not support it" },
	{ "+CIUPDATE", "the module does not support it; an update that fails "
	  "may leave it without firmware" },
};

/* Their arguments are secret, and what they answer when they are asked: it is
 * not traced. */
static const char *const secret[] = { "+CWJAP", "+CWSAP", "+CIPSSLCPSK",
				      "+CIPSSLCPSKHEX" };

/* The name at the start of a line, blanks dropped. */
static void take_name(const char *line, char *out, size_t size)
{
	size_t n = 0;

	while (*line == ' ')
		line++;
	if (strncasecmp(line, "AT", 2) == 0)
		line += 2;
	for (; *line && n + 1 < size; line++) {
		if (*line == ' ')
			continue;
		if (strchr("=?,\"", *line) ||
		    (n == 1 && out[0] != '+' && *line >= '0' && *line <= '9'))
			break;
		out[n++] = *line;
	}
	out[n] = '\0';
}

static bool is_named(const char *name, const char *rule)
{
	size_t len = strlen(rule);

	if (len > 0 && rule[len - 1] == '*')
		return strncasecmp(name, rule, len - 1) == 0;

	return strcasecmp(name, rule) == 0;
}

/* "AT+CIPMUX?" and "AT+CIPMUX=?" ask; "AT+CIPMUX=0?" may set. */
static bool is_question(const char *line)
{
	const char *mark = line + strcspn(line, "?=");

	if (*mark == '=')
		mark += 1 + strspn(mark + 1, " ");

	return *mark == '?' && mark[1 + strspn(mark + 1, " ")] == '\0';
}

/* Also where somebody insists. */
static const char *is_never(const char *command)
{
	char name[64];
	size_t i;

	take_name(command, name, sizeof(name));
	for (i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		if (!is_question(command) && is_named(name, never[i].name))
			return never[i].why;
	}

	return NULL;
}

const char *w800_forbids(const char *command)
{
	const char *why = is_never(command);
	char name[64];
	size_t i;

	if (why)
		return why;
	take_name(command, name, sizeof(name));
	for (i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		if (!is_question(command) &&
		    is_named(name, forbidden[i].name))
			return forbidden[i].why;
	}

	return NULL;
}

static bool is_secret(const char *command)
{
	char name[64];
	size_t i;

	take_name(command, name, sizeof(name));
	for (i = 0; i < sizeof(secret) / sizeof(secret[0]); i++) {
		if (is_named(name, secret[i]))
			return true;
	}

	return false;
}

/* ---------------------------------------------------------------- sending */

/* One line more of the answer, which may be longer than we keep. */
static void add_line(struct w800 *w, const char *text)
{
	static const char cut[] = "(the rest of the answer is not kept)";
	struct w800_raw *r = &w->raw;
	size_t len = strlen(text);

	if (r->cut)
		return;
	if (len + 1 + sizeof(cut) + 1 > W800_RAW_MAX - r->len) {
		r->cut = true;
		text = cut;
		len = sizeof(cut) - 1;
	}
	memcpy(r->answer + r->len, text, len);
	r->len += len;
	r->answer[r->len++] = '\n';
	r->answer[r->len] = '\0';	/* a final line may not come */
}

static void take_line(struct w800 *w, const struct at_line *line)
{
	add_line(w, line->text);
}

static int send_raw(struct w800 *w, struct at_command *cmd)
{
	cmd->text = w->raw.text;
	cmd->timeout_ms = w->raw.timeout_ms;
	cmd->want_text = true;
	cmd->raw = true;
	cmd->secret = is_secret(w->raw.text);

	return at_channel_send(w->env.channel, cmd);
}

/* The lines, and last the final one: "" when none came. */
static enum w800_verdict judge_raw(struct w800 *w, int err,
				   const struct at_answer *a)
{
	struct w800_raw *r = &w->raw;

	if (a->detail[0])
		add_line(w, a->detail);
	snprintf(r->answer + r->len, sizeof(r->answer) - r->len, "%.200s",
		 a->final);
	w->job.err = err;

	return err ? V_FAIL : V_DONE;
}

static const struct w800_step raw_steps[] = {
	{ .send = send_raw, .line = take_line, .judge = judge_raw },
	{ NULL }
};

static void end_raw(struct w800 *w, int err)
{
	struct driver_answer answer = { .text = w->raw.answer };

	w->env.events->answered(w->env.up, w->query.id, err, &answer);
	explicit_bzero(w->raw.text, sizeof(w->raw.text));
}

int w800_at(struct w800 *w, const struct driver_query_args *args)
{
	struct w800_raw *r = &w->raw;

	if (is_never(args->text))
		return -EOPNOTSUPP;
	if (strlen(args->text) >= sizeof(r->text))
		return -EMSGSIZE;
	r->len = 0;
	r->cut = false;
	r->answer[0] = '\0';
	r->timeout_ms = args->timeout_ms;
	strcpy(r->text, args->text);

	return w800_run(w, raw_steps, end_raw);
}
