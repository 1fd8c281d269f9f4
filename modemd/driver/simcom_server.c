/* SPDX-License-Identifier: MIT */

/* Servers and what they accept: SIMCom ref L1114, L1115. */

#include "driver/simcom_private.h"
