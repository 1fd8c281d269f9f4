/* SPDX-License-Identifier: MIT */

/*
 * replay - plays a recorded conversation to the real modem layer and driver.
 *
 * A log holds what a client asks, what the daemon must write and what the
 * modem says; the format is in tests/logs/README.md. Replay is the modem's
 * side of the fake port on the virtual clock; what the modem layer reports
 * becomes text. It judges no report: test_logs compares it with the .chk.
 *
 * Called by: test_logs.   Calls: modem_bench, test-seams, modem.
 */

#ifndef MODEMD_REPLAY_H
#define MODEMD_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPLAY_STEPS	1024
#define REPLAY_WORDS	16
#define REPLAY_BYTES	8192	/* of one line, unescaped */

enum replay_kind {
	REPLAY_SET,	/* a setting of the daemon, before it starts */
	REPLAY_DO,
	REPLAY_WANT,	/* the daemon writes this, within ms */
	REPLAY_SAY,	/* the modem says this, after ms */
};

struct replay_step {
	enum replay_kind kind;
	char file[64];		/* where it stands */
	unsigned int line;
	uint32_t ms;
	char *bytes;		/* terminated, too */
	size_t len;
	bool is_command;	/* and the end of line of the dialect */
};

struct replay_file {
	bool from_power;	/* else from an open network */
	struct replay_step steps[REPLAY_STEPS];
	size_t count;
	char error[256];	/* what replay_read() found wrong */
};

struct bench;
struct evbuffer;

struct replay {
	struct bench *bench;
	const struct replay_step *step;
	struct evbuffer *wrote;		/* by the daemon, not yet wanted */
	struct evbuffer *out;		/* for the .chk; borrowed */
	bool taken_over;		/* from the scripted modem */
	const struct fake_port_hooks *before;
	void *before_ctx;
};

/* replay_file.c: 0, or -1 and @f->error. Free it in both cases. */
int replay_read(struct replay_file *f, const char *path);
void replay_free(struct replay_file *f);
/* @out has room for REPLAY_BYTES. The length, or -1: no such escape, or too
 * long. */
int replay_unescape(char *out, const char *s);

/* replay.c: appends to @out. Fails the test when the daemon does not write
 * what the log says. @bytewise: the modem's bytes come one by one. */
void replay_run(const struct replay_file *f, bool bytewise,
		struct evbuffer *out);

/* Ends the test, naming the step's line. */
__attribute__((format(printf, 2, 3), noreturn))
void replay_fail(const struct replay_step *step, const char *fmt, ...);

/* Of a "do" or "set" line; words[0] is the verb, or the setting. */
struct replay_words {
	char *words[REPLAY_WORDS];
	int count;
};

/* replay_verbs.c: what "do" knows. */
void replay_do(struct replay *r);
/* Cuts @text, which the words then point to. Both end a test that is wrong. */
void replay_split(struct replay *r, char *text, struct replay_words *a);
unsigned long replay_number(struct replay *r, const char *text);

/* replay_settings.c: what "set" knows. */
void replay_set(struct replay *r);

#endif
