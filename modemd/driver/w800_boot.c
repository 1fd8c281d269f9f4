/* SPDX-License-Identifier: MIT */

/* The stages: who the module is, its network open and closed. What joins an
 * access point is in w800_wifi.c. There is neither SIM nor context. */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "at/text.h"
#include "base/config.h"
#include "driver/w800_private.h"

/* CIPTCPOPT: "recommended ... 5 ~ 10 seconds"; a send blocks all else. */
#define SEND_MS		10000

/* ---------------------------------------------------------------- identify */

static enum w800_verdict judge_echo(struct w800 *w, int err,
				    const struct at_answer *a)
{
	if (!err)
		at_channel_set_echo_off(w->env.channel, true);
	/* Only its own firmware says so; it has no ATE, and no AT+GMR. */
	if (err && strcmp(a->final, "CMD FORMAT ERR") == 0) {
		w800_set(w->info.manufacturer, sizeof(w->info.manufacturer),
			 "WinnerMicro");
		w800_set(w->info.model, sizeof(w->info.model), "W800");
	}

	return V_NEXT;
}

/* "AT version:2.4.0.0(...)", "Bin version:2.4.0(WROOM-32)" */
static void take_version(struct w800 *w, const struct at_line *line)
{
	char name[sizeof(w->info.model)];

	if (strncmp(line->text, "AT version:", 11) == 0)
		snprintf(w->info.revision, sizeof(w->info.revision), "%.*s",
			 (int)sizeof(w->info.revision) - 1, line->text + 11);
	else if (sscanf(line->text, "Bin version:%*[^(](%63[^)])", name) == 1)
		w800_set(w->info.model, sizeof(w->info.model), name);
}

#define IDENTIFY \
	{ .text = "ATE0", .judge = judge_echo }, \
	{ .text = "AT+GMR", .want_text = true, .line = take_version, \
	  .optional = true }

static const struct w800_step identify[] = {
	IDENTIFY,
	{ NULL }
};

/* -------------------------------------------------------------------- rate */

/* The new rate holds after its OK, until the next start. */
static int send_rate(struct w800 *w, struct at_command *cmd)
{
	return w800_send_line(w, cmd, "AT+UART_CUR=%u,8,1,0,%u",
			      w->env.modem->target_baud,
			      w->env.modem->rtscts ? 3U : 0U);
}

static const struct w800_step rate[] = {
	{ .send = send_rate },
	{ NULL }
};

/* ----------------------------------------------------------------- address */

int w800_ask_address(struct w800 *w, struct at_command *cmd)
{
	w->boot.has_address = false;
	w->info.address6[0] = '\0';
	w->info.address6_link[0] = '\0';

	return w800_send_line(w, cmd, "AT+CIFSR");
}

/* Some write zeroes where there is none. */
static bool is_address(const char *text)
{
	struct in6_addr any;

	return (inet_pton(AF_INET, text, &any) == 1 &&
		strcmp(text, "0.0.0.0") != 0) ||
	       (inet_pton(AF_INET6, text, &any) == 1 &&
		strcmp(text, "::") != 0);
}

void w800_take_address(struct w800 *w, const struct at_line *line)
{
	struct {
		const char *name;
		char *field;
		size_t size;
		bool mac;
	} rows[] = {
		{ "APIP", w->info.ap_address, sizeof(w->info.ap_address) },
		{ "APMAC", w->info.ap_mac, sizeof(w->info.ap_mac), true },
		{ "STAIP", w->info.address, sizeof(w->info.address) },
		{ "STAIP6LL", w->info.address6_link,
		  sizeof(w->info.address6_link) },
		{ "STAIP6GL", w->info.address6, sizeof(w->info.address6) },
		{ "STAMAC", w->info.mac, sizeof(w->info.mac), true },
	};
	char name[16], value[64];
	size_t i;

	at_text_copy(name, sizeof(name), &line->strs[0]);
	at_text_copy(value, sizeof(value), &line->strs[1]);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(name, rows[i].name) != 0)
			continue;
		if (!rows[i].mac && !is_address(value))
			value[0] = '\0';
		w800_set(rows[i].field, rows[i].size, value);
	}
	if (strcmp(name, "STAIP") == 0)
		w->boot.has_address = w->info.address[0] != '\0';
}

static enum w800_verdict judge_address(struct w800 *w, int err,
				       const struct at_answer *a)
{
	if (!err && w->boot.has_address)
		return V_NEXT;

	w->stage.err = -ENETDOWN;
	w800_say(&w->stage, "the module has no address: %s", err ?
		 w800_words(a) : "it is not joined to an access point");
	return V_FAIL;
}

/* ----------------------------------------------------------------- network */

void w800_take_mux(struct w800 *w, const struct at_line *line)
{
	w->boot.mux = line->args[0];
}

static void take_left(struct w800 *w, const struct at_line *line)
{
	(void)line;
	w->boot.links_left = true;
}

/* Who does not know the question may have any. */
static enum w800_verdict judge_left(struct w800 *w, int err,
				    const struct at_answer *a)
{
	(void)a;
	w->boot.links_left |= err != 0;

	return V_NEXT;
}

uint64_t w800_faults(const struct w800 *w)
{
	const struct at_channel_stats *st =
		at_channel_get_stats(w->env.channel);

	return st->timeouts + st->resyncs + st->lost_payloads;
}

