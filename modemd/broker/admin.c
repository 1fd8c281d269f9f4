/* SPDX-License-Identifier: MIT */

/*
 * What admins decide: network up and down, restart. Each is answered when it
 * is so; taken back, what was decided holds all the same. Who else asks has
 * been refused before (request.c).
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "broker/private.h"

static void make_who(const struct client *c, char *out, size_t size)
{
	snprintf(out, size, "%s, uid %u", c->name,
		 (unsigned int)c->creds.uid);
}

/* Those that wait for @what get their reply. */
static void answer_all(struct broker *b, int what, int err, const char *text)
{
	struct pending *p, *next;
	struct client *c;

	TAILQ_FOREACH(c, &b->clients, entry) {
		for (p = TAILQ_FIRST(&c->pending); p; p = next) {
			next = TAILQ_NEXT(p, entry);
			if ((int)p->admin != what)
				continue;
			request_reply(c, p->request_id, err, text ? "%s" :
				      NULL, text);
			pending_free(p);
		}
	}
}

/* ----------------------------------------------------------------- network */

void admin_network(struct client *c, uint64_t id,
		   const Modemd__V1__Network *req)
{
	char who[WIRE_NAME_MAX + 24];
	struct broker *b = c->broker;
	struct pending *p;
	int err;

	if (!req->has_up) {
		request_reply(c, id, -EINVAL, "up is missing: true opens, "
			      "false closes");
		return;
	}
	p = pending_new(c, id);
	if (!p) {
		request_reply(c, id, -EBUSY, NULL);
		return;
	}

	p->admin = req->up ? PENDING_NETWORK_UP : PENDING_NETWORK_DOWN;
	/* Whoever waits for the opposite would wait in vain. */
	answer_all(b, req->up ? PENDING_NETWORK_DOWN : PENDING_NETWORK_UP,
		   -ECANCELED, "somebody has decided otherwise meanwhile");
	make_who(c, who, sizeof(who));
	err = modem_network(b->modem, req->up, who);
	if (err == -EALREADY)
		answer_all(b, (int)p->admin, 0, NULL);
}

void admin_network_changed(struct broker *b, const struct modem_status *st)
{
	if (st->network == NETWORK_OPEN && !st->network_reason[0])
		answer_all(b, PENDING_NETWORK_UP, 0, NULL);
	else if (st->network == NETWORK_CLOSED)
		answer_all(b, PENDING_NETWORK_DOWN, 0, NULL);
}

/* ----------------------------------------------------------------- restart */

static const char *no_restart(int err, const struct modem_status *st)
{
	if (err == -ENODEV)
		return st->reason[0] ? st->reason : "there is no modem that "
		       "answers";

	return "a modem is restarted hard by recovery.reset-hook, which this "
	       "version passes over: use the kind SOFT, or cut its power";
}

void admin_reset(struct client *c, uint64_t id, const Modemd__V1__Reset *req)
{
	bool hard = req->has_kind && req->kind == MODEMD__V1__RESET_KIND__HARD;
	char who[WIRE_NAME_MAX + 24];
	struct broker *b = c->broker;
	struct modem_status st;
	struct pending *p;
	int err;

	p = pending_new(c, id);
	if (!p) {
		request_reply(c, id, -EBUSY, NULL);
		return;
	}

	p->admin = PENDING_RESET;
	make_who(c, who, sizeof(who));
	err = modem_reset(b->modem, hard, who);
	if (!err)
		return;
	pending_free(p);
	modem_get_status(b->modem, &st);
	request_reply(c, id, err, "%s", no_restart(err, &st));
}

void admin_restarted(void *ctx, int err, const char *text)
{
	char escaped[400], words[512];

	snprintf(words, sizeof(words), "the modem does not restart: %s",
		 log_escape_utf8(escaped, sizeof(escaped), text,
				 strlen(text)));
	answer_all(ctx, PENDING_RESET, err, err ? words : NULL);
}
