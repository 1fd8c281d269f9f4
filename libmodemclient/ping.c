/* SPDX-License-Identifier: MIT */

/* Ping: a question with news before its answer. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "rows.h"

/* A call that waits for a ping: on its stack, known to the request. */
struct ping_call {
	const char *host;
	bool (*echo)(void *ctx, const struct modemclient_echo *echo);
	void *ctx;
	bool stopped;			/* by the callback */
	bool ended;
	int err;
	struct modemclient_ping_result *result;
};

void ping_fill_result(struct modemclient_ping_result *to,
		      const Modemd__V1__PingReply *from)
{
	memset(to, 0, sizeof(*to));
	to->sent = from->sent;
	to->received = from->received;
	to->lost = from->lost;
	to->min_ms = from->min_ms;
	to->max_ms = from->max_ms;
	to->avg_ms = from->avg_ms;
	snprintf(to->address, sizeof(to->address), "%s",
		 rows_text(from->address));
}

static struct request *find_request(struct modemclient *mc, uint64_t id)
{
	struct request *r;

	TAILQ_FOREACH(r, &mc->requests, entry) {
		if (r->id == id)
			return r;
	}

	return NULL;
}

/* For the call that waits; it must not be waited in. */
static void tell_call(struct modemclient *mc, struct ping_call *call,
		      uint64_t id, const struct modemclient_echo *echo)
{
	bool more;

	if (!call->echo || call->stopped)
		return;
	mc->dispatching = true;
	more = call->echo(call->ctx, echo);
	mc->dispatching = false;
	if (more)
		return;
	call->stopped = true;
	(void)request_cancel(mc, id);
}

void ping_heard(struct modemclient *mc, const Modemd__V1__PingEcho *ev,
		struct modemclient_event *news)
{
	struct modemclient_echo echo = {
		.seq = ev->seq, .timeout = ev->timeout,
		.address = rows_text(ev->address), .size = ev->size,
		.rtt_ms = ev->rtt_ms, .ttl = ev->ttl,
	};
	struct request *r = find_request(mc, ev->request_id);

	if (!r)		/* it was abandoned */
		return;
	if (r->ping) {
		tell_call(mc, r->ping, r->id, &echo);
		return;
	}
	news->type = MODEMCLIENT_EVENT_PING;
	news->request = ev->request_id;
	news->echo = &echo;
	client_emit(mc, news);
}

static void ping_done(struct modemclient *mc, struct request *r, int err,
		      const Modemd__V1__Reply *reply)
{
	struct ping_call *call = r->ping;

	call->ended = true;
	call->err = err;
	if (reply && reply->result_case == MODEMD__V1__REPLY__RESULT_PING)
		ping_fill_result(call->result, reply->ping);
	else if (!err)
		call->err = client_fail(mc, -EPROTO, "ping: modemd gave "
					"another answer");
	if (!reply)
		client_fail(mc, err, "%s: %s", call->host, mc->down_reason);
	else if (err < 0)
		client_fail_reply(mc, err, call->host, reply);
}

static bool ping_ended(void *ctx)
{
	const struct ping_call *call = ctx;

	return call->ended;
}

/* modemd checks the ranges: it knows its modem. */
static int ping_fill(struct modemclient *mc, Modemd__V1__Ping *ping,
		     Modemd__V1__Request *req,
		     const struct modemclient_ping_options *o)
{
	if (!o->host || !*o->host || strlen(o->host) > 254)
		return client_fail(mc, -EINVAL, "ping: a host has 1 to 253 "
				   "characters");
	ping->has_host = 1;
	ping->host.len = strlen(o->host);
	ping->host.data = (uint8_t *)(uintptr_t)o->host;
	ping->has_count = o->count != 0;
	ping->count = o->count;
	ping->has_size = o->bytes != 0;
	ping->size = o->bytes;
	ping->has_interval_ms = o->interval_ms != 0;
	ping->interval_ms = o->interval_ms;
	ping->has_wait_ms = o->wait_ms != 0;
	ping->wait_ms = o->wait_ms;
	ping->has_ttl = o->ttl != 0;
	ping->ttl = o->ttl;
	ping->has_family = family_fill(o->family, &ping->family);
	req->kind_case = MODEMD__V1__REQUEST__KIND_PING;
	req->ping = ping;

	return 0;
}

static int ping_wait(struct modemclient *mc, struct request *r,
		     struct ping_call *call, int timeout_ms)
{
	int err = client_wait(mc, timeout_ms, ping_ended, call);

	if (call->ended)
		return call->err;
	if (err != -ETIMEDOUT && err != -EAGAIN)
		return err;
	request_abandon(mc, r);
	connection_flush(&mc->conn);

	return client_fail(mc, err, "%s: the ping did not end within %d ms",
			   call->host, timeout_ms);
}

int modemclient_ping(struct modemclient *mc,
		     const struct modemclient_ping_options *opts,
		     int timeout_ms,
		     bool (*echo)(void *ctx,
				  const struct modemclient_echo *echo),
		     void *ctx, struct modemclient_ping_result *out)
{
	struct modemclient_ping_options o = MODEMCLIENT_PING_OPTIONS_INIT;
	Modemd__V1__Ping ping = MODEMD__V1__PING__INIT;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;
	struct ping_call call = { .echo = echo, .ctx = ctx, .result = out };
	struct request *r;
	int err;

	memset(out, 0, sizeof(*out));
	memcpy(&o, opts, opts->size < sizeof(o) ? opts->size : sizeof(o));
	call.host = o.host;
	err = client_may_wait(mc, timeout_ms);
	if (err == 0)
		err = client_check_ready(mc);
	if (err == 0)
		err = ping_fill(mc, &ping, &req, &o);
	if (err < 0)
		return err;
	r = request_new(ping_done);
	if (!r)
		return client_fail(mc, -ENOMEM, "out of memory");
	r->ping = &call;
	err = client_request(mc, &req, r);

	return err < 0 ? err : ping_wait(mc, r, &call, timeout_ms);
}

int modemclient_ping_start(struct modemclient *mc,
			   const struct modemclient_ping_options *opts,
			   uint64_t *request)
{
	struct modemclient_ping_options o = MODEMCLIENT_PING_OPTIONS_INIT;
	Modemd__V1__Ping ping = MODEMD__V1__PING__INIT;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;
	int err;

	memcpy(&o, opts, opts->size < sizeof(o) ? opts->size : sizeof(o));
	err = ping_fill(mc, &ping, &req, &o);

	return err < 0 ? err : client_ask_start(mc, &req, request);
}
