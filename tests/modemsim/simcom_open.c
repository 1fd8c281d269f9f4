/* SPDX-License-Identifier: MIT */

/* CIPOPEN, CIPCLOSE, CIPACK: A7600 manual 2.3, 2.6, 2.16. */

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "simcom.h"

#define LIST_MAX	(LINKS * 64)

/* <serverIP>: also of a link that was opened by name. */
static void cipopen_read(struct modem *m, struct args *a)
{
	char list[LIST_MAX], *p = list;
	unsigned int i;

	(void)a;
	for (i = 0; i < LINKS; i++) {
		const struct link *l = &m->links[i];

		p += sprintf(p, "%s+CIPOPEN: %u", i > 0 ? "\r\n" : "", i);
		if (l->state == LINK_OPEN)
			p += sprintf(p, ",\"TCP\",\"%s\",%u,-1",
				     l->address, l->port);
	}
	reply_text(m, "%.900s", list);
	reply_ok(m);
}

static int open_err(struct modem *m, const struct args *a, unsigned int id,
		    int *port, int *local)
{
	const char *type = args_str(a, 1), *host = args_str(a, 2);

	if (m->net.state != NET_STATE_OPEN)
		return NET_NOT_OPENED;
	if (type == NULL)
		return NET_PARAMETER;
	if (strcasecmp(type, "UDP") == 0)
		return NET_NOT_SUPPORTED;
	if (strcasecmp(type, "TCP") != 0 || host == NULL ||
	    strlen(host) >= LINK_HOST_MAX ||
	    !args_int(a, 3, 0, 65535, port) ||
	    !args_opt_int(a, 4, 0, 65535, local) || a->count > 5)
		return NET_PARAMETER;
	if (m->links[id].state != LINK_FREE)
		return NET_NOT_SUPPORTED;	/* Q43: link still open */
	return NET_OK;
}

static void start(struct modem *m, int id, const char *host, int port,
		  int local)
{
	if (quirk_take(m->opt.quirks, QUIRK_CIPOPEN_SILENT))
		return;
	if (quirk_take(m->opt.quirks, QUIRK_REBOOT_ON_CIPOPEN)) {
		modem_reboot_soon(m);
		return;
	}
	if (m->net.dead ||
	    quirk_on(m->opt.quirks, QUIRK_NETOPEN_NO_BEARER)) {
		m->dialect->opened(m, (unsigned int)id, NET_FAILURE);
		return;
	}
	link_open(m, (unsigned int)id, host, (unsigned int)port,
		  (unsigned int)local);
}

static void cipopen(struct modem *m, struct args *a)
{
	int id, port = 0, local = 0, err;

	if (!args_int(a, 0, 0, LINKS - 1, &id)) {
		reply_ip_error(m, IP_INFO_PARAMETER);
		return;
	}
	err = open_err(m, a, (unsigned int)id, &port, &local);
	if (err != NET_OK) {
		reply_failed(m, "CIPOPEN", id, err);
		return;
	}
	m->links[id].ok_after = quirk_take(m->opt.quirks,
					   QUIRK_CIPOPEN_RESULT_FIRST);
	if (m->links[id].ok_after)
		command_block(m);
	else
		reply_ok(m);
	start(m, id, args_str(a, 2), port, local);
}

static bool shown_open(const struct modem *m, const struct link *l)
{
	return l->state == LINK_OPEN ||
	       (l->lied_open && quirk_on(m->opt.quirks, QUIRK_CIPCLOSE_LIES));
}

static void cipclose_read(struct modem *m, struct args *a)
{
	unsigned int i, n = LINKS;
	bool cut = quirk_take(m->opt.quirks, QUIRK_CIPCLOSE_LIST_CUT);
	char list[3 * LINKS], *p = list;

	(void)a;
	if (cut)
		n = 5;
	for (i = 0; i < n; i++)
		p += sprintf(p, "%s%d", i > 0 ? "," : "",
			     shown_open(m, &m->links[i]));
	if (!cut) {
		reply_text_ok(m, "+CIPCLOSE: %s", list);
		return;
	}
	/* Q11: no CR LF, no OK; the modem would take the next command */
	line_out(&m->line, "\r\n+CIPCLOSE: ", 13, false);
	line_out(&m->line, list, strlen(list), false);
	command_done(m);
}

static void close_failed(struct modem *m, int id)
{
	if (quirk_on(m->opt.quirks, QUIRK_CIPCLOSE_LEGACY)) {
		reply_text(m, "+IP ERROR: %d", IP_INFO_NOT_OPENED);
		reply_error(m);
		return;
	}
	reply_failed(m, "CIPCLOSE", id,
		     m->net.state == NET_STATE_OPEN ? NET_NOT_SUPPORTED
						    : NET_NOT_OPENED);
}

static void on_close_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct link *l = ctx;

	(void)fd;
	(void)what;
	l->m->dialect->close_done(l->m, l->id);
}

/* A link that is still opening is not established: case 4, and it goes on. */
static void cipclose(struct modem *m, struct args *a)
{
	struct link *l;
	int id;

	if (!args_int(a, 0, 0, LINKS - 1, &id) || a->count > 1) {
		reply_error(m);
		return;
	}
	l = &m->links[id];
	if (l->state != LINK_OPEN) {
		close_failed(m, id);
		return;
	}
	reply_ok(m);
	link_close(m, (unsigned int)id);
	if (quirk_take(m->opt.quirks, QUIRK_CIPCLOSE_SILENT))
		return;
	if (quirk_take(m->opt.quirks, QUIRK_CIPCLOSE_CLOSE_OK))
		urc(m, "CLOSE OK");
	if (m->opt.close_ms == 0)
		m->dialect->close_done(m, (unsigned int)id);
	else
		modem_after(m, &l->result_timer, m->opt.close_ms,
			    on_close_timer, l);
}

static void cipack(struct modem *m, struct args *a)
{
	const struct link *l;
	uint64_t sent;
	int id;

	if (!args_int(a, 0, 0, LINKS - 1, &id)) {
		reply_ip_error(m, IP_INFO_PARAMETER);
		return;
	}
	l = &m->links[id];
	if (m->net.state != NET_STATE_OPEN) {
		reply_ip_error(m, IP_INFO_NOT_OPENED);
	} else if (l->state != LINK_OPEN) {
		reply_ip_error(m, IP_INFO_NOT_CREATED);
	} else {
		sent = l->tcp.sent;
		reply_text_ok(m, "+CIPACK: %llu,%llu,%llu",
			      (unsigned long long)l->queued,
			      (unsigned long long)sent - tcp_unacked(&l->tcp),
			      (unsigned long long)l->tcp.received);
	}
}

const struct command_row simcom_open_rows[] = {
	{ "+CIPOPEN", COMMAND_TCP, "+CIPOPEN: (0-9),(\"TCP\",\"UDP\")",
	  cipopen_read, cipopen, NULL },
	{ "+CIPCLOSE", COMMAND_TCP, "+CIPCLOSE: (0-9)",
	  cipclose_read, cipclose, NULL },
	{ "+CIPACK", COMMAND_TCP, "+CIPACK: (0-9)", NULL, cipack, NULL },
	{ .name = NULL }
};
