/* SPDX-License-Identifier: MIT */

/*
 * Clients, what they may ask, what they hear, and what they leave behind: the
 * broker over the real modem layer, with a scripted modem below and played
 * clients above.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <event2/buffer.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/log.h"
#include "base/state.h"
#include "broker/broker.h"
#include "core_config.h"
#include "fake_client.h"
#include "fake_history.h"
#include "fake_port.h"
#include "fake_timer.h"
#include "fake_world.h"
#include "scripted_modem.h"
#include "wire.h"

#define CLIENTS		1100

struct bench {
	struct fake_world world;
	struct timers *ts;
	struct config cfg;
	struct state *state;
	struct history *history;
	struct script *script;
	struct broker *broker;
	struct client_conn *conns[CLIENTS];
	unsigned int count;
	char dir[32], path[64];
	char text[1 << 21];	/* of the last heard() */
	size_t len;
	char data[65536];	/* that came with it */
	size_t data_len;
	unsigned int stopped;
};

static uint8_t bytes[WIRE_FRAME_MAX];

/* ------------------------------------------------ messages as one string */

__attribute__((format(printf, 2, 3)))
static void add(struct bench *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	b->len += (size_t)vsnprintf(b->text + b->len, sizeof(b->text) - b->len,
				    fmt, ap);
	va_end(ap);
	assert_true(b->len < sizeof(b->text));
}

static const char *status_name(Modemd__V1__Status status)
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

/* All that this client was told since the last look. */
static const char *heard(struct bench *b, unsigned int client)
{
	Modemd__V1__ServerMessage *msg;

	b->text[0] = '\0';
	b->len = 0;
	b->data_len = 0;
	while ((msg = fake_client_next(b->conns[client]))) {
		if (msg->kind_case == MODEMD__V1__SERVER_MESSAGE__KIND_REPLY)
			add_reply(b, msg->reply);
		else
			add_event(b, msg->event);
		modemd__v1__server_message__free_unpacked(msg, NULL);
	}

	return b->text;
}

static unsigned int count(const char *text, const char *what)
{
	unsigned int n = 0;

	for (text = strstr(text, what); text; text = strstr(text + 1, what))
		n++;

	return n;
}

/* ---------------------------------------------------------------- asking */

static void wait_ms(struct bench *b, uint32_t ms)
{
	fake_timers_advance(b->ts, ms);
}

static bool ask(struct bench *b, unsigned int client, Modemd__V1__Request *r,
		uint64_t id, Modemd__V1__Request__KindCase kind)
{
	r->has_id = true;
	r->id = id;
	r->kind_case = kind;

	return fake_client_send(b->conns[client], r);
}

/* The reply with that id, which is the only message; free it. */
static Modemd__V1__ServerMessage *reply_of(struct bench *b,
					   unsigned int client)
{
	Modemd__V1__ServerMessage *msg = fake_client_next(b->conns[client]);

	assert_non_null(msg);
	assert_int_equal(msg->kind_case,
			 MODEMD__V1__SERVER_MESSAGE__KIND_REPLY);
	assert_int_equal(fake_client_waiting(b->conns[client]), 0);

	return msg;
}

static void free_reply(Modemd__V1__ServerMessage *msg)
{
	modemd__v1__server_message__free_unpacked(msg, NULL);
}

static ProtobufCBinaryData binary(const void *data, size_t len)
{
	return (ProtobufCBinaryData){ len, (uint8_t *)(uintptr_t)data };
}

static ProtobufCBinaryData chars(const char *s)
{
	return binary(s, strlen(s));
}

#define REQUEST(r) Modemd__V1__Request r = MODEMD__V1__REQUEST__INIT

static void say_hello(struct bench *b, unsigned int client, const char *name,
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

/* A number for it, or UINT_MAX when it was refused. */
static unsigned int connect_as(struct bench *b, uid_t uid, bool admin)
{
	struct client_creds creds = {
		.pid = 1000 + (pid_t)b->count, .uid = uid, .gid = uid,
		.in_admin_group = admin, .comm = "tool",
	};

	b->conns[b->count] = fake_client_connect(b->world.listener, &creds);

	return b->conns[b->count] ? b->count++ : UINT_MAX;
}

static unsigned int client(struct bench *b, const char *name)
{
	unsigned int n = connect_as(b, 500, false);

	assert_int_not_equal(n, UINT_MAX);
	say_hello(b, n, name, 1);
	assert_string_equal(heard(b, n), "1:OK ");

	return n;
}

struct open_options {
	uint32_t wait_ms;
	bool restore;
	bool has_credit;
	uint32_t credit;
};

static void ask_open_with(struct bench *b, unsigned int c, uint64_t id,
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

static void ask_open(struct bench *b, unsigned int c, uint64_t id,
		     uint32_t wait)
{
	struct open_options with = { .wait_ms = wait };

	ask_open_with(b, c, id, &with);
}

static void ask_send(struct bench *b, unsigned int c, uint64_t id,
		     uint64_t link, uint32_t epoch, const void *data,
		     size_t len)
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

static void ask_credit(struct bench *b, unsigned int c, uint64_t id,
		       uint64_t link, uint32_t amount)
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

static void ask_close(struct bench *b, unsigned int c, uint64_t id,
		      uint64_t link, bool abort_it)
{
	Modemd__V1__Close m = MODEMD__V1__CLOSE__INIT;
	REQUEST(r);

	m.has_link = m.has_abort = true;
	m.link = link;
	m.abort = abort_it;
	r.close = &m;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_CLOSE);
}

static void ask_resolve(struct bench *b, unsigned int c, uint64_t id,
			const char *name)
{
	Modemd__V1__Resolve m = MODEMD__V1__RESOLVE__INIT;
	REQUEST(r);

	m.has_name = true;
	m.name = chars(name);
	r.resolve = &m;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_RESOLVE);
}

static void ask_reverse(struct bench *b, unsigned int c, uint64_t id,
			const char *address)
{
	Modemd__V1__Reverse m = MODEMD__V1__REVERSE__INIT;
	REQUEST(r);

	m.has_address = true;
	m.address = chars(address);
	r.reverse = &m;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_REVERSE);
}

static void ask_cancel(struct bench *b, unsigned int c, uint64_t id,
		       uint64_t which)
{
	Modemd__V1__Cancel m = MODEMD__V1__CANCEL__INIT;
	REQUEST(r);

	m.has_request_id = true;
	m.request_id = which;
	r.cancel = &m;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_CANCEL);
}

static void ask_history(struct bench *b, unsigned int c, uint64_t id,
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

static void ask_status(struct bench *b, unsigned int c, uint64_t id)
{
	Modemd__V1__StatusRequest m = MODEMD__V1__STATUS_REQUEST__INIT;
	REQUEST(r);

	r.status = &m;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_STATUS);
}

static void ask_subscribe(struct bench *b, unsigned int c, uint64_t id,
			  bool network, bool links, bool trace, bool payload)
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

/* A link of that client, open; what was said on the way is forgotten. */
static uint64_t opened(struct bench *b, unsigned int c)
{
	unsigned int link;

	ask_open(b, c, 7, 0);
	wait_ms(b, 50);
	assert_int_equal(sscanf(heard(b, c), "7:OK=%u opened(", &link), 1);
	assert_non_null(strstr(b->text, ",OK) "));

	return link;
}

/* ----------------------------------------------------------------- its life */

static void on_stopped(void *ctx)
{
	((struct bench *)ctx)->stopped++;
}

static int set_up(void **state)
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
	*state = b;

	return 0;
}

static int set_up_open(void **state)
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

static int tear_down(void **state)
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

/* -------------------------------------------------------------------- hello */

static void hello(void **state)
{
	struct bench *b = *state;
	unsigned int c = connect_as(b, 500, false);
	Modemd__V1__ServerMessage *msg;

	say_hello(b, c, "logger", 1);
	msg = reply_of(b, c);
	assert_string_equal(msg->reply->hello->server_version, MODEMD_VERSION);
	assert_int_equal(msg->reply->hello->protocol_version, 1);
	assert_string_equal(msg->reply->hello->instance, "test");
	assert_string_equal(msg->reply->hello->boot_id, "boot");
	assert_int_equal(msg->reply->hello->max_frame, 65536);
	assert_int_equal(msg->reply->hello->window, 65536);
	assert_int_equal(msg->reply->hello->credit, 65536);
	assert_string_equal(msg->reply->hello->dialect, "simcom");
	assert_true(msg->reply->hello->n_capabilities >= 1);
	assert_false(msg->reply->hello->admin);
	free_reply(msg);
	say_hello(b, c, "logger", 1);
	assert_string_equal(heard(b, c), "1:INVALID ");
	wait_ms(b, 60000);
	assert_null(fake_client_closed(b->conns[c]));
}

