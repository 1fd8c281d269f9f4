/* SPDX-License-Identifier: MIT */

/*
 * rows - messages of modemd as the structs of the public header.
 *
 * Pure: the results borrow their text from the messages.
 *
 * Called by: query, event.   Calls: nothing.
 */

#ifndef MODEMCLIENT_ROWS_H
#define MODEMCLIENT_ROWS_H

#include "modemclient.h"
#include "wire.h"

/* "" for NULL. */
const char *rows_text(const char *text);

void rows_link(struct modemclient_link_info *to,
	       const Modemd__V1__LinkInfo *from);
/* All but the list of prefixes. */
void rows_listener(struct modemclient_listener_info *to,
		   const Modemd__V1__ListenerInfo *from);
void rows_client(struct modemclient_client_info *to,
		 const Modemd__V1__ClientInfo *from);
void rows_session(struct modemclient_session *to,
		  const Modemd__V1__SessionRow *from);
void rows_event(struct modemclient_history_event *to,
		const Modemd__V1__EventRow *from);
void rows_trace(struct modemclient_trace_row *to,
		const Modemd__V1__TraceRow *from);

/*
 * Yours, free with modemclient_status_free(); owns @message, which must hold a
 * StatusReply, from now on. NULL without memory: then @message is freed.
 */
struct modemclient_status *rows_status(Modemd__V1__ServerMessage *message);

#endif
