/* SPDX-License-Identifier: MIT */

/*
 * w800_private - what the files of the W800 dialect share: w800.c (the rules,
 * the table, lines nobody asked for), w800_job.c (runs an operation step by
 * step), w800_boot.c and w800_wifi.c (the stages), w800_link.c (links open and
 * close, the modem's table of them), w800_data.c and w800_coded.c (their
 * bytes), w800_start.c, w800_tls.c and w800_udp.c (what an open may ask),
 * w800_receive.c (pull or push), w800_error.c (what errors mean),
 * w800_server.c, w800_query.c and w800_ping.c (questions), w800_time.c (the
 * clock), w800_config.c (settings), w800_at.c (raw commands), w800_lease.c and
 * w800_stream.c (passthrough). Nobody else includes it.
 *
 * This module does one command at a time, and each blocks it until its final
 * line. So an operation of the contract is a job, a list of steps, and while
 * one runs all others are refused with -EBUSY.
 */

#ifndef MODEMD_W800_PRIVATE_H
#define MODEMD_W800_PRIVATE_H

#include "at/channel.h"
#include "driver/driver.h"

#define W800_LINKS	5
#define W800_BLOCK	5760	/* bytes sent or pulled at a time */
#define W800_DATAGRAM	1460	/* bytes: CIPSTART of UDP */
#define W800_PUSH	2920	/* bytes under one +IPD: CIPRECVMODE */
#define W800_FINAL_MS	5000	/* to a final line, line time not counted */
#define W800_TEXT_MAX	256	/* of a command: W800 guide */

/* What the header of a read looks like: at_command.variant. */
#define W800_BARE	1	/* CIPDINFO=0 */
#define W800_SOURCE	2	/* CIPDINFO=1: with an address */

/* Indexes into w800_rules[]. */
enum w800_rule {
	R_LINK_CONNECT,
	R_LINK_CLOSED,
	R_LINK_CONN,
	R_IPD,
	R_IPD_FROM,
	R_IPD_NOTICE,
	R_RECVDATA,
	R_RECVDATA_COMMA,
	R_RECVDATA_COLON,
	R_RECVDATA_LINK,
	R_RECVDATA_FROM,
	R_RECVLEN,
	R_RECVMODE,
	R_DINFO,
	R_CIPSTATE,
	R_CIPSTATUS,
	R_STATUS,
	R_CIPMUX,
	R_CIPMODE,
	R_CIPSERVER,
	R_CIFSR,
	R_CWMODE,
	R_CWJAP,
	R_CWJAP_CODE,
	R_NO_AP,
	R_CIPDOMAIN,
	R_PING,
	R_PING_BARE,
	R_PING_TIMEOUT,
	R_CIPDNS,
	R_TCPOPT,
	R_SNTPCFG,
	R_SNTPTIME,
	R_SNTPINTV,
	R_MAXCONN,
	R_CIPSTO,
	R_CIPV6,
	R_RECONNINTV,
	R_BARE_CONNECT,
	R_BARE_CLOSED,
	R_IPD_ONE,
	R_WIFI_CONNECTED,
	R_WIFI_GOT_IP,
	R_WIFI_DISCONNECT,
	R_READY,
	R_ALREADY,
	R_ALREADY_TYPO,
	R_NOT_VALID,
	R_NO_IP,
	R_DNS_FAIL,
	R_ID_ERROR,
	R_IP_ERROR,
	R_NO_CHANGE,
	R_DETAIL_REST,
};

struct w800;

/* What a step's answer means for its job. */
enum w800_verdict {
	V_NEXT,
	V_AGAIN,	/* the same once more, within its patience */
	V_WAIT,		/* a line is due: w800_poke(), or wait_ms is over */
	V_DONE,		/* the job is over, well */
	V_FAIL,		/* it is over; with job->err where that is set */
};

/*
 * One command of a job and the judgement of its answer. Without a judge a
 * refusal ends the job, unless it is optional. After V_WAIT the judge is asked
 * again, without an answer: 0 poked, -ETIMEDOUT not.
 */
