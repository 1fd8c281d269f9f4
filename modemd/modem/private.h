/* SPDX-License-Identifier: MIT */

/*
 * private - what the files of the modem layer share. Nobody else includes it.
 *
 *   modem.c     construction, status
 *   life.c      power to network and back: states, stages, recovery
 *   link.c      links: what clients ask of them, how they end
 *   events.c    what the driver reports
 *   schedule.c  what goes over the line next, and when to look again
 *   ending.c    how links end by themselves
 *   receive.c   pull or push, and data that comes
 *   datagram.c  datagrams on their way to the modem
 *   firmware.c  what was learnt of this firmware, kept
 *   query.c     the queue of questions; names and their answers
 *   ask.c       the other questions: ping, confirmed bytes, options, raw AT
 *   audit.c     the modem's own table of links, compared with ours
 *   network.c   network up and down, restarts, and the ladder to them
 *   steps.c     from power to network in plain words
 *   listen.c    listeners: what is asked of them
 *   listener.c  ... their states, and how they end
 *   server.c    the modem's servers, which listeners use
 *   accept.c    connections: who gets in, and which slot
 *   link_options.c  what its owner asked of a link, kept for its restoring
 *   blocking.c  commands that block the line: when, and what goes on
 *   lease.c     the exclusive session: a link that has the line for itself
 *   speak.c     which driver speaks with the modem
 */

#ifndef MODEMD_MODEM_PRIVATE_H
#define MODEMD_MODEM_PRIVATE_H

#include <sys/queue.h>

#include "driver/driver.h"
#include "modem/backoff.h"
#include "modem/modem.h"

struct at_channel;
struct evbuffer;
struct timer;

#define MODEM_BAUDS	6	/* rates that are tried */
#define STEPS_ALL	9	/* of any modem: no modem has all of them */
#define MODEM_QUERIES	64	/* that may wait */
#define MODEM_CAPS	24	/* words for what it can do */
#define MODEM_NAMES	64	/* answers that are kept */
#define LISTENER_WAIT_MS 2000	/* at least, for the audit and old servers */

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

#define QUERY_TEXT_MAX	512	/* of a raw command */

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
	const char *capabilities[MODEM_CAPS + 1];	/* ends with NULL */
	const struct driver *aside_driver;
	void *aside;			/* its own: it spoke before; or NULL */
	const struct driver *found;	/* to be the driver, as soon as may be */
	bool speak_anew;		/* it may be another modem now */

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
	unsigned int bauds[MODEM_BAUDS];
	unsigned int baud_count, baud_index;
	unsigned int rounds;		/* through all rates, in vain */
	bool raising;			/* at the target rate, not yet proven */
	bool rate_refused;		/* it does not work there: no more */
	bool syncing;			/* the channel looks for the modem */
	bool staging;			/* the driver runs a stage */
	int64_t again_ms;		/* when it asks again; 0: it is not waiting */
	bool have_stage;		/* next_stage is wanted */
	enum driver_stage next_stage;
	bool stopping;
	struct timer *stop_timer;
	uint32_t losses, restarts;

	/* link.c */
	struct link_list links;
	uint64_t next_id;
	struct timer *reaper;		/* tells and frees what has ended */

	/* schedule.c */
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
	bool block_answered;		/* and its result was told */

	int64_t signal_ms;		/* when it was last asked */
	struct known known[MODEM_NAMES];
	unsigned int next_known;
};

/* life.c */
void life_init(struct modem *m);
void life_start(struct modem *m);
void life_retry(void *ctx);
void life_set_state(struct modem *m, enum modem_state to, const char *reason);
bool life_step(struct modem *m);
void life_staged(struct modem *m, enum driver_stage stage, int err,
		 const char *text);
void life_waiting(struct modem *m, const char *text, uint32_t again_ms);
void life_network_lost(struct modem *m, const char *text);
void life_rebooted(struct modem *m, const char *text);
void life_hopeful(struct modem *m, const char *text);
void life_synced(struct modem *m);
void life_silent(struct modem *m);
void life_port_lost(struct modem *m, int err);
void life_set_network(struct modem *m, enum network_state to,
		      const char *reason);
void life_want_stage(struct modem *m, enum driver_stage stage);
void life_restarting(struct modem *m, const char *reason);

