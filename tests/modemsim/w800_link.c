/* SPDX-License-Identifier: MIT */

/* CIPSTATE, CIPSTATUS, CIPCLOSE, and what links tell by themselves. */

#include <sys/socket.h>

#include "w800.h"

void w800_accepted(struct modem *m, unsigned int link)
{
	if (!quirk_take(m->opt.quirks, QUIRK_CLIENT_LOST))
		w800_tell_connect(m, link);
	w800_server_accepted(m, link);
}

void w800_closed(struct modem *m, unsigned int link, int reason)
{
	(void)reason;
	w800_send_link_gone(link);
	if (quirk_on(m->opt.quirks, QUIRK_CLOSED_LOSES))
		link_taken(m, link,
			   evbuffer_get_length(m->links[link].tcp.rx));
	if (!quirk_take(m->opt.quirks, QUIRK_IPCLOSE_LOST))
		w800_tell_link(m, link, "CLOSED");
}

unsigned int w800_local_port(const struct link *l)
{
	struct address at;
	socklen_t len = sizeof(at);

	if (l->type == LINK_UDP)
		return l->local_port != 0 ? l->local_port : l->host_port;
	if (l->server != LINK_NO_SERVER)
		return l->local_port;
	if (getsockname(l->tcp.fd, &at.sa, &len) < 0)
		return 0;
	return address_port(&at);
}

static const char *type(const struct link *l)
{
	static const char *const types[][2] = {
		[LINK_TCP] = { "TCP", "TCPv6" },
		[LINK_UDP] = { "UDP", "UDPv6" },
		[LINK_TLS] = { "SSL", "SSLv6" },
	};

	return types[l->type][l->family == FAMILY_V6];
}

static void list(struct modem *m, const char *name)
{
	unsigned int i;

	for (i = 0; i < W800_LINKS; i++) {
		const struct link *l = &m->links[i];

		if (l->state == LINK_OPEN)
			reply_text(m, "+%s:%u,\"%s\",\"%s\",%u,%u,%d", name, i,
				   type(l), l->address,
				   l->port, w800_local_port(l),
				   l->server != LINK_NO_SERVER);
	}
	reply_ok(m);
}

static void cipstate(struct modem *m, struct args *a)
{
	(void)a;
	if (quirk_on(m->opt.quirks, QUIRK_NO_CIPSTATE))
		w800_unknown(m);
	else
		list(m, "CIPSTATE");
}

/* Older relatives (Q129); 2: an address, 3: a connection, 4: none any more */
static void cipstatus(struct modem *m, struct args *a)
{
	int status = 5;

	(void)a;
	if (w800_has_ip(m))
		status = m->closed.count > 0 ? 4 : 2;
	if (w800_links_used(m) > 0)
		status = 3;
	reply_text(m, "STATUS:%d", status);
	list(m, "CIPSTATUS");
}

void w800_close_now(struct modem *m, unsigned int id)
{
	link_close(m, id);
	w800_tell_link(m, id, "CLOSED");
}

static void on_closed(struct modem *m, unsigned int id)
{
	w800_tell_link(m, id, "CLOSED");
	reply_ok(m);
}

/* SO_LINGER: "will cause the AT+CIPCLOSE command to block" */
void w800_close_link(struct modem *m, unsigned int id)
{
	command_block(m);
	link_close_slowly(m, id, on_closed);
}

static void close_all(struct modem *m)
{
	unsigned int i;

	for (i = 0; i < W800_LINKS; i++) {
		if (m->links[i].state == LINK_OPEN)
			w800_close_now(m, i);
	}
	reply_ok(m);
}

static void cipclose(struct modem *m, struct args *a)
{
	int id;

	if (!m->w800->mux)
		w800_error(m, "MUX=0");
	else if (!args_int(a, 0, 0, W800_ALL, &id) || a->count > 1)
		w800_bad(m);
	else if (id == W800_ALL)
		close_all(m);
	else if (m->links[id].state != LINK_OPEN)
		w800_error(m, "link is not valid");
	else
		w800_close_link(m, (unsigned int)id);
}

static void cipclose_single(struct modem *m, struct args *a)
{
	(void)a;
	if (m->w800->mux)
		w800_error(m, "MUX=1");
	else if (m->links[0].state != LINK_OPEN)
		w800_error(m, "link is not valid");
	else
		w800_close_link(m, 0);
}

const struct command_row w800_link_rows[] = {
	{ "+CIPSTATE", COMMAND_TCP, "", cipstate, NULL, NULL },
	{ "+CIPSTATUS", COMMAND_TCP | W800_RELATIVES, "", NULL, NULL,
	  cipstatus },
	{ "+CIPCLOSE", COMMAND_TCP, "", NULL, cipclose, cipclose_single },
	{ .name = NULL }
};
