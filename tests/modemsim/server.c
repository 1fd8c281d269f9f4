/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "modem.h"

/* May an accepted connection have it? */
static bool is_free(const struct link *l)
{
	/* the number is in use until +CIPCLOSE has been said */
	return l->state == LINK_FREE && l->lingerer == NULL &&
	       (l->close_timer == NULL ||
		!evtimer_pending(l->close_timer, NULL));
}

/*
 * The lowest free number. One whose data of an ended connection have not been
 * read is taken only if there is no other: they are lost then.
 */
static struct link *lowest_free(struct modem *m, unsigned int first)
{
	struct link *l, *second = NULL;

	for (l = m->links + first; l < m->links + m->dialect->links; l++) {
		if (!is_free(l))
			continue;
		if (evbuffer_get_length(l->tcp.rx) == 0)
			return l;
		if (second == NULL)
			second = l;
	}
	return second;
}

/* One that is not free in spite of all: by order, or by quirk. */
static struct link *odd_link(struct modem *m)
{
	struct link *l;

	if (m->accept_as > 0 &&
	    m->links[m->accept_as - 1].state != LINK_OPEN) {
		l = &m->links[m->accept_as - 1];
		m->accept_as = 0;
		return l;
	}
	for (l = m->links; l < m->links + LINKS; l++) {
		if (l->state == LINK_OPENING &&
		    quirk_take(m->opt.quirks, QUIRK_CLIENT_COLLISION))
			return l;
	}
	return NULL;
}

static unsigned int links_of(const struct server *s)
{
	const struct link *l;
	unsigned int n = 0;

	for (l = s->m->links; l < s->m->links + LINKS; l++)
		n += l->state != LINK_FREE && l->server == (int)s->index;
	return n;
}

/* In transparent mode link 0 belongs to server 0 (A7600 manual 1.2). */
static struct link *choose(struct server *s)
{
	struct modem *m = s->m;

	/* the access point is away, the server is not */
	if (m->net.state != NET_STATE_OPEN)
		return NULL;
	if (s->args.max_links > 0 && links_of(s) >= s->args.max_links)
		return NULL;
	if (m->set.mode == 0)
		return lowest_free(m, 0);
	if (s->index > 0)
		return lowest_free(m, 1);
	return is_free(&m->links[0]) ? &m->links[0] : NULL;
}

static void on_acceptable(evutil_socket_t fd, short what, void *ctx)
{
	struct server *s = ctx;
	struct modem *m = s->m;
	struct address from;
	socklen_t len = sizeof(from);
	struct link *l = odd_link(m);
	bool collides = l != NULL && l->state == LINK_OPENING;
	int peer;

	(void)what;
	if (l == NULL)
		l = choose(s);
	if (l == NULL && !s->args.refuses) {
		event_del(s->ev);	/* until server_resume() */
		return;
	}
	peer = accept4(fd, &from.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (peer < 0)
		return;
	if (l == NULL) {
		s->refused++;
		close(peer);
		return;
	}
	s->accepted++;
	if (collides)
		link_forget(m, l->id);
	link_accept(m, l->id, peer, &from, (int)s->index);
	if (collides)
		m->dialect->opened(m, l->id, NET_NOT_SUPPORTED);
}

static int listen_on(struct server *s)
{
	int one = 1, v6_only = s->args.family == FAMILY_V6;
	struct address at;
	socklen_t len;

	if (!net_own_address(s->m, s->args.family, s->port, &at))
		return NET_BIND;
	len = address_len(&at);
	s->fd = socket(at.sa.sa_family,
		       SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return NET_SOCKET;
	setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (v6_only)
		setsockopt(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, &one,
			   sizeof(one));
	if (bind(s->fd, &at.sa, len) < 0 ||
	    listen(s->fd, s->args.backlog) < 0 ||
	    getsockname(s->fd, &at.sa, &len) < 0) {
		close(s->fd);
		s->fd = -1;
		return NET_BIND;
	}
	s->host_port = address_port(&at);
	return NET_OK;
}

int server_start(struct modem *m, unsigned int index,
		 const struct server_args *a)
{
	struct server *s = &m->servers[index], *other;
	int err;

	if (s->fd >= 0)
		return NET_LISTENING;
	for (other = m->servers; other < m->servers + SERVERS; other++) {
		if (other->fd >= 0 && a->port != 0 && other->port == a->port)
			return NET_BIND;
	}
	s->args = *a;
	s->port = a->port;
	err = listen_on(s);
	if (err != NET_OK)
		return err;
	s->ev = event_new(m->base, s->fd, EV_READ | EV_PERSIST, on_acceptable,
			  s);
	event_add(s->ev, NULL);
	record_event(&m->record, "listening %u port %u at %u", index, s->port,
		     s->host_port);
	return NET_OK;
}

void server_stop(struct modem *m, unsigned int index)
{
	struct server *s = &m->servers[index];

	if (s->fd < 0)
		return;
	event_free(s->ev);
	close(s->fd);
	s->fd = -1;
}

void server_drop_all(struct modem *m)
{
	unsigned int i;

	for (i = 0; i < SERVERS; i++) {
		server_stop(m, i);
		if (m->servers[i].timer != NULL)
			evtimer_del(m->servers[i].timer);
	}
}

bool server_has_links(const struct modem *m, unsigned int index)
{
	return links_of(&m->servers[index]) > 0;
}

void server_resume(struct modem *m)
{
	struct server *s;

	for (s = m->servers; s < m->servers + SERVERS; s++) {
		if (s->fd >= 0)
			event_add(s->ev, NULL);
	}
}

void servers_init(struct modem *m)
{
	unsigned int i;

	for (i = 0; i < SERVERS; i++)
		m->servers[i] = (struct server){
			.m = m, .index = i, .fd = -1,
		};
}

void servers_free(struct modem *m)
{
	unsigned int i;

	server_drop_all(m);
	for (i = 0; i < SERVERS; i++) {
		if (m->servers[i].timer != NULL)
			event_free(m->servers[i].timer);
	}
}
