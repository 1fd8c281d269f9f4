/* SPDX-License-Identifier: MIT */

/* Listeners of clients, and the links they accept. */

#include "broker/private.h"

/* Nobody can listen yet. */
bool listen_owns(const struct client *c)
{
	(void)c;

	return false;
}
