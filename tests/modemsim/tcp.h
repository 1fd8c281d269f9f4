/* SPDX-License-Identifier: MIT */

/*
 * tcp - one TCP connection of the host, never blocking, bounded both ways.
 *
 * Received bytes wait in @rx until somebody takes them; when it is full the
 * socket is not read, so the peer feels TCP back-pressure. With TLS over it
 * (tcp_use_tls()) @rx and @tx are the plaintext; @rx may grow by one record
 * beyond its limit. Knows no AT.
 *
 * Called by: link.   Calls: tls, linger.
 */

#ifndef MODEMSIM_TCP_H
#define MODEMSIM_TCP_H

#include <event2/buffer.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "tls.h"

enum tcp_how { TCP_FIN, TCP_RST };

struct tcp_ops {
	/* 0 or errno; EPROTO: tls_why(). Also of tcp_adopt() with TLS. */
	void (*connected)(void *ctx, int err);
	void (*shaking)(void *ctx);		/* TLS: now the handshake */
	void (*received)(void *ctx, bool was_empty);
	void (*progress)(void *ctx);		/* @tx got shorter */
	void (*ended)(void *ctx);		/* by the peer; no more rx */
};

/* Set on the host's socket; CIPTCPOPT of the W800 manual. */
struct tcp_options {
	int linger_s;			/* SO_LINGER, -1: off */
	bool nodelay;
	unsigned int sndtimeo_ms;	/* SO_SNDTIMEO: see link_send() */
	unsigned int keepalive_s;	/* 0: off; then each 1 s, 3 times */
};

#define TCP_OPTIONS_DEFAULT \
	((struct tcp_options){ .linger_s = -1, .nodelay = true })

struct tcp {
	int fd;				/* -1: none */
	bool connected;
	bool at_end;			/* the peer has closed: no more rx */
	bool broken;			/* and nothing can be sent, either */
	struct event_base *base;
	struct event *read_ev;
	struct event *write_ev;
	struct evbuffer *rx;
	struct evbuffer *tx;
	size_t rx_max;
	struct tls *tls;		/* NULL: none */
	struct evbuffer *wire;		/* TLS: records for the peer */
	size_t in_wire;			/* bytes of @tx that became them */
	unsigned int shake_ms;		/* TLS: for the peer's next packet */
	struct event *shake_timer;
	uint64_t sent;			/* of @tx, taken by the kernel */
	uint64_t received;
	struct tcp_options options;
	const struct tcp_ops *ops;
	void *ctx;
};

void tcp_init(struct tcp *t, struct event_base *base, size_t rx_max,
	      const struct tcp_ops *ops, void *ctx);
void tcp_free(struct tcp *t);

/*
 * Starts; connected() tells, never from inside. 0 or -errno.
 * @local: NULL for any.
 */
int tcp_connect(struct tcp *t, const struct address *to,
		const struct address *local);

/* An accepted socket; it is taken over. */
void tcp_adopt(struct tcp *t, int fd);

/*
 * The next connection speaks TLS; @tls is taken over. The peer may take
 * @packet_ms for each packet of the handshake. NULL: no TLS.
 */
void tcp_use_tls(struct tcp *t, struct tls *tls, unsigned int packet_ms);

/* Of the connection in hand, if there is one, and of the next. */
void tcp_set_options(struct tcp *t, const struct tcp_options *o);

/* Queue and send; progress() tells, never from inside. */
void tcp_send(struct tcp *t, const void *data, size_t len);

/* The host took @n bytes from @rx: perhaps read on. */
void tcp_taken(struct tcp *t, size_t n);

/* What the kernel has not taken is forgotten; a begun record goes out. */
void tcp_drop_queued(struct tcp *t);

/*
 * Gone, with what was queued. FIN: what the kernel has taken still goes out.
 * @rx stays for the one who wants to read it.
 */
void tcp_close(struct tcp *t, enum tcp_how how);

/*
 * tcp_close() by FIN where SO_LINGER has a time: @done is called when the peer
 * has closed, too, or that time is over. NULL: it has none and nothing was
 * done, or there is nothing to wait for.
 */
struct lingerer *tcp_close_slowly(struct tcp *t, void (*done)(void *ctx),
				  void *ctx);

/* Sent bytes that the peer has not acknowledged, as they are on the wire. */
unsigned int tcp_unacked(const struct tcp *t);

/* Between tcp.c and tcp_tls.c: what is different when t->tls is there. */
void tcp_tls_begin(struct tcp *t);
void tcp_tls_input(struct tcp *t, const void *data, size_t len);
void tcp_tls_cut(struct tcp *t);	/* the peer has closed the socket */
int tcp_tls_write(struct tcp *t);	/* as evbuffer_write() */
void tcp_tls_end(struct tcp *t, enum tcp_how how);

#endif
