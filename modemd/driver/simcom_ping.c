/* SPDX-License-Identifier: MIT */

/*
 * Ping: SIMCom ref L1134, L1135. Two-phase: CPING is answered at once, each
 * packet and at last a summary come as lines of their own, so the modem does
 * everything else meanwhile. It runs one session at a time and refuses a
 * second one, so what may still run and is nobody's any more (of this daemon's
 * earlier life, or one whose end was lost) is stopped first.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "at/text.h"
#include "base/timer.h"
#include "driver/simcom_private.h"

#define MARGIN_MS	15000	/* beyond the packets: a name is looked up */
#define LINE_BUSY_MS	50

static void end_ping(struct simcom *s, int err, const char *text)
{
	struct simcom_ping *p = &s->ping;
	struct driver_answer answer = p->seen;

	timer_stop(p->timer);
	p->phase = PING_NONE;
	answer.text = text;
	s->env.events->answered(s->env.up, p->id, err, &answer);
}

/* The modem has told the summary. No packet went out: firmware has no other
 * words for a name that it does not find, or without a network (Q81). */
static void end_summed(struct simcom *s)
{
	struct in_addr any;

	if (s->ping.seen.pings_sent > 0)
		end_ping(s, 0, "");
	else if (inet_pton(AF_INET, s->ping.host, &any) == 1)
		end_ping(s, -ENETDOWN, "no packet was sent");
	else
		end_ping(s, -EADDRNOTAVAIL, "no packet was sent");
}

/* What is known without a summary: the packets that were told of. */
static void count_echo(struct simcom_ping *p, const struct driver_echo *e)
{
	struct driver_answer *a = &p->seen;

	a->pings_sent++;
	if (e->timeout) {
		a->pings_lost++;
		return;
	}
	if (a->pings_received == 0 || e->rtt_ms < a->min_ms)
		a->min_ms = e->rtt_ms;
	if (e->rtt_ms > a->max_ms)
		a->max_ms = e->rtt_ms;
	a->pings_received++;
	p->rtt_sum += e->rtt_ms;
	a->avg_ms = (unsigned int)(p->rtt_sum / a->pings_received);
}

/* Of a number that counts something. */
static unsigned int natural(long n)
{
	return n > 0 ? (unsigned int)n : 0;
}

static void on_echo(struct simcom *s, const struct at_line *line)
{
	struct driver_echo echo = { .timeout = true };

	if (line->rule == &simcom_rules[R_PING_ECHO]) {
		echo.timeout = false;
		at_text_copy(echo.address, sizeof(echo.address),
			     &line->strs[0]);
		echo.size = natural(line->args[0]);
		echo.rtt_ms = natural(line->args[1]);
		echo.ttl = natural(line->args[2]);
	}
	count_echo(&s->ping, &echo);
	s->env.events->progress(s->env.up, s->ping.id, &echo);
}

static void on_summary(struct simcom *s, const struct at_line *line)
{
	struct driver_answer *a = &s->ping.seen;

	a->pings_sent = natural(line->args[0]);
	a->pings_received = natural(line->args[1]);
	a->pings_lost = natural(line->args[2]);
	a->min_ms = natural(line->args[3]);
	a->max_ms = natural(line->args[4]);
	a->avg_ms = natural(line->args[5]);
	s->ping.summed = true;
	s->ping.alone = true;
	if (s->ping.phase == PING_RUNNING)
		end_summed(s);
}

/* Before its OK, and while it is being stopped, the lines count too. */
void simcom_ping_line(struct simcom *s, const struct at_line *line)
{
	if (s->ping.phase == PING_NONE || s->ping.phase == PING_CLEARING ||
	    s->ping.summed)
		return;
	if (line->rule == &simcom_rules[R_PING_SUMMARY] ||
	    line->rule == &simcom_rules[R_PING_SUMMARY_OLD])
		on_summary(s, line);
	else
		on_echo(s, line);
}

/* ------------------------------------------------------------------ begin */

static void forget_seen(struct simcom_ping *p)
{
	memset(&p->seen, 0, sizeof(p->seen));
	p->rtt_sum = 0;
	p->summed = false;
}

