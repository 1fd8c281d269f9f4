/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "linger.h"
#include "tcp.h"

#define READ_MAX	16384
/* W800 manual, CIPTCPOPT */
#define KEEPALIVE_INTERVAL_S	1
#define KEEPALIVE_COUNT		3

#define KERNEL_BUFFER	65536	/* small, so that a slow peer shows soon */

void tcp_init(struct tcp *t, struct event_base *base, size_t rx_max,
	      const struct tcp_ops *ops, void *ctx)
{
	*t = (struct tcp){
		.fd = -1, .base = base, .rx_max = rx_max, .ops = ops,
		.ctx = ctx, .rx = evbuffer_new(), .tx = evbuffer_new(),
		.wire = evbuffer_new(),
		.options = TCP_OPTIONS_DEFAULT,
	};
}

void tcp_free(struct tcp *t)
{
	tcp_close(t, TCP_RST);
	tls_free(t->tls);
	if (t->shake_timer != NULL)
		event_free(t->shake_timer);
	evbuffer_free(t->wire);
	evbuffer_free(t->rx);
	evbuffer_free(t->tx);
}

static size_t room(const struct tcp *t)
{
	size_t len = evbuffer_get_length(t->rx);

	return len < t->rx_max ? t->rx_max - len : 0;
}

static void end_of_input(struct tcp *t, bool failed)
{
	event_del(t->read_ev);
	t->at_end = true;
	t->broken = failed;
	if (t->tls != NULL)
		tcp_tls_cut(t);
	else
		t->ops->ended(t->ctx);
}

static void on_tls_readable(struct tcp *t, int fd, size_t max)
{
	char data[READ_MAX];
	ssize_t n = read(fd, data, max);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		end_of_input(t, n < 0);
	else
		tcp_tls_input(t, data, (size_t)n);
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct tcp *t = ctx;
	size_t max = room(t), old = evbuffer_get_length(t->rx);
	int n;

	(void)what;
	max = max < READ_MAX ? max : READ_MAX;
	if (t->tls != NULL) {
		on_tls_readable(t, fd, max);
		return;
	}
	n = evbuffer_read(t->rx, fd, (int)max);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end_of_input(t, n < 0);
		return;
	}
	t->received += (uint64_t)n;
	if (room(t) == 0)
		event_del(t->read_ev);
	t->ops->received(t->ctx, old == 0);
}

static void finish_connect(struct tcp *t)
{
	socklen_t len = sizeof(int);
	int err = 0;

	getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	if (err == 0) {
		t->connected = true;
		event_add(t->read_ev, NULL);
	}
	if (err == 0 && t->tls != NULL)
		tcp_tls_begin(t);
	else
		t->ops->connected(t->ctx, err);
}

static void on_writable(evutil_socket_t fd, short what, void *ctx)
{
	struct tcp *t = ctx;
	int n;

	(void)what;
	if (!t->connected) {
		finish_connect(t);
		return;
	}
	if (t->tls != NULL)
		n = tcp_tls_write(t);
	else
		n = evbuffer_write(t->tx, fd);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		t->broken = true;
		t->ops->ended(t->ctx);
		return;
	}
	if (n > 0)
		t->sent += (uint64_t)n;
	if (evbuffer_get_length(t->tx) > 0 ||
	    evbuffer_get_length(t->wire) > 0)
		event_add(t->write_ev, NULL);
	t->ops->progress(t->ctx);
}

static void set_int(int fd, int level, int name, int value)
{
	setsockopt(fd, level, name, &value, sizeof(value));
}

static void apply(int fd, const struct tcp_options *o)
{
	struct linger linger = {
		.l_onoff = o->linger_s >= 0,
		.l_linger = o->linger_s > 0 ? o->linger_s : 0,
	};
	struct timeval tv = clock_tv_ms(o->sndtimeo_ms);

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	set_int(fd, IPPROTO_TCP, TCP_NODELAY, o->nodelay);
	set_int(fd, SOL_SOCKET, SO_KEEPALIVE, o->keepalive_s > 0);
	if (o->keepalive_s == 0)
		return;
	set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)o->keepalive_s);
	set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
	set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT);
}

