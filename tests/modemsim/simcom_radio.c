/* SPDX-License-Identifier: MIT */

/* Signal, registration, operator, power of the radio. */

#include <string.h>

#include "simcom.h"

#define LAC	"1816"
#define CELL	"01A50A1B"
#define ACT_LTE	7

static void csq(struct modem *m, struct args *a)
{
	bool signal = m->radio.cfun == 1 && !m->radio.away;

	(void)a;
	reply_text_ok(m, "+CSQ: %u,99", signal ? m->opt.csq : 99);
}

static void cfun_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CFUN: %d", m->radio.cfun);
}

/* The card comes back with the radio (quirk cfun-sim). */
static void tell_sim(struct modem *m)
{
	const char *text = simcom_pin_text(m->card.state);

	if (text == NULL || !quirk_on(m->opt.quirks, QUIRK_CFUN_SIM))
		return;
	urc(m, "+CPIN: %s", text);
	if (m->card.state != CARD_READY)
		return;
	urc(m, "SMS DONE");
	urc(m, "PB DONE");
}

static void cfun_write(struct modem *m, struct args *a)
{
	int fun, reset = 0, old = m->radio.cfun;

	if (!args_int(a, 0, 0, 7, &fun) || !args_opt_int(a, 1, 0, 1, &reset) ||
	    (fun > 1 && fun != 4 && fun != 6)) {
		reply_error(m);
		return;
	}
	if (fun != 6)
		m->radio.cfun = fun;
	reply_ok(m);
	if (reset || fun == 6) {
		modem_reboot_soon(m);
	} else if (fun == 1) {
		if (old != 1)
			tell_sim(m);
		if (!radio_registered(m))
			radio_search(m);
	} else {
		if (quirk_on(m->opt.quirks, QUIRK_CFUN_SIM))
			urc(m, "+CPIN: NOT READY");
		if (m->net.state == NET_STATE_OPEN)
			net_lose(m, false, TCP_RST, 0);
		m->radio.away = false;
		radio_set(m, RADIO_NONE);
	}
}

/* "+CREG: 1" or, with location, "+CREG: 1,"1816","01A50A1B",7" */
static void tell(struct modem *m, const char *name, int mode)
{
	int stat = m->radio.stat;

	if (mode == 1 || (mode == 2 && !radio_registered(m)))
		urc(m, "+%s: %d", name, stat);
	else if (mode == 2)
		urc(m, "+%s: %d,\"" LAC "\",\"" CELL "\",%d", name, stat,
		    ACT_LTE);
}

void simcom_registered(struct modem *m)
{
	tell(m, "CREG", m->set.creg);
	tell(m, "CGREG", m->set.cgreg);
	tell(m, "CEREG", m->set.cereg);
}

static void reg_read(struct modem *m, const char *name, int mode)
{
	int stat = m->radio.stat;

	if (mode == 2 && radio_registered(m))
		reply_text_ok(m, "+%s: %d,%d,\"" LAC "\",\"" CELL "\",%d",
			      name, mode, stat, ACT_LTE);
	else
		reply_text_ok(m, "+%s: %d,%d", name, mode, stat);
}

static void reg_write(struct modem *m, struct args *a, int *mode)
{
	if (a->count == 1 && args_int(a, 0, 0, 2, mode))
		reply_ok(m);
	else
		reply_error(m);
}

static void creg_read(struct modem *m, struct args *a)
{
	(void)a;
	reg_read(m, "CREG", m->set.creg);
}

static void creg_write(struct modem *m, struct args *a)
{
	reg_write(m, a, &m->set.creg);
}

static void cgreg_read(struct modem *m, struct args *a)
{
	(void)a;
	reg_read(m, "CGREG", m->set.cgreg);
}

static void cgreg_write(struct modem *m, struct args *a)
{
	reg_write(m, a, &m->set.cgreg);
}

static void cereg_read(struct modem *m, struct args *a)
{
	(void)a;
	reg_read(m, "CEREG", m->set.cereg);
}

static void cereg_write(struct modem *m, struct args *a)
{
	reg_write(m, a, &m->set.cereg);
}

/* A7600 manual 6.1.1 */
static void cpsi(struct modem *m, struct args *a)
{
	(void)a;
	if (radio_registered(m))
		reply_text_ok(m, "+CPSI: LTE,Online,460-00,0x1816,27593483,"
			      "139,EUTRAN-BAND39,38400,5,5,-88,-868,-578,18");
	else
		reply_text_ok(m, "+CPSI: NO SERVICE,%s",
			      m->radio.cfun == 1 ? "Online" : "Low Power Mode");
}

/* <time>: it would be repeated every so many seconds; only 0 is. */
static void cpsi_write(struct modem *m, struct args *a)
{
	int seconds;

	if (args_int(a, 0, 0, 0, &seconds) && a->count == 1)
		reply_ok(m);
	else
		reply_error(m);
}

/* 8: LTE */
static void cnsmod(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CNSMOD: 0,%d", radio_registered(m) ? 8 : 0);
}

static void cspn(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CSPN: \"%s\",0", m->opt.operator_name);
}

static void cops_read(struct modem *m, struct args *a)
{
	const char *name = m->opt.operator_name;

	(void)a;
	if (m->set.cops_format == 2)
		name = "46000";
	if (radio_registered(m))
		reply_text_ok(m, "+COPS: %d,%d,\"%s\",%d",
			      m->profile.cops_mode, m->set.cops_format, name,
			      ACT_LTE);
	else
		reply_text_ok(m, "+COPS: %d", m->profile.cops_mode);
}

/* Any operator but ours is not there: +CME ERROR: no network service. */
static void cops_write(struct modem *m, struct args *a)
{
	const char *name = args_str(a, 2);
	int mode, format = m->set.cops_format;

	if (!args_int(a, 0, 0, 4, &mode) ||
	    !args_opt_int(a, 1, 0, 2, &format)) {
		reply_error(m);
		return;
	}
	m->set.cops_format = format;
	if (mode == 3) {
		reply_ok(m);
		return;
	}
	if ((mode == 1 || mode == 4) &&
	    (name == NULL || (strcmp(name, m->opt.operator_name) != 0 &&
			      strcmp(name, "46000") != 0))) {
		reply_cme(m, CME_NO_SERVICE);
		return;
	}
	m->profile.cops_mode = mode == 4 ? 1 : mode;
	reply_ok(m);
	if (mode == 2)
		radio_set(m, RADIO_NONE);
	else if (!radio_registered(m))
		radio_search(m);
}

const struct command_row simcom_radio_rows[] = {
	{ "+CSQ", 0, "+CSQ: (0-31,99),(0-7,99)", NULL, NULL, csq },
	{ "+CFUN", 0, "+CFUN: (0,1,4,6),(0,1)", cfun_read, cfun_write, NULL },
	{ "+CREG", 0, "+CREG: (0-2)", creg_read, creg_write, NULL },
	{ "+CGREG", 0, "+CGREG: (0-2)", cgreg_read, cgreg_write, NULL },
	{ "+CEREG", 0, "+CEREG: (0-2)", cereg_read, cereg_write, NULL },
	{ "+CPSI", 0, "+CPSI: (0-255)", cpsi, cpsi_write, NULL },
	{ "+CNSMOD", 0, "", cnsmod, NULL, NULL },
	{ "+CSPN", 0, "", cspn, NULL, NULL },
	{ "+COPS", 0, "+COPS: (2,\"SIMNET\",\"SIMNET\",\"46000\",7),,(0-4),"
	  "(0-2)", cops_read, cops_write, NULL },
	{ .name = NULL }
};
