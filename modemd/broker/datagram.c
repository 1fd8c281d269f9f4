/* SPDX-License-Identifier: MIT */

/* Where datagrams go, as clients say it: addresses, since the modem looks up
 * no name for one. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "broker/private.h"
#include "driver/driver.h"

const char *datagram_check_open(const Modemd__V1__Open *req, char *host)
{
	host[0] = '\0';
	if (!req->has_host && !req->has_port)
		return NULL;
	if (!req->has_port || req->port < 1 || req->port > 65535)
		return "port is not in 1-65535";
	if (!req->has_host || !name_take_address(&req->host, host))
		return "host is not an IP address, as UDP needs it: resolve "
		       "the name first";

	return NULL;
}

/* @to->address NULL: as Open said. @address: INET6_ADDRSTRLEN bytes. */
const char *datagram_check_send(const Modemd__V1__Send *req, char *address,
				struct driver_to *to)
{
	*to = (struct driver_to){ .port = req->to_port };
	if (!req->has_to_host && !req->has_to_port)
		return NULL;
	if (!req->has_to_port || req->to_port < 1 || req->to_port > 65535)
		return "to_port is not in 1-65535";
	if (!req->has_to_host || !name_take_address(&req->to_host, address))
		return "to_host is not an IP address";
	to->address = address;

	return NULL;
}

/* Words for what is wrong with a Send; NULL: the general ones. */
const char *datagram_send_error(struct broker *b, int err, bool named,
				char *text, size_t size)
{
	struct modem_status st;

	if (err == -EDESTADDRREQ)
		return "no address: name one in to_host and to_port, or in "
		       "open";
	if (err == -EMSGSIZE) {
		modem_get_status(b->modem, &st);
		snprintf(text, size, "a datagram has at most %zu bytes with "
			 "this modem", st.datagram_max);
		return text;
	}
	if (err == -EINVAL && named)
		return "to_host is for UDP links only";

	return NULL;
}
