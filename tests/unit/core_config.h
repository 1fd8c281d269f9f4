/* SPDX-License-Identifier: MIT */

/* core_config - settings for tests of the core: the defaults, but short. */

#ifndef MODEMD_CORE_CONFIG_H
#define MODEMD_CORE_CONFIG_H

struct config;

/* All text in it is constant: never config_free() it. */
void core_config(struct config *cfg);

#endif
