/* SPDX-License-Identifier: MIT */

/*
 * fake_world - what one test's fakes of the seams share.
 *
 * Each seam is made with the timers, so the timers know the world: two worlds
 * never see one another, and a process may play thousands of them.
 *
 * Called by: the fakes, tests.   Calls: nothing.
 */

#ifndef MODEMD_FAKE_WORLD_H
#define MODEMD_FAKE_WORLD_H

struct client_listener;
struct fake_port_hooks;
struct history;
struct port;
struct timers;

struct fake_world {
	struct timers *timers;		/* of fake_world_begin() */
	struct port *port;		/* made last; NULL: none */
	struct history *history;
	struct client_listener *listener;
	/* who plays the modem */
	const struct fake_port_hooks *port_hooks;
	void *port_ctx;
};

#endif