struct w800_step {
	const char *text;	/* the command, or NULL: ask @send */
	int (*send)(struct w800 *w, struct at_command *cmd);	/* 1: skip */
	signed char accept[5];	/* rules of the answer, R_ + 1; 0: none */
	bool optional;
	bool want_text;
	void (*line)(struct w800 *w, const struct at_line *line);
	enum w800_verdict (*judge)(struct w800 *w, int err,
				   const struct at_answer *a);
	uint32_t timeout_ms;	/* 0: W800_FINAL_MS */
	uint32_t wait_ms;	/* of V_WAIT */
	uint32_t patience_ms;	/* of V_AGAIN */
	uint32_t again_ms;
	unsigned int back;	/* steps to go back for V_AGAIN */
	const struct w800_step *steps;	/* these instead, then the next */
};

enum w800_pause {
	PAUSE_NONE,
	PAUSE_TURN,		/* the next step, in the next loop turn */
	PAUSE_AGAIN,
	PAUSE_LINE,		/* V_WAIT */
	PAUSE_LATE,		/* a command that may take longer than its job */
};

/* A list of steps under way; the last of a list has no text and no send. */
struct w800_job {
	struct w800 *w;
	const struct w800_step *list;	/* NULL: none runs */
	unsigned int step;
	const struct w800_step *outer;	/* that this list is a step of, or NULL */
	unsigned int outer_step;	/* behind it */
	void (*end)(struct w800 *w, int err);
	enum w800_pause pause;
	struct timer *timer;
	int64_t again_until_ms;		/* 0: no step is being repeated */
	bool in_flight;			/* a command of it is */
	bool orphan;			/* and the job has ended meanwhile */
	int err;			/* of V_FAIL; 0: as the answer's */
	uint32_t late_ms;		/* set by a send(): the job ends then, and
					 * its command goes on as an orphan */
	signed char accept[6];		/* of the command under way */
	char text[256];			/* words for its end */
};

/* What the modem holds for a link, and what is under way. */
struct w800_link {
	size_t cached;			/* bytes, as last told */
	bool close_pending;		/* CLOSED came while it was sending */
	uint32_t send_ms;		/* one send takes so long at most; 0: UDP */
	/* UDP */
	bool follows;			/* whom it sends to, the module knows */
	char host[DRIVER_ADDRESS_MAX];	/* as CIPSTART said */
	unsigned int port;
};

/* TLS settings that the module keeps by slot, and what may still be there. */
enum w800_tls_setting { W800_TLS_CN, W800_TLS_SNI, W800_TLS_ALPN, W800_TLS_PSK,
			W800_TLS_SETTINGS };
enum w800_left { W800_LEFT_NONE, W800_LEFT_MAYBE, W800_LEFT_SET };

/* The one open. */
struct w800_open {
	unsigned int slot;
	bool running;
	bool given;			/* its slot, before CIPSTART was out */
	bool connected;			/* its line was seen */
	bool listed;			/* by CIPSTATE */
	bool closed;			/* again, before its OK */
	bool late;			/* told as timed out; it goes on */
	int err;			/* as it is judged so far */
	bool doubt;			/* it said ERROR, and not why */
	int64_t began_ms, start_ms;	/* CIPSTART */
	bool udp, v6;
	bool fall_back;			/* to IPv6, where a name has no other */
	char found[DRIVER_ADDRESS_MAX];	/* its address, after an ERROR */
	char host[DRIVER_HOST_MAX + 1];
	unsigned int port, local_port;
	char local_address[DRIVER_ADDRESS_MAX];	/* "": any */
	enum driver_udp_remote udp_remote;
	struct driver_tcp tcp;
	bool has_tls;
	struct driver_tls tls;
	bool sntp;			/* as CIPSNTPCFG? says */
	enum w800_left left;		/* of TLS: before what is being set */
};

struct w800_send {
	bool running;
	unsigned int slot;
	size_t len;
	size_t taken;			/* of them, in the module's stack */
	size_t part;			/* coded: of the command under way */
	uint8_t copy[W800_BLOCK];	/* coded: of all */
	const uint8_t *data;		/* until its command is out */
	struct driver_to to;		/* so is this; NULL: as CIPSTART said */
};

struct w800_pull {
	unsigned int slot;
	size_t max, len;
	size_t had;			/* bytes, as told before; 0: none */
	bool bad;			/* an answer, but not to us */
	bool none;			/* there was nothing */
	uint8_t buf[W800_BLOCK];
};

/* What is pushed. A block is held until what follows it makes sense. */
struct w800_push {
	enum driver_receive mode;	/* as the modem last said */
	enum driver_receive want;
	long said;			/* by CIPRECVMODE? -1: nothing */
	bool due;			/* header seen, payload is coming */
	bool held;
	struct timer *settle;		/* how long it is held */
	unsigned int tries;
	unsigned int slot;
	char from[DRIVER_ADDRESS_MAX];
	size_t len;
	uint8_t buf[W800_BLOCK];
};

