/* SPDX-License-Identifier: MIT */

#include "wire.h"

#include <errno.h>

/*
 * The one error space. Both columns are unique, so that an error survives the
 * way through the socket. Not here on purpose: -EPROTO, which says that the
 * other side is newer than this table or not talking modemd at all.
 */
static const struct {
	Modemd__V1__Status status;
	int err;
	const char *text;
} statuses[] = {
	{ MODEMD__V1__STATUS__OK, 0, "done" },
	{ MODEMD__V1__STATUS__INVALID, -EINVAL,
	  "an argument is not valid" },
	{ MODEMD__V1__STATUS__NOT_SUPPORTED, -EOPNOTSUPP,
	  "this modem or this version of modemd cannot do that" },
	{ MODEMD__V1__STATUS__NO_PERMISSION, -EPERM,
	  "an access rule forbids it" },
	{ MODEMD__V1__STATUS__NO_SUCH_LINK, -EBADF,
	  "there is no such link, or it is not yours" },
	{ MODEMD__V1__STATUS__NO_SLOT, -EMFILE,
	  "all sockets of the modem are taken" },
	{ MODEMD__V1__STATUS__BUSY, -EBUSY,
	  "busy, try again later" },
	{ MODEMD__V1__STATUS__WINDOW_FULL, -EAGAIN,
	  "more was sent than the window of the link allows" },
	{ MODEMD__V1__STATUS__REFUSED, -ECONNREFUSED,
	  "the remote host refused, or cannot be reached" },
	{ MODEMD__V1__STATUS__TIMEOUT, -ETIMEDOUT,
	  "no answer in time" },
	{ MODEMD__V1__STATUS__NAME_NOT_FOUND, -EADDRNOTAVAIL,
	  "the name has no address" },
	{ MODEMD__V1__STATUS__NETWORK_DOWN, -ENETDOWN,
	  "the modem has no network now" },
	{ MODEMD__V1__STATUS__NETWORK_LOST, -ENETRESET,
	  "the network went away while the link was open" },
	{ MODEMD__V1__STATUS__LINK_BROKEN, -ECONNABORTED,
	  "the modem did not take all bytes of a send" },
	{ MODEMD__V1__STATUS__PEER_CLOSED, -EPIPE,
	  "the remote host closed the link" },
	{ MODEMD__V1__STATUS__MODEM_GONE, -ENODEV,
	  "the modem is unplugged, silent or restarting" },
	{ MODEMD__V1__STATUS__MODEM_ERROR, -EREMOTEIO,
	  "the modem answered with an error" },
	{ MODEMD__V1__STATUS__NO_MEMORY, -ENOMEM,
	  "out of memory" },
	{ MODEMD__V1__STATUS__CANCELLED, -ECANCELED,
	  "cancelled" },
	{ MODEMD__V1__STATUS__STALE_EPOCH, -ESTALE,
	  "meant for an earlier life of the link" },
	{ MODEMD__V1__STATUS__BAD_PROTOCOL, -EPROTONOSUPPORT,
	  "no common version of the protocol" },
	{ MODEMD__V1__STATUS__TOO_LONG, -EMSGSIZE,
	  "a field or a message is above its limit" },
	{ MODEMD__V1__STATUS__UNAVAILABLE, -EIO,
	  "a part of modemd is out of order" },
	{ MODEMD__V1__STATUS__STOPPING, -ESHUTDOWN,
	  "modemd is stopping" },
	{ MODEMD__V1__STATUS__IDLE, -ETIME,
	  "closed after a long time without a byte" },
	{ MODEMD__V1__STATUS__LIMIT, -EDQUOT,
	  "a limit of the configuration is reached" },
	{ MODEMD__V1__STATUS__ADDRESS_IN_USE, -EADDRINUSE,
	  "a listener has that port already" },
};

#define STATUSES (sizeof(statuses) / sizeof(statuses[0]))

int wire_get_length(const uint8_t *buf, size_t len, size_t *length)
{
	size_t value = 0;
	size_t i;

	for (i = 0; i < len && i < WIRE_HEADER_MAX; i++) {
		value |= (size_t)(buf[i] & 0x7f) << (7 * i);
		if (!(buf[i] & 0x80)) {
			if (value > WIRE_FRAME_MAX)
				return -EMSGSIZE;
			*length = value;
			return (int)(i + 1);
		}
	}

	return i < WIRE_HEADER_MAX ? 0 : -EMSGSIZE;
}

size_t wire_put_length(size_t length, uint8_t out[WIRE_HEADER_MAX])
{
	size_t n = 0;

	while (length >= 0x80 && n < WIRE_HEADER_MAX - 1) {
		out[n++] = (uint8_t)(length | 0x80);
		length >>= 7;
	}
	out[n++] = (uint8_t)(length & 0x7f);

	return n;
}

int wire_errno(Modemd__V1__Status status)
{
	size_t i;

	for (i = 0; i < STATUSES; i++) {
		if (statuses[i].status == status)
			return statuses[i].err;
	}

	return -EPROTO;
}

Modemd__V1__Status wire_status(int err)
{
	size_t i;

	for (i = 0; i < STATUSES; i++) {
		if (statuses[i].err == err)
			return statuses[i].status;
	}

	return MODEMD__V1__STATUS__MODEM_ERROR;
}

const char *wire_status_text(Modemd__V1__Status status)
{
	size_t i;

	for (i = 0; i < STATUSES; i++) {
		if (statuses[i].status == status)
			return statuses[i].text;
	}

	return "an error that this version does not know";
}
