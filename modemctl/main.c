/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modemctl.h"

static const struct ctl_command commands[] = {
	{ "status", status_run, "", "modem, network and daemon: what holds and "
	  "what is wrong", NULL },
	{ "why", why_run, "", "from power to network: what holds, what fails, "
	  "what is tried next", NULL },
	{ "links", links_run, "", "the modem's sockets and who holds them",
	  "SENT is what the modem took, UNSENT what waits for it.\n" },
	{ "clients", clients_run, "", "programs that use modemd", NULL },
	{ "listeners", listeners_run, "", "the modem's servers and who holds "
	  "them", "LINKS is how many are open, of how many at most.\n" },
	{ "nc", nc_run, "[-u] [-q SECONDS] [-w SECONDS] [--wait SECONDS]\n"
	  "       [-4 | -6] [--tls [OPTIONS]] [--lease [--duration SECONDS]]\n"
	  "       {HOST PORT | -l PORT}",
	  "netcat through the modem: stdin and stdout",
	  "  -l PORT         serve one connection to that port of the modem;\n"
	  "                  --tls: with TLS, --verify: of those alone who\n"
	  "                  have a certificate, -6: over IPv6\n"
	  "  -q SECONDS      close that long after the end of stdin was sent;\n"
	  "                  without it nc waits until the peer closes\n"
	  "  -u              UDP: one read of stdin (1500) is one datagram,\n"
	  "                  one datagram is one write\n"
	  "  -w SECONDS      give up connecting after that long (130); -l:\n"
	  "                  when nobody connects for so long (never)\n"
	  "  --wait SECONDS  wait that long for a network and a free socket\n"
	  "  --lease         have the whole modem for it: its bytes go through\n"
	  "                  without commands around them, and nobody else can\n"
	  "                  use the modem. Waits (--wait, 10) for others to\n"
	  "                  close; then admins get it by closing what is open.\n"
	  "                  -u: UDP; -l PORT: one connection to that port\n"
	  "  --duration SECONDS  how long a lease may last, 1 to 3600 (300)\n"
	  "  -4, -6          IPv4 or IPv6 only\n"
	  "  --local-address ADDRESS, --local-port PORT  of the modem's own,\n"
	  "                  where it can (the port with -u always)\n"
	  "  --tls           TLS, spoken by the modem; then:\n"
	  "  --verify        the server's certificate, by CA number 0, or\n"
	  "  --ca N          ... by that one of the modem's\n"
	  "  --pki N         show the modem's certificate of that number\n"
	  "  --cn NAME       the common name that the server must have\n"
	  "  --sni NAME      the name the server is told (HOST, if a name)\n"
	  "  --alpn A,B      protocols, 5 at most\n"
	  "  --psk-file FILE  a key both know, in the first line of FILE;\n"
	  "  --psk-hint HINT  ... and its name\n"
	  "  --keepalive SECONDS  ask a silent peer, 1 to 7200; 0: never (0)\n"
	  "  --nodelay       small pieces go out at once\n"
	  "  --linger SECONDS  a close waits, 0 to 60; -1: it does not (-1)\n"
	  "  --send-timeout SECONDS  of one send, 1 to 120 (5)\n"
	  "  --udp-remote fixed|first|every  -u with --local-port: send to\n"
	  "                  HOST, to the first other sender, to the last\n"
	  "Exits 0 when the peer (or -q) closed and all was delivered, 1 when\n"
	  "the link was lost, with the reason and the counts on stderr.\n" },
	{ "unlease", unlease_run, "", "end the lease of the modem; of others: "
	  "admins only", "Who has it is in status; nc --lease takes one.\n" },
	{ "resolve", resolve_run, "[-4|-6] [-w SECONDS] NAME",
	  "addresses of a name, asked through the modem",
	  "  -4, -6          IPv4 or IPv6 only; else IPv4 before IPv6\n"
	  "  -w SECONDS      give up after that long (60)\n" },
	{ "reverse", reverse_run, "[-w SECONDS] ADDRESS",
	  "name of an address, asked through the modem",
	  "  -w SECONDS      give up after that long (60)\n" },
	{ "ping", ping_run, "[-4|-6] [-c COUNT] [-s SIZE] [-i INTERVAL] [-W WAIT] "
	  "[-t TTL] HOST", "pings a host from the modem, as ping(8) does",
	  "  -4, -6          by IPv4 or IPv6 only; else IPv4 before IPv6\n"
	  "  -c COUNT        packets, 1 to 100 (4)\n"
	  "  -s SIZE         bytes in each, 4 to 188 (64)\n"
	  "  -i INTERVAL     seconds between them, 1 to 10 (2)\n"
	  "  -W WAIT         seconds to wait for an echo, 10 to 100 (10)\n"
	  "  -t TTL          time to live, 16 to 255 (255)\n"
	  "Ctrl-C stops it. Exits 0 when an echo came, else 1.\n" },
	{ "config", config_run, "[NAME=VALUE...]",
	  "options of the modem's sockets; admins set them",
	  "What is set holds until modemd ends, also when the modem restarts;"
	  "\nmodem.options in the configuration is for good.\n" },
	{ "at", at_run, "[--force] [-w SECONDS] COMMAND",
	  "a raw AT command; admins only",
	  "  --force         also what upsets modemd: it then checks what it "
	  "knows\n"
	  "  -w SECONDS      wait for the answer that long (10)\n"
	  "Exits 0 after OK; else 1, with the final line on stderr.\n" },
	{ "history", history_run, "[sessions|events] [OPTIONS]",
	  "past sessions, or what happened to the modem; newest first",
	  "  --since T, --until T   2h (ago), 3d, today, yesterday, @SECONDS,\n"
	  "                         2026-11-20, 2026-11-20T10:00; all in UTC\n"
	  "  --client NAME          sessions of that client\n"
	  "  --remote HOST          sessions with that host, or host:port\n"
	  "  --reason R             with that reason, events of that kind\n"
	  "  --limit N              the newest N rows\n"
	  "  --db FILE              read that file; no modemd is needed\n"
	  "A ~ marks times of a clock that was never set.\n" },
	{ "monitor", monitor_run, "", "what happens, one line each, until "
	  "interrupted", NULL },
	{ "network", network_run, "[-w SECONDS] up|down",
	  "open the network, or close it until it is opened again (admins)",
	  "  -w SECONDS      give up after that long (120); what was decided\n"
	  "                  holds all the same\n"
	  "Closing ends all links politely; those with restore come back when\n"
	  "the network is opened.\n" },
	{ "reset", reset_run, "[-w SECONDS] [soft|hard]",
	  "restart the modem (admins)",
	  "  -w SECONDS      give up after that long (60)\n"
	  "soft, the default, is by command; the links end.\n" },
	{ "time", time_run, "[--sntp on|off] [--server NAME]... [--zone ZONE]\n"
	  "       [--interval SECONDS]", "the modem's clock; admins set it",
	  "  --sntp on|off   whether the modem asks time servers\n"
	  "  --server NAME   whom it asks; up to three, which replace all\n"
	  "  --zone ZONE     hours, or hours and minutes, east of UTC: +8, -5,\n"
	  "                  +12:45, 530\n"
	  "  --interval SECONDS  between two times, 15 to 4294967\n"
	  "What is set holds until modemd ends, also when the modem restarts;\n"
	  "the section modem of the configuration is for good.\n" },
	{ "trace", trace_run, "[--follow] [--payload]",
	  "the AT conversation with the modem",
	  "  --follow        go on with what comes, until interrupted\n"
	  "  --payload       show the payload too (admins only)\n" },
	{ NULL, NULL, NULL, NULL, NULL },
};

