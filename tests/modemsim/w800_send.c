/* SPDX-License-Identifier: MIT */

/* CIPSEND, CIPSENDEX: W800 manual. */

#include <limits.h>
#include <string.h>

#include "clock.h"
#include "w800.h"

#define GUARD_MS	30	/* around +++, and between its signs */
#define GAP_MS		30	/* quirk send-gaps */

enum send_result { SEND_OK, SEND_FAIL, SEND_ERROR };

/* The payload in hand: there is one, as there is one command. */
static struct {
	unsigned int link;
	size_t want;
	size_t got;		/* of what was declared */
	size_t len;		/* in @data: backslashes are not */
	bool extended;		/* CIPSENDEX */
	bool quoted;		/* its last byte was a backslash */
	bool gone;		/* the link ended meanwhile */
	bool fails;		/* by order: SEND FAIL */
	unsigned int pluses;	/* at the end of what came, with guards */
	int64_t last_ns;
	struct event *escape;
	struct event *gap;
	enum send_result result;
	struct address to;	/* of UDP */
	bool named;
	uint8_t data[W800_SEND_MAX];
} payload;

void w800_send_link_gone(unsigned int id)
{
	if (payload.link == id)
		payload.gone = true;
}

bool w800_send_shall_fail(void)
{
	payload.fails = true;
	return true;
}

void w800_send_reset(void)
{
	if (payload.escape != NULL)
		event_free(payload.escape);
	if (payload.gap != NULL)
		event_free(payload.gap);
	payload.escape = NULL;
	payload.gap = NULL;
	payload.fails = false;
}

/* Quirk send-gaps: whatever comes meanwhile gets in between. */
static void after_gap(struct modem *m, event_callback_fn next)
{
	if (quirk_on(m->opt.quirks, QUIRK_SEND_GAPS))
		modem_after(m, &payload.gap, GAP_MS, next, m);
	else
		next(-1, 0, m);
}

static void on_result(evutil_socket_t fd, short what, void *ctx)
{
	struct modem *m = ctx;

	(void)fd;
	(void)what;
	m->w800->sending = -1;
	if (payload.result != SEND_OK) {
		reply_final(m, payload.result == SEND_FAIL ? "SEND FAIL"
							    : "ERROR");
		return;
	}
	if (quirk_take(m->opt.quirks, QUIRK_SEND_FAIL_OK))	/* Q100 */
		w800_put(m, "%sSEND FAIL\r\n", w800_head(m, REPLY_FINAL));
	if (quirk_take(m->opt.quirks, QUIRK_SEND_OK_LOST))
		command_done(m);
	else
		reply_final(m, "SEND OK");
}

static void conclude(struct modem *m, enum send_result result)
{
	payload.result = result;
	after_gap(m, on_result);
}

void w800_sent(struct modem *m, unsigned int link, int req, int cnf)
{
	/* that the rest went astray is no reason to refuse the next one */
	m->links[link].broken = false;
	if (m->w800->sending != (int)link)
		return;
	if (cnf == req)
		conclude(m, SEND_OK);
	else if (m->links[link].state != LINK_OPEN || cnf < 0)
		conclude(m, SEND_ERROR);
	else
		conclude(m, SEND_FAIL);
}

static void on_received(evutil_socket_t fd, short what, void *ctx)
{
	struct modem *m = ctx;
	unsigned int id = payload.link;
	struct link_data d = {
		.data = payload.data, .len = payload.len,
		.to = payload.named ? &payload.to : NULL,
		.timeout_ms = (unsigned int)m->w800->tcpopt[id].sndtimeo,
	};

	(void)fd;
	(void)what;
	if (m->opt.family != W800_OWN)
		w800_put(m, "%sRecv %zu bytes\r\n",
			 w800_head(m, REPLY_FINAL), payload.got);
	if (payload.fails) {
		payload.fails = false;
		conclude(m, SEND_FAIL);
	} else if (payload.gone || m->links[id].state != LINK_OPEN) {
		conclude(m, SEND_ERROR);
	} else {
		link_send(m, id, &d);
	}
}

