/* SPDX-License-Identifier: MIT */

#include <stdio.h>
#include <string.h>

#include "format.h"
#include "modemctl.h"
#include "table.h"

struct trace {
	struct ctl *ctl;
	bool follow;
	bool payload;
	bool catching_up;		/* reading the ring: events wait */
	uint64_t last_seq;		/* printed */
	uint64_t newest_seq;		/* heard of */
	struct table *table;		/* JSON without --follow, else NULL */
};

static json_t *row_json(const struct modemclient_trace_row *r)
{
	return json_pack("{sI so sI so sI so}", "seq", (json_int_t)r->seq,
			 "time", format_json_time(r->wall_ms),
			 "mono_us", (json_int_t)r->mono_us,
			 "kind", format_json_text(r->kind),
			 "length", (json_int_t)r->length,
			 "text", format_json_text(r->text));
}

/* Which way it went, at a glance. */
static const char *arrow(const char *kind)
{
	static const char *const arrows[][2] = {
		{ "command", "->" }, { "payload-out", "=>" }, { "line", "<-" },
		{ "payload-in", "<=" }, { "prompt", "<-" }, { "note", "  " },
	};
	size_t i;

	for (i = 0; i < sizeof(arrows) / sizeof(arrows[0]); i++) {
		if (strcmp(arrows[i][0], kind) == 0)
			return arrows[i][1];
	}

	return "??";
}

static bool print_row(void *ctx, const struct modemclient_trace_row *r)
{
	struct trace *t = ctx;
	char text[FORMAT_MAX];
	json_t *o;

	t->last_seq = r->seq;
	if (t->table) {
		table_json(t->table, row_json(r));
		return true;
	}
	if (t->ctl->json) {
		o = row_json(r);
		json_dumpf(o, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(o);
	} else {
		printf("%s %s %s\n", format_clock(text, r->wall_ms),
		       arrow(r->kind), r->text);
	}
	if (t->follow)
		fflush(stdout);

	return !ferror(stdout);
}

static void on_event(void *ctx, const struct modemclient_event *ev)
{
	struct trace *t = ctx;

	if (ev->type == MODEMCLIENT_EVENT_EVENTS_LOST)
		fprintf(stderr, "modemctl trace: %llu events came too fast\n",
			(unsigned long long)ev->count);
	if (ev->type != MODEMCLIENT_EVENT_TRACE)
		return;
	t->newest_seq = ev->trace->seq;
	if (!t->catching_up && ev->trace->seq > t->last_seq)
		print_row(t, ev->trace);
}

/* The ring, and what came in while it was read: each row once, in order. */
static int catch_up(struct trace *t)
{
	int err;

	do {
		err = modemclient_trace(t->ctl->mc, t->last_seq, t->payload,
					CTL_TIMEOUT_MS, print_row, t);
	} while (err == 0 && t->newest_seq > t->last_seq && !ferror(stdout));
	t->catching_up = false;

	return err;
}

static int follow(struct trace *t)
{
	unsigned int what = MODEMCLIENT_TRACE |
		(t->payload ? MODEMCLIENT_TRACE_PAYLOAD : 0);

	/* The ring first, also when an event comes with the answer. */
	t->catching_up = true;
	if (modemclient_subscribe(t->ctl->mc, what, CTL_TIMEOUT_MS) < 0 ||
	    catch_up(t) < 0)
		return ctl_fail_client(t->ctl);

	return ctl_follow(t->ctl);
}

int trace_run(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "follow", no_argument, NULL, 'f' },
		{ "payload", no_argument, NULL, 'p' },
		CTL_COMMON_OPTIONS
	};
	static const struct table_column none[] = { { NULL, TABLE_LEFT } };
	struct trace t = { .ctl = ctl };
	int c, code;

	while ((c = ctl_getopt(ctl, argc, argv, "f", options)) != -1) {
		if (c == CTL_STOP)
			return ctl->exit;
		if (c == 'f')
			t.follow = true;
		else
			t.payload = true;
	}
	if (optind < argc)
		return ctl_usage(ctl, "%s is too much", argv[optind]);
	code = ctl_connect(ctl, on_event, &t);
	if (code != CTL_DONE)
		return code;
	if (t.follow)
		return follow(&t);
	if (ctl->json)
		t.table = table_new(none, true);
	if (modemclient_trace(ctl->mc, 0, t.payload, CTL_TIMEOUT_MS, print_row,
			      &t) < 0)
		code = ctl_fail_client(ctl);
	table_finish(t.table, code == CTL_DONE ? "" : NULL);

	return code;
}
