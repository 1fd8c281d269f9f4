/* SPDX-License-Identifier: MIT */

/*
 * push - received data go to the host by themselves (CIPRXGET=0,
 * CIPRECVMODE=0).
 *
 * At the rate of the line: a block is taken from a link's buffer when the
 * line is about to run dry, so the sockets are read as fast as it sends and
 * nothing else holds them up. Links take turns. Never inside an answer.
 *
 * Called by: line (through modem), command, link, simcom_rxget,
 * w800_receive.
 * Calls: link, line, the dialect.
 */

#ifndef MODEMSIM_PUSH_H
#define MODEMSIM_PUSH_H

#include <event2/event.h>

#define PUSH_MAX	2920	/* struct dialect has less */

struct modem;

struct push {
	unsigned int next;	/* the link whose turn it is */
	struct event *timer;	/* <DelayTm> of CIPCCFG */
};

/* Send what there is and may be sent now. */
void push_run(struct modem *m);

/* The same, after <DelayTm>: data have come. */
void push_arrived(struct modem *m);

void push_free(struct modem *m);

#endif
