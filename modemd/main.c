/* SPDX-License-Identifier: MIT */

/*
 * modemd - one process owns the modem's serial port; everything else is a
 * consequence of that sentence.
 *
 * Here is the order of things: settings, clock, state, history, broker (which
 * owns the modem, which owns driver and channel, which owns the port); torn
 * down in the exact reverse.
 */

#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/log.h"
#include "base/state.h"
#include "base/timer.h"
#include "broker/broker.h"
#include "driver/driver.h"
#include "history/history.h"

#define EXIT_START	1	/* socket in use, no permission */
#define EXIT_USAGE	2	/* command line or configuration */
#define OVERRIDES_MAX	64
#define BOOT_ID_LEN	36

struct options {
	const char *instance;
	const char *path;
	const char *overrides[OVERRIDES_MAX + 1];
	size_t override_count;
	bool foreground;
	bool check;
};

struct daemon {
	const struct options *opt;
	struct config *cfg;
	struct event_base *base;
	struct timers *timers;
	struct state *state;
	struct history *history;
	struct broker *broker;
	struct event *signals[3];
	char boot_id[BOOT_ID_LEN + 1];
};

static const char usage_text[] =
	"Usage: modemd [-n NAME] [-c FILE] [-f] [-o SECTION.KEY=VALUE]...\n"
	"              [--check] [--version]\n"
	"\n"
	"Owns one cellular modem and shares its sockets among local programs.\n"
	"\n"
	"  -n NAME               instance (default: modem); names socket,\n"
	"                        database and configuration\n"
	"  -c FILE               configuration (default: /etc/modemd/NAME.conf,\n"
	"                        then /etc/modemd/NAME.conf.d/*.conf)\n"
	"  -f                    stay in the foreground, log to stderr\n"
	"  -o SECTION.KEY=VALUE  override one setting; may repeat\n"
	"  --check               read the configuration, report every mistake\n"
	"  --version             print the version\n"
	"\n"
	"Exit codes: 0 clean, 1 start-up failed, 2 usage or configuration.\n";

static const struct option long_options[] = {
	{ "check",	no_argument, NULL, 'C' },
	{ "version",	no_argument, NULL, 'V' },
	{ "help",	no_argument, NULL, 'h' },
	{ NULL }
};

/* -1: go on; else the exit code. */
static int parse_option(struct options *o, int c)
{
	switch (c) {
	case 'n':
		o->instance = optarg;
		return -1;
	case 'c':
		o->path = optarg;
		return -1;
	case 'f':
		o->foreground = true;
		return -1;
	case 'o':
		if (o->override_count >= OVERRIDES_MAX) {
			fputs("modemd: too many -o\n", stderr);
			return EXIT_USAGE;
		}
		o->overrides[o->override_count++] = optarg;
		return -1;
	case 'C':
		o->check = true;
		return -1;
	case 'V':
		puts("modemd " MODEMD_VERSION);
		return 0;
	case 'h':
		fputs(usage_text, stdout);
		return 0;
	}
	fputs("Try modemd --help.\n", stderr);

	return EXIT_USAGE;
}

static bool is_instance(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz"
			  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	return n > 0 && n <= 32 && name[n] == '\0';
}

static int parse_options(struct options *o, int argc, char **argv)
{
	int c, code;

	while ((c = getopt_long(argc, argv, "n:c:fo:h", long_options,
				NULL)) != -1) {
		code = parse_option(o, c);
		if (code >= 0)
			return code;
	}
	if (optind < argc) {
		fprintf(stderr, "modemd: what is %s?\nTry modemd --help.\n",
			argv[optind]);
		return EXIT_USAGE;
	}
	if (!is_instance(o->instance)) {
		fputs("modemd: -n takes 1-32 letters, digits, - and _\n",
		      stderr);
		return EXIT_USAGE;
	}

	return -1;
}

static void report_to_stderr(void *ctx, bool warning, const char *text)
{
	(void)ctx;
	fprintf(stderr, "modemd: %s%s\n", warning ? "warning: " : "", text);
}

static void report_to_log(void *ctx, bool warning, const char *text)
{
	(void)ctx;
	if (warning)
		log_warn("config: %s", text);
	else
		log_error("config: %s", text);
}

static int load_config(const struct options *o,
		       void (*report)(void *, bool, const char *),
		       struct config **out)
{
	struct config_report r = {
		.line = report,
		.option = driver_check_option,
		.dialect = driver_check_dialect,
	};

	return config_load(o->instance, o->path, o->overrides, &r, out);
}

/* SIGHUP: what can change at run time does. */
static void on_reload(evutil_socket_t sig, short what, void *ctx)
{
	struct config_report r = { .line = report_to_log };
	struct daemon *d = ctx;
	struct config *fresh;

	(void)sig;
	(void)what;
	log_info("config: rereading");
	if (load_config(d->opt, report_to_log, &fresh)) {
		log_error("config: has mistakes, the old settings stay");
		return;
	}
	config_reload(d->cfg, fresh, &r);
	config_free(fresh);
	log_set_level(d->cfg->log_level);
	broker_reload(d->broker);
}

