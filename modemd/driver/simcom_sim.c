/* SPDX-License-Identifier: MIT */

/*
 * The SIM stage, and the PIN rule: a PIN that a SIM has not accepted before
 * is tried once, ever, also across restarts; three wrong tries lock the SIM.
 * The state file knows of each SIM (by ICCID) which PIN (salted hash) was
 * tried and how it ended:
 *   tried   once, outcome unknown or refused: never again
 *   good    accepted: may be used at the next power-up
 *   again   a good one under way: may be repeated once more, so that a power
 *           cut in that very second does not lock the gateway out
 * Where this cannot be written first, no PIN is tried.
 */

#include <crypt.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at/text.h"
#include "base/config.h"
#include "base/log.h"
#include "base/state.h"
#include "base/timer.h"
#include "driver/simcom_private.h"

#define SIM_PATIENCE_MS	30000	/* a SIM that is busy, or fails at first */
#define SIM_AGAIN_MS	1000

/* ------------------------------------------------------------ the PIN rule */

#define NAMELESS	"pin.unknown-sim"	/* its ICCID was not to be had */
#define ANY_SIM		"pin.last"		/* whichever it was */

static bool has_name(const struct simcom *s)
{
	return s->info.iccid[0];
}

static void make_key(const struct simcom *s, char *key, size_t size)
{
	if (has_name(s))
		snprintf(key, size, "pin.%s", s->info.iccid);
	else
		snprintf(key, size, NAMELESS);
}

/* The hash of our PIN with @setting (a whole earlier hash or a salt). */
static const char *hash(const struct simcom *s, const char *setting,
			struct crypt_data *cd)
{
	const char *h;

	memset(cd, 0, sizeof(*cd));
	h = crypt_r(s->env.modem->pin, setting, cd);

	return h && h[0] == '$' ? h : NULL;
}

/* "WORD,HASH" as stored: the word, when the hash is of our PIN; else "". */
static void read_row(const struct simcom *s, const char *key, char word[16])
{
	char stored[STATE_VALUE_MAX];
	struct crypt_data *cd;
	const char *value, *h;

	word[0] = '\0';
	value = state_get(s->env.state, key);
	if (!value || sscanf(value, "%15[a-z],%255s", word, stored) != 2) {
		word[0] = '\0';
		return;
	}
	cd = malloc(sizeof(*cd));
	h = cd ? hash(s, stored, cd) : NULL;
	/* Not comparable counts as tried: the SIM is worth more. */
	if (h && strcmp(h, stored) != 0)
		word[0] = '\0';
	free(cd);
}

/* What is known of our PIN and this SIM. A SIM whose ICCID the modem gives at
 * one time and not at another is still the same. */
static void read_note(const struct simcom *s, char word[16])
{
	char key[STATE_KEY_MAX], other[16];

	make_key(s, key, sizeof(key));
	read_row(s, key, word);
	read_row(s, has_name(s) ? NAMELESS : ANY_SIM, other);
	if (strcmp(other, "tried") == 0 && !(has_name(s) && word[0]))
		strcpy(word, other);
}

static int write_note(struct simcom *s, const char *word)
{
	static const char alphabet[] = "0123456789abcdefghijklmnopqrstuv";
	char key[STATE_KEY_MAX], value[STATE_VALUE_MAX], salt[24] = "$5$";
	struct crypt_data *cd;
	const char *h;
	int err = -ENOMEM;
	size_t i;

	for (i = 3; i < 19; i++)
		salt[i] = alphabet[timers_random(s->env.timers, 32)];
	salt[i] = '$';
	cd = malloc(sizeof(*cd));
	h = cd ? hash(s, salt, cd) : NULL;
	if (h) {
		make_key(s, key, sizeof(key));
		snprintf(value, sizeof(value), "%s,%s", word, h);
		err = state_set(s->env.state, ANY_SIM, value);
		if (!err)
			err = state_set(s->env.state, key, value);
	}
	free(cd);

	return err;
}

static int pin_may_try(struct simcom *s, const char **why)
{
	char word[16];

	if (!s->env.modem->pin[0]) {
		*why = "the SIM wants a PIN: name a file with it in pin-file";
		return -EACCES;
	}
	read_note(s, word);
	if (strcmp(word, "tried") == 0) {
		*why = "the SIM wants a PIN, and the one in pin-file was tried "
		       "before: it is not tried again; correct pin-file";
		return -EACCES;
	}

	return 0;
}

static int pin_note_try(struct simcom *s)
{
	char word[16];

	read_note(s, word);

	return write_note(s, strcmp(word, "good") == 0 ? "again" : "tried");
}

static void pin_note_result(struct simcom *s, bool good)
{
	int err;

	err = write_note(s, good ? "good" : "tried");
	if (err)
		log_error("state: cannot note how the PIN ended: %s",
			  strerror(-err));
}

