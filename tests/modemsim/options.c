/* SPDX-License-Identifier: MIT */

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "options.h"

static void set_defaults(struct options *o)
{
	*o = (struct options){
		.mode = 0660,
		.baud = OPTIONS_BAUD_FOLLOW,
		.seed = 1,
		.manufacturer = "SIMCOM INCORPORATED",
		.model = "A7670E-FASE",
		.revision = "A7670M7_V1.11.1",
		.imei = "861234050000017",
		.imsi = "460001234567890",
		.puk = "12345678",
		.iccid = "89860000000000000017",
		.registration = 1,
		.csq = 25,
		.operator_name = "SIMNET",
		.address = "10.0.0.2",
		.connect_ms = 20000,
		.tls_ms = 10000,
		.late_ms = 10000,
		.ping_ms = 40,
		.ready_fd = -1,
	};
}

int options_registration(const char *word)
{
	static const char *const words[] = {
		"none", "home", "searching", "denied", NULL, "roaming",
	};
	int i;

	for (i = 0; i < 6; i++) {
		if (words[i] != NULL && strcmp(word, words[i]) == 0)
			return i;
	}
	return -1;
}

unsigned int options_latency(const struct options *o, const char *name)
{
	size_t i;

	for (i = 0; i < o->n_latencies; i++) {
		if (strcasecmp(o->latencies[i].name, name) == 0)
			return o->latencies[i].ms;
	}
	return o->latency_ms;
}

/* "AT+CIPSEND=30", "+CIPSEND=30" and "CIPSEND=30" mean the same. */
int options_set_latency_for(struct options *o, const char *arg)
{
	const char *eq = strchr(arg, '=');
	struct latency_row row = { .name = "+" };
	size_t i, len;

	if (strncasecmp(arg, "AT+", 3) == 0)
		arg += 3;
	else if (*arg == '+')
		arg++;
	len = eq != NULL && eq > arg ? (size_t)(eq - arg) : 0;
	if (len == 0 || len + 2 > sizeof(row.name))
		return -EINVAL;
	memcpy(row.name + 1, arg, len);
	row.ms = (unsigned int)strtoul(eq + 1, NULL, 10);

	for (i = 0; i < o->n_latencies; i++) {
		if (strcasecmp(o->latencies[i].name, row.name) == 0)
			break;
	}
	if (i == OPTIONS_LATENCIES)
		return -ENOSPC;
	o->latencies[i] = row;
	if (i == o->n_latencies)
		o->n_latencies++;
	return 0;
}

static int set_number(const struct option_row *row, const char *arg, void *to)
{
	int base = row->kind == OPT_OCT ? 8 : 10;
	unsigned long v;
	char *end;

	errno = 0;
	v = strtoul(arg, &end, base);
	if (!isdigit((unsigned char)*arg) || *end != '\0' || errno != 0 ||
	    v > INT_MAX)
		return -EINVAL;
	*(unsigned int *)to = (unsigned int)v;
	return 0;
}

static int set_value(struct options *o, const struct option_row *row,
		     const char *arg)
{
	void *to = (char *)o + row->offset;

	switch (row->kind) {
	case OPT_STR:
		*(const char **)to = arg;
		return 0;
	case OPT_NUM:
	case OPT_OCT:
		return set_number(row, arg, to);
	case OPT_FLAG:
		*(bool *)to = true;
		return 0;
	case OPT_FN:
		return row->fn(o, arg);
	case OPT_GROUP:
		break;
	}
	return -EINVAL;
}

static void print_row(const struct option_row *row)
{
	char head[40];
	const char *p = row->help, *nl;

	if (row->kind == OPT_GROUP) {
		printf(row->name ? "%s\n" : "\n%s:\n", row->help);
		return;
	}
	snprintf(head, sizeof(head), "  --%s%s%s", row->name,
		 row->arg ? " " : "", row->arg ? row->arg : "");
	for (;;) {
		nl = strchr(p, '\n');
		printf("%-23s %.*s\n", head,
		       nl ? (int)(nl - p) : (int)strlen(p), p);
		if (nl == NULL)
			break;
		p = nl + 1;
		head[0] = '\0';
	}
}

static void print_help(void)
{
	const struct option_row *row;

	printf("Usage: modemsim [OPTIONS]\n"
	       "       modemsim --ctl SOCKET COMMAND [ARGUMENTS]\n\n"
	       "A simulated modem (SIMCom, or WinnerMicro W800 and ESP-AT) on\n"
	       "a pseudo terminal, real sockets behind it. Prints \"ready\n"
	       "PTY\" when it serves.\n");
	for (row = option_rows; row->help != NULL; row++)
		print_row(row);
	printf("\nControl commands: modemsim --ctl SOCKET help\n");
}

static const struct option_row *find_row(const char *name, size_t len)
{
	const struct option_row *row;

	for (row = option_rows; row->help != NULL; row++) {
		if (row->name != NULL && strlen(row->name) == len &&
		    strncmp(row->name, name, len) == 0)
			return row;
	}
	return NULL;
}

/* Take argv[*i], and argv[*i + 1] if it is the value. */
static int take(struct options *o, int argc, char **argv, int *i)
{
	const char *name = argv[*i] + 2, *eq = strchr(name, '=');
	const char *arg = eq ? eq + 1 : NULL;
	const struct option_row *row;

	if (strncmp(argv[*i], "--", 2) != 0) {
		fprintf(stderr, "modemsim: unexpected argument '%s'\n",
			argv[*i]);
		return 2;
	}
	row = find_row(name, eq ? (size_t)(eq - name) : strlen(name));
	if (row == NULL) {
		fprintf(stderr, "modemsim: unknown option '%s'\n", argv[*i]);
		return 2;
	}
	if (row->arg != NULL && arg == NULL && *i + 1 < argc)
		arg = argv[++*i];
	if ((row->arg != NULL) != (arg != NULL) ||
	    set_value(o, row, arg) < 0) {
		fprintf(stderr, "modemsim: bad value for --%s\n", row->name);
		return 2;
	}
	return -1;
}

unsigned int options_dialect(const struct options *o)
{
	return o->w800 ? QUIRK_OF_W800 : QUIRK_OF_SIMCOM;
}

/* As for the loop of options_parse(). */
static int check(const struct options *o)
{
	const char *name = quirk_foreign(o->quirks, options_dialect(o));

	if (name == NULL)
		return -1;
	fprintf(stderr, "modemsim: this dialect has no quirk '%s', see "
		"--list-quirks\n", name);
	return 2;
}

int options_parse(struct options *o, int argc, char **argv)
{
	int i, status;

	set_defaults(o);
	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			print_help();
			return 0;
		}
		if (strcmp(argv[i], "--version") == 0) {
			printf("modemsim %s\n", MODEMSIM_VERSION);
			return 0;
		}
		if (strcmp(argv[i], "--list-quirks") == 0) {
			quirk_list(stdout);
			return 0;
		}
		status = take(o, argc, argv, &i);
		if (status >= 0)
			return status;
		/* what follows --ctl SOCKET is the command */
		if (o->ctl_path != NULL) {
			o->ctl_args = argv + i + 1;
			return -1;
		}
	}
	return check(o);
}
