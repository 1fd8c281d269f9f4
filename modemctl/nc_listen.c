/* SPDX-License-Identifier: MIT */

/* modemctl nc -l */

#include "modemctl.h"
