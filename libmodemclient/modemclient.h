/* SPDX-License-Identifier: MIT */

/*
 * modemclient - the client side of modemd: TCP and UDP through a modem that
 * many programs share.
 *
 * It starts no thread, prints nothing, raises no signal (also no SIGPIPE) and
 * exits nobody's program. One connection belongs to one thread at a time;
 * several threads use several connections.
 *
 * Blocking, all that a program needs:
 *
 *	struct modemclient *mc;
 *	struct modemclient_link *link;
 *	char buf[512];
 *	ssize_t n;
 *
 *	if (modemclient_connect(NULL, &mc) < 0)
 *		errx(1, "%s", modemclient_error(NULL));
 *	if (modemclient_open(mc, "example.org", 80, 60000, &link) < 0)
 *		errx(1, "%s", modemclient_error(mc));
 *	modemclient_write(link, request, strlen(request), 60000);
 *	while ((n = modemclient_read(link, buf, sizeof(buf), 60000)) > 0)
 *		fwrite(buf, 1, (size_t)n, stdout);
 *	modemclient_close(link, 10000, NULL);
 *	modemclient_free(mc);
 *
 * In an event loop: see modemclient_get_fd().
 *
 * Errors are returned as 0 or -errno, and then modemclient_error() is a
 * sentence for people. The meanings that all functions share:
 *
 *	-EINVAL		an argument is out of its range
 *	-ENOMEM		no memory here, or in modemd
 *	-ENOTCONN	the connection to modemd is lost (or not back yet)
 *	-EPROTO		modemd said something that is not the protocol
 *	-ETIMEDOUT	the deadline passed
 *	-EAGAIN		@timeout_ms was 0 and nothing could be done at once
 *	-EDEADLK	a call that waits was made from the event callback
 *
 * and the ones of a link and of the modem:
 *
 *	-EMFILE		all sockets of the modem are taken
 *	-ENETDOWN	the modem has no network now
 *	-ENETRESET	the network went away while the link was open
 *	-ENODEV		no modem: unplugged, silent or restarted
 *	-ECONNREFUSED	the remote host refused or cannot be reached
 *	-EADDRNOTAVAIL	the name has no address
 *	-EADDRINUSE	a listener has that port
 *	-ECONNABORTED	the modem did not take all bytes of a send
 *	-EPIPE		the remote host closed
 *	-EREMOTEIO	the modem answered with an error
 *	-EPERM		an access rule forbids it
 *	-EDQUOT		a limit of the configuration
 *	-EOPNOTSUPP	this modem or this version of modemd cannot
 *	-ESHUTDOWN	modemd is stopping
 *	-ETIME		closed after a long time without a byte
 *	-EBUSY		try later
 *	-EIO		a part of modemd is out of order (the history)
 *
 * Deadlines are milliseconds from the call, 0..INT_MAX; 0 does not wait. A
 * negative one is -EINVAL: nothing here waits for ever.
 *
 * Structs that the library fills are made by it alone, and new versions only
 * append to them. Structs that you fill begin with their size: set them up
 * with the _INIT macros. Text is UTF-8 and never NULL: "" where there is none.
 *
 * Called by: programs.   Calls: libprotobuf-c.
 */

#ifndef MODEMCLIENT_H
#define MODEMCLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MODEMCLIENT_SOCKET	"/run/modemd/modemd.sock"

struct modemclient;		/* a connection to modemd */
struct modemclient_link;	/* a link through the modem */
struct modemclient_listener;	/* a TCP server in the modem */
struct modemclient_event;

/* ------------------------------------------------------------ connection */

typedef void (*modemclient_event_fn)(void *ctx,
				     const struct modemclient_event *ev);

struct modemclient_options {
	size_t size;		/* sizeof(struct modemclient_options) */
	/* NULL: $MODEMD_SOCKET, or else MODEMCLIENT_SOCKET. */
	const char *socket;
	/* 1-64 printable characters, NULL: the program's name. Copied. */
	const char *name;
	/* For modemclient_connect() and each reconnect, ms; 0: 5000. */
	uint32_t timeout_ms;
	/*
	 * When modemd goes away, come back by itself (tries after 0.1 s, then
	 * less and less often, every 5 s at last). Links do not come back:
	 * each is reported closed with -ENOTCONN.
	 */
	bool reconnect;
	/* What happens, for event loops; NULL: nobody wants to know. */
	modemclient_event_fn event;
	void *ctx;
};

#define MODEMCLIENT_OPTIONS_INIT { .size = sizeof(struct modemclient_options) }

/**
 * Connect to modemd and introduce this program. Blocks for at most
 * options.timeout_ms (modemd answers at once, whatever the modem does).
 *
 * @param opts  NULL: the defaults; only read during the call
 * @param out   the connection, free with modemclient_free(); NULL on error
 * @return 0, -ENOENT or -ECONNREFUSED (modemd is not running), -EACCES (the
 *         mode of the socket), -EPROTONOSUPPORT (too old or too new),
 *         -ETIMEDOUT, -EINVAL, -ENOMEM, -EPROTO, or -ENOTCONN (modemd hung
 *         up); modemclient_error(NULL) has the sentence
 */
int modemclient_connect(const struct modemclient_options *opts,
			struct modemclient **out);

/**
 * Hang up. Does not block. Frees the connection and all its links; what was
 * not taken by the modem is lost (modemclient_close() them first). Must not
 * be called from the event callback. NULL is fine.
 */
void modemclient_free(struct modemclient *mc);

/**
 * The sentence to the last -errno that a function of this connection
 * returned. Borrowed until the next call. @mc NULL: of the last
 * modemclient_connect() that failed in this thread.
 */
const char *modemclient_error(const struct modemclient *mc);

/** A fixed sentence for any -errno that this library returns. Never NULL. */
const char *modemclient_strerror(int err);