static void finish(struct modem *m)
{
	unsigned int id = payload.link;

	if (payload.escape != NULL)
		evtimer_del(payload.escape);
	command_end_payload(m);
	if (quirk_take(m->opt.quirks, QUIRK_REBOOT_ON_CIPSEND)) {
		modem_reboot(m);
		return;
	}
	if (payload.gone || m->links[id].state != LINK_OPEN ||
	    m->links[id].ended || payload.len == 0) {
		reply_error(m);
		return;
	}
	m->w800->sending = (int)id;
	after_gap(m, on_received);
}

static void on_escape(evutil_socket_t fd, short what, void *ctx)
{
	struct modem *m = ctx;

	(void)fd;
	(void)what;
	if (m->cmd.state != COMMAND_PAYLOAD)
		return;
	record_event(&m->record, "escape from data entry");
	command_end_payload(m);
	command_done(m);	/* "This ... has no command reply" */
}

/* Signs that stand alone, with their pauses, are looked at as they come. */
static void watch(struct modem *m, uint8_t byte, int64_t at)
{
	int64_t gap = at - payload.last_ns;
	bool first = payload.pluses == 0;

	payload.last_ns = at;
	if (payload.escape != NULL)
		evtimer_del(payload.escape);
	if (byte == '+' && (first ? gap >= GUARD_MS * NS_PER_MS
				  : gap <= GUARD_MS * NS_PER_MS) &&
	    payload.pluses < 3)
		payload.pluses++;
	else
		payload.pluses = byte == '+' ? 4 : 0;
	if (payload.pluses == 3)
		modem_after(m, &payload.escape, GUARD_MS, on_escape, m);
}

/* True: that was all of it. */
static bool take_extended(uint8_t byte)
{
	if (!payload.quoted && byte == '\\') {
		payload.quoted = true;
		return false;
	}
	if (payload.quoted && byte == '0')
		return true;
	payload.quoted = false;
	payload.data[payload.len++] = byte;
	return false;
}

static bool take(uint8_t byte)
{
	bool ends = false;

	payload.got++;
	if (payload.extended)
		ends = take_extended(byte);
	else
		payload.data[payload.len++] = byte;
	return ends || payload.got == payload.want;
}

static size_t take_bytes(struct modem *m, const uint8_t *data, size_t len)
{
	int64_t byte_ns = line_byte_ns(&m->line);
	int64_t at = line_now(&m->line) - (int64_t)(len - 1) * byte_ns;
	size_t i;

	for (i = 0; i < len; i++, at += byte_ns) {
		watch(m, data[i], at);
		if (take(data[i])) {
			finish(m);
			return i + 1;
		}
	}
	return len;
}

/* <"remote host">,<remote port>: of UDP */
static bool take_address(struct modem *m, const struct args *a, size_t at,
			 const struct link *l)
{
	const char *host = args_str(a, at);
	int port;

	payload.named = false;
	if (a->count == at)
		return true;
	if (l->type != LINK_UDP || host == NULL || a->count != at + 2 ||
	    !args_int(a, at + 1, 1, 65535, &port) ||
	    !resolver_knows(m, host, l->family, &payload.to))
		return false;
	address_set_port(&payload.to, (unsigned int)port);
	payload.named = true;
	return true;
}

static bool gives_sign(const struct modem *m)
{
	if (m->opt.family == W800_OWN)
		return quirk_on(m->opt.quirks, QUIRK_PROMPT_SIGN);
	return !quirk_on(m->opt.quirks, QUIRK_PROMPT_NONE);
}

/* Q96 */
static void prompt_sign(struct modem *m)
{
	if (!gives_sign(m))
		return;
	if (quirk_on(m->opt.quirks, QUIRK_PROMPT_BLANK))
		w800_put(m, "> ");
	else
		reply_prompt(m);
	if (quirk_take(m->opt.quirks, QUIRK_URC_AFTER_PROMPT))
		urc_now(m, m->dialect->odd_urc);
}

