/* SPDX-License-Identifier: MIT */

/*
 * caller - a program that uses libmodemclient, beside a fake modemd.
 *
 * Blocking calls run in a thread while the test plays the daemon; what the
 * event callback hears is written down as one line of text.
 *
 * Called by: test_modemclient*.   Calls: libmodemclient, fake_modemd.
 */

#ifndef TEST_CALLER_H
#define TEST_CALLER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "fake_modemd.h"
#include "modemclient.h"

struct caller {
	struct fake *f;
	struct modemclient_options opts;
	struct modemclient *mc;
	struct modemclient_link *link;
	/* Written by the callback: "opened:0 read:hello closed:0 " */
	char heard[8192];
	void (*in_callback)(struct caller *c,
			    const struct modemclient_event *ev);

	/* The call under way, its arguments and its results. */
	pthread_t thread;
	ssize_t (*call)(struct caller *c);
	const char *text;
	char buf[131072];
	size_t len;
	int timeout_ms;
	struct modemclient_open_options open;
	struct modemclient_counts counts;
	ssize_t ret;
	int64_t took_ms;
};

/* A fake that listens, a program that is connected to it. */
struct caller *caller_new(uint32_t window, uint32_t credit, bool events);
void caller_free(struct caller *c);

void caller_start(struct caller *c, ssize_t (*call)(struct caller *c));
ssize_t caller_finish(struct caller *c);

ssize_t call_connect(struct caller *c);
ssize_t call_wait_connected(struct caller *c);
ssize_t call_open(struct caller *c);		/* .open, or host:80 */
ssize_t call_read(struct caller *c);		/* .len into .buf */
ssize_t call_write(struct caller *c);		/* .len from .buf */
ssize_t call_drain(struct caller *c);
ssize_t call_close(struct caller *c);
ssize_t call_abort(struct caller *c);
ssize_t call_wait_restored(struct caller *c);
ssize_t call_subscribe(struct caller *c);	/* .len as bits */

/* A link with this id is open, without waiting. */
void caller_open(struct caller *c, uint64_t id);
/* modemclient_process(), and what it said. */
int caller_process(struct caller *c);

#endif
