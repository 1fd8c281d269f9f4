/* SPDX-License-Identifier: MIT */

/*
 * resolve - names and addresses, and which of them may really be contacted.
 *
 * Order: --host table, numeric, "localhost", and with --allow-network the
 * real name servers. Without it nothing leaves the machine.
 *
 * Called by: link, simcom_dns, w800_ping, control_commands.   Calls: evdns.
 */

#ifndef MODEMSIM_RESOLVE_H
#define MODEMSIM_RESOLVE_H

#include <event2/dns.h>
#include <event2/event.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "address.h"

struct modem;
struct resolve;

struct unanswered {
	LIST_ENTRY(unanswered) entry;
	char host[];
};

#define RESOLVE_SLOW	16

struct slow_host {
	char host[64];
	unsigned int ms;	/* 0: this row is free */
};

struct resolver {
	struct modem *m;
	struct slow_host slow[RESOLVE_SLOW];
	struct evdns_base *dns;		/* made when first needed */
	LIST_HEAD(, unanswered) unanswered;
};

void resolver_init(struct modem *m);
void resolver_free(struct modem *m);

/* Make @host (name or address) dead or alive. 0 or -errno. */
int resolver_set_unanswered(struct modem *m, const char *host, bool on);

/* May a connect to @addr, called @host by the command, be tried? */
bool resolver_answers(const struct modem *m, const char *host,
		      const struct address *addr);

/* Connecting to @host takes @ms longer; 0: no more. 0 or -errno. */
int resolver_set_slow(struct modem *m, const char *host, unsigned int ms);
unsigned int resolver_delay(struct modem *m, const char *host);

/* Known without asking the network. @addr gets port 0. */
bool resolver_knows(const struct modem *m, const char *host,
		    enum family family, struct address *addr);

/* The name of @addr: of --host, or "localhost". NULL: it has none. */
const char *resolver_name_of(const struct modem *m,
			     const struct address *addr);

/* @done is called once, later; @addr NULL: there is no such name. */
struct resolve *resolve_start(struct modem *m, const char *host,
			      enum family family,
			      void (*done)(void *ctx,
					   const struct address *addr),
			      void *ctx);

/* @done is not called any more. */
void resolve_cancel(struct resolve *r);

#endif