/** Version of this library, "0.1.0". */
const char *modemclient_version(void);

/** False while the connection is lost. */
bool modemclient_is_connected(const struct modemclient *mc);

/**
 * Block until the connection is there (again).
 *
 * @return 0, -ETIMEDOUT, -EAGAIN, or -ENOTCONN (without options.reconnect)
 */
int modemclient_wait_connected(struct modemclient *mc, int timeout_ms);

/* What modemd said about itself. Borrowed until the next (re)connect. */
const char *modemclient_instance(const struct modemclient *mc);
const char *modemclient_server_version(const struct modemclient *mc);
const char *modemclient_dialect(const struct modemclient *mc);
bool modemclient_has_capability(const struct modemclient *mc, const char *name);
/** May see other users' links and payload, and more by later requests. */
bool modemclient_is_admin(const struct modemclient *mc);

/* ------------------------------------------------------------ event loop */

/*
 * For select, poll, epoll, libevent, GLib: wait until the descriptor is ready
 * for the events or the timeout has passed, then modemclient_process():
 *
 *	struct pollfd p = { modemclient_get_fd(mc),
 *			    modemclient_get_events(mc), 0 };
 *	poll(&p, 1, modemclient_get_timeout_ms(mc));
 *	modemclient_process(mc);
 *
 * Ask all three anew after every call of this library: the events change with
 * what is to be written, the descriptor with a reconnect.
 */

/** The descriptor, -1 while there is none. It stays the library's. */
int modemclient_get_fd(const struct modemclient *mc);

/** POLLIN, or POLLIN | POLLOUT. */
short modemclient_get_events(const struct modemclient *mc);

/** Milliseconds until modemclient_process() is due anyway; -1: not needed. */
int modemclient_get_timeout_ms(const struct modemclient *mc);

/**
 * Read, write and reconnect what can be done without blocking, and run the
 * event callback for what happened.
 *
 * @return 0, or -ENOTCONN when the connection is lost for good (without
 *         options.reconnect), -EPROTO when it was ended for nonsense,
 *         -EDEADLK from within the callback
 */
int modemclient_process(struct modemclient *mc);

enum modemclient_event_type {
	/* About .link: */
	MODEMCLIENT_EVENT_OPENED,	/* ends open_start: .err, .epoch */
	MODEMCLIENT_EVENT_QUEUED,	/* it waits: .reason */
	MODEMCLIENT_EVENT_READABLE,	/* read it until -EAGAIN, 0 or error */
	/* The modem took .bytes: write goes on; .err: it refused them, one
	 * datagram, and the link goes on. */
	MODEMCLIENT_EVENT_SENT,
	MODEMCLIENT_EVENT_CLOSED,	/* its last: .err .reason .counts */
	MODEMCLIENT_EVENT_LINK_LOST,	/* .epoch that ended, its .counts */
	MODEMCLIENT_EVENT_LINK_RESTORED,	/* the new .epoch */
	/* About the modem, where subscribed: */
	MODEMCLIENT_EVENT_NETWORK,	/* .state .reason .address */
	MODEMCLIENT_EVENT_MODEM,	/* .state .reason */
	MODEMCLIENT_EVENT_LINK_NEWS,	/* .info .state .reason, anyone's */
	MODEMCLIENT_EVENT_TRACE,	/* .trace */
	/* About the connection: */
	MODEMCLIENT_EVENT_STOPPING,	/* modemd stops within .deadline_ms */
	MODEMCLIENT_EVENT_EVENTS_LOST,	/* .count, you were too slow */
	MODEMCLIENT_EVENT_DISCONNECTED,	/* .err .reason, after all CLOSED */
	MODEMCLIENT_EVENT_CONNECTED,	/* again, by options.reconnect */
	MODEMCLIENT_EVENT_REPLY,	/* ends a _start: .request .err ... */
	/* About .listener: */
	MODEMCLIENT_EVENT_ACCEPTED,	/* modemclient_accept() has it: .address */
	MODEMCLIENT_EVENT_REFUSED,	/* closed at once: .address .err .reason */
	MODEMCLIENT_EVENT_LISTENER_LOST,	/* .reason; comes back by itself */
	MODEMCLIENT_EVENT_LISTENER_RESTORED,
	/* About a question of one's own: */
	MODEMCLIENT_EVENT_PING,		/* .request .echo */
	/* Somebody asks for the whole modem: see modemclient_lease(). */
	MODEMCLIENT_EVENT_LEASE,	/* .count .state .reason .deadline_ms */
	MODEMCLIENT_EVENT_CONFIRMED,	/* .link .count bytes in this epoch */
};

/* One life (epoch) of a link. Bytes. */
struct modemclient_counts {
	uint64_t accepted;	/* taken over by modemd */
	uint64_t taken;		/* the modem answered for */
	int64_t confirmed;	/* acknowledged by the peer, -1: unknown */
	uint64_t received;	/* delivered to this library */
	uint64_t lost;		/* lost between modem and modemd */
	uint64_t reserved[3];	/* 0 */
};

/*
 * Borrowed, with all it points to, until the callback returns. Fields that the
 * type does not name are 0, "" or NULL.
 *
 * The callback may call all functions with a timeout of 0, all that do not
 * take one, and modemclient_link_free(); not modemclient_free(). It runs in
 * modemclient_process() and in every call that waits.
 */
struct modemclient_event {
	enum modemclient_event_type type;
	struct modemclient *client;
	struct modemclient_link *link;
	int err;			/* 0 or -errno */
	const char *reason;
	int64_t wall_ms;		/* of modemd's clock; 0: ours */
	int64_t mono_ms;
	uint32_t epoch;
	uint32_t bytes;
	const struct modemclient_counts *counts;
	const char *state;		/* as in modemclient_status */
	const char *address;
	uint32_t deadline_ms;
	uint64_t count;
	const struct modemclient_link_info *info;
	const struct modemclient_trace_row *trace;
	uint64_t request;
	const char *const *addresses;	/* resolve_start; ends with NULL */
	const struct modemclient_status *status;	/* status_start */
	struct modemclient_listener *listener;
	const struct modemclient_echo *echo;
	const struct modemclient_ping_result *ping;	/* ping_start */
};

