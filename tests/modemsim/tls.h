/* SPDX-License-Identifier: MIT */

/*
 * tls - one TLS connection between two byte streams: ciphertext and plain.
 *
 * Knows no socket: what comes from the peer is put in, what is to go to it is
 * taken out. It alone knows OpenSSL. TLS 1.2, as such modules speak.
 *
 * Called by: tcp, tcp_tls, link_tls.   Calls: nothing of the simulator.
 */

#ifndef MODEMSIM_TLS_H
#define MODEMSIM_TLS_H

#include <event2/buffer.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "tls_settings.h"

#define TLS_WHY_MAX	160

/* PEM files that are "stored in the module": --pki, --ca. */
struct tls_file {
	unsigned int number;
	const char *certificate;
	const char *key;		/* NULL: of a CA */
};

/* What a connection is made of. Unused files are NULL. */
struct tls_args {
	bool server;
	const struct tls_settings *settings;	/* client only */
	const struct tls_file *pki;	/* shown to the peer */
	const struct tls_file *ca;	/* the peer must show one of it */
	time_t now;			/* certificates are judged by it */
};

enum tls_state {
	TLS_SHAKING,
	TLS_READY,
	TLS_ENDED,		/* the peer has said so */
	TLS_FAILED,
};

/* What a ready connection agreed on; "" or NULL where nothing was. */
struct tls_facts {
	const char *version;
	const char *cipher;
	char alpn[TLS_ALPN_MAX + 1];
	char peer[TLS_NAME_MAX + 1];	/* common name in its certificate */
};

struct tls;

/* NULL without memory; else it may be TLS_FAILED at once. */
struct tls *tls_new(const struct tls_args *a);
void tls_free(struct tls *t);

enum tls_state tls_state(const struct tls *t);
const char *tls_why(const struct tls *t);	/* it failed, "" else */
void tls_facts(const struct tls *t, struct tls_facts *f);

/* Ciphertext of the peer. */
void tls_input(struct tls *t, const void *data, size_t len);

/* Go on with the handshake; what is to go to the peer is added to @out. */
void tls_shake(struct tls *t, struct evbuffer *out);

/* All plaintext that can be had is added to @plain: its length. */
size_t tls_read(struct tls *t, struct evbuffer *plain);

/* One record of @len bytes, TLS_RECORD at most, is added to @out. */
#define TLS_RECORD	4096
void tls_write(struct tls *t, const void *data, size_t len,
	       struct evbuffer *out);

/* "That was all" for the peer. */
void tls_say_end(struct tls *t, struct evbuffer *out);

/*
 * How much longer the records are than the plaintext in them, of those that
 * have not been taken in full; tls_taken() tells what has.
 */
size_t tls_overhead(const struct tls *t);
void tls_taken(struct tls *t, size_t n);

#endif
