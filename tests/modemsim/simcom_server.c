/* SPDX-License-Identifier: MIT */

/* SERVERSTART, SERVERSTOP: A7600 manual 2.14, 2.15. */

#include <stdio.h>

#include "simcom.h"

#define BACKLOG_MAX	3

static void refuse(struct modem *m, int err)
{
	reply_text(m, "+CIPERROR: %d", err);
	reply_error(m);
}

static void serverstart_read(struct modem *m, struct args *a)
{
	char list[SERVERS * 32] = "", *p = list;
	const struct server *s;

	(void)a;
	if (m->net.state != NET_STATE_OPEN) {
		refuse(m, NET_NOT_OPENED);
		return;
	}
	for (s = m->servers; s < m->servers + SERVERS; s++) {
		if (s->fd >= 0)
			p += sprintf(p, "%s+SERVERSTART: %u,%u",
				     p > list ? "\r\n" : "", s->index,
				     s->port);
	}
	if (p > list)
		reply_text(m, "%s", list);
	reply_ok(m);
}

static int start(struct modem *m, unsigned int index, unsigned int port,
		 int backlog)
{
	struct server_args a = {
		.port = port, .backlog = backlog, .family = FAMILY_V4,
	};

	return server_start(m, index, &a);
}

static void serverstart(struct modem *m, struct args *a)
{
	int port, index, backlog = BACKLOG_MAX, err = NET_OK;

	if (m->net.state != NET_STATE_OPEN)
		err = NET_NOT_OPENED;
	else if (!args_int(a, 0, 0, 65535, &port) ||
		 !args_int(a, 1, 0, SERVERS - 1, &index) ||
		 !args_opt_int(a, 2, 1, BACKLOG_MAX, &backlog) || a->count > 3)
		err = NET_PARAMETER;
	else if (m->net.dead)
		err = NET_FAILURE;
	if (err == NET_OK)
		err = start(m, (unsigned int)index, (unsigned int)port,
			    backlog);
	if (err == NET_OK)
		reply_ok(m);
	else
		refuse(m, err);
}

static void on_stopped(evutil_socket_t fd, short what, void *ctx)
{
	struct server *s = ctx;

	(void)fd;
	(void)what;
	urc(s->m, "+SERVERSTOP: %u,0", s->index);
}

static void stop(struct modem *m, int index)
{
	struct server *s = &m->servers[index];

	server_stop(m, s->index);
	if (quirk_on(m->opt.quirks, QUIRK_SERVERSTOP_RESULT_FIRST)) {
		reply_text_ok(m, "+SERVERSTOP: %d,0", index);
		return;
	}
	reply_ok(m);
	if (m->opt.close_ms == 0)
		on_stopped(-1, 0, s);
	else
		modem_after(m, &s->timer, m->opt.close_ms, on_stopped, s);
}

static void serverstop(struct modem *m, struct args *a)
{
	int index = 0, err = NET_OK;	/* A7600 manual 6.4.2: if unspecified */

	if (a->count > 1 || !args_opt_int(a, 0, 0, 65535, &index)) {
		reply_error(m);
		return;
	}
	if (index >= SERVERS)
		err = NET_PARAMETER;
	else if (m->net.state != NET_STATE_OPEN)
		err = NET_NOT_OPENED;
	else if (m->servers[index].fd < 0)
		err = NET_NOT_SUPPORTED;
	else if (server_has_links(m, (unsigned int)index) &&
		 !quirk_on(m->opt.quirks, QUIRK_SERVERSTOP_LINKS))
		err = NET_SOCKETS_OPENED;
	if (err != NET_OK)
		reply_failed(m, "SERVERSTOP", index, err);
	else
		stop(m, index);
}

const struct command_row simcom_server_rows[] = {
	{ "+SERVERSTART", COMMAND_TCP, "+SERVERSTART: (0-65535),(0-3)",
	  serverstart_read, serverstart, NULL },
	{ "+SERVERSTOP", COMMAND_TCP, NULL, NULL, serverstop, serverstop },
	{ .name = NULL }
};
