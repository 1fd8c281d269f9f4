/* SPDX-License-Identifier: MIT */

/*
 * fetch - the blocking use of libmodemclient: send a request, print the answer.
 *
 *	fetch example.org 80 'GET / HTTP/1.0'
 *	printf 'hello\n' | fetch echo.example.org 7
 */

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <modemclient.h>

#define TIMEOUT_MS 130000	/* the modem may take 120 s to open a link */

/* The third argument as lines, or all of stdin; free() it. */
static char *get_request(const char *text, size_t *len)
{
	size_t size = 0;
	char *request = NULL;
	FILE *memory = open_memstream(&request, &size);
	int c;

	if (!memory)
		err(1, "out of memory");
	if (text)
		fprintf(memory, "%s\r\n\r\n", text);
	while (!text && (c = getchar()) != EOF)
		putc(c, memory);
	fclose(memory);
	*len = size;

	return request;
}

int main(int argc, char **argv)
{
	struct modemclient *mc;
	struct modemclient_link *link;
	char buf[4096], *request;
	size_t len;
	ssize_t n;

	if (argc < 3)
		errx(2, "usage: fetch HOST PORT [REQUEST]");
	request = get_request(argc > 3 ? argv[3] : NULL, &len);

	if (modemclient_connect(NULL, &mc) < 0)
		errx(1, "%s", modemclient_error(NULL));
	if (modemclient_open(mc, argv[1], (uint16_t)atoi(argv[2]), TIMEOUT_MS,
			     &link) < 0)
		errx(1, "%s", modemclient_error(mc));
	if (modemclient_write(link, request, len, TIMEOUT_MS) != (ssize_t)len)
		errx(1, "%s", modemclient_error(mc));
	while ((n = modemclient_read(link, buf, sizeof(buf), TIMEOUT_MS)) > 0)
		fwrite(buf, 1, (size_t)n, stdout);
	if (n < 0)
		errx(1, "%s", modemclient_error(mc));
	if (modemclient_close(link, TIMEOUT_MS, NULL) < 0)
		errx(1, "%s", modemclient_error(mc));

	modemclient_free(mc);
	free(request);
	return 0;
}
