/* SPDX-License-Identifier: MIT */

/*
 * run - a daemon's own row, and what an earlier one left open.
 *
 * Called by: store.   Calls: sqlite3.
 */

#ifndef MODEMD_RUN_H
#define MODEMD_RUN_H

struct store;

/*
 * Finds our row (the file may be opened again while we run) or makes it, and
 * ends what belongs to daemons that are no more. As in store.h.
 */
int run_begin(struct store *s);

/* Its end by "stop"; sessions still open are ended with it. */
int run_end(struct store *s);

#endif
