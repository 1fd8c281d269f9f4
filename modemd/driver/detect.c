/* SPDX-License-Identifier: MIT */

/*
 * detect - the driver of a modem that nobody has named yet (dialect = auto):
 * it only finds out which one can speak with it. All that it asks is asked by
 * hosts of either kind; what a modem does not know costs it an ERROR.
 *
 *	AT+CGMI		"SIMCOM INCORPORATED": that is it
 *	AT+CIPMUX?	"+CIPMUX:0": a relative of ESP-AT
 *	AT+NETOPEN?	"+NETOPEN: 0": SIMCom, under another name
 *
 * WinnerMicro's older command set answers even AT with +OK or +ERR=.
 */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at/channel.h"
#include "base/timer.h"
#include "driver/detect_private.h"

#define ANSWER_MS	3000

enum detect_rule {
	R_MUX,
	R_NETOPEN,
	R_NETOPEN_PAIR,
	R_OLD_OK,
	R_OLD_VALUE,
	R_OLD_ERR,
	R_READY,
	R_RDY,
	R_ATREADY,
	R_QCRDY,
};

/* Of the older command set every answer is one, also an error: the modem is
 * there. */
static const struct at_rule rules[] = {
	[R_MUX]		= { "+CIPMUX:#",	AT_REPLY },
	[R_NETOPEN]	= { "+NETOPEN: #",	AT_REPLY },
	[R_NETOPEN_PAIR] = { "+NETOPEN: #, #",	AT_REPLY },
	[R_OLD_OK]	= { "+OK",		AT_OK },
	[R_OLD_VALUE]	= { "+OK=*",		AT_OK },
	[R_OLD_ERR]	= { "+ERR=*",		AT_OK },
	[R_READY]	= { "~ready",		AT_URC },
	[R_RDY]		= { "RDY",		AT_URC },
	[R_ATREADY]	= { "*ATREADY: #",	AT_URC },
	[R_QCRDY]	= { "QCRDY",		AT_URC },
	{ "OK",			AT_OK },
	{ "ERROR",		AT_FAIL },
	{ "FAIL",		AT_FAIL },
	{ "SEND OK",		AT_SENT },
	{ "SEND FAIL",		AT_FAIL },
	{ "CMD FORMAT ERR",	AT_FAIL },
	{ "CMD PARSE ERR",	AT_FAIL },
	{ "+CME ERROR: *",	AT_FAIL },
	{ "busy*",		AT_BUSY },
	/* what a modem may say while it starts; an answer is none of it */
	{ "+CPIN: *",		AT_URC },
	{ "PB DONE",		AT_URC },
	{ "SMS DONE",		AT_URC },
	{ "WIFI *",		AT_URC },
	{ "#,CLOSED",		AT_URC },
	{ "#,CONNECT",		AT_URC },
	{ NULL }
};

struct detect {
	struct driver_env env;
	struct driver_info info;
	struct timer *turn;		/* the next question, or the result */
	bool running;
	bool orphan;			/* its command's answer is nobody's */
	bool in_flight;
	unsigned int step;
	bool matched;			/* by a line of the answer */
	char maker[64];			/* as AT+CGMI says */
	const struct driver *found;
	int err;
	char text[256];
};

/* ---------------------------------------------------------------- questions */

static void maker_line(void *ctx, const struct at_line *line)
{
	struct detect *d = ctx;

	d->matched |= strcasestr(line->text, "simcom") != NULL;
	if (!d->maker[0])
		snprintf(d->maker, sizeof(d->maker), "%.*s",
			 (int)sizeof(d->maker) - 1, line->text);
}

static void state_line(void *ctx, const struct at_line *line)
{
	struct detect *d = ctx;

	(void)line;
	d->matched = true;
}

static const struct question {
	const char *text;
	bool want_text;
	signed char accept[3];
	void (*line)(void *ctx, const struct at_line *line);
	const struct driver *means;	/* when the answer is as expected */
} questions[] = {
	{ "AT+CGMI", true, { -1 }, maker_line, &driver_simcom },
	{ "AT+CIPMUX?", false, { R_MUX, -1 }, state_line, &driver_w800 },
	{ "AT+NETOPEN?", false, { R_NETOPEN, R_NETOPEN_PAIR, -1 }, state_line,
	  &driver_simcom },
};

#define QUESTIONS	(sizeof(questions) / sizeof(questions[0]))

