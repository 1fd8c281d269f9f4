/* SPDX-License-Identifier: MIT */

/*
 * The exclusive session: who may have it. A wish waits until no link is open
 * and the owners of listeners have agreed; when its time is over it is granted
 * to an admin all the same, and to nobody else. One wish or session at a time.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/timer.h"
#include "broker/private.h"
#include "driver/driver.h"

#define DURATION_MS	300000
#define DURATION_MIN_MS	1000
#define DURATION_MAX_MS	3600000
#define WAIT_MS		10000
#define WAIT_MAX_MS	600000

/* ---------------------------------------------------------------- its end */

static void forget(struct lease *l)
{
	struct client *c;

	TAILQ_FOREACH(c, &l->broker->clients, entry) {
		c->lease_asked = false;
		c->lease_agreed = false;
	}
	l->broker->lease = NULL;
	timer_free(l->deadline);
	free(l);
}

void lease_free(struct broker *b)
{
	if (b->lease)
		forget(b->lease);
}

/* The wish ends unfulfilled: its link never was in the modem. */
static void drop(struct lease *l, const char *reason)
{
	struct owned *o = l->owned;
	struct broker *b = l->broker;

	lease_tell(l, "ended", reason, false);
	forget(l);
	broker_forget(b, o);
}

void lease_refuse(struct lease *l, int err, const char *fmt, ...)
{
	struct pending *p = l->pending;
	struct client *c = p->client;
	uint64_t id = p->request_id;
	char text[800];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	l->pending = NULL;
	pending_free(p);
	drop(l, text);
	request_reply(c, id, err, "%s", text);
}

/* --------------------------------------------------------- asked by clients */

static const char *check(const struct client *c, const Modemd__V1__Lease *req,
			 int *err)
{
	*err = -EINVAL;
	if (!req->has_port || req->port < 1 || req->port > 65535)
		return "port is not in 1-65535";
	if (req->local_port > 65535)
		return "local_port is not in 0-65535";
	if (req->has_duration_ms && (req->duration_ms < DURATION_MIN_MS ||
				     req->duration_ms > DURATION_MAX_MS))
		return "duration_ms is not in 1000-3600000";
	if (req->wait_ms > WAIT_MAX_MS)
		return "wait_ms is not in 0-600000";
	if (req->listen && req->has_host && req->host.len > 0)
		return "host is not for one that listens";
	if (req->listen && req->type == MODEMD__V1__LINK_TYPE__UDP)
		return "only TCP can listen";
	*err = -EOPNOTSUPP;
	if (req->has_type && req->type != MODEMD__V1__LINK_TYPE__TCP &&
	    req->type != MODEMD__V1__LINK_TYPE__UDP)
		return "a lease is TCP or UDP";
	*err = -EDQUOT;
	if (c->links >= CLIENT_LINKS_MAX)
		return "a client may hold 64 links";

	return NULL;
}

static void fill_args(struct lease *l, const Modemd__V1__Lease *req)
{
	l->args = (struct lease_args){
		.id = modem_new_id(l->broker->modem),
		.udp = req->type == MODEMD__V1__LINK_TYPE__UDP,
		.listen = req->listen,
		.host = l->host,
		.port = req->port,
		.local_port = req->local_port,
		.duration_ms = req->has_duration_ms ? req->duration_ms :
			       DURATION_MS,
		.has_credit = req->has_credit,
		.credit = req->credit,
	};
}

static struct lease *lease_new(struct client *c, uint64_t id,
			       const char *host, const Modemd__V1__Lease *req)
{
	struct broker *b = c->broker;
	struct lease *l;

	l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->broker = b;
	l->deadline = timer_new(b->args.timers, lease_deadline, l);
	l->pending = pending_new(c, id);
	if (l->deadline && l->pending)
		l->owned = owned_new(c, LINK_LEASE,
				     req->listen ? "*" : host, req->port);
	if (!l->owned) {
		if (l->pending)
			pending_free(l->pending);
		timer_free(l->deadline);
		free(l);
		return NULL;
	}
	snprintf(l->host, sizeof(l->host), "%s", host);
	fill_args(l, req);
	l->pending->lease = true;
	l->owned->link = l->args.id;

	return l;
}

/* It could not be had at once either. */
static bool is_possible(struct client *c, uint64_t id, bool listen)
{
	struct broker *b = c->broker;
	struct modem_status st;
	char words[200];

	modem_get_status(b->modem, &st);
	if (b->lease && !lease_words(b, words, sizeof(words)))
		snprintf(words, sizeof(words), "%s (pid %d) has asked for the "
			 "modem already", b->lease->owned->name,
			 (int)b->lease->owned->creds.pid);
	if (!modem_can_lease(b->modem, listen))
		request_reply(c, id, -EOPNOTSUPP, "%s", listen &&
			      modem_can_lease(b->modem, false) ?
			      "this modem cannot listen in a lease: listen "
			      "without one, or lease a link to a host" :
			      "this modem has no transparent sessions");
	else if (b->lease)
		request_reply(c, id, -EBUSY, "%s", words);
	else if (st.network != NETWORK_OPEN)
		request_reply(c, id, st.state < MODEM_STARTING ? -ENODEV :
			      -ENETDOWN, "the network is %s (modem: %s%s%s)",
			      st.network_name, st.state_name,
			      st.reason[0] || st.network_reason[0] ? ": " : "",
			      st.reason[0] ? st.reason : st.network_reason);
	else
		return true;

	return false;
}

