/* SPDX-License-Identifier: MIT */

/*
 * The history: what is acknowledged is on the disk, what the disk does never
 * reaches the loop, and what it refused is counted. Numbers as in the
 * catalogue of faults (E1..E10).
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>
#include <sqlite3.h>

#include "base/config.h"
#include "base/log.h"
#include "base/timer.h"
#include "history/history.h"
#include "history/schema.h"
#include "history/store.h"

struct bench {
	struct event_base *base;
	struct timers *ts;
	struct config_history set;
	struct history *h;
	char folder[64];
	char db[96];

	/* the last answer, copied */
	unsigned int answers;
	int err;
	size_t count;
	int64_t ids[1000];
	struct history_row row;		/* the first; texts in @text */
	char text[16][64];
};

static int set_up(void **state)
{
	static struct bench b;

	memset(&b, 0, sizeof(b));
	log_init("test", LOG_TARGET_STDERR, LOG_LEVEL_ERROR);
	strcpy(b.folder, "/tmp/test_history.XXXXXX");
	assert_non_null(mkdtemp(b.folder));
	snprintf(b.db, sizeof(b.db), "%s/m.db", b.folder);
	b.base = event_base_new();
	b.ts = timers_new(b.base, 1);
	b.set.database = b.db;
	b.set.retention_ms = 90LL * 86400000;
	b.set.max_size = 64 << 20;
	*state = &b;

	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;
	char command[128];

	history_free(b->h, 1000);
	timers_free(b->ts);
	event_base_free(b->base);
	snprintf(command, sizeof(command), "rm -rf %s", b->folder);

	return system(command);
}

static void start(struct bench *b)
{
	assert_int_equal(history_new(b->ts, &b->set, "gw1", "boot-1", &b->h),
			 0);
}

static void stop(struct bench *b)
{
	history_free(b->h, 2000);
	b->h = NULL;
}

static void run_ms(struct bench *b, int ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	event_base_loopexit(b->base, &tv);
	event_base_dispatch(b->base);
}

static struct history_status status(struct history *h)
{
	struct history_status s;

	history_get_status(h, &s);

	return s;
}

static void on_nothing(void *ctx, int err, const struct history_row *rows,
		       size_t count)
{
	(void)err;
	(void)rows;
	(void)count;
	*(bool *)ctx = true;
}

static const struct history_query all = {
	.since_wall_ms = INT64_MIN, .until_wall_ms = INT64_MAX, .limit = 1000,
};

/* A question hurries what was told before it. */
static void wait_committed(struct bench *b, uint64_t rows)
{
	static bool told;
	int i;

	told = false;
	history_query(b->h, &all, on_nothing, &told);
	for (i = 0; i < 2000 && (!told || status(b->h).committed < rows); i++)
		run_ms(b, 2);
	assert_int_equal(status(b->h).committed, rows);
}

static const char *wait_error(struct bench *b, struct history *h)
{
	int i;

	for (i = 0; i < 400 && !status(h).error; i++)
		run_ms(b, 10);
	assert_non_null(status(h).error);

	return status(h).error;
}

/* One value from the file, in a connection of our own. */
static const char *sql_of(const char *path, const char *sql)
{
	static char value[512];
	sqlite3_stmt *stmt;
	sqlite3 *db;
	const char *text;

	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE,
					 NULL), SQLITE_OK);
	sqlite3_busy_timeout(db, 2000);
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	value[0] = '\0';
	if (sqlite3_step(stmt) == SQLITE_ROW) {
		text = (const char *)sqlite3_column_text(stmt, 0);
		snprintf(value, sizeof(value), "%s", text ? text : "NULL");
	}
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	sqlite3_close(db);

	return value;
}

static const char *sql(struct bench *b, const char *text)
{
	return sql_of(b->db, text);
}

static struct history_session session(uint64_t link)
{
	return (struct history_session){
		.link = link, .epoch = 3, .client = "meter", .pid = 42,
		.uid = 1000, .comm = "meterd", .unit = "meter.service",
		.exe = "/usr/bin/meterd", .type = "tcp",
		.remote = "example.com:80", .slot = 7, .rule = "telemetry",
	};
}

static void open_session(struct bench *b, uint64_t link)
{
	struct history_session s = session(link);

	history_session_open(b->h, &s);
}

static const struct history_counts some = { 10, 9, 8, 7, 0 };
static const struct history_counts more = { 100, 90, -1, 70, 5 };

static void on_answer(void *ctx, int err, const struct history_row *rows,
		      size_t count)
{
	struct bench *b = ctx;
	const char **texts[] = {
		&b->row.instance, &b->row.boot_id, &b->row.session.client,
		&b->row.session.comm, &b->row.session.unit,
		&b->row.session.exe, &b->row.session.type,
		&b->row.session.remote, &b->row.session.rule, &b->row.reason,
		&b->row.modem_text, &b->row.kind, &b->row.text,
	};
	size_t i;

	b->answers++;
	b->err = err;
	b->count = count;
	for (i = 0; i < count; i++)
		b->ids[i] = rows[i].id;
	if (count == 0)
		return;
	b->row = rows[0];
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		snprintf(b->text[i], sizeof(b->text[i]), "%s", *texts[i]);
		*texts[i] = b->text[i];
	}
}

static void ask(struct bench *b, const struct history_query *q)
{
	unsigned int before = b->answers;
	int i;

	assert_true(history_query(b->h, q, on_answer, b) > 0);
	assert_int_equal(b->answers, before);
	for (i = 0; i < 1500 && b->answers == before; i++)
		run_ms(b, 2);
	assert_int_equal(b->answers, before + 1);
}

