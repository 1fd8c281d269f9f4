/* SPDX-License-Identifier: MIT */

/*
 * The port on pseudo-terminals, whose hang-up looks exactly like a pulled
 * plug (B11), and libserialport's own path where this user may fake it a tty
 * with modem lines.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/config.h"
#include "base/log.h"
#include "base/timer.h"
#include "port/holder.h"
#include "port/port.h"
#include "port/resolve.h"

struct bench {
	struct event_base *base;
	struct timers *ts;
	struct config_modem set;
	struct port *port;
	int master;
	char slave[64];
	char folder[64];

	uint8_t in[70000];
	size_t in_len;
	unsigned int lost, stalls, flows, drained;
	int lost_err;
	int64_t lost_at_ms;
	bool reopen, close_on_input;
	int reopened;
};

/*
 * What a pty cannot show: modem lines (libserialport insists on them) and
 * bytes that a line with CTS low does not take. libserialport calls this one
 * as well.
 */
static int fake_queued = -1;
static dev_t fake_queued_on;
static bool fake_lines;
static int lines_raised;

int ioctl(int fd, unsigned long request, ...)
{
	struct stat st;
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (request == TIOCOUTQ && fake_queued >= 0 &&
	    fstat(fd, &st) == 0 && st.st_rdev == fake_queued_on) {
		*(int *)arg = fake_queued;
		return 0;
	}
	if (fake_lines && request == TIOCMGET) {
		*(int *)arg = lines_raised;
		return 0;
	}
	if (fake_lines && request == TIOCMBIS) {
		lines_raised |= *(int *)arg;
		return 0;
	}
	if (fake_lines && request == TIOCMBIC) {
		lines_raised &= ~*(int *)arg;
		return 0;
	}

	return (int)syscall(SYS_ioctl, fd, request, arg);
}

static void on_input(void *ctx, const uint8_t *data, size_t len)
{
	struct bench *b = ctx;

	assert_true(b->in_len + len <= sizeof(b->in));
	memcpy(b->in + b->in_len, data, len);
	b->in_len += len;
	if (b->close_on_input)
		port_close(b->port);
}

static void on_lost(void *ctx, int err)
{
	struct bench *b = ctx;

	b->lost++;
	b->lost_err = err;
	b->lost_at_ms = timers_mono_ms(b->ts);
	assert_false(port_is_open(b->port));
	if (b->reopen)
		b->reopened = port_open(b->port, 115200);
}

static void on_stalled(void *ctx, bool stalled)
{
	struct bench *b = ctx;

	if (stalled)
		b->stalls++;
	else
		b->flows++;
}

static void on_drained(void *ctx)
{
	struct bench *b = ctx;

	assert_int_equal(port_unwritten(b->port), 0);
	b->drained++;
}

static const struct port_ops ops = { on_input, on_lost, on_stalled,
				     on_drained };

static void new_pty(struct bench *b)
{
	if (b->master >= 0)
		close(b->master);
	b->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	assert_true(b->master >= 0);
	assert_int_equal(grantpt(b->master), 0);
	assert_int_equal(unlockpt(b->master), 0);
	assert_int_equal(ptsname_r(b->master, b->slave, sizeof(b->slave)), 0);
	chmod(b->slave, 0666);
}

static int set_up(void **state)
{
	static struct bench b;

	memset(&b, 0, sizeof(b));
	log_init("test", LOG_TARGET_STDERR, LOG_LEVEL_ERROR);
	b.master = -1;
	new_pty(&b);
	strcpy(b.folder, "/tmp/test_port.XXXXXX");
	assert_non_null(mkdtemp(b.folder));
	b.base = event_base_new();
	b.ts = timers_new(b.base, 1);
	b.set.device = b.slave;
	b.set.rtscts = true;
	b.port = port_new(b.ts, &b.set, &ops, &b);
	*state = &b;

	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;
	char command[128];

	port_free(b->port);
	timers_free(b->ts);
	event_base_free(b->base);
	close(b->master);
	fake_queued = -1;
	snprintf(command, sizeof(command), "rm -rf %s", b->folder);

	return system(command);
}

