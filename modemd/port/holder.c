/* SPDX-License-Identifier: MIT */

#include "holder.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static void put_name(long pid, char *out, size_t size)
{
	char path[64], comm[64] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	f = fopen(path, "re");
	if (f) {
		if (fgets(comm, sizeof(comm), f))
			comm[strcspn(comm, "\n")] = '\0';
		fclose(f);
	}
	snprintf(out, size, "%s (pid %ld)", comm[0] ? comm : "a process", pid);
}

/* Lines "1: FLOCK  ADVISORY  WRITE 1234 00:15:7 0 EOF"; 0: not found. */
static long pid_of_flock(const struct stat *st)
{
	unsigned long long inode;
	unsigned int major_id, minor_id;
	char line[256];
	long pid, found = 0;
	FILE *f = fopen("/proc/locks", "re");

	if (!f)
		return 0;
	while (found == 0 && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s FLOCK %*s %*s %ld %x:%x:%llu", &pid,
			   &major_id, &minor_id, &inode) == 4 && pid > 0 &&
		    major_id == major(st->st_dev) &&
		    minor_id == minor(st->st_dev) && inode == st->st_ino)
			found = pid;
	}
	fclose(f);

	return found;
}

/* The old way, still that of pppd and minicom: LCK..ttyUSB0 holds a pid. */
static long pid_of_lock_file(const char *folder, const char *path)
{
	const char *name = strrchr(path, '/');
	char lock[PATH_MAX];
	long pid = 0;
	FILE *f;

	snprintf(lock, sizeof(lock), "%s/LCK..%s", folder,
		 name ? name + 1 : path);
	f = fopen(lock, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%ld", &pid) != 1 || pid <= 0 ||
	    (kill((pid_t)pid, 0) < 0 && errno == ESRCH))
		pid = 0;
	fclose(f);

	return pid;
}

static bool process_has(const char *pid, const char *path)
{
	char folder[64], link[PATH_MAX];
	struct dirent *e;
	bool found = false;
	ssize_t len;
	DIR *d;

	snprintf(folder, sizeof(folder), "/proc/%.20s/fd", pid);
	d = opendir(folder);
	if (!d)
		return false;
	while (!found && (e = readdir(d))) {
		len = readlinkat(dirfd(d), e->d_name, link, sizeof(link) - 1);
		if (len <= 0)
			continue;
		link[len] = '\0';
		found = strcmp(link, path) == 0;
	}
	closedir(d);

	return found;
}

static long pid_of_open_file(const char *path)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	long pid, found = 0;

	while (d && found == 0 && (e = readdir(d))) {
		pid = strtol(e->d_name, NULL, 10);
		if (pid > 0 && pid != getpid() && process_has(e->d_name, path))
			found = pid;
	}
	if (d)
		closedir(d);

	return found;
}

int holder_find(const char *path, const char *lock_folder, char *out,
		size_t size)
{
	struct stat st;
	long pid = 0;

	if (stat(path, &st) == 0)
		pid = pid_of_flock(&st);
	if (pid == 0)
		pid = pid_of_lock_file(lock_folder, path);
	if (pid == 0)
		pid = pid_of_open_file(path);
	if (pid == 0)
		return -ENOENT;
	put_name(pid, out, size);

	return 0;
}
