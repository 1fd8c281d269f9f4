/* SPDX-License-Identifier: MIT */

/*
 * wire - how messages travel: a varint length before each, one size limit,
 * one table between the protocol's Status and -errno.
 *
 * Pure: no I/O, no allocation. Shared by the daemon and by libmodemclient.
 *
 * Called by: broker, libmodemclient, tests.   Calls: nothing.
 */

#ifndef MODEMD_WIRE_H
#define MODEMD_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "modemd.pb-c.h"

#define WIRE_PROTOCOL_VERSION	1
#define WIRE_FRAME_MAX		65536	/* bytes of one message */
#define WIRE_HEADER_MAX		3	/* bytes of its length */
#define WIRE_DATA_MAX		16384	/* bytes of Send.data, Data.data */
#define WIRE_PAGE_MAX		49152	/* bytes of a page of history or trace */
#define WIRE_NAME_MAX		64	/* characters of a client's name */

/*
 * Reads the length in front of a message. Returns the bytes the length itself
 * took (1..WIRE_HEADER_MAX) and sets *@length, 0 when @buf holds too little
 * yet, -EMSGSIZE when the length is above WIRE_FRAME_MAX or its varint is
 * longer than WIRE_HEADER_MAX. Nothing needs to be allocated to know that.
 */
int wire_get_length(const uint8_t *buf, size_t len, size_t *length);

/* Writes the length; returns its bytes. @length <= WIRE_FRAME_MAX. */
size_t wire_put_length(size_t length, uint8_t out[WIRE_HEADER_MAX]);

/* Any status to 0 or -errno; one that this version does not know: -EPROTO. */
int wire_errno(Modemd__V1__Status status);

/* 0 or -errno to a status; an errno outside the table: MODEM_ERROR. */
Modemd__V1__Status wire_status(int err);

/* One short sentence for people, never NULL: "all sockets are taken". */
const char *wire_status_text(Modemd__V1__Status status);

#endif
