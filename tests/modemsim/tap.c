/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

int tap_add(struct tap_list *list, enum tap_kind kind, uint64_t at, size_t n,
	    const char *text, bool in_raw)
{
	size_t len = text != NULL ? strlen(text) : 0;
	struct tap *t = calloc(1, sizeof(*t) + len + 1), *it;

	if (t == NULL)
		return -ENOMEM;
	t->kind = kind;
	t->at = at;
	t->n = n;
	t->in_raw = in_raw;
	if (len > 0)
		memcpy(t->text, text, len);

	TAILQ_FOREACH(it, list, entry) {
		if (it->at > at) {
			TAILQ_INSERT_BEFORE(it, t, entry);
			return 0;
		}
	}
	TAILQ_INSERT_TAIL(list, t, entry);
	return 0;
}

size_t tap_limit(const struct tap_list *list, uint64_t pos, size_t n)
{
	const struct tap *t = TAILQ_FIRST(list);

	if (t == NULL || t->at >= pos + n)
		return n;
	return t->at <= pos ? 0 : (size_t)(t->at - pos);
}

struct tap *tap_due(const struct tap_list *list, uint64_t pos)
{
	struct tap *t = TAILQ_FIRST(list);

	return t != NULL && t->at <= pos ? t : NULL;
}

void tap_remove(struct tap_list *list, struct tap *t)
{
	TAILQ_REMOVE(list, t, entry);
	free(t);
}

void tap_clear(struct tap_list *list)
{
	struct tap *t;

	while ((t = TAILQ_FIRST(list)) != NULL)
		tap_remove(list, t);
}
