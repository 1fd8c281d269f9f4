/* SPDX-License-Identifier: MIT */

/*
 * holder - who has the tty that we may not have.
 *
 * Called by: port, when an open found the device busy.   Calls: /proc.
 */

#ifndef MODEMD_HOLDER_H
#define MODEMD_HOLDER_H

#include <stddef.h>

/*
 * Names the holder of @path into @out ("minicom (pid 123)"), as far as this
 * user may see it: from the kernel's locks, from the lock files in
 * @lock_folder ("/var/lock"), from the open files of all processes. Returns
 * 0, or -ENOENT when nobody could be named.
 */
int holder_find(const char *path, const char *lock_folder, char *out,
		size_t size);

#endif
