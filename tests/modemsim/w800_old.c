/* SPDX-License-Identifier: MIT */

/*
 * The dialect of WinnerMicro's older SDK (Q126): so much of it that a host
 * can see what it is.
 */

#include <string.h>

#include "w800.h"

/* Its error numbers. */
#define ERR_FORMAT	(-1)
#define ERR_COMMAND	(-2)

static void answer(struct modem *m, const char *text)
{
	w800_put(m, "%s\r\n\r\n", text);
	command_done(m);
}

void w800_old_line(struct modem *m, const char *line)
{
	char text[16];
	int err = ERR_FORMAT;

	m->cmd.state = COMMAND_RUNNING;
	if (strcmp(line, "AT+") == 0 || strcmp(line, "AT+NOP") == 0) {
		answer(m, "+OK");
		return;
	}
	if (strcmp(line, "AT+QVER") == 0) {
		answer(m, "+OK=H1.00.00.0000,F0.06.00@ Jan 01 2020 00:00:00");
		return;
	}
	if (strcmp(line, "AT+LKSTT") == 0) {
		answer(m, "+OK=0");
		return;
	}
	if (strncmp(line, "AT+", 3) == 0)
		err = ERR_COMMAND;
	snprintf(text, sizeof(text), "+ERR=%d", err);
	answer(m, text);
}
