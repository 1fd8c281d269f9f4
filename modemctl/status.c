/* SPDX-License-Identifier: MIT */

#include <stdio.h>
#include <string.h>

#include "format.h"
#include "modemctl.h"
#include "why.h"

static json_t *modem_json(const struct modemclient_modem_info *m)
{
	json_t *o = json_pack("{so so so so so so so so so so so so so so sI}",
			      "state", format_json_text(m->state),
			      "reason", format_json_text(m->reason),
			      "since", format_json_time(m->since_wall_ms),
			      "dialect", format_json_text(m->dialect),
			      "manufacturer", format_json_text(m->manufacturer),
			      "model", format_json_text(m->model),
			      "revision", format_json_text(m->revision),
			      "imei", format_json_text(m->imei),
			      "iccid", format_json_text(m->iccid),
			      "sim", format_json_text(m->sim),
			      "registration", format_json_text(m->registration),
			      "operator", format_json_text(m->operator_name),
			      "receive", format_json_text(m->receive),
			      "signal_dbm", m->has_signal ?
			      json_integer(m->signal_dbm) : json_null(),
			      "restarts", (json_int_t)m->restarts);

	json_object_set_new(o, "next_try_ms", m->next_try_ms < 0 ?
			    json_null() : json_integer(m->next_try_ms));

	return o;
}

static json_t *line_json(const struct modemclient_line_info *l)
{
	return json_pack("{so so sI so sI sI sI sI sI sI sI sI sI sI sb}",
			 "device", format_json_text(l->device),
			 "path", format_json_text(l->path),
			 "baud", (json_int_t)l->baud,
			 "backend", format_json_text(l->backend),
			 "bytes_in", (json_int_t)l->bytes_in,
			 "bytes_out", (json_int_t)l->bytes_out,
			 "commands", (json_int_t)l->commands,
			 "timeouts", (json_int_t)l->timeouts,
			 "resyncs", (json_int_t)l->resyncs,
			 "unknown_lines", (json_int_t)l->unknown_lines,
			 "stray_finals", (json_int_t)l->stray_finals,
			 "garbage_bytes", (json_int_t)l->garbage_bytes,
			 "lost_payloads", (json_int_t)l->lost_payloads,
			 "lost_bytes", (json_int_t)l->lost_bytes,
			 "stalled", l->stalled);
}

static json_t *history_json(const struct modemclient_history_info *h)
{
	return json_pack("{sI sI sI so so}",
			 "committed", (json_int_t)h->committed,
			 "queued", (json_int_t)h->queued,
			 "dropped", (json_int_t)h->dropped,
			 "error", *h->error ? format_json_text(h->error) :
			 json_null(),
			 "database", format_json_text(h->database));
}

/* null, or who has the modem for itself. */
static json_t *lease_json(const struct modemclient_lease_info *l)
{
	if (!l)
		return json_null();

	return json_pack("{sI so so so sI}", "link", (json_int_t)l->link,
			 "client", format_json_text(l->client),
			 "remote", format_json_text(l->remote),
			 "state", format_json_text(l->state),
			 "left_ms", (json_int_t)l->left_ms);
}

static json_t *text_or_null(const char *text)
{
	return *text ? format_json_text(text) : json_null();
}

/* Its addresses, and those of the radio where it has one. */
static void add_addresses(json_t *o, const struct modemclient_network_info *n)
{
	json_object_set_new(o, "address", text_or_null(n->address));
	json_object_set_new(o, "address6", text_or_null(n->address6));
	json_object_set_new(o, "address6_link",
			    text_or_null(n->address6_link));
	json_object_set_new(o, "mac", text_or_null(n->mac));
	json_object_set_new(o, "ap_address", text_or_null(n->ap_address));
	json_object_set_new(o, "ap_mac", text_or_null(n->ap_mac));
	json_object_set_new(o, "ssid", text_or_null(n->ssid));
}

