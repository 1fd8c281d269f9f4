/* SPDX-License-Identifier: MIT */

/* Questions that the modem answers later: ping, confirmed, options, raw AT. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "broker/private.h"
#include "driver/driver.h"
#include "history/history.h"

/* Text of the modem, fit for a string of the protocol. */
static char *escaped(char *out, size_t size, const char *text)
{
	return log_escape_utf8(out, size, text, strlen(text));
}

/* -------------------------------------------------------------------- ping */

/* One number of a ping: what is absent has its default. */
struct ping_field {
	const char *name;
	unsigned int min, max, fallback;
};

enum { PING_COUNT, PING_SIZE, PING_INTERVAL, PING_WAIT, PING_TTL, PING_FIELDS };

/* As in the protocol. */
static const struct ping_field ping_fields[PING_FIELDS] = {
	[PING_COUNT]	= { "count", 1, 100, 4 },
	[PING_SIZE]	= { "size", 4, 188, 64 },
	[PING_INTERVAL]	= { "interval_ms", 1000, 10000, 2000 },
	[PING_WAIT]	= { "wait_ms", 10000, 100000, 10000 },
	[PING_TTL]	= { "ttl", 16, 255, 255 },
};

/* The first field that is out of its range; NULL: none. */
static const struct ping_field *fill_ping(const Modemd__V1__Ping *req,
					  struct driver_ping *how)
{
	const unsigned int given[PING_FIELDS] = {
		req->count, req->size, req->interval_ms, req->wait_ms,
		req->ttl,
	};
	const bool has[PING_FIELDS] = {
		req->has_count, req->has_size, req->has_interval_ms,
		req->has_wait_ms, req->has_ttl,
	};
	unsigned int value[PING_FIELDS];
	unsigned int i;

	for (i = 0; i < PING_FIELDS; i++) {
		value[i] = has[i] ? given[i] : ping_fields[i].fallback;
		if (value[i] < ping_fields[i].min ||
		    value[i] > ping_fields[i].max)
			return &ping_fields[i];
	}
	*how = (struct driver_ping){
		.count = value[PING_COUNT], .size = value[PING_SIZE],
		.ttl = value[PING_TTL], .interval_ms = value[PING_INTERVAL],
		.wait_ms = value[PING_WAIT],
	};

	return NULL;
}

void ask_ping(struct client *c, uint64_t id, const Modemd__V1__Ping *req)
{
	char host[DRIVER_HOST_MAX + 1];
	const struct ping_field *bad;
	struct driver_ping how;
	struct pending *p;
	const char *why;

	if (name_check_host(&req->host, host, sizeof(host), &why)) {
		request_reply(c, id, -EINVAL, "host %s", why);
		return;
	}
	bad = fill_ping(req, &how);
	if (bad) {
		request_reply(c, id, -EINVAL, "%s is not in %u-%u", bad->name,
			      bad->min, bad->max);
		return;
	}
	p = pending_new(c, id);
	if (p)
		p->what = MODEMD__V1__REQUEST__KIND_PING;
	request_asked(c, id, p, p ? modem_ping(c->broker->modem, host,
					       request_family(req->has_family,
							      req->family),
					       &how, &p->query) : -EBUSY);
}

static struct pending *find_pending(struct broker *b, uint32_t query)
{
	struct pending *p;
	struct client *c;

	TAILQ_FOREACH(c, &b->clients, entry) {
		TAILQ_FOREACH(p, &c->pending, entry) {
			if (p->query == query)
				return p;
		}
	}

	return NULL;
}

/* One a second at most, as the modem's shortest interval is: never dropped. */
void ask_progress(void *ctx, uint32_t query, unsigned int seq,
		  const struct driver_echo *echo)
{
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;
	Modemd__V1__PingEcho ping = MODEMD__V1__PING_ECHO__INIT;
	struct pending *p = find_pending(ctx, query);

	if (!p)
		return;
	MSG_SET(&ping, request_id, p->request_id);
	MSG_SET(&ping, seq, seq);
	MSG_SET(&ping, timeout, echo->timeout);
	if (!echo->timeout) {
		escaped(p->address, sizeof(p->address), echo->address);
		ping.address = p->address;
		MSG_SET(&ping, size, echo->size);
		MSG_SET(&ping, rtt_ms, echo->rtt_ms);
		MSG_SET(&ping, ttl, echo->ttl);
	}
	event.kind_case = MODEMD__V1__EVENT__KIND_PING;
	event.ping = &ping;
	client_tell(p->client, &event);
}

/* The counts also when it did not end well. */
static void fill_ping_reply(Modemd__V1__PingReply *out, struct pending *p,
			    const struct driver_answer *a)
{
	MSG_SET(out, sent, a->pings_sent);
	MSG_SET(out, received, a->pings_received);
	MSG_SET(out, lost, a->pings_lost);
	if (a->pings_received > 0) {
		MSG_SET(out, min_ms, a->min_ms);
		MSG_SET(out, max_ms, a->max_ms);
		MSG_SET(out, avg_ms, a->avg_ms);
	}
	out->address = msg_opt(p->address);
}

static void ping_answered(struct pending *p, Modemd__V1__Reply *reply,
			  const struct driver_answer *a)
{
	Modemd__V1__PingReply ping = MODEMD__V1__PING_REPLY__INIT;
	struct client *c = p->client;

	fill_ping_reply(&ping, p, a);
	reply->result_case = MODEMD__V1__REPLY__RESULT_PING;
	reply->ping = &ping;
	client_reply(c, reply);
}

/* --------------------------------------------------------- confirmed bytes */

