/* SPDX-License-Identifier: MIT */

/*
 * What is said of the exclusive session: to those whom it concerns, in the
 * refusals of others, in the status.
 */

#include <stdio.h>

#include "base/timer.h"
#include "broker/private.h"

static uint32_t left_ms(const struct lease *l)
{
	struct modem_status st;

	if (!l->granted)
		return timer_left_ms(l->deadline);
	modem_get_status(l->broker->modem, &st);

	return st.lease == l->owned->link ? st.lease_left_ms : 0;
}

static void tell(const struct lease *l, struct client *c, const char *state,
		 const char *reason)
{
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;
	Modemd__V1__LeaseEvent lease = MODEMD__V1__LEASE_EVENT__INIT;

	MSG_SET(&lease, link, l->owned->link);
	lease.client = l->owned->name;
	lease.state = msg_str(state);
	MSG_SET(&lease, left_ms, left_ms(l));
	lease.reason = msg_opt(reason);
	event.kind_case = MODEMD__V1__EVENT__KIND_LEASE;
	event.lease = &lease;
	client_event(c, &event);
}

/* @all: also to those who only watch. */
void lease_tell(const struct lease *l, const char *state, const char *reason,
		 bool all)
{
	struct client *c;

	TAILQ_FOREACH(c, &l->broker->clients, entry) {
		if (c->lease_asked || (all && c->want_network))
			tell(l, c, state, reason);
	}
}

void lease_ask_owner(struct client *c)
{
	const struct lease *l = c->broker->lease;

	if (!l || l->granted || c->lease_asked)
		return;
	c->lease_asked = true;
	tell(l, c, "asked", NULL);
}

static const char *state_name(const struct lease *l)
{
	struct link_info info;

	if (l->ending || (modem_link_info(l->broker->modem, l->owned->link,
					  &info) == 0 &&
			  info.state == LINK_CLOSING))
		return "ending";

	return l->connected ? "connected" : l->granted ? "starting" : "asked";
}

bool lease_words(struct broker *b, char *out, size_t size)
{
	const struct lease *l = b->lease;

	if (!l || !l->granted)
		return false;
	snprintf(out, size, "the modem is leased to %s (pid %d) for %u s more",
		 l->owned->name, (int)l->owned->creds.pid,
		 (left_ms(l) + 999) / 1000);

	return true;
}

bool lease_fill(struct broker *b, Modemd__V1__LeaseInfo *out)
{
	struct lease *l = b->lease;

	if (!l)
		return false;
	MSG_SET(out, link, l->owned->link);
	out->client = l->owned->name;
	out->remote = l->owned->remote;
	out->state = msg_str(state_name(l));
	MSG_SET(out, left_ms, left_ms(l));

	return true;
}
