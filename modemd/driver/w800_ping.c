/* SPDX-License-Identifier: MIT */

/*
 * Ping: W800 manual, PING. The module sends one packet and is blocked until
 * its answer, or for some seconds without one; it tells neither size nor TTL,
 * and takes neither. So what is asked for is many commands, with the line for
 * others between them. It takes no family either: where one is asked for, the
 * name is looked up first.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/timer.h"
#include "driver/w800_private.h"

#define MARGIN_MS	5000	/* beyond what was asked for: a name, too */
#define LINE_BUSY_MS	20	/* of a line that another job has */

static void one_ended(struct w800 *w, int err);

static int64_t now_ms(const struct w800 *w)
{
	return timers_mono_ms(w->env.timers);
}

static void end_ping(struct w800 *w, int err, const char *text)
{
	struct w800_ping *p = &w->ping;
	struct driver_answer answer = p->seen;

	timer_stop(p->timer);
	p->running = false;
	p->due = false;
	answer.text = text;
	w->env.events->answered(w->env.up, p->id, err, &answer);
}

/* ------------------------------------------------------------------ one of */

/* The name is looked up once. */
static int look_up(struct w800 *w, struct at_command *cmd)
{
	struct w800_ping *p = &w->ping;

	if (!p->look_up)
		return 1;
	w->query.family = p->family;
	snprintf(w->query.text, sizeof(w->query.text), "%s", p->host);

	return w800_send_domain(w, cmd);
}

static enum w800_verdict judge_name(struct w800 *w, int err,
				    const struct at_answer *a)
{
	struct w800_ping *p = &w->ping;
	enum w800_verdict v = w800_judge_domain(w, err, a);

	if (v != V_NEXT)
		return v;
	p->look_up = false;
	snprintf(p->host, sizeof(p->host), "%s", w->query.answer);

	return V_NEXT;
}

static int send_ping(struct w800 *w, struct at_command *cmd)
{
	struct w800_ping *p = &w->ping;
	int err;

	cmd->timeout_ms = p->how.wait_ms + MARGIN_MS;
	p->rtt_ms = -1;
	err = w800_send_line(w, cmd, "AT+PING=%q", p->host);
	if (!err)
		p->sent_ms = now_ms(w);

	return err;
}

static void take_rtt(struct w800 *w, const struct at_line *line)
{
	if (line->args[0] >= 0)
		w->ping.rtt_ms = line->args[0];
}

/* No answer is one, too; but without a network, or without the command, there
 * is no sense in another. */
static enum w800_verdict judge_ping(struct w800 *w, int err,
				    const struct at_answer *a)
{
	int why = w800_answer_errno(err, a);

	if (!err && w->ping.rtt_ms >= 0)
		return V_DONE;
	if (why == -ENETDOWN || why == -EOPNOTSUPP || why == -EINVAL ||
	    why == -EADDRNOTAVAIL) {
		w->job.err = why;
		w800_say(&w->job, "%s", w800_words(a));
		return V_FAIL;
	}
	w->ping.rtt_ms = -1;

	return V_DONE;
}

static const struct w800_step one_steps[] = {
	{ .send = look_up, .accept = { R_CIPDOMAIN + 1 },
	  .line = w800_take_domain, .judge = judge_name },
	{ .send = send_ping, .accept = { R_PING + 1, R_PING_BARE + 1 },
	  .line = take_rtt, .judge = judge_ping },
	{ NULL }
};

static void count_one(struct w800 *w)
{
	struct w800_ping *p = &w->ping;
	struct driver_answer *s = &p->seen;
	struct driver_echo echo = { .timeout = p->rtt_ms < 0 };
	unsigned int ms = (unsigned int)p->rtt_ms;

	s->pings_sent++;
	if (echo.timeout) {
		s->pings_lost++;
	} else {
		s->min_ms = s->pings_received == 0 || ms < s->min_ms ? ms :
			    s->min_ms;
		s->max_ms = ms > s->max_ms ? ms : s->max_ms;
		p->sum_ms += ms;
		s->pings_received++;
		s->avg_ms = (unsigned int)(p->sum_ms / s->pings_received);
		echo.rtt_ms = ms;
		snprintf(echo.address, sizeof(echo.address), "%.*s",
			 DRIVER_ADDRESS_MAX - 1, p->host);
	}
	w->env.events->progress(w->env.up, p->id, &echo);
}

static void one_ended(struct w800 *w, int err)
{
	struct w800_ping *p = &w->ping;
	int64_t next;

	if (!p->running)
		return;
	if (err == -ETIMEDOUT) {	/* not a word: nobody knows */
		p->rtt_ms = -1;
		err = 0;
	}
	if (err) {
		end_ping(w, p->stop ? -ECANCELED : err, w->job.text);
		return;
	}
	count_one(w);
	if (p->stop || p->seen.pings_sent >= p->how.count) {
		end_ping(w, p->stop ? -ECANCELED : 0, "");
		return;
	}
	next = p->sent_ms + p->how.interval_ms - now_ms(w);
	timer_start(p->timer, next > 0 ? (uint32_t)next : 0);
}

/* Its turn: others leave it the line as soon as they can. */
void w800_ping_timer(void *ctx)
{
	struct w800 *w = ctx;
	struct w800_ping *p = &w->ping;
	int err;

	if (p->stop) {
		end_ping(w, -ECANCELED, "");
		return;
	}
	p->due = true;
	err = w800_run(w, one_steps, one_ended);
	if (err == -EBUSY)
		timer_start(p->timer, LINE_BUSY_MS);
	else if (err)
		end_ping(w, err, strerror(-err));
	else
		p->due = false;
}

/* True: a packet waits for the line, and what could be sent waits for it. */
bool w800_ping_due(struct w800 *w)
{
	if (!w->ping.due || !at_channel_ready(w->env.channel))
		return false;
	timer_start(w->ping.timer, 0);

	return true;
}

/* ------------------------------------------------------------------- asked */

int w800_ping(struct w800 *w, unsigned int id,
	      const struct driver_query_args *args)
{
	struct w800_ping *p = &w->ping;
	struct timer *timer = p->timer;
	struct in6_addr any;
	int err;

	if (p->running)
		return -EBUSY;
	*p = (struct w800_ping){
		.timer = timer, .id = id, .how = args->ping,
		.family = args->family,
	};
	snprintf(p->host, sizeof(p->host), "%s", args->text);
	p->look_up = p->family != DRIVER_ANY &&
		     inet_pton(AF_INET, p->host, &any) != 1 &&
		     inet_pton(AF_INET6, p->host, &any) != 1;
	err = w800_run(w, one_steps, one_ended);
	p->running = !err;

	return err;
}

int w800_ping_stop(void *d)
{
	struct w800 *w = d;

	if (!w->ping.running)
		return -EBUSY;
	w->ping.stop = true;
	/* One that is under way ends first; not from within. */
	if (!w800_runs(&w->job, one_steps))
		timer_start(w->ping.timer, 0);

	return 0;
}

/* After the jobs were stopped; between two packets nobody else would end it. */
void w800_ping_reset(struct w800 *w, bool modem_gone)
{
	if (w->ping.running)
		end_ping(w, modem_gone ? -ENODEV : w->ping.stop ? -ECANCELED :
			 -ENETDOWN, "");
}
