/* SPDX-License-Identifier: MIT */

/*
 * Questions beside names: ping, confirmed bytes, options, raw AT. They wait in
 * the queue of query.c; but a ping, once begun, runs beside all else, until
 * its summary or until nobody wants it.
 */

#include <errno.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/timer.h"
#include "modem/private.h"

#define ACK_TRIES	3	/* before a close, and in this time: */
#define ACK_MS		2000
#define ACK_AGAIN_MS	900

/* -------------------------------------------------------------------- ping */

int modem_ping(struct modem *m, const char *host, int family,
	       const struct driver_ping *how, uint32_t *query)
{
	struct driver_query_args args = {
		.text = host,
		.ping = *how,
		.family = (enum driver_family)family,
	};

	if (!(m->driver->caps & DRIVER_CAP_PING) ||
	    (family == DRIVER_IPV6 && !(m->driver->caps & DRIVER_CAP_IPV6)))
		return -EOPNOTSUPP;
	if (m->network != NETWORK_OPEN || m->stopping)
		return -ENETDOWN;

	return query_add_args(m, DRIVER_Q_PING, &args, query);
}

/* Those that are not wanted any more before they began. */
void pings_end_cancelled(struct modem *m)
{
	struct query *q;

again:
	TAILQ_FOREACH(q, &m->queries, entry) {
		if (q->what != DRIVER_Q_PING || !q->cancelled)
			continue;
		query_end(m, q, -ECANCELED, NULL);
		goto again;	/* the callee may have asked or cancelled */
	}
}

/* True when the running one is being stopped by a command. */
bool ping_step(struct modem *m)
{
	struct query *q = m->pinging;

	if (!q || !q->cancelled || q->stopping ||
	    m->driver->ping_stop(m->d))
		return false;
	q->stopping = true;

	return true;
}

/* A modem may tell of more packets than were asked for: not we. */
void ping_progress(struct modem *m, uint32_t id,
		   const struct driver_echo *echo)
{
	struct query *q = m->pinging;

	if (!q || q->id != id || q->echoes >= q->args.ping.count)
		return;
	q->echoes++;
	m->ops->progress(m->ctx, q->id, q->echoes, echo);
}

/* --------------------------------------------------------- confirmed bytes */

/* Whether it is worth asking what its peer acknowledged. */
bool confirm_wanted(const struct link *l)
{
	const struct modem *m = l->modem;

	return (m->driver->caps & DRIVER_CAP_CONFIRMED) && !m->no_confirmed &&
	       !l->abort && (l->kind == LINK_TCP || l->kind == LINK_INBOUND) &&
	       (l->counts.taken > 0 || l->counts.received > 0 || l->line_loss);
}

/* Now or never: whoever asks, asks again. */
static int ask_now(struct modem *m, struct query *q)
{
	int err = query_begin(m, q);

	if (err == -EBUSY)
		query_end(m, q, err, NULL);

	return err;
}

static int ask_confirmed(struct link *l)
{
	struct driver_query_args none = { 0 };
	struct modem *m = l->modem;
	struct query *q;

	q = query_new(m, DRIVER_Q_CONFIRMED, &none);
	if (!q)
		return -ENOMEM;
	q->quiet = true;
	q->link = l->id;
	q->epoch = l->epoch;

	return ask_now(m, q);
}

static bool all_confirmed(const struct link *l)
{
	return l->counts.confirmed == (int64_t)l->counts.taken;
}

/*
 * Before a close: the modem is asked until the peer has acknowledged all, a
 * few times and for no long; of a link that the peer has closed once, since
 * most firmware has forgotten it by then.
 */
enum ask confirm_step(struct link *l)
{
	int64_t now = timers_mono_ms(l->modem->timers);

	if (!confirm_wanted(l) || (l->acks_asked > 0 && l->drained))
		return ASK_DONE;
	if (l->acks_asked == 0)
		l->ack_until_ms = now + ACK_MS;
	else if (all_confirmed(l) || l->acks_asked >= ACK_TRIES ||
		 now >= l->ack_until_ms)
		return ASK_DONE;
	else if (now < l->ack_next_ms)
		return ASK_WAIT;

