/* SPDX-License-Identifier: MIT */

/*
 * sha256 - FIPS 180-4, so that the examples need no crypto library.
 *
 * Called by: mover.   Calls: nothing.
 */

#ifndef EXAMPLES_SHA256_H
#define EXAMPLES_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
	uint32_t h[8];
	uint64_t len;			/* bytes fed */
	uint8_t block[64];
};

void sha256_init(struct sha256 *s);
void sha256_feed(struct sha256 *s, const void *data, size_t len);
/* Ends it: 64 hexadecimal digits. */
void sha256_hex(struct sha256 *s, char out[65]);

#endif
