/* SPDX-License-Identifier: MIT */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "modem.h"

#define ESC	0x1b

enum form { FORM_EXEC, FORM_READ, FORM_WRITE, FORM_TEST };

bool command_answering(const struct modem *m)
{
	return m->cmd.state != COMMAND_IDLE && !m->cmd.blocking;
}

void command_block(struct modem *m)
{
	m->cmd.blocking = true;
	urc_flush(m);
}

void command_want_payload(struct modem *m,
			  size_t (*payload)(struct modem *m,
					    const uint8_t *data, size_t len))
{
	struct command *c = &m->cmd;

	c->state = COMMAND_PAYLOAD;
	c->payload = payload;
	c->prompt_end = m->line.queued;
	/* what came before the prompt is lost (and was counted) */
	c->len = 0;
	c->in_line = false;
	c->too_long = false;
}

static void foreign_line(struct modem *m)
{
	static const char *const lines[] = {
		"+CMTI: \"SM\",4", "+CGPS: 0", "+CUSD: 0,\"bye\",72",
		"+CGNSSPWR: READY!", "$GNRMC,,V,,,,,,,,,,N*4D", "$OK*04",
		"+SIMCARD: NOT AVAILABLE", "PB DONE", "*COPN: 0",
	};

	urc_now(m, lines[m->foreign++ % (sizeof(lines) / sizeof(*lines))]);
}

void command_done(struct modem *m)
{
	struct command *c = &m->cmd;

	c->state = COMMAND_IDLE;
	c->blocking = false;
	c->row = NULL;
	c->final_end = m->line.queued;
	if (quirk_take(m->opt.quirks, QUIRK_ECHO_RETURNS))
		c->echo = true;
	if (quirk_take(m->opt.quirks, QUIRK_OTHER_URCS))
		foreign_line(m);
	urc_flush(m);
}

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
	if (row->test == NULL)
		reply_error(m);
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

static void on_delay(evutil_socket_t fd, short what, void *ctx)
{
	struct modem *m = ctx;

	(void)fd;
	(void)what;
	m->line.now = m->cmd.due;
	run(m);
	m->line.now = 0;
}

/* c->last holds a line that begins with AT. */
static void execute(struct modem *m)
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

static void end_line(struct modem *m)
{
	struct command *c = &m->cmd;
	size_t len = c->len;
	bool too_long = c->too_long, in_line = c->in_line;

	c->len = 0;
	c->in_line = false;
	c->too_long = false;
	if (!in_line)
		return;
	if (c->state != COMMAND_IDLE) {
		record_bytes(&m->record, "ignored", c->line, len);
		return;
	}
	record_bytes(&m->record, "command", c->line, len);
	while (len > 0 && c->line[len - 1] == ' ')	/* Q15 */
		len--;
	c->line[len] = '\0';
	if (strcasecmp(c->line, "A/") == 0 && c->last[0] != '\0') {
		execute(m);
	} else if (strncasecmp(c->line, "AT", 2) != 0) {
		record_violation(&m->record, VIOLATION_PAYLOAD_WITHOUT_PROMPT,
				 c->line, len);
	} else {
		m->record.commands++;
		strcpy(c->last, c->line);
		if (too_long || memchr(c->line, '\0', len) != NULL)
			reply_error(m);
		else
			execute(m);
	}
}

/* First byte of a line: may the host send one now? */
static void start_line(struct modem *m, uint8_t byte, uint64_t mark)
{
	struct command *c = &m->cmd;
	bool prompts = c->row != NULL && (c->row->flags & COMMAND_PROMPTS);

	c->in_line = true;
	c->odd_byte = false;
	if (c->state != COMMAND_IDLE && prompts) {
		if (!c->early)
			record_violation(&m->record,
					 VIOLATION_PAYLOAD_BEFORE_PROMPT,
					 &byte, 1);
		c->early = true;
	} else if (c->state != COMMAND_IDLE || mark < c->final_end) {
		record_violation(&m->record, VIOLATION_COMMAND_WHILE_RUNNING,
				 &byte, 1);
	}
}

static void take_byte(struct modem *m, uint8_t byte, uint64_t mark)
{
	struct command *c = &m->cmd;

	if (byte == '\n')
		return;
	if (byte == '\r') {
		end_line(m);
		return;
	}
	if (byte == ESC && !c->in_line) {
		m->record.escapes++;
		record_event(&m->record, "escape");
		return;
	}
	if (!c->in_line)
		start_line(m, byte, mark);
	if (byte < 0x20 && !c->odd_byte) {
		c->odd_byte = true;
		record_violation(&m->record, VIOLATION_CONTROL_BYTE_IN_LINE,
				 &byte, 1);
	}
	if (c->len < COMMAND_LINE_MAX) {
		c->line[c->len++] = (char)byte;
	} else if (!c->too_long) {
		c->too_long = true;
		record_violation(&m->record, VIOLATION_LINE_TOO_LONG, c->line,
				 16);
	}
}

static size_t take_payload(struct modem *m, const uint8_t *data, size_t len,
			   uint64_t mark)
{
	struct command *c = &m->cmd;

	if (mark < c->prompt_end && !c->early) {
		c->early = true;
		record_violation(&m->record, VIOLATION_PAYLOAD_BEFORE_PROMPT,
				 data, len < 16 ? len : 16);
	}
	return c->payload(m, data, len);
}

void command_input(struct modem *m, const uint8_t *data, size_t len,
		   uint64_t mark)
{
	struct command *c = &m->cmd;
	size_t n;

	if (!modem_talks(m))
		return;
	if (c->state == COMMAND_IDLE && !c->in_line && *data != '\r' &&
	    quirk_take(m->opt.quirks, QUIRK_URC_BEFORE_ECHO))
		urc_now(m, "PB DONE");
	if (c->echo)
		line_out(&m->line, data, len, false);
	while (len > 0 && modem_talks(m)) {
		n = 1;
		if (c->state == COMMAND_PAYLOAD)
			n = take_payload(m, data, len, mark);
		else
			take_byte(m, *data, mark);
		data += n;
		len -= n;
	}
}

void command_reset(struct modem *m)
{
	struct command *c = &m->cmd;

	evtimer_del(c->delay);
	c->state = COMMAND_IDLE;
	c->blocking = false;
	c->echo = true;		/* Q3 */
	c->len = 0;
	c->in_line = false;
	c->too_long = false;
	c->row = NULL;
	c->final_end = 0;
	c->last[0] = '\0';
	urc_clear(m);
}

void command_init(struct modem *m)
{
	m->cmd = (struct command){ .state = COMMAND_IDLE };
	m->cmd.delay = evtimer_new(m->base, on_delay, m);
	command_reset(m);
}

void command_free(struct modem *m)
{
	event_free(m->cmd.delay);
}
