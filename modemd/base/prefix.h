/* SPDX-License-Identifier: MIT */

/*
 * prefix - addresses of both families as one kind of number, and lists of
 * those that may connect.
 *
 * Pure: it resolves nothing and knows no listener. An IPv4 address is what
 * IPv6 writes as ::ffff:192.0.2.1, so a peer is the same one however the modem
 * prints it.
 *
 * Called by: modem, broker.   Calls: the C library.
 */

#ifndef MODEMD_PREFIX_H
#define MODEMD_PREFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PREFIX_TEXT_MAX	52	/* the longest, its length, terminated */

/* Of IPv6, or of IPv4 as ::ffff:192.0.2.0/120. */
struct prefix {
	uint8_t address[16];
	unsigned int bits;		/* 0..128 that count */
};

/* "192.0.2.1", "2001:db8::1", as 16 bytes. False: it is none. */
bool prefix_parse_address(const char *text, uint8_t out[16]);

/* "192.0.2.1:53211", "[2001:db8::1]:53211", or without the brackets. */
bool prefix_parse_peer(const char *peer, uint8_t address[16],
		       unsigned int *port);

/* As people write it: IPv4 where it is that. @size >= PREFIX_TEXT_MAX. */
void prefix_print_address(const uint8_t address[16], char *out, size_t size);

/* The same peer, whatever the letters; equal texts that are none, too. */
bool prefix_same_peer(const char *a, const char *b);

/* "192.0.2.0/24", "2001:db8::/32", or one address. NULL, or what is wrong
 * with it: half a sentence. */
const char *prefix_parse(const char *text, struct prefix *out);
void prefix_print(const struct prefix *p, char *out, size_t size);

bool prefix_contains(const struct prefix *p, const uint8_t address[16]);

#endif
