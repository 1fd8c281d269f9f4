/* SPDX-License-Identifier: MIT */

/*
 * What a log can ask of the daemon. A verb is a row and a function that
 * returns what the call returned; for what is not there yet add both here.
 */

#include <errno.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_port.h"
#include "modem_bench.h"
#include "replay.h"

/* Of a "do" line; words[0] is the verb. */
struct verb_args {
	char *words[REPLAY_WORDS];
	int count;
};

static unsigned long number(struct replay *r, const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (end == text || *end)
		replay_fail(r->step, "\"%s\" is no number", text);

	return n;
}

/* open HOST PORT [restore] [credit=N] [wait=MS] [local=PORT]: the link's id */
static int do_open(struct replay *r, struct verb_args *a)
{
	struct link_args args = {
		.host = a->words[1],
		.port = (unsigned int)number(r, a->words[2]),
	};
	int i;

	for (i = 3; i < a->count; i++) {
		if (strcmp(a->words[i], "restore") == 0) {
			args.restore = true;
		} else if (strncmp(a->words[i], "wait=", 5) == 0) {
			args.wait_ms = (uint32_t)number(r, a->words[i] + 5);
		} else if (strncmp(a->words[i], "local=", 6) == 0) {
			args.local_port = (unsigned int)
				number(r, a->words[i] + 6);
		} else if (strncmp(a->words[i], "credit=", 7) == 0) {
			args.credit = (uint32_t)number(r, a->words[i] + 7);
			args.has_credit = true;
		} else {
			replay_fail(r->step, "open knows no %s", a->words[i]);
		}
	}

	return bench_open_args(r->bench, &args);
}

/* send LINK BYTES [TIMES]: without blanks in BYTES */
static int do_send(struct replay *r, struct verb_args *a)
{
	unsigned long i, times = a->count > 3 ? number(r, a->words[3]) : 1;
	size_t len = strlen(a->words[2]);
	struct evbuffer *buf = evbuffer_new();
	int err;

	for (i = 0; i < times; i++)
		evbuffer_add(buf, a->words[2], len);
	err = bench_send(r->bench, number(r, a->words[1]),
			 evbuffer_pullup(buf, -1), len * times);
	evbuffer_free(buf);

	return err;
}

/* close LINK [abort] */
static int do_close(struct replay *r, struct verb_args *a)
{
	return modem_link_close(r->bench->m, number(r, a->words[1]),
				a->count > 2, "local");
}

/* credit LINK BYTES */
static int do_credit(struct replay *r, struct verb_args *a)
{
	struct link_info info = { 0 };
	unsigned long link = number(r, a->words[1]);

	(void)modem_link_info(r->bench->m, link, &info);

	return modem_link_credit(r->bench->m, link, info.epoch,
				 (uint32_t)number(r, a->words[2]));
}

/* resolve NAME, reverse ADDRESS: the query's number */
static int do_resolve(struct replay *r, struct verb_args *a)
{
	uint32_t query = 0;
	int err = modem_resolve(r->bench->m, a->words[1], &query);

	return err ? err : (int)query;
}

static int do_reverse(struct replay *r, struct verb_args *a)
{
	uint32_t query = 0;
	int err = modem_reverse(r->bench->m, a->words[1], &query);

	return err ? err : (int)query;
}

/* wait MS: the clock goes on; what the daemon writes comes in the next ">" */
static int do_wait(struct replay *r, struct verb_args *a)
{
	bench_wait(r->bench, (uint32_t)number(r, a->words[1]));

	return 0;
}

/* unplug: the port is gone */
static int do_unplug(struct replay *r, struct verb_args *a)
{
	(void)a;
	fake_port_lose(r->bench->world.port, -EIO);

	return 0;
}

/* stop: the daemon is told to end */
static int do_stop(struct replay *r, struct verb_args *a)
{
	(void)a;
	modem_stop(r->bench->m);

	return 0;
}

static const struct verb {
	const char *name;
	int min_args;
	int (*fn)(struct replay *r, struct verb_args *a);
} verbs[] = {
	{ "open",	2, do_open },
	{ "send",	2, do_send },
	{ "close",	1, do_close },
	{ "credit",	2, do_credit },
	{ "resolve",	1, do_resolve },
	{ "reverse",	1, do_reverse },
	{ "wait",	1, do_wait },
	{ "unplug",	0, do_unplug },
	{ "stop",	0, do_stop },
};

static void split(struct replay *r, char *text, struct verb_args *a)
{
	char *save, *word;

	for (word = strtok_r(text, " ", &save); word;
	     word = strtok_r(NULL, " ", &save)) {
		if (a->count == REPLAY_WORDS)
			replay_fail(r->step, "more than %d words",
				    REPLAY_WORDS);
		a->words[a->count++] = word;
	}
}

void replay_do(struct replay *r)
{
	struct verb_args a = { .count = 0 };
	char text[1024];
	size_t i;
	int n;

	snprintf(text, sizeof(text), "%s", r->step->bytes);
	split(r, text, &a);
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (a.count > 0 && strcmp(verbs[i].name, a.words[0]) == 0)
			break;
	}
	if (i == sizeof(verbs) / sizeof(verbs[0]))
		replay_fail(r->step, "there is no verb \"%s\"", text);
	if (a.count - 1 < verbs[i].min_args)
		replay_fail(r->step, "%s wants %d words", verbs[i].name,
			    verbs[i].min_args);

	n = verbs[i].fn(r, &a);
	if (n < 0)
		evbuffer_add_printf(r->out, "do %s = %s\n", r->step->bytes,
				    strerrorname_np(-n));
	else if (verbs[i].fn != do_wait)
		evbuffer_add_printf(r->out, "do %s = %d\n", r->step->bytes, n);
}

/* ----------------------------------------------------------------- settings */

void replay_set(struct replay *r)
{
	struct config *cfg = &r->bench->cfg;
	struct verb_args a = { .count = 0 };
	/* the daemon borrows its settings */
	static char texts[8][256];
	static unsigned int turn;
	char *text = texts[turn++ % 8];
	const struct {
		const char *name;
		char **string;
		uint32_t *number;
	} settings[] = {
		{ "modem.pin",		&cfg->modem.pin, NULL },
		{ "modem.apn",		&cfg->modem.apn, NULL },
		{ "modem.target-baud",	NULL, &cfg->modem.target_baud },
		{ "links.open-timeout",	NULL, &cfg->links.open_timeout_ms },
		{ "links.send-timeout",	NULL, &cfg->links.send_timeout_ms },
		{ "links.credit",	NULL, &cfg->links.credit },
		{ "recovery.probe",	NULL, &cfg->recovery.probe_ms },
	};
	size_t i;

	snprintf(text, sizeof(texts[0]), "%s", r->step->bytes);
	split(r, text, &a);
	for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		if (a.count != 2 || strcmp(settings[i].name, a.words[0]) != 0)
			continue;
		if (settings[i].string)
			*settings[i].string = a.words[1];
		else
			*settings[i].number =
				(uint32_t)number(r, a.words[1]);
		return;
	}
	replay_fail(r->step, "there is no setting \"%s\", or no value", text);
}
