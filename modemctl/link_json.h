/* SPDX-License-Identifier: MIT */

/*
 * link_json - a link as programs see it, alike in `links` and `monitor`.
 *
 * Called by: links, monitor.   Calls: jansson.
 */

#ifndef MODEMCTL_LINK_JSON_H
#define MODEMCTL_LINK_JSON_H

#include <jansson.h>

#include "modemclient.h"

/* A new object, NULL without memory. */
json_t *link_json(const struct modemclient_link_info *info);

#endif
