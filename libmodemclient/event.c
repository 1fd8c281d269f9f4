/* SPDX-License-Identifier: MIT */

#include "event.h"

#include "link.h"
#include "listener.h"
#include "rows.h"

/* Those of a link: unknown links are ones that the program has freed. */
static int handle_link_event(struct modemclient *mc,
			     const Modemd__V1__Event *ev)
{
	struct modemclient_link *l;

	switch (ev->kind_case) {
	case MODEMD__V1__EVENT__KIND_QUEUED:
		if ((l = link_find(mc, ev->queued->link)))
			link_queued(l, ev->queued);
		return 0;
	case MODEMD__V1__EVENT__KIND_OPENED:
		if ((l = link_find(mc, ev->opened->link)))
			link_opened(l, ev->opened);
		return 0;
	case MODEMD__V1__EVENT__KIND_DATA:
		l = link_find(mc, ev->data->link);
		return l ? link_data(l, ev->data) : 0;
	case MODEMD__V1__EVENT__KIND_SENT:
		l = link_find(mc, ev->sent->link);
		return l ? link_sent(l, ev->sent) : 0;
	case MODEMD__V1__EVENT__KIND_CONFIRMED:
		if ((l = link_find(mc, ev->confirmed->link)))
			link_confirmed(l, ev->confirmed);
		return 0;
	case MODEMD__V1__EVENT__KIND_CLOSED:
		if ((l = link_find(mc, ev->closed->link)))
			link_closed(l, ev->closed);
		return 0;
	case MODEMD__V1__EVENT__KIND_LINK_LOST:
		if ((l = link_find(mc, ev->link_lost->link)))
			link_lost(l, ev->link_lost);
		return 0;
	case MODEMD__V1__EVENT__KIND_LINK_RESTORED:
		if ((l = link_find(mc, ev->link_restored->link)))
			link_restored(l, ev->link_restored);
		return 0;
	case MODEMD__V1__EVENT__KIND_ACCEPTED:
		return listener_accepted(mc, ev->accepted);
	case MODEMD__V1__EVENT__KIND_LISTENER_LOST:
		listener_lost(mc, ev->listener_lost);
		return 0;
	case MODEMD__V1__EVENT__KIND_LISTENER_RESTORED:
		listener_restored(mc, ev->listener_restored);
		return 0;
	default:	/* newer than this library, or about the modem */
		return 0;
	}
}

static void emit_trace(struct modemclient *mc, struct modemclient_event *news,
		       const Modemd__V1__TraceRow *trace)
{
	struct modemclient_trace_row row;

	rows_trace(&row, trace);
	news->type = MODEMCLIENT_EVENT_TRACE;
	news->trace = &row;
	client_emit(mc, news);
}

static void emit_link_news(struct modemclient *mc,
			   struct modemclient_event *news,
			   const Modemd__V1__LinkNews *ev)
{
	struct modemclient_link_info info;

	if (!ev->link)
		return;
	rows_link(&info, ev->link);
	news->type = MODEMCLIENT_EVENT_LINK_NEWS;
	news->info = &info;
	news->epoch = info.epoch;
	news->state = ev->what ? ev->what : info.state;
	news->reason = ev->reason;
	client_emit(mc, news);
}

static void handle_modem_event(struct modemclient *mc,
			       struct modemclient_event *news,
			       const Modemd__V1__Event *ev)
{
	switch (ev->kind_case) {
	case MODEMD__V1__EVENT__KIND_NETWORK:
		news->type = MODEMCLIENT_EVENT_NETWORK;
		news->state = ev->network->state;
		news->reason = ev->network->reason;
		news->address = ev->network->address;
		break;
	case MODEMD__V1__EVENT__KIND_MODEM:
		news->type = MODEMCLIENT_EVENT_MODEM;
		news->state = ev->modem->state;
		news->reason = ev->modem->reason;
		break;
	case MODEMD__V1__EVENT__KIND_LEASE:
		news->type = MODEMCLIENT_EVENT_LEASE;
		news->count = ev->lease->link;
		news->state = ev->lease->state;
		news->reason = ev->lease->reason ? ev->lease->reason :
			       ev->lease->client;
		news->deadline_ms = ev->lease->left_ms;
		break;
	case MODEMD__V1__EVENT__KIND_STOPPING:
		news->type = MODEMCLIENT_EVENT_STOPPING;
		news->deadline_ms = ev->stopping->deadline_ms;
		break;
	case MODEMD__V1__EVENT__KIND_EVENTS_LOST:
		news->type = MODEMCLIENT_EVENT_EVENTS_LOST;
		news->count = ev->events_lost->count;
		break;
	case MODEMD__V1__EVENT__KIND_PING:
		ping_heard(mc, ev->ping, news);
		return;
	case MODEMD__V1__EVENT__KIND_TRACE:
		emit_trace(mc, news, ev->trace);
		return;
	case MODEMD__V1__EVENT__KIND_LINK_NEWS:
		emit_link_news(mc, news, ev->link_news);
		return;
	default:	/* newer than this library, or about a link */
		return;
	}
	client_emit(mc, news);
}

int event_handle(struct modemclient *mc, const Modemd__V1__Event *ev)
{
	struct modemclient_event news = {
		.wall_ms = ev->wall_ms,
		.mono_ms = ev->mono_ms,
	};

	handle_modem_event(mc, &news, ev);

	return handle_link_event(mc, ev);
}
