/* SPDX-License-Identifier: MIT */

/*
 * From power to network in plain words: what holds, what does not, since
 * when, and what is tried next. It only looks; life.c and network.c decide.
 */

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "at/channel.h"
#include "base/config.h"
#include "base/timer.h"
#include "modem/private.h"
#include "port/port.h"

#define WEAK_DBM	(-105)	/* TS 27.007 8.5; below it little gets through */

enum step {
	STEP_DEVICE,
	STEP_LINE,
	STEP_MODEM,
	STEP_SIM,
	STEP_REGISTRATION,
	STEP_CONTEXT,
	STEP_WIFI,
	STEP_NETWORK,
	STEP_SERVICE,
};

static const char *const names[STEPS_ALL] = {
	[STEP_DEVICE]		= "device",
	[STEP_LINE]		= "line",
	[STEP_MODEM]		= "modem",
	[STEP_SIM]		= "sim",
	[STEP_REGISTRATION]	= "registration",
	[STEP_CONTEXT]		= "context",
	[STEP_WIFI]		= "wifi",
	[STEP_NETWORK]		= "network",
	[STEP_SERVICE]		= "service",
};

static const char ok[] = "ok", failed[] = "failed", waiting[] = "waiting";

/* Which of them this modem has; one that is not known yet may be either. */
static bool has_step(const struct modem *m, enum step step)
{
	bool cellular = m->driver->caps & DRIVER_CAP_SIM;

	if (step == STEP_WIFI)
		return !cellular && (m->driver->caps & DRIVER_CAP_WIFI);

	return cellular || step < STEP_SIM || step > STEP_CONTEXT;
}

/* The step that decides now, and all before it hold. */
static enum step current(const struct modem *m)
{
	const struct driver_info *info = m->driver->info(m->d);

	switch (m->state) {
	case MODEM_STOPPED:
	case MODEM_NO_DEVICE:
	case MODEM_PORT_BUSY:
		return STEP_DEVICE;
	case MODEM_SILENT:
		return STEP_LINE;
	case MODEM_STARTING:
		return m->syncing || m->restarting ? STEP_LINE : STEP_MODEM;
	case MODEM_SIM:
		return has_step(m, STEP_SIM) ? STEP_SIM : STEP_WIFI;
	case MODEM_REGISTERING:
		if (!has_step(m, STEP_SIM))
			return STEP_WIFI;
		return info->context_bad ? STEP_CONTEXT : STEP_REGISTRATION;
	case MODEM_READY:
		break;
	}

	return network_usable(m) ? STEPS_ALL : STEP_NETWORK;
}

/* Of the step that decides: does it wait for something, or did it fail? */
static const char *how_it_is(const struct modem *m)
{
	switch (m->state) {
	case MODEM_STOPPED:
	case MODEM_NO_DEVICE:
	case MODEM_PORT_BUSY:
	case MODEM_SILENT:
		return failed;
	case MODEM_STARTING:
		return m->syncing || m->restarting || !m->reason[0] ? waiting :
		       failed;
	case MODEM_SIM:
	case MODEM_REGISTERING:
		return m->reason_waits || !m->reason[0] ? waiting : failed;
	case MODEM_READY:
		break;
	}

	return m->net_down || !m->network_reason[0] ? waiting : failed;
}

static const char *state_of(const struct modem *m, enum step step)
{
	const struct at_channel_stats *line = at_channel_get_stats(m->channel);
	enum step now = current(m);

	if (step == STEP_LINE && line->stalled && now >= STEP_LINE)
		return failed;
	/* Whether the modem takes the context is seen before it registers. */
	if (step == STEP_REGISTRATION && now == STEP_CONTEXT)
		return "unknown";
	if (step == STEP_SERVICE)
		return now == STEPS_ALL ? ok : "unknown";
	if (step == STEP_NETWORK && m->net_down)
		return waiting;		/* for an admin, whatever else is */
	if (step < now)
		return ok;

	return step == now ? how_it_is(m) : "unknown";
}

/* It is being asked again, and has not said anything else yet. */
static bool is_undecided(const struct modem *m)
{
	if (m->state == MODEM_REGISTERING)
		return !m->reason[0];

	return m->state == MODEM_READY && m->network != NETWORK_OPEN &&
	       !m->network_reason[0];
}

/* What held, or failed, does so until the next try has shown otherwise. */
static bool stays(const struct modem *m, enum step step, const char *state)
{
	const char *was = m->steps[step].state;

	if (!was)
		return false;
	if (strcmp(was, state) == 0)
		return true;

	return is_undecided(m) && step >= STEP_REGISTRATION &&
	       step <= STEP_NETWORK && strcmp(was, "unknown") != 0 &&
	       strcmp(state, ok) != 0;
}

