/* SPDX-License-Identifier: MIT */

/*
 * nc - stdin and stdout through a link.
 *
 * Bounded: it reads stdin only when the link's window has room, and the link
 * only when stdout has taken what was read before. So either side slows the
 * other down, and nothing grows.
 *
 * -u: one read of stdin is one datagram, one datagram is one write.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "nc.h"

#define CONNECT_S	130	/* the modem itself takes up to 120 s */
#define CLOSE_MS	130000	/* so does a send that is under way */
#define ABORT_MS	2000	/* for the counts, when it need not be polite */
#define RESOLVE_MS	60000	/* others may ask, too */
#define DATAGRAM	1500	/* bytes: the modem takes no more */
#define OUT_CHUNK	PIPE_BUF	/* a writable pipe takes that at once */

int64_t nc_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);

	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* stdin -> link. */
static void move_in(struct nc *nc, bool readable)
{
	ssize_t n;

	if (readable && nc->in_len == 0) {
		n = read(STDIN_FILENO, nc->in, nc->udp ? DATAGRAM :
			 sizeof(nc->in));
		if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
			nc->in_ended = true;
		nc->in_start = 0;
		nc->in_len = n > 0 ? (size_t)n : 0;
	}
	if (nc->in_len == 0)
		return;
	n = modemclient_write(nc->link, nc->in + nc->in_start, nc->in_len, 0);
	if (n > 0) {
		nc->in_start += (size_t)n;
		nc->in_len -= (size_t)n;
	} else if (n == -ENOMEM) {
		nc->err = (int)n;
	}
	/* Other errors: reading gives them, too, after the last byte. */
}

/* link -> stdout. */
static void move_out(struct nc *nc, bool writable)
{
	ssize_t n;

	if (nc->out_len == 0 && !nc->out_ended) {
		n = modemclient_read(nc->link, nc->out, sizeof(nc->out), 0);
		nc->out_start = 0;
		nc->out_len = n > 0 ? (size_t)n : 0;
		nc->out_ended = n == 0;
		if (n < 0 && n != -EAGAIN)
			nc->err = (int)n;
	}
	if (nc->out_len == 0 || !writable)
		return;
	n = write(STDOUT_FILENO, nc->out + nc->out_start,
		  nc->out_len < OUT_CHUNK || nc->udp ? nc->out_len : OUT_CHUNK);
	if (n > 0) {
		nc->out_start += (size_t)n;
		nc->out_len -= (size_t)n;
	} else if (n < 0 && errno != EINTR && errno != EAGAIN) {
		nc->out_closed = true;
	}
}

/* -q: after the end of stdin and the last byte sent, a time; then a close. */
static void quit_in_time(struct nc *nc)
{
	if (!nc->in_ended || nc->in_len > 0 || nc->quit_s < 0)
		return;
	if (!nc->quit_at_ms && modemclient_drain(nc->link, 0) == 0)
		nc->quit_at_ms = nc_now_ms() + nc->quit_s * 1000;
	if (!nc->quit_at_ms || nc_now_ms() < nc->quit_at_ms)
		return;
	if (nc->closing) {
		nc->err = -ETIMEDOUT;
		return;
	}
	/* What arrives until it is closed still goes to stdout. */
	nc->closing = true;
	nc->quit_at_ms = nc_now_ms() + CLOSE_MS;
	modemclient_close_start(nc->link);
}

static int time_left(const struct nc *nc, int64_t deadline_ms)
{
	int timeout = modemclient_get_timeout_ms(nc->ctl->mc);
	int64_t left = deadline_ms - nc_now_ms();

	if (!deadline_ms)
		return timeout;
	if (left < 0)
		left = 0;

	return timeout < 0 || timeout > left ? (int)left : timeout;
}

/* Waits for what may happen next, and lets modemd's side happen. */
void nc_step(struct nc *nc, struct pollfd p[NC_FDS], int64_t deadline_ms)
{
	p[NC_MODEMD].fd = modemclient_get_fd(nc->ctl->mc);
	p[NC_MODEMD].events = modemclient_get_events(nc->ctl->mc);
	if (poll(p, NC_FDS, time_left(nc, deadline_ms)) < 0)
		p[NC_SIGNALS].revents = p[NC_INPUT].revents =
			p[NC_OUTPUT].revents = 0;
	if (p[NC_SIGNALS].revents)
		nc->interrupted = true;
	modemclient_process(nc->ctl->mc);
}

