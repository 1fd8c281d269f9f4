/* SPDX-License-Identifier: MIT */

/* CIPMUX, CIPMODE, CIPRECONNINTV, CIPTCPOPT, CIPV6: W800 manual. */

#include <limits.h>
#include <string.h>

#include "w800.h"

static void mux_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CIPMUX:%d", m->w800->mux);
}

/* "can only be changed when all connections are closed" */
static bool mux_may_change(struct modem *m, int mux)
{
	if (w800_links_used(m) > 0) {
		record_violation(&m->record, VIOLATION_CIPMUX_WHILE_OPEN,
				 m->cmd.last, strlen(m->cmd.last));
		w800_error(m, "link is builded");
		return false;
	}
	if (mux ? m->set.mode == 1 : m->w800->serving) {
		w800_error(m, mux ? "IPMODE=1" : "CIPSERVER must be 0");
		return false;
	}
	return true;
}

static void mux_write(struct modem *m, struct args *a)
{
	int mux;

	if (!args_int(a, 0, 0, 1, &mux) || a->count > 1) {
		w800_bad(m);
		return;
	}
	if (mux != m->w800->mux && !mux_may_change(m, mux))
		return;
	m->w800->mux = mux;
	reply_ok(m);
}

static void mode_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CIPMODE:%d", m->set.mode);
}

/* "Only supports TCP single connection, UDP fixed ..., SSL single" */
static void mode_write(struct modem *m, struct args *a)
{
	int mode;

	if (!args_int(a, 0, 0, 1, &mode) || a->count > 1)
		w800_bad(m);
	else if (mode == 1 && (m->w800->mux || m->set.rxget == 1))
		reply_error(m);
	else {
		m->set.mode = mode;
		reply_ok(m);
	}
}

static void recon_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CIPRECONNINTV:%d", m->w800->flash.recon_100ms);
}

static void recon_write(struct modem *m, struct args *a)
{
	if (!args_int(a, 0, 1, 36000, &m->w800->flash.recon_100ms) ||
	    a->count > 1) {
		w800_bad(m);
		return;
	}
	w800_save(m);
	reply_ok(m);
}

static void v6_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CIPV6:%d", m->w800->flash.ipv6);
}

static void v6_write(struct modem *m, struct args *a)
{
	if (!args_int(a, 0, 0, 1, &m->w800->flash.ipv6) || a->count > 1) {
		w800_bad(m);
		return;
	}
	w800_save(m);
	reply_ok(m);
}

struct tcp_options w800_tcp_options(const struct w800_tcpopt *o)
{
	return (struct tcp_options){
		.linger_s = o->linger, .nodelay = o->nodelay,
		.sndtimeo_ms = (unsigned int)o->sndtimeo,
		.keepalive_s = (unsigned int)o->keep_alive,
	};
}

static void tcpopt_read(struct modem *m, struct args *a)
{
	unsigned int i, n = m->w800->mux ? W800_LINKS : 1;

	(void)a;
	for (i = 0; i < n; i++) {
		const struct w800_tcpopt *o = &m->w800->tcpopt[i];

		reply_text(m, "+CIPTCPOPT:%u,%d,%d,%d,%d", i, o->linger,
			   o->nodelay, o->sndtimeo, o->keep_alive);
	}
	reply_ok(m);
}

static bool take_tcpopt(const struct args *a, size_t at, struct w800_tcpopt *o)
{
	return a->count >= at + 1 && a->count <= at + 4 &&
	       args_opt_int(a, at, -1, INT_MAX / 1000, &o->linger) &&
	       args_opt_int(a, at + 1, 0, 1, &o->nodelay) &&
	       args_opt_int(a, at + 2, 0, INT_MAX, &o->sndtimeo) &&
	       args_opt_int(a, at + 3, 0, 7200, &o->keep_alive);
}

void w800_set_tcpopt(struct modem *m, unsigned int id,
		     const struct w800_tcpopt *o)
{
	struct tcp_options options = w800_tcp_options(o);

	m->w800->tcpopt[id] = *o;
	if (m->links[id].state != LINK_FREE && m->links[id].type != LINK_UDP)
		link_set_options(m, id, &options);
}

static void tcpopt_write(struct modem *m, struct args *a)
{
	int id = 0, last, i;
	size_t at = 0;

	if (m->w800->mux && !args_int(a, at++, 0, W800_ALL, &id)) {
		w800_bad(m);
		return;
	}
	last = id;
	if (id == W800_ALL) {
		id = 0;
		last = W800_LINKS - 1;
	}
	for (i = id; i <= last; i++) {
		struct w800_tcpopt o = m->w800->tcpopt[i];

		if (!take_tcpopt(a, at, &o)) {
			w800_bad(m);
			return;
		}
		w800_set_tcpopt(m, (unsigned int)i, &o);
	}
	reply_ok(m);
}

void w800_settings_defaults(struct modem *m)
{
	struct w800 *w = m->w800;
	unsigned int i;

	m->set.rxget = 0;
	m->set.mode = 0;
	w->mux = 0;
	w->dinfo = 0;
	w->sysmsg = 0;
	for (i = 0; i < W800_LINKS; i++)
		w->tcpopt[i] = (struct w800_tcpopt){ .linger = -1 };
}

const struct command_row w800_settings_rows[] = {
	{ "+CIPMUX", COMMAND_TCP, "", mux_read, mux_write, NULL },
	{ "+CIPMODE", COMMAND_TCP, "", mode_read, mode_write, NULL },
	{ "+CIPRECONNINTV", COMMAND_TCP, "", recon_read, recon_write, NULL },
	{ "+CIPV6", COMMAND_TCP, "", v6_read, v6_write, NULL },
	{ "+CIPTCPOPT", COMMAND_TCP, "", tcpopt_read, tcpopt_write, NULL },
	{ .name = NULL }
};
