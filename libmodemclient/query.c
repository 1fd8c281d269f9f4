/* SPDX-License-Identifier: MIT */

/* Questions with one answer: status, links, clients, resolve, subscribe. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "rows.h"

#define ALLOW_MAX	32		/* prefixes of a listener */

static void message_free(Modemd__V1__ServerMessage *message)
{
	modemd__v1__server_message__free_unpacked(message, NULL);
}

int client_ask_for(struct modemclient *mc, Modemd__V1__Request *req,
		   const char *what, Modemd__V1__Reply__ResultCase result,
		   int timeout_ms, Modemd__V1__ServerMessage **out)
{
	Modemd__V1__ServerMessage *message;
	int err = client_ask(mc, req, what, timeout_ms, &message);

	*out = NULL;
	if (err < 0)
		return err;
	if (message->reply->result_case != result) {
		message_free(message);
		return client_fail(mc, -EPROTO, "%s: modemd gave another "
				   "answer", what);
	}
	*out = message;

	return 0;
}

int modemclient_status(struct modemclient *mc, int timeout_ms,
		       struct modemclient_status **out)
{
	Modemd__V1__StatusRequest status = MODEMD__V1__STATUS_REQUEST__INIT;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;
	Modemd__V1__ServerMessage *message;
	int err;

	*out = NULL;
	req.kind_case = MODEMD__V1__REQUEST__KIND_STATUS;
	req.status = &status;
	err = client_ask_for(mc, &req, "status",
			     MODEMD__V1__REPLY__RESULT_STATUS_REPLY,
			     timeout_ms, &message);
	if (err < 0)
		return err;
	*out = rows_status(message);

	return *out ? 0 : client_fail(mc, -ENOMEM, "out of memory");
}

int modemclient_links(struct modemclient *mc, int timeout_ms,
		      bool (*row)(void *ctx,
				  const struct modemclient_link_info *info),
		      void *ctx)
{
	Modemd__V1__LinksRequest links = MODEMD__V1__LINKS_REQUEST__INIT;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;
	struct modemclient_link_info info;
	Modemd__V1__ServerMessage *message;
	bool more = true;
	size_t i;
	int err;

	req.kind_case = MODEMD__V1__REQUEST__KIND_LINKS;
	req.links = &links;
	err = client_ask_for(mc, &req, "links",
			     MODEMD__V1__REPLY__RESULT_LINKS, timeout_ms,
			     &message);
	if (err < 0)
		return err;
	for (i = 0; more && i < message->reply->links->n_link; i++) {
		rows_link(&info, message->reply->links->link[i]);
		more = row(ctx, &info);
	}
	message_free(message);

	return 0;
}

static bool
listener_row(const Modemd__V1__ListenerInfo *from,
	     bool (*row)(void *ctx,
			 const struct modemclient_listener_info *info),
	     void *ctx)
{
	const char *allow[ALLOW_MAX + 1];
	struct modemclient_listener_info info;
	size_t i;

	rows_listener(&info, from);
	for (i = 0; i < from->n_allow && i < ALLOW_MAX; i++)
		allow[i] = from->allow[i];
	allow[i] = NULL;
	info.allow = allow;

	return row(ctx, &info);
}

int modemclient_listeners(struct modemclient *mc, int timeout_ms,
			  bool (*row)(void *ctx,
				const struct modemclient_listener_info *info),
			  void *ctx)
{
	Modemd__V1__ListenersRequest ask = MODEMD__V1__LISTENERS_REQUEST__INIT;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;
	const Modemd__V1__ListenersReply *reply;
	Modemd__V1__ServerMessage *message;
	bool more = true;
	size_t i;
	int err;

	req.kind_case = MODEMD__V1__REQUEST__KIND_LISTENERS;
	req.listeners = &ask;
	err = client_ask_for(mc, &req, "listeners",
			     MODEMD__V1__REPLY__RESULT_LISTENERS, timeout_ms,
			     &message);
	if (err < 0)
		return err;
	reply = message->reply->listeners;
	for (i = 0; more && i < reply->n_listener; i++)
		more = listener_row(reply->listener[i], row, ctx);
	message_free(message);

	return 0;
}

