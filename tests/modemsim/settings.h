/* SPDX-License-Identifier: MIT */

/*
 * settings - what AT commands store, SIMCom dialect.
 *
 * struct settings is lost at a reboot, struct profile (contexts) is not.
 */

#ifndef MODEMSIM_SETTINGS_H
#define MODEMSIM_SETTINGS_H

#include <stdbool.h>

#define SETTINGS_CONTEXTS	16	/* cid 1..15 */

struct settings {
	int cmee;
	int creg;
	int cgreg;
	int cereg;
	int cgerep;
	int cgerep_bfr;
	int dtr;
	int flow_in;
	int flow_out;
	int cops_format;
	int rxget;		/* 1: buffer mode */
	int head;
	int srip;
	int mode;
	int send_mode;
	int timeout_ms[3];	/* netopen, cipopen, cipsend */
	int ccfg[7];
	int err_mode;		/* = ccfg[3], A7600 manual 3 */
	int dns[3];		/* retries, timeout ms, query retries */
};

struct context {
	bool defined;
	char type[16];
	char apn[104];
	char address[64];
	int auth;
	char user[68];
	char password[68];
};

struct profile {
	struct context ctx[SETTINGS_CONTEXTS];
	int cops_mode;
	bool had_extra;		/* quirk extra-contexts has been there */
};

#endif