	l->acks_asked++;
	l->ack_next_ms = now + ACK_AGAIN_MS;

	return ask_confirmed(l) ? ASK_DONE : ASK_SENT;
}

/* All that the modem held was read: what it received beyond that is lost. */
void confirm_drained(struct link *l)
{
	uint64_t have = l->counts.received + l->counts.lost +
			evbuffer_get_length(l->rx);
	struct modem *m = l->modem;

	if (l->claimed > have) {
		log_warn("link %llu: %llu bytes were lost between modem and "
			 "modemd", (unsigned long long)l->id,
			 (unsigned long long)(l->claimed - have));
		l->counts.lost += l->claimed - have;
		m->lost_bytes += l->claimed - have;
	}
	l->claimed = 0;
}

/*
 * The modem says that it received more than we got. Some may still be in its
 * buffer, or on their way here: it is read until it is empty, then counted.
 */
static void learn_received(struct link *l, uint64_t received)
{
	l->claimed = 0;
	if (received <= l->counts.received + l->counts.lost +
	    evbuffer_get_length(l->rx))
		return;
	l->claimed = received;
	if (l->line_loss) {	/* nothing more is read of it */
		confirm_drained(l);
		return;
	}
	l->readable = true;
	l->drained = false;
}

/* Never more than it was given, never less than before. */
static void learn_acked(struct link *l, uint64_t acked)
{
	uint64_t given = l->counts.taken + l->inflight;
	struct modem *m = l->modem;

	if (acked > given)
		acked = given;
	if ((int64_t)acked <= l->counts.confirmed)
		return;
	l->counts.confirmed = (int64_t)acked;
	m->ops->confirmed(m->ctx, l->id, l->epoch, acked);
}

static void confirmed_answered(struct modem *m, const struct query *q, int err,
			       const struct driver_answer *answer)
{
	struct link *l = link_find(m, q->link);

	if (err == -EOPNOTSUPP && !m->no_confirmed) {
		m->no_confirmed = true;
		log_info("modem: does not tell what peers acknowledged");
	}
	if (!l || l->epoch != q->epoch || l->state != LINK_OPEN)
		return;
	if (err) {
		l->acks_asked = ACK_TRIES;	/* it will not tell */
		return;
	}
	learn_received(l, answer->received);
	learn_acked(l, answer->acked);
}

int modem_confirmed(struct modem *m, uint64_t link, uint32_t *query)
{
	struct driver_query_args none = { 0 };
	struct link *l = link_find(m, link);
	struct query *q;

	if (!l || l->state == LINK_CLOSING)
		return -EBADF;
	if (!(m->driver->caps & DRIVER_CAP_CONFIRMED) || m->no_confirmed ||
	    (l->kind != LINK_TCP && l->kind != LINK_INBOUND))
		return -EOPNOTSUPP;
	if (l->state != LINK_OPEN || m->query_count >= MODEM_QUERIES)
		return -EBUSY;
	q = query_new(m, DRIVER_Q_CONFIRMED, &none);
	if (!q)
		return -ENOMEM;
	q->link = link;
	q->epoch = l->epoch;
	*query = q->id;
	modem_kick_soon(m);

	return 0;
}

/* ------------------------------------------------------------ wait for ACK */

/* From when it has a slot: its open goes out with the mode already set. */
static bool anybody_wants_ack(const struct modem *m)
{
	const struct link *l;

	TAILQ_FOREACH(l, &m->links, entry) {
		if (l->wait_ack && l->slot >= 0 && l->kind != LINK_UDP)
			return true;
	}

	return false;
}

/* The modem has one such mode: on while any open link asks for it. */
bool wait_ack_step(struct modem *m)
{
	struct driver_query_args args = { .number = anybody_wants_ack(m) };
	struct query *q;

	if (!(m->driver->caps & DRIVER_CAP_WAIT_ACK) ||
	    m->wait_ack == (args.number == 1))
		return false;
	q = query_new(m, DRIVER_Q_WAIT_ACK, &args);
	if (!q)
		return false;
	m->wait_ack = args.number == 1;
	q->quiet = true;

	return ask_now(m, q) == 0;
}

