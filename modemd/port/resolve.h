/* SPDX-License-Identifier: MIT */

/*
 * resolve - from the configured name of a device to the node of today.
 *
 * Names of ttys change whenever a modem is plugged in again, and libserialport
 * takes no links: so this is asked anew at every open.
 *
 * Called by: port.   Calls: the C library.
 */

#ifndef MODEMD_RESOLVE_H
#define MODEMD_RESOLVE_H

#include <stddef.h>

/*
 * @device is a path, or usb:VID:PID:INTERFACE in hex, which is looked up in
 * @sysfs ("/sys"). Returns 0 and @path without links, -ENOENT, -ENOTUNIQ when
 * two devices fit, or another -errno; then @why is a sentence.
 */
int resolve_device(const char *sysfs, const char *device, char *path,
		   size_t path_size, char *why, size_t why_size);

#endif
