/* SPDX-License-Identifier: MIT */

/*
 * What of the module's settings people may read, and some may set: W800
 * manual, CIPMUX, CIPRECVMODE, CIPDINFO, CIPSERVERMAXCONN, CIPSTO,
 * CIPRECONNINTV, CIPSNTPINTV, CIPV6; and CIPDNS. One command for each. What is
 * written is read back; firmware that does not have one is lived with.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at/text.h"
#include "base/config.h"
#include "base/log.h"
#include "driver/w800_private.h"

#define FIXED(name, min, max, def, command) \
	{ name, "", min, max, def, command, "modemd" }

const struct driver_setting w800_settings[W800_SETTINGS + 1] = {
	FIXED("links-mode", 0, 1, 0, "AT+CIPMUX"),
	FIXED("receive-mode", 0, 1, 0, "AT+CIPRECVMODE"),
	FIXED("datagram-source", 0, 1, 0, "AT+CIPDINFO"),
	{ "server-links", "", 1, 5, 5, "AT+CIPSERVERMAXCONN",
	  "links.max-inbound" },
	{ "inbound-idle", "s", 0, 7200, 180, "AT+CIPSTO",
	  "links.inbound-idle-timeout" },
	{ "reconnect-interval", "x 100 ms", 1, 36000, 1, "AT+CIPRECONNINTV",
	  NULL },
	{ "sntp-interval", "s", 15, 4294967, 3600, "AT+CIPSNTPINTV", NULL },
	{ "ipv6", "", 0, 1, 1, "AT+CIPV6", NULL },
	{ NULL }
};

#define SETTING_RECONNECT	5
#define SETTING_SNTP_INTERVAL	6
#define SETTING_IPV6		7

/* Whose answer tells it. */
static const enum w800_rule rules[W800_SETTINGS] = {
	R_CIPMUX, R_RECVMODE, R_DINFO, R_MAXCONN, R_CIPSTO, R_RECONNINTV,
	R_SNTPINTV, R_CIPV6,
};

static int find(const char *name)
{
	int i;

	for (i = 0; i < W800_SETTINGS; i++) {
		if (strcmp(w800_settings[i].name, name) == 0)
			return i;
	}

	return -1;
}

void w800_config_note(struct w800 *w, const char *name, long value)
{
	int i = find(name);

	if (i >= 0)
		w->config.value[i] = value;
}

/* At each bring-up. */
void w800_config_want(struct w800 *w, const char *name, long value)
{
	int i = find(name);

	if (i >= 0)
		w->config.wanted[i] = value;
}

long w800_setting(void *d, unsigned int setting)
{
	struct w800 *w = d;

	return setting < W800_SETTINGS ? w->config.value[setting] : -1;
}

long w800_setting_wanted(void *d, unsigned int setting)
{
	struct w800 *w = d;

	return setting < W800_SETTINGS ? w->config.wanted[setting] : -1;
}

void w800_config_forget(struct w800 *w)
{
	unsigned int i;

	for (i = 0; i < W800_SETTINGS; i++)
		w->config.value[i] = -1;
}

/* "ipv6=0,sntp-interval=600"; the configuration was checked: what is not here
 * is another dialect's. */
static void want_options(struct w800 *w, const char *options)
{
	char name[64], value[16], why[128];
	size_t len;
	int i;

	for (; options && *options; options += len + (options[len] == ',')) {
		len = strcspn(options, ",");
		if (sscanf(options, "%63[^=,]=%15[0-9]", name, value) != 2)
			continue;
		i = find(name);
		if (i < 0 || driver_check_option(name, strtol(value, NULL, 10),
						 why, sizeof(why)))
			continue;
		w->config.wanted[i] = strtol(value, NULL, 10);
	}
}

void w800_config_init(struct w800 *w)
{
	unsigned int i;

	w800_config_forget(w);
	for (i = 0; i < W800_SETTINGS; i++)
		w->config.wanted[i] = -1;
	w->config.wanted[SETTING_IPV6] = 1;
	want_options(w, w->env.modem->options);
}

/* -------------------------------------------------------------------- read */

/* A number; of CIPDINFO also "true" and "false". */
static void take_value(struct w800 *w, const struct at_line *line)
{
	unsigned int i;

	for (i = 0; i < W800_SETTINGS; i++) {
		if (line->rule != &w800_rules[rules[i]])
			continue;
		if (rules[i] == R_DINFO)
			w->config.value[i] = line->strs[0].len > 0 &&
				(line->strs[0].s[0] == '1' ||
				 line->strs[0].s[0] == 't');
		else
			w->config.value[i] = line->args[0] >= 0 ?
				line->args[0] : -1;
	}
}

#define READ(question, rule) \
	{ .text = (question), .accept = { (rule) + 1 }, .line = take_value, \
	  .optional = true }

