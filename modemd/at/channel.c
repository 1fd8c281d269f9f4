/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at/channel_private.h"
#include "at/text.h"
#include "at/trace.h"
#include "base/config.h"
#include "base/log.h"
#include "base/timer.h"
#include "port/port.h"

void channel_set_state(struct at_channel *ch, enum channel_state to)
{
	ch->state = to;
}

/* ms that @bytes need on the line, rounded up. */
uint32_t channel_line_ms(const struct at_channel *ch, size_t bytes)
{
	unsigned int baud = port_baud(ch->port);

	return baud ? (uint32_t)(bytes * 10000 / baud + 1) : 1;
}

/* ------------------------------------------------------------- the command */

bool at_channel_in_line(const struct at_channel *ch)
{
	return at_parser_in_line(ch->parser);
}

bool at_channel_ready(const struct at_channel *ch)
{
	return ch->state == CH_IDLE && !ch->feeding;
}

static int check_command(const struct at_channel *ch,
			 const struct at_command *cmd)
{
	const char *s;

	if (!at_channel_ready(ch))
		return ch->state == CH_REST ? -ENODEV : -EBUSY;
	if (strlen(cmd->text) > AT_COMMAND_MAX ||
	    cmd->payload_len > AT_PAYLOAD_OUT_MAX)
		return -EMSGSIZE;
	/* The last gate before the modem: no byte may end this line early. */
	for (s = cmd->text; *s; s++) {
		if (*s < 0x20 || *s == 0x7f)
			return -EINVAL;
	}

	return 0;
}

/* A secret is shown up to its '=' only. */
void channel_trace_command(struct at_channel *ch)
{
	size_t len = strlen(ch->text);
	char masked[AT_COMMAND_MAX + 16];

	if (ch->cmd.secret) {
		len = strcspn(ch->text, "=");
		snprintf(masked, sizeof(masked), "%.*s=<secret>", (int)len,
			 ch->text);
		at_trace_add(ch->trace, AT_TRACE_COMMAND, masked,
			     strlen(masked));
		return;
	}
	at_trace_add(ch->trace, AT_TRACE_COMMAND, ch->text, len);
}

/* The line is out: its prompt or its final line is due. */
void channel_begin_wait(struct at_channel *ch, uint32_t ms)
{
	at_parser_expect_prompt(ch->parser, ch->cmd.payload_len > 0);
	channel_set_state(ch, CH_COMMAND);
	timer_start(ch->deadline, ms);
}

int at_channel_send(struct at_channel *ch, const struct at_command *cmd)
{
	size_t pushed = ch->dialect.urc_payload_max;
	uint32_t ms;
	int err;

	err = check_command(ch, cmd);
	if (err)
		return err;

	ch->cmd = *cmd;
	strcpy(ch->text, cmd->text);
	if (cmd->payload_len > 0)
		memcpy(ch->payload, cmd->payload, cmd->payload_len);
	memset(&ch->answer, 0, sizeof(ch->answer));
	ch->detail[0] = '\0';
	ch->data_for_command = false;
	ch->echo_seen = false;
	ch->masking = cmd->secret;
	ch->answered = false;
	ch->strange = false;
	ch->ok_doubt = false;
	ch->echo_rest = NULL;
	ch->half_line = at_parser_in_line(ch->parser);

	err = channel_write_line(ch, ch->text);
	if (err || !port_is_open(ch->port))
		return err ? err : -ENODEV;

	channel_trace_command(ch);
	ch->stats.commands++;
	at_parser_set_payload_max(ch->parser, cmd->answer_max > pushed ?
				  cmd->answer_max : pushed);
	at_parser_set_variant(ch->parser, cmd->variant);
	ms = cmd->timeout_ms + channel_line_ms(ch, strlen(ch->text) +
		    cmd->payload_len + cmd->answer_max);
	ch->until_ms = timers_mono_ms(ch->timers) + ms;
	channel_begin_wait(ch, ms);

	return 0;
}

