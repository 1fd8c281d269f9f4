/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/client.h"
#include "broker/creds.h"

#define GROUPS_MAX	256

static void read_line(const char *path, char *out, size_t size)
{
	FILE *f = fopen(path, "re");

	out[0] = '\0';
	if (!f)
		return;
	if (!fgets(out, (int)size, f))
		out[0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	fclose(f);
}

/* The last part of a cgroup path that names a unit. */
static void read_unit(pid_t pid, char *out, size_t size)
{
	char path[64], line[512];
	const char *unit;

	out[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	read_line(path, line, sizeof(line));
	unit = strrchr(line, '/');
	if (unit && (strstr(unit, ".service") || strstr(unit, ".scope")))
		snprintf(out, size, "%s", unit + 1);
}

static bool has_group(int fd, gid_t group)
{
	gid_t groups[GROUPS_MAX];
	socklen_t len = sizeof(groups);
	size_t i;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len))
		return false;
	for (i = 0; i < len / sizeof(groups[0]); i++) {
		if (groups[i] == group)
			return true;
	}

	return false;
}

int creds_read(int fd, const gid_t *admin_group, struct client_creds *out)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	char path[64];
	ssize_t n;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return -errno;

	memset(out, 0, sizeof(*out));
	out->pid = cred.pid;
	out->uid = cred.uid;
	out->gid = cred.gid;
	out->in_admin_group = admin_group && (cred.gid == *admin_group ||
					      has_group(fd, *admin_group));
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)cred.pid);
	read_line(path, out->comm, sizeof(out->comm));
	read_unit(cred.pid, out->unit, sizeof(out->unit));
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)cred.pid);
	n = readlink(path, out->exe, sizeof(out->exe) - 1);
	if (n < 0)
		out->exe[0] = '\0';

	return 0;
}
