/* SPDX-License-Identifier: MIT */

/*
 * What clients ask: decoded, and handed to the file whose it is; the requests
 * that have no file of their own. One row of a table for each kind.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/config.h"
#include "base/log.h"
#include "base/timer.h"
#include "broker/private.h"
#include "driver/driver.h"
#include "history/history.h"

static void fill_reply(Modemd__V1__Reply *reply, uint64_t id, int err)
{
	modemd__v1__reply__init(reply);
	MSG_SET(reply, request_id, id);
	MSG_SET(reply, status, wire_status(err));
}

/* @fmt NULL: the general words for @err. */
void request_reply(struct client *c, uint64_t id, int err, const char *fmt,
		   ...)
{
	Modemd__V1__Reply reply;
	char text[1024];
	va_list ap;

	fill_reply(&reply, id, err);
	if (fmt) {
		va_start(ap, fmt);
		vsnprintf(text, sizeof(text), fmt, ap);
		va_end(ap);
		reply.message = text;
	} else if (err) {
		reply.message = msg_str(wire_status_text(reply.status));
	}
	client_reply(c, &reply);
}

/* ------------------------------------------------------------------- hello */

static void fill_hello(struct broker *b, Modemd__V1__HelloReply *h,
		       const struct modem_status *st)
{
	const struct config *cfg = b->args.cfg;
	size_t n = 0;

	while (st->capabilities[n])
		n++;
	h->server_version = msg_str(MODEMD_VERSION);
	MSG_SET(h, protocol_version, WIRE_PROTOCOL_VERSION);
	h->instance = cfg->instance;
	h->boot_id = msg_str(b->args.boot_id);
	MSG_SET(h, max_frame, WIRE_FRAME_MAX);
	MSG_SET(h, window, cfg->links.window);
	MSG_SET(h, credit, cfg->links.credit);
	h->dialect = msg_str(st->dialect);
	h->n_capabilities = n;
	h->capabilities = (char **)(uintptr_t)st->capabilities;
}

static void do_hello(struct client *c, uint64_t id,
		     const Modemd__V1__Hello *req)
{
	Modemd__V1__HelloReply hello = MODEMD__V1__HELLO_REPLY__INIT;
	Modemd__V1__Reply reply;
	struct modem_status st;
	const char *why = "";

	if (c->hello) {
		request_reply(c, id, -EINVAL, "hello was said already");
		return;
	}
	if (req->protocol_version != WIRE_PROTOCOL_VERSION) {
		request_reply(c, id, -EPROTONOSUPPORT, "this daemon speaks "
			      "protocol version %d", WIRE_PROTOCOL_VERSION);
		client_close(c->conn, "speaks another protocol version");
		return;
	}
	if (name_check_text(&req->client_name, c->name, sizeof(c->name),
			    &why)) {
		request_reply(c, id, -EINVAL, "client_name %s", why);
		client_close(c->conn, "gave no usable name");
		return;
	}

	c->hello = true;
	timer_stop(c->hello_timer);
	log_info("client: %s (pid %d, uid %u) is here", c->name,
		 (int)c->creds.pid, (unsigned int)c->creds.uid);
	modem_get_status(c->broker->modem, &st);
	fill_hello(c->broker, &hello, &st);
	MSG_SET(&hello, admin, c->admin);
	fill_reply(&reply, id, 0);
	reply.result_case = MODEMD__V1__REPLY__RESULT_HELLO;
	reply.hello = &hello;
	client_reply(c, &reply);
}

/* ----------------------------------------------------- refused, and whose */

/* "a (pid 1) 7 links, b (pid 2) 3 links" */
static void name_holders(struct broker *b, char *out, size_t size)
{
	const struct client *c;
	size_t len = 0;

	out[0] = '\0';
	TAILQ_FOREACH(c, &b->clients, entry) {
		if (c->links == 0 || len >= size)
			continue;
		len += (size_t)snprintf(out + len, size - len,
					"%s%s (pid %d): %u", len ? ", " : "",
					c->name, (int)c->creds.pid, c->links);
	}
}

void request_failed(struct client *c, uint64_t id, int err)
{
	struct broker *b = c->broker;
	struct modem_status st;
	char holders[512];

	modem_get_status(b->modem, &st);
	if (err == -EMFILE && st.slots_used < st.slots_total) {
		request_reply(c, id, err, "%u sockets of the modem are free, "
			      "but kept for accepted connections "
			      "(links.reserve-inbound)",
			      st.slots_total - st.slots_used);
	} else if (err == -EMFILE) {
		name_holders(b, holders, sizeof(holders));
		request_reply(c, id, err, "all %u sockets of the modem are "
			      "taken by %s", st.slots_total, holders);
	} else if (err == -ENETDOWN && lease_words(b, holders,
						   sizeof(holders))) {
		request_reply(c, id, err, "%s", holders);
	} else if (err == -ENETDOWN || err == -ENODEV) {
		request_reply(c, id, err, "the network is %s (modem: %s%s%s)",
			      st.network_name, st.state_name,
			      st.reason[0] || st.network_reason[0] ? ": " : "",
			      st.reason[0] ? st.reason : st.network_reason);
	} else {
		request_reply(c, id, err, NULL);
	}
}

