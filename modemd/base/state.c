/* SPDX-License-Identifier: MIT */

/*
 * state - rows in memory, and the whole file anew at each change: there are
 * few rows, and they change a few times a day.
 */

#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define FILE_MAX	(STATE_ROWS_MAX * (STATE_KEY_MAX + STATE_VALUE_MAX + 2))

struct row {
	char key[STATE_KEY_MAX + 1];
	char value[STATE_VALUE_MAX + 1];
};

struct state {
	char *path;
	int unread;		/* -errno: the file is there, rows unknown */
	struct row rows[STATE_ROWS_MAX];
	size_t count;
};

static bool is_word(const char *text, size_t most)
{
	size_t i;

	for (i = 0; text[i]; i++) {
		if (i == most || text[i] <= ' ' || text[i] > '~')
			return false;
	}

	return i > 0;
}

/* Its place, or s->count when there is none. */
static size_t find(const struct state *s, const char *key)
{
	size_t i;

	for (i = 0; i < s->count; i++) {
		if (strcmp(s->rows[i].key, key) == 0)
			break;
	}

	return i;
}

/* "key value" of one line; it is cut in two. */
static bool parse_line(struct state *s, char *line)
{
	char *value = strchr(line, ' ');
	struct row *row = &s->rows[s->count];

	if (!value || s->count == STATE_ROWS_MAX)
		return false;
	*value++ = '\0';
	if (!is_word(line, STATE_KEY_MAX) || !is_word(value, STATE_VALUE_MAX) ||
	    find(s, line) < s->count)
		return false;
	memcpy(row->key, line, strlen(line) + 1);
	memcpy(row->value, value, strlen(value) + 1);
	s->count++;

	return true;
}

/* A file that we wrote ends with a newline; half a one does not. */
static bool parse(struct state *s, char *text, size_t len)
{
	char *line, *end;

	if (strlen(text) != len || (len > 0 && text[len - 1] != '\n'))
		return false;
	for (line = text; *line; line = end + 1) {
		end = strchr(line, '\n');
		*end = '\0';
		if (!parse_line(s, line)) {
			s->count = 0;
			return false;
		}
	}

	return true;
}

static ssize_t read_all(int fd, char *text, size_t size)
{
	size_t used = 0;
	ssize_t n = 0;

	while (used < size && (n = read(fd, text + used, size - used)) > 0)
		used += (size_t)n;

	return n < 0 ? -errno : (ssize_t)used;
}

static int set_aside(struct state *s)
{
	char bad[PATH_MAX];

	if (snprintf(bad, sizeof(bad), "%s.bad", s->path) >= (int)sizeof(bad))
		return -ENAMETOOLONG;
	if (rename(s->path, bad) < 0)
		return -errno;
	log_warn("state: %s cannot be understood; kept as %s", s->path, bad);

	return -EBADMSG;
}

static int load(struct state *s)
{
	int fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char *text;
	ssize_t len;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	text = calloc(1, FILE_MAX + 2);
	len = text ? read_all(fd, text, FILE_MAX + 1) : -ENOMEM;
	close(fd);
	if (len >= 0 && (len > FILE_MAX || !parse(s, text, (size_t)len)))
		len = set_aside(s);
	free(text);

	return len < 0 ? (int)len : 0;
}

static int sync_folder(const char *path)
{
	char copy[PATH_MAX];
	int fd, err = 0;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(fd) < 0 && errno != EINVAL)
		err = -errno;
	close(fd);

	return err;
}

static int write_rows(const struct state *s, int fd)
{
	size_t i;
	int err = 0;
	FILE *f = fdopen(fd, "w");

	if (!f) {
		close(fd);
		return -ENOMEM;
	}
	for (i = 0; i < s->count; i++)
		fprintf(f, "%s %s\n", s->rows[i].key, s->rows[i].value);
	if (fflush(f) != 0 || fsync(fd) < 0)
		err = errno ? -errno : -EIO;
	if (fclose(f) != 0 && !err)
		err = -errno;

	return err;
}

/* At any moment the name holds either the old rows or the new ones, whole. */
static int save(const struct state *s)
{
	char fresh[PATH_MAX];
	int fd, err;

	if (snprintf(fresh, sizeof(fresh), "%s.new", s->path) >=
	    (int)sizeof(fresh))
		return -ENAMETOOLONG;
	unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		  0600);
	if (fd < 0)
		return -errno;
	err = write_rows(s, fd);
	if (!err && rename(fresh, s->path) < 0)
		err = -errno;
	if (err) {
		unlink(fresh);
		return err;
	}

	return sync_folder(s->path);
}

struct state *state_open(const char *path, int *err)
{
	struct state *s = calloc(1, sizeof(*s));

	*err = s ? 0 : -ENOMEM;
	if (!s)
		return NULL;
	s->path = strdup(path);
	if (!s->path) {
		free(s);
		*err = -ENOMEM;
		return NULL;
	}

	*err = load(s);
	if (*err && *err != -EBADMSG)
		s->unread = *err;
	/* Better to learn now than when a PIN was tried already. */
	if (!*err)
		*err = save(s);
	if (*err)
		log_warn("state: %s: %s", path, strerror(-*err));

	return s;
}

void state_close(struct state *s)
{
	if (!s)
		return;

	free(s->path);
	free(s);
}

const char *state_get(const struct state *s, const char *key)
{
	size_t i = find(s, key);

	return i < s->count ? s->rows[i].value : NULL;
}

static void change(struct state *s, size_t i, const char *key,
		   const char *value)
{
	struct row *row = &s->rows[i];

	if (!value) {
		s->count--;
		memmove(row, row + 1, (s->count - i) * sizeof(*row));
		return;
	}
	s->count += i == s->count;
	memcpy(row->key, key, strlen(key) + 1);
	memcpy(row->value, value, strlen(value) + 1);
}

/* What could not be read must not be written over either. */
static int read_at_last(struct state *s)
{
	if (s->unread)
		s->unread = load(s);
	if (s->unread == -EBADMSG)
		s->unread = 0;

	return s->unread;
}

int state_set(struct state *s, const char *key, const char *value)
{
	struct row *old;
	size_t count, i;
	int err;

	if (!is_word(key, STATE_KEY_MAX) ||
	    (value && !is_word(value, STATE_VALUE_MAX)))
		return -EINVAL;
	err = read_at_last(s);
	if (err)
		return err;
	count = s->count;
	i = find(s, key);
	if (i == count && !value)
		return 0;
	if (i == STATE_ROWS_MAX)
		return -ENOSPC;

	old = malloc(sizeof(s->rows));
	if (!old)
		return -ENOMEM;
	memcpy(old, s->rows, sizeof(s->rows));
	change(s, i, key, value);
	err = save(s);
	if (err) {
		memcpy(s->rows, old, sizeof(s->rows));
		s->count = count;
	}
	free(old);

	return err;
}
