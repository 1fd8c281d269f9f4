/* SPDX-License-Identifier: MIT */

/*
 * What a client may ask of a link: what is wrong is named with its value, what
 * the modem cannot is said at once, and what is right reaches the driver, also
 * when the link is restored. No secret is said back.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "able_driver.h"
#include "base/config.h"
#include "base/log.h"
#include "base/state.h"
#include "broker/broker.h"
#include "core_config.h"
#include "fake_client.h"
#include "fake_history.h"
#include "fake_timer.h"
#include "fake_world.h"
#include "scripted_modem.h"
#include "wire.h"

#define ALL_CAPS	(DRIVER_CAP_TLS | DRIVER_CAP_IPV6 | \
			 DRIVER_CAP_TCP_OPTIONS | DRIVER_CAP_UDP_FOLLOW | \
			 DRIVER_CAP_LOCAL_ADDRESS)

struct bench {
	struct fake_world world;
	struct timers *ts;
	struct config cfg;
	struct state *state;
	struct history *history;
	struct script *script;
	struct broker *broker;
	struct client_conn *conn;
	char dir[32], path[64], text[4096], message[512];
};

static void wait_ms(struct bench *b, uint32_t ms)
{
	fake_timers_advance(b->ts, ms);
}

static void add(char *out, size_t size, const Modemd__V1__ServerMessage *m)
{
	const Modemd__V1__Event *e = m->event;

	out[0] = '\0';
	if (m->kind_case == MODEMD__V1__SERVER_MESSAGE__KIND_REPLY)
		snprintf(out, size, "%s ", protobuf_c_enum_descriptor_get_value(
			&modemd__v1__status__descriptor,
			(int)m->reply->status)->name);
	else if (e->kind_case == MODEMD__V1__EVENT__KIND_OPENED)
		snprintf(out, size, "opened(%d) ", (int)e->opened->status);
	else if (e->kind_case == MODEMD__V1__EVENT__KIND_LINK_RESTORED)
		snprintf(out, size, "restored ");
	else if (e->kind_case == MODEMD__V1__EVENT__KIND_LINK_LOST)
		snprintf(out, size, "lost ");
	else if (e->kind_case == MODEMD__V1__EVENT__KIND_SENT)
		snprintf(out, size, "sent(%u) ", e->sent->bytes);
}

static const char *heard(struct bench *b)
{
	Modemd__V1__ServerMessage *m;
	size_t len = 0;

	b->text[0] = b->message[0] = '\0';
	while ((m = fake_client_next(b->conn))) {
		add(b->text + len, sizeof(b->text) - len, m);
		len += strlen(b->text + len);
		if (m->kind_case == MODEMD__V1__SERVER_MESSAGE__KIND_REPLY &&
		    m->reply->message)
			snprintf(b->message, sizeof(b->message), "%s",
				 m->reply->message);
		modemd__v1__server_message__free_unpacked(m, NULL);
	}

	return b->text;
}

static ProtobufCBinaryData chars(const char *s)
{
	return (ProtobufCBinaryData){ strlen(s), (uint8_t *)(uintptr_t)s };
}

static void ask(struct bench *b, Modemd__V1__Request *r,
		Modemd__V1__Request__KindCase kind)
{
	r->has_id = true;
	r->id = 2;
	r->kind_case = kind;
	fake_client_send(b->conn, r);
}

static void ask_open(struct bench *b, Modemd__V1__Open *o)
{
	Modemd__V1__Request r = MODEMD__V1__REQUEST__INIT;

	r.open = o;
	ask(b, &r, MODEMD__V1__REQUEST__KIND_OPEN);
}

static void say_hello(struct bench *b)
{
	struct client_creds creds = { .pid = 1000, .uid = 500 };
	Modemd__V1__Hello h = MODEMD__V1__HELLO__INIT;
	Modemd__V1__Request r = MODEMD__V1__REQUEST__INIT;

	b->conn = fake_client_connect(b->world.listener, &creds);
	h.has_client_name = h.has_protocol_version = true;
	h.client_name = chars("tool");
	h.protocol_version = 1;
	r.hello = &h;
	ask(b, &r, MODEMD__V1__REQUEST__KIND_HELLO);
	assert_string_equal(heard(b), "OK ");
}

static void make(struct bench *b)
{
	struct broker_args args;
	int err;

	b->ts = fake_timers_new(1, &b->world);
	core_config(&b->cfg);
	strcpy(b->dir, "/tmp/modemd-test-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->path, sizeof(b->path), "%s/state", b->dir);
	b->script = script_new(&b->world);
	b->state = state_open(b->path, &err);
	args = (struct broker_args){
		.timers = b->ts, .cfg = &b->cfg, .state = b->state,
		.boot_id = "boot",
	};
	history_new(b->ts, &b->cfg.history, "test", "boot", &b->history);
	args.history = b->history;
	assert_int_equal(broker_new(&args, &b->broker), 0);
	broker_start(b->broker);
	wait_ms(b, 3000);
	say_hello(b);
}

static int set_up_with(void **state, unsigned int caps)
{
	struct bench *b = calloc(1, sizeof(*b));

	log_init("test", LOG_TARGET_STDERR, LOG_LEVEL_ERROR);
	able_caps = caps;
	able_datagram = 1460;
	memset(&able_open, 0, sizeof(able_open));
	make(b);
	*state = b;

	return 0;
}

static int set_up(void **state)
{
	return set_up_with(state, ALL_CAPS);
}

static int set_up_unable(void **state)
{
	able_lacks = DRIVER_CAP_TCP_LOCAL_PORT;

	return set_up_with(state, 0);
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	able_lacks = 0;
	fake_client_free(b->conn);
	wait_ms(b, 30000);
	assert_int_equal(fake_history_open_sessions(b->history), 0);
	broker_free(b->broker);
	history_free(b->history, 0);
	state_close(b->state);
	script_free(b->script);
	assert_int_equal(fake_timers_pending(b->ts), 0);
	timers_free(b->ts);
	unlink(b->path);
	rmdir(b->dir);
	free(b);

	return 0;
}

static const char *type_in_history(struct bench *b, const char *remote)
{
	const struct fake_session *s =
		TAILQ_LAST(fake_history_sessions(b->history),
			   fake_session_list);

	assert_string_equal(s->remote, remote);

	return s->type;
}

static void fill_tls_open(Modemd__V1__Open *o, Modemd__V1__Tls *t,
			  Modemd__V1__TcpOptions *tcp,
			  ProtobufCBinaryData alpn[2])
{
	o->has_type = o->has_host = o->has_port = o->has_restore = true;
	o->type = MODEMD__V1__LINK_TYPE__TLS;
	o->host = chars("server.example");
	o->port = 443;
	o->restore = true;
	o->tls = t;
	o->tcp = tcp;
	t->has_verify = t->verify = true;
	t->has_ca = t->has_common_name = t->has_psk = t->has_psk_hint = true;
	t->ca = 1;
	t->common_name = chars("cn.example");
	t->psk = chars("secret");
	t->psk_hint = chars("me");
	t->n_alpn = 2;
	alpn[0] = chars("h2");
	alpn[1] = chars("http/1.1");
	t->alpn = alpn;
	tcp->has_keepalive_s = tcp->has_nodelay = tcp->nodelay = true;
	tcp->keepalive_s = 60;
}

static void expect_tls_open(void)
{
	assert_non_null(able_open.args.tls);
	assert_true(able_open.tls.verify);
	assert_int_equal(able_open.tls.ca, 1);
	assert_string_equal(able_open.tls.common_name, "cn.example");
	assert_string_equal(able_open.tls.sni, "server.example");
	assert_string_equal(able_open.tls.alpn[0], "h2");
	assert_string_equal(able_open.tls.alpn[1], "http/1.1");
	assert_string_equal(able_open.tls.alpn[2], "");
	assert_string_equal(able_open.tls.psk, "secret");
	assert_string_equal(able_open.tls.psk_hint, "me");
	assert_int_equal(able_open.args.tcp.linger_s, -1);
	assert_true(able_open.args.tcp.nodelay);
	assert_int_equal(able_open.args.tcp.keepalive_s, 60);
	assert_int_equal(able_open.args.tcp.send_timeout_ms, 0);
}

static void tls_reaches_the_driver(void **state)
{
	Modemd__V1__Open o = MODEMD__V1__OPEN__INIT;
	Modemd__V1__Tls t = MODEMD__V1__TLS__INIT;
	Modemd__V1__TcpOptions tcp = MODEMD__V1__TCP_OPTIONS__INIT;
	ProtobufCBinaryData alpn[2];
	struct bench *b = *state;

	fill_tls_open(&o, &t, &tcp, alpn);
	ask_open(b, &o);
	memset(alpn, 0, sizeof(alpn));
	wait_ms(b, 500);
	assert_string_equal(heard(b), "OK opened(0) ");
	expect_tls_open();
	assert_string_equal(type_in_history(b, "server.example:443"), "tls");

	/* all of it is kept for the next time */
	memset(&able_open, 0, sizeof(able_open));
	script_set(b->script)->net_open = false;
	script_say(b->script, "\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n");
	wait_ms(b, 60000);
	assert_string_equal(heard(b), "lost restored ");
	expect_tls_open();
	assert_string_equal(type_in_history(b, "server.example:443"), "tls");
}

