/* SPDX-License-Identifier: MIT */

/*
 * config_reading - one file while it is read: what libconfuse met in it
 * (config_parser) and what is told about it (config_file).
 *
 * Called by: config_file, config_parser.   Calls: nothing.
 */

#ifndef MODEMD_CONFIG_READING_H
#define MODEMD_CONFIG_READING_H

#include "config_private.h"

#define STRAYS_MAX	64
#define MISTAKES_MAX	200
#define SEEN_MAX	512

/* In the order in which a parser finds out. */
enum stray_kind { STRAY_KEY, STRAY_SECTION, STRAY_TITLED };

/* A name that should not be there. */
struct stray {
	char *section;		/* "" at the top */
	char *name;
	enum stray_kind kind;
	unsigned int line;
};

struct mistake {
	unsigned int line;
	size_t number;		/* keeps the order within a line */
	bool warning;
	char *text;
};

struct reading {
	struct draft *d;
	const char *path;
	struct stray strays[STRAYS_MAX];
	size_t stray_count;

	/* of one pass */
	struct mistake mistakes[MISTAKES_MAX];
	size_t mistake_count;
	char *seen[SEEN_MAX];	/* keys, to find a second one */
	size_t seen_count;
	bool access_seen;
	bool again;		/* a stray was found: one more pass */
};

/* config_file */
__attribute__((format(printf, 4, 5)))
void reading_note(struct reading *r, unsigned int line, bool warning,
		  const char *fmt, ...);
void reading_note_stray(struct reading *r, unsigned int line,
			const struct stray *stray);

/* config_parser: one pass over @text */
void config_parse(struct reading *r, const char *text);

#endif
