/* SPDX-License-Identifier: MIT */

/* The library's options of an open: what is wrong is said at once and by
 * name; what is right stands in the request, and nothing else does. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "caller.h"

#define LINK	7

static const char long_text[] =
	"0123456789012345678901234567890123456789012345678901234567890123x";

static bool is(const ProtobufCBinaryData *b, const char *text)
{
	return b->len == strlen(text) && memcmp(b->data, text, b->len) == 0;
}

static void nothing_is_said_unasked(void **state)
{
	struct caller *c = caller_new(0, 0, false);
	struct modemclient_open_options o = MODEMCLIENT_OPEN_OPTIONS_INIT;
	Modemd__V1__Request *req;

	(void)state;
	o.host = "host";
	o.port = 80;
	assert_int_equal(modemclient_open_start(c->mc, &o, &c->link), 0);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_OPEN);
	assert_false(req->open->has_type);
	assert_false(req->open->has_family);
	assert_false(req->open->has_local_address);
	assert_false(req->open->has_udp_remote);
	assert_null(req->open->tls);
	assert_null(req->open->tcp);
	fake_done(req);
	caller_free(c);
}

static void tls(void **state)
{
	struct caller *c = caller_new(0, 0, false);
	struct modemclient_open_options o = MODEMCLIENT_OPEN_OPTIONS_INIT;
	struct modemclient_tls_options t = MODEMCLIENT_TLS_OPTIONS_INIT;
	struct modemclient_tcp_options tcp = MODEMCLIENT_TCP_OPTIONS_INIT;
	Modemd__V1__Request *req;

	(void)state;
	o.host = "2001:db8::1";
	o.port = 443;
	o.family = MODEMCLIENT_IPV6;
	o.local_address = "fe80::1";
	t.verify = true;
	t.ca = 2;
	t.common_name = "server";
	t.alpn[0] = "h2";
	t.alpn[1] = "http/1.1";
	t.psk = "secret";
	t.psk_hint = "me";
	tcp.nodelay = true;
	tcp.keepalive_s = 60;
	o.tls = &t;
	o.tcp = &tcp;
	assert_int_equal(modemclient_open_start(c->mc, &o, &c->link), 0);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_OPEN);
	assert_int_equal(req->open->type, MODEMD__V1__LINK_TYPE__TLS);
	assert_int_equal(req->open->family, MODEMD__V1__FAMILY__IPV6);
	assert_true(is(&req->open->local_address, "fe80::1"));
	assert_true(req->open->tls->verify);
	assert_false(req->open->tls->has_authenticate);
	assert_false(req->open->tls->has_pki);
	assert_int_equal(req->open->tls->ca, 2);
	assert_true(is(&req->open->tls->common_name, "server"));
	assert_false(req->open->tls->has_sni);
	assert_int_equal(req->open->tls->n_alpn, 2);
	assert_true(is(&req->open->tls->alpn[1], "http/1.1"));
	assert_true(is(&req->open->tls->psk, "secret"));
	assert_true(is(&req->open->tls->psk_hint, "me"));
	assert_int_equal(req->open->tcp->linger_s, -1);
	assert_true(req->open->tcp->nodelay);
	assert_false(req->open->tcp->has_send_timeout_ms);
	assert_int_equal(req->open->tcp->keepalive_s, 60);
	fake_done(req);
	assert_string_equal(modemclient_link_remote(c->link),
			    "[2001:db8::1]:443");
	caller_free(c);
}

static void follows(void **state)
{
	struct caller *c = caller_new(0, 0, false);
	struct modemclient_open_options o = MODEMCLIENT_OPEN_OPTIONS_INIT;
	Modemd__V1__Request *req;

	(void)state;
	o.host = "192.0.2.1";
	o.port = 53;
	o.udp = true;
	o.local_port = 5300;
	o.udp_remote = MODEMCLIENT_UDP_EVERY;
	assert_int_equal(modemclient_open_start(c->mc, &o, &c->link), 0);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_OPEN);
	assert_int_equal(req->open->type, MODEMD__V1__LINK_TYPE__UDP);
	assert_int_equal(req->open->udp_remote,
			 MODEMD__V1__UDP_REMOTE__EVERY);
	fake_done(req);
	caller_free(c);
}

/* A program that was built when there were fewer options. */
static void older_programs(void **state)
{
	struct caller *c = caller_new(0, 0, false);
	struct modemclient_open_options o = MODEMCLIENT_OPEN_OPTIONS_INIT;
	struct modemclient_tcp_options tcp = MODEMCLIENT_TCP_OPTIONS_INIT;
	Modemd__V1__Request *req;

	(void)state;
	o.host = "host";
	o.port = 80;
	tcp.nodelay = true;
	tcp.keepalive_s = 60;
	tcp.size = offsetof(struct modemclient_tcp_options, keepalive_s);
	o.tcp = &tcp;
	assert_int_equal(modemclient_open_start(c->mc, &o, &c->link), 0);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_OPEN);
	assert_true(req->open->tcp->nodelay);
	assert_int_equal(req->open->tcp->keepalive_s, 0);
	fake_done(req);
	modemclient_link_free(c->link);

	o.size = offsetof(struct modemclient_open_options, family);
	assert_int_equal(modemclient_open_start(c->mc, &o, &c->link), 0);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_OPEN);
	assert_null(req->open->tcp);
	fake_done(req);
	caller_free(c);
}

