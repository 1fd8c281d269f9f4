/* SPDX-License-Identifier: MIT */

/*
 * fake_history - history/history.h in memory: every call is kept, questions
 * are answered from the loop with the rows that the test gave.
 *
 * It holds the core to the contract: a session that is opened twice, closed
 * without having been opened, or told of after its close is counted as wrong.
 *
 * Called by: tests.   Calls: fake_timer.
 */

#ifndef MODEMD_FAKE_HISTORY_H
#define MODEMD_FAKE_HISTORY_H

#include <sys/queue.h>

#include "history/history.h"

struct fake_session {
	TAILQ_ENTRY(fake_session) entry;
	uint64_t link;
	uint32_t epoch;
	bool closed;
	struct history_counts counts;
	int32_t slot;
	uint32_t uid;
	char client[72], remote[300], reason[40], text[128], type[16];
};

struct fake_event {
	TAILQ_ENTRY(fake_event) entry;
	char kind[16];
	char text[512];
};

TAILQ_HEAD(fake_session_list, fake_session);
TAILQ_HEAD(fake_event_list, fake_event);

/* Oldest first; borrowed. */
const struct fake_session_list *fake_history_sessions(const struct history *h);
const struct fake_event_list *fake_history_events(const struct history *h);
const struct fake_session *fake_history_session(const struct history *h,
						uint64_t link, uint32_t epoch);
unsigned int fake_history_open_sessions(const struct history *h);
unsigned int fake_history_wrong(const struct history *h);
unsigned int fake_history_networks(const struct history *h, bool open);

/* Questions from now on: @err, or these rows (borrowed), after @delay_ms. */
void fake_history_answer(struct history *h, int err,
			 const struct history_row *rows, size_t count,
			 uint32_t delay_ms);
const struct history_query *fake_history_asked(const struct history *h);
unsigned int fake_history_waiting(const struct history *h);

#endif
