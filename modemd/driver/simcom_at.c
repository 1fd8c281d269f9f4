/* SPDX-License-Identifier: MIT */

/* Raw AT commands: what may be sent, and what would upset us. */

#include "driver/simcom_private.h"
