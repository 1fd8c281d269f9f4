/* SPDX-License-Identifier: MIT */

/* Ping: SIMCom ref L1134, L1135. */

#include "driver/simcom_private.h"
