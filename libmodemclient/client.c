/* SPDX-License-Identifier: MIT */

#include "client.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "event.h"
#include "link.h"
#include "listener.h"

#define BACKOFF_MIN_MS	100
#define BACKOFF_MAX_MS	5000
#define STEP_BYTES_MAX	262144	/* read in one step: others want to run too */

int64_t client_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);

	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void client_emit(struct modemclient *mc, struct modemclient_event *ev)
{
	struct timespec ts;

	if (!mc->event)
		return;

	if (!ev->wall_ms) {
		clock_gettime(CLOCK_REALTIME, &ts);
		ev->wall_ms = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
		ev->mono_ms = client_now_ms();
	}
	ev->client = mc;
	ev->reason = ev->reason ? ev->reason : "";
	ev->state = ev->state ? ev->state : "";
	ev->address = ev->address ? ev->address : "";
	mc->dispatching = true;
	mc->event(mc->ctx, ev);
	mc->dispatching = false;
}

const Modemd__V1__HelloReply *client_hello(const struct modemclient *mc)
{
	return mc->hello ? mc->hello->reply->hello : NULL;
}

/* All that waited ends here; the links too: they do not outlive modemd. */
static void client_end_all(struct modemclient *mc)
{
	int err = mc->down_err == -EPROTO ? -EPROTO : -ENOTCONN;
	struct modemclient_link *l;
	struct request *r;

	while ((r = TAILQ_FIRST(&mc->requests))) {
		TAILQ_REMOVE(&mc->requests, r, entry);
		r->done(mc, r, err, NULL);
		free(r);
	}
	listeners_end(mc, err);
again:
	/* From the start after each: the callback may have freed any link. */
	TAILQ_FOREACH(l, &mc->links, entry) {
		if (l->state != LINK_CLOSED) {
			link_end(l, err, mc->down_reason, NULL);
			goto again;
		}
	}
}

static void client_down(struct modemclient *mc, int err, const char *reason)
{
	struct modemclient_event ev = {
		.type = MODEMCLIENT_EVENT_DISCONNECTED,
		.err = err,
	};
	bool was_ready = mc->state == CLIENT_READY;

	mc->state = CLIENT_DOWN;
	mc->down_err = err;
	snprintf(mc->down_reason, sizeof(mc->down_reason), "%s", reason);
	connection_close(&mc->conn);
	if (mc->hello)
		modemd__v1__server_message__free_unpacked(mc->hello, NULL);
	mc->hello = NULL;

	if (was_ready)
		mc->backoff_ms = BACKOFF_MIN_MS;
	mc->due_mono_ms = client_now_ms() + mc->backoff_ms;
	mc->backoff_ms = mc->backoff_ms * 2 < BACKOFF_MAX_MS ?
		mc->backoff_ms * 2 : BACKOFF_MAX_MS;

	client_end_all(mc);
	if (was_ready) {
		ev.reason = mc->down_reason;
		client_emit(mc, &ev);
	}
}

static void client_resubscribe(struct modemclient *mc)
{
	int err = modemclient_subscribe(mc, mc->subscribed, 0);

	/* Out of memory: nothing but a new attempt helps. */
	if (err < 0)
		mc->conn.out_err = err;
}

static void hello_done(struct modemclient *mc, struct request *r, int err,
		       const Modemd__V1__Reply *reply)
{
	struct modemclient_event ev = { .type = MODEMCLIENT_EVENT_CONNECTED };

	(void)r;
	if (!reply)
		return;
	if (err == 0 && reply->result_case != MODEMD__V1__REPLY__RESULT_HELLO)
		err = client_fail(mc, -EPROTO, "modemd gave no greeting");
	else if (err == 0 && reply->hello->protocol_version !=
		 WIRE_PROTOCOL_VERSION)
		err = client_fail(mc, -EPROTONOSUPPORT,
				  "modemd speaks version %u of the protocol, "
				  "this library version %d",
				  reply->hello->protocol_version,
				  WIRE_PROTOCOL_VERSION);
	else if (err < 0)
		client_fail_reply(mc, err, "hello", reply);
	if (err < 0) {
		client_down(mc, err, mc->error);
		return;
	}

	mc->hello = mc->message;
	mc->message = NULL;
	mc->state = CLIENT_READY;
	mc->backoff_ms = BACKOFF_MIN_MS;
	if (mc->subscribed)
		client_resubscribe(mc);
	if (mc->greeted)
		client_emit(mc, &ev);
	mc->greeted = true;
}

