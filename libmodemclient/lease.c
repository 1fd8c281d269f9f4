/* SPDX-License-Identifier: MIT */

/* The whole modem for one link. */

#include "link.h"
