/* SPDX-License-Identifier: MIT */

/* CPING, CPINGSTOP: SIMCom ref L1134, L1135. No packet is really sent. */

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "simcom.h"

/* <result_type> */
#define PING_ANSWERED	1
#define PING_TIMED_OUT	2
#define PING_SUMMARY	3

/* The session in hand: there is one, a second CPING is refused. */
static struct {
	bool busy;
	struct resolve *resolve;
	struct event *timer;
	int64_t start;		/* of the first packet, 0: none sent */
	char host[LINK_HOST_MAX];
	char address[ADDRESS_TEXT];
	struct address addr;
	int count;
	int size;
	int interval_ms;
	int wait_ms;
	int ttl;
	int done;		/* results told */
	int answered;
} ping;

void simcom_ping_cancel(void)
{
	if (ping.resolve != NULL)
		resolve_cancel(ping.resolve);
	if (ping.timer != NULL)
		event_free(ping.timer);
	ping.resolve = NULL;
	ping.timer = NULL;
	ping.busy = false;
}

static const char *head(struct modem *m)
{
	return quirk_on(m->opt.quirks, QUIRK_CPING_TIGHT) ? "+CPING:"
							  : "+CPING: ";
}

/* Packets that have been sent by now. */
static int sent(void)
{
	int64_t ms;

	if (ping.start == 0)
		return 0;
	ms = (clock_ns() - ping.start) / NS_PER_MS;
	if (ms / ping.interval_ms + 1 < ping.count)
		return (int)(ms / ping.interval_ms) + 1;
	return ping.count;
}

static void summary(struct modem *m, char *text, size_t size, int n)
{
	unsigned int rtt = ping.answered > 0 ? m->opt.ping_ms : 0;
	const char *name = head(m);

	if (quirk_on(m->opt.quirks, QUIRK_PING_SPELLING))
		name = "+PING: ";
	snprintf(text, size, "%s%d,%d,%d,%d,%u,%u,%u", name, PING_SUMMARY, n,
		 ping.answered, n - ping.answered, rtt, rtt, rtt);
}

static void finish(struct modem *m)
{
	char text[96];

	summary(m, text, sizeof(text), ping.start != 0 ? ping.count : 0);
	ping.busy = false;
	urc(m, "%s", text);
}

static bool is_answered(struct modem *m)
{
	return net_works(m) && resolver_answers(m, ping.host, &ping.addr) &&
	       (int)m->opt.ping_ms < ping.wait_ms &&
	       !quirk_take(m->opt.quirks, QUIRK_PING_LOST);
}

static void on_result(evutil_socket_t fd, short what, void *ctx);

/* Results come in the order of the packets, as all take equally long. */
static void await(struct modem *m, unsigned int ms)
{
	int64_t at = ping.start + (ms + (int64_t)ping.done * ping.interval_ms)
		     * NS_PER_MS;
	int64_t left = at - clock_ns();

	if (left < 0)
		left = 0;
	modem_after(m, &ping.timer,
		    (unsigned int)((left + NS_PER_MS - 1) / NS_PER_MS),
		    on_result, m);
}

static unsigned int expected_ms(const struct modem *m)
{
	if (net_works(m) && resolver_answers(m, ping.host, &ping.addr) &&
	    (int)m->opt.ping_ms < ping.wait_ms)
		return m->opt.ping_ms;
	return m->opt.ping_wait_ms != 0 ? m->opt.ping_wait_ms
					: (unsigned int)ping.wait_ms;
}

static void on_result(evutil_socket_t fd, short what, void *ctx)
{
	struct modem *m = ctx;

	(void)fd;
	(void)what;
	ping.done++;
	if (is_answered(m)) {
		ping.answered++;
		urc(m, "%s%d,%s,%d,%u,%d", head(m), PING_ANSWERED,
		    ping.address, ping.size, m->opt.ping_ms, ping.ttl);
	} else {
		urc(m, "%s%d", head(m), PING_TIMED_OUT);
	}
	if (ping.done == ping.count)
		finish(m);
	else
		await(m, expected_ms(m));
}

static void on_resolved(void *ctx, const struct address *addr)
{
	struct modem *m = ctx;

	ping.resolve = NULL;
	if (addr == NULL) {
		finish(m);	/* of nothing, Q81 */
		return;
	}
	ping.addr = *addr;
	address_text(addr, ping.address);
	ping.start = clock_ns();
	await(m, expected_ms(m));
}

static bool take_fields(const struct args *a)
{
	const char *host = args_str(a, 0);
	int type;

	ping.count = 4;
	ping.size = 64;
	ping.interval_ms = 2000;
	ping.wait_ms = 10000;
	ping.ttl = 255;
	if (host == NULL || strlen(host) >= sizeof(ping.host) || a->count > 7)
		return false;
	strcpy(ping.host, host);
	/* without <dest_addr_type>: bare ERROR (Q81); 2 is reserved */
	return args_int(a, 1, 1, 1, &type) &&
	       args_opt_int(a, 2, 1, 100, &ping.count) &&
	       args_opt_int(a, 3, 4, 188, &ping.size) &&
	       args_opt_int(a, 4, 1000, 10000, &ping.interval_ms) &&
	       args_opt_int(a, 5, 10000, 100000, &ping.wait_ms) &&
	       args_opt_int(a, 6, 16, 255, &ping.ttl);
}

static void cping(struct modem *m, struct args *a)
{
	if (ping.busy) {
		record_violation(&m->record, VIOLATION_CPING_WHILE_RUNNING,
				 m->cmd.last, strlen(m->cmd.last));
		reply_error(m);
		return;
	}
	if (!take_fields(a)) {
		reply_error(m);
		return;
	}
	ping.start = 0;
	ping.done = 0;
	ping.answered = 0;
	reply_ok(m);
	if (!net_works(m)) {
		finish(m);	/* Q81: a summary of no packets */
		return;
	}
	ping.busy = true;
	ping.resolve = resolve_start(m, ping.host, FAMILY_V4, on_resolved, m);
}

static void cpingstop(struct modem *m, struct args *a)
{
	char text[96];
	int n = sent();

	(void)a;
	if (!ping.busy) {
		reply_error(m);
		return;
	}
	simcom_ping_cancel();
	summary(m, text, sizeof(text), n);
	if (quirk_on(m->opt.quirks, QUIRK_CPINGSTOP_PLAIN))
		reply_ok(m);
	else
		reply_text_ok(m, "%s", text);
}

const struct command_row simcom_ping_rows[] = {
	{ "+CPING", COMMAND_TCP, "+CPING: IP address,(1,2),(1-100),(4-188),"
	  "(1000-10000),(10000-100000),(16-255)", NULL, cping, NULL },
	{ "+CPINGSTOP", COMMAND_TCP, "", NULL, NULL, cpingstop },
	{ .name = NULL }
};
