/* SPDX-License-Identifier: MIT */

/*
 * simcom - the SIMCom dialect: its tables and how it says what happens.
 *
 * Each simcom_*.c is a page of handlers and the table that names them.
 *
 * Called by: modem (simcom_dialect), command (the rows).
 * Calls: reply, urc, net, link, card, radio.
 */

#ifndef MODEMSIM_SIMCOM_H
#define MODEMSIM_SIMCOM_H

#include "modem.h"

extern const struct command_row simcom_general_rows[];
extern const struct command_row simcom_uart_rows[];
extern const struct command_row simcom_stored_rows[];
extern const struct command_row simcom_sim_rows[];
extern const struct command_row simcom_radio_rows[];
extern const struct command_row simcom_pdp_rows[];
extern const struct command_row simcom_net_rows[];
extern const struct command_row simcom_open_rows[];
extern const struct command_row simcom_close_rows[];
extern const struct command_row simcom_send_rows[];
extern const struct command_row simcom_rxget_rows[];
extern const struct command_row simcom_settings_rows[];
extern const struct command_row simcom_dns_rows[];
extern const struct command_row simcom_server_rows[];
extern const struct command_row simcom_ping_rows[];

/* A look-up, a ping in hand is forgotten. */
void simcom_dns_cancel(void);
void simcom_ping_cancel(void);

bool simcom_refuses(struct modem *m, const struct command_row *row,
		    enum form form, const struct args *a);

/* The values of simcom_stored.c as after a boot. */
void simcom_stored_defaults(struct modem *m);

/* Settings as after a boot, and nothing in hand. */
void simcom_defaults(struct modem *m);

/* "+CPIN: ..." of the state, or a CME error. */
const char *simcom_pin_text(enum card_state state);

/* +CREG, +CGREG, +CEREG for those who asked for it. */
void simcom_registered(struct modem *m);

/* CGATT=1 ends. */
void simcom_attached(struct modem *m);

#endif
