/* SPDX-License-Identifier: MIT */

/*
 * port - bytes in and out of a tty, and nothing that they mean.
 *
 * One of the seams of the core. It knows libserialport and, where that
 * refuses (ptys, names that are links, the kernel's cellular driver), termios.
 * It never waits: what cannot be written yet is kept and written later.
 *
 * Called by: at/channel (bytes), modem (open, baud).   Calls: base,
 * libserialport, termios, libevent.
 */

#ifndef MODEMD_PORT_H
#define MODEMD_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config_modem;
struct timers;
struct port;

#define PORT_OUT_MAX	65536	/* bytes kept for a line that does not drain */
#define PORT_STALL_MS	5000	/* a write that waits longer is a stall */

/*
 * News. @input borrows @data until it returns; it may close the port.
 * @lost: hung up, unplugged or failed; the port is closed already and may be
 * opened again from within. @stalled tells when output stops (true) and when
 * it flows again (false).
 */
struct port_ops {
	void (*input)(void *ctx, const uint8_t *data, size_t len);
	void (*lost)(void *ctx, int err);
	void (*stalled)(void *ctx, bool stalled);
	void (*drained)(void *ctx);	/* port_unwritten() fell to 0 */
};

/* @set (device, backend, rtscts) and @ops are borrowed for its life. */
struct port *port_new(struct timers *ts, const struct config_modem *set,
		      const struct port_ops *ops, void *ctx);
void port_free(struct port *p);	/* closes it; NULL is fine */

/*
 * Opens the device at @baud: raw 8N1, no HUPCL, no XON/XOFF, VMIN 1, CLOEXEC,
 * flock and TIOCEXCL. Returns 0 or
 *   -ENOENT, -ENODEV, -ENXIO, -EIO   no such device (now)
 *   -EBUSY                           somebody else holds it
 *   -ENOTUNIQ                        two devices fit a usb: name
 *   -ENOTTY                          not a tty
 *   -EACCES, -EINVAL, ...            as the system says
 * and then port_reason() is a sentence with names: who holds it, what to do.
 */
int port_open(struct port *p, unsigned int baud);
void port_close(struct port *p);
bool port_is_open(const struct port *p);
const char *port_reason(const struct port *p);	/* borrowed until next open */

/*
 * -EINVAL for a rate the system does not know, -EBUSY while port_unwritten().
 * What the kernel holds goes first, at the old rate; what is written
 * meanwhile waits and goes at the new one.
 */
int port_set_baud(struct port *p, unsigned int baud);
unsigned int port_baud(const struct port *p);

/*
 * 0, -ENOTCONN, or -ENOBUFS when PORT_OUT_MAX would be passed: none taken.
 * A port that is found gone here is closed; @lost follows from the loop.
 */
int port_write(struct port *p, const void *data, size_t len);

/* Bytes the kernel has not taken yet. */
size_t port_unwritten(const struct port *p);

/* The same and those that the kernel knows to be still here. */
size_t port_unsent(const struct port *p);

/*
 * Does not read for a while: the kernel's buffer fills, and with rtscts the
 * modem stops. A hangup is seen when reading goes on, or by a write.
 */
void port_hold_input(struct port *p, bool hold);

/* Drops what is unwritten and what is unread (before a new attempt). */
void port_flush(struct port *p);

/* Also where the tty has no such line (a pty): then -ENOTTY. */
int port_set_dtr(struct port *p, bool on);

const char *port_path(const struct port *p);	/* resolved; NULL: not open */
const char *port_backend(const struct port *p);
uint64_t port_bytes_in(const struct port *p);
uint64_t port_bytes_out(const struct port *p);

#endif
