/* SPDX-License-Identifier: MIT */

/* The library's links: window, credit, loss and restore, closing, deadlines. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "caller.h"

#define OK	MODEMD__V1__STATUS__OK
#define PEER	MODEMD__V1__STATUS__PEER_CLOSED

/* Takes a Send of exactly @len bytes and answers it. */
static void take_send(struct fake *f, size_t len, Modemd__V1__Status status)
{
	Modemd__V1__Request *req;

	req = fake_expect(f, MODEMD__V1__REQUEST__KIND_SEND);
	assert_int_equal(req->send->data.len, len);
	assert_int_equal(req->send->link, 7);
	if (status == OK)
		fake_ok(f, req->id);
	else
		fake_error(f, req->id, status, "the test says so", NULL);
	fake_done(req);
}

static void take_close(struct fake *f, uint64_t link, bool abort_it)
{
	Modemd__V1__Request *req;

	req = fake_expect(f, MODEMD__V1__REQUEST__KIND_CLOSE);
	assert_int_equal(req->close->link, link);
	assert_int_equal(req->close->abort, abort_it);
	fake_ok(f, req->id);
	fake_done(req);
}

static void take_credit(struct fake *f, uint32_t epoch, uint32_t bytes)
{
	Modemd__V1__Request *req;

	req = fake_expect(f, MODEMD__V1__REQUEST__KIND_CREDIT);
	assert_int_equal(req->credit->link, 7);
	assert_int_equal(req->credit->epoch, epoch);
	assert_int_equal(req->credit->bytes, bytes);
	fake_done(req);
}

static void test_open_request(void **state)
{
	struct caller *c = caller_new(0, 2000, false);
	Modemd__V1__Request *req;

	(void)state;
	c->open.host = "example.org";
	c->open.port = 8883;
	c->open.local_port = 5;
	c->open.restore = true;
	c->open.wait_ms = 1500;
	c->open.idle_timeout_ms = 60000;
	caller_start(c, call_open);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_OPEN);
	assert_int_equal(req->open->host.len, 11);
	assert_memory_equal(req->open->host.data, "example.org", 11);
	assert_int_equal(req->open->port, 8883);
	assert_int_equal(req->open->local_port, 5);
	assert_true(req->open->restore);
	assert_int_equal(req->open->wait_ms, 1500);
	assert_int_equal(req->open->idle_timeout_ms, 60000);
	assert_int_equal(req->open->credit, 2000);
	fake_open_reply(c->f, req->id, 7);
	fake_done(req);
	usleep(20000);
	fake_opened(c->f, 7, 1, OK, NULL);
	assert_int_equal(caller_finish(c), 0);
	assert_int_equal(modemclient_link_id(c->link), 7);
	assert_int_equal(modemclient_link_epoch(c->link), 1);
	caller_free(c);
}

static void test_open_errors(void **state)
{
	struct caller *c = caller_new(0, 0, true);
	char host[300];

	(void)state;
	memset(host, 'h', sizeof(host));
	host[254] = '\0';
	assert_int_equal(modemclient_open(c->mc, host, 80, 10, &c->link),
			 -EINVAL);
	assert_int_equal(modemclient_open(c->mc, "", 80, 10, &c->link),
			 -EINVAL);
	assert_int_equal(modemclient_open(c->mc, "host", 0, 10, &c->link),
			 -EINVAL);
	assert_int_equal(modemclient_open(c->mc, "host", 80, -1, &c->link),
			 -EINVAL);
	assert_true(fake_silent(c->f));

	caller_start(c, call_open);
	fake_error(c->f, fake_take(c->f, MODEMD__V1__REQUEST__KIND_OPEN),
		   MODEMD__V1__STATUS__NO_SLOT, "all 10 sockets are taken: "
		   "by nobody", "+CIPERROR: 4");
	assert_int_equal(caller_finish(c), -EMFILE);
	assert_null(c->link);
	assert_string_equal(modemclient_error(c->mc), "open host:80: all 10 "
			    "sockets are taken: by nobody (the modem: "
			    "+CIPERROR: 4)");

	caller_start(c, call_open);
	fake_open_reply(c->f, fake_take(c->f, MODEMD__V1__REQUEST__KIND_OPEN),
			7);
	fake_opened(c->f, 7, 1, MODEMD__V1__STATUS__REFUSED, "refused");
	assert_int_equal(caller_finish(c), -ECONNREFUSED);
	assert_string_equal(modemclient_error(c->mc), "open host:80: refused");
	/* The call told it, so the callback must not. */
	assert_string_equal(c->heard, "");
	assert_true(fake_silent(c->f));
	caller_free(c);
}

