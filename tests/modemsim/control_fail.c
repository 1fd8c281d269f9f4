/* SPDX-License-Identifier: MIT */

/* Control command fail: a command shall be refused, and how. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "control_words.h"
#include "modem.h"

#define TIMES_MAX	1000000

static const struct how {
	const char *word;
	enum fail_how how;
	bool has_code;
} hows[] = {
	{ "now", FAIL_NOW, true }, { "info", FAIL_INFO, true },
	{ "cme", FAIL_CME, true }, { "error", FAIL_ERROR, false },
	{ "silent", FAIL_SILENT, false }, { "off", FAIL_ERROR, false },
};

/* The words after the command; *@at: the next one. */
static bool take_how(const struct words *w, struct fail *order, size_t *at)
{
	unsigned long code = 0;
	size_t i;

	*at = 2;
	if (words_number(w, 1, 1000, &code)) {
		order->how = FAIL_ERR;
		order->code = (int)code;
		return true;
	}
	for (i = 0; i < sizeof(hows) / sizeof(hows[0]); i++) {
		if (!words_is(w, 1, hows[i].word))
			continue;
		if (hows[i].has_code && !words_number(w, (*at)++, 1000, &code))
			return false;
		order->how = hows[i].how;
		order->code = (int)code;
		return true;
	}
	return false;
}

/* fail CMD CODE|now CODE|info CODE|cme CODE|error|silent|off [N] */
static int fail(struct modem *m, const struct words *w)
{
	struct fail order = { .left = 1 };
	const char *name = w->count > 0 ? w->word[0] : "";
	unsigned long times = 1;
	size_t at;
	int n;

	if (strncasecmp(name, "AT", 2) == 0)
		name += 2;
	name += *name == '+';
	/* "&D" and "E" are names of their own */
	n = snprintf(order.command, sizeof(order.command), "%s%s",
		     strlen(name) > 2 ? "+" : "", name);
	if (w->count < 2 || n >= (int)sizeof(order.command) ||
	    !take_how(w, &order, &at) || w->count > at + 1 ||
	    (w->count == at + 1 && !words_number(w, at, TIMES_MAX, &times)))
		return -EINVAL;
	order.left = words_is(w, 1, "off") ? 0 : (int)times;
	return fail_order(&m->fails, &order);
}

const struct control_row control_fail_rows[] = {
	{ "fail", "CMD CODE|now CODE|info CODE|cme CODE|error|silent|off [N]",
	  NULL, fail },
	{ NULL, NULL, NULL, NULL }
};
