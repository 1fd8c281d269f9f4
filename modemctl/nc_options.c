/* SPDX-License-Identifier: MIT */

/* modemctl nc: what it is told on its command line. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nc.h"

#define LEASE_S		300	/* of modemd, when nothing is said */
#define LEASE_WAIT_S	10	/* for the others */

/* Long options without a letter. */
enum {
	OPT_TLS = 2000, OPT_VERIFY, OPT_PKI, OPT_CA, OPT_CN, OPT_SNI, OPT_ALPN,
	OPT_PSK_FILE, OPT_PSK_HINT, OPT_LOCAL_ADDRESS, OPT_LOCAL_PORT,
	OPT_KEEPALIVE, OPT_NODELAY, OPT_LINGER, OPT_SEND_TIMEOUT,
	OPT_UDP_REMOTE,
};

static const struct option options[] = {
	{ "wait", required_argument, NULL, 'W' },
	{ "lease", no_argument, NULL, 'L' },
	{ "duration", required_argument, NULL, 'D' },
	{ "udp", no_argument, NULL, 'u' },	/* not short for --udp-remote */
	{ "tls", no_argument, NULL, OPT_TLS },
	{ "verify", no_argument, NULL, OPT_VERIFY },
	{ "pki", required_argument, NULL, OPT_PKI },
	{ "ca", required_argument, NULL, OPT_CA },
	{ "cn", required_argument, NULL, OPT_CN },
	{ "sni", required_argument, NULL, OPT_SNI },
	{ "alpn", required_argument, NULL, OPT_ALPN },
	{ "psk-file", required_argument, NULL, OPT_PSK_FILE },
	{ "psk-hint", required_argument, NULL, OPT_PSK_HINT },
	{ "local-address", required_argument, NULL, OPT_LOCAL_ADDRESS },
	{ "local-port", required_argument, NULL, OPT_LOCAL_PORT },
	{ "keepalive", required_argument, NULL, OPT_KEEPALIVE },
	{ "nodelay", no_argument, NULL, OPT_NODELAY },
	{ "linger", required_argument, NULL, OPT_LINGER },
	{ "send-timeout", required_argument, NULL, OPT_SEND_TIMEOUT },
	{ "udp-remote", required_argument, NULL, OPT_UDP_REMOTE },
	CTL_COMMON_OPTIONS
};

static const char *option_name(int c)
{
	const struct option *o;

	for (o = options; o->name; o++) {
		if (o->val == c)
			return o->name;
	}

	return "";
}

/* ------------------------------------------------------------------ numbers */

/* Options that take a number: where it goes, and what it may be. */
struct number {
	int option;
	long min, max;
	const char *unit;
};

static const struct number numbers[] = {
	{ 'q', 0, 86400, "seconds" },
	{ 'w', 1, 86400, "seconds" },
	{ 'W', 0, 86400, "seconds" },
	{ 'D', 1, 3600, "seconds" },
	{ OPT_PKI, 0, 15, "as the number of a certificate" },
	{ OPT_CA, 0, 15, "as the number of a CA" },
	{ OPT_LOCAL_PORT, 1, 65535, "as a port" },
	{ OPT_KEEPALIVE, 0, 7200, "seconds" },
	{ OPT_LINGER, -1, 60, "seconds" },
	{ OPT_SEND_TIMEOUT, 1, 120, "seconds" },
};

static void keep_number(struct nc *nc, int c, long n)
{
	struct nc_options *o = &nc->options;

	if (c == 'q')
		nc->quit_s = n;
	else if (c == 'w')
		nc->connect_s = n;
	else if (c == 'W')
		nc->wait_s = n;
	else if (c == 'D')
		nc->duration_s = n;
	else if (c == OPT_PKI)
		o->tls.pki = (unsigned int)n;
	else if (c == OPT_CA)
		o->tls.ca = (unsigned int)n;
	else if (c == OPT_LOCAL_PORT)
		o->local_port = (uint16_t)n;
	else if (c == OPT_KEEPALIVE)
		o->tcp.keepalive_s = (unsigned int)n;
	else if (c == OPT_LINGER)
		o->tcp.linger_s = (int)n;
	else
		o->tcp.send_timeout_ms = (uint32_t)n * 1000;
}

static const struct number *find_number(int c)
{
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (numbers[i].option == c)
			return &numbers[i];
	}

	return NULL;
}

/* -------------------------------------------------------------------- texts */

