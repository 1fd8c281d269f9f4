/* SPDX-License-Identifier: MIT */

/*
 * fail - commands that shall be refused, by order of the control socket.
 *
 * A row says which command, how, and how many times. The dialect knows what
 * the refusal looks like; nothing of the command is executed.
 *
 * Called by: control_links (orders), simcom_fail (takes).   Calls: nothing.
 */

#ifndef MODEMSIM_FAIL_H
#define MODEMSIM_FAIL_H

#include <stdbool.h>
#include <stddef.h>

#define FAILS_MAX	16

enum fail_how {
	FAIL_ERR,	/* with <err>, as the result of the command */
	FAIL_NOW,	/* with <err> and ERROR, where there are both ways */
	FAIL_INFO,	/* "+IP ERROR: " and ERROR */
	FAIL_CME,
	FAIL_ERROR,	/* ERROR alone */
	FAIL_SILENT,	/* no answer */
};

struct fail {
	char command[24];	/* "+CIPOPEN", of the read form "+CIPOPEN?" */
	enum fail_how how;
	int code;
	int left;
};

struct fails {
	struct fail row[FAILS_MAX];
};

/* The latest order for a command replaces the one before. 0 or -ENOSPC. */
int fail_order(struct fails *f, const struct fail *order);

/* One occasion. False: it shall be executed. */
bool fail_take(struct fails *f, const char *command, enum fail_how *how,
	       int *code);

#endif
