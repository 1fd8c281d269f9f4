/* SPDX-License-Identifier: MIT */

/* The library's questions: status, lists, pages, names, subscriptions. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "caller.h"

/* What the row callbacks saw, in words. */
struct rows {
	char text[1024];
	int enough;		/* rows after which it has seen enough; 0: no */
	int count;
};

static bool note(struct rows *r, const char *text)
{
	strcat(r->text, text);
	strcat(r->text, " ");

	return ++r->count != r->enough;
}

static struct rows rows;

static char *literal(const char *text)
{
	return (char *)(uintptr_t)text;
}

static bool on_link(void *ctx, const struct modemclient_link_info *i)
{
	assert_ptr_equal(ctx, &rows);
	assert_int_equal(i->slot, -1);
	assert_int_equal(i->counts.confirmed, -1);
	assert_string_equal(i->client, "");
	assert_string_equal(i->type, "udp");

	return note(&rows, i->remote);
}

static bool on_client(void *ctx, const struct modemclient_client_info *i)
{
	(void)ctx;

	return note(&rows, i->name);
}

static bool on_session(void *ctx, const struct modemclient_session *s)
{
	(void)ctx;
	assert_int_equal(s->closed, s->id == 3);

	return note(&rows, s->remote);
}

static bool on_history_event(void *ctx,
			     const struct modemclient_history_event *e)
{
	(void)ctx;

	return note(&rows, e->text);
}

static bool on_trace(void *ctx, const struct modemclient_trace_row *r)
{
	(void)ctx;
	note(&rows, r->kind);

	return note(&rows, r->text);
}

static ssize_t call_status(struct caller *c)
{
	struct modemclient_status *s;
	int err = modemclient_status(c->mc, c->timeout_ms, &s);

	if (err < 0)
		return err;
	strcpy(c->buf, s->modem->state);
	strcat(c->buf, s->network->state);
	strcat(c->buf, s->history->error);
	strcat(c->buf, s->line->device);
	c->len = s->modem->next_try_ms == -1 && !s->modem->has_signal &&
		s->network->next_try_ms == 250 && s->links_used == 3 &&
		strcmp(s->capabilities[0], "tcp") == 0 && !s->capabilities[1];
	modemclient_status_free(s);

	return 0;
}

static ssize_t call_links(struct caller *c)
{
	return modemclient_links(c->mc, c->timeout_ms, on_link, &rows);
}

static ssize_t call_clients(struct caller *c)
{
	return modemclient_clients(c->mc, c->timeout_ms, on_client, NULL);
}

static ssize_t call_sessions(struct caller *c)
{
	struct modemclient_history_query q = MODEMCLIENT_HISTORY_QUERY_INIT;

	q.since_wall_ms = 1000;
	q.client = "telemetry";
	q.limit = c->len;

	return modemclient_sessions(c->mc, &q, c->timeout_ms, on_session, NULL);
}

static ssize_t call_events(struct caller *c)
{
	return modemclient_events(c->mc, NULL, c->timeout_ms, on_history_event,
				  NULL);
}

static ssize_t call_trace(struct caller *c)
{
	return modemclient_trace(c->mc, 10, false, c->timeout_ms, on_trace,
				 NULL);
}

static ssize_t call_resolve(struct caller *c)
{
	char **addresses;
	int err = modemclient_resolve(c->mc, c->text, c->timeout_ms,
				      &addresses);

	if (err < 0)
		return err;
	strcpy(c->buf, addresses[0]);
	assert_null(addresses[1]);
	modemclient_addresses_free(addresses);

	return 0;
}

static ssize_t call_reverse(struct caller *c)
{
	char **names;
	int err = modemclient_reverse(c->mc, c->text, c->timeout_ms, &names);

	if (err < 0)
		return err;
	strcpy(c->buf, names[0]);
	assert_null(names[1]);
	modemclient_addresses_free(names);

	return 0;
}

static struct caller *fresh(void)
{
	memset(&rows, 0, sizeof(rows));

	return caller_new(0, 0, true);
}

