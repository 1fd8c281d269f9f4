/* SPDX-License-Identifier: MIT */

#include <event2/buffer.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_port.h"
#include "fake_timer.h"
#include "fake_world.h"
#include "scripted_data.h"
#include "scripted_modem.h"

#define OVERRIDES	24
#define HEARD_MAX	4096

struct override {
	char prefix[64];
	const char *bytes;
	unsigned int times;	/* 0: always */
	bool set;
};

struct slot {
	bool open;
	char remote[300];
	int server;		/* that accepted it, -1: none */
	struct evbuffer *in;	/* from the peer, not yet read */
	struct evbuffer *sent;
	bool announced;
	bool udp;
};

struct script {
	struct fake_world *world;
	struct script_set set;
	struct override overrides[OVERRIDES];
	struct slot slots[SCRIPT_SLOTS];
	unsigned int servers[SCRIPT_SERVERS];	/* ports, 0: free */
	struct evbuffer *out;
	struct timer *timer;
	char line[1024];
	size_t len;
	size_t entry_left;	/* payload that is wanted */
	size_t swallow_left;	/* the same, prompted for by the test's words */
	size_t entry_len;
	bool entry_coded, entry_quoted;
	size_t longest;
	unsigned int entry_slot;
	const char *send_result;
	struct script_data *data;
	char *heard[HEARD_MAX];
	unsigned int heard_count;
};

/* ------------------------------------------------------------------ saying */

static void deliver(void *ctx)
{
	struct script *s = ctx;
	size_t len = evbuffer_get_length(s->out);
	uint8_t *bytes = malloc(len ? len : 1);

	evbuffer_remove(s->out, bytes, len);
	if (s->world->port)
		fake_port_feed(s->world->port, bytes, len);
	free(bytes);
}

static void say_bytes(struct script *s, const void *bytes, size_t len)
{
	evbuffer_add(s->out, bytes, len);
	if (!timer_pending(s->timer))
		timer_start(s->timer, s->set.latency_ms);
}

static void say(struct script *s, const char *text)
{
	say_bytes(s, text, strlen(text));
}

void script_say(struct script *s, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say(s, text);
}

/* ------------------------------------------------------------------- slots */

static void close_slot(struct slot *slot)
{
	slot->open = false;
	slot->announced = false;
	evbuffer_drain(slot->in, evbuffer_get_length(slot->in));
}

static void close_all(struct script *s)
{
	unsigned int i;

	for (i = 0; i < SCRIPT_SLOTS; i++)
		close_slot(&s->slots[i]);
	memset(s->servers, 0, sizeof(s->servers));
}

unsigned int script_connect_unheard(struct script *s, int slot,
				    unsigned int index, const char *peer)
{
	unsigned int n = slot < 0 ? 0 : (unsigned int)slot;
	struct slot *to;
	int port, len;

	while (slot < 0 && s->slots[n].open)
		n++;
	to = &s->slots[n];
	len = (int)strcspn(peer, ":");
	port = peer[len] ? atoi(peer + len + 1) : 0;
	close_slot(to);
	evbuffer_drain(to->sent, evbuffer_get_length(to->sent));
	to->open = true;
	to->server = (int)index;
	snprintf(to->remote, sizeof(to->remote), "\"%.*s\",%d", len, peer,
		 port);

	return n;
}

unsigned int script_connect(struct script *s, int slot, unsigned int index,
			    const char *peer)
{
	unsigned int n = script_connect_unheard(s, slot, index, peer);

	script_say(s, "\r\n+CLIENT: %u,%u,%s\r\n", n, index, peer);

	return n;
}

unsigned int script_listens(const struct script *s, unsigned int index)
{
	return s->servers[index];
}

void script_set_server(struct script *s, unsigned int index,
		       unsigned int port)
{
	s->servers[index] = port;
}

void script_peer_sends_unheard(struct script *s, unsigned int slot,
			       const void *data, size_t len)
{
	evbuffer_add(s->slots[slot].in, data, len);
	s->slots[slot].announced = true;
}

