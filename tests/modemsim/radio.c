/* SPDX-License-Identifier: MIT */

#include "modem.h"

bool radio_registered(const struct modem *m)
{
	return m->radio.stat == RADIO_HOME || m->radio.stat == RADIO_ROAMING;
}

static void attach_done(struct modem *m)
{
	if (!m->radio.attaching)
		return;
	m->radio.attaching = false;
	m->dialect->attached(m);
}

static void change(struct modem *m, enum radio_stat stat)
{
	m->radio.stat = stat;
	m->dialect->registered(m);
	if (radio_registered(m) && m->radio.was_away) {
		m->radio.was_away = false;
		if (quirk_take(m->opt.quirks, QUIRK_PB_DONE_ON_ATTACH)) {
			urc(m, "PB DONE");
			urc(m, "SMS DONE");
		}
	}
}

void radio_set(struct modem *m, enum radio_stat stat)
{
	if (m->radio.timer != NULL)
		evtimer_del(m->radio.timer);
	if (m->radio.stat != stat)
		change(m, stat);
	if (stat != RADIO_SEARCHING)
		attach_done(m);
}

static void on_registered(evutil_socket_t fd, short what, void *ctx)
{
	struct modem *m = ctx;

	(void)fd;
	(void)what;
	radio_set(m, (enum radio_stat)m->opt.registration);
	attach_done(m);		/* nobody was found, and no timer runs */
}

static bool is_searching(const struct radio *r)
{
	return r->timer != NULL && evtimer_pending(r->timer, NULL);
}

void radio_search(struct modem *m)
{
	struct radio *r = &m->radio;

	if (m->card.state != CARD_READY || r->cfun != 1 || r->away)
		return;
	if (m->opt.register_ms == 0) {
		radio_set(m, (enum radio_stat)m->opt.registration);
		return;
	}
	radio_set(m, RADIO_SEARCHING);
	modem_after(m, &r->timer, m->opt.register_ms, on_registered, m);
}

void radio_attach(struct modem *m)
{
	struct radio *r = &m->radio;

	r->attaching = true;
	if (!radio_registered(m) && !is_searching(r))
		radio_search(m);
	if (!is_searching(r))
		attach_done(m);
}

void radio_reset(struct modem *m)
{
	m->radio.attaching = false;
	if (m->radio.timer != NULL)
		evtimer_del(m->radio.timer);
	m->radio.stat = RADIO_NONE;
	m->radio.cfun = 1;
}

void radio_free(struct modem *m)
{
	if (m->radio.timer != NULL)
		event_free(m->radio.timer);
}
