/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <strings.h>

#include "fail.h"

static struct fail *find(struct fails *f, const char *command)
{
	struct fail *row;

	for (row = f->row; row < f->row + FAILS_MAX; row++) {
		if (row->left > 0 && strcasecmp(row->command, command) == 0)
			return row;
	}
	return NULL;
}

int fail_order(struct fails *f, const struct fail *order)
{
	struct fail *row = find(f, order->command);

	if (row == NULL) {
		for (row = f->row; row->left > 0; row++) {
			if (row == f->row + FAILS_MAX - 1)
				return -ENOSPC;
		}
	}
	*row = *order;
	return 0;
}

bool fail_take(struct fails *f, const char *command, enum fail_how *how,
	       int *code)
{
	struct fail *row = find(f, command);

	if (row == NULL)
		return false;
	row->left--;
	*how = row->how;
	*code = row->code;
	return true;
}