enum modemclient_subscription {
	MODEMCLIENT_NETWORK = 1,	/* NETWORK and MODEM events */
	MODEMCLIENT_LINKS = 2,		/* LINK_NEWS of all clients */
	MODEMCLIENT_TRACE = 4,		/* the AT conversation, masked */
	MODEMCLIENT_TRACE_PAYLOAD = 8,	/* with payload: admins only */
};

/**
 * Choose the events beside those of one's own links: replaces the choice made
 * before; 0: none. It is made again after a reconnect. Blocks for the answer;
 * @timeout_ms 0 only asks.
 *
 * @param what  enum modemclient_subscription, or-ed
 * @return 0, -EPERM, -ETIMEDOUT, -ENOTCONN, -EINVAL
 */
int modemclient_subscribe(struct modemclient *mc, unsigned int what,
			  int timeout_ms);

/* ------------------------------------------------------------ links */

enum modemclient_family {
	MODEMCLIENT_ANY,	/* IPv4 before IPv6 */
	MODEMCLIENT_IPV4,
	MODEMCLIENT_IPV6,	/* capability "ipv6" */
};

/* Whom a UDP link sends to when a datagram came from elsewhere. */
enum modemclient_udp_remote {
	MODEMCLIENT_UDP_FIXED,
	MODEMCLIENT_UDP_FIRST,	/* the first other sender, from then on */
	MODEMCLIENT_UDP_EVERY,	/* the sender of the last datagram */
};

#define MODEMCLIENT_ALPN_MAX	5

/*
 * TLS that the modem speaks (capability "tls"). Certificates and keys are
 * stored in the modem, and known by number. To verify, it needs the time:
 * see modemclient_time().
 */
struct modemclient_tls_options {
	size_t size;		/* sizeof(struct modemclient_tls_options) */
	bool verify;		/* the server's certificate, by CA number @ca */
	bool authenticate;	/* with certificate and key number @pki */
	unsigned int pki, ca;
	const char *common_name;	/* must be the server's, 1..64; NULL: any */
	const char *sni;	/* 1..64; NULL: the host, if that is a name */
	const char *alpn[MODEMCLIENT_ALPN_MAX];	/* 1..64 each; NULL: no more */
	const char *psk;	/* secret, 1..32; NULL: none */
	const char *psk_hint;	/* 1..32 */
};

#define MODEMCLIENT_TLS_OPTIONS_INIT \
	{ .size = sizeof(struct modemclient_tls_options) }

/* Options of one socket (capability "tcp-options"). */
struct modemclient_tcp_options {
	size_t size;		/* sizeof(struct modemclient_tcp_options) */
	int linger_s;		/* -1: none; 0..60 */
	bool nodelay;
	uint32_t send_timeout_ms;	/* of one send, 1000..120000; 0: 5000 */
	unsigned int keepalive_s;	/* 0: none; 1..7200 */
};

#define MODEMCLIENT_TCP_OPTIONS_INIT \
	{ .size = sizeof(struct modemclient_tcp_options), .linger_s = -1 }

struct modemclient_open_options {
	size_t size;		/* sizeof(struct modemclient_open_options) */
	const char *host;	/* name or address; copied */
	uint16_t port;		/* 1..65535 */
	uint16_t local_port;	/* 0: any; TCP: "tcp-local-port" */
	/*
	 * After a network loss modemd opens the link again, by itself and as
	 * often as it takes: see modemclient_wait_restored().
	 */
	bool restore;
	/* Wait for a network and a free socket, ms; 0: fail at once. */
	uint32_t wait_ms;
	/* Closed after this long without a byte, ms; 0: as configured. */
	uint32_t idle_timeout_ms;
	/* Bytes kept unread in this library, 1024..16777216 (UDP: from 1500);
	 * 0: modemd's. */
	uint32_t credit;
	void *data;		/* modemclient_link_get_data() */
	/* UDP: see modemclient_sendto(). Host and port may then be NULL and 0. */
	bool udp;
	/* While it is open the modem is never told to push data. */
	bool never_push;
	/* UDP: where datagrams come from, if the modem tells. */
	bool want_source;
	/* TCP: SENT and drain mean that the peer acknowledged. */
	bool wait_ack;
	enum modemclient_family family;
	const char *local_address;	/* NULL: any; "local-address" */
	enum modemclient_udp_remote udp_remote;	/* capability "udp-follow" */
	const struct modemclient_tls_options *tls;	/* NULL: no TLS */
	const struct modemclient_tcp_options *tcp;	/* NULL: as usual */
};

#define MODEMCLIENT_OPEN_OPTIONS_INIT \
	{ .size = sizeof(struct modemclient_open_options) }

/**
 * Open a TCP link through the modem. Blocks until it is open: a dead host
 * takes the modem up to 120 s, unless @timeout_ms ends it before.
 *
 * @param host  name (up to 253 characters) or address; copied
 * @param port  1..65535
 * @param out   the link; free with modemclient_close(), modemclient_abort()
 *              or modemclient_link_free(); NULL on error
 * @return 0, -EINVAL, -EMFILE, -ENETDOWN, -ENODEV, -ECONNREFUSED,
 *         -EADDRNOTAVAIL, -EREMOTEIO, -EPERM, -EDQUOT, -ESHUTDOWN,
 *         -ETIMEDOUT (yours or the modem's), -ENOTCONN, -EPROTO, -ENOMEM
 */
int modemclient_open(struct modemclient *mc, const char *host, uint16_t port,
		     int timeout_ms, struct modemclient_link **out);

