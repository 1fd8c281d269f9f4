/* SPDX-License-Identifier: MIT */

/* Ping, as of iputils: a line for each packet, Ctrl-C, a summary. */

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format.h"
#include "modemctl.h"

struct ping {
	struct ctl *ctl;
	const char *host;
	uint64_t request;
	bool ended;
	int err;
	char reason[512];
	struct modemclient_ping_result result;
};

/* One object a line. Takes @object, also NULL (no memory). */
static void print_json(json_t *object)
{
	if (!object)
		return;
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(object);
}

/* Size and TTL only where the modem tells them. */
static void print_echo_json(const struct modemclient_echo *e)
{
	json_t *o = json_pack("{sI sb}", "seq", (json_int_t)e->seq,
			      "timeout", e->timeout);

	if (o && !e->timeout) {
		json_object_set_new(o, "address",
				    format_json_text(e->address));
		if (e->size) {
			json_object_set_new(o, "bytes", json_integer(e->size));
			json_object_set_new(o, "ttl", json_integer(e->ttl));
		}
		json_object_set_new(o, "rtt_ms", json_integer(e->rtt_ms));
	}
	print_json(o);
}

static void print_echo(const struct ping *p, const struct modemclient_echo *e)
{
	if (p->ctl->json)
		print_echo_json(e);
	else if (e->timeout)
		printf("no answer: seq=%u\n", e->seq);
	else if (!e->size)
		printf("answer from %s: seq=%u time=%u ms\n", e->address,
		       e->seq, e->rtt_ms);
	else
		printf("%u bytes from %s: seq=%u ttl=%u time=%u ms\n", e->size,
		       e->address, e->seq, e->ttl, e->rtt_ms);
	fflush(stdout);
}

static unsigned int percent_lost(const struct modemclient_ping_result *r)
{
	if (r->sent == 0 || r->received > r->sent)
		return 0;

	return (unsigned int)((uint64_t)(r->sent - r->received) * 100 /
			      r->sent);
}

static void print_summary_json(const struct ping *p)
{
	const struct modemclient_ping_result *r = &p->result;
	json_t *o = json_pack("{so so sI sI sI si}",
			      "host", format_json_text(p->host),
			      "address", format_json_text(r->address),
			      "sent", (json_int_t)r->sent,
			      "received", (json_int_t)r->received,
			      "lost", (json_int_t)r->lost,
			      "loss_percent", (int)percent_lost(r));

	if (o && r->received > 0) {
		json_object_set_new(o, "min_ms", json_integer(r->min_ms));
		json_object_set_new(o, "avg_ms", json_integer(r->avg_ms));
		json_object_set_new(o, "max_ms", json_integer(r->max_ms));
	}
	print_json(o);
}

static void print_summary(const struct ping *p)
{
	const struct modemclient_ping_result *r = &p->result;

	if (p->ctl->json) {
		print_summary_json(p);
		return;
	}
	printf("\n--- %s ping statistics ---\n", p->host);
	printf("%u packets transmitted, %u received, %u%% packet loss\n",
	       r->sent, r->received, percent_lost(r));
	if (r->received > 0)
		printf("rtt min/avg/max = %u/%u/%u ms\n", r->min_ms, r->avg_ms,
		       r->max_ms);
}

static void on_event(void *ctx, const struct modemclient_event *ev)
{
	struct ping *p = ctx;

	if (ev->type == MODEMCLIENT_EVENT_PING && ev->request == p->request) {
		print_echo(p, ev->echo);
		return;
	}
	if (ev->type != MODEMCLIENT_EVENT_REPLY || ev->request != p->request)
		return;
	p->ended = true;
	p->err = ev->err;
	snprintf(p->reason, sizeof(p->reason), "%s", ev->reason);
	if (ev->ping)
		p->result = *ev->ping;
}