static void a_session_from_open_to_close(void **state)
{
	struct bench *b = *state;
	int64_t wall = timers_wall_ms(b->ts), mono = timers_mono_ms(b->ts);

	start(b);
	open_session(b, 5);
	wait_committed(b, 1);
	assert_string_equal(sql(b, "SELECT accepted || ' ' || confirmed || "
				"coalesce(closed, ' open') FROM sessions"),
			    "0 -1 open");
	history_session_bytes(b->h, 5, 3, &some);
	wait_committed(b, 2);
	history_session_close(b->h, 5, 3, &more, "peer", "+IPCLOSE: 5,1");
	wait_committed(b, 3);
	assert_string_equal(sql(b,
		"SELECT link || '|' || epoch || '|' || instance || '|' ||"
		" boot_id || '|' || client || '|' || pid || '|' || uid || '|'"
		" || comm || '|' || unit || '|' || exe || '|' || type || '|'"
		" || remote || '|' || slot || '|' || rule || '|' || accepted"
		" || '|' || taken || '|' || confirmed || '|' || received ||"
		" '|' || lost ||"
		" '|' || reason || '|' || modem_text || '|' ||"
		" clock_confirmed FROM sessions"),
		"5|3|gw1|boot-1|meter|42|1000|meterd|meter.service|"
		"/usr/bin/meterd|tcp|example.com:80|7|telemetry|100|90|-1|70|"
		"5|peer|+IPCLOSE: 5,1|0");
	assert_string_equal(sql(b, "SELECT count(*) FROM sessions WHERE"
				" closed >= opened AND closed_mono >="
				" opened_mono"), "1");

	ask(b, &all);
	assert_int_equal(b->err, 0);
	assert_int_equal(b->count, 1);
	assert_int_equal(b->row.session.link, 5);
	assert_int_equal(b->row.session.epoch, 3);
	assert_int_equal(b->row.session.pid, 42);
	assert_int_equal(b->row.session.uid, 1000);
	assert_int_equal(b->row.session.slot, 7);
	assert_string_equal(b->row.instance, "gw1");
	assert_string_equal(b->row.boot_id, "boot-1");
	assert_string_equal(b->row.session.client, "meter");
	assert_string_equal(b->row.session.comm, "meterd");
	assert_string_equal(b->row.session.unit, "meter.service");
	assert_string_equal(b->row.session.exe, "/usr/bin/meterd");
	assert_string_equal(b->row.session.type, "tcp");
	assert_string_equal(b->row.session.remote, "example.com:80");
	assert_string_equal(b->row.session.rule, "telemetry");
	assert_string_equal(b->row.reason, "peer");
	assert_string_equal(b->row.modem_text, "+IPCLOSE: 5,1");
	assert_true(b->row.closed);
	assert_int_equal(b->row.counts.accepted, 100);
	assert_int_equal(b->row.counts.taken, 90);
	assert_int_equal(b->row.counts.confirmed, -1);
	assert_int_equal(b->row.counts.received, 70);
	assert_int_equal(b->row.counts.lost, 5);
	assert_in_range(b->row.opened_wall_ms - wall, 0, 2000);
	assert_in_range(b->row.opened_mono_ms - mono, 0, 2000);
	assert_in_range(b->row.closed_wall_ms - wall, 0, 2000);
	assert_false(b->row.clock_confirmed);
	assert_null(status(b->h).error);
	assert_int_equal(status(b->h).dropped, 0);
	assert_string_equal(status(b->h).database, b->db);
}

