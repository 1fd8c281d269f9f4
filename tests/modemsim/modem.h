/* SPDX-License-Identifier: MIT */

/*
 * modem - the module as a whole: its parts, its power, its dialect.
 *
 * A row of parts: handlers get the struct and use what they need. The dialect
 * is the text; everything else is common.
 *
 * Called by: main, control, handlers.   Calls: every part.
 */

#ifndef MODEMSIM_MODEM_H
#define MODEMSIM_MODEM_H

#include <event2/event.h>
#include <stdbool.h>

#include "card.h"
#include "chain.h"
#include "command.h"
#include "data.h"
#include "fail.h"
#include "line.h"
#include "link.h"
#include "modem_clock.h"
#include "net.h"
#include "options.h"
#include "push.h"
#include "quirk.h"
#include "radio.h"
#include "record.h"
#include "reply.h"
#include "resolve.h"
#include "server.h"
#include "settings.h"
#include "stats.h"
#include "urc.h"

/* How a dialect says things; called when they happen. */
struct dialect {
	const char *name;
	unsigned int links;		/* at most LINKS */
	unsigned int servers;		/* at most SERVERS */
	unsigned int buffer;		/* of a link, bytes; see --buffer */
	unsigned int push_max;		/* bytes of a block, up to PUSH_MAX */
	unsigned int datagram_max;	/* longer ones are lost; 0: no limit */
	bool short_breaks;	/* a short cnf: the link takes no more sends */
	bool end_when_read;	/* in buffer mode a link ends when it is empty */
	bool urcs_pass;			/* they do not wait for final lines */
	bool exact_case;		/* of the names of commands */
	const char *boot_urc;		/* quirk urc-before-echo */
	const char *odd_urc;		/* harmless, for the urc-* quirks */
	const char *const *foreign_urcs;	/* quirk other-urcs */
	struct data_rules stream;	/* of transparent mode */
	/* NULL: the lines of V.250, see command.c */
	void (*take_byte)(struct modem *m, uint8_t byte, uint64_t mark);
	/* The next command of a line, its fields: chain.h, args.h. */
	bool (*cut)(const char **line, struct chain_part *part);
	int (*parse)(struct args *a, char *text);
	/* Before a block of the answer. */
	const char *(*head)(const struct modem *m, enum reply_kind kind);
	/* There is no such command; no such form of it, or bad quoting. */
	void (*unknown)(struct modem *m);
	void (*malformed)(struct modem *m);
	/* The form =? */
	void (*test)(struct modem *m, const struct command_row *row);
	void (*done)(struct modem *m);	/* a command has ended; or NULL */
	int (*init)(struct modem *m);		/* 0 or -errno */
	void (*free)(struct modem *m);
	const struct command_row *const *tables;	/* ends with NULL */
	/* By order of the control socket: answered, and not executed. */
	bool (*refuses)(struct modem *m, const struct command_row *row,
			enum form form, const struct args *a);
	void (*defaults)(struct modem *m);	/* as after a boot */
	void (*booted)(struct modem *m);	/* first banner line */
	void (*sim_ready)(struct modem *m);
	void (*registered)(struct modem *m);	/* it changed */
	void (*attached)(struct modem *m);	/* or not: radio_attach() */
	void (*net_opened)(struct modem *m, int err);
	void (*net_closed)(struct modem *m);
	void (*net_lost)(struct modem *m);
	/* The network goes away, comes back. NULL: the context does. */
	void (*lose)(struct modem *m, enum tcp_how how);
	void (*back)(struct modem *m);
	void (*opened)(struct modem *m, unsigned int link, int err);
	void (*accepted)(struct modem *m, unsigned int link);
	void (*sent)(struct modem *m, unsigned int link, int req, int cnf);
	void (*readable)(struct modem *m, unsigned int link);
	void (*pushed)(struct modem *m, unsigned int link,
		       const struct address *from, const void *data,
		       size_t len);
	/* Before bytes of the transparent stream, and at its end. */
	void (*streamed)(struct modem *m, const struct address *from);
	void (*stream_ended)(struct modem *m);
	void (*closed)(struct modem *m, unsigned int link, int reason);
	void (*close_done)(struct modem *m, unsigned int link);
};

extern const struct dialect simcom_dialect;
extern const struct dialect w800_dialect;

struct modem {
	struct event_base *base;
	struct options opt;
	const struct dialect *dialect;
	struct w800 *w800;	/* what only that dialect has, else NULL */
	struct line line;
	struct command cmd;
	struct evbuffer *waiting_urcs;	/* strings with their NUL */
	struct settings set;
	struct profile profile;
	struct card card;
	struct radio radio;
	struct net net;
	struct link links[LINKS];
	struct tls_settings tls[LINKS];	/* of the next connection of each */
	struct server servers[SERVERS];
	struct push push;
	struct data data;
	struct modem_clock clock;
	struct resolver resolver;
	struct record record;
	struct closed_list closed;
	struct fails fails;
	unsigned int accept_as;	/* the next accept: this link + 1, 0: any */
	bool booting;
	bool hung;		/* takes bytes, says nothing */
	unsigned int boots;
	unsigned int foreign;	/* next line of the quirk other-urcs */
	struct event *boot_timer;
	struct event *flood_timer;
	struct event *done_timer;	/* quirk pb-done-late */
};

/* 0 or -errno, reported. @m->opt has been filled. */
int modem_start(struct modem *m, struct event_base *base);
void modem_stop(struct modem *m);

/* Powered, booted and not hung: it reads and writes. */
bool modem_talks(const struct modem *m);

/* Everything is lost at once; the banner comes after the boot time. */
void modem_reboot(struct modem *m);

/* The same once an answer of a few bytes can have left. */
void modem_reboot_soon(struct modem *m);

/* Off, once an answer of a few bytes can have left, until modem_reboot(). */
void modem_power_down(struct modem *m);

/* Start the CGEV flood if its quirk is on (it stops by itself). */
void modem_flood(struct modem *m);

/* Add or change a timer without caring whether it exists. */
void modem_after(struct modem *m, struct event **ev, unsigned int ms,
		 event_callback_fn fn, void *ctx);

#endif
