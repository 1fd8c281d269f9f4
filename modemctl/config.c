/* SPDX-License-Identifier: MIT */

/* modemctl config */

#include "modemctl.h"
