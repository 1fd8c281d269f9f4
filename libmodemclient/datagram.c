/* SPDX-License-Identifier: MIT */

/* Datagrams. */

#include "link.h"