static void status_reply(struct fake *f, uint64_t id)
{
	Modemd__V1__StatusReply s = MODEMD__V1__STATUS_REPLY__INIT;
	Modemd__V1__ModemInfo modem = MODEMD__V1__MODEM_INFO__INIT;
	Modemd__V1__NetworkInfo network = MODEMD__V1__NETWORK_INFO__INIT;
	Modemd__V1__Reply reply = MODEMD__V1__REPLY__INIT;
	char *capabilities[] = { literal("tcp") };

	s.instance = literal("modem");
	s.modem = &modem;
	s.network = &network;
	s.has_links_used = 1;
	s.links_used = 3;
	s.n_capabilities = 1;
	s.capabilities = capabilities;
	modem.state = literal("ready");
	network.state = literal("open");
	network.has_next_try_ms = 1;
	network.next_try_ms = 250;
	reply.request_id = id;
	reply.result_case = MODEMD__V1__REPLY__RESULT_STATUS_REPLY;
	reply.status_reply = &s;
	fake_reply(f, &reply);
}

static void test_status(void **state)
{
	struct caller *c = fresh();

	(void)state;
	caller_start(c, call_status);
	status_reply(c->f, fake_take(c->f, MODEMD__V1__REQUEST__KIND_STATUS));
	assert_int_equal(caller_finish(c), 0);
	/* Parts that were not sent are empty, not NULL. */
	assert_string_equal(c->buf, "readyopen");
	assert_true(c->len);

	/* The right answer to another question. */
	caller_start(c, call_links);
	status_reply(c->f, fake_take(c->f, MODEMD__V1__REQUEST__KIND_LINKS));
	assert_int_equal(caller_finish(c), -EPROTO);
	assert_true(modemclient_is_connected(c->mc));
	caller_free(c);
}

static ssize_t call_steps(struct caller *c)
{
	const struct modemclient_step *s;
	struct modemclient_status *st;
	int err = modemclient_status(c->mc, c->timeout_ms, &st);

	if (err < 0)
		return err;
	c->buf[0] = '\0';
	for (s = st->steps; s->name; s++)
		sprintf(c->buf + strlen(c->buf), "%s=%s:%s:%lld:%s ", s->name,
			s->state, s->text, (long long)s->next_try_ms, s->next);
	modemclient_status_free(st);

	return 0;
}

static void test_steps(void **state)
{
	Modemd__V1__StatusReply s = MODEMD__V1__STATUS_REPLY__INIT;
	Modemd__V1__Step a = MODEMD__V1__STEP__INIT;
	Modemd__V1__Step b = MODEMD__V1__STEP__INIT;
	Modemd__V1__Reply reply = MODEMD__V1__REPLY__INIT;
	Modemd__V1__Step *list[] = { &a, &b };
	struct caller *c = fresh();

	(void)state;
	a.name = literal("sim");
	a.state = literal("failed");
	a.text = literal("no SIM");
	a.has_next_try_ms = 1;
	a.next_try_ms = 70;
	a.next = literal("again");
	b.name = literal("network");
	s.n_step = 2;
	s.step = list;
	caller_start(c, call_steps);
	reply.request_id = fake_take(c->f,
				     MODEMD__V1__REQUEST__KIND_STATUS);
	reply.result_case = MODEMD__V1__REPLY__RESULT_STATUS_REPLY;
	reply.status_reply = &s;
	fake_reply(c->f, &reply);
	assert_int_equal(caller_finish(c), 0);
	assert_string_equal(c->buf, "sim=failed:no SIM:70:again "
			    "network=::-1: ");
	caller_free(c);
}

static ssize_t call_down(struct caller *c)
{
	return modemclient_network(c->mc, false, c->timeout_ms);
}

static ssize_t call_up(struct caller *c)
{
	return modemclient_network(c->mc, true, c->timeout_ms);
}

static ssize_t call_reset(struct caller *c)
{
	return modemclient_reset(c->mc, c->len > 0, c->timeout_ms);
}

/* What admins decide: said as meant, answered as modemd answers. */
static void test_decisions(void **state)
{
	struct caller *c = fresh();
	Modemd__V1__Request *req;
	size_t hard;

	(void)state;
	caller_start(c, call_down);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_NETWORK);
	assert_true(req->network->has_up);
	assert_false(req->network->up);
	fake_ok(c->f, req->id);
	fake_done(req);
	assert_int_equal(caller_finish(c), 0);
	caller_start(c, call_up);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_NETWORK);
	assert_true(req->network->up);
	fake_error(c->f, req->id, MODEMD__V1__STATUS__NO_PERMISSION,
		   "for admins", NULL);
	fake_done(req);
	assert_int_equal(caller_finish(c), -EPERM);
	assert_string_equal(modemclient_error(c->mc),
			    "network up: for admins");
	for (hard = 0; hard < 2; hard++) {
		c->len = hard;
		caller_start(c, call_reset);
		req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_RESET);
		assert_int_equal(req->reset->kind, hard ?
				 MODEMD__V1__RESET_KIND__HARD :
				 MODEMD__V1__RESET_KIND__SOFT);
		fake_ok(c->f, req->id);
		fake_done(req);
		assert_int_equal(caller_finish(c), 0);
	}
	caller_free(c);
}