static void nothing_asked_is_nothing_said(void **state)
{
	Modemd__V1__Open o = MODEMD__V1__OPEN__INIT;
	struct bench *b = *state;

	o.has_host = o.has_port = true;
	o.host = chars("host.example");
	o.port = 80;
	ask_open(b, &o);
	wait_ms(b, 500);
	assert_string_equal(heard(b), "OK opened(0) ");
	assert_null(able_open.args.tls);
	assert_null(able_open.args.local_address);
	assert_int_equal(able_open.args.family, DRIVER_ANY);
	assert_int_equal(able_open.args.udp_remote, DRIVER_UDP_FIXED);
	assert_int_equal(able_open.args.tcp.linger_s, -1);
	assert_string_equal(type_in_history(b, "host.example:80"), "tcp");
}

static void addresses(void **state)
{
	Modemd__V1__Open o = MODEMD__V1__OPEN__INIT;
	struct bench *b = *state;

	o.has_host = o.has_port = o.has_local_address = true;
	o.host = chars("2001:db8::1");
	o.port = 80;
	o.local_address = chars("fe80::2");
	ask_open(b, &o);
	wait_ms(b, 500);
	assert_string_equal(heard(b), "OK opened(0) ");
	assert_int_equal(able_open.args.family, DRIVER_IPV6);
	assert_string_equal(able_open.local_address, "fe80::2");
	assert_string_equal(able_open.host, "2001:db8::1");
	assert_string_equal(type_in_history(b, "[2001:db8::1]:80"), "tcp");

	o.host = chars("host.example");
	o.has_local_address = false;
	o.has_family = true;
	o.family = MODEMD__V1__FAMILY__IPV6;
	ask_open(b, &o);
	wait_ms(b, 500);
	assert_string_equal(heard(b), "OK opened(0) ");
	assert_int_equal(able_open.args.family, DRIVER_IPV6);
}

