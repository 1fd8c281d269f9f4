/* SPDX-License-Identifier: MIT */

/*
 * answer - whose a line is. What the running command accepts is its answer;
 * every other line that the dialect knows came by itself, also in the middle
 * of an answer; a line that nobody knows is counted and forgotten.
 */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "at/channel_private.h"
#include "at/trace.h"
#include "base/log.h"
#include "base/timer.h"
#include "port/port.h"

#define PUSH_TAIL_MS	50	/* in which what follows a push has come */

static bool is_accepted(const struct at_channel *ch,
			const struct at_line *line)
{
	const signed char *a;

	for (a = ch->cmd.accept; a && *a >= 0; a++) {
		if (line->rule == &ch->dialect.rules[(unsigned char)*a])
			return true;
	}

	return false;
}

/* "+CREG: 0,1" is named as AT+CREG? is, in either case; not as AT+CREGX. */
static bool is_named_in(const char *command, const char *line)
{
	size_t len = strcspn(line, ":");
	const char *at;

	if (len < 2 || line[len] != ':')
		return false;
	for (at = command; *at; at++) {
		if (strncasecmp(at, line, len) == 0 &&
		    !isalnum((unsigned char)at[len]))
			return true;
	}

	return false;
}

/* What is a URC to others may be what was asked for. */
static bool is_raw_answer(const struct at_channel *ch,
			  const struct at_line *line)
{
	if (!ch->cmd.raw || (line->kind != AT_URC && line->kind != AT_REPLY))
		return false;

	return line->kind == AT_REPLY || is_named_in(ch->text, line->text);
}

/*
 * A final line that begins before our bytes have left cannot be meant for
 * them: it belongs to the command before (some firmware says ERROR twice).
 */
static bool is_stray(const struct at_channel *ch)
{
	return !channel_is_running(ch) || ch->old_line ||
	       (ch->state == CH_COMMAND && port_unwritten(ch->port) > 0);
}

/*
 * Unknown lines where a header was due: it was damaged on its way, and this
 * "final" may be the payload that it counted.
 */
static bool is_garbled(const struct at_channel *ch)
{
	return ch->cmd.answer_max > 0 && ch->strange && !ch->answered &&
	       !ch->detail[0];
}

static void handle_sent(struct at_channel *ch, const struct at_line *line)
{
	if (ch->state == CH_PROBE) {
		channel_sync_sent(ch);
		return;
	}
	if (channel_is_of_another(ch, line))
		return;
	if (ch->state != CH_PAYLOAD || port_unwritten(ch->port) > 0) {
		ch->stats.stray_finals++;
		return;
	}
	channel_end_command(ch, 0, line->text, CH_IDLE);
}

static void handle_final(struct at_channel *ch, const struct at_line *line)
{
	bool refused_send = ch->cmd.payload_len > 0 && line->kind == AT_FAIL;

	if (ch->state == CH_PROBE || ch->state == CH_QUIET) {
		channel_sync_final(ch, line->kind == AT_OK);
		return;
	}
	if (is_stray(ch)) {
		ch->stats.stray_finals++;
		return;
	}
	if (channel_is_of_another(ch, line))
		return;
	if (is_garbled(ch)) {
		channel_bad_header(ch);
		return;
	}
	if (line->kind == AT_OK && ch->cmd.ok_prompts) {
		channel_prompting_ok(ch);
		return;
	}

	/* OK without a prompt: the payload was never asked for. */
	if (line->kind == AT_OK && ch->cmd.payload_len > 0 &&
	    ch->state == CH_COMMAND)
		refused_send = true;
	if (!refused_send) {
		channel_end_command(ch, line->kind == AT_FAIL ? -EREMOTEIO : 0,
				    line->text, CH_IDLE);
		return;
	}
	/*
	 * After a refused send the modem may say ERROR once more, or still
	 * want bytes, if the ERROR was that of the command before: an AT and
	 * its OK put an end to either.
	 */
	ch->entry_left = ch->cmd.payload_len;
	ch->entry_known = false;
	ch->entry_coded = ch->cmd.coded;
	/* With a reason it is no other command's, as like as not. */
	ch->explained = line->kind == AT_FAIL && ch->detail[0];
	channel_end_command(ch, -EREMOTEIO, line->text, CH_PROBE);
	if (ch->state == CH_PROBE)
		channel_start_sync(ch, false);
}

