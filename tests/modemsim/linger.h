/* SPDX-License-Identifier: MIT */

/*
 * linger - close a socket so that the peer gets every byte and then FIN.
 *
 * close() with unread input would send RST and could destroy confirmed bytes
 * on their way; so input is read and thrown away until the peer closes too,
 * for LINGER_S at most.
 *
 * Called by: tcp, main (at exit).   Calls: nothing.
 */

#ifndef MODEMSIM_LINGER_H
#define MODEMSIM_LINGER_H

#include <event2/event.h>

#define LINGER_S	5

/* Takes @fd over. */
void linger_close(struct event_base *base, int fd);

/* Close the rest at once. */
void linger_finish(void);

#endif