static void ask_send(struct bench *b, uint64_t link, const char *to, size_t len)
{
	static uint8_t bytes[1500];
	Modemd__V1__Send s = MODEMD__V1__SEND__INIT;
	Modemd__V1__Request r = MODEMD__V1__REQUEST__INIT;

	s.has_link = s.has_epoch = s.has_data = true;
	s.link = link;
	s.epoch = 1;
	s.data = (ProtobufCBinaryData){ len, bytes };
	s.has_to_host = s.has_to_port = to != NULL;
	if (to)
		s.to_host = chars(to);
	s.to_port = 53;
	r.send = &s;
	ask(b, &r, MODEMD__V1__REQUEST__KIND_SEND);
}

static void udp(void **state)
{
	Modemd__V1__Open o = MODEMD__V1__OPEN__INIT;
	struct bench *b = *state;

	o.has_type = o.has_host = o.has_port = true;
	o.has_udp_remote = o.has_local_port = true;
	o.type = MODEMD__V1__LINK_TYPE__UDP;
	o.host = chars("192.0.2.1");
	o.port = 53;
	o.local_port = 5300;
	o.udp_remote = MODEMD__V1__UDP_REMOTE__EVERY;
	ask_open(b, &o);
	wait_ms(b, 500);
	assert_string_equal(heard(b), "OK opened(0) ");
	assert_int_equal(able_open.args.udp_remote, DRIVER_UDP_EVERY);
	assert_int_equal(able_open.args.local_port, 5300);
	ask_send(b, 1, "2001:db8::1", 10);
	wait_ms(b, 200);
	assert_string_equal(heard(b), "OK sent(10) ");
	assert_true(able_open.sent_to);
	assert_int_equal(script_heard(b->script, "AT+CIPSEND=9,10,"
				      "\"2001:db8::1\",53"), 1);
	/* whom it follows only the modem knows; the script's takes open's */
	ask_send(b, 1, NULL, 3);
	wait_ms(b, 200);
	assert_string_equal(heard(b), "OK sent(3) ");
	assert_false(able_open.sent_to);
	/* as long as this modem's are */
	ask_send(b, 1, NULL, 1461);
	assert_string_equal(heard(b), "TOO_LONG ");
	assert_non_null(strstr(b->message, "1460"));
	ask_send(b, 1, NULL, 1460);
	wait_ms(b, 500);
	assert_string_equal(heard(b), "OK sent(1460) ");
	ask_send(b, 1, "::g", 1);
	assert_string_equal(heard(b), "INVALID ");
}

