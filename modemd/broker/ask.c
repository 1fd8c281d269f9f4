/* SPDX-License-Identifier: MIT */

/* Questions that the modem answers later: ping, confirmed, options, raw AT. */

#include "broker/private.h"
