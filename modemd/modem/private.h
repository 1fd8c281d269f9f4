/* SPDX-License-Identifier: MIT */

/*
 * private - what the files of the modem layer call of one another. Nobody else
 * includes it. What they share in memory is in structs.h.
 *
 *   modem.c     construction, status
 *   find.c      the modem on its device: the rate at which it answers
 *   life.c      power to network and back: states, stages, recovery
 *   links.c     links: what clients ask of them, all at once lost or stopped
 *   link.c      ... one of them: its states, its slot, and how it ends
 *   events.c    what the driver reports
 *   schedule.c  what goes over the line next
 *   due.c       ... and when to look again, without being told
 *   ending.c    how links end by themselves
 *   receive.c   pull or push, and data that comes
 *   datagram.c  datagrams on their way to the modem
 *   firmware.c  what was learnt of this firmware, kept
 *   query.c     the queue of questions; names and their answers
 *   ask.c       the other questions: ping, confirmed bytes, options, raw AT
 *   audit.c     the modem's own table of links, compared with ours
 *   network.c   network up and down, restarts, and the ladder to them
 *   steps.c     from power to network in plain words
 *   listen.c    listeners: what is asked of them
 *   listener.c  ... their states, and how they end
 *   server.c    the modem's servers, which listeners use
 *   accept.c    connections: who gets in, and which slot
 *   accept_audit.c  ... as the modem's own table tells
 *   early.c     what they send before anybody knows who they are
 *   link_options.c  what its owner asked of a link, kept for its restoring
 *   blocking.c  commands that block the line: when, and what goes on
 *   lease.c     the exclusive session: a link that has the line for itself
 *   speak.c     which driver speaks with the modem
 */

#ifndef MODEMD_MODEM_PRIVATE_H
#define MODEMD_MODEM_PRIVATE_H

#include "driver/driver.h"
#include "modem/modem.h"
#include "modem/structs.h"

/* find.c */
void find_init(struct modem *m);
void find_port(struct modem *m);
void find_rate(struct modem *m);
void find_restarting(struct modem *m);
void find_restarted(struct modem *m);
void find_synced(struct modem *m);
void find_silent(struct modem *m);
void find_port_lost(struct modem *m, int err);
bool find_wants_raise(const struct modem *m);
void find_raise(struct modem *m);
void find_note_lease(struct modem *m, const char *value);

/* life.c */
void life_start(struct modem *m);
void life_retry(void *ctx);
void life_set_state(struct modem *m, enum modem_state to, const char *reason);
bool life_step(struct modem *m);
void life_staged(struct modem *m, enum driver_stage stage, int err,
		 const char *text);
void life_waiting(struct modem *m, const char *text, uint32_t again_ms);
void life_network_lost(struct modem *m, const char *text);
void life_rebooted(struct modem *m, const char *text);
void life_hopeful(struct modem *m, const char *text);
void life_set_network(struct modem *m, enum network_state to,
		      const char *reason);
void life_retry_later(struct modem *m);
void life_want_stage(struct modem *m, enum driver_stage stage);
void life_restarting(struct modem *m, const char *reason);
/* The network is closed for a session; and is opened again after it. @sure:
 * it is in command mode. */
void life_leased(struct modem *m);
void life_unleased(struct modem *m, bool sure);

/* speak.c */
int speak_begin(struct modem *m);
void speak_end(struct modem *m);
bool speak_knows(const struct modem *m);
bool speak_may_change(const struct modem *m);
bool speak_failed(const struct modem *m);
void speak_fails(struct modem *m);
void speak_anew(struct modem *m);
void speak_found(struct modem *m, const struct driver *driver);
void speak_run(struct modem *m);

/* audit.c */
#define PULL_ERRORS_MAX	3	/* in a row: then the link is looked into */
void audit_want(struct modem *m);
bool audit_start(struct modem *m);
void audit_done(struct modem *m, const struct driver_table *table, int err);
void audit_look_at_line(struct modem *m);
int64_t audit_due(const struct modem *m);
void check_done(struct modem *m, int err, const char *text);

