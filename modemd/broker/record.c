/* SPDX-License-Identifier: MIT */

/* What the history is told: sessions, their bytes, the modem's states. */

#include <stdio.h>
#include <string.h>

#include "base/timer.h"
#include "broker/private.h"
#include "driver/driver.h"
#include "history/history.h"

#define NOTE_MS		60000	/* how old bytes in the history may be */
#define CLOCK_TRUE_MS	1767225600000LL	/* 2026-01-01: no clock is earlier */

static void check_clock(struct broker *b)
{
	if (b->clock_confirmed ||
	    timers_wall_ms(b->args.timers) < CLOCK_TRUE_MS)
		return;

	b->clock_confirmed = true;
	history_clock_confirmed(b->args.history);
}

static void to_history(struct history_counts *out, const struct link_counts *c)
{
	*out = (struct history_counts){ c->accepted, c->taken, c->confirmed,
					c->received, c->lost };
}

void record_open(struct broker *b, struct owned *o, uint32_t epoch)
{
	struct link_info info = { .slot = -1, .kind = o->kind, .tls = o->tls };
	struct history_session s;

	check_clock(b);
	(void)modem_link_info(b->modem, o->link, &info);
	s = (struct history_session){
		.link = o->link,
		.epoch = epoch,
		.client = o->name,
		.pid = o->creds.pid,
		.uid = o->creds.uid,
		.comm = o->creds.comm,
		.unit = o->creds.unit,
		.exe = o->creds.exe,
		.type = info.tls ? "tls" : link_kind_name(info.kind),
		.remote = o->remote,
		.slot = info.slot,
		.rule = "",
	};
	history_session_open(b->args.history, &s);
	o->in_history = true;
	o->noted = 0;
	if (!timer_pending(b->notes))
		timer_start(b->notes, NOTE_MS);
}

void record_close(struct broker *b, struct owned *o,
			  const struct link_end *how)
{
	struct history_counts counts;

	/* An open that failed is a session too: of no bytes. */
	if (!o->in_history)
		record_open(b, o, how->epoch);
	to_history(&counts, &how->counts);
	history_session_close(b->args.history, o->link, how->epoch, &counts,
			      how->reason, how->modem_text);
	o->in_history = false;
}

/* Every minute while a session is open, for those whose counts moved. */
void record_bytes(void *ctx)
{
	struct broker *b = ctx;
	struct history_counts counts;
	struct link_info info;
	struct owned *o;
	bool any = false;

	TAILQ_FOREACH(o, &b->owned, entry) {
		if (!o->in_history)
			continue;
		any = true;
		if (modem_link_info(b->modem, o->link, &info) ||
		    info.counts.accepted + info.counts.received == o->noted)
			continue;
		o->noted = info.counts.accepted + info.counts.received;
		to_history(&counts, &info.counts);
		history_session_bytes(b->args.history, o->link, info.epoch,
				      &counts);
	}
	if (any)
		timer_start(b->notes, NOTE_MS);
}

/* True when state or reason changed; a new signal is no news. */
bool record_modem(struct broker *b, const struct modem_status *st)
{
	char text[sizeof(b->modem_noted)];

	snprintf(text, sizeof(text), "%s%s%s", st->state_name,
		 st->reason[0] ? ": " : "", st->reason);
	if (strcmp(text, b->modem_noted) == 0)
		return false;
	memcpy(b->modem_noted, text, sizeof(text));
	check_clock(b);
	history_event(b->args.history, "modem", "%s", text);

	return true;
}

void record_network(struct broker *b, const struct modem_status *st)
{
	history_event(b->args.history, "network", "%s%s%s", st->network_name,
		      st->network_reason[0] ? ": " : "", st->network_reason);
	if (st->network == NETWORK_OPEN && !b->network_noted)
		history_network_open(b->args.history, st->info->address,
				     st->info->operator_name);
	else if (st->network != NETWORK_OPEN && b->network_noted)
		history_network_close(b->args.history, st->network_reason);
	b->network_noted = st->network == NETWORK_OPEN;
}
