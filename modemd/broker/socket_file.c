/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/config.h"
#include "base/log.h"
#include "broker/socket_file.h"

/* Clears a socket that a dead daemon left; anything else stays. */
static int clear_path(const struct sockaddr_un *sa)
{
	struct stat st;
	int fd, err;

	if (lstat(sa->sun_path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid())
		return -EEXIST;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	err = connect(fd, (const struct sockaddr *)sa, sizeof(*sa));
	close(fd);
	if (err == 0)
		return -EADDRINUSE;

	return unlink(sa->sun_path) ? -errno : 0;
}

/* The lock is the guard against a second daemon; the socket's file is not. */
static int take_lock(struct socket_file *f)
{
	char path[128];

	snprintf(path, sizeof(path), "%s.lock", f->set->socket);
	f->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			  0600);
	if (f->lock_fd < 0)
		return -errno;
	if (flock(f->lock_fd, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ? -EADDRINUSE : -errno;

	return 0;
}

static int set_access(const struct socket_file *f)
{
	const struct config_ipc *set = f->set;
	struct group *gr;

	if (set->socket_group[0]) {
		gr = getgrnam(set->socket_group);
		if (!gr)
			log_warn("ipc: there is no group %s: only the owner "
				 "of the socket may connect",
				 set->socket_group);
		else if (chown(set->socket, (uid_t)-1, gr->gr_gid))
			log_warn("ipc: cannot give the socket to group %s: %s",
				 set->socket_group, strerror(errno));
	}

	return chmod(set->socket, set->socket_mode) ? -errno : 0;
}

int socket_file_bind(struct socket_file *f, const struct config_ipc *set,
		     int *out)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct stat st;
	mode_t mask;
	int fd, err;

	f->set = set;
	f->lock_fd = -1;
	if (strlen(set->socket) >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	strcpy(sa.sun_path, set->socket);
	err = take_lock(f);
	if (!err)
		err = clear_path(&sa);
	if (err)
		return err;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	mask = umask(0177);
	err = bind(fd, (struct sockaddr *)&sa, sizeof(sa)) ? -errno : 0;
	umask(mask);
	if (!err)
		err = set_access(f);
	if (!err && stat(sa.sun_path, &st))
		err = -errno;
	if (err) {
		close(fd);
		return err;
	}
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	*out = fd;

	return 0;
}

void socket_file_remove(const struct socket_file *f)
{
	struct stat st;

	if (lstat(f->set->socket, &st) == 0 && st.st_dev == f->dev &&
	    st.st_ino == f->ino)
		unlink(f->set->socket);
}

void socket_file_unlock(struct socket_file *f)
{
	if (f->lock_fd >= 0)
		close(f->lock_fd);
	f->lock_fd = -1;
}
