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

static void put_head(struct modem *m)
{
	if (quirk_on(m->opt.quirks, QUIRK_BLANK_DOUBLE))
		put(m, "\r\n\r\n");
	if (!quirk_on(m->opt.quirks, QUIRK_BLANK_NONE))
		put(m, "\r\n");
}

static void put_text(struct modem *m, const char *text)
{
	put_head(m);
	put(m, text);
	if (quirk_on(m->opt.quirks, QUIRK_CRCRLF))
		put(m, "\r");
	put(m, "\r\n");
}

static void final(struct modem *m, const char *text)
{
	if (quirk_take(m->opt.quirks, QUIRK_URC_INSIDE))
		put_text(m, "+CGEV: EPS PDN ACT 1");
	put_head(m);
	put(m, text);
	put(m, "\r\n");
	command_done(m);
	if (quirk_take(m->opt.quirks, QUIRK_URC_AFTER_OK))
		put_text(m, "+CGEV: EPS PDN ACT 1");
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
	line_out(&m->line, data, len, true);
	if (quirk_on(m->opt.quirks, QUIRK_RXGET_BLANK))
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
	final(m, "OK");
}

void reply_error(struct modem *m)
{
	final(m, "ERROR");
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
	final(m, text);
}

static const char *ip_text(struct modem *m, enum ip_info info)
{
	switch (info) {
	case IP_INFO_ALREADY_OPENED:	return "Network is already opened";
	case IP_INFO_ALREADY_CLOSED:	return "Network is already closed";
	case IP_INFO_NOT_OPENED:	return "Network not opened";
	case IP_INFO_NOT_CREATED:	return "Connection is not created";
	case IP_INFO_PARAMETER:		return "Invalid parameter";
	case IP_INFO_NOT_SUPPORTED:	return "Operation not supported";
	case IP_INFO_NO_DATA:		break;
	}
	if (quirk_on(m->opt.quirks, QUIRK_NO_DATA_CASE))
		return "no data";
	return "No data";
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

void reply_connect(struct modem *m, unsigned int baud)
{
	char text[24];

	snprintf(text, sizeof(text), "CONNECT %u", baud);
	final(m, text);
}

void reply_connect_fail(struct modem *m)
{
	final(m, "CONNECT FAIL");
}

void reply_failed(struct modem *m, const char *name, int link, int err)
{
	reply_text(m, "+%s: %d,%d", name, link, err);
	reply_error(m);
}

void reply_prompt(struct modem *m)
{
	if (quirk_take(m->opt.quirks, QUIRK_URC_BEFORE_PROMPT))
		put_text(m, "+CGEV: EPS PDN ACT 1");
	put_head(m);
	put(m, quirk_on(m->opt.quirks, QUIRK_PROMPT_BLANK) ? "> " : ">");
}