static void file_as_promised(void **state)
{
	struct bench *b = *state;
	struct stat st;

	start(b);
	history_event(b->h, "daemon", "hello %d", 1);
	wait_committed(b, 1);
	assert_string_equal(sql(b, "PRAGMA journal_mode"), "wal");
	assert_string_equal(sql(b, "PRAGMA user_version"), "2");
	assert_string_equal(sql(b, "PRAGMA auto_vacuum"), "2");
	assert_string_equal(sql(b, "SELECT count(*) FROM pragma_table_list"
				" WHERE schema = 'main' AND type = 'table'"
				" AND strict = 0 AND name NOT LIKE"
				" 'sqlite%'"), "0");
	assert_string_equal(sql(b, "SELECT instance || boot_id || version ||"
				" coalesce(how, '-') FROM runs"),
			    "gw1boot-1" MODEMD_VERSION "-");
	assert_string_equal(sql(b, "SELECT kind || ':' || text FROM events"),
			    "daemon:hello 1");
	assert_int_equal(stat(b->db, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	stop(b);
	assert_string_equal(sql(b, "SELECT how || (ended >= started) FROM"
				" runs"), "stop1");
	assert_string_equal(sql(b, "PRAGMA integrity_check"), "ok");
}

static void commits_are_batched(void **state)
{
	struct bench *b = *state;
	int i;

	start(b);
	history_event(b->h, "daemon", "first");
	wait_committed(b, 1);

	for (i = 0; i < 10; i++)
		history_event(b->h, "daemon", "%d", i);
	assert_int_equal(status(b->h).queued, 10);
	run_ms(b, 120);
	assert_int_equal(status(b->h).committed, 1);
	run_ms(b, 250);
	assert_int_equal(status(b->h).committed, 11);
	assert_int_equal(status(b->h).queued, 0);

	/* a full batch does not wait, also when its first row has for long */
	for (i = 0; i < 64; i++) {
		history_event(b->h, "daemon", "%d", i);
		if (i == 0)
			run_ms(b, 30);
	}
	run_ms(b, 100);
	assert_int_equal(status(b->h).committed, 75);
}

static void newer_bytes_replace_older(void **state)
{
	struct bench *b = *state;
	struct history_counts counts = some;
	int i;

	start(b);
	open_session(b, 1);
	open_session(b, 2);
	for (i = 0; i < 1000; i++) {
		counts.accepted = (uint64_t)i;
		history_session_bytes(b->h, 1 + i % 2, 3, &counts);
	}
	assert_int_equal(status(b->h).queued, 4);
	history_session_close(b->h, 1, 3, &more, "client", "");
	history_session_bytes(b->h, 1, 4, &some);	/* of no session */
	wait_committed(b, 5);
	assert_int_equal(status(b->h).dropped, 1);
	assert_string_equal(sql(b, "SELECT group_concat(accepted) FROM"
				" sessions"), "100,999");
}

static void network_sessions(void **state)
{
	struct bench *b = *state;

	start(b);
	history_network_open(b->h, "10.0.0.1", "26201");
	history_network_close(b->h, "lost");
	history_network_open(b->h, "10.0.0.2", "26202");
	history_network_open(b->h, "10.0.0.3", "");
	wait_committed(b, 4);
	assert_string_equal(sql(b, "SELECT group_concat(address || ' ' ||"
				" operator || ' ' || coalesce(reason, '-') ||"
				" (closed IS NULL)) FROM network_sessions"),
			    "10.0.0.1 26201 lost0,10.0.0.2 26202 replaced0,"
			    "10.0.0.3  -1");
	stop(b);
	assert_string_equal(sql(b, "SELECT reason FROM network_sessions"
				" ORDER BY id DESC"), "daemon-stop");
}

/* I8, also when the clock went back meanwhile (E8). */
static void never_closed_before_opened(void **state)
{
	struct bench *b = *state;

	start(b);
	open_session(b, 1);
	open_session(b, 2);
	wait_committed(b, 2);
	sql(b, "UPDATE sessions SET opened = opened + 1000000000000");
	history_session_bytes(b->h, 1, 3, &some);
	history_session_close(b->h, 1, 3, &some, "client", "");
	wait_committed(b, 4);
	stop(b);
	assert_string_equal(sql(b, "SELECT group_concat(reason) FROM sessions"
				" WHERE closed = opened AND updated = opened"
				" OR reason = 'daemon-stop'"),
			    "client,daemon-stop");
	assert_string_equal(sql(b, "SELECT count(*) FROM sessions WHERE"
				" closed >= opened AND closed_mono >="
				" opened_mono"), "2");
}

static void ended_by_a_crash(void **state)
{
	struct bench *b = *state;
	pid_t pid = fork();
	int st;

	if (pid == 0) {
		start(b);
		open_session(b, 1);
		history_network_open(b->h, "10.0.0.1", "x");
		wait_committed(b, 2);
		run_ms(b, 30);
		history_session_bytes(b->h, 1, 3, &some);
		open_session(b, 2);
		wait_committed(b, 4);
		open_session(b, 3);	/* is lost: told, not acknowledged */
		kill(getpid(), SIGKILL);
	}
	waitpid(pid, &st, 0);
	assert_true(WIFSIGNALED(st) && WTERMSIG(st) == SIGKILL);

	start(b);
	ask(b, &all);
	assert_int_equal(b->count, 2);
	assert_string_equal(b->row.reason, "daemon-crash");
	assert_true(b->row.closed);
	assert_string_equal(sql(b, "SELECT group_concat(reason || accepted ||"
				" (closed = updated) || (closed_mono ="
				" updated_mono) || (closed > opened)) FROM"
				" sessions WHERE link = 1"),
			    "daemon-crash10111");
	assert_string_equal(sql(b, "SELECT group_concat(coalesce(how, '-'))"
				" FROM runs"), "crash,-");
	assert_string_equal(sql(b, "SELECT ended = (SELECT max(updated) FROM"
				" sessions) FROM runs WHERE id = 1"), "1");
	assert_string_equal(sql(b, "SELECT reason || (closed >= opened) FROM"
				" network_sessions"), "daemon-crash1");
}

/* Another instance that shares the file and lives is left alone. */
static void only_the_dead_are_swept(void **state)
{
	struct bench *b = *state;
	struct history *other;

	start(b);
	open_session(b, 1);
	wait_committed(b, 1);
	assert_int_equal(history_new(b->ts, &b->set, "gw2", "boot-1", &other),
			 0);
	run_ms(b, 100);
	assert_null(status(other).error);
	assert_string_equal(sql(b, "SELECT count(*) FROM sessions WHERE"
				" closed IS NULL"), "1");
	history_free(other, 1000);
	assert_int_equal(history_new(b->ts, &b->set, "gw2", "boot-2", &other),
			 0);
	run_ms(b, 100);
	assert_string_equal(sql(b, "SELECT count(*) FROM sessions WHERE"
				" closed IS NULL"), "0");
	history_free(other, 1000);
}

/* E4: whatever was acknowledged is there, and the file is sound. */
static void killed_while_writing(void **state)
{
	struct bench *b = *state;
	volatile uint64_t *acknowledged;
	uint64_t i, before = 0;
	char want[32];
	int round;
	pid_t pid;

	acknowledged = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (round = 0; round < 10; round++) {
		*acknowledged = 0;
		pid = fork();
		if (pid == 0) {
			start(b);
			for (i = 0;; i++) {
				history_event(b->h, "daemon", "%" PRIu64, i);
				*acknowledged = status(b->h).committed;
				if (i % 100 == 0)
					usleep(500);
			}
		}
		usleep(30000 + round * 13000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		if (access(b->db, F_OK) < 0)
			continue;
		assert_string_equal(sql(b, "PRAGMA integrity_check"), "ok");
		if (atoi(sql(b, "PRAGMA user_version")) == 0)
			continue;	/* killed before it began */
		snprintf(want, sizeof(want), "%" PRIu64,
			 before + *acknowledged);
		assert_true(atoll(sql(b, "SELECT count(*) FROM events WHERE"
				      " kind = 'daemon'")) >= atoll(want));
		before = (uint64_t)atoll(sql(b, "SELECT count(*) FROM events"
					     " WHERE kind = 'daemon'"));
	}
	assert_true(before > 100);
	munmap((void *)(uintptr_t)acknowledged, 4096);
}

static void overwrite(struct bench *b, long at, const char *bytes, size_t len)
{
	int fd = open(b->db, O_RDWR);

	assert_int_equal(pwrite(fd, bytes, len, at), len);
	close(fd);
}

static off_t size_of(const char *path, const char *suffix)
{
	char name[160];
	struct stat st;

	snprintf(name, sizeof(name), "%s%s", path, suffix);

	return stat(name, &st) == 0 ? st.st_size : 0;
}

static bool never(void *ctx)
{
	(void)ctx;

	return false;
}

static void damaged_is_kept_and_begun_anew(void **state)
{
	struct bench *b = *state;
	char kept[128], junk[4096];
	int i;

	start(b);
	open_session(b, 1);
	wait_committed(b, 1);
	stop(b);
	memset(junk, 'x', sizeof(junk));
	overwrite(b, 0, junk, sizeof(junk));
	start(b);
	open_session(b, 1);
	wait_committed(b, 1);
	assert_null(status(b->h).error);
	snprintf(kept, sizeof(kept), "%s.corrupt-1", b->db);
	assert_int_equal(access(kept, F_OK), 0);
	assert_string_equal(sql(b, "SELECT count(*) FROM sessions"), "1");
	assert_non_null(strstr(sql(b, "SELECT text FROM events"),
			       "m.db.corrupt-1"));

	/* a page that no insert comes by: quick_check has to see this one */
	for (i = 0; i < 2000; i++)
		history_event(b->h, "daemon", "%0200d", i);
	wait_committed(b, 2001);
	stop(b);
	overwrite(b, 60 * 4096, junk, sizeof(junk));
	start(b);
	history_event(b->h, "daemon", "x");
	wait_committed(b, 1);
	snprintf(kept, sizeof(kept), "%s.corrupt-2", b->db);
	assert_int_equal(access(kept, F_OK), 0);
}

/* A log must not stay behind: it belongs to the old file. */
static void log_goes_with_the_damaged(void **state)
{
	struct bench *b = *state;
	char kept[128], junk[4096];
	pid_t pid = fork();
	int i;

	if (pid == 0) {
		start(b);
		for (i = 0; i < 2000; i++)
			history_event(b->h, "daemon", "%0200d", i);
		wait_committed(b, 2000);
		sql(b, "PRAGMA wal_checkpoint(TRUNCATE)");
		open_session(b, 1);
		wait_committed(b, 2001);
		kill(getpid(), SIGKILL);
	}
	waitpid(pid, NULL, 0);
	memset(junk, 'x', sizeof(junk));
	assert_true(size_of(b->db, "-wal") > 0);
	overwrite(b, 60 * 4096, junk, sizeof(junk));
	start(b);
	open_session(b, 2);
	wait_committed(b, 1);
	assert_string_equal(sql(b, "PRAGMA integrity_check"), "ok");
	snprintf(kept, sizeof(kept), "%s.corrupt-1", b->db);
	assert_true(size_of(kept, "") > 60 * 4096);
	assert_true(size_of(kept, "-wal") > 0);
	assert_string_equal(sql(b, "SELECT group_concat(link) FROM sessions"),
			    "2");
}

/* Opened again after a failure, it is still the same run. */
static void reopened_is_the_same_run(void **state)
{
	struct bench *b = *state;
	struct store s = {
		.path = b->db, .instance = "gw1", .boot_id = "boot-1",
		.started_ms = 5, .started_mono_ms = 6, .max_size = 64 << 20,
		.give_up = never,
	};
	int64_t run;

	assert_int_equal(store_open(&s), 0);
	run = s.run;
	sql(b, "INSERT INTO network_sessions VALUES (1, 1, 'gw1', 'boot-1',"
	    " '', '', 5, 6, NULL, NULL, NULL, 0)");
	store_close(&s);
	assert_int_equal(store_open(&s), 0);
	assert_int_equal(s.run, run);
	assert_string_equal(sql(b, "SELECT count(*) || group_concat("
				"coalesce(how, '-')) FROM runs"), "1-");
	assert_string_equal(sql(b, "SELECT closed IS NULL FROM"
				" network_sessions"), "1");
	store_close(&s);
	s.started_mono_ms = 7;		/* another daemon */
	assert_int_equal(store_open(&s), 0);
	assert_int_not_equal(s.run, run);
	assert_string_equal(sql(b, "SELECT reason FROM network_sessions"),
			    "daemon-crash");
	store_close(&s);
}

/* Damaged while it is open: noticed at the next row or question. */
static void damaged_while_in_use(void **state)
{
	struct bench *b = *state;
	char kept[128], junk[4096];
	long page;
	int i;

	start(b);
	for (i = 0; i < 3000; i++) {
		history_event(b->h, "daemon", "%0200d", i);
		if (i % 1000 == 999)
			wait_committed(b, (uint64_t)i + 1);
	}
	sql(b, "PRAGMA wal_checkpoint(TRUNCATE)");
	memset(junk, 'x', sizeof(junk));
	for (page = 1; page < 150; page++)
		overwrite(b, page * 4096, junk, sizeof(junk));
	ask(b, &(struct history_query){
		.events = true, .since_wall_ms = INT64_MIN,
		.until_wall_ms = INT64_MAX, .limit = 1000, .reason = "none" });
	assert_int_equal(b->err, -EIO);
	history_event(b->h, "daemon", "after");
	wait_committed(b, 3001);
	snprintf(kept, sizeof(kept), "%s.corrupt-1", b->db);
	assert_int_equal(access(kept, F_OK), 0);
	assert_string_equal(sql(b, "SELECT group_concat(kind) FROM events"),
			    "history,daemon");
	assert_null(status(b->h).error);
}

static void copy_file(const char *from, const char *to, long len)
{
	static char data[1 << 20];
	int in = open(from, O_RDONLY);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t n = read(in, data, sizeof(data));

	if (len >= 0 && n > len)
		n = len;
	assert_int_equal(write(out, data, (size_t)n), n);
	close(in);
	close(out);
}

/* E3: cut at each page, and single bytes flipped: never a crash. */
static void any_damage(void **state)
{
	struct bench *b = *state;
	char good[128], name[256];
	struct stat st;
	unsigned int i;
	uint8_t byte;
	long at;
	int fd;

	start(b);
	for (i = 0; i < 60; i++)
		open_session(b, i);
	wait_committed(b, 60);
	stop(b);
	snprintf(good, sizeof(good), "%s.good", b->db);
	copy_file(b->db, good, -1);
	stat(good, &st);
	for (i = 0; i < 90; i++) {
		copy_file(good, b->db, i < 30 ? (long)i * 4096 / 2 : -1);
		if (i >= 30) {
			at = (long)timers_random(b->ts, (uint32_t)st.st_size);
			if (i < 50)
				at %= 100;
			fd = open(b->db, O_RDWR);
			assert_int_equal(pread(fd, &byte, 1, at), 1);
			byte ^= (uint8_t)(1 << i % 8);
			assert_int_equal(pwrite(fd, &byte, 1, at), 1);
			close(fd);
		}
		start(b);
		open_session(b, 1000);
		history_query(b->h, &all, on_answer, b);
		history_event(b->h, "daemon", "x");
		history_session_close(b->h, 1000, 3, &some, "x", "");
		stop(b);
		snprintf(name, sizeof(name), "rm -f %s-* %s.corrupt*", b->db,
			 b->db);
		assert_int_equal(system(name), 0);
	}
	assert_int_equal(b->answers, 90);
}

static void newer_schema_is_left_alone(void **state)
{
	struct bench *b = *state;
	struct stat before, after;
	const char *error;

	start(b);
	history_event(b->h, "daemon", "x");
	wait_committed(b, 1);
	stop(b);
	sql(b, "PRAGMA user_version = 3");
	stat(b->db, &before);
	start(b);
	history_event(b->h, "daemon", "y");
	error = wait_error(b, b->h);
	assert_non_null(strstr(error, "newer modemd (schema 3, here 2)"));
	assert_non_null(strstr(error, b->db));
	assert_int_equal(status(b->h).committed, 0);
	assert_int_equal(status(b->h).queued, 1);
	ask(b, &all);
	assert_int_equal(b->err, -EIO);
	stop(b);
	stat(b->db, &after);
	assert_int_equal(after.st_mtime, before.st_mtime);
	assert_int_equal(after.st_size, before.st_size);
	assert_string_equal(sql(b, "SELECT count(*) FROM events"), "1");
}

static void foreign_file_is_left_alone(void **state)
{
	struct bench *b = *state;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(b->db, &db), SQLITE_OK);
	sqlite3_exec(db, "CREATE TABLE mine (x); INSERT INTO mine VALUES (1)",
		     NULL, NULL, NULL);
	sqlite3_close(db);
	start(b);
	assert_non_null(strstr(wait_error(b, b->h), "not a history"));
	stop(b);
	assert_string_equal(sql(b, "SELECT count(*) FROM mine"), "1");
	assert_string_equal(sql(b, "SELECT count(*) FROM sqlite_schema"),
			    "1");
}

/* E9, with steps that a later version might have. */
static void migration(void **state)
{
	static const char *const steps[] = {
		"CREATE TABLE t (a INTEGER) STRICT; INSERT INTO t VALUES (7)",
		"ALTER TABLE t ADD COLUMN b TEXT NOT NULL DEFAULT 'new'",
		"UPDATE t SET a = a + 1; CREATE TABLE t (again)",
	};
	struct bench *b = *state;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(b->db, &db), SQLITE_OK);
	assert_int_equal(schema_migrate(db, steps, 1), SQLITE_OK);
	assert_string_equal(sql(b, "PRAGMA user_version"), "1");
	assert_int_equal(schema_migrate(db, steps, 2), SQLITE_OK);
	assert_int_equal(schema_migrate(db, steps, 2), SQLITE_OK);
	assert_string_equal(sql(b, "SELECT a || b FROM t"), "7new");
	assert_string_equal(sql(b, "PRAGMA user_version"), "2");
	/* all or nothing */
	assert_int_equal(schema_migrate(db, steps, 3), SQLITE_ERROR);
	assert_string_equal(sql(b, "SELECT a || b FROM t"), "7new");
	assert_string_equal(sql(b, "PRAGMA user_version"), "2");
	sqlite3_close(db);
}

/* A file of the first version gets its column, and keeps its rows. */
static void the_first_schema(void **state)
{
	struct bench *b = *state;
	char set[64];
	sqlite3 *db;

	assert_int_equal(sqlite3_open(b->db, &db), SQLITE_OK);
	snprintf(set, sizeof(set), "PRAGMA application_id = %d",
		 SCHEMA_APPLICATION_ID);
	sqlite3_exec(db, set, NULL, NULL, NULL);
	assert_int_equal(schema_migrate(db, schema_steps, 1), SQLITE_OK);
	sqlite3_close(db);
	sql(b, "INSERT INTO runs VALUES (1, 'gw1', 'boot-0', 1, '0', 1, 1,"
	    " 2, 2, 'stop', 0)");
	sql(b, "INSERT INTO sessions (run, link, epoch, instance, boot_id,"
	    " client, pid, uid, comm, unit, exe, type, remote, slot, rule,"
	    " opened, opened_mono, closed, closed_mono, updated,"
	    " updated_mono, received, clock_confirmed) VALUES (1, 1, 1,"
	    " 'gw1', 'boot-0', 'old', 1, 1, '', '', '', 'tcp', 'h:1', 1, '',"
	    " 1, 1, 2, 2, 2, 2, 70, 1)");
	start(b);
	open_session(b, 5);
	history_session_close(b->h, 5, 3, &more, "peer", "");
	wait_committed(b, 2);
	assert_string_equal(sql(b, "SELECT group_concat(received || '/' ||"
				" lost) FROM sessions"), "70/0,70/5");
	assert_string_equal(sql(b, "PRAGMA user_version"), "2");
}

static sqlite3 *hold_lock(const char *path)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 2000);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL,
				      NULL), SQLITE_OK);

	return db;
}

