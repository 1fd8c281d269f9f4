/* SPDX-License-Identifier: MIT */

/* The options of the modem's sockets: those named are set, one after the
 * other, then all are read. */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/log.h"
#include "broker/private.h"
#include "driver/driver.h"

#define WISHES_MAX	64	/* in one request: more than there are */

struct wish {
	unsigned int setting;		/* of the modem that is there now */
	const char *name;
	long value;
};

/* ------------------------------------------------------------------ wishes */

static bool find_setting(const struct modem *m, const char *name,
			 unsigned int *index)
{
	const struct driver_setting *s = modem_settings(m);

	for (*index = 0; s[*index].name; (*index)++) {
		if (strcmp(s[*index].name, name) == 0)
			return true;
	}

	return false;
}

/* NULL: the modem that is there has it. Else half a sentence. */
static const char *bind_wish(const struct modem *m, const char *name,
			     struct wish *out)
{
	const struct driver_setting *s = modem_settings(m);

	if (!s[0].name)
		return "nobody knows yet which modem this is; see modemctl "
		       "why";
	if (!find_setting(m, name, &out->setting))
		return "this modem has no such option; see modemctl config";
	out->name = s[out->setting].name;

	return NULL;
}

/* What is wrong with it, or NULL. */
static const char *take_wish(const struct modem *m,
			     const Modemd__V1__Setting *in, struct wish *out)
{
	const char *name = in->name ? in->name : "";
	const char *value = in->value ? in->value : "";
	static char why[256], raw[200];
	const char *lacks;

	if (strlen(name) > 63)
		return "the name of an option is too long";
	if (!*value || strspn(value, "0123456789") != strlen(value) ||
	    strlen(value) > 9) {
		snprintf(raw, sizeof(raw), "%s: is set to a whole number, not "
			 "to \"%.40s\"", name, value);
	} else {
		out->value = strtol(value, NULL, 10);
		if (!driver_check_option(name, out->value, raw, sizeof(raw))) {
			lacks = bind_wish(m, name, out);
			if (!lacks)
				return NULL;
			snprintf(raw, sizeof(raw), "%s: %s", name, lacks);
		}
	}

	return log_escape_utf8(why, sizeof(why), raw, strlen(raw));
}

static int take_wishes(struct client *c, uint64_t id,
		       const Modemd__V1__Config *req, struct pending *p)
{
	const char *why = NULL;
	size_t i;

	p->wishes = calloc(req->n_set + 1, sizeof(*p->wishes));
	if (!p->wishes) {
		request_reply(c, id, -ENOMEM, NULL);
		return -ENOMEM;
	}
	p->wish_count = req->n_set;
	for (i = 0; i < req->n_set && !why; i++)
		why = take_wish(c->broker->modem, req->set[i], &p->wishes[i]);
	if (why)
		request_reply(c, id, -EINVAL, "%s", why);

	return why ? -EINVAL : 0;
}

/* The next that is to be set; or, at last, all are read. */
static int ask_next(struct broker *b, struct pending *p)
{
	const struct wish *w = &p->wishes[p->wish_next];

	if (p->wish_next == p->wish_count)
		return modem_read_config(b->modem, &p->query);

	return modem_set(b->modem, w->setting, w->value, &p->query);
}

void ask_config(struct client *c, uint64_t id, const Modemd__V1__Config *req)
{
	struct pending *p;

	if (req->n_set > 0 && !c->admin) {
		request_reply(c, id, -EPERM, "options are set by admins: root "
			      "and the group modem-admin");
		return;
	}
	if (req->n_set > WISHES_MAX) {
		request_reply(c, id, -EINVAL, "more than %d options",
			      WISHES_MAX);
		return;
	}
	p = pending_new(c, id);
	if (!p) {
		request_asked(c, id, NULL, -EBUSY);
		return;
	}
	p->what = MODEMD__V1__REQUEST__KIND_CONFIG;
	if (take_wishes(c, id, req, p)) {
		pending_free(p);
		return;
	}
	request_asked(c, id, p, ask_next(c->broker, p));
}

