/* SPDX-License-Identifier: MIT */

/*
 * linger - close a socket so that the peer gets every byte and then FIN.
 *
 * close() with unread input would send RST and could destroy confirmed bytes
 * on their way; so input is read and thrown away until the peer closes too,
 * for LINGER_S at most, or for as long as SO_LINGER says.
 *
 * Called by: tcp, main (at exit).   Calls: nothing.
 */

#ifndef MODEMSIM_LINGER_H
#define MODEMSIM_LINGER_H

#include <event2/event.h>

#define LINGER_S	5

struct lingerer;

/*
 * Takes @fd over, for @limit_s at most. @done may be NULL; it is called once,
 * later, and the returned one is not there any more then. NULL: there is
 * nothing to wait for, and @done is not called.
 */
struct lingerer *linger_close(struct event_base *base, int fd, int limit_s,
			      void (*done)(void *ctx), void *ctx);

/* @done is not called any more; the waiting goes on. */
void linger_forget(struct lingerer *l);

/* Close the rest at once. */
void linger_finish(void);

#endif
