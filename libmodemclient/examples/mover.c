/* SPDX-License-Identifier: MIT */

/*
 * mover - moves random data to a far end and back, and proves that it is the
 * same, across losses of the network.
 *
 *	mover [--restore] [--client NAME] [-n BYTES] [--seed S] HOST PORT
 *
 * With tests/system/farend.py it speaks lines and raw bytes:
 *
 *	mover: PUT|RESUME TOKEN TOTAL BACK	BACK bytes of the answer are
 *						here already
 *	far:   AT OFFSET			that many bytes are there
 *	mover: the data from OFFSET to TOTAL
 *	far:   ALL SHA256			of what it got; then the same
 *						data back, from BACK on
 *	mover: DONE				and the far end closes
 *
 * One line of JSON ends it. Exit 0: all is equal; 3: the link was lost (the
 * counts say what became of the bytes); 1: all else.
 */

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <modemclient.h>

#include "sha256.h"

#define TIMEOUT_MS	180000	/* of any one step */
#define EPOCHS_MAX	256
#define EXIT_LOST	3

struct mover {
	const char *host;
	uint16_t port;
	const char *client;
	bool restore;
	uint64_t total;
	uint64_t seed;

	struct modemclient *mc;
	struct modemclient_link *link;
	char token[33];
	char in[65536];			/* read, not used yet */
	size_t in_start, in_len;
	uint64_t back;			/* bytes of the answer that are here */
	struct sha256 back_hash;
	char hash[3][65];		/* ours, the far end's, the answer's */
	struct modemclient_counts counts[EPOCHS_MAX];
	uint32_t epochs[EPOCHS_MAX];
	int n_epochs;
};

/* Bytes of the data, from any offset on (splitmix64). */
static void make_data(const struct mover *m, uint64_t offset, uint8_t *out,
		      size_t len)
{
	uint64_t z = 0;
	size_t i;

	for (i = 0; i < len; i++, offset++) {
		if (i == 0 || offset % 8 == 0) {
			z = m->seed + (offset / 8 + 1) * 0x9e3779b97f4a7c15;
			z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
			z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
			z ^= z >> 31;
		}
		out[i] = (uint8_t)(z >> (8 * (offset % 8)));
	}
}

static void hash_data(struct mover *m)
{
	struct sha256 s;
	uint8_t buf[4096];
	uint64_t at = 0;

	sha256_init(&s);
	while (at < m->total) {
		size_t n = m->total - at < sizeof(buf) ?
			(size_t)(m->total - at) : sizeof(buf);

		make_data(m, at, buf, n);
		sha256_feed(&s, buf, n);
		at += n;
	}
	sha256_hex(&s, m->hash[0]);
}

/* 0, or -errno; -EPIPE: the far end closed too early. */
static int fill(struct mover *m)
{
	ssize_t n = modemclient_read(m->link, m->in, sizeof(m->in), TIMEOUT_MS);

	m->in_start = 0;
	m->in_len = n > 0 ? (size_t)n : 0;

	return n > 0 ? 0 : n == 0 ? -EPIPE : (int)n;
}

static int get_line(struct mover *m, char *line, size_t size)
{
	size_t len = 0;
	int ret;

	while (len < size - 1) {
		if (m->in_len == 0) {
			ret = fill(m);
			if (ret < 0)
				return ret;
		}
		line[len] = m->in[m->in_start++];
		m->in_len--;
		if (line[len] == '\n') {
			line[len] = '\0';
			return 0;
		}
		len++;
	}

	return -EPROTO;
}

static int put(struct mover *m, const void *data, size_t len)
{
	const uint8_t *from = data;
	ssize_t n;

	/* After a short one the next says why: a loss, or the deadline. */
	while (len > 0) {
		n = modemclient_write(m->link, from, len, TIMEOUT_MS);
		if (n < 0)
			return (int)n;
		from += n;
		len -= (size_t)n;
	}

	return 0;
}

