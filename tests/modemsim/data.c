/* SPDX-License-Identifier: MIT */

#include <string.h>

#include "baud.h"
#include "clock.h"
#include "modem.h"

#define CHUNK		1024
#define TX_HIGH		16384	/* the host's bytes wait from here on */
#define TX_LOW		4096
#define UART_BUFFER	1024	/* W800, in bytes */

static struct link *the_link(struct modem *m)
{
	return &m->links[DATA_LINK];
}

bool data_possible(const struct modem *m)
{
	const struct link *l = &m->links[DATA_LINK];

	return l->transparent && l->state == LINK_OPEN && !m->data.on;
}

void data_begin(struct modem *m)
{
	m->data.on = true;
	m->data.pending = false;
	m->data.pluses = 0;
	m->data.last_ns = line_now(&m->line);
}

static unsigned int rate(struct modem *m)
{
	int baud = m->line.plugged ? baud_get(m->line.pty.master) : 0;

	return baud > 0 ? (unsigned int)baud : 115200;
}

void data_enter(struct modem *m)
{
	data_begin(m);
	reply_connect(m, rate(m));
}

void data_enter_unasked(struct modem *m)
{
	if (command_answering(m)) {
		m->data.pending = true;
		return;
	}
	m->data.pending = false;
	if (!data_possible(m))
		return;
	reply_connect_unasked(m, rate(m));
	data_begin(m);
	m->cmd.state = COMMAND_DATA;
	push_run(m);
}

static void send_stream(struct modem *m, struct link *l, const void *data,
			size_t len)
{
	size_t held = evbuffer_get_length(l->tcp.tx);

	/* without flow control the UART's buffer is all there is (Q122) */
	if (quirk_on(m->opt.quirks, QUIRK_UART_OVERRUN)) {
		if (held + len <= TX_HIGH + UART_BUFFER)
			tcp_send(&l->tcp, data, len);
		return;
	}
	tcp_send(&l->tcp, data, len);
	if (evbuffer_get_length(l->tcp.tx) > TX_HIGH)
		line_hold(&m->line, true);
}

static void send_packet(struct modem *m)
{
	struct data *d = &m->data;
	struct link *l = the_link(m);
	size_t n = evbuffer_get_length(d->packet);

	if (n > 0 && l->state == LINK_OPEN && l->type == LINK_UDP)
		link_udp_send(l, evbuffer_pullup(d->packet, -1), n, NULL);
	else if (n > 0 && l->state == LINK_OPEN)
		send_stream(m, l, evbuffer_pullup(d->packet, -1), n);
	evbuffer_drain(d->packet, n);
}

static void on_packet_timer(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	send_packet(ctx);
}

static void to_peer(struct modem *m, const uint8_t *data, size_t len)
{
	const struct data_rules *rules = &m->dialect->stream;
	struct data *d = &m->data;
	struct link *l = the_link(m);
	size_t n;

	if (len == 0 || l->state != LINK_OPEN)
		return;
	l->queued += len;
	if (l->type != LINK_UDP && !rules->blocks) {
		send_stream(m, l, data, len);
		return;
	}
	for (; len > 0; data += n, len -= n) {
		n = rules->packet_max - evbuffer_get_length(d->packet);
		n = len < n ? len : n;
		evbuffer_add(d->packet, data, n);
		if (evbuffer_get_length(d->packet) == rules->packet_max)
			send_packet(m);
	}
	modem_after(m, &d->packet_timer, rules->packet_ms, on_packet_timer, m);
}

void data_progress(struct modem *m)
{
	if (evbuffer_get_length(the_link(m)->tcp.tx) < TX_LOW)
		line_hold(&m->line, false);
}

/* They were payload after all. */
static void release_pluses(struct modem *m)
{
	unsigned int n = m->data.pluses;

	m->data.pluses = 0;
	if (n > 0)
		evtimer_del(m->data.timer);
	to_peer(m, (const uint8_t *)"+++", n);
}

void data_leave(struct modem *m)
{
	struct data *d = &m->data;

	if (d->timer != NULL)
		evtimer_del(d->timer);
	send_packet(m);
	d->pluses = 0;
	d->on = false;
	data_watch_reset(m);
	m->cmd.state = COMMAND_IDLE;
	line_hold(&m->line, false);
}

