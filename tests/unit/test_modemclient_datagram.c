/* SPDX-License-Identifier: MIT */

/* The library's datagrams: whole, in order, with their address; credit that
 * never stops them; and what the modem would not send. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "caller.h"

#define LINK	7

/* An open UDP link; @host NULL: to nobody. */
static struct caller *open_udp(const char *host, uint32_t credit, bool events)
{
	struct caller *c = caller_new(0, credit, events);
	struct modemclient_open_options o = MODEMCLIENT_OPEN_OPTIONS_INIT;
	Modemd__V1__Request *req;

	o.host = host;
	o.port = host ? 53 : 0;
	o.udp = true;
	o.want_source = true;
	assert_int_equal(modemclient_open_start(c->mc, &o, &c->link), 0);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_OPEN);
	assert_int_equal(req->open->type, MODEMD__V1__LINK_TYPE__UDP);
	assert_true(req->open->want_source);
	assert_false(req->open->never_push);
	assert_int_equal(req->open->has_host, host != NULL);
	assert_int_equal(req->open->has_port, host != NULL);
	fake_open_reply(c->f, req->id, LINK);
	fake_done(req);
	fake_opened(c->f, LINK, 1, MODEMD__V1__STATUS__OK, NULL);
	while (modemclient_link_error(c->link) == -EINPROGRESS)
		caller_process(c);

	return c;
}

static void say(struct caller *c, const void *data, size_t len,
		const char *from)
{
	Modemd__V1__Data d = MODEMD__V1__DATA__INIT;
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;

	d.has_link = 1;
	d.link = LINK;
	d.has_data = 1;
	d.data.len = len;
	d.data.data = (uint8_t *)(uintptr_t)data;
	d.from = (char *)(uintptr_t)from;
	event.kind_case = MODEMD__V1__EVENT__KIND_DATA;
	event.data = &d;
	fake_event(c->f, &event);
}

static void tell_sent(struct caller *c, uint32_t bytes,
		      Modemd__V1__Status status)
{
	Modemd__V1__Sent sent = MODEMD__V1__SENT__INIT;
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;

	sent.has_link = 1;
	sent.link = LINK;
	sent.has_epoch = 1;
	sent.epoch = 1;
	sent.has_bytes = 1;
	sent.bytes = bytes;
	sent.has_status = 1;
	sent.status = status;
	event.kind_case = MODEMD__V1__EVENT__KIND_SENT;
	event.sent = &sent;
	fake_event(c->f, &event);
}

/* The next Send: to @host (NULL: as open said), of @len bytes. */
static void take(struct caller *c, const char *host, uint32_t port, size_t len)
{
	Modemd__V1__Request *req;

	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_SEND);
	assert_int_equal(req->send->data.len, len);
	assert_int_equal(req->send->has_to_host, host != NULL);
	assert_int_equal(req->send->has_to_port, host != NULL);
	if (host) {
		assert_int_equal(req->send->to_host.len, strlen(host));
		assert_memory_equal(req->send->to_host.data, host,
				    strlen(host));
		assert_int_equal(req->send->to_port, port);
	}
	fake_ok(c->f, req->id);
	fake_done(req);
}

static void each_is_one(void **state)
{
	struct caller *c = open_udp(NULL, 0, false);
	char address[MODEMCLIENT_ADDRESS_MAX];
	uint16_t port;

	(void)state;
	say(c, "first", 5, "192.0.2.1:53");
	say(c, "the second", 10, NULL);
	say(c, "3", 1, "192.0.2.2:65535");
	say(c, "last", 4, NULL);
	assert_int_equal(modemclient_recvfrom(c->link, c->buf, 100, address,
					      &port, 1000), 5);
	assert_memory_equal(c->buf, "first", 5);
	assert_string_equal(address, "192.0.2.1");
	assert_int_equal(port, 53);
	/* what does not fit is dropped, and its true length told */
	assert_int_equal(modemclient_recvfrom(c->link, c->buf, 3, address,
					      &port, 1000), 10);
	assert_memory_equal(c->buf, "the", 3);
	assert_string_equal(address, "");
	assert_int_equal(port, 0);
	assert_int_equal(modemclient_recvfrom(c->link, c->buf, 100, address,
					      &port, 1000), 1);
	assert_string_equal(address, "192.0.2.2");
	assert_int_equal(port, 65535);
	assert_int_equal(modemclient_read(c->link, c->buf, 2, 1000), 2);
	assert_memory_equal(c->buf, "la", 2);
	assert_int_equal(modemclient_read(c->link, c->buf, 2, 0), -EAGAIN);
	caller_free(c);
}

static void sends(void **state)
{
	struct caller *c = open_udp("192.0.2.9", 0, true);

	(void)state;
	memset(c->buf, 'x', 1500);
	assert_int_equal(modemclient_sendto(c->link, c->buf, 1500, "192.0.2.1",
					    53, 0), 1500);
	take(c, "192.0.2.1", 53, 1500);
	assert_int_equal(modemclient_sendto(c->link, c->buf, 1, NULL, 0, 0), 1);
	take(c, NULL, 0, 1);
	assert_int_equal(modemclient_write(c->link, c->buf, 700, 0), 700);
	take(c, NULL, 0, 700);
	assert_int_equal(modemclient_write(c->link, c->buf, 1501, 0),
			 -EMSGSIZE);
	assert_true(fake_silent(c->f));
	caller_free(c);
}

