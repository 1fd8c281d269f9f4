/* SPDX-License-Identifier: MIT */

/* CIPSERVER, CIPSERVERMAXCONN, CIPSTO: W800 manual. */

#include <string.h>

#include "clock.h"
#include "w800.h"

#define DEFAULT_PORT	333
#define BACKLOG		5

static void server_read(struct modem *m, struct args *a)
{
	const struct w800 *w = m->w800;

	(void)a;
	if (w->serving)
		reply_text_ok(m, "+CIPSERVER:1,%u,\"%s\",%d",
			      m->servers[0].port, w->server_type,
			      w->server_ca);
	else
		reply_text_ok(m, "+CIPSERVER:0");
}

static const char *take_type(const struct args *a, struct server_args *s)
{
	static const struct {
		const char *name;
		bool tls;
		enum family family;
	} types[] = {
		{ "TCP", false, FAMILY_V4 }, { "TCPv6", false, FAMILY_V6 },
		{ "SSL", true, FAMILY_V4 }, { "SSLv6", true, FAMILY_V6 },
	};
	const char *name = args_present(a, 2) ? args_str(a, 2) : "TCP";
	size_t i;

	for (i = 0; name != NULL && i < sizeof(types) / sizeof(types[0]);
	     i++) {
		if (strcmp(types[i].name, name) != 0)
			continue;
		s->tls = types[i].tls;
		s->family = types[i].family;
		return types[i].name;
	}
	return NULL;
}

/* ESP-AT: to ask for what is there already is no mistake. */
static void no_change(struct modem *m)
{
	if (m->opt.family == W800_OWN) {
		reply_error(m);
		return;
	}
	reply_text(m, "no change");
	reply_ok(m);
}

static void begin(struct modem *m, struct args *a)
{
	struct server_args s = { .backlog = BACKLOG, .refuses = true };
	int port = DEFAULT_PORT, ca = 0;
	const char *type = take_type(a, &s);

	if (type == NULL || a->count > 4 ||
	    !args_opt_int(a, 1, 1, 65535, &port) ||
	    !args_opt_int(a, 3, 0, 1, &ca)) {
		w800_bad(m);
		return;
	}
	if (m->w800->serving) {
		no_change(m);
		return;
	}
	if (!m->w800->mux ||
	    (s.family == FAMILY_V6 && !m->w800->flash.ipv6)) {
		reply_error(m);
		return;
	}
	s.port = (unsigned int)port;
	s.max_links = (unsigned int)m->w800->max_conn;
	s.verify = ca == 1;
	if (server_start(m, 0, &s) != NET_OK) {
		reply_error(m);
		return;
	}
	m->w800->serving = true;
	m->w800->server_type = type;
	m->w800->server_ca = ca;
	reply_ok(m);
}

/* "<"type"> and <CA enable> must be omitted" */
static void end(struct modem *m, struct args *a)
{
	unsigned int i;
	int all = 0;

	if (a->count > 2 || !args_opt_int(a, 1, 0, 1, &all)) {
		w800_bad(m);
		return;
	}
	if (!m->w800->serving) {
		no_change(m);
		return;
	}
	server_stop(m, 0);
	m->w800->serving = false;
	for (i = 0; all && i < W800_LINKS; i++) {
		if (m->links[i].server == LINK_NO_SERVER)
			continue;
		if (m->links[i].state == LINK_OPEN)
			w800_close_now(m, i);
		else if (m->links[i].state == LINK_OPENING)
			link_forget(m, i);	/* its TLS handshake */
	}
	reply_ok(m);
}

static void server_write(struct modem *m, struct args *a)
{
	int mode;

	if (!args_int(a, 0, 0, 1, &mode))
		w800_bad(m);
	else if (mode == 1)
		begin(m, a);
	else
		end(m, a);
}

static void max_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CIPSERVERMAXCONN:%d", m->w800->max_conn);
}

/* "set it before creating the server" */
static void max_write(struct modem *m, struct args *a)
{
	int n;

	if (!args_int(a, 0, 1, W800_LINKS, &n) || a->count > 1) {
		w800_bad(m);
		return;
	}
	if (m->w800->serving) {
		record_violation(&m->record, VIOLATION_MAXCONN_WHILE_SERVING,
				 m->cmd.last, strlen(m->cmd.last));
		reply_error(m);
		return;
	}
	m->w800->max_conn = n;
	reply_ok(m);
}

static uint64_t traffic(const struct link *l)
{
	return l->tcp.sent + l->tcp.received;
}

static void on_idle(evutil_socket_t fd, short what, void *ctx);

static void watch_idle(struct modem *m, struct link *l)
{
	m->w800->idle_bytes[l->id] = traffic(l);
	if (m->w800->sto > 0)
		modem_after(m, &m->w800->idle_timer[l->id],
			    (unsigned int)m->w800->sto * 1000, on_idle, l);
}

/* Looked at once a limit: what moved meanwhile starts it again. */
static void on_idle(evutil_socket_t fd, short what, void *ctx)
{
	struct link *l = ctx;
	struct modem *m = l->m;

	(void)fd;
	(void)what;
	if (l->state != LINK_OPEN || l->server == LINK_NO_SERVER)
		return;
	if (traffic(l) != m->w800->idle_bytes[l->id])
		watch_idle(m, l);
	else
		link_end(m, l->id, TCP_FIN, LINK_CLOSED_LOCALLY);
}

void w800_server_accepted(struct modem *m, unsigned int link)
{
	w800_set_tcpopt(m, link, &m->w800->tcpopt[link]);
	watch_idle(m, &m->links[link]);
}

static void sto_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CIPSTO:%d", m->w800->sto);
}

static void sto_write(struct modem *m, struct args *a)
{
	unsigned int i;

	if (!args_int(a, 0, 0, 7200, &m->w800->sto) || a->count > 1) {
		w800_bad(m);
		return;
	}
	for (i = 0; i < W800_LINKS; i++) {
		if (m->w800->idle_timer[i] != NULL)
			evtimer_del(m->w800->idle_timer[i]);
		if (m->links[i].state == LINK_OPEN &&
		    m->links[i].server != LINK_NO_SERVER)
			watch_idle(m, &m->links[i]);
	}
	reply_ok(m);
}

void w800_server_defaults(struct modem *m)
{
	struct w800 *w = m->w800;
	unsigned int i;

	w->serving = false;
	w->max_conn = W800_LINKS;
	w->sto = 180;
	for (i = 0; i < W800_LINKS; i++) {
		if (w->idle_timer[i] != NULL)
			evtimer_del(w->idle_timer[i]);
	}
}

void w800_server_free(struct modem *m)
{
	unsigned int i;

	for (i = 0; i < W800_LINKS; i++) {
		if (m->w800->idle_timer[i] != NULL)
			event_free(m->w800->idle_timer[i]);
	}
}

const struct command_row w800_server_rows[] = {
	{ "+CIPSERVER", COMMAND_TCP, "", server_read, server_write, NULL },
	{ "+CIPSERVERMAXCONN", COMMAND_TCP, "", max_read, max_write, NULL },
	{ "+CIPSTO", COMMAND_TCP, "", sto_read, sto_write, NULL },
	{ .name = NULL }
};
