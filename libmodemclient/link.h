/* SPDX-License-Identifier: MIT */

/*
 * link - one link, TCP or UDP: its window up, its credit down, its lives.
 *
 * Called by: event, client, listener.   Calls: client, buffer.
 */

#ifndef MODEMCLIENT_LINK_H
#define MODEMCLIENT_LINK_H

#include "client.h"

#define LINK_REASON_MAX	256
#define LINK_SENDS_MAX	512	/* unanswered Sends, whatever their size */

#define LINK_DATAGRAM_MAX 1500	/* bytes of one; credit for less gives none */

/* One in the receive buffer: where it ends, who sent it. */
struct datagram {
	TAILQ_ENTRY(datagram) entry;
	size_t len;
	char address[MODEMCLIENT_ADDRESS_MAX];	/* "": not told */
	uint16_t port;
};

enum link_state { LINK_OPENING, LINK_OPEN, LINK_LOST, LINK_CLOSED };

struct modemclient_link {
	TAILQ_ENTRY(modemclient_link) entry;
	struct modemclient *mc;
	enum link_state state;
	uint64_t id;			/* 0: not known yet */
	TAILQ_ENTRY(modemclient_link) queue;	/* not taken by accept() yet */
	struct modemclient_listener *listener;	/* in whose queue; NULL */
	uint32_t epoch;
	uint64_t lease_request;		/* its wish; 0: none, or answered */
	bool closing;			/* we asked for the close */
	bool discard;			/* nobody will read any more */
	/* The program has not taken notice of the last loss. */
	bool unseen_loss;
	bool quiet;			/* a call that waits tells the result */
	unsigned int waiting;		/* calls that wait for it */
	bool freed;			/* by the callback, while waited for */
	int doom;			/* modemd refused a Send: why */
	int err;			/* of LINK_CLOSED */
	char reason[LINK_REASON_MAX];
	char *remote;			/* host:port, for sentences */

	struct buffer rx;
	size_t rx_old;			/* of them from before the loss */
	uint32_t credit;		/* that an epoch begins with */
	uint32_t credit_left;		/* modemd may still send */
	uint32_t consumed;		/* read, credit not given back yet */

	bool udp;
	bool has_remote;		/* UDP: open named one */
	TAILQ_HEAD(, datagram) datagrams;	/* in rx */
	size_t wanted;			/* bytes, by a sendto() */
	int refused;			/* why a datagram was, not yet told */

	size_t window;
	size_t outstanding;		/* sent, not taken by the modem */
	unsigned int sends;		/* without a reply */

	struct modemclient_counts counts;
	struct modemclient_counts lost_counts;
	uint32_t lost_epoch;
	void *data;
};

struct modemclient_link *link_find(struct modemclient *mc, uint64_t id);

/* One that modemd has opened by itself; NULL without memory. */
struct modemclient_link *link_accepted(struct modemclient *mc, uint64_t id,
				       const char *peer, uint32_t credit);

/* Tells modemd that nobody wants that link. */
void link_close_orphan(struct modemclient *mc, uint64_t id);

/* What modemd tells. All may run the callback: do not touch the link after. */
void link_queued(struct modemclient_link *l, const Modemd__V1__Queued *ev);
void link_opened(struct modemclient_link *l, const Modemd__V1__Opened *ev);
int link_data(struct modemclient_link *l, const Modemd__V1__Data *ev);
int link_sent(struct modemclient_link *l, const Modemd__V1__Sent *ev);
void link_confirmed(struct modemclient_link *l,
		    const Modemd__V1__Confirmed *ev);
void link_closed(struct modemclient_link *l, const Modemd__V1__Closed *ev);
void link_lost(struct modemclient_link *l, const Modemd__V1__LinkLost *ev);
void link_restored(struct modemclient_link *l,
		   const Modemd__V1__LinkRestored *ev);

/* Ends it from our side's view, for @err. Tells the program. */
void link_end(struct modemclient_link *l, int err, const char *reason,
	      const Modemd__V1__Counts *counts);

/* Checked options; @what begins the sentence of an error. 0 and *@out. */
int link_new(struct modemclient *mc, const struct modemclient_open_options *o,
	     const char *what, struct modemclient_link **out);

/* Waits until it is open: 0 and *@out; else it is freed. */
int link_wait_open(struct modemclient_link *l, int timeout_ms,
		   const char *what, struct modemclient_link **out);

/* link_options.c: the options of an open, with what they point to. */
struct link_options {
	struct modemclient_open_options open;
	struct modemclient_tls_options tls;
	struct modemclient_tcp_options tcp;
};

/* The request, with what it points to. */
struct link_open {
	Modemd__V1__Open open;
	Modemd__V1__Tls tls;
	Modemd__V1__TcpOptions tcp;
	ProtobufCBinaryData alpn[MODEMCLIENT_ALPN_MAX];
};

/* Of a program that may know fewer of them. */
void link_options_copy(struct link_options *to,
		       const struct modemclient_open_options *from);
/* 0, or -EINVAL and the sentence. */
int link_options_check(struct modemclient *mc,
		       const struct modemclient_open_options *o,
		       const char *what, const char *host);
/* The type, and what is not of every link. They must have been checked. */
void link_options_fill(struct link_open *to,
		       const struct modemclient_open_options *o);

/* Asks modemd to close it, now or as soon as it has told its id. */
int link_ask_close(struct modemclient_link *l, bool abort_it);

/*
 * Waits until @done, a lost connection included. 0, -ETIMEDOUT, -EAGAIN, or
 * -ECANCELED: the callback freed the link, which is no more.
 */
int link_wait(struct modemclient_link *l, int timeout_ms,
	      bool (*done)(void *link));

/* Queues one Send. @address NULL: to the peer, or as open said. 0, -ENOMEM. */
int link_send(struct modemclient_link *l, const uint8_t *data, size_t len,
	      const char *address, uint16_t port);
/* 0: bytes may be written. */
int link_write_error(const struct modemclient_link *l);
/* Waits until there is something to read, or never will be. */
int link_wait_data(struct modemclient_link *l, int timeout_ms);
/* What a read without data returns; @err: of the waiting. */
int link_read_error(struct modemclient_link *l, int err);
/* @len bytes of the buffer are read. */
void link_take(struct modemclient_link *l, size_t len);

/* datagram.c: what is kept of those in the buffer. */
int datagram_add(struct modemclient_link *l, size_t len, const char *from);
void datagrams_drop(struct modemclient_link *l, size_t len);
void datagrams_cut(struct modemclient_link *l, size_t len);

/* Gives back @len bytes of credit, in batches. */
void link_consumed(struct modemclient_link *l, size_t len);

/* A loss that must be noticed before bytes of a new epoch may flow. */
bool link_must_notice(const struct modemclient_link *l);

/* The error of a closed link for writing, draining, restoring. */
int link_end_error(const struct modemclient_link *l);

/* Sets the sentence "WHAT HOST:PORT: reason" and returns @err. */
int link_fail(struct modemclient_link *l, int err, const char *what);

/* Runs the callback, unless a call that waits tells the result anyway. */
void link_emit(struct modemclient_link *l, struct modemclient_event *ev);

/* The program knows of the loss now: a new epoch's data may be read. */
void link_acknowledge_loss(struct modemclient_link *l);

void link_copy_counts(struct modemclient_counts *to,
		      const Modemd__V1__Counts *from);

#endif
