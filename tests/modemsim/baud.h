/* SPDX-License-Identifier: MIT */

/*
 * baud - the rate of a tty as a number, also the rates without a B constant.
 *
 * A file of its own because <asm/termbits.h> and <termios.h> exclude each
 * other.
 *
 * Called by: pty, line.   Calls: nothing.
 */

#ifndef MODEMSIM_BAUD_H
#define MODEMSIM_BAUD_H

/* On a pty master this is what the host set at the slave. -errno on error. */
int baud_get(int fd);

int baud_set(int fd, unsigned int baud);

#endif