/* A7600 manual 2.9, 2.13. */
static void push(struct script *s, unsigned int slot, const void *data,
		 size_t len)
{
	if (s->set.header_type)
		script_say(s, "\r\nRECV FROM:192.0.2.7:53\r\n"
			   "+RECEIVE,%u,%zu\r\n", slot, len);
	else
		script_say(s, "\r\nRECV FROM:192.0.2.7:53\r\n+IPD%zu\r\n",
			   len);
	say_bytes(s, data, len);
}

void script_peer_sends(struct script *s, unsigned int slot, const void *data,
		       size_t len)
{
	bool announced = s->slots[slot].announced;

	if (!s->set.pull) {
		push(s, slot, data, len);
		return;
	}
	script_peer_sends_unheard(s, slot, data, len);
	if (!announced)
		script_say(s, "\r\n+CIPRXGET: 1,%u\r\n", slot);
}

void script_peer_closes(struct script *s, unsigned int slot)
{
	s->slots[slot].open = false;	/* what it holds can still be read */
	script_say(s, "\r\n+IPCLOSE: %u,1\r\n", slot);
}

void script_close_slot(struct script *s, unsigned int slot)
{
	close_slot(&s->slots[slot]);
}

/* ---------------------------------------------------------------- commands */

static void open_slot(struct script *s, unsigned int n, const char *host,
		      unsigned int port)
{
	close_slot(&s->slots[n]);
	evbuffer_drain(s->slots[n].sent,
		       evbuffer_get_length(s->slots[n].sent));
	s->slots[n].open = true;
	s->slots[n].udp = false;
	s->slots[n].server = -1;
	snprintf(s->slots[n].remote, sizeof(s->slots[n].remote), "\"%s\",%u",
		 host, port);
}

static void connect_stream(struct script *s)
{
	say(s, "\r\nCONNECT 115200\r\n");
	script_data_enter(s->data);
}

static void open_stream(struct script *s, const char *host, unsigned int port)
{
	close_slot(&s->slots[0]);
	s->slots[0].open = true;
	snprintf(s->slots[0].remote, sizeof(s->slots[0].remote), "\"%s\",%u",
		 host, port);
	connect_stream(s);
}

static void on_left_data(void *ctx)
{
	script_say(ctx, "\r\nOK\r\n");
}

static void on_ato(struct script *s, const char *args)
{
	(void)args;
	if (s->set.mode == 1 && s->slots[0].open)
		connect_stream(s);
	else
		say(s, "\r\nNO CARRIER\r\n\r\nERROR\r\n");
}

static void on_cipmode(struct script *s, const char *args)
{
	if (args[0] == '?')
		script_say(s, "\r\n+CIPMODE: %u\r\n", s->set.mode);
	else if (s->set.net_open && s->set.mode != (args[1] == '1'))
		return say(s, "\r\nERROR\r\n");
	else
		s->set.mode = args[1] == '1';
	say(s, "\r\nOK\r\n");
}

static void on_cipopen(struct script *s, const char *args)
{
	unsigned int n, port;
	char host[256];

	if (strcmp(args, "?") == 0) {
		for (n = 0; n < SCRIPT_SLOTS; n++) {
			script_say(s, "\r\n+CIPOPEN: %u", n);
			if (s->slots[n].open)
				script_say(s, ",\"TCP\",%s,%d",
					   s->slots[n].remote,
					   s->slots[n].server);
		}
		say(s, "\r\n\r\nOK\r\n");
		return;
	}
	if (sscanf(args, "=%u,\"UDP\",,,%u", &n, &port) == 2 &&
	    n < SCRIPT_SLOTS && port > 0 && s->set.net_open &&
	    !s->slots[n].open) {
		open_slot(s, n, "0.0.0.0", 0);
		s->slots[n].udp = true;
		script_say(s, "\r\n+CIPOPEN: %u,0\r\n\r\nOK\r\n", n);
		return;
	}
	if (s->set.mode == 1 && (sscanf(args, "=0,\"%*3[A-Z]\",\"%255[^\"]\""
	    ",%u", host, &port)) == 2) {
		open_stream(s, host, port);
		return;
	}
	if (sscanf(args, "=%u,\"TCP\",\"%255[^\"]\",%u", &n, host,
		   &port) != 3 ||
	    n >= SCRIPT_SLOTS) {
		say(s, "\r\nERROR\r\n");
		return;
	}
	if (!s->set.net_open || s->slots[n].open) {
		script_say(s, "\r\n+CIPOPEN: %u,%u\r\n\r\nERROR\r\n", n,
			   s->set.net_open ? 4U : 2U);
		return;
	}
	open_slot(s, n, host, port);
	script_say(s, "\r\nOK\r\n\r\n+CIPOPEN: %u,0\r\n", n);
}

