/* SPDX-License-Identifier: MIT */

/* The modem's own tables of links and servers, and questions that are not
 * about a link: A7600 manual 2.3 and 2.17, SIMCom ref L1116 and L1132,
 * TS 27.007 8.5. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "at/text.h"
#include "base/timer.h"
#include "driver/simcom_private.h"

#define LINE_BUSY_MS	20	/* of a channel that another command has */
#define DNS_QUERY_MS	3000	/* of one query more; no manual tells it */
#define DNS_MARGIN_MS	1000

static void audit_line(void *ctx, const struct at_line *line)
{
	struct simcom *s = ctx;
	unsigned long n = (unsigned long)line->args[0];
	char host[DRIVER_HOST_MAX + 1];
	struct driver_slot *slot;

	if (n >= SIMCOM_LINKS)
		return;
	slot = &s->table.slots[n];
	slot->known = true;
	if (line->rule != &simcom_rules[R_OPEN_USED])
		return;
	slot->open = true;
	slot->listener = (int)line->args[2];
	s->links[n].inbound = slot->listener >= 0;
	at_text_copy(host, sizeof(host), &line->strs[1]);
	snprintf(slot->remote, sizeof(slot->remote), "%s:%ld", host,
		 line->args[1]);
}

static void end_audit(struct simcom *s, int err)
{
	s->auditing = false;
	s->env.events->audited(s->env.up, err ? NULL : &s->table, err);
}

static void servers_done(void *ctx, int err, const struct at_answer *a)
{
	struct simcom *s = ctx;

	(void)a;
	s->table.listeners_known = !err;
	end_audit(s, err == -EREMOTEIO ? 0 : err);
}

/* The channel takes the next command once this input is read. */
static void audit_done(void *ctx, int err, const struct at_answer *a)
{
	struct simcom *s = ctx;

	(void)a;
	if (err)
		end_audit(s, err);
	else
		timer_start(s->audit_timer, 0);
}

void simcom_audit_timer(void *ctx)
{
	struct simcom *s = ctx;
	int err;

	if (!at_channel_ready(s->env.channel)) {
		timer_start(s->audit_timer, LINE_BUSY_MS);
		return;
	}
	err = simcom_servers_ask(s, servers_done);
	if (err)
		end_audit(s, err);
}

/* Between its commands nobody else would end it. */
void simcom_audit_reset(struct simcom *s)
{
	if (!timer_pending(s->audit_timer))
		return;
	timer_stop(s->audit_timer);
	end_audit(s, -ENODEV);
}

int simcom_audit(void *d)
{
	static const signed char accept[] = { R_OPEN_FREE, R_OPEN_USED, -1 };
	struct simcom *s = d;
	struct at_command cmd = {
		.accept = accept,
		.timeout_ms = SIMCOM_FINAL_MS,
		.line = audit_line,
		.done = audit_done,
		.ctx = s,
	};
	int err;

	if (s->auditing)
		return -EBUSY;
	err = simcom_send(s, &cmd, "AT+CIPOPEN?");
	if (!err) {
		s->auditing = true;
		memset(&s->table, 0, sizeof(s->table));
	}

	return err;
}

static void query_line(void *ctx, const struct at_line *line)
{
	struct simcom *s = ctx;
	long rssi = line->args[0];

	if (line->rule == &simcom_rules[R_DNS_FOUND]) {
		at_text_copy(s->answer, sizeof(s->answer), &line->strs[1]);
		return;
	}
	if (line->rule == &simcom_rules[R_CIPACK]) {
		memcpy(s->numbers, line->args, sizeof(s->numbers));
		return;
	}
	if (line->rule == &simcom_rules[R_RDNS_FOUND]) {
		at_text_copy(s->answer, sizeof(s->answer), &line->strs[0]);
		return;
	}
	/* TS 27.007 8.5: 0..31 are -113..-51 dBm, 99 is unknown. */
	if (rssi >= 0 && rssi <= 31)
		s->info.signal_dbm = (int)(-113 + 2 * rssi);
}