/* ----------------------------------------------------------------- answers */

/* modem.options is "dns-retries=2,error-mode=0". */
static bool is_in_file(const struct broker *b, const char *name)
{
	const char *at = b->args.cfg->modem.options;
	size_t len = strlen(name);

	for (; at && *at; at += strcspn(at, ","), at += *at == ',') {
		if (strncmp(at, name, len) == 0 && at[len] == '=')
			return true;
	}

	return false;
}

static const char *set_by(const struct broker *b,
			  const struct driver_setting *s, unsigned int index,
			  long wanted)
{
	if (s->by)
		return s->by;
	if (b->options_set & 1ULL << (index % 64))
		return "modemctl";
	if (is_in_file(b, s->name))
		return "modem.options";

	return wanted >= 0 ? "modemd" : "modem";
}

/* Room for the numbers of one setting as text. */
struct setting_text {
	char value[24], wanted[24];
};

static void fill_setting(const struct broker *b, unsigned int index,
			 Modemd__V1__Setting *out, struct setting_text *text)
{
	const struct driver_setting *s = &modem_settings(b->modem)[index];
	long value = modem_setting(b->modem, index);
	long wanted = modem_setting_wanted(b->modem, index);

	modemd__v1__setting__init(out);
	out->name = msg_str(s->name);
	out->unit = msg_str(s->unit);
	MSG_SET(out, min, s->min);
	MSG_SET(out, max, s->max);
	MSG_SET(out, default_value, s->def);
	out->command = msg_str(s->command);
	out->by = msg_str(set_by(b, s, index, wanted));
	MSG_SET(out, fixed, s->by && strcmp(s->by, "modemd") == 0);
	snprintf(text->value, sizeof(text->value), "%ld", value);
	out->value = value >= 0 ? text->value : msg_str("");
	snprintf(text->wanted, sizeof(text->wanted), "%ld", wanted);
	if (wanted >= 0 && wanted != value)
		out->wanted = text->wanted;
}

static void reply_config(struct client *c, uint64_t id)
{
	Modemd__V1__ConfigReply msg = MODEMD__V1__CONFIG_REPLY__INIT;
	Modemd__V1__Setting setting[WISHES_MAX];
	Modemd__V1__Setting *list[WISHES_MAX];
	struct setting_text text[WISHES_MAX];
	const struct driver_setting *s = modem_settings(c->broker->modem);
	unsigned int i;

	for (i = 0; i < WISHES_MAX && s[i].name; i++) {
		fill_setting(c->broker, i, &setting[i], &text[i]);
		list[i] = &setting[i];
	}
	msg.n_setting = i;
	msg.setting = list;
	report_reply(c, id, MODEMD__V1__REPLY__RESULT_CONFIG, &msg);
}

static void reply_failed(struct pending *p, int err, const char *modem_text)
{
	struct client *c = p->client;
	char text[300];

	log_escape_utf8(text, sizeof(text), modem_text, strlen(modem_text));
	if (p->wish_next < p->wish_count)
		request_reply(c, p->request_id, err, "%s was not set to %ld: "
			      "%s%s%s%s",
			      p->wishes[p->wish_next].name,
			      p->wishes[p->wish_next].value,
			      wire_status_text(wire_status(err)),
			      *text ? " (" : "", text, *text ? ")" : "");
	else
		request_reply(c, p->request_id, err, NULL);
}

/* Frees @p at the last answer. */
void config_answered(struct pending *p, int err,
		     const struct driver_answer *a)
{
	struct broker *b = p->client->broker;
	unsigned int index;

	if (!err && p->wish_next < p->wish_count) {
		index = p->wishes[p->wish_next++].setting;
		b->options_set |= 1ULL << (index % 64);
		err = ask_next(b, p);
		if (!err)
			return;
	}
	if (err)
		reply_failed(p, err, a->text);
	else
		reply_config(p->client, p->request_id);
	pending_free(p);
}
