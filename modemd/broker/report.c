/* SPDX-License-Identifier: MIT */

/* Answers that describe. What they point to lives until they are packed. */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "at/channel.h"
#include "at/trace.h"
#include "base/config.h"
#include "base/log.h"
#include "base/timer.h"
#include "broker/private.h"
#include "driver/driver.h"
#include "history/history.h"
#include "port/port.h"

#define TEXT_MAX	700
#define PAGE_ROWS	64
#define LINKS_MAX	1024

/* protobuf-c has no const: what it is given to pack it only reads. */
static char *str(const char *s)
{
	return (char *)(uintptr_t)s;
}

/* "" is not sent. */
static char *opt(const char *s)
{
	return s && s[0] ? str(s) : NULL;
}

#define SET(msg, field, value) \
	do { (msg)->has_##field = true; (msg)->field = (value); } while (0)

static void reply_with(struct client *c, uint64_t id, int result_case,
		       void *result)
{
	Modemd__V1__Reply reply = MODEMD__V1__REPLY__INIT;

	SET(&reply, request_id, id);
	SET(&reply, status, MODEMD__V1__STATUS__OK);
	reply.result_case = (Modemd__V1__Reply__ResultCase)result_case;
	reply.status_reply = result;	/* all of the union are pointers */
	client_reply(c, &reply);
}

/* ------------------------------------------------------------------ status */

static void fill_modem(Modemd__V1__ModemInfo *out,
		       const struct modem_status *st)
{
	const struct driver_info *info = st->info;

	out->state = str(st->state_name);
	SET(out, since_wall_ms, st->since_wall_ms);
	SET(out, since_mono_ms, st->since_mono_ms);
	if (st->will_try)
		SET(out, next_try_ms, st->next_try_ms);
	out->dialect = str(st->dialect);
	out->manufacturer = opt(info->manufacturer);
	out->model = opt(info->model);
	out->revision = opt(info->revision);
	out->imei = opt(info->imei);
	out->iccid = opt(info->iccid);
	out->sim = opt(info->sim);
	out->registration = opt(info->registration);
	out->operator_name = opt(info->operator_name);
	if (info->signal_dbm != INT_MIN)
		SET(out, signal_dbm, info->signal_dbm);
	out->receive = str(st->receive);
	SET(out, restarts, st->restarts);
}

static void fill_network(Modemd__V1__NetworkInfo *out,
			 const struct modem_status *st)
{
	out->state = str(st->network_name);
	if (st->network == NETWORK_OPEN)
		out->address = opt(st->info->address);
	SET(out, since_wall_ms, st->network_since_wall_ms);
	SET(out, since_mono_ms, st->network_since_mono_ms);
	if (st->will_try && st->network != NETWORK_OPEN)
		SET(out, next_try_ms, st->next_try_ms);
	SET(out, losses, st->losses);
}

static void fill_line(Modemd__V1__LineInfo *out, const struct config *cfg,
		      const struct modem_status *st)
{
	const struct at_channel_stats *line = st->line;

	out->device = cfg->modem.device;
	out->path = opt(port_path(st->port));
	SET(out, baud, port_baud(st->port));
	out->backend = opt(port_backend(st->port));
	SET(out, bytes_in, port_bytes_in(st->port));
	SET(out, bytes_out, port_bytes_out(st->port));
	SET(out, commands, line->commands);
	SET(out, timeouts, line->timeouts);
	SET(out, resyncs, line->resyncs);
	SET(out, unknown_lines, line->unknown_lines);
	SET(out, stray_finals, line->stray_finals);
	SET(out, garbage_bytes, line->garbage_bytes);
	SET(out, lost_payloads, line->lost_payloads);
	SET(out, stalled, line->stalled);
}

static void fill_history(Modemd__V1__HistoryInfo *out, struct broker *b)
{
	struct history_status hs;

	history_get_status(b->args.history, &hs);
	SET(out, committed, hs.committed);
	SET(out, queued, hs.queued);
	SET(out, dropped, hs.dropped);
	out->error = opt(hs.error);
	out->database = opt(hs.database);
}

static void fill_daemon(Modemd__V1__StatusReply *out, struct broker *b,
			const struct modem_status *st)
{
	out->instance = b->args.cfg->instance;
	out->version = str(MODEMD_VERSION);
	out->boot_id = str(b->args.boot_id);
	SET(out, pid, (uint32_t)getpid());
	SET(out, started_wall_ms, b->started_wall_ms);
	SET(out, clock_confirmed, b->clock_confirmed);
	SET(out, links_used, st->slots_used);
	SET(out, links_total, st->slots_total);
	SET(out, links_waiting, st->waiting);
	SET(out, clients, b->client_count);
	while (st->capabilities[out->n_capabilities])
		out->n_capabilities++;
	out->capabilities = (char **)(uintptr_t)st->capabilities;
}

void report_status(struct client *c, uint64_t id)
{
	Modemd__V1__StatusReply out = MODEMD__V1__STATUS_REPLY__INIT;
	Modemd__V1__ModemInfo modem = MODEMD__V1__MODEM_INFO__INIT;
	Modemd__V1__NetworkInfo network = MODEMD__V1__NETWORK_INFO__INIT;
	Modemd__V1__LineInfo line = MODEMD__V1__LINE_INFO__INIT;
	Modemd__V1__HistoryInfo history = MODEMD__V1__HISTORY_INFO__INIT;
	char reason[TEXT_MAX], network_reason[TEXT_MAX];
	struct broker *b = c->broker;
	struct modem_status st;

	modem_get_status(b->modem, &st);
	fill_daemon(&out, b, &st);
	fill_modem(&modem, &st);
	fill_network(&network, &st);
	fill_line(&line, b->args.cfg, &st);
	fill_history(&history, b);
	modem.reason = opt(log_escape_utf8(reason, sizeof(reason), st.reason,
					   strlen(st.reason)));
	network.reason = opt(log_escape_utf8(network_reason,
					     sizeof(network_reason),
					     st.network_reason,
					     strlen(st.network_reason)));
	out.modem = &modem;
	out.network = &network;
	out.line = &line;
	out.history = &history;
	reply_with(c, id, MODEMD__V1__REPLY__RESULT_STATUS_REPLY, &out);
	modem_refresh(b->modem);
}

/* --------------------------------------------------------- links, clients */

void report_counts(Modemd__V1__Counts *out, const struct link_counts *in)
{
	SET(out, accepted, in->accepted);
	SET(out, taken, in->taken);
	SET(out, confirmed, in->confirmed);
	SET(out, received, in->received);
}

/* @out->counts, when it is set, is filled too. */
void report_link(struct broker *b, const struct link_info *info,
		 Modemd__V1__LinkInfo *out)
{
	struct owned *o = broker_find(b, info->id);

	SET(out, link, info->id);
	SET(out, slot, info->slot);
	SET(out, epoch, info->epoch);
	out->state = str(link_state_name(info->state));
	SET(out, type, MODEMD__V1__LINK_TYPE__TCP);
	if (o) {
		out->remote = o->remote;
		out->client = o->name;
		SET(out, pid, o->creds.pid);
		SET(out, uid, o->creds.uid);
	}
	if (out->counts)
		report_counts(out->counts, &info->counts);
	SET(out, queued_up, (uint32_t)info->queued_up);
	SET(out, credit, info->credit);
	SET(out, opened_wall_ms, info->opened_wall_ms);
	SET(out, opened_mono_ms, info->opened_mono_ms);
	SET(out, restore, info->restore);
	SET(out, idle_ms, (uint64_t)(timers_mono_ms(b->args.timers) -
				     info->active_mono_ms));
	SET(out, readable, info->readable);
}

struct link_page {
	Modemd__V1__LinkInfo link[LINKS_MAX];
	Modemd__V1__Counts counts[LINKS_MAX];
	Modemd__V1__LinkInfo *list[LINKS_MAX];
};

void report_links(struct client *c, uint64_t id)
{
	Modemd__V1__LinksReply out = MODEMD__V1__LINKS_REPLY__INIT;
	struct broker *b = c->broker;
	struct link_info info;
	struct link_page *page;
	uint64_t after = 0;
	size_t n, bytes = 0;

	page = malloc(sizeof(*page));
	if (!page) {
		request_reply(c, id, -ENOMEM, NULL);
		return;
	}
	for (n = 0; n < LINKS_MAX && bytes < WIRE_PAGE_MAX &&
	     modem_link_next(b->modem, after, &info) == 0; n++) {
		modemd__v1__link_info__init(&page->link[n]);
		modemd__v1__counts__init(&page->counts[n]);
		page->link[n].counts = &page->counts[n];
		report_link(b, &info, &page->link[n]);
		page->list[n] = &page->link[n];
		bytes += modemd__v1__link_info__get_packed_size(page->list[n]);
		after = info.id;
	}
	out.n_link = n;
	out.link = page->list;
	reply_with(c, id, MODEMD__V1__REPLY__RESULT_LINKS, &out);
	free(page);
}

static void fill_client(Modemd__V1__ClientInfo *out, const struct client *c)
{
	modemd__v1__client_info__init(out);
	SET(out, client, c->id);
	out->name = str(c->name);
	SET(out, pid, c->creds.pid);
	SET(out, uid, c->creds.uid);
	SET(out, gid, c->creds.gid);
	out->comm = str(c->creds.comm);
	out->unit = opt(c->creds.unit);
	SET(out, admin, c->admin);
	SET(out, links, c->links);
	SET(out, sent, c->sent);
	SET(out, received, c->received);
	SET(out, connected_wall_ms, c->connected_wall_ms);
	SET(out, connected_mono_ms, c->connected_mono_ms);
	SET(out, queued, (uint32_t)client_queued(c->conn));
	SET(out, events_lost, c->events_lost);
}

void report_clients(struct client *c, uint64_t id)
{
	Modemd__V1__ClientsReply out = MODEMD__V1__CLIENTS_REPLY__INIT;
	struct broker *b = c->broker;
	Modemd__V1__ClientInfo *infos, **list;
	const struct client *other;
	size_t n = 0, bytes = 0;

	infos = calloc(b->client_count, sizeof(*infos));
	list = calloc(b->client_count, sizeof(struct client *));
	if (!infos || !list) {
		request_reply(c, id, -ENOMEM, NULL);
		goto out;
	}
	TAILQ_FOREACH(other, &b->clients, entry) {
		if (bytes >= WIRE_PAGE_MAX)
			break;
		fill_client(&infos[n], other);
		list[n] = &infos[n];
		bytes += modemd__v1__client_info__get_packed_size(list[n]);
		n++;
	}
	out.n_client = n;
	out.client = list;
	reply_with(c, id, MODEMD__V1__REPLY__RESULT_CLIENTS, &out);
out:
	free(list);
	free(infos);
}

/* ----------------------------------------------------------------- history */

static void fill_session(Modemd__V1__SessionRow *out,
			 const struct history_row *row)
{
	const struct history_session *s = &row->session;

	modemd__v1__session_row__init(out);
	SET(out, id, row->id);
	SET(out, link, s->link);
	SET(out, epoch, s->epoch);
	out->instance = str(row->instance);
	out->boot_id = str(row->boot_id);
	out->client = str(s->client);
	SET(out, pid, s->pid);
	SET(out, uid, s->uid);
	out->comm = opt(s->comm);
	out->unit = opt(s->unit);
	out->exe = opt(s->exe);
	out->type = str(s->type);
	out->remote = str(s->remote);
	SET(out, slot, s->slot);
	out->rule = opt(s->rule);
	SET(out, opened_wall_ms, row->opened_wall_ms);
	SET(out, opened_mono_ms, row->opened_mono_ms);
	if (row->closed) {
		SET(out, closed_wall_ms, row->closed_wall_ms);
		SET(out, closed_mono_ms, row->closed_mono_ms);
		out->reason = opt(row->reason);
	}
	SET(out, accepted, row->counts.accepted);
	SET(out, taken, row->counts.taken);
	SET(out, confirmed, row->counts.confirmed);
	SET(out, received, row->counts.received);
	SET(out, clock_confirmed, row->clock_confirmed);
}

static void fill_event(Modemd__V1__EventRow *out,
		       const struct history_row *row)
{
	modemd__v1__event_row__init(out);
	SET(out, id, row->id);
	out->instance = str(row->instance);
	out->boot_id = str(row->boot_id);
	SET(out, wall_ms, row->opened_wall_ms);
	SET(out, mono_ms, row->opened_mono_ms);
	out->kind = str(row->kind);
	SET(out, clock_confirmed, row->clock_confirmed);
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
	bool event;

	page = malloc(sizeof(*page));
	if (!page) {
		request_reply(p->client, p->request_id, -ENOMEM, NULL);
		return;
	}
	for (n = 0; n < count && n < PAGE_ROWS && bytes < WIRE_PAGE_MAX - 2048;
	     n++) {
		event = rows[n].kind;
		bytes += add_row(page, n, event, &rows[n]);
		out.n_event += event;
		out.n_session += !event;
	}
	out.session = page->sessions;
	out.event = page->events;
	SET(&out, more, n < count || count == PAGE_ROWS);
	reply_with(p->client, p->request_id,
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

/* A filter given as bytes; true when it was given and is usable. */
static bool filter(protobuf_c_boolean has, const ProtobufCBinaryData *in,
		   char *out, size_t size)
{
	const char *why;

	return has && name_check_text(in, out, size, &why) == 0;
}

void report_history(struct client *c, uint64_t id,
		    const Modemd__V1__HistoryRequest *req)
{
	char client[WIRE_NAME_MAX + 1], remote[280], reason[64];
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
	struct pending *p;

	if (filter(req->has_client, &req->client, client, sizeof(client)))
		q.client = client;
	if (filter(req->has_remote, &req->remote, remote, sizeof(remote)))
		q.remote = remote;
	if (filter(req->has_reason, &req->reason, reason, sizeof(reason)))
		q.reason = reason;

	p = c->pending_count < CLIENT_PENDING_MAX ? calloc(1, sizeof(*p)) :
	    NULL;
	if (!p) {
		request_reply(c, id, -EBUSY, NULL);
		return;
	}
	p->client = c;
	p->request_id = id;
	TAILQ_INSERT_TAIL(&c->pending, p, entry);
	c->pending_count++;
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
	SET(out, seq, row->seq);
	SET(out, wall_ms, row->wall_ms);
	SET(out, mono_us, row->mono_us);
	SET(out, kind, trace_kinds[row->kind]);
	SET(out, length, (uint32_t)row->len);
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
	SET(&out, more, at_trace_next(trace, after, &row));
	reply_with(c, id, MODEMD__V1__REPLY__RESULT_TRACE, &out);
	free(page);
}