static void test_open_deadline(void **state)
{
	struct caller *c = caller_new(0, 0, false);
	Modemd__V1__Queued queued = MODEMD__V1__QUEUED__INIT;
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;
	uint64_t id;

	(void)state;
	/* Before the id is known: closed as soon as it is. */
	c->timeout_ms = 60;
	caller_start(c, call_open);
	id = fake_take(c->f, MODEMD__V1__REQUEST__KIND_OPEN);
	assert_int_equal(caller_finish(c), -ETIMEDOUT);
	assert_in_range(c->took_ms, 55, 1000);
	fake_open_reply(c->f, id, 8);
	assert_int_equal(caller_process(c), 0);
	take_close(c->f, 8, true);

	/* While it waits: the sentence says for what. */
	caller_start(c, call_open);
	fake_open_reply(c->f, fake_take(c->f, MODEMD__V1__REQUEST__KIND_OPEN),
			9);
	queued.has_link = 1;
	queued.link = 9;
	queued.reason = c->buf;
	strcpy(c->buf, "waits for a network");
	event.kind_case = MODEMD__V1__EVENT__KIND_QUEUED;
	event.queued = &queued;
	fake_event(c->f, &event);
	assert_int_equal(caller_finish(c), -ETIMEDOUT);
	assert_non_null(strstr(modemclient_error(c->mc), "for a network"));
	take_close(c->f, 9, true);
	caller_free(c);
}

static void test_window(void **state)
{
	struct caller *c = caller_new(1000, 0, true);
	struct modemclient_counts counts;

	(void)state;
	caller_open(c, 7);
	assert_int_equal(modemclient_link_writable(c->link), 1000);
	assert_int_equal(modemclient_write(c->link, c->buf, 2500, 0), 1000);
	assert_int_equal(modemclient_write(c->link, c->buf, 1500, 0), -EAGAIN);
	take_send(c->f, 1000, OK);
	assert_int_equal(caller_process(c), 0);
	/* Accepted is not taken: the window stays shut. */
	assert_int_equal(modemclient_link_writable(c->link), 0);
	modemclient_link_counts(c->link, &counts);
	assert_int_equal(counts.accepted, 1000);
	assert_int_equal(counts.taken, 0);
	fake_sent(c->f, 7, 1, 300);
	fake_sent(c->f, 7, 4711, 300);		/* of another life */
	assert_int_equal(caller_process(c), 0);
	assert_string_equal(c->heard, "sent:300 ");
	assert_int_equal(modemclient_link_writable(c->link), 300);
	assert_int_equal(modemclient_write(c->link, c->buf, 1500, 0), 300);
	take_send(c->f, 300, OK);
	assert_true(fake_silent(c->f));
	caller_free(c);
}

static void test_write_blocks(void **state)
{
	struct caller *c = caller_new(20000, 0, false);

	(void)state;
	caller_open(c, 7);
	c->len = 50000;
	caller_start(c, call_write);
	take_send(c->f, 16384, OK);
	take_send(c->f, 3616, OK);
	fake_sent(c->f, 7, 1, 16384);
	take_send(c->f, 16384, OK);
	fake_sent(c->f, 7, 1, 3616);
	take_send(c->f, 3616, OK);
	fake_sent(c->f, 7, 1, 16384);
	take_send(c->f, 10000, OK);
	assert_int_equal(caller_finish(c), 50000);

	/* The deadline: what was sent until then counts. */
	c->timeout_ms = 60;
	caller_start(c, call_write);
	take_send(c->f, 6384, OK);
	assert_int_equal(caller_finish(c), 6384);
	assert_in_range(c->took_ms, 55, 1000);
	assert_int_equal(modemclient_write(c->link, c->buf, 1, 30),
			 -ETIMEDOUT);
	assert_int_equal(modemclient_drain(c->link, 30), -ETIMEDOUT);
	c->timeout_ms = 5000;
	caller_start(c, call_drain);
	fake_sent(c->f, 7, 1, 20000);
	assert_int_equal(caller_finish(c), 0);
	caller_free(c);
}

