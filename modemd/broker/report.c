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
#define LINKS_MAX	1024

void report_reply(struct client *c, uint64_t id, int result_case, void *result)
{
	Modemd__V1__Reply reply = MODEMD__V1__REPLY__INIT;

	MSG_SET(&reply, request_id, id);
	MSG_SET(&reply, status, MODEMD__V1__STATUS__OK);
	reply.result_case = (Modemd__V1__Reply__ResultCase)result_case;
	reply.status_reply = result;	/* all of the union are pointers */
	client_reply(c, &reply);
}

/* ------------------------------------------------------------------ status */

static void fill_modem(Modemd__V1__ModemInfo *out,
		       const struct modem_status *st)
{
	const struct driver_info *info = st->info;

	out->state = msg_str(st->state_name);
	MSG_SET(out, since_wall_ms, st->since_wall_ms);
	MSG_SET(out, since_mono_ms, st->since_mono_ms);
	if (st->will_try)
		MSG_SET(out, next_try_ms, st->next_try_ms);
	out->dialect = msg_str(st->dialect);
	out->manufacturer = msg_opt(info->manufacturer);
	out->model = msg_opt(info->model);
	out->revision = msg_opt(info->revision);
	out->imei = msg_opt(info->imei);
	out->iccid = msg_opt(info->iccid);
	out->sim = msg_opt(info->sim);
	out->registration = msg_opt(info->registration);
	out->operator_name = msg_opt(info->operator_name);
	if (info->signal_dbm != INT_MIN)
		MSG_SET(out, signal_dbm, info->signal_dbm);
	out->receive = msg_str(st->receive);
	MSG_SET(out, restarts, st->restarts);
}

static void fill_network(Modemd__V1__NetworkInfo *out,
			 const struct modem_status *st)
{
	out->state = msg_str(st->network_name);
	if (st->network == NETWORK_OPEN) {
		out->address = msg_opt(st->info->address);
		out->address6 = msg_opt(st->info->address6);
		out->address6_link = msg_opt(st->info->address6_link);
		out->ssid = msg_opt(st->info->ssid);
	}
	out->mac = msg_opt(st->info->mac);
	out->ap_address = msg_opt(st->info->ap_address);
	out->ap_mac = msg_opt(st->info->ap_mac);
	MSG_SET(out, since_wall_ms, st->network_since_wall_ms);
	MSG_SET(out, since_mono_ms, st->network_since_mono_ms);
	if (st->will_try && st->network != NETWORK_OPEN)
		MSG_SET(out, next_try_ms, st->next_try_ms);
	MSG_SET(out, losses, st->losses);
}

static void fill_line(Modemd__V1__LineInfo *out, const struct config *cfg,
		      const struct modem_status *st)
{
	const struct at_channel_stats *line = st->line;

	out->device = cfg->modem.device;
	out->path = msg_opt(port_path(st->port));
	MSG_SET(out, baud, port_baud(st->port));
	out->backend = msg_opt(port_backend(st->port));
	MSG_SET(out, bytes_in, port_bytes_in(st->port));
	MSG_SET(out, bytes_out, port_bytes_out(st->port));
	MSG_SET(out, commands, line->commands);
	MSG_SET(out, timeouts, line->timeouts);
	MSG_SET(out, resyncs, line->resyncs);
	MSG_SET(out, unknown_lines, line->unknown_lines);
	MSG_SET(out, stray_finals, line->stray_finals);
	MSG_SET(out, garbage_bytes, line->garbage_bytes);
	MSG_SET(out, lost_payloads, line->lost_payloads);
	MSG_SET(out, stalled, line->stalled);
	MSG_SET(out, lost_bytes, st->lost_bytes);
}

static void fill_history(Modemd__V1__HistoryInfo *out, struct broker *b)
{
	struct history_status hs;

	history_get_status(b->args.history, &hs);
	MSG_SET(out, committed, hs.committed);
	MSG_SET(out, queued, hs.queued);
	MSG_SET(out, dropped, hs.dropped);
	out->error = msg_opt(hs.error);
	out->database = msg_opt(hs.database);
}

static void fill_daemon(Modemd__V1__StatusReply *out, struct broker *b,
			const struct modem_status *st)
{
	out->instance = b->args.cfg->instance;
	out->version = msg_str(MODEMD_VERSION);
	out->boot_id = msg_str(b->args.boot_id);
	MSG_SET(out, pid, (uint32_t)getpid());
	MSG_SET(out, started_wall_ms, b->started_wall_ms);
	MSG_SET(out, clock_confirmed, b->clock_confirmed);
	MSG_SET(out, links_used, st->slots_used);
	MSG_SET(out, links_total, st->slots_total);
	MSG_SET(out, links_waiting, st->waiting);
	MSG_SET(out, listeners_used, st->listeners_used);
	MSG_SET(out, listeners_total, st->listeners_total);
	MSG_SET(out, clients, b->client_count);
	while (st->capabilities[out->n_capabilities])
		out->n_capabilities++;
	out->capabilities = (char **)(uintptr_t)st->capabilities;
}

/* Steps, their escaped text, and what points to them. */
struct steps {
	struct modem_step step[MODEM_STEPS];
	char text[MODEM_STEPS][TEXT_MAX];
	Modemd__V1__Step row[MODEM_STEPS];
	Modemd__V1__Step *list[MODEM_STEPS];
};

static void fill_step(Modemd__V1__Step *out, const struct modem_step *step,
		      char text[TEXT_MAX])
{
	modemd__v1__step__init(out);
	out->name = msg_str(step->name);
	out->state = msg_str(step->state);
	out->text = msg_opt(log_escape_utf8(text, TEXT_MAX, step->text,
					    strlen(step->text)));
	MSG_SET(out, since_wall_ms, step->since_wall_ms);
	MSG_SET(out, since_mono_ms, step->since_mono_ms);
	if (step->will_try)
		MSG_SET(out, next_try_ms, step->next_try_ms);
	out->next = msg_opt(step->next);
}

