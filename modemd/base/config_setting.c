/* SPDX-License-Identifier: MIT */

/*
 * config_setting - the table of all settings.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_private.h"

#define FIELD(field)							\
	.offset = offsetof(struct draft, field),			\
	.size = sizeof(((struct draft *)NULL)->field)
#define LIVE(field)	FIELD(field), .live = true
#define MODEM(name)	"modem", name
#define IPC(name)	"ipc", name
#define LINKS(name)	"links", name
#define RECOVERY(name)	"recovery", name

#define S		1000u
#define MIN		(60 * S)
#define DAY		(24 * 60 * MIN)
#define K		1024u
#define M		(1024 * K)
#define PATH_LEN	.max = 4096, .text = true
#define SOCKET_LEN	.max = 108, .text = true	/* sockaddr_un */

const struct setting settings[] = {
	{ MODEM("device"), "/dev/ttyUSB2", value_device,
	  FIELD(config.modem.device), .text = true },
	{ MODEM("backend"), "auto", value_choice,
	  FIELD(config.modem.backend),
	  .words = "auto libserialport termios" },
	{ MODEM("baud"), "115200", value_baud, FIELD(config.modem.baud),
	  .min = 1 },
	{ MODEM("target-baud"), "0", value_baud,
	  FIELD(config.modem.target_baud) },
	{ MODEM("flow-control"), "rtscts", value_flow,
	  FIELD(config.modem.rtscts), .words = "none rtscts" },
	{ MODEM("dialect"), "auto", value_any, FIELD(config.modem.dialect),
	  .text = true, .dialect = true },
	{ MODEM("receive"), "auto", value_choice,
	  FIELD(config.modem.receive), .words = "auto pull push" },
	{ MODEM("pull-form"), "ascii", value_choice,
	  FIELD(config.modem.pull_form), .words = "ascii hex" },
	{ MODEM("send-coding"), "fixed", value_choice,
	  FIELD(config.modem.send_coding), .words = "fixed ctrlz" },
	{ MODEM("apn"), "internet", value_apn, FIELD(config.modem.apn),
	  .max = 100, .text = true },
	{ MODEM("cid"), "1", value_uint, FIELD(config.modem.cid),
	  .min = 1, .max = 16 },
	{ MODEM("pdp-type"), "IP", value_choice_text,
	  FIELD(config.modem.pdp_type), .text = true,
	  .words = "IP IPV6 IPV4V6" },
	{ MODEM("apn-user"), "", value_quotable, FIELD(config.modem.apn_user),
	  .max = 64, .text = true },
	{ MODEM("apn-password-file"), "", value_path_or_none,
	  FIELD(apn_password_file), PATH_LEN },
	{ MODEM("apn-auth"), "none", value_choice,
	  FIELD(config.modem.apn_auth), .words = "none pap chap" },
	{ MODEM("allow-roaming"), "true", value_bool,
	  FIELD(config.modem.allow_roaming) },
	{ MODEM("operator"), "", value_operator,
	  FIELD(config.modem.operator), .text = true },
	{ MODEM("pin-file"), "", value_path_or_none, FIELD(pin_file),
	  PATH_LEN },
	{ MODEM("wifi-ssid"), "", value_ssid,
	  FIELD(config.modem.wifi_ssid), .max = 32, .text = true },
	{ MODEM("wifi-password-file"), "", value_path_or_none,
	  FIELD(wifi_password_file), PATH_LEN },
	{ MODEM("dns-servers"), "", value_address_list,
	  FIELD(config.modem.dns_servers), .items = 2,
	  .text = true, .list = true },
	{ MODEM("sntp"), "true", value_bool, FIELD(config.modem.sntp) },
	{ MODEM("sntp-servers"), "", value_host_list,
	  FIELD(config.modem.sntp_servers), .max = 64, .items = 3,
	  .text = true, .list = true },
	{ MODEM("time-zone"), "UTC", value_zone,
	  FIELD(config.modem.zone_min) },
	{ MODEM("options"), "", value_option, FIELD(config.modem.options),
	  .text = true, .list = true },

	{ IPC("socket"), "/run/modemd/NAME.sock", value_path,
	  FIELD(config.ipc.socket), SOCKET_LEN },
	{ IPC("socket-mode"), "0660", value_mode,
	  FIELD(config.ipc.socket_mode) },
	{ IPC("socket-group"), "modem", value_group,
	  FIELD(config.ipc.socket_group), .text = true },
	{ IPC("max-clients"), "1024", value_uint,
	  LIVE(config.ipc.max_clients), .min = 1, .max = 65536 },
	{ IPC("max-clients-per-user"), "0", value_uint,
	  LIVE(config.ipc.max_clients_per_user), .max = 65536 },
	{ IPC("hello-timeout"), "5s", value_duration,
	  LIVE(config.ipc.hello_timeout_ms), .min = 100, .max = MIN },

	{ LINKS("reserve-inbound"), "2", value_uint,
	  LIVE(config.links.reserve_inbound), .max = 10 },
	{ LINKS("max-inbound"), "8", value_uint,
	  LIVE(config.links.max_inbound), .max = 10 },
	{ LINKS("open-timeout"), "120s", value_duration,
	  LIVE(config.links.open_timeout_ms), .min = 3 * S, .max = 120 * S },
	{ LINKS("send-timeout"), "120s", value_duration,
	  LIVE(config.links.send_timeout_ms), .min = 3 * S, .max = 120 * S },
	{ LINKS("idle-timeout"), "0", value_duration,
	  LIVE(config.links.idle_timeout_ms), .min = S, .max = 30 * DAY,
	  .words = ", or 0 for none" },
	{ LINKS("inbound-idle-timeout"), "10min", value_duration,
	  LIVE(config.links.inbound_idle_timeout_ms), .min = S,
	  .max = 30 * DAY, .words = ", or 0 for none" },
	{ LINKS("window"), "64K", value_size, LIVE(config.links.window),
	  .min = 2 * K, .max = 16 * M },
	{ LINKS("credit"), "64K", value_size, LIVE(config.links.credit),
	  .min = 2 * K, .max = 16 * M },

	/* two fields that lie side by side */
	{ RECOVERY("backoff"), "1s..60s", value_backoff,
	  .offset = offsetof(struct draft, config.recovery.backoff_min_ms),
	  .size = 2 * sizeof(uint32_t), .min = 10, .max = 60 * MIN,
	  .live = true },
	{ RECOVERY("probe"), "60s", value_duration,
	  LIVE(config.recovery.probe_ms), .min = 100, .max = DAY,
	  .words = ", or 0 for never" },
	{ RECOVERY("max-silence"), "3", value_uint,
	  LIVE(config.recovery.max_silence), .min = 1, .max = 100 },
	{ RECOVERY("stop-timeout"), "10s", value_duration,
	  LIVE(config.recovery.stop_timeout_ms), .min = 100,
	  .max = 10 * MIN, .words = ", or 0 for at once" },
	{ RECOVERY("reset-hook"), "", value_path_or_none,
	  LIVE(config.recovery.reset_hook), PATH_LEN },

	{ "history", "database", "/var/lib/modemd/NAME.db", value_path,
	  FIELD(config.history.database), PATH_LEN },
	{ "history", "retention", "90d", value_duration,
	  FIELD(config.history.retention_ms), .min = S,
	  .max = (uint64_t)36500 * DAY, .words = ", or 0 for ever" },
	{ "history", "max-size", "256M", value_size,
	  FIELD(config.history.max_size), .min = 256 * K,
	  .max = (uint64_t)1 << 40 },

	{ "state", "file", "/var/lib/modemd/NAME.state", value_path,
	  FIELD(config.state_file), PATH_LEN },

	{ "log", "level", "info", value_choice, LIVE(config.log_level),
	  .words = "error warning info debug" },
	{ "log", "target", "auto", value_choice, FIELD(config.log_target),
	  .words = "auto stderr syslog journal" },

	{ "metrics", "listen", "", value_any, FIELD(metrics_listen),
	  .text = true },
};

