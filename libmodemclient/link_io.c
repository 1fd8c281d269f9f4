/* SPDX-License-Identifier: MIT */

/* Bytes through a link, and what a program may ask about it. */

#include <errno.h>
#include <string.h>

#include "link.h"

int link_end_error(const struct modemclient_link *l)
{
	return l->err ? l->err : -EPIPE;
}

int link_write_error(const struct modemclient_link *l)
{
	if (link_must_notice(l))
		return -ENETRESET;
	if (l->state == LINK_CLOSED)
		return link_end_error(l);
	if (l->doom)
		return l->doom;
	if (l->closing)
		return -EPIPE;

	return l->state == LINK_OPENING ? -EINPROGRESS : 0;
}

/* This modem takes shorter ones than others do: it is not sent. */
static void datagram_too_long(struct modemclient_link *l, size_t len)
{
	struct modemclient_event news = {
		.type = MODEMCLIENT_EVENT_SENT,
		.err = -EMSGSIZE,
		.epoch = l->epoch,
		.bytes = (uint32_t)len,
	};

	l->outstanding -= len < l->outstanding ? len : l->outstanding;
	l->refused = -EMSGSIZE;
	link_emit(l, &news);
}

static void send_done(struct modemclient *mc, struct request *r, int err,
		      const Modemd__V1__Reply *reply)
{
	struct modemclient_link *l = r->link;

	if (!l || !reply || r->epoch != l->epoch || l->state != LINK_OPEN)
		return;
	l->sends--;
	if (err == 0) {
		l->counts.accepted += r->bytes;
		return;
	}
	if (l->udp && err == -EMSGSIZE) {
		datagram_too_long(l, r->bytes);
		return;
	}
	/* Anything but an end that is under way leaves a hole in the stream. */
	if (l->closing || l->doom)
		return;
	client_fail_reply(mc, err, "write", reply);
	l->doom = err;
	link_ask_close(l, true);
}

int link_send(struct modemclient_link *l, const uint8_t *data, size_t len,
	      const char *address, uint16_t port)
{
	Modemd__V1__Send send = MODEMD__V1__SEND__INIT;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;
	struct request *r = request_new(send_done);
	int err;

	if (!r)
		return client_fail(l->mc, -ENOMEM, "out of memory");
	r->link = l;
	r->epoch = l->epoch;
	r->bytes = len;
	send.has_link = 1;
	send.link = l->id;
	send.has_epoch = 1;
	send.epoch = l->epoch;
	send.has_data = 1;
	send.data.len = len;
	send.data.data = (uint8_t *)(uintptr_t)data;
	if (address) {
		send.has_to_host = 1;
		send.to_host.len = strlen(address);
		send.to_host.data = (uint8_t *)(uintptr_t)address;
		send.has_to_port = 1;
		send.to_port = port;
	}
	req.kind_case = MODEMD__V1__REQUEST__KIND_SEND;
	req.send = &send;
	err = client_request(l->mc, &req, r);
	if (err < 0)
		return err;
	l->sends++;
	l->outstanding += len;

	return 0;
}

/* As much as the window takes now: bytes, or -ENOMEM with none. */
static ssize_t link_send_some(struct modemclient_link *l, const uint8_t *data,
			      size_t len)
{
	size_t done = 0;

	while (done < len) {
		size_t n = modemclient_link_writable(l);
		int err;

		if (n > len - done)
			n = len - done;
		if (n > WIRE_DATA_MAX)
			n = WIRE_DATA_MAX;
		if (n == 0)
			break;
		err = link_send(l, data + done, n, NULL, 0);
		if (err < 0)
			return done > 0 ? (ssize_t)done : err;
		done += n;
	}
	connection_flush(&l->mc->conn);

	return (ssize_t)done;
}

static bool may_write(void *link)
{
	struct modemclient_link *l = link;

	return l->freed || link_write_error(l) < 0 ||
		modemclient_link_writable(l) > 0;
}

static bool is_flushed(void *link)
{
	struct modemclient_link *l = link;

	return l->freed || l->mc->conn.out.len == 0 || l->mc->conn.out_err;
}

ssize_t modemclient_write(struct modemclient_link *link, const void *buf,
			  size_t len, int timeout_ms)
{
	int64_t deadline = client_now_ms() + timeout_ms;
	int64_t left = timeout_ms;
	size_t done = 0;
	int err = client_may_wait(link->mc, timeout_ms);

	if (link->udp && len > 0)
		return modemclient_sendto(link, buf, len, NULL, 0, timeout_ms);
	if (err < 0)
		return err;
	while (done < len) {
		ssize_t n;

		err = link_wait(link, left > 0 ? (int)left : 0, may_write);
		if (err == -ECANCELED)
			return err;
		if (err == 0)
			err = link_write_error(link);
		if (err < 0)
			break;
		n = link_send_some(link, (const uint8_t *)buf + done,
				   len - done);
		if (n < 0)
			return done > 0 ? (ssize_t)done : n;
		done += (size_t)n;
		left = deadline - client_now_ms();
	}
	/* A caller that now computes for an hour has sent, nevertheless. */
	if (done > 0 && left > 0 &&
	    link_wait(link, (int)left, is_flushed) == -ECANCELED)
		return -ECANCELED;
	/* Also for a part: the sentence says why it was not more. */
	if (err == -EAGAIN && timeout_ms > 0)
		err = -ETIMEDOUT;
	if (err < 0)
		link_fail(link, err, "write to");

	return done > 0 || len == 0 ? (ssize_t)done : err;
}

void link_take(struct modemclient_link *l, size_t len)
{
	buffer_drop(&l->rx, len);
	if (l->unseen_loss) {
		l->rx_old -= len;
	} else {
		link_consumed(l, len);
		connection_flush(&l->mc->conn);
	}
}