/** The same with options, which are only read during the call. */
int modemclient_open_with(struct modemclient *mc,
			  const struct modemclient_open_options *opts,
			  int timeout_ms, struct modemclient_link **out);

/**
 * The same without blocking: the result is the event OPENED, and one with
 * .err also ends the link (no CLOSED follows).
 *
 * @return 0, -EINVAL, -ENOTCONN, -ENOMEM
 */
int modemclient_open_start(struct modemclient *mc,
			   const struct modemclient_open_options *opts,
			   struct modemclient_link **out);

/**
 * Send bytes. Blocks while the link's window is full (sent, not yet taken by
 * the modem; 64 KiB unless configured) and returns when all of them, or all
 * that could be until the deadline, are on their way to modemd. That is no
 * promise about the peer: modemclient_drain() and modemclient_link_counts()
 * tell more. With @timeout_ms 0 it takes what fits the window now.
 *
 * @return bytes 1..@len (0 for @len 0): these bytes are the library's, never
 *         more. Less than @len: the deadline passed or the link ended in
 *         between; the next call says which. With none taken: -EAGAIN,
 *         -ETIMEDOUT, -EPIPE (closed, by the peer or by you),
 *         -EINPROGRESS (not open yet), -ENETRESET (see
 *         modemclient_wait_restored()), or the error that ended the link
 */
ssize_t modemclient_write(struct modemclient_link *link, const void *buf,
			  size_t len, int timeout_ms);

/**
 * Receive what is there, at least one byte. Blocks until there is one.
 * Reading gives credit back: who does not read slows the peer down.
 *
 * @return bytes 1..@len; 0 when the link was closed by the peer (or by
 *         close_start) and all data was read; or -EAGAIN, -ETIMEDOUT,
 *         -EINPROGRESS, -ENETRESET, or the error that ended the link, all
 *         of them after the last byte
 */
ssize_t modemclient_read(struct modemclient_link *link, void *buf, size_t len,
			 int timeout_ms);

/**
 * Block until the modem has taken every byte written.
 *
 * @return 0, -ETIMEDOUT, -EAGAIN, -ENETRESET, -EPIPE or the error that ended
 *         the link
 */
int modemclient_drain(struct modemclient_link *link, int timeout_ms);

/**
 * Close politely and free the link: what was written is sent first. Blocks
 * until the modem is done. Received data that was not read is dropped. After
 * the deadline the link is aborted, and the counts are the last ones known.
 *
 * @param counts  exact when the result is not -ETIMEDOUT or -ENOTCONN; NULL:
 *                not wanted
 * @return 0 when the modem took all that was accepted, whoever closed; else
 *         why not: -ETIMEDOUT, -EPIPE (the peer closed before), -ENETRESET,
 *         or the error that ended the link. The link is freed in any case,
 *         but for -EINVAL and -EDEADLK.
 */
int modemclient_close(struct modemclient_link *link, int timeout_ms,
		      struct modemclient_counts *counts);

/**
 * The same at once: what the modem has not taken yet is dropped, and counted.
 *
 * @return as modemclient_close(); -ECANCELED when bytes were dropped
 */
int modemclient_abort(struct modemclient_link *link, int timeout_ms,
		      struct modemclient_counts *counts);

/**
 * Begin a polite close without blocking; the event CLOSED ends it. Reading
 * goes on until then, writing does not.
 *
 * @return 0, -EALREADY, -ENOTCONN, -ENOMEM
 */
int modemclient_close_start(struct modemclient_link *link);

/**
 * Free a link, which is aborted if it is not closed yet. Does not block. The
 * handle is invalid afterwards and no event will name it. NULL is fine.
 */
void modemclient_link_free(struct modemclient_link *link);

/**
 * For links opened with `restore`: after a network loss, read and write give
 * the data that had arrived and then -ENETRESET, until the program has taken
 * notice, which it does here (or by the event LINK_RESTORED). Blocks until
 * modemd has opened the link again. What modemd had not given to the modem is
 * gone: modemclient_link_lost_counts() tells how much arrived, and the program
 * decides what to send again. Unread data of the ended epoch is dropped.
 *
 * @return 0: a new epoch has begun, window, credit and counts anew (also when
 *         nothing was lost); -ETIMEDOUT, -EAGAIN, or what ended the link
 */
int modemclient_wait_restored(struct modemclient_link *link, int timeout_ms);

/**
 * Send one datagram, of 1..1500 bytes. Some firmware takes less: it is then
 * dropped, and the event SENT and modemclient_drain() have -EMSGSIZE (or
 * -EINVAL for an address it does not like). Blocks while the window is full.
 * modemclient_write() is the same without an address.
 *
 * @param address  IPv4; NULL: as the link was opened with
 * @param port     1..65535; 0 with NULL
 * @return @len; -EINVAL, -EMSGSIZE, -EDESTADDRREQ, -EAGAIN, -ETIMEDOUT,
 *         -EINPROGRESS, -ENETRESET, -EPIPE, or what ended the link
 */
ssize_t modemclient_sendto(struct modemclient_link *link, const void *buf,
			   size_t len, const char *address, uint16_t port,
			   int timeout_ms);

/**
 * Receive one datagram; what does not fit @len is dropped, as in recv(2).
 * Blocks until there is one.
 *
 * @param address  its source, "" when the modem does not tell; at least
 *                 MODEMCLIENT_ADDRESS_MAX bytes, or NULL
 * @param port     NULL or its port, 0 when the modem does not tell
 * @return its bytes, which may be more than @len; or as modemclient_read()
 */
ssize_t modemclient_recvfrom(struct modemclient_link *link, void *buf,
			     size_t len, char *address, uint16_t *port,
			     int timeout_ms);
#define MODEMCLIENT_ADDRESS_MAX	64