static void on_cipclose(struct script *s, const char *args)
{
	unsigned int n = (unsigned int)atoi(args + 1);

	if (s->set.mode == 1 && s->slots[0].open) {
		close_slot(&s->slots[0]);
		say(s, "\r\nOK\r\n\r\nCLOSED\r\n\r\n+CIPCLOSE: 0,0\r\n");
		return;
	}
	if (n < SCRIPT_SLOTS && s->slots[n].open) {
		close_slot(&s->slots[n]);
		script_say(s, "\r\nOK\r\n\r\n+CIPCLOSE: %u,0\r\n", n);
		return;
	}
	if (n < SCRIPT_SLOTS)
		close_slot(&s->slots[n]);
	script_say(s, "\r\n+CIPCLOSE: %u,4\r\n\r\nERROR\r\n", n);
}

/* A7600 manual 2.14, 2.15 and 4 */
static void on_serverstart(struct script *s, const char *args)
{
	unsigned int port, n, backlog, i, err = 0;

	if (strcmp(args, "?") == 0) {
		for (i = 0; i < SCRIPT_SERVERS; i++) {
			if (s->servers[i])
				script_say(s, "\r\n+SERVERSTART: %u,%u", i,
					   s->servers[i]);
		}
		say(s, "\r\n\r\nOK\r\n");
		return;
	}
	/* Transparent: no backlog, A7600 manual 6.4.1. */
	if (s->set.mode == 1 && s->set.net_open &&
	    sscanf(args, "=%u,%u,%u", &port, &n, &backlog) == 2 &&
	    n < SCRIPT_SERVERS && !s->servers[n]) {
		s->servers[n] = port;
		say(s, "\r\nOK\r\n");
		return;
	}
	if (sscanf(args, "=%u,%u,%u", &port, &n, &backlog) != 3 ||
	    n >= SCRIPT_SERVERS || backlog < 1 || backlog > 3)
		err = 3;
	else if (!s->set.net_open)
		err = 2;
	else if (s->servers[n])
		err = 7;
	for (i = 0; i < SCRIPT_SERVERS && !err; i++)
		err = s->servers[i] == port ? 6 : 0;
	if (err) {
		script_say(s, "\r\n+CIPERROR: %u\r\n\r\nERROR\r\n", err);
		return;
	}
	s->servers[n] = port;
	say(s, "\r\nOK\r\n");
}

static void on_serverstop(struct script *s, const char *args)
{
	unsigned int n = (unsigned int)atoi(args + 1), i, err = 0;

	if (n >= SCRIPT_SERVERS)
		err = 3;
	else if (!s->servers[n])
		err = 4;
	for (i = 0; i < SCRIPT_SLOTS && !err; i++) {
		if (s->slots[i].open && s->slots[i].server == (int)n)
			err = 9;
	}
	if (err) {
		script_say(s, "\r\n+SERVERSTOP: %u,%u\r\n\r\nERROR\r\n", n,
			   err);
		return;
	}
	s->servers[n] = 0;
	script_say(s, "\r\nOK\r\n\r\n+SERVERSTOP: %u,0\r\n", n);
}

