/* SPDX-License-Identifier: MIT */

/*
 * driver - the whole contract of a dialect: what the daemon may ask of a
 * modem (struct driver), what a modem may report (struct driver_events).
 *
 * The law: an operation that returned 0 ends in exactly one event of its
 * name, also on timeout and on the modem's loss; one that returned -errno
 * makes no event. An operation may be several commands. It ends when both its
 * final line and its result were seen, in either order. No event comes from
 * within the operation itself.
 *
 * Drivers stay naive: the modem layer checks every number they report.
 *
 * Implemented by: simcom.c, w800.c, detect.c.   Called by: modem.
 * Calls: at, base.
 */

#ifndef MODEMD_DRIVER_H
#define MODEMD_DRIVER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct at_channel;
struct at_dialect;
struct at_line;
struct config_links;
struct config_modem;
struct driver;
struct state;
struct timers;

#define DRIVER_LINKS_MAX	16	/* more than any dialect has */
#define DRIVER_LISTENERS_MAX	4
#define DRIVER_LISTENER_UNKNOWN	UINT_MAX	/* the modem did not name it */
#define DRIVER_HOST_MAX		255
#define DRIVER_ADDRESS_MAX	64	/* "192.0.2.1:53", terminated */

/* The way from an answering modem to an open network, one stage at a time. */
enum driver_stage {
	DRIVER_IDENTIFY,	/* echo off, who it is, settings we rely on */
	DRIVER_RATE,		/* tell it to speak at modem.target-baud */
	DRIVER_SIM,		/* a usable SIM; a PIN is tried once, ever */
	DRIVER_REGISTER,	/* context set, registered in a network */
	DRIVER_NET_OPEN,	/* TCP/IP service open, address known */
	DRIVER_NET_CLOSE,	/* whatever is open is closed, and says so */
	DRIVER_CONTEXTS,	/* contexts are looked at, others' are deleted */
	/* All that is relied on is asked and set again, links go on;
	 * -ENETDOWN: the network is not open. */
	DRIVER_CHECK,
	DRIVER_STAGES
};

/* Why the modem closed a link by itself. */
enum driver_close {
	DRIVER_CLOSE_ASKED,	/* answer to close() */
	DRIVER_CLOSE_UNSURE,	/* end of a close() that was not answered */
	DRIVER_CLOSE_LOCAL,	/* by the module */
	DRIVER_CLOSE_PEER,
	DRIVER_CLOSE_TIMEOUT,	/* it could not send */
};

enum driver_cap {
	DRIVER_CAP_TLS		= 1 << 0,
	DRIVER_CAP_IPV6		= 1 << 1,
	DRIVER_CAP_UDP		= 1 << 2,
	DRIVER_CAP_REVERSE_DNS	= 1 << 3,
	DRIVER_CAP_SNTP		= 1 << 4,
	DRIVER_CAP_TRANSPARENT	= 1 << 5,
	DRIVER_CAP_BLOCKING_OPEN = 1 << 6,
	DRIVER_CAP_PUSH		= 1 << 7,	/* and it names the link */
	DRIVER_CAP_PUSH_SOURCE	= 1 << 8,	/* and where datagrams are from */
	DRIVER_CAP_CONFIRMED	= 1 << 9,	/* bytes the peer acknowledged */
	DRIVER_CAP_WAIT_ACK	= 1 << 10,	/* sent() after the peer's ACK */
	DRIVER_CAP_PING		= 1 << 11,
	DRIVER_CAP_SIM		= 1 << 12,	/* a cellular modem */
	DRIVER_CAP_WIFI		= 1 << 13,	/* it joins an access point */
	DRIVER_CAP_TCP_OPTIONS	= 1 << 14,	/* of one link: driver_tcp */
	DRIVER_CAP_LOCAL_ADDRESS = 1 << 15,
	DRIVER_CAP_UDP_FOLLOW	= 1 << 16,	/* DRIVER_UDP_FIRST, _EVERY */
	/* A pull joins datagrams: a UDP link wants push. */
	DRIVER_CAP_PULL_JOINS	= 1 << 17,
	/* Also of listeners: tls. */
	DRIVER_CAP_TLS_SERVER	= 1 << 18,
	/* Also sessions that listen: driver_lease_args. */
	DRIVER_CAP_LEASE_LISTEN	= 1 << 19,
	/* Also TCP links have the local port that was asked for. */
	DRIVER_CAP_TCP_LOCAL_PORT = 1 << 20,
};

