/* SPDX-License-Identifier: MIT */

/*
 * config - in which order the settings come together: defaults, NAME.conf,
 * NAME.conf.d in order, overrides, secrets.
 */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_private.h"

#define FILE_MAX	(1 << 20)	/* a configuration is some kilobytes */

void draft_tell(struct draft *d, bool warning, const char *fmt, ...)
{
	char raw[1024], text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	if (!warning)
		d->mistakes++;
	if (!d->report)
		return;
	/* A file may say anything; who prints this may be a terminal. */
	log_escape_utf8(text, sizeof(text), raw, strlen(raw));
	d->report->line(d->report->ctx, warning, text);
}

static void apply_defaults(struct draft *d)
{
	const char *instance = d->config.instance, *name;
	char text[512], why[WHY_SIZE];
	size_t i;

	for (i = 0; i < settings_count; i++) {
		name = strstr(settings[i].fallback, "NAME");
		if (name)
			snprintf(text, sizeof(text), "%.*s%s%s",
				 (int)(name - settings[i].fallback),
				 settings[i].fallback, instance, name + 4);
		else
			snprintf(text, sizeof(text), "%s",
				 settings[i].fallback);
		if (setting_apply(d, &settings[i], text, NULL, why))
			draft_tell(d, false, "%s.%s: the default: %s",
				   settings[i].section, settings[i].key, why);
	}
}

/* Yours, free(); NULL after telling what is wrong. */
static char *slurp(struct draft *d, const char *path, bool may_miss)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char *text = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 && errno == ENOENT && may_miss)
		return NULL;
	if (fd < 0 || fstat(fd, &st) < 0) {
		draft_tell(d, false, "%s: %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		draft_tell(d, false, "%s: not a file of at most 1M", path);
	} else {
		text = calloc(1, (size_t)st.st_size + 1);
		n = text ? read(fd, text, (size_t)st.st_size) : -1;
		if (n < 0 || strlen(text) != (size_t)n) {
			draft_tell(d, false, "%s: %s", path, n < 0 ?
				   strerror(errno) : "holds a zero byte");
			free(text);
			text = NULL;
		}
	}
	if (fd >= 0)
		close(fd);

	return text;
}

static void read_one(struct draft *d, const char *path, bool may_miss)
{
	char *text = slurp(d, path, may_miss);

	if (text)
		config_read_file(d, path, text);
	free(text);
}

static void read_files(struct draft *d, const char *path)
{
	char main_file[512], pattern[1024];
	glob_t found = { 0 };
	size_t i;

	snprintf(main_file, sizeof(main_file), "/etc/modemd/%s.conf",
		 d->config.instance);
	read_one(d, path ? path : main_file, !path);

	snprintf(pattern, sizeof(pattern), "%s.d/*.conf",
		 path ? path : main_file);
	if (glob(pattern, 0, NULL, &found) == 0) {
		for (i = 0; i < found.gl_pathc; i++)
			read_one(d, found.gl_pathv[i], false);
	}
	globfree(&found);
}

/* "a=1,b=2": -o has no braces. */
static int apply_list(struct draft *d, const struct setting *s,
		      const char *text, const char *origin, char *why)
{
	char item[128];
	bool first = true;
	int err = 0;

	do {
		snprintf(item, sizeof(item), "%.*s",
			 (int)strcspn(text, ","), text);
		err = setting_apply_item(d, s, item, first, origin, why);
		first = false;
		text += strcspn(text, ",");
	} while (!err && *text++);

	return err;
}

static void apply_override(struct draft *d, const char *override)
{
	const char *equals = strchr(override, '=');
	char name[128], origin[160], why[WHY_SIZE], *key;
	const struct setting *s;
	size_t len;

	len = equals ? (size_t)(equals - override) : strlen(override);
	if (len >= sizeof(name))
		len = sizeof(name) - 1;
	memcpy(name, override, len);
	name[len] = '\0';
	snprintf(origin, sizeof(origin), "-o %s", name);
	key = strchr(name, '.');
	if (!equals || !key) {
		draft_tell(d, false, "%s: write -o SECTION.KEY=VALUE", origin);
		return;
	}
	*key++ = '\0';
	s = setting_find(name, key);
	if (!s) {
		setting_suggest(setting_section_known(name) ? name : NULL,
				setting_section_known(name) ? key : name,
				why, sizeof(why));
		draft_tell(d, false, "%s: unknown%s", origin, why);
	} else if (s->list ? apply_list(d, s, equals + 1, origin, why) :
		   setting_apply(d, s, equals + 1, origin, why)) {
		draft_tell(d, false, "%s: %s", origin, why);
	}
}

static const char *origin_of(const struct draft *d, const char *section,
			     const char *key, char *out, size_t size)
{
	const struct setting *s = setting_find(section, key);
	const char *origin = d->origin[s - settings];

	if (origin)
		return origin;
	snprintf(out, size, "%s.%s", section, key);

	return out;
}

/*
 * A group that somebody asked for must exist; without the default one the
 * socket is its owner's alone, and the daemon says so when it starts.
 */