int w800_ask_mux(struct w800 *w, struct at_command *cmd)
{
	w->boot.faults = w800_faults(w);
	w->boot.mux = -1;
	w->boot.links_left = false;

	return w800_send_line(w, cmd, "AT+CIPMUX?");
}

/* A server that an earlier run has left, and its connections. */
static int send_server_off(struct w800 *w, struct at_command *cmd)
{
	if (w->boot.mux == 0)	/* it wants CIPMUX=1 */
		return 1;

	return w800_send_line(w, cmd, "AT+CIPSERVER=0,1");
}

static int send_close_all(struct w800 *w, struct at_command *cmd)
{
	if (!w->boot.links_left)
		return 1;

	return w800_send_line(w, cmd, "%s", w->boot.mux == 0 ? "AT+CIPCLOSE" :
			      "AT+CIPCLOSE=5");
}

/* "can only be changed when all connections are closed" */
static int send_mux(struct w800 *w, struct at_command *cmd)
{
	return w->boot.mux == 1 ? 1 : w800_send_line(w, cmd, "AT+CIPMUX=1");
}

static enum w800_verdict judge_recvmode(struct w800 *w, int err,
					const struct at_answer *a)
{
	if (!err) {
		w->push.mode = DRIVER_PULL;
		return V_NEXT;
	}
	w800_say(&w->stage, "AT+CIPRECVMODE=1 was refused: %s",
		 w800_words(a));
	return V_FAIL;
}

/* A send to a peer that does not read would block the module for ever. */
static int send_tcpopt(struct w800 *w, struct at_command *cmd)
{
	uint32_t ms = w->env.links->send_timeout_ms;

	/* It is for all slots, whatever links have set there. */
	memset(w->tcp_left, 0, sizeof(w->tcp_left));

	return w800_send_line(w, cmd, "AT+CIPTCPOPT=5,,,%u",
			      ms < SEND_MS ? ms : SEND_MS);
}

static enum w800_verdict judge_set_mux(struct w800 *w, int err,
				       const struct at_answer *a)
{
	if (!err) {
		w->boot.mux = 1;
		return V_NEXT;
	}
	w800_say(&w->stage, "AT+CIPMUX=1 was refused: %s", w800_words(a));

	return V_FAIL;
}

#define RECEIVE \
	{ .text = "AT+CIPRECVMODE=1", .judge = judge_recvmode }, \
	{ .send = w800_send_source_off, .judge = w800_judge_source_off }

#define ADDRESS \
	{ .send = w800_ask_address, .accept = { R_CIFSR + 1 }, \
	  .line = w800_take_address, .judge = judge_address }

#define CLOSE_ALL \
	{ .send = w800_ask_mux, .accept = { R_CIPMUX + 1 }, \
	  .line = w800_take_mux, .optional = true }, \
	{ .send = send_server_off, .optional = true }, \
	{ .text = "AT+CIPSTATE?", .accept = { R_CIPSTATE + 1 }, \
	  .line = take_left, .judge = judge_left }, \
	{ .send = send_close_all, .optional = true, .timeout_ms = 10000 }

static const struct w800_step net_open[] = {
	/* as a session of another host may have left it */
	{ .text = "AT+CIPMODE=0", .optional = true },
	CLOSE_ALL,
	{ .send = send_mux, .judge = judge_set_mux },
	RECEIVE,
	{ .send = w800_send_ipv6, .optional = true },
	{ .send = w800_send_reconnect, .optional = true },
	{ .send = w800_send_dns, .judge = w800_judge_dns },
	{ .send = w800_send_sntp, .judge = w800_judge_sntp },
	{ .send = w800_send_sntp_interval, .optional = true },
	{ .send = send_tcpopt, .optional = true },
	ADDRESS,
	{ NULL }
};

static const struct w800_step net_close[] = {
	CLOSE_ALL,
	{ NULL }
};

/* Once more who and where it is; a module that has restarted knows no MUX. */
static enum w800_verdict judge_mux(struct w800 *w, int err,
				   const struct at_answer *a)
{
	(void)a;
	if (err || w->boot.mux == 1)
		return V_NEXT;
	w->stage.err = -ENETDOWN;
	w800_say(&w->stage, "the module has lost its settings (CIPMUX=%ld): it "
		 "has restarted", w->boot.mux);

	return V_FAIL;
}

static const struct w800_step check[] = {
	IDENTIFY,
	{ .send = w800_ask_mux, .accept = { R_CIPMUX + 1 },
	  .line = w800_take_mux, .judge = judge_mux },
	RECEIVE,
	ADDRESS,
	{ NULL }
};

static const struct w800_step nothing[] = { { NULL } };

static const struct w800_step *const stages[DRIVER_STAGES] = {
	[DRIVER_IDENTIFY]	= identify,
	[DRIVER_RATE]		= rate,
	[DRIVER_SIM]		= nothing,
	[DRIVER_REGISTER]	= w800_register,
	[DRIVER_NET_OPEN]	= net_open,
	[DRIVER_NET_CLOSE]	= net_close,
	[DRIVER_CONTEXTS]	= nothing,
	[DRIVER_CHECK]		= check,
};

static void end_stage(struct w800 *w, int err)
{
	w->env.events->staged(w->env.up, w->boot.stage, err,
			      err ? w->stage.text : "");
}

int w800_stage(void *d, enum driver_stage stage)
{
	struct w800 *w = d;
	int err;

	err = w800_run_stage(w, stages[stage], end_stage);
	if (!err)
		w->boot.stage = stage;

	return err;
}
