/* SPDX-License-Identifier: MIT */

/*
 * What ESP-AT has and hosts written for it send, but the W800's table lacks.
 * Little of it does anything here.
 */

#include <limits.h>

#include "w800.h"

static void echo(struct modem *m, struct args *a)
{
	int on;

	if (!args_int(a, 0, 0, 1, &on)) {
		reply_error(m);
		return;
	}
	if (on || !quirk_on(m->opt.quirks, QUIRK_ECHO_STICKY))
		m->cmd.echo = on;
	reply_ok(m);
}

static void revision(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "AT version:2.4.0.0(s-4c6eb5e - Jan 01 2026)\r\n"
		      "SDK version:v4.3.3\r\n"
		      "compile time(6118fc22):Jan 01 2026 00:00:00\r\n"
		      "Bin version:2.4.0(MODEMSIM)");
}

/* +CMD:<index>,<name>,<test>,<query>,<set>,<execute> */
static void list(struct modem *m, struct args *a)
{
	const struct command_row *const *table, *row;
	unsigned int i = 0;

	(void)a;
	for (table = m->dialect->tables; *table != NULL; table++) {
		for (row = *table; row->name != NULL; row++)
			reply_text(m, "+CMD:%u,\"AT%s\",0,%d,%d,%d", i++,
				   row->name, row->read != NULL,
				   row->write != NULL, row->exec != NULL);
	}
	reply_ok(m);
}

static void sysmsg_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+SYSMSG:%d", m->w800->sysmsg);
}

static void sysmsg(struct modem *m, struct args *a)
{
	if (args_int(a, 0, 0, 7, &m->w800->sysmsg) && a->count == 1)
		reply_ok(m);
	else
		reply_error(m);
}

static void timestamp(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+SYSTIMESTAMP:%lld",
		      (long long)modem_clock_now(&m->clock));
}

/* Of a memory, a transmitter, a logger that are not there. */
static void any_number(struct modem *m, struct args *a)
{
	int n;

	if (args_int(a, 0, 0, INT_MAX, &n))
		reply_ok(m);
	else
		reply_error(m);
}

static void cipap(struct modem *m, struct args *a)
{
	(void)a;
	reply_text(m, "+CIPAP:ip:\"192.168.4.1\"");
	reply_text(m, "+CIPAP:gateway:\"192.168.4.1\"");
	reply_text_ok(m, "+CIPAP:netmask:\"255.255.255.0\"");
}

static void cipapmac(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CIPAPMAC:\"28:6d:cd:00:00:02\"");
}

#define R	W800_RELATIVES

const struct command_row w800_relatives_rows[] = {
	{ "E", R, NULL, NULL, echo, NULL },
	{ "+GMR", R, NULL, NULL, NULL, revision },
	{ "+CMD", R, NULL, list, NULL, NULL },
	{ "+SYSMSG", R, NULL, sysmsg_read, sysmsg, NULL },
	{ "+SYSTIMESTAMP", R, NULL, timestamp, NULL, NULL },
	{ "+SYSLOG", R, NULL, NULL, any_number, NULL },
	{ "+RFPOWER", R, NULL, NULL, any_number, NULL },
	{ "+CIPSSLSIZE", R, NULL, NULL, any_number, NULL },
	{ "+CIPCLOSEMODE", R, NULL, NULL, any_number, NULL },
	{ "+CIPAP", R, NULL, cipap, NULL, NULL },
	{ "+CIPAPMAC", R, NULL, cipapmac, NULL, NULL },
	{ .name = NULL }
};
