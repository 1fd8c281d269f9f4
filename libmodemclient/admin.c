/* SPDX-License-Identifier: MIT */

/* What admins decide: network up and down, restart. */

#include "link.h"

/* Only whether it was done matters. */
static int decide(struct modemclient *mc, Modemd__V1__Request *req,
		  const char *what, int timeout_ms)
{
	Modemd__V1__ServerMessage *message;
	int err = client_ask(mc, req, what, timeout_ms, &message);

	if (err == 0)
		modemd__v1__server_message__free_unpacked(message, NULL);

	return err;
}

int modemclient_network(struct modemclient *mc, bool up, int timeout_ms)
{
	Modemd__V1__Network network = MODEMD__V1__NETWORK__INIT;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;

	network.has_up = 1;
	network.up = up;
	req.kind_case = MODEMD__V1__REQUEST__KIND_NETWORK;
	req.network = &network;

	return decide(mc, &req, up ? "network up" : "network down",
		      timeout_ms);
}

int modemclient_reset(struct modemclient *mc, bool hard, int timeout_ms)
{
	Modemd__V1__Reset reset = MODEMD__V1__RESET__INIT;
	Modemd__V1__Request req = MODEMD__V1__REQUEST__INIT;

	reset.has_kind = 1;
	reset.kind = hard ? MODEMD__V1__RESET_KIND__HARD :
		     MODEMD__V1__RESET_KIND__SOFT;
	req.kind_case = MODEMD__V1__REQUEST__KIND_RESET;
	req.reset = &reset;

	return decide(mc, &req, hard ? "reset hard" : "reset soft",
		      timeout_ms);
}
