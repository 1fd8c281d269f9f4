/* SPDX-License-Identifier: MIT */

/* From a line to the handler of its form. */

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "modem.h"

enum form { FORM_EXEC, FORM_READ, FORM_WRITE, FORM_TEST };

/* Name and form of "+CIPOPEN=?", "E0", "&D2"; *rest: what follows. */
static size_t split(const char *body, enum form *form, const char **rest)
{
	size_t n = strcspn(body, "=?");
	const char *p = body + n;

	if (isalpha((unsigned char)*body) || *body == '&') {
		n = *body == '&' ? 2 : 1;
		p = body + strnlen(body, n);
		n = (size_t)(p - body);
		*form = *p == '\0' ? FORM_EXEC : FORM_WRITE;
		*rest = p;
		return n;
	}
	*form = FORM_EXEC;
	*rest = p;
	if (strcmp(p, "?") == 0) {
		*form = FORM_READ;
	} else if (strcmp(p, "=?") == 0) {
		*form = FORM_TEST;
	} else if (*p == '=') {
		*form = FORM_WRITE;
		*rest = p + 1;
	}
	while (n > 0 && body[n - 1] == ' ')	/* "AT+CIPSRIP =?" */
		n--;
	return n;
}

static const struct command_row *find(const struct modem *m, const char *name,
				      size_t len)
{
	const struct command_row *const *table, *row;

	for (table = m->dialect->tables; *table != NULL; table++) {
		for (row = *table; row->name != NULL; row++) {
			if (strlen(row->name) == len &&
			    strncasecmp(row->name, name, len) == 0)
				return row;
		}
	}
	return NULL;
}

static void test_form(struct modem *m, const struct command_row *row)
{
	const char *misprint = m->dialect->misprint(m, row->name);

	if (row->test == NULL)
		reply_error(m);
	else if (misprint != NULL)
		reply_text_ok(m, "%s", misprint);
	else if (*row->test == '\0')
		reply_ok(m);
	else
		reply_text_ok(m, "%s", row->test);
}

static void call(struct modem *m, const struct command_row *row,
		 enum form form, char *rest)
{
	void (*fn)(struct modem *m, struct args *a) = NULL;
	struct args a;

	switch (form) {
	case FORM_TEST:
		test_form(m, row);
		return;
	case FORM_READ:
		fn = row->read;
		*rest = '\0';
		break;
	case FORM_EXEC:
		fn = row->exec;
		break;
	case FORM_WRITE:
		fn = row->write;
		break;
	}
	if (fn == NULL || args_parse(&a, rest) < 0)
		reply_error(m);
	else
		fn(m, &a);
}

static void run(struct modem *m)
{
	struct command *c = &m->cmd;
	char line[COMMAND_LINE_MAX + 1];
	const char *rest;
	enum form form;

	c->state = COMMAND_IDLE;
	if (!modem_talks(m))	/* it hung while the latency ran */
		return;
	c->state = COMMAND_RUNNING;
	if (quirk_take(m->opt.quirks, QUIRK_COMMAND_SILENT)) {
		c->state = COMMAND_IDLE;
		urc_flush(m);
		return;
	}
	strcpy(line, c->last);
	if (line[2] == '\0') {
		reply_ok(m);
		return;
	}
	split(line + 2, &form, &rest);
	if (c->row == NULL || ((c->row->flags & COMMAND_TCP) &&
			       quirk_on(m->opt.quirks, QUIRK_NO_TCP)))
		reply_error(m);
	else
		call(m, c->row, form, line + (rest - line));
}

void command_on_delay(evutil_socket_t fd, short what, void *ctx)
{
	struct modem *m = ctx;

	(void)fd;
	(void)what;
	m->line.now = m->cmd.due;
	run(m);
	m->line.now = 0;
}

/* c->last holds a line that begins with AT. */
void command_execute(struct modem *m)
{
	struct command *c = &m->cmd;
	const char *rest;
	enum form form;
	size_t n = split(c->last + 2, &form, &rest);
	unsigned int ms;
	struct timeval tv;

	c->early = false;
	c->row = find(m, c->last + 2, n);
	ms = options_latency(&m->opt, c->row != NULL ? c->row->name : "");
	if (ms == 0) {
		run(m);
		return;
	}
	c->state = COMMAND_DELAYED;
	c->due = line_now(&m->line) + ms * NS_PER_MS;
	tv = clock_tv_ns(c->due - clock_ns());
	evtimer_add(c->delay, &tv);
}
