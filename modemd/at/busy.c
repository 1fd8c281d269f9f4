/* SPDX-License-Identifier: MIT */

/*
 * busy - a modem that does one thing at a time: the line that it was too busy
 * for goes out again; and one that says OK where others prompt.
 */

#include <errno.h>

#include "at/channel_private.h"
#include "at/trace.h"
#include "base/timer.h"
#include "port/port.h"

#define BUSY_MS		300	/* until a line that was refused is repeated */
#define PROMPT_MS	1000	/* for the prompt of a modem that sends one */
#define FIRST_PROMPT_MS	50	/* the same, when nobody knows */
#define DOUBT_MS	200	/* for the prompt behind an OK in doubt */

static uint32_t left_ms(const struct at_channel *ch)
{
	int64_t left = ch->until_ms - timers_mono_ms(ch->timers);

	return left > 0 ? (uint32_t)left : 0;
}

/* The modem did not take it: the same line once more. */
void channel_send_again(struct at_channel *ch)
{
	ch->half_line = at_parser_in_line(ch->parser);
	ch->answered = false;
	ch->strange = false;
	ch->ok_doubt = false;
	ch->detail[0] = '\0';
	ch->answer.rule = NULL;
	if (channel_write_line(ch, ch->text) || !port_is_open(ch->port))
		return;		/* the port has ended it */
	channel_trace_command(ch);
	channel_begin_wait(ch, left_ms(ch));
}

/* A moment within the command's time. */
void channel_wait(struct at_channel *ch, enum channel_state state, uint32_t ms)
{
	channel_set_state(ch, state);
	timer_start(ch->deadline, ms < left_ms(ch) ? ms : left_ms(ch));
}

/* It was taken all the same. */
void channel_go_on(struct at_channel *ch)
{
	ch->ok_doubt = false;
	channel_set_state(ch, CH_COMMAND);
	timer_start(ch->deadline, left_ms(ch));
}

void channel_write_payload(struct at_channel *ch)
{
	channel_go_on(ch);
	channel_set_state(ch, CH_PAYLOAD);
	if (ch->echo_seen)
		at_parser_expect_echo(ch->parser, ch->payload,
				      ch->cmd.payload_len);
	at_trace_add(ch->trace, AT_TRACE_PAYLOAD_OUT, ch->payload,
		     ch->cmd.payload_len);
	/* -ENOBUFS cannot be: the line drained before the prompt came. */
	(void)port_write(ch->port, ch->payload, ch->cmd.payload_len);
}

/*
 * It stands for the prompt. Where one follows, bytes before it may be lost;
 * where none does, waiting for it would cost more than the line does.
 */
void channel_prompting_ok(struct at_channel *ch)
{
	if (ch->state != CH_COMMAND)
		return;		/* one too many */
	if (ch->prompts == PROMPTS_NEVER)
		channel_write_payload(ch);
	else
		channel_wait(ch, CH_PROMPT, channel_line_ms(ch, 8) +
			     (ch->prompts == PROMPTS_ALWAYS ? PROMPT_MS :
			      FIRST_PROMPT_MS));
}

/*
 * A final line behind "busy" is that of what the modem was busy with, unless
 * lines of an answer stood before it. An OK that stands for a prompt may be
 * either, and bytes that nobody waits for would be commands: a real prompt
 * tells.
 */
bool channel_is_of_another(struct at_channel *ch, const struct at_line *line)
{
	if (ch->state != CH_BUSY || ch->answered)
		return false;
	if (line->kind == AT_OK && ch->cmd.ok_prompts) {
		ch->ok_doubt = true;
		channel_wait(ch, CH_BUSY, DOUBT_MS);
	} else {
		channel_send_again(ch);
	}

	return true;
}

/* The line that was sent is lost. */
void channel_busy(struct at_channel *ch)
{
	if (ch->state == CH_PROBE)
		channel_sync_busy(ch);
	else if (ch->state == CH_COMMAND && port_unwritten(ch->port) == 0)
		channel_wait(ch, CH_BUSY, BUSY_MS);
}

/* OK, and no prompt: it waits for payload, or it has not read the command. */
static void end_in_doubt(struct at_channel *ch)
{
	ch->entry_left = ch->cmd.payload_len;
	ch->entry_known = true;
	ch->entry_coded = false;
	channel_end_command(ch, -EBUSY, "", CH_QUIET);
	if (ch->state == CH_QUIET)
		channel_start_sync(ch, true);
}

/* There is none: so be it. */
void channel_prompt_is_late(struct at_channel *ch)
{
	if (ch->prompts == PROMPTS_UNKNOWN)
		ch->prompts = PROMPTS_NEVER;
	channel_write_payload(ch);
}

void channel_busy_is_over(struct at_channel *ch)
{
	if (timers_mono_ms(ch->timers) >= ch->until_ms)
		channel_timed_out(ch);
	else if (ch->ok_doubt)
		end_in_doubt(ch);
	else if (ch->answered)
		channel_go_on(ch);
	else
		channel_send_again(ch);
}
