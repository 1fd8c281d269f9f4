/* SPDX-License-Identifier: MIT */

/* What clients ask: decoded, checked, done or passed on, answered. */

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at/trace.h"
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

/* -------------------------------------------------------------------- open */

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

struct owned *owned_new(struct client *c, enum link_kind kind,
			const char *host, unsigned int port)
{
	struct owned *o;

	o = calloc(1, sizeof(*o));
	if (!o)
		return NULL;

	o->owner = c;
	memcpy(o->name, c->name, sizeof(o->name));
	o->creds = c->creds;
	o->kind = kind;
	snprintf(o->remote, sizeof(o->remote), "%s:%u", host[0] ? host : "*",
		 port);
	TAILQ_INSERT_TAIL(&c->broker->owned, o, entry);
	c->links++;

	return o;
}

/* What is wrong with it, or NULL. */
static const char *check_open(const struct client *c,
			      const Modemd__V1__Open *req, int *err)
{
	bool udp = req->has_type && req->type == MODEMD__V1__LINK_TYPE__UDP;

	*err = -EINVAL;
	if (!udp && (!req->has_port || req->port < 1 || req->port > 65535))
		return "port is not in 1-65535";
	if (req->local_port > 65535)
		return "local_port is not in 0-65535";
	*err = -EOPNOTSUPP;
	if (!udp && req->has_type && req->type != MODEMD__V1__LINK_TYPE__TCP)
		return "only TCP and UDP links are supported by this version";
	*err = -EDQUOT;
	if (c->links >= CLIENT_LINKS_MAX)
		return "a client may hold 64 links";

	return NULL;
}

void reply_open(struct client *c, uint64_t id, uint64_t link,
		const struct link_args *args)
{
	Modemd__V1__OpenReply open = MODEMD__V1__OPEN_REPLY__INIT;
	Modemd__V1__Reply reply;

	MSG_SET(&open, link, link);
	MSG_SET(&open, epoch, 1);
	if (args->kind == LINK_UDP)
		MSG_SET(&open, source, modem_tells_source(c->broker->modem,
							  args));
	fill_reply(&reply, id, 0);
	reply.result_case = MODEMD__V1__REPLY__RESULT_OPEN;
	reply.open = &open;
	client_reply(c, &reply);
}

/* False: refused. @host: DRIVER_HOST_MAX + 1 bytes. */
static bool take_remote(struct client *c, uint64_t id,
			const Modemd__V1__Open *req, char *host)
{
	const char *why;

	if (req->type == MODEMD__V1__LINK_TYPE__UDP) {
		why = datagram_check_open(req, host);
		if (why)
			request_reply(c, id, -EINVAL, "%s", why);
		return !why;
	}
	if (name_check_host(&req->host, host, DRIVER_HOST_MAX + 1, &why) == 0)
		return true;
	request_reply(c, id, -EINVAL, "host %s", why);

	return false;
}

static void do_open(struct client *c, uint64_t id, const Modemd__V1__Open *req)
{
	char host[DRIVER_HOST_MAX + 1];
	struct link_args args = {
		.kind = req->type == MODEMD__V1__LINK_TYPE__UDP ? LINK_UDP :
			LINK_TCP,
		.never_push = req->never_push,
		.want_source = req->want_source,
		.host = host,
		.port = req->port,
		.local_port = req->local_port,
		.restore = req->restore,
		.wait_ack = req->wait_ack,
		.wait_ms = req->wait_ms,
		.idle_timeout_ms = req->idle_timeout_ms,
		.has_credit = req->has_credit,
		.credit = req->credit,
	};
	const char *why;
	struct owned *o;
	int err;

	why = check_open(c, req, &err);
	if (why) {
		request_reply(c, id, err, "%s", why);
		return;
	}
	if (!take_remote(c, id, req, host))
		return;
	o = owned_new(c, args.kind, host, args.port);
	err = o ? modem_link_open(c->broker->modem, &args, &o->link) : -ENOMEM;
	if (err) {
		if (o)
			broker_forget(c->broker, o);
		request_failed(c, id, err);
		return;
	}
	reply_open(c, id, o->link, &args);
}

/* ------------------------------------------------------------------- links */

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

static void do_send(struct client *c, uint64_t id, const Modemd__V1__Send *req)
{
	char address[INET_ADDRSTRLEN];
	struct driver_to to;
	const char *why;
	int err;

	if (!request_owns(c, id, req->link))
		return;
	if (req->data.len < 1 || req->data.len > WIRE_DATA_MAX) {
		request_reply(c, id, req->data.len ? -EMSGSIZE : -EINVAL,
			      "data is not 1-%d bytes", WIRE_DATA_MAX);
		return;
	}
	why = datagram_check_send(req, address, &to);
	if (why) {
		request_reply(c, id, -EINVAL, "%s", why);
		return;
	}
	err = modem_link_send_to(c->broker->modem, req->link, req->epoch,
				 req->data.data, req->data.len,
				 to.address ? &to : NULL);
	why = datagram_send_error(err, to.address);
	request_reply(c, id, err == -EDESTADDRREQ ? -EINVAL : err,
		      why ? "%s" : NULL, why);
}