/* Which addresses of a name, or of this module. */
enum driver_family {
	DRIVER_ANY,		/* IPv4 before IPv6 */
	DRIVER_IPV4,
	DRIVER_IPV6,
};

/* Whom a UDP link sends to when a datagram came from elsewhere. */
enum driver_udp_remote {
	DRIVER_UDP_FIXED,	/* as open() said */
	DRIVER_UDP_FIRST,	/* the first other sender, from then on */
	DRIVER_UDP_EVERY,	/* the last sender */
};

enum driver_query {
	DRIVER_Q_RESOLVE,	/* text: the name; answer: text, an address */
	DRIVER_Q_REVERSE,	/* text: an address; answer: text, the name */
	DRIVER_Q_SIGNAL,	/* refreshes signal in the info */
	DRIVER_Q_PING,		/* text: the host; ping; answer: ping */
	DRIVER_Q_CONFIRMED,	/* slot; answer: acked */
	DRIVER_Q_WAIT_ACK,	/* number: 0 or 1; answer: number, as it is */
	DRIVER_Q_CONFIG,	/* reads all; answer: the settings hold them */
	DRIVER_Q_SET,		/* setting, number; answer: number, as it is */
	DRIVER_Q_AT,		/* text; answer: text, lines and final */
	DRIVER_Q_RESTART,	/* the modem restarts; no news of it follows */
	DRIVER_Q_TIME,		/* answer: time; with time in the args: set */
};

#define DRIVER_TIME_SERVERS	3

/* The modem's clock and its SNTP. */
struct driver_time {
	bool sntp;			/* it asks servers */
	char servers[DRIVER_TIME_SERVERS][DRIVER_HOST_MAX + 1];	/* "": none */
	int zone_min;			/* minutes east of UTC, -720..840 */
	uint32_t interval_s;		/* 15..4294967; 0: as it is */
	int64_t now_s;			/* since 1970, UTC; -1: not known yet */
	char text[64];			/* as the modem says it */
};

struct driver_ping {
	unsigned int count, size, ttl;
	uint32_t interval_ms, wait_ms;
};

struct driver_query_args {
	const char *text;	/* plain and of legal length */
	unsigned int slot;
	unsigned int setting;	/* index into driver.settings */
	long number;
	uint32_t timeout_ms;	/* Q_AT */
	struct driver_ping ping;
	enum driver_family family;	/* Q_RESOLVE, Q_PING */
	const struct driver_time *time;	/* Q_TIME: to set it; NULL: to read */
};

/* One echo, or that none came. */
struct driver_echo {
	bool timeout;
	char address[DRIVER_ADDRESS_MAX];
	unsigned int size, rtt_ms, ttl;
};

/* All of it borrowed until answered() returns. */
struct driver_answer {
	const char *text;	/* also the modem's words for an error; never NULL */
	long number;
	/* Q_CONFIRMED: bytes since the link was opened, as the modem counts */
	uint64_t sent, acked, received;
	/* Q_PING: packets and ms */
	unsigned int pings_sent, pings_received, pings_lost;
	unsigned int min_ms, max_ms, avg_ms;
	const struct driver_time *time;		/* Q_TIME */
};

