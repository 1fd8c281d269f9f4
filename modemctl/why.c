/* SPDX-License-Identifier: MIT */

/* modemctl why */

#include "modemctl.h"
