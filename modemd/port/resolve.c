/* SPDX-License-Identifier: MIT */

#include "resolve.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct usb_id {
	unsigned int vid;
	unsigned int pid;
	unsigned int interface;
};

static bool read_hex(const char *folder, const char *name, unsigned int *out)
{
	char path[PATH_MAX];
	bool ok;
	FILE *f;

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >=
	    (int)sizeof(path))
		return false;
	f = fopen(path, "re");
	if (!f)
		return false;
	ok = fscanf(f, "%x", out) == 1;
	fclose(f);

	return ok;
}

static bool parent_of(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash || slash == path)
		return false;
	*slash = '\0';

	return true;
}

/*
 * A cdc-acm tty hangs on the interface itself, a usb-serial one on a port of
 * it: go up until a folder is an interface; its parent is the device.
 */
static bool tty_is(const char *sysfs, const char *tty,
		   const struct usb_id *want)
{
	char link[PATH_MAX], at[PATH_MAX];
	unsigned int interface, vid, pid;

	if (snprintf(link, sizeof(link), "%s/class/tty/%s/device", sysfs,
		     tty) >= (int)sizeof(link) || !realpath(link, at))
		return false;
	while (!read_hex(at, "bInterfaceNumber", &interface)) {
		if (!parent_of(at))
			return false;
	}

	return interface == want->interface && parent_of(at) &&
	       read_hex(at, "idVendor", &vid) && vid == want->vid &&
	       read_hex(at, "idProduct", &pid) && pid == want->pid;
}

static int find_usb(const char *sysfs, const char *device, char *path,
		    size_t path_size, char *why, size_t why_size)
{
	char folder[PATH_MAX];
	struct usb_id want;
	struct dirent *e;
	int found = 0;
	DIR *d;

	if (sscanf(device, "usb:%4x:%4x:%2x", &want.vid, &want.pid,
		   &want.interface) != 3) {
		snprintf(why, why_size, "%s: not usb:VID:PID:INTERFACE",
			 device);
		return -EINVAL;
	}
	snprintf(folder, sizeof(folder), "%s/class/tty", sysfs);
	d = opendir(folder);
	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.' || !tty_is(sysfs, e->d_name, &want))
			continue;
		if (found++ == 0)
			snprintf(path, path_size, "/dev/%s", e->d_name);
		else
			snprintf(why, why_size, "%s: %s and /dev/%s both fit; "
				 "name one by its link in /dev/serial/by-id",
				 device, path, e->d_name);
	}
	if (d)
		closedir(d);
	if (found == 0)
		snprintf(why, why_size, "%s: no such USB interface with a tty; "
			 "is the modem plugged in and powered?", device);

	return found == 1 ? 0 : found ? -ENOTUNIQ : -ENOENT;
}

int resolve_device(const char *sysfs, const char *device, char *path,
		   size_t path_size, char *why, size_t why_size)
{
	char real[PATH_MAX];
	int err;

	if (strncmp(device, "usb:", 4) == 0)
		return find_usb(sysfs, device, path, path_size, why, why_size);

	if (!realpath(device, real)) {
		err = -errno;
		snprintf(why, why_size, "%s: %s%s", device, strerror(-err),
			 err == -ENOENT ?
			 "; is the modem plugged in and powered?" : "");
		return err;
	}
	if (snprintf(path, path_size, "%s", real) >= (int)path_size) {
		snprintf(why, why_size, "%s: its real name is too long",
			 device);
		return -ENAMETOOLONG;
	}

	return 0;
}
