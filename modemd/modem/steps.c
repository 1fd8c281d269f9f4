/* SPDX-License-Identifier: MIT */

/* From power to network in plain words: what holds and what does not. */

#include "modem/private.h"
