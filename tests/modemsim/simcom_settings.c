/* SPDX-License-Identifier: MIT */

/* What is only stored, and checked: A7600 manual 2.8 to 2.13, L1133. */

#include <string.h>

#include "simcom.h"

#define TIMEOUT_MIN	3000
#define TIMEOUT_MAX	120000

static const int ccfg_defaults[7] = { 10, 0, 0, 1, 0, 0, 500 };

/* Q39: they are there once, and gone for good when deleted. */
static void extra_contexts(struct profile *p)
{
	static const struct context ims = {
		.defined = true, .type = "IPV4V6", .apn = "ims",
	};

	if (p->had_extra)
		return;
	p->had_extra = true;
	p->ctx[2] = ims;
	p->ctx[3] = ims;
}

void simcom_defaults(struct modem *m)
{
	size_t i;

	simcom_dns_cancel();
	simcom_ping_cancel();
	m->set = (struct settings){
		.cmee = m->profile.has_cmee ? m->profile.cmee : 2,
		.head = 1, .srip = 1, .cgerep = 0,
		.timeout_ms = { TIMEOUT_MAX, TIMEOUT_MAX, TIMEOUT_MAX },
		.dns = { 3, 30000, 7 }, .uart = m->profile.uart,
		.s = { [3] = 13, [4] = 10, [5] = 8, [6] = 2, [8] = 2,
		       [10] = 15 },
		.icf = { 3, 3 }, .socket_cid = 1,
	};
	simcom_stored_defaults(m);
	for (i = 0; i < 7; i++)
		m->set.ccfg[i] = ccfg_defaults[i];
	m->set.err_mode = m->set.ccfg[3];
	if (quirk_on(m->opt.quirks, QUIRK_EXTRA_CONTEXTS))
		extra_contexts(&m->profile);
	if (quirk_on(m->opt.quirks, QUIRK_CGEV_FLOOD))
		m->set.cgerep = 2;
}

static void write_flag(struct modem *m, const struct args *a, int *v)
{
	if (a->count == 1 && args_int(a, 0, 0, 1, v))
		reply_ok(m);
	else
		reply_error(m);
}

static void set_flag(struct modem *m, int *v, int to)
{
	*v = to;
	reply_ok(m);
}

static void head_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CIPHEAD: %d", m->set.head);
}

static void head_write(struct modem *m, struct args *a)
{
	write_flag(m, a, &m->set.head);
}

static void head_exec(struct modem *m, struct args *a)
{
	(void)a;
	set_flag(m, &m->set.head, 1);
}

static void srip_read(struct modem *m, struct args *a)
{
	(void)a;
	reply_text_ok(m, "+CIPSRIP: %d", m->set.srip);
}

static void srip_write(struct modem *m, struct args *a)
{
	write_flag(m, a, &m->set.srip);
}

static void srip_exec(struct modem *m, struct args *a)
{
	(void)a;
	set_flag(m, &m->set.srip, 1);
}

static void mode_read(struct modem *m, struct args *a)
{
	(void)a;
	if (quirk_on(m->opt.quirks, QUIRK_MISPRINTS))
		reply_text_ok(m, "CIPMODE: %d", m->set.mode);
	else
		reply_text_ok(m, "+CIPMODE: %d", m->set.mode);
}

/* A host that has opened the network itself should know better. */
static void note_mode_change(struct modem *m, const struct args *a)
{
	int mode;

	if (net_opened_by_host(m) && args_int(a, 0, 0, 1, &mode) &&
	    mode != m->set.mode)
		record_violation(&m->record, VIOLATION_CIPMODE_WHILE_OPEN,
				 m->cmd.last, strlen(m->cmd.last));
}

static void mode_write(struct modem *m, struct args *a)
{
	int mode;

	note_mode_change(m, a);
	/* "You should set AT+CIPMODE=1 before AT+NETOPEN" */
	if (a->count == 1 && args_int(a, 0, 0, 1, &mode) &&
	    mode != m->set.mode && m->net.state != NET_STATE_CLOSED)
		reply_error(m);
	else
		write_flag(m, a, &m->set.mode);
}

static void mode_exec(struct modem *m, struct args *a)
{
	(void)a;
	if (m->set.mode != 0 && m->net.state != NET_STATE_CLOSED)
		reply_error(m);
	else
		set_flag(m, &m->set.mode, 0);
}

static void sendmode_read(struct modem *m, struct args *a)
{
	(void)a;
	if (quirk_on(m->opt.quirks, QUIRK_NO_CIPTIMEOUT))
		reply_error(m);
	else
		reply_text_ok(m, "+CIPSENDMODE: %d", m->set.send_mode);
}

static void sendmode_write(struct modem *m, struct args *a)
{
	int unused;

	if (quirk_on(m->opt.quirks, QUIRK_NO_CIPTIMEOUT))
		reply_error(m);
	else if (quirk_take(m->opt.quirks, QUIRK_SENDMODE_IGNORED))
		write_flag(m, a, &unused);
	else
		write_flag(m, a, &m->set.send_mode);
}