static void handle_detail(struct at_channel *ch, const struct at_line *line)
{
	if (!channel_is_running(ch))
		return;

	snprintf(ch->detail, sizeof(ch->detail), "%s", line->text);
	ch->answer.rule = line->rule;
	memcpy(ch->answer.args, line->args, sizeof(ch->answer.args));
}

static bool is_echo(const struct at_channel *ch, const struct at_line *line)
{
	if (ch->state == CH_PROBE || ch->state == CH_QUIET)
		return strcmp(line->text, "AT") == 0;

	return channel_is_running(ch) && strcmp(line->text, ch->text) == 0;
}

/* "AT+CIPSEND=0,1,CONNECT", "98": a line that came in the middle of an echo.
 * Its two halves are dropped. */
static bool is_cut_echo(struct at_channel *ch, const struct at_line *line)
{
	struct at_line inner;
	size_t n = 0;

	if (ch->echo_rest && strcmp(line->text, ch->echo_rest) == 0) {
		ch->echo_rest = NULL;
		return true;
	}
	if (!channel_is_running(ch) || ch->echo_off)
		return false;
	while (ch->text[n] && ch->text[n] == line->text[n])
		n++;
	for (; n > 1; n--) {
		if (line->text[n] && at_parser_match(ch->parser,
						     line->text + n, &inner) &&
		    inner.kind == AT_URC) {
			ch->echo_rest = ch->text + n;
			ch->ops->urc(ch->ctx, &inner);
			return true;
		}
	}

	return false;
}

/*
 * Pushed bytes without a line end behind them were completed by the head of
 * what followed: its rest is no line that anybody knows.
 */
static bool is_behind_push(const struct at_channel *ch,
			   const struct at_line *line)
{
	return line->glued && ch->behind_push &&
	       timers_mono_ms(ch->timers) - ch->pushed_ms < PUSH_TAIL_MS;
}

static void handle_text(struct at_channel *ch, const struct at_line *line)
{
	if (is_cut_echo(ch, line)) {
		ch->echo_seen = true;
		return;
	}
	if (!is_echo(ch, line) && is_behind_push(ch, line)) {
		ch->stats.lost_payloads++;
		channel_bad_header(ch);
		return;
	}
	if (is_echo(ch, line)) {
		ch->echo_seen = true;
		if (ch->echo_off && !ch->echo_told) {
			ch->echo_told = true;
			ch->ops->echoed(ch->ctx);
		}
		return;
	}
	if (channel_is_running(ch) && ch->cmd.want_text && ch->cmd.line) {
		ch->cmd.line(ch->cmd.ctx, line);
		return;
	}
	ch->stats.unknown_lines++;
	ch->strange = true;
}

/* Some commands end in it, and a server enters data mode by itself. */
static void handle_connect(struct at_channel *ch, const struct at_line *line)
{
	if (channel_is_running(ch) && ch->cmd.connect)
		handle_final(ch, line);
	else
		ch->ops->urc(ch->ctx, line);
}

static void trace_line(struct at_channel *ch, const struct at_line *line)
{
	static const char masked[] = "<secret>";

	if (ch->masking && line->kind == AT_TEXT)
		at_trace_add(ch->trace, AT_TRACE_LINE, masked,
			     sizeof(masked) - 1);
	else
		at_trace_add(ch->trace, AT_TRACE_LINE, line->text, line->len);
}

/* More than was asked for, though not more than may be pushed. */
static bool is_too_long(const struct at_channel *ch,
			const struct at_line *line)
{
	return line->rule->payload &&
	       line->args[line->rule->payload - 1] > (long)ch->cmd.answer_max;
}

/*
 * A header was announced, and this line is none: it was damaged on its way, and
 * what it counted is read as lines now, which may say anything.
 */