static void check_group(struct draft *d)
{
	const struct setting *s = setting_find("ipc", "socket-group");
	const char *group = d->config.ipc.socket_group;

	if (d->origin[s - settings] && group[0] && !getgrnam(group))
		draft_tell(d, false, "%s: there is no such group on this "
			   "machine: make it with groupadd --system",
			   d->origin[s - settings]);
}

/* What is settled in the interface and not built yet is not passed over. */
static void tell_not_yet(struct draft *d)
{
	const struct config *c = &d->config;
	const struct {
		bool asked;
		const char *section, *key, *what;
	} rows[] = {
		{ c->recovery.reset_hook[0], "recovery", "reset-hook",
		  "this version does not power-cycle the modem" },
		{ d->metrics_listen[0], "metrics", "listen",
		  "this version has no metrics" },
	};
	char name[128];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].asked)
			draft_tell(d, true, "%s: %s; ignored",
				   origin_of(d, rows[i].section, rows[i].key,
					     name, sizeof(name)),
				   rows[i].what);
	}
}

/* What one setting alone cannot know. */
static void check_together(struct draft *d)
{
	const struct config *c = &d->config;
	char name[128];

	check_group(d);
	if (c->links.reserve_inbound > c->links.max_inbound)
		draft_tell(d, false, "%s: more than links.max-inbound (%u)",
			   origin_of(d, "links", "reserve-inbound", name,
				     sizeof(name)), c->links.max_inbound);
	if (strcmp(c->history.database, c->state_file) == 0)
		draft_tell(d, false, "%s: is history.database as well",
			   origin_of(d, "state", "file", name, sizeof(name)));
	tell_not_yet(d);
}

static bool instance_ok(const char *name)
{
	size_t i;

	for (i = 0; name[i]; i++) {
		if (!isalnum((unsigned char)name[i]) &&
		    !(i > 0 && strchr(".-_", name[i])))
			return false;
	}

	return i > 0 && i <= 64;
}

static void free_loader(struct draft *d)
{
	size_t i;

	free(d->pin_file);
	free(d->apn_password_file);
	free(d->wifi_password_file);
	free(d->metrics_listen);
	for (i = 0; i < settings_count; i++)
		free(d->origin[i]);
}

int config_load(const char *instance, const char *path,
		const char *const *overrides,
		const struct config_report *report, struct config **out)
{
	struct draft *d = calloc(1, sizeof(*d));

	*out = NULL;
	if (!d)
		return -ENOMEM;

	d->report = report;
	d->config.instance = strdup(instance);
	if (!instance_ok(instance)) {
		draft_tell(d, false, "-n %s: an instance's name has letters, "
			   "digits, dot, hyphen and underscore", instance);
	} else if (d->config.instance) {
		apply_defaults(d);
	}
	if (d->config.instance && d->mistakes == 0) {
		read_files(d, path);
		for (; overrides && *overrides; overrides++)
			apply_override(d, *overrides);
		check_together(d);
		config_read_secrets(d);
	}

	free_loader(d);
	if (d->mistakes > 0 || !d->config.instance) {
		config_free(&d->config);
		return -EINVAL;
	}
	*out = &d->config;	/* the draft's first member: one block */

	return 0;
}

void config_free(struct config *c)
{
	size_t i;

	if (!c)
		return;

	for (i = 0; i < settings_count; i++) {
		if (settings[i].text && settings[i].offset < sizeof(*c))
			free(*(char **)((char *)c + settings[i].offset));
	}
	config_wipe(c->modem.pin);
	config_wipe(c->modem.apn_password);
	config_wipe(c->modem.wifi_password);
	free(c->instance);
	free(c);
}

static void swap(void *a, void *b, size_t size)
{
	char hold[16];

	memcpy(hold, a, size);
	memcpy(a, b, size);
	memcpy(b, hold, size);
}

static bool differs(const struct setting *s, const void *a, const void *b)
{
	return s->text ? strcmp(*(char *const *)a, *(char *const *)b) != 0 :
		memcmp(a, b, s->size) != 0;
}

void config_reload(struct config *live, struct config *fresh,
		   const struct config_report *report)
{
	struct draft warn = { .report = report };
	const struct setting *s;
	void *a, *b;
	size_t i;

	for (i = 0; i < settings_count; i++) {
		s = &settings[i];
		if (s->offset >= sizeof(*live))
			continue;
		a = (char *)live + s->offset;
		b = (char *)fresh + s->offset;
		if (s->live)
			swap(a, b, s->size);
		else if (differs(s, a, b))
			draft_tell(&warn, true, "%s.%s: cannot change while "
				   "modemd runs; keeps its value until the "
				   "next start", s->section, s->key);
	}
	swap(&live->modem.pin, &fresh->modem.pin, sizeof(char *));
	swap(&live->modem.apn_password, &fresh->modem.apn_password,
	     sizeof(char *));
	swap(&live->modem.wifi_password, &fresh->modem.wifi_password,
	     sizeof(char *));
}
