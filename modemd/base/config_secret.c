/* SPDX-License-Identifier: MIT */

/*
 * config_secret - PINs and passwords, which are files and never values.
 * Nothing here ever prints what it read.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_private.h"

#define SECRET_MAX	128

void config_wipe(char *secret)
{
	if (!secret)
		return;

	explicit_bzero(secret, strlen(secret));
	free(secret);
}

/* Into @out, without one newline at the end; half a sentence on failure. */
static const char *read_whole(int fd, char *out, size_t size)
{
	size_t used = 0;
	ssize_t n;

	while ((n = read(fd, out + used, size - 1 - used)) > 0)
		used += (size_t)n;
	if (n < 0)
		return strerror(errno);
	if (used == size - 1)
		return "too long for a secret";
	if (used > 0 && out[used - 1] == '\n')
		used--;
	if (used > 0 && out[used - 1] == '\r')
		used--;
	out[used] = '\0';
	if (used == 0)
		return "is empty";

	return strlen(out) != used || value_has_control(out) ?
		"holds a control byte" : NULL;
}

static const char *read_file(struct draft *d, const char *path,
			     const char *name, char *out, size_t size)
{
	const char *wrong;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return strerror(errno);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		wrong = "is not a regular file";
	else
		wrong = read_whole(fd, out, size);
	close(fd);
	if (!wrong && st.st_mode & (S_IROTH | S_IWOTH))
		draft_tell(d, true, "%s: %s can be read by everybody; chmod "
			   "o= %s", name, path, path);

	return wrong;
}

static bool is_pin(const char *text)
{
	size_t len = strlen(text);

	return len >= 4 && len <= 8 && strspn(text, "0123456789") == len;
}

/* IEEE 802.11i: a phrase, or the key itself. */
static bool is_wifi_password(const char *text)
{
	size_t len = strlen(text);

	return (len >= 8 && len <= 63) ||
	       (len == 64 && strspn(text, "0123456789abcdefABCDEF") == len);
}

/* What this one may not be, as half a sentence; NULL: it may. */
static const char *find_fault(const struct config_modem *m, char *const *out,
			      const char *text)
{
	if (out == &m->wifi_password)	/* said to the modem with escapes */
		return is_wifi_password(text) ? NULL : "a Wi-Fi password has "
		       "8 to 63 characters, or 64 hex digits";
	if (!value_is_quotable(text))
		return "holds a quote";
	if (out == &m->pin && !is_pin(text))
		return "a PIN has 4 to 8 digits";

	return NULL;
}

static void read_secret(struct draft *d, const char *key, const char *path,
			char **out)
{
	const struct setting *s = setting_find("modem", key);
	const char *name = d->origin[s - settings], *wrong = NULL;
	char text[SECRET_MAX + 2] = "";

	if (!name)
		name = key;
	if (*path)
		wrong = read_file(d, path, name, text, sizeof(text));
	if (!wrong && *path)
		wrong = find_fault(&d->config.modem, out, text);
	if (wrong)
		draft_tell(d, false, "%s: %s: %s", name, path, wrong);
	*out = strdup(wrong ? "" : text);
	if (!*out)
		draft_tell(d, false, "%s: out of memory", name);
	explicit_bzero(text, sizeof(text));
}

void config_read_secrets(struct draft *d)
{
	struct config_modem *modem = &d->config.modem;

	read_secret(d, "pin-file", d->pin_file, &modem->pin);
	read_secret(d, "apn-password-file", d->apn_password_file,
		    &modem->apn_password);
	read_secret(d, "wifi-password-file", d->wifi_password_file,
		    &modem->wifi_password);
}
