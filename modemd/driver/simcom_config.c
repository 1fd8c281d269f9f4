/* SPDX-License-Identifier: MIT */

/*
 * The options of the modem's sockets: SIMCom ref L1012, L1111, L1113, L1133.
 * Four commands hold them, each several, and each field may be left empty:
 * then it keeps its value. What was written is read back; firmware that does
 * not have a command, or keeps another value, is no fault of the network's:
 * it is told and lived with.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/log.h"
#include "base/timer.h"
#include "driver/simcom_private.h"

/* The ref prints the write form of CIPDNSSET as AT+CIPCCFG. */
static const struct {
	const char *command;
	enum simcom_rule rule;
} groups[SIMCOM_GROUPS] = {
	[GROUP_TIMEOUT]	= { "AT+CIPTIMEOUT",	R_CIPTIMEOUT },
	[GROUP_CCFG]	= { "AT+CIPCCFG",	R_CIPCCFG },
	[GROUP_SENDMODE] = { "AT+CIPSENDMODE",	R_CIPSENDMODE },
	[GROUP_DNSSET]	= { "AT+CIPDNSSET",	R_CIPDNSSET },
};

#define SETTING_WAIT_ACK	9

#define TIMEOUT(name, setting) \
	{ name, "ms", 3000, 120000, 120000, "AT+CIPTIMEOUT", setting }
#define CCFG(name, unit, min, max, def, by) \
	{ name, unit, min, max, def, "AT+CIPCCFG", by }
#define DNS(name, unit, min, max, def) \
	{ name, unit, min, max, def, "AT+CIPDNSSET", NULL }

/* <Ack> of CIPCCFG is not here: it can only be 0. */
const struct driver_setting simcom_settings[SIMCOM_SETTINGS + 1] = {
	TIMEOUT("network-timeout", "links.open-timeout"),
	TIMEOUT("open-timeout", "links.open-timeout"),
	TIMEOUT("send-timeout", "links.send-timeout"),
	CCFG("retransmissions", "", 0, 10, 10, NULL),
	CCFG("receive-delay", "ms", 0, 1000, 0, NULL),
	CCFG("error-mode", "", 0, 1, 1, NULL),
	CCFG("header-type", "", 0, 1, 0, "modemd"),
	CCFG("async-mode", "", 0, 1, 0, NULL),
	CCFG("retransmission-timeout", "ms", 500, 120000, 500, NULL),
	{ "wait-ack", "", 0, 1, 0, "AT+CIPSENDMODE", "links" },
	DNS("dns-network-retries", "", 0, 3, 3),
	DNS("dns-network-timeout", "ms", 3000, 120000, 30000),
	DNS("dns-retries", "", 0, 7, 7),
	{ NULL }
};

/* Where a setting lives. */
static const struct {
	unsigned char group, field;
} places[SIMCOM_SETTINGS] = {
	{ GROUP_TIMEOUT, 0 }, { GROUP_TIMEOUT, 1 }, { GROUP_TIMEOUT, 2 },
	{ GROUP_CCFG, 0 }, { GROUP_CCFG, 1 }, { GROUP_CCFG, 3 },
	{ GROUP_CCFG, 4 }, { GROUP_CCFG, 5 }, { GROUP_CCFG, 6 },
	{ GROUP_SENDMODE, 0 },
	{ GROUP_DNSSET, 0 }, { GROUP_DNSSET, 1 }, { GROUP_DNSSET, 2 },
};

/* ---------------------------------------------------------- what is wanted */

static void want(struct simcom *s, const char *name, long value)
{
	char why[128];
	unsigned int i;

	/* the configuration was checked: only another dialect's get here */
	if (driver_check_option(name, value, why, sizeof(why))) {
		log_warn("modem.options: %s", why);
		return;
	}
	for (i = 0; i < SIMCOM_SETTINGS; i++) {
		if (strcmp(simcom_settings[i].name, name) != 0)
			continue;
		s->config.wanted[i] = value;
		s->config.asked[i] = true;
	}
}

/* "dns-retries=2,retransmissions=3" */
static void want_options(struct simcom *s, const char *options)
{
	char name[64], value[16];
	size_t len;

	for (; options && *options; options += len + (options[len] == ',')) {
		len = strcspn(options, ",");
		if (sscanf(options, "%63[^=,]=%15[0-9]", name, value) == 2)
			want(s, name, strtol(value, NULL, 10));
	}
}

