/* SPDX-License-Identifier: MIT */

/*
 * private - what the files of the modem layer share. Nobody else includes it.
 *
 *   modem.c     construction, status
 *   life.c      power to network and back: states, stages, recovery
 *   link.c      links: what clients ask of them, how they end
 *   events.c    what the driver reports
 *   schedule.c  what goes over the line next, and when to look again
 *   query.c     questions that are not about a link
 *   receive.c   pull or push, and data that comes
 *   datagram.c  datagrams on their way to the modem
 *   firmware.c  what was learnt of this firmware, kept
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
#define MODEM_QUERIES	64	/* that may wait */
#define MODEM_CAPS	24	/* words for what it can do */
#define MODEM_NAMES	64	/* answers that are kept */

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
	uint32_t epoch;
	enum link_kind kind;
	enum link_state state;
	int slot;			/* -1: none */
	char host[DRIVER_HOST_MAX + 1];
	unsigned int port, local_port;
	bool any_port;			/* UDP: one that we choose */
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
	bool pull_next;			/* whose turn it is: pull or send */
	bool want_close, abort;
	bool peer_closed;		/* drain, then end */
	unsigned int refused_pulls;	/* since then */
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
	uint64_t used;			/* when, in opens: reuse the oldest */
};

struct query {
	TAILQ_ENTRY(query) entry;
	uint32_t id;
	enum driver_query what;
	char text[DRIVER_HOST_MAX + 1];
	bool cancelled;
};

TAILQ_HEAD(query_list, query);

/* A name that was asked for: its answer, until it is too old. */
struct known {
	enum driver_query what;
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

	/* life.c */
	enum modem_state state;
	char reason[320];
	int64_t since_wall_ms, since_mono_ms;
	enum network_state network;
	char network_reason[320];
	int64_t network_since_wall_ms, network_since_mono_ms;
	struct timer *retry;		/* the next try */
	struct backoff backoff;
	unsigned int bauds[MODEM_BAUDS];
	unsigned int baud_count, baud_index;
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

	/* receive.c */
	enum driver_receive receive;	/* as the modem last said */
	enum driver_receive receive_asked;
	bool switching;			/* to receive_asked */
	bool receive_unsure;		/* the switch failed, who knows how */
	bool push_refused;		/* in this network */
	bool push_unnamed;		/* this firmware names no link */
	int64_t receive_after_ms;	/* no switch before */
	uint64_t lost_bytes;		/* received, but for no link */

	/* query.c */
	struct query_list queries;
	struct query *asked;		/* under way */
	unsigned int query_count;
	uint32_t next_query;
	int64_t query_began_ms;
	int64_t query_not_before_ms;	/* half of the line is for links */
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

/* link.c */
struct link *link_find(struct modem *m, uint64_t id);
void link_set_state(struct link *l, enum link_state to);
bool link_take_slot(struct link *l);
void link_end(struct link *l, int err, const char *reason, const char *text);
void link_lose(struct link *l, int err, const char *reason, const char *text);
void links_lost(struct modem *m, int err, const char *reason, bool all);
void links_reap(void *ctx);
void links_stop(struct modem *m);
void links_free(struct modem *m);
void link_fill_end(const struct link *l, struct link_end *end);
void link_fill_info(const struct link *l, struct link_info *info);

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

/* query.c */
int query_add(struct modem *m, enum driver_query what, const char *text,
	      uint32_t *id);
bool query_start(struct modem *m);
void query_answered(struct modem *m, uint32_t id, int err,
		    const struct driver_answer *answer);
void queries_fail(struct modem *m, int err);
void queries_free(struct modem *m);
void names_forget(struct modem *m);

/* events.c */
void link_drained(struct link *l);
extern const struct driver_events modem_driver_events;

#endif
