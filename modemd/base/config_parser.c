/* SPDX-License-Identifier: MIT */

/*
 * config_parser - the only file that knows libconfuse: one pass over a text.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <confuse.h>

#include "config_reading.h"

/*
 * libconfuse hands no context to its callbacks, and its lexer is a global
 * itself. Set only while config_parse() runs.
 */
static struct reading *reading;

static const char *section_of(const cfg_t *cfg)
{
	return strcmp(cfg->name, "root") == 0 ? "" : cfg->name;
}

static struct stray *find_stray(struct reading *r, const char *section,
				const char *name)
{
	size_t i;

	for (i = 0; i < r->stray_count; i++) {
		if (strcmp(r->strays[i].section, section) == 0 &&
		    strcmp(r->strays[i].name, name) == 0)
			return &r->strays[i];
	}

	return NULL;
}

/* True: noted, and the next pass may go on behind it. */
static bool add_stray(struct reading *r, const char *section,
		      const char *name, unsigned int line)
{
	struct stray *s = &r->strays[r->stray_count];

	if (r->stray_count == STRAYS_MAX || find_stray(r, section, name))
		return false;
	s->section = strdup(section);
	s->name = strdup(name);
	s->kind = STRAY_KEY;
	s->line = line;
	if (!s->section || !s->name) {
		free(s->section);
		free(s->name);
		return false;
	}
	r->stray_count++;
	r->again = true;

	return true;
}

/* Turns a stray at the top that proves to be a section into one. */
static bool stray_grows(struct reading *r, const char *section,
			const char *name, enum stray_kind from)
{
	struct stray *s = *section ? NULL : find_stray(r, section, name);

	if (!s || s->kind != from)
		return false;
	s->kind = from + 1;
	r->again = true;

	return true;
}

/* True when this pass met @name before. */
static bool seen_before(struct reading *r, const char *name)
{
	size_t i;

	for (i = 0; i < r->seen_count; i++) {
		if (strcmp(r->seen[i], name) == 0)
			return true;
	}
	if (r->seen_count < SEEN_MAX) {
		r->seen[r->seen_count] = strdup(name);
		r->seen_count += r->seen[r->seen_count] != NULL;
	}

	return false;
}

static void judge_access(struct reading *r, const cfg_t *cfg,
			 const cfg_opt_t *opt, const char *text)
{
	char why[WHY_SIZE];

	if (!r->access_seen && !r->d->access_told)
		reading_note(r, (unsigned int)cfg->line, true, "access: "
			     "access rules are not enforced by this version; "
			     "the socket's mode and group decide");
	r->access_seen = true;
	if (config_check_access(opt->name, text, why))
		reading_note(r, (unsigned int)cfg->line, false,
			     "access %s.%s: %s", cfg->title ? cfg->title : "",
			     opt->name, why);
}

static void judge_setting(struct reading *r, const cfg_t *cfg,
			  const struct setting *s, const char *text,
			  bool first)
{
	char origin[512], why[WHY_SIZE];
	int err;

	snprintf(origin, sizeof(origin), "%s:%d: %s.%s", r->path, cfg->line,
		 s->section, s->key);
	err = s->list ? setting_apply_item(r->d, s, text, first, origin, why) :
	      setting_apply(r->d, s, text, origin, why);
	if (err)
		reading_note(r, (unsigned int)cfg->line, false, "%s.%s: %s",
			     s->section, s->key, why);
}

/* libconfuse calls it for each value, also for each of a list. */
static int on_value(cfg_t *cfg, cfg_opt_t *opt, const char *text, void *out)
{
	struct reading *r = reading;
	const char *section = section_of(cfg);
	const struct setting *s = setting_find(section, opt->name);
	struct stray *stray = find_stray(r, section, opt->name);
	unsigned int line = (unsigned int)cfg->line;
	char name[512];

	*(const char **)out = text;
	snprintf(name, sizeof(name), "%s%s%s%s%s", section,
		 cfg->title ? " " : "", cfg->title ? cfg->title : "",
		 *section ? "." : "", opt->name);
	if (*section && !setting_section_known(section))
		return 0;
	if (stray) {
		if (stray->line != line && opt->nvalues == 1)
			reading_note_stray(r, line, stray);
	} else if (opt->nvalues == 1 && seen_before(r, name)) {
		reading_note(r, line, false, "%s: is set twice in this file",
			     name);
	} else if (s) {
		judge_setting(r, cfg, s, text, opt->nvalues == 1);
	} else if (strcmp(section, "access") == 0) {
		judge_access(r, cfg, opt, text);
	} else {
		/* libconfuse's other way to write it: modem|baud = 9600 */
		reading_note(r, line, false, "%s: write it as SECTION { KEY = "
			     "VALUE }", name);
	}

	return 0;
}

