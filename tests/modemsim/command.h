/* SPDX-License-Identifier: MIT */

/*
 * command - bytes of the host become lines, lines become calls of a row.
 *
 * Assembles and echoes, counts what a host must not do, waits the module's
 * latency, finds the row and calls the handler of its form. One command at a
 * time: it lasts until a final line (reply.h), and a handler may let it last
 * (a look-up) or ask for payload (CIPSEND). A dialect may have other lines than
 * V.250: take_byte() and cut() of struct dialect.
 *
 * Called by: line's input through modem; reply; handlers.
 * Calls: args, record, reply, urc, the handlers.
 */

#ifndef MODEMSIM_COMMAND_H
#define MODEMSIM_COMMAND_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "args.h"

#define COMMAND_LINE_MAX	556

struct modem;

#define COMMAND_TCP	0x1	/* part of the TCP/IP stack (Q85) */
#define COMMAND_PROMPTS	0x2	/* its write form asks for payload */

struct command_row {
	const char *name;	/* "+CIPOPEN", "E", "&D" */
	unsigned int flags;
	const char *test;	/* answer to =?; "": OK alone, NULL: ERROR */
	/* NULL: the form does not exist, ERROR */
	void (*read)(struct modem *m, struct args *a);
	void (*write)(struct modem *m, struct args *a);
	void (*exec)(struct modem *m, struct args *a);
};

enum command_state {
	COMMAND_IDLE,
	COMMAND_DELAYED,	/* latency runs */
	COMMAND_RUNNING,	/* the handler has it, no final line yet */
	COMMAND_PAYLOAD,	/* prompt given, bytes go to @payload */
	COMMAND_DATA,		/* transparent: bytes go to data.h */
};

struct command {
	enum command_state state;
	bool echo;
	bool blocking;		/* RUNNING, but URCs may pass */
	char line[COMMAND_LINE_MAX + 1];
	size_t len;
	bool in_line;
	bool too_long;
	bool after_cr;		/* the last byte ended a line */
	bool odd_byte;		/* control byte, counted once a line */
	bool early_line;	/* begun while one was answered */
	bool early;		/* payload before prompt, once a command */
	char last[COMMAND_LINE_MAX + 1];	/* in hand, or for A/ */
	const char *at;		/* in @last: the next command of the line */
	bool in_handler;
	bool go_on;		/* with the next one, when the handler returns */
	const struct command_row *row;
	struct event *delay;
	int64_t due;
	uint64_t final_end;	/* output position of the last final line */
	uint64_t prompt_end;
	/* Takes payload, returns how much; may end the command. */
	size_t (*payload)(struct modem *m, const uint8_t *data, size_t len);
};

void command_init(struct modem *m);
void command_free(struct modem *m);

/* As after power on; a command in hand is forgotten. */
void command_reset(struct modem *m);

void command_input(struct modem *m, const uint8_t *data, size_t len,
		   uint64_t mark);

/* A final line has been queued: the host may send the next command. */
void command_done(struct modem *m);

/* It is not answered, and forgotten. */
void command_drop(struct modem *m);

/* Instead of OK: on to the next command of the line. False: it was the last. */
bool command_next(struct modem *m);

/* The handler has sent its prompt; bytes go to @payload from now on. */
void command_want_payload(struct modem *m,
			  size_t (*payload)(struct modem *m,
					    const uint8_t *data, size_t len));

/* The answer will take long; URCs need not wait for it. */
void command_block(struct modem *m);

/* No more payload; the answer will come. */
void command_end_payload(struct modem *m);

/* Between command.c and command_run.c: run the line in @last ("AT..."). */
void command_execute(struct modem *m);
void command_on_delay(evutil_socket_t fd, short what, void *ctx);

/* Is a command being answered, so that URCs should wait? */
bool command_answering(const struct modem *m);

#endif
