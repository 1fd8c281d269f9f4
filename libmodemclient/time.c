/* SPDX-License-Identifier: MIT */

/* The modem's clock: read, and set by admins. */

#include <errno.h>
#include <string.h>

#include "client.h"
#include "rows.h"

/* What is to be changed, as the request wants it; the text is the caller's. */
struct change {
	Modemd__V1__TimeRequest ask;
	ProtobufCBinaryData server[MODEMCLIENT_TIME_SERVERS];
};

/* modemd checks the ranges. */
static int fill_change(struct modemclient *mc, struct change *to,
		       const struct modemclient_time_options *o)
{
	unsigned int i;

	to->ask.has_sntp = o->set_sntp;
	to->ask.sntp = o->sntp;
	to->ask.has_zone_min = o->set_zone;
	to->ask.zone_min = o->zone_min;
	to->ask.has_interval_s = o->interval_s != 0;
	to->ask.interval_s = o->interval_s;
	to->ask.server = to->server;
	for (i = 0; i < MODEMCLIENT_TIME_SERVERS && o->servers[i]; i++) {
		if (!*o->servers[i] || strlen(o->servers[i]) > 254)
			return client_fail(mc, -EINVAL, "time: a server has 1 "
					   "to 253 characters");
		to->server[i].len = strlen(o->servers[i]);
		to->server[i].data = (uint8_t *)(uintptr_t)o->servers[i];
		to->ask.n_server++;
	}

	return 0;
}

static void fill_row(struct modemclient_time *to,
		     const Modemd__V1__TimeReply *from)
{
	size_t i;

	memset(to, 0, sizeof(*to));
	to->sntp = from->sntp;
	for (i = 0; i < from->n_server && i < MODEMCLIENT_TIME_SERVERS; i++)
		to->servers[i] = from->server[i];
	to->zone_min = from->zone_min;
	to->interval_s = from->interval_s;
	to->time_ms = from->has_time_ms ? from->time_ms : -1;
	to->text = rows_text(from->text);
}

int modemclient_time(struct modemclient *mc,
		     const struct modemclient_time_options *set,
		     int timeout_ms,
		     bool (*row)(void *ctx, const struct modemclient_time *t),
		     void *ctx)
{
	struct modemclient_time_options o = MODEMCLIENT_TIME_OPTIONS_INIT;
	struct change change = { .ask = MODEMD__V1__TIME_REQUEST__INIT };
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;
	Modemd__V1__ServerMessage *message;
	struct modemclient_time t;
	int err;

	if (set)
		memcpy(&o, set, set->size < sizeof(o) ? set->size : sizeof(o));
	err = fill_change(mc, &change, &o);
	if (err < 0)
		return err;
	req.kind_case = MODEMD__V1__REQUEST__KIND_TIME;
	req.time = &change.ask;
	err = client_ask_for(mc, &req, "time", MODEMD__V1__REPLY__RESULT_TIME,
			     timeout_ms, &message);
	if (err < 0)
		return err;
	fill_row(&t, message->reply->time);
	if (row)
		(void)row(ctx, &t);
	modemd__v1__server_message__free_unpacked(message, NULL);

	return 0;
}
