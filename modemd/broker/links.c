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
	snprintf(o->remote, sizeof(o->remote),
		 strchr(host, ':') ? "[%s]:%u" : "%s:%u",
		 host[0] ? host : "*", port);
	TAILQ_INSERT_TAIL(&c->broker->owned, o, entry);
	c->links++;

	return o;
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

void links_send(struct client *c, uint64_t id, const Modemd__V1__Send *req)
{
	char address[INET6_ADDRSTRLEN], text[80];
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
	if (to.address && strchr(to.address, ':') &&
	    !broker_can(c->broker, "ipv6")) {
		request_reply(c, id, -EOPNOTSUPP, "to_host: this modem has no "
			      "IPv6 (its capabilities lack \"ipv6\")");
		return;
	}
	err = modem_link_send_to(c->broker->modem, req->link, req->epoch,
				 req->data.data, req->data.len,
				 to.address ? &to : NULL);
	why = datagram_send_error(c->broker, err, to.address, text,
				  sizeof(text));
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
