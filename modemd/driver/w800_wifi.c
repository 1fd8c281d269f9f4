/* SPDX-License-Identifier: MIT */

/*
 * The access point: joining it, and losing it. The module joins again by
 * itself what it has joined before; without modem.wifi-ssid that is all.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "at/text.h"
#include "base/config.h"
#include "driver/w800_private.h"

#define JOIN_MS		45000	/* 15 s to join, and DHCP */
#define ADDRESS_MS	60000	/* GOT IP may come after the OK (Q127) */
#define AGAIN_MS	2000

static bool has_ssid(const struct w800 *w)
{
	return w->env.modem->wifi_ssid[0] != '\0';
}

/* W800 guide: `,` `"` and `\` are written behind a `\`. */
void w800_escape(char *out, size_t size, const char *s)
{
	size_t n = 0;

	for (; *s && n + 2 < size; s++) {
		if (*s == ',' || *s == '"' || *s == '\\')
			out[n++] = '\\';
		out[n++] = *s;
	}
	out[n] = '\0';
}

/* ------------------------------------------------------------- where it is */

static void take_mode(struct w800 *w, const struct at_line *line)
{
	w->boot.station = line->args[0] == 1 || line->args[0] == 3;
}

static int ask_mode(struct w800 *w, struct at_command *cmd)
{
	w->boot.station = false;

	return w800_send_line(w, cmd, "AT+CWMODE?");
}

/* Its own access point stays, where it has one. */
static int send_mode(struct w800 *w, struct at_command *cmd)
{
	return w->boot.station ? 1 : w800_send_line(w, cmd, "AT+CWMODE=1");
}

/* "ssid","bssid",...: the text between the quotes, as it is or escaped. */
static bool is_named(const struct at_str *tail, const char *ssid)
{
	char escaped[80];
	size_t len;

	w800_escape(escaped, sizeof(escaped), ssid);
	len = strlen(ssid);
	if (tail->len > len + 1 && strncmp(tail->s + 1, ssid, len) == 0 &&
	    tail->s[len + 1] == '"')
		return true;
	len = strlen(escaped);

	return tail->len > len + 1 &&
	       strncmp(tail->s + 1, escaped, len) == 0 &&
	       tail->s[len + 1] == '"';
}

/* The name for people: a `\` before its signs goes. */
static void take_ssid(struct w800 *w, const struct at_str *tail)
{
	char name[sizeof(w->info.ssid)];
	size_t i, n = 0;

	for (i = 1; i < tail->len && tail->s[i] != '"'; i++) {
		if (tail->s[i] == '\\' && i + 1 < tail->len)
			i++;
		if (n + 1 < sizeof(name))
			name[n++] = tail->s[i];
	}
	name[n] = '\0';
	w800_set(w->info.ssid, sizeof(w->info.ssid), name);
}

static void take_joined(struct w800 *w, const struct at_line *line)
{
	const struct at_str *tail = &line->strs[0];

	if (line->rule != &w800_rules[R_CWJAP] || tail->len == 0 ||
	    tail->s[0] != '"')
		return;
	w->boot.joined = !has_ssid(w) ||
			 is_named(tail, w->env.modem->wifi_ssid);
	if (w->boot.joined)
		take_ssid(w, tail);
}

static int ask_joined(struct w800 *w, struct at_command *cmd)
{
	w->boot.joined = false;

	return w800_send_line(w, cmd, "AT+CWJAP?");
}

/* ----------------------------------------------------------------- joining */

static int send_join(struct w800 *w, struct at_command *cmd)
{
	const struct config_modem *m = w->env.modem;
	char text[W800_TEXT_MAX + 1], ssid[80], password[160];
	int err;

	if (w->boot.joined || !has_ssid(w))
		return 1;

	w800_escape(ssid, sizeof(ssid), m->wifi_ssid);
	w800_escape(password, sizeof(password), m->wifi_password);
	snprintf(text, sizeof(text), "AT+CWJAP=\"%s\",\"%s\"", ssid, password);
	cmd->text = text;
	cmd->secret = true;
	err = at_channel_send(w->env.channel, cmd);
	explicit_bzero(text, sizeof(text));
	explicit_bzero(password, sizeof(password));
	if (err)
		w800_say(&w->stage, "the access point's name or password "
			 "cannot be said to the module: a control byte is in "
			 "it, or it is too long");

	return err;
}

/* ESP-AT, CWJAP: <error code> */
static const char *join_words(const struct at_answer *a)
{
	static const char *const codes[] = {
		[1] = "it did not answer in time",
		[2] = "it does not take the password: see "
		      "modem.wifi-password-file",
		[3] = "it cannot be found: see modem.wifi-ssid, and how far "
		      "it is",
		[4] = "it refuses the connection",
	};
	long n = a->rule == &w800_rules[R_CWJAP_CODE] ? a->args[0] : 0;

	if (n >= 1 && n <= 4)
		return codes[n];

	return "the module does not say why: check modem.wifi-ssid and "
	       "modem.wifi-password-file";
}

static enum w800_verdict judge_join(struct w800 *w, int err,
				    const struct at_answer *a)
{
	if (!err) {
		w800_set(w->info.ssid, sizeof(w->info.ssid),
			 w->env.modem->wifi_ssid);
		return V_NEXT;
	}
	w800_say(&w->stage, "the access point \"%s\" was not joined (%s): %s",
		 w->env.modem->wifi_ssid, w800_words(a), join_words(a));

	return V_FAIL;
}

static enum w800_verdict judge_address(struct w800 *w, int err,
				       const struct at_answer *a)
{
	(void)a;
	if (!err && w->boot.has_address)
		return V_NEXT;
	if (has_ssid(w))
		w800_say(&w->stage, "joined \"%s\", which has given no "
			 "address yet", w->env.modem->wifi_ssid);
	else
		w800_say(&w->stage, "waiting until the module has joined an "
			 "access point by itself: modem.wifi-ssid is not set");

	return V_AGAIN;
}

const struct w800_step w800_register[] = {
	{ .send = ask_mode, .accept = { R_CWMODE + 1 }, .line = take_mode,
	  .optional = true },
	{ .send = send_mode },
	{ .send = ask_joined, .accept = { R_CWJAP + 1, R_NO_AP + 1 },
	  .line = take_joined, .optional = true },
	{ .send = send_join, .judge = judge_join, .timeout_ms = JOIN_MS },
	{ .send = w800_ask_address, .accept = { R_CIFSR + 1 },
	  .line = w800_take_address, .judge = judge_address,
	  .patience_ms = ADDRESS_MS, .again_ms = AGAIN_MS },
	{ NULL }
};

/* ----------------------------------------------------- what it tells of it */

/* Among the answers to a join they are part of it. */
static bool is_joining(const struct w800 *w)
{
	return w800_runs(&w->stage, w800_register);
}

bool w800_wifi_line(struct w800 *w, const struct at_line *line)
{
	const struct driver_events *ev = w->env.events;

	switch (line->rule - w800_rules) {
	case R_WIFI_CONNECTED:
		return true;
	case R_WIFI_GOT_IP:
		w800_poke(&w->stage);
		ev->hopeful(w->env.up, line->text);
		return true;
	case R_WIFI_DISCONNECT:
		w->info.address[0] = '\0';
		w->info.ssid[0] = '\0';
		w->boot.has_address = false;
		if (!is_joining(w))
			ev->network_lost(w->env.up, "WIFI DISCONNECT: the "
					 "access point was lost");
		return true;
	}

	return false;
}
