/* SPDX-License-Identifier: MIT */

/*
 * simcom_private - what the files of the SIMCom dialect share: simcom.c (the
 * rules, the table, lines nobody asked for), simcom_boot.c (runs the stages),
 * simcom_stages.c and simcom_sim.c (their steps), simcom_link.c (links),
 * simcom_send.c, simcom_pull.c and simcom_push.c (their bytes),
 * simcom_server.c (servers), simcom_query.c (questions), simcom_ping.c,
 * simcom_config.c, simcom_at.c, simcom_repair.c (radio, contexts, restart),
 * simcom_error.c (what errors mean), simcom_lease.c (the way into a transparent
 * session and out of it), simcom_lease_steps.c (its commands),
 * simcom_stream.c (its bytes), simcom_words.c (what the modem says among
 * them). Nobody else includes it.
 */

#ifndef MODEMD_SIMCOM_PRIVATE_H
#define MODEMD_SIMCOM_PRIVATE_H

#include "at/channel.h"
#include "driver/driver.h"

#define SIMCOM_LINKS	10
#define SIMCOM_SERVERS	4
#define SIMCOM_BLOCK	1500	/* bytes sent, pulled, pushed at a time */
#define SIMCOM_FINAL_MS	5000	/* to OK or ERROR, line time not counted */
/* For the result of an open whose slot an accepted connection has taken. */
#define SIMCOM_COLLISION_MS 2000

/* Indexes into simcom_rules[]. */
enum simcom_rule {
	R_OPENED,
	R_CLOSED,
	R_CLOSE_STATES,
	R_SENT,
	R_READABLE,
	R_PULLED,
	R_PULLED_HEX,
	R_REST,
	R_RXGET_MODE,
	R_RECV_FROM,
	R_RECV_FROM_PLUS,
	R_RECEIVE,
	R_RECEIVE_COLON,
	R_IPD,
	R_IPD_PARENS,
	R_NETOPEN,
	R_NETOPEN_PAIR,
	R_NETCLOSE,
	R_OPEN_FREE,
	R_OPEN_USED,
	R_CLIENT,
	R_CLIENT_BARE,
	R_SERVERS,
	R_SERVERSTOP,
	R_IPCLOSE,
	R_IPCLOSE_BARE,
	R_CIPEVENT,
	R_CIPEVENT_BARE,
	R_IPADDR,
	R_CPIN,
	R_ICCID,
	R_CSQ,
	R_CFUN,
	R_CPSI,
	R_CGATT,
	R_CGDCONT,
	R_CGACT,
	R_CGPADDR,
	R_COPS,
	R_COPS_NONE,
	R_CREG,
	R_CGREG,
	R_CEREG,
	R_CREG_Q,
	R_CGREG_Q,
	R_CEREG_Q,
	R_CREG_URC_LONG,
	R_CGREG_URC_LONG,
	R_CEREG_URC_LONG,
	R_CREG_LONG,
	R_CGREG_LONG,
	R_CEREG_LONG,
	R_DNS_FOUND,
	R_DNS_FAILED,
	R_RDNS_FOUND,
	R_RDNS_FAILED,
	R_PING_ECHO,
	R_PING_TIMEOUT,
	R_PING_SUMMARY,
	R_PING_SUMMARY_OLD,
	R_CIPACK,
	R_CIPTIMEOUT,
	R_CIPCCFG,
	R_CIPSENDMODE,
	R_CIPDNSSET,
	R_CIPERROR,
	R_IP_ERROR_NUM,
	R_IP_ERROR,
	R_CME_ERROR_NUM,
	R_CME_ERROR,
	R_CIPMODE,
	R_CIPMODE_BARE,
	R_CONNECT_FAIL,
	R_CONNECT,
	R_BOOT_RDY,
	R_BOOT_ATREADY,
	R_BOOT_QCRDY,
};

/*
 * What a link waits for from the modem. An operation ends when both its final
 * line and its result were seen. Opening, sending and closing exclude one
 * another, but a close may overtake a send.
 */
struct simcom_link {
	struct simcom *s;
	unsigned int slot;
	bool opening, sending, closing;
	bool final_seen;		/* of the open or the send: OK */
	bool result_seen;
	long result;			/* its <err>, or the bytes confirmed */
	size_t send_len;
	bool inbound;			/* accepted: fixed length only, ref L1114 */
	bool close_pending;		/* +IPCLOSE came in the middle of it */
	enum driver_close why;
	char text[96];			/* the modem's words for it */
	struct timer *deadline;		/* of the result */
	bool udp;
	bool coded;			/* the send under way */
	char to[DRIVER_ADDRESS_MAX];	/* UDP: as open() said, "": nowhere */
	unsigned int to_port;
};

