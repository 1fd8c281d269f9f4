/* SPDX-License-Identifier: MIT */

/*
 * The modem's servers: which listener has which, what is asked of the modem
 * for them, and what it has open that nobody here knows.
 */

#include <errno.h>

#include "base/config.h"
#include "base/log.h"
#include "base/timer.h"
#include "modem/private.h"

#define STOP_TRIES	3	/* then its owner hears of it */
#define STOP_AGAIN_MS	500
#define STOP_AGAIN_MAX_MS 16000
#define NEVER		INT64_MAX
#define IDLE_MARGIN_S	5

bool server_is_free(const struct server *v)
{
	return !v->listener && !v->starting && !v->stopping && !v->must_stop &&
	       !v->check;
}

unsigned int servers_used(const struct modem *m)
{
	unsigned int i, n = 0;

	for (i = 0; i < m->driver->max_listeners; i++)
		n += !server_is_free(&m->servers[i]);

	return n;
}

/* The server, or NULL after a word in the log. */
static struct server *find_server(struct modem *m, unsigned int n,
				  const char *what)
{
	if (n < m->driver->max_listeners)
		return &m->servers[n];

	log_warn("modem: %s of server %u, which does not exist", what, n);

	return NULL;
}

/* ------------------------------------------------------------- one command */

/* The modem refuses to stop a server with links. Also in the way: those that
 * were refused, and what an earlier listener accepted there. */
static bool has_links(struct modem *m, unsigned int n)
{
	bool any = false;
	unsigned int i;

	for (i = 0; i < m->driver->max_links; i++) {
		struct slot *s = &m->slots[i];

		if (s->server != n + 1 || slot_is_free(s))
			continue;
		any = true;
		if (s->link && !s->link->want_close)
			(void)modem_link_close(m, s->link->id, false,
					       "listener-closed");
	}

	return any;
}

/*
 * The module may close them after some silence, too: a net for when nobody
 * here is left to do it, so later than our own limit, and not before that is
 * known by who set it.
 */
static uint32_t module_idle_s(const struct listener *l)
{
	uint32_t ms = l->idle_timeout_ms ? l->idle_timeout_ms :
		      l->modem->cfg->links.inbound_idle_timeout_ms;

	return ms ? ms / 1000 + IDLE_MARGIN_S : 0;
}

static bool step_start(struct modem *m, unsigned int n)
{
	struct server *v = &m->servers[n];
	const struct listener *l = v->listener;
	struct driver_listen_args args = {
		.port = l->port,
		.backlog = l->backlog,
		.family = (enum driver_family)l->family,
		.tls = l->tls,
		.verify = l->verify,
		/* one more than are let in, so that they are told of */
		.max_links = m->cfg->links.max_inbound + 1,
		.idle_s = module_idle_s(l),
	};
	int err;

	err = m->driver->listen(m->d, n, &args);
	if (err) {
		if (err != -EBUSY)
			listener_end(v->listener, err, "listen-failed", "");
		return false;
	}
	v->starting = true;
	listener_set_state(v->listener, LISTENER_STARTING);

	return true;
}

static bool step_stop(struct modem *m, unsigned int n)
{
	struct server *v = &m->servers[n];

	if (has_links(m, n) ||
	    timers_mono_ms(m->timers) < v->not_before_ms ||
	    m->driver->unlisten(m->d, n))
		return false;
	v->stopping = true;
	v->must_stop = false;

	return true;
}

static bool wants_stop(const struct server *v)
{
	return !v->stopping && !v->check &&
	       (v->must_stop || (v->listener &&
				 v->listener->state == LISTENER_STOPPING));
}

static bool wants_start(const struct server *v)
{
	return !v->starting && !v->must_stop && v->listener &&
	       (v->listener->state == LISTENER_WAITING ||
		v->listener->state == LISTENER_LOST);
}

/* An old listener of the same port is on its way out. */
static bool port_is_taken(const struct modem *m, const struct listener *l)
{
	const struct listener *other;

	TAILQ_FOREACH(other, &m->listeners, entry) {
		if (other != l && other->port == l->port && other->index >= 0)
			return true;
	}

	return false;
}

static void take_server(struct modem *m, struct listener *l)
{
	unsigned int i;

	for (i = 0; i < m->driver->max_listeners; i++) {
		if (!server_is_free(&m->servers[i]))
			continue;
		m->servers[i].listener = l;
		m->servers[i].not_before_ms = 0;
		m->servers[i].tries = 0;
		l->index = (int)i;
		return;
	}
}

/* Free servers go to those who wait, in the order of their asking. */
static void give_servers(struct modem *m)
{
	int64_t now = timers_mono_ms(m->timers);
	struct listener *l;

	TAILQ_FOREACH(l, &m->listeners, entry) {
		if (l->index < 0 && !port_is_taken(m, l) &&
		    (l->state == LISTENER_WAITING ||
		     (l->state == LISTENER_LOST && now >= l->retry_at_ms)))
			take_server(m, l);
	}
}

/* Stops first: an old server may hold the port of a new one. True: a command
 * went out. */