static void fill(const char *folder, const char *name)
{
	char path[160], block[4096] = { 0 };
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
}

/*
 * E1, E7 and a folder that comes late, at once since each takes its time.
 * Meanwhile the loop turns freely (and that is measured), and all come back.
 */
static void trouble_passes(void **state)
{
	struct bench *b = *state, full = *b, late = *b;
	int64_t begun, turn, longest = 0;
	char name[160], command[160];
	bool mounted;
	sqlite3 *lock;
	int i;

	snprintf(full.folder, sizeof(full.folder), "%.40s/full", b->folder);
	snprintf(late.folder, sizeof(late.folder), "%.40s/late", b->folder);
	snprintf(full.db, sizeof(full.db), "%s/m.db", full.folder);
	snprintf(late.db, sizeof(late.db), "%s/m.db", late.folder);
	full.set.database = full.db;
	late.set.database = late.db;
	mkdir(full.folder, 0700);
	mounted = mount("none", full.folder, "tmpfs", 0, "size=4M") == 0;

	start(b);
	history_event(b->h, "daemon", "before");
	wait_committed(b, 1);
	if (mounted) {
		start(&full);
		history_event(full.h, "daemon", "before");
		wait_committed(&full, 1);
		fill(full.folder, "big");
	}
	lock = hold_lock(b->db);
	start(&late);
	begun = timers_mono_ms(b->ts);
	for (i = 0; i < 5000; i++) {
		turn = timers_mono_us(b->ts);
		history_event(b->h, "daemon", "%0100d", i);
		history_event(late.h, "daemon", "%d", i);
		if (mounted)
			history_event(full.h, "daemon", "%0100d", i);
		if (i % 50 == 0)
			event_base_loop(b->base, EVLOOP_NONBLOCK);
		turn = timers_mono_us(b->ts) - turn;
		longest = turn > longest ? turn : longest;
	}
	while (timers_mono_ms(b->ts) - begun < 2000) {
		turn = timers_mono_us(b->ts);
		run_ms(b, 5);
		turn = timers_mono_us(b->ts) - turn;
		longest = turn > longest ? turn : longest;
	}
	assert_true(longest < 50000);

	/* bounded, and counted */
	assert_int_equal(status(b->h).committed, 1);
	assert_int_equal(status(b->h).queued, HISTORY_QUEUE_MAX);
	assert_int_equal(status(b->h).dropped, 5000 - HISTORY_QUEUE_MAX);
	assert_int_equal(status(late.h).dropped, 5000 - HISTORY_QUEUE_MAX);
	assert_non_null(strstr(status(late.h).error, "No such file"));
	/* a question is not held up by somebody else's writing */
	turn = timers_mono_ms(b->ts);
	ask(b, &(struct history_query){
		.events = true, .since_wall_ms = INT64_MIN,
		.until_wall_ms = INT64_MAX, .limit = 10 });
	assert_int_equal(b->count, 1);
	assert_true(timers_mono_ms(b->ts) - turn < 500);
	assert_null(status(b->h).error);
	sqlite3_exec(lock, "COMMIT", NULL, NULL, NULL);
	sqlite3_close(lock);
	run_ms(b, 1500);
	assert_true(status(b->h).committed > 1);
	mkdir(late.folder, 0700);
	if (mounted) {
		assert_non_null(strstr(status(full.h).error, "full"));
		assert_true(status(full.h).dropped > 0);
		snprintf(name, sizeof(name), "%s/big", full.folder);
		unlink(name);
	}

	wait_committed(b, 1 + HISTORY_QUEUE_MAX);
	for (i = 0; i < 700 && status(late.h).queued > 0; i++)
		run_ms(b, 10);
	assert_int_equal(status(late.h).committed, HISTORY_QUEUE_MAX);
	assert_null(status(late.h).error);
	assert_null(status(b->h).error);
	assert_string_equal(sql(b, "SELECT text FROM events WHERE"
				" kind = 'history'"),
			    "904 rows were lost: the disk did not take them");
	assert_string_equal(sql_of(late.db, "SELECT text FROM events WHERE"
				   " kind = 'history'"),
			    "904 rows were lost: the disk did not take them");
	if (mounted) {
		for (i = 0; i < 700 && status(full.h).queued > 0; i++)
			run_ms(b, 10);
		if (status(full.h).error)
			fail_msg("%s", status(full.h).error);
		assert_int_equal(status(full.h).committed +
				 status(full.h).dropped, 5001);
		assert_string_equal(sql_of(full.db, "PRAGMA integrity_check"),
				    "ok");
		stop(&full);
		snprintf(command, sizeof(command), "umount %s", full.folder);
		assert_int_equal(system(command), 0);
	} else {
		print_message("no tmpfs for the full disk\n");
	}
	stop(&late);
}

