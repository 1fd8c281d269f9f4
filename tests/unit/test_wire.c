/* SPDX-License-Identifier: MIT */

/* The length in front of a message, and the one table of errors. */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "wire.h"

#define UNTOUCHED 4242

static const struct {
	const char *name;
	uint8_t in[6];
	size_t len;
	int ret;		/* with all of @in */
	size_t length;
} lengths[] = {
	{ "zero", { 0x00 }, 1, 1, 0 },
	{ "one byte", { 0x01 }, 1, 1, 1 },
	{ "127", { 0x7f }, 1, 1, 127 },
	{ "128", { 0x80, 0x01 }, 2, 2, 128 },
	{ "16383", { 0xff, 0x7f }, 2, 2, 16383 },
	{ "16384", { 0x80, 0x80, 0x01 }, 3, 3, 16384 },
	{ "cap - 1", { 0xff, 0xff, 0x03 }, 3, 3, WIRE_FRAME_MAX - 1 },
	{ "cap", { 0x80, 0x80, 0x04 }, 3, 3, WIRE_FRAME_MAX },
	{ "cap + 1", { 0x81, 0x80, 0x04 }, 3, -EMSGSIZE, UNTOUCHED },
	{ "2^21 - 1", { 0xff, 0xff, 0x7f }, 3, -EMSGSIZE, UNTOUCHED },
	{ "2^31", { 0x80, 0x80, 0x80, 0x80, 0x08 }, 5, -EMSGSIZE, UNTOUCHED },
	{ "2^32 - 1", { 0xff, 0xff, 0xff, 0xff, 0x0f }, 5, -EMSGSIZE,
	  UNTOUCHED },
	{ "four bytes for 1", { 0x81, 0x80, 0x80, 0x00 }, 4, -EMSGSIZE,
	  UNTOUCHED },
	{ "three bytes for 1", { 0x81, 0x80, 0x00 }, 3, 3, 1 },
	{ "followed by data", { 0x05, 0xff, 0xff, 0xff }, 4, 1, 5 },
};

static const size_t count = sizeof(lengths) / sizeof(lengths[0]);

/* Bytes after which the answer no longer changes. */
static size_t decided_at(size_t i)
{
	return lengths[i].ret > 0 ? (size_t)lengths[i].ret : WIRE_HEADER_MAX;
}

static void test_length_any_cut(void **state)
{
	size_t i, cut;

	(void)state;
	for (i = 0; i < count; i++) {
		for (cut = 0; cut <= lengths[i].len; cut++) {
			bool whole = cut >= decided_at(i);
			size_t got = UNTOUCHED;
			int ret = wire_get_length(lengths[i].in, cut, &got);

			print_message("%s, %zu bytes\n", lengths[i].name, cut);
			assert_int_equal(ret, whole ? lengths[i].ret : 0);
			assert_int_equal(got, whole ? lengths[i].length :
					 UNTOUCHED);
		}
	}
}

static void test_length_round_trip(void **state)
{
	uint8_t buf[WIRE_HEADER_MAX + 1];
	size_t length, got, n;

	(void)state;
	for (length = 0; length <= WIRE_FRAME_MAX; length++) {
		memset(buf, 0xa5, sizeof(buf));
		n = wire_put_length(length, buf);
		assert_in_range(n, 1, WIRE_HEADER_MAX);
		assert_int_equal(buf[WIRE_HEADER_MAX], 0xa5);
		assert_int_equal(wire_get_length(buf, n, &got), n);
		assert_int_equal(got, length);
	}
}

/* Every value of the .proto, found by the descriptor: none can be missed. */
static void test_status_bijection(void **state)
{
	const ProtobufCEnumDescriptor *d = &modemd__v1__status__descriptor;
	unsigned int i, j;

	(void)state;
	assert_int_equal(wire_errno(MODEMD__V1__STATUS__OK), 0);
	for (i = 0; i < d->n_values; i++) {
		Modemd__V1__Status a = (Modemd__V1__Status)d->values[i].value;

		print_message("%s\n", d->values[i].name);
		assert_int_not_equal(wire_errno(a), -EPROTO);
		assert_true(wire_errno(a) <= 0);
		assert_int_equal(wire_status(wire_errno(a)), a);
		for (j = 0; j < i; j++) {
			Modemd__V1__Status b =
				(Modemd__V1__Status)d->values[j].value;

			assert_int_not_equal(wire_errno(a), wire_errno(b));
			assert_string_not_equal(wire_status_text(a),
						wire_status_text(b));
		}
	}
}

static void test_status_unknown(void **state)
{
	Modemd__V1__Status unknown = (Modemd__V1__Status)9999;

	(void)state;
	assert_int_equal(wire_errno(unknown), -EPROTO);
	assert_non_null(wire_status_text(unknown));
	assert_int_equal(wire_status(-EXDEV), MODEMD__V1__STATUS__MODEM_ERROR);
	assert_int_equal(wire_status(EINVAL), MODEMD__V1__STATUS__MODEM_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_length_any_cut),
		cmocka_unit_test(test_length_round_trip),
		cmocka_unit_test(test_status_bijection),
		cmocka_unit_test(test_status_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
