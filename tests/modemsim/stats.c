/* SPDX-License-Identifier: MIT */

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "modem.h"

void closed_init(struct closed_list *c)
{
	*c = (struct closed_list){
		.rows = calloc(CLOSED_MAX, sizeof(*c->rows)),
	};
}

void closed_free(struct closed_list *c)
{
	free(c->rows);
	c->rows = NULL;
}

void closed_add(struct closed_list *c, const struct link *l, const char *cause)
{
	struct closed_row *row;

	c->sent += l->tcp.sent;
	c->received += l->tcp.received;
	c->datagrams_in += l->datagrams_in;
	c->datagrams_out += l->datagrams_out;
	c->datagrams_lost += l->datagrams_lost;
	c->datagrams_long += l->datagrams_long;
	if (c->rows == NULL)
		return;
	row = &c->rows[c->count++ % CLOSED_MAX];
	snprintf(row->host, sizeof(row->host), "%.63s", l->host);
	row->port = l->port;
	row->link = l->id;
	row->type = l->type;
	row->server = l->server;
	row->sent = l->tcp.sent;
	row->received = l->tcp.received;
	snprintf(row->cause, sizeof(row->cause), "%s", cause);
}

json_t *stats_remote(const char *host, unsigned int port)
{
	return json_sprintf("%s:%u", host, port);
}

void stats_add_kind(json_t *to, int type, int server)
{
	static const char *const names[] = {
		[LINK_TCP] = "TCP", [LINK_UDP] = "UDP", [LINK_TLS] = "TLS",
	};
	const char *direction = server == LINK_NO_SERVER ? "out" : "in";

	json_object_set_new(to, "type", json_string(names[type]));
	json_object_set_new(to, "direction", json_string(direction));
	json_object_set_new(to, "server", json_integer(server));
}

static json_t *listeners(const struct modem *m)
{
	json_t *list = json_array();
	const struct server *s;

	for (s = m->servers; s < m->servers + SERVERS; s++) {
		if (s->fd >= 0)
			json_array_append_new(list, json_pack(
				"{s:i, s:i, s:i, s:I, s:I}", "server",
				(int)s->index, "port", (int)s->port,
				"host_port", (int)s->host_port, "accepted",
				(json_int_t)s->accepted, "refused",
				(json_int_t)s->refused));
	}
	return list;
}

static json_t *datagrams(const struct modem *m)
{
	uint64_t in = m->closed.datagrams_in, out = m->closed.datagrams_out;
	uint64_t lost = m->closed.datagrams_lost;
	uint64_t too_long = m->closed.datagrams_long;
	const struct link *l;

	for (l = m->links; l < m->links + LINKS; l++) {
		if (l->state == LINK_FREE)
			continue;
		in += l->datagrams_in;
		out += l->datagrams_out;
		lost += l->datagrams_lost;
		too_long += l->datagrams_long;
	}
	return json_pack("{s:I, s:I, s:I, s:I}", "in", (json_int_t)in, "out",
			 (json_int_t)out, "lost", (json_int_t)lost,
			 "too_long", (json_int_t)too_long);
}

static json_t *closed(const struct closed_list *c)
{
	json_t *list = json_array();
	uint64_t i = c->count > CLOSED_MAX ? c->count - CLOSED_MAX : 0;

	for (; i < c->count; i++) {
		const struct closed_row *r = &c->rows[i % CLOSED_MAX];
		json_t *row = json_pack("{s:i, s:I, s:I, s:s}",
			"link", (int)r->link, "sent", (json_int_t)r->sent,
			"received", (json_int_t)r->received,
			"cause", r->cause);

		json_object_set_new(row, "remote", stats_remote(r->host, r->port));
		stats_add_kind(row, r->type, r->server);
		json_array_append_new(list, row);
	}
	return list;
}

static json_t *violations(const struct record *r)
{
	json_t *v = json_object();
	size_t i;

	for (i = 0; i < VIOLATIONS; i++)
		json_object_set_new(v, record_violation_name(i),
			json_integer((json_int_t)r->violations[i]));
	json_object_set_new(v, "total",
			    json_integer((json_int_t)record_violations(r)));
	return v;
}

static json_t *notes(const struct record *r)
{
	json_t *v = json_object();
	size_t i;

	for (i = 0; i < NOTES; i++)
		json_object_set_new(v, record_note_name(i),
			json_integer((json_int_t)r->notes[i]));
	return v;
}

static json_t *line(const struct modem *m)
{
	const struct line *l = &m->line;

	return json_pack("{s:s, s:i, s:i, s:I, s:I, s:I, s:b, s:b}",
		"pty", l->plugged ? l->pty.name : "", "baud",
		(int)line_baud(l), "modem_baud", (int)l->modem_baud,
		"bytes_in", (json_int_t)l->in_pos,
		"bytes_out", (json_int_t)l->wire_out,
		"garbled", (json_int_t)l->garbled,
		"plugged", l->plugged, "host", l->watch.present);
}

static json_t *network(const struct modem *m)
{
	static const char *const states[] = {
		[NET_STATE_CLOSED] = "closed", [NET_STATE_OPENING] = "opening",
		[NET_STATE_OPEN] = "open", [NET_STATE_CLOSING] = "closing",
	};

	return json_pack("{s:s, s:b, s:i, s:b}", "state",
		states[m->net.state], "dead", m->net.dead, "registration",
		(int)m->radio.stat, "away", m->radio.away);
}

char *stats_json(const struct modem *m)
{
	json_t *all = json_pack(
		"{s:I, s:I, s:i, s:b, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o,"
		" s:o, s:o, s:I, s:I, s:I}",
		"commands", (json_int_t)m->record.commands,
		"escapes", (json_int_t)m->record.escapes,
		"boots", (int)m->boots, "booting", m->booting,
		"hung", m->hung, "echo", m->cmd.echo,
		"violations", violations(&m->record),
		"notes", notes(&m->record), "line", line(m),
		"network", network(m), "slots", stats_slots(m),
		"closed", closed(&m->closed),
		"listeners", listeners(m), "datagrams", datagrams(m),
		"closed_count", (json_int_t)m->closed.count,
		"closed_sent", (json_int_t)m->closed.sent,
		"closed_received", (json_int_t)m->closed.received);
	char *text = json_dumps(all, JSON_COMPACT);

	json_decref(all);
	return text;
}