static int query_errno(const struct simcom *s, int err,
		       const struct at_answer *a)
{
	bool name = s->query == DRIVER_Q_RESOLVE ||
		    s->query == DRIVER_Q_REVERSE;

	if (err == -EREMOTEIO && (a->rule == &simcom_rules[R_DNS_FAILED] ||
				  a->rule == &simcom_rules[R_RDNS_FAILED]))
		return -EADDRNOTAVAIL;
	if (!err && name && !s->answer[0])
		return -EADDRNOTAVAIL;
	/* Without a reason: this firmware has no CIPACK. */
	if (s->query == DRIVER_Q_CONFIRMED && err == -EREMOTEIO &&
	    !a->detail[0])
		return -EOPNOTSUPP;
	if (s->query == DRIVER_Q_CONFIRMED && !err && s->numbers[0] < 0)
		return -EBADMSG;

	return simcom_answer_errno(err, a);
}

static uint64_t natural(long n)
{
	return n > 0 ? (uint64_t)n : 0;
}

static void query_done(void *ctx, int err, const struct at_answer *a)
{
	struct simcom *s = ctx;
	struct driver_answer answer = {
		.text = s->answer,
		.sent = natural(s->numbers[0]),
		.acked = natural(s->numbers[1]),
		.received = natural(s->numbers[2]),
	};

	err = query_errno(s, err, a);
	if (err)
		answer.text = simcom_words(a);
	s->env.events->answered(s->env.up, s->query_id, err, &answer);
}

/* One of the three of CIPDNSSET: as last read, or as it was to be set. */
static long dns_setting(struct simcom *s, unsigned int which)
{
	const struct driver_setting *set =
		&simcom_settings[SIMCOM_SETTING_DNS + which];
	long n = simcom_setting(s, SIMCOM_SETTING_DNS + which);

	if (n < 0)
		n = simcom_setting_wanted(s, SIMCOM_SETTING_DNS + which);
	if (n > set->max)
		return set->max;

	return n < set->min ? set->min : n;
}

/*
 * How long the modem may look for a name, SIMCom ref L1133: each of its tries
 * to open the network, then each query after the first. 7 s as modemd sets it
 * (0,3000,1), 142 s of a modem that nobody has set.
 */
static uint32_t name_ms(struct simcom *s)
{
	long opens = dns_setting(s, 0) + 1, open_ms = dns_setting(s, 1);

	return (uint32_t)(opens * open_ms + dns_setting(s, 2) * DNS_QUERY_MS +
			  DNS_MARGIN_MS);
}

int simcom_query(void *d, unsigned int id, enum driver_query what,
		 const struct driver_query_args *args)
{
	static const signed char accept[] = { R_DNS_FOUND, R_RDNS_FOUND, R_CSQ,
					      R_CIPACK, -1 };
	struct simcom *s = d;
	struct at_command cmd = {
		.accept = accept,
		.timeout_ms = SIMCOM_FINAL_MS,
		.line = query_line,
		.done = query_done,
		.ctx = s,
	};
	int err = -EOPNOTSUPP;

	s->answer[0] = '\0';
	s->numbers[0] = -1;
	switch (what) {
	case DRIVER_Q_RESOLVE:
		cmd.timeout_ms = name_ms(s);
		err = simcom_send(s, &cmd, "AT+CDNSGIP=%q", args->text);
		break;
	case DRIVER_Q_REVERSE:
		cmd.timeout_ms = name_ms(s);
		err = simcom_send(s, &cmd, "AT+CDNSGHNAME=%q", args->text);
		break;
	case DRIVER_Q_SIGNAL:
		err = simcom_send(s, &cmd, "AT+CSQ");
		break;
	case DRIVER_Q_PING:
		return simcom_ping(s, id, args);
	case DRIVER_Q_WAIT_ACK:
	case DRIVER_Q_CONFIG:
	case DRIVER_Q_SET:
		return simcom_config_query(s, id, what, args);
	case DRIVER_Q_CONFIRMED:
		err = simcom_send(s, &cmd, "AT+CIPACK=%u", args->slot);
		break;
	case DRIVER_Q_AT:
		return simcom_at(s, id, args);
	case DRIVER_Q_RESTART:	/* also beside another question */
		return simcom_restart(s, id);
	case DRIVER_Q_TIME:
		break;
	}
	if (!err) {
		s->query_id = id;
		s->query = what;
	}

	return err;
}
