/* SPDX-License-Identifier: MIT */

/* The public life of a link: open, close, abort, free. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link.h"
#include "listener.h"

#define HOST_MAX	253		/* characters */
#define CREDIT_DEFAULT	65536		/* modemd did not say */
#define CREDIT_MIN	1024
#define CREDIT_MAX	16777216

int link_fail(struct modemclient_link *l, int err, const char *what)
{
	const char *text = modemclient_strerror(err);

	/* The deadline was ours: the reason says what it waited for. */
	if (l->state != LINK_CLOSED && l->reason[0])
		return client_fail(l->mc, err, "%s %s: %s (%s)", what,
				   l->remote, text, l->reason);

	return client_fail(l->mc, err, "%s %s: %s", what, l->remote,
			   l->reason[0] ? l->reason : text);
}

int link_ask_close(struct modemclient_link *l, bool abort_it)
{
	Modemd__V1__Close close = MODEMD__V1__CLOSE__INIT;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;

	l->closing = true;
	if (l->id == 0)
		return l->lease_request ?
		       modemclient_cancel(l->mc, l->lease_request) : 0;
	close.has_link = 1;
	close.link = l->id;
	close.has_abort = 1;
	close.abort = abort_it;
	req.kind_case = MODEMD__V1__REQUEST__KIND_CLOSE;
	req.close = &close;

	return client_request(l->mc, &req, NULL);
}

/* The program freed the link before modemd told its id. */
void link_close_orphan(struct modemclient *mc, uint64_t id)
{
	struct modemclient_link orphan = { .mc = mc, .id = id };

	link_ask_close(&orphan, true);
}

static void open_done(struct modemclient *mc, struct request *r, int err,
		      const Modemd__V1__Reply *reply)
{
	struct modemclient_link *l = r->link;
	const Modemd__V1__OpenReply *open = NULL;

	if (reply && reply->result_case == MODEMD__V1__REPLY__RESULT_OPEN)
		open = reply->open;
	if (!l) {
		if (err == 0 && open)
			link_close_orphan(mc, open->link);
		return;
	}
	if (err == 0 && (!open || open->link == 0))
		err = -EPROTO;
	if (err < 0) {
		if (reply)
			client_fail_reply(mc, err, "open", reply);
		link_end(l, err, reply ? mc->error + strlen("open: ") :
			 mc->down_reason, NULL);
		return;
	}
	l->id = open->link;
	l->epoch = open->has_epoch ? open->epoch : 1;
	if (l->closing)
		link_ask_close(l, true);
}

static int open_check_credit(struct modemclient *mc,
			     const struct modemclient_open_options *o,
			     const char *what, const char *host)
{
	uint32_t min = o->udp ? LINK_DATAGRAM_MAX : CREDIT_MIN;
	int err = link_options_check(mc, o, what, host);

	if (err < 0)
		return err;
	if (o->credit && (o->credit < min || o->credit > CREDIT_MAX))
		return client_fail(mc, -EINVAL, "%s %s: credit is %u to %d",
				   what, host, min, CREDIT_MAX);

	return client_check_ready(mc);
}

static int open_check(struct modemclient *mc,
		      const struct modemclient_open_options *o,
		      const char *what)
{
	size_t len = o->host ? strlen(o->host) : 0;

	if (o->udp && !o->host && o->port == 0)
		return open_check_credit(mc, o, what, "UDP");
	if (len < 1 || len > HOST_MAX)
		return client_fail(mc, -EINVAL, "%s: a host has 1 to %d "
				   "characters", what, HOST_MAX);
	if (o->port == 0)
		return client_fail(mc, -EINVAL, "%s %s: a port is 1 to 65535",
				   what, o->host);

	return open_check_credit(mc, o, what, o->host);
}

/* @remote is the link's from now on, NULL: no memory. */
static struct modemclient_link *link_alloc(struct modemclient *mc,
					   char *remote, uint32_t credit)
{
	const Modemd__V1__HelloReply *hello = client_hello(mc);
	struct modemclient_link *l = calloc(1, sizeof(*l));

	if (!l || !remote) {
		free(remote);
		free(l);
		return NULL;
	}
	TAILQ_INIT(&l->datagrams);
	l->mc = mc;
	l->remote = remote;
	l->window = hello->window ? hello->window : CREDIT_DEFAULT;
	l->credit = credit;
	if (!l->credit)
		l->credit = hello->credit ? hello->credit : CREDIT_DEFAULT;
	l->counts.confirmed = -1;
	TAILQ_INSERT_TAIL(&mc->links, l, entry);

	return l;
}

