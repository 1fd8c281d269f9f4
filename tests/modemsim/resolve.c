/* SPDX-License-Identifier: MIT */

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
	enum family family;
	void (*done)(void *ctx, const struct address *addr);
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
		      const struct address *addr)
{
	char text[ADDRESS_TEXT];

	if (find_unanswered(m, host) != NULL ||
	    find_unanswered(m, address_text(addr, text)) != NULL ||
	    address_is_documentation(addr))
		return false;
	return m->opt.allow_network || address_is_loopback(addr);
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

/* The first of @family in --host; @named: the table knows the name. */
static bool in_table(const struct modem *m, const char *host,
		     enum family family, struct address *addr, bool *named)
{
	size_t i;

	for (i = 0; i < m->opt.n_hosts; i++) {
		if (strcasecmp(m->opt.hosts[i].name, host) != 0)
			continue;
		*named = true;
		if (address_parse(addr, m->opt.hosts[i].address) &&
		    address_fits(addr, family))
			return true;
	}
	return false;
}

static bool without_network(const struct modem *m, const char *host,
			    enum family family, struct address *addr)
{
	bool named = false;

	if (in_table(m, host, family, addr, &named))
		return true;
	if (named)
		return false;
	if (address_parse(addr, host))
		return address_fits(addr, family);
	/* an unanswered name needs some address: one that is never used */
	if (find_unanswered(m, host) != NULL)
		return address_parse(addr, family == FAMILY_V6 ?
				     "2001:db8::1" : "192.0.2.1");
	address_loopback(addr, family);
	return strcasecmp(host, "localhost") == 0;
}

bool resolver_knows(const struct modem *m, const char *host,
		    enum family family, struct address *addr)
{
	if (family != FAMILY_V4_FIRST)
		return without_network(m, host, family, addr);
	return without_network(m, host, FAMILY_V4, addr) ||
	       without_network(m, host, FAMILY_V6, addr);
}

const char *resolver_name_of(const struct modem *m,
			     const struct address *addr)
{
	struct address other;
	size_t i;

	for (i = 0; i < m->opt.n_hosts; i++) {
		if (address_parse(&other, m->opt.hosts[i].address) &&
		    address_same_host(&other, addr))
			return m->opt.hosts[i].name;
	}
	address_loopback(&other, address_is_v6(addr) ? FAMILY_V6 : FAMILY_V4);
	return address_same_host(&other, addr) ? "localhost" : NULL;
}

static void finish(struct resolve *r, const struct address *addr)
{
	if (!r->cancelled)
		r->done(r->ctx, addr);
	event_free(r->timer);
	free(r);
}

/* IPv4 is taken before IPv6, where both may be. */
static bool choose(const struct evutil_addrinfo *res, enum family family,
		   struct address *addr)
{
	bool found = false;

	for (; res != NULL; res = res->ai_next) {
		struct address this;

		memset(&this, 0, sizeof(this));
		if (res->ai_addrlen > sizeof(this))
			continue;
		memcpy(&this, res->ai_addr, res->ai_addrlen);
		if (!address_fits(&this, family) ||
		    (found && address_is_v6(&this)))
			continue;
		*addr = this;
		found = true;
	}
	return found;
}

static void on_dns(int result, struct evutil_addrinfo *res, void *ctx)
{
	struct resolve *r = ctx;
	struct address addr;
	bool found = result == 0 && choose(res, r->family, &addr);

	if (res != NULL)
		evutil_freeaddrinfo(res);
	r->request = NULL;
	finish(r, found ? &addr : NULL);
}

static void ask_network(struct resolve *r)
{
	static const int families[] = {
		[FAMILY_V4_FIRST] = AF_UNSPEC, [FAMILY_V4] = AF_INET,
		[FAMILY_V6] = AF_INET6,
	};
	struct evutil_addrinfo hints = {
		.ai_family = families[r->family], .ai_socktype = SOCK_STREAM,
	};
	struct resolver *res = &r->m->resolver;

	if (res->dns == NULL)
		res->dns = evdns_base_new(r->m->base,
				EVDNS_BASE_INITIALIZE_NAMESERVERS |
				EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	if (res->dns == NULL) {
		finish(r, NULL);
		return;
	}
	r->request = evdns_getaddrinfo(res->dns, r->host, NULL, &hints,
				       on_dns, r);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct resolve *r = ctx;
	struct address addr;
	bool ok = resolver_knows(r->m, r->host, r->family, &addr);

	(void)fd;
	(void)what;
	if (!ok && r->m->opt.allow_network)
		ask_network(r);
	else
		finish(r, ok ? &addr : NULL);
}

struct resolve *resolve_start(struct modem *m, const char *host,
			      enum family family,
			      void (*done)(void *ctx,
					   const struct address *addr),
			      void *ctx)
{
	struct resolve *r = calloc(1, sizeof(*r) + strlen(host) + 1);
	struct timeval tv = clock_tv_ms(m->opt.dns_ms);

	if (r == NULL)
		return NULL;
	r->m = m;
	r->family = family;
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
