/* SPDX-License-Identifier: MIT */

/*
 * What the modem says, as transcripts, and what it means. The bytes may be cut
 * anywhere: the meaning may not change (B5).
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at/parser.h"
#include "driver/simcom_private.h"

#define PAIRS_UP_TO	90	/* bytes: longer ones are cut once only */

/* In the style of the W800: a header that ends within its line. */
static const struct at_rule pushed[] = {
	{ "+IPD,#,#",		AT_URC,	.payload = 2, .end = ':' },
	{ "+CIPRECVDATA:#,",	AT_REPLY, .payload = 1, .end = ',' },
	{ "#,CLOSED",		.kind = AT_URC },
	{ "OK",			.kind = AT_OK },
	{ "ERROR",		.kind = AT_FAIL },
	{ NULL }
};

/* ---------------------------------------------------- events as one string */

struct heard {
	struct at_parser *p;
	char text[16384];
	size_t len;
	bool in_payload;
	bool quiet;		/* only count */
	unsigned long events;
	size_t raw;		/* payload bytes */
};

__attribute__((format(printf, 2, 3)))
static void add(struct heard *h, const char *fmt, ...)
{
	va_list ap;

	h->events++;
	if (h->quiet)
		return;
	va_start(ap, fmt);
	h->len += (size_t)vsnprintf(h->text + h->len, sizeof(h->text) - h->len,
				    fmt, ap);
	va_end(ap);
	assert_true(h->len < sizeof(h->text));
}

static void add_bytes(struct heard *h, const uint8_t *data, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (data[i] >= 0x20 && data[i] < 0x7f)
			add(h, "%c", data[i]);
		else if (data[i] == '\r' || data[i] == '\n')
			add(h, "%s", data[i] == '\r' ? "\\r" : "\\n");
		else
			add(h, "\\x%02x", data[i]);
	}
}

static void add_fields(struct heard *h, const struct at_line *line)
{
	const char *c = line->rule->pattern;
	unsigned int nums = 0, strs = 0;

	add(h, "(");
	for (; *c; c++) {
		if (*c == '#') {
			add(h, nums + strs ? ",%ld" : "%ld", line->args[nums]);
			nums++;
		} else if (*c == '$' || (*c == '*' && !c[1])) {
			add(h, nums + strs ? ",'%.*s'" : "'%.*s'",
			    (int)line->strs[strs].len, line->strs[strs].s);
			strs++;
		}
	}
	add(h, ") ");
}

static void on_line(void *ctx, const struct at_line *line)
{
	static const char *const names[] = {
		[AT_OK] = "ok", [AT_FAIL] = "fail", [AT_DETAIL] = "detail",
		[AT_URC] = "urc", [AT_REPLY] = "reply",
	};
	struct heard *h = ctx;

	assert_int_equal(strlen(line->text), line->len);
	if (line->kind == AT_TEXT) {
		assert_null(line->rule);
		add(h, "text{%s} ", line->text);
		return;
	}
	assert_int_equal(line->kind, line->rule->kind);
	if (line->bad_payload)
		add(h, "bad-");
	add(h, "%s", names[line->kind]);
	add_fields(h, line);
}

static void on_payload(void *ctx, const uint8_t *data, size_t len, bool last)
{
	struct heard *h = ctx;

	assert_true(len > 0);
	h->raw += len;
	if (!h->in_payload)
		add(h, "[");
	add_bytes(h, data, len);
	if (last)
		add(h, "] ");
	h->in_payload = !last;
}

static void on_torn(void *ctx)
{
	add(ctx, "torn ");
}

static void on_misfit(void *ctx)
{
	add(ctx, "misfit ");
}

static void on_prompt(void *ctx)
{
	add(ctx, "prompt ");
}

static void on_garbage(void *ctx, size_t len)
{
	add(ctx, "garbage(%zu) ", len);
}

static const struct at_parser_ops ops = {
	on_line, on_payload, on_misfit, on_torn, on_prompt, on_garbage,
};

/* ------------------------------------------------------------- transcripts */

