/* SPDX-License-Identifier: MIT */

/* What nc is told on its command line, and what it takes where nothing is. */

#include "nc.h"

#define LEASE_S		300	/* of modemd, when nothing is said */
#define LEASE_WAIT_S	10	/* for the others */

static bool take_flag(struct nc *nc, int c)
{
	bool *flag = c == 'L' ? &nc->lease : c == 'u' ? &nc->udp :
		     c == 'l' ? &nc->listen : NULL;

	if (flag)
		*flag = true;

	return flag;
}

/* What fits together, and what is not said. NULL: all is well. */
static const char *check_options(struct nc *nc)
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

static int take_option(struct nc *nc, int c)
{
	long min = c == 'w' || c == 'D', max = c == 'D' ? 3600 : 86400;
	long *to = c == 'q' ? &nc->quit_s : c == 'w' ? &nc->connect_s :
		   c == 'D' ? &nc->duration_s : &nc->wait_s;

	if (take_flag(nc, c) || ctl_number(optarg, min, max, to))
		return 0;
	nc->ctl->exit = ctl_usage(nc->ctl, "\"%s\" is not %ld to %ld "
				  "seconds", optarg, min, max);

	return -1;
}

int nc_take_arguments(struct nc *nc, int argc, char **argv)
{
	static const struct option options[] = {
		{ "wait", required_argument, NULL, 'W' },
		{ "lease", no_argument, NULL, 'L' },
		{ "duration", required_argument, NULL, 'D' },
		CTL_COMMON_OPTIONS
	};
	const char *why;
	int c;

	while ((c = ctl_getopt(nc->ctl, argc, argv, "lq:uw:", options)) != -1) {
		if (c == CTL_STOP || take_option(nc, c) < 0)
			return -1;
	}
	why = check_options(nc);
	if (!why)
		why = take_target(nc, argc, argv);
	if (why)
		nc->ctl->exit = ctl_usage(nc->ctl, "%s", why);

	return why ? -1 : 0;
}
