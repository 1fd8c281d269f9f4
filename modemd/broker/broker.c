/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/log.h"
#include "base/timer.h"
#include "broker/private.h"
#include "history/history.h"

/* ------------------------------------------------------------ owned links */

struct owned *broker_find(struct broker *b, uint64_t link)
{
	struct owned *o;

	TAILQ_FOREACH(o, &b->owned, entry) {
		if (o->link == link)
			return o;
	}

	return NULL;
}

void broker_forget(struct broker *b, struct owned *o)
{
	if (o->owner)
		o->owner->links--;
	TAILQ_REMOVE(&b->owned, o, entry);
	free(o);
}

/* A client has gone, however it went: nothing of its stays open. */
static void close_links(struct broker *b, const struct client *c)
{
	struct owned *o;

	TAILQ_FOREACH(o, &b->owned, entry) {
		if (o->owner != c)
			continue;
		o->owner = NULL;
		(void)modem_link_close(b->modem, o->link, true, "client-gone");
	}
}

/* ------------------------------------------------------ messages to clients */

static size_t room(const struct client *c)
{
	/* Data is bounded by credit; what is counted here is the rest. */
	return CLIENT_QUEUE_MAX + c->links *
	       (size_t)c->broker->args.cfg->links.credit;
}

bool client_is_full(const struct client *c)
{
	return client_queued(c->conn) > room(c);
}

static int send_message(struct client *c, Modemd__V1__ServerMessage *msg)
{
	return client_send(c->conn, &msg->base);
}

void client_reply(struct client *c, Modemd__V1__Reply *reply)
{
	Modemd__V1__ServerMessage msg = MODEMD__V1__SERVER_MESSAGE__INIT;

	if (client_is_full(c)) {
		client_close(c->conn, "does not read its replies");
		return;
	}
	msg.kind_case = MODEMD__V1__SERVER_MESSAGE__KIND_REPLY;
	msg.reply = reply;
	if (send_message(c, &msg))
		client_close(c->conn, "a reply could not be sent");
	/* Who asks faster than it reads is not read for a while. */
	if (client_queued(c->conn) > CLIENT_QUEUE_MAX / 4)
		client_pause(c->conn);
}

/*
 * What an owner must hear of its links: never dropped. Data is bounded by its
 * credit, the rest by the number of links.
 */
void client_tell(struct client *c, Modemd__V1__Event *event)
{
	Modemd__V1__ServerMessage msg = MODEMD__V1__SERVER_MESSAGE__INIT;
	const struct timers *ts = c->broker->args.timers;

	if (event->kind_case != MODEMD__V1__EVENT__KIND_DATA) {
		MSG_SET(event, wall_ms, timers_wall_ms(ts));
		MSG_SET(event, mono_ms, timers_mono_ms(ts));
	}
	msg.kind_case = MODEMD__V1__SERVER_MESSAGE__KIND_EVENT;
	msg.event = event;
	if (send_message(c, &msg))
		client_close(c->conn, "an event could not be sent");
}

static void tell_events_lost(struct client *c)
{
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;
	Modemd__V1__EventsLost lost = MODEMD__V1__EVENTS_LOST__INIT;

	if (c->events_lost == c->events_lost_told)
		return;
	MSG_SET(&lost, count, c->events_lost - c->events_lost_told);
	c->events_lost_told = c->events_lost;
	event.kind_case = MODEMD__V1__EVENT__KIND_EVENTS_LOST;
	event.events_lost = &lost;
	client_tell(c, &event);
}

/* What a client merely watches: dropped and counted when it does not read. */
void client_event(struct client *c, Modemd__V1__Event *event)
{
	if (client_is_full(c)) {
		c->events_lost++;
		return;
	}
	tell_events_lost(c);
	client_tell(c, event);
}

/* --------------------------------------------------- clients come and go */

/* NULL: out of memory, or too many wait. */
struct pending *pending_new(struct client *c, uint64_t id)
{
	struct pending *p;

	if (c->pending_count >= CLIENT_PENDING_MAX)
		return NULL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;

	p->client = c;
	p->request_id = id;
	TAILQ_INSERT_TAIL(&c->pending, p, entry);
	c->pending_count++;

	return p;
}

void pending_free(struct pending *p)
{
	p->client->pending_count--;
	TAILQ_REMOVE(&p->client->pending, p, entry);
	free(p->wishes);
	free(p->time);
	free(p);
}

static void drop_pending(struct client *c)
{
	struct broker *b = c->broker;
	struct pending *p;

	while ((p = TAILQ_FIRST(&c->pending))) {
		if (p->lease)
			lease_cancel(b);
		else if (p->query)
			modem_query_cancel(b->modem, p->query);
		else if (p->admin == PENDING_QUERY && !p->listener)
			history_cancel(b->args.history, p->history);
		pending_free(p);
	}
}

static void on_hello_timeout(void *ctx)
{
	struct client *c = ctx;

	client_close(c->conn, "said no hello in time");
}