struct transcript {
	const char *name;
	const struct at_rule *rules;
	const char *in;
	size_t in_len;
	const char *out;
	bool prompt;		/* one is expected */
};

#define IN(s) .in = s, .in_len = sizeof(s) - 1
#define SIM simcom_rules

static const struct transcript transcripts[] = {
	/* finals and blank lines (Q1, Q2) */
	{ "ok", SIM, IN("\r\nOK\r\n"), "ok() " },
	{ "no blank line", SIM, IN("OK\r\n"), "ok() " },
	{ "two blank lines", SIM, IN("\r\n\r\n\r\nOK\r\n"), "ok() " },
	{ "many", SIM, IN("\n\n\r\r\r\n\r\n\n\r\nERROR\n"), "fail() " },
	{ "CR CR LF", SIM, IN("AT\r\r\nOK\r\r\n"), "text{AT} ok() " },
	{ "echo", SIM, IN("AT+CIPOPEN=0,\"TCP\",\"a.b\",80\r\r\n\r\nOK\r\n"),
	  "text{AT+CIPOPEN=0,\"TCP\",\"a.b\",80} ok() " },
	{ "a final is a whole line", SIM,
	  IN("OKAY\r\n OK2\r\nNO OK\r\nERRORS\r\nOK \r\n"),
	  "text{OKAY} text{OK2} text{NO OK} text{ERRORS} text{OK } " },
	{ "nothing ends without LF", SIM, IN("\r\nOK\r"), "" },
	{ "double error (Q55)", SIM,
	  IN("\r\n+CIPERROR: 4\r\n\r\nERROR\r\nERROR\r\n"),
	  "detail(4) fail() fail() " },
	{ "CME in words, number, suffix (Q24)", SIM,
	  IN("+CME ERROR: SIM busy\r\n+CME ERROR: 13\r\n"
	     "+CME ERROR: no network (#33)\r\n+CMS ERROR: 500\r\n"),
	  "fail('SIM busy') fail(13) fail('no network (#33)') fail('500') " },

	/* the start (Q10, Q17, Q25) */
	{ "NUL before the banner", SIM, IN("\0\0\r\n*ATREADY: 1\r\n"),
	  "urc(1) " },
	{ "banners", SIM, IN("RDY\r\nQCRDY\r\n*ATREADY:1\r\n"),
	  "urc() urc() urc(1) " },
	{ "not a banner", SIM, IN("PB DONE\r\nSMS DONE\r\nREADY\r\n"),
	  "urc() urc() text{READY} " },
	{ "bytes that no terminal shows", SIM, IN("+CIP\xff\x80: 1\r\nOK\r\n"),
	  "text{+CIP\xff\x80: 1} ok() " },

	/* one prefix, many meanings (Q29, Q30, Q60, Q66) */
	{ "CIPRXGET 1 to 4 fields", SIM,
	  IN("+CIPRXGET: 1\r\n+CIPRXGET: 1,7\r\n+CIPRXGET: 4,7,12\r\n"
	     "+CIPRXGET: 0\r\n"),
	  "reply(1) urc(7) reply(7,12) reply(0) " },
	{ "a mode nobody knows", SIM, IN("+CIPRXGET: 5,1\r\n"),
	  "text{+CIPRXGET: 5,1} " },
	{ "CIPCLOSE 2 and 10 fields", SIM,
	  IN("+CIPCLOSE: 3,0\r\n+CIPCLOSE: 0,1,0,0,0,0,0,0,0,1\r\n"),
	  "urc(3,0) reply(0,1,0,0,0,0,0,0,0,1) " },
	{ "CIPCLOSE cut short (Q11)", SIM,
	  IN("+CIPCLOSE: 0,0,0,0,0\r\n"),
	  "text{+CIPCLOSE: 0,0,0,0,0} " },
	{ "NETOPEN", SIM,
	  IN("+NETOPEN: 0\r\n+NETOPEN: 1, 0\r\n+NETOPEN: 0,0\r\n"
	     "+NETOPEN:1\r\n+NETOPEN: SUCCESS\r\n"),
	  "urc(0) urc(1,0) urc(0,0) urc(1) text{+NETOPEN: SUCCESS} " },
	{ "IPCLOSE in all spellings (Q73)", SIM,
	  IN("+IPCLOSE: 0,1\r\n+IPCLOSE:1,2\r\n+IPCLOSE 2,0\r\n"
	     "+IPCLOSE3,1\r\n+IPCLOSE:   4,1\r\n"),
	  "urc(0,1) urc(1,2) urc(2,0) urc(3,1) urc(4,1) " },
	{ "CIPOPEN results and table", SIM,
	  IN("+CIPOPEN: 1,0\r\n+CIPOPEN: 2\r\n"
	     "+CIPOPEN: 1,\"TCP\",\"117.131.85.139\",5253,-1\r\n"
	     "+CIPOPEN: 1,TCP,host,5253,0\r\n"),
	  "urc(1,0) reply(2) reply(1,'TCP','117.131.85.139',5253,-1) "
	  "reply(1,'TCP','host',5253,0) " },
	{ "CIPEVENT with and without blank", SIM,
	  IN("+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n"
	     "+CIPEVENT:NETWORK CLOSED UNEXPECTEDLY\r\n"),
	  "urc(' UNEXPECTEDLY') urc(' UNEXPECTEDLY') " },
	{ "IP ERROR: word or number (Q38, Q70)", SIM,
	  IN("+IP ERROR: No data\r\n+IP ERROR: 22\r\n"
	     "+IP ERROR: 2 many\r\n"),
	  "detail('No data') detail(22) detail('2 many') " },
	{ "registration", SIM,
	  IN("+CREG: 1\r\n+CREG: 0,1\r\n+CREG: 2,1,\"1816\",\"0273\",7\r\n"
	     "+CREG: 1,\"1816\",\"0273\",7\r\n+CEREG: 0,5\r\n"),
	  "urc(1) reply(0,1) reply(2,1,'\"1816\",\"0273\",7') "
	  "urc(1,'1816\",\"0273\",7') reply(0,5) " },

	/* numbers */
	{ "negative", SIM, IN("+CIPSEND: 0,31,-1\r\n+CIPOPEN: -1,0\r\n"),
	  "urc(0,31,-1) urc(-1,0) " },
	{ "beyond 32 bits", SIM, IN("+CIPOPEN: 4294967296,4294967295\r\n"),
	  "urc(4294967296,4294967295) " },
	{ "18 digits", SIM, IN("+IPCLOSE: 999999999999999999,-1\r\n"),
	  "urc(999999999999999999,-1) " },
	{ "19 digits and more are no number", SIM,
	  IN("+IPCLOSE: 1000000000000000000,1\r\n"
	     "+IPCLOSE: 18446744073709551616,1\r\n"
	     "+IPCLOSE: 00000000000000000000000000000000001,1\r\n"),
	  "text{+IPCLOSE: 1000000000000000000,1} "
	  "text{+IPCLOSE: 18446744073709551616,1} "
	  "text{+IPCLOSE: 00000000000000000000000000000000001,1} " },
	{ "no number", SIM,
	  IN("+CIPOPEN: ,0\r\n+CIPOPEN: -,0\r\n+CIPOPEN: 0x1,0\r\n"
	     "+CIPOPEN: +1,0\r\n+CIPOPEN: 1,0x\r\n"),
	  "text{+CIPOPEN: ,0} text{+CIPOPEN: -,0} text{+CIPOPEN: 0x1,0} "
	  "text{+CIPOPEN: +1,0} text{+CIPOPEN: 1,0x} " },

	/* strings */
	{ "quoted, bare, empty, open", SIM,
	  IN("+CDNSGIP: 1,\"a,b\",\"1.2.3.4\"\r\n+CDNSGIP: 1,a,1.2.3.4\r\n"
	     "+CDNSGIP: 1,,\"\"\r\n+CDNSGIP: 1,\"a,1.2.3.4\r\n"),
	  "reply('a,b','1.2.3.4') reply('a','1.2.3.4') reply('','') "
	  "text{+CDNSGIP: 1,\"a,1.2.3.4} " },
	{ "a string and a tail", SIM,
	  IN("+COPS: 0,0,\"Tele, 2\",7\r\n+COPS: 0,0,\"x\"\r\n+COPS: 0\r\n"),
	  "reply(0,0,'Tele, 2',',7') reply(0,0,'x','') reply(0) " },

	/* counted payload (Q62, Q65, S5) */
	{ "payload", SIM,
	  IN("\r\n+CIPRXGET: 2,3,5,11\r\nhello\r\n\r\nOK\r\n"),
	  "reply(3,5,11) [hello] ok() " },
	{ "payload that looks like all we know (S5)", SIM,
	  IN("+CIPRXGET: 2,0,64,0\r\n"
	     "\r\nOK\r\n\r\nERROR\r\n+IPCLOSE: 0,1\r\n+CIPRXGET: 2,1,9,0"
	     "\r\n> RDY\r\n......."
	     "\r\n\r\nOK\r\n"),
	  "reply(0,64,0) [\\r\\nOK\\r\\n\\r\\nERROR\\r\\n+IPCLOSE: 0,1\\r\\n"
	  "+CIPRXGET: 2,1,9,0\\r\\n> RDY\\r\\n.......] ok() " },
	{ "payload with NUL, CR and 0xff", SIM,
	  IN("+CIPRXGET: 2,0,6,0\r\n\0\r\0\n\xff\x1a\r\nOK\r\n"),
	  "reply(0,6,0) [\\x00\\r\\x00\\n\\xff\\x1a] ok() " },
	{ "nothing after the payload but the final", SIM,
	  IN("+CIPRXGET: 2,0,1,0\r\nxOK\r\n"), "reply(0,1,0) [x] ok() " },
	{ "payload of no bytes", SIM,
	  IN("+CIPRXGET: 2,0,0,0\r\n\r\nOK\r\n"), "reply(0,0,0) ok() " },
	{ "as much as allowed, and one more", SIM,
	  IN("+CIPRXGET: 2,0,64,0\r\n0123456789012345678901234567890123456789"
	     "012345678901234567890123\r\n+CIPRXGET: 2,0,65,0\r\nOK\r\n"),
	  "reply(0,64,0) [0123456789012345678901234567890123456789"
	  "012345678901234567890123] bad-reply(0,65,0) ok() " },
	{ "payload of less than nothing (S6)", SIM,
	  IN("+CIPRXGET: 2,0,-5,0\r\nOK\r\n"), "bad-reply(0,-5,0) ok() " },
	{ "payload of 4 GiB", SIM,
	  IN("+CIPRXGET: 2,0,4294967296,0\r\nOK\r\n"),
	  "bad-reply(0,4294967296,0) ok() " },
	{ "announcement inside the answer (Q71)", SIM,
	  IN("+CIPRXGET: 1,4\r\n+CIPRXGET: 2,3,2,0\r\nab\r\n"
	     "+CIPRXGET: 1,3\r\nOK\r\n"),
	  "urc(4) reply(3,2,0) [ab] urc(3) ok() " },
	{ "two answers in one read", SIM,
	  IN("+CIPRXGET: 2,1,1,0\r\na\r\nOK\r\n+CIPRXGET: 2,2,1,0\r\nb\r\n"
	     "OK\r\n"),
	  "reply(1,1,0) [a] ok() reply(2,1,0) [b] ok() " },

	/* pushed (Q74, Q75, Q76) */
	{ "pushed lines of every spelling", SIM,
	  IN("\r\nRECV FROM:1.2.3.4:5\r\n+RECEIVE,1,2\r\nab\r\n"
	     "\r\n+RECV FROM: 1.2.3.4:5\r\n+RECEIVE,1,2:\r\ncd\r\n"
	     "+IPD3\r\nefg\r\n+IPD(1)\r\nh\r\nOK\r\n"),
	  "urc('1.2.3.4:5') urc(1,2) [ab] urc('1.2.3.4:5') urc(1,2) [cd] "
	  "urc(3) [efg] urc(1) [h] ok() " },
	{ "pushed, and a byte is missing", SIM,
	  IN("\r\n+RECEIVE,1,5\r\nabcd\r\nOK\r\n"),
	  "urc(1,5) [abcd\\r] misfit ok() " },
	{ "pushed before a prompt", SIM, IN("\r\n+RECEIVE,1,2\r\nab>"),
	  "urc(1,2) [ab] prompt ", true },

	/* headers that end within the line */
	{ "pushed", pushed, IN("+IPD,0,5:hello0,CLOSED\r\n"),
	  "urc(0,5) [hello] urc(0) " },
	{ "pushed colons", pushed, IN("\r\n+IPD,1,3:::::\r\nOK\r\n"),
	  "urc(1,3) [:::] text{:} ok() " },
	{ "pushed, a byte is missing", pushed,
	  IN("\r\n+IPD,0,5:hell\r\n+IPD,0,1:x\r\nOK\r\n"),
	  "urc(0,5) [hell\\r] torn urc(0,1) [x] ok() " },
	{ "pushed, two bytes are missing", pushed,
	  IN("\r\n+IPD,0,5:hel\r\n+IPD,0,1:x\r\nOK\r\n"),
	  "urc(0,5) [hel\\r\\n] torn urc(0,1) [x] ok() " },
	{ "pushed, before a final line two bytes are missing", pushed,
	  IN("\r\n+IPD,0,5:hel\r\nOK\r\n"),
	  "urc(0,5) [hel\\r\\n] torn ok() " },
	{ "pushed, the last blank line is missing", pushed,
	  IN("+IPD,0,5:hello\r\n+IPD,0,5:world0,CLOSED\r\n"),
	  "urc(0,5) [hello] urc(0,5) [world] urc(0) " },
	{ "the byte that ends it, elsewhere", pushed,
	  IN("busy p...: 1\r\n+IPD,0:\r\n+IPD,0,1\r\nOK\r\n"),
	  "text{busy p...: 1} text{+IPD,0:} text{+IPD,0,1} ok() " },
	{ "another byte ends another", pushed,
	  IN("+CIPRECVDATA:2,ab\r\nOK\r\n+CIPRECVDATA:2:ab\r\n"),
	  "text{+CIPRECVDATA:2,ab} ok() text{+CIPRECVDATA:2:ab} " },
	{ "pushed in the middle of what else", pushed,
	  IN("\r\nO+IPD,0,2:ab\r\nOK\r\n"), "text{O+IPD,0,2:ab} ok() " },

	/* the prompt (Q48, Q49) */
	{ "prompt", SIM, IN("\r\n>"), "prompt ", true },
	{ "prompt, blank, and on", SIM, IN("\r\n> \r\nOK\r\n"),
	  "prompt ok() ", true },
	{ "after blanks", SIM, IN("\r\n  >\r\nOK\r\n"), "prompt ok() ", true },
	{ "only once", SIM, IN(">>\r\n>\r\n"),
	  "prompt text{>} text{>} ", true },
	{ "only at the start of a line", SIM, IN("a>\r\n\r\n>"),
	  "text{a>} prompt ", true },
	{ "not when nobody asked", SIM, IN("\r\n> \r\n>\r\nOK\r\n"),
	  "text{> } text{>} ok() " },
	{ "a prompt and its result in one", SIM,
	  IN("\r\n>\r\nOK\r\n\r\n+CIPSEND: 0,5,5\r\n"),
	  "prompt ok() urc(0,5,5) ", true },
	{ "error instead (Q50)", SIM,
	  IN("\r\n+CIPERROR: 4\r\n\r\nERROR\r\n"), "detail(4) fail() ", true },

	/* foreign lines (Q14) */
	{ "NMEA", SIM, IN("$GNRMC,1,2*04\r\n$OK*04\r\nOK\r\n"),
	  "text{$GNRMC,1,2*04} text{$OK*04} ok() " },
	{ "+GCAP is no CME (Q13)", SIM, IN("+GCAP: +CGSM,+FCLASS,+DS\r\n"),
	  "text{+GCAP: +CGSM,+FCLASS,+DS} " },
};