/* network.c */
#define RESTART_QUERY	0	/* its id; those of queries begin with 1 */
void network_wish(struct modem *m);
bool network_usable(const struct modem *m);
bool network_down_step(struct modem *m);
void network_closed(struct modem *m, int err, const char *text);
void network_contexts_done(struct modem *m, const char *text);
const char *network_ladder(const struct modem *m);
bool restart_step(struct modem *m);
void restart_answered(struct modem *m, int err, const char *text);
void restart_went_down(struct modem *m, int err);

/* steps.c */
void steps_note(struct modem *m);

/* link.c */
struct link *link_find(struct modem *m, uint64_t id);
struct link *link_new(struct modem *m, const struct link_args *args);
void link_free(struct link *l);
void link_set_state(struct link *l, enum link_state to);
bool link_take_slot(struct link *l);
void link_release_slot(struct link *l);
bool link_slots_are_kept(const struct modem *m);
void link_end(struct link *l, int err, const char *reason, const char *text);
void link_lose(struct link *l, int err, const char *reason, const char *text);
void link_drop_unsent(struct link *l);
void link_fill_end(const struct link *l, struct link_end *end);
void link_fill_info(const struct link *l, struct link_info *info);

/* links.c */
unsigned int links_inbound(const struct modem *m, uint64_t listener);
void links_lost(struct modem *m, int err, const char *reason, bool all);
void links_reap(void *ctx);
void links_stop(struct modem *m);
void links_free(struct modem *m);

/* ending.c */
void link_drained(struct link *l);
void link_is_drained(struct link *l);
void link_check_drained(struct link *l);
void link_peer_closed(struct link *l, enum driver_close why,
		      const char *text);
void link_vanished(struct link *l);
void link_line_lost(struct link *l);
void link_send_failed(struct link *l, int err, const char *text);
void link_send_later(struct link *l, const char *text);
/* datagram.c */
struct cut *cut_add(struct cut_list *list, size_t len, const char *address,
		    unsigned int port);
void cut_drop(struct cut_list *list);
void cuts_free(struct cut_list *list);
int datagram_queue(struct link *l, const void *data, size_t len,
		   const struct driver_to *to);
size_t datagram_next(const struct link *l, struct driver_to *to);
bool datagram_refused(struct link *l, int err);
unsigned int datagram_port(struct modem *m);

/* receive.c */
bool receive_step(struct modem *m);
int64_t receive_due(const struct modem *m);
void receive_run(struct modem *m);
void receive_reset(struct modem *m);
void receive_switched(struct modem *m, enum driver_receive mode, int err);
void receive_data(struct link *l, const uint8_t *data, size_t len,
		  const char *from, bool end);
void receive_unnamed(struct modem *m, const uint8_t *data, size_t len,
		     const char *from);
void receive_lost(struct modem *m);
void receive_drop(struct link *l);
bool link_takes_data(const struct link *l);

/* firmware.c */
void firmware_recall(struct modem *m);
void firmware_learn(struct modem *m, const char *what, unsigned long value);

/* modem.c */
void modem_list_capabilities(struct modem *m);

/* schedule.c */
bool slot_is_free(const struct slot *s);
void modem_kick(struct modem *m);
void modem_kick_soon(struct modem *m);
void schedule_kick(void *ctx);

/* due.c */
void due_arm(struct modem *m);
void due_now(void *ctx);

/* listen.c */
bool listener_can_be(const struct modem *m, int family, bool tls);

/* listener.c */
#define LISTENER_WAIT_MS 2000	/* at least, for the audit and old servers */
struct listener *listener_find(struct modem *m, uint64_t id);
void listener_set_state(struct listener *l, enum listener_state to);
void listener_end(struct listener *l, int err, const char *reason,
		  const char *text);
void listener_is_up(struct listener *l);
void listener_failed(struct listener *l, int err, const char *text);
void listener_lose(struct listener *l, const char *reason);
bool listener_exists(const struct modem *m);
void listeners_lost(struct modem *m, int err, const char *reason, bool all);
void listeners_reap(struct modem *m);
void listeners_stop(struct modem *m);
void listeners_free(struct modem *m);
int64_t listeners_due(const struct modem *m);	/* INT64_MAX: never */
void listeners_are_due(struct modem *m);

/* server.c */
bool server_is_free(const struct server *v);
bool servers_step(struct modem *m);
void servers_audited(struct modem *m, const struct driver_table *table);
int64_t servers_due(const struct modem *m);
unsigned int servers_used(const struct modem *m);
void server_on_listening(void *up, unsigned int index, int err,
			 const char *text);
