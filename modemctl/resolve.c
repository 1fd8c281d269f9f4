/* SPDX-License-Identifier: MIT */

#include <stdio.h>

#include "format.h"
#include "modemctl.h"
#include "table.h"

static const struct table_column no_columns[] = { { NULL, TABLE_LEFT } };

/* Which way, and what each of the two is called in JSON. */
struct lookup {
	const char *question;
	const char *answer;
	const char *usage;
	const char *letters;		/* of its options */
	int (*ask)(struct modemclient *mc, const char *text,
		   enum modemclient_family family, int timeout_ms,
		   char ***out);
};

static void print_answers(struct ctl *ctl, const struct lookup *l,
			  const char *text, char *const *answers)
{
	struct table *t = table_new(no_columns, true);
	size_t i;

	if (!t)
		return;
	for (i = 0; answers[i]; i++) {
		if (ctl->json)
			table_json(t, json_pack("{so so}",
				l->question, format_json_text(text),
				l->answer, format_json_text(answers[i])));
		else
			puts(answers[i]);
	}
	table_finish(t, ctl->json ? "" : NULL);
}

static int look_up(struct ctl *ctl, const struct lookup *l, int argc,
		   char **argv)
{
	static const struct option options[] = { CTL_COMMON_OPTIONS };
	enum modemclient_family family = MODEMCLIENT_ANY;
	char **answers;
	long seconds = 60;
	int c;

	while ((c = ctl_getopt(ctl, argc, argv, l->letters, options)) != -1) {
		if (c == CTL_STOP)
			return ctl->exit;
		if (c == '4' || c == '6')
			family = c == '4' ? MODEMCLIENT_IPV4 :
				 MODEMCLIENT_IPV6;
		else if (!ctl_number(optarg, 1, 86400, &seconds))
			return ctl_usage(ctl, "-w takes 1 to 86400 seconds");
	}
	if (argc - optind != 1)
		return ctl_usage(ctl, "%s", l->usage);
	c = ctl_connect(ctl, NULL, NULL);
	if (c != CTL_DONE)
		return c;
	if (l->ask(ctl->mc, argv[optind], family, (int)seconds * 1000,
		   &answers) < 0)
		return ctl_fail_client(ctl);

	print_answers(ctl, l, argv[optind], answers);
	modemclient_addresses_free(answers);

	return CTL_DONE;
}

int resolve_run(struct ctl *ctl, int argc, char **argv)
{
	static const struct lookup resolve = {
		"name", "address", "exactly one name is needed", "46w:",
		modemclient_resolve_family,
	};

	return look_up(ctl, &resolve, argc, argv);
}

/* An address says itself of which family it is. */
static int ask_name(struct modemclient *mc, const char *address,
		    enum modemclient_family family, int timeout_ms,
		    char ***out)
{
	(void)family;

	return modemclient_reverse(mc, address, timeout_ms, out);
}

int reverse_run(struct ctl *ctl, int argc, char **argv)
{
	static const struct lookup reverse = {
		"address", "name", "exactly one address is needed", "w:",
		ask_name,
	};

	return look_up(ctl, &reverse, argc, argv);
}
