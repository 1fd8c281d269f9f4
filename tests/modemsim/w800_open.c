/* SPDX-License-Identifier: MIT */

/* CIPSTART, CIPSTARTEX: W800 manual. */

#include <string.h>

#include "w800.h"

static bool take_type(const char *type, struct w800_request *r)
{
	size_t len;

	if (type == NULL)
		return false;
	len = strlen(type);
	r->v6 = len == 5 && strcmp(type + 3, "v6") == 0;
	if (len != 3 && !r->v6)
		return false;
	if (strncmp(type, "TCP", 3) == 0)
		r->type = LINK_TCP;
	else if (strncmp(type, "UDP", 3) == 0)
		r->type = LINK_UDP;
	else if (strncmp(type, "SSL", 3) == 0)
		r->type = LINK_TLS;
	else
		return false;
	return true;
}

/* An address of the module itself, perhaps empty. */
static bool take_local_ip(const struct args *a, size_t i,
			  struct w800_request *r)
{
	const char *text = args_str(a, i);

	if (i >= a->count || (text == NULL && !args_present(a, i)))
		return true;
	if (text == NULL || strlen(text) >= sizeof(r->local_ip))
		return false;
	strcpy(r->local_ip, text);
	return true;
}

/* From <"type"> on, which is field @at. */
static bool take_fields(const struct args *a, size_t at,
			struct w800_request *r)
{
	bool ok = take_type(args_str(a, at), r);
	const char *host = args_str(a, at + 1);

	if (!ok || host == NULL || *host == '\0' ||
	    strlen(host) > W800_HOST_MAX ||
	    !args_int(a, at + 2, 1, 65535, &r->port))
		return false;
	strcpy(r->host, host);
	if (r->type != LINK_UDP) {
		r->has_keep_alive = args_present(a, at + 3);
		return a->count <= at + 5 && take_local_ip(a, at + 4, r) &&
		       args_opt_int(a, at + 3, 0, 7200, &r->keep_alive);
	}
	/* "Before using <mode>, you need to set the parameter <local port>" */
	return a->count <= at + 6 && take_local_ip(a, at + 5, r) &&
	       args_opt_int(a, at + 3, 0, 65535, &r->local_port) &&
	       args_opt_int(a, at + 4, 0, 2, &r->mode) &&
	       (!args_present(a, at + 4) || args_present(a, at + 3));
}

static const char *err_text(int err)
{
	switch (err) {
	case NET_DNS:
		return "DNS Fail";
	case NET_BIND:
		return "IP ERROR";
	}
	return NULL;
}

static bool lowest_free(const struct modem *m, unsigned int *id)
{
	for (*id = 0; *id < W800_LINKS; ++*id) {
		if (m->links[*id].state == LINK_FREE)
			return true;
	}
	return false;
}

unsigned int w800_links_used(const struct modem *m)
{
	unsigned int i, n = 0;

	for (i = 0; i < W800_LINKS; i++)
		n += m->links[i].state != LINK_FREE;
	return n;
}

void w800_open_cancel(struct modem *m)
{
	m->w800->opening = -1;
	m->w800->reopening = false;
	m->w800->stream.port = 0;
	if (m->w800->reopen_timer != NULL)
		evtimer_del(m->w800->reopen_timer);
}

/* Q117 */
static void tell_long(struct modem *m, unsigned int link)
{
	static const char *const types[] = {
		[LINK_TCP] = "TCP", [LINK_UDP] = "UDP", [LINK_TLS] = "SSL",
	};
	const struct link *l = &m->links[link];

	urc(m, "+LINK_CONN:0,%u,\"%s\",%d,\"%s\",%u,%u", link,
	    types[l->type], l->server != LINK_NO_SERVER, l->address, l->port,
	    w800_local_port(l));
}

void w800_tell_connect(struct modem *m, unsigned int link)
{
	if ((m->w800->sysmsg & 2) ||
	    quirk_on(m->opt.quirks, QUIRK_LINK_CONN))
		tell_long(m, link);
	else
		w800_tell_link(m, link, "CONNECT");
}

void w800_opened(struct modem *m, unsigned int link, int err)
{
	struct w800 *w = m->w800;

	if (w->reopening && link == DATA_LINK) {
		w800_stream_opened(m, err);
		return;
	}
	if (w->opening != (int)link)
		return;
	w->opening = -1;
	if (err != NET_OK) {
		w800_error(m, err_text(err));
		return;
	}
	w800_tell_connect(m, link);
	reply_ok(m);
}

void w800_open(struct modem *m, const struct w800_request *r)
{
	const struct w800_tcpopt *o = &m->w800->tcpopt[r->id];
	struct link_args a = {
		.type = r->type, .host = r->host,
		.family = r->v6 ? FAMILY_V6 : FAMILY_V4,
		.port = (unsigned int)r->port,
		.local_port = (unsigned int)r->local_port,
		.local_address = r->local_ip,
		.remote = (enum link_remote)r->mode,
		.options = w800_tcp_options(o),
		.tls = r->type == LINK_TLS ? &m->tls[r->id] : NULL,
		.timeout_ms = m->opt.connect_ms,
		.dns_timeout_ms = m->opt.connect_ms,
	};

	if (r->type == LINK_UDP)
		w800_opened(m, r->id, link_open_udp(m, r->id, &a));
	else
		link_open(m, r->id, &a);
}

static void begin(struct modem *m, const struct w800_request *r)
{
	struct w800 *w = m->w800;
	struct address digits;

	w->opening = (int)r->id;
	if (r->id == DATA_LINK)
		w->stream = *r;
	if (r->has_keep_alive)
		w->tcpopt[r->id].keep_alive = r->keep_alive;
	command_block(m);
	if (quirk_take(m->opt.quirks, QUIRK_REBOOT_ON_CIPOPEN))
		modem_reboot(m);
	else if (!address_parse(&digits, r->host) &&
		 quirk_take(m->opt.quirks, QUIRK_DNS_HANGS))
		w->hanging = true;	/* Q130 */
	else
		w800_open(m, r);
}

static void start(struct modem *m, const struct args *a, size_t at,
		  struct w800_request *r)
{
	const char *already = "ALREADY CONNECTED";

	if (quirk_on(m->opt.quirks, QUIRK_ALREADY_TYPO))
		already = "ALREAY CONNECT";
	if (!take_fields(a, at, r))
		w800_bad(m);
	else if (!w800_has_ip(m))
		w800_error(m, "no ip");
	else if (m->links[r->id].state != LINK_FREE)
		w800_error(m, already);
	else if (r->v6 && !m->w800->flash.ipv6)
		reply_error(m);
	else if (m->set.mode == 1 && r->mode != 0)
		w800_error(m, "Link type ERROR");
	else
		begin(m, r);
}

static void cipstart(struct modem *m, struct args *a)
{
	struct w800_request r = { .id = 0 };
	size_t at = 0;

	if (!w800_take_link(m, a, &at, &r.id))
		w800_error(m, "ID ERROR");
	else
		start(m, a, at, &r);
}

/* "the system will automatically assign an ID" */
static void cipstartex(struct modem *m, struct args *a)
{
	struct w800_request r = { .id = 0 };

	if (m->w800->mux && !lowest_free(m, &r.id))
		w800_error(m, "ID ERROR");
	else
		start(m, a, 0, &r);
}

const struct command_row w800_open_rows[] = {
	{ "+CIPSTART", COMMAND_TCP, "", NULL, cipstart, NULL },
	{ "+CIPSTARTEX", COMMAND_TCP, "", NULL, cipstartex, NULL },
	{ .name = NULL }
};
