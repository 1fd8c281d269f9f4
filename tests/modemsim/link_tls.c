/* SPDX-License-Identifier: MIT */

/* TLS of links: which certificates of the module it is made of. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "modem.h"

/* Header, nonce, alert, tag: of the GCM ciphers, RFC 5288 */
#define END_RECORD	(5 + 8 + 2 + 16)

static const struct tls_file *find(const struct tls_file *files, size_t n,
				   unsigned int number)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (files[i].number == number)
			return &files[i];
	}
	return NULL;
}

/* NULL is right where it is not wanted. */
static bool get(struct link *l, const char *what, const struct tls_file *files,
		size_t n, unsigned int number, const struct tls_file **file)
{
	*file = find(files, n, number);
	if (*file == NULL)
		snprintf(l->why, sizeof(l->why),
			 "no %s %u in the module (--%s)", what, number, what);
	return *file != NULL;
}

static bool client_files(struct link *l, struct tls_args *a)
{
	const struct options *o = &l->m->opt;

	a->settings = &l->tls;
	if ((l->tls.auth_mode & TLS_SHOW) &&
	    !get(l, "pki", o->pki, o->n_pki, l->tls.pki, &a->pki))
		return false;
	return !(l->tls.auth_mode & TLS_VERIFY) ||
	       get(l, "ca", o->ca, o->n_ca, l->tls.ca, &a->ca);
}

static bool server_files(struct link *l, struct tls_args *a)
{
	const struct options *o = &l->m->opt;

	a->server = true;
	return get(l, "pki", o->pki, o->n_pki, 0, &a->pki) &&
	       (!l->m->servers[l->server].args.verify ||
		get(l, "ca", o->ca, o->n_ca, 0, &a->ca));
}

int link_tls_begin(struct link *l)
{
	struct tls_args a = { .now = modem_clock_now(&l->m->clock) };
	bool ok = l->server == LINK_NO_SERVER ? client_files(l, &a)
					      : server_files(l, &a);
	struct tls *tls = ok ? tls_new(&a) : NULL;

	if (tls == NULL)
		return NET_FAILURE;
	tcp_use_tls(&l->tcp, tls, l->m->opt.tls_ms);
	return NET_OK;
}

/* From here on each packet has its own time, W800 manual, CIPSTART. */
void link_tls_shaking(void *ctx)
{
	struct link *l = ctx;

	if (l->open_timer != NULL)
		evtimer_del(l->open_timer);
}

void link_tls_note(struct link *l, int err)
{
	struct tls_facts f;

	if (err == 0) {
		tls_facts(l->tcp.tls, &f);
		record_event(&l->m->record, "tls %u %s %s", l->id, f.version,
			     f.cipher);
		return;
	}
	if (err == EPROTO)
		snprintf(l->why, sizeof(l->why), "%s", tls_why(l->tcp.tls));
	else if (l->tcp.tls != NULL)
		snprintf(l->why, sizeof(l->why), "handshake: %s",
			 strerror(err));
	record_event(&l->m->record, "tls %u failed: %s", l->id, l->why);
}

/* Q110: the record of close_notify is held like any other. */
void link_tls_ended(struct link *l)
{
	if (l->type == LINK_TLS && tls_state(l->tcp.tls) == TLS_ENDED &&
	    quirk_take(l->m->opt.quirks, QUIRK_TLS_END_ANNOUNCED))
		l->stray = END_RECORD;
}

void link_read_nothing(struct modem *m, unsigned int id)
{
	struct link *l = &m->links[id];

	l->stray = 0;
	l->announced = false;
	link_end_if_empty(l);
}

size_t link_buffered(const struct modem *m, unsigned int id)
{
	const struct tcp *t = &m->links[id].tcp;

	return evbuffer_get_length(t->rx) + m->links[id].stray +
	       (t->tls != NULL ? tls_overhead(t->tls) : 0);
}
