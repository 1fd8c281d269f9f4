/* SPDX-License-Identifier: MIT */

/*
 * The way into a transparent session and out of it: A7600 manual 1.2, 2.10,
 * 6.2.3, 6.3.3, 6.4.1. CIPMODE can be set only while the network is closed, so
 * the network is closed and opened on the way in, and closed on the way out.
 * What fails on the way in goes the way out; that goes on whatever is refused,
 * since the stages of bring-up verify all of it afterwards.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/timer.h"
#include "driver/simcom_private.h"

#define AT_MS		1000
#define READY_MS	100	/* how often to look for a free line */

static void go_on(struct simcom *s, enum simcom_lease_phase phase);

/* ------------------------------------------------------------- its phases */

static void finish(struct simcom *s)
{
	struct simcom_lease *l = &s->lease;

	timer_stop(l->timer);
	simcom_stream_reset(s);
	l->phase = LEASE_NONE;
	s->env.events->unleased(s->env.up, l->err, l->text);
}

static void why(struct simcom *s, int err, const char *text)
{
	s->lease.err = err;
	snprintf(s->lease.text, sizeof(s->lease.text), "%.95s", text);
}

static void tell_leased(struct simcom *s, int err)
{
	s->lease.told = true;
	s->env.events->leased(s->env.up, err, err ? s->lease.text : "");
}

/* Not on the way in any more. */
static void turn_back(struct simcom *s, int err)
{
	struct simcom_lease *l = &s->lease;

	if (l->ending && !l->err)
		why(s, -ECANCELED, "");
	else
		why(s, l->err ? l->err : err, s->boot.text);
	l->ending = true;
	tell_leased(s, l->err);
	go_on(s, LEASE_DISCONNECT);
}

static void go_on(struct simcom *s, enum simcom_lease_phase phase)
{
	static const unsigned int stage[] = {
		[LEASE_NET_CLOSE]	= DRIVER_NET_CLOSE,
		[LEASE_NET_OPEN]	= DRIVER_NET_OPEN,
		[LEASE_CONNECT]		= SIMCOM_LEASE_CONNECT,
		[LEASE_DISCONNECT]	= SIMCOM_LEASE_DISCONNECT,
		[LEASE_NET_CLOSE_AGAIN] = DRIVER_NET_CLOSE,
		[LEASE_RESTORE]		= SIMCOM_LEASE_RESTORE,
	};

	s->lease.phase = phase;
	/* Never busy: the list before has ended, and no stage may begin. */
	(void)simcom_run(s, stage[phase]);
}

static void connected(struct simcom *s)
{
	s->lease.phase = LEASE_DATA;
	if (!s->lease.ending) {
		tell_leased(s, 0);
		return;
	}
	why(s, -ECANCELED, "");
	tell_leased(s, -ECANCELED);
	simcom_stream_escape(s);
}

/* A list of steps has ended. */
void simcom_lease_staged(struct simcom *s, int err)
{
	struct simcom_lease *l = &s->lease;
	enum simcom_lease_phase phase = l->phase;

	if (err == -ENODEV) {
		simcom_lease_reset(s);
		return;
	}
	if (phase <= LEASE_CONNECT && (err || l->ending) &&
	    !(phase == LEASE_CONNECT && !err)) {
		turn_back(s, err);
		return;
	}
	switch (phase) {
	case LEASE_CONNECT:
		connected(s);
		break;
	case LEASE_RESTORE:
		if (err)
			log_warn("simcom: %s", s->boot.text);
		finish(s);
		break;
	case LEASE_NONE:
	case LEASE_DATA:
	case LEASE_CHECK:
		break;
	case LEASE_NET_CLOSE:
	case LEASE_NET_OPEN:
	case LEASE_DISCONNECT:
	case LEASE_NET_CLOSE_AGAIN:
		go_on(s, phase + 1);
		break;
	}
}

int simcom_lease(void *d, const struct driver_lease_args *args)
{
	struct simcom *s = d;
	struct simcom_lease *l = &s->lease;
	struct timer *timer = l->timer;

	if (l->phase != LEASE_NONE || s->boot.running ||
	    !at_channel_ready(s->env.channel))
		return -EBUSY;

	*l = (struct simcom_lease){
		.timer = timer,
		.udp = args->udp,
		.listen = args->listen,
		.port = args->port,
		.local_port = args->local_port,
	};
	snprintf(l->host, sizeof(l->host), "%s", args->host);
	go_on(s, LEASE_NET_CLOSE);

	return 0;
}

int simcom_unlease(void *d)
{
	struct simcom *s = d;

	if (s->lease.phase == LEASE_NONE || s->lease.ending)
		return -EALREADY;

	s->lease.ending = true;
	/* Not from within: what ends here is told in the next turn. */
	if (s->lease.phase != LEASE_CHECK)
		timer_start(s->lease.timer, 0);

	return 0;
}

/* ------------------------------------------------------------ still there? */

static void check_line(void *ctx, const struct at_line *line)
{
	struct simcom *s = ctx;

	if (line->rule == &simcom_rules[R_OPEN_USED] && line->args[0] == 0)
		s->lease.alive = true;
}

/* Back in command mode, but not in data mode any more: the way out. */
static void give_up(struct simcom *s, int err, const char *text)
{
	(void)simcom_stream_deliver(s, true);
	why(s, err, text);
	s->lease.ending = true;
	go_on(s, LEASE_DISCONNECT);
}

static void back_in_data(void *ctx, int err, const struct at_answer *a)
{
	struct simcom *s = ctx;

	if (s->lease.phase != LEASE_CHECK)
		return;
	if (err == -ENODEV || err == -ECONNRESET)
		return;		/* a reset of the driver follows */
	if (err || simcom_stream_begin(s)) {
		give_up(s, -ECONNABORTED, simcom_words(a));
		return;
	}
	s->lease.phase = LEASE_DATA;
	(void)simcom_stream_deliver(s, true);
	if (s->lease.ending)
		simcom_stream_escape(s);
	else
		s->env.events->lease_writable(s->env.up);
}

