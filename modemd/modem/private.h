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
 *   lease.c     the exclusive session: a link that has the line for itself
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
#define MODEM_CAPS	8	/* words for what it can do */
#define MODEM_NAMES	64	/* answers that are kept */

struct link {
	TAILQ_ENTRY(link) entry;	/* in the order of ids */
	struct modem *modem;
	uint64_t id;
	enum link_kind kind;
	uint32_t epoch;
	enum link_state state;
	int slot;			/* -1: none */
	char host[DRIVER_HOST_MAX + 1];
	unsigned int port, local_port;
	bool restore;
	uint32_t idle_timeout_ms;
	int64_t wait_until_ms;		/* WAITING: then it gives up; 0: now */
	int64_t retry_at_ms;		/* LOST: not before */
	int64_t close_by_ms;		/* a polite close: then at once */
	struct backoff backoff;		/* of LOST */
	struct link_counts counts;
	struct evbuffer *tx;		/* accepted, not yet taken */
	struct evbuffer *rx;		/* LINK_LEASE: beyond the credit; NULL */
	size_t inflight;		/* of it, in the modem's hands */
	uint32_t credit;
	uint32_t first_credit;
	bool readable;			/* the modem holds data, or may */
	bool pull_next;			/* whose turn it is: pull or send */
	bool want_close, abort;
	bool peer_closed;		/* drain, then end */
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

	/* lease.c */
	enum lease_phase lease_phase;
	struct link *lease;		/* NULL: none, or it has ended */
	bool lease_udp, lease_listen;
	bool lease_ending;		/* unlease() was asked for */
	int64_t lease_until_ms;
	struct timer *lease_timer;

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
/* The network is closed for a session; and is opened again after it. @sure:
 * it is in command mode. */
void life_leased(struct modem *m);
void life_unleased(struct modem *m, bool sure);

/* link.c */
struct link *link_new(struct modem *m, const struct link_args *args);
void link_free(struct link *l);
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

/* schedule.c */
bool slot_is_free(const struct slot *s);
void modem_kick(struct modem *m);
void modem_kick_soon(struct modem *m);
void schedule_kick(void *ctx);
void schedule_due(void *ctx);

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
bool query_start(struct modem *m);
void query_answered(struct modem *m, uint32_t id, int err,
		    const struct driver_answer *answer);
void queries_fail(struct modem *m, int err);
void queries_free(struct modem *m);
void names_forget(struct modem *m);

/* events.c */
void link_is_open(struct link *l);
const char *open_reason(int err);
extern const struct driver_events modem_driver_events;

#endif
