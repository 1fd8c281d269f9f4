/* SPDX-License-Identifier: MIT */

/* modemctl at */

#include "modemctl.h"
