/* SPDX-License-Identifier: MIT */

/* Reset, UART, what is kept in flash. */

#include <string.h>

#include "w800.h"

static void rst(struct modem *m, struct args *a)
{
	(void)a;
	reply_ok(m);
	modem_reboot_soon(m);
}

static void restore(struct modem *m, struct args *a)
{
	unsigned int i;

	(void)a;
	if (quirk_on(m->opt.quirks, QUIRK_RESTORE_CLOSES)) {
		for (i = W800_LINKS; i-- > 0;) {
			if (m->links[i].state != LINK_OPEN)
				continue;
			link_close(m, i);
			w800_tell_link(m, i, "CLOSED");
		}
	}
	w800_factory(m);
	reply_ok(m);
	modem_reboot_soon(m);
}

static void sysstore_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+SYSSTORE:%d", m->w800->flash.sysstore);
}

static void sysstore(struct modem *m, struct args *a)
{
	if (args_int(a, 0, 0, 1, &m->w800->flash.sysstore) && a->count == 1)
		reply_ok(m);
	else
		w800_bad(m);
}

void w800_save(struct modem *m)
{
	struct w800 *w = m->w800;
	unsigned int baud = w->saved.baud;
	int autoconn = w->saved.autoconn;

	if (!w->flash.sysstore)
		return;
	w->saved = w->flash;
	w->saved.baud = baud;
	w->saved.autoconn = autoconn;
	w->saved.sysstore = 1;
}

static void uart_read(struct modem *m, struct args *a)
{
	unsigned int baud = m->line.modem_baud;

	(void)a;
	reply_text_ok(m, "%s:%u,8,1,0,0", m->cmd.row->name,
		      baud != 0 ? baud : 115200);
}

static void on_new_rate(evutil_socket_t fd, short what, void *ctx)
{
	struct modem *m = ctx;

	(void)fd;
	(void)what;
	m->line.modem_baud = m->line.next_baud;
}

/* <baudrate>,<databits>,<stopbits>,<parity>,<flow control>: ESP-AT */
static bool take_uart(const struct args *a, int *baud)
{
	int unused;

	return args_int(a, 0, 80, 5000000, baud) && a->count == 5 &&
	       args_int(a, 1, 5, 8, &unused) &&
	       args_int(a, 2, 1, 3, &unused) &&
	       args_int(a, 3, 0, 2, &unused) && args_int(a, 4, 0, 3, &unused);
}

/* In force once the OK has left at the old rate. */
static void set_uart(struct modem *m, struct args *a, bool keep)
{
	int baud;

	if (!take_uart(a, &baud)) {
		w800_bad(m);
		return;
	}
	reply_ok(m);
	if (keep)
		m->w800->saved.baud = (unsigned int)baud;
	m->line.next_baud = (unsigned int)baud;
	modem_after(m, &m->line.baud_timer, 1 + line_drain_ms(&m->line),
		    on_new_rate, m);
}

static void uart_cur(struct modem *m, struct args *a)
{
	set_uart(m, a, false);
}

static void uart_def(struct modem *m, struct args *a)
{
	set_uart(m, a, true);
}

static void sleep_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+SLEEP:0");
}

/* It never sleeps. */
static void sleep_write(struct modem *m, struct args *a)
{
	int mode;

	if (args_int(a, 0, 0, 3, &mode))
		reply_ok(m);
	else
		w800_bad(m);
}

static void sysram(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+SYSRAM:148408,84044");
}

const struct command_row w800_general_rows[] = {
	{ "+RST", 0, "", NULL, NULL, rst },
	{ "+RESTORE", 0, "", NULL, NULL, restore },
	{ "+SYSSTORE", 0, "", sysstore_read, sysstore, NULL },
	{ "+SYSRAM", 0, "", sysram, NULL, NULL },
	{ "+UART", 0, "", uart_read, uart_def, NULL },
	{ "+UART_CUR", 0, "", uart_read, uart_cur, NULL },
	{ "+UART_DEF", 0, "", uart_read, uart_def, NULL },
	{ "+SLEEP", 0, "", sleep_read, sleep_write, NULL },
	{ .name = NULL }
};
