/* SPDX-License-Identifier: MIT */

/*
 * scripted_modem - answers like the A7600 manual, on a fake port, unless the
 * test gives it other words.
 *
 * It keeps the modem's side of things (sockets, buffers, SIM, registration),
 * so that a test can compare it with what the daemon believes.
 *
 * Called by: test_modem, test_broker.   Calls: test-seams.
 */

#ifndef MODEMD_SCRIPTED_MODEM_H
#define MODEMD_SCRIPTED_MODEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCRIPT_SLOTS	10
#define SCRIPT_SERVERS	4

struct evbuffer;
struct fake_world;
struct script;

/* Sets the hooks of @w: before the port is made. */
struct script *script_new(struct fake_world *w);
void script_free(struct script *s);

/*
 * From now on commands that begin with @prefix get these bytes instead of the
 * usual answer ("": none at all, "*": the usual one again), @times times
 * (0: always). What is said last counts.
 */
void script_answer(struct script *s, const char *prefix, const char *bytes,
		   unsigned int times);

/* What follows the OK of a CIPSEND from now on. NULL: the usual. */
void script_send_result(struct script *s, const char *bytes);

/* Says this, with the modem's usual delay. */
__attribute__((format(printf, 2, 3)))
void script_say(struct script *s, const char *fmt, ...);

/* The peer of @slot sends; announced as the manual says (2.5, note 1), or
 * pushed, from 192.0.2.7:53. */
void script_peer_sends(struct script *s, unsigned int slot, const void *data,
		       size_t len);
/* The same, and its line is lost. */
void script_peer_sends_unheard(struct script *s, unsigned int slot,
			       const void *data, size_t len);
void script_peer_closes(struct script *s, unsigned int slot);
/* As a CIPCLOSE would, without a word. */
void script_close_slot(struct script *s, unsigned int slot);

/* Somebody connects to server @index: in @slot, -1: in the lowest free one,
 * which it returns. @peer is "192.0.2.1:5000". */
unsigned int script_connect(struct script *s, int slot, unsigned int index,
			    const char *peer);
/* The same, and its line is lost. */
unsigned int script_connect_unheard(struct script *s, int slot,
				    unsigned int index, const char *peer);
/* The port it listens to, 0: none. */
unsigned int script_listens(const struct script *s, unsigned int index);
/* As another host would have left it. */
void script_set_server(struct script *s, unsigned int index,
		       unsigned int port);

/* All that was sent through @slot since it was opened; borrowed. */
struct evbuffer *script_sent(struct script *s, unsigned int slot);
bool script_slot_open(const struct script *s, unsigned int slot);
unsigned int script_open_slots(const struct script *s);
size_t script_unread(const struct script *s, unsigned int slot);

/* Commands heard since the last script_forget_heard(): those that begin with
 * @prefix, and the n-th of all (NULL: there is none). */
void script_forget_heard(struct script *s);
unsigned int script_heard(const struct script *s, const char *prefix);
const char *script_command(const struct script *s, unsigned int n);
/* Of all that were let in. */
size_t script_longest_send(const struct script *s);

/* Loses power: everything closed, echo on; says @banner when it is back. */
void script_reboot(struct script *s, const char *banner);

/* What a test may set at any time. */
struct script_set {
	bool mute;		/* hears and answers nothing */
	unsigned int baud;	/* 0: any rate is right */
	uint32_t latency_ms;
	const char *sim;	/* READY, SIM PIN, ... */
	const char *pin;
	unsigned int pin_tries;	/* of PINs so far */
	unsigned int reg;	/* 0..5 */
	bool net_open;
	bool echo;
	bool pull;		/* CIPRXGET */
	bool header_type;	/* +RECEIVE, not +IPD */
	unsigned int send_max;	/* longer ones get +CIPERROR: 3; 0: none */
	unsigned int mode;	/* CIPMODE */
	bool dtr_off;
};

struct script_set *script_set(struct script *s);

/* Transparent mode. A peer connects to the server; sends; the session ends with
 * these words, as far as the modem is concerned. */
struct script_data *script_data(struct script *s);
void script_accept(struct script *s);
void script_stream(struct script *s, const void *data, size_t len);
void script_stream_ends(struct script *s, const char *words);

#endif
