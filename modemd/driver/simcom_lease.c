/* SPDX-License-Identifier: MIT */

/* Transparent sessions: A7600 manual 1.2. */

#include "driver/simcom_private.h"