static unsigned int count_of_user(const struct broker *b, uid_t uid)
{
	const struct client *c;
	unsigned int n = 0;

	TAILQ_FOREACH(c, &b->clients, entry)
		n += c->creds.uid == uid;

	return n;
}

static const char *refusal(const struct broker *b,
			   const struct client_creds *creds)
{
	const struct config_ipc *ipc = &b->args.cfg->ipc;

	if (b->stopping)
		return "the daemon is stopping";
	if (b->client_count >= ipc->max_clients)
		return "ipc.max-clients is reached";
	if (ipc->max_clients_per_user > 0 &&
	    count_of_user(b, creds->uid) >= ipc->max_clients_per_user)
		return "ipc.max-clients-per-user is reached";

	return NULL;
}

static struct client *client_new(struct broker *b, struct client_conn *conn,
				 const struct client_creds *creds)
{
	struct client *c;

	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->hello_timer = timer_new(b->args.timers, on_hello_timeout, c);
	if (!c->hello_timer) {
		free(c);
		return NULL;
	}

	c->broker = b;
	c->conn = conn;
	c->creds = *creds;
	c->admin = creds->uid == 0 || creds->in_admin_group;
	c->id = ++b->next_client;
	c->connected_wall_ms = timers_wall_ms(b->args.timers);
	c->connected_mono_ms = timers_mono_ms(b->args.timers);
	TAILQ_INIT(&c->pending);
	TAILQ_INSERT_TAIL(&b->clients, c, entry);
	b->client_count++;

	return c;
}

static void *on_accepted(void *ctx, struct client_conn *conn,
			 const struct client_creds *creds)
{
	struct broker *b = ctx;
	const char *why = refusal(b, creds);
	struct client *c;

	if (why) {
		log_info("client: pid %d (%s) refused: %s", (int)creds->pid,
			 creds->comm, why);
		return NULL;
	}
	c = client_new(b, conn, creds);
	if (c)
		timer_start(c->hello_timer,
			    b->args.cfg->ipc.hello_timeout_ms);

	return c;
}

static void on_frame(void *client, const uint8_t *buf, size_t len)
{
	request_handle(client, buf, len);
}

static void on_gone(void *client, const char *reason)
{
	struct client *c = client;
	struct broker *b = c->broker;

	log_info("client: %s (pid %d) has gone: %s",
		 c->hello ? c->name : c->creds.comm, (int)c->creds.pid,
		 reason);
	if (c->hello && strcmp(reason, "disconnected") != 0)
		history_event(b->args.history, "client", "%s (pid %d): %s",
			      c->name, (int)c->creds.pid, reason);
	drop_pending(c);
	lease_client_gone(b, c);
	close_links(b, c);
	listen_owner_gone(b, c);
	timer_free(c->hello_timer);
	TAILQ_REMOVE(&b->clients, c, entry);
	b->client_count--;
	free(c);
	lease_look(b);
}

static const struct client_ops client_ops = {
	.accepted	= on_accepted,
	.frame		= on_frame,
	.gone		= on_gone,
};

/* ---------------------------------------------------------------- its life */

int broker_new(const struct broker_args *args, struct broker **out)
{
	struct broker *b;
	int err = -ENOMEM;

	b = calloc(1, sizeof(*b));
	if (!b)
		return -ENOMEM;

	b->args = *args;
	TAILQ_INIT(&b->clients);
	TAILQ_INIT(&b->owned);
	TAILQ_INIT(&b->owned_listeners);
	b->started_wall_ms = timers_wall_ms(args->timers);
	b->notes = timer_new(args->timers, record_bytes, b);
	if (b->notes)
		err = modem_new(args->timers, args->cfg, args->state,
				&broker_modem_ops, b, &b->modem);
	if (!err)
		err = client_listen(args->timers, &args->cfg->ipc, &client_ops,
				    b, &b->listener);
	if (err) {
		broker_free(b);
		return err;
	}
	news_watch_trace(b);

	*out = b;
	return 0;
}

void broker_free(struct broker *b)
{
	struct owned *o;

	if (!b)
		return;

	client_listener_free(b->listener);
	lease_free(b);
	while ((o = TAILQ_FIRST(&b->owned)))
		broker_forget(b, o);
	listen_free(b);
	modem_free(b->modem);
	timer_free(b->notes);
	free(b);
}

void broker_start(struct broker *b)
{
	modem_start(b->modem);
}

static bool everybody(const struct client *c)
{
	return c->hello;
}

void broker_stop(struct broker *b)
{
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;
	Modemd__V1__Stopping stopping = MODEMD__V1__STOPPING__INIT;

	if (b->stopping)
		return;

	b->stopping = true;
	client_listener_pause(b->listener, true);
	MSG_SET(&stopping, deadline_ms, b->args.cfg->recovery.stop_timeout_ms);
	event.kind_case = MODEMD__V1__EVENT__KIND_STOPPING;
	event.stopping = &stopping;
	news_event(b, &event, everybody);
	lease_stop(b);
	modem_stop(b->modem);
}

void broker_reload(struct broker *b)
{
	modem_try_now(b->modem);
}
