/* SPDX-License-Identifier: MIT */

/* Every setting, and every mistake with the line that is told about it. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/config.h"

/* The groups of this machine, whatever they are in truth. */
static bool no_groups;

struct group *getgrnam(const char *name)
{
	static struct group group;

	return no_groups || strcmp(name, "no-such-group") == 0 ? NULL : &group;
}

static char folder[64], told[65536];
static struct config *c;

static void tell(void *ctx, bool warning, const char *text)
{
	(void)ctx;
	assert_null(strchr(text, '\n'));
	strcat(told, warning ? "warning: " : "");
	strcat(told, text);
	strcat(told, "\n");
}

/* As a daemon with two drivers has it. */
static int check_dialect(const char *name, char *why, size_t size)
{
	if (strcmp(name, "auto") == 0 || strcmp(name, "simcom") == 0 ||
	    strcmp(name, "w800") == 0)
		return 0;
	snprintf(why, size, "must be one of: auto simcom w800");

	return -EINVAL;
}

static const struct config_report report = {
	.line = tell,
	.dialect = check_dialect,
};

/* All in a folder of its own, so that lines begin with "m.conf:". */
static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test_config.XXXXXX");
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	told[0] = '\0';
	c = NULL;

	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	config_free(c);
	assert_int_equal(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -rf %s", folder);

	return system(command);
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	chmod(name, 0600);
}

static int load(const char *text, const char *const *overrides)
{
	put("m.conf", text);
	told[0] = '\0';
	config_free(c);
	c = NULL;

	return config_load("gw1", "m.conf", overrides, &report, &c);
}

static void good_but(const char *text, const char *warnings)
{
	int err = load(text, NULL);

	assert_string_equal(told, warnings);
	assert_int_equal(err, 0);
	assert_non_null(c);
}

static void good(const char *text)
{
	good_but(text, "");
}

static void bad(const char *text, const char *lines)
{
	int err = load(text, NULL);

	assert_string_equal(told, lines);
	assert_int_equal(err, -EINVAL);
	assert_null(c);
}

static void check_defaults(const struct config *d, const char *name)
{
	char path[64];

#define NAMED(prefix, suffix) \
	(snprintf(path, sizeof(path), "%s%s%s", prefix, name, suffix), path)
	assert_string_equal(d->instance, name);
	assert_string_equal(d->modem.device, "/dev/ttyUSB2");
	assert_int_equal(d->modem.backend, CONFIG_BACKEND_AUTO);
	assert_int_equal(d->modem.baud, 115200);
	assert_int_equal(d->modem.target_baud, 0);
	assert_true(d->modem.rtscts);
	assert_string_equal(d->modem.dialect, "auto");
	assert_int_equal(d->modem.receive, CONFIG_RECEIVE_AUTO);
	assert_int_equal(d->modem.pull_form, CONFIG_PULL_ASCII);
	assert_int_equal(d->modem.send_coding, CONFIG_CODING_FIXED);
	assert_string_equal(d->modem.apn, "internet");
	assert_int_equal(d->modem.cid, 1);
	assert_string_equal(d->modem.pdp_type, "IP");
	assert_string_equal(d->modem.apn_user, "");
	assert_string_equal(d->modem.apn_password, "");
	assert_int_equal(d->modem.apn_auth, CONFIG_AUTH_NONE);
	assert_true(d->modem.allow_roaming);
	assert_string_equal(d->modem.operator, "");
	assert_string_equal(d->modem.pin, "");
	assert_string_equal(d->modem.wifi_ssid, "");
	assert_string_equal(d->modem.wifi_password, "");
	assert_string_equal(d->modem.dns_servers, "");
	assert_true(d->modem.sntp);
	assert_string_equal(d->modem.sntp_servers, "");
	assert_int_equal(d->modem.zone_min, 0);
	assert_string_equal(d->ipc.socket, NAMED("/run/modemd/", ".sock"));
	assert_int_equal(d->ipc.socket_mode, 0660);
	assert_string_equal(d->ipc.socket_group, "modem");
	assert_int_equal(d->ipc.max_clients, 1024);
	assert_int_equal(d->ipc.max_clients_per_user, 0);
	assert_int_equal(d->ipc.hello_timeout_ms, 5000);
	assert_int_equal(d->links.reserve_inbound, 2);
	assert_int_equal(d->links.max_inbound, 8);
	assert_int_equal(d->links.open_timeout_ms, 120000);
	assert_int_equal(d->links.send_timeout_ms, 120000);
	assert_int_equal(d->links.idle_timeout_ms, 0);
	assert_int_equal(d->links.inbound_idle_timeout_ms, 600000);
	assert_int_equal(d->links.window, 65536);
	assert_int_equal(d->links.credit, 65536);
	assert_int_equal(d->recovery.backoff_min_ms, 1000);
	assert_int_equal(d->recovery.backoff_max_ms, 60000);
	assert_int_equal(d->recovery.probe_ms, 60000);
	assert_int_equal(d->recovery.max_silence, 3);
	assert_int_equal(d->recovery.stop_timeout_ms, 10000);
	assert_string_equal(d->recovery.reset_hook, "");
	assert_string_equal(d->history.database,
			    NAMED("/var/lib/modemd/", ".db"));
	assert_int_equal(d->history.retention_ms, 90LL * 86400000);
	assert_int_equal(d->history.max_size, 256 << 20);
	assert_string_equal(d->state_file,
			    NAMED("/var/lib/modemd/", ".state"));
	assert_int_equal(d->log_level, LOG_LEVEL_INFO);
	assert_int_equal(d->log_target, LOG_TARGET_AUTO);
#undef NAMED
}

