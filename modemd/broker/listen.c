/* SPDX-License-Identifier: MIT */

/* Listeners: asked for, changed and stopped by their owners, who hear of
 * every connection. */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/log.h"
#include "broker/private.h"

#define TEXT_MAX	400
#define BACKLOG_MAX	3
#define LINKS_MAX	10

static struct owned_listener *find(struct broker *b, uint64_t listener)
{
	struct owned_listener *o;

	TAILQ_FOREACH(o, &b->owned_listeners, entry) {
		if (o->listener == listener)
			return o;
	}

	return NULL;
}

static void forget(struct broker *b, struct owned_listener *o)
{
	TAILQ_REMOVE(&b->owned_listeners, o, entry);
	free(o);
}

/* The check that every use of a listener begins with. */
static bool owns(struct client *c, uint64_t id, uint64_t listener)
{
	struct owned_listener *o = find(c->broker, listener);

	if (o && o->owner == c)
		return true;
	request_reply(c, id, -EBADF, "listener %llu is not yours, or has "
		      "ended", (unsigned long long)listener);

	return false;
}

/* ------------------------------------------------------------------ policy */

/* "192.0.2.0/24", "192.0.2.1". NULL, or what is wrong with it. */
static const char *parse_prefix(const ProtobufCBinaryData *in,
				struct prefix *out, char *text, size_t size)
{
	unsigned long bits = 32;
	struct in_addr address;
	const char *why = "";
	char *slash, *end;

	if (name_check_text(in, text, size, &why))
		return why;
	slash = strchr(text, '/');
	if (slash) {
		bits = strtoul(slash + 1, &end, 10);
		if (slash[1] < '0' || slash[1] > '9' || *end || bits > 32)
			return "has no length of 0-32 behind its /";
		*slash = '\0';
	}
	if (inet_pton(AF_INET, text, &address) != 1) {
		if (slash)
			*slash = '/';
		return "is not of the form 192.0.2.1 or 192.0.2.0/24";
	}
	if (slash)
		*slash = '/';
	out->address = ntohl(address.s_addr);
	out->mask = bits ? UINT32_MAX << (32 - bits) : 0;

	return out->address & ~out->mask ? "has bits set behind its length" :
					   NULL;
}

/* True, or it has replied what is wrong. */
static bool take_allow(struct client *c, uint64_t id, size_t count,
		       const ProtobufCBinaryData *allow,
		       struct listener_policy *policy)
{
	char text[64];
	const char *why;
	size_t i;

	if (count > LISTENER_ALLOW_MAX) {
		request_reply(c, id, -EINVAL, "allow has %zu prefixes, of at "
			      "most %d", count, LISTENER_ALLOW_MAX);
		return false;
	}
	for (i = 0; i < count; i++) {
		text[0] = '\0';
		why = parse_prefix(&allow[i], &policy->allow[i], text,
				   sizeof(text));
		if (why) {
			request_reply(c, id, -EINVAL, "allow, number %zu%s%s "
				      "%s", i + 1, text[0] ? ": " : "", text,
				      why);
			return false;
		}
	}
	policy->allow_count = (unsigned int)count;

	return true;
}

static bool take_max_links(struct client *c, uint64_t id, uint32_t max_links,
			   struct listener_policy *policy)
{
	if (max_links > LINKS_MAX) {
		request_reply(c, id, -EINVAL, "max_links is not in 0-%d",
			      LINKS_MAX);
		return false;
	}
	policy->max_links = max_links;

	return true;
}

/* --------------------------------------------------------------- requests */

/* "a (pid 1): port 80, b (pid 2): port 81"; @port 0: all of them. */
static void name_holders(struct broker *b, unsigned int port, char *out,
			 size_t size)
{
	const struct owned_listener *o;
	struct listener_info info;
	uint64_t after = 0;
	size_t len = 0;

	out[0] = '\0';
	while (modem_listener_next(b->modem, after, &info) == 0) {
		after = info.id;
		o = find(b, info.id);
		if (!o || (port && info.port != port) || len >= size)
			continue;
		len += (size_t)snprintf(out + len, size - len,
					"%s%s (pid %d): port %u",
					len ? ", " : "", o->name,
					(int)o->creds.pid, info.port);
	}
}

static void failed(struct client *c, uint64_t id, unsigned int port, int err)
{
	char holders[512];

	name_holders(c->broker, err == -EADDRINUSE ? port : 0, holders,
		     sizeof(holders));
	if (err == -EMFILE)
		request_reply(c, id, err, "all servers of the modem are taken "
			      "by %s", holders);
	else if (err == -EADDRINUSE && holders[0])
		request_reply(c, id, err, "port %u is taken by %s", port,
			      holders);
	else
		request_failed(c, id, err);
}

/* NULL without memory, or when too many requests wait. */
static struct owned_listener *owned_listener_new(struct client *c, uint64_t id,
						 struct pending **p)
{
	struct owned_listener *o;

	*p = pending_new(c, id);
	o = *p ? calloc(1, sizeof(*o)) : NULL;
	if (!o) {
		if (*p)
			pending_free(*p);
		return NULL;
	}
	o->owner = c;
	memcpy(o->name, c->name, sizeof(o->name));
	o->creds = c->creds;
	TAILQ_INSERT_TAIL(&c->broker->owned_listeners, o, entry);

