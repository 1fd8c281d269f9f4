/* SPDX-License-Identifier: MIT */

/* What a program may ask of a link beyond its host: checked here, so that the
 * program hears at once which option is wrong, and put into the request. */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "link.h"

#define TLS_TEXT_MAX	64
#define PSK_MAX		32
#define LINGER_MAX_S	60
#define SEND_MIN_MS	1000
#define SEND_MAX_MS	120000
#define KEEPALIVE_MAX_S	7200

void link_options_copy(struct link_options *to,
		       const struct modemclient_open_options *from)
{
	struct modemclient_open_options *o = &to->open;

	*o = (struct modemclient_open_options)MODEMCLIENT_OPEN_OPTIONS_INIT;
	to->tls = (struct modemclient_tls_options)MODEMCLIENT_TLS_OPTIONS_INIT;
	to->tcp = (struct modemclient_tcp_options)MODEMCLIENT_TCP_OPTIONS_INIT;
	memcpy(o, from, from->size < sizeof(*o) ? from->size : sizeof(*o));
	if (o->tls) {
		memcpy(&to->tls, o->tls, o->tls->size < sizeof(to->tls) ?
		       o->tls->size : sizeof(to->tls));
		o->tls = &to->tls;
	}
	if (o->tcp) {
		memcpy(&to->tcp, o->tcp, o->tcp->size < sizeof(to->tcp) ?
		       o->tcp->size : sizeof(to->tcp));
		o->tcp = &to->tcp;
	}
}

/* ------------------------------------------------------------------- checks */

/* What is wrong with it, or NULL. @buf holds the words. */
static const char *check_text(char *buf, size_t size, const char *name,
			      const char *text, size_t max)
{
	size_t len = text ? strlen(text) : 1;

	if (len >= 1 && len <= max)
		return NULL;
	snprintf(buf, size, "%s has %zu characters: 1 to %zu are possible",
		 name, len, max);

	return buf;
}

static const char *check_tls(char *buf, size_t size,
			     const struct modemclient_tls_options *t)
{
	const char *why;
	size_t i;

	why = check_text(buf, size, "common_name", t->common_name,
			 TLS_TEXT_MAX);
	if (!why)
		why = check_text(buf, size, "sni", t->sni, TLS_TEXT_MAX);
	if (!why)
		why = check_text(buf, size, "psk", t->psk, PSK_MAX);
	if (!why)
		why = check_text(buf, size, "psk_hint", t->psk_hint, PSK_MAX);
	for (i = 0; !why && i < MODEMCLIENT_ALPN_MAX && t->alpn[i]; i++)
		why = check_text(buf, size, "alpn", t->alpn[i], TLS_TEXT_MAX);
	if (!why && t->psk_hint && !t->psk)
		why = "psk_hint is of no use without psk";

	return why;
}

static const char *check_tcp(char *buf, size_t size,
			     const struct modemclient_tcp_options *t)
{
	if (t->linger_s < -1 || t->linger_s > LINGER_MAX_S)
		snprintf(buf, size, "linger_s is %d: -1 to %d are possible",
			 t->linger_s, LINGER_MAX_S);
	else if (t->send_timeout_ms && (t->send_timeout_ms < SEND_MIN_MS ||
					t->send_timeout_ms > SEND_MAX_MS))
		snprintf(buf, size, "send_timeout_ms is %u: 0 or %d to %d are "
			 "possible", t->send_timeout_ms, SEND_MIN_MS,
			 SEND_MAX_MS);
	else if (t->keepalive_s > KEEPALIVE_MAX_S)
		snprintf(buf, size, "keepalive_s is %u: 0 to %d are possible",
			 t->keepalive_s, KEEPALIVE_MAX_S);
	else
		return NULL;

	return buf;
}

static bool is_address(const char *text)
{
	struct in6_addr any;

	return inet_pton(AF_INET, text, &any) == 1 ||
	       inet_pton(AF_INET6, text, &any) == 1;
}

static const char *check_kind(const struct modemclient_open_options *o)
{
	bool follows = o->udp_remote != MODEMCLIENT_UDP_FIXED;

	if (o->udp && o->tls)
		return "tls is not for UDP";
	if (o->udp && o->tcp)
		return "tcp options are not for UDP";
	if (!o->udp && follows)
		return "udp_remote is for UDP only";
	if (follows && o->local_port == 0)
		return "udp_remote needs a local_port that others can send to";
	if (follows && !o->host)
		return "udp_remote needs a host and a port to begin with";
	if (o->local_address && !is_address(o->local_address))
		return "local_address is neither an IPv4 nor an IPv6 address";

	return NULL;
}

