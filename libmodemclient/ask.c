/* SPDX-License-Identifier: MIT */

/* Questions: ping, confirmed bytes, options, raw AT. */

#include "link.h"
