/* SPDX-License-Identifier: MIT */

/* The option rows: help text and storage side by side. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"

static int set_baud(struct options *o, const char *arg)
{
	char *end;
	long v = strtol(arg, &end, 10);

	if (*arg == '\0' || *end != '\0' || v < 0 || v > 10000000)
		return -EINVAL;
	o->baud = (int)v;
	return 0;
}

static int set_banner(struct options *o, const char *arg)
{
	static const char *const words[] = {
		[BANNER_RDY] = "rdy", [BANNER_ATREADY] = "atready",
		[BANNER_QCRDY] = "qcrdy", [BANNER_NONE] = "none",
	};
	size_t i;

	for (i = 0; i < 4; i++) {
		if (strcmp(arg, words[i]) == 0) {
			o->banner = (enum banner)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_sim(struct options *o, const char *arg)
{
	static const char *const words[] = {
		[SIM_PRESENT] = "ready", [SIM_NONE] = "none",
		[SIM_BUSY] = "busy", [SIM_FAILURE] = "failure",
	};
	size_t i;

	for (i = 0; i < 4; i++) {
		if (strcmp(arg, words[i]) == 0) {
			o->sim = (enum sim_kind)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_registration(struct options *o, const char *arg)
{
	o->registration = options_registration(arg);
	return o->registration < 0 ? -EINVAL : 0;
}

static int add_host(struct options *o, const char *arg)
{
	const char *eq = strchr(arg, '=');

	if (eq == NULL || eq == arg || o->n_hosts == OPTIONS_HOSTS)
		return -EINVAL;
	o->hosts[o->n_hosts].name = strndup(arg, (size_t)(eq - arg));
	o->hosts[o->n_hosts++].address = eq + 1;
	return 0;
}

static int add_unanswered(struct options *o, const char *arg)
{
	if (o->n_unanswered == OPTIONS_HOSTS)
		return -EINVAL;
	o->unanswered[o->n_unanswered++] = arg;
	return 0;
}

static int add_slow(struct options *o, const char *arg)
{
	const char *eq = strchr(arg, '=');

	if (eq == NULL || eq == arg || o->n_slow == OPTIONS_HOSTS ||
	    eq[1] < '0' || eq[1] > '9')
		return -EINVAL;
	o->slow[o->n_slow].name = strndup(arg, (size_t)(eq - arg));
	o->slow[o->n_slow++].address = eq + 1;
	return 0;
}

/* "N:FILE" or "N:FILE:FILE", which must be there; says what is wrong. */
static int add_file(struct tls_file *files, size_t *n, const char *arg,
		    bool has_key)
{
	struct tls_file *f = &files[*n];
	char *text, *key = NULL;
	int used = 0;

	if (*n == OPTIONS_TLS_FILES ||
	    sscanf(arg, "%u:%n", &f->number, &used) != 1 || used == 0)
		return -EINVAL;
	text = strdup(arg + used);
	if (text != NULL && has_key)
		key = strchr(text, ':');
	if (text == NULL || (has_key && key == NULL)) {
		free(text);
		return -EINVAL;
	}
	if (key != NULL)
		*key++ = '\0';
	f->certificate = text;
	f->key = key;
	if (access(text, R_OK) < 0 || (has_key && access(key, R_OK) < 0)) {
		fprintf(stderr, "modemsim: %s: cannot read it\n", arg + used);
		return -ENOENT;
	}
	(*n)++;
	return 0;
}

static int add_pki(struct options *o, const char *arg)
{
	return add_file(o->pki, &o->n_pki, arg, true);
}

static int add_ca(struct options *o, const char *arg)
{
	return add_file(o->ca, &o->n_ca, arg, false);
}

static int set_quirk(struct options *o, const char *arg)
{
	return quirk_set(o->quirks, arg);
}

static int set_no_escape_ok(struct options *o, const char *arg)
{
	(void)arg;
	o->quirks[QUIRK_ESCAPE_SILENT] = QUIRK_ALWAYS;
	return 0;
}

