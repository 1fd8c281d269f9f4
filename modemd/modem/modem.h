/* SPDX-License-Identifier: MIT */

/*
 * modem - one modem's life, its links, and what to do next.
 *
 * Brings the modem from power to an open network and back there after every
 * fault; opens, feeds, drains and closes links; decides what goes over the
 * line next from the state of the links alone. It knows no client: a link has
 * an id, never reused, and whoever asked for it hears of it by that id.
 *
 * Called by: broker, main.   Calls: driver.h, at/channel, port, base.
 */

#ifndef MODEMD_MODEM_H
#define MODEMD_MODEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct at_channel_stats;
struct at_trace;
struct config;
struct driver_info;
struct modem;
struct port;
struct state;
struct timers;

#define LINK_CREDIT_MAX	262144	/* bytes a link may have on the way up */

enum modem_state {
	MODEM_STOPPED,
	MODEM_NO_DEVICE,	/* waits for the tty to appear */
	MODEM_PORT_BUSY,	/* somebody else holds it */
	MODEM_SILENT,		/* no answer at any rate, so far */
	MODEM_STARTING,		/* answers; is being identified */
	MODEM_SIM,		/* the SIM is not usable yet */
	MODEM_REGISTERING,
	MODEM_READY,
};

enum network_state {
	NETWORK_CLOSED,
	NETWORK_OPENING,
	NETWORK_OPEN,
	NETWORK_LOST,		/* was open; is being opened again */
};

enum link_state {
	LINK_WAITING,		/* for a network or for a slot */
	LINK_OPENING,
	LINK_OPEN,
	LINK_CLOSING,
	LINK_LOST,		/* will be opened again: next epoch */
	LINK_ENDED,		/* its last event is out */
};

/* Accounts of one epoch; see the words in the README. */
struct link_counts {
	uint64_t accepted;
	uint64_t taken;
	int64_t confirmed;	/* -1: unknown */
	uint64_t received;
};

struct link_args {
	const char *host;	/* checked by the caller; copied */
	unsigned int port;
	unsigned int local_port;
	bool restore;
	uint32_t wait_ms;	/* for a network and a slot; 0: no waiting */
	uint32_t idle_timeout_ms;	/* 0: links.idle-timeout */
	bool has_credit;	/* else links.credit */
	uint32_t credit;	/* bytes to start with */
};

struct link_info {
	uint64_t id;
	int slot;		/* -1: none */
	uint32_t epoch;
	enum link_state state;
	const char *host;	/* borrowed until the next turn of the loop */
	unsigned int port;
	struct link_counts counts;
	size_t queued_up;
	uint32_t credit;
	int64_t opened_wall_ms, opened_mono_ms;
	int64_t active_mono_ms;	/* last byte in either direction */
	bool restore;
	bool readable;
};

/* Why a link ended: @err for programs, @reason as kept in the history. */
struct link_end {
	int err;		/* 0: closed as asked */
	const char *reason;
	const char *modem_text;	/* "" for none */
	uint32_t epoch;
	struct link_counts counts;	/* of that epoch */
};

/*
 * News, all of it from the loop and none from within a call, except that
 * @data's bytes are borrowed until it returns. For each link: any number of
 * @queued, then @opened; when that was good, @data and @sent, @lost and
 * @restored in turn, and at last @closed. After a bad @opened, or @closed, the
 * id is dead. Calls into the modem are allowed from all of them.
 */
struct modem_ops {
	void (*queued)(void *ctx, uint64_t link, const char *reason);
	void (*opened)(void *ctx, uint64_t link, const struct link_end *how);
	void (*data)(void *ctx, uint64_t link, const uint8_t *data,
		     size_t len);
	void (*sent)(void *ctx, uint64_t link, uint32_t epoch, size_t len);
	void (*lost)(void *ctx, uint64_t link, const struct link_end *how);
	void (*restored)(void *ctx, uint64_t link, uint32_t epoch);
	void (*closed)(void *ctx, uint64_t link, const struct link_end *how);
	void (*answered)(void *ctx, uint32_t query, int err,
			 const char *answer);
	void (*modem_changed)(void *ctx);
	void (*network_changed)(void *ctx);
	void (*stopped)(void *ctx);
};

