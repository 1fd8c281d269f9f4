/* SPDX-License-Identifier: MIT */

/*
 * data - transparent mode: the line is link 0's byte stream.
 *
 * Entered by CIPOPEN, ATO or an accepted connection of server 0 when CIPMODE
 * is 1, left by +++ with its guard times, by DTR, or by the link's end. A W800
 * enters it by CIPSEND and stays when the link ends: struct data_rules. The
 * bytes to the host go through push, at the rate of the line; those from the
 * host hold the line up when the peer does not take them.
 *
 * Called by: command, push, link, simcom_*, w800_*, control_links.
 * Calls: tcp, link, line, reply.
 */

#ifndef MODEMSIM_DATA_H
#define MODEMSIM_DATA_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data_watch.h"

#define DATA_LINK	0	/* A7600 manual 1.2: the only one */

struct modem;

/* How a dialect cuts the stream and leaves it. */
struct data_rules {
	unsigned int guard_ms;		/* silence around +++ */
	unsigned int between_ms;	/* at most between its signs */
	unsigned int packet_max;	/* a datagram, or block */
	unsigned int packet_ms;		/* a pause ends it */
	bool blocks;			/* of TCP as well */
	bool stays;			/* when the link ends: see reopen() */
	bool silent;			/* no OK after +++ */
};

struct data {
	bool on;		/* in data mode */
	bool pending;		/* accepted while a command was answered */
	bool dtr_off;
	unsigned int pluses;	/* held back: they may be an escape */
	int64_t last_ns;	/* when the host's last byte came */
	struct event *timer;	/* after a plus */
	struct evbuffer *packet;	/* UDP: the datagram being made */
	struct event *packet_timer;
	struct data_watch watch;
};

void data_init(struct modem *m);
void data_free(struct modem *m);
void data_reset(struct modem *m);

/* In data mode from the start, with a peer that nothing is heard of. */
void data_start(struct modem *m);

/* Is there a connection that can be entered? */
bool data_possible(const struct modem *m);

/* The command in hand ends, and data mode begins. */
void data_begin(struct modem *m);

/* The same with CONNECT. */
void data_enter(struct modem *m);

/* Without a command: CONNECT as soon as none is answered. */
void data_enter_unasked(struct modem *m);

/* Back to command mode; the caller tells the host. */
void data_leave(struct modem *m);

/* Link 0 is gone while in data mode: tell the host. */
void data_link_gone(struct modem *m);

void data_input(struct modem *m, const uint8_t *data, size_t len);

/* What has come from the peer goes to the host. */
void data_run(struct modem *m);

/* The peer has taken bytes. */
void data_progress(struct modem *m);

void data_set_dtr(struct modem *m, bool on);

#endif
