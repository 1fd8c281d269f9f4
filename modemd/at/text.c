/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "at/parser.h"
#include "at/text.h"

bool at_text_is_plain(const char *s)
{
	for (; *s; s++) {
		if (*s < 0x20 || *s > 0x7e || *s == '"' || *s == '\\')
			return false;
	}

	return true;
}

/* Where the next piece goes; full once something did not fit. */
struct out {
	char *buf;
	size_t size;
	size_t len;
	bool full;
};

static void add(struct out *o, const char *s, size_t n)
{
	if (n >= o->size - o->len) {
		o->full = true;
		return;
	}
	memcpy(o->buf + o->len, s, n);
	o->len += n;
}

static int add_quoted(struct out *o, const char *s)
{
	if (!at_text_is_plain(s))
		return -EINVAL;

	add(o, "\"", 1);
	add(o, s, strlen(s));
	add(o, "\"", 1);

	return 0;
}

static int add_argument(struct out *o, char type, va_list *ap)
{
	const char *s;
	char num[16];

	switch (type) {
	case 'u':
		snprintf(num, sizeof(num), "%u", va_arg(*ap, unsigned int));
		add(o, num, strlen(num));
		return 0;
	case 's':
		s = va_arg(*ap, const char *);
		add(o, s, strlen(s));
		return 0;
	case 'q':
		return add_quoted(o, va_arg(*ap, const char *));
	case '%':
		add(o, "%", 1);
		return 0;
	}

	return -EINVAL;
}

int at_text_vbuild(char *out, size_t size, const char *fmt, va_list ap)
{
	struct out o = { .buf = out, .size = size };
	va_list copy;
	int err = 0;

	va_copy(copy, ap);
	for (; !err && *fmt; fmt++) {
		if (*fmt == '%')
			err = add_argument(&o, *++fmt, &copy);
		else
			add(&o, fmt, 1);
	}
	va_end(copy);
	if (!err && o.full)
		err = -EMSGSIZE;
	out[err ? 0 : o.len] = '\0';

	return err;
}

int at_text_build(char *out, size_t size, const char *fmt, ...)
{
	va_list ap;
	int err;

	va_start(ap, fmt);
	err = at_text_vbuild(out, size, fmt, ap);
	va_end(ap);

	return err;
}

void at_text_copy(char *out, size_t size, const struct at_str *str)
{
	size_t n = str->len < size ? str->len : size - 1;

	memcpy(out, str->s, n);
	out[n] = '\0';
}
