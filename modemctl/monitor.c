/* SPDX-License-Identifier: MIT */

#include <stdio.h>

#include "format.h"
#include "link_json.h"
#include "modemctl.h"

static const char *event_name(enum modemclient_event_type type)
{
	switch (type) {
	case MODEMCLIENT_EVENT_NETWORK:
		return "network";
	case MODEMCLIENT_EVENT_MODEM:
		return "modem";
	case MODEMCLIENT_EVENT_LINK_NEWS:
		return "link";
	case MODEMCLIENT_EVENT_LEASE:
		return "lease";
	case MODEMCLIENT_EVENT_STOPPING:
		return "stopping";
	case MODEMCLIENT_EVENT_EVENTS_LOST:
		return "events_lost";
	default:	/* of links and requests of our own: there are none */
		return NULL;
	}
}

static void print_json(const struct modemclient_event *ev, const char *name)
{
	json_t *o = ev->info ? link_json(ev->info) : json_object();

	json_object_set_new(o, "time", format_json_time(ev->wall_ms));
	json_object_set_new(o, "event", json_string(name));
	if (*ev->state)
		json_object_set_new(o, "state", format_json_text(ev->state));
	if (*ev->reason)
		json_object_set_new(o, "reason", format_json_text(ev->reason));
	if (*ev->address)
		json_object_set_new(o, "address",
				    format_json_text(ev->address));
	if (ev->type == MODEMCLIENT_EVENT_LEASE)
		json_object_set_new(o, "link",
				    json_integer((json_int_t)ev->count));
	if (ev->type == MODEMCLIENT_EVENT_STOPPING)
		json_object_set_new(o, "deadline_ms",
				    json_integer(ev->deadline_ms));
	if (ev->type == MODEMCLIENT_EVENT_EVENTS_LOST)
		json_object_set_new(o, "count",
				    json_integer((json_int_t)ev->count));
	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(o);
}

static void print_line(const struct modemclient_event *ev, const char *name)
{
	const struct modemclient_link_info *i = ev->info;
	char text[FORMAT_MAX], sent[FORMAT_MAX], received[FORMAT_MAX];

	printf("%s  %s", format_clock(text, ev->wall_ms), name);
	if (i)
		printf(" %llu %s: %s for %s, sent %s, received %s",
		       (unsigned long long)i->link, ev->state, i->remote,
		       i->client, format_bytes(sent, i->counts.taken),
		       format_bytes(received, i->counts.received));
	else if (*ev->state)
		printf(" %s", ev->state);
	if (*ev->address)
		printf(", address %s", ev->address);
	if (ev->type == MODEMCLIENT_EVENT_STOPPING)
		printf(": modemd stops within %s",
		       format_duration(text, ev->deadline_ms));
	if (ev->type == MODEMCLIENT_EVENT_EVENTS_LOST)
		printf(": %llu events came too fast",
		       (unsigned long long)ev->count);
	if (*ev->reason)
		printf(": %s", ev->reason);
	putchar('\n');
}

static void on_event(void *ctx, const struct modemclient_event *ev)
{
	struct ctl *ctl = ctx;
	const char *name = event_name(ev->type);

	if (!name)
		return;
	if (ctl->json)
		print_json(ev, name);
	else
		print_line(ev, name);
	fflush(stdout);
}

int monitor_run(struct ctl *ctl, int argc, char **argv)
{
	if (!ctl_begin(ctl, argc, argv, on_event, ctl))
		return ctl->exit;
	if (modemclient_subscribe(ctl->mc, MODEMCLIENT_NETWORK |
				  MODEMCLIENT_LINKS, CTL_TIMEOUT_MS) < 0)
		return ctl_fail_client(ctl);

	return ctl_follow(ctl);
}
