/* SPDX-License-Identifier: MIT */

/* The exclusive session. */

#include "modem/private.h"
