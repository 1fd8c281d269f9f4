/* SPDX-License-Identifier: MIT */

/* The client of the control socket: modemsim --ctl SOCKET COMMAND ... */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"

static int connect_to(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(sa.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(sa.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

int ctl_main(const char *path, char **args)
{
	int fd = connect_to(path), c, first, at_line_start = 1;
	FILE *f;

	if (fd < 0) {
		fprintf(stderr, "modemsim: %s: %s\n", path, strerror(errno));
		return 2;
	}
	f = fdopen(fd, "r+");
	if (f == NULL || *args == NULL) {
		fprintf(stderr, "modemsim: --ctl: no command\n");
		return 2;
	}
	for (; *args != NULL; args++)
		fprintf(f, "%s%s", *args, args[1] != NULL ? " " : "\n");
	fflush(f);
	first = EOF;
	while ((c = getc(f)) != EOF) {
		if (at_line_start)
			first = c;
		at_line_start = 0;
		putchar(c);
		if (c == '\n')
			break;
	}
	fclose(f);
	/* "ok ..." or the JSON of stats */
	return first == 'o' || first == '{' ? 0 : 1;
}