/* Something of that command was asked for by people. */
bool simcom_config_wants(const struct simcom *s, unsigned int group)
{
	unsigned int i;

	for (i = 0; i < SIMCOM_SETTINGS; i++) {
		if (places[i].group == group && s->config.asked[i])
			return true;
	}

	return false;
}

/* ------------------------------------------------------------- the commands */

/* "AT+CIPCCFG=3,,,1": @value[], where it is not -1, of that group. */
static int send_write(struct simcom *s, struct at_command *cmd,
		      unsigned int group, const long *value)
{
	char fields[128] = "", number[24];
	unsigned int i, field = 0;
	size_t len = 0;

	for (i = 0; i < SIMCOM_SETTINGS; i++) {
		if (places[i].group != group || value[i] < 0)
			continue;
		for (; field < places[i].field; field++)
			fields[len++] = ',';
		snprintf(number, sizeof(number), "%ld", value[i]);
		len += (size_t)snprintf(fields + len, sizeof(fields) - len,
					"%s", number);
	}

	return simcom_send(s, cmd, "%s=%s", groups[group].command, fields);
}

/* Of a stage: what is wanted of it. A return above 0: nothing is. */
int simcom_config_write(struct simcom *s, struct at_command *cmd,
			unsigned int group)
{
	unsigned int i;

	for (i = 0; i < SIMCOM_SETTINGS; i++) {
		if (places[i].group == group && s->config.wanted[i] >= 0)
			return send_write(s, cmd, group, s->config.wanted);
	}

	return 1;
}

int simcom_config_read(struct simcom *s, struct at_command *cmd,
		       unsigned int group)
{
	return simcom_send(s, cmd, "%s?", groups[group].command);
}

void simcom_config_line(struct simcom *s, const struct at_line *line)
{
	unsigned int i;
	long n;

	for (i = 0; i < SIMCOM_SETTINGS; i++) {
		n = line->args[places[i].field];
		if (line->rule == &simcom_rules[groups[places[i].group].rule])
			s->config.value[i] = n >= 0 ? n : -1;
	}
}

static void forget(struct simcom *s, unsigned int group)
{
	unsigned int i;

	for (i = 0; i < SIMCOM_SETTINGS; i++) {
		if (places[i].group == group)
			s->config.value[i] = -1;
	}
}

/* After reading it: what the modem did not take is told, once. */
void simcom_config_verify(struct simcom *s, unsigned int group)
{
	const struct simcom_config *c = &s->config;
	unsigned int i;

	for (i = 0; i < SIMCOM_SETTINGS; i++) {
		if (places[i].group != group || !c->asked[i] ||
		    c->value[i] == c->wanted[i])
			continue;
		if (c->value[i] < 0)
			log_warn("modem: %s was not set to %ld: this firmware "
				 "does not answer %s", simcom_settings[i].name,
				 c->wanted[i], groups[group].command);
		else
			log_warn("modem: %s was not set to %ld: it stays %ld",
				 simcom_settings[i].name, c->wanted[i],
				 c->value[i]);
	}
}

/* ------------------------------------------------------------ the questions */

static void end(struct simcom *s, int err)
{
	struct simcom_config *c = &s->config;
	struct driver_answer answer = {
		.text = err ? c->text : "",
		.number = c->value[c->setting],
	};

	timer_stop(c->timer);
	c->running = false;
	s->env.events->answered(s->env.up, c->id, err, &answer);
}

static void note_error(struct simcom *s, int err, const struct at_answer *a)
{
	s->config.err = simcom_answer_errno(err, a);
	snprintf(s->config.text, sizeof(s->config.text), "%s",
		 simcom_words(a));
}

/* Refused: what it is now is read all the same. */
static void write_done(void *ctx, int err, const struct at_answer *a)
{
	struct simcom *s = ctx;
	struct simcom_config *c = &s->config;

	c->in_flight = false;
	if (err)
		note_error(s, err, a);
	if (err && err != -EREMOTEIO) {
		end(s, err);
		return;
	}
	if (!err && c->what == DRIVER_Q_SET) {
		c->wanted[c->setting] = c->number;
		c->asked[c->setting] = true;
	}
	c->write = false;
	timer_start(c->timer, 0);
}

