/* SPDX-License-Identifier: MIT */

/* What was learnt of this firmware, kept for the next start: rows of the state
 * file, "max-send.A011B07A7670M7 1400". */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/state.h"
#include "modem/private.h"

/* False while nobody knows which firmware it is. */
static bool make_key(const struct modem *m, const char *what,
		     char key[STATE_KEY_MAX])
{
	const char *revision = m->driver->info(m->d)->revision;
	char *c;

	if (!revision[0])
		return false;
	snprintf(key, STATE_KEY_MAX, "%s.%.80s", what, revision);
	for (c = key; *c; c++) {
		if (!isgraph((unsigned char)*c))
			*c = '_';
	}

	return true;
}

static unsigned long known(const struct modem *m, const char *what)
{
	char key[STATE_KEY_MAX];
	const char *value;

	if (!make_key(m, what, key))
		return 0;
	value = state_get(m->store, key);

	return value ? strtoul(value, NULL, 10) : 0;
}

void firmware_learn(struct modem *m, const char *what, unsigned long value)
{
	char key[STATE_KEY_MAX], text[24];

	if (!make_key(m, what, key) || known(m, what) == value)
		return;
	snprintf(text, sizeof(text), "%lu", value);
	if (state_set(m->store, key, text))
		log_warn("state: cannot keep %s", key);
}

/* When the network is open: it may be another modem than before. */
void firmware_recall(struct modem *m)
{
	unsigned long max = known(m, "max-send");

	m->max_send = max > 0 && max < m->driver->max_send ? max :
		      m->driver->max_send;
	m->push_unnamed = known(m, "push-unnamed") > 0;
}
