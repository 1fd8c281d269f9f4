/* SPDX-License-Identifier: MIT */

/* Control commands: links, servers. */

#include <errno.h>
#include <string.h>

#include "control_words.h"
#include "modem.h"

static int close_link(struct modem *m, const struct words *w)
{
	unsigned long id;

	if (!words_number(w, 0, LINKS - 1, &id))
		return -EINVAL;
	if (m->links[id].state != LINK_OPEN)
		return -ENOTCONN;
	link_end(m, (unsigned int)id,
		 words_is(w, 1, "rst") ? TCP_RST : TCP_FIN);
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
		if (l->state == LINK_OPEN && l->is_udp)
			evbuffer_add_printf(out, " udp:%u:%u=%u", l->id,
					    l->local_port, l->host_port);
	}
	evbuffer_add_printf(out, "\n");
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
	{ "close", "LINK [rst]", NULL, close_link },
	{ "break", "LINK|all", NULL, break_link },
	{ "dtr", "on|off", NULL, dtr },
	{ NULL, NULL, NULL, NULL }
};
