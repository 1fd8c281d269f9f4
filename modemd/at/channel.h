/* SPDX-License-Identifier: MIT */

/*
 * channel - one command in flight, and the answer that is its own.
 *
 * Owns the parser, the trace and the port. It writes a command only when the
 * one before has had its complete final line, writes payload only after the
 * prompt of that very command, and after anything that did not go by the book
 * (no answer, a header that cannot be, a refused send) makes sure that modem
 * and daemon mean the same line again before the next command goes out. It
 * knows nothing of links.
 *
 * Called by: driver (commands), modem (life).   Calls: port, parser, trace.
 */

#ifndef MODEMD_AT_CHANNEL_H
#define MODEMD_AT_CHANNEL_H

#include "at/parser.h"

struct at_channel;
struct at_trace;
struct config_modem;
struct port;
struct timers;

#define AT_PAYLOAD_OUT_MAX	8192	/* bytes of one command's payload */

/* How a modem that waits for payload is told that none will come. */
enum at_entry {
	AT_ENTRY_ESC,		/* ESC; then all the bytes that it may want */
	AT_ENTRY_PLUSES,	/* +++ alone: all else would be payload */
	AT_ENTRY_UNKNOWN,	/* +++; then all the bytes that it may want */
};

/* How a modem is to be talked to; what differs is here, never a name. */
struct at_dialect {
	const struct at_rule *rules;
	const char *eol;		/* ends a command */
	size_t urc_payload_max;		/* bytes that unasked payload counts */
	enum at_entry entry;
	uint32_t guard_ms;		/* silence before +++ */
	uint32_t rest_ms;		/* and behind it */
};

/* How a command ended; borrowed until done() returns. */
struct at_answer {
	const char *final;		/* the final line, "" when none came */
	const char *detail;		/* the AT_DETAIL line before, or "" */
	const struct at_rule *rule;	/* of that line; NULL: none */
	long args[AT_ARGS_MAX];		/* and its numbers */
};

/*
 * One command. @text is copied, without its line end; @payload too. @accept
 * lists the rules (indexes, ends with -1; NULL: none) whose lines are its
 * answer, borrowed until done(). Exactly one done() ends it:
 *   0            the final line said OK
 *   -EREMOTEIO   it said no; the answer has the words
 *   -ETIMEDOUT   no final line within timeout_ms (the time that its bytes and
 *                its answer's need on the line is added)
 *   -EBADMSG     its answer counted more bytes than asked for, or its header
 *                was not to be read
 *   -ECONNRESET  the modem restarted, or an echo says so
 *   -EBUSY       nothing of its payload was taken: an OK came that may be
 *                that of something the modem was busy with
 *   -ENODEV      the port is gone
 * One that the modem is too busy for is repeated, as long as its time lasts.
 */
struct at_command {
	const char *text;
	const signed char *accept;
	uint32_t timeout_ms;
	const uint8_t *payload;		/* written after the prompt; NULL */
	size_t payload_len;
	bool coded;			/* a byte ends it, ESC cancels it */
	/* OK stands for the prompt, which may come as well; what ends it is
	 * AT_SENT or AT_FAIL. */
	bool ok_prompts;
	unsigned int variant;		/* of the headers in its answer */
	size_t answer_max;		/* counted bytes its answer may bring */
	bool want_text;			/* unmatched lines are its answer */
	/* Nobody knows its answer: lines that only answers have are its own,
	 * and those that begin with a name in it. It may leave the modem at a
	 * prompt: after a timeout that is ended. */
	bool raw;
	bool secret;			/* never traced, never logged */
	bool connect;			/* "CONNECT" ends it well, too */
	void (*line)(void *ctx, const struct at_line *line);
	void (*data)(void *ctx, const uint8_t *data, size_t len, bool last);
	void (*done)(void *ctx, int err, const struct at_answer *answer);
	void *ctx;
};

/*
 * News. @urc and its @data are for the driver; the rest is for the modem.
 * @data without bytes: input was lost, and with it perhaps payload of a @urc.
 * @idle: a command may be sent now. @silent: it did not answer for so long
 * that it counts as absent; the channel rests until at_channel_sync().
 * @echoed: an echo although it was switched off: the modem has restarted.
 * @lost: the port has gone; a running command has had its done().
 */
