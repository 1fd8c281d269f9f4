/* SPDX-License-Identifier: MIT */

/* Waiting for modemd and for the user at once. */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "modemctl.h"

int ctl_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

int ctl_follow(struct ctl *ctl)
{
	enum { MODEMD, SIGNALS, OUTPUT, FDS };
	struct pollfd p[FDS] = {
		[SIGNALS] = { .fd = ctl_signals(), .events = POLLIN },
		[OUTPUT] = { .fd = STDOUT_FILENO },	/* POLLERR: no reader */
	};

	for (;;) {
		p[MODEMD].fd = modemclient_get_fd(ctl->mc);
		p[MODEMD].events = modemclient_get_events(ctl->mc);
		if (poll(p, FDS, modemclient_get_timeout_ms(ctl->mc)) < 0)
			continue;
		if (p[SIGNALS].revents || (p[OUTPUT].revents & POLLERR) ||
		    ferror(stdout))
			return CTL_DONE;
		if (modemclient_process(ctl->mc) < 0)
			return ctl_fail_client(ctl);
	}
}
