/* SPDX-License-Identifier: MIT */

/*
 * CDNSGIP: A7600 manual 2.17. CDNSGHNAME: SIMCom ref L1132. Both block until
 * the name server has answered.
 */

#include <ctype.h>
#include <string.h>

#include "simcom.h"

#define NAME_MAX_LEN	254
#define LABEL_MAX	63
#define DNS_ERROR	10

/* The look-up in hand: there is one, as the command blocks. */
static struct {
	struct resolve *resolve;
	struct event *timer;
	char name[NAME_MAX_LEN + 1];
} query;

static bool is_name(const char *name)
{
	size_t label = 0, len = strlen(name);
	const char *p;

	if (len == 0 || len > NAME_MAX_LEN)
		return false;
	for (p = name; *p != '\0'; p++) {
		if (*p == '.') {
			if (label == 0)
				return false;
			label = 0;
			continue;
		}
		if (!isalnum((unsigned char)*p) && (label == 0 || *p != '-'))
			return false;
		if (++label > LABEL_MAX)
			return false;
	}
	return true;
}

void simcom_dns_cancel(void)
{
	if (query.resolve != NULL)
		resolve_cancel(query.resolve);
	if (query.timer != NULL)
		event_free(query.timer);
	query.resolve = NULL;
	query.timer = NULL;
}

static void fail(struct modem *m)
{
	reply_text(m, "+CDNSGIP: 0,%d", DNS_ERROR);	/* Q82 */
	reply_error(m);
}

static void on_resolved(void *ctx, const struct address *addr)
{
	struct modem *m = ctx;
	char text[ADDRESS_TEXT];

	query.resolve = NULL;
	evtimer_del(query.timer);
	if (addr != NULL)
		reply_text_ok(m, "+CDNSGIP: 1,\"%s\",\"%s\"", query.name,
			      address_text(addr, text));
	else
		fail(m);
}

static void on_timeout(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	resolve_cancel(query.resolve);
	query.resolve = NULL;
	fail(ctx);
}

static void cdnsgip(struct modem *m, struct args *a)
{
	const char *name = args_str(a, 0);

	if (name == NULL || a->count != 1 || !is_name(name)) {
		reply_error(m);
		return;
	}
	if (!net_works(m)) {
		fail(m);
		return;
	}
	strcpy(query.name, name);
	command_block(m);
	modem_after(m, &query.timer, (unsigned int)m->set.dns[1], on_timeout,
		    m);
	query.resolve = resolve_start(m, name, FAMILY_V4, on_resolved, m);
}

/* SIMCom ref L1132 prints both endings of the failure. */
static void no_name(struct modem *m)
{
	reply_text(m, "+CDNSGHNAME: 0,%d", DNS_ERROR);
	if (quirk_on(m->opt.quirks, QUIRK_CDNSGHNAME_OK))
		reply_ok(m);
	else
		reply_error(m);
}

static void on_reverse(evutil_socket_t fd, short what, void *ctx)
{
	struct modem *m = ctx;
	const char *name = NULL;
	struct address addr;

	(void)fd;
	(void)what;
	if (net_works(m) && address_parse(&addr, query.name))
		name = resolver_name_of(m, &addr);
	if (name == NULL)
		no_name(m);
	else
		reply_text_ok(m, "+CDNSGHNAME: 1,\"%s\",\"%s\"", name,
			      query.name);
}

static void cdnsghname(struct modem *m, struct args *a)
{
	const char *text = args_str(a, 0);
	struct address addr;

	if (text == NULL || a->count != 1 ||
	    !address_parse(&addr, text) || address_is_v6(&addr)) {
		reply_error(m);
		return;
	}
	strcpy(query.name, text);
	command_block(m);
	modem_after(m, &query.timer, m->opt.dns_ms, on_reverse, m);
}

const struct command_row simcom_dns_rows[] = {
	{ "+CDNSGIP", COMMAND_TCP, "", NULL, cdnsgip, NULL },
	{ "+CDNSGHNAME", COMMAND_TCP, "", NULL, cdnsghname, NULL },
	{ .name = NULL }
};
