/* SPDX-License-Identifier: MIT */

/* Whether a wish for the whole modem is granted: who is in the way, who has
 * agreed, and what happens when its time is over. */

#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "base/timer.h"
#include "broker/private.h"
#include "driver/driver.h"

static bool is_in_the_way(const struct lease *l, const struct link_info *info)
{
	/* Those that wait without a socket go on waiting. */
	return info->id != l->owned->link &&
	       (info->state != LINK_WAITING || info->slot >= 0);
}

static bool any_link(const struct lease *l)
{
	struct link_info info;
	uint64_t after;

	for (after = 0; modem_link_next(l->broker->modem, after, &info) == 0;
	     after = info.id) {
		if (is_in_the_way(l, &info))
			return true;
	}

	return false;
}

static unsigned int links_of(const struct lease *l, const struct client *c)
{
	struct link_info info;
	unsigned int n = 0;
	struct owned *o;

	TAILQ_FOREACH(o, &l->broker->owned, entry)
		n += o->owner == c && o != l->owned &&
		     modem_link_info(l->broker->modem, o->link, &info) == 0 &&
		     is_in_the_way(l, &info);

	return n;
}

/* "a (pid 1): 2 links, b (pid 2): a listener" */
static void name_holders(const struct lease *l, char *out, size_t size)
{
	const struct client *c;
	unsigned int links;
	bool listens;
	size_t len = 0;

	snprintf(out, size, "links that are being closed");
	TAILQ_FOREACH(c, &l->broker->clients, entry) {
		links = links_of(l, c);
		listens = listen_owns(c) && !c->lease_agreed;
		if ((!links && !listens) || len >= size)
			continue;
		len += (size_t)snprintf(out + len, size - len, "%s%s (pid %d)",
					len ? ", " : "", c->name,
					(int)c->creds.pid);
		if (links && len < size)
			len += (size_t)snprintf(out + len, size - len,
						": %u link%s", links,
						links == 1 ? "" : "s");
		if (listens && len < size)
			len += (size_t)snprintf(out + len, size - len,
						": a listener");
	}
}

static bool all_agreed(const struct lease *l)
{
	const struct client *c;

	TAILQ_FOREACH(c, &l->broker->clients, entry) {
		if (listen_owns(c) && !c->lease_agreed)
			return false;
	}

	return true;
}

static void modem_refused(struct lease *l, int err)
{
	struct modem_status st;

	modem_get_status(l->broker->modem, &st);
	if (err == -ENETDOWN || err == -ENODEV)
		lease_refuse(l, err, "the network is %s (modem: %s%s%s)",
		       st.network_name, st.state_name,
		       st.reason[0] || st.network_reason[0] ? ": " : "",
		       st.reason[0] ? st.reason : st.network_reason);
	else
		lease_refuse(l, err, "%s", wire_status_text(wire_status(err)));
}

static void grant(struct lease *l)
{
	uint64_t id;
	int err;

	timer_stop(l->deadline);
	err = modem_lease(l->broker->modem, &l->args, &id);
	if (err) {
		modem_refused(l, err);
		return;
	}
	l->granted = true;
	log_info("lease: granted to %s (pid %d)", l->owned->name,
		 (int)l->owned->creds.pid);
	lease_tell(l, "granted", NULL, true);
}

void lease_look(struct broker *b)
{
	struct lease *l = b->lease;

	if (l && !l->granted && !any_link(l) && all_agreed(l))
		grant(l);
}

void lease_deadline(void *ctx)
{
	struct lease *l = ctx;
	char holders[512];

	if (l->pending->client->admin) {
		grant(l);
		return;
	}
	name_holders(l, holders, sizeof(holders));
	lease_refuse(l, -EBUSY, "the modem is in use by %s", holders);
}
