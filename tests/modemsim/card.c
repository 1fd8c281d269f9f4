/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <string.h>

#include "modem.h"

#define PIN_TRIES	3
#define PUK_TRIES	10

static void became_ready(struct modem *m)
{
	m->card.state = CARD_READY;
	m->dialect->sim_ready(m);
	radio_search(m);
}

static void on_powered(evutil_socket_t fd, short what, void *ctx)
{
	struct modem *m = ctx;
	struct card *c = &m->card;

	(void)fd;
	(void)what;
	if (c->pin_tries == 0) {
		c->state = CARD_PUK;
		m->dialect->sim_ready(m);
	} else if (m->opt.pin != NULL) {
		c->state = CARD_PIN;
		m->dialect->sim_ready(m);
	} else {
		became_ready(m);
	}
}

void card_power_on(struct modem *m)
{
	struct card *c = &m->card;

	if (!c->counted) {
		c->pin_tries = PIN_TRIES;
		c->puk_tries = PUK_TRIES;
		c->counted = true;
	}
	c->busy_said = false;
	switch (m->opt.sim) {
	case SIM_NONE:
		c->state = CARD_NONE;
		return;
	case SIM_FAILURE:
		c->state = CARD_FAILURE;
		return;
	case SIM_BUSY:
		c->state = CARD_BUSY;
		return;
	case SIM_PRESENT:
		break;
	}
	c->state = CARD_BUSY;
	if (m->opt.sim_ms == 0)
		on_powered(-1, 0, m);
	else
		modem_after(m, &c->timer, m->opt.sim_ms, on_powered, m);
}

void card_power_off(struct modem *m)
{
	if (m->card.timer != NULL)
		evtimer_del(m->card.timer);
	m->card.state = CARD_OFF;
}

void card_free(struct modem *m)
{
	if (m->card.timer != NULL)
		event_free(m->card.timer);
}

bool card_enter_pin(struct modem *m, const char *pin)
{
	struct card *c = &m->card;

	if (m->opt.pin != NULL && strcmp(pin, m->opt.pin) == 0) {
		c->pin_tries = PIN_TRIES;
		c->state = CARD_READY;
		return true;
	}
	if (--c->pin_tries == 0)
		c->state = CARD_PUK;
	return false;
}

bool card_enter_puk(struct modem *m, const char *puk, const char *pin)
{
	struct card *c = &m->card;

	if (c->puk_tries > 0 && strcmp(puk, m->opt.puk) == 0) {
		m->opt.pin = strdup(pin);
		c->pin_tries = PIN_TRIES;
		c->puk_tries = PUK_TRIES;
		c->state = CARD_READY;
		return true;
	}
	if (c->puk_tries > 0 && --c->puk_tries == 0)
		c->state = CARD_FAILURE;
	return false;
}

int card_set(struct modem *m, const char *word)
{
	static const char *const words[] = {
		[SIM_PRESENT] = "ready", [SIM_NONE] = "none",
		[SIM_BUSY] = "busy", [SIM_FAILURE] = "failure",
	};
	size_t i;

	for (i = 0; i < 4; i++) {
		if (strcmp(word, words[i]) == 0)
			break;
	}
	if (i == 4)
		return -EINVAL;
	m->opt.sim = (enum sim_kind)i;
	card_power_off(m);
	if (i != SIM_PRESENT)
		radio_set(m, RADIO_NONE);
	card_power_on(m);
	return 0;
}
