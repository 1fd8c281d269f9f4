/* SPDX-License-Identifier: MIT */

/*
 * link - the modem's sockets: opening, sending, reading, ending.
 *
 * Each is a tcp or a udp plus what the modem's own stack adds: the open
 * timeout, the requests of CIPSEND with their confirmations, the notice of
 * data that comes once until the buffer is empty. Results go up through the
 * dialect.
 *
 * Called by: simcom_*, w800_*, net, server, push, data, control_links, stats.
 * Calls: tcp, udp, tls, resolve, push, data, the dialect.
 */

#ifndef MODEMSIM_LINK_H
#define MODEMSIM_LINK_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "address.h"
#include "resolve.h"
#include "tcp.h"
#include "tls_settings.h"
#include "udp.h"

#define LINKS		10	/* there is room for; struct dialect has less */
#define LINK_HOST_MAX	256

/* <close_reason>, A7600 manual 5 */
#define LINK_CLOSED_LOCALLY	0
#define LINK_CLOSED_BY_PEER	1
#define LINK_CLOSED_BY_DTR	2	/* or the sending timeout */

#define LINK_NO_SERVER		(-1)	/* <index> of a client */

enum link_state {
	LINK_FREE,		/* may still hold data of an ended one */
	LINK_OPENING,
	LINK_OPEN,
	LINK_STATES,
};

enum link_type { LINK_TCP, LINK_UDP, LINK_TLS };

/* Who becomes the remote end of a UDP link: CIPSTART's <mode>, W800 manual */
enum link_remote {
	LINK_REMOTE_FIXED,	/* the one it was opened for */
	LINK_REMOTE_FIRST,	/* the first other one that sends */
	LINK_REMOTE_LAST,	/* whoever sent last */
};

/* What to open. */
struct link_args {
	enum link_type type;
	enum family family;
	const char *host;		/* NULL: none, UDP only */
	unsigned int port;
	unsigned int local_port;	/* 0: any */
	const char *local_address;	/* the modem's, this host's; NULL: any */
	enum link_remote remote;
	struct tcp_options options;
	const struct tls_settings *tls;	/* of TLS, else NULL; is copied */
	unsigned int timeout_ms;	/* of the connection; 0: none */
	unsigned int dns_timeout_ms;	/* of the name; 0: none */
};

/* What to send. */
struct link_data {
	const void *data;
	size_t len;
	const struct address *to;	/* UDP; NULL: the remote end */
	bool silent;			/* sent() is not called */
	bool wants_ack;			/* sent() waits for the peer's ACK */
	unsigned int timeout_ms;	/* 0: none */
};

/* The fields of +CIPACK. */
enum link_ack { LINK_ACK_SENT, LINK_ACK_ACK, LINK_ACK_RECV, LINK_ACKS };

/* A datagram, or the unread rest of one, in the link's buffer. */
struct datagram {
	STAILQ_ENTRY(datagram) entry;
	struct address from;
	size_t left;
};

STAILQ_HEAD(datagrams, datagram);

/* One CIPSEND waiting for the socket to take it. */
struct link_send {
	TAILQ_ENTRY(link_send) entry;
	struct modem *m;
	unsigned int link;
	int req;
	int cnf;		/* what to say when the time has come */
	bool silent;
	bool wants_ack;		/* CIPSENDMODE=1 */
	uint64_t end;		/* tcp.sent when all is taken */
	struct event *timer;	/* the timeout, or the delay of a late one */
};

TAILQ_HEAD(link_sends, link_send);

