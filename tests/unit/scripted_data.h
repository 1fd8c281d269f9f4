/* SPDX-License-Identifier: MIT */

/*
 * scripted_data - the transparent mode of scripted_modem: what the host writes
 * goes to a peer, but for three pluses between pauses (A7600 manual 1.2, 4),
 * by the virtual clock.
 *
 * Called by: scripted_modem, test_lease.   Calls: test-seams.
 */

#ifndef MODEMD_SCRIPTED_DATA_H
#define MODEMD_SCRIPTED_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evbuffer;
struct script_data;
struct timers;

/* @left: it is in command mode again, and OK is due. */
struct script_data *script_data_new(struct timers *ts,
				    void (*left)(void *ctx), void *ctx);
void script_data_free(struct script_data *d);

void script_data_enter(struct script_data *d);
void script_data_leave(struct script_data *d);	/* no @left */
bool script_data_on(const struct script_data *d);
void script_data_input(struct script_data *d, const uint8_t *data, size_t len);

/* The next @n escapes are payload. */
void script_data_lose_escapes(struct script_data *d, unsigned int n);

/* What the peer got; yours to drain. */
struct evbuffer *script_data_peer(struct script_data *d);

/* Each write: "MS:BYTES ", counted from the first; and begins anew. */
const char *script_data_writes(struct script_data *d);

#endif
