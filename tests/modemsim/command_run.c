/* SPDX-License-Identifier: MIT */

/* From a line to the handlers of its commands. */

#include <string.h>
#include <strings.h>

#include "chain.h"
#include "clock.h"
#include "modem.h"

static bool same(const struct modem *m, const char *a, const char *b,
		 size_t len)
{
	return m->dialect->exact_case ? strncmp(a, b, len) == 0
				      : strncasecmp(a, b, len) == 0;
}

static const struct command_row *find(const struct modem *m,
				      const struct chain_part *part)
{
	const struct command_row *const *table, *row;

	for (table = m->dialect->tables; *table != NULL; table++) {
		for (row = *table; row->name != NULL; row++) {
			if (strlen(row->name) == part->name_len &&
			    same(m, row->name, part->name, part->name_len))
				return row;
		}
	}
	return NULL;
}

static void call(struct modem *m, const struct command_row *row,
		 enum form form, char *fields)
{
	void (*fn)(struct modem *m, struct args *a) = NULL;
	struct args a;

	switch (form) {
	case FORM_TEST:
		break;
	case FORM_READ:
		fn = row->read;
		break;
	case FORM_EXEC:
		fn = row->exec;
		break;
	case FORM_WRITE:
		fn = row->write;
		break;
	}
	if (m->dialect->parse(&a, fields) < 0)
		m->dialect->malformed(m);
	else if (m->dialect->refuses(m, row, form, &a))
		return;
	else if (form == FORM_TEST)
		m->dialect->test(m, row);
	else if (fn == NULL)
		m->dialect->malformed(m);
	else
		fn(m, &a);
}

/* One command: at once, or as far as it gets without waiting. */
static void run_one(struct modem *m)
{
	struct command *c = &m->cmd;
	char fields[COMMAND_LINE_MAX + 1];
	struct chain_part part;

	c->state = COMMAND_IDLE;
	if (!modem_talks(m))	/* it hung while the latency ran */
		return;
	c->state = COMMAND_RUNNING;
	if (quirk_take(m->opt.quirks, QUIRK_COMMAND_SILENT)) {
		command_drop(m);
		return;
	}
	if (!m->dialect->cut(&c->at, &part)) {	/* "AT" */
		reply_ok(m);
		return;
	}
	memcpy(fields, part.fields, part.fields_len);
	fields[part.fields_len] = '\0';
	if (c->row == NULL || ((c->row->flags & COMMAND_TCP) &&
			       quirk_on(m->opt.quirks, QUIRK_NO_TCP)))
		m->dialect->unknown(m);
	else
		call(m, c->row, part.form, fields);
}

static void start(struct modem *m, bool at_once);

/* The handler that said OK must have returned before the next one starts. */
static void run(struct modem *m)
{
	struct command *c = &m->cmd;

	c->in_handler = true;
	c->go_on = false;
	run_one(m);
	c->in_handler = false;
	if (c->go_on)
		start(m, true);
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

/* The command at c->at, when its latency is over. */
static void start(struct modem *m, bool at_once)
{
	struct command *c = &m->cmd;
	const char *at = c->at;
	struct chain_part part;
	struct timeval tv;
	unsigned int ms;

	c->early = false;
	c->blocking = false;
	m->dialect->cut(&at, &part);
	c->row = find(m, &part);
	ms = options_latency(&m->opt, c->row != NULL ? c->row->name : "");
	if (ms == 0 && at_once) {
		run(m);
		return;
	}
	c->state = COMMAND_DELAYED;
	c->due = line_now(&m->line) + ms * NS_PER_MS;
	tv = clock_tv_ns(c->due - clock_ns());
	evtimer_add(c->delay, &tv);
}

void command_execute(struct modem *m)
{
	m->cmd.at = m->cmd.last + 2;
	start(m, true);
}

bool command_next(struct modem *m)
{
	if (!chain_has_more(m->cmd.at))
		return false;
	if (m->cmd.in_handler)
		m->cmd.go_on = true;
	else
		start(m, false);
	return true;
}
