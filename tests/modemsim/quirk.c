/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "quirk.h"

/*
 * Q numbers and L letters: the project's list of quirks and lessons. M: the
 * manuals contradict themselves, see tests/logs/ERRATA.
 */
static const struct quirk_row {
	const char *name;
	const char *rows;
	const char *help;
} quirk_rows[QUIRKS] = {
	[QUIRK_BLANK_DOUBLE] = { "blank-double", "Q1",
		"two blank lines before every block" },
	[QUIRK_BLANK_NONE] = { "blank-none", "Q1",
		"no CR LF before a block" },
	[QUIRK_CRCRLF] = { "crcrlf", "Q2",
		"information lines end CR CR LF" },
	[QUIRK_ECHO_STICKY] = { "echo-sticky", "Q3",
		"ATE0 says OK, the echo stays" },
	[QUIRK_ECHO_RETURNS] = { "echo-returns", "Q3",
		"the echo is back on after this command" },
	[QUIRK_URC_BEFORE_ECHO] = { "urc-before-echo", "Q4",
		"PB DONE before the echo or answer of a command" },
	[QUIRK_URC_INSIDE] = { "urc-inside", "Q5",
		"+CGEV line before the final line of an answer" },
	[QUIRK_URC_AFTER_OK] = { "urc-after-ok", "Q5",
		"+CGEV line right after the final line" },
	[QUIRK_URC_BEFORE_PROMPT] = { "urc-before-prompt", "Q5",
		"+CGEV line before the > of CIPSEND" },
	[QUIRK_URC_AFTER_PROMPT] = { "urc-after-prompt", "Q5",
		"+CGEV line after the > of CIPSEND" },
	[QUIRK_NUL_BANNER] = { "nul-banner", "Q10",
		"a NUL byte before the boot banner" },
	[QUIRK_CIPCLOSE_LIST_CUT] = { "cipclose-list-cut", "Q11",
		"AT+CIPCLOSE? stops after 5 states, no OK ever" },
	[QUIRK_SMS_AFTER_PB] = { "sms-after-pb", "Q18",
		"PB DONE before SMS DONE" },
	[QUIRK_NO_PB_DONE] = { "no-pb-done", "Q18",
		"neither SMS DONE nor PB DONE after boot" },
	[QUIRK_PB_DONE_ON_ATTACH] = { "pb-done-on-attach", "Q19",
		"PB DONE, SMS DONE when the network is back" },
	[QUIRK_REBOOT_ON_NETOPEN] = { "reboot-on-netopen", "Q22",
		"AT+NETOPEN reboots the module" },
	[QUIRK_REBOOT_ON_CIPOPEN] = { "reboot-on-cipopen", "Q22",
		"a reboot while CIPOPEN is pending" },
	[QUIRK_REBOOT_ON_CIPSEND] = { "reboot-on-cipsend", "Q22",
		"a reboot when the payload has come" },
	[QUIRK_SIM_BUSY_FIRST] = { "sim-busy-first", "Q23",
		"CPIN? says SIM busy, then URC +CPIN: READY" },
	[QUIRK_CME_SWAPPED] = { "cme-swapped", "Q24",
		"CME errors as numbers for text and reverse" },
	[QUIRK_CGEV_FLOOD] = { "cgev-flood", "Q26",
		"+CGEV: ME PDN DEACT 1 every 100 ms until CGEREP=0" },
	[QUIRK_STAR_URCS] = { "star-urcs", "Q25",
		"*ISIMAID and *COPN lines after boot" },
	[QUIRK_OTHER_URCS] = { "other-urcs", "Q14 Q27",
		"a foreign line after a command, another each time" },
	[QUIRK_NETOPEN_TWO_FIELDS] = { "netopen-two-fields", "Q30",
		"AT+NETOPEN? says +NETOPEN: 1, 0" },
	[QUIRK_NETOPEN_AGAIN_ERROR] = { "netopen-again-error", "Q31",
		"NETOPEN when open: bare ERROR" },
	[QUIRK_NETOPEN_ERROR] = { "netopen-error", "Q32",
		"NETOPEN: bare ERROR, no code" },
	[QUIRK_NETOPEN_FAILS] = { "netopen-fails", "Q33",
		"NETOPEN: OK, +NETOPEN: 1 (=1: the first time)" },
	[QUIRK_NETOPEN_SILENT] = { "netopen-silent", "Q42",
		"NETOPEN: OK and then nothing" },
	[QUIRK_NETOPEN_NO_BEARER] = { "netopen-no-bearer", "Q34",
		"NETOPEN says 0 but every CIPOPEN fails with 1" },
	[QUIRK_NETCLOSE_LEGACY] = { "netclose-legacy", "Q36",
		"NETCLOSE when closed: +IP ERROR: 5" },
	[QUIRK_IPADDR_SPELLING] = { "ipaddr-spelling", "Q37",
		"IPADDR when closed: +IPADDR: Network not opened" },
	[QUIRK_IP_ERROR_NUMERIC] = { "ip-error-numeric", "Q38",
		"+IP ERROR with a number whatever CIPCCFG says" },
	[QUIRK_CIPOPEN_SILENT] = { "cipopen-silent", "Q42",
		"CIPOPEN: OK, then nothing, the link stays closed" },
	[QUIRK_CIPOPEN_LATE] = { "cipopen-late", "Q42 La",
		"+CIPOPEN comes --late-time after the connect" },
	[QUIRK_CIPOPEN_THEN_LOSS] = { "cipopen-then-loss", "Q44",
		"+CIPOPEN: n,0 and at once the network is lost" },
	[QUIRK_CIPOPEN_RESULT_FIRST] = { "cipopen-result-first", "Q7 Q8",
		"final OK of CIPOPEN after its result" },
	[QUIRK_PROMPT_BLANK] = { "prompt-blank", "Q49",
		"a blank after the prompt" },
	[QUIRK_PROMPT_DEAD_LINK] = { "prompt-dead-link", "Q50",
		"no prompt: +CIPERROR: 4, ERROR; the link is dead" },
	[QUIRK_PROMPT_LOST] = { "prompt-lost", "Q50",
		"no prompt, but the modem waits for the data" },
	[QUIRK_SEND_MAX_1400] = { "send-max-1400", "Q52",
		"CIPSEND of more than 1400: +CIPERROR: 3" },
	[QUIRK_DOUBLE_ERROR] = { "double-error", "Q55",
		"ERROR twice after +CIPERROR" },
	[QUIRK_SEND_SHORT] = { "send-short", "Q69",
		"half of the payload is taken, cnf says so" },
	[QUIRK_SEND_ZERO] = { "send-zero", "Q69",
		"nothing is taken, cnf is 0" },
	[QUIRK_SEND_MINUS_ONE] = { "send-minus-one", "Q69",
		"nothing is taken, cnf is -1" },
	[QUIRK_SEND_NEVER] = { "send-never", "Q69",
		"the data go out, +CIPSEND never comes" },
	[QUIRK_SEND_LATE] = { "send-late", "Q69",
		"+CIPSEND comes --late-time late" },
	[QUIRK_SEND_RESULT_FIRST] = { "send-result-first", "Q48",
		"+CIPSEND before OK" },
	[QUIRK_CIPCLOSE_LEGACY] = { "cipclose-legacy", "Q57",
		"CIPCLOSE of a closed link: +IP ERROR: 8" },
	[QUIRK_CIPCLOSE_CLOSE_OK] = { "cipclose-close-ok", "Q58",
		"CLOSE OK line before +CIPCLOSE: n,0" },
	[QUIRK_CIPCLOSE_SILENT] = { "cipclose-silent", "Q42",
		"CIPCLOSE: OK and then nothing" },
	[QUIRK_CIPCLOSE_LIES] = { "cipclose-lies", "Q59",
		"CIPCLOSE? goes on saying 1 for closed links" },
	[QUIRK_RXGET4_DEAD_OK] = { "rxget4-dead-ok", "Q61",
		"CIPRXGET=4 without network: 4,n,0 and OK" },
	[QUIRK_RXGET_TIGHT] = { "rxget-tight", "Q62",
		"no blank line between read data and OK" },
	[QUIRK_RXGET_MAX_1460] = { "rxget-max-1460", "Q63",
		"at most 1460 bytes a read" },
	[QUIRK_RXGET_ERROR] = { "rxget-error", "L6",
		"CIPRXGET=2/3/4: bare ERROR" },
	[QUIRK_RXGET_URC_INSIDE] = { "rxget-urc-inside", "Q71",
		"+CIPRXGET: 1,x before the header of modes 2, 3, 4" },
	[QUIRK_NOTIFY_LOST] = { "notify-lost", "Q67",
		"+CIPRXGET: 1,n is not sent" },
	[QUIRK_NO_DATA_NUMERIC] = { "no-data-numeric", "Q70",
		"+IP ERROR: 22 instead of No data" },
	[QUIRK_NO_DATA_CASE] = { "no-data-case", "Q70",
		"+IP ERROR: no data" },
	[QUIRK_IPCLOSE_TIGHT] = { "ipclose-tight", "Q73",
		"+IPCLOSE:n,1 without the blank" },
	[QUIRK_IPCLOSE_NO_COLON] = { "ipclose-no-colon", "Q73",
		"+IPCLOSE n,1 without the colon" },
	[QUIRK_IPCLOSE_LOST] = { "ipclose-lost", "Q67",
		"+IPCLOSE is not sent" },
	[QUIRK_CIPEVENT_TIGHT] = { "cipevent-tight", "Q73",
		"+CIPEVENT:NETWORK CLOSED UNEXPECTEDLY" },
	[QUIRK_NO_TCP] = { "no-tcp", "Q85",
		"every TCP/IP command: ERROR" },
	[QUIRK_NO_CIPTIMEOUT] = { "no-ciptimeout", "Q86",
		"CIPTIMEOUT and CIPSENDMODE: ERROR" },
	[QUIRK_COMMAND_SILENT] = { "command-silent", "L44",
		"the command is not executed and not answered" },
	[QUIRK_UDP_OK_FIRST] = { "udp-ok-first", "Q8",
		"OK before the result in UDP CIPOPEN, CIPCLOSE" },
	[QUIRK_UDP_MERGED] = { "udp-merged", "Q109",
		"a read takes bytes of several datagrams" },
	[QUIRK_UDP_REST_LOST] = { "udp-rest-lost", "Q108",
		"the unread rest of a datagram is lost" },
	[QUIRK_UDP_LOST] = { "udp-lost", "Lo",
		"a sent datagram is confirmed and vanishes" },
	[QUIRK_SERVERSTOP_RESULT_FIRST] = { "serverstop-early", "Q7",
		"+SERVERSTOP before OK, as in the examples" },
	[QUIRK_SERVERSTOP_LINKS] = { "serverstop-links", "M",
		"SERVERSTOP works though links are open" },
	[QUIRK_SERVER_CANNOT_SEND] = { "server-cannot-send", "Q78",
		"CIPSEND on an accepted link: +CIPERROR: 4" },
	[QUIRK_CLIENT_QUOTED] = { "client-quoted", "Q77",
		"+CLIENT: 0,1,\"127.0.0.1\":57202" },
	[QUIRK_CLIENT_NO_INDEX] = { "client-no-index", "Q77",
		"+CLIENT: 0,127.0.0.1:57202" },
	[QUIRK_CLIENT_LOST] = { "client-lost", "Q67",
		"+CLIENT is not sent" },
	[QUIRK_CLIENT_COLLISION] = { "client-collision", "Lh",
		"an accepted link takes the one being opened" },
	[QUIRK_CDNSGHNAME_OK] = { "cdnsghname-ok", "M",
		"OK after +CDNSGHNAME: 0,10" },
	[QUIRK_PING_SPELLING] = { "ping-spelling", "Q81",
		"the summary of CPING is +PING: 3,..." },
	[QUIRK_CPING_TIGHT] = { "cping-tight", "Q81",
		"+CPING:1,... without the blank" },
	[QUIRK_PING_LOST] = { "ping-lost", "Q81",
		"this packet is not answered: +CPING: 2" },
	[QUIRK_CPINGSTOP_PLAIN] = { "cpingstop-plain", "M",
		"CPINGSTOP: OK without a summary" },
	[QUIRK_RECV_FROM_PLUS] = { "recv-from-plus", "Q74",
		"+RECV FROM:ip:port" },
	[QUIRK_RECV_FROM_BLANK] = { "recv-from-blank", "Q74",
		"RECV FROM: ip:port" },
	[QUIRK_IPD_PARENS] = { "ipd-parens", "Q75",
		"+IPD(16)" },
	[QUIRK_RECEIVE_COLON] = { "receive-colon", "Q76",
		"+RECEIVE,n,len: with a colon at the end" },
	[QUIRK_HEADER_TYPE_IGNORED] = { "header-type-ignored", "M",
		"HeaderType 1 is stored, +IPD goes on" },
	[QUIRK_PUSH_WAITS] = { "push-waits", "Q98",
		"no pushed data between > and the final line" },
	[QUIRK_NO_CIPCCFG] = { "no-cipccfg", "Q86",
		"CIPCCFG: ERROR" },
	[QUIRK_NETOPEN_STUCK] = { "netopen-stuck", "Q84",
		"+NETOPEN: 1 until a reboot (or N times)" },
	[QUIRK_NETOPEN_LATE] = { "netopen-late", "Q42",
		"+NETOPEN comes --late-time late" },
	[QUIRK_NETOPEN_RESULT_FIRST] = { "netopen-result-first", "Q7",
		"+NETOPEN, +NETCLOSE before OK" },
	[QUIRK_CIPOPEN_FAILS] = { "cipopen-fails", "Q84",
		"+CIPOPEN: n,1" },
	[QUIRK_CIPOPEN_255] = { "cipopen-255", "Q43",
		"+CIPOPEN: n,255" },
	[QUIRK_CIPOPEN_TEN] = { "cipopen-ten", "Q46",
		"link 10: +CIPOPEN: 10,3, not Invalid parameter" },
	[QUIRK_CIPCLOSE_LATE] = { "cipclose-late", "Q42",
		"+CIPCLOSE comes --late-time late" },
	[QUIRK_EXTRA_CONTEXTS] = { "extra-contexts", "Q39",
		"NETOPEN fails until contexts 2, 3 are deleted" },
	[QUIRK_MISPRINTS] = { "misprints", "Q64 Q87",
		"=? and ? answers as the manuals misprint them" },
	[QUIRK_CME_SUFFIX] = { "cme-suffix", "Q24",
		"CME text followed by (#number)" },
	[QUIRK_GMR_TWO_LINES] = { "gmr-two-lines", "Q28",
		"revision on two lines" },
	[QUIRK_TRANSPARENT_OTHERS] = { "transparent-others", "M",
		"CIPMODE=1: links 1-9 stay in command mode" },
	[QUIRK_TRANSPARENT_RECV_FROM] = { "data-recv-from", "Q79",
		"RECV FROM lines in the transparent stream" },
	[QUIRK_END_NO_CARRIER] = { "end-no-carrier", "Q79",
		"NO CARRIER for CLOSED in data mode" },
	[QUIRK_END_IPCLOSE] = { "end-ipclose", "Q79",
		"+IPCLOSE for CLOSED in data mode" },
	[QUIRK_ESCAPE_LOST] = { "escape-lost", "Q80",
		"+++ with its guard times is payload" },
	[QUIRK_ESCAPE_SILENT] = { "escape-silent", "Q80",
		"+++ works but OK is not sent" },
	[QUIRK_ESCAPE_NO_GUARD] = { "escape-no-guard", "Q80",
		"+++ works without guard times" },
	[QUIRK_LF_IS_PAYLOAD] = { "lf-is-payload", "Q16",
		"the LF of a CR LF command is payload" },
	[QUIRK_NETOPEN_RESULT_TWO] = { "netopen-result-two", "Q30",
		"+NETOPEN: 0,0 as the result" },
	[QUIRK_SEND_BUSY] = { "send-busy", "Q54",
		"CIPSEND: +CIPERROR: 8" },
	[QUIRK_RXGET_HEX_DIGITS] = { "rxget-hex-digits", "Q68",
		"CIPRXGET=3 counts hex digits" },
	[QUIRK_RXGET_URC_SPLIT] = { "rxget-urc-split", "La",
		"+CIPRXGET: 1,n between header and payload" },
	[QUIRK_PB_DONE_LATE] = { "pb-done-late", "Q18",
		"SMS DONE, PB DONE come --late-time late" },
	[QUIRK_FINAL_LOST] = { "final-lost", "Q12",
		"executed and answered, but for the final line" },
	[QUIRK_ECHO_GLUED] = { "echo-glued", "Q6",
		"the echo overtakes what is being sent" },
	[QUIRK_RECEIVE_SPACED] = { "receive-spaced", "Q76",
		"+RECEIVE: n,len" },
	[QUIRK_CIPCCFG_IGNORED] = { "cipccfg-ignored", "Q86",
		"CIPCCFG=: OK, nothing is stored" },
	[QUIRK_SENDMODE_IGNORED] = { "sendmode-ignored", "Q86",
		"CIPSENDMODE=: OK, nothing is stored" },
	[QUIRK_CIPACK_EMPTY] = { "cipack-empty", "Q42",
		"CIPACK: OK without +CIPACK" },
	[QUIRK_ACK_LAGS] = { "ack-lags", "M",
		"+CIPACK shows half of what was acknowledged since" },
	[QUIRK_PAYLOAD_BYTE_LOST] = { "payload-byte-lost", "Q12",
		"a byte of pushed or read data vanishes" },
	[QUIRK_END_SILENT] = { "end-silent", "Q79",
		"data mode ends without a word" },
	[QUIRK_END_CIPCLOSE] = { "end-cipclose", "Q79",
		"+CIPCLOSE: 0,0 for CLOSED in data mode" },
	[QUIRK_CMEE_AT_REBOOT] = { "cmee-at-reboot", "Q24",
		"CMEE= is in force after a reboot" },
	[QUIRK_SIM_FAILURE_FIRST] = { "sim-failure-first", "Q23",
		"CPIN? says SIM failure, then URC +CPIN: READY" },
	[QUIRK_CFUN_SIM] = { "cfun-sim", "Q19 Q27",
		"CFUN=0, 1 power the SIM: +CPIN lines, PB DONE" },
	[QUIRK_ATV0_IGNORED] = { "atv0-ignored", "M",
		"ATV0: OK, the answers stay words" },
	[QUIRK_RESTORE_CLOSES] = { "restore-closes", "Q118",
		"RESTORE: CLOSED of every link before OK" },
	[QUIRK_BUSY_ON_CRLF] = { "busy-on-crlf", "Q102",
		"an empty line while a command runs: busy" },
	[QUIRK_GOT_IP_SWAPPED] = { "got-ip-swapped", "Q127",
		"WIFI GOT IP on the other side of OK" },
	[QUIRK_GOT_IP_LATE] = { "got-ip-late", "Q127",
		"WIFI GOT IP comes --late-time late" },
	[QUIRK_CWJAP_FAIL] = { "cwjap-fail", "Q127",
		"CWJAP: FAIL instead of ERROR" },
	[QUIRK_WIFI_STAYS_AWAY] = { "wifi-stays-away", "Q127",
		"no rejoin when the access point is back" },
};