static int as_nobody(int (*fn)(struct bench *), struct bench *b)
{
	int st;
	pid_t pid = fork();

	if (pid == 0) {
		if (geteuid() == 0 && setuid(65534) < 0)
			_exit(99);
		_exit(fn(b));
	}
	waitpid(pid, &st, 0);

	return WIFEXITED(st) ? WEXITSTATUS(st) : 98;
}

static int write_forbidden(struct bench *b)
{
	int ok;

	start(b);
	history_event(b->h, "daemon", "x");
	ok = wait_error(b, b->h) && status(b->h).queued == 1 &&
	     status(b->h).committed == 0;
	stop(b);

	return !ok;
}

/* E2: the folder, then the file */
static void read_only(void **state)
{
	struct bench *b = *state;

	if (geteuid() != 0)
		skip();
	chmod(b->folder, 0555);
	assert_int_equal(as_nobody(write_forbidden, b), 0);
	chmod(b->folder, 0777);
	start(b);
	history_event(b->h, "daemon", "x");
	wait_committed(b, 1);
	stop(b);
	chmod(b->db, 0444);
	assert_int_equal(as_nobody(write_forbidden, b), 0);
	assert_string_equal(sql(b, "SELECT count(*) FROM events"), "1");
}

static void disappeared_file_is_made_again(void **state)
{
	struct bench *b = *state;
	char command[320];

	start(b);
	open_session(b, 1);
	wait_committed(b, 1);
	snprintf(command, sizeof(command), "rm %s %s-wal %s-shm", b->db,
		 b->db, b->db);
	assert_int_equal(system(command), 0);
	open_session(b, 2);
	wait_committed(b, 2);
	assert_string_equal(sql(b, "SELECT group_concat(link) FROM sessions"),
			    "2");
	assert_string_equal(sql(b, "SELECT count(*) FROM runs"), "1");
}

