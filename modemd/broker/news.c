/* SPDX-License-Identifier: MIT */

/* What the modem reports: to the owner, to those who watch, to the history. */

#include <stdio.h>
#include <string.h>

#include "at/trace.h"
#include "base/log.h"
#include "base/timer.h"
#include "broker/private.h"
#include "driver/driver.h"
#include "history/history.h"

#define NOTE_MS		60000	/* how old bytes in the history may be */
#define CLOCK_TRUE_MS	1767225600000LL	/* 2026-01-01: no clock is earlier */

void news_event(struct broker *b, Modemd__V1__Event *event,
		bool (*wants)(const struct client *c))
{
	struct client *c;

	TAILQ_FOREACH(c, &b->clients, entry) {
		if (wants(c))
			client_event(c, event);
	}
}

static bool wants_network(const struct client *c)
{
	return c->want_network;
}

static bool wants_links(const struct client *c)
{
	return c->want_links;
}

/* ---------------------------------------------------------------- history */

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
					c->received };
}

static void session_open(struct broker *b, struct owned *o, uint32_t epoch)
{
	struct link_info info = { .slot = -1 };
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
		.type = "tcp",
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

static void session_close(struct broker *b, struct owned *o,
			  const struct link_end *how)
{
	struct history_counts counts;

	/* An open that failed is a session too: of no bytes. */
	if (!o->in_history)
		session_open(b, o, how->epoch);
	to_history(&counts, &how->counts);
	history_session_close(b->args.history, o->link, how->epoch, &counts,
			      how->reason, how->modem_text);
	o->in_history = false;
}

/* Every minute while a session is open, for those whose counts moved. */
void news_note_bytes(void *ctx)
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

/* ------------------------------------------------------------------- links */

static void tell_watchers(struct broker *b, uint64_t link, const char *what,
			  const char *reason)
{
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;
	Modemd__V1__LinkNews news = MODEMD__V1__LINK_NEWS__INIT;
	Modemd__V1__LinkInfo li = MODEMD__V1__LINK_INFO__INIT;
	Modemd__V1__Counts counts = MODEMD__V1__COUNTS__INIT;
	struct owned *o = broker_find(b, link);
	struct link_info info;

	li.counts = &counts;
	if (modem_link_info(b->modem, link, &info) == 0) {
		report_link(b, &info, &li);
	} else {
		li.counts = NULL;
		li.has_link = true;
		li.link = link;
		if (o) {
			li.remote = o->remote;
			li.client = o->name;
		}
	}
	news.link = &li;
	news.what = (char *)(uintptr_t)what;
	news.reason = (char *)(uintptr_t)reason;
	event.kind_case = MODEMD__V1__EVENT__KIND_LINK_NEWS;
	event.link_news = &news;
	news_event(b, &event, wants_links);
}

static void on_queued(void *ctx, uint64_t link, const char *reason)
{
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;
	Modemd__V1__Queued queued = MODEMD__V1__QUEUED__INIT;
	struct owned *o = broker_find(ctx, link);

	if (!o || !o->owner)
		return;
	queued.has_link = true;
	queued.link = link;
	queued.reason = (char *)(uintptr_t)reason;
	event.kind_case = MODEMD__V1__EVENT__KIND_QUEUED;
	event.queued = &queued;
	client_tell(o->owner, &event);
}

/* Text of the modem, fit for a string of the protocol. */
static char *escaped(char *out, size_t size, const char *text)
{
	return log_escape_utf8(out, size, text, strlen(text));
}

static void tell_opened(struct owned *o, const struct link_end *how)
{
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;
	Modemd__V1__Opened opened = MODEMD__V1__OPENED__INIT;
	char text[400];

	opened.has_link = true;
	opened.link = o->link;
	opened.has_epoch = true;
	opened.epoch = how->epoch;
	opened.has_status = true;
	opened.status = wire_status(how->err);
	opened.message = (char *)(uintptr_t)
			 wire_status_text(opened.status);
	if (how->modem_text[0])
		opened.modem_text = escaped(text, sizeof(text),
					    how->modem_text);
	event.kind_case = MODEMD__V1__EVENT__KIND_OPENED;
	event.opened = &opened;
	client_tell(o->owner, &event);
}

static void on_opened(void *ctx, uint64_t link, const struct link_end *how)
{
	struct broker *b = ctx;
	struct owned *o = broker_find(b, link);

	if (!o)
		return;
	tell_watchers(b, link, how->err ? "closed" : "open", how->reason);
	if (o->owner)
		tell_opened(o, how);
	if (!how->err) {
		session_open(b, o, how->epoch);
		return;
	}
	session_close(b, o, how);
	broker_forget(b, o);
}

static void on_data(void *ctx, uint64_t link, const uint8_t *data, size_t len)
{
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;
	Modemd__V1__Data msg = MODEMD__V1__DATA__INIT;
	struct owned *o = broker_find(ctx, link);

	if (!o || !o->owner)
		return;
	msg.has_link = true;
	msg.link = link;
	msg.has_data = true;
	msg.data.data = (uint8_t *)(uintptr_t)data;
	msg.data.len = len;
	event.kind_case = MODEMD__V1__EVENT__KIND_DATA;
	event.data = &msg;
	o->owner->received += len;
	client_tell(o->owner, &event);
}

static void on_sent(void *ctx, uint64_t link, uint32_t epoch, size_t len)
{
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;
	Modemd__V1__Sent sent = MODEMD__V1__SENT__INIT;
	struct owned *o = broker_find(ctx, link);

	if (!o || !o->owner)
		return;
	sent.has_link = true;
	sent.link = link;
	sent.has_epoch = true;
	sent.epoch = epoch;
	sent.has_bytes = true;
	sent.bytes = (uint32_t)len;
	event.kind_case = MODEMD__V1__EVENT__KIND_SENT;
	event.sent = &sent;
	o->owner->sent += len;
	client_tell(o->owner, &event);
}

static void on_lost(void *ctx, uint64_t link, const struct link_end *how)
{
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;
	Modemd__V1__LinkLost lost = MODEMD__V1__LINK_LOST__INIT;
	Modemd__V1__Counts counts = MODEMD__V1__COUNTS__INIT;
	struct broker *b = ctx;
	struct owned *o = broker_find(b, link);

	if (!o)
		return;
	session_close(b, o, how);
	tell_watchers(b, link, "lost", how->reason);
	if (!o->owner)
		return;
	report_counts(&counts, &how->counts);
	lost.has_link = true;
	lost.link = link;
	lost.has_epoch = true;
	lost.epoch = how->epoch;
	lost.reason = (char *)(uintptr_t)how->reason;
	lost.counts = &counts;
	event.kind_case = MODEMD__V1__EVENT__KIND_LINK_LOST;
	event.link_lost = &lost;
	client_tell(o->owner, &event);
}

static void on_restored(void *ctx, uint64_t link, uint32_t epoch)
{
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;
	Modemd__V1__LinkRestored restored = MODEMD__V1__LINK_RESTORED__INIT;
	struct broker *b = ctx;
	struct owned *o = broker_find(b, link);

	if (!o)
		return;
	session_open(b, o, epoch);
	tell_watchers(b, link, "restored", "");
	if (!o->owner)
		return;
	restored.has_link = true;
	restored.link = link;
	restored.has_epoch = true;
	restored.epoch = epoch;
	event.kind_case = MODEMD__V1__EVENT__KIND_LINK_RESTORED;
	event.link_restored = &restored;
	client_tell(o->owner, &event);
}

static void tell_closed(struct owned *o, const struct link_end *how)
{
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;
	Modemd__V1__Closed closed = MODEMD__V1__CLOSED__INIT;
	Modemd__V1__Counts counts = MODEMD__V1__COUNTS__INIT;
	char text[400];

	report_counts(&counts, &how->counts);
	closed.has_link = true;
	closed.link = o->link;
	closed.has_epoch = true;
	closed.epoch = how->epoch;
	closed.has_status = true;
	closed.status = wire_status(how->err);
	closed.reason = (char *)(uintptr_t)how->reason;
	closed.counts = &counts;
	if (how->modem_text[0])
		closed.modem_text = escaped(text, sizeof(text),
					    how->modem_text);
	event.kind_case = MODEMD__V1__EVENT__KIND_CLOSED;
	event.closed = &closed;
	client_tell(o->owner, &event);
}

static void on_closed(void *ctx, uint64_t link, const struct link_end *how)
{
	struct broker *b = ctx;
	struct owned *o = broker_find(b, link);

	if (!o)
		return;
	/* A link that was lost and never came back had its row closed. */
	if (o->in_history)
		session_close(b, o, how);
	tell_watchers(b, link, "closed", how->reason);
	if (o->owner)
		tell_closed(o, how);
	broker_forget(b, o);
}

/* -------------------------------------------------------- modem and network */

/* The history wants changes of state, not of signal. */
static void note_modem(struct broker *b, const struct modem_status *st)
{
	char text[sizeof(b->modem_noted)];

	snprintf(text, sizeof(text), "%s%s%s", st->state_name,
		 st->reason[0] ? ": " : "", st->reason);
	if (strcmp(text, b->modem_noted) == 0)
		return;
	memcpy(b->modem_noted, text, sizeof(text));
	check_clock(b);
	history_event(b->args.history, "modem", "%s", text);
}

static void on_modem_changed(void *ctx)
{
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;
	Modemd__V1__ModemEvent modem = MODEMD__V1__MODEM_EVENT__INIT;
	struct broker *b = ctx;
	struct modem_status st;
	char text[700];

	if (!b->modem)
		return;
	modem_get_status(b->modem, &st);
	modem.state = (char *)(uintptr_t)st.state_name;
	modem.reason = escaped(text, sizeof(text), st.reason);
	event.kind_case = MODEMD__V1__EVENT__KIND_MODEM;
	event.modem = &modem;
	news_event(b, &event, wants_network);
	note_modem(b, &st);
}

static void on_network_changed(void *ctx)
{
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;
	Modemd__V1__NetworkEvent network = MODEMD__V1__NETWORK_EVENT__INIT;
	struct broker *b = ctx;
	struct modem_status st;
	char text[700];

	modem_get_status(b->modem, &st);
	network.state = (char *)(uintptr_t)st.network_name;
	network.reason = escaped(text, sizeof(text), st.network_reason);
	network.address = (char *)(uintptr_t)st.info->address;
	event.kind_case = MODEMD__V1__EVENT__KIND_NETWORK;
	event.network = &network;
	news_event(b, &event, wants_network);
	history_event(b->args.history, "network", "%s%s%s", st.network_name,
		      st.network_reason[0] ? ": " : "", st.network_reason);
	if (st.network == NETWORK_OPEN && !b->network_noted)
		history_network_open(b->args.history, st.info->address,
				     st.info->operator_name);
	else if (st.network != NETWORK_OPEN && b->network_noted)
		history_network_close(b->args.history, st.network_reason);
	b->network_noted = st.network == NETWORK_OPEN;
}

static void on_answered(void *ctx, uint32_t query, int err,
			const char *answer)
{
	Modemd__V1__Reply reply = MODEMD__V1__REPLY__INIT;
	Modemd__V1__ResolveReply resolve = MODEMD__V1__RESOLVE_REPLY__INIT;
	struct broker *b = ctx;
	struct pending *p = NULL;
	struct client *c;
	char text[600];
	char *address[1] = { text };

	TAILQ_FOREACH(c, &b->clients, entry) {
		TAILQ_FOREACH(p, &c->pending, entry) {
			if (p->query == query)
				goto found;
		}
	}
	return;

found:
	escaped(text, sizeof(text), answer);
	reply.has_request_id = true;
	reply.request_id = p->request_id;
	reply.has_status = true;
	reply.status = wire_status(err);
	if (err) {
		reply.message = (char *)(uintptr_t)
				wire_status_text(reply.status);
		reply.modem_text = text;
	} else {
		resolve.n_address = 1;
		resolve.address = address;
		reply.result_case = MODEMD__V1__REPLY__RESULT_RESOLVE;
		reply.resolve = &resolve;
	}
	pending_free(p);
	client_reply(c, &reply);
}

static void on_stopped(void *ctx)
{
	struct broker *b = ctx;

	b->args.stopped(b->args.ctx);
}

const struct modem_ops broker_modem_ops = {
	.queued		= on_queued,
	.opened		= on_opened,
	.data		= on_data,
	.sent		= on_sent,
	.lost		= on_lost,
	.restored	= on_restored,
	.closed		= on_closed,
	.answered	= on_answered,
	.modem_changed	= on_modem_changed,
	.network_changed = on_network_changed,
	.stopped	= on_stopped,
};

/* ------------------------------------------------------------------- trace */

static void on_trace_row(void *ctx, const struct at_trace_row *row)
{
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;
	Modemd__V1__TraceRow out = MODEMD__V1__TRACE_ROW__INIT;
	struct broker *b = ctx;
	struct client *c;
	char text[8192];

	TAILQ_FOREACH(c, &b->clients, entry) {
		if (!c->want_trace)
			continue;
		report_trace_row(&out, text, sizeof(text), row,
				 c->want_payload);
		event.kind_case = MODEMD__V1__EVENT__KIND_TRACE;
		event.trace = &out;
		client_event(c, &event);
	}
}

void news_watch_trace(struct broker *b)
{
	at_trace_watch(modem_trace(b->modem), on_trace_row, b);
}