static void run_ms(struct bench *b, int ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	event_base_loopexit(b->base, &tv);
	event_base_dispatch(b->base);
}

static int64_t cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);

	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000LL +
	       u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

/* Runs @fn in a child as nobody, whom TIOCEXCL does stop. */
static int as_nobody(int (*fn)(struct bench *), struct bench *b)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (geteuid() == 0 && setuid(65534) < 0)
			_exit(99);
		_exit(fn(b));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));

	return WEXITSTATUS(status);
}

/* Counts our descriptors of @path; all must be close-on-exec. */
static unsigned int descriptors(const char *path)
{
	char link[PATH_MAX];
	struct dirent *e;
	unsigned int n = 0;
	ssize_t len;
	DIR *d = opendir("/proc/self/fd");

	while ((e = readdir(d))) {
		len = readlinkat(dirfd(d), e->d_name, link, sizeof(link) - 1);
		if (len < 0)
			continue;
		link[len] = '\0';
		if (strcmp(link, path) != 0)
			continue;
		n++;
		assert_true(fcntl(atoi(e->d_name), F_GETFD) & FD_CLOEXEC);
	}
	closedir(d);

	return n;
}

/* Like a tty on which all that must not be was left behind. */
static void spoil(struct bench *b)
{
	struct termios t;

	tcgetattr(b->master, &t);
	t.c_iflag |= IXON | IXOFF | IXANY | ICRNL | ISTRIP;
	t.c_lflag |= ECHO | ICANON | ISIG | IEXTEN;
	t.c_oflag |= OPOST;
	t.c_cflag |= HUPCL | PARENB | CSTOPB;
	t.c_cc[VMIN] = 0;
	t.c_cc[VTIME] = 3;
	tcsetattr(b->master, TCSANOW, &t);
}

static void check_line(struct bench *b, speed_t speed)
{
	struct termios t;

	assert_int_equal(tcgetattr(b->master, &t), 0);
	assert_int_equal(t.c_iflag & (IXON | IXOFF | IXANY | ICRNL | ISTRIP),
			 0);
	assert_int_equal(t.c_lflag & (ECHO | ICANON | ISIG | IEXTEN), 0);
	assert_int_equal(t.c_oflag & OPOST, 0);
	assert_int_equal(t.c_cflag & (HUPCL | PARENB | CSTOPB), 0);
	assert_int_equal(t.c_cflag & (CSIZE | CREAD | CLOCAL),
			 CS8 | CREAD | CLOCAL);
	assert_int_equal(!(t.c_cflag & CRTSCTS), !b->set.rtscts);
	assert_int_equal(t.c_cc[VMIN], 1);
	assert_int_equal(t.c_cc[VTIME], 0);
	assert_int_equal(cfgetospeed(&t), speed);
}

static void open_sets_the_line(void **state)
{
	struct bench *b = *state;

	spoil(b);
	assert_int_equal(port_open(b->port, 57600), 0);
	check_line(b, B57600);
	assert_true(port_is_open(b->port));
	assert_string_equal(port_path(b->port), b->slave);
	assert_string_equal(port_backend(b->port), "termios");
	assert_string_equal(port_reason(b->port), "");
	assert_int_equal(port_baud(b->port), 57600);
	assert_int_equal(descriptors(b->slave), 1);
	port_close(b->port);
	assert_null(port_path(b->port));
	assert_false(port_is_open(b->port));
	assert_int_equal(descriptors(b->slave), 0);
	b->set.rtscts = false;
	spoil(b);
	assert_int_equal(port_open(b->port, 921600), 0);
	check_line(b, B921600);
}

static void backends(void **state)
{
	struct bench *b = *state;

	b->set.backend = CONFIG_BACKEND_TERMIOS;
	assert_int_equal(port_open(b->port, 115200), 0);
	b->set.backend = CONFIG_BACKEND_LIBSERIALPORT;
	assert_int_equal(port_open(b->port, 115200), -EINVAL);
	assert_non_null(strstr(port_reason(b->port), "libserialport refuses"));
	assert_int_equal(descriptors(b->slave), 0);
}

