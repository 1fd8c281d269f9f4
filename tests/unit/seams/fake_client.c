/* SPDX-License-Identifier: MIT */

#include <assert.h>
#include <errno.h>
#include <protobuf-c/protobuf-c.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "fake_client.h"
#include "fake_timer.h"
#include "fake_world.h"
#include "wire.h"

struct frame {
	TAILQ_ENTRY(frame) entry;
	size_t len;
	uint8_t bytes[];
};

TAILQ_HEAD(frames, frame);

struct client_conn {
	LIST_ENTRY(client_conn) entry;
	struct client_listener *listener;	/* NULL: freed before */
	void *client;
	struct timer *end;
	struct frames up;		/* not yet read by the daemon */
	struct frames down;		/* of these the newest are queued */
	size_t queued;
	bool hold, paused, closing, gone;
	const char *reason;
};

struct client_listener {
	LIST_HEAD(, client_conn) conns;
	const struct client_ops *ops;
	void *ctx;
	struct timers *timers;
	struct fake_world *world;
	bool paused;
};

static void put(struct frames *list, const void *bytes, size_t len)
{
	struct frame *f = malloc(sizeof(*f) + len);

	f->len = len;
	if (len > 0)
		memcpy(f->bytes, bytes, len);
	TAILQ_INSERT_TAIL(list, f, entry);
}

static void drop_all(struct frames *list)
{
	struct frame *f;

	while ((f = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, f, entry);
		free(f);
	}
}

/* ----------------------------------------------------- for the broker */

int client_listen(struct timers *ts, const struct config_ipc *set,
		  const struct client_ops *ops, void *ctx,
		  struct client_listener **out)
{
	struct client_listener *l = calloc(1, sizeof(*l));

	(void)set;
	if (!l)
		return -ENOMEM;
	LIST_INIT(&l->conns);
	l->ops = ops;
	l->ctx = ctx;
	l->timers = ts;
	l->world = fake_timers_world(ts);
	if (l->world)
		l->world->listener = l;
	*out = l;

	return 0;
}

static void end(struct client_conn *c)
{
	if (c->gone)
		return;
	c->gone = true;
	drop_all(&c->up);
	timer_stop(c->end);
	if (c->client)
		c->listener->ops->gone(c->client, c->reason);
	c->client = NULL;
}

static void on_end(void *ctx)
{
	end(ctx);
}

void client_listener_free(struct client_listener *l)
{
	struct client_conn *c;

	if (!l)
		return;
	while ((c = LIST_FIRST(&l->conns))) {
		if (!c->reason)
			c->reason = "stopped";
		end(c);
		LIST_REMOVE(c, entry);
		timer_free(c->end);
		c->end = NULL;
		c->listener = NULL;
	}
	if (l->world && l->world->listener == l)
		l->world->listener = NULL;
	free(l);
}

void client_listener_pause(struct client_listener *l, bool pause)
{
	l->paused = pause;
}

static void read_on(struct client_conn *c)
{
	struct frame *f;

	while (!c->closing && !c->gone && !c->paused &&
	       (f = TAILQ_FIRST(&c->up))) {
		TAILQ_REMOVE(&c->up, f, entry);
		c->listener->ops->frame(c->client, f->bytes, f->len);
		free(f);
	}
}

int client_send(struct client_conn *c, const struct ProtobufCMessage *msg)
{
	size_t len = protobuf_c_message_get_packed_size(msg);
	uint8_t *bytes;

	assert(!c->gone);
	if (len > WIRE_FRAME_MAX)
		return -EMSGSIZE;
	if (c->closing)
		return 0;
	bytes = malloc(len ? len : 1);
	protobuf_c_message_pack(msg, bytes);
	put(&c->down, bytes, len);
	free(bytes);
	if (c->hold)
		c->queued += len + WIRE_HEADER_MAX;

	return 0;
}

size_t client_queued(const struct client_conn *c)
{
	return c->queued;
}

void client_pause(struct client_conn *c)
{
	if (!c->closing && c->queued > 0)
		c->paused = true;
}

void client_close(struct client_conn *c, const char *reason)
{
	if (c->closing)
		return;
	c->closing = true;
	c->reason = reason;
	drop_all(&c->up);
	timer_start(c->end, c->queued > 0 ? 1000 : 0);
}

/* --------------------------------------------------------- for the test */

struct client_conn *fake_client_connect(struct client_listener *l,
					const struct client_creds *creds)
{
	struct client_conn *c;

	if (l->paused)
		return NULL;
	c = calloc(1, sizeof(*c));
	c->listener = l;
	TAILQ_INIT(&c->up);
	TAILQ_INIT(&c->down);
	c->end = timer_new(l->timers, on_end, c);
	LIST_INSERT_HEAD(&l->conns, c, entry);
	c->client = l->ops->accepted(l->ctx, c, creds);
	if (c->client)
		return c;
	c->gone = true;
	fake_client_free(c);

	return NULL;
}

void fake_client_free(struct client_conn *c)
{
	if (!c)
		return;
	fake_client_disconnect(c);
	drop_all(&c->up);
	drop_all(&c->down);
	if (c->listener)
		LIST_REMOVE(c, entry);
	timer_free(c->end);
	free(c);
}

bool fake_client_send_bytes(struct client_conn *c, const void *frame,
			    size_t len)
{
	if (c->closing || c->gone)
		return false;
	put(&c->up, frame, len);
	read_on(c);

	return TAILQ_EMPTY(&c->up);
}

bool fake_client_send(struct client_conn *c,
		      const Modemd__V1__Request *request)
{
	size_t len = modemd__v1__request__get_packed_size(request);
	uint8_t *bytes = malloc(len ? len : 1);
	bool taken;

	modemd__v1__request__pack(request, bytes);
	taken = fake_client_send_bytes(c, bytes, len);
	free(bytes);

	return taken;
}

Modemd__V1__ServerMessage *fake_client_next(struct client_conn *c)
{
	struct frame *f = TAILQ_FIRST(&c->down);
	Modemd__V1__ServerMessage *msg;

	if (!f || c->hold)
		return NULL;
	TAILQ_REMOVE(&c->down, f, entry);
	msg = modemd__v1__server_message__unpack(NULL, f->len, f->bytes);
	assert(msg);
	free(f);

	return msg;
}

size_t fake_client_waiting(const struct client_conn *c)
{
	const struct frame *f;
	size_t n = 0;

	TAILQ_FOREACH(f, &c->down, entry)
		n++;

	return n;
}

void fake_client_hold(struct client_conn *c, bool hold)
{
	c->hold = hold;
	if (hold)
		return;
	c->queued = 0;
	c->paused = false;
	if (c->closing && !c->gone)
		timer_start(c->end, 0);
	else
		read_on(c);
}

void fake_client_disconnect(struct client_conn *c)
{
	if (c->gone)
		return;
	if (!c->closing)
		c->reason = "disconnected";
	c->closing = true;
	end(c);
}

const char *fake_client_closed(const struct client_conn *c)
{
	return c->closing ? c->reason : NULL;
}

bool fake_client_gone(const struct client_conn *c)
{
	return c->gone;
}

bool fake_client_paused(const struct client_conn *c)
{
	return c->paused;
}

bool fake_client_listening(const struct client_listener *l)
{
	return !l->paused;
}
