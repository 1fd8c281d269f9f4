/* SPDX-License-Identifier: MIT */

#include <arpa/inet.h>
#include <string.h>

#include "address.h"

bool address_parse(struct address *a, const char *text)
{
	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, text, &a->in4.sin_addr) == 1) {
		a->sa.sa_family = AF_INET;
		return true;
	}
	a->sa.sa_family = AF_INET6;
	return inet_pton(AF_INET6, text, &a->in6.sin6_addr) == 1;
}

const char *address_text(const struct address *a, char *text)
{
	const void *ip = &a->in4.sin_addr;

	if (address_is_v6(a))
		ip = &a->in6.sin6_addr;
	if (inet_ntop(a->sa.sa_family, ip, text, ADDRESS_TEXT) == NULL)
		text[0] = '\0';
	return text;
}

void address_any(struct address *a, enum family family)
{
	memset(a, 0, sizeof(*a));
	a->sa.sa_family = family == FAMILY_V6 ? AF_INET6 : AF_INET;
}

void address_loopback(struct address *a, enum family family)
{
	address_any(a, family);
	if (family == FAMILY_V6)
		a->in6.sin6_addr = in6addr_loopback;
	else
		a->in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

bool address_is_v6(const struct address *a)
{
	return a->sa.sa_family == AF_INET6;
}

bool address_fits(const struct address *a, enum family family)
{
	return family == FAMILY_V4_FIRST ||
	       address_is_v6(a) == (family == FAMILY_V6);
}

static uint32_t v4(const struct address *a)
{
	return ntohl(a->in4.sin_addr.s_addr);
}

bool address_is_loopback(const struct address *a)
{
	if (address_is_v6(a))
		return IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
	return v4(a) >> 24 == 127;
}

bool address_is_multicast(const struct address *a)
{
	if (address_is_v6(a))
		return IN6_IS_ADDR_MULTICAST(&a->in6.sin6_addr);
	return IN_MULTICAST(v4(a));
}

bool address_is_broadcast(const struct address *a)
{
	return !address_is_v6(a) && v4(a) == INADDR_BROADCAST;
}

bool address_is_documentation(const struct address *a)
{
	static const uint8_t v6[] = { 0x20, 0x01, 0x0d, 0xb8 };

	if (address_is_v6(a))
		return memcmp(&a->in6.sin6_addr, v6, sizeof(v6)) == 0;
	return v4(a) >> 8 == 0xc00002;
}

unsigned int address_port(const struct address *a)
{
	return ntohs(address_is_v6(a) ? a->in6.sin6_port : a->in4.sin_port);
}

void address_set_port(struct address *a, unsigned int port)
{
	if (address_is_v6(a))
		a->in6.sin6_port = htons((uint16_t)port);
	else
		a->in4.sin_port = htons((uint16_t)port);
}

bool address_same_host(const struct address *a, const struct address *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (address_is_v6(a))
		return IN6_ARE_ADDR_EQUAL(&a->in6.sin6_addr,
					  &b->in6.sin6_addr);
	return a->in4.sin_addr.s_addr == b->in4.sin_addr.s_addr;
}

bool address_same(const struct address *a, const struct address *b)
{
	return address_same_host(a, b) && address_port(a) == address_port(b);
}

socklen_t address_len(const struct address *a)
{
	return address_is_v6(a) ? sizeof(a->in6) : sizeof(a->in4);
}
