/* SPDX-License-Identifier: MIT */

/*
 * Ping: SIMCom ref L1134, L1135. Two-phase: CPING is answered at once, each
 * packet and at last a summary come as lines of their own, so the modem does
 * everything else meanwhile. It runs one session at a time and refuses a
 * second one, also when the first is nobody's any more (this daemon's earlier
 * life, or one whose end was lost): such a one is stopped, and it is asked
 * once more.
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

/* Another one runs: it is stopped, when the line is free. */
static void clear_first(struct simcom *s)
{
	forget_seen(&s->ping);
	s->ping.phase = PING_CLEARING;
	s->ping.cleared = false;
	s->ping.tried = true;
	timer_start(s->ping.timer, 0);
}

static void ping_done(void *ctx, int err, const struct at_answer *a)
{
	struct simcom *s = ctx;
	struct simcom_ping *p = &s->ping;
	const struct driver_ping *how = &p->how;

	if (p->phase != PING_ASKED)
		return;
	if (err == -EREMOTEIO && !p->tried && !a->detail[0]) {
		clear_first(s);
		return;
	}
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
	err = send_ping(s);
	if (err)
		return err;
	p->id = id;
	p->phase = PING_ASKED;
	p->tried = false;
	p->stop = false;

	return 0;
}

/* ------------------------------------------------------------- the others */

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
	if (err) {	/* none ran: it was this one that was refused */
		end_ping(s, -EREMOTEIO, "ERROR");
		return;
	}
	s->ping.cleared = true;
	timer_start(s->ping.timer, 0);
}

/* The next command of one that was refused. */
static void clear(struct simcom *s)
{
	struct at_command cmd = {
		.timeout_ms = SIMCOM_FINAL_MS,
		.done = cleared,
		.ctx = s,
	};
	int err;

	if (s->ping.stop) {
		end_ping(s, -ECANCELED, "");
		return;
	}
	if (!at_channel_ready(s->env.channel)) {
		timer_start(s->ping.timer, LINE_BUSY_MS);
		return;
	}
	err = s->ping.cleared ? send_ping(s) :
	      simcom_send(s, &cmd, "AT+CPINGSTOP");
	if (err)
		end_ping(s, err, strerror(-err));
	else if (s->ping.cleared)
		s->ping.phase = PING_ASKED;
}

void simcom_ping_timer(void *ctx)
{
	struct simcom *s = ctx;

	if (s->ping.phase == PING_CLEARING)
		clear(s);
	else if (s->ping.phase == PING_RUNNING)
		end_ping(s, -ETIMEDOUT, "no summary came");
}

/* Answers: its summary and OK; OK alone, as in the example of L1135; ERROR,
 * when it has ended. */
static void stop_done(void *ctx, int err, const struct at_answer *a)
{
	struct simcom *s = ctx;

	(void)err;
	(void)a;
	if (s->ping.phase == PING_STOPPING)
		end_ping(s, -ECANCELED, "");
}

int simcom_ping_stop(void *d)
{
	struct simcom *s = d;
	struct simcom_ping *p = &s->ping;
	struct at_command cmd = {
		.timeout_ms = SIMCOM_FINAL_MS,
		.done = stop_done,
		.ctx = s,
	};
	int err;

	if (p->phase == PING_CLEARING) {
		p->stop = true;		/* its timer ends it */
		return 0;
	}
	if (p->phase != PING_RUNNING)
		return p->phase == PING_NONE ? -EINVAL : -EBUSY;
	err = simcom_send(s, &cmd, "AT+CPINGSTOP");
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
