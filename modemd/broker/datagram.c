/* SPDX-License-Identifier: MIT */

/* Where datagrams go, as clients say it: IPv4 addresses, since the modem looks
 * up no name for one. */

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "broker/private.h"
#include "driver/driver.h"

/* @out: INET_ADDRSTRLEN bytes. */
static bool take_address(const ProtobufCBinaryData *in, char *out)
{
	struct in_addr any;
	const char *why;

	return name_check_text(in, out, INET_ADDRSTRLEN, &why) == 0 &&
	       inet_pton(AF_INET, out, &any) == 1;
}

const char *datagram_check_open(const Modemd__V1__Open *req, char *host)
{
	host[0] = '\0';
	if (!req->has_host && !req->has_port)
		return NULL;
	if (!req->has_port || req->port < 1 || req->port > 65535)
		return "port is not in 1-65535";
	if (!req->has_host || !take_address(&req->host, host))
		return "host is not an IPv4 address, as UDP needs it: resolve "
		       "the name first";

	return NULL;
}

/* @to->address NULL: as Open said. @address: INET_ADDRSTRLEN bytes. */
const char *datagram_check_send(const Modemd__V1__Send *req, char *address,
				struct driver_to *to)
{
	*to = (struct driver_to){ .port = req->to_port };
	if (!req->has_to_host && !req->has_to_port)
		return NULL;
	if (!req->has_to_port || req->to_port < 1 || req->to_port > 65535)
		return "to_port is not in 1-65535";
	if (!req->has_to_host || !take_address(&req->to_host, address))
		return "to_host is not an IPv4 address";
	to->address = address;

	return NULL;
}

/* Words for what is wrong with a Send; NULL: the general ones. */
const char *datagram_send_error(int err, bool named)
{
	if (err == -EDESTADDRREQ)
		return "no address: name one in to_host and to_port, or in "
		       "open";
	if (err == -EMSGSIZE)
		return "a datagram has at most 1500 bytes";
	if (err == -EINVAL && named)
		return "to_host is for UDP links only";

	return NULL;
}