static void bad_sends(void **state)
{
	struct caller *c = open_udp(NULL, 0, false);

	(void)state;
	assert_int_equal(modemclient_sendto(c->link, "x", 1, NULL, 0, 0),
			 -EDESTADDRREQ);
	assert_int_equal(modemclient_sendto(c->link, "", 0, "192.0.2.1", 1, 0),
			 -EINVAL);
	assert_int_equal(modemclient_sendto(c->link, "x", 1, "a.example", 1, 0),
			 -EINVAL);
	assert_non_null(strstr(modemclient_error(c->mc), "resolve"));
	assert_int_equal(modemclient_sendto(c->link, "x", 1, "192.0.2.1", 0, 0),
			 -EINVAL);
	assert_int_equal(modemclient_sendto(c->link, c->buf, 1501, "192.0.2.1",
					    1, 0), -EMSGSIZE);
	assert_true(fake_silent(c->f));
	caller_free(c);
}

static void not_for_streams(void **state)
{
	struct caller *c = caller_new(0, 0, false);

	(void)state;
	caller_open(c, LINK);
	assert_int_equal(modemclient_sendto(c->link, "x", 1, "192.0.2.1", 1, 0),
			 -EINVAL);
	assert_int_equal(modemclient_recvfrom(c->link, c->buf, 1, NULL, NULL,
					      0), -EINVAL);
	caller_free(c);
}

/* The window is never given a part of one. */
static void window_takes_it_whole(void **state)
{
	struct caller *c = open_udp("192.0.2.9", 0, true);
	size_t sent = 0;
	ssize_t n;

	(void)state;
	while ((n = modemclient_sendto(c->link, c->buf, 1500, NULL, 0, 0)) > 0)
		sent += (size_t)n;
	assert_int_equal(n, -EAGAIN);
	assert_int_equal(sent, 65536 / 1500 * 1500);
	assert_int_equal(modemclient_sendto(c->link, c->buf, 1000, NULL, 0, 0),
			 1000);
	caller_free(c);
}

static ssize_t call_sendto(struct caller *c)
{
	return modemclient_sendto(c->link, c->buf, c->len, NULL, 0,
				  c->timeout_ms);
}

static void waits_for_room(void **state)
{
	struct caller *c = open_udp("192.0.2.9", 0, false);

	(void)state;
	while (modemclient_sendto(c->link, c->buf, 1500, NULL, 0, 0) > 0)
		;
	c->len = 1500;
	c->timeout_ms = 50;
	caller_start(c, call_sendto);
	assert_int_equal(caller_finish(c), -ETIMEDOUT);
	c->timeout_ms = 3000;
	caller_start(c, call_sendto);
	tell_sent(c, 100, MODEMD__V1__STATUS__OK);
	tell_sent(c, 1400, MODEMD__V1__STATUS__OK);
	assert_int_equal(caller_finish(c), 1500);
	caller_free(c);
}

/* Its window comes back, it is not counted as taken, the link goes on. */
static void one_that_is_refused(void **state)
{
	struct caller *c = open_udp("192.0.2.9", 0, true);
	struct modemclient_counts counts;

	(void)state;
	assert_int_equal(modemclient_write(c->link, c->buf, 1500, 0), 1500);
	assert_int_equal(modemclient_write(c->link, c->buf, 10, 0), 10);
	take(c, NULL, 0, 1500);
	take(c, NULL, 0, 10);
	tell_sent(c, 1500, MODEMD__V1__STATUS__TOO_LONG);
	tell_sent(c, 10, MODEMD__V1__STATUS__OK);
	while (!strstr(c->heard, "sent:10 "))
		caller_process(c);
	assert_int_equal(modemclient_link_writable(c->link), 65536);
	modemclient_link_counts(c->link, &counts);
	assert_int_equal(counts.accepted, 1510);
	assert_int_equal(counts.taken, 10);
	assert_int_equal(modemclient_drain(c->link, 0), -EMSGSIZE);
	assert_int_equal(modemclient_drain(c->link, 0), 0);
	caller_free(c);
}

/* modemd gives none below 1500: credit comes back before that is so. */
static void credit_is_enough(void **state)
{
	struct caller *c = open_udp(NULL, 2000, false);
	Modemd__V1__Request *req;

	(void)state;
	say(c, c->buf, 600, NULL);
	assert_int_equal(modemclient_recvfrom(c->link, c->buf, 1500, NULL,
					      NULL, 1000), 600);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_CREDIT);
	assert_int_equal(req->credit->bytes, 600);
	fake_done(req);
	caller_free(c);
}

/* What came before the loss is read first, and is not mixed with the rest. */
static void loss_keeps_them_apart(void **state)
{
	struct caller *c = open_udp(NULL, 0, false);

	(void)state;
	say(c, "old", 3, NULL);
	say(c, "older", 5, NULL);
	fake_link_lost(c->f, LINK, 1, 0, 0, 8);
	fake_link_restored(c->f, LINK, 2);
	say(c, "new", 3, NULL);
	assert_int_equal(modemclient_recvfrom(c->link, c->buf, 100, NULL, NULL,
					      1000), 3);
	while (modemclient_link_epoch(c->link) != 2)
		caller_process(c);
	assert_int_equal(modemclient_wait_restored(c->link, 1000), 0);
	caller_process(c);
	assert_int_equal(modemclient_recvfrom(c->link, c->buf, 100, NULL, NULL,
					      1000), 3);
	assert_memory_equal(c->buf, "new", 3);
	caller_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_one),
		cmocka_unit_test(sends),
		cmocka_unit_test(bad_sends),
		cmocka_unit_test(not_for_streams),
		cmocka_unit_test(window_takes_it_whole),
		cmocka_unit_test(waits_for_room),
		cmocka_unit_test(one_that_is_refused),
		cmocka_unit_test(credit_is_enough),
		cmocka_unit_test(loss_keeps_them_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