static void begin(struct heard *h, const struct transcript *t)
{
	memset(h, 0, sizeof(*h));
	h->p = at_parser_new(t->rules, &ops, h);
	at_parser_set_payload_max(h->p, 64);
	at_parser_expect_prompt(h->p, t->prompt);
}

/* In exact allocations, so that a byte read too many is seen. */
static void feed(struct heard *h, const char *in, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	memcpy(copy, in, len);
	at_parser_feed(h->p, copy, len);
	free(copy);
}

static void check(struct heard *h, const struct transcript *t, size_t a,
		  size_t b)
{
	if (strcmp(h->text, t->out) != 0)
		fail_msg("%s, cut at %zu and %zu:\n  got  %s\n  want %s",
			 t->name, a, b, h->text, t->out);
	at_parser_free(h->p);
}

static void play_cut(const struct transcript *t, size_t a, size_t b)
{
	static struct heard h;

	begin(&h, t);
	feed(&h, t->in, a);
	feed(&h, t->in + a, b - a);
	feed(&h, t->in + b, t->in_len - b);
	check(&h, t, a, b);
}

static void any_cut(void **state)
{
	const struct transcript *t;
	size_t i, a, b;

	(void)state;
	for (i = 0; i < sizeof(transcripts) / sizeof(transcripts[0]); i++) {
		t = &transcripts[i];
		for (a = 0; a <= t->in_len; a++) {
			play_cut(t, a, t->in_len);
			for (b = a; t->in_len < PAIRS_UP_TO &&
			     b < t->in_len; b++)
				play_cut(t, a, b);
		}
	}
}

