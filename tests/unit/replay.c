/* SPDX-License-Identifier: MIT */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <event2/buffer.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "at/channel.h"
#include "driver/driver.h"
#include "fake_port.h"
#include "fake_timer.h"
#include "modem_bench.h"
#include "replay.h"

#define BRING_UP_MS	3000

static struct replay *running;	/* bench events have no context of ours */

/* Bytes as a log writes them. Static; two at a time. */
static const char *printable(const void *data, size_t len)
{
	static char texts[2][1024];
	static int turn;
	const unsigned char *p = data;
	char *text = texts[turn ^= 1], *d = text;

	for (; len > 0 && d < text + sizeof(texts[0]) - 8; len--, p++) {
		if (*p == '\r')
			d += sprintf(d, "\\r");
		else if (*p == '\n')
			d += sprintf(d, "\\n");
		else if (*p == '\\')
			d += sprintf(d, "\\\\");
		else if (*p < ' ' || *p > '~')
			d += sprintf(d, "\\x%02x", *p);
		else
			*d++ = (char)*p;
	}
	strcpy(d, len > 0 ? "..." : "");

	return text;
}

static void end(struct replay *r)
{
	void *state = r->bench;

	r->bench->on_event = NULL;
	bench_tear_down(&state);
	evbuffer_free(r->wrote);
}

void replay_fail(const struct replay_step *step, const char *fmt, ...)
{
	char text[2500];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	print_error("reported so far:\n%.*s",
		    (int)evbuffer_get_length(running->out),
		    (char *)evbuffer_pullup(running->out, -1));
	end(running);
	fail_msg("%s:%u: %s", step->file, step->line, text);
	__builtin_unreachable();
}

/* --------------------------------------------------------- what it reports */

static void on_event(struct bench *b, const char *event, uint64_t link)
{
	struct evbuffer *got = b->got[link % BENCH_LINKS];
	size_t n = got ? evbuffer_get_length(got) : 0;

	/* the bench puts a blank behind each */
	evbuffer_add_printf(running->out, "%.*s", (int)strlen(event) - 1,
			    event);
	if (n > 0)
		evbuffer_add_printf(running->out, " %s",
				    printable(evbuffer_pullup(got, -1), n));
	if (n > 0)
		evbuffer_drain(got, n);
	evbuffer_add_printf(running->out, "\n");
}

static void add_state(struct evbuffer *out, const char *what, char *list,
		      const char *reason)
{
	size_t len = strlen(list);

	if (len > 0)
		list[len - 1] = '\0';
	evbuffer_add_printf(out, "%s: %s%s%s%s\n", what,
			    len > 0 ? list : "as before", *reason ? " (" : "",
			    reason, *reason ? ")" : "");
}

static void add_info(struct evbuffer *out, const struct driver_info *i)
{
	char signal[16] = "";

	if (i->signal_dbm != INT_MIN)
		snprintf(signal, sizeof(signal), "%d dBm", i->signal_dbm);
	evbuffer_add_printf(out, "info: %s|%s|%s|%s|%s|%s|%s|%s|%s|%s\n",
			    i->manufacturer, i->model, i->revision, i->imei,
			    i->iccid, i->sim, i->registration,
			    i->operator_name, i->address, signal);
}

static void add_summary(struct replay *r, bool from_power)
{
	struct modem_status st = bench_status(r->bench);

	add_state(r->out, "modem", r->bench->states, st.reason);
	add_state(r->out, "network", r->bench->networks, st.network_reason);
	if (from_power)
		add_info(r->out, st.info);
	evbuffer_add_printf(r->out, "stray finals %d, unknown lines %d, "
			    "lost payloads %d, timeouts %d, resyncs %d\n",
			    (int)st.line->stray_finals,
			    (int)st.line->unknown_lines,
			    (int)st.line->lost_payloads,
			    (int)st.line->timeouts, (int)st.line->resyncs);
	if (st.lost_bytes > 0)
		evbuffer_add_printf(r->out, "lost bytes %d\n",
				    (int)st.lost_bytes);
	if (strcmp(st.receive, "pull") != 0)
		evbuffer_add_printf(r->out, "receives by %s\n", st.receive);
}

/* ---------------------------------------------------------------- the steps */

static void on_written(void *ctx, struct port *p, const uint8_t *data,
		       size_t len)
{
	struct replay *r = ctx;

	if (r->taken_over)
		evbuffer_add(r->wrote, data, len);
	else
		r->before->written(r->before_ctx, p, data, len);
}

static const struct fake_port_hooks hooks = { .written = on_written };