static struct history_query filter(void)
{
	return all;
}

static void insert(struct bench *b, unsigned int i, const char *client,
		   const char *remote, uint32_t uid, const char *reason)
{
	struct history_session s = session(i);

	s.client = client;
	s.remote = remote;
	s.uid = uid;
	history_session_open(b->h, &s);
	history_session_close(b->h, i, 3, &some, reason, "");
}

static void questions(void **state)
{
	struct bench *b = *state;
	struct history_query q;

	start(b);
	insert(b, 1, "a", "example.com:80", 1, "peer");
	insert(b, 2, "b", "example.com:443", 2, "client");
	insert(b, 3, "a", "example.community:80", 1, "client");
	insert(b, 4, "c", "[2001:db8::1]:80", 3, "lost");
	insert(b, 5, "a", "example.co:80", 1, "peer");
	history_event(b->h, "modem", "one");
	history_event(b->h, "network", "two");
	history_event(b->h, "modem", "three");

	/* also what is not on the disk yet */
	ask(b, &all);
	assert_int_equal(b->count, 5);
	assert_int_equal(b->row.session.link, 5);
	assert_int_equal(b->ids[0], 5);
	assert_int_equal(b->ids[4], 1);

#define EXPECT(...)							\
	do {								\
		const int64_t want[] = { __VA_ARGS__ };			\
									\
		ask(b, &q);						\
		assert_int_equal(b->err, 0);				\
		assert_int_equal(b->count, sizeof(want) /		\
				 sizeof(want[0]));			\
		assert_memory_equal(b->ids, want, sizeof(want));	\
	} while (0)

	q = filter(), q.client = "a";
	EXPECT(5, 3, 1);
	q = filter(), q.remote = "example.com";
	EXPECT(2, 1);
	q = filter(), q.remote = "example.com:80";
	EXPECT(1);
	q = filter(), q.remote = "2001:db8::1";
	EXPECT(4);
	q = filter(), q.reason = "client";
	EXPECT(3, 2);
	q = filter(), q.own_uid_only = true, q.uid = 2;
	EXPECT(2);
	q = filter(), q.client = "a", q.reason = "peer";
	EXPECT(5, 1);
	q = filter(), q.limit = 2;
	EXPECT(5, 4);
	q.before_id = 4;
	EXPECT(3, 2);
	q.before_id = 2;
	EXPECT(1);
	q = filter(), q.client = "' OR 1 --";
	ask(b, &q);
	assert_int_equal(b->count, 0);
	q = filter(), q.events = true;
	EXPECT(3, 2, 1);
	assert_string_equal(b->row.kind, "modem");
	assert_string_equal(b->row.text, "three");
	assert_string_equal(b->row.session.client, "");
	q.reason = "modem";
	EXPECT(3, 1);
	/* what happened to the modem is for all, who came is not */
	history_event(b->h, "client", "four");
	q = filter(), q.events = true;
	EXPECT(4, 3, 2, 1);
	q.own_uid_only = true;
	EXPECT(3, 2, 1);

	sql(b, "UPDATE sessions SET opened = id * 1000");
	q = filter(), q.since_wall_ms = 3000;
	EXPECT(5, 4, 3);
	q.until_wall_ms = 5000;
	EXPECT(4, 3);
	q = filter(), q.limit = 0;
	assert_int_equal(history_query(b->h, &q, on_answer, b), -EINVAL);
	q.limit = 1001;
	assert_int_equal(history_query(b->h, &q, on_answer, b), -EINVAL);
#undef EXPECT
}

static void cancelling(void **state)
{
	struct bench *b = *state;
	int ids[64], i;

	start(b);
	open_session(b, 1);
	wait_committed(b, 1);
	for (i = 0; i < 64; i++) {
		ids[i] = history_query(b->h, &all, on_answer, b);
		assert_true(ids[i] > 0);
	}
	assert_int_equal(history_query(b->h, &all, on_answer, b), -EBUSY);
	for (i = 0; i < 32; i++)
		history_cancel(b->h, ids[i * 2]);
	history_cancel(b->h, 12345);
	usleep(100000);
	history_cancel(b->h, ids[1]);	/* answered, not yet delivered */
	run_ms(b, 100);
	assert_int_equal(b->answers, 31);
	assert_int_equal(b->err, 0);
	assert_true(history_query(b->h, &all, on_answer, b) > 0);
	stop(b);
	assert_int_equal(b->answers, 32);
	assert_int_equal(b->err, -ECANCELED);
}

