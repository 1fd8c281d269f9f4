/* SPDX-License-Identifier: MIT */

/* Identity, echo, errors, the UART. */

#include "baud.h"
#include "simcom.h"

static void echo(struct modem *m, struct args *a)
{
	int on = 0;

	if (!args_opt_int(a, 0, 0, 1, &on)) {
		reply_error(m);
		return;
	}
	if (!quirk_on(m->opt.quirks, QUIRK_ECHO_STICKY))
		m->cmd.echo = on;
	reply_ok(m);
}

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

static void cmee_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CMEE: %d", m->set.cmee);
}

static void cmee_write(struct modem *m, struct args *a)
{
	if (args_int(a, 0, 0, 2, &m->set.cmee))
		reply_ok(m);
	else
		reply_error(m);
}

static void cmee_exec(struct modem *m, struct args *a)
{
	(void)a;
	m->set.cmee = 0;
	reply_ok(m);
}

static void ipr_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+IPR: %u", m->line.modem_baud);
}

/* In force once the OK has left at the old rate. */
static void on_new_rate(evutil_socket_t fd, short what, void *ctx)
{
	struct modem *m = ctx;

	(void)fd;
	(void)what;
	m->line.modem_baud = m->line.next_baud;
}

static void ipr_write(struct modem *m, struct args *a)
{
	static const int rates[] = {
		0, 300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600,
		115200, 230400, 460800, 921600, 1842000, 3000000, 3686400,
	};
	unsigned int i, ms;
	int rate;

	if (!args_int(a, 0, 0, 4000000, &rate)) {
		reply_error(m);
		return;
	}
	for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		if (rates[i] == rate)
			break;
	}
	if (i == sizeof(rates) / sizeof(rates[0])) {
		reply_error(m);
		return;
	}
	reply_ok(m);
	m->line.next_baud = (unsigned int)rate;
	ms = 1 + line_drain_ms(&m->line);
	modem_after(m, &m->line.baud_timer, ms, on_new_rate, m);
}

static void dtr(struct modem *m, struct args *a)
{
	if (args_opt_int(a, 0, 0, 2, &m->set.dtr))
		reply_ok(m);
	else
		reply_error(m);
}

static void ifc_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+IFC: %d,%d", m->set.flow_in, m->set.flow_out);
}

static void ifc_write(struct modem *m, struct args *a)
{
	struct settings *s = &m->set;

	if (args_int(a, 0, 0, 2, &s->flow_in) &&
	    args_opt_int(a, 1, 0, 2, &s->flow_out))
		reply_ok(m);
	else
		reply_error(m);
}

static void ifc_exec(struct modem *m, struct args *a)
{
	(void)a;
	m->set.flow_in = 0;
	m->set.flow_out = 0;
	reply_ok(m);
}

/* A7600 manual 1.2, 4 (2) */
static void ato(struct modem *m, struct args *a)
{
	(void)a;
	if (data_possible(m))
		data_enter(m);
	else
		reply_error(m);
}

/* What client libraries send without caring: nothing depends on it. */
static void accept_any(struct modem *m, struct args *a)
{
	(void)a;
	reply_ok(m);
}

static void cclk(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CCLK: \"26/01/01,00:00:00+00\"");
}

static void creset(struct modem *m, struct args *a)
{
	(void)a;
	reply_ok(m);
	modem_reboot_soon(m);
}

const struct command_row simcom_general_rows[] = {
	{ "E", 0, NULL, NULL, echo, echo },
	{ "I", 0, NULL, NULL, NULL, identity },
	{ "&D", 0, NULL, NULL, dtr, dtr },
	{ "O", 0, NULL, NULL, ato, ato },
	{ "Z", 0, NULL, NULL, accept_any, accept_any },
	{ "H", 0, NULL, NULL, accept_any, accept_any },
	{ "Q", 0, NULL, NULL, accept_any, accept_any },
	{ "S", 0, NULL, NULL, accept_any, NULL },
	{ "V", 0, NULL, NULL, accept_any, accept_any },
	{ "X", 0, NULL, NULL, accept_any, accept_any },
	{ "&C", 0, NULL, NULL, accept_any, accept_any },
	{ "&F", 0, NULL, NULL, accept_any, accept_any },
	{ "&W", 0, NULL, NULL, accept_any, accept_any },
	{ "+CLTS", 0, "", NULL, accept_any, NULL },
	{ "+CTZU", 0, "", NULL, accept_any, NULL },
	{ "+CTZR", 0, "", NULL, accept_any, NULL },
	{ "+CNMP", 0, "", NULL, accept_any, NULL },
	{ "+CMGF", 0, "", NULL, accept_any, NULL },
	{ "+CNMI", 0, "", NULL, accept_any, NULL },
	{ "+CSCS", 0, "", NULL, accept_any, NULL },
	{ "+CSCLK", 0, "", NULL, accept_any, NULL },
	{ "+CCLK", 0, "", cclk, accept_any, NULL },
	{ "+SIMCOMATI", 0, "", NULL, NULL, identity },
	{ "+CGMI", 0, "", NULL, NULL, manufacturer },
	{ "+GMI", 0, "", NULL, NULL, manufacturer },
	{ "+CGMM", 0, "", NULL, NULL, model },
	{ "+GMM", 0, "", NULL, NULL, model },
	{ "+CGMR", 0, "", NULL, NULL, revision },
	{ "+GMR", 0, "", NULL, NULL, revision },
	{ "+CGSN", 0, "", NULL, NULL, serial },
	{ "+GSN", 0, "", NULL, NULL, serial },
	{ "+CMEE", 0, "+CMEE: (0-2)", cmee_read, cmee_write, cmee_exec },
	{ "+IPR", 0, "+IPR: (0,300,600,1200,2400,4800,9600,19200,38400,57600,"
	  "115200,230400,460800,921600,1842000,3000000,3686400)",
	  ipr_read, ipr_write, NULL },
	{ "+IFC", 0, "+IFC: (0,2),(0,2)", ifc_read, ifc_write, ifc_exec },
	{ "+CRESET", 0, "", NULL, NULL, creset },
	{ .name = NULL }
};
