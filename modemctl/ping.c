/* SPDX-License-Identifier: MIT */

/* modemctl ping */

#include "modemctl.h"