static void on_cipsend(struct script *s, const char *args)
{
	unsigned int n, len;
	const char *comma = strchr(args, ',');

	n = (unsigned int)atoi(args + 1);
	s->entry_coded = !comma || comma[1] == '\0' || comma[1] == ',';
	len = 1;
	if ((!s->entry_coded && sscanf(args, "=%u,%u", &n, &len) != 2) ||
	    n >= SCRIPT_SLOTS || !s->slots[n].open ||
	    s->slots[n].udp != (strchr(args, '"') != NULL)) {
		say(s, "\r\n+CIPERROR: 4\r\n\r\nERROR\r\n");
		return;
	}
	if (len > 1500 || (s->set.send_max && len > s->set.send_max)) {
		say(s, "\r\n+CIPERROR: 3\r\n\r\nERROR\r\n");
		return;
	}
	s->entry_slot = n;
	s->entry_left = len;
	s->entry_len = s->entry_coded ? 0 : len;
	s->entry_quoted = false;
	if (len > s->longest)
		s->longest = len;
	say(s, "\r\n>");
}

static void end_entry(struct script *s)
{
	say(s, "\r\nOK\r\n");
	if (!s->send_result)
		script_say(s, "\r\n+CIPSEND: %u,%zu,%zu\r\n", s->entry_slot,
			   s->entry_len, s->entry_len);
	else
		say(s, s->send_result);
}

/* What is buffered goes out: A7600 manual 2.5, note 3. */
static void set_mode(struct script *s, unsigned int mode)
{
	uint8_t bytes[1500];
	unsigned int n;
	int len;

	s->set.pull = mode == 1;
	say(s, mode <= 1 ? "\r\nOK\r\n" : "\r\nERROR\r\n");
	for (n = 0; mode == 0 && n < SCRIPT_SLOTS; n++) {
		while ((len = evbuffer_remove(s->slots[n].in, bytes,
					      sizeof(bytes))) > 0)
			push(s, n, bytes, (size_t)len);
	}
}

static void on_cipccfg(struct script *s, const char *args)
{
	if (strcmp(args, "?") == 0)
		script_say(s, "\r\n+CIPCCFG: 10,0,0,1,%d,0,500\r\n",
			   s->set.header_type);
	else
		s->set.header_type = strcmp(args, "=,,,,1") == 0;
	say(s, "\r\nOK\r\n");
}

static void on_ciprxget(struct script *s, const char *args)
{
	unsigned int mode = 0, n = 0, max = 1500;
	struct slot *slot;
	uint8_t bytes[1500];
	int len;

	if (strcmp(args, "?") == 0) {
		script_say(s, "\r\n+CIPRXGET: %d\r\n\r\nOK\r\n", s->set.pull);
		return;
	}
	if (sscanf(args, "=%u,%u,%u", &mode, &n, &max) < 2) {
		set_mode(s, mode);
		return;
	}
	if (!s->set.pull || n >= SCRIPT_SLOTS || mode < 2 || mode > 3) {
		say(s, "\r\n+IP ERROR: Operation not supported\r\n\r\n"
		    "ERROR\r\n");
		return;
	}
	slot = &s->slots[n];
	if (evbuffer_get_length(slot->in) == 0) {
		slot->announced = false;
		say(s, "\r\n+IP ERROR: No data\r\n\r\nERROR\r\n");
		return;
	}
	len = evbuffer_remove(slot->in, bytes, max < 1500 ? max : 1500);
	script_say(s, "\r\n+CIPRXGET: %u,%u,%d,%zu\r\n", mode, n, len,
		   evbuffer_get_length(slot->in));
	for (int i = 0; mode == 3 && i < len; i++)
		script_say(s, "%02X", bytes[i]);
	if (mode == 2)
		say_bytes(s, bytes, (size_t)len);
	say(s, "\r\n\r\nOK\r\n");
	if (evbuffer_get_length(slot->in) == 0)
		slot->announced = false;
}

static void on_cpin(struct script *s, const char *args)
{
	char pin[16];

	if (args[0] == '?') {
		script_say(s, "\r\n+CPIN: %s\r\n\r\nOK\r\n", s->set.sim);
		return;
	}
	s->set.pin_tries++;
	if (sscanf(args, "=\"%15[^\"]\"", pin) == 1 &&
	    strcmp(pin, s->set.pin) == 0) {
		s->set.sim = "READY";
		say(s, "\r\nOK\r\n");
		return;
	}
	if (s->set.pin_tries >= 3)
		s->set.sim = "SIM PUK";
	say(s, "\r\n+CME ERROR: incorrect password\r\n");
}