static void defaults(void **state)
{
	(void)state;
	good("");
	check_defaults(c, "gw1");
	config_free(c);
	c = NULL;
	/* no file at the default place is no mistake */
	assert_int_equal(config_load("no-such-instance", NULL, NULL, &report,
				     &c), 0);
	check_defaults(c, "no-such-instance");
	assert_string_equal(told, "");
}

/* Every other value than the default, in every setting. */
static void all_settings(void **state)
{
	(void)state;
	put("pin", "1234\n");
	put("apn-pw", "s e,cret\n");
	put("wifi-pw", "top \xc3\xa4 secret");
	good_but("modem {\n"
	     "device = \"usb:1e0e:9001:02\" backend = termios baud = 9600\n"
	     "target-baud = 1842000 flow-control = none dialect = w800\n"
	     "receive = push pull-form = hex send-coding = ctrlz "
	     "apn = \"iot.example-1.com\"\n"
	     "cid = 16 pdp-type = IPV4V6 apn-user = \"a,b@c\" apn-auth = chap\n"
	     "allow-roaming = no operator = 26201 wifi-ssid = 'caf\xc3\xa9'\n"
	     "}\n"
	     "ipc { socket = /tmp/s socket-mode = 600 socket-group = daemon\n"
	     "max-clients = 5 max-clients-per-user = 2\n"
	     "hello-timeout = 200ms }\n"
	     "links { reserve-inbound = 0 max-inbound = 10 open-timeout = 3s\n"
	     "send-timeout = 2min idle-timeout = 1h\n"
	     "inbound-idle-timeout = 0 window = 2K credit = 1M }\n"
	     "recovery { backoff = \"50ms..2min\" probe = 0 max-silence = 100\n"
	     "stop-timeout = 0 reset-hook = /usr/bin/cycle }\n"
	     "history { database = /tmp/h.db retention = 0 max-size = 2G }\n"
	     "state { file = /tmp/h.state }\n"
	     "log { level = debug target = syslog }\n",
	     "warning: m.conf:15: recovery.reset-hook: this version does not "
	     "power-cycle the modem; ignored\n");
	assert_string_equal(c->modem.device, "usb:1e0e:9001:02");
	assert_int_equal(c->modem.backend, CONFIG_BACKEND_TERMIOS);
	assert_int_equal(c->modem.baud, 9600);
	assert_int_equal(c->modem.target_baud, 1842000);
	assert_false(c->modem.rtscts);
	assert_string_equal(c->modem.dialect, "w800");
	assert_int_equal(c->modem.receive, CONFIG_RECEIVE_PUSH);
	assert_int_equal(c->modem.pull_form, CONFIG_PULL_HEX);
	assert_int_equal(c->modem.send_coding, CONFIG_CODING_CTRLZ);
	assert_string_equal(c->modem.apn, "iot.example-1.com");
	assert_int_equal(c->modem.cid, 16);
	assert_string_equal(c->modem.pdp_type, "IPV4V6");
	assert_string_equal(c->modem.apn_user, "a,b@c");
	assert_int_equal(c->modem.apn_auth, CONFIG_AUTH_CHAP);
	assert_false(c->modem.allow_roaming);
	assert_string_equal(c->modem.operator, "26201");
	assert_string_equal(c->modem.wifi_ssid, "caf\xc3\xa9");
	assert_string_equal(c->ipc.socket, "/tmp/s");
	assert_int_equal(c->ipc.socket_mode, 0600);
	assert_string_equal(c->ipc.socket_group, "daemon");
	assert_int_equal(c->ipc.max_clients, 5);
	assert_int_equal(c->ipc.max_clients_per_user, 2);
	assert_int_equal(c->ipc.hello_timeout_ms, 200);
	assert_int_equal(c->links.reserve_inbound, 0);
	assert_int_equal(c->links.max_inbound, 10);
	assert_int_equal(c->links.open_timeout_ms, 3000);
	assert_int_equal(c->links.send_timeout_ms, 120000);
	assert_int_equal(c->links.idle_timeout_ms, 3600000);
	assert_int_equal(c->links.inbound_idle_timeout_ms, 0);
	assert_int_equal(c->links.window, 2048);
	assert_int_equal(c->links.credit, 1 << 20);
	assert_int_equal(c->recovery.backoff_min_ms, 50);
	assert_int_equal(c->recovery.backoff_max_ms, 120000);
	assert_int_equal(c->recovery.probe_ms, 0);
	assert_int_equal(c->recovery.max_silence, 100);
	assert_int_equal(c->recovery.stop_timeout_ms, 0);
	assert_string_equal(c->recovery.reset_hook, "/usr/bin/cycle");
	assert_string_equal(c->history.database, "/tmp/h.db");
	assert_int_equal(c->history.retention_ms, 0);
	assert_int_equal(c->history.max_size, 2LL << 30);
	assert_string_equal(c->state_file, "/tmp/h.state");
	assert_int_equal(c->log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(c->log_target, LOG_TARGET_SYSLOG);
}

/* One bad value each, and the sentence about it. */
#define ZONE	"must be UTC or a distance from it from -12:00 to +14:00, " \
		"as in +05:30"

static const struct {
	const char *name;
	const char *value;
	const char *why;
} bad_values[] = {
	{ "modem.device", "", "must name a tty, or usb:VID:PID:INTERFACE" },
	{ "modem.device", "usb:1e0e:9001", "must be as in usb:1e0e:9001:02 "
	  "(vendor, product, interface, in hex)" },
	{ "modem.device", "usb:1e0e:9001:02:1", "must be as in "
	  "usb:1e0e:9001:02 (vendor, product, interface, in hex)" },
	{ "modem.device", "usb:xyz:9001:02", "must be as in usb:1e0e:9001:02 "
	  "(vendor, product, interface, in hex)" },
	{ "modem.backend", "Auto",
	  "must be one of: auto libserialport termios" },
	{ "modem.backend", "", "must be one of: auto libserialport termios" },
	{ "modem.baud", "115201", "no known rate; 115200, 460800 and 921600 "
	  "are usual" },
	{ "modem.baud", "0", "no known rate; 115200, 460800 and 921600 are "
	  "usual" },
	{ "modem.baud", "115200x", "no known rate; 115200, 460800 and 921600 "
	  "are usual" },
	{ "modem.target-baud", "-1", "no known rate; 115200, 460800 and "
	  "921600 are usual, 0 stays at modem.baud" },
	{ "modem.flow-control", "xonxoff", "must be one of: none rtscts" },
	{ "modem.dialect", "hayes", "must be one of: auto simcom w800" },
	{ "modem.receive", "both", "must be one of: auto pull push" },
	{ "modem.pull-form", "base64", "must be one of: ascii hex" },
	{ "modem.send-coding", "esc", "must be one of: fixed ctrlz" },
	{ "modem.apn", "a b", "only letters, digits, dot, hyphen and "
	  "underscore can be in an APN" },
	{ "modem.apn", "a;b", "only letters, digits, dot, hyphen and "
	  "underscore can be in an APN" },
	{ "modem.cid", "0", "must be a number from 1 to 16" },
	{ "modem.cid", "17", "must be a number from 1 to 16" },
	{ "modem.cid", "1x", "must be a number from 1 to 16" },
	{ "modem.cid", " 1", "must be a number from 1 to 16" },
	{ "modem.cid", "99999999999999999999",
	  "must be a number from 1 to 16" },
	{ "modem.pdp-type", "ip", "must be one of: IP IPV6 IPV4V6" },
	{ "modem.apn-user", "a\\\"b", "no quote and no control byte can be "
	  "sent to a modem here" },
	{ "modem.apn-user", "a\\rAT", "no quote and no control byte can be "
	  "sent to a modem here" },
	{ "modem.apn-user", "0123456789012345678901234567890123456789012345678"
	  "9012345678901234", "longer than 64 bytes" },
	{ "modem.apn-password-file", "secret", "must be an absolute path" },
	{ "modem.apn-auth", "mschap", "must be one of: none pap chap" },
	{ "modem.allow-roaming", "maybe", "must be true or false" },
	{ "modem.operator", "2620", "must be the 5 or 6 digits of MCC and "
	  "MNC, or empty" },
	{ "modem.operator", "2620x", "must be the 5 or 6 digits of MCC and "
	  "MNC, or empty" },
	{ "modem.pin-file", "1234", "must be an absolute path" },
	{ "modem.wifi-ssid", "0123456789012345678901234567890123",
	  "longer than 32 bytes" },
	{ "modem.wifi-ssid", "a\\tb", "holds a control byte" },
	{ "modem.wifi-password-file", "x", "must be an absolute path" },
	{ "modem.dns-servers", "dns.example", "must be addresses, as in "
	  "{\"9.9.9.9\", \"2620:fe::fe\"}" },
	{ "modem.sntp", "1", "must be true or false" },
	{ "modem.sntp-servers", "a b", "must be names or addresses, as in "
	  "{\"pool.ntp.org\"}" },
	{ "modem.sntp-servers", "-a", "must be names or addresses, as in "
	  "{\"pool.ntp.org\"}" },
	{ "modem.sntp-servers", "0123456789012345678901234567890123456789012"
	  "3456789012345678901234", "longer than 64 bytes" },
	{ "modem.time-zone", "5", ZONE },
	{ "modem.time-zone", "+14:01", ZONE },
	{ "modem.time-zone", "-12:01", ZONE },
	{ "modem.time-zone", "+01:60", ZONE },
	{ "modem.time-zone", "+1:0x", ZONE },
	{ "ipc.socket", "run/x", "must be an absolute path" },
	{ "ipc.socket", "", "must be an absolute path" },
	{ "ipc.socket", "/0123456789012345678901234567890123456789012345678901"
	  "2345678901234567890123456789012345678901234567890123456789",
	  "longer than 107 bytes" },
	{ "ipc.socket-mode", "0888", "must be an octal mode as in 0660" },
	{ "ipc.socket-mode", "1777", "must be an octal mode as in 0660" },
	{ "ipc.socket-mode", "rw", "must be an octal mode as in 0660" },
	{ "ipc.socket-group", "a b", "not the name of a group" },
	{ "ipc.socket-group", "no-such-group",
	  "there is no such group on this machine: make it with groupadd "
	  "--system" },
	{ "ipc.max-clients", "0", "must be a number from 1 to 65536" },
	{ "ipc.max-clients-per-user", "-1",
	  "must be a number from 0 to 65536" },
	{ "ipc.hello-timeout", "5", "not a duration; write a number and ms, "
	  "s, min, h or d" },
	{ "ipc.hello-timeout", "0", "must be from 100ms to 60s" },
	{ "ipc.hello-timeout", "2min", "must be from 100ms to 60s" },
	{ "links.reserve-inbound", "11", "must be a number from 0 to 10" },
	{ "links.max-inbound", "11", "must be a number from 0 to 10" },
	{ "links.open-timeout", "2999ms", "must be from 3s to 120s" },
	{ "links.open-timeout", "121s", "must be from 3s to 120s" },
	{ "links.send-timeout", "1s", "must be from 3s to 120s" },
	{ "links.send-timeout", "1 s", "not a duration; write a number and "
	  "ms, s, min, h or d" },
	{ "links.send-timeout", "99999999999999999d", "not a duration; write "
	  "a number and ms, s, min, h or d" },
	{ "links.idle-timeout", "10ms", "must be from 1s to 30d, or 0 for "
	  "none" },
	{ "links.inbound-idle-timeout", "31d", "must be from 1s to 30d, or 0 "
	  "for none" },
	{ "links.window", "1K", "must be from 2K to 16384K" },
	{ "links.window", "17M", "must be from 2K to 16384K" },
	{ "links.window", "64k", "not a size; write a number of bytes, or "
	  "with K, M or G" },
	{ "links.credit", "much", "not a size; write a number of bytes, or "
	  "with K, M or G" },
	{ "recovery.backoff", "1s", "must be two durations as in 1s..60s" },
	{ "recovery.backoff", "1..2", "must be two durations as in 1s..60s" },
	{ "recovery.backoff", "2s..1s", "must rise, and be within 10ms..1h" },
	{ "recovery.backoff", "1ms..1s", "must rise, and be within 10ms..1h" },
	{ "recovery.backoff", "1s..2h", "must rise, and be within 10ms..1h" },
	{ "recovery.probe", "50ms", "must be from 100ms to 1d, or 0 for "
	  "never" },
	{ "recovery.max-silence", "0", "must be a number from 1 to 100" },
	{ "recovery.stop-timeout", "11min", "must be from 100ms to 600s, or 0 "
	  "for at once" },
	{ "recovery.reset-hook", "cycle", "must be an absolute path" },
	{ "history.database", "", "must be an absolute path" },
	{ "history.database", "h.db", "must be an absolute path" },
	{ "history.retention", "90", "not a duration; write a number and ms, "
	  "s, min, h or d" },
	{ "history.max-size", "1K", "must be from 256K to 1073741824K" },
	{ "state.file", "", "must be an absolute path" },
	{ "log.level", "chatty",
	  "must be one of: error warning info debug" },
	{ "log.target", "file",
	  "must be one of: auto stderr syslog journal" },
};

static void each_bad_value_with_its_line(void **state)
{
	char text[512], line[512], section[32];
	const char *dot;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad_values) / sizeof(bad_values[0]); i++) {
		dot = strchr(bad_values[i].name, '.');
		snprintf(section, sizeof(section), "%.*s",
			 (int)(dot - bad_values[i].name), bad_values[i].name);
		snprintf(text, sizeof(text), "# one\n%s {\n\n %s = \"%s\"\n}\n",
			 section, dot + 1, bad_values[i].value);
		snprintf(line, sizeof(line), "m.conf:4: %s: %s\n",
			 bad_values[i].name, bad_values[i].why);
		bad(text, line);
	}
}

