/* SPDX-License-Identifier: MIT */

/* Questions: confirmed bytes, options, raw AT. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link.h"
#include "rows.h"

#define OPTIONS_MAX	64	/* set in one request */
#define OPTION_MAX	64	/* bytes of a name */

static void message_free(Modemd__V1__ServerMessage *message)
{
	modemd__v1__server_message__free_unpacked(message, NULL);
}

/* --------------------------------------------------------- confirmed bytes */

int modemclient_confirmed(struct modemclient_link *link, int timeout_ms,
			  struct modemclient_confirmed *out)
{
	Modemd__V1__ConfirmedRequest ask = MODEMD__V1__CONFIRMED_REQUEST__INIT;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;
	const Modemd__V1__ConfirmedReply *from;
	Modemd__V1__ServerMessage *message;
	int err;

	memset(out, 0, sizeof(*out));
	if (!link->id || link->state == LINK_CLOSED)
		return client_fail(link->mc, -EBADF, "%s: the link is not "
				   "open", link->remote);
	ask.has_link = 1;
	ask.link = link->id;
	req.kind_case = MODEMD__V1__REQUEST__KIND_CONFIRMED;
	req.confirmed = &ask;
	err = client_ask_for(link->mc, &req, link->remote,
			     MODEMD__V1__REPLY__RESULT_CONFIRMED, timeout_ms,
			     &message);
	if (err < 0)
		return err;
	from = message->reply->confirmed;
	out->sent = from->sent;
	out->confirmed = from->confirmed;
	out->received = from->received;
	out->delivered = from->delivered;
	out->lost = from->lost;
	message_free(message);

	return 0;
}

/* ------------------------------------------------------------------ raw AT */

static void take_answer(const Modemd__V1__AtReply *from,
			bool (*line)(void *ctx, const char *line), void *ctx,
			char *final, size_t final_size)
{
	bool more = line != NULL;
	size_t i;

	for (i = 0; more && i < from->n_line; i++)
		more = line(ctx, from->line[i]);
	if (final)
		snprintf(final, final_size, "%s", rows_text(from->final));
}

int modemclient_at(struct modemclient *mc, const char *command, bool force,
		   int timeout_ms, bool (*line)(void *ctx, const char *line),
		   void *ctx, char *final, size_t final_size)
{
	Modemd__V1__At at = MODEMD__V1__AT__INIT;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;
	Modemd__V1__ServerMessage *message;
	int err;

	if (final)
		final[0] = '\0';
	if (!command || !*command || strlen(command) > 512)
		return client_fail(mc, -EINVAL, "at: a command has 1 to 512 "
				   "characters");
	at.has_command = 1;
	at.command.len = strlen(command);
	at.command.data = (uint8_t *)(uintptr_t)command;
	/* modemd's deadline passes first: its reply has the lines so far */
	at.timeout_ms = timeout_ms > 0 ? (uint32_t)(timeout_ms -
						    timeout_ms / 10) : 0;
	at.has_timeout_ms = at.timeout_ms >= 100;
	if (at.timeout_ms > 180000)
		at.timeout_ms = 180000;
	at.has_force = 1;
	at.force = force;
	req.kind_case = MODEMD__V1__REQUEST__KIND_AT;
	req.at = &at;
	err = client_ask_any(mc, &req, command, timeout_ms, &message);
	if (!message)
		return err;
	if (message->reply->result_case == MODEMD__V1__REPLY__RESULT_AT)
		take_answer(message->reply->at, line, ctx, final, final_size);
	else if (!err)
		err = client_fail(mc, -EPROTO, "%s: modemd gave another "
				  "answer", command);
	message_free(message);

	return err;
}

/* ----------------------------------------------------------------- options */

static void fill_row(struct modemclient_setting *to,
		     const Modemd__V1__Setting *from)
{
	memset(to, 0, sizeof(*to));
	to->name = rows_text(from->name);
	to->value = rows_text(from->value);
	to->unit = rows_text(from->unit);
	to->min = from->min;
	to->max = from->max;
	to->default_value = from->default_value;
	to->command = rows_text(from->command);
	to->by = rows_text(from->by);
	to->fixed = from->fixed;
	to->wanted = rows_text(from->wanted);
}

/* What is to be set, as the request wants it. */
struct options {
	char name[OPTIONS_MAX][OPTION_MAX];
	Modemd__V1__Setting setting[OPTIONS_MAX];
	Modemd__V1__Setting *list[OPTIONS_MAX];
	size_t count;
};

static int take_option(struct modemclient *mc, struct options *o,
		       const char *text)
{
	const char *equals = strchr(text, '=');
	size_t len = equals ? (size_t)(equals - text) : 0;

	if (len < 1 || len >= OPTION_MAX)
		return client_fail(mc, -EINVAL, "config: write NAME=VALUE, "
				   "not \"%s\"", text);
	if (o->count == OPTIONS_MAX)
		return client_fail(mc, -EINVAL, "config: more than %d options",
				   OPTIONS_MAX);
	memcpy(o->name[o->count], text, len);
	o->name[o->count][len] = '\0';
	modemd__v1__setting__init(&o->setting[o->count]);
	o->setting[o->count].name = o->name[o->count];
	o->setting[o->count].value = (char *)(uintptr_t)(equals + 1);
	o->list[o->count] = &o->setting[o->count];
	o->count++;

	return 0;
}

static int ask_config(struct modemclient *mc, const struct options *o,
		      int timeout_ms, Modemd__V1__ServerMessage **out)
{
	Modemd__V1__Config config = MODEMD__V1__CONFIG__INIT;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;

	config.n_set = o->count;
	config.set = (Modemd__V1__Setting **)(uintptr_t)o->list;
	req.kind_case = MODEMD__V1__REQUEST__KIND_CONFIG;
	req.config = &config;

	return client_ask_for(mc, &req, "config",
			      MODEMD__V1__REPLY__RESULT_CONFIG, timeout_ms,
			      out);
}

int modemclient_config(struct modemclient *mc, const char *const *set,
		       int timeout_ms,
		       bool (*row)(void *ctx,
				   const struct modemclient_setting *s),
		       void *ctx)
{
	struct options *o = calloc(1, sizeof(*o));
	struct modemclient_setting s;
	Modemd__V1__ServerMessage *message;
	bool more = row != NULL;
	int err = 0;
	size_t i;

	if (!o)
		return client_fail(mc, -ENOMEM, "out of memory");
	for (i = 0; err == 0 && set && set[i]; i++)
		err = take_option(mc, o, set[i]);
	if (err == 0)
		err = ask_config(mc, o, timeout_ms, &message);
	free(o);
	if (err < 0)
		return err;
	for (i = 0; more && i < message->reply->config->n_setting; i++) {
		fill_row(&s, message->reply->config->setting[i]);
		more = row(ctx, &s);
	}
	message_free(message);

	return 0;
}