static void all_bytes_both_ways(void **state)
{
	struct bench *b = *state;
	uint8_t all[256], back[256];
	unsigned int i;

	for (i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	spoil(b);
	assert_int_equal(port_open(b->port, 115200), 0);
	assert_int_equal(write(b->master, all, 256), 256);
	run_ms(b, 50);
	assert_int_equal(b->in_len, 256);
	assert_memory_equal(b->in, all, 256);
	assert_int_equal(port_write(b->port, all, 256), 0);
	assert_int_equal(port_unwritten(b->port), 0);
	usleep(20000);
	assert_int_equal(read(b->master, back, 256), 256);
	assert_memory_equal(back, all, 256);
	assert_int_equal(port_bytes_in(b->port), 256);
	assert_int_equal(port_bytes_out(b->port), 256);
	assert_int_equal(b->lost, 0);
}

static void much_data(void **state)
{
	struct bench *b = *state;
	uint8_t data[60000];
	size_t sent = 0, i;
	ssize_t n;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
	assert_int_equal(port_open(b->port, 115200), 0);
	while (sent < sizeof(data) || b->in_len < sizeof(data)) {
		n = write(b->master, data + sent, sizeof(data) - sent);
		if (n > 0)
			sent += (size_t)n;
		event_base_loop(b->base, EVLOOP_NONBLOCK);
	}
	assert_memory_equal(b->in, data, sizeof(data));
}

/* B11: at most 100 ms, closed, and the loop sleeps afterwards (I6). */
static void unplugged_while_idle(void **state)
{
	struct bench *b = *state;
	int64_t before, cpu;

	assert_int_equal(port_open(b->port, 115200), 0);
	run_ms(b, 20);
	assert_int_equal(b->lost, 0);
	before = timers_mono_ms(b->ts);
	close(b->master);
	b->master = -1;
	cpu = cpu_us();
	run_ms(b, 300);
	assert_int_equal(b->lost, 1);
	assert_true(b->lost_err == -ENODEV || b->lost_err == -EIO);
	assert_true(b->lost_at_ms - before <= 100);
	assert_int_equal(descriptors(b->slave), 0);
	assert_true(cpu_us() - cpu < 50000);
	assert_int_equal(port_write(b->port, "x", 1), -ENOTCONN);
	run_ms(b, 20);
	assert_int_equal(b->lost, 1);
}

static void unplugged_while_writing(void **state)
{
	struct bench *b = *state;

	assert_int_equal(port_open(b->port, 115200), 0);
	close(b->master);
	b->master = -1;
	assert_int_equal(port_write(b->port, "AT\r", 3), -ENOTCONN);
	assert_false(port_is_open(b->port));
	assert_int_equal(descriptors(b->slave), 0);
	assert_int_equal(b->lost, 0);	/* not inside our call */
	run_ms(b, 50);
	assert_int_equal(b->lost, 1);
	assert_int_equal(b->lost_err, -EIO);
}

static void unplugged_with_output_queued(void **state)
{
	static uint8_t data[40000];
	struct bench *b = *state;

	assert_int_equal(port_open(b->port, 115200), 0);
	assert_int_equal(port_write(b->port, data, sizeof(data)), 0);
	assert_true(port_unwritten(b->port) > 0);
	run_ms(b, 10);
	close(b->master);
	b->master = -1;
	run_ms(b, 100);
	assert_int_equal(b->lost, 1);
	assert_int_equal(port_unwritten(b->port), 0);
}

static void reopen_from_within_lost(void **state)
{
	struct bench *b = *state;
	char link[96], old[64];

	snprintf(link, sizeof(link), "%s/modem", b->folder);
	assert_int_equal(symlink(b->slave, link), 0);
	b->set.device = link;
	b->reopen = true;
	assert_int_equal(port_open(b->port, 115200), 0);
	assert_string_equal(port_path(b->port), b->slave);

	/* replugged: another number behind the same name (B12) */
	strcpy(old, b->slave);
	unlink(link);
	close(b->master);
	b->master = -1;
	close(posix_openpt(O_RDWR | O_NOCTTY));
	new_pty(b);
	assert_int_equal(symlink(b->slave, link), 0);
	run_ms(b, 50);
	assert_int_equal(b->lost, 1);
	assert_int_equal(b->reopened, 0);
	assert_string_equal(port_path(b->port), b->slave);
	assert_int_equal(write(b->master, "hi", 2), 2);
	run_ms(b, 20);
	assert_int_equal(b->in_len, 2);
}

static void input_may_close(void **state)
{
	static uint8_t data[12000];
	struct bench *b = *state;

	b->close_on_input = true;
	assert_int_equal(port_open(b->port, 115200), 0);
	assert_true(write(b->master, data, sizeof(data)) > 0);
	run_ms(b, 50);
	assert_true(b->in_len > 0);
	assert_true(b->in_len <= 4096);
	assert_int_equal(b->lost, 0);
}

/* B13 */
static void second_is_refused_and_first_is_named(void **state)
{
	struct bench *b = *state;
	struct port *second = port_new(b->ts, &b->set, &ops, b);
	char expect[64];

	assert_int_equal(port_open(b->port, 115200), 0);
	spoil(b);
	assert_int_equal(port_open(second, 9600), -EBUSY);
	snprintf(expect, sizeof(expect), "held by test_port (pid %d)",
		 getpid());
	assert_non_null(strstr(port_reason(second), expect));
	assert_non_null(strstr(port_reason(second), b->slave));
	/* the first one's line was left alone */
	assert_int_equal(port_write(b->port, "x", 1), 0);
	{
		struct termios t;

		tcgetattr(b->master, &t);
		assert_true(t.c_iflag & IXON);
		assert_int_equal(cfgetospeed(&t), B115200);
	}
	port_close(b->port);
	assert_int_equal(port_open(second, 9600), 0);
	port_free(second);
}

static int try_plain_open(struct bench *b)
{
	int fd = open(b->slave, O_RDWR | O_NOCTTY | O_NONBLOCK);

	return fd >= 0 ? 0 : errno;
}

static int try_port_open(struct bench *b)
{
	struct event_base *base = event_base_new();
	struct timers *ts = timers_new(base, 1);
	struct port *port = port_new(ts, &b->set, &ops, b);
	int err = port_open(port, 115200);
	const char *reason = port_reason(port);
	char expect[64];

	/* a stranger may see the kernel's lock, so he learns the name */
	snprintf(expect, sizeof(expect), "held by test_port (pid %d)",
		 getppid());
	if (err && !strstr(reason, expect))
		err = -200;
	port_free(port);
	timers_free(ts);
	event_base_free(base);

	return -err;
}

static void exclusive_while_open_only(void **state)
{
	struct bench *b = *state;

	if (geteuid() != 0)
		skip();
	assert_int_equal(as_nobody(try_plain_open, b), 0);
	assert_int_equal(port_open(b->port, 115200), 0);
	assert_int_equal(as_nobody(try_plain_open, b), EBUSY);
	assert_int_equal(as_nobody(try_port_open, b), EBUSY);
	port_close(b->port);
	assert_int_equal(as_nobody(try_plain_open, b), 0);
}

static int try_forbidden(struct bench *b)
{
	struct port *port = port_new(b->ts, &b->set, &ops, b);
	int err = port_open(port, 115200);
	int bad = !strstr(port_reason(port), "no permission (mode 0600");

	port_free(port);

	return err == -EACCES && !bad ? 0 : 1;
}

static void forbidden(void **state)
{
	struct bench *b = *state;

	if (geteuid() != 0)
		skip();
	chmod(b->slave, 0600);
	assert_int_equal(as_nobody(try_forbidden, b), 0);
}

static void holder_is_found(void **state)
{
	struct bench *b = *state;
	char who[128], expect[64], lock[PATH_MAX];
	int fds[2];
	pid_t pid;
	FILE *f;

	assert_int_equal(holder_find(b->slave, b->folder, who, sizeof(who)),
			 -ENOENT);

	/* by an open descriptor */
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		if (open(b->slave, O_RDWR | O_NOCTTY) < 0 ||
		    write(fds[1], "x", 1) != 1)
			_exit(1);
		alarm(20);	/* also when this test fails */
		pause();
	}
	assert_int_equal(read(fds[0], who, 1), 1);
	assert_int_equal(holder_find(b->slave, b->folder, who, sizeof(who)),
			 0);
	snprintf(expect, sizeof(expect), "test_port (pid %d)", pid);
	assert_string_equal(who, expect);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(holder_find(b->slave, b->folder, who, sizeof(who)),
			 -ENOENT);

	/* by a lock file, unless whoever wrote it is gone */
	snprintf(lock, sizeof(lock), "%s/LCK..%s", b->folder,
		 strrchr(b->slave, '/') + 1);
	f = fopen(lock, "w");
	fprintf(f, "%10d\n", pid);
	fclose(f);
	assert_int_equal(holder_find(b->slave, b->folder, who, sizeof(who)),
			 -ENOENT);
	f = fopen(lock, "w");
	fprintf(f, "%10d minicom root\n", getpid());
	fclose(f);
	assert_int_equal(holder_find(b->slave, b->folder, who, sizeof(who)),
			 0);
	close(fds[0]);
	close(fds[1]);
}