static size_t link_read_buffer(struct modemclient_link *l, void *buf,
			       size_t len)
{
	size_t n = modemclient_link_readable(l);

	if (n > len)
		n = len;
	memcpy(buf, buffer_bytes(&l->rx), n);
	link_take(l, n);

	return n;
}

static bool may_read(void *link)
{
	const struct modemclient_link *l = link;

	return l->freed || modemclient_link_readable(l) > 0 ||
		l->unseen_loss || l->state != LINK_OPEN;
}

int link_wait_data(struct modemclient_link *l, int timeout_ms)
{
	if (modemclient_link_readable(l) > 0)
		return 0;

	return link_wait(l, timeout_ms, may_read);
}

int link_read_error(struct modemclient_link *l, int err)
{
	if (link_must_notice(l))
		err = -ENETRESET;
	else if (l->state == LINK_CLOSED)
		err = l->err == -EPIPE ? 0 : l->err;
	else if (l->state == LINK_OPENING)
		err = -EINPROGRESS;

	return err < 0 ? link_fail(l, err, "read from") : 0;
}

ssize_t modemclient_read(struct modemclient_link *link, void *buf, size_t len,
			 int timeout_ms)
{
	int err = client_may_wait(link->mc, timeout_ms);
	ssize_t n;

	if (err < 0 || len == 0)
		return err;
	if (link->udp) {
		n = modemclient_recvfrom(link, buf, len, NULL, NULL,
					 timeout_ms);
		return n > (ssize_t)len ? (ssize_t)len : n;
	}
	err = link_wait_data(link, timeout_ms);
	if (err == -ECANCELED)
		return err;
	if (modemclient_link_readable(link) > 0)
		return (ssize_t)link_read_buffer(link, buf, len);

	return link_read_error(link, err);
}

static bool is_drained(void *link)
{
	const struct modemclient_link *l = link;

	return l->freed || l->unseen_loss || l->state != LINK_OPEN ||
		l->outstanding == 0;
}

static int drain_result(const struct modemclient_link *l)
{
	if (link_must_notice(l))
		return -ENETRESET;
	if (l->state == LINK_OPENING)
		return -EINPROGRESS;
	if (l->state == LINK_OPEN)
		return l->refused;
	if ((l->err == 0 || l->err == -EPIPE) &&
	    l->counts.taken >= l->counts.accepted)
		return 0;

	return link_end_error(l);
}

int modemclient_drain(struct modemclient_link *link, int timeout_ms)
{
	int err = client_may_wait(link->mc, timeout_ms);

	if (err < 0)
		return err;
	err = link_wait(link, timeout_ms, is_drained);
	if (err == -ECANCELED)
		return err;
	if (err == 0)
		err = drain_result(link);
	link->refused = 0;

	return err < 0 ? link_fail(link, err, "drain") : 0;
}

static bool is_not_lost(void *link)
{
	const struct modemclient_link *l = link;

	return l->freed || l->state != LINK_LOST;
}

int modemclient_wait_restored(struct modemclient_link *link, int timeout_ms)
{
	int err = client_may_wait(link->mc, timeout_ms);

	if (err < 0)
		return err;
	err = link_wait(link, timeout_ms, is_not_lost);
	if (err == -ECANCELED)
		return err;
	if (err == 0 && link_must_notice(link)) {
		/* Even if it was closed since: there may be data to read. */
		link_acknowledge_loss(link);
		return 0;
	}
	if (err == 0 && link->state == LINK_CLOSED)
		err = link_end_error(link);
	else if (err == 0 && link->state == LINK_OPENING)
		err = -EINPROGRESS;
	if (err < 0)
		return link_fail(link, err, "restore");

	return 0;
}

void modemclient_link_counts(const struct modemclient_link *link,
			     struct modemclient_counts *out)
{
	*out = link->counts;
}

uint32_t modemclient_link_lost_counts(const struct modemclient_link *link,
				      struct modemclient_counts *out)
{
	*out = link->lost_counts;

	return link->lost_epoch;
}

uint32_t modemclient_link_epoch(const struct modemclient_link *link)
{
	return link->epoch;
}

uint64_t modemclient_link_id(const struct modemclient_link *link)
{
	return link->id;
}

int modemclient_link_error(const struct modemclient_link *link)
{
	if (link_must_notice(link))
		return -ENETRESET;
	switch (link->state) {
	case LINK_OPENING:
		return -EINPROGRESS;
	case LINK_OPEN:
		return link->doom;
	case LINK_LOST:
		return -ENETRESET;
	case LINK_CLOSED:
		break;
	}

	return link_end_error(link);
}

const char *modemclient_link_reason(const struct modemclient_link *link)
{
	return link->reason;
}

const char *modemclient_link_remote(const struct modemclient_link *link)
{
	return link->remote;
}

size_t modemclient_link_readable(const struct modemclient_link *link)
{
	return link->unseen_loss ? link->rx_old : link->rx.len;
}

size_t modemclient_link_writable(const struct modemclient_link *link)
{
	if (link_write_error(link) < 0 || link->sends >= LINK_SENDS_MAX ||
	    link->mc->conn.out.len >= CLIENT_OUT_MAX ||
	    link->outstanding >= link->window)
		return 0;

	return link->window - link->outstanding;
}

struct modemclient *modemclient_link_client(const struct modemclient_link *link)
{
	return link->mc;
}

void *modemclient_link_get_data(const struct modemclient_link *link)
{
	return link->data;
}

void modemclient_link_set_data(struct modemclient_link *link, void *data)
{
	link->data = data;
}
