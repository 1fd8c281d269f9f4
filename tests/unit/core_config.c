/* SPDX-License-Identifier: MIT */

#include <stdint.h>

#include "base/config.h"
#include "core_config.h"

static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

void core_config(struct config *cfg)
{
	*cfg = (struct config){
		.instance = text("test"),
		.modem = {
			.device = text("/dev/fake"),
			.baud = 115200,
			.dialect = text("simcom"),
			.apn = text("internet"),
			.cid = 1,
			.pdp_type = text("IP"),
			.apn_user = text(""),
			.apn_password = text(""),
			.allow_roaming = true,
			.operator = text(""),
			.pin = text(""),
			.wifi_ssid = text(""),
			.wifi_password = text(""),
			.dns_servers = text(""),
			.sntp_servers = text(""),
			.sntp = true,
			.options = text(""),
		},
		.ipc = {
			.socket = text("/nowhere"),
			.socket_group = text(""),
			.max_clients = 1024,
			.hello_timeout_ms = 5000,
		},
		.links = {
			.open_timeout_ms = 30000,
			.send_timeout_ms = 20000,
			.window = 65536,
			.credit = 65536,
			.max_inbound = 10,
		},
		.recovery = {
			.backoff_min_ms = 1000,
			.backoff_max_ms = 60000,
			.max_silence = 3,
			.stop_timeout_ms = 10000,
			.reset_hook = text(""),
		},
		.history = { .database = text("") },
		.state_file = text(""),
	};
}
