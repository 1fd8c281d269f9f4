/* SPDX-License-Identifier: MIT */

#include "history.h"

#include <stdio.h>
#include <string.h>

#include "format.h"
#include "table.h"

#define HISTORY_TIMEOUT_MS 60000	/* a slow card and many rows */

static const struct table_column session_columns[] = {
	{ "OPENED (UTC)", TABLE_RIGHT }, { "LASTED", TABLE_RIGHT },
	{ "REMOTE", TABLE_CUT }, { "CLIENT", TABLE_CUT },
	{ "SENT", TABLE_RIGHT }, { "RECEIVED", TABLE_RIGHT },
	{ "REASON", TABLE_CUT }, { NULL, TABLE_LEFT },
};

static const struct table_column event_columns[] = {
	{ "TIME (UTC)", TABLE_RIGHT }, { "KIND", TABLE_LEFT },
	{ "WHAT", TABLE_CUT }, { NULL, TABLE_LEFT },
};

static json_t *session_json(const struct modemclient_session *s)
{
	json_t *o = json_pack("{sI sI sI so so so si sI so so so so so si so "
			      "sI sI sI sI sI so so sb}",
			      "id", (json_int_t)s->id,
			      "link", (json_int_t)s->link,
			      "epoch", (json_int_t)s->epoch,
			      "instance", format_json_text(s->instance),
			      "boot_id", format_json_text(s->boot_id),
			      "client", format_json_text(s->client),
			      "pid", (int)s->pid, "uid", (json_int_t)s->uid,
			      "comm", format_json_text(s->comm),
			      "unit", format_json_text(s->unit),
			      "exe", format_json_text(s->exe),
			      "type", format_json_text(s->type),
			      "remote", format_json_text(s->remote),
			      "slot", s->slot,
			      "rule", format_json_text(s->rule),
			      "accepted", (json_int_t)s->counts.accepted,
			      "sent", (json_int_t)s->counts.taken,
			      "confirmed", (json_int_t)s->counts.confirmed,
			      "received", (json_int_t)s->counts.received,
			      "lost", (json_int_t)s->counts.lost,
			      "reason", format_json_text(s->reason),
			      "modem_text", format_json_text(s->modem_text),
			      "clock_confirmed", s->clock_confirmed);

	json_object_set_new(o, "opened", format_json_time(s->opened_wall_ms));
	json_object_set_new(o, "closed", s->closed ?
			    format_json_time(s->closed_wall_ms) : json_null());
	json_object_set_new(o, "opened_mono_ms",
			    json_integer(s->opened_mono_ms));
	json_object_set_new(o, "closed_mono_ms", s->closed ?
			    json_integer(s->closed_mono_ms) : json_null());

	return o;
}

/* Bytes that were lost on the line are rare, and have no column. */
static void print_reason(struct table *t, const struct modemclient_session *s)
{
	const char *reason = s->closed ? s->reason : "(open)";
	char text[200], bytes[FORMAT_MAX];

	if (s->counts.lost == 0) {
		table_cell(t, reason);
		return;
	}
	snprintf(text, sizeof(text), "%s (%s bytes lost)", reason,
		 format_bytes(bytes, s->counts.lost));
	table_cell(t, text);
}

static bool print_session(void *ctx, const struct modemclient_session *s)
{
	struct table *t = ctx;
	char text[FORMAT_MAX];

	if (table_is_json(t)) {
		table_json(t, session_json(s));
		return true;
	}
	table_row(t);
	table_cell(t, format_time(text, s->opened_wall_ms, s->clock_confirmed));
	/* The monotonic clock does not jump when the other one is set. */
	table_cell(t, s->closed && s->closed_mono_ms >= s->opened_mono_ms ?
		   format_duration(text, s->closed_mono_ms -
				   s->opened_mono_ms) : "-");
	table_cell(t, s->remote);
	table_cell(t, s->client);
	table_cell(t, format_bytes(text, s->counts.taken));
	table_cell(t, format_bytes(text, s->counts.received));
	print_reason(t, s);

	return true;
}

static bool print_event(void *ctx, const struct modemclient_history_event *e)
{
	struct table *t = ctx;
	char text[FORMAT_MAX];

	if (table_is_json(t)) {
		table_json(t, json_pack("{sI so so so sI so so sb}",
			"id", (json_int_t)e->id,
			"instance", format_json_text(e->instance),
			"boot_id", format_json_text(e->boot_id),
			"time", format_json_time(e->wall_ms),
			"mono_ms", (json_int_t)e->mono_ms,
			"kind", format_json_text(e->kind),
			"text", format_json_text(e->text),
			"clock_confirmed", e->clock_confirmed));
		return true;
	}
	table_row(t);
	table_cell(t, format_time(text, e->wall_ms, e->clock_confirmed));
	table_cell(t, e->kind);
	table_cell(t, e->text);

	return true;
}

