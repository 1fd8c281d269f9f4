/* SPDX-License-Identifier: MIT */

/*
 * What errors mean. Firmware has three tables: <err> of results and
 * +CIPERROR (A7600 manual 4), <err_info> of +IP ERROR (manual 3), as words or,
 * where CIPCCFG says so, as numbers, and +CME ERROR (TS 27.007 9.2), the same.
 * Each meaning is one -errno, whichever table says it; the modem's own words
 * go up beside it.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "driver/simcom_private.h"

struct meaning {
	const char *text;
	int err;
};

/* A7600 manual 4, the table of <err>. */
static const struct meaning errors[] = {
	[0]	= { "operation succeeded",		0 },
	[1]	= { "Network failure",			-ECONNREFUSED },
	[2]	= { "Network not opened",		-ENETDOWN },
	[3]	= { "Wrong parameter",			-EINVAL },
	/* also of what cannot be now: a link that is open, or is not */
	[4]	= { "Operation not supported",		-EREMOTEIO },
	[5]	= { "Failed to create socket",		-EREMOTEIO },
	[6]	= { "Failed to bind socket",		-EADDRINUSE },
	[7]	= { "TCP server is already listening",	-EADDRINUSE },
	[8]	= { "Busy",				-EBUSY },
	[9]	= { "Sockets opened",			-EBUSY },
	[10]	= { "Timeout",				-ETIMEDOUT },
	[11]	= { "DNS parse failed for AT+CIPOPEN",	-EADDRNOTAVAIL },
	[12]	= { "Unknown error",			-EREMOTEIO },
};

/* A7600 manual 3, the table of <err_info>: other numbers, other words. */
static const struct meaning infos[] = {
	[0]	= { "Connection time out",		-ETIMEDOUT },
	[1]	= { "Bind port failed",			-EADDRINUSE },
	[2]	= { "Port overflow",			-EINVAL },
	[3]	= { "Create socket failed",		-EREMOTEIO },
	[4]	= { "Network is already opened",	-EALREADY },
	[5]	= { "Network is already closed",	-ENETDOWN },
	[6]	= { "No clients connected",		-ENOTCONN },
	[7]	= { "No active client",			-ENOTCONN },
	[8]	= { "Network not opened",		-ENETDOWN },
	[9]	= { "Client index overflow",		-EINVAL },
	[10]	= { "Connection is already created",	-EBUSY },
	[11]	= { "Connection is not created",	-ENOTCONN },
	[12]	= { "Invalid parameter",		-EINVAL },
	[13]	= { "Operation not supported",		-EOPNOTSUPP },
	[14]	= { "DNS query failed",			-EADDRNOTAVAIL },
	[15]	= { "TCP busy",				-EBUSY },
	[16]	= { "Net close failed for socket opened", -EBUSY },
	[17]	= { "Sending time out",			-ETIMEDOUT },
	[18]	= { "Sending failure for network error", -ECONNABORTED },
	[19]	= { "Open failure for network error",	-ECONNREFUSED },
	[20]	= { "Server is already listening",	-EADDRINUSE },
	[21]	= { "Operation failed",			-EREMOTEIO },
	[22]	= { "No data",				-ENODATA },
};

/* TS 27.007 9.2: those that mean more than "no". */
static const struct {
	long number;
	struct meaning means;
} cme[] = {
	{ 4,	{ "operation not supported",	-EOPNOTSUPP } },
	{ 30,	{ "no network service",		-ENETDOWN } },
	{ 31,	{ "network timeout",		-ETIMEDOUT } },
	{ 50,	{ "incorrect parameters",	-EINVAL } },
};

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

static bool is_known(long err)
{
	return err >= 0 && err < (long)COUNT(errors);
}

const char *simcom_err_text(long err)
{
	return is_known(err) ? errors[err].text : "unknown error number";
}

int simcom_errno(long err)
{
	return is_known(err) ? errors[err].err : -EREMOTEIO;
}

/* Behind the label, without the blanks that some firmware adds. */
static bool says(const char *text, const char *words)
{
	size_t len = strlen(words);

	return strncasecmp(text, words, len) == 0 &&
	       text[len + strspn(text + len, " .")] == '\0';
}

static const char *behind(const char *line, const char *label)
{
	size_t len = strlen(label);

	if (strncasecmp(line, label, len) != 0)
		return NULL;

	return line + len + strspn(line + len, " ");
}

static bool is_number(const char *text, long *n)
{
	char *end;

	*n = strtol(text, &end, 10);

	return *text && *end == '\0';
}

static int info_errno(const char *text)
{
	size_t i;
	long n;

	if (is_number(text, &n))
		return n >= 0 && n < (long)COUNT(infos) ? infos[n].err :
		       -EREMOTEIO;
	for (i = 0; i < COUNT(infos); i++) {
		if (says(text, infos[i].text))
			return infos[i].err;
	}
	/* seen in other words: Q70 and drivers of the SIM7600 */
	if (strcasestr(text, "no data"))
		return -ENODATA;

	return strcasestr(text, "already opened") ? -EALREADY : -EREMOTEIO;
}

static int cme_errno(const char *text)
{
	bool number;
	size_t i;
	long n;

	number = is_number(text, &n);
	for (i = 0; i < COUNT(cme); i++) {
		if (number ? n == cme[i].number :
			     says(text, cme[i].means.text))
			return cme[i].means.err;
	}

	return -EREMOTEIO;
}

int simcom_answer_errno(int err, const struct at_answer *a)
{
	const char *text;

	if (err != -EREMOTEIO)
		return err;
	text = behind(a->detail, "+IP ERROR:");
	if (text)
		return info_errno(text);
	text = behind(a->detail, "+CIPERROR:");
	if (text)
		return simcom_errno(strtol(text, NULL, 10));
	text = behind(a->final, "+CME ERROR:");

	return text ? cme_errno(text) : err;
}
