/* SPDX-License-Identifier: MIT */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <event2/buffer.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/state.h"
#include "broker_bench.h"
#include "core_config.h"

/* ------------------------------------------------ messages as one string */

void add(struct bench *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	b->len += (size_t)vsnprintf(b->text + b->len, sizeof(b->text) - b->len,
				    fmt, ap);
	va_end(ap);
	assert_true(b->len < sizeof(b->text));
}

const char *status_name(Modemd__V1__Status status)
{
	const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(
		&modemd__v1__status__descriptor, (int)status);

	return v ? v->name : "?";
}

static void add_counts(struct bench *b, const Modemd__V1__Counts *c)
{
	add(b, "%d/%d/%d", (int)c->accepted, (int)c->taken, (int)c->received);
	assert_true(c->has_confirmed && c->confirmed == -1);
}

static void add_reply(struct bench *b, const Modemd__V1__Reply *r)
{
	assert_true(r->has_request_id && r->has_status);
	if (r->status != MODEMD__V1__STATUS__OK)
		assert_true(r->message && r->message[0]);
	add(b, "%d:%s", (int)r->request_id, status_name(r->status));
	if (r->result_case == MODEMD__V1__REPLY__RESULT_OPEN)
		add(b, "=%d%s", (int)r->open->link,
		    r->open->source ? "+source" : "");
	if (r->result_case == MODEMD__V1__REPLY__RESULT_RESOLVE)
		add(b, "=%s", r->resolve->address[0]);
	if (r->result_case == MODEMD__V1__REPLY__RESULT_REVERSE)
		add(b, "=%s", r->reverse->name[0]);
	if (r->result_case == MODEMD__V1__REPLY__RESULT_PING)
		add(b, "=%u/%u/%u", r->ping->sent, r->ping->received,
		    r->ping->lost);
	if (r->result_case == MODEMD__V1__REPLY__RESULT_AT)
		add(b, "=%s,%s", r->at->n_line ? r->at->line[0] : "",
		    r->at->final);
	add(b, " ");
}

static void add_data(struct bench *b, const Modemd__V1__Data *d)
{
	add(b, "data(%d,%zu%s%s) ", (int)d->link, d->data.len,
	    d->from ? "," : "", d->from ? d->from : "");
	assert_true(b->data_len + d->data.len <= sizeof(b->data));
	memcpy(b->data + b->data_len, d->data.data, d->data.len);
	b->data_len += d->data.len;
}

static void add_event(struct bench *b, const Modemd__V1__Event *e)
{
	switch (e->kind_case) {
	case MODEMD__V1__EVENT__KIND_QUEUED:
		add(b, "queued(%d) ", (int)e->queued->link);
		break;
	case MODEMD__V1__EVENT__KIND_OPENED:
		add(b, "opened(%d,%s) ", (int)e->opened->link,
		    status_name(e->opened->status));
		break;
	case MODEMD__V1__EVENT__KIND_DATA:
		add_data(b, e->data);
		break;
	case MODEMD__V1__EVENT__KIND_SENT:
		add(b, "sent(%d/%u,%u%s%s) ", (int)e->sent->link,
		    e->sent->epoch, e->sent->bytes,
		    e->sent->has_status ? "," : "",
		    e->sent->has_status ? status_name(e->sent->status) : "");
		break;
	case MODEMD__V1__EVENT__KIND_CLOSED:
		add(b, "closed(%d/%u,%s,%s,", (int)e->closed->link,
		    e->closed->epoch, status_name(e->closed->status),
		    e->closed->reason);
		add_counts(b, e->closed->counts);
		add(b, ") ");
		break;
	case MODEMD__V1__EVENT__KIND_LINK_LOST:
		add(b, "lost(%d/%u,%s,", (int)e->link_lost->link,
		    e->link_lost->epoch, e->link_lost->reason);
		add_counts(b, e->link_lost->counts);
		add(b, ") ");
		break;
	case MODEMD__V1__EVENT__KIND_LINK_RESTORED:
		add(b, "restored(%d/%u) ", (int)e->link_restored->link,
		    e->link_restored->epoch);
		break;
	case MODEMD__V1__EVENT__KIND_NETWORK:
		add(b, "network(%s) ", e->network->state);
		break;
	case MODEMD__V1__EVENT__KIND_MODEM:
		add(b, "modem(%s) ", e->modem->state);
		break;
	case MODEMD__V1__EVENT__KIND_STOPPING:
		add(b, "stopping(%u) ", e->stopping->deadline_ms);
		break;
	case MODEMD__V1__EVENT__KIND_EVENTS_LOST:
		add(b, "missed(%d) ", (int)e->events_lost->count);
		break;
	case MODEMD__V1__EVENT__KIND_TRACE:
		add(b, "trace(%s) ", e->trace->text);
		break;
	case MODEMD__V1__EVENT__KIND_LINK_NEWS:
		add(b, "news(%d,%s) ", (int)e->link_news->link->link,
		    e->link_news->what);
		break;
	case MODEMD__V1__EVENT__KIND_PING:
		add(b, "ping(%d,%u,%s) ", (int)e->ping->request_id,
		    e->ping->seq, e->ping->timeout ? "timeout" :
		    e->ping->address);
		break;
	case MODEMD__V1__EVENT__KIND_CONFIRMED:
		add(b, "confirmed(%d/%u,%d) ", (int)e->confirmed->link,
		    e->confirmed->epoch, (int)e->confirmed->confirmed);
		break;
	default:
		add(b, "event %d? ", (int)e->kind_case);
	}
}

