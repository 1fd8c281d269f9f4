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

#include "base/prefix.h"

struct at_channel_stats;
struct at_trace;
struct config;
struct driver_answer;
struct driver_echo;
struct driver_info;
struct driver_ping;
struct driver_setting;
struct driver_tcp;
struct driver_time;
struct driver_tls;
struct driver_to;
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
	uint64_t lost;		/* the modem had them, we did not get them */
};

enum link_kind {
	LINK_TCP,
	LINK_UDP,
	LINK_INBOUND,		/* TCP, accepted by a listener */
	LINK_LEASE,		/* an exclusive session */
};

struct link_args {
	enum link_kind kind;	/* LINK_TCP or LINK_UDP */
	const char *host;	/* checked by the caller; copied; UDP: or "" */
	unsigned int port;
	unsigned int local_port;
	bool never_push, want_source, wait_ack;
	int family;		/* enum driver_family */
	const char *local_address;	/* NULL: any; copied */
	int udp_remote;		/* enum driver_udp_remote */
	const struct driver_tls *tls;	/* LINK_TCP: TLS on it; copied; NULL */
	const struct driver_tcp *tcp;	/* copied; NULL: as the modem has it */
	bool restore;
	uint32_t wait_ms;	/* for a network and a slot; 0: no waiting */
	uint32_t idle_timeout_ms;	/* 0: links.idle-timeout */
	bool has_credit;	/* else links.credit */
	uint32_t credit;	/* bytes to start with */
};

struct link_info {
	uint64_t id;
	enum link_kind kind;
	bool tls;
	uint64_t listener;	/* LINK_INBOUND: that accepted it; else 0 */
	unsigned int local_port;
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
	bool draining;		/* the peer has gone, data is still to be read */
};

/* Why a link ended: @err for programs, @reason as kept in the history. */
struct link_end {
	int err;		/* 0: closed as asked */
	const char *reason;
	const char *modem_text;	/* "" for none */
	uint32_t epoch;
	struct link_counts counts;	/* of that epoch */
};

enum listener_state {
	LISTENER_WAITING,	/* for a network or for a server */
	LISTENER_STARTING,
	LISTENER_LISTENING,
	LISTENER_STOPPING,
	LISTENER_LOST,		/* will be started again */
	LISTENER_ENDED,
};

#define LISTENER_ALLOW_MAX	32

struct listener_policy {
	unsigned int max_links;	/* 0: links.max-inbound */
	struct prefix allow[LISTENER_ALLOW_MAX];
	unsigned int allow_count;	/* 0: everybody */
};

struct listener_args {
	unsigned int port;
	unsigned int backlog;
	int family;		/* enum driver_family */
	bool tls, verify;	/* its clients' certificates */
	uint32_t idle_timeout_ms;	/* 0: links.inbound-idle-timeout */
	bool has_credit;		/* else links.credit */
	uint32_t credit;
	uint32_t wait_ms;		/* for a network and a server */
	struct listener_policy policy;
};

struct listener_info {
	uint64_t id;
	int index;		/* of the modem's servers; -1: none */
	enum listener_state state;
	unsigned int port, backlog, links;
	int family;			/* enum driver_family */
	bool tls;
	uint64_t accepted, refused;
	int64_t opened_wall_ms, opened_mono_ms;
	const struct listener_policy *policy;	/* borrowed until the next turn */
};

