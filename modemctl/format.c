/* SPDX-License-Identifier: MIT */

#include "format.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND	INT64_C(1000)
#define MINUTE	(60 * SECOND)
#define HOUR	(60 * MINUTE)
#define DAY	(24 * HOUR)

const char *format_bytes(char out[FORMAT_MAX], uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	double value = (double)bytes;
	int unit = -1;

	/* 1023.6K would be printed as 1024K: leave room for rounding. */
	while (value >= 999.5 && unit < 5) {
		value /= 1024;
		unit++;
	}
	if (unit < 0)
		snprintf(out, FORMAT_MAX, "%llu", (unsigned long long)bytes);
	else
		snprintf(out, FORMAT_MAX, value < 9.95 ? "%.1f%c" : "%.0f%c",
			 value, units[unit]);

	return out;
}

const char *format_duration(char out[FORMAT_MAX], int64_t ms)
{
	long long s;

	/* Clocks may be set back; nothing lasted less than no time. */
	s = ms < 0 ? 0 : ms / SECOND;
	if (s < 60)
		snprintf(out, FORMAT_MAX, "%llds", s);
	else if (s < 3600)
		snprintf(out, FORMAT_MAX, "%lldm %02llds", s / 60, s % 60);
	else if (s < 86400)
		snprintf(out, FORMAT_MAX, "%lldh %02lldm", s / 3600,
			 s / 60 % 60);
	else
		snprintf(out, FORMAT_MAX, "%lldd %lldh", s / 86400,
			 s / 3600 % 24);

	return out;
}

/* False: not a year that has four digits. */
static bool split_time(int64_t wall_ms, struct tm *tm, int *ms)
{
	time_t s = (time_t)(wall_ms / SECOND);

	*ms = (int)(wall_ms % SECOND);
	if (*ms < 0) {
		*ms += (int)SECOND;
		s--;
	}

	return gmtime_r(&s, tm) && tm->tm_year >= -1900 && tm->tm_year <= 8099;
}

const char *format_time(char out[FORMAT_MAX], int64_t wall_ms, bool confirmed)
{
	struct tm tm;
	size_t n = 0;
	int ms;

	if (wall_ms == 0 || !split_time(wall_ms, &tm, &ms)) {
		snprintf(out, FORMAT_MAX, "-");
		return out;
	}
	if (!confirmed)
		out[n++] = '~';
	strftime(out + n, FORMAT_MAX - n, "%Y-%m-%d %H:%M:%S", &tm);

	return out;
}

const char *format_clock(char out[FORMAT_MAX], int64_t wall_ms)
{
	struct tm tm;
	int ms;

	if (!split_time(wall_ms, &tm, &ms))
		snprintf(out, FORMAT_MAX, "-");
	else
		snprintf(out, FORMAT_MAX, "%02d:%02d:%02d.%03d", tm.tm_hour,
			 tm.tm_min, tm.tm_sec, ms);

	return out;
}

json_t *format_json_time(int64_t wall_ms)
{
	char text[FORMAT_MAX + 8];
	struct tm tm;
	size_t n;
	int ms;

	if (wall_ms == 0 || !split_time(wall_ms, &tm, &ms))
		return json_null();
	n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, sizeof(text) - n, ".%03dZ", ms);

	return json_string(text);
}

json_t *format_json_text(const char *text)
{
	json_t *json = json_string(text);
	char *escaped, *to;
	size_t i;

	if (json)
		return json;
	escaped = malloc(4 * strlen(text) + 1);
	if (!escaped)
		return NULL;
	for (i = 0, to = escaped; text[i]; i++) {
		if (text[i] >= ' ' && text[i] <= '~')
			*to++ = text[i];
		else
			to += sprintf(to, "\\x%02X", (unsigned char)text[i]);
	}
	*to = '\0';
	json = json_string(escaped);
	free(escaped);

	return json;
}

int64_t format_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);

	return (int64_t)ts.tv_sec * SECOND + ts.tv_nsec / 1000000;
}

/* "90s", "2h": that long before @now_ms. */
static bool parse_ago(const char *text, int64_t now_ms, int64_t *wall_ms)
{
	static const struct { char unit; int64_t ms; } units[] = {
		{ 's', SECOND }, { 'm', MINUTE }, { 'h', HOUR }, { 'd', DAY },
		{ 'w', 7 * DAY },
	};
	long long number;
	char *end;
	size_t i;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno || !*end || end[1])
		return false;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (units[i].unit != *end)
			continue;
		if (number > now_ms / units[i].ms)
			return false;	/* before 1970 */
		*wall_ms = now_ms - number * units[i].ms;
		return true;
	}

	return false;
}

/* What strptime() takes but no calendar has: 2026-02-30, 25:00. */
static bool is_real(const struct tm *tm)
{
	struct tm copy = *tm;

	return timegm(&copy) != -1 && copy.tm_mday == tm->tm_mday &&
		copy.tm_mon == tm->tm_mon && copy.tm_hour == tm->tm_hour &&
		copy.tm_min == tm->tm_min && copy.tm_sec == tm->tm_sec;
}

static bool parse_fraction(const char **text, int *ms)
{
	int scale = 100;

	*ms = 0;
	if (**text != '.')
		return true;
	(*text)++;
	if (!isdigit((unsigned char)**text))
		return false;
	for (; isdigit((unsigned char)**text); (*text)++) {
		*ms += (**text - '0') * scale;
		scale /= 10;
	}

	return true;
}

static bool parse_date(const char *text, int64_t *wall_ms)
{
	struct tm tm = { 0 };
	const char *rest = NULL, *more;
	int ms = 0;

	if (strlen(text) >= 10 && text[4] == '-' && text[7] == '-')
		rest = strptime(text, "%Y-%m-%d", &tm);
	if (!rest)
		return false;
	if (*rest == 'T' || *rest == ' ') {
		rest = strptime(rest + 1, "%H:%M", &tm);
		if (!rest)
			return false;
		more = *rest == ':' ? strptime(rest + 1, "%S", &tm) : rest;
		if (!more || (more != rest && !parse_fraction(&more, &ms)))
			return false;
		rest = *more == 'Z' ? more + 1 : more;
	}
	if (*rest || !is_real(&tm))
		return false;
	*wall_ms = (int64_t)timegm(&tm) * SECOND + ms;

	return true;
}

bool format_parse_time(const char *text, int64_t now_ms, int64_t *wall_ms)
{
	char *end;

	if (strcmp(text, "now") == 0) {
		*wall_ms = now_ms;
		return true;
	}
	if (strcmp(text, "today") == 0 || strcmp(text, "yesterday") == 0) {
		*wall_ms = now_ms - now_ms % DAY - (*text == 'y' ? DAY : 0);
		return true;
	}
	if (*text == '@') {
		if (!isdigit((unsigned char)text[1]))
			return false;
		errno = 0;
		*wall_ms = strtoll(text + 1, &end, 10);
		if (errno || *end || *wall_ms > INT64_MAX / SECOND)
			return false;
		*wall_ms *= SECOND;
		return true;
	}

	return parse_ago(text, now_ms, wall_ms) || parse_date(text, wall_ms);
}
