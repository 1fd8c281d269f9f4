/* SPDX-License-Identifier: MIT */

#include "rows.h"

#include <stdlib.h>
#include <string.h>

#include "link.h"

/* All parts of a status in one piece of memory; the text is the message's. */
struct status_memory {
	struct modemclient_status status;	/* first: it is handed out */
	struct modemclient_modem_info modem;
	struct modemclient_network_info network;
	struct modemclient_line_info line;
	struct modemclient_history_info history;
	struct modemclient_lease_info lease;
	Modemd__V1__ServerMessage *message;
	const char **capabilities;
	struct modemclient_step *steps;
};

const char *rows_text(const char *text)
{
	return text ? text : "";
}

static const char *type_name(Modemd__V1__LinkType type)
{
	switch (type) {
	case MODEMD__V1__LINK_TYPE__TCP:
		return "tcp";
	case MODEMD__V1__LINK_TYPE__UDP:
		return "udp";
	case MODEMD__V1__LINK_TYPE__TLS:
		return "tls";
	case _MODEMD__V1__LINK_TYPE_IS_INT_SIZE:
		break;
	}

	return "unknown";
}

void rows_link(struct modemclient_link_info *to,
	       const Modemd__V1__LinkInfo *from)
{
	memset(to, 0, sizeof(*to));
	to->link = from->link;
	to->slot = from->has_slot ? from->slot : -1;
	to->epoch = from->epoch;
	to->state = rows_text(from->state);
	to->type = from->lease ? "lease" : from->listener ? "tcp-in" :
		   type_name(from->type);
	to->remote = rows_text(from->remote);
	to->client = rows_text(from->client);
	to->pid = from->pid;
	to->uid = from->uid;
	to->counts.confirmed = -1;
	if (from->counts)
		link_copy_counts(&to->counts, from->counts);
	to->queued_up = from->queued_up;
	to->credit = from->credit;
	to->opened_wall_ms = from->opened_wall_ms;
	to->opened_mono_ms = from->opened_mono_ms;
	to->restore = from->restore;
	to->idle_ms = from->idle_ms;
	to->readable = from->readable;
	to->listener = from->listener;
	to->local_port = (uint16_t)from->local_port;
}

void rows_listener(struct modemclient_listener_info *to,
		   const Modemd__V1__ListenerInfo *from)
{
	memset(to, 0, sizeof(*to));
	to->listener = from->listener;
	to->index = from->has_index ? from->index : -1;
	to->state = rows_text(from->state);
	to->port = (uint16_t)from->port;
	to->client = rows_text(from->client);
	to->pid = from->pid;
	to->uid = from->uid;
	to->backlog = from->backlog;
	to->max_links = from->max_links;
	to->links = from->links;
	to->accepted = from->accepted;
	to->refused = from->refused;
	to->opened_wall_ms = from->opened_wall_ms;
	to->opened_mono_ms = from->opened_mono_ms;
	to->family = from->has_family ? family_of(from->family) :
		     MODEMCLIENT_IPV4;
	to->tls = from->tls;
}

void rows_client(struct modemclient_client_info *to,
		 const Modemd__V1__ClientInfo *from)
{
	memset(to, 0, sizeof(*to));
	to->client = from->client;
	to->name = rows_text(from->name);
	to->pid = from->pid;
	to->uid = from->uid;
	to->gid = from->gid;
	to->comm = rows_text(from->comm);
	to->unit = rows_text(from->unit);
	to->admin = from->admin;
	to->links = from->links;
	to->sent = from->sent;
	to->received = from->received;
	to->connected_wall_ms = from->connected_wall_ms;
	to->connected_mono_ms = from->connected_mono_ms;
	to->queued = from->queued;
	to->events_lost = from->events_lost;
}

void rows_session(struct modemclient_session *to,
		  const Modemd__V1__SessionRow *from)
{
	memset(to, 0, sizeof(*to));
	to->id = from->id;
	to->link = from->link;
	to->epoch = from->epoch;
	to->instance = rows_text(from->instance);
	to->boot_id = rows_text(from->boot_id);
	to->client = rows_text(from->client);
	to->pid = from->pid;
	to->uid = from->uid;
	to->comm = rows_text(from->comm);
	to->unit = rows_text(from->unit);
	to->exe = rows_text(from->exe);
	to->type = rows_text(from->type);
	to->remote = rows_text(from->remote);
	to->slot = from->has_slot ? from->slot : -1;
	to->rule = rows_text(from->rule);
	to->closed = from->has_closed_wall_ms || from->has_closed_mono_ms;
	to->opened_wall_ms = from->opened_wall_ms;
	to->opened_mono_ms = from->opened_mono_ms;
	to->closed_wall_ms = from->closed_wall_ms;
	to->closed_mono_ms = from->closed_mono_ms;
	to->counts.accepted = from->accepted;
	to->counts.taken = from->taken;
	to->counts.confirmed = from->has_confirmed ? from->confirmed : -1;
	to->counts.received = from->received;
	to->counts.lost = from->lost;
	to->reason = rows_text(from->reason);
	to->modem_text = rows_text(from->modem_text);
	to->clock_confirmed = from->clock_confirmed;
}

