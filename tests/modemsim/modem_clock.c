/* SPDX-License-Identifier: MIT */

#include "clock.h"
#include "modem_clock.h"

static void start(struct modem_clock *c, time_t now, bool set)
{
	*c = (struct modem_clock){
		.set = set, .start = now, .start_ns = clock_ns(),
	};
}

void modem_clock_reset(struct modem_clock *c, bool right)
{
	start(c, right ? time(NULL) : 0, right);
}

void modem_clock_set(struct modem_clock *c, time_t now)
{
	start(c, now, true);
}

time_t modem_clock_now(const struct modem_clock *c)
{
	return c->start + (time_t)((clock_ns() - c->start_ns) / NS_PER_S);
}
