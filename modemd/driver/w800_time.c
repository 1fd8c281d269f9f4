/* SPDX-License-Identifier: MIT */

/*
 * The module's clock: W800 manual, CIPSNTPCFG, CIPSNTPTIME, CIPSNTPINTV. It
 * tells local time, and its zone in whole hours only: the minutes are what it
 * was told last. Before a server has answered it counts from 1970.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/config.h"
#include "base/log.h"
#include "driver/w800_private.h"

#define UNKNOWN_YEAR	2000	/* before it: no server has told it */

/* ------------------------------------------------------------------- zones */

/* [-12,14] are hours, all else is [hh]mm. A zone of less than 15 minutes would
 * be taken for hours. */
static int zone_number(int minutes, int *number)
{
	if (minutes % 60 == 0)
		*number = minutes / 60;
	else if (abs(minutes) < 15)
		return -EINVAL;
	else
		*number = minutes / 60 * 100 + minutes % 60;

	return 0;
}

static int zone_minutes(long number)
{
	if (number >= -12 && number <= 14)
		return (int)number * 60;

	return (int)(number / 100 * 60 + number % 100);
}

/* What it tells may be less than what it was told. */
static int known_zone(const struct w800 *w, long told)
{
	int minutes = zone_minutes(told);
	int set = w->time.wanted.zone_min;

	return w->time.zone_is_set && set / 60 == minutes / 60 ? set : minutes;
}

/* -------------------------------------------------------------------- read */

/* 1,8,"cn.ntp.org.cn","ntp.sjtu.edu.cn" */
static void take_servers(struct driver_time *t, const char *s, size_t len)
{
	unsigned int n = 0;
	size_t i, used;

	for (i = 0; i < len && n < DRIVER_TIME_SERVERS; i += used + 1) {
		used = strcspn(s + i, ",");
		if (i + used > len)
			used = len - i;
		if (used >= 2 && s[i] == '"')
			snprintf(t->servers[n++], sizeof(t->servers[0]),
				 "%.*s", (int)used - 2, s + i + 1);
		else if (used > 0)
			snprintf(t->servers[n++], sizeof(t->servers[0]),
				 "%.*s", (int)used, s + i);
	}
}

static void take_config(struct w800 *w, const struct at_line *line)
{
	struct driver_time *t = &w->time.is;
	char text[512];
	char *zone, *rest;

	snprintf(text, sizeof(text), "%.*s", (int)line->strs[0].len,
		 line->strs[0].s);
	memset(t->servers, 0, sizeof(t->servers));
	t->sntp = text[0] == '1';
	zone = strchr(text, ',');
	if (!zone)
		return;
	t->zone_min = known_zone(w, strtol(zone + 1, &rest, 10));
	if (*rest == ',')
		take_servers(t, rest + 1, strlen(rest + 1));
}

static void take_interval(struct w800 *w, const struct at_line *line)
{
	long s = line->args[0];

	w->time.is.interval_s = s > 0 ? (uint32_t)s : 0;
	if (s > 0)
		w800_config_note(w, "sntp-interval", s);
}

/* "Oct" */
static int month_of(const char *name)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char *at = strstr(months, name);

	return at && (at - months) % 3 == 0 ? (int)(at - months) / 3 : -1;
}

/* "Tue Oct 19 17:47:56 2021": asctime(3), in its zone. */
static int64_t parse_time(const char *text, int zone_min)
{
	char month[4];
	struct tm tm = { 0 };

	if (sscanf(text, "%*3s %3s %2d %2d:%2d:%2d %4d", month, &tm.tm_mday,
		   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &tm.tm_year) != 6)
		return -1;
	tm.tm_mon = month_of(month);
	if (tm.tm_mon < 0 || strlen(month) != 3 || tm.tm_year < UNKNOWN_YEAR)
		return -1;
	tm.tm_year -= 1900;

	return (int64_t)timegm(&tm) - (int64_t)zone_min * 60;
}

static void take_time(struct w800 *w, const struct at_line *line)
{
	struct driver_time *t = &w->time.is;

	snprintf(t->text, sizeof(t->text), "%.*s", (int)line->strs[0].len,
		 line->strs[0].s);
	t->now_s = parse_time(t->text, t->zone_min);
}

