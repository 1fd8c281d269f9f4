/* SPDX-License-Identifier: MIT */

/* The options of the modem's sockets: shown, and set. */

#include <stdio.h>

#include "format.h"
#include "modemctl.h"
#include "table.h"

static const struct table_column columns[] = {
	{ "NAME", TABLE_LEFT }, { "VALUE", TABLE_RIGHT },
	{ "RANGE", TABLE_LEFT }, { "DEFAULT", TABLE_RIGHT },
	{ "SET BY", TABLE_CUT }, { "COMMAND", TABLE_CUT },
	{ NULL, TABLE_LEFT },
};

/* A value that the modem has not told is null, not 0. */
static json_t *number_or_null(const char *text)
{
	json_int_t n;

	return sscanf(text, "%" JSON_INTEGER_FORMAT, &n) == 1 ?
	       json_integer(n) : json_null();
}

static json_t *setting_json(const struct modemclient_setting *s)
{
	json_t *o = json_pack("{so so so sI sI sI so so sb}",
			      "name", format_json_text(s->name),
			      "value", number_or_null(s->value),
			      "unit", format_json_text(s->unit),
			      "min", (json_int_t)s->min,
			      "max", (json_int_t)s->max,
			      "default", (json_int_t)s->default_value,
			      "command", format_json_text(s->command),
			      "set_by", format_json_text(s->by),
			      "fixed", s->fixed);

	if (o && *s->wanted)
		json_object_set_new(o, "wanted", number_or_null(s->wanted));

	return o;
}

static bool print_setting(void *ctx, const struct modemclient_setting *s)
{
	struct table *t = ctx;
	char text[96];

	if (table_is_json(t)) {
		table_json(t, setting_json(s));
		return true;
	}
	table_row(t);
	table_cell(t, s->name);
	if (*s->wanted)
		snprintf(text, sizeof(text), "%s (not %s)",
			 *s->value ? s->value : "?", s->wanted);
	else
		snprintf(text, sizeof(text), "%s", *s->value ? s->value : "?");
	table_cell(t, text);
	snprintf(text, sizeof(text), "%lld-%lld%s%s", (long long)s->min,
		 (long long)s->max, *s->unit ? " " : "", s->unit);
	table_cell(t, text);
	table_number(t, s->default_value);
	table_cell(t, s->by);
	table_cell(t, s->command);

	return true;
}

int config_run(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { CTL_COMMON_OPTIONS };
	struct table *t;
	int code;

	if (ctl_getopt(ctl, argc, argv, "", options) == CTL_STOP)
		return ctl->exit;
	code = ctl_connect(ctl, NULL, NULL);
	if (code != CTL_DONE)
		return code;
	t = table_new(columns, ctl->json);
	if (!t)
		return ctl_fail(ctl, "out of memory");
	/* argv ends with NULL, and what is left of it are NAME=VALUE */
	if (modemclient_config(ctl->mc, (const char *const *)&argv[optind],
			       60000, print_setting, t) < 0)
		code = ctl_fail_client(ctl);
	table_finish(t, code == CTL_DONE ? "This modem has no options." :
		     NULL);

	return code;
}
