/* SPDX-License-Identifier: MIT */

/*
 * private - what the files of the broker share. Nobody else includes it.
 *
 *   broker.c   construction, clients coming and going
 *   news.c     what the modem reports, to owners and subscribers
 *   record.c   what the history is told of it
 *   request.c  what clients ask: decoded, and handed to one of the next
 *   links.c    links: what is asked of them
 *   admin.c    network up and down, restart
 *   ask.c      of these, questions that the modem answers later
 *   options.c  of these, the options of the modem's sockets
 *   time.c     of these, the modem's clock
 *   report.c   answers that describe: status, links, clients
 *   lease.c    the modem for one client alone: asked for, told, ended
 *   lease_grant.c  whether it may have it; lease_say.c: what is said of it
 *   pages.c    answers that come in pages: history, trace
 *   listen.c   listeners: what is asked of them; listen_news.c: what is heard
 *   listeners.c  ... the list of all
 *   datagram.c where datagrams go
 *   open.c     Open: every field checked
 *   name.c     host names and other text from outside, checked
 */

#ifndef MODEMD_BROKER_PRIVATE_H
#define MODEMD_BROKER_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "broker/broker.h"
#include "broker/client.h"
#include "driver/driver.h"
#include "modem/modem.h"
#include "wire.h"

struct at_trace_row;
struct driver_to;

#define CLIENT_QUEUE_MAX	262144	/* bytes of replies and events */
#define CLIENT_LINKS_MAX	64	/* also waiting ones */
#define CLIENT_PENDING_MAX	64	/* requests without a reply yet */

/* A link that a client asked for, until the modem has told its end. */
struct owned {
	TAILQ_ENTRY(owned) entry;
	struct client *owner;		/* NULL: gone, its end is still due */
	uint64_t link;
	enum link_kind kind;
	bool tls;
	bool in_history;		/* its session's row is open */
	uint64_t noted;			/* bytes last written there */
	char remote[280];
	/* of the owner, for the history, also when it has gone */
	char name[WIRE_NAME_MAX + 1];
	struct client_creds creds;
};

TAILQ_HEAD(owned_list, owned);

/* A listener that a client asked for, until the modem has told its end. */
struct owned_listener {
	TAILQ_ENTRY(owned_listener) entry;
	struct client *owner;		/* NULL: gone, its end is still due */
	uint64_t listener;
	char name[WIRE_NAME_MAX + 1];
	struct client_creds creds;
};

TAILQ_HEAD(owned_listener_list, owned_listener);

/* A request whose reply comes later. */
struct pending {
	TAILQ_ENTRY(pending) entry;
	struct client *client;
	uint64_t request_id;
	uint32_t query;			/* of the modem; 0: */
	int history;			/* of the history */
	bool events;			/* its events were asked for */
	bool reverse;			/* a name was asked for */
	enum {
		PENDING_QUERY,
		PENDING_NETWORK_UP,
		PENDING_NETWORK_DOWN,
		PENDING_RESET,
	} admin;
	/* ask.c: the kind of its request; 0: another */
	int what;
	char address[DRIVER_ADDRESS_MAX * 4];	/* of the last echo, escaped */
	uint64_t link;			/* confirmed bytes */
	struct wish *wishes;		/* options to be set, one by one */
	size_t wish_count, wish_next;
	struct time_wish *time;		/* the clock is to be set */
	uint64_t listener;		/* it is to start or to stop */
	bool unlisten;			/* to stop */
	bool lease;			/* a session was */
};

TAILQ_HEAD(pending_list, pending);

struct client {
	TAILQ_ENTRY(client) entry;
	struct broker *broker;
	struct client_conn *conn;
	struct client_creds creds;
	struct timer *hello_timer;
	uint64_t id;
	bool hello;
	bool admin;
	char name[WIRE_NAME_MAX + 1];
	struct pending_list pending;
	unsigned int pending_count;
	unsigned int links;
	bool lease_asked, lease_agreed;	/* as the owner of listeners */
	bool want_network, want_links, want_trace, want_payload;
	uint64_t sent, received, events_lost, events_lost_told;
	int64_t connected_wall_ms, connected_mono_ms;
};

TAILQ_HEAD(client_list, client);

/* A wish for the whole modem, then the session. */
struct lease {
	struct broker *broker;
	struct owned *owned;	/* its link, in the modem once granted */
	struct pending *pending;	/* whose reply is due; NULL: none */
	bool granted, connected, ending;
	char host[DRIVER_HOST_MAX + 1];
	struct lease_args args;
	struct timer *deadline;	/* of the wish */
};

