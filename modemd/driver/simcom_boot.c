/* SPDX-License-Identifier: MIT */

/*
 * Runs the stages of bring-up: the chart of A7600 appnote 1.4, without the
 * network part that no daemon can mend. A stage is a list of steps, a step is
 * one command and a judgement of its answer. Nothing sleeps: what is not
 * ready yet is asked for again, sooner when a line says that it changed.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/config.h"
#include "base/timer.h"
#include "driver/simcom_private.h"

#define QUERY_MS	5000	/* an answer to a plain question */
#define RESULT_MARGIN_MS 5000	/* beyond the modem's own deadline */
#define NETCLOSE_MS	30000
#define LINE_BUSY_MS	50
#define NEVER_MS	(7 * 24 * 3600 * 1000U)

static void run_step(struct simcom *s);

void simcom_say(struct simcom *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->boot.text, sizeof(s->boot.text), fmt, ap);
	va_end(ap);
}

const char *simcom_words(const struct at_answer *a)
{
	if (a->detail[0])
		return a->detail;

	return a->final[0] ? a->final : "no answer";
}

static const struct simcom_step *const stages[SIMCOM_STAGES] = {
	[DRIVER_IDENTIFY]	= simcom_identify,
	[DRIVER_RATE]		= simcom_rate,
	[DRIVER_SIM]		= simcom_sim,
	[DRIVER_REGISTER]	= simcom_register,
	[DRIVER_NET_OPEN]	= simcom_net_open,
	[DRIVER_NET_CLOSE]	= simcom_net_close,
	[DRIVER_CONTEXTS]	= simcom_contexts,
	[DRIVER_CHECK]		= simcom_identify,
	[SIMCOM_LEASE_CONNECT]	= simcom_lease_connect,
	[SIMCOM_LEASE_DISCONNECT] = simcom_lease_disconnect,
	[SIMCOM_LEASE_RESTORE]	= simcom_lease_restore,
};

/* A check is the way up once more, but for the SIM and for opening. */
static const struct simcom_step *next_list(const struct simcom *s)
{
	if (s->boot.stage != DRIVER_CHECK)
		return NULL;
	if (s->boot.list == simcom_identify)
		return simcom_register;

	return s->boot.list == simcom_register ? simcom_net_open : NULL;
}

/* -------------------------------------------------------------- the runner */

static const struct simcom_step *current(const struct simcom *s)
{
	return &s->boot.list[s->boot.step];
}

static void end_stage(struct simcom *s, int err)
{
	struct simcom_boot *b = &s->boot;

	timer_stop(b->timer);
	b->running = false;
	b->wait = WAIT_NOTHING;
	if (s->lease.phase != LEASE_NONE)
		simcom_lease_staged(s, err);
	else
		s->env.events->staged(s->env.up, (enum driver_stage)b->stage,
				      err, err || b->stage == DRIVER_CONTEXTS ?
				      b->text : "");
}

static void wait_for(struct simcom *s, enum simcom_wait wait, uint32_t ms)
{
	s->boot.wait = wait;
	timer_start(s->boot.timer, ms);
}

static void next_step(struct simcom *s)
{
	s->boot.step++;
	s->boot.again_until_ms = 0;
	s->boot.have_result = false;
	/* The channel takes the next command once this input is read. */
	wait_for(s, WAIT_TURN, 0);
}

static void try_again(struct simcom *s)
{
	const struct simcom_step *step = current(s);
	int64_t now = timers_mono_ms(s->env.timers);

	if (s->boot.again_until_ms == 0)
		s->boot.again_until_ms = now + step->patience_ms;
	if (now >= s->boot.again_until_ms) {
		end_stage(s, -ETIMEDOUT);
		return;
	}
	wait_for(s, WAIT_AGAIN, step->again_ms);
	s->env.events->waiting(s->env.up, s->boot.text, step->again_ms);
}

static uint32_t result_ms(const struct simcom *s)
{
	if (s->boot.stage == DRIVER_NET_CLOSE)
		return NETCLOSE_MS;
	if (s->boot.stage == SIMCOM_LEASE_CONNECT && s->lease.listen)
		return NEVER_MS;	/* until somebody connects */

	return s->env.links->open_timeout_ms + RESULT_MARGIN_MS;
}

static void act(struct simcom *s, enum simcom_verdict v, int err)
{
	switch (v) {
	case V_NEXT:
		next_step(s);
		break;
	case V_AGAIN:
		try_again(s);
		break;
	case V_RESULT:
		wait_for(s, WAIT_RESULT, result_ms(s));
		break;
	case V_DONE:
		end_stage(s, 0);
		break;
	case V_FAIL:
		end_stage(s, err ? err : -EREMOTEIO);
		break;
	}
}

static void step_line(void *ctx, const struct at_line *line)
{
	struct simcom *s = ctx;

	if (s->boot.running && current(s)->line)
		current(s)->line(s, line);
}

