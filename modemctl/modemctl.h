/* SPDX-License-Identifier: MIT */

/*
 * modemctl - what all commands share: the options, the connection, the ends.
 *
 * Called by: the commands, one file each.   Calls: libmodemclient.
 */

#ifndef MODEMCTL_MODEMCTL_H
#define MODEMCTL_MODEMCTL_H

#include <getopt.h>
#include <stdbool.h>

#include "modemclient.h"

enum ctl_exit { CTL_DONE = 0, CTL_FAILED = 1, CTL_USAGE = 2,
		CTL_NO_DAEMON = 3 };

#define CTL_TIMEOUT_MS	10000	/* for what modemd answers by itself */

struct ctl {
	const char *socket;		/* NULL: as the library chooses */
	const char *instance;		/* of -n, NULL: none given */
	bool json;
	const struct ctl_command *command;
	struct modemclient *mc;		/* NULL before ctl_connect() */
	int exit;			/* when ctl_getopt() gives CTL_STOP */
};

struct ctl_command {
	const char *name;
	int (*run)(struct ctl *ctl, int argc, char **argv);
	const char *args;		/* behind the name in the usage line */
	const char *summary;
	const char *help;		/* more lines for --help, or NULL */
};

/* Long options that every command takes; they end its table. */
#define CTL_OPT_JSON	1000
#define CTL_OPT_HELP	1001
#define CTL_STOP	1002
#define CTL_COMMON_OPTIONS \
	{ "json", no_argument, NULL, CTL_OPT_JSON }, \
	{ "help", no_argument, NULL, CTL_OPT_HELP }, \
	{ NULL, 0, NULL, 0 }

/*
 * getopt_long() that deals with the common options. Returns an option of the
 * command, -1 at the end, or CTL_STOP: leave with ctl->exit.
 */
int ctl_getopt(struct ctl *ctl, int argc, char **argv, const char *letters,
	       const struct option *options);

/* Complains that the arguments are wrong: CTL_USAGE. */
__attribute__((format(printf, 2, 3)))
int ctl_usage(struct ctl *ctl, const char *fmt, ...);

/* Complains that it did not work: CTL_FAILED. */
__attribute__((format(printf, 2, 3)))
int ctl_fail(struct ctl *ctl, const char *fmt, ...);

/* The same with modemclient_error(). */
int ctl_fail_client(struct ctl *ctl);

/* Connects: CTL_DONE, or the exit code after it has complained. */
int ctl_connect(struct ctl *ctl, modemclient_event_fn event, void *ctx);

/* The same for commands without options and arguments, which it checks.
 * False: leave with ctl->exit; so after --help, which is no failure. */
bool ctl_begin(struct ctl *ctl, int argc, char **argv,
	       modemclient_event_fn event, void *ctx);

/* A whole number of @min..@max, else false. */
bool ctl_number(const char *text, long min, long max, long *out);

/*
 * Handles what comes until a signal, a closed stdout (both CTL_DONE) or the
 * end of modemd (CTL_FAILED).
 */
int ctl_follow(struct ctl *ctl);

/* A descriptor that becomes readable by SIGINT or SIGTERM; -errno. */
int ctl_signals(void);

int status_run(struct ctl *ctl, int argc, char **argv);
int why_run(struct ctl *ctl, int argc, char **argv);
int network_run(struct ctl *ctl, int argc, char **argv);
int reset_run(struct ctl *ctl, int argc, char **argv);
int links_run(struct ctl *ctl, int argc, char **argv);
int listeners_run(struct ctl *ctl, int argc, char **argv);
int clients_run(struct ctl *ctl, int argc, char **argv);
int nc_run(struct ctl *ctl, int argc, char **argv);
int unlease_run(struct ctl *ctl, int argc, char **argv);
int resolve_run(struct ctl *ctl, int argc, char **argv);
int reverse_run(struct ctl *ctl, int argc, char **argv);
int config_run(struct ctl *ctl, int argc, char **argv);
int at_run(struct ctl *ctl, int argc, char **argv);
int ping_run(struct ctl *ctl, int argc, char **argv);
int history_run(struct ctl *ctl, int argc, char **argv);
int monitor_run(struct ctl *ctl, int argc, char **argv);
int time_run(struct ctl *ctl, int argc, char **argv);
int trace_run(struct ctl *ctl, int argc, char **argv);

#endif
