/* SPDX-License-Identifier: MIT */

/*
 * CIPSTART, and what is set before it for a link of any kind: W800 manual,
 * CIPSTART, CIPTCPOPT, CIPDOMAIN. TLS is in w800_tls.c.
 *
 * CIPSTARTEX, where the module chooses the slot, is not used: which slots are
 * free we know, clients take them from the top so that accepted connections
 * keep the low ones, and when its CONNECT line is lost nobody would know which
 * slot was taken.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "at/text.h"
#include "base/config.h"
#include "base/log.h"
#include "base/timer.h"
#include "driver/w800_private.h"

#define HOST_MAX	64	/* bytes in CIPSTART; longer ones: CIPDOMAIN */
#define RESOLVE_MS	20000	/* Q130: some 15 s */
#define SEND_MS		5000	/* CIPTCPOPT: "recommended ... 5 ~ 10 s" */
/* Nothing can stop a CIPSTART: so long it may take until it counts as hung. */
#define START_MS	90000
#define START_TLS_MS	150000	/* "each packet's timeout is 10 seconds" */

static bool is_ipv4(const char *host)
{
	struct in_addr any;

	return inet_pton(AF_INET, host, &any) == 1;
}

static bool is_address(const char *host)
{
	return strchr(host, ':') || is_ipv4(host);
}

int w800_take_open(struct w800 *w, unsigned int slot,
		   const struct driver_open_args *a)
{
	struct w800_open *o = &w->opening;
	bool v6 = a->family == DRIVER_IPV6 || strchr(a->host, ':');

	if (!a->udp && a->local_port) {
		log_info("w800: a TCP link cannot have local port %u: this "
			 "module chooses it", a->local_port);
		return -EOPNOTSUPP;
	}
	*o = (struct w800_open){
		.slot = slot, .udp = a->udp, .v6 = v6,
		.fall_back = !v6 && a->family == DRIVER_ANY &&
			     !is_address(a->host),
		.port = a->port, .tcp = a->tcp, .has_tls = a->tls,
		.local_port = a->local_port, .udp_remote = a->udp_remote,
		.began_ms = timers_mono_ms(w->env.timers),
	};
	snprintf(o->host, sizeof(o->host), "%s", a->host);
	snprintf(o->local_address, sizeof(o->local_address), "%s",
		 a->local_address ? a->local_address : "");
	if (a->tls)
		o->tls = *a->tls;
	if (o->tcp.send_timeout_ms == 0)
		o->tcp.send_timeout_ms = SEND_MS;
	if (a->udp)
		w800_udp_begin(w);

	return 0;
}

/* ------------------------------------------------------------ a long name */

static int send_long_name(struct w800 *w, struct at_command *cmd)
{
	const struct w800_open *o = &w->opening;
	int err;

	if (strlen(o->host) <= HOST_MAX)
		return 1;
	cmd->timeout_ms = RESOLVE_MS;
	err = w800_send_line(w, cmd, "AT+CIPDOMAIN=%q,%u", o->host,
			     o->v6 ? 3U : o->fall_back ? 1U : 2U);
	if (err == -EMSGSIZE)
		w800_say(&w->job, "the name of the host is longer than a "
			 "command of the module may be");

	return err;
}

static void long_name_line(struct w800 *w, const struct at_line *line)
{
	struct w800_open *o = &w->opening;

	at_text_copy(o->host, sizeof(o->host), &line->strs[0]);
	o->v6 = strchr(o->host, ':');
	o->fall_back = false;
}

static enum w800_verdict judge_long_name(struct w800 *w, int err,
					 const struct at_answer *a)
{
	if (!err && is_address(w->opening.host))
		return V_NEXT;
	w800_say(&w->job, "%s", err ? w800_words(a) :
		 "no address was told for its name");
	w->job.err = w800_answer_errno(err, a);
	/* CIPDOMAIN has no other reason to say ERROR. */
	if (w->job.err == -EREMOTEIO || !err)
		w->job.err = -EADDRNOTAVAIL;

	return V_FAIL;
}

/* ---------------------------------------------------------- socket options */

static bool is_same(const struct driver_tcp *a, const struct driver_tcp *b)
{
	return a->linger_s == b->linger_s && a->nodelay == b->nodelay &&
	       a->send_timeout_ms == b->send_timeout_ms &&
	       a->keepalive_s == b->keepalive_s;
}

/* The module keeps them by slot; what another link has set there would hold. */
static int send_tcpopt(struct w800 *w, struct at_command *cmd)
{
	const struct w800_open *o = &w->opening;
	const struct driver_tcp *t = &o->tcp;
	char text[W800_TEXT_MAX];
	int err;

	if (o->udp || is_same(t, &w->tcp_left[o->slot]))
		return 1;
	snprintf(text, sizeof(text), "AT+CIPTCPOPT=%u,%d,%d,%u,%u", o->slot,
		 t->linger_s, t->nodelay, t->send_timeout_ms, t->keepalive_s);
	cmd->text = text;
	err = at_channel_send(w->env.channel, cmd);
	/* Until it is answered nobody knows. */
	if (!err)
		w->tcp_left[o->slot] = (struct driver_tcp){ 0 };

	return err;
}