/* One option is refused: 0 is never returned. */
__attribute__((format(printf, 2, 3)))
static int refuse(struct nc *nc, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	nc->ctl->exit = ctl_usage(nc->ctl, "%s", text);

	return -1;
}

static int take_text(struct nc *nc, const char *name, size_t max,
		     const char **to)
{
	size_t len = strlen(optarg);

	if (len < 1 || len > max)
		return refuse(nc, "--%s has %zu characters: 1 to %zu are "
			      "possible", name, len, max);
	*to = optarg;

	return 0;
}

static int take_alpn(struct nc *nc)
{
	struct nc_options *o = &nc->options;
	char *next = optarg, *name;
	size_t n = 0;

	while ((name = strsep(&next, ","))) {
		if (n == MODEMCLIENT_ALPN_MAX)
			return refuse(nc, "--alpn has more than %d names",
				      MODEMCLIENT_ALPN_MAX);
		if (strlen(name) < 1 || strlen(name) > 64)
			return refuse(nc, "--alpn: \"%s\" is not 1 to 64 "
				      "characters", name);
		o->tls.alpn[n++] = name;
	}

	return 0;
}

/* Its first line. It is never on the command line, which others can read. */
static int take_psk(struct nc *nc)
{
	struct nc_options *o = &nc->options;
	FILE *f = fopen(optarg, "re");
	size_t len;

	if (!f)
		return refuse(nc, "--psk-file %s: %s", optarg,
			      strerror(errno));
	if (!fgets(o->psk, sizeof(o->psk), f))
		o->psk[0] = '\0';
	fclose(f);
	len = strcspn(o->psk, "\r\n");
	o->psk[len] = '\0';
	if (len < 1 || len > 32)
		return refuse(nc, "--psk-file %s: its first line is not 1 to "
			      "32 characters", optarg);
	o->tls.psk = o->psk;

	return 0;
}

static int take_udp_remote(struct nc *nc)
{
	static const char *const words[] = {
		[MODEMCLIENT_UDP_FIXED]	= "fixed",
		[MODEMCLIENT_UDP_FIRST]	= "first",
		[MODEMCLIENT_UDP_EVERY]	= "every",
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(optarg, words[i]) == 0) {
			nc->options.udp_remote =
				(enum modemclient_udp_remote)i;
			return 0;
		}
	}

	return refuse(nc, "--udp-remote is fixed, first or every, not \"%s\"",
		      optarg);
}

/* ------------------------------------------------------------------ options */

static bool take_flag(struct nc *nc, int c)
{
	struct nc_options *o = &nc->options;
	bool *flag = c == 'L' ? &nc->lease : c == 'u' ? &nc->udp :
		     c == 'l' ? &nc->listen : c == OPT_TLS ? &o->use_tls :
		     c == OPT_VERIFY ? &o->tls.verify :
		     c == OPT_NODELAY ? &o->tcp.nodelay : NULL;

	if (c == '4' || c == '6')
		o->family = c == '4' ? MODEMCLIENT_IPV4 : MODEMCLIENT_IPV6;
	else if (!flag)
		return false;
	else
		*flag = true;

	return true;
}

/* Which of the groups was asked for, to see what fits together. */
static void note_group(struct nc_options *o, int c)
{
	bool tls = c == OPT_VERIFY || (c >= OPT_PKI && c <= OPT_PSK_HINT);
	bool tcp = c >= OPT_KEEPALIVE && c <= OPT_SEND_TIMEOUT;
	const char *name = c == '4' ? "-4" : c == '6' ? "-6" : option_name(c);

	if (tls)
		o->tls_option = option_name(c);
	if (tcp)
		o->tcp_option = option_name(c);
	if (c == OPT_TLS || c == OPT_VERIFY || c == '4' || c == '6')
		o->shared_option = name;
	else if (tls || tcp || c == OPT_LOCAL_ADDRESS ||
		 c == OPT_LOCAL_PORT || c == OPT_UDP_REMOTE)
		o->link_option = name;
	o->tls.verify |= c == OPT_CA;
	o->tls.authenticate |= c == OPT_PKI;
}