/* speak.c */
int speak_begin(struct modem *m);
void speak_end(struct modem *m);
bool speak_knows(const struct modem *m);
bool speak_may_change(const struct modem *m);
void speak_anew(struct modem *m);
void speak_found(struct modem *m, const struct driver *driver);
void speak_run(struct modem *m);

/* audit.c */
#define PULL_ERRORS_MAX	3	/* in a row: then the link is looked into */
void audit_want(struct modem *m);
bool audit_start(struct modem *m);
void audit_done(struct modem *m, const struct driver_table *table, int err);
void audit_look_at_line(struct modem *m);
int64_t audit_due(const struct modem *m);
void check_done(struct modem *m, int err, const char *text);

/* network.c */
#define RESTART_QUERY	0	/* its id; those of queries begin with 1 */
void network_wish(struct modem *m);
bool network_usable(const struct modem *m);
bool network_down_step(struct modem *m);
void network_closed(struct modem *m, int err, const char *text);
void network_contexts_done(struct modem *m, const char *text);
const char *network_ladder(const struct modem *m);
bool restart_step(struct modem *m);
void restart_answered(struct modem *m, int err, const char *text);
void restart_went_down(struct modem *m, int err);

/* steps.c */
void steps_note(struct modem *m);
/* The network is closed for a session; and is opened again after it. @sure:
 * it is in command mode. */
void life_leased(struct modem *m);
void life_unleased(struct modem *m, bool sure);

/* link.c */
struct link *link_find(struct modem *m, uint64_t id);
struct link *link_new(struct modem *m, const struct link_args *args);
unsigned int links_inbound(const struct modem *m, uint64_t listener);
void link_set_state(struct link *l, enum link_state to);
bool link_take_slot(struct link *l);
void link_end(struct link *l, int err, const char *reason, const char *text);
void link_lose(struct link *l, int err, const char *reason, const char *text);
void link_drop_unsent(struct link *l);
void links_lost(struct modem *m, int err, const char *reason, bool all);
void links_reap(void *ctx);
void links_stop(struct modem *m);
void links_free(struct modem *m);
void link_fill_end(const struct link *l, struct link_end *end);
void link_fill_info(const struct link *l, struct link_info *info);

/* ending.c */
void link_drained(struct link *l);
void link_is_drained(struct link *l);
void link_check_drained(struct link *l);
void link_peer_closed(struct link *l, enum driver_close why,
		      const char *text);
void link_vanished(struct link *l);
void link_line_lost(struct link *l);
void link_send_failed(struct link *l, int err, const char *text);
void link_send_later(struct link *l, const char *text);
/* datagram.c */
struct cut *cut_add(struct cut_list *list, size_t len, const char *address,
		    unsigned int port);
void cut_drop(struct cut_list *list);
void cuts_free(struct cut_list *list);
int datagram_queue(struct link *l, const void *data, size_t len,
		   const struct driver_to *to);
size_t datagram_next(const struct link *l, struct driver_to *to);
bool datagram_refused(struct link *l, int err);
unsigned int datagram_port(struct modem *m);

/* receive.c */
bool receive_step(struct modem *m);
int64_t receive_due(const struct modem *m);
void receive_run(struct modem *m);
void receive_reset(struct modem *m);
void receive_switched(struct modem *m, enum driver_receive mode, int err);
void receive_data(struct link *l, const uint8_t *data, size_t len,
		  const char *from, bool end);
void receive_unnamed(struct modem *m, const uint8_t *data, size_t len,
		     const char *from);
void receive_lost(struct modem *m);
void receive_drop(struct link *l);
bool link_takes_data(const struct link *l);

/* firmware.c */
void firmware_recall(struct modem *m);
void firmware_learn(struct modem *m, const char *what, unsigned long value);

/* modem.c */
void modem_list_capabilities(struct modem *m);

/* schedule.c */
bool slot_is_free(const struct slot *s);
void modem_kick(struct modem *m);
void modem_kick_soon(struct modem *m);
void schedule_kick(void *ctx);
void schedule_due(void *ctx);

/* listener.c */
struct listener *listener_find(struct modem *m, uint64_t id);
void listener_set_state(struct listener *l, enum listener_state to);
void listener_end(struct listener *l, int err, const char *reason,
		  const char *text);