/* What the stages know. */
struct w800_boot {
	enum driver_stage stage;
	bool station;			/* as CWMODE? says */
	bool joined;			/* as CWJAP? says, and where we want */
	long mux;			/* -1: not known */
	uint64_t faults;		/* of the line, when that was asked */
	bool links_left;		/* open, as CIPSTATE says */
	bool has_address;		/* as CIFSR says */
};

/* The one server, as it was asked for last, and as the module says. */
struct w800_server {
	unsigned int port, max_links;
	bool ipv6, tls, verify;
	uint32_t idle_s;
	bool told;
	unsigned int is_port;		/* 0: none */
	int stop_err;
};

/* The question under way; a ping beside it. */
struct w800_query {
	unsigned int id;
	enum driver_family family;
	char text[DRIVER_HOST_MAX + 1];
	char answer[DRIVER_ADDRESS_MAX];
};

struct w800_ping {
	unsigned int id;
	bool running, stop;
	bool due;			/* its packet waits for the line */
	bool look_up;			/* its name is to be, first */
	enum driver_family family;
	struct driver_ping how;
	char host[DRIVER_HOST_MAX + 1];
	long rtt_ms;			/* of the one under way; -1: none */
	int64_t sent_ms;
	uint64_t sum_ms;
	struct driver_answer seen;
	struct timer *timer;
};

struct w800_time {
	struct driver_time is, asked;
	struct driver_time wanted;	/* at each bring-up, if set_by_us */
	bool set_by_us;
	bool zone_is_set;		/* the module has that of wanted */
};

#define W800_SETTINGS	8

/* Settings, by their numbers; -1: not known, or as the module has it. */
struct w800_config {
	long value[W800_SETTINGS], wanted[W800_SETTINGS];
	unsigned int setting;		/* that is being set, to number */
	long number;
	int err;
};

#define W800_RAW_MAX	8192	/* bytes: escaped, it still fits a frame */

struct w800_raw {
	char text[512 + 1];
	uint32_t timeout_ms;
	char answer[W800_RAW_MAX + 256];
	size_t len;
	bool cut;
};

enum w800_lease_phase {
	LEASE_NONE,
	LEASE_ENTER,
	LEASE_DATA,		/* from OK to the end of +++ */
	LEASE_LEAVE,
};

struct w800_lease {
	enum w800_lease_phase phase;
	bool udp;
	char host[DRIVER_HOST_MAX + 1];
	unsigned int port, local_port;
	bool ending;			/* by unlease(), or it failed */
	bool told;			/* leased() is out */
	bool connected;
	bool escaped;			/* +++ was said */
	bool alive;			/* links are there, says CIPSTATE */
	bool dead;			/* none is, says it */
	bool framed;			/* bytes of an +IPD are due */
	uint8_t *early;			/* what came before leased() */
	size_t early_len;
	bool early_lost;		/* more than is kept */
	unsigned int leaves;		/* tries to get out */
	long mode;			/* by CIPMODE? */
	int64_t began_ms;
	int err;
	char text[96];
	struct timer *timer;
};

enum w800_stream_state {
	STREAM_OFF,
	STREAM_PROMPT,		/* behind the OK, a prompt may come */
	STREAM_DATA,
	STREAM_PAUSE,		/* before +++ */
	STREAM_REST,		/* and behind it */
};

struct w800_stream {
	enum w800_stream_state state;
	unsigned int matched;		/* of the prompt */
	unsigned int pluses;		/* the client's last bytes were so many */
	bool full;			/* lease_writable() is owed */
	int64_t wrote_ms, left_ms;	/* the last byte: to us, to the line */
	int64_t waited_from_ms;
	struct timer *timer, *pause;
};

struct w800 {
	struct driver_env env;
	struct driver_info info;
	struct w800_job stage;		/* a stage of bring-up */
	struct w800_job job;		/* any other operation */
	struct w800_boot boot;
	struct w800_link links[W800_LINKS];
	struct w800_open opening;
	struct w800_send sending;
	unsigned int closing;		/* the slot of the one close */
	struct w800_pull pulling;
	struct w800_push push;
	struct driver_table table;	/* of a running audit */
	struct w800_server server;
	struct w800_query query;
	struct w800_ping ping;
	struct w800_time time;
	struct w800_config config;
	struct w800_raw raw;
	struct w800_lease lease;
	struct w800_stream stream;
	unsigned int restart_id;
	bool dinfo;			/* CIPDINFO=1 */
	bool dinfo_unsure;		/* the last one was not answered */
	bool clock_set;			/* it knows the time */
	enum w800_left tls_left[W800_LINKS][W800_TLS_SETTINGS];
	struct driver_tcp tcp_left[W800_LINKS];	/* all 0: not known */
};