static void test_no_answer(void **state)
{
	struct caller *c = fresh();
	Modemd__V1__Request *req;
	uint64_t id;

	(void)state;
	c->timeout_ms = 60;
	caller_start(c, call_status);
	id = fake_take(c->f, MODEMD__V1__REQUEST__KIND_STATUS);
	assert_int_equal(caller_finish(c), -ETIMEDOUT);
	assert_in_range(c->took_ms, 55, 1000);
	caller_process(c);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_CANCEL);
	assert_int_equal(req->cancel->request_id, id);
	fake_done(req);
	/* A late answer is nobody's. */
	status_reply(c->f, id);
	assert_int_equal(caller_process(c), 0);

	caller_start(c, call_status);
	fake_take(c->f, MODEMD__V1__REQUEST__KIND_STATUS);
	fake_hang_up(c->f);
	assert_int_equal(caller_finish(c), -ENOTCONN);
	caller_free(c);
}

static void test_lists(void **state)
{
	Modemd__V1__LinkInfo a = MODEMD__V1__LINK_INFO__INIT;
	Modemd__V1__LinkInfo b = MODEMD__V1__LINK_INFO__INIT;
	Modemd__V1__LinkInfo *links[] = { &a, &b };
	Modemd__V1__ClientInfo client = MODEMD__V1__CLIENT_INFO__INIT;
	Modemd__V1__ClientInfo *clients[] = { &client };
	Modemd__V1__LinksReply l = MODEMD__V1__LINKS_REPLY__INIT;
	Modemd__V1__ClientsReply k = MODEMD__V1__CLIENTS_REPLY__INIT;
	Modemd__V1__Reply reply = MODEMD__V1__REPLY__INIT;
	struct caller *c = fresh();

	(void)state;
	a.remote = literal("a:1");
	b.remote = literal("b:2");
	a.has_type = b.has_type = 1;
	a.type = b.type = MODEMD__V1__LINK_TYPE__UDP;
	l.n_link = 2;
	l.link = links;
	caller_start(c, call_links);
	reply.request_id = fake_take(c->f, MODEMD__V1__REQUEST__KIND_LINKS);
	reply.result_case = MODEMD__V1__REPLY__RESULT_LINKS;
	reply.links = &l;
	fake_reply(c->f, &reply);
	assert_int_equal(caller_finish(c), 0);
	client.name = literal("mover");
	k.n_client = 1;
	k.client = clients;
	caller_start(c, call_clients);
	reply.request_id = fake_take(c->f, MODEMD__V1__REQUEST__KIND_CLIENTS);
	reply.result_case = MODEMD__V1__REPLY__RESULT_CLIENTS;
	reply.clients = &k;
	fake_reply(c->f, &reply);
	assert_int_equal(caller_finish(c), 0);
	assert_string_equal(rows.text, "a:1 b:2 mover ");

	caller_start(c, call_clients);
	fake_error(c->f, fake_take(c->f, MODEMD__V1__REQUEST__KIND_CLIENTS),
		   MODEMD__V1__STATUS__NO_PERMISSION, "rule \"x\"", NULL);
	assert_int_equal(caller_finish(c), -EPERM);
	assert_string_equal(modemclient_error(c->mc), "clients: rule \"x\"");
	caller_free(c);
}

/* Answers with the sessions @ids (0 ends them). */
static void sessions_reply(struct fake *f, uint64_t id, const int *ids,
			   bool more)
{
	static const char *const remotes[] = { "", "one", "two", "three",
					       "four" };
	Modemd__V1__SessionRow row[4];
	Modemd__V1__SessionRow *list[4];
	Modemd__V1__HistoryReply h = MODEMD__V1__HISTORY_REPLY__INIT;
	Modemd__V1__Reply reply = MODEMD__V1__REPLY__INIT;

	for (; ids[h.n_session]; h.n_session++) {
		Modemd__V1__SessionRow *r = &row[h.n_session];

		modemd__v1__session_row__init(r);
		r->has_id = 1;
		r->id = ids[h.n_session];
		r->remote = literal(remotes[r->id]);
		r->has_closed_wall_ms = r->id == 3;
		list[h.n_session] = r;
	}
	h.session = list;
	h.has_more = 1;
	h.more = more;
	reply.request_id = id;
	reply.result_case = MODEMD__V1__REPLY__RESULT_HISTORY;
	reply.history = &h;
	fake_reply(f, &reply);
}

