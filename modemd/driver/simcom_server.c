/* SPDX-License-Identifier: MIT */

/* Servers and what they accept: A7600 manual 2.14, 2.15 and 6.4.2, SIMCom ref
 * L1114, L1115. */

#include <errno.h>
#include <stdio.h>

#include "at/text.h"
#include "base/log.h"
#include "base/timer.h"
#include "driver/simcom_private.h"

#define START_MS	10000	/* as it opens a socket of its own */
#define STOP_MS		5000	/* from OK to +SERVERSTOP */

static const struct driver_events *events(const struct simcom_server *v)
{
	return v->s->env.events;
}

static void set_text(struct simcom_server *v, const char *text)
{
	snprintf(v->text, sizeof(v->text), "%s", text);
}

/* ------------------------------------------------------------------- start */

static void end_start(struct simcom_server *v, int err)
{
	v->starting = false;
	events(v)->listening(v->s->env.up, v->index, err, v->text);
}

static void start_done(void *ctx, int err, const struct at_answer *a)
{
	struct simcom_server *v = ctx;

	if (!v->starting)
		return;
	if (err && err != -EREMOTEIO)
		set_text(v, "the modem did not answer");
	else if (err && a->rule == &simcom_rules[R_CIPERROR])
		snprintf(v->text, sizeof(v->text), "%s (%s)", a->detail,
			 simcom_err_text(a->args[0]));
	else if (err)
		set_text(v, simcom_words(a));
	end_start(v, simcom_answer_errno(err, a));
}

int simcom_listen(void *d, unsigned int index,
		  const struct driver_listen_args *a)
{
	struct simcom *s = d;
	struct simcom_server *v = &s->servers[index];
	struct at_command cmd = {
		.timeout_ms = START_MS,
		.done = start_done,
		.ctx = v,
	};
	int err;

	err = simcom_send(s, &cmd, "AT+SERVERSTART=%u,%u,%u", a->port, index,
			  a->backlog);
	if (!err) {
		v->starting = true;
		v->text[0] = '\0';
	}

	return err;
}

/* -------------------------------------------------------------------- stop */

static void end_stop(struct simcom_server *v, int err)
{
	timer_stop(v->deadline);
	v->stopping = false;
	events(v)->unlistened(v->s->env.up, v->index, err, v->text);
}

static void check_stop(struct simcom_server *v)
{
	if (v->final_seen && v->result_seen)
		end_stop(v, simcom_errno(v->result));
}

static void stop_done(void *ctx, int err, const struct at_answer *a)
{
	struct simcom_server *v = ctx;

	if (!v->stopping)
		return;
	v->final_seen = true;
	if (!err) {
		timer_start(v->deadline, STOP_MS);
		check_stop(v);
		return;
	}
	if (err == -EREMOTEIO && v->result_seen && v->result != 0) {
		check_stop(v);
		return;
	}
	set_text(v, simcom_words(a));
	end_stop(v, simcom_answer_errno(err, a));
}

/* Some firmware says OK and no more: its table tells then. */
static void on_deadline(void *ctx)
{
	struct simcom_server *v = ctx;

	set_text(v, "no result came");
	end_stop(v, -ETIMEDOUT);
}

static void on_stopped(struct simcom_server *v, const struct at_line *line)
{
	if (!v->stopping) {
		if (line->args[1] == 0)
			events(v)->listener_lost(v->s->env.up, v->index,
						 line->text);
		return;
	}
	v->result_seen = true;
	v->result = line->args[1];
	if (v->result != 0)
		set_text(v, simcom_err_text(v->result));
	check_stop(v);
}

int simcom_unlisten(void *d, unsigned int index)
{
	struct simcom *s = d;
	struct simcom_server *v = &s->servers[index];
	struct at_command cmd = {
		.timeout_ms = SIMCOM_FINAL_MS,
		.done = stop_done,
		.ctx = v,
	};
	int err;

	err = simcom_send(s, &cmd, "AT+SERVERSTOP=%u", index);
	if (!err) {
		v->stopping = true;
		v->final_seen = false;
		v->result_seen = false;
		v->text[0] = '\0';
	}

	return err;
}

