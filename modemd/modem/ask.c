/* SPDX-License-Identifier: MIT */

/* Questions beside names: ping, confirmed bytes, options, raw AT. */

#include "modem/private.h"