static void all_mistakes_in_order(void **state)
{
	(void)state;
	bad("/* two\n"
	    "   lines */ modem { // and more\n"
	    "	bod = 9600\n"
	    "	baud = 5\n"
	    "	baud = 9600\n"
	    "	bod = 9601\n"
	    "	nested = { 1,\n"
	    "	  2 }\n"
	    "	apn = \"a#b\" # '\"\n"
	    "}\n"
	    "wlan main { ssid = \"x\" psk = 3 }\n"
	    "lnks { window = 1K }\n"
	    "links { window = 1K }\n"
	    "verbose = yes\n"
	    "modem|cid = 3\n"
	    "modem { baud = 19200 cid = 0 }\n",
	    "m.conf:3: modem.bod: unknown; did you mean baud?\n"
	    "m.conf:4: modem.baud: no known rate; 115200, 460800 and 921600 "
	    "are usual\n"
	    "m.conf:5: modem.baud: is set twice in this file\n"
	    "m.conf:6: modem.bod: unknown; did you mean baud?\n"
	    "m.conf:7: modem.nested: unknown; remove it, or see "
	    "modem.conf(5)\n"
	    "m.conf:9: modem.apn: only letters, digits, dot, hyphen and "
	    "underscore can be in an APN\n"
	    "m.conf:11: wlan: unknown section; remove it, or see "
	    "modem.conf(5)\n"
	    "m.conf:12: lnks: unknown section; did you mean links?\n"
	    "m.conf:13: links.window: must be from 2K to 16384K\n"
	    "m.conf:14: verbose: unknown; remove it, or see modem.conf(5)\n"
	    "m.conf:15: cid: write it as SECTION { KEY = VALUE }\n"
	    "m.conf:16: modem.baud: is set twice in this file\n"
	    "m.conf:16: modem.cid: must be a number from 1 to 16\n");
}