static const struct w800_step read_steps[] = {
	READ("AT+CIPMUX?", R_CIPMUX),
	READ("AT+CIPRECVMODE?", R_RECVMODE),
	READ("AT+CIPDINFO?", R_DINFO),
	READ("AT+CIPSERVERMAXCONN?", R_MAXCONN),
	READ("AT+CIPSTO?", R_CIPSTO),
	READ("AT+CIPRECONNINTV?", R_RECONNINTV),
	READ("AT+CIPSNTPINTV?", R_SNTPINTV),
	READ("AT+CIPV6?", R_CIPV6),
	{ NULL }
};

static void end_read(struct w800 *w, int err)
{
	w800_answer(w, err, &(struct driver_answer){ 0 });
}

int w800_config_read(struct w800 *w)
{
	int err = w800_run(w, read_steps, end_read);

	if (!err)
		w800_config_forget(w);

	return err;
}

/* --------------------------------------------------------------------- set */

static int write_setting(struct w800 *w, struct at_command *cmd,
			 unsigned int setting, long value)
{
	return w800_send_line(w, cmd, "%s=%u", w800_settings[setting].command,
			      (unsigned int)value);
}

static int send_set(struct w800 *w, struct at_command *cmd)
{
	return write_setting(w, cmd, w->config.setting, w->config.number);
}

/* Refused: what it is now is read all the same. */
static enum w800_verdict judge_set(struct w800 *w, int err,
				   const struct at_answer *a)
{
	struct w800_config *c = &w->config;

	c->err = w800_answer_errno(err, a);
	if (err)
		w800_say(&w->job, "%s", w800_words(a));
	else
		c->wanted[c->setting] = c->number;

	return V_NEXT;
}

static int send_get(struct w800 *w, struct at_command *cmd)
{
	w->config.value[w->config.setting] = -1;

	return w800_send_line(w, cmd, "%s?",
			      w800_settings[w->config.setting].command);
}

/* What cannot be read was not set either, as far as anybody knows. */
static enum w800_verdict judge_get(struct w800 *w, int err,
				   const struct at_answer *a)
{
	struct w800_config *c = &w->config;

	if (err && !c->err) {
		c->err = w800_answer_errno(err, a);
		w800_say(&w->job, "%s", w800_words(a));
	}
	w->job.err = c->err;

	return c->err ? V_FAIL : V_DONE;
}

static const struct w800_step set_steps[] = {
	{ .send = send_set, .judge = judge_set },
	{ .send = send_get, .accept = { R_RECONNINTV + 1, R_SNTPINTV + 1,
					R_CIPV6 + 1 },
	  .line = take_value, .judge = judge_get },
	{ NULL }
};

static void end_set(struct w800 *w, int err)
{
	struct driver_answer answer = {
		.number = w->config.value[w->config.setting],
	};

	w800_answer(w, err, &answer);
}

int w800_config_set(struct w800 *w, unsigned int setting, long value)
{
	if (setting >= W800_SETTINGS || w800_settings[setting].by)
		return -EINVAL;
	w->config.setting = setting;
	w->config.number = value;

	return w800_run(w, set_steps, end_set);
}

/* ---------------------------------------------------------------- bring-up */

static int send_wanted(struct w800 *w, struct at_command *cmd,
		       unsigned int setting)
{
	long value = w->config.wanted[setting];

	return value < 0 ? 1 : write_setting(w, cmd, setting, value);
}

int w800_send_reconnect(struct w800 *w, struct at_command *cmd)
{
	return send_wanted(w, cmd, SETTING_RECONNECT);
}

int w800_send_sntp_interval(struct w800 *w, struct at_command *cmd)
{
	return send_wanted(w, cmd, SETTING_SNTP_INTERVAL);
}

int w800_send_ipv6(struct w800 *w, struct at_command *cmd)
{
	return send_wanted(w, cmd, SETTING_IPV6);
}

/*
 * modem.dns-servers. Without, not a word: CIPDNS=0 would go back to two fixed
 * addresses until the next DHCP.
 */
int w800_send_dns(struct w800 *w, struct at_command *cmd)
{
	const char *list = w->env.modem->dns_servers;
	size_t len = list ? strcspn(list, ",") : 0;
	char first[DRIVER_ADDRESS_MAX];

	if (len == 0)
		return 1;
	snprintf(first, sizeof(first), "%.*s", (int)len, list);
	if (list[len] == ',')
		return w800_send_line(w, cmd, "AT+CIPDNS=1,%q,%q", first,
				      list + len + 1);

	return w800_send_line(w, cmd, "AT+CIPDNS=1,%q", first);
}

enum w800_verdict w800_judge_dns(struct w800 *w, int err,
				 const struct at_answer *a)
{
	(void)w;
	if (err)
		log_warn("w800: modem.dns-servers were refused: %s",
			 w800_words(a));

	return V_NEXT;
}
