/* SPDX-License-Identifier: MIT */

/*
 * w800 - the WinnerMicro W800 dialect and its ESP-AT relatives.
 *
 * Each w800_*.c is a page of handlers and the table that names them. What the
 * commands store is in struct w800, of one modem; what outlives a boot in its
 * struct w800_flash. "W800 manual" is the TCP/IP AT command set, "W800 guide"
 * the SDK's AT documentation.
 *
 * Called by: modem (w800_dialect), command (the rows).
 * Calls: reply, urc, link, server, net, data, line.
 */

#ifndef MODEMSIM_W800_H
#define MODEMSIM_W800_H

#include "modem.h"

#define W800_LINKS		5	/* clients and accepted ones */
#define W800_ALL		5	/* <link ID> that means all of them */
#define W800_LINE_MAX		256
#define W800_SEND_MAX		5760
#define W800_PUSH_MAX		2920
#define W800_DATAGRAM_MAX	1460
#define W800_HOST_MAX		64
#define W800_SSID_MAX		32
#define W800_PASSWORD_MAX	64

/* A row's flag: the W800's own table does not have it (Q125). */
#define W800_RELATIVES		0x100

enum w800_wifi {
	W800_WIFI_OFF,		/* never joined since the boot */
	W800_WIFI_JOINING,
	W800_WIFI_UP,
	W800_WIFI_LOST,		/* the access point went away */
	W800_WIFI_LEFT,		/* CWQAP */
};

struct w800_tcpopt {
	int linger;		/* seconds, -1: off */
	int nodelay;
	int sndtimeo;		/* milliseconds, 0: for ever */
	int keep_alive;		/* seconds, 0: off */
};

struct w800_dns {
	int manual;
	char ip[2][48];
};

/* The access point that it can be itself: CWSAP. */
struct w800_softap {
	char ssid[W800_SSID_MAX + 1];
	char password[W800_PASSWORD_MAX + 1];
	int channel;
	int ecn;		/* 0: open */
	int stations;
	int hidden;
};

/* CIPSSLCCONF */
struct w800_auth {
	int mode;
	int pki;
	int ca;
};

/* What SYSSTORE=1 saves. */
struct w800_flash {
	int sysstore;
	int cwmode;
	int autoconn;
	char ssid[W800_SSID_MAX + 1];
	char password[W800_PASSWORD_MAX + 1];
	int reconn_s;		/* 0: stays away when it was lost */
	int ipv6;
	int dhcp;
	int recon_100ms;
	unsigned int baud;	/* UART_DEF; 0: the module's own */
	struct w800_dns dns;
	struct w800_softap softap;
	struct w800_auth auth[W800_LINKS];
};

/* One CIPSTART. */
struct w800_request {
	unsigned int id;
	enum link_type type;
	bool v6;
	char host[W800_HOST_MAX + 1];
	int port;
	int local_port;
	int mode;			/* of UDP */
	bool has_keep_alive;
	int keep_alive;
	char local_ip[ADDRESS_TEXT];	/* "": any */
};

struct w800 {
	struct modem *m;
	struct w800_flash flash;	/* in force */
	struct w800_flash saved;	/* after the next boot */
	enum w800_wifi wifi;
	struct event *wifi_timer;
	bool join_answers;	/* CWJAP waits for the end of the join */
	int mux;
	int dinfo;
	int sysmsg;		/* ESP-AT: bit 1 makes +LINK_CONN */
	int sto;		/* seconds, 0: no limit */
	int max_conn;
	bool serving;
	const char *server_type;
	int server_ca;
	struct w800_tcpopt tcpopt[W800_LINKS];
	int opening;		/* CIPSTART's link, -1: none */
	int sending;		/* CIPSEND's, -1: none */
	struct event *idle_timer[W800_LINKS];
	uint64_t idle_bytes[W800_LINKS];
	int sntp_on;
	int sntp_minutes;	/* of the time zone */
	int sntp_zone;		/* as CIPSNTPCFG? says it */
	char sntp[3][64];
	int sntp_interval;
	struct event *sntp_timer;
	struct w800_request stream;	/* CIPSTART of passthrough */
	struct event *reopen_timer;
	bool reopening;
	bool hanging;		/* quirk dns-hangs: only AT+RST helps */
	char hostname[33];
	char waiting[COMMAND_LINE_MAX + 1];	/* quirk busy-executes */
};

