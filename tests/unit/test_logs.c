/* SPDX-License-Identifier: MIT */

/*
 * test_logs LOG ... | DIALECT: plays recorded conversations and compares what
 * the modem layer makes of them with the .chk files; of a dialect, all of
 * LOGS_DIR/DIALECT. Each is played twice, in pieces as it stands and byte by byte: both
 * must mean the same. LOGS_UPDATE=1 writes the .chk files anew.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <event2/buffer.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"

#define LOGS_MAX	512

static struct replay_file file;
static struct evbuffer *got, *chk;

static void chk_path(char *out, size_t size, const char *log)
{
	snprintf(out, size, "%.*s.chk", (int)strlen(log) - 4, log);
}

static void read_chk(const char *path)
{
	char text[4096];
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		fail_msg("%s: %s; LOGS_UPDATE=1 writes it", path,
			 strerror(errno));
	while ((n = fread(text, 1, sizeof(text), f)) > 0)
		evbuffer_add(chk, text, n);
	fclose(f);
}

static void write_chk(const char *path)
{
	FILE *f = fopen(path, "we");

	if (!f)
		fail_msg("%s: %s", path, strerror(errno));
	fwrite(evbuffer_pullup(got, -1), 1, evbuffer_get_length(got), f);
	fclose(f);
}

static bool is_same(void)
{
	size_t n = evbuffer_get_length(got);

	return n == evbuffer_get_length(chk) &&
	       memcmp(evbuffer_pullup(got, -1), evbuffer_pullup(chk, -1),
		      n) == 0;
}

static void show_diff(const char *path)
{
	char command[1200];
	FILE *diff;

	snprintf(command, sizeof(command), "diff -u --label '%s' --label "
		 "'what was reported' '%s' - >&2", path, path);
	diff = popen(command, "w");
	if (!diff)
		return;
	fwrite(evbuffer_pullup(got, -1), 1, evbuffer_get_length(got), diff);
	pclose(diff);
}

static void play_one(const char *path, bool bytewise)
{
	char name[512];

	evbuffer_drain(got, evbuffer_get_length(got));
	evbuffer_drain(chk, evbuffer_get_length(chk));
	chk_path(name, sizeof(name), path);
	replay_run(&file, bytewise, got);
	if (getenv("LOGS_UPDATE") && !bytewise)
		write_chk(name);
	read_chk(name);
	if (is_same())
		return;

	show_diff(name);
	fail_msg("%s%s means something else now", path,
		 bytewise ? ", byte by byte," : "");
}

static void play(void **state)
{
	const char *path = *state;

	if (replay_read(&file, path))
		fail_msg("%s", file.error);
	play_one(path, false);
	play_one(path, true);
}

static int forget(void **state)
{
	(void)state;
	replay_free(&file);

	return 0;
}

int main(int argc, char **argv)
{
	struct CMUnitTest tests[LOGS_MAX] = { 0 };
	glob_t found = { 0 };
	size_t i, count = (size_t)argc - 1;
	char **paths = argv + 1, all[512];

	if (argc == 2 && !strstr(argv[1], ".log")) {
		snprintf(all, sizeof(all), LOGS_DIR "/%s/*.log", argv[1]);
		if (glob(all, 0, NULL, &found))
			return 1;
		count = found.gl_pathc;
		paths = found.gl_pathv;
	}
	if (count > LOGS_MAX) {
		fprintf(stderr, "more than %d logs\n", LOGS_MAX);
		return 2;
	}
	for (i = 0; i < count; i++) {
		tests[i].name = strrchr(paths[i], '/') ?
				strrchr(paths[i], '/') + 1 : paths[i];
		tests[i].test_func = play;
		tests[i].teardown_func = forget;
		tests[i].initial_state = paths[i];
	}
	printf("%zu logs\n", count);
	got = evbuffer_new();
	chk = evbuffer_new();
	i = (size_t)_cmocka_run_group_tests("logs", tests, count, NULL, NULL);
	globfree(&found);
	evbuffer_free(got);
	evbuffer_free(chk);

	return i > 0;
}
