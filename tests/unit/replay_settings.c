/* SPDX-License-Identifier: MIT */

/* What a log can set before the daemon starts. */

#include <stdio.h>
#include <string.h>

#include "modem_bench.h"
#include "replay.h"

/* One of the words that config files have for it. */
static bool set_word(struct config *cfg, const char *name, const char *word)
{
	static const struct {
		const char *name, *word;
		int value;
	} known[] = {
		{ "modem.receive",	"pull",	CONFIG_RECEIVE_PULL },
		{ "modem.receive",	"push",	CONFIG_RECEIVE_PUSH },
		{ "modem.pull-form",	"hex",	CONFIG_PULL_HEX },
		{ "modem.send-coding",	"ctrlz", CONFIG_CODING_CTRLZ },
		{ "modem.apn-auth",	"chap", CONFIG_AUTH_CHAP },
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].name, name) == 0 &&
		    strcmp(known[i].word, word) == 0)
			break;
	}
	if (i == sizeof(known) / sizeof(known[0]))
		return false;
	if (i < 2)
		cfg->modem.receive = known[i].value;
	else if (i == 2)
		cfg->modem.pull_form = known[i].value;
	else if (i == 3)
		cfg->modem.send_coding = known[i].value;
	else
		cfg->modem.apn_auth = known[i].value;

	return true;
}

void replay_set(struct replay *r)
{
	struct config *cfg = &r->bench->cfg;
	struct replay_words a = { .count = 0 };
	/* the daemon borrows its settings */
	static char texts[8][256];
	static unsigned int turn;
	char *text = texts[turn++ % 8];
	const struct {
		const char *name;
		char **string;
		uint32_t *number;
	} settings[] = {
		{ "modem.dialect",	&cfg->modem.dialect, NULL },
		{ "modem.wifi-ssid",	&cfg->modem.wifi_ssid, NULL },
		{ "modem.wifi-password", &cfg->modem.wifi_password, NULL },
		{ "modem.pin",		&cfg->modem.pin, NULL },
		{ "modem.apn",		&cfg->modem.apn, NULL },
		{ "modem.apn-user",	&cfg->modem.apn_user, NULL },
		{ "modem.apn-password",	&cfg->modem.apn_password, NULL },
		{ "modem.operator",	&cfg->modem.operator, NULL },
		{ "modem.options",	&cfg->modem.options, NULL },
		{ "modem.target-baud",	NULL, &cfg->modem.target_baud },
		{ "links.open-timeout",	NULL, &cfg->links.open_timeout_ms },
		{ "links.send-timeout",	NULL, &cfg->links.send_timeout_ms },
		{ "links.credit",	NULL, &cfg->links.credit },
		{ "recovery.probe",	NULL, &cfg->recovery.probe_ms },
	};
	size_t i;

	snprintf(text, sizeof(texts[0]), "%s", r->step->bytes);
	replay_split(r, text, &a);
	if (a.count == 2 && set_word(cfg, a.words[0], a.words[1]))
		return;
	for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		if (a.count != 2 || strcmp(settings[i].name, a.words[0]) != 0)
			continue;
		if (settings[i].string)
			*settings[i].string = a.words[1];
		else
			*settings[i].number =
				(uint32_t)replay_number(r, a.words[1]);
		return;
	}
	replay_fail(r->step, "there is no setting \"%s\", or no value", text);
}