/* One of the modem's servers. A start has no result line, a stop has one, in
 * either order (A7600 manual 2.14, 2.15). */
struct simcom_server {
	struct simcom *s;
	unsigned int index;
	bool starting, stopping;
	bool final_seen, result_seen;	/* of the stop */
	long result;
	char text[96];
	struct timer *deadline;		/* of the result */
};

/* The one pull that can be under way. Bytes are held until the final OK: only
 * then it is sure that the line lost none of them. */
struct simcom_pull {
	unsigned int slot;
	bool bad;			/* an answer, but not to us */
	long rest;
	size_t max;			/* bytes that were asked for */
	size_t count;			/* hex form: as the header counts */
	size_t len;
	uint8_t buf[SIMCOM_BLOCK];
};

/* What is pushed, and the change to and from it. */
struct simcom_push {
	bool running;			/* a receive() */
	enum driver_receive want;
	enum driver_receive mode;	/* as the modem last said */
	bool prepared;			/* headers are on, in this network */
	unsigned int step;
	long answer;
	signed char accept[2];
	struct timer *turn;
	bool announced;			/* RECV FROM: its header is due */
	bool due;			/* header seen, payload is coming */
	bool held;			/* all of it is there, not given on */
	struct timer *settle;		/* how long it is held */
	bool named;
	unsigned int slot;
	char from[DRIVER_ADDRESS_MAX];	/* of the block that comes, or "" */
	size_t len;
	uint8_t buf[SIMCOM_BLOCK];
};

/* What a stage waits for when no command of it is running. */
enum simcom_wait {
	WAIT_NOTHING,
	WAIT_TURN,		/* the next command, in the next loop turn */
	WAIT_AGAIN,		/* to try the same step again */
	WAIT_RESULT,		/* the line that follows a two-phase command */
};

/* What runs a stage: simcom_boot.c. */
struct simcom_boot {
	bool running;
	unsigned int stage;		/* enum driver_stage or simcom_stages */
	unsigned int step;
	const struct simcom_step *list;	/* of the stage, the one under way */
	enum simcom_wait wait;
	struct timer *timer;
	bool have_result;
	long result;			/* of NETOPEN or NETCLOSE */
	bool net_open;			/* as NETOPEN? said */
	bool net_known;			/* it said something */
	long cfun;			/* as CFUN? said; -1: nothing */
	unsigned int contexts;		/* bits of those that are defined */
	unsigned int deleted;		/* of them, by us */
	bool active;			/* our context */
	char pdp_address[64];
	bool pin_wanted;
	int reg[3];			/* CREG CGREG CEREG; -1: unknown */
	int64_t again_until_ms;		/* 0: no step is being repeated */
	signed char accept[4];		/* of the command under way */
	char text[256];			/* words for the end of the stage */
};

/* The one ping: simcom_ping.c. */
enum simcom_ping_phase {
	PING_NONE,
	PING_ASKED,		/* CPING is under way */
	PING_CLEARING,		/* an older one is stopped first */
	PING_RUNNING,
	PING_STOPPING,		/* CPINGSTOP is under way */
};

struct simcom_ping {
	enum simcom_ping_phase phase;
	unsigned int id;
	char host[DRIVER_HOST_MAX + 1];
	struct driver_ping how;
	bool alone;			/* no older one can run in the modem */
	bool stop;			/* nobody wants it any more */
	bool summed;			/* @seen is the modem's summary */
	struct driver_answer seen;
	uint64_t rtt_sum;		/* ms, of the echoes in @seen */
	struct timer *timer;
};

/* The options of its sockets: simcom_config.c. */
#define SIMCOM_SETTINGS	13
#define SIMCOM_SETTING_DNS 10	/* the three of CIPDNSSET */

/* The commands that hold them. */
enum { GROUP_TIMEOUT, GROUP_CCFG, GROUP_SENDMODE, GROUP_DNSSET,
       SIMCOM_GROUPS };

struct simcom_config {
	long value[SIMCOM_SETTINGS];	/* as last read, -1: unknown */
	long wanted[SIMCOM_SETTINGS];	/* -1: as the modem has it */
	bool asked[SIMCOM_SETTINGS];	/* by people: wanted is their wish */
	/* the question under way: what is written, then what is read */
	bool running;
	bool in_flight;			/* a command of it is */
	bool write;
	enum driver_query what;
	unsigned int id;
	unsigned int setting;
	long number;
	unsigned int group, last_group;
	int err;
	char text[96];
	struct timer *timer;		/* the next command, next loop turn */
};

