/* SPDX-License-Identifier: MIT */

/* What happens to a link: modemd's side of it. */

#include "link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct modemclient_link *link_find(struct modemclient *mc, uint64_t id)
{
	struct modemclient_link *l;

	TAILQ_FOREACH(l, &mc->links, entry) {
		if (l->id == id && id != 0)
			return l;
	}

	return NULL;
}

void link_copy_counts(struct modemclient_counts *to,
		      const Modemd__V1__Counts *from)
{
	memset(to, 0, sizeof(*to));
	to->accepted = from->accepted;
	to->taken = from->taken;
	to->confirmed = from->has_confirmed ? from->confirmed : -1;
	to->received = from->received;
	to->lost = from->lost;
}

void link_emit(struct modemclient_link *l, struct modemclient_event *ev)
{
	if (l->quiet || l->freed)
		return;

	ev->link = l;
	client_emit(l->mc, ev);
}

/* "all is lost (network-lost) (the modem: +X)"; only @text must be there. */
static void link_set_reason(struct modemclient_link *l, const char *text,
			    const char *word, const char *modem_text)
{
	bool has_word = word && *word;
	bool has_modem = modem_text && *modem_text;

	snprintf(l->reason, sizeof(l->reason), "%s%s%s%s%s%s%s", text,
		 has_word ? " (" : "", has_word ? word : "",
		 has_word ? ")" : "", has_modem ? " (the modem: " : "",
		 has_modem ? modem_text : "", has_modem ? ")" : "");
}

/* What ended it: a sentence, and @word as it stands in the history. */
static void link_set_end(struct modemclient_link *l, int err, const char *word,
			 const char *modem_text)
{
	link_set_reason(l, err < 0 ? modemclient_strerror(err) : "closed", word,
			modem_text);
}

/* An epoch begins: all accounts are empty. */
static void link_begin_epoch(struct modemclient_link *l, uint32_t epoch)
{
	l->state = LINK_OPEN;
	l->epoch = epoch;
	l->outstanding = 0;
	l->sends = 0;
	l->credit_left = l->credit;
	l->consumed = 0;
	memset(&l->counts, 0, sizeof(l->counts));
	l->counts.confirmed = -1;
}

void link_end(struct modemclient_link *l, int err, const char *reason,
	      const Modemd__V1__Counts *counts)
{
	struct modemclient_event ev = {
		.type = l->state == LINK_OPENING ? MODEMCLIENT_EVENT_OPENED :
			MODEMCLIENT_EVENT_CLOSED,
		.err = err,
		.reason = l->reason,
		.epoch = l->epoch,
		.counts = &l->counts,
	};

	l->state = LINK_CLOSED;
	l->err = err;
	if (reason || !l->reason[0])
		link_set_reason(l, reason ? reason : modemclient_strerror(err),
				NULL, NULL);
	if (counts)
		link_copy_counts(&l->counts, counts);
	link_emit(l, &ev);
}

void link_queued(struct modemclient_link *l, const Modemd__V1__Queued *ev)
{
	struct modemclient_event news = {
		.type = MODEMCLIENT_EVENT_QUEUED,
		.reason = l->reason,
	};

	if (l->state != LINK_OPENING)
		return;
	link_set_reason(l, ev->reason ? ev->reason : "", NULL, NULL);
	link_emit(l, &news);
}

void link_opened(struct modemclient_link *l, const Modemd__V1__Opened *ev)
{
	struct modemclient_event news = {
		.type = MODEMCLIENT_EVENT_OPENED,
	};
	int err = wire_errno(ev->status);

	if (l->state != LINK_OPENING)
		return;
	if (err < 0) {
		link_set_reason(l, ev->message && *ev->message ? ev->message :
				modemclient_strerror(err), NULL, ev->modem_text);
		link_end(l, err, NULL, NULL);
		return;
	}

	link_begin_epoch(l, ev->has_epoch ? ev->epoch : l->epoch);
	link_set_reason(l, "", NULL, NULL);
	news.epoch = l->epoch;
	link_emit(l, &news);
}

void link_consumed(struct modemclient_link *l, size_t len)
{
	Modemd__V1__Credit credit = MODEMD__V1__CREDIT__INIT;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;

	l->consumed += (uint32_t)len;
	if (l->state != LINK_OPEN || (l->consumed < l->credit / 2 &&
	    !(l->udp && l->credit_left < LINK_DATAGRAM_MAX)))
		return;

	credit.has_link = 1;
	credit.link = l->id;
	credit.has_epoch = 1;
	credit.epoch = l->epoch;
	credit.has_bytes = 1;
	credit.bytes = l->consumed;
	req.kind_case = MODEMD__V1__REQUEST__KIND_CREDIT;
	req.credit = &credit;
	/* Without memory now: the next read tries again. */
	if (client_request(l->mc, &req, NULL) < 0)
		return;
	l->credit_left += l->consumed;
	l->consumed = 0;
}

