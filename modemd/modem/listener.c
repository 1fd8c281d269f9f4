/* SPDX-License-Identifier: MIT */

/* Listeners: what is asked of them from above, and how they end. */

#include "modem/private.h"
