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
#include "driver/simcom_private.h"

#define ANSWER_MAX	8192	/* bytes: escaped, it still fits a frame */

#define LINKS	"modemd owns the modem's sockets: use modemctl nc, or " \
		"the library"
#define MODES	"modemd needs it as it is to tell payload from answers"
#define NETWORK	"modemd opens and closes the network: use modemctl network"
#define OPTIONS	"it would be undone when the modem restarts: use " \
		"modemctl config NAME=VALUE"
#define TIMEOUTS "set links.open-timeout and links.send-timeout instead"
#define LINE	"it changes the line that modemd talks through: see " \
		"modem.target-baud and modem.flow-control"
#define POWER	"use modemctl reset, which tells those who use the modem"
#define CONTEXT	"set it in the section modem of the configuration"
#define NEWS	"modemd relies on what the modem then tells unasked"
#define PROMPT	"the modem would wait for text that cannot be given here"
#define RADIO	"it takes the network from everybody; see modem.operator"
#define LEASE	"it leaves the command mode"
#define SERVERS	"modemd owns the modem's servers: use modemctl nc -l"

/* Names without "AT", upper case; one that ends with '*' is a prefix. */
static const struct {
	const char *name, *why;
} forbidden[] = {
	{ "+CIPOPEN", LINKS },
	{ "+CIPCLOSE", LINKS },
	{ "+CIPSEND", LINKS },
	{ "+CIPRXGET", LINKS },
	{ "+CIPHEAD", MODES },
	{ "+CIPSRIP", MODES },
	{ "+CIPMODE", MODES },
	{ "+CIPSENDMODE", "links ask for it when they are opened: wait_ack" },
	{ "+CIPTIMEOUT", TIMEOUTS },
	{ "+CIPCCFG", OPTIONS },
	{ "+CIPDNSSET", OPTIONS },
	{ "+SERVERSTART", SERVERS },
	{ "+SERVERSTOP", SERVERS },
	{ "+CPING", "use modemctl ping" },
	{ "+CPINGSTOP", "modemctl ping stops its own; use Ctrl-C there" },
	{ "+NETOPEN", NETWORK },
	{ "+NETCLOSE", NETWORK },
	{ "+CGACT", NETWORK },
	{ "+CGATT", NETWORK },
	{ "+CGDATA", LEASE },
	{ "+CGDCONT", CONTEXT },
	{ "+CGAUTH", CONTEXT },
	{ "+CNCFG", CONTEXT },
	{ "+CSOCKSETPN", CONTEXT },
	{ "+COPS", RADIO },
	{ "+CNMP", RADIO },
	{ "+CNBP", RADIO },
	{ "+CREG", NEWS },
	{ "+CGREG", NEWS },
	{ "+CEREG", NEWS },
	{ "+CGEREP", NEWS },
	{ "+CMEE", NEWS },
	{ "+CATR", NEWS },
	{ "+CPIN", "modemd enters the PIN, once; see modem.pin-file" },
	{ "+CLCK", "it may lock the SIM, and modemd could not unlock it" },
	{ "+CPWD", "modemd would go on with the old PIN of modem.pin-file" },
	{ "+CFUN", POWER },
	{ "+CRESET", POWER },
	{ "+CPOF", POWER },
	{ "+CPWROFF", POWER },
	{ "+REBOOT", POWER },
	{ "+IPR", LINE },
	{ "+IPREX", LINE },
	{ "+IFC", LINE },
	{ "+ICF", LINE },
	{ "+CMUX", LINE },
	{ "+CSCLK", LINE },
	{ "&D", LINE },
	{ "&C", LINE },
	{ "&K", LINE },
	{ "\\Q", LINE },
	{ "&F", "it resets what modemd has set" },
	{ "Z", "it resets what modemd has set" },
	{ "E", "modemd knows by the echo when the modem restarts" },
	{ "V", "modemd reads answers in words" },
	{ "Q", "modemd waits for answers" },
	{ "S", "modemd relies on how lines end" },
	{ "+++", LEASE },
	{ "O", LEASE },
	{ "D", LEASE },
	/* SMS and USSD break the sockets of some modules (Q83) */
	{ "+CMGS", PROMPT },
	{ "+CMGW", PROMPT },
	{ "+CMGC", PROMPT },
	{ "+CUSD", "on some modules it breaks all sockets until a restart" },
	{ "+CMSS", "on some modules it breaks all sockets until a restart" },
	{ "+CCHSEND", PROMPT },
	{ "+CMQTTTOPIC", PROMPT },
	{ "+CMQTTPAYLOAD", PROMPT },
	{ "+CMQTTSUBTOPIC", PROMPT },
	{ "+CMQTTWILL*", PROMPT },
	{ "+HTTPDATA", PROMPT },
	{ "+CFTRANRX", PROMPT },
	{ "+CCERTDOWN", PROMPT },
};

/* Their arguments are secret, so they are not traced. */
static const char *const secret[] = { "+CPIN", "+CPWD", "+CLCK", "+CGAUTH" };

/* One command of a line: "+CREG" of "+CREG?;+CSQ". */
struct piece {
	const char *name;
	size_t len;
	bool asks;
};

