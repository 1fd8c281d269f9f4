/* SPDX-License-Identifier: MIT */

/*
 * chain - the commands of one line, one after the other.
 *
 * V.250 5.2.1: basic commands ("E0", "&D2", "S0=0") follow each other without
 * a sign, ";" ends one of the extended syntax ("+CMEE=2"). Pure.
 *
 * Called by: command_run.   Calls: nothing.
 */

#ifndef MODEMSIM_CHAIN_H
#define MODEMSIM_CHAIN_H

#include <stdbool.h>
#include <stddef.h>

enum form { FORM_EXEC, FORM_READ, FORM_WRITE, FORM_TEST };

/* One command; points into the line it was cut from. */
struct chain_part {
	const char *name;
	size_t name_len;
	enum form form;
	const char *fields;	/* of FORM_WRITE, else empty */
	size_t fields_len;
};

/* Cut the next one off *@line. False: there is none, @part is all zero. */
bool chain_next(const char **line, struct chain_part *part);

/* Is there another one? */
bool chain_has_more(const char *line);

#endif
