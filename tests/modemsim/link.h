/* SPDX-License-Identifier: MIT */

/*
 * link - the modem's ten sockets: opening, sending, reading, ending.
 *
 * Each is a tcp or a udp plus what the modem's own stack adds: the open
 * timeout, the requests of CIPSEND with their confirmations, the notice of
 * data that comes once until the buffer is empty. Results go up through the
 * dialect.
 *
 * Called by: simcom_*, net, server, push, data, control_links, stats.
 * Calls: tcp, udp, resolve, push, data, the dialect.
 */

#ifndef MODEMSIM_LINK_H
#define MODEMSIM_LINK_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "resolve.h"
#include "tcp.h"
#include "udp.h"

#define LINKS		10
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

/* The fields of +CIPACK. */
enum link_ack { LINK_ACK_SENT, LINK_ACK_ACK, LINK_ACK_RECV, LINK_ACKS };

/* A datagram, or the unread rest of one, in the link's buffer. */
struct datagram {
	STAILQ_ENTRY(datagram) entry;
	struct sockaddr_in from;
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
	bool is_udp;
	struct udp udp;
	struct datagrams datagrams;	/* how rx is cut */
	uint64_t datagrams_in;
	uint64_t datagrams_out;
	uint64_t datagrams_lost;	/* the buffer was full */
	int server;		/* that accepted it, else LINK_NO_SERVER */
	char host[LINK_HOST_MAX];	/* as the command said it */
	char address[16];
	unsigned int port;
	unsigned int local_port;	/* as the command said it */
	unsigned int host_port;	/* of UDP: where that really is */
	struct resolve *resolve;
	struct event *open_timer;	/* CIPTIMEOUT, also of the unanswered */
	struct event *result_timer;	/* --open-time */
	struct event *close_timer;	/* --close-time; the link is free */
	struct event *ack_timer;	/* while a send waits for its ACK */
	int result;
	bool announced;		/* +CIPRXGET: 1,n since the buffer was empty */
	bool broken;		/* cnf was short: "cannot be used further" */
	bool lied_open;		/* for the quirk cipclose-lies */
	bool transparent;	/* data mode, also while escaped from */
	bool wants_connect;	/* CIPOPEN ends with CONNECT */
	bool ended;		/* by the peer; opening, or still pushing */
	bool ok_after;		/* for the quirk cipopen-result-first */
	bool close_ok_after;	/* of CIPCLOSE: the result comes before OK */
	uint64_t queued;	/* bytes given to tcp */
	uint64_t ack_told;	/* by the last +CIPACK */
	long ack_error[LINK_ACKS];	/* control: what it lies */
	struct link_sends sends;
};

void links_init(struct modem *m);
void links_free(struct modem *m);

/* The state must be LINK_FREE. The dialect's opened() tells the result. */
void link_open(struct modem *m, unsigned int id, const char *host,
	       unsigned int port, unsigned int local_port);

/* NET_OK or the <err> of +CIPOPEN. @host may be NULL. */
int link_open_udp(struct modem *m, unsigned int id, const char *host,
		  unsigned int port, unsigned int local_port);

/* An accepted connection; the link must not be open. */
void link_accept(struct modem *m, unsigned int id, int fd,
		 const struct sockaddr_in *from, int server);

/* A pending open has lost its link; nothing is told. */
void link_forget(struct modem *m, unsigned int id);

/* How much of the buffer one read may give, and from whom it is. */
size_t link_block(const struct modem *m, unsigned int id,
		  struct sockaddr_in *from);

/* By the host's command; a pending open or send gets no other result. */
void link_close(struct modem *m, unsigned int id);

/* By itself, as the peer did or <close_reason> says: see closed(). */
void link_end(struct modem *m, unsigned int id, enum tcp_how how, int reason);

/* All sockets die. Buffered data too. The dialect is not told. */
void link_drop_all(struct modem *m, enum tcp_how how, const char *cause);

/* The network has gone: pending opens and sends fail, then everything dies. */
void link_lose_all(struct modem *m, enum tcp_how how);

/*
 * One request; the dialect's sent() tells the result unless @silent.
 * @to: of UDP, NULL for the one that CIPOPEN named.
 */
void link_send(struct modem *m, unsigned int id, const void *data, size_t len,
	       const struct sockaddr_in *to, bool silent);

/* The buffer was read; data may be announced again when it is empty. */
void link_taken(struct modem *m, unsigned int id, size_t n);

/* The peer has closed and all of it has been pushed: link_end(). */
void link_end_if_empty(struct link *l);

/* Announce what is waiting (buffer mode was switched on). */
void link_announce(struct modem *m, unsigned int id);

/* Between link.c, link_udp.c and link_send.c. */
void link_begin(struct link *l, const char *host, unsigned int port,
		unsigned int local_port);
void link_received(struct link *l, bool was_empty);
void link_drain(struct link *l, size_t n);
void link_udp_send(struct link *l, const void *data, size_t len,
		   const struct sockaddr_in *to);
void link_send_progress(struct link *l);
void link_send_fail_all(struct link *l, bool tell);

#endif