/* A raw command under way: simcom_at.c. */
struct simcom_at {
	unsigned int id;
	char *answer;			/* lines so far; NULL: none runs */
	size_t len;
	bool cut;
};

/* Lists of steps that are no stage of bring-up. */
enum simcom_stages {
	SIMCOM_LEASE_CONNECT = DRIVER_STAGES,
	SIMCOM_LEASE_DISCONNECT,
	SIMCOM_LEASE_RESTORE,
	SIMCOM_STAGES
};

/* Where a session is, in this order. */
enum simcom_lease_phase {
	LEASE_NONE,
	LEASE_NET_CLOSE,	/* CIPMODE wants the network closed */
	LEASE_NET_OPEN,
	LEASE_CONNECT,
	LEASE_DATA,
	LEASE_CHECK,		/* did the modem say that it has ended? */
	LEASE_DISCONNECT,
	LEASE_NET_CLOSE_AGAIN,
	LEASE_RESTORE,
};

struct simcom_lease {
	enum simcom_lease_phase phase;
	bool udp, listen;
	char host[DRIVER_HOST_MAX + 1];
	unsigned int port, local_port;
	bool told;		/* leased() is out */
	bool ending;		/* unlease() was asked for, or it is over */
	bool connected;
	bool unsure;		/* +++ had no OK: an AT is due first */
	bool alive;		/* as CIPOPEN? says */
	bool network_lost;
	bool dtr;		/* AT&D1 was obeyed */
	long mode;		/* as CIPMODE? says; -1: nothing */
	long result;		/* of CIPOPEN; -1: none */
	int err;		/* why it ends; 0: as asked */
	char text[96];
	struct timer *timer;	/* the next command, in the next turn */
};

enum simcom_stream_state {
	STREAM_OFF,
	STREAM_DATA,
	STREAM_PAUSE,		/* the silence before +++ */
	STREAM_ESCAPE,		/* written; OK is due */
	STREAM_DTR,		/* low; OK is due */
};

/* What a modem says when a session has ended by itself. */
enum simcom_words {
	WORDS_NONE,
	WORDS_CLOSED,
	WORDS_NETWORK,		/* and the network with it */
	WORDS_BANNER,		/* it has started anew */
};

enum simcom_fit {
	FIT_NOT,
	FIT_PART,	/* so far; the input ends in it */
	FIT_ALL,
};

/* The bytes of a session while they are not commands. */
struct simcom_stream {
	enum simcom_stream_state state;
	struct timer *timer;	/* of the escape, or of what is held back */
	struct timer *pause;	/* before a plus of the client */
	unsigned int tries;
	uint8_t *held;		/* from the modem, not delivered: owned */
	size_t held_len, held_size;
	size_t ok_from;		/* of it: where an OK may begin */
	bool at_start;		/* nothing was delivered: a line may begin */
	unsigned int pluses;	/* that ended our output after a silence */
	bool full;		/* lease_writable() is due */
	int64_t wrote_ms;	/* the last byte at the earliest... */
	int64_t left_ms;	/* ...and at the latest was on the line */
	int64_t waited_from_ms;	/* for output to drain */
};

struct simcom {
	struct driver_env env;
	struct driver_info info;
	struct simcom_link links[SIMCOM_LINKS];
	struct simcom_server servers[SIMCOM_SERVERS];
	struct simcom_pull pulling;
	struct simcom_push push;
	bool coded_comma;		/* AT+CIPSEND=0, and not =0 */
	bool coded_proven;		/* and so it is taken */
	struct simcom_boot boot;
	struct simcom_ping ping;
	struct simcom_lease lease;
	struct simcom_stream stream;
	bool context_set;		/* since the modem started */
	struct driver_table table;	/* of a running audit */
	struct timer *turn;		/* the second try of a restart */
	unsigned int restart_id;
	bool auditing;
	struct timer *audit_timer;	/* its second command */
	unsigned int query_id;
	enum driver_query query;
	char answer[DRIVER_HOST_MAX + 1];
	long numbers[3];		/* of CIPACK; the first -1: none came */
	struct simcom_config config;
	struct simcom_at at;
};

/* What a step's answer means for the stage. */
enum simcom_verdict {
	V_NEXT,
	V_AGAIN,	/* ask the same once more, within the patience */
	V_RESULT,	/* its result line decides */
	V_DONE,		/* the stage is over, at once */
	V_FAIL,
};