static void hello_is_required(void **state)
{
	struct bench *b = *state;
	unsigned int c = connect_as(b, 500, false);

	ask_open(b, c, 5, 0);
	assert_string_equal(heard(b, c), "5:BAD_PROTOCOL ");
	assert_non_null(fake_client_closed(b->conns[c]));
	/* what it had sent behind it is not looked at */
	say_hello(b, c, "late", 1);
	wait_ms(b, 1);
	assert_string_equal(heard(b, c), "");
	assert_true(fake_client_gone(b->conns[c]));
	assert_int_equal(script_heard(b->script, "AT+CIPOPEN="), 0);
}

static void hello_in_time(void **state)
{
	struct bench *b = *state;
	unsigned int quick = client(b, "quick"), slow;

	slow = connect_as(b, 500, false);
	wait_ms(b, 4990);
	assert_null(fake_client_closed(b->conns[slow]));
	wait_ms(b, 20);
	assert_true(fake_client_gone(b->conns[slow]));
	assert_null(fake_client_closed(b->conns[quick]));
}

static void other_versions(void **state)
{
	static const uint32_t versions[] = { 0, 2, 4294967295U };
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < 3; i++) {
		unsigned int c = connect_as(b, 500, false);

		say_hello(b, c, "tool", versions[i]);
		assert_string_equal(heard(b, c), "1:BAD_PROTOCOL ");
		wait_ms(b, 1);
		assert_true(fake_client_gone(b->conns[c]));
	}
}

static void names(void **state)
{
	static const char *const bad[] = {
		"", "a\nb", "\x1b[2J", "caf\xc3\xa9",
		("1234567890123456789012345678901234567890123456789012345678"
		 "9012345"),
	};
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		unsigned int c = connect_as(b, 500, false);

		say_hello(b, c, bad[i], 1);
		assert_string_equal(heard(b, c), "1:INVALID ");
		wait_ms(b, 1);
		assert_true(fake_client_gone(b->conns[c]));
	}
	client(b, "12345678901234567890123456789012"
	       "34567890123456789012345678901234");
}

/* D2, D10, I4: it, and no other. */
static void malformed_frame(void **state)
{
	static const struct { const char *frame; size_t len; } bad[] = {
		{ "\xff", 1 }, { "\x12\x7f", 2 }, { "\x08", 1 },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11 },
		{ "\x1a\x05\x12\xff", 4 },
	};
	struct bench *b = *state;
	unsigned int good = client(b, "good");
	uint64_t link = opened(b, good);
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		unsigned int c = i % 2 ? client(b, "bad") :
				 connect_as(b, 500, false);

		fake_client_send_bytes(b->conns[c], bad[i].frame, bad[i].len);
		wait_ms(b, 1);
		assert_true(fake_client_gone(b->conns[c]));
	}
	ask_send(b, good, 3, link, 1, "hello", 5);
	wait_ms(b, 50);
	assert_string_equal(heard(b, good), "3:OK sent(1/1,5) ");
}

static void any_bytes(void **state)
{
	struct bench *b = *state;
	unsigned int good = client(b, "good"), c = UINT_MAX;
	uint64_t seed = 1;
	uint8_t frame[64];
	size_t len, i;
	int n;

	for (n = 0; n < 20000; n++) {
		if (c == UINT_MAX || fake_client_closed(b->conns[c])) {
			wait_ms(b, 1);
			if (c != UINT_MAX) {
				fake_client_free(b->conns[c]);
				b->count--;
			}
			c = client(b, "fuzzer");
		}
		len = (size_t)(n % (int)sizeof(frame));
		for (i = 0; i < len; i++) {
			seed = seed * 6364136223846793005ULL +
			       1442695040888963407ULL;
			frame[i] = (uint8_t)(seed >> 40);
		}
		/* often something that looks like a request */
		if (len > 2 && n % 3) {
			frame[0] = (uint8_t)(((n % 29) << 3 | 2) & 0x7f);
			frame[1] = (uint8_t)(len - 2);
		}
		fake_client_send_bytes(b->conns[c], frame, len);
		heard(b, c);
	}
	assert_null(fake_client_closed(b->conns[good]));
	ask_status(b, good, 9);
	assert_string_equal(heard(b, good), "9:OK ");
}

/* D11: fields that only a newer client knows, requests too. */
static void unknown_requests_and_fields(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "newer");

	/* id 9, and field 99 (varint) */
	fake_client_send_bytes(b->conns[c], "\x08\x09\x98\x06\x01", 5);
	assert_string_equal(heard(b, c), "9:NOT_SUPPORTED ");
	/* id 9, request 20 (reserved), empty */
	fake_client_send_bytes(b->conns[c], "\x08\x09\xa2\x01\x00", 5);
	assert_string_equal(heard(b, c), "9:NOT_SUPPORTED ");
	/* no id, no kind */
	fake_client_send_bytes(b->conns[c], "", 0);
	assert_string_equal(heard(b, c), "0:NOT_SUPPORTED ");
	/* status, with an unknown field inside */
	fake_client_send_bytes(b->conns[c], "\x08\x04\x7a\x03\x98\x06\x01", 7);
	assert_string_equal(heard(b, c), "4:OK ");
	assert_null(fake_client_closed(b->conns[c]));
}

/* ---------------------------------------------------------------- ownership */

/* S12, D8 */
static void links_of_others(void **state)
{
	struct bench *b = *state;
	unsigned int a = client(b, "a"), c = client(b, "c");
	uint64_t link = opened(b, a), ids[4];
	size_t i;

	ids[0] = link;			/* a's */
	ids[1] = 0;
	ids[2] = link + 1;		/* not yet */
	ids[3] = UINT64_MAX;
	for (i = 0; i < 4; i++) {
		ask_send(b, c, 1, ids[i], 1, "evil", 4);
		ask_credit(b, c, 2, ids[i], 1);
		ask_close(b, c, 3, ids[i], true);
		wait_ms(b, 100);
		assert_string_equal(heard(b, c), "1:NO_SUCH_LINK "
				    "2:NO_SUCH_LINK 3:NO_SUCH_LINK ");
	}
	assert_string_equal(heard(b, a), "");
	assert_int_equal(evbuffer_get_length(script_sent(b->script, 9)), 0);
	/* also for an admin: it is about whose it is */
	c = connect_as(b, 0, true);
	say_hello(b, c, "root", 1);
	heard(b, c);
	ask_send(b, c, 1, link, 1, "evil", 4);
	assert_string_equal(heard(b, c), "1:NO_SUCH_LINK ");
	/* and one's own that has ended */
	ask_close(b, a, 4, link, true);
	wait_ms(b, 100);
	assert_string_equal(heard(b, a), "4:OK closed(1/1,OK,local,0/0/0) ");
	ask_send(b, a, 5, link, 1, "x", 1);
	ask_close(b, a, 6, link, true);
	assert_string_equal(heard(b, a), "5:NO_SUCH_LINK 6:NO_SUCH_LINK ");
}

static void open_send_receive_close(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	const struct fake_session *s;
	uint64_t link;

	ask_open(b, c, 2, 0);
	assert_string_equal(heard(b, c), "2:OK=1 ");
	wait_ms(b, 50);
	assert_string_equal(heard(b, c), "opened(1,OK) ");
	link = 1;
	ask_send(b, c, 3, link, 1, "hello", 5);
	wait_ms(b, 50);
	assert_string_equal(heard(b, c), "3:OK sent(1/1,5) ");
	script_peer_sends(b->script, 9, "a\0b", 3);
	wait_ms(b, 50);
	assert_string_equal(heard(b, c), "data(1,3) ");
	assert_memory_equal(b->data, "a\0b", 3);
	s = fake_history_session(b->history, 1, 1);
	assert_non_null(s);
	assert_false(s->closed);
	assert_string_equal(s->client, "tool");
	assert_string_equal(s->remote, "host.example:80");
	assert_int_equal(s->slot, 9);
	assert_int_equal(s->uid, 500);
	ask_close(b, c, 4, link, false);
	wait_ms(b, 50);
	assert_string_equal(heard(b, c), "4:OK closed(1/1,OK,local,5/5/3) ");
	assert_true(s->closed);
	assert_string_equal(s->reason, "local");
	assert_int_equal(s->counts.accepted, 5);
	assert_int_equal(s->counts.taken, 5);
	assert_int_equal(s->counts.received, 3);
	assert_int_equal(s->counts.confirmed, -1);
}

static void open_fails(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	const struct fake_session *s;

	script_answer(b->script, "AT+CIPOPEN=",
		      "\r\nOK\r\n\r\n+CIPOPEN: 9,1\r\n", 1);
	ask_open(b, c, 2, 0);
	wait_ms(b, 50);
	assert_string_equal(heard(b, c), "2:OK=1 opened(1,REFUSED) ");
	s = fake_history_session(b->history, 1, 1);
	assert_true(s->closed);
	assert_string_equal(s->reason, "refused");
	assert_string_equal(s->text, "Network failure");
	ask_close(b, c, 3, 1, true);
	assert_string_equal(heard(b, c), "3:NO_SUCH_LINK ");
}