int link_new(struct modemclient *mc, const struct modemclient_open_options *o,
	     const char *what, struct modemclient_link **out)
{
	struct modemclient_link *l;
	char *remote = NULL;
	int err = open_check(mc, o, what);

	if (err < 0)
		return err;
	if (!o->host)
		remote = strdup("any address");
	else if (asprintf(&remote, strchr(o->host, ':') ? "[%s]:%u" : "%s:%u",
			  o->host, o->port) < 0)
		remote = NULL;
	l = link_alloc(mc, remote, o->credit);
	if (!l)
		return client_fail(mc, -ENOMEM, "out of memory");
	l->udp = o->udp;
	l->has_remote = o->host;
	l->data = o->data;
	*out = l;

	return 0;
}

struct modemclient_link *link_accepted(struct modemclient *mc, uint64_t id,
				       const char *peer, uint32_t credit)
{
	struct modemclient_link *l = link_alloc(mc, strdup(peer), credit);

	if (!l)
		return NULL;
	l->id = id;
	l->epoch = 1;
	l->state = LINK_OPEN;
	l->credit_left = l->credit;

	return l;
}

static int link_ask_open(struct modemclient_link *l,
			 const struct modemclient_open_options *o)
{
	struct link_open with = { .open = MODEMD__V1__OPEN__INIT };
	Modemd__V1__Open *open = &with.open;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;
	struct request *r = request_new(open_done);

	if (!r)
		return client_fail(l->mc, -ENOMEM, "out of memory");
	r->link = l;
	link_options_fill(&with, o);
	open->has_host = o->host != NULL;
	open->host.len = o->host ? strlen(o->host) : 0;
	open->host.data = (uint8_t *)(uintptr_t)o->host;
	open->has_port = o->host != NULL;
	open->port = o->port;
	open->has_never_push = o->never_push;
	open->never_push = o->never_push;
	open->has_want_source = o->want_source;
	open->want_source = o->want_source;
	open->has_local_port = o->local_port != 0;
	open->local_port = o->local_port;
	open->has_restore = 1;
	open->restore = o->restore;
	open->has_wait_ms = 1;
	open->wait_ms = o->wait_ms;
	open->has_idle_timeout_ms = o->idle_timeout_ms != 0;
	open->idle_timeout_ms = o->idle_timeout_ms;
	open->has_wait_ack = o->wait_ack;
	open->wait_ack = o->wait_ack;
	open->has_credit = 1;
	open->credit = l->credit;
	req.kind_case = MODEMD__V1__REQUEST__KIND_OPEN;
	req.open = open;

	return client_request(l->mc, &req, r);
}

int modemclient_open_start(struct modemclient *mc,
			   const struct modemclient_open_options *opts,
			   struct modemclient_link **out)
{
	struct modemclient_link *l;
	struct link_options o;
	int err;

	*out = NULL;
	link_options_copy(&o, opts);
	err = link_new(mc, &o.open, "open", &l);
	if (err < 0)
		return err;
	err = link_ask_open(l, &o.open);
	if (err < 0) {
		modemclient_link_free(l);
		return err;
	}
	connection_flush(&mc->conn);
	*out = l;

	return 0;
}

static bool open_ended(void *link)
{
	const struct modemclient_link *l = link;

	return l->state != LINK_OPENING;
}

int link_wait_open(struct modemclient_link *l, int timeout_ms,
		   const char *what, struct modemclient_link **out)
{
	int err;

	l->quiet = true;
	err = link_wait(l, timeout_ms, open_ended);
	l->quiet = false;
	if (err == 0 && l->state == LINK_CLOSED)
		err = l->err;
	if (err < 0) {
		link_fail(l, err, what);
		modemclient_link_free(l);
		return err;
	}
	*out = l;

	return 0;
}