static void syntax(void **state)
{
	(void)state;
	bad("modem {\n baud 9600\n}\n",
	    "m.conf:2: modem: missing equal sign after option 'baud'; what "
	    "follows is not read\n");
	bad("modem {\n cid = 0\n baud = }\n",
	    "m.conf:2: modem.cid: must be a number from 1 to 16\n"
	    "m.conf:3: modem: unexpected token '}'; what follows is not "
	    "read\n");
	bad("\nmodem {\n baud = 9600\n",
	    "m.conf:2: a section begins here and nothing closes it\n");
	bad("modem { apn = \"x\n}\n",
	    "m.conf:1: a string begins here and never ends\n"
	    "m.conf:1: a section begins here and nothing closes it\n");
	bad("\n/* x\n", "m.conf:2: a comment begins here and never ends\n");
	bad("}\n", "m.conf:1: unexpected closing brace; what follows is not "
	    "read\n");
	bad("modem\n{ a { b { c = 1 } } }\n",
	    "m.conf:2: modem: missing equal sign after option 'a'; what "
	    "follows is not read\n"
	    "m.conf:2: modem.a: unknown; remove it, or see modem.conf(5)\n");
	bad("modem main { }\n",
	    "m.conf:1: missing opening brace for section 'modem'; what "
	    "follows is not read\n");
	good("modem { apn = 'x' } # no newline at the end {");
	good("modem { apn-user = \"# no /* comment\" }\n");
	assert_string_equal(c->modem.apn_user, "# no /* comment");
}

