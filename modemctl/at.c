/* SPDX-License-Identifier: MIT */

/* A raw AT command, for admins. */

#include <errno.h>
#include <stdio.h>

#include "format.h"
#include "modemctl.h"

#define FINAL_MAX	256	/* bytes of the final line */

/* For people at once, for programs at the end. */
static bool on_line(void *ctx, const char *line)
{
	json_t *lines = ctx;

	if (lines)
		json_array_append_new(lines, format_json_text(line));
	else
		puts(line);

	return true;
}

static void print_json(json_t *lines, const char *final)
{
	json_t *o = json_pack("{sO so}", "lines", lines,
			      "final", format_json_text(final));

	if (o) {
		json_dumpf(o, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(o);
}

static int send_command(struct ctl *ctl, const char *command, bool force,
			int timeout_ms)
{
	json_t *lines = ctl->json ? json_array() : NULL;
	char final[FINAL_MAX];
	int err;

	err = modemclient_at(ctl->mc, command, force, timeout_ms, on_line,
			     lines, final, sizeof(final));
	if (lines && (!err || final[0]))
		print_json(lines, final);
	json_decref(lines);
	if (!err)
		return CTL_DONE;
	if (err == -EREMOTEIO && final[0] && !ctl->json) {
		fflush(stdout);
		fprintf(stderr, "%s\n", final);
		return CTL_FAILED;
	}
	if (err == -EREMOTEIO && final[0])
		return CTL_FAILED;

	return ctl_fail_client(ctl);
}

int at_run(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "force", no_argument, NULL, 'f' },
		CTL_COMMON_OPTIONS
	};
	bool force = false;
	long seconds = 10;
	int c;

	while ((c = ctl_getopt(ctl, argc, argv, "w:", options)) != -1) {
		if (c == CTL_STOP)
			return ctl->exit;
		if (c == 'f')
			force = true;
		else if (!ctl_number(optarg, 1, 180, &seconds))
			return ctl_usage(ctl, "-w takes 1 to 180 seconds");
	}
	if (argc - optind != 1)
		return ctl_usage(ctl, "exactly one command is needed, in "
				 "quotes where the shell would take them");
	c = ctl_connect(ctl, NULL, NULL);
	if (c != CTL_DONE)
		return c;

	return send_command(ctl, argv[optind], force, (int)seconds * 1000);
}