static void test_many_small_writes(void **state)
{
	struct caller *c = caller_new(0, 0, false);
	int i = 0, answered;

	(void)state;
	caller_open(c, 7);
	while (modemclient_write(c->link, "x", 1, 0) == 1)
		i++;
	assert_int_equal(i, 512);
	for (answered = 0; answered < i; answered++) {
		/* What the socket did not take at first goes out here. */
		assert_int_equal(caller_process(c), 0);
		take_send(c->f, 1, OK);
	}
	assert_int_equal(modemclient_write(c->link, "x", 1, 0), 1);
	caller_free(c);
}

/* A hole in the stream is worse than its end. */
static void test_send_refused(void **state)
{
	struct caller *c = caller_new(0, 0, false);

	(void)state;
	caller_open(c, 7);
	assert_int_equal(modemclient_write(c->link, c->buf, 10, 0), 10);
	take_send(c->f, 10, MODEMD__V1__STATUS__LIMIT);
	assert_int_equal(caller_process(c), 0);
	assert_int_equal(modemclient_write(c->link, c->buf, 10, 0), -EDQUOT);
	take_close(c->f, 7, true);
	fake_closed(c->f, 7, 1, OK, "aborted", 0, 0, 0);
	assert_int_equal(caller_process(c), 0);
	assert_int_equal(modemclient_read(c->link, c->buf, 10, 0), -EDQUOT);
	caller_free(c);
}

static void test_credit(void **state)
{
	struct caller *c = caller_new(0, 2000, false);

	(void)state;
	caller_open(c, 7);
	fake_data(c->f, 7, c->buf, 1500);
	fake_data(c->f, 7, c->buf, 500);	/* exactly used up */
	assert_int_equal(caller_process(c), 0);
	assert_int_equal(modemclient_link_readable(c->link), 2000);
	assert_true(fake_silent(c->f));
	assert_int_equal(modemclient_read(c->link, c->buf, 999, 0), 999);
	assert_true(fake_silent(c->f));
	assert_int_equal(modemclient_read(c->link, c->buf, 1, 0), 1);
	take_credit(c->f, 1, 1000);
	assert_int_equal(modemclient_read(c->link, c->buf, 9999, 0), 1000);
	take_credit(c->f, 1, 1000);
	fake_data(c->f, 7, c->buf, 2000);
	assert_int_equal(caller_process(c), 0);
	fake_data(c->f, 7, c->buf, 1);
	assert_int_equal(caller_process(c), -EPROTO);
	caller_free(c);
}

static void test_read_deadline(void **state)
{
	struct caller *c = caller_new(0, 0, false);

	(void)state;
	caller_open(c, 7);
	assert_int_equal(modemclient_read(c->link, c->buf, 9, 0), -EAGAIN);
	assert_int_equal(modemclient_read(c->link, c->buf, 9, -1), -EINVAL);
	c->len = 100;
	c->timeout_ms = 60;
	caller_start(c, call_read);
	assert_int_equal(caller_finish(c), -ETIMEDOUT);
	assert_in_range(c->took_ms, 55, 1000);
	assert_non_null(strstr(modemclient_error(c->mc), "host:80"));
	c->timeout_ms = 5000;
	caller_start(c, call_read);
	usleep(20000);
	fake_data(c->f, 7, "late", 4);
	assert_int_equal(caller_finish(c), 4);
	caller_free(c);
}

static void test_peer_closes(void **state)
{
	struct caller *c = caller_new(0, 0, false);

	(void)state;
	caller_open(c, 7);
	assert_int_equal(modemclient_write(c->link, "ab", 2, 0), 2);
	take_send(c->f, 2, OK);
	fake_data(c->f, 7, "bye", 3);
	fake_sent(c->f, 7, 1, 2);
	fake_closed(c->f, 7, 1, PEER, "peer-closed", 2, 2, 3);
	assert_int_equal(modemclient_read(c->link, c->buf, 2, 5000), 2);
	assert_int_equal(modemclient_read(c->link, c->buf, 2, 5000), 1);
	assert_int_equal(modemclient_read(c->link, c->buf, 2, 5000), 0);
	assert_int_equal(modemclient_read(c->link, c->buf, 2, 5000), 0);
	assert_int_equal(modemclient_write(c->link, "x", 1, 5000), -EPIPE);
	assert_int_equal(modemclient_drain(c->link, 5000), 0);
	assert_int_equal(modemclient_close(c->link, 5000, &c->counts), 0);
	assert_int_equal(c->counts.taken, 2);
	assert_int_equal(c->counts.received, 3);
	assert_int_equal(c->counts.confirmed, -1);
	assert_true(fake_silent(c->f));
	caller_free(c);
}

