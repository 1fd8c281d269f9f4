/* SPDX-License-Identifier: MIT */

/* Links: what clients ask of them, checked and passed on. */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/private.h"
#include "driver/driver.h"

struct owned *owned_new(struct client *c, enum link_kind kind,
			const char *host, unsigned int port)
{
	struct owned *o;

	o = calloc(1, sizeof(*o));
	if (!o)
		return NULL;

	o->owner = c;
	memcpy(o->name, c->name, sizeof(o->name));
	o->creds = c->creds;
	o->kind = kind;
	snprintf(o->remote, sizeof(o->remote), "%s:%u", host[0] ? host : "*",
		 port);
	TAILQ_INSERT_TAIL(&c->broker->owned, o, entry);
	c->links++;

	return o;
}

/* What is wrong with it, or NULL. */
static const char *check_open(const struct client *c,
			      const Modemd__V1__Open *req, int *err)
{
	bool udp = req->has_type && req->type == MODEMD__V1__LINK_TYPE__UDP;

	*err = -EINVAL;
	if (!udp && (!req->has_port || req->port < 1 || req->port > 65535))
		return "port is not in 1-65535";
	if (req->local_port > 65535)
		return "local_port is not in 0-65535";
	*err = -EOPNOTSUPP;
	if (!udp && req->has_type && req->type != MODEMD__V1__LINK_TYPE__TCP)
		return "only TCP and UDP links are supported by this version";
	*err = -EDQUOT;
	if (c->links >= CLIENT_LINKS_MAX)
		return "a client may hold 64 links";

	return NULL;
}

void reply_open(struct client *c, uint64_t id, uint64_t link,
		const struct link_args *args)
{
	Modemd__V1__OpenReply open = MODEMD__V1__OPEN_REPLY__INIT;

	MSG_SET(&open, link, link);
	MSG_SET(&open, epoch, 1);
	if (args->kind == LINK_UDP)
		MSG_SET(&open, source, modem_tells_source(c->broker->modem,
							  args));
	report_reply(c, id, MODEMD__V1__REPLY__RESULT_OPEN, &open);
}

/* False: refused. @host: DRIVER_HOST_MAX + 1 bytes. */
static bool take_remote(struct client *c, uint64_t id,
			const Modemd__V1__Open *req, char *host)
{
	const char *why;

	if (req->type == MODEMD__V1__LINK_TYPE__UDP) {
		why = datagram_check_open(req, host);
		if (why)
			request_reply(c, id, -EINVAL, "%s", why);
		return !why;
	}
	if (name_check_host(&req->host, host, DRIVER_HOST_MAX + 1, &why) == 0)
		return true;
	request_reply(c, id, -EINVAL, "host %s", why);

	return false;
}

void links_open(struct client *c, uint64_t id, const Modemd__V1__Open *req)
{
	char host[DRIVER_HOST_MAX + 1];
	struct link_args args = {
		.kind = req->type == MODEMD__V1__LINK_TYPE__UDP ? LINK_UDP :
			LINK_TCP,
		.never_push = req->never_push,
		.want_source = req->want_source,
		.host = host,
		.port = req->port,
		.local_port = req->local_port,
		.restore = req->restore,
		.wait_ack = req->wait_ack,
		.wait_ms = req->wait_ms,
		.idle_timeout_ms = req->idle_timeout_ms,
		.has_credit = req->has_credit,
		.credit = req->credit,
	};
	const char *why;
	struct owned *o;
	int err;

	why = check_open(c, req, &err);
	if (why) {
		request_reply(c, id, err, "%s", why);
		return;
	}
	if (!take_remote(c, id, req, host))
		return;
	o = owned_new(c, args.kind, host, args.port);
	err = o ? modem_link_open(c->broker->modem, &args, &o->link) : -ENOMEM;
	if (err) {
		if (o)
			broker_forget(c->broker, o);
		request_failed(c, id, err);
		return;
	}
	reply_open(c, id, o->link, &args);
}

void links_send(struct client *c, uint64_t id, const Modemd__V1__Send *req)
{
	char address[INET_ADDRSTRLEN];
	struct driver_to to;
	const char *why;
	int err;

	if (!request_owns(c, id, req->link))
		return;
	if (req->data.len < 1 || req->data.len > WIRE_DATA_MAX) {
		request_reply(c, id, req->data.len ? -EMSGSIZE : -EINVAL,
			      "data is not 1-%d bytes", WIRE_DATA_MAX);
		return;
	}
	why = datagram_check_send(req, address, &to);
	if (why) {
		request_reply(c, id, -EINVAL, "%s", why);
		return;
	}
	err = modem_link_send_to(c->broker->modem, req->link, req->epoch,
				 req->data.data, req->data.len,
				 to.address ? &to : NULL);
	why = datagram_send_error(err, to.address);
	request_reply(c, id, err == -EDESTADDRREQ ? -EINVAL : err,
		      why ? "%s" : NULL, why);
}

void links_credit(struct client *c, uint64_t id,
		      const Modemd__V1__Credit *req)
{
	if (request_owns(c, id, req->link))
		request_reply(c, id, modem_link_credit(c->broker->modem,
			      req->link, req->epoch, req->bytes), NULL);
}

void links_close(struct client *c, uint64_t id,
		     const Modemd__V1__Close *req)
{
	if (request_owns(c, id, req->link))
		request_reply(c, id, modem_link_close(c->broker->modem,
			      req->link, req->abort, "local"), NULL);
}
