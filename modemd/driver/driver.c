/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "driver/driver.h"

static const struct driver *const drivers[] = { &driver_simcom,
						&driver_w800 };

const struct driver *driver_find(const char *dialect)
{
	size_t i;

	if (strcmp(dialect, driver_auto.name) == 0)
		return &driver_auto;
	for (i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		if (strcmp(drivers[i]->name, dialect) == 0)
			return drivers[i];
	}

	return NULL;
}

static const struct driver_setting *find_setting(const char *name)
{
	const struct driver_setting *s;
	size_t i;

	for (i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		for (s = drivers[i]->settings; s && s->name; s++) {
			if (strcmp(s->name, name) == 0)
				return s;
		}
	}

	return NULL;
}

int driver_check_option(const char *name, long value, char *why, size_t size)
{
	const struct driver_setting *s = find_setting(name);

	if (!s)
		snprintf(why, size, "%s: there is no such option; see "
			 "modemctl config", name);
	else if (s->by && strcmp(s->by, "modemd") == 0)
		snprintf(why, size, "%s: modemd needs it as it is", name);
	else if (s->by)
		snprintf(why, size, "%s: is set by %s", name, s->by);
	else if (value < s->min || value > s->max)
		snprintf(why, size, "%s: %ld is not in %ld-%ld%s%s", name,
			 value, s->min, s->max, *s->unit ? " " : "", s->unit);
	else
		return 0;

	return -EINVAL;
}

int driver_check_dialect(const char *name, char *why, size_t size)
{
	size_t i, len;

	if (driver_find(name))
		return 0;
	len = (size_t)snprintf(why, size, "must be one of: auto");
	for (i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		if (len < size)
			len += (size_t)snprintf(why + len, size - len, " %s",
						drivers[i]->name);
	}

	return -EINVAL;
}
