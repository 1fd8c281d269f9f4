/* SPDX-License-Identifier: MIT */

/* Requests, their replies, and the sentences of errors. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "client.h"

/* A call that waits for a reply: on its stack, known to the request. */
struct answer {
	bool ended;
	int err;
	Modemd__V1__ServerMessage *message;	/* NULL: connection lost */
};

int client_fail(struct modemclient *mc, int err, const char *fmt, ...)
{
	char text[CLIENT_ERROR_MAX];	/* an argument may be mc->error */
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(mc->error, sizeof(mc->error), "%s", text);

	return err;
}

int client_fail_reply(struct modemclient *mc, int err, const char *what,
		      const Modemd__V1__Reply *reply)
{
	const char *message = reply->message && *reply->message ?
		reply->message : modemclient_strerror(err);

	if (reply->modem_text && *reply->modem_text)
		return client_fail(mc, err, "%s: %s (the modem: %s)", what,
				   message, reply->modem_text);

	return client_fail(mc, err, "%s: %s", what, message);
}

int client_may_wait(struct modemclient *mc, int timeout_ms)
{
	if (timeout_ms < 0)
		return client_fail(mc, -EINVAL, "a deadline of %d ms: nothing "
				   "waits for ever", timeout_ms);
	if (timeout_ms > 0 && mc->dispatching)
		return client_fail(mc, -EDEADLK, "a call that waits, made from "
				   "the event callback");

	return 0;
}

int client_check_ready(struct modemclient *mc)
{
	if (mc->state == CLIENT_READY)
		return 0;

	return client_fail(mc, -ENOTCONN, "not connected to modemd: %s",
			   mc->down_reason);
}

struct request *request_new(void (*done)(struct modemclient *mc,
					 struct request *r, int err,
					 const Modemd__V1__Reply *reply))
{
	struct request *r = calloc(1, sizeof(*r));

	if (r)
		r->done = done;

	return r;
}

int client_request(struct modemclient *mc, Modemd__V1__Request *req,
		   struct request *r)
{
	int err;

	req->has_id = 1;
	req->id = ++mc->last_id;
	err = connection_queue(&mc->conn, &req->base);
	if (err < 0) {
		free(r);
		return client_fail(mc, err, "%s", modemclient_strerror(err));
	}
	if (r) {
		r->id = req->id;
		TAILQ_INSERT_TAIL(&mc->requests, r, entry);
	}

	return 0;
}

static void answer_done(struct modemclient *mc, struct request *r, int err,
			const Modemd__V1__Reply *reply)
{
	r->answer->ended = true;
	r->answer->err = err;
	if (reply) {
		r->answer->message = mc->message;
		mc->message = NULL;
	}
}

static bool answer_ended(void *ctx)
{
	const struct answer *answer = ctx;

	return answer->ended;
}

int request_cancel(struct modemclient *mc, uint64_t id)
{
	Modemd__V1__Cancel cancel = MODEMD__V1__CANCEL__INIT;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;

	cancel.has_request_id = 1;
	cancel.request_id = id;
	req.kind_case = MODEMD__V1__REQUEST__KIND_CANCEL;
	req.cancel = &cancel;

	return client_request(mc, &req, NULL);
}

void request_abandon(struct modemclient *mc, struct request *r)
{
	TAILQ_REMOVE(&mc->requests, r, entry);
	request_cancel(mc, r->id);
	free(r);
}

int client_ask_any(struct modemclient *mc, Modemd__V1__Request *req,
		   const char *what, int timeout_ms,
		   Modemd__V1__ServerMessage **out)
{
	struct answer answer = { 0 };
	struct request *r;
	int err = client_may_wait(mc, timeout_ms);

	*out = NULL;
	if (err == 0)
		err = client_check_ready(mc);
	if (err < 0)
		return err;
	r = request_new(answer_done);
	if (!r)
		return client_fail(mc, -ENOMEM, "out of memory");
	r->answer = &answer;
	err = client_request(mc, req, r);
	if (err < 0)
		return err;

	err = client_wait(mc, timeout_ms, answer_ended, &answer);
	if (err == -ETIMEDOUT || err == -EAGAIN) {
		request_abandon(mc, r);
		return client_fail(mc, err, "%s: no answer within %d ms", what,
				   timeout_ms);
	}
	if (!answer.message)
		return client_fail(mc, answer.err, "%s: %s", what,
				   mc->down_reason);
	if (answer.err < 0)
		client_fail_reply(mc, answer.err, what, answer.message->reply);
	*out = answer.message;

	return answer.err;
}

int client_ask(struct modemclient *mc, Modemd__V1__Request *req,
	       const char *what, int timeout_ms,
	       Modemd__V1__ServerMessage **out)
{
	int err = client_ask_any(mc, req, what, timeout_ms, out);

	if (err < 0 && *out)
		modemd__v1__server_message__free_unpacked(*out, NULL);

	return err;
}

int modemclient_cancel(struct modemclient *mc, uint64_t request)
{
	struct request *r;
	int err = client_check_ready(mc);

	if (err < 0)
		return err;
	TAILQ_FOREACH(r, &mc->requests, entry) {
		if (r->id == request)
			return request_cancel(mc, request);
	}

	return client_fail(mc, -ENOENT, "no such request, or it has ended");
}
