/* SPDX-License-Identifier: MIT */

/*
 * client - one connection: whole frames in and out, and who is behind it.
 *
 * One of the seams of the core. The daemon links client_socket.c, the only
 * file that knows bufferevents; a simulation links another.
 *
 * Called by: broker.   Calls: proto/wire, base, libevent.
 */

#ifndef MODEMD_BROKER_CLIENT_H
#define MODEMD_BROKER_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct client_conn;
struct client_listener;
struct config_ipc;
struct timers;
struct ProtobufCMessage;

/* Who connected, as the kernel says. "" where it could not be read. */
struct client_creds {
	pid_t pid;
	uid_t uid;
	gid_t gid;
	bool in_admin_group;	/* of the group modem-admin */
	char comm[32];
	char unit[64];		/* systemd unit, from its cgroup */
	char exe[128];
};

/*
 * News. @accepted returns the context for the connection's other news, or
 * NULL to refuse it. @frame's bytes are borrowed until it returns. @gone is
 * the last; the connection is freed after it. None comes from within a call
 * to this module.
 */
struct client_ops {
	void *(*accepted)(void *ctx, struct client_conn *conn,
			  const struct client_creds *creds);
	void (*frame)(void *client, const uint8_t *buf, size_t len);
	void (*gone)(void *client, const char *reason);
};

/*
 * Listens on the socket of @set (borrowed), after proving that nobody else
 * does. 0 and *@out, -EADDRINUSE when another daemon answers there, -EEXIST
 * when something that is not our socket is in the way, or -errno.
 */
int client_listen(struct timers *ts, const struct config_ipc *set,
		  const struct client_ops *ops, void *ctx,
		  struct client_listener **out);

/* Unlinks the socket, if it is still ours. */
void client_listener_free(struct client_listener *l);

/* No new connections from now on; those there are stay. */
void client_listener_pause(struct client_listener *l, bool pause);

/* Queues one message: 0, -EMSGSIZE (above the frame limit), -ENOMEM. */
int client_send(struct client_conn *c, const struct ProtobufCMessage *msg);

/* Bytes queued and not yet taken by the kernel. */
size_t client_queued(const struct client_conn *c);

/* Its requests wait until all that is queued for it has gone. */
void client_pause(struct client_conn *c);

/*
 * Ends the connection: what is queued is sent first, for at most a second,
 * nothing more is read; gone() follows with @reason.
 */
void client_close(struct client_conn *c, const char *reason);

#endif
