/* SPDX-License-Identifier: MIT */

/* The whole modem for one link. Its reply comes when it is connected, so the
 * id is known only then; until then it is taken back by Cancel. */

#include <errno.h>
#include <string.h>

#include "link.h"

#define DURATION_MIN_MS	1000
#define DURATION_MAX_MS	3600000
#define WAIT_MAX_MS	600000

/* The program freed the link, and its Cancel came too late. */
static void give_back(struct modemclient *mc, uint64_t id)
{
	Modemd__V1__Unlease unlease = MODEMD__V1__UNLEASE__INIT;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;

	unlease.has_link = 1;
	unlease.link = id;
	req.kind_case = MODEMD__V1__REQUEST__KIND_UNLEASE;
	req.unlease = &unlease;
	client_request(mc, &req, NULL);
}

static void lease_done(struct modemclient *mc, struct request *r, int err,
		       const Modemd__V1__Reply *reply)
{
	Modemd__V1__Opened opened = MODEMD__V1__OPENED__INIT;
	struct modemclient_link *l = r->link;
	const Modemd__V1__OpenReply *open = NULL;

	if (reply && reply->result_case == MODEMD__V1__REPLY__RESULT_OPEN)
		open = reply->open;
	if (!l) {
		if (err == 0 && open)
			give_back(mc, open->link);
		return;
	}
	l->lease_request = 0;
	if (err == 0 && (!open || open->link == 0))
		err = -EPROTO;
	if (err < 0) {
		if (reply)
			client_fail_reply(mc, err, "lease", reply);
		link_end(l, err, reply ? mc->error + strlen("lease: ") :
			 mc->down_reason, NULL);
		return;
	}
	l->id = open->link;
	opened.has_epoch = 1;
	opened.epoch = open->has_epoch ? open->epoch : 1;
	if (l->closing)
		link_ask_close(l, true);
	link_opened(l, &opened);
}

static int lease_check(struct modemclient *mc,
		       const struct modemclient_lease_options *o)
{
	if (o->listen && (o->host || o->udp))
		return client_fail(mc, -EINVAL, "lease: one that listens has "
				   "no host, and is TCP");
	if (o->duration_ms && (o->duration_ms < DURATION_MIN_MS ||
			       o->duration_ms > DURATION_MAX_MS))
		return client_fail(mc, -EINVAL, "lease: a duration is %d to "
				   "%d ms", DURATION_MIN_MS, DURATION_MAX_MS);
	if (o->wait_ms > WAIT_MAX_MS)
		return client_fail(mc, -EINVAL, "lease: others are waited for "
				   "at most %d ms", WAIT_MAX_MS);

	return 0;
}

static int lease_request(struct modemclient_link *l,
			 const struct modemclient_lease_options *o)
{
	Modemd__V1__Lease lease = MODEMD__V1__LEASE__INIT;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;
	struct request *r = request_new(lease_done);
	int err;

	if (!r)
		return client_fail(l->mc, -ENOMEM, "out of memory");
	r->link = l;
	lease.has_type = 1;
	lease.type = o->udp ? MODEMD__V1__LINK_TYPE__UDP :
		     MODEMD__V1__LINK_TYPE__TCP;
	if (!o->listen) {
		lease.has_host = 1;
		lease.host.len = strlen(o->host);
		lease.host.data = (uint8_t *)(uintptr_t)o->host;
	}
	lease.has_port = 1;
	lease.port = o->port;
	lease.has_local_port = o->local_port != 0;
	lease.local_port = o->local_port;
	lease.has_listen = o->listen;
	lease.listen = o->listen;
	lease.has_duration_ms = o->duration_ms != 0;
	lease.duration_ms = o->duration_ms;
	lease.has_wait_ms = 1;
	lease.wait_ms = o->wait_ms;
	lease.has_credit = 1;
	lease.credit = l->credit;
	req.kind_case = MODEMD__V1__REQUEST__KIND_LEASE;
	req.lease = &lease;
	err = client_request(l->mc, &req, r);
	if (err == 0)
		l->lease_request = req.id;

	return err;
}

int modemclient_lease_start(struct modemclient *mc,
			    const struct modemclient_lease_options *opts,
			    struct modemclient_link **out)
{
	struct modemclient_lease_options o = MODEMCLIENT_LEASE_OPTIONS_INIT;
	struct modemclient_open_options open = MODEMCLIENT_OPEN_OPTIONS_INIT;
	struct modemclient_link *l;
	int err;

	*out = NULL;
	memcpy(&o, opts, opts->size < sizeof(o) ? opts->size : sizeof(o));
	err = lease_check(mc, &o);
	if (err < 0)
		return err;
	open.host = o.listen ? "*" : o.host;
	open.port = o.port;
	open.credit = o.credit;
	err = link_new(mc, &open, "lease", &l);
	if (err < 0)
		return err;
	err = lease_request(l, &o);
	if (err < 0) {
		modemclient_link_free(l);
		return err;
	}
	connection_flush(&mc->conn);
	*out = l;

	return 0;
}

int modemclient_lease(struct modemclient *mc,
		      const struct modemclient_lease_options *opts,
		      int timeout_ms, struct modemclient_link **out)
{
	struct modemclient_link *l = NULL;
	int err = client_may_wait(mc, timeout_ms);

	*out = NULL;
	if (err == 0)
		err = modemclient_lease_start(mc, opts, &l);
	if (err < 0)
		return err;

	return link_wait_open(l, timeout_ms, "lease", out);
}

int modemclient_unlease(struct modemclient *mc, uint64_t lease,
			int timeout_ms)
{
	Modemd__V1__Unlease unlease = MODEMD__V1__UNLEASE__INIT;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;
	Modemd__V1__ServerMessage *message;
	int err;

	unlease.has_link = 1;
	unlease.link = lease;
	req.kind_case = MODEMD__V1__REQUEST__KIND_UNLEASE;
	req.unlease = &unlease;
	err = client_ask(mc, &req, "unlease", timeout_ms, &message);
	if (err == 0)
		modemd__v1__server_message__free_unpacked(message, NULL);

	return err;
}

int modemclient_lease_answer(struct modemclient *mc, uint64_t lease,
			     bool agree)
{
	Modemd__V1__LeaseAnswer answer = MODEMD__V1__LEASE_ANSWER__INIT;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;
	int err = client_check_ready(mc);

	if (err < 0)
		return err;
	answer.has_link = 1;
	answer.link = lease;
	answer.has_agree = 1;
	answer.agree = agree;
	req.kind_case = MODEMD__V1__REQUEST__KIND_LEASE_ANSWER;
	req.lease_answer = &answer;
	err = client_request(mc, &req, NULL);
	connection_flush(&mc->conn);

	return err;
}
