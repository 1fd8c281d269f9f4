/* SPDX-License-Identifier: MIT */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fake_modemd.h"

#define PATIENCE_MS 5000

void fake_listen(struct fake *f)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	if (!f->path[0])
		snprintf(f->path, sizeof(f->path), "/tmp/fake-modemd.%d.sock",
			 (int)getpid());
	unlink(f->path);
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", f->path);
	f->fd = -1;
	f->in_len = 0;
	f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(f->listener >= 0);
	assert_int_equal(bind(f->listener, (struct sockaddr *)&sa, sizeof(sa)),
			 0);
	assert_int_equal(listen(f->listener, 8), 0);
}

void fake_unlisten(struct fake *f)
{
	if (f->listener >= 0)
		close(f->listener);
	f->listener = -1;
	unlink(f->path);
}

void fake_hang_up(struct fake *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	f->in_len = 0;
}

void fake_free(struct fake *f)
{
	fake_hang_up(f);
	fake_unlisten(f);
	free(f);
}

static void wait_for(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
}

void fake_accept(struct fake *f)
{
	wait_for(f->listener);
	f->fd = accept(f->listener, NULL, NULL);
	assert_true(f->fd >= 0);
	f->in_len = 0;
}

/* Reads once more; false at the end. */
static bool fake_fill(struct fake *f)
{
	ssize_t n;

	wait_for(f->fd);
	assert_true(f->in_len < sizeof(f->in));
	n = recv(f->fd, f->in + f->in_len, sizeof(f->in) - f->in_len, 0);
	if (n > 0)
		f->in_len += (size_t)n;

	return n > 0;
}

Modemd__V1__Request *fake_expect(struct fake *f,
				 Modemd__V1__Request__KindCase kind)
{
	Modemd__V1__Request *req;
	size_t len = 0;
	int header;

	for (;;) {
		header = wire_get_length(f->in, f->in_len, &len);
		assert_true(header >= 0);
		if (header > 0 && f->in_len >= (size_t)header + len)
			break;
		assert_true(fake_fill(f));
	}
	req = modemd__v1__request__unpack(NULL, len, f->in + header);
	assert_non_null(req);
	f->in_len -= (size_t)header + len;
	memmove(f->in, f->in + (size_t)header + len, f->in_len);
	assert_int_equal(req->kind_case, kind);

	return req;
}

void fake_done(Modemd__V1__Request *req)
{
	modemd__v1__request__free_unpacked(req, NULL);
}

uint64_t fake_take(struct fake *f, Modemd__V1__Request__KindCase kind)
{
	Modemd__V1__Request *req = fake_expect(f, kind);
	uint64_t id = req->id;

	fake_done(req);

	return id;
}

bool fake_silent(struct fake *f)
{
	struct pollfd p = { .fd = f->fd, .events = POLLIN };

	return f->in_len == 0 && poll(&p, 1, 20) == 0;
}

bool fake_hung_up(struct fake *f)
{
	while (fake_fill(f))
		f->in_len = 0;

	return true;
}

void fake_raw(struct fake *f, const void *bytes, size_t len)
{
	if (f->collect) {
		assert_true(f->out_len + len <= sizeof(f->out));
		memcpy(f->out + f->out_len, bytes, len);
		f->out_len += len;
		return;
	}
	assert_int_equal(send(f->fd, bytes, len, MSG_NOSIGNAL), len);
}

static void fake_say(struct fake *f, Modemd__V1__ServerMessage *message)
{
	uint8_t frame[WIRE_HEADER_MAX + WIRE_FRAME_MAX];
	size_t len = protobuf_c_message_get_packed_size(&message->base);
	size_t header = wire_put_length(len, frame);

	assert_true(len <= WIRE_FRAME_MAX);
	protobuf_c_message_pack(&message->base, frame + header);
	fake_raw(f, frame, header + len);
}

void fake_reply(struct fake *f, Modemd__V1__Reply *reply)
{
	Modemd__V1__ServerMessage m = MODEMD__V1__SERVER_MESSAGE__INIT;

	reply->has_request_id = 1;
	reply->has_status = 1;
	m.kind_case = MODEMD__V1__SERVER_MESSAGE__KIND_REPLY;
	m.reply = reply;
	fake_say(f, &m);
}

void fake_event(struct fake *f, Modemd__V1__Event *event)
{
	Modemd__V1__ServerMessage m = MODEMD__V1__SERVER_MESSAGE__INIT;

	m.kind_case = MODEMD__V1__SERVER_MESSAGE__KIND_EVENT;
	m.event = event;
	fake_say(f, &m);
}

static char *literal(const char *text)
{
	return (char *)(uintptr_t)text;
}

void fake_greet(struct fake *f)
{
	Modemd__V1__HelloReply hello = MODEMD__V1__HELLO_REPLY__INIT;
	Modemd__V1__Reply reply = MODEMD__V1__REPLY__INIT;
	char *capabilities[] = { literal("tcp"), literal("confirmed") };

	fake_accept(f);
	reply.request_id = fake_take(f, MODEMD__V1__REQUEST__KIND_HELLO);
	reply.result_case = MODEMD__V1__REPLY__RESULT_HELLO;
	reply.hello = &hello;
	hello.server_version = literal("9.8.7");
	hello.instance = literal("modem");
	hello.dialect = literal("simcom");
	hello.has_protocol_version = 1;
	hello.protocol_version = WIRE_PROTOCOL_VERSION;
	hello.has_window = 1;
	hello.window = f->window ? f->window : 65536;
	hello.has_credit = 1;
	hello.credit = f->credit ? f->credit : 65536;
	hello.n_capabilities = 2;
	hello.capabilities = capabilities;
	fake_reply(f, &reply);
}