	return o;
}

static bool check_listen(struct client *c, uint64_t id,
			 const Modemd__V1__Listen *req)
{
	if (!req->has_port || req->port < 1 || req->port > 65535) {
		request_reply(c, id, -EINVAL, "port is not in 1-65535");
		return false;
	}
	if (req->has_backlog && (req->backlog < 1 ||
				 req->backlog > BACKLOG_MAX)) {
		request_reply(c, id, -EINVAL, "backlog is not in 1-%d",
			      BACKLOG_MAX);
		return false;
	}

	return true;
}

void listen_request(struct client *c, uint64_t id,
		    const Modemd__V1__Listen *req)
{
	struct listener_args args = {
		.port = req->port,
		.backlog = req->has_backlog ? req->backlog : BACKLOG_MAX,
		.idle_timeout_ms = req->idle_timeout_ms,
		.has_credit = req->has_credit,
		.credit = req->credit,
		.wait_ms = req->wait_ms,
	};
	struct owned_listener *o;
	struct pending *p;
	int err;

	if (!check_listen(c, id, req) ||
	    !take_max_links(c, id, req->max_links, &args.policy) ||
	    !take_allow(c, id, req->n_allow, req->allow, &args.policy))
		return;
	o = owned_listener_new(c, id, &p);
	if (!o) {
		request_reply(c, id, -EBUSY, NULL);
		return;
	}
	err = modem_listen(c->broker->modem, &args, &o->listener);
	p->listener = o->listener;
	if (err) {
		pending_free(p);
		forget(c->broker, o);
		failed(c, id, args.port, err);
	}
}

void listen_stop(struct client *c, uint64_t id,
		 const Modemd__V1__Unlisten *req)
{
	struct pending *p;
	int err;

	if (!owns(c, id, req->listener))
		return;
	p = pending_new(c, id);
	if (!p) {
		request_reply(c, id, -EBUSY, NULL);
		return;
	}
	p->listener = req->listener;
	p->unlisten = true;
	err = modem_unlisten(c->broker->modem, req->listener);
	if (err) {
		pending_free(p);
		request_reply(c, id, err, "listener %llu is being stopped "
			      "already", (unsigned long long)req->listener);
	}
}

void listen_policy(struct client *c, uint64_t id,
		   const Modemd__V1__AcceptPolicy *req)
{
	struct modem *modem = c->broker->modem;
	struct listener_policy policy;
	struct listener_info info;

	if (!owns(c, id, req->listener))
		return;
	if (modem_listener_next(modem, req->listener - 1, &info) ||
	    info.id != req->listener) {
		request_reply(c, id, -EBADF, NULL);
		return;
	}
	policy = *info.policy;
	if (req->has_max_links &&
	    !take_max_links(c, id, req->max_links, &policy))
		return;
	if (req->replace_allow &&
	    !take_allow(c, id, req->n_allow, req->allow, &policy))
		return;
	if (req->n_allow > 0 && !req->replace_allow) {
		request_reply(c, id, -EINVAL, "allow is given without "
			      "replace_allow");
		return;
	}
	request_reply(c, id, modem_set_policy(modem, req->listener, &policy),
		      NULL);
}

/* Its request is taken back: so is the wish to listen. */
void listen_cancel(struct pending *p)
{
	if (!p->unlisten)
		(void)modem_unlisten(p->client->broker->modem, p->listener);
}

void listen_owner_gone(struct broker *b, const struct client *c)
{
	struct owned_listener *o;

	TAILQ_FOREACH(o, &b->owned_listeners, entry) {
		if (o->owner != c)
			continue;
		o->owner = NULL;
		(void)modem_unlisten(b->modem, o->listener);
	}
}

void listen_free(struct broker *b)
{
	while (!TAILQ_EMPTY(&b->owned_listeners))
		forget(b, TAILQ_FIRST(&b->owned_listeners));
}

/* -------------------------------------------------------------------- news */

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
	struct owned_listener *o = find(b, listener);
	struct pending *p;

	if (!o)
		return;
	p = find_pending(o, false);
	if (err == -EMFILE && p) {
		uint64_t id = p->request_id;

		pending_free(p);
		failed(o->owner, id, 0, err);
	} else {
		reply(o, false, err, text);
	}
	if (err)
		forget(b, o);
}

void listen_on_unlistened(void *ctx, uint64_t listener, int err,
			  const char *reason)
{
	struct broker *b = ctx;
	struct owned_listener *o = find(b, listener);

	if (!o)
		return;
	if (!find_pending(o, true))
		listen_on_lost(ctx, listener, reason);
	reply(o, true, err, "");
	forget(b, o);
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
	struct owned_listener *l = find(b, listener);
	struct client *c = l ? l->owner : NULL;
	struct owned *o;

	o = c && !client_is_full(c) ? owned_new(c, "", 0) : NULL;
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
	struct owned_listener *o = find(ctx, listener);
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
	struct owned_listener *o = find(ctx, listener);

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
	struct owned_listener *o = find(ctx, listener);

	if (!o || !o->owner)
		return;
	MSG_SET(&restored, listener, listener);
	event.kind_case = MODEMD__V1__EVENT__KIND_LISTENER_RESTORED;
	event.listener_restored = &restored;
	client_tell(o->owner, &event);
}