static void on_netopen(struct script *s, const char *args)
{
	if (args[0] == '?') {
		script_say(s, "\r\n+NETOPEN: %d\r\n\r\nOK\r\n",
			   s->set.net_open);
	} else if (s->set.net_open) {
		say(s, "\r\n+IP ERROR: Network is already opened\r\n\r\n"
		    "ERROR\r\n");
	} else {
		s->set.net_open = true;
		say(s, "\r\nOK\r\n\r\n+NETOPEN: 0\r\n");
	}
}

static void on_netclose(struct script *s, const char *args)
{
	(void)args;
	if (s->set.mode == 1 && s->slots[0].open)
		say(s, "\r\nOK\r\n\r\nCLOSED\r\n\r\n+CIPCLOSE: 0,0\r\n"
		    "\r\n+NETCLOSE: 0\r\n");
	else
		say(s, s->set.net_open ? "\r\nOK\r\n\r\n+NETCLOSE: 0\r\n" :
	    "\r\n+NETCLOSE: 2\r\n\r\nERROR\r\n");
	close_all(s);
	s->set.net_open = false;
}

static void on_ipaddr(struct script *s, const char *args)
{
	(void)args;
	say(s, s->set.net_open ? "\r\n+IPADDR: 10.148.0.17\r\n\r\nOK\r\n" :
	    "\r\n+IP ERROR: Network not opened\r\n\r\nERROR\r\n");
}

static void on_cereg(struct script *s, const char *args)
{
	if (args[0] == '?')
		script_say(s, "\r\n+CEREG: 1,%u\r\n", s->set.reg);
	say(s, "\r\nOK\r\n");
}

static void on_ate0(struct script *s, const char *args)
{
	(void)args;
	s->set.echo = false;
	say(s, "\r\nOK\r\n");
}

static const struct {
	const char *prefix;
	void (*fn)(struct script *s, const char *args);
	const char *bytes;
} commands[] = {
	{ "ATE0",		on_ate0, NULL },
	{ "ATO",		on_ato, NULL },
	{ "AT+CIPMODE",		on_cipmode, NULL },
	{ "AT+CIPOPEN",		on_cipopen, NULL },
	{ "AT+CIPCLOSE",	on_cipclose, NULL },
	{ "AT+CIPSENDMODE",	NULL, "\r\nOK\r\n" },
	{ "AT+CIPSEND",		on_cipsend, NULL },
	{ "AT+CIPRXGET",	on_ciprxget, NULL },
	{ "AT+SERVERSTART",	on_serverstart, NULL },
	{ "AT+SERVERSTOP",	on_serverstop, NULL },
	{ "AT+CIPCCFG",		on_cipccfg, NULL },
	{ "AT+CPIN",		on_cpin, NULL },
	{ "AT+NETOPEN",		on_netopen, NULL },
	{ "AT+NETCLOSE",	on_netclose, NULL },
	{ "AT+IPADDR",		on_ipaddr, NULL },
	{ "AT+CEREG",		on_cereg, NULL },
	{ "AT+CREG?",		NULL, "\r\n+CREG: 1,0\r\n\r\nOK\r\n" },
	{ "AT+CGREG?",		NULL, "\r\n+CGREG: 1,0\r\n\r\nOK\r\n" },
	{ "AT+CGMI",		NULL, "\r\nSIMCOM INCORPORATED\r\n\r\nOK\r\n" },
	{ "AT+CGMM",		NULL, "\r\nA7670E-FASE\r\n\r\nOK\r\n" },
	{ "AT+CGMR",		NULL, "\r\n+CGMR: A011B07A7670M7\r\n"
				      "\r\nOK\r\n" },
	{ "AT+CGSN",		NULL, "\r\n861234567890123\r\n\r\nOK\r\n" },
	{ "AT+CICCID",		NULL, "\r\n+ICCID: 8949000012345678901\r\n"
				      "\r\nOK\r\n" },
	{ "AT+CSQ",		NULL, "\r\n+CSQ: 25,99\r\n\r\nOK\r\n" },
	{ "AT+COPS?",		NULL, "\r\n+COPS: 0,0,\"Tele, 2\",7\r\n"
				      "\r\nOK\r\n" },
	{ "AT+CDNSGIP",		NULL, "\r\n+CDNSGIP: 1,\"x\","
				      "\"93.184.216.34\"\r\n"
				      "\r\nOK\r\n" },
	{ "AT",			NULL, "\r\nOK\r\n" },
};

