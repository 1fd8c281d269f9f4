/* SPDX-License-Identifier: MIT */

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "tls.h"

/* Old peers are let in: 1024 bit keys and SHA-1 are met in the field. */
#define CIPHERS		"DEFAULT:PSK:@SECLEVEL=0"

#define PLAIN_MAX	SSL3_RT_MAX_PLAIN_LENGTH

/* One that has been decrypted and not been taken in full. */
struct record_length {
	STAILQ_ENTRY(record_length) entry;
	size_t overhead;
	size_t plain;		/* not taken yet */
};

struct tls {
	SSL_CTX *ctx;
	SSL *ssl;
	BIO *in;		/* of the peer, @ssl owns it */
	BIO *out;
	enum tls_state state;
	char psk[TLS_PSK_MAX + 1];
	char identity[TLS_PSK_MAX + 1];
	char why[TLS_WHY_MAX];
	size_t consumed;	/* ciphertext of the record being read */
	size_t overhead;
	STAILQ_HEAD(, record_length) records;
};

enum tls_state tls_state(const struct tls *t)
{
	return t->state;
}

const char *tls_why(const struct tls *t)
{
	return t->why;
}

/* What OpenSSL says, or what the verification of a certificate says. */
static void fail(struct tls *t, const char *what)
{
	unsigned long err = ERR_peek_error();
	const char *reason = ERR_reason_error_string(err);

	if (t->state == TLS_FAILED)
		return;
	t->state = TLS_FAILED;
	if (t->ssl != NULL &&
	    ERR_GET_REASON(err) == SSL_R_CERTIFICATE_VERIFY_FAILED)
		reason = X509_verify_cert_error_string(
				SSL_get_verify_result(t->ssl));
	snprintf(t->why, sizeof(t->why), "%s: %s", what,
		 reason != NULL ? reason : "no reason given");
	ERR_clear_error();
}

static unsigned int on_psk(SSL *ssl, const char *hint, char *identity,
			   unsigned int max_identity, unsigned char *psk,
			   unsigned int max_psk)
{
	const struct tls *t = SSL_get_app_data(ssl);
	size_t len = strlen(t->psk);

	(void)hint;		/* one key for all */
	if (strlen(t->identity) >= max_identity || len > max_psk)
		return 0;
	strcpy(identity, t->identity);
	memcpy(psk, t->psk, len);
	return (unsigned int)len;
}

static bool show(struct tls *t, const struct tls_file *pki)
{
	return SSL_CTX_use_certificate_chain_file(t->ctx,
						  pki->certificate) == 1 &&
	       SSL_CTX_use_PrivateKey_file(t->ctx, pki->key,
					   SSL_FILETYPE_PEM) == 1 &&
	       SSL_CTX_check_private_key(t->ctx) == 1;
}

static bool verify(struct tls *t, const struct tls_args *a)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(t->ctx);
	int mode = SSL_VERIFY_PEER;

	if (SSL_CTX_load_verify_file(t->ctx, a->ca->certificate) != 1)
		return false;
	if (a->server) {
		mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
		SSL_CTX_set_client_CA_list(t->ctx,
			SSL_load_client_CA_file(a->ca->certificate));
	} else if (a->settings->common_name[0] != '\0' &&
		   X509_VERIFY_PARAM_set1_host(param,
				a->settings->common_name, 0) != 1) {
		return false;
	}
	X509_VERIFY_PARAM_set_time(param, a->now);
	SSL_CTX_set_verify(t->ctx, mode, NULL);
	return true;
}

static bool make_context(struct tls *t, const struct tls_args *a)
{
	t->ctx = SSL_CTX_new(a->server ? TLS_server_method()
				       : TLS_client_method());
	if (t->ctx == NULL)
		return false;
	SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION);
	SSL_CTX_set_max_proto_version(t->ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(t->ctx, SSL_OP_NO_TICKET |
				    SSL_OP_NO_RENEGOTIATION);
	if (SSL_CTX_set_cipher_list(t->ctx, CIPHERS) != 1)
		return false;
	return true;
}

/* The list as RFC 7301 writes it: a length before each. */
static bool offer_protocols(struct tls *t, const struct tls_settings *s)
{
	unsigned char list[TLS_ALPNS * (TLS_ALPN_MAX + 1)], *p = list;
	unsigned int i;

	for (i = 0; i < s->n_alpn; i++) {
		size_t len = strlen(s->alpn[i]);

		*p++ = (unsigned char)len;
		memcpy(p, s->alpn[i], len);
		p += len;
	}
	/* 0 is the good answer here */
	return p == list ||
	       SSL_set_alpn_protos(t->ssl, list, (unsigned int)(p - list)) == 0;
}

static bool make_client(struct tls *t, const struct tls_settings *s)
{
	if (s->psk[0] != '\0') {
		strcpy(t->psk, s->psk);
		strcpy(t->identity, s->hint);
		SSL_set_psk_client_callback(t->ssl, on_psk);
	}
	SSL_set_connect_state(t->ssl);
	return (s->sni[0] == '\0' ||
		SSL_set_tlsext_host_name(t->ssl, s->sni) == 1) &&
	       offer_protocols(t, s);
}