static void step_done(void *ctx, int err, const struct at_answer *a)
{
	struct simcom *s = ctx;
	const struct simcom_step *step;

	if (!s->boot.running)
		return;

	step = current(s);
	if (err && err != -EREMOTEIO) {
		simcom_say(s, "%s",
			   err == -ETIMEDOUT ? "the modem did not answer" : strerror(-err));
		end_stage(s, err);
		return;
	}
	if (step->judge) {
		act(s, step->judge(s, err, a), err);
		return;
	}
	if (err && !step->optional) {
		simcom_say(s, "%s was refused: %s",
			   step->text ? step->text : "a setting",
			   simcom_words(a));
		act(s, V_FAIL, err);
		return;
	}
	act(s, V_NEXT, 0);
}

static void end_list(struct simcom *s)
{
	const struct simcom_step *list = next_list(s);

	if (!list) {
		end_stage(s, 0);
		return;
	}
	s->boot.list = list;
	s->boot.step = 0;
	run_step(s);
}

static int send_step(struct simcom *s, const struct simcom_step *step)
{
	signed char *accept = s->boot.accept;
	struct at_command cmd = {
		.accept = accept,
		.timeout_ms = step->timeout_ms ? step->timeout_ms : QUERY_MS,
		.want_text = step->want_text,
		.line = step_line,
		.done = step_done,
		.ctx = s,
	};
	size_t i;

	for (i = 0; i < sizeof(step->accept) && step->accept[i]; i++)
		accept[i] = (signed char)(step->accept[i] - 1);
	accept[i] = -1;

	return step->text ? simcom_send(s, &cmd, "%s", step->text) :
			    step->send(s, &cmd);
}

static void run_step(struct simcom *s)
{
	const struct simcom_step *step = current(s);
	int err;

	s->boot.wait = WAIT_NOTHING;
	if (!step->text && !step->send) {
		end_list(s);
		return;
	}
	err = send_step(s, step);
	if (err > 0) {
		next_step(s);
	} else if (err < 0) {
		if (!s->boot.text[0])
			simcom_say(s, "%s", strerror(-err));
		end_stage(s, err);
	}
}

void simcom_boot_timer(void *ctx)
{
	struct simcom *s = ctx;

	/* Somebody asks something else while we wait. */
	if (s->boot.wait == WAIT_AGAIN && !at_channel_ready(s->env.channel)) {
		timer_start(s->boot.timer, LINE_BUSY_MS);
		return;
	}
	switch (s->boot.wait) {
	case WAIT_AGAIN:
		s->boot.step -= current(s)->back;
		run_step(s);
		break;
	case WAIT_TURN:
		run_step(s);
		break;
	case WAIT_RESULT:
		simcom_say(s, "the modem accepted the command, but no result came");
		end_stage(s, -ETIMEDOUT);
		break;
	case WAIT_NOTHING:
		break;
	}
}

int simcom_stage(void *d, enum driver_stage stage)
{
	struct simcom *s = d;

	return s->lease.phase == LEASE_NONE ? simcom_run(s, stage) : -EBUSY;
}

int simcom_run(struct simcom *s, unsigned int stage)
{
	struct simcom_boot *b = &s->boot;

	if (b->running)
		return -EBUSY;

	b->running = true;
	b->stage = stage;
	b->step = 0;
	b->list = stages[stage];
	b->net_open = false;
	b->net_known = false;
	b->cfun = -1;
	b->have_result = false;
	b->again_until_ms = 0;
	b->text[0] = '\0';
	if (stage == DRIVER_NET_OPEN || stage == DRIVER_NET_CLOSE ||
	    stage == DRIVER_CHECK)
		simcom_push_begin(s);
	if (stage == DRIVER_NET_OPEN || stage == DRIVER_NET_CLOSE)
		s->info.address[0] = '\0';
	wait_for(s, WAIT_TURN, 0);

	return 0;
}

/* True when the line was what the stage waits for. */
bool simcom_boot_line(struct simcom *s, const struct at_line *line)
{
	struct simcom_boot *b = &s->boot;
	long rule = line->rule - simcom_rules;

	if (!b->running)
		return false;

	/* What is waited for may have changed: ask at once. */
	if (b->wait == WAIT_AGAIN &&
	    (rule == R_CPIN || rule == R_CEREG || rule == R_CGREG))
		timer_start(b->timer, 0);

	if (rule == R_NETOPEN_PAIR)
		rule = R_NETOPEN;
	if (current(s)->result == 0 || current(s)->result - 1 != rule)
		return false;
	b->have_result = true;
	b->result = line->args[0];
	if (b->wait == WAIT_RESULT)
		act(s, current(s)->judge(s, 0, NULL), 0);

	return true;
}

bool simcom_boot_abort(struct simcom *s, int err)
{
	if (!s->boot.running || s->boot.wait != WAIT_RESULT)
		return false;
	simcom_say(s, "%s", strerror(-err));
	end_stage(s, err);

	return true;
}

void simcom_boot_reset(struct simcom *s)
{
	s->boot.reg[0] = s->boot.reg[1] = s->boot.reg[2] = -1;
	if (!s->boot.running)
		return;
	simcom_say(s, "the modem is gone");
	end_stage(s, -ENODEV);
}
