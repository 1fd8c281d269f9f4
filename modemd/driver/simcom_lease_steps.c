/* SPDX-License-Identifier: MIT */

/* The commands of a transparent session, and what is made of their answers. */

#include <errno.h>
#include <string.h>

#include "base/config.h"
#include "driver/simcom_private.h"

#define CONNECT_MARGIN_MS 10000	/* beyond the modem's own: a name, too */

/* -------------------------------------------------------------------- mode */

/* It is set in transparent mode on the way in alone. */
static long wanted_mode(const struct simcom *s)
{
	return s->lease.phase == LEASE_NET_OPEN;
}

int simcom_send_mode(struct simcom *s, struct at_command *cmd)
{
	s->lease.mode = -1;

	return simcom_send(s, cmd, "AT+CIPMODE=%u",
			   (unsigned int)wanted_mode(s));
}

int simcom_ask_mode(struct simcom *s, struct at_command *cmd)
{
	s->lease.mode = -1;

	return simcom_send(s, cmd, "AT+CIPMODE?");
}

int simcom_change_mode(struct simcom *s, struct at_command *cmd)
{
	return s->lease.mode == wanted_mode(s) ? 1 : simcom_send_mode(s, cmd);
}

int simcom_verify_mode(struct simcom *s, struct at_command *cmd)
{
	return s->lease.mode == wanted_mode(s) ? 1 : simcom_ask_mode(s, cmd);
}

/* By a session that had no end: of a killed daemon, of a port that was lost. */
bool simcom_left_in_data_mode(const struct simcom *s)
{
	return s->lease.mode == 1 && wanted_mode(s) == 0;
}

void simcom_take_mode(struct simcom *s, const struct at_line *line)
{
	s->lease.mode = line->args[0];
}

enum simcom_verdict simcom_judge_mode(struct simcom *s, int err,
				      const struct at_answer *a)
{
	if (s->lease.mode == wanted_mode(s))
		return V_NEXT;
	if (wanted_mode(s)) {
		simcom_say(s, "the modem does not go into transparent mode "
			   "(AT+CIPMODE?: %s)", simcom_words(a));
		return V_FAIL;
	}
	if (err || s->lease.mode < 0)	/* one that has no such mode */
		return V_NEXT;
	simcom_say(s, SIMCOM_LEFT_TEXT);

	return V_FAIL;
}

/* ----------------------------------------------------------------- connect */

static enum simcom_verdict judge_dtr(struct simcom *s, int err,
				     const struct at_answer *a)
{
	(void)a;
	s->lease.dtr = !err;

	return V_NEXT;
}

/* Or their lines are in the stream: RECV FROM:192.0.2.1:1025 (Q79). */
static int send_no_source(struct simcom *s, struct at_command *cmd)
{
	return s->lease.listen ? simcom_send(s, cmd, "AT+CIPSRIP=0") : 1;
}

static int send_no_header(struct simcom *s, struct at_command *cmd)
{
	return s->lease.listen ? simcom_send(s, cmd, "AT+CIPHEAD=0") : 1;
}

static int send_connect(struct simcom *s, struct at_command *cmd)
{
	const struct simcom_lease *l = &s->lease;
	const char *type = l->udp ? "UDP" : "TCP";

	s->lease.result = -1;
	if (l->listen)
		return simcom_send(s, cmd, "AT+SERVERSTART=%u,0", l->port);

	cmd->connect = true;
	cmd->timeout_ms = s->env.links->open_timeout_ms + CONNECT_MARGIN_MS;
	if (l->local_port > 0)
		return simcom_send(s, cmd, "AT+CIPOPEN=0,%q,%q,%u,%u", type,
				   l->host, l->port, l->local_port);

	return simcom_send(s, cmd, "AT+CIPOPEN=0,%q,%q,%u", type, l->host,
			   l->port);
}

/* The byte behind CONNECT is payload: from here on, nothing is a line. */
static enum simcom_verdict begin_data(struct simcom *s)
{
	if (simcom_stream_begin(s)) {
		simcom_say(s, "the line is not free");
		return V_FAIL;
	}
	s->lease.connected = true;

	return V_DONE;
}

static enum simcom_verdict judge_connect(struct simcom *s, int err,
					 const struct at_answer *a)
{
	struct simcom_lease *l = &s->lease;

	/* The final line was CONNECT, or the line after an OK was: always so
	 * for a server, and with some firmware for a client. */
	if (!err)
		return !a || strcmp(a->final, "OK") != 0 ||
		       s->boot.have_result ? begin_data(s) : V_RESULT;
	if (l->result > 0) {
		l->err = simcom_errno(l->result);
		simcom_say(s, "%s", simcom_err_text(l->result));
	} else {
		simcom_say(s, "%s", simcom_words(a));
		/* It says no more than that: A7600 manual 2.3, case 4. */
		if (strcmp(a->final, "CONNECT FAIL") == 0)
			l->err = -ECONNREFUSED;
		else if (a->rule == &simcom_rules[R_CIPERROR])
			l->err = simcom_errno(a->args[0]);
	}

	return V_FAIL;
}

const struct simcom_step simcom_lease_connect[] = {
	{ .text = "AT&D1", .judge = judge_dtr },
	{ .send = send_no_source, .optional = true },
	{ .send = send_no_header, .optional = true },
	{ .send = send_connect, .result = R_CONNECT + 1,
	  .judge = judge_connect },
	{ NULL }
};

/* -------------------------------------------------------------- disconnect */

static int send_disconnect(struct simcom *s, struct at_command *cmd)
{
	/* A server's link number 0 would be taken by who waits for it, in
	 * data mode at once: NETCLOSE ends both (A7600 manual 2.2). */
	if (s->lease.listen || !s->lease.connected)
		return 1;

	return simcom_send(s, cmd, "AT+CIPCLOSE=0");
}

/* OK, CLOSED, +CIPCLOSE: or for UDP the OK last (manual 6.2.3.4, 6.3.3.4). */
static enum simcom_verdict judge_disconnect(struct simcom *s, int err,
					    const struct at_answer *a)
{
	(void)a;

	return err || s->boot.have_result ? V_NEXT : V_RESULT;
}

static int send_stop(struct simcom *s, struct at_command *cmd)
{
	return s->lease.listen ? simcom_send(s, cmd, "AT+SERVERSTOP=0") : 1;
}

const struct simcom_step simcom_lease_disconnect[] = {
	{ .send = send_disconnect, .result = R_CLOSED + 1,
	  .judge = judge_disconnect, .timeout_ms = 15000 },
	{ .send = send_stop, .optional = true },
	{ NULL }
};

static int send_no_dtr(struct simcom *s, struct at_command *cmd)
{
	return s->lease.dtr ? simcom_send(s, cmd, "AT&D0") : 1;
}

const struct simcom_step simcom_lease_restore[] = {
	{ .send = send_no_dtr, .optional = true },
	{ .send = simcom_send_mode, .optional = true },
	{ .text = "AT+CIPMODE?",
	  .accept = { R_CIPMODE + 1, R_CIPMODE_BARE + 1 },
	  .line = simcom_take_mode, .judge = simcom_judge_mode },
	{ NULL }
};