int modemclient_clients(struct modemclient *mc, int timeout_ms,
			bool (*row)(void *ctx,
				    const struct modemclient_client_info *info),
			void *ctx)
{
	Modemd__V1__ClientsRequest clients = MODEMD__V1__CLIENTS_REQUEST__INIT;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;
	struct modemclient_client_info info;
	Modemd__V1__ServerMessage *message;
	bool more = true;
	size_t i;
	int err;

	req.kind_case = MODEMD__V1__REQUEST__KIND_CLIENTS;
	req.clients = &clients;
	err = client_ask_for(mc, &req, "clients",
			     MODEMD__V1__REPLY__RESULT_CLIENTS, timeout_ms,
			     &message);
	if (err < 0)
		return err;
	for (i = 0; more && i < message->reply->clients->n_client; i++) {
		rows_client(&info, message->reply->clients->client[i]);
		more = row(ctx, &info);
	}
	message_free(message);

	return 0;
}

static int resolve_fill(struct modemclient *mc, const char *name,
			Modemd__V1__Resolve *resolve, Modemd__V1__Request *req)
{
	if (!name || !*name || strlen(name) > 253)
		return client_fail(mc, -EINVAL, "resolve: a name has 1 to 253 "
				   "characters");
	resolve->has_name = 1;
	resolve->name.len = strlen(name);
	resolve->name.data = (uint8_t *)(uintptr_t)name;
	req->kind_case = MODEMD__V1__REQUEST__KIND_RESOLVE;
	req->resolve = resolve;

	return 0;
}

static char **copy_list(char *const *from, size_t n)
{
	char **to = calloc(n + 1, sizeof(*to));
	size_t i;

	for (i = 0; to && i < n; i++) {
		to[i] = strdup(from[i]);
		if (!to[i]) {
			modemclient_addresses_free(to);
			return NULL;
		}
	}

	return to;
}

static char **copy_addresses(const Modemd__V1__ResolveReply *from)
{
	return copy_list(from->address, from->n_address);
}

int modemclient_resolve(struct modemclient *mc, const char *name,
			int timeout_ms, char ***out)
{
	return modemclient_resolve_family(mc, name, MODEMCLIENT_ANY,
					  timeout_ms, out);
}

int modemclient_resolve_family(struct modemclient *mc, const char *name,
			       enum modemclient_family family, int timeout_ms,
			       char ***out)
{
	Modemd__V1__Resolve resolve = MODEMD__V1__RESOLVE__INIT;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;
	Modemd__V1__ServerMessage *message;
	int err = resolve_fill(mc, name, &resolve, &req);

	*out = NULL;
	resolve.has_family = family_fill(family, &resolve.family);
	if (err == 0)
		err = client_ask_for(mc, &req, name,
				     MODEMD__V1__REPLY__RESULT_RESOLVE,
				     timeout_ms, &message);
	if (err < 0)
		return err;
	*out = copy_addresses(message->reply->resolve);
	message_free(message);

	return *out ? 0 : client_fail(mc, -ENOMEM, "out of memory");
}

int modemclient_reverse(struct modemclient *mc, const char *address,
			int timeout_ms, char ***out)
{
	Modemd__V1__Reverse reverse = MODEMD__V1__REVERSE__INIT;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;
	Modemd__V1__ServerMessage *message;
	int err;

	*out = NULL;
	if (!address || !*address || strlen(address) > 15)
		return client_fail(mc, -EINVAL, "reverse: an address is of "
				   "the form 192.0.2.1");
	reverse.has_address = 1;
	reverse.address.len = strlen(address);
	reverse.address.data = (uint8_t *)(uintptr_t)address;
	req.kind_case = MODEMD__V1__REQUEST__KIND_REVERSE;
	req.reverse = &reverse;
	err = client_ask_for(mc, &req, address,
			     MODEMD__V1__REPLY__RESULT_REVERSE, timeout_ms,
			     &message);
	if (err < 0)
		return err;
	*out = copy_list(message->reply->reverse->name,
			 message->reply->reverse->n_name);
	message_free(message);

	return *out ? 0 : client_fail(mc, -ENOMEM, "out of memory");
}