struct modemclient_confirmed {
	uint64_t sent;		/* bytes, as the modem counts */
	uint64_t confirmed;	/* acknowledged by the peer's TCP */
	uint64_t received;	/* by the modem */
	uint64_t delivered;	/* by modemd, to this library */
	uint64_t lost;		/* between modem and modemd */
};

/**
 * Ask the modem what the peer's TCP has acknowledged. Blocks for the answer.
 *
 * @return 0, -EBADF, -EOPNOTSUPP (not TCP, or this modem cannot), -EREMOTEIO,
 *         -ETIMEDOUT, -ENOTCONN
 */
int modemclient_confirmed(struct modemclient_link *link, int timeout_ms,
			  struct modemclient_confirmed *out);

/** "192.0.2.1:53211" for an accepted link, host:port for others, or "". */
const char *modemclient_link_remote(const struct modemclient_link *link);

/** Counts of the present epoch, or the final ones once the link is closed. */
void modemclient_link_counts(const struct modemclient_link *link,
			     struct modemclient_counts *out);

/**
 * Counts of the epoch that was lost last, as modemd knows them: exact.
 *
 * @return its epoch, 0 if none was lost (then @out is all 0)
 */
uint32_t modemclient_link_lost_counts(const struct modemclient_link *link,
				      struct modemclient_counts *out);

/** 1 at first, more by each restore; 0 until modemd has answered. */
uint32_t modemclient_link_epoch(const struct modemclient_link *link);

/** modemd's number of the link, as in `modemctl links`; 0 until it said so. */
uint64_t modemclient_link_id(const struct modemclient_link *link);

/** 0: open; -EINPROGRESS; -ENETRESET: lost now; -EPIPE: closed; the error. */
int modemclient_link_error(const struct modemclient_link *link);

/** Why it waits, was lost or closed; borrowed until its next event. */
const char *modemclient_link_reason(const struct modemclient_link *link);

/** Bytes that modemclient_read() would give, and _write() take, at once. */
size_t modemclient_link_readable(const struct modemclient_link *link);
size_t modemclient_link_writable(const struct modemclient_link *link);

struct modemclient *
modemclient_link_client(const struct modemclient_link *link);
void *modemclient_link_get_data(const struct modemclient_link *link);
void modemclient_link_set_data(struct modemclient_link *link, void *data);

/* ------------------------------------------------------------ listeners */

struct modemclient_listen_options {
	size_t size;		/* sizeof(struct modemclient_listen_options) */
	uint16_t port;		/* 1..65535 */
	unsigned int backlog;	/* 1..3; 0: 3 */
	/* Links at a time, 1..10; 0: as configured. More are closed at once. */
	unsigned int max_links;
	uint32_t idle_timeout_ms;	/* of its links; 0: as configured */
	/* "192.0.2.1", "192.0.2.0/24", at most 32; ends with NULL; NULL: all. */
	const char *const *allow;
	uint32_t credit;	/* of its links, as in open_options */
	uint32_t wait_ms;	/* for a network and a free server */
	void *data;		/* modemclient_listener_get_data() */
	enum modemclient_family family;	/* ANY: IPv4 */
	bool tls;		/* capability "tls-server" */
	bool verify;		/* its clients' certificates */
};

#define MODEMCLIENT_LISTEN_OPTIONS_INIT \
	{ .size = sizeof(struct modemclient_listen_options) }

/**
 * Start a TCP server in the modem, which has 4. Blocks until it listens.
 *
 * @param out  free with modemclient_listener_close()
 * @return 0, -EINVAL, -EMFILE (all servers are taken), -EADDRINUSE,
 *         -ENETDOWN, -ENODEV, -EOPNOTSUPP, -EREMOTEIO, -EPERM, -ETIMEDOUT,
 *         -ENOTCONN, -ENOMEM
 */
int modemclient_listen(struct modemclient *mc,
		       const struct modemclient_listen_options *opts,
		       int timeout_ms, struct modemclient_listener **out);

/**
 * Take a connection. Blocks until there is one. It is read, written and
 * closed as any link, and outlives the handle of its listener. Its events
 * begin now: read it, before the first READABLE.
 *
 * @return 0, -ETIMEDOUT, -EAGAIN, -ENOTCONN, -EPIPE (the listener has ended)
 */
int modemclient_accept(struct modemclient_listener *listener, int timeout_ms,
		       struct modemclient_link **out);

/** Replace what it lets in. Blocks for the answer. @allow as above. */
int modemclient_accept_policy(struct modemclient_listener *listener,
			      unsigned int max_links,
			      const char *const *allow, int timeout_ms);

/**
 * Stop it and free the handle. The modem cannot stop a server that has links:
 * modemd closes them. Blocks until it is done; the handle is freed in any
 * case, but for -EINVAL and -EDEADLK.
 */
int modemclient_listener_close(struct modemclient_listener *listener,
			       int timeout_ms);

uint64_t modemclient_listener_id(const struct modemclient_listener *listener);
void *
modemclient_listener_get_data(const struct modemclient_listener *listener);

/* ------------------------------------------------------------ lease */

struct modemclient_lease_options {
	size_t size;		/* sizeof(struct modemclient_lease_options) */
	const char *host;	/* NULL with listen */
	uint16_t port;		/* 1..65535 */
	uint16_t local_port;	/* 0: the modem chooses */
	bool udp;
	bool listen;		/* wait for one connection to @port */
	uint32_t duration_ms;	/* 1000..3600000; 0: 300000 */
	uint32_t wait_ms;	/* for the others, 0..600000 */
	uint32_t credit;	/* as in open_options */
};

#define MODEMCLIENT_LEASE_OPTIONS_INIT \
	{ .size = sizeof(struct modemclient_lease_options) }

