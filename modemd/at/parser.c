/* SPDX-License-Identifier: MIT */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "at/parser.h"

struct at_parser {
	const struct at_rule *rules;
	const struct at_parser_ops *ops;
	void *ctx;
	size_t payload_left;	/* > 0: raw bytes, no line is being read */
	size_t payload_max;
	bool line_after;	/* that payload, as the dialect has it */
	bool after_payload;	/* CR must come */
	bool after_push;	/* CR, or the line that follows */
	bool glued;		/* that line began without CR LF before it */
	bool blanks;		/* this modem puts CR LF before its lines */
	size_t overlong;	/* bytes dropped of the line being read */
	bool want_prompt;
	unsigned int variant;	/* of headers: others do not count */
	bool stop;		/* the caller wants the rest as it is */
	bool cr;		/* the line may have ended: LF or text decides */
	const uint8_t *echo;	/* dropped while it comes as it is */
	size_t echo_len, echo_pos;
	bool ends[256];		/* bytes that end some header within a line */
	size_t len;
	char line[AT_LINE_MAX];
};

struct at_parser *at_parser_new(const struct at_rule *rules,
				const struct at_parser_ops *ops, void *ctx)
{
	const struct at_rule *r;
	struct at_parser *p;

	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;

	p->rules = rules;
	p->ops = ops;
	p->ctx = ctx;
	for (r = rules; r->pattern; r++) {
		if (r->end)
			p->ends[(uint8_t)r->end] = true;
	}

	return p;
}

void at_parser_free(struct at_parser *p)
{
	free(p);
}

void at_parser_reset(struct at_parser *p)
{
	p->payload_left = 0;
	p->after_payload = false;
	p->after_push = false;
	p->glued = false;
	p->overlong = 0;
	p->want_prompt = false;
	p->cr = false;
	p->echo_len = 0;
	p->len = 0;
}

void at_parser_expect_prompt(struct at_parser *p, bool expect)
{
	p->want_prompt = expect;
}

void at_parser_expect_echo(struct at_parser *p, const uint8_t *data,
			   size_t len)
{
	p->echo = data;
	p->echo_len = len;
	p->echo_pos = 0;
}

void at_parser_set_variant(struct at_parser *p, unsigned int variant)
{
	p->variant = variant;
}

void at_parser_set_payload_max(struct at_parser *p, size_t max)
{
	p->payload_max = max;
}

bool at_parser_in_payload(const struct at_parser *p)
{
	return p->payload_left > 0;
}

bool at_parser_in_line(const struct at_parser *p)
{
	return p->len > 0;
}

/* So many digits fit any long; a longer number is not one of ours. */
#define DIGITS_MAX	(sizeof(long) < 8 ? 9 : 18)

static const char *read_number(const char *s, long *value)
{
	bool minus = *s == '-';
	const char *start;
	long n = 0;

	s += minus;
	for (start = s; *s >= '0' && *s <= '9'; s++) {
		if (s - start >= DIGITS_MAX)
			return NULL;
		n = n * 10 + (*s - '0');
	}
	if (s == start)
		return NULL;
	*value = minus ? -n : n;

	return s;
}

static const char *read_string(const char *s, struct at_str *out)
{
	const char *end;

	if (*s == '"') {
		end = strchr(s + 1, '"');
		if (!end)
			return NULL;
		*out = (struct at_str){ s + 1, (size_t)(end - s - 1) };
		return end + 1;
	}
	*out = (struct at_str){ s, strcspn(s, ",") };

	return s + out->len;
}

/* "<noise>ready" for "~ready": the tail, if that is where a word begins. */
static const char *skip_head(const char *word, const char *s)
{
	size_t len = strlen(s), n = strlen(word);
	const char *tail = s + len - n;

	if (n > len || (n < len && isalpha((unsigned char)tail[-1])))
		return NULL;

	return tail;
}

static bool match(const char *pattern, const char *s, struct at_line *line)
{
	unsigned int nums = 0, strs = 0;

	if (*pattern == '~') {
		s = skip_head(++pattern, s);
		if (!s)
			return false;
	}

	for (; *pattern; pattern++) {
		if (*pattern == '*' && !pattern[1]) {
			line->strs[strs] = (struct at_str){ s, strlen(s) };
			return true;
		}
		switch (*pattern) {
		case '#':
			s = nums < AT_ARGS_MAX ?
				read_number(s, &line->args[nums++]) : NULL;
			break;
		case '$':
			s = strs < AT_ARGS_MAX - 1 ?
				read_string(s, &line->strs[strs++]) : NULL;
			break;
		case ' ':
			s += strspn(s, " ");
			break;
		default:
			s = *pattern == *s ? s + 1 : NULL;
		}
		if (!s)
			return false;
	}

	return *s == '\0';
}

/* @end is the byte that ended the header: 0 for an ordinary line. */
static const struct at_rule *find_rule(const struct at_parser *p, char end,
				       struct at_line *line)
{
	const struct at_rule *r;

	for (r = p->rules; r->pattern; r++) {
		if (r->end == end &&
		    (!r->variant || r->variant == p->variant) &&
		    match(r->pattern, p->line, line))
			return r;
	}

	return NULL;
}

static void start_payload(struct at_parser *p, struct at_line *line)
{
	long n = line->args[line->rule->payload - 1];

	if (n < 0 || (size_t)n > p->payload_max)
		line->bad_payload = true;
	else
		p->payload_left = (size_t)n;
	p->line_after = line->kind == AT_REPLY || !line->rule->end;
}