/* ----------------------------------------------------------- what is wrong */

static char long_text[] =
	"0123456789012345678901234567890123456789012345678901234567890123x";

/* One mistake in an open that is right otherwise. */
struct mistake {
	void (*make)(Modemd__V1__Open *o);
	const char *words[3];		/* in the message */
};

#define MISTAKE(name, ...) \
	static void name(Modemd__V1__Open *o) { __VA_ARGS__; }

MISTAKE(cn_empty, o->tls->common_name = chars(""))
MISTAKE(cn_long, o->tls->common_name = chars(long_text))
MISTAKE(cn_control, o->tls->common_name = chars("a\rb"))
MISTAKE(sni_long, o->tls->has_sni = true; o->tls->sni = chars(long_text))
MISTAKE(psk_long, o->tls->psk = chars(long_text + 32))
MISTAKE(psk_empty, o->tls->psk = chars(""))
MISTAKE(hint_alone, o->tls->has_psk = false)
MISTAKE(alpn_many, o->tls->n_alpn = 6)
MISTAKE(alpn_empty, o->tls->alpn[1] = chars(""))
MISTAKE(pki_high, o->tls->has_pki = true; o->tls->pki = 16)
MISTAKE(linger_low, o->tcp->has_linger_s = true; o->tcp->linger_s = -2)
MISTAKE(linger_high, o->tcp->has_linger_s = true; o->tcp->linger_s = 61)
MISTAKE(send_zero, o->tcp->has_send_timeout_ms = true)
MISTAKE(send_high, o->tcp->has_send_timeout_ms = true;
	o->tcp->send_timeout_ms = 120001)
MISTAKE(keepalive_high, o->tcp->keepalive_s = 7201)
MISTAKE(tls_in_tcp, o->type = MODEMD__V1__LINK_TYPE__TCP)
MISTAKE(tcp_in_udp, o->type = MODEMD__V1__LINK_TYPE__UDP; o->tls = NULL;
	o->host = chars("192.0.2.1"))