static struct override *find_override(struct script *s, const char *line)
{
	unsigned int i;

	for (i = OVERRIDES; i-- > 0;) {
		if (s->overrides[i].set && strncmp(line,
		    s->overrides[i].prefix,
		    strlen(s->overrides[i].prefix)) == 0)
			return &s->overrides[i];
	}

	return NULL;
}

static void answer(struct script *s, const char *line)
{
	struct override *o = find_override(s, line);
	size_t i, n;

	if (o && o->times > 0 && --o->times == 0)
		o->set = false;
	if (o && strchr(o->bytes, '>') && sscanf(line, "AT+CIPSEND=%*u,%zu",
						 &n) == 1)
		s->swallow_left = n;
	if (o && strcmp(o->bytes, "*") != 0) {
		say(s, o->bytes);
		return;
	}
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		n = strlen(commands[i].prefix);
		if (strncmp(line, commands[i].prefix, n) != 0)
			continue;
		if (commands[i].fn)
			commands[i].fn(s, line + n);
		else
			say(s, commands[i].bytes);
		return;
	}
	say(s, "\r\nERROR\r\n");
}

static void on_line(struct script *s)
{
	char *line = s->line;

	s->line[s->len] = '\0';
	s->len = 0;
	line += strspn(line, "\x1b");
	if (!*line)
		return;
	if (s->heard_count < HEARD_MAX)
		s->heard[s->heard_count++] = strdup(line);
	if (s->set.echo)
		script_say(s, "%s\r\r\n", line);
	answer(s, line);
}

static bool hears(const struct script *s, const struct port *p)
{
	return !s->set.mute &&
	       (s->set.baud == 0 || s->set.baud == port_baud(p));
}

/* A7600 manual 2.4 */
static void take_coded(struct script *s, uint8_t byte)
{
	bool quoted = s->entry_quoted;

	s->entry_quoted = !quoted && byte == 0x03;
	if (s->entry_quoted)
		return;
	if (!quoted && (byte == 0x1a || byte == 0x1b)) {
		s->entry_left = 0;
		if (byte == 0x1a)
			end_entry(s);
		else
			say(s, "\r\nERROR\r\n");
		return;
	}
	evbuffer_add(s->slots[s->entry_slot].sent, &byte, 1);
	s->entry_len++;
}

static void take_byte(struct script *s, uint8_t byte)
{
	if (s->entry_coded) {
		take_coded(s, byte);
		return;
	}
	evbuffer_add(s->slots[s->entry_slot].sent, &byte, 1);
	if (--s->entry_left == 0)
		end_entry(s);
}

static void on_written(void *ctx, struct port *p, const uint8_t *data,
		       size_t len)
{
	struct script *s = ctx;

	if (script_data_on(s->data) && hears(s, p)) {
		script_data_input(s->data, data, len);
		return;
	}
	for (; len > 0 && hears(s, p); len--, data++) {
		if (s->swallow_left > 0) {
			s->swallow_left--;
		} else if (s->entry_left > 0) {
			take_byte(s, *data);
		} else if (*data == '\r') {
			on_line(s);
		} else if (s->len < sizeof(s->line) - 1 &&
			   (s->len > 0 || (*data != '+' && *data != '\n'))) {
			s->line[s->len++] = (char)*data;
		}
	}
}

/* ---------------------------------------------------------------- its life */

/* As after AT&D1. */
static void on_dtr(void *ctx, struct port *p, bool on)
{
	struct script *s = ctx;

	(void)p;
	s->set.dtr_off = !on;
	if (on || !script_data_on(s->data))
		return;
	script_data_leave(s->data);
	say(s, "\r\nOK\r\n");
}

static const struct fake_port_hooks hooks = { .written = on_written,
					      .dtr = on_dtr };

struct script *script_new(struct fake_world *w)
{
	struct script *s = calloc(1, sizeof(*s));
	unsigned int i;

