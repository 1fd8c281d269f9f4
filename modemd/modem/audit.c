/* SPDX-License-Identifier: MIT */

/* What the modem has open, compared with what we believe. */

#include "modem/private.h"
