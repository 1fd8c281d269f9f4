/* SPDX-License-Identifier: MIT */

#include <string.h>

#include "linger.h"
#include "modem.h"

static void forget_open(struct link *l)
{
	if (l->resolve != NULL)
		resolve_cancel(l->resolve);
	l->resolve = NULL;
	if (l->open_timer != NULL)
		evtimer_del(l->open_timer);
	if (l->result_timer != NULL)
		evtimer_del(l->result_timer);
	if (l->ack_timer != NULL)
		evtimer_del(l->ack_timer);
}

void link_release(struct link *l, enum tcp_how how, const char *cause,
		  bool drop_rx)
{
	bool was_free = l->state == LINK_FREE;
	bool was_open = l->state == LINK_OPEN;

	forget_open(l);
	l->state = LINK_FREE;
	if (l->transparent && l->m->data.on)
		data_link_gone(l->m);
	l->transparent = false;
	if (was_open)
		closed_add(&l->m->closed, l, cause);
	tcp_close(&l->tcp, how);
	udp_close(&l->udp);
	if (drop_rx)
		link_drain(l, evbuffer_get_length(l->tcp.rx));
	l->broken = false;
	l->ended = false;
	if (evbuffer_get_length(l->tcp.rx) == 0)
		l->announced = false;
	if (!was_free)
		server_resume(l->m);
}

void link_peer_ended(struct link *l)
{
	if (l->m->set.rxget != 0 && !l->transparent &&
	    (!l->m->dialect->end_when_read ||
	     quirk_on(l->m->opt.quirks, QUIRK_CLOSED_EARLY) ||
	     quirk_on(l->m->opt.quirks, QUIRK_CLOSED_LOSES)))
		link_end(l->m, l->id, TCP_FIN, LINK_CLOSED_BY_PEER);
	else
		link_end_if_empty(l);
}

void link_forget(struct modem *m, unsigned int id)
{
	link_release(&m->links[id], TCP_RST, "link taken", true);
}

void link_close(struct modem *m, unsigned int id)
{
	struct link *l = &m->links[id];

	link_send_fail_all(l, true);
	l->lied_open = false;
	link_release(l, TCP_FIN, "closed by command", true);
}

static void on_lingered(void *ctx)
{
	struct link *l = ctx;

	l->lingerer = NULL;
	l->close_done(l->m, l->id);
	server_resume(l->m);	/* its number may be given again */
}

void link_close_slowly(struct modem *m, unsigned int id,
		       void (*done)(struct modem *m, unsigned int id))
{
	struct link *l = &m->links[id];

	l->close_done = done;
	l->lingerer = tcp_close_slowly(&l->tcp, on_lingered, l);
	link_close(m, id);
	if (l->lingerer == NULL)
		done(m, id);
}

static void on_ended(void *ctx)
{
	struct link *l = ctx;

	if (!l->ended)
		link_tls_ended(l);
	l->ended = true;
	/* who has to read first shall not wait for what cannot be sent */
	if (l->m->dialect->end_when_read &&
	    (l->tcp.broken || l->type == LINK_TLS))
		link_send_fail_all(l, true);
	/* before --open-time has let us say "open": then tell_opened() */
	if (l->state == LINK_OPEN)
		link_peer_ended(l);
}

void link_end_if_empty(struct link *l)
{
	if (!l->ended || l->state != LINK_OPEN ||
	    evbuffer_get_length(l->tcp.rx) > 0)
		return;
	if (l->stray > 0 && l->m->set.rxget != 0)
		link_announce(l->m, l->id);
	else
		link_end(l->m, l->id, TCP_FIN, LINK_CLOSED_BY_PEER);
}

void link_end(struct modem *m, unsigned int id, enum tcp_how how, int reason)
{
	struct link *l = &m->links[id];
	bool in_stream = l->transparent && m->data.on;

	link_send_fail_all(l, true);
	link_release(l, how, reason == LINK_CLOSED_BY_PEER ? "closed by peer"
						      : "closed by modem",
		false);
	if (!in_stream)		/* else the stream has said it */
		m->dialect->closed(m, id, reason);
}

void link_announce(struct modem *m, unsigned int id)
{
	struct link *l = &m->links[id];

	if (l->announced || m->set.rxget == 0 || l->transparent)
		return;
	l->announced = true;
	if (!quirk_take(m->opt.quirks, QUIRK_NOTIFY_LOST))
		m->dialect->readable(m, id);
}

void link_received(struct link *l, bool was_empty)
{
	if (l->state != LINK_OPEN)
		return;
	if (was_empty || l->m->dialect->end_when_read)
		link_announce(l->m, l->id);
	push_arrived(l->m);
}

static void on_received(void *ctx, bool was_empty)
{
	link_received(ctx, was_empty);
}

void link_taken(struct modem *m, unsigned int id, size_t n)
{
	struct link *l = &m->links[id];

	link_drain(l, n);
	if (evbuffer_get_length(l->tcp.rx) == 0)
		l->announced = false;
}

static void on_progress(void *ctx)
{
	struct link *l = ctx;

	link_send_progress(l);
	if (l->transparent)
		data_progress(l->m);
}

static const struct tcp_ops tcp_ops = {
	.connected	= link_connected,
	.shaking	= link_tls_shaking,
	.received	= on_received,
	.progress	= on_progress,
	.ended		= on_ended,
};

void link_drop_all(struct modem *m, enum tcp_how how, const char *cause)
{
	unsigned int i;

	for (i = 0; i < LINKS; i++) {
		link_send_fail_all(&m->links[i], false);
		m->links[i].lied_open = false;
		m->links[i].ok_after = false;
		m->links[i].close_ok_after = false;
		if (m->links[i].close_timer != NULL)
			evtimer_del(m->links[i].close_timer);
		if (m->links[i].lingerer != NULL)
			linger_forget(m->links[i].lingerer);
		m->links[i].lingerer = NULL;
		link_release(&m->links[i], how, cause, true);
	}
}

void link_lose_all(struct modem *m, enum tcp_how how)
{
	struct link *l;

	for (l = m->links; l < m->links + LINKS; l++) {
		bool opening = l->state == LINK_OPENING &&
			       l->server == LINK_NO_SERVER;

		link_send_fail_all(l, true);
		link_release(l, how, "network lost", true);
		if (opening)
			m->dialect->opened(m, l->id, NET_FAILURE);
	}
}

void links_init(struct modem *m)
{
	unsigned int buffer = m->opt.buffer, i;

	if (buffer == 0)
		buffer = m->dialect->buffer;

	for (i = 0; i < LINKS; i++) {
		struct link *l = &m->links[i];

		*l = (struct link){ .m = m, .id = i };
		l->udp.fd = -1;
		l->server = LINK_NO_SERVER;
		STAILQ_INIT(&l->datagrams);
		TAILQ_INIT(&l->sends);
		tcp_init(&l->tcp, m->base, buffer, &tcp_ops, l);
	}
}

void links_free(struct modem *m)
{
	unsigned int i;

	for (i = 0; i < LINKS; i++) {
		if (m->links[i].open_timer != NULL)
			event_free(m->links[i].open_timer);
		if (m->links[i].result_timer != NULL)
			event_free(m->links[i].result_timer);
		if (m->links[i].close_timer != NULL)
			event_free(m->links[i].close_timer);
		if (m->links[i].ack_timer != NULL)
			event_free(m->links[i].ack_timer);
		tcp_free(&m->links[i].tcp);
	}
}

