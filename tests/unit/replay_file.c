/* SPDX-License-Identifier: MIT */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"

#define LINE_MAX_LEN	4096
#define WANT_MS		1000	/* the daemon has this long to write */
#define SAY_MS		5	/* a modem's usual latency */
#define DEPTH_MAX	8	/* of includes */

struct reader {
	struct replay_file *f;
	const char *path;
	unsigned int line;
	int depth;
};

static int wrong(struct reader *rd, const char *what, const char *text)
{
	if (!rd->f->error[0])
		snprintf(rd->f->error, sizeof(rd->f->error), "%.80s:%u: %s: %.100s",
			 rd->path, rd->line, what, text);

	return -1;
}

/* One character from behind a backslash; what follows it, or NULL. */
static const char *escaped(const char *s, char *byte)
{
	static const char from[] = "rnt0e\\\"", to[] = "\r\n\t\0\x1b\\\"";
	const char *known = *s ? strchr(from, *s) : NULL;
	unsigned int value;

	if (known) {
		*byte = to[known - from];
		return s + 1;
	}
	if (*s != 'x' || !isxdigit((unsigned char)s[1]) ||
	    !isxdigit((unsigned char)s[2]) ||
	    sscanf(s + 1, "%2x", &value) != 1)
		return NULL;
	*byte = (char)value;

	return s + 3;
}

/* What "{1500x}" says, x being an escape, too; what follows it, or NULL. */
static const char *repeated(const char *s, unsigned int *times, char *byte)
{
	int n = 0;

	if (sscanf(s, "{%u%n", times, &n) != 1 || n == 0 || !s[n])
		return NULL;
	*byte = s[n];
	s += n + 1;
	if (*byte == '\\')
		s = escaped(s, byte);

	return s && *s == '}' ? s + 1 : NULL;
}

int replay_unescape(char *out, const char *s)
{
	unsigned int times;
	int len = 0;
	char byte;

	while (*s) {
		times = 1;
		byte = *s++;
		if (byte == '\\' && *s == '{')
			s = repeated(s, &times, &byte);
		else if (byte == '\\')
			s = escaped(s, &byte);
		if (!s || times > (unsigned int)(REPLAY_BYTES - len))
			return -1;
		memset(out + len, byte, times);
		len += (int)times;
	}

	return len;
}

static int add_step(struct reader *rd, enum replay_kind kind, uint32_t ms,
		    const char *bytes, size_t len)
{
	struct replay_step *st;
	const char *name = strrchr(rd->path, '/');

	if (rd->f->count == REPLAY_STEPS)
		return wrong(rd, "too many lines", "split the log");
	st = &rd->f->steps[rd->f->count++];
	*st = (struct replay_step){
		.kind = kind, .line = rd->line, .ms = ms, .len = len,
		.bytes = malloc(len + 1),
	};
	snprintf(st->file, sizeof(st->file), "%s", name ? name + 1 : rd->path);
	memcpy(st->bytes, bytes, len);
	st->bytes[len] = '\0';

	return 0;
}

/* "<" lines one after the other are one piece, unless a time is given. */
static int add_say(struct reader *rd, bool timed, uint32_t ms,
		   const char *bytes, size_t len)
{
	struct replay_step *last = rd->f->count == 0 ? NULL :
				   &rd->f->steps[rd->f->count - 1];

	if (timed || !last || last->kind != REPLAY_SAY)
		return add_step(rd, REPLAY_SAY, ms, bytes, len);

	last->bytes = realloc(last->bytes, last->len + len + 1);
	memcpy(last->bytes + last->len, bytes, len);
	last->len += len;
	last->bytes[last->len] = '\0';

	return 0;
}

/* "> TEXT" (a command), ">> BYTES", "< BYTES", and "~MS" behind it. */
static int add_bytes(struct reader *rd, char *text)
{
	bool from_modem = *text == '<', raw = from_modem;
	bool timed;
	uint32_t ms = from_modem ? SAY_MS : WANT_MS;
	static char bytes[REPLAY_BYTES + 1];
	char *end;
	int len;

	text++;
	if (!from_modem && *text == '>') {
		raw = true;
		text++;
	}
	timed = *text == '~';
	if (timed) {
		ms = (uint32_t)strtoul(text + 1, &end, 10);
		if (end == text + 1)
			return wrong(rd, "no milliseconds behind ~", text);
		text = end;
	}
	if (*text++ != ' ')
		return wrong(rd, "a blank is missing", text - 1);
	len = replay_unescape(bytes, text);
	if (len < 0)
		return wrong(rd, "no such escape, or too long", text);
	if (from_modem)
		return add_say(rd, timed, ms, bytes, (size_t)len);
	if (add_step(rd, REPLAY_WANT, ms, bytes, (size_t)len))
		return -1;
	rd->f->steps[rd->f->count - 1].is_command = !raw;

	return 0;
}

static int read_lines(struct reader *rd);

/* Another file of the same folder. */
static int include(struct reader *rd, const char *name)
{
	const char *slash = strrchr(rd->path, '/');
	char path[512];
	struct reader inner = {
		.f = rd->f, .path = path, .depth = rd->depth + 1,
	};

	if (inner.depth > DEPTH_MAX)
		return wrong(rd, "includes itself", name);
	if (snprintf(path, sizeof(path), "%.*s%s", slash ?
		     (int)(slash - rd->path + 1) : 0, rd->path, name) >=
	    (int)sizeof(path))
		return wrong(rd, "too long a name", name);
	if (read_lines(&inner) == 0)
		return 0;

	return wrong(rd, "cannot be read", path);
}

static int read_line(struct reader *rd, char *text)
{
	if (*text == '\0' || *text == '#')
		return 0;
	if (*text == '<' || *text == '>')
		return add_bytes(rd, text);
	if (strncmp(text, "do ", 3) == 0)
		return add_step(rd, REPLAY_DO, 0, text + 3, strlen(text + 3));
	if (strncmp(text, "set ", 4) == 0)
		return add_step(rd, REPLAY_SET, 0, text + 4, strlen(text + 4));
	if (strncmp(text, "include ", 8) == 0)
		return include(rd, text + 8);
	if (strcmp(text, "from power") == 0) {
		rd->f->from_power = true;
		return 0;
	}

	return wrong(rd, "not a line of a log", text);
}

static int read_lines(struct reader *rd)
{
	FILE *file = fopen(rd->path, "re");
	char text[LINE_MAX_LEN];
	size_t len;
	int err = 0;

	if (!file)
		return wrong(rd, "cannot be opened", strerror(errno));
	while (!err && fgets(text, sizeof(text) - 1, file)) {
		rd->line++;
		len = strlen(text);
		if (len == 0 || text[len - 1] != '\n')
			err = wrong(rd, "too long, or no newline", text);
		else
			text[len - 1] = '\0';
		if (!err)
			err = read_line(rd, text);
	}
	fclose(file);

	return err;
}

int replay_read(struct replay_file *f, const char *path)
{
	struct reader rd = { .f = f, .path = path };

	memset(f, 0, sizeof(*f));
	if (read_lines(&rd))
		return -1;
	if (f->count == 0)
		return wrong(&rd, "says nothing", "an empty log");

	return 0;
}

void replay_free(struct replay_file *f)
{
	size_t i;

	for (i = 0; i < f->count; i++)
		free(f->steps[i].bytes);
	f->count = 0;
}
