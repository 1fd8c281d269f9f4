/* SPDX-License-Identifier: MIT */

/* Open: every field is checked here, so that what is wrong is named to the one
 * who asked, and nothing but legal text goes down. */

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "broker/private.h"
#include "driver/driver.h"

#define LINGER_MAX_S	60
#define SEND_MIN_MS	1000
#define SEND_MAX_MS	120000
#define KEEPALIVE_MAX_S	7200
#define PKI_MAX		15	/* numbers of certificates; modems have few */

/* What the request becomes; the args point into the rest. */
struct open {
	struct link_args args;
	char host[DRIVER_HOST_MAX + 1];
	char local[INET6_ADDRSTRLEN];
	struct driver_tls tls;
	struct driver_tcp tcp;
	char why[200];
};

/* Keeps the sentence; returns @err. */
__attribute__((format(printf, 3, 4)))
static int refuse(struct open *o, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(o->why, sizeof(o->why), fmt, ap);
	va_end(ap);

	return err;
}

/* ------------------------------------------------------------- capabilities */

bool broker_can(struct broker *b, const char *capability)
{
	struct modem_status st;
	size_t i;

	modem_get_status(b->modem, &st);
	if (st.slots_total == 0)
		return true;	/* nobody knows yet which modem it is */
	for (i = 0; st.capabilities[i]; i++) {
		if (strcmp(st.capabilities[i], capability) == 0)
			return true;
	}

	return false;
}

static int need(struct open *o, struct client *c, bool wanted,
		const char *capability, const char *field)
{
	if (!wanted || broker_can(c->broker, capability))
		return 0;

	return refuse(o, -EOPNOTSUPP, "%s: this modem cannot (its "
		      "capabilities lack \"%s\")", field, capability);
}

static int check_capabilities(struct open *o, struct client *c,
			      const Modemd__V1__Open *req)
{
	bool v6 = o->args.family == DRIVER_IPV6;
	int err = need(o, c, o->args.tls, "tls", "type TLS");

	if (!err)
		err = need(o, c, v6, "ipv6", "an IPv6 address");
	if (!err)
		err = need(o, c, o->args.local_address, "local-address",
			   "local_address");
	if (!err)
		err = need(o, c, o->args.kind == LINK_TCP &&
				 o->args.local_port, "tcp-local-port",
			   "local_port of a TCP link");
	if (!err)
		err = need(o, c, o->args.udp_remote != DRIVER_UDP_FIXED,
			   "udp-follow", "udp_remote");
	if (!err)
		err = need(o, c, req->tcp, "tcp-options", "tcp");

	return err;
}

/* ------------------------------------------------------------ kind, numbers */

static int take_kind(struct open *o, const Modemd__V1__Open *req)
{
	int type = req->has_type ? (int)req->type :
		   (int)MODEMD__V1__LINK_TYPE__TCP;

	if (type == MODEMD__V1__LINK_TYPE__UDP)
		o->args.kind = LINK_UDP;
	else if (type == MODEMD__V1__LINK_TYPE__TLS)
		o->args.tls = &o->tls;
	else if (type != MODEMD__V1__LINK_TYPE__TCP)
		return refuse(o, -EOPNOTSUPP, "type %d is not known to this "
			      "version: TCP, UDP and TLS are", type);
	if (req->tls && !o->args.tls)
		return refuse(o, -EINVAL, "tls is for links of type TLS: set "
			      "the type, or leave tls out");
	if (req->tcp && o->args.kind == LINK_UDP)
		return refuse(o, -EINVAL, "tcp is for links of type TCP and "
			      "TLS: leave it out");

	return 0;
}

static int check_numbers(struct open *o, const struct client *c,
			 const Modemd__V1__Open *req)
{
	if (o->args.kind != LINK_UDP &&
	    (!req->has_port || req->port < 1 || req->port > 65535))
		return refuse(o, -EINVAL, "port is not in 1-65535");
	if (req->local_port > 65535)
		return refuse(o, -EINVAL, "local_port is not in 0-65535");
	if (c->links >= CLIENT_LINKS_MAX)
		return refuse(o, -EDQUOT, "a client may hold %d links",
			      CLIENT_LINKS_MAX);

	return 0;
}

/* --------------------------------------------------------------- addresses */

static int take_host(struct open *o, const Modemd__V1__Open *req)
{
	const char *why;

	if (o->args.kind == LINK_UDP) {
		why = datagram_check_open(req, o->host);
		return why ? refuse(o, -EINVAL, "%s", why) : 0;
	}
	if (name_take_address(&req->host, o->host))
		return 0;
	if (name_check_host(&req->host, o->host, sizeof(o->host), &why))
		return refuse(o, -EINVAL, "host %s", why);

	return 0;
}