static int take_word(struct nc *nc, int c)
{
	struct nc_options *o = &nc->options;

	switch (c) {
	case OPT_CN:
		return take_text(nc, "cn", 64, &o->tls.common_name);
	case OPT_SNI:
		return take_text(nc, "sni", 64, &o->tls.sni);
	case OPT_PSK_HINT:
		return take_text(nc, "psk-hint", 32, &o->tls.psk_hint);
	case OPT_LOCAL_ADDRESS:
		return take_text(nc, "local-address", 45, &o->local_address);
	case OPT_ALPN:
		return take_alpn(nc);
	case OPT_PSK_FILE:
		return take_psk(nc);
	}

	return take_udp_remote(nc);
}

static int take_option(struct nc *nc, int c)
{
	const struct number *n = find_number(c);
	long value;

	note_group(&nc->options, c);
	if (take_flag(nc, c))
		return 0;
	if (!n)
		return take_word(nc, c);
	if (!ctl_number(optarg, n->min, n->max, &value))
		return refuse(nc, "\"%s\" is not %ld to %ld %s", optarg,
			      n->min, n->max, n->unit);
	keep_number(nc, c, value);

	return 0;
}

/* What fits together, and what is not said. NULL: all is well. */
static const char *check_lease(struct nc *nc)
{
	if (nc->listen && nc->udp)
		return "-l listens for TCP, not with -u";
	if (nc->wait_s < 0)
		nc->wait_s = nc->lease ? LEASE_WAIT_S : 0;
	if (!nc->lease)
		return nc->duration_s ? "--duration is for --lease" : NULL;
	if (nc->wait_s > 600)
		return "a lease waits at most 600 seconds";
	/* Whoever connects has as long as the lease lasts. */
	if (nc->listen && nc->connect_s < 0)
		nc->connect_s = nc->duration_s ? nc->duration_s : LEASE_S;

	return NULL;
}

static int check_options(struct nc *nc)
{
	const struct nc_options *o = &nc->options;
	const char *why = check_lease(nc);

	if (why)
		return refuse(nc, "%s", why);
	why = o->link_option ? o->link_option : o->shared_option;
	if (why && (nc->lease || (nc->listen && o->link_option)))
		return refuse(nc, "%s%s is for a link to HOST, not for %s",
			      why[0] == '-' ? "" : "--", why,
			      nc->lease ? "--lease" : "-l");
	if (o->tls_option && !o->use_tls)
		return refuse(nc, "--%s is for --tls", o->tls_option);
	if (nc->udp && (o->use_tls || o->tcp_option))
		return refuse(nc, "--%s is not for -u", o->use_tls ? "tls" :
			      o->tcp_option);
	if (o->tls.psk_hint && !o->tls.psk)
		return refuse(nc, "--psk-hint is for --psk-file");
	if (o->udp_remote == MODEMCLIENT_UDP_FIXED)
		return 0;
	if (!nc->udp)
		return refuse(nc, "--udp-remote is for -u");
	if (!o->local_port)
		return refuse(nc, "--udp-remote needs --local-port");

	return 0;
}

/* NULL: it is there. */
static const char *take_target(struct nc *nc, int argc, char **argv)
{
	int hosts = nc->listen ? 0 : 1;

	if (argc - optind != hosts + 1)
		return hosts ? "a host and a port are needed" :
		       "-l needs a port, and nothing else";
	if (!ctl_number(argv[optind + hosts], 1, 65535, &nc->port))
		return "a port is 1 to 65535";
	nc->host = hosts ? argv[optind] : nc->lease ? "*" : "";

	return NULL;
}

int nc_take_arguments(struct nc *nc, int argc, char **argv)
{
	struct nc_options *o = &nc->options;
	const char *why;
	int c;

	o->tls = (struct modemclient_tls_options)MODEMCLIENT_TLS_OPTIONS_INIT;
	o->tcp = (struct modemclient_tcp_options)MODEMCLIENT_TCP_OPTIONS_INIT;
	while ((c = ctl_getopt(nc->ctl, argc, argv, "46lq:uw:", options)) !=
	       -1) {
		if (c == CTL_STOP || take_option(nc, c) < 0)
			return -1;
	}
	if (check_options(nc) < 0)
		return -1;
	why = take_target(nc, argc, argv);

	return why ? refuse(nc, "%s", why) : 0;
}

void nc_fill_options(const struct nc *nc, struct modemclient_open_options *o)
{
	const struct nc_options *from = &nc->options;

	o->family = from->family;
	o->local_address = from->local_address;
	o->local_port = from->local_port;
	o->udp_remote = from->udp_remote;
	o->tls = from->use_tls ? &from->tls : NULL;
	o->tcp = from->tcp_option ? &from->tcp : NULL;
}
