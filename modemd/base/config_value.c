/* SPDX-License-Identifier: MIT */

/*
 * config_value - from the text of a setting to its field. Each refusal is
 * half a sentence: what is wrong; what would be right.
 */

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config_private.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static const unsigned int rates[] = {
	300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400,
	460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 1842000,
	2000000, 2500000, 3000000, 3200000, 3500000, 3686400, 4000000,
};

__attribute__((format(printf, 2, 3)))
static int refuse(char *why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, WHY_SIZE, fmt, ap);
	va_end(ap);

	return -EINVAL;
}

bool value_has_control(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	}

	return false;
}

bool value_is_quotable(const char *text)
{
	return !value_has_control(text) && !strchr(text, '"');
}

static int set_text(void *field, const char *text, char *why)
{
	char *copy = strdup(text);

	if (!copy)
		return refuse(why, "out of memory");
	free(*(char **)field);
	*(char **)field = copy;

	return 0;
}

static void set_number(const struct setting *s, void *field, uint64_t number)
{
	uint32_t small = (uint32_t)number;

	if (s->size == sizeof(number))
		memcpy(field, &number, sizeof(number));
	else
		memcpy(field, &small, sizeof(small));
}

bool value_read_uint(const char *text, uint64_t *number)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);

	return errno == 0 && *end == '\0';
}

struct unit {
	const char *name;
	uint64_t factor;
};

static bool read_with_unit(const char *text, const struct unit *units,
			   size_t count, uint64_t *out)
{
	uint64_t number;
	char *end;
	size_t i;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno)
		return false;
	for (i = 0; i < count; i++) {
		if (strcmp(end, units[i].name) == 0)
			return !__builtin_mul_overflow(number, units[i].factor,
						       out);
	}
	*out = 0;

	return number == 0 && *end == '\0';
}

bool value_read_duration(const char *text, uint64_t *ms)
{
	static const struct unit units[] = {
		{ "ms", 1 },		{ "s", 1000 },
		{ "min", 60000 },	{ "h", 3600000 },
		{ "d", 86400000 },
	};

	return read_with_unit(text, units, COUNT(units), ms);
}

bool value_read_size(const char *text, uint64_t *bytes)
{
	static const struct unit units[] = {
		{ "", 1 },		{ "K", 1 << 10 },
		{ "M", 1 << 20 },	{ "G", 1 << 30 },
	};

	return read_with_unit(text, units, COUNT(units), bytes);
}

int value_any(const struct setting *s, const char *text, void *field,
	      char *why)
{
	(void)s;
	if (value_has_control(text))
		return refuse(why, "holds a control byte");

	return set_text(field, text, why);
}

int value_uint(const struct setting *s, const char *text, void *field,
	       char *why)
{
	uint64_t number;

	if (!value_read_uint(text, &number) || number < s->min ||
	    number > s->max)
		return refuse(why, "must be a number from %llu to %llu",
			      (unsigned long long)s->min,
			      (unsigned long long)s->max);
	set_number(s, field, number);

	return 0;
}

int value_baud(const struct setting *s, const char *text, void *field,
	       char *why)
{
	uint64_t number;
	size_t i;

	if (value_read_uint(text, &number)) {
		if (number == 0 && s->min == 0) {
			set_number(s, field, 0);
			return 0;
		}
		for (i = 0; i < COUNT(rates); i++) {
			if (rates[i] == number) {
				set_number(s, field, number);
				return 0;
			}
		}
	}

	return refuse(why, "no known rate; 115200, 460800 and 921600 are "
		      "usual%s", s->min == 0 ? ", 0 stays at modem.baud" : "");
}

/* In words, since "120000" would help nobody. */
static void put_duration(char *out, size_t size, uint64_t ms)
{
	if (ms == 0)
		snprintf(out, size, "0");
	else if (ms % 86400000 == 0)
		snprintf(out, size, "%llud", (unsigned long long)ms / 86400000);
	else if (ms % 1000 == 0)
		snprintf(out, size, "%llus", (unsigned long long)ms / 1000);
	else
		snprintf(out, size, "%llums", (unsigned long long)ms);
}

