/* SPDX-License-Identifier: MIT */

#include <string.h>
#include <strings.h>

#include "clock.h"
#include "modem.h"

#define BURST_GAP_MS	20
#define SILENCE_MS	1000	/* A7600 manual 1.2, 4: after +++ */

static void on_silence(evutil_socket_t fd, short what, void *ctx)
{
	struct modem *m = ctx;

	(void)fd;
	(void)what;
	record_note(&m->record, NOTE_ESCAPE_WITHOUT_GUARD);
}

void data_watch_reset(struct modem *m)
{
	m->data.watch.len = 0;
	if (m->data.watch.timer != NULL)
		evtimer_del(m->data.watch.timer);
}

void data_watch_byte(struct modem *m, uint8_t byte, int64_t gap, int held)
{
	struct data_watch *w = &m->data.watch;

	if (gap >= BURST_GAP_MS * NS_PER_MS || held)
		data_watch_reset(m);
	if (held)
		return;
	if (w->timer != NULL)
		evtimer_del(w->timer);
	if (w->len < sizeof(w->burst))
		w->burst[w->len] = (char)byte;
	w->len++;
	if (w->len == 3 && memcmp(w->burst, "+++", 3) == 0)
		modem_after(m, &w->timer, SILENCE_MS, on_silence, m);
	if (byte == '\r' && w->len > 2 && w->len <= sizeof(w->burst) &&
	    strncasecmp(w->burst, "AT", 2) == 0)
		record_note(&m->record, NOTE_COMMAND_IN_DATA);
}

void data_watch_free(struct modem *m)
{
	if (m->data.watch.timer != NULL)
		event_free(m->data.watch.timer);
}