MISTAKE(follow_in_tls, o->has_udp_remote = true;
	o->udp_remote = MODEMD__V1__UDP_REMOTE__FIRST)
MISTAKE(follow_unknown, o->has_udp_remote = true;
	o->udp_remote = (Modemd__V1__UdpRemote)9)
MISTAKE(follow_no_port, o->has_udp_remote = true; o->tls = NULL;
	o->tcp = NULL; o->type = MODEMD__V1__LINK_TYPE__UDP;
	o->host = chars("192.0.2.1");
	o->udp_remote = MODEMD__V1__UDP_REMOTE__FIRST)
MISTAKE(local_name, o->has_local_address = true;
	o->local_address = chars("eth0"))
MISTAKE(families, o->has_family = true;
	o->family = MODEMD__V1__FAMILY__IPV4; o->host = chars("::1"))
MISTAKE(families_local, o->has_local_address = true;
	o->local_address = chars("192.0.2.1"); o->host = chars("::1"))
MISTAKE(host_bad, o->host = chars("::g"))
MISTAKE(port_none, o->port = 0)

static void mistakes_are_named(void **state)
{
	static const struct mistake all[] = {
		{ cn_empty, { "tls.common_name", "0 bytes", "1 to 64" } },
		{ cn_long, { "tls.common_name", "65 bytes" } },
		{ cn_control, { "tls.common_name", "printable" } },
		{ sni_long, { "tls.sni", "65 bytes" } },
		{ psk_long, { "tls.psk ", "33 bytes", "1 to 32" } },
		{ psk_empty, { "tls.psk ", "0 bytes" } },
		{ hint_alone, { "tls.psk_hint", "tls.psk" } },
		{ alpn_many, { "tls.alpn", "6 times", "5" } },
		{ alpn_empty, { "tls.alpn", "0 bytes" } },
		{ pki_high, { "tls.pki", "16", "0 to 15" } },
		{ linger_low, { "tcp.linger_s", "-2", "-1 to 60" } },
		{ linger_high, { "tcp.linger_s", "61", "-1 to 60" } },
		{ send_zero, { "tcp.send_timeout_ms", "is 0", "1000" } },
		{ send_high, { "tcp.send_timeout_ms", "120001" } },
		{ keepalive_high, { "tcp.keepalive_s", "7201", "7200" } },
		{ tls_in_tcp, { "tls", "type TLS" } },
		{ tcp_in_udp, { "tcp", "leave it out" } },
		{ follow_in_tls, { "udp_remote", "UDP" } },
		{ follow_unknown, { "udp_remote", "9" } },
		{ follow_no_port, { "udp_remote", "local_port" } },
		{ local_name, { "local_address" } },
		{ families, { "host", "IPv6", "IPv4" } },
		{ families_local, { "local_address", "IPv4", "IPv6" } },
		{ host_bad, { "host" } },
		{ port_none, { "port" } },
	};
	struct bench *b = *state;
	size_t i, j;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		Modemd__V1__Open o = MODEMD__V1__OPEN__INIT;
		Modemd__V1__Tls t = MODEMD__V1__TLS__INIT;
		Modemd__V1__TcpOptions tcp = MODEMD__V1__TCP_OPTIONS__INIT;
		ProtobufCBinaryData alpn[6];

		fill_tls_open(&o, &t, &tcp, alpn);
		for (j = 2; j < 6; j++)
			alpn[j] = chars("x");
		all[i].make(&o);
		ask_open(b, &o);
		assert_string_equal(heard(b), "INVALID ");
		for (j = 0; j < 3 && all[i].words[j]; j++) {
			if (!strstr(b->message, all[i].words[j]))
				fail_msg("%zu: no \"%s\" in \"%s\"", i,
					 all[i].words[j], b->message);
		}
		assert_null(strstr(b->message, "secret"));
		assert_null(strstr(b->message, long_text + 32));
	}
	assert_int_equal(able_open.count, 0);
}

