/* SPDX-License-Identifier: MIT */

/* The one builder of AT lines: nothing from outside ends a string or a line
 * (S1). */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "at/parser.h"
#include "at/text.h"

static void builds(void **state)
{
	char out[64];

	(void)state;
	assert_int_equal(at_text_build(out, sizeof(out),
			 "AT+CIPOPEN=%u,\"TCP\",%q,%u", 9U, "a.b", 65535U), 0);
	assert_string_equal(out, "AT+CIPOPEN=9,\"TCP\",\"a.b\",65535");
	assert_int_equal(at_text_build(out, sizeof(out), "%s=%%%u%q", "AT",
				       4294967295U, ""), 0);
	assert_string_equal(out, "AT=%4294967295\"\"");
	assert_int_equal(at_text_build(out, sizeof(out), ""), 0);
	assert_string_equal(out, "");
}

/* Every byte there is: in or out, never half. */
static void only_plain_strings(void **state)
{
	char s[4] = "a b", out[64];
	bool plain;
	int c;

	(void)state;
	for (c = 1; c < 256; c++) {
		s[1] = (char)c;
		plain = c >= 0x20 && c <= 0x7e && c != '"' && c != '\\';
		assert_int_equal(at_text_is_plain(s), plain);
		strcpy(out, "before");
		assert_int_equal(at_text_build(out, sizeof(out), "AT+X=%q", s),
				 plain ? 0 : -EINVAL);
		assert_int_equal(strlen(out), plain ? 10 : 0);
	}
	assert_true(at_text_is_plain(""));
}

static void fits_exactly_or_not_at_all(void **state)
{
	static const char want[] = "AT+X=\"abc\",12";
	size_t size;
	char *out;
	int err;

	(void)state;
	for (size = 1; size < sizeof(want) + 3; size++) {
		out = malloc(size);
		err = at_text_build(out, size, "AT+X=%q,%u", "abc", 12U);
		assert_int_equal(err, size < sizeof(want) ? -EMSGSIZE : 0);
		assert_string_equal(out, err ? "" : want);
		free(out);
	}
	/* what fits again after something that did not must not slip in */
	out = malloc(8);
	assert_int_equal(at_text_build(out, 8, "AT%q,%u", "too long", 1U),
			 -EMSGSIZE);
	assert_string_equal(out, "");
	free(out);
}

/* A mistake of ours: refused, and nothing is read behind the format. */
static void unknown_formats(void **state)
{
	static const char *const bad[] = { "AT%", "%", "AT%d", "AT%x1" };
	char out[32], *fmt;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fmt = strdup(bad[i]);
		assert_int_equal(at_text_build(out, sizeof(out), fmt, 1U),
				 -EINVAL);
		assert_string_equal(out, "");
		free(fmt);
	}
}

static void copies_and_cuts(void **state)
{
	struct at_str s = { "abcdef", 6 };
	char out[4];

	(void)state;
	at_text_copy(out, sizeof(out), &s);
	assert_string_equal(out, "abc");
	s.len = 3;
	at_text_copy(out, sizeof(out), &s);
	assert_string_equal(out, "abc");
	s.len = 0;
	at_text_copy(out, sizeof(out), &s);
	assert_string_equal(out, "");
	at_text_copy(out, 1, &s);
	assert_string_equal(out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builds),
		cmocka_unit_test(only_plain_strings),
		cmocka_unit_test(fits_exactly_or_not_at_all),
		cmocka_unit_test(unknown_formats),
		cmocka_unit_test(copies_and_cuts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