static const char *check_numbers(char *buf, size_t size,
				 const struct modemclient_open_options *o)
{
	if ((unsigned int)o->family > MODEMCLIENT_IPV6)
		snprintf(buf, size, "family is %d, which no family is",
			 (int)o->family);
	else if ((unsigned int)o->udp_remote > MODEMCLIENT_UDP_EVERY)
		snprintf(buf, size, "udp_remote is %d, which is nothing",
			 (int)o->udp_remote);
	else
		return NULL;

	return buf;
}

int link_options_check(struct modemclient *mc,
		       const struct modemclient_open_options *o,
		       const char *what, const char *host)
{
	char buf[120];
	const char *why;

	why = check_numbers(buf, sizeof(buf), o);
	if (!why)
		why = check_kind(o);
	if (!why && o->tls)
		why = check_tls(buf, sizeof(buf), o->tls);
	if (!why && o->tcp)
		why = check_tcp(buf, sizeof(buf), o->tcp);

	return why ? client_fail(mc, -EINVAL, "%s %s: %s", what, host, why) : 0;
}

/* ------------------------------------------------------------- the request */

static ProtobufCBinaryData bytes(const char *text)
{
	return (ProtobufCBinaryData){
		.len = text ? strlen(text) : 0,
		.data = (uint8_t *)(uintptr_t)text,
	};
}

static void fill_tls(struct link_open *to,
		     const struct modemclient_tls_options *t)
{
	Modemd__V1__Tls *m = &to->tls;

	modemd__v1__tls__init(m);
	m->has_verify = t->verify;
	m->verify = t->verify;
	m->has_authenticate = t->authenticate;
	m->authenticate = t->authenticate;
	m->has_pki = t->pki != 0;
	m->pki = t->pki;
	m->has_ca = t->ca != 0;
	m->ca = t->ca;
	m->has_common_name = t->common_name != NULL;
	m->common_name = bytes(t->common_name);
	m->has_sni = t->sni != NULL;
	m->sni = bytes(t->sni);
	m->has_psk = t->psk != NULL;
	m->psk = bytes(t->psk);
	m->has_psk_hint = t->psk_hint != NULL;
	m->psk_hint = bytes(t->psk_hint);
	m->alpn = to->alpn;
	while (m->n_alpn < MODEMCLIENT_ALPN_MAX && t->alpn[m->n_alpn]) {
		to->alpn[m->n_alpn] = bytes(t->alpn[m->n_alpn]);
		m->n_alpn++;
	}
}

static void fill_tcp(Modemd__V1__TcpOptions *m,
		     const struct modemclient_tcp_options *t)
{
	modemd__v1__tcp_options__init(m);
	m->has_linger_s = 1;
	m->linger_s = t->linger_s;
	m->has_nodelay = 1;
	m->nodelay = t->nodelay;
	m->has_send_timeout_ms = t->send_timeout_ms != 0;
	m->send_timeout_ms = t->send_timeout_ms;
	m->has_keepalive_s = 1;
	m->keepalive_s = t->keepalive_s;
}

void link_options_fill(struct link_open *to,
		       const struct modemclient_open_options *o)
{
	static const Modemd__V1__Family families[] = {
		[MODEMCLIENT_ANY]	= MODEMD__V1__FAMILY__ANY,
		[MODEMCLIENT_IPV4]	= MODEMD__V1__FAMILY__IPV4,
		[MODEMCLIENT_IPV6]	= MODEMD__V1__FAMILY__IPV6,
	};
	static const Modemd__V1__UdpRemote remotes[] = {
		[MODEMCLIENT_UDP_FIXED]	= MODEMD__V1__UDP_REMOTE__FIXED,
		[MODEMCLIENT_UDP_FIRST]	= MODEMD__V1__UDP_REMOTE__FIRST,
		[MODEMCLIENT_UDP_EVERY]	= MODEMD__V1__UDP_REMOTE__EVERY,
	};
	Modemd__V1__Open *m = &to->open;

	m->has_type = o->udp || o->tls;
	m->type = o->tls ? MODEMD__V1__LINK_TYPE__TLS :
		  MODEMD__V1__LINK_TYPE__UDP;
	m->has_family = o->family != MODEMCLIENT_ANY;
	m->family = families[o->family];
	m->has_local_address = o->local_address != NULL;
	m->local_address = bytes(o->local_address);
	m->has_udp_remote = o->udp_remote != MODEMCLIENT_UDP_FIXED;
	m->udp_remote = remotes[o->udp_remote];
	if (o->tls) {
		fill_tls(to, o->tls);
		m->tls = &to->tls;
	}
	if (o->tcp) {
		fill_tcp(&to->tcp, o->tcp);
		m->tcp = &to->tcp;
	}
}