void rows_event(struct modemclient_history_event *to,
		const Modemd__V1__EventRow *from)
{
	memset(to, 0, sizeof(*to));
	to->id = from->id;
	to->instance = rows_text(from->instance);
	to->boot_id = rows_text(from->boot_id);
	to->wall_ms = from->wall_ms;
	to->mono_ms = from->mono_ms;
	to->kind = rows_text(from->kind);
	to->text = rows_text(from->text);
	to->clock_confirmed = from->clock_confirmed;
}

static const char *trace_kind(Modemd__V1__TraceKind kind)
{
	switch (kind) {
	case MODEMD__V1__TRACE_KIND__COMMAND:
		return "command";
	case MODEMD__V1__TRACE_KIND__PAYLOAD_OUT:
		return "payload-out";
	case MODEMD__V1__TRACE_KIND__LINE:
		return "line";
	case MODEMD__V1__TRACE_KIND__PAYLOAD_IN:
		return "payload-in";
	case MODEMD__V1__TRACE_KIND__PROMPT:
		return "prompt";
	case MODEMD__V1__TRACE_KIND__NOTE:
		return "note";
	case _MODEMD__V1__TRACE_KIND_IS_INT_SIZE:
		break;
	}

	return "unknown";
}

void rows_trace(struct modemclient_trace_row *to,
		const Modemd__V1__TraceRow *from)
{
	memset(to, 0, sizeof(*to));
	to->seq = from->seq;
	to->wall_ms = from->wall_ms;
	to->mono_us = from->mono_us;
	to->kind = trace_kind(from->kind);
	to->length = from->length;
	to->text = rows_text(from->text);
}

static void fill_modem(struct modemclient_modem_info *to,
		       const Modemd__V1__ModemInfo *from)
{
	to->state = rows_text(from->state);
	to->reason = rows_text(from->reason);
	to->since_wall_ms = from->since_wall_ms;
	to->since_mono_ms = from->since_mono_ms;
	to->next_try_ms = from->has_next_try_ms ?
		(int64_t)from->next_try_ms : -1;
	to->dialect = rows_text(from->dialect);
	to->manufacturer = rows_text(from->manufacturer);
	to->model = rows_text(from->model);
	to->revision = rows_text(from->revision);
	to->imei = rows_text(from->imei);
	to->iccid = rows_text(from->iccid);
	to->sim = rows_text(from->sim);
	to->registration = rows_text(from->registration);
	to->operator_name = rows_text(from->operator_name);
	to->has_signal = from->has_signal_dbm;
	to->signal_dbm = from->signal_dbm;
	to->receive = rows_text(from->receive);
	to->restarts = from->restarts;
}

static void fill_network(struct modemclient_network_info *to,
			 const Modemd__V1__NetworkInfo *from)
{
	to->state = rows_text(from->state);
	to->reason = rows_text(from->reason);
	to->address = rows_text(from->address);
	to->since_wall_ms = from->since_wall_ms;
	to->since_mono_ms = from->since_mono_ms;
	to->next_try_ms = from->has_next_try_ms ?
		(int64_t)from->next_try_ms : -1;
	to->losses = from->losses;
	to->address6 = rows_text(from->address6);
	to->address6_link = rows_text(from->address6_link);
	to->mac = rows_text(from->mac);
	to->ap_address = rows_text(from->ap_address);
	to->ap_mac = rows_text(from->ap_mac);
	to->ssid = rows_text(from->ssid);
}

