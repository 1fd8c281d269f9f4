/* SPDX-License-Identifier: MIT */

/*
 * detect_private - what detect.c (finds the driver) and detect_wait.c (all
 * else that a driver is asked for; its table) share. Nobody else includes it.
 */

#ifndef MODEMD_DETECT_PRIVATE_H
#define MODEMD_DETECT_PRIVATE_H

#include "at/channel.h"
#include "driver/driver.h"

extern const struct at_dialect detect_dialect;

void *detect_new(const struct driver_env *env);
void detect_free(void *d);
int detect_stage(void *d, enum driver_stage stage);
void detect_line(void *d, const struct at_line *line);
void detect_reset(void *d, bool modem_gone);
const struct driver_info *detect_info(void *d);

#endif
