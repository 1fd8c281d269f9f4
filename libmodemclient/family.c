/* SPDX-License-Identifier: MIT */

/* Families of addresses, here and in the protocol. */

#include "client.h"

bool family_fill(enum modemclient_family family, Modemd__V1__Family *out)
{
	switch (family) {
	case MODEMCLIENT_ANY:
		break;
	case MODEMCLIENT_IPV4:
		*out = MODEMD__V1__FAMILY__IPV4;
		return true;
	case MODEMCLIENT_IPV6:
		*out = MODEMD__V1__FAMILY__IPV6;
		return true;
	}

	return false;
}

enum modemclient_family family_of(Modemd__V1__Family family)
{
	switch (family) {
	case MODEMD__V1__FAMILY__IPV4:
		return MODEMCLIENT_IPV4;
	case MODEMD__V1__FAMILY__IPV6:
		return MODEMCLIENT_IPV6;
	case MODEMD__V1__FAMILY__ANY:
	case _MODEMD__V1__FAMILY_IS_INT_SIZE:
		break;
	}

	return MODEMCLIENT_ANY;
}
