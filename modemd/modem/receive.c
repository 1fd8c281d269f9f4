/* SPDX-License-Identifier: MIT */

/* Which receive mode the modem is to be in, and data that is pushed. */

#include "modem/private.h"