/* A socket option of the modem that people may read, and some may set. */
struct driver_setting {
	const char *name;	/* "dns-retries" */
	const char *unit;	/* "ms", "" for none */
	long min, max, def;	/* of the manual */
	const char *command;	/* "AT+CIPDNSSET", for people */
	/* The setting of the configuration that decides it, or "modemd" where
	 * the driver needs it as it is; NULL: it may be set. */
	const char *by;
};

#define DRIVER_TLS_TEXT_MAX	64	/* of a name in TLS */
#define DRIVER_PSK_MAX		32
#define DRIVER_ALPN_MAX		5

/* TLS in the modem. What certificates and keys are is the module's: they are
 * stored in it, and known by number. */
struct driver_tls {
	bool verify;		/* the server's certificate, by the stored CA */
	bool authenticate;	/* with the stored certificate and key */
	unsigned int pki, ca;	/* their numbers */
	char common_name[DRIVER_TLS_TEXT_MAX + 1];	/* to be; "": any */
	char sni[DRIVER_TLS_TEXT_MAX + 1];		/* "": none */
	char alpn[DRIVER_ALPN_MAX][DRIVER_TLS_TEXT_MAX + 1];	/* "": end */
	char psk[DRIVER_PSK_MAX + 1];			/* secret; "": none */
	char psk_hint[DRIVER_PSK_MAX + 1];
};

/* Options of one TCP socket. */
struct driver_tcp {
	int linger_s;			/* -1: none */
	bool nodelay;
	uint32_t send_timeout_ms;	/* 0: the driver's choice */
	unsigned int keepalive_s;	/* 0: none; 1..7200 */
};

struct driver_open_args {
	bool udp;
	enum driver_family family;
	const char *local_address;	/* NULL: any */
	enum driver_udp_remote udp_remote;
	const struct driver_tls *tls;	/* NULL: none */
	struct driver_tcp tcp;
	const char *host;	/* plain and of legal length: broker checked */
	unsigned int port;
	unsigned int local_port;	/* 0: the modem chooses */
	bool inbound;		/* accepted: send() in fixed length only */
};

/* Where a datagram goes. */
struct driver_to {
	const char *address;	/* IPv4, or IPv6 where it can */
	unsigned int port;
};

struct driver_listen_args {
	unsigned int port;
	unsigned int backlog;	/* 1..3 */
	enum driver_family family;	/* DRIVER_ANY is IPv4 */
	bool tls, verify;	/* the clients' certificates */
	unsigned int max_links;	/* that it may accept; 0: all */
	uint32_t idle_s;	/* the module closes them after; 0: never */
};

enum driver_receive {
	DRIVER_PULL,
	DRIVER_PUSH,
};

struct driver_lease_args {
	bool udp, listen;
	const char *host;	/* listen: "" */
	unsigned int port, local_port;
};

/* What is known of modem and SIM; "" and INT_MIN are unknown. */
struct driver_info {
	char manufacturer[64];
	char model[64];
	char revision[96];
	char imei[24];
	char iccid[24];
	char sim[32];		/* ready, pin, puk, absent, blocked, busy */
	char registration[16];	/* home roaming searching denied none */
	char operator_name[64];
	char address[64];
	char address6[64];	/* global */
	char address6_link[64];	/* link-local */
	char mac[24];
	char ap_address[64];	/* its own access point */
	char ap_mac[24];
	char ssid[40];		/* of the access point it has joined */
	int signal_dbm;
	char radio[16];		/* on off */
	char service[64];	/* system mode and band: LTE, EUTRAN-BAND3 */
	char attached[8];	/* to the packet service: yes no */
	bool context_bad;	/* the modem does not take the context: */
	char context[128];	/* why, or what it says of it */
};

/* One slot of the modem's own table. */
struct driver_slot {
	bool known;				/* its line was seen */
	bool open;
	int listener;				/* that accepted it; -1: none */
	char remote[DRIVER_HOST_MAX + 24];	/* host:port as it prints it */
};