/* The check that every use of a link begins with. */
bool request_owns(struct client *c, uint64_t id, uint64_t link)
{
	struct owned *o = broker_find(c->broker, link);

	if (o && o->owner == c)
		return true;
	request_reply(c, id, -EBADF, "link %llu is not yours, or has ended",
		      (unsigned long long)link);

	return false;
}

/* --------------------------------------------------------- those that wait */

void request_asked(struct client *c, uint64_t id, struct pending *p, int err)
{
	if (!err)
		return;
	if (p)
		pending_free(p);
	request_failed(c, id, err);
}

enum driver_family request_family(bool has, Modemd__V1__Family family)
{
	if (!has)
		return DRIVER_ANY;

	switch (family) {
	case MODEMD__V1__FAMILY__IPV4:
		return DRIVER_IPV4;
	case MODEMD__V1__FAMILY__IPV6:
		return DRIVER_IPV6;
	case MODEMD__V1__FAMILY__ANY:
	case _MODEMD__V1__FAMILY_IS_INT_SIZE:
		break;
	}

	return DRIVER_ANY;
}

static void do_resolve(struct client *c, uint64_t id,
		       const Modemd__V1__Resolve *req)
{
	char name[DRIVER_HOST_MAX + 1];
	struct pending *p;
	const char *why;

	if (name_check_host(&req->name, name, sizeof(name), &why)) {
		request_reply(c, id, -EINVAL, "name %s", why);
		return;
	}
	p = pending_new(c, id);
	request_asked(c, id, p, p ? modem_resolve(c->broker->modem, name,
						  request_family(req->has_family,
								 req->family),
						  &p->query) : -EBUSY);
}

static void do_reverse(struct client *c, uint64_t id,
		       const Modemd__V1__Reverse *req)
{
	char address[INET_ADDRSTRLEN];
	struct in_addr any;
	struct pending *p;
	const char *why;

	if (name_check_text(&req->address, address, sizeof(address), &why) ||
	    inet_pton(AF_INET, address, &any) != 1) {
		request_reply(c, id, -EINVAL, "address is not of the form "
			      "192.0.2.1");
		return;
	}
	p = pending_new(c, id);
	if (p)
		p->reverse = true;
	request_asked(c, id, p, p ? modem_reverse(c->broker->modem, address,
						  &p->query) : -EBUSY);
}

static void do_cancel(struct client *c, uint64_t id,
		      const Modemd__V1__Cancel *req)
{
	struct broker *b = c->broker;
	struct pending *p;

	TAILQ_FOREACH(p, &c->pending, entry) {
		if (p->request_id == req->request_id)
			break;
	}
	if (!p) {
		request_reply(c, id, -EINVAL, "no such request waits");
		return;
	}
	if (p->lease)
		lease_cancel(b);
	else if (p->query)
		modem_query_cancel(b->modem, p->query);
	else if (p->listener)
		listen_cancel(p);
	else if (p->admin == PENDING_QUERY)
		history_cancel(b->args.history, p->history);
	/* A ping replies with its counts, when the modem has stopped it. */
	if (p->what != MODEMD__V1__REQUEST__KIND_PING) {
		request_reply(c, p->request_id, -ECANCELED, NULL);
		pending_free(p);
	}
	request_reply(c, id, 0, NULL);
}

static void do_subscribe(struct client *c, uint64_t id,
			 const Modemd__V1__Subscribe *req)
{
	if (req->trace_payload && !c->admin) {
		request_reply(c, id, -EPERM, "payload in the trace is for "
			      "admins: root and the group modem-admin");
		return;
	}
	c->want_network = req->network;
	c->want_links = req->links;
	c->want_trace = req->trace;
	c->want_payload = req->trace_payload;
	request_reply(c, id, 0, NULL);
}

/* ---------------------------------------------------------------- dispatch */

struct handler {
	void (*handle)(struct client *c, const Modemd__V1__Request *req);
	bool before_hello;
	const char *for_admins;		/* "... is", then others are refused */
};

/* A handler gets the message of its own kind, and none if that is empty. */
#define TAKES(kind, handler) \
static void take_##kind(struct client *c, const Modemd__V1__Request *req) \
{ \
	handler(c, req->id, req->kind); \
}
#define TAKES_NONE(kind, handler) \
static void take_##kind(struct client *c, const Modemd__V1__Request *req) \
{ \
	handler(c, req->id); \
}