static void fill_line(struct modemclient_line_info *to,
		      const Modemd__V1__LineInfo *from)
{
	to->device = rows_text(from->device);
	to->path = rows_text(from->path);
	to->baud = from->baud;
	to->backend = rows_text(from->backend);
	to->bytes_in = from->bytes_in;
	to->bytes_out = from->bytes_out;
	to->commands = from->commands;
	to->timeouts = from->timeouts;
	to->resyncs = from->resyncs;
	to->unknown_lines = from->unknown_lines;
	to->stray_finals = from->stray_finals;
	to->garbage_bytes = from->garbage_bytes;
	to->lost_payloads = from->lost_payloads;
	to->lost_bytes = from->lost_bytes;
	to->stalled = from->stalled;
}

static void fill_history(struct modemclient_history_info *to,
			 const Modemd__V1__HistoryInfo *from)
{
	to->committed = from->committed;
	to->queued = from->queued;
	to->dropped = from->dropped;
	to->error = rows_text(from->error);
	to->database = rows_text(from->database);
}

static void fill_lease(struct status_memory *m,
		       const Modemd__V1__LeaseInfo *from)
{
	if (!from)
		return;
	m->lease.link = from->link;
	m->lease.client = rows_text(from->client);
	m->lease.remote = rows_text(from->remote);
	m->lease.state = rows_text(from->state);
	m->lease.left_ms = from->left_ms;
	m->status.lease = &m->lease;
}

/* Parts that modemd did not send are as empty ones. */
static void fill_parts(struct status_memory *m,
		       const Modemd__V1__StatusReply *from)
{
	const Modemd__V1__ModemInfo modem = MODEMD__V1__MODEM_INFO__INIT;
	const Modemd__V1__NetworkInfo network = MODEMD__V1__NETWORK_INFO__INIT;
	const Modemd__V1__LineInfo line = MODEMD__V1__LINE_INFO__INIT;
	const Modemd__V1__HistoryInfo history = MODEMD__V1__HISTORY_INFO__INIT;

	fill_modem(&m->modem, from->modem ? from->modem : &modem);
	fill_network(&m->network, from->network ? from->network : &network);
	fill_line(&m->line, from->line ? from->line : &line);
	fill_history(&m->history, from->history ? from->history : &history);
	m->status.modem = &m->modem;
	m->status.network = &m->network;
	m->status.line = &m->line;
	m->status.history = &m->history;
}

static void fill_step(struct modemclient_step *to,
		      const Modemd__V1__Step *from)
{
	to->name = rows_text(from->name);
	to->state = rows_text(from->state);
	to->text = rows_text(from->text);
	to->since_wall_ms = from->since_wall_ms;
	to->since_mono_ms = from->since_mono_ms;
	to->next_try_ms = from->has_next_try_ms ?
		(int64_t)from->next_try_ms : -1;
	to->next = rows_text(from->next);
}

struct modemclient_status *rows_status(Modemd__V1__ServerMessage *message)
{
	const Modemd__V1__StatusReply *from = message->reply->status_reply;
	struct status_memory *m = calloc(1, sizeof(*m));
	size_t i;

	if (m)
		m->capabilities = calloc(from->n_capabilities + 1,
					 sizeof(*m->capabilities));
	if (m)
		m->steps = calloc(from->n_step + 1, sizeof(*m->steps));
	if (!m || !m->capabilities || !m->steps) {
		modemd__v1__server_message__free_unpacked(message, NULL);
		if (m) {
			free(m->capabilities);
			free(m->steps);
		}
		free(m);
		return NULL;
	}

	m->message = message;
	for (i = 0; i < from->n_capabilities; i++)
		m->capabilities[i] = from->capabilities[i];
	m->status.capabilities = m->capabilities;
	for (i = 0; i < from->n_step; i++)
		fill_step(&m->steps[i], from->step[i]);
	m->status.steps = m->steps;
	m->status.instance = rows_text(from->instance);
	m->status.version = rows_text(from->version);
	m->status.boot_id = rows_text(from->boot_id);
	m->status.pid = from->pid;
	m->status.started_wall_ms = from->started_wall_ms;
	m->status.clock_confirmed = from->clock_confirmed;
	m->status.links_used = from->links_used;
	m->status.links_total = from->links_total;
	m->status.links_waiting = from->links_waiting;
	m->status.listeners_used = from->listeners_used;
	m->status.listeners_total = from->listeners_total;
	m->status.clients = from->clients;
	fill_parts(m, from);
	fill_lease(m, from->lease);

	return &m->status;
}

void modemclient_status_free(struct modemclient_status *st)
{
	struct status_memory *m = (struct status_memory *)st;

	if (!m)
		return;

	modemd__v1__server_message__free_unpacked(m->message, NULL);
	free(m->capabilities);
	free(m->steps);
	free(m);
}