static bool is_headless(struct at_channel *ch, const struct at_line *line)
{
	bool due = ch->header_due;

	if (line->kind == AT_URC && !line->rule->payload &&
	    !line->rule->announces)
		return false;
	ch->header_due = line->rule && line->rule->announces;

	return due && !(line->rule && line->rule->payload);
}

/* One that is not of the answer. */
static void handle_other(struct at_channel *ch, const struct at_line *line)
{
	switch (line->kind) {
	case AT_OK:
	case AT_FAIL:
		handle_final(ch, line);
		break;
	case AT_SENT:
		handle_sent(ch, line);
		break;
	case AT_BUSY:
		channel_busy(ch);
		break;
	case AT_DETAIL:
		handle_detail(ch, line);
		break;
	case AT_URC:
		ch->ops->urc(ch->ctx, line);
		break;
	case AT_CONNECT:
		handle_connect(ch, line);
		break;
	case AT_REPLY:
		ch->stats.unknown_lines++;	/* late, nobody's answer now */
		break;
	case AT_TEXT:
		handle_text(ch, line);
		break;
	}
}

static void on_line(void *ctx, const struct at_line *line)
{
	struct at_channel *ch = ctx;
	bool ours = channel_is_running(ch) &&
		    (is_accepted(ch, line) || is_raw_answer(ch, line));

	ch->old_line = ch->half_line;
	ch->half_line = false;
	ch->behind_push = ch->bare_push;
	ch->bare_push = !ours && line->kind == AT_URC &&
			line->rule->payload && line->rule->end;
	trace_line(ch, line);
	ch->data_for_command = ours;
	if (ch->deaf)		/* payload, as like as not */
		return;
	if (is_headless(ch, line) || line->bad_payload ||
	    (ours && is_too_long(ch, line))) {
		channel_bad_header(ch);
		return;
	}
	if (ours) {
		ch->answered = true;
		if (ch->cmd.line)
			ch->cmd.line(ch->cmd.ctx, line);
		/* Asked for or not: it may also have come by itself. */
		if (ch->cmd.raw && line->kind == AT_URC)
			ch->ops->urc(ch->ctx, line);
		return;
	}
	handle_other(ch, line);
}

static void on_payload(void *ctx, const uint8_t *data, size_t len, bool last)
{
	struct at_channel *ch = ctx;

	at_trace_add(ch->trace, AT_TRACE_PAYLOAD_IN, data, len);
	if (ch->deaf)
		return;
	ch->pushed_ms = timers_mono_ms(ch->timers);
	if (!ch->data_for_command)
		ch->ops->data(ch->ctx, data, len, last);
	else if (ch->cmd.data)
		ch->cmd.data(ch->cmd.ctx, data, len, last);
}

/* What the payload counted was not what came: its end is another's. */
static void on_misfit(void *ctx)
{
	struct at_channel *ch = ctx;

	/* After what was pushed an echo may follow at once. */
	if (!ch->data_for_command && !ch->echo_off)
		return;
	ch->stats.lost_payloads++;
	channel_bad_header(ch);
}

static void on_torn(void *ctx)
{
	struct at_channel *ch = ctx;

	ch->stats.lost_payloads++;
	ch->ops->data(ch->ctx, NULL, 0, true);
}

static void on_prompt(void *ctx)
{
	struct at_channel *ch = ctx;

	at_trace_add(ch->trace, AT_TRACE_PROMPT, ">", 1);
	if (ch->cmd.ok_prompts && ch->state != CH_COMMAND)
		ch->prompts = PROMPTS_ALWAYS;
	/* Where OK stands for it, one before that says nothing. */
	if (ch->state == CH_PROMPT || ch->state == CH_BUSY ||
	    (ch->state == CH_COMMAND && !ch->cmd.ok_prompts))
		channel_write_payload(ch);
}

static void on_garbage(void *ctx, size_t len)
{
	struct at_channel *ch = ctx;

	ch->stats.garbage_bytes += len;
	ch->ops->data(ch->ctx, NULL, 0, true);
}

const struct at_parser_ops channel_parser_ops = {
	.line		= on_line,
	.payload	= on_payload,
	.misfit		= on_misfit,
	.torn		= on_torn,
	.prompt		= on_prompt,
	.garbage	= on_garbage,
};
