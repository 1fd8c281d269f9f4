/* SPDX-License-Identifier: MIT */

/*
 * Which driver speaks with the modem. The configuration names it, or the one
 * that finds it out; then another modem may be found after each restart and
 * each new device. Nobody is refused before that is known. What waits then,
 * and cannot be with this modem, ends.
 */

#include <errno.h>

#include "at/channel.h"
#include "base/config.h"
#include "base/log.h"
#include "base/timer.h"
#include "modem/private.h"

/* Frees what waits aside. */
void speak_end(struct modem *m)
{
	if (m->aside)
		m->aside_driver->free(m->aside);
	m->aside = NULL;
}

static const struct driver *configured(const struct modem *m)
{
	return driver_find(m->cfg->modem.dialect);
}

/* Before it is known it has no links at all. */
bool speak_knows(const struct modem *m)
{
	return m->driver->max_links > 0;
}

/* The one that spoke before waits aside: should the same modem come back, it
 * knows what people have set. */
static void *make(struct modem *m, const struct driver *driver)
{
	const struct driver_env env = {
		.channel = m->channel,
		.timers = m->timers,
		.state = m->store,
		.modem = &m->cfg->modem,
		.links = &m->cfg->links,
		.events = &modem_driver_events,
		.up = m,
	};

	if (m->aside && m->aside_driver == driver)
		return m->aside;

	/* cppcheck-suppress returnDanglingLifetime ; new() copies it */
	return driver->new(&env);
}

static int take_driver(struct modem *m, const struct driver *driver)
{
	void *d;
	int err;

	d = make(m, driver);
	if (!d)
		return -ENOMEM;
	err = at_channel_set_dialect(m->channel, driver->dialect);
	if (err) {
		if (d != m->aside)
			driver->free(d);
		return err;
	}
	if (d != m->aside)
		speak_end(m);
	m->aside = m->d;
	m->aside_driver = m->driver;
	m->driver = driver;
	m->d = d;
	m->max_send = driver->max_send;
	m->push_unnamed = false;
	modem_list_capabilities(m);

	return 0;
}

int speak_begin(struct modem *m)
{
	const struct driver *driver = configured(m);

	return driver ? take_driver(m, driver) : -EINVAL;
}

bool speak_may_change(const struct modem *m)
{
	return m->driver != configured(m);
}

/* What was asked could wait for ever: it may be a modem that none can speak
 * with. */
void speak_fails(struct modem *m)
{
	if (!speak_knows(m))
		queries_fail(m, -ENODEV);
}

/* So it was, and it is tried again later. */
bool speak_failed(const struct modem *m)
{
	return !speak_knows(m) && m->have_stage && timer_pending(m->retry);
}

/* Whatever answered before: what answers now may be another. Not from within
 * the driver. */
void speak_anew(struct modem *m)
{
	m->found = NULL;
	m->speak_anew = false;
	if (!speak_may_change(m))
		return;
	queries_fail(m, -ENODEV);	/* asked of the one before */
	if (take_driver(m, configured(m)))
		log_warn("modem: out of memory: goes on as before");
}

/* ------------------------------------------------------ once that is known */

static unsigned int link_needs(const struct modem *m, const struct link *l)
{
	switch (l->kind) {
	case LINK_UDP:
		return DRIVER_CAP_UDP;
	case LINK_LEASE:
		return l == m->lease ? DRIVER_CAP_TRANSPARENT : 0;
	case LINK_TCP:
	case LINK_INBOUND:
		break;
	}

	return 0;
}

static void end_what_cannot_be(struct modem *m)
{
	static const char text[] = "this modem cannot do that";
	struct listener *s;
	struct link *l;

	TAILQ_FOREACH(l, &m->links, entry) {
		if (l->state != LINK_ENDED &&
		    ((link_needs(m, l) & ~m->driver->caps) ||
		     link_check_options(l)))
			link_end(l, -EOPNOTSUPP, "not-supported", text);
	}
	TAILQ_FOREACH(s, &m->listeners, entry) {
		if (s->state != LISTENER_ENDED &&
		    !listener_can_be(m, s->family, s->tls))
			listener_end(s, -EOPNOTSUPP, "not-supported", text);
	}
}

/* From the driver: this one it is. It is still within that driver. */
void speak_found(struct modem *m, const struct driver *driver)
{
	if (!m->staging)
		return;
	m->found = driver;
	modem_kick_soon(m);
}

void speak_run(struct modem *m)
{
	const struct driver *driver = m->found;

	m->found = NULL;
	if (!driver || !m->staging)	/* it has gone meanwhile */
		return;
	if (take_driver(m, driver)) {
		life_staged(m, DRIVER_IDENTIFY, -ENOMEM, "out of memory");
		return;
	}
	m->staging = false;
	log_info("modem: speaks %s", driver->name);
	end_what_cannot_be(m);
	life_want_stage(m, DRIVER_IDENTIFY);
	m->ops->modem_changed(m->ctx);
}
