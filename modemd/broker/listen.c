/* SPDX-License-Identifier: MIT */

/* Listeners of clients, and the links they accept. */

#include "broker/private.h"