/* S1, C11: refused before any byte reaches the modem. */
static void bad_opens(void **state)
{
	static const struct {
		const char *host;
		size_t len;
		int64_t port, local_port;
		int type;
		const char *want;
	} cases[] = {
		{ "h\r\nAT+CFUN=0", 12, 80, 0, 0, "2:INVALID " },
		{ "h\"", 2, 80, 0, 0, "2:INVALID " },
		{ "h\0h", 3, 80, 0, 0, "2:INVALID " },
		{ "", 0, 80, 0, 0, "2:INVALID " },
		{ "h", 1, -1, 0, 0, "2:INVALID " },
		{ "h", 1, 0, 0, 0, "2:INVALID " },
		{ "h", 1, 65536, 0, 0, "2:INVALID " },
		{ "h", 1, 80, 65536, 0, "2:INVALID " },
		{ "h", 1, 80, 0, 2, "2:INVALID " },
		{ "h", 1, 80, 0, 3, "2:NOT_SUPPORTED " },
		{ "::g", 3, 80, 0, 0, "2:INVALID " },
		{ "::1", 3, 80, 0, 0, "2:NOT_SUPPORTED " },
	};
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		Modemd__V1__Open o = MODEMD__V1__OPEN__INIT;
		REQUEST(r);

		o.has_host = true;
		o.host = binary(cases[i].host, cases[i].len);
		o.has_port = cases[i].port >= 0;
		o.port = (uint32_t)cases[i].port;
		o.has_local_port = true;
		o.local_port = (uint32_t)cases[i].local_port;
		o.has_type = cases[i].type;
		o.type = (Modemd__V1__LinkType)cases[i].type;
		r.open = &o;
		ask(b, c, &r, 2, MODEMD__V1__REQUEST__KIND_OPEN);
		assert_string_equal(heard(b, c), cases[i].want);
	}
	wait_ms(b, 1000);
	assert_int_equal(script_heard(b->script, ""), 0);
	ask_resolve(b, c, 3, "a\rAT+CFUN=0");
	wait_ms(b, 1000);
	assert_string_equal(heard(b, c), "3:INVALID ");
	assert_int_equal(script_heard(b->script, ""), 0);
}

static void bad_sends(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	uint64_t link = opened(b, c);

	ask_send(b, c, 2, link, 1, "", 0);
	ask_send(b, c, 3, link, 1, bytes, WIRE_DATA_MAX + 1);
	ask_send(b, c, 4, link, 2, "x", 1);
	ask_send(b, c, 5, link, 0, "x", 1);
	assert_string_equal(heard(b, c), "2:INVALID 3:TOO_LONG 4:STALE_EPOCH "
			    "5:STALE_EPOCH ");
	ask_send(b, c, 6, link, 1, bytes, WIRE_DATA_MAX);
	assert_string_equal(heard(b, c), "6:OK ");
}

/* ---------------------------------------------------------------- datagrams */

static void ask_open_udp(struct bench *b, unsigned int c, uint64_t id,
			 const char *host, int port, bool want_source)
{
	Modemd__V1__Open o = MODEMD__V1__OPEN__INIT;
	REQUEST(r);

	o.has_type = true;
	o.type = MODEMD__V1__LINK_TYPE__UDP;
	o.has_host = host != NULL;
	if (host)
		o.host = chars(host);
	o.has_port = port >= 0;
	o.port = (uint32_t)port;
	o.has_want_source = o.want_source = want_source;
	r.open = &o;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_OPEN);
}

static void ask_send_to(struct bench *b, unsigned int c, uint64_t id,
			uint64_t link, const char *host, int port, size_t len)
{
	Modemd__V1__Send s = MODEMD__V1__SEND__INIT;
	REQUEST(r);

	s.has_link = s.has_epoch = s.has_data = true;
	s.link = link;
	s.epoch = 1;
	s.data = binary(bytes, len);
	s.has_to_host = host != NULL;
	if (host)
		s.to_host = chars(host);
	s.has_to_port = port >= 0;
	s.to_port = (uint32_t)port;
	r.send = &s;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_SEND);
}

static void datagrams(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	const struct fake_session *row;

	ask_open_udp(b, c, 2, NULL, -1, true);
	wait_ms(b, 500);
	assert_string_equal(heard(b, c), "2:OK=1+source opened(1,OK) ");
	ask_send_to(b, c, 3, 1, "192.0.2.1", 53, 5);
	wait_ms(b, 100);
	assert_string_equal(heard(b, c), "3:OK sent(1/1,5) ");
	assert_int_equal(script_heard(b->script, "AT+CIPSEND=9,5,"
				      "\"192.0.2.1\",53"), 1);
	script_peer_sends(b->script, 9, "ab", 2);
	script_peer_sends(b->script, 9, "c", 1);
	wait_ms(b, 100);
	assert_string_equal(heard(b, c), "data(1,2,192.0.2.7:53) "
			    "data(1,1,192.0.2.7:53) ");
	script_set(b->script)->send_max = 1000;
	ask_send_to(b, c, 4, 1, "192.0.2.1", 53, 1001);
	wait_ms(b, 100);
	assert_string_equal(heard(b, c), "4:OK sent(1/1,1001,TOO_LONG) ");
	row = TAILQ_LAST(fake_history_sessions(b->world.history),
			 fake_session_list);
	assert_string_equal(row->type, "udp");
	assert_string_equal(row->remote, "*:0");
}

static void bad_datagrams(void **state)
{
	static const struct {
		const char *host;
		int port;
	} opens[] = {
		{ "name.example", 53 }, { "192.0.2.1", -1 }, { "192.0.2.1", 0 },
		{ NULL, 53 }, { "192.0.2.1", 65536 }, { "192.0.2.1.", 53 },
		{ "::g", 53 }, { "", 53 }, { "192.0.2.1\r", 53 },
	};
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	uint64_t tcp = opened(b, c);
	size_t i;

	for (i = 0; i < sizeof(opens) / sizeof(opens[0]); i++) {
		ask_open_udp(b, c, 2, opens[i].host, opens[i].port, false);
		assert_string_equal(heard(b, c), "2:INVALID ");
	}
	ask_open_udp(b, c, 2, NULL, -1, false);
	wait_ms(b, 500);
	assert_string_equal(heard(b, c), "2:OK=2 opened(2,OK) ");
	for (i = 0; i < sizeof(opens) / sizeof(opens[0]); i++) {
		ask_send_to(b, c, 3, 2, opens[i].host, opens[i].port, 1);
		assert_string_equal(heard(b, c), "3:INVALID ");
	}
	ask_send_to(b, c, 3, 2, NULL, -1, 1);
	ask_send_to(b, c, 4, 2, "192.0.2.1", 53, 1501);
	ask_send_to(b, c, 5, tcp, "192.0.2.1", 53, 1);
	assert_string_equal(heard(b, c), "3:INVALID 4:TOO_LONG 5:INVALID ");
	wait_ms(b, 500);
	assert_int_equal(script_heard(b->script, "AT+CIPSEND="), 0);
}

/* ---------------------------------------------- what a client leaves behind */

/* D5: in every state that a link can have. */
static void client_gone(void **state)
{
	static const char *const states[] = {
		"waiting for a slot", "opening", "open", "sending", "reading",
		"closing", "lost", "closed by the peer",
	};
	struct bench *b = *state;
	unsigned int other = client(b, "other");
	size_t i;

	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		unsigned int c = client(b, "gone");
		struct open_options with = { .restore = i == 6 };
		const struct fake_session *s;
		unsigned int link = 0;

		if (i == 0) {
			int n;

			for (n = 0; n < 10; n++)
				opened(b, other);
			with.wait_ms = 60000;
		}
		if (i == 1)
			script_answer(b->script, "AT+CIPOPEN=",
				      "\r\nOK\r\n", 1);
		ask_open_with(b, c, 2, &with);
		wait_ms(b, 50);
		assert_int_equal(sscanf(heard(b, c), "2:OK=%u", &link), 1);
		if (i == 3)
			script_send_result(b->script, "");
		if (i == 3)
			ask_send(b, c, 3, link, 1, "hello", 5);
		if (i == 4)
			script_answer(b->script, "AT+CIPRXGET=2", "", 1);
		if (i == 4)
			script_say(b->script, "\r\n+CIPRXGET: 1,9\r\n"
				   "\r\n+CIPRXGET: 1,8\r\n");
		if (i == 5) {
			script_answer(b->script, "AT+CIPCLOSE=",
				      "\r\nOK\r\n", 1);
			ask_close(b, c, 4, link, false);
		}
		if (i == 6) {
			script_set(b->script)->net_open = false;
			script_answer(b->script, "AT+NETOPEN",
				      "\r\nERROR\r\n", 1);
			script_say(b->script, "\r\n+CIPEVENT: NETWORK CLOSED "
				   "UNEXPECTEDLY\r\n");
		}
		if (i == 7) {
			script_peer_sends(b->script, 9, "x", 1);
			script_answer(b->script, "AT+CIPRXGET=2", "", 1);
			script_say(b->script, "\r\n+IPCLOSE: 9,1\r\n");
		}
		wait_ms(b, 15);
		fake_client_disconnect(b->conns[c]);
		if (i == 0)
			fake_client_disconnect(b->conns[other]);
		wait_ms(b, 60000);
		script_send_result(b->script, NULL);
		s = fake_history_session(b->history, link, 1);
		if (!s || !s->closed)
			fail_msg("%s: its row is open", states[i]);
		if (i < 5)
			assert_string_equal(s->reason, "client-gone");
		assert_int_equal(fake_history_open_sessions(b->history), 0);
		/* a result that comes now reaches nobody */
		if (i == 1)
			script_say(b->script, "\r\n+CIPOPEN: 9,0\r\n");
		wait_ms(b, 1000);
		if (script_open_slots(b->script))
			fail_msg("%s: a slot stays open", states[i]);
	}
	other = client(b, "after");
	ask_status(b, other, 5);
	heard(b, other);
	assert_int_equal(opened(b, other) > 0, true);
}

