/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <grp.h>
#include <protobuf-c/protobuf-c.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/config.h"
#include "base/log.h"
#include "base/timer.h"
#include "broker/client.h"
#include "broker/creds.h"
#include "broker/socket_file.h"
#include "wire.h"

#define LINGER_MS	1000	/* to send what is queued at the end */
#define ACCEPT_PAUSE_MS	1000	/* when descriptors have run out */
#define ADMIN_GROUP	"modem-admin"

struct client_conn {
	LIST_ENTRY(client_conn) entry;
	struct client_listener *listener;
	struct bufferevent *bev;
	void *client;			/* the broker's; NULL: refused */
	struct timer *end;		/* lets it go, from the loop */
	bool closing;
	const char *reason;		/* a literal */
};

struct client_listener {
	const struct client_ops *ops;
	void *ctx;
	struct timers *timers;
	const struct config_ipc *set;
	struct evconnlistener *evl;
	struct timer *resume;
	LIST_HEAD(, client_conn) conns;
	struct socket_file file;
	bool have_admin_group;
	gid_t admin_group;
};

/* ---------------------------------------------------------- one connection */

static void conn_free(struct client_conn *c)
{
	LIST_REMOVE(c, entry);
	bufferevent_free(c->bev);
	timer_free(c->end);
	free(c);
}

static void on_end(void *ctx)
{
	struct client_conn *c = ctx;
	struct client_listener *l = c->listener;
	const char *reason = c->reason;
	void *client = c->client;

	conn_free(c);
	if (client)
		l->ops->gone(client, reason);
}

/* @linger_ms 0: when the loop is next at rest. */
static void end_conn(struct client_conn *c, const char *reason,
		     uint32_t linger_ms)
{
	if (!c->closing)
		c->reason = reason;
	c->closing = true;
	bufferevent_disable(c->bev, EV_READ);
	timer_start(c->end, linger_ms);
}

void client_close(struct client_conn *c, const char *reason)
{
	bool empty = client_queued(c) == 0;

	if (!c->closing)
		end_conn(c, reason, empty ? 0 : LINGER_MS);
}

void client_pause(struct client_conn *c)
{
	if (!c->closing)
		bufferevent_disable(c->bev, EV_READ);
}

size_t client_queued(const struct client_conn *c)
{
	return evbuffer_get_length(bufferevent_get_output(c->bev));
}

/* Packed where it will be sent from: the one copy of a byte on its way up. */
int client_send(struct client_conn *c, const struct ProtobufCMessage *msg)
{
	size_t len = protobuf_c_message_get_packed_size(msg);
	struct evbuffer *out = bufferevent_get_output(c->bev);
	struct evbuffer_iovec v;
	uint8_t *at;
	size_t head;

	if (len > WIRE_FRAME_MAX)
		return -EMSGSIZE;
	if (c->closing)
		return 0;
	if (evbuffer_reserve_space(out, (ev_ssize_t)(len + WIRE_HEADER_MAX),
				   &v, 1) != 1)
		return -ENOMEM;

	at = v.iov_base;
	head = wire_put_length(len, at);
	protobuf_c_message_pack(msg, at + head);
	v.iov_len = head + len;

	return evbuffer_commit_space(out, &v, 1) ? -ENOMEM : 0;
}

/* True when a whole frame was handed up. */
static bool take_frame(struct client_conn *c, struct evbuffer *in)
{
	size_t have = evbuffer_get_length(in), len = 0;
	uint8_t head[WIRE_HEADER_MAX];
	ev_ssize_t n;
	int used;

	n = evbuffer_copyout(in, head, sizeof(head));
	used = wire_get_length(head, n > 0 ? (size_t)n : 0, &len);
	if (used < 0) {
		end_conn(c, "a frame is longer than 64 KiB", 0);
		return false;
	}
	if (used == 0 || have < (size_t)used + len)
		return false;

	evbuffer_drain(in, (size_t)used);
	c->listener->ops->frame(c->client, len ? evbuffer_pullup(in,
				(ev_ssize_t)len) : head, len);
	evbuffer_drain(in, len);

	return true;
}

static void on_read(struct bufferevent *bev, void *ctx)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct client_conn *c = ctx;

	while (!c->closing && (bufferevent_get_enabled(bev) & EV_READ) &&
	       take_frame(c, in))
		;
}