static void print_usage(FILE *to)
{
	const struct ctl_command *c;

	fputs("Usage: modemctl [-s SOCKET | -n NAME] [--json] COMMAND "
	      "[ARGS]\n\n"
	      "  -s SOCKET   socket of modemd ($MODEMD_SOCKET, or\n"
	      "              " MODEMCLIENT_SOCKET ")\n"
	      "  -n NAME     the instance NAME: /run/modemd/NAME.sock\n"
	      "  --json      for programs: JSON instead of tables\n"
	      "  --version   which one this is\n\n", to);
	for (c = commands; c->name; c++)
		fprintf(to, "  %-10s %s\n", c->name, c->summary);
	fputs("\nmodemctl COMMAND --help tells more. Exit codes: 0 done, "
	      "1 failed, 2 usage,\n3 modemd is not running.\n", to);
}

static void print_command_usage(const struct ctl_command *c, FILE *to)
{
	fprintf(to, "Usage: modemctl [OPTIONS] %s%s%s\n", c->name,
		*c->args ? " " : "", c->args);
}

int ctl_getopt(struct ctl *ctl, int argc, char **argv, const char *letters,
	       const struct option *options)
{
	int c = getopt_long(argc, argv, letters, options, NULL);

	switch (c) {
	case CTL_OPT_JSON:
		ctl->json = true;
		return ctl_getopt(ctl, argc, argv, letters, options);
	case CTL_OPT_HELP:
		print_command_usage(ctl->command, stdout);
		printf("\n%c%s.\n", ctl->command->summary[0] - 'a' + 'A',
		       ctl->command->summary + 1);
		if (ctl->command->help)
			printf("\n%s", ctl->command->help);
		ctl->exit = CTL_DONE;
		return CTL_STOP;
	case '?':
		print_command_usage(ctl->command, stderr);
		ctl->exit = CTL_USAGE;
		return CTL_STOP;
	default:
		return c;
	}
}

