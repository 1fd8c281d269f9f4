/* SPDX-License-Identifier: MIT */

/* Names from outside: what DNS and the modem's manual allow (S1, C11). */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/private.h"
#include "driver/driver.h"

/* From an exact allocation, so that a byte read too many is seen. */
static int check(const char *name, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	ProtobufCBinaryData in = { len, len ? copy : NULL };
	char out[DRIVER_HOST_MAX + 1] = "untouched";
	const char *why = NULL;
	int err;

	memcpy(copy, name, len);
	err = name_check_host(&in, out, sizeof(out), &why);
	if (err) {
		assert_int_equal(err, -EINVAL);
		assert_non_null(why);
		assert_true(strlen(why) > 5);
	} else {
		assert_int_equal(strlen(out), len);
		assert_memory_equal(out, name, len);
	}
	free(copy);

	return err;
}

static void good_names(void **state)
{
	static const char *const good[] = {
		"a", "0", "a.b", "www.example.com", "www.example.com.",
		"1.2.3.4", "a-b.c--d.e", "xn--bcher-kva.example", "A.B",
		"a_b.example", "255.255.255.255", "a.", "3com.com",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (check(good[i], strlen(good[i])))
			fail_msg("%s is refused", good[i]);
	}
}

static void bad_names(void **state)
{
	static const struct { const char *name; size_t len; } bad[] = {
#define B(s) { s, sizeof(s) - 1 }
		B(""), B("."), B(".."), B("a..b"), B(".a"), B("a.."),
		B("-a.b"), B("a.-b"), B("_a.b"), B("a b"), B(" a"), B("a "),
		B("a\""), B("\""), B("a\",80\rAT+CFUN=0"), B("a\r"), B("a\n"),
		B("a\r\n.b"), B("a\0"), B("\0"), B("a\0b"), B("a;b"), B("a,b"),
		B("a\\b"), B("a/b"), B("a:80"), B("::1"), B("[::1]"), B("a%b"),
		B("b\xc3\xbc" "cher.example"), B("a\x7f"), B("a\x1b[2J"),
		B("a\x1a"), B("+++"), B("a@b"), B("*.b"),
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (!check(bad[i].name, bad[i].len))
			fail_msg("case %zu is accepted", i);
	}
}

/* Every byte at every place of a short name. */
static void every_byte(void **state)
{
	char name[4];
	int c, at;

	(void)state;
	for (at = 0; at < 3; at++) {
		for (c = 0; c < 256; c++) {
			bool alnum = (c >= '0' && c <= '9') ||
				     (c >= 'a' && c <= 'z') ||
				     (c >= 'A' && c <= 'Z');
			bool good = alnum || c == '.' || c == '-' || c == '_';

			if (at == 0 && !alnum)
				good = false;
			memcpy(name, "abc", 3);
			name[at] = (char)c;
			if ((check(name, 3) == 0) != good)
				fail_msg("byte %d at %d", c, at);
		}
	}
}

/* 253 and a final dot; labels of 63. */
static void lengths(void **state)
{
	char name[300];
	size_t i;

	(void)state;
	memset(name, 'a', sizeof(name));
	assert_int_equal(check(name, 63), 0);
	assert_int_equal(check(name, 64), -EINVAL);
	name[63] = '.';
	assert_int_equal(check(name, 64), 0);
	assert_int_equal(check(name, 64 + 63), 0);
	assert_int_equal(check(name, 64 + 64), -EINVAL);
	for (i = 0; i < sizeof(name); i++)
		name[i] = i % 50 == 49 ? '.' : 'a';
	assert_int_equal(check(name, 253), 0);
	assert_int_equal(check(name, 254), -EINVAL);
	name[253] = '.';
	assert_int_equal(check(name, 254), 0);
	name[254] = '.';
	assert_int_equal(check(name, 255), -EINVAL);
	name[253] = 'a';
	assert_int_equal(check(name, 255), -EINVAL);
	assert_int_equal(check(name, 256), -EINVAL);
	assert_int_equal(check(name, 300), -EINVAL);
}

static int check_text(const char *name, size_t len, size_t size)
{
	uint8_t *copy = malloc(len ? len : 1);
	ProtobufCBinaryData in = { len, copy };
	char *out = malloc(size);
	const char *why = NULL;
	int err;

	memcpy(copy, name, len);
	err = name_check_text(&in, out, size, &why);
	assert_int_equal(err ? why != NULL : strlen(out) == len, true);
	free(copy);
	free(out);

	return err;
}

static void texts(void **state)
{
	char c;
	int i;

	(void)state;
	assert_int_equal(check_text("a \"tool\" \\ 7~", 13, 65), 0);
	assert_int_equal(check_text("", 0, 65), -EINVAL);
	assert_int_equal(check_text("abc", 3, 4), 0);
	assert_int_equal(check_text("abcd", 4, 4), -EINVAL);
	assert_int_equal(check_text("a\0b", 3, 65), -EINVAL);
	for (i = 0; i < 256; i++) {
		c = (char)i;
		assert_int_equal(check_text(&c, 1, 65),
				 i >= 0x20 && i <= 0x7e ? 0 : -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_names), cmocka_unit_test(bad_names),
		cmocka_unit_test(every_byte), cmocka_unit_test(lengths),
		cmocka_unit_test(texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
