/* SPDX-License-Identifier: MIT */

/* modemctl network, reset */

#include "modemctl.h"
