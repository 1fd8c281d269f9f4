/* SPDX-License-Identifier: MIT */

/*
 * w800_private - what the files of the W800 dialect share: w800.c (the rules,
 * the table, lines nobody asked for), w800_job.c (runs an operation step by
 * step), w800_boot.c and w800_wifi.c (the stages), w800_link.c (links open and
 * close, the modem's table of them), w800_data.c (their bytes),
 * w800_receive.c (pull or push), w800_error.c (what errors mean). Nobody else
 * includes it.
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
	signed char accept[4];	/* rules of the answer, R_ + 1; 0: none */
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
};

enum w800_pause {
	PAUSE_NONE,
	PAUSE_TURN,		/* the next step, in the next loop turn */
	PAUSE_AGAIN,
	PAUSE_LINE,		/* V_WAIT */
};

/* A list of steps under way; the last of a list has no text and no send. */
struct w800_job {
	struct w800 *w;
	const struct w800_step *list;	/* NULL: none runs */
	unsigned int step;
	void (*end)(struct w800 *w, int err);
	enum w800_pause pause;
	struct timer *timer;
	int64_t again_until_ms;		/* 0: no step is being repeated */
	bool in_flight;			/* a command of it is */
	bool orphan;			/* and the job has ended meanwhile */
	int err;			/* of V_FAIL; 0: as the answer's */
	signed char accept[5];		/* of the command under way */
	char text[256];			/* words for its end */
};

/* What the modem holds for a link, and what is under way. */
struct w800_link {
	size_t cached;			/* bytes, as last told */
	bool close_pending;		/* CLOSED came while it was sending */
};

/* The one open. */
struct w800_open {
	unsigned int slot;
	bool running;
	bool connected;			/* its line was seen */
	bool listed;			/* by CIPSTATE */
	bool closed;			/* again, before its OK */
	int err;			/* as it is judged so far */
	int64_t began_ms;
	const char *type;		/* TCP, TCPv6, ... */
	char host[DRIVER_HOST_MAX + 1];
	unsigned int port;
};

struct w800_send {
	bool running;
	unsigned int slot;
	size_t len;
	const uint8_t *data;		/* until its command is out */
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
	bool links_left;		/* open, as CIPSTATE says */
	bool has_address;		/* as CIFSR says */
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
	bool dinfo;			/* CIPDINFO=1 */
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
void w800_take_mux(struct w800 *w, const struct at_line *line);

/* w800_wifi.c */
extern const struct w800_step w800_register[];
/* Lines about the access point; true when it was one. */
bool w800_wifi_line(struct w800 *w, const struct at_line *line);

/* w800_link.c */
int w800_open(void *d, unsigned int slot, const struct driver_open_args *a);
int w800_close(void *d, unsigned int slot);
int w800_audit(void *d);
/* Also of lines that an answer brings; true when it was about a link. */
void w800_answer_line(struct w800 *w, const struct at_line *line);
bool w800_link_line(struct w800 *w, const struct at_line *line);
void w800_link_reset(struct w800 *w);

/* w800_data.c */
int w800_send(void *d, unsigned int slot, const uint8_t *buf, size_t len,
	      const struct driver_to *to);
int w800_pull(void *d, unsigned int slot, size_t max);

/* w800_receive.c */
int w800_receive(void *d, enum driver_receive mode);
bool w800_push_line(struct w800 *w, const struct at_line *line);
void w800_push_data(void *d, const uint8_t *data, size_t len, bool last);
void w800_push_settled(void *ctx);
void w800_push_reset(struct w800 *w);

#endif