/**
 * Have the whole modem for one link whose bytes are not wrapped in commands.
 * Nobody else can use it meanwhile: it is granted when no link is open and
 * the owners of listeners agree, to admins after wait_ms in any case. Blocks
 * until it is connected. The link is used as any other; closing it, or
 * duration_ms, ends the lease. Taken bytes are those that went to the modem:
 * it tells nothing about single ones. Three plus signs that stand alone are
 * sent with a pause of a second before the third; with udp they are two
 * datagrams.
 *
 * @return 0, -EBUSY (others use the modem), -EOPNOTSUPP, or as of open
 */
int modemclient_lease(struct modemclient *mc,
		      const struct modemclient_lease_options *opts,
		      int timeout_ms, struct modemclient_link **out);

/**
 * The same without blocking: the event OPENED, as of modemclient_open_start();
 * modemclient_link_free() before that takes the wish back.
 */
int modemclient_lease_start(struct modemclient *mc,
			    const struct modemclient_lease_options *opts,
			    struct modemclient_link **out);

/**
 * End a lease, or a wish for one, before its time: one's own, or as an admin
 * anybody's. Blocks for the answer; the session ends some seconds later.
 *
 * @param lease  modemclient_link_id(), or link of modemclient_lease_info
 * @return 0, -EBADF (there is none), -EPERM, or as of modemclient_status()
 */
int modemclient_unlease(struct modemclient *mc, uint64_t lease,
			int timeout_ms);

/** Answer MODEMCLIENT_EVENT_LEASE of state "asked"; @lease is its .count. */
int modemclient_lease_answer(struct modemclient *mc, uint64_t lease,
			     bool agree);

/* ------------------------------------------------------------ questions */

/*
 * Times: wall_ms is milliseconds since 1970 UTC by modemd's clock, which may
 * be wrong on a board without one (clock_confirmed); mono_ms is milliseconds
 * of CLOCK_MONOTONIC of the same boot. 0: unknown.
 */

struct modemclient_modem_info {
	/* no-device port-busy silent starting sim registering ready stopped */
	const char *state;
	const char *reason;
	int64_t since_wall_ms, since_mono_ms;
	int64_t next_try_ms;		/* from now; -1: nothing is planned */
	const char *dialect, *manufacturer, *model, *revision;
	const char *imei, *iccid;
	const char *sim;		/* ready pin puk absent ... */
	const char *registration;	/* home roaming searching denied none */
	const char *operator_name;
	bool has_signal;
	int signal_dbm;
	const char *receive;		/* pull push */
	uint32_t restarts;
};

struct modemclient_network_info {
	const char *state;		/* open opening closed lost */
	const char *reason;
	const char *address;
	int64_t since_wall_ms, since_mono_ms;
	int64_t next_try_ms;		/* from now; -1: nothing is planned */
	uint32_t losses;		/* since modemd started */
	const char *address6;		/* IPv6, global */
	const char *address6_link;	/* IPv6, link-local */
	const char *mac;
	const char *ap_address, *ap_mac;	/* of its own access point */
	const char *ssid;		/* of the access point it has joined */
};

struct modemclient_line_info {
	const char *device;		/* as configured */
	const char *path;		/* what it is now */
	uint32_t baud;
	const char *backend;
	uint64_t bytes_in, bytes_out;
	uint64_t commands, timeouts, resyncs;
	uint64_t unknown_lines, stray_finals, garbage_bytes, lost_payloads;
	bool stalled;			/* CTS low: output does not flow */
	uint64_t lost_bytes;		/* as the modem's own counts show */
};

struct modemclient_history_info {
	uint64_t committed;		/* rows safe on the disk */
	uint32_t queued;
	uint64_t dropped;
	const char *error;		/* "": in order */
	const char *database;
};

struct modemclient_status {
	const char *instance, *version, *boot_id;
	uint32_t pid;
	int64_t started_wall_ms;
	bool clock_confirmed;
	/* Never NULL. */
	const struct modemclient_modem_info *modem;
	const struct modemclient_network_info *network;
	const struct modemclient_line_info *line;
	const struct modemclient_history_info *history;
	uint32_t links_used, links_total, links_waiting, clients;
	const char *const *capabilities;	/* ends with NULL */
	/* From power to network; ends with a NULL name. */
	const struct modemclient_step *steps;
	const struct modemclient_lease_info *lease;	/* NULL: none */
	uint32_t listeners_used, listeners_total;
};

struct modemclient_step {
	const char *name;
	const char *state;		/* ok failed waiting unknown */
	const char *text;		/* one sentence */
	int64_t since_wall_ms, since_mono_ms;
	int64_t next_try_ms;		/* from now; -1: nothing is planned */
	const char *next;		/* what is tried then */
};

struct modemclient_lease_info {
	uint64_t link;
	const char *client, *remote;
	const char *state;		/* asked starting connected ending */
	uint32_t left_ms;
};

/**
 * How modem, network and modemd are. Blocks for the answer.
 *
 * @param out  free with modemclient_status_free(); NULL on error
 * @return 0, -ETIMEDOUT, -ENOTCONN, -EPROTO, -ENOMEM
 */
int modemclient_status(struct modemclient *mc, int timeout_ms,
		       struct modemclient_status **out);
void modemclient_status_free(struct modemclient_status *st);

/**
 * The same without blocking: the event REPLY with @request ends it.
 *
 * @return 0, -ENOTCONN, -ENOMEM
 */
int modemclient_status_start(struct modemclient *mc, uint64_t *request);

struct modemclient_link_info {
	uint64_t link;
	int slot;			/* the modem's number; -1: none now */
	uint32_t epoch;
	/* waiting opening open draining closing lost; draining: the peer has
	 * gone, the rest of its data waits to be read */
	const char *state;
	const char *type;		/* tcp udp tls tcp-in lease */
	const char *remote;		/* host:port */
	const char *client;
	int32_t pid;
	uint32_t uid;
	struct modemclient_counts counts;
	uint32_t queued_up;		/* accepted, not yet taken */
	uint32_t credit;
	int64_t opened_wall_ms, opened_mono_ms;
	bool restore;
	uint64_t idle_ms;
	bool readable;			/* the modem holds data for it */
	uint64_t listener;		/* that accepted it; 0: none */
	uint16_t local_port;		/* 0: the modem's choice */
};