static void byte_by_byte(void **state)
{
	static struct heard h;
	const struct transcript *t;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(transcripts) / sizeof(transcripts[0]); i++) {
		t = &transcripts[i];
		begin(&h, t);
		for (n = 0; n < t->in_len; n++)
			feed(&h, t->in + n, 1);
		check(&h, t, 1, 1);
	}
}

/* ------------------------------------------------------------------ limits */

static void overlong_lines(void **state)
{
	static const size_t lens[] = { AT_LINE_MAX - 2, AT_LINE_MAX - 1,
				       AT_LINE_MAX, AT_LINE_MAX + 1, 70000 };
	static struct heard h;
	char want[64], *line;
	size_t i, piece;

	(void)state;
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		for (piece = 1; piece < 100000; piece = piece * 7 + 1) {
			size_t at = 0, n;

			memset(&h, 0, sizeof(h));
			h.p = at_parser_new(simcom_rules, &ops, &h);
			line = malloc(lens[i]);
			memset(line, 'x', lens[i]);
			for (; at < lens[i]; at += n) {
				n = lens[i] - at < piece ? lens[i] - at : piece;
				feed(&h, line + at, n);
			}
			free(line);
			assert_string_equal(h.text, "");
			feed(&h, "\r\n\r\nOK\r\n", 8);
			if (lens[i] < AT_LINE_MAX) {
				assert_int_equal(h.len, lens[i] + 7 + 5);
				assert_string_equal(h.text + lens[i] + 6,
						    " ok() ");
			} else {
				snprintf(want, sizeof(want),
					 "garbage(%zu) ok() ", lens[i]);
				assert_string_equal(h.text, want);
			}
			at_parser_free(h.p);
		}
	}
}

