/* SPDX-License-Identifier: MIT */

/*
 * fake_client - broker/client.h without a socket: the test plays the clients.
 *
 * Messages travel packed, as on the wire, so that what cannot be packed or
 * unpacked is seen. A client that reads (the default) leaves nothing queued;
 * one that is held reads nothing.
 *
 * Called by: tests.   Calls: fake_timer, proto.
 */

#ifndef MODEMD_FAKE_CLIENT_H
#define MODEMD_FAKE_CLIENT_H

#include "broker/client.h"
#include "modemd.pb-c.h"

/* NULL: refused. Yours, free with fake_client_free(). */
struct client_conn *fake_client_connect(struct client_listener *l,
					const struct client_creds *creds);

/* Also one that is still connected: then it disconnects first. */
void fake_client_free(struct client_conn *c);

/* One frame; false: it is not read (closing, or paused: then it waits). */
bool fake_client_send(struct client_conn *c,
		      const Modemd__V1__Request *request);
bool fake_client_send_bytes(struct client_conn *c, const void *frame,
			    size_t len);

/* The oldest message not looked at; NULL: none. Yours, free with
 * modemd__v1__server_message__free_unpacked(). */
Modemd__V1__ServerMessage *fake_client_next(struct client_conn *c);
size_t fake_client_waiting(const struct client_conn *c);

/* It stops reading, or reads again. */
void fake_client_hold(struct client_conn *c, bool hold);

/* It goes; gone() is told at once, as from the loop. */
void fake_client_disconnect(struct client_conn *c);

/* Why the daemon ended it; NULL: it did not. */
const char *fake_client_closed(const struct client_conn *c);
bool fake_client_gone(const struct client_conn *c);
bool fake_client_paused(const struct client_conn *c);

bool fake_client_listening(const struct client_listener *l);

#endif
