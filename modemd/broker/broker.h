/* SPDX-License-Identifier: MIT */

/*
 * broker - who owns what: clients, their requests down, their events up.
 *
 * Every request is checked for ownership and permission here, every link has
 * at most one owner, and what an owner leaves behind is closed. What clients
 * did is written to the history from here.
 *
 * Called by: main.   Calls: modem, history, proto, base, client.h.
 */

#ifndef MODEMD_BROKER_H
#define MODEMD_BROKER_H

struct broker;
struct config;
struct history;
struct state;
struct timers;

struct broker_args {
	struct timers *timers;
	const struct config *cfg;
	struct state *state;
	struct history *history;
	const char *boot_id;		/* the kernel's */
	void (*stopped)(void *ctx);	/* broker_stop() has done its work */
	void *ctx;
};

/*
 * Makes the modem, which it owns, and listens for clients. @args is copied,
 * what it points to is borrowed for its life. 0 and *@out, or -errno as of
 * client_listen() and modem_new().
 */
int broker_new(const struct broker_args *args, struct broker **out);
void broker_free(struct broker *b);

/* Opens the port and begins bring-up. */
void broker_start(struct broker *b);

/* Tells the clients, closes all links politely; then stopped(). */
void broker_stop(struct broker *b);

/* The settings were reread: what waits for its next try is tried now. */
void broker_reload(struct broker *b);

#endif
