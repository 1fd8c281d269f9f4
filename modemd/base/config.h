/* SPDX-License-Identifier: MIT */

/*
 * config - the settings: NAME.conf, NAME.conf.d, -o overrides, checked.
 *
 * Secrets are read here, from the files that the settings name, and nowhere
 * else. Every mistake is one line "FILE:LINE: SECTION.KEY: what; what to do";
 * all mistakes are reported, not only the first.
 *
 * Called by: main; the structs are read by all layers.   Calls: libconfuse.
 */

#ifndef MODEMD_CONFIG_H
#define MODEMD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "log.h"

enum config_backend { CONFIG_BACKEND_AUTO, CONFIG_BACKEND_LIBSERIALPORT,
		      CONFIG_BACKEND_TERMIOS };
enum config_receive { CONFIG_RECEIVE_AUTO, CONFIG_RECEIVE_PULL,
		      CONFIG_RECEIVE_PUSH };
enum config_pull_form { CONFIG_PULL_ASCII, CONFIG_PULL_HEX };
enum config_coding { CONFIG_CODING_FIXED, CONFIG_CODING_CTRLZ };
enum config_auth { CONFIG_AUTH_NONE, CONFIG_AUTH_PAP, CONFIG_AUTH_CHAP };

struct config_modem {
	char *device;
	enum config_backend backend;
	unsigned int baud;		/* tried first */
	unsigned int target_baud;	/* 0: stay */
	bool rtscts;
	char *dialect;			/* auto, or the name of a driver */
	enum config_receive receive;
	enum config_pull_form pull_form;
	enum config_coding send_coding;
	char *apn;			/* checked: no quote, no control byte */
	unsigned int cid;		/* 1..16 */
	char *pdp_type;			/* IP, IPV6, IPV4V6 */
	char *apn_user;
	char *apn_password;		/* "" when no file is named */
	enum config_auth apn_auth;
	bool allow_roaming;
	char *operator;			/* MCC+MNC digits; "": automatic */
	char *pin;			/* 4-8 digits; "": none */
	char *wifi_ssid;
	char *wifi_password;
	char *dns_servers;	/* "9.9.9.9,2620:fe::fe"; "": the network's */
	bool sntp;		/* the modem asks servers for the time */
	char *sntp_servers;	/* the same form, names too; "": its own */
	int zone_min;		/* of the modem's clock: minutes east of UTC */
	char *options;		/* "dns-retries=2,error-mode=0", or "" */
};

struct config_ipc {
	char *socket;
	mode_t socket_mode;
	char *socket_group;		/* "": leave it */
	unsigned int max_clients;
	unsigned int max_clients_per_user;	/* 0: no limit */
	uint32_t hello_timeout_ms;
};

struct config_links {
	unsigned int reserve_inbound;
	unsigned int max_inbound;
	uint32_t open_timeout_ms;	/* 3 s .. 120 s */
	uint32_t send_timeout_ms;	/* 3 s .. 120 s */
	uint32_t idle_timeout_ms;	/* 0: none */
	uint32_t inbound_idle_timeout_ms;
	uint32_t window;		/* bytes */
	uint32_t credit;		/* bytes */
};

struct config_recovery {
	uint32_t backoff_min_ms;
	uint32_t backoff_max_ms;
	uint32_t probe_ms;		/* 0: off */
	unsigned int max_silence;	/* unanswered commands in a row */
	uint32_t stop_timeout_ms;
	char *reset_hook;
};

struct config_history {
	char *database;
	int64_t retention_ms;		/* 0: for ever */
	uint64_t max_size;		/* bytes */
};

struct config {
	char *instance;
	struct config_modem modem;
	struct config_ipc ipc;
	struct config_links links;
	struct config_recovery recovery;
	struct config_history history;
	char *state_file;
	enum log_level log_level;
	enum log_target log_target;
};

/* Where mistakes and warnings go, one line each, without a newline. */
struct config_report {
	void (*line)(void *ctx, bool warning, const char *text);
	void *ctx;
	/* 0, or -EINVAL and half a sentence: what is wrong with one of
	 * modem.options, which only the drivers know. NULL: nothing is. */
	int (*option)(const char *name, long value, char *why, size_t size);
	/* The same for modem.dialect. */
	int (*dialect)(const char *name, char *why, size_t size);
};

/*
 * @path NULL: /etc/modemd/@instance.conf, and then a missing file is no
 * mistake (a named one that is missing is). @overrides: SECTION.KEY=VALUE,
 * ends with NULL. In values NAME is not replaced; defaults carry @instance.
 * Returns 0 and *@out (free with config_free), or -EINVAL after reporting.
 */
int config_load(const char *instance, const char *path,
		const char *const *overrides,
		const struct config_report *report, struct config **out);
void config_free(struct config *c);

/*
 * After a reread: names each setting that differs between the two and cannot
 * change at run time to @report as a warning, and moves the others (log.level,
 * links.*, recovery.*, limits of ipc, secrets) from @fresh into @live.
 */
void config_reload(struct config *live, struct config *fresh,
		   const struct config_report *report);

#endif