void keep_message(struct bench *b, const char *message)
{
	snprintf(b->message, sizeof(b->message), "%s", message ? message : "");
}

const char *heard(struct bench *b, unsigned int client)
{
	Modemd__V1__ServerMessage *msg;

	b->text[0] = '\0';
	b->len = 0;
	b->data_len = 0;
	while ((msg = fake_client_next(b->conns[client]))) {
		if (msg->kind_case == MODEMD__V1__SERVER_MESSAGE__KIND_REPLY) {
			keep_message(b, msg->reply->message);
			b->add_reply(b, msg->reply);
		} else {
			b->add_event(b, msg->event);
		}
		modemd__v1__server_message__free_unpacked(msg, NULL);
	}

	return b->text;
}

unsigned int count(const char *text, const char *what)
{
	unsigned int n = 0;

	for (text = strstr(text, what); text; text = strstr(text + 1, what))
		n++;

	return n;
}

/* ------------------------------------------------------------------ asking */

void wait_ms(struct bench *b, uint32_t ms)
{
	fake_timers_advance(b->ts, ms);
}

bool ask(struct bench *b, unsigned int client, Modemd__V1__Request *r,
	 uint64_t id, Modemd__V1__Request__KindCase kind)
{
	r->has_id = true;
	r->id = id;
	r->kind_case = kind;

	return fake_client_send(b->conns[client], r);
}

Modemd__V1__ServerMessage *reply_of(struct bench *b, unsigned int client)
{
	Modemd__V1__ServerMessage *msg = fake_client_next(b->conns[client]);

	assert_non_null(msg);
	assert_int_equal(msg->kind_case,
			 MODEMD__V1__SERVER_MESSAGE__KIND_REPLY);
	assert_int_equal(fake_client_waiting(b->conns[client]), 0);

	return msg;
}

void free_reply(Modemd__V1__ServerMessage *msg)
{
	modemd__v1__server_message__free_unpacked(msg, NULL);
}

ProtobufCBinaryData binary(const void *data, size_t len)
{
	return (ProtobufCBinaryData){ len, (uint8_t *)(uintptr_t)data };
}

ProtobufCBinaryData chars(const char *s)
{
	return binary(s, strlen(s));
}

void say_hello(struct bench *b, unsigned int client, const char *name,
	       uint32_t version)
{
	Modemd__V1__Hello h = MODEMD__V1__HELLO__INIT;
	REQUEST(r);

	h.has_client_name = true;
	h.client_name = chars(name);
	h.has_protocol_version = true;
	h.protocol_version = version;
	r.hello = &h;
	ask(b, client, &r, 1, MODEMD__V1__REQUEST__KIND_HELLO);
}

unsigned int connect_as(struct bench *b, uid_t uid, bool admin)
{
	struct client_creds creds = {
		.pid = 1000 + (pid_t)b->count, .uid = uid, .gid = uid,
		.in_admin_group = admin, .comm = "tool",
	};

	assert_true(b->count < BENCH_CLIENTS);
	b->conns[b->count] = fake_client_connect(b->world.listener, &creds);

	return b->conns[b->count] ? b->count++ : UINT_MAX;
}

static void introduce(struct bench *b, unsigned int client, const char *name)
{
	Modemd__V1__ServerMessage *msg;

	say_hello(b, client, name, WIRE_PROTOCOL_VERSION);
	msg = reply_of(b, client);
	assert_int_equal(msg->reply->status, MODEMD__V1__STATUS__OK);
	free_reply(msg);
}

unsigned int client(struct bench *b, const char *name)
{
	unsigned int n = connect_as(b, 500, false);

	assert_int_not_equal(n, UINT_MAX);
	introduce(b, n, name);

	return n;
}

unsigned int admin(struct bench *b, const char *name)
{
	unsigned int c = connect_as(b, 501, true);

	assert_int_not_equal(c, UINT_MAX);
	introduce(b, c, name);

	return c;
}

void ask_open_with(struct bench *b, unsigned int c, uint64_t id,
		   const struct open_options *with)
{
	Modemd__V1__Open o = MODEMD__V1__OPEN__INIT;
	REQUEST(r);

	o.has_host = true;
	o.host = chars("host.example");
	o.has_port = true;
	o.port = 80;
	o.has_wait_ms = with->wait_ms > 0;
	o.wait_ms = with->wait_ms;
	o.has_restore = with->restore;
	o.restore = with->restore;
	o.has_credit = with->has_credit;
	o.credit = with->credit;
	r.open = &o;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_OPEN);
}

