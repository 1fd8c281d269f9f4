/* SPDX-License-Identifier: MIT */

#include <stdio.h>

#include "format.h"
#include "modemctl.h"
#include "table.h"

static const struct table_column no_columns[] = { { NULL, TABLE_LEFT } };

static void print_addresses(struct ctl *ctl, const char *name,
			    char *const *addresses)
{
	struct table *t = table_new(no_columns, true);
	size_t i;

	if (!t)
		return;
	for (i = 0; addresses[i]; i++) {
		if (ctl->json)
			table_json(t, json_pack("{so so}",
				"name", format_json_text(name),
				"address", format_json_text(addresses[i])));
		else
			puts(addresses[i]);
	}
	table_finish(t, ctl->json ? "" : NULL);
}

int resolve_run(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { CTL_COMMON_OPTIONS };
	char **addresses;
	long seconds = 60;
	int c;

	while ((c = ctl_getopt(ctl, argc, argv, "w:", options)) != -1) {
		if (c == CTL_STOP)
			return ctl->exit;
		if (!ctl_number(optarg, 1, 86400, &seconds))
			return ctl_usage(ctl, "-w takes 1 to 86400 seconds");
	}
	if (argc - optind != 1)
		return ctl_usage(ctl, "exactly one name is needed");
	c = ctl_connect(ctl, NULL, NULL);
	if (c != CTL_DONE)
		return c;
	if (modemclient_resolve(ctl->mc, argv[optind], (int)seconds * 1000,
				&addresses) < 0)
		return ctl_fail_client(ctl);

	print_addresses(ctl, argv[optind], addresses);
	modemclient_addresses_free(addresses);

	return CTL_DONE;
}
