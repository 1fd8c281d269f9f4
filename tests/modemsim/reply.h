/* SPDX-License-Identifier: MIT */

/*
 * reply - answers to the command in hand, in the framing of real modules.
 *
 * Every block is CR LF text CR LF (Q1), with ATV0 as V.250 6.2.6 has it. A
 * final line ends the command; OK only if it is the last one of its line.
 *
 * Called by: command, the command handlers.   Calls: line, command, quirk.
 */

#ifndef MODEMSIM_REPLY_H
#define MODEMSIM_REPLY_H

#include <stddef.h>

struct modem;

/* What stands before a block: see head() in modem.h. */
enum reply_kind { REPLY_INFO, REPLY_FINAL, REPLY_URC, REPLY_PROMPT };

/* 27.007 9.2 */
enum cme {
	CME_NOT_ALLOWED = 3,
	CME_NO_SIM = 10,
	CME_SIM_PIN = 11,
	CME_SIM_PUK = 12,
	CME_SIM_FAILURE = 13,
	CME_SIM_BUSY = 14,
	CME_BAD_PASSWORD = 16,
	CME_NO_SERVICE = 30,
	CME_UNKNOWN = 100,
};

/* A7600 manual 3, <err_info> of "+IP ERROR:" */
enum ip_info {
	IP_INFO_TIMEOUT = 0,
	IP_INFO_BIND = 1,
	IP_INFO_PORT = 2,
	IP_INFO_SOCKET = 3,
	IP_INFO_ALREADY_OPENED = 4,
	IP_INFO_ALREADY_CLOSED = 5,
	IP_INFO_NO_CLIENTS = 6,
	IP_INFO_NO_ACTIVE = 7,
	IP_INFO_NOT_OPENED = 8,
	IP_INFO_INDEX = 9,
	IP_INFO_CREATED = 10,
	IP_INFO_NOT_CREATED = 11,
	IP_INFO_PARAMETER = 12,
	IP_INFO_NOT_SUPPORTED = 13,
	IP_INFO_DNS = 14,
	IP_INFO_BUSY = 15,
	IP_INFO_SOCKET_OPENED = 16,
	IP_INFO_SEND_TIMEOUT = 17,
	IP_INFO_SEND_FAILED = 18,
	IP_INFO_OPEN_FAILED = 19,
	IP_INFO_LISTENING = 20,
	IP_INFO_FAILED = 21,
	IP_INFO_NO_DATA = 22,
};

/* A7600 manual 4, <err> of everything else */
enum net_err {
	NET_OK = 0,
	NET_FAILURE = 1,
	NET_NOT_OPENED = 2,
	NET_PARAMETER = 3,
	NET_NOT_SUPPORTED = 4,
	NET_SOCKET = 5,
	NET_BIND = 6,
	NET_LISTENING = 7,
	NET_BUSY = 8,
	NET_SOCKETS_OPENED = 9,
	NET_TIMEOUT = 10,
	NET_DNS = 11,
	NET_UNKNOWN = 12,
};

/* An information line. Several lines of one block: "\r\n" between them. */
void reply_text(struct modem *m, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * An information line followed by payload, which no URC may interrupt.
 * @between: a line in between all the same, or NULL.
 */
void reply_payload(struct modem *m, const void *data, size_t len,
		   const char *between, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Payload alone: no URC may interrupt it, and one byte of it may be lost. */
void reply_raw(struct modem *m, const void *data, size_t len);

/* The final lines; the first one for words that only one dialect has. */
void reply_final(struct modem *m, const char *text);
void reply_ok(struct modem *m);
void reply_error(struct modem *m);
void reply_cme(struct modem *m, enum cme code);
void reply_ip_error(struct modem *m, enum ip_info info);

/* "+NAME: n,err" and ERROR */
void reply_failed(struct modem *m, const char *name, int link, int err);

/* The text and OK, as most queries answer. */
void reply_text_ok(struct modem *m, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Final lines of transparent mode: "CONNECT <baud>", "CONNECT FAIL". */
void reply_connect(struct modem *m, unsigned int baud);
void reply_connect_fail(struct modem *m);

/* The same where no command asked for it, and NO CARRIER. */
void reply_connect_unasked(struct modem *m, unsigned int baud);
void reply_no_carrier(struct modem *m);

/* ">" of CIPSEND: no newline, no blank. */
void reply_prompt(struct modem *m);

#endif
