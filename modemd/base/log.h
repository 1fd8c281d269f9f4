/* SPDX-License-Identifier: MIT */

/*
 * log - one line per thing that happened, to stderr, syslog or the journal.
 *
 * The only file-scope state of the daemon: where lines go and from which
 * level on. Bytes that are not printable come out as \xNN, so that nothing a
 * modem or a client says can forge a line. Floods are thinned: more than 200
 * lines within 5 s are counted and told in one line.
 *
 * Called by: all layers.   Calls: syslog.
 */

#ifndef MODEMD_LOG_H
#define MODEMD_LOG_H

#include <stddef.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO,
		 LOG_LEVEL_DEBUG };
/* AUTO: the journal when stderr is connected to it, else syslog. */
enum log_target { LOG_TARGET_AUTO, LOG_TARGET_STDERR, LOG_TARGET_SYSLOG,
		  LOG_TARGET_JOURNAL };

void log_init(const char *program, enum log_target target,
	      enum log_level level);
void log_set_level(enum log_level level);

__attribute__((format(printf, 1, 2))) void log_error(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void log_warn(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void log_info(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void log_debug(const char *fmt, ...);

/*
 * Escapes @len bytes into @out (always terminated, cut when it does not fit):
 * printable ASCII stays, '\\' doubles, all else becomes \xNN; in the second,
 * well-formed printable UTF-8 stays too. Return @out.
 */
char *log_escape(char *out, size_t size, const void *bytes, size_t len);
char *log_escape_utf8(char *out, size_t size, const void *bytes, size_t len);

#endif
