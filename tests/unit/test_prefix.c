/* SPDX-License-Identifier: MIT */

/* Addresses of both families, and lists of them. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/prefix.h"

static void addresses(void **state)
{
	static const struct {
		const char *peer, *address;
		unsigned int port;
	} good[] = {
		{ "192.0.2.1:53211", "192.0.2.1", 53211 },
		{ "192.0.2.1", "192.0.2.1", 0 },
		{ "[2001:db8::1]:80", "2001:db8::1", 80 },
		{ "2001:DB8:0:0::1:80", "2001:db8::1", 80 },
		{ "[::ffff:192.0.2.1]:7", "192.0.2.1", 7 },
	};
	static const char *const bad[] = {
		"", ":", ":80", "host:80", "192.0.2:80", "192.0.2.1.5:80",
		"[]:80", "[192.0.2.1:80", "1:2:3:4:5:6:7:8:9:10",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:00:80",
	};
	char text[PREFIX_TEXT_MAX];
	uint8_t address[16];
	unsigned int i, port;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(prefix_parse_peer(good[i].peer, address, &port));
		prefix_print_address(address, text, sizeof(text));
		assert_string_equal(text, good[i].address);
		assert_int_equal(port, good[i].port);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(prefix_parse_peer(bad[i], address, &port));
}

static void same_peers(void **state)
{
	(void)state;
	assert_true(prefix_same_peer("192.0.2.1:5", "[::ffff:192.0.2.1]:5"));
	assert_true(prefix_same_peer("2001:DB8::1:5", "[2001:db8:0::1]:5"));
	assert_true(prefix_same_peer("", ""));
	assert_true(prefix_same_peer("x:1", "x:1"));
	assert_false(prefix_same_peer("192.0.2.1:5", "192.0.2.1:6"));
	assert_false(prefix_same_peer("192.0.2.1:5", "192.0.2.2:5"));
	assert_false(prefix_same_peer("192.0.2.1:5", ""));
	assert_false(prefix_same_peer("x:1", "y:1"));
}

/* What it is printed as; or what is wrong with it. */
static void forms(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1/32" },
		{ "192.0.2.0/24", "192.0.2.0/24" },
		{ "0.0.0.0/0", "0.0.0.0/0" },
		{ "2001:db8::/32", "2001:db8::/32" },
		{ "2001:DB8::1", "2001:db8::1/128" },
		{ "::/0", "::/0" },
		{ "192.0.2.1/24", "has bits set behind its length" },
		{ "2001:db8::1/32", "has bits set behind its length" },
		{ "192.0.2.0/33", "has no length of 0-32 behind its /" },
		{ "192.0.2.0/", "has no length of 0-32 behind its /" },
		{ "192.0.2.0/ 8", "has no length of 0-32 behind its /" },
		{ "192.0.2.0/-1", "has no length of 0-32 behind its /" },
		{ "::/129", "has no length of 0-128 behind its /" },
		{ "::/0128", "has no length of 0-128 behind its /" },
		{ "192.0.2", "is not of the form 192.0.2.1 or 192.0.2.0/24" },
		{ "/8", "is not of the form 192.0.2.1 or 192.0.2.0/24" },
		{ "2001:db8/32", "is not of the form 2001:db8::1 or "
				 "2001:db8::/32" },
	};
	char text[PREFIX_TEXT_MAX];
	struct prefix p;
	const char *why;
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		why = prefix_parse(rows[i].text, &p);
		if (!why)
			prefix_print(&p, text, sizeof(text));
		assert_string_equal(why ? why : text, rows[i].want);
	}
}

static void lists(void **state)
{
	static const struct {
		const char *prefix, *address;
		bool in;
	} rows[] = {
		{ "192.0.2.0/24", "192.0.2.255", true },
		{ "192.0.2.0/24", "192.0.3.0", false },
		{ "192.0.2.0/24", "::ffff:192.0.2.9", true },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "192.0.2.128/25", "192.0.2.128", true },
		{ "192.0.2.1", "192.0.2.1", true },
		{ "0.0.0.0/0", "203.0.113.9", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "::/0", "2001:db8::1", true },
		{ "::/0", "192.0.2.1", true },
		{ "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
		{ "2001:db8::/32", "192.0.2.1", false },
		{ "2001:db8::1", "2001:db8::2", false },
	};
	uint8_t address[16];
	struct prefix p;
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_null(prefix_parse(rows[i].prefix, &p));
		assert_true(prefix_parse_address(rows[i].address, address));
		assert_int_equal(prefix_contains(&p, address), rows[i].in);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses), cmocka_unit_test(same_peers),
		cmocka_unit_test(forms), cmocka_unit_test(lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