static uint64_t take_history(struct fake *f, int64_t before, uint32_t limit)
{
	Modemd__V1__Request *req;
	uint64_t id;

	req = fake_expect(f, MODEMD__V1__REQUEST__KIND_HISTORY);
	id = req->id;
	assert_int_equal(req->history->kind,
			 MODEMD__V1__HISTORY_KIND__SESSIONS);
	assert_int_equal(req->history->since_wall_ms, 1000);
	assert_false(req->history->has_until_wall_ms);
	assert_int_equal(req->history->client.len, 9);
	assert_false(req->history->has_remote);
	assert_int_equal(req->history->before_id, before);
	assert_int_equal(req->history->limit, limit);
	fake_done(req);

	return id;
}

static void test_pages(void **state)
{
	struct caller *c = fresh();

	(void)state;
	caller_start(c, call_sessions);
	sessions_reply(c->f, take_history(c->f, 0, 0),
		       (int[]){ 4, 3, 0 }, true);
	sessions_reply(c->f, take_history(c->f, 3, 0), (int[]){ 2, 1, 0 },
		       false);
	assert_int_equal(caller_finish(c), 0);
	assert_string_equal(rows.text, "four three two one ");

	/* A limit across pages, and what modemd gives beyond it. */
	memset(&rows, 0, sizeof(rows));
	c->len = 3;
	caller_start(c, call_sessions);
	sessions_reply(c->f, take_history(c->f, 0, 3),
		       (int[]){ 4, 3, 0 }, true);
	sessions_reply(c->f, take_history(c->f, 3, 1), (int[]){ 2, 1, 0 },
		       true);
	assert_int_equal(caller_finish(c), 0);
	assert_string_equal(rows.text, "four three two ");

	/* Enough seen. */
	memset(&rows, 0, sizeof(rows));
	rows.enough = 1;
	c->len = 0;
	caller_start(c, call_sessions);
	sessions_reply(c->f, take_history(c->f, 0, 0),
		       (int[]){ 4, 3, 0 }, true);
	assert_int_equal(caller_finish(c), 0);
	assert_string_equal(rows.text, "four ");
	assert_true(fake_silent(c->f));
	caller_free(c);
}

/* Pages that go round in circles must not keep us for ever. */
static void test_endless_pages(void **state)
{
	struct caller *c = fresh();

	(void)state;
	caller_start(c, call_sessions);
	sessions_reply(c->f, take_history(c->f, 0, 0),
		       (int[]){ 4, 3, 0 }, true);
	sessions_reply(c->f, take_history(c->f, 3, 0),
		       (int[]){ 4, 3, 0 }, true);
	assert_int_equal(caller_finish(c), -EPROTO);

	caller_start(c, call_sessions);
	sessions_reply(c->f, take_history(c->f, 0, 0), (int[]){ 0 }, true);
	assert_int_equal(caller_finish(c), -EPROTO);
	caller_free(c);
}

static void test_history_events(void **state)
{
	Modemd__V1__EventRow row = MODEMD__V1__EVENT_ROW__INIT;
	Modemd__V1__EventRow *list[] = { &row };
	Modemd__V1__HistoryReply h = MODEMD__V1__HISTORY_REPLY__INIT;
	Modemd__V1__Reply reply = MODEMD__V1__REPLY__INIT;
	struct caller *c = fresh();
	Modemd__V1__Request *req;

	(void)state;
	caller_start(c, call_events);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_HISTORY);
	assert_int_equal(req->history->kind, MODEMD__V1__HISTORY_KIND__EVENTS);
	assert_false(req->history->has_since_wall_ms);
	reply.request_id = req->id;
	fake_done(req);
	row.text = literal("open");
	h.n_event = 1;
	h.event = list;
	reply.result_case = MODEMD__V1__REPLY__RESULT_HISTORY;
	reply.history = &h;
	fake_reply(c->f, &reply);
	assert_int_equal(caller_finish(c), 0);
	assert_string_equal(rows.text, "open ");
	caller_free(c);
}

