/* SPDX-License-Identifier: MIT */

/*
 * sync - finding the line again: after silence, a garbled answer, a refused
 * send, and at the start, when nobody knows what the modem last heard.
 *
 * Wait until nothing comes any more, then ask AT until exactly one OK is the
 * answer. A modem that waits for payload, because its prompt was lost, is
 * first told ESC and, should that not help, given the bytes it may want: the
 * link they go to is broken in any case, and empty lines upset nobody. Where
 * all that would be payload, +++ between two silences is what ends it.
 */

#include <errno.h>
#include <string.h>

#include "at/channel_private.h"
#include "at/trace.h"
#include "base/log.h"
#include "base/timer.h"
#include "port/port.h"

#define QUIET_MS	100	/* without a byte: late answers are over */
#define QUIET_MAX_MS	2000	/* a modem that never falls silent */
#define SETTLE_MS	80	/* after an OK: a second one means not ours */
#define TRY_MS		1000
#define TRIES_MIN	3	/* plain, ESC, fed */
#define RAW_ENTRY_MAX	1500	/* bytes a raw command may have asked for */
#define BUSY_MAX_MS	60000	/* so long "busy" is no silence */
#define EXTRA_MAX	5	/* answers too many that cost no try */

/* @n bytes of @pair, over and over. */
static void write_run(struct at_channel *ch, const char *pair, size_t n)
{
	char run[64];
	size_t i, piece;

	for (i = 0; i < sizeof(run); i++)
		run[i] = pair[i % 2];
	for (; n > 0; n -= piece) {
		piece = n < sizeof(run) ? n : sizeof(run);
		if (port_write(ch->port, run, piece))
			return;
	}
}

/*
 * A modem that waits for payload takes our AT for it. First ask plainly,
 * unless it is known to wait; then say ESC; then give it all it may want.
 */
static void end_data_entry(struct at_channel *ch)
{
	unsigned int step = ch->tried + ch->entry_known;
	enum at_entry entry = ch->dialect.entry;

	if (ch->entry_left == 0 || entry == AT_ENTRY_PLUSES)
		return;
	if (step == 1 && entry == AT_ENTRY_ESC)
		write_run(ch, "\x1b\x1b", 1);
	if (step != 2)
		return;
	if (ch->entry_coded) {	/* the first one may have been quoted */
		write_run(ch, "\x1b\x1b", 1);
		return;
	}
	at_trace_note(ch->trace, "fed %zu empty lines to end a send",
		      ch->entry_left);
	/* Empty lines upset nobody, as long as they are lines. */
	write_run(ch, entry == AT_ENTRY_ESC ? "\r\r" : "\r\n",
		  ch->entry_left);
}

static void write_probe(struct at_channel *ch)
{
	/* only what is written takes the line its time */
	size_t fed = ch->dialect.entry == AT_ENTRY_PLUSES ? 0 :
		     ch->entry_left;

	ch->synced = false;
	ch->busy_probe = false;
	end_data_entry(ch);
	ch->tried++;
	at_trace_add(ch->trace, AT_TRACE_COMMAND, "AT", 2);
	channel_set_state(ch, CH_PROBE);
	(void)channel_write_line(ch, "AT");
	timer_start(ch->deadline, ch->try_ms + channel_line_ms(ch, 16 + fed));
}

static void begin_escape(struct at_channel *ch)
{
	ch->escaping = false;
	channel_set_state(ch, CH_ESCAPE);
	timer_start(ch->deadline, ch->dialect.guard_ms);
}

static bool wants_pluses(const struct at_channel *ch)
{
	unsigned int step = ch->tried + ch->entry_known;
	enum at_entry entry = ch->dialect.entry;

	if (ch->entry_left == 0)
		return false;

	return (entry == AT_ENTRY_PLUSES && step > 0) ||
	       (entry == AT_ENTRY_UNKNOWN && step == 1);
}