static int refused(struct bench *b, const char *device)
{
	char copy[PATH_MAX];
	int err;

	snprintf(copy, sizeof(copy), "%s", device);
	b->set.device = copy;
	err = port_open(b->port, 115200);
	b->set.device = b->slave;
	assert_false(port_is_open(b->port));
	assert_non_null(strstr(port_reason(b->port), device));

	return err;
}

static void what_is_no_tty(void **state)
{
	struct bench *b = *state;
	char file[96];
	int fd;

	snprintf(file, sizeof(file), "%s/file", b->folder);
	fd = open(file, O_CREAT | O_RDWR, 0600);
	close(fd);
	assert_int_equal(refused(b, "/dev/null"), -ENOTTY);
	assert_non_null(strstr(port_reason(b->port), "is not a tty"));
	assert_int_equal(refused(b, file), -ENOTTY);
	assert_int_equal(refused(b, b->folder), -ENOTTY);
	assert_int_equal(refused(b, "/dev/ttyNOT"), -ENOENT);
	assert_non_null(strstr(port_reason(b->port), "plugged in"));
	assert_int_equal(refused(b, "usb:dead:beef:07"), -ENOENT);
	assert_int_equal(refused(b, "usb:what"), -EINVAL);
	assert_int_equal(port_open(b->port, 115200), 0);
	assert_string_equal(port_reason(b->port), "");
}

