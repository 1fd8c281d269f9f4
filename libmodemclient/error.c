/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <string.h>

#include "modemclient.h"
#include "wire.h"

/* What the protocol has no word for, because it happens on this side. */
static const struct {
	int err;
	const char *text;
} local_errors[] = {
	{ -EPROTO, "modemd sent what is not the protocol" },
	{ -ENOTCONN, "the connection to modemd is lost" },
	{ -EAGAIN, "nothing can be done at once" },
	{ -EDEADLK, "a call that waits, made from the event callback" },
	{ -EINPROGRESS, "the link is not open yet" },
	{ -EALREADY, "the link is being closed already" },
	{ -ENOENT, "modemd is not running, or no such request" },
	{ -EACCES, "the socket's mode forbids it" },
};

const char *modemclient_strerror(int err)
{
	Modemd__V1__Status status = wire_status(err);
	size_t i;

	for (i = 0; i < sizeof(local_errors) / sizeof(local_errors[0]); i++) {
		if (local_errors[i].err == err)
			return local_errors[i].text;
	}
	if (wire_errno(status) == err)
		return wire_status_text(status);

	return "an error that this version does not know";
}

const char *modemclient_version(void)
{
	return MODEMD_VERSION;
}
