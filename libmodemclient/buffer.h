/* SPDX-License-Identifier: MIT */

/*
 * buffer - bytes in a row: put in at the end, taken away at the front.
 *
 * Called by: connection, link.   Calls: the C library.
 */

#ifndef MODEMCLIENT_BUFFER_H
#define MODEMCLIENT_BUFFER_H

#include <stddef.h>
#include <stdint.h>

/* All zero is an empty one. */
struct buffer {
	uint8_t *memory;
	size_t size;	/* of the memory */
	size_t start;	/* of the bytes in it */
	size_t len;	/* bytes in use */
};

/* Room for @len bytes at the end, NULL without memory; then commit some. */
uint8_t *buffer_reserve(struct buffer *b, size_t len);
void buffer_commit(struct buffer *b, size_t len);

/* The first byte; borrowed until the next reserve. */
const uint8_t *buffer_bytes(const struct buffer *b);
void buffer_drop(struct buffer *b, size_t len);		/* from the front */
void buffer_cut(struct buffer *b, size_t len);		/* leaves @len bytes */
void buffer_free(struct buffer *b);			/* leaves it empty */

#endif