/* One attempt to connect and to greet; -EAGAIN: modemd's backlog is full. */
static int client_start(struct modemclient *mc)
{
	Modemd__V1__Hello hello = MODEMD__V1__HELLO__INIT;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;
	struct request *r;
	int err = connection_open(&mc->conn, mc->path);

	if (err == -ENOENT || err == -ECONNREFUSED)
		client_fail(mc, err, "modemd is not running: %s %s",
			    err == -ENOENT ? "there is no socket" :
			    "nobody listens on", mc->path);
	else if (err < 0)
		client_fail(mc, err, "cannot connect to modemd at %s: %s",
			    mc->path, strerror(-err));
	if (err < 0)
		return err;

	hello.has_client_name = 1;
	hello.client_name.len = strlen(mc->name);
	hello.client_name.data = (uint8_t *)mc->name;
	hello.has_protocol_version = 1;
	hello.protocol_version = WIRE_PROTOCOL_VERSION;
	req.kind_case = MODEMD__V1__REQUEST__KIND_HELLO;
	req.hello = &hello;
	mc->state = CLIENT_HELLO;
	mc->due_mono_ms = client_now_ms() + mc->timeout_ms;

	r = request_new(hello_done);
	if (!r)
		return client_fail(mc, -ENOMEM, "out of memory");

	return client_request(mc, &req, r);
}

static void client_reconnect(struct modemclient *mc)
{
	int err = client_start(mc);

	if (err < 0)
		client_down(mc, err, mc->error);
}

static int client_handle_reply(struct modemclient *mc,
			       const Modemd__V1__Reply *reply)
{
	struct request *r;

	/* Nearly always the first: modemd answers in order but for the slow. */
	TAILQ_FOREACH(r, &mc->requests, entry) {
		if (r->id == reply->request_id)
			break;
	}
	if (!r || !reply->has_request_id)
		return 0;

	TAILQ_REMOVE(&mc->requests, r, entry);
	r->done(mc, r, wire_errno(reply->status), reply);
	free(r);

	return 0;
}

static int client_handle_frame(struct modemclient *mc, const uint8_t *frame,
			       size_t len)
{
	int err = 0;

	mc->message = modemd__v1__server_message__unpack(NULL, len, frame);
	if (!mc->message)
		return -EPROTO;
	switch (mc->message->kind_case) {
	case MODEMD__V1__SERVER_MESSAGE__KIND_REPLY:
		err = client_handle_reply(mc, mc->message->reply);
		break;
	case MODEMD__V1__SERVER_MESSAGE__KIND_EVENT:
		if (mc->state == CLIENT_READY)
			err = event_handle(mc, mc->message->event);
		break;
	case MODEMD__V1__SERVER_MESSAGE__KIND__NOT_SET:
	case _MODEMD__V1__SERVER_MESSAGE__KIND__CASE_IS_INT_SIZE:
		break;
	}
	if (mc->message)
		modemd__v1__server_message__free_unpacked(mc->message, NULL);
	mc->message = NULL;

	return err;
}

static int client_handle_input(struct modemclient *mc)
{
	const uint8_t *frame;
	size_t len;
	int ret;

	while (mc->state != CLIENT_DOWN) {
		ret = connection_next(&mc->conn, &frame, &len);
		if (ret == 0)
			return 0;
		if (ret < 0)
			return -EPROTO;
		ret = client_handle_frame(mc, frame, len);
		if (ret < 0)
			return ret;
	}

	return 0;
}

