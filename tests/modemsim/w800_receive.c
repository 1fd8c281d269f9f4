/* SPDX-License-Identifier: MIT */

/* CIPRECVMODE, CIPRECVDATA, CIPRECVLEN, CIPDINFO and +IPD: W800 manual. */

#include <limits.h>
#include <stdio.h>

#include "w800.h"

static const char *lead(const struct modem *m)
{
	return m->opt.family == W800_TIGHT ? "" : "\r\n";
}

/* ,"ip",port of CIPDINFO=1, or nothing */
static void sender(const struct modem *m, char *text, size_t size,
		   const struct address *from)
{
	char address[ADDRESS_TEXT];

	*text = '\0';
	if (!m->w800->dinfo)
		return;
	snprintf(text, size, quirk_on(m->opt.quirks, QUIRK_DINFO_UNQUOTED)
		 ? ",%s,%u" : ",\"%s\",%u", address_text(from, address),
		 address_port(from));
}

static void link_field(const struct modem *m, char *text, size_t size,
		       unsigned int link)
{
	*text = '\0';
	if (m->w800->mux)
		snprintf(text, size, ",%u", link);
}

/* Passive mode: "represents the total length of socket data in the cache" */
void w800_readable(struct modem *m, unsigned int link)
{
	char id[8];

	link_field(m, id, sizeof(id), link);
	urc(m, "%s+IPD%s,%zu", lead(m), id, link_buffered(m, link));
}

void w800_pushed(struct modem *m, unsigned int link,
		 const struct address *from, const void *data, size_t len)
{
	char id[8], who[64];

	link_field(m, id, sizeof(id), link);
	sender(m, who, sizeof(who), from);
	w800_put(m, "%s+IPD%s,%zu%s:", lead(m), id, len, who);
	reply_raw(m, data, len);
	if (m->opt.family == W800_TIGHT ||
	    quirk_on(m->opt.quirks, QUIRK_IPD_CRLF))
		w800_put(m, "\r\n");
}

static void recvmode_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CIPRECVMODE:%d", m->set.rxget);
}

static void set_mode(struct modem *m, int mode)
{
	unsigned int i;

	if (mode == 1 && m->set.mode == 1) {
		reply_error(m);
		return;
	}
	m->set.rxget = mode;
	reply_ok(m);
	for (i = 0; i < W800_LINKS; i++) {
		if (evbuffer_get_length(m->links[i].tcp.rx) > 0)
			link_announce(m, i);
	}
}

static void recvmode(struct modem *m, struct args *a)
{
	int mode;

	if (args_int(a, 0, 0, 1, &mode) && a->count == 1)
		set_mode(m, mode);
	else
		w800_bad(m);
}

/* Newer relatives (Q129): of a link. Here it goes for all of them. */
static void recvtype_read(struct modem *m, struct args *a)
{
	unsigned int i;

	(void)a;
	for (i = 0; m->w800->mux && i < W800_LINKS; i++)
		reply_text(m, "+CIPRECVTYPE:%u,%d", i, m->set.rxget);
	if (!m->w800->mux)
		reply_text(m, "+CIPRECVTYPE:%d", m->set.rxget);
	reply_ok(m);
}

static void recvtype(struct modem *m, struct args *a)
{
	size_t at = 0;
	int mode, id;

	if ((m->w800->mux && !args_int(a, at++, 0, W800_ALL, &id)) ||
		 !args_int(a, at, 0, 1, &mode) || a->count > at + 1)
		w800_bad(m);
	else
		set_mode(m, mode);
}

/* Q106 */
static void data_head(struct modem *m, unsigned int id, size_t n,
		      const char *who)
{
	if (quirk_on(m->opt.quirks, QUIRK_RECVDATA_COMMA))
		w800_put(m, "+CIPRECVDATA,%zu%s,", n, who);
	else if (quirk_on(m->opt.quirks, QUIRK_RECVDATA_EQUALS))
		w800_put(m, "+CIPRECVDATA=%u,%zu%s,", id, n, who);
	else
		w800_put(m, "+CIPRECVDATA:%zu%s,", n, who);
}

/*
 * A read takes what there is, whatever datagrams it came in. The next +IPD
 * may come then, and does at once if something is left.
 */
