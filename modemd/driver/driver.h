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
 * Implemented by: simcom.c.   Called by: modem.   Calls: at, base.
 */

#ifndef MODEMD_DRIVER_H
#define MODEMD_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct at_channel;
struct at_line;
struct at_rule;
struct config_links;
struct config_modem;
struct state;
struct timers;

#define DRIVER_LINKS_MAX	16	/* more than any dialect has */
#define DRIVER_HOST_MAX		255

/* The way from an answering modem to an open network, one stage at a time. */
enum driver_stage {
	DRIVER_IDENTIFY,	/* echo off, who it is, settings we rely on */
	DRIVER_RATE,		/* tell it to speak at modem.target-baud */
	DRIVER_SIM,		/* a usable SIM; a PIN is tried once, ever */
	DRIVER_REGISTER,	/* context set, registered in a network */
	DRIVER_NET_OPEN,	/* TCP/IP service open, address known */
	DRIVER_NET_CLOSE,	/* whatever is open is closed */
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
};

enum driver_query {
	DRIVER_Q_RESOLVE,	/* text: the name; answer: an address */
	DRIVER_Q_REVERSE,	/* text: an address; answer: the name */
	DRIVER_Q_SIGNAL,	/* refreshes signal in the info */
};

struct driver_open_args {
	const char *host;	/* plain and of legal length: broker checked */
	unsigned int port;
	unsigned int local_port;	/* 0: the modem chooses */
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
	int signal_dbm;
};

/* One slot of the modem's own table. */
struct driver_slot {
	bool open;
	char remote[DRIVER_HOST_MAX + 24];	/* host:port as it prints it */
};

/* @err is 0 or -errno; @text the modem's words, "" for none, borrowed. */
struct driver_events {
	void (*staged)(void *up, enum driver_stage stage, int err,
		       const char *text);
	/* The stage under way asks again in @again_ms; @text says why. */
	void (*waiting)(void *up, const char *text, uint32_t again_ms);
	void (*opened)(void *up, unsigned int slot, int err, const char *text);
	/* @taken counts also when @err is set: the link is then broken,
	 * except for -EMSGSIZE (nothing taken, send less at a time). */
	void (*sent)(void *up, unsigned int slot, size_t taken, int err,
		     const char *text);
	void (*pulled)(void *up, unsigned int slot, long rest, int err);
	void (*closed)(void *up, unsigned int slot, enum driver_close why,
		       const char *text);
	void (*audited)(void *up, const struct driver_slot *slots, int err);
	void (*answered)(void *up, unsigned int id, int err,
			 const char *answer);
	/* unasked */
	void (*readable)(void *up, unsigned int slot);
	void (*data)(void *up, unsigned int slot, const uint8_t *data,
		     size_t len);
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
	const struct at_rule *rules;
	const char *eol;		/* ends a command */
	unsigned int max_links;
	unsigned int max_listeners;
	size_t max_send;		/* bytes in one send */
	size_t max_pull;		/* bytes in one pull */
	size_t max_push;		/* bytes pushed under one header */
	unsigned int caps;		/* enum driver_cap */

	void *(*new)(const struct driver_env *env);
	void (*free)(void *d);

	int (*stage)(void *d, enum driver_stage stage);
	int (*open)(void *d, unsigned int slot,
		    const struct driver_open_args *args);
	int (*send)(void *d, unsigned int slot, const uint8_t *buf, size_t len);
	int (*pull)(void *d, unsigned int slot, size_t max);
	int (*close)(void *d, unsigned int slot);
	int (*audit)(void *d);
	int (*query)(void *d, unsigned int id, enum driver_query what,
		     const char *text);

	/* A line nobody asked for, and the payload it counted. */
	void (*line)(void *d, const struct at_line *line);
	void (*data)(void *d, const uint8_t *data, size_t len, bool last);

	/* Ends what links have under way with -ENODEV: their network is gone.
	 * With @modem_gone also the stage, and what was known is forgotten. */
	void (*reset)(void *d, bool modem_gone);

	const struct driver_info *(*info)(void *d);
};

extern const struct driver driver_simcom;

/* "auto" and "simcom" today; NULL: no such dialect. */
const struct driver *driver_find(const char *dialect);

#endif
