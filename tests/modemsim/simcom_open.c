/* SPDX-License-Identifier: MIT */

/* CIPOPEN: A7600 manual 2.3, SIMCom ref L1103. */

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "simcom.h"

#define LIST_MAX	(LINKS * 96)

struct request {
	unsigned int id;
	bool udp;
	const char *host;	/* NULL: none, UDP only */
	int port;
	int local;
};

/* <serverIP>: also of a link that was opened by name. */
static void cipopen_read(struct modem *m, struct args *a)
{
	char list[LIST_MAX], *p = list;
	unsigned int i;

	(void)a;
	for (i = 0; i < LINKS; i++) {
		const struct link *l = &m->links[i];

		p += sprintf(p, "%s+CIPOPEN: %u", i > 0 ? "\r\n" : "", i);
		if (l->state == LINK_OPEN)
			p += sprintf(p, ",\"%s\",\"%s\",%u,%d",
				     l->type == LINK_UDP ? "UDP" : "TCP", l->address,
				     l->port, l->server);
	}
	reply_text(m, "%.900s", list);
	reply_ok(m);
}

static bool udp_fields(const struct modem *m, const struct args *a,
		       struct request *r)
{
	r->udp = true;
	/* "but the local port must be specified", A7600 manual 6.3.1.1 */
	if (!args_int(a, 4, 0, 65535, &r->local))
		return false;
	if (r->host == NULL)
		return !args_present(a, 2) && !args_present(a, 3) &&
		       m->set.mode == 0;
	return args_int(a, 3, 1, 65535, &r->port);
}

static int open_err(struct modem *m, const struct args *a, struct request *r)
{
	const char *type = args_str(a, 1);
	bool ok;

	r->host = args_str(a, 2);
	if (m->net.state != NET_STATE_OPEN)
		return NET_NOT_OPENED;
	if (type == NULL || a->count > 5 ||
	    (r->host != NULL && strlen(r->host) >= LINK_HOST_MAX))
		return NET_PARAMETER;
	if (strcasecmp(type, "UDP") == 0)
		ok = udp_fields(m, a, r);
	else
		ok = strcasecmp(type, "TCP") == 0 && r->host != NULL &&
		     args_int(a, 3, 0, 65535, &r->port) &&
		     args_opt_int(a, 4, 0, 65535, &r->local);
	if (!ok)
		return NET_PARAMETER;
	if (m->links[r->id].state != LINK_FREE)
		return NET_NOT_SUPPORTED;	/* Q43: link still open */
	return NET_OK;
}

/* What is wrong with the network or by a quirk; NET_OK: try it. */
static int obstacle(struct modem *m)
{
	if (quirk_take(m->opt.quirks, QUIRK_CIPOPEN_255))
		return 255;
	if (m->net.dead ||
	    quirk_on(m->opt.quirks, QUIRK_NETOPEN_NO_BEARER) ||
	    quirk_take(m->opt.quirks, QUIRK_CIPOPEN_FAILS))
		return NET_FAILURE;
	return NET_OK;
}

static struct link_args link_args(const struct modem *m,
				  const struct request *r)
{
	return (struct link_args){
		.type = r->udp ? LINK_UDP : LINK_TCP, .family = FAMILY_V4,
		.host = r->host, .port = (unsigned int)r->port,
		.local_port = (unsigned int)r->local,
		.options = TCP_OPTIONS_DEFAULT,
		.timeout_ms = (unsigned int)m->set.timeout_ms[1],
		.dns_timeout_ms = (unsigned int)m->set.dns[1],
	};
}

static void open_tcp(struct modem *m, const struct request *r)
{
	struct link_args a = link_args(m, r);
	int err;

	if (quirk_take(m->opt.quirks, QUIRK_CIPOPEN_SILENT))
		return;
	if (quirk_take(m->opt.quirks, QUIRK_REBOOT_ON_CIPOPEN)) {
		modem_reboot_soon(m);
		return;
	}
	err = obstacle(m);
	if (err != NET_OK)
		m->dialect->opened(m, r->id, err);
	else
		link_open(m, r->id, &a);
}

/* A7600 manual 2.3, case 4: CONNECT or CONNECT FAIL, no OK. */
static void open_transparent(struct modem *m, const struct request *r)
{
	struct link_args a = link_args(m, r);
	int err;

	m->links[r->id].wants_connect = true;
	command_block(m);
	err = obstacle(m);
	if (err == NET_OK && !r->udp) {
		link_open(m, r->id, &a);
		m->links[r->id].transparent = true;
		return;
	}
	if (err == NET_OK)
		err = link_open_udp(m, r->id, &a);
	m->links[r->id].transparent = err == NET_OK;
	m->dialect->opened(m, r->id, err);
}

static void open_udp(struct modem *m, const struct request *r)
{
	struct link_args a = link_args(m, r);
	int err;

	if (quirk_take(m->opt.quirks, QUIRK_CIPOPEN_SILENT)) {
		reply_ok(m);
		return;
	}
	err = obstacle(m);
	if (err == NET_OK)
		err = link_open_udp(m, r->id, &a);
	if (err != NET_OK) {
		reply_failed(m, "CIPOPEN", (int)r->id, err);
	} else if (quirk_on(m->opt.quirks, QUIRK_UDP_OK_FIRST)) {
		reply_ok(m);
		urc(m, "+CIPOPEN: %u,0", r->id);
	} else {
		reply_text_ok(m, "+CIPOPEN: %u,0", r->id);
	}
}

static void start_tcp(struct modem *m, const struct request *r)
{
	struct link *l = &m->links[r->id];

	l->ok_after = quirk_take(m->opt.quirks, QUIRK_CIPOPEN_RESULT_FIRST);
	if (l->ok_after)
		command_block(m);
	else
		reply_ok(m);
	open_tcp(m, r);
}

static void cipopen(struct modem *m, struct args *a)
{
	struct request r = { .udp = false };
	int id, err;

	if (!args_int(a, 0, 0, LINKS - 1, &id)) {
		if (args_int(a, 0, LINKS, LINKS, &id) &&
		    quirk_on(m->opt.quirks, QUIRK_CIPOPEN_TEN))
			reply_failed(m, "CIPOPEN", id, NET_PARAMETER);
		else
			reply_ip_error(m, IP_INFO_PARAMETER);
		return;
	}
	r.id = (unsigned int)id;
	if (m->set.mode == 1 && id != DATA_LINK &&
	    !quirk_on(m->opt.quirks, QUIRK_TRANSPARENT_OTHERS)) {
		reply_error(m);
		return;
	}
	if (id == DATA_LINK && data_possible(m)) {
		data_enter(m);		/* A7600 appnote 3.3.3 */
		return;
	}
	err = open_err(m, a, &r);
	if (err != NET_OK) {
		reply_failed(m, "CIPOPEN", id, err);
		return;
	}
	if (m->set.mode == 1 && id == DATA_LINK)
		open_transparent(m, &r);
	else if (r.udp)
		open_udp(m, &r);
	else
		start_tcp(m, &r);
}

const struct command_row simcom_open_rows[] = {
	{ "+CIPOPEN", COMMAND_TCP, "+CIPOPEN: (0-9),(\"TCP\",\"UDP\")",
	  cipopen_read, cipopen, NULL },
	{ .name = NULL }
};
