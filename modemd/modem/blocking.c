/* SPDX-License-Identifier: MIT */

/*
 * Commands that keep the line until they are answered: with some modems an
 * open is one (DRIVER_CAP_BLOCKING_OPEN), and to a dead host it takes as long
 * as it may. Meanwhile the other links' data come by themselves, where they can
 * be pushed; and after it they have the line for as long as it took.
 */

#include <event2/buffer.h>

#include "at/channel.h"
#include "base/timer.h"
#include "modem/private.h"

bool blocking_open(const struct modem *m)
{
	return m->driver->caps & DRIVER_CAP_BLOCKING_OPEN;
}

/* It used the line since the last blocking command began, or would now. What
 * was quiet before that one and after it does not wait. */
static bool wants_line(const struct modem *m, const struct link *l)
{
	if (l->state != LINK_OPEN || l->slot < 0)
		return false;

	return evbuffer_get_length(l->tx) > 0 || l->want_close ||
	       (l->readable && link_takes_data(l)) ||
	       l->active_ms > m->block_began_ms;
}

static bool others_wait(const struct modem *m)
{
	const struct link *l;

	TAILQ_FOREACH(l, &m->links, entry) {
		if (wants_line(m, l))
			return true;
	}

	return false;
}

/* May one go out now? Half of the time is for those that it would keep from
 * the line. */
bool blocking_may(const struct modem *m)
{
	return !blocking_open(m) ||
	       timers_mono_ms(m->timers) >= m->block_not_before_ms ||
	       !others_wait(m);
}

/* The same of the question that is next, which may be a quick one. */
bool blocking_may_ask(const struct modem *m)
{
	return blocking_may(m) || !query_blocks(m);
}

void blocking_begins(struct modem *m, bool question)
{
	m->blocking = true;
	m->block_question = question;
	m->block_answered = false;
	m->block_began_ms = timers_mono_ms(m->timers);
}

/* Who asked was told; the modem itself may not have done yet. */
void blocking_answered(struct modem *m)
{
	m->block_answered = true;
}

/* When the line is free again. Nobody is blamed for the time without it:
 * neither for being idle nor for being slow to close. */
void blocking_settle(struct modem *m)
{
	int64_t now = timers_mono_ms(m->timers);
	int64_t took = now - m->block_began_ms;
	struct link *l;

	if (!m->blocking || !m->block_answered ||
	    !at_channel_ready(m->channel))
		return;
	m->blocking = false;
	m->block_not_before_ms = now + took;
	TAILQ_FOREACH(l, &m->links, entry) {
		if (l->state != LINK_OPEN)
			continue;
		if (l->active_ms <= m->block_began_ms)
			l->active_ms += took;
		l->close_by_ms += l->want_close ? took : 0;
	}
	/* What was active before it is not so by that alone. */
	m->block_began_ms = now;
}

/* ---------------------------------------------------------------- receiving */

static bool opens_soon(const struct modem *m)
{
	const struct link *l;

	TAILQ_FOREACH(l, &m->links, entry) {
		if (l->slot < 0)
			continue;
		if (l->state == LINK_OPENING)
			return true;
		if ((l->state == LINK_WAITING || l->state == LINK_LOST) &&
		    !m->net_down)
			return true;
	}

	return false;
}

/* The last was a question, and so is the next: a link that waits for its open
 * has its turn in between. */
bool blocking_open_first(const struct modem *m)
{
	return blocking_open(m) && m->block_question && query_blocks(m) &&
	       opens_soon(m);
}

/*
 * Before one goes out, and as long as it runs, data are to come by themselves;
 * but not when a link's owner takes none now: they would pile up here, and
 * nothing could stop them.
 */
bool blocking_wants_push(const struct modem *m)
{
	const struct link *l;
	bool any = false;

	if (!blocking_open(m))
		return false;
	if (!m->blocking && !m->pinging &&
	    !(blocking_may(m) && (opens_soon(m) || query_blocks(m))))
		return false;
	TAILQ_FOREACH(l, &m->links, entry) {
		if (l->state != LINK_OPEN || l->slot < 0 || l->peer_closed)
			continue;
		if (!link_takes_data(l))
			return false;
		any = true;
	}

	return any;
}

/* When the next may go out, if one waits only for that. */
int64_t blocking_due(const struct modem *m)
{
	int64_t now = timers_mono_ms(m->timers);

	if (!blocking_open(m) || m->block_not_before_ms <= now ||
	    !(opens_soon(m) || query_blocks(m)))
		return INT64_MAX;

	return m->block_not_before_ms;
}