static int set_ready_fd(struct options *o, const char *arg)
{
	o->ready_fd = atoi(arg);
	return o->ready_fd < 0 ? -EINVAL : 0;
}

static int set_dialect(struct options *o, const char *arg)
{
	o->w800 = strcmp(arg, "w800") == 0;
	return o->w800 || strcmp(arg, "simcom") == 0 ? 0 : -EINVAL;
}

static int set_family(struct options *o, const char *arg)
{
	static const char *const words[] = {
		[W800_ESP] = "esp", [W800_OWN] = "w800",
		[W800_TIGHT] = "tight", [W800_OLD] = "old",
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(arg, words[i]) == 0) {
			o->family = (enum w800_family)i;
			return 0;
		}
	}
	return -EINVAL;
}

#define GROUP(text)	{ NULL, NULL, OPT_GROUP, 0, text, NULL }
#define STR(n, a, f, h)	{ n, a, OPT_STR, offsetof(struct options, f), h, NULL }
#define NUM(n, a, f, h)	{ n, a, OPT_NUM, offsetof(struct options, f), h, NULL }
#define OCT(n, a, f, h)	{ n, a, OPT_OCT, offsetof(struct options, f), h, NULL }
#define FLAG(n, f, h) \
	{ n, NULL, OPT_FLAG, offsetof(struct options, f), h, NULL }
#define FN(n, a, fn, h)	{ n, a, OPT_FN, 0, h, fn }
#define TEXT(n, h)	{ n, NULL, OPT_GROUP, 0, h, NULL }

