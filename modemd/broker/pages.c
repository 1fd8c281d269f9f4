/* SPDX-License-Identifier: MIT */

/* Answers that come in pages: the history, and the trace of the line. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at/trace.h"
#include "base/log.h"
#include "broker/private.h"
#include "history/history.h"

#define TEXT_MAX	700
#define PAGE_ROWS	64

/* ----------------------------------------------------------------- history */

static void fill_session(Modemd__V1__SessionRow *out,
			 const struct history_row *row)
{
	const struct history_session *s = &row->session;

	modemd__v1__session_row__init(out);
	MSG_SET(out, id, row->id);
	MSG_SET(out, link, s->link);
	MSG_SET(out, epoch, s->epoch);
	out->instance = msg_str(row->instance);
	out->boot_id = msg_str(row->boot_id);
	out->client = msg_str(s->client);
	MSG_SET(out, pid, s->pid);
	MSG_SET(out, uid, s->uid);
	out->comm = msg_opt(s->comm);
	out->unit = msg_opt(s->unit);
	out->exe = msg_opt(s->exe);
	out->type = msg_str(s->type);
	out->remote = msg_str(s->remote);
	MSG_SET(out, slot, s->slot);
	out->rule = msg_opt(s->rule);
	MSG_SET(out, opened_wall_ms, row->opened_wall_ms);
	MSG_SET(out, opened_mono_ms, row->opened_mono_ms);
	if (row->closed) {
		MSG_SET(out, closed_wall_ms, row->closed_wall_ms);
		MSG_SET(out, closed_mono_ms, row->closed_mono_ms);
		out->reason = msg_opt(row->reason);
	}
	MSG_SET(out, accepted, row->counts.accepted);
	MSG_SET(out, taken, row->counts.taken);
	MSG_SET(out, confirmed, row->counts.confirmed);
	MSG_SET(out, received, row->counts.received);
	MSG_SET(out, lost, row->counts.lost);
	MSG_SET(out, clock_confirmed, row->clock_confirmed);
}

static void fill_event(Modemd__V1__EventRow *out,
		       const struct history_row *row)
{
	modemd__v1__event_row__init(out);
	MSG_SET(out, id, row->id);
	out->instance = msg_str(row->instance);
	out->boot_id = msg_str(row->boot_id);
	MSG_SET(out, wall_ms, row->opened_wall_ms);
	MSG_SET(out, mono_ms, row->opened_mono_ms);
	out->kind = msg_str(row->kind);
	MSG_SET(out, clock_confirmed, row->clock_confirmed);
}

/* Rows of one page, and the text that was escaped for them. */
struct page {
	Modemd__V1__SessionRow session[PAGE_ROWS];
	Modemd__V1__SessionRow *sessions[PAGE_ROWS];
	Modemd__V1__EventRow event[PAGE_ROWS];
	Modemd__V1__EventRow *events[PAGE_ROWS];
	char text[PAGE_ROWS][TEXT_MAX];
};

static char *page_text(struct page *page, size_t i, const char *text)
{
	if (!text || !text[0])
		return NULL;

	return log_escape_utf8(page->text[i], sizeof(page->text[i]), text,
			       strlen(text));
}

static size_t add_row(struct page *page, size_t i, bool event,
		      const struct history_row *row)
{
	if (event) {
		fill_event(&page->event[i], row);
		page->event[i].text = page_text(page, i, row->text);
		page->events[i] = &page->event[i];
		return modemd__v1__event_row__get_packed_size(page->events[i]);
	}
	fill_session(&page->session[i], row);
	page->session[i].modem_text = page_text(page, i, row->modem_text);
	page->sessions[i] = &page->session[i];

	return modemd__v1__session_row__get_packed_size(page->sessions[i]);
}

static void reply_page(struct pending *p, const struct history_row *rows,
		       size_t count)
{
	Modemd__V1__HistoryReply out = MODEMD__V1__HISTORY_REPLY__INIT;
	size_t n, bytes = 0;
	struct page *page;

	page = malloc(sizeof(*page));
	if (!page) {
		request_reply(p->client, p->request_id, -ENOMEM, NULL);
		return;
	}
	for (n = 0; n < count && n < PAGE_ROWS && bytes < WIRE_PAGE_MAX - 2048;
	     n++)
		bytes += add_row(page, n, p->events, &rows[n]);
	if (p->events)
		out.n_event = n;
	else
		out.n_session = n;
	out.session = page->sessions;
	out.event = page->events;
	MSG_SET(&out, more, n < count || count == PAGE_ROWS);
	report_reply(p->client, p->request_id,
		     MODEMD__V1__REPLY__RESULT_HISTORY, &out);
	free(page);
}

static void on_history(void *ctx, int err, const struct history_row *rows,
		       size_t count)
{
	struct pending *p = ctx;

	if (err)
		request_reply(p->client, p->request_id, err,
			      "the history cannot be read: see status");
	else
		reply_page(p, rows, count);
	pending_free(p);
}

/* A filter given as bytes into @out; NULL, or what is wrong with it. */
static const char *take_filter(protobuf_c_boolean has,
			       const ProtobufCBinaryData *in, char *out,
			       size_t size, const char **filter)
{
	const char *why = NULL;

	if (!has)
		return NULL;
	*filter = out;

	return name_check_text(in, out, size, &why) ? why : NULL;
}

