/* SPDX-License-Identifier: MIT */

/*
 * event - what modemd tells unasked, to the links and to the callback.
 *
 * Called by: client.   Calls: link, rows, client.
 */

#ifndef MODEMCLIENT_EVENT_H
#define MODEMCLIENT_EVENT_H

#include "client.h"

/* 0, or -EPROTO: modemd broke a promise and nothing can be trusted now. */
int event_handle(struct modemclient *mc, const Modemd__V1__Event *ev);

#endif