void tcp_set_options(struct tcp *t, const struct tcp_options *o)
{
	t->options = *o;
	if (t->fd >= 0)
		apply(t->fd, o);
}

static void set_up(struct tcp *t)
{
	int size = KERNEL_BUFFER;

	setsockopt(t->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(t->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	apply(t->fd, &t->options);
	t->connected = false;
	t->at_end = false;
	t->broken = false;
	t->sent = 0;
	t->received = 0;
}

static int bind_to(struct tcp *t, const struct address *local)
{
	int one = 1;

	if (local == NULL)
		return 0;
	if (address_port(local) != 0)
		setsockopt(t->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(t->fd, &local->sa, address_len(local)) < 0)
		return -errno;
	return 0;
}

static void make_events(struct tcp *t)
{
	t->read_ev = event_new(t->base, t->fd, EV_READ | EV_PERSIST,
			       on_readable, t);
	t->write_ev = event_new(t->base, t->fd, EV_WRITE, on_writable, t);
}

void tcp_adopt(struct tcp *t, int fd)
{
	t->fd = fd;
	set_up(t);
	t->connected = true;
	make_events(t);
	event_add(t->read_ev, NULL);
	if (t->tls != NULL)
		tcp_tls_begin(t);
}

int tcp_connect(struct tcp *t, const struct address *to,
		const struct address *local)
{
	int err;

	t->fd = socket(to->sa.sa_family,
		       SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (t->fd < 0)
		return -errno;
	set_up(t);
	err = bind_to(t, local);
	if (err == 0 && connect(t->fd, &to->sa, address_len(to)) < 0 &&
	    errno != EINPROGRESS)
		err = -errno;
	if (err < 0) {
		close(t->fd);
		t->fd = -1;
		return err;
	}
	make_events(t);
	event_add(t->write_ev, NULL);
	return 0;
}

void tcp_send(struct tcp *t, const void *data, size_t len)
{
	evbuffer_add(t->tx, data, len);
	event_add(t->write_ev, NULL);
}

void tcp_drop_queued(struct tcp *t)
{
	evbuffer_drain(t->tx, evbuffer_get_length(t->tx));
	t->sent += t->in_wire;
	t->in_wire = 0;
}

void tcp_use_tls(struct tcp *t, struct tls *tls, unsigned int packet_ms)
{
	tls_free(t->tls);
	t->tls = tls;
	t->shake_ms = packet_ms;
}

void tcp_taken(struct tcp *t, size_t n)
{
	if (t->tls != NULL)
		tls_taken(t->tls, n);
	evbuffer_drain(t->rx, n);
	if (t->fd >= 0 && t->connected && !t->at_end && room(t) > 0)
		event_add(t->read_ev, NULL);
}

static void reset_now(int fd)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

/* The socket is the caller's now. */
static int give_up(struct tcp *t, enum tcp_how how)
{
	int fd = t->fd;

	if (t->tls != NULL)
		tcp_tls_end(t, how);
	event_free(t->read_ev);
	event_free(t->write_ev);
	t->fd = -1;
	t->connected = false;
	return fd;
}

void tcp_close(struct tcp *t, enum tcp_how how)
{
	int limit = t->options.linger_s > 0 ? t->options.linger_s : LINGER_S;
	bool reset = how == TCP_RST || !t->connected ||
		     t->options.linger_s == 0;
	int fd;

	evbuffer_drain(t->tx, evbuffer_get_length(t->tx));
	if (t->fd < 0)
		return;
	fd = give_up(t, how);
	if (reset)
		reset_now(fd);
	else
		linger_close(t->base, fd, limit, NULL, NULL);
}

struct lingerer *tcp_close_slowly(struct tcp *t, void (*done)(void *ctx),
				  void *ctx)
{
	int limit = t->options.linger_s;

	if (t->fd < 0 || !t->connected || limit <= 0)
		return NULL;
	evbuffer_drain(t->tx, evbuffer_get_length(t->tx));
	return linger_close(t->base, give_up(t, TCP_FIN), limit, done, ctx);
}

unsigned int tcp_unacked(const struct tcp *t)
{
	int n = 0;

	if (t->fd < 0 || ioctl(t->fd, TIOCOUTQ, &n) < 0)
		return 0;
	return (unsigned int)n;
}