/* The modem sends datagrams to addresses only. */
static int resolve(struct nc *nc)
{
	struct in6_addr any;
	char **found;

	if (inet_pton(AF_INET, nc->host, &any) == 1 ||
	    inet_pton(AF_INET6, nc->host, &any) == 1)
		return CTL_DONE;
	if (modemclient_resolve_family(nc->ctl->mc, nc->host,
				       nc->options.family, RESOLVE_MS,
				       &found) < 0)
		return ctl_fail_client(nc->ctl);
	snprintf(nc->address, sizeof(nc->address), "%s", found[0]);
	modemclient_addresses_free(found);
	nc->host = nc->address;

	return CTL_DONE;
}

static int start_lease(struct nc *nc)
{
	struct modemclient_lease_options o = MODEMCLIENT_LEASE_OPTIONS_INIT;

	o.host = nc->listen ? NULL : nc->host;
	o.port = (uint16_t)nc->port;
	o.udp = nc->udp;
	o.listen = nc->listen;
	o.duration_ms = (uint32_t)nc->duration_s * 1000;
	o.wait_ms = (uint32_t)nc->wait_s * 1000;

	return modemclient_lease_start(nc->ctl->mc, &o, &nc->link);
}

static int start_open(struct nc *nc)
{
	struct modemclient_open_options o = MODEMCLIENT_OPEN_OPTIONS_INIT;

	o.host = nc->host;
	o.port = (uint16_t)nc->port;
	o.udp = nc->udp;
	o.wait_ms = (uint32_t)nc->wait_s * 1000;
	nc_fill_options(nc, &o);

	return modemclient_open_start(nc->ctl->mc, &o, &nc->link);
}

static int open_link(struct nc *nc, struct pollfd p[NC_FDS])
{
	int64_t deadline;

	if (nc->connect_s < 0)
		nc->connect_s = CONNECT_S;
	deadline = nc_now_ms() + (nc->connect_s + nc->wait_s) * 1000;
	if ((nc->lease ? start_lease(nc) : start_open(nc)) < 0)
		return ctl_fail_client(nc->ctl);
	p[NC_INPUT].fd = p[NC_OUTPUT].fd = -1;
	while (modemclient_link_error(nc->link) == -EINPROGRESS) {
		if (nc->interrupted)
			return ctl_fail(nc->ctl, "interrupted before the link "
					"was open");
		if (nc_now_ms() >= deadline)
			return ctl_fail(nc->ctl, "%s port %ld: not open within "
					"%ld s%s%s", nc->host, nc->port,
					nc->connect_s + nc->wait_s,
					*modemclient_link_reason(nc->link) ?
					": " : "",
					modemclient_link_reason(nc->link));
		nc_step(nc, p, deadline);
	}
	/* One that opened and closed at once still has data to read. */
	if (modemclient_link_epoch(nc->link) == 0 ||
	    (modemclient_link_error(nc->link) < 0 &&
	     modemclient_link_error(nc->link) != -EPIPE &&
	     modemclient_link_readable(nc->link) == 0))
		return ctl_fail(nc->ctl, "%s port %ld: %s", nc->host, nc->port,
				modemclient_link_reason(nc->link));

	return CTL_DONE;
}

