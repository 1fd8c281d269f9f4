/* SPDX-License-Identifier: MIT */

/* What a line looks like, and that nobody can forge one (S13). */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

/* log.c's clock, so that no test waits for it. */
static time_t ahead_s;

int clock_gettime(clockid_t id, struct timespec *now)
{
	int err = (int)syscall(SYS_clock_gettime, id, now);

	now->tv_sec += ahead_s;

	return err;
}

static int saved_stderr;
static FILE *file;
static char text[65536];

static int set_up(void **state)
{
	(void)state;
	file = tmpfile();
	saved_stderr = dup(STDERR_FILENO);
	dup2(fileno(file), STDERR_FILENO);
	unsetenv("JOURNAL_STREAM");

	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	fclose(file);

	return 0;
}

static const char *logged(void)
{
	ssize_t n = pread(fileno(file), text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';

	return text;
}

static unsigned int lines(void)
{
	const char *s = logged();
	unsigned int n = 0;

	for (; *s; s++)
		n += *s == '\n';

	return n;
}

/* Without "2026-07-01T12:00:00.123Z modemd: " */
static const char *said(void)
{
	const char *s = strstr(logged(), "Z modemd: ");

	assert_non_null(s);
	assert_int_equal(s - text, 23);

	return s + 10;
}

static void levels(void **state)
{
	(void)state;
	log_init("modemd", LOG_TARGET_STDERR, LOG_LEVEL_WARNING);
	log_info("no");
	log_debug("no");
	assert_int_equal(lines(), 0);
	log_warn("w %d", 1);
	assert_string_equal(said(), "warning: w 1\n");
	log_set_level(LOG_LEVEL_ERROR);
	log_warn("no");
	log_error("e");
	assert_int_equal(lines(), 2);
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("d");
	log_info("i");
	assert_int_equal(lines(), 4);
	assert_non_null(strstr(logged(), "modemd: error: e\n"));
	assert_non_null(strstr(logged(), "modemd: debug: d\n"));
	assert_non_null(strstr(logged(), "modemd: i\n"));
}

static void line_cannot_be_forged(void **state)
{
	(void)state;
	log_init("modemd", LOG_TARGET_STDERR, LOG_LEVEL_INFO);
	log_info("modem says %s", "a\nb\r\x1b[2J\x7f\xff %s \xc2\x9b \xc3\xa4");
	assert_string_equal(said(), "modem says a\\x0ab\\x0d\\x1b[2J\\x7f\\xff"
			    " %s \\xc2\\x9b \xc3\xa4\n");
	assert_int_equal(lines(), 1);
}

static void long_line_is_cut(void **state)
{
	char big[5000];

	(void)state;
	memset(big, '\n', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	log_init("modemd", LOG_TARGET_STDERR, LOG_LEVEL_INFO);
	log_info("%s", big);
	assert_int_equal(lines(), 1);
	assert_in_range(strlen(logged()), 1000, 1200);
}

static void journal_prefix(void **state)
{
	(void)state;
	log_init("modemd", LOG_TARGET_JOURNAL, LOG_LEVEL_DEBUG);
	log_error("e");
	log_warn("w");
	log_info("i");
	log_debug("d");
	assert_string_equal(logged(), "<3>e\n<4>w\n<6>i\n<7>d\n");
}

static void auto_finds_the_journal(void **state)
{
	char stream[64];
	struct stat st;

	(void)state;
	fstat(STDERR_FILENO, &st);
	snprintf(stream, sizeof(stream), "%llu:%llu",
		 (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_init("modemd", LOG_TARGET_AUTO, LOG_LEVEL_INFO);
	log_info("here");
	assert_string_equal(logged(), "<6>here\n");

	/* somebody else's journal: not ours, so syslog and not here */
	snprintf(stream, sizeof(stream), "%llu:%llu",
		 (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino + 1);
	setenv("JOURNAL_STREAM", stream, 1);
	log_init("modemd", LOG_TARGET_AUTO, LOG_LEVEL_INFO);
	log_info("not here");
	assert_string_equal(logged(), "<6>here\n");
}

static void flood_is_thinned(void **state)
{
	unsigned int i;

	(void)state;
	log_init("modemd", LOG_TARGET_JOURNAL, LOG_LEVEL_INFO);
	for (i = 0; i < 1000; i++)
		log_info("line %u", i);
	assert_int_equal(lines(), 200);
	assert_non_null(strstr(logged(), "line 199\n"));
	ahead_s = 4;
	log_info("still");
	assert_int_equal(lines(), 200);
	ahead_s = 5;
	log_info("after");
	assert_non_null(strstr(logged(), "<4>801 lines left out, too many at "
			       "once\n<6>after\n"));
	assert_int_equal(lines(), 202);
}

static void errno_survives(void **state)
{
	(void)state;
	log_init("modemd", LOG_TARGET_STDERR, LOG_LEVEL_INFO);
	close(STDERR_FILENO);
	errno = ENOENT;
	log_info("nobody hears this");
	assert_int_equal(errno, ENOENT);
}

static void escapes(void **state)
{
	char out[64];

	(void)state;
	assert_string_equal(log_escape(out, sizeof(out), "a\0\\\n~", 5),
			    "a\\x00\\\\\\x0a~");
	assert_string_equal(log_escape(out, sizeof(out), "\xc3\xa4", 2),
			    "\\xc3\\xa4");
	assert_string_equal(log_escape_utf8(out, sizeof(out), "\xc3\xa4\\", 3),
			    "\xc3\xa4\\\\");
	/* cut where it does not fit, never inside an escape */
	assert_string_equal(log_escape(out, 6, "a\n\n", 3), "a\\x0a");
	assert_string_equal(log_escape(out, 8, "a\n\n", 3), "a\\x0a");
	assert_string_equal(log_escape(out, 1, "a", 1), "");
}

static void utf8_only_where_well_formed(void **state)
{
	static const char *const bad[] = {
		"\xc0\x80", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xed\xa0\x80",
		"\xf4\x90\x80\x80", "\xf8\x88\x80\x80", "\xc3", "\xe2\x82",
		"\x80",
		"\xe2\x80\xae",		/* U+202E: writes backwards */
		"\xe2\x80\xa8",		/* U+2028: a line end */
		"\xc2\x85",		/* U+0085: another */
		"\xef\xbf\xbf",
	};
	static const char *const good[] = {
		"\xc2\xa0", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xdf\xbf",
	};
	char out[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		log_escape_utf8(out, sizeof(out), bad[i], strlen(bad[i]));
		assert_int_equal(strlen(out), 4 * strlen(bad[i]));
	}
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		log_escape_utf8(out, sizeof(out), good[i], strlen(good[i]));
		assert_string_equal(out, good[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		T(levels), T(line_cannot_be_forged), T(long_line_is_cut),
		T(journal_prefix), T(auto_finds_the_journal),
		T(flood_is_thinned), T(errno_survives), T(escapes),
		T(utf8_only_where_well_formed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