static bool make_ssl(struct tls *t, const struct tls_args *a)
{
	t->ssl = SSL_new(t->ctx);
	t->in = BIO_new(BIO_s_mem());
	t->out = BIO_new(BIO_s_mem());
	if (t->ssl == NULL || t->in == NULL || t->out == NULL)
		return false;	/* tls_free() knows what is whose */
	SSL_set_bio(t->ssl, t->in, t->out);
	SSL_set_app_data(t->ssl, t);
	if (!a->server)
		return make_client(t, a->settings);
	SSL_set_accept_state(t->ssl);
	return true;
}

struct tls *tls_new(const struct tls_args *a)
{
	struct tls *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	STAILQ_INIT(&t->records);
	ERR_clear_error();
	if (!make_context(t, a))
		fail(t, "no context");
	else if (a->pki != NULL && !show(t, a->pki))
		fail(t, a->pki->certificate);
	else if (a->ca != NULL && !verify(t, a))
		fail(t, a->ca->certificate);
	else if (!make_ssl(t, a))
		fail(t, "no connection");
	return t;
}

void tls_free(struct tls *t)
{
	struct record_length *r;

	if (t == NULL)
		return;
	while ((r = STAILQ_FIRST(&t->records)) != NULL) {
		STAILQ_REMOVE_HEAD(&t->records, entry);
		free(r);
	}
	if (t->ssl == NULL || SSL_get_rbio(t->ssl) == NULL) {
		BIO_free(t->in);
		BIO_free(t->out);
	}
	SSL_free(t->ssl);	/* and its BIOs */
	SSL_CTX_free(t->ctx);
	free(t);
}

void tls_input(struct tls *t, const void *data, size_t len)
{
	if (t->ssl != NULL)
		BIO_write(t->in, data, (int)len);
}

static void take_output(struct tls *t, struct evbuffer *out)
{
	char data[4096];
	int n;

	while ((n = BIO_read(t->out, data, sizeof(data))) > 0)
		evbuffer_add(out, data, (size_t)n);
}

void tls_shake(struct tls *t, struct evbuffer *out)
{
	int n;

	if (t->state != TLS_SHAKING)
		return;
	ERR_clear_error();
	n = SSL_do_handshake(t->ssl);
	if (n == 1)
		t->state = TLS_READY;
	else if (SSL_get_error(t->ssl, n) != SSL_ERROR_WANT_READ)
		fail(t, "handshake");
	take_output(t, out);	/* of a failure: the alert */
}

/* A record of @plain bytes is there, and t->consumed was its ciphertext. */
static void remember(struct tls *t, size_t plain)
{
	struct record_length *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return;
	r->overhead = t->consumed - plain;
	r->plain = plain;
	t->consumed = 0;
	t->overhead += r->overhead;
	STAILQ_INSERT_TAIL(&t->records, r, entry);
}

size_t tls_read(struct tls *t, struct evbuffer *plain)
{
	unsigned char data[PLAIN_MAX];
	size_t all = 0;
	int n;

	if (t->state != TLS_READY)
		return 0;
	for (;;) {
		size_t before = BIO_ctrl_pending(t->in);

		ERR_clear_error();
		n = SSL_read(t->ssl, data, sizeof(data));	/* a record */
		t->consumed += before - BIO_ctrl_pending(t->in);
		if (n <= 0)
			break;
		remember(t, (size_t)n);
		evbuffer_add(plain, data, (size_t)n);
		all += (size_t)n;
	}
	switch (SSL_get_error(t->ssl, n)) {
	case SSL_ERROR_WANT_READ:
		break;
	case SSL_ERROR_ZERO_RETURN:
		t->state = TLS_ENDED;
		break;
	default:
		fail(t, "record");
	}
	return all;
}

void tls_write(struct tls *t, const void *data, size_t len,
	       struct evbuffer *out)
{
	if (t->state != TLS_READY)
		return;
	ERR_clear_error();
	if (SSL_write(t->ssl, data, (int)len) != (int)len)
		fail(t, "record");
	take_output(t, out);
}

void tls_say_end(struct tls *t, struct evbuffer *out)
{
	if (t->state != TLS_READY && t->state != TLS_ENDED)
		return;
	SSL_shutdown(t->ssl);
	take_output(t, out);
	ERR_clear_error();
}

size_t tls_overhead(const struct tls *t)
{
	return t->overhead;
}

void tls_taken(struct tls *t, size_t n)
{
	struct record_length *r;

	while (n > 0 && (r = STAILQ_FIRST(&t->records)) != NULL) {
		if (r->plain > n) {
			r->plain -= n;
			return;
		}
		n -= r->plain;
		t->overhead -= r->overhead;
		STAILQ_REMOVE_HEAD(&t->records, entry);
		free(r);
	}
}

void tls_facts(const struct tls *t, struct tls_facts *f)
{
	const unsigned char *alpn = NULL;
	unsigned int len = 0;
	X509 *peer;

	*f = (struct tls_facts){ .version = "" };
	if (t->ssl == NULL)
		return;
	f->version = SSL_get_version(t->ssl);
	f->cipher = SSL_get_cipher_name(t->ssl);
	SSL_get0_alpn_selected(t->ssl, &alpn, &len);
	if (len > 0)
		memcpy(f->alpn, alpn, len);
	peer = SSL_get0_peer_certificate(t->ssl);
	if (peer != NULL)
		X509_NAME_get_text_by_NID(X509_get_subject_name(peer),
					  NID_commonName, f->peer,
					  sizeof(f->peer));
}