static void trace_reply(struct fake *f, uint64_t after, uint64_t seq, bool more)
{
	Modemd__V1__TraceRow row = MODEMD__V1__TRACE_ROW__INIT;
	Modemd__V1__TraceRow *list[] = { &row };
	Modemd__V1__TraceReply t = MODEMD__V1__TRACE_REPLY__INIT;
	Modemd__V1__Reply reply = MODEMD__V1__REPLY__INIT;
	Modemd__V1__Request *req;

	req = fake_expect(f, MODEMD__V1__REQUEST__KIND_TRACE);
	assert_int_equal(req->trace->after_seq, after);
	reply.request_id = req->id;
	fake_done(req);
	row.has_seq = 1;
	row.seq = seq;
	row.has_kind = 1;
	row.kind = MODEMD__V1__TRACE_KIND__PAYLOAD_OUT;
	row.text = literal("AT");
	t.n_row = 1;
	t.row = list;
	t.has_more = 1;
	t.more = more;
	reply.result_case = MODEMD__V1__REPLY__RESULT_TRACE;
	reply.trace = &t;
	fake_reply(f, &reply);
}

static void test_trace(void **state)
{
	struct caller *c = fresh();

	(void)state;
	caller_start(c, call_trace);
	trace_reply(c->f, 10, 11, true);
	trace_reply(c->f, 11, 15, false);
	assert_int_equal(caller_finish(c), 0);
	assert_string_equal(rows.text, "payload-out AT payload-out AT ");
	caller_start(c, call_trace);
	trace_reply(c->f, 10, 10, true);
	assert_int_equal(caller_finish(c), -EPROTO);
	caller_free(c);
}

static void resolve_reply(struct fake *f, uint64_t id)
{
	Modemd__V1__ResolveReply r = MODEMD__V1__RESOLVE_REPLY__INIT;
	Modemd__V1__Reply reply = MODEMD__V1__REPLY__INIT;
	char *addresses[] = { literal("192.0.2.1") };

	r.n_address = 1;
	r.address = addresses;
	reply.request_id = id;
	reply.result_case = MODEMD__V1__REPLY__RESULT_RESOLVE;
	reply.resolve = &r;
	fake_reply(f, &reply);
}

static void test_resolve(void **state)
{
	struct caller *c = fresh();
	Modemd__V1__Request *req;

	(void)state;
	c->text = "example.org";
	caller_start(c, call_resolve);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_RESOLVE);
	assert_int_equal(req->resolve->name.len, 11);
	resolve_reply(c->f, req->id);
	fake_done(req);
	assert_int_equal(caller_finish(c), 0);
	assert_string_equal(c->buf, "192.0.2.1");
	caller_start(c, call_resolve);
	fake_error(c->f, fake_take(c->f, MODEMD__V1__REQUEST__KIND_RESOLVE),
		   MODEMD__V1__STATUS__NAME_NOT_FOUND, NULL, "+CDNSGIP: 0,10");
	assert_int_equal(caller_finish(c), -EADDRNOTAVAIL);
	assert_string_equal(modemclient_error(c->mc), "example.org: the name "
			    "has no address (the modem: +CDNSGIP: 0,10)");
	caller_free(c);
}

static void reverse_reply(struct fake *f, uint64_t id)
{
	Modemd__V1__ReverseReply r = MODEMD__V1__REVERSE_REPLY__INIT;
	Modemd__V1__Reply reply = MODEMD__V1__REPLY__INIT;
	char *names[] = { literal("mail.example") };

	r.n_name = 1;
	r.name = names;
	reply.request_id = id;
	reply.result_case = MODEMD__V1__REPLY__RESULT_REVERSE;
	reply.reverse = &r;
	fake_reply(f, &reply);
}

static void test_reverse(void **state)
{
	struct caller *c = fresh();
	Modemd__V1__Request *req;

	(void)state;
	c->text = "192.0.2.1";
	caller_start(c, call_reverse);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_REVERSE);
	assert_memory_equal(req->reverse->address.data, "192.0.2.1", 9);
	reverse_reply(c->f, req->id);
	fake_done(req);
	assert_int_equal(caller_finish(c), 0);
	assert_string_equal(c->buf, "mail.example");
	/* the answer to another question is not taken for it */
	caller_start(c, call_reverse);
	resolve_reply(c->f, fake_take(c->f, MODEMD__V1__REQUEST__KIND_REVERSE));
	assert_int_equal(caller_finish(c), -EPROTO);
	caller_free(c);
}

