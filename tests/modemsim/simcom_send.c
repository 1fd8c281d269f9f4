/* SPDX-License-Identifier: MIT */

/* CIPSEND: A7600 manual 2.4, SIMCom ref L1105. */

#include <string.h>

#include "simcom.h"

#define SEND_MAX	1500
#define ETX		0x03
#define CTRL_Z		0x1a
#define ESC		0x1b

/* The payload in hand: there is one, as there is one command. */
static struct {
	unsigned int link;
	size_t want;		/* 0: until Ctrl-Z */
	size_t len;
	bool quoted;		/* the last byte was ETX */
	bool full;		/* more than SEND_MAX came */
	struct address to;	/* of UDP */
	bool named;		/* @to is given */
	uint8_t data[SEND_MAX];
} payload;

static void refuse(struct modem *m, int err)
{
	reply_text(m, "+CIPERROR: %d", err);
	if (quirk_on(m->opt.quirks, QUIRK_DOUBLE_ERROR))
		reply_text(m, "ERROR");
	reply_error(m);
}

static void finish(struct modem *m)
{
	unsigned int id = payload.link;
	struct link_data d = {
		.data = payload.data, .len = payload.len,
		.to = payload.named ? &payload.to : NULL,
		.wants_ack = m->set.send_mode == 1,
		.timeout_ms = (unsigned int)m->set.timeout_ms[2],
	};
	bool open = m->links[id].state == LINK_OPEN;

	if (quirk_take(m->opt.quirks, QUIRK_REBOOT_ON_CIPSEND)) {
		modem_reboot(m);
		return;
	}
	if (payload.len == 0) {
		reply_error(m);
		return;
	}
	/* a lie: the socket has not been asked yet */
	if (open && quirk_take(m->opt.quirks, QUIRK_SEND_RESULT_FIRST)) {
		reply_text(m, "+CIPSEND: %u,%zu,%zu", id, payload.len,
			   payload.len);
		reply_ok(m);
		d.silent = true;
		link_send(m, id, &d);
		return;
	}
	reply_ok(m);
	if (open)
		link_send(m, id, &d);
	else
		m->dialect->sent(m, id, (int)payload.len, -1);
}

static size_t take_fixed(struct modem *m, const uint8_t *data, size_t len)
{
	size_t n = payload.want - payload.len;

	if (n > len)
		n = len;
	memcpy(payload.data + payload.len, data, n);
	payload.len += n;
	if (payload.len == payload.want)
		finish(m);
	return n;
}

static void take_coded_byte(struct modem *m, uint8_t byte)
{
	if (!payload.quoted) {
		if (byte == ETX) {
			payload.quoted = true;
			return;
		}
		if (byte == CTRL_Z) {
			finish(m);
			return;
		}
		if (byte == ESC) {
			reply_error(m);		/* SIMCom ref L1105, example */
			return;
		}
	}
	payload.quoted = false;
	if (payload.len < SEND_MAX) {
		payload.data[payload.len++] = byte;
		return;
	}
	if (!payload.full)
		record_violation(&m->record, VIOLATION_SEND_TOO_LONG, &byte, 1);
	payload.full = true;		/* the rest is lost */
}

static size_t take_coded(struct modem *m, const uint8_t *data, size_t len)
{
	size_t i;

	for (i = 0; i < len && m->cmd.state == COMMAND_PAYLOAD; i++)
		take_coded_byte(m, data[i]);
	return i;
}

/* <serverIP>,<serverPort>: of UDP only; needed unless CIPOPEN named them. */
static bool take_address(struct modem *m, const struct args *a,
			 const struct link *l)
{
	const char *host = args_str(a, 2);
	int port;

	payload.named = false;
	if (a->count <= 2)
		return l->type != LINK_UDP || l->host[0] != '\0';
	if (l->type != LINK_UDP || a->count != 4 || host == NULL ||
	    !args_int(a, 3, 1, 65535, &port) ||
	    !resolver_knows(m, host, FAMILY_V4, &payload.to))
		return false;
	address_set_port(&payload.to, (unsigned int)port);
	payload.named = true;
	return true;
}

static bool takes_length(struct modem *m, const struct args *a, int *len)
{
	int max = SEND_MAX, huge = 0;

	if (args_int(a, 1, SEND_MAX + 1, 1 << 30, &huge))
		record_violation(&m->record, VIOLATION_SEND_TOO_LONG,
				 a->arg[1].text, strlen(a->arg[1].text));
	if (quirk_on(m->opt.quirks, QUIRK_SEND_MAX_1400))
		max = 1400;
	return args_opt_int(a, 1, 1, max, len);
}

/* "Only supports fixed-length to send", A7600 manual 6.4.2 */
static bool accepted_may_send(struct modem *m, const struct link *l, int len)
{
	if (l->server == LINK_NO_SERVER)
		return true;
	if (len == 0)
		record_violation(&m->record, VIOLATION_CHANGEABLE_ON_ACCEPTED,
				 m->cmd.last, strlen(m->cmd.last));
	return len > 0 && !quirk_take(m->opt.quirks, QUIRK_SERVER_CANNOT_SEND);
}

/* NET_OK: the prompt may be given. */
static int send_err(struct modem *m, const struct args *a, int *id, int *len)
{
	const struct link *l;

	if (m->net.state != NET_STATE_OPEN)
		return NET_NOT_OPENED;
	if (!args_int(a, 0, 0, LINKS - 1, id) || !takes_length(m, a, len))
		return NET_PARAMETER;
	l = &m->links[*id];
	if (l->state != LINK_OPEN || l->broken || l->transparent)
		return NET_NOT_SUPPORTED;	/* Q50 */
	if (!take_address(m, a, l))
		return NET_PARAMETER;
	if (!accepted_may_send(m, l, *len))
		return NET_NOT_SUPPORTED;
	if (quirk_take(m->opt.quirks, QUIRK_SEND_BUSY))
		return NET_BUSY;
	if (quirk_take(m->opt.quirks, QUIRK_PROMPT_DEAD_LINK))
		return NET_NOT_SUPPORTED;
	return NET_OK;
}

static void cipsend(struct modem *m, struct args *a)
{
	int id = 0, len = 0, err = send_err(m, a, &id, &len);

	if (err != NET_OK) {
		refuse(m, err);
		return;
	}
	payload.link = (unsigned int)id;
	payload.want = (size_t)len;
	payload.len = 0;
	payload.quoted = false;
	payload.full = false;
	if (!quirk_take(m->opt.quirks, QUIRK_PROMPT_LOST))
		reply_prompt(m);
	command_want_payload(m, len > 0 ? take_fixed : take_coded);
	if (quirk_take(m->opt.quirks, QUIRK_URC_AFTER_PROMPT))
		urc_now(m, "+CGEV: EPS PDN ACT 1");
}

/* SIMCom ref L1105 prints the query form with the answer of the test. */
static void cipsend_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CIPSEND: (0-9),(1-1500)");
}

const struct command_row simcom_send_rows[] = {
	{ "+CIPSEND", COMMAND_TCP | COMMAND_PROMPTS,
	  "+CIPSEND: (0-9),(1-1500)", cipsend_read, cipsend, NULL },
	{ .name = NULL }
};