bool servers_step(struct modem *m)
{
	int64_t now = timers_mono_ms(m->timers);
	bool stopping = false;
	unsigned int i;

	give_servers(m);
	for (i = 0; i < m->driver->max_listeners; i++) {
		struct server *v = &m->servers[i];

		if (v->look)
			audit_want(m);
		v->look = false;
		if (wants_stop(v) && step_stop(m, i))
			return true;
		stopping |= v->stopping ||
			    (v->must_stop && now >= v->not_before_ms);
	}
	for (i = 0; i < m->driver->max_listeners && !stopping; i++) {
		if (wants_start(&m->servers[i]) && step_start(m, i))
			return true;
	}

	return false;
}

int64_t servers_due(const struct modem *m)
{
	int64_t now = timers_mono_ms(m->timers);
	int64_t at = NEVER;
	unsigned int i;

	for (i = 0; i < m->driver->max_listeners; i++) {
		const struct server *v = &m->servers[i];

		if (wants_stop(v) && v->not_before_ms > now &&
		    v->not_before_ms < at)
			at = v->not_before_ms;
	}

	return at;
}

/* ------------------------------------------------------ what comes of them */

void server_on_listening(void *up, unsigned int n, int err, const char *text)
{
	struct modem *m = up;
	struct server *v = find_server(m, n, "a start");

	if (!v || !v->starting)
		return;
	v->starting = false;
	/* Another may be there, or this one all the same. */
	if (err && err != -EINVAL && err != -ENETDOWN) {
		v->check = err;
		audit_want(m);
	}
	if (v->listener && err)
		listener_failed(v->listener, err, text);
	else if (v->listener)
		listener_is_up(v->listener);
	if (err == -ENETDOWN)
		life_network_lost(m, text);
	modem_kick_soon(m);
}

static void has_stopped(struct server *v)
{
	struct listener *l = v->listener;

	v->check = 0;
	v->tries = 0;
	v->not_before_ms = 0;
	if (l && l->state == LISTENER_STOPPING)
		listener_end(l, 0, l->end_reason, "");
}

/* Again and again, but its owner is not kept waiting. */
static void stop_again(struct modem *m, struct server *v)
{
	struct listener *l = v->listener;
	uint32_t wait_ms = v->tries == 0 ? 0 :
			   STOP_AGAIN_MS << (v->tries < 5 ? v->tries : 5);

	v->check = 0;
	v->tries++;
	v->must_stop = true;
	v->not_before_ms = timers_mono_ms(m->timers) +
		(wait_ms < STOP_AGAIN_MAX_MS ? wait_ms : STOP_AGAIN_MAX_MS);
	if (v->tries >= STOP_TRIES && l && l->state == LISTENER_STOPPING)
		listener_end(l, -EREMOTEIO, "modem-error", "");
}

/* "Not opened" is an error in a manual, and what we want; others say
 * that links remain, or nothing at all. The modem's own table decides. */
void server_on_unlistened(void *up, unsigned int n, int err, const char *text)
{
	struct modem *m = up;
	struct server *v = find_server(m, n, "a stop");

	if (!v || !v->stopping)
		return;
	v->stopping = false;
	if (!err) {
		has_stopped(v);
	} else if (err == -ENETDOWN) {
		life_network_lost(m, text);
	} else {
		log_debug("modem: server %u: %s", n, text);
		v->check = err;
		audit_want(m);
	}
	modem_kick_soon(m);
}

void server_on_lost(void *up, unsigned int n, const char *text)
{
	struct modem *m = up;
	struct server *v = find_server(m, n, "the end");

	if (!v || !v->listener || v->listener->state != LISTENER_LISTENING)
		return;
	log_info("modem: server %u: %s", n, text);
	v->look = true;	/* it may be the late end of the one before */
	modem_kick_soon(m);
}

/* ------------------------------------------------------------------- audit */

static void compare(struct modem *m, unsigned int n, unsigned int port)
{
	struct server *v = &m->servers[n];
	struct listener *l = v->listener;
	bool ours = l && l->state == LISTENER_LISTENING;

	if (v->check && port == 0) {
		has_stopped(v);
	} else if (v->check) {
		stop_again(m, v);
	} else if (ours && port != l->port) {
		listener_lose(l, "modem-closed");
		v->must_stop = port != 0;
	} else if (port != 0 && !ours && !v->starting && !v->stopping &&
		   !v->must_stop &&
		   !(l && l->state == LISTENER_STOPPING)) {
		log_info("modem: server %u listens to port %u and is "
			 "nobody's: stopping it", n, port);
		v->must_stop = true;
	}
}

/* @table NULL: the modem does not tell. */
void servers_audited(struct modem *m, const struct driver_table *table)
{
	unsigned int i;

	for (i = 0; i < m->driver->max_listeners; i++) {
		struct server *v = &m->servers[i];

		if (table && table->listeners_known)
			compare(m, i, table->listeners[i]);
		else if (v->check == -ETIMEDOUT || v->tries >= STOP_TRIES)
			has_stopped(v);	/* as far as can be known */
		else if (v->check)
			stop_again(m, v);
	}
}
