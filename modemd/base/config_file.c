/* SPDX-License-Identifier: MIT */

/*
 * config_file - one file, with every mistake in it, in the order of lines.
 *
 * libconfuse stops at the first name that it does not know. So such a name is
 * noted, declared as something that may be there, and the file is parsed
 * again, until only mistakes of syntax could be left.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_reading.h"

void reading_note(struct reading *r, unsigned int line, bool warning,
		  const char *fmt, ...)
{
	struct mistake *m = &r->mistakes[r->mistake_count];
	va_list ap;

	if (r->mistake_count == MISTAKES_MAX)
		return;
	va_start(ap, fmt);
	if (vasprintf(&m->text, fmt, ap) >= 0) {
		m->line = line;
		m->warning = warning;
		m->number = r->mistake_count++;
	}
	va_end(ap);
}

void reading_note_stray(struct reading *r, unsigned int line,
			const struct stray *stray)
{
	const char *section = *stray->section ? stray->section : NULL;
	char advice[64];

	setting_suggest(section, stray->name, advice, sizeof(advice));
	reading_note(r, line, false, "%s%s%s: unknown%s%s",
		     section ? section : "", section ? "." : "", stray->name,
		     stray->kind == STRAY_KEY ? "" : " section", advice);
}

static void forget_pass(struct reading *r)
{
	while (r->mistake_count > 0)
		free(r->mistakes[--r->mistake_count].text);
	while (r->seen_count > 0)
		free(r->seen[--r->seen_count]);
	r->access_seen = false;
	r->again = false;
}

static void free_reading(struct reading *r)
{
	forget_pass(r);
	while (r->stray_count > 0) {
		free(r->strays[--r->stray_count].section);
		free(r->strays[r->stray_count].name);
	}
	free(r);
}

/* To the end of what begins at @s: a comment, a string, or one character. */
static char *skip_item(char *s, bool *comment, bool *open)
{
	const char *end;
	char quote = *s;

	*comment = *s == '#' || (*s == '/' && (s[1] == '/' || s[1] == '*'));
	*open = false;
	if (*comment && s[1] != '*') {
		return s + strcspn(s, "\n");
	} else if (*comment) {
		end = strstr(s + 2, "*/");
		*open = !end;
		return end ? s + (end - s) + 2 : s + strlen(s);
	} else if (quote != '"' && quote != '\'') {
		return s + 1;
	}
	for (s++; *s && *s != quote; s++) {
		if (*s == '\\' && s[1])
			s++;
	}
	*open = !*s;

	return *s ? s + 1 : s;
}

/*
 * Blanks the comments, since libconfuse counts wrong lines behind them, and
 * looks for what it lets pass: a section that nothing closes.
 */
static void prepare(struct reading *r, char *text)
{
	unsigned int line = 1, begun = 0;
	bool comment, open;
	int depth = 0;
	char *end;

	for (; *text; text = end) {
		end = skip_item(text, &comment, &open);
		if (open)
			reading_note(r, line, false, "%s begins here and "
				     "never ends", comment ? "a comment" :
				     "a string");
		if (*text == '{' && depth++ == 0)
			begun = line;
		if (*text == '}' && depth > 0)
			depth--;
		for (; text < end; text++) {
			line += *text == '\n';
			if (comment && *text != '\n')
				*text = ' ';
		}
	}
	if (depth > 0)
		reading_note(r, begun, false,
			     "a section begins here and nothing closes it");
}

static void parse_all(struct reading *r, const char *text)
{
	unsigned int passes = 0;
	size_t i;

	do {
		forget_pass(r);
		config_parse(r, text);
	} while (r->again && passes++ < 3 * STRAYS_MAX);

	/* A section that is unknown itself is told once, not key by key. */
	for (i = 0; i < r->stray_count; i++) {
		const struct stray *s = &r->strays[i];

		if (!*s->section || setting_section_known(s->section))
			reading_note_stray(r, s->line, s);
	}
	if (r->access_seen)
		r->d->access_told = true;
}

static int by_line(const void *a, const void *b)
{
	const struct mistake *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;

	return x->number < y->number ? -1 : 1;
}

void config_read_file(struct draft *d, const char *path, const char *text)
{
	struct reading *r = calloc(1, sizeof(*r));
	char *copy = strdup(text);
	size_t i;

	if (!r || !copy) {
		draft_tell(d, false, "%s: out of memory", path);
		free(r);
		free(copy);
		return;
	}
	r->d = d;
	r->path = path;
	prepare(r, copy);
	if (r->mistake_count == 0)
		parse_all(r, copy);
	qsort(r->mistakes, r->mistake_count, sizeof(r->mistakes[0]), by_line);
	for (i = 0; i < r->mistake_count; i++)
		draft_tell(d, r->mistakes[i].warning, "%s:%u: %s", path,
			   r->mistakes[i].line, r->mistakes[i].text);
	free(copy);
	free_reading(r);
}