void listener_is_up(struct listener *l);
void listener_failed(struct listener *l, int err, const char *text);
void listener_lose(struct listener *l, const char *reason);
bool listener_exists(const struct modem *m);
void listeners_lost(struct modem *m, int err, const char *reason, bool all);
void listeners_reap(struct modem *m);
void listeners_stop(struct modem *m);
void listeners_free(struct modem *m);
int64_t listeners_due(const struct modem *m);	/* INT64_MAX: never */
void listeners_are_due(struct modem *m);

/* server.c */
bool server_is_free(const struct server *v);
bool servers_step(struct modem *m);
void servers_audited(struct modem *m, const struct driver_table *table);
int64_t servers_due(const struct modem *m);
unsigned int servers_used(const struct modem *m);
void server_on_listening(void *up, unsigned int index, int err,
			 const char *text);
void server_on_unlistened(void *up, unsigned int index, int err,
			  const char *text);
void server_on_lost(void *up, unsigned int index, const char *text);

/* accept.c */
void accept_on_accepted(void *up, unsigned int index, unsigned int slot,
			const char *peer);
bool accept_explains(const struct modem *m, int err);
void accept_move(struct link *l);
void accept_audited(struct modem *m, const struct driver_table *table);
void accept_look(struct modem *m);
void accept_audit_begins(struct modem *m);
bool accept_passing(const struct modem *m);
bool accept_may_have(const struct link *l);
bool accept_leave(struct link *l);

/* link_options.c */
int link_keep_options(struct link *l, const struct link_args *args);
void link_forget_options(struct link *l);
void link_open_args(const struct link *l, struct driver_open_args *out);
/* -EOPNOTSUPP: this modem cannot. */
int link_check_options(const struct link *l);

/* blocking.c */
bool blocking_open(const struct modem *m);
bool blocking_may(const struct modem *m);
bool blocking_may_ask(const struct modem *m);
void blocking_begins(struct modem *m);
void blocking_answered(struct modem *m);
void blocking_settle(struct modem *m);
bool blocking_wants_push(const struct modem *m);
int64_t blocking_due(const struct modem *m);	/* INT64_MAX: never */

/* lease.c */
bool lease_step(struct modem *m);
void lease_pump(struct modem *m);
void lease_link_ended(struct link *l);
int64_t lease_due(const struct modem *m, const struct link *l);
void lease_expired(void *ctx);
void lease_leased(struct modem *m, int err, const char *text);
void lease_unleased(struct modem *m, int err, const char *text);
void lease_data(struct modem *m, const uint8_t *data, size_t len);
void lease_fill_status(const struct modem *m, struct modem_status *out);

/* query.c */
int query_add(struct modem *m, enum driver_query what, const char *text,
	      uint32_t *id);
/* The same with all of @args, of which text is copied. */
int query_add_args(struct modem *m, enum driver_query what,
		   const struct driver_query_args *args, uint32_t *id);
struct query *query_new(struct modem *m, enum driver_query what,
			const struct driver_query_args *args);
int query_begin(struct modem *m, struct query *q);
void query_end(struct modem *m, struct query *q, int err,
	       const struct driver_answer *answer);
bool query_start(struct modem *m);
/* The next that needs a command keeps the line for long. */
bool query_blocks(const struct modem *m);
void query_answered(struct modem *m, uint32_t id, int err,
		    const struct driver_answer *answer);
void queries_fail(struct modem *m, int err);
void queries_free(struct modem *m);
void names_forget(struct modem *m);

/* ask.c */
bool ping_step(struct modem *m);
void pings_end_cancelled(struct modem *m);
void ping_progress(struct modem *m, uint32_t id,
		   const struct driver_echo *echo);
/* Before a close: what the peer acknowledged is asked. ASK_WAIT: not now. */
enum ask { ASK_DONE, ASK_SENT, ASK_WAIT };
enum ask confirm_step(struct link *l);
bool confirm_wanted(const struct link *l);
void confirm_drained(struct link *l);
bool wait_ack_step(struct modem *m);
/* What an answer means for our own state, before its asker is told. */
void query_learn(struct modem *m, const struct query *q, int err,
		  const struct driver_answer *answer);

/* events.c */
void link_drained(struct link *l);
void link_is_open(struct link *l);
const char *open_reason(int err);
extern const struct driver_events modem_driver_events;

#endif