struct wrong {
	struct modemclient_open_options o;
	struct modemclient_tls_options *tls;
	struct modemclient_tcp_options *tcp;
	const char *word;		/* that names the option */
};

#define OPEN(...)	{ .size = sizeof(struct modemclient_open_options), \
			  .host = "192.0.2.1", .port = 80, __VA_ARGS__ }
#define WITH_TLS(...)	&(struct modemclient_tls_options){ \
			.size = sizeof(struct modemclient_tls_options), \
			__VA_ARGS__ }
#define WITH_TCP(...)	&(struct modemclient_tcp_options){ \
			.size = sizeof(struct modemclient_tcp_options), \
			__VA_ARGS__ }

static void wrong_options(void **state)
{
	struct wrong all[] = {
		{ OPEN(), WITH_TLS(.common_name = ""), NULL, "common_name" },
		{ OPEN(), WITH_TLS(.sni = long_text), NULL, "sni" },
		{ OPEN(), WITH_TLS(.alpn = { "h2", "" }), NULL, "alpn" },
		{ OPEN(), WITH_TLS(.psk = long_text), NULL, "psk " },
		{ OPEN(), WITH_TLS(.psk_hint = "me"), NULL, "psk_hint" },
		{ OPEN(.udp = true), WITH_TLS(0), NULL, "tls" },
		{ OPEN(.udp = true), NULL, WITH_TCP(.linger_s = -1), "tcp" },
		{ OPEN(), NULL, WITH_TCP(.linger_s = -2), "linger_s is -2" },
		{ OPEN(), NULL, WITH_TCP(.linger_s = 61), "linger_s is 61" },
		{ OPEN(), NULL, WITH_TCP(.send_timeout_ms = 999),
		  "send_timeout_ms is 999" },
		{ OPEN(), NULL, WITH_TCP(.keepalive_s = 7201),
		  "keepalive_s is 7201" },
		{ OPEN(.udp_remote = MODEMCLIENT_UDP_FIRST), NULL, NULL,
		  "udp_remote" },
		{ OPEN(.udp = true, .udp_remote = MODEMCLIENT_UDP_FIRST), NULL,
		  NULL, "local_port" },
		{ OPEN(.udp_remote = (enum modemclient_udp_remote)3), NULL,
		  NULL, "udp_remote is 3" },
		{ OPEN(.family = (enum modemclient_family)9), NULL, NULL,
		  "family is 9" },
		{ OPEN(.local_address = "host"), NULL, NULL, "local_address" },
	};
	struct caller *c = caller_new(0, 0, false);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		all[i].o.tls = all[i].tls;
		all[i].o.tcp = all[i].tcp;
		assert_int_equal(modemclient_open_start(c->mc, &all[i].o,
							&c->link), -EINVAL);
		assert_non_null(strstr(modemclient_error(c->mc),
				       all[i].word));
		assert_non_null(strstr(modemclient_error(c->mc),
				       "192.0.2.1"));
		assert_null(strstr(modemclient_error(c->mc), long_text));
		assert_null(c->link);
	}
	assert_true(fake_silent(c->f));
	caller_free(c);
}

