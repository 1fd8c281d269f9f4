/* SPDX-License-Identifier: MIT */

/* modemctl why: from power to network, what holds and what does not. */

#include <stdio.h>
#include <string.h>

#include "format.h"
#include "modemctl.h"
#include "why.h"

#define INDENT		23	/* what stands before a sentence */
#define TEXT_WIDTH	(80 - INDENT)

static json_t *step_json(const struct modemclient_step *s)
{
	return json_pack("{so so so so so so}",
			 "name", format_json_text(s->name),
			 "state", format_json_text(s->state),
			 "text", format_json_text(s->text),
			 "since", format_json_time(s->since_wall_ms),
			 "next_try_ms", s->next_try_ms < 0 ? json_null() :
			 json_integer(s->next_try_ms),
			 "next", *s->next ? format_json_text(s->next) :
			 json_null());
}

json_t *why_steps(const struct modemclient_status *st)
{
	const struct modemclient_step *s;
	json_t *steps = json_array();

	for (s = st->steps; s->name; s++)
		json_array_append_new(steps, step_json(s));

	return steps;
}

/* The first that does not hold: all after it follow from that. */
static const struct modemclient_step *
find_trouble(const struct modemclient_status *st)
{
	const struct modemclient_step *s;

	for (s = st->steps; s->name; s++) {
		if (strcmp(s->state, "failed") == 0 ||
		    strcmp(s->state, "waiting") == 0)
			return s;
	}

	return NULL;
}

static void print_json(const struct modemclient_status *st)
{
	const struct modemclient_step *trouble = find_trouble(st);
	json_t *o;

	o = json_pack("{so so so so so so}",
		      "instance", format_json_text(st->instance),
		      "modem", format_json_text(st->modem->state),
		      "network", format_json_text(st->network->state),
		      "well", json_boolean(!trouble),
		      "trouble", trouble ? format_json_text(trouble->name) :
		      json_null(),
		      "steps", why_steps(st));
	if (o)
		json_dumpf(o, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(o);
}

/* Broken between words, the lines below begin under the first. */
static void print_wrapped(const char *text)
{
	size_t at = 0, len, next;

	while (*text) {
		len = strcspn(text, " ");
		next = at + (at ? 1 : 0) + len;
		if (at && next > TEXT_WIDTH) {
			printf("\n%*s", INDENT, "");
			at = 0;
			next = len;
		}
		printf("%s%.*s", at ? " " : "", (int)len, text);
		at = next;
		text += len;
		text += strspn(text, " ");
	}
	putchar('\n');
}

static void print_step(const struct modemclient_step *s)
{
	static const char unknown[] = "not known yet";
	char text[FORMAT_MAX], line[700];
	bool known = strcmp(s->state, "unknown") != 0 && s->since_wall_ms;

	snprintf(line, sizeof(line), "%s%s%s%s",
		 *s->text ? s->text : unknown, known ? " (for " : "",
		 known ? format_duration(text, format_now_ms() -
					 s->since_wall_ms) : "",
		 known ? ")" : "");
	printf("%-13s %-8s ", s->name, s->state);
	print_wrapped(line);
	if (s->next_try_ms < 0)
		return;
	snprintf(line, sizeof(line), "next, in %s: %s",
		 format_duration(text, s->next_try_ms), s->next);
	printf("%*s", INDENT, "");
	print_wrapped(line);
}

static void print_summary(const struct modemclient_status *st)
{
	const struct modemclient_step *trouble = find_trouble(st);

	if (!trouble)
		puts("All is well: the network is open.");
	else
		printf("%s: %s.\n", strcmp(trouble->state, "failed") == 0 ?
		       "What is wrong" : "What is waited for", trouble->name);
	putchar('\n');
}

int why_run(struct ctl *ctl, int argc, char **argv)
{
	const struct modemclient_step *s;
	struct modemclient_status *st;

	if (!ctl_begin(ctl, argc, argv, NULL, NULL))
		return ctl->exit;
	if (modemclient_status(ctl->mc, CTL_TIMEOUT_MS, &st) < 0)
		return ctl_fail_client(ctl);
	if (ctl->json) {
		print_json(st);
	} else {
		print_summary(st);
		for (s = st->steps; s->name; s++)
			print_step(s);
	}
	modemclient_status_free(st);

	return CTL_DONE;
}