/* "1.5": seconds with decimals, as ms. */
static bool take_ms(const char *text, uint32_t *ms)
{
	char *end;
	double s;

	errno = 0;
	s = strtod(text, &end);
	if (!*text || *end || errno || !isfinite(s) || s <= 0 || s > 1000)
		return false;
	*ms = (uint32_t)lround(s * 1000);

	return *ms > 0;
}

static bool take_number(const char *text, unsigned int *out)
{
	long n;

	if (!ctl_number(text, 1, 1000000, &n))
		return false;
	*out = (unsigned int)n;

	return true;
}

/* The ranges are the modem's: modemd knows them. */
static int take_options(struct ctl *ctl, int argc, char **argv,
			struct modemclient_ping_options *o)
{
	static const struct option options[] = { CTL_COMMON_OPTIONS };
	bool good;
	int c;

	while ((c = ctl_getopt(ctl, argc, argv, "46c:s:i:W:t:",
			       options)) != -1) {
		if (c == CTL_STOP)
			return ctl->exit;
		if (c == '4' || c == '6') {
			o->family = c == '4' ? MODEMCLIENT_IPV4 :
				    MODEMCLIENT_IPV6;
			continue;
		}
		good = c == 'c' ? take_number(optarg, &o->count) :
		       c == 's' ? take_number(optarg, &o->bytes) :
		       c == 't' ? take_number(optarg, &o->ttl) :
		       take_ms(optarg, c == 'i' ? &o->interval_ms :
				       &o->wait_ms);
		if (!good)
			return ctl_usage(ctl, "-%c takes a number%s, not "
					 "\"%s\"", c, c == 'i' || c == 'W' ?
					 " of seconds" : "", optarg);
	}
	if (argc - optind != 1)
		return ctl_usage(ctl, "exactly one host is needed");
	o->host = argv[optind];

	return -1;
}

/* Until the ping ends; a signal, or a closed stdout, stops it. */
static int follow(struct ctl *ctl, struct ping *p)
{
	enum { MODEMD, SIGNALS, OUTPUT, FDS };
	struct pollfd f[FDS] = {
		[SIGNALS] = { .fd = ctl_signals(), .events = POLLIN },
		[OUTPUT] = { .fd = STDOUT_FILENO },	/* POLLERR: no reader */
	};

	while (!p->ended) {
		f[MODEMD].fd = modemclient_get_fd(ctl->mc);
		f[MODEMD].events = modemclient_get_events(ctl->mc);
		if (poll(f, FDS, modemclient_get_timeout_ms(ctl->mc)) < 0)
			continue;
		if (f[SIGNALS].revents || (f[OUTPUT].revents & POLLERR)) {
			(void)modemclient_cancel(ctl->mc, p->request);
			f[SIGNALS].fd = -1;	/* once is enough */
			f[OUTPUT].fd = -1;
		}
		if (modemclient_process(ctl->mc) < 0)
			return ctl_fail_client(ctl);
	}

	return CTL_DONE;
}

int ping_run(struct ctl *ctl, int argc, char **argv)
{
	struct modemclient_ping_options o = MODEMCLIENT_PING_OPTIONS_INIT;
	struct ping p = { .ctl = ctl };
	int code = take_options(ctl, argc, argv, &o);

	if (code >= 0)
		return code;
	p.host = o.host;
	code = ctl_connect(ctl, on_event, &p);
	if (code != CTL_DONE)
		return code;
	if (modemclient_ping_start(ctl->mc, &o, &p.request) < 0)
		return ctl_fail_client(ctl);
	code = follow(ctl, &p);
	if (code != CTL_DONE)
		return code;
	if (!p.err || p.err == -ECANCELED || p.result.sent > 0)
		print_summary(&p);
	if (p.err && p.err != -ECANCELED)
		return ctl_fail(ctl, "%s: %s", p.host, p.reason);

	return p.result.received > 0 ? CTL_DONE : CTL_FAILED;
}