struct driver_table {
	struct driver_slot slots[DRIVER_LINKS_MAX];
	/* the port each server listens on, 0: free */
	unsigned int listeners[DRIVER_LISTENERS_MAX];
	bool listeners_known;		/* it told them */
};

/* @err is 0 or -errno; @text the modem's words, "" for none, borrowed. */
struct driver_events {
	/* Also without @err, DRIVER_CONTEXTS says in @text what it did. */
	void (*staged)(void *up, enum driver_stage stage, int err,
		       const char *text);
	/* Instead of staged(DRIVER_IDENTIFY) of driver_auto: it is that one.
	 * The driver that says so must not be used any more. */
	void (*identified)(void *up, const struct driver *driver);
	/* The stage under way asks again in @again_ms; @text says why. */
	void (*waiting)(void *up, const char *text, uint32_t again_ms);
	void (*opened)(void *up, unsigned int slot, int err, const char *text);
	/* @taken counts also when @err is set: the link is then broken,
	 * except for -EMSGSIZE (nothing taken, send less at a time), -EAGAIN
	 * (nothing taken, the next try is another) and -EBUSY (nothing taken,
	 * send the same later). */
	void (*sent)(void *up, unsigned int slot, size_t taken, int err,
		     const char *text);
	void (*pulled)(void *up, unsigned int slot, long rest, int err);
	void (*closed)(void *up, unsigned int slot, enum driver_close why,
		       const char *text);
	/* @table is borrowed; NULL with @err. */
	void (*audited)(void *up, const struct driver_table *table, int err);
	void (*listening)(void *up, unsigned int index, int err,
			  const char *text);
	void (*unlistened)(void *up, unsigned int index, int err,
			   const char *text);
	/* The mode it is in now, whatever was asked for. */
	void (*receiving)(void *up, enum driver_receive mode, int err);
	void (*progress)(void *up, unsigned int id,
			 const struct driver_echo *echo);
	void (*answered)(void *up, unsigned int id, int err,
			 const struct driver_answer *answer);
	/* 0: the session is connected, bytes go both ways. */
	void (*leased)(void *up, int err, const char *text);
	/* The end of it, asked for or not, also after a bad leased(): the modem
	 * takes commands again. @err: why, 0 as asked. */
	void (*unleased)(void *up, int err, const char *text);
	/* unasked */
	void (*readable)(void *up, unsigned int slot);
	/* @from: "192.0.2.1:53", NULL: unknown; @end: of what belongs together,
	 * a datagram or one push. */
	void (*data)(void *up, unsigned int slot, const uint8_t *data,
		     size_t len, const char *from, bool end);
	/* A peer has connected; @slot may be the one that is being opened, or
	 * in any other use; @index: DRIVER_LISTENER_UNKNOWN, too. @peer NULL:
	 * an audit will tell. */
	void (*accepted)(void *up, unsigned int index, unsigned int slot,
			 const char *peer);
	/* A server has gone by itself. */
	void (*listener_lost)(void *up, unsigned int index, const char *text);
	/* Pushed bytes of which the modem does not say whose they are. */
	void (*push_unnamed)(void *up, const uint8_t *data, size_t len,
			     const char *from);
	/* Pushed bytes were lost on the line, and nobody knows whose; what was
	 * given last may be damaged. */
	void (*push_lost)(void *up);
	/* What the peer of a session sent. */
	void (*lease_data)(void *up, const uint8_t *data, size_t len);
	/* lease_write() takes bytes again. */
	void (*lease_writable)(void *up);
	void (*network_lost)(void *up, const char *text);
	void (*rebooted)(void *up, const char *text);
	/* Registration or SIM changed for the better: try again now. */
	void (*hopeful)(void *up, const char *text);
	/* struct driver_info changed. */
	void (*informed)(void *up);
};

/* What a driver is given; all of it outlives the driver. */
struct driver_env {
	struct at_channel *channel;
	struct timers *timers;
	struct state *state;
	const struct config_modem *modem;
	const struct config_links *links;
	const struct driver_events *events;
	void *up;
};