static void client_gone_with_queries(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "gone"), d = client(b, "stays");

	script_answer(b->script, "AT+CDNSGIP", "", 1);
	fake_history_answer(b->history, 0, NULL, 0, 5000);
	ask_resolve(b, c, 2, "a.example");
	ask_resolve(b, c, 3, "b.example");
	ask_history(b, c, 4, NULL);
	ask_resolve(b, d, 2, "c.example");
	wait_ms(b, 100);
	fake_client_disconnect(b->conns[c]);
	assert_int_equal(fake_history_waiting(b->history), 0);
	script_say(b->script, "\r\n+CDNSGIP: 1,\"a\",\"1.2.3.4\"\r\n"
		   "\r\nOK\r\n");
	wait_ms(b, 10000);
	assert_string_equal(heard(b, d), "2:OK=93.184.216.34 ");
}

/* Whoever kills the others' connection takes only his own with him. */
static void crowd_goes_at_random(void **state)
{
	struct bench *b = *state;
	unsigned int i, c, round;
	uint64_t seed = 5;

	for (round = 0; round < 300; round++) {
		c = client(b, "crowd");
		ask_open(b, c, 2, 3000);
		wait_ms(b, (uint32_t)(seed >> 40) % 30);
		ask_send(b, c, 3, round + 1, 1, "hello", 5);
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		i = (unsigned int)((seed >> 33) % b->count);
		fake_client_disconnect(b->conns[i]);
		wait_ms(b, (uint32_t)(seed >> 50) % 20);
	}
	for (i = 0; i < b->count; i++)
		fake_client_disconnect(b->conns[i]);
	wait_ms(b, 60000);
	assert_int_equal(script_open_slots(b->script), 0);
	assert_int_equal(fake_history_open_sessions(b->history), 0);
}

/* ------------------------------------------------------------------- limits */

/* A7: the message names who holds them. */
static void no_slot(void **state)
{
	struct bench *b = *state;
	unsigned int a = client(b, "alpha"), c = client(b, "beta");
	Modemd__V1__ServerMessage *msg;
	int i;

	for (i = 0; i < 7; i++)
		opened(b, a);
	for (i = 0; i < 3; i++)
		opened(b, c);
	ask_open(b, c, 2, 0);
	msg = reply_of(b, c);
	assert_int_equal(msg->reply->status, MODEMD__V1__STATUS__NO_SLOT);
	assert_non_null(strstr(msg->reply->message, "alpha (pid 1000): 7"));
	assert_non_null(strstr(msg->reply->message, "beta (pid 1001): 3"));
	free_reply(msg);
	/* and waiting works, in turn */
	ask_open(b, c, 3, 60000);
	wait_ms(b, 100);
	assert_string_equal(heard(b, c), "3:OK=12 queued(12) ");
	fake_client_disconnect(b->conns[a]);
	wait_ms(b, 100);
	assert_string_equal(heard(b, c), "opened(12,OK) ");
}

static void no_network(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	Modemd__V1__ServerMessage *msg;

	ask_open(b, c, 2, 0);
	msg = reply_of(b, c);
	assert_int_equal(msg->reply->status, MODEMD__V1__STATUS__MODEM_GONE);
	free_reply(msg);
	script_set(b->script)->reg = 2;
	broker_start(b->broker);
	wait_ms(b, 2000);
	ask_open(b, c, 2, 0);
	msg = reply_of(b, c);
	assert_int_equal(msg->reply->status, MODEMD__V1__STATUS__NETWORK_DOWN);
	assert_non_null(strstr(msg->reply->message, "registering"));
	free_reply(msg);
	ask_resolve(b, c, 3, "x.example");
	assert_string_equal(heard(b, c), "3:NETWORK_DOWN ");
	ask_open(b, c, 4, 600000);
	wait_ms(b, 10);
	assert_string_equal(heard(b, c), "4:OK=1 queued(1) ");
	script_set(b->script)->reg = 1;
	script_say(b->script, "\r\n+CEREG: 1\r\n");
	wait_ms(b, 3000);
	assert_string_equal(heard(b, c), "opened(1,OK) ");
}

static void sixty_four_links(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "greedy"), d = client(b, "modest");
	unsigned int i;

	for (i = 0; i < 64; i++)
		ask_open(b, c, 2, 600000);
	wait_ms(b, 1000);
	assert_int_equal(count(heard(b, c), "2:OK="), 64);
	ask_open(b, c, 3, 600000);
	assert_string_equal(heard(b, c), "3:LIMIT ");
	ask_open(b, d, 3, 600000);
	assert_int_equal(count(heard(b, d), "3:OK="), 1);
	ask_close(b, c, 4, 64, true);
	wait_ms(b, 10);
	assert_non_null(strstr(heard(b, c), "opened(64,CANCELLED)"));
	ask_open(b, c, 5, 600000);
	assert_int_equal(count(heard(b, c), "5:OK="), 1);
}

static void client_limits(void **state)
{
	struct bench *b = *state;
	unsigned int i;

	b->cfg.ipc.max_clients = 10;
	b->cfg.ipc.max_clients_per_user = 4;
	for (i = 0; i < 4; i++)
		assert_int_not_equal(connect_as(b, 500, false), UINT_MAX);
	assert_int_equal(connect_as(b, 500, false), UINT_MAX);
	for (i = 0; i < 6; i++)
		assert_int_not_equal(connect_as(b, 600 + i, false), UINT_MAX);
	assert_int_equal(connect_as(b, 700, false), UINT_MAX);
	fake_client_disconnect(b->conns[0]);
	assert_int_not_equal(connect_as(b, 500, false), UINT_MAX);
}

/* A3: a thousand of them, idle. */
static void a_thousand_clients(void **state)
{
	struct bench *b = *state;
	Modemd__V1__ServerMessage *msg;
	Modemd__V1__ClientsRequest m = MODEMD__V1__CLIENTS_REQUEST__INIT;
	REQUEST(r);
	unsigned int i;

	for (i = 0; i < 1000; i++)
		client(b, "idle");
	wait_ms(b, 60000);
	ask_status(b, 999, 2);
	msg = reply_of(b, 999);
	assert_int_equal(msg->reply->status_reply->clients, 1000);
	free_reply(msg);
	r.clients = &m;
	ask(b, 999, &r, 3, MODEMD__V1__REQUEST__KIND_CLIENTS);
	msg = reply_of(b, 999);
	assert_true(msg->reply->clients->n_client > 500);
	free_reply(msg);
}

static void window_and_credit(void **state)
{
	struct open_options with = { .has_credit = true, .credit = 0 };
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	int i;

	/* nothing at all, as it asked */
	ask_open_with(b, c, 2, &with);
	wait_ms(b, 50);
	heard(b, c);
	memset(bytes, 'x', sizeof(bytes));
	script_peer_sends(b->script, 9, bytes, 20000);
	wait_ms(b, 10000);
	assert_string_equal(heard(b, c), "");
	ask_credit(b, c, 3, 1, 100);
	wait_ms(b, 100);
	assert_string_equal(heard(b, c), "3:OK data(1,100) ");
	ask_credit(b, c, 4, 1, 1501);
	wait_ms(b, 100);
	assert_string_equal(heard(b, c), "4:OK data(1,1500) data(1,1) ");
	/* up: 64 KiB, then it must wait for `sent` */
	for (i = 0; i < 4; i++)
		ask_send(b, c, 5, 1, 1, bytes, 16384);
	assert_string_equal(heard(b, c), "5:OK 5:OK 5:OK 5:OK ");
	ask_send(b, c, 6, 1, 1, "x", 1);
	assert_string_equal(heard(b, c), "6:WINDOW_FULL ");
	wait_ms(b, 10);
	ask_send(b, c, 7, 1, 1, bytes, 1500);
	assert_non_null(strstr(heard(b, c), "7:OK "));
}

/* D13 */
static void pipelined_requests(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "eager"), i;
	char want[4096] = "";

	for (i = 10; i < 110; i++)
		ask_status(b, c, i);
	for (i = 10; i < 110; i++)
		snprintf(want + strlen(want), sizeof(want) - strlen(want),
			 "%u:OK ", i);
	assert_string_equal(heard(b, c), want);
	/* without reading: it is not read either, and nothing is lost */
	fake_client_hold(b->conns[c], true);
	for (i = 0; i < 2000; i++)
		ask_status(b, c, i);
	assert_true(fake_client_paused(b->conns[c]));
	assert_true(client_queued(b->conns[c]) < 80000);
	assert_null(fake_client_closed(b->conns[c]));
	fake_client_hold(b->conns[c], false);
	assert_int_equal(count(heard(b, c), ":OK "), 2000);
}