static void transfer(struct nc *nc, struct pollfd p[NC_FDS])
{
	bool in, out;

	p[NC_INPUT].revents = p[NC_OUTPUT].revents = 0;
	for (;;) {
		move_in(nc, p[NC_INPUT].revents != 0);
		move_out(nc, p[NC_OUTPUT].revents != 0);
		quit_in_time(nc);
		if (nc->interrupted || nc->out_closed ||
		    (nc->out_len == 0 && (nc->err || nc->out_ended)))
			return;
		/* No news will come of what is here already. */
		if (nc->out_len == 0 &&
		    (modemclient_link_readable(nc->link) > 0 ||
		     modemclient_link_error(nc->link) < 0))
			continue;
		in = !nc->in_ended && nc->in_len == 0 && !nc->out_ended &&
			modemclient_link_writable(nc->link) > 0;
		out = nc->out_len > 0;
		p[NC_INPUT].fd = in ? STDIN_FILENO : -1;
		/* Also while nothing is to be written: the reader may go. */
		p[NC_OUTPUT].fd = STDOUT_FILENO;
		p[NC_OUTPUT].events = out ? POLLOUT : 0;
		nc_step(nc, p, nc->quit_at_ms);
		if (!out && (p[NC_OUTPUT].revents & (POLLERR | POLLHUP)))
			nc->out_closed = true;
	}
}

static int report(struct nc *nc, int err, const char *reason, size_t unsent,
		  const struct modemclient_counts *c)
{
	char confirmed[32] = "unknown";

	if (c->confirmed >= 0)
		snprintf(confirmed, sizeof(confirmed), "%lld",
			 (long long)c->confirmed);
	ctl_fail(nc->ctl, "%s%s port %ld: %s", nc->host,
		 nc->listen && !nc->lease ? " at" : "", nc->port,
		 nc->interrupted ? "interrupted" :
		 *reason ? reason : modemclient_strerror(err));
	fprintf(stderr, "accepted %llu, taken %llu, confirmed %s, "
		"received %llu\n", (unsigned long long)c->accepted,
		(unsigned long long)c->taken, confirmed,
		(unsigned long long)c->received);
	if (unsent > 0)
		fprintf(stderr, "%zu bytes of stdin were not accepted\n",
			unsent);

	return CTL_FAILED;
}

static int close_link(struct nc *nc)
{
	struct modemclient_counts counts;
	char reason[256];
	size_t unsent = nc->in_len;
	int err;

	snprintf(reason, sizeof(reason), "%s",
		 modemclient_link_reason(nc->link));
	/* Only these two find it still open. */
	if (nc->interrupted || nc->out_closed)
		err = modemclient_abort(nc->link, ABORT_MS, &counts);
	else
		err = modemclient_close(nc->link, ABORT_MS, &counts);
	nc->link = NULL;
	if (nc->out_closed)
		return CTL_FAILED;	/* the reader had enough: quietly */
	if (nc->err)
		err = nc->err;
	if (err == 0 && !nc->interrupted && unsent == 0)
		return CTL_DONE;
	if (!reason[0] && err < 0)
		snprintf(reason, sizeof(reason), "%s",
			 modemclient_error(nc->ctl->mc));

	return report(nc, err, reason, unsent, &counts);
}

int nc_run(struct ctl *ctl, int argc, char **argv)
{
	struct nc nc = { .ctl = ctl, .quit_s = -1, .connect_s = -1,
			 .wait_s = -1 };
	struct pollfd p[NC_FDS] = { { .fd = -1 }, { .fd = -1 }, { .fd = -1 },
				 { .fd = -1 } };
	int code;

	if (nc_take_arguments(&nc, argc, argv) < 0)
		return ctl->exit;
	code = ctl_connect(ctl, NULL, NULL);
	if (code != CTL_DONE)
		return code;
	code = nc.listen && !nc.lease ? nc_listen_start(&nc) : CTL_DONE;
	if (code != CTL_DONE)
		return code;
	signal(SIGPIPE, SIG_IGN);	/* a write that fails is enough */
	p[NC_SIGNALS].fd = ctl_signals();
	p[NC_SIGNALS].events = p[NC_INPUT].events = POLLIN;
	if (nc.udp && !nc.lease)
		code = resolve(&nc);
	if (code == CTL_DONE)
		code = nc.listen && !nc.lease ? nc_listen(&nc, p) :
		       open_link(&nc, p);
	if (code == CTL_DONE) {
		transfer(&nc, p);
		code = close_link(&nc);
	}
	modemclient_link_free(nc.link);
	explicit_bzero(nc.options.psk, sizeof(nc.options.psk));
	if (nc.listener)
		(void)modemclient_listener_close(nc.listener, ABORT_MS);

	return code;
}
