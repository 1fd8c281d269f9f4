/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include "udp.h"

/* A buffer for what cannot be larger; there is one thread. */
static unsigned char datagram[UDP_MAX];

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct udp *u = ctx;
	struct address from;
	socklen_t len = sizeof(from);
	ssize_t n;

	(void)what;
	n = recvfrom(fd, datagram, sizeof(datagram), 0, &from.sa, &len);
	/* an error is an ICMP one of an earlier send: nobody wants it */
	if (n >= 0)
		u->received(u->ctx, datagram, (size_t)n, &from);
}

int udp_open(struct udp *u, struct event_base *base, struct address *local,
	     bool shared)
{
	socklen_t len = address_len(local);
	int err = 0, one = 1;

	u->fd = socket(local->sa.sa_family,
		       SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (u->fd < 0)
		return -errno;
	setsockopt(u->fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one));
	if (shared)
		setsockopt(u->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(u->fd, &local->sa, len) < 0 ||
	    getsockname(u->fd, &local->sa, &len) < 0)
		err = -errno;
	if (err < 0) {
		close(u->fd);
		u->fd = -1;
		return err;
	}
	u->read_ev = event_new(base, u->fd, EV_READ | EV_PERSIST, on_readable,
			       u);
	event_add(u->read_ev, NULL);
	return 0;
}

static unsigned int loopback(void)
{
	return if_nametoindex("lo");
}

void udp_stay_here(struct udp *u, enum family family)
{
	struct ip_mreqn v4 = {
		.imr_ifindex = (int)loopback(),
		.imr_address.s_addr = htonl(INADDR_LOOPBACK),	/* whence */
	};
	int v6 = (int)loopback();

	if (family == FAMILY_V6)
		setsockopt(u->fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &v6,
			   sizeof(v6));
	else
		setsockopt(u->fd, IPPROTO_IP, IP_MULTICAST_IF, &v4,
			   sizeof(v4));
}

int udp_join(struct udp *u, const struct address *group, bool here)
{
	struct ip_mreqn v4 = { .imr_ifindex = here ? (int)loopback() : 0 };
	struct ipv6_mreq v6 = { .ipv6mr_interface = here ? loopback() : 0 };
	int err;

	if (address_is_v6(group)) {
		v6.ipv6mr_multiaddr = group->in6.sin6_addr;
		err = setsockopt(u->fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &v6,
				 sizeof(v6));
	} else {
		v4.imr_multiaddr = group->in4.sin_addr;
		err = setsockopt(u->fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &v4,
				 sizeof(v4));
	}
	return err < 0 ? -errno : 0;
}

void udp_close(struct udp *u)
{
	if (u->fd < 0)
		return;
	event_free(u->read_ev);
	close(u->fd);
	u->fd = -1;
}

int udp_send(struct udp *u, const void *data, size_t len,
	     const struct address *to)
{
	ssize_t n = sendto(u->fd, data, len, 0, &to->sa, address_len(to));

	return n < 0 ? -errno : 0;
}