/* What is pushed next, and final lines, have CR LF before them everywhere;
 * news, answers and an echo may follow a payload at once (Q97). */
static void judge_glued(struct at_parser *p, const struct at_rule *rule)
{
	p->glued = false;
	if (!rule || rule->kind == AT_REPLY || rule->kind == AT_DETAIL)
		return;
	if (rule->kind != AT_URC || rule->payload || rule->alone)
		p->ops->torn(p->ctx);
}

static void deliver(struct at_parser *p, struct at_line *line)
{
	line->glued = p->glued;
	if (p->glued)
		judge_glued(p, line->rule);
	line->kind = line->rule ? line->rule->kind : AT_TEXT;
	line->text = p->line;
	line->len = p->len;
	p->len = 0;
	if (line->rule && line->rule->payload)
		start_payload(p, line);
	p->ops->line(p->ctx, line);
}

static void end_of_line(struct at_parser *p)
{
	struct at_line line = { 0 };
	size_t lost = p->overlong;

	if (lost > 0) {
		lost += p->len;
		p->overlong = 0;
		p->len = 0;
		p->ops->garbage(p->ctx, lost);
		return;
	}
	if (p->len == 0) {
		p->blanks = true;
		return;
	}

	p->line[p->len] = '\0';
	line.rule = find_rule(p, 0, &line);
	deliver(p, &line);
}

/* True when @ch ended a header within the line, such as "+IPD,0,5:". */
static bool end_of_header(struct at_parser *p, char ch)
{
	struct at_line line = { 0 };

	p->line[p->len] = '\0';
	line.rule = find_rule(p, ch, &line);
	if (line.rule)
		deliver(p, &line);

	return line.rule;
}

static void feed_payload(struct at_parser *p, const uint8_t *data, size_t n)
{
	p->payload_left -= n;
	p->after_payload = p->payload_left == 0 && p->line_after;
	p->after_push = p->payload_left == 0 && !p->line_after;
	p->ops->payload(p->ctx, data, n, p->payload_left == 0);
}

/* A letter of a line, or the prompt. */
static void feed_text(struct at_parser *p, char ch)
{
	if (ch == ' ' && p->len == 0)	/* one may follow a prompt */
		return;
	if (p->want_prompt && p->len == 0 && ch == '>') {
		p->want_prompt = false;
		p->ops->prompt(p->ctx);
		return;
	}
	if (p->ends[(uint8_t)ch] && end_of_header(p, ch))
		return;
	if (p->len < sizeof(p->line) - 1)
		p->line[p->len++] = ch;
	else
		p->overlong++;
}

/*
 * A line ends with LF and any number of CRs before it; with CR alone ends an
 * echo where the modem puts no blank line before its answer. NUL goes: modems
 * print it when they boot. False: @ch is not taken, the caller wants it.
 */
static bool feed_char(struct at_parser *p, char ch)
{
	if (p->after_payload) {
		p->after_payload = false;
		if (ch != '\r' && !(ch == '>' && p->want_prompt) &&
		    (p->blanks || ch == '\n'))
			p->ops->misfit(p->ctx);
	}
	if (p->after_push) {
		p->after_push = false;
		p->glued = ch != '\r' && !(ch == '>' && p->want_prompt);
		if (ch == '\n') {	/* its CR is in the payload */
			p->glued = false;
			p->ops->torn(p->ctx);
		}
	}
	if (ch == '\0')
		return true;
	if (ch == '\r') {
		p->cr = p->len > 0;
		return true;
	}
	if (ch == '\n' || p->cr) {
		p->cr = false;
		end_of_line(p);
		if (ch == '\n' || p->stop)
			return ch == '\n';
	}
	if (p->payload_left > 0)
		feed_payload(p, (const uint8_t *)&ch, 1);
	else
		feed_text(p, ch);

	return true;
}

/* Not the echo after all: then what looked like it was a line. */
static void feed_echo(struct at_parser *p, char ch)
{
	size_t i, n = p->echo_pos;

	if ((uint8_t)ch == p->echo[n]) {
		if (++p->echo_pos == p->echo_len)
			p->echo_len = 0;
		return;
	}
	p->echo_len = 0;
	for (i = 0; i < n; i++)
		(void)feed_char(p, (char)p->echo[i]);
	(void)feed_char(p, ch);
}

bool at_parser_match(const struct at_parser *p, const char *text,
		     struct at_line *line)
{
	const struct at_rule *r;

	*line = (struct at_line){ .text = text, .len = strlen(text) };
	for (r = p->rules; r->pattern; r++) {
		if (!r->end && !r->payload && match(r->pattern, text, line))
			break;
	}
	if (!r->pattern)
		return false;
	line->rule = r;
	line->kind = r->kind;

	return true;
}

void at_parser_stop(struct at_parser *p)
{
	p->stop = true;
}

size_t at_parser_feed(struct at_parser *p, const uint8_t *data, size_t len)
{
	size_t n, all = len;

	p->stop = false;
	while (len > 0 && !p->stop) {
		n = 1;
		if (p->payload_left > 0) {
			n = len < p->payload_left ? len : p->payload_left;
			feed_payload(p, data, n);
		} else if (p->echo_len > 0) {
			feed_echo(p, (char)*data);
		} else if (!feed_char(p, (char)*data)) {
			n = 0;
		}
		data += n;
		len -= n;
	}

	return all - len;
}
