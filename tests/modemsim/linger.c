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
};

static LIST_HEAD(, lingerer) lingerers = LIST_HEAD_INITIALIZER(lingerers);

static void finish(struct lingerer *l)
{
	LIST_REMOVE(l, entry);
	event_free(l->ev);
	close(l->fd);
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

void linger_close(struct event_base *base, int fd)
{
	struct timeval limit = { LINGER_S, 0 };
	struct lingerer *l = calloc(1, sizeof(*l));

	if (l == NULL || shutdown(fd, SHUT_WR) < 0) {
		free(l);
		close(fd);
		return;
	}
	l->fd = fd;
	l->ev = event_new(base, fd, EV_READ | EV_PERSIST, on_event, l);
	LIST_INSERT_HEAD(&lingerers, l, entry);
	event_add(l->ev, &limit);
}

void linger_finish(void)
{
	while (!LIST_EMPTY(&lingerers))
		finish(LIST_FIRST(&lingerers));
}
