/* SPDX-License-Identifier: MIT */

/* Questions whose answer comes in pages: history and trace. */

#include <errno.h>
#include <string.h>

#include "client.h"
#include "rows.h"

/* One walk through the pages, newest row first. */
struct walk {
	struct modemclient *mc;
	Modemd__V1__HistoryRequest *ask;
	int64_t deadline_ms;
	int timeout_ms;
	uint64_t left;		/* rows wanted; 0: all */
	bool limited;
	bool (*session)(void *ctx, const struct modemclient_session *s);
	bool (*event)(void *ctx, const struct modemclient_history_event *e);
	void *ctx;
};

static ProtobufCBinaryData bytes_of(const char *text)
{
	ProtobufCBinaryData data = { 0 };

	if (text) {
		data.len = strlen(text);
		data.data = (uint8_t *)(uintptr_t)text;
	}

	return data;
}

static void history_fill(Modemd__V1__HistoryRequest *ask,
			 const struct modemclient_history_query *query)
{
	ask->has_kind = 1;
	ask->has_since_wall_ms = query->since_wall_ms != 0;
	ask->since_wall_ms = query->since_wall_ms;
	ask->has_until_wall_ms = query->until_wall_ms != 0;
	ask->until_wall_ms = query->until_wall_ms;
	ask->has_client = query->client != NULL;
	ask->client = bytes_of(query->client);
	ask->has_remote = query->remote != NULL;
	ask->remote = bytes_of(query->remote);
	ask->has_reason = query->reason != NULL;
	ask->reason = bytes_of(query->reason);
}

/* False: the program has seen enough. */
static bool walk_row(struct walk *w, const Modemd__V1__SessionRow *session,
		     const Modemd__V1__EventRow *event)
{
	struct modemclient_session s;
	struct modemclient_history_event e;
	bool more;

	if (session) {
		rows_session(&s, session);
		w->ask->before_id = s.id;
		more = w->session(w->ctx, &s);
	} else {
		rows_event(&e, event);
		w->ask->before_id = e.id;
		more = w->event(w->ctx, &e);
	}
	w->ask->has_before_id = 1;
	if (w->limited && --w->left == 0)
		return false;

	return more;
}

/* 1: there is another page; 0: the end. */
static int walk_reply(struct walk *w, const Modemd__V1__HistoryReply *reply)
{
	int64_t before = w->ask->has_before_id ? w->ask->before_id : INT64_MAX;
	size_t rows = w->session ? reply->n_session : reply->n_event;
	size_t i;

	for (i = 0; i < rows; i++) {
		if (!walk_row(w, w->session ? reply->session[i] : NULL,
			      w->session ? NULL : reply->event[i]))
			return 0;
	}
	if (!reply->more)
		return 0;
	/* Or the same page would come again and again. */
	if (rows == 0 || w->ask->before_id >= before)
		return client_fail(w->mc, -EPROTO, "history: modemd gave a "
				   "page that does not go on");

	return 1;
}

static int walk_page(struct walk *w)
{
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;
	Modemd__V1__ServerMessage *message;
	int64_t left_ms = w->deadline_ms - client_now_ms();
	int ret;

	if (w->timeout_ms <= 0)
		left_ms = w->timeout_ms;
	else if (left_ms <= 0)
		return client_fail(w->mc, -ETIMEDOUT, "history: not complete "
				   "within %d ms", w->timeout_ms);
	w->ask->has_limit = w->limited;
	w->ask->limit = w->left > UINT32_MAX ? UINT32_MAX : (uint32_t)w->left;
	req.kind_case = MODEMD__V1__REQUEST__KIND_HISTORY;
	req.history = w->ask;
	ret = client_ask(w->mc, &req, "history", (int)left_ms, &message);
	if (ret < 0)
		return ret;
	if (message->reply->result_case != MODEMD__V1__REPLY__RESULT_HISTORY)
		ret = client_fail(w->mc, -EPROTO, "history: modemd gave "
				  "another answer");
	else
		ret = walk_reply(w, message->reply->history);
	modemd__v1__server_message__free_unpacked(message, NULL);

	return ret;
}