void ask_confirmed(struct client *c, uint64_t id,
		   const Modemd__V1__ConfirmedRequest *req)
{
	struct pending *p;
	int err;

	if (!request_owns(c, id, req->link))
		return;
	p = pending_new(c, id);
	if (p) {
		p->what = MODEMD__V1__REQUEST__KIND_CONFIRMED;
		p->link = req->link;
	}
	err = p ? modem_confirmed(c->broker->modem, req->link, &p->query) :
	      -EBUSY;
	request_asked(c, id, p, err);
}

static void confirmed_answered(struct pending *p, Modemd__V1__Reply *reply,
			       int err, const struct driver_answer *a)
{
	Modemd__V1__ConfirmedReply msg = MODEMD__V1__CONFIRMED_REPLY__INIT;
	struct client *c = p->client;
	struct link_info info = { 0 };

	if (!err) {
		(void)modem_link_info(c->broker->modem, p->link, &info);
		MSG_SET(&msg, sent, a->sent);
		MSG_SET(&msg, confirmed, a->acked);
		MSG_SET(&msg, received, a->received);
		MSG_SET(&msg, delivered, info.counts.received);
		MSG_SET(&msg, lost, info.counts.lost);
		reply->result_case = MODEMD__V1__REPLY__RESULT_CONFIRMED;
		reply->confirmed = &msg;
	}
	client_reply(c, reply);
}

/* ------------------------------------------------------------------ raw AT */

#define AT_TIMEOUT_MS	10000

/* What is wrong with it, or NULL; the command is in @text then. */
static const char *check_at(const Modemd__V1__At *req, char *text,
			    size_t size)
{
	static char why[96];
	const char *what;

	if (name_check_text(&req->command, text, size, &what)) {
		snprintf(why, sizeof(why), "command %s", what);
		return why;
	}
	if (strncasecmp(text, "AT", 2) != 0)
		return "command does not begin with AT";
	if (req->has_timeout_ms && (req->timeout_ms < 100 ||
				    req->timeout_ms > 180000))
		return "timeout_ms is not in 100-180000";

	return NULL;
}

void ask_at(struct client *c, uint64_t id, const Modemd__V1__At *req)
{
	uint32_t timeout_ms = req->has_timeout_ms ? req->timeout_ms :
			      AT_TIMEOUT_MS;
	char text[512 + 1];
	struct pending *p;
	const char *why;
	int err;

	why = check_at(req, text, sizeof(text));
	if (why) {
		request_reply(c, id, -EINVAL, "%s", why);
		return;
	}
	p = pending_new(c, id);
	if (p)
		p->what = MODEMD__V1__REQUEST__KIND_AT;
	err = p ? modem_at(c->broker->modem, text, timeout_ms, req->force,
			   &p->query, &why) : -EBUSY;
	if (err == -EACCES) {
		pending_free(p);
		request_reply(c, id, -EINVAL, "not sent, unless by force: %s",
			      why);
		return;
	}
	request_asked(c, id, p, err);
	if (!err)
		history_event(c->broker->args.history, "client", "%s (pid %d) "
			      "sends the modem a command%s", c->name,
			      (int)c->creds.pid, req->force ? ", by force" :
			      "");
}

/* Each line escaped, one behind the other in @out. */
static size_t take_lines(const char *text, char *out, size_t size,
			 char **line)
{
	size_t len, n = 0;

	for (;; text += len + 1) {
		len = strcspn(text, "\n");
		line[n++] = log_escape_utf8(out, size, text, len);
		size -= strlen(out) + 1;
		out += strlen(out) + 1;
		if (!text[len])
			return n;
	}
}

static size_t count_lines(const char *text)
{
	size_t n = 1;

	for (; *text; text++)
		n += *text == '\n';

	return n;
}

/* Also when the modem said no: its words are what was asked for. */
static void at_answered(struct pending *p, Modemd__V1__Reply *reply,
			const struct driver_answer *a)
{
	Modemd__V1__AtReply at = MODEMD__V1__AT_REPLY__INIT;
	size_t size = strlen(a->text) * 4 + 1, n = count_lines(a->text);
	struct client *c = p->client;
	char *text = malloc(size + n);
	char **line = calloc(n, sizeof(*line));

	if (text && line) {
		n = take_lines(a->text, text, size + n, line);
		at.n_line = n - 1;
		at.line = line;
		at.final = line[n - 1];
		reply->modem_text = NULL;
		reply->result_case = MODEMD__V1__REPLY__RESULT_AT;
		reply->at = &at;
		client_reply(c, reply);
	} else {
		request_reply(c, p->request_id, -ENOMEM, NULL);
	}
	free(text);
	free(line);
}

/* ----------------------------------------------------------------- answers */

/* Frees @p. */
void ask_answered(struct pending *p, int err, const struct driver_answer *a)
{
	Modemd__V1__Reply reply = MODEMD__V1__REPLY__INIT;
	char text[600];

	if (p->what == MODEMD__V1__REQUEST__KIND_CONFIG) {
		config_answered(p, err, a);
		return;
	}
	if (p->what == MODEMD__V1__REQUEST__KIND_TIME) {
		time_answered(p, err, a);
		return;
	}
	MSG_SET(&reply, request_id, p->request_id);
	MSG_SET(&reply, status, wire_status(err));
	if (err) {
		reply.message = msg_str(wire_status_text(reply.status));
		reply.modem_text = escaped(text, sizeof(text), a->text);
	}
	switch (p->what) {
	case MODEMD__V1__REQUEST__KIND_PING:
		ping_answered(p, &reply, a);
		break;
	case MODEMD__V1__REQUEST__KIND_CONFIRMED:
		confirmed_answered(p, &reply, err, a);
		break;
	case MODEMD__V1__REQUEST__KIND_AT:
		at_answered(p, &reply, a);
		break;
	}
	pending_free(p);
}