/* This modem takes shorter datagrams than the protocol allows: the one is not
 * sent, the link goes on. */
static void a_datagram_too_long_for_this_modem(void **state)
{
	struct caller *c = caller_new(0, 0, true);
	struct modemclient_open_options o = MODEMCLIENT_OPEN_OPTIONS_INIT;
	Modemd__V1__Request *req;

	(void)state;
	o.host = "192.0.2.1";
	o.port = 53;
	o.udp = true;
	assert_int_equal(modemclient_open_start(c->mc, &o, &c->link), 0);
	fake_open_reply(c->f, fake_take(c->f, MODEMD__V1__REQUEST__KIND_OPEN),
			LINK);
	fake_opened(c->f, LINK, 1, MODEMD__V1__STATUS__OK, NULL);
	while (modemclient_link_error(c->link) == -EINPROGRESS)
		caller_process(c);
	assert_int_equal(modemclient_sendto(c->link, c->buf, 1461,
					    "2001:db8::1", 53, 0), 1461);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_SEND);
	assert_true(is(&req->send->to_host, "2001:db8::1"));
	fake_error(c->f, req->id, MODEMD__V1__STATUS__TOO_LONG, "too long",
		   NULL);
	fake_done(req);
	while (!strstr(c->heard, "sent"))
		caller_process(c);
	assert_int_equal(modemclient_link_error(c->link), 0);
	assert_int_equal(modemclient_drain(c->link, 0), -EMSGSIZE);
	assert_int_equal(modemclient_drain(c->link, 0), 0);
	assert_int_equal(modemclient_sendto(c->link, c->buf, 1460, NULL, 0, 0),
			 1460);
	caller_free(c);
}

static void address_of_ipv6(void **state)
{
	struct caller *c = caller_new(0, 0, false);
	struct modemclient_open_options o = MODEMCLIENT_OPEN_OPTIONS_INIT;
	char address[MODEMCLIENT_ADDRESS_MAX];
	Modemd__V1__Data d = MODEMD__V1__DATA__INIT;
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;
	uint16_t port;

	(void)state;
	o.udp = true;
	assert_int_equal(modemclient_open_start(c->mc, &o, &c->link), 0);
	fake_open_reply(c->f, fake_take(c->f, MODEMD__V1__REQUEST__KIND_OPEN),
			LINK);
	fake_opened(c->f, LINK, 1, MODEMD__V1__STATUS__OK, NULL);
	while (modemclient_link_error(c->link) == -EINPROGRESS)
		caller_process(c);
	d.has_link = 1;
	d.link = LINK;
	d.has_data = 1;
	d.data = (ProtobufCBinaryData){ 2, (uint8_t *)(uintptr_t)"hi" };
	d.from = (char *)(uintptr_t)"[2001:db8::1]:53";
	event.kind_case = MODEMD__V1__EVENT__KIND_DATA;
	event.data = &d;
	fake_event(c->f, &event);
	assert_int_equal(modemclient_recvfrom(c->link, c->buf, 10, address,
					      &port, 1000), 2);
	assert_string_equal(address, "2001:db8::1");
	assert_int_equal(port, 53);
	caller_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_said_unasked),
		cmocka_unit_test(tls),
		cmocka_unit_test(follows),
		cmocka_unit_test(older_programs),
		cmocka_unit_test(wrong_options),
		cmocka_unit_test(a_datagram_too_long_for_this_modem),
		cmocka_unit_test(address_of_ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