#define READ_STEPS \
	{ .text = "AT+CIPSNTPCFG?", .accept = { R_SNTPCFG + 1 }, \
	  .line = take_config }, \
	{ .text = "AT+CIPSNTPINTV?", .accept = { R_SNTPINTV + 1 }, \
	  .line = take_interval, .optional = true }, \
	{ .text = "AT+CIPSNTPTIME?", .accept = { R_SNTPTIME + 1 }, \
	  .line = take_time }, \
	{ NULL }

static const struct w800_step read_steps[] = { READ_STEPS };

/* --------------------------------------------------------------------- set */

/* "1,8,"pool.example"": -EINVAL for a zone that cannot be said. */
static int send_config(struct w800 *w, struct at_command *cmd,
		       const struct driver_time *t)
{
	char zone[16], list[W800_TEXT_MAX] = "";
	unsigned int i;
	size_t len = 0;
	int number;

	if (zone_number(t->zone_min, &number))
		return -EINVAL;
	snprintf(zone, sizeof(zone), "%d", number);
	for (i = 0; i < DRIVER_TIME_SERVERS; i++) {
		if (!t->servers[i][0] || len >= sizeof(list))
			continue;
		len += (size_t)snprintf(list + len, sizeof(list) - len,
					",\"%s\"", t->servers[i]);
	}
	if (len >= sizeof(list))
		return -EMSGSIZE;

	return w800_send_line(w, cmd, "AT+CIPSNTPCFG=%u,%s%s",
			      t->sntp ? 1U : 0U, zone, list);
}

static int send_asked(struct w800 *w, struct at_command *cmd)
{
	return send_config(w, cmd, &w->time.asked);
}

static enum w800_verdict judge_asked(struct w800 *w, int err,
				     const struct at_answer *a)
{
	if (err) {
		w->job.err = w800_answer_errno(err, a);
		w800_say(&w->job, "%s", w800_words(a));
		return V_FAIL;
	}
	w->time.wanted = w->time.asked;
	w->time.zone_is_set = true;
	w->time.set_by_us = true;

	return V_NEXT;
}

static int send_interval(struct w800 *w, struct at_command *cmd)
{
	uint32_t s = w->time.asked.interval_s;

	return s ? w800_send_line(w, cmd, "AT+CIPSNTPINTV=%u", s) : 1;
}

/* It is a setting, too: w800_config.c. */
static enum w800_verdict judge_interval(struct w800 *w, int err,
					const struct at_answer *a)
{
	if (err) {
		w->job.err = w800_answer_errno(err, a);
		w800_say(&w->job, "%s", w800_words(a));
		return V_FAIL;
	}
	w800_config_want(w, "sntp-interval", w->time.asked.interval_s);

	return V_NEXT;
}

static const struct w800_step set_steps[] = {
	{ .send = send_asked, .judge = judge_asked },
	{ .send = send_interval, .judge = judge_interval },
	READ_STEPS
};

static void end_time(struct w800 *w, int err)
{
	struct driver_answer answer = { .time = &w->time.is };

	w800_answer(w, err, &answer);
}

int w800_time(struct w800 *w, const struct driver_time *set)
{
	struct driver_time *t = &w->time.is;
	int number;

	memset(t, 0, sizeof(*t));
	t->now_s = -1;
	if (!set)
		return w800_run(w, read_steps, end_time);
	if (zone_number(set->zone_min, &number))
		return -EINVAL;
	w->time.asked = *set;

	return w800_run(w, set_steps, end_time);
}

/* ---------------------------------------------------------------- bring-up */

/* modem.sntp and its like, until an admin sets something else. */
void w800_time_init(struct w800 *w)
{
	const struct config_modem *m = w->env.modem;
	struct driver_time *t = &w->time.wanted;

	t->sntp = m->sntp;
	t->zone_min = m->zone_min;
	if (m->sntp_servers)
		take_servers(t, m->sntp_servers, strlen(m->sntp_servers));
	w->time.set_by_us = m->sntp;
}

int w800_send_sntp(struct w800 *w, struct at_command *cmd)
{
	return w->time.set_by_us ? send_config(w, cmd, &w->time.wanted) : 1;
}

enum w800_verdict w800_judge_sntp(struct w800 *w, int err,
				  const struct at_answer *a)
{
	if (err)
		log_warn("w800: the time servers were refused: %s",
			 w800_words(a));
	else
		w->time.zone_is_set = true;

	return V_NEXT;
}