void modemclient_addresses_free(char **addresses)
{
	size_t i;

	for (i = 0; addresses && addresses[i]; i++)
		free(addresses[i]);
	free(addresses);
}

int modemclient_subscribe(struct modemclient *mc, unsigned int what,
			  int timeout_ms)
{
	Modemd__V1__Subscribe sub = MODEMD__V1__SUBSCRIBE__INIT;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;
	Modemd__V1__ServerMessage *message;
	int err = client_check_ready(mc);

	if (err < 0)
		return err;
	sub.has_network = sub.has_links = sub.has_trace = 1;
	sub.has_trace_payload = 1;
	sub.network = (what & MODEMCLIENT_NETWORK) != 0;
	sub.links = (what & MODEMCLIENT_LINKS) != 0;
	sub.trace = (what & MODEMCLIENT_TRACE) != 0;
	sub.trace_payload = (what & MODEMCLIENT_TRACE_PAYLOAD) != 0;
	req.kind_case = MODEMD__V1__REQUEST__KIND_SUBSCRIBE;
	req.subscribe = &sub;
	if (timeout_ms == 0) {
		err = client_request(mc, &req, NULL);
	} else {
		err = client_ask(mc, &req, "subscribe", timeout_ms, &message);
		if (err == 0)
			message_free(message);
	}
	if (err == 0)
		mc->subscribed = what;

	return err;
}

/* The reply to a _start, as an event. */
static void reply_done(struct modemclient *mc, struct request *r, int err,
		       const Modemd__V1__Reply *reply)
{
	struct modemclient_event ev = {
		.type = MODEMCLIENT_EVENT_REPLY,
		.err = err,
		.request = r->id,
	};
	struct modemclient_ping_result ping;
	struct modemclient_status *status = NULL;
	char **addresses = NULL;

	/* A ping that was stopped has its counts all the same. */
	if (reply && reply->result_case == MODEMD__V1__REPLY__RESULT_PING) {
		ping_fill_result(&ping, reply->ping);
		ev.ping = &ping;
	}
	if (!reply) {
		ev.reason = mc->down_reason;
	} else if (err < 0) {
		client_fail_reply(mc, err, "modemd", reply);
		ev.reason = mc->error;
	} else if (reply->result_case == MODEMD__V1__REPLY__RESULT_RESOLVE) {
		addresses = copy_addresses(reply->resolve);
		ev.err = addresses ? 0 : -ENOMEM;
	} else if (reply->result_case ==
		   MODEMD__V1__REPLY__RESULT_STATUS_REPLY) {
		status = rows_status(mc->message);
		mc->message = NULL;
		ev.err = status ? 0 : -ENOMEM;
	} else if (!ev.ping) {
		ev.err = -EPROTO;
	}
	ev.addresses = (const char *const *)addresses;
	ev.status = status;
	client_emit(mc, &ev);
	modemclient_addresses_free(addresses);
	modemclient_status_free(status);
}

int client_ask_start(struct modemclient *mc, Modemd__V1__Request *req,
		     uint64_t *request)
{
	struct request *r;
	int err = client_check_ready(mc);

	if (err < 0)
		return err;
	r = request_new(reply_done);
	if (!r)
		return client_fail(mc, -ENOMEM, "out of memory");
	err = client_request(mc, req, r);
	if (err == 0 && request)
		*request = req->id;
	connection_flush(&mc->conn);

	return err;
}

int modemclient_status_start(struct modemclient *mc, uint64_t *request)
{
	Modemd__V1__StatusRequest status = MODEMD__V1__STATUS_REQUEST__INIT;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;

	req.kind_case = MODEMD__V1__REQUEST__KIND_STATUS;
	req.status = &status;

	return client_ask_start(mc, &req, request);
}

int modemclient_resolve_start(struct modemclient *mc, const char *name,
			      uint64_t *request)
{
	Modemd__V1__Resolve resolve = MODEMD__V1__RESOLVE__INIT;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;
	int err = resolve_fill(mc, name, &resolve, &req);

	return err < 0 ? err : client_ask_start(mc, &req, request);
}
