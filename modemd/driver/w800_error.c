/* SPDX-License-Identifier: MIT */

/*
 * What errors mean. This module says ERROR and, where it is kind, a line
 * before it. Each meaning is one -errno; its own words go up beside it.
 */

#include <errno.h>
#include <string.h>

#include "driver/w800_private.h"

const char *w800_words(const struct at_answer *a)
{
	if (!a)
		return "no answer";
	if (a->detail[0])
		return a->detail;

	return a->final[0] ? a->final : "no answer";
}

/* Quirks Q104, and the source of ESP-AT's relatives. */
static const struct {
	enum w800_rule rule;
	int err;
} meanings[] = {
	{ R_ALREADY,		-EBUSY },
	{ R_ALREADY_TYPO,	-EBUSY },
	{ R_NOT_VALID,		-ENOTCONN },
	{ R_NO_IP,		-ENETDOWN },
	{ R_DNS_FAIL,		-EADDRNOTAVAIL },
	{ R_ID_ERROR,		-EINVAL },
	/* a local port or address that is not to be had */
	{ R_IP_ERROR,		-EADDRINUSE },
};

int w800_answer_errno(int err, const struct at_answer *a)
{
	size_t i;

	if (err != -EREMOTEIO || !a)
		return err;
	for (i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (a->rule == &w800_rules[meanings[i].rule])
			return meanings[i].err;
	}
	/* "The AT command does not exist", "not ... in the required format" */
	if (strcmp(a->final, "CMD FORMAT ERR") == 0)
		return -EOPNOTSUPP;
	if (strcmp(a->final, "CMD PARSE ERR") == 0)
		return -EINVAL;

	return err;
}
