/* SPDX-License-Identifier: MIT */

#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_timer.h"
#include "scripted_data.h"

#define GUARD_MS	1000
#define BETWEEN_MS	900

struct script_data {
	struct timers *ts;
	void (*left)(void *ctx);
	void *ctx;
	struct timer *timer;		/* of the pluses that are held back */
	struct evbuffer *peer;
	bool on;
	unsigned int pluses, lose;
	int64_t last_ms, first_ms;
	char log[4096], out[4096];
};

static void release(struct script_data *d)
{
	evbuffer_add(d->peer, "+++", d->pluses);
	d->pluses = 0;
	timer_stop(d->timer);
}

static void on_timer(void *ctx)
{
	struct script_data *d = ctx;

	if (d->pluses < 3 || d->lose > 0) {
		d->lose -= d->pluses == 3;
		release(d);
		return;
	}
	script_data_leave(d);
	d->left(d->ctx);
}

struct script_data *script_data_new(struct timers *ts,
				    void (*left)(void *ctx), void *ctx)
{
	struct script_data *d = calloc(1, sizeof(*d));

	d->ts = ts;
	d->left = left;
	d->ctx = ctx;
	d->timer = timer_new(ts, on_timer, d);
	d->peer = evbuffer_new();

	return d;
}

void script_data_free(struct script_data *d)
{
	timer_free(d->timer);
	evbuffer_free(d->peer);
	free(d);
}

void script_data_enter(struct script_data *d)
{
	d->on = true;
	d->pluses = 0;
	d->last_ms = timers_mono_ms(d->ts);
}

void script_data_leave(struct script_data *d)
{
	d->on = false;
	d->pluses = 0;
	timer_stop(d->timer);
}

bool script_data_on(const struct script_data *d)
{
	return d->on;
}

static void note(struct script_data *d, const uint8_t *data, size_t len)
{
	size_t at = strlen(d->log);
	int64_t now = timers_mono_ms(d->ts);

	if (at == 0)
		d->first_ms = now;
	snprintf(d->log + at, sizeof(d->log) - at, "%d:%.*s ",
		 (int)(now - d->first_ms), (int)len, (const char *)data);
}

void script_data_input(struct script_data *d, const uint8_t *data, size_t len)
{
	int64_t gap;

	note(d, data, len);
	for (; len > 0; len--, data++) {
		gap = timers_mono_ms(d->ts) - d->last_ms;
		d->last_ms = timers_mono_ms(d->ts);
		if (*data == '+' && (d->pluses == 0 ? gap >= GUARD_MS :
				     d->pluses < 3 && gap <= BETWEEN_MS)) {
			d->pluses++;
			timer_start(d->timer, d->pluses == 3 ? GUARD_MS :
				    BETWEEN_MS);
			continue;
		}
		release(d);
		evbuffer_add(d->peer, data, 1);
	}
}

void script_data_lose_escapes(struct script_data *d, unsigned int n)
{
	d->lose = n;
}

struct evbuffer *script_data_peer(struct script_data *d)
{
	return d->peer;
}

const char *script_data_writes(struct script_data *d)
{
	memcpy(d->out, d->log, sizeof(d->out));
	d->log[0] = '\0';

	return d->out;
}