int link_data(struct modemclient_link *l, const Modemd__V1__Data *ev)
{
	struct modemclient_event news = {
		.type = MODEMCLIENT_EVENT_READABLE,
	};
	uint8_t *to;

	if (l->state != LINK_OPEN || ev->data.len > l->credit_left)
		return -EPROTO;
	l->credit_left -= (uint32_t)ev->data.len;
	l->counts.received += ev->data.len;
	if (l->discard) {
		link_consumed(l, ev->data.len);
		return 0;
	}
	if (ev->data.len == 0)
		return 0;
	to = buffer_reserve(&l->rx, ev->data.len);
	if (!to || (l->udp && datagram_add(l, ev->data.len, ev->from) < 0))
		return -ENOMEM;
	memcpy(to, ev->data.data, ev->data.len);
	buffer_commit(&l->rx, ev->data.len);
	news.epoch = l->epoch;
	news.bytes = (uint32_t)ev->data.len;
	link_emit(l, &news);

	return 0;
}

int link_sent(struct modemclient_link *l, const Modemd__V1__Sent *ev)
{
	struct modemclient_event news = {
		.type = MODEMCLIENT_EVENT_SENT,
		.epoch = l->epoch,
		.bytes = ev->bytes,
	};

	/* What an earlier life sent is settled by the counts of its loss. */
	if (l->state != LINK_OPEN || (ev->has_epoch && ev->epoch != l->epoch))
		return 0;
	if (ev->bytes > l->outstanding)
		return -EPROTO;
	l->outstanding -= ev->bytes;
	news.err = ev->has_status ? wire_errno(ev->status) : 0;
	if (news.err == 0)
		l->counts.taken += ev->bytes;
	else
		l->refused = news.err;
	link_emit(l, &news);

	return 0;
}

void link_confirmed(struct modemclient_link *l,
		    const Modemd__V1__Confirmed *ev)
{
	struct modemclient_event news = {
		.type = MODEMCLIENT_EVENT_CONFIRMED,
		.epoch = l->epoch,
		.count = ev->confirmed,
	};

	if (l->state != LINK_OPEN || ev->epoch != l->epoch)
		return;
	l->counts.confirmed = (int64_t)ev->confirmed;
	link_emit(l, &news);
}

void link_closed(struct modemclient_link *l, const Modemd__V1__Closed *ev)
{
	int err = wire_errno(ev->status);

	if (l->state == LINK_CLOSED)
		return;
	if (l->state == LINK_OPENING && err == 0)
		err = -ECANCELED;
	if (l->doom)
		err = l->doom;
	link_set_end(l, err, ev->reason, ev->modem_text);
	link_end(l, err, NULL, ev->counts);
}

static void link_cut(struct modemclient_link *l, size_t len)
{
	datagrams_cut(l, len);
	buffer_cut(&l->rx, len);
}

void link_lost(struct modemclient_link *l, const Modemd__V1__LinkLost *ev)
{
	struct modemclient_event news = {
		.type = MODEMCLIENT_EVENT_LINK_LOST,
		.err = -ENETRESET,
		.reason = l->reason,
		.epoch = l->epoch,
		.counts = &l->lost_counts,
	};

	if (l->state != LINK_OPEN)
		return;
	if (ev->counts)
		link_copy_counts(&l->counts, ev->counts);
	l->state = LINK_LOST;
	l->lost_epoch = l->epoch;
	l->lost_counts = l->counts;
	/* Lost again before the program looked: that life was never shown. */
	if (l->unseen_loss)
		link_cut(l, l->rx_old);
	l->rx_old = l->rx.len;
	l->unseen_loss = true;
	link_set_end(l, -ENETRESET, ev->reason, NULL);
	link_emit(l, &news);
}

bool link_must_notice(const struct modemclient_link *l)
{
	/* Never restored: the end says it all. */
	if (l->state == LINK_CLOSED && l->epoch == l->lost_epoch)
		return false;

	return l->unseen_loss;
}

void link_acknowledge_loss(struct modemclient_link *l)
{
	datagrams_drop(l, l->rx_old);
	buffer_drop(&l->rx, l->rx_old);
	l->rx_old = 0;
	l->unseen_loss = false;
}

void link_restored(struct modemclient_link *l,
		   const Modemd__V1__LinkRestored *ev)
{
	struct modemclient_event news = {
		.type = MODEMCLIENT_EVENT_LINK_RESTORED,
	};

	if (l->state != LINK_LOST)
		return;
	link_begin_epoch(l, ev->has_epoch ? ev->epoch : l->epoch + 1);
	if (l->mc->event)
		link_acknowledge_loss(l);
	news.epoch = l->epoch;
	link_emit(l, &news);
}
