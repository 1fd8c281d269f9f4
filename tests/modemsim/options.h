/* SPDX-License-Identifier: MIT */

/*
 * options - the command line: one row per option, help made from the rows.
 *
 * Some values are changed later by the control socket (latency, quirks), so
 * the struct is a plain one that its owner may write.
 *
 * Called by: main.c.   Calls: quirk (names).
 */

#ifndef MODEMSIM_OPTIONS_H
#define MODEMSIM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "quirk.h"
#include "tls.h"

#define OPTIONS_LATENCIES	32
#define OPTIONS_HOSTS		64
#define OPTIONS_TLS_FILES	16
#define OPTIONS_BAUD_FOLLOW	(-1)	/* pace at the rate the host set */

enum banner { BANNER_RDY, BANNER_ATREADY, BANNER_QCRDY, BANNER_NONE };
/* The kinds of answers that the W800 and its relatives give. */
enum w800_family { W800_ESP, W800_OWN, W800_TIGHT, W800_OLD };

enum sim_kind { SIM_PRESENT, SIM_NONE, SIM_BUSY, SIM_FAILURE };

struct latency_row {
	char name[24];			/* "+CIPSEND" */
	unsigned int ms;
};

struct host_row {
	const char *name;
	const char *address;
};

struct options {
	/* the dialect */
	bool w800;
	enum w800_family family;
	const char *ssid;
	const char *wifi_password;
	unsigned int connect_ms;
	/* the line */
	const char *link_path;
	const char *group;
	unsigned int mode;
	int baud;			/* OPTIONS_BAUD_FOLLOW, 0 unpaced */
	unsigned int modem_baud;	/* 0: auto-baud */
	unsigned int seed;
	/* time */
	unsigned int latency_ms;
	struct latency_row latencies[OPTIONS_LATENCIES];
	size_t n_latencies;
	unsigned int netopen_ms;
	unsigned int open_ms;
	unsigned int close_ms;
	unsigned int register_ms;
	unsigned int boot_ms;
	unsigned int sim_ms;
	unsigned int dns_ms;
	unsigned int tls_ms;		/* for each packet of a handshake */
	unsigned int ping_ms;
	unsigned int ping_wait_ms;	/* 0: as CPING says */
	unsigned int late_ms;
	/* the modem */
	enum banner banner;
	bool banner_at_start;
	bool open_at_start;
	bool data_at_start;
	bool clock_set;
	const char *manufacturer;
	const char *model;
	const char *revision;
	const char *imei;
	const char *imsi;
	/* SIM card and radio */
	enum sim_kind sim;
	const char *pin;
	const char *puk;
	const char *iccid;
	int registration;
	unsigned int csq;
	const char *operator_name;
	/* packet network */
	const char *apn;
	const char *apn_user;
	const char *apn_password;
	const char *address;
	unsigned int buffer;		/* of a link; 0: the dialect's */
	struct host_row hosts[OPTIONS_HOSTS];
	size_t n_hosts;
	const char *unanswered[OPTIONS_HOSTS];
	size_t n_unanswered;
	struct host_row slow[OPTIONS_HOSTS];	/* address: milliseconds */
	size_t n_slow;
	struct tls_file pki[OPTIONS_TLS_FILES];
	size_t n_pki;
	struct tls_file ca[OPTIONS_TLS_FILES];
	size_t n_ca;
	unsigned int port_offset;	/* of the modem's own ports */
	bool free_ports;
	bool allow_network;
	/* control and record */
	int quirks[QUIRKS];		/* times left, QUIRK_ALWAYS, 0 off */
	const char *control_path;
	const char *log_path;
	int ready_fd;
	bool strict;
	const char *ctl_path;		/* be the client of this socket */
	char **ctl_args;
};

/*
 * Fill @o from the command line. Returns -1 to go on, else the exit status
 * (help was printed, or the command line is wrong). The strings stay argv's.
 */
int options_parse(struct options *o, int argc, char **argv);

/* The bit of quirk.h. */
unsigned int options_dialect(const struct options *o);

/* One "NAME=VALUE" helper shared with the control socket. */
int options_set_latency_for(struct options *o, const char *arg);

/* The milliseconds the command @name ("+CIPSEND") waits before its answer. */
unsigned int options_latency(const struct options *o, const char *name);

/* 0 none, 1 home, 2 searching, 3 denied, 5 roaming (27.007 7.2), -1 unknown */
int options_registration(const char *word);

/* Internal to options.c and options_table.c. */
struct option_row {
	const char *name;
	const char *arg;		/* NULL: a flag */
	enum { OPT_GROUP, OPT_STR, OPT_NUM, OPT_OCT, OPT_FLAG, OPT_FN } kind;
	size_t offset;
	const char *help;		/* '\n' starts a continuation line */
	int (*fn)(struct options *o, const char *arg);
};

extern const struct option_row option_rows[];

#endif
