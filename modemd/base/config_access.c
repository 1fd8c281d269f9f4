/* SPDX-License-Identifier: MIT */

/*
 * config_access - the syntax of access rules. Nothing enforces them yet, but
 * a rule that will be enforced one day must not hold a mistake until then.
 */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config_private.h"

const char *const config_access_keys[] = {
	"match", "role", "priority", "max-links", "reserve", "connect",
	"listen", "rate", "quota", NULL
};

static bool starts(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) == 0 && text[len];
}

static bool is_word(const char *text, const char *words)
{
	const char *at = strstr(words, text);
	size_t len = strlen(text);

	return len > 0 && at && (at == words || at[-1] == ' ') &&
	       (at[len] == ' ' || !at[len]) && !strchr(text, ' ');
}

static bool is_port(const char *text, size_t len)
{
	unsigned int number = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		if (!isdigit((unsigned char)text[i]) || i == 5)
			return false;
		number = number * 10 + (unsigned int)(text[i] - '0');
	}

	return number >= 1 && number <= 65535;
}

/* "*", "8080" or "8080-8090" */
static bool is_ports(const char *text)
{
	const char *dash = strchr(text, '-');

	if (strcmp(text, "*") == 0)
		return true;
	if (!dash)
		return is_port(text, strlen(text));

	return is_port(text, (size_t)(dash - text)) &&
	       is_port(dash + 1, strlen(dash + 1));
}

/* "*.example.com:8883", "192.0.2.0/24:*", "[2001:db8::]/32:443" */
static bool is_target(const char *text)
{
	const char *colon = strrchr(text, ':'), *at;

	if (!colon || colon == text || colon - text > 253)
		return false;
	for (at = text; at < colon; at++) {
		if (!isalnum((unsigned char)*at) && !strchr("*.-_/[]:", *at))
			return false;
	}

	return is_ports(colon + 1);
}

static bool is_quota(const char *text)
{
	const char *slash = strchr(text, '/');
	char size[32];
	uint64_t bytes;

	if (!slash || slash - text >= (int)sizeof(size))
		return false;
	memcpy(size, text, (size_t)(slash - text));
	size[slash - text] = '\0';

	return value_read_size(size, &bytes) &&
	       is_word(slash + 1, "hour day week month");
}

static bool is_match(const char *text)
{
	return starts(text, "user:") || starts(text, "group:") ||
	       starts(text, "unit:") || starts(text, "exe:/");
}

static int judge(bool good, char *why, const char *wanted)
{
	if (good)
		return 0;
	snprintf(why, WHY_SIZE, "must be %s", wanted);

	return -EINVAL;
}

bool config_access_is_list(const char *key)
{
	return is_word(key, "match connect listen");
}

int config_check_access(const char *key, const char *text, char *why)
{
	uint64_t n;

	if (strcmp(key, "match") == 0)
		return judge(is_match(text), why,
			     "user:NAME, group:NAME, unit:NAME or exe:/PATH");
	if (strcmp(key, "role") == 0)
		return judge(is_word(text, "user admin"), why,
			     "user or admin");
	if (strcmp(key, "priority") == 0)
		return judge(is_word(text, "interactive normal bulk"), why,
			     "interactive, normal or bulk");
	if (strcmp(key, "max-links") == 0 || strcmp(key, "reserve") == 0)
		return judge(value_read_uint(text, &n) && n <= 10, why,
			     "a number from 0 to 10");
	if (strcmp(key, "connect") == 0)
		return judge(is_target(text), why,
			     "HOST:PORT as in *.example.com:8883 or "
			     "192.0.2.0/24:*");
	if (strcmp(key, "listen") == 0)
		return judge(is_ports(text), why,
			     "a port, two as in 8080-8090, or *");
	if (strcmp(key, "rate") == 0)
		return judge(value_read_size(text, &n) && n > 0, why,
			     "bytes per second as in 4K");
	if (strcmp(key, "quota") == 0)
		return judge(is_quota(text), why,
			     "a size per hour, day, week or month as in "
			     "50M/month");

	return -ENOENT;
}
