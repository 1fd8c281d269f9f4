/* SPDX-License-Identifier: MIT */

#include "base/prefix.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAPPED_BITS	96	/* of ::ffff:0:0/96, in front of IPv4 */

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static bool is_ipv4(const uint8_t address[16])
{
	return memcmp(address, mapped, sizeof(mapped)) == 0;
}

bool prefix_parse_address(const char *text, uint8_t out[16])
{
	memcpy(out, mapped, sizeof(mapped));

	return inet_pton(AF_INET, text, out + sizeof(mapped)) == 1 ||
	       inet_pton(AF_INET6, text, out) == 1;
}

bool prefix_parse_peer(const char *peer, uint8_t address[16],
		       unsigned int *port)
{
	const char *colon = strrchr(peer, ':');
	size_t len = colon ? (size_t)(colon - peer) : strlen(peer);
	char text[INET6_ADDRSTRLEN];

	*port = colon ? (unsigned int)strtoul(colon + 1, NULL, 10) : 0;
	if (len >= 2 && peer[0] == '[' && peer[len - 1] == ']') {
		peer++;
		len -= 2;
	}
	if (len >= sizeof(text))
		return false;
	memcpy(text, peer, len);
	text[len] = '\0';

	return prefix_parse_address(text, address);
}

void prefix_print_address(const uint8_t address[16], char *out, size_t size)
{
	out[0] = '\0';
	if (is_ipv4(address))
		(void)inet_ntop(AF_INET, address + sizeof(mapped), out,
				(socklen_t)size);
	else
		(void)inet_ntop(AF_INET6, address, out, (socklen_t)size);
}

bool prefix_same_peer(const char *a, const char *b)
{
	unsigned int port_a, port_b;
	uint8_t x[16], y[16];

	if (!prefix_parse_peer(a, x, &port_a) ||
	    !prefix_parse_peer(b, y, &port_b))
		return strcmp(a, b) == 0;

	return port_a == port_b && memcmp(x, y, sizeof(x)) == 0;
}

/* ---------------------------------------------------------------- prefixes */

static bool bits_match(const uint8_t a[16], const uint8_t b[16],
		       unsigned int bits)
{
	unsigned int rest = bits % 8;
	uint8_t mask = (uint8_t)(0xff << (8 - rest));

	if (memcmp(a, b, bits / 8) != 0)
		return false;

	return rest == 0 || ((a[bits / 8] ^ b[bits / 8]) & mask) == 0;
}

/* Nothing is set behind its length. */
static bool is_clean(const struct prefix *p)
{
	unsigned int i;

	for (i = p->bits; i < 128; i++) {
		if (p->address[i / 8] & (0x80 >> (i % 8)))
			return false;
	}

	return true;
}

/* Digits only; false: there is no such length. */
static bool parse_bits(const char *text, unsigned int max, unsigned int *bits)
{
	size_t len = strlen(text);

	if (len < 1 || len > 3 || strspn(text, "0123456789") != len)
		return false;
	*bits = (unsigned int)strtoul(text, NULL, 10);

	return *bits <= max;
}

const char *prefix_parse(const char *text, struct prefix *out)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	char address[INET6_ADDRSTRLEN] = "";
	bool ipv4;

	if (len < sizeof(address))
		snprintf(address, sizeof(address), "%.*s", (int)len, text);
	if (!prefix_parse_address(address, out->address))
		return strchr(text, ':') ?
		       "is not of the form 2001:db8::1 or 2001:db8::/32" :
		       "is not of the form 192.0.2.1 or 192.0.2.0/24";
	ipv4 = strchr(address, ':') == NULL;
	out->bits = ipv4 ? 32 : 128;
	if (slash && !parse_bits(slash + 1, ipv4 ? 32 : 128, &out->bits))
		return ipv4 ? "has no length of 0-32 behind its /" :
		       "has no length of 0-128 behind its /";
	if (ipv4)
		out->bits += MAPPED_BITS;

	return is_clean(out) ? NULL : "has bits set behind its length";
}

void prefix_print(const struct prefix *p, char *out, size_t size)
{
	bool ipv4 = is_ipv4(p->address) && p->bits >= MAPPED_BITS;
	char address[INET6_ADDRSTRLEN];

	prefix_print_address(p->address, address, sizeof(address));
	snprintf(out, size, "%s/%u", address,
		 ipv4 ? p->bits - MAPPED_BITS : p->bits);
}

bool prefix_contains(const struct prefix *p, const uint8_t address[16])
{
	return bits_match(p->address, address, p->bits);
}
