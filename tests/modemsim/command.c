/* SPDX-License-Identifier: MIT */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "modem.h"

#define CTRL_Z	0x1a
#define ESC	0x1b

bool command_answering(const struct modem *m)
{
	return m->cmd.state != COMMAND_IDLE && !m->cmd.blocking;
}

void command_block(struct modem *m)
{
	m->cmd.blocking = true;
	urc_flush(m);
	push_run(m);
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
	push_run(m);
}

void command_end_payload(struct modem *m)
{
	m->cmd.state = COMMAND_RUNNING;
	command_block(m);
}

static void foreign_line(struct modem *m)
{
	const char *const *lines = m->dialect->foreign_urcs;

	if (lines[m->foreign] == NULL)
		m->foreign = 0;
	urc_now(m, lines[m->foreign++]);
}

void command_done(struct modem *m)
{
	struct command *c = &m->cmd;

	c->state = m->data.on ? COMMAND_DATA : COMMAND_IDLE;
	c->blocking = false;
	c->row = NULL;
	c->at = "";
	c->final_end = m->line.queued;
	if (m->data.on) {
		push_run(m);
		return;
	}
	if (quirk_take(m->opt.quirks, QUIRK_ECHO_RETURNS))
		c->echo = true;
	if (quirk_take(m->opt.quirks, QUIRK_OTHER_URCS))
		foreign_line(m);
	urc_flush(m);
	if (m->data.pending)
		data_enter_unasked(m);
	push_run(m);
	if (m->dialect->done != NULL)
		m->dialect->done(m);
}

void command_drop(struct modem *m)
{
	m->cmd.state = COMMAND_IDLE;
	m->cmd.at = "";
	urc_flush(m);
}

/*
 * V.250 5.2.1: a line begins with its AT. Plus signs before it were meant to
 * leave data mode, where the modem was not.
 */
static size_t drop_escape(struct modem *m, char *line, size_t len)
{
	size_t n = strspn(line, "+");

	if (n == 0 || strncasecmp(line + n, "AT", 2) != 0)
		return len;
	m->record.escapes++;
	record_event(&m->record, "escape in command mode");
	memmove(line, line + n, len - n + 1);
	return len - n;
}

/* "AT +CSQ": the blanks mean nothing. */
static size_t drop_blanks(char *line, size_t len)
{
	size_t n;

	if (strncasecmp(line, "AT", 2) != 0)
		return len;
	n = strspn(line + 2, " ");
	memmove(line + 2, line + 2 + n, len - n - 1);
	return len - n;
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
	len = drop_escape(m, c->line, len);
	len = drop_blanks(c->line, len);
	if (strcasecmp(c->line, "A/") == 0 && c->last[0] != '\0') {
		command_execute(m);
	} else if (strncasecmp(c->line, "AT", 2) != 0) {
		record_violation(&m->record, VIOLATION_PAYLOAD_WITHOUT_PROMPT,
				 c->line, len);
	} else {
		m->record.commands++;
		strcpy(c->last, c->line);
		if (too_long || memchr(c->line, '\0', len) != NULL)
			reply_error(m);
		else
			command_execute(m);
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
	/* Q53: Ctrl-Z after a payload of fixed length does no harm */
	if ((byte == ESC || byte == CTRL_Z) && !c->in_line) {
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

/*
 * The LF behind the CR of a command that has made what follows payload: a
 * host that ends its lines with CR LF wrote it before the prompt (Q16).
 */
static bool is_line_feed(const struct modem *m, uint8_t byte, uint64_t mark)
{
	const struct command *c = &m->cmd;

	if (byte != '\n' || !c->after_cr || m->dialect->take_byte != NULL ||
	    quirk_on(m->opt.quirks, QUIRK_LF_IS_PAYLOAD))
		return false;
	return (c->state == COMMAND_PAYLOAD && mark < c->prompt_end) ||
	       (c->state == COMMAND_DATA && mark < c->final_end);
}

void command_input(struct modem *m, const uint8_t *data, size_t len,
		   uint64_t mark)
{
	struct command *c = &m->cmd;
	size_t n;

	if (!modem_talks(m))
		return;
	if (is_line_feed(m, *data, mark)) {
		data++;
		len--;
	}
	c->after_cr = len > 0 && data[len - 1] == '\r';
	if (len == 0)
		return;
	if (c->state == COMMAND_DATA) {
		data_input(m, data, len);
		return;
	}
	if (c->state == COMMAND_IDLE && !c->in_line && *data != '\r' &&
	    quirk_take(m->opt.quirks, QUIRK_URC_BEFORE_ECHO))
		urc_now(m, m->dialect->boot_urc);
	if (c->state == COMMAND_PAYLOAD && m->dialect->take_byte != NULL)
		;		/* it does not echo payload */
	else if (c->echo && quirk_on(m->opt.quirks, QUIRK_ECHO_GLUED))
		line_inject(&m->line, data, len);
	else if (c->echo)
		line_out(&m->line, data, len, false);
	while (len > 0 && modem_talks(m)) {
		n = 1;
		if (c->state == COMMAND_PAYLOAD)
			n = take_payload(m, data, len, mark);
		else if (m->dialect->take_byte != NULL)
			m->dialect->take_byte(m, *data, mark);
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
	c->echo = !m->profile.uart.no_echo;	/* Q3 */
	c->len = 0;
	c->in_line = false;
	c->too_long = false;
	c->after_cr = false;
	c->row = NULL;
	c->final_end = 0;
	c->last[0] = '\0';
	c->at = "";
	c->go_on = false;
	urc_clear(m);
}

void command_init(struct modem *m)
{
	m->cmd = (struct command){ .state = COMMAND_IDLE };
	m->cmd.delay = evtimer_new(m->base, command_on_delay, m);
	command_reset(m);
}

void command_free(struct modem *m)
{
	event_free(m->cmd.delay);
}
