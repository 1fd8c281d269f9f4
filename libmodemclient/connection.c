/* SPDX-License-Identifier: MIT */

#include "connection.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define READ_SIZE 65536		/* bytes asked for at once */

int connection_open(struct connection *c, const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	memcpy(sa.sun_path, path, strlen(path) + 1);

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* EINTR cannot happen: a non-blocking connect never sleeps. */
	if (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0) {
		err = -errno;
		close(fd);
		return err;
	}

	c->fd = fd;
	c->out_err = 0;
	return 0;
}

void connection_close(struct connection *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	buffer_free(&c->in);
	buffer_free(&c->out);
}

int connection_queue(struct connection *c, const ProtobufCMessage *message)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	size_t header;
	uint8_t *to;

	if (len > WIRE_FRAME_MAX)
		return -EMSGSIZE;
	to = buffer_reserve(&c->out, WIRE_HEADER_MAX + len);
	if (!to)
		return -ENOMEM;

	header = wire_put_length(len, to);
	protobuf_c_message_pack(message, to + header);
	buffer_commit(&c->out, header + len);

	return 0;
}

void connection_flush(struct connection *c)
{
	ssize_t n;

	while (c->fd >= 0 && c->out.len > 0 && !c->out_err) {
		n = send(c->fd, buffer_bytes(&c->out), c->out.len,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0)
			buffer_drop(&c->out, (size_t)n);
		else if (errno == EAGAIN)
			return;
		else if (errno != EINTR)
			c->out_err = -errno;
	}
}

int connection_fill(struct connection *c)
{
	uint8_t *to = buffer_reserve(&c->in, READ_SIZE);
	ssize_t n;

	if (!to)
		return -ENOMEM;
	do {
		n = recv(c->fd, to, READ_SIZE, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (n == 0)
		return -ENOTCONN;
	buffer_commit(&c->in, (size_t)n);

	return (int)n;
}

int connection_next(struct connection *c, const uint8_t **frame, size_t *len)
{
	const uint8_t *in = buffer_bytes(&c->in);
	int header;

	if (c->in.len == 0)
		return 0;
	header = wire_get_length(in, c->in.len, len);
	if (header <= 0)
		return header;
	if (c->in.len < (size_t)header + *len)
		return 0;

	*frame = in + header;
	buffer_drop(&c->in, (size_t)header + *len);

	return 1;
}
