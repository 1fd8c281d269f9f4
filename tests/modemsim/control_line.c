/* SPDX-License-Identifier: MIT */

/* Control commands: faults of the line and lines out of turn. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control_words.h"
#include "modem.h"

static int garbage(struct modem *m, const struct words *w)
{
	unsigned long n;
	uint8_t byte;

	if (!words_number(w, 0, 1 << 20, &n))
		return -EINVAL;
	while (n-- > 0) {
		byte = (uint8_t)line_random(&m->line);
		line_inject(&m->line, &byte, 1);
	}
	return 0;
}

static int add_tap(struct modem *m, const struct words *w, enum tap_kind kind,
		   unsigned long n)
{
	struct line *l = &m->line;
	unsigned long offset;

	if (!words_number(w, 1, 1UL << 40, &offset))
		return -EINVAL;
	if (words_is(w, 0, "to-host"))
		return tap_add(&l->out_taps, kind, l->done + offset, n, NULL,
			       true);
	if (words_is(w, 0, "to-modem"))
		return tap_add(&l->in_taps, kind, l->in_pos + offset, n, NULL,
			       true);
	return -EINVAL;
}

static int drop_bytes(struct modem *m, const struct words *w)
{
	unsigned long n;

	if (!words_number(w, 2, 1 << 20, &n) || n == 0)
		return -EINVAL;
	return add_tap(m, w, TAP_DROP, n);
}

static int flip(struct modem *m, const struct words *w)
{
	unsigned long bit = line_random(&m->line) % 8;

	if (w->count == 3 && !words_number(w, 2, 7, &bit))
		return -EINVAL;
	return add_tap(m, w, TAP_FLIP, bit);
}

static int noise(struct modem *m, const struct words *w)
{
	bool in = words_is(w, 0, "to-modem") || words_is(w, 0, "both");
	bool out = words_is(w, 0, "to-host") || words_is(w, 0, "both");
	unsigned long ppm;

	if ((!in && !out) || !words_number(w, 1, 1000000, &ppm))
		return -EINVAL;
	if (in)
		m->line.noise_in_ppm = (unsigned int)ppm;
	if (out)
		m->line.noise_out_ppm = (unsigned int)ppm;
	return 0;
}

static int send_urc(struct modem *m, const char *rest)
{
	if (*rest == '\0')
		return -EINVAL;
	urc(m, "%s", rest);
	return 0;
}

static int send_urc_now(struct modem *m, const char *rest)
{
	if (*rest == '\0')
		return -EINVAL;
	urc_now(m, rest);
	return 0;
}

/* [raw] N TEXT */
static int urc_at_byte(struct modem *m, const char *rest)
{
	bool raw = strncmp(rest, "raw ", 4) == 0;
	unsigned long n;
	char *end;

	if (raw)
		rest += 4;
	n = strtoul(rest, &end, 10);
	if (end == rest || *end != ' ' || end[1] == '\0')
		return -EINVAL;
	return tap_add(&m->line.out_taps, TAP_TEXT, m->line.done + n, 0,
		       end + 1, raw);
}

static int stall(struct modem *m, const struct words *w)
{
	(void)w;
	line_stall(&m->line, true);
	return 0;
}

static int unstall(struct modem *m, const struct words *w)
{
	(void)w;
	line_stall(&m->line, false);
	return 0;
}

static int hangup(struct modem *m, const struct words *w)
{
	(void)w;
	if (!m->line.plugged)
		return -EALREADY;
	line_unplug(&m->line);
	return 0;
}

static int replug(struct modem *m, const struct words *w)
{
	(void)w;
	return line_plug(&m->line);
}

const struct control_row control_line_rows[] = {
	{ "garbage", "N", NULL, garbage },
	{ "drop", "to-host|to-modem OFFSET N", NULL, drop_bytes },
	{ "flip", "to-host|to-modem OFFSET [BIT]", NULL, flip },
	{ "noise", "to-host|to-modem|both PPM", NULL, noise },
	{ "urc", "TEXT", send_urc, NULL },
	{ "urc-now", "TEXT", send_urc_now, NULL },
	{ "urc-at-byte", "[raw] N TEXT", urc_at_byte, NULL },
	{ "stall", "", NULL, stall },
	{ "unstall", "", NULL, unstall },
	{ "hangup", "", NULL, hangup },
	{ "replug", "", NULL, replug },
	{ NULL, NULL, NULL, NULL }
};