static void is_over(struct simcom *s)
{
	enum simcom_words words = simcom_stream_deliver(s, false);

	if (words == WORDS_BANNER) {
		s->env.events->rebooted(s->env.up, "its banner is in the "
					"stream");
		return;		/* which has reset all of this */
	}
	if (s->lease.network_lost || words == WORDS_NETWORK)
		why(s, -ENETRESET, "NETWORK CLOSED");
	else if (!s->lease.ending)
		why(s, -EPIPE, "CLOSED");
	s->lease.ending = true;
	s->lease.connected = false;
	go_on(s, LEASE_DISCONNECT);
}

static void check_done(void *ctx, int err, const struct at_answer *a)
{
	struct simcom *s = ctx;

	(void)a;
	if (s->lease.phase != LEASE_CHECK || err == -ENODEV ||
	    err == -ECONNRESET)
		return;
	if (err && err != -EREMOTEIO)
		give_up(s, -ECONNABORTED, "the modem did not leave data mode");
	else if (!s->lease.alive)
		is_over(s);
	else
		timer_start(s->lease.timer, 0);		/* ATO */
}

/* Whatever the answer is: the next one is to the point. */
static void at_done(void *ctx, int err, const struct at_answer *a)
{
	struct simcom *s = ctx;

	(void)a;
	if (s->lease.phase != LEASE_CHECK || err == -ENODEV ||
	    err == -ECONNRESET)
		return;
	s->lease.unsure = false;
	timer_start(s->lease.timer, 0);
}

static void check(struct simcom *s)
{
	static const signed char accept[] = { R_OPEN_FREE, R_OPEN_USED, -1 };
	struct at_command cmd = {
		.timeout_ms = SIMCOM_FINAL_MS,
		.done = check_done,
		.ctx = s,
	};
	int err;

	/* It finds the line again, or gives the modem up. */
	if (!at_channel_ready(s->env.channel)) {
		timer_start(s->lease.timer, READY_MS);
		return;
	}
	if (s->lease.alive && s->lease.ending) {
		(void)simcom_stream_deliver(s, true);
		go_on(s, LEASE_DISCONNECT);
		return;
	}
	if (s->lease.unsure) {
		/* The pluses stand before it in the modem's line. */
		cmd.timeout_ms = AT_MS;
		cmd.done = at_done;
		err = simcom_send(s, &cmd, "AT");
	} else if (s->lease.alive) {
		cmd.connect = true;
		cmd.done = back_in_data;
		err = simcom_send(s, &cmd, "ATO");
	} else {
		cmd.accept = accept;
		cmd.line = check_line;
		err = simcom_send(s, &cmd, "AT+CIPOPEN?");
	}
	if (err && err != -ENODEV)
		give_up(s, err, strerror(-err));
}

void simcom_lease_timer(void *ctx)
{
	struct simcom *s = ctx;

	switch (s->lease.phase) {
	case LEASE_NET_CLOSE:
	case LEASE_NET_OPEN:
	case LEASE_CONNECT:
		(void)simcom_boot_abort(s, -ECANCELED);
		break;
	case LEASE_DATA:
		simcom_stream_escape(s);
		break;
	case LEASE_CHECK:
		check(s);
		break;
	case LEASE_NONE:
	case LEASE_DISCONNECT:
	case LEASE_NET_CLOSE_AGAIN:
	case LEASE_RESTORE:
		break;
	}
}

void simcom_lease_suspect(struct simcom *s)
{
	simcom_stream_escape(s);
}

/* With or without its OK: one that has ended the session by itself is in
 * command mode and gives none. What it says to a command shows it. */
void simcom_lease_escaped(struct simcom *s, bool ok)
{
	if (ok && s->lease.ending && s->stream.held_len == 0) {
		go_on(s, LEASE_DISCONNECT);
		return;
	}
	if (!ok && simcom_stream_words(s) == WORDS_BANNER) {
		is_over(s);	/* an AT would tell its echo, and no more */
		return;
	}
	s->lease.phase = LEASE_CHECK;
	s->lease.alive = false;
	s->lease.unsure = !ok;
	timer_start(s->lease.timer, 0);
}

/* True: the session's own, or nobody's while it lasts. */
bool simcom_lease_line(struct simcom *s, const struct at_line *line)
{
	if (s->lease.phase == LEASE_NONE)
		return false;

	switch (line->rule - simcom_rules) {
	case R_BOOT_RDY:
	case R_BOOT_ATREADY:
	case R_BOOT_QCRDY:
	case R_CPIN:
	case R_CREG:
	case R_CGREG:
	case R_CEREG:
	case R_CREG_URC_LONG:
	case R_CGREG_URC_LONG:
	case R_CEREG_URC_LONG:
		return false;
	case R_CIPEVENT:
		s->lease.network_lost = true;
		break;
	case R_OPENED:
		if (line->args[0] != 0)
			break;
		s->lease.result = line->args[1];
		if (s->lease.phase == LEASE_CONNECT && line->args[1] > 0)
			(void)simcom_boot_abort(s, simcom_errno(line->args[1]));
		break;
	}

	return true;
}

/* The modem is gone, and with it what was under way. */
void simcom_lease_reset(struct simcom *s)
{
	if (s->lease.phase == LEASE_NONE)
		return;

	(void)simcom_stream_deliver(s, false);
	why(s, -ENODEV, "the modem is gone");
	if (!s->lease.told)
		tell_leased(s, -ENODEV);
	finish(s);
}