int channel_write_line(struct at_channel *ch, const char *text)
{
	char line[AT_COMMAND_MAX + 4];
	int n;

	n = snprintf(line, sizeof(line), "%s%s", text, ch->dialect.eol);

	return port_write(ch->port, line, (size_t)n);
}

/* The first command after ATE0 shows whether that had an effect. */
static void judge_echo(struct at_channel *ch)
{
	if (!ch->echo_trial)
		return;
	ch->echo_trial = false;
	ch->echo_off = !ch->echo_seen;
	if (ch->echo_seen)
		log_info("modem: goes on echoing");
}

/* Ends the running command; @next is the state that its done() sees. */
void channel_end_command(struct at_channel *ch, int err, const char *final,
			 enum channel_state next)
{
	struct at_command cmd = ch->cmd;

	timer_stop(ch->deadline);
	judge_echo(ch);
	at_parser_expect_prompt(ch->parser, false);
	at_parser_expect_echo(ch->parser, NULL, 0);
	at_parser_set_variant(ch->parser, 0);
	at_parser_set_payload_max(ch->parser, ch->dialect.urc_payload_max);
	channel_set_state(ch, next);
	memset(&ch->cmd, 0, sizeof(ch->cmd));
	ch->answer.final = final;
	ch->answer.detail = ch->detail;
	if (cmd.secret)
		explicit_bzero(ch->text, sizeof(ch->text));
	cmd.done(cmd.ctx, err, &ch->answer);
}

bool channel_is_running(const struct at_channel *ch)
{
	return ch->state == CH_COMMAND || ch->state == CH_PAYLOAD ||
	       ch->state == CH_PROMPT || ch->state == CH_BUSY;
}

/* ----------------------------------------------------- what the port tells */

static size_t raw_input(struct at_channel *ch, const uint8_t *data, size_t len)
{
	size_t n;

	at_trace_add(ch->trace, AT_TRACE_PAYLOAD_IN, data, len);
	n = ch->raw->input(ch->raw_ctx, data, len);

	return ch->state == CH_RAW ? len : n;
}

static void on_input(void *ctx, const uint8_t *data, size_t len)
{
	struct at_channel *ch = ctx;
	size_t n;

	/* At rest too: a banner says that the modem has come. */
	channel_sync_input(ch);
	ch->feeding = true;
	for (; len > 0; data += n, len -= n) {
		if (ch->state == CH_RAW)
			n = raw_input(ch, data, len);
		else
			n = at_parser_feed(ch->parser, data, len);
	}
	ch->feeding = false;
	/* Only now: what stood in the same read is not the next answer. */
	if (ch->state == CH_IDLE)
		ch->ops->idle(ch->ctx);
}

/* @err ends the running command. */
static void come_to_rest(struct at_channel *ch, int err)
{
	at_parser_reset(ch->parser);
	timer_stop(ch->deadline);
	if (channel_is_running(ch))
		channel_end_command(ch, err, "", CH_REST);
	channel_set_state(ch, CH_REST);
	ch->deaf = false;
	ch->header_due = false;
	ch->prompts = PROMPTS_UNKNOWN;
	ch->echo_trial = false;
	ch->echo_off = false;
	ch->echo_told = false;
	ch->entry_left = 0;
	at_channel_hold_raw(ch, false);
}

static void on_lost(void *ctx, int err)
{
	struct at_channel *ch = ctx;

	at_trace_note(ch->trace, "port lost: %s", strerror(-err));
	come_to_rest(ch, -ENODEV);
	ch->ops->lost(ch->ctx, err);
}

static void on_stalled(void *ctx, bool stalled)
{
	struct at_channel *ch = ctx;

	ch->stats.stalled = stalled;
	if (stalled)
		log_warn("line: the modem takes no bytes (CTS low): "
			 "check flow-control");
}

static void on_drained(void *ctx)
{
	struct at_channel *ch = ctx;

	if (ch->state == CH_RAW)
		ch->raw->drained(ch->raw_ctx);
}

static const struct port_ops port_ops = {
	.input		= on_input,
	.drained	= on_drained,
	.lost		= on_lost,
	.stalled	= on_stalled,
};

/* ---------------------------------------------------------------- raw mode */