const size_t settings_count = sizeof(settings) / sizeof(settings[0]);

_Static_assert(sizeof(settings) / sizeof(settings[0]) <= SETTINGS_MAX,
	       "SETTINGS_MAX is too small");
_Static_assert(offsetof(struct config_recovery, backoff_max_ms) ==
	       offsetof(struct config_recovery, backoff_min_ms) +
	       sizeof(uint32_t), "backoff is not one pair");

const struct setting *setting_find(const char *section, const char *key)
{
	size_t i;

	for (i = 0; i < settings_count; i++) {
		if (strcmp(settings[i].section, section) == 0 &&
		    strcmp(settings[i].key, key) == 0)
			return &settings[i];
	}

	return NULL;
}

bool setting_section_known(const char *section)
{
	size_t i;

	for (i = 0; i < settings_count; i++) {
		if (strcmp(settings[i].section, section) == 0)
			return true;
	}

	return strcmp(section, "access") == 0;
}

/* Letters to add, drop or change between two short words (Levenshtein). */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int row[33], i, j, corner, above, best;
	size_t len = strlen(b);

	if (len > 32)
		return 99;
	for (j = 0; j <= len; j++)
		row[j] = j;
	for (i = 1; a[i - 1]; i++) {
		corner = row[0];
		row[0] = i;
		for (j = 1; j <= len; j++) {
			above = row[j];
			best = corner + (a[i - 1] != b[j - 1]);
			if (above + 1 < best)
				best = above + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			corner = above;
			row[j] = best;
		}
	}

	return row[len];
}

static void nearer(const char *name, const char *candidate,
		   const char **nearest, unsigned int *least)
{
	unsigned int d = distance(name, candidate);

	if (d < *least) {
		*least = d;
		*nearest = candidate;
	}
}

void setting_suggest(const char *section, const char *name, char *out,
		     size_t size)
{
	bool access = section && strcmp(section, "access") == 0;
	size_t len = strlen(name), i;
	unsigned int least = len < 3 ? 2 : len < 6 ? 3 : 4;
	const char *nearest = NULL;

	for (i = 0; i < settings_count && !access; i++) {
		if (!section)
			nearer(name, settings[i].section, &nearest, &least);
		else if (strcmp(settings[i].section, section) == 0)
			nearer(name, settings[i].key, &nearest, &least);
	}
	for (i = 0; access && config_access_keys[i]; i++)
		nearer(name, config_access_keys[i], &nearest, &least);
	if (!section)
		nearer(name, "access", &nearest, &least);

	if (nearest)
		snprintf(out, size, "; did you mean %s?", nearest);
	else
		snprintf(out, size, "; remove it, or see modem.conf(5)");
}

int setting_apply(struct draft *d, const struct setting *s, const char *text,
		  const char *origin, char *why)
{
	char **kept = &d->origin[s - settings];
	int err;

	if (s->dialect && d->report && d->report->dialect &&
	    d->report->dialect(text, why, WHY_SIZE))
		return -EINVAL;
	err = s->parse(s, text, (char *)d + s->offset, why);
	if (!err) {
		free(*kept);
		*kept = origin ? strdup(origin) : NULL;
	}

	return err;
}