static speed_t master_speed(struct bench *b)
{
	struct termios t;

	tcgetattr(b->master, &t);

	return cfgetospeed(&t);
}

static void rates(void **state)
{
	struct bench *b = *state;

	assert_int_equal(port_set_baud(b->port, 9600), -ENOTCONN);
	assert_int_equal(port_open(b->port, 0), -EINVAL);
	assert_int_equal(port_open(b->port, 115200), 0);
	assert_int_equal(port_set_baud(b->port, 0), -EINVAL);
	assert_int_equal(port_set_baud(b->port, 460800), 0);
	assert_int_equal(master_speed(b), B460800);
	assert_int_equal(port_baud(b->port), 460800);
	/* the A7670's highest, which no Bxxx names */
	assert_int_equal(port_set_baud(b->port, 1842000), 0);
	assert_int_equal(port_baud(b->port), 1842000);
	assert_int_not_equal(master_speed(b), B460800);
	assert_int_equal(port_set_baud(b->port, 9600), 0);
	check_line(b, B9600);
}

static void fake_queue(struct bench *b, int bytes)
{
	struct stat st;

	assert_int_equal(stat(b->slave, &st), 0);
	fake_queued_on = st.st_rdev;
	fake_queued = bytes;
}

static void rate_waits_for_what_is_queued(void **state)
{
	struct bench *b = *state;
	char back[8];

	assert_int_equal(port_open(b->port, 115200), 0);
	fake_queue(b, 3);
	assert_int_equal(port_set_baud(b->port, 9600), 0);
	assert_int_equal(port_write(b->port, "after", 5), 0);
	run_ms(b, 50);
	assert_int_equal(master_speed(b), B115200);
	assert_int_equal(port_unwritten(b->port), 5);
	assert_int_equal(read(b->master, back, sizeof(back)), -1);
	assert_int_equal(port_set_baud(b->port, 4800), -EBUSY);
	fake_queued = 0;
	run_ms(b, 50);
	assert_int_equal(master_speed(b), B9600);
	assert_int_equal(port_unwritten(b->port), 0);
	assert_int_equal(read(b->master, back, sizeof(back)), 5);
}