struct link {
	struct modem *m;
	unsigned int id;
	enum link_state state;
	struct tcp tcp;		/* UDP: its rx and counters serve, no socket */
	enum link_type type;
	struct udp udp;
	enum link_remote remote;
	bool remote_changed;
	bool shared;		/* UDP: a multicast group, or broadcast */
	struct datagrams datagrams;	/* how rx is cut */
	uint64_t datagrams_in;
	uint64_t datagrams_out;
	uint64_t datagrams_lost;	/* the buffer was full */
	uint64_t datagrams_long;	/* more than the dialect's limit */
	int server;		/* that accepted it, else LINK_NO_SERVER */
	char host[LINK_HOST_MAX];	/* as the command said it */
	char address[ADDRESS_TEXT];	/* of the remote end */
	unsigned int port;
	unsigned int local_port;	/* as the command said it */
	unsigned int host_port;	/* of UDP: where that really is */
	char local_address[ADDRESS_TEXT];	/* the same; "": any */
	enum family family;
	struct tcp_options options;
	struct tls_settings tls;	/* of a client */
	char why[TLS_WHY_MAX];	/* the last open or accept failed; TLS */
	unsigned int timeout_ms;	/* see struct link_args */
	struct resolve *resolve;
	struct event *open_timer;	/* CIPTIMEOUT, also of the unanswered */
	struct event *result_timer;	/* --open-time */
	struct event *close_timer;	/* --close-time; the link is free */
	struct lingerer *lingerer;	/* link_close_slowly(), else NULL */
	void (*close_done)(struct modem *m, unsigned int id);
	struct event *ack_timer;	/* while a send waits for its ACK */
	int result;
	bool announced;		/* +CIPRXGET: 1,n since the buffer was empty */
	bool broken;		/* cnf was short: "cannot be used further" */
	bool lied_open;		/* for the quirk cipclose-lies */
	bool transparent;	/* data mode, also while escaped from */
	bool wants_connect;	/* CIPOPEN ends with CONNECT */
	bool ended;		/* by the peer; opening, or still pushing */
	size_t stray;		/* TLS: records held that hold no data */
	bool ok_after;		/* for the quirk cipopen-result-first */
	bool close_ok_after;	/* of CIPCLOSE: the result comes before OK */
	uint64_t queued;	/* bytes given to tcp */
	uint64_t ack_told;	/* by the last +CIPACK */
	long ack_error[LINK_ACKS];	/* control: what it lies */
	struct link_sends sends;
};

void links_init(struct modem *m);
void links_free(struct modem *m);

/*
 * TCP or TLS. The state must be LINK_FREE. The dialect's opened() tells the
 * result, a NET_ number.
 */
void link_open(struct modem *m, unsigned int id, const struct link_args *a);

/* NET_OK or the <err> of +CIPOPEN. Names of the network are not known here. */
int link_open_udp(struct modem *m, unsigned int id,
		  const struct link_args *a);

/* Of an open or opening link, at once and for good. */
void link_set_options(struct modem *m, unsigned int id,
		      const struct tcp_options *o);

/* An accepted connection; the link must not be open. */
void link_accept(struct modem *m, unsigned int id, int fd,
		 const struct address *from, int server);

/* A pending open has lost its link; nothing is told. */
void link_forget(struct modem *m, unsigned int id);

/* How much of the buffer one read may give, and from whom it is. */
size_t link_block(const struct modem *m, unsigned int id,
		  struct address *from);

/*
 * What the modem's own stack holds for the link: more than the buffer where
 * TLS is in the way, as that counts the records (W800 manual, CIPRECVLEN).
 */
size_t link_buffered(const struct modem *m, unsigned int id);

/* By the host's command; a pending open or send gets no other result. */
void link_close(struct modem *m, unsigned int id);

/*
 * The same with SO_LINGER's time, until the peer has closed, too: then, or at
 * once where there is nothing to wait for, @done is called.
 */
void link_close_slowly(struct modem *m, unsigned int id,
		       void (*done)(struct modem *m, unsigned int id));

/* By itself, as the peer did or <close_reason> says: see closed(). */
void link_end(struct modem *m, unsigned int id, enum tcp_how how, int reason);

/* All sockets die. Buffered data too. The dialect is not told. */
void link_drop_all(struct modem *m, enum tcp_how how, const char *cause);

/* The network has gone: pending opens and sends fail, then everything dies. */
void link_lose_all(struct modem *m, enum tcp_how how);

/* One request; the dialect's sent() tells the result. */
void link_send(struct modem *m, unsigned int id, const struct link_data *d);

/* The buffer was read; data may be announced again when it is empty. */
void link_taken(struct modem *m, unsigned int id, size_t n);

/* The peer has closed and all of it has been pushed: link_end(). */
void link_end_if_empty(struct link *l);

/* A read has found no data: what was announced all the same is gone. */
void link_read_nothing(struct modem *m, unsigned int id);

/* Announce what is waiting (buffer mode was switched on). */
void link_announce(struct modem *m, unsigned int id);

/* Between link*.c. */

/* The link's connection is over; @rx stays unless @drop_rx. */
void link_release(struct link *l, enum tcp_how how, const char *cause,
		  bool drop_rx);
void link_peer_ended(struct link *l);
void link_connected(void *ctx, int err);
void link_tls_ended(struct link *l);
int link_tls_begin(struct link *l);		/* NET_OK: connect now */
void link_tls_shaking(void *ctx);
void link_tls_note(struct link *l, int err);	/* it has come to an end */
void link_begin(struct link *l, const struct link_args *a);
int link_local(struct link *l, struct address *at);
void link_received(struct link *l, bool was_empty);
void link_drain(struct link *l, size_t n);
void link_udp_send(struct link *l, const void *data, size_t len,
		   const struct address *to);
void link_send_progress(struct link *l);
void link_send_fail_all(struct link *l, bool tell);

#endif