static void reset_forgets(void **state)
{
	static struct heard h;

	(void)state;
	memset(&h, 0, sizeof(h));
	h.p = at_parser_new(simcom_rules, &ops, &h);
	at_parser_set_payload_max(h.p, 100);
	feed(&h, "+CIPRXGET: 2,0,50,0\r\nabc", 24);
	assert_true(at_parser_in_payload(h.p));
	at_parser_reset(h.p);
	assert_false(at_parser_in_payload(h.p));
	feed(&h, "ERR", 3);
	at_parser_reset(h.p);
	at_parser_expect_prompt(h.p, true);
	at_parser_reset(h.p);
	feed(&h, "OK\r\n>\r\n", 7);
	assert_string_equal(h.text, "reply(0,50,0) [abcok() text{>} ");
	at_parser_free(h.p);
}

/* No payload is ever taken before somebody allowed it. */
static void no_limit_no_payload(void **state)
{
	static struct heard h;

	(void)state;
	memset(&h, 0, sizeof(h));
	h.p = at_parser_new(pushed, &ops, &h);
	feed(&h, "+IPD,0,1:OK\r\n+IPD,0,0:\r\nOK\r\n", 28);
	assert_string_equal(h.text, "bad-urc(0,1) ok() urc(0,0) ok() ");
	at_parser_free(h.p);
}