static void too_many_pending(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "eager"), i;

	fake_history_answer(b->history, 0, NULL, 0, 1000);
	for (i = 0; i < 64; i++)
		ask_history(b, c, 100 + i, NULL);
	assert_string_equal(heard(b, c), "");
	ask_history(b, c, 2, NULL);
	ask_resolve(b, c, 3, "x.example");
	assert_string_equal(heard(b, c), "2:BUSY 3:BUSY ");
	wait_ms(b, 1000);
	assert_int_equal(count(heard(b, c), ":OK "), 64);
	ask_history(b, c, 2, NULL);
	wait_ms(b, 1000);
	assert_string_equal(heard(b, c), "2:OK ");
}

/* S10: what one merely watches is dropped and counted, D6: what is his own
 * is not. */
static void slow_reader(void **state)
{
	struct bench *b = *state;
	unsigned int slow = client(b, "slow"), busy = client(b, "busy");
	uint64_t own = opened(b, slow), link = opened(b, busy);
	unsigned int i, missed;
	size_t most;

	ask_subscribe(b, slow, 2, true, true, true, false);
	assert_string_equal(heard(b, slow), "2:OK ");
	fake_client_hold(b->conns[slow], true);
	for (i = 0; i < 6000; i++) {
		ask_send(b, busy, 3, link, 1, "x", 1);
		wait_ms(b, 11);
		heard(b, busy);
	}
	most = client_queued(b->conns[slow]);
	assert_in_range(most, 262144, 262144 + 65536 + 1000);
	script_peer_sends(b->script, 9, "mine", 4);
	wait_ms(b, 100);
	assert_true(client_queued(b->conns[slow]) > most);
	(void)own;
	assert_null(fake_client_closed(b->conns[slow]));
	fake_client_hold(b->conns[slow], false);
	heard(b, slow);
	assert_non_null(strstr(b->text, "data(1,4) "));
	assert_null(strstr(b->text, "missed("));
	/* told with the next that it can hear */
	ask_send(b, busy, 3, link, 1, "x", 1);
	wait_ms(b, 50);
	heard(b, slow);
	assert_int_equal(sscanf(b->text, "missed(%u)", &missed), 1);
	assert_true(missed > 1000);
	assert_int_equal(count(b->text, "missed("), 1);
}

/* One that asks and never reads is not kept for ever. */
static void never_reads(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "deaf"), i;

	ask_subscribe(b, c, 2, false, false, true, false);
	heard(b, c);
	fake_client_hold(b->conns[c], true);
	for (i = 0; i < 3000; i++)
		ask_status(b, c, i);
	assert_true(client_queued(b->conns[c]) < 262144 + 65536);
}

/* --------------------------------------------------------- queries, history */

static void resolve_and_cancel(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "tool");

	ask_resolve(b, c, 2, "good.example");
	wait_ms(b, 50);
	assert_string_equal(heard(b, c), "2:OK=93.184.216.34 ");
	script_answer(b->script, "AT+CDNSGIP",
		      "\r\n+CDNSGIP: 0,10\r\n\r\nERROR\r\n", 1);
	ask_resolve(b, c, 3, "bad.example");
	wait_ms(b, 50);
	assert_string_equal(heard(b, c), "3:NAME_NOT_FOUND ");
	script_answer(b->script, "AT+CDNSGIP", "", 1);
	ask_resolve(b, c, 4, "slow.example");
	wait_ms(b, 50);
	ask_cancel(b, c, 5, 4);
	assert_string_equal(heard(b, c), "4:CANCELLED 5:OK ");
	ask_cancel(b, c, 6, 4);
	assert_string_equal(heard(b, c), "6:INVALID ");
	script_say(b->script, "\r\n+CDNSGIP: 1,\"a\",\"1.2.3.4\"\r\n"
		   "\r\nOK\r\n");
	wait_ms(b, 1000);
	assert_string_equal(heard(b, c), "");
	fake_history_answer(b->history, 0, NULL, 0, 5000);
	ask_history(b, c, 7, NULL);
	ask_cancel(b, c, 8, 7);
	wait_ms(b, 10000);
	assert_string_equal(heard(b, c), "7:CANCELLED 8:OK ");
}

/* S1: only an address gets as far as the modem. */
static void reverse_takes_addresses(void **state)
{
	static const char *const bad[] = {
		"", "x", "192.0.2", "192.0.2.256", "192.0.2.1\r", "::1",
		"192.0.2.1\"", "0192.000.002.001",
	};
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ask_reverse(b, c, 2, bad[i]);
		wait_ms(b, 50);
		assert_string_equal(heard(b, c), "2:INVALID ");
	}
	assert_int_equal(script_heard(b->script, "AT+CDNSGHNAME"), 0);
	script_answer(b->script, "AT+CDNSGHNAME=\"192.0.2.1\"",
		      "\r\n+CDNSGHNAME: 1,\"a.example\",\"192.0.2.1\"\r\n"
		      "\r\nOK\r\n", 0);
	ask_reverse(b, c, 3, "192.0.2.1");
	wait_ms(b, 50);
	assert_string_equal(heard(b, c), "3:OK=a.example ");
}

/* A request with these numbers; 0: absent. */
static void ask_ping(struct bench *b, unsigned int c, uint64_t id,
		     const char *host, const uint32_t number[5])
{
	Modemd__V1__Ping m = MODEMD__V1__PING__INIT;
	REQUEST(r);

	m.has_host = true;
	m.host = chars(host);
	m.has_count = number[0] > 0;
	m.count = number[0];
	m.has_size = number[1] > 0;
	m.size = number[1];
	m.has_interval_ms = number[2] > 0;
	m.interval_ms = number[2];
	m.has_wait_ms = number[3] > 0;
	m.wait_ms = number[3];
	m.has_ttl = number[4] > 0;
	m.ttl = number[4];
	r.ping = &m;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_PING);
}

static const uint32_t usual[5] = { 0 };

static void pings_are_checked(void **state)
{
	static const struct {
		uint32_t number[5];
		const char *want;
	} cases[] = {
		{ { 100, 4, 1000, 10000, 16 }, "" },
		{ { 1, 188, 10000, 100000, 255 }, "" },
		{ { 101 }, "2:INVALID " }, { { 1, 3 }, "2:INVALID " },
		{ { 1, 189 }, "2:INVALID " }, { { 1, 4, 999 }, "2:INVALID " },
		{ { 1, 4, 10001 }, "2:INVALID " },
		{ { 1, 4, 1000, 9999 }, "2:INVALID " },
		{ { 1, 4, 1000, 100001 }, "2:INVALID " },
		{ { 1, 4, 1000, 10000, 15 }, "2:INVALID " },
		{ { 1, 4, 1000, 10000, 256 }, "2:INVALID " },
		{ { UINT32_MAX }, "2:INVALID " },
	};
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	size_t i;

	script_answer(b->script, "AT+CPING", "\r\nOK\r\n", 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ask_ping(b, c, 2, "host", cases[i].number);
		wait_ms(b, 20);
		assert_string_equal(heard(b, c), cases[i].want);
		if (*cases[i].want)
			continue;
		ask_cancel(b, c, 3, 2);
		wait_ms(b, 20);
		assert_string_equal(heard(b, c), "3:OK 2:CANCELLED=0/0/0 ");
	}
	assert_int_equal(script_heard(b->script, "AT+CPING="), 2);
	ask_ping(b, c, 2, "host\",1\r", usual);
	assert_string_equal(heard(b, c), "2:INVALID ");
}

/* Each client hears of its own; the counts come with a cancel too. */
static void pings_of_two(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "one"), d = client(b, "two");

	script_answer(b->script, "AT+CPING", "\r\nOK\r\n", 0);
	ask_ping(b, c, 2, "host", usual);
	ask_ping(b, d, 2, "host", usual);
	wait_ms(b, 20);
	script_say(b->script, "\r\n+CPING: 1,192.0.2.1,64,40,255\r\n"
		   "\r\n+CPING: 2\r\n");
	wait_ms(b, 20);
	assert_string_equal(heard(b, c), "ping(2,1,192.0.2.1) "
			    "ping(2,2,timeout) ");
	ask_cancel(b, c, 3, 2);
	wait_ms(b, 20);
	assert_string_equal(heard(b, c), "3:OK 2:CANCELLED=2/1/1 ");
	wait_ms(b, 20);
	script_say(b->script, "\r\n+CPING: 3,4,4,0,1,1,1\r\n");
	wait_ms(b, 20);
	assert_string_equal(heard(b, d), "2:OK=4/4/0 ");
	assert_string_equal(heard(b, c), "");
}