TAKES(hello, do_hello)
TAKES(open, open_request)
TAKES(send, links_send)
TAKES(credit, links_credit)
TAKES(close, links_close)
TAKES(resolve, do_resolve)
TAKES(reverse, do_reverse)
TAKES_NONE(status, report_status)
TAKES_NONE(links, report_links)
TAKES_NONE(clients, report_clients)
TAKES(history, report_history)
TAKES(subscribe, do_subscribe)
TAKES(cancel, do_cancel)
TAKES(trace, report_trace)
TAKES(listen, listen_request)
TAKES(unlisten, listen_stop)
TAKES(accept_policy, listen_policy)
TAKES_NONE(listeners, listen_report)
TAKES(ping, ask_ping)
TAKES(confirmed, ask_confirmed)
TAKES(at, ask_at)
TAKES(config, ask_config)
TAKES(reset, admin_reset)
TAKES(network, admin_network)
TAKES(lease, lease_ask)
TAKES(unlease, lease_end)
TAKES(lease_answer, lease_answer)
TAKES(time, ask_time)

#define KIND(name) [MODEMD__V1__REQUEST__KIND_##name]

/* What is not here this version does not know. */
static const struct handler handlers[] = {
	KIND(HELLO)		= { take_hello, .before_hello = true },
	KIND(OPEN)		= { take_open },
	KIND(SEND)		= { take_send },
	KIND(CREDIT)		= { take_credit },
	KIND(CLOSE)		= { take_close },
	KIND(RESOLVE)		= { take_resolve },
	KIND(REVERSE)		= { take_reverse },
	KIND(STATUS)		= { take_status },
	KIND(LINKS)		= { take_links },
	KIND(CLIENTS)		= { take_clients },
	KIND(HISTORY)		= { take_history },
	KIND(SUBSCRIBE)		= { take_subscribe },
	KIND(CANCEL)		= { take_cancel },
	KIND(TRACE)		= { take_trace },
	KIND(LISTEN)		= { take_listen },
	KIND(UNLISTEN)		= { take_unlisten },
	KIND(ACCEPT_POLICY)	= { take_accept_policy },
	KIND(LISTENERS)		= { take_listeners },
	KIND(PING)		= { take_ping },
	KIND(CONFIRMED)		= { take_confirmed },
	KIND(AT)		= { take_at,
				    .for_admins = "raw AT commands are" },
	KIND(CONFIG)		= { take_config },
	KIND(RESET)		= { take_reset,
				    .for_admins = "restarting the modem is" },
	KIND(NETWORK)		= { take_network, .for_admins =
				    "opening and closing the network is" },
	KIND(LEASE)		= { take_lease },
	KIND(UNLEASE)		= { take_unlease },
	KIND(LEASE_ANSWER)	= { take_lease_answer },
	KIND(TIME)		= { take_time },
};

/* NULL: there is none. */
static const struct handler *find_handler(const Modemd__V1__Request *req)
{
	size_t kind = (size_t)req->kind_case;

	if (kind >= sizeof(handlers) / sizeof(handlers[0]) ||
	    !handlers[kind].handle)
		return NULL;

	return &handlers[kind];
}

static void dispatch(struct client *c, const Modemd__V1__Request *req)
{
	const struct handler *h = find_handler(req);

	if (!c->hello && !(h && h->before_hello)) {
		request_reply(c, req->id, -EPROTONOSUPPORT,
			      "the first request is hello");
		client_close(c->conn, "did not begin with hello");
	} else if (!h) {
		request_reply(c, req->id, -EOPNOTSUPP, "this version does not "
			      "know that request");
	} else if (h->for_admins && !c->admin) {
		request_reply(c, req->id, -EPERM, "%s for admins: root and the "
			      "group modem-admin", h->for_admins);
	} else {
		h->handle(c, req);
	}
}

/* What the frame's copy in our memory held. */
static void wipe_secrets(Modemd__V1__Request *req)
{
	if (req->kind_case == MODEMD__V1__REQUEST__KIND_OPEN &&
	    req->open->tls && req->open->tls->psk.data)
		explicit_bzero(req->open->tls->psk.data,
			       req->open->tls->psk.len);
}

void request_handle(struct client *c, const uint8_t *buf, size_t len)
{
	Modemd__V1__Request *req;

	req = modemd__v1__request__unpack(NULL, len, buf);
	if (!req) {
		client_close(c->conn, "sent a malformed frame");
		return;
	}
	dispatch(c, req);
	wipe_secrets(req);
	modemd__v1__request__free_unpacked(req, NULL);
}
