/* SPDX-License-Identifier: MIT */

/*
 * open - from the name of a device to a tty that is ours alone and set up.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libserialport.h>

#include "base/config.h"
#include "base/log.h"
#include "port/holder.h"
#include "port/private.h"
#include "port/resolve.h"
#include "port/tty.h"

static int refuse_busy(struct port *p)
{
	char who[128];

	if (holder_find(p->path, "/var/lock", who, sizeof(who)) == 0)
		snprintf(p->reason, sizeof(p->reason),
			 "%.200s is held by %s: stop it, or configure another "
			 "device", p->path, who);
	else
		snprintf(p->reason, sizeof(p->reason),
			 "%.100s is held by another process; `fuser %.100s` as "
			 "root tells which", p->path, p->path);

	return -EBUSY;
}

static int refuse(struct port *p, int err, const char *what)
{
	struct stat st;

	if (err == -EBUSY)
		return refuse_busy(p);

	if (err == -EACCES && stat(p->path, &st) == 0)
		snprintf(p->reason, sizeof(p->reason),
			 "%.200s: no permission (mode %04o, uid %u, gid %u); "
			 "let the daemon's user into that group", p->path,
			 (unsigned int)st.st_mode & 07777, st.st_uid,
			 st.st_gid);
	else
		snprintf(p->reason, sizeof(p->reason), "%.200s: %s: %s",
			 p->path, what, strerror(-err));

	return err;
}

static int refuse_no_tty(struct port *p)
{
	snprintf(p->reason, sizeof(p->reason),
		 "%.200s is not a tty: check the setting modem.device",
		 p->path);

	return -ENOTTY;
}

/*
 * The first opening decides nothing about the line: whoever has the tty
 * already must not notice that we asked.
 */
static int open_locked(struct port *p)
{
	struct stat st;
	int err;

	if (stat(p->path, &st) < 0)
		return refuse(p, -errno, "cannot look at it");
	if (!S_ISCHR(st.st_mode))
		return refuse_no_tty(p);

	p->fd = open(p->path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (p->fd < 0)
		return refuse(p, -errno, "cannot open");
	if (!isatty(p->fd)) {
		err = -errno;
		return err == -ENOTTY || err == -EINVAL ? refuse_no_tty(p) :
			refuse(p, err, "the port has no working hardware");
	}
	if (flock(p->fd, LOCK_EX | LOCK_NB) < 0)
		return refuse(p, errno == EWOULDBLOCK ? -EBUSY : -errno,
			      "cannot lock");

	return 0;
}

static void drop_sp(struct port *p, bool opened)
{
	if (!p->sp)
		return;
	if (opened)
		sp_close(p->sp);
	sp_free_port(p->sp);
	p->sp = NULL;
}

/*
 * Since our first descriptor is open meanwhile, libserialport's own opening
 * and its closing again move neither DTR nor RTS.
 */
static int open_sp(struct port *p, unsigned int baud)
{
	int fd = -1;

	if (sp_get_port_by_name(p->path, &p->sp) != SP_OK) {
		p->sp = NULL;
		return -EINVAL;
	}
	if (sp_open(p->sp, SP_MODE_READ_WRITE) != SP_OK) {
		drop_sp(p, false);
		return -EINVAL;
	}
	/* 0.1.1 opens without O_CLOEXEC, and with XON/XOFF on. */
	if (sp_get_port_handle(p->sp, &fd) != SP_OK || fd < 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
	    sp_set_flowcontrol(p->sp, p->set->rtscts ? SP_FLOWCONTROL_RTSCTS :
			       SP_FLOWCONTROL_NONE) != SP_OK ||
	    sp_set_baudrate(p->sp, (int)baud) != SP_OK) {
		drop_sp(p, true);
		return -EINVAL;
	}

	return 0;
}

static int choose_backend(struct port *p, unsigned int baud)
{
	int err;

	if (p->set->backend == CONFIG_BACKEND_TERMIOS)
		return 0;

	err = open_sp(p, baud);
	if (!err)
		return 0;
	if (p->set->backend == CONFIG_BACKEND_LIBSERIALPORT) {
		snprintf(p->reason, sizeof(p->reason),
			 "%.200s: libserialport refuses it; set modem.backend "
			 "to auto or termios", p->path);
		return err;
	}
	/* ptys, and cellular drivers that refuse to move RTS */
	log_debug("port: %s: libserialport refuses it, termios serves",
		  p->path);

	return 0;
}

int port_apply_baud(struct port *p, unsigned int baud)
{
	int err;

	if (p->sp && sp_set_baudrate(p->sp, (int)baud) != SP_OK)
		return -EINVAL;
	err = p->sp ? 0 : tty_set_baud(p->fd, baud);
	/* libserialport's set-up does not keep VMIN and HUPCL as we need. */
	if (!err)
		err = tty_set_raw(p->fd, p->set->rtscts);
	if (!err)
		p->baud = baud;

	return err;
}

int port_open_device(struct port *p, unsigned int baud)
{
	int err;

	p->reason[0] = '\0';
	err = resolve_device("/sys", p->set->device, p->path, sizeof(p->path),
			     p->reason, sizeof(p->reason));
	if (!err)
		err = open_locked(p);
	if (!err)
		err = choose_backend(p, baud);
	if (!err) {
		err = port_apply_baud(p, baud);
		if (err)
			refuse(p, err, "cannot set it up");
	}
	if (err) {
		port_close_device(p);
		return err;
	}

	tty_set_exclusive(p->fd, true);
	tty_raise_lines(p->fd);

	return 0;
}

void port_close_device(struct port *p)
{
	if (p->fd < 0)
		return;

	/*
	 * The flag outlives us while somebody else keeps the tty open, and
	 * would shut out our own next start.
	 */
	tty_set_exclusive(p->fd, false);
	drop_sp(p, true);
	close(p->fd);
	p->fd = -1;
}
