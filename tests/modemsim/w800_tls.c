/* SPDX-License-Identifier: MIT */

/*
 * CIPSSLCCONF, CIPSSLCCN, CIPSSLCSNI, CIPSSLCALPN, CIPSSLCPSK: W800 manual.
 * All of them are of a link's next connection.
 */

#include <stddef.h>
#include <string.h>

#include "w800.h"

#define NUMBER_MAX	255	/* <pki_number>, <ca_number> */

/* The links a command means: [@first, @last]; *@at is the field after them. */
static bool take_links(struct modem *m, const struct args *a, size_t *at,
		       int *first, int *last)
{
	*at = 0;
	*first = 0;
	*last = 0;
	if (!m->w800->mux)
		return true;
	if (!args_int(a, (*at)++, 0, W800_ALL, first))
		return false;
	*last = *first;
	if (*first == W800_ALL) {
		*first = 0;
		*last = W800_LINKS - 1;
	}
	return true;
}

/* A quoted field of at most @max bytes; "" takes back what was set. */
static bool take_text(const struct args *a, size_t i, size_t max,
		      const char **text)
{
	*text = args_str(a, i);
	return *text != NULL && strlen(*text) <= max;
}

/* The guide's escapes, back again. */
static char *quote(char *to, const char *text)
{
	*to++ = '"';
	for (; *text != '\0'; text++) {
		if (strchr("\\\",", *text) != NULL)
			*to++ = '\\';
		*to++ = *text;
	}
	*to++ = '"';
	*to = '\0';
	return to;
}

#define QUOTED(max)	(2 * (max) + 3)

static unsigned int links(const struct modem *m)
{
	return m->w800->mux ? W800_LINKS : 1;
}

static void conf_read(struct modem *m, struct args *a)
{
	const struct tls_settings *s;

	(void)a;
	for (s = m->tls; s < m->tls + links(m); s++)
		reply_text(m, "+CIPSSLCCONF:%u,%u,%u,%u",
			   (unsigned int)(s - m->tls), s->auth_mode, s->pki,
			   s->ca);
	reply_ok(m);
}

static void conf_write(struct modem *m, struct args *a)
{
	int first, last, mode, pki = 0, ca = 0, i;
	size_t at;

	if (!take_links(m, a, &at, &first, &last) || a->count > at + 3 ||
	    !args_int(a, at, 0, TLS_SHOW | TLS_VERIFY, &mode) ||
	    !args_opt_int(a, at + 1, 0, NUMBER_MAX, &pki) ||
	    !args_opt_int(a, at + 2, 0, NUMBER_MAX, &ca)) {
		w800_bad(m);
		return;
	}
	for (i = first; i <= last; i++) {
		m->tls[i].auth_mode = (unsigned int)mode;
		m->tls[i].pki = (unsigned int)pki;
		m->tls[i].ca = (unsigned int)ca;
		m->w800->flash.auth[i] = (struct w800_auth){
			.mode = mode, .pki = pki, .ca = ca,
		};
	}
	w800_save(m);
	reply_ok(m);
}

/* Common name or SNI: what lies at @offset of the settings. */
static char *name_of(struct modem *m, int id, size_t offset)
{
	return (char *)&m->tls[id] + offset;
}

static void names_read(struct modem *m, const char *command, size_t offset)
{
	char quoted[QUOTED(TLS_NAME_MAX)];
	int i;

	for (i = 0; i < (int)links(m); i++) {
		quote(quoted, name_of(m, i, offset));
		reply_text(m, "%s:%d,%s", command, i, quoted);
	}
	reply_ok(m);
}

static void names_write(struct modem *m, const struct args *a, size_t offset)
{
	const char *name;
	int first, last, i;
	size_t at;

	if (!take_links(m, a, &at, &first, &last) || a->count != at + 1 ||
	    !take_text(a, at, TLS_NAME_MAX, &name)) {
		w800_bad(m);
		return;
	}
	for (i = first; i <= last; i++)
		strcpy(name_of(m, i, offset), name);
	reply_ok(m);
}

static void cn_read(struct modem *m, struct args *a)
{
	(void)a;
	names_read(m, "+CIPSSLCCN", offsetof(struct tls_settings, common_name));
}

static void cn_write(struct modem *m, struct args *a)
{
	names_write(m, a, offsetof(struct tls_settings, common_name));
}

static void sni_read(struct modem *m, struct args *a)
{
	(void)a;
	names_read(m, "+CIPSSLCSNI", offsetof(struct tls_settings, sni));
}

