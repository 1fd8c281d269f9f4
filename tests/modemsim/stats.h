/* SPDX-License-Identifier: MIT */

/*
 * stats - the state of the simulator as one JSON line, and what has been.
 *
 * Called by: control_commands, link.   Calls: jansson; reads every part.
 */

#ifndef MODEMSIM_STATS_H
#define MODEMSIM_STATS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define CLOSED_MAX	1000

struct modem;
struct link;

/* The last connections that have ended. */
struct closed_row {
	char host[64];
	unsigned int port;
	unsigned int link;
	int type;		/* enum link_type */
	int server;		/* that accepted it, or -1 */
	uint64_t sent;
	uint64_t received;
	char cause[24];
};

struct closed_list {
	struct closed_row *rows;	/* a ring of CLOSED_MAX */
	uint64_t count;			/* ever */
	uint64_t sent;
	uint64_t received;
	uint64_t datagrams_in;
	uint64_t datagrams_out;
	uint64_t datagrams_lost;
	uint64_t datagrams_long;
};

void closed_init(struct closed_list *c);
void closed_free(struct closed_list *c);
void closed_add(struct closed_list *c, const struct link *l,
		const char *cause);

/* One line of JSON, to be freed by the caller; NULL without memory. */
char *stats_json(const struct modem *m);

/* Between stats.c and stats_links.c. */
json_t *stats_slots(const struct modem *m);
json_t *stats_remote(const char *host, unsigned int port);
void stats_add_kind(json_t *to, int type, int server);

#endif
