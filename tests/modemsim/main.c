/* SPDX-License-Identifier: MIT */

/* modemsim: builds the parts, runs the loop, takes the parts down. */

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "linger.h"
#include "modem.h"

static struct modem modem;

static void on_signal(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(ctx);
}

/* Precise: a slice of the line is a millisecond, half of it matters. */
static struct event_base *make_base(void)
{
	struct event_config *cfg = event_config_new();
	struct event_base *base;

	event_config_set_flag(cfg, EVENT_BASE_FLAG_PRECISE_TIMER);
	event_config_set_flag(cfg, EVENT_BASE_FLAG_NO_CACHE_TIME);
	base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	return base;
}

static void say_ready(const struct modem *m)
{
	printf("ready %s\n", m->line.pty.name);
	fflush(stdout);
	if (m->opt.ready_fd >= 0)
		dprintf(m->opt.ready_fd, "ready %s\n", m->line.pty.name);
}

static int run(struct event_base *base)
{
	struct control *control = NULL;
	struct event *on_term, *on_int;
	int status = 1;

	on_term = evsignal_new(base, SIGTERM, on_signal, base);
	on_int = evsignal_new(base, SIGINT, on_signal, base);
	event_add(on_term, NULL);
	event_add(on_int, NULL);
	if (modem.opt.control_path != NULL) {
		control = control_start(&modem, modem.opt.control_path);
		if (control == NULL)
			goto out;
	}
	say_ready(&modem);
	event_base_dispatch(base);
	status = modem.opt.strict && record_violations(&modem.record) > 0;
out:
	control_stop(control);
	event_free(on_term);
	event_free(on_int);
	return status;
}

int main(int argc, char **argv)
{
	struct event_base *base;
	int status = options_parse(&modem.opt, argc, argv), err;

	if (status >= 0)
		return status;
	signal(SIGPIPE, SIG_IGN);
	if (modem.opt.ctl_path != NULL)
		return ctl_main(modem.opt.ctl_path, modem.opt.ctl_args);
	err = record_open(&modem.record, modem.opt.log_path);
	if (err < 0) {
		fprintf(stderr, "modemsim: %s: %s\n", modem.opt.log_path,
			strerror(-err));
		return 1;
	}
	base = make_base();
	if (base == NULL || modem_start(&modem, base) < 0)
		return 1;
	status = run(base);
	modem_stop(&modem);
	linger_finish();
	event_base_free(base);
	record_close(&modem.record);
	return status;
}