static void on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	struct reading *r = reading;
	const char *section = section_of(cfg), *name = "";
	unsigned int line = (unsigned int)cfg->line;
	char text[256];
	va_list again;

	va_copy(again, ap);
	if (strstr(fmt, "'%s'"))
		name = va_arg(again, const char *);
	va_end(again);

	if (strstr(fmt, "no such option") && add_stray(r, section, name, line))
		return;
	if (strstr(fmt, "missing equal sign") &&
	    stray_grows(r, section, name, STRAY_KEY))
		return;
	if (strstr(fmt, "missing opening brace") &&
	    stray_grows(r, section, name, STRAY_SECTION))
		return;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	vsnprintf(text, sizeof(text), fmt, ap);
#pragma GCC diagnostic pop
	reading_note(r, line, false, "%s%s%s; what follows is not read",
		     section, *section ? ": " : "", text);
}

/* A list of options that grows; libconfuse wants it to end with CFG_END. */
struct options {
	cfg_opt_t *opts;
	size_t count;
};

static void add_option(struct options *o, cfg_opt_t opt)
{
	cfg_opt_t end = CFG_END();
	cfg_opt_t *more = realloc(o->opts, (o->count + 2) * sizeof(*more));

	if (!more) {
		free(opt.subopts);
		return;
	}
	o->opts = more;
	o->opts[o->count++] = opt;
	o->opts[o->count] = end;
}

static void add_value(struct options *o, const char *name, bool list)
{
	cfg_opt_t one = CFG_STR_CB(name, NULL, CFGF_NODEFAULT, on_value);
	cfg_opt_t many = CFG_STR_LIST_CB(name, NULL, CFGF_NODEFAULT, on_value);

	add_option(o, list ? many : one);
}

static void add_section(struct reading *r, struct options *o,
			const char *section, bool titled)
{
	bool access = strcmp(section, "access") == 0;
	struct options keys = { NULL, 0 };
	size_t i;

	for (i = 0; i < settings_count; i++) {
		if (strcmp(settings[i].section, section) == 0)
			add_value(&keys, settings[i].key,
				  settings[i].list);
	}
	for (i = 0; access && config_access_keys[i]; i++)
		add_value(&keys, config_access_keys[i],
			  config_access_is_list(config_access_keys[i]));
	for (i = 0; i < r->stray_count; i++) {
		if (strcmp(r->strays[i].section, section) == 0)
			add_value(&keys, r->strays[i].name, true);
	}
	if (!keys.opts)
		add_value(&keys, "-", false);	/* libconfuse wants one */
	if (keys.opts) {
		cfg_opt_t opt = CFG_SEC(section, keys.opts, titled ?
					CFGF_MULTI | CFGF_TITLE : CFGF_NONE);

		add_option(o, opt);
	}
}

static void add_strays_at_top(struct reading *r, struct options *o)
{
	size_t i;

	for (i = 0; i < r->stray_count; i++) {
		const struct stray *s = &r->strays[i];

		if (*s->section)
			continue;
		if (s->kind == STRAY_KEY)
			add_value(o, s->name, true);
		else
			add_section(r, o, s->name, s->kind == STRAY_TITLED);
	}
}

static cfg_t *new_parser(struct reading *r)
{
	struct options top = { NULL, 0 };
	cfg_t *cfg;
	size_t i;

	for (i = 0; i < settings_count; i++) {
		if (i == 0 || strcmp(settings[i].section,
				     settings[i - 1].section) != 0)
			add_section(r, &top, settings[i].section, false);
	}
	add_section(r, &top, "access", true);
	add_strays_at_top(r, &top);
	cfg = top.opts ? cfg_init(top.opts, CFGF_NONE) : NULL;
	for (i = 0; i < top.count; i++)		/* libconfuse copied it all */
		free(top.opts[i].subopts);
	free(top.opts);
	if (cfg)
		cfg_set_error_function(cfg, on_error);

	return cfg;
}

void config_parse(struct reading *r, const char *text)
{
	cfg_t *cfg = new_parser(r);

	if (!cfg) {
		reading_note(r, 1, false, "out of memory");
		return;
	}
	reading = r;
	cfg_parse_buf(cfg, text);
	cfg_free(cfg);
	reading = NULL;
}
