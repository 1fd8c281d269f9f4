/* SPDX-License-Identifier: MIT */

/*
 * pty - the pair of pseudo terminals, its mode, and its stable name.
 *
 * The simulator keeps a slave of its own open, so the master never sees the
 * hang-up that a missing host would be. What that costs (TIOCEXCL would stay
 * for ever) host_watch makes good.
 *
 * Called by: line, host_watch.   Calls: baud.
 */

#ifndef MODEMSIM_PTY_H
#define MODEMSIM_PTY_H

#include "options.h"

struct pty {
	int master;
	int slave;
	char name[64];
	char *link_path;		/* as made, so as to be removed */
};

/* 0 or -errno; the error has been reported on stderr. */
int pty_open(struct pty *p, const struct options *o);

/* Also removes the link. The host sees the device vanish. */
void pty_close(struct pty *p);

/* Raw, 8N1, VMIN 1: also after a new open of the slave. */
int pty_make_raw(int fd);

#endif