/* Without a word of the client the link is opened in any case. */
static enum w800_verdict judge_tcpopt(struct w800 *w, int err,
				      const struct at_answer *a)
{
	const struct driver_tcp usual = { .linger_s = -1,
					  .send_timeout_ms = SEND_MS };
	const struct w800_open *o = &w->opening;

	if (!err) {
		w->tcp_left[o->slot] = o->tcp;
		return V_NEXT;
	}
	if (is_same(&o->tcp, &usual))
		return V_NEXT;
	w800_say(&w->job, "the options of the socket are refused: %s",
		 w800_words(a));
	w->job.err = w800_answer_errno(err, a);

	return V_FAIL;
}

const struct w800_step w800_before_start[] = {
	{ .send = send_long_name, .accept = { R_CIPDOMAIN + 1 },
	  .line = long_name_line, .judge = judge_long_name },
	{ .send = send_tcpopt, .judge = judge_tcpopt },
	{ NULL }
};

/* ---------------------------------------------------------------- CIPSTART */

/* What follows the port: [,<keep_alive>][,<"local IP">] */
static void add_stream(char *out, size_t size, const struct w800_open *o)
{
	if (o->local_address[0] && o->tcp.keepalive_s == 0)
		snprintf(out, size, ",,\"%s\"", o->local_address);
	else if (o->local_address[0])
		snprintf(out, size, ",%u,\"%s\"", o->tcp.keepalive_s,
			 o->local_address);
	else if (o->tcp.keepalive_s)
		snprintf(out, size, ",%u", o->tcp.keepalive_s);
	else
		out[0] = '\0';
}

/* [,<local port>,<mode>,<"local IP">] */
static void add_udp(char *out, size_t size, const struct w800_open *o)
{
	static const unsigned int modes[] = {
		[DRIVER_UDP_FIXED] = 0,
		[DRIVER_UDP_FIRST] = 1,
		[DRIVER_UDP_EVERY] = 2,
	};

	if (o->local_address[0])
		snprintf(out, size, ",%u,%u,\"%s\"", o->local_port,
			 modes[o->udp_remote], o->local_address);
	else
		snprintf(out, size, ",%u,%u", o->local_port,
			 modes[o->udp_remote]);
}

/* Its owner hears in time that it did not open; the module tries on as long as
 * it likes, and has the line for it. */
int w800_send_start(struct w800 *w, struct at_command *cmd)
{
	struct w800_open *o = &w->opening;
	char text[2 * W800_TEXT_MAX], rest[DRIVER_ADDRESS_MAX + 40];

	if (o->given) {
		o->err = -EBUSY;
		return 1;
	}
	if (o->udp)
		add_udp(rest, sizeof(rest), o);
	else
		add_stream(rest, sizeof(rest), o);
	snprintf(text, sizeof(text), "AT+CIPSTART=%u,\"%s%s\",\"%s\",%u%s",
		 o->slot, o->udp ? "UDP" : o->has_tls ? "SSL" : "TCP",
		 o->v6 ? "v6" : "", o->host, o->port, rest);
	cmd->text = text;
	cmd->timeout_ms = o->has_tls ? START_TLS_MS : START_MS;
	if (cmd->timeout_ms < w->env.links->open_timeout_ms)
		cmd->timeout_ms = w->env.links->open_timeout_ms;
	w->job.late_ms = w->env.links->open_timeout_ms;
	o->start_ms = timers_mono_ms(w->env.timers);

	return at_channel_send(w->env.channel, cmd);
}

/* ------------------------------------------------ an ERROR without a reason */

/*
 * The name may be why: then no connection was tried. And a name that has no
 * IPv4 address may have another one.
 */
static int ask_name(struct w800 *w, struct at_command *cmd)
{
	struct w800_open *o = &w->opening;

	o->found[0] = '\0';
	if (o->udp || is_address(o->host) ||
	    !(o->err == -EADDRNOTAVAIL ? o->fall_back : o->doubt &&
	      o->err == -ECONNREFUSED))
		return 1;
	cmd->timeout_ms = RESOLVE_MS;

	return w800_send_line(w, cmd, "AT+CIPDOMAIN=%q,%u", o->host,
			      o->v6 ? 3U : o->fall_back ? 1U : 2U);
}

static void found_line(struct w800 *w, const struct at_line *line)
{
	struct w800_open *o = &w->opening;

	at_text_copy(o->found, sizeof(o->found), &line->strs[0]);
}

static enum w800_verdict judge_name(struct w800 *w, int err,
				    const struct at_answer *a)
{
	struct w800_open *o = &w->opening;

	if (!err && o->found[0])
		return V_NEXT;
	w800_say(&w->job, "its name has no address: %s", w800_words(a));
	o->err = -EADDRNOTAVAIL;

	return V_NEXT;
}

static int send_start6(struct w800 *w, struct at_command *cmd)
{
	struct w800_open *o = &w->opening;

	if (!o->err || !o->fall_back || !strchr(o->found, ':'))
		return 1;
	o->err = 0;
	o->doubt = false;
	o->v6 = true;

	return w800_send_start(w, cmd);
}

const struct w800_step w800_other_family[] = {
	{ .send = ask_name, .accept = { R_CIPDOMAIN + 1 },
	  .line = found_line, .judge = judge_name },
	W800_START(send_start6),
	{ NULL }
};