static json_t *status_json(const struct modemclient_status *s)
{
	const struct modemclient_network_info *n = s->network;
	json_t *capabilities = json_array();
	size_t i;

	for (i = 0; s->capabilities[i]; i++)
		json_array_append_new(capabilities,
				      format_json_text(s->capabilities[i]));

	return json_pack("{so so so sI so sb so so so so so sI sI sI sI sI "
			 "sI sI so so so so}",
			 "instance", format_json_text(s->instance),
			 "version", format_json_text(s->version),
			 "boot_id", format_json_text(s->boot_id),
			 "pid", (json_int_t)s->pid,
			 "started", format_json_time(s->started_wall_ms),
			 "clock_confirmed", s->clock_confirmed,
			 "modem", modem_json(s->modem),
			 "network", format_json_text(n->state),
			 "network_reason", format_json_text(n->reason),
			 "network_since", format_json_time(n->since_wall_ms),
			 "network_next_try_ms", n->next_try_ms < 0 ?
			 json_null() : json_integer(n->next_try_ms),
			 "network_losses", (json_int_t)n->losses,
			 "links_used", (json_int_t)s->links_used,
			 "links_total", (json_int_t)s->links_total,
			 "links_waiting", (json_int_t)s->links_waiting,
			 "listeners_used", (json_int_t)s->listeners_used,
			 "listeners_total", (json_int_t)s->listeners_total,
			 "clients", (json_int_t)s->clients,
			 "capabilities", capabilities,
			 "line", line_json(s->line),
			 "history", history_json(s->history),
			 "lease", lease_json(s->lease));
}

static void print_json(const struct modemclient_status *s)
{
	json_t *o = status_json(s);

	add_addresses(o, s->network);
	json_object_set_new(o, "steps", why_steps(s));
	if (o)
		json_dumpf(o, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(o);
}

/* " for 2h 10m", or nothing when it is not known. */
static const char *since(char out[FORMAT_MAX + 8], int64_t wall_ms)
{
	char text[FORMAT_MAX];

	out[0] = '\0';
	if (wall_ms)
		snprintf(out, FORMAT_MAX + 8, " for %s",
			 format_duration(text, format_now_ms() - wall_ms));

	return out;
}

static void print_next_try(int64_t next_try_ms)
{
	char text[FORMAT_MAX];

	if (next_try_ms >= 0)
		printf("; next try in %s", format_duration(text, next_try_ms));
}

/* What a state means to somebody who does not know the words. */
static const char *in_words(const char *state)
{
	static const char *const words[][2] = {
		{ "no-device", "There is no modem" },
		{ "port-busy", "Another program holds the modem's port" },
		{ "silent", "The modem does not answer" },
		{ "starting", "The modem is being set up" },
		{ "sim", "The modem waits for its SIM card" },
		{ "registering", "The modem looks for a network" },
		{ "stopped", "modemd has let go of the modem" },
		{ "opening", "The network is being opened" },
		{ "closed", "The network is closed" },
		{ "lost", "The network was lost" },
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i][0], state) == 0)
			return words[i][1];
	}

	return state;
}

/* It is not wrong, but why the network is closed. */
static bool print_lease(const struct modemclient_lease_info *l)
{
	char text[FORMAT_MAX];

	if (!l)
		return false;
	printf(strcmp(l->state, "asked") == 0 ? "%s asks for the whole modem, "
	       "for %s: lease %llu, %s, for %s more at most.\n" :
	       "%s has the modem for itself, for %s: lease %llu, %s, for %s "
	       "more at most.\n", l->client, l->remote,
	       (unsigned long long)l->link, l->state,
	       format_duration(text, l->left_ms));

	return strcmp(l->state, "asked") != 0;
}

/* One line for each thing that is wrong; false: nothing is. */
static bool print_problems(const struct modemclient_status *s)
{
	const struct modemclient_modem_info *m = s->modem;
	const struct modemclient_network_info *n = s->network;
	const struct modemclient_history_info *h = s->history;
	bool modem = strcmp(m->state, "ready") != 0;
	bool lease = print_lease(s->lease);
	bool network = !modem && !lease && strcmp(n->state, "open") != 0;

	if (modem) {
		printf("%s%s%s", in_words(m->state), *m->reason ? ": " : "",
		       m->reason);
		print_next_try(m->next_try_ms);
		puts(".");
	}
	if (network) {
		printf("%s%s%s", in_words(n->state), *n->reason ? ": " : "",
		       n->reason);
		print_next_try(n->next_try_ms);
		puts(".");
	}
	if (s->line->stalled)
		puts("The modem does not take what is written: CTS low, check "
		     "flow-control.");
	if (*h->error)
		printf("The history is out of order: %s.\n", h->error);

	return modem || lease || network || s->line->stalled || *h->error;
}