static void on_terminate(evutil_socket_t sig, short what, void *ctx)
{
	struct daemon *d = ctx;

	(void)what;
	log_info("stopping (%s)", strsignal((int)sig));
	broker_stop(d->broker);
}

static void on_stopped(void *ctx)
{
	struct daemon *d = ctx;

	event_base_loopbreak(d->base);
}

static int watch_signals(struct daemon *d)
{
	static const struct {
		int sig;
		event_callback_fn fn;
	} rows[] = {
		{ SIGTERM, on_terminate },
		{ SIGINT, on_terminate },
		{ SIGHUP, on_reload },
	};
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		d->signals[i] = evsignal_new(d->base, rows[i].sig, rows[i].fn,
					     d);
		if (!d->signals[i] || event_add(d->signals[i], NULL))
			return -ENOMEM;
	}

	return 0;
}

static void read_boot_id(char out[BOOT_ID_LEN + 1])
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!f || fread(out, 1, BOOT_ID_LEN, f) != BOOT_ID_LEN)
		memset(out, '0', BOOT_ID_LEN);
	out[BOOT_ID_LEN] = '\0';
	if (f)
		fclose(f);
}

static int start_broker(struct daemon *d)
{
	struct broker_args args = {
		.timers = d->timers,
		.cfg = d->cfg,
		.state = d->state,
		.history = d->history,
		.boot_id = d->boot_id,
		.stopped = on_stopped,
		.ctx = d,
	};
	int err;

	err = broker_new(&args, &d->broker);
	if (!err)
		return 0;
	if (err == -EADDRINUSE)
		log_error("ipc: %s is in use: another modemd runs, or give "
			  "this one a name of its own (-n)",
			  d->cfg->ipc.socket);
	else if (err == -EEXIST)
		log_error("ipc: %s exists and is not our socket: remove it",
			  d->cfg->ipc.socket);
	else
		log_error("ipc: cannot serve on %s: %s", d->cfg->ipc.socket,
			  strerror(-err));

	return err;
}

static int start(struct daemon *d)
{
	int err;

	read_boot_id(d->boot_id);
	d->base = event_base_new();
	d->timers = d->base ? timers_new(d->base, 0) : NULL;
	if (!d->timers)
		return -ENOMEM;
	d->state = state_open(d->cfg->state_file, &err);
	if (!d->state)
		return -ENOMEM;
	if (err)
		log_warn("state: %s: %s: no PIN will be tried",
			 d->cfg->state_file, strerror(-err));
	err = history_new(d->timers, &d->cfg->history, d->cfg->instance,
			  d->boot_id, &d->history);
	if (err)
		return err;
	err = start_broker(d);
	if (err)
		return err;

	return watch_signals(d);
}

static void finish(struct daemon *d)
{
	size_t i;

	for (i = 0; i < sizeof(d->signals) / sizeof(d->signals[0]); i++) {
		if (d->signals[i])
			event_free(d->signals[i]);
	}
	broker_free(d->broker);
	history_free(d->history, 5000);
	state_close(d->state);
	timers_free(d->timers);
	if (d->base)
		event_base_free(d->base);
	config_free(d->cfg);
	libevent_global_shutdown();
}

static int run(struct daemon *d)
{
	int err;

	err = start(d);
	if (err) {
		if (err == -ENOMEM)
			log_error("out of memory");
		finish(d);
		return EXIT_START;
	}

	log_info("modemd %s, instance %s, device %s", MODEMD_VERSION,
		 d->cfg->instance, d->cfg->modem.device);
	broker_start(d->broker);
	event_base_dispatch(d->base);
	log_info("stopped");
	finish(d);

	return 0;
}

int main(int argc, char **argv)
{
	struct options opt = { .instance = "modem" };
	struct daemon d = { .opt = &opt };
	int code;

	code = parse_options(&opt, argc, argv);
	if (code >= 0)
		return code;
	if (load_config(&opt, report_to_stderr, &d.cfg))
		return EXIT_USAGE;
	if (opt.check) {
		config_free(d.cfg);
		puts("configuration is good");
		return 0;
	}

	/* Started by systemd, stderr is the journal and nobody forks. */
	opt.foreground |= getenv("INVOCATION_ID") != NULL;
	log_init("modemd", opt.foreground && d.cfg->log_target ==
		 LOG_TARGET_AUTO && !getenv("JOURNAL_STREAM") ?
		 LOG_TARGET_STDERR : d.cfg->log_target, d.cfg->log_level);
	if (!opt.foreground && daemon(0, 0)) {
		fprintf(stderr, "modemd: cannot become a daemon: %s\n",
			strerror(errno));
		return EXIT_START;
	}

	return run(&d);
}
