/* SPDX-License-Identifier: MIT */

/*
 * broker_bench - the broker over the real modem layer, with a scripted modem
 * below and played clients above, on a virtual clock. Clients are numbers, in
 * the order of their coming; what they hear is one string.
 *
 * Short names: the tests are made of little else.
 *
 * Called by: test_broker*.c.   Calls: scripted_modem, test-seams, broker.
 */

#ifndef MODEMD_BROKER_BENCH_H
#define MODEMD_BROKER_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "broker/broker.h"
#include "fake_client.h"
#include "fake_history.h"
#include "fake_port.h"
#include "fake_timer.h"
#include "fake_world.h"
#include "scripted_data.h"
#include "scripted_modem.h"
#include "wire.h"

#define BENCH_CLIENTS	1100

struct bench {
	struct fake_world world;
	struct timers *ts;
	struct config cfg;
	struct state *state;
	struct history *history;
	struct script *script;
	struct broker *broker;
	struct client_conn *conns[BENCH_CLIENTS];
	unsigned int count;
	char dir[32], path[64];
	/* a test that looks at other fields says them otherwise, by add() */
	void (*add_reply)(struct bench *b, const Modemd__V1__Reply *r);
	void (*add_event)(struct bench *b, const Modemd__V1__Event *e);
	char text[1 << 21];	/* of the last heard() */
	size_t len;
	char data[65536];	/* that came with it */
	size_t data_len;
	char message[512];	/* of the last reply */
	unsigned int stopped;
	uint64_t lease;		/* of the last event about it */
};

/* A broker that is not started; the test may still change cfg and script. */
int set_up(void **state);
/* Brought up to an open network. */
int set_up_open(void **state);
int tear_down(void **state);
void wait_ms(struct bench *b, uint32_t ms);

/* All that this client was told since the last look. */
const char *heard(struct bench *b, unsigned int client);
/* The reply that is its only message; to be freed. */
Modemd__V1__ServerMessage *reply_of(struct bench *b, unsigned int client);
void free_reply(Modemd__V1__ServerMessage *msg);
/* How often @what is in @text. */
unsigned int count(const char *text, const char *what);

/* For add_reply() and add_event(). */
__attribute__((format(printf, 2, 3)))
void add(struct bench *b, const char *fmt, ...);
void keep_message(struct bench *b, const char *message);
const char *status_name(Modemd__V1__Status status);

/* A client that has said hello. */
unsigned int client(struct bench *b, const char *name);
unsigned int admin(struct bench *b, const char *name);
/* One that has not; UINT_MAX when it was refused. */
unsigned int connect_as(struct bench *b, uid_t uid, bool admin);
void say_hello(struct bench *b, unsigned int client, const char *name,
	       uint32_t version);

/* A request, and its field for bytes. */
#define REQUEST(r) Modemd__V1__Request r = MODEMD__V1__REQUEST__INIT
bool ask(struct bench *b, unsigned int client, Modemd__V1__Request *r,
	 uint64_t id, Modemd__V1__Request__KindCase kind);
ProtobufCBinaryData binary(const void *data, size_t len);
ProtobufCBinaryData chars(const char *s);

struct open_options {
	uint32_t wait_ms;
	bool restore;
	bool has_credit;
	uint32_t credit;
};

/* To host.example:80, by TCP. */
void ask_open_with(struct bench *b, unsigned int c, uint64_t id,
		   const struct open_options *with);
void ask_open(struct bench *b, unsigned int c, uint64_t id, uint32_t wait);
void ask_send(struct bench *b, unsigned int c, uint64_t id, uint64_t link,
	      uint32_t epoch, const void *data, size_t len);
void ask_credit(struct bench *b, unsigned int c, uint64_t id, uint64_t link,
		uint32_t amount);
void ask_close(struct bench *b, unsigned int c, uint64_t id, uint64_t link,
	       bool abort_it);
void ask_resolve(struct bench *b, unsigned int c, uint64_t id,
		 const char *name);
void ask_cancel(struct bench *b, unsigned int c, uint64_t id, uint64_t which);
void ask_history(struct bench *b, unsigned int c, uint64_t id,
		 const char *remote);
void ask_status(struct bench *b, unsigned int c, uint64_t id);
void ask_subscribe(struct bench *b, unsigned int c, uint64_t id, bool network,
		   bool links, bool trace, bool payload);

/* A link of that client, open; what was said on the way is forgotten. */
uint64_t opened(struct bench *b, unsigned int c);

#endif