bool ctl_begin(struct ctl *ctl, int argc, char **argv,
	       modemclient_event_fn event, void *ctx)
{
	static const struct option options[] = { CTL_COMMON_OPTIONS };

	if (ctl_getopt(ctl, argc, argv, "", options) == CTL_STOP)
		return false;
	if (argc > optind)
		ctl->exit = ctl_usage(ctl, "%s is too much", argv[argc - 1]);
	else
		ctl->exit = ctl_connect(ctl, event, ctx);

	return ctl->exit == CTL_DONE;
}

int ctl_usage(struct ctl *ctl, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "modemctl %s: ", ctl->command->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	print_command_usage(ctl->command, stderr);

	return CTL_USAGE;
}

int ctl_fail(struct ctl *ctl, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "modemctl %s: ", ctl->command->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);

	return CTL_FAILED;
}

int ctl_fail_client(struct ctl *ctl)
{
	return ctl_fail(ctl, "%s", modemclient_error(ctl->mc));
}

int ctl_connect(struct ctl *ctl, modemclient_event_fn event, void *ctx)
{
	struct modemclient_options o = MODEMCLIENT_OPTIONS_INIT;
	int err;

	o.socket = ctl->socket;
	o.name = "modemctl";
	o.event = event;
	o.ctx = ctx;
	err = modemclient_connect(&o, &ctl->mc);
	if (err == 0)
		return CTL_DONE;

	ctl_fail(ctl, "%s", modemclient_error(NULL));
	if (err == -EACCES)
		fputs("Join the group of the socket (see ipc.socket-group), or "
		      "ask its owner.\n", stderr);
	if (err != -ENOENT && err != -ECONNREFUSED)
		return CTL_FAILED;
	fprintf(stderr, "Start it (systemctl start modemd@%s), or name another "
		"one with -n NAME or -s SOCKET.\n",
		ctl->instance ? ctl->instance : "modem");

	return CTL_NO_DAEMON;
}

bool ctl_number(const char *text, long min, long max, long *out)
{
	char *end;

	errno = 0;
	*out = strtol(text, &end, 10);

	return *text && !*end && !errno && *out >= min && *out <= max;
}

/* What was printed must have arrived; a reader who had enough is no error. */
static int finish(struct ctl *ctl, int code)
{
	modemclient_free(ctl->mc);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	if (errno == EPIPE)
		return code;
	fprintf(stderr, "modemctl: cannot write the output: %s\n",
		strerror(errno));

	return code ? code : CTL_FAILED;
}

static bool set_instance(struct ctl *ctl, const char *name)
{
	static char path[108];		/* what a socket's address holds */

	if (!*name || strchr(name, '/') ||
	    snprintf(path, sizeof(path), "/run/modemd/%s.sock", name) >=
	    (int)sizeof(path))
		return false;
	ctl->instance = name;
	ctl->socket = path;

	return true;
}

/* -1: go on with the command at optind; else the exit code. */
static int global_options(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "instance", required_argument, NULL, 'n' },
		{ "version", no_argument, NULL, 'V' },
		CTL_COMMON_OPTIONS
	};
	int c;

	while ((c = getopt_long(argc, argv, "+s:n:hV", options, NULL)) != -1) {
		switch (c) {
		case 's':
			ctl->socket = optarg;
			break;
		case 'n':
			if (set_instance(ctl, optarg))
				break;
			fprintf(stderr, "modemctl: \"%s\" is no name of an "
				"instance\n", optarg);
			return CTL_USAGE;
		case 'V':
			printf("modemctl %s\n", MODEMD_VERSION);
			return CTL_DONE;
		case CTL_OPT_JSON:
			ctl->json = true;
			break;
		case CTL_OPT_HELP:
		case 'h':
			print_usage(stdout);
			return CTL_DONE;
		default:
			print_usage(stderr);
			return CTL_USAGE;
		}
	}

	return -1;
}

int main(int argc, char **argv)
{
	struct ctl ctl = { 0 };
	int code;

	setlocale(LC_ALL, "");
	code = global_options(&ctl, argc, argv);
	if (code >= 0)
		return finish(&ctl, code);
	if (optind == argc) {
		print_usage(stderr);
		return CTL_USAGE;
	}
	for (ctl.command = commands; ctl.command->name; ctl.command++) {
		if (strcmp(ctl.command->name, argv[optind]) == 0)
			break;
	}
	if (!ctl.command->name) {
		fprintf(stderr, "modemctl: there is no command \"%s\"; "
			"see modemctl --help\n", argv[optind]);
		return CTL_USAGE;
	}
	argc -= optind;
	argv += optind;
	optind = 0;			/* a new table of options */

	return finish(&ctl, ctl.command->run(&ctl, argc, argv));
}
