/* SPDX-License-Identifier: MIT */

/*
 * args - the fields after "=" of a command: numbers, quoted strings, nothing.
 *
 * Pure. Blanks around a field are ignored (A7600 manual 6.4.1 prints
 * "AT+SERVERSTART=8080, 0").
 *
 * Called by: command, the command handlers.   Calls: nothing.
 */

#ifndef MODEMSIM_ARGS_H
#define MODEMSIM_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#define ARGS_MAX	16

struct arg {
	const char *text;
	bool quoted;
	bool present;		/* not an empty field */
};

struct args {
	size_t count;		/* fields, empty ones included; 0: no text */
	struct arg arg[ARGS_MAX];
};

/* Cuts @text in place; it must outlive @a. -EINVAL: bad quoting, too many. */
int args_parse(struct args *a, char *text);

/* Field @i as a number in [min, max]. False: absent, quoted or out of it. */
bool args_int(const struct args *a, size_t i, int min, int max, int *v);

/* The same, but an absent field leaves @v alone and is fine. */
bool args_opt_int(const struct args *a, size_t i, int min, int max, int *v);

/* A quoted field, NULL if it is absent or not quoted. */
const char *args_str(const struct args *a, size_t i);

bool args_present(const struct args *a, size_t i);

#endif
