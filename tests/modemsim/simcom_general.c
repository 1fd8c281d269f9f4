/* SPDX-License-Identifier: MIT */

/* Identity, errors, clock, battery, power. */

#include "simcom.h"

static void identity(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "Manufacturer: %s\r\nModel: %s\r\nRevision: %s\r\n"
		      "IMEI: %s\r\n+GCAP: +CGSM,+FCLASS,+DS",
		      m->opt.manufacturer, m->opt.model, m->opt.revision,
		      m->opt.imei);
}

static void manufacturer(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "%s", m->opt.manufacturer);
}

static void model(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "%s", m->opt.model);
}

static void revision(struct modem *m, struct args *a)
{
	(void)a;
	if (quirk_on(m->opt.quirks, QUIRK_GMR_TWO_LINES))
		reply_text(m, "+CGMR: %s\r\n+CSUB: B01", m->opt.revision);
	else
		reply_text(m, "+CGMR: %s", m->opt.revision);
	reply_ok(m);
}

static void serial(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "%s", m->opt.imei);
}

static void capabilities(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+GCAP: +CGSM,+FCLASS,+DS");
}

/* It cannot be written: it is the one of --imei. */
static void imei(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+SIMEI: %s", m->opt.imei);
}

/* 0: ready. Nobody calls. */
static void activity(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CPAS: 0");
}

static void cmee_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CMEE: %d", m->set.cmee);
}

static void cmee_write(struct modem *m, struct args *a)
{
	int cmee;

	if (!args_int(a, 0, 0, 2, &cmee) || a->count > 1) {
		reply_error(m);
		return;
	}
	if (quirk_on(m->opt.quirks, QUIRK_CMEE_AT_REBOOT)) {
		m->profile.has_cmee = true;
		m->profile.cmee = cmee;
	} else {
		m->set.cmee = cmee;
	}
	reply_ok(m);
}

static void cmee_exec(struct modem *m, struct args *a)
{
	(void)a;
	m->set.cmee = 0;
	reply_ok(m);
}

static void clock_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CCLK: \"26/01/01,00:00:00+00\"");
}

static void clock_write(struct modem *m, struct args *a)
{
	if (args_str(a, 0) != NULL && a->count == 1)
		reply_ok(m);
	else
		reply_error(m);
}

static void battery(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CBC: 3.810V");
}

static void temperature(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CPMUTEMP: 29");
}

/* It comes back by the control socket only. */
static void power_off(struct modem *m, struct args *a)
{
	(void)a;
	reply_ok(m);
	urc(m, "NORMAL POWER DOWN");
	modem_power_down(m);
}

static void creset(struct modem *m, struct args *a)
{
	(void)a;
	reply_ok(m);
	modem_reboot_soon(m);
}

const struct command_row simcom_general_rows[] = {
	{ "I", 0, NULL, NULL, identity, identity },
	{ "+SIMCOMATI", 0, "", NULL, NULL, identity },
	{ "+CGMI", 0, "", NULL, NULL, manufacturer },
	{ "+GMI", 0, "", NULL, NULL, manufacturer },
	{ "+CGMM", 0, "", NULL, NULL, model },
	{ "+GMM", 0, "", NULL, NULL, model },
	{ "+CGMR", 0, "", NULL, NULL, revision },
	{ "+GMR", 0, "", NULL, NULL, revision },
	{ "+CGSN", 0, "", NULL, NULL, serial },
	{ "+GSN", 0, "", NULL, NULL, serial },
	{ "+GCAP", 0, "", NULL, NULL, capabilities },
	{ "+SIMEI", 0, "", imei, NULL, NULL },
	{ "+CPAS", 0, "+CPAS: (0,3,4)", NULL, NULL, activity },
	{ "+CMEE", 0, "+CMEE: (0-2)", cmee_read, cmee_write, cmee_exec },
	{ "+CCLK", 0, "", clock_read, clock_write, NULL },
	{ "+CBC", 0, "", NULL, NULL, battery },
	{ "+CPMUTEMP", 0, "", NULL, NULL, temperature },
	{ "+CRESET", 0, "", NULL, NULL, creset },
	{ "+CPOF", 0, "", NULL, NULL, power_off },
	{ .name = NULL }
};
