/* SPDX-License-Identifier: MIT */

/*
 * settings - what AT commands store, SIMCom dialect; of a W800 only @rxget and
 * @mode, the rest is in struct w800.
 *
 * struct settings is lost at a reboot, struct profile (contexts) is not.
 */

#ifndef MODEMSIM_SETTINGS_H
#define MODEMSIM_SETTINGS_H

#include <stdbool.h>

#define SETTINGS_CONTEXTS	16	/* cid 1..15 */

#define SETTINGS_S		16	/* registers S0 to S15 */
#define SETTINGS_STORED		16	/* rows of simcom_stored.c */

/* What AT&W keeps. All zero is the factory's. */
struct stored {
	int no_echo;
	int quiet;		/* ATQ1 */
	int numeric;		/* ATV0 */
	int no_text;		/* ATX0 */
	int dcd;		/* AT&C; a pty has no such line */
	int dtr;		/* AT&D */
	int flow_in;
	int flow_out;
};

struct settings {
	int cmee;
	int creg;
	int cgreg;
	int cereg;
	int cgerep;
	int cgerep_bfr;
	struct stored uart;
	int s[SETTINGS_S];
	int icf[2];
	int socket_cid;		/* CSOCKSETPN */
	int cops_format;
	int stored[SETTINGS_STORED];	/* simcom_stored.c */
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
	struct stored uart;	/* by AT&W */
	bool has_cmee;		/* quirk cmee-at-reboot */
	int cmee;
	bool had_extra;		/* quirk extra-contexts has been there */
};

#endif
