/* SPDX-License-Identifier: MIT */

/* What the modem reports of listeners and their connections, to owners. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "broker/private.h"

#define TEXT_MAX	400

struct owned_listener *listen_find(struct broker *b, uint64_t listener)
{
	struct owned_listener *o;

	TAILQ_FOREACH(o, &b->owned_listeners, entry) {
		if (o->listener == listener)
			return o;
	}

	return NULL;
}

void listen_forget(struct broker *b, struct owned_listener *o)
{
	TAILQ_REMOVE(&b->owned_listeners, o, entry);
	free(o);
	lease_look(b);
}

void listen_free(struct broker *b)
{
	while (!TAILQ_EMPTY(&b->owned_listeners))
		listen_forget(b, TAILQ_FIRST(&b->owned_listeners));
}

static struct pending *find_pending(const struct owned_listener *o,
				    bool unlisten)
{
	struct pending *p;

	if (!o->owner)
		return NULL;
	TAILQ_FOREACH(p, &o->owner->pending, entry) {
		if (p->listener == o->listener && p->unlisten == unlisten)
			return p;
	}

	return NULL;
}

/* Text of the modem, fit for a string of the protocol. */
static char *escaped(char *out, size_t size, const char *text)
{
	return log_escape_utf8(out, size, text, strlen(text));
}

static void reply(struct owned_listener *o, bool unlisten, int err,
		  const char *modem_text)
{
	Modemd__V1__ListenReply listen = MODEMD__V1__LISTEN_REPLY__INIT;
	Modemd__V1__Reply out = MODEMD__V1__REPLY__INIT;
	struct pending *p = find_pending(o, unlisten);
	char text[TEXT_MAX];

	if (!p)
		return;
	MSG_SET(&out, request_id, p->request_id);
	MSG_SET(&out, status, wire_status(err));
	if (err)
		out.message = msg_str(wire_status_text(out.status));
	if (err && modem_text[0])
		out.modem_text = escaped(text, sizeof(text), modem_text);
	if (!err && !unlisten) {
		MSG_SET(&listen, listener, o->listener);
		out.result_case = MODEMD__V1__REPLY__RESULT_LISTEN;
		out.listen = &listen;
	}
	pending_free(p);
	client_reply(o->owner, &out);
}

void listen_on_listening(void *ctx, uint64_t listener, int err,
			 const char *text)
{
	struct broker *b = ctx;
	struct owned_listener *o = listen_find(b, listener);
	struct pending *p;

	if (!o)
		return;
	p = find_pending(o, false);
	if (err == -EMFILE && p) {
		uint64_t id = p->request_id;

		pending_free(p);
		listen_failed(o->owner, id, 0, err);
	} else {
		reply(o, false, err, text);
	}
	if (err)
		listen_forget(b, o);
	else if (o->owner)
		lease_ask_owner(o->owner);
}

void listen_on_unlistened(void *ctx, uint64_t listener, int err,
			  const char *reason)
{
	struct broker *b = ctx;
	struct owned_listener *o = listen_find(b, listener);

	if (!o)
		return;
	if (!find_pending(o, true))
		listen_on_lost(ctx, listener, reason);
	reply(o, true, err, "");
	listen_forget(b, o);
}

static void tell_accepted(struct owned_listener *o, uint64_t link,
			  const char *peer)
{
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;
	Modemd__V1__Accepted accepted = MODEMD__V1__ACCEPTED__INIT;
	char text[TEXT_MAX];

	MSG_SET(&accepted, listener, o->listener);
	MSG_SET(&accepted, link, link);
	MSG_SET(&accepted, status, MODEMD__V1__STATUS__OK);
	accepted.peer = msg_opt(escaped(text, sizeof(text), peer));
	event.kind_case = MODEMD__V1__EVENT__KIND_ACCEPTED;
	event.accepted = &accepted;
	client_tell(o->owner, &event);
}

/* An owner that does not read gets no more: its queue would grow as the world
 * likes. */
void listen_on_accepted(void *ctx, uint64_t listener, uint64_t link,
			const char *peer)
{
	struct broker *b = ctx;
	struct owned_listener *l = listen_find(b, listener);
	struct client *c = l ? l->owner : NULL;
	struct owned *o;

	o = c && !client_is_full(c) ? owned_new(c, LINK_INBOUND, "", 0) : NULL;
	if (!o) {
		if (c)
			c->events_lost++;
		(void)modem_link_close(b->modem, link, true, "owner-busy");
		return;
	}
	o->link = link;
	escaped(o->remote, sizeof(o->remote), peer[0] ? peer : "unknown");
	tell_accepted(l, link, peer);
	record_open(b, o, 1);
	news_link(b, o, "open", NULL);
}

/* Dropped, and counted, when its owner does not read. */
void listen_on_refused(void *ctx, uint64_t listener, const char *peer, int err)
{
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;
	Modemd__V1__Accepted accepted = MODEMD__V1__ACCEPTED__INIT;
	struct owned_listener *o = listen_find(ctx, listener);
	bool denied = err == -EACCES;
	char text[TEXT_MAX];

	if (!o || !o->owner)
		return;
	MSG_SET(&accepted, listener, listener);
	accepted.peer = msg_opt(escaped(text, sizeof(text), peer));
	MSG_SET(&accepted, status, wire_status(denied ? -EPERM : err));
	accepted.message = msg_str(denied ?
		"it is not on the listener's allow list" : err == -EDQUOT ?
		"the listener's max_links, or links.max-inbound, is reached" :
		wire_status_text(accepted.status));
	event.kind_case = MODEMD__V1__EVENT__KIND_ACCEPTED;
	event.accepted = &accepted;
	client_event(o->owner, &event);
}

void listen_on_lost(void *ctx, uint64_t listener, const char *reason)
{
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;
	Modemd__V1__ListenerLost lost = MODEMD__V1__LISTENER_LOST__INIT;
	struct owned_listener *o = listen_find(ctx, listener);

	if (!o || !o->owner)
		return;
	MSG_SET(&lost, listener, listener);
	lost.reason = msg_str(reason);
	event.kind_case = MODEMD__V1__EVENT__KIND_LISTENER_LOST;
	event.listener_lost = &lost;
	client_tell(o->owner, &event);
}

void listen_on_restored(void *ctx, uint64_t listener)
{
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;
	Modemd__V1__ListenerRestored restored =
		MODEMD__V1__LISTENER_RESTORED__INIT;
	struct owned_listener *o = listen_find(ctx, listener);

	if (!o || !o->owner)
		return;
	MSG_SET(&restored, listener, listener);
	event.kind_case = MODEMD__V1__EVENT__KIND_LISTENER_RESTORED;
	event.listener_restored = &restored;
	client_tell(o->owner, &event);
}