/* --------------------------------------------------------------------- SIM */

static void take_sim(struct simcom *s, const struct at_line *line)
{
	const char *state = line->strs[0].s;

	s->boot.pin_wanted = strcmp(state, "SIM PIN") == 0;
	if (strcmp(state, "READY") == 0)
		state = "ready";
	else if (s->boot.pin_wanted)
		state = "pin";
	else if (strcmp(state, "SIM PUK") == 0)
		state = "puk";
	simcom_set(s->info.sim, sizeof(s->info.sim), state);
}

/* Numbers of TS 27.007 9.2.1, and their words. */
static bool says_no_sim(const struct at_answer *a)
{
	return strstr(a->final, "not inserted") ||
	       strcmp(a->final, "+CME ERROR: 10") == 0;
}

static enum simcom_verdict judge_sim(struct simcom *s, int err,
				     const struct at_answer *a)
{
	if (err == -EREMOTEIO && says_no_sim(a)) {
		simcom_set(s->info.sim, sizeof(s->info.sim), "absent");
		simcom_say(s, "there is no SIM in the modem");
		return V_FAIL;
	}
	if (err) {	/* busy, failure, 13, 14: often ready seconds later */
		simcom_set(s->info.sim, sizeof(s->info.sim), "busy");
		simcom_say(s, "the SIM does not answer: %s", simcom_words(a));
		return V_AGAIN;
	}
	if (strcmp(s->info.sim, "ready") == 0 || s->boot.pin_wanted)
		return V_NEXT;

	if (strcmp(s->info.sim, "puk") == 0)
		simcom_say(s, "the SIM is locked and wants its PUK: unlock it "
			   "by hand; no PIN is tried");
	else
		simcom_say(s, "the SIM is not usable: %s", s->info.sim);
	return V_FAIL;
}

static void take_iccid(struct simcom *s, const struct at_line *line)
{
	at_text_copy(s->info.iccid, sizeof(s->info.iccid), &line->strs[0]);
}

/* A return above 0 skips the step; the state file decides about the PIN. */
static int send_pin(struct simcom *s, struct at_command *cmd)
{
	const char *why;
	int err;

	if (!s->boot.pin_wanted)
		return 1;

	err = pin_may_try(s, &why);
	if (err) {
		simcom_say(s, "%s", why);
		return err;
	}
	err = pin_note_try(s);
	if (err) {
		simcom_say(s, "the SIM wants a PIN, but the state file cannot "
			   "be written (%s), so none is tried", strerror(-err));
		return err;
	}
	cmd->secret = true;

	return simcom_send(s, cmd, "AT+CPIN=%q", s->env.modem->pin);
}

static enum simcom_verdict judge_pin(struct simcom *s, int err,
				     const struct at_answer *a)
{
	if (err && err != -EREMOTEIO)		/* outcome unknown: noted as tried */
		return V_FAIL;

	pin_note_result(s, !err);
	if (!err)
		return V_NEXT;

	simcom_say(s, "the SIM refused the PIN (%s); it is not tried again: "
		   "correct pin-file", simcom_words(a));
	return V_FAIL;
}

static int skip_unless_pin(struct simcom *s, struct at_command *cmd)
{
	if (!s->boot.pin_wanted)
		return 1;

	return simcom_send(s, cmd, "AT+CPIN?");
}

static enum simcom_verdict judge_unlocked(struct simcom *s, int err,
					  const struct at_answer *a)
{
	if (!err && strcmp(s->info.sim, "ready") == 0)
		return V_NEXT;

	simcom_say(s, "the SIM is not ready after its PIN: %s",
		   err ? simcom_words(a) : s->info.sim);
	return V_AGAIN;
}

const struct simcom_step simcom_sim[] = {
	/* The chart asks for it later; but a radio that is off may keep the
	 * SIM off. */
	{ .text = "AT+CFUN?", .accept = { R_CFUN + 1 },
	  .line = simcom_take_radio, .optional = true },
	{ .send = simcom_send_radio_on, .optional = true,
	  .timeout_ms = 10000 },
	{ .text = "AT+CPIN?", .accept = { R_CPIN + 1 }, .line = take_sim,
	  .judge = judge_sim, .patience_ms = SIM_PATIENCE_MS,
	  .again_ms = SIM_AGAIN_MS },
	{ .text = "AT+CICCID", .accept = { R_ICCID + 1 }, .line = take_iccid,
	  .optional = true },
	{ .send = send_pin, .judge = judge_pin, .timeout_ms = 20000 },
	{ .send = skip_unless_pin, .accept = { R_CPIN + 1 }, .line = take_sim,
	  .judge = judge_unlocked, .patience_ms = SIM_PATIENCE_MS,
	  .again_ms = SIM_AGAIN_MS },
	{ NULL }
};