struct at_channel_ops {
	void (*urc)(void *ctx, const struct at_line *line);
	void (*data)(void *ctx, const uint8_t *data, size_t len, bool last);
	void (*idle)(void *ctx);
	void (*silent)(void *ctx);
	void (*echoed)(void *ctx);
	void (*lost)(void *ctx, int err);
};

struct at_channel_stats {
	uint64_t commands;
	uint64_t timeouts;
	uint64_t resyncs;	/* not: a send refused with a reason */
	uint64_t unknown_lines;
	uint64_t stray_finals;
	uint64_t garbage_bytes;
	uint64_t lost_payloads;
	bool stalled;
};

/* @set is borrowed for its life. Returns 0 and *@out, or -ENOMEM. */
int at_channel_new(struct timers *ts, const struct config_modem *set,
		   const struct at_channel_ops *ops, void *ctx,
		   struct at_channel **out);
void at_channel_free(struct at_channel *ch);

struct port *at_channel_port(struct at_channel *ch);
struct at_trace *at_channel_trace(struct at_channel *ch);
const struct at_channel_stats *
at_channel_get_stats(const struct at_channel *ch);

/* The dialect to speak, borrowed. Not from within a callback. */
int at_channel_set_dialect(struct at_channel *ch,
			   const struct at_dialect *dialect);

/*
 * Asks "AT" until one clean OK comes, at most @tries times @wait_ms: then
 * idle(), else silent(). A running command ends with -ECONNRESET. Somebody
 * may have left the modem waiting for up to @entry_max bytes of payload: from
 * the second try on that is ended.
 */
void at_channel_sync(struct at_channel *ch, unsigned int tries,
		     uint32_t wait_ms, size_t entry_max);

/*
 * The same for a modem that may have been left in data mode, where AT would be
 * payload: it begins with +++ between two pauses.
 */
void at_channel_escape(struct at_channel *ch, unsigned int tries,
		       uint32_t wait_ms);

/* Forgets everything and rests; a running command ends with -ECONNRESET. */
void at_channel_reset(struct at_channel *ch);

/*
 * ATE0 was obeyed, says the modem: once a command had no echo, a later echo
 * is a sign of a restart. Some modems go on echoing.
 */
void at_channel_set_echo_off(struct at_channel *ch, bool off);

/* Unanswered commands in a row that make the modem silent (>= 1). */
void at_channel_set_max_silence(struct at_channel *ch, unsigned int n);

/* A command may be sent: nothing runs and no input is being taken apart. */
bool at_channel_ready(const struct at_channel *ch);

/* Half a line has come. */
bool at_channel_in_line(const struct at_channel *ch);

/*
 * 0 (done() follows, never from within), -EBUSY when not ready, -EINVAL for a
 * byte below 0x20 in the text, -EMSGSIZE, -ENODEV when the port is closed.
 */
int at_channel_send(struct at_channel *ch, const struct at_command *cmd);

/*
 * Raw mode: all bytes go to @fn unlooked at, and at_channel_write_raw() goes
 * straight to the port, until called with NULL. -EBUSY while a command runs.
 * From within urc() or done() it begins at the byte behind that very line.
 * @fn returns how many of the bytes it took; it takes all of them, unless it
 * has just ended raw mode: then the rest is taken for lines. A reset of the
 * channel ends it, too. @drained: what was written has left us.
 */
struct at_raw_ops {
	size_t (*input)(void *ctx, const uint8_t *data, size_t len);
	void (*drained)(void *ctx);
};

int at_channel_set_raw(struct at_channel *ch, const struct at_raw_ops *ops,
		       void *ctx);
/* 0, -EPERM (not in raw mode), or as of port_write(). */
int at_channel_write_raw(struct at_channel *ch, const void *data, size_t len);
/* Bytes of it that wait for the kernel; and those that are still here. */
size_t at_channel_raw_unwritten(const struct at_channel *ch);
size_t at_channel_raw_unsent(const struct at_channel *ch);

/* Leaves what the modem sends in the kernel's hands for a while. */
void at_channel_hold_raw(struct at_channel *ch, bool hold);
bool at_channel_raw_held(const struct at_channel *ch);

/* ms that @bytes need on the line, rounded up. */
uint32_t at_channel_line_ms(const struct at_channel *ch, size_t bytes);

/* 0, or -ENOTTY: no such line here. */
int at_channel_set_dtr(struct at_channel *ch, bool on);

#endif
