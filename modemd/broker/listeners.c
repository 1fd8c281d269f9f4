/* SPDX-License-Identifier: MIT */

/* The answer that lists the listeners of all clients. */

#include <errno.h>
#include <stdlib.h>

#include "base/prefix.h"
#include "broker/private.h"

#define LISTENERS_MAX	64	/* also waiting ones */

struct row {
	Modemd__V1__ListenerInfo info;
	char allow[LISTENER_ALLOW_MAX][PREFIX_TEXT_MAX];
	char *list[LISTENER_ALLOW_MAX];
};

static void fill_allow(struct row *row, const struct listener_policy *p)
{
	unsigned int i;

	for (i = 0; i < p->allow_count; i++) {
		prefix_print(&p->allow[i], row->allow[i],
			     sizeof(row->allow[i]));
		row->list[i] = row->allow[i];
	}
	row->info.n_allow = p->allow_count;
	row->info.allow = row->list;
}

static void fill(struct broker *b, struct row *row,
		 const struct listener_info *from)
{
	Modemd__V1__ListenerInfo *out = &row->info;
	struct owned_listener *o;

	modemd__v1__listener_info__init(out);
	MSG_SET(out, listener, from->id);
	MSG_SET(out, index, from->index);
	out->state = msg_str(listener_state_name(from->state));
	MSG_SET(out, port, from->port);
	TAILQ_FOREACH(o, &b->owned_listeners, entry) {
		if (o->listener != from->id)
			continue;
		out->client = o->name;
		MSG_SET(out, pid, o->creds.pid);
		MSG_SET(out, uid, o->creds.uid);
	}
	MSG_SET(out, backlog, from->backlog);
	MSG_SET(out, max_links, from->policy->max_links);
	MSG_SET(out, links, from->links);
	MSG_SET(out, accepted, from->accepted);
	MSG_SET(out, refused, from->refused);
	MSG_SET(out, opened_wall_ms, from->opened_wall_ms);
	MSG_SET(out, opened_mono_ms, from->opened_mono_ms);
	MSG_SET(out, family, from->family == DRIVER_IPV6 ?
		MODEMD__V1__FAMILY__IPV6 : MODEMD__V1__FAMILY__IPV4);
	MSG_SET(out, tls, from->tls);
	fill_allow(row, from->policy);
}

void listen_report(struct client *c, uint64_t id)
{
	Modemd__V1__ListenersReply out = MODEMD__V1__LISTENERS_REPLY__INIT;
	Modemd__V1__ListenerInfo *list[LISTENERS_MAX];
	struct listener_info info;
	uint64_t after = 0;
	struct row *rows;
	size_t n;

	rows = calloc(LISTENERS_MAX, sizeof(*rows));
	if (!rows) {
		request_reply(c, id, -ENOMEM, NULL);
		return;
	}
	for (n = 0; n < LISTENERS_MAX &&
	     modem_listener_next(c->broker->modem, after, &info) == 0; n++) {
		fill(c->broker, &rows[n], &info);
		list[n] = &rows[n].info;
		after = info.id;
	}
	out.n_listener = n;
	out.listener = list;
	report_reply(c, id, MODEMD__V1__REPLY__RESULT_LISTENERS, &out);
	free(rows);
}
