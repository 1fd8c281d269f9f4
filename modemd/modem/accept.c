/* SPDX-License-Identifier: MIT */

/* Connections that listeners accept: who gets in, and which slot. */

#include "modem/private.h"
