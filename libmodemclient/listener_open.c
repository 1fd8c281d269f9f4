/* SPDX-License-Identifier: MIT */

/* The public life of a listener: listen, policy, close. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "listener.h"

#define CREDIT_MIN	1024
#define CREDIT_MAX	16777216
#define ALLOW_MAX	32
#define LINKS_MAX	10
#define BACKLOG_MAX	3

static int ask_unlisten(struct modemclient *mc, uint64_t id, struct request *r)
{
	Modemd__V1__Unlisten unlisten = MODEMD__V1__UNLISTEN__INIT;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;

	unlisten.has_listener = 1;
	unlisten.listener = id;
	req.kind_case = MODEMD__V1__REQUEST__KIND_UNLISTEN;
	req.unlisten = &unlisten;

	return client_request(mc, &req, r);
}

static void listen_done(struct modemclient *mc, struct request *r, int err,
			const Modemd__V1__Reply *reply)
{
	struct modemclient_listener *l = r->listener;
	uint64_t id = 0;

	if (reply && reply->result_case == MODEMD__V1__REPLY__RESULT_LISTEN)
		id = reply->listen->listener;
	if (!l) {
		if (err == 0 && id)	/* the program gave up */
			(void)ask_unlisten(mc, id, NULL);
		return;
	}
	if (err == 0 && id == 0)
		err = client_fail(mc, -EPROTO, "listen: modemd gave another "
				  "answer");
	else if (err < 0 && reply)
		client_fail_reply(mc, err, "listen", reply);
	else if (err < 0)
		client_fail(mc, err, "listen: %s", mc->down_reason);
	l->id = id;
	l->ended = err < 0;
	l->err = err;
}

static size_t count_allow(const char *const *allow)
{
	size_t n = 0;

	while (allow && allow[n])
		n++;

	return n;
}

static int check_policy(struct modemclient *mc, unsigned int max_links,
			const char *const *allow)
{
	if (max_links > LINKS_MAX)
		return client_fail(mc, -EINVAL, "listen: max_links is 0 to %d",
				   LINKS_MAX);
	if (count_allow(allow) > ALLOW_MAX)
		return client_fail(mc, -EINVAL, "listen: at most %d prefixes "
				   "are allowed", ALLOW_MAX);

	return client_check_ready(mc);
}

static int check_listen(struct modemclient *mc,
			const struct modemclient_listen_options *o)
{
	if (o->port == 0)
		return client_fail(mc, -EINVAL, "listen: a port is 1 to 65535");
	if (o->backlog > BACKLOG_MAX)
		return client_fail(mc, -EINVAL, "listen: a backlog is 1 to %d",
				   BACKLOG_MAX);
	if (o->credit && (o->credit < CREDIT_MIN || o->credit > CREDIT_MAX))
		return client_fail(mc, -EINVAL, "listen: credit is %d to %d",
				   CREDIT_MIN, CREDIT_MAX);

	if (o->verify && !o->tls)
		return client_fail(mc, -EINVAL, "listen: verify is for "
				   "listeners with tls");

	return check_policy(mc, o->max_links, o->allow);
}

/* @out has room for ALLOW_MAX. */
static size_t fill_allow(ProtobufCBinaryData *out, const char *const *allow)
{
	size_t i, n = count_allow(allow);

	for (i = 0; i < n; i++) {
		out[i].len = strlen(allow[i]);
		out[i].data = (uint8_t *)(uintptr_t)allow[i];
	}

	return n;
}

static int ask_listen(struct modemclient_listener *l,
		      const struct modemclient_listen_options *o,
		      struct request *r)
{
	Modemd__V1__Listen listen = MODEMD__V1__LISTEN__INIT;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;
	ProtobufCBinaryData allow[ALLOW_MAX];

	listen.has_port = 1;
	listen.port = o->port;
	listen.has_backlog = o->backlog != 0;
	listen.backlog = o->backlog;
	listen.has_max_links = o->max_links != 0;
	listen.max_links = o->max_links;
	listen.has_idle_timeout_ms = o->idle_timeout_ms != 0;
	listen.idle_timeout_ms = o->idle_timeout_ms;
	listen.has_credit = o->credit != 0;
	listen.credit = o->credit;
	listen.has_wait_ms = 1;
	listen.wait_ms = o->wait_ms;
	listen.n_allow = fill_allow(allow, o->allow);
	listen.allow = allow;
	listen.has_family = family_fill(o->family, &listen.family);
	listen.has_tls = o->tls;
	listen.tls = o->tls;
	listen.has_verify = o->verify;
	listen.verify = o->verify;
	req.kind_case = MODEMD__V1__REQUEST__KIND_LISTEN;
	req.listen = &listen;

