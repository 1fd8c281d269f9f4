/* SPDX-License-Identifier: MIT */

/* What the control socket understands: one row per command. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "control_words.h"
#include "modem.h"

/* network-loss [open] [rst|fin] [for MS] */
static int network_loss(struct modem *m, const struct words *w)
{
	enum tcp_how how = TCP_RST;
	bool open = false;
	unsigned long ms = 0;
	size_t i;

	for (i = 0; i < w->count; i++) {
		if (words_is(w, i, "open"))
			open = true;
		else if (words_is(w, i, "fin"))
			how = TCP_FIN;
		else if (words_is(w, i, "for") &&
			 words_number(w, i + 1, 86400000, &ms))
			i++;
		else if (!words_is(w, i, "rst"))
			return -EINVAL;
	}
	net_lose(m, open, how, (unsigned int)ms);
	return 0;
}

static int network_back(struct modem *m, const struct words *w)
{
	(void)w;
	net_back(m);
	return 0;
}

static int registration(struct modem *m, const struct words *w)
{
	int stat = -1;

	if (w->count == 1)
		stat = options_registration(w->word[0]);
	if (stat < 0)
		return -EINVAL;
	m->opt.registration = stat;
	if (stat == RADIO_HOME || stat == RADIO_ROAMING)
		m->radio.away = false;
	radio_set(m, (enum radio_stat)stat);
	return 0;
}

static int sim(struct modem *m, const struct words *w)
{
	if (m->opt.w800)
		return -EOPNOTSUPP;	/* it has none */
	return w->count == 1 ? card_set(m, w->word[0]) : -EINVAL;
}

static int reboot(struct modem *m, const struct words *w)
{
	(void)w;
	modem_reboot(m);
	return 0;
}

static int hang(struct modem *m, const struct words *w)
{
	(void)w;
	m->hung = true;
	return 0;
}

static int unhang(struct modem *m, const struct words *w)
{
	(void)w;
	m->hung = false;
	return 0;
}

static int echo(struct modem *m, const struct words *w)
{
	if (!words_is(w, 0, "on") && !words_is(w, 0, "off"))
		return -EINVAL;
	m->cmd.echo = words_is(w, 0, "on");
	return 0;
}

static int unanswered(struct modem *m, const struct words *w)
{
	return w->count == 1 ? resolver_set_unanswered(m, w->word[0], true)
			     : -EINVAL;
}

static int answered(struct modem *m, const struct words *w)
{
	return w->count == 1 ? resolver_set_unanswered(m, w->word[0], false)
			     : -EINVAL;
}

static int slow(struct modem *m, const struct words *w)
{
	unsigned long ms;

	if (w->count != 2 || !words_number(w, 1, 3600000, &ms))
		return -EINVAL;
	return resolver_set_slow(m, w->word[0], (unsigned int)ms);
}

static int set_quirk(struct modem *m, const char *rest)
{
	int left[QUIRKS] = { 0 };
	int err = quirk_set(left, rest);

	if (err == 0 && quirk_foreign(left, options_dialect(&m->opt)) != NULL)
		return -EOPNOTSUPP;
	err = quirk_set(m->opt.quirks, rest);

	if (err == 0 && strncmp(rest, "cgev-flood", 10) == 0) {
		m->set.cgerep = 2;
		modem_flood(m);
	}
	return err;
}

static int latency(struct modem *m, const struct words *w)
{
	unsigned long ms;

	if (w->count == 2 && words_number(w, 1, 3600000, &ms)) {
		char arg[64];

		snprintf(arg, sizeof(arg), "%s=%lu", w->word[0], ms);
		return options_set_latency_for(&m->opt, arg);
	}
	if (w->count != 1 || !words_number(w, 0, 3600000, &ms))
		return -EINVAL;
	m->opt.latency_ms = (unsigned int)ms;
	return 0;
}

static int set_time(struct modem *m, const struct words *w)
{
	const struct {
		const char *name;
		unsigned int *ms;
	} times[] = {
		{ "boot", &m->opt.boot_ms }, { "sim", &m->opt.sim_ms },
		{ "register", &m->opt.register_ms },
		{ "netopen", &m->opt.netopen_ms },
		{ "open", &m->opt.open_ms }, { "close", &m->opt.close_ms },
		{ "dns", &m->opt.dns_ms }, { "late", &m->opt.late_ms },
		{ "ping", &m->opt.ping_ms },
		{ "ping-wait", &m->opt.ping_wait_ms },
	};
	unsigned long ms;
	size_t i;

	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		if (!words_is(w, 0, times[i].name) ||
		    !words_number(w, 1, 3600000, &ms))
			continue;
		*times[i].ms = (unsigned int)ms;
		return 0;
	}
	return -EINVAL;
}

static int violations(struct modem *m, const struct words *w)
{
	if (!words_is(w, 0, "reset"))
		return -EINVAL;
	record_reset(&m->record);
	return 0;
}

