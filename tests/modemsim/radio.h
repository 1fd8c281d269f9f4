/* SPDX-License-Identifier: MIT */

/*
 * radio - registration with the mobile network.
 *
 * Called by: card, net, modem, simcom_radio, control.  Calls: the dialect.
 */

#ifndef MODEMSIM_RADIO_H
#define MODEMSIM_RADIO_H

#include <event2/event.h>
#include <stdbool.h>

struct modem;

/* <stat> of 27.007 7.2 */
enum radio_stat {
	RADIO_NONE = 0,
	RADIO_HOME = 1,
	RADIO_SEARCHING = 2,
	RADIO_DENIED = 3,
	RADIO_ROAMING = 5,
};

struct radio {
	enum radio_stat stat;
	int cfun;		/* 1 full, 0 minimum, 4 flight mode */
	bool away;		/* network-loss: do not register */
	bool was_away;		/* the next registration is a return */
	bool attaching;		/* CGATT=1 waits for the end of the search */
	struct event *timer;
};

void radio_reset(struct modem *m);
void radio_free(struct modem *m);

/* Register after --register-time if SIM, CFUN and network allow. */
void radio_search(struct modem *m);

/* The same, and the dialect's attached() when it is decided. */
void radio_attach(struct modem *m);

/* Tell the host if it changed. */
void radio_set(struct modem *m, enum radio_stat stat);

bool radio_registered(const struct modem *m);

#endif
