/* SPDX-License-Identifier: MIT */

#include <string.h>

#include "driver/driver.h"

static const struct driver *const drivers[] = { &driver_simcom };

const struct driver *driver_find(const char *dialect)
{
	size_t i;

	if (strcmp(dialect, "auto") == 0)
		return drivers[0];
	for (i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		if (strcmp(drivers[i]->name, dialect) == 0)
			return drivers[i];
	}

	return NULL;
}
