/* SPDX-License-Identifier: MIT */

/* What each command's refusal by order looks like. */

#include <stdio.h>
#include <string.h>

#include "w800.h"

/* There is a code in CWJAP only; elsewhere every number means ERROR. */
static void with_code(struct modem *m, const char *name, int code)
{
	if (strncmp(name, "+CWJAP", 6) == 0 && m->opt.family != W800_OWN)
		reply_text(m, "%s:%d", name, code);
	if (strcmp(name, "+PING") == 0)
		reply_text(m, "+PING:TIMEOUT");
	reply_error(m);
}

bool w800_refuses(struct modem *m, const struct command_row *row,
		  enum form form, const struct args *a)
{
	char command[sizeof(((struct fail *)0)->command)];
	enum fail_how how;
	int code;

	(void)a;
	if ((row->flags & W800_RELATIVES) && m->opt.family == W800_OWN) {
		w800_unknown(m);
		return true;
	}
	if (form == FORM_TEST)
		return false;
	snprintf(command, sizeof(command), "%s%s", row->name,
		 form == FORM_READ ? "?" : "");
	if (!fail_take(&m->fails, command, &how, &code))
		return false;
	if (how == FAIL_SILENT)
		command_drop(m);
	else if (how == FAIL_ERR && strncmp(command, "+CIPSEND", 8) == 0)
		return !w800_send_shall_fail();
	else if (how == FAIL_ERROR)
		reply_error(m);
	else
		with_code(m, row->name, code);
	return true;
}