static void print_modem(const struct modemclient_modem_info *m)
{
	char text[FORMAT_MAX + 8];

	printf("Modem     %s%s", m->state, since(text, m->since_wall_ms));
	if (m->restarts)
		printf(", rebooted by itself %u time%s", m->restarts,
		       m->restarts == 1 ? "" : "s");
	putchar('\n');
	if (*m->model)
		printf("          %s%s%s, firmware %s\n", m->manufacturer,
		       *m->manufacturer ? " " : "", m->model,
		       *m->revision ? m->revision : "unknown");
	if (*m->imei)
		printf("          IMEI %s\n", m->imei);
	if (*m->sim)
		printf("SIM       %s%s%s\n", m->sim, *m->iccid ? ", " : "",
		       m->iccid);
	if (*m->registration) {
		printf("Signal    ");
		if (m->has_signal)
			printf("%d dBm, ", m->signal_dbm);
		printf("%s%s%s\n", m->registration,
		       *m->operator_name ? ", " : "", m->operator_name);
	}
}

static void print_network(const struct modemclient_network_info *n)
{
	char text[FORMAT_MAX + 8];

	printf("Network   %s%s", n->state, since(text, n->since_wall_ms));
	if (*n->address)
		printf(", address %s", n->address);
	if (n->losses)
		printf(", lost %u time%s", n->losses,
		       n->losses == 1 ? "" : "s");
	putchar('\n');
	if (*n->address6)
		printf("          IPv6 %s\n", n->address6);
	if (*n->address6_link)
		printf("          IPv6 %s, link-local\n", n->address6_link);
	if (*n->ssid || *n->mac)
		printf("Wi-Fi     %s%s%s\n", *n->ssid ? n->ssid : "not joined",
		       *n->mac ? ", MAC " : "", n->mac);
	if (*n->ap_address)
		printf("          its own access point: %s, MAC %s\n",
		       n->ap_address, n->ap_mac);
}

static void print_line(const struct modemclient_line_info *l)
{
	char in[FORMAT_MAX], out[FORMAT_MAX];

	printf("Line      %s", *l->path ? l->path : l->device);
	if (l->baud)
		printf(" at %u baud", l->baud);
	printf(", %s in, %s out\n", format_bytes(in, l->bytes_in),
	       format_bytes(out, l->bytes_out));
	if (*l->path && strcmp(l->path, l->device) != 0)
		printf("          configured as %s\n", l->device);
	if (l->timeouts || l->resyncs || l->garbage_bytes || l->lost_payloads)
		printf("          %llu commands unanswered, %llu times out of "
		       "step,\n"
		       "          %llu stray bytes, %llu payloads lost\n",
		       (unsigned long long)l->timeouts,
		       (unsigned long long)l->resyncs,
		       (unsigned long long)l->garbage_bytes,
		       (unsigned long long)l->lost_payloads);
	if (l->lost_bytes)
		printf("          %llu bytes lost that the modem had\n",
		       (unsigned long long)l->lost_bytes);
}

static void print_daemon(const struct modemclient_status *s)
{
	const struct modemclient_history_info *h = s->history;
	char text[FORMAT_MAX + 8];

	printf("Links     %u of %u used", s->links_used, s->links_total);
	if (s->links_waiting)
		printf(", %u waiting", s->links_waiting);
	if (s->listeners_used)
		printf(", %u of %u servers", s->listeners_used,
		       s->listeners_total);
	if (strcmp(s->modem->receive, "push") == 0)
		printf(", data are pushed");
	printf(", %u client%s\n", s->clients, s->clients == 1 ? "" : "s");
	printf("History   %llu row%s safe", (unsigned long long)h->committed,
	       h->committed == 1 ? "" : "s");
	if (h->queued)
		printf(", %u on the way", h->queued);
	if (h->dropped)
		printf(", %llu dropped", (unsigned long long)h->dropped);
	printf("%s%s\n", *h->database ? ", in " : "", h->database);
	printf("Daemon    %s, modemd %s, pid %u, running%s\n", s->instance,
	       s->version, s->pid, since(text, s->started_wall_ms));
	if (!s->clock_confirmed)
		puts("Clock     not set since boot: times may be wrong");
}

int status_run(struct ctl *ctl, int argc, char **argv)
{
	struct modemclient_status *s;

	if (!ctl_begin(ctl, argc, argv, NULL, NULL))
		return ctl->exit;
	if (modemclient_status(ctl->mc, CTL_TIMEOUT_MS, &s) < 0)
		return ctl_fail_client(ctl);
	if (ctl->json) {
		print_json(s);
	} else {
		if (!print_problems(s))
			puts("All is well: the network is open.");
		putchar('\n');
		print_modem(s->modem);
		print_network(s->network);
		print_line(s->line);
		print_daemon(s);
	}
	modemclient_status_free(s);

	return CTL_DONE;
}
