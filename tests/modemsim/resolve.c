/* SPDX-License-Identifier: MIT */

#include <arpa/inet.h>
#include <errno.h>
#include <event2/util.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "modem.h"
#include "resolve.h"

struct resolve {
	struct modem *m;
	struct event *timer;
	struct evdns_getaddrinfo_request *request;
	bool cancelled;
	void (*done)(void *ctx, bool ok, struct in_addr addr);
	void *ctx;
	char host[];
};

void resolver_init(struct modem *m)
{
	size_t i;

	m->resolver.m = m;
	LIST_INIT(&m->resolver.unanswered);
	for (i = 0; i < m->opt.n_unanswered; i++)
		resolver_set_unanswered(m, m->opt.unanswered[i], true);
	for (i = 0; i < m->opt.n_slow; i++)
		resolver_set_slow(m, m->opt.slow[i].name, (unsigned int)
				  strtoul(m->opt.slow[i].address, NULL, 10));
}

void resolver_free(struct modem *m)
{
	struct unanswered *u;

	while ((u = LIST_FIRST(&m->resolver.unanswered)) != NULL) {
		LIST_REMOVE(u, entry);
		free(u);
	}
	if (m->resolver.dns != NULL)
		evdns_base_free(m->resolver.dns, 0);
}

static struct unanswered *find_unanswered(const struct modem *m,
					  const char *host)
{
	struct unanswered *u;

	LIST_FOREACH(u, &m->resolver.unanswered, entry) {
		if (strcasecmp(u->host, host) == 0)
			return u;
	}
	return NULL;
}

int resolver_set_unanswered(struct modem *m, const char *host, bool on)
{
	struct unanswered *u = find_unanswered(m, host);

	if (on && u == NULL) {
		u = calloc(1, sizeof(*u) + strlen(host) + 1);
		if (u == NULL)
			return -ENOMEM;
		strcpy(u->host, host);
		LIST_INSERT_HEAD(&m->resolver.unanswered, u, entry);
	} else if (!on) {
		if (u == NULL)
			return -ENOENT;
		LIST_REMOVE(u, entry);
		free(u);
	}
	return 0;
}

bool resolver_answers(const struct modem *m, const char *host,
		      struct in_addr addr)
{
	uint32_t ip = ntohl(addr.s_addr);
	char text[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &addr, text, sizeof(text));
	if (find_unanswered(m, host) != NULL ||
	    find_unanswered(m, text) != NULL)
		return false;
	if (ip >> 8 == 0xc00002)	/* 192.0.2.0/24, RFC 5737 */
		return false;
	return m->opt.allow_network || ip >> 24 == 127;
}

static struct slow_host *find_slow(struct modem *m, const char *host)
{
	struct resolver *r = &m->resolver;
	struct slow_host *s;

	for (s = r->slow; s < r->slow + RESOLVE_SLOW; s++) {
		if (s->ms > 0 && strcasecmp(s->host, host) == 0)
			return s;
	}
	return NULL;
}

int resolver_set_slow(struct modem *m, const char *host, unsigned int ms)
{
	struct slow_host *s = find_slow(m, host);

	if (strlen(host) >= sizeof(s->host))
		return -EINVAL;
	if (s == NULL) {
		for (s = m->resolver.slow; s->ms > 0; s++) {
			if (s == m->resolver.slow + RESOLVE_SLOW - 1)
				return -ENOSPC;
		}
		strcpy(s->host, host);
	}
	s->ms = ms;
	return 0;
}

unsigned int resolver_delay(struct modem *m, const char *host)
{
	const struct slow_host *s = find_slow(m, host);

	return s != NULL ? s->ms : 0;
}

bool resolver_knows(const struct modem *m, const char *host,
		    struct in_addr *addr)
{
	size_t i;

	for (i = 0; i < m->opt.n_hosts; i++) {
		if (strcasecmp(m->opt.hosts[i].name, host) == 0)
			return inet_pton(AF_INET, m->opt.hosts[i].address,
					 addr) == 1;
	}
	if (inet_pton(AF_INET, host, addr) == 1)
		return true;
	/* an unanswered name needs some address: one that is never used */
	if (find_unanswered(m, host) != NULL)
		return inet_pton(AF_INET, "192.0.2.1", addr) == 1;
	if (strcasecmp(host, "localhost") == 0)
		return inet_pton(AF_INET, "127.0.0.1", addr) == 1;
	return false;
}

const char *resolver_name_of(const struct modem *m, struct in_addr addr)
{
	struct in_addr other;
	size_t i;

	for (i = 0; i < m->opt.n_hosts; i++) {
		if (inet_pton(AF_INET, m->opt.hosts[i].address, &other) == 1 &&
		    other.s_addr == addr.s_addr)
			return m->opt.hosts[i].name;
	}
	return addr.s_addr == htonl(INADDR_LOOPBACK) ? "localhost" : NULL;
}

static void finish(struct resolve *r, bool ok, struct in_addr addr)
{
	if (!r->cancelled)
		r->done(r->ctx, ok, addr);
	event_free(r->timer);
	free(r);
}

static void on_dns(int result, struct evutil_addrinfo *res, void *ctx)
{
	struct resolve *r = ctx;
	struct in_addr addr = { 0 };

	if (res != NULL && res->ai_family == AF_INET)
		addr = ((struct sockaddr_in *)(void *)res->ai_addr)->sin_addr;
	else
		result = EVUTIL_EAI_NONAME;
	if (res != NULL)
		evutil_freeaddrinfo(res);
	r->request = NULL;
	finish(r, result == 0, addr);
}

static void ask_network(struct resolve *r)
{
	struct evutil_addrinfo hints = {
		.ai_family = AF_INET, .ai_socktype = SOCK_STREAM,
	};
	struct resolver *res = &r->m->resolver;
	struct in_addr none = { 0 };

	if (res->dns == NULL)
		res->dns = evdns_base_new(r->m->base,
				EVDNS_BASE_INITIALIZE_NAMESERVERS |
				EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	if (res->dns == NULL) {
		finish(r, false, none);
		return;
	}
	r->request = evdns_getaddrinfo(res->dns, r->host, NULL, &hints,
				       on_dns, r);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct resolve *r = ctx;
	struct in_addr addr = { 0 };
	bool ok = resolver_knows(r->m, r->host, &addr);

	(void)fd;
	(void)what;
	if (!ok && r->m->opt.allow_network)
		ask_network(r);
	else
		finish(r, ok, addr);
}

struct resolve *resolve_start(struct modem *m, const char *host,
			      void (*done)(void *ctx, bool ok,
					   struct in_addr addr),
			      void *ctx)
{
	struct resolve *r = calloc(1, sizeof(*r) + strlen(host) + 1);
	struct timeval tv = clock_tv_ms(m->opt.dns_ms);

	if (r == NULL)
		return NULL;
	r->m = m;
	r->done = done;
	r->ctx = ctx;
	strcpy(r->host, host);
	r->timer = evtimer_new(m->base, on_timer, r);
	evtimer_add(r->timer, &tv);
	return r;
}

/* A running request calls back once more, cancelled, and frees then. */
void resolve_cancel(struct resolve *r)
{
	r->cancelled = true;
	if (r->request != NULL) {
		evdns_getaddrinfo_cancel(r->request);
		return;
	}
	event_free(r->timer);
	free(r);
}
