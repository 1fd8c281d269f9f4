/* SPDX-License-Identifier: MIT */

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clock.h"
#include "host_watch.h"

#define AGAIN_MS	20

static void add_watch(struct host_watch *w)
{
	w->wd = inotify_add_watch(w->fd, w->pty->name, IN_OPEN | IN_CLOSE);
}

static bool master_hung_up(const struct pty *p)
{
	struct pollfd pfd = { .fd = p->master };

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLHUP) != 0;
}

/*
 * Somebody closed the slave: was it the last? Only a hang-up of the master
 * tells, so our own slave is closed for a moment. The exclusive flag must be
 * cleared before that or an unprivileged simulator could not open it again;
 * it is given back when a host is still there.
 *
 * Our own close and open must not look like a host's: the watch is taken off
 * meanwhile. A host that comes in just then is noticed by its first byte; one
 * that goes just then by a second look.
 */
static void look_who_is_there(struct host_watch *w)
{
	int excl = 0;

	inotify_rm_watch(w->fd, w->wd);
	ioctl(w->pty->slave, TIOCGEXCL, &excl);
	ioctl(w->pty->slave, TIOCNXCL);
	close(w->pty->slave);
	w->present = !master_hung_up(w->pty);
	w->pty->slave = open(w->pty->name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (w->pty->slave < 0)
		perror("modemsim: reopening the slave");
	else if (w->present && excl)
		ioctl(w->pty->slave, TIOCEXCL);
	add_watch(w);
	if (!w->present)
		w->gone(w->ctx);
}

static void on_again(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	look_who_is_there(ctx);
}

static void look_twice(struct host_watch *w)
{
	struct timeval tv = clock_tv_ms(AGAIN_MS);

	look_who_is_there(w);
	if (w->present)
		evtimer_add(w->again, &tv);
}

static void on_inotify(evutil_socket_t fd, short what, void *ctx)
{
	char buf[4096] __attribute__((aligned(8)));
	struct host_watch *w = ctx;
	bool closed = false;
	ssize_t n, at;

	(void)what;
	n = read(fd, buf, sizeof(buf));
	for (at = 0; at < n;) {
		struct inotify_event ev;

		memcpy(&ev, buf + at, sizeof(ev));
		at += (ssize_t)(sizeof(ev) + ev.len);
		if (ev.wd != w->wd)
			continue;
		if (ev.mask & IN_OPEN)
			w->present = true;
		if (ev.mask & IN_CLOSE)
			closed = true;
	}
	if (closed)
		look_twice(w);
}

void host_watch_start(struct host_watch *w, struct event_base *base,
		      struct pty *pty, void (*gone)(void *ctx), void *ctx)
{
	*w = (struct host_watch){
		.pty = pty, .present = true, .gone = gone, .ctx = ctx,
	};
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd < 0)
		return;		/* then a host counts as always there */
	w->present = false;
	add_watch(w);
	w->ev = event_new(base, w->fd, EV_READ | EV_PERSIST, on_inotify, w);
	event_add(w->ev, NULL);
	w->again = evtimer_new(base, on_again, w);
}

void host_watch_stop(struct host_watch *w)
{
	if (w->ev != NULL)
		event_free(w->ev);
	if (w->again != NULL)
		event_free(w->again);
	if (w->fd >= 0)
		close(w->fd);
	w->ev = NULL;
	w->again = NULL;
	w->fd = -1;
}