/* The line without "AT", and without blanks, which mean nothing to names. */
static void squeeze(const char *line, char out[AT_COMMAND_MAX + 1])
{
	size_t len = 0;

	for (; *line && len < AT_COMMAND_MAX; line++) {
		if (*line != ' ' && *line != '\t')
			out[len++] = *line;
	}
	out[len] = '\0';
	if (strncasecmp(out, "AT", 2) == 0)
		memmove(out, out + 2, len - 1);
}

/* The end of a command: a ';' that does not stand in quotes. */
static size_t command_len(const char *s)
{
	bool quoted = false;
	size_t len;

	for (len = 0; s[len] && (quoted || s[len] != ';'); len++) {
		if (s[len] == '"')
			quoted = !quoted;
	}

	return len;
}

/* "+CIPOPEN?" and "+CIPOPEN=?" ask; "+CIPOPEN" and "+CIPOPEN=1" do not. */
static bool is_question(const char *s, size_t len)
{
	return (len == 1 && s[0] == '?') ||
	       (len == 2 && s[0] == '=' && s[1] == '?');
}

/* A name: '+', '&' or '\\' and letters, or one letter of V.250. */
static size_t name_len(const char *s)
{
	if (strncmp(s, "+++", 3) == 0)
		return 3;
	if (*s == '&' || *s == '\\')
		return s[1] ? 2 : 1;
	if (*s != '+' && *s != '*' && *s != '^' && *s != '$')
		return 1;

	return 1 + strcspn(s + 1, "=?;+&\\\"0123456789,");
}

/* The next command of the line @*at, which moves behind it; false: none. */
static bool next_piece(const char **at, struct piece *p)
{
	const char *s = *at + strspn(*at, ";");
	size_t len;

	if (!*s)
		return false;
	p->name = s;
	p->len = name_len(s);
	len = command_len(s);
	/* The last is a write form that only asks how much is buffered. */
	p->asks = is_question(s + p->len, len - p->len) ||
		  strncasecmp(s, "+CIPRXGET=4,", 12) == 0;
	/* of the basic ones several stand in a row: E1V0+CIPOPEN=... */
	if (p->len == 1 && !p->asks)
		len = 1 + strspn(s + 1, "0123456789=?");
	*at = s + len;

	return true;
}

static bool is_named(const struct piece *p, const char *name)
{
	size_t len = strlen(name);

	if (len > 0 && name[len - 1] == '*')
		return p->len >= len - 1 &&
		       strncasecmp(p->name, name, len - 1) == 0;

	return p->len == len && strncasecmp(p->name, name, len) == 0;
}

const char *simcom_forbids(const char *command)
{
	char line[AT_COMMAND_MAX + 1];
	const char *at = line;
	struct piece p;
	size_t i;

	squeeze(command, line);
	while (next_piece(&at, &p)) {
		for (i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]);
		     i++) {
			if (!p.asks && is_named(&p, forbidden[i].name))
				return forbidden[i].why;
		}
	}

	return NULL;
}

static bool is_secret(const char *command)
{
	char line[AT_COMMAND_MAX + 1];
	const char *at = line;
	struct piece p;
	size_t i;

	squeeze(command, line);
	while (next_piece(&at, &p)) {
		for (i = 0; i < sizeof(secret) / sizeof(secret[0]); i++) {
			if (!p.asks && is_named(&p, secret[i]))
				return true;
		}
	}

	return false;
}

/* ---------------------------------------------------------------- sending */

/* One line more of the answer, which may be longer than we keep. */
static void add_line(struct simcom *s, const char *text)
{
	static const char cut[] = "(the rest of the answer is not kept)";
	struct simcom_at *at = &s->at;
	size_t len = strlen(text);

	if (at->cut)
		return;
	if (len + 1 + sizeof(cut) + 1 > ANSWER_MAX - at->len) {
		at->cut = true;
		text = cut;
		len = sizeof(cut) - 1;
	}
	memcpy(at->answer + at->len, text, len);
	at->len += len;
	at->answer[at->len++] = '\n';
}

static void at_line(void *ctx, const struct at_line *line)
{
	add_line(ctx, line->text);
}

/* The lines, and last the final one: "" when none came. */
static void at_done(void *ctx, int err, const struct at_answer *a)
{
	struct simcom *s = ctx;
	struct driver_answer answer = { 0 };
	size_t room;

	if (a->detail[0])
		add_line(s, a->detail);
	room = ANSWER_MAX + 256 - s->at.len;
	snprintf(s->at.answer + s->at.len, room, "%s", a->final);
	answer.text = s->at.answer;
	s->env.events->answered(s->env.up, s->at.id, err, &answer);
	free(s->at.answer);
	s->at.answer = NULL;
}

int simcom_at(struct simcom *s, unsigned int id,
	      const struct driver_query_args *args)
{
	struct at_command cmd = {
		.text = args->text,
		.timeout_ms = args->timeout_ms,
		.want_text = true,
		.raw = true,
		.secret = is_secret(args->text),
		.line = at_line,
		.done = at_done,
		.ctx = s,
	};
	char *answer = malloc(ANSWER_MAX + 256);
	int err;

	if (!answer)
		return -ENOMEM;
	err = at_channel_send(s->env.channel, &cmd);
	if (err) {
		free(answer);
		return err;
	}
	s->at = (struct simcom_at){ .id = id, .answer = answer };

	return 0;
}