static int put_data(struct mover *m, uint64_t at)
{
	uint8_t buf[16384];
	int ret = 0;

	while (ret == 0 && at < m->total) {
		size_t n = m->total - at < sizeof(buf) ?
			(size_t)(m->total - at) : sizeof(buf);

		make_data(m, at, buf, n);
		ret = put(m, buf, n);
		at += n;
	}

	return ret;
}

static int get_data(struct mover *m)
{
	int ret = 0;

	while (m->back < m->total) {
		if (m->in_len == 0)
			ret = fill(m);
		if (ret < 0)
			return ret;
		if (m->in_len > m->total - m->back)
			return -EPROTO;
		sha256_feed(&m->back_hash, m->in + m->in_start, m->in_len);
		m->back += m->in_len;
		m->in_len = 0;
	}

	return 0;
}

/* One attempt: from where both sides stand to the end. 0 or -errno. */
static int move(struct mover *m)
{
	char line[256];
	uint64_t offset;
	int ret;

	m->in_len = 0;
	snprintf(line, sizeof(line), "%s %s %" PRIu64 " %" PRIu64 "\n",
		 m->n_epochs ? "RESUME" : "PUT", m->token, m->total, m->back);
	ret = put(m, line, strlen(line));
	if (ret == 0)
		ret = get_line(m, line, sizeof(line));
	if (ret < 0)
		return ret;
	if (sscanf(line, "AT %" SCNu64, &offset) != 1 || offset > m->total)
		return -EPROTO;
	ret = put_data(m, offset);
	if (ret == 0)
		ret = get_line(m, line, sizeof(line));
	if (ret < 0)
		return ret;
	if (sscanf(line, "ALL %64s", m->hash[1]) != 1)
		return -EPROTO;
	ret = get_data(m);
	if (ret == 0)
		ret = put(m, "DONE\n", 5);
	if (ret == 0)
		ret = fill(m);

	return ret == 0 ? -EPROTO : ret == -EPIPE && m->back == m->total ? 0 :
		ret;
}

static void keep_counts(struct mover *m, uint32_t epoch,
			const struct modemclient_counts *counts)
{
	if (m->n_epochs < EPOCHS_MAX) {
		m->epochs[m->n_epochs] = epoch;
		m->counts[m->n_epochs++] = *counts;
	}
}

/* Moves until it is done or there is no way on. 0 or -errno. */
static int move_all(struct mover *m, char *reason, size_t size)
{
	struct modemclient_counts counts;
	uint32_t epoch;
	int ret, closed;

	for (;;) {
		ret = move(m);
		if (ret != -ENETRESET || !m->restore)
			break;
		epoch = modemclient_link_lost_counts(m->link, &counts);
		keep_counts(m, epoch, &counts);
		fprintf(stderr, "mover: lost in epoch %u: %s\n", epoch,
			modemclient_link_reason(m->link));
		ret = modemclient_wait_restored(m->link, 4 * TIMEOUT_MS);
		if (ret < 0)
			break;
		fprintf(stderr, "mover: restored, epoch %u\n",
			modemclient_link_epoch(m->link));
	}
	snprintf(reason, size, "%s", ret == 0 ? "" :
		 ret == -EPROTO ? "the far end speaks another protocol" :
		 ret == -EPIPE ? "the far end closed too early" :
		 modemclient_error(m->mc));
	epoch = modemclient_link_epoch(m->link);
	closed = modemclient_close(m->link, TIMEOUT_MS, &counts);
	m->link = NULL;
	keep_counts(m, epoch, &counts);
	if (ret == 0 && closed < 0)
		snprintf(reason, size, "%s", modemclient_error(m->mc));

	return ret < 0 ? ret : closed;
}

static void print_text(const char *name, const char *text)
{
	printf("\"%s\":\"", name);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar((unsigned char)*text < ' ' ? ' ' : *text);
	}
	printf("\",");
}

