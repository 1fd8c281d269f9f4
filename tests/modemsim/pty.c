/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "baud.h"
#include "pty.h"

int pty_make_raw(int fd)
{
	struct termios t;

	if (tcgetattr(fd, &t) < 0)
		return -errno;
	cfmakeraw(&t);
	t.c_cflag |= CLOCAL | CREAD;
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	return tcsetattr(fd, TCSANOW, &t) < 0 ? -errno : 0;
}

static int set_owner(const char *name, const struct options *o)
{
	struct group *g;

	if (o->group != NULL) {
		g = getgrnam(o->group);
		if (g == NULL)
			return -ENOENT;
		if (chown(name, (uid_t)-1, g->gr_gid) < 0)
			return -errno;
	}
	return chmod(name, (mode_t)o->mode) < 0 ? -errno : 0;
}

/* A dangling or older link is replaced; anything else is not ours. */
static int make_link(struct pty *p, const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0) {
		if (!S_ISLNK(st.st_mode))
			return -EEXIST;
		unlink(path);
	}
	if (symlink(p->name, path) < 0)
		return -errno;
	p->link_path = strdup(path);
	return p->link_path == NULL ? -ENOMEM : 0;
}

static int open_pair(struct pty *p, const struct options *o)
{
	int err;

	p->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (p->master < 0)
		return -errno;
	if (grantpt(p->master) < 0 || unlockpt(p->master) < 0 ||
	    ptsname_r(p->master, p->name, sizeof(p->name)) != 0)
		return -errno;
	p->slave = open(p->name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (p->slave < 0)
		return -errno;
	err = pty_make_raw(p->slave);
	if (err == 0)
		err = baud_set(p->slave,
			       o->modem_baud ? o->modem_baud : 115200);
	if (err == 0)
		err = set_owner(p->name, o);
	if (err == 0 && o->link_path != NULL)
		err = make_link(p, o->link_path);
	return err;
}

int pty_open(struct pty *p, const struct options *o)
{
	int err;

	*p = (struct pty){ .master = -1, .slave = -1 };
	err = open_pair(p, o);
	if (err < 0) {
		fprintf(stderr, "modemsim: cannot make the pty: %s\n",
			strerror(-err));
		pty_close(p);
	}
	return err;
}

/* Only if it still points here: somebody may have replaced it. */
static void remove_link(struct pty *p)
{
	char target[sizeof(p->name)];
	ssize_t n = readlink(p->link_path, target, sizeof(target) - 1);

	if (n > 0) {
		target[n] = '\0';
		if (strcmp(target, p->name) == 0)
			unlink(p->link_path);
	}
	free(p->link_path);
	p->link_path = NULL;
}

void pty_close(struct pty *p)
{
	if (p->link_path != NULL)
		remove_link(p);
	if (p->slave >= 0)
		close(p->slave);
	if (p->master >= 0)
		close(p->master);
	p->slave = -1;
	p->master = -1;
}