/* The peer closed before the modem took all: not an end like any other. */
static void test_peer_closes_early(void **state)
{
	struct caller *c = caller_new(0, 0, false);

	(void)state;
	caller_open(c, 7);
	assert_int_equal(modemclient_write(c->link, "abc", 3, 0), 3);
	take_send(c->f, 3, OK);
	fake_closed(c->f, 7, 1, PEER, "peer-closed", 3, 1, 0);
	assert_int_equal(modemclient_read(c->link, c->buf, 2, 5000), 0);
	assert_int_equal(modemclient_drain(c->link, 5000), -EPIPE);
	assert_int_equal(modemclient_close(c->link, 5000, &c->counts), -EPIPE);
	assert_int_equal(c->counts.accepted, 3);
	assert_int_equal(c->counts.taken, 1);
	caller_free(c);
}

static void test_close_counts(void **state)
{
	struct caller *c = caller_new(0, 1024, false);

	(void)state;
	caller_open(c, 7);
	fake_data(c->f, 7, c->buf, 1024);	/* nobody reads it */
	assert_int_equal(caller_process(c), 0);
	assert_int_equal(modemclient_write(c->link, "abc", 3, 0), 3);
	caller_start(c, call_close);
	take_send(c->f, 3, OK);
	take_credit(c->f, 1, 1024);		/* no standstill */
	take_close(c->f, 7, false);
	fake_data(c->f, 7, c->buf, 700);
	take_credit(c->f, 1, 700);
	fake_sent(c->f, 7, 1, 3);
	fake_closed(c->f, 7, 1, OK, "closed", 3, 3, 1724);
	assert_int_equal(caller_finish(c), 0);
	assert_int_equal(c->counts.accepted, 3);
	assert_int_equal(c->counts.taken, 3);
	assert_int_equal(c->counts.received, 1724);
	caller_free(c);
}

static void test_close_deadline(void **state)
{
	struct caller *c = caller_new(0, 0, false);

	(void)state;
	caller_open(c, 7);
	assert_int_equal(modemclient_write(c->link, "abc", 3, 0), 3);
	take_send(c->f, 3, OK);
	fake_sent(c->f, 7, 1, 1);
	c->timeout_ms = 60;
	caller_start(c, call_close);
	take_close(c->f, 7, false);
	assert_int_equal(caller_finish(c), -ETIMEDOUT);
	assert_in_range(c->took_ms, 55, 1000);
	assert_int_equal(c->counts.taken, 1);
	take_close(c->f, 7, true);
	/* What still comes for it is nobody's business. */
	fake_data(c->f, 7, "x", 1);
	fake_closed(c->f, 7, 1, OK, "aborted", 3, 1, 1);
	assert_int_equal(caller_process(c), 0);
	caller_free(c);
}

static void test_abort(void **state)
{
	struct caller *c = caller_new(0, 0, false);

	(void)state;
	caller_open(c, 7);
	assert_int_equal(modemclient_write(c->link, "abc", 3, 0), 3);
	take_send(c->f, 3, OK);
	caller_start(c, call_abort);
	take_close(c->f, 7, true);
	fake_closed(c->f, 7, 1, OK, "aborted", 3, 2, 0);
	assert_int_equal(caller_finish(c), -ECANCELED);
	assert_int_equal(c->counts.taken, 2);
	caller_free(c);
}

static void test_close_start(void **state)
{
	struct caller *c = caller_new(0, 0, true);

	(void)state;
	caller_open(c, 7);
	assert_int_equal(modemclient_write(c->link, "x", 1, 0), 1);
	assert_int_equal(modemclient_close_start(c->link), 0);
	assert_int_equal(modemclient_close_start(c->link), -EALREADY);
	assert_int_equal(modemclient_write(c->link, "x", 1, 0), -EPIPE);
	/* It was ending anyway: the end is still the one asked for. */
	take_send(c->f, 1, MODEMD__V1__STATUS__NO_SUCH_LINK);
	take_close(c->f, 7, false);
	fake_data(c->f, 7, "rest", 4);
	fake_closed(c->f, 7, 1, OK, "closed", 0, 0, 4);
	assert_int_equal(caller_process(c), 0);
	assert_string_equal(c->heard, "read:rest closed:0 taken:0 ");
	modemclient_link_free(c->link);
	assert_true(fake_silent(c->f));
	caller_free(c);
}

/* Three sent, one taken, four received, then the network is lost. */
static struct caller *lost(bool events)
{
	struct caller *c = caller_new(10, 1024, events);