/* A question too big ends, and commits do not wait for ever behind it. */
static void question_too_big(void **state)
{
	struct bench *b = *state;
	unsigned int answers;
	int64_t begun;
	int id, i;

	start(b);
	run_ms(b, 100);
	sql(b, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM"
	    " n WHERE i < 60000) INSERT INTO events (run, instance, boot_id,"
	    " at, at_mono, kind, text, clock_confirmed) SELECT 1, 'gw1',"
	    " 'boot-1', i, i, 'x', 'y', 0 FROM n");
	begun = timers_mono_ms(b->ts);
	ask(b, &(struct history_query){
		.events = true, .since_wall_ms = INT64_MIN,
		.until_wall_ms = INT64_MAX, .limit = 1000, .reason = "none" });
	assert_true(b->err == 0 || b->err == -ETIMEDOUT);
	assert_true(timers_mono_ms(b->ts) - begun < 3000);

	/* cancelled while it runs: it is not answered */
	for (i = 0; i < 10; i++) {
		answers = b->answers;
		id = history_query(b->h, &(struct history_query){
			.events = true, .since_wall_ms = INT64_MIN,
			.until_wall_ms = INT64_MAX, .limit = 1000,
			.reason = "none" }, on_answer, b);
		usleep(i * 500);
		history_cancel(b->h, id);
		run_ms(b, 30);
		assert_int_equal(b->answers, answers);
	}
}

static void clock_is_confirmed(void **state)
{
	struct bench *b = *state;
	char text[128], want[64];
	int64_t offset = timers_wall_ms(b->ts) - timers_mono_ms(b->ts);

	start(b);
	open_session(b, 1);
	history_session_close(b->h, 1, 3, &some, "peer", "");
	open_session(b, 2);
	history_event(b->h, "daemon", "x");
	history_network_open(b->h, "a", "b");
	wait_committed(b, 5);
	/* as if the host had thought that it is 1970 */
	sql(b, "UPDATE sessions SET opened = 1, closed = iif(closed IS NULL,"
	    " NULL, 2), updated = 2");
	sql(b, "UPDATE events SET at = 3");
	sql(b, "UPDATE network_sessions SET opened = 4");
	sql(b, "INSERT INTO events VALUES (99, 1, 'gw1', 'boot-0', 7, 7, 'x',"
	    " 'y', 0)");
	history_clock_confirmed(b->h);
	history_clock_confirmed(b->h);
	open_session(b, 3);
	wait_committed(b, 6);
	snprintf(text, sizeof(text), "SELECT count(*) FROM sessions WHERE"
		 " abs(opened - opened_mono - %" PRId64 ") < 1000 AND"
		 " clock_confirmed = 1", offset);
	assert_string_equal(sql(b, text), "3");
	assert_string_equal(sql(b, "SELECT group_concat((closed - opened) ="
				" (closed_mono - opened_mono)) FROM sessions"
				" WHERE closed IS NOT NULL"), "1");
	assert_string_equal(sql(b, "SELECT count(*) FROM sessions WHERE"
				" closed IS NULL"), "2");
	snprintf(want, sizeof(want), "%" PRId64, offset);
	assert_true(llabs(atoll(sql(b, "SELECT at - at_mono FROM events WHERE"
				    " id = 1")) - offset) < 1000);
	assert_true(llabs(atoll(sql(b, "SELECT opened - opened_mono FROM"
				    " network_sessions")) - offset) < 1000);
	assert_true(llabs(atoll(sql(b, "SELECT started - started_mono FROM"
				    " runs")) - offset) < 1000);
	assert_string_equal(sql(b, "SELECT at || clock_confirmed FROM events"
				" WHERE id = 99"), "70");
}

static void retention(void **state)
{
	struct bench *b = *state;
	int i;

	b->set.retention_ms = 1000;
	start(b);
	for (i = 0; i < 700; i++)
		insert(b, (unsigned int)i, "a", "b:1", 1, "peer");
	open_session(b, 9999);		/* open ones stay */
	history_event(b->h, "daemon", "old");
	wait_committed(b, 1402);
	assert_true(atoi(sql(b, "SELECT count(*) FROM sessions")) > 100);
	run_ms(b, 1500);
	history_event(b->h, "daemon", "new");
	wait_committed(b, 1403);
	run_ms(b, 300);
	assert_string_equal(sql(b, "SELECT group_concat(link) FROM sessions"),
			    "9999");
	assert_string_equal(sql(b, "SELECT group_concat(text) FROM events"),
			    "new");
	assert_string_equal(sql(b, "PRAGMA integrity_check"), "ok");
}

/* E10 in small: the oldest go, the file and its log stay within bounds. */
static void max_size(void **state)
{
	struct bench *b = *state;
	off_t wal = 0;
	int i;

	b->set.max_size = 512 << 10;
	start(b);
	for (i = 0; i < 8000; i++) {
		history_event(b->h, "daemon", "%0200d", i);
		if (i % 1000 == 999) {
			wait_committed(b, (uint64_t)i + 1);
			if (size_of(b->db, "-wal") > wal)
				wal = size_of(b->db, "-wal");
		}
	}
	assert_true(wal > 0);
	assert_true(wal <= 4 << 20);
	run_ms(b, 200);
	assert_true(atoi(sql(b, "SELECT count(*) FROM events")) > 500);
	assert_string_equal(sql(b, "SELECT CAST(max(text) AS INTEGER) FROM"
				" events"), "7999");
	assert_string_equal(sql(b, "SELECT max(id) - min(id) + 1 ="
				" count(*) FROM events"), "1");
	stop(b);
	assert_in_range(size_of(b->db, ""), 100 << 10, 600 << 10);
}

/* A file that grew under a greater limit gives its pages back. */
static void smaller_limit_shrinks(void **state)
{
	struct bench *b = *state;
	int i;

	start(b);
	for (i = 0; i < 8000; i++) {
		history_event(b->h, "daemon", "%0300d", i);
		if (i % 2000 == 1999)
			wait_committed(b, (uint64_t)i + 1);
	}
	stop(b);
	assert_true(size_of(b->db, "") > 2 << 20);
	b->set.max_size = 512 << 10;
	start(b);
	history_event(b->h, "daemon", "last");
	wait_committed(b, 1);
	for (i = 0; i < 100 && atoi(sql(b, "PRAGMA page_count")) > 160; i++)
		run_ms(b, 20);
	stop(b);
	assert_in_range(size_of(b->db, ""), 100 << 10, 640 << 10);
	assert_string_equal(sql(b, "SELECT text FROM events ORDER BY id"
				" DESC"), "last");
}

/* E8: a clock that jumps ahead is not believed when it comes to deleting. */
static void clock_jump_deletes_nothing(void **state)
{
	struct bench *b = *state;
	int64_t day = 86400000, now = timers_wall_ms(b->ts);
	struct store s = {
		.path = b->db, .instance = "gw1", .boot_id = "boot-1",
		.started_ms = now, .retention_ms = 90 * day,
		.max_size = 64 << 20, .give_up = never,
	};
	char text[256];

	assert_int_equal(store_open(&s), 0);
	snprintf(text, sizeof(text), "INSERT INTO events VALUES (NULL, 1, 'i',"
		 " 'b', %" PRId64 ", 0, 'k', 't', 0)", now - 365 * day);
	sql(b, text);
	/* the wall clock is ten years ahead of what it was at the start */
	s.offset_ms = now - 3650 * day - store_mono_ms();
	assert_int_equal(store_trim(&s), 0);
	assert_string_equal(sql(b, "SELECT count(*) FROM events"), "1");
	/* one that never was set */
	s.offset_ms = 0;
	assert_int_equal(store_trim(&s), 0);
	assert_string_equal(sql(b, "SELECT count(*) FROM events"), "1");
	s.offset_ms = now - store_mono_ms();
	assert_int_equal(store_trim(&s), 0);
	assert_string_equal(sql(b, "SELECT count(*) FROM events"), "0");
	store_close(&s);
}