const struct option_row option_rows[] = {
	GROUP("The dialect"),
	FN("dialect", "WORD", set_dialect, "simcom or w800 [simcom]"),
	FN("family", "WORD", set_family,
	   "w800: the answers of esp, w800, tight or old [esp]"),
	STR("ssid", "NAME", ssid, "w800: the access point's [any]"),
	STR("wifi-password", "TEXT", wifi_password, "... and its password"),
	NUM("connect-timeout", "MS", connect_ms,
	    "w800: of CIPSTART to a host that never answers [20000]"),
	GROUP("The line"),
	STR("link", "PATH", link_path,
	    "stable name, a symbolic link; removed at exit"),
	OCT("mode", "OCTAL", mode, "mode of the pty [0660]"),
	STR("group", "NAME", group, "group of the pty [unchanged]"),
	FN("baud", "N", set_baud,
	   "pace at N baud whatever the host set; 0: no pacing\n"
	   "[the rate the host set]"),
	NUM("modem-baud", "N", modem_baud,
	    "the modem's own rate: another one at the host garbles\n"
	    "both ways; AT+IPR changes it [follow the host]"),
	NUM("seed", "N", seed, "of garbage and bit errors [1]"),
	GROUP("Time, in milliseconds"),
	NUM("latency", "MS", latency_ms, "before the answer of a command [0]"),
	FN("latency-for", "CMD=MS", options_set_latency_for,
	   "the same for one command, e.g. CIPSEND=30"),
	NUM("boot-time", "MS", boot_ms, "silence after a reboot [0]"),
	NUM("sim-time", "MS", sim_ms, "SIM busy after boot [0]"),
	NUM("register-time", "MS", register_ms, "SIM ready to registered [0]"),
	NUM("netopen-time", "MS", netopen_ms, "NETOPEN to its result [0]"),
	NUM("open-time", "MS", open_ms, "CIPOPEN: connected to result [0]"),
	NUM("close-time", "MS", close_ms, "CIPCLOSE, NETCLOSE to result [0]"),
	NUM("tls-time", "MS", tls_ms,
	    "for each packet of a TLS handshake [10000]"),
	NUM("dns-time", "MS", dns_ms, "of every name look-up [0]"),
	NUM("ping-time", "MS", ping_ms, "CPING: round trip time [40]"),
	NUM("ping-wait", "MS", ping_wait_ms,
	    "CPING: time-out, for tests that cannot wait [its own]"),
	NUM("late-time", "MS", late_ms,
	    "added by quirks cipopen-late, send-late [10000]"),
	GROUP("The modem"),
	FN("boot-banner", "WORD", set_banner,
	   "rdy, atready, qcrdy, none (no boot lines) [rdy]"),
	FLAG("banner-at-start", banner_at_start,
	     "start as after power on: boot time, then banner"),
	FLAG("net-open-at-start", open_at_start,
	     "NETOPEN was done by somebody before (Q40)"),
	FLAG("data-at-start", data_at_start,
	     "somebody left it in transparent mode: +++ helps"),
	FLAG("clock-set", clock_set,
	     "it knows the time of day from the start [1970]"),
	STR("manufacturer", "TEXT", manufacturer, "[SIMCOM INCORPORATED]"),
	STR("model", "TEXT", model, "[A7670E-FASE]"),
	STR("revision", "TEXT", revision, "[A7670M7_V1.11.1]"),
	STR("imei", "DIGITS", imei, "[861234050000017]"),
	GROUP("SIM card and radio"),
	FN("sim", "WORD", set_sim, "ready, none, busy or failure [ready]"),
	STR("pin", "DIGITS", pin, "the SIM wants this PIN [none wanted]"),
	STR("puk", "DIGITS", puk, "[12345678]"),
	STR("iccid", "DIGITS", iccid, "[89860000000000000017]"),
	STR("imsi", "DIGITS", imsi, "[460001234567890]"),
	FN("registration", "WORD", set_registration,
	   "home, roaming, denied, searching or none [home]"),
	NUM("csq", "N", csq, "signal 0-31, 99 unknown [25]"),
	STR("operator", "NAME", operator_name, "[SIMNET]"),
	GROUP("Packet network"),
	STR("apn", "NAME", apn, "NETOPEN fails unless CGDCONT=1 names it"),
	STR("apn-user", "NAME", apn_user, "... and CGAUTH this user"),
	STR("apn-password", "TEXT", apn_password, "... and this password"),
	STR("address", "IP", address, "the modem's own address [10.0.0.2]"),
	NUM("buffer", "BYTES", buffer,
	    "of a link; when full the peer feels it\n"
	    "[the dialect's]"),
	FN("host", "NAME=ADDR", add_host, "a name and its address; repeatable"),
	FN("unanswered", "HOST", add_unanswered,
	   "name or address that never answers; repeatable\n"
	   "(192.0.2.0/24 never does)"),
	FN("slow", "HOST=MS", add_slow,
	   "connecting to it takes so much longer; repeatable"),
	FN("pki", "N:CERT:KEY", add_pki,
	   "certificate and key number N of the module, PEM files;\n"
	   "0 is also that of a TLS server; repeatable"),
	FN("ca", "N:CERT", add_ca, "CA number N of the module; repeatable"),
	NUM("port-offset", "N", port_offset,
	    "port P of the modem is P+N of this host [0]"),
	FLAG("free-ports", free_ports,
	     "... is any free one: control command ports tells"),
	FLAG("allow-network", allow_network,
	     "contact any address, ask real name servers; without it\n"
	     "only 127.0.0.0/8 and ::1 are contacted, others never\n"
	     "answer, only --host and localhost have names"),
	GROUP("Faults, control, record"),
	FN("quirk", "NAME[=N]", set_quirk,
	   "misbehave as real modules do, always or N times"),
	FN("no-escape-ok", NULL, set_no_escape_ok,
	   "quirk escape-silent: the OK after +++ never comes"),
	TEXT("list-quirks", "  --list-quirks         print their names"),
	STR("control", "PATH", control_path,
	    "Unix socket for faults and stats"),
	STR("ctl", "PATH", ctl_path,
	    "be the client: send COMMAND, print the answer"),
	STR("log", "FILE", log_path, "every command line and violation"),
	FLAG("strict", strict, "exit 1 if any violation was counted"),
	FN("ready-fd", "N", set_ready_fd, "write \"ready PTY\" there too"),
	TEXT("help", "  --help, --version"),
	{ NULL, NULL, OPT_GROUP, 0, NULL, NULL }
};
