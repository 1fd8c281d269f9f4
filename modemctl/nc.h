/* SPDX-License-Identifier: MIT */

/*
 * nc - one link between stdin and stdout, however it was opened.
 *
 * Called by: nc, nc_listen, nc_options.   Calls: libmodemclient.
 */

#ifndef MODEMCTL_NC_H
#define MODEMCTL_NC_H

#include <poll.h>
#include <stdint.h>

#include "modemctl.h"

#define NC_CHUNK	16384

/* Of the link, beyond its host: nc_options.c. */
struct nc_options {
	bool use_tls;
	struct modemclient_tls_options tls;
	struct modemclient_tcp_options tcp;
	enum modemclient_family family;
	const char *local_address;
	uint16_t local_port;
	enum modemclient_udp_remote udp_remote;
	char psk[64];			/* secret */
	/* the last of each group that was given; NULL: none; also for -l:
	 * shared */
	const char *tls_option, *tcp_option, *link_option, *shared_option;
};

struct nc {
	struct ctl *ctl;
	struct modemclient_link *link;
	const char *host;		/* -l: the peer's, once there */
	char peer[MODEMCLIENT_ADDRESS_MAX];
	long port;
	bool lease, listen, udp;
	struct nc_options options;
	long duration_s;		/* of a lease; 0: modemd's own */
	char address[MODEMCLIENT_ADDRESS_MAX];	/* udp: of a host by name */
	struct modemclient_listener *listener;
	long quit_s;			/* -1: wait for the peer's close */
	long connect_s;			/* -1: of its kind */
	long wait_s;			/* -1: of its kind */

	char in[NC_CHUNK];		/* of stdin, not written to the link */
	size_t in_start, in_len;
	bool in_ended;
	int64_t quit_at_ms;		/* 0: not yet; then of the close */
	bool closing;			/* by -q */
	char out[NC_CHUNK];		/* of the link, not written to stdout */
	size_t out_start, out_len;
	bool out_ended;			/* the peer closed, all was read */
	bool out_closed;		/* nobody reads our stdout */
	bool interrupted;
	int err;			/* of the link */
};

enum { NC_MODEMD, NC_SIGNALS, NC_INPUT, NC_OUTPUT, NC_FDS };

int64_t nc_now_ms(void);

/* 0; or -1 after it has complained: ctl->exit is the exit code. */
int nc_take_arguments(struct nc *nc, int argc, char **argv);

/* Waits for what may happen next, until @deadline_ms (0: none), and lets
 * modemd's side happen. */
void nc_step(struct nc *nc, struct pollfd p[NC_FDS], int64_t deadline_ms);

/* 0, or -1: leave with ctl->exit. */
int nc_take_arguments(struct nc *nc, int argc, char **argv);
/* What was asked of the link, borrowed from @nc. */
void nc_fill_options(const struct nc *nc, struct modemclient_open_options *o);

/* -l: starts to listen; then nc->link is the first connection. CTL_DONE, or
 * the exit code after it has complained. */
int nc_listen_start(struct nc *nc);
int nc_listen(struct nc *nc, struct pollfd p[NC_FDS]);

#endif
