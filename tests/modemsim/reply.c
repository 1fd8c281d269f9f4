/* SPDX-License-Identifier: MIT */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "modem.h"
#include "reply.h"

#define TEXT_MAX	1024

static void put(struct modem *m, const char *text)
{
	line_out(&m->line, text, strlen(text), false);
}

static void put_head(struct modem *m, enum reply_kind kind)
{
	if (m->set.uart.numeric)
		return;
	if (quirk_on(m->opt.quirks, QUIRK_BLANK_DOUBLE))
		put(m, "\r\n\r\n");
	if (!quirk_on(m->opt.quirks, QUIRK_BLANK_NONE))
		put(m, m->dialect->head(m, kind));
}

static void put_text(struct modem *m, const char *text)
{
	put_head(m, REPLY_INFO);
	put(m, text);
	if (quirk_on(m->opt.quirks, QUIRK_CRCRLF))
		put(m, "\r");
	put(m, "\r\n");
}

/* ATV0: V.250 6.3.1, table 1; NULL: it has no number */
static const char *number_of(const char *text)
{
	static const char *const codes[][2] = {
		{ "OK", "0" }, { "CONNECT FAIL", NULL }, { "CONNECT", "1" },
		{ "NO CARRIER", "3" }, { "ERROR", "4" },
	};
	size_t i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (strncmp(text, codes[i][0], strlen(codes[i][0])) == 0)
			return codes[i][1];
	}
	return NULL;
}

/* ATQ1: no result code at all. */
static void put_result(struct modem *m, const char *text)
{
	const char *number = m->set.uart.numeric ? number_of(text) : NULL;

	if (m->set.uart.quiet)
		return;
	put_head(m, REPLY_FINAL);
	put(m, number != NULL ? number : text);
	put(m, number != NULL ? "\r" : "\r\n");
}

void reply_final(struct modem *m, const char *text)
{
	if (quirk_take(m->opt.quirks, QUIRK_URC_INSIDE))
		put_text(m, m->dialect->odd_urc);
	if (!quirk_take(m->opt.quirks, QUIRK_FINAL_LOST))
		put_result(m, text);
	command_done(m);
	if (quirk_take(m->opt.quirks, QUIRK_URC_AFTER_OK))
		put_text(m, m->dialect->odd_urc);
}

void reply_text(struct modem *m, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put_text(m, text);
}

void reply_raw(struct modem *m, const void *data, size_t len)
{
	const uint8_t *bytes = data;
	size_t half = len / 2;

	if (len == 0 || !quirk_take(m->opt.quirks, QUIRK_PAYLOAD_BYTE_LOST)) {
		line_out(&m->line, data, len, true);
		return;
	}
	line_out(&m->line, bytes, half, true);
	line_out(&m->line, bytes + half + 1, len - half - 1, true);
}

void reply_payload(struct modem *m, const void *data, size_t len,
		   const char *between, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put_text(m, text);
	if (between != NULL)
		put_text(m, between);
	reply_raw(m, data, len);
	if (!quirk_on(m->opt.quirks, QUIRK_RXGET_TIGHT))
		put(m, "\r\n");
}

void reply_text_ok(struct modem *m, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put_text(m, text);
	reply_ok(m);
}

void reply_ok(struct modem *m)
{
	if (!command_next(m))
		reply_final(m, "OK");
}

void reply_error(struct modem *m)
{
	reply_final(m, "ERROR");
}

static const char *cme_text(enum cme code)
{
	switch (code) {
	case CME_NOT_ALLOWED:	return "operation not allowed";
	case CME_NO_SIM:	return "SIM not inserted";
	case CME_SIM_PIN:	return "SIM PIN required";
	case CME_SIM_PUK:	return "SIM PUK required";
	case CME_SIM_FAILURE:	return "SIM failure";
	case CME_SIM_BUSY:	return "SIM busy";
	case CME_BAD_PASSWORD:	return "incorrect password";
	case CME_NO_SERVICE:	return "no network service";
	case CME_UNKNOWN:	break;
	}
	return "unknown";
}

