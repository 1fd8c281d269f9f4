/* SPDX-License-Identifier: MIT */

/*
 * modem.send-coding = "ctrlz": sends that a sign ends, and not their count.
 * Here that is CIPSENDEX, where \0 ends the payload and a backslash stands
 * before each backslash: W800 manual, CIPSENDEX. A byte that is lost on its
 * way then does not leave the module waiting for one more.
 *
 * Whether the length counts a backslash that goes is not said: the greatest is
 * declared, and the sign comes before it in either case. So a block goes in up
 * to three commands.
 */

#include <string.h>

#include "driver/w800_private.h"

#define PART	2870	/* bytes that fit, coded and with their end */

/* @code: 2 * @len + 2 bytes. Returns how many they are. */
static size_t encode(const uint8_t *data, size_t len, uint8_t *code)
{
	uint8_t *p = code;
	size_t i;

	for (i = 0; i < len; i++) {
		if (data[i] == '\\')
			*p++ = '\\';
		*p++ = data[i];
	}
	*p++ = '\\';
	*p++ = '0';

	return (size_t)(p - code);
}

static int send_part(struct w800 *w, struct at_command *cmd)
{
	struct w800_send *s = &w->sending;
	uint8_t code[2 * PART + 2];
	size_t left = s->len - s->taken;

	if (left == 0)
		return 1;
	s->part = left < PART ? left : PART;
	cmd->payload = code;
	cmd->payload_len = encode(s->copy + s->taken, s->part, code);

	return w800_send_command(w, cmd, "EX", W800_BLOCK);
}

static enum w800_verdict judge_part(struct w800 *w, int err,
				    const struct at_answer *a)
{
	if (err)
		return w800_judge_send(w, err, a);
	w->sending.taken += w->sending.part;

	return V_NEXT;
}

const struct w800_step w800_coded[] = {
	{ .send = send_part, .judge = judge_part },
	{ .send = send_part, .judge = judge_part },
	{ .send = send_part, .judge = judge_part },
	{ NULL }
};

_Static_assert(3 * PART >= W800_BLOCK, "all of a block is sent");
_Static_assert(2 * PART + 2 < W800_BLOCK, "its end comes before its length");
_Static_assert(PART >= W800_DATAGRAM, "a datagram is one command");
