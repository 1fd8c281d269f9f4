/* SPDX-License-Identifier: MIT */

/* Who gets the whole modem. */

#include "broker/private.h"
