/* SPDX-License-Identifier: MIT */

/*
 * Text from outside. A name that passes here cannot end a command line or a
 * string in it, and is what DNS and the modem's manual allow: 253 characters
 * and an optional final dot, labels of 1 to 63, letters, digits and inner
 * hyphens; an underscore too, which some real hosts have.
 */

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "broker/private.h"
#include "driver/driver.h"

#define NAME_MAX_LEN	253
#define LABEL_MAX	63

static const char *check_label(const char *s, size_t len)
{
	size_t i;

	if (len == 0)
		return "has an empty label";
	if (len > LABEL_MAX)
		return "has a label of more than 63 characters";
	if (!isalnum((unsigned char)s[0]))
		return "has a label that does not begin with a letter or digit";
	for (i = 0; i < len; i++) {
		if (!isalnum((unsigned char)s[i]) && s[i] != '-' &&
		    s[i] != '_')
			return "has a character that no host name has";
	}

	return NULL;
}

static const char *check_labels(const char *s)
{
	const char *why;
	size_t len;

	for (;;) {
		len = strcspn(s, ".");
		why = check_label(s, len);
		if (why)
			return why;
		s += len;
		if (*s == '\0')
			return NULL;
		s++;
		if (*s == '\0')		/* the final dot */
			return NULL;
	}
}

int name_check_host(const ProtobufCBinaryData *in, char *out, size_t size,
		    const char **why)
{
	size_t len = in->len;

	if (len > 0 && in->data[len - 1] == '.')
		len--;
	*why = len == 0 ? "is empty" : len > NAME_MAX_LEN || in->len >= size ?
	       "is longer than 253 characters" :
	       memchr(in->data, '\0', in->len) ? "has a NUL in it" : NULL;
	if (*why)
		return -EINVAL;

	memcpy(out, in->data, in->len);
	out[in->len] = '\0';
	*why = check_labels(out);

	return *why ? -EINVAL : 0;
}

/* A client's name for itself: printable, so that tables and logs stay whole. */
int name_check_text(const ProtobufCBinaryData *in, char *out, size_t size,
		    const char **why)
{
	size_t i;

	*why = in->len == 0 ? "is empty" : in->len >= size ? "is too long" :
	       NULL;
	for (i = 0; !*why && i < in->len; i++) {
		if (in->data[i] < 0x20 || in->data[i] > 0x7e)
			*why = "has a character that is not printable ASCII";
	}
	if (*why)
		return -EINVAL;

	memcpy(out, in->data, in->len);
	out[in->len] = '\0';

	return 0;
}

enum driver_family name_family(const char *text)
{
	struct in6_addr any;

	if (inet_pton(AF_INET, text, &any) == 1)
		return DRIVER_IPV4;

	return inet_pton(AF_INET6, text, &any) == 1 ? DRIVER_IPV6 : DRIVER_ANY;
}

bool name_take_address(const ProtobufCBinaryData *in, char *out)
{
	const char *why;

	return name_check_text(in, out, INET6_ADDRSTRLEN, &why) == 0 &&
	       name_family(out) != DRIVER_ANY;
}
