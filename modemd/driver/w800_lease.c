/* SPDX-License-Identifier: MIT */

/*
 * The way into passthrough and out of it: W800 manual, CIPMODE, CIPSEND, +++.
 * It wants CIPMUX=0, and that no link and no server is there. What fails on
 * the way in goes the way out; bring-up sets and verifies the rest afterwards.
 *
 * In passthrough the module tells nothing: not that its connection has ended,
 * and it opens another one by itself (CIPRECONNINTV). What was written between
 * the two is lost. So a session ends by its client, by its time, or with the
 * module; whether its connection was still there then is asked.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/log.h"
#include "base/timer.h"
#include "driver/w800_private.h"

#define OPEN_MARGIN_MS	5000	/* beyond what the configuration allows */
#define REFUSED_MS	8000	/* an ERROR that takes longer is a timeout */
#define CLOSE_MS	15000
#define AT_MS		2000
#define MODE_MS		3000	/* until CIPMODE is 0 */
#define AGAIN_MS	300
#define READY_MS	100	/* how often to look for a free line */
#define LEAVES		3	/* tries to get out */
#define EARLY_MAX	65536	/* bytes before passthrough has begun */

static void why(struct w800 *w, int err, const char *text)
{
	w->lease.err = err;
	snprintf(w->lease.text, sizeof(w->lease.text), "%.95s", text);
}

static void tell_leased(struct w800 *w, int err)
{
	w->lease.told = true;
	w->env.events->leased(w->env.up, err, err ? w->lease.text : "");
}

static void drop_early(struct w800_lease *l)
{
	free(l->early);
	l->early = NULL;
	l->early_len = 0;
}

static void finish(struct w800 *w)
{
	timer_stop(w->lease.timer);
	drop_early(&w->lease);
	w800_stream_reset(w);
	w->lease.phase = LEASE_NONE;
	w->env.events->unleased(w->env.up, w->lease.err, w->lease.text);
}

/* In a turn of its own: the line may not be free yet. */
static void go_on(struct w800 *w, enum w800_lease_phase phase, uint32_t ms)
{
	w->lease.phase = phase;
	timer_start(w->lease.timer, ms);
}

/* -------------------------------------------------------------- the way in */

static void take_left(struct w800 *w, const struct at_line *line)
{
	(void)line;
	w->lease.alive = true;
}

static int ask_left(struct w800 *w, struct at_command *cmd)
{
	w->lease.alive = false;

	return w800_send_line(w, cmd, "AT+CIPSTATE?");
}

/* Firmware without CIPSTATE does not know. */
static enum w800_verdict judge_left(struct w800 *w, int err,
				    const struct at_answer *a)
{
	(void)a;
	w->lease.dead = !err && !w->lease.alive;

	return V_NEXT;
}

static int close_left(struct w800 *w, struct at_command *cmd)
{
	return w->lease.dead ? 1 : w800_send_line(w, cmd, "AT+CIPCLOSE=5");
}

static int send_start(struct w800 *w, struct at_command *cmd)
{
	const struct w800_lease *l = &w->lease;
	struct in6_addr any;
	bool ipv6 = inet_pton(AF_INET6, l->host, &any) == 1;
	const char *type = l->udp ? ipv6 ? "UDPv6" : "UDP" :
			   ipv6 ? "TCPv6" : "TCP";

	cmd->timeout_ms = w->env.links->open_timeout_ms + OPEN_MARGIN_MS;
	w->lease.began_ms = timers_mono_ms(w->env.timers);
	if (l->udp)
		return w800_send_line(w, cmd, "AT+CIPSTART=%q,%q,%u,%u,0",
				      type, l->host, l->port, l->local_port);

	return w800_send_line(w, cmd, "AT+CIPSTART=%q,%q,%u", type, l->host,
			      l->port);
}

static enum w800_verdict judge_start(struct w800 *w, int err,
				     const struct at_answer *a)
{
	int64_t took = timers_mono_ms(w->env.timers) - w->lease.began_ms;

	if (!err) {
		w->lease.connected = true;
		return V_NEXT;
	}
	w->job.err = w800_answer_errno(err, a);
	if (w->job.err == -EREMOTEIO)	/* it says no more than ERROR */
		w->job.err = took < REFUSED_MS ? -ECONNREFUSED : -ETIMEDOUT;
	w800_say(&w->job, "%s", w800_words(a));

	return V_FAIL;
}

