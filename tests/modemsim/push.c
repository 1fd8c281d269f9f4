/* SPDX-License-Identifier: MIT */

#include "modem.h"

/* Between the answers; while payload is typed nothing of ours is cut. */
static bool is_between(const struct modem *m)
{
	bool waits = quirk_on(m->opt.quirks, QUIRK_PUSH_WAITS);

	switch (m->cmd.state) {
	case COMMAND_IDLE:
		return true;
	case COMMAND_DELAYED:
	case COMMAND_PAYLOAD:
		return !waits;
	case COMMAND_RUNNING:
		return m->dialect->urcs_pass ? !waits : m->cmd.blocking;
	case COMMAND_DATA:
		break;
	}
	return false;
}

static bool may_push(const struct modem *m)
{
	return modem_talks(m) && m->set.rxget == 0 && is_between(m) &&
	       evbuffer_get_length(m->waiting_urcs) == 0 &&
	       (m->push.timer == NULL ||
		!evtimer_pending(m->push.timer, NULL)) &&
	       line_is_low(&m->line);
}

/* The next link that has something, in turn. */
static struct link *pick(struct modem *m)
{
	unsigned int i;

	for (i = 0; i < LINKS; i++) {
		unsigned int id = (m->push.next + i) % LINKS;
		struct link *l = &m->links[id];

		if (l->state == LINK_OPENING || l->transparent ||
		    evbuffer_get_length(l->tcp.rx) == 0)
			continue;
		m->push.next = (id + 1) % LINKS;
		return l;
	}
	return NULL;
}

static void push_block(struct modem *m, struct link *l)
{
	struct address from;
	uint8_t data[PUSH_MAX];
	size_t n = link_block(m, l->id, &from);

	if (n > m->dialect->push_max)
		n = m->dialect->push_max;
	evbuffer_copyout(l->tcp.rx, data, n);
	m->dialect->pushed(m, l->id, &from, data, n);
	link_taken(m, l->id, n);
	link_end_if_empty(l);
}

void push_run(struct modem *m)
{
	struct link *l;

	if (m->data.on) {
		data_run(m);
		return;
	}
	while (may_push(m) && (l = pick(m)) != NULL)
		push_block(m, l);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	push_run(ctx);
}

void push_arrived(struct modem *m)
{
	int ms = m->set.ccfg[1];

	if (m->set.rxget == 0 && ms > 0 &&
	    (m->push.timer == NULL || !evtimer_pending(m->push.timer, NULL)))
		modem_after(m, &m->push.timer, (unsigned int)ms, on_timer, m);
	push_run(m);
}

void push_free(struct modem *m)
{
	if (m->push.timer != NULL)
		event_free(m->push.timer);
}
