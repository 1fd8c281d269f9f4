/* SPDX-License-Identifier: MIT */

/*
 * What the chart of A7600 appnote 1.4 and 1.5.2 asks for beyond the plain
 * way up: the radio, the service, the contexts, and at last a restart.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "at/text.h"
#include "base/config.h"
#include "base/timer.h"
#include "driver/simcom_private.h"

#define RESTART_MS	10000	/* to the OK of a restart */
#define CONTEXT_BITS	16	/* TS 27.007 10.1.1: cids that are looked at */

/* ------------------------------------------------------------------- radio */

/* TS 27.007 8.2: 1 is full; in 0 the SIM is off as well, 4 is flight mode. */
void simcom_take_radio(struct simcom *s, const struct at_line *line)
{
	s->boot.cfun = line->args[0];
	simcom_set(s->info.radio, sizeof(s->info.radio),
		   line->args[0] == 1 ? "on" : "off");
}

int simcom_send_radio_on(struct simcom *s, struct at_command *cmd)
{
	if (s->boot.cfun != 0 && s->boot.cfun != 4)
		return 1;
	simcom_set(s->info.radio, sizeof(s->info.radio), "on");

	return simcom_send(s, cmd, "AT+CFUN=1");
}

/* "LTE,Online,460-00,0x1816,27593483,139,EUTRAN-BAND39,..." or "NO SERVICE,
 * Online": the mode, and the band where there is one. */
void simcom_take_service(struct simcom *s, const struct at_line *line)
{
	char text[128], *field, *rest = text, *mode, *band = NULL;

	at_text_copy(text, sizeof(text), &line->strs[0]);
	mode = strsep(&rest, ",");
	while ((field = strsep(&rest, ","))) {
		if (strstr(field, "BAND") && !band)
			band = field;
	}
	snprintf(s->info.service, sizeof(s->info.service), "%.30s%s%.30s",
		 mode, band ? ", " : "", band ? band : "");
}

void simcom_take_attached(struct simcom *s, const struct at_line *line)
{
	simcom_set(s->info.attached, sizeof(s->info.attached),
		   line->args[0] == 1 ? "yes" : "no");
}

/* ---------------------------------------------------------------- contexts */

static void take_context(struct simcom *s, const struct at_line *line)
{
	if (line->args[0] >= 0 && line->args[0] < CONTEXT_BITS)
		s->boot.contexts |= 1U << line->args[0];
}

static void take_active(struct simcom *s, const struct at_line *line)
{
	if (line->args[0] == (long)s->env.modem->cid)
		s->boot.active = line->args[1] == 1;
}

static void take_pdp_address(struct simcom *s, const struct at_line *line)
{
	if (line->args[0] == (long)s->env.modem->cid)
		at_text_copy(s->boot.pdp_address, sizeof(s->boot.pdp_address),
			     &line->strs[0]);
}

static int send_context_list(struct simcom *s, struct at_command *cmd)
{
	s->boot.contexts = 0;
	s->boot.deleted = 0;
	s->boot.active = false;
	s->boot.pdp_address[0] = '\0';
	/* Whatever is found: ours is defined anew before the next NETOPEN. */
	s->context_set = false;

	return simcom_send(s, cmd, "AT+CGDCONT?");
}

static int send_pdp_address(struct simcom *s, struct at_command *cmd)
{
	return simcom_send(s, cmd, "AT+CGPADDR=%u", s->env.modem->cid);
}

static enum simcom_verdict judge_context(struct simcom *s, int err,
					 const struct at_answer *a)
{
	struct simcom_boot *b = &s->boot;
	bool address = b->pdp_address[0] &&
		       strcmp(b->pdp_address, "0.0.0.0") != 0;

	(void)err;
	(void)a;
	snprintf(s->info.context, sizeof(s->info.context), "%s%s%s",
		 b->active ? "active" : "not active", address ? ", " : "",
		 address ? b->pdp_address : ", no address");

	return V_NEXT;
}

/* Some firmware brings up 2 (ims) and 3 by itself, and these then take the
 * traffic, or NETOPEN fails while they are there. */
static int delete_context(struct simcom *s, struct at_command *cmd,
			  unsigned int cid)
{
	if (cid == s->env.modem->cid || !(s->boot.contexts & 1U << cid))
		return 1;

	return simcom_send(s, cmd, "AT+CGDCONT=%u", cid);
}

static int delete_2(struct simcom *s, struct at_command *cmd)
{
	return delete_context(s, cmd, 2);
}

static int delete_3(struct simcom *s, struct at_command *cmd)
{
	return delete_context(s, cmd, 3);
}

static void note_deleted(struct simcom *s, int err, unsigned int cid)
{
	if (!err)
		s->boot.deleted |= 1U << cid;
	if (s->boot.deleted)
		simcom_say(s, "deleted the modem's own context%s", s->boot.deleted
			   == 12 ? "s 2 and 3" : s->boot.deleted == 4 ? " 2" :
			   " 3");
	else
		simcom_say(s, "the modem keeps its own context %u", cid);
}

static enum simcom_verdict judge_2(struct simcom *s, int err,
				   const struct at_answer *a)
{
	(void)a;
	note_deleted(s, err, 2);

	return V_NEXT;
}

static enum simcom_verdict judge_3(struct simcom *s, int err,
				   const struct at_answer *a)
{
	(void)a;
	note_deleted(s, err, 3);

	return V_NEXT;
}

const struct simcom_step simcom_contexts[] = {
	{ .send = send_context_list, .accept = { R_CGDCONT + 1 },
	  .line = take_context, .optional = true },
	{ .text = "AT+CGACT?", .accept = { R_CGACT + 1 },
	  .line = take_active, .optional = true },
	{ .send = send_pdp_address, .accept = { R_CGPADDR + 1 },
	  .line = take_pdp_address, .judge = judge_context },
	{ .send = delete_2, .judge = judge_2 },
	{ .send = delete_3, .judge = judge_3 },
	{ NULL }
};

/* ----------------------------------------------------------------- restart */

static void end_restart(struct simcom *s, int err, const char *text)
{
	struct driver_answer answer = { .text = text };

	s->env.events->answered(s->env.up, s->restart_id, err, &answer);
}

static void second_done(void *ctx, int err, const struct at_answer *a)
{
	end_restart(ctx, err, err ? simcom_words(a) : "AT+CRESET");
}

static void first_done(void *ctx, int err, const struct at_answer *a)
{
	struct simcom *s = ctx;

	/* The other command, once the channel takes it. */
	if (err == -EREMOTEIO)
		timer_start(s->turn, 0);
	else
		end_restart(s, err, err ? simcom_words(a) : "AT+CFUN=1,1");
}

void simcom_restart_turn(void *ctx)
{
	struct simcom *s = ctx;
	struct at_command cmd = {
		.timeout_ms = RESTART_MS,
		.done = second_done,
		.ctx = s,
	};
	int err = simcom_send(s, &cmd, "AT+CRESET");

	if (err)
		end_restart(s, err, strerror(-err));
}

/* TS 27.007 8.2: AT+CFUN=1,1 resets; where that is refused, SIMCom's own. */
int simcom_restart(struct simcom *s, unsigned int id)
{
	struct at_command cmd = {
		.timeout_ms = RESTART_MS,
		.done = first_done,
		.ctx = s,
	};

	s->restart_id = id;

	return simcom_send(s, &cmd, "AT+CFUN=1,1");
}

/* The modem has gone between the two tries. */
void simcom_restart_reset(struct simcom *s)
{
	if (!timer_pending(s->turn))
		return;
	timer_stop(s->turn);
	end_restart(s, -ENODEV, "");
}