static void timeout_read(struct modem *m, struct args *a)
{
	const int *t = m->set.timeout_ms;

	(void)a;
	if (quirk_on(m->opt.quirks, QUIRK_NO_CIPTIMEOUT))
		reply_error(m);
	else
		reply_text_ok(m, "+CIPTIMEOUT: %d,%d,%d", t[0], t[1], t[2]);
}

/* Fields in ranges; all or none are taken. */
static bool write_fields(const struct args *a, int *to, size_t n,
			 const int *min, const int *max)
{
	int v[8];
	size_t i;

	if (a->count == 0 || a->count > n)
		return false;
	for (i = 0; i < n; i++) {
		v[i] = to[i];
		if (!args_opt_int(a, i, min[i], max[i], &v[i]))
			return false;
	}
	for (i = 0; i < n; i++)
		to[i] = v[i];
	return true;
}

static void timeout_write(struct modem *m, struct args *a)
{
	static const int min[] = { TIMEOUT_MIN, TIMEOUT_MIN, TIMEOUT_MIN };
	static const int max[] = { TIMEOUT_MAX, TIMEOUT_MAX, TIMEOUT_MAX };

	if (!quirk_on(m->opt.quirks, QUIRK_NO_CIPTIMEOUT) &&
	    write_fields(a, m->set.timeout_ms, 3, min, max))
		reply_ok(m);
	else
		reply_error(m);
}

static void ccfg_read(struct modem *m, struct args *a)
{
	const int *c = m->set.ccfg;

	(void)a;
	reply_text_ok(m, "+CIPCCFG: %d,%d,%d,%d,%d,%d,%d", c[0], c[1], c[2],
		      c[3], c[4], c[5], c[6]);
}

static bool write_dns(struct modem *m, const struct args *a)
{
	static const int min[] = { 0, TIMEOUT_MIN, 0 };
	static const int max[] = { 3, TIMEOUT_MAX, 7 };

	return write_fields(a, m->set.dns, 3, min, max);
}

/*
 * SIMCom ref L1133 prints the write form of CIPDNSSET with this name. They
 * can be told apart where <net_timeout> is given: <DelayTm> is never so large.
 */
static void ccfg_write(struct modem *m, struct args *a)
{
	static const int min[] = { 0, 0, 0, 0, 0, 0, 500 };
	static const int max[] = { 10, 1000, 0, 1, 1, 1, 120000 };

	if (quirk_on(m->opt.quirks, QUIRK_NO_CIPCCFG)) {
		reply_error(m);
	} else if (args_present(a, 1) && write_dns(m, a)) {
		reply_ok(m);
	} else if (quirk_take(m->opt.quirks, QUIRK_CIPCCFG_IGNORED)) {
		reply_ok(m);
	} else if (write_fields(a, m->set.ccfg, 7, min, max)) {
		m->set.err_mode = m->set.ccfg[3];
		reply_ok(m);
	} else {
		reply_error(m);
	}
}

static void ccfg_exec(struct modem *m, struct args *a)
{
	size_t i;

	(void)a;
	if (quirk_on(m->opt.quirks, QUIRK_NO_CIPCCFG)) {
		reply_error(m);
		return;
	}
	for (i = 0; i < 7; i++)
		m->set.ccfg[i] = ccfg_defaults[i];
	m->set.err_mode = m->set.ccfg[3];
	reply_ok(m);
}

static void dnsset_read(struct modem *m, struct args *a)
{
	const int *d = m->set.dns;

	(void)a;
	reply_text_ok(m, "+CIPDNSSET: %d,%d,%d", d[0], d[1], d[2]);
}

static void dnsset_write(struct modem *m, struct args *a)
{
	if (write_dns(m, a))
		reply_ok(m);
	else
		reply_error(m);
}

const struct command_row simcom_settings_rows[] = {
	{ "+CIPHEAD", COMMAND_TCP, "+CIPHEAD: (0-1)",
	  head_read, head_write, head_exec },
	{ "+CIPSRIP", COMMAND_TCP, "+CIPSRIP: (0-1)",
	  srip_read, srip_write, srip_exec },
	{ "+CIPMODE", COMMAND_TCP, "+CIPMODE: (0-1)",
	  mode_read, mode_write, mode_exec },
	{ "+CIPSENDMODE", COMMAND_TCP, "+CIPSENDMODE: (0-1)",
	  sendmode_read, sendmode_write, NULL },
	{ "+CIPTIMEOUT", COMMAND_TCP, NULL,
	  timeout_read, timeout_write, NULL },
	{ "+CIPCCFG", COMMAND_TCP,
	  "+CIPCCFG: (0-10),(0-1000),(0),(0-1),(0-1),(0-1),(500-120000)",
	  ccfg_read, ccfg_write, ccfg_exec },
	{ "+CIPDNSSET", COMMAND_TCP, "+CIPDNSSET: (0-3),(3000-120000),(0-7)",
	  dnsset_read, dnsset_write, NULL },
	{ .name = NULL }
};