enum { OPT_SINCE = 1, OPT_UNTIL, OPT_CLIENT, OPT_REMOTE, OPT_REASON, OPT_LIMIT,
       OPT_DB };

static bool take_time(const char *text, int64_t *wall_ms)
{
	if (!format_parse_time(text, format_now_ms(), wall_ms))
		return false;
	/* 0 would mean "no bound". */
	if (*wall_ms == 0)
		*wall_ms = 1;

	return true;
}

/* 0, or the exit code of a usage error. */
static int take_option(struct history_ask *ask, int option)
{
	long number;

	switch (option) {
	case OPT_SINCE:
	case OPT_UNTIL:
		if (take_time(optarg, option == OPT_SINCE ?
			      &ask->query.since_wall_ms :
			      &ask->query.until_wall_ms))
			return 0;
		return ctl_usage(ask->ctl, "\"%s\" is no time: write 2h, 3d, "
				 "today, 2026-11-20, 2026-11-20T10:00 or "
				 "@SECONDS", optarg);
	case OPT_CLIENT:
		ask->query.client = optarg;
		return 0;
	case OPT_REMOTE:
		ask->query.remote = optarg;
		return 0;
	case OPT_REASON:
		ask->query.reason = optarg;
		return 0;
	case OPT_LIMIT:
		if (!ctl_number(optarg, 1, 1000000000, &number))
			return ctl_usage(ask->ctl, "--limit takes a number of "
					 "rows, 1 or more");
		ask->query.limit = (uint64_t)number;
		return 0;
	default:
		ask->db = optarg;
		return 0;
	}
}

/* False: leave with ctl->exit. */
static bool take_options(struct history_ask *ask, int argc, char **argv)
{
	static const struct option options[] = {
		{ "since", required_argument, NULL, OPT_SINCE },
		{ "until", required_argument, NULL, OPT_UNTIL },
		{ "client", required_argument, NULL, OPT_CLIENT },
		{ "remote", required_argument, NULL, OPT_REMOTE },
		{ "reason", required_argument, NULL, OPT_REASON },
		{ "limit", required_argument, NULL, OPT_LIMIT },
		{ "db", required_argument, NULL, OPT_DB },
		CTL_COMMON_OPTIONS
	};
	int c;

	while ((c = ctl_getopt(ask->ctl, argc, argv, "", options)) != -1) {
		if (c == CTL_STOP)
			return false;
		ask->ctl->exit = take_option(ask, c);
		if (ask->ctl->exit != CTL_DONE)
			return false;
	}

	return true;
}

/* The arguments behind the options: 0, or the exit code of a usage error. */
static int take_kind(struct history_ask *ask, int argc, char **argv)
{
	if (argc - optind > 1)
		return ctl_usage(ask->ctl, "%s is too much", argv[optind + 1]);
	if (optind < argc && strcmp(argv[optind], "events") == 0)
		ask->events = true;
	else if (optind < argc && strcmp(argv[optind], "sessions") != 0)
		return ctl_usage(ask->ctl, "\"%s\" is neither sessions nor "
				 "events", argv[optind]);
	if (ask->query.since_wall_ms && ask->query.until_wall_ms &&
	    ask->query.since_wall_ms > ask->query.until_wall_ms)
		return ctl_usage(ask->ctl, "--since is after --until");

	return CTL_DONE;
}

static int ask_daemon(const struct history_ask *ask)
{
	struct modemclient *mc = ask->ctl->mc;
	int err;

	if (ask->events)
		err = modemclient_events(mc, &ask->query, HISTORY_TIMEOUT_MS,
					 ask->event, ask->table);
	else
		err = modemclient_sessions(mc, &ask->query, HISTORY_TIMEOUT_MS,
					   ask->session, ask->table);

	return err < 0 ? ctl_fail_client(ask->ctl) : CTL_DONE;
}

int history_run(struct ctl *ctl, int argc, char **argv)
{
	struct history_ask ask = {
		.ctl = ctl,
		.query = MODEMCLIENT_HISTORY_QUERY_INIT,
		.session = print_session,
		.event = print_event,
	};
	struct table *t;
	int code;

	if (!take_options(&ask, argc, argv))
		return ctl->exit;
	code = take_kind(&ask, argc, argv);
	if (code == CTL_DONE && !ask.db)
		code = ctl_connect(ctl, NULL, NULL);
	if (code != CTL_DONE)
		return code;
	t = table_new(ask.events ? event_columns : session_columns, ctl->json);
	if (!t)
		return ctl_fail(ctl, "out of memory");
	ask.table = t;
	code = ask.db ? history_db_read(&ask) : ask_daemon(&ask);
	table_finish(t, code == CTL_DONE ? "Nothing is recorded." : NULL);

	return code;
}
