/* SPDX-License-Identifier: MIT */

/* modemctl listeners */

#include "modemctl.h"
