/* SPDX-License-Identifier: MIT */

#include <stdio.h>

#include "format.h"
#include "link_json.h"
#include "modemctl.h"
#include "table.h"

static const struct table_column columns[] = {
	{ "LINK", TABLE_RIGHT }, { "SLOT", TABLE_RIGHT },
	{ "STATE", TABLE_LEFT }, { "REMOTE", TABLE_CUT },
	{ "CLIENT", TABLE_CUT }, { "PID", TABLE_RIGHT },
	{ "AGE", TABLE_RIGHT }, { "SENT", TABLE_RIGHT },
	{ "UNSENT", TABLE_RIGHT }, { "CONFIRMED", TABLE_RIGHT },
	{ "RECEIVED", TABLE_RIGHT }, { NULL, TABLE_LEFT },
};

json_t *link_json(const struct modemclient_link_info *i)
{
	return json_pack("{sI si sI so so so so si sI sI sI sI sI sI sI so sb "
			 "sI sb sI sI sI}",
			 "link", (json_int_t)i->link, "slot", i->slot,
			 "epoch", (json_int_t)i->epoch,
			 "state", format_json_text(i->state),
			 "type", format_json_text(i->type),
			 "remote", format_json_text(i->remote),
			 "client", format_json_text(i->client),
			 "pid", (int)i->pid, "uid", (json_int_t)i->uid,
			 "accepted", (json_int_t)i->counts.accepted,
			 "sent", (json_int_t)i->counts.taken,
			 "confirmed", (json_int_t)i->counts.confirmed,
			 "received", (json_int_t)i->counts.received,
			 "queued_up", (json_int_t)i->queued_up,
			 "credit", (json_int_t)i->credit,
			 "opened", format_json_time(i->opened_wall_ms),
			 "restore", i->restore,
			 "idle_ms", (json_int_t)i->idle_ms,
			 "readable", i->readable,
			 "lost", (json_int_t)i->counts.lost,
			 "listener", (json_int_t)i->listener,
			 "local_port", (json_int_t)i->local_port);
}

static bool print_link(void *ctx, const struct modemclient_link_info *i)
{
	struct table *t = ctx;
	char text[FORMAT_MAX];

	if (table_is_json(t)) {
		table_json(t, link_json(i));
		return true;
	}
	table_row(t);
	table_number(t, (long long)i->link);
	if (i->slot < 0)
		table_cell(t, "-");
	else
		table_number(t, i->slot);
	table_cell(t, i->state);
	table_cell(t, i->remote);
	table_cell(t, i->client);
	table_number(t, i->pid);
	table_cell(t, i->opened_wall_ms ?
		   format_duration(text, format_now_ms() - i->opened_wall_ms) :
		   "-");
	table_cell(t, format_bytes(text, i->counts.taken));
	table_cell(t, format_bytes(text, i->queued_up));
	table_cell(t, i->counts.confirmed < 0 ? "-" :
		   format_bytes(text, (uint64_t)i->counts.confirmed));
	table_cell(t, format_bytes(text, i->counts.received));

	return true;
}

int links_run(struct ctl *ctl, int argc, char **argv)
{
	struct table *t;
	int code = CTL_DONE;

	if (!ctl_begin(ctl, argc, argv, NULL, NULL))
		return ctl->exit;
	t = table_new(columns, ctl->json);
	if (!t)
		return ctl_fail(ctl, "out of memory");
	if (modemclient_links(ctl->mc, CTL_TIMEOUT_MS, print_link, t) < 0)
		code = ctl_fail_client(ctl);
	table_finish(t, code == CTL_DONE ? "No link is open." : NULL);

	return code;
}
