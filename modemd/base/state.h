/* SPDX-License-Identifier: MIT */

/*
 * state - the small state file: what must be known before the next start.
 *
 * Lines "key value", both printable without blanks; read once, rewritten
 * whole (temporary file, fsync, rename, fsync of the folder), mode 0600.
 * A missing file is an empty one. A file that cannot be understood is kept
 * as NAME.bad, and state_open() says -EBADMSG.
 *
 * Called by: driver, modem, main.   Calls: the C library.
 */

#ifndef MODEMD_STATE_H
#define MODEMD_STATE_H

struct state;

#define STATE_KEY_MAX	96
#define STATE_VALUE_MAX	256
#define STATE_ROWS_MAX	256

/*
 * Gives a state (NULL only for -ENOMEM) also where the file cannot be read or
 * written: then *@err is the -errno, and state_set() tries anew. A file that
 * could not be read is never written over.
 */
struct state *state_open(const char *path, int *err);
void state_close(struct state *s);

/* Borrowed until the next state_set() of that key; NULL: not set. */
const char *state_get(const struct state *s, const char *key);

/*
 * On the disk when it returns 0. Else -errno (-EINVAL for a bad key or value,
 * -ENOSPC when STATE_ROWS_MAX are used, or what the disk said), and
 * state_get() still gives the old value. @value NULL removes the key.
 */
int state_set(struct state *s, const char *key, const char *value);

#endif
