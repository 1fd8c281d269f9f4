/* SPDX-License-Identifier: MIT */

/* The SIM card: CPIN, CICCID, CIMI. */

#include <string.h>

#include "simcom.h"

const char *simcom_pin_text(enum card_state state)
{
	switch (state) {
	case CARD_READY:	return "READY";
	case CARD_PIN:		return "SIM PIN";
	case CARD_PUK:		return "SIM PUK";
	case CARD_OFF:
	case CARD_BUSY:
	case CARD_NONE:
	case CARD_FAILURE:	break;
	}
	return NULL;
}

/* The error that stands in the way of using the card, 0 if none. */
static int obstacle(const struct modem *m)
{
	switch (m->card.state) {
	case CARD_READY:	return 0;
	case CARD_PIN:		return CME_SIM_PIN;
	case CARD_PUK:		return CME_SIM_PUK;
	case CARD_NONE:		return CME_NO_SIM;
	case CARD_FAILURE:	return CME_SIM_FAILURE;
	case CARD_OFF:
	case CARD_BUSY:		break;
	}
	return CME_SIM_BUSY;
}

/* Q23: once after a boot */
static bool says_not_yet(struct modem *m)
{
	enum cme cme = CME_SIM_BUSY;

	if (m->card.busy_said)
		return false;
	if (quirk_take(m->opt.quirks, QUIRK_SIM_FAILURE_FIRST))
		cme = CME_SIM_FAILURE;
	else if (!quirk_take(m->opt.quirks, QUIRK_SIM_BUSY_FIRST))
		return false;
	m->card.busy_said = true;
	reply_cme(m, cme);
	return true;
}

static void cpin_read(struct modem *m, struct args *a)
{
	const char *text = simcom_pin_text(m->card.state);

	(void)a;
	if (text != NULL && says_not_yet(m)) {
		urc(m, "+CPIN: %s", text);
	} else if (text == NULL) {
		reply_cme(m, (enum cme)obstacle(m));
	} else {
		reply_text_ok(m, "+CPIN: %s", text);
	}
}

/* The PIN may be quoted or not. */
static const char *field(const struct args *a, size_t i)
{
	return args_present(a, i) ? a->arg[i].text : NULL;
}

static void cpin_write(struct modem *m, struct args *a)
{
	const char *one = field(a, 0), *two = field(a, 1);
	bool open;

	if (one == NULL || a->count > 2) {
		reply_error(m);
		return;
	}
	if (m->card.state == CARD_PIN && two == NULL) {
		open = card_enter_pin(m, one);
	} else if (m->card.state == CARD_PUK && two != NULL) {
		open = card_enter_puk(m, one, two);
	} else if (m->card.state == CARD_READY) {
		reply_cme(m, CME_NOT_ALLOWED);
		return;
	} else {
		reply_cme(m, (enum cme)obstacle(m));
		return;
	}
	if (!open) {
		reply_cme(m, CME_BAD_PASSWORD);
		return;
	}
	reply_ok(m);
	urc(m, "+CPIN: READY");
	if (!quirk_on(m->opt.quirks, QUIRK_NO_PB_DONE)) {
		urc(m, "SMS DONE");
		urc(m, "PB DONE");
	}
	radio_search(m);
}

static void iccid(struct modem *m, struct args *a)
{
	int cme = obstacle(m);

	(void)a;
	/* readable without the PIN */
	if (cme != 0 && cme != CME_SIM_PIN && cme != CME_SIM_PUK)
		reply_cme(m, (enum cme)cme);
	else
		reply_text_ok(m, "+ICCID: %s", m->opt.iccid);
}

static void imsi(struct modem *m, struct args *a)
{
	int cme = obstacle(m);

	(void)a;
	if (cme != 0)
		reply_cme(m, (enum cme)cme);
	else
		reply_text_ok(m, "%s", m->opt.imsi);
}

const struct command_row simcom_sim_rows[] = {
	{ "+CPIN", 0, "", cpin_read, cpin_write, NULL },
	{ "+CICCID", 0, "", NULL, NULL, iccid },
	{ "+CIMI", 0, "", NULL, NULL, imsi },
	{ .name = NULL }
};
