/* SPDX-License-Identifier: MIT */

/*
 * address - an IPv4 or IPv6 address with its port, and its text.
 *
 * Resolves no names and decides nothing about who may be contacted.
 *
 * Called by: tcp, udp, resolve, link, server, net, dialects.
 * Calls: nothing.
 */

#ifndef MODEMSIM_ADDRESS_H
#define MODEMSIM_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#define ADDRESS_TEXT	INET6_ADDRSTRLEN

struct address {
	union {
		struct sockaddr sa;
		struct sockaddr_in in4;
		struct sockaddr_in6 in6;
		struct sockaddr_storage any;	/* what accept() may fill */
	};
};

/* What a name may become: CIPDOMAIN's <ip network>, W800 manual. */
enum family {
	FAMILY_V4_FIRST = 1,
	FAMILY_V4 = 2,
	FAMILY_V6 = 3,
};

/* From digits; port 0. False: @text is no address. */
bool address_parse(struct address *a, const char *text);

/* Without port. @text has ADDRESS_TEXT bytes; it is returned. */
const char *address_text(const struct address *a, char *text);

/* Nowhere, and this host itself: of @family, FAMILY_V4_FIRST is v4. */
void address_any(struct address *a, enum family family);
void address_loopback(struct address *a, enum family family);

bool address_is_v6(const struct address *a);
bool address_fits(const struct address *a, enum family family);
bool address_is_loopback(const struct address *a);	/* v4: 127.0.0.0/8 */
bool address_is_multicast(const struct address *a);
bool address_is_broadcast(const struct address *a);	/* 255.255.255.255 */

/* RFC 5737, RFC 3849: 192.0.2.0/24 and 2001:db8::/32, which nobody has. */
bool address_is_documentation(const struct address *a);

unsigned int address_port(const struct address *a);
void address_set_port(struct address *a, unsigned int port);

/* Of the host alone, and with the port. */
bool address_same_host(const struct address *a, const struct address *b);
bool address_same(const struct address *a, const struct address *b);

/* For connect(), bind(), sendto(). */
socklen_t address_len(const struct address *a);

#endif
