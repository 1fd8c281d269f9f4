/* SPDX-License-Identifier: MIT */

/*
 * echo-events - libmodemclient in an event loop: several links at once to an
 * echo server, one line at a time on each, and what to do after a loss.
 *
 *	echo-events [-n LINKS] [-c LINES] HOST PORT
 *
 * Any loop does: this one is poll(). Nothing here ever blocks but poll().
 */

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <modemclient.h>

#define LINKS_MAX 10

struct talk {
	int number;
	int line;			/* being sent; counts from 1 */
	char echo[64];			/* of it, as far as it has come */
	size_t echo_len;
};

static struct talk talks[LINKS_MAX];
static int lines = 3;
static int talking;			/* links that are not done */
static int failed;

static void say(struct talk *t, struct modemclient_link *link)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "link %d line %d\n", t->number,
			   t->line);

	/* So short that the window has room: else wait for SENT. */
	t->echo_len = 0;
	if (modemclient_write(link, text, (size_t)len, 0) != len)
		warnx("%s", modemclient_error(modemclient_link_client(link)));
}

static void hear(struct talk *t, struct modemclient_link *link)
{
	ssize_t n;

	while ((n = modemclient_read(link, t->echo + t->echo_len,
				     sizeof(t->echo) - t->echo_len, 0)) > 0)
		t->echo_len += (size_t)n;
	if (t->echo_len == 0 || t->echo[t->echo_len - 1] != '\n')
		return;

	printf("%.*s", (int)t->echo_len, t->echo);
	if (t->line++ < lines)
		say(t, link);
	else
		modemclient_close_start(link);
}

static void end(struct modemclient_link *link, int error, const char *reason)
{
	struct talk *t = modemclient_link_get_data(link);

	printf("link %d ended: %s\n", t->number, reason);
	failed |= error < 0;
	talking--;
	modemclient_link_free(link);
}

static void on_event(void *ctx, const struct modemclient_event *ev)
{
	struct talk *t = ev->link ? modemclient_link_get_data(ev->link) : NULL;

	(void)ctx;
	switch (ev->type) {
	case MODEMCLIENT_EVENT_OPENED:
		if (ev->err < 0)
			end(ev->link, ev->err, ev->reason);
		else
			say(t, ev->link);
		break;
	case MODEMCLIENT_EVENT_READABLE:
		hear(t, ev->link);
		break;
	case MODEMCLIENT_EVENT_LINK_LOST:
		printf("link %d lost: the modem took %llu of %llu bytes\n",
		       t->number, (unsigned long long)ev->counts->taken,
		       (unsigned long long)ev->counts->accepted);
		break;
	case MODEMCLIENT_EVENT_LINK_RESTORED:
		/* The far end knows nothing of before: the line again. */
		printf("link %d restored, epoch %u\n", t->number, ev->epoch);
		say(t, ev->link);
		break;
	case MODEMCLIENT_EVENT_CLOSED:
		end(ev->link, ev->err, ev->reason);
		break;
	case MODEMCLIENT_EVENT_DISCONNECTED:
		errx(1, "%s", ev->reason);
	default:	/* of no interest here, or newer than this program */
		break;
	}
}

static void open_links(struct modemclient *mc, const char *host, uint16_t port)
{
	struct modemclient_open_options o = MODEMCLIENT_OPEN_OPTIONS_INIT;
	struct modemclient_link *link;
	int i;

	o.host = host;
	o.port = port;
	o.restore = true;
	o.wait_ms = 60000;
	for (i = 0; i < talking; i++) {
		talks[i].number = i;
		talks[i].line = 1;
		o.data = &talks[i];
		if (modemclient_open_start(mc, &o, &link) < 0)
			errx(1, "%s", modemclient_error(mc));
	}
}

int main(int argc, char **argv)
{
	struct modemclient_options opts = MODEMCLIENT_OPTIONS_INIT;
	struct modemclient *mc;
	int c;

	talking = 3;
	while ((c = getopt(argc, argv, "n:c:")) != -1) {
		if (c == 'n')
			talking = atoi(optarg);
		else if (c == 'c')
			lines = atoi(optarg);
		else
			return 2;
	}
	if (argc - optind != 2 || talking < 1 || talking > LINKS_MAX)
		errx(2, "usage: echo-events [-n LINKS] [-c LINES] HOST PORT");

	opts.event = on_event;
	if (modemclient_connect(&opts, &mc) < 0)
		errx(1, "%s", modemclient_error(NULL));
	open_links(mc, argv[optind], (uint16_t)atoi(argv[optind + 1]));
	while (talking > 0) {
		struct pollfd p = { modemclient_get_fd(mc),
				    modemclient_get_events(mc), 0 };

		poll(&p, 1, modemclient_get_timeout_ms(mc));
		if (modemclient_process(mc) < 0)
			errx(1, "%s", modemclient_error(mc));
	}
	modemclient_free(mc);

	return failed;
}