/* Later than OK with the quirk send-gaps; by then all may have come. */
static void on_prompt(evutil_socket_t fd, short what, void *ctx)
{
	struct modem *m = ctx;

	(void)fd;
	(void)what;
	if (m->cmd.state == COMMAND_PAYLOAD)
		prompt_sign(m);
}

static void say_ok(struct modem *m)
{
	w800_put(m, "%sOK\r\n", w800_head(m, REPLY_FINAL));
}

/* OK alone "indicates that the AT is ready to receive serial data". */
static void begin(struct modem *m, unsigned int id, size_t len, bool extended)
{
	bool lost = quirk_take(m->opt.quirks, QUIRK_PROMPT_LOST);

	payload.link = id;
	payload.want = len;
	payload.got = 0;
	payload.len = 0;
	payload.extended = extended;
	payload.quoted = false;
	payload.gone = false;
	payload.pluses = 0;
	payload.last_ns = line_now(&m->line);
	if (!lost)
		say_ok(m);
	command_want_payload(m, take_bytes);
	if (!lost && gives_sign(m))
		after_gap(m, on_prompt);
}

static bool too_long(struct modem *m, const struct args *a, size_t at)
{
	int huge;

	if (!args_int(a, at, W800_SEND_MAX + 1, INT_MAX, &huge))
		return false;
	record_violation(&m->record, VIOLATION_SEND_TOO_LONG,
			 a->arg[at].text, strlen(a->arg[at].text));
	return true;
}

static void send_form(struct modem *m, struct args *a, bool extended)
{
	size_t at = 0;
	unsigned int id;
	int len;

	if (m->set.mode == 1) {
		reply_error(m);
		return;
	}
	if (!w800_take_link(m, a, &at, &id)) {
		w800_error(m, "ID ERROR");
		return;
	}
	if (too_long(m, a, at)) {
		w800_error(m, "too long");
		return;
	}
	if (!args_int(a, at, 1, W800_SEND_MAX, &len)) {
		w800_bad(m);
		return;
	}
	if (m->links[id].state != LINK_OPEN || m->links[id].ended ||
	    m->links[id].broken) {
		w800_error(m, "link is not valid");
		return;
	}
	if (!take_address(m, a, at + 1, &m->links[id])) {
		w800_bad(m);
		return;
	}
	begin(m, id, (size_t)len, extended);
}

static void cipsend(struct modem *m, struct args *a)
{
	send_form(m, a, false);
}

static void cipsendex(struct modem *m, struct args *a)
{
	send_form(m, a, true);
}

/* "must be used in Passthrough Mode and in single connection mode" */
static void cipsend_stream(struct modem *m, struct args *a)
{
	(void)a;
	if (m->set.mode != 1 || m->w800->mux ||
	    m->links[DATA_LINK].state != LINK_OPEN) {
		reply_error(m);
		return;
	}
	m->links[DATA_LINK].transparent = true;
	say_ok(m);
	prompt_sign(m);
	data_begin(m);
	command_done(m);
}

static void not_supported(struct modem *m, struct args *a)
{
	(void)a;
	reply_error(m);
}

const struct command_row w800_send_rows[] = {
	{ "+CIPSEND", COMMAND_TCP | COMMAND_PROMPTS, "", NULL, cipsend,
	  cipsend_stream },
	{ "+CIPSENDEX", COMMAND_TCP | COMMAND_PROMPTS, "", NULL, cipsendex,
	  NULL },
	{ "+CIPSENDL", COMMAND_TCP, NULL, not_supported, not_supported,
	  not_supported },
	{ "+CIPSENDLCFG", COMMAND_TCP, NULL, not_supported, not_supported,
	  not_supported },
	{ "+CIPFWVER", 0, NULL, not_supported, not_supported, not_supported },
	{ "+CIUPDATE", 0, NULL, not_supported, not_supported, not_supported },
	{ .name = NULL }
};
