/* SPDX-License-Identifier: MIT */

/* Lines end with CR LF, one command each; fields know the backslash. */

#include <errno.h>
#include <string.h>

#include "w800.h"

/* Plus signs were meant to leave data mode, where the modem was not. */
static bool is_escape(const char *line)
{
	return line[0] == '+';
}

static void check(struct modem *m, bool early)
{
	struct command *c = &m->cmd;

	if (early)
		record_violation(&m->record, VIOLATION_COMMAND_WHILE_RUNNING,
				 c->line, c->len);
	if (is_escape(c->line)) {
		m->record.escapes++;
		record_event(&m->record, "escape in command mode");
	} else if (strncmp(c->line, "AT", 2) != 0) {
		record_violation(&m->record, VIOLATION_PAYLOAD_WITHOUT_PROMPT,
				 c->line, c->len);
	}
}

/* W800 guide: what comes while a command runs is answered, and lost. */
static void end_busy(struct modem *m)
{
	struct command *c = &m->cmd;

	record_bytes(&m->record, "ignored", c->line, c->len);
	record_violation(&m->record, VIOLATION_BUSY, c->line, c->len);
	if (c->state == COMMAND_RUNNING && strcmp(c->line, "AT+RST") == 0 &&
	    (m->w800->hanging ||
	     quirk_on(m->opt.quirks, QUIRK_RST_WHILE_BUSY))) {
		modem_reboot_soon(m);
		return;
	}
	w800_busy(m);
	if (quirk_take(m->opt.quirks, QUIRK_BUSY_EXECUTES))
		strcpy(m->w800->waiting, c->line);
}

static void run_line(struct modem *m)
{
	struct command *c = &m->cmd;

	record_bytes(&m->record, "command", c->line, c->len);
	check(m, c->early_line);
	m->record.commands++;
	strcpy(c->last, c->line);
	if (quirk_take(m->opt.quirks, QUIRK_BUSY_FIRST)) {	/* Q102 */
		w800_put(m, "ERR CODE:0x010b0000\r\n");
		w800_busy(m);
	}
	if (c->too_long || memchr(c->line, '\0', c->len) != NULL)
		reply_error(m);
	else if (m->opt.family == W800_OLD)
		w800_old_line(m, c->line);
	else if (strncmp(c->line, "AT", 2) != 0)
		w800_unknown(m);
	else
		command_execute(m);
}

static void end_line(struct modem *m)
{
	struct command *c = &m->cmd;
	bool has_text = c->len > 0;

	c->line[c->len] = '\0';
	c->in_line = false;
	if (!has_text) {
		if (c->state != COMMAND_IDLE &&
		    quirk_take(m->opt.quirks, QUIRK_BUSY_ON_CRLF))
			w800_busy(m);
	} else if (c->state != COMMAND_IDLE) {
		end_busy(m);
	} else {
		run_line(m);
	}
	c->len = 0;
	c->too_long = false;
}

static void start_line(struct modem *m, uint8_t byte, uint64_t mark)
{
	struct command *c = &m->cmd;
	bool prompts = c->row != NULL && (c->row->flags & COMMAND_PROMPTS);

	c->in_line = true;
	c->odd_byte = false;
	c->early_line = c->state != COMMAND_IDLE || mark < c->final_end;
	/* it is lost when the prompt comes */
	if (c->state == COMMAND_DELAYED && prompts && !c->early) {
		c->early = true;
		record_violation(&m->record, VIOLATION_PAYLOAD_BEFORE_PROMPT,
				 &byte, 1);
	}
}

/* Q103 */
void w800_done(struct modem *m)
{
	char *line = m->w800->waiting;

	if (*line == '\0')
		return;
	strcpy(m->cmd.last, line);
	*line = '\0';
	record_event(&m->record, "busy command runs");
	command_execute(m);
}

/* W800 guide; its source has another number (Q122) */
static size_t line_max(const struct modem *m)
{
	return quirk_on(m->opt.quirks, QUIRK_LINE_MAX_150) ? 150
							   : W800_LINE_MAX;
}

void w800_take_byte(struct modem *m, uint8_t byte, uint64_t mark)
{
	struct command *c = &m->cmd;

	if (byte == '\n' && c->len > 0 && c->line[c->len - 1] == '\r') {
		c->len--;
		end_line(m);
		return;
	}
	if (!c->in_line)
		start_line(m, byte, mark);
	if (byte < 0x20 && byte != '\r' && !c->odd_byte) {
		c->odd_byte = true;
		record_violation(&m->record, VIOLATION_CONTROL_BYTE_IN_LINE,
				 &byte, 1);
	}
	if (c->len <= line_max(m) || byte == '\r') {
		if (c->len == COMMAND_LINE_MAX)
			c->len--;
		c->line[c->len++] = (char)byte;
	}
	if (c->len > line_max(m) && byte != '\r' && !c->too_long) {
		c->too_long = true;
		record_violation(&m->record, VIOLATION_LINE_TOO_LONG, c->line,
				 16);
	}
}

/* All of the line is one command; "E0" is the only basic one. */
bool w800_cut(const char **line, struct chain_part *part)
{
	const char *p = *line;
	size_t n = strcspn(p, "=?"), len = strlen(p);

	memset(part, 0, sizeof(*part));
	*line = p + len;
	if (*p == '\0')
		return false;
	part->name = p;
	part->form = FORM_EXEC;
	part->fields = p + len;
	if (*p == 'E' && p[1] != '\0')
		n = 1;
	if (*p == 'E' && n < len) {
		part->form = FORM_WRITE;
		part->fields = p + 1;
		part->fields_len = len - 1;
	} else if (strcmp(p + n, "?") == 0) {
		part->form = FORM_READ;
	} else if (strcmp(p + n, "=?") == 0) {
		part->form = FORM_TEST;
	} else if (p[n] == '=') {
		part->form = FORM_WRITE;
		part->fields = p + n + 1;
		part->fields_len = len - n - 1;
	} else {
		n = len;
	}
	part->name_len = n;
	return true;
}

/* W800 guide: \, \" \\ \<any> mean the sign behind the backslash. */
static int take_quoted(struct arg *arg, char **p)
{
	char *to = ++*p;

	arg->text = to;
	arg->quoted = true;
	arg->present = true;
	while (**p != '"') {
		if (**p == '\\')
			++*p;
		if (**p == '\0')
			return -EINVAL;
		*to++ = *(*p)++;
	}
	++*p;
	*to = '\0';
	return 0;
}

int w800_parse(struct args *a, char *text)
{
	struct arg *arg;
	char *p = text;

	memset(a, 0, sizeof(*a));
	if (*p == '\0')
		return 0;
	for (;;) {
		if (a->count == ARGS_MAX)
			return -EINVAL;
		arg = &a->arg[a->count++];
		if (*p != '"') {
			arg->text = p;
			p += strcspn(p, ",");
			arg->present = p > arg->text;
		} else if (take_quoted(arg, &p) < 0) {
			return -EINVAL;
		}
		if (*p == '\0')
			return 0;
		if (*p != ',')
			return -EINVAL;
		*p++ = '\0';
	}
}
