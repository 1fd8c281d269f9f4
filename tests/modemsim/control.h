/* SPDX-License-Identifier: MIT */

/*
 * control - a Unix socket on which tests plant faults and read the stats.
 *
 * One line per command, one line per answer: "ok ...", "error ..." or JSON.
 *
 * Called by: main.   Calls: control_commands.
 */

#ifndef MODEMSIM_CONTROL_H
#define MODEMSIM_CONTROL_H

#include <event2/buffer.h>
#include <event2/event.h>

struct modem;
struct control;

/* NULL: failed, reported. A stale socket of the same name is replaced. */
struct control *control_start(struct modem *m, const char *path);
void control_stop(struct control *c);

/* control_commands.c: run @line (is cut up), append one line to @out. */
void control_run(struct modem *m, char *line, struct evbuffer *out);

/* ctl.c: the client; the exit status. */
int ctl_main(const char *path, char **args);

#endif