int modemclient_open_with(struct modemclient *mc,
			  const struct modemclient_open_options *opts,
			  int timeout_ms, struct modemclient_link **out)
{
	struct modemclient_link *l = NULL;
	int err = client_may_wait(mc, timeout_ms);

	*out = NULL;
	if (err == 0)
		err = modemclient_open_start(mc, opts, &l);
	if (err < 0)
		return err;

	return link_wait_open(l, timeout_ms, "open", out);
}

int modemclient_open(struct modemclient *mc, const char *host, uint16_t port,
		     int timeout_ms, struct modemclient_link **out)
{
	struct modemclient_open_options o = MODEMCLIENT_OPEN_OPTIONS_INIT;

	o.host = host;
	o.port = port;

	return modemclient_open_with(mc, &o, timeout_ms, out);
}

static void link_destroy(struct modemclient_link *l)
{
	struct request *r;

	TAILQ_FOREACH(r, &l->mc->requests, entry) {
		if (r->link == l)
			r->link = NULL;
	}
	listener_forget_link(l);
	TAILQ_REMOVE(&l->mc->links, l, entry);
	datagrams_cut(l, 0);
	buffer_free(&l->rx);
	free(l->remote);
	free(l);
}

int link_wait(struct modemclient_link *l, int timeout_ms,
	      bool (*done)(void *link))
{
	int err;

	l->waiting++;
	err = client_wait(l->mc, timeout_ms, done, l);
	l->waiting--;
	if (l->freed) {
		err = client_fail(l->mc, -ECANCELED, "the link was freed while "
				  "a call waited for it");
		link_destroy(l);
	}

	return err == -ETIMEDOUT || err == -EAGAIN || err == -ECANCELED ?
		err : 0;
}

void modemclient_link_free(struct modemclient_link *link)
{
	if (!link || link->freed)
		return;

	if (link->state != LINK_CLOSED && link->mc->state == CLIENT_READY) {
		link_ask_close(link, true);
		connection_flush(&link->mc->conn);
	}
	if (link->waiting)
		link->freed = true;
	else
		link_destroy(link);
}

int modemclient_close_start(struct modemclient_link *link)
{
	int err = client_check_ready(link->mc);

	if (link->state == LINK_CLOSED || link->closing)
		return client_fail(link->mc, -EALREADY, "close %s: it is being "
				   "closed already", link->remote);
	if (err == 0)
		err = link_ask_close(link, false);
	connection_flush(&link->mc->conn);

	return err;
}

static bool close_ended(void *link)
{
	const struct modemclient_link *l = link;

	return l->freed || l->state == LINK_CLOSED;
}

/* 0 when nothing of what modemd took over was lost on the way to the modem. */
static int close_result(const struct modemclient_link *l)
{
	bool whole = l->counts.taken >= l->counts.accepted;

	if (l->err == 0 || l->err == -ECANCELED)
		return whole ? 0 : -ECANCELED;
	if (l->err == -EPIPE && whole)
		return 0;

	return l->err;
}

static int link_close(struct modemclient_link *l, bool abort_it, int timeout_ms,
		      struct modemclient_counts *counts)
{
	int err = client_may_wait(l->mc, timeout_ms);
	size_t unread;

	if (err < 0)
		return err;
	/* Nobody reads any more, but the link must not stand still. */
	l->discard = true;
	l->quiet = true;
	link_acknowledge_loss(l);
	unread = l->rx.len;
	datagrams_cut(l, 0);
	buffer_free(&l->rx);
	link_consumed(l, unread);
	if (l->state != LINK_CLOSED && (abort_it || !l->closing))
		err = link_ask_close(l, abort_it);
	if (err == 0)
		err = link_wait(l, timeout_ms, close_ended);
	if (err == 0)
		err = close_result(l);
	if (counts)
		modemclient_link_counts(l, counts);
	if (err < 0)
		link_fail(l, err, abort_it ? "abort" : "close");
	modemclient_link_free(l);

	return err;
}

int modemclient_close(struct modemclient_link *link, int timeout_ms,
		      struct modemclient_counts *counts)
{
	return link_close(link, false, timeout_ms, counts);
}

int modemclient_abort(struct modemclient_link *link, int timeout_ms,
		      struct modemclient_counts *counts)
{
	return link_close(link, true, timeout_ms, counts);
}
