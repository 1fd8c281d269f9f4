/* SPDX-License-Identifier: MIT */

/* The modem's clock and its SNTP: shown, and set. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "modemctl.h"

#define TIMEOUT_MS	60000	/* others may ask, too */
#define ZONE_MIN	(-720)
#define ZONE_MAX	840

static void print_json(const struct modemclient_time *t)
{
	json_t *servers = json_array();
	json_t *o;
	int i;

	for (i = 0; t->servers[i]; i++)
		json_array_append_new(servers, format_json_text(t->servers[i]));
	o = json_pack("{so sb so si sI so}",
		      "time", t->time_ms >= 0 ? format_json_time(t->time_ms) :
		      json_null(),
		      "sntp", t->sntp, "servers", servers,
		      "zone_min", (int)t->zone_min,
		      "interval_s", (json_int_t)t->interval_s,
		      "modem_text", format_json_text(t->text));
	if (!o)
		return;
	json_dumpf(o, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(o);
}

static void print_time(const struct modemclient_time *t)
{
	char text[FORMAT_MAX];
	int i, zone = abs(t->zone_min);

	if (t->time_ms >= 0)
		printf("time      %s UTC\n",
		       format_time(text, t->time_ms, true));
	else
		printf("time      not known yet\n");
	if (*t->text)
		printf("modem     %s\n", t->text);
	printf("sntp      %s\n", t->sntp ? "on" : "off");
	for (i = 0; t->servers[i]; i++)
		printf("%-9s %s\n", i ? "" : "servers", t->servers[i]);
	printf("zone      UTC%c%d:%02d\n", t->zone_min < 0 ? '-' : '+',
	       zone / 60, zone % 60);
	if (t->interval_s)
		printf("interval  %u s\n", t->interval_s);
}

static bool take_row(void *ctx, const struct modemclient_time *t)
{
	const struct ctl *ctl = ctx;

	if (ctl->json)
		print_json(t);
	else
		print_time(t);

	return true;
}

/* "8", "+8", "-5": hours; "+12:45", "530", "-0330": with minutes. */
static bool take_zone(const char *text, int *zone_min)
{
	const char *s = text + (*text == '+' || *text == '-');
	size_t digits = strspn(s, "0123456789");
	int hours, minutes = 0, end = 0;

	if (digits < 1 || digits > 4)
		return false;
	hours = (int)strtol(s, NULL, 10);
	if (s[digits] == ':') {
		if (digits > 2 ||
		    sscanf(s + digits, ":%2d%n", &minutes, &end) != 1 ||
		    end != 3)
			return false;
	} else if (digits > 2) {
		minutes = hours % 100;
		hours /= 100;
	}
	if (s[digits + (size_t)end] || minutes < 0 || minutes > 59)
		return false;
	*zone_min = (hours * 60 + minutes) * (*text == '-' ? -1 : 1);

	return *zone_min >= ZONE_MIN && *zone_min <= ZONE_MAX;
}

/* NULL, or what is wrong with it. */
static const char *take_option(struct modemclient_time_options *o, int c)
{
	int i = 0;
	long n;

	switch (c) {
	case 'S':
		o->set_sntp = true;
		o->sntp = strcmp(optarg, "on") == 0;
		return o->sntp || strcmp(optarg, "off") == 0 ? NULL :
		       "--sntp takes on or off";
	case 's':
		while (i < MODEMCLIENT_TIME_SERVERS && o->servers[i])
			i++;
		if (i == MODEMCLIENT_TIME_SERVERS)
			return "at most three --server can be given";
		o->servers[i] = optarg;
		return NULL;
	case 'z':
		o->set_zone = true;
		return take_zone(optarg, &o->zone_min) ? NULL :
		       "--zone takes hours or hours and minutes east of UTC, "
		       "-12 to 14: +8, -5, +12:45, 530";
	default:
		if (!ctl_number(optarg, 15, 4294967, &n))
			return "--interval takes 15 to 4294967 seconds";
		o->interval_s = (uint32_t)n;
		return NULL;
	}
}

int time_run(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "sntp", required_argument, NULL, 'S' },
		{ "server", required_argument, NULL, 's' },
		{ "zone", required_argument, NULL, 'z' },
		{ "interval", required_argument, NULL, 'i' },
		CTL_COMMON_OPTIONS
	};
	struct modemclient_time_options o = MODEMCLIENT_TIME_OPTIONS_INIT;
	const char *why;
	int c;

	while ((c = ctl_getopt(ctl, argc, argv, "", options)) != -1) {
		if (c == CTL_STOP)
			return ctl->exit;
		why = take_option(&o, c);
		if (why)
			return ctl_usage(ctl, "%s", why);
	}
	if (argc > optind)
		return ctl_usage(ctl, "%s is too much", argv[optind]);
	c = ctl_connect(ctl, NULL, NULL);
	if (c != CTL_DONE)
		return c;
	if (modemclient_time(ctl->mc, &o, TIMEOUT_MS, take_row, ctl) < 0)
		return ctl_fail_client(ctl);

	return CTL_DONE;
}