	c->open.host = "host";
	c->open.restore = true;
	caller_open(c, 7);
	assert_int_equal(modemclient_write(c->link, "abc", 3, 0), 3);
	fake_data(c->f, 7, "data", 4);
	fake_link_lost(c->f, 7, 1, 3, 1, 4);
	assert_int_equal(caller_process(c), 0);

	return c;
}

static void test_loss_is_noticed(void **state)
{
	struct caller *c = lost(false);
	struct modemclient_counts counts;

	(void)state;
	assert_int_equal(modemclient_read(c->link, c->buf, 2, 0), 2);
	assert_int_equal(modemclient_write(c->link, "x", 1, 0), -ENETRESET);
	assert_int_equal(modemclient_read(c->link, c->buf, 9, 0), 2);
	assert_int_equal(modemclient_read(c->link, c->buf, 9, 5000),
			 -ENETRESET);
	assert_int_equal(modemclient_link_error(c->link), -ENETRESET);
	assert_int_equal(modemclient_link_lost_counts(c->link, &counts), 1);
	assert_int_equal(counts.accepted, 3);
	assert_int_equal(counts.taken, 1);
	assert_int_equal(counts.received, 4);
	assert_int_equal(modemclient_wait_restored(c->link, 0), -EAGAIN);
	assert_int_equal(modemclient_wait_restored(c->link, 40), -ETIMEDOUT);
	assert_int_equal(modemclient_drain(c->link, 40), -ENETRESET);

	/* Restored, but until the program knows, nothing flows. */
	take_send(c->f, 3, MODEMD__V1__STATUS__STALE_EPOCH);
	fake_link_restored(c->f, 7, 2);
	fake_data(c->f, 7, "new", 3);
	assert_int_equal(caller_process(c), 0);
	assert_int_equal(modemclient_read(c->link, c->buf, 9, 0), -ENETRESET);
	assert_int_equal(modemclient_write(c->link, "x", 1, 0), -ENETRESET);
	assert_int_equal(modemclient_wait_restored(c->link, 5000), 0);
	assert_int_equal(modemclient_link_epoch(c->link), 2);
	assert_int_equal(modemclient_read(c->link, c->buf, 9, 0), 3);
	assert_memory_equal(c->buf, "new", 3);
	modemclient_link_counts(c->link, &counts);
	assert_int_equal(counts.accepted, 0);
	assert_int_equal(counts.received, 3);
	/* A whole window again. */
	assert_int_equal(modemclient_write(c->link, c->buf, 99, 0), 10);
	caller_free(c);
}

static void test_restore_blocks(void **state)
{
	struct caller *c = lost(false);
	struct modemclient_counts counts;
	Modemd__V1__Request *req;

	(void)state;
	caller_start(c, call_wait_restored);
	usleep(30000);
	fake_link_restored(c->f, 7, 2);
	assert_int_equal(caller_finish(c), 0);
	/* A late answer to the old life counts for nothing. */
	take_send(c->f, 3, OK);
	assert_int_equal(caller_process(c), 0);
	modemclient_link_counts(c->link, &counts);
	assert_int_equal(counts.accepted, 0);
	/* What was not read of the old life is gone. */
	assert_int_equal(modemclient_read(c->link, c->buf, 9, 0), -EAGAIN);
	assert_int_equal(modemclient_write(c->link, "xy", 2, 0), 2);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_SEND);
	assert_int_equal(req->send->epoch, 2);
	fake_done(req);
	/* Credit for the new life only. */
	fake_data(c->f, 7, c->buf, 1024);
	assert_int_equal(modemclient_read(c->link, c->buf, 9999, 5000), 1024);
	take_credit(c->f, 2, 1024);
	caller_free(c);
}

/* Lost, restored, lost again before the program looked once. */
static void test_lost_twice(void **state)
{
	struct caller *c = lost(false);
	struct modemclient_counts counts;

	(void)state;
	fake_link_restored(c->f, 7, 2);
	fake_data(c->f, 7, "never seen", 10);
	fake_link_lost(c->f, 7, 2, 0, 0, 10);
	fake_link_restored(c->f, 7, 3);
	fake_data(c->f, 7, "third", 5);
	assert_int_equal(caller_process(c), 0);
	assert_int_equal(modemclient_read(c->link, c->buf, 99, 0), 4);
	assert_int_equal(modemclient_read(c->link, c->buf, 99, 0), -ENETRESET);
	assert_int_equal(modemclient_link_lost_counts(c->link, &counts), 2);
	assert_int_equal(counts.received, 10);
	assert_int_equal(modemclient_wait_restored(c->link, 0), 0);
	assert_int_equal(modemclient_link_epoch(c->link), 3);
	assert_int_equal(modemclient_read(c->link, c->buf, 99, 0), 5);
	caller_free(c);
}

