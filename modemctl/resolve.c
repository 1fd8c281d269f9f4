/* SPDX-License-Identifier: MIT */

#include <stdio.h>

#include "format.h"
#include "modemctl.h"
#include "table.h"

int resolve_run(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { CTL_COMMON_OPTIONS };
	json_t *list;
	char **addresses;
	long seconds = 60;
	size_t i;
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

	list = json_array();
	for (i = 0; addresses[i]; i++) {
		if (!ctl->json)
			puts(addresses[i]);
		else
			json_array_append_new(list,
				json_pack("{so so}",
					  "name", format_json_text(argv[optind]),
					  "address",
					  format_json_text(addresses[i])));
	}
	if (ctl->json) {
		json_dumpf(list, stdout, JSON_COMPACT);
		putchar('\n');
	}
	json_decref(list);
	modemclient_addresses_free(addresses);

	return CTL_DONE;
}