/* Operations: 0, then one event; or -errno (-EBUSY: the channel is not
 * ready), then none. The modem layer calls them only when it is ready. */
struct driver {
	const char *name;
	const struct at_dialect *dialect;
	unsigned int max_links;
	unsigned int max_listeners;
	size_t max_send;		/* bytes in one send */
	size_t max_datagram;		/* bytes in one datagram, both ways */
	size_t max_pull;		/* bytes in one pull */
	size_t max_push;		/* bytes pushed under one header */
	unsigned int caps;		/* enum driver_cap */
	const struct driver_setting *settings;	/* ends with a NULL name */

	void *(*new)(const struct driver_env *env);
	void (*free)(void *d);

	int (*stage)(void *d, enum driver_stage stage);
	/* With DRIVER_CAP_BLOCKING_OPEN nothing else can be done until opened():
	 * data() still comes when the mode is push. */
	int (*open)(void *d, unsigned int slot,
		    const struct driver_open_args *args);
	/* @to: datagrams only; NULL: where open() said. */
	int (*send)(void *d, unsigned int slot, const uint8_t *buf, size_t len,
		    const struct driver_to *to);
	int (*pull)(void *d, unsigned int slot, size_t max);
	int (*close)(void *d, unsigned int slot);
	int (*listen)(void *d, unsigned int index,
		      const struct driver_listen_args *args);
	int (*unlisten)(void *d, unsigned int index);
	/* To push: what is buffered comes as data(), before what is new. */
	int (*receive)(void *d, enum driver_receive mode);
	int (*audit)(void *d);
	int (*query)(void *d, unsigned int id, enum driver_query what,
		     const struct driver_query_args *args);
	/* Ends a running ping early: its answered() comes, -ECANCELED. 0, or
	 * -EBUSY (ask again when the channel is ready). */
	int (*ping_stop)(void *d);
	/* NULL: may be sent as raw AT; else why it may not, a sentence. */
	const char *(*forbids)(const char *command);

	/*
	 * An exclusive session; all links are closed. It takes the network down
	 * and up again: leased(), and later unleased(), after which the modem
	 * layer begins with DRIVER_NET_CLOSE again. lease_write() returns the
	 * bytes it took, 0 when full: lease_writable() follows.
	 */
	int (*lease)(void *d, const struct driver_lease_args *args);
	size_t (*lease_write)(void *d, const uint8_t *data, size_t len);
	int (*unlease)(void *d);

	/* A line nobody asked for, and the payload it counted; no bytes at
	 * all: input was lost, pushed bytes perhaps. */
	void (*line)(void *d, const struct at_line *line);
	void (*data)(void *d, const uint8_t *data, size_t len, bool last);

	/* Ends what links have under way with -ENODEV: their network is gone.
	 * With @modem_gone also the stage, and what was known is forgotten. */
	void (*reset)(void *d, bool modem_gone);

	const struct driver_info *(*info)(void *d);
	/* The value of a setting as last read; -1: not known. */
	long (*setting)(void *d, unsigned int setting);
	/* What the driver sets it to, at each bring-up: modem.options of the
	 * configuration, Q_SET, or its own wish; -1: as the modem has it. */
	long (*wanted)(void *d, unsigned int setting);
};

extern const struct driver driver_simcom;
extern const struct driver driver_w800;
/* Finds out which: identified() ends its DRIVER_IDENTIFY; it has no links. */
extern const struct driver driver_auto;

/* 0, or -EINVAL and half a sentence: a setting of modem.options that no
 * dialect has, or that may not be set to this. */
int driver_check_option(const char *name, long value, char *why, size_t size);

/* The same for modem.dialect: there is no driver of that name. */
int driver_check_dialect(const char *name, char *why, size_t size);

/* By its name; NULL: no such dialect. */
const struct driver *driver_find(const char *dialect);

#endif