void server_on_unlistened(void *up, unsigned int index, int err,
			  const char *text);
void server_on_lost(void *up, unsigned int index, const char *text);

/* accept.c */
void accept_on_accepted(void *up, unsigned int index, unsigned int slot,
			const char *peer);
bool accept_explains(const struct modem *m, int err);
void accept_move(struct link *l);
/* What runs in it would be taken for the new link's. */
bool accept_is_busy(const struct slot *s);
void accept_take(struct modem *m, unsigned int index, unsigned int slot,
		 const char *peer);
unsigned int accept_only_listener(const struct modem *m);
bool accept_passing(const struct modem *m);

/* accept_audit.c */
void accept_audited(struct modem *m, const struct driver_table *table);
void accept_look(struct modem *m);
void accept_audit_begins(struct modem *m);
bool accept_may_have(const struct link *l);
bool accept_leave(struct link *l);

/* early.c */
void early_data(struct modem *m, struct slot *s, const uint8_t *data,
		size_t len);
void early_readable(struct slot *s);
void early_closed(struct slot *s, enum driver_close why, const char *text);
bool early_has_data(const struct slot *s);
void early_deliver(struct modem *m, unsigned int slot);
void early_drop(struct modem *m, struct slot *s);

/* link_options.c */
int link_keep_options(struct link *l, const struct link_args *args);
void link_forget_options(struct link *l);
void link_open_args(const struct link *l, struct driver_open_args *out);
/* -EOPNOTSUPP: this modem cannot. */
int link_check_options(const struct link *l);

/* blocking.c */
bool blocking_open(const struct modem *m);
bool blocking_may(const struct modem *m);
bool blocking_may_ask(const struct modem *m);
void blocking_begins(struct modem *m, bool question);
bool blocking_open_first(const struct modem *m);
void blocking_answered(struct modem *m);
void blocking_settle(struct modem *m);
bool blocking_wants_push(const struct modem *m);
int64_t blocking_due(const struct modem *m);	/* INT64_MAX: never */

/* lease.c */
bool lease_step(struct modem *m);
void lease_pump(struct modem *m);
void lease_link_ended(struct link *l);
int64_t lease_due(const struct modem *m, const struct link *l);
void lease_expired(void *ctx);
void lease_leased(struct modem *m, int err, const char *text);
void lease_unleased(struct modem *m, int err, const char *text);
void lease_data(struct modem *m, const uint8_t *data, size_t len);
void lease_fill_status(const struct modem *m, struct modem_status *out);

/* query.c */
int query_add(struct modem *m, enum driver_query what, const char *text,
	      uint32_t *id);
/* The same with all of @args, of which text is copied. */
int query_add_args(struct modem *m, enum driver_query what,
		   const struct driver_query_args *args, uint32_t *id);
struct query *query_new(struct modem *m, enum driver_query what,
			const struct driver_query_args *args);
int query_begin(struct modem *m, struct query *q);
void query_end(struct modem *m, struct query *q, int err,
	       const struct driver_answer *answer);
bool query_start(struct modem *m);
/* The next that needs a command keeps the line for long. */
bool query_blocks(const struct modem *m);
void query_answered(struct modem *m, uint32_t id, int err,
		    const struct driver_answer *answer);
void queries_fail(struct modem *m, int err);
void queries_free(struct modem *m);
void names_forget(struct modem *m);

/* ask.c */
bool ping_step(struct modem *m);
void pings_end_cancelled(struct modem *m);
void ping_progress(struct modem *m, uint32_t id,
		   const struct driver_echo *echo);
/* Before a close: what the peer acknowledged is asked. ASK_WAIT: not now. */
enum ask { ASK_DONE, ASK_SENT, ASK_WAIT };
enum ask confirm_step(struct link *l);
bool confirm_wanted(const struct link *l);
void confirm_drained(struct link *l);
bool wait_ack_step(struct modem *m);
/* What an answer means for our own state, before its asker is told. */
void query_learn(struct modem *m, const struct query *q, int err,
		  const struct driver_answer *answer);

/* events.c */
void link_is_open(struct link *l);
const char *open_reason(int err);
extern const struct driver_events modem_driver_events;

#endif
