/* SPDX-License-Identifier: MIT */

/*
 * connection - the Unix socket: frames out, frames in, never blocking.
 *
 * It knows lengths, not meanings.
 *
 * Called by: client.   Calls: buffer, wire.
 */

#ifndef MODEMCLIENT_CONNECTION_H
#define MODEMCLIENT_CONNECTION_H

#include "buffer.h"
#include "wire.h"

struct connection {
	int fd;			/* -1: closed */
	struct buffer in;
	struct buffer out;
	int out_err;		/* writing failed; reading tells the rest */
};

/*
 * 0, or what connect() says; -EAGAIN: modemd's backlog is full, try again;
 * -ENAMETOOLONG: the path does not fit a socket's address.
 */
int connection_open(struct connection *c, const char *path);
void connection_close(struct connection *c);

/* Queues one message. 0, -ENOMEM, or -EMSGSIZE: it is above the limit. */
int connection_queue(struct connection *c, const ProtobufCMessage *message);

/* Writes what the socket takes now; an error waits in out_err. */
void connection_flush(struct connection *c);

/*
 * Reads once. Bytes > 0; 0: none there now; -ENOTCONN: modemd hung up;
 * or -errno.
 */
int connection_fill(struct connection *c);

/*
 * The next whole frame: 1 and borrowed until connection_fill(), 0: none yet,
 * -EMSGSIZE: it is above the limit.
 */
int connection_next(struct connection *c, const uint8_t **frame, size_t *len);

#endif