struct lease_args {
	uint64_t id;		/* of modem_new_id(); 0: a new one */
	bool udp, listen;
	const char *host;	/* checked by the caller; copied; listen: "" */
	unsigned int port, local_port;
	uint32_t duration_ms;
	bool has_credit;
	uint32_t credit;
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
	/* @from: of a datagram, "192.0.2.1:53"; NULL: unknown, or a stream */
	void (*data)(void *ctx, uint64_t link, const uint8_t *data,
		     size_t len, const char *from);
	/* @err: a datagram was not sent, the link goes on (-EMSGSIZE) */
	void (*sent)(void *ctx, uint64_t link, uint32_t epoch, size_t len,
		     int err);
	void (*confirmed)(void *ctx, uint64_t link, uint32_t epoch,
			  uint64_t confirmed);
	void (*lost)(void *ctx, uint64_t link, const struct link_end *how);
	void (*restored)(void *ctx, uint64_t link, uint32_t epoch);
	void (*closed)(void *ctx, uint64_t link, const struct link_end *how);
	/* Ends modem_listen(): 0, or why not; then its id is dead. */
	void (*listening)(void *ctx, uint64_t listener, int err,
			  const char *text);
	/* A new link, open: the first news of it. */
	void (*accepted)(void *ctx, uint64_t listener, uint64_t link,
			 const char *peer);
	/* Closed at once: -EDQUOT, or -EACCES by its allow list. */
	void (*refused)(void *ctx, uint64_t listener, const char *peer,
			int err);
	void (*listener_lost)(void *ctx, uint64_t listener,
			      const char *reason);
	void (*listener_restored)(void *ctx, uint64_t listener);
	/* Ends modem_unlisten(), or says that it has ended for good. */
	void (*unlistened)(void *ctx, uint64_t listener, int err,
			   const char *reason);
	/* One echo of a ping. */
	void (*progress)(void *ctx, uint32_t query, unsigned int seq,
			 const struct driver_echo *echo);
	void (*answered)(void *ctx, uint32_t query, int err,
			 const struct driver_answer *answer);
	/* Ends modem_reset(): it went down, or why it did not. */
	void (*restarted)(void *ctx, int err, const char *text);
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
	unsigned int listeners_used, listeners_total;
	size_t datagram_max;	/* bytes in one */
	uint64_t lost_bytes;		/* of links that have ended, too */
	uint64_t lease;			/* its link; 0: none */
	uint32_t lease_left_ms;
	bool lease_connected;
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
 * yet; -ENOMEM. On a datagram link it is one datagram: -EMSGSIZE;
 * -EDESTADDRREQ: open() named no remote and @to is NULL. -EINVAL: @to for
 * another link. @to: IPv4, checked by the caller; copied.
 */
int modem_link_send(struct modem *m, uint64_t id, uint32_t epoch,
		    const void *data, size_t len);
int modem_link_send_to(struct modem *m, uint64_t id, uint32_t epoch,
		       const void *data, size_t len,
		       const struct driver_to *to);

/* Will datagrams of such a link have their source? Only push tells. */
bool modem_tells_source(const struct modem *m, const struct link_args *args);

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
int modem_resolve(struct modem *m, const char *name, int family,
		  uint32_t *query);
int modem_reverse(struct modem *m, const char *address, uint32_t *query);
void modem_query_cancel(struct modem *m, uint32_t query);

/*
 * The same for other questions. modem_ping(): one runs at a time, the others
 * wait; cancelled, it is answered with -ECANCELED and what is known.
 * modem_confirmed(): -EBADF, -EOPNOTSUPP; the answer's bytes are of this epoch.
 * modem_set(): @setting is an index into modem_settings().
 * modem_at(): -EACCES and *@why when it may not be sent (and not @force).
 */
int modem_ping(struct modem *m, const char *host, int family,
	       const struct driver_ping *how, uint32_t *query);
int modem_confirmed(struct modem *m, uint64_t link, uint32_t *query);
int modem_read_config(struct modem *m, uint32_t *query);
int modem_set(struct modem *m, unsigned int setting, long value,
	      uint32_t *query);
/* @set NULL: only to read; copied. -EOPNOTSUPP. */
int modem_time(struct modem *m, const struct driver_time *set,
	       uint32_t *query);
int modem_at(struct modem *m, const char *command, uint32_t timeout_ms,
	     bool force, uint32_t *query, const char **why);

/* Ends with a NULL name. The value as last read, -1: not known. */
const struct driver_setting *modem_settings(const struct modem *m);
long modem_setting(const struct modem *m, unsigned int setting);
/* What modemd sets it to, at each bring-up; -1: it does not. */
long modem_setting_wanted(const struct modem *m, unsigned int setting);

/*
 * 0 and *@id: listening() follows. -ENETDOWN, -EMFILE (all servers are taken),
 * -EADDRINUSE (the port is), -EOPNOTSUPP, -ESHUTDOWN, -ENOMEM.
 */
int modem_listen(struct modem *m, const struct listener_args *args,
		 uint64_t *id);
/* Its links are closed first; unlistened() follows. 0 or -EBADF. */
int modem_unlisten(struct modem *m, uint64_t id);
int modem_set_policy(struct modem *m, uint64_t id,
		     const struct listener_policy *policy);
/* The listener with the smallest id > @after: 0 or -ENOENT. */
int modem_listener_next(struct modem *m, uint64_t after,
			struct listener_info *out);

/*
 * An exclusive session, as a link of LINK_LEASE: opened() follows, and all
 * that is true of links holds. Whatever is open is closed for it, links with
 * "lease"; listeners are lost, and restored afterwards. 0 and *@id; -EBUSY: one
 * is there; -ENETDOWN, -ENODEV, -EOPNOTSUPP, -ENOMEM.
 */
int modem_lease(struct modem *m, const struct lease_args *args, uint64_t *id);

/* Does this modem have such sessions at all? */
bool modem_can_lease(const struct modem *m, bool listen);

/* Ends it, not as its client asked: closed() says @err. 0 or -EBADF. */
int modem_lease_end(struct modem *m, uint64_t id, int err, const char *reason);

/* For a link that does not exist yet: never given to another one. */
uint64_t modem_new_id(struct modem *m);

/*
 * Closes the network until it is opened again by this. Links are closed
 * politely, at most recovery.stop-timeout; those with restore wait. 0:
 * network_changed() follows, when it is so; -EALREADY: it is.
 */
int modem_network(struct modem *m, bool up, const char *who);

/* restarted() follows. 0, -ENODEV, -EOPNOTSUPP. */
int modem_reset(struct modem *m, bool hard, const char *who);

/* Everything that is relied on is asked again, links stay as they are. */
void modem_check(struct modem *m, const char *why);

/* From power to network, in order: what `why` shows. */
struct modem_step {
	const char *name;
	const char *state;		/* ok failed waiting unknown */
	char text[320];			/* one sentence */
	int64_t since_wall_ms, since_mono_ms;
	bool will_try;
	uint32_t next_try_ms;
	const char *next;		/* what is tried then, "" for nothing */
};
#define MODEM_STEPS	8
/* How many of @out are filled. */
unsigned int modem_get_steps(struct modem *m, struct modem_step *out);

/* What is borrowed in it holds until the next turn of the loop. */
void modem_get_status(struct modem *m, struct modem_status *out);

/* Asks the modem for its signal, when it is old and nothing else is due. */
void modem_refresh(struct modem *m);

/* Try now what waits for its next try (SIGHUP, network up, a new device). */
void modem_try_now(struct modem *m);

struct at_trace *modem_trace(struct modem *m);
const char *link_state_name(enum link_state state);
const char *link_kind_name(enum link_kind kind);	/* tcp udp tcp-in lease */
const char *listener_state_name(enum listener_state state);

#endif
