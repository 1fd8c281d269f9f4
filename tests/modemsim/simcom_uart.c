/* SPDX-License-Identifier: MIT */

/* The serial port: echo, form of the answers, flow, rate, data mode. */

#include <stdlib.h>
#include <string.h>

#include "baud.h"
#include "simcom.h"

static void write_flag(struct modem *m, const struct args *a, int max, int *v)
{
	int n = 0;		/* V.250 5.3.1: a missing value is 0 */

	if (!args_opt_int(a, 0, 0, max, &n)) {
		reply_error(m);
		return;
	}
	*v = n;
	reply_ok(m);
}

static void echo(struct modem *m, struct args *a)
{
	int on = 0;

	if (!args_opt_int(a, 0, 0, 1, &on)) {
		reply_error(m);
		return;
	}
	m->set.uart.no_echo = !on;
	if (!quirk_on(m->opt.quirks, QUIRK_ECHO_STICKY))
		m->cmd.echo = on;
	reply_ok(m);
}

static void quiet(struct modem *m, struct args *a)
{
	write_flag(m, a, 1, &m->set.uart.quiet);
}

/* In force with the OK of this very command: V.250 6.2.6. */
static void verbose(struct modem *m, struct args *a)
{
	int on = 0;

	if (!args_opt_int(a, 0, 0, 1, &on)) {
		reply_error(m);
		return;
	}
	m->set.uart.numeric = !on &&
			      !quirk_on(m->opt.quirks, QUIRK_ATV0_IGNORED);
	reply_ok(m);
}

/* 0: CONNECT without <text>. */
static void result_set(struct modem *m, struct args *a)
{
	int x = 0;

	if (!args_opt_int(a, 0, 0, 4, &x)) {
		reply_error(m);
		return;
	}
	m->set.uart.no_text = x == 0;
	reply_ok(m);
}

/* The lines that a pty does not have, and formats of CONNECT. */
static void any_value(struct modem *m, struct args *a)
{
	int unused;

	write_flag(m, a, 255, &unused);
}

static void load(struct modem *m, const struct stored *from)
{
	m->set.uart = *from;
	m->cmd.echo = !from->no_echo;
	reply_ok(m);
}

static void factory(struct modem *m, struct args *a)
{
	static const struct stored zero;

	if (a->count > 0 && !args_int(a, 0, 0, 0, &(int){ 0 }))
		reply_error(m);
	else
		load(m, &zero);
}

static void reset(struct modem *m, struct args *a)
{
	if (a->count > 0 && !args_int(a, 0, 0, 0, &(int){ 0 }))
		reply_error(m);
	else
		load(m, &m->profile.uart);
}

static void store(struct modem *m, struct args *a)
{
	(void)a;
	m->profile.uart = m->set.uart;
	reply_ok(m);
}

/* Three lines as SIMCom's modules list them, of what there is here. */
static void view(struct modem *m, struct args *a)
{
	const struct stored *u = &m->set.uart;
	const int *s = m->set.s;

	(void)a;
	reply_text_ok(m, "&C: %d; &D: %d; &F: 0; E: %d; Q: %d; V: %d; X: %d; "
		      "Z: 0; S0: %d;\r\n"
		      "S3: %d; S4: %d; S5: %d; S6: %d; S7: %d; S8: %d; "
		      "S9: %d; S10: %d; S11: %d;\r\n"
		      "+ICF: %d,%d; +IFC: %d,%d; +IPR: %u;",
		      u->dcd, u->dtr, m->cmd.echo, u->quiet, !u->numeric,
		      !u->no_text, s[0], s[3], s[4], s[5], s[6], s[7], s[8],
		      s[9], s[10], s[11], m->set.icf[0], m->set.icf[1],
		      u->flow_in, u->flow_out, m->line.modem_baud);
}

static void dcd(struct modem *m, struct args *a)
{
	write_flag(m, a, 2, &m->set.uart.dcd);
}