static void do_credit(struct client *c, uint64_t id,
		      const Modemd__V1__Credit *req)
{
	if (request_owns(c, id, req->link))
		request_reply(c, id, modem_link_credit(c->broker->modem,
			      req->link, req->epoch, req->bytes), NULL);
}

static void do_close(struct client *c, uint64_t id,
		     const Modemd__V1__Close *req)
{
	if (request_owns(c, id, req->link))
		request_reply(c, id, modem_link_close(c->broker->modem,
			      req->link, req->abort, "local"), NULL);
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

static void dispatch(struct client *c, uint64_t id,
		     const Modemd__V1__Request *req)
{
	switch (req->kind_case) {
	case MODEMD__V1__REQUEST__KIND_HELLO:
		do_hello(c, id, req->hello);
		return;
	case MODEMD__V1__REQUEST__KIND_OPEN:
		do_open(c, id, req->open);
		return;
	case MODEMD__V1__REQUEST__KIND_SEND:
		do_send(c, id, req->send);
		return;
	case MODEMD__V1__REQUEST__KIND_CREDIT:
		do_credit(c, id, req->credit);
		return;
	case MODEMD__V1__REQUEST__KIND_CLOSE:
		do_close(c, id, req->close);
		return;
	case MODEMD__V1__REQUEST__KIND_RESOLVE:
		do_resolve(c, id, req->resolve);
		return;
	case MODEMD__V1__REQUEST__KIND_REVERSE:
		do_reverse(c, id, req->reverse);
		return;
	case MODEMD__V1__REQUEST__KIND_STATUS:
		report_status(c, id);
		return;
	case MODEMD__V1__REQUEST__KIND_LINKS:
		report_links(c, id);
		return;
	case MODEMD__V1__REQUEST__KIND_CLIENTS:
		report_clients(c, id);
		return;
	case MODEMD__V1__REQUEST__KIND_HISTORY:
		report_history(c, id, req->history);
		return;
	case MODEMD__V1__REQUEST__KIND_SUBSCRIBE:
		do_subscribe(c, id, req->subscribe);
		return;
	case MODEMD__V1__REQUEST__KIND_CANCEL:
		do_cancel(c, id, req->cancel);
		return;
	case MODEMD__V1__REQUEST__KIND_TRACE:
		report_trace(c, id, req->trace);
		return;
	case MODEMD__V1__REQUEST__KIND_LISTEN:
		listen_request(c, id, req->listen);
		return;
	case MODEMD__V1__REQUEST__KIND_UNLISTEN:
		listen_stop(c, id, req->unlisten);
		return;
	case MODEMD__V1__REQUEST__KIND_ACCEPT_POLICY:
		listen_policy(c, id, req->accept_policy);
		return;
	case MODEMD__V1__REQUEST__KIND_LISTENERS:
		listen_report(c, id);
		return;
	case MODEMD__V1__REQUEST__KIND_PING:
		ask_ping(c, id, req->ping);
		return;
	case MODEMD__V1__REQUEST__KIND_CONFIRMED:
		if (request_owns(c, id, req->confirmed->link))
			ask_confirmed(c, id, req->confirmed);
		return;
	case MODEMD__V1__REQUEST__KIND_AT:
		ask_at(c, id, req->at);
		return;
	case MODEMD__V1__REQUEST__KIND_CONFIG:
		ask_config(c, id, req->config);
		return;
	case MODEMD__V1__REQUEST__KIND_RESET:
		admin_reset(c, id, req->reset);
		return;
	case MODEMD__V1__REQUEST__KIND_NETWORK:
		admin_network(c, id, req->network);
		return;
	case MODEMD__V1__REQUEST__KIND_LEASE:
		lease_ask(c, id, req->lease);
		return;
	case MODEMD__V1__REQUEST__KIND_UNLEASE:
		lease_end(c, id, req->unlease);
		return;
	case MODEMD__V1__REQUEST__KIND_LEASE_ANSWER:
		lease_answer(c, id, req->lease_answer);
		return;
	case MODEMD__V1__REQUEST__KIND_TIME:
		ask_time(c, id, req->time);
		return;
	case MODEMD__V1__REQUEST__KIND__NOT_SET:
	case _MODEMD__V1__REQUEST__KIND__CASE_IS_INT_SIZE:
		break;
	}
	request_reply(c, id, -EOPNOTSUPP, "this version does not know that "
		      "request");
}

void request_handle(struct client *c, const uint8_t *buf, size_t len)
{
	Modemd__V1__Request *req;

	req = modemd__v1__request__unpack(NULL, len, buf);
	if (!req) {
		client_close(c->conn, "sent a malformed frame");
		return;
	}
	if (!c->hello &&
	    req->kind_case != MODEMD__V1__REQUEST__KIND_HELLO) {
		request_reply(c, req->id, -EPROTONOSUPPORT,
			      "the first request is hello");
		client_close(c->conn, "did not begin with hello");
	} else {
		dispatch(c, req->id, req);
	}
	modemd__v1__request__free_unpacked(req, NULL);
}
