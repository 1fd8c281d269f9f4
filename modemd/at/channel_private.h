/* SPDX-License-Identifier: MIT */

/*
 * channel_private - what channel.c (commands), answer.c (whose a line is),
 * busy.c (a modem that does one thing at a time) and sync.c (finding the line
 * again) share. Nobody else includes it.
 */

#ifndef MODEMD_AT_CHANNEL_PRIVATE_H
#define MODEMD_AT_CHANNEL_PRIVATE_H

#include "at/channel.h"
#include "at/text.h"

enum channel_state {
	CH_REST,	/* no modem, or none that answers */
	CH_IDLE,	/* a command may go out */
	CH_COMMAND,	/* written; its prompt or its final line is due */
	CH_PAYLOAD,	/* payload written; its final line is due */
	CH_PROMPT,	/* OK stands for the prompt, which may follow */
	CH_BUSY,	/* refused as busy: to be written once more */
	CH_QUIET,	/* waiting until nothing comes any more */
	CH_PROBE,	/* AT written; exactly one OK is due */
	CH_ESCAPE,	/* a pause before or after +++ */
	CH_RAW,
};

/* Where OK stands for the prompt: does this modem send one all the same? */
enum channel_prompts { PROMPTS_UNKNOWN, PROMPTS_NEVER, PROMPTS_ALWAYS };

struct at_channel {
	const struct at_channel_ops *ops;
	void *ctx;
	struct timers *timers;
	struct port *port;
	struct at_parser *parser;
	struct at_trace *trace;
	struct at_dialect dialect;
	struct timer *deadline;		/* of whatever the state waits for */
	enum channel_state state;
	bool feeding;			/* input is being taken apart */
	bool half_line;			/* there when the command went out */
	bool old_line;			/* the line in hand was */
	bool answered, strange;		/* lines that it accepts; unknown ones */
	bool header_due;		/* announced; a URC may stand between */
	bool data_for_command;		/* whose the payload being read is */
	bool masking;			/* a secret may be echoed, also late */
	bool echo_seen;			/* of the running command */
	bool echo_trial;		/* switched off, says the modem */
	bool echo_off;			/* and so it is: one means a restart */
	bool echo_told;
	const char *echo_rest;		/* of an echo that a line cut in two */
	bool bare_push;			/* this line heads pushed bytes */
	bool behind_push;		/* the last one did */
	int64_t pushed_ms;		/* when, without a line end behind */
	int64_t until_ms;		/* when the running command times out */
	enum channel_prompts prompts;
	bool ok_doubt;			/* OK behind "busy": whose is it? */
	unsigned int max_silence;	/* unanswered ATs that make it absent */
	struct at_command cmd;		/* the running one */
	struct at_answer answer;
	char detail[256];
	char text[AT_COMMAND_MAX + 1];
	uint8_t payload[AT_PAYLOAD_OUT_MAX];
	/* sync.c */
	size_t entry_left;		/* bytes of payload it may wait for */
	bool entry_known;		/* it does: its prompt was due */
	bool entry_coded;		/* ESC ends it, not a count */
	unsigned int tried;
	unsigned int extra;		/* finals beyond the one that is due */
	unsigned int tries_left;
	uint32_t try_ms;
	int64_t busy_until_ms;		/* so long a busy one is no silence */
	bool busy_probe;		/* the next final is another's */
	bool settle;			/* late answers may be on their way */
	bool explained;			/* by the refused send: no fault yet */
	bool deaf;			/* until it is quiet: lines may be data */
	bool synced;			/* OK seen, listening for a second */
	int64_t quiet_since_ms;
	bool escaping;			/* +++ is out: the second pause */
	const struct at_raw_ops *raw;
	void *raw_ctx;
	bool raw_held;
	struct at_channel_stats stats;
};

void channel_set_state(struct at_channel *ch, enum channel_state to);
uint32_t channel_line_ms(const struct at_channel *ch, size_t bytes);
bool channel_is_running(const struct at_channel *ch);
int channel_write_line(struct at_channel *ch, const char *text);
void channel_begin_wait(struct at_channel *ch, uint32_t ms);
void channel_trace_command(struct at_channel *ch);
void channel_end_command(struct at_channel *ch, int err, const char *final,
			 enum channel_state next);

/* answer.c */
extern const struct at_parser_ops channel_parser_ops;

/* busy.c */
void channel_send_again(struct at_channel *ch);
void channel_wait(struct at_channel *ch, enum channel_state state,
		  uint32_t ms);
void channel_go_on(struct at_channel *ch);
void channel_write_payload(struct at_channel *ch);
void channel_prompting_ok(struct at_channel *ch);
bool channel_is_of_another(struct at_channel *ch, const struct at_line *line);
void channel_busy(struct at_channel *ch);
void channel_busy_is_over(struct at_channel *ch);
void channel_prompt_is_late(struct at_channel *ch);

/* sync.c */
void channel_timed_out(struct at_channel *ch);
void channel_on_deadline(void *ctx);
void channel_start_sync(struct at_channel *ch, bool wait_for_quiet);
void channel_sync_final(struct at_channel *ch, bool ok);
void channel_sync_busy(struct at_channel *ch);
void channel_sync_sent(struct at_channel *ch);
void channel_sync_input(struct at_channel *ch);
void channel_bad_header(struct at_channel *ch);

#endif
