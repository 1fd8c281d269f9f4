/* SPDX-License-Identifier: MIT */

/* CIPRXGET: A7600 manual 2.5, SIMCom ref L1106. */

#include <stdio.h>
#include <string.h>

#include "simcom.h"

#define READ_MAX	1500
#define HEX_MAX		750

static void rxget_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CIPRXGET: %d", m->set.rxget);
}

static void set_mode(struct modem *m, const struct args *a, int mode)
{
	unsigned int i;

	if (a->count != 1) {
		reply_error(m);
		return;
	}
	m->set.rxget = mode;
	reply_ok(m);
	for (i = 0; i < LINKS; i++) {
		if (evbuffer_get_length(m->links[i].tcp.rx) > 0)
			link_announce(m, i);
		if (mode == 1 && m->links[i].ended &&
		    m->links[i].state == LINK_OPEN)
			link_end(m, i, TCP_FIN, LINK_CLOSED_BY_PEER);
	}
}

static void as_hex(const uint8_t *data, size_t len, char *hex)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t i;

	for (i = 0; i < len; i++) {
		hex[2 * i] = digits[data[i] >> 4];
		hex[2 * i + 1] = digits[data[i] & 15];
	}
}

/*
 * <read_len> and <rest_len> count bytes in both modes (Q68). A read ends with
 * its datagram; <rest_len> is all that is left in the buffer.
 */
static void read_data(struct modem *m, int mode, unsigned int id, size_t max)
{
	struct evbuffer *rx = m->links[id].tcp.rx;
	size_t have = evbuffer_get_length(rx), lost = 0, unit = 1;
	char hex[2 * HEX_MAX], split[24];
	uint8_t data[READ_MAX];
	struct address from;
	size_t block = link_block(m, id, &from);
	size_t n = block < max ? block : max;

	if (have == 0) {
		reply_ip_error(m, IP_INFO_NO_DATA);
		return;
	}
	if (m->links[id].type == LINK_UDP &&
	    quirk_on(m->opt.quirks, QUIRK_UDP_REST_LOST))
		lost = block - n;
	if (mode == 3 && quirk_on(m->opt.quirks, QUIRK_RXGET_HEX_DIGITS))
		unit = 2;
	evbuffer_copyout(rx, data, n);
	if (mode == 3)
		as_hex(data, n, hex);
	snprintf(split, sizeof(split), "+CIPRXGET: 1,%u", id);
	reply_payload(m, mode == 3 ? (void *)hex : data,
		      mode == 3 ? 2 * n : n,
		      quirk_take(m->opt.quirks, QUIRK_RXGET_URC_SPLIT) ? split
								       : NULL,
		      "+CIPRXGET: %d,%u,%zu,%zu", mode, id, n * unit,
		      (have - n - lost) * unit);
	link_taken(m, id, n + lost);
	reply_ok(m);
}

static void rest_length(struct modem *m, int id)
{
	size_t n = evbuffer_get_length(m->links[id].tcp.rx);

	if (m->net.state != NET_STATE_OPEN &&
	    !quirk_on(m->opt.quirks, QUIRK_RXGET4_DEAD_OK))
		reply_ip_error(m, IP_INFO_NOT_OPENED);
	else
		reply_text_ok(m, "+CIPRXGET: 4,%d,%zu", id, n);
}

static void get(struct modem *m, const struct args *a, int mode)
{
	int max = mode == 3 ? HEX_MAX : READ_MAX, len = max, id, huge;

	if (args_int(a, 2, max + 1, 1 << 30, &huge))
		record_violation(&m->record, VIOLATION_READ_TOO_LONG,
				 m->cmd.last, strlen(m->cmd.last));

	if (quirk_take(m->opt.quirks, QUIRK_RXGET_ERROR)) {
		reply_error(m);
		return;
	}
	if (m->set.rxget == 0) {
		/* "When <mode> is set to 1 the 2-4 mode will take effect" */
		reply_ip_error(m, IP_INFO_NOT_SUPPORTED);
		return;
	}
	if (!args_int(a, 1, 0, LINKS - 1, &id) || a->count > 3 ||
	    (mode == 4 && a->count > 2) || !args_opt_int(a, 2, 1, max, &len)) {
		reply_ip_error(m, IP_INFO_PARAMETER);
		return;
	}
	if (quirk_take(m->opt.quirks, QUIRK_RXGET_URC_INSIDE))
		reply_text(m, "+CIPRXGET: 1,%d", id);
	if (mode == 4) {
		rest_length(m, id);
		return;
	}
	if (quirk_on(m->opt.quirks, QUIRK_RXGET_MAX_1460) && len > 1460)
		len = 1460;
	read_data(m, mode, (unsigned int)id, (size_t)len);
}

static void rxget_write(struct modem *m, struct args *a)
{
	int mode;

	if (!args_int(a, 0, 0, 4, &mode))
		reply_error(m);
	else if (mode <= 1)
		set_mode(m, a, mode);
	else
		get(m, a, mode);
}

const struct command_row simcom_rxget_rows[] = {
	{ "+CIPRXGET", COMMAND_TCP, "+CIPRXGET: (0-4),(0-9),(1-1500)",
	  rxget_read, rxget_write, NULL },
	{ .name = NULL }
};
