/* SPDX-License-Identifier: MIT */

/*
 * socket_file - the file of the clients' socket: kept from a second daemon by
 * a lock, bound, opened to its group, and removed only while it is ours. It
 * does not accept.
 *
 * Called by: client_socket.   Calls: the C library, base.
 */

#ifndef MODEMD_BROKER_SOCKET_FILE_H
#define MODEMD_BROKER_SOCKET_FILE_H

#include <sys/types.h>

struct config_ipc;

struct socket_file {
	const struct config_ipc *set;
	int lock_fd;			/* -1: not held */
	dev_t dev;			/* of the socket that we bound */
	ino_t ino;
};

/*
 * 0 and *@out, a socket that does not listen yet; or -errno as of
 * client_listen(). @set is borrowed. The lock may be held also when it
 * failed: socket_file_unlock() either way.
 */
int socket_file_bind(struct socket_file *f, const struct config_ipc *set,
		     int *out);

/* After socket_file_bind() returned 0. Whatever else is there now stays. */
void socket_file_remove(const struct socket_file *f);
void socket_file_unlock(struct socket_file *f);

#endif
