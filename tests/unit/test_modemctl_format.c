/* SPDX-License-Identifier: MIT */

/* How modemctl writes numbers and times, and reads times. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "format.h"

#define NOW	INT64_C(1795172401123)	/* 2026-11-20T11:00:01.123Z */
#define HOUR	INT64_C(3600000)

static void test_parse_time(void **state)
{
	static const struct { const char *text; int64_t wall_ms; } good[] = {
		{ "now", NOW }, { "90s", NOW - 90000 },
		{ "2h", NOW - 2 * HOUR },
		{ "3d", NOW - 72 * HOUR }, { "1w", NOW - 168 * HOUR },
		{ "0s", NOW }, { "today", 1795132800000 },
		{ "yesterday", 1795132800000 - 24 * HOUR },
		{ "2026-11-20", 1795132800000 },
		{ "2026-11-20T10:00", 1795132800000 + 10 * HOUR },
		{ "2026-11-20 10:00:01", 1795132801000 + 10 * HOUR },
		{ "2026-11-20T10:00:01.25Z", 1795132801250 + 10 * HOUR },
		{ "2026-11-20T11:00:01.123Z", NOW },
		{ "@1795132800", 1795132800000 }, { "@0", 0 },
		{ "1970-01-01", 0 }, { "2024-02-29", 1709164800000 },
	};
	static const char *const bad[] = {
		"", "2", "h", "-2h", "2x", "2hh", "2h ", " 2h", "@", "@x",
		"@-1",
		"2026", "2026-11", "2026-11-31", "2025-02-29", "2026-13-01",
		"2026-11-20T", "2026-11-20T24:30", "2026-11-20T10:00:",
		"2026-11-20T10:00:01.", "2026-11-20T10:00+01", "tomorrow",
		"99999999999999999999s", "999999999999d",
		"@99999999999999999999",
	};
	int64_t got;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		print_message("%s\n", good[i].text);
		got = -1;
		assert_true(format_parse_time(good[i].text, NOW, &got));
		assert_true(got == good[i].wall_ms);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		print_message("\"%s\"\n", bad[i]);
		assert_false(format_parse_time(bad[i], NOW, &got));
	}
}

static void test_bytes(void **state)
{
	static const struct { uint64_t bytes; const char *text; } rows[] = {
		{ 0, "0" }, { 999, "999" }, { 1000, "1.0K" }, { 1023, "1.0K" },
		{ 1024, "1.0K" }, { 1500, "1.5K" }, { 10188, "9.9K" },
		{ 10189, "10K" }, { 1023487, "999K" }, { 1023488, "1.0M" },
		{ 5000000000, "4.7G" }, { UINT64_MAX, "16E" },
	};
	char text[FORMAT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(format_bytes(text, rows[i].bytes),
				    rows[i].text);
}

static void test_duration(void **state)
{
	char text[FORMAT_MAX];

	(void)state;
	assert_string_equal(format_duration(text, -5), "0s");
	assert_string_equal(format_duration(text, 59999), "59s");
	assert_string_equal(format_duration(text, 60000), "1m 00s");
	assert_string_equal(format_duration(text, HOUR - 1), "59m 59s");
	assert_string_equal(format_duration(text, HOUR), "1h 00m");
	assert_string_equal(format_duration(text, 24 * HOUR - 1), "23h 59m");
	assert_string_equal(format_duration(text, 29 * HOUR), "1d 5h");
}

static void test_times(void **state)
{
	char text[FORMAT_MAX];
	json_t *json;

	(void)state;
	assert_string_equal(format_time(text, NOW, true),
			    "2026-11-20 11:00:01");
	assert_string_equal(format_time(text, NOW, false),
			    "~2026-11-20 11:00:01");
	assert_string_equal(format_time(text, 0, true), "-");
	assert_string_equal(format_time(text, INT64_MAX, true), "-");
	assert_string_equal(format_clock(text, NOW), "11:00:01.123");
	json = format_json_time(NOW);
	assert_string_equal(json_string_value(json),
			    "2026-11-20T11:00:01.123Z");
	json_decref(json);
	json = format_json_time(-1);
	assert_string_equal(json_string_value(json),
			    "1969-12-31T23:59:59.999Z");
	json_decref(json);
	assert_true(json_is_null(format_json_time(0)));
	assert_true(json_is_null(format_json_time(INT64_MIN)));
}

static void test_json_text(void **state)
{
	json_t *json = format_json_text("m\xc3\xbcller");

	(void)state;
	assert_string_equal(json_string_value(json), "m\xc3\xbcller");
	json_decref(json);
	json = format_json_text("a\xff\nb");
	assert_string_equal(json_string_value(json), "a\\xFF\\x0Ab");
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_time),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_json_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