static int64_t slowest_write_us(struct bench *b, size_t *taken)
{
	static uint8_t data[1000];
	int64_t start, took, slowest = 0;
	int err;

	for (*taken = 0;; *taken += sizeof(data)) {
		start = timers_mono_us(b->ts);
		err = port_write(b->port, data, sizeof(data));
		took = timers_mono_us(b->ts) - start;
		if (took > slowest)
			slowest = took;
		if (err) {
			assert_int_equal(err, -ENOBUFS);
			return slowest;
		}
	}
}

static int waiting_events(struct bench *b)
{
	return event_base_get_num_events(b->base, EVENT_BASE_COUNT_ADDED);
}

/* B9, twice at once: a full tty, and few bytes on a line with CTS low. */
/* What is not read stays in the kernel, and comes when it is read again. */
static void input_is_held(void **state)
{
	struct bench *b = *state;

	assert_int_equal(port_open(b->port, 115200), 0);
	assert_int_equal(write(b->master, "one", 3), 3);
	run_ms(b, 20);
	assert_int_equal(b->in_len, 3);
	port_hold_input(b->port, true);
	assert_int_equal(write(b->master, "two", 3), 3);
	run_ms(b, 50);
	assert_int_equal(b->in_len, 3);
	port_hold_input(b->port, false);
	run_ms(b, 20);
	assert_int_equal(b->in_len, 6);
	assert_memory_equal(b->in, "onetwo", 6);
	/* one that was opened again reads */
	port_hold_input(b->port, true);
	port_close(b->port);
	port_hold_input(b->port, false);
	assert_int_equal(port_open(b->port, 115200), 0);
	assert_int_equal(write(b->master, "three", 5), 5);
	run_ms(b, 20);
	assert_int_equal(b->in_len, 11);
	/* what the kernel says to be here still is unsent, not unwritten */
	assert_int_equal(port_unsent(b->port), 0);
	fake_queue(b, 4);
	assert_int_equal(port_unwritten(b->port), 0);
	assert_int_equal(port_unsent(b->port), 4);
}

static void stalls_are_told(void **state)
{
	struct bench *b = *state, cts = { .ts = b->ts, .set = b->set };
	char drain[4096];
	size_t taken;

	cts.master = -1;
	new_pty(&cts);
	cts.set.device = cts.slave;
	cts.port = port_new(b->ts, &cts.set, &ops, &cts);
	assert_int_equal(port_open(b->port, 115200), 0);
	assert_int_equal(port_open(cts.port, 115200), 0);

	assert_true(slowest_write_us(b, &taken) < 50000);
	assert_true(taken >= PORT_OUT_MAX);
	assert_true(port_unwritten(b->port) <= PORT_OUT_MAX);
	assert_true(port_unwritten(b->port) + 1000 > PORT_OUT_MAX);
	fake_queue(&cts, 4);
	assert_int_equal(port_write(cts.port, "AT\r\n", 4), 0);
	assert_int_equal(port_unwritten(cts.port), 0);

	run_ms(b, PORT_STALL_MS - 300);
	assert_int_equal(b->stalls + cts.stalls, 0);
	run_ms(b, 500);
	assert_int_equal(b->stalls, 1);
	assert_int_equal(cts.stalls, 1);
	assert_int_equal(b->flows + cts.flows, 0);

	fake_queued = 0;
	while (read(b->master, drain, sizeof(drain)) > 0)
		run_ms(b, 5);
	run_ms(b, 1100);
	assert_int_equal(b->flows, 1);
	assert_int_equal(cts.flows, 1);
	assert_int_equal(b->stalls + cts.stalls, 2);
	assert_int_equal(port_unwritten(b->port), 0);
	assert_int_equal(b->drained, 1);	/* the other never waited */
	assert_int_equal(cts.drained, 0);
	assert_int_equal(b->lost + cts.lost, 0);
	/* two tties that may be readable, and no timer any more */
	assert_int_equal(waiting_events(b), 2);
	port_free(cts.port);
	close(cts.master);
}

