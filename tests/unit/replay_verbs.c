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

#include "driver/driver.h"
#include "fake_port.h"
#include "modem_bench.h"
#include "replay.h"

unsigned long replay_number(struct replay *r, const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (end == text || *end)
		replay_fail(r->step, "\"%s\" is no number", text);

	return n;
}

static unsigned int natural(struct replay *r, const char *text)
{
	return (unsigned int)replay_number(r, text);
}

/* Of open and udp, from the fourth word on. */
static void link_options(struct replay *r, struct replay_words *a,
			 struct link_args *args)
{
	int i;

	for (i = 3; i < a->count; i++) {
		const char *word = a->words[i];

		if (strcmp(word, "restore") == 0)
			args->restore = true;
		else if (strcmp(word, "pull") == 0)
			args->never_push = true;
		else if (strcmp(word, "ack") == 0)
			args->wait_ack = true;
		else if (strcmp(word, "source") == 0)
			args->want_source = true;
		else if (strncmp(word, "wait=", 5) == 0)
			args->wait_ms = natural(r, word + 5);
		else if (strncmp(word, "local=", 6) == 0)
			args->local_port = natural(r, word + 6);
		else if (strncmp(word, "credit=", 7) == 0)
			args->credit = natural(r, word + 7);
		else
			replay_fail(r->step, "%s knows no %s", a->words[0],
				    word);
		args->has_credit |= strncmp(word, "credit=", 7) == 0;
	}
}

/* open HOST PORT [restore] [pull] [ack] [credit=N] [wait=MS] [local=PORT]:
 * the link's id */
static int do_open(struct replay *r, struct replay_words *a)
{
	struct link_args args = {
		.host = a->words[1],
		.port = natural(r, a->words[2]),
	};

	link_options(r, a, &args);

	return bench_open_args(r->bench, &args);
}

/* udp HOST PORT [source] and those of open; "-" 0: nobody in particular */
static int do_udp(struct replay *r, struct replay_words *a)
{
	struct link_args args = {
		.kind = LINK_UDP,
		.host = strcmp(a->words[1], "-") == 0 ? "" : a->words[1],
		.port = natural(r, a->words[2]),
	};

	link_options(r, a, &args);

	return bench_open_args(r->bench, &args);
}

/* Escaped as in a log. Its length. */
static size_t bytes(struct replay *r, const char *text, char *out)
{
	int len = replay_unescape(out, text);

	if (len < 0)
		replay_fail(r->step, "no such escape, or too long: %s", text);

	return (size_t)len;
}

/* send LINK BYTES [TIMES]: without blanks in BYTES */
static int do_send(struct replay *r, struct replay_words *a)
{
	unsigned int i, times = a->count > 3 ? natural(r, a->words[3]) : 1;
	static char data[REPLAY_BYTES];
	size_t len = bytes(r, a->words[2], data);
	struct evbuffer *buf = evbuffer_new();
	int err;

	for (i = 0; i < times; i++)
		evbuffer_add(buf, data, len);
	err = bench_send(r->bench, replay_number(r, a->words[1]),
			 evbuffer_pullup(buf, -1), len * times);
	evbuffer_free(buf);

	return err;
}

/* sendto LINK ADDRESS PORT BYTES: one datagram */
static int do_sendto(struct replay *r, struct replay_words *a)
{
	unsigned long link = replay_number(r, a->words[1]);
	struct driver_to to = {
		.address = a->words[2],
		.port = natural(r, a->words[3]),
	};
	static char data[REPLAY_BYTES];
	size_t len = bytes(r, a->words[4], data);
	struct link_info info = { 0 };

	(void)modem_link_info(r->bench->m, link, &info);

	return modem_link_send_to(r->bench->m, link, info.epoch, data, len,
				  &to);
}

/* close LINK [abort] */
static int do_close(struct replay *r, struct replay_words *a)
{
	return modem_link_close(r->bench->m, replay_number(r, a->words[1]),
				a->count > 2, "local");
}

/* credit LINK BYTES */
static int do_credit(struct replay *r, struct replay_words *a)
{
	struct link_info info = { 0 };
	unsigned long link = replay_number(r, a->words[1]);

	(void)modem_link_info(r->bench->m, link, &info);

	return modem_link_credit(r->bench->m, link, info.epoch,
				 natural(r, a->words[2]));
}

/* resolve NAME, reverse ADDRESS: the query's number */
static int do_resolve(struct replay *r, struct replay_words *a)
{
	bool name = strcmp(a->words[0], "resolve") == 0;
	uint32_t query = 0;
	int err = name ? modem_resolve(r->bench->m, a->words[1], DRIVER_ANY,
				       &query) :
		  modem_reverse(r->bench->m, a->words[1], &query);

	return err ? err : (int)query;
}

/* listen PORT [backlog=N] [max=N] [wait=MS]: the listener's id */
static int do_listen(struct replay *r, struct replay_words *a)
{
	struct listener_args args = {
		.port = natural(r, a->words[1]),
		.backlog = 3,
	};
	uint64_t id = 0;
	int i, err;

	for (i = 2; i < a->count; i++) {
		const char *word = a->words[i];

		if (strncmp(word, "backlog=", 8) == 0)
			args.backlog = natural(r, word + 8);
		else if (strncmp(word, "max=", 4) == 0)
			args.policy.max_links = natural(r, word + 4);
		else if (strncmp(word, "wait=", 5) == 0)
			args.wait_ms = natural(r, word + 5);
		else
			replay_fail(r->step, "listen knows no %s", word);
	}
	err = modem_listen(r->bench->m, &args, &id);

	return err ? err : (int)id;
}

