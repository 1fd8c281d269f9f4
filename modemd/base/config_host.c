/* SPDX-License-Identifier: MIT */

/*
 * config_host - settings that name servers (lists), and the time zone.
 */

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_private.h"

static bool is_address(const char *text)
{
	struct in6_addr any;

	return inet_pton(AF_INET, text, &any) == 1 ||
	       inet_pton(AF_INET6, text, &any) == 1;
}

/* RFC 1123, and the underscore that names have all the same. */
static bool is_name(const char *text)
{
	const char *s;

	for (s = text; *s; s++) {
		if (!isalnum((unsigned char)*s) && !strchr("-._", *s))
			return false;
	}

	return *text && *text != '.' && *text != '-';
}

/* One more, of at most @max; none twice. */
static int append(char **list, const char *text, unsigned int max, char *why)
{
	const char *at = *list ? *list : "";
	size_t len = strlen(text);
	unsigned int n = 0;
	char *more;

	for (; *at; at += strcspn(at, ","), at += *at == ',', n++) {
		if (strcspn(at, ",") != len || strncasecmp(at, text, len) != 0)
			continue;
		snprintf(why, WHY_SIZE, "%s: is named twice", text);
		return -EINVAL;
	}
	if (n >= max) {
		snprintf(why, WHY_SIZE, "%s: a modem takes %u at most", text,
			 max);
		return -EINVAL;
	}
	if (asprintf(&more, "%s%s%s", n > 0 ? *list : "", n > 0 ? "," : "",
		     text) < 0) {
		snprintf(why, WHY_SIZE, "out of memory");
		return -ENOMEM;
	}
	free(*list);
	*list = more;

	return 0;
}

int value_address_list(const struct setting *s, const char *text, void *field,
		       char *why)
{
	if (!*text)
		return value_any(s, text, field, why);
	if (!is_address(text)) {
		snprintf(why, WHY_SIZE, "must be addresses, as in "
			 "{\"9.9.9.9\", \"2620:fe::fe\"}");
		return -EINVAL;
	}

	return append(field, text, s->items, why);
}

int value_host_list(const struct setting *s, const char *text, void *field,
		    char *why)
{
	if (!*text)
		return value_any(s, text, field, why);
	if (strlen(text) > s->max) {
		snprintf(why, WHY_SIZE, "longer than %llu bytes",
			 (unsigned long long)s->max);
		return -EINVAL;
	}
	if (!is_address(text) && !is_name(text)) {
		snprintf(why, WHY_SIZE, "must be names or addresses, as in "
			 "{\"pool.ntp.org\"}");
		return -EINVAL;
	}

	return append(field, text, s->items, why);
}

/* "+05:30", "-8", "UTC": minutes east. */
static bool read_zone(const char *text, int *zone)
{
	int sign = *text == '-' ? -1 : 1;
	unsigned int h, min = 0;
	char end;

	*zone = 0;
	if (strcasecmp(text, "utc") == 0)
		return true;
	if ((*text != '+' && *text != '-') ||
	    !isdigit((unsigned char)text[1]))
		return false;
	if (sscanf(text + 1, "%2u:%2u%c", &h, &min, &end) != 2 &&
	    (min = 0, sscanf(text + 1, "%2u%c", &h, &end) != 1))
		return false;
	if (min > 59)
		return false;
	*zone = sign * (int)(h * 60 + min);

	return *zone >= -12 * 60 && *zone <= 14 * 60;
}

int value_zone(const struct setting *s, const char *text, void *field,
	       char *why)
{
	int zone;

	(void)s;
	if (!read_zone(text, &zone)) {
		snprintf(why, WHY_SIZE, "must be UTC or a distance from it "
			 "from -12:00 to +14:00, as in +05:30");
		return -EINVAL;
	}
	memcpy(field, &zone, sizeof(zone));

	return 0;
}