void fake_ok(struct fake *f, uint64_t id)
{
	Modemd__V1__Reply reply = MODEMD__V1__REPLY__INIT;

	reply.request_id = id;
	fake_reply(f, &reply);
}

void fake_error(struct fake *f, uint64_t id, Modemd__V1__Status status,
		const char *message, const char *modem_text)
{
	Modemd__V1__Reply reply = MODEMD__V1__REPLY__INIT;

	reply.request_id = id;
	reply.status = status;
	reply.message = literal(message);
	reply.modem_text = literal(modem_text);
	fake_reply(f, &reply);
}

void fake_open_reply(struct fake *f, uint64_t id, uint64_t link)
{
	Modemd__V1__OpenReply open = MODEMD__V1__OPEN_REPLY__INIT;
	Modemd__V1__Reply reply = MODEMD__V1__REPLY__INIT;

	open.has_link = 1;
	open.link = link;
	open.has_epoch = 1;
	open.epoch = 1;
	reply.request_id = id;
	reply.result_case = MODEMD__V1__REPLY__RESULT_OPEN;
	reply.open = &open;
	fake_reply(f, &reply);
}

void fake_opened(struct fake *f, uint64_t link, uint32_t epoch,
		 Modemd__V1__Status status, const char *message)
{
	Modemd__V1__Opened opened = MODEMD__V1__OPENED__INIT;
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;

	opened.has_link = 1;
	opened.link = link;
	opened.has_epoch = 1;
	opened.epoch = epoch;
	opened.has_status = 1;
	opened.status = status;
	opened.message = literal(message);
	event.kind_case = MODEMD__V1__EVENT__KIND_OPENED;
	event.opened = &opened;
	fake_event(f, &event);
}

void fake_data(struct fake *f, uint64_t link, const void *data, size_t len)
{
	Modemd__V1__Data d = MODEMD__V1__DATA__INIT;
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;

	d.has_link = 1;
	d.link = link;
	d.has_data = 1;
	d.data.len = len;
	d.data.data = (uint8_t *)(uintptr_t)data;
	event.kind_case = MODEMD__V1__EVENT__KIND_DATA;
	event.data = &d;
	fake_event(f, &event);
}

void fake_sent(struct fake *f, uint64_t link, uint32_t epoch, uint32_t bytes)
{
	Modemd__V1__Sent sent = MODEMD__V1__SENT__INIT;
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;

	sent.has_link = 1;
	sent.link = link;
	sent.has_epoch = 1;
	sent.epoch = epoch;
	sent.has_bytes = 1;
	sent.bytes = bytes;
	event.kind_case = MODEMD__V1__EVENT__KIND_SENT;
	event.sent = &sent;
	fake_event(f, &event);
}

static void set_counts(Modemd__V1__Counts *c, uint64_t accepted, uint64_t taken,
		       uint64_t received)
{
	c->has_accepted = 1;
	c->accepted = accepted;
	c->has_taken = 1;
	c->taken = taken;
	c->has_confirmed = 1;
	c->confirmed = -1;
	c->has_received = 1;
	c->received = received;
}

void fake_closed(struct fake *f, uint64_t link, uint32_t epoch,
		 Modemd__V1__Status status, const char *reason,
		 uint64_t accepted, uint64_t taken, uint64_t received)
{
	Modemd__V1__Counts counts = MODEMD__V1__COUNTS__INIT;
	Modemd__V1__Closed closed = MODEMD__V1__CLOSED__INIT;
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;

	set_counts(&counts, accepted, taken, received);
	closed.has_link = 1;
	closed.link = link;
	closed.has_epoch = 1;
	closed.epoch = epoch;
	closed.has_status = 1;
	closed.status = status;
	closed.reason = literal(reason);
	closed.counts = &counts;
	event.kind_case = MODEMD__V1__EVENT__KIND_CLOSED;
	event.closed = &closed;
	fake_event(f, &event);
}

void fake_link_lost(struct fake *f, uint64_t link, uint32_t epoch,
		    uint64_t accepted, uint64_t taken, uint64_t received)
{
	Modemd__V1__Counts counts = MODEMD__V1__COUNTS__INIT;
	Modemd__V1__LinkLost lost = MODEMD__V1__LINK_LOST__INIT;
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;

	set_counts(&counts, accepted, taken, received);
	lost.has_link = 1;
	lost.link = link;
	lost.has_epoch = 1;
	lost.epoch = epoch;
	lost.reason = literal("the network went away");
	lost.counts = &counts;
	event.kind_case = MODEMD__V1__EVENT__KIND_LINK_LOST;
	event.link_lost = &lost;
	fake_event(f, &event);
}

void fake_link_restored(struct fake *f, uint64_t link, uint32_t epoch)
{
	Modemd__V1__LinkRestored restored = MODEMD__V1__LINK_RESTORED__INIT;
	Modemd__V1__Event event = MODEMD__V1__EVENT__INIT;

	restored.has_link = 1;
	restored.link = link;
	restored.has_epoch = 1;
	restored.epoch = epoch;
	event.kind_case = MODEMD__V1__EVENT__KIND_LINK_RESTORED;
	event.link_restored = &restored;
	fake_event(f, &event);
}
