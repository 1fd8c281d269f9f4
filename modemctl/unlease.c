/* SPDX-License-Identifier: MIT */

#include <stdint.h>
#include <stdio.h>

#include "modemctl.h"

/* The one that status shows: there is at most one. */
static int find_lease(struct ctl *ctl, uint64_t *lease)
{
	struct modemclient_status *s;

	if (modemclient_status(ctl->mc, CTL_TIMEOUT_MS, &s) < 0)
		return ctl_fail_client(ctl);
	*lease = s->lease ? s->lease->link : 0;
	modemclient_status_free(s);
	if (!*lease)
		return ctl_fail(ctl, "nobody has the modem for itself");

	return CTL_DONE;
}

int unlease_run(struct ctl *ctl, int argc, char **argv)
{
	uint64_t lease;
	int code;

	if (!ctl_begin(ctl, argc, argv, NULL, NULL))
		return ctl->exit;
	code = find_lease(ctl, &lease);
	if (code == CTL_DONE &&
	    modemclient_unlease(ctl->mc, lease, CTL_TIMEOUT_MS) < 0)
		code = ctl_fail_client(ctl);
	if (code == CTL_DONE && ctl->json)
		printf("{\"link\": %llu}\n", (unsigned long long)lease);

	return code;
}
