/* SPDX-License-Identifier: MIT */

#include "tty.h"

#include <asm/termbits.h>
#include <errno.h>
#include <stdint.h>
#include <sys/ioctl.h>

static const struct {
	unsigned int baud;
	tcflag_t flag;
} rates[] = {
	{ 300, B300 },		{ 600, B600 },		{ 1200, B1200 },
	{ 2400, B2400 },	{ 4800, B4800 },	{ 9600, B9600 },
	{ 19200, B19200 },	{ 38400, B38400 },	{ 57600, B57600 },
	{ 115200, B115200 },	{ 230400, B230400 },	{ 460800, B460800 },
	{ 500000, B500000 },	{ 576000, B576000 },	{ 921600, B921600 },
	{ 1000000, B1000000 },	{ 1152000, B1152000 },	{ 1500000, B1500000 },
	{ 2000000, B2000000 },	{ 2500000, B2500000 },	{ 3000000, B3000000 },
	{ 3500000, B3500000 },	{ 4000000, B4000000 },
};

static tcflag_t rate_flag(unsigned int baud)
{
	size_t i;

	for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		if (rates[i].baud == baud)
			return rates[i].flag;
	}

	return BOTHER;
}

int tty_set_raw(int fd, bool rtscts)
{
	struct termios2 t;

	if (ioctl(fd, TCGETS2, &t) < 0)
		return -errno;

	t.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | INPCK | ISTRIP |
				 INLCR | IGNCR | ICRNL | IXON | IXOFF | IXANY);
	t.c_oflag &= ~(tcflag_t)OPOST;
	t.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	t.c_cflag &= ~(tcflag_t)(CSIZE | PARENB | CMSPAR | CSTOPB | HUPCL |
				 CRTSCTS);
	t.c_cflag |= CS8 | CREAD | CLOCAL | (rtscts ? CRTSCTS : 0);
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	if (ioctl(fd, TCSETS2, &t) < 0)
		return -errno;

	return 0;
}

int tty_set_baud(int fd, unsigned int baud)
{
	struct termios2 t;

	if (baud == 0)
		return -EINVAL;
	if (ioctl(fd, TCGETS2, &t) < 0)
		return -errno;

	t.c_cflag &= ~(tcflag_t)(CBAUD | (CBAUD << IBSHIFT));
	t.c_cflag |= rate_flag(baud);
	t.c_ispeed = baud;
	t.c_ospeed = baud;
	if (ioctl(fd, TCSETS2, &t) < 0 || ioctl(fd, TCGETS2, &t) < 0)
		return -errno;

	/* Drivers round to what their divisor gives; 3 % still is the rate. */
	if ((uint64_t)t.c_ospeed * 100 < (uint64_t)baud * 97 ||
	    (uint64_t)t.c_ospeed * 100 > (uint64_t)baud * 103)
		return -EINVAL;

	return 0;
}

size_t tty_queued(int fd)
{
	int queued = 0;

	if (ioctl(fd, TIOCOUTQ, &queued) < 0 || queued < 0)
		return 0;

	return (size_t)queued;
}

void tty_flush(int fd)
{
	ioctl(fd, TCFLSH, TCIOFLUSH);
}

int tty_set_exclusive(int fd, bool on)
{
	return ioctl(fd, on ? TIOCEXCL : TIOCNXCL) < 0 ? -errno : 0;
}

int tty_set_dtr(int fd, bool on)
{
	int lines = TIOCM_DTR;

	return ioctl(fd, on ? TIOCMBIS : TIOCMBIC, &lines) < 0 ? -errno : 0;
}

/* A pty, and some cellular drivers, have none: that is no failure. */
void tty_raise_lines(int fd)
{
	int lines = TIOCM_DTR | TIOCM_RTS;

	ioctl(fd, TIOCMBIS, &lines);
}
