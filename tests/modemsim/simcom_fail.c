/* SPDX-License-Identifier: MIT */

/* What each command's refusal looks like: A7600 manual 2, 3, 4. */

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "simcom.h"

/* OK, then "+NAME: e"; the other way: "+NAME: e", ERROR. */
static void net_way(struct modem *m, const char *name, int err, bool now)
{
	if (now) {
		reply_text(m, "%s: %d", name, err);
		reply_error(m);
		return;
	}
	reply_ok(m);
	urc(m, "%s: %d", name, err);
}

/* The same with a link or server in front, which is the first field. */
static void link_way(struct modem *m, const char *name, int err, bool now,
		     const struct args *a)
{
	int id = 0;

	args_opt_int(a, 0, 0, 65535, &id);
	if (now) {
		reply_failed(m, name + 1, id, err);
		return;
	}
	reply_ok(m);
	urc(m, "%s: %d,%d", name, id, err);
}

static bool is_udp_open(const struct args *a)
{
	const char *type = args_str(a, 1);

	return type != NULL && strcasecmp(type, "UDP") == 0;
}

static void refuse_open(struct modem *m, const char *name, int err, bool now,
			const struct args *a)
{
	int id = -1;

	if (m->set.mode == 1 && args_int(a, 0, DATA_LINK, DATA_LINK, &id))
		reply_connect_fail(m);
	else
		link_way(m, name, err, now || is_udp_open(a), a);
}

static void with_err(struct modem *m, const char *name, int err, bool now,
		     const struct args *a)
{
	if (strcmp(name, "+NETOPEN") == 0 || strcmp(name, "+NETCLOSE") == 0) {
		net_way(m, name, err, now);
	} else if (strcmp(name, "+CIPOPEN") == 0) {
		refuse_open(m, name, err, now, a);
	} else if (strcmp(name, "+CIPCLOSE") == 0 ||
		   strcmp(name, "+SERVERSTOP") == 0) {
		link_way(m, name, err, now, a);
	} else if (strcmp(name, "+CIPSEND") == 0 ||
		   strcmp(name, "+SERVERSTART") == 0) {
		reply_text(m, "+CIPERROR: %d", err);
		reply_error(m);
	} else if (strcmp(name, "+CDNSGIP") == 0 ||
		   strcmp(name, "+CDNSGHNAME") == 0) {
		reply_text(m, "%s: 0,%d", name, err);
		reply_error(m);
	} else {
		reply_ip_error(m, (enum ip_info)err);
	}
}

bool simcom_refuses(struct modem *m, const struct command_row *row,
		    enum form form, const struct args *a)
{
	char command[sizeof(((struct fail *)0)->command)];
	enum fail_how how;
	int code;

	if (form == FORM_TEST)
		return false;
	snprintf(command, sizeof(command), "%s%s", row->name,
		 form == FORM_READ ? "?" : "");
	if (!fail_take(&m->fails, command, &how, &code))
		return false;
	switch (how) {
	case FAIL_ERR:
	case FAIL_NOW:
		with_err(m, row->name, code, how == FAIL_NOW, a);
		break;
	case FAIL_INFO:
		reply_ip_error(m, (enum ip_info)code);
		break;
	case FAIL_CME:
		reply_cme(m, (enum cme)code);
		break;
	case FAIL_ERROR:
		reply_error(m);
		break;
	case FAIL_SILENT:
		command_drop(m);
		break;
	}
	return true;
}