static void text_cannot_forge_a_report(void **state)
{
	(void)state;
	bad("modem { pdp-type = \"a\" \x1b[2J = \"\" }\n",
	    "m.conf:1: modem.pdp-type: must be one of: IP IPV6 IPV4V6\n"
	    "m.conf:1: modem.\\x1b[2J: unknown; remove it, or see "
	    "modem.conf(5)\n");
}

/* What only the drivers know; here there are two. */
static int check_option(const char *name, long value, char *why, size_t size)
{
	if (strcmp(name, "dns-retries") != 0 &&
	    strcmp(name, "error-mode") != 0) {
		snprintf(why, size, "%s: there is no such option", name);
		return -EINVAL;
	}
	if (value <= 7)
		return 0;
	snprintf(why, size, "%s: %ld is not in 0-7", name, value);

	return -EINVAL;
}

static int load_options(const char *text, const char *const *overrides)
{
	static const struct config_report with_drivers = {
		.line = tell,
		.option = check_option,
	};

	put("m.conf", text);
	told[0] = '\0';
	config_free(c);
	c = NULL;

	return config_load("gw1", "m.conf", overrides, &with_drivers, &c);
}

static void modem_options(void **state)
{
	static const char *const more[] = {
		"modem.options=dns-retries=1,error-mode=0", NULL
	};
	static const char *const wrong[] = {
		"modem.options=dns-retries=1,x", "modem.options=dns-retries=9",
		NULL
	};

	(void)state;
	assert_int_equal(load_options("modem { options = {\"dns-retries=2\", "
				      "\"error-mode=1\"} }", NULL), 0);
	assert_string_equal(c->modem.options, "dns-retries=2,error-mode=1");
	assert_int_equal(load_options("modem { options = \"dns-retries=3\" }",
				      NULL), 0);
	assert_string_equal(c->modem.options, "dns-retries=3");
	assert_int_equal(load_options("modem { options = {} }", NULL), 0);
	assert_string_equal(c->modem.options, "");
	/* a later list takes the place of the one before */
	assert_int_equal(load_options("modem { options = {\"dns-retries=2\", "
				      "\"error-mode=1\"} }", more), 0);
	assert_string_equal(c->modem.options, "dns-retries=1,error-mode=0");
	assert_int_equal(load_options("modem { options = {\"dns-retries=2\"} }",
				      wrong), -EINVAL);
	assert_string_equal(told,
		"-o modem.options: write NAME=NUMBER, as in \"dns-retries=2\"\n"
		"-o modem.options: dns-retries: 9 is not in 0-7\n");
	assert_int_equal(load_options("modem {\n options = {\"dns-retries=8\","
		"\n\"nope=1\", \"error-mode\",\n\"error-mode=1\", "
		"\"error-mode=2\",\n\"dns-retries=-1\", \"=1\", "
		"\"dns-retries=99999999999\"}\n baud = x\n}\n", NULL), -EINVAL);
	assert_string_equal(told,
		"m.conf:2: modem.options: dns-retries: 8 is not in 0-7\n"
		"m.conf:3: modem.options: nope: there is no such option\n"
		"m.conf:3: modem.options: write NAME=NUMBER, as in "
		"\"dns-retries=2\"\n"
		"m.conf:4: modem.options: error-mode: is set twice\n"
		"m.conf:5: modem.options: write NAME=NUMBER, as in "
		"\"dns-retries=2\"\n"
		"m.conf:5: modem.options: write NAME=NUMBER, as in "
		"\"dns-retries=2\"\n"
		"m.conf:5: modem.options: write NAME=NUMBER, as in "
		"\"dns-retries=2\"\n"
		"m.conf:6: modem.baud: no known rate; 115200, 460800 and "
		"921600 are usual\n");
}

