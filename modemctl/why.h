/* SPDX-License-Identifier: MIT */

/*
 * why - the steps from power to network, as JSON.
 *
 * Called by: status.   Calls: format.
 */

#ifndef MODEMCTL_WHY_H
#define MODEMCTL_WHY_H

#include <jansson.h>

struct modemclient_status;

/* One object for each step, in their order; the caller's. */
json_t *why_steps(const struct modemclient_status *st);

#endif
