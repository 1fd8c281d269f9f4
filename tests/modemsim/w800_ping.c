/* SPDX-License-Identifier: MIT */

/* PING, CIPDOMAIN: W800 manual. They hold up every other command. */

#include <stdio.h>
#include <string.h>

#include "w800.h"

#define WAIT_MS		5000	/* for an answer that stays away */

/* The look-up in hand: there is one, as there is one command. */
static struct {
	struct resolve *resolve;
	struct event *timer;
	char host[LINK_HOST_MAX];
	bool answers;
} look;

void w800_ping_cancel(struct modem *m)
{
	(void)m;
	if (look.resolve != NULL)
		resolve_cancel(look.resolve);
	if (look.timer != NULL)
		event_free(look.timer);
	look.resolve = NULL;
	look.timer = NULL;
}

static void failed(struct modem *m)
{
	reply_text(m, "+PING:TIMEOUT");
	reply_error(m);
}

static void on_result(evutil_socket_t fd, short what, void *ctx)
{
	struct modem *m = ctx;

	(void)fd;
	(void)what;
	if (!look.answers || !w800_has_ip(m))
		failed(m);
	else if (quirk_on(m->opt.quirks, QUIRK_PING_BARE))
		reply_text_ok(m, "+%u", m->opt.ping_ms);
	else
		reply_text_ok(m, "+PING:%u", m->opt.ping_ms);
}

static void on_ping_name(void *ctx, const struct address *addr)
{
	struct modem *m = ctx;
	unsigned int ms = m->opt.ping_ms;

	look.resolve = NULL;
	if (addr == NULL) {
		failed(m);
		return;
	}
	look.answers = resolver_answers(m, look.host, addr) &&
		       !quirk_take(m->opt.quirks, QUIRK_PING_LOST);
	if (!look.answers)
		ms = m->opt.ping_wait_ms > 0 ? m->opt.ping_wait_ms : WAIT_MS;
	modem_after(m, &look.timer, ms, on_result, m);
}

static bool take_host(struct modem *m, const struct args *a)
{
	const char *host = args_str(a, 0);

	if (host == NULL || *host == '\0' || strlen(host) >= sizeof(look.host))
		return false;
	strcpy(look.host, host);
	command_block(m);
	return true;
}

static void ping(struct modem *m, struct args *a)
{
	if (a->count != 1 || !take_host(m, a))
		w800_bad(m);
	else if (!w800_has_ip(m))
		failed(m);
	else
		look.resolve = resolve_start(m, look.host, FAMILY_V4_FIRST,
					     on_ping_name, m);
}

static void on_name(void *ctx, const struct address *addr)
{
	struct modem *m = ctx;
	char text[ADDRESS_TEXT];

	look.resolve = NULL;
	if (addr == NULL)
		w800_error(m, "DNS Fail");
	else if (quirk_on(m->opt.quirks, QUIRK_CIPDOMAIN_UNQUOTED))
		reply_text_ok(m, "+CIPDOMAIN:%s", address_text(addr, text));
	else
		reply_text_ok(m, "+CIPDOMAIN:\"%s\"",
			      address_text(addr, text));
}

static void cipdomain(struct modem *m, struct args *a)
{
	int family = FAMILY_V4_FIRST;

	if (a->count > 2 ||
	    !args_opt_int(a, 1, FAMILY_V4_FIRST, FAMILY_V6, &family) ||
	    !take_host(m, a))
		w800_bad(m);
	else if (!w800_has_ip(m))
		w800_error(m, "no ip");
	else if (quirk_take(m->opt.quirks, QUIRK_DNS_HANGS))
		m->w800->hanging = true;
	else
		look.resolve = resolve_start(m, look.host,
					     (enum family)family, on_name, m);
}

const struct command_row w800_ping_rows[] = {
	{ "+PING", COMMAND_TCP, "", NULL, ping, NULL },
	{ "+CIPDOMAIN", COMMAND_TCP, "", NULL, cipdomain, NULL },
	{ .name = NULL }
};
