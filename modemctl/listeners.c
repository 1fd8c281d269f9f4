/* SPDX-License-Identifier: MIT */

#include <stdio.h>

#include "format.h"
#include "modemctl.h"
#include "table.h"

static const struct table_column columns[] = {
	{ "LISTENER", TABLE_RIGHT }, { "SERVER", TABLE_RIGHT },
	{ "TYPE", TABLE_LEFT }, { "PORT", TABLE_RIGHT }, { "STATE", TABLE_LEFT },
	{ "CLIENT", TABLE_CUT }, { "PID", TABLE_RIGHT },
	{ "AGE", TABLE_RIGHT }, { "LINKS", TABLE_RIGHT },
	{ "ACCEPTED", TABLE_RIGHT }, { "REFUSED", TABLE_RIGHT },
	{ NULL, TABLE_LEFT },
};

/* "tcp", "tcp6", "tls", "tls6" */
static const char *type_of(const struct modemclient_listener_info *i)
{
	bool ipv6 = i->family == MODEMCLIENT_IPV6;

	return i->tls ? ipv6 ? "tls6" : "tls" : ipv6 ? "tcp6" : "tcp";
}

static json_t *listener_json(const struct modemclient_listener_info *i)
{
	json_t *allow = json_array();
	size_t n;

	for (n = 0; i->allow[n]; n++)
		json_array_append_new(allow, format_json_text(i->allow[n]));

	return json_pack("{sI si so ss si so si sI sI sI sI sI sI so so}",
			 "listener", (json_int_t)i->listener,
			 "server", i->index,
			 "state", format_json_text(i->state),
			 "type", type_of(i),
			 "port", (int)i->port,
			 "client", format_json_text(i->client),
			 "pid", (int)i->pid, "uid", (json_int_t)i->uid,
			 "backlog", (json_int_t)i->backlog,
			 "max_links", (json_int_t)i->max_links,
			 "links", (json_int_t)i->links,
			 "accepted", (json_int_t)i->accepted,
			 "refused", (json_int_t)i->refused,
			 "allow", allow,
			 "opened", format_json_time(i->opened_wall_ms));
}

static bool print_listener(void *ctx,
			   const struct modemclient_listener_info *i)
{
	struct table *t = ctx;
	char text[FORMAT_MAX];

	if (table_is_json(t)) {
		table_json(t, listener_json(i));
		return true;
	}
	table_row(t);
	table_number(t, (long long)i->listener);
	if (i->index < 0)
		table_cell(t, "-");
	else
		table_number(t, i->index);
	table_cell(t, type_of(i));
	table_number(t, i->port);
	table_cell(t, i->state);
	table_cell(t, i->client);
	table_number(t, i->pid);
	table_cell(t, i->opened_wall_ms ?
		   format_duration(text, format_now_ms() - i->opened_wall_ms) :
		   "-");
	if (i->max_links) {
		snprintf(text, sizeof(text), "%u/%u", i->links, i->max_links);
		table_cell(t, text);
	} else {
		table_number(t, i->links);
	}
	table_number(t, (long long)i->accepted);
	table_number(t, (long long)i->refused);

	return true;
}

int listeners_run(struct ctl *ctl, int argc, char **argv)
{
	struct table *t;
	int code = CTL_DONE;

	if (!ctl_begin(ctl, argc, argv, NULL, NULL))
		return ctl->exit;
	t = table_new(columns, ctl->json);
	if (!t)
		return ctl_fail(ctl, "out of memory");
	if (modemclient_listeners(ctl->mc, CTL_TIMEOUT_MS, print_listener,
				  t) < 0)
		code = ctl_fail_client(ctl);
	table_finish(t, code == CTL_DONE ? "No program listens." : NULL);

	return code;
}