	s->world = w;
	s->out = evbuffer_new();
	s->timer = timer_new(w->timers, deliver, s);
	s->data = script_data_new(w->timers, on_left_data, s);
	for (i = 0; i < SCRIPT_SLOTS; i++) {
		s->slots[i].server = -1;
		s->slots[i].in = evbuffer_new();
		s->slots[i].sent = evbuffer_new();
	}
	s->set = (struct script_set){
		.latency_ms = 5, .sim = "READY", .pin = "1234", .reg = 1,
		.echo = true,
	};
	w->port_hooks = &hooks;
	w->port_ctx = s;

	return s;
}

void script_forget_heard(struct script *s)
{
	while (s->heard_count > 0)
		free(s->heard[--s->heard_count]);
}

void script_free(struct script *s)
{
	unsigned int i;

	for (i = 0; i < SCRIPT_SLOTS; i++) {
		evbuffer_free(s->slots[i].in);
		evbuffer_free(s->slots[i].sent);
	}
	script_forget_heard(s);
	script_data_free(s->data);
	timer_free(s->timer);
	evbuffer_free(s->out);
	free(s);
}

void script_answer(struct script *s, const char *prefix, const char *bytes,
		   unsigned int times)
{
	unsigned int i;

	/* one that says the same prefix is replaced */
	for (i = 0; i < OVERRIDES; i++) {
		if (s->overrides[i].set &&
		    strcmp(s->overrides[i].prefix, prefix) == 0)
			break;
	}
	if (i == OVERRIDES) {
		for (i = 0; i < OVERRIDES && s->overrides[i].set; i++)
			;
	}
	if (i == OVERRIDES)
		abort();
	snprintf(s->overrides[i].prefix, sizeof(s->overrides[i].prefix), "%s",
		 prefix);
	s->overrides[i].bytes = bytes;
	s->overrides[i].times = times;
	s->overrides[i].set = strcmp(bytes, "*") != 0;
}

void script_send_result(struct script *s, const char *bytes)
{
	s->send_result = bytes;
}

struct evbuffer *script_sent(struct script *s, unsigned int slot)
{
	return s->slots[slot].sent;
}

bool script_slot_open(const struct script *s, unsigned int slot)
{
	return s->slots[slot].open;
}

unsigned int script_open_slots(const struct script *s)
{
	unsigned int i, n = 0;

	for (i = 0; i < SCRIPT_SLOTS; i++)
		n += s->slots[i].open;

	return n;
}

size_t script_unread(const struct script *s, unsigned int slot)
{
	return evbuffer_get_length(s->slots[slot].in);
}

unsigned int script_heard(const struct script *s, const char *prefix)
{
	unsigned int i, n = 0;

	for (i = 0; i < s->heard_count; i++)
		n += strncmp(s->heard[i], prefix, strlen(prefix)) == 0;

	return n;
}

const char *script_command(const struct script *s, unsigned int n)
{
	return n < s->heard_count ? s->heard[n] : NULL;
}

size_t script_longest_send(const struct script *s)
{
	return s->longest;
}

void script_reboot(struct script *s, const char *banner)
{
	close_all(s);
	s->set.net_open = false;
	s->set.echo = true;
	s->set.mode = 0;
	script_data_leave(s->data);
	s->entry_left = 0;
	s->swallow_left = 0;
	s->len = 0;
	evbuffer_drain(s->out, evbuffer_get_length(s->out));
	say(s, banner);
}

struct script_data *script_data(struct script *s)
{
	return s->data;
}

void script_accept(struct script *s)
{
	s->slots[0].open = true;
	snprintf(s->slots[0].remote, sizeof(s->slots[0].remote),
		 "\"192.0.2.9\",40000");
	say(s, "\r\n+CLIENT: 0,0,192.0.2.9:40000\r\n");
	connect_stream(s);
}

void script_stream(struct script *s, const void *data, size_t len)
{
	say_bytes(s, data, len);
}

void script_stream_ends(struct script *s, const char *words)
{
	close_slot(&s->slots[0]);
	script_data_leave(s->data);
	say(s, words);
}

struct script_set *script_set(struct script *s)
{
	return &s->set;
}