static void flush_drops_both_ways(void **state)
{
	struct bench *b = *state;
	size_t taken, left = 0;
	char drain[4096];
	ssize_t n;

	assert_int_equal(port_open(b->port, 115200), 0);
	slowest_write_us(b, &taken);
	assert_int_equal(write(b->master, "old", 3), 3);
	usleep(20000);
	port_flush(b->port);
	assert_int_equal(port_unwritten(b->port), 0);
	run_ms(b, 30);
	assert_int_equal(b->in_len, 0);
	while ((n = read(b->master, drain, sizeof(drain))) > 0)
		left += (size_t)n;
	assert_true(left < taken - 30000);
	assert_int_equal(port_write(b->port, "new", 3), 0);
	usleep(20000);
	assert_int_equal(read(b->master, drain, 3), 3);
	assert_memory_equal(drain, "new", 3);
}

static void dtr_on_a_pty(void **state)
{
	struct bench *b = *state;

	assert_int_equal(port_set_dtr(b->port, true), -ENOTCONN);
	assert_int_equal(port_open(b->port, 115200), 0);
	assert_int_equal(port_set_dtr(b->port, false), -ENOTTY);
}

/* I6: the look at the output is the only one, see stalls_are_told(). */
static void idle_wakes_nobody(void **state)
{
	struct bench *b = *state;

	assert_int_equal(port_open(b->port, 115200), 0);
	assert_int_equal(waiting_events(b), 1);
	assert_int_equal(port_write(b->port, "AT\r", 3), 0);
	assert_int_equal(waiting_events(b), 2);
	port_close(b->port);
	assert_int_equal(waiting_events(b), 0);
}

/* A sysfs as the kernel lays it out. */
static void make_file(const char *root, const char *path, const char *text)
{
	char full[512], *slash;
	FILE *f;

	snprintf(full, sizeof(full), "%s/%s", root, path);
	for (slash = full + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
	if (!text)
		return;
	f = fopen(full, "w");
	fputs(text, f);
	fclose(f);
}

static void make_tty(const char *root, const char *name, const char *device)
{
	char link[256], target[256];

	snprintf(link, sizeof(link), "class/tty/%s/x", name);
	make_file(root, link, NULL);
	snprintf(link, sizeof(link), "%s/class/tty/%s/device", root, name);
	snprintf(target, sizeof(target), "%s/%s", root, device);
	assert_int_equal(symlink(target, link), 0);
}

static void make_usb(const char *root, const char *device, const char *pid,
		     const char *interface)
{
	char path[256];

	snprintf(path, sizeof(path), "devices/usb1/%s/idVendor", device);
	make_file(root, path, "1e0e\n");
	snprintf(path, sizeof(path), "devices/usb1/%s/idProduct", device);
	make_file(root, path, pid);
	snprintf(path, sizeof(path), "devices/usb1/%s/%s:1.%s/"
		 "bInterfaceNumber", device, device, interface);
	make_file(root, path, interface);
}

static void usb_names(void **state)
{
	struct bench *b = *state;
	const char *root = b->folder;
	char path[64], why[256];

	make_usb(root, "1-1", "9001\n", "02");
	make_usb(root, "1-1", "9001\n", "03");
	make_usb(root, "1-2", "9011\n", "02");
	make_usb(root, "1-3", "9011\n", "04");
	make_file(root, "devices/usb1/1-1/1-1:1.02/ttyUSB2/x", NULL);
	make_file(root, "devices/usb1/1-1/1-1:1.03/ttyUSB3/x", NULL);
	make_file(root, "devices/platform/serial8250/x", NULL);
	make_tty(root, "ttyUSB2", "devices/usb1/1-1/1-1:1.02/ttyUSB2");
	make_tty(root, "ttyUSB3", "devices/usb1/1-1/1-1:1.03/ttyUSB3");
	make_tty(root, "ttyACM0", "devices/usb1/1-2/1-2:1.02");
	make_tty(root, "ttyS0", "devices/platform/serial8250");
	make_file(root, "class/tty/tty0/x", NULL);

#define FIND(name) resolve_device(root, name, path, sizeof(path), why, \
				  sizeof(why))
	assert_int_equal(FIND("usb:1e0e:9001:02"), 0);
	assert_string_equal(path, "/dev/ttyUSB2");
	assert_int_equal(FIND("usb:1E0E:9001:3"), 0);
	assert_string_equal(path, "/dev/ttyUSB3");
	assert_int_equal(FIND("usb:1e0e:9011:02"), 0);
	assert_string_equal(path, "/dev/ttyACM0");
	assert_int_equal(FIND("usb:1e0e:9011:04"), -ENOENT);
	assert_int_equal(FIND("usb:1e0e:9001:01"), -ENOENT);
	assert_non_null(strstr(why, "usb:1e0e:9001:01"));
	assert_int_equal(FIND("usb:1e0f:9001:02"), -ENOENT);

	/* two modems of one kind: say so, do not take just any */
	make_usb(root, "1-4", "9001\n", "02");
	make_tty(root, "ttyUSB7", "devices/usb1/1-4/1-4:1.02");
	assert_int_equal(FIND("usb:1e0e:9001:02"), -ENOTUNIQ);
	assert_non_null(strstr(why, "ttyUSB2"));
	assert_non_null(strstr(why, "ttyUSB7"));
#undef FIND
}