/* ------------------------------------------------- what this modem cannot */

MISTAKE(wants_tls, (void)o)
MISTAKE(wants_v6, o->type = MODEMD__V1__LINK_TYPE__TCP; o->tls = NULL;
	o->tcp = NULL; o->host = chars("::1"))
MISTAKE(wants_v6_udp, o->type = MODEMD__V1__LINK_TYPE__UDP; o->tls = NULL;
	o->tcp = NULL; o->host = chars("::1"))
MISTAKE(wants_family, o->type = MODEMD__V1__LINK_TYPE__TCP; o->tls = NULL;
	o->tcp = NULL; o->has_family = true;
	o->family = MODEMD__V1__FAMILY__IPV6)
MISTAKE(wants_options, o->type = MODEMD__V1__LINK_TYPE__TCP; o->tls = NULL)
MISTAKE(wants_local, o->type = MODEMD__V1__LINK_TYPE__TCP; o->tls = NULL;
	o->tcp = NULL; o->has_local_address = true;
	o->local_address = chars("192.0.2.1"))
MISTAKE(wants_port, o->type = MODEMD__V1__LINK_TYPE__TCP; o->tls = NULL;
	o->tcp = NULL; o->has_local_port = true; o->local_port = 5555)
MISTAKE(wants_follow, o->type = MODEMD__V1__LINK_TYPE__UDP; o->tls = NULL;
	o->tcp = NULL; o->has_udp_remote = o->has_local_port = true;
	o->local_port = 5300; o->host = chars("192.0.2.1");
	o->udp_remote = MODEMD__V1__UDP_REMOTE__FIRST)
MISTAKE(wants_the_unknown, o->type = (Modemd__V1__LinkType)9; o->tls = NULL)

static void what_it_cannot_is_said_at_once(void **state)
{
	static const struct mistake all[] = {
		{ wants_tls, { "TLS", "\"tls\"" } },
		{ wants_v6, { "\"ipv6\"" } },
		{ wants_v6_udp, { "\"ipv6\"" } },
		{ wants_family, { "\"ipv6\"" } },
		{ wants_options, { "tcp", "\"tcp-options\"" } },
		{ wants_local, { "\"local-address\"" } },
		{ wants_port, { "local_port", "\"tcp-local-port\"" } },
		{ wants_follow, { "\"udp-follow\"" } },
		{ wants_the_unknown, { "type 9" } },
	};
	struct bench *b = *state;
	Modemd__V1__Open u = MODEMD__V1__OPEN__INIT;
	size_t i, j;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		Modemd__V1__Open o = MODEMD__V1__OPEN__INIT;
		Modemd__V1__Tls t = MODEMD__V1__TLS__INIT;
		Modemd__V1__TcpOptions tcp = MODEMD__V1__TCP_OPTIONS__INIT;
		ProtobufCBinaryData alpn[2];

		fill_tls_open(&o, &t, &tcp, alpn);
		o.has_wait_ms = true;
		o.wait_ms = 10000;
		all[i].make(&o);
		ask_open(b, &o);
		assert_string_equal(heard(b), "NOT_SUPPORTED ");
		for (j = 0; j < 3 && all[i].words[j]; j++)
			assert_non_null(strstr(b->message, all[i].words[j]));
	}
	assert_int_equal(able_open.count, 0);
	u.has_type = true;
	u.type = MODEMD__V1__LINK_TYPE__UDP;
	ask_open(b, &u);
	wait_ms(b, 500);
	assert_string_equal(heard(b), "OK opened(0) ");
	ask_send(b, 1, "::1", 1);
	assert_string_equal(heard(b), "NOT_SUPPORTED ");
	assert_non_null(strstr(b->message, "to_host"));
}

#define T(f)	cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(tls_reaches_the_driver), T(nothing_asked_is_nothing_said),
		T(addresses), T(udp), T(mistakes_are_named),
		cmocka_unit_test_setup_teardown(what_it_cannot_is_said_at_once,
						set_up_unable, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
