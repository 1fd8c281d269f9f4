/* SPDX-License-Identifier: MIT */

/*
 * Questions that are not about a link: names, the signal, a restart. Each is a
 * job, and blocks the module until it is answered: W800 manual, CIPDOMAIN;
 * W800 guide, CWJAP, RST.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at/text.h"
#include "driver/w800_private.h"

#define RESOLVE_MS	20000	/* DNS takes up to 15 s (Q130) */
#define RESTART_MS	5000

/* @err: of the job, whose text it is. */
void w800_answer(struct w800 *w, int err, struct driver_answer *a)
{
	if (!a->text)
		a->text = "";
	if (err)
		a->text = w->job.text;
	w->env.events->answered(w->env.up, w->query.id, err, a);
}

/* ------------------------------------------------------------------- names */

/* Without a family it prefers IPv4, and firmware that knows none is asked the
 * same way. */
int w800_send_domain(struct w800 *w, struct at_command *cmd)
{
	const struct w800_query *q = &w->query;

	cmd->timeout_ms = RESOLVE_MS;
	w->query.answer[0] = '\0';
	if (q->family == DRIVER_ANY)
		return w800_send_line(w, cmd, "AT+CIPDOMAIN=%q", q->text);

	return w800_send_line(w, cmd, "AT+CIPDOMAIN=%q,%u", q->text,
			      q->family == DRIVER_IPV4 ? 2U : 3U);
}

/* With quotes and without (Q115). */
void w800_take_domain(struct w800 *w, const struct at_line *line)
{
	at_text_copy(w->query.answer, sizeof(w->query.answer),
		     &line->strs[0]);
}

/* An address, and of the family that was asked for. */
static bool is_wanted(const struct w800_query *q)
{
	struct in6_addr any;
	bool ipv4 = inet_pton(AF_INET, q->answer, &any) == 1;
	bool ipv6 = inet_pton(AF_INET6, q->answer, &any) == 1;

	return q->family == DRIVER_IPV4 ? ipv4 : q->family == DRIVER_IPV6 ?
	       ipv6 : ipv4 || ipv6;
}

/* A bare ERROR is all that some have for a name that is not there. */
enum w800_verdict w800_judge_domain(struct w800 *w, int err,
				    const struct at_answer *a)
{
	if (!err && is_wanted(&w->query))
		return V_NEXT;
	w->job.err = err ? w800_answer_errno(err, a) : -EADDRNOTAVAIL;
	if (w->job.err == -EREMOTEIO)
		w->job.err = -EADDRNOTAVAIL;
	w800_say(&w->job, "%s", err ? w800_words(a) :
		 "it answers without such an address");

	return V_FAIL;
}

static const struct w800_step resolve_steps[] = {
	{ .send = w800_send_domain, .accept = { R_CIPDOMAIN + 1 },
	  .line = w800_take_domain, .judge = w800_judge_domain },
	{ NULL }
};

static void end_resolve(struct w800 *w, int err)
{
	struct driver_answer answer = { .text = w->query.answer };

	w800_answer(w, err, &answer);
}

/* ------------------------------------------------------------------ signal */

/* +CWJAP:"ssid","bssid",channel,rssi,...: the fourth, where it is one. */
static void take_signal(struct w800 *w, const struct at_line *line)
{
	const struct at_str *s = &line->strs[0];
	unsigned int field = 0;
	bool quoted = false;
	size_t i;
	long dbm;

	for (i = 0; i < s->len && field < 3; i++) {
		if (s->s[i] == '\\' && i + 1 < s->len)
			i++;
		else if (s->s[i] == '"')
			quoted = !quoted;
		else if (s->s[i] == ',' && !quoted)
			field++;
	}
	if (field < 3 || i >= s->len)
		return;
	dbm = strtol(s->s + i, NULL, 10);
	if (dbm < 0 && dbm > -128)
		w->info.signal_dbm = (int)dbm;
}

static const struct w800_step signal_steps[] = {
	{ .text = "AT+CWJAP?", .accept = { R_CWJAP + 1, R_NO_AP + 1 },
	  .line = take_signal, .optional = true },
	{ NULL }
};

static void end_plain(struct w800 *w, int err)
{
	w800_answer(w, err, &(struct driver_answer){ 0 });
}

/* ----------------------------------------------------------------- restart */

static const struct w800_step restart_steps[] = {
	{ .text = "AT+RST", .timeout_ms = RESTART_MS },
	{ NULL }
};

static void end_restart(struct w800 *w, int err)
{
	struct driver_answer answer = { .text = err ? w->job.text : "AT+RST" };

	w->env.events->answered(w->env.up, w->restart_id, err, &answer);
}

/* ---------------------------------------------------------------- dispatch */

static int begin(struct w800 *w, const struct w800_step *list,
		 void (*end)(struct w800 *w, int err))
{
	return w800_run(w, list, end);
}

int w800_query(void *d, unsigned int id, enum driver_query what,
	       const struct driver_query_args *args)
{
	struct w800 *w = d;

	if (w->job.list)
		return -EBUSY;
	if (what == DRIVER_Q_RESTART) {	/* also beside another question */
		w->restart_id = id;
		return begin(w, restart_steps, end_restart);
	}
	if (what == DRIVER_Q_PING)
		return w800_ping(w, id, args);

	w->query.id = id;
	w->query.family = args->family;
	snprintf(w->query.text, sizeof(w->query.text), "%s",
		 args->text && what == DRIVER_Q_RESOLVE ? args->text : "");
	switch (what) {
	case DRIVER_Q_RESOLVE:
		return begin(w, resolve_steps, end_resolve);
	case DRIVER_Q_SIGNAL:
		return begin(w, signal_steps, end_plain);
	case DRIVER_Q_CONFIG:
		return w800_config_read(w);
	case DRIVER_Q_SET:
		return w800_config_set(w, args->setting, args->number);
	case DRIVER_Q_AT:
		return w800_at(w, args);
	case DRIVER_Q_TIME:
		return w800_time(w, args->time);
	case DRIVER_Q_REVERSE:
	case DRIVER_Q_CONFIRMED:
	case DRIVER_Q_WAIT_ACK:
	case DRIVER_Q_PING:
	case DRIVER_Q_RESTART:
		break;
	}

	return -EOPNOTSUPP;
}
