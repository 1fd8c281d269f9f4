/* SPDX-License-Identifier: MIT */

/*
 * structs - what the modem layer keeps in memory: links and the slots of the
 * modem that they take, listeners and servers, questions, and the modem with
 * all of these. The comment above a part of struct modem names the file whose
 * it is. No functions.
 *
 * Called by: modem/private.h alone.   Calls: nothing.
 */

#ifndef MODEMD_MODEM_STRUCTS_H
#define MODEMD_MODEM_STRUCTS_H

#include <sys/queue.h>

#include "driver/driver.h"
#include "modem/backoff.h"
#include "modem/modem.h"

struct at_channel;
struct early;
struct evbuffer;
struct timer;

#define MODEM_BAUDS	6	/* rates that are tried */
#define STEPS_ALL	9	/* of any modem: no modem has all of them */
#define MODEM_QUERIES	64	/* that may wait */
#define MODEM_CAPS	24	/* words for what it can do */
#define MODEM_NAMES	64	/* answers that are kept */
#define QUERY_TEXT_MAX	512	/* of a raw command */

/* Where one datagram ends among the bytes of a buffer. */
struct cut {
	TAILQ_ENTRY(cut) entry;
	size_t len;
	bool whole;			/* received: its end was seen */
	char address[DRIVER_ADDRESS_MAX];	/* whom it is for, or from */
	unsigned int port;		/* of whom it is for */
};

TAILQ_HEAD(cut_list, cut);

struct link {
	TAILQ_ENTRY(link) entry;	/* in the order of ids */
	struct modem *modem;
	uint64_t id;
	enum link_kind kind;
	uint64_t listener;		/* that accepted it; 0: none */
	bool moved;			/* to another slot, on suspicion */
	uint32_t epoch;
	enum link_state state;
	int slot;			/* -1: none */
	char host[DRIVER_HOST_MAX + 1];
	unsigned int port, local_port;
	bool any_port;			/* UDP: one that we choose */
	enum driver_family family;
	char local_address[DRIVER_ADDRESS_MAX];	/* "": any */
	enum driver_udp_remote udp_remote;
	struct driver_tls *tls;		/* NULL: none */
	struct driver_tcp tcp;
	bool restore;
	uint32_t idle_timeout_ms;
	int64_t wait_until_ms;		/* WAITING: then it gives up; 0: now */
	int64_t retry_at_ms;		/* LOST: not before */
	int64_t close_by_ms;		/* a polite close: then at once */
	struct backoff backoff;		/* of LOST */
	struct link_counts counts;
	struct evbuffer *tx;		/* accepted, not yet taken */
	struct cut_list tx_cuts;	/* of datagrams in it */
	size_t inflight;		/* of it, in the modem's hands */
	struct evbuffer *rx;		/* pushed beyond its credit */
	struct cut_list rx_cuts;
	bool behind;			/* too much waits there */
	bool never_push, want_source;
	uint32_t credit;
	uint32_t first_credit;
	bool readable;			/* the modem holds data, or may */
	bool announced;			/* it said so */
	bool pull_next;			/* whose turn it is: pull or send */
	bool want_close, abort;
	bool peer_closed;		/* drain, then end */
	bool gone;			/* the same, as the modem says: nothing is
					 * left to be closed there */
	bool hurry;			/* the same, but not without credit */
	bool going_down;		/* with its network: politely, then lost */
	unsigned int pull_errors;	/* in a row */
	int64_t send_after_ms;		/* it was busy: not before; 0: at once */
	int64_t busy_since_ms;		/* that it says so; 0: it does not */
	bool drained;			/* that is done; its ACKs are asked */
	bool line_loss;			/* the same, since bytes are missing */
	bool wait_ack;
	unsigned int acks_asked;	/* before its close */
	int64_t ack_next_ms;		/* when to ask again */
	int64_t ack_until_ms;		/* then it is closed in any case */
	uint64_t claimed;		/* bytes the modem says it received;
					 * 0: nothing to be checked */
	bool was_open;			/* opened() is out */
	bool tell_queued;
	int64_t checked_ms;		/* when its buffer was last asked */
	uint32_t check_every_ms;
	int64_t opened_wall_ms, opened_mono_ms, active_ms;
	/* what its last event will say, once that is known */
	int end_err;
	bool end_is_loss;		/* restore it, if it wants that */
	const char *end_reason;		/* also: why it is being closed */
	char end_text[96];
};

