/* SPDX-License-Identifier: MIT */

/* CIPCLOSE, CIPACK: A7600 manual 2.6, 2.16. */

#include <stdio.h>
#include <string.h>

#include "simcom.h"

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
	server_resume(l->m);	/* its number may be given again */
}

/* One that was opened again before its first close was told. */
static void tell_pending(struct modem *m, struct link *l)
{
	if (l->close_timer == NULL || !evtimer_pending(l->close_timer, NULL))
		return;
	evtimer_del(l->close_timer);
	m->dialect->close_done(m, l->id);
}

/* The result comes before the OK of a UDP link, else after it (Q8). */
static void close_link(struct modem *m, struct link *l)
{
	bool transparent = l->transparent;
	unsigned int ms = m->opt.close_ms;

	tell_pending(m, l);
	l->close_ok_after = l->type == LINK_UDP &&
			    !quirk_on(m->opt.quirks, QUIRK_UDP_OK_FIRST);
	if (!l->close_ok_after)
		reply_ok(m);
	link_close(m, l->id);
	if (transparent && l->close_ok_after)
		reply_text(m, "CLOSED");
	else if (transparent)
		urc(m, "CLOSED");
	if (quirk_take(m->opt.quirks, QUIRK_CIPCLOSE_SILENT)) {
		if (l->close_ok_after)
			reply_ok(m);
		l->close_ok_after = false;
		return;
	}
	if (quirk_take(m->opt.quirks, QUIRK_CIPCLOSE_CLOSE_OK))
		urc(m, "CLOSE OK");
	if (quirk_take(m->opt.quirks, QUIRK_CIPCLOSE_LATE))
		ms += m->opt.late_ms;
	if (ms == 0)
		m->dialect->close_done(m, l->id);
	else
		modem_after(m, &l->close_timer, ms, on_close_timer, l);
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
	if (l->state != LINK_OPEN)
		close_failed(m, id);
	else
		close_link(m, l);
}

/* What is shown moves on by half of what it should (quirk ack-lags). */
static uint64_t acked(struct modem *m, struct link *l)
{
	uint64_t real = l->tcp.sent - tcp_unacked(&l->tcp);

	if (quirk_take(m->opt.quirks, QUIRK_ACK_LAGS))
		real = l->ack_told + (real - l->ack_told + 1) / 2;
	l->ack_told = real;
	return real;
}

static void tell_ack(struct modem *m, struct link *l)
{
	uint64_t ack = acked(m, l);

	reply_text_ok(m, "+CIPACK: %lld,%lld,%lld",
		      (long long)l->queued + l->ack_error[LINK_ACK_SENT],
		      (long long)ack + l->ack_error[LINK_ACK_ACK],
		      (long long)l->tcp.received + l->ack_error[LINK_ACK_RECV]);
}

static void cipack(struct modem *m, struct args *a)
{
	struct link *l;
	int id;

	if (!args_int(a, 0, 0, LINKS - 1, &id) || a->count > 1) {
		reply_ip_error(m, IP_INFO_PARAMETER);
		return;
	}
	l = &m->links[id];
	if (m->net.state != NET_STATE_OPEN) {
		reply_ip_error(m, IP_INFO_NOT_OPENED);
	} else if (l->state != LINK_OPEN) {
		reply_ip_error(m, IP_INFO_NOT_CREATED);
	} else if (l->type == LINK_UDP) {
		reply_ip_error(m, IP_INFO_NOT_SUPPORTED);
	} else if (quirk_take(m->opt.quirks, QUIRK_CIPACK_EMPTY)) {
		reply_ok(m);
	} else {
		tell_ack(m, l);
	}
}

const struct command_row simcom_close_rows[] = {
	{ "+CIPCLOSE", COMMAND_TCP, "+CIPCLOSE: (0-9)",
	  cipclose_read, cipclose, NULL },
	{ "+CIPACK", COMMAND_TCP, "+CIPACK: (0-9)", NULL, cipack, NULL },
	{ .name = NULL }
};