static int walk(struct walk *w, const struct modemclient_history_query *q)
{
	struct modemclient_history_query query = MODEMCLIENT_HISTORY_QUERY_INIT;
	Modemd__V1__HistoryRequest ask = MODEMD__V1__HISTORY_REQUEST__INIT;
	int ret;

	if (q)
		memcpy(&query, q, q->size < sizeof(query) ? q->size :
		       sizeof(query));
	history_fill(&ask, &query);
	ask.kind = w->session ? MODEMD__V1__HISTORY_KIND__SESSIONS :
		MODEMD__V1__HISTORY_KIND__EVENTS;
	w->ask = &ask;
	w->left = query.limit;
	w->limited = query.limit > 0;
	w->deadline_ms = client_now_ms() + w->timeout_ms;
	do {
		ret = walk_page(w);
	} while (ret > 0);

	return ret;
}

int modemclient_sessions(struct modemclient *mc,
			 const struct modemclient_history_query *q,
			 int timeout_ms,
			 bool (*row)(void *ctx,
				     const struct modemclient_session *s),
			 void *ctx)
{
	struct walk w = { .mc = mc, .timeout_ms = timeout_ms, .session = row,
			  .ctx = ctx };

	return walk(&w, q);
}

int modemclient_events(struct modemclient *mc,
		       const struct modemclient_history_query *q,
		       int timeout_ms,
		       bool (*row)(void *ctx,
				   const struct modemclient_history_event *e),
		       void *ctx)
{
	struct walk w = { .mc = mc, .timeout_ms = timeout_ms, .event = row,
			  .ctx = ctx };

	return walk(&w, q);
}

/* 1: there is another page, after @trace->after_seq; 0: the end. */
static int trace_reply(struct modemclient *mc, Modemd__V1__TraceRequest *trace,
		       const Modemd__V1__TraceReply *reply,
		       bool (*row)(void *ctx,
				   const struct modemclient_trace_row *row),
		       void *ctx)
{
	struct modemclient_trace_row r;
	uint64_t after = trace->after_seq;
	size_t i;

	for (i = 0; i < reply->n_row; i++) {
		rows_trace(&r, reply->row[i]);
		trace->after_seq = r.seq;
		if (!row(ctx, &r))
			return 0;
	}
	if (!reply->more)
		return 0;
	if (trace->after_seq <= after)
		return client_fail(mc, -EPROTO, "trace: modemd gave a page "
				   "that does not go on");

	return 1;
}

int modemclient_trace(struct modemclient *mc, uint64_t after_seq, bool payload,
		      int timeout_ms,
		      bool (*row)(void *ctx,
				  const struct modemclient_trace_row *row),
		      void *ctx)
{
	Modemd__V1__TraceRequest trace = MODEMD__V1__TRACE_REQUEST__INIT;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;
	Modemd__V1__ServerMessage *message;
	int ret;

	trace.has_after_seq = 1;
	trace.after_seq = after_seq;
	trace.has_payload = 1;
	trace.payload = payload;
	req.kind_case = MODEMD__V1__REQUEST__KIND_TRACE;
	req.trace = &trace;
	/* The ring is small: one deadline for each page is bounded, too. */
	do {
		ret = client_ask(mc, &req, "trace", timeout_ms, &message);
		if (ret < 0)
			return ret;
		if (message->reply->result_case !=
		    MODEMD__V1__REPLY__RESULT_TRACE)
			ret = client_fail(mc, -EPROTO, "trace: modemd gave "
					  "another answer");
		else
			ret = trace_reply(mc, &trace, message->reply->trace,
					  row, ctx);
		modemd__v1__server_message__free_unpacked(message, NULL);
	} while (ret > 0);

	return ret;
}
