/* SPDX-License-Identifier: MIT */

/*
 * TLS of a link, set before its CIPSTART: W800 manual, CIPSSLCCONF, CIPSSLCCN,
 * CIPSSLCSNI, CIPSSLCALPN, CIPSSLCPSK. The module keeps these by slot, so what
 * one link has set is taken back before the next one in that slot; the PSK as
 * soon as it was used.
 *
 * To verify a certificate the module needs the time: CIPSNTPCFG, CIPSNTPTIME.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at/text.h"
#include "base/config.h"
#include "base/timer.h"
#include "driver/w800_private.h"

#define YEAR_MIN	2021	/* clocks that were never set are older */
#define CLOCK_AGAIN_MS	500
#define AUTH_SHOW	1	/* CIPSSLCCONF, <auth_mode> */
#define AUTH_VERIFY	2

static const struct driver_tls *tls_of(const struct w800 *w)
{
	return w->opening.has_tls ? &w->opening.tls : NULL;
}

/* --------------------------------------------------------------- the clock */

static bool needs_clock(const struct w800 *w)
{
	return tls_of(w) && tls_of(w)->verify && !w->clock_set;
}

static int ask_clock(struct w800 *w, struct at_command *cmd)
{
	if (!needs_clock(w))
		return 1;

	return w800_send_line(w, cmd, "AT+CIPSNTPTIME?");
}

/* "Tue Oct 19 17:47:56 2021"; 1970 as long as nobody told it. */
static void clock_line(struct w800 *w, const struct at_line *line)
{
	char text[64];
	const char *year;

	at_text_copy(text, sizeof(text), &line->strs[0]);
	year = strrchr(text, ' ');
	if (year && strtol(year + 1, NULL, 10) >= YEAR_MIN)
		w->clock_set = true;
}

/* What the firmware does not know, it may not need: then it decides. */
static enum w800_verdict judge_first(struct w800 *w, int err,
				     const struct at_answer *a)
{
	(void)a;
	if (err)
		w->clock_set = true;

	return V_NEXT;
}

static int ask_sntp(struct w800 *w, struct at_command *cmd)
{
	w->opening.sntp = false;
	if (!needs_clock(w))
		return 1;

	return w800_send_line(w, cmd, "AT+CIPSNTPCFG?");
}

static void sntp_line(struct w800 *w, const struct at_line *line)
{
	w->opening.sntp = line->strs[0].len > 0 && line->strs[0].s[0] == '1';
}

/* The module has servers of its own. */
static int start_sntp(struct w800 *w, struct at_command *cmd)
{
	if (!needs_clock(w) || w->opening.sntp)
		return 1;

	return w800_send_line(w, cmd, "AT+CIPSNTPCFG=1,0");
}

static enum w800_verdict judge_clock(struct w800 *w, int err,
				     const struct at_answer *a)
{
	int64_t now = timers_mono_ms(w->env.timers);

	if (w->clock_set)
		return V_NEXT;
	if (now - w->opening.began_ms < w->env.links->open_timeout_ms)
		return V_AGAIN;
	w800_say(&w->job, "the module does not know the time, which it needs "
		 "to verify a certificate: no SNTP server has answered%s%s",
		 err ? ": " : "", err ? w800_words(a) : "");
	w->job.err = -ETIMEDOUT;

	return V_FAIL;
}

/* ------------------------------------------------------------- the settings */

/* What the slot's last user has left there. */
static enum w800_left *left_in(struct w800 *w, enum w800_tls_setting s)
{
	return &w->tls_left[w->opening.slot][s];
}

/* Is there something to say about a setting? Else it is skipped. */
static bool says(struct w800 *w, enum w800_tls_setting s, bool wanted)
{
	return tls_of(w) && (wanted || *left_in(w, s) != W800_LEFT_NONE);
}

static int send_text(struct w800 *w, struct at_command *cmd, char *text)
{
	if (strlen(text) > W800_TEXT_MAX) {
		w800_say(&w->job, "what is asked of TLS is longer than a "
			 "command of the module may be");
		return -EMSGSIZE;
	}
	cmd->text = text;

	return at_channel_send(w->env.channel, cmd);
}