static void reset_on_line(void *ctx, const struct at_line *line)
{
	struct heard *h = ctx;

	on_line(h, line);
	at_parser_reset(h->p);
}

/* The channel resets from within when a header cannot be believed. */
static void reset_from_within(void **state)
{
	static const struct at_parser_ops resetting = {
		reset_on_line, on_payload, on_misfit, on_torn, on_prompt,
		on_garbage,
	};
	static struct heard h;

	(void)state;
	memset(&h, 0, sizeof(h));
	h.p = at_parser_new(simcom_rules, &resetting, &h);
	at_parser_set_payload_max(h.p, 100);
	feed(&h, "+CIPRXGET: 2,0,5,0\r\nOK\r\n", 24);
	assert_string_equal(h.text, "reply(0,5,0) ok() ");
	at_parser_free(h.p);
}

/* ------------------------------------------------------------- any garbage */

static uint32_t dice(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;

	return (uint32_t)(*seed >> 33) % below;
}

static size_t make_garbage(uint64_t *seed, uint8_t *out, size_t max)
{
	static const char *const words[] = {
		"\r\n", "OK\r\n", "ERROR\r\n", ">", "+CIPRXGET: 2,", "+IPD,",
		"1,", "64,0\r\n", ":",
		"\r\n+CIPRXGET: 2,3,60,0\r\n", "\n+IPD,0,40:",
		"99999999999999999999", "-1", "\"",
		"+CIPOPEN: 1,\"TCP\",\"", "+CIPCLOSE: 0,0,0,0,0,0,0,0,0,0\r\n",
	};
	size_t len = 0, n;
	const char *w;

	while (len < max && dice(seed, 8)) {
		if (dice(seed, 2)) {
			out[len++] = (uint8_t)dice(seed, 256);
			continue;
		}
		w = words[dice(seed, sizeof(words) / sizeof(words[0]))];
		for (n = strlen(w); n > 0 && len < max; n--)
			out[len++] = (uint8_t)*w++;
	}

	return len;
}