static int quit(struct modem *m, const struct words *w)
{
	(void)w;
	event_base_loopexit(m->base, &(struct timeval){ 0, 20000 });
	return 0;
}

static const struct control_row modem_rows[] = {
	{ "network-loss", "[open] [rst|fin] [for MS]", NULL, network_loss },
	{ "network-back", "", NULL, network_back },
	{ "wifi-loss", "[rst|fin] [for MS]", NULL, network_loss },
	{ "wifi-back", "", NULL, network_back },
	{ "registration", "home|roaming|denied|searching|none", NULL,
	  registration },
	{ "sim", "ready|none|busy|failure", NULL, sim },
	{ "reboot", "", NULL, reboot },
	{ "hang", "", NULL, hang },
	{ "unhang", "", NULL, unhang },
	{ "echo", "on|off", NULL, echo },
	{ "unanswered", "HOST", NULL, unanswered },
	{ "answered", "HOST", NULL, answered },
	{ "slow", "HOST MS", NULL, slow },
	{ "quirk", "NAME on|off|N", set_quirk, NULL },
	{ "latency", "[CMD] MS", NULL, latency },
	{ "time", "boot|sim|register|netopen|open|close|dns|late|ping|ping-wait"
	  " MS", NULL, set_time },
	{ "violations", "reset", NULL, violations },
	{ "quit", "", NULL, quit },
	{ NULL, NULL, NULL, NULL }
};

static const struct control_row *const tables[] = {
	modem_rows, control_links_rows, control_fail_rows,
	control_line_rows, NULL
};

static void help(struct evbuffer *out)
{
	const struct control_row *const *table, *row;

	evbuffer_add_printf(out, "ok stats | remote-data-stats | ports | help");
	for (table = tables; *table != NULL; table++) {
		for (row = *table; row->name != NULL; row++)
			evbuffer_add_printf(out, " | %s%s%s", row->name,
					    *row->usage ? " " : "",
					    row->usage);
	}
	evbuffer_add_printf(out, "\n");
}

static const struct control_row *find(const char *name)
{
	const struct control_row *const *table, *row;

	for (table = tables; *table != NULL; table++) {
		for (row = *table; row->name != NULL; row++) {
			if (strcmp(name, row->name) == 0)
				return row;
		}
	}
	return NULL;
}

static void stats(struct modem *m, struct evbuffer *out)
{
	char *json = stats_json(m);

	if (json == NULL)
		evbuffer_add_printf(out, "error no memory\n");
	else
		evbuffer_add_printf(out, "%s\n", json);
	free(json);
}

/* sent/received of each open slot and of all that was: short and quick */
static void data_stats(const struct modem *m, struct evbuffer *out)
{
	uint64_t sent = m->closed.sent, received = m->closed.received;
	unsigned int i;

	evbuffer_add_printf(out, "ok");
	for (i = 0; i < LINKS; i++) {
		const struct link *l = &m->links[i];

		if (l->state != LINK_OPEN)
			continue;
		sent += l->tcp.sent;
		received += l->tcp.received;
		evbuffer_add_printf(out, " %u:%llu/%llu", i,
				    (unsigned long long)l->tcp.sent,
				    (unsigned long long)l->tcp.received);
	}
	evbuffer_add_printf(out, " total:%llu/%llu\n",
			    (unsigned long long)sent,
			    (unsigned long long)received);
}

static void cut(char *rest, struct words *w)
{
	char *save, *word = strtok_r(rest, " \t", &save);

	w->count = 0;
	while (word != NULL && w->count < WORDS_MAX) {
		w->word[w->count++] = word;
		word = strtok_r(NULL, " \t", &save);
	}
}

static int run_row(struct modem *m, const struct control_row *row, char *rest)
{
	struct words w;

	if (row->text != NULL)
		return row->text(m, rest);
	cut(rest, &w);
	return row->words(m, &w);
}

void control_run(struct modem *m, char *line, struct evbuffer *out)
{
	size_t n = strcspn(line, " \t");
	char *rest = line + n + strspn(line + n, " \t");
	const struct control_row *row;
	int err;

	line[n] = '\0';
	if (strcmp(line, "stats") == 0) {
		stats(m, out);
		return;
	}
	if (strcmp(line, "remote-data-stats") == 0) {
		data_stats(m, out);
		return;
	}
	if (strcmp(line, "ports") == 0) {
		control_ports(m, out);
		return;
	}
	if (strcmp(line, "help") == 0) {
		help(out);
		return;
	}
	row = find(line);
	if (row == NULL) {
		evbuffer_add_printf(out, "error unknown command\n");
		return;
	}
	record_event(&m->record, "control %s %s", line, rest);
	err = run_row(m, row, rest);
	if (err == -EINVAL)
		evbuffer_add_printf(out, "error usage: %s %s\n", row->name,
				    row->usage);
	else if (err < 0)
		evbuffer_add_printf(out, "error %s\n", strerror(-err));
	else
		evbuffer_add_printf(out, "ok\n");
}
