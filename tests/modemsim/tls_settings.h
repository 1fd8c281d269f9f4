/* SPDX-License-Identifier: MIT */

/*
 * tls_settings - what a TLS client may be told, per link.
 *
 * Plain values; all zero is: verify nothing, show nothing.
 */

#ifndef MODEMSIM_TLS_SETTINGS_H
#define MODEMSIM_TLS_SETTINGS_H

#include <stdbool.h>

/* W800 manual, AT+CIPSSLC... */
#define TLS_NAME_MAX	64	/* common name, SNI */
#define TLS_PSK_MAX	32
#define TLS_ALPNS	5
#define TLS_ALPN_MAX	255	/* RFC 7301 */

/* <auth_mode> is made of two bits. */
#define TLS_SHOW	1	/* a certificate of ours, number @pki */
#define TLS_VERIFY	2	/* theirs, by number @ca */

struct tls_settings {
	unsigned int auth_mode;
	unsigned int pki;
	unsigned int ca;
	char common_name[TLS_NAME_MAX + 1];	/* "": any */
	char sni[TLS_NAME_MAX + 1];		/* "": none is sent */
	unsigned int n_alpn;
	char alpn[TLS_ALPNS][TLS_ALPN_MAX + 1];
	char psk[TLS_PSK_MAX + 1];	/* its bytes are the key; "": none */
	char hint[TLS_PSK_MAX + 1];	/* who we say we are */
};

#endif