static void ask_owners(struct lease *l)
{
	struct client *c;

	TAILQ_FOREACH(c, &l->broker->clients, entry)
		c->lease_asked = listen_owns(c);
	lease_tell(l, "asked", NULL, false);
}

void lease_ask(struct client *c, uint64_t id, const Modemd__V1__Lease *req)
{
	char host[DRIVER_HOST_MAX + 1] = "";
	struct broker *b = c->broker;
	const char *why;
	int err;

	why = check(c, req, &err);
	if (why) {
		request_reply(c, id, err, "%s", why);
		return;
	}
	if (!req->listen &&
	    name_check_host(&req->host, host, sizeof(host), &why)) {
		request_reply(c, id, -EINVAL, "host %s", why);
		return;
	}
	if (!is_possible(c, id, req->listen))
		return;
	b->lease = lease_new(c, id, host, req);
	if (!b->lease) {
		request_reply(c, id, -ENOMEM, NULL);
		return;
	}
	/* Also with 0: the reply comes from the loop, as all that wait. */
	timer_start(b->lease->deadline, req->has_wait_ms ? req->wait_ms :
		    WAIT_MS);
	ask_owners(b->lease);
	lease_look(b);
}

void lease_answer(struct client *c, uint64_t id,
		  const Modemd__V1__LeaseAnswer *req)
{
	const struct lease *l = c->broker->lease;

	if (!l || l->owned->link != req->link || l->granted ||
	    !c->lease_asked) {
		request_reply(c, id, -EINVAL, "nobody asks you for a lease "
			      "%llu", (unsigned long long)req->link);
		return;
	}
	c->lease_agreed = req->agree;
	request_reply(c, id, 0, NULL);
	lease_look(c->broker);
}

/* The link ends; what follows from that comes as news of it. @err: 0 when its
 * owner asked for it. */
static void end_link(struct lease *l, int err, const char *reason)
{
	struct modem *m = l->broker->modem;

	l->ending = true;
	if (err)
		(void)modem_lease_end(m, l->owned->link, err, reason);
	else
		(void)modem_link_close(m, l->owned->link, true, reason);
}

void lease_end(struct client *c, uint64_t id, const Modemd__V1__Unlease *req)
{
	struct lease *l = c->broker->lease;

	if (!l || l->owned->link != req->link) {
		request_reply(c, id, -EBADF, "there is no lease %llu",
			      (unsigned long long)req->link);
		return;
	}
	if (l->owned->owner != c && !c->admin) {
		request_reply(c, id, -EPERM, "the lease is %s's: only it and "
			      "admins may end it", l->owned->name);
		return;
	}
	request_reply(c, id, 0, NULL);
	if (l->granted)
		end_link(l, l->owned->owner == c ? 0 : -ECANCELED,
			 l->owned->owner == c ? "local" : "unlease");
	else
		lease_refuse(l, -ECANCELED, "taken back%s",
			     l->owned->owner == c ? "" : " by an admin");
}

void lease_cancel(struct broker *b)
{
	struct lease *l = b->lease;

	l->pending = NULL;	/* the caller replies, and frees it */
	if (l->granted)
		end_link(l, 0, "cancelled");
	else
		drop(l, "cancelled");
}

void lease_stop(struct broker *b)
{
	if (b->lease && !b->lease->granted)
		lease_refuse(b->lease, -ESHUTDOWN, "modemd is stopping");
}

/* Its wish has ended with its request. */
void lease_client_gone(struct broker *b, struct client *c)
{
	if (b->lease && b->lease->owned->owner == c)
		b->lease->ending = true;
}

/* -------------------------------------------------------- told by the modem */

bool lease_opened(struct broker *b, struct owned *o,
		  const struct link_end *how)
{
	struct lease *l = b->lease;
	Modemd__V1__Reply reply = MODEMD__V1__REPLY__INIT;
	struct link_args args = { .kind = LINK_LEASE };
	struct pending *p;
	char text[400];

	if (!l || l->owned != o)
		return o->kind == LINK_LEASE;

	p = l->pending;
	l->pending = NULL;
	l->connected = !how->err;
	if (p && !how->err) {
		reply_open(p->client, p->request_id, o->link, &args);
	} else if (p) {
		MSG_SET(&reply, request_id, p->request_id);
		MSG_SET(&reply, status, wire_status(how->err));
		reply.message = msg_str(wire_status_text(reply.status));
		if (how->modem_text[0])
			reply.modem_text = log_escape_utf8(text, sizeof(text),
					how->modem_text,
					strlen(how->modem_text));
		client_reply(p->client, &reply);
	}
	if (p)
		pending_free(p);
	if (how->err)
		lease_closed(b, o, how->reason);

	return true;
}

void lease_closed(struct broker *b, const struct owned *o, const char *reason)
{
	struct lease *l = b->lease;

	if (!l || l->owned != o)
		return;
	lease_tell(l, "ended", reason, true);
	forget(l);
}