static void hang_up(struct modem *m, struct args *a)
{
	(void)a;
	reply_ok(m);
}

/* S3, S4, S5 may only be what they are: CR, LF, backspace. */
static bool write_register(struct modem *m, unsigned int reg, int value)
{
	if (value > 255 || (reg >= 3 && reg <= 5 && value != m->set.s[reg]))
		return false;
	m->set.s[reg] = value;
	return true;
}

/* "S0=1", "S0?" */
static void s_register(struct modem *m, struct args *a)
{
	const char *text = a->arg[0].text;
	char *end;
	unsigned long reg = strtoul(text, &end, 10);

	if (a->count != 1 || end == text || reg >= SETTINGS_S)
		reply_error(m);
	else if (strcmp(end, "?") == 0)
		reply_text_ok(m, "%03d", m->set.s[reg]);
	else if (*end == '=' && write_register(m, (unsigned int)reg,
					       (int)strtoul(end + 1, NULL, 10)))
		reply_ok(m);
	else
		reply_error(m);
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
	if (args_opt_int(a, 0, 0, 2, &m->set.uart.dtr))
		reply_ok(m);
	else
		reply_error(m);
}

static void icf_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+ICF: %d,%d", m->set.icf[0], m->set.icf[1]);
}

/* A pty has no frames: only stored. */
static void icf_write(struct modem *m, struct args *a)
{
	if (args_int(a, 0, 1, 6, &m->set.icf[0]) &&
	    args_opt_int(a, 1, 0, 3, &m->set.icf[1]))
		reply_ok(m);
	else
		reply_error(m);
}

static void ifc_read(struct modem *m, struct args *a)
{
	const struct stored *s = &m->set.uart;

	(void)a;
	reply_text_ok(m, "+IFC: %d,%d", s->flow_in, s->flow_out);
}

static void ifc_write(struct modem *m, struct args *a)
{
	struct stored *s = &m->set.uart;

	if (args_int(a, 0, 0, 2, &s->flow_in) &&
	    args_opt_int(a, 1, 0, 2, &s->flow_out))
		reply_ok(m);
	else
		reply_error(m);
}

static void ifc_exec(struct modem *m, struct args *a)
{
	(void)a;
	m->set.uart.flow_in = 0;
	m->set.uart.flow_out = 0;
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

const struct command_row simcom_uart_rows[] = {
	{ "E", 0, NULL, NULL, echo, echo },
	{ "Q", 0, NULL, NULL, quiet, quiet },
	{ "V", 0, NULL, NULL, verbose, verbose },
	{ "X", 0, NULL, NULL, result_set, result_set },
	{ "S", 0, NULL, NULL, s_register, NULL },
	{ "Z", 0, NULL, NULL, reset, reset },
	{ "H", 0, NULL, NULL, hang_up, hang_up },
	{ "O", 0, NULL, NULL, ato, ato },
	{ "&F", 0, NULL, NULL, factory, factory },
	{ "&W", 0, NULL, NULL, store, store },
	{ "&V", 0, NULL, NULL, view, view },
	{ "&D", 0, NULL, NULL, dtr, dtr },
	{ "&C", 0, NULL, NULL, dcd, dcd },
	{ "&E", 0, NULL, NULL, any_value, any_value },
	{ "&S", 0, NULL, NULL, any_value, any_value },
	{ "\\V", 0, NULL, NULL, any_value, any_value },
	{ "+IPR", 0, "+IPR: (0,300,600,1200,2400,4800,9600,19200,38400,57600,"
	  "115200,230400,460800,921600,1842000,3000000,3686400)",
	  ipr_read, ipr_write, NULL },
	{ "+ICF", 0, "+ICF: (1-6),(0-3)", icf_read, icf_write, NULL },
	{ "+IFC", 0, "+IFC: (0,2),(0,2)", ifc_read, ifc_write, ifc_exec },
	{ .name = NULL }
};