static int duration(const struct setting *s, const char *text, uint64_t *ms,
		    char *why)
{
	char least[32], most[32];

	if (!value_read_duration(text, ms))
		return refuse(why, "not a duration; write a number and ms, s, "
			      "min, h or d");
	if ((*ms == 0 && s->words) || (*ms >= s->min && *ms <= s->max))
		return 0;
	put_duration(least, sizeof(least), s->min);
	put_duration(most, sizeof(most), s->max);

	return refuse(why, "must be from %s to %s%s", least, most,
		      s->words ? s->words : "");
}

int value_duration(const struct setting *s, const char *text, void *field,
		   char *why)
{
	uint64_t ms;
	int err = duration(s, text, &ms, why);

	if (!err)
		set_number(s, field, ms);

	return err;
}

int value_backoff(const struct setting *s, const char *text, void *field,
		  char *why)
{
	const char *dots = strstr(text, "..");
	char least[32], most[32];
	uint64_t ms[2];
	uint32_t *out = field;

	if (!dots || dots - text >= (int)sizeof(least))
		return refuse(why, "must be two durations as in 1s..60s");
	memcpy(least, text, (size_t)(dots - text));
	least[dots - text] = '\0';
	snprintf(most, sizeof(most), "%s", dots + 2);
	if (!value_read_duration(least, &ms[0]) ||
	    !value_read_duration(most, &ms[1]))
		return refuse(why, "must be two durations as in 1s..60s");
	if (ms[0] < s->min || ms[1] > s->max || ms[0] > ms[1])
		return refuse(why, "must rise, and be within 10ms..1h");
	out[0] = (uint32_t)ms[0];
	out[1] = (uint32_t)ms[1];

	return 0;
}

int value_size(const struct setting *s, const char *text, void *field,
		 char *why)
{
	uint64_t bytes;

	if (!value_read_size(text, &bytes))
		return refuse(why, "not a size; write a number of bytes, or "
			      "with K, M or G");
	if (bytes < s->min || bytes > s->max)
		return refuse(why, "must be from %lluK to %lluK",
			      (unsigned long long)s->min >> 10,
			      (unsigned long long)s->max >> 10);
	set_number(s, field, bytes);

	return 0;
}

int value_bool(const struct setting *s, const char *text, void *field,
	       char *why)
{
	(void)s;
	if (strcasecmp(text, "true") == 0 || strcasecmp(text, "yes") == 0 ||
	    strcasecmp(text, "on") == 0)
		*(bool *)field = true;
	else if (strcasecmp(text, "false") == 0 ||
		 strcasecmp(text, "no") == 0 || strcasecmp(text, "off") == 0)
		*(bool *)field = false;
	else
		return refuse(why, "must be true or false");

	return 0;
}

/* The index of @text in the blank-separated s->words, or -1. */
static int choice_of(const struct setting *s, const char *text, char *why)
{
	size_t len = strlen(text), word;
	const char *at = s->words;
	int i;

	for (i = 0; *at; i++) {
		word = strcspn(at, " ");
		if (word == len && memcmp(at, text, len) == 0)
			return i;
		at += word + (at[word] == ' ');
	}
	refuse(why, "must be one of: %s", s->words);

	return -1;
}

int value_choice(const struct setting *s, const char *text, void *field,
		 char *why)
{
	int i = choice_of(s, text, why);

	if (i < 0)
		return -EINVAL;
	set_number(s, field, (uint64_t)i);

	return 0;
}

int value_choice_text(const struct setting *s, const char *text, void *field,
		      char *why)
{
	return choice_of(s, text, why) < 0 ? -EINVAL :
		set_text(field, text, why);
}

int value_flow(const struct setting *s, const char *text, void *field,
	       char *why)
{
	int i = choice_of(s, text, why);

	if (i < 0)
		return -EINVAL;
	*(bool *)field = i == 1;

	return 0;
}