const char *quirk_name(enum quirk q)
{
	return quirk_rows[q].name;
}

void quirk_list(FILE *to)
{
	size_t i;

	for (i = 0; i < QUIRKS; i++)
		fprintf(to, "%-20s %-7s %s\n", quirk_rows[i].name,
			quirk_rows[i].rows, quirk_rows[i].help);
}

static int parse_times(const char *text, int *times)
{
	char *end;
	long v;

	if (*text == '\0' || strcmp(text, "on") == 0) {
		*times = QUIRK_ALWAYS;
		return 0;
	}
	if (strcmp(text, "off") == 0) {
		*times = 0;
		return 0;
	}
	v = strtol(text, &end, 10);
	if (*end != '\0' || v < 0 || v > 1000000)
		return -EINVAL;
	*times = (int)v;
	return 0;
}

int quirk_set(int *left, const char *arg)
{
	size_t i, len = strcspn(arg, "= ");
	const char *times = arg[len] != '\0' ? arg + len + 1 : "";

	for (i = 0; i < QUIRKS; i++) {
		if (strlen(quirk_rows[i].name) == len &&
		    strncmp(quirk_rows[i].name, arg, len) == 0)
			return parse_times(times, &left[i]);
	}
	return -EINVAL;
}

bool quirk_on(const int *left, enum quirk q)
{
	return left[q] != 0;
}

bool quirk_take(int *left, enum quirk q)
{
	if (left[q] > 0)
		left[q]--;
	else if (left[q] == 0)
		return false;
	return true;
}