/* An address that is named decides the family, and must be of the one that
 * is asked for. */
static int join_family(struct open *o, const char *field, const char *address)
{
	int family = name_family(address);

	if (family == DRIVER_ANY)
		return 0;
	if (o->args.family != DRIVER_ANY && o->args.family != family)
		return refuse(o, -EINVAL, "%s is an %s address, but %s is "
			      "asked for (by family, host or local_address)",
			      field, family == DRIVER_IPV6 ? "IPv6" : "IPv4",
			      family == DRIVER_IPV6 ? "IPv4" : "IPv6");
	o->args.family = family;

	return 0;
}

static int take_addresses(struct open *o, const Modemd__V1__Open *req)
{
	int err = take_host(o, req);

	if (err)
		return err;
	o->args.family = request_family(req->has_family, req->family);
	if (req->has_local_address) {
		if (!name_take_address(&req->local_address, o->local))
			return refuse(o, -EINVAL, "local_address is neither "
				      "an IPv4 nor an IPv6 address");
		o->args.local_address = o->local;
	}
	err = join_family(o, "host", o->host);
	if (!err)
		err = join_family(o, "local_address", o->local);
	/* As before there was a choice. */
	if (!err && o->args.family == DRIVER_IPV4 && !req->has_family)
		o->args.family = DRIVER_ANY;

	return err;
}

static int take_udp_remote(struct open *o, const Modemd__V1__Open *req)
{
	if (!req->has_udp_remote ||
	    req->udp_remote == MODEMD__V1__UDP_REMOTE__FIXED)
		return 0;
	if (req->udp_remote == MODEMD__V1__UDP_REMOTE__FIRST)
		o->args.udp_remote = DRIVER_UDP_FIRST;
	else if (req->udp_remote == MODEMD__V1__UDP_REMOTE__EVERY)
		o->args.udp_remote = DRIVER_UDP_EVERY;
	else
		return refuse(o, -EINVAL, "udp_remote %d is none of FIXED, "
			      "FIRST, EVERY", (int)req->udp_remote);
	if (o->args.kind != LINK_UDP)
		return refuse(o, -EINVAL, "udp_remote is for links of type "
			      "UDP: leave it out");
	if (req->local_port == 0)
		return refuse(o, -EINVAL, "udp_remote needs a local_port in "
			      "1-65535, which others can send to");
	if (!o->host[0])
		return refuse(o, -EINVAL, "udp_remote needs a host and a port "
			      "to begin with");

	return 0;
}

/* ------------------------------------------------------------- TLS, options */

/* A secret: the value is in no sentence. */
static int take_text(struct open *o, bool has, const ProtobufCBinaryData *in,
		     const char *field, char *out, size_t size)
{
	const char *why;

	if (!has)
		return 0;
	if (in->len < 1 || in->len >= size)
		return refuse(o, -EINVAL, "%s has %zu bytes: 1 to %zu are "
			      "possible", field, in->len, size - 1);
	if (name_check_text(in, out, size, &why))
		return refuse(o, -EINVAL, "%s %s", field, why);

	return 0;
}

static int take_alpn(struct open *o, const Modemd__V1__Tls *t)
{
	size_t i;
	int err = 0;

	if (t->n_alpn > DRIVER_ALPN_MAX)
		return refuse(o, -EINVAL, "tls.alpn stands %zu times: %d are "
			      "possible", t->n_alpn, DRIVER_ALPN_MAX);
	for (i = 0; !err && i < t->n_alpn; i++)
		err = take_text(o, true, &t->alpn[i], "tls.alpn",
				o->tls.alpn[i], sizeof(o->tls.alpn[i]));

	return err;
}

/* Also without a word the server is told which name is meant, if it is one. */
static void default_sni(struct open *o)
{
	size_t len = strlen(o->host);

	if (o->tls.sni[0] || name_family(o->host) != DRIVER_ANY)
		return;
	if (len > 0 && o->host[len - 1] == '.')
		len--;		/* RFC 6066, 3 */
	if (len < sizeof(o->tls.sni))
		memcpy(o->tls.sni, o->host, len);
}