/* After every change of what the steps are made of. */
void steps_note(struct modem *m)
{
	unsigned int i;

	for (i = 0; i < STEPS_ALL; i++) {
		const char *state = state_of(m, i);

		if (stays(m, i, state))
			continue;
		m->steps[i].state = state;
		m->steps[i].wall_ms = timers_wall_ms(m->timers);
		m->steps[i].mono_ms = timers_mono_ms(m->timers);
	}
}

/* ------------------------------------------------------------- its sentence */

__attribute__((format(printf, 2, 3)))
static void say(struct modem_step *out, const char *fmt, ...)
{
	size_t len = strlen(out->text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out->text + len, sizeof(out->text) - len, fmt, ap);
	va_end(ap);
}

static void say_device(const struct modem *m, struct modem_step *out)
{
	struct port *port = at_channel_port(m->channel);

	say(out, "%s is open", port_path(port)[0] ? port_path(port) :
	    m->cfg->modem.device);
}

static void say_line(const struct modem *m, struct modem_step *out)
{
	const struct at_channel_stats *st = at_channel_get_stats(m->channel);

	if (st->stalled) {
		say(out, "the modem takes no bytes (CTS low): check "
		    "flow-control and the cable");
		return;
	}
	say(out, "answers at %u baud", port_baud(at_channel_port(m->channel)));
	if (st->timeouts > 0)
		say(out, "; %llu command%s unanswered so far",
		    (unsigned long long)st->timeouts,
		    st->timeouts == 1 ? "" : "s");
}

static void say_modem(const struct driver_info *info, struct modem_step *out)
{
	if (!info->model[0])
		say(out, "identified");
	else
		say(out, "%s%s%s, firmware %s", info->manufacturer,
		    info->manufacturer[0] ? " " : "", info->model,
		    info->revision[0] ? info->revision : "unknown");
	if (info->radio[0])
		say(out, ", radio %s", info->radio);
}

static void say_signal(const struct driver_info *info, struct modem_step *out)
{
	if (info->signal_dbm == INT_MIN)
		say(out, ", signal unknown");
	else
		say(out, ", signal %d dBm%s", info->signal_dbm,
		    info->signal_dbm <= WEAK_DBM ? " (weak: check the antenna)"
		    : "");
	if (info->service[0])
		say(out, ", %s", info->service);
}

static void say_registration(const struct driver_info *info,
			     struct modem_step *out)
{
	say(out, "registered (%s)%s%s", info->registration,
	    info->operator_name[0] ? " in " : "", info->operator_name);
	say_signal(info, out);
	if (strcmp(info->attached, "no") == 0)
		say(out, ", not attached to the packet service");
}

static void say_context(const struct modem *m, struct modem_step *out)
{
	const struct driver_info *info = m->driver->info(m->d);

	say(out, "context %u: %s, apn \"%s\"", m->cfg->modem.cid,
	    m->cfg->modem.pdp_type, m->cfg->modem.apn);
	if (info->context[0])
		say(out, "; when NETOPEN failed it was %s", info->context);
}

static void say_wifi(const struct driver_info *info, struct modem_step *out)
{
	say(out, "joined %s", info->ssid[0] ? info->ssid : "an access point");
	if (info->mac[0])
		say(out, ", as %s", info->mac);
}

static void say_network(const struct modem *m, struct modem_step *out)
{
	const struct driver_info *info = m->driver->info(m->d);

	say(out, "open, address %s", info->address[0] ? info->address :
	    "unknown");
	if (info->address6[0])
		say(out, " and %s", info->address6);
}

static const char *ago(char *out, size_t size, int64_t ms)
{
	if (ms < 120000)
		snprintf(out, size, "%lld s", (long long)(ms / 1000));
	else if (ms < 7200000)
		snprintf(out, size, "%lld min", (long long)(ms / 60000));
	else
		snprintf(out, size, "%lld h", (long long)(ms / 3600000));

	return out;
}

static void say_service(struct modem *m, struct modem_step *out)
{
	struct modem_status st;
	char text[32];

	modem_get_status(m, &st);
	if (strcmp(out->state, ok) == 0)
		say(out, "%u of %u sockets in use, ", st.slots_used,
		    st.slots_total);
	if (m->losses == 0) {
		say(out, "the network was never lost");
		return;
	}
	say(out, "the network was lost %u time%s, %s%s ago (%s)", m->losses,
	    m->losses == 1 ? "" : "s", m->losses == 1 ? "" : "last ",
	    ago(text, sizeof(text), timers_mono_ms(m->timers) -
		m->loss_mono_ms), m->loss_text);
}

