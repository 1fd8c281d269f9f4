/* SPDX-License-Identifier: MIT */

#include "buffer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_MIN 4096

uint8_t *buffer_reserve(struct buffer *b, size_t len)
{
	size_t size = b->size ? b->size : BUFFER_MIN;
	uint8_t *memory;

	if (b->size >= b->start + b->len + len)
		return b->memory + b->start + b->len;

	if (b->start > 0 && b->len > 0)
		memmove(b->memory, b->memory + b->start, b->len);
	b->start = 0;
	while (size < b->len + len)
		size *= 2;
	if (size > b->size) {
		memory = realloc(b->memory, size);
		if (!memory)
			return NULL;
		b->memory = memory;
		b->size = size;
	}

	return b->memory + b->len;
}

void buffer_commit(struct buffer *b, size_t len)
{
	assert(b->start + b->len + len <= b->size);
	b->len += len;
}

const uint8_t *buffer_bytes(const struct buffer *b)
{
	return b->memory + b->start;
}

void buffer_drop(struct buffer *b, size_t len)
{
	assert(len <= b->len);
	b->start += len;
	b->len -= len;
	if (b->len == 0)
		b->start = 0;
}

void buffer_cut(struct buffer *b, size_t len)
{
	assert(len <= b->len);
	b->len = len;
}

void buffer_free(struct buffer *b)
{
	free(b->memory);
	memset(b, 0, sizeof(*b));
}