static void read_line(void *ctx, const struct at_line *line)
{
	simcom_config_line(ctx, line);
}

static void read_done(void *ctx, int err, const struct at_answer *a)
{
	struct simcom *s = ctx;
	struct simcom_config *c = &s->config;

	c->in_flight = false;
	if (err && err != -EREMOTEIO) {
		note_error(s, err, a);
		end(s, err);
		return;
	}
	/* What cannot be read was not set either, as far as anybody knows. */
	if (err && c->what != DRIVER_Q_CONFIG && !c->err)
		note_error(s, err, a);
	c->group++;
	timer_start(c->timer, 0);
}

static int send_next(struct simcom *s)
{
	static const signed char accept[] = { R_CIPTIMEOUT, R_CIPCCFG,
					      R_CIPSENDMODE, R_CIPDNSSET, -1 };
	struct simcom_config *c = &s->config;
	long value[SIMCOM_SETTINGS];
	struct at_command cmd = {
		.accept = accept,
		.timeout_ms = SIMCOM_FINAL_MS,
		.line = read_line,
		.done = c->write ? write_done : read_done,
		.ctx = s,
	};
	unsigned int i;

	if (!c->write) {
		forget(s, c->group);
		return simcom_config_read(s, &cmd, c->group);
	}
	for (i = 0; i < SIMCOM_SETTINGS; i++)
		value[i] = i == c->setting ? c->number : -1;

	return send_write(s, &cmd, c->group, value);
}

static void on_turn(void *ctx)
{
	struct simcom *s = ctx;
	struct simcom_config *c = &s->config;
	int err;

	if (!c->write && c->group > c->last_group) {
		end(s, c->err);
		return;
	}
	err = send_next(s);
	if (!err) {
		c->in_flight = true;
		return;
	}
	snprintf(c->text, sizeof(c->text), "%s", strerror(-err));
	end(s, err);
}

/* The first of its commands goes out at once. */
int simcom_config_query(struct simcom *s, unsigned int id,
			enum driver_query what,
			const struct driver_query_args *args)
{
	struct simcom_config *c = &s->config;
	int err;

	c->what = what;
	c->id = id;
	c->err = 0;
	c->text[0] = '\0';
	c->write = what != DRIVER_Q_CONFIG;
	c->number = args->number;
	c->setting = what == DRIVER_Q_SET ? args->setting : SETTING_WAIT_ACK;
	if (c->setting >= SIMCOM_SETTINGS)
		return -EINVAL;
	c->group = c->write ? places[c->setting].group : 0;
	c->last_group = c->write ? c->group : SIMCOM_GROUPS - 1;
	err = send_next(s);
	c->running = !err;
	c->in_flight = !err;

	return err;
}

/* The modem is gone. A command in flight is ended by its channel. */
void simcom_config_reset(struct simcom *s)
{
	unsigned int i;

	for (i = 0; i < SIMCOM_SETTINGS; i++)
		s->config.value[i] = -1;
	if (s->config.running && !s->config.in_flight)
		end(s, -ENODEV);
}

int simcom_config_new(struct simcom *s)
{
	/* A name that nobody answers for must not hold the line for long:
	 * links' names go through CIPOPEN, which these bound too. */
	static const long dns[] = { 0, 3000, 1 };
	struct simcom_config *c = &s->config;
	unsigned int i;

	for (i = 0; i < SIMCOM_SETTINGS; i++) {
		c->value[i] = -1;
		c->wanted[i] = i < SIMCOM_SETTING_DNS ? -1 :
			       dns[i - SIMCOM_SETTING_DNS];
	}
	want_options(s, s->env.modem->options);
	c->timer = timer_new(s->env.timers, on_turn, s);

	return c->timer ? 0 : -ENOMEM;
}

long simcom_setting(void *d, unsigned int setting)
{
	struct simcom *s = d;

	return setting < SIMCOM_SETTINGS ? s->config.value[setting] : -1;
}

long simcom_setting_wanted(void *d, unsigned int setting)
{
	struct simcom *s = d;

	switch (setting) {
	case 0:		/* network-timeout */
	case 1:		/* open-timeout */
		return (long)s->env.links->open_timeout_ms;
	case 2:		/* send-timeout */
		return (long)s->env.links->send_timeout_ms;
	default:
		return setting < SIMCOM_SETTINGS ? s->config.wanted[setting] :
		       -1;
	}
}