void ask_open(struct bench *b, unsigned int c, uint64_t id, uint32_t wait)
{
	struct open_options with = { .wait_ms = wait };

	ask_open_with(b, c, id, &with);
}

void ask_send(struct bench *b, unsigned int c, uint64_t id, uint64_t link,
	      uint32_t epoch, const void *data, size_t len)
{
	Modemd__V1__Send s = MODEMD__V1__SEND__INIT;
	REQUEST(r);

	s.has_link = s.has_epoch = s.has_data = true;
	s.link = link;
	s.epoch = epoch;
	s.data = binary(data, len);
	r.send = &s;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_SEND);
}

void ask_credit(struct bench *b, unsigned int c, uint64_t id, uint64_t link,
		uint32_t amount)
{
	Modemd__V1__Credit m = MODEMD__V1__CREDIT__INIT;
	REQUEST(r);

	m.has_link = m.has_epoch = m.has_bytes = true;
	m.link = link;
	m.epoch = 1;
	m.bytes = amount;
	r.credit = &m;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_CREDIT);
}

void ask_close(struct bench *b, unsigned int c, uint64_t id, uint64_t link,
	       bool abort_it)
{
	Modemd__V1__Close m = MODEMD__V1__CLOSE__INIT;
	REQUEST(r);

	m.has_link = m.has_abort = true;
	m.link = link;
	m.abort = abort_it;
	r.close = &m;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_CLOSE);
}

void ask_resolve(struct bench *b, unsigned int c, uint64_t id, const char *name)
{
	Modemd__V1__Resolve m = MODEMD__V1__RESOLVE__INIT;
	REQUEST(r);

	m.has_name = true;
	m.name = chars(name);
	r.resolve = &m;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_RESOLVE);
}

void ask_cancel(struct bench *b, unsigned int c, uint64_t id, uint64_t which)
{
	Modemd__V1__Cancel m = MODEMD__V1__CANCEL__INIT;
	REQUEST(r);

	m.has_request_id = true;
	m.request_id = which;
	r.cancel = &m;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_CANCEL);
}

void ask_history(struct bench *b, unsigned int c, uint64_t id,
		 const char *remote)
{
	Modemd__V1__HistoryRequest m = MODEMD__V1__HISTORY_REQUEST__INIT;
	REQUEST(r);

	m.has_remote = remote != NULL;
	if (remote)
		m.remote = chars(remote);
	r.history = &m;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_HISTORY);
}

void ask_status(struct bench *b, unsigned int c, uint64_t id)
{
	Modemd__V1__StatusRequest m = MODEMD__V1__STATUS_REQUEST__INIT;
	REQUEST(r);

	r.status = &m;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_STATUS);
}

void ask_subscribe(struct bench *b, unsigned int c, uint64_t id, bool network,
		   bool links, bool trace, bool payload)
{
	Modemd__V1__Subscribe m = MODEMD__V1__SUBSCRIBE__INIT;
	REQUEST(r);

	m.has_network = m.has_links = m.has_trace = m.has_trace_payload = true;
	m.network = network;
	m.links = links;
	m.trace = trace;
	m.trace_payload = payload;
	r.subscribe = &m;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_SUBSCRIBE);
}

uint64_t opened(struct bench *b, unsigned int c)
{
	unsigned int link;

	ask_open(b, c, 7, 0);
	wait_ms(b, 50);
	assert_int_equal(sscanf(heard(b, c), "7:OK=%u opened(", &link), 1);
	assert_non_null(strstr(b->text, ",OK) "));

	return link;
}

/* ---------------------------------------------------------------- its life */

static void on_stopped(void *ctx)
{
	((struct bench *)ctx)->stopped++;
}

int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct broker_args args = { .boot_id = "boot", .stopped = on_stopped };
	int err;

	log_init("test", LOG_TARGET_STDERR, getenv("TEST_LOG") ?
		 LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
	b->ts = fake_timers_new(1, &b->world);
	core_config(&b->cfg);
	strcpy(b->dir, "/tmp/modemd-test-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->path, sizeof(b->path), "%s/state", b->dir);
	b->state = state_open(b->path, &err);
	b->script = script_new(&b->world);
	history_new(b->ts, &b->cfg.history, "test", "boot", &b->history);
	args.timers = b->ts;
	args.cfg = &b->cfg;
	args.state = b->state;
	args.history = b->history;
	args.ctx = b;
	assert_int_equal(broker_new(&args, &b->broker), 0);
	b->add_reply = add_reply;
	b->add_event = add_event;
	*state = b;

	return 0;
}

int set_up_open(void **state)
{
	struct bench *b;

	set_up(state);
	b = *state;
	broker_start(b->broker);
	wait_ms(b, 3000);
	assert_true(script_set(b->script)->net_open);
	script_forget_heard(b->script);

	return 0;
}

int tear_down(void **state)
{
	struct bench *b = *state;
	unsigned int i;

	assert_int_equal(fake_history_wrong(b->history), 0);
	broker_free(b->broker);
	for (i = 0; i < b->count; i++)
		fake_client_free(b->conns[i]);
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