static void print_summary(const struct mover *m, const char *reason, bool equal,
			  double seconds)
{
	int i;

	printf("{");
	print_text("client", m->client);
	print_text("token", m->token);
	print_text("error", reason);
	print_text("sha256", m->hash[0]);
	print_text("sha256_far_end", m->hash[1]);
	print_text("sha256_returned", m->hash[2]);
	printf("\"total\":%" PRIu64 ",\"seed\":%" PRIu64 ",\"returned\":%"
	       PRIu64 ",\"equal\":%s,\"seconds\":%.3f,\"epochs\":[", m->total,
	       m->seed, m->back, equal ? "true" : "false", seconds);
	for (i = 0; i < m->n_epochs; i++)
		printf("%s{\"epoch\":%u,\"accepted\":%" PRIu64 ",\"taken\":%"
		       PRIu64 ",\"confirmed\":%" PRId64 ",\"received\":%" PRIu64
		       "}", i ? "," : "", m->epochs[i], m->counts[i].accepted,
		       m->counts[i].taken, m->counts[i].confirmed,
		       m->counts[i].received);
	printf("]}\n");
}

static int run(struct mover *m)
{
	struct timespec from, to;
	char reason[512];
	bool equal;
	int ret;

	clock_gettime(CLOCK_MONOTONIC, &from);
	hash_data(m);
	sha256_init(&m->back_hash);
	ret = move_all(m, reason, sizeof(reason));
	clock_gettime(CLOCK_MONOTONIC, &to);
	sha256_hex(&m->back_hash, m->hash[2]);
	equal = ret == 0 && m->back == m->total &&
		strcmp(m->hash[0], m->hash[1]) == 0 &&
		strcmp(m->hash[0], m->hash[2]) == 0;
	print_summary(m, reason, equal, (double)(to.tv_sec - from.tv_sec) +
		      (double)(to.tv_nsec - from.tv_nsec) / 1e9);
	if (equal)
		return 0;
	fprintf(stderr, "mover: %s\n", *reason ? reason :
		"what came back is not what was sent");

	return ret < 0 && ret != -EPROTO ? EXIT_LOST : 1;
}

static void parse(struct mover *m, int argc, char **argv)
{
	static const struct option options[] = {
		{ "restore", no_argument, NULL, 'r' },
		{ "client", required_argument, NULL, 'c' },
		{ "seed", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "n:", options, NULL)) != -1) {
		if (c == 'r')
			m->restore = true;
		else if (c == 'c')
			m->client = optarg;
		else if (c == 's')
			m->seed = strtoull(optarg, NULL, 0);
		else if (c == 'n')
			m->total = strtoull(optarg, NULL, 0);
		else
			exit(2);
	}
	if (argc - optind != 2 || atoi(argv[optind + 1]) < 1 ||
	    atoi(argv[optind + 1]) > 65535)
		errx(2, "usage: mover [--restore] [--client NAME] [-n BYTES] "
		     "[--seed S] HOST PORT");
	m->host = argv[optind];
	m->port = (uint16_t)atoi(argv[optind + 1]);
}

int main(int argc, char **argv)
{
	static struct mover m = { .client = "mover", .total = 100000,
				  .seed = 1 };
	struct modemclient_options opts = MODEMCLIENT_OPTIONS_INIT;
	struct modemclient_open_options o = MODEMCLIENT_OPEN_OPTIONS_INIT;
	uint64_t random[2] = { 0 };
	int code;

	parse(&m, argc, argv);
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		err(1, "getrandom");
	snprintf(m.token, sizeof(m.token), "%016" PRIx64 "%016" PRIx64,
		 random[0], random[1]);

	opts.name = m.client;
	if (modemclient_connect(&opts, &m.mc) < 0)
		errx(1, "%s", modemclient_error(NULL));
	o.host = m.host;
	o.port = m.port;
	o.restore = m.restore;
	o.wait_ms = TIMEOUT_MS;
	if (modemclient_open_with(m.mc, &o, 2 * TIMEOUT_MS, &m.link) < 0)
		errx(1, "%s", modemclient_error(m.mc));
	code = run(&m);
	modemclient_free(m.mc);

	return code;
}
