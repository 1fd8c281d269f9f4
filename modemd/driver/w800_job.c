/* SPDX-License-Identifier: MIT */

/*
 * A job: one operation of the contract, as a list of steps. A step is one
 * command and the judgement of its answer. Nothing sleeps: what is not ready
 * yet is asked for again, sooner when a line says that it changed.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "at/text.h"
#include "base/timer.h"
#include "driver/w800_private.h"

#define LINE_BUSY_MS	20	/* of a channel that somebody else has */

static int run_step(struct w800_job *job);

void w800_say(struct w800_job *job, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(job->text, sizeof(job->text), fmt, ap);
	va_end(ap);
}

int w800_send_line(struct w800 *w, struct at_command *cmd, const char *fmt,
		   ...)
{
	char text[W800_TEXT_MAX + 1];
	va_list ap;
	int err;

	va_start(ap, fmt);
	err = at_text_vbuild(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (err)
		return err;

	cmd->text = text;
	err = at_channel_send(w->env.channel, cmd);
	explicit_bzero(text, sizeof(text));

	return err;
}

static const struct w800_step *current(const struct w800_job *job)
{
	return &job->list[job->step];
}

/* At a step with a command, into lists and out of them; false: there is no
 * more. */
static bool find_step(struct w800_job *job)
{
	const struct w800_step *step;

	for (;;) {
		step = current(job);
		if (step->text || step->send)
			return true;
		if (step->steps) {
			job->outer = job->list;
			job->outer_step = job->step + 1;
			job->list = step->steps;
			job->step = 0;
		} else if (job->outer) {
			job->list = job->outer;
			job->step = job->outer_step;
			job->outer = NULL;
		} else {
			return false;
		}
	}
}

static void end_job(struct w800_job *job, int err)
{
	timer_stop(job->timer);
	job->list = NULL;
	job->pause = PAUSE_NONE;
	job->end(job->w, err);
}

static void pause_for(struct w800_job *job, enum w800_pause pause, uint32_t ms)
{
	job->pause = pause;
	timer_start(job->timer, ms);
}

static void try_again(struct w800_job *job)
{
	const struct w800_step *step = current(job);
	const struct driver_env *env = &job->w->env;
	int64_t now = timers_mono_ms(env->timers);

	if (job->again_until_ms == 0)
		job->again_until_ms = now + step->patience_ms;
	if (now >= job->again_until_ms) {
		end_job(job, job->err ? job->err : -ETIMEDOUT);
		return;
	}
	pause_for(job, PAUSE_AGAIN, step->again_ms);
	if (job == &job->w->stage)
		env->events->waiting(env->up, job->text, step->again_ms);
}

static void act(struct w800_job *job, enum w800_verdict v, int err)
{
	switch (v) {
	case V_NEXT:
		job->step++;
		job->again_until_ms = 0;
		/* The channel takes the next once this input is read. */
		if (find_step(job))
			pause_for(job, PAUSE_TURN, 0);
		else
			end_job(job, 0);
		break;
	case V_AGAIN:
		try_again(job);
		break;
	case V_WAIT:
		pause_for(job, PAUSE_LINE, current(job)->wait_ms);
		break;
	case V_DONE:
		end_job(job, 0);
		break;
	case V_FAIL:
		end_job(job, job->err ? job->err : err ? err : -EREMOTEIO);
		break;
	}
}

static void step_line(void *ctx, const struct at_line *line)
{
	struct w800_job *job = ctx;

	/* Its job may be over: what it tells of links holds. */
	if (!job->list)
		w800_answer_line(job->w, line);
	else if (current(job)->line)
		current(job)->line(job->w, line);
}

static void step_done(void *ctx, int err, const struct at_answer *a)
{
	struct w800_job *job = ctx;
	const struct w800_step *step;

	job->in_flight = false;
	if (job->orphan) {
		job->orphan = false;
		return;
	}
	step = current(job);
	if (err && err != -EREMOTEIO) {
		w800_say(job, "%s", err == -ETIMEDOUT ?
			 "the modem did not answer" : strerror(-err));
		end_job(job, err);
	} else if (step->judge) {
		act(job, step->judge(job->w, err, a), err);
	} else if (err && !step->optional) {
		w800_say(job, "%s was refused: %s",
			 step->text ? step->text : "a command", w800_words(a));
		act(job, V_FAIL, w800_answer_errno(err, a));
	} else {
		act(job, V_NEXT, 0);
	}
}

static int send_step(struct w800_job *job)
{
	const struct w800_step *step = current(job);
	struct at_command cmd = {
		.accept = job->accept,
		.timeout_ms = step->timeout_ms ? step->timeout_ms :
			      W800_FINAL_MS,
		.want_text = step->want_text,
		.line = step_line,
		.done = step_done,
		.ctx = job,
	};
	size_t i;

	for (i = 0; i < sizeof(step->accept) && step->accept[i]; i++)
		job->accept[i] = (signed char)(step->accept[i] - 1);
	job->accept[i] = -1;

	return step->text ? w800_send_line(job->w, &cmd, "%s", step->text) :
			    step->send(job->w, &cmd);
}

/* The next step that has a command; 1: there is none. */
static int run_step(struct w800_job *job)
{
	int err;

	job->pause = PAUSE_NONE;
	job->late_ms = 0;
	while (find_step(job)) {
		err = send_step(job);
		job->in_flight = !err;
		if (!err && job->late_ms)
			pause_for(job, PAUSE_LATE, job->late_ms);
		if (err <= 0)
			return err;
		job->step++;
		job->again_until_ms = 0;
	}

	return 1;
}

static void next_turn(struct w800_job *job)
{
	int err;

	if (!at_channel_ready(job->w->env.channel)) {
		timer_start(job->timer, LINE_BUSY_MS);
		return;
	}
	if (job->pause == PAUSE_AGAIN)
		job->step -= current(job)->back;
	err = run_step(job);
	if (err > 0) {
		end_job(job, 0);
	} else if (err < 0) {
		if (!job->text[0])
			w800_say(job, "%s", strerror(-err));
		end_job(job, err);
	}
}

void w800_job_timer(void *ctx)
{
	struct w800_job *job = ctx;

	switch (job->pause) {
	case PAUSE_AGAIN:
	case PAUSE_TURN:
		next_turn(job);
		break;
	case PAUSE_LINE:
		act(job, current(job)->judge(job->w, -ETIMEDOUT, NULL),
		    -ETIMEDOUT);
		break;
	case PAUSE_LATE:
		w800_say(job, "no answer in time");
		job->orphan = job->in_flight;
		end_job(job, -ETIMEDOUT);
		break;
	case PAUSE_NONE:
		break;
	}
}

void w800_poke(struct w800_job *job)
{
	if (!job->list)
		return;
	if (job->pause == PAUSE_LINE)
		act(job, current(job)->judge(job->w, 0, NULL), 0);
	else if (job->pause == PAUSE_AGAIN)
		timer_start(job->timer, 0);
}

bool w800_runs(const struct w800_job *job, const struct w800_step *list)
{
	return job->list == list;
}

void w800_job_stop(struct w800_job *job, int err)
{
	if (!job->list)
		return;
	job->orphan = job->in_flight;
	w800_say(job, "%s", strerror(-err));
	end_job(job, err);
}

/* A stage that waits for something leaves the line to others. */
static bool is_taken(const struct w800 *w)
{
	return w->job.list || w->job.orphan || w->stage.orphan ||
	       (w->stage.list && w->stage.pause != PAUSE_AGAIN);
}

static int begin(struct w800_job *job, const struct w800_step *list,
		 void (*end)(struct w800 *w, int err))
{
	int err;

	if (is_taken(job->w) || job->list ||
	    !at_channel_ready(job->w->env.channel))
		return -EBUSY;

	job->list = list;
	job->step = 0;
	job->outer = NULL;
	job->end = end;
	job->err = 0;
	job->again_until_ms = 0;
	job->text[0] = '\0';
	err = run_step(job);
	if (err > 0)
		pause_for(job, PAUSE_TURN, 0);
	else if (err < 0)
		job->list = NULL;

	return err < 0 ? err : 0;
}

int w800_run(struct w800 *w, const struct w800_step *list,
	     void (*end)(struct w800 *w, int err))
{
	return begin(&w->job, list, end);
}

int w800_run_stage(struct w800 *w, const struct w800_step *list,
		   void (*end)(struct w800 *w, int err))
{
	return begin(&w->stage, list, end);
}