static void probe(struct at_channel *ch)
{
	ch->tries_left--;
	if (wants_pluses(ch))
		begin_escape(ch);
	else
		write_probe(ch);
}

static void begin(struct at_channel *ch, unsigned int tries, uint32_t try_ms,
		  bool settle)
{
	ch->busy_until_ms = timers_mono_ms(ch->timers) + BUSY_MAX_MS;
	ch->escaping = false;
	ch->tries_left = tries;
	ch->try_ms = try_ms;
	ch->settle = settle;
	if (settle)
		ch->explained = false;
	ch->tried = 0;
	ch->extra = 0;
}

static void give_up(struct at_channel *ch)
{
	at_trace_note(ch->trace, "the modem does not answer");
	channel_set_state(ch, CH_REST);
	ch->entry_left = 0;
	ch->ops->silent(ch->ctx);
}

static void in_step(struct at_channel *ch)
{
	timer_stop(ch->deadline);
	ch->entry_left = 0;
	channel_set_state(ch, CH_IDLE);
	/* While input is taken apart, its reader tells it at its end. */
	if (!ch->feeding)
		ch->ops->idle(ch->ctx);
}

static bool is_pushing(const struct at_channel *ch)
{
	return at_parser_in_payload(ch->parser) && !ch->data_for_command;
}

/* What is half read never ends. */
static void forget_input(struct at_channel *ch)
{
	if (is_pushing(ch) || ch->header_due)
		ch->ops->data(ch->ctx, NULL, 0, true);
	ch->header_due = false;
	at_parser_reset(ch->parser);
}

/* A modem that goes on and on, and is understood, is pushing data. */
static void end_quiet(struct at_channel *ch)
{
	bool quiet = timers_mono_ms(ch->timers) - ch->quiet_since_ms <
		     QUIET_MAX_MS;

	if (ch->deaf || quiet)
		forget_input(ch);
	ch->deaf = false;
	probe(ch);
}

void channel_start_sync(struct at_channel *ch, bool wait_for_quiet)
{
	begin(ch, ch->max_silence > TRIES_MIN ? ch->max_silence : TRIES_MIN,
	      TRY_MS, wait_for_quiet);
	ch->stats.resyncs += !ch->explained;
	/* What is being pushed goes on, answers or not. */
	if (!wait_for_quiet || !is_pushing(ch))
		forget_input(ch);
	if (!wait_for_quiet) {
		probe(ch);
		return;
	}
	at_trace_note(ch->trace, "resynchronising");
	channel_set_state(ch, CH_QUIET);
	ch->quiet_since_ms = timers_mono_ms(ch->timers);
	timer_start(ch->deadline, QUIET_MS);
}

void at_channel_sync(struct at_channel *ch, unsigned int tries,
		     uint32_t wait_ms, size_t entry_max)
{
	at_channel_reset(ch);
	if (!port_is_open(ch->port))
		return;

	ch->entry_left = entry_max;
	ch->entry_known = false;
	ch->entry_coded = false;
	begin(ch, tries, wait_ms, true);
	probe(ch);
}

void at_channel_escape(struct at_channel *ch, unsigned int tries,
		       uint32_t wait_ms)
{
	at_channel_reset(ch);
	if (!port_is_open(ch->port))
		return;

	begin(ch, tries, wait_ms, true);
	ch->deaf = true;	/* what comes may be anything */
	ch->tries_left--;
	begin_escape(ch);
}

/* The OK of it is not waited for: whoever was in command mode gives none. */
static void escape(struct at_channel *ch)
{
	if (ch->escaping) {
		if (ch->deaf)
			at_parser_reset(ch->parser);
		ch->deaf = false;
		write_probe(ch);
		return;
	}
	at_trace_note(ch->trace, "+++, should it be in data mode");
	ch->escaping = true;
	(void)port_write(ch->port, "+++", 3);
	timer_start(ch->deadline, ch->dialect.rest_ms +
		    channel_line_ms(ch, 3));
}