/* It may not be fully implemented, says a manual: links go on. */
static void wait_ack_answered(struct modem *m, const struct query *q, int err,
			      const struct driver_answer *answer)
{
	const struct link *l;

	if (!err && answer->number == q->args.number)
		return;
	if (q->args.number == 0) {
		log_warn("modem: goes on waiting for ACKs (%s)", answer->text);
		return;
	}
	TAILQ_FOREACH(l, &m->links, entry) {
		if (l->wait_ack && l->slot >= 0)
			log_warn("link %llu: this modem does not wait for "
				 "ACKs%s%s: taken is what its own stack took",
				 (unsigned long long)l->id,
				 err ? ", it says " : "", answer->text);
	}
}

/* ----------------------------------------------------------------- options */

const struct driver_setting *modem_settings(const struct modem *m)
{
	static const struct driver_setting none[] = { { NULL } };

	return m->driver->settings ? m->driver->settings : none;
}

long modem_setting(const struct modem *m, unsigned int setting)
{
	return m->driver->setting ? m->driver->setting(m->d, setting) : -1;
}

long modem_setting_wanted(const struct modem *m, unsigned int setting)
{
	return m->driver->wanted ? m->driver->wanted(m->d, setting) : -1;
}

/* What needs a modem that answers, but no network. */
static int ask_modem(struct modem *m, enum driver_query what,
		     const struct driver_query_args *args, uint32_t *query)
{
	if (m->state < MODEM_STARTING || m->stopping || speak_failed(m))
		return -ENODEV;

	return query_add_args(m, what, args, query);
}

int modem_read_config(struct modem *m, uint32_t *query)
{
	struct driver_query_args none = { 0 };

	if (!m->driver->settings)
		return -EOPNOTSUPP;

	return ask_modem(m, DRIVER_Q_CONFIG, &none, query);
}

int modem_set(struct modem *m, unsigned int setting, long value,
	      uint32_t *query)
{
	struct driver_query_args args = { .setting = setting,
					  .number = value };
	const struct driver_setting *s = modem_settings(m);
	unsigned int i;

	for (i = 0; i < setting && s[i].name; i++)
		;
	if (!s[i].name || s[i].by || value < s[i].min || value > s[i].max)
		return -EINVAL;

	return ask_modem(m, DRIVER_Q_SET, &args, query);
}

int modem_time(struct modem *m, const struct driver_time *set,
	       uint32_t *query)
{
	struct driver_query_args args = { .time = set };

	if (!(m->driver->caps & DRIVER_CAP_SNTP))
		return -EOPNOTSUPP;

	return ask_modem(m, DRIVER_Q_TIME, &args, query);
}

/* ------------------------------------------------------------------ raw AT */

int modem_at(struct modem *m, const char *command, uint32_t timeout_ms,
	     bool force, uint32_t *query, const char **why)
{
	struct driver_query_args args = { .text = command,
					  .timeout_ms = timeout_ms };
	struct query *q;
	int err;

	if (!m->driver->forbids)
		return -EOPNOTSUPP;
	*why = m->driver->forbids(command);
	if (*why && !force)
		return -EACCES;
	err = ask_modem(m, DRIVER_Q_AT, &args, query);
	if (err)
		return err;
	q = TAILQ_LAST(&m->queries, query_list);
	q->force = *why != NULL;

	return 0;
}

/* ----------------------------------------------------------------- answers */

void query_learn(struct modem *m, const struct query *q, int err,
		  const struct driver_answer *answer)
{
	switch (q->what) {
	case DRIVER_Q_CONFIRMED:
		confirmed_answered(m, q, err, answer);
		break;
	case DRIVER_Q_WAIT_ACK:
		wait_ack_answered(m, q, err, answer);
		break;
	case DRIVER_Q_AT:
		if (q->force)
			modem_check(m, "after a forced command");
		break;
	default:
		break;
	}
}