static void sni_write(struct modem *m, struct args *a)
{
	names_write(m, a, offsetof(struct tls_settings, sni));
}

/* The manual's form has a first name at least: "" where there is none. */
static void tell_alpn(struct modem *m, unsigned int id)
{
	const struct tls_settings *s = &m->tls[id];
	char list[TLS_ALPNS * QUOTED(TLS_ALPN_MAX)], *p = list;
	unsigned int i;

	if (s->n_alpn == 0)
		p = quote(p, "");
	for (i = 0; i < s->n_alpn; i++) {
		if (i > 0)
			*p++ = ',';
		p = quote(p, s->alpn[i]);
	}
	reply_text(m, "+CIPSSLCALPN:%u,%s", id, list);
}

static void alpn_read(struct modem *m, struct args *a)
{
	unsigned int i;

	(void)a;
	for (i = 0; i < links(m); i++)
		tell_alpn(m, i);
	reply_ok(m);
}

/* Field @at is <counts>; as many names follow, none of them empty. */
static bool take_alpn(const struct args *a, size_t at, struct tls_settings *s)
{
	const char *name;
	int count, i;

	if (!args_int(a, at, 0, TLS_ALPNS, &count) ||
	    a->count != at + 1 + (size_t)count)
		return false;
	for (i = 0; i < count; i++) {
		if (!take_text(a, at + 1 + (size_t)i, TLS_ALPN_MAX, &name) ||
		    *name == '\0')
			return false;
		strcpy(s->alpn[i], name);
	}
	s->n_alpn = (unsigned int)count;
	return true;
}

static void alpn_write(struct modem *m, struct args *a)
{
	static struct tls_settings wanted;
	int first, last, i;
	size_t at;

	if (!take_links(m, a, &at, &first, &last) ||
	    !take_alpn(a, at, &wanted)) {
		w800_bad(m);
		return;
	}
	for (i = first; i <= last; i++) {
		m->tls[i].n_alpn = wanted.n_alpn;
		memcpy(m->tls[i].alpn, wanted.alpn, sizeof(wanted.alpn));
	}
	reply_ok(m);
}

static void psk_read(struct modem *m, struct args *a)
{
	char psk[QUOTED(TLS_PSK_MAX)], hint[QUOTED(TLS_PSK_MAX)];
	unsigned int i;

	(void)a;
	for (i = 0; i < links(m); i++) {
		quote(psk, m->tls[i].psk);
		quote(hint, m->tls[i].hint);
		reply_text(m, "+CIPSSLCPSK:%u,%s,%s", i, psk, hint);
	}
	reply_ok(m);
}

/*
 * The manual calls <psk> an identity. In ESP-AT, which it is made of, it is
 * the key, and <hint> is the identity: so it is here.
 */
static void psk_write(struct modem *m, struct args *a)
{
	const char *psk, *hint;
	int first, last, i;
	size_t at;

	if (!take_links(m, a, &at, &first, &last) || a->count != at + 2 ||
	    !take_text(a, at, TLS_PSK_MAX, &psk) ||
	    !take_text(a, at + 1, TLS_PSK_MAX, &hint)) {
		w800_bad(m);
		return;
	}
	for (i = first; i <= last; i++) {
		strcpy(m->tls[i].psk, psk);
		strcpy(m->tls[i].hint, hint);
	}
	reply_ok(m);
}

void w800_tls_defaults(struct modem *m)
{
	unsigned int i;

	memset(m->tls, 0, sizeof(m->tls));
	for (i = 0; i < W800_LINKS; i++) {
		const struct w800_auth *auth = &m->w800->flash.auth[i];

		m->tls[i].auth_mode = (unsigned int)auth->mode;
		m->tls[i].pki = (unsigned int)auth->pki;
		m->tls[i].ca = (unsigned int)auth->ca;
	}
}

const struct command_row w800_tls_rows[] = {
	{ "+CIPSSLCCONF", COMMAND_TCP, "", conf_read, conf_write, NULL },
	{ "+CIPSSLCCN", COMMAND_TCP, "", cn_read, cn_write, NULL },
	{ "+CIPSSLCSNI", COMMAND_TCP, "", sni_read, sni_write, NULL },
	{ "+CIPSSLCALPN", COMMAND_TCP, "", alpn_read, alpn_write, NULL },
	{ "+CIPSSLCPSK", COMMAND_TCP, "", psk_read, psk_write, NULL },
	{ .name = NULL }
};
