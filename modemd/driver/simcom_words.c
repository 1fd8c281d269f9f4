/* SPDX-License-Identifier: MIT */

/*
 * What a modem says into a transparent stream when the session has ended:
 * lines that a peer may have sent as well. Here they are only recognised.
 */

#include "driver/simcom_private.h"

#define WORDS_MAX	512	/* all lines of it */
#define WORD_MAX	80

/* '#' is one or more digits. Quirks Q79, rule 40; A7600 manual 5. The last
 * are never the first: they follow a start. */
static const struct {
	const char *text;
	enum simcom_words what;
} words[] = {
	{ "CLOSED", WORDS_CLOSED },
	{ "NO CARRIER", WORDS_CLOSED },
	{ "+CIPCLOSE: 0,#", WORDS_CLOSED },
	{ "+IPCLOSE: 0,#", WORDS_CLOSED },
	{ "+IPCLOSE 0,#", WORDS_CLOSED },
	{ "+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY", WORDS_NETWORK },
	{ "RDY", WORDS_BANNER },
	{ "*ATREADY: #", WORDS_BANNER },
	{ "QCRDY", WORDS_BANNER },
	{ "PB DONE", WORDS_NONE },
	{ "SMS DONE", WORDS_NONE },
};

/* The line with its CR LF. */
static enum simcom_fit fit_word(const char *w, const uint8_t *p, size_t len,
			 size_t *used)
{
	const char *end = "\r\n";
	size_t i = 0;

	for (; *w; w++, i++) {
		if (i == len)
			return FIT_PART;
		if (*w != '#' && p[i] != (uint8_t)*w)
			return FIT_NOT;
		if (*w == '#' && (p[i] < '0' || p[i] > '9'))
			return FIT_NOT;
		while (*w == '#' && i + 1 < len && p[i + 1] >= '0' &&
		       p[i + 1] <= '9')
			i++;
	}
	for (; *end; end++, i++) {
		if (i == len)
			return FIT_PART;
		if (p[i] != (uint8_t)*end)
			return FIT_NOT;
	}
	*used = i;

	return FIT_ALL;
}

/* What may follow them, since it is in command mode then: "+CREG: 0". */
static enum simcom_fit fit_news(const uint8_t *p, size_t len, size_t *used)
{
	size_t i;

	for (i = 0; i < len && i < WORD_MAX; i++) {
		if (p[i] == '\r')
			break;
		if (p[i] < 0x20 || p[i] > 0x7e)
			return FIT_NOT;
	}
	if (p[0] != '+' && p[0] != '*')
		return FIT_NOT;
	if (i + 1 >= len)
		return FIT_PART;
	*used = i + 2;

	return p[i] == '\r' && p[i + 1] == '\n' ? FIT_ALL : FIT_NOT;
}

static enum simcom_fit fit_line(const uint8_t *p, size_t len, size_t *used,
			 enum simcom_words *what)
{
	enum simcom_fit fit, best = FIT_NOT;
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		fit = fit_word(words[i].text, p, len, used);
		if (fit == FIT_ALL && words[i].what > *what)
			*what = words[i].what;
		if (fit == FIT_ALL && *what > WORDS_NONE)
			return FIT_ALL;
		if (fit == FIT_PART)
			best = FIT_PART;
	}
	if (best == FIT_NOT && *what > WORDS_NONE)
		best = fit_news(p, len, used);

	return best;
}

/* All of it: lines, each after CR LF; @bare: the first needs none. */
static enum simcom_fit fit_lines(const uint8_t *p, size_t len, bool bare,
			  enum simcom_words *what)
{
	enum simcom_fit fit;
	size_t used;

	for (; len > 0; p += used, len -= used, bare = true) {
		if (p[0] == '\r') {
			if (len > 1 && p[1] != '\n')
				return FIT_NOT;
			if (len <= 2)
				return FIT_PART;
			p += 2;
			len -= 2;
		} else if (!bare) {
			return FIT_NOT;
		}
		fit = fit_line(p, len, &used, what);
		if (fit != FIT_ALL)
			return fit;
	}

	return FIT_ALL;
}

size_t simcom_find_words(const uint8_t *p, size_t len, bool at_start,
			 enum simcom_fit *fit, enum simcom_words *what)
{
	size_t i = len > WORDS_MAX ? len - WORDS_MAX : 0;
	bool bare;

	for (; i < len; i++) {
		bare = i == 0 && at_start;
		if (p[i] != '\r' && !bare)
			continue;
		*what = WORDS_NONE;
		*fit = fit_lines(p + i, len - i, bare, what);
		if (*fit != FIT_NOT)
			return i;
	}
	*what = WORDS_NONE;
	*fit = FIT_NOT;

	return len;
}