extern const struct command_row w800_general_rows[];
extern const struct command_row w800_cw_rows[];
extern const struct command_row w800_softap_rows[];
extern const struct command_row w800_relatives_rows[];
extern const struct command_row w800_address_rows[];
extern const struct command_row w800_open_rows[];
extern const struct command_row w800_link_rows[];
extern const struct command_row w800_send_rows[];
extern const struct command_row w800_receive_rows[];
extern const struct command_row w800_server_rows[];
extern const struct command_row w800_settings_rows[];
extern const struct command_row w800_sntp_rows[];
extern const struct command_row w800_ping_rows[];
extern const struct command_row w800_tls_rows[];

/* w800_line.c: bytes to lines, lines to commands, fields. */
void w800_take_byte(struct modem *m, uint8_t byte, uint64_t mark);
bool w800_cut(const char **line, struct chain_part *part);
int w800_parse(struct args *a, char *text);
void w800_done(struct modem *m);

/* w800_reply.c: what each family says. */
const char *w800_head(const struct modem *m, enum reply_kind kind);
void w800_unknown(struct modem *m);
/* A field is wrong. */
void w800_bad(struct modem *m);
/* The line that explains (family esp), and ERROR. */
void w800_error(struct modem *m, const char *detail);
void w800_busy(struct modem *m);
void w800_test(struct modem *m, const struct command_row *row);
/* @text and CR LF as they are. */
void w800_put(struct modem *m, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* "3,CONNECT", or "CONNECT" with CIPMUX=0. */
void w800_tell_link(struct modem *m, unsigned int link, const char *what);

/* <link ID> in field *@at if CIPMUX=1, else 0; *@at moves on. */
bool w800_take_link(struct modem *m, const struct args *a, size_t *at,
		    unsigned int *id);

/* w800_wifi.c */
void w800_wifi_start(struct modem *m);	/* after a boot */
void w800_wifi_stop(struct modem *m);
void w800_wifi_join(struct modem *m, bool answers);
void w800_wifi_leave(struct modem *m);
void w800_wifi_lose(struct modem *m, enum tcp_how how);
void w800_wifi_back(struct modem *m);
void w800_registered(struct modem *m);
bool w800_has_ip(const struct modem *m);
/* What is set now outlives a boot, if SYSSTORE=1. */
void w800_save(struct modem *m);

/* As it was made, from the next boot on. */
void w800_factory(struct modem *m);

/* How many are open or being opened. */
unsigned int w800_links_used(const struct modem *m);

/* The module's own end of it. */
unsigned int w800_local_port(const struct link *l);

void w800_tell_connect(struct modem *m, unsigned int link);

/* Results of what is in hand. */
void w800_opened(struct modem *m, unsigned int link, int err);
void w800_accepted(struct modem *m, unsigned int link);
void w800_sent(struct modem *m, unsigned int link, int req, int cnf);
void w800_readable(struct modem *m, unsigned int link);
void w800_pushed(struct modem *m, unsigned int link,
		 const struct address *from, const void *data, size_t len);
void w800_closed(struct modem *m, unsigned int link, int reason);

/* What CIPTCPOPT says, for the socket. */
struct tcp_options w800_tcp_options(const struct w800_tcpopt *o);

/* Of the next connection, and of the one there is. */
void w800_set_tcpopt(struct modem *m, unsigned int id,
		     const struct w800_tcpopt *o);

/* Close it; CLOSED is told, and OK by the second one. */
void w800_close_now(struct modem *m, unsigned int id);
void w800_close_link(struct modem *m, unsigned int id);

/* The opened() of it will come. */
void w800_open(struct modem *m, const struct w800_request *r);

/* Passthrough: its link has ended, has been tried again. */
void w800_stream_ended(struct modem *m);
void w800_stream_opened(struct modem *m, int err);

/* The link that payload is being typed for may be another one by then. */
void w800_send_link_gone(unsigned int id);
/* The next payload is swallowed: SEND FAIL. Always true. */
bool w800_send_shall_fail(void);
void w800_send_reset(void);

void w800_server_accepted(struct modem *m, unsigned int link);
void w800_server_free(struct modem *m);

void w800_softap_defaults(struct w800_softap *ap);
void w800_dns_defaults(struct w800_dns *dns);

/* Ask for the time, if it is wanted and there is a network. */
void w800_sntp_ask(struct modem *m);
void w800_sntp_defaults(struct modem *m);

/* Family old: one line. */
void w800_old_line(struct modem *m, const char *line);

/* As after a boot, nothing in hand. */
void w800_open_cancel(struct modem *m);
void w800_ping_cancel(struct modem *m);
void w800_server_defaults(struct modem *m);
void w800_settings_defaults(struct modem *m);
void w800_tls_defaults(struct modem *m);

bool w800_refuses(struct modem *m, const struct command_row *row,
		  enum form form, const struct args *a);

#endif
