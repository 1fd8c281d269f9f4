/* SPDX-License-Identifier: MIT */

/* The state file: whole at any moment, and never lost without a word. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/state.h"

static char folder[64], path[96], bad[112], fresh[112];

static int set_up(void **state)
{
	(void)state;
	log_init("test", LOG_TARGET_STDERR, LOG_LEVEL_ERROR);
	strcpy(folder, "/tmp/test_state.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/m.state", folder);
	snprintf(bad, sizeof(bad), "%s.bad", path);
	snprintf(fresh, sizeof(fresh), "%s.new", path);

	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);

	return system(command);
}

static void put(const char *name, const char *text, size_t len)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

static const char *content(const char *name)
{
	static char text[100000];
	int fd = open(name, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n] = '\0';

	return text;
}

static void rows_survive(void **unused)
{
	struct state *s;
	struct stat st;
	int err;

	(void)unused;
	s = state_open(path, &err);
	assert_int_equal(err, 0);
	assert_null(state_get(s, "pin-tries"));
	assert_int_equal(state_set(s, "pin-tries", "1"), 0);
	assert_int_equal(state_set(s, "baud", "921600"), 0);
	assert_int_equal(state_set(s, "pin-tries", "2"), 0);
	assert_int_equal(state_set(s, "gone", "x"), 0);
	assert_int_equal(state_set(s, "gone", NULL), 0);
	assert_int_equal(state_set(s, "never", NULL), 0);
	assert_string_equal(content(path), "pin-tries 2\nbaud 921600\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(access(fresh, F_OK), -1);
	state_close(s);

	s = state_open(path, &err);
	assert_int_equal(err, 0);
	assert_string_equal(state_get(s, "pin-tries"), "2");
	assert_string_equal(state_get(s, "baud"), "921600");
	assert_null(state_get(s, "gone"));
	/* the row in the middle goes, the one behind it stays */
	assert_int_equal(state_set(s, "pin-tries", NULL), 0);
	assert_string_equal(state_get(s, "baud"), "921600");
	state_close(s);
}

static void bad_words(void **unused)
{
	char key[STATE_KEY_MAX + 2], value[STATE_VALUE_MAX + 2];
	struct state *s;
	int err;

	(void)unused;
	s = state_open(path, &err);
	memset(key, 'k', sizeof(key));
	memset(value, 'v', sizeof(value));
	key[STATE_KEY_MAX + 1] = value[STATE_VALUE_MAX + 1] = '\0';
	assert_int_equal(state_set(s, "", "x"), -EINVAL);
	assert_int_equal(state_set(s, "a b", "x"), -EINVAL);
	assert_int_equal(state_set(s, "a\n", "x"), -EINVAL);
	assert_int_equal(state_set(s, "a", ""), -EINVAL);
	assert_int_equal(state_set(s, "a", "x y"), -EINVAL);
	assert_int_equal(state_set(s, "a", "x\xc3"), -EINVAL);
	assert_int_equal(state_set(s, key, "x"), -EINVAL);
	assert_int_equal(state_set(s, "a", value), -EINVAL);
	key[STATE_KEY_MAX] = value[STATE_VALUE_MAX] = '\0';
	assert_int_equal(state_set(s, key, value), 0);
	state_close(s);
	s = state_open(path, &err);
	assert_int_equal(err, 0);
	assert_string_equal(state_get(s, key), value);
	state_close(s);
}

static void full(void **unused)
{
	struct state *s;
	char key[16];
	int err, i;

	(void)unused;
	s = state_open(path, &err);
	for (i = 0; i < STATE_ROWS_MAX; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		assert_int_equal(state_set(s, key, "x"), 0);
	}
	assert_int_equal(state_set(s, "more", "x"), -ENOSPC);
	assert_int_equal(state_set(s, "k7", "y"), 0);
	assert_int_equal(state_set(s, "k9", NULL), 0);
	assert_int_equal(state_set(s, "more", "x"), 0);
	state_close(s);
	s = state_open(path, &err);
	assert_int_equal(err, 0);
	assert_string_equal(state_get(s, "k7"), "y");
	assert_string_equal(state_get(s, "more"), "x");
	state_close(s);
}

static void not_understood_is_kept(void **unused)
{
	static const struct {
		const char *text;
		size_t len;
	} files[] = {
		{ "a 1\nhalf", 8 }, { "a\n", 2 }, { "a 1\na 2\n", 8 },
		{ "a 1\n\n", 5 }, { "a 1 2\n", 6 }, { "a\0 1\n", 5 },
		{ "\xff\xfe 1\n", 5 },
	};
	struct state *s;
	size_t i;
	int err;

	(void)unused;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		put(path, files[i].text, files[i].len);
		s = state_open(path, &err);
		assert_int_equal(err, -EBADMSG);
		assert_null(state_get(s, "a"));
		assert_memory_equal(content(bad), files[i].text,
				    files[i].len);
		assert_int_equal(state_set(s, "b", "2"), 0);
		state_close(s);
		assert_string_equal(content(path), "b 2\n");
		unlink(bad);
	}
}

