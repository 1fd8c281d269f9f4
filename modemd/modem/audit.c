/* SPDX-License-Identifier: MIT */

/*
 * What the modem has open, compared with what we believe, in both directions:
 * after every fault of the line, and now and then while links are open. What
 * nobody knows of is closed. What the modem does not know of is lost, but only
 * when that is certain: its table came whole, and the link was at rest.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "at/channel.h"
#include "base/log.h"
#include "base/timer.h"
#include "modem/private.h"

#define AUDITS_MAX	3	/* that are not answered */
#define CHECKS_MAX	3	/* the same */
#define PERIOD_MS	300000	/* while a link is open */
#define NEVER		INT64_MAX

void audit_want(struct modem *m)
{
	m->want_audit = true;
	m->audits = 0;
}

/* Whose answer a slot's line is: nothing of it may be under way. */
static bool is_at_rest(const struct slot *s)
{
	const struct link *l = s->link;

	return l && l->state == LINK_OPEN && !s->opening && !s->closing &&
	       !s->must_close && l->inflight == 0 && !l->peer_closed;
}

bool audit_start(struct modem *m)
{
	unsigned int i;

	if (m->driver->audit(m->d))
		return false;
	m->audited_ms = timers_mono_ms(m->timers);
	for (i = 0; i < m->driver->max_links; i++)
		m->slots[i].judged = is_at_rest(&m->slots[i]);
	accept_audit_begins(m);

	return true;
}

/* ------------------------------------------------------------- the answer */

static bool is_whole(const struct modem *m, const struct driver_table *table)
{
	unsigned int i;

	for (i = 0; i < m->driver->max_links; i++) {
		if (!table->slots[i].known)
			return false;
	}

	return true;
}

static void close_unknown(struct modem *m, const struct driver_table *table)
{
	unsigned int i;

	for (i = 0; i < m->driver->max_links; i++) {
		if (!table->slots[i].open || !slot_is_free(&m->slots[i]))
			continue;
		log_info("modem: slot %u is open to %s and nobody's: closing "
			 "it", i, table->slots[i].remote);
		m->slots[i].must_close = true;
	}
}

static void lose_vanished(struct modem *m, const struct driver_table *table)
{
	unsigned int i, gone = 0, open = 0;

	for (i = 0; i < m->driver->max_links; i++) {
		struct slot *s = &m->slots[i];

		if (!s->judged || s->changed || !is_at_rest(s))
			continue;
		open++;
		if (table->slots[i].open)
			continue;
		gone++;
		link_vanished(s->link);
	}
	if (gone > 0 && gone == open)
		modem_check(m, "every link has vanished");
}

/* Refused again and again, and the table does not say why. */
static void end_unreadable(struct modem *m)
{
	struct slot *s;

	for (s = m->slots; s < m->slots + m->driver->max_links; s++) {
		struct link *l = s->link;

		if (!l || l->state != LINK_OPEN || l->peer_closed ||
		    l->pull_errors < PULL_ERRORS_MAX)
			continue;
		s->must_close = true;
		link_lose(l, -ECONNABORTED, "pull-failed",
			  "the modem does not give the data it holds");
	}
}

void audit_done(struct modem *m, const struct driver_table *table, int err)
{
	m->fault_is_its = err && err != -EREMOTEIO;
	if (!err && !is_whole(m, table))
		err = -EBADMSG;
	/* Refused is an answer, a line that was lost is none. */
	m->want_audit = err && err != -EREMOTEIO && ++m->audits < AUDITS_MAX;
	if (!m->want_audit) {
		servers_audited(m, err ? NULL : table);
		accept_audited(m, err ? NULL : table);
	}
	if (table)
		close_unknown(m, table);
	if (!err)
		lose_vanished(m, table);
	if (!m->want_audit)
		end_unreadable(m);
	modem_kick_soon(m);
}

/* ---------------------------------------------------------------- when */

/* Whenever the line is free: has it shown a fault since the last time? */
void audit_look_at_line(struct modem *m)
{
	const struct at_channel_stats *st = at_channel_get_stats(m->channel);
	uint64_t faults = st->timeouts + st->resyncs + st->stray_finals +
			  st->lost_payloads;

	if (faults == m->faults)
		return;
	m->faults = faults;
	if (m->network == NETWORK_OPEN && !m->fault_is_its && !m->want_audit)
		audit_want(m);
	m->fault_is_its = false;
}

/* While a link is open, and counted from when the first of them was. */
int64_t audit_due(const struct modem *m)
{
	const struct link *l;
	int64_t first = NEVER;

	if (!network_usable(m) || m->want_audit)
		return NEVER;
	TAILQ_FOREACH(l, &m->links, entry) {
		if (l->state == LINK_OPEN && l->opened_mono_ms < first)
			first = l->opened_mono_ms;
	}
	if (first == NEVER)
		return NEVER;

	return (first > m->audited_ms ? first : m->audited_ms) + PERIOD_MS;
}

/* ------------------------------------------------------------- the check */

void modem_check(struct modem *m, const char *why)
{
	log_info("modem: all that is relied on is asked again: %s", why);
	if (m->staging) {
		m->want_check = true;
	} else if (m->network == NETWORK_OPEN) {
		if (!m->have_stage)
			life_want_stage(m, DRIVER_CHECK);
	} else if (m->state >= MODEM_STARTING && !m->syncing) {
		timer_stop(m->retry);
		life_want_stage(m, DRIVER_IDENTIFY);
	}
}

/* The stage CHECK has ended. */
void check_done(struct modem *m, int err, const char *text)
{
	bool unanswered = err && err != -ENETDOWN && err != -EREMOTEIO;

	modem_kick_soon(m);
	if (m->network != NETWORK_OPEN)		/* lost meanwhile */
		return;
	if (!err) {
		m->checks = 0;
		receive_reset(m);
		audit_want(m);
	} else if (unanswered && ++m->checks < CHECKS_MAX) {
		life_want_stage(m, DRIVER_CHECK);
	} else {
		m->checks = 0;
		life_network_lost(m, text);
	}
}
