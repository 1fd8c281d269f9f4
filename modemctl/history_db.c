/* SPDX-License-Identifier: MIT */

/* history --db: the file itself, when no daemon runs. */

#include <stdlib.h>
#include <string.h>

#include "history.h"
#include "history/history.h"

#define PAGE 1000		/* rows at once, what the history allows */

struct page {
	const struct history_ask *ask;
	int64_t last_id;
	size_t rows;
	bool enough;
};

static void to_session(struct modemclient_session *s,
		       const struct history_row *r)
{
	memset(s, 0, sizeof(*s));
	s->id = r->id;
	s->link = r->session.link;
	s->epoch = r->session.epoch;
	s->instance = r->instance;
	s->boot_id = r->boot_id;
	s->client = r->session.client;
	s->pid = r->session.pid;
	s->uid = r->session.uid;
	s->comm = r->session.comm;
	s->unit = r->session.unit;
	s->exe = r->session.exe;
	s->type = r->session.type;
	s->remote = r->session.remote;
	s->slot = r->session.slot;
	s->rule = r->session.rule;
	s->closed = r->closed;
	s->opened_wall_ms = r->opened_wall_ms;
	s->opened_mono_ms = r->opened_mono_ms;
	s->closed_wall_ms = r->closed_wall_ms;
	s->closed_mono_ms = r->closed_mono_ms;
	s->counts.accepted = r->counts.accepted;
	s->counts.taken = r->counts.taken;
	s->counts.confirmed = r->counts.confirmed;
	s->counts.received = r->counts.received;
	s->counts.lost = r->counts.lost;
	s->reason = r->reason ? r->reason : "";
	s->modem_text = r->modem_text ? r->modem_text : "";
	s->clock_confirmed = r->clock_confirmed;
}

static void to_event(struct modemclient_history_event *e,
		     const struct history_row *r)
{
	memset(e, 0, sizeof(*e));
	e->id = r->id;
	e->instance = r->instance;
	e->boot_id = r->boot_id;
	e->wall_ms = r->opened_wall_ms;
	e->mono_ms = r->opened_mono_ms;
	e->kind = r->kind;
	e->text = r->text;
	e->clock_confirmed = r->clock_confirmed;
}

static void take_page(void *ctx, int err, const struct history_row *rows,
		      size_t count)
{
	struct page *p = ctx;
	struct modemclient_session s;
	struct modemclient_history_event e;
	size_t i;

	if (err < 0)
		return;
	p->rows = count;
	for (i = 0; i < count && !p->enough; i++) {
		p->last_id = rows[i].id;
		if (p->ask->events) {
			to_event(&e, &rows[i]);
			p->enough = !p->ask->event(p->ask->table, &e);
		} else {
			to_session(&s, &rows[i]);
			p->enough = !p->ask->session(p->ask->table, &s);
		}
	}
}

int history_db_read(const struct history_ask *ask)
{
	struct page page = { .ask = ask, .rows = PAGE };
	struct history_query q = {
		.events = ask->events,
		.since_wall_ms = ask->query.since_wall_ms ?
			ask->query.since_wall_ms : INT64_MIN,
		.until_wall_ms = ask->query.until_wall_ms ?
			ask->query.until_wall_ms : INT64_MAX,
		.client = ask->query.client,
		.remote = ask->query.remote,
		.reason = ask->query.reason,
	};
	uint64_t left = ask->query.limit ? ask->query.limit : UINT64_MAX;
	char *error = NULL;
	int err = 0;

	/* A page that is not full is the last. */
	while (err == 0 && left > 0 && page.rows == PAGE && !page.enough) {
		q.limit = left < PAGE ? (uint32_t)left : PAGE;
		q.before_id = page.last_id;
		page.rows = 0;
		err = history_read_file(ask->db, &q, take_page, &page, &error);
		left -= page.rows < left ? page.rows : left;
	}
	if (err < 0)
		ctl_fail(ask->ctl, "%s", error ? error : strerror(-err));
	free(error);

	return err < 0 ? CTL_FAILED : CTL_DONE;
}