static void ping_done(void *ctx, int err, const struct at_answer *a)
{
	struct simcom *s = ctx;
	struct simcom_ping *p = &s->ping;
	const struct driver_ping *how = &p->how;

	if (p->phase != PING_ASKED)
		return;
	p->alone = err == -EREMOTEIO;
	if (err) {
		end_ping(s, simcom_answer_errno(err, a), simcom_words(a));
		return;
	}
	p->phase = PING_RUNNING;
	if (p->summed)
		end_summed(s);
	else
		timer_start(p->timer, how->count *
			    (how->interval_ms + how->wait_ms) + MARGIN_MS);
}

/* <dest_addr_type> is always there: without it some firmware says ERROR. */
static int send_ping(struct simcom *s)
{
	const struct driver_ping *how = &s->ping.how;
	struct at_command cmd = {
		.timeout_ms = SIMCOM_FINAL_MS,
		.done = ping_done,
		.ctx = s,
	};

	return simcom_send(s, &cmd, "AT+CPING=%q,1,%u,%u,%u,%u,%u",
			   s->ping.host, how->count, how->size,
			   how->interval_ms, how->wait_ms, how->ttl);
}

static int send_stop(struct simcom *s, void (*done)(void *ctx, int err,
						    const struct at_answer *a))
{
	struct at_command cmd = {
		.timeout_ms = SIMCOM_FINAL_MS,
		.done = done,
		.ctx = s,
	};

	return simcom_send(s, &cmd, "AT+CPINGSTOP");
}

/* ERROR: none ran. */
static void cleared(void *ctx, int err, const struct at_answer *a)
{
	struct simcom *s = ctx;

	(void)a;
	if (s->ping.phase != PING_CLEARING)
		return;
	if (err && err != -EREMOTEIO) {
		end_ping(s, err, "");
		return;
	}
	s->ping.alone = true;
	timer_start(s->ping.timer, 0);
}

/* What was in its way is gone: now itself, when the line is free. */
static void begin(struct simcom *s)
{
	int err;

	if (s->ping.stop) {
		end_ping(s, -ECANCELED, "");
		return;
	}
	if (!at_channel_ready(s->env.channel)) {
		timer_start(s->ping.timer, LINE_BUSY_MS);
		return;
	}
	err = send_ping(s);
	if (err)
		end_ping(s, err, strerror(-err));
	else
		s->ping.phase = PING_ASKED;
}

int simcom_ping(struct simcom *s, unsigned int id,
		const struct driver_query_args *args)
{
	struct simcom_ping *p = &s->ping;
	int err;

	if (p->phase != PING_NONE)
		return -EBUSY;
	snprintf(p->host, sizeof(p->host), "%s", args->text);
	p->how = args->ping;
	forget_seen(p);
	err = p->alone ? send_ping(s) : send_stop(s, cleared);
	if (err)
		return err;
	p->id = id;
	p->phase = p->alone ? PING_ASKED : PING_CLEARING;
	p->stop = false;

	return 0;
}

/* --------------------------------------------------------------------- end */

void simcom_ping_timer(void *ctx)
{
	struct simcom *s = ctx;

	if (s->ping.phase == PING_CLEARING)
		begin(s);
	else if (s->ping.phase == PING_RUNNING)
		end_ping(s, -ETIMEDOUT, "no summary came");
}

/* Answers: its summary and OK; OK alone, as in the example of L1135; ERROR,
 * when it has ended. */
static void stop_done(void *ctx, int err, const struct at_answer *a)
{
	struct simcom *s = ctx;

	(void)a;
	s->ping.alone = !err || err == -EREMOTEIO;
	if (s->ping.phase == PING_STOPPING)
		end_ping(s, -ECANCELED, "");
}

int simcom_ping_stop(void *d)
{
	struct simcom *s = d;
	struct simcom_ping *p = &s->ping;
	int err;

	if (p->phase == PING_CLEARING) {
		p->stop = true;		/* its timer ends it */
		return 0;
	}
	if (p->phase != PING_RUNNING)
		return p->phase == PING_NONE ? -EINVAL : -EBUSY;
	err = send_stop(s, stop_done);
	if (err)
		return -EBUSY;
	p->stop = true;
	p->phase = PING_STOPPING;
	timer_stop(p->timer);

	return 0;
}

/* What its command under way says then is not heard any more. */
void simcom_ping_reset(struct simcom *s, bool modem_gone)
{
	if (s->ping.phase == PING_NONE)
		return;
	if (modem_gone)
		end_ping(s, -ENODEV, "");
	else
		end_ping(s, s->ping.stop ? -ECANCELED : -ENETDOWN, "");
}
