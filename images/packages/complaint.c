// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "images/packages/complaint.h"

static bool says(const char *line, const char *const *words)
{
	for (; *words; words++)
		if (strcasestr(line, *words))
			return true;
	return false;
}

void vh_complaint_line(struct vh_complaint *c, const char *line)
{
	static const char *const unreachable[] = { "could not resolve", "temporary failure resolving",
		"could not connect", "unable to connect", "connection timed out", "connection failed",
		"network is unreachable", NULL };
	static const char *const full[] = { "no space left on device", "not enough free space",
		"don't have enough free space", NULL };
	static const char *const signatures[] = { "no_pubkey", "badsig", "expkeysig", "is not signed",
		"hash sum mismatch", NULL };
	static const char *const absent[] = { "does not have a release file",
		"no longer has a release file", NULL };

	c->unreachable |= says(line, unreachable);
	c->unfetched |= strcasestr(line, "failed to fetch") != NULL;
	c->full |= says(line, full);
	c->untrusted |= says(line, signatures);
	c->no_suite |= says(line, absent);
	if (!*c->package && (sscanf(line, "E: Unable to locate package %399s", c->package) == 1 ||
			     sscanf(line, "E: Package '%399[^']' has no installation candidate", c->package) == 1))
		c->package[strcspn(c->package, "/=")] = 0;
	if (!*c->unmet && strstr(line, " : ") && strstr(line, "Depends: "))
		snprintf(c->unmet, sizeof c->unmet, "%s", line + strspn(line, " "));
	if (!strncmp(line, "E: ", 3) || !strncmp(line, "Err:", 4) || !strncmp(line, "dpkg: error", 11) ||
	    says(line, full)) {
		memmove(c->tail, c->tail + 1, sizeof c->tail - sizeof *c->tail);
		snprintf(c->tail[VH_COMPLAINT_TAIL - 1], VH_COMPLAINT_LINE, "%s", line);
	}
}

/* The most telling line: what apt or dpkg said, not what mmdebstrap made of it. */
static const char *reason(const struct vh_complaint *c)
{
	const char *best = "";
	for (int i = VH_COMPLAINT_TAIL - 1; i >= 0; i--) {
		const char *l = c->tail[i];
		if (!*l || strstr(l, "mmdebstrap failed") || strstr(l, "setup failed"))
			continue;
		if (!*best || strstr(best, " failed"))
			best = l;
	}
	return strncmp(best, "E: ", 3) ? best : best + 3;
}

int vh_complaint_explain(const struct vh_complaint *c, const char *suite, const char *work,
			 struct vh_err *err)
{
	const char *why = reason(c);

	if (c->full) {
		vh_err_set(err, ENOSPC, "no space left on the disk of %s", work);
		return vh_err_hint(err, "free 2 GiB, or move the cache with --cache");
	}
	/* apt calls each of these a failure to fetch, too. */
	if (c->untrusted)
		return vh_err_set(err, EBADMSG, "the package archive's signature or checksum is wrong (%s)", why);
	if (c->no_suite && !c->unreachable)
		return vh_err_set(err, ENOENT, "the package archive has no suite %s (%s)", suite, why);
	if (c->unreachable || c->unfetched) {
		vh_err_set(err, ENETUNREACH, "the package archive cannot be reached (%s)", why);
		return vh_err_hint(err, "check network, name service and http_proxy");
	}
	if (*c->package)
		return vh_err_refuse(err, ENOENT, "%s has no package %s", suite, c->package);
	if (*c->unmet)
		return vh_err_refuse(err, EINVAL, "the packages do not go together (%s)", c->unmet);
	return vh_err_set(err, EIO, "installing the packages failed: %s", *why ? why : "no reason was given");
}
