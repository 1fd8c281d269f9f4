/* SPDX-License-Identifier: MIT */

/*
 * The modem's clock and its SNTP. The modem is given all of them at once, so
 * what is not to be changed is read first.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "broker/private.h"
#include "driver/driver.h"
#include "history/history.h"

#define ZONE_MIN	(-720)
#define ZONE_MAX	840
#define INTERVAL_MIN	15
#define INTERVAL_MAX	4294967

/* What is to be changed; then read and set are two answers. */
struct time_wish {
	bool set_sntp, set_servers, set_zone;
	bool setting;			/* that was sent */
	struct driver_time time;
};

/* True, or it has replied what is wrong. */
static bool take_servers(struct client *c, uint64_t id,
			 const Modemd__V1__TimeRequest *req,
			 struct time_wish *w)
{
	const char *why;
	size_t i;

	if (req->n_server > DRIVER_TIME_SERVERS) {
		request_reply(c, id, -EINVAL, "server: %zu are given, of at "
			      "most %d", req->n_server, DRIVER_TIME_SERVERS);
		return false;
	}
	for (i = 0; i < req->n_server; i++) {
		if (name_check_host(&req->server[i], w->time.servers[i],
				    sizeof(w->time.servers[i]), &why)) {
			request_reply(c, id, -EINVAL, "server, number %zu, %s",
				      i + 1, why);
			return false;
		}
	}
	w->set_servers = req->n_server > 0;

	return true;
}

static bool take_wish(struct client *c, uint64_t id,
		      const Modemd__V1__TimeRequest *req, struct time_wish *w)
{
	if (req->has_zone_min && (req->zone_min < ZONE_MIN ||
				  req->zone_min > ZONE_MAX)) {
		request_reply(c, id, -EINVAL, "zone_min is not in %d-%d",
			      ZONE_MIN, ZONE_MAX);
		return false;
	}
	if (req->has_interval_s && (req->interval_s < INTERVAL_MIN ||
				    req->interval_s > INTERVAL_MAX)) {
		request_reply(c, id, -EINVAL, "interval_s is not in %d-%d",
			      INTERVAL_MIN, INTERVAL_MAX);
		return false;
	}
	w->set_sntp = req->has_sntp;
	w->set_zone = req->has_zone_min;
	w->time.sntp = req->sntp;
	w->time.zone_min = req->zone_min;
	w->time.interval_s = req->interval_s;

	return take_servers(c, id, req, w);
}

static bool wants_any(const Modemd__V1__TimeRequest *req)
{
	return req->has_sntp || req->n_server > 0 || req->has_zone_min ||
	       req->has_interval_s;
}

/* NULL: without memory. */
static struct pending *pending_time(struct client *c, uint64_t id, bool set)
{
	struct pending *p = pending_new(c, id);

	if (!p)
		return NULL;
	p->what = MODEMD__V1__REQUEST__KIND_TIME;
	if (!set)
		return p;
	p->time = calloc(1, sizeof(*p->time));
	if (p->time)
		return p;
	pending_free(p);

	return NULL;
}

static void asked(struct client *c, uint64_t id, struct pending *p, int err)
{
	if (err == -EOPNOTSUPP) {
		pending_free(p);
		request_reply(c, id, err, "this modem tells no time "
			      "(capability time)");
		return;
	}
	request_asked(c, id, p, err);
}

void ask_time(struct client *c, uint64_t id,
	      const Modemd__V1__TimeRequest *req)
{
	bool set = wants_any(req);
	struct pending *p;

	if (set && !c->admin) {
		request_reply(c, id, -EPERM, "the modem's clock is set by "
			      "admins: root and the group modem-admin");
		return;
	}
	p = pending_time(c, id, set);
	if (!p) {
		request_asked(c, id, NULL, -EBUSY);
		return;
	}
	if (set && !take_wish(c, id, req, p->time)) {
		pending_free(p);
		return;
	}
	asked(c, id, p, modem_time(c->broker->modem, NULL, &p->query));
}

/* ----------------------------------------------------------------- answers */

static void escape(char *out, size_t size, const char *text)
{
	log_escape_utf8(out, size, text, strlen(text));
}

static void reply_time(struct client *c, uint64_t id,
		       const struct driver_time *t)
{
	Modemd__V1__TimeReply msg = MODEMD__V1__TIME_REPLY__INIT;
	char name[DRIVER_TIME_SERVERS][DRIVER_HOST_MAX * 4 + 1];
	char text[sizeof(t->text) * 4];
	char *list[DRIVER_TIME_SERVERS];
	unsigned int i;

	for (i = 0; i < DRIVER_TIME_SERVERS; i++) {
		if (!t->servers[i][0])
			continue;
		escape(name[i], sizeof(name[i]), t->servers[i]);
		list[msg.n_server++] = name[i];
	}
	msg.server = list;
	MSG_SET(&msg, sntp, t->sntp);
	MSG_SET(&msg, zone_min, t->zone_min);
	MSG_SET(&msg, interval_s, t->interval_s);
	if (t->now_s >= 0)
		MSG_SET(&msg, time_ms, t->now_s * 1000);
	escape(text, sizeof(text), t->text);
	msg.text = text;
	report_reply(c, id, MODEMD__V1__REPLY__RESULT_TIME, &msg);
}

static void reply_failed(struct pending *p, int err, const char *modem_text)
{
	Modemd__V1__Reply reply = MODEMD__V1__REPLY__INIT;
	char text[600];

	MSG_SET(&reply, request_id, p->request_id);
	MSG_SET(&reply, status, wire_status(err));
	reply.message = msg_str(wire_status_text(reply.status));
	escape(text, sizeof(text), modem_text);
	reply.modem_text = text;
	client_reply(p->client, &reply);
}

/* What was read, but for what is to be changed. */
static void fill_wish(struct time_wish *w, const struct driver_time *is)
{
	if (!w->set_sntp)
		w->time.sntp = is->sntp;
	if (!w->set_zone)
		w->time.zone_min = is->zone_min;
	if (!w->set_servers)
		memcpy(w->time.servers, is->servers, sizeof(is->servers));
}

static int set_time(struct pending *p, const struct driver_time *is)
{
	struct client *c = p->client;

	fill_wish(p->time, is);
	p->time->setting = true;
	history_event(c->broker->args.history, "client", "%s (pid %d) sets "
		      "the modem's clock", c->name, (int)c->creds.pid);

	return modem_time(c->broker->modem, &p->time->time, &p->query);
}

/* Frees @p at the last answer. */
void time_answered(struct pending *p, int err, const struct driver_answer *a)
{
	if (!err && !a->time)
		err = -EBADMSG;
	if (!err && p->time && !p->time->setting) {
		err = set_time(p, a->time);
		if (!err)
			return;
	}
	if (err)
		reply_failed(p, err, a->text);
	else
		reply_time(p->client, p->request_id, a->time);
	pending_free(p);
}
