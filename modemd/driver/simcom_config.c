/* SPDX-License-Identifier: MIT */

/* Socket options that people may read and set: A7600 manual 2.10 to 2.13. */

#include "driver/simcom_private.h"