/* The byte behind its line end is a prompt, or payload. */
static enum w800_verdict judge_send(struct w800 *w, int err,
				    const struct at_answer *a)
{
	if (!err && !w800_stream_begin(w))
		return V_DONE;
	w800_say(&w->job, "%s", err ? w800_words(a) : "the line is not free");

	return V_FAIL;
}

static const struct w800_step enter_steps[] = {
	{ .text = "AT+CIPSERVER=0,1", .optional = true,
	  .timeout_ms = CLOSE_MS },
	{ .send = ask_left, .accept = { R_CIPSTATE + 1 }, .line = take_left,
	  .judge = judge_left },
	{ .send = close_left, .optional = true, .timeout_ms = CLOSE_MS },
	{ .text = "AT+CIPRECVMODE=0" },
	{ .text = "AT+CIPDINFO=0", .optional = true },
	{ .text = "AT+CIPMUX=0" },
	{ .send = send_start, .accept = { R_BARE_CONNECT + 1 },
	  .judge = judge_start },
	{ .text = "AT+CIPMODE=1" },
	{ .text = "AT+CIPSEND", .judge = judge_send },
	{ NULL }
};

/* Not on the way in any more. */
static void turn_back(struct w800 *w, int err)
{
	if (w->lease.ending && !w->lease.err)
		why(w, -ECANCELED, "");
	else
		why(w, err, w->job.text);
	w->lease.ending = true;
	tell_leased(w, w->lease.err);
}

static void end_enter(struct w800 *w, int err)
{
	struct w800_lease *l = &w->lease;

	if (l->phase == LEASE_NONE)
		return;
	if (err) {
		turn_back(w, err);
		go_on(w, LEASE_LEAVE, 0);
		return;
	}
	l->phase = LEASE_DATA;		/* leased(): behind the prompt */
}

/* What comes from here on is the peer's. */
void w800_lease_begun(struct w800 *w)
{
	struct w800_lease *l = &w->lease;

	if (!l->ending && !l->early_lost) {
		tell_leased(w, 0);
		if (l->early_len > 0)
			w->env.events->lease_data(w->env.up, l->early,
						  l->early_len);
		drop_early(l);
		return;
	}
	w800_say(&w->job, "more came than can be kept before passthrough");
	turn_back(w, l->early_lost ? -ECONNABORTED : -ECANCELED);
	w800_stream_escape(w);
}

/* ------------------------------------------------------------- the way out */

static int ask_at(struct w800 *w, struct at_command *cmd)
{
	return w->lease.escaped ? w800_send_line(w, cmd, "AT") : 1;
}

/* What CIPSTATE? and CIPCLOSE are of, there is one. */
static int send_close(struct w800 *w, struct at_command *cmd)
{
	if (w->lease.connected && w->lease.dead && !w->lease.err)
		snprintf(w->lease.text, sizeof(w->lease.text),
			 "the connection had ended before");

	return w->lease.dead ? 1 : w800_send_line(w, cmd, "AT+CIPCLOSE");
}

static int ask_mode(struct w800 *w, struct at_command *cmd)
{
	w->lease.mode = -1;

	return w800_send_line(w, cmd, "AT+CIPMODE?");
}

static void take_mode(struct w800 *w, const struct at_line *line)
{
	w->lease.mode = line->args[0];
}

static enum w800_verdict judge_mode(struct w800 *w, int err,
				    const struct at_answer *a)
{
	(void)a;
	if (err || w->lease.mode <= 0)
		return V_NEXT;
	w->job.err = -ECONNABORTED;
	w800_say(&w->job, "the module stays in passthrough (CIPMODE=%ld)",
		 w->lease.mode);

	return V_AGAIN;
}