static void servers_and_zones(void **state)
{
	static const struct {
		const char *text;
		int min;
	} zones[] = {
		{ "UTC", 0 }, { "+05:30", 330 }, { "-8", -480 },
		{ "-03:30", -210 }, { "+14:00", 840 }, { "-12:00", -720 },
		{ "+12:45", 765 },
	};
	char text[64];
	size_t i;

	(void)state;
	assert_int_equal(load_options("modem { dns-servers = {\"9.9.9.9\", "
		"\"2620:fe::fe\"} sntp = no\n sntp-servers = {pool.ntp.org, "
		"192.0.2.1} }", NULL), 0);
	assert_string_equal(c->modem.dns_servers, "9.9.9.9,2620:fe::fe");
	assert_string_equal(c->modem.sntp_servers, "pool.ntp.org,192.0.2.1");
	assert_false(c->modem.sntp);
	for (i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		snprintf(text, sizeof(text), "modem { time-zone = \"%s\" }",
			 zones[i].text);
		assert_int_equal(load_options(text, NULL), 0);
		assert_int_equal(c->modem.zone_min, zones[i].min);
	}
	assert_int_equal(load_options("modem {\n dns-servers = {\"9.9.9.9\", "
		"\"9.9.9.9\"}\n sntp-servers = {\"a\", \"b\", \"c\",\n"
		"\"d\"}\n}\n", NULL), -EINVAL);
	assert_string_equal(told,
		"m.conf:2: modem.dns-servers: 9.9.9.9: is named twice\n"
		"m.conf:4: modem.sntp-servers: d: a modem takes 3 at most\n");
}

static void later_files_override(void **state)
{
	static const char *const more[] = {
		"modem.cid=7", "links.window=3K", "links.window=4K", NULL
	};
	int err;

	(void)state;
	mkdir("m.conf.d", 0700);
	put("m.conf.d/20-b.conf", "modem { baud = 38400 cid = 3 }\n");
	put("m.conf.d/10-a.conf", "modem { baud = 19200 apn = second }\n");
	put("m.conf.d/ignored.txt", "nonsense\n");
	err = load("modem { baud = 9600 apn = first operator = 26201 }\n",
		   more);
	assert_string_equal(told, "");
	assert_int_equal(err, 0);
	assert_int_equal(c->modem.baud, 38400);
	assert_string_equal(c->modem.apn, "second");
	assert_string_equal(c->modem.operator, "26201");
	assert_int_equal(c->modem.cid, 7);
	assert_int_equal(c->links.window, 4096);

	put("m.conf.d/30-c.conf", "\nmodem { baud = 1 }\n");
	put("m.conf.d/40-d.conf", "x = 1\n");
	bad("\n\nlog { level = x }\n",
	    "m.conf:3: log.level: must be one of: error warning info debug\n"
	    "m.conf.d/30-c.conf:2: modem.baud: no known rate; 115200, 460800 "
	    "and 921600 are usual\n"
	    "m.conf.d/40-d.conf:1: x: unknown; remove it, or see "
	    "modem.conf(5)\n");
}

static void overrides(void **state)
{
	static const char *const wrong[] = {
		"modem.bod=1", "modm.baud=1", "modem.baud", "baud=1",
		"modem.baud=1", "access.role=user", "log.level=debug", NULL
	};

	(void)state;
	assert_int_equal(load("", wrong), -EINVAL);
	assert_string_equal(told,
		"-o modem.bod: unknown; did you mean baud?\n"
		"-o modm.baud: unknown; did you mean modem?\n"
		"-o modem.baud: write -o SECTION.KEY=VALUE\n"
		"-o baud: write -o SECTION.KEY=VALUE\n"
		"-o modem.baud: no known rate; 115200, 460800 and 921600 are "
		"usual\n"
		"-o access.role: unknown; did you mean role?\n");
}

static void what_belongs_together(void **state)
{
	static const char *const more[] = { "links.max-inbound=1", NULL };

	(void)state;
	bad("links {\n reserve-inbound = 5\n max-inbound = 4\n}\n",
	    "m.conf:2: links.reserve-inbound: more than links.max-inbound "
	    "(4)\n");
	assert_int_equal(load("", more), -EINVAL);
	assert_string_equal(told, "links.reserve-inbound: more than "
			    "links.max-inbound (1)\n");
	bad("history { database = /x }\nstate { file = /x }\n",
	    "m.conf:2: state.file: is history.database as well\n");
}

static void group_must_exist(void **state)
{
	static const char *const named[] = { "ipc.socket-group=x", NULL };

	(void)state;
	/* the default need not: the socket is then its owner's alone */
	no_groups = true;
	assert_int_equal(load("", NULL), 0);
	assert_int_equal(load("", named), -EINVAL);
	no_groups = false;
	assert_string_equal(told, "-o ipc.socket-group: there is no such "
			    "group on this machine: make it with groupadd "
			    "--system\n");
}

static void files_that_cannot_be_read(void **state)
{
	(void)state;
	assert_int_equal(config_load("m", "none.conf", NULL, &report, &c),
			 -EINVAL);
	assert_string_equal(told, "none.conf: No such file or directory\n");
	told[0] = '\0';
	assert_int_equal(config_load("m", "/dev/zero", NULL, &report, &c),
			 -EINVAL);
	assert_string_equal(told, "/dev/zero: not a file of at most 1M\n");
	told[0] = '\0';
	assert_int_equal(config_load("../x", NULL, NULL, &report, &c),
			 -EINVAL);
	assert_string_equal(told, "-n ../x: an instance's name has letters, "
			    "digits, dot, hyphen and underscore\n");
	told[0] = '\0';
	put("zero.conf", "modem { }");
	assert_int_equal(truncate("zero.conf", 20), 0);
	assert_int_equal(config_load("m", "zero.conf", NULL, &report, &c),
			 -EINVAL);
	assert_string_equal(told, "zero.conf: holds a zero byte\n");
	assert_null(c);
}

