/* SPDX-License-Identifier: MIT */

#include <stdlib.h>
#include <string.h>

#include "at/parser.h"

struct at_parser {
	const struct at_rule *rules;
	const struct at_parser_ops *ops;
	void *ctx;
	size_t payload_left;	/* > 0: raw bytes, no line is being read */
	size_t payload_max;
	size_t overlong;	/* bytes dropped of the line being read */
	bool want_prompt;
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
	p->overlong = 0;
	p->want_prompt = false;
	p->len = 0;
}

void at_parser_expect_prompt(struct at_parser *p, bool expect)
{
	p->want_prompt = expect;
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

static bool match(const char *pattern, const char *s, struct at_line *line)
{
	unsigned int nums = 0, strs = 0;

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
		if (r->end == end && match(r->pattern, p->line, line))
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
}

static void deliver(struct at_parser *p, struct at_line *line)
{
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
	if (p->len == 0)
		return;

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

/*
 * CR goes wherever it stands (CR CR LF, and echoes end in it), NUL because
 * modems print it when they boot; blanks go at the start of a line, since one
 * may follow a prompt.
 */
static void feed_char(struct at_parser *p, char ch)
{
	if (ch == '\n') {
		end_of_line(p);
		return;
	}
	if (ch == '\r' || ch == '\0' || (ch == ' ' && p->len == 0))
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

void at_parser_feed(struct at_parser *p, const uint8_t *data, size_t len)
{
	size_t n;

	while (len > 0) {
		n = 1;
		if (p->payload_left > 0) {
			n = len < p->payload_left ? len : p->payload_left;
			p->payload_left -= n;
			p->ops->payload(p->ctx, data, n, p->payload_left == 0);
		} else {
			feed_char(p, (char)*data);
		}
		data += n;
		len -= n;
	}
}
