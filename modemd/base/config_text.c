/* SPDX-License-Identifier: MIT */

/*
 * config_text - the settings that stay text, and what may stand in them.
 * Much of it ends up between quotes in an AT command (S1).
 */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_private.h"

static int refuse(char *why, const char *text)
{
	snprintf(why, WHY_SIZE, "%s", text);

	return -EINVAL;
}

static int keep(void *field, const char *text, char *why)
{
	return value_any(NULL, text, field, why);
}

/* As in a host name; the network's own names need no more. */
int value_apn(const struct setting *s, const char *text, void *field,
	      char *why)
{
	size_t i;

	for (i = 0; text[i]; i++) {
		if (!isalnum((unsigned char)text[i]) &&
		    !strchr(".-_", text[i]))
			return refuse(why, "only letters, digits, dot, hyphen "
				      "and underscore can be in an APN");
	}
	if (i > s->max)
		return refuse(why, "longer than 100 characters");

	return keep(field, text, why);
}

int value_quotable(const struct setting *s, const char *text, void *field,
		   char *why)
{
	if (!value_is_quotable(text))
		return refuse(why, "no quote and no control byte can be sent "
			      "to a modem here");
	if (strlen(text) > s->max) {
		snprintf(why, WHY_SIZE, "longer than %llu bytes",
			 (unsigned long long)s->max);
		return -EINVAL;
	}

	return keep(field, text, why);
}

/* Any byte but those that would end a command's line. */
int value_ssid(const struct setting *s, const char *text, void *field,
	       char *why)
{
	if (value_has_control(text))
		return refuse(why, "holds a control byte");
	if (strlen(text) > s->max)
		return refuse(why, "longer than 32 bytes");

	return keep(field, text, why);
}

int value_operator(const struct setting *s, const char *text, void *field,
		   char *why)
{
	size_t len = strlen(text);

	(void)s;
	if (len > 0 && (len < 5 || len > 6 ||
			strspn(text, "0123456789") != len))
		return refuse(why, "must be the 5 or 6 digits of MCC and MNC, "
			      "or empty");

	return keep(field, text, why);
}

static bool is_hex(const char *text, size_t most)
{
	size_t len = strspn(text, "0123456789abcdefABCDEF");

	return len > 0 && len <= most && (text[len] == ':' || !text[len]);
}

int value_device(const struct setting *s, const char *text, void *field,
		 char *why)
{
	const char *pid, *interface;

	(void)s;
	if (!*text)
		return refuse(why, "must name a tty, or usb:VID:PID:INTERFACE");
	if (strncmp(text, "usb:", 4) == 0) {
		pid = strchr(text + 4, ':');
		interface = pid ? strchr(pid + 1, ':') : NULL;
		if (!interface || !is_hex(text + 4, 4) || !is_hex(pid + 1, 4) ||
		    !is_hex(interface + 1, 2) || strchr(interface + 1, ':'))
			return refuse(why, "must be as in usb:1e0e:9001:02 "
				      "(vendor, product, interface, in hex)");
	}

	return keep(field, text, why);
}

int value_group(const struct setting *s, const char *text, void *field,
		char *why)
{
	size_t i;

	(void)s;
	for (i = 0; text[i]; i++) {
		if (!isalnum((unsigned char)text[i]) &&
		    !strchr(".-_", text[i]))
			return refuse(why, "not the name of a group");
	}

	return keep(field, text, why);
}

int value_mode(const struct setting *s, const char *text, void *field,
	       char *why)
{
	size_t len = strlen(text);
	mode_t mode;

	(void)s;
	if (len < 3 || len > 4 || strspn(text, "01234567") != len ||
	    strtoul(text, NULL, 8) > 0777)
		return refuse(why, "must be an octal mode as in 0660");
	mode = (mode_t)strtoul(text, NULL, 8);
	memcpy(field, &mode, sizeof(mode));

	return 0;
}

int value_path(const struct setting *s, const char *text, void *field,
	       char *why)
{
	(void)s;
	if (text[0] != '/')
		return refuse(why, "must be an absolute path");
	if (strlen(text) >= s->max) {
		snprintf(why, WHY_SIZE, "longer than %llu bytes",
			 (unsigned long long)s->max - 1);
		return -EINVAL;
	}

	return keep(field, text, why);
}

int value_path_or_none(const struct setting *s, const char *text, void *field,
		       char *why)
{
	return *text ? value_path(s, text, field, why) :
		keep(field, text, why);
}
