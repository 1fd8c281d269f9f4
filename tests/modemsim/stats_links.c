/* SPDX-License-Identifier: MIT */

/* The links of stats: what is open, over what, with which options. */

#include <jansson.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "modem.h"

static int get_int(int fd, int level, int name)
{
	socklen_t len = sizeof(int);
	int value = -1;

	getsockopt(fd, level, name, &value, &len);
	return value;
}

/* As the host's socket has them, not as they were wanted. */
static json_t *options(int fd)
{
	struct linger linger = { .l_onoff = 0 };
	struct timeval tv = { 0, 0 };
	socklen_t len = sizeof(linger);

	getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &len);
	len = sizeof(tv);
	getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, &len);
	return json_pack("{s:i, s:b, s:I, s:b, s:i, s:i, s:i}",
		"linger", linger.l_onoff ? linger.l_linger : -1,
		"nodelay", get_int(fd, IPPROTO_TCP, TCP_NODELAY),
		"sndtimeo", (json_int_t)tv.tv_sec * 1000 + tv.tv_usec / 1000,
		"keepalive", get_int(fd, SOL_SOCKET, SO_KEEPALIVE),
		"keepidle", get_int(fd, IPPROTO_TCP, TCP_KEEPIDLE),
		"keepintvl", get_int(fd, IPPROTO_TCP, TCP_KEEPINTVL),
		"keepcnt", get_int(fd, IPPROTO_TCP, TCP_KEEPCNT));
}

static json_t *tls(const struct tls *t)
{
	struct tls_facts f;

	tls_facts(t, &f);
	return json_pack("{s:s, s:s, s:s, s:s}", "version", f.version,
			 "cipher", f.cipher, "alpn", f.alpn, "peer", f.peer);
}

static void add_open(json_t *to, const struct link *l)
{
	char text[ADDRESS_TEXT + 16];

	snprintf(text, sizeof(text), l->family == FAMILY_V6 ? "[%s]:%u"
							    : "%s:%u",
		 l->address, l->port);
	json_object_set_new(to, "peer", json_string(text));
	if (l->type != LINK_UDP)
		json_object_set_new(to, "options", options(l->tcp.fd));
	if (l->type == LINK_TLS)
		json_object_set_new(to, "tls", tls(l->tcp.tls));
}

static json_t *slot(const struct link *l)
{
	static const char *const states[LINK_STATES] = {
		[LINK_FREE] = "free", [LINK_OPENING] = "opening",
		[LINK_OPEN] = "open",
	};
	json_t *s = json_pack("{s:i, s:s, s:I, s:I, s:I, s:I}",
		"link", (int)l->id, "state", states[l->state],
		"sent", (json_int_t)l->tcp.sent,
		"received", (json_int_t)l->tcp.received,
		"buffered", (json_int_t)evbuffer_get_length(l->tcp.rx),
		"held", (json_int_t)link_buffered(l->m, l->id));

	if (l->state != LINK_FREE)
		stats_add_kind(s, l->type, l->server);
	if (l->host[0] != '\0')
		json_object_set_new(s, "remote",
				    stats_remote(l->host, l->port));
	if (l->state == LINK_OPEN)
		add_open(s, l);
	if (l->why[0] != '\0')
		json_object_set_new(s, "why", json_string(l->why));
	return s;
}

json_t *stats_slots(const struct modem *m)
{
	json_t *list = json_array();
	unsigned int i;

	for (i = 0; i < m->dialect->links; i++)
		json_array_append_new(list, slot(&m->links[i]));
	return list;
}