TAILQ_HEAD(link_list, link);

/* One socket of the modem. It is free when nothing here is set. */
struct slot {
	struct link *link;
	bool opening;			/* a result of open is due */
	bool closing;			/* a result of close is due */
	bool must_close;		/* nobody's, but maybe open */
	bool judged;			/* by the audit under way */
	bool pulling;			/* a result of pull is due */
	bool look, looking;		/* the audit is to tell of it, or will now */
	bool changed;			/* since the audit under way began */
	bool arrived;			/* a connection, of a peer not told */
	struct early *early;		/* what that one did; NULL: nothing */
	bool left;			/* its link ended by +IPCLOSE, not closed */
	char left_peer[DRIVER_ADDRESS_MAX];	/* of that link, if accepted */
	unsigned int server;		/* that it was accepted by, + 1; 0: none */
	uint64_t used;			/* when, in opens */
	int64_t freed_ms;		/* old results may still be on their way */
};

/* A server that a client asked for. */
struct listener {
	TAILQ_ENTRY(listener) entry;	/* in the order of ids */
	struct modem *modem;
	uint64_t id;
	enum listener_state state;
	int index;			/* of its server; -1: none */
	unsigned int port, backlog;
	int family;			/* enum driver_family */
	bool tls, verify;
	uint32_t idle_timeout_ms;	/* of its links, as is the credit */
	bool has_credit;
	uint32_t credit;
	struct listener_policy policy;
	int64_t wait_until_ms;		/* WAITING: then it gives up */
	int64_t retry_at_ms;		/* LOST: not before */
	struct backoff backoff;		/* of LOST */
	unsigned int tries;		/* of its first start */
	bool was_listening;		/* listening() is out */
	bool want_stop;			/* STARTING: at once afterwards */
	uint64_t accepted, refused;
	int64_t opened_wall_ms, opened_mono_ms;
	int end_err;
	const char *end_reason;
	char end_text[96];
};

TAILQ_HEAD(listener_list, listener);

/* One server of the modem. It is free when nothing here is set. */
struct server {
	struct listener *listener;
	bool starting, stopping;	/* a result is due */
	bool must_stop;			/* nobody's, but maybe open */
	int check;			/* why the audit must tell; 0: need not */
	bool look;			/* it seems to be gone: audit */
	unsigned int tries;		/* to stop it */
	int64_t not_before_ms;		/* the next one */
};

/* What the driver has of a lease, whatever became of its link. */
enum lease_phase {
	LEASE_IDLE,
	LEASE_WANTED,			/* when the line is free */
	LEASE_CLEARING,			/* the other links are being lost */
	LEASE_RUNNING,			/* until unleased() */
};

struct query {
	TAILQ_ENTRY(query) entry;
	uint32_t id;
	enum driver_query what;
	struct driver_query_args args;
	struct driver_time time;	/* of args, where they have it */
	char text[QUERY_TEXT_MAX + 1];
	uint64_t link;			/* confirmed bytes: of this link */
	uint32_t epoch;
	bool force;			/* raw AT that was forbidden */
	bool quiet;			/* our own: nobody is told */
	bool cancelled;			/* a ping: it is to be stopped */
	bool stopping;			/* a ping: and that is under way */
	unsigned int echoes;		/* a ping: told so far */
};

TAILQ_HEAD(query_list, query);

/* A name that was asked for: its answer, until it is too old. */
struct known {
	enum driver_query what;
	enum driver_family family;
	int err;
	int64_t until_ms;		/* 0: nothing here */
	char text[DRIVER_HOST_MAX + 1];
	char answer[DRIVER_HOST_MAX + 1];
};

struct modem {
	struct timers *timers;
	const struct config *cfg;
	struct state *store;
	const struct modem_ops *ops;
	void *ctx;
	struct at_channel *channel;
	const struct driver *driver;
	void *d;			/* the driver's own */
	const struct driver *aside_driver;
	void *aside;			/* its own: it spoke before; or NULL */
	const char *capabilities[MODEM_CAPS + 1];	/* ends with NULL */
	const struct driver *found;	/* to be the driver, as soon as may be */
	bool speak_anew;		/* it may be another modem now */

	/* find.c */
	unsigned int bauds[MODEM_BAUDS];
	unsigned int baud_count, baud_index;
	unsigned int rounds;		/* through all rates, in vain */
	bool raising;			/* at the target rate, not yet proven */
	bool rate_refused;		/* it does not work there: no more */
	bool syncing;			/* the channel looks for the modem */