static int load_secret(const char *key, const char *file)
{
	char text[256];

	snprintf(text, sizeof(text), "modem {\n %s = \"%s/%s\"\n}\n", key,
		 folder, file);

	return load(text, NULL);
}

static void secrets(void **state)
{
	(void)state;
	put("a", "12345678\n");
	assert_int_equal(load_secret("pin-file", "a"), 0);
	assert_string_equal(c->modem.pin, "12345678");
	assert_string_equal(told, "");
	put("a", " two  words\r\n");
	assert_int_equal(load_secret("apn-password-file", "a"), 0);
	assert_string_equal(c->modem.apn_password, " two  words");
	put("a", "no newline");
	assert_int_equal(load_secret("wifi-password-file", "a"), 0);
	assert_string_equal(c->modem.wifi_password, "no newline");
	put("a", "a \"quote\"\\\n");
	assert_int_equal(load_secret("wifi-password-file", "a"), 0);
	assert_string_equal(c->modem.wifi_password, "a \"quote\"\\");
}

static void secret_mistakes(void **state)
{
	static const struct {
		const char *key, *text, *why;
	} cases[] = {
		{ "pin-file", "123\n", "a PIN has 4 to 8 digits" },
		{ "pin-file", "123456789\n", "a PIN has 4 to 8 digits" },
		{ "pin-file", "12a4\n", "a PIN has 4 to 8 digits" },
		{ "pin-file", "1234\n\n", "holds a control byte" },
		{ "pin-file", "\n", "is empty" },
		{ "pin-file", "", "is empty" },
		{ "apn-password-file", "a\"b\n", "holds a quote" },
		{ "wifi-password-file", "a\tb\n", "holds a control byte" },
		{ "wifi-password-file", "1234567\n",
		  "a Wi-Fi password has 8 to 63 characters, or 64 hex digits" },
	};
	char line[512], big[300];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put("s", cases[i].text);
		assert_int_equal(load_secret(cases[i].key, "s"), -EINVAL);
		snprintf(line, sizeof(line), "m.conf:2: modem.%s: %s/s: %s\n",
			 cases[i].key, folder, cases[i].why);
		assert_string_equal(told, line);
	}
	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	put("s", big);
	assert_int_equal(load_secret("wifi-password-file", "s"), -EINVAL);
	assert_non_null(strstr(told, "too long for a secret\n"));
	assert_null(strstr(told, "xxxx"));
	assert_int_equal(load_secret("pin-file", "none"), -EINVAL);
	assert_non_null(strstr(told, "/none: No such file or directory\n"));
	assert_int_equal(load_secret("pin-file", ""), -EINVAL);
	assert_non_null(strstr(told, "is not a regular file\n"));
}

static void secret_readable_by_all(void **state)
{
	char line[512];

	(void)state;
	put("s", "1234\n");
	chmod("s", 0644);
	assert_int_equal(load_secret("pin-file", "s"), 0);
	snprintf(line, sizeof(line), "warning: m.conf:2: modem.pin-file: %s/s "
		 "can be read by everybody; chmod o= %s/s\n", folder, folder);
	assert_string_equal(told, line);
	chmod("s", 0640);
	assert_int_equal(load_secret("pin-file", "s"), 0);
	assert_string_equal(told, "");
}

