/* SPDX-License-Identifier: MIT */

/* Links, how they open and close, and the module's own table of them: W800
 * manual, CIPSTART, CIPCLOSE, CIPSTATE, CIPRECVLEN. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at/text.h"
#include "base/config.h"
#include "base/log.h"
#include "base/timer.h"
#include "driver/w800_private.h"

#define REFUSED_MS	8000	/* an ERROR that takes longer is a timeout */
#define CLOSE_MS	15000

/* -------------------------------------------------------------------- open */

/* Without a word before ERROR: how long it took tells the two apart. */
static int refusal(const struct w800 *w)
{
	int64_t now = timers_mono_ms(w->env.timers);

	return now - w->opening.start_ms < REFUSED_MS ? -ECONNREFUSED :
	       -ETIMEDOUT;
}

/* For datagrams nobody is asked but the module itself. */
static int local_refusal(const struct w800_open *o)
{
	return o->local_address[0] ? -EINVAL : -EADDRINUSE;
}

enum w800_verdict w800_judge_start(struct w800 *w, int err,
				   const struct at_answer *a)
{
	struct w800_open *o = &w->opening;

	if (!a)		/* waited for CONNECT, in vain or not */
		return V_NEXT;
	if (!err)
		return o->connected ? V_NEXT : V_WAIT;

	w800_say(&w->job, "%s%s", w800_words(a), o->has_tls && !a->detail[0] ?
		 ": no connection, or its TLS handshake failed" : "");
	o->err = w800_answer_errno(err, a);
	/* The slot was given away: its CONNECT was an accepted one's. */
	if (o->connected)
		o->err = -EBUSY;
	if (o->err == -EADDRINUSE)
		o->err = local_refusal(o);
	o->doubt = o->err == -EREMOTEIO;
	if (o->doubt)
		o->err = o->udp ? local_refusal(o) : refusal(w);

	return V_NEXT;
}

/* OK, and CONNECT was lost: its table tells. */
static int send_look(struct w800 *w, struct at_command *cmd)
{
	if (w->opening.err || w->opening.connected)
		return 1;

	return w800_send_line(w, cmd, "AT+CIPSTATE?");
}

static void look_line(struct w800 *w, const struct at_line *line)
{
	w->opening.listed |= line->args[0] == (long)w->opening.slot;
}

static enum w800_verdict judge_look(struct w800 *w, int err,
				    const struct at_answer *a)
{
	(void)a;
	if (!err && w->opening.listed)
		return V_NEXT;
	w800_say(&w->job, "OK, but the link is not in the module's table");
	w->opening.err = -ETIMEDOUT;

	return V_NEXT;
}

/* An ERROR may also mean that there was no network, or that the slot was
 * taken: nobody shall find it so. */
static int send_clear(struct w800 *w, struct at_command *cmd)
{
	if (!w->opening.doubt)
		return 1;

	return w800_send_line(w, cmd, "AT+CIPCLOSE=%u", w->opening.slot);
}

static int ask_network(struct w800 *w, struct at_command *cmd)
{
	return w->opening.doubt ? w800_ask_address(w, cmd) : 1;
}

static enum w800_verdict judge_network(struct w800 *w, int err,
				       const struct at_answer *a)
{
	(void)a;
	if (!err && !w->boot.has_address) {
		w->opening.err = -ENETDOWN;
		w800_say(&w->job, "the module has no address any more");
	}

	return V_NEXT;
}

static const struct w800_step open_steps[] = {
	{ .steps = w800_before_start },
	{ .steps = w800_before_tls },
	W800_START(w800_send_start),
	{ .steps = w800_other_family },
	{ .send = send_look, .accept = { R_CIPSTATE + 1 },
	  .line = look_line, .judge = judge_look },
	{ .send = send_clear, .accept = { R_LINK_CLOSED + 1 },
	  .line = w800_answer_line, .optional = true,
	  .timeout_ms = CLOSE_MS },
	{ .send = ask_network, .accept = { R_CIFSR + 1 },
	  .line = w800_take_address, .judge = judge_network },
	{ .steps = w800_after_tls },
	{ NULL }
};

static void end_open(struct w800 *w, int err)
{
	struct w800_open *o = &w->opening;
	const struct driver_events *ev = w->env.events;
	bool closed = o->closed;

	if (!err)
		err = o->err;
	if (!err && o->udp)
		w800_udp_opened(w);
	explicit_bzero(&o->tls, sizeof(o->tls));
	o->late = w->job.orphan;
	o->running = false;
	ev->opened(w->env.up, o->slot, err, err ? w->job.text : "");
	if (!err && closed)
		ev->closed(w->env.up, o->slot, DRIVER_CLOSE_PEER,
			   "closed as soon as it was open");
}