static void on_plus_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct modem *m = ctx;

	(void)fd;
	(void)what;
	if (m->data.pluses < 3 ||
	    quirk_take(m->opt.quirks, QUIRK_ESCAPE_LOST)) {
		release_pluses(m);
		return;
	}
	record_event(&m->record, "escape to command mode");
	data_leave(m);
	/* what comes from now on is reported as in normal mode */
	if (m->dialect->stream.silent)
		the_link(m)->transparent = false;
	if (m->dialect->stream.silent ||
	    quirk_take(m->opt.quirks, QUIRK_ESCAPE_SILENT))
		command_done(m);
	else
		reply_ok(m);
}

/* Is a plus that comes @gap after the byte before it part of an escape? */
static bool is_escape(struct modem *m, int64_t gap)
{
	bool free = quirk_on(m->opt.quirks, QUIRK_ESCAPE_NO_GUARD);

	if (m->data.pluses == 0)
		return free || gap >= m->dialect->stream.guard_ms * NS_PER_MS;
	return m->data.pluses < 3 &&
	       gap <= m->dialect->stream.between_ms * NS_PER_MS;
}

static void hold_plus(struct modem *m)
{
	unsigned int ms = m->dialect->stream.between_ms;

	if (++m->data.pluses == 3)
		ms = quirk_on(m->opt.quirks, QUIRK_ESCAPE_NO_GUARD)
		     ? 0 : m->dialect->stream.guard_ms;
	modem_after(m, &m->data.timer, ms, on_plus_timer, m);
}

void data_input(struct modem *m, const uint8_t *data, size_t len)
{
	struct data *d = &m->data;
	int64_t byte_ns = line_byte_ns(&m->line), at, gap;
	size_t i, from = 0;

	at = line_now(&m->line) - (int64_t)(len - 1) * byte_ns;
	for (i = 0; i < len; i++, at += byte_ns) {
		gap = at - d->last_ns;
		d->last_ns = at;
		if (data[i] == '+' && is_escape(m, gap)) {
			to_peer(m, data + from, i - from);
			from = i + 1;
			hold_plus(m);
		} else if (d->pluses > 0) {
			release_pluses(m);
		}
		data_watch_byte(m, data[i], gap, d->pluses > 0);
	}
	to_peer(m, data + from, len - from);
}

void data_run(struct modem *m)
{
	struct link *l = the_link(m);
	struct address from;
	uint8_t data[CHUNK];
	size_t n;

	while (m->data.on && modem_talks(m) && line_is_low(&m->line)) {
		n = link_block(m, DATA_LINK, &from);
		if (n == 0)
			break;
		if (n > sizeof(data))
			n = sizeof(data);
		evbuffer_copyout(l->tcp.rx, data, n);
		m->dialect->streamed(m, &from);
		reply_raw(m, data, n);
		link_taken(m, DATA_LINK, n);
		link_end_if_empty(l);
	}
}

void data_link_gone(struct modem *m)
{
	if (m->dialect->stream.stays) {
		m->dialect->stream_ended(m);
		return;
	}
	data_leave(m);
	m->dialect->stream_ended(m);
	command_done(m);
}

/* AT&D1: command mode, AT&D2: hang up; only when it goes off. */
void data_set_dtr(struct modem *m, bool on)
{
	bool dropped = !on && !m->data.dtr_off;

	m->data.dtr_off = !on;
	if (!dropped || !m->data.on)
		return;
	if (m->set.uart.dtr == 1) {
		data_leave(m);
		reply_ok(m);
	} else if (m->set.uart.dtr == 2) {
		link_close(m, DATA_LINK);
		m->dialect->closed(m, DATA_LINK, LINK_CLOSED_BY_DTR);
	}
}

void data_reset(struct modem *m)
{
	struct data *d = &m->data;

	if (d->timer != NULL)
		evtimer_del(d->timer);
	if (d->packet_timer != NULL)
		evtimer_del(d->packet_timer);
	evbuffer_drain(d->packet, evbuffer_get_length(d->packet));
	d->pluses = 0;
	d->on = false;
	d->pending = false;
	data_watch_reset(m);
}

void data_start(struct modem *m)
{
	static const struct link_args nobody = {
		.type = LINK_UDP, .family = FAMILY_V4, .host = "192.0.2.1",
		.port = 9,
	};

	m->set.mode = 1;
	if (link_open_udp(m, DATA_LINK, &nobody) != NET_OK)
		return;
	the_link(m)->transparent = true;
	data_begin(m);
	m->cmd.state = COMMAND_DATA;
}

void data_init(struct modem *m)
{
	m->data.packet = evbuffer_new();
}

void data_free(struct modem *m)
{
	if (m->data.timer != NULL)
		event_free(m->data.timer);
	if (m->data.packet_timer != NULL)
		event_free(m->data.packet_timer);
	data_watch_free(m);
	evbuffer_free(m->data.packet);
}