static void client_io(struct modemclient *mc)
{
	size_t total = 0;
	int ret = 1;

	connection_flush(&mc->conn);
	while (mc->state != CLIENT_DOWN && ret > 0 && total < STEP_BYTES_MAX) {
		ret = connection_fill(&mc->conn);
		if (ret > 0) {
			int err = client_handle_input(mc);

			total += (size_t)ret;
			ret = err < 0 ? err : ret;
		}
	}
	connection_flush(&mc->conn);
	if (mc->state == CLIENT_DOWN)
		return;

	/* What modemd said before it went has been read by now. */
	if (ret == 0 && mc->conn.out_err)
		ret = -ENOTCONN;
	if (ret == -EPROTO)
		client_down(mc, -EPROTO, modemclient_strerror(-EPROTO));
	else if (ret == -ENOMEM)
		client_down(mc, -ENOMEM, "out of memory");
	else if (ret < 0)
		client_down(mc, -ENOTCONN, "modemd closed the connection");
}

static int min_timeout(int a, int b)
{
	if (a < 0 || b < 0)
		return a < 0 ? b : a;

	return a < b ? a : b;
}

int client_step(struct modemclient *mc, int timeout_ms)
{
	struct pollfd p = {
		.fd = modemclient_get_fd(mc),
		.events = modemclient_get_events(mc),
	};

	/* A signal only makes the step end early. */
	if (timeout_ms > 0 && (mc->state != CLIENT_DOWN || mc->reconnect))
		poll(&p, 1, min_timeout(timeout_ms,
					modemclient_get_timeout_ms(mc)));

	if (mc->state == CLIENT_DOWN && mc->reconnect &&
	    client_now_ms() >= mc->due_mono_ms)
		client_reconnect(mc);
	if (mc->state != CLIENT_DOWN)
		client_io(mc);
	if (mc->state == CLIENT_HELLO && client_now_ms() >= mc->due_mono_ms)
		client_down(mc, -ETIMEDOUT, "modemd does not answer");

	if (mc->state == CLIENT_DOWN && !mc->reconnect)
		return client_fail(mc, mc->down_err, "%s", mc->down_reason);

	return 0;
}

int client_wait(struct modemclient *mc, int timeout_ms,
		bool (*done)(void *ctx), void *ctx)
{
	int64_t deadline = client_now_ms() + timeout_ms;
	int64_t left = timeout_ms;
	int err;

	/* What is there already counts, also with a deadline of now. */
	if (!mc->dispatching)
		client_step(mc, 0);
	for (;;) {
		if (done(ctx))
			return 0;
		if (left <= 0)
			return timeout_ms == 0 ? -EAGAIN : -ETIMEDOUT;
		err = client_step(mc, (int)left);
		if (err < 0)
			return done(ctx) ? 0 : err;
		left = deadline - client_now_ms();
	}
}

static bool greeting_over(void *ctx)
{
	const struct modemclient *mc = ctx;

	return mc->state != CLIENT_HELLO;
}

int client_connect(struct modemclient *mc)
{
	int64_t deadline = client_now_ms() + mc->timeout_ms;
	int err;

	while ((err = client_start(mc)) == -EAGAIN &&
	       client_now_ms() < deadline)
		poll(NULL, 0, 10);
	if (err == -EAGAIN)
		return client_fail(mc, -ETIMEDOUT,
				   "modemd does not accept connections");
	if (err < 0)
		return err;

	/* The hello has its own deadline; this one only ends the loop. */
	err = client_wait(mc, INT_MAX, greeting_over, mc);
	if (err == 0 && mc->state == CLIENT_DOWN)
		err = mc->down_err;

	return err < 0 ? client_fail(mc, err, "%s", mc->down_reason) : 0;
}