static int take_tls_texts(struct open *o, const Modemd__V1__Tls *t)
{
	struct driver_tls *tls = &o->tls;
	int err;

	err = take_text(o, t->has_common_name, &t->common_name,
			"tls.common_name", tls->common_name,
			sizeof(tls->common_name));
	if (!err)
		err = take_text(o, t->has_sni, &t->sni, "tls.sni", tls->sni,
				sizeof(tls->sni));
	if (!err)
		err = take_text(o, t->has_psk, &t->psk, "tls.psk", tls->psk,
				sizeof(tls->psk));
	if (!err)
		err = take_text(o, t->has_psk_hint, &t->psk_hint,
				"tls.psk_hint", tls->psk_hint,
				sizeof(tls->psk_hint));

	return err ? err : take_alpn(o, t);
}

static int take_tls(struct open *o, const Modemd__V1__Tls *t)
{
	int err;

	if (!o->args.tls)
		return 0;
	if (t) {
		if (t->pki > PKI_MAX || t->ca > PKI_MAX)
			return refuse(o, -EINVAL, "tls.%s is %u: 0 to %d are "
				      "possible", t->pki > PKI_MAX ? "pki" :
				      "ca", t->pki > PKI_MAX ? t->pki : t->ca,
				      PKI_MAX);
		if (t->has_psk_hint && !t->has_psk)
			return refuse(o, -EINVAL, "tls.psk_hint is of no use "
				      "without tls.psk");
		o->tls.verify = t->verify;
		o->tls.authenticate = t->authenticate;
		o->tls.pki = t->pki;
		o->tls.ca = t->ca;
		err = take_tls_texts(o, t);
		if (err)
			return err;
	}
	default_sni(o);

	return 0;
}

static int take_tcp(struct open *o, const Modemd__V1__TcpOptions *t)
{
	if (!t)
		return 0;
	o->tcp = (struct driver_tcp){
		.linger_s = t->has_linger_s ? t->linger_s : -1,
		.nodelay = t->nodelay,
		.send_timeout_ms = t->send_timeout_ms,
		.keepalive_s = t->keepalive_s,
	};
	o->args.tcp = &o->tcp;
	if (o->tcp.linger_s < -1 || o->tcp.linger_s > LINGER_MAX_S)
		return refuse(o, -EINVAL, "tcp.linger_s is %d: -1 to %d are "
			      "possible", o->tcp.linger_s, LINGER_MAX_S);
	if (t->has_send_timeout_ms && (t->send_timeout_ms < SEND_MIN_MS ||
				       t->send_timeout_ms > SEND_MAX_MS))
		return refuse(o, -EINVAL, "tcp.send_timeout_ms is %u: %d to "
			      "%d are possible", t->send_timeout_ms,
			      SEND_MIN_MS, SEND_MAX_MS);
	if (t->keepalive_s > KEEPALIVE_MAX_S)
		return refuse(o, -EINVAL, "tcp.keepalive_s is %u: 0 to %d are "
			      "possible", t->keepalive_s, KEEPALIVE_MAX_S);

	return 0;
}

/* --------------------------------------------------------------------- open */

static int take(struct open *o, struct client *c, const Modemd__V1__Open *req)
{
	int err = take_kind(o, req);

	if (!err)
		err = check_numbers(o, c, req);
	if (!err)
		err = take_addresses(o, req);
	if (!err)
		err = take_udp_remote(o, req);
	if (!err)
		err = take_tls(o, req->tls);
	if (!err)
		err = take_tcp(o, req->tcp);

	return err ? err : check_capabilities(o, c, req);
}

static void pass_on(struct open *o, struct client *c, uint64_t id)
{
	struct owned *owned = owned_new(c, o->args.kind, o->host,
					o->args.port);
	int err = owned ? modem_link_open(c->broker->modem, &o->args,
					  &owned->link) : -ENOMEM;

	if (err) {
		if (owned)
			broker_forget(c->broker, owned);
		request_failed(c, id, err);
		return;
	}
	owned->tls = o->args.tls;
	reply_open(c, id, owned->link, &o->args);
}

void open_request(struct client *c, uint64_t id, const Modemd__V1__Open *req)
{
	struct open o = {
		.args = {
			.kind = LINK_TCP,
			.host = o.host,
			.never_push = req->never_push,
			.want_source = req->want_source,
			.port = req->port,
			.local_port = req->local_port,
			.restore = req->restore,
			.wait_ack = req->wait_ack,
			.wait_ms = req->wait_ms,
			.idle_timeout_ms = req->idle_timeout_ms,
			.has_credit = req->has_credit,
			.credit = req->credit,
		},
	};
	int err = take(&o, c, req);

	if (err)
		request_reply(c, id, err, "%s", o.why);
	else
		pass_on(&o, c, id);
	explicit_bzero(&o.tls, sizeof(o.tls));
}
