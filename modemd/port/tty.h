/* SPDX-License-Identifier: MIT */

/*
 * tty - the ioctls of a tty. The only file that knows the kernel's termios2,
 * which cannot be included beside <termios.h>.
 *
 * All return 0 or -errno; none waits.
 *
 * Called by: port.   Calls: the kernel.
 */

#ifndef MODEMD_TTY_H
#define MODEMD_TTY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Raw 8N1, no HUPCL, no XON/XOFF, VMIN 1: an idle read says EAGAIN, and 0 is
 * a hang-up. The rate stays.
 */
int tty_set_raw(int fd, bool rtscts);

/* Bxxx where the system has it, else BOTHER; -EINVAL when it did not take. */
int tty_set_baud(int fd, unsigned int baud);

/* Bytes that the kernel took and the line did not; 0 where it cannot tell. */
size_t tty_queued(int fd);

void tty_flush(int fd);
int tty_set_exclusive(int fd, bool on);
int tty_set_dtr(int fd, bool on);

/* DTR and RTS up, where there are such lines. */
void tty_raise_lines(int fd);

#endif