/* Output is empty: the end of a connection that lingers, or reading on. */
static void on_written(struct bufferevent *bev, void *ctx)
{
	struct client_conn *c = ctx;

	if (c->closing) {
		timer_start(c->end, 0);
		return;
	}
	if (!(bufferevent_get_enabled(bev) & EV_READ)) {
		bufferevent_enable(bev, EV_READ);
		bufferevent_trigger(bev, EV_READ, BEV_TRIG_DEFER_CALLBACKS);
	}
}

static void on_event(struct bufferevent *bev, short what, void *ctx)
{
	struct client_conn *c = ctx;

	(void)bev;
	end_conn(c, what & BEV_EVENT_EOF ? "disconnected" :
		 "connection failed", 0);
}

/* ---------------------------------------------------------------- accepting */

static struct client_conn *conn_new(struct client_listener *l, int fd)
{
	struct client_conn *c;

	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;

	c->listener = l;
	c->end = timer_new(l->timers, on_end, c);
	c->bev = c->end ? bufferevent_socket_new(timers_base(l->timers), fd,
						 BEV_OPT_CLOSE_ON_FREE) : NULL;
	if (!c->bev) {
		timer_free(c->end);
		free(c);
		return NULL;
	}
	LIST_INSERT_HEAD(&l->conns, c, entry);
	bufferevent_setcb(c->bev, on_read, on_written, on_event, c);
	/* One frame and its header: more waits in the socket. */
	bufferevent_setwatermark(c->bev, EV_READ, 0,
				 WIRE_FRAME_MAX + WIRE_HEADER_MAX);

	return c;
}

static void on_accept(struct evconnlistener *evl, int fd,
		      struct sockaddr *addr, int len, void *ctx)
{
	struct client_listener *l = ctx;
	struct client_creds creds;
	struct client_conn *c;

	(void)evl;
	(void)addr;
	(void)len;
	if (creds_read(fd, l->have_admin_group ? &l->admin_group : NULL,
		       &creds) || !(c = conn_new(l, fd))) {
		close(fd);
		return;
	}
	c->client = l->ops->accepted(l->ctx, c, &creds);
	if (c->client)
		bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	else
		conn_free(c);
}

/* EMFILE and the like: rest instead of spinning. */
static void on_accept_error(struct evconnlistener *evl, void *ctx)
{
	struct client_listener *l = ctx;

	log_warn("ipc: cannot accept: %s", strerror(EVUTIL_SOCKET_ERROR()));
	evconnlistener_disable(evl);
	timer_start(l->resume, ACCEPT_PAUSE_MS);
}

static void on_resume(void *ctx)
{
	struct client_listener *l = ctx;

	evconnlistener_enable(l->evl);
}

void client_listener_pause(struct client_listener *l, bool pause)
{
	if (pause)
		evconnlistener_disable(l->evl);
	else
		evconnlistener_enable(l->evl);
}

/* ---------------------------------------------------------------- listening */

static int start_listening(struct client_listener *l)
{
	struct group *gr = getgrnam(ADMIN_GROUP);
	int fd = -1, err;

	l->have_admin_group = gr;
	if (gr)
		l->admin_group = gr->gr_gid;
	l->resume = timer_new(l->timers, on_resume, l);
	if (!l->resume)
		return -ENOMEM;
	err = socket_file_bind(&l->file, l->set, &fd);
	if (err)
		return err;

	l->evl = evconnlistener_new(timers_base(l->timers), on_accept, l,
				    LEV_OPT_CLOSE_ON_FREE |
				    LEV_OPT_CLOSE_ON_EXEC, 64, fd);
	if (!l->evl) {
		close(fd);
		return -ENOMEM;
	}
	evconnlistener_set_error_cb(l->evl, on_accept_error);

	return 0;
}

int client_listen(struct timers *ts, const struct config_ipc *set,
		  const struct client_ops *ops, void *ctx,
		  struct client_listener **out)
{
	struct client_listener *l;
	int err;

	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;

	l->ops = ops;
	l->ctx = ctx;
	l->timers = ts;
	l->set = set;
	l->file.lock_fd = -1;
	LIST_INIT(&l->conns);
	err = start_listening(l);
	if (err) {
		client_listener_free(l);
		return err;
	}

	*out = l;
	return 0;
}

void client_listener_free(struct client_listener *l)
{
	struct client_conn *c;

	if (!l)
		return;

	while ((c = LIST_FIRST(&l->conns))) {
		if (!c->closing)
			c->reason = "the daemon stops";
		on_end(c);
	}
	if (l->evl) {
		socket_file_remove(&l->file);
		evconnlistener_free(l->evl);
	}
	timer_free(l->resume);
	socket_file_unlock(&l->file);
	free(l);
}