/* unlisten LISTENER */
static int do_unlisten(struct replay *r, struct replay_words *a)
{
	return modem_unlisten(r->bench->m, replay_number(r, a->words[1]));
}

/* ping HOST [COUNT]: the query's number */
static int do_ping(struct replay *r, struct replay_words *a)
{
	struct driver_ping how = {
		.count = a->count > 2 ? natural(r, a->words[2]) : 1,
		.size = 32, .ttl = 64, .interval_ms = 1000, .wait_ms = 5000,
	};
	uint32_t query = 0;
	int err = modem_ping(r->bench->m, a->words[1], DRIVER_ANY, &how,
			     &query);

	return err ? err : (int)query;
}

/* cancel QUERY */
static int do_cancel(struct replay *r, struct replay_words *a)
{
	modem_query_cancel(r->bench->m, natural(r, a->words[1]));

	return 0;
}

/* confirmed LINK: the query's number */
static int do_confirmed(struct replay *r, struct replay_words *a)
{
	uint32_t query = 0;
	int err = modem_confirmed(r->bench->m, natural(r, a->words[1]),
				  &query);

	return err ? err : (int)query;
}

/* at COMMAND, force COMMAND: the query's number; or refused, and why */
static int do_at(struct replay *r, struct replay_words *a)
{
	const char *command = strchr(r->step->bytes, ' ') + 1;
	bool force = strcmp(a->words[0], "force") == 0;
	const char *why = NULL;
	uint32_t query = 0;
	int err = modem_at(r->bench->m, command, 5000, force, &query, &why);

	if (err == -EACCES)
		evbuffer_add_printf(r->out, "refused: %s\n", why);

	return err ? err : (int)query;
}

static unsigned int find_option(struct replay *r, const char *name)
{
	const struct driver_setting *s = modem_settings(r->bench->m);
	unsigned int i;

	for (i = 0; s[i].name && strcmp(s[i].name, name) != 0; i++)
		;
	if (!s[i].name)
		replay_fail(r->step, "there is no option %s", name);

	return i;
}

/* option NAME VALUE: the query's number */
static int do_option(struct replay *r, struct replay_words *a)
{
	unsigned int option = find_option(r, a->words[1]);
	uint32_t query = 0;
	int err = modem_set(r->bench->m, option,
			    (long)replay_number(r, a->words[2]), &query);

	return err ? err : (int)query;
}

/* config: reads them all; the query's number */
static int do_config(struct replay *r, struct replay_words *a)
{
	uint32_t query = 0;
	int err = modem_read_config(r->bench->m, &query);

	(void)a;

	return err ? err : (int)query;
}

/* show OPTION: as last read */
static int do_show(struct replay *r, struct replay_words *a)
{
	long n = modem_setting(r->bench->m, find_option(r, a->words[1]));

	return n < 0 ? -ENODATA : (int)n;
}

/* network up, network down */
static int do_network(struct replay *r, struct replay_words *a)
{
	return modem_network(r->bench->m, strcmp(a->words[1], "up") == 0,
			     "root");
}

/* restart: by command */
static int do_restart(struct replay *r, struct replay_words *a)
{
	(void)a;

	return modem_reset(r->bench->m, false, "root");
}

/* wait MS: the clock goes on; what the daemon writes comes in the next ">" */
static int do_wait(struct replay *r, struct replay_words *a)
{
	bench_wait(r->bench, natural(r, a->words[1]));

	return 0;
}

/* unplug: the port is gone */
static int do_unplug(struct replay *r, struct replay_words *a)
{
	(void)a;
	fake_port_lose(r->bench->world.port, -EIO);

	return 0;
}

/* stop: the daemon is told to end */
static int do_stop(struct replay *r, struct replay_words *a)
{
	(void)a;
	modem_stop(r->bench->m);

	return 0;
}

static const struct verb {
	const char *name;
	int min_args;
	int (*fn)(struct replay *r, struct replay_words *a);
} verbs[] = {
	{ "open",	2, do_open },
	{ "udp",	2, do_udp },
	{ "send",	2, do_send },
	{ "sendto",	4, do_sendto },
	{ "close",	1, do_close },
	{ "credit",	2, do_credit },
	{ "resolve",	1, do_resolve },
	{ "reverse",	1, do_resolve },
	{ "listen",	1, do_listen },
	{ "unlisten",	1, do_unlisten },
	{ "ping",	1, do_ping },
	{ "cancel",	1, do_cancel },
	{ "confirmed",	1, do_confirmed },
	{ "at",		1, do_at },
	{ "force",	1, do_at },
	{ "option",	2, do_option },
	{ "config",	0, do_config },
	{ "show",	1, do_show },
	{ "network",	1, do_network },
	{ "restart",	0, do_restart },
	{ "wait",	1, do_wait },
	{ "unplug",	0, do_unplug },
	{ "stop",	0, do_stop },
};

void replay_split(struct replay *r, char *text, struct replay_words *a)
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
	struct replay_words a = { .count = 0 };
	char text[1024];
	size_t i;
	int n;

	snprintf(text, sizeof(text), "%s", r->step->bytes);
	replay_split(r, text, &a);
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
