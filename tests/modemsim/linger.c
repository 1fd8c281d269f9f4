/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "linger.h"

struct lingerer {
	LIST_ENTRY(lingerer) entry;
	struct event *ev;
	int fd;
	void (*done)(void *ctx);	/* NULL: nobody waits */
	void *ctx;
};

static LIST_HEAD(, lingerer) lingerers = LIST_HEAD_INITIALIZER(lingerers);

static void finish(struct lingerer *l)
{
	struct linger off = { .l_onoff = 0 };

	LIST_REMOVE(l, entry);
	event_free(l->ev);
	/* all the waiting has been done: close() shall do none */
	setsockopt(l->fd, SOL_SOCKET, SO_LINGER, &off, sizeof(off));
	close(l->fd);
	if (l->done != NULL)
		l->done(l->ctx);
	free(l);
}

static void on_event(evutil_socket_t fd, short what, void *ctx)
{
	char rubbish[16384];
	ssize_t n = -1;

	if (what & EV_READ) {
		n = read(fd, rubbish, sizeof(rubbish));
		if (n > 0 || (n < 0 && errno == EAGAIN))
			return;
	}
	finish(ctx);
}

struct lingerer *linger_close(struct event_base *base, int fd, int limit_s,
			      void (*done)(void *ctx), void *ctx)
{
	struct timeval limit = { limit_s, 0 };
	struct lingerer *l = calloc(1, sizeof(*l));

	if (l == NULL || shutdown(fd, SHUT_WR) < 0) {
		free(l);
		close(fd);
		return NULL;
	}
	l->fd = fd;
	l->done = done;
	l->ctx = ctx;
	l->ev = event_new(base, fd, EV_READ | EV_PERSIST, on_event, l);
	LIST_INSERT_HEAD(&lingerers, l, entry);
	event_add(l->ev, &limit);
	return l;
}

void linger_forget(struct lingerer *l)
{
	l->done = NULL;
}

void linger_finish(void)
{
	while (!LIST_EMPTY(&lingerers))
		finish(LIST_FIRST(&lingerers));
}