static const struct w800_step leave_steps[] = {
	{ .send = ask_at, .timeout_ms = AT_MS },
	{ .send = ask_left, .accept = { R_CIPSTATE + 1 }, .line = take_left,
	  .judge = judge_left },
	{ .send = send_close, .accept = { R_BARE_CLOSED + 1 },
	  .optional = true, .timeout_ms = CLOSE_MS },
	{ .text = "AT+CIPMODE=0", .optional = true },
	{ .send = ask_mode, .accept = { R_CIPMODE + 1 }, .line = take_mode,
	  .judge = judge_mode, .patience_ms = MODE_MS, .again_ms = AGAIN_MS,
	  .back = 1 },
	{ NULL }
};

/* Unanswered: the channel ends what may be data mode, and finds the line. */
static void end_leave(struct w800 *w, int err)
{
	struct w800_lease *l = &w->lease;

	if (l->phase == LEASE_NONE)
		return;
	if (err && ++l->leaves < LEAVES) {
		go_on(w, LEASE_LEAVE, READY_MS);
		return;
	}
	if (err) {
		log_warn("w800: %s", w->job.text);
		why(w, -ECONNABORTED, "the modem did not leave passthrough");
	}
	finish(w);
}

static void leave(struct w800 *w)
{
	int err;

	err = w800_run(w, leave_steps, end_leave);
	if (err == -EBUSY)
		timer_start(w->lease.timer, READY_MS);
	else if (err)
		end_leave(w, err);
}

/* +++ is out, and its second over. */
void w800_lease_escaped(struct w800 *w)
{
	w->lease.escaped = true;
	go_on(w, LEASE_LEAVE, 0);
}

void w800_lease_timer(void *ctx)
{
	struct w800 *w = ctx;

	if (w->lease.phase == LEASE_DATA)
		w800_stream_escape(w);
	else if (w->lease.phase == LEASE_LEAVE)
		leave(w);
}

/* ------------------------------------------------------------------- asked */

int w800_lease(void *d, const struct driver_lease_args *args)
{
	struct w800 *w = d;
	struct w800_lease *l = &w->lease;
	struct timer *timer = l->timer;
	int err;

	if (args->listen)
		return -EOPNOTSUPP;
	if (l->phase != LEASE_NONE || w->stage.list)
		return -EBUSY;

	*l = (struct w800_lease){
		.timer = timer, .udp = args->udp, .port = args->port,
		.local_port = args->local_port,
	};
	snprintf(l->host, sizeof(l->host), "%s", args->host);
	err = w800_run(w, enter_steps, end_enter);
	if (!err)
		l->phase = LEASE_ENTER;

	return err;
}

int w800_unlease(void *d)
{
	struct w800 *w = d;

	if (w->lease.phase == LEASE_NONE || w->lease.ending)
		return -EALREADY;

	w->lease.ending = true;
	/* Not from within; on the way in, its last step sees it. */
	if (w->lease.phase == LEASE_DATA && w->lease.told)
		timer_start(w->lease.timer, 0);

	return 0;
}

/* Framed again, for as long as its connection is there. True: it was a line
 * of a session. */
bool w800_lease_line(struct w800 *w, const struct at_line *line)
{
	if (w->lease.phase == LEASE_NONE)
		return false;
	w->lease.framed = line->rule == &w800_rules[R_IPD_ONE];

	return true;
}

/* Between its CONNECT and passthrough the module frames what comes. */
static void keep_early(struct w800_lease *l, const uint8_t *data, size_t len)
{
	uint8_t *more = NULL;

	if (l->early_len + len <= EARLY_MAX && !l->early_lost)
		more = realloc(l->early, l->early_len + len);
	if (!more) {
		l->early_lost = true;
		return;
	}
	memcpy(more + l->early_len, data, len);
	l->early = more;
	l->early_len += len;
}

bool w800_lease_data(struct w800 *w, const uint8_t *data, size_t len)
{
	if (w->lease.phase == LEASE_NONE)
		return false;
	if (w->lease.framed && len > 0 && w->lease.told)
		w->env.events->lease_data(w->env.up, data, len);
	else if (w->lease.framed && len > 0)
		keep_early(&w->lease, data, len);

	return true;
}

/* The modem is gone, and with it what was under way. */
void w800_lease_reset(struct w800 *w)
{
	if (w->lease.phase == LEASE_NONE)
		return;

	why(w, -ENODEV, "the modem is gone");
	if (!w->lease.told)
		tell_leased(w, -ENODEV);
	finish(w);
}
