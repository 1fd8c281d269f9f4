/* SPDX-License-Identifier: MIT */

/* Reading what the modem has buffered: A7600 manual 2.5. */

#include <errno.h>
#include <string.h>

#include "base/config.h"
#include "driver/simcom_private.h"

#define HEX_MAX		750	/* bytes: A7600 manual 2.5 */
#define HEX_LINE_MS	2000	/* of 1500 digits at 9600 baud */

static void take_head(struct simcom_pull *p, const struct at_line *line)
{
	long count = line->args[1];

	p->bad |= line->args[0] != (long)p->slot || count < 0;
	p->rest = line->args[2];
	p->count = count > 0 ? (size_t)count : 0;
}

static void pull_line(void *ctx, const struct at_line *line)
{
	struct simcom *s = ctx;

	take_head(&s->pulling, line);
	s->pulling.bad |= s->pulling.count > s->pulling.max;
}

static void pull_data(void *ctx, const uint8_t *data, size_t len, bool last)
{
	struct simcom *s = ctx;
	struct simcom_pull *p = &s->pulling;

	(void)last;
	if (len > sizeof(p->buf) - p->len) {	/* answered twice */
		p->bad = true;
		return;
	}
	memcpy(p->buf + p->len, data, len);
	p->len += len;
}

static void pull_done(void *ctx, int err, const struct at_answer *a)
{
	struct simcom *s = ctx;
	struct simcom_pull *p = &s->pulling;
	const struct driver_events *ev = s->env.events;

	if (!err && p->bad)
		err = -EBADMSG;
	if (simcom_answer_errno(err, a) == -ENODATA) {
		p->len = 0;
		p->rest = 0;
		err = 0;
	}
	if (!err && p->len == 0)	/* whatever it says: not now */
		p->rest = 0;
	if (!err && p->len > 0)
		ev->data(s->env.up, p->slot, p->buf, p->len, NULL, true);
	ev->pulled(s->env.up, p->slot, p->rest, err);
}

static void begin(struct simcom_pull *p, unsigned int slot, size_t max)
{
	p->slot = slot;
	p->bad = false;
	p->rest = -1;
	p->max = max;
	p->count = 0;
	p->len = 0;
}

static int pull_ascii(struct simcom *s, unsigned int slot, size_t max)
{
	static const signed char accept[] = { R_PULLED, -1 };
	struct at_command cmd = {
		.accept = accept,
		.timeout_ms = SIMCOM_FINAL_MS,
		.answer_max = max,
		.line = pull_line,
		.data = pull_data,
		.done = pull_done,
		.ctx = s,
	};

	return simcom_send(s, &cmd, "AT+CIPRXGET=2,%u,%u", slot,
			   (unsigned int)max);
}

/* ---------------------------------------------------------------- hex form */

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;

	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_hex(const struct at_line *line)
{
	size_t i;

	for (i = 0; i < line->len; i++) {
		if (digit(line->text[i]) < 0)
			return false;
	}

	return line->len > 0;
}

/* The header may count bytes or digits: the line itself tells which (Q68).
 * Without one the count is 0, and fits no line. */
static void take_hex(struct simcom_pull *p, const struct at_line *line)
{
	size_t n = line->len / 2, i;

	if (p->len > 0 || line->len % 2 != 0 || n > p->max ||
	    (p->count != n && p->count != line->len)) {
		p->bad = true;
		return;
	}
	for (i = 0; i < n; i++)
		p->buf[i] = (uint8_t)(digit(line->text[2 * i]) << 4 |
				      digit(line->text[2 * i + 1]));
	p->len = n;
}

/* What is neither its header nor digits came by itself. */
static void hex_line(void *ctx, const struct at_line *line)
{
	struct simcom *s = ctx;

	if (line->rule)
		take_head(&s->pulling, line);
	else if (is_hex(line))
		take_hex(&s->pulling, line);
}

static void hex_done(void *ctx, int err, const struct at_answer *a)
{
	struct simcom *s = ctx;

	/* Counted, and the digits did not come as such. */
	s->pulling.bad |= s->pulling.count > 0 && s->pulling.len == 0;
	pull_done(s, err, a);
}

static int pull_hex(struct simcom *s, unsigned int slot, size_t max)
{
	static const signed char accept[] = { R_PULLED_HEX, -1 };
	struct at_command cmd = {
		.accept = accept,
		.timeout_ms = SIMCOM_FINAL_MS + HEX_LINE_MS,
		.want_text = true,
		.line = hex_line,
		.done = hex_done,
		.ctx = s,
	};

	return simcom_send(s, &cmd, "AT+CIPRXGET=3,%u,%u", slot,
			   (unsigned int)max);
}

int simcom_pull(void *d, unsigned int slot, size_t max)
{
	struct simcom *s = d;
	bool hex = s->env.modem->pull_form == CONFIG_PULL_HEX;

	if (hex && max > HEX_MAX)
		max = HEX_MAX;
	begin(&s->pulling, slot, max);

	return hex ? pull_hex(s, slot, max) : pull_ascii(s, slot, max);
}