struct broker {
	struct broker_args args;
	struct modem *modem;
	struct client_listener *listener;
	struct client_list clients;
	struct owned_list owned;
	struct owned_listener_list owned_listeners;
	unsigned int client_count;
	uint64_t next_client;
	int64_t started_wall_ms;
	struct timer *notes;		/* bytes into the history, now and then */
	bool network_noted;		/* a network session is open there */
	char modem_noted[400];		/* the last state written there */
	struct lease *lease;		/* the one there is; NULL: none */
	bool clock_confirmed;
	bool stopping;
	uint64_t options_set;		/* by admins; a bit for each */
};

/* broker.c */
struct owned *broker_find(struct broker *b, uint64_t link);
void broker_forget(struct broker *b, struct owned *o);
void client_reply(struct client *c, Modemd__V1__Reply *reply);
void client_event(struct client *c, Modemd__V1__Event *event);
void client_tell(struct client *c, Modemd__V1__Event *event);
bool client_is_full(const struct client *c);
struct pending *pending_new(struct client *c, uint64_t request_id);
void pending_free(struct pending *p);

/* news.c */
extern const struct modem_ops broker_modem_ops;
void news_watch_trace(struct broker *b);
void news_link(struct broker *b, struct owned *o, const char *what,
	       const struct link_end *how);
void news_event(struct broker *b, Modemd__V1__Event *event,
		bool (*wants)(const struct client *c));

/* lease.c */
void lease_ask(struct client *c, uint64_t id, const Modemd__V1__Lease *req);
void lease_end(struct client *c, uint64_t id, const Modemd__V1__Unlease *req);
void lease_answer(struct client *c, uint64_t id,
		  const Modemd__V1__LeaseAnswer *req);
/* Its request was cancelled. */
void lease_cancel(struct broker *b);
/* Before its links are closed. */
void lease_client_gone(struct broker *b, struct client *c);
/* True: the news is about a session's link and has been told. */
bool lease_opened(struct broker *b, struct owned *o,
		  const struct link_end *how);
void lease_closed(struct broker *b, const struct owned *o, const char *reason);
void lease_stop(struct broker *b);
void lease_free(struct broker *b);
/* Ends the wish, and replies. */
__attribute__((format(printf, 3, 4)))
void lease_refuse(struct lease *l, int err, const char *fmt, ...);

/* lease_say.c */
/* "the modem is leased to NAME ...": false: it is not. */
bool lease_words(struct broker *b, char *out, size_t size);
bool lease_fill(struct broker *b, Modemd__V1__LeaseInfo *out);
void lease_tell(const struct lease *l, const char *state, const char *reason,
		bool all);
/* Its listener began while somebody waits for the owners of all. */
void lease_ask_owner(struct client *c);

/* lease_grant.c */
/* Links or listeners have gone: it may be granted now. */
void lease_look(struct broker *b);
void lease_deadline(void *ctx);

/* listen.c: does the client own a listener? */
bool listen_owns(const struct client *c);

/* record.c */
void record_open(struct broker *b, struct owned *o, uint32_t epoch);
void record_close(struct broker *b, struct owned *o,
		  const struct link_end *how);
void record_bytes(void *ctx);
bool record_modem(struct broker *b, const struct modem_status *st);
void record_network(struct broker *b, const struct modem_status *st);

/* listen.c */
void listen_request(struct client *c, uint64_t id,
		    const Modemd__V1__Listen *req);
void listen_stop(struct client *c, uint64_t id,
		 const Modemd__V1__Unlisten *req);
void listen_policy(struct client *c, uint64_t id,
		   const Modemd__V1__AcceptPolicy *req);
void listen_cancel(struct pending *p);
void listen_owner_gone(struct broker *b, const struct client *c);
void listen_failed(struct client *c, uint64_t id, unsigned int port, int err);

/* listeners.c */
void listen_report(struct client *c, uint64_t id);

/* listen_news.c */
struct owned_listener *listen_find(struct broker *b, uint64_t listener);
void listen_forget(struct broker *b, struct owned_listener *o);
void listen_free(struct broker *b);
void listen_on_listening(void *ctx, uint64_t listener, int err,
			 const char *text);
void listen_on_accepted(void *ctx, uint64_t listener, uint64_t link,
			const char *peer);
void listen_on_refused(void *ctx, uint64_t listener, const char *peer,
		       int err);
void listen_on_lost(void *ctx, uint64_t listener, const char *reason);
void listen_on_restored(void *ctx, uint64_t listener);
void listen_on_unlistened(void *ctx, uint64_t listener, int err,
			  const char *reason);

