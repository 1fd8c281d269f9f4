/* SPDX-License-Identifier: MIT */

/* Data that comes unasked: A7600 manual 1.2, 2.5, 2.8, 2.9, 2.13. */

#include "driver/simcom_private.h"
