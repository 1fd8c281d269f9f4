/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "quirk.h"

const char *quirk_name(enum quirk q)
{
	return quirk_rows[q].name;
}

void quirk_list(FILE *to)
{
	static const char *const words[] = {
		[QUIRK_OF_SIMCOM] = "simcom", [QUIRK_OF_W800] = "w800",
		[QUIRK_OF_SIMCOM | QUIRK_OF_W800] = "both",
	};
	size_t i;

	for (i = 0; i < QUIRKS; i++)
		fprintf(to, "%-20s %-7s %-6s %s\n", quirk_rows[i].name,
			quirk_rows[i].rows, words[quirk_rows[i].of],
			quirk_rows[i].help);
}

static int parse_times(const char *text, int *times)
{
	char *end;
	long v;

	if (*text == '\0' || strcmp(text, "on") == 0) {
		*times = QUIRK_ALWAYS;
		return 0;
	}
	if (strcmp(text, "off") == 0) {
		*times = 0;
		return 0;
	}
	v = strtol(text, &end, 10);
	if (*end != '\0' || v < 0 || v > 1000000)
		return -EINVAL;
	*times = (int)v;
	return 0;
}

int quirk_set(int *left, const char *arg)
{
	size_t i, len = strcspn(arg, "= ");
	const char *times = arg[len] != '\0' ? arg + len + 1 : "";

	for (i = 0; i < QUIRKS; i++) {
		if (strlen(quirk_rows[i].name) == len &&
		    strncmp(quirk_rows[i].name, arg, len) == 0)
			return parse_times(times, &left[i]);
	}
	return -EINVAL;
}

const char *quirk_foreign(const int *left, unsigned int dialect)
{
	size_t i;

	for (i = 0; i < QUIRKS; i++) {
		if (left[i] != 0 && !(quirk_rows[i].of & dialect))
			return quirk_rows[i].name;
	}
	return NULL;
}

bool quirk_on(const int *left, enum quirk q)
{
	return left[q] != 0;
}

bool quirk_take(int *left, enum quirk q)
{
	if (left[q] > 0)
		left[q]--;
	else if (left[q] == 0)
		return false;
	return true;
}
