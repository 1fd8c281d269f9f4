/* SPDX-License-Identifier: MIT */

/*
 * How links end by themselves: the peer or the modem closes, a send fails,
 * bytes were lost. What the modem still holds for such a link is read first,
 * and what its peer acknowledged is asked, before it ends.
 */

#include <errno.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <string.h>

#include "base/config.h"
#include "base/log.h"
#include "base/timer.h"
#include "modem/private.h"

#define BUSY_MS		500	/* until a send is tried again */

static void set_end(struct link *l, int err, const char *reason, bool loss,
		    const char *text)
{
	l->peer_closed = true;
	l->end_err = err;
	l->end_reason = reason;
	l->end_is_loss = loss;
	snprintf(l->end_text, sizeof(l->end_text), "%s", text);
}

/* All that the modem held for a link which goes nowhere any more was read. */
void link_drained(struct link *l)
{
	l->modem->slots[l->slot].must_close = !accept_leave(l);
	if (l->end_is_loss)
		link_lose(l, l->end_err, l->end_reason, l->end_text);
	else
		link_end(l, l->end_err, l->end_reason, l->end_text);
}

/* The same, after one more question; but not of a slot that may be another
 * connection's by now. */
void link_is_drained(struct link *l)
{
	l->drained = true;
	if (accept_may_have(l) || !confirm_wanted(l))
		link_drained(l);
}

/* Where connections come, nothing more may be read from the slot of a link
 * that the modem has closed: nothing may be left to wait for. */
void link_check_drained(struct link *l)
{
	if (l->state == LINK_OPEN && accept_may_have(l) && !l->readable &&
	    !l->modem->slots[l->slot].pulling && l->inflight == 0 &&
	    evbuffer_get_length(l->rx) == 0)
		link_is_drained(l);
}

/* The modem has closed it. What is left is read first; but where connections
 * come, the slot may be another's, and only what was announced before is this
 * link's. */
static void gone(struct link *l)
{
	struct modem *m = l->modem;

	l->gone = true;
	l->pull_errors = 0;
	l->readable = (m->receive == DRIVER_PULL || m->switching) &&
		      (!listener_exists(m) || l->announced);
}

void link_peer_closed(struct link *l, enum driver_close why, const char *text)
{
	static const struct {
		int err;
		const char *reason;
		bool loss;
	} reasons[] = {
		[DRIVER_CLOSE_ASKED]	= { 0, "local", false },
		[DRIVER_CLOSE_UNSURE]	= { 0, "local", false },
		[DRIVER_CLOSE_LOCAL]	= { -ECONNABORTED, "modem-closed", true },
		[DRIVER_CLOSE_PEER]	= { -EPIPE, "peer", false },
		[DRIVER_CLOSE_TIMEOUT]	= { -ETIMEDOUT, "send-timeout", true },
	};

	if (l->gone)
		return;
	if (!l->peer_closed)
		set_end(l, reasons[why].err, reasons[why].reason,
			reasons[why].loss, text);
	gone(l);
	link_check_drained(l);
}

/* The modem's table does not have it any more. */
void link_vanished(struct link *l)
{
	log_info("modem: link %llu is open here and not in the modem",
		 (unsigned long long)l->id);
	set_end(l, -ECONNABORTED, "vanished", true,
		"not in the modem's table of links");
	gone(l);
	link_check_drained(l);
}

/* Bytes may have been lost between modem and us: a gap in a stream is worse
 * than its end. How many, the modem is asked first. */
void link_line_lost(struct link *l)
{
	set_end(l, -ECONNABORTED, "line-loss", true, "an answer with data did "
		"not arrive whole");
	l->line_loss = true;
	link_is_drained(l);
}

/* ------------------------------------------------------------------- sends */

/* The peer's bytes may have come before: they are read first, as long as
 * somebody wants them. */
static void send_failed(struct link *l, int err, const char *reason,
			const char *text)
{
	link_drop_unsent(l);
	set_end(l, err, reason, true, text);
	l->hurry = true;
	l->readable = true;
}

/*
 * Answered, the peer may still be heard. Unanswered, nobody knows what the
 * modem has sent him meanwhile, and what he says to that is not for us.
 */
void link_send_failed(struct link *l, int err, const char *text)
{
	if (err == -ECONNABORTED) {
		send_failed(l, err, "send-failed", text);
		return;
	}
	l->modem->slots[l->slot].must_close = true;
	link_lose(l, err, err == -ETIMEDOUT ? "send-timeout" : "send-failed",
		  text);
}

/* Nothing was taken, and nothing is wrong: the same again after a while. */
void link_send_later(struct link *l, const char *text)
{
	struct modem *m = l->modem;
	int64_t now = timers_mono_ms(m->timers);

	if (l->busy_since_ms == 0)
		l->busy_since_ms = now;
	if (now - l->busy_since_ms >= m->cfg->links.send_timeout_ms)
		send_failed(l, -ETIMEDOUT, "send-timeout", text);
	else
		l->send_after_ms = now + BUSY_MS;
}
