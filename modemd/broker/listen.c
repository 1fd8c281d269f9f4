/* SPDX-License-Identifier: MIT */

/* Listeners: asked for, changed and stopped by their owners. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/prefix.h"
#include "broker/private.h"

#define BACKLOG_MAX	3
#define LINKS_MAX	10

/* The check that every use of a listener begins with. */
static bool owns(struct client *c, uint64_t id, uint64_t listener)
{
	struct owned_listener *o = listen_find(c->broker, listener);

	if (o && o->owner == c)
		return true;
	request_reply(c, id, -EBADF, "listener %llu is not yours, or has "
		      "ended", (unsigned long long)listener);

	return false;
}

/* ------------------------------------------------------------------ policy */

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
		if (!name_check_text(&allow[i], text, sizeof(text), &why))
			why = prefix_parse(text, &policy->allow[i]);
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
		o = listen_find(b, info.id);
		if (!o || (port && info.port != port) || len >= size)
			continue;
		len += (size_t)snprintf(out + len, size - len,
					"%s%s (pid %d): port %u",
					len ? ", " : "", o->name,
					(int)o->creds.pid, info.port);
	}
}

void listen_failed(struct client *c, uint64_t id, unsigned int port, int err)
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
	if (req->verify && !req->tls) {
		request_reply(c, id, -EINVAL, "verify is for listeners with "
			      "tls");
		return false;
	}

	return true;
}

/* What a modem lacks that may listen, but not so. */
static const char *cannot(const struct listener_args *args)
{
	if (args->tls)
		return "this modem has no servers with TLS (capability "
		       "tls-server)";
	if (args->family == DRIVER_IPV6)
		return "this modem has no servers of IPv6 (capability ipv6)";

	return "this modem has no servers (capability listen)";
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
		.family = request_family(req->has_family, req->family),
		.tls = req->tls,
		.verify = req->verify,
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
		listen_forget(c->broker, o);
		if (err == -EOPNOTSUPP)
			request_reply(c, id, err, "%s", cannot(&args));
		else
			listen_failed(c, id, args.port, err);
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

/* It listens, or wants to: it is to be asked before somebody gets the modem
 * for himself. */
bool listen_owns(const struct client *c)
{
	const struct owned_listener *o;

	TAILQ_FOREACH(o, &c->broker->owned_listeners, entry) {
		if (o->owner == c)
			return true;
	}

	return false;
}