static void secret_forbidden(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	put("s", "1234\n");
	put("m.conf", "");
	chmod("m.conf", 0644);
	chmod(folder, 0777);
	pid = fork();
	if (pid == 0) {
		if (setuid(65534) < 0)
			_exit(9);
		unlink("m.conf");
		status = load_secret("pin-file", "s");
		_exit(status == -EINVAL && strstr(told, "Permission denied\n") ?
		      0 : 1);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static void accepted_with_a_warning(void **state)
{
	int err;

	(void)state;
	err = load("metrics { listen = \":9100\" }\n"
		   "access a { match = {\"user:x\", \"unit:y\"} role = admin\n"
		   "priority = bulk max-links = 2 reserve = 0\n"
		   "connect = {\"*.example.com:8883\", \"192.0.2.0/24:*\",\n"
		   "\"[2001:db8::]/32:1-2\"} listen = \"8080-8090\"\n"
		   "rate = 4K quota = \"50M/month\" }\n"
		   "access b { match = {\"group:x\", \"exe:/bin/y\"} }\n",
		   NULL);
	assert_string_equal(told,
		"warning: m.conf:2: access: access rules are not enforced by "
		"this version; the socket's mode and group decide\n"
		"warning: m.conf:1: metrics.listen: this version has no "
		"metrics; ignored\n");
	assert_int_equal(err, 0);
}

static void access_mistakes(void **state)
{
	(void)state;
	load("access t {\n"
	     "match = {\"user:a\",\n"
	     "\"a\", \"exe:bin\"}\n"
	     "role = root priority = high\n"
	     "max-links = 11 reserve = x\n"
	     "connect = {\"a.b\", \"a b:1\", \"a:0\", \"a:1-\"}\n"
	     "listen = {\"4294967297\", \"http\"}\n"
	     "rate = 4 quota = 50M\n"
	     "rle = user rate = 5\n"
	     "}\n", NULL);
	assert_string_equal(told,
		"warning: m.conf:2: access: access rules are not enforced by "
		"this version; the socket's mode and group decide\n"
		"m.conf:3: access t.match: must be user:NAME, group:NAME, "
		"unit:NAME or exe:/PATH\n"
		"m.conf:3: access t.match: must be user:NAME, group:NAME, "
		"unit:NAME or exe:/PATH\n"
		"m.conf:4: access t.role: must be user or admin\n"
		"m.conf:4: access t.priority: must be interactive, normal or "
		"bulk\n"
		"m.conf:5: access t.max-links: must be a number from 0 to 10\n"
		"m.conf:5: access t.reserve: must be a number from 0 to 10\n"
		"m.conf:6: access t.connect: must be HOST:PORT as in "
		"*.example.com:8883 or 192.0.2.0/24:*\n"
		"m.conf:6: access t.connect: must be HOST:PORT as in "
		"*.example.com:8883 or 192.0.2.0/24:*\n"
		"m.conf:6: access t.connect: must be HOST:PORT as in "
		"*.example.com:8883 or 192.0.2.0/24:*\n"
		"m.conf:6: access t.connect: must be HOST:PORT as in "
		"*.example.com:8883 or 192.0.2.0/24:*\n"
		"m.conf:7: access t.listen: must be a port, two as in "
		"8080-8090, or *\n"
		"m.conf:7: access t.listen: must be a port, two as in "
		"8080-8090, or *\n"
		"m.conf:8: access t.quota: must be a size per hour, day, week "
		"or month as in 50M/month\n"
		"m.conf:9: access t.rate: is set twice in this file\n"
		"m.conf:9: access.rle: unknown; did you mean role?\n");
	assert_null(c);
}

static void reload(void **state)
{
	struct config *fresh;

	(void)state;
	put("s", "1234\n");
	assert_int_equal(load_secret("pin-file", "s"), 0);
	fresh = c;
	c = NULL;
	good_but("modem { baud = 9600 apn = other }\n"
	     "ipc { socket = /tmp/x max-clients = 9 }\n"
	     "links { window = 4K } recovery { backoff = \"2s..3s\"\n"
	     "reset-hook = /bin/x } log { level = error target = syslog }\n",
	     "warning: m.conf:4: recovery.reset-hook: this version does not "
	     "power-cycle the modem; ignored\n");
	/* c is what runs; what was loaded first is what is read anew */
	told[0] = '\0';
	config_reload(c, fresh, &report);
	assert_string_equal(told,
#define KEEPS ": cannot change while modemd runs; keeps its value until the " \
	      "next start\n"
		"warning: modem.baud" KEEPS "warning: modem.apn" KEEPS
		"warning: ipc.socket" KEEPS "warning: log.target" KEEPS);
	config_free(fresh);
	assert_int_equal(c->modem.baud, 9600);
	assert_string_equal(c->modem.apn, "other");
	assert_string_equal(c->ipc.socket, "/tmp/x");
	assert_int_equal(c->ipc.max_clients, 1024);
	assert_int_equal(c->links.window, 65536);
	assert_int_equal(c->recovery.backoff_min_ms, 1000);
	assert_int_equal(c->recovery.backoff_max_ms, 60000);
	assert_string_equal(c->recovery.reset_hook, "");
	assert_int_equal(c->log_level, LOG_LEVEL_INFO);
	assert_int_equal(c->log_target, LOG_TARGET_SYSLOG);
	assert_string_equal(c->modem.pin, "1234");
}

/* The sample shows each setting with its default; both must stay true. */
static void sample_shows_the_defaults(void **state)
{
	char line[512], text[16384] = "";
	unsigned int shown = 0;
	FILE *f = fopen(SAMPLE, "r");
	size_t i;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (line[0] == '\t' && line[1] == '#' && line[2] != ' ') {
			shown++;
			line[1] = ' ';
		}
		strcat(text, line);
	}
	fclose(f);
	put("m.conf", text);
	assert_int_equal(config_load("modem", "m.conf", NULL, &report, &c),
			 0);
	assert_string_equal(told, "");
	check_defaults(c, "modem");
	assert_int_equal(shown, 51);

	/* the rule in the comments */
	for (i = 0; text[i]; i++) {
		if (strncmp(text + i, "\n# access", 9) == 0)
			break;
	}
	for (; text[i]; i++) {
		if (text[i] == '#' && text[i - 1] == '\n')
			text[i] = ' ';
	}
	assert_int_equal(load(text, NULL), 0);
	assert_int_equal(strncmp(told, "warning: ", 9), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		T(defaults), T(all_settings), T(each_bad_value_with_its_line),
		T(all_mistakes_in_order), T(syntax),
		T(text_cannot_forge_a_report), T(later_files_override),
		T(overrides), T(what_belongs_together),
		T(group_must_exist), T(files_that_cannot_be_read),
		T(secrets), T(secret_mistakes),
		T(secret_readable_by_all), T(secret_forbidden),
		T(accepted_with_a_warning), T(access_mistakes), T(modem_options), T(servers_and_zones),
		T(reload),
		T(sample_shows_the_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