/* From the moment it is said it may be there, answered or not. */
static int say(struct w800 *w, struct at_command *cmd, enum w800_tls_setting s,
	       bool wanted, char *text)
{
	int err = send_text(w, cmd, text);

	w->opening.left = *left_in(w, s);
	if (!err && wanted)
		*left_in(w, s) = W800_LEFT_SET;

	return err;
}

/* "<what>" with what the guide wants to be escaped. */
static void append_text(char *out, size_t size, const char *text)
{
	size_t n = strlen(out);

	out[n++] = '"';
	w800_escape(out + n, size - n - 1, text);
	n = strlen(out);
	if (n + 1 < size) {
		out[n] = '"';
		out[n + 1] = '\0';
	}
}

static int send_conf(struct w800 *w, struct at_command *cmd)
{
	const struct driver_tls *t = tls_of(w);
	unsigned int mode;

	if (!t)
		return 1;
	mode = (t->authenticate ? AUTH_SHOW : 0) |
	       (t->verify ? AUTH_VERIFY : 0);
	if (mode == 0)
		return w800_send_line(w, cmd, "AT+CIPSSLCCONF=%u,0",
				      w->opening.slot);

	return w800_send_line(w, cmd, "AT+CIPSSLCCONF=%u,%u,%u,%u",
			      w->opening.slot, mode, t->pki, t->ca);
}

static int send_name(struct w800 *w, struct at_command *cmd,
		     enum w800_tls_setting s, const char *command,
		     const char *name)
{
	char text[2 * W800_TEXT_MAX];

	if (!says(w, s, name[0]))
		return 1;
	snprintf(text, sizeof(text), "AT+%s=%u,", command, w->opening.slot);
	append_text(text, sizeof(text), name);

	return say(w, cmd, s, name[0], text);
}

static int send_cn(struct w800 *w, struct at_command *cmd)
{
	return !tls_of(w) ? 1 : send_name(w, cmd, W800_TLS_CN, "CIPSSLCCN",
					  tls_of(w)->common_name);
}

static int send_sni(struct w800 *w, struct at_command *cmd)
{
	return !tls_of(w) ? 1 : send_name(w, cmd, W800_TLS_SNI, "CIPSSLCSNI",
					  tls_of(w)->sni);
}

static int send_alpn(struct w800 *w, struct at_command *cmd)
{
	const struct driver_tls *t = tls_of(w);
	char text[1024];
	unsigned int n = 0, i;

	if (!t)
		return 1;
	while (n < DRIVER_ALPN_MAX && t->alpn[n][0])
		n++;
	if (!says(w, W800_TLS_ALPN, n > 0))
		return 1;
	snprintf(text, sizeof(text), "AT+CIPSSLCALPN=%u,%u", w->opening.slot,
		 n);
	for (i = 0; i < n; i++) {
		strcat(text, ",");
		append_text(text, sizeof(text), t->alpn[i]);
	}

	return say(w, cmd, W800_TLS_ALPN, n > 0, text);
}

/* Its manual's "PSK identity" is the key, and the hint is who has it. */
static int send_psk_text(struct w800 *w, struct at_command *cmd,
			 const char *psk, const char *hint)
{
	char text[2 * W800_TEXT_MAX];
	int err;

	snprintf(text, sizeof(text), "AT+CIPSSLCPSK=%u,", w->opening.slot);
	append_text(text, sizeof(text), psk);
	strcat(text, ",");
	append_text(text, sizeof(text), hint);
	cmd->secret = true;
	err = say(w, cmd, W800_TLS_PSK, psk[0], text);
	explicit_bzero(text, sizeof(text));

	return err;
}

static int send_psk(struct w800 *w, struct at_command *cmd)
{
	const struct driver_tls *t = tls_of(w);

	if (!t || !says(w, W800_TLS_PSK, t->psk[0]))
		return 1;

	return send_psk_text(w, cmd, t->psk, t->psk_hint);
}

/* It was used, or is not going to be. */
static int forget_psk(struct w800 *w, struct at_command *cmd)
{
	if (!tls_of(w) || *left_in(w, W800_TLS_PSK) != W800_LEFT_SET)
		return 1;

	return send_psk_text(w, cmd, "", "");
}

