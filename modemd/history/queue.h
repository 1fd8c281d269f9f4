/* SPDX-License-Identifier: MIT */

/*
 * queue - what was told to the history and is not on the disk yet.
 *
 * Knows no locks and no threads; whoever owns a queue has them.
 *
 * Called by: history, writer, rows.   Calls: nothing.
 */

#ifndef MODEMD_QUEUE_H
#define MODEMD_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "history.h"

enum op_kind { OP_OPEN, OP_BYTES, OP_CLOSE, OP_NETWORK_OPEN, OP_NETWORK_CLOSE,
	       OP_EVENT, OP_CLOCK };

/* One thing to write. All text lies behind it, in the same block. */
struct op {
	TAILQ_ENTRY(op) next;
	enum op_kind kind;
	int64_t wall_ms;
	int64_t mono_ms;
	bool clock_confirmed;
	struct history_session session;	/* of all but OP_OPEN the ids alone */
	struct history_counts counts;
	const char *first;	/* reason, kind or address */
	const char *second;	/* modem_text, text or operator */
};

TAILQ_HEAD(op_list, op);

struct queue {
	struct op_list ops;
	size_t count;
};

/* Yours until it is in a queue; NULL when memory is short. */
struct op *op_new(enum op_kind kind, const struct history_session *session,
		  const char *first, const char *second);

void queue_init(struct queue *q);
void queue_clear(struct queue *q);
void queue_push(struct queue *q, struct op *op);

/* A newer count of a session that waits already: replaces it. */
bool queue_renew(struct queue *q, const struct op *op);

/* Moves up to @most from the head of @from to the tail of @to. */
void queue_take(struct queue *from, struct queue *to, size_t most);

/* Back to the head of @to, in the old order. */
void queue_put_back(struct queue *from, struct queue *to);

#endif