/* Payload is never longer than allowed, lines are whole, nothing crashes. */
static void garbage(void **state)
{
	static struct heard a, b;
	uint8_t chunk[96];
	uint64_t seed = 1;
	size_t len, n;
	int i;

	(void)state;
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	a.quiet = b.quiet = true;
	a.p = at_parser_new(simcom_rules, &ops, &a);
	b.p = at_parser_new(pushed, &ops, &b);
	for (i = 0; i < 100000; i++) {
		len = make_garbage(&seed, chunk, sizeof(chunk));
		at_parser_set_payload_max(a.p, dice(&seed, 100));
		at_parser_set_payload_max(b.p, dice(&seed, 100));
		at_parser_expect_prompt(a.p, dice(&seed, 2));
		feed(&a, (char *)chunk, len);
		for (n = 0; n < len; n++)
			feed(&b, (char *)chunk + n, 1);
		if (dice(&seed, 1000) == 0)
			at_parser_reset(a.p);
	}
	assert_true(a.events > 10000 && b.events > 10000);
	assert_true(a.raw > 1000 && b.raw > 1000);
	/* whatever it has heard, it finds the line again */
	at_parser_reset(a.p);
	a.quiet = false;
	feed(&a, "\r\nOK\r\n", 6);
	assert_string_equal(a.text, "ok() ");
	at_parser_free(a.p);
	at_parser_free(b.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_cut),
		cmocka_unit_test(byte_by_byte),
		cmocka_unit_test(overlong_lines),
		cmocka_unit_test(reset_forgets),
		cmocka_unit_test(no_limit_no_payload),
		cmocka_unit_test(reset_from_within),
		cmocka_unit_test(garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
