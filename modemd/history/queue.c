/* SPDX-License-Identifier: MIT */

#include "queue.h"

#include <stdlib.h>
#include <string.h>

/* Names are short; what is longer is somebody's attempt to fill the disk. */
#define TEXT_MAX	512

static size_t text_size(const char *text)
{
	return text ? strnlen(text, TEXT_MAX) + 1 : 1;
}

static const char *put_text(char **at, const char *text)
{
	size_t size = text_size(text);
	char *begin = *at;

	if (size > 1)
		memcpy(begin, text, size - 1);
	begin[size - 1] = '\0';
	*at += size;

	return begin;
}

struct op *op_new(enum op_kind kind, const struct history_session *session,
		  const char *first, const char *second)
{
	struct history_session s = session ? *session :
		(struct history_session){ 0 };
	const char **texts[] = {
		&s.client, &s.comm, &s.unit, &s.exe, &s.type, &s.remote,
		&s.rule, &first, &second,
	};
	size_t size = sizeof(struct op), i;
	struct op *op;
	char *at;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		size += text_size(*texts[i]);
	op = calloc(1, size);
	if (!op)
		return NULL;

	at = (char *)(op + 1);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*texts[i] = put_text(&at, *texts[i]);
	op->kind = kind;
	op->session = s;
	op->first = first;
	op->second = second;

	return op;
}

void queue_init(struct queue *q)
{
	TAILQ_INIT(&q->ops);
	q->count = 0;
}

void queue_clear(struct queue *q)
{
	struct op *op;

	while ((op = TAILQ_FIRST(&q->ops))) {
		TAILQ_REMOVE(&q->ops, op, next);
		free(op);
	}
	q->count = 0;
}

void queue_push(struct queue *q, struct op *op)
{
	TAILQ_INSERT_TAIL(&q->ops, op, next);
	q->count++;
}

bool queue_renew(struct queue *q, const struct op *op)
{
	struct op *old;

	TAILQ_FOREACH_REVERSE(old, &q->ops, op_list, next) {
		if (old->kind <= OP_CLOSE &&
		    old->session.link == op->session.link &&
		    old->session.epoch == op->session.epoch)
			break;
	}
	if (!old || old->kind != OP_BYTES)
		return false;
	old->counts = op->counts;
	old->wall_ms = op->wall_ms;
	old->mono_ms = op->mono_ms;

	return true;
}

void queue_take(struct queue *from, struct queue *to, size_t most)
{
	struct op *op;

	while (most-- > 0 && (op = TAILQ_FIRST(&from->ops))) {
		TAILQ_REMOVE(&from->ops, op, next);
		from->count--;
		queue_push(to, op);
	}
}

void queue_put_back(struct queue *from, struct queue *to)
{
	struct op *op;

	while ((op = TAILQ_LAST(&from->ops, op_list))) {
		TAILQ_REMOVE(&from->ops, op, next);
		TAILQ_INSERT_HEAD(&to->ops, op, next);
		to->count++;
	}
	from->count = 0;
}
