/* SPDX-License-Identifier: MIT */

/* The public side of a connection: from connect to free. */

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "link.h"
#include "listener.h"

#define TIMEOUT_MS 5000		/* options.timeout_ms 0 */

/* Why modemclient_connect() failed, when there is no connection to ask. */
static _Thread_local char connect_error[CLIENT_ERROR_MAX];

static const char *socket_path(const struct modemclient_options *o)
{
	const char *env = getenv("MODEMD_SOCKET");

	if (o->socket && *o->socket)
		return o->socket;

	return env && *env ? env : MODEMCLIENT_SOCKET;
}

static bool name_is_valid(const char *name)
{
	size_t i;

	for (i = 0; name[i]; i++) {
		if (name[i] < ' ' || name[i] > '~')
			return false;
	}

	return i >= 1 && i <= WIRE_NAME_MAX;
}

static int client_set_options(struct modemclient *mc,
			      const struct modemclient_options *o)
{
	const char *name = o->name ? o->name : program_invocation_short_name;

	if (!name_is_valid(name))
		return client_fail(mc, -EINVAL, "the name \"%.80s\" is not 1 "
				   "to %d printable characters", name,
				   WIRE_NAME_MAX);
	if (o->timeout_ms > INT_MAX)
		return client_fail(mc, -EINVAL, "timeout_ms is above %d",
				   INT_MAX);

	mc->name = strdup(name);
	mc->path = strdup(socket_path(o));
	if (!mc->name || !mc->path)
		return client_fail(mc, -ENOMEM, "out of memory");
	mc->timeout_ms = o->timeout_ms ? o->timeout_ms : TIMEOUT_MS;
	mc->event = o->event;
	mc->ctx = o->ctx;

	return 0;
}

int modemclient_connect(const struct modemclient_options *opts,
			struct modemclient **out)
{
	struct modemclient_options o = MODEMCLIENT_OPTIONS_INIT;
	struct modemclient *mc;
	int err;

	*out = NULL;
	if (opts)
		memcpy(&o, opts, opts->size < sizeof(o) ? opts->size :
		       sizeof(o));
	mc = calloc(1, sizeof(*mc));
	if (!mc) {
		snprintf(connect_error, sizeof(connect_error), "out of memory");
		return -ENOMEM;
	}
	mc->conn.fd = -1;
	TAILQ_INIT(&mc->requests);
	TAILQ_INIT(&mc->links);
	TAILQ_INIT(&mc->listeners);

	err = client_set_options(mc, &o);
	if (err == 0)
		err = client_connect(mc);
	if (err < 0) {
		snprintf(connect_error, sizeof(connect_error), "%s", mc->error);
		modemclient_free(mc);
		return err;
	}
	/* Not before: the first attempt is the caller's to repeat. */
	mc->reconnect = o.reconnect;
	*out = mc;

	return 0;
}

void modemclient_free(struct modemclient *mc)
{
	struct modemclient_link *l;
	struct request *r;

	if (!mc)
		return;

	connection_close(&mc->conn);
	mc->state = CLIENT_DOWN;
	listeners_free(mc);
	while ((l = TAILQ_FIRST(&mc->links)))
		modemclient_link_free(l);
	while ((r = TAILQ_FIRST(&mc->requests))) {
		TAILQ_REMOVE(&mc->requests, r, entry);
		free(r);
	}
	if (mc->hello)
		modemd__v1__server_message__free_unpacked(mc->hello, NULL);
	free(mc->name);
	free(mc->path);
	free(mc);
}

const char *modemclient_error(const struct modemclient *mc)
{
	return mc ? mc->error : connect_error;
}

bool modemclient_is_connected(const struct modemclient *mc)
{
	return mc->state == CLIENT_READY;
}

static bool client_is_ready(void *ctx)
{
	return modemclient_is_connected(ctx);
}

int modemclient_wait_connected(struct modemclient *mc, int timeout_ms)
{
	int err = client_may_wait(mc, timeout_ms);

	if (err < 0)
		return err;
	err = client_wait(mc, timeout_ms, client_is_ready, mc);
	if (err == 0)
		return 0;
	client_fail(mc, err, "not connected to modemd: %s", mc->down_reason);

	return mc->reconnect ? err : -ENOTCONN;
}

const char *modemclient_instance(const struct modemclient *mc)
{
	const Modemd__V1__HelloReply *hello = client_hello(mc);

	return hello && hello->instance ? hello->instance : "";
}

const char *modemclient_server_version(const struct modemclient *mc)
{
	const Modemd__V1__HelloReply *hello = client_hello(mc);

	return hello && hello->server_version ? hello->server_version : "";
}

const char *modemclient_dialect(const struct modemclient *mc)
{
	const Modemd__V1__HelloReply *hello = client_hello(mc);

	return hello && hello->dialect ? hello->dialect : "";
}

bool modemclient_has_capability(const struct modemclient *mc, const char *name)
{
	const Modemd__V1__HelloReply *hello = client_hello(mc);
	size_t i;

	for (i = 0; hello && i < hello->n_capabilities; i++) {
		if (strcmp(hello->capabilities[i], name) == 0)
			return true;
	}

	return false;
}

bool modemclient_is_admin(const struct modemclient *mc)
{
	const Modemd__V1__HelloReply *hello = client_hello(mc);

	return hello && hello->admin;
}

int modemclient_get_fd(const struct modemclient *mc)
{
	return mc->conn.fd;
}

short modemclient_get_events(const struct modemclient *mc)
{
	return mc->conn.out.len > 0 && !mc->conn.out_err ? POLLIN | POLLOUT :
		POLLIN;
}

int modemclient_get_timeout_ms(const struct modemclient *mc)
{
	int64_t left = mc->due_mono_ms - client_now_ms();

	if (mc->state == CLIENT_READY ||
	    (mc->state == CLIENT_DOWN && !mc->reconnect))
		return -1;

	return left < 0 ? 0 : (int)left;
}

int modemclient_process(struct modemclient *mc)
{
	if (mc->dispatching)
		return client_fail(mc, -EDEADLK, "modemclient_process() from "
				   "the event callback");

	return client_step(mc, 0);
}
