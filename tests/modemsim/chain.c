/* SPDX-License-Identifier: MIT */

#include <ctype.h>
#include <string.h>

#include "chain.h"

/* Up to the ";" that ends an extended command; one in quotes is text. */
static size_t extended_len(const char *p)
{
	bool quoted = false;
	size_t n;

	for (n = 0; p[n] != '\0'; n++) {
		if (p[n] == '"')
			quoted = !quoted;
		else if (p[n] == ';' && !quoted)
			break;
	}
	return n;
}

static void take_extended(const char **line, struct chain_part *part)
{
	const char *p = *line;
	size_t len = extended_len(p), n = strcspn(p, "=?;");

	*line = p + len;
	while (len > 0 && p[len - 1] == ' ')
		len--;
	if (n > len)
		n = len;
	part->name = p;
	part->form = FORM_EXEC;
	part->fields = p + len;
	if (len - n == 1 && p[n] == '?') {
		part->form = FORM_READ;
	} else if (len - n == 2 && strncmp(p + n, "=?", 2) == 0) {
		part->form = FORM_TEST;
	} else if (n < len && p[n] == '=') {
		part->form = FORM_WRITE;
		part->fields = p + n + 1;
		part->fields_len = len - n - 1;
	} else if (n < len) {		/* "+CSQ?1": no such form */
		n = len;
	}
	while (n > 0 && p[n - 1] == ' ')	/* "AT+CIPSRIP =?" */
		n--;
	part->name_len = n;
}

/* The value of a basic command: digits; "S" has a register and "=" or "?". */
static size_t value_len(const char *name, const char *p)
{
	size_t n = strspn(p, "0123456789");

	if (toupper((unsigned char)*name) == 'D')
		return strlen(p);		/* "D*99#": all of the line */
	if (toupper((unsigned char)*name) == 'S' && p[n] == '=')
		return n + 1 + strspn(p + n + 1, "0123456789");
	return n + (p[n] == '?');
}

static void take_basic(const char **line, struct chain_part *part)
{
	const char *p = *line;
	size_t blanks, len;

	part->name = p;
	part->name_len = isalpha((unsigned char)*p) || p[1] == '\0' ? 1 : 2;
	p += part->name_len;
	blanks = strspn(p, " ");
	len = value_len(part->name, p + blanks);
	if (len > 0)
		p += blanks;
	part->form = len > 0 ? FORM_WRITE : FORM_EXEC;
	part->fields = p;
	part->fields_len = len;
	*line = p + len;
}

static const char *skip(const char *line)
{
	return line + strspn(line, "; ");
}

bool chain_next(const char **line, struct chain_part *part)
{
	const char *p = skip(*line);

	memset(part, 0, sizeof(*part));
	*line = p;
	if (*p == '\0')
		return false;
	if (isalpha((unsigned char)*p) || strchr("&\\%", *p) != NULL)
		take_basic(line, part);
	else
		take_extended(line, part);
	return true;
}

bool chain_has_more(const char *line)
{
	return *skip(line) != '\0';
}
