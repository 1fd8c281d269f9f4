/* SPDX-License-Identifier: MIT */

/*
 * config_option - modem.options: a list of NAME=NUMBER. Which names there
 * are, and in which ranges, only the drivers know: config_report.option.
 */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_private.h"

/* "dns-retries=2" in two; false: it is not of that form. */
static bool split(const char *text, char *name, size_t size, long *value)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
	const char *number = text + len + 1;
	char *end;

	if (len == 0 || len >= size || text[len] != '=' ||
	    !isdigit((unsigned char)*number) || strlen(number) > 9)
		return false;
	memcpy(name, text, len);
	name[len] = '\0';
	*value = strtol(number, &end, 10);

	return *end == '\0';
}

/* The list so far, of which @name is not yet one; and one more. */
static int append(char **list, const char *name, long value, char *why)
{
	char *at = *list, *more;
	size_t len = strlen(name);

	for (; at && *at; at += strcspn(at, ","), at += *at == ',') {
		if (strncmp(at, name, len) != 0 || at[len] != '=')
			continue;
		snprintf(why, WHY_SIZE, "%s: is set twice", name);
		return -EINVAL;
	}
	if (asprintf(&more, "%s%s%s=%ld", *list ? *list : "",
		     *list && **list ? "," : "", name, value) < 0) {
		snprintf(why, WHY_SIZE, "out of memory");
		return -ENOMEM;
	}
	free(*list);
	*list = more;

	return 0;
}

int value_option(const struct setting *s, const char *text, void *field,
		 char *why)
{
	char name[64];
	long value;

	if (!*text)
		return value_any(s, text, field, why);
	if (!split(text, name, sizeof(name), &value)) {
		snprintf(why, WHY_SIZE, "write NAME=NUMBER, as in "
			 "\"dns-retries=2\"");
		return -EINVAL;
	}

	return append(field, name, value, why);
}

int setting_apply_item(struct draft *d, const struct setting *s,
		       const char *text, bool first, const char *origin,
		       char *why)
{
	char name[64];
	long value;

	if (first)
		(void)setting_apply(d, s, "", origin, why);
	if (*text && d->report && d->report->option &&
	    split(text, name, sizeof(name), &value) &&
	    d->report->option(name, value, why, WHY_SIZE))
		return -EINVAL;

	return setting_apply(d, s, text, origin, why);
}