struct filters {
	char client[WIRE_NAME_MAX + 1];
	char remote[280];
	char reason[64];
};

static const char *take_filters(const Modemd__V1__HistoryRequest *req,
				struct filters *f, struct history_query *q)
{
	const char *why;

	why = take_filter(req->has_client, &req->client, f->client,
			  sizeof(f->client), &q->client);
	if (!why)
		why = take_filter(req->has_remote, &req->remote, f->remote,
				  sizeof(f->remote), &q->remote);
	if (!why)
		why = take_filter(req->has_reason, &req->reason, f->reason,
				  sizeof(f->reason), &q->reason);

	return why;
}

void report_history(struct client *c, uint64_t id,
		    const Modemd__V1__HistoryRequest *req)
{
	struct history_query q = {
		.events = req->kind == MODEMD__V1__HISTORY_KIND__EVENTS,
		.since_wall_ms = req->has_since_wall_ms ? req->since_wall_ms :
				 INT64_MIN,
		.until_wall_ms = req->has_until_wall_ms ? req->until_wall_ms :
				 INT64_MAX,
		.before_id = req->before_id,
		.limit = req->limit && req->limit < PAGE_ROWS ? req->limit :
			 PAGE_ROWS,
		.own_uid_only = !c->admin,
		.uid = c->creds.uid,
	};
	struct filters filters;
	struct pending *p;
	const char *why;

	why = take_filters(req, &filters, &q);
	if (why) {
		request_reply(c, id, -EINVAL, "a filter of the history %s",
			      why);
		return;
	}
	p = pending_new(c, id);
	if (!p) {
		request_reply(c, id, -EBUSY, NULL);
		return;
	}
	p->events = q.events;
	p->history = history_query(c->broker->args.history, &q, on_history, p);
	if (p->history < 0) {
		request_reply(c, id, p->history, NULL);
		pending_free(p);
	}
}

/* ------------------------------------------------------------------- trace */

static const Modemd__V1__TraceKind trace_kinds[] = {
	[AT_TRACE_COMMAND]	= MODEMD__V1__TRACE_KIND__COMMAND,
	[AT_TRACE_PAYLOAD_OUT]	= MODEMD__V1__TRACE_KIND__PAYLOAD_OUT,
	[AT_TRACE_LINE]		= MODEMD__V1__TRACE_KIND__LINE,
	[AT_TRACE_PAYLOAD_IN]	= MODEMD__V1__TRACE_KIND__PAYLOAD_IN,
	[AT_TRACE_PROMPT]	= MODEMD__V1__TRACE_KIND__PROMPT,
	[AT_TRACE_NOTE]		= MODEMD__V1__TRACE_KIND__NOTE,
};

void report_trace_row(Modemd__V1__TraceRow *out, char *text, size_t size,
		      const struct at_trace_row *row, bool payload)
{
	bool is_payload = row->kind == AT_TRACE_PAYLOAD_OUT ||
			  row->kind == AT_TRACE_PAYLOAD_IN;

	modemd__v1__trace_row__init(out);
	MSG_SET(out, seq, row->seq);
	MSG_SET(out, wall_ms, row->wall_ms);
	MSG_SET(out, mono_us, row->mono_us);
	MSG_SET(out, kind, trace_kinds[row->kind]);
	MSG_SET(out, length, (uint32_t)row->len);
	if (is_payload && !payload)
		snprintf(text, size, "<%zu bytes>", row->len);
	else if (!row->data)
		snprintf(text, size, "<no longer kept>");
	else
		log_escape(text, size, row->data, row->len);
	out->text = text;
}

struct trace_page {
	Modemd__V1__TraceRow row[PAGE_ROWS];
	Modemd__V1__TraceRow *rows[PAGE_ROWS];
	char text[PAGE_ROWS][8192];
};

void report_trace(struct client *c, uint64_t id,
		  const Modemd__V1__TraceRequest *req)
{
	Modemd__V1__TraceReply out = MODEMD__V1__TRACE_REPLY__INIT;
	struct at_trace *trace = modem_trace(c->broker->modem);
	uint64_t after = req->after_seq;
	struct trace_page *page;
	struct at_trace_row row;
	size_t n, bytes = 0;

	if (req->payload && !c->admin) {
		request_reply(c, id, -EPERM, "payload in the trace is for "
			      "admins: root and the group modem-admin");
		return;
	}
	page = malloc(sizeof(*page));
	if (!page) {
		request_reply(c, id, -ENOMEM, NULL);
		return;
	}
	for (n = 0; n < PAGE_ROWS && bytes < WIRE_PAGE_MAX - 8400 &&
	     at_trace_next(trace, after, &row); n++) {
		report_trace_row(&page->row[n], page->text[n],
				 sizeof(page->text[n]), &row, req->payload);
		page->rows[n] = &page->row[n];
		bytes += modemd__v1__trace_row__get_packed_size(page->rows[n]);
		after = row.seq;
	}
	out.n_row = n;
	out.row = page->rows;
	MSG_SET(&out, more, at_trace_next(trace, after, &row));
	report_reply(c, id, MODEMD__V1__REPLY__RESULT_TRACE, &out);
	free(page);
}