static void test_starts(void **state)
{
	struct caller *c = fresh();
	uint64_t status, resolve, cancelled;

	(void)state;
	assert_int_equal(modemclient_status_start(c->mc, &status), 0);
	assert_int_equal(modemclient_resolve_start(c->mc, "a", &resolve), 0);
	assert_int_equal(modemclient_resolve_start(c->mc, "b", &cancelled), 0);
	assert_int_equal(fake_take(c->f, MODEMD__V1__REQUEST__KIND_STATUS),
			 status);
	fake_take(c->f, MODEMD__V1__REQUEST__KIND_RESOLVE);
	fake_take(c->f, MODEMD__V1__REQUEST__KIND_RESOLVE);
	resolve_reply(c->f, resolve);		/* not in order */
	status_reply(c->f, status);
	assert_int_equal(modemclient_cancel(c->mc, cancelled), 0);
	assert_int_equal(modemclient_cancel(c->mc, 4711), -ENOENT);
	fake_error(c->f, cancelled, MODEMD__V1__STATUS__CANCELLED, NULL, NULL);
	assert_int_equal(caller_process(c), 0);
	assert_string_equal(c->heard, "reply:0 address:192.0.2.1 reply:0 "
			    "instance:modem reply:-125 ");
	c->heard[0] = '\0';
	assert_int_equal(modemclient_status_start(c->mc, &status), 0);
	fake_hang_up(c->f);
	assert_int_equal(caller_process(c), -ENOTCONN);
	assert_string_equal(c->heard, "reply:-107 disconnected:-107 ");
	caller_free(c);
}

static void test_modem_events(void **state)
{
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;
	Modemd__V1__NetworkEvent network = MODEMD__V1__NETWORK_EVENT__INIT;
	Modemd__V1__ModemEvent modem = MODEMD__V1__MODEM_EVENT__INIT;
	Modemd__V1__Stopping stopping = MODEMD__V1__STOPPING__INIT;
	Modemd__V1__EventsLost lost = MODEMD__V1__EVENTS_LOST__INIT;
	Modemd__V1__LinkNews news = MODEMD__V1__LINK_NEWS__INIT;
	Modemd__V1__LinkInfo info = MODEMD__V1__LINK_INFO__INIT;
	struct caller *c = fresh();

	(void)state;
	event.kind_case = MODEMD__V1__EVENT__KIND_NETWORK;
	event.network = &network;
	network.state = literal("open");
	fake_event(c->f, &event);
	event.kind_case = MODEMD__V1__EVENT__KIND_MODEM;
	event.modem = &modem;
	fake_event(c->f, &event);
	event.kind_case = MODEMD__V1__EVENT__KIND_STOPPING;
	event.stopping = &stopping;
	stopping.has_deadline_ms = 1;
	stopping.deadline_ms = 9;
	fake_event(c->f, &event);
	event.kind_case = MODEMD__V1__EVENT__KIND_EVENTS_LOST;
	event.events_lost = &lost;
	fake_event(c->f, &event);
	event.kind_case = MODEMD__V1__EVENT__KIND_LINK_NEWS;
	event.link_news = &news;
	fake_event(c->f, &event);		/* without a link: no news */
	news.link = &info;
	info.remote = literal("h:1");
	fake_event(c->f, &event);
	assert_int_equal(caller_process(c), 0);
	assert_string_equal(c->heard, "network:open modem: stopping:9 "
			    "events-lost:0 news:h:1 ");
	caller_free(c);
}

static void test_subscribe_refused(void **state)
{
	struct caller *c = fresh();
	Modemd__V1__Request *req;

	(void)state;
	c->len = MODEMCLIENT_TRACE | MODEMCLIENT_TRACE_PAYLOAD;
	caller_start(c, call_subscribe);
	req = fake_expect(c->f, MODEMD__V1__REQUEST__KIND_SUBSCRIBE);
	assert_true(req->subscribe->trace && req->subscribe->trace_payload);
	assert_false(req->subscribe->network || req->subscribe->links);
	fake_error(c->f, req->id, MODEMD__V1__STATUS__NO_PERMISSION,
		   "admins only", NULL);
	fake_done(req);
	assert_int_equal(caller_finish(c), -EPERM);
	caller_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_decisions),
		cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_endless_pages),
		cmocka_unit_test(test_history_events),
		cmocka_unit_test(test_trace),
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_reverse),
		cmocka_unit_test(test_starts),
		cmocka_unit_test(test_modem_events),
		cmocka_unit_test(test_subscribe_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