static void ping_of_a_gone_client(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "one"), d = client(b, "two");

	script_answer(b->script, "AT+CPING", "\r\nOK\r\n", 0);
	ask_ping(b, c, 2, "host", usual);
	wait_ms(b, 20);
	ask_ping(b, d, 2, "host", usual);
	script_forget_heard(b->script);
	fake_client_disconnect(b->conns[c]);
	wait_ms(b, 50);
	assert_int_equal(script_heard(b->script, "AT+CPINGSTOP"), 1);
	assert_int_equal(script_heard(b->script, "AT+CPING="), 1);
}

/* ----------------------------------------------- raw AT, options, confirmed */

static void ask_at(struct bench *b, unsigned int c, uint64_t id,
		   const char *command, bool force, uint32_t timeout_ms)
{
	Modemd__V1__At m = MODEMD__V1__AT__INIT;
	REQUEST(r);

	m.has_command = true;
	m.command = chars(command);
	m.has_force = force;
	m.force = force;
	m.has_timeout_ms = timeout_ms > 0;
	m.timeout_ms = timeout_ms;
	r.at = &m;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_AT);
}

static unsigned int admin(struct bench *b)
{
	unsigned int c = connect_as(b, 501, true);

	say_hello(b, c, "admin", 1);
	assert_string_equal(heard(b, c), "1:OK ");

	return c;
}

static void raw_at(void **state)
{
	static const char *const bad[] = {
		"", "x", "AT\r", "AT\x7f", "\xc3\xa4", "AT+CFUN=0",
		"at+cipmode",
	};
	struct bench *b = *state;
	unsigned int c = client(b, "tool"), a = admin(b);
	char long_one[600];
	size_t i;

	ask_at(b, c, 2, "AT", false, 0);
	assert_string_equal(heard(b, c), "2:NO_PERMISSION ");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ask_at(b, a, 2, bad[i], false, 0);
		assert_string_equal(heard(b, a), "2:INVALID ");
	}
	memset(long_one, 'A', sizeof(long_one));
	memcpy(long_one, "AT", 2);
	long_one[513] = '\0';
	ask_at(b, a, 2, long_one, false, 0);
	assert_string_equal(heard(b, a), "2:INVALID ");
	ask_at(b, a, 2, "AT", false, 99);
	assert_string_equal(heard(b, a), "2:INVALID ");
	ask_at(b, a, 2, "AT", false, 180001);
	assert_string_equal(heard(b, a), "2:INVALID ");
	wait_ms(b, 100);
	assert_null(script_command(b->script, 0));

	long_one[512] = '\0';
	script_answer(b->script, "ATAAA", "\r\nA\x01\r\n\r\nERROR\r\n", 0);
	ask_at(b, a, 3, long_one, false, 0);
	wait_ms(b, 200);
	assert_string_equal(heard(b, a), "3:MODEM_ERROR=A\\x01,ERROR ");
	script_answer(b->script, "AT+X", "\r\nhalf\r\n", 0);
	ask_at(b, a, 4, "AT+X", false, 100);
	wait_ms(b, 500);
	assert_string_equal(heard(b, a), "4:TIMEOUT=half, ");
	ask_at(b, a, 5, "AT+CIPMODE=0", true, 0);
	wait_ms(b, 500);
	assert_string_equal(heard(b, a), "5:OK=,OK ");
}

static void ask_config(struct bench *b, unsigned int c, uint64_t id,
		       const char *name, const char *value)
{
	Modemd__V1__Config m = MODEMD__V1__CONFIG__INIT;
	Modemd__V1__Setting s = MODEMD__V1__SETTING__INIT;
	Modemd__V1__Setting *list[] = { &s };
	REQUEST(r);

	s.name = (char *)(uintptr_t)name;
	s.value = (char *)(uintptr_t)value;
	m.n_set = value ? 1 : 0;
	m.set = list;
	r.config = &m;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_CONFIG);
}

static const Modemd__V1__Setting *
setting_of(const Modemd__V1__ServerMessage *msg, const char *name)
{
	size_t i;

	assert_int_equal(msg->reply->status, MODEMD__V1__STATUS__OK);
	for (i = 0; i < msg->reply->config->n_setting; i++) {
		if (strcmp(msg->reply->config->setting[i]->name, name) == 0)
			return msg->reply->config->setting[i];
	}
	fail_msg("no %s", name);

	return NULL;
}

static void options(void **state)
{
	static const char *const bad[][2] = {
		{ "nope", "1" }, { "dns-retries", "8" }, { "dns-retries", "" },
		{ "dns-retries", "-1" }, { "dns-retries", "1\r" },
		{ "dns-retries", "9999999999" }, { "header-type", "0" },
		{ "open-timeout", "5000" }, { "", "1" },
		{ "a-name-that-is-much-longer-than-any-that-there-is-and-more-"
		  "of-it", "1" },
	};
	struct bench *b = *state;
	unsigned int c = client(b, "tool"), a = admin(b);
	Modemd__V1__ServerMessage *msg;
	const Modemd__V1__Setting *s;
	size_t i;

	script_answer(b->script, "AT+CIPDNSSET?",
		      "\r\n+CIPDNSSET: 0,3000,1\r\n\r\nOK\r\n", 0);
	script_answer(b->script, "AT+CIPCCFG?", "\r\nERROR\r\n", 0);
	ask_config(b, c, 2, "dns-retries", "1");
	assert_string_equal(heard(b, c), "2:NO_PERMISSION ");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ask_config(b, a, 2, bad[i][0], bad[i][1]);
		assert_string_equal(heard(b, a), "2:INVALID ");
	}
	wait_ms(b, 100);
	assert_null(script_command(b->script, 0));

	ask_config(b, c, 3, NULL, NULL);
	wait_ms(b, 200);
	msg = reply_of(b, c);
	s = setting_of(msg, "dns-retries");
	assert_string_equal(s->value, "1");
	assert_string_equal(s->by, "modemd");
	assert_null(s->wanted);
	assert_string_equal(setting_of(msg, "error-mode")->value, "");
	assert_string_equal(setting_of(msg, "error-mode")->by, "modem");
	assert_true(setting_of(msg, "header-type")->fixed);
	free_reply(msg);

	/* the modem says OK, and keeps its own */
	ask_config(b, a, 4, "dns-retries", "5");
	wait_ms(b, 200);
	msg = reply_of(b, a);
	s = setting_of(msg, "dns-retries");
	assert_string_equal(s->value, "1");
	assert_string_equal(s->wanted, "5");
	assert_string_equal(s->by, "modemctl");
	free_reply(msg);
	script_answer(b->script, "AT+CIPDNSSET=", "\r\nERROR\r\n", 0);
	ask_config(b, a, 5, "dns-retries", "6");
	wait_ms(b, 200);
	msg = reply_of(b, a);
	assert_int_equal(msg->reply->status, MODEMD__V1__STATUS__MODEM_ERROR);
	assert_non_null(strstr(msg->reply->message,
			       "dns-retries was not set to 6"));
	free_reply(msg);
}

static void confirmed(void **state)
{
	Modemd__V1__ConfirmedRequest m = MODEMD__V1__CONFIRMED_REQUEST__INIT;
	struct bench *b = *state;
	unsigned int c = client(b, "tool"), d = client(b, "other");
	Modemd__V1__ServerMessage *msg;
	REQUEST(r);

	ask_open(b, c, 2, 0);
	wait_ms(b, 100);
	(void)heard(b, c);
	m.has_link = true;
	m.link = 1;
	r.confirmed = &m;
	ask(b, d, &r, 3, MODEMD__V1__REQUEST__KIND_CONFIRMED);
	assert_string_equal(heard(b, d), "3:NO_SUCH_LINK ");
	script_answer(b->script, "AT+CIPACK",
		      "\r\n+CIPACK: 0,0,0\r\n\r\nOK\r\n", 0);
	ask(b, c, &r, 3, MODEMD__V1__REQUEST__KIND_CONFIRMED);
	wait_ms(b, 100);
	msg = fake_client_next(b->conns[c]);
	assert_int_equal(msg->event->kind_case,
			 MODEMD__V1__EVENT__KIND_CONFIRMED);
	assert_true(msg->event->confirmed->has_confirmed);
	free_reply(msg);
	msg = reply_of(b, c);
	assert_int_equal(msg->reply->status, MODEMD__V1__STATUS__OK);
	assert_true(msg->reply->confirmed->has_lost);
	assert_int_equal(msg->reply->confirmed->confirmed, 0);
	free_reply(msg);
}

/* I3, when the modem goes in the middle. */
static void resolve_without_modem(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "tool");

	script_answer(b->script, "AT+CDNSGIP", "", 0);
	ask_resolve(b, c, 2, "a.example");
	ask_resolve(b, c, 3, "b.example");
	wait_ms(b, 50);
	fake_port_fail_open(b->world.port, -ENOENT, "no device");
	fake_port_lose(b->world.port, -EIO);
	wait_ms(b, 100);
	assert_string_equal(heard(b, c), "2:MODEM_GONE 3:MODEM_GONE ");
}