struct modem_status {
	enum modem_state state;
	const char *state_name;
	const char *reason;		/* one sentence, "" for none */
	int64_t since_wall_ms, since_mono_ms;
	bool will_try;			/* next_try_ms is set */
	uint32_t next_try_ms;		/* from now */
	enum network_state network;
	const char *network_name;
	const char *network_reason;
	int64_t network_since_wall_ms, network_since_mono_ms;
	uint32_t losses;		/* of an open network */
	uint32_t restarts;		/* of the modem, by itself */
	const struct driver_info *info;
	const char *dialect;
	const char *receive;
	const char *const *capabilities;	/* ends with NULL */
	const struct at_channel_stats *line;
	const struct port *port;
	unsigned int slots_used, slots_total, waiting;
};

/* @cfg, @state and @ops are borrowed for its life. 0 or -errno. */
int modem_new(struct timers *ts, const struct config *cfg, struct state *state,
	      const struct modem_ops *ops, void *ctx, struct modem **out);
void modem_free(struct modem *m);

void modem_start(struct modem *m);
/* Closes all links politely, at most recovery.stop-timeout: then stopped(). */
void modem_stop(struct modem *m);

/*
 * 0 and *@id: opened() follows. -ENETDOWN: no network and no wish to wait;
 * -EMFILE: no slot free and no wish to wait; -ENODEV: no modem; -ESHUTDOWN;
 * -ENOMEM.
 */
int modem_link_open(struct modem *m, const struct link_args *args,
		    uint64_t *id);

/*
 * 0: all of it is accepted. -EBADF: no such link, or closing; -ESTALE: of an
 * earlier epoch, or lost; -EAGAIN: beyond the window; -EBUSY: not open
 * yet; -ENOMEM.
 */
int modem_link_send(struct modem *m, uint64_t id, uint32_t epoch,
		    const void *data, size_t len);

/* Lets @bytes more through to data(), up to LINK_CREDIT_MAX in all.
 * 0, -EBADF, -ESTALE. */
int modem_link_credit(struct modem *m, uint64_t id, uint32_t epoch,
		      uint32_t bytes);

/*
 * Ends the link: closed() follows (opened() with -ECANCELED, when it was not
 * open yet). @reason goes to the history. 0 or -EBADF.
 */
int modem_link_close(struct modem *m, uint64_t id, bool abort,
		     const char *reason);

/* 0 or -EBADF. */
int modem_link_info(struct modem *m, uint64_t id, struct link_info *out);

/* The link with the smallest id > @after: 0 or -ENOENT. */
int modem_link_next(struct modem *m, uint64_t after, struct link_info *out);

/*
 * 0 and *@query: answered() follows. -ENETDOWN, -EBUSY (64 wait), -ENOMEM.
 * Answers are kept for a minute, "there is none" for ten seconds, and who asks
 * what somebody else has asked gets the same answer: one command serves all.
 */
int modem_resolve(struct modem *m, const char *name, uint32_t *query);
int modem_reverse(struct modem *m, const char *address, uint32_t *query);
void modem_query_cancel(struct modem *m, uint32_t query);

/* What is borrowed in it holds until the next turn of the loop. */
void modem_get_status(struct modem *m, struct modem_status *out);

/* Asks the modem for its signal, when it is old and nothing else is due. */
void modem_refresh(struct modem *m);

/* Try now what waits for its next try (SIGHUP, network up, a new device). */
void modem_try_now(struct modem *m);

struct at_trace *modem_trace(struct modem *m);
const char *link_state_name(enum link_state state);

#endif