struct modemclient_listener_info {
	uint64_t listener;
	int index;			/* the modem's number; -1: none now */
	const char *state;	/* waiting starting listening stopping lost */
	uint16_t port;
	const char *client;
	int32_t pid;
	uint32_t uid;
	uint32_t backlog, max_links, links;
	uint64_t accepted, refused;
	const char *const *allow;	/* ends with NULL */
	int64_t opened_wall_ms, opened_mono_ms;
	enum modemclient_family family;
	bool tls;
};

struct modemclient_client_info {
	uint64_t client;
	const char *name;
	int32_t pid;
	uint32_t uid, gid;
	const char *comm, *unit;
	bool admin;
	uint32_t links;
	uint64_t sent, received;	/* taken and received, all its links */
	int64_t connected_wall_ms, connected_mono_ms;
	uint32_t queued;		/* bytes it has not read yet */
	uint64_t events_lost;
};

/*
 * Lists come row by row: a row is borrowed until @row returns; false ends the
 * list early (and is no error). They block for the answer. Return 0,
 * -ETIMEDOUT, -ENOTCONN, -EPERM, -EIO, -EPROTO, -ENOMEM.
 */

/** Links of all clients, with their owners. */
int modemclient_links(struct modemclient *mc, int timeout_ms,
		      bool (*row)(void *ctx,
				  const struct modemclient_link_info *info),
		      void *ctx);

/** Listeners of all clients, with their owners. */
int modemclient_listeners(struct modemclient *mc, int timeout_ms,
			  bool (*row)(void *ctx,
				const struct modemclient_listener_info *info),
			  void *ctx);

/** Programs that are connected to modemd. */
int modemclient_clients(struct modemclient *mc, int timeout_ms,
			bool (*row)(void *ctx,
				    const struct modemclient_client_info *info),
			void *ctx);

struct modemclient_history_query {
	size_t size;		/* sizeof(struct modemclient_history_query) */
	int64_t since_wall_ms;	/* 0: from the first */
	int64_t until_wall_ms;	/* 0: to the last */
	const char *client;	/* exact name; NULL: any */
	const char *remote;	/* host, or host:port; NULL: any */
	const char *reason;	/* or kind of event; NULL: any */
	uint64_t limit;		/* rows; 0: all */
};

#define MODEMCLIENT_HISTORY_QUERY_INIT \
	{ .size = sizeof(struct modemclient_history_query) }

/* One life (epoch) of one link. */
struct modemclient_session {
	int64_t id;
	uint64_t link;
	uint32_t epoch;
	const char *instance, *boot_id;
	const char *client;
	int32_t pid;
	uint32_t uid;
	const char *comm, *unit, *exe;
	const char *type, *remote;
	int slot;
	const char *rule;
	bool closed;			/* false: still open */
	int64_t opened_wall_ms, opened_mono_ms;
	int64_t closed_wall_ms, closed_mono_ms;
	struct modemclient_counts counts;
	const char *reason, *modem_text;
	bool clock_confirmed;
};

struct modemclient_history_event {
	int64_t id;
	const char *instance, *boot_id;
	int64_t wall_ms, mono_ms;
	const char *kind;	/* modem network client daemon history */
	const char *text;
	bool clock_confirmed;
};

/** The sessions, newest first; as many pages as it takes. @q NULL: all. */
int modemclient_sessions(struct modemclient *mc,
			 const struct modemclient_history_query *q,
			 int timeout_ms,
			 bool (*row)(void *ctx,
				     const struct modemclient_session *s),
			 void *ctx);

/** What happened to modem, network and modemd, in the same way. */
int modemclient_events(struct modemclient *mc,
		       const struct modemclient_history_query *q,
		       int timeout_ms,
		       bool (*row)(void *ctx,
				   const struct modemclient_history_event *e),
		       void *ctx);

struct modemclient_trace_row {
	uint64_t seq;
	int64_t wall_ms;
	int64_t mono_us;		/* microseconds */
	/* command payload-out line payload-in prompt note */
	const char *kind;
	uint32_t length;		/* bytes on the line */
	const char *text;		/* escaped; masked by default */
};

/**
 * The AT conversation that modemd remembers, oldest first.
 *
 * @param after_seq  rows after this one only; 0: all
 * @param payload    with payload: admins only
 */
int modemclient_trace(struct modemclient *mc, uint64_t after_seq, bool payload,
		      int timeout_ms,
		      bool (*row)(void *ctx,
				  const struct modemclient_trace_row *row),
		      void *ctx);

/**
 * Ask the modem for the addresses of a name. Blocks for the answer, which may
 * take the modem many seconds.
 *
 * @param out  ends with NULL; free with modemclient_addresses_free()
 * @return 0, -EADDRNOTAVAIL, -ENETDOWN, -ENODEV, -EREMOTEIO, -ETIMEDOUT,
 *         -ENOTCONN, -EINVAL, -EPROTO, -ENOMEM
 */
int modemclient_resolve(struct modemclient *mc, const char *name,
			int timeout_ms, char ***out);
int modemclient_resolve_family(struct modemclient *mc, const char *name,
			       enum modemclient_family family, int timeout_ms,
			       char ***out);
void modemclient_addresses_free(char **addresses);

/**
 * Ask the modem for the names of an IPv4 address. Blocks for the answer.
 *
 * @param out  ends with NULL; free with modemclient_addresses_free()
 * @return 0, -EADDRNOTAVAIL (it has no name), -EOPNOTSUPP (this modem cannot),
 *         or as of modemclient_resolve()
 */