int w800_open(void *d, unsigned int slot, const struct driver_open_args *a)
{
	struct w800 *w = d;
	struct w800_open *o = &w->opening;
	int err;

	if (w->job.list)
		return -EBUSY;
	err = w800_take_open(w, slot, a);
	if (err)
		return err;

	err = w800_run(w, open_steps, end_open);
	if (!err) {
		o->running = true;
		w->links[slot] = (struct w800_link){
			.send_ms = a->udp ? 0 : o->tcp.send_timeout_ms,
			.follows = a->udp_remote != DRIVER_UDP_FIXED,
		};
	}

	return err;
}

/* ------------------------------------------------------------------- close */

/* It takes as long as what is set in the slot lets it linger. */
static int send_close(struct w800 *w, struct at_command *cmd)
{
	int linger_s = w->tcp_left[w->closing].linger_s;

	if (linger_s > 0)
		cmd->timeout_ms += 1000 * (uint32_t)linger_s;

	return w800_send_line(w, cmd, "AT+CIPCLOSE=%u", w->closing);
}

/* ERROR: it was not open any more. */
static const struct w800_step close_steps[] = {
	{ .send = send_close, .accept = { R_LINK_CLOSED + 1 },
	  .line = w800_answer_line, .optional = true,
	  .timeout_ms = CLOSE_MS },
	{ NULL }
};

static void end_close(struct w800 *w, int err)
{
	unsigned int slot = w->closing;

	if (slot == w->opening.slot)
		w->opening.late = false;
	w->closing = W800_LINKS;
	w->links[slot] = (struct w800_link){ 0 };
	w->env.events->closed(w->env.up, slot, err && err != -ENODEV ?
			      DRIVER_CLOSE_UNSURE : DRIVER_CLOSE_ASKED,
			      err ? w->job.text : "");
}

int w800_close(void *d, unsigned int slot)
{
	struct w800 *w = d;
	int err;

	if (w->job.list)
		return -EBUSY;
	w->closing = slot;
	err = w800_run(w, close_steps, end_close);
	if (err)
		w->closing = W800_LINKS;

	return err;
}

/* ------------------------------------------------------------------- audit */

static void table_line(struct w800 *w, const struct at_line *line)
{
	unsigned long n = (unsigned long)line->args[0];
	char host[DRIVER_HOST_MAX + 1];
	struct driver_slot *slot;

	if (n >= W800_LINKS)
		return;
	slot = &w->table.slots[n];
	slot->open = true;
	slot->listener = line->args[3] == 1 ? 0 : -1;
	at_text_copy(host, sizeof(host), &line->strs[1]);
	snprintf(slot->remote, sizeof(slot->remote), "%s:%ld", host,
		 line->args[1]);
}

/* What is not in its table is closed. */
static enum w800_verdict judge_table(struct w800 *w, int err,
				     const struct at_answer *a)
{
	unsigned int i;

	(void)a;
	for (i = 0; !err && i < W800_LINKS; i++)
		w->table.slots[i].known = true;

	return V_NEXT;
}

/* Its name where CIPSTATE is not known. */
static int ask_status(struct w800 *w, struct at_command *cmd)
{
	if (w->table.slots[0].known)
		return 1;

	return w800_send_line(w, cmd, "AT+CIPSTATUS");
}

static void status_line(struct w800 *w, const struct at_line *line)
{
	if (line->rule == &w800_rules[R_CIPSTATUS])
		table_line(w, line);
}

static enum w800_verdict judge_status(struct w800 *w, int err,
				      const struct at_answer *a)
{
	return err ? V_FAIL : judge_table(w, err, a);
}

/* An announcement comes once, and may have been lost. */
static int ask_lengths(struct w800 *w, struct at_command *cmd)
{
	if (w->push.mode == DRIVER_PUSH)
		return 1;

	return w800_send_line(w, cmd, "AT+CIPRECVLEN?");
}

/* "100,,,,,": a link that is not there is -1, 0 or nothing (Q112) */
static void lengths_line(struct w800 *w, const struct at_line *line)
{
	const char *s = line->strs[0].s;
	unsigned int n;
	char *end;

	for (n = 0; n < W800_LINKS && *s; n++) {
		long len = strtol(s, &end, 10);

		if (len > 0 && w->table.slots[n].open) {
			w->links[n].cached = (size_t)len;
			w->env.events->readable(w->env.up, n);
		}
		s = end + strcspn(end, ",");
		s += *s == ',';
	}
}

