/* SPDX-License-Identifier: MIT */

/* What the families say, and what stands around it. */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "w800.h"

/* Information and news have no blank line before them, final lines do. */
const char *w800_head(const struct modem *m, enum reply_kind kind)
{
	bool final = kind == REPLY_FINAL || kind == REPLY_PROMPT;

	return final && m->opt.family != W800_TIGHT ? "\r\n" : "";
}

void w800_put(struct modem *m, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	line_out(&m->line, text, strlen(text), false);
}

/* W800 guide, AT responses: "The AT command does not exist." */
void w800_unknown(struct modem *m)
{
	if (m->opt.family == W800_OWN)
		reply_final(m, "CMD FORMAT ERR");
	else
		reply_error(m);
}

/* ... "parameters not being input in the required format" */
void w800_bad(struct modem *m)
{
	if (m->opt.family == W800_OWN)
		reply_final(m, "CMD PARSE ERR");
	else
		reply_error(m);
}

void w800_error(struct modem *m, const char *detail)
{
	if (detail != NULL && m->opt.family != W800_OWN)
		reply_text(m, "%s", detail);
	reply_error(m);
}

void w800_busy(struct modem *m)
{
	const char *text = "busy p...";

	if (m->opt.family == W800_OWN)
		text = "busy ...";
	else if (m->w800->sending >= 0)
		text = "busy s...";
	w800_put(m, "%s%s\r\n", w800_head(m, REPLY_FINAL), text);
}

/* W800 guide: "Queries ... example command and for setting commands" */
void w800_test(struct modem *m, const struct command_row *row)
{
	if (m->opt.family != W800_OWN) {
		reply_error(m);
		return;
	}
	if (row->read != NULL)
		reply_text(m, "AT%s?", row->name);
	if (row->write != NULL)
		reply_text(m, "AT%s=<...>", row->name);
	if (row->exec != NULL)
		reply_text(m, "AT%s", row->name);
	reply_ok(m);
}

void w800_tell_link(struct modem *m, unsigned int link, const char *what)
{
	if (m->w800->mux)
		urc(m, "%u,%s", link, what);
	else
		urc(m, "%s", what);
}

bool w800_take_link(struct modem *m, const struct args *a, size_t *at,
		    unsigned int *id)
{
	int n = 0;

	if (m->w800->mux && !args_int(a, (*at)++, 0, W800_LINKS - 1, &n))
		return false;
	*id = (unsigned int)n;
	return true;
}
