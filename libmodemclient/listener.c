/* SPDX-License-Identifier: MIT */

/* Listeners. */

#include "link.h"