	/* life.c */
	enum modem_state state;
	char reason[320];
	bool reason_waits;		/* it is what a stage waits for */
	int64_t since_wall_ms, since_mono_ms;
	enum network_state network;
	char network_reason[320];
	int64_t network_since_wall_ms, network_since_mono_ms;
	struct timer *retry;		/* the next try */
	struct backoff backoff;
	bool staging;			/* the driver runs a stage */
	int64_t again_ms;		/* when it asks again; 0: it is not waiting */
	bool have_stage;		/* next_stage is wanted */
	enum driver_stage next_stage;
	bool stopping;
	struct timer *stop_timer;
	uint32_t losses, restarts;

	/* link.c, links.c */
	struct link_list links;
	uint64_t next_id;
	struct timer *reaper;		/* tells and frees what has ended */

	/* schedule.c, due.c */
	struct slot slots[DRIVER_LINKS_MAX];
	unsigned int next_slot;		/* round robin */
	uint64_t opens;
	size_t max_send;		/* as learnt from this firmware */
	struct timer *kick;
	struct timer *due;
	bool want_audit;
	unsigned int audits;		/* not answered, of this network */
	int64_t heard_ms;		/* when the modem last answered */

	/* ask.c */
	bool no_confirmed;		/* this firmware cannot tell */
	bool wait_ack;			/* as it was last told to the modem */
	uint64_t lost_bytes;		/* also those for no link */

	/* audit.c */
	int64_t audited_ms;		/* when the table was last asked for */
	uint64_t faults;		/* of the line, as counted so far */
	bool fault_is_its;		/* the next one is that of an audit */
	bool want_check;
	unsigned int checks;		/* that failed, in a row */

	/* network.c */
	enum { WISH_NONE, WISH_UP, WISH_DOWN } net_wish;	/* the last */
	bool net_down;			/* by an admin, until he opens it */
	bool net_up_after;		/* he did, before it was closed */
	char net_text[160];		/* by whom */
	int64_t down_by_ms;		/* links are waited for until then */
	unsigned int net_fails;		/* NETOPENs in a row */
	bool contexts_done;		/* were looked at, in this row */
	int64_t no_service_ms;		/* when it last was without; 0: never */
	int64_t restart_after_ms;	/* the next of the ladder, not before */
	unsigned int ladder_restarts;	/* since the network was last open */
	bool want_restart;		/* as soon as the line is free */
	bool restart_asked;		/* its answer is due */
	bool restarting;		/* a banner or silence is due */
	bool restart_told;		/* somebody waits for restarted() */
	char restart_text[160];		/* why */

	/* steps.c */
	struct {
		const char *state;
		int64_t wall_ms, mono_ms;
	} steps[STEPS_ALL];
	char loss_text[160];		/* the last loss of the network */
	int64_t loss_mono_ms;

	/* listener.c, server.c */
	struct listener_list listeners;
	uint64_t next_listener;
	struct server servers[DRIVER_LISTENERS_MAX];

	/* receive.c */
	enum driver_receive receive;	/* as the modem last said */
	enum driver_receive receive_asked;
	bool switching;			/* to receive_asked */
	bool receive_unsure;		/* the switch failed, who knows how */
	bool push_refused;		/* in this network */
	bool push_unnamed;		/* this firmware names no link */
	int64_t receive_after_ms;	/* no switch before */

	/* lease.c */
	enum lease_phase lease_phase;
	struct link *lease;		/* NULL: none, or it has ended */
	bool lease_udp, lease_listen;
	bool lease_ending;		/* unlease() was asked for */
	int64_t lease_until_ms;
	struct timer *lease_timer;

	/* query.c */
	struct query_list queries;
	struct query *asked;		/* under way: the line is its own */
	struct query *pinging;		/* under way, beside all else */
	unsigned int query_count;
	uint32_t next_query;
	int64_t query_began_ms;
	int64_t query_not_before_ms;	/* half of the line is for links */

	/* blocking.c */
	int64_t block_began_ms;		/* the last one */
	int64_t block_not_before_ms;	/* the next one, while others wait */
	bool blocking;			/* it has the line */
	bool block_question;		/* it is, or was, a question */
	bool block_answered;		/* and its result was told */

	int64_t signal_ms;		/* when it was last asked */
	struct known known[MODEM_NAMES];
	unsigned int next_known;
};

#endif
