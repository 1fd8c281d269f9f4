/* SPDX-License-Identifier: MIT */

/* A connection with TLS over it: the handshake, records both ways. */

#include <errno.h>

#include "clock.h"
#include "tcp.h"

/* The peer's part of the handshake is awaited, anew with each packet. */
static void await_packet(struct tcp *t)
{
	struct timeval tv = clock_tv_ms(t->shake_ms);

	evtimer_add(t->shake_timer, &tv);
}

static void want_write(struct tcp *t)
{
	if (evbuffer_get_length(t->wire) > 0)
		event_add(t->write_ev, NULL);
}

static void shaken(struct tcp *t, int err)
{
	evtimer_del(t->shake_timer);
	t->ops->connected(t->ctx, err);
}

static void on_shake_timer(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	shaken(ctx, tls_state(((struct tcp *)ctx)->tls) == TLS_FAILED
		    ? EPROTO : ETIMEDOUT);
}

/* One step; true while neither done nor failed. */
static bool shake(struct tcp *t)
{
	tls_shake(t->tls, t->wire);
	want_write(t);
	return tls_state(t->tls) == TLS_SHAKING;
}

/* Never tells from inside: a failure of the first step waits for the timer. */
void tcp_tls_begin(struct tcp *t)
{
	struct timeval now = { 0, 0 };

	if (t->shake_timer == NULL)
		t->shake_timer = evtimer_new(t->base, on_shake_timer, t);
	t->in_wire = 0;
	t->ops->shaking(t->ctx);
	if (shake(t))
		await_packet(t);
	else
		evtimer_add(t->shake_timer, &now);
}

/* Records become plaintext; one that cannot ends the connection. */
static void decrypt(struct tcp *t)
{
	size_t old = evbuffer_get_length(t->rx);
	size_t n = tls_read(t->tls, t->rx);

	t->received += n;
	if (evbuffer_get_length(t->rx) >= t->rx_max ||
	    tls_state(t->tls) != TLS_READY)
		event_del(t->read_ev);
	if (n > 0)
		t->ops->received(t->ctx, old == 0);
	/* the news may have closed it */
	if (t->fd < 0 || tls_state(t->tls) == TLS_READY || t->at_end)
		return;
	t->at_end = true;
	t->ops->ended(t->ctx);
}

void tcp_tls_input(struct tcp *t, const void *data, size_t len)
{
	tls_input(t->tls, data, len);
	if (tls_state(t->tls) == TLS_SHAKING) {
		if (shake(t)) {
			await_packet(t);
			return;
		}
		shaken(t, tls_state(t->tls) == TLS_READY ? 0 : EPROTO);
		if (t->fd < 0 || tls_state(t->tls) != TLS_READY)
			return;
	}
	decrypt(t);
}

void tcp_tls_cut(struct tcp *t)
{
	if (tls_state(t->tls) == TLS_SHAKING)
		shaken(t, ECONNRESET);
	else
		t->ops->ended(t->ctx);
}

/* One record at a time, so that what has not become one can be dropped. */
static void encrypt(struct tcp *t)
{
	size_t len = evbuffer_get_length(t->tx);

	if (len > TLS_RECORD)
		len = TLS_RECORD;
	if (len == 0 || tls_state(t->tls) != TLS_READY)
		return;
	tls_write(t->tls, evbuffer_pullup(t->tx, (ev_ssize_t)len), len,
		  t->wire);
	evbuffer_drain(t->tx, len);
	t->in_wire = len;
}

/* What it returns counts bytes of @tx: those whose record has gone out. */
int tcp_tls_write(struct tcp *t)
{
	int n;

	if (evbuffer_get_length(t->wire) == 0)
		encrypt(t);
	if (evbuffer_get_length(t->wire) == 0)
		return 0;
	n = evbuffer_write(t->wire, t->fd);
	if (n < 0 || evbuffer_get_length(t->wire) > 0)
		return n < 0 ? n : 0;
	n = (int)t->in_wire;
	t->in_wire = 0;
	return n;
}

/* An alert that waits, or "that was all", as far as the kernel takes it. */
void tcp_tls_end(struct tcp *t, enum tcp_how how)
{
	if (t->shake_timer != NULL)
		evtimer_del(t->shake_timer);
	if (evbuffer_get_length(t->wire) == 0)
		tls_say_end(t->tls, t->wire);
	if (how == TCP_FIN && t->connected)
		evbuffer_write(t->wire, t->fd);
	evbuffer_drain(t->wire, evbuffer_get_length(t->wire));
	t->in_wire = 0;
}
