/* SPDX-License-Identifier: MIT */

/* CWSAP: W800 guide. It is stored; no station ever joins it. */

#include <string.h>

#include "w800.h"

#define STATIONS_MAX	10	/* ESP-AT */

void w800_softap_defaults(struct w800_softap *ap)
{
	*ap = (struct w800_softap){
		.ssid = "modemsim-ap", .channel = 1, .stations = STATIONS_MAX,
	};
}

/* "This instruction is only valid when AT+CWMODE=2 or AT+CWMODE=3" */
static bool has_softap(struct modem *m)
{
	if (m->w800->flash.cwmode & 2)
		return true;
	reply_error(m);
	return false;
}

static void cwsap_read(struct modem *m, struct args *a)
{
	const struct w800_softap *ap = &m->w800->flash.softap;

	(void)a;
	if (has_softap(m))
		reply_text_ok(m, "%s:\"%s\",\"%s\",%d,%d,%d,%d",
			      m->cmd.row->name, ap->ssid, ap->password,
			      ap->channel, ap->ecn, ap->stations, ap->hidden);
}

/* "range: 8~63 bytes ASCII"; of an open one it does not count */
static bool is_password(const char *text, int ecn)
{
	size_t len = strlen(text);

	return len <= 63 && (len >= 8 || (len == 0 && ecn == 0));
}

/* <ssid>,<pwd>,<chl>,<ecn>[,<max conn>][,<ssid hidden>] */
static bool take_softap(const struct args *a, struct w800_softap *ap)
{
	const char *ssid = args_str(a, 0), *password;

	if (a->count < 4 || a->count > 6 || ssid == NULL || *ssid == '\0' ||
	    strlen(ssid) > W800_SSID_MAX || !a->arg[1].quoted)
		return false;
	password = a->arg[1].text;
	ap->stations = STATIONS_MAX;
	ap->hidden = 0;
	if (!args_int(a, 2, 1, 14, &ap->channel) ||
	    !args_int(a, 3, 0, 4, &ap->ecn) || ap->ecn == 1 ||
	    !args_opt_int(a, 4, 1, STATIONS_MAX, &ap->stations) ||
	    !args_opt_int(a, 5, 0, 1, &ap->hidden) ||
	    !is_password(password, ap->ecn))
		return false;
	strcpy(ap->ssid, ssid);
	strcpy(ap->password, password);
	return true;
}

static void cwsap(struct modem *m, struct args *a)
{
	struct w800_softap ap;

	if (!has_softap(m))
		return;
	if (!take_softap(a, &ap)) {
		w800_bad(m);
		return;
	}
	m->w800->flash.softap = ap;
	w800_save(m);
	reply_ok(m);
}

const struct command_row w800_softap_rows[] = {
	{ "+CWSAP", 0, "", cwsap_read, cwsap, NULL },
	{ "+CWSAP_CUR", W800_RELATIVES, "", cwsap_read, cwsap, NULL },
	{ "+CWSAP_DEF", W800_RELATIVES, "", cwsap_read, cwsap, NULL },
	{ .name = NULL }
};
