/* SPDX-License-Identifier: MIT */

/*
 * control_words - a control command cut into words, and the row that runs it.
 *
 * Called by: control_commands.c, control_line.c.   Calls: nothing.
 */

#ifndef MODEMSIM_CONTROL_WORDS_H
#define MODEMSIM_CONTROL_WORDS_H

#include <event2/buffer.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX	8

struct modem;

struct words {
	size_t count;
	char *word[WORDS_MAX];
};

struct control_row {
	const char *name;
	const char *usage;
	/* The rest of the line as it is, or in words. 0 or -errno. */
	int (*text)(struct modem *m, const char *rest);
	int (*words)(struct modem *m, const struct words *w);
};

/* control_line.c: faults of the line. */
extern const struct control_row control_line_rows[];

/* control_fail.c: refusals by order. */
extern const struct control_row control_fail_rows[];

/* control_links.c: links and servers. */
extern const struct control_row control_links_rows[];
void control_ports(const struct modem *m, struct evbuffer *out);

static inline bool words_number(const struct words *w, size_t i,
				unsigned long max, unsigned long *v)
{
	char *end;

	if (i >= w->count || *w->word[i] < '0' || *w->word[i] > '9')
		return false;
	*v = strtoul(w->word[i], &end, 10);
	return *end == '\0' && *v <= max;
}

static inline bool words_is(const struct words *w, size_t i, const char *word)
{
	return i < w->count && strcmp(w->word[i], word) == 0;
}

#endif
