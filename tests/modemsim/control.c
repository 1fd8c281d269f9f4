/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"
#include "modem.h"

#define LINE_MAX_BYTES	65536

struct client {
	LIST_ENTRY(client) entry;
	struct modem *m;
	struct bufferevent *bev;
};

struct control {
	struct modem *m;
	struct evconnlistener *listener;
	LIST_HEAD(, client) clients;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

static void drop(struct client *cl)
{
	LIST_REMOVE(cl, entry);
	bufferevent_free(cl->bev);
	free(cl);
}

static void on_read(struct bufferevent *bev, void *ctx)
{
	struct client *cl = ctx;
	struct evbuffer *in = bufferevent_get_input(bev);
	char *line;

	while ((line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF)) != NULL) {
		control_run(cl->m, line, bufferevent_get_output(bev));
		free(line);
	}
	if (evbuffer_get_length(in) > LINE_MAX_BYTES)
		drop(cl);
}

static void on_event(struct bufferevent *bev, short what, void *ctx)
{
	(void)bev;
	(void)what;
	drop(ctx);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd,
		      struct sockaddr *sa, int len, void *ctx)
{
	struct control *c = ctx;
	struct client *cl = calloc(1, sizeof(*cl));

	(void)listener;
	(void)sa;
	(void)len;
	if (cl == NULL) {
		close(fd);
		return;
	}
	cl->m = c->m;
	cl->bev = bufferevent_socket_new(c->m->base, fd,
					 BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(cl->bev, on_read, NULL, on_event, cl);
	bufferevent_enable(cl->bev, EV_READ | EV_WRITE);
	LIST_INSERT_HEAD(&c->clients, cl, entry);
}

/* Only a socket is removed: a wrong --control must not cost a file. */
static void remove_stale(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path);
}

struct control *control_start(struct modem *m, const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct control *c = calloc(1, sizeof(*c));

	if (c == NULL || strlen(path) >= sizeof(sa.sun_path)) {
		fprintf(stderr, "modemsim: --control: name too long\n");
		free(c);
		return NULL;
	}
	strcpy(sa.sun_path, path);
	strcpy(c->path, path);
	remove_stale(path);
	c->m = m;
	LIST_INIT(&c->clients);
	c->listener = evconnlistener_new_bind(m->base, on_accept, c,
			LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 16,
			(struct sockaddr *)&sa, sizeof(sa));
	if (c->listener == NULL) {
		fprintf(stderr, "modemsim: --control %s: %s\n", path,
			strerror(errno));
		free(c);
		return NULL;
	}
	return c;
}

void control_stop(struct control *c)
{
	if (c == NULL)
		return;
	while (!LIST_EMPTY(&c->clients))
		drop(LIST_FIRST(&c->clients));
	evconnlistener_free(c->listener);
	unlink(c->path);
	free(c);
}
