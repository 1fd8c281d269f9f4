/* SPDX-License-Identifier: MIT */

/*
 * text - the one place where AT lines are put together.
 *
 * Arguments are typed, and what came from outside can only enter as a quoted
 * string: a byte that could end the string or the line refuses the whole
 * command before any of it reaches the port.
 *
 * Called by: driver.   Calls: the C library.
 */

#ifndef MODEMD_AT_TEXT_H
#define MODEMD_AT_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#define AT_COMMAND_MAX	512	/* characters; some modems take 556, some 256 */

/* Printable ASCII without quote and backslash. */
bool at_text_is_plain(const char *s);

/*
 * %u unsigned int, %q const char * in quotes, %s a literal of the driver's
 * own, %% itself. Returns 0, -EINVAL for a string that is not plain, or
 * -EMSGSIZE when @size is too small.
 */
int at_text_build(char *out, size_t size, const char *fmt, ...);
int at_text_vbuild(char *out, size_t size, const char *fmt, va_list ap);

/* Copies a parsed string, cut to fit and terminated. */
struct at_str;
void at_text_copy(char *out, size_t size, const struct at_str *str);

#endif