/* An end after an unseen loss must not look like the end of all data. */
static void test_lost_then_closed(void **state)
{
	struct caller *c = lost(false);

	(void)state;
	fake_link_restored(c->f, 7, 2);
	fake_data(c->f, 7, "new", 3);
	fake_closed(c->f, 7, 2, PEER, "peer-closed", 0, 0, 3);
	assert_int_equal(caller_process(c), 0);
	assert_int_equal(modemclient_read(c->link, c->buf, 99, 0), 4);
	assert_int_equal(modemclient_read(c->link, c->buf, 99, 0), -ENETRESET);
	assert_int_equal(modemclient_wait_restored(c->link, 0), 0);
	assert_int_equal(modemclient_read(c->link, c->buf, 99, 0), 3);
	assert_int_equal(modemclient_read(c->link, c->buf, 99, 0), 0);
	caller_free(c);

	c = lost(false);
	fake_closed(c->f, 7, 1, MODEMD__V1__STATUS__NETWORK_LOST,
		    "network-lost", 3, 1, 4);
	assert_int_equal(modemclient_wait_restored(c->link, 5000), -ENETRESET);
	assert_int_equal(modemclient_read(c->link, c->buf, 99, 0), 4);
	assert_int_equal(modemclient_read(c->link, c->buf, 99, 0), -ENETRESET);
	assert_non_null(strstr(modemclient_link_reason(c->link), "network"));
	caller_free(c);
}

static void test_restore_events(void **state)
{
	struct caller *c = lost(true);

	(void)state;
	fake_link_restored(c->f, 7, 2);
	fake_data(c->f, 7, "new", 3);
	assert_int_equal(caller_process(c), 0);
	assert_string_equal(c->heard, "read:data lost:1 taken:1 restored:2 "
			    "read:new ");
	assert_int_equal(modemclient_write(c->link, "x", 1, 0), 1);
	caller_free(c);
}

/* Without restore a loss is an end, and says so after the data. */
static void test_network_lost(void **state)
{
	struct caller *c = caller_new(0, 0, false);

	(void)state;
	caller_open(c, 7);
	fake_data(c->f, 7, "data", 4);
	fake_closed(c->f, 7, 1, MODEMD__V1__STATUS__NETWORK_LOST,
		    "network-lost", 9, 5, 4);
	assert_int_equal(modemclient_read(c->link, c->buf, 99, 5000), 4);
	assert_int_equal(modemclient_read(c->link, c->buf, 99, 5000),
			 -ENETRESET);
	assert_int_equal(modemclient_write(c->link, "x", 1, 5000), -ENETRESET);
	assert_int_equal(modemclient_close(c->link, 5000, &c->counts),
			 -ENETRESET);
	assert_int_equal(c->counts.accepted, 9);
	assert_int_equal(c->counts.taken, 5);
	caller_free(c);
}

static void test_gone_while_reading(void **state)
{
	struct caller *c = caller_new(0, 0, false);

	(void)state;
	caller_open(c, 7);
	c->len = 9;
	caller_start(c, call_read);
	usleep(20000);
	fake_hang_up(c->f);
	assert_int_equal(caller_finish(c), -ENOTCONN);
	assert_int_equal(modemclient_close(c->link, 5000, &c->counts),
			 -ENOTCONN);
	caller_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_request),
		cmocka_unit_test(test_open_errors),
		cmocka_unit_test(test_open_deadline),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_write_blocks),
		cmocka_unit_test(test_many_small_writes),
		cmocka_unit_test(test_send_refused),
		cmocka_unit_test(test_credit),
		cmocka_unit_test(test_read_deadline),
		cmocka_unit_test(test_peer_closes),
		cmocka_unit_test(test_peer_closes_early),
		cmocka_unit_test(test_close_counts),
		cmocka_unit_test(test_close_deadline),
		cmocka_unit_test(test_abort),
		cmocka_unit_test(test_close_start),
		cmocka_unit_test(test_loss_is_noticed),
		cmocka_unit_test(test_restore_blocks),
		cmocka_unit_test(test_lost_twice),
		cmocka_unit_test(test_lost_then_closed),
		cmocka_unit_test(test_restore_events),
		cmocka_unit_test(test_network_lost),
		cmocka_unit_test(test_gone_while_reading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