/* Our AT is lost. The next final line is that of what it is busy with. */
void channel_sync_busy(struct at_channel *ch)
{
	if (ch->busy_probe ||
	    timers_mono_ms(ch->timers) >= ch->busy_until_ms)
		return;
	ch->busy_probe = true;
	ch->tries_left++;
}

/* The end of a send that was given up. */
void channel_sync_sent(struct at_channel *ch)
{
	if (ch->busy_probe)
		probe(ch);
	else
		ch->stats.stray_finals++;
}

/* Any final line while the line is being found. */
void channel_sync_final(struct at_channel *ch, bool ok)
{
	if (ch->state == CH_QUIET)
		return;
	if (ch->busy_probe) {
		probe(ch);
		return;
	}
	/* It takes commands, perhaps "+++AT" for one. */
	if (ch->escaping)
		ch->entry_left = 0;
	if (ch->synced || (!ok && ch->settle)) {
		/* One too many, or half a line before our AT: ask again. */
		ch->synced = false;
		if (ch->extra++ < EXTRA_MAX)
			ch->tries_left++;
		if (ch->tries_left > 0)
			probe(ch);
		return;
	}
	if (!ok)
		return;
	if (!ch->settle) {
		in_step(ch);
		return;
	}
	ch->synced = true;
	timer_start(ch->deadline, SETTLE_MS);
}

/* Anything heard moves the end of the quiet time. */
void channel_sync_input(struct at_channel *ch)
{
	if (ch->state != CH_QUIET)
		return;
	if (timers_mono_ms(ch->timers) - ch->quiet_since_ms < QUIET_MAX_MS)
		timer_start(ch->deadline, QUIET_MS);
}

/*
 * A header that counts what cannot be, or payload that was longer or shorter
 * than its header: what follows may be payload, which could say anything. No
 * line is heard until it is quiet.
 */
void channel_bad_header(struct at_channel *ch)
{
	ch->stats.garbage_bytes++;
	if (channel_is_running(ch))
		channel_end_command(ch, -EBADMSG, "", CH_QUIET);
	ch->header_due = false;
	ch->ops->data(ch->ctx, NULL, 0, true);
	if (ch->state != CH_QUIET && ch->state != CH_IDLE)
		return;
	ch->deaf = true;
	channel_start_sync(ch, true);
}

void channel_timed_out(struct at_channel *ch)
{
	ch->stats.timeouts++;
	if (at_parser_in_payload(ch->parser))
		ch->stats.lost_payloads++;
	ch->entry_left = ch->cmd.raw ? RAW_ENTRY_MAX : ch->cmd.payload_len;
	ch->entry_known = true;
	ch->entry_coded = ch->cmd.coded;
	log_warn("line: no answer to %s", ch->cmd.secret ? "a secret command" :
		 ch->text);
	channel_end_command(ch, -ETIMEDOUT, "", CH_QUIET);
	if (ch->state == CH_QUIET)
		channel_start_sync(ch, true);
}

static void probe_timed_out(struct at_channel *ch)
{
	if (ch->synced) {
		in_step(ch);
		return;
	}
	if (ch->explained) {	/* but the modem wanted bytes all the same */
		ch->explained = false;
		ch->stats.resyncs++;
	}
	if (ch->tries_left > 0)
		probe(ch);
	else
		give_up(ch);
}

void channel_on_deadline(void *ctx)
{
	struct at_channel *ch = ctx;

	switch (ch->state) {
	case CH_PROMPT:
		channel_prompt_is_late(ch);
		break;
	case CH_BUSY:
		channel_busy_is_over(ch);
		break;
	case CH_COMMAND:
	case CH_PAYLOAD:
		channel_timed_out(ch);
		break;
	case CH_QUIET:
		end_quiet(ch);
		break;
	case CH_PROBE:
		probe_timed_out(ch);
		break;
	case CH_ESCAPE:
		escape(ch);
		break;
	case CH_REST:
	case CH_IDLE:
	case CH_RAW:
		break;
	}
}
