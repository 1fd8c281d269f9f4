/* SPDX-License-Identifier: MIT */

/* Commands of the other manuals: a number that is stored and read back. */

#include <stdio.h>
#include <string.h>

#include "simcom.h"

static const struct stored_row {
	const char *name;
	int min, max, initial;
} stored_rows[] = {
	{ "+CLTS", 0, 1, 0 },
	{ "+CTZU", 0, 1, 0 },
	{ "+CTZR", 0, 1, 0 },
	{ "+CNMP", 2, 39, 2 },
	{ "+CMGF", 0, 1, 0 },
	{ "+CSCLK", 0, 2, 0 },
	{ "+CLIP", 0, 1, 0 },
	{ "+CRC", 0, 1, 0 },
	{ "+CGSMS", 0, 3, 1 },
	{ "+CSDVC", 1, 3, 1 },
	{ "+CGNSSPWR", 0, 1, 0 },
};

#define ROWS	(sizeof(stored_rows) / sizeof(stored_rows[0]))

_Static_assert(ROWS <= SETTINGS_STORED, "struct settings has no room");

void simcom_stored_defaults(struct modem *m)
{
	size_t i;

	for (i = 0; i < ROWS; i++)
		m->set.stored[i] = stored_rows[i].initial;
}

/* Of the command in hand. */
static size_t row_of(const struct modem *m)
{
	size_t i;

	for (i = 0; i < ROWS - 1; i++) {
		if (strcmp(stored_rows[i].name, m->cmd.row->name) == 0)
			break;
	}
	return i;
}

static void stored_read(struct modem *m, struct args *a)
{
	size_t i = row_of(m);

	(void)a;
	reply_text_ok(m, "%s: %d", stored_rows[i].name, m->set.stored[i]);
}

static void stored_write(struct modem *m, struct args *a)
{
	const struct stored_row *row = &stored_rows[row_of(m)];

	if (a->count == 1 && args_int(a, 0, row->min, row->max,
				      &m->set.stored[row - stored_rows]))
		reply_ok(m);
	else
		reply_error(m);
}

/* Messages and characters: taken, and there are none. */
static void cnmi_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CNMI: 2,1,0,0,0");
}

static void cscs_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CSCS: \"IRA\"");
}

static void cscs_write(struct modem *m, struct args *a)
{
	const char *set = args_str(a, 0);

	if (set != NULL && strcmp(set, "IRA") == 0)
		reply_ok(m);
	else
		reply_error(m);
}

/* Name servers and keep-alive: taken, the host's own are used. */
static void take_name(struct modem *m, struct args *a)
{
	if (args_str(a, 0) != NULL && a->count <= 2)
		reply_ok(m);
	else
		reply_error(m);
}

static void keepalive(struct modem *m, struct args *a)
{
	int v = 0;

	if (args_int(a, 0, 0, 1, &v) && args_opt_int(a, 1, 0, 120, &v) &&
	    args_opt_int(a, 2, 0, 1000, &v) && args_opt_int(a, 3, 0, 15, &v))
		reply_ok(m);
	else
		reply_error(m);
}

/* 0: done, 1: no network; the clock was right before. */
static void sync_clock(struct modem *m, struct args *a)
{
	(void)a;
	reply_ok(m);
	urc(m, "+CNTP: %d", radio_registered(m) ? 0 : 1);
}

static void take_any(struct modem *m, struct args *a)
{
	(void)a;
	reply_ok(m);
}

#define STORED(name, range) \
	{ name, 0, name ": " range, stored_read, stored_write, NULL }

const struct command_row simcom_stored_rows[] = {
	STORED("+CLTS", "(0-1)"),
	STORED("+CTZU", "(0-1)"),
	STORED("+CTZR", "(0-1)"),
	STORED("+CNMP", "(2,13,14,38)"),
	STORED("+CMGF", "(0-1)"),
	STORED("+CSCLK", "(0-2)"),
	STORED("+CLIP", "(0-1)"),
	STORED("+CRC", "(0-1)"),
	STORED("+CGSMS", "(0-3)"),
	STORED("+CSDVC", "(1,3)"),
	STORED("+CGNSSPWR", "(0-1)"),
	{ "+CNMI", 0, "", cnmi_read, take_any, NULL },
	{ "+CSCS", 0, "+CSCS: (\"IRA\")", cscs_read, cscs_write, NULL },
	{ "+CDNSCFG", 0, "", NULL, take_name, NULL },
	{ "+CTCPKA", 0, "+CTCPKA: (0-1),(0-120),(0-1000),(0-15)",
	  NULL, keepalive, NULL },
	{ "+CNTP", 0, "", NULL, take_name, sync_clock },
	{ "+CHUP", 0, "", NULL, NULL, take_any },
	{ "+CVHU", 0, "", NULL, take_any, NULL },
	{ "+CNUM", 0, "", NULL, NULL, take_any },
	{ .name = NULL }
};