extern const struct at_rule w800_rules[];

/* Formats and sends; @cmd has all but the text. */
__attribute__((nonnull))
int w800_send_line(struct w800 *w, struct at_command *cmd, const char *fmt,
		   ...);

/* A value into an info field; true when it changed. */
bool w800_set(char *field, size_t size, const char *value);

/* w800_job.c */

/*
 * Begins a job. 0, and @end() is called once, never from within; or -errno,
 * then never: -EBUSY while another one runs. What its first command carries
 * is copied before this returns.
 */
int w800_run(struct w800 *w, const struct w800_step *list,
	     void (*end)(struct w800 *w, int err));
int w800_run_stage(struct w800 *w, const struct w800_step *list,
		   void (*end)(struct w800 *w, int err));
/* The line has come that a step waits for, or what it repeats may help now. */
void w800_poke(struct w800_job *job);
/* Is it running, and at a step of this list? */
bool w800_runs(const struct w800_job *job, const struct w800_step *list);
/* Ends it: end() with @err. Its command goes on, and is nobody's. */
void w800_job_stop(struct w800_job *job, int err);
void w800_job_timer(void *ctx);
/* Words for the end of the job. */
__attribute__((format(printf, 2, 3)))
void w800_say(struct w800_job *job, const char *fmt, ...);

/* w800_error.c */
const char *w800_words(const struct at_answer *a);
int w800_answer_errno(int err, const struct at_answer *a);

/* w800_boot.c */
int w800_stage(void *d, enum driver_stage stage);
/* The command and its rows: what addresses there are. */
int w800_ask_address(struct w800 *w, struct at_command *cmd);
void w800_take_address(struct w800 *w, const struct at_line *line);
/* CIPMUX?: boot.mux; 0 after a start that nobody has told of. */
int w800_ask_mux(struct w800 *w, struct at_command *cmd);
uint64_t w800_faults(const struct w800 *w);
void w800_take_mux(struct w800 *w, const struct at_line *line);

/* w800_wifi.c */
/* With `\` before each sign that the guide wants it for. */
void w800_escape(char *out, size_t size, const char *s);
extern const struct w800_step w800_register[];
/* Lines about the access point; true when it was one. */
bool w800_wifi_line(struct w800 *w, const struct at_line *line);

/* w800_link.c */
enum w800_verdict w800_judge_start(struct w800 *w, int err,
				   const struct at_answer *a);
/* A step that sends CIPSTART by that function. */
#define W800_START(by) \
	{ .send = (by), .accept = { R_LINK_CONNECT + 1 }, \
	  .line = w800_answer_line, .judge = w800_judge_start, \
	  .wait_ms = 1000 }	/* for the line that may follow the OK */
int w800_open(void *d, unsigned int slot, const struct driver_open_args *a);
int w800_close(void *d, unsigned int slot);
int w800_audit(void *d);
/* Also of lines that an answer brings; true when it was about a link. */
void w800_answer_line(struct w800 *w, const struct at_line *line);
bool w800_link_line(struct w800 *w, const struct at_line *line);
void w800_link_reset(struct w800 *w);

/* w800_start.c */
int w800_take_open(struct w800 *w, unsigned int slot,
		   const struct driver_open_args *a);
extern const struct w800_step w800_before_start[];
int w800_send_start(struct w800 *w, struct at_command *cmd);
extern const struct w800_step w800_other_family[];

/* w800_tls.c */
extern const struct w800_step w800_before_tls[], w800_after_tls[];
void w800_tls_reset(struct w800 *w);

/* w800_udp.c */
void w800_udp_begin(struct w800 *w);
void w800_udp_opened(struct w800 *w);
/* Does the module send there without being told? */
bool w800_udp_is_remote(const struct w800 *w, unsigned int slot,
			const struct driver_to *to);

/* w800_coded.c */
extern const struct w800_step w800_coded[];

/* w800_data.c */
/* The command of a send, @suffix "" or "EX"; @cmd has its payload. */
int w800_send_command(struct w800 *w, struct at_command *cmd,
		      const char *suffix, size_t len);
