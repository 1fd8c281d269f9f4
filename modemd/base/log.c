/* SPDX-License-Identifier: MIT */

/*
 * log - lines out, thinned and made harmless.
 */

#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_LEN	1024
#define FLOOD_LINES	200
#define FLOOD_MS	5000

static struct {
	char program[32];		/* syslog keeps the pointer */
	enum log_target target;
	enum log_level level;
	int64_t window_start_ms;
	unsigned int lines;		/* in this window */
	unsigned int left_out;
} log_state = {
	.program = "modemd",
	.target = LOG_TARGET_STDERR,
	.level = LOG_LEVEL_INFO,
};

static int priority_of(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:	return LOG_ERR;
	case LOG_LEVEL_WARNING:	return LOG_WARNING;
	case LOG_LEVEL_INFO:	return LOG_INFO;
	case LOG_LEVEL_DEBUG:	return LOG_DEBUG;
	}

	return LOG_ERR;
}

static const char *word_for(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:	return "error: ";
	case LOG_LEVEL_WARNING:	return "warning: ";
	case LOG_LEVEL_INFO:	return "";
	case LOG_LEVEL_DEBUG:	return "debug: ";
	}

	return "";
}

/* systemd names the journal's socket in the environment, see sd-daemon(3). */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev &&
	       st.st_ino == ino;
}

void log_init(const char *program, enum log_target target,
	      enum log_level level)
{
	if (target == LOG_TARGET_AUTO)
		target = stderr_is_journal() ? LOG_TARGET_JOURNAL :
					       LOG_TARGET_SYSLOG;

	snprintf(log_state.program, sizeof(log_state.program), "%s", program);
	log_state.target = target;
	log_state.level = level;
	log_state.lines = 0;
	log_state.left_out = 0;
	closelog();
	if (target == LOG_TARGET_SYSLOG)
		openlog(log_state.program, LOG_PID, LOG_DAEMON);
}

void log_set_level(enum log_level level)
{
	log_state.level = level;
}

/* One write for one line, so that lines of two processes do not mix. */
static void put_stderr(enum log_level level, const char *text)
{
	char line[LINE_MAX_LEN + 128], when[40];
	struct timespec now;
	struct tm tm;
	int len;

	if (log_state.target == LOG_TARGET_JOURNAL) {
		len = snprintf(line, sizeof(line), "<%d>%s\n",
			       priority_of(level), text);
	} else {
		clock_gettime(CLOCK_REALTIME, &now);
		gmtime_r(&now.tv_sec, &tm);
		strftime(when, sizeof(when), "%FT%T", &tm);
		len = snprintf(line, sizeof(line), "%s.%03ldZ %s: %s%s\n",
			       when, now.tv_nsec / 1000000, log_state.program,
			       word_for(level), text);
	}
	/* Nobody can be told when this fails. */
	if (len > 0 && write(STDERR_FILENO, line, (size_t)len) < 0)
		return;
}

static void put(enum log_level level, const char *text)
{
	if (log_state.target == LOG_TARGET_SYSLOG)
		syslog(priority_of(level), "%s", text);
	else
		put_stderr(level, text);
}

/* False: this line is one too many; it is only counted. */
static bool flood_gate(void)
{
	struct timespec now;
	int64_t now_ms;
	char text[80];

	clock_gettime(CLOCK_MONOTONIC, &now);
	now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	if (log_state.lines == 0 ||
	    now_ms - log_state.window_start_ms >= FLOOD_MS) {
		log_state.window_start_ms = now_ms;
		log_state.lines = 0;
		if (log_state.left_out > 0) {
			snprintf(text, sizeof(text),
				 "%u lines left out, too many at once",
				 log_state.left_out);
			put(LOG_LEVEL_WARNING, text);
			log_state.left_out = 0;
		}
	}
	if (log_state.lines >= FLOOD_LINES) {
		log_state.left_out++;
		return false;
	}
	log_state.lines++;

	return true;
}

/* Length of a well-formed sequence at @s that may be shown, or 0. */
static size_t utf8_len(const uint8_t *s, size_t left)
{
	uint32_t code, least;
	size_t len, i;

	if (s[0] >= 0xc2 && s[0] <= 0xdf) {
		len = 2, code = s[0] & 0x1f, least = 0x80;
	} else if ((s[0] & 0xf0) == 0xe0) {
		len = 3, code = s[0] & 0x0f, least = 0x800;
	} else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		len = 4, code = s[0] & 0x07, least = 0x10000;
	} else {
		return 0;
	}
	if (len > left)
		return 0;
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < least || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff))
		return 0;
	/* C1 controls, line ends, and what turns the direction of writing */
	if (code < 0xa0 || (code >= 0x200b && code <= 0x200f) ||
	    (code >= 0x2028 && code <= 0x202e) ||
	    (code >= 0x2060 && code <= 0x206f) || code == 0xfeff ||
	    (code & 0xfffe) == 0xfffe)
		return 0;

	return len;
}

/* @slash: double a backslash; not for lines, whose parts did so already. */
static char *escape(char *out, size_t size, const void *bytes, size_t len,
		    bool utf8, bool slash)
{
	const uint8_t *s = bytes;
	size_t used = 0, n, width;
	char one[8];

	if (size == 0)
		return out;
	for (; len > 0; s += n, len -= n) {
		n = utf8 ? utf8_len(s, len) : 0;
		if (n > 0) {
			memcpy(one, s, n);
			width = n;
		} else {
			n = 1;
			if (*s == '\\' && slash)
				width = (size_t)sprintf(one, "\\\\");
			else if (*s >= 0x20 && *s < 0x7f)
				width = (size_t)sprintf(one, "%c", *s);
			else
				width = (size_t)sprintf(one, "\\x%02x", *s);
		}
		if (used + width >= size)
			break;
		memcpy(out + used, one, width);
		used += width;
	}
	out[used] = '\0';

	return out;
}

char *log_escape(char *out, size_t size, const void *bytes, size_t len)
{
	return escape(out, size, bytes, len, false, true);
}

char *log_escape_utf8(char *out, size_t size, const void *bytes, size_t len)
{
	return escape(out, size, bytes, len, true, true);
}

__attribute__((format(printf, 2, 0)))
static void log_line(enum log_level level, const char *fmt, va_list ap)
{
	char raw[LINE_MAX_LEN], text[LINE_MAX_LEN];
	int saved = errno;

	if (level <= log_state.level && flood_gate()) {
		vsnprintf(raw, sizeof(raw), fmt, ap);
		escape(text, sizeof(text), raw, strlen(raw), true, false);
		put(level, text);
	}
	errno = saved;
}

#define LOG_FUNCTION(name, level)			\
	void name(const char *fmt, ...)			\
	{						\
		va_list ap;				\
							\
		va_start(ap, fmt);			\
		log_line(level, fmt, ap);		\
		va_end(ap);				\
	}

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
LOG_FUNCTION(log_warn, LOG_LEVEL_WARNING)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)