static void say_neither(struct detect *d)
{
	d->err = -EOPNOTSUPP;
	snprintf(d->text, sizeof(d->text), "this modem%s%s%s answers neither "
		 "as a SIMCom A7600 or SIM7600 does nor as a W800: is this its "
		 "AT port? Else name its dialect in modem.dialect",
		 d->maker[0] ? " (" : "", d->maker, d->maker[0] ? ")" : "");
}

static void say_older(struct detect *d)
{
	d->err = -EOPNOTSUPP;
	snprintf(d->text, sizeof(d->text), "this modem speaks the older "
		 "WinnerMicro command set (+OK, +ERR=), which modemd does not "
		 "speak: it needs a firmware with the AT commands of the W800");
}

static void answered(void *ctx, int err, const struct at_answer *a)
{
	struct detect *d = ctx;

	d->in_flight = false;
	if (d->orphan) {
		d->orphan = false;
		return;
	}
	if (err && err != -EREMOTEIO) {
		d->err = err;
		snprintf(d->text, sizeof(d->text), "%s", err == -ETIMEDOUT ?
			 "the modem did not answer" : strerror(-err));
	} else if (a->final[0] == '+' && strncmp(a->final, "+CME", 4) != 0) {
		say_older(d);
	} else if (!err && d->matched) {
		d->found = questions[d->step].means;
	} else if (++d->step == QUESTIONS) {
		say_neither(d);
	}
	/* The channel takes the next command once this input is read, and
	 * who hears the result may end us. */
	timer_start(d->turn, 0);
}

static int ask(struct detect *d)
{
	const struct question *q = &questions[d->step];
	struct at_command cmd = {
		.text = q->text,
		.accept = q->accept,
		.want_text = q->want_text,
		.timeout_ms = ANSWER_MS,
		.line = q->line,
		.done = answered,
		.ctx = d,
	};
	int err;

	d->matched = false;
	err = at_channel_send(d->env.channel, &cmd);
	d->in_flight = !err;

	return err;
}

static void end_stage(struct detect *d, int err)
{
	d->running = false;
	d->env.events->staged(d->env.up, DRIVER_IDENTIFY, err, d->text);
}

static void on_turn(void *ctx)
{
	struct detect *d = ctx;
	int err;

	if (d->found) {
		d->running = false;
		d->env.events->identified(d->env.up, d->found);
		return;
	}
	err = d->err ? d->err : ask(d);
	if (!err)
		return;
	if (!d->text[0])
		snprintf(d->text, sizeof(d->text), "%s", strerror(-err));
	end_stage(d, err);
}

/* ------------------------------------------------------------- its contract */

int detect_stage(void *ctx, enum driver_stage what)
{
	struct detect *d = ctx;
	int err;

	if (d->running || d->orphan)
		return -EBUSY;
	if (what != DRIVER_IDENTIFY)
		return -EOPNOTSUPP;

	d->step = 0;
	d->found = NULL;
	d->err = 0;
	d->text[0] = '\0';
	d->maker[0] = '\0';
	err = ask(d);
	d->running = !err;

	return err;
}

void detect_line(void *ctx, const struct at_line *line)
{
	struct detect *d = ctx;

	switch (line->rule - rules) {
	case R_READY:
	case R_RDY:
	case R_ATREADY:
	case R_QCRDY:
		d->env.events->rebooted(d->env.up, line->text);
	}
}

void detect_reset(void *ctx, bool modem_gone)
{
	struct detect *d = ctx;

	if (!modem_gone || !d->running)
		return;
	timer_stop(d->turn);
	d->orphan = d->in_flight;
	snprintf(d->text, sizeof(d->text), "the modem is gone");
	end_stage(d, -ENODEV);
}

void detect_free(void *ctx)
{
	struct detect *d = ctx;

	if (!d)
		return;
	timer_free(d->turn);
	free(d);
}

void *detect_new(const struct driver_env *env)
{
	struct detect *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->env = *env;
	d->info.signal_dbm = INT_MIN;
	d->turn = timer_new(env->timers, on_turn, d);
	if (!d->turn) {
		free(d);
		return NULL;
	}

	return d;
}

const struct driver_info *detect_info(void *ctx)
{
	struct detect *d = ctx;

	return &d->info;
}

/* CR LF ends a line for all of them, and so do these pauses. */
const struct at_dialect detect_dialect = {
	.rules		= rules,
	.eol		= "\r\n",
	.entry		= AT_ENTRY_UNKNOWN,
	.guard_ms	= 1100,
	.rest_ms	= 1100,
};