/* After a fault of the line, only then. */
static int ask_memory(struct w800 *w, struct at_command *cmd)
{
	if (w->boot.faults == w800_faults(w))
		return 1;

	return w800_ask_mux(w, cmd);
}

static const struct w800_step audit_steps[] = {
	{ .text = "AT+CIPSTATE?", .accept = { R_CIPSTATE + 1 },
	  .line = table_line, .judge = judge_table },
	{ .send = ask_status, .accept = { R_CIPSTATUS + 1, R_STATUS + 1 },
	  .line = status_line, .judge = judge_status },
	{ .send = w800_ask_server, .accept = { R_CIPSERVER + 1 },
	  .line = w800_take_server, .optional = true },
	{ .send = ask_lengths, .accept = { R_RECVLEN + 1 },
	  .line = lengths_line, .optional = true },
	/* some firmware's banner ends in what it was saying: Q119 */
	{ .send = ask_memory, .accept = { R_CIPMUX + 1 },
	  .line = w800_take_mux, .optional = true },
	{ NULL }
};

static void end_audit(struct w800 *w, int err)
{
	const struct driver_events *ev = w->env.events;
	bool restarted = !err && w->boot.mux == 0;

	if (restarted)
		err = -ENODEV;
	ev->audited(w->env.up, err ? NULL : &w->table, err);
	if (restarted)
		ev->rebooted(w->env.up, "its settings are gone: CIPMUX=0");
}

int w800_audit(void *d)
{
	struct w800 *w = d;
	unsigned int i;

	if (w->job.list)
		return -EBUSY;
	memset(&w->table, 0, sizeof(w->table));
	for (i = 0; i < W800_LINKS; i++)
		w->table.slots[i].listener = -1;

	return w800_run(w, audit_steps, end_audit);
}

/* -------------------------------------------------- lines nobody asked for */

/* Before CIPSTART is out, what happens to its slot is another's. */
static bool is_starting(const struct w800 *w, unsigned int slot)
{
	const struct w800_open *o = &w->opening;

	return o->running && o->slot == slot && o->start_ms > 0;
}

static void on_connect(struct w800 *w, unsigned int slot)
{
	struct w800_open *o = &w->opening;

	if (is_starting(w, slot) && !o->connected) {
		o->connected = true;
		w800_poke(&w->job);
		return;
	}
	/* It is of the open that was given up, and will be closed. */
	if (o->late && o->slot == slot)
		return;
	o->given |= o->running && o->slot == slot;
	/* w800_server.c */
	w->links[slot] = (struct w800_link){ 0 };
	w->env.events->accepted(w->env.up, DRIVER_LISTENER_UNKNOWN, slot,
				NULL);
}

/* For both ends the same line; in passive mode when all of it was read. */
static void on_closed(struct w800 *w, unsigned int slot)
{
	struct w800_open *o = &w->opening;

	if (slot == w->closing)
		return;
	if (is_starting(w, slot)) {
		o->closed = o->connected;
		return;
	}
	o->given &= o->slot != slot;
	if (w->sending.running && w->sending.slot == slot) {
		w->links[slot].close_pending = true;
		return;
	}
	w->env.events->closed(w->env.up, slot, DRIVER_CLOSE_PEER, "CLOSED");
}

static void on_notice(struct w800 *w, unsigned int slot, long len)
{
	w->links[slot].cached = len > 0 ? (size_t)len : 0;
	w->env.events->readable(w->env.up, slot);
}

bool w800_link_line(struct w800 *w, const struct at_line *line)
{
	long rule = line->rule - w800_rules;
	long n = line->args[rule == R_LINK_CONN ? 1 : 0];

	if (rule != R_LINK_CONNECT && rule != R_LINK_CLOSED &&
	    rule != R_LINK_CONN && rule != R_IPD_NOTICE)
		return false;
	if (n < 0 || n >= W800_LINKS) {
		log_warn("w800: no such link: %s", line->text);
		return true;
	}
	if (rule == R_LINK_CLOSED)
		on_closed(w, (unsigned int)n);
	else if (rule == R_IPD_NOTICE)
		on_notice(w, (unsigned int)n, line->args[1]);
	else if (rule != R_LINK_CONN || line->args[0] == 0)
		on_connect(w, (unsigned int)n);

	return true;
}

void w800_answer_line(struct w800 *w, const struct at_line *line)
{
	w800_push_settled(w);
	(void)w800_link_line(w, line);
}

void w800_link_reset(struct w800 *w)
{
	memset(w->links, 0, sizeof(w->links));
	w->closing = W800_LINKS;
}