/* One command of a stage and the judgement of its answer. */
struct simcom_step {
	const char *text;	/* the command, or NULL: ask @send */
	int (*send)(struct simcom *s, struct at_command *cmd);	/* 1: skip */
	signed char accept[3];	/* rules of the answer, 0: none, R_ + 1 */
	signed char result;	/* rule of the result line, R_ + 1; 0: none */
	bool optional;		/* a refusal does not matter */
	bool want_text;
	void (*line)(struct simcom *s, const struct at_line *line);
	enum simcom_verdict (*judge)(struct simcom *s, int err,
			      const struct at_answer *a);
	uint32_t timeout_ms;	/* 0: 5 s */
	uint32_t patience_ms;	/* of V_AGAIN */
	uint32_t again_ms;
	unsigned int back;	/* steps to go back for V_AGAIN */
};

extern const struct at_rule simcom_rules[];

/* Formats and sends; @cmd has all but the text. */
__attribute__((nonnull))
int simcom_send(struct simcom *s, struct at_command *cmd, const char *fmt, ...);

/* A parsed string into an info field; true when it changed. */
bool simcom_set(char *field, size_t size, const char *value);

/* simcom_error.c: the words of A7600 manual 4, and its meaning as -errno */
const char *simcom_err_text(long err);
int simcom_errno(long err);

/* What a failed command said, as -errno: one for each meaning. */
int simcom_answer_errno(int err, const struct at_answer *a);

/* simcom_boot.c */
int simcom_stage(void *d, enum driver_stage stage);
int simcom_run(struct simcom *s, unsigned int stage);
/* Ends what waits for a result line; false: a command runs. */
bool simcom_boot_abort(struct simcom *s, int err);
bool simcom_boot_line(struct simcom *s, const struct at_line *line);
void simcom_boot_reset(struct simcom *s);
void simcom_boot_timer(void *ctx);

/* Why the stage is where it is, for people. */
__attribute__((format(printf, 2, 3)))
void simcom_say(struct simcom *s, const char *fmt, ...);
const char *simcom_words(const struct at_answer *a);

/* simcom_stages.c, simcom_sim.c: lists of steps, a step without text and
 * send ends them */
extern const struct simcom_step simcom_identify[];
extern const struct simcom_step simcom_rate[];
extern const struct simcom_step simcom_sim[];
extern const struct simcom_step simcom_register[];
extern const struct simcom_step simcom_net_open[];
extern const struct simcom_step simcom_net_close[];
extern const struct simcom_step simcom_contexts[];
void simcom_parse_registration(struct simcom *s, const struct at_line *line);

/* simcom_repair.c */
void simcom_take_radio(struct simcom *s, const struct at_line *line);
int simcom_send_radio_on(struct simcom *s, struct at_command *cmd);
void simcom_take_service(struct simcom *s, const struct at_line *line);
void simcom_take_attached(struct simcom *s, const struct at_line *line);
int simcom_restart(struct simcom *s, unsigned int id);
void simcom_restart_turn(void *ctx);
void simcom_restart_reset(struct simcom *s);

/* simcom_link.c */
int simcom_open(void *d, unsigned int slot, const struct driver_open_args *a);
int simcom_close(void *d, unsigned int slot);
void simcom_link_line(struct simcom *s, const struct at_line *line);
void simcom_link_deadline(void *ctx);
void simcom_link_reset(struct simcom *s);
void simcom_link_begin(struct simcom_link *l, bool *what);
void simcom_link_end_close(struct simcom_link *l);
void simcom_link_set_text(struct simcom_link *l, const char *text);

/* simcom_send.c */
int simcom_send_data(void *d, unsigned int slot, const uint8_t *b, size_t len,
		     const struct driver_to *to);
void simcom_end_send(struct simcom_link *l, size_t taken, int err);
void simcom_on_sent(struct simcom_link *l, const struct at_line *line);

/* simcom_pull.c */
int simcom_pull(void *d, unsigned int slot, size_t max);

/* simcom_push.c */
int simcom_receive(void *d, enum driver_receive mode);
void simcom_push_turn(void *ctx);
void simcom_push_settled(void *ctx);
void simcom_push_begin(struct simcom *s);
void simcom_push_reset(struct simcom *s);
bool simcom_push_line(struct simcom *s, const struct at_line *line);
void simcom_push_data(void *d, const uint8_t *data, size_t len, bool last);