static void read_data(struct modem *m, unsigned int id, size_t max)
{
	struct link *l = &m->links[id];
	struct evbuffer *rx = l->tcp.rx;
	size_t have = evbuffer_get_length(rx), n = have < max ? have : max;
	size_t lost = 0, block;
	struct address from;
	char who[64];

	block = link_block(m, id, &from);
	if (l->type == LINK_UDP &&
	    quirk_on(m->opt.quirks, QUIRK_UDP_REST_LOST)) {
		n = n < block ? n : block;
		lost = block - n;
	}
	sender(m, who, sizeof(who), &from);
	data_head(m, id, n, who);
	reply_raw(m, evbuffer_pullup(rx, (ssize_t)n), n);
	/* whatever the blank lines are, the data end with CR LF */
	if (m->opt.family == W800_TIGHT ||
	    quirk_on(m->opt.quirks, QUIRK_BLANK_NONE) ||
	    quirk_on(m->opt.quirks, QUIRK_URC_INSIDE))
		w800_put(m, "\r\n");
	link_taken(m, id, n + lost);
	l->announced = false;
	reply_ok(m);
	if (evbuffer_get_length(rx) > 0 &&
	    !quirk_on(m->opt.quirks, QUIRK_REST_SILENT))
		link_announce(m, id);
	link_end_if_empty(l);
}

/* Q123 */
static size_t limited(const struct modem *m, int max)
{
	if (max > 2048 && quirk_on(m->opt.quirks, QUIRK_RECVDATA_MAX_2048))
		max = 2048;
	return (size_t)max;
}

static void read_nothing(struct modem *m, unsigned int id)
{
	reply_error(m);
	link_read_nothing(m, id);
}

static void recvdata(struct modem *m, struct args *a)
{
	size_t at = 0;
	unsigned int id;
	int max;

	if (!w800_take_link(m, a, &at, &id) ||
	    !args_int(a, at, 1, INT_MAX, &max) || a->count > at + 1)
		w800_bad(m);
	else if (m->set.rxget == 0)
		reply_error(m);
	else if (evbuffer_get_length(m->links[id].tcp.rx) == 0)
		read_nothing(m, id);
	else
		read_data(m, id, limited(m, max));
}

/* Q112: what stands for a link that is not there */
static int no_link(const struct modem *m, char *p)
{
	switch (m->opt.family) {
	case W800_OWN:
		return 0;
	case W800_TIGHT:
		return sprintf(p, "0");
	case W800_ESP:
	case W800_OLD:
		break;
	}
	return sprintf(p, "-1");
}

static void recvlen(struct modem *m, struct args *a)
{
	char text[96], *p = text;
	unsigned int i;

	(void)a;
	for (i = 0; i < W800_LINKS; i++) {
		const struct link *l = &m->links[i];

		if (i > 0)
			*p++ = ',';
		*p = '\0';
		if (l->state == LINK_OPEN || evbuffer_get_length(l->tcp.rx))
			p += sprintf(p, "%zu", link_buffered(m, i));
		else
			p += no_link(m, p);
	}
	/* W800 manual: the example has one comma too many */
	reply_text_ok(m, "+CIPRECVLEN:%s%s", text,
		      quirk_on(m->opt.quirks, QUIRK_RECVLEN_COMMA) ? ","
								    : "");
}

static void dinfo_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CIPDINFO:%s", m->w800->dinfo ? "true" : "false");
}

static void dinfo(struct modem *m, struct args *a)
{
	if (args_int(a, 0, 0, 1, &m->w800->dinfo) && a->count == 1)
		reply_ok(m);
	else
		w800_bad(m);
}

const struct command_row w800_receive_rows[] = {
	{ "+CIPRECVMODE", COMMAND_TCP, "", recvmode_read, recvmode, NULL },
	{ "+CIPRECVTYPE", COMMAND_TCP | W800_RELATIVES, "", recvtype_read,
	  recvtype, NULL },
	{ "+CIPRECVDATA", COMMAND_TCP, "", NULL, recvdata, NULL },
	{ "+CIPRECVLEN", COMMAND_TCP, "", recvlen, NULL, NULL },
	{ "+CIPDINFO", COMMAND_TCP, "", dinfo_read, dinfo, NULL },
	{ .name = NULL }
};
