/* SPDX-License-Identifier: MIT */

/* What admins decide: network up and down, restart. */

#include "modem/private.h"