void reply_cme(struct modem *m, enum cme code)
{
	bool number = m->set.cmee == 1;
	char text[64];

	if (m->set.cmee == 0) {
		reply_error(m);
		return;
	}
	if (quirk_on(m->opt.quirks, QUIRK_CME_SWAPPED))
		number = !number;
	if (number)
		snprintf(text, sizeof(text), "+CME ERROR: %d", code);
	else if (quirk_on(m->opt.quirks, QUIRK_CME_SUFFIX))
		snprintf(text, sizeof(text), "+CME ERROR: %s (#%d)",
			 cme_text(code), code);
	else
		snprintf(text, sizeof(text), "+CME ERROR: %s", cme_text(code));
	reply_final(m, text);
}

static const char *ip_text(struct modem *m, enum ip_info info)
{
	static const char *const texts[] = {
		[IP_INFO_TIMEOUT] = "Connection time out",
		[IP_INFO_BIND] = "Bind port failed",
		[IP_INFO_PORT] = "Port overflow",
		[IP_INFO_SOCKET] = "Create socket failed",
		[IP_INFO_ALREADY_OPENED] = "Network is already opened",
		[IP_INFO_ALREADY_CLOSED] = "Network is already closed",
		[IP_INFO_NO_CLIENTS] = "No clients connected",
		[IP_INFO_NO_ACTIVE] = "No active client",
		[IP_INFO_NOT_OPENED] = "Network not opened",
		[IP_INFO_INDEX] = "Client index overflow",
		[IP_INFO_CREATED] = "Connection is already created",
		[IP_INFO_NOT_CREATED] = "Connection is not created",
		[IP_INFO_PARAMETER] = "Invalid parameter",
		[IP_INFO_NOT_SUPPORTED] = "Operation not supported",
		[IP_INFO_DNS] = "DNS query failed",
		[IP_INFO_BUSY] = "TCP busy",
		[IP_INFO_SOCKET_OPENED] = "Net close failed for socket opened",
		[IP_INFO_SEND_TIMEOUT] = "Sending time out",
		[IP_INFO_SEND_FAILED] = "Sending failure for network error",
		[IP_INFO_OPEN_FAILED] = "Open failure for network error",
		[IP_INFO_LISTENING] = "Server is already listening",
		[IP_INFO_FAILED] = "Operation failed",
		[IP_INFO_NO_DATA] = "No data",
	};

	if (info == IP_INFO_NO_DATA &&
	    quirk_on(m->opt.quirks, QUIRK_NO_DATA_CASE))
		return "no data";
	return (size_t)info < sizeof(texts) / sizeof(texts[0])
	       ? texts[info] : "Unknown";
}

void reply_ip_error(struct modem *m, enum ip_info info)
{
	bool number = m->set.err_mode == 0 ||
		      quirk_on(m->opt.quirks, QUIRK_IP_ERROR_NUMERIC);

	if (info == IP_INFO_NO_DATA &&
	    quirk_on(m->opt.quirks, QUIRK_NO_DATA_NUMERIC))
		number = true;
	if (number)
		reply_text(m, "+IP ERROR: %d", info);
	else
		reply_text(m, "+IP ERROR: %s", ip_text(m, info));
	reply_error(m);
}

/* ATX0: without <text>, A7600 manual 2.3 */
static const char *connect_text(struct modem *m, unsigned int baud, char *text,
				size_t size)
{
	if (m->set.uart.no_text)
		return "CONNECT";
	snprintf(text, size, "CONNECT %u", baud);
	return text;
}

void reply_connect(struct modem *m, unsigned int baud)
{
	char text[24];

	reply_final(m, connect_text(m, baud, text, sizeof(text)));
}

void reply_connect_unasked(struct modem *m, unsigned int baud)
{
	char text[24];

	put_result(m, connect_text(m, baud, text, sizeof(text)));
}

void reply_no_carrier(struct modem *m)
{
	put_result(m, "NO CARRIER");
}

void reply_connect_fail(struct modem *m)
{
	reply_final(m, "CONNECT FAIL");
}

void reply_failed(struct modem *m, const char *name, int link, int err)
{
	reply_text(m, "+%s: %d,%d", name, link, err);
	reply_error(m);
}

void reply_prompt(struct modem *m)
{
	if (quirk_take(m->opt.quirks, QUIRK_URC_BEFORE_PROMPT))
		put_text(m, m->dialect->odd_urc);
	put_head(m, REPLY_PROMPT);
	put(m, quirk_on(m->opt.quirks, QUIRK_PROMPT_BLANK) ? "> " : ">");
}
