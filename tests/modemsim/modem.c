/* SPDX-License-Identifier: MIT */

#include <string.h>

#include "clock.h"
#include "modem.h"

#define REBOOT_DELAY_MS	20
#define FLOOD_MS	100

bool modem_talks(const struct modem *m)
{
	return !m->booting && !m->hung;
}

void modem_after(struct modem *m, struct event **ev, unsigned int ms,
		 event_callback_fn fn, void *ctx)
{
	struct timeval tv = clock_tv_ms(ms);

	if (*ev != NULL) {
		evtimer_del(*ev);
		evtimer_assign(*ev, m->base, fn, ctx);
	} else {
		*ev = evtimer_new(m->base, fn, ctx);
	}
	evtimer_add(*ev, &tv);
}

static void input(void *ctx, const uint8_t *data, size_t len, uint64_t mark)
{
	command_input(ctx, data, len, mark);
}

static void room(void *ctx)
{
	push_run(ctx);
}

static const struct line_ops line_ops = { .input = input, .room = room };

static void on_flood(evutil_socket_t fd, short what, void *ctx)
{
	struct modem *m = ctx;

	(void)fd;
	(void)what;
	if (!quirk_on(m->opt.quirks, QUIRK_CGEV_FLOOD) || m->set.cgerep == 0)
		return;
	urc(m, "+CGEV: ME PDN DEACT 1");
	modem_flood(m);
}

void modem_flood(struct modem *m)
{
	if (m->flood_timer != NULL)
		evtimer_del(m->flood_timer);
	if (quirk_on(m->opt.quirks, QUIRK_CGEV_FLOOD))
		modem_after(m, &m->flood_timer, FLOOD_MS, on_flood, m);
}

static void on_booted(evutil_socket_t fd, short what, void *ctx)
{
	struct modem *m = ctx;

	(void)fd;
	(void)what;
	m->booting = false;
	m->boots++;
	m->dialect->booted(m);
	modem_flood(m);
	card_power_on(m);
}

/* Cold: nothing of the volatile state is left, nothing is announced. */
static void power_off(struct modem *m)
{
	m->booting = true;
	m->hung = false;
	if (m->done_timer != NULL)
		evtimer_del(m->done_timer);
	m->opt.quirks[QUIRK_NETOPEN_STUCK] = 0;
	server_drop_all(m);
	link_drop_all(m, TCP_RST, "reboot");
	net_reset(m);
	radio_reset(m);
	card_power_off(m);
	command_reset(m);
	data_reset(m);
	modem_clock_reset(&m->clock, m->opt.clock_set);
	line_reset(&m->line);
	m->line.modem_baud = m->opt.modem_baud;
	m->dialect->defaults(m);
}

void modem_reboot(struct modem *m)
{
	record_event(&m->record, "reboot");
	power_off(m);
	modem_after(m, &m->boot_timer, m->opt.boot_ms, on_booted, m);
}

static void on_reboot(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	modem_reboot(ctx);
}

void modem_reboot_soon(struct modem *m)
{
	modem_after(m, &m->boot_timer, REBOOT_DELAY_MS, on_reboot, m);
}

static void on_power_down(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	record_event(&((struct modem *)ctx)->record, "power down");
	power_off(ctx);
}

void modem_power_down(struct modem *m)
{
	modem_after(m, &m->boot_timer, REBOOT_DELAY_MS, on_power_down, m);
}

int modem_start(struct modem *m, struct event_base *base)
{
	int err;

	m->base = base;
	m->dialect = m->opt.w800 ? &w800_dialect : &simcom_dialect;
	m->waiting_urcs = evbuffer_new();
	err = line_init(&m->line, &m->opt, base, &line_ops, m);
	if (err < 0)
		return err;
	command_init(m);
	data_init(m);
	links_init(m);
	servers_init(m);
	resolver_init(m);
	closed_init(&m->closed);
	net_init(m);
	modem_clock_reset(&m->clock, m->opt.clock_set);
	err = m->dialect->init(m);
	if (err < 0)
		return err;
	m->dialect->defaults(m);
	card_power_off(m);
	if (m->opt.banner_at_start) {
		modem_reboot(m);
		return 0;
	}
	/* it has been running for some time: nothing to announce */
	card_power_on(m);
	modem_flood(m);
	if (m->opt.open_at_start || m->opt.data_at_start)
		m->net.state = NET_STATE_OPEN;
	if (m->opt.data_at_start)
		data_start(m);
	return 0;
}

void modem_stop(struct modem *m)
{
	servers_free(m);
	link_drop_all(m, TCP_FIN, "exit");
	m->dialect->defaults(m);
	if (m->boot_timer != NULL)
		event_free(m->boot_timer);
	if (m->flood_timer != NULL)
		event_free(m->flood_timer);
	push_free(m);
	data_free(m);
	if (m->done_timer != NULL)
		event_free(m->done_timer);
	links_free(m);
	net_free(m);
	radio_free(m);
	card_free(m);
	resolver_free(m);
	closed_free(&m->closed);
	m->dialect->free(m);
	command_free(m);
	line_free(&m->line);
	evbuffer_free(m->waiting_urcs);
}