static uint64_t switches(void)
{
	DIR *d = opendir("/proc/self/task");
	char path[300], line[128];
	unsigned long long n;
	uint64_t all_threads = 0;
	struct dirent *e;
	FILE *f;

	while ((e = readdir(d))) {
		if (e->d_name[0] == '.' || atoi(e->d_name) == getpid())
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/status",
			 e->d_name);
		f = fopen(path, "r");
		while (f && fgets(line, sizeof(line), f)) {
			if (sscanf(line, "voluntary_ctxt_switches: %llu",
				   &n) == 1)
				all_threads += n;
		}
		if (f)
			fclose(f);
	}
	closedir(d);

	return all_threads;
}

/* I6: neither the writer nor the loop wakes while nothing is told. */
static void idle_wakes_nobody(void **state)
{
	struct bench *b = *state;
	uint64_t before;

	start(b);
	history_event(b->h, "daemon", "x");
	wait_committed(b, 1);
	ask(b, &all);
	run_ms(b, 100);
	before = switches();
	assert_true(before > 0);
	usleep(2000000);
	assert_int_equal(switches(), before);
	assert_int_equal(event_base_get_num_events(b->base,
			 EVENT_BASE_COUNT_ADDED), 1);
}

static void free_does_not_wait_for_ever(void **state)
{
	struct bench *b = *state;
	sqlite3 *lock;
	int64_t begun;
	pid_t pid;

	start(b);
	history_event(b->h, "daemon", "x");
	wait_committed(b, 1);
	lock = hold_lock(b->db);
	history_event(b->h, "daemon", "y");
	assert_true(history_query(b->h, &all, on_answer, b) > 0);
	begun = timers_mono_ms(b->ts);
	history_free(b->h, 300);
	b->h = NULL;
	assert_in_range(timers_mono_ms(b->ts) - begun, 250, 700);
	assert_int_equal(b->answers, 1);
	assert_int_equal(b->err, -ECANCELED);
	sqlite3_close(lock);
	usleep(100000);
	/* a lock that goes in time costs nothing */
	start(b);
	history_event(b->h, "daemon", "w");
	wait_committed(b, 1);
	pid = fork();
	if (pid == 0) {
		hold_lock(b->db);
		usleep(500000);
		_exit(0);
	}
	usleep(100000);
	stop(b);
	waitpid(pid, NULL, 0);
	assert_string_equal(sql(b, "SELECT how FROM runs ORDER BY id DESC"),
			    "stop");
	/* and when nothing is in its way all is written first */
	start(b);
	history_event(b->h, "daemon", "z");
	begun = timers_mono_ms(b->ts);
	stop(b);
	assert_true(timers_mono_ms(b->ts) - begun < 1000);
	assert_string_equal(sql(b, "SELECT group_concat(text) FROM events"),
			    "x,w,z");
}

static void long_texts_are_cut(void **state)
{
	struct bench *b = *state;
	struct history_session s = session(1);
	char big[5000];

	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	s.remote = big;
	start(b);
	history_session_open(b->h, &s);
	history_event(b->h, "daemon", "%s", big);
	wait_committed(b, 2);
	assert_string_equal(sql(b, "SELECT length(remote) FROM sessions"),
			    "512");
	assert_string_equal(sql(b, "SELECT length(text) FROM events"), "511");
}

static int read_it(struct bench *b)
{
	char *error = NULL;
	int err = history_read_file(b->db, &all, on_answer, b, &error);

	if (err)
		print_message("%s\n", error ? error : "?");
	free(error);

	return err == 0 && b->count == 1 && b->row.session.link == 1 ? 0 : 1;
}

static void a_file_is_read(void **state)
{
	struct bench *b = *state;
	char *error = NULL, junk[128];
	struct history_query q = all;

	start(b);
	open_session(b, 1);
	wait_committed(b, 1);
	assert_int_equal(read_it(b), 0);	/* a daemon runs */
	stop(b);
	assert_int_equal(read_it(b), 0);
	/* by somebody who may read and nothing else, in a folder with % */
	if (geteuid() == 0) {
		chmod(b->db, 0644);
		chmod(b->folder, 0755);
		assert_int_equal(as_nobody(read_it, b), 0);
	}
	snprintf(junk, sizeof(junk), "%s/50%%41 ?#.db", b->folder);
	assert_int_equal(rename(b->db, junk), 0);
	strcpy(b->db, junk);
	if (geteuid() == 0)
		assert_int_equal(as_nobody(read_it, b), 0);

	q.limit = 0;
	assert_int_equal(history_read_file(b->db, &q, on_answer, b, &error),
			 -EINVAL);
	free(error);
	assert_int_equal(history_read_file("/no/such", &all, on_answer, b,
					   &error), -ENOENT);
	assert_string_equal(error, "/no/such: No such file or directory");
	free(error);
	assert_int_equal(history_read_file("/proc/self/exe", &all, on_answer,
					   b, &error), -EIO);
	assert_non_null(error);
	free(error);
	sql(b, "PRAGMA user_version = 9");
	assert_int_equal(history_read_file(b->db, &all, on_answer, b,
					   &error), -EPROTO);
	assert_non_null(strstr(error, "newer modemd (schema 9, here 2)"));
	free(error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		T(a_session_from_open_to_close), T(file_as_promised),
		T(commits_are_batched), T(newer_bytes_replace_older),
		T(network_sessions), T(never_closed_before_opened),
		T(ended_by_a_crash), T(only_the_dead_are_swept),
		T(killed_while_writing), T(damaged_is_kept_and_begun_anew),
		T(log_goes_with_the_damaged), T(reopened_is_the_same_run),
		T(damaged_while_in_use), T(any_damage),
		T(newer_schema_is_left_alone), T(foreign_file_is_left_alone),
		T(migration), T(the_first_schema), T(trouble_passes),
		T(read_only),
		T(disappeared_file_is_made_again), T(questions),
		T(cancelling), T(question_too_big), T(clock_is_confirmed),
		T(retention), T(max_size), T(smaller_limit_shrinks),
		T(clock_jump_deletes_nothing),
		T(idle_wakes_nobody), T(free_does_not_wait_for_ever),
		T(long_texts_are_cut), T(a_file_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
