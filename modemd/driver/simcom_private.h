/* SPDX-License-Identifier: MIT */

/*
 * simcom_private - what the files of the SIMCom dialect share: simcom.c (the
 * rules, the table, lines nobody asked for), simcom_boot.c (runs the stages),
 * simcom_stages.c and simcom_sim.c (their steps), simcom_link.c (links),
 * simcom_send.c, simcom_pull.c and simcom_push.c (their bytes),
 * simcom_query.c (questions). Nobody else includes it.
 */

#ifndef MODEMD_SIMCOM_PRIVATE_H
#define MODEMD_SIMCOM_PRIVATE_H

#include "at/channel.h"
#include "driver/driver.h"

#define SIMCOM_LINKS	10
#define SIMCOM_BLOCK	1500	/* bytes sent, pulled, pushed at a time */
#define SIMCOM_FINAL_MS	5000	/* to OK or ERROR, line time not counted */

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
	R_CCFG,
	R_NETOPEN,
	R_NETOPEN_PAIR,
	R_NETCLOSE,
	R_OPEN_FREE,
	R_OPEN_USED,
	R_IPCLOSE,
	R_IPCLOSE_BARE,
	R_CIPEVENT,
	R_IPADDR,
	R_CPIN,
	R_ICCID,
	R_CSQ,
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
	R_CIPERROR,
	R_IP_ERROR_NUM,
	R_IP_ERROR,
	R_CME_ERROR_NUM,
	R_CME_ERROR,
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
	bool close_pending;		/* +IPCLOSE came in the middle of it */
	enum driver_close why;
	char text[96];			/* the modem's words for it */
	struct timer *deadline;		/* of the result */
	bool udp;
	bool coded;			/* the send under way */
	bool fixed;			/* accepted: send() by length only */
	char to[DRIVER_ADDRESS_MAX];	/* UDP: as open() said, "": nowhere */
	unsigned int to_port;
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
	enum driver_stage stage;
	unsigned int step;
	enum simcom_wait wait;
	struct timer *timer;
	bool have_result;
	long result;			/* of NETOPEN or NETCLOSE */
	bool net_open;			/* as NETOPEN? said */
	bool pin_wanted;
	int reg[3];			/* CREG CGREG CEREG; -1: unknown */
	int64_t again_until_ms;		/* 0: no step is being repeated */
	signed char accept[4];		/* of the command under way */
	char text[256];			/* words for the end of the stage */
};

struct simcom {
	struct driver_env env;
	struct driver_info info;
	struct simcom_link links[SIMCOM_LINKS];
	struct simcom_pull pulling;
	struct simcom_push push;
	bool coded_comma;		/* AT+CIPSEND=0, and not =0 */
	bool coded_proven;		/* and so it is taken */
	struct simcom_boot boot;
	bool context_set;		/* since the modem started */
	struct driver_table table;	/* of a running audit */
	unsigned int query_id;
	enum driver_query query;
	char answer[DRIVER_HOST_MAX + 1];
};

/* What a step's answer means for the stage. */
enum simcom_verdict {
	V_NEXT,
	V_AGAIN,	/* ask the same once more, within the patience */
	V_RESULT,	/* its result line decides */
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

/* The words of A7600 manual 4, and its meaning as -errno. */
const char *simcom_err_text(long err);
int simcom_errno(long err);

/* simcom_boot.c */
int simcom_stage(void *d, enum driver_stage stage);
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
void simcom_parse_registration(struct simcom *s, const struct at_line *line);

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

/* simcom_query.c */
int simcom_audit(void *d);
int simcom_query(void *d, unsigned int id, enum driver_query what,
		 const struct driver_query_args *args);

#endif
