/* SPDX-License-Identifier: MIT */

/* Control commands: links, servers. */

#include <errno.h>
#include <string.h>

#include "control_words.h"
#include "modem.h"

/* LINK [rst] [REASON] */
static int close_link(struct modem *m, const struct words *w)
{
	unsigned long id, reason = LINK_CLOSED_BY_PEER;
	bool rst = words_is(w, 1, "rst");
	size_t at = rst ? 2 : 1;

	if (!words_number(w, 0, LINKS - 1, &id) || w->count > at + 1 ||
	    (w->count > at &&
	     !words_number(w, at, LINK_CLOSED_BY_DTR, &reason)))
		return -EINVAL;
	if (m->links[id].state != LINK_OPEN)
		return -ENOTCONN;
	if (m->dialect->end_when_read && reason == LINK_CLOSED_BY_PEER) {
		m->links[id].ended = true;
		tcp_close(&m->links[id].tcp, rst ? TCP_RST : TCP_FIN);
		link_end_if_empty(&m->links[id]);
		return 0;
	}
	link_end(m, (unsigned int)id, rst ? TCP_RST : TCP_FIN, (int)reason);
	return 0;
}

/* Q83: CIPCLOSE? goes on saying 1, CIPSEND fails. */
static int break_link(struct modem *m, const struct words *w)
{
	struct link *l;
	unsigned long id;

	if (words_is(w, 0, "all")) {
		for (l = m->links; l < m->links + LINKS; l++)
			l->broken = l->state == LINK_OPEN;
		return 0;
	}
	if (!words_number(w, 0, LINKS - 1, &id))
		return -EINVAL;
	m->links[id].broken = m->links[id].state == LINK_OPEN;
	return 0;
}

/* "server:0:8080=41234 udp:1:5000=50312": where ports of the modem are */
void control_ports(const struct modem *m, struct evbuffer *out)
{
	const struct server *s;
	const struct link *l;

	evbuffer_add_printf(out, "ok");
	for (s = m->servers; s < m->servers + SERVERS; s++) {
		if (s->fd >= 0)
			evbuffer_add_printf(out, " server:%u:%u=%u", s->index,
					    s->port, s->host_port);
	}
	for (l = m->links; l < m->links + LINKS; l++) {
		if (l->state == LINK_OPEN && l->type == LINK_UDP)
			evbuffer_add_printf(out, " udp:%u:%u=%u", l->id,
					    l->local_port, l->host_port);
	}
	evbuffer_add_printf(out, "\n");
}

/* The next connection to a server gets just this link. */
static int accept_as(struct modem *m, const struct words *w)
{
	unsigned long id;

	if (w->count != 1 || !words_number(w, 0, m->dialect->links - 1, &id))
		return -EINVAL;
	if (m->links[id].state == LINK_OPEN)
		return -EISCONN;
	m->accept_as = (unsigned int)id + 1;
	return 0;
}

/* It stops listening and nobody is told; its links go on. */
static int stop_server(struct modem *m, const struct words *w)
{
	unsigned long index;

	if (w->count != 1 || !words_number(w, 0, SERVERS - 1, &index))
		return -EINVAL;
	if (m->servers[index].fd < 0)
		return -ENOENT;
	server_stop(m, (unsigned int)index);
	return 0;
}

/* What +CIPACK shows is off by so much, until the link is used again. */
static int cipack(struct modem *m, const struct words *w)
{
	static const char *const fields[LINK_ACKS] = {
		[LINK_ACK_SENT] = "sent", [LINK_ACK_ACK] = "ack",
		[LINK_ACK_RECV] = "recv",
	};
	unsigned long id;
	char *end;
	long n;
	int i;

	if (w->count != 3 || !words_number(w, 0, LINKS - 1, &id))
		return -EINVAL;
	n = strtol(w->word[2], &end, 10);
	if (*end != '\0')
		return -EINVAL;
	for (i = 0; i < LINK_ACKS; i++) {
		if (words_is(w, 1, fields[i])) {
			m->links[id].ack_error[i] = n;
			return 0;
		}
	}
	return -EINVAL;
}

/* A pty has no DTR. */
static int dtr(struct modem *m, const struct words *w)
{
	if (!words_is(w, 0, "on") && !words_is(w, 0, "off"))
		return -EINVAL;
	data_set_dtr(m, words_is(w, 0, "on"));
	return 0;
}

const struct control_row control_links_rows[] = {
	{ "close", "LINK [rst] [REASON]", NULL, close_link },
	{ "break", "LINK|all", NULL, break_link },
	{ "accept-as", "LINK", NULL, accept_as },
	{ "stop-server", "INDEX", NULL, stop_server },
	{ "cipack", "LINK sent|ack|recv DELTA", NULL, cipack },
	{ "dtr", "on|off", NULL, dtr },
	{ NULL, NULL, NULL, NULL }
};
