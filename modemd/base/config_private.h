/* SPDX-License-Identifier: MIT */

/*
 * config_private - how the files of the configuration work together:
 *
 *   config_file     a file, and every mistake in it with its line
 *   config_parser   the same for libconfuse, which stops at each
 *   config_setting  the table of all settings: names, defaults, limits
 *   config_value    text -> a number, or half a sentence on what is wrong
 *   config_text     the same for what stays text
 *   config_access   the syntax of access rules
 *   config_secret   what is kept in files of its own
 *   config          in which order, and what is told to whom
 *
 * Called by: base/config*.c.   Calls: nothing.
 */

#ifndef MODEMD_CONFIG_PRIVATE_H
#define MODEMD_CONFIG_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

#define WHY_SIZE	256
#define SETTINGS_MAX	64

/* A configuration being put together; the config itself must come first. */
struct draft {
	struct config config;
	/* read once more, as files, at the end */
	char *pin_file;
	char *apn_password_file;
	char *wifi_password_file;
	char *metrics_listen;

	/* FILE:LINE: SECTION.KEY, or -o SECTION.KEY; NULL: a default */
	char *origin[SETTINGS_MAX];
	const struct config_report *report;
	unsigned int mistakes;
	bool access_told;
};

/* Counts it, unless it is a warning, and tells it. */
__attribute__((format(printf, 3, 4)))
void draft_tell(struct draft *d, bool warning, const char *fmt, ...);

struct setting;

/* 0, or -EINVAL and @why; @field keeps its value then. */
typedef int setting_parse(const struct setting *s, const char *text,
			  void *field, char *why);

struct setting {
	const char *section;
	const char *key;
	const char *fallback;	/* NAME in it stands for the instance */
	setting_parse *parse;
	size_t offset;		/* in a draft */
	size_t size;
	uint64_t min;
	uint64_t max;
	const char *words;	/* choices, separated by blanks */
	bool text;		/* the field is a char * */
	bool live;		/* may change at run time */
	bool list;		/* "" empties it, all else is added */
	bool dialect;		/* config_report.dialect judges it */
	unsigned int items;	/* of a list of servers, at most */
};

extern const struct setting settings[];
extern const size_t settings_count;

const struct setting *setting_find(const char *section, const char *key);
bool setting_section_known(const char *section);

/* "; did you mean baud?", or what else to do; @section NULL: a section. */
void setting_suggest(const char *section, const char *name, char *out,
		     size_t size);

/* Sets @s in @d from @text; @origin is copied, NULL for a default. */
int setting_apply(struct draft *d, const struct setting *s, const char *text,
		  const char *origin, char *why);

setting_parse value_address_list, value_any, value_apn, value_backoff, value_baud, value_bool,
	value_choice, value_choice_text, value_device, value_duration,
	value_flow, value_group, value_host_list, value_mode, value_ssid, value_operator, value_option,
	value_path,
	value_path_or_none, value_quotable, value_size, value_uint,
	value_zone;

/* One of a list; the first takes the place of what was there before. */
int setting_apply_item(struct draft *d, const struct setting *s,
		       const char *text, bool first, const char *origin,
		       char *why);

/* "90d" in ms, "64K" in bytes. False: it is none. */
bool value_read_duration(const char *text, uint64_t *ms);
bool value_read_size(const char *text, uint64_t *bytes);
bool value_read_uint(const char *text, uint64_t *number);

/* May stand between quotes in an AT command: no quote, no control byte. */
bool value_is_quotable(const char *text);
bool value_has_control(const char *text);

/* Reads one file into @d, telling each mistake with its line. */
void config_read_file(struct draft *d, const char *path, const char *text);

/* One value of a rule. 0 or -EINVAL and @why, -ENOENT: no such key. */
int config_check_access(const char *key, const char *text, char *why);
bool config_access_is_list(const char *key);
extern const char *const config_access_keys[];	/* ends with NULL */

/* The files that the settings name, into pin, apn_password, wifi_password. */
void config_read_secrets(struct draft *d);
void config_wipe(char *secret);			/* and free it; NULL is fine */

#endif
