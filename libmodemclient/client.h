/* SPDX-License-Identifier: MIT */

/*
 * client - one program's connection: hello, requests and their replies,
 * waiting with a deadline, reconnecting.
 *
 * Rule: only client_step() tears the connection down and runs callbacks;
 * everything else queues, and leaves faults for it to find. So a callback may
 * call nearly everything.
 *
 * Called by: link, listener, query, event.   Calls: connection, event, wire.
 */

#ifndef MODEMCLIENT_CLIENT_H
#define MODEMCLIENT_CLIENT_H

#include <stdarg.h>
#include <sys/queue.h>

#include "connection.h"
#include "modemclient.h"

#define CLIENT_ERROR_MAX	512	/* bytes of a sentence */
#define CLIENT_OUT_MAX		262144	/* unsent bytes: writes wait above */

enum client_state { CLIENT_DOWN, CLIENT_HELLO, CLIENT_READY };

/* A request that waits for its reply. */
struct request {
	TAILQ_ENTRY(request) entry;
	uint64_t id;
	/*
	 * Ends the request, which is freed afterwards. @reply is NULL when the
	 * connection was lost (@err says why), else @err is its status.
	 */
	void (*done)(struct modemclient *mc, struct request *r, int err,
		     const Modemd__V1__Reply *reply);
	struct modemclient_link *link;	/* NULL: none, or freed meanwhile */
	struct modemclient_listener *listener;	/* the same */
	uint32_t epoch;
	size_t bytes;
	struct answer *answer;		/* of a call that waits */
	struct ping_call *ping;		/* the same, of a ping */
};

TAILQ_HEAD(request_list, request);
TAILQ_HEAD(link_list, modemclient_link);
TAILQ_HEAD(listener_list, modemclient_listener);

struct modemclient {
	struct connection conn;
	enum client_state state;
	int down_err;			/* why it is down */
	char down_reason[CLIENT_ERROR_MAX];
	char error[CLIENT_ERROR_MAX];	/* modemclient_error() */

	char *path;
	char *name;
	uint32_t timeout_ms;
	bool reconnect;
	modemclient_event_fn event;
	void *ctx;
	bool dispatching;		/* the callback runs */
	bool greeted;			/* connected once: report losses */

	Modemd__V1__ServerMessage *hello;	/* owns the HelloReply */
	int64_t due_mono_ms;		/* of the hello, or the next try */
	uint32_t backoff_ms;
	unsigned int subscribed;

	Modemd__V1__ServerMessage *message;	/* being handled */
	uint64_t last_id;
	struct request_list requests;
	struct link_list links;
	struct listener_list listeners;
};

/* The HelloReply; NULL while down. */
const Modemd__V1__HelloReply *client_hello(const struct modemclient *mc);

int64_t client_now_ms(void);

/* The first connect of @mc, within its timeout. */
int client_connect(struct modemclient *mc);

/* Sets the sentence and returns @err. */
__attribute__((format(printf, 3, 4)))
int client_fail(struct modemclient *mc, int err, const char *fmt, ...);

/* The sentence of a reply that is not OK: "WHAT: message (modem_text)". */
int client_fail_reply(struct modemclient *mc, int err, const char *what,
		      const Modemd__V1__Reply *reply);

/* -EINVAL for a bad deadline, -EDEADLK in the callback, else 0. */
int client_may_wait(struct modemclient *mc, int timeout_ms);

/* 0, or -ENOTCONN with a sentence. */
int client_check_ready(struct modemclient *mc);

/*
 * Queues @req under a new id. @r (NULL: the reply does not matter) is owned
 * from now on, also on error.
 */
int client_request(struct modemclient *mc, Modemd__V1__Request *req,
		   struct request *r);
struct request *request_new(void (*done)(struct modemclient *mc,
					 struct request *r, int err,
					 const Modemd__V1__Reply *reply));

/* Asks and waits; *@out is freed by modemd__v1__server_message__free_unpacked.
 * @what begins the sentence of an error. */
int client_ask(struct modemclient *mc, Modemd__V1__Request *req,
	       const char *what, int timeout_ms,
	       Modemd__V1__ServerMessage **out);

/* The same, and *@out is there also with an error that modemd replied; NULL:
 * no reply came. */
int client_ask_any(struct modemclient *mc, Modemd__V1__Request *req,
		   const char *what, int timeout_ms,
		   Modemd__V1__ServerMessage **out);

/* The same for a reply of one kind: -EPROTO when it is another. */
int client_ask_for(struct modemclient *mc, Modemd__V1__Request *req,
		   const char *what, Modemd__V1__Reply__ResultCase result,
		   int timeout_ms, Modemd__V1__ServerMessage **out);

/* The same without waiting: the event REPLY ends it. */
int client_ask_start(struct modemclient *mc, Modemd__V1__Request *req,
		     uint64_t *request);

/* Asks modemd not to go on; its reply still comes. */
int request_cancel(struct modemclient *mc, uint64_t id);
/* The same, and a late reply is ignored. Frees @r. */
void request_abandon(struct modemclient *mc, struct request *r);

/* family.c. False: nothing is to be said; what is unknown is any. */
bool family_fill(enum modemclient_family family, Modemd__V1__Family *out);
enum modemclient_family family_of(Modemd__V1__Family family);

/* ping.c */
void ping_heard(struct modemclient *mc, const Modemd__V1__PingEcho *ev,
		struct modemclient_event *news);
void ping_fill_result(struct modemclient_ping_result *to,
		      const Modemd__V1__PingReply *from);

/* Input, output, reconnecting; waits up to @timeout_ms for something to do. */
int client_step(struct modemclient *mc, int timeout_ms);

/* Steps until @done(@ctx): 0, -ETIMEDOUT, or -ENOTCONN for good. */
int client_wait(struct modemclient *mc, int timeout_ms,
		bool (*done)(void *ctx), void *ctx);

/* Runs the callback. The link of @ev may be gone when this returns. */
void client_emit(struct modemclient *mc, struct modemclient_event *ev);

#endif