static void history_questions(void **state)
{
	static const struct history_row rows[] = {
		{ .id = 9, .instance = "test", .boot_id = "boot",
		  .opened_wall_ms = 1, .opened_mono_ms = 2, .closed = true,
		  .session = { .link = 3, .epoch = 1, .client = "x",
			       .comm = "", .unit = "", .exe = "", .type = "tcp",
			       .remote = "h:1", .rule = "" },
		  .reason = "peer", .modem_text = "+IPCLOSE: 1,1\x1b" },
	};
	struct bench *b = *state;
	unsigned int c = client(b, "tool"), root;
	Modemd__V1__ServerMessage *msg;

	fake_history_answer(b->history, 0, rows, 1, 10);
	ask_history(b, c, 2, "h:1");
	wait_ms(b, 20);
	msg = reply_of(b, c);
	assert_int_equal(msg->reply->history->n_session, 1);
	assert_string_equal(msg->reply->history->session[0]->modem_text,
			    "+IPCLOSE: 1,1\\x1b");
	free_reply(msg);
	assert_true(fake_history_asked(b->history)->own_uid_only);
	assert_int_equal(fake_history_asked(b->history)->uid, 500);
	assert_non_null(fake_history_asked(b->history)->remote);
	root = connect_as(b, 0, false);
	say_hello(b, root, "root", 1);
	heard(b, root);
	ask_history(b, root, 2, NULL);
	wait_ms(b, 20);
	heard(b, root);
	assert_false(fake_history_asked(b->history)->own_uid_only);
	fake_history_answer(b->history, -EIO, NULL, 0, 10);
	ask_history(b, c, 3, NULL);
	wait_ms(b, 20);
	assert_string_equal(heard(b, c), "3:UNAVAILABLE ");
	/* a filter that cannot be is a mistake, not "all" */
	ask_history(b, c, 4, "a\nb");
	wait_ms(b, 20);
	assert_string_equal(heard(b, c), "4:INVALID ");
}

static void history_of_losses(void **state)
{
	struct open_options with = { .restore = true };
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	const struct fake_session *s;

	ask_open_with(b, c, 2, &with);
	wait_ms(b, 50);
	ask_send(b, c, 3, 1, 1, "hello", 5);
	wait_ms(b, 50);
	script_set(b->script)->net_open = false;
	script_say(b->script, "\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n");
	wait_ms(b, 20);
	heard(b, c);
	assert_non_null(strstr(b->text, "lost(1/1,network-lost,5/5/0) "));
	s = fake_history_session(b->history, 1, 1);
	assert_true(s->closed);
	assert_string_equal(s->reason, "network-lost");
	assert_int_equal(s->counts.taken, 5);
	assert_int_equal(fake_history_networks(b->history, true), 0);
	wait_ms(b, 15000);
	assert_string_equal(heard(b, c), "restored(1/2) ");
	assert_int_equal(fake_history_networks(b->history, true), 1);
	s = fake_history_session(b->history, 1, 2);
	assert_false(s->closed);
	script_set(b->script)->net_open = false;
	script_answer(b->script, "AT+NETOPEN", "\r\nERROR\r\n", 0);
	script_say(b->script, "\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n");
	wait_ms(b, 20);
	fake_client_disconnect(b->conns[c]);
	wait_ms(b, 1000);
	assert_true(s->closed);
	assert_int_equal(fake_history_open_sessions(b->history), 0);
}

/* Counts are in the history at most a minute late. */
static void history_of_long_sessions(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	const struct fake_session *s;
	uint64_t link = opened(b, c);

	ask_send(b, c, 3, link, 1, "hello", 5);
	wait_ms(b, 61000);
	s = fake_history_session(b->history, link, 1);
	assert_false(s->closed);
	assert_int_equal(s->counts.accepted, 5);
}

/* ----------------------------------------------------- watching, permission */

static void watching(void **state)
{
	struct bench *b = *state;
	unsigned int w = client(b, "watch"), c = client(b, "tool");

	ask_subscribe(b, w, 2, true, true, false, false);
	assert_string_equal(heard(b, w), "2:OK ");
	opened(b, c);
	assert_non_null(strstr(heard(b, w), "news(1,open) "));
	script_set(b->script)->net_open = false;
	script_say(b->script, "\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n");
	wait_ms(b, 10000);
	heard(b, w);
	assert_non_null(strstr(b->text, "network(lost) "));
	assert_non_null(strstr(b->text, "news(1,closed) "));
	assert_non_null(strstr(b->text, "network(open) "));
	ask_subscribe(b, w, 3, false, false, false, false);
	heard(b, w);
	heard(b, c);
	opened(b, c);
	wait_ms(b, 1000);
	assert_string_equal(heard(b, w), "");
}

static void payload_is_for_admins(void **state)
{
	struct bench *b = *state;
	unsigned int user = client(b, "user"), admin = connect_as(b, 501, true);
	Modemd__V1__TraceRequest t = MODEMD__V1__TRACE_REQUEST__INIT;
	uint64_t link = opened(b, user);
	REQUEST(r);

	say_hello(b, admin, "admin", 1);
	heard(b, admin);
	ask_subscribe(b, user, 2, false, false, true, true);
	assert_string_equal(heard(b, user), "2:NO_PERMISSION ");
	t.has_payload = t.payload = true;
	r.trace = &t;
	ask(b, user, &r, 3, MODEMD__V1__REQUEST__KIND_TRACE);
	assert_string_equal(heard(b, user), "3:NO_PERMISSION ");
	ask(b, admin, &r, 3, MODEMD__V1__REQUEST__KIND_TRACE);
	assert_string_equal(heard(b, admin), "3:OK ");

	ask_subscribe(b, user, 4, false, false, true, false);
	ask_subscribe(b, admin, 4, false, false, true, true);
	heard(b, user);
	heard(b, admin);
	ask_send(b, user, 5, link, 1, "secret words", 12);
	wait_ms(b, 50);
	heard(b, user);
	assert_null(strstr(b->text, "secret words"));
	assert_non_null(strstr(b->text, "trace(<12 bytes>) "));
	assert_non_null(strstr(b->text, "trace(AT+CIPSEND=9,12) "));
	heard(b, admin);
	assert_non_null(strstr(b->text, "trace(secret words) "));
}

static void trace_pages(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	Modemd__V1__TraceRequest t = MODEMD__V1__TRACE_REQUEST__INIT;
	Modemd__V1__ServerMessage *msg;
	uint64_t seq = 0;
	unsigned int rows = 0, pages = 0;
	bool more = true;
	size_t i;
	REQUEST(r);

	r.trace = &t;
	while (more) {
		t.has_after_seq = true;
		t.after_seq = seq;
		ask(b, c, &r, 3, MODEMD__V1__REQUEST__KIND_TRACE);
		msg = reply_of(b, c);
		for (i = 0; i < msg->reply->trace->n_row; i++) {
			assert_int_equal(msg->reply->trace->row[i]->seq,
					 seq + 1);
			seq = msg->reply->trace->row[i]->seq;
			rows++;
		}
		more = msg->reply->trace->more;
		free_reply(msg);
		pages++;
	}
	assert_true(rows > 60);
	assert_true(pages > 1);
	/* beyond the last there is nothing, wherever */
	t.after_seq = UINT64_MAX;
	ask(b, c, &r, 4, MODEMD__V1__REQUEST__KIND_TRACE);
	msg = reply_of(b, c);
	assert_int_equal(msg->reply->trace->n_row, 0);
	assert_false(msg->reply->trace->more);
	free_reply(msg);
}

static void status(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	Modemd__V1__ServerMessage *msg;
	Modemd__V1__StatusReply *st;
	Modemd__V1__LinksRequest m = MODEMD__V1__LINKS_REQUEST__INIT;
	REQUEST(r);

	opened(b, c);
	ask_status(b, c, 2);
	msg = reply_of(b, c);
	st = msg->reply->status_reply;
	assert_string_equal(st->modem->state, "ready");
	assert_string_equal(st->modem->model, "A7670E-FASE");
	assert_string_equal(st->modem->operator_name, "Tele, 2");
	assert_int_equal(st->modem->signal_dbm, -63);
	assert_string_equal(st->network->state, "open");
	assert_string_equal(st->network->address, "10.148.0.17");
	assert_int_equal(st->line->baud, 115200);
	assert_true(st->line->commands > 20);
	assert_int_equal(st->links_used, 1);
	assert_int_equal(st->links_total, 10);
	assert_int_equal(st->clients, 1);
	free_reply(msg);
	r.links = &m;
	ask(b, c, &r, 3, MODEMD__V1__REQUEST__KIND_LINKS);
	msg = reply_of(b, c);
	assert_int_equal(msg->reply->links->n_link, 1);
	assert_string_equal(msg->reply->links->link[0]->state, "open");
	assert_string_equal(msg->reply->links->link[0]->remote,
			    "host.example:80");
	assert_string_equal(msg->reply->links->link[0]->client, "tool");
	free_reply(msg);
}

/* ----------------------------------------------------------------- admins */

static void ask_network(struct bench *b, unsigned int c, uint64_t id, bool up)
{
	Modemd__V1__Network m = MODEMD__V1__NETWORK__INIT;
	REQUEST(r);

	m.has_up = true;
	m.up = up;
	r.network = &m;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_NETWORK);
}

