/* SPDX-License-Identifier: MIT */

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"

/* Take a quoted field at *p; leaves *p behind the closing quote. */
static int take_quoted(struct arg *arg, char **p)
{
	char *end = strchr(*p + 1, '"');

	if (end == NULL)
		return -EINVAL;
	*end = '\0';
	arg->text = *p + 1;
	arg->quoted = true;
	arg->present = true;
	*p = end + 1;
	return 0;
}

/* Take a bare field; *p is left at its comma or at the end. */
static void take_bare(struct arg *arg, char **p)
{
	arg->text = *p;
	*p += strcspn(*p, ",");
	arg->present = *p > arg->text;
}

static void trim(struct arg *arg, char *end)
{
	while (end > arg->text && end[-1] == ' ')
		*--end = '\0';
	arg->present = *arg->text != '\0';
}

int args_parse(struct args *a, char *text)
{
	char *p = text, *end;
	struct arg *arg;

	memset(a, 0, sizeof(*a));
	if (*p == '\0')
		return 0;
	for (;;) {
		if (a->count == ARGS_MAX)
			return -EINVAL;
		arg = &a->arg[a->count++];
		p += strspn(p, " ");
		if (*p != '"')
			take_bare(arg, &p);
		else if (take_quoted(arg, &p) < 0)
			return -EINVAL;
		end = p;
		p += strspn(p, " ");
		if (*p != '\0' && *p != ',')
			return -EINVAL;
		if (!arg->quoted && *p == ',') {
			*p = '\0';
			trim(arg, end);
			p++;
			continue;
		}
		if (!arg->quoted)
			trim(arg, end);
		if (*p++ == '\0')
			return 0;
	}
}

bool args_present(const struct args *a, size_t i)
{
	return i < a->count && a->arg[i].present;
}

bool args_int(const struct args *a, size_t i, int min, int max, int *v)
{
	const char *text;
	char *end;
	long n;

	if (!args_present(a, i) || a->arg[i].quoted)
		return false;
	text = a->arg[i].text;
	if (!isdigit((unsigned char)text[*text == '-']))
		return false;
	errno = 0;
	n = strtol(text, &end, 10);
	if (*end != '\0' || errno != 0 || n < min || n > max)
		return false;
	*v = (int)n;
	return true;
}

bool args_opt_int(const struct args *a, size_t i, int min, int max, int *v)
{
	return !args_present(a, i) || args_int(a, i, min, max, v);
}

const char *args_str(const struct args *a, size_t i)
{
	if (!args_present(a, i) || !a->arg[i].quoted)
		return NULL;
	return a->arg[i].text;
}
