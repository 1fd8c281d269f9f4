/* SPDX-License-Identifier: MIT */

#include <asm/termbits.h>
#include <errno.h>
#include <sys/ioctl.h>

#include "baud.h"

int baud_get(int fd)
{
	struct termios2 t;

	if (ioctl(fd, TCGETS2, &t) < 0)
		return -errno;
	return (int)t.c_ospeed;
}

int baud_set(int fd, unsigned int baud)
{
	struct termios2 t;

	if (ioctl(fd, TCGETS2, &t) < 0)
		return -errno;
	t.c_cflag &= ~(tcflag_t)(CBAUD | (CBAUD << IBSHIFT));
	t.c_cflag |= BOTHER;
	t.c_ospeed = baud;
	t.c_ispeed = baud;
	return ioctl(fd, TCSETS2, &t) < 0 ? -errno : 0;
}