/* links.c */
struct owned *owned_new(struct client *c, enum link_kind kind,
			const char *host, unsigned int port);
void reply_open(struct client *c, uint64_t id, uint64_t link,
		const struct link_args *args);
void links_send(struct client *c, uint64_t id, const Modemd__V1__Send *req);
void links_credit(struct client *c, uint64_t id,
		  const Modemd__V1__Credit *req);
void links_close(struct client *c, uint64_t id, const Modemd__V1__Close *req);

/* request.c */
void request_failed(struct client *c, uint64_t id, int err);
void request_handle(struct client *c, const uint8_t *buf, size_t len);
__attribute__((format(printf, 4, 5)))
void request_reply(struct client *c, uint64_t id, int err, const char *fmt,
		   ...);
/* The question is on its way; or @err says why not, and @p is freed. */
void request_asked(struct client *c, uint64_t id, struct pending *p, int err);

/* Of a request; what is unknown is any. */
enum driver_family request_family(bool has, Modemd__V1__Family family);

/* True: it is this client's; false: that it is not was replied. */
bool request_owns(struct client *c, uint64_t id, uint64_t link);

/* ask.c */
void ask_confirmed(struct client *c, uint64_t id,
		   const Modemd__V1__ConfirmedRequest *req);
void ask_at(struct client *c, uint64_t id, const Modemd__V1__At *req);
void ask_ping(struct client *c, uint64_t id, const Modemd__V1__Ping *req);
void ask_progress(void *ctx, uint32_t query, unsigned int seq,
		  const struct driver_echo *echo);
void ask_answered(struct pending *p, int err, const struct driver_answer *a);

/* options.c */
void ask_config(struct client *c, uint64_t id, const Modemd__V1__Config *req);
void config_answered(struct pending *p, int err,
		     const struct driver_answer *a);

/* time.c */
void ask_time(struct client *c, uint64_t id,
	      const Modemd__V1__TimeRequest *req);
void time_answered(struct pending *p, int err, const struct driver_answer *a);

/* ---------------------------------------------------- filling messages */

/* protobuf-c has no const: what it is given to pack it only reads. */
static inline char *msg_str(const char *s)
{
	return (char *)(uintptr_t)s;
}

/* "" is not sent. */
static inline char *msg_opt(const char *s)
{
	return s && s[0] ? msg_str(s) : NULL;
}

#define MSG_SET(msg, field, value) \
	do { (msg)->has_##field = true; (msg)->field = (value); } while (0)

/* admin.c */
void admin_network(struct client *c, uint64_t id,
		   const Modemd__V1__Network *req);
void admin_reset(struct client *c, uint64_t id, const Modemd__V1__Reset *req);
void admin_network_changed(struct broker *b, const struct modem_status *st);
void admin_restarted(void *ctx, int err, const char *text);

/* report.c */
void report_reply(struct client *c, uint64_t id, int result_case, void *result);
void report_status(struct client *c, uint64_t id);
void report_links(struct client *c, uint64_t id);
void report_clients(struct client *c, uint64_t id);
void report_counts(Modemd__V1__Counts *out, const struct link_counts *in);
void report_link(struct broker *b, const struct link_info *info,
		 Modemd__V1__LinkInfo *out);

/* pages.c */
void report_history(struct client *c, uint64_t id,
		    const Modemd__V1__HistoryRequest *req);
void report_trace(struct client *c, uint64_t id,
		  const Modemd__V1__TraceRequest *req);
void report_trace_row(Modemd__V1__TraceRow *out, char *text, size_t size,
		      const struct at_trace_row *row, bool payload);

/* open.c */
void open_request(struct client *c, uint64_t id, const Modemd__V1__Open *req);
/* Has this modem that capability, a word of HelloReply? */
bool broker_can(struct broker *b, const char *capability);

/* datagram.c: what is wrong, a sentence, or NULL */
const char *datagram_check_open(const Modemd__V1__Open *req, char *host);
const char *datagram_check_send(const Modemd__V1__Send *req, char *address,
				struct driver_to *to);
/* @text: room for the words. */
const char *datagram_send_error(struct broker *b, int err, bool named,
				char *text, size_t size);

/* name.c */
/* An IPv4 or IPv6 address; @out: INET6_ADDRSTRLEN bytes. */
bool name_take_address(const ProtobufCBinaryData *in, char *out);
/* Of an address; what is none is any. */
enum driver_family name_family(const char *text);
int name_check_host(const ProtobufCBinaryData *in, char *out, size_t size,
		    const char **why);
int name_check_text(const ProtobufCBinaryData *in, char *out, size_t size,
		    const char **why);

#endif