/*
 * A setting that is wanted and refused ends the open; so does one that was set
 * here and is not forgotten. What an earlier daemon may have left is cleared
 * where the firmware can.
 */
static enum w800_verdict judge(struct w800 *w, enum w800_tls_setting s,
			       bool wanted, int err, const struct at_answer *a,
			       const char *what)
{
	if (!err) {
		*left_in(w, s) = wanted ? W800_LEFT_SET : W800_LEFT_NONE;
		return V_NEXT;
	}
	if (wanted)
		*left_in(w, s) = w->opening.left;
	if (!wanted && *left_in(w, s) == W800_LEFT_MAYBE) {
		*left_in(w, s) = W800_LEFT_NONE;
		return V_NEXT;
	}
	w800_say(&w->job, "%s of TLS %s: %s", what, wanted ? "is refused" :
		 "of another link is not forgotten", w800_words(a));
	w->job.err = w800_answer_errno(err, a);

	return V_FAIL;
}

static enum w800_verdict judge_conf(struct w800 *w, int err,
				    const struct at_answer *a)
{
	if (!err)
		return V_NEXT;
	w800_say(&w->job, "the numbers of certificate and CA are refused: %s",
		 w800_words(a));
	w->job.err = w800_answer_errno(err, a);

	return V_FAIL;
}

static enum w800_verdict judge_cn(struct w800 *w, int err,
				  const struct at_answer *a)
{
	return judge(w, W800_TLS_CN, tls_of(w)->common_name[0], err, a,
		     "the common name");
}

static enum w800_verdict judge_sni(struct w800 *w, int err,
				   const struct at_answer *a)
{
	return judge(w, W800_TLS_SNI, tls_of(w)->sni[0], err, a, "the SNI");
}

static enum w800_verdict judge_alpn(struct w800 *w, int err,
				    const struct at_answer *a)
{
	return judge(w, W800_TLS_ALPN, tls_of(w)->alpn[0][0], err, a,
		     "the ALPN");
}

static enum w800_verdict judge_psk(struct w800 *w, int err,
				   const struct at_answer *a)
{
	return judge(w, W800_TLS_PSK, tls_of(w)->psk[0], err, a, "the PSK");
}

/* Refused: the next link in this slot tries again, or is not opened. */
static enum w800_verdict judge_forgotten(struct w800 *w, int err,
					 const struct at_answer *a)
{
	(void)a;
	if (!err)
		*left_in(w, W800_TLS_PSK) = W800_LEFT_NONE;

	return V_NEXT;
}

const struct w800_step w800_before_tls[] = {
	{ .send = ask_clock, .accept = { R_SNTPTIME + 1 },
	  .line = clock_line, .judge = judge_first },
	{ .send = ask_sntp, .accept = { R_SNTPCFG + 1 }, .line = sntp_line,
	  .optional = true },
	{ .send = start_sntp, .optional = true },
	{ .send = ask_clock, .accept = { R_SNTPTIME + 1 },
	  .line = clock_line, .judge = judge_clock,
	  .patience_ms = UINT32_MAX, .again_ms = CLOCK_AGAIN_MS },
	{ .send = send_conf, .judge = judge_conf },
	{ .send = send_cn, .judge = judge_cn },
	{ .send = send_sni, .judge = judge_sni },
	{ .send = send_alpn, .judge = judge_alpn },
	{ .send = send_psk, .judge = judge_psk },
	{ NULL }
};

const struct w800_step w800_after_tls[] = {
	{ .send = forget_psk, .judge = judge_forgotten },
	{ NULL }
};

/* Nobody knows what an earlier daemon has left. */
void w800_tls_reset(struct w800 *w)
{
	unsigned int n, s;

	w->clock_set = false;
	for (n = 0; n < W800_LINKS; n++) {
		for (s = 0; s < W800_TLS_SETTINGS; s++)
			w->tls_left[n][s] = W800_LEFT_MAYBE;
	}
	memset(w->tcp_left, 0, sizeof(w->tcp_left));
}