enum w800_verdict w800_judge_send(struct w800 *w, int err,
				  const struct at_answer *a);
int w800_send(void *d, unsigned int slot, const uint8_t *buf, size_t len,
	      const struct driver_to *to);
int w800_pull(void *d, unsigned int slot, size_t max);

/* w800_receive.c */
int w800_receive(void *d, enum driver_receive mode);
/* CIPDINFO=0, and what its answer means. */
int w800_send_source_off(struct w800 *w, struct at_command *cmd);
enum w800_verdict w800_judge_source_off(struct w800 *w, int err,
					const struct at_answer *a);
bool w800_push_line(struct w800 *w, const struct at_line *line);
void w800_push_data(void *d, const uint8_t *data, size_t len, bool last);
void w800_push_settled(void *ctx);
void w800_push_due(void *ctx);
void w800_push_reset(struct w800 *w);

/* w800_server.c */
int w800_listen(void *d, unsigned int index,
		const struct driver_listen_args *a);
int w800_unlisten(void *d, unsigned int index);
/* Of an audit. */
int w800_ask_server(struct w800 *w, struct at_command *cmd);
void w800_take_server(struct w800 *w, const struct at_line *line);

/* w800_query.c */
int w800_query(void *d, unsigned int id, enum driver_query what,
	       const struct driver_query_args *args);
/* Of the question under way; @err: of its job. */
void w800_answer(struct w800 *w, int err, struct driver_answer *a);
/* A step that looks up query.text, for query.family: query.answer. */
int w800_send_domain(struct w800 *w, struct at_command *cmd);
void w800_take_domain(struct w800 *w, const struct at_line *line);
enum w800_verdict w800_judge_domain(struct w800 *w, int err,
				    const struct at_answer *a);

/* w800_ping.c */
int w800_ping(struct w800 *w, unsigned int id,
	      const struct driver_query_args *args);
int w800_ping_stop(void *d);
void w800_ping_timer(void *ctx);
bool w800_ping_due(struct w800 *w);
void w800_ping_reset(struct w800 *w, bool modem_gone);

/* w800_time.c */
void w800_time_init(struct w800 *w);
int w800_time(struct w800 *w, const struct driver_time *set);
int w800_send_sntp(struct w800 *w, struct at_command *cmd);
enum w800_verdict w800_judge_sntp(struct w800 *w, int err,
				  const struct at_answer *a);

/* w800_config.c */
extern const struct driver_setting w800_settings[W800_SETTINGS + 1];
void w800_config_init(struct w800 *w);
void w800_config_forget(struct w800 *w);
void w800_config_note(struct w800 *w, const char *name, long value);
void w800_config_want(struct w800 *w, const char *name, long value);
int w800_config_read(struct w800 *w);
int w800_config_set(struct w800 *w, unsigned int setting, long value);
long w800_setting(void *d, unsigned int setting);
long w800_setting_wanted(void *d, unsigned int setting);
/* Steps of bring-up; 1: nothing is wanted. */
int w800_send_reconnect(struct w800 *w, struct at_command *cmd);
int w800_send_sntp_interval(struct w800 *w, struct at_command *cmd);
int w800_send_ipv6(struct w800 *w, struct at_command *cmd);
int w800_send_dns(struct w800 *w, struct at_command *cmd);
enum w800_verdict w800_judge_dns(struct w800 *w, int err,
				 const struct at_answer *a);

/* w800_lease.c */
int w800_lease(void *d, const struct driver_lease_args *args);
int w800_unlease(void *d);
void w800_lease_begun(struct w800 *w);
void w800_lease_escaped(struct w800 *w);
void w800_lease_timer(void *ctx);
/* True: the session's own, or nobody's while it lasts. */
bool w800_lease_line(struct w800 *w, const struct at_line *line);
bool w800_lease_data(struct w800 *w, const uint8_t *data, size_t len);
void w800_lease_reset(struct w800 *w);

/* w800_stream.c */
int w800_stream_begin(struct w800 *w);
void w800_stream_escape(struct w800 *w);
size_t w800_lease_write(void *d, const uint8_t *data, size_t len);
void w800_stream_timer(void *ctx);
void w800_stream_pause_timer(void *ctx);
void w800_stream_reset(struct w800 *w);

/* w800_at.c */
const char *w800_forbids(const char *command);
int w800_at(struct w800 *w, const struct driver_query_args *args);

#endif
