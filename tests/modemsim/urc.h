/* SPDX-License-Identifier: MIT */

/*
 * urc - lines the modem sends on its own, and late results.
 *
 * While a command is being answered they wait for its final line, as they do
 * on a SIMCom module that behaves (a W800's do not wait); urc-* quirks and the control command urc-at-byte
 * put them elsewhere.
 *
 * Called by: net, link, radio, card, modem, control.   Calls: line, command.
 */

#ifndef MODEMSIM_URC_H
#define MODEMSIM_URC_H

struct modem;

void urc(struct modem *m, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* At once, also in the middle of an answer. */
void urc_now(struct modem *m, const char *text);

/* Send what waited. */
void urc_flush(struct modem *m);

/* Forget what waited (a reboot). */
void urc_clear(struct modem *m);

#endif