/* ------------------------------------------------------------------ accept */

/* "192.0.2.1:53211" of what may be "192.0.2.1":53211 or "192.0.2.1",53211. */
static void copy_peer(char *out, size_t size, const struct at_str *from)
{
	size_t i, n = 0;

	for (i = 0; i < from->len && n + 1 < size; i++) {
		if (from->s[i] != '"' && from->s[i] != ' ')
			out[n++] = from->s[i] == ',' ? ':' : from->s[i];
	}
	out[n] = '\0';
}

static void on_client(struct simcom *s, const struct at_line *line,
		      unsigned int index)
{
	unsigned long slot = (unsigned long)line->args[0];
	char peer[DRIVER_ADDRESS_MAX];
	struct simcom_link *l;

	if (slot >= SIMCOM_LINKS) {
		log_warn("simcom: no such link: %s", line->text);
		return;
	}
	l = &s->links[slot];
	l->inbound = true;
	l->udp = false;
	if (l->opening && l->final_seen)	/* it will be an error */
		timer_start(l->deadline, SIMCOM_COLLISION_MS);
	copy_peer(peer, sizeof(peer), &line->strs[0]);
	s->env.events->accepted(s->env.up, index, (unsigned int)slot, peer);
}

bool simcom_server_line(struct simcom *s, const struct at_line *line)
{
	unsigned long index = (unsigned long)line->args[0];

	switch (line->rule - simcom_rules) {
	case R_CLIENT:
		index = (unsigned long)line->args[1];
		on_client(s, line, index < SIMCOM_SERVERS ?
			  (unsigned int)index : SIMCOM_SERVERS);
		return true;
	case R_CLIENT_BARE:
		on_client(s, line, DRIVER_LISTENER_UNKNOWN);
		return true;
	case R_SERVERSTOP:
		if (index < SIMCOM_SERVERS)
			on_stopped(&s->servers[index], line);
		else
			log_warn("simcom: no such server: %s", line->text);
		return true;
	}

	return false;
}

/* ------------------------------------------------------------------- audit */

static void servers_line(void *ctx, const struct at_line *line)
{
	struct simcom *s = ctx;
	unsigned long index = (unsigned long)line->args[0];

	if (index < SIMCOM_SERVERS)
		s->table.listeners[index] = (unsigned int)line->args[1];
}

int simcom_servers_ask(struct simcom *s,
		       void (*done)(void *ctx, int err,
				    const struct at_answer *a))
{
	static const signed char accept[] = { R_SERVERS, -1 };
	struct at_command cmd = {
		.accept = accept,
		.timeout_ms = SIMCOM_FINAL_MS,
		.line = servers_line,
		.done = done,
		.ctx = s,
	};

	return simcom_send(s, &cmd, "AT+SERVERSTART?");
}

/* ---------------------------------------------------------------- its life */

void simcom_server_reset(struct simcom *s)
{
	struct simcom_server *v;

	for (v = s->servers; v < s->servers + SIMCOM_SERVERS; v++) {
		set_text(v, "");
		if (v->starting)
			end_start(v, -ENODEV);
		if (v->stopping)
			end_stop(v, -ENODEV);
	}
}

int simcom_servers_init(struct simcom *s)
{
	struct simcom_server *v;

	for (v = s->servers; v < s->servers + SIMCOM_SERVERS; v++) {
		v->s = s;
		v->index = (unsigned int)(v - s->servers);
		v->deadline = timer_new(s->env.timers, on_deadline, v);
		if (!v->deadline)
			return -ENOMEM;
	}

	return 0;
}

void simcom_servers_free(struct simcom *s)
{
	struct simcom_server *v;

	for (v = s->servers; v < s->servers + SIMCOM_SERVERS; v++)
		timer_free(v->deadline);
}
