/* SPDX-License-Identifier: MIT */

/* What the modem reports: to the owner, and to those who watch. */

#include <stdio.h>
#include <string.h>

#include "at/trace.h"
#include "base/log.h"
#include "broker/private.h"
#include "driver/driver.h"

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

/* ------------------------------------------------------------------- links */

/* To all who watch links. @how: why it is not open any more; NULL: it is. */
void news_link(struct broker *b, struct owned *o, const char *what,
	       const struct link_end *how)
{
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;
	Modemd__V1__LinkNews news = MODEMD__V1__LINK_NEWS__INIT;
	Modemd__V1__LinkInfo li = MODEMD__V1__LINK_INFO__INIT;
	Modemd__V1__Counts counts = MODEMD__V1__COUNTS__INIT;
	struct link_info info;

	li.counts = &counts;
	if (modem_link_info(b->modem, o->link, &info) == 0)
		report_link(b, &info, &li);
	MSG_SET(&li, link, o->link);
	li.remote = o->remote;
	li.client = o->name;
	if (how)
		report_counts(&counts, &how->counts);
	news.link = &li;
	news.what = msg_str(what);
	news.reason = msg_str(how ? how->reason : "");
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
	MSG_SET(&queued, link, link);
	queued.reason = msg_str(reason);
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

	MSG_SET(&opened, link, o->link);
	MSG_SET(&opened, epoch, how->epoch);
	MSG_SET(&opened, status, wire_status(how->err));
	opened.message = msg_str(wire_status_text(opened.status));
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
	news_link(b, o, how->err ? "closed" : "open",
		      how->err ? how : NULL);
	if (!lease_opened(b, o, how) && o->owner)
		tell_opened(o, how);
	if (!how->err) {
		record_open(b, o, how->epoch);
		return;
	}
	record_close(b, o, how);
	broker_forget(b, o);
	lease_look(b);
}

static void on_data(void *ctx, uint64_t link, const uint8_t *data, size_t len,
		    const char *from)
{
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;
	Modemd__V1__Data msg = MODEMD__V1__DATA__INIT;
	struct owned *o = broker_find(ctx, link);

	if (!o || !o->owner)
		return;
	MSG_SET(&msg, link, link);
	msg.has_data = true;
	msg.data.data = (uint8_t *)(uintptr_t)data;
	msg.data.len = len;
	msg.from = msg_opt(from);
	event.kind_case = MODEMD__V1__EVENT__KIND_DATA;
	event.data = &msg;
	o->owner->received += len;
	client_tell(o->owner, &event);
}

static void on_sent(void *ctx, uint64_t link, uint32_t epoch, size_t len,
		    int err)
{
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;
	Modemd__V1__Sent sent = MODEMD__V1__SENT__INIT;
	struct owned *o = broker_find(ctx, link);

	if (!o || !o->owner)
		return;
	MSG_SET(&sent, link, link);
	MSG_SET(&sent, epoch, epoch);
	MSG_SET(&sent, bytes, (uint32_t)len);
	if (err)
		MSG_SET(&sent, status, wire_status(err));
	event.kind_case = MODEMD__V1__EVENT__KIND_SENT;
	event.sent = &sent;
	if (!err)
		o->owner->sent += len;
	client_tell(o->owner, &event);
}

static void on_confirmed(void *ctx, uint64_t link, uint32_t epoch,
			 uint64_t confirmed)
{
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;
	Modemd__V1__Confirmed msg = MODEMD__V1__CONFIRMED__INIT;
	struct owned *o = broker_find(ctx, link);

	if (!o || !o->owner)
		return;
	MSG_SET(&msg, link, link);
	MSG_SET(&msg, epoch, epoch);
	MSG_SET(&msg, confirmed, confirmed);
	event.kind_case = MODEMD__V1__EVENT__KIND_CONFIRMED;
	event.confirmed = &msg;
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
	record_close(b, o, how);
	news_link(b, o, "lost", how);
	if (!o->owner)
		return;
	report_counts(&counts, &how->counts);
	MSG_SET(&lost, link, link);
	MSG_SET(&lost, epoch, how->epoch);
	lost.reason = msg_str(how->reason);
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
	record_open(b, o, epoch);
	news_link(b, o, "restored", NULL);
	if (!o->owner)
		return;
	MSG_SET(&restored, link, link);
	MSG_SET(&restored, epoch, epoch);
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
	MSG_SET(&closed, link, o->link);
	MSG_SET(&closed, epoch, how->epoch);
	MSG_SET(&closed, status, wire_status(how->err));
	closed.reason = msg_str(how->reason);
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
		record_close(b, o, how);
	news_link(b, o, "closed", how);
	if (o->owner)
		tell_closed(o, how);
	lease_closed(b, o, how->reason);
	broker_forget(b, o);
	lease_look(b);
}

/* -------------------------------------------------------- modem and network */

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
	if (!record_modem(b, &st))
		return;
	modem.state = msg_str(st.state_name);
	modem.reason = escaped(text, sizeof(text), st.reason);
	event.kind_case = MODEMD__V1__EVENT__KIND_MODEM;
	event.modem = &modem;
	news_event(b, &event, wants_network);
}

static void on_network_changed(void *ctx)
{
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;
	Modemd__V1__NetworkEvent network = MODEMD__V1__NETWORK_EVENT__INIT;
	struct broker *b = ctx;
	struct modem_status st;
	char text[700];

	modem_get_status(b->modem, &st);
	network.state = msg_str(st.network_name);
	network.reason = escaped(text, sizeof(text), st.network_reason);
	network.address = msg_str(st.info->address);
	event.kind_case = MODEMD__V1__EVENT__KIND_NETWORK;
	event.network = &network;
	news_event(b, &event, wants_network);
	record_network(b, &st);
	admin_network_changed(b, &st);
}

static void on_answered(void *ctx, uint32_t query, int err,
			const struct driver_answer *answer)
{
	Modemd__V1__Reply reply = MODEMD__V1__REPLY__INIT;
	Modemd__V1__ResolveReply resolve = MODEMD__V1__RESOLVE_REPLY__INIT;
	Modemd__V1__ReverseReply reverse = MODEMD__V1__REVERSE_REPLY__INIT;
	struct broker *b = ctx;
	struct pending *p = NULL;
	struct client *c;
	char text[600];
	char *list[1] = { text };

	TAILQ_FOREACH(c, &b->clients, entry) {
		TAILQ_FOREACH(p, &c->pending, entry) {
			if (p->query == query)
				goto found;
		}
	}
	return;

found:
	if (p->what) {
		ask_answered(p, err, answer);
		return;
	}
	escaped(text, sizeof(text), answer->text);
	MSG_SET(&reply, request_id, p->request_id);
	MSG_SET(&reply, status, wire_status(err));
	if (err) {
		reply.message = msg_str(wire_status_text(reply.status));
		reply.modem_text = text;
	} else if (p->reverse) {
		reverse.n_name = 1;
		reverse.name = list;
		reply.result_case = MODEMD__V1__REPLY__RESULT_REVERSE;
		reply.reverse = &reverse;
	} else {
		resolve.n_address = 1;
		resolve.address = list;
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
	.confirmed	= on_confirmed,
	.lost		= on_lost,
	.restored	= on_restored,
	.closed		= on_closed,
	.progress	= ask_progress,
	.listening	= listen_on_listening,
	.accepted	= listen_on_accepted,
	.refused	= listen_on_refused,
	.listener_lost	= listen_on_lost,
	.listener_restored = listen_on_restored,
	.unlistened	= listen_on_unlistened,
	.answered	= on_answered,
	.restarted	= admin_restarted,
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