static void left_over_new_file(void **unused)
{
	struct state *s;
	int err;

	(void)unused;
	put(path, "a 1\n", 4);
	put(fresh, "a 2\nhal", 7);
	s = state_open(path, &err);
	assert_int_equal(err, 0);
	assert_string_equal(state_get(s, "a"), "1");
	assert_int_equal(state_set(s, "a", "3"), 0);
	state_close(s);
	assert_string_equal(content(path), "a 3\n");
}

/* As nobody, whom modes do stop. Returns 0 or the line that failed. */
static int in_child(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (geteuid() == 0 && setuid(65534) < 0)
			_exit(99);
		_exit(fn());
	}
	waitpid(pid, &status, 0);

	return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

static int no_write(void)
{
	struct state *s;
	int err, ok;

	s = state_open(path, &err);
	ok = s && err == -EACCES && state_get(s, "a") &&
	     strcmp(state_get(s, "a"), "1") == 0 &&
	     state_set(s, "a", "2") == -EACCES &&
	     strcmp(state_get(s, "a"), "1") == 0 &&
	     state_set(s, "b", "2") == -EACCES && !state_get(s, "b") &&
	     state_set(s, "a", NULL) == -EACCES && state_get(s, "a");
	state_close(s);

	return !ok;
}

static void folder_not_writable(void **unused)
{
	(void)unused;
	put(path, "a 1\n", 4);
	chmod(path, 0644);
	chmod(folder, 0555);
	assert_int_equal(in_child(no_write), 0);
	assert_string_equal(content(path), "a 1\n");
}

static int no_read(void)
{
	struct state *s;
	int err, ok;

	s = state_open(path, &err);
	ok = s && err == -EACCES && state_set(s, "b", "2") == -EACCES;
	state_close(s);

	return !ok;
}

/* It could be replaced, for the folder allows it: all the worse. */
static void unreadable_is_not_overwritten(void **unused)
{
	(void)unused;
	if (geteuid() != 0)
		skip();
	put(path, "pin-tries 1\n", 12);
	chmod(folder, 0777);
	assert_int_equal(in_child(no_read), 0);
	assert_string_equal(content(path), "pin-tries 1\n");
}

static void no_folder(void **unused)
{
	struct state *s;
	int err;

	(void)unused;
	rmdir(folder);
	s = state_open(path, &err);
	assert_non_null(s);
	assert_int_equal(err, -ENOENT);
	assert_int_equal(state_set(s, "a", "1"), -ENOENT);
	mkdir(folder, 0700);
	assert_int_equal(state_set(s, "a", "1"), 0);
	state_close(s);
}

/* RLIMIT_FSIZE plays the full disk: the old rows must be the file's. */
static int disk_full(void)
{
	struct rlimit limit = { 4, 4 };
	struct state *s;
	int err, ok;

	signal(SIGXFSZ, SIG_IGN);
	s = state_open(path, &err);
	setrlimit(RLIMIT_FSIZE, &limit);
	ok = err == 0 && state_set(s, "much", "more") == -EFBIG &&
	     !state_get(s, "much") && access(fresh, F_OK) < 0;
	state_close(s);

	return !ok;
}

static void full_disk_keeps_the_old(void **unused)
{
	(void)unused;
	put(path, "a 1\n", 4);
	chmod(path, 0666);
	chmod(folder, 0777);
	assert_int_equal(in_child(disk_full), 0);
	assert_string_equal(content(path), "a 1\n");
}

/* E4: killed at any moment, the file is one of the written ones. */
static void killed_while_writing(void **unused)
{
	struct state *s;
	unsigned int round;
	int err;
	pid_t pid;

	(void)unused;
	for (round = 0; round < 30; round++) {
		pid = fork();
		if (pid == 0) {
			s = state_open(path, &err);
			for (;;) {
				state_set(s, "a", "1111111111");
				state_set(s, "a", "2222222222");
			}
		}
		usleep(3000 + round * 700);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		s = state_open(path, &err);
		assert_int_equal(err, 0);
		if (state_get(s, "a"))
			assert_true(strcmp(content(path), "a 1111111111\n") ==
				    0 || strcmp(content(path),
						"a 2222222222\n") == 0);
		state_close(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		T(rows_survive), T(bad_words), T(full),
		T(not_understood_is_kept), T(left_over_new_file),
		T(folder_not_writable), T(unreadable_is_not_overwritten),
		T(no_folder), T(full_disk_keeps_the_old),
		T(killed_while_writing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