static void nothing_unwanted(struct replay *r, const char *before)
{
	size_t len = evbuffer_get_length(r->wrote);

	if (len > 0)
		replay_fail(r->step, "the daemon wrote \"%s\" %s",
			    printable(evbuffer_pullup(r->wrote, -1), len),
			    before);
}

/* All that the step wants; static. */
static const char *wanted(struct replay *r, size_t *len)
{
	static char bytes[REPLAY_BYTES + 8];
	const struct replay_step *st = r->step;
	const char *dialect = r->bench->cfg.modem.dialect;
	const char *eol = st->is_command ?
			  driver_find(dialect)->dialect->eol : "";

	memcpy(bytes, st->bytes, st->len);
	strcpy(bytes + st->len, eol);
	*len = st->len + strlen(eol);

	return bytes;
}

static void compare(struct replay *r, const char *want, size_t len)
{
	const struct replay_step *st = r->step;
	size_t have = evbuffer_get_length(r->wrote);
	size_t n = have < len ? have : len;

	if (n > 0 && memcmp(evbuffer_pullup(r->wrote, -1), want, n) != 0)
		replay_fail(st, "the daemon wrote \"%s\", not \"%s\"",
			    printable(evbuffer_pullup(r->wrote, -1), have),
			    printable(want, len));
}

/* The clock goes from timer to timer until all of it is there. */
static void want(struct replay *r)
{
	struct timers *ts = r->bench->ts;
	int64_t until = timers_mono_ms(ts) + r->step->ms, next;
	size_t len;
	const char *bytes = wanted(r, &len);

	for (;;) {
		compare(r, bytes, len);
		if (evbuffer_get_length(r->wrote) >= len)
			break;
		next = fake_timers_next_ms(ts);
		if (next < 0 || timers_mono_ms(ts) + next > until)
			replay_fail(r->step, "within %u ms the daemon did not "
				    "write \"%s\"", r->step->ms,
				    printable(bytes, len));
		fake_timers_advance(ts, (uint32_t)next);
	}
	evbuffer_drain(r->wrote, len);
}

static void say(struct replay *r, bool bytewise)
{
	const struct replay_step *st = r->step;
	size_t i, n = bytewise ? 1 : st->len;

	fake_timers_advance(r->bench->ts, st->ms);
	nothing_unwanted(r, "before the modem says this");
	for (i = 0; i < st->len; i += n) {
		if (!r->bench->world.port)
			replay_fail(st, "the daemon has no port");
		fake_port_feed(r->bench->world.port, st->bytes + i, n);
		fake_timers_advance(r->bench->ts, 0);
	}
}

static void run_steps(struct replay *r, const struct replay_file *f,
		      bool bytewise)
{
	size_t i;

	for (i = 0; i < f->count; i++) {
		r->step = &f->steps[i];
		switch (r->step->kind) {
		case REPLAY_SET:
			break;
		case REPLAY_DO:
			nothing_unwanted(r, "before this");
			replay_do(r);
			break;
		case REPLAY_WANT:
			want(r);
			break;
		case REPLAY_SAY:
			say(r, bytewise);
			break;
		}
	}
	fake_timers_advance(r->bench->ts, 0);
	nothing_unwanted(r, "when the log has ended");
}

static void apply_settings(struct replay *r, const struct replay_file *f)
{
	size_t i;

	for (i = 0; i < f->count; i++) {
		r->step = &f->steps[i];
		if (r->step->kind == REPLAY_SET)
			replay_set(r);
	}
}

/* The scripted modem brings it up; then the log has the port. */
static void begin(struct replay *r, const struct replay_file *f)
{
	struct bench *b = r->bench;

	r->before = b->world.port_hooks;
	r->before_ctx = b->world.port_ctx;
	b->world.port_hooks = &hooks;
	b->world.port_ctx = r;
	apply_settings(r, f);
	r->taken_over = f->from_power;
	bench_start(b);
	if (!f->from_power) {
		bench_wait(b, BRING_UP_MS);
		assert_int_equal(bench_status(b).network, NETWORK_OPEN);
		bench_forget(b);
		r->taken_over = true;
	}
	b->on_event = on_event;
}

void replay_run(const struct replay_file *f, bool bytewise,
		struct evbuffer *out)
{
	struct replay r = { .out = out, .wrote = evbuffer_new() };
	void *state;

	running = &r;
	bench_set_up(&state);
	r.bench = state;
	begin(&r, f);
	run_steps(&r, f, bytewise);
	add_summary(&r, f->from_power);
	end(&r);
}
