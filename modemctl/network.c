/* SPDX-License-Identifier: MIT */

/* modemctl network, reset */

#include <stdio.h>
#include <string.h>

#include "modemctl.h"

/* -w and one word; false: leave with ctl->exit. */
static bool word_of(struct ctl *ctl, int argc, char **argv, long *seconds,
		    const char **word)
{
	static const struct option options[] = { CTL_COMMON_OPTIONS };
	int c;

	*word = "";
	while ((c = ctl_getopt(ctl, argc, argv, "w:", options)) != -1) {
		if (c == CTL_STOP)
			return false;
		if (!ctl_number(optarg, 1, 86400, seconds)) {
			ctl->exit = ctl_usage(ctl, "-w takes 1 to 86400 "
					      "seconds");
			return false;
		}
	}
	if (argc - optind > 1) {
		ctl->exit = ctl_usage(ctl, "%s is too much", argv[argc - 1]);
		return false;
	}
	if (argc > optind)
		*word = argv[optind];

	return true;
}

/* For programs: what is so now. */
static void print_done(const struct ctl *ctl, const char *name,
		       const char *value)
{
	if (ctl->json)
		printf("{\"%s\": \"%s\"}\n", name, value);
}

int network_run(struct ctl *ctl, int argc, char **argv)
{
	const char *word;
	long seconds = 120;
	bool up;

	if (!word_of(ctl, argc, argv, &seconds, &word))
		return ctl->exit;
	up = strcmp(word, "up") == 0;
	if (!up && strcmp(word, "down") != 0)
		return ctl_usage(ctl, "say up or down");
	ctl->exit = ctl_connect(ctl, NULL, NULL);
	if (ctl->exit != CTL_DONE)
		return ctl->exit;
	if (modemclient_network(ctl->mc, up, (int)seconds * 1000) < 0)
		return ctl_fail_client(ctl);
	print_done(ctl, "network", up ? "open" : "closed");

	return CTL_DONE;
}

int reset_run(struct ctl *ctl, int argc, char **argv)
{
	const char *word;
	long seconds = 60;
	bool hard;

	if (!word_of(ctl, argc, argv, &seconds, &word))
		return ctl->exit;
	hard = strcmp(word, "hard") == 0;
	if (!hard && *word && strcmp(word, "soft") != 0)
		return ctl_usage(ctl, "say soft, hard or nothing");
	ctl->exit = ctl_connect(ctl, NULL, NULL);
	if (ctl->exit != CTL_DONE)
		return ctl->exit;
	if (modemclient_reset(ctl->mc, hard, (int)seconds * 1000) < 0)
		return ctl_fail_client(ctl);
	print_done(ctl, "reset", hard ? "hard" : "soft");

	return CTL_DONE;
}
