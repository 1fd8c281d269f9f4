/* SPDX-License-Identifier: MIT */

/*
 * The one server: W800 manual, CIPSERVER, CIPSERVERMAXCONN, CIPSTO. What it
 * accepts is a line "n,CONNECT" without a peer: the module's table tells.
 *
 * Relatives answer "no change" and OK to a start of what runs already, on
 * whatever port, and to a stop of what does not: so both are read back.
 */

#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "driver/w800_private.h"

#define START_MS	10000	/* as for an open */
#define STOP_MS		15000	/* it may close connections */
#define IDLE_MAX_S	7200	/* CIPSTO */

/* "1,80,"TCP",0": the port, 0 for "0". */
static unsigned int port_of(const struct at_line *line)
{
	unsigned int port = 0;
	char text[16];

	if (line->args[0] != 1)
		return 0;
	snprintf(text, sizeof(text), "%.*s", (int)line->strs[0].len,
		 line->strs[0].s);

	return sscanf(text, ",%5u", &port) == 1 ? port : 333;
}

static void take_server(struct w800 *w, const struct at_line *line)
{
	w->server.told = true;
	w->server.is_port = port_of(line);
}

static int ask_server(struct w800 *w, struct at_command *cmd)
{
	w->server.told = false;

	return w800_send_line(w, cmd, "AT+CIPSERVER?");
}

/* ------------------------------------------------------------------- start */

/* "set it before creating the server" */
static int send_max(struct w800 *w, struct at_command *cmd)
{
	return w800_send_line(w, cmd, "AT+CIPSERVERMAXCONN=%u",
			      w->server.max_links);
}

static enum w800_verdict judge_max(struct w800 *w, int err,
				   const struct at_answer *a)
{
	if (!err)
		w800_config_note(w, "server-links",
				 (long)w->server.max_links);
	else
		log_info("w800: CIPSERVERMAXCONN was refused: %s",
			 w800_words(a));

	return V_NEXT;
}

/* The short form is what all relatives know. */
static int send_start(struct w800 *w, struct at_command *cmd)
{
	const struct w800_server *v = &w->server;
	const char *type = v->tls ? v->ipv6 ? "SSLv6" : "SSL" :
			   v->ipv6 ? "TCPv6" : "TCP";

	if (v->tls)
		return w800_send_line(w, cmd, "AT+CIPSERVER=1,%u,%q,%u",
				      v->port, type, v->verify ? 1U : 0U);
	if (v->ipv6)
		return w800_send_line(w, cmd, "AT+CIPSERVER=1,%u,%q", v->port,
				      type);

	return w800_send_line(w, cmd, "AT+CIPSERVER=1,%u", v->port);
}

static enum w800_verdict judge_start(struct w800 *w, int err,
				     const struct at_answer *a)
{
	if (!err)
		return V_NEXT;
	w->job.err = w800_answer_errno(err, a);
	w800_say(&w->job, "AT+CIPSERVER=1,%u was refused: %s", w->server.port,
		 w800_words(a));

	return V_FAIL;
}

/* Firmware that does not know the question has said OK before. */
static enum w800_verdict judge_started(struct w800 *w, int err,
				       const struct at_answer *a)
{
	const struct w800_server *v = &w->server;

	(void)a;
	if (err || !v->told || v->is_port == v->port)
		return V_NEXT;
	if (v->is_port == 0)
		w800_say(&w->job, "OK, but the module has no server");
	else
		w800_say(&w->job, "the module listens to port %u, and has one "
			 "server", v->is_port);
	w->job.err = v->is_port == 0 ? -EREMOTEIO : -EADDRINUSE;

	return V_FAIL;
}

/* The module's own limit, once it serves. */
static int send_idle(struct w800 *w, struct at_command *cmd)
{
	return w800_send_line(w, cmd, "AT+CIPSTO=%u", w->server.idle_s);
}

static enum w800_verdict judge_idle(struct w800 *w, int err,
				    const struct at_answer *a)
{
	if (!err)
		w800_config_note(w, "inbound-idle", (long)w->server.idle_s);
	else
		log_info("w800: CIPSTO was refused: %s", w800_words(a));

	return V_NEXT;
}

static const struct w800_step start_steps[] = {
	{ .send = send_max, .judge = judge_max },
	{ .send = send_start, .judge = judge_start, .timeout_ms = START_MS },
	{ .send = ask_server, .accept = { R_CIPSERVER + 1 },
	  .line = take_server, .judge = judge_started },
	{ .send = send_idle, .judge = judge_idle },
	{ NULL }
};

static void end_start(struct w800 *w, int err)
{
	w->env.events->listening(w->env.up, 0, err, err ? w->job.text : "");
}

int w800_listen(void *d, unsigned int index,
		const struct driver_listen_args *a)
{
	struct w800 *w = d;

	if (w->job.list)
		return -EBUSY;
	if (index != 0)
		return -EINVAL;
	w->server = (struct w800_server){
		.port = a->port,
		.ipv6 = a->family == DRIVER_IPV6,
		.tls = a->tls,
		.verify = a->verify,
		.max_links = a->max_links > 0 && a->max_links < W800_LINKS ?
			     a->max_links : W800_LINKS,
		/* a longer limit than it can have is none */
		.idle_s = a->idle_s <= IDLE_MAX_S ? a->idle_s : 0,
	};

	return w800_run(w, start_steps, end_start);
}

/* -------------------------------------------------------------------- stop */

/* Not =0,1: that may close what is not the server's. */
static enum w800_verdict judge_stop(struct w800 *w, int err,
				    const struct at_answer *a)
{
	if (err)
		w800_say(&w->job, "AT+CIPSERVER=0 was refused: %s",
			 w800_words(a));
	w->server.stop_err = w800_answer_errno(err, a);

	return V_NEXT;
}

/* What is not there was stopped. */
static enum w800_verdict judge_stopped(struct w800 *w, int err,
				       const struct at_answer *a)
{
	struct w800_server *v = &w->server;

	(void)a;
	if (!err && v->told && v->is_port == 0)
		return V_DONE;
	if (!err && v->told && !v->stop_err) {
		v->stop_err = -EREMOTEIO;
		w800_say(&w->job, "OK, but it goes on listening to port %u",
			 v->is_port);
	}
	w->job.err = v->stop_err;

	return v->stop_err ? V_FAIL : V_DONE;
}

static const struct w800_step stop_steps[] = {
	{ .text = "AT+CIPSERVER=0", .judge = judge_stop,
	  .timeout_ms = STOP_MS },
	{ .send = ask_server, .accept = { R_CIPSERVER + 1 },
	  .line = take_server, .judge = judge_stopped },
	{ NULL }
};

static void end_stop(struct w800 *w, int err)
{
	w->env.events->unlistened(w->env.up, 0, err, err ? w->job.text : "");
}

int w800_unlisten(void *d, unsigned int index)
{
	struct w800 *w = d;

	if (w->job.list)
		return -EBUSY;
	if (index != 0)
		return -EINVAL;

	return w800_run(w, stop_steps, end_stop);
}

/* ------------------------------------------------------------------- audit */

int w800_ask_server(struct w800 *w, struct at_command *cmd)
{
	return ask_server(w, cmd);
}

void w800_take_server(struct w800 *w, const struct at_line *line)
{
	take_server(w, line);
	w->table.listeners[0] = w->server.is_port;
	w->table.listeners_known = true;
}