/*
 * libserialport's own path: the pty over a tty that has a name in sysfs, in
 * a mount namespace of our own, with modem lines played by ioctl() above.
 */
static int through_libserialport(struct bench *b)
{
	static char tty[] = "/dev/tty60";
	uint8_t all[256];
	unsigned int i;

	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount(b->slave, tty, NULL, MS_BIND, NULL) < 0)
		return 77;
	for (i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	fake_lines = true;
	b->set.device = tty;
	spoil(b);
	assert_int_equal(port_open(b->port, 57600), 0);
	assert_string_equal(port_backend(b->port), "libserialport");
	assert_string_equal(port_path(b->port), tty);
	check_line(b, B57600);
	assert_int_equal(descriptors(tty), 2);
	assert_int_equal(lines_raised & (TIOCM_DTR | TIOCM_RTS),
			 TIOCM_DTR | TIOCM_RTS);
	assert_int_equal(port_set_baud(b->port, 230400), 0);
	check_line(b, B230400);
	assert_int_equal(port_set_dtr(b->port, false), 0);
	assert_int_equal(lines_raised & TIOCM_DTR, 0);
	assert_int_equal(write(b->master, all, 256), 256);
	run_ms(b, 50);
	assert_int_equal(b->in_len, 256);
	assert_memory_equal(b->in, all, 256);
	close(b->master);
	b->master = -1;
	run_ms(b, 50);
	assert_int_equal(b->lost, 1);
	assert_int_equal(descriptors(tty), 0);

	return 0;
}

static void libserialport(void **state)
{
	struct bench *b = *state;
	int status;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	pid = fork();
	if (pid == 0) {
		status = through_libserialport(b);
		_exit(status);
	}
	close(b->master);	/* the child's shall be the last */
	b->master = -1;
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		T(open_sets_the_line), T(backends), T(all_bytes_both_ways),
		T(much_data), T(unplugged_while_idle),
		T(unplugged_while_writing), T(unplugged_with_output_queued),
		T(reopen_from_within_lost), T(input_may_close),
		T(second_is_refused_and_first_is_named),
		T(exclusive_while_open_only), T(forbidden),
		T(holder_is_found), T(what_is_no_tty), T(rates),
		T(rate_waits_for_what_is_queued), T(input_is_held), T(stalls_are_told),
		T(flush_drops_both_ways), T(dtr_on_a_pty),
		T(idle_wakes_nobody), T(usb_names), T(libserialport),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