static void ask_reset(struct bench *b, unsigned int c, uint64_t id,
		      Modemd__V1__ResetKind kind)
{
	Modemd__V1__Reset m = MODEMD__V1__RESET__INIT;
	REQUEST(r);

	m.has_kind = true;
	m.kind = kind;
	r.reset = &m;
	ask(b, c, &r, id, MODEMD__V1__REQUEST__KIND_RESET);
}

static void only_admins_decide(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "tool"), d = connect_as(b, 501, true);
	Modemd__V1__Network empty = MODEMD__V1__NETWORK__INIT;
	REQUEST(r);

	say_hello(b, d, "op", 1);
	heard(b, d);
	ask_network(b, c, 2, false);
	ask_network(b, c, 3, true);
	ask_reset(b, c, 4, MODEMD__V1__RESET_KIND__SOFT);
	assert_string_equal(heard(b, c), "2:NO_PERMISSION 3:NO_PERMISSION "
			    "4:NO_PERMISSION ");
	wait_ms(b, 1000);
	assert_true(script_set(b->script)->net_open);
	/* the group is enough; and no wish is a mistake */
	r.network = &empty;
	ask(b, d, &r, 2, MODEMD__V1__REQUEST__KIND_NETWORK);
	ask_reset(b, d, 3, MODEMD__V1__RESET_KIND__HARD);
	ask_network(b, d, 4, true);
	assert_string_equal(heard(b, d), "2:INVALID 3:NOT_SUPPORTED 4:OK ");
}

/* Each is answered once, when it is so. */
static void network_down_and_up(void **state)
{
	struct bench *b = *state;
	unsigned int a = admin(b), c = client(b, "tool");
	uint64_t link = opened(b, c);

	script_answer(b->script, "AT+NETCLOSE", "\r\nOK\r\n", 1);
	ask_network(b, a, 2, false);
	ask_network(b, a, 3, false);
	wait_ms(b, 1000);
	assert_string_equal(heard(b, a), "");
	assert_non_null(strstr(heard(b, c), "closed(1/1,NETWORK_DOWN,"
			       "network-down,0/0/0) "));
	(void)link;
	script_set(b->script)->net_open = false;
	script_say(b->script, "\r\n+NETCLOSE: 0\r\n");
	wait_ms(b, 100);
	assert_string_equal(heard(b, a), "2:OK 3:OK ");
	ask_network(b, a, 4, false);
	assert_string_equal(heard(b, a), "4:OK ");
	ask_open(b, c, 5, 0);
	assert_string_equal(heard(b, c), "5:NETWORK_DOWN ");
	/* who waits for the opposite hears that it is not to be */
	script_answer(b->script, "AT+NETOPEN", "\r\nERROR\r\n", 0);
	ask_network(b, a, 5, true);
	wait_ms(b, 3000);
	assert_string_equal(heard(b, a), "");
	ask_network(b, a, 6, false);
	wait_ms(b, 1000);
	assert_string_equal(heard(b, a), "5:CANCELLED 6:OK ");
	script_answer(b->script, "AT+NETOPEN", "*", 0);
	/* taken back: one answer each, and it is opened all the same */
	ask_network(b, a, 7, true);
	ask_cancel(b, a, 8, 7);
	wait_ms(b, 5000);
	assert_string_equal(heard(b, a), "7:CANCELLED 8:OK ");
	assert_true(script_set(b->script)->net_open);
}

static void admin_who_has_gone(void **state)
{
	struct bench *b = *state;
	unsigned int a = admin(b), d = admin(b);

	ask_network(b, a, 2, false);
	ask_reset(b, d, 2, MODEMD__V1__RESET_KIND__SOFT);
	fake_client_disconnect(b->conns[a]);
	fake_client_disconnect(b->conns[d]);
	wait_ms(b, 20000);
	assert_false(script_set(b->script)->net_open);
}

static void reset_is_answered(void **state)
{
	struct bench *b = *state;
	unsigned int a = admin(b), c = client(b, "tool");

	opened(b, c);
	ask_reset(b, a, 2, MODEMD__V1__RESET_KIND__SOFT);
	ask_reset(b, a, 3, MODEMD__V1__RESET_KIND__SOFT);
	wait_ms(b, 1000);
	assert_string_equal(heard(b, a), "");
	assert_non_null(strstr(heard(b, c), "closed(1/1,MODEM_GONE,"
			       "modem-restarted,0/0/0) "));
	script_reboot(b->script, "\r\nRDY\r\n");
	wait_ms(b, 100);
	assert_string_equal(heard(b, a), "2:OK 3:OK ");
	wait_ms(b, 5000);
	script_answer(b->script, "AT+C", "\r\nERROR\r\n", 0);
	ask_reset(b, a, 4, MODEMD__V1__RESET_KIND__SOFT);
	wait_ms(b, 1000);
	assert_string_equal(heard(b, a), "4:MODEM_ERROR ");
	script_answer(b->script, "AT+C", "*", 0);
	/* no modem: at once, with its state */
	fake_port_lose(b->world.port, -ENODEV);
	fake_port_fail_open(b->world.port, -ENOENT, "it is not there");
	wait_ms(b, 2000);
	ask_reset(b, a, 5, MODEMD__V1__RESET_KIND__SOFT);
	assert_string_equal(heard(b, a), "5:MODEM_GONE ");
}

static void steps_in_the_status(void **state)
{
	static const char *const names[] = { "device", "line", "modem", "sim",
		"registration", "context", "network", "service" };
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	Modemd__V1__ServerMessage *msg;
	Modemd__V1__StatusReply *st;
	size_t i;

	ask_status(b, c, 2);
	msg = reply_of(b, c);
	st = msg->reply->status_reply;
	assert_int_equal(st->n_step, 8);
	for (i = 0; i < 8; i++) {
		assert_string_equal(st->step[i]->name, names[i]);
		assert_string_equal(st->step[i]->state, "ok");
		assert_true(st->step[i]->text[0]);
		assert_false(st->step[i]->has_next_try_ms);
	}
	free_reply(msg);
}

/* ----------------------------------------------------------------- stopping */

static void stops(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "tool"), d = connect_as(b, 500, false);

	opened(b, c);
	opened(b, c);
	ask_send(b, c, 3, 1, 1, "hello", 5);
	heard(b, c);
	broker_stop(b->broker);
	broker_stop(b->broker);
	assert_false(fake_client_listening(b->world.listener));
	assert_string_equal(heard(b, d), "");
	ask_open(b, c, 4, 1000);
	wait_ms(b, 1000);
	heard(b, c);
	assert_non_null(strstr(b->text, "stopping(10000) 4:STOPPING "));
	assert_non_null(strstr(b->text, "closed(1/1,OK,daemon-stop,5/5/0) "));
	assert_non_null(strstr(b->text, "closed(2/1,OK,daemon-stop,0/0/0) "));
	assert_int_equal(b->stopped, 1);
	assert_int_equal(fake_history_open_sessions(b->history), 0);
	wait_ms(b, 60000);
	assert_int_equal(b->stopped, 1);
}

/* I8: no row stays open, even when the modem does not do as it is told. */
static void stops_although_the_modem_hangs(void **state)
{
	struct bench *b = *state;
	unsigned int c = client(b, "tool");
	uint64_t link = opened(b, c);

	script_send_result(b->script, "");
	ask_send(b, c, 3, link, 1, "hello", 5);
	wait_ms(b, 50);
	broker_stop(b->broker);
	wait_ms(b, 10100);
	assert_int_equal(b->stopped, 1);
	assert_non_null(strstr(heard(b, c), "closed(1/1,STOPPING,daemon-stop,"
			       "5/0/0) "));
	assert_int_equal(fake_history_open_sessions(b->history), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define N(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define O(f) cmocka_unit_test_setup_teardown(f, set_up_open, tear_down)
		O(hello), O(hello_is_required), O(hello_in_time),
		O(other_versions), O(names), O(malformed_frame), O(any_bytes),
		O(unknown_requests_and_fields), O(links_of_others),
		O(open_send_receive_close), O(open_fails), O(bad_opens),
		O(bad_sends), O(datagrams), O(bad_datagrams),
		O(client_gone), O(client_gone_with_queries),
		O(crowd_goes_at_random), O(no_slot), N(no_network),
		O(sixty_four_links), O(client_limits), O(a_thousand_clients),
		O(window_and_credit), O(pipelined_requests),
		O(too_many_pending), O(slow_reader), O(never_reads),
		O(resolve_and_cancel), O(pings_are_checked), O(pings_of_two),
		O(ping_of_a_gone_client), O(raw_at), O(options), O(confirmed),
		O(reverse_takes_addresses),
		O(resolve_without_modem),
		O(history_questions), O(history_of_losses),
		O(history_of_long_sessions), O(watching),
		O(payload_is_for_admins), O(trace_pages), O(status), O(stops),
		O(only_admins_decide), O(network_down_and_up),
		O(admin_who_has_gone), O(reset_is_answered),
		O(steps_in_the_status),
		O(stops_although_the_modem_hangs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
