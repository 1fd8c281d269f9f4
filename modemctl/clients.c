/* SPDX-License-Identifier: MIT */

#include "format.h"
#include "modemctl.h"
#include "table.h"

static const struct table_column columns[] = {
	{ "NAME", TABLE_CUT }, { "PID", TABLE_RIGHT }, { "UID", TABLE_RIGHT },
	{ "PROGRAM", TABLE_CUT }, { "UNIT", TABLE_CUT },
	{ "LINKS", TABLE_RIGHT }, { "SENT", TABLE_RIGHT },
	{ "RECEIVED", TABLE_RIGHT }, { "CONNECTED", TABLE_RIGHT },
	{ NULL, TABLE_LEFT },
};

static json_t *client_json(const struct modemclient_client_info *i)
{
	return json_pack("{sI so si sI sI so so sb sI sI sI so sI sI}",
			 "id", (json_int_t)i->client,
			 "client", format_json_text(i->name),
			 "pid", (int)i->pid, "uid", (json_int_t)i->uid,
			 "gid", (json_int_t)i->gid,
			 "comm", format_json_text(i->comm),
			 "unit", format_json_text(i->unit),
			 "admin", i->admin, "links", (json_int_t)i->links,
			 "sent", (json_int_t)i->sent,
			 "received", (json_int_t)i->received,
			 "connected", format_json_time(i->connected_wall_ms),
			 "queued", (json_int_t)i->queued,
			 "events_lost", (json_int_t)i->events_lost);
}

static bool print_client(void *ctx, const struct modemclient_client_info *i)
{
	struct table *t = ctx;
	char text[FORMAT_MAX];

	if (table_is_json(t)) {
		table_json(t, client_json(i));
		return true;
	}
	table_row(t);
	table_cell(t, i->name);
	table_number(t, i->pid);
	table_number(t, i->uid);
	table_cell(t, i->comm);
	table_cell(t, *i->unit ? i->unit : "-");
	table_number(t, i->links);
	table_cell(t, format_bytes(text, i->sent));
	table_cell(t, format_bytes(text, i->received));
	table_cell(t, i->connected_wall_ms ?
		   format_duration(text, format_now_ms() -
				   i->connected_wall_ms) : "-");

	return true;
}

int clients_run(struct ctl *ctl, int argc, char **argv)
{
	struct table *t;
	int code = CTL_DONE;

	if (!ctl_begin(ctl, argc, argv, NULL, NULL))
		return ctl->exit;
	t = table_new(columns, ctl->json);
	if (!t)
		return ctl_fail(ctl, "out of memory");
	if (modemclient_clients(ctl->mc, CTL_TIMEOUT_MS, print_client, t) < 0)
		code = ctl_fail_client(ctl);
	table_finish(t, code == CTL_DONE ? "No program is connected." : NULL);

	return code;
}