	return client_request(l->mc, &req, r);
}

static struct modemclient_listener *
listener_new(struct modemclient *mc, const struct modemclient_listen_options *o)
{
	struct modemclient_listener *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->mc = mc;
	l->port = o->port;
	l->credit = o->credit;
	l->data = o->data;
	TAILQ_INIT(&l->waiting);
	TAILQ_INSERT_TAIL(&mc->listeners, l, entry);

	return l;
}

static bool listens(void *listener)
{
	const struct modemclient_listener *l = listener;

	return l->id != 0 || l->ended;
}

int modemclient_listen(struct modemclient *mc,
		       const struct modemclient_listen_options *opts,
		       int timeout_ms, struct modemclient_listener **out)
{
	struct modemclient_listen_options o = MODEMCLIENT_LISTEN_OPTIONS_INIT;
	struct modemclient_listener *l;
	struct request *r;
	int err = client_may_wait(mc, timeout_ms);

	*out = NULL;
	if (err < 0)
		return err;
	memcpy(&o, opts, opts->size < sizeof(o) ? opts->size : sizeof(o));
	err = check_listen(mc, &o);
	if (err < 0)
		return err;
	r = request_new(listen_done);
	l = r ? listener_new(mc, &o) : NULL;
	if (!l) {
		free(r);
		return client_fail(mc, -ENOMEM, "out of memory");
	}
	r->listener = l;
	err = ask_listen(l, &o, r);
	if (err == 0)
		err = listener_wait(l, timeout_ms, listens);
	if (err == -ETIMEDOUT || err == -EAGAIN) {
		/* modemd need not go on: listen_done() sees to the rest. */
		(void)modemclient_cancel(mc, r->id);
		client_fail(mc, err, "listen: no answer within %d ms",
			    timeout_ms);
	} else if (err == 0) {
		err = l->err;
	}
	if (err < 0) {
		listener_destroy(l);
		return err;
	}
	*out = l;

	return 0;
}

int modemclient_accept_policy(struct modemclient_listener *listener,
			      unsigned int max_links,
			      const char *const *allow, int timeout_ms)
{
	Modemd__V1__AcceptPolicy policy = MODEMD__V1__ACCEPT_POLICY__INIT;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;
	ProtobufCBinaryData list[ALLOW_MAX];
	Modemd__V1__ServerMessage *message;
	int err = check_policy(listener->mc, max_links, allow);

	if (err < 0)
		return err;
	policy.has_listener = 1;
	policy.listener = listener->id;
	policy.has_max_links = 1;
	policy.max_links = max_links;
	policy.has_replace_allow = 1;
	policy.replace_allow = 1;
	policy.n_allow = fill_allow(list, allow);
	policy.allow = list;
	req.kind_case = MODEMD__V1__REQUEST__KIND_ACCEPT_POLICY;
	req.accept_policy = &policy;
	err = client_ask(listener->mc, &req, "accept policy", timeout_ms,
			 &message);
	if (err == 0)
		modemd__v1__server_message__free_unpacked(message, NULL);

	return err;
}

/* ------------------------------------------------------------------- close */

static void unlisten_done(struct modemclient *mc, struct request *r, int err,
			  const Modemd__V1__Reply *reply)
{
	struct modemclient_listener *l = r->listener;

	if (!l)
		return;
	if (err < 0 && reply)
		client_fail_reply(mc, err, "stop listening", reply);
	else if (err < 0)
		client_fail(mc, err, "stop listening: %s", mc->down_reason);
	l->ended = true;
	l->err = err;
}

static bool has_ended(void *listener)
{
	const struct modemclient_listener *l = listener;

	return l->ended;
}

int modemclient_listener_close(struct modemclient_listener *listener,
			       int timeout_ms)
{
	struct modemclient *mc = listener->mc;
	int err = client_may_wait(mc, timeout_ms);
	struct request *r;

	if (err < 0)
		return err;
	if (listener->ended) {
		err = client_fail(mc, listener->err ? listener->err : -EPIPE,
				  "stop listening: the listener has ended");
	} else if (!listener->freed) {
		r = request_new(unlisten_done);
		err = r ? 0 : client_fail(mc, -ENOMEM, "out of memory");
		if (r) {
			r->listener = listener;
			err = ask_unlisten(mc, listener->id, r);
		}
		if (err == 0)
			err = listener_wait(listener, timeout_ms, has_ended);
		if (err < 0)
			client_fail(mc, err, "stop listening to port %u: not "
				    "done within %d ms", listener->port,
				    timeout_ms);
		else
			err = listener->err;
	}
	if (listener->waits)
		listener->freed = true;
	else
		listener_destroy(listener);
	connection_flush(&mc->conn);

	return err;
}
