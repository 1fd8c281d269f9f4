/* SPDX-License-Identifier: MIT */

/*
 * fake_modemd - the daemon's end of a connection, played by a test.
 *
 * It says what the test tells it to say, right or wrong, and shows what the
 * library said. Every wait has a deadline (5 s) and then fails the test.
 *
 * Called by: test_modemclient.   Calls: wire, cmocka.
 */

#ifndef TEST_FAKE_MODEMD_H
#define TEST_FAKE_MODEMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire.h"

struct fake {
	char path[108];
	int listener;
	int fd;				/* -1: nobody connected */
	uint8_t in[131072];
	size_t in_len;
	/* Collects what is said instead of sending it. */
	bool collect;
	uint8_t out[262144];
	size_t out_len;
	uint32_t window;		/* of the hello; 0: 65536 */
	uint32_t credit;
};

void fake_listen(struct fake *f);
void fake_unlisten(struct fake *f);	/* and removes the socket */
void fake_accept(struct fake *f);
void fake_hang_up(struct fake *f);
void fake_free(struct fake *f);

/* Accepts, takes the hello and answers it. */
void fake_greet(struct fake *f);

/* The next request, which must be of @kind; free with fake_done(). */
Modemd__V1__Request *fake_expect(struct fake *f,
				 Modemd__V1__Request__KindCase kind);
void fake_done(Modemd__V1__Request *req);
/* The same without looking inside; returns its id. */
uint64_t fake_take(struct fake *f, Modemd__V1__Request__KindCase kind);
/* True: nothing more has come within 20 ms. */
bool fake_silent(struct fake *f);
/* True: the client has hung up (within the deadline). */
bool fake_hung_up(struct fake *f);

void fake_raw(struct fake *f, const void *bytes, size_t len);
void fake_reply(struct fake *f, Modemd__V1__Reply *reply);
void fake_event(struct fake *f, Modemd__V1__Event *event);

/* The usual sayings. */
void fake_ok(struct fake *f, uint64_t id);
void fake_error(struct fake *f, uint64_t id, Modemd__V1__Status status,
		const char *message, const char *modem_text);
void fake_open_reply(struct fake *f, uint64_t id, uint64_t link);
void fake_opened(struct fake *f, uint64_t link, uint32_t epoch,
		 Modemd__V1__Status status, const char *message);
void fake_data(struct fake *f, uint64_t link, const void *data, size_t len);
void fake_sent(struct fake *f, uint64_t link, uint32_t epoch, uint32_t bytes);
void fake_closed(struct fake *f, uint64_t link, uint32_t epoch,
		 Modemd__V1__Status status, const char *reason,
		 uint64_t accepted, uint64_t taken, uint64_t received);
void fake_link_lost(struct fake *f, uint64_t link, uint32_t epoch,
		    uint64_t accepted, uint64_t taken, uint64_t received);
void fake_link_restored(struct fake *f, uint64_t link, uint32_t epoch);

#endif