int modemclient_reverse(struct modemclient *mc, const char *address,
			int timeout_ms, char ***out);

struct modemclient_ping_options {
	size_t size;		/* sizeof(struct modemclient_ping_options) */
	const char *host;
	unsigned int count;	/* 1..100; 0: 4 */
	unsigned int bytes;	/* 4..188; 0: 64 */
	uint32_t interval_ms;	/* 1000..10000; 0: 2000 */
	uint32_t wait_ms;	/* for an echo, 10000..100000; 0: 10000 */
	unsigned int ttl;	/* 16..255; 0: 255 */
	enum modemclient_family family;
};

#define MODEMCLIENT_PING_OPTIONS_INIT \
	{ .size = sizeof(struct modemclient_ping_options) }

/* An echo, or that none came in time. */
struct modemclient_echo {
	uint32_t seq;		/* from 1 */
	bool timeout;
	const char *address;
	uint32_t size, rtt_ms, ttl;	/* size and ttl 0: not told */
};

struct modemclient_ping_result {
	uint32_t sent, received, lost;
	uint32_t min_ms, max_ms, avg_ms;	/* 0 when nothing came back */
	char address[MODEMCLIENT_ADDRESS_MAX];
};

/**
 * Ping a host from the modem. Blocks until all echoes came or did not.
 *
 * @param echo  called for each; false stops the ping; NULL: not wanted
 * @param out   also filled when it was stopped
 * @return 0, -ECANCELED (by @echo), -EADDRNOTAVAIL, -ENETDOWN, -ENODEV,
 *         -EREMOTEIO, -ETIMEDOUT, -ENOTCONN, -EINVAL
 */
int modemclient_ping(struct modemclient *mc,
		     const struct modemclient_ping_options *opts,
		     int timeout_ms,
		     bool (*echo)(void *ctx,
				  const struct modemclient_echo *echo),
		     void *ctx, struct modemclient_ping_result *out);

/** The same without blocking: PING events, and REPLY with .ping ends it.
 * modemclient_cancel() stops it. */
int modemclient_ping_start(struct modemclient *mc,
			   const struct modemclient_ping_options *opts,
			   uint64_t *request);

/**
 * A raw AT command; admins only. Blocks for its final line.
 *
 * @param force  also what upsets modemd, which then checks everything again
 * @param line   called for each line before the final one
 * @param final  the final line, NULL: not wanted; "" when none came
 * @return 0, -EREMOTEIO (the modem said no: see @final), -EPERM (you may not),
 *         -EINVAL (refused: modemclient_error() says why), -ETIMEDOUT, ...
 */
int modemclient_at(struct modemclient *mc, const char *command, bool force,
		   int timeout_ms, bool (*line)(void *ctx, const char *line),
		   void *ctx, char *final, size_t final_size);

/** Open or close the network; admins only. Blocks until it is so. */
int modemclient_network(struct modemclient *mc, bool up, int timeout_ms);

/** Restart the modem; admins only. Blocks until it went down. */
int modemclient_reset(struct modemclient *mc, bool hard, int timeout_ms);

struct modemclient_setting {
	const char *name, *value, *unit;
	int64_t min, max, default_value;
	const char *command;		/* "AT+CIPDNSSET" */
	const char *by;			/* what sets it */
	bool fixed;			/* modemd needs it as it is */
	const char *wanted;		/* where the modem took another value */
};

/**
 * The modem's socket options. Blocks for the answer.
 *
 * @param set  "NAME=VALUE", ends with NULL; admins only; NULL: only read
 * @return 0, -EINVAL (no such option, out of its range, fixed), -EPERM, ...
 */
int modemclient_config(struct modemclient *mc, const char *const *set,
		       int timeout_ms,
		       bool (*row)(void *ctx,
				   const struct modemclient_setting *s),
		       void *ctx);

#define MODEMCLIENT_TIME_SERVERS	3

/* The modem's clock (capability "time"). */
struct modemclient_time {
	bool sntp;		/* it asks servers */
	const char *servers[MODEMCLIENT_TIME_SERVERS + 1];	/* NULL: no more */
	int zone_min;		/* minutes east of UTC, -720..840 */
	uint32_t interval_s;	/* between synchronisations, 15..4294967 */
	int64_t time_ms;	/* since 1970, UTC; -1: not known yet */
	const char *text;	/* as the modem says it */
};

struct modemclient_time_options {
	size_t size;		/* sizeof(struct modemclient_time_options) */
	bool set_sntp, sntp;
	const char *servers[MODEMCLIENT_TIME_SERVERS];	/* [0] NULL: as it is */
	bool set_zone;
	int zone_min;
	uint32_t interval_s;	/* 0: as it is */
};

#define MODEMCLIENT_TIME_OPTIONS_INIT \
	{ .size = sizeof(struct modemclient_time_options) }

/**
 * The modem's clock and SNTP. Blocks for the answer.
 *
 * @param set  admins only; NULL: only read
 * @param row  called once, with what is borrowed until it returns
 * @return 0, -EOPNOTSUPP, -EINVAL, -EPERM, -EREMOTEIO, ...
 */
int modemclient_time(struct modemclient *mc,
		     const struct modemclient_time_options *set,
		     int timeout_ms,
		     bool (*row)(void *ctx, const struct modemclient_time *t),
		     void *ctx);

/** The same without blocking: the event REPLY with @request ends it. */
int modemclient_resolve_start(struct modemclient *mc, const char *name,
			      uint64_t *request);

/**
 * Cancel what a _start began: its REPLY comes with -ECANCELED, unless it had
 * ended already.
 *
 * @return 0, -ENOENT (no such request), -ENOTCONN, -ENOMEM
 */
int modemclient_cancel(struct modemclient *mc, uint64_t request);

#ifdef __cplusplus
}
#endif

#endif