/* What a failed command said, as -errno. */
int simcom_answer_errno(int err, const struct at_answer *a);

/* simcom_server.c */
int simcom_servers_init(struct simcom *s);
void simcom_servers_free(struct simcom *s);
int simcom_listen(void *d, unsigned int index,
		  const struct driver_listen_args *a);
int simcom_unlisten(void *d, unsigned int index);
/* True when it was about a server. */
bool simcom_server_line(struct simcom *s, const struct at_line *line);
int simcom_servers_ask(struct simcom *s,
		       void (*done)(void *ctx, int err,
				    const struct at_answer *a));
void simcom_server_reset(struct simcom *s);

/* simcom_lease_steps.c */
extern const struct simcom_step simcom_lease_connect[];
extern const struct simcom_step simcom_lease_disconnect[];
extern const struct simcom_step simcom_lease_restore[];
#define SIMCOM_LEFT_TEXT \
	"the modem was left in transparent mode: its network is closed first"
int simcom_ask_mode(struct simcom *s, struct at_command *cmd);
int simcom_change_mode(struct simcom *s, struct at_command *cmd);
int simcom_verify_mode(struct simcom *s, struct at_command *cmd);
bool simcom_left_in_data_mode(const struct simcom *s);
int simcom_send_mode(struct simcom *s, struct at_command *cmd);
void simcom_take_mode(struct simcom *s, const struct at_line *line);
enum simcom_verdict simcom_judge_mode(struct simcom *s, int err,
				      const struct at_answer *a);

/* simcom_lease.c */
int simcom_lease(void *d, const struct driver_lease_args *args);
int simcom_unlease(void *d);
void simcom_lease_staged(struct simcom *s, int err);
bool simcom_lease_line(struct simcom *s, const struct at_line *line);
void simcom_lease_timer(void *ctx);
void simcom_lease_reset(struct simcom *s);
/* From the stream: its words may be the modem's; it left data mode, or not. */
void simcom_lease_suspect(struct simcom *s);
void simcom_lease_escaped(struct simcom *s, bool ok);

/* simcom_words.c: where they begin, and reach to the end; @len: nowhere.
 * @at_start: @p begins a line. */
size_t simcom_find_words(const uint8_t *p, size_t len, bool at_start,
			 enum simcom_fit *fit, enum simcom_words *what);

/* simcom_stream.c */
int simcom_stream_begin(struct simcom *s);
void simcom_stream_escape(struct simcom *s);
void simcom_stream_reset(struct simcom *s);
/* Delivers what was held back; not @alive: but for the modem's last words,
 * and what they are. */
enum simcom_words simcom_stream_words(const struct simcom *s);
enum simcom_words simcom_stream_deliver(struct simcom *s, bool alive);
size_t simcom_lease_write(void *d, const uint8_t *data, size_t len);
void simcom_stream_timer(void *ctx);
void simcom_stream_pause_timer(void *ctx);

/* simcom_query.c */
int simcom_audit(void *d);
void simcom_audit_timer(void *ctx);
void simcom_audit_reset(struct simcom *s);
int simcom_query(void *d, unsigned int id, enum driver_query what,
		 const struct driver_query_args *args);

/* simcom_config.c */
extern const struct driver_setting simcom_settings[];
int simcom_config_new(struct simcom *s);
void simcom_config_reset(struct simcom *s);
int simcom_config_query(struct simcom *s, unsigned int id,
			enum driver_query what,
			const struct driver_query_args *args);
void simcom_config_line(struct simcom *s, const struct at_line *line);
int simcom_config_write(struct simcom *s, struct at_command *cmd,
			unsigned int group);
int simcom_config_read(struct simcom *s, struct at_command *cmd,
		       unsigned int group);
bool simcom_config_wants(const struct simcom *s, unsigned int group);
void simcom_config_verify(struct simcom *s, unsigned int group);
long simcom_setting(void *d, unsigned int setting);
long simcom_setting_wanted(void *d, unsigned int setting);

/* simcom_at.c */
const char *simcom_forbids(const char *command);
int simcom_at(struct simcom *s, unsigned int id,
	      const struct driver_query_args *args);

/* simcom_ping.c */
int simcom_ping(struct simcom *s, unsigned int id,
		const struct driver_query_args *args);
int simcom_ping_stop(void *d);
void simcom_ping_line(struct simcom *s, const struct at_line *line);
void simcom_ping_timer(void *ctx);
void simcom_ping_reset(struct simcom *s, bool modem_gone);

#endif