static void say_ok(struct modem *m, enum step step, struct modem_step *out)
{
	const struct driver_info *info = m->driver->info(m->d);

	switch (step) {
	case STEP_DEVICE:
		say_device(m, out);
		break;
	case STEP_LINE:
		say_line(m, out);
		break;
	case STEP_MODEM:
		say_modem(info, out);
		break;
	case STEP_SIM:
		say(out, "ready%s%s", info->iccid[0] ? ", ICCID " : "",
		    info->iccid);
		break;
	case STEP_REGISTRATION:
		say_registration(info, out);
		break;
	case STEP_CONTEXT:
		say_context(m, out);
		break;
	case STEP_WIFI:
		say_wifi(info, out);
		break;
	case STEP_NETWORK:
		say_network(m, out);
		break;
	case STEP_SERVICE:
		say_service(m, out);
		break;
	}
}

/* ----------------------------------------------------- what is not in order */

/* What is meant by a step that has not begun to say anything. */
static const char *const pending[STEPS_ALL] = {
	[STEP_DEVICE]		= "modemd has let go of the device",
	[STEP_LINE]		= "asking for an answer",
	[STEP_MODEM]		= "being identified",
	[STEP_SIM]		= "asking the SIM",
	[STEP_REGISTRATION]	= "asking for the registration",
	[STEP_CONTEXT]		= "being set",
	[STEP_WIFI]		= "joining the access point",
	[STEP_NETWORK]		= "being opened",
	[STEP_SERVICE]		= "",
};

static void say_trouble(struct modem *m, enum step step,
			struct modem_step *out)
{
	const struct driver_info *info = m->driver->info(m->d);
	const char *reason = step == STEP_NETWORK ? m->network_reason :
			     m->reason;

	if (step == STEP_LINE && at_channel_get_stats(m->channel)->stalled) {
		say_line(m, out);
		return;
	}
	say(out, "%s", reason[0] ? reason : pending[step]);
	if (step == STEP_REGISTRATION)
		say_signal(info, out);
	if (step == STEP_REGISTRATION && strcmp(info->radio, "off") == 0)
		say(out, "; the radio is off (CFUN)");
	if (step == STEP_NETWORK && m->net_down && m->network ==
	    NETWORK_CLOSED)
		say(out, "; modemctl network up opens it");
	if (step == STEP_NETWORK && !m->net_down && m->net_fails > 1)
		say(out, "; failed %u times in a row", m->net_fails);
	if (step == STEP_NETWORK && info->context[0] && !m->net_down)
		say(out, "; context %s", info->context);
}

static const char *next_of(const struct modem *m, enum step step)
{
	switch (step) {
	case STEP_DEVICE:
		return m->state == MODEM_PORT_BUSY ? "the port is opened "
		       "again" : "the device is looked for again";
	case STEP_LINE:
		return m->restarting ? "the modem is asked whether it is back" :
		       "the modem is asked again, at all rates";
	case STEP_MODEM:
		return "the modem is asked again who it is";
	case STEP_SIM:
		return "the SIM is asked again";
	case STEP_REGISTRATION:
		return "the registration is asked for again";
	case STEP_CONTEXT:
		return "the context is set again";
	case STEP_WIFI:
		return "the access point is joined again";
	case STEP_NETWORK:
		return network_ladder(m);
	case STEP_SERVICE:
		break;
	}

	return "";
}

static void fill(struct modem *m, enum step step, struct modem_step *out)
{
	struct modem_status st;

	*out = (struct modem_step){
		.name = names[step],
		.state = m->steps[step].state,
		.since_wall_ms = m->steps[step].wall_ms,
		.since_mono_ms = m->steps[step].mono_ms,
		.next = "",
	};
	if (strcmp(out->state, ok) == 0) {
		say_ok(m, step, out);
		return;
	}
	if (step == STEP_SERVICE && m->losses > 0)
		say_service(m, out);
	if (strcmp(out->state, "unknown") == 0)
		return;
	say_trouble(m, step, out);
	if (step != current(m))		/* what is tried is for another */
		return;
	modem_get_status(m, &st);
	out->will_try = st.will_try;
	out->next_try_ms = st.next_try_ms;
	if (out->will_try)
		out->next = next_of(m, step);
}

unsigned int modem_get_steps(struct modem *m, struct modem_step *out)
{
	unsigned int i, n = 0;

	steps_note(m);		/* a stalled line tells nobody */
	for (i = 0; i < STEPS_ALL; i++) {
		if (has_step(m, i))
			fill(m, i, &out[n++]);
	}

	return n;
}
