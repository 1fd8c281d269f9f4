/* SPDX-License-Identifier: MIT */

/* What admins decide: network up and down, restart. */

#include "base/log.h"
#include "modem/private.h"

void modem_check(struct modem *m, const char *why)
{
	log_info("modem: checks what it knows: %s", why);
	m->want_audit = true;
	m->audits = 0;
	modem_kick_soon(m);
}
