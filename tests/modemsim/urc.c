/* SPDX-License-Identifier: MIT */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "modem.h"
#include "urc.h"

#define URC_MAX		512
#define WAITING_MAX	(256 * 1024)	/* a flood must not grow for ever */

void urc_now(struct modem *m, const char *text)
{
	const char *head = m->dialect->head(m, REPLY_URC);
	char block[URC_MAX + 8];

	if (!modem_talks(m))
		return;
	if (quirk_on(m->opt.quirks, QUIRK_BLANK_NONE))
		head = "";
	snprintf(block, sizeof(block), "%s%s\r\n", head, text);
	line_out(&m->line, block, strlen(block), false);
}

void urc(struct modem *m, const char *fmt, ...)
{
	char text[URC_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (m->dialect->urcs_pass || !command_answering(m))
		urc_now(m, text);
	else if (evbuffer_get_length(m->waiting_urcs) < WAITING_MAX)
		evbuffer_add(m->waiting_urcs, text, strlen(text) + 1);
}

void urc_flush(struct modem *m)
{
	char text[URC_MAX];
	struct evbuffer_ptr end;

	while (evbuffer_get_length(m->waiting_urcs) > 0) {
		end = evbuffer_search(m->waiting_urcs, "", 1, NULL);
		evbuffer_remove(m->waiting_urcs, text, (size_t)end.pos + 1);
		urc_now(m, text);
	}
}

void urc_clear(struct modem *m)
{
	evbuffer_drain(m->waiting_urcs, evbuffer_get_length(m->waiting_urcs));
}