int at_channel_set_raw(struct at_channel *ch, const struct at_raw_ops *ops,
		       void *ctx)
{
	if (ops && ch->state != CH_IDLE)
		return -EBUSY;

	ch->raw = ops;
	ch->raw_ctx = ctx;
	if (ops) {
		at_parser_stop(ch->parser);	/* when it is being fed */
		channel_set_state(ch, CH_RAW);
	} else if (ch->state == CH_RAW) {
		at_channel_hold_raw(ch, false);
		at_parser_reset(ch->parser);
		channel_set_state(ch, CH_IDLE);
	}

	return 0;
}

int at_channel_write_raw(struct at_channel *ch, const void *data, size_t len)
{
	int err = -EPERM;

	if (ch->state == CH_RAW)
		err = port_write(ch->port, data, len);
	if (!err)
		at_trace_add(ch->trace, AT_TRACE_PAYLOAD_OUT, data, len);

	return err;
}

size_t at_channel_raw_unsent(const struct at_channel *ch)
{
	return port_unsent(ch->port);
}

void at_channel_hold_raw(struct at_channel *ch, bool hold)
{
	if (ch->raw_held == hold || (hold && ch->state != CH_RAW))
		return;
	ch->raw_held = hold;
	port_hold_input(ch->port, hold);
}

bool at_channel_raw_held(const struct at_channel *ch)
{
	return ch->raw_held;
}

uint32_t at_channel_line_ms(const struct at_channel *ch, size_t bytes)
{
	return channel_line_ms(ch, bytes);
}

int at_channel_set_dtr(struct at_channel *ch, bool on)
{
	return port_set_dtr(ch->port, on);
}

size_t at_channel_raw_unwritten(const struct at_channel *ch)
{
	return port_unwritten(ch->port);
}

/* ---------------------------------------------------------------- its life */

int at_channel_new(struct timers *ts, const struct config_modem *set,
		   const struct at_channel_ops *ops, void *ctx,
		   struct at_channel **out)
{
	struct at_channel *ch;

	ch = calloc(1, sizeof(*ch));
	if (!ch)
		return -ENOMEM;

	ch->ops = ops;
	ch->ctx = ctx;
	ch->timers = ts;
	ch->max_silence = 3;
	ch->trace = at_trace_new(ts);
	ch->port = port_new(ts, set, &port_ops, ch);
	ch->deadline = timer_new(ts, channel_on_deadline, ch);
	if (!ch->trace || !ch->port || !ch->deadline) {
		at_channel_free(ch);
		return -ENOMEM;
	}

	*out = ch;
	return 0;
}

void at_channel_free(struct at_channel *ch)
{
	if (!ch)
		return;

	timer_free(ch->deadline);
	port_free(ch->port);
	at_parser_free(ch->parser);
	at_trace_free(ch->trace);
	explicit_bzero(ch->text, sizeof(ch->text));
	free(ch);
}

int at_channel_set_dialect(struct at_channel *ch,
			   const struct at_dialect *dialect)
{
	struct at_parser *p;

	p = at_parser_new(dialect->rules, &channel_parser_ops, ch);
	if (!p)
		return -ENOMEM;

	at_parser_free(ch->parser);
	ch->parser = p;
	ch->dialect = *dialect;
	at_parser_set_payload_max(p, dialect->urc_payload_max);

	return 0;
}

void at_channel_reset(struct at_channel *ch)
{
	come_to_rest(ch, -ECONNRESET);
}

void at_channel_set_echo_off(struct at_channel *ch, bool off)
{
	ch->echo_trial = off;
	ch->echo_off = false;
	ch->echo_told = false;
}

void at_channel_set_max_silence(struct at_channel *ch, unsigned int n)
{
	ch->max_silence = n;
}

struct port *at_channel_port(struct at_channel *ch)
{
	return ch->port;
}

struct at_trace *at_channel_trace(struct at_channel *ch)
{
	return ch->trace;
}

const struct at_channel_stats *
at_channel_get_stats(const struct at_channel *ch)
{
	return &ch->stats;
}
