/* SPDX-License-Identifier: MIT */

/*
 * parser - turns modem bytes into lines, prompts and counted raw payload.
 *
 * Pure: no I/O, no clock, no allocation while feeding. Everything that
 * differs between modems is in the rule table the caller passes in; bytes may
 * come in pieces of any size without changing what they mean.
 *
 * Called by: channel, tests.   Calls: nothing.
 */

#ifndef MODEMD_AT_PARSER_H
#define MODEMD_AT_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AT_ARGS_MAX	12
#define AT_LINE_MAX	2048	/* a longer line is dropped and counted */

enum at_kind {
	AT_TEXT,	/* no rule matched */
	AT_OK,		/* final, success */
	AT_FAIL,	/* final, failure */
	AT_DETAIL,	/* why the failure that follows: "+IP ERROR: ..." */
	AT_URC,		/* unsolicited, unless the running command accepts it */
	AT_REPLY,	/* only ever part of an answer */
	AT_CONNECT,	/* data mode: final of who asked for it, else a URC */
	AT_SENT,	/* final, success, of a command with payload only */
	AT_BUSY,	/* the line that was sent is lost: another one runs */
};

/*
 * One line that the modem can say. In the pattern:
 *   '#'  a decimal number, also negative: the next args[]
 *   '$'  a string, "quoted" or bare up to the next comma: the next strs[]
 *   ' '  any number of blanks, also none
 *   '*'  as the last character: any tail, strs[] holds it
 *   '~'  as the first character: any head that does not end in a letter
 * all else is literal. The first rule that matches the whole line wins, so
 * equal prefixes are told apart by their fields.
 */
struct at_rule {
	const char *pattern;
	enum at_kind kind;
	uint8_t payload;	/* which '#' counts raw bytes that follow; 0 */
	char end;		/* byte that ends such a header; 0: the line */
	bool announces;		/* a header, which must follow it */
	bool alone;		/* never right behind pushed payload */
	uint8_t variant;	/* at_parser_set_variant(); 0: any */
};

struct at_str {
	const char *s;		/* not terminated */
	size_t len;
};

/* Borrowed until the callback returns. */
struct at_line {
	const struct at_rule *rule;	/* NULL: AT_TEXT */
	enum at_kind kind;
	const char *text;		/* terminated, without CR and LF */
	size_t len;
	long args[AT_ARGS_MAX];
	struct at_str strs[AT_ARGS_MAX];
	bool bad_payload;	/* counts more than allowed: none is read */
	bool glued;		/* to pushed payload, no CR between them */
};

/*
 * News. A callback must not free the parser or feed it; it may reset it, ask
 * for a prompt and set limits.
 */
struct at_parser_ops {
	void (*line)(void *ctx, const struct at_line *line);
	void (*payload)(void *ctx, const uint8_t *data, size_t len, bool last);
	/* After payload no line began: bytes of it were lost. */
	void (*misfit)(void *ctx);
	/* The same of pushed payload, of which the line has told no more. */
	void (*torn)(void *ctx);
	void (*prompt)(void *ctx);
	void (*garbage)(void *ctx, size_t len);	/* of an overlong line */
};

struct at_parser;

/* @rules ends with a NULL pattern; it and @ops must outlive the parser. */
struct at_parser *at_parser_new(const struct at_rule *rules,
				const struct at_parser_ops *ops, void *ctx);
void at_parser_free(struct at_parser *p);

/* Forgets a half-read line, a payload, a wanted prompt (after a reset). */
void at_parser_reset(struct at_parser *p);

/* From now on '>' at the start of a line is a prompt, once. */
void at_parser_expect_prompt(struct at_parser *p, bool expect);

/*
 * The modem may echo these @len bytes before it says anything else: as long
 * as what comes is the same, it is dropped. @data is borrowed until all of it
 * came, something else came, or the next call; NULL: expect none.
 */
void at_parser_expect_echo(struct at_parser *p, const uint8_t *data,
			   size_t len);

/* Headers that count more than @max bytes are bad: 0 forbids payload. */
void at_parser_set_payload_max(struct at_parser *p, size_t max);

/* Which of the rules with a variant count from now on; 0: none of them. */
void at_parser_set_variant(struct at_parser *p, unsigned int variant);

/* A line that the rules know, without payload: @line as line() has it. */
bool at_parser_match(const struct at_parser *p, const char *text,
		     struct at_line *line);

/* Raw payload is due; half a line is there. */
bool at_parser_in_payload(const struct at_parser *p);
bool at_parser_in_line(const struct at_parser *p);

/* Returns what it took: less than @len only after at_parser_stop(). */
size_t at_parser_feed(struct at_parser *p, const uint8_t *data, size_t len);

/* From line(): what follows this line is no line, and left to the caller. */
void at_parser_stop(struct at_parser *p);

#endif
