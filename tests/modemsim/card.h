/* SPDX-License-Identifier: MIT */

/*
 * card - the SIM card: absent, busy, locked or ready.
 *
 * Called by: modem, simcom_sim, control.   Calls: radio, the dialect.
 */

#ifndef MODEMSIM_CARD_H
#define MODEMSIM_CARD_H

#include <event2/event.h>
#include <stdbool.h>

struct modem;

enum card_state {
	CARD_OFF,
	CARD_BUSY,
	CARD_PIN,
	CARD_PUK,
	CARD_READY,
	CARD_NONE,
	CARD_FAILURE,
};

struct card {
	enum card_state state;
	int pin_tries;		/* left; a reboot does not give them back */
	int puk_tries;
	bool counted;		/* the tries have been set once */
	bool busy_said;		/* quirk sim-busy-first, once a boot */
	struct event *timer;
};

void card_power_on(struct modem *m);
void card_power_off(struct modem *m);
void card_free(struct modem *m);

/* True: the card is open now. */
bool card_enter_pin(struct modem *m, const char *pin);
bool card_enter_puk(struct modem *m, const char *puk, const char *pin);

/* "ready", "pin", "none", "busy", "failure" (control). 0 or -EINVAL. */
int card_set(struct modem *m, const char *word);

#endif
