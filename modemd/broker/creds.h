/* SPDX-License-Identifier: MIT */

/*
 * creds - who is behind a connection: what the kernel says (uid, gid, groups)
 * and what /proc tells for people (program, unit), which grants nothing.
 *
 * Called by: client_socket.   Calls: the C library.
 */

#ifndef MODEMD_BROKER_CREDS_H
#define MODEMD_BROKER_CREDS_H

#include <sys/types.h>

struct client_creds;

/* @admin_group NULL: there is none. 0 or -errno. */
int creds_read(int fd, const gid_t *admin_group, struct client_creds *out);

#endif