static void fill_steps(Modemd__V1__StatusReply *out, struct broker *b,
		       struct steps *s)
{
	unsigned int i, n = modem_get_steps(b->modem, s->step);

	for (i = 0; i < n; i++) {
		fill_step(&s->row[i], &s->step[i], s->text[i]);
		s->list[i] = &s->row[i];
	}
	out->n_step = n;
	out->step = s->list;
}

void report_status(struct client *c, uint64_t id)
{
	Modemd__V1__StatusReply out = MODEMD__V1__STATUS_REPLY__INIT;
	Modemd__V1__ModemInfo modem = MODEMD__V1__MODEM_INFO__INIT;
	Modemd__V1__NetworkInfo network = MODEMD__V1__NETWORK_INFO__INIT;
	Modemd__V1__LineInfo line = MODEMD__V1__LINE_INFO__INIT;
	Modemd__V1__HistoryInfo history = MODEMD__V1__HISTORY_INFO__INIT;
	Modemd__V1__LeaseInfo lease = MODEMD__V1__LEASE_INFO__INIT;
	char reason[TEXT_MAX], network_reason[TEXT_MAX];
	struct broker *b = c->broker;
	struct modem_status st;
	struct steps steps;

	modem_get_status(b->modem, &st);
	fill_steps(&out, b, &steps);
	fill_daemon(&out, b, &st);
	fill_modem(&modem, &st);
	fill_network(&network, &st);
	fill_line(&line, b->args.cfg, &st);
	fill_history(&history, b);
	modem.reason = msg_opt(log_escape_utf8(reason, sizeof(reason), st.reason,
					   strlen(st.reason)));
	network.reason = msg_opt(log_escape_utf8(network_reason,
					     sizeof(network_reason),
					     st.network_reason,
					     strlen(st.network_reason)));
	out.modem = &modem;
	out.network = &network;
	out.line = &line;
	out.history = &history;
	if (lease_fill(b, &lease))
		out.lease = &lease;
	report_reply(c, id, MODEMD__V1__REPLY__RESULT_STATUS_REPLY, &out);
	modem_refresh(b->modem);
}

/* --------------------------------------------------------- links, clients */

void report_counts(Modemd__V1__Counts *out, const struct link_counts *in)
{
	MSG_SET(out, accepted, in->accepted);
	MSG_SET(out, taken, in->taken);
	MSG_SET(out, confirmed, in->confirmed);
	MSG_SET(out, received, in->received);
	MSG_SET(out, lost, in->lost);
}

/* @out->counts, when it is set, is filled too. */
void report_link(struct broker *b, const struct link_info *info,
		 Modemd__V1__LinkInfo *out)
{
	struct owned *o = broker_find(b, info->id);

	MSG_SET(out, link, info->id);
	MSG_SET(out, slot, info->slot);
	MSG_SET(out, epoch, info->epoch);
	out->state = msg_str(info->draining ? "draining" :
			     link_state_name(info->state));
	MSG_SET(out, type, info->tls ? MODEMD__V1__LINK_TYPE__TLS :
		info->kind == LINK_UDP ? MODEMD__V1__LINK_TYPE__UDP :
		MODEMD__V1__LINK_TYPE__TCP);
	if (o) {
		out->remote = o->remote;
		out->client = o->name;
		MSG_SET(out, pid, o->creds.pid);
		MSG_SET(out, uid, o->creds.uid);
	}
	if (out->counts)
		report_counts(out->counts, &info->counts);
	MSG_SET(out, queued_up, (uint32_t)info->queued_up);
	MSG_SET(out, credit, info->credit);
	MSG_SET(out, opened_wall_ms, info->opened_wall_ms);
	MSG_SET(out, opened_mono_ms, info->opened_mono_ms);
	MSG_SET(out, restore, info->restore);
	MSG_SET(out, idle_ms, (uint64_t)(timers_mono_ms(b->args.timers) -
				     info->active_mono_ms));
	MSG_SET(out, readable, info->readable);
	if (info->listener)
		MSG_SET(out, listener, info->listener);
	MSG_SET(out, local_port, info->local_port);
	if (info->kind == LINK_LEASE)
		MSG_SET(out, lease, true);
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
	report_reply(c, id, MODEMD__V1__REPLY__RESULT_LINKS, &out);
	free(page);
}

static void fill_client(Modemd__V1__ClientInfo *out, const struct client *c)
{
	modemd__v1__client_info__init(out);
	MSG_SET(out, client, c->id);
	out->name = msg_str(c->name);
	MSG_SET(out, pid, c->creds.pid);
	MSG_SET(out, uid, c->creds.uid);
	MSG_SET(out, gid, c->creds.gid);
	out->comm = msg_str(c->creds.comm);
	out->unit = msg_opt(c->creds.unit);
	MSG_SET(out, admin, c->admin);
	MSG_SET(out, links, c->links);
	MSG_SET(out, sent, c->sent);
	MSG_SET(out, received, c->received);
	MSG_SET(out, connected_wall_ms, c->connected_wall_ms);
	MSG_SET(out, connected_mono_ms, c->connected_mono_ms);
	MSG_SET(out, queued, (uint32_t)client_queued(c->conn));
	MSG_SET(out, events_lost, c->events_lost);
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
	report_reply(c, id, MODEMD__V1__REPLY__RESULT_CLIENTS, &out);
out:
	free(list);
	free(infos);
}
